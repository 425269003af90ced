//! Typed events.

use std::time::SystemTime;

use serde::Deserialize;
use serde_json::Value;

use super::kinds::{Answer, ApplicantType, EventType, EventType::*, RejectType, ReviewStatus};
use crate::{
    error::PayloadError,
    event::{Payload, VerifiedEvent},
    identity::{Identity, Outcome},
    providers::typed,
};

/// The fields that decide what an event says.
const DECIDES: &[&str] = &[
    "/type",
    "/applicantId",
    "/applicantType",
    "/applicantActionId",
    "/sandboxMode",
    "/reviewStatus",
    "/reviewResult/reviewAnswer",
    "/reviewResult/reviewRejectType",
    "/reviewResult/rejectLabels",
];

pub(super) fn identity(event: &VerifiedEvent) -> Result<Option<Identity>, PayloadError> {
    let read = match Event::from_event(event)? {
        Event::Notification(read) => *read,
        Event::Other(_) => match unknown(event) {
            Some(unknown) => unknown,
            None => return Ok(None),
        },
    };
    if !read.is_about_a_person() {
        return Ok(None);
    }
    let (outcome, is_final) = match read.applicant_type {
        None | Some(ApplicantType::Individual) => read.outcome(),
        Some(_) => (Outcome::Other, false),
    };
    let occurred_at = read.occurred_at();
    let labels = read.review_result.and_then(|result| result.reject_labels);
    Ok(Some(
        Identity::new(outcome, is_final)
            .with_subject(read.external_user_id.unwrap_or_default())
            .with_session(read.applicant_id.unwrap_or_default())
            .with_level(read.level_name.unwrap_or_default())
            .with_test(read.sandbox_mode)
            .with_occurred_at(occurred_at)
            .with_reasons(labels.unwrap_or_default()),
    ))
}

impl ReviewResult {
    /// Whether there is anything that belongs to a rejection.
    fn rejects(&self) -> bool {
        let labels = self.reject_labels.as_ref();
        self.review_reject_type.is_some() || labels.is_some_and(|labels| !labels.is_empty())
    }
}

impl Notification {
    fn is_about_a_person(&self) -> bool {
        self.event_type.is_about_an_applicant()
            && self.applicant_action_id.is_none()
            && self.applicant_type != Some(ApplicantType::Company)
    }

    /// The outcome of an event about a person.
    fn outcome(&self) -> (Outcome, bool) {
        match self.event_type {
            ApplicantReviewed if self.review_status == Some(ReviewStatus::OnHold) => {
                (Outcome::Review, false)
            }
            ApplicantReviewed | ApplicantWorkflowCompleted | ApplicantWorkflowFailed => {
                self.verdict()
            }
            ApplicantOnHold => (Outcome::Review, false),
            ApplicantPending | ApplicantPrechecked | ApplicantAwaitingService => {
                (Outcome::Pending, false)
            }
            ApplicantCreated | ApplicantReset | ApplicantLevelChanged | ApplicantAwaitingUser => {
                (Outcome::InProgress, false)
            }
            ApplicantDeleted | ApplicantPersonalDataDeleted => (Outcome::Expired, true),
            _ => (Outcome::Other, false),
        }
    }

    /// The outcome of a review that ended.
    fn verdict(&self) -> (Outcome, bool) {
        let result = self.review_result.as_ref();
        if self.review_status != Some(ReviewStatus::Completed) {
            return (Outcome::Other, false);
        }
        match result.and_then(|result| result.review_answer.as_ref()) {
            Some(Answer::Green) if self.event_type != ApplicantWorkflowFailed => {
                typed::approval(result.is_some_and(ReviewResult::rejects))
            }
            Some(Answer::Red) => {
                let kind = result.and_then(|result| result.review_reject_type.as_ref());
                (Outcome::Rejected, kind == Some(&RejectType::Final))
            }
            _ => (Outcome::Other, false),
        }
    }

    /// When the event happened, by `createdAtMs`, or else by `createdAt`.
    #[must_use]
    pub fn occurred_at(&self) -> Option<SystemTime> {
        let exact = self.created_at_ms.as_deref().and_then(typed::time);
        exact.or_else(|| typed::time_with_zone(self.created_at.as_deref()?))
    }
}

events! {
    /// An event of Sumsub. Its `Debug` shows the type, ids and statuses, and no content of
    /// [`Other`](Self::Other).
    "sumsub" read by read {
        /// Something happened to an applicant, an action, a transaction or a case.
        Notification,
    }
    Other:
    /// An event with an undocumented type. The object has at least one field.
}

fn read(event: &VerifiedEvent) -> Result<Event, PayloadError> {
    let Kind { event_type } = event.read()?;
    if !event_type.is_known() {
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

/// An event with an undocumented type, if it is about an applicant and its fields have the types of
/// others.
fn unknown(event: &VerifiedEvent) -> Option<Notification> {
    let read: Notification = event.read_decided_by(DECIDES).ok()?;
    read.applicant_id.is_some().then_some(read)
}

records! {
    /// Something happened to an applicant, an action, a transaction or a case. Which fields are
    /// there depends on the type.
    #[serde(rename_all = "camelCase")]
    Notification shows [event_type, applicant_id, correlation_id, level_name, sandbox_mode, review_status, review_result] {
        /// What happened.
        #[serde(rename = "type")]
        event_type: EventType,
        /// The id of the applicant.
        applicant_id: Option<String>,
        /// The id of the inspection.
        inspection_id: Option<String>,
        /// Your own reference for the applicant.
        external_user_id: Option<String>,
        /// What is verified.
        level_name: Option<String>,
        /// What was verified before.
        previous_level_name: Option<String>,
        /// Whether the applicant is a person.
        applicant_type: Option<ApplicantType>,
        /// The id of the event.
        correlation_id: Option<String>,
        /// Whether the event comes from the sandbox.
        sandbox_mode: Option<bool>,
        /// How far the review is.
        review_status: Option<ReviewStatus>,
        /// What the review found. Some events that are no verdict have one, too.
        review_result: Option<ReviewResult>,
        /// When the event happened, as `2026-11-18 11:06:39+0000`.
        created_at: Option<String>,
        /// When the event happened in UTC, as `2026-11-18 11:06:39.481`.
        created_at_ms: Option<String>,
        /// Your own id at Sumsub.
        client_id: Option<String>,
        /// How the review is done, such as `alwaysRecheck`.
        review_mode: Option<String>,
        /// The companies that the applicant belongs to: a list of objects or of texts.
        applicant_member_of: Option<Value>,
        /// The id of an action.
        applicant_action_id: Option<String>,
        /// Your own reference for an action.
        external_applicant_action_id: Option<String>,
        /// How far a video call is.
        video_ident_review_status: Option<String>,
        /// The id of the recording of a video call.
        composition_media_id: Option<String>,
        /// The id of a transaction.
        kyt_txn_id: Option<String>,
        /// Your own id for a transaction.
        kyt_data_txn_id: Option<String>,
        /// The kind of a transaction.
        kyt_txn_type: Option<String>,
        /// The id of a case.
        kyt_case_id: Option<String>,
    }

    /// What a review found.
    #[serde(rename_all = "camelCase")]
    ReviewResult shows [review_answer, reject_labels, review_reject_type] {
        /// The answer.
        review_answer: Option<Answer>,
        /// The reasons for a rejection.
        reject_labels: Option<Vec<String>>,
        /// Whether the person may try again.
        review_reject_type: Option<RejectType>,
        /// What the person may read.
        moderation_comment: Option<String>,
        /// What only you may read; it may hold private notes.
        client_comment: Option<String>,
        /// The reasons, as the reviewer chose them.
        button_ids: Option<Vec<String>>,
    }
}
