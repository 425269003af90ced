//! The receiver with a fixed time, with other proofs than a signature in a header, for several
//! endpoints at once, and where it only logs.

use std::fs;

use http::{Request, StatusCode};
use serde_json::{Value, json};
use support::{
    receiver::{self, Receiver},
    unix_now,
};
use tempfile::TempDir;
use tower_webhook::{Config, Secret, Signer};

const CONFIG: &str = r#"
    [endpoints.stripe]
    provider = "stripe"
    secret = "whsec_test_secret"

    [endpoints.code]
    provider = "github"
    secret = "It's a Secret to Everybody"

    [endpoints.next]
    provider = "github"
    secret = "another-secret-for-the-same"

    [endpoints.any]
    any_of = ["code", "next", "stripe"]

    [endpoints.trial]
    provider = "github"
    secret = "It's a Secret to Everybody"
    enforce = "log"
    max_body = 1000

    [endpoints.trials]
    any_of = ["code", "stripe"]
    enforce = "log"

    [endpoints.token]
    provider = "token"
    secret = "the-token-of-this-endpoint"
    accept_unsigned_body = true

    [providers.token]
    token = { query = "token" }
    event_type = { json = "/type" }
"#;

/// Any request that an endpoint's own provider signs, and its path with the query.
fn signed(endpoint: &str, time: u64, body: &'static str) -> (String, Request<bytes::Bytes>) {
    let config = Config::from_toml_str(CONFIG).unwrap();
    let document: toml::Table = CONFIG.parse().unwrap();
    let secret = document["endpoints"][endpoint]["secret"].as_str().unwrap();
    let provider = config.endpoint(endpoint).unwrap().provider().clone();
    let signer = Signer::new(provider, Secret::new(secret)).unwrap();
    let request = Request::post("/").header("x-github-event", "ping");
    let request = signer
        .with_time(support::at(time))
        .sign_body(request, body)
        .unwrap();
    let query = request.uri().query().map(|query| format!("?{query}"));
    (query.unwrap_or_default(), request)
}

#[tokio::test]
async fn with_a_fixed_time_a_recorded_request_is_accepted_and_an_old_one_is_not() {
    const RECORDED: u64 = 1_700_000_000;
    let (_, request) = signed("stripe", RECORDED, "{}");
    for (now, status) in [
        ("1700000000", StatusCode::OK),
        ("1700000300", StatusCode::OK),
        ("1700000301", StatusCode::UNAUTHORIZED),
        ("1699999699", StatusCode::UNAUTHORIZED),
    ] {
        let receiver = Receiver::with_config_and_args(CONFIG, &["--now", now]);
        for _ in 0..2 {
            let answer = receiver.forward("/webhooks/stripe", request.clone()).await;
            assert_eq!(answer.status, status, "{now}");
        }
        receiver.signal("TERM");
        let ended = receiver.ended();
        let warning = format!("the time is always {now}: a recorded request is accepted");
        let mut lines = ended.stderr.lines();
        assert!(
            lines.any(|line| line.contains("WARN") && line.contains(&warning)),
            "{}",
            ended.stderr
        );
    }
    let receiver = Receiver::with_config(CONFIG);
    let answer = receiver.forward("/webhooks/stripe", request).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    receiver.signal("TERM");
    assert!(!receiver.ended().stderr.contains("the time is always"));
}

#[test]
fn a_fixed_time_is_refused_for_an_address_that_others_reach() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("webhooks.toml");
    fs::write(&path, CONFIG).unwrap();
    let config = path.to_str().unwrap();
    let args = ["--config", config, "--listen", "0.0.0.0:0", "--now", "1"];
    let ended = receiver::run(args);
    assert_eq!((ended.code, &*ended.stdout), (Some(1), ""));
    let problem = "error: --now needs a loopback address, and 0.0.0.0:";
    assert!(ended.stderr.contains(problem), "{}", ended.stderr);
}

#[tokio::test]
async fn a_token_in_the_query_is_accepted_and_covers_nothing() {
    let receiver = Receiver::with_config(CONFIG);
    let (query, request) = signed("token", unix_now(), r#"{"type":"ping"}"#);
    let path = format!("/webhooks/token{query}");
    let answer = receiver.forward(&path, request.clone()).await;
    assert_eq!(
        answer.json(),
        json!({
            "provider": "token",
            "endpoint": "token",
            "event_type": "ping",
            "delivery_id": null,
            "key_id": null,
            "variant": "token",
            "coverage": "none",
            "timestamp": null,
            "bytes": 15,
            "identity": null,
            "parts": [],
            "typed": false,
        })
    );
    for path in [
        "/webhooks/token",
        "/webhooks/token?token=the-token-of-another-endpoint",
        &format!("{path}&token=x"),
    ] {
        let answer = receiver.forward(path, request.clone()).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{path}");
    }
    receiver.signal("TERM");
    let ended = receiver.ended();
    for text in [&ended.stdout, &ended.stderr] {
        assert!(!text.contains("the-token-of"), "{text}");
    }
}

#[tokio::test]
async fn one_of_several_endpoints_accepts() {
    let receiver = Receiver::with_config(CONFIG);
    for endpoint in ["code", "next", "stripe"] {
        let (_, request) = signed(endpoint, unix_now(), "{}");
        let answer = receiver.forward("/webhooks/any", request.clone()).await;
        assert_eq!(answer.status, StatusCode::OK, "{endpoint}");
        assert_eq!(answer.json()["endpoint"], endpoint);
        let other = request.map(|_| "[]".into());
        let answer = receiver.forward("/webhooks/any", other).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{endpoint}");
    }
}

#[tokio::test]
async fn an_endpoint_that_only_logs_passes_on_what_it_does_not_verify() {
    let receiver = Receiver::with_config(CONFIG);
    let unverified = json!({ "verified": false });
    for path in ["/webhooks/trial", "/webhooks/trials"] {
        let (_, request) = signed("code", unix_now(), "{}");
        let answer = receiver.forward(path, request.clone()).await;
        assert_eq!(answer.json()["event_type"], "ping", "{path}");
        let changed = request.map(|_| "[]".into());
        let unsigned = Request::new("{}".into());
        for request in [changed, unsigned] {
            let answer = receiver.forward(path, request).await;
            assert_eq!(answer.status, StatusCode::OK, "{path}");
            assert_eq!(answer.json(), unverified, "{path}");
        }
    }
    let long = Request::new("x".repeat(1001).into());
    let answer = receiver.forward("/webhooks/trial", long).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    let stats: Value = receiver.stats("trial").await;
    assert_eq!(stats["accepted"], 1);
    assert_eq!(stats["refused"], json!({ "body_too_large": 1 }));
    receiver.signal("TERM");
    let ended = receiver.ended();
    let passed_on = ended
        .stderr
        .lines()
        .filter(|line| line.contains("WARN") && line.contains("signature_mismatch"));
    assert_eq!(passed_on.count(), 2, "{}", ended.stderr);
}
