//! Whether the API server answers this process, as the renewals of its Lease see it every few seconds.
//!
//! While it does not, nothing is delivered, and nothing that is delivered is looked after: that is said
//! once when it begins, and once when it is over.

use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use tokio::time::Instant;

use crate::error::ApiError;

/// The contact with the API server.
#[derive(Debug, Default)]
pub struct Contact(Mutex<Option<Loss>>);

/// Since when there is none, and why.
#[derive(Debug)]
struct Loss {
    since: Instant,
    why: String,
}

impl Contact {
    /// Notes that a request came to nothing.
    pub(crate) fn lost(&self, error: &ApiError) {
        let why = error.to_string();
        let mut loss = self.lock();
        if let Some(loss) = &mut *loss {
            loss.why = why;
            return;
        }
        tracing::warn!(error = %why, "out of touch with the API server: nothing is delivered or looked after until it answers: {why}");
        let since = Instant::now();
        *loss = Some(Loss { since, why });
    }

    /// Notes that the API server has answered as it should.
    pub(crate) fn made(&self) {
        if let Some(loss) = self.lock().take() {
            let seconds = loss.since.elapsed().as_secs();
            tracing::info!(
                seconds,
                "in touch with the API server again, after {seconds} s"
            );
        }
    }

    /// For how long there has been none, and why, where there is none.
    pub fn loss(&self) -> Option<(Duration, String)> {
        let loss = self.lock();
        loss.as_ref()
            .map(|loss| (loss.since.elapsed(), loss.why.clone()))
    }

    fn lock(&self) -> MutexGuard<'_, Option<Loss>> {
        self.0.lock().expect("nothing panics while holding it")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loss_lasts_from_the_first_failure_to_the_next_answer() {
        let contact = Contact::default();
        let why = |contact: &Contact| contact.loss().map(|(_, why)| why);
        assert_eq!(why(&contact), None);
        contact.lost(&ApiError::Unreachable("refused".to_owned()));
        let since = contact.lock().as_ref().map(|loss| loss.since);
        contact.lost(&ApiError::OutOfTerm);
        assert_eq!(contact.lock().as_ref().map(|loss| loss.since), since);
        assert_eq!(why(&contact).as_deref(), Some("the Lease has run out"));
        contact.made();
        assert_eq!(why(&contact), None);
    }
}
