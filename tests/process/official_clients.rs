//! The receiver against the providers' own libraries, both ways: what they sign it accepts over
//! HTTP, what is changed afterwards it refuses, and what our [`Signer`] makes they accept.

mod by_name;
mod custom;
mod handshakes;
mod table;

use std::time::{Duration, SystemTime};

use http::{Request, StatusCode};
use serde_json::{Value, json};
use tower_webhook::{Provider, Secret, Signer, providers};

use support::{
    clients::{Clients, Verdict},
    receiver::Receiver,
    unix_now,
};

/// 24 bytes, once the prefix is off and the base64 decoded.
const SVIX: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
/// The same look, but this one is text.
const STRIPE: &str = "whsec_0123456789abcdefghijklmnopqrstuv";
const GITHUB: &str = "It's a Secret to Everybody";
const NEWER: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
const STRANGE: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX";

const ENDPOINTS: &str = r#"
    [endpoints.svix]
    provider = "svix"
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

    [endpoints.voveid]
    provider = "voveid"
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

    [endpoints.standard-webhooks]
    provider = "standard-webhooks"
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

    [endpoints.stripe]
    provider = "stripe"
    secret = "whsec_0123456789abcdefghijklmnopqrstuv"

    [endpoints.github]
    provider = "github"
    secret = "It's a Secret to Everybody"

    [endpoints.rotating]
    provider = "svix"
    secrets = [
        { id = "new", value = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD" },
        { id = "old", value = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" },
    ]

    [endpoints.rotated]
    provider = "svix"
    secrets = [
        { id = "new", value = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD" },
        { id = "old", value = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", not_after = "2024-01-01T00:00:00Z" },
    ]
"#;

/// Text whose bytes, escapes and white space have to survive as they are.
const BODIES: [&str; 4] = [
    r#"{"status":"successful","refId":"customer-7"}"#,
    "{\r\n\t\"type\" : \"note\",  \"text\":\"Grüße, 世界 🎉 \\u00e9\"\n}\n",
    r#"[1,2.50,-3e7,null,true,"\\"]"#,
    r#""just a string.with.dots""#,
];

type Headers = Vec<(String, String)>;

/// The three headers of Svix and Standard Webhooks.
fn message(prefix: &str, id: &str, timestamp: i64, signature: &str) -> Headers {
    vec![
        (format!("{prefix}-id"), id.to_owned()),
        (format!("{prefix}-timestamp"), timestamp.to_string()),
        (format!("{prefix}-signature"), signature.to_owned()),
    ]
}

/// Every text that differs from this one in the lowest bit of one byte.
fn flipped(text: &str) -> impl Iterator<Item = Vec<u8>> {
    (0..text.len()).map(|at| {
        let mut bytes = text.as_bytes().to_vec();
        if let Some(byte) = bytes.get_mut(at) {
            *byte ^= 1;
        }
        bytes
    })
}

/// Sends the request as it is, and then once for each byte of a header or the body that could be
/// another.
async fn accepted_unless_changed(
    receiver: &Receiver,
    endpoint: &str,
    headers: &Headers,
    body: &str,
) {
    let answer = receiver.post(endpoint, headers.clone(), body.to_owned());
    assert_eq!(answer.await.status, StatusCode::OK, "{endpoint} {body}");

    let mut changed = Vec::new();
    for (place, (name, value)) in headers.iter().enumerate() {
        for value in flipped(value) {
            let mut headers: Vec<(&str, &[u8])> = headers
                .iter()
                .map(|(name, value)| (&**name, value.as_bytes()))
                .collect();
            if let Some(header) = headers.get_mut(place) {
                *header = (name, &value);
            }
            let answer = receiver.post(endpoint, headers, body.to_owned()).await;
            changed.push((answer, format!("{name}: {}", value.escape_ascii())));
        }
    }
    for body in flipped(body) {
        let label = body.escape_ascii().to_string();
        changed.push((receiver.post(endpoint, headers.clone(), body).await, label));
    }
    let length: usize = headers.iter().map(|(_, value)| value.len()).sum();
    assert_eq!(changed.len(), length + body.len());
    for (answer, label) in changed {
        assert_eq!(
            answer.status,
            StatusCode::UNAUTHORIZED,
            "{endpoint} {label}"
        );
        assert!(answer.body.is_empty(), "{endpoint} {label}");
    }
}

#[tokio::test]
async fn what_svix_and_standardwebhooks_sign_is_accepted() {
    let Some(mut clients) = Clients::start() else {
        return;
    };
    let receiver = Receiver::with_config(ENDPOINTS);
    for client in ["svix", "standardwebhooks"] {
        for (endpoint, prefix) in [
            ("svix", "svix"),
            ("svix", "webhook"),
            ("voveid", "svix"),
            ("voveid", "webhook"),
            ("standard-webhooks", "webhook"),
        ] {
            for body in BODIES {
                let (id, timestamp) = (
                    "msg_2Lh9KRb0pzN4LePd3XiA4v12Axj",
                    i64::try_from(unix_now()).unwrap(),
                );
                let signature = clients.sign(client, SVIX, id, timestamp, body);
                let headers = message(prefix, id, timestamp, &signature);
                let answer = receiver.post(endpoint, headers, body).await;
                let case = format!("{client} {endpoint} {prefix} {body}");
                assert_eq!(answer.status, StatusCode::OK, "{case}");

                let event = answer.json();
                for (key, value) in [
                    ("provider", json!(endpoint)),
                    ("endpoint", json!(endpoint)),
                    ("delivery_id", json!(id)),
                    ("timestamp", json!(timestamp)),
                    ("bytes", json!(body.len())),
                ] {
                    assert_eq!(event.get(key), Some(&value), "{case}");
                }
            }
        }
    }
}

#[tokio::test]
async fn one_byte_changed_in_what_svix_and_standardwebhooks_signed_is_refused() {
    let Some(mut clients) = Clients::start() else {
        return;
    };
    let receiver = Receiver::with_config(ENDPOINTS);
    let body = r#"{"status":"pending","refId":"customer-7"}"#;
    for (client, endpoint, prefix) in [
        ("svix", "svix", "svix"),
        ("svix", "voveid", "svix"),
        ("svix", "voveid", "webhook"),
        ("standardwebhooks", "voveid", "webhook"),
        ("standardwebhooks", "standard-webhooks", "webhook"),
    ] {
        let (id, timestamp) = (
            "msg_1srOrx2ZWZBpBUvZwXKQmoEYga2",
            i64::try_from(unix_now()).unwrap(),
        );
        let signature = clients.sign(client, SVIX, id, timestamp, body);
        let headers = message(prefix, id, timestamp, &signature);
        accepted_unless_changed(&receiver, endpoint, &headers, body).await;
    }
}

#[tokio::test]
async fn what_stripe_and_github_sign_is_accepted_unless_one_byte_is_changed() {
    let Some(mut clients) = Clients::start() else {
        return;
    };
    let receiver = Receiver::with_config(ENDPOINTS);
    for body in BODIES {
        let signature = clients.sign(
            "stripe",
            STRIPE,
            "",
            i64::try_from(unix_now()).unwrap(),
            body,
        );
        let headers = vec![("stripe-signature".to_owned(), signature)];
        accepted_unless_changed(&receiver, "stripe", &headers, body).await;

        let signature = clients.sign("github", GITHUB, "", 0, body);
        let headers = vec![("x-hub-signature-256".to_owned(), signature)];
        accepted_unless_changed(&receiver, "github", &headers, body).await;
    }
}

#[tokio::test]
async fn a_key_that_another_endpoint_or_nobody_has_is_refused() {
    let Some(mut clients) = Clients::start() else {
        return;
    };
    let receiver = Receiver::with_config(ENDPOINTS);
    let (body, timestamp) = ("{}", i64::try_from(unix_now()).unwrap());
    for secret in [NEWER, STRANGE] {
        let signature = clients.sign("svix", secret, "msg_1", timestamp, body);
        let headers = message("svix", "msg_1", timestamp, &signature);
        let answer = receiver.post("svix", headers, body).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{secret}");
    }
    // Stripe's secret is not the base64 it looks like.
    let signature = clients.sign(
        "stripe",
        STRIPE.trim_start_matches("whsec_"),
        "",
        timestamp,
        body,
    );
    let answer = receiver.post("stripe", [("stripe-signature", signature)], body);
    assert_eq!(answer.await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn stale_and_future_requests_are_refused_within_the_window_they_are_not() {
    let Some(mut clients) = Clients::start() else {
        return;
    };
    let receiver = Receiver::with_config(ENDPOINTS);
    let body = "{}";
    // Far enough from the edge for a slow machine. The edge itself is tested where the clock stands
    // still.
    for (skew, status) in [
        (0, StatusCode::OK),
        (-200, StatusCode::OK),
        (200, StatusCode::OK),
        (-301, StatusCode::UNAUTHORIZED),
        (-86_400, StatusCode::UNAUTHORIZED),
        (400, StatusCode::UNAUTHORIZED),
        (86_400, StatusCode::UNAUTHORIZED),
    ] {
        let timestamp = i64::try_from(unix_now()).unwrap() + skew;
        for (client, endpoint, prefix) in [
            ("svix", "svix", "svix"),
            ("svix", "voveid", "webhook"),
            ("standardwebhooks", "standard-webhooks", "webhook"),
        ] {
            let signature = clients.sign(client, SVIX, "msg_1", timestamp, body);
            let headers = message(prefix, "msg_1", timestamp, &signature);
            let answer = receiver.post(endpoint, headers, body).await;
            assert_eq!(answer.status, status, "{endpoint} {skew}");
        }
        let signature = clients.sign("stripe", STRIPE, "", timestamp, body);
        let answer = receiver.post("stripe", [("stripe-signature", signature)], body);
        assert_eq!(answer.await.status, status, "stripe {skew}");
    }
    for endpoint in ["svix", "voveid", "standard-webhooks", "stripe"] {
        assert_eq!(
            receiver.stats(endpoint).await,
            json!({
                "accepted": 3,
                "duplicates": 0,
                "refused": { "timestamp_too_old": 2, "timestamp_in_future": 2 },
            }),
            "{endpoint}"
        );
    }
}

#[tokio::test]
async fn while_keys_are_rotated_either_is_accepted_and_named() {
    let Some(mut clients) = Clients::start() else {
        return;
    };
    let receiver = Receiver::with_config(ENDPOINTS);
    let (body, id, timestamp) = ("{}", "msg_1", i64::try_from(unix_now()).unwrap());
    let mut sign = |secret| clients.sign("svix", secret, id, timestamp, body);
    let [new, old, strange] = [NEWER, SVIX, STRANGE].map(&mut sign);
    for (signature, endpoint, key) in [
        (new.clone(), "rotating", Some("new")),
        (old.clone(), "rotating", Some("old")),
        (format!("{strange} {old}"), "rotating", Some("old")),
        (format!("{new} {strange}"), "rotating", Some("new")),
        (format!("v1a,AAAA {old}"), "rotating", Some("old")),
        (strange.clone(), "rotating", None),
        (format!("{strange} {strange}"), "rotating", None),
        (new.clone(), "rotated", Some("new")),
        (format!("{old} {new}"), "rotated", Some("new")),
        (old.clone(), "rotated", None),
    ] {
        let headers = message("svix", id, timestamp, &signature);
        let answer = receiver.post(endpoint, headers, body).await;
        let case = format!("{endpoint} {signature}");
        match key {
            Some(key) => {
                assert_eq!(answer.status, StatusCode::OK, "{case}");
                assert_eq!(answer.json().get("key_id"), Some(&json!(key)), "{case}");
            }
            None => assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{case}"),
        }
    }
    assert_eq!(
        receiver.stats("rotated").await.get("refused"),
        Some(&json!({ "key_outside_window": 1 }))
    );
}

#[tokio::test]
async fn stripe_headers_with_several_signatures_need_one_that_is_right() {
    let Some(mut clients) = Clients::start() else {
        return;
    };
    let receiver = Receiver::with_config(ENDPOINTS);
    let (body, timestamp) = ("{}", i64::try_from(unix_now()).unwrap());
    let right = clients.sign("stripe", STRIPE, "", timestamp, body);
    let wrong = clients.sign("stripe", "whsec_of_somebody_else", "", timestamp, body);
    let (right_v1, wrong_v1) = (field(&right, "v1"), field(&wrong, "v1"));
    for (header, status) in [
        (format!("{right},v1={wrong_v1}"), StatusCode::OK),
        (format!("{wrong},v1={right_v1}"), StatusCode::OK),
        (format!("{wrong},v1={wrong_v1}"), StatusCode::UNAUTHORIZED),
        // `v0` is the scheme of test events; the right digest under that name counts for nothing.
        (format!("{wrong},v0={right_v1}"), StatusCode::UNAUTHORIZED),
    ] {
        let answer = receiver.post("stripe", [("stripe-signature", &header)], body);
        assert_eq!(answer.await.status, status, "{header}");
    }
}

/// The value of a field of Stripe's header.
fn field<'a>(header: &'a str, name: &str) -> &'a str {
    let mut fields = header.split(',').filter_map(|field| field.split_once('='));
    fields.find(|(field, _)| *field == name).unwrap().1
}

#[tokio::test]
async fn one_request_uses_one_family_of_headers() {
    let Some(mut clients) = Clients::start() else {
        return;
    };
    let receiver = Receiver::with_config(ENDPOINTS);
    let (body, id, timestamp) = ("{}", "msg_1", i64::try_from(unix_now()).unwrap());
    let right = clients.sign("svix", SVIX, id, timestamp, body);
    let wrong = clients.sign("svix", STRANGE, id, timestamp, body);
    let both = |svix: &str, webhook: &str| {
        let mut headers = message("svix", id, timestamp, svix);
        headers.extend(message("webhook", id, timestamp, webhook));
        headers
    };
    let mixed = |take: [&str; 3]| {
        let all = both(&right, &right);
        let kept = all.into_iter().filter(|(name, _)| take.contains(&&**name));
        kept.collect::<Headers>()
    };
    for (headers, endpoint, status) in [
        // Where all six are there, `svix-…` decides alone.
        (both(&right, &right), "voveid", StatusCode::OK),
        (both(&right, &wrong), "voveid", StatusCode::OK),
        (both(&wrong, &right), "voveid", StatusCode::UNAUTHORIZED),
        (
            mixed(["svix-id", "svix-timestamp", "webhook-signature"]),
            "voveid",
            StatusCode::UNAUTHORIZED,
        ),
        (
            mixed(["webhook-id", "svix-timestamp", "svix-signature"]),
            "svix",
            StatusCode::UNAUTHORIZED,
        ),
        (
            mixed(["svix-id", "webhook-timestamp", "svix-signature"]),
            "svix",
            StatusCode::UNAUTHORIZED,
        ),
        // A sender of plain Standard Webhooks has one family only.
        (
            message("svix", id, timestamp, &right),
            "standard-webhooks",
            StatusCode::UNAUTHORIZED,
        ),
        (both(&wrong, &right), "standard-webhooks", StatusCode::OK),
    ] {
        let names: Vec<_> = headers.iter().map(|(name, _)| name.clone()).collect();
        let answer = receiver.post(endpoint, headers, body).await;
        assert_eq!(answer.status, status, "{endpoint} {names:?}");
    }
}

/// The libraries that check what our signer makes, the providers it signs for, and their secrets.
fn signers() -> [(&'static str, Provider, &'static str); 7] {
    [
        ("svix", providers::svix(), SVIX),
        ("svix", providers::voveid(), SVIX),
        ("svix", providers::standard_webhooks(), SVIX),
        ("svix", providers::svix(), SVIX.trim_start_matches("whsec_")),
        ("standardwebhooks", providers::standard_webhooks(), SVIX),
        ("stripe", providers::stripe(), STRIPE),
        ("github", providers::github(), GITHUB),
    ]
}

fn headers_of(signer: &Signer, body: &str) -> Value {
    let request = signer.sign(Request::post("/"), body).unwrap();
    let headers = request.headers().iter();
    headers
        .map(|(name, value)| (name.to_string(), json!(value.to_str().unwrap())))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

#[test]
fn the_libraries_accept_what_our_signer_makes_and_nothing_else() {
    let Some(mut clients) = Clients::start() else {
        return;
    };
    for (client, provider, secret) in signers() {
        let signer = Signer::new(provider.clone(), Secret::new(secret)).unwrap();
        for body in BODIES {
            let headers = headers_of(&signer, body);
            let case = format!("{client} {provider:?} {body}");
            let verdict = clients.verify(client, secret, &headers, body);
            assert_eq!(verdict, Verdict::Ok, "{case}");

            let longer = format!("{body} ");
            let verdict = clients.verify(client, secret, &headers, &longer);
            assert_eq!(verdict, Verdict::Refused, "{case}");

            let verdict = clients.verify(client, STRANGE, &headers, body);
            assert_eq!(verdict, Verdict::Refused, "{case}");
        }
    }
}

#[test]
fn the_libraries_and_we_agree_on_what_is_too_old() {
    let Some(mut clients) = Clients::start() else {
        return;
    };
    let stale = SystemTime::now() - Duration::from_secs(301);
    let recent = SystemTime::now() - Duration::from_secs(200);
    let timed = signers()
        .into_iter()
        .filter(|(client, ..)| *client != "github");
    for (client, provider, secret) in timed {
        let signer = Signer::new(provider, Secret::new(secret)).unwrap();
        for (time, verdict) in [(recent, Verdict::Ok), (stale, Verdict::Refused)] {
            let headers = headers_of(&signer.clone().with_time(time), "{}");
            let found = clients.verify(client, secret, &headers, "{}");
            assert_eq!(found, verdict, "{client} {headers}");
        }
    }
}
