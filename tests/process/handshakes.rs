//! The receiver answers recorded handshakes over HTTP, as vendors ask for them.

use http::{Method, Request, StatusCode};
use support::{
    handshakes::{Expect, Got, Seen, supported},
    receiver::Receiver,
};
use tower_webhook::{Secret, Signer, providers};

#[tokio::test]
async fn every_question_is_answered_by_the_receiver() {
    let cases = supported();
    let documents: Vec<&str> = cases.iter().map(|case| &*case.document).collect();
    let now = cases[0].vector.now.to_string();
    let receiver = Receiver::with_config_and_args(&documents.join("\n"), &["--now", now.as_str()]);
    let is_event = |body: &[u8]| {
        let json: Option<serde_json::Value> = serde_json::from_slice(body).ok();
        json.is_some_and(|json| json["provider"].is_string())
    };
    let mut all = Vec::new();
    for case in &cases {
        let vector = &case.vector;
        let path = format!("/webhooks/{}", case.name);
        let request = vector.request(&path);
        let target = request.uri().to_string();
        let answer = receiver.forward(&target, request).await;
        let stats = receiver.stats(&case.name).await;
        let mut seen = Vec::new();
        if stats["accepted"] == 1 {
            seen.push(Seen::Event);
        }
        // A tool that stores nothing has no more to show than the answer.
        if vector.expect == Expect::HandedOver && answer.status == 200 {
            let parts = vector.event.clone();
            seen.push(Seen::Handed(parts.unwrap_or_default()));
        }
        let got = Got {
            status: answer.status,
            headers: answer.headers,
            body: answer.body,
            seen,
        };
        for problem in vector.problems(&got, is_event) {
            all.push(format!(
                "{}, {}: {problem}: {got:?}",
                case.name, vector.note
            ));
        }
    }
    assert!(all.is_empty(), "{}", all.join("\n"));
}

/// What was captured is not handled again under a method by which no delivery is claimed.
#[tokio::test]
async fn an_event_is_not_repeated_by_another_method() {
    const SECRET: &str = "a-secret-of-some-length";
    let receiver = Receiver::with_config(&format!(
        "[endpoints.files]\nprovider = \"dropbox\"\nsecret = {SECRET:?}\ndeduplicate_by = \"body\"\n[deliveries]\nstore = \"memory\"\n"
    ));
    let signer = Signer::new(providers::dropbox(), Secret::new(SECRET)).unwrap();
    let path = "/webhooks/files";
    for (method, target, status, accepted) in [
        (Method::POST, path, StatusCode::OK, 1),
        (Method::POST, path, StatusCode::OK, 1),
        (Method::GET, path, StatusCode::METHOD_NOT_ALLOWED, 1),
        (Method::HEAD, path, StatusCode::METHOD_NOT_ALLOWED, 1),
        (Method::OPTIONS, path, StatusCode::METHOD_NOT_ALLOWED, 1),
        // It is a question then, which has its answer whoever asks.
        (
            Method::GET,
            "/webhooks/files?challenge=42",
            StatusCode::OK,
            1,
        ),
    ] {
        let request = Request::builder().method(&method).uri(target);
        let request = signer.sign_body(request, "{}").unwrap();
        let answer = receiver.forward(target, request).await;
        assert_eq!(answer.status, status, "{method} {target}");
        let stats = receiver.stats("files").await;
        assert_eq!(stats["accepted"], accepted, "{method} {target}: {stats}");
    }
    let stats = receiver.stats("files").await;
    assert_eq!(stats["refused"]["method_not_allowed"], 3, "{stats}");
}
