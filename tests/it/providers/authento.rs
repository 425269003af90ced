//! Authento: the published samples under each variant and encoding, and the typed event.

use std::time::{Duration, UNIX_EPOCH};

use hmac::{Hmac, KeyInit, Mac};
use http::Request;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use support::{hex, vector_file};
use tower_webhook::{
    Payload, Provider, RejectionKind, Secret, Signer, VerifiedEvent, Verifier, providers,
    providers::authento::{Event, EventType, Status, UserType, VerificationStatus},
    verify::Head,
};

const SECRET: &str = "synthetic-authento-webhook-secret-01";

const FIRST: &str = "hmac-sha256";
const SECOND: &str = "sha256-body-secret";
const NAMED: &str = "unauthenticated-sha256";

fn verifier(variant: Option<&str>, secret: &str) -> Verifier {
    let provider = providers::authento();
    let provider = variant.map_or(provider.clone(), |name| {
        provider.select_variant(name).unwrap()
    });
    Verifier::new(provider, Secret::new(secret)).unwrap()
}

/// A verified event, signed without our own code.
fn event(body: impl AsRef<[u8]>) -> VerifiedEvent {
    let body = body.as_ref().to_vec();
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(&body);
    let headers = [("x-payload-digest", hex(mac.finalize().into_bytes()))];
    let verdict = verifier(None, SECRET).verify(&Head::new(&headers), body, UNIX_EPOCH);
    verdict.unwrap()
}

fn read<T: Payload>(event: &VerifiedEvent) -> Result<T, String> {
    let typed = event.parse().map_err(|error| error.to_string())?;
    Ok(typed.into_payload())
}

fn read_json(body: &Value) -> Result<Event, String> {
    read(&event(body.to_string()))
}

/// All that is read in a sample.
pub(super) fn reading(event: &VerifiedEvent) -> Value {
    let read: Event = read(event).unwrap();
    json!({
        "event": format!("{:?}", read.event),
        "user_id": read.user_id,
        "user_identifier": read.user_identifier,
        "type": format!("{:?}", read.user_type),
        "status": format!("{:?}", [Some(&read.status.basic), read.status.poa.as_ref()]),
        "time_created": read.time_created,
    })
}

fn sample(name: &str) -> Vec<u8> {
    vector_file(&format!("seeds/authento/{name}.json"))
}

#[test]
fn hex_and_base64_are_read_and_nothing_else_is() {
    let body = sample("reviewed.verified");
    let digest = "81aa98751a1287d5f2e3f8d6ac590f36f5a89e31bead170a818f7d4323ed6b62";
    let base64 = "gaqYdRoSh9Xy4/jWrFkPNvWonjG+rRcKgY99QyPta2I=";
    let verdict = |value: &str| {
        let headers = [("x-payload-digest", value)];
        let verdict = verifier(None, SECRET).verify(&Head::new(&headers), body.clone(), UNIX_EPOCH);
        verdict.map(drop).map_err(|rejection| rejection.kind())
    };
    for right in [digest, &digest.to_uppercase(), base64] {
        assert_eq!(verdict(right), Ok(()), "{right}");
    }
    for malformed in [
        "",
        &digest[1..],
        &format!("{digest}00"),
        &format!("sha256={digest}"),
        &digest.replace('f', "g"),
        // URL-safe, without padding, with spare bits.
        &base64.replace('/', "_").replace('+', "-"),
        base64.trim_end_matches('='),
        &base64.replace("2I=", "2J="),
    ] {
        let refused = Err(RejectionKind::MalformedSignature);
        assert_eq!(verdict(malformed), refused, "{malformed}");
    }
}

#[test]
fn the_digest_that_anybody_can_compute_counts_only_when_it_is_named() {
    let body = br#"{"event":"REVIEWED","userId":"x","status":{"basic":"VERIFIED"}}"#;
    let headers = [("x-payload-digest", hex(Sha256::digest(body)))];
    let kind = |variant| {
        let verifier = verifier(variant, SECRET);
        let verdict = verifier.verify(&Head::new(&headers), &body[..], UNIX_EPOCH);
        verdict.map(drop).map_err(|rejection| rejection.kind())
    };
    for keyed in [None, Some(FIRST), Some(SECOND)] {
        assert_eq!(
            kind(keyed),
            Err(RejectionKind::SignatureMismatch),
            "{keyed:?}"
        );
    }
    assert_eq!(kind(Some(NAMED)), Ok(()));
}
#[test]
fn variants_are_chosen_in_the_configuration() {
    let body = sample("reset");
    for (variant, secret, digest, expected) in [
        ("", SECRET, "hmac", Some(FIRST)),
        ("variant = \"hmac-sha256\"", SECRET, "hmac", Some(FIRST)),
        ("variant = \"sha256-body-secret\"", SECRET, "hmac", None),
        ("variant = \"unauthenticated-sha256\"", SECRET, "hmac", None),
        (
            "variant = \"unauthenticated-sha256\"",
            SECRET,
            "plain",
            Some(NAMED),
        ),
        ("", SECRET, "plain", None),
    ] {
        let config = format!(
            "[endpoints.wallet]\nprovider = \"authento\"\nsecret = {{ value = \"{secret}\" }}\n{variant}"
        );
        let config = tower_webhook::Config::from_toml_str(&config).unwrap();
        let verifier = config.endpoint("wallet").unwrap();
        let digest = match digest {
            "hmac" => "c6a36ebae554cf10e588416830e8170e6bcf9bdfd700f9d44d97b8ded37a2678",
            _ => "97fa94b6f16aa66942044f098bda679af77c7d532c33b45422c22d9f6fc43a0c",
        };
        let headers = [("x-payload-digest", digest)];
        let verdict = verifier.verify(&Head::new(&headers), body.clone(), UNIX_EPOCH);
        let matched = verdict.as_ref().ok().map(VerifiedEvent::variant);
        assert_eq!(matched, expected, "{variant}");
    }
}

#[test]
fn every_documented_word_has_a_name_in_each_spelling() {
    fn same<T: From<String> + PartialEq + std::fmt::Debug>(
        known: &[(T, &str, &[&str])],
        as_str: fn(&T) -> &str,
    ) {
        for (value, documented, others) in known {
            assert_eq!(as_str(value), *documented);
            assert_eq!(T::from((*documented).to_owned()), *value);
            for other in *others {
                assert_eq!(T::from((*other).to_owned()), *value);
            }
        }
        for unknown in ["", "Verified", "REVIEWED ", "ADDRRRESS_LINKED", "Company"] {
            let other = T::from(unknown.to_owned());
            assert_eq!(as_str(&other), unknown);
            assert!(known.iter().all(|(value, ..)| *value != other), "{unknown}");
        }
    }
    same(
        &[
            (EventType::PermissionGranted, "PERMISSION_GRANTED", &[]),
            (EventType::PermissionUpdated, "PERMISSION_UPDATED", &[]),
            (EventType::Init, "INIT", &[]),
            (EventType::Pending, "PENDING", &[]),
            (EventType::Reviewed, "REVIEWED", &[]),
            (EventType::OnHold, "ON_HOLD", &[]),
            (EventType::InfoUpdated, "INFO_UPDATED", &[]),
            (EventType::Reset, "RESET", &[]),
            (
                EventType::AddressLinked,
                "ADDRRESS_LINKED",
                &["ADDRESS_LINKED"],
            ),
            (
                EventType::AddressUnlinked,
                "ADDRRESS_UNLINKED",
                &["ADDRESS_UNLINKED"],
            ),
        ],
        EventType::as_str,
    );
    same(
        &[
            (UserType::Individual, "INDIVIDUAL", &["individual"]),
            (
                UserType::Corporate,
                "CORPORATE",
                &["corporate", "company", "COMPANY"],
            ),
        ],
        UserType::as_str,
    );
    same(
        &[
            (
                VerificationStatus::Unverified,
                "UNVERIFIED",
                &["unverified"],
            ),
            (
                VerificationStatus::Processing,
                "PROCESSING",
                &["processing"],
            ),
            (
                VerificationStatus::InfoRequired,
                "INFO_REQUIRED",
                &["info_required"],
            ),
            (VerificationStatus::Verified, "VERIFIED", &["verified"]),
            (VerificationStatus::Rejected, "REJECTED", &["rejected"]),
        ],
        VerificationStatus::as_str,
    );
}

#[test]
fn what_is_not_known_or_not_there_does_no_harm() {
    let least = json!({"event": "INIT", "userId": "u", "status": {"basic": "PROCESSING"}});
    let read = read_json(&least).unwrap();
    assert_eq!((&read.user_identifier, &read.user_type), (&None, &None));
    assert_eq!((&read.status.poa, read.time_created), (&None, None));
    assert_eq!(read.created_at(), None);
    let null = json!({
        "event": "INIT", "userId": "u", "userIdentifier": null, "type": null,
        "status": {"basic": "PROCESSING", "poa": null, "more": [1]}, "timeCreated": null,
        "more": {"event": "RESET"},
    });
    assert_eq!(read_json(&null), Ok(read));
}

#[test]
fn times_are_exact_to_the_microsecond() {
    let at = |time: Value| {
        let body =
            json!({"event": "INIT", "userId": "u", "status": {"basic": "x"}, "timeCreated": time});
        read_json(&body).unwrap().created_at()
    };
    for (time, micros) in [
        (json!(1_687_938_817.611), 1_687_938_817_611_000),
        (json!(1_767_604_999), 1_767_604_999_000_000),
        (json!(1_767_604_622.999_999_9), 1_767_604_623_000_000),
        (json!(0), 0),
        (json!(0.25), 250_000),
    ] {
        let expected = UNIX_EPOCH + Duration::from_micros(micros);
        assert_eq!(at(time.clone()), Some(expected), "{time}");
    }
    for nowhen in [json!(-1), json!(-0.25), json!(1e300), json!(1e19)] {
        assert_eq!(at(nowhen.clone()), None, "{nowhen}");
    }
}

#[test]
fn what_lacks_what_makes_it_an_event_is_none() {
    let whole = json!({"event": "INIT", "userId": "u", "status": {"basic": "PROCESSING"}});
    assert!(read_json(&whole).is_ok());
    let without = |field: &str, replacement: Option<Value>| {
        let mut body = whole.clone();
        body.as_object_mut().unwrap().remove(field);
        if let Some(value) = replacement {
            body[field] = value;
        }
        read_json(&body).unwrap_err()
    };
    for field in ["event", "userId", "status"] {
        let missing = format!("the field `{field}` is missing");
        assert!(without(field, None).starts_with(&missing), "{field}");
        for wrong in [Value::Null, json!(7), json!([])] {
            let error = without(field, Some(wrong));
            assert!(
                error.contains("wrong type") || error.contains("missing"),
                "{error}"
            );
        }
    }
    let error = without("status", Some(json!({"poa": "VERIFIED"})));
    assert!(
        error.starts_with("status: the field `basic` is missing"),
        "{error}"
    );
    assert!(without("status", Some(json!("VERIFIED"))).contains("wrong type"));
    assert!(
        read_json(&json!({}))
            .unwrap_err()
            .starts_with("the field `event` is missing")
    );
}

#[test]
fn an_event_that_is_not_documented_is_read_whatever_it_lacks() {
    let nothing = VerificationStatus::Other(String::new());
    for body in [
        json!({"event": "SOMETHING_NEW"}),
        json!({"event": "SOMETHING_NEW", "userId": null, "status": null}),
        json!({"event": "SOMETHING_NEW", "userId": 7, "userIdentifier": [], "type": {}, "status": "VERIFIED", "timeCreated": "now"}),
        json!({"event": "SOMETHING_NEW", "status": ["VERIFIED", "VERIFIED"]}),
        json!({"event": "SOMETHING_NEW", "status": {"basic": {}, "poa": 7}, "name": "Ada Lovelace"}),
    ] {
        let read = read_json(&body).unwrap_or_else(|error| panic!("{error}: {body}"));
        assert_eq!(read.event, EventType::Other("SOMETHING_NEW".to_owned()));
        assert_eq!(
            (&*read.user_id, &read.user_identifier),
            ("", &None),
            "{body}"
        );
        assert_eq!(
            (&read.status.basic, &read.status.poa),
            (&nothing, &None),
            "{body}"
        );
        assert_eq!(
            (&read.user_type, read.time_created),
            (&None, None),
            "{body}"
        );
        assert!(!format!("{read:?}").contains("Ada"));
    }
    // What is there is kept.
    let some = json!({
        "event": "SOMETHING_NEW", "userId": "u", "userIdentifier": "c", "type": "INDIVIDUAL", "timeCreated": 1.5,
        "status": {"poa": "VERIFIED"},
    });
    let read = read_json(&some).unwrap();
    assert_eq!(
        (&*read.user_id, read.user_identifier.as_deref()),
        ("u", Some("c"))
    );
    assert_eq!(read.user_type, Some(UserType::Individual));
    assert_eq!(
        (read.status.poa, read.time_created),
        (Some(VerificationStatus::Verified), Some(1.5))
    );
}

#[test]
fn bodies_of_other_providers_are_none() {
    for body in [
        r#"{"status":"successful","refId":"r","userId":"r"}"#,
        r#"{"status":"NO_MATCH","refId":"r"}"#,
        r#"{"final":true,"scanRef":"s","status":{"overall":"APPROVED"},"data":{}}"#,
        r#"{"id":"x","status":"PASSED","documentData":{"documentType":"PP"}}"#,
        r#"{"type":"applicantReviewed","applicantId":"a","reviewStatus":"completed"}"#,
        "--b\r\nContent-Disposition: form-data; name=\"result\"\r\n\r\n{}\r\n--b--\r\n",
        "[]",
        "null",
        "",
    ] {
        assert!(read::<Event>(&event(body)).is_err(), "{body}");
    }
    // The same body, proven to come from somebody else.
    for other in ["github", "voveid"] {
        let event = event_of(
            providers::by_name(other).unwrap(),
            &sample("reviewed.verified"),
        );
        assert_eq!(
            read::<Event>(&event),
            Err(format!(
                "it is an event of provider {other}, and the type is one of authento"
            ))
        );
    }
}

fn event_of(provider: Provider, body: &[u8]) -> VerifiedEvent {
    let secret = Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    let signer = Signer::new(provider.clone(), secret.clone()).unwrap();
    let request = signer
        .with_time(UNIX_EPOCH)
        .sign(Request::post("/"), body.to_vec());
    let (head, body) = request.unwrap().into_parts();
    let verifier = Verifier::new(provider, secret).unwrap();
    verifier
        .verify(&Head::from(&head), body, UNIX_EPOCH)
        .unwrap()
}

#[test]
fn no_error_quotes_the_body() {
    let marker = "MARKER";
    for wrong in [
        json!(marker),
        json!([marker]),
        json!({"basic": [marker]}),
        json!({marker: marker}),
    ] {
        for field in [
            "event",
            "userId",
            "userIdentifier",
            "type",
            "status",
            "timeCreated",
        ] {
            let mut body = json!({
                "event": "INIT", "userId": marker, "userIdentifier": marker, "type": marker,
                "status": {"basic": "PROCESSING"}, "timeCreated": 1.5,
            });
            body[field] = wrong.clone();
            if let Err(error) = read_json(&body) {
                assert!(!error.contains(marker), "{error}");
            } else {
                let decides = !["userIdentifier", "timeCreated"].contains(&field);
                assert!(wrong.is_string() || !decides, "{field}: {wrong}");
            }
        }
    }
}

#[test]
fn a_status_can_be_compared_as_a_whole() {
    let read: Event = read(&event(sample("reviewed.verified"))).unwrap();
    let Status { basic, poa, .. } = read.status.clone();
    assert_eq!(poa, Some(basic));
    let again: Event = self::read(&event(sample("reviewed.verified.pretty"))).unwrap();
    assert_eq!(read, again);
}
