//! iDenfy's bodies as types: what is read, what is not taken for one, and what `Debug` keeps to
//! itself.
//!
//! Most bodies are made out of `vectors/idenfy-schema.json`, a list of every event, type and value
//! that the vendor documents.

mod personal;
mod schema;

use std::{
    cell::Cell,
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
    time::UNIX_EPOCH,
};

use http::Request;
use proptest::prelude::*;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tower_webhook::{
    Identity, Payload, PayloadError, Secret, Signer, VerifiedEvent, Verifier, providers,
    providers::idenfy::{self, Event},
    verify::Head,
};

use self::schema::{
    Rest, SCHEMA, bodies, difference, events, file, leaves_it_to_the_header, object, objects,
    required, values,
};
use super::samples::{Seed, seeds};

const SECRET: &str = "a-signing-key-for-tests";
const HEADER: &str = "idenfy-event-type";

// ---- Events ----

static VERIFIER: LazyLock<Verifier> =
    LazyLock::new(|| Verifier::new(providers::idenfy(), Secret::new(SECRET)).unwrap());
static SIGNER: LazyLock<Signer> =
    LazyLock::new(|| Signer::new(providers::idenfy(), Secret::new(SECRET)).unwrap());

/// A verified event with this body and, if one is given, this event type.
fn event(body: &[u8], event_type: Option<&str>) -> VerifiedEvent {
    let mut request = Request::post("/");
    if let Some(name) = event_type {
        request = request.header(HEADER, name);
    }
    let (head, body) = SIGNER
        .sign(request, body.to_vec())
        .expect("signs")
        .into_parts();
    VERIFIER
        .verify(&Head::from(&head), body, UNIX_EPOCH)
        .expect("is accepted")
}

fn read<T: Payload>(body: &Value, event_type: Option<&str>) -> Result<T, PayloadError> {
    event(&serde_json::to_vec(body).unwrap(), event_type)
        .parse()
        .map(VerifiedEvent::into_payload)
}

/// The type that a sample is read as. That all is read is
/// `every_sample_gets_its_type_and_is_read_whole`.
pub(super) fn reading(event: &VerifiedEvent) -> Value {
    kind(event.parse::<Event>().unwrap().payload()).into()
}

/// The type that the event was read as.
fn kind(event: &Event) -> &'static str {
    match event {
        Event::Identification(_) => "Identification",
        Event::DocumentExpiration(_) => "DocumentExpiration",
        Event::FacialAuthentication(_) => "FacialAuthentication",
        Event::AgeEstimation(_) => "AgeEstimation",
        Event::AccountCheck(_) => "AccountCheck",
        Event::AmlMonitoring(_) => "AmlMonitoring",
        Event::AmlMonitoringExpiration(_) => "AmlMonitoringExpiration",
        Event::BankVerification(_) => "BankVerification",
        Event::BankCard(_) => "BankCard",
        Event::CompanySubmit(_) => "CompanySubmit",
        Event::CompanyReview(_) => "CompanyReview",
        Event::CompanyAmlReview(_) => "CompanyAmlReview",
        Event::CompanyInfoRequest(_) => "CompanyInfoRequest",
        Event::CompanyExpiration(_) => "CompanyExpiration",
        Event::CompanyDelete(_) => "CompanyDelete",
        Event::GovOrderedDocument(_) => "GovOrderedDocument",
        Event::SosReport(_) => "SosReport",
        Event::Other(_) => "Other",
        _ => panic!("a type that this test does not know"),
    }
}

/// What each type cannot be without.
const REQUIRED: [(&str, &[&str]); 17] = [
    ("Identification", &["scanRef", "status"]),
    ("DocumentExpiration", &["scanRef", "expirationThreshold"]),
    ("FacialAuthentication", &["id", "status"]),
    ("AgeEstimation", &["scanRef", "status", "occurredAt"]),
    ("AccountCheck", &["status", "score"]),
    ("AmlMonitoring", &["monitoringId"]),
    (
        "AmlMonitoringExpiration",
        &["usersToExtend", "usersToExpire"],
    ),
    ("BankVerification", &["id"]),
    ("BankCard", &["id", "status"]),
    ("CompanySubmit", &["id", "clientId"]),
    ("CompanyReview", &["id", "companyName", "clientId"]),
    (
        "CompanyAmlReview",
        &["amlReviewSubjectType", "id", "companyId"],
    ),
    ("CompanyInfoRequest", &["companyId", "token", "status"]),
    ("CompanyExpiration", &["id"]),
    ("CompanyDelete", &["companyId", "date"]),
    ("GovOrderedDocument", &["id", "productKey"]),
    ("SosReport", &["id"]),
];

/// Every struct, by its name in the schema: whether a value is one, what it is written as again,
/// and its `Debug`.
type Read = fn(&Value) -> Result<(Value, String), String>;

macro_rules! types {
    ($($name:literal => $type:ident,)*) => {
        &[$(($name, |value| {
            let read = idenfy::$type::deserialize(value).map_err(|error| error.to_string())?;
            Ok((serde_json::to_value(&read).unwrap(), format!("{read:?}")))
        })),*]
    };
}

const TYPES: &[(&str, Read)] = types! {
    "Identification" => Identification,
    "Status" => Status,
    "Data" => Data,
    "FraudStatus" => FraudStatus,
    "AmlResult" => AmlResult,
    "AmlHit" => AmlHit,
    "NewsHit" => NewsHit,
    "LidResult" => LidResult,
    "LidHit" => LidHit,
    "CriminalResult" => CriminalResult,
    "CriminalHit" => CriminalHit,
    "Offense" => Offense,
    "AmlCheckKyc" => AmlCheck,
    "AdverseMedia" => AdverseMedia,
    "AmlHitV3" => AmlProfile,
    "Address" => ProfileAddress,
    "RegistryLithuania" => LithuanianRegistryCheck,
    "RegistryHungary" => HungarianRegistryCheck,
    "RegistryUs" => UsRegistryCheck,
    "AddressVerification" => AddressVerification,
    "Questionnaire" => Questionnaire,
    "QuestionnaireSection" => QuestionnaireSection,
    "Question" => Question,
    "RiskAssessment" => RiskAssessment,
    "BankVerificationKyc" => BankVerification,
    "BankVerification" => BankVerification,
    "BankAccount" => BankAccount,
    "Balances" => Balances,
    "EmailVerification" => EmailVerification,
    "PhoneVerification" => PhoneVerification,
    "DriverLicenseCheck" => DriverLicenseCheck,
    "BankCard" => BankCard,
    "Manager" => Manager,
    "ManagerOld" => Manager,
    "AmlMonitoring" => AmlMonitoring,
    "AmlCheckIndividual" => AmlCheck,
    "AmlCheckBusiness" => AmlCheck,
    "IndividualHit" => AmlProfile,
    "BusinessHit" => AmlProfile,
    "AmlMonitoringExpiration" => AmlMonitoringExpiration,
    "CompanySubmit" => CompanySubmit,
    "CompanyReview" => CompanyReview,
    "Beneficiary" => Beneficiary,
    "CompanyAmlReview" => CompanyAmlReview,
    "CompanyInfoRequest" => CompanyInfoRequest,
    "CompanyExpiration" => CompanyExpiration,
    "CompanyDelete" => CompanyDelete,
    "DocumentExpiration" => DocumentExpiration,
    "FacialAuthentication" => FacialAuthentication,
    "AgeEstimation" => AgeEstimation,
    "AccountCheck" => AccountCheck,
    "GovOrderedDocument" => GovOrderedDocument,
    "SosReport" => SosReport,
    // The types that stand for one of several shapes.
    "AmlOrNews" => AmlEntry,
    "RegistryCheck" => RegistryCheck,
};

/// Every enumeration, by its name in the schema: whether a value is documented, and the value as it
/// is written.
type Enumerated = fn(&str) -> (bool, String);

macro_rules! enums {
    ($($name:literal => $type:ident,)*) => {
        &[$(($name, |text| {
            let value = idenfy::$type::from(text.to_owned());
            (value.is_known(), value.as_str().to_owned())
        })),*]
    };
}

const ENUMS: &[(&str, Enumerated)] = enums! {
    "Overall" => Overall,
    "Platform" => Platform,
    "FaceStatus" => FaceStatus,
    "DocumentStatus" => DocumentStatus,
    "FraudTag" => FraudTag,
    "MismatchTag" => MismatchTag,
    "AdditionalStepStatus" => AdditionalStepStatus,
    "DocType" => DocType,
    "Sex" => Sex,
    "AgeGroup" => AgeGroup,
    "RiskLevel" => RiskLevel,
    "AmlStatus" => AmlStatus,
    "Suspicion" => Suspicion,
    "SuspicionType" => SuspicionType,
    "ArticleType" => ArticleType,
    "AddrStatus" => AddressStatus,
    "AddrQuality" => AddressQuality,
    "StepKind" => StepKind,
    "Match" => RegistryMatch,
    "CardStatus" => CardStatus,
    "CardReason" => CardReason,
    "AlertStatus" => AlertStatus,
    "MonitoringStatus" => MonitoringStatus,
    "Approval" => ApprovalStatus,
    "AgeStatus" => AgeStatus,
    "AgeOutcome" => AgeOutcome,
    "AuthStatus" => AuthenticationStatus,
    "AuthType" => AuthenticationType,
    "AuthMethod" => AuthenticationMethod,
    "RiskTag" => RiskTag,
    "Subject" => ReviewSubject,
    "InfoReq" => InfoRequestStatus,
    "CompExp" => CompanyExpirationStatus,
    "DocExp" => ExpirationThreshold,
    "Order" => OrderStatus,
    "SosEntity" => SosEntity,
    "PepTier" => PepTier,
    "IndDataset" => Dataset,
    "BizDataset" => Dataset,
    "MainSex" => Sex,
    "Resource" => RegistryKind,
};

// ---- The samples ----

/// Fields whose values `Debug` may show: ids and status.
const SHOWN: [&str; 18] = [
    "id",
    "scanRef",
    "scanRefList",
    "externalRef",
    "clientId",
    "companyId",
    "beneficiaryId",
    "monitoringId",
    "uid",
    "status",
    "overall",
    "overallStatus",
    "alertStatus",
    "approvalStatus",
    "expirationStatus",
    "expirationThreshold",
    "amlReviewSubjectType",
    "resourceType",
];

/// The event of each sample, under its own secret.
fn samples() -> impl Iterator<Item = (Seed, VerifiedEvent)> {
    let seeds = seeds("idenfy").into_iter().filter(|seed| seed.expect_ok);
    seeds.map(|seed| {
        let event = event(&seed.body(), Some(&seed.headers[EVENT_TYPE]));
        (seed, event)
    })
}

/// The header as the vectors spell it.
const EVENT_TYPE: &str = "Idenfy-Event-Type";

#[test]
fn every_sample_gets_its_type_and_is_read_whole() {
    let bodies: BTreeMap<&str, &str> = events().collect();
    let mut types = BTreeSet::new();
    for (sample, event) in samples() {
        let (id, event_type) = (&sample.id, &*sample.headers[EVENT_TYPE]);
        assert_eq!(event.event_type(), Some(event_type), "{id}");
        let told = event.json::<Value>().ok();
        let scan_ref = told.as_ref().and_then(|body| body.get("scanRef")?.as_str());
        assert_eq!(event.delivery_id(), scan_ref, "{id}");
        let typed = event.parse::<Event>().map(VerifiedEvent::into_payload);
        let Some(expected) = bodies.get(event_type) else {
            assert_eq!(event_type, "EVENT_FROM_THE_FUTURE", "{id}");
            assert_eq!(kind(&typed.unwrap()), "Other", "{id}");
            continue;
        };
        let typed = typed.unwrap_or_else(|error| panic!("{id}: {error}"));
        assert_eq!(kind(&typed), *expected, "{id}");
        types.insert(*expected);
        let sent: Value = serde_json::from_slice(event.body()).unwrap();
        let got = serde_json::to_value(&typed).unwrap();
        assert_eq!(difference(&sent, &got), None, "{id}");
    }
    assert_eq!(types.len(), 13, "{types:?}");
}

/// Names that the vendor does not document, and one whose body it does not.
const UNKNOWN_KINDS: [&str; 5] = [
    "VIDEO_CALL_FINISHED",
    "EVENT_FROM_THE_FUTURE",
    "X",
    "aml_monitoring",
    "IDENTIFICATION ",
];

#[test]
fn a_sample_is_read_as_the_same_whatever_the_header_says() {
    for (sample, _) in samples() {
        let body = sample.body();
        let plain = |header| {
            let event = event(&body, header).parse::<Event>();
            event.map(VerifiedEvent::into_payload)
        };
        let without = plain(None).unwrap();
        for lie in events().map(|(name, _)| name).chain([""]) {
            assert_eq!(
                plain(Some(lie)).as_ref(),
                Ok(&without),
                "{} as {lie}",
                sample.id
            );
        }
        // Under a name without a type only an identification is what it is.
        for lie in UNKNOWN_KINDS {
            let read = plain(Some(lie)).unwrap();
            if kind(&without) == "Identification" {
                assert_eq!(read, without, "{} as {lie}", sample.id);
            } else {
                assert_eq!(kind(&read), "Other", "{} as {lie}", sample.id);
            }
        }
    }
}

// ---- Everything that is documented ----

#[test]
fn every_property_is_found_again_alone_and_with_all_others() {
    let (mut count, mut left_to_the_header) = (0, BTreeSet::new());
    for (event_type, body_type) in events() {
        let mut bodies = objects(body_type, Rest::Absent);
        bodies.extend(objects(body_type, Rest::Null));
        bodies.push(object(body_type, Rest::Full).into());
        // The six events of an identification have one body; all of it is tried with one of them.
        if event_type.starts_with("IDENTIFICATION_") {
            bodies.drain(1..bodies.len() - 1);
        }
        for body in bodies {
            count += 1;
            let typed: Event = read(&body, Some(event_type))
                .unwrap_or_else(|error| panic!("{event_type}: {error}: {body}"));
            assert_eq!(kind(&typed), body_type, "{body}");
            let got = serde_json::to_value(&typed).unwrap();
            assert_eq!(difference(&body, &got), None, "{event_type}: {body}");
            if leaves_it_to_the_header(&body) {
                left_to_the_header.insert((body_type, body.as_object().unwrap().len()));
                let error = read::<Event>(&body, None).unwrap_err().to_string();
                assert!(error.contains("more than one type"), "{error}: {body}");
            } else {
                assert_eq!(read::<Event>(&body, None).as_ref(), Ok(&typed), "{body}");
                let lie = if body_type == "SosReport" {
                    "BANK_VERIFICATION"
                } else {
                    "SOS_REPORT"
                };
                assert_eq!(read::<Event>(&body, Some(lie)), Ok(typed), "{body}");
            }
        }
    }
    let expected = BTreeSet::from([
        ("BankCard", 2),
        ("BankVerification", 1),
        ("CompanyExpiration", 1),
        ("FacialAuthentication", 2),
        ("SosReport", 1),
        ("SosReport", 2),
    ]);
    assert_eq!(left_to_the_header, expected);
    assert!(count > 2000, "{count}");
}

#[test]
fn every_type_of_the_schema_has_a_type_here() {
    let known: BTreeSet<&str> = TYPES.iter().map(|(name, _)| *name).collect();
    let mut documented: BTreeSet<&str> = SCHEMA.types.keys().map(|name| &**name).collect();
    documented.extend(["AmlOrNews", "RegistryCheck"]);
    assert_eq!(known, documented);
    for (name, read) in TYPES {
        for sent in values(name, name, Rest::Absent) {
            let (got, _) = read(&sent).unwrap_or_else(|error| panic!("{name}: {error}: {sent}"));
            assert_eq!(difference(&sent, &got), None, "{name}: {sent}");
        }
    }
}

#[test]
fn every_documented_value_has_a_name_and_any_other_is_kept() {
    let known: BTreeSet<&str> = ENUMS.iter().map(|(name, _)| *name).collect();
    let documented: BTreeSet<&str> = SCHEMA.enums.keys().map(|name| &**name).collect();
    assert_eq!(known, documented);
    let older = [
        ("Overall", "EXPIRED-DELETED"),
        ("FraudTag", "UTILITY_ADDRESS_CHECK_FAILURE"),
        ("MismatchTag", "GDC_NOT_MATCH"),
        ("DocType", "INTERNATIONAL_PASSPORT"),
    ];
    for (name, read) in ENUMS {
        let older = older
            .iter()
            .filter(|(of, _)| of == name)
            .map(|(_, text)| *text);
        let documented = SCHEMA.enums[*name].iter().map(|text| &**text);
        for text in documented.chain(older) {
            assert_eq!(read(text), (true, text.to_owned()), "{name}");
            let lower = text.to_lowercase();
            assert_eq!(read(&lower), (false, lower.clone()), "{name}");
        }
        for text in ["", "A_VALUE_OF_LATER", "Other"] {
            assert_eq!(read(text), (false, text.to_owned()), "{name}");
        }
    }
}

/// What the type cannot be without.
fn least(body_type: &str) -> Map<String, Value> {
    let mut body = object(body_type, Rest::Full);
    body.retain(|name, _| required(body_type).contains(&&**name));
    body
}

#[test]
fn what_makes_the_type_and_any_two_properties_are_enough_to_tell_it() {
    for body_type in bodies().into_keys() {
        let full = object(body_type, Rest::Full);
        for (first, value) in &full {
            for (second, other) in &full {
                let mut body = least(body_type);
                body.insert(first.clone(), value.clone());
                body.insert(second.clone(), other.clone());
                let body = Value::from(body);
                if leaves_it_to_the_header(&body) {
                    continue;
                }
                let typed: Event = read(&body, None)
                    .unwrap_or_else(|error| panic!("{body_type}: {error}: {body}"));
                assert_eq!(kind(&typed), body_type, "{body}");
            }
        }
    }
}

/// The properties that make a body of the type recognisable although it has a field that nobody
/// knows, beside those that make it the type. None where these are enough by themselves.
const MARKS: [(&str, &[&str]); 10] = [
    (
        "FacialAuthentication",
        &["facePhoto", "failReason", "ipAddress", "method", "riskTags"],
    ),
    (
        "AgeEstimation",
        &["confidence", "estimatedAge", "outcome", "verdict"],
    ),
    (
        "AccountCheck",
        &["authToken", "facebookScore", "gmailScore", "ipScore"],
    ),
    ("BankVerification", &["accounts", "bank", "riskLevel"]),
    (
        "BankCard",
        &[
            "firstSix",
            "lastFour",
            "lastFourMatch",
            "nameMatch",
            "noMatchReason",
        ],
    ),
    ("CompanySubmit", &["soleProprietor", "submissionTime"]),
    (
        "CompanyReview",
        &[
            "beneficiaries",
            "companyCheck",
            "negativeNewsCheck",
            "shareholderCheck",
            "soleProprietor",
            "statusChangedBy",
        ],
    ),
    ("CompanyExpiration", &["expirationStatus"]),
    ("CompanyDelete", &["manager"]),
    (
        "SosReport",
        &[
            "dataFile",
            "entityType",
            "formationDate",
            "reportFile",
            "watchlistHitsCount",
        ],
    ),
];

#[test]
fn a_body_with_an_unknown_field_needs_one_that_is_telling() {
    for body_type in bodies().into_keys() {
        let full = object(body_type, Rest::Full);
        let telling = full.iter().filter(|(name, value)| {
            let mut body = least(body_type);
            body.insert((*name).clone(), (*value).clone());
            body.insert("fieldOfLater".to_owned(), json!("x"));
            match read::<Event>(&body.into(), None) {
                Ok(Event::Other(_)) | Err(_) => false,
                Ok(typed) => {
                    assert_eq!(kind(&typed), body_type, "with {name}");
                    true
                }
            }
        });
        let telling: Vec<&str> = telling.map(|(name, _)| &**name).collect();
        match MARKS.iter().find(|(name, _)| *name == body_type) {
            Some((_, marks)) => assert_eq!(telling, *marks, "{body_type}"),
            None => assert_eq!(telling.len(), full.len(), "{body_type}"),
        }
    }
}

#[test]
fn any_property_may_be_null_or_absent_but_those_that_make_the_type() {
    for (body_type, event_type) in bodies() {
        let full = object(body_type, Rest::Full);
        let with_all: Event = read(&full.clone().into(), None).unwrap();
        assert_eq!(kind(&with_all), body_type);
        for property in &SCHEMA.types[body_type] {
            let name = &property.name;
            let mut null = full.clone();
            null.insert(name.clone(), Value::Null);
            let mut absent = full.clone();
            absent.remove(name);
            for body in [null, absent] {
                let body = Value::from(body);
                let typed = read::<Event>(&body, Some(event_type));
                if required(body_type).contains(&&**name) {
                    let error = typed.expect_err(name).to_string();
                    assert!(!error.contains('~'), "{error}");
                    continue;
                }
                let typed = typed.unwrap_or_else(|error| panic!("{body_type}/{name}: {error}"));
                assert_eq!(kind(&typed), body_type, "without {name}");
                let got = serde_json::to_value(&typed).unwrap();
                assert_eq!(difference(&body, &got), None, "{body_type} without {name}");
            }
        }
    }
}

#[test]
fn unknown_fields_do_no_harm_at_any_depth() {
    fn remove(value: &mut Value) {
        match value {
            Value::Object(object) => {
                object.remove("fieldOfLater");
                object.values_mut().for_each(remove);
            }
            Value::Array(items) => items.iter_mut().for_each(remove),
            _ => {}
        }
    }
    fn add(value: &mut Value) {
        match value {
            Value::Object(object) => {
                object.values_mut().for_each(add);
                object.insert("fieldOfLater".to_owned(), json!({"deep": [1, {"x": null}]}));
            }
            Value::Array(items) => items.iter_mut().for_each(add),
            _ => {}
        }
    }
    for body_type in bodies().into_keys() {
        let plain = Value::from(object(body_type, Rest::Full));
        let mut later = plain.clone();
        add(&mut later);
        let typed: Event = read(&later, None).unwrap();
        assert_eq!(kind(&typed), body_type);
        // It is kept where any shape is allowed, and in maps.
        let mut got = serde_json::to_value(&typed).unwrap();
        remove(&mut got);
        assert_eq!(difference(&plain, &got), None, "{body_type}");
    }
}

// ---- What is not one of these ----

#[test]
fn no_body_is_read_as_another_type() {
    fn check<T: Payload + std::fmt::Debug>(name: &str) {
        for (body_type, event_type) in bodies() {
            for rest in [Rest::Full, Rest::Null] {
                let body = object(body_type, rest).into();
                let read = read::<T>(&body, Some(event_type));
                if body_type == name {
                    assert!(read.is_ok(), "{body_type}: {read:?}");
                } else {
                    let error = read.expect_err(body_type).to_string();
                    assert_eq!(error, format!("the body does not match the type {name}"));
                }
            }
        }
    }
    macro_rules! check {
        ($($body:ident),*) => {{
            let checked = [$(stringify!($body)),*];
            assert_eq!(BTreeSet::from(checked), bodies().into_keys().collect());
            $(check::<idenfy::$body>(stringify!($body));)*
        }};
    }
    check!(
        Identification,
        DocumentExpiration,
        FacialAuthentication,
        AgeEstimation,
        AccountCheck,
        AmlMonitoring,
        AmlMonitoringExpiration,
        BankVerification,
        BankCard,
        CompanySubmit,
        CompanyReview,
        CompanyAmlReview,
        CompanyInfoRequest,
        CompanyExpiration,
        CompanyDelete,
        GovOrderedDocument,
        SosReport
    );
}

#[test]
fn what_lacks_the_fields_of_an_event_is_not_one() {
    // It has the shape of no type: an event of a kind that is not known, for all that its body
    // says.
    const NONE: &str = "Other";
    for (body, error) in [
        ("{}", "the body has no fields"),
        ("", "the JSON of the body is truncated, at line 1 column 0"),
        ("not json", "the body is not JSON, at line 1 column 2"),
        ("null", "a value has the wrong type, at line 1 column 4"),
        ("[]", "a value has the wrong type, at line 1 column 0"),
        ("3", "a value has the wrong type, at line 1 column 1"),
        (r#"{"a":1,"b":2}"#, NONE),
        (r#"{"clientId":"c"}"#, NONE),
        (r#"{"id":7}"#, NONE),
        (r#"{"id":null}"#, NONE),
        // A field that no type knows, and none that is a mark of one.
        (r#"{"id":"i","more":1}"#, NONE),
        (r#"{"id":"i","status":"Success","more":1}"#, NONE),
        (r#"{"id":"i","status":"FINISHED","more":1}"#, NONE),
        (r#"{"id":"i","clientId":"c","more":1}"#, NONE),
        (r#"{"companyId":"i","date":"d","more":1}"#, NONE),
        // Parts of events.
        (r#"{"scanRef":"s","clientId":"c"}"#, NONE),
        (r#"{"scanRef":"s","status":"COMPLETED"}"#, NONE),
        (r#"{"scanRef":"s","status":{"code":7},"startTime":1}"#, NONE),
        (r#"{"final":true,"call":"c"}"#, NONE),
        (
            r#"{"scanRef":"s","final":true}"#,
            "the field `status` is missing, at line 1 column 28",
        ),
        (
            r#"{"final":true,"status":{"overall":"APPROVED"}}"#,
            "the field `scanRef` is missing, at line 1 column 46",
        ),
        (
            r#"{"scanRef":"s","final":true,"status":{}}"#,
            "status: the field `overall` is missing, at line 1 column 39",
        ),
        (
            r#"{"scanRef":"s","final":true,"status":{"overall":null}}"#,
            "status.overall: a value has the wrong type, at line 1 column 52",
        ),
        (
            r#"{"scanRef":"s","final":true,"status":"APPROVED"}"#,
            "status: a value has the wrong type, at line 1 column 47",
        ),
        (
            r#"{"scanRef":"s","status":"COMPLETED","outcome":"SUCCESS"}"#,
            "the field `occurredAt` is missing, at line 1 column 56",
        ),
        (
            r#"{"companyId":"i","date":"d","email":null,"manager":null,"status":"REQUESTED"}"#,
            "the field `token` is missing, at line 1 column 77",
        ),
        // The events of other providers.
        (
            r#"{"action":"completed","repository":{"id":1},"sender":{"login":"octocat"}}"#,
            NONE,
        ),
        (
            r#"{"id":"evt_1","object":"event","type":"charge.succeeded","data":{"object":{}},"created":1,"livemode":true}"#,
            NONE,
        ),
        (
            r#"{"event":"REVIEWED","userId":"u","userIdentifier":"c","type":"INDIVIDUAL","status":{"basic":"VERIFIED","poa":"VERIFIED"},"timeCreated":1687938817.611}"#,
            NONE,
        ),
        (
            r#"{"id":"3631324b","status":"PASSED","platform":"WEB","startTime":"2020-04-10T11:44:40Z","endTime":"2020-04-10T11:44:40Z","documentData":{},"nfcVerified":false}"#,
            NONE,
        ),
        (
            r#"{"type":"user.created","data":{"id":"u"},"timestamp":1}"#,
            NONE,
        ),
        (
            r#"{"token":"t","team_id":"T","type":"event_callback","event":{},"event_id":"E","event_time":1}"#,
            "the field `companyId` is missing, at line 1 column 92",
        ),
        (
            r#"{"id":820982911946154508,"email":"jon@example.com","token":"123456abcd","total_price":"1","name":"x"}"#,
            "the field `companyId` is missing, at line 1 column 101",
        ),
    ] {
        let names = events().map(|(name, _)| name).chain(UNKNOWN_KINDS);
        for event_type in [None].into_iter().chain(names.map(Some)) {
            let event = event(body.as_bytes(), event_type);
            let read = event.parse::<Event>().map(VerifiedEvent::into_payload);
            let said = read.map_or_else(|error| error.to_string(), |read| kind(&read).to_owned());
            // Under a name without a type, it need not have the shape of one.
            let of_later = event_type.is_some_and(|name| UNKNOWN_KINDS.contains(&name))
                && ["`occurredAt`", "`token`", "`companyId`"]
                    .iter()
                    .any(|field| error.contains(field));
            let expected = if of_later { NONE } else { error };
            assert_eq!(said, expected, "{event_type:?}: {body}");
        }
    }
    for file_name in
        std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/vectors/seeds/voveid")).unwrap()
    {
        let body = std::fs::read(file_name.unwrap().path()).unwrap();
        let read = event(&body, None).parse::<Event>().unwrap();
        assert_eq!(kind(read.payload()), "Other");
    }
}

#[test]
fn a_kind_that_is_not_known_is_other_and_never_an_error() {
    let secret = "Ada Lovelace";
    let bodies = [
        json!({"note": secret}),
        json!({"scanRef": "s", "clientId": "c", "agent": secret}),
        // Names of fields that other kinds have, with other types and alone.
        json!({"scanRef": "s", "status": "COMPLETED", "outcome": {"name": secret}}),
        json!({"scanRef": "s", "status": {"code": 7}, "startTime": secret}),
        json!({"scanRef": ["s"], "status": 7, "data": secret}),
        json!({"id": 7, "status": null, "manager": secret}),
        json!({"token": secret}),
        json!({"monitoringId": {"x": secret}}),
        json!({"id": "i", "clientId": secret}),
        json!({"id": "i"}),
        json!({"final": "yes", "call": secret}),
        json!({"event": {"type": "VIDEO_CALL", "scanRef": "s", "status": {"overall": "APPROVED"}}}),
    ];
    for body in bodies {
        for name in UNKNOWN_KINDS {
            let text = body.to_string();
            let event = event(text.as_bytes(), Some(name));
            let read = event.parse::<Event>();
            let read = read.unwrap_or_else(|error| panic!("{name}: {error}: {body}"));
            assert_eq!(read.payload(), &Event::Other(body.clone()), "{name}");
            assert_eq!(format!("{:?}", read.payload()), "Other(..)");
            assert_eq!(serde_json::to_value(read.payload()).unwrap(), body);
            let identity = event.parse::<Option<Identity>>().unwrap().into_payload();
            assert_eq!(identity, None, "{name}: {body}");
            let alone = event.parse::<Identity>().unwrap_err().to_string();
            assert!(
                alone.starts_with("the event is not about an identity"),
                "{alone}"
            );
            let error = event.parse::<idenfy::AccountCheck>().unwrap_err();
            assert_eq!(
                error.to_string(),
                "the body does not match the type AccountCheck"
            );
        }
    }
    // What says two things, or nothing, is of no kind.
    for body in [
        r#"{"note":1,"note":2}"#,
        r#"{"status":{"overall":"x"},"status":1}"#,
        "{}",
        "[1]",
        "7",
        "x",
    ] {
        for name in UNKNOWN_KINDS {
            let event = event(body.as_bytes(), Some(name));
            assert!(event.parse::<Event>().is_err(), "{body}");
            assert!(event.parse::<Option<Identity>>().is_err(), "{body}");
        }
    }
}

#[test]
fn whether_it_is_an_identification_the_body_alone_decides() {
    let approved = json!({"scanRef": "s", "final": true, "status": {"overall": "APPROVED"}});
    let mut bodies = vec![
        approved.clone(),
        json!({"scanRef": "s", "final": false, "status": {"overall": "DENIED"}}),
        json!({"scanRef": "s", "status": {"overall": "NEW"}}),
        // Contradictions.
        json!({"scanRef": "s", "final": true}),
        json!({"scanRef": "s", "final": true, "status": "APPROVED"}),
        json!({"scanRef": "s", "final": 1, "status": {"overall": "APPROVED"}}),
        json!({"scanRef": 7, "final": true, "status": {"overall": "APPROVED"}}),
        json!({"status": {"overall": "APPROVED"}}),
        json!({"scanRef": "s", "status": {"overall": null}}),
    ];
    // With the fields of another type it is one all the same.
    for (field, value) in [
        ("id", json!("i")),
        ("bank", json!("b")),
        ("token", json!("t")),
        ("monitoringId", json!("m")),
        ("note", json!(1)),
    ] {
        let mut body = approved.clone();
        body[field] = value;
        bodies.push(body);
    }
    let mut beside = approved;
    beside["id"] = json!("i");
    beside["bank"] = json!("b");
    beside["accounts"] = json!([]);
    bodies.push(beside);
    let mut identities = 0;
    for body in bodies {
        let text = body.to_string();
        let said = |name: Option<&str>| {
            let event = event(text.as_bytes(), name);
            let typed = event.parse::<Event>().map(VerifiedEvent::into_payload);
            let identity = event
                .parse::<Option<Identity>>()
                .map(VerifiedEvent::into_payload);
            (typed, identity)
        };
        let (typed, identity) = said(None);
        assert_ne!(identity, Ok(None), "{body}");
        assert_eq!(typed.is_ok(), identity.is_ok(), "{body}");
        identities += usize::from(identity.is_ok());
        let names = events().map(|(name, _)| name).chain(UNKNOWN_KINDS);
        for name in names.chain([""]) {
            assert_eq!(
                said(Some(name)),
                (typed.clone(), identity.clone()),
                "{name}: {body}"
            );
        }
    }
    assert_eq!(identities, 9);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Of a name that is not documented there is no error but for a body that is an identification
    /// and contradicts itself; and no name changes what is said of a person.
    #[test]
    fn no_header_changes_an_identity(
        fields in proptest::collection::btree_map(
            proptest::sample::select(&[
                "scanRef", "status", "final", "id", "clientId", "companyId", "token", "manager", "outcome", "occurredAt",
                "monitoringId", "data", "score", "bank", "more",
            ][..]),
            proptest::sample::select(vec![
                json!("text"), json!("APPROVED"), json!(true), json!(7), Value::Null, json!([]), json!({"overall": "APPROVED"}),
                json!({"overall": "DENIED"}), json!({"overall": 7}), json!({"code": 7}),
            ]),
            1..6,
        ),
        name in proptest::sample::select(&[
            "VIDEO_CALL_FINISHED", "X", "IDENTIFICATION", "AML_MONITORING", "BANK_VERIFICATION", "SOS_REPORT", "FACIAL_AUTHENTICATION",
        ][..]),
    ) {
        let body = json!(fields).to_string();
        let identity = |name: Option<&str>| {
            let read = event(body.as_bytes(), name).parse::<Option<Identity>>();
            read.map(VerifiedEvent::into_payload)
        };
        let plain = identity(None);
        prop_assert_eq!(&identity(Some(name)), &plain, "{}", body);
        let overall = fields.get("status").and_then(|status| status.get("overall"));
        let is_one = overall.is_some() || (fields.contains_key("scanRef") && fields.contains_key("final"));
        match &plain {
            Ok(None) | Err(_) => prop_assert_eq!(plain.is_err(), is_one, "{}", body),
            Ok(Some(_)) => prop_assert!(is_one, "{}", body),
        }
        if UNKNOWN_KINDS.contains(&name) {
            let typed = event(body.as_bytes(), Some(name)).parse::<Event>();
            let kind = typed.as_ref().map(|read| kind(read.payload()));
            match plain {
                Ok(None) => prop_assert_eq!(kind, Ok("Other"), "{}", body),
                Ok(Some(_)) => prop_assert_eq!(kind, Ok("Identification"), "{}", body),
                Err(_) => prop_assert!(typed.is_err(), "{}", body),
            }
        }
    }
}

#[test]
fn the_event_of_another_provider_is_not_one_of_these() {
    let body = file("seeds/idenfy/identification_manual_finished.approved.json");
    let github = Verifier::new(providers::github(), Secret::new(SECRET)).unwrap();
    let signer = Signer::new(providers::github(), Secret::new(SECRET)).unwrap();
    let (head, body) = signer.sign(Request::post("/"), body).unwrap().into_parts();
    let event = github.verify(&Head::from(&head), body, UNIX_EPOCH).unwrap();
    let expected = "it is an event of provider github, and the type is one of idenfy";
    assert_eq!(event.parse::<Event>().unwrap_err().to_string(), expected);
    let error = event.parse::<idenfy::Identification>().unwrap_err();
    assert_eq!(error.to_string(), expected);
}

#[test]
fn the_header_is_asked_only_where_the_body_says_next_to_nothing() {
    let named = |body: &Value| -> Vec<(&str, &str)> {
        let names = SCHEMA.events.keys().map(|name| &**name);
        names
            .chain(["", "sos_report", "X"])
            .filter_map(|name| Some((name, kind(&read(body, Some(name)).ok()?))))
            .filter(|(name, kind)| {
                // A name without a type, and none at all.
                let has_no_type = ["VIDEO_CALL_FINISHED", "sos_report", "X"].contains(name);
                assert_eq!(*kind == "Other", has_no_type, "{name}");
                !has_no_type
            })
            .collect()
    };
    assert_eq!(
        named(&json!({"id": "i"})),
        [
            ("BANK_VERIFICATION", "BankVerification"),
            ("COMPANY_EXPIRATION", "CompanyExpiration"),
            ("SOS_REPORT", "SosReport"),
        ]
    );
    assert_eq!(
        named(&json!({"id": "i", "status": "A_VALUE_OF_LATER"})),
        [
            ("BANK_CARD_VERIFICATION_COMPLETED", "BankCard"),
            ("FACIAL_AUTHENTICATION", "FacialAuthentication"),
            ("SOS_REPORT", "SosReport"),
        ]
    );
    for (status, expected) in [
        ("Success", "FacialAuthentication"),
        ("NO_MATCH", "BankCard"),
        ("TIMED_OUT", "SosReport"),
    ] {
        let body = json!({"id": "i", "status": status});
        assert_eq!(kind(&read(&body, None).unwrap()), expected);
        assert!(named(&body).iter().all(|(_, kind)| *kind == expected));
    }
}

// ---- Particular shapes ----

#[test]
fn older_bodies_are_read_too() {
    let older: idenfy::Identification = read(
        &json!({
            "final": false,
            "platform": "MOBILE_APP",
            "status": {
                "overall": "EXPIRED-DELETED",
                "suspicionReasons": ["FACE_SUSPECTED"],
                "denyReasons": ["a reason"],
                "fraudTags": ["UTILITY_ADDRESS_CHECK_FAILURE"],
                "mismatchTags": ["GDC_NOT_MATCH"],
                "autoFace": "FACE_NOT_MATCH",
                "manualFace": null,
                "autoDocument": "DOC_REJECTED",
                "pepsStatus": "NOT_CHECKED"
            },
            "data": {
                "docType": "INTERNATIONAL_PASSPORT",
                "manualAddress": "1 Example St",
                "manualAddressMatch": false,
                "registryCenterCheck": null,
                "addressVerification": {"status": "VERIFIED"}
            },
            "fileUrls": {"FRONT": "https://files.example.invalid/1", "BACK": null, "FACE": {"url": "x"}},
            "additionalSteps": {"UTILITY_BILL": {"pages": 2}, "SELFIE": "UPLOAD"},
            "aml": [{"serviceName": "PilotApiAmlV2", "data": []}],
            "lid": [{"serviceName": "IrdInvalidPapers", "data": []}],
            "scanRef": "s",
            "clientId": "c"
        }),
        None,
    )
    .unwrap();
    use idenfy::{DocType, DocumentStatus, FaceStatus, FraudTag, MismatchTag, Overall, StepKind};
    let status = older.status;
    assert_eq!(status.overall, Overall::ExpiredDeleted);
    assert_eq!(
        status.suspicion_reasons,
        Some(vec![FraudTag::FaceSuspected])
    );
    assert_eq!(status.deny_reasons, Some(vec!["a reason".to_owned()]));
    assert_eq!(
        status.fraud_tags,
        Some(vec![FraudTag::UtilityAddressCheckFailure])
    );
    assert_eq!(status.mismatch_tags, Some(vec![MismatchTag::GdcNotMatch]));
    let face = FaceStatus::Other("FACE_NOT_MATCH".to_owned());
    assert_eq!(status.auto_face, Some(face));
    assert_eq!(status.manual_face, None);
    let document = DocumentStatus::Other("DOC_REJECTED".to_owned());
    assert_eq!(status.auto_document, Some(document));
    assert_eq!(status.peps_status, Some(idenfy::AmlStatus::NotChecked));
    let data = older.data.unwrap();
    assert_eq!(data.doc_type, Some(DocType::InternationalPassport));
    assert_eq!(data.manual_address.as_deref(), Some("1 Example St"));
    assert_eq!(data.manual_address_match, Some(false));
    assert_eq!(data.registry_center_check, None);
    assert_eq!(
        data.address_verification,
        Some(json!({"status": "VERIFIED"}))
    );
    let front = (
        "FRONT".to_owned(),
        "https://files.example.invalid/1".to_owned(),
    );
    assert_eq!(older.file_urls, Some(BTreeMap::from([front])));
    let steps = [
        ("SELFIE".to_owned(), Some(StepKind::Upload)),
        ("UTILITY_BILL".to_owned(), None),
    ];
    assert_eq!(older.additional_steps, Some(BTreeMap::from(steps)));
    assert_eq!(older.aml.unwrap().len(), 1);
    assert_eq!(older.lid.unwrap().len(), 1);
    assert_eq!(older.is_final, Some(false));
    assert_eq!(older.scan_ref, "s");
    assert_eq!(older.company_id, None);
}

#[test]
fn what_can_have_several_shapes_is_told_by_its_fields() {
    use idenfy::{AmlEntry, Answer, RegistryCheck, SetBy};

    let text: fn(&Value) -> &'static str = |value| match AmlEntry::deserialize(value).unwrap() {
        AmlEntry::Hit(_) => "hit",
        AmlEntry::News(_) => "news",
        _ => "other",
    };
    let registry: fn(&Value) -> &'static str =
        |value| match RegistryCheck::deserialize(value).unwrap() {
            RegistryCheck::Hungary(_) => "hungary",
            RegistryCheck::Lithuania(_) => "lithuania",
            RegistryCheck::UnitedStates(_) => "us",
            _ => "other",
        };
    let answer: fn(&Value) -> &'static str = |value| match Answer::deserialize(value).unwrap() {
        Answer::Text(_) => "text",
        Answer::List(_) => "list",
        Answer::Truth(_) => "truth",
        _ => "other",
    };
    let by: fn(&Value) -> &'static str = |value| match SetBy::deserialize(value).unwrap() {
        SetBy::Manager(_) => "manager",
        _ => "other",
    };
    for (read, value, expected) in [
        (text, object("AmlHit", Rest::Null).into(), "hit"),
        (text, object("AmlHit", Rest::Full).into(), "hit"),
        (text, object("NewsHit", Rest::Null).into(), "news"),
        (text, object("NewsHit", Rest::Full).into(), "news"),
        (text, json!({"checkDate": "d"}), "hit"),
        (text, json!({"listName": "l", "url": "u"}), "hit"),
        (text, json!({"listName": 3}), "other"),
        (text, json!("text"), "other"),
        (
            registry,
            object("RegistryHungary", Rest::Full).into(),
            "hungary",
        ),
        (
            registry,
            object("RegistryLithuania", Rest::Full).into(),
            "lithuania",
        ),
        (registry, object("RegistryUs", Rest::Full).into(), "us"),
        (
            registry,
            json!({"resourceType": "LatviaRegistryCenterCheck"}),
            "other",
        ),
        (
            registry,
            json!({"resourceType": "Us15RegistryCenterCheck", "yob": "1991"}),
            "other",
        ),
        (registry, json!({"checkedMrz": "m"}), "other"),
        (registry, json!([1]), "other"),
        (answer, json!("yes"), "text"),
        (answer, json!([]), "list"),
        (answer, json!(["LT", "LV"]), "list"),
        (answer, json!(false), "truth"),
        (answer, json!(3.5), "other"),
        (answer, json!([1]), "other"),
        (by, object("Manager", Rest::Full).into(), "manager"),
        (by, json!({"name": "n"}), "other"),
        (by, json!("Sam"), "other"),
    ] {
        assert_eq!(read(&value), expected, "{value}");
    }
}
