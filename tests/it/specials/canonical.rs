//! Senders that sign JSON as they would write it, and not as they send it.

use std::collections::BTreeMap;

use http::Request;
use serde::Deserialize;
use support::{NOW, at, vector_file};
use tower_webhook::{Config, RejectionKind, VerifiedEvent, verify::Head};

use crate::vectors::quoted;

#[derive(Deserialize)]
struct Made {
    vectors: Vec<Vector>,
}

/// A request that JavaScript has signed.
#[derive(Clone, Deserialize)]
struct Vector {
    id: String,
    note: String,
    now: u64,
    secret: String,
    headers: BTreeMap<String, String>,
    body: String,
}

fn vectors() -> Vec<Vector> {
    let made: Made = serde_json::from_slice(&vector_file("canonical.json")).unwrap();
    made.vectors
}

impl Vector {
    fn config(&self) -> Config {
        let accepts = if self.id == "phonepe" {
            "accept_unsigned_body = true\n"
        } else {
            ""
        };
        let text = format!(
            "[endpoints.it]\nprovider = {}\nsecret = {}\n{accepts}",
            quoted(&self.id),
            quoted(&self.secret)
        );
        Config::from_toml_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}"))
    }

    fn event(&self) -> Result<VerifiedEvent, RejectionKind> {
        let headers: Vec<_> = self.headers.iter().collect();
        let verifier = self.config().endpoint("it").unwrap();
        let verdict = verifier.verify(&Head::new(&headers), self.body.clone(), at(self.now));
        verdict.map_err(|rejection| rejection.kind())
    }

    fn with_body(&self, body: &str) -> Self {
        Self {
            body: body.to_owned(),
            ..self.clone()
        }
    }
}

fn vector(id: &str) -> Vector {
    vectors()
        .into_iter()
        .find(|vector| vector.id == id)
        .unwrap()
}

#[test]
fn what_javascript_signed_is_accepted_and_its_change_refused() {
    let vectors = vectors();
    assert_eq!(vectors.len(), 9);
    for vector in &vectors {
        let what = format!("{}: {}", vector.id, vector.note);
        assert!(vector.event().is_ok(), "{what}");
        for (place, letter) in vector.body.char_indices() {
            if letter.is_ascii_alphanumeric() {
                let other = if letter == '7' { "8" } else { "7" };
                let mut body = vector.body.clone();
                body.replace_range(place..=place, other);
                assert!(vector.with_body(&body).event().is_err(), "{what}: {body}");
            }
        }
        let mut other = vector.clone();
        other.secret.push('0');
        assert_eq!(
            other.event().unwrap_err(),
            RejectionKind::SignatureMismatch,
            "{what}"
        );
    }
}

#[test]
fn the_signer_signs_what_is_accepted() {
    for id in ["inngest", "nowpayments", "didit-v2", "phonepe"] {
        let vector = vector(id);
        let signer = vector
            .config()
            .signer("it")
            .unwrap()
            .with_time(at(vector.now));
        let request = signer.sign_body(Request::post("/"), vector.body.clone());
        let (head, body) = request.unwrap().into_parts();
        let verifier = vector.config().endpoint("it").unwrap();
        let verdict = verifier.verify(&Head::from(&head), body, at(vector.now));
        assert!(verdict.is_ok(), "{id}: {verdict:?}");
    }
}

/// What is accepted in several spellings is one delivery, and nothing else is accepted.
#[test]
fn a_spelling_that_is_not_signed_makes_no_other_delivery() {
    for (id, spellings) in [
        (
            "inngest",
            &[
                r#" {"ctx": {"attempt": 0.0}, "event": {"data": {"a": 1e0, "b": 2}, "name": "app\/user.created"}} "#,
                r#"{"event":{"name":"app/user.created","data":{"b":2.00,"a":1}},"ctx":{"attempt":-0}}"#,
            ][..],
        ),
        (
            "didit-v2",
            &[
                r#"{"status":"Approved","webhook_type":"status.updated","timestamp":1700000000,"session_id":"s1","decision":{"name":"Jos\u00e9","score":97},"list":[{"a":2,"b":1}]}"#,
            ],
        ),
    ] {
        let vector = vector(id);
        let own = vector.event().unwrap().delivery_key().to_string();
        for spelling in spellings {
            let event = vector.with_body(spelling).event();
            let event = event.unwrap_or_else(|kind| panic!("{id}: {kind}: {spelling}"));
            assert_eq!(event.delivery_key().to_string(), own, "{id}: {spelling}");
            assert_eq!(event.body(), spelling.as_bytes());
        }
    }
}

#[test]
fn what_another_parser_reads_differently_is_refused() {
    for (id, body) in [
        (
            "inngest",
            r#"{"event":{"name":"app/user.created","name":"app/user.created","data":{"b":2,"a":1}},"ctx":{"attempt":0}}"#,
        ),
        // A double does not tell this from one.
        (
            "inngest",
            r#"{"event":{"name":"app/user.created","data":{"b":2,"a":1.00000000000000000001}},"ctx":{"attempt":0}}"#,
        ),
        (
            "inngest",
            r#"{"event":{"name":"app/user.created","data":{"b":2,"a":1}},"ctx":{"attempt":1e-400}}"#,
        ),
        ("inngest", "{"),
        ("inngest", ""),
        ("nowpayments", r#"{"payment_id":1,"payment_id":1}"#),
        (
            "didit-v2",
            r#"{"timestamp":1700000000,"timestamp":1700000000}"#,
        ),
    ] {
        let found = vector(id).with_body(body).event().unwrap_err();
        let expected = match id {
            // The time is read first.
            "didit-v2" => RejectionKind::MissingField,
            _ => RejectionKind::MalformedBody,
        };
        assert_eq!(found, expected, "{id}: {body}");
    }
}

#[test]
fn the_signed_time_is_judged() {
    for (id, seconds, expected) in [
        ("inngest", 300, Ok(())),
        ("inngest", 301, Err(RejectionKind::TimestampTooOld)),
        ("inngest", -301, Err(RejectionKind::TimestampInFuture)),
        ("didit-v2", 300, Ok(())),
        ("didit-v2", 301, Err(RejectionKind::TimestampTooOld)),
        ("didit-v2", -301, Err(RejectionKind::TimestampInFuture)),
        // It signs none.
        ("nowpayments", 1_000_000, Ok(())),
    ] {
        let mut vector = vector(id);
        vector.now = vector.now.checked_add_signed(seconds).unwrap();
        assert_eq!(vector.event().map(drop), expected, "{id} {seconds}");
    }
    // A fresh header does not revive an old notification.
    let mut didit = vector("didit-v2");
    didit.now += 1000;
    didit
        .headers
        .insert("X-Timestamp".to_owned(), didit.now.to_string());
    assert_eq!(didit.event().map(drop), Err(RejectionKind::TimestampTooOld));
    let inngest = vector("inngest");
    for (value, expected) in [
        ("s=00", RejectionKind::MalformedSignature),
        (
            &*format!("s={}", "0".repeat(64)),
            RejectionKind::MissingField,
        ),
        (
            &*format!("t={NOW}&t={NOW}&s={}", "0".repeat(64)),
            RejectionKind::RepeatedField,
        ),
        (
            &*format!("t=+{NOW}&s={}", "0".repeat(64)),
            RejectionKind::MalformedTimestamp,
        ),
        (
            &*format!("t={NOW}&s={}", "0".repeat(64)),
            RejectionKind::SignatureMismatch,
        ),
    ] {
        let mut changed = inngest.clone();
        changed
            .headers
            .insert("x-inngest-signature".to_owned(), value.to_owned());
        assert_eq!(changed.event().unwrap_err(), expected, "{value}");
    }
}

/// The number of the key selects nothing: every key of the endpoint is tried.
#[test]
fn a_key_of_phonepe_may_have_any_number() {
    let mut vector = vector("phonepe");
    let numbered = vector.headers["X-VERIFY"].clone();
    for number in ["###2", "", "###"] {
        let value = numbered.replace("###1", number);
        vector.headers.insert("X-VERIFY".to_owned(), value);
        assert!(vector.event().is_ok(), "{number}");
    }
    let extended = vector.body.replace("\"}", "\",\"x\":1}");
    assert!(
        vector.with_body(&extended).event().is_ok(),
        "only the response is signed"
    );
}
