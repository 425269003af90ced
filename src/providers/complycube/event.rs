//! Typed events.

use serde::Deserialize;

use crate::{
    error::PayloadError,
    event::{Payload, VerifiedEvent},
    identity::{Identity, Outcome},
    providers::typed,
};

/// The fields that decide what an event says.
const DECIDES: &[&str] = &[
    "/type",
    "/payload/id",
    "/payload/status",
    "/payload/outcome",
];

pub(super) fn identity(event: &VerifiedEvent) -> Result<Option<Identity>, PayloadError> {
    let read = match Event::from_event(event)? {
        Event::Notification(read) => *read,
        Event::Other(_) => {
            let Kind { event_type } = event.read()?;
            if !event_type.is_of_session() && !event_type.is_of_check() {
                return Ok(None);
            }
            event.read_decided_by::<Notification>(DECIDES)?
        }
    };
    let (outcome, is_final) = match &read.event_type {
        EventType::SessionStarted => (Outcome::InProgress, false),
        EventType::SessionProcessing => (Outcome::Pending, false),
        EventType::SessionCompleted | EventType::SessionUpdated => read.payload.session_outcome(),
        EventType::SessionAbandoned | EventType::SessionCancelled => (Outcome::Expired, true),
        EventType::CheckPending => (Outcome::Pending, false),
        other if other.is_of_session() => (Outcome::Other, false),
        other if other.is_of_check() => (Outcome::Undisclosed, false),
        _ => return Ok(None),
    };
    let created_at = read.created_at.as_deref();
    Ok(Some(
        Identity::new(outcome, is_final)
            .with_session(read.payload.id)
            .with_occurred_at(created_at.and_then(typed::time)),
    ))
}

impl Resource {
    /// The outcome of a workflow session.
    fn session_outcome(&self) -> (Outcome, bool) {
        let is_complete = self.status == Some(Status::Complete);
        match &self.outcome {
            None => (Outcome::Undisclosed, false),
            Some(CheckOutcome::Clear) if is_complete => (Outcome::Approved, true),
            Some(CheckOutcome::Rejected) if is_complete => (Outcome::Rejected, true),
            Some(CheckOutcome::Attention) if is_complete => (Outcome::Review, false),
            Some(_) => (Outcome::Other, false),
        }
    }
}

events! {
    /// An event of ComplyCube. Its `Debug` shows the type, ids and statuses, and no content of
    /// [`Other`](Self::Other).
    "complycube" read by read {
        /// Something happened to a resource.
        Notification,
    }
    Other:
    /// An event with an undocumented type. The object has at least one field.
}

fn read(event: &VerifiedEvent) -> Result<Event, PayloadError> {
    let Kind { event_type } = event.read()?;
    if !event_type.has_known_resource() {
        return event.read_unknown().map(Event::Other);
    }
    event
        .read_decided_by::<Notification>(DECIDES)
        .map(Event::from)
}

#[derive(Deserialize)]
struct Kind {
    #[serde(rename = "type")]
    event_type: EventType,
}

records! {
    /// Something happened to a resource.
    #[serde(rename_all = "camelCase")]
    Notification shows [id, event_type, resource_type, payload] {
        /// The id of the event.
        id: String,
        /// What happened.
        #[serde(rename = "type")]
        event_type: EventType,
        /// The kind of the resource.
        resource_type: Option<String>,
        /// The resource.
        payload: Resource,
        /// When the event happened: ISO 8601.
        created_at: Option<String>,
    }

    /// The resource that something happened to.
    #[serde(rename_all = "camelCase")]
    Resource shows [id, status, outcome] {
        /// The id of the resource.
        id: String,
        /// How far it is.
        status: Option<Status>,
        /// What it ended with.
        outcome: Option<CheckOutcome>,
        /// When the resource was created: ISO 8601.
        created_at: Option<String>,
        /// When the resource was changed last: ISO 8601.
        updated_at: Option<String>,
    }
}

open_enum! {
    /// What happened to which kind of resource.
    EventType {
        /// A workflow session began.
        SessionStarted = "workflow.session.started",
        /// The data of a workflow session are being checked.
        SessionProcessing = "workflow.session.processing",
        /// A workflow session ended.
        SessionCompleted = "workflow.session.completed",
        /// A workflow session was changed.
        SessionUpdated = "workflow.session.updated",
        /// The person did not finish a workflow session.
        SessionAbandoned = "workflow.session.abandoned",
        /// A workflow session was cancelled.
        SessionCancelled = "workflow.session.cancelled",
        /// A check waits for its result.
        CheckPending = "check.pending",
        /// A check ended.
        CheckCompleted = "check.completed",
        /// A check ended without a finding.
        CheckCompletedClear = "check.completed.clear",
        /// A check ended with a finding to look at.
        CheckCompletedAttention = "check.completed.attention",
        /// A check ended with a rejection.
        CheckCompletedRejected = "check.completed.rejected",
        /// A match of a screening was confirmed.
        CheckCompletedMatchConfirmed = "check.completed.match_confirmed",
        /// The monitoring of a person has a finding.
        CheckMonitoringAttention = "check.monitoring.attention",
        /// A check failed with an error.
        CheckFailed = "check.failed",
        /// A check was changed.
        CheckUpdated = "check.updated",
    }
}

impl EventType {
    fn is_of_session(&self) -> bool {
        self.as_str().starts_with("workflow.session.")
    }

    fn is_of_check(&self) -> bool {
        self.as_str().starts_with("check.")
    }

    /// Whether the type is documented, or one of a family of which only the beginning is.
    fn has_known_resource(&self) -> bool {
        const FAMILIES: [&str; 3] = ["client.", "document.", "address."];
        let name = self.as_str();
        self.is_known() || FAMILIES.iter().any(|family| name.starts_with(family))
    }
}

open_enum! {
    /// How far a workflow session or a check is.
    Status {
        /// A workflow session began.
        Started = "started",
        /// The data are being checked.
        Processing = "processing",
        /// It ended.
        Complete = "complete",
        /// The person did not finish.
        Abandoned = "abandoned",
        /// It was cancelled.
        Cancelled = "cancelled",
        /// A check waits for its result.
        Pending = "pending",
        /// A check failed with an error.
        Failed = "failed",
    }
}

open_enum! {
    /// What a workflow session or a check ended with.
    CheckOutcome {
        /// Nothing was found.
        Clear = "clear",
        /// Something was found that somebody has to look at.
        Attention = "attention",
        /// The person was rejected.
        Rejected = "rejected",
        /// A match of a screening was confirmed.
        MatchConfirmed = "match_confirmed",
        /// It was not checked.
        NotProcessed = "not_processed",
    }
}
