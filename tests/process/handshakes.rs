//! The receiver answers recorded handshakes over HTTP, as vendors ask for them.

use support::{
    handshakes::{Expect, Got, Seen, supported},
    receiver::Receiver,
};

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
            seen.extend(
                vector
                    .event
                    .iter()
                    .map(|event| Seen::Secret(event["secret"].clone())),
            );
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
