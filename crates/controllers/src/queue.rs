//! What waits for its pass: it was asked for, and has not begun. `/metrics` shows how much that is.

use std::collections::HashSet;
use std::sync::Mutex;

use kube::Resource;
use kube::runtime::reflector::ObjectRef;

use crate::metrics::Length;

/// The objects of one kind that wait.
pub(crate) struct Queue<K: Resource<DynamicType = ()>> {
    waiting: Mutex<HashSet<ObjectRef<K>>>,
    length: Length,
}

impl<K: Resource<DynamicType = ()>> Queue<K> {
    /// Nothing waits yet.
    pub(crate) fn new(length: Length) -> Self {
        Self {
            waiting: Mutex::default(),
            length,
        }
    }

    /// A pass is asked for.
    pub(crate) fn ask(&self, object: &ObjectRef<K>) {
        self.change(|waiting| waiting.insert(object.clone()));
    }

    /// A pass begins, or the object is gone.
    pub(crate) fn leave(&self, object: &ObjectRef<K>) {
        self.change(|waiting| waiting.remove(object));
    }

    fn change(&self, change: impl FnOnce(&mut HashSet<ObjectRef<K>>) -> bool) {
        let mut waiting = self
            .waiting
            .lock()
            .expect("nothing panics while holding it");
        if change(&mut waiting) {
            self.length
                .set(i64::try_from(waiting.len()).unwrap_or(i64::MAX));
        }
    }
}
