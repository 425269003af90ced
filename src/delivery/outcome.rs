//! [`DeliveryOutcome`]: how a delivery ended; [`OutagePolicy`]: what becomes of one that cannot be looked up.

use std::{fmt, str::FromStr};

use crate::error::{SetupError, by_name};
#[cfg(feature = "tracing")]
use crate::limits::DELIVERY_OUTCOMES;

/// What to do with an event while the store cannot be asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OutagePolicy {
    /// Answer 503, so that the provider sends the event again. The default.
    #[default]
    Refuse,
    /// Hand the event to the handler, which may then see a delivery more than once.
    Allow,
}

/// How a delivery ended: a fixed vocabulary for logs and counters. `Display` prints it in snake case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DeliveryOutcome {
    /// The handler saw it, answered with success, and that is remembered.
    New,
    /// It was handled before. The provider is told so with success; the handler did not see it.
    Done,
    /// As `Done`, after a wait for another request that was handling it.
    Waited,
    /// Another request is still handling it. The provider is asked to send it again.
    InProgress,
    /// The handler saw it and failed, so that the next attempt is handled.
    Released,
    /// As many handlers as are allowed were running. The provider is asked to send it again.
    Busy,
    /// The store could not be asked. [`OutagePolicy`] says what became of it.
    Outage,
    /// The handler answered with success, and the store could not take that down: another attempt may be handled.
    CompleteFailed,
}

impl DeliveryOutcome {
    /// Every value of this version, in the order of the enum.
    pub const ALL: &'static [Self] = &[
        Self::New,
        Self::Done,
        Self::Waited,
        Self::InProgress,
        Self::Released,
        Self::Busy,
        Self::Outage,
        Self::CompleteFailed,
    ];

    /// The name in snake case, for counters and logs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Done => "done",
            Self::Waited => "waited",
            Self::InProgress => "in_progress",
            Self::Released => "released",
            Self::Busy => "busy",
            Self::Outage => "outage",
            Self::CompleteFailed => "complete_failed",
        }
    }
}

#[cfg(feature = "tracing")]
const _: () = assert!(DeliveryOutcome::CompleteFailed as usize + 1 == DELIVERY_OUTCOMES);

impl fmt::Display for DeliveryOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Reads what `Display` prints.
impl FromStr for DeliveryOutcome {
    type Err = SetupError;

    fn from_str(text: &str) -> Result<Self, SetupError> {
        by_name("outcome of a delivery", text, Self::ALL, Self::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_outcome_is_listed_once_and_read_back() {
        for (place, outcome) in DeliveryOutcome::ALL.iter().enumerate() {
            assert_eq!(*outcome as usize, place, "{outcome}");
            assert_eq!(outcome.to_string().parse(), Ok(*outcome));
        }
        assert_eq!(
            DeliveryOutcome::ALL.last(),
            Some(&DeliveryOutcome::CompleteFailed)
        );
        assert!("nothing".parse::<DeliveryOutcome>().is_err());
    }
}
