//! Random changes, lists and watches, each compared with a model that keeps everything.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::*;

/// A small generator: tests have to repeat.
pub(in crate::store) struct Dice(pub(in crate::store) u64);

impl Dice {
    pub(in crate::store) fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

type Objects = BTreeMap<Rc<str>, (u64, u64)>;

/// All states there ever were, of one resource: paths with their marks and revisions.
#[derive(Default)]
struct Model {
    states: Vec<Rc<Objects>>,
    /// The revisions that changed this resource.
    events: Vec<(u64, EventKind, String, u64)>,
}

struct Watching {
    watcher: Watcher,
    resource: usize,
    scope: Scope,
    from: u64,
    seen: Vec<(u64, EventKind, String, u64)>,
}

fn mark(record: &Record) -> u64 {
    record
        .meta()
        .labels
        .get("mark")
        .expect("it is there")
        .parse()
        .expect("the query is right")
}

/// The text tells the same as what was extracted of it.
fn check_text(record: &Record) {
    let value = record.value();
    assert_eq!(value["spec"]["mark"], mark(record));
    let version = &value["metadata"]["resourceVersion"];
    assert_eq!(*version, record.modified().to_string());
}

fn events(seen: &[Arc<Event>]) -> impl Iterator<Item = (u64, EventKind, String, u64)> {
    seen.iter().map(|event| {
        let path = event.record.key().path().to_owned();
        assert_eq!(event.previous.is_none(), event.kind == EventKind::Added);
        check_text(&event.record);
        (event.revision(), event.kind, path, mark(&event.record))
    })
}

fn check_list(store: &Store, resource: &Resource, model: &Model, dice: &mut Dice, reach: u64) {
    let current = store.revision();
    let revision = current - dice.roll(reach.min(current) + 1);
    let snapshot = match store.snapshot_at(resource, revision) {
        Ok(snapshot) => snapshot,
        Err(expired) => {
            // Refused only where a change is missing.
            assert!(revision < expired.oldest && current - expired.oldest < 400);
            return;
        }
    };
    let scope = match dice.roll(3) {
        0 => Scope::all(),
        1 => Scope::namespace("a"),
        _ => Scope::namespace("a-b"),
    };
    let wanted = model.states[usize::try_from(revision).expect("the number is small")]
        .iter()
        .filter(|(path, _)| scope.holds(path));
    let wanted: Vec<_> = wanted.map(|(p, v)| (p.to_string(), *v)).collect();
    assert_eq!(snapshot.revision(), revision);
    let found = snapshot.iter(&scope);
    let found: Vec<_> = found
        .map(|r| (r.key().path().to_owned(), (r.modified(), mark(r))))
        .collect();
    assert_eq!(found, wanted);
}

fn run(seed: u64, history: History, steps: u64) {
    let mut dice = Dice(seed);
    let store = Store::in_memory(history);
    let resources = [pods(), Resource::new("apps", "deployments")];
    let mut models = [Model::default(), Model::default()];
    for model in &mut models {
        model.states.push(Rc::default());
    }
    let mut watching: Vec<Watching> = Vec::new();
    for step in 0..steps {
        let which = usize::try_from(dice.roll(10) / 8).expect("the number is small");
        let namespace =
            ["a", "a-b", "b"][usize::try_from(dice.roll(3)).expect("the number is small")];
        let name = format!("o{}", dice.roll(200));
        let path: Rc<str> = format!("{namespace}/{name}").into();
        let objects = models[which].states.last().expect("it is there").clone();
        let current = objects.get(&*path).map(|(revision, _)| *revision);
        let guess = match dice.roll(4) {
            0 => Expect::Revision(dice.roll(step + 1)),
            _ => current.map_or(Expect::Absent, Expect::Revision),
        };
        let fits = match guess {
            Expect::Absent => current.is_none(),
            Expect::Revision(revision) => current == Some(revision),
        };
        let deletes = dice.roll(3) == 0;
        let change = if deletes {
            delete(&resources[which], namespace, &name)
        } else {
            put(&resources[which], &object(namespace, &name, step))
        };
        let outcome = now(store.commit(guess, change));
        assert_eq!(outcome.is_ok(), fits && !(deletes && current.is_none()));
        if let Ok(record) = outcome {
            let revision = store.revision();
            assert_eq!(record.modified(), revision);
            let mut objects = Objects::clone(&objects);
            let (kind, mark) = if deletes {
                let (_, mark) = objects.remove(&*path).expect("it is there");
                (EventKind::Deleted, mark)
            } else {
                objects.insert(path.clone(), (revision, step));
                let kind = match current {
                    None => EventKind::Added,
                    Some(_) => EventKind::Modified,
                };
                (kind, step)
            };
            models[which]
                .events
                .push((revision, kind, path.to_string(), mark));
            let other = models[1 - which]
                .states
                .last()
                .expect("it is there")
                .clone();
            models[which].states.push(Rc::new(objects));
            models[1 - which].states.push(other);
        }
        if dice.roll(4) == 0 {
            check_list(&store, &resources[which], &models[which], &mut dice, 500);
        }
        if dice.roll(10) == 0 && watching.len() < 20 {
            let from = store.revision() - dice.roll(300.min(store.revision()) + 1);
            let scope = match dice.roll(4) {
                0 => Scope::all(),
                1 => Scope::namespace(namespace),
                2 => Scope::namespace("a-b"),
                _ => Scope::object(
                    &Key::new(&resources[which], namespace, &name)
                        .expect("the object can be stored"),
                ),
            };
            if let Ok(watcher) = store.watch(&resources[which], scope.clone(), from) {
                watching.push(Watching {
                    watcher,
                    resource: which,
                    scope,
                    from,
                    seen: Vec::new(),
                });
            }
        }
        if !watching.is_empty() {
            let index =
                usize::try_from(dice.roll(20)).expect("the number is small") % watching.len();
            check_watch(&mut watching, index, &models, &mut dice, &store);
        }
    }
}

fn check_watch(
    watching: &mut Vec<Watching>,
    index: usize,
    models: &[Model; 2],
    dice: &mut Dice,
    store: &Store,
) {
    let one = &mut watching[index];
    let events_of = &models[one.resource].events;
    let expected = events_of
        .iter()
        .filter(|(at, _, path, _)| *at > one.from && one.scope.holds(path));
    let mut out = Vec::new();
    let limit = usize::try_from(dice.roll(30)).expect("the number is small") + 1;
    if one.watcher.try_next(limit, &mut out).is_ok() {
        assert!(out.len() <= limit);
        one.seen.extend(events(&out));
        let until = one.watcher.revision();
        let expected = expected.filter(|(at, ..)| *at <= until).cloned();
        assert_eq!(one.seen, expected.collect::<Vec<_>>());
        if out.len() < limit {
            assert_eq!(until, store.revision());
        }
    } else {
        // Something for it was missed indeed.
        assert!(expected.count() > one.seen.len());
        watching.remove(index);
    }
    if dice.roll(50) == 0 && !watching.is_empty() {
        watching.pop();
    }
}

#[test]
fn lists_and_watches_of_any_revision_tell_what_happened() {
    for seed in 1..=4 {
        run(seed * 7919, History::default(), 1200);
    }
}

#[test]
fn with_a_short_history_what_is_told_is_still_true() {
    for seed in 1..=6 {
        let short = History {
            events: 150,
            bytes: 1 << 20,
        };
        run(seed * 104_729, short, 1200);
    }
    let narrow = History {
        events: 1000,
        bytes: 100 * 700,
    };
    run(31, narrow, 1200);
}
