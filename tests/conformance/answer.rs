//! What comes back, and what the handlers of every host say of an event.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::UNIX_EPOCH,
};

use http::HeaderMap;
use serde_json::{Value, json};
use tower_webhook::{
    Identity, Payload, Rejection, VerifiedEvent,
    multipart::Part,
    providers::{authenteq, authento, idenfy, voveid},
};

/// One answer, without what is about the connection and the time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    /// `None`: there was none.
    pub(crate) status: Option<u16>,
    pub(crate) headers: BTreeMap<String, String>,
    /// What the handler said of the event.
    pub(crate) event: Option<Value>,
    /// Why it was refused, as far as the response says so to the operator.
    pub(crate) reason: Option<Value>,
    /// Whether the body was asked for with `100 Continue`.
    pub(crate) continued: bool,
}

/// Under this name every host shows the client what is meant for the operator: the rejection in the
/// response's extensions.
pub(crate) const REASON: &str = "x-reason";

/// Connection, time and framing belong to the server.
const SERVERS_OWN: [&str; 5] = [
    "connection",
    "content-length",
    "date",
    "keep-alive",
    "transfer-encoding",
];

impl Answer {
    pub(crate) fn none() -> Self {
        Self {
            status: None,
            headers: BTreeMap::new(),
            event: None,
            reason: None,
            continued: false,
        }
    }

    pub(crate) fn new(status: u16, headers: &HeaderMap, body: &[u8]) -> Self {
        let mut headers: BTreeMap<String, String> = headers
            .iter()
            .map(|(name, value)| {
                let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
                (name.to_string(), value)
            })
            .filter(|(name, _)| !SERVERS_OWN.contains(&&**name))
            .collect();
        let json = |text: &[u8]| {
            serde_json::from_slice(text)
                .unwrap_or_else(|_| Value::from(String::from_utf8_lossy(text)))
        };
        let reason = headers.remove(REASON).map(|text| json(text.as_bytes()));
        Self {
            status: Some(status),
            headers,
            event: (!body.is_empty()).then(|| json(body)),
            reason,
            continued: false,
        }
    }

    /// Each thing in which `self` is not as expected.
    pub(crate) fn differences(&self, expected: &Self) -> Vec<String> {
        let (got, expected) = (self.facts(), expected.facts());
        let keys: BTreeSet<_> = got.keys().chain(expected.keys()).collect();
        let said = |facts: &BTreeMap<String, Value>, key: &str| {
            facts
                .get(key)
                .map_or("nothing".to_owned(), Value::to_string)
        };
        keys.into_iter()
            .map(|key| (key, said(&got, key), said(&expected, key)))
            .filter(|(_, got, expected)| got != expected)
            .map(|(key, got, expected)| format!("{key}: expected {expected}, got {got}"))
            .collect()
    }

    /// Everything under a name of its own.
    fn facts(&self) -> BTreeMap<String, Value> {
        let mut facts = BTreeMap::from([
            ("status".to_owned(), json!(self.status)),
            ("100 Continue".to_owned(), json!(self.continued)),
        ]);
        for (name, value) in &self.headers {
            facts.insert(format!("header {name}"), json!(value));
        }
        for (whole, part) in [("event", &self.event), ("reason", &self.reason)] {
            match part {
                Some(Value::Object(parts)) => {
                    for (key, value) in parts {
                        facts.insert(format!("{whole} {key}"), value.clone());
                    }
                }
                Some(other) => {
                    facts.insert(whole.to_owned(), other.clone());
                }
                None => {}
            }
        }
        facts
    }
}

/// What the operator learns of a refusal.
pub(crate) fn reason(rejection: &Rejection) -> String {
    json!({
        "kind": rejection.kind().as_str(),
        "provider": rejection.provider(),
        "endpoint": rejection.endpoint(),
        "tenant": rejection.tenant(),
        "header": rejection.header(),
        "field": rejection.field(),
        "skew": rejection.skew_seconds(),
        "length": rejection.value_length().or(rejection.body_length()),
    })
    .to_string()
}

/// What a handler learns of an event. `body` is what was left of the request for it, `calls` how
/// often it was called for one row, if it counts that.
pub(crate) fn facts<T: Payload>(
    event: &VerifiedEvent<T>,
    body: &[u8],
    calls: Option<usize>,
) -> String {
    let timestamp = event
        .timestamp()
        .map(|time| time.duration_since(UNIX_EPOCH).unwrap().as_secs());
    json!({
        "provider": event.provider(),
        "endpoint": event.endpoint(),
        "tenant": event.tenant(),
        "event_type": event.event_type(),
        "delivery_id": event.delivery_id(),
        "key_id": event.key_id(),
        "variant": event.variant(),
        "coverage": event.coverage().to_string(),
        "timestamp": timestamp,
        "bytes": event.body().len(),
        "identity": identity(event),
        "parts": event.parts().unwrap_or_default().iter().map(part).collect::<Vec<_>>(),
        "typed": is_typed(event),
        "restored": body == event.body(),
        "calls": calls,
    })
    .to_string()
}

/// What a handler says of a request that has no event, since the layer only logs: why, and what was
/// left of the body.
pub(crate) fn passed_on(kind: &str, body: &[u8]) -> String {
    let body = String::from_utf8_lossy(body);
    json!({ "verified": false, "kind": kind, "body": body }).to_string()
}

fn identity<T: Payload>(event: &VerifiedEvent<T>) -> Value {
    let identity = event.parse::<Option<Identity>>().ok();
    let Some(identity) = identity.and_then(VerifiedEvent::into_payload) else {
        return Value::Null;
    };
    json!({
        "subject": identity.subject(),
        "session": identity.session(),
        "outcome": identity.outcome().as_str(),
        "is_final": identity.is_final(),
        "reasons": identity.reasons().collect::<Vec<_>>(),
    })
}

fn part(part: &Part) -> Value {
    json!([
        part.name(),
        part.content_type().unwrap_or_default(),
        part.body().len()
    ])
}

/// Whether the provider's own type can be read, where there is one.
fn is_typed<T: Payload>(event: &VerifiedEvent<T>) -> Option<bool> {
    match event.provider() {
        "authenteq" => Some(event.parse::<authenteq::Event>().is_ok()),
        "authento" => Some(
            event
                .parse::<authento::Event>()
                .is_ok_and(|event| event.payload().event.is_known()),
        ),
        "idenfy" => Some(
            event
                .parse::<idenfy::Event>()
                .is_ok_and(|event| !matches!(event.payload(), idenfy::Event::Other(_))),
        ),
        "voveid" => Some(
            event
                .parse::<voveid::Event>()
                .is_ok_and(|event| !matches!(event.payload(), voveid::Event::Other(_))),
        ),
        _ => None,
    }
}
