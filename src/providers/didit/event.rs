//! Typed events.

use serde::Deserialize;
use serde_json::Value;

use super::{
    decision::Decision,
    kinds::{Environment, SessionKind, Status, WebhookType},
};
use crate::{
    error::PayloadError,
    event::{Payload, VerifiedEvent},
    identity::{Identity, Outcome},
    providers::typed,
};

/// The fields that decide what an event says.
const DECIDES: &[&str] = &[
    "/webhook_type",
    "/environment",
    "/session_id",
    "/session_kind",
    "/business_session_id",
    "/vendor_business_id",
    "/status",
    "/workflow_id",
    "/vendor_data",
    "/decision/environment",
    "/decision/session_id",
    "/decision/session_kind",
    "/decision/status",
    "/decision/workflow_id",
    "/decision/vendor_data",
];

pub(super) fn identity(event: &VerifiedEvent) -> Result<Option<Identity>, PayloadError> {
    let Event::Notification(read) = Event::from_event(event)? else {
        return Ok(None);
    };
    if !read.webhook_type.is_about_a_session() || !read.is_about_a_person() {
        return Ok(None);
    }
    let (outcome, is_final) = read.outcome();
    // The scheme accepts a number that is written as a text, too.
    let seconds = event.reference_at("/timestamp");
    let seconds = seconds.and_then(|seconds| seconds.parse().ok());
    let is_test = read.environment().map(|name| *name != Environment::Live);
    let decision = read.decision.as_ref();
    let risks: Vec<String> = decision.map(Decision::risks).unwrap_or_default();
    Ok(Some(
        Identity::new(outcome, is_final)
            .with_subject(read.vendor_data.unwrap_or_default())
            .with_session(read.session_id.unwrap_or_default())
            .with_level(read.workflow_id.unwrap_or_default())
            .with_test(is_test)
            .with_occurred_at(seconds.and_then(typed::unix_time))
            .with_reasons(risks),
    ))
}

impl Notification {
    /// Whether nothing says that the session is another's than a person's.
    fn is_about_a_person(&self) -> bool {
        let of_decision = self
            .decision
            .as_ref()
            .and_then(|decision| decision.session_kind.as_ref());
        let mut kinds = [self.session_kind.as_ref(), of_decision]
            .into_iter()
            .flatten();
        kinds.all(|kind| *kind == SessionKind::User)
            && self.business_session_id.is_none()
            && self.vendor_business_id.is_none()
    }

    /// The environment, by the event or else by the decision in it; if they differ, the one that is
    /// not live.
    fn environment(&self) -> Option<&Environment> {
        let of_decision = self
            .decision
            .as_ref()
            .and_then(|decision| decision.environment.as_ref());
        let all = [self.environment.as_ref(), of_decision];
        let mut all = all.into_iter().flatten();
        let first = all.next()?;
        match all.next() {
            Some(second) if *first == Environment::Live => Some(second),
            _ => Some(first),
        }
    }

    /// Whether the decision names another session, workflow or person than the event does.
    fn is_of_another_session(&self) -> bool {
        self.decision.as_ref().is_some_and(|decision| {
            let pairs = [
                (&self.session_id, &decision.session_id),
                (&self.workflow_id, &decision.workflow_id),
                (&self.vendor_data, &decision.vendor_data),
            ];
            let mut pairs = pairs.into_iter();
            pairs.any(|(one, other)| typed::differ(one.as_deref(), other.as_deref()))
        })
    }

    /// The outcome of a session.
    fn outcome(&self) -> (Outcome, bool) {
        let of_decision = self
            .decision
            .as_ref()
            .and_then(|decision| decision.status.as_ref());
        match &self.status {
            Some(Status::Approved) => {
                let is_other = of_decision.is_some_and(|status| *status != Status::Approved);
                typed::approval(is_other || self.is_of_another_session())
            }
            Some(Status::Declined) => (Outcome::Rejected, true),
            Some(Status::InReview) => (Outcome::Review, false),
            Some(
                Status::NotStarted
                | Status::InProgress
                | Status::AwaitingUser
                | Status::Resubmitted,
            ) => (Outcome::InProgress, false),
            Some(Status::Abandoned | Status::Expired | Status::KycExpired) => {
                (Outcome::Expired, true)
            }
            _ => (Outcome::Other, false),
        }
    }
}

events! {
    /// An event of Didit. Its `Debug` shows the type, ids and statuses, and no content of
    /// [`Other`](Self::Other).
    "didit" or "didit-raw" or "didit-v2" read by read {
        /// Something happened to a session, a user, a business, an activity or a transaction.
        Notification,
    }
    Other:
    /// An event with an undocumented type. The object has at least one field.
}

fn read(event: &VerifiedEvent) -> Result<Event, PayloadError> {
    let Kind { webhook_type } = event.read()?;
    if !webhook_type.is_known() {
        return event.read_unknown().map(Event::Other);
    }
    let read: Notification = event.read_decided_by(DECIDES)?;
    let names_a_session = read.session_id.is_some() || read.business_session_id.is_some();
    if webhook_type.is_about_a_session() && !names_a_session {
        return Err(PayloadError::new("the field `session_id` is missing"));
    }
    Ok(read.into())
}

#[derive(Deserialize)]
struct Kind {
    webhook_type: WebhookType,
}

records! {
    /// Something happened. Which fields are there depends on the type.
    Notification shows [
        event_id, webhook_type, timestamp, environment, session_id, session_kind, status, workflow_id,
        decision,
    ] {
        /// The id of the event.
        event_id: Option<String>,
        /// What happened.
        webhook_type: WebhookType,
        /// When the event was sent, in seconds since 1970.
        timestamp: Option<i64>,
        /// When the object was created, in seconds since 1970.
        created_at: Option<i64>,
        /// The id of your application at Didit.
        application_id: Option<String>,
        /// Whether it is a test.
        environment: Option<Environment>,
        /// The session.
        session_id: Option<String>,
        /// Whom the session is about.
        session_kind: Option<SessionKind>,
        /// The session of a business.
        business_session_id: Option<String>,
        /// Your own reference for a business.
        vendor_business_id: Option<String>,
        /// The new status.
        status: Option<Status>,
        /// The status before.
        previous_status: Option<Status>,
        /// What was changed.
        changed_fields: Option<Value>,
        /// The workflow of the session.
        workflow_id: Option<String>,
        /// The version of the workflow.
        workflow_version: Option<i64>,
        /// Your own reference for the person.
        vendor_data: Option<String>,
        /// Your own data.
        metadata: Option<Value>,
        /// The decision, with everything that was checked.
        decision: Option<Decision>,
        /// What the person has to hand in again.
        resubmit_info: Option<ResubmitInfo>,
    }

    /// What a person has to hand in again.
    ResubmitInfo shows [] {
        /// The modules to repeat.
        nodes_to_resubmit: Option<Value>,
        /// The reasons by module.
        reasons: Option<Value>,
    }
}
