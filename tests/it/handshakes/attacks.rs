//! Questions by somebody who is not the provider.

use axum::{Router, body::Body};
use base64::{Engine, engine::general_purpose::STANDARD};
use http::Request;
use proptest::prelude::*;
use support::{NOW, at};
use tower_webhook::{
    Config, RejectionKind, Secret, Signer, Verifier, WebhookVerifyLayer,
    handshake::{self, Answer},
    providers,
    verify::Head,
};

use super::{Watch, ask, by_hand, layer_of};

const SECRET: &str = "test-consumer-secret-of-x-000001";

fn x() -> Verifier {
    let verifier = Verifier::new(providers::x_twitter(), Secret::new(SECRET)).unwrap();
    verifier.with_endpoint("x")
}

/// What the oracle signs of `text`, if it does.
fn signed_by_oracle(verifier: &Verifier, text: &str) -> Option<String> {
    let query: String = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let target = format!("/?crc_token={query}");
    let head = Head::new(&[] as &[(&str, &str); 0])
        .with_method("GET")
        .with_target(&target);
    match handshake::answer(verifier, verifier.keys(), &head, &"".into(), at(NOW)) {
        Answer::Answered(answer) => {
            let json: serde_json::Value = serde_json::from_slice(answer.body()).unwrap();
            Some(json["response_token"].as_str().unwrap().to_owned())
        }
        Answer::Refused(rejection) => {
            assert_eq!(rejection.kind(), RejectionKind::MalformedChallenge);
            None
        }
        other => panic!("{other:?}"),
    }
}

/// Whether an attacker who asks the oracle gets `body` accepted.
fn is_forged(body: &str) -> bool {
    let verifier = x();
    let Some(signature) = signed_by_oracle(&verifier, body) else {
        return false;
    };
    let headers = [("x-twitter-webhooks-signature", &*signature)];
    let verdict = verifier.verify(&Head::new(&headers), body.to_owned(), at(NOW));
    // The signature is right: nothing but the form of the body is wrong.
    assert_eq!(
        verdict.as_ref().map_err(|error| error.kind()).err(),
        Some(RejectionKind::ForgeableBody),
        "{body}"
    );
    let other = Verifier::new(providers::github(), Secret::new("another-secret-of-length"));
    let both = [verifier, other.unwrap().with_endpoint("github")];
    let of_group = Verifier::verify_any(&both, &Head::new(&headers), body.to_owned(), at(NOW));
    verdict.is_ok() || of_group.is_ok()
}

#[test]
fn the_best_body_that_the_oracle_of_x_signs_is_refused() {
    let longest = "1".repeat(200);
    // All of these are signed; some are JSON, as an event is.
    for body in ["1", "17", "-1.5e3", "true", "null", "e30=", "a/b", &longest] {
        assert!(signed_by_oracle(&x(), body).is_some(), "{body}");
        assert!(!is_forged(body), "{body}");
    }
    // None of these is.
    let longer = "1".repeat(201);
    for body in [
        "",
        "{}",
        "[]",
        "\"1\"",
        " 1",
        "1\n",
        "1 ",
        "\u{feff}1",
        "{\"for_user_id\":\"1\"}",
        &longer,
    ] {
        assert_eq!(signed_by_oracle(&x(), body), None, "{body:?}");
    }
}

proptest! {
    #[test]
    fn no_body_is_forged(body in "[ -~]{0,210}") {
        prop_assert!(!is_forged(&body));
    }

    #[test]
    fn no_body_of_the_form_is_forged(body in "[A-Za-z0-9_=+/.-]{1,200}") {
        prop_assert!(!is_forged(&body));
    }
}

/// The same over the layers, with what the attacker sees.
#[tokio::test]
async fn a_forged_event_does_not_reach_the_handler() {
    let watch = Watch::default();
    let lines = format!("provider = \"x-twitter\"\nsecret = {SECRET:?}");
    let app = by_hand(layer_of(&lines), NOW, &watch);
    let get = Request::get("/hook?crc_token=17")
        .body(Body::empty())
        .unwrap();
    let got = ask(&app, &watch, get).await;
    let json: serde_json::Value = serde_json::from_slice(&got.body).unwrap();
    let post = Request::post("/hook")
        .header(
            "x-twitter-webhooks-signature",
            json["response_token"].as_str().unwrap(),
        )
        .body(Body::from("17"))
        .unwrap();
    let got = ask(&app, &watch, post).await;
    assert_eq!((got.status.as_u16(), got.seen), (401, Vec::new()));
}

/// Braintree signs a field of a form, and the same key answers challenges of hex digits, of which a
/// payload may consist.
#[test]
fn the_best_payload_that_the_oracle_of_braintree_signs_is_refused() {
    let provider = providers::braintree().with_param("public_key", "p");
    let verifier = Verifier::new(provider, Secret::new("integration_private_key")).unwrap();
    let headers: [(&str, &str); 0] = [];
    let ask = |challenge: &str| {
        let target = format!("/?bt_challenge={challenge}");
        let head = Head::new(&headers).with_method("GET").with_target(&target);
        match handshake::answer(&verifier, verifier.keys(), &head, &"".into(), at(NOW)) {
            Answer::Answered(answer) => Some(String::from_utf8(answer.body().to_vec()).unwrap()),
            Answer::Refused(_) => None,
            other => panic!("{other:?}"),
        }
    };
    let verify = |body: String| {
        let verdict = verifier.verify(&Head::new(&headers), body, at(NOW));
        verdict.map(drop).map_err(|error| error.kind())
    };
    for payload in ["0123456789abcdef0123", "20f9f8ed05f77439fe955c977e4c8a53"] {
        let pair = ask(payload).unwrap().replace('|', "%7C");
        for (end, kind) in [
            ("", RejectionKind::ForgeableBody),
            // The line feed is signed content, too, and is nothing that is answered.
            ("%0A", RejectionKind::SignatureMismatch),
        ] {
            let body = format!("bt_signature={pair}&bt_payload={payload}{end}");
            assert_eq!(verify(body), Err(kind), "{payload}{end}");
        }
        let spelled: String = payload.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let body = format!("bt_payload={spelled}&bt_signature={pair}");
        assert_eq!(verify(body), Err(RejectionKind::ForgeableBody));
    }
    for other in [
        "",
        "0123456789abcdef012",
        "0123456789ABCDEF0123",
        "0123456789abcdef0123%0A",
        "PHhtbD4=",
    ] {
        assert_eq!(ask(other), None, "{other}");
    }
}

#[test]
fn an_endpoint_with_an_oracle_joins_no_group() {
    let github = Verifier::new(providers::github(), Secret::new("another-secret-of-length"));
    let group = [x(), github.unwrap().with_endpoint("github")];
    let error = WebhookVerifyLayer::any_of(group).unwrap_err().to_string();
    assert_eq!(
        error,
        "any_of: endpoint \"x\" answers a challenge with a MAC that anybody can ask for, which may be a signature for another; \
         give it a route of its own"
    );
    let text = r#"
        [endpoints.x]
        provider = "x-twitter"
        secret = "a-secret-of-some-length"
        [endpoints.code]
        provider = "github"
        secret = "another-secret-of-length"
        [endpoints.both]
        any_of = ["x", "code"]
    "#;
    let error = Config::from_toml_str(text).unwrap_err().to_string();
    assert!(
        error.starts_with("endpoint \"both\": any_of: endpoint \"x\" answers a challenge"),
        "{error}"
    );
}

/// Zoom's answer is a MAC as well. What Zoom signs begins with `v0:`, which is never answered.
#[test]
fn nothing_that_zoom_signs_is_answered() {
    let verifier = Verifier::new(providers::zoom(), Secret::new("the-secret-of-the-app")).unwrap();
    let signer = Signer::new(providers::zoom(), Secret::new("the-secret-of-the-app"));
    let signer = signer.unwrap().with_time(at(NOW));
    let long = "1".repeat(201);
    for (token, is_answered) in [
        ("qgg8vlvZRS6UYooatFL8Aw", true),
        ("1700000000", true),
        ("v0:1700000000:{}", false),
        ("v0:1700000000:1", false),
        ("", false),
        (&long, false),
    ] {
        let body = serde_json::json!({
            "event": "endpoint.url_validation",
            "payload": { "plainToken": token },
        });
        let request = signer.sign(Request::post("/"), body.to_string()).unwrap();
        let (head, body) = request.into_parts();
        let head = Head::from(&head);
        let ask = |head: &Head<'_>| {
            handshake::answer(
                &verifier,
                verifier.keys(),
                head,
                &body.clone().into(),
                at(NOW),
            )
        };
        assert_eq!(
            matches!(ask(&head), Answer::Answered(_)),
            is_answered,
            "{token}"
        );
        // Without Zoom's signature there is no MAC at all.
        let headers: [(&str, &str); 0] = [];
        let Answer::Refused(rejection) = ask(&Head::new(&headers)) else {
            panic!("{token}");
        };
        assert_eq!(rejection.status(), 401);
    }
}

/// Echoes of hostile challenges: refused, or harmless in a browser.
#[tokio::test]
async fn hostile_challenges_are_refused_or_harmless() {
    const META: &str =
        "provider = \"meta\"\nsecret = \"a-secret-of-some-length\"\nverify_token = \"t\"";
    let watch = Watch::default();
    let app = |lines: &str| by_hand(layer_of(lines), NOW, &watch);
    let secret = "secret = \"a-secret-of-some-length\"";
    let dropbox = app(&format!("provider = \"dropbox\"\n{secret}"));
    let graph = app(&format!(
        "provider = \"microsoft-graph\"\n{secret}\naccept_unsigned_body = true"
    ));
    let meta = app(META);
    let x = app(&format!("provider = \"x-twitter\"\n{secret}"));
    let get = |app: &Router, target: String| {
        let request = Request::get(target).body(Body::empty()).unwrap();
        let (app, watch) = (app.clone(), watch.clone());
        async move { ask(&app, &watch, request).await }
    };
    let asked = |value: &str| {
        [
            (&dropbox, format!("/hook?challenge={value}")),
            (&graph, format!("/hook?validationToken={value}")),
            (
                &meta,
                format!("/hook?hub.mode=subscribe&hub.verify_token=t&hub.challenge={value}"),
            ),
            (&x, format!("/hook?crc_token={value}")),
        ]
    };
    let (long, longest, huge) = ("a".repeat(1025), "a".repeat(1024), "a".repeat(60 * 1024));
    for value in [
        "",
        &long,
        &huge,
        "a%00b",
        "a%0d%0aX-Injected:%201",
        "%1b%5b31m",
        "%7f",
        "%c2%85",
        "%ff%fe",
        "a%ff&other=1",
        "a&challenge=b&validationToken=b&hub.challenge=b&crc_token=b",
    ] {
        for (app, target) in asked(value) {
            let got = get(app, target).await;
            let shown = &value[..value.len().min(60)];
            assert_eq!(got.status, 400, "{shown}: {got:?}");
            assert!(got.body.is_empty() && got.seen.is_empty(), "{shown}");
            assert!(!got.headers.contains_key("x-injected"));
        }
    }
    for value in [&*longest, "%3Cscript%3Ealert(1)%3C/script%3E", "%e2%9c%93"] {
        for (app, target) in asked(value).into_iter().take(3) {
            let got = get(app, target).await;
            assert_eq!(got.status, 200);
            for (name, value) in [
                ("content-type", "text/plain"),
                ("x-content-type-options", "nosniff"),
                ("cache-control", "no-store"),
                ("content-security-policy", "sandbox"),
            ] {
                assert_eq!(got.headers[name], value);
            }
        }
    }
    // In JSON, markup is escaped.
    let okta = app(&format!(
        "provider = \"okta\"\n{secret}\naccept_unsigned_body = true"
    ));
    let ask_okta = |value: &str| {
        let request = Request::get("/hook").header("X-Okta-Verification-Challenge", value);
        let (app, watch) = (okta.clone(), watch.clone());
        let request = request.body(Body::empty()).unwrap();
        async move { ask(&app, &watch, request).await }
    };
    let got = ask_okta("<script>&\"}").await;
    assert_eq!(
        got.body,
        r#"{"verification":"\u003cscript\u003e\u0026\"}"}"#
    );
    assert_eq!(got.headers["content-security-policy"], "sandbox");
    assert_eq!(ask_okta(&huge).await.status, 400);
}

/// Challenges that are signed as events are, by somebody who has the secret.
#[tokio::test]
async fn hostile_challenges_in_json_are_refused_or_harmless() {
    let secret = "a-secret-of-some-length";
    let watch = Watch::default();
    let huge = "a".repeat(64 * 1024);
    for (name, kind, field, is_json) in [
        ("slack", "url_verification", "challenge", false),
        ("trulioo", "URL_VERIFICATION", "challenge", false),
        ("tebex", "validation.webhook", "id", true),
    ] {
        let app = by_hand(
            layer_of(&format!("provider = {name:?}\nsecret = {secret:?}")),
            NOW,
            &watch,
        );
        let signer = Signer::new(providers::by_name(name).unwrap(), Secret::new(secret));
        let signer = signer.unwrap().with_time(at(NOW));
        let send = |body: String| {
            let signed = signer.sign(Request::post("/hook"), body).unwrap();
            let (app, watch) = (app.clone(), watch.clone());
            async move { ask(&app, &watch, signed.map(Body::from)).await }
        };
        let question = |value: serde_json::Value| {
            let mut body = serde_json::json!({ "type": kind });
            body[field] = value;
            send(body.to_string())
        };
        for value in [
            serde_json::Value::Null,
            serde_json::json!(""),
            serde_json::json!(huge),
            serde_json::json!("a".repeat(1025)),
            serde_json::json!("a\u{0}b"),
            serde_json::json!("a\r\nX-Injected: 1"),
            serde_json::json!("\u{85}"),
            serde_json::json!(["a"]),
            serde_json::json!({ "a": 1 }),
        ] {
            let got = question(value.clone()).await;
            let shown: String = value.to_string().chars().take(60).collect();
            assert_eq!(got.status, 400, "{name}: {shown}: {got:?}");
            assert!(
                got.body.is_empty() && got.seen.is_empty(),
                "{name}: {shown}"
            );
            assert!(!got.headers.contains_key("x-injected"));
        }
        // Another parser might take the other one.
        let twice = format!(r#"{{"type":"{kind}","{field}":"a","{field}":"b"}}"#);
        assert_eq!(send(twice).await.status, 400, "{name}");
        let got = question(serde_json::json!("<script>\u{2713}")).await;
        let expected = match is_json {
            true => "{\"id\":\"\\u003cscript\\u003e\u{2713}\"}",
            false => "<script>\u{2713}",
        };
        assert_eq!(
            (got.status.as_u16(), &*got.body),
            (200, expected.as_bytes())
        );
        assert_eq!(got.headers["x-content-type-options"], "nosniff");
        assert_eq!(got.headers["content-security-policy"], "sandbox");
    }
}

/// A header that no server lets through, but a queue may hold.
#[test]
fn a_value_with_a_line_break_is_no_header_of_the_answer() {
    let provider = providers::cloudevents_handshake()
        .accept_unsigned_body()
        .with_handshake_setting("allowed_origins", Secret::new("a.example"));
    let verifier = Verifier::new(provider, Secret::new("a-token-of-some-length")).unwrap();
    for origin in [
        "a.example\r\nX-Injected: 1",
        "a.example\n",
        "b.example",
        "a.example\0",
    ] {
        let headers = [("WebHook-Request-Origin", origin)];
        let head = Head::new(&headers).with_method("OPTIONS");
        let answer = handshake::answer(&verifier, verifier.keys(), &head, &"".into(), at(NOW));
        let Answer::Refused(rejection) = answer else {
            panic!("{origin:?}: {answer:?}");
        };
        assert_eq!(rejection.kind(), RejectionKind::ChallengeRefused);
    }
}

/// A right answer is a MAC by a library of its own.
#[test]
fn the_answer_is_the_mac_that_x_computes() {
    use hmac::{Hmac, KeyInit, Mac};
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(b"challenge_string");
    let expected = format!("sha256={}", STANDARD.encode(mac.finalize().into_bytes()));
    assert_eq!(signed_by_oracle(&x(), "challenge_string"), Some(expected));
}
