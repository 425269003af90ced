//! How the body of a verified event is read: as JSON with a byte order mark.

use bytes::Bytes;
use http::Request;
use serde::Deserialize;
use serde_json::Value;
use support::{NOW, at, authenteq, multipart};
use tower_webhook::{
    Identity, Json, Outcome, Provider, Scheme, Secret, Signer, VerifiedEvent, Verifier,
    providers::voveid,
    scheme::{Algorithm, Coverage, Encoding, Locator, SignatureFormat},
    verify::Head,
};

const SECRET: &str = "a-secret-of-some-length";

fn acme(signed: &str) -> Provider {
    let signature = SignatureFormat::single("X-Acme-Signature", Encoding::Hex);
    let scheme = Scheme::new(Algorithm::HmacSha256, signed.to_owned(), signature);
    let scheme = if signed.contains("{body") {
        scheme
    } else {
        scheme.with_coverage(Coverage::Partial)
    };
    Provider::new("acme", scheme)
        .with_event_type(Locator::json("/type"))
        .with_delivery_id(Locator::json("/id"))
        .with_unique_delivery_id()
}

/// An event that one provider signs and another, with the same secret, verifies.
fn event_of(sender: Provider, receiver: Provider, body: impl Into<Bytes>) -> VerifiedEvent {
    let body = body.into();
    let signer = Signer::new(sender, Secret::new(SECRET)).unwrap();
    let request = signer.with_time(at(NOW)).sign(Request::post("/"), body);
    let (head, body) = request.unwrap().into_parts();
    let verifier = Verifier::new(receiver, Secret::new(SECRET)).unwrap();
    let event = verifier.verify(&Head::from(&head), body, at(NOW));
    event.unwrap()
}

fn event(body: impl Into<Bytes>) -> VerifiedEvent {
    event_of(acme("{body}"), acme("{body}"), body)
}

#[derive(Debug, Deserialize, PartialEq)]
struct Order {
    id: String,
    #[serde(rename = "type")]
    kind: String,
}

const ORDER: &str = r#"{"id":"evt_1","type":"order.paid"}"#;

fn marked(body: &str) -> String {
    format!("\u{feff}{body}")
}

#[test]
fn a_byte_order_mark_is_ignored_wherever_a_body_is_read_as_json() {
    let plain = event(ORDER);
    let marked = event(marked(ORDER));
    // The bytes stay what they are.
    assert_eq!(&marked.body()[..3], b"\xef\xbb\xbf");
    assert_eq!(marked.body()[3..], plain.body()[..]);
    let order = Order {
        id: "evt_1".to_owned(),
        kind: "order.paid".to_owned(),
    };
    assert_eq!(marked.json::<Order>().unwrap(), order);
    assert_eq!(
        marked.parse::<Json<Order>>().unwrap().into_payload().0,
        order
    );
    let value = marked.parse::<Value>().unwrap().into_payload();
    assert_eq!(value, plain.parse::<Value>().unwrap().into_payload());
    // The log, the deduplication and the handler agree.
    assert_eq!(marked.event_type(), Some("order.paid"));
    assert_eq!(marked.delivery_id(), Some("evt_1"));
    assert_eq!(marked.delivery_key(), plain.delivery_key());
    // One mark only, and only in front.
    for body in [
        "\u{feff}\u{feff}{}",
        " \u{feff}{}",
        "{}\u{feff}",
        "\u{feff}",
    ] {
        assert!(event(body).json::<Value>().is_err(), "{body:?}");
    }
    let wrong = event("\u{feff}{\"id\":7}").json::<Order>().unwrap_err();
    assert_eq!(
        wrong.to_string(),
        "a value has the wrong type, at line 1 column 7"
    );
}

#[test]
fn a_byte_order_mark_is_ignored_in_front_of_a_signed_value() {
    let literal = acme("evt_1.order.paid");
    let pointers = acme("{json:/id}.{json:/type}");
    let event = event_of(literal, pointers, marked(ORDER));
    assert_eq!(event.delivery_id(), Some("evt_1"));
    // A digest is one of all bytes. printf '\xef\xbb\xbf%s' '{"id":…}' | sha256sum
    let digest = "342aee5df50d37740ece8d1e99e78d6b2cef52b5acb29b4ee8ef4130d692a3ee";
    let literal = acme(&format!("evt_1.{digest}"));
    let event = event_of(literal, acme("{json:/id}.{body|sha256hex}"), marked(ORDER));
    assert_eq!(event.body().len(), ORDER.len() + 3);
}

#[test]
fn a_byte_order_mark_is_ignored_in_typed_events() {
    let signature = SignatureFormat::single("X-Sig", Encoding::Hex);
    let scheme = Scheme::new(Algorithm::HmacSha256, "{body}", signature);
    let vove = Provider::new("voveid", scheme);
    for body in [
        r#"{"status":"successful","refId":"customer-7"}"#,
        r#"{"type":"kyb.case.created","data":{}}"#,
    ] {
        let read = |body: String| {
            let event = event_of(vove.clone(), vove.clone(), body);
            event.parse::<voveid::Event>().unwrap().into_payload()
        };
        assert_eq!(read(marked(body)), read(body.to_owned()), "{body}");
    }
    // In a part of a multipart body, with a status and, where that is allowed, without one.
    let older = authenteq().with_param("missing_status", "passed");
    for (provider, result) in [
        (
            authenteq(),
            r#"{"id":"a","status":"PASSED","documentData":{"documentType":"PP"}}"#,
        ),
        (older, r#"{"id":"a","documentData":{"documentType":"PP"}}"#),
    ] {
        let identity = |result: String| {
            let body = multipart("b", &[("result", result)]);
            let event = event_of(provider.clone(), provider.clone(), body);
            let identity = event.parse::<Identity>().unwrap().into_payload();
            (identity.outcome(), identity.session().map(str::to_owned))
        };
        let (outcome, session) = identity(marked(result));
        assert_eq!((outcome, session), identity(result.to_owned()), "{result}");
        assert_eq!(outcome, Outcome::Approved, "{result}");
    }
}
