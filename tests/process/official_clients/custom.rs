//! The same for providers that are custom ones in a configuration: pairs of keys, and times and
//! signatures in the body.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{Request, StatusCode};
use serde_json::{Value, json};
use support::{
    clients::{Clients, Verdict},
    receiver::Receiver,
    unix_now,
};
use tower_webhook::{Config, Secret, Signer};

use super::{BODIES, Headers, accepted_unless_changed, message};

const ENDPOINTS: &str = r#"
    [endpoints.discord]
    provider = "discord"
    public_key = "bdb2223921084d13348501ebd40ae814996fcc426f6acec38de968e14b0a6bd1"

    [providers.discord]
    algorithm = "ed25519"
    signed = "{ts}{body}"
    signature = { header = "X-Signature-Ed25519", encoding = "hex" }
    timestamp = { header = "X-Signature-Timestamp" }

    [endpoints.sendgrid]
    provider = "sendgrid"
    public_key = "P256"

    [providers.sendgrid]
    algorithm = "ecdsa-p256-sha256"
    signed = "{ts}{body}"
    signature = { header = "X-Twilio-Email-Event-Webhook-Signature", encoding = "base64" }
    timestamp = { header = "X-Twilio-Email-Event-Webhook-Timestamp" }

    [endpoints.telnyx]
    provider = "telnyx"
    public_key = "vbIiOSEITRM0hQHr1AroFJlvzEJvas7Djelo4UsKa9E="

    [providers.telnyx]
    algorithm = "ed25519"
    signed = "{ts}|{body}"
    signature = { header = "telnyx-signature-ed25519", encoding = "base64" }
    timestamp = { header = "telnyx-timestamp" }

    [endpoints.v1a]
    provider = "standard-webhooks"
    public_key = "whpk_vbIiOSEITRM0hQHr1AroFJlvzEJvas7Djelo4UsKa9E="

    [endpoints.both]
    provider = "standard-webhooks"
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    public_key = "whpk_vbIiOSEITRM0hQHr1AroFJlvzEJvas7Djelo4UsKa9E="

    [endpoints.linear]
    provider = "linear"
    secret = "lin_wh_a-secret-of-linear"

    [providers.linear]
    algorithm = "hmac-sha256"
    signed = "{body}"
    signature = { header = "Linear-Signature", encoding = "hex" }
    timestamp = { json = "/webhookTimestamp", unit = "ms", tolerance = "1m" }

    [endpoints.mailgun]
    provider = "mailgun"
    secret = "a-signing-key-of-mailgun"
    accept_unsigned_body = true

    [providers.mailgun]
    algorithm = "hmac-sha256"
    signed = "{json:/signature/timestamp}{json:/signature/token}"
    signature = { json = "/signature/signature", encoding = "hex" }
    timestamp = { json = "/signature/timestamp", tolerance = "15m" }
    covers = "partial"
"#;

/// Pairs of keys that OpenSSL made, as PEM, and the public ones as the providers show them.
const ED25519: &str = include_str!("../../../src/crypto/vectors/keys/ed25519.pem");
const ED25519_HEX: &str = "bdb2223921084d13348501ebd40ae814996fcc426f6acec38de968e14b0a6bd1";
const ED25519_BASE64: &str = "vbIiOSEITRM0hQHr1AroFJlvzEJvas7Djelo4UsKa9E=";
const ED25519_SPKI: &str = "MCowBQYDK2VwAyEAvbIiOSEITRM0hQHr1AroFJlvzEJvas7Djelo4UsKa9E=";
const P256: &str = include_str!("../../../src/crypto/vectors/keys/p256.pem");
const P256_PUBLIC: &str = include_str!("../../../src/crypto/vectors/keys/p256.pub.pem");
/// The key of SendGrid's documentation.
pub(super) const SENDGRID: &str = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/7dAfSmpqIM8kF9mN1flpVKS3GRqe62gw+2fNNRaINXvVpiglSI8eNEc6wEA3F+g==";
const LINEAR: &str = "lin_wh_a-secret-of-linear";
const MAILGUN: &str = "a-signing-key-of-mailgun";

/// The public key as SendGrid shows it: PEM without its armour.
fn p256_public() -> String {
    let lines = P256_PUBLIC.lines();
    lines.filter(|line| !line.starts_with('-')).collect()
}

fn endpoints() -> String {
    ENDPOINTS.replace("\"P256\"", &format!("{:?}", p256_public()))
}

/// How the library asks for a key that is not the sender's.
fn strange(client: &str) -> &'static str {
    match client {
        "discord" | "pynacl" => "e55c242274b25203fcef9fa5e95ce0b4667f8897ce0dedf5753d6d178df8fbef",
        "telnyx" => "9CIlK74xnfY3sZ18y50a2UNLtsVLEK9yUlvyPFGu+AQ=",
        "v1a" => "MCowBQYDK2VwAyEA5VwkInSyUgP87p+l6VzgtGZ/iJfODe31dT1tF434774=",
        "sendgrid" => SENDGRID,
        _ => "the-secret-of-somebody-else",
    }
}

/// The headers that a provider sends with a signature.
fn headers(endpoint: &str, timestamp: i64, signature: &str) -> Headers {
    let names: &[&str] = match endpoint {
        "discord" => &["x-signature-ed25519", "x-signature-timestamp"],
        "sendgrid" => &[
            "x-twilio-email-event-webhook-signature",
            "x-twilio-email-event-webhook-timestamp",
        ],
        "telnyx" => &["telnyx-signature-ed25519", "telnyx-timestamp"],
        "linear" => &["linear-signature"],
        _ => return message("webhook", "msg_1", timestamp, signature),
    };
    let values = [signature.to_owned(), timestamp.to_string()];
    let names = names.iter().map(|name| (*name).to_owned());
    names.zip(values).collect()
}

fn now() -> i64 {
    i64::try_from(unix_now()).unwrap()
}

#[tokio::test]
async fn what_pairs_of_keys_sign_is_accepted_unless_one_byte_is_changed() {
    let (Some(mut node), Some(mut python)) = (Clients::start(), Clients::start_python()) else {
        return;
    };
    let receiver = Receiver::with_config(&endpoints());
    for (endpoint, client, private) in [
        ("discord", "pynacl", ED25519),
        ("sendgrid", "sendgrid", P256),
        ("telnyx", "telnyx", ED25519),
        ("v1a", "v1a", ED25519),
        ("both", "v1a", ED25519),
    ] {
        let clients = match client {
            "pynacl" => &mut python,
            _ => &mut node,
        };
        for body in BODIES {
            let timestamp = now();
            let signature = clients.sign(client, private, "msg_1", timestamp, body);
            let headers = headers(endpoint, timestamp, &signature);
            accepted_unless_changed(&receiver, endpoint, &headers, body).await;
        }
    }
}

#[tokio::test]
async fn a_request_with_versions_1_and_1a_is_accepted_for_either_key() {
    let Some(mut clients) = Clients::start() else {
        return;
    };
    let receiver = Receiver::with_config(&endpoints());
    let (body, timestamp) = (BODIES[0], now());
    let v1 = clients.sign("standardwebhooks", super::SVIX, "msg_1", timestamp, body);
    let v1a = clients.sign("v1a", ED25519, "msg_1", timestamp, body);
    let swapped = |text: &str, from: &str, to: &str| text.replacen(from, to, 1);
    for (endpoint, signature, variant) in [
        ("both", v1.clone(), Some("hmac-sha256")),
        ("both", v1a.clone(), Some("ed25519")),
        ("both", format!("{v1} {v1a}"), Some("hmac-sha256")),
        ("both", swapped(&v1, "v1,", "v1a,"), None),
        ("both", swapped(&v1a, "v1a,", "v1,"), None),
        ("v1a", format!("{v1} {v1a}"), Some("ed25519")),
        ("v1a", v1, None),
    ] {
        let headers = message("webhook", "msg_1", timestamp, &signature);
        let answer = receiver.post(endpoint, headers, body).await;
        match variant {
            Some(variant) => {
                assert_eq!(answer.status, StatusCode::OK, "{endpoint} {signature}");
                assert_eq!(answer.json()["variant"], variant, "{endpoint} {signature}");
            }
            None => assert_eq!(
                answer.status,
                StatusCode::UNAUTHORIZED,
                "{endpoint} {signature}"
            ),
        }
    }
}

#[tokio::test]
async fn what_linear_signs_is_accepted_unless_one_byte_is_changed() {
    let Some(mut clients) = Clients::start() else {
        return;
    };
    let receiver = Receiver::with_config(&endpoints());
    let at = |skew: i64| {
        let time = (now() + skew) * 1000;
        format!(r#"{{"action":"create","type":"Issue","webhookTimestamp":{time}}}"#)
    };
    let body = at(0);
    let signature = clients.sign("linear", LINEAR, "", 0, &body);
    let signed = headers("linear", 0, &signature);
    accepted_unless_changed(&receiver, "linear", &signed, &body).await;
    for (skew, status) in [
        (-30, StatusCode::OK),
        (30, StatusCode::OK),
        (-90, StatusCode::UNAUTHORIZED),
        (90, StatusCode::UNAUTHORIZED),
    ] {
        let body = at(skew);
        let signature = clients.sign("linear", LINEAR, "", 0, &body);
        let signed = headers("linear", 0, &signature);
        let answer = receiver.post("linear", signed.clone(), body.clone());
        assert_eq!(answer.await.status, status, "{skew}");
        let signed = json!({ "linear-signature": signature });
        let verdict = clients.verify("linear", LINEAR, &signed, &body);
        assert_eq!(verdict == Verdict::Ok, status == StatusCode::OK, "{skew}");
    }
}

#[tokio::test]
async fn what_mailgun_signs_is_accepted_and_nothing_else_of_its_body_counts() {
    let Some(mut clients) = Clients::start_python() else {
        return;
    };
    let receiver = Receiver::with_config(&endpoints());
    let timestamp = now();
    let token = "a4a94bd1a6d9e7d4b2d9b4f0f0ab3f0b2a7f4e4c4a3a5d0d1c";
    let signature = clients.sign("mailgun", MAILGUN, token, timestamp, "");
    let proof =
        json!({ "timestamp": timestamp.to_string(), "token": token, "signature": signature });
    let body = |proof: &Value, event: &str| {
        json!({ "signature": proof, "event-data": { "event": event } }).to_string()
    };
    let none: [(&str, &str); 0] = [];
    for event in ["opened", "clicked"] {
        let text = body(&proof, event);
        let answer = receiver.post("mailgun", none, text.clone()).await;
        assert_eq!(answer.status, StatusCode::OK, "{event}");
        assert_eq!(answer.json()["coverage"], "partial");
        let verdict = clients.verify("mailgun", MAILGUN, &json!({}), &text);
        assert_eq!(verdict, Verdict::Ok);
    }
    for name in ["timestamp", "token", "signature"] {
        let value = proof[name].as_str().unwrap();
        for changed in super::flipped(value) {
            let mut proof = proof.clone();
            // Some of these are characters that JSON escapes, or that are in no signature.
            proof[name] = json!(String::from_utf8(changed).unwrap());
            let text = body(&proof, "opened");
            let answer = receiver.post("mailgun", none, text).await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{proof}");
        }
    }
}

/// The libraries that check what our signer makes, the endpoints it signs for, and both keys.
fn signers() -> Vec<(&'static str, &'static str, &'static str, String)> {
    vec![
        ("discord", "discord", ED25519, ED25519_HEX.to_owned()),
        ("pynacl", "discord", ED25519, ED25519_HEX.to_owned()),
        ("sendgrid", "sendgrid", P256, p256_public()),
        ("telnyx", "telnyx", ED25519, ED25519_BASE64.to_owned()),
        ("v1a", "v1a", ED25519, ED25519_SPKI.to_owned()),
        ("linear", "linear", LINEAR, LINEAR.to_owned()),
        ("mailgun", "mailgun", MAILGUN, MAILGUN.to_owned()),
    ]
}

fn signed(endpoint: &str, private: &str, time: SystemTime, body: &str) -> Request<Bytes> {
    let config = Config::from_toml_str(&endpoints()).unwrap();
    let provider = config.endpoint(endpoint).unwrap().provider().clone();
    let signer = Signer::new(provider, Secret::new(private)).unwrap();
    let signer = signer.with_time(time);
    signer
        .sign_body(Request::post("/"), body.to_owned())
        .unwrap()
}

fn json_of(request: &Request<Bytes>) -> Value {
    let headers = request.headers().iter();
    headers
        .map(|(name, value)| (name.to_string(), json!(value.to_str().unwrap())))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

#[test]
fn the_libraries_accept_what_our_signer_makes_and_nothing_else() {
    let (Some(mut node), Some(mut python)) = (Clients::start(), Clients::start_python()) else {
        return;
    };
    for (client, endpoint, private, public) in signers() {
        let clients = match client {
            "pynacl" | "mailgun" => &mut python,
            _ => &mut node,
        };
        let bodies = match client {
            // The time goes into the body.
            "linear" => vec![r#"{"action":"create","webhookTimestamp":0}"#],
            "mailgun" => vec![r#"{"event-data":{"event":"opened"},"signature":{"token":"abc"}}"#],
            _ => BODIES.to_vec(),
        };
        for body in bodies {
            let request = signed(endpoint, private, SystemTime::now(), body);
            let (headers, body) = (
                json_of(&request),
                std::str::from_utf8(request.body()).unwrap(),
            );
            let case = format!("{client} {body}");
            let verdict = clients.verify(client, &public, &headers, body);
            assert_eq!(verdict, Verdict::Ok, "{case}");

            let changed = match client {
                "mailgun" => body.replace("abc", "xyz"),
                _ => format!("{body} "),
            };
            let verdict = clients.verify(client, &public, &headers, &changed);
            assert_eq!(verdict, Verdict::Refused, "{case}");

            let verdict = clients.verify(client, strange(client), &headers, body);
            assert_eq!(verdict, Verdict::Refused, "{case}");
        }
    }
}

#[test]
fn the_libraries_and_we_agree_on_what_is_too_old() {
    let (Some(mut node), Some(mut python)) = (Clients::start(), Clients::start_python()) else {
        return;
    };
    for (client, window, body) in [
        ("telnyx", 300, "{}"),
        ("linear", 60, r#"{"webhookTimestamp":0}"#),
        ("mailgun", 900, r#"{"signature":{"token":"abc"}}"#),
    ] {
        let signers = signers();
        let (_, endpoint, private, public) =
            signers.iter().find(|(name, ..)| *name == client).unwrap();
        let config = Config::from_toml_str(&endpoints()).unwrap();
        let verifier = config.endpoint(endpoint).unwrap();
        let clients = match client {
            "mailgun" => &mut python,
            _ => &mut node,
        };
        // Far enough from the edge for a slow machine.
        for (age, verdict) in [(window - 20, Verdict::Ok), (window + 1, Verdict::Refused)] {
            let time = SystemTime::now() - Duration::from_secs(age);
            let request = signed(endpoint, private, time, body);
            let (headers, text) = (
                json_of(&request),
                std::str::from_utf8(request.body()).unwrap(),
            );
            let found = clients.verify(client, public, &headers, text);
            assert_eq!(found, verdict, "{client} {age}");
            let (head, body) = request.clone().into_parts();
            let head = tower_webhook::verify::Head::from(&head);
            let ours = verifier.verify(&head, body, SystemTime::now());
            assert_eq!(ours.is_ok(), verdict == Verdict::Ok, "{client} {age}");
        }
    }
}

/// The vector has a space after the body of the documentation. Neither SendGrid's library nor its
/// documentation has a window.
#[tokio::test]
async fn the_example_of_sendgrids_documentation_is_accepted_by_its_library_and_by_us() {
    let vectors = include_str!("../../vectors/schemes.json");
    let vectors: Value = serde_json::from_str(vectors).unwrap();
    let mut providers = vectors["providers"].as_array().unwrap().iter();
    let provider = providers.find(|entry| entry["id"] == "sendgrid").unwrap();
    let mut examples = provider["test_vectors"].as_array().unwrap().iter();
    let example = examples
        .find(|example| example["secret"] == SENDGRID)
        .unwrap();
    let headers = example["headers"].as_object().unwrap();
    let headers: serde_json::Map<String, Value> = headers
        .iter()
        .map(|(name, value)| (name.to_lowercase(), value.clone()))
        .collect();
    let changed = example["body"].as_str().unwrap();
    let genuine = changed.strip_suffix(' ').unwrap();

    let config = endpoints().replace(&p256_public(), SENDGRID);
    let receiver = Receiver::with_config_and_args(&config, &["--now", "1600112502"]);
    let mut clients = Clients::start();
    for (body, verdict) in [(genuine, Verdict::Ok), (changed, Verdict::Refused)] {
        let pairs = headers
            .iter()
            .map(|(name, value)| (name, value.as_str().unwrap()));
        let answer = receiver.post("sendgrid", pairs, body.to_owned()).await;
        assert_eq!(answer.status.is_success(), verdict == Verdict::Ok, "{body}");
        if let Some(clients) = &mut clients {
            let headers = Value::from(headers.clone());
            let found = clients.verify("sendgrid", SENDGRID, &headers, body);
            assert_eq!(found, verdict, "{body}");
        }
    }
}
