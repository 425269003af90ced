//! Typed events.

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{
    error::PayloadError,
    event::{Payload, VerifiedEvent},
    identity::{Identity, Outcome},
    json,
    provider::parameter::SUBJECT,
    providers::typed,
};

/// The fields that decide what an event says.
const DECIDES: &[&str] = &[
    "/event",
    "/reference",
    "/verification_result",
    "/declined_reason",
    "/declined_codes",
    "/services_declined_codes",
];

pub(super) fn identity(event: &VerifiedEvent) -> Result<Option<Identity>, PayloadError> {
    let read = match Event::from_event(event)? {
        Event::Notification(read) => *read,
        // An event that is not known is about a request all the same.
        Event::Other(_) => match event.read_decided_by(DECIDES) {
            Ok(read) => read,
            Err(_) => return Ok(None),
        },
    };
    let (outcome, is_final) = read.outcome();
    let subject = event.param(SUBJECT);
    let subject = subject.and_then(|pointer| event.reference_at(pointer));
    let level = read.services().join("+");
    Ok(Some(
        Identity::new(outcome, is_final)
            .with_subject(subject.unwrap_or_default())
            .with_session(read.reference)
            .with_level(level)
            .with_reasons(read.declined_reason.filter(|reason| !reason.is_empty())),
    ))
}

/// The services that are about who a person is.
const IDENTITY: [&str; 4] = ["document", "document_two", "face", "eidv"];

impl Notification {
    /// The services that have a result, in alphabetical order.
    #[must_use]
    pub fn services(&self) -> Vec<&str> {
        let results = self.results().filter(|(_, result)| has_result(result));
        let mut names: Vec<_> = results.map(|(name, _)| name).collect();
        names.sort_unstable();
        names
    }

    /// The document, if the data have the usual form.
    #[must_use]
    pub fn document(&self) -> Option<DocumentData> {
        json::typed::read_as(self.verification_data.as_ref()?.get("document")?)
    }

    /// The second document, if the data have the usual form.
    #[must_use]
    pub fn document_two(&self) -> Option<DocumentData> {
        json::typed::read_as(self.verification_data.as_ref()?.get("document_two")?)
    }

    /// The results by service. PHP writes an empty object as an empty list.
    fn results(&self) -> impl Iterator<Item = (&str, &Value)> {
        let results = self.verification_result.as_ref();
        let results = results.and_then(Value::as_object).into_iter().flatten();
        results.map(|(name, result)| (&**name, result))
    }

    fn outcome(&self) -> (Outcome, bool) {
        match self.event {
            EventName::VerificationAccepted if self.is_of_a_person() => {
                typed::approval(self.gives_a_reason_to_decline())
            }
            EventName::VerificationDeclined => (Outcome::Rejected, true),
            EventName::RequestPending => (Outcome::InProgress, false),
            EventName::RequestReceived => (Outcome::Pending, false),
            EventName::ReviewPending => (Outcome::Review, false),
            EventName::RequestTimeout
            | EventName::VerificationCancelled
            | EventName::RequestDeleted => (Outcome::Expired, true),
            EventName::VerificationStatusChanged => (Outcome::Undisclosed, false),
            _ => (Outcome::Other, false),
        }
    }

    /// Whether the reason or the codes of a rejection are there.
    fn gives_a_reason_to_decline(&self) -> bool {
        let reason = self.declined_reason.as_deref();
        let codes = [&self.declined_codes, &self.services_declined_codes];
        reason.is_some_and(|reason| !reason.is_empty())
            || codes.into_iter().flatten().any(has_codes)
    }

    /// Whether the services that are about a person have a result, and none that they failed.
    fn is_of_a_person(&self) -> bool {
        let of_person = self.results().filter(|(name, _)| IDENTITY.contains(name));
        let mut results = of_person
            .map(|(_, result)| result)
            .filter(|result| has_result(result))
            .peekable();
        results.peek().is_some() && results.all(passed)
    }
}

/// Whether there is anything but null.
fn has_result(result: &Value) -> bool {
    match result {
        Value::Null => false,
        Value::Object(checks) => checks.values().any(has_result),
        Value::Array(checks) => !checks.is_empty(),
        _ => true,
    }
}

/// Whether there is a code, also by service.
fn has_codes(codes: &Value) -> bool {
    match codes {
        Value::Null => false,
        Value::Array(codes) => !codes.is_empty(),
        Value::Object(codes) => codes.values().any(has_codes),
        Value::String(code) => !code.is_empty(),
        _ => true,
    }
}

/// Whether every check has 1 or no result.
fn passed(result: &Value) -> bool {
    match result {
        Value::Null => true,
        Value::Object(checks) => checks.values().all(passed),
        Value::Number(number) => number.as_f64() == Some(1.0),
        _ => false,
    }
}

events! {
    /// An event of Shufti Pro. Its `Debug` shows the event and the reference, and no content of
    /// [`Other`](Self::Other).
    "shufti-pro" read by read {
        /// Something happened to a request.
        Notification,
    }
    Other:
    /// An undocumented event. The object has at least one field.
}

fn read(event: &VerifiedEvent) -> Result<Event, PayloadError> {
    let Kind { event: name } = event.read()?;
    if !name.is_known() {
        return event.read_unknown().map(Event::Other);
    }
    event
        .read_decided_by::<Notification>(DECIDES)
        .map(Event::from)
}

#[derive(Deserialize)]
struct Kind {
    event: EventName,
}

records! {
    /// Something happened to a request.
    Notification shows [reference, event] {
        /// Your own reference for the request.
        reference: String,
        /// What happened.
        event: EventName,
        /// The e-mail address of the person.
        email: Option<String>,
        /// The two letters of the country.
        country: Option<String>,
        /// What is wrong with the request.
        error: Option<Value>,
        /// The address by which the person takes part, which is personal.
        verification_url: Option<String>,
        /// The token of the person's page.
        token: Option<String>,
        /// What was found, by service.
        verification_data: Option<Value>,
        /// The results by service: 1, 0 or null, or an object of such.
        #[serde(default, deserialize_with = "json::unique::optional")]
        verification_result: Option<Value>,
        /// The device and the place of the person.
        info: Option<Value>,
        /// What else was found.
        additional_data: Option<Value>,
        /// Why the person was declined.
        declined_reason: Option<String>,
        /// The same, as codes.
        declined_codes: Option<Value>,
        /// The codes by service.
        services_declined_codes: Option<Value>,
        /// The addresses of the proofs, and the token for them.
        proofs: Option<Value>,
    }

    /// What was found in a document.
    DocumentData shows [country] {
        /// The name.
        name: Option<Name>,
        /// The date of birth, as `1979-12-05`.
        dob: Option<String>,
        /// The last day on which the document is valid.
        expiry_date: Option<String>,
        /// When the document was issued.
        issue_date: Option<String>,
        /// The number of the document.
        document_number: Option<String>,
        /// The gender, as on the document.
        gender: Option<String>,
        /// The two letters of the country.
        country: Option<String>,
        /// The kind of document that the person chose.
        selected_type: Option<Vec<String>>,
        /// The kinds of document that you accept.
        supported_types: Option<Vec<String>>,
        /// Fields that are not documented here.
        #[serde(flatten)]
        other: Map<String, Value>,
    }

    /// The name of a person.
    Name shows [] {
        /// The first name.
        first_name: Option<String>,
        /// The middle name.
        middle_name: Option<String>,
        /// The last name.
        last_name: Option<String>,
    }
}

open_enum! {
    /// What happened to a request.
    EventName {
        /// The person has to act.
        RequestPending = "request.pending",
        /// The data are being checked.
        RequestReceived = "request.received",
        /// The request has a mistake.
        RequestInvalid = "request.invalid",
        /// The request was not authorised.
        RequestUnauthorized = "request.unauthorized",
        /// The person did not act in time.
        RequestTimeout = "request.timeout",
        /// The data were deleted.
        RequestDeleted = "request.deleted",
        /// The data were changed.
        RequestDataChanged = "request.data.changed",
        /// The services were passed.
        VerificationAccepted = "verification.accepted",
        /// The services were not passed.
        VerificationDeclined = "verification.declined",
        /// The person gave up.
        VerificationCancelled = "verification.cancelled",
        /// The result was changed, and the event does not say to what.
        VerificationStatusChanged = "verification.status.changed",
        /// Somebody has to look at it.
        ReviewPending = "review.pending",
    }
}
