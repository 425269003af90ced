//! Typed events.

use serde::{Deserialize, de::IgnoredAny};
use serde_json::Value;

use super::person::{Document, Person};
use crate::{
    error::PayloadError,
    event::{Payload, VerifiedEvent},
    identity::{Identity, Outcome},
    providers::typed,
};

/// The code of an approval.
const APPROVED: i64 = 9001;

/// The fields that decide what an event says.
const DECIDES: &[&str] = &[
    "/verification/id",
    "/verification/status",
    "/id",
    "/action",
    "/feature",
];

pub(super) fn identity(event: &VerifiedEvent) -> Result<Option<Identity>, PayloadError> {
    Ok(match Event::from_event(event)? {
        Event::Decision(decision) => Some(identity_of(decision.verification)),
        Event::Progress(progress) => Some(identity_of_progress(*progress)),
        Event::Other(_) => None,
    })
}

fn identity_of(read: Verification) -> Identity {
    let (outcome, is_final) = match read.status {
        Status::Approved if read.code == Some(APPROVED) => (Outcome::Approved, true),
        Status::Approved => (Outcome::Other, false),
        Status::Declined => (Outcome::Rejected, true),
        Status::ResubmissionRequested => (Outcome::Rejected, false),
        Status::Review => (Outcome::Review, false),
        Status::Expired | Status::Abandoned => (Outcome::Expired, true),
        Status::Other(_) => (Outcome::Other, false),
    };
    let decided_at = read.decision_time.as_deref().and_then(typed::time);
    let labels = read.risk_labels.into_iter().flatten();
    let reasons = read
        .reason
        .into_iter()
        .chain(labels.filter_map(|risk| risk.label));
    Identity::new(outcome, is_final)
        .with_session(read.id)
        .with_subject(read.vendor_data.unwrap_or_default())
        .with_occurred_at(decided_at)
        .with_reasons(reasons.filter(|text| !text.is_empty()))
}

fn identity_of_progress(read: Progress) -> Identity {
    let outcome = match read.action {
        Action::Started => Outcome::InProgress,
        Action::Submitted => Outcome::Pending,
        Action::Other(_) => Outcome::Other,
    };
    Identity::new(outcome, false)
        .with_session(read.id)
        .with_subject(read.vendor_data.unwrap_or_default())
        .with_level(read.feature.unwrap_or_default())
}

events! {
    /// An event of Veriff. Its `Debug` shows ids and statuses, and no content of
    /// [`Other`](Self::Other).
    "veriff" read by read {
        /// The verification of a person has a decision.
        Decision,
        /// A person began, or has submitted everything.
        Progress,
    }
    Other:
    /// Another kind of body, such as that of a screening. The object has at least one field.
}

fn read(event: &VerifiedEvent) -> Result<Event, PayloadError> {
    event.check_unknown()?;
    let shape: Shape = event.read()?;
    if shape.verification.is_some() {
        event.read_decided_by::<Decision>(DECIDES).map(Event::from)
    } else if shape.action.is_some() && shape.feature.is_some() {
        event.read_decided_by::<Progress>(DECIDES).map(Event::from)
    } else {
        event.read_unknown().map(Event::Other)
    }
}

/// What tells the kinds of bodies apart.
#[derive(Deserialize)]
struct Shape {
    verification: Option<IgnoredAny>,
    action: Option<IgnoredAny>,
    feature: Option<IgnoredAny>,
}

records! {
    /// The verification of a person has a decision.
    #[serde(rename_all = "camelCase")]
    Decision shows [verification] {
        /// Whether the call worked; it says nothing about the person.
        status: Option<String>,
        /// The verification.
        verification: Verification,
        /// Technical data.
        technical_data: Option<TechnicalData>,
    }

    /// Technical data of a verification.
    TechnicalData shows [] {
        /// The IP address of the person.
        ip: Option<String>,
    }

    /// The verification of a person.
    #[serde(rename_all = "camelCase")]
    Verification shows [id, attempt_id, code, status, reason_code] {
        /// The id of the session.
        id: String,
        /// The id of the attempt.
        attempt_id: Option<String>,
        /// The code of the decision, which is ambiguous without the status.
        code: Option<i64>,
        /// The decision.
        status: Status,
        /// The reason for it.
        reason: Option<String>,
        /// The code of the reason.
        reason_code: Option<i64>,
        /// Comments.
        comments: Option<Vec<Value>>,
        /// Your own reference for the person.
        vendor_data: Option<String>,
        /// Your own id for the person.
        end_user_id: Option<String>,
        /// When it was decided: ISO 8601.
        decision_time: Option<String>,
        /// When the session was created: ISO 8601.
        acceptance_time: Option<String>,
        /// When the person submitted everything: ISO 8601.
        submission_time: Option<String>,
        /// The person.
        person: Option<Person>,
        /// The document.
        document: Option<Document>,
        /// What else was verified, such as the categories of a driving licence, `estimatedAge` and
        /// `estimatedGender`.
        additional_verified_data: Option<Value>,
        /// What is suspicious.
        risk_labels: Option<Vec<RiskLabel>>,
        /// The session with which the face was compared.
        biometric_authentication: Option<BiometricAuthentication>,
    }

    /// Something suspicious.
    #[serde(rename_all = "camelCase")]
    RiskLabel shows [label, category] {
        /// What it is.
        label: Option<String>,
        /// The kind of it.
        category: Option<String>,
        /// The sessions in which it was seen.
        session_ids: Option<Vec<String>>,
    }

    /// The session with which a face was compared.
    #[serde(rename_all = "camelCase")]
    BiometricAuthentication shows [matched_session_id] {
        /// The id of that session.
        matched_session_id: Option<String>,
        /// Your own reference in that session.
        matched_session_vendor_data: Option<String>,
    }

    /// A person began, or has submitted everything.
    #[serde(rename_all = "camelCase")]
    Progress shows [id, attempt_id, feature, code, action] {
        /// The id of the session.
        id: String,
        /// The id of the attempt.
        attempt_id: Option<String>,
        /// What is verified, such as `selfid`.
        feature: Option<String>,
        /// The code of the action: 7001 for started, 7002 for submitted.
        code: Option<i64>,
        /// What the person did.
        action: Action,
        /// Your own reference for the person.
        vendor_data: Option<String>,
        /// The id of an address.
        address_id: Option<String>,
    }
}

open_enum! {
    /// The decision about a verification.
    Status {
        /// The person passed.
        Approved = "approved",
        /// The person failed.
        Declined = "declined",
        /// The person may try again.
        ResubmissionRequested = "resubmission_requested",
        /// Somebody has to look at it.
        Review = "review",
        /// The session expired.
        Expired = "expired",
        /// The person did not finish.
        Abandoned = "abandoned",
    }
}

open_enum! {
    /// What a person did.
    Action {
        /// The person began.
        Started = "started",
        /// The person has submitted everything.
        Submitted = "submitted",
    }
}
