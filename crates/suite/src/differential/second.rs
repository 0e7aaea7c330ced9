//! Seconds. Servers note the second in which owners of fields wrote, and put them into that order, in which
//! they also tell whether anything has changed. So that this is not chance, and another one on each server,
//! each write is begun and answered within one second on both.

use std::time::Duration;

use jiff::Timestamp;

/// A request was begun in one second and answered in another.
#[derive(Debug)]
pub(super) struct Missed;

/// A second that has begun.
#[derive(Debug)]
pub(super) struct Second(i64);

/// So much of a second has to be left for a request.
const ENOUGH: Duration = Duration::from_millis(400);

/// Waits until enough of a second is left.
pub(super) async fn with_enough_left() -> Second {
    let now = Timestamp::now();
    let gone = Duration::from_nanos(now.subsec_nanosecond().unsigned_abs().into());
    let left = Duration::from_secs(1).saturating_sub(gone);
    if left > ENOUGH {
        return Second(now.as_second());
    }
    tokio::time::sleep(left + Duration::from_millis(1)).await;
    Second(Timestamp::now().as_second())
}

impl Second {
    /// Whether it has not ended.
    pub(super) fn is_still(&self) -> Result<(), Missed> {
        if Timestamp::now().as_second() == self.0 {
            Ok(())
        } else {
            Err(Missed)
        }
    }
}
