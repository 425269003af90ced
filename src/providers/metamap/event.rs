//! Typed events.

use serde::Deserialize;
use serde_json::Value;

use crate::{
    error::PayloadError,
    event::{Payload, VerifiedEvent},
    identity::{Identity, Outcome},
    provider::parameter::SUBJECT,
    providers::typed,
};

/// Where your reference is, unless the endpoint says otherwise.
const SUBJECT_DEFAULT: &str = "/metadata/userId";

/// The fields that decide what an event says.
const DECIDES: &[&str] = &["/eventName", "/resource", "/identityStatus", "/status"];

pub(super) fn identity(event: &VerifiedEvent) -> Result<Option<Identity>, PayloadError> {
    let read = match Event::from_event(event)? {
        Event::Notification(read) => *read,
        // An event that is not known is about a verification all the same.
        Event::Other(_) => match event.read_decided_by(DECIDES) {
            Ok(read) => read,
            Err(_) => return Ok(None),
        },
    };
    let (outcome, is_final) = read.outcome();
    let pointer = event.param(SUBJECT).unwrap_or(SUBJECT_DEFAULT);
    let occurred_at = read.timestamp.as_deref().and_then(typed::time);
    let session = read.verification_id().unwrap_or_default().to_owned();
    Ok(Some(
        Identity::new(outcome, is_final)
            .with_subject(event.reference_at(pointer).unwrap_or_default())
            .with_session(session)
            .with_level(read.flow_id.unwrap_or_default())
            .with_occurred_at(occurred_at),
    ))
}

impl Notification {
    /// The id of the verification: the last segment of `resource`. Do not send a request to the
    /// rest of the address.
    #[must_use]
    pub fn verification_id(&self) -> Option<&str> {
        let path = self.resource.split(['?', '#']).next()?;
        let (_, id) = path.trim_end_matches('/').rsplit_once('/')?;
        Some(id)
    }

    fn outcome(&self) -> (Outcome, bool) {
        match self.event_name {
            EventName::VerificationCompleted | EventName::VerificationUpdated => self.verdict(),
            EventName::VerificationStarted => (Outcome::InProgress, false),
            EventName::VerificationInputsCompleted | EventName::StepCompleted => {
                (Outcome::Pending, false)
            }
            EventName::VerificationExpired => (Outcome::Expired, true),
            _ => (Outcome::Other, false),
        }
    }

    /// The outcome of a verification that ended.
    fn verdict(&self) -> (Outcome, bool) {
        let mut statuses = [&self.identity_status, &self.status].into_iter().flatten();
        let Some(status) = statuses.next() else {
            return (Outcome::Undisclosed, false);
        };
        if statuses.any(|other| other != status) {
            return (Outcome::Review, false);
        }
        match status {
            Status::Verified => (Outcome::Approved, true),
            Status::Rejected => (Outcome::Rejected, true),
            Status::ReviewNeeded => (Outcome::Review, false),
            Status::Other(_) => (Outcome::Other, false),
        }
    }
}

events! {
    /// An event of MetaMap. Its `Debug` shows the event, ids and statuses, and no content of
    /// [`Other`](Self::Other).
    "metamap" read by read {
        /// Something happened to a verification.
        Notification,
    }
    Other:
    /// An undocumented event. The object has at least one field.
}

fn read(event: &VerifiedEvent) -> Result<Event, PayloadError> {
    let Kind { event_name } = event.read()?;
    if !event_name.is_known() {
        return event.read_unknown().map(Event::Other);
    }
    event
        .read_decided_by::<Notification>(DECIDES)
        .map(Event::from)
}

#[derive(Deserialize)]
struct Kind {
    #[serde(rename = "eventName")]
    event_name: EventName,
}

records! {
    /// Something happened to a verification.
    #[serde(rename_all = "camelCase")]
    Notification shows [event_name, resource, flow_id, timestamp, identity_status, status, step] {
        /// What happened.
        event_name: EventName,
        /// The address of the verification in the API.
        resource: String,
        /// The flow of the verification.
        flow_id: Option<String>,
        /// When it happened: ISO 8601.
        timestamp: Option<String>,
        /// Your own data: an object or a text.
        metadata: Option<Value>,
        /// The device of the person.
        device_fingerprint: Option<Value>,
        /// The step that ran.
        step: Option<Step>,
        /// The result for the person.
        identity_status: Option<Status>,
        /// The result of the verification.
        status: Option<Status>,
        /// What was found.
        details: Option<Details>,
        /// The page of the person in the dashboard.
        mati_dashboard_url: Option<String>,
    }

    /// A step of a verification that ran.
    Step shows [id, status] {
        /// The kind of the step, such as `facematch`.
        id: Option<String>,
        /// Whether the step ran, as a status of HTTP. It is no result.
        status: Option<i64>,
        /// What was found.
        data: Option<Value>,
        /// Why the step failed.
        error: Option<Value>,
    }

    /// What was found.
    #[serde(rename_all = "camelCase")]
    Details shows [] {
        /// The age of the person, in `data`.
        age: Option<Value>,
        /// Whether each document has expired, in `data`.
        is_document_expired: Option<Value>,
    }
}

open_enum! {
    /// What happened to a verification.
    EventName {
        /// The person began.
        VerificationStarted = "verification_started",
        /// The person handed everything in.
        VerificationInputsCompleted = "verification_inputs_completed",
        /// A step ran.
        StepCompleted = "step_completed",
        /// The verification ended.
        VerificationCompleted = "verification_completed",
        /// The result was changed.
        VerificationUpdated = "verification_updated",
        /// The person did not finish in time.
        VerificationExpired = "verification_expired",
        /// The verification has to wait.
        VerificationPostponed = "verification_postponed",
        /// The person signed a document.
        VerificationSigned = "verification_signed",
    }
}

open_enum! {
    /// A result.
    Status {
        /// The person passed.
        Verified = "verified",
        /// The person did not pass.
        Rejected = "rejected",
        /// Somebody has to look at it.
        ReviewNeeded = "reviewNeeded",
    }
}
