//! What the last pass of each Workload, Deliverable and Runnable stood on: a change of that is what makes the
//! next one due.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard};

use super::seen::Stamper;

/// A cluster-wide object that passes read, by kind and name.
pub(crate) type Part = (&'static str, String);

/// What a pass stood on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Uses {
    /// The blueprint and the templates.
    pub(crate) parts: BTreeSet<Part>,
    /// The account, by namespace and name.
    pub(crate) account: Option<(String, String)>,
    /// Whether the account was refused something, so that any change of rights may help.
    pub(crate) refused: bool,
    /// Whether a kind was not served.
    pub(crate) kind_missing: bool,
}

/// How many changes of parts are remembered. They only have to outlast a pass.
const REMEMBERED: usize = 256;

/// What all of them stand on.
#[derive(Debug, Default)]
pub(crate) struct Index(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    uses: HashMap<Stamper, Uses>,
    /// The last changes of parts, and how many there were in all.
    changed: VecDeque<(String, String)>,
    count: usize,
}

impl Index {
    /// How many changes there were so far: what a pass begins with.
    pub(crate) fn now(&self) -> usize {
        self.lock().count
    }

    /// Notes what a pass stood on. Tells whether any of that may have changed since it began.
    pub(crate) fn put(&self, stamper: &Stamper, uses: Uses, since: usize) -> bool {
        let mut state = self.lock();
        let news = state.count - since;
        let is_touched = news > state.changed.len()
            || state.changed.iter().rev().take(news).any(|(kind, name)| {
                let mut parts = uses.parts.iter();
                parts.any(|(part, named)| part == kind && named == name)
            });
        state.uses.insert(stamper.clone(), uses);
        is_touched
    }

    /// Notes that a part changed; tells who stands on it.
    pub(crate) fn change(&self, kind: &str, name: &str) -> Vec<Stamper> {
        let mut state = self.lock();
        state.count += 1;
        state.changed.push_back((kind.to_owned(), name.to_owned()));
        if state.changed.len() > REMEMBERED {
            state.changed.pop_front();
        }
        drop(state);
        self.select(|uses| {
            let mut parts = uses.parts.iter();
            parts.any(|(part, named)| *part == kind && named == name)
        })
    }

    /// Those that act as an account.
    pub(crate) fn of_account(&self, namespace: &str, name: &str) -> Vec<Stamper> {
        self.select(|uses| {
            let account = uses.account.as_ref();
            account.is_some_and(|account| account.0 == namespace && account.1 == name)
        })
    }

    /// One that is gone stands on nothing.
    pub(crate) fn forget(&self, stamper: &Stamper) {
        self.lock().uses.remove(stamper);
    }

    /// Those whose account was refused something.
    pub(crate) fn refused(&self) -> Vec<Stamper> {
        self.select(|uses| uses.refused)
    }

    /// Those that want a kind that was not served.
    pub(crate) fn without_kind(&self) -> Vec<Stamper> {
        self.select(|uses| uses.kind_missing)
    }

    fn select(&self, is_wanted: impl Fn(&Uses) -> bool) -> Vec<Stamper> {
        let all = self.lock();
        let wanted = all.uses.iter().filter(|(_, uses)| is_wanted(uses));
        wanted.map(|(stamper, _)| stamper.clone()).collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("nothing panics while holding it")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::Key;
    use crate::stamping::StamperKind;

    fn runnable(name: &str) -> Stamper {
        Stamper {
            kind: StamperKind::Runnable,
            key: Key::new("dev", name),
        }
    }

    fn of_template(name: &str) -> Uses {
        Uses {
            parts: BTreeSet::from([("ClusterRunTemplate", name.to_owned())]),
            account: Some(("dev".to_owned(), format!("{name}-account"))),
            ..Uses::default()
        }
    }

    #[test]
    fn a_change_concerns_those_alone_that_stand_on_it() {
        let index = Index::default();
        for name in ["lint", "test"] {
            assert!(!index.put(&runnable(name), of_template(name), index.now()));
        }
        assert_eq!(
            index.change("ClusterRunTemplate", "test"),
            [runnable("test")]
        );
        assert_eq!(index.change("ClusterTemplate", "test"), []);
        assert_eq!(index.of_account("dev", "lint-account"), [runnable("lint")]);
        assert_eq!(index.of_account("ops", "lint-account"), []);
        index.forget(&runnable("test"));
        assert_eq!(index.change("ClusterRunTemplate", "test"), []);
    }

    #[test]
    fn what_changes_while_a_pass_is_under_way_is_not_missed() {
        let index = Index::default();
        let since = index.now();
        index.change("ClusterRunTemplate", "test");
        assert!(!index.put(&runnable("lint"), of_template("lint"), since));
        assert!(index.put(&runnable("test"), of_template("test"), since));
        assert!(!index.put(&runnable("test"), of_template("test"), index.now()));
    }
}
