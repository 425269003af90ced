//! Recorded handshakes: questions, the settings of an endpoint, and the answers that vendors
//! expect.

use std::{collections::BTreeMap, fmt::Write as _};

use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode};
use serde::Deserialize;
use serde_json::Value;
use tower_webhook::{
    handshake::{HandshakeTask, Subscription},
    providers,
};

use crate::vector_file;

/// Providers whose schemes are not supported, so that their handshakes are not, either.
pub const LEFT_OUT: [(&str, &str); 2] = [
    ("docker-hub", "nothing is signed"),
    ("salesforce", "nothing is signed"),
];

/// Every vector of a provider that is supported, with a name for its endpoint.
pub fn supported() -> Vec<Case> {
    let mut all = Vec::new();
    for entry in entries() {
        let is_left_out = LEFT_OUT.iter().any(|(id, _)| *id == entry.id);
        let is_known = providers::by_name(&entry.id).is_some();
        assert_ne!(is_known, is_left_out, "{}", entry.id);
        if is_left_out {
            continue;
        }
        for (number, vector) in entry.vectors().iter().enumerate() {
            let name = format!("{}-{number}", entry.id);
            all.push(Case {
                provider: entry.id.clone(),
                document: entry.document(vector, &name),
                vector: vector.clone(),
                name,
            });
        }
    }
    all
}

/// One vector, and the configuration of an endpoint for it.
pub struct Case {
    pub provider: String,
    pub name: String,
    pub document: String,
    pub vector: Vector,
}

/// The handshakes of one provider.
#[derive(Deserialize)]
pub struct Entry {
    pub id: String,
    #[serde(default)]
    pub scheme: Value,
    handshake: Recorded,
}

#[derive(Deserialize)]
struct Recorded {
    vectors: Vec<Vector>,
}

/// A question, the settings of the endpoint, and what must come of it.
#[derive(Clone, Deserialize)]
pub struct Vector {
    pub note: String,
    pub request: Question,
    pub now: u64,
    secret: Option<String>,
    public_key: Option<String>,
    url: Option<String>,
    /// What is at the addresses of certificates, in PEM.
    #[serde(default)]
    certs: BTreeMap<String, String>,
    #[serde(default)]
    params: BTreeMap<String, Value>,
    pub expect: Expect,
    /// Of a request that is no handshake, whether it is accepted as an event.
    valid: Option<bool>,
    pub response: Option<Expected>,
    pub event: Option<BTreeMap<String, String>>,
}

#[derive(Clone, Deserialize)]
pub struct Question {
    pub method: String,
    #[serde(default)]
    pub query: String,
    pub headers: BTreeMap<String, String>,
    pub body: String,
}

/// What must come of a question.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Expect {
    Answered,
    Delivered,
    HandedOver,
    Refused,
    Passed,
}

/// The answer to it.
#[derive(Clone, Deserialize)]
pub struct Expected {
    status: u16,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    body: Option<String>,
    json: Option<Value>,
}

/// The answer to a question, and what the handler saw of it.
#[derive(Debug)]
pub struct Got {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
    pub seen: Vec<Seen>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    Event,
    /// What was handed over, by name.
    Handed(BTreeMap<String, String>),
}

impl Seen {
    /// A handshake, in the words of the vectors.
    pub fn of(task: &HandshakeTask) -> Self {
        let of_subscription = |kind: &str, subscription: &Subscription| {
            let parts = [
                ("kind", kind),
                ("topic", subscription.topic()),
                ("token", subscription.token()),
                ("url", subscription.url()),
            ];
            parts.map(|(name, value)| (name.to_owned(), value.to_owned()))
        };
        Self::Handed(match task {
            HandshakeTask::StoreSecret(secret) => {
                [("secret".to_owned(), secret.reveal().to_owned())].into()
            }
            HandshakeTask::ConfirmSubscription(subscription) => {
                of_subscription("subscription_confirmation", subscription).into()
            }
            HandshakeTask::SubscriptionEnded(subscription) => {
                of_subscription("unsubscribe_confirmation", subscription).into()
            }
            other => panic!("{other:?}"),
        })
    }
}

const KEY_OF_NOBODY: &str = "7eb2f0936de31137575097a4457874060e6d0eb9e92cf978e99a749f9ffd4df7";

pub fn entries() -> Vec<Entry> {
    #[derive(Deserialize)]
    struct File {
        providers: Vec<Entry>,
    }

    let read = |name| serde_json::from_slice::<File>(&vector_file(name)).unwrap();
    let files = ["handshakes.json", "handshakes-more.json"].map(read);
    files.into_iter().flat_map(|file| file.providers).collect()
}

impl Entry {
    pub fn vectors(&self) -> &[Vector] {
        &self.handshake.vectors
    }

    /// The configuration as a user would write it.
    pub fn document(&self, vector: &Vector, name: &str) -> String {
        let quoted = |text: &str| serde_json::to_string(text).unwrap();
        let mut text = format!("[endpoints.{name}]\nprovider = {}\n", quoted(&self.id));
        let kind = self.scheme["kind"].as_str();
        let mut line = |key: &str, value: &str| writeln!(text, "{key} = {value}").unwrap();
        match (&vector.public_key, kind) {
            _ if !vector.certs.is_empty() => {
                let keys = vector.certs.iter().map(|(url, certificate)| {
                    format!(
                        "{{ id = {}, value = {} }}",
                        quoted(url),
                        quoted(certificate)
                    )
                });
                line(
                    "public_keys",
                    &format!("[{}]", keys.collect::<Vec<_>>().join(", ")),
                );
            }
            (Some(key), _) => line("public_key", &quoted(key)),
            (None, Some("signature")) => {
                let key = vector.secret.as_deref().unwrap_or(KEY_OF_NOBODY);
                line("public_key", &quoted(key));
            }
            _ => {
                let secret = vector.secret.as_deref();
                line(
                    "secret",
                    &quoted(secret.unwrap_or("a-secret-of-some-length")),
                );
            }
        }
        if kind == Some("token")
            || ["adyen", "aws-sns", "dropbox-sign", "google-calendar"].contains(&&*self.id)
        {
            line("accept_unsigned_body", "true");
        }
        if ["mandrill", "trello"].contains(&&*self.id) {
            let url = vector.url.as_deref();
            line("url", &quoted(url.unwrap_or("https://hooks.example.com/")));
        }
        if self.id == "braintree" && !vector.params.contains_key("public_key") {
            line("public_key", "\"integration_public_key\"");
        }
        for (key, value) in &vector.params {
            line(key, &value.to_string());
        }
        text
    }
}

impl Vector {
    /// The question to an endpoint at this path.
    pub fn request(&self, path: &str) -> Request<Bytes> {
        let Question {
            method,
            query,
            headers,
            body,
        } = &self.request;
        let mut request = Request::builder()
            .method(&**method)
            .uri(format!("{path}?{query}").trim_end_matches('?'))
            .header("content-length", body.len());
        for (name, value) in headers {
            request = request.header(name, value);
        }
        request.body(Bytes::from(body.clone())).unwrap()
    }

    /// Whether this is what the handler must get. Some vectors only say that there is something.
    fn has_handed(&self, parts: &BTreeMap<String, String>) -> bool {
        let expected = self.event.iter().flatten();
        let mut expected =
            expected.filter(|(name, _)| *name != "kind" || parts.contains_key("topic"));
        expected.all(|(name, value)| parts.get(name) == Some(value))
    }

    /// What is wrong with an answer.
    pub fn problems(&self, got: &Got, is_of_handler: impl Fn(&[u8]) -> bool) -> Vec<String> {
        let mut problems = Vec::new();
        let mut check = |is_right: bool, what: &str| {
            if !is_right {
                problems.push(what.to_owned());
            }
        };
        let is_handled = got.seen == [Seen::Event];
        match self.expect {
            Expect::Answered | Expect::Refused => {
                check(got.seen.is_empty(), "the handler saw it");
            }
            Expect::Delivered => check(is_handled, "the handler did not see it"),
            Expect::HandedOver => {
                check(
                    matches!(&*got.seen, [Seen::Handed(parts)] if self.has_handed(parts)),
                    "the handler did not get what was offered",
                );
            }
            Expect::Passed => {
                let valid = self.valid.unwrap_or(false);
                check(is_handled == valid, "it is accepted or refused wrongly");
                check(got.status.is_success() == valid, "wrong status");
                check(
                    !valid || is_of_handler(&got.body),
                    "another answer than the handler's",
                );
            }
        }
        if let Some(expected) = &self.response {
            check(got.status.as_u16() == expected.status, "wrong status");
            for (name, value) in &expected.headers {
                let found = got.headers.get_all(name).iter().collect::<Vec<_>>();
                check(found == [value.as_str()], &format!("wrong header {name}"));
            }
            if let Some(body) = &expected.body {
                check(got.body == body.as_bytes(), "wrong body");
            }
            if let Some(json) = &expected.json {
                let body: Option<Value> = serde_json::from_slice(&got.body).ok();
                check(body.as_ref() == Some(json), "wrong JSON");
            }
        }
        problems
    }
}
