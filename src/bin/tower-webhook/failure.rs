//! How a command ends.

use std::{fmt, process::ExitCode};

/// What a command found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Good,
    /// A request is refused or not explained, or a configuration has mistakes.
    Bad,
    /// A request cannot be judged.
    Undone,
}

impl Outcome {
    pub(crate) fn good_if(condition: bool) -> Self {
        if condition { Self::Good } else { Self::Bad }
    }

    /// Good if both are.
    pub(crate) fn and(self, other: Self) -> Self {
        if self == Self::Good { other } else { self }
    }
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Good => Self::SUCCESS,
            Outcome::Bad => Self::from(1),
            Outcome::Undone => Self::from(3),
        }
    }
}

/// Why a command found nothing.
#[derive(Debug)]
pub(crate) struct Failure {
    code: u8,
    message: String,
}

pub(crate) type Result<T> = std::result::Result<T, Failure>;

impl Failure {
    /// The arguments do not fit each other, or name what is not there.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self {
            code: 2,
            message: message.into(),
        }
    }

    /// A file, the network or a secret was not to be had.
    pub(crate) fn undone(message: impl Into<String>) -> Self {
        Self {
            code: 3,
            message: message.into(),
        }
    }

    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    pub(crate) fn code(&self) -> ExitCode {
        ExitCode::from(self.code)
    }
}

/// Turns an error into a failure that names what it is about.
pub(crate) trait OrUndone<T> {
    fn or_undone(self, about: impl fmt::Display) -> Result<T>;
}

impl<T, E: fmt::Display> OrUndone<T> for std::result::Result<T, E> {
    fn or_undone(self, about: impl fmt::Display) -> Result<T> {
        self.map_err(|error| Failure::undone(format!("{about}: {error}")))
    }
}
