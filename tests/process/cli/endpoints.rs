//! What `listen` serves: endpoints with handshakes, groups, and endpoints that only log.

use super::{
    Desk,
    listen::{exchange, post},
};

const VENDORS: &str = r#"
[endpoints.slack]
provider = "slack"
secret = { env = "SECRET" }

[endpoints.meta]
provider = "meta"
secret = { env = "SECRET" }
verify_token = "the-token-of-the-app"

[endpoints.trial]
provider = "github"
secret = { env = "SECRET" }
enforce = "log"

[endpoints.old]
provider = "github"
secret = { env = "OTHER_SECRET" }

[endpoints.either]
any_of = ["old", "next"]

[endpoints.next]
provider = "stripe"
secret = { env = "SECRET" }
"#;

#[test]
fn handshakes_are_answered() {
    let desk = Desk::new();
    desk.write("vendors.toml", VENDORS);
    let listening = desk.listen(["--config", "vendors.toml", "--format", "json"]);
    // Slack signs its challenge.
    desk.write(
        "challenge.json",
        r#"{"type":"url_verification","challenge":"3eZbrw1aB"}"#,
    );
    let slack = listening.url("/slack");
    let sent = desk.run([
        "send",
        "slack",
        &slack,
        "--secret-env",
        "SECRET",
        "challenge.json",
        "--show-body",
    ]);
    assert!(sent.stdout.contains("| 3eZbrw1aB"), "{sent:?}");
    // Meta compares a token.
    let ask = |token: &str| {
        let query = format!("hub.mode=subscribe&hub.verify_token={token}&hub.challenge=42");
        exchange(
            &listening,
            &format!("GET /meta?{query} HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n"),
        )
    };
    let answer = ask("the-token-of-the-app");
    assert!(
        answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("\r\n\r\n42"),
        "{answer}"
    );
    assert!(ask("a-guess").starts_with("HTTP/1.1 403 "));
    assert_eq!(listening.event("request", 2)["verdict"], "handshake");
    let refused = listening.event("request", 3);
    assert_eq!(
        (&refused["verdict"], &refused["kind"]),
        (&"refused".into(), &"challenge_refused".into())
    );
    let all = listening.stop();
    assert!(
        !(all.stdout + &all.stderr).contains("the-token-of"),
        "no token is printed"
    );
}

#[test]
fn groups_and_endpoints_that_only_log_are_served_as_they_are() {
    let desk = Desk::new();
    desk.write("vendors.toml", VENDORS);
    let listening = desk.listen(["--config", "vendors.toml", "--format", "json"]);
    let either = listening.url("/either");
    for (number, provider, secret) in [(1, "github", "OTHER_SECRET"), (2, "stripe", "SECRET")] {
        let sent = desk.run([
            "send",
            provider,
            &either,
            "--secret-env",
            secret,
            "event.json",
        ]);
        assert_eq!(sent.code, Some(0), "{sent:?}");
        assert_eq!(listening.event("request", number)["verdict"], "genuine");
    }
    // The explanation is about the member that got furthest.
    desk.write("old.http", &post("/either", "", ""));
    let changed = [
        "send",
        "github",
        &either,
        "--secret-env",
        "SECRET",
        "event.json",
    ];
    assert_eq!(desk.run(changed).code, Some(1));
    let why = listening.event("explanation", 3);
    let cause = why["cause"].as_str().unwrap();
    // Several endpoints have that secret.
    assert!(cause.starts_with("other-secret:"), "{why}");

    let trial = [
        "send",
        "github",
        &listening.url("/trial"),
        "--secret-env",
        "OTHER_SECRET",
        "event.json",
    ];
    assert_eq!(desk.run(trial).code, Some(0));
    let line = listening.event("request", 4);
    assert_eq!(
        (&line["verdict"], &line["kind"]),
        (&"passed_on".into(), &"signature_mismatch".into())
    );
    let ended = listening.stop();
    assert!(
        ended.stderr.contains("signatures are not enforced"),
        "{ended:?}"
    );
}
