//! Errors of commands: what went wrong, what to do about it, and the exit code.

use std::process::ExitCode;

use crate::output::note;

/// What kind of error ended a command; each has its exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The command did not do what it was asked for.
    Failed,
    /// The command line is wrong.
    Usage,
    /// A signal of this number ended the command.
    Interrupted(u8),
}

/// Why a command ended without success.
#[derive(Debug)]
pub(crate) struct CliError {
    kind: Kind,
    error: String,
    hints: Vec<String>,
}

impl CliError {
    /// The command did not do what it was asked for.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "an error at hand is passed as it is"
    )]
    pub(crate) fn failed(error: impl ToString) -> Self {
        Self {
            kind: Kind::Failed,
            error: error.to_string(),
            hints: Vec::new(),
        }
    }

    /// The command line is wrong.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "an error at hand is passed as it is"
    )]
    pub(crate) fn usage(error: impl ToString) -> Self {
        Self {
            kind: Kind::Usage,
            error: error.to_string(),
            hints: Vec::new(),
        }
    }

    /// A signal of this number ended the command.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "an error at hand is passed as it is"
    )]
    pub(crate) fn interrupted(signal: u8, error: impl ToString) -> Self {
        Self {
            kind: Kind::Interrupted(signal),
            error: error.to_string(),
            hints: Vec::new(),
        }
    }

    /// Adds what to do about it.
    #[must_use]
    #[expect(
        clippy::needless_pass_by_value,
        reason = "a text at hand is passed as it is"
    )]
    pub(crate) fn hint(mut self, hint: impl ToString) -> Self {
        self.hints.push(hint.to_string());
        self
    }

    pub(crate) fn print(&self) {
        note(format!("\x1b[1;31merror:\x1b[0m {}", self.error));
        for hint in &self.hints {
            note(format!("\x1b[1;36mhint:\x1b[0m {hint}"));
        }
    }

    /// 2 for a failure (1 is what `diff` says when there are differences, and `supply-chain test` when a case
    /// fails), 64 for wrong usage, and what a shell says of a program that a signal ended: 130 for Ctrl-C.
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self.kind {
            Kind::Failed => ExitCode::from(2),
            Kind::Usage => ExitCode::from(64),
            Kind::Interrupted(signal) => ExitCode::from(128_u8.saturating_add(signal)),
        }
    }
}

impl std::fmt::Display for CliError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.error)
    }
}
