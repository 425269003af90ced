//! [`Identity`]: one reading of every identity-verification event, whoever sent it.

use std::{fmt, str::FromStr};

use crate::{
    error::{PayloadError, SetupError, by_name},
    event::{Payload, VerifiedEvent},
};

/// What an identity-verification provider says about a person, in words that are the same for all of them, so that a
/// handler stays as it is when the provider in the configuration changes.
///
/// It never says more than the provider did: only a final approval is [`Outcome::Approved`]. It is derived from what is
/// signed alone; an event-type header that is not signed changes nothing. Each provider's module has its table.
///
/// `VerifiedEvent<Identity>` is for an endpoint that gets nothing else. `VerifiedEvent<Option<Identity>>` takes every event:
/// it is `None` for those about something else, such as screenings, businesses, ages, bank accounts and wallets, and for those of a kind
/// that this version does not know (for Authento, whose events are all about a user, [`Outcome::Other`], not final). So a kind that the
/// provider adds is never a 500. An error is only a body that contradicts its own kind, and what is no body of the provider's at all.
///
/// ```
/// use std::time::SystemTime;
/// use tower_webhook::{Identity, Outcome, Secret, Verifier, providers, verify::Head};
/// # use tower_webhook::Signer;
/// # use http::Request;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let secret = Secret::new("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD");
/// let verifier = Verifier::new(providers::voveid(), secret.clone())?;
/// # let now = SystemTime::now();
/// # let body = r#"{"status":"successful","refId":"customer-7"}"#;
/// # let (head, body) = Signer::new(providers::voveid(), secret)?.sign(Request::post("/"), body)?.into_parts();
/// let event = verifier.verify(&Head::from(&head), body, now)?;
/// let identity = event.parse::<Identity>()?.into_payload();
/// assert_eq!(identity.outcome(), Outcome::Approved);
/// assert!(identity.is_final());
/// assert_eq!(identity.subject(), Some("customer-7"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    subject: Option<Box<str>>,
    session: Option<Box<str>>,
    outcome: Outcome,
    is_final: bool,
    reasons: Vec<Box<str>>,
}

/// How a verification stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// The person passed, and the provider will not take it back by itself.
    Approved,
    /// The person failed.
    Rejected,
    /// The provider is at it.
    Pending,
    /// The person is at it.
    InProgress,
    /// A human has to look at it.
    Review,
    /// The person did not finish in time, or the data are gone.
    Expired,
    /// The provider says something that has no place here. Read its own type.
    Other,
}

impl Outcome {
    /// Every value of this version, in the order of the enum.
    pub const ALL: &'static [Self] = &[
        Self::Approved,
        Self::Rejected,
        Self::Pending,
        Self::InProgress,
        Self::Review,
        Self::Expired,
        Self::Other,
    ];

    /// The name in snake case.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::Rejected => "rejected",
            Self::Pending => "pending",
            Self::InProgress => "in_progress",
            Self::Review => "review",
            Self::Expired => "expired",
            Self::Other => "other",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Reads what `Display` prints.
impl FromStr for Outcome {
    type Err = SetupError;

    fn from_str(text: &str) -> Result<Self, SetupError> {
        by_name("outcome of a verification", text, Self::ALL, Self::as_str)
    }
}

impl Identity {
    /// A reading for [`Provider::with_identity`](crate::Provider::with_identity). An approval that is not final becomes
    /// [`Outcome::Pending`].
    #[must_use]
    pub fn new(outcome: Outcome, is_final: bool) -> Self {
        let outcome = match outcome {
            Outcome::Approved if !is_final => Outcome::Pending,
            other => other,
        };
        let ended = !matches!(outcome, Outcome::Pending | Outcome::InProgress);
        Self {
            subject: None,
            session: None,
            outcome,
            is_final: is_final && ended,
            reasons: Vec::new(),
        }
    }

    /// Sets your own reference to the person. An empty one is none.
    #[must_use]
    pub fn with_subject(mut self, subject: impl Into<Box<str>>) -> Self {
        self.subject = Some(subject.into()).filter(|text| !text.is_empty());
        self
    }

    /// Sets the provider's reference to the verification. An empty one is none.
    #[must_use]
    pub fn with_session(mut self, session: impl Into<Box<str>>) -> Self {
        self.session = Some(session.into()).filter(|text| !text.is_empty());
        self
    }

    /// Sets why it stands as it does, in the provider's words.
    #[must_use]
    pub fn with_reasons<R: Into<Box<str>>>(mut self, reasons: impl IntoIterator<Item = R>) -> Self {
        self.reasons = reasons.into_iter().map(Into::into).collect();
        self
    }

    /// Your own reference to the person, if you gave the provider one.
    #[must_use]
    pub fn subject(&self) -> Option<&str> {
        self.subject.as_deref()
    }

    /// The provider's reference to the verification, if it sends one.
    #[must_use]
    pub fn session(&self) -> Option<&str> {
        self.session.as_deref()
    }

    /// How it stands.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// Whether the provider will not change the outcome by itself.
    #[must_use]
    pub fn is_final(&self) -> bool {
        self.is_final
    }

    /// Why it stands as it does, in the provider's words. Maybe none.
    pub fn reasons(&self) -> impl Iterator<Item = &str> {
        self.reasons.iter().map(|reason| &**reason)
    }
}

impl Payload for Identity {
    /// An error for an event that is not about a person's identity.
    fn from_event(event: &VerifiedEvent) -> Result<Self, PayloadError> {
        Self::from_event_if_any(event)?.ok_or_else(|| {
            PayloadError::new(
                "the event is not about an identity; take Option<Identity> to accept every event",
            )
        })
    }

    /// An error only for a body that cannot be its provider's, or contradicts its own kind.
    fn from_event_if_any(event: &VerifiedEvent) -> Result<Option<Self>, PayloadError> {
        match event.identity_mapping() {
            Some(mapping) => mapping(event),
            None => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_final_approval_is_approved() {
        assert_eq!(
            Identity::new(Outcome::Approved, true).outcome(),
            Outcome::Approved
        );
        let preliminary = Identity::new(Outcome::Approved, false);
        assert_eq!(preliminary.outcome(), Outcome::Pending);
        assert!(!preliminary.is_final());
    }

    #[test]
    fn what_goes_on_is_not_final() {
        for outcome in [Outcome::Pending, Outcome::InProgress] {
            assert!(!Identity::new(outcome, true).is_final());
        }
        for outcome in [
            Outcome::Rejected,
            Outcome::Review,
            Outcome::Expired,
            Outcome::Other,
        ] {
            assert!(Identity::new(outcome, true).is_final(), "{outcome}");
        }
    }

    #[test]
    fn every_outcome_is_listed_once_and_read_back() {
        for (place, outcome) in Outcome::ALL.iter().enumerate() {
            assert_eq!(*outcome as usize, place, "{outcome}");
            assert_eq!(outcome.to_string().parse(), Ok(*outcome));
        }
        assert_eq!(Outcome::ALL.last(), Some(&Outcome::Other));
        assert!("nothing".parse::<Outcome>().is_err());
    }
}
