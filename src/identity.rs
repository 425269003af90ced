//! [`Identity`]: a provider-independent result of an identity verification.

use std::{fmt, str::FromStr, time::SystemTime};

use crate::{
    error::{PayloadError, SetupError, by_name},
    event::{Payload, VerifiedEvent},
    provider::Provider,
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
/// # What an approval is of, and since when
///
/// - [`level`](Self::level) is what was verified, in the provider's words. An approval of a phone
///   number is no identity check, so set the endpoint's parameter `level` to what you require, one
///   level or a list. An approval at another level, or at none, then reads [`Outcome::Pending`], and
///   any other decision at another level is not final.
/// - [`is_test`](Self::is_test) says that the event comes from a test environment. Such an event
///   reads [`Outcome::Other`], not final, unless the endpoint's parameter `test` is `"accept"`.
/// - [`occurred_at`](Self::occurred_at) orders events. No provider promises to deliver them in
///   order, so an older decision must not overwrite a newer one.
///
/// A decision may be repeated. [`Outcome::Rejected`] that is not final means that the person may
/// try again.
///
/// The parameters exist for the providers whose signed body states a level or a test environment;
/// an endpoint of another provider refuses them when it is built.
///
/// `VerifiedEvent<Identity>` is for an endpoint that receives no other events.
/// `VerifiedEvent<Option<Identity>>` accepts every event. It is `None`
///
/// - for an event about something else, such as a screening, a business, an age, a bank account or
///   a wallet;
/// - for an event of a kind that this version does not know. Where all events of a provider are
///   about a verification, such as Authento's, an unknown kind is [`Outcome::Other`], and not final:
///   the page of the provider says so.
///
/// A kind that the provider adds later therefore never causes a 500. An event is an error only if
/// its body contradicts its kind, if a field that decides has another type than documented, or if
/// it is not a body of the provider at all.
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
    level: Option<Box<str>>,
    is_test: Option<bool>,
    occurred_at: Option<SystemTime>,
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
    /// The verification ended without a decision (abandoned, cancelled, withdrawn, not finished in
    /// time), or its data have been deleted.
    Expired,
    /// Something was decided or changed, and the event does not say what: ask the provider's API,
    /// with [`Identity::session`]. Never final.
    Undisclosed,
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
        Self::Undisclosed,
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
            Self::Undisclosed => "undisclosed",
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
    /// Creates an identity with nothing but an outcome, for
    /// [`Provider::with_identity`](crate::Provider::with_identity).
    ///
    /// An approval that is not final becomes [`Outcome::Pending`]. [`Outcome::Pending`],
    /// [`Outcome::InProgress`] and [`Outcome::Undisclosed`] are never final.
    #[must_use]
    pub fn new(outcome: Outcome, is_final: bool) -> Self {
        let outcome = match outcome {
            Outcome::Approved if !is_final => Outcome::Pending,
            other => other,
        };
        let ended = !matches!(
            outcome,
            Outcome::Pending | Outcome::InProgress | Outcome::Undisclosed
        );
        Self {
            subject: None,
            session: None,
            outcome,
            is_final: is_final && ended,
            reasons: Vec::new(),
            level: None,
            is_test: None,
            occurred_at: None,
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

    /// Sets what was verified, in the provider's words. An empty text counts as none.
    #[must_use]
    pub fn with_level(mut self, level: impl Into<Box<str>>) -> Self {
        self.level = Some(level.into()).filter(|text| !text.is_empty());
        self
    }

    /// Sets whether the event comes from a test environment, if a signed field says so.
    #[must_use]
    pub fn with_test(mut self, is_test: impl Into<Option<bool>>) -> Self {
        self.is_test = is_test.into();
        self
    }

    /// Sets the signed time of the decision or the event.
    #[must_use]
    pub fn with_occurred_at(mut self, time: impl Into<Option<SystemTime>>) -> Self {
        self.occurred_at = time.into();
        self
    }

    /// The identity as an endpoint reads it, with its parameters `level` and `test`.
    fn at(mut self, provider: &Provider) -> Self {
        if self.is_test == Some(true) && !provider.accepts_tests() {
            self.outcome = Outcome::Other;
            self.is_final = false;
        }
        if !provider.accepts_level(self.level()) {
            if self.outcome == Outcome::Approved {
                self.outcome = Outcome::Pending;
            }
            self.is_final = false;
        }
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

    /// What was verified, in the provider's words: a level, workflow, template, flow or form.
    /// `None` if the body does not say it.
    #[must_use]
    pub fn level(&self) -> Option<&str> {
        self.level.as_deref()
    }

    /// Whether the event comes from a test environment, where a signed field says it. `None` if no
    /// field does: then nothing tells a test from a genuine verification, except a separate secret.
    #[must_use]
    pub fn is_test(&self) -> Option<bool> {
        self.is_test
    }

    /// When the decision was made, or the event happened, by the signed body. It is never the time
    /// of the attempt to deliver it, which is [`VerifiedEvent::timestamp`].
    ///
    /// Of two events about one session, the one with the later time counts. With `None`, or with
    /// equal times and different outcomes, ask the provider's API which one is right.
    #[must_use]
    pub fn occurred_at(&self) -> Option<SystemTime> {
        self.occurred_at
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
    /// kind. Of a body that is not signed as a whole, nothing is read but the session, which is not
    /// signed either, so the outcome is [`Outcome::Undisclosed`] at most: see
    /// [`coverage`](VerifiedEvent::coverage).
    fn from_event_if_any(event: &VerifiedEvent) -> Result<Option<Self>, PayloadError> {
        let provider = event.endpoint_provider();
        if event.coverage() != Coverage::Body {
            let mut places = provider.undisclosed().iter();
            let session = places.find_map(|pointer| event.reference_at(pointer));
            let undisclosed = Self::new(Outcome::Undisclosed, false);
            return Ok(session.map(|session| undisclosed.with_session(session)));
        }
        match provider.identity() {
            Some(mapping) => Ok(mapping(event)?.map(|identity| identity.at(provider))),
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
        for outcome in [Outcome::Pending, Outcome::InProgress, Outcome::Undisclosed] {
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
