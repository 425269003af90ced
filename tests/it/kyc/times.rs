//! Didit sends the time in a header that nothing signs, and in the signed body.

use std::time::Duration;

use http::Request;
use serde_json::json;
use support::{NOW, at};
use tower_webhook::{
    Identity, NoteKind, Outcome, RejectionKind, Secret, Signer, Verifier, providers, verify::Head,
};

use super::data::SECRET;

/// The verdict on a request with these times, and the signed time of the event.
fn verdict(header: u64, body: &serde_json::Value) -> Result<Option<u64>, RejectionKind> {
    let secret = || Secret::new(SECRET);
    let signer = Signer::new(providers::didit(), secret()).unwrap();
    let request = signer
        .with_time(at(header))
        .sign(Request::post("/"), body.to_string());
    let (head, body) = request.unwrap().into_parts();
    let verifier = Verifier::new(providers::didit(), secret()).unwrap();
    let event = verifier.verify(&Head::from(&head), body, at(NOW));
    let event = event.map_err(|rejection| rejection.kind())?;
    let seconds = |time: std::time::SystemTime| time.duration_since(at(0)).unwrap().as_secs();
    Ok(event.timestamp().map(seconds))
}

#[test]
fn a_time_in_the_signed_body_counts() {
    use RejectionKind::{MalformedTimestamp, MissingField, TimestampInFuture, TimestampTooOld};
    let late = NOW - 301;
    for (header, body, expected) in [
        (NOW, json!({ "timestamp": NOW }), Ok(Some(NOW))),
        (NOW, json!({ "timestamp": NOW - 300 }), Ok(Some(NOW - 300))),
        (NOW, json!({ "timestamp": NOW.to_string() }), Ok(Some(NOW))),
        // A request that was captured, with a fresh header.
        (NOW, json!({ "timestamp": late }), Err(TimestampTooOld)),
        (
            NOW,
            json!({ "timestamp": NOW + 301 }),
            Err(TimestampInFuture),
        ),
        (late, json!({ "timestamp": NOW }), Err(TimestampTooOld)),
        (NOW, json!({ "timestamp": -5 }), Err(MalformedTimestamp)),
        (NOW, json!({ "timestamp": "soon" }), Err(MalformedTimestamp)),
        (NOW, json!({ "timestamp": true }), Err(MalformedTimestamp)),
        // An event has one, or else it could be sent again for ever.
        (
            NOW,
            json!({ "webhook_type": "status.updated" }),
            Err(MissingField),
        ),
        (
            NOW,
            json!({ "webhook_type": "status.updated", "timestamp": null }),
            Err(MissingField),
        ),
        (
            NOW,
            json!({ "webhook_type": "status.updated", "timestamp": NOW }),
            Ok(Some(NOW)),
        ),
        // This is none.
        (NOW, json!({}), Ok(None)),
        (NOW, json!({ "timestamp": null }), Ok(None)),
        (NOW, json!({ "data": { "timestamp": late } }), Ok(None)),
        (late, json!({}), Err(TimestampTooOld)),
    ] {
        assert_eq!(verdict(header, &body), expected, "{header} {body}");
    }
}

#[test]
fn another_tolerance_is_one_of_both_times() {
    let provider = providers::didit();
    let verifier = Verifier::new(provider.clone(), Secret::new(SECRET)).unwrap();
    let notes = verifier.notes();
    assert!(
        notes
            .iter()
            .all(|note| note.kind() != NoteKind::UnsignedTimestamp)
    );
    let signer = Signer::new(provider, Secret::new(SECRET)).unwrap();
    let body = json!({ "timestamp": NOW - 400 }).to_string();
    let request = signer.with_time(at(NOW)).sign(Request::post("/"), body);
    let (head, body) = request.unwrap().into_parts();
    for (tolerance, expected) in [(399, false), (400, true)] {
        let verifier = verifier
            .clone()
            .with_tolerance(Duration::from_secs(tolerance));
        let event = verifier.verify(&Head::from(&head), body.clone(), at(NOW));
        assert_eq!(event.is_ok(), expected, "{tolerance}");
    }
}

#[test]
fn a_time_that_is_there_twice_is_none() {
    let secret = || Secret::new(SECRET);
    let signer = Signer::new(providers::didit(), secret()).unwrap();
    let body = format!(
        r#"{{"timestamp":{},"webhook_type":"status.updated","time\u0073tamp":{NOW}}}"#,
        NOW - 4_000
    );
    let request = signer.with_time(at(NOW)).sign(Request::post("/"), body);
    let (head, body) = request.unwrap().into_parts();
    let verifier = Verifier::new(providers::didit(), secret()).unwrap();
    let event = verifier.verify(&Head::from(&head), body, at(NOW));
    assert_eq!(event.unwrap_err().kind(), RejectionKind::MissingField);
}

#[test]
fn the_time_that_is_signed_is_set_in_the_body_as_a_number() {
    for provider in [providers::didit(), providers::didit_raw()] {
        let signer = Signer::new(provider.clone(), Secret::new(SECRET)).unwrap();
        let verifier = Verifier::new(provider, Secret::new(SECRET)).unwrap();
        let signer = signer.with_time(at(NOW));
        for (old, new) in [
            (json!({}), json!(NOW)),
            (json!({ "timestamp": null }), json!(NOW)),
            (json!({ "timestamp": NOW - 4_000 }), json!(NOW)),
            (json!({ "timestamp": "1" }), json!(NOW.to_string())),
        ] {
            let mut body = old;
            body["webhook_type"] = json!("status.updated");
            let request = Request::post("/");
            let signed = signer.sign_body(request, body.to_string()).unwrap();
            let (head, signed) = signed.into_parts();
            let set: serde_json::Value = serde_json::from_slice(&signed).unwrap();
            assert_eq!(set["timestamp"], new, "{body}");
            let event = verifier.verify(&Head::from(&head), signed, at(NOW));
            assert_eq!(event.unwrap().timestamp(), Some(at(NOW)), "{body}");
        }
    }
}

/// All three ways of Didit to sign the whole body prove the same decision.
#[test]
fn each_signature_of_the_whole_body_has_the_identity() {
    let body = json!({
        "webhook_type": "status.updated", "session_id": "s1", "status": "Approved", "vendor_data": "7",
        "workflow_id": "w", "environment": "live", "timestamp": NOW,
    });
    for name in ["didit", "didit-raw", "didit-v2"] {
        let provider = providers::by_name(name).unwrap();
        let signer = Signer::new(provider.clone(), Secret::new(SECRET)).unwrap();
        let signed = signer
            .with_time(at(NOW))
            .sign_body(Request::post("/"), body.to_string());
        let (head, signed) = signed.unwrap().into_parts();
        let verifier = Verifier::new(provider, Secret::new(SECRET)).unwrap();
        let event = verifier
            .verify(&Head::from(&head), signed, at(NOW))
            .unwrap();
        let identity = event.parse::<Identity>().unwrap();
        assert_eq!(identity.payload().outcome(), Outcome::Approved, "{name}");
    }
}
