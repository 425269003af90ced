//! [`Identity`]: a provider-independent result of an identity verification.

use std::{fmt, str::FromStr};

use crate::{
    error::{PayloadError, SetupError, by_name},
    event::{Payload, VerifiedEvent},
    scheme::definition::Coverage,
};

/// The result of an identity verification, in one type for all identity providers.
///
/// A handler of `Identity` stays the same when the configuration changes the provider.
///
/// It never claims more than the provider did: only a final approval is [`Outcome::Approved`]. It
/// is derived from signed data only; an unsigned event-type header does not affect it. The module
/// of each provider documents the mapping.
///
/// `VerifiedEvent<Identity>` is for an endpoint that receives no other events.
/// `VerifiedEvent<Option<Identity>>` accepts every event. It is `None`
///
/// - for an event about something else, such as a screening, a business, an age, a bank account or
///   a wallet;
/// - for an event of a kind that this version does not know. Authento is the exception: all of its
///   events are about a user, so an unknown kind is [`Outcome::Other`], and not final.
///
/// A kind that the provider adds later therefore never causes a 500. An event is an error only if
/// its body contradicts its kind, or is not a body of the provider at all.
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

/// The state of an identity verification.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// The applicant passed, and the provider will not revoke the approval automatically.
    Approved,
    /// The applicant failed.
    Rejected,
    /// The provider is processing the verification.
    Pending,
    /// The applicant has not finished.
    InProgress,
    /// The verification needs a manual review.
    Review,
    /// The applicant did not finish in time, or the data have been deleted.
    Expired,
    /// The provider reported a state that none of the others describes. Read the provider's own
    /// event type.
    Other,
}

impl Outcome {
    /// All values of this version, in declaration order.
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

/// Parses the output of `Display`.
impl FromStr for Outcome {
    type Err = SetupError;

    fn from_str(text: &str) -> Result<Self, SetupError> {
        by_name("outcome of a verification", text, Self::ALL, Self::as_str)
    }
}

impl Identity {
    /// Creates an identity without subject, session and reasons, for
    /// [`Provider::with_identity`](crate::Provider::with_identity).
    ///
    /// An approval that is not final becomes [`Outcome::Pending`]. [`Outcome::Pending`] and
    /// [`Outcome::InProgress`] are never final.
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

    /// Sets your reference for the applicant. An empty one counts as none.
    #[must_use]
    pub fn with_subject(mut self, subject: impl Into<Box<str>>) -> Self {
        self.subject = Some(subject.into()).filter(|text| !text.is_empty());
        self
    }

    /// Sets the provider's reference for the verification. An empty one counts as none.
    #[must_use]
    pub fn with_session(mut self, session: impl Into<Box<str>>) -> Self {
        self.session = Some(session.into()).filter(|text| !text.is_empty());
        self
    }

    /// Sets the reasons for the outcome, as the provider states them.
    #[must_use]
    pub fn with_reasons<R: Into<Box<str>>>(mut self, reasons: impl IntoIterator<Item = R>) -> Self {
        self.reasons = reasons.into_iter().map(Into::into).collect();
        self
    }

    /// Your reference for the applicant, if you gave the provider one.
    #[must_use]
    pub fn subject(&self) -> Option<&str> {
        self.subject.as_deref()
    }

    /// The provider's reference for the verification, if it sends one.
    #[must_use]
    pub fn session(&self) -> Option<&str> {
        self.session.as_deref()
    }

    /// The state of the verification.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// Whether the outcome is final: the provider will not change it automatically.
    #[must_use]
    pub fn is_final(&self) -> bool {
        self.is_final
    }

    /// The reasons for the outcome, as the provider states them; may be empty.
    pub fn reasons(&self) -> impl Iterator<Item = &str> {
        self.reasons.iter().map(|reason| &**reason)
    }
}

impl Payload for Identity {
    /// Returns an error for an event that is not about a person's identity.
    fn from_event(event: &VerifiedEvent) -> Result<Self, PayloadError> {
        Self::from_event_if_any(event)?.ok_or_else(|| {
            PayloadError::new(
                "the event is not about an identity; take Option<Identity> to accept every event",
            )
        })
    }

    /// Returns an error only for a body that cannot be one of the provider, or that contradicts its
    /// kind. Of a body that is not signed as a whole, nothing is read: see
    /// [`coverage`](VerifiedEvent::coverage).
    fn from_event_if_any(event: &VerifiedEvent) -> Result<Option<Self>, PayloadError> {
        if event.coverage() != Coverage::Body {
            return Ok(None);
        }
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
    fn an_ongoing_verification_is_not_final() {
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
    fn every_outcome_is_listed_once_and_parses_back() {
        for (place, outcome) in Outcome::ALL.iter().enumerate() {
            assert_eq!(*outcome as usize, place, "{outcome}");
            assert_eq!(outcome.to_string().parse(), Ok(*outcome));
        }
        assert_eq!(Outcome::ALL.last(), Some(&Outcome::Other));
        assert!("nothing".parse::<Outcome>().is_err());
    }
}
