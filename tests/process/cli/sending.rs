//! `send` and `replay`, to a receiver that is `listen`.

use serde_json::Value;

use super::{Desk, EVENT, Listening};

const ENDPOINTS: &str = r#"
[endpoints.github]
provider = "github"
secret = { env = "SECRET" }

[endpoints.svix]
provider = "svix"
secret = { env = "SVIX_SECRET" }

[endpoints.gitlab]
provider = "gitlab"
variant = "token"
accept_unsigned_body = true
secret = { env = "SECRET" }

[endpoints.square]
provider = "square"
url = "https://hooks.example.com/square"
secret = { env = "SECRET" }

[endpoints.query]
provider = "in-query"
secret = { env = "SECRET" }

[providers.in-query]
algorithm = "hmac-sha256"
signed = "{body}"
signature = { query = "sig", encoding = "hex" }

[endpoints.body]
provider = "in-body"
secret = { env = "SECRET" }
accept_unsigned_body = true

[providers.in-body]
algorithm = "hmac-sha256"
signed = "{json:/action}"
signature = { json = "/signature", encoding = "hex" }
covers = "partial"
"#;

fn receiver(desk: &Desk) -> Listening {
    desk.write("receiver.toml", ENDPOINTS);
    desk.listen([
        "--config",
        "receiver.toml",
        "--format",
        "json",
        "--save",
        "kept",
    ])
}

#[test]
fn what_is_sent_is_accepted_and_what_is_tampered_with_is_not() {
    let desk = Desk::new();
    let receiver = receiver(&desk);
    let mut number = 0;
    for (endpoint, can_tamper) in [
        ("github", &["body", "signature"][..]),
        ("svix", &["body", "signature", "time"]),
        ("gitlab", &["signature"]),
        ("square", &["body", "signature"]),
        ("query", &["body", "signature"]),
        ("body", &["signature"]),
    ] {
        let url = receiver.url(&format!("/hooks/{endpoint}"));
        let send = [
            "send",
            endpoint,
            &url,
            "--config",
            "receiver.toml",
            "event.json",
            "--format",
            "json",
        ];
        let sent = desk.run(send);
        number += 1;
        assert_eq!(sent.code, Some(0), "{endpoint}: {sent:?}");
        let line: Value = serde_json::from_str(&sent.stdout).unwrap();
        assert_eq!(
            (&line["status"], &line["accepted"]),
            (&200.into(), &true.into()),
            "{line}"
        );
        assert_eq!(
            receiver.event("request", number)["verdict"],
            "genuine",
            "{endpoint}"
        );

        for part in can_tamper {
            let sent = desk.run(send.into_iter().chain(["--tamper", part]));
            number += 1;
            assert_eq!(sent.code, Some(1), "{endpoint} {part}: {sent:?}");
            let line: Value = serde_json::from_str(&sent.stdout).unwrap();
            assert_eq!(line["status"], 401, "{endpoint} {part}: {line}");
            assert_eq!(line["tampered"], *part);
            let kind = receiver.event("request", number)["kind"].clone();
            let expected = if *part == "time" {
                "timestamp_too_old"
            } else {
                "signature_mismatch"
            };
            assert_eq!(kind, expected, "{endpoint} {part}");
        }
    }
}

/// Repeated bytes are one delivery: the id is the same.
#[test]
fn a_repetition_has_the_same_bytes() {
    let desk = Desk::new();
    let receiver = receiver(&desk);
    let url = receiver.url("/svix");
    let sent = desk.run([
        "send",
        "svix",
        &url,
        "--secret-env",
        "SVIX_SECRET",
        "event.json",
        "--repeat",
        "3",
    ]);
    assert_eq!(sent.code, Some(0), "{sent:?}");
    assert_eq!(sent.stdout.lines().count(), 3);
    let ids = [1, 2, 3].map(|number| receiver.event("request", number)["delivery_id"].clone());
    assert!(
        ids[0].is_string() && ids[0] == ids[1] && ids[1] == ids[2],
        "{ids:?}"
    );
}

/// An old capture is refused as it is, and accepted once it is signed anew, as the same delivery.
#[test]
fn a_capture_is_made_fresh() {
    let desk = Desk::new();
    let receiver = receiver(&desk);
    let args = [
        "sign",
        "svix",
        "--secret-env",
        "SVIX_SECRET",
        "event.json",
        "--http",
        "--now",
        "1700000000",
    ];
    let old = desk.run(args).stdout;
    desk.write("old.http", &old);
    let id = old
        .lines()
        .find_map(|line| line.strip_prefix("Svix-Id: "))
        .unwrap();
    let url = receiver.url("/svix");
    let secret = ["--secret-env", "SVIX_SECRET"];
    for (more, code) in [
        (&[][..], 1),
        (&["--resign"], 0),
        (&["--resign", "--provider", "svix"], 0),
        (&["--resign", "--now", "1700000000"], 1),
    ] {
        let secret: &[&str] = if more.is_empty() { &[] } else { &secret };
        let sent = desk.run([&["replay", "old.http", &url][..], more, secret].concat());
        assert_eq!(sent.code, Some(code), "{more:?}: {sent:?}");
    }
    let seen: Vec<Value> = (1..=4)
        .map(|number| receiver.event("request", number))
        .collect();
    let kinds: Vec<_> = seen
        .iter()
        .map(|line| line["kind"].as_str().unwrap_or("genuine"))
        .collect();
    assert_eq!(
        kinds,
        [
            "timestamp_too_old",
            "genuine",
            "genuine",
            "timestamp_too_old"
        ]
    );
    assert!(
        seen[1..3].iter().all(|line| line["delivery_id"] == id),
        "{seen:?}"
    );
}

/// A token is left out of a capture, and comes back with the signature.
#[test]
fn a_capture_without_its_token_is_signed_anew() {
    let desk = Desk::new();
    let receiver = receiver(&desk);
    let url = receiver.url("/gitlab");
    let send = [
        "send",
        "gitlab",
        &url,
        "--config",
        "receiver.toml",
        "event.json",
    ];
    assert_eq!(desk.run(send).code, Some(0));
    let saved = receiver.event("request", 1)["saved"]
        .as_str()
        .unwrap()
        .to_owned();
    let text = desk.read(&saved);
    assert!(
        text.contains("[redacted]") && !text.contains(super::SECRET),
        "{text}"
    );

    let as_it_is = desk.run(["replay", &saved, &url]);
    assert_eq!(as_it_is.code, Some(1));
    assert!(
        as_it_is.stderr.contains("credentials are left out"),
        "{as_it_is:?}"
    );
    let resigned = desk.run([
        "replay",
        &saved,
        &receiver.url(""),
        "--resign",
        "--config",
        "receiver.toml",
    ]);
    assert_eq!(resigned.code, Some(0), "{resigned:?}");
}

/// The provider of a capture that does not name it is told by its headers.
#[test]
fn a_capture_of_many_possible_senders_needs_a_name() {
    let desk = Desk::new();
    desk.write(
        "plain.http",
        &format!("POST /x HTTP/1.1\r\nX-Signature: 00\r\n\r\n{EVENT}"),
    );
    desk.write("bare.http", &format!("POST /x HTTP/1.1\r\n\r\n{EVENT}"));
    for (file, text) in [
        ("plain.http", "may be of "),
        ("bare.http", "of no known provider"),
    ] {
        let args = [
            "replay",
            file,
            "http://127.0.0.1:1/",
            "--resign",
            "--secret-env",
            "SECRET",
        ];
        let ended = desk.run(args);
        assert_eq!(ended.code, Some(2), "{file}: {ended:?}");
        assert!(
            ended.stderr.contains(text) && ended.stderr.contains("--provider"),
            "{ended:?}"
        );
    }
}
