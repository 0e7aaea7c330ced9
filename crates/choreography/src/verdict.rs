//! What is said about something in a condition.

use kinds::cartographer::reason::Reason;

/// The status of a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::IntoStaticStr, strum::EnumString)]
pub enum Status {
    /// It is so.
    True,
    /// It is not.
    False,
    /// Nobody can tell yet.
    Unknown,
}

impl Status {
    /// The word itself.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// The status that a condition has; whatever is neither true nor false is unknown.
    pub fn read(text: &str) -> Self {
        text.parse().unwrap_or(Self::Unknown)
    }
}

/// A condition without its type and time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The status.
    pub status: Status,
    /// One word for why.
    pub reason: String,
    /// Why, for a reader; possibly empty.
    pub message: String,
}

impl Verdict {
    /// A verdict with a reason of the closed list.
    pub fn new(status: Status, reason: Reason, message: impl Into<String>) -> Self {
        Self {
            status,
            reason: reason.as_str().to_owned(),
            message: message.into(),
        }
    }

    /// That all is well, which needs no message.
    pub fn good(reason: Reason) -> Self {
        Self::new(Status::True, reason, "")
    }
}
