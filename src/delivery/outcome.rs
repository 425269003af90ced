//! [`DeliveryOutcome`]: the result of a delivery; [`OutagePolicy`]: the behaviour in an outage.

use std::{fmt, str::FromStr};

use crate::error::{SetupError, by_name};
#[cfg(feature = "tracing")]
use crate::limits::DELIVERY_OUTCOMES;

/// What to do with an event while the store is unavailable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OutagePolicy {
    /// Respond with 503, so that the provider retries. The default.
    #[default]
    Refuse,
    /// Run the handler, which may then see a delivery more than once.
    Allow,
}

/// The result of a delivery: a fixed vocabulary for logs and counters. `Display` prints it in snake
/// case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DeliveryOutcome {
    /// The handler succeeded, and the store has recorded that.
    New,
    /// The delivery was completed before. The response is a success, and the handler did not run.
    Done,
    /// Like `Done`, but after waiting for another request that was handling the delivery.
    Waited,
    /// Another request is still handling the delivery. The response is 503, so the provider
    /// retries.
    InProgress,
    /// The handler ran and failed, so the next attempt will be handled.
    Released,
    /// The maximum number of handlers was running. The response is 503, so the provider retries.
    Busy,
    /// The store was unavailable. [`OutagePolicy`] determines whether the handler ran.
    Outage,
    /// The handler succeeded, but the store could not record that, so a retry may be handled again.
    CompleteFailed,
}

impl DeliveryOutcome {
    /// All values of this version, in declaration order.
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

/// Parses the output of `Display`.
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
    fn every_outcome_is_listed_once_and_parses_back() {
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
