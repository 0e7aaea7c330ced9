//! How often objects had to be put right lately. Drift is put right at once; where somebody undoes
//! every repair, the next ones wait longer and longer, and what runs says who does so.

use std::collections::BTreeMap;
use std::time::Duration;

use manifest::ObjectId;
use tokio::time::Instant;

use crate::halt::backoff;

/// How many repairs of one object come at once: more than anybody makes necessary by hand.
const AT_ONCE: u32 = 10;
/// How long a repair has to hold after its pause until the ones before are forgotten.
const HELD: Duration = Duration::from_mins(1);

/// The repairs of one Shipment's objects.
#[derive(Debug, Default)]
pub struct Repairs(BTreeMap<ObjectId, Repaired>);

#[derive(Debug)]
struct Repaired {
    times: u32,
    /// Until when the object is left as it is.
    rests_until: Instant,
    /// What was done to it each time, and by whom.
    undone_by: String,
}

impl Repaired {
    fn does_not_hold(&self) -> bool {
        self.times > AT_ONCE
    }

    fn forgotten_at(&self) -> Instant {
        self.rests_until + HELD
    }
}

impl Repairs {
    /// Notes a repair, whatever came of it, and what had been done to the object. Tells whether the
    /// repairs do not hold.
    pub fn note(&mut self, id: &ObjectId, undone_by: String, now: Instant) -> bool {
        let repaired = self.0.entry(id.clone()).or_insert_with(|| Repaired {
            times: 0,
            rests_until: now,
            undone_by: String::new(),
        });
        repaired.times = repaired.times.saturating_add(1);
        repaired.undone_by = undone_by;
        let pause = match repaired.times.checked_sub(AT_ONCE + 1) {
            Some(more) => backoff(more),
            None => Duration::ZERO,
        };
        repaired.rests_until = now + pause;
        repaired.does_not_hold()
    }

    /// The objects that are left as they are for now.
    pub fn resting(&self, now: Instant) -> impl Iterator<Item = &ObjectId> {
        let resting = self.0.iter().filter(move |(_, it)| now < it.rests_until);
        resting.map(|(id, _)| id)
    }

    /// Forgets what has held for a while.
    pub fn forget_held(&mut self, now: Instant) {
        self.0.retain(|_, repaired| now < repaired.forgotten_at());
    }

    /// Forgets everything: somebody has changed what is wanted.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// When there is something to repair or to forget.
    pub fn next(&self, now: Instant) -> Option<Instant> {
        let undone = self.0.values().filter(|repaired| repaired.does_not_hold());
        undone
            .map(|repaired| match repaired.rests_until {
                rests_until if now < rests_until => rests_until,
                _ => repaired.forgotten_at(),
            })
            .min()
    }

    /// The objects whose repairs do not hold, and what is done to them.
    pub fn undone(&self) -> Vec<(ObjectId, String)> {
        let undone = self.0.iter().filter(|(_, it)| it.does_not_hold());
        undone
            .map(|(id, it)| (id.clone(), it.undone_by.clone()))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(name: &str) -> ObjectId {
        ObjectId {
            group: String::new(),
            kind: "ConfigMap".to_owned(),
            namespace: Some("shop".to_owned()),
            name: name.to_owned(),
        }
    }

    /// The pauses after so many repairs, each of which is undone at once.
    fn pauses(times: usize) -> Vec<u64> {
        let mut repairs = Repairs::default();
        let mut now = Instant::now();
        let mut pauses = Vec::new();
        for _ in 0..times {
            repairs.note(&id("a"), String::new(), now);
            let mut pause = 0;
            while repairs.resting(now + Duration::from_secs(pause)).count() > 0 {
                pause += 1;
            }
            now += Duration::from_secs(pause);
            repairs.forget_held(now);
            pauses.push(pause);
        }
        pauses
    }

    #[test]
    fn the_first_repairs_come_at_once_and_the_next_wait_up_to_five_minutes() {
        let pauses = pauses(22);
        assert_eq!(pauses[..10], [0; 10]);
        assert_eq!(pauses[10..15], [1, 2, 4, 8, 16]);
        assert_eq!(pauses[20..], [300, 300]);
    }

    #[test]
    fn a_repair_that_holds_is_forgotten() {
        let mut repairs = Repairs::default();
        let now = Instant::now();
        for _ in 0..AT_ONCE {
            assert!(!repairs.note(&id("a"), "by hand".to_owned(), now));
        }
        assert_eq!(repairs.next(now), None);
        assert!(repairs.note(&id("a"), "by hand".to_owned(), now));
        assert_eq!(repairs.resting(now).collect::<Vec<_>>(), [&id("a")]);
        assert_eq!(repairs.undone(), [(id("a"), "by hand".to_owned())]);
        let first = repairs.next(now).expect("it rests");
        assert_eq!(first, now + Duration::from_secs(1));
        let last = repairs.next(first).expect("it has to hold");
        repairs.forget_held(last);
        assert_eq!((repairs.undone(), repairs.next(last)), (Vec::new(), None));
    }
}
