//! How the body of a verified event is read: as JSON with a byte order mark, and as a form.

use axum::{Router, body::Body, routing::post};
use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use serde::Deserialize;
use serde_json::Value;
use support::{NOW, at, authenteq, multipart};
use tower::ServiceExt;
use tower_webhook::{
    FormJson, Identity, Json, Outcome, PayloadError, Provider, Scheme, Secret, Signer,
    VerifiedEvent, Verifier, WebhookVerifyLayer,
    providers::{self, voveid},
    scheme::{Algorithm, Coverage, Encoding, Locator, SignatureFormat},
    verify::Head,
};

const SECRET: &str = "a-secret-of-some-length";

fn acme(signed: &str) -> Provider {
    let signature = SignatureFormat::single("X-Acme-Signature", Encoding::Hex);
    let scheme = Scheme::signed(Algorithm::HmacSha256, signed.to_owned(), signature);
    let provider = if signed.contains("{body") {
        Provider::new("acme", scheme)
    } else {
        Provider::new("acme", scheme.with_coverage(Coverage::Partial)).accept_unsigned_body()
    };
    provider
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
    let scheme = Scheme::signed(Algorithm::HmacSha256, "{body}", signature);
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

#[test]
fn a_form_is_read_field_by_field() {
    let slack = event_of(
        providers::slack(),
        providers::slack(),
        "command=%2Fdeploy&text=api+to+production&text=again",
    );
    let form = slack.form().unwrap();
    assert_eq!(form.get("command").unwrap(), "/deploy");
    assert_eq!(form.iter().count(), 3);
    for (name, problem) in [
        ("text", r#"the form has the field "text" more than once"#),
        ("token", r#"the form has no field "token""#),
    ] {
        assert_eq!(form.get(name).unwrap_err().to_string(), problem);
    }
}

/// JSON in the field `payload`, as GitHub and Slack send it.
const PAYLOAD: &str = "payload=%7B%22id%22%3A%22evt_1%22%2C%22type%22%3A%22order.paid%22%7D";

const IS_FORM: &str =
    "the body is a form, not JSON; read it with `event.form()` or take `FormJson<T>`";
const IS_JSON: &str = "the body is JSON, not a form; read it with `event.json()` or take `Json<T>`";

#[test]
fn json_in_a_form_is_a_payload() {
    let order = |body: &'static str| {
        let event = event(body).parse::<FormJson<Order>>();
        event.map(|event| event.into_payload().0)
    };
    assert_eq!(order(PAYLOAD).unwrap(), event(ORDER).json().unwrap());
    for (body, problem) in [
        (
            "payload=MARKER",
            r#"the form field "payload" is not JSON, at line 1 column 1"#,
        ),
        (
            "payload=%7B%7D",
            "the field `id` is missing, in the form field \"payload\", at line 1 column 2",
        ),
        ("data=%7B%7D", r#"the form has no field "payload""#),
        (
            "payload=%7B%7D&payload=MARKER",
            r#"the form has the field "payload" more than once"#,
        ),
        ("payload=%FF", "field 1 of the form: its value is not UTF-8"),
        ("", r#"the form has no field "payload""#),
        (ORDER, IS_JSON),
    ] {
        assert_eq!(order(body).unwrap_err().to_string(), problem, "{body}");
    }
}

#[test]
fn json_that_is_a_form_is_called_one() {
    let text = |error: PayloadError| error.to_string();
    let not_json = |column: u32| format!("the body is not JSON, at line 1 column {column}");
    for (body, problem) in [
        (PAYLOAD, IS_FORM.to_owned()),
        ("a[b]=1&c=2", IS_FORM.to_owned()),
        ("{a=b}", not_json(2)),
        ("a", not_json(1)),
        ("e30=", not_json(1)),
        ("\u{1}\u{2}=", not_json(1)),
        (
            "",
            "the JSON of the body is truncated, at line 1 column 0".to_owned(),
        ),
    ] {
        let event = event(body);
        assert_eq!(
            event.json::<Value>().map_err(text),
            Err(problem.clone()),
            "{body:?}"
        );
        let typed = event.parse::<Json<Order>>().map(drop);
        assert_eq!(typed.map_err(text), Err(problem), "{body:?}");
    }
    // What is JSON is read, whatever the unsigned header says.
    for body in ["true", "\"a=b\"", "1"] {
        let signer = Signer::new(acme("{body}"), Secret::new(SECRET)).unwrap();
        let request =
            Request::post("/").header("content-type", "application/x-www-form-urlencoded");
        let (head, body) = signer.sign(request, body).unwrap().into_parts();
        let verifier = Verifier::new(acme("{body}"), Secret::new(SECRET)).unwrap();
        let event = verifier.verify(&Head::from(&head), body, at(NOW)).unwrap();
        assert!(event.json::<Value>().is_ok());
    }
    // Typed events say so as well.
    let signature = SignatureFormat::single("X-Sig", Encoding::Hex);
    let vove = Provider::new(
        "voveid",
        Scheme::signed(Algorithm::HmacSha256, "{body}", signature),
    );
    let event = event_of(vove.clone(), vove, PAYLOAD);
    assert_eq!(
        event.parse::<voveid::Event>().unwrap_err().to_string(),
        IS_FORM
    );
}

fn github() -> (WebhookVerifyLayer, Request<Bytes>) {
    let secret = Secret::new(SECRET);
    let layer =
        WebhookVerifyLayer::new(Verifier::new(providers::github(), secret.clone()).unwrap());
    let signer = Signer::new(providers::github(), secret).unwrap();
    let request = signer.sign(Request::post("/hook"), Bytes::from(PAYLOAD));
    (layer, request.unwrap())
}

async fn on_order(event: VerifiedEvent<FormJson<Order>>) -> String {
    let FormJson(order) = event.into_payload();
    order.kind
}

#[tokio::test]
async fn json_in_a_form_is_an_extractor_on_axum() {
    let (layer, request) = github();
    let app = Router::new().route("/hook", post(on_order).route_layer(layer));
    let response = app.oneshot(request.map(Body::from)).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let body = response.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(body, "order.paid");
}

#[actix_web::test]
async fn json_in_a_form_is_an_extractor_on_actix_web() {
    use actix_web::{App, test, web};

    let (layer, request) = github();
    let route = web::post().to(on_order).wrap(layer);
    let app = test::init_service(App::new().route("/hook", route)).await;
    let (head, body) = request.into_parts();
    let mut request = test::TestRequest::post().uri("/hook").set_payload(body);
    for (name, value) in &head.headers {
        request = request.append_header((name.as_str(), value.as_bytes()));
    }
    let body = test::call_and_read_body(&app, request.to_request()).await;
    assert_eq!(body, "order.paid");
}
