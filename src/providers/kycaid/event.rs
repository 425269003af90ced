//! Typed events.

use serde::{Deserialize, Serialize};

use crate::{
    error::PayloadError,
    event::{Payload, VerifiedEvent},
    identity::{Identity, Outcome},
    json::{typed::object_of_php, unique::Fields},
    providers::typed,
};

/// The fields that decide what an event says.
const DECIDES: &[&str] = &[
    "/type",
    "/verification_id",
    "/status",
    "/verified",
    "/verifications/*/verified",
    "/verification_status",
];

pub(super) fn identity(event: &VerifiedEvent) -> Result<Option<Identity>, PayloadError> {
    let (outcome, session, form, reasons) = match Event::from_event(event)? {
        Event::Completed(read) => {
            let reasons = read.verifications.iter().flat_map(Verifications::reasons);
            let reasons = reasons.map(str::to_owned).collect();
            (read.outcome(), read.verification_id, read.form_id, reasons)
        }
        Event::StatusChanged(read) => (
            read.outcome(),
            read.verification_id,
            read.form_id,
            Vec::new(),
        ),
        Event::Other(_) => return Ok(None),
    };
    let (outcome, is_final) = outcome;
    Ok(Some(
        Identity::new(outcome, is_final)
            .with_session(session.unwrap_or_default())
            .with_level(form.unwrap_or_default())
            .with_reasons(reasons),
    ))
}

impl Completed {
    fn has_a_failed_part(&self) -> bool {
        let mut parts = self.verifications.iter().flat_map(Verifications::iter);
        parts.any(|(_, part)| part.verified == Some(Verified::Is(false)))
    }

    fn outcome(&self) -> (Outcome, bool) {
        let is_completed = self.status == Some(Status::Completed);
        match self.verified {
            None => (Outcome::Pending, false),
            Some(Verified::Is(true)) if is_completed => typed::approval(self.has_a_failed_part()),
            Some(Verified::Is(false)) if is_completed => (Outcome::Rejected, true),
            Some(Verified::Is(_) | Verified::Text(_)) => (Outcome::Other, false),
        }
    }
}

impl StatusChanged {
    fn outcome(&self) -> (Outcome, bool) {
        let outcome = match self.verification_status {
            Some(Status::Unused) => Outcome::InProgress,
            Some(Status::Pending) => Outcome::Pending,
            Some(Status::Completed) => Outcome::Undisclosed,
            _ => Outcome::Other,
        };
        (outcome, false)
    }
}

events! {
    /// An event of KYCAID. Its `Debug` shows the type, ids and statuses, and no content of
    /// [`Other`](Self::Other).
    "kycaid" read by read {
        /// A verification ended.
        Completed,
        /// A verification has another status.
        StatusChanged,
    }
    Other:
    /// An event with an undocumented type. The object has at least one field.
}

fn read(event: &VerifiedEvent) -> Result<Event, PayloadError> {
    let Kind { event_type } = event.read()?;
    match event_type {
        EventType::VerificationCompleted => {
            event.read_decided_by::<Completed>(DECIDES).map(Event::from)
        }
        EventType::VerificationStatusChanged => event
            .read_decided_by::<StatusChanged>(DECIDES)
            .map(Event::from),
        EventType::Other(_) => event.read_unknown().map(Event::Other),
    }
}

#[derive(Deserialize)]
struct Kind {
    #[serde(rename = "type")]
    event_type: EventType,
}

records! {
    /// A verification ended, which does not say that it was passed.
    Completed shows [event_type, request_id, verification_id, form_id, status, verified] {
        /// The type.
        #[serde(rename = "type")]
        event_type: EventType,
        /// The id of the event.
        request_id: Option<String>,
        /// The id of the verification.
        verification_id: Option<String>,
        /// The id of the person at KYCAID.
        applicant_id: Option<String>,
        /// The form that the person filled in.
        form_id: Option<String>,
        /// The token of the form.
        form_token: Option<String>,
        /// The status.
        status: Option<Status>,
        /// Whether the person passed.
        verified: Option<Verified>,
        /// The parts of the verification.
        #[serde(default, deserialize_with = "object_of_php")]
        verifications: Option<Verifications>,
    }

    /// A verification has another status. The event does not say whether it was passed.
    StatusChanged shows [event_type, request_id, verification_id, form_id, verification_status] {
        /// The type.
        #[serde(rename = "type")]
        event_type: EventType,
        /// The id of the event.
        request_id: Option<String>,
        /// The id of the verification.
        verification_id: Option<String>,
        /// The id of the person at KYCAID.
        applicant_id: Option<String>,
        /// The form that the person filled in.
        form_id: Option<String>,
        /// The token of the form.
        form_token: Option<String>,
        /// The new status.
        verification_status: Option<Status>,
    }

    /// One part of a verification.
    Verification shows [verified] {
        /// Whether it was passed.
        verified: Option<Verified>,
        /// What the person may read.
        comment: Option<String>,
        /// Why it was not passed, such as `EXPIRED_DOCUMENT`.
        decline_reasons: Option<Vec<String>>,
    }
}

/// The parts of a verification, by name, in the order of the body.
#[derive(Clone, PartialEq, Deserialize, Serialize)]
#[serde(transparent)]
pub struct Verifications(Fields<Part>);

#[derive(Clone, PartialEq, Deserialize, Serialize)]
#[serde(transparent)]
struct Part(#[serde(deserialize_with = "object_of_php")] Option<Verification>);

impl Verifications {
    /// The parts and their names, such as `profile`, `document`, `facial` and `address`.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Verification)> {
        let parts = self.0.iter();
        parts.filter_map(|(name, part)| Some((name, part.0.as_ref()?)))
    }

    /// The part of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Verification> {
        self.iter()
            .find(|(other, _)| *other == name)
            .map(|(_, part)| part)
    }

    fn reasons(&self) -> impl Iterator<Item = &str> {
        let reasons = self.iter().flat_map(|(_, part)| &part.decline_reasons);
        reasons.flatten().map(|reason| &**reason)
    }
}

/// Shows the names of the parts.
impl std::fmt::Debug for Verifications {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

/// Whether something was passed.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum Verified {
    /// It was passed or not.
    Is(bool),
    /// A text, which one of the vendor's pages has, and which decides nothing.
    Text(String),
}

open_enum! {
    /// What happened.
    EventType {
        /// A verification ended.
        VerificationCompleted = "VERIFICATION_COMPLETED",
        /// A verification has another status.
        VerificationStatusChanged = "VERIFICATION_STATUS_CHANGED",
    }
}

open_enum! {
    /// How far a verification is.
    Status {
        /// The person has not begun.
        Unused = "unused",
        /// The data are being checked.
        Pending = "pending",
        /// It ended, whether passed or not.
        Completed = "completed",
    }
}
