//! Determines the type of a body. The event type is not signed, so the decision is based on the
//! body, and for identifications on nothing else.

use std::collections::BTreeMap;

use serde::{
    Deserializer,
    de::{DeserializeOwned, Error as _, IgnoredAny, Visitor, value::Error},
    forward_to_deserialize_any,
};

use super::*;

/// One type of body.
struct Shape {
    name: &'static str,
    /// The names of its fields.
    fields: fn() -> &'static [&'static str],
    /// Fields that are characteristic of the type.
    marks: &'static [&'static str],
    read: fn(&VerifiedEvent) -> Result<Event, PayloadError>,
}

type Body = BTreeMap<String, IgnoredAny>;

macro_rules! shapes {
    ($($body:ident [$($mark:literal),*],)*) => {
        &[$(Shape {
            name: stringify!($body),
            fields: fields_of::<$body>,
            marks: &[$($mark),*],
            read: |event| event.read::<$body>().map(Event::from),
        }),*]
    };
}

/// The event types whose bodies have a type. `VIDEO_CALL_FINISHED` is documented too, but its body
/// is not.
const KINDS: &[&str] = &[
    "IDENTIFICATION",
    "IDENTIFICATION_AUTO_FINISHED",
    "IDENTIFICATION_MANUAL_FINISHED",
    "IDENTIFICATION_RESUBMITTED",
    "IDENTIFICATION_EXPIRED",
    "IDENTIFICATION_CANCELLED",
    "DOCUMENT_EXPIRATION",
    "FACIAL_AUTHENTICATION",
    "AGE_ESTIMATION",
    "ACCOUNT_CHECK",
    "AML_MONITORING",
    "AML_MONITORING_EXPIRATION",
    "BANK_VERIFICATION",
    "BANK_CARD_VERIFICATION_COMPLETED",
    "COMPANY_SUBMIT",
    "COMPANY_REVIEW",
    "COMPANY_AML_REVIEW",
    "COMPANY_INFO_REQUEST",
    "COMPANY_EXPIRATION",
    "COMPANY_DELETE",
    "GOV_ORDERED_DOCUMENT",
    "SOS_REPORT",
];

/// The types, and the marks that distinguish their bodies.
///
/// A body with a `status` that contains an `overall`, or with both `scanRef` and `final`, is an
/// `Identification` and nothing else. Any other type fits a body that has one of the type's marks,
/// or in which the type knows every field. Of the types that fit, the one that knows most of the
/// body's fields is chosen; among equals, one with a mark in the body. The body must then have the
/// fields that the type requires:
///
/// | type | requires, not null |
/// | --- | --- |
/// | `Identification` | `scanRef`, `status` with `overall` in it |
/// | `DocumentExpiration` | `scanRef`, `expirationThreshold` |
/// | `FacialAuthentication` | `id`, `status` |
/// | `AgeEstimation` | `scanRef`, `status`, `occurredAt` |
/// | `AccountCheck` | `status` and `score`, both numbers |
/// | `AmlMonitoring` | `monitoringId` |
/// | `AmlMonitoringExpiration` | `usersToExtend`, `usersToExpire` |
/// | `BankVerification` | `id` |
/// | `BankCard` | `id`, `status` |
/// | `CompanySubmit` | `id`, `clientId` |
/// | `CompanyReview` | `id`, `companyName`, `clientId` |
/// | `CompanyAmlReview` | `id`, `companyId`, `amlReviewSubjectType` |
/// | `CompanyInfoRequest` | `companyId`, `token`, `status` |
/// | `CompanyExpiration` | `id` |
/// | `CompanyDelete` | `companyId`, `date` |
/// | `GovOrderedDocument` | `id`, `productKey` |
/// | `SosReport` | `id` |
///
/// Two bodies remain ambiguous: an `id` and nothing else, and an `id` with a `status`. The value of
/// the status resolves the second, because its documented values differ between the types.
const SHAPES: &[Shape] = shapes! {
    Identification ["scanRef"],
    DocumentExpiration ["expirationThreshold", "documentExpiration"],
    FacialAuthentication ["facePhoto", "ipAddress", "failReason", "riskTags", "method"],
    AgeEstimation ["outcome", "verdict", "estimatedAge", "confidence"],
    AccountCheck ["authToken", "facebookScore", "gmailScore", "ipScore"],
    AmlMonitoring ["monitoringId"],
    AmlMonitoringExpiration ["usersToExtend", "usersToExpire"],
    BankVerification ["bank", "accounts", "riskLevel"],
    BankCard ["noMatchReason", "firstSix", "lastFour", "nameMatch", "lastFourMatch"],
    CompanySubmit ["submissionTime", "soleProprietor"],
    CompanyReview ["soleProprietor", "statusChangedBy", "companyCheck", "beneficiaries", "shareholderCheck", "negativeNewsCheck"],
    CompanyAmlReview ["amlReviewSubjectType"],
    CompanyInfoRequest ["token"],
    CompanyExpiration ["expirationStatus"],
    CompanyDelete ["manager"],
    GovOrderedDocument ["productKey"],
    SosReport ["entityType", "formationDate", "reportFile", "dataFile", "watchlistHitsCount"],
};

pub(super) fn read(event: &VerifiedEvent) -> Result<Event, PayloadError> {
    let header = event.event_type().filter(|name| !name.is_empty());
    let is_of_known_kind = header.is_none_or(|name| KINDS.contains(&name));
    let read = by_shape(event, header);
    match read {
        Ok(Some(read)) if is_of_known_kind => Ok(read),
        // The header must hide neither an identification nor the errors in one.
        Ok(Some(read @ Event::Identification(_))) => Ok(read),
        Err(error) if is_of_known_kind || is_identification(event) => Err(error),
        Ok(_) | Err(_) => event.read_unknown().map(Event::Other),
    }
}

/// The fields that decide what an identification says.
const DECIDES: &[&str] = &["/final", "/scanRef", "/status/overall"];

/// Reads the body as an identification if it is one, regardless of the header.
pub(super) fn identification(
    event: &VerifiedEvent,
) -> Result<Option<Box<Identification>>, PayloadError> {
    if is_identification(event) {
        return event.read_decided_by(DECIDES).map(Some);
    }
    event.check_unknown()?;
    Ok(None)
}

fn is_identification(event: &VerifiedEvent) -> bool {
    let has = |pointer| json::typed::has(event.body(), pointer);
    has("/status/overall") || (has("/scanRef") && has("/final"))
}

/// Reads the body as the type that fits best, or returns `None` if none does.
fn by_shape(event: &VerifiedEvent, header: Option<&str>) -> Result<Option<Event>, PayloadError> {
    if is_identification(event) {
        let read: Identification = event.read_decided_by(DECIDES)?;
        return Ok(Some(read.into()));
    }
    let body: Body = event.json()?;
    let fitting = fitting(&body);
    match *fitting {
        // The body has fields of an identification, but is not one.
        [shape] if shape.name == "Identification" => return Ok(None),
        [shape] => return (shape.read)(event).map(Some),
        _ => {}
    }
    let mut read: Vec<Event> = fitting
        .iter()
        .filter_map(|shape| (shape.read)(event).ok())
        .collect();
    narrow(&mut read, has_documented_status);
    narrow(&mut read, |read| is_named(read, header));
    match (read.pop(), read.is_empty()) {
        (Some(read), true) => Ok(Some(read)),
        (Some(_), false) => Err(PayloadError::new(
            "the body matches more than one type, and the header `Idenfy-Event-Type` does not select one",
        )),
        (None, _) => Ok(None),
    }
}

/// The types that fit the body best.
fn fitting(body: &Body) -> Vec<&'static Shape> {
    let best = SHAPES.iter().filter_map(|shape| shape.fit(body)).max();
    let is_best = |shape: &&Shape| best.is_some() && shape.fit(body) == best;
    SHAPES.iter().filter(is_best).collect()
}

impl Shape {
    /// The number of the body's fields that the type knows, and whether the body has a mark of the
    /// type; `None` if the type does not fit.
    fn fit(&self, body: &Body) -> Option<(usize, bool)> {
        let fields = (self.fields)();
        let is_known = |field: &&String| fields.contains(&field.as_str());
        let known = body.keys().filter(is_known).count();
        let is_marked = self.marks.iter().any(|mark| body.contains_key(*mark));
        (is_marked || known == body.len()).then_some((known, is_marked))
    }
}

/// Keeps the wanted events if there are several events and at least one is wanted.
fn narrow(read: &mut Vec<Event>, is_wanted: impl Fn(&Event) -> bool) {
    if read.len() > 1 && read.iter().any(&is_wanted) {
        read.retain(is_wanted);
    }
}

fn has_documented_status(event: &Event) -> bool {
    match event {
        Event::FacialAuthentication(event) => event.status.is_known(),
        Event::BankCard(event) => event.status.is_known(),
        Event::SosReport(event) => event.status.as_ref().is_none_or(OrderStatus::is_known),
        _ => true,
    }
}

/// Whether the unsigned header names this type, for the types whose bodies can be ambiguous.
fn is_named(event: &Event, header: Option<&str>) -> bool {
    let name = match event {
        Event::FacialAuthentication(_) => "FACIAL_AUTHENTICATION",
        Event::BankVerification(_) => "BANK_VERIFICATION",
        Event::BankCard(_) => "BANK_CARD_VERIFICATION_COMPLETED",
        Event::CompanyExpiration(_) => "COMPANY_EXPIRATION",
        Event::SosReport(_) => "SOS_REPORT",
        _ => return false,
    };
    header == Some(name)
}

/// The names of a type's fields, which its derived `Deserialize` passes to `deserialize_struct`.
fn fields_of<T: DeserializeOwned>() -> &'static [&'static str] {
    let mut fields: &[&str] = &[];
    // The result is always an error, because `Fields` has no data.
    let _ = T::deserialize(Fields(&mut fields));
    fields
}

struct Fields<'f>(&'f mut &'static [&'static str]);

impl<'de> Deserializer<'de> for Fields<'_> {
    type Error = Error;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        *self.0 = fields;
        self.deserialize_any(visitor)
    }

    fn deserialize_any<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, Error> {
        Err(Error::custom("no data"))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}
