//! VOVE ID's bodies as types: what is read, and what is not taken for one.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::Request;
use serde_json::{Value, json};
use support::vector_file;
use tower_webhook::{
    Identity, Payload, Provider, Secret, Signer, VerifiedEvent, Verifier, providers,
    providers::voveid::{Aml, AmlStatus, Event, Kyb, KybStatus, Kyc, KycStatus},
    verify::Head,
};

use super::samples::expected;

const SECRET: &str = "whsec_om0EjdB1c8IeEObkRobdYxu0YANtCT3E";
const FAMILIES: [&str; 3] = ["kyc", "aml", "kyb"];

fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_767_604_630)
}

/// A verified event with this body, from `provider`.
fn event_of(provider: Provider, body: &[u8]) -> VerifiedEvent {
    let secret = Secret::new(SECRET);
    let signer = Signer::new(provider.clone(), secret.clone()).unwrap();
    let request = signer
        .with_time(now())
        .sign(Request::post("/"), body.to_vec());
    let (head, body) = request.unwrap().into_parts();
    let verifier = Verifier::new(provider, secret).unwrap();
    verifier.verify(&Head::from(&head), body, now()).unwrap()
}

fn event(body: impl AsRef<[u8]>) -> VerifiedEvent {
    event_of(providers::voveid(), body.as_ref())
}

fn event_for(family: &'static str, body: impl AsRef<[u8]>) -> VerifiedEvent {
    event_of(
        providers::voveid().with_param("family", family),
        body.as_ref(),
    )
}

fn read<T: Payload>(event: &VerifiedEvent) -> Result<T, String> {
    event
        .parse()
        .map(VerifiedEvent::into_payload)
        .map_err(|error| error.to_string())
}

/// The family and every field, as text: the types cannot be built outside of their crate.
fn fields(event: &Event) -> (&'static str, Vec<&str>) {
    let or_none = |text: &'_ Option<String>| text.as_ref().map_or("none", |_| "some");
    match event {
        Event::Kyc(Kyc {
            status,
            ref_id,
            user_id,
            ..
        }) => {
            assert!(user_id.as_ref().is_none_or(|user| user == ref_id));
            ("kyc", vec![status.as_str(), ref_id, or_none(user_id)])
        }
        Event::Aml(Aml { status, ref_id, .. }) => ("aml", vec![status.as_str(), ref_id]),
        Event::Kyb(Kyb {
            status,
            previous_status,
            ref_id,
            reason,
            ..
        }) => (
            "kyb",
            vec![
                status.as_str(),
                previous_status.as_str(),
                ref_id,
                or_none(reason),
            ],
        ),
        Event::Other(_) => ("other", Vec::new()),
        _ => panic!("a family that this test does not know"),
    }
}

/// The family of a sample, and every field.
pub(super) fn reading(event: &VerifiedEvent) -> Value {
    let read: Event = read(event).unwrap();
    let (family, fields) = fields(&read);
    json!({ "family": family, "fields": fields })
}

/// Every body of the published samples, its family and its fields.
fn samples() -> impl Iterator<Item = (String, String, Vec<String>)> {
    expected("voveid").into_iter().map(|(file, reading)| {
        let name = file.trim_end_matches(".json").to_owned();
        let (family, fields) = serde_json::from_value::<(String, Vec<String>)>(json!([
            reading["payload"]["family"],
            reading["payload"]["fields"],
        ]))
        .unwrap();
        (name, family, fields)
    })
}

fn sample(name: &str) -> Vec<u8> {
    vector_file(&format!("seeds/voveid/{name}.json"))
}

/// The sample with a status that is not documented.
const UNKNOWN: &str = "kyc.unknown_status";

#[test]
fn every_sample_is_read_as_its_family_and_no_other() {
    for (name, family, expected) in samples() {
        let body = sample(&name);
        let untold: Event = read(&event(&body)).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(
            fields(&untold),
            (&*family, expected.iter().map(|field| &**field).collect()),
            "{name}"
        );
        for told in FAMILIES {
            // A status that nobody knows yet belongs to the family that the endpoint is for.
            if name == UNKNOWN && told == "aml" {
                continue;
            }
            let read = read::<Event>(&event_for(told, &body));
            if name == UNKNOWN && told == "kyb" {
                // And without a previous status it is of none of the kinds that have a published
                // body.
                assert_eq!(fields(&read.unwrap()).0, "other");
            } else if told == family {
                assert_eq!(read, Ok(untold.clone()), "{name}");
            } else {
                let message = format!("the body does not belong to family {told}");
                assert_eq!(read, Err(message), "{name}");
            }
        }
    }
}

#[test]
fn a_new_status_is_read_as_the_family_of_the_endpoint() {
    let body = sample(UNKNOWN);
    for (family, expected) in [("kyc", "Kyc"), ("aml", "Aml")] {
        let read: Event = read(&event_for(family, &body)).unwrap();
        assert!(format!("{read:?}").starts_with(expected), "{read:?}");
        assert!(
            format!("{read:?}").contains(r#"Other("archived")"#),
            "{read:?}"
        );
    }
    let other: Event = read(&event_for("kyb", &body)).unwrap();
    assert_eq!(fields(&other).0, "other");
}

#[test]
fn a_kind_that_is_not_known_is_other_and_never_an_error() {
    let secret = "Ada Lovelace";
    for (body, families) in [
        // As the four older KYB events may look.
        (json!({"refId": "c", "caseId": secret}), &FAMILIES[..]),
        (
            json!({"status": null, "refId": "c", "caseId": secret}),
            &FAMILIES,
        ),
        (
            json!({"type": "kyb.ubo.invited", "data": {"email": secret, "status": "successful"}}),
            &FAMILIES,
        ),
        (
            json!({"event": "kyb.case.status.changed", "refId": 7, "previousStatus": {"a": secret}, "userId": []}),
            &FAMILIES,
        ),
        (
            json!({"newStatus": "COMPLETED", "previousStatus": "IN_REVIEW", "refId": "c"}),
            &FAMILIES,
        ),
        (json!({"status": "INVITED", "email": secret}), &FAMILIES),
        (
            json!({"status": "INVITED", "refId": {"id": secret}}),
            &FAMILIES,
        ),
        (
            json!({"status": "invited", "refId": "c", "reason": [secret], "userId": "u"}),
            &FAMILIES,
        ),
        (
            json!({"status": "NOT_STARTED", "refId": "c", "name": secret}),
            &["kyb"],
        ),
        (json!({"status": "COMPLETED", "uboId": secret}), &["kyb"]),
        (
            json!({"status": "INVITED", "refId": "c", "email": secret}),
            &["kyb"],
        ),
        (json!({"anything": null}), &FAMILIES),
        (json!({"Status": "successful", "refId": "r"}), &FAMILIES),
    ] {
        let text = body.to_string();
        let untold = (families.len() == 3 || body.get("status") != Some(&json!("INVITED")))
            .then(|| event(&text));
        let told = families.iter().map(|family| event_for(family, &text));
        for event in told.chain(untold) {
            let other: Event = read(&event).unwrap_or_else(|error| panic!("{error}: {text}"));
            assert_eq!(other, Event::Other(body.clone()), "{text}");
            assert_eq!(format!("{other:?}"), "Other(..)");
            assert_eq!(read::<Option<Identity>>(&event), Ok(None), "{text}");
            let alone = read::<Identity>(&event).unwrap_err();
            assert!(
                alone.starts_with("the event is not about an identity"),
                "{alone}"
            );
            let none = |family: &str| Err(format!("the body does not belong to family {family}"));
            assert_eq!(read::<Kyc>(&event).map(|_| ()), none("kyc"));
            assert_eq!(read::<Aml>(&event).map(|_| ()), none("aml"));
            assert_eq!(read::<Kyb>(&event).map(|_| ()), none("kyb"));
        }
    }
}

#[test]
fn a_body_that_contradicts_its_kind_is_an_error() {
    for (family, body) in [
        (Some("kyc"), r#"{"status":"NO_MATCH","refId":"r"}"#),
        (Some("kyc"), r#"{"status":"REJECTED","refId":"r"}"#),
        (Some("kyc"), r#"{"status":"NOT_STARTED","refId":"r"}"#),
        (
            Some("kyc"),
            r#"{"status":"COMPLETED","refId":"r","previousStatus":"IN_REVIEW"}"#,
        ),
        (
            Some("kyc"),
            r#"{"status":"PAUSED","refId":"r","previousStatus":"IN_REVIEW"}"#,
        ),
        (
            Some("kyc"),
            r#"{"status":"successful","refId":"r","previousStatus":"pending"}"#,
        ),
        (Some("aml"), r#"{"status":"successful","refId":"r"}"#),
        (Some("aml"), r#"{"status":"COMPLETED","refId":"r"}"#),
        (Some("kyb"), r#"{"status":"successful","refId":"r"}"#),
        (Some("kyb"), r#"{"status":"CLEARED","refId":"r"}"#),
        (
            None,
            r#"{"status":"successful","refId":"r","previousStatus":"pending"}"#,
        ),
        (None, r#"{"status":"successful","refId":7}"#),
        (None, r#"{"status":"successful","refId":"r","userId":[]}"#),
        (None, r#"{"status":{"basic":"successful"},"refId":"r"}"#),
        (
            None,
            r#"{"status":"new","status":"successful","refId":"r"}"#,
        ),
        (
            None,
            r#"{"status":"successful","status":"new","refId":"r"}"#,
        ),
        (None, r#"{"note":1,"note":2}"#),
    ] {
        let event = family.map_or_else(|| event(body), |family| event_for(family, body));
        assert!(read::<Event>(&event).is_err(), "{family:?}: {body}");
        assert!(
            read::<Option<Identity>>(&event).is_err(),
            "{family:?}: {body}"
        );
    }
}

#[test]
fn each_family_has_a_type_of_its_own() {
    for (name, family, _) in samples() {
        let body = sample(&name);
        let event = event(&body);
        let whole: Event = read(&event).unwrap();
        let other = |wanted: &str| Err(format!("the body does not belong to family {wanted}"));
        let as_kyc = read::<Kyc>(&event).map(Event::Kyc);
        let as_aml = read::<Aml>(&event).map(Event::Aml);
        let as_kyb = read::<Kyb>(&event).map(Event::Kyb);
        for (wanted, read) in [("kyc", as_kyc), ("aml", as_aml), ("kyb", as_kyb)] {
            let expected = if wanted == family {
                Ok(whole.clone())
            } else {
                other(wanted)
            };
            assert_eq!(read, expected, "{name} as {wanted}");
        }
        if name == UNKNOWN {
            continue;
        }
        // The family of the endpoint holds for these types too.
        let told = event_for(if family == "kyc" { "aml" } else { "kyc" }, &body);
        assert!(
            read::<Kyc>(&told).is_err()
                && read::<Aml>(&told).is_err()
                && read::<Kyb>(&told).is_err()
        );
    }
}

#[test]
fn every_documented_status_has_a_name() {
    let status = |text: &str, previous: bool| {
        let previous = if previous {
            r#","previousStatus":"NOT_STARTED""#
        } else {
            ""
        };
        read::<Event>(&event(format!(
            r#"{{"status":"{text}","refId":"r"{previous}}}"#
        )))
        .unwrap()
    };
    for (text, expected) in [
        ("in_progress", KycStatus::InProgress),
        ("pending", KycStatus::Pending),
        ("successful", KycStatus::Successful),
        ("suspected", KycStatus::Suspected),
        ("on_hold", KycStatus::Other("on_hold".to_owned())),
    ] {
        let Event::Kyc(kyc) = status(text, false) else {
            panic!("{text}")
        };
        assert_eq!(kyc.status, expected);
        assert_eq!(kyc.status.as_str(), text);
    }
    for (text, expected) in [
        ("NO_MATCH", AmlStatus::NoMatch),
        ("IN_REVIEW", AmlStatus::InReview),
        ("CLEARED", AmlStatus::Cleared),
        ("REJECTED", AmlStatus::Rejected),
        ("ESCALATED", AmlStatus::Other("ESCALATED".to_owned())),
    ] {
        let Event::Aml(aml) = status(text, false) else {
            panic!("{text}")
        };
        assert_eq!(aml.status, expected);
        assert_eq!(aml.status.as_str(), text);
    }
    for (text, expected) in [
        ("NOT_STARTED", KybStatus::NotStarted),
        ("IN_PROGRESS", KybStatus::InProgress),
        ("IN_REVIEW", KybStatus::InReview),
        ("COMPLETED", KybStatus::Completed),
        ("REJECTED", KybStatus::Rejected),
        ("archived", KybStatus::Other("archived".to_owned())),
    ] {
        let Event::Kyb(kyb) = status(text, true) else {
            panic!("{text}")
        };
        assert_eq!(kyb.status, expected);
        assert_eq!(kyb.status.as_str(), text);
        assert_eq!(kyb.previous_status, KybStatus::NotStarted);
    }
}

#[test]
fn absent_null_and_unknown_fields_do_no_harm() {
    for (body, family, expected) in [
        (
            r#"{"status":"pending","refId":"r","userId":null}"#,
            "kyc",
            &["pending", "r", "none"][..],
        ),
        (
            r#"{"status":"pending","refId":null,"userId":"u"}"#,
            "kyc",
            &["pending", "u", "some"],
        ),
        (
            r#"{"status":"pending","refId":"r","previousStatus":null}"#,
            "kyc",
            &["pending", "r", "none"],
        ),
        (
            r#"{"status":"CLEARED","refId":"r","previousStatus":null,"reason":null}"#,
            "aml",
            &["CLEARED", "r"],
        ),
        (
            r#"{"status":"REJECTED","refId":"r","previousStatus":"IN_REVIEW","reason":null}"#,
            "kyb",
            &["REJECTED", "IN_REVIEW", "r", "none"],
        ),
        (
            r#"{"later":{"deep":[1,{"x":null}]},"status":"pending","refId":"r","more":1.5e300}"#,
            "kyc",
            &["pending", "r", "none"],
        ),
        (
            r#"{"status":"IN_REVIEW","refId":"r","previousStatus":"PAUSED","status_":"x","ubo":[]}"#,
            "kyb",
            &["IN_REVIEW", "PAUSED", "r", "none"],
        ),
    ] {
        let read: Event = read(&event(body)).unwrap_or_else(|error| panic!("{body}: {error}"));
        assert_eq!(
            fields(&read),
            (family, expected.iter().map(|field| &**field).collect()),
            "{body}"
        );
    }
    let body = r#"{"status":"REJECTED","refId":"r","previousStatus":"IN_REVIEW","reason":"DOCUMENT_MISMATCH"}"#;
    let kyb: Kyb = read(&event(body)).unwrap();
    assert_eq!(kyb.reason.as_deref(), Some("DOCUMENT_MISMATCH"));
}

#[test]
fn what_lacks_the_fields_of_an_event_is_not_one() {
    for (body, error) in [
        ("{}", "the field `status` is missing, at line 1 column 2"),
        ("", "the JSON of the body is truncated, at line 1 column 0"),
        ("not json", "the body is not JSON, at line 1 column 2"),
        (r#"{"status":"successful"}"#, "the field `refId` is missing"),
        (r#"{"status":"NO_MATCH"}"#, "the field `refId` is missing"),
        (
            r#"{"status":"NO_MATCH","userId":"u"}"#,
            "the field `refId` is missing",
        ),
        (
            r#"{"status":"COMPLETED","previousStatus":"IN_REVIEW"}"#,
            "the field `refId` is missing",
        ),
        (
            r#"{"status":"successful","refId":null}"#,
            "the field `refId` is missing",
        ),
        (
            r#"{"status":1,"refId":"r"}"#,
            "status: a value has the wrong type, at line 1 column 11",
        ),
        // An event of Authento and of iDenfy. One of GitHub has nothing in it that could
        // contradict: it is of no known kind.
        (
            r#"{"event":"REVIEWED","userId":"u","status":{"basic":"VERIFIED"}}"#,
            "status: a value has the wrong type, at line 1 column 42",
        ),
        (
            r#"{"final":true,"status":{"overall":"APPROVED"},"scanRef":"s"}"#,
            "status: a value has the wrong type, at line 1 column 23",
        ),
    ] {
        assert_eq!(
            read::<Event>(&event(body)),
            Err(error.to_owned()),
            "{body:?}"
        );
        assert!(read::<Kyc>(&event(body)).is_err(), "{body:?}");
        assert!(read::<Aml>(&event(body)).is_err(), "{body:?}");
        assert!(read::<Kyb>(&event(body)).is_err(), "{body:?}");
        for family in FAMILIES {
            assert!(
                read::<Event>(&event_for(family, body)).is_err(),
                "{family}: {body:?}"
            );
        }
    }
}

#[test]
fn the_event_of_another_provider_is_not_one_of_these() {
    let body = sample("kyc.successful");
    for provider in support::FOUNDING
        .into_iter()
        .filter(|name| *name != "voveid")
    {
        let mut other = providers::by_name(provider).unwrap();
        if provider == "authenteq" {
            other = other.with_param("client_id", "client-7");
        }
        let event = event_of(other, &body);
        let error = format!("it is an event of provider {provider}, and the type is one of voveid");
        assert_eq!(read::<Event>(&event), Err(error.clone()));
        assert_eq!(read::<Kyc>(&event), Err(error.clone()));
        assert_eq!(read::<Aml>(&event), Err(error.clone()));
        assert_eq!(read::<Kyb>(&event), Err(error));
    }
}

#[test]
fn a_body_that_says_two_things_is_not_read() {
    for body in [
        r#"{"status":"pending","status":"successful","refId":"r"}"#,
        r#"{"status":"successful","refId":"r","refId":"s"}"#,
    ] {
        assert!(read::<Event>(&event(body)).is_err(), "{body}");
    }
}

#[test]
fn debug_shows_status_and_ids() {
    for (body, text) in [
        (
            r#"{"status":"successful","refId":"r-1","userId":"r-1","name":"Ada"}"#,
            r#"Kyc(Kyc { status: Successful, ref_id: "r-1", user_id: Some("r-1") })"#,
        ),
        (
            r#"{"status":"new_one","refId":"r-1","birthday":"1815-12-10"}"#,
            r#"Kyc(Kyc { status: Other("new_one"), ref_id: "r-1", user_id: None })"#,
        ),
        (
            r#"{"status":"IN_REVIEW","refId":"r-2","hit":"Ada"}"#,
            r#"Aml(Aml { status: InReview, ref_id: "r-2" })"#,
        ),
        (
            r#"{"status":"REJECTED","refId":"c-3","previousStatus":"IN_REVIEW","reason":"DOCUMENT_MISMATCH","owner":"Ada"}"#,
            r#"Kyb(Kyb { status: Rejected, previous_status: InReview, ref_id: "c-3", .. })"#,
        ),
    ] {
        let event = event_for(family_in(text), body);
        assert_eq!(format!("{:?}", read::<Event>(&event).unwrap()), text);
        let length = body.len();
        assert_eq!(
            format!("{:?}", event.parse::<Event>().unwrap()),
            format!(
                r#"VerifiedEvent {{ provider: "voveid", endpoint: None, tenant: None, variant: "hmac-sha256", key_id: None, bytes: {length}, .. }}"#
            )
        );
    }
}

fn family_in(debug: &str) -> &'static str {
    match debug.get(..3) {
        Some("Kyc") => "kyc",
        Some("Aml") => "aml",
        _ => "kyb",
    }
}

#[test]
fn the_status_is_the_event_type_and_the_id_is_signed() {
    for (name, _, fields) in samples() {
        let event = event(sample(&name));
        assert_eq!(
            event.event_type(),
            fields.first().map(|field| &**field),
            "{name}"
        );
        assert!(
            event.delivery_id().is_some_and(|id| id.starts_with("msg_")),
            "{name}"
        );
        assert_eq!(event.timestamp(), Some(now()), "{name}");
    }
}
