//! Typed events of Stripe Identity.

use serde::Deserialize;
use serde_json::Value;

use super::session::{ErrorCode, SessionStatus, VerificationSession};
use crate::{
    error::PayloadError,
    event::VerifiedEvent,
    identity::{Identity, Outcome},
    providers::typed,
};

/// What the type of every event about a session begins with.
const FAMILY: &str = "identity.verification_session.";

const OBJECT: &str = "identity.verification_session";

/// The fields that decide what an event says.
const DECIDES: &[&str] = &[
    "/type",
    "/livemode",
    "/data/object/object",
    "/data/object/id",
    "/data/object/status",
    "/data/object/livemode",
    "/data/object/redaction",
    "/data/object/last_error/code",
    // The level is another field without it.
    "/data/object/verification_flow",
];

pub(super) fn identity(event: &VerifiedEvent) -> Result<Option<Identity>, PayloadError> {
    let Kind { event_type } = event.read()?;
    if !event_type.as_str().starts_with(FAMILY) {
        return Ok(None);
    }
    let read = session_event(event)?;
    let is_test = read.is_test();
    let is_redacted = event_type == EventType::Redacted;
    let session = read.data.object;
    let (outcome, is_final) = if is_redacted || session.redaction.is_some() {
        (Outcome::Expired, true)
    } else if session.status == SessionStatus::Verified {
        typed::approval(event_type.is_known() && event_type != EventType::Verified)
    } else {
        session.outcome()
    };
    let code = session.last_error.and_then(|error| error.code);
    let level = session
        .verification_flow
        .filter(|flow| !flow.is_empty())
        .or_else(|| session.session_type.map(|kind| kind.as_str().to_owned()));
    Ok(Some(
        Identity::new(outcome, is_final)
            .with_session(session.id)
            .with_subject(session.client_reference_id.unwrap_or_default())
            .with_level(level.unwrap_or_default())
            .with_test(is_test)
            .with_occurred_at(read.created.and_then(typed::unix_time))
            .with_reasons(code.map(|code| code.as_str().to_owned())),
    ))
}

impl VerificationSession {
    /// The outcome of a session that was neither redacted nor verified.
    fn outcome(&self) -> (Outcome, bool) {
        match self.status {
            SessionStatus::Processing => (Outcome::Pending, false),
            SessionStatus::RequiresInput => match &self.last_error {
                Some(error) if error.code != Some(ErrorCode::Abandoned) => {
                    (Outcome::Rejected, false)
                }
                _ => (Outcome::InProgress, false),
            },
            SessionStatus::Canceled => (Outcome::Expired, true),
            SessionStatus::Verified | SessionStatus::Other(_) => (Outcome::Other, false),
        }
    }
}

impl SessionEvent {
    /// Whether it is from test mode: the event or the session is not live. `None` if neither says
    /// it.
    #[must_use]
    pub fn is_test(&self) -> Option<bool> {
        match (self.livemode, self.data.object.livemode) {
            (None, None) => None,
            (Some(false), _) | (_, Some(false)) => Some(true),
            _ => Some(false),
        }
    }
}

events! {
    /// An event of Stripe. Its `Debug` shows the type, ids and statuses, and no content of
    /// [`Other`](Self::Other).
    "stripe" read by read {
        /// Something happened to a verification session of Stripe Identity.
        SessionEvent,
    }
    Other:
    /// An event of another product, or of an undocumented type. The object has at least one field.
}

fn read(event: &VerifiedEvent) -> Result<Event, PayloadError> {
    let Kind { event_type } = event.read()?;
    if !event_type.is_known() {
        return event.read_unknown().map(Event::Other);
    }
    session_event(event).map(Event::from)
}

fn session_event(event: &VerifiedEvent) -> Result<SessionEvent, PayloadError> {
    let read: SessionEvent = event.read_decided_by(DECIDES)?;
    match read.data.object.object.as_deref() {
        None | Some(OBJECT) => Ok(read),
        Some(_) => Err(PayloadError::new(
            "the event is about a verification session, and its object is none",
        )),
    }
}

#[derive(Deserialize)]
struct Kind {
    #[serde(rename = "type")]
    event_type: EventType,
}

records! {
    /// Something happened to a verification session of Stripe Identity.
    SessionEvent shows [id, event_type, created, livemode, data] {
        /// The id of the event.
        id: Option<String>,
        /// `event`.
        object: Option<String>,
        /// The version of the API.
        api_version: Option<String>,
        /// When it happened, in Unix seconds.
        created: Option<i64>,
        /// Whether the event is from live mode.
        livemode: Option<bool>,
        /// The connected account.
        account: Option<String>,
        /// The context, such as an account of an organisation.
        context: Option<String>,
        /// How many endpoints have not answered with success yet.
        pending_webhooks: Option<i64>,
        /// What caused the event.
        request: Option<RequestOfEvent>,
        /// What happened.
        #[serde(rename = "type")]
        event_type: EventType,
        /// The session.
        data: EventData,
    }

    /// What caused an event.
    RequestOfEvent shows [id] {
        /// The id of the request to the API.
        id: Option<String>,
        /// The idempotency key of the request.
        idempotency_key: Option<String>,
    }

    /// The session of an event.
    EventData shows [object] {
        /// The session as it is after the event.
        object: VerificationSession,
        /// The earlier values of what the event changed.
        previous_attributes: Option<Value>,
    }
}

open_enum! {
    /// What happened to a verification session.
    EventType {
        /// It was created.
        Created = "identity.verification_session.created",
        /// The person has submitted everything.
        Processing = "identity.verification_session.processing",
        /// The person has to act, or has failed.
        RequiresInput = "identity.verification_session.requires_input",
        /// The person passed.
        Verified = "identity.verification_session.verified",
        /// It was cancelled.
        Canceled = "identity.verification_session.canceled",
        /// Its data were deleted.
        Redacted = "identity.verification_session.redacted",
    }
}
