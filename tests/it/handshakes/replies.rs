//! Senders that read the answer are not answered out of the memory of a delivery layer.

use axum::{Router, body::Body};
use http::Request;
use support::NOW;
use tower_webhook::{Config, Secret, Signer, providers};

use super::{Watch, ask, by_hand, layer_of};

/// How often the handler is called for a request that is sent twice.
async fn calls(lines: &str, body: &str) -> usize {
    let config = Config::from_toml_str(&format!("[endpoints.x]\n{lines}")).unwrap();
    calls_of(lines, &config.signer("x").unwrap(), body).await
}

async fn calls_of(lines: &str, signer: &Signer, body: &str) -> usize {
    let watch = Watch::default();
    let app: Router = by_hand(layer_of(lines), NOW, &watch);
    let signer = signer.clone().with_time(support::at(NOW));
    let mut calls = 0;
    for _ in 0..2 {
        let signed = signer
            .sign_body(Request::post("/hook"), body.to_owned())
            .unwrap();
        let got = ask(&app, &watch, signed.map(Body::from)).await;
        assert_eq!(got.status, 200);
        calls += got.seen.len();
    }
    calls
}

#[tokio::test]
async fn a_sender_that_reads_the_answer_gets_the_handlers_own() {
    const SLACK: &str = "provider = \"slack\"\nsecret = \"a-secret-of-some-length\"";
    const SUPABASE: &str =
        "provider = \"supabase\"\nsecret = \"v1,whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\"";
    let (event, command) = (r#"{"event_id":"Ev1"}"#, "command=%2Fdeploy&text=api");
    for (lines, body, expected) in [
        (SLACK.to_owned(), event, 1),
        (SLACK.to_owned(), command, 2),
        (SLACK.to_owned(), "payload=%7B%7D", 2),
        (format!("{SLACK}\ndeduplicate_by = \"body\""), command, 1),
        (format!("{SLACK}\ndeduplicate_by = \"auto\""), command, 2),
        (SUPABASE.to_owned(), r#"{"user":{}}"#, 2),
        (
            format!("{SUPABASE}\ndeduplicate_by = \"body\""),
            r#"{"user":{}}"#,
            1,
        ),
    ] {
        assert_eq!(calls(&lines, body).await, expected, "{lines}: {body}");
    }
}

/// Two events that look the same are two events.
#[tokio::test]
async fn what_cannot_be_told_apart_is_handled_each_time() {
    const DROPBOX: &str = "provider = \"dropbox\"\nsecret = \"a-secret-of-some-length\"";
    const GRAPH: &str = "provider = \"microsoft-graph\"\nsecret = \"a-secret-of-some-length\"\naccept_unsigned_body = true";
    const CALENDAR: &str = "provider = \"google-calendar\"\nsecret = \"a-secret-of-some-length\"\naccept_unsigned_body = true";
    let account = r#"{"list_folder":{"accounts":["dbid:1"]}}"#;
    let (changed, named) = (
        r#"{"value":[{"resource":"me/drive/root"}]}"#,
        r#"{"value":[{"id":"7","resource":"me/drive/root"}]}"#,
    );
    for (lines, body, expected) in [
        (DROPBOX.to_owned(), account, 2),
        (format!("{DROPBOX}\ndeduplicate_by = \"body\""), account, 1),
        (GRAPH.to_owned(), changed, 2),
        (GRAPH.to_owned(), named, 1),
        (CALENDAR.to_owned(), "", 2),
        (format!("{CALENDAR}\ndeduplicate_by = \"id\""), "", 2),
        (CALENDAR.to_owned(), "{\"a\":1}", 1),
    ] {
        assert_eq!(calls(&lines, body).await, expected, "{lines}: {body}");
    }
}

#[tokio::test]
async fn an_interaction_of_discord_gets_the_handlers_own() {
    const PRIVATE: &str = include_str!("../../../src/crypto/vectors/keys/ed25519.pem");
    const PUBLIC: &str = include_str!("../../../src/crypto/vectors/keys/ed25519.pub.pem");
    let lines = format!("provider = \"discord\"\npublic_key = {PUBLIC:?}");
    let signer = Signer::new(providers::discord(), Secret::new(PRIVATE)).unwrap();
    let interaction = r#"{"type":2,"id":"1"}"#;
    let event = r#"{"type":1,"event":{"type":"ENTITLEMENT_CREATE"}}"#;
    for (body, expected) in [(interaction, 2), (event, 1)] {
        assert_eq!(calls_of(&lines, &signer, body).await, expected, "{body}");
    }
}
