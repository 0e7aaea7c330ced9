//! Objects that Runnables select: one metadata watch for each kind and labels, for as long as somebody selects by
//! them.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard};

use cluster::watch::{Labelled, Watches};
use kinds::Runnable;
use kube::core::ApiResource;
use kube::runtime::reflector::ObjectRef;
use manifest::GroupKind;
use tokio::sync::mpsc;

use crate::board::Key;

/// What is selected by.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Chosen {
    kind: GroupKind,
    labels: String,
}

struct Selection {
    watch: Labelled,
    /// The Runnables that select by it.
    by: BTreeSet<Key>,
}

/// All selections.
pub(crate) struct Selections {
    all: Arc<Mutex<HashMap<Chosen, Selection>>>,
    due: mpsc::UnboundedSender<ObjectRef<Runnable>>,
}

impl Selections {
    /// None yet. The Runnables that are concerned by a change go to `due`.
    pub(crate) fn new(due: mpsc::UnboundedSender<ObjectRef<Runnable>>) -> Self {
        Self {
            all: Arc::default(),
            due,
        }
    }

    /// Follows what a Runnable selects, and nothing else that it selected before. Tells whether that may not be
    /// watched.
    pub(crate) fn follow(
        &self,
        watches: &Watches,
        key: &Key,
        (api, labels): (&ApiResource, &str),
    ) -> bool {
        let chosen = Chosen {
            kind: GroupKind::new(&api.group, &api.kind),
            labels: labels.to_owned(),
        };
        let mut all = lock(&self.all);
        drop_others(&mut all, key, Some(&chosen));
        let selection = all.entry(chosen.clone()).or_insert_with(|| Selection {
            watch: self.watch(watches, api, chosen),
            by: BTreeSet::new(),
        });
        selection.by.insert(key.clone());
        selection.watch.is_refused()
    }

    /// Follows nothing for a Runnable any more.
    pub(crate) fn forget(&self, key: &Key) {
        drop_others(&mut lock(&self.all), key, None);
    }

    fn watch(&self, watches: &Watches, api: &ApiResource, chosen: Chosen) -> Labelled {
        let (all, due) = (self.all.clone(), self.due.clone());
        let labels = chosen.labels.clone();
        watches.labelled(api, &labels, move |namespace| {
            let all = lock(&all);
            let Some(selection) = all.get(&chosen) else {
                return;
            };
            for key in concerned(&selection.by, namespace) {
                // If nobody listens any more the controller is stopping.
                let _ = due.send(ObjectRef::new(&key.name).within(&key.namespace));
            }
        })
    }
}

/// Those that an object in a namespace concerns: all where it is in none.
fn concerned<'k>(
    by: &'k BTreeSet<Key>,
    namespace: Option<&'k str>,
) -> impl Iterator<Item = &'k Key> {
    by.iter()
        .filter(move |key| namespace.is_none_or(|namespace| key.namespace == namespace))
}

fn drop_others(all: &mut HashMap<Chosen, Selection>, key: &Key, but: Option<&Chosen>) {
    all.retain(|chosen, selection| {
        if Some(chosen) != but {
            selection.by.remove(key);
        }
        Some(chosen) == but || !selection.by.is_empty()
    });
}

fn lock(all: &Mutex<HashMap<Chosen, Selection>>) -> MutexGuard<'_, HashMap<Chosen, Selection>> {
    all.lock().expect("nothing panics while holding it")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_selected_object_concerns_the_runnables_of_its_namespace() {
        let by = BTreeSet::from([Key::new("dev", "tests"), Key::new("ops", "scan")]);
        let names = |namespace| {
            let names = concerned(&by, namespace).map(|key| key.name.as_str());
            names.collect::<Vec<_>>().join(" ")
        };
        assert_eq!(names(Some("dev")), "tests");
        assert_eq!(names(Some("other")), "");
        assert_eq!(names(None), "tests scan");
    }
}
