//! The vendors' own answers to the question whether an address takes webhooks, against ours over
//! HTTP.

use std::{collections::BTreeSet, io::Write, time::SystemTime};

use bytes::Bytes;
use http::{Request, StatusCode};
use serde_json::{Map, Value, json};
use support::{clients::Clients, receiver::Receiver};
use tower_webhook::{Config, Secret, Signer, providers};

use super::table::Shape;

/// A question, and what it is put to.
#[derive(Clone, Copy)]
struct Case {
    /// The function of `handshakes.mjs`.
    client: &'static str,
    provider: &'static str,
    secret: Shape,
    /// Further settings of the endpoint.
    settings: &'static [(&'static str, &'static str)],
    method: &'static str,
    query: &'static str,
    body: &'static str,
    signature: Signature,
    expected: Expected,
}

#[derive(Clone, Copy, PartialEq)]
enum Signature {
    None,
    Right,
    /// By somebody else.
    Wrong,
}

/// What both make of the question.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Expected {
    /// The same text, or the same JSON.
    Same,
    /// The challenge: one as text, the other as JSON, of which the vendor takes either.
    Challenge,
    Refused,
    /// It is no handshake, and the handler's.
    Passed,
}

const POST: Case = Case {
    client: "",
    provider: "",
    secret: Shape::Text,
    settings: &[],
    method: "POST",
    query: "",
    body: "",
    signature: Signature::Right,
    expected: Expected::Same,
};

const SLACK: Case = Case {
    client: "slack",
    provider: "slack",
    body: r#"{"token":"unused","challenge":"3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFO7tYXAYM8P","type":"url_verification"}"#,
    expected: Expected::Challenge,
    ..POST
};

const INTERACTION: Case = Case {
    client: "discord",
    provider: "discord",
    secret: Shape::Ed25519Hex,
    body: r#"{"application_id":"1","type":1,"version":1}"#,
    ..POST
};

const DISCORD_EVENT: Case = Case {
    client: "discord-events",
    body: r#"{"version":1,"application_id":"1","type":0}"#,
    ..INTERACTION
};

const ZOOM: Case = Case {
    client: "zoom",
    provider: "zoom",
    body: r#"{"payload":{"plainToken":"qgg8vlvZRS6UYooatFL8Aw"},"event_ts":1654503849680,"event":"endpoint.url_validation"}"#,
    ..POST
};

const BRAINTREE: Case = Case {
    client: "braintree",
    provider: "braintree",
    settings: &[("public_key", "public-key-of-the-account")],
    method: "GET",
    query: "bt_challenge=20f9f8ed05f77439fe955c977e4c8a53",
    signature: Signature::None,
    ..POST
};

const EBAY: Case = Case {
    client: "ebay",
    provider: "ebay",
    secret: Shape::P256,
    settings: &[
        ("verification_token", "a-token-of-32-to-80-characters_0001"),
        ("url", "https://hooks.example.com/webhooks/ebay"),
    ],
    method: "GET",
    query: "challenge_code=a8628072-3d33-45ee-9004-bee86830a22d",
    signature: Signature::None,
    ..POST
};

const NYLAS: Case = Case {
    client: "nylas",
    provider: "nylas",
    method: "GET",
    query: "challenge=a%2Bb%20c%26%3Cd%3E",
    signature: Signature::None,
    ..POST
};

const CASES: [Case; 16] = [
    SLACK,
    Case {
        signature: Signature::None,
        expected: Expected::Refused,
        ..SLACK
    },
    Case {
        signature: Signature::Wrong,
        expected: Expected::Refused,
        ..SLACK
    },
    INTERACTION,
    Case {
        signature: Signature::None,
        expected: Expected::Refused,
        ..INTERACTION
    },
    Case {
        body: r#"{"application_id":"1","id":"2","type":2,"data":{"name":"deploy"}}"#,
        expected: Expected::Passed,
        ..INTERACTION
    },
    DISCORD_EVENT,
    Case {
        signature: Signature::None,
        expected: Expected::Refused,
        ..DISCORD_EVENT
    },
    ZOOM,
    Case {
        signature: Signature::Wrong,
        expected: Expected::Refused,
        ..ZOOM
    },
    BRAINTREE,
    Case {
        query: "bt_challenge=PHhtbD4%3D",
        expected: Expected::Refused,
        ..BRAINTREE
    },
    EBAY,
    Case {
        query: "challenge_code=a%2Bb%20c",
        ..EBAY
    },
    NYLAS,
    Case {
        query: "other=1",
        expected: Expected::Refused,
        ..NYLAS
    },
];

/// Providers of which no library answers handshakes, and why.
const NO_CODE: [(&str, &str); 27] = [
    ("adobe-sign", API),
    (
        "adyen",
        "its library verifies the items; the text is the application's",
    ),
    ("asana", API),
    (
        "aws-sns",
        "its validator checks the message; the confirmation is the application's",
    ),
    (
        "azure-event-grid",
        "its library reads events; the answer is the application's",
    ),
    (
        "cloudevents-handshake",
        "the libraries read and write events, and nothing else",
    ),
    ("dropbox", API),
    (
        "dropbox-sign",
        "its library verifies events; the text is the application's",
    ),
    ("front-app", API),
    ("google-calendar", API),
    ("intercom", API),
    (
        "line",
        "its middleware verifies the signature; the empty list goes to the application",
    ),
    ("mailchimp", API),
    ("mandrill", API),
    ("meta", API),
    ("microsoft-graph", API),
    (
        "notion",
        "its library verifies events; the token is shown to a person",
    ),
    ("okta", API),
    ("tebex", "it has no library"),
    ("trello", "it has no library"),
    ("trulioo", API),
    ("twitch", "it has no library"),
    ("vercel", API),
    (
        "viber",
        "its middleware answers every request with an empty 200",
    ),
    ("woocommerce", API),
    (
        "x-twitter",
        "twitter-autohook is archived, and starts a tunnel; another crate makes the MAC in attacks.rs",
    ),
    ("xero", API),
];
const API: &str = "its library is a client of the API";

impl Case {
    fn name(&self, place: usize) -> String {
        format!("{}-{place}", self.client)
    }

    fn config(&self, place: usize) -> String {
        let key = match self.secret.is_pair() {
            true => "public_key",
            false => "secret",
        };
        let mut text = format!(
            "[endpoints.{}]\nprovider = {:?}\n{key} = {:?}\n",
            self.name(place),
            self.provider,
            self.secret.public()
        );
        for (name, value) in self.settings {
            text += &format!("{name} = {value:?}\n");
        }
        text
    }

    fn request(&self, place: usize) -> Request<Bytes> {
        let target = format!("/webhooks/{}?{}", self.name(place), self.query);
        let target = target.trim_end_matches('?');
        let builder = Request::builder()
            .method(self.method)
            .uri(target)
            .header("content-type", "application/json");
        let body = Bytes::from_static(self.body.as_bytes());
        let secret = match self.signature {
            Signature::None => return builder.body(body).unwrap(),
            Signature::Right => self.secret.private(),
            Signature::Wrong => self.secret.strange(),
        };
        let provider = providers::by_name(self.provider).unwrap();
        let signer = Signer::new(provider, Secret::new(secret)).unwrap();
        let signer = signer.with_time(SystemTime::now());
        signer.sign_body(builder, body).unwrap()
    }
}

fn question(case: &Case, request: &Request<Bytes>) -> Value {
    let headers = request.headers().iter();
    let headers: Map<_, _> = headers
        .map(|(name, value)| (name.to_string(), json!(value.to_str().unwrap())))
        .collect();
    let params: Map<_, _> = case
        .settings
        .iter()
        .map(|(name, value)| ((*name).to_owned(), json!(value)))
        .collect();
    json!({
        "client": case.client,
        "method": request.method().as_str(),
        "url": format!("https://hooks.example.com{}", request.uri()),
        "headers": headers,
        "body": case.body,
        "secret": case.secret.public(),
        "params": params,
    })
}

/// What is wrong with the two answers.
fn problem(case: &Case, theirs: &Value, status: StatusCode, body: &[u8]) -> Option<String> {
    let their_status = theirs["status"].as_u64()?;
    let text = theirs["body"].as_str().unwrap_or_default();
    let ours = std::str::from_utf8(body).ok()?;
    let json = |text: &str| serde_json::from_str::<Value>(text).ok();
    let is_right = match case.expected {
        Expected::Same => {
            let is_same = text == ours || json(text).is_some() && json(text) == json(ours);
            is_same && their_status == u64::from(status.as_u16())
        }
        Expected::Challenge => {
            their_status == 200 && status == 200 && json(text)?["challenge"] == ours
        }
        Expected::Refused => (400..500).contains(&their_status) && status.is_client_error(),
        // The receiver shows the event.
        Expected::Passed => their_status == 0 && json(ours)?["provider"] == case.provider,
    };
    (!is_right).then(|| {
        format!(
            "{:?}: they {their_status} {text:?}, we {status} {ours:?}",
            case.expected
        )
    })
}

#[tokio::test]
async fn the_vendors_libraries_answer_as_we_do() {
    let Some(mut clients) = Clients::start() else {
        return;
    };
    let documents: Vec<String> = CASES
        .iter()
        .enumerate()
        .map(|(place, case)| case.config(place))
        .collect();
    let receiver = Receiver::with_config(&documents.join("\n"));
    let mut problems = Vec::new();
    for (place, case) in CASES.iter().enumerate() {
        let request = case.request(place);
        let theirs = match clients.answer(&question(case, &request)) {
            Ok(theirs) => theirs,
            Err(problem)
                if std::env::var_os("CI").is_none() && problem.contains("cannot be loaded") =>
            {
                // Not `eprintln`: the test harness would keep it to itself.
                let line = format!("SKIPPED handshake of {}: {problem}\n", case.client);
                std::io::stderr().write_all(line.as_bytes()).unwrap();
                continue;
            }
            Err(problem) => {
                problems.push(format!("{}: {problem}", case.name(place)));
                continue;
            }
        };
        let target = request.uri().to_string();
        let answer = receiver.forward(&target, request).await;
        let found = problem(case, &theirs, answer.status, &answer.body);
        problems.extend(found.map(|found| format!("{}: {found}", case.name(place))));
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn every_provider_that_asks_is_compared_or_has_a_reason() {
    let compared: BTreeSet<&str> = CASES.iter().map(|case| case.provider).collect();
    let left_out: BTreeSet<&str> = NO_CODE.iter().map(|(name, _)| *name).collect();
    assert!(compared.is_disjoint(&left_out));
    let asking = providers::all().filter(|known| !known.handshake().is_empty());
    let missing: Vec<&str> = asking
        .map(|known| known.name())
        .filter(|name| !compared.contains(name) && !left_out.contains(name))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
    for name in left_out {
        let is_known = providers::all().any(|known| known.name() == name);
        assert!(is_known, "{name}");
    }
    // Each document is one that a user may write.
    for (place, case) in CASES.iter().enumerate() {
        Config::from_toml_str(&case.config(place)).unwrap();
    }
}
