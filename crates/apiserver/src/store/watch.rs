//! Watches: cursors that read the history at their own pace.
//!
//! # Guarantees
//! A watcher gets every change of its objects after its start, once, in the order of revisions. One
//! that is too slow for the history is told so. Nothing is queued for a watcher: a slow or a
//! forgotten one costs a cursor, and is woken by changes of its objects alone.

use std::sync::atomic::Ordering;
use std::sync::{Arc, RwLock};

use super::record::Resource;
use super::state::{Event, Slot, State};
use super::{Expired, Scope, read, write};

/// How many changes a watcher looks at before it lets others in.
const STEP: usize = 1024;

/// A cursor over the changes of some objects.
#[derive(Debug)]
pub(crate) struct Watcher {
    state: Arc<RwLock<State>>,
    slot: Arc<Slot>,
    /// None watches everything.
    watched: Option<(Resource, Scope)>,
    /// All changes up to here were handed out.
    position: u64,
}

impl Watcher {
    pub(super) fn start(
        state: &Arc<RwLock<State>>,
        watched: Option<(Resource, Scope)>,
        from: u64,
    ) -> Result<Self, Expired> {
        let mut locked = write(state);
        let slot = match &watched {
            None => {
                let slot = Arc::clone(&locked.everything);
                Expired::check(from, slot.evicted.load(Ordering::Relaxed))?;
                slot
            }
            Some((resource, scope)) => {
                // A refused watch must leave no table behind: resources are the caller's words.
                let known = locked.tables.get(resource);
                let evicted = known.map_or(locked.forgotten, |table| table.evicted);
                Expired::check(from, evicted)?;
                let slots = &mut locked.table(resource).slots;
                // The slot starts at the table's mark, which is no less than its own would be.
                let slot = slots.entry(scope.prefix().into()).or_default();
                Arc::clone(slot)
            }
        };
        drop(locked);
        Ok(Self {
            state: Arc::clone(state),
            slot,
            watched,
            position: from,
        })
    }

    /// Up to which revision everything was handed out: what a bookmark says. It moves on with
    /// [`Watcher::try_next`] also where nothing of its objects changed.
    pub(crate) fn revision(&self) -> u64 {
        self.position
    }

    /// Appends the next changes, at most `limit` of them, without waiting. Nothing is appended
    /// where there are none yet.
    ///
    /// # Errors
    /// [`Expired`] where a change was missed. The watch is over then.
    pub(crate) fn try_next(
        &mut self,
        limit: usize,
        out: &mut Vec<Arc<Event>>,
    ) -> Result<(), Expired> {
        let wanted = out.len().saturating_add(limit);
        while out.len() < wanted && self.step(wanted, out)? {}
        Ok(())
    }

    /// Waits for the next changes and appends at least one of them, at most `limit`.
    ///
    /// # Cancellation
    /// Nothing is lost when the future is dropped.
    ///
    /// # Errors
    /// [`Expired`] where a change was missed. The watch is over then.
    pub(crate) async fn next(
        &mut self,
        limit: usize,
        out: &mut Vec<Arc<Event>>,
    ) -> Result<(), Expired> {
        let slot = Arc::clone(&self.slot);
        let before = out.len();
        loop {
            let rung = slot.bell.notified();
            tokio::pin!(rung);
            // From here on no ring is missed, so that looking comes after it.
            rung.as_mut().enable();
            self.try_next(limit.max(1), out)?;
            if out.len() > before {
                return Ok(());
            }
            rung.await;
        }
    }

    /// Looks at some changes. False once there are no more.
    fn step(&mut self, wanted: usize, out: &mut Vec<Arc<Event>>) -> Result<bool, Expired> {
        let state = read(&self.state);
        let evicted = self.slot.evicted.load(Ordering::Relaxed);
        Expired::check(self.position, evicted)?;
        let Some((resource, scope)) = &self.watched else {
            let next = self.position + 1;
            let oldest = state.events.front().map_or(next, |event| event.revision());
            let skip = usize::try_from(next.saturating_sub(oldest)).unwrap_or(usize::MAX);
            let room = wanted - out.len();
            let before = out.len();
            out.extend(state.events.iter().skip(skip).take(room).cloned());
            self.position = match out.last() {
                Some(last) if out.len() > before => last.revision(),
                _ => self.position.max(state.revision),
            };
            return Ok(false);
        };
        if let Some(table) = state.tables.get(resource) {
            let since = table.revisions.partition_point(|at| *at <= self.position);
            for at in table.revisions.iter().skip(since).take(STEP) {
                if out.len() >= wanted {
                    return Ok(false);
                }
                let event = state.event(*at);
                let event = event.filter(|event| scope.holds(event.record.key().path()));
                out.extend(event.cloned());
                self.position = *at;
            }
            if table.revisions.back().is_some_and(|at| *at > self.position) {
                return Ok(true);
            }
        }
        // A watch may start at a revision that is still to come.
        self.position = self.position.max(state.revision);
        Ok(false)
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        let Some((resource, scope)) = &self.watched else {
            return;
        };
        let mut state = write(&self.state);
        let Some(table) = state.tables.get_mut(resource) else {
            return;
        };
        // Ours and the table's: nobody else watches the same.
        if Arc::strong_count(&self.slot) == 2 {
            table.slots.remove(scope.prefix());
        }
        state.sweep(resource);
    }
}
