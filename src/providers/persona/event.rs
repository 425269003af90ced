//! Typed events.

use serde::Deserialize;
use serde_json::Value;

use super::inquiry::{Inquiry, InquiryStatus, Reference};
use crate::{
    error::PayloadError,
    event::VerifiedEvent,
    identity::{Identity, Outcome},
    providers::{persona::COMPLETED, typed},
};

/// What the names of the events of an inquiry begin with.
const INQUIRY: &str = "inquiry.";

/// What the names of the events of other objects begin with.
const OBJECTS: &[&str] = &[
    "account.",
    "case.",
    "document.",
    "graph-query.",
    "importer-pipeline-run.",
    "inquiry-session.",
    "report/",
    "selfie.",
    "transaction.",
    "transaction-type.",
    "verification.",
    "workflow-run.",
];

/// The fields that decide what an event says.
const DECIDES: &[&str] = &[
    "/data/attributes/name",
    "/data/attributes/payload/data/type",
    "/data/attributes/payload/data/id",
    "/data/attributes/payload/data/attributes/status",
    "/data/attributes/payload/data/attributes/redacted-at",
    "/data/attributes/payload/data/attributes/redacted_at",
    "/data/attributes/payload/data/attributes/redactedAt",
    // The level is that of another template without it.
    "/data/attributes/payload/data/relationships/inquiry-template",
    "/data/attributes/payload/data/relationships/inquiry_template",
    "/data/attributes/payload/data/relationships/inquiryTemplate",
];

pub(super) fn identity(event: &VerifiedEvent) -> Result<Option<Identity>, PayloadError> {
    if !Kind::of(event)?.starts_with(INQUIRY) {
        return Ok(None);
    }
    let read = inquiry_event(event)?;
    let occurred_at = read.data.attributes.created_at.as_deref();
    let occurred_at = occurred_at.and_then(typed::time);
    let is_redacted = *read.name() == InquiryEventName::Redacted;
    let is_contradicted = read.name().excludes_an_approval();
    let inquiry = read.data.attributes.payload.data;
    let level = inquiry.template().map(str::to_owned);
    let Some(attributes) = inquiry.attributes else {
        let outcome = match is_redacted {
            true => Identity::new(Outcome::Expired, true),
            false => Identity::new(Outcome::Other, false),
        };
        let identity = outcome
            .with_session(inquiry.id)
            .with_level(level.unwrap_or_default());
        return Ok(Some(identity.with_occurred_at(occurred_at)));
    };
    let completed_is_enough = event.param(COMPLETED) == Some("approved");
    let (outcome, is_final) = match attributes.status {
        _ if is_redacted || attributes.redacted_at.is_some() => (Outcome::Expired, true),
        Some(InquiryStatus::Approved) => typed::approval(is_contradicted),
        Some(InquiryStatus::Declined) => (Outcome::Rejected, true),
        Some(InquiryStatus::Failed) => (Outcome::Rejected, false),
        Some(InquiryStatus::NeedsReview) => (Outcome::Review, false),
        Some(InquiryStatus::Completed) if completed_is_enough => typed::approval(is_contradicted),
        Some(InquiryStatus::Completed) => (Outcome::Pending, false),
        Some(InquiryStatus::Created | InquiryStatus::Pending) => (Outcome::InProgress, false),
        Some(InquiryStatus::Expired) => (Outcome::Expired, true),
        Some(InquiryStatus::Other(_)) | None => (Outcome::Other, false),
    };
    let tags = attributes.tags.unwrap_or_default();
    Ok(Some(
        Identity::new(outcome, is_final)
            .with_session(inquiry.id)
            .with_subject(attributes.reference_id.unwrap_or_default())
            .with_level(level.unwrap_or_default())
            .with_occurred_at(occurred_at)
            .with_reasons(tags.into_iter().flatten()),
    ))
}

impl InquiryEventName {
    /// Whether the inquiry cannot have passed at this event, whatever its status says.
    fn excludes_an_approval(&self) -> bool {
        matches!(
            self,
            Self::Declined | Self::Expired | Self::Failed | Self::MarkedForReview
        )
    }
}

impl Inquiry {
    /// The id of the template, or of the older template.
    #[must_use]
    pub fn template(&self) -> Option<&str> {
        let related = self.relationships.as_ref()?;
        let newer = id_of(related.inquiry_template.as_ref());
        newer.or_else(|| id_of(related.template.as_ref()))
    }
}

fn id_of(reference: Option<&Reference>) -> Option<&str> {
    let id = reference?.data.as_ref()?.id.as_deref()?;
    (!id.is_empty()).then_some(id)
}

events! {
    /// An event of Persona. Its `Debug` shows the name, ids and statuses, and no content of
    /// [`Other`](Self::Other).
    "persona" read by read {
        /// Something happened to an inquiry.
        InquiryEvent,
        /// Something happened to another object.
        ObjectEvent,
    }
    Other:
    /// An event whose name is not documented. The object has at least one field.
}

fn read(event: &VerifiedEvent) -> Result<Event, PayloadError> {
    let name = Kind::of(event)?;
    if InquiryEventName::from(name.clone()).is_known() {
        inquiry_event(event).map(Event::from)
    } else if OBJECTS.iter().any(|family| name.starts_with(family)) {
        event.read::<ObjectEvent>().map(Event::from)
    } else {
        event.read_unknown().map(Event::Other)
    }
}

fn inquiry_event(event: &VerifiedEvent) -> Result<InquiryEvent, PayloadError> {
    let read: InquiryEvent = event.read_decided_by(DECIDES)?;
    match read.inquiry().object_type.as_deref() {
        None | Some("inquiry") => Ok(read),
        Some(_) => Err(PayloadError::new(
            "the event is about an inquiry, and its object is none",
        )),
    }
}

/// The name of an event.
#[derive(Deserialize)]
struct Kind {
    data: KindData,
}

#[derive(Deserialize)]
struct KindData {
    attributes: KindAttributes,
}

#[derive(Deserialize)]
struct KindAttributes {
    name: String,
}

impl Kind {
    fn of(event: &VerifiedEvent) -> Result<String, PayloadError> {
        let Self { data } = event.read()?;
        Ok(data.attributes.name)
    }
}

impl InquiryEvent {
    /// What happened.
    #[must_use]
    pub fn name(&self) -> &InquiryEventName {
        &self.data.attributes.name
    }

    /// The inquiry as it is after the event.
    #[must_use]
    pub fn inquiry(&self) -> &Inquiry {
        &self.data.attributes.payload.data
    }
}

impl ObjectEvent {
    /// What happened, such as `verification.passed`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.data.attributes.name
    }

    /// The object as it is after the event.
    #[must_use]
    pub fn object(&self) -> &Object {
        &self.data.attributes.payload.data
    }
}

records! {
    /// Something happened to an inquiry.
    InquiryEvent shows [data] {
        /// The event.
        data: InquiryEventData,
    }

    /// An event of an inquiry.
    InquiryEventData shows [id, attributes] {
        /// `event`.
        #[serde(rename = "type")]
        object_type: Option<String>,
        /// The id of the event.
        id: Option<String>,
        /// What happened.
        attributes: InquiryEventAttributes,
    }

    /// What happened to an inquiry.
    InquiryEventAttributes shows [name, created_at, payload] {
        /// The name of the event.
        name: InquiryEventName,
        /// When it happened: ISO 8601.
        #[serde(rename = "created-at", alias = "created_at", alias = "createdAt")]
        created_at: Option<String>,
        /// What the event came from.
        context: Option<Value>,
        /// The inquiry.
        payload: InquiryPayload,
    }

    /// The inquiry of an event.
    InquiryPayload shows [data] {
        /// The inquiry as it is after the event.
        data: Inquiry,
        /// Objects that belong to it, if the webhook's settings include any.
        included: Option<Vec<Object>>,
    }

    /// Something happened to another object than an inquiry.
    ObjectEvent shows [data] {
        /// The event.
        data: ObjectEventData,
    }

    /// An event of another object than an inquiry.
    ObjectEventData shows [id, attributes] {
        /// `event`.
        #[serde(rename = "type")]
        object_type: Option<String>,
        /// The id of the event.
        id: Option<String>,
        /// What happened.
        attributes: ObjectEventAttributes,
    }

    /// What happened to another object than an inquiry.
    ObjectEventAttributes shows [name, created_at, payload] {
        /// The name of the event, such as `verification.passed`.
        name: String,
        /// When it happened: ISO 8601.
        #[serde(rename = "created-at", alias = "created_at", alias = "createdAt")]
        created_at: Option<String>,
        /// What the event came from.
        context: Option<Value>,
        /// The object.
        payload: ObjectPayload,
    }

    /// The object of an event.
    ObjectPayload shows [data] {
        /// The object as it is after the event.
        data: Object,
        /// Objects that belong to it, if the webhook's settings include any.
        included: Option<Vec<Object>>,
    }

    /// An object as its endpoint of the API returns it. Its `Debug` shows the type and the id.
    Object shows [object_type, id] {
        /// The type, such as `verification/government-id`.
        #[serde(rename = "type")]
        object_type: Option<String>,
        /// The id.
        id: Option<String>,
        /// What is known of it, in the spelling that the webhook's settings choose.
        attributes: Option<Value>,
        /// What it belongs to.
        relationships: Option<Value>,
    }
}

open_enum! {
    /// What happened to an inquiry.
    InquiryEventName {
        /// It was created.
        Created = "inquiry.created",
        /// The person began.
        Started = "inquiry.started",
        /// It expired.
        Expired = "inquiry.expired",
        /// Every step was passed.
        Completed = "inquiry.completed",
        /// No attempts are left.
        Failed = "inquiry.failed",
        /// It was marked for review.
        MarkedForReview = "inquiry.marked-for-review",
        /// It was approved.
        Approved = "inquiry.approved",
        /// It was declined.
        Declined = "inquiry.declined",
        /// It went on to another step.
        Transitioned = "inquiry.transitioned",
        /// Its data were deleted.
        Redacted = "inquiry.redacted",
        /// The person agreed to be recognised elsewhere.
        ReusablePersonaCreated = "inquiry.reusable-persona-created",
        /// The person was recognised from elsewhere.
        ReusablePersonaUsed = "inquiry.reusable-persona-used",
        /// The tags were changed.
        UpdatedTags = "inquiry.updated-tags",
    }
}
