//! What a command is at, as one line on a terminal's standard error that goes away at the end.

use std::io::IsTerminal as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::task::JoinHandle;

use crate::output::erasable;

/// How long nothing is shown: what is quick needs no word.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often the line is drawn anew.
const REDRAW: Duration = Duration::from_millis(200);

/// One line of progress. It is cleared when this value goes.
#[must_use]
pub(crate) struct Progress {
    text: Arc<Mutex<String>>,
    drawing: Option<JoinHandle<()>>,
}

impl Progress {
    /// Begins with what is done first. Without a terminal nothing is ever shown.
    pub(crate) fn start(text: impl Into<String>) -> Self {
        let text = Arc::new(Mutex::new(text.into()));
        let drawing = std::io::stderr()
            .is_terminal()
            .then(|| tokio::spawn(draw(text.clone())));
        Self { text, drawing }
    }

    /// Tells what is done now.
    pub(crate) fn say(&self, text: impl Into<String>) {
        *self.text.lock().unwrap_or_else(PoisonError::into_inner) = text.into();
    }
}

async fn draw(text: Arc<Mutex<String>>) {
    tokio::time::sleep(PATIENCE).await;
    let mut drawn = String::new();
    loop {
        // Cloned: the lock is not held while the terminal takes its time.
        let now = text.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if now != drawn {
            erasable(&now);
            drawn = now;
        }
        tokio::time::sleep(REDRAW).await;
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(drawing) = self.drawing.take() {
            drawing.abort();
            erasable("");
        }
    }
}
