//! One row of the table as it stands in a file: what is sent, and what must come of it.

use std::{collections::BTreeMap, fs, path::PathBuf};

use serde::Deserialize;
use serde_json::Value;

use crate::{
    answer::{Answer, passed_on},
    endpoints::Endpoints,
};

/// A request and its expectation; and the further attempts at the same delivery, if there are any.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) endpoint: String,
    /// `seeds/FILE/ID` or `schemes/PROVIDER/NUMBER`: headers and body are those of a vector in
    /// `tests/vectors`, and nothing is signed here.
    pub(crate) vector: Option<String>,
    #[serde(default = "post")]
    pub(crate) method: String,
    /// Without it `/hooks/ENDPOINT`.
    pub(crate) target: Option<String>,
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) body: Body,
    /// By whom it is signed; without it, by the endpoint's provider with its first secret, now. For
    /// an endpoint made of several that is `github`.
    #[serde(default)]
    pub(crate) sign: Sign,
    /// What happens to the signed request on its way.
    #[serde(default)]
    pub(crate) change: Vec<Change>,
    #[serde(default)]
    pub(crate) framing: Framing,
    #[serde(default = "both")]
    pub(crate) protocols: Vec<Protocol>,

    /// The status of the answer. Without it the client has gone, and whether there is an answer is
    /// not looked at.
    pub(crate) status: Option<u16>,
    /// What the operator learns of a refusal: `kind`, and `header`, `field`, `skew` and `length`
    /// where there are such facts. The length `"body"` is that of the whole body, and `"none"` that
    /// of a body that is not read.
    pub(crate) refused: Option<Value>,
    /// What the handler learns of an event. What is not named here must not be there; what every
    /// event has is filled in. If it has no event, `passed-on` is why.
    pub(crate) event: Option<Value>,
    /// What a layer answers by itself, as text or JSON.
    pub(crate) said: Option<Value>,
    /// Headers of the answer beside those that its status demands, or instead of them.
    #[serde(default)]
    pub(crate) answer: BTreeMap<String, String>,
    /// Whether the server asks for the body of a request with `Expect: 100-continue`.
    #[serde(default)]
    pub(crate) continues: bool,
    /// What the delivery layer tells its hook, where it is asked.
    pub(crate) delivery: Option<String>,
    /// What is sent after that, in this order.
    #[serde(default)]
    then: Vec<Then>,
    /// Whether this is sent at the same time as the one before. Such requests are alike, and
    /// whichever comes first is answered as the first.
    #[serde(skip)]
    pub(crate) together: bool,
}

/// A further attempt: as the first, but for what stands here. What is expected is always said.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Then {
    vector: Option<String>,
    target: Option<String>,
    headers: Option<BTreeMap<String, String>>,
    body: Option<Body>,
    sign: Option<Sign>,
    change: Option<Vec<Change>>,
    framing: Option<Framing>,
    #[serde(default)]
    together: bool,
    /// So many of them, all the same.
    #[serde(default = "once")]
    times: usize,

    status: u16,
    refused: Option<Value>,
    event: Option<Value>,
    #[serde(default)]
    answer: BTreeMap<String, String>,
    delivery: Option<String>,
}

fn once() -> usize {
    1
}

fn post() -> String {
    "POST".to_owned()
}

fn both() -> Vec<Protocol> {
    vec![Protocol::H1, Protocol::H2]
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Protocol {
    H1,
    H2,
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Body {
    Text(String),
    Hex(String),
    /// This text, so many times.
    Repeat(String, usize),
    /// A file of `tests/vectors/seeds`.
    File(String),
    /// An Authenteq event with nine images, of about so many bytes together.
    Multipart(usize),
}

impl Default for Body {
    fn default() -> Self {
        Self::Text("{}".to_owned())
    }
}

#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(crate) struct Sign {
    pub(crate) nobody: bool,
    /// Another endpoint.
    pub(crate) by: Option<String>,
    pub(crate) at: Option<u64>,
    /// The id of one of the endpoint's secrets.
    pub(crate) key: Option<String>,
    /// A secret that is not the endpoint's.
    pub(crate) secret: Option<String>,
    pub(crate) variant: Option<String>,
    /// Further fields of the signature header.
    pub(crate) fields: BTreeMap<String, String>,
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Change {
    /// Takes a header away.
    Drop(String),
    /// Lets a header stand there twice.
    Twice(String),
    /// Adds a line, whether or not there is one.
    Add(String, String),
    Set(String, String),
    /// Sets a header to bytes, in hex.
    SetHex(String, String),
    Rename(String, String),
    /// Writes before, or after, the value.
    Prepend(String, String),
    Append(String, String),
    /// The value so many times, with this between.
    Multiply(String, usize, String),
    UpperCase(String),
    /// Changes the byte at this place of the body.
    Flip(usize),
    /// Cuts the body after so many bytes.
    Cut(usize),
    /// Writes after the body.
    Extend(String),
    /// Writes another text over the first that is like this one.
    Replace(String, String),
}

/// How the request goes over the wire.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Framing {
    /// With its length, all at once.
    #[default]
    Whole,
    /// Without its length, in frames of so many bytes.
    Frames(usize),
    /// As before, and trailers after it.
    Trailers(usize),
    /// With its length, in so many pieces with a pause between.
    Slow(usize),
    /// With its length; after half of it nothing more comes, and the connection stays.
    Stalled,
    /// With its length; after half of it the client stops sending.
    BrokenOff,
    /// The same in frames.
    BrokenOffFrames,
    /// In frames, of which the second has no length.
    Garbled,
    /// This length is declared, and nothing is sent.
    Unsent(String),
    /// No length is declared, and nothing is sent.
    UnsentFrames,
    /// With `Expect: 100-continue`; the body follows once it is asked for.
    Expecting,
    /// Twice, the second before the first is answered.
    Pipelined,
    /// Behind it, in the same write, one for an address that is not there.
    Followed,
}

impl Row {
    /// All rows, out of all files.
    pub(crate) fn load() -> Vec<Self> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct File {
            row: Vec<Row>,
        }

        let directory = directory().join("rows");
        let mut files: Vec<PathBuf> = fs::read_dir(&directory)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| {
                path.extension()
                    .is_some_and(|extension| extension == "toml")
            })
            .collect();
        files.sort();
        files
            .iter()
            .flat_map(|path| {
                let text = fs::read_to_string(path).unwrap();
                let file: File = toml::from_str(&text)
                    .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
                file.row
            })
            .collect()
    }

    /// Each request of the row, with what must come of it.
    pub(crate) fn attempts(&self) -> Vec<Self> {
        let mut attempts = vec![self.clone()];
        for then in &self.then {
            attempts.extend((0..then.times).map(|_| self.again(then)));
        }
        attempts
    }

    fn again(&self, then: &Then) -> Self {
        let mut row = self.clone();
        row.vector = then.vector.clone().or(row.vector);
        row.target = then.target.clone().or(row.target);
        row.headers = then.headers.clone().unwrap_or(row.headers);
        row.body = then.body.clone().unwrap_or(row.body);
        row.sign = then.sign.clone().unwrap_or(row.sign);
        row.change = then.change.clone().unwrap_or(row.change);
        row.framing = then.framing.clone().unwrap_or(row.framing);
        row.together = then.together;
        row.status = Some(then.status);
        row.refused.clone_from(&then.refused);
        row.event.clone_from(&then.event);
        row.answer.clone_from(&then.answer);
        row.delivery.clone_from(&then.delivery);
        row
    }

    pub(crate) fn target(&self) -> String {
        let target = self.target.clone();
        target.unwrap_or_else(|| format!("/hooks/{}", self.endpoint))
    }

    /// How many answers there are to it.
    pub(crate) fn times(&self) -> usize {
        match self.framing {
            Framing::Pipelined => 2,
            _ => 1,
        }
    }

    /// What the hooks of the layers are told of it.
    pub(crate) fn told(&self) -> impl Iterator<Item = String> {
        // What stands inside of the layer that verifies tells its hook nothing.
        let inside = |kind: &str| {
            let by_a_delivery_layer = kind.starts_with("delivery_") || kind.starts_with("handler");
            kind == "unreadable_payload" || kind == "layer_missing" || by_a_delivery_layer
        };
        let refused = self.kind().filter(|kind| !inside(kind));
        let refused = refused.map(|kind| format!("refused {kind}"));
        let delivery = self.delivery.as_ref();
        refused
            .into_iter()
            .chain(delivery.map(|outcome| format!("delivery {outcome}")))
    }

    /// The kind of the refusal.
    pub(crate) fn kind(&self) -> Option<&str> {
        self.refused.as_ref()?["kind"].as_str()
    }

    /// The kind of the refusal of a request that was passed on all the same.
    pub(crate) fn passed_on(&self) -> Option<&str> {
        self.event.as_ref()?.get("passed-on")?.as_str()
    }

    /// A fact of the event, if there is one, and the row says it.
    pub(crate) fn fact(&self, name: &str) -> Option<&str> {
        self.event.as_ref()?.get(name)?.as_str()
    }

    /// What must come of it on every host.
    pub(crate) fn expected(&self, endpoints: &Endpoints, body: &[u8]) -> Answer {
        let bytes = body.len();
        let mut headers = self.answer.clone();
        let demanded = match self.status {
            Some(401) => Some(("www-authenticate", "Webhook-Signature")),
            Some(503) => Some(("retry-after", "5")),
            _ => None,
        };
        if let Some((name, value)) = demanded {
            headers
                .entry(name.to_owned())
                .or_insert_with(|| value.to_owned());
        }
        let event = self.event.as_ref().map(|named| {
            headers.insert("content-type".to_owned(), "application/json".to_owned());
            if let Some(kind) = self.passed_on() {
                return serde_json::from_str(&passed_on(kind, body)).unwrap();
            }
            let mut event = endpoints.facts_of_every_event(&self.endpoint);
            event["bytes"] = bytes.into();
            complete(&mut event, named);
            event
        });
        let reason = self.refused.as_ref().map(|named| {
            let mut reason = endpoints.facts_of_every_refusal(&self.endpoint);
            match named["kind"].as_str() {
                // Whoever lacks a layer knows of no endpoint.
                Some("layer_missing") => {
                    (reason["endpoint"], reason["provider"]) = (Value::Null, Value::Null);
                }
                // Whoever has read the body says how much of it there was.
                Some("signature_mismatch" | "key_outside_window" | "malformed_body") => {
                    reason["length"] = bytes.into();
                }
                _ => {}
            }
            complete(&mut reason, named);
            match reason["length"].as_str() {
                Some("body") => reason["length"] = bytes.into(),
                Some("none") => reason["length"] = Value::Null,
                _ => {}
            }
            reason
        });
        let answered = self.status.is_some();
        Answer {
            status: self.status,
            headers,
            event: event.or_else(|| self.said.clone()),
            reason: reason.filter(|_| answered),
            continued: self.continues,
        }
    }
}

/// Writes what is named over what is there. Something that no event has would be a mistake of the
/// row.
fn complete(facts: &mut Value, named: &Value) {
    for (key, value) in named.as_object().expect("a table") {
        let Some(fact) = facts.get_mut(key) else {
            panic!("{key} is not a fact; there are {facts}");
        };
        *fact = value.clone();
        if key == "identity" {
            for (key, unsaid) in [
                ("subject", Value::Null),
                ("session", Value::Null),
                ("is_final", false.into()),
                ("reasons", Value::Array(Vec::new())),
            ] {
                fact.as_object_mut()
                    .unwrap()
                    .entry(key)
                    .or_insert_with(|| unsaid.clone());
            }
        }
    }
}

/// Where the table is.
pub(crate) fn directory() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("conformance")
}
