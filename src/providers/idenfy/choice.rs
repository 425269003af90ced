//! Which type of body it is. The event type is not signed, so the body has to say.

use std::collections::BTreeMap;

use serde::{
    Deserializer,
    de::{DeserializeOwned, Error as _, IgnoredAny, Visitor, value::Error},
    forward_to_deserialize_any,
};

use super::*;

/// One type of body.
struct Shape {
    /// The names of its fields.
    fields: fn() -> &'static [&'static str],
    /// Names that stand in it and not in the body of just anybody.
    marks: &'static [&'static str],
    read: fn(&VerifiedEvent) -> Result<Event, PayloadError>,
}

type Body = BTreeMap<String, IgnoredAny>;

macro_rules! shapes {
    ($($body:ident [$($mark:literal),*],)*) => {
        &[$(Shape {
            fields: fields_of::<$body>,
            marks: &[$($mark),*],
            read: |event| event.read::<$body>().map(Event::from),
        }),*]
    };
}

/// What tells the bodies apart. A type fits a body that has one of the type's marks, whatever else it has, or no field that the
/// type does not know. Of the types that fit, the one that knows most of the body's fields is taken (of equals, one that has a
/// mark there), and the body must have what that type requires:
///
/// | type | requires, not null |
/// | --- | --- |
/// | `Identification` | `scanRef`, `status` with `overall` in it |
/// | `DocumentExpiration` | `scanRef`, `expirationThreshold` |
/// | `FacialAuthentication` | `id`, `status` |
/// | `AgeEstimation` | `scanRef`, `status`, `occurredAt` |
/// | `AccountCheck` | `status` and `score`, which are numbers |
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
/// By this, two bodies are left that more than one type fits equally: an `id` alone, and an `id` with a `status`. The second is told
/// by the status, whose documented values are different in each.
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
    let body: Body = event.json()?;
    let fitting = fitting(&body);
    if let [shape] = *fitting {
        return (shape.read)(event);
    }
    let mut read: Vec<Event> = fitting
        .iter()
        .filter_map(|shape| (shape.read)(event).ok())
        .collect();
    narrow(&mut read, has_documented_status);
    narrow(&mut read, |read| is_named(read, event.event_type()));
    match (read.pop(), read.is_empty()) {
        (Some(read), true) => Ok(read),
        (Some(_), false) => Err(PayloadError::new(
            "the body may be of more than one type, and the header `Idenfy-Event-Type` does not say which",
        )),
        (None, _) => Err(PayloadError::new(
            "the body does not have the fields of any event of iDenfy that is documented",
        )),
    }
}

/// The types that fit the body best.
fn fitting(body: &Body) -> Vec<&'static Shape> {
    let best = SHAPES.iter().filter_map(|shape| shape.fit(body)).max();
    let is_best = |shape: &&Shape| best.is_some() && shape.fit(body) == best;
    SHAPES.iter().filter(is_best).collect()
}

impl Shape {
    /// How many of the body's fields the type knows, and whether the body has a mark of it; `None` if it does not fit.
    fn fit(&self, body: &Body) -> Option<(usize, bool)> {
        let fields = (self.fields)();
        let is_known = |field: &&String| fields.contains(&field.as_str());
        let known = body.keys().filter(is_known).count();
        let is_marked = self.marks.iter().any(|mark| body.contains_key(*mark));
        (is_marked || known == body.len()).then_some((known, is_marked))
    }
}

/// Keeps what is wanted where there is a choice, unless nothing is.
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

/// Whether the unsigned header names this type, of those that a body may not tell apart.
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

/// The names of a type's fields: its derived `Deserialize` tells them to whoever it asks for a struct.
fn fields_of<T: DeserializeOwned>() -> &'static [&'static str] {
    let mut fields: &[&str] = &[];
    // It answers with an error, as it has nothing to read.
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
        Err(Error::custom("there is nothing to read"))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}
