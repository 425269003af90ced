//! Providers whose schemes need code: their vectors by name, through the configuration.

mod attacks;
mod canonical;
mod certificates;
mod deliveries;
mod messages;
mod tokens;

use std::collections::BTreeMap;

use http::Request;
use serde::Deserialize;
use serde_json::Value;
use support::{at, vector_file};
use tower_webhook::{
    Config, Rejection, VerifiedEvent, Verifier, providers, scheme::Coverage, verify::Head,
};

use crate::vectors::quoted;

/// How many entries, and vectors to accept and to refuse, there are.
const EXPECTED: (usize, usize, usize) = (30, 68, 194);

/// The topic of an endpoint whose vectors name none.
const TOPIC: &str = "arn:aws:sns:us-west-2:123456789012:MyTopic";

/// Providers that do not sign the whole body.
const UNCOVERED: [&str; 4] = ["adyen", "aws-sns", "google-pubsub", "paypal"];

#[derive(Deserialize)]
struct Catalogue {
    providers: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    id: String,
    test_vectors: Vec<Vector>,
}

#[derive(Clone, Deserialize)]
struct Vector {
    now: u64,
    secret: Option<String>,
    #[serde(default)]
    secrets: Vec<String>,
    jwks: Option<Value>,
    /// What is at the addresses of certificates, in PEM.
    #[serde(default)]
    certs: BTreeMap<String, String>,
    #[serde(default)]
    roots: Vec<String>,
    headers: BTreeMap<String, String>,
    body: String,
    method: Option<String>,
    url: Option<String>,
    path: Option<String>,
    #[serde(default)]
    params: BTreeMap<String, Value>,
    /// Public keys and secrets by their ids.
    #[serde(default)]
    keys: BTreeMap<String, String>,
    valid: bool,
    note: Option<String>,
}

type Verdict = Result<VerifiedEvent, Rejection>;

/// The entries with special schemes that have a provider.
fn entries() -> Vec<Entry> {
    let bytes = vector_file("schemes.json");
    let all: Value = serde_json::from_slice(&bytes).unwrap();
    let is_special = |entry: &&Value| {
        let id = entry["id"].as_str().unwrap();
        entry["scheme"]["kind"] == "special" && providers::by_name(id).is_some()
    };
    let all = all["providers"].as_array().unwrap().iter();
    let special: Vec<Value> = all.filter(is_special).cloned().collect();
    let text = serde_json::json!({ "providers": special });
    let catalogue: Catalogue = serde_json::from_value(text).unwrap();
    catalogue.providers
}

fn entry(id: &str) -> Entry {
    let mut entries = entries().into_iter();
    entries.find(|entry| entry.id == id).unwrap()
}

impl Entry {
    /// The first vector to be accepted, of those whose body is signed if there are any. Contentful
    /// and MailChannels have none; libraries make their requests.
    fn accepted(&self) -> Option<Vector> {
        let mut vectors: Vec<_> = self.test_vectors.iter().collect();
        vectors.retain(|vector| vector.valid);
        vectors.sort_by_key(|vector| vector.accepts_unsigned_body(&self.id));
        vectors.first().map(|vector| (*vector).clone())
    }
}

impl Vector {
    /// The keys of the endpoint, as the configuration has them.
    fn keys(&self) -> String {
        if !self.keys.is_empty() {
            return self.keys_by_id();
        }
        if let Some(jwks) = &self.jwks {
            return format!("public_key = {}", quoted(&jwks.to_string()));
        }
        let quoted_list = |texts: &[String]| {
            let texts: Vec<String> = texts.iter().map(|text| quoted(text)).collect();
            format!("[{}]", texts.join(", "))
        };
        let mut lines = Vec::new();
        if !self.roots.is_empty() {
            lines.push(format!("roots = {}", quoted_list(&self.roots)));
        }
        if !self.certs.is_empty() {
            let keys = self.certs.iter().map(|(url, chain)| {
                format!("{{ id = {}, value = {} }}", quoted(url), quoted(chain))
            });
            let keys: Vec<String> = keys.collect();
            lines.push(format!("public_keys = [{}]", keys.join(", ")));
        }
        if !lines.is_empty() {
            return lines.join("\n");
        }
        let key = self.secret.as_deref().unwrap_or_default();
        if key.starts_with("-----BEGIN ") {
            return format!("public_key = {}", quoted(key));
        }
        let secrets = self.secret.iter().chain(&self.secrets);
        let secrets: Vec<String> = secrets.map(|secret| quoted(secret)).collect();
        format!("secrets = [{}]", secrets.join(", "))
    }

    fn keys_by_id(&self) -> String {
        // A variant that is selected takes keys of its kind only.
        let is_padded = self.params.get("alg").and_then(Value::as_str) == Some("rsa-v1_5-sha256");
        let (mut secrets, mut public) = (Vec::new(), Vec::new());
        for (id, key) in &self.keys {
            let line = format!("{{ id = {}, value = {} }}", quoted(id), quoted(key));
            let is_public = key.starts_with("-----BEGIN PUBLIC KEY");
            if !is_padded || id.contains("rsa") {
                if is_public { &mut public } else { &mut secrets }.push(line);
            }
        }
        let list = |name: &str, keys: Vec<String>| match &*keys {
            [] => String::new(),
            keys => format!("{name} = [{}]\n", keys.join(", ")),
        };
        list("secrets", secrets) + &list("public_keys", public)
    }

    /// The parameters of an endpoint for HTTP message signatures, in our words.
    fn message_params(&self) -> String {
        let text = |name: &str| self.params.get(name).and_then(Value::as_str);
        let mut required: Vec<&str> = match self.params.get("required") {
            Some(listed) => listed
                .as_array()
                .unwrap()
                .iter()
                .map(|one| one.as_str().unwrap())
                .collect(),
            None => Vec::new(),
        };
        // An endpoint requires something: here the first that is covered.
        let input = self.headers["Signature-Input"].split('"').nth(1).unwrap();
        if required.is_empty() {
            required.push(input);
        }
        let mut lines = format!("components = {}\n", quoted(&required.join(" ")));
        if !required.contains(&"content-digest") {
            lines.push_str("accept_unsigned_body = true\n");
        }
        if text("alg") == Some("rsa-v1_5-sha256") {
            lines.push_str("variant = \"rsa-v1_5-sha256\"\n");
        }
        for name in ["label", "tag"] {
            if let Some(value) = text(name) {
                lines.push_str(&format!("{name} = {}\n", quoted(value)));
            }
        }
        if let Some(age) = self.params.get("max_age_s") {
            lines.push_str(&format!("tolerance = \"{age}s\"\n"));
        }
        lines
    }

    /// The configuration of one endpoint, called `it`.
    fn document(&self, provider: &str) -> String {
        let known = providers::by_name(provider).unwrap();
        let mut text = format!("[endpoints.it]\nprovider = {}\n", quoted(provider));
        text.push_str(&self.keys());
        text.push('\n');
        if known.name() == "rfc9421" && self.headers.contains_key("Signature-Input") {
            text.push_str(&self.message_params());
            if let Some(url) = &self.url {
                text.push_str(&format!("url = {}\n", quoted(url)));
            }
            return text;
        }
        for (name, value) in &self.params {
            // The headers that TrueLayer has to sign are no setting.
            if let Some(value) = value.as_str() {
                text.push_str(&format!("{name} = {}\n", quoted(value)));
            }
        }
        if let Some(url) = &self.url {
            text.push_str(&format!("url = {}\n", quoted(url)));
        }
        if known.name() == "aws-sns" && !self.params.contains_key("topic_arn") {
            text.push_str(&format!("topic_arn = {}\n", quoted(TOPIC)));
        }
        if UNCOVERED.contains(&known.name()) {
            text.push_str("accept_unsigned_body = true\n");
        }
        text
    }

    fn accepts_unsigned_body(&self, provider: &str) -> bool {
        self.document(provider).contains("accept_unsigned_body")
    }

    fn config(&self, provider: &str) -> Result<Config, String> {
        let text = self.document(provider);
        Config::from_toml_str(&text).map_err(|error| format!("{provider}: {error}\n{text}"))
    }

    fn verifier(&self, provider: &str) -> Verifier {
        let config = self.config(provider);
        config
            .unwrap_or_else(|error| panic!("{error}"))
            .endpoint("it")
            .unwrap()
    }

    /// The path and the query.
    fn target(&self) -> String {
        if let Some(path) = &self.path {
            return path.clone();
        }
        let Some(url) = &self.url else {
            return "/".to_owned();
        };
        let (_, after) = url.split_once("://").unwrap();
        after
            .find('/')
            .map_or("/", |start| &after[start..])
            .to_owned()
    }

    fn verify(&self, verifier: &Verifier) -> Verdict {
        let headers: Vec<_> = self.headers.iter().collect();
        let target = self.target();
        let head = Head::new(&headers)
            .with_method(self.method.as_deref().unwrap_or("POST"))
            .with_target(&target);
        let whole = verifier.verify(&head, self.body.clone(), at(self.now));
        let framed = self.in_frames(verifier, &head);
        let kind = |verdict: &Verdict| verdict.as_ref().err().map(Rejection::kind);
        assert_eq!(kind(&whole), kind(&framed), "{:?}", self.note);
        whole
    }

    fn in_frames(&self, verifier: &Verifier, head: &Head<'_>) -> Verdict {
        let checked = verifier.check_head(head, at(self.now))?;
        let mut body = checked.with_keys(verifier.keys())?;
        for frame in self.body.as_bytes().chunks(7) {
            body.update(frame.to_vec().into())?;
        }
        body.verify()
    }
}

#[test]
fn every_vector_gets_its_verdict_by_name() {
    let (mut accepted, mut refused, mut failures) = (0, 0, Vec::new());
    let entries = entries();
    for entry in &entries {
        for (place, vector) in entry.test_vectors.iter().enumerate() {
            let note = vector.note.as_deref().unwrap_or_default();
            let verifier = match vector.config(&entry.id) {
                Ok(config) => config.endpoint("it").unwrap(),
                Err(error) => {
                    failures.push(error);
                    continue;
                }
            };
            let verdict = vector.verify(&verifier);
            if verdict.is_ok() != vector.valid {
                let why = verdict.err();
                failures.push(format!("{} vector {place} ({note}): {why:?}", entry.id));
            }
            *(if vector.valid {
                &mut accepted
            } else {
                &mut refused
            }) += 1;
        }
    }
    assert!(failures.is_empty(), "{failures:#?}");
    assert_eq!((entries.len(), accepted, refused), EXPECTED);
}

/// What the signer makes of an accepted request, whose signature it replaces.
#[test]
fn the_signer_signs_for_every_name_with_a_secret() {
    let mut signed = 0;
    for entry in entries() {
        let Some(vector) = entry.accepted() else {
            continue;
        };
        if !vector.keys().starts_with("secrets") {
            continue;
        }
        let config = vector.config(&entry.id).unwrap();
        let signer = config.signer("it").unwrap().with_time(at(vector.now));
        let mut request = Request::builder()
            .method(vector.method.as_deref().unwrap_or("POST"))
            .uri(vector.target());
        for (name, value) in &vector.headers {
            let name = name.to_lowercase();
            if !name.contains("signature") && name != "authorization" {
                request = request.header(name, value);
            }
        }
        let request = signer.sign_body(request, vector.body.clone());
        let request = request.unwrap_or_else(|error| panic!("{}: {error}", entry.id));
        let (head, body) = request.into_parts();
        let verifier = config.endpoint("it").unwrap();
        let event = verifier.verify(&Head::from(&head), body, at(vector.now));
        let event = event.unwrap_or_else(|error| panic!("{}: {error:?}", entry.id));
        let is_signed = event.coverage() == Coverage::Body;
        let is_unsigned = vector.accepts_unsigned_body(&entry.id);
        assert_eq!(is_signed, !is_unsigned, "{}", entry.id);
        signed += 1;
    }
    assert_eq!(signed, 13);
}

/// Each header, each byte of the body, the key and the query: whatever is changed, the request is
/// refused, unless the change is one that the scheme does not see.
#[test]
fn a_change_of_anything_that_is_signed_is_refused() {
    let mut ran = 0;
    for entry in entries() {
        for vector in entry.test_vectors.iter().filter(|vector| vector.valid) {
            let verifier = vector.verifier(&entry.id);
            let is_covered = vector.verify(&verifier).unwrap().coverage() == Coverage::Body;
            // In front of Braintree's payload are signatures, of other accounts as well.
            let start = vector.body.find("bt_payload=").unwrap_or(0);
            // Each comparison on P-521 takes long.
            let step = if entry.id == "truelayer" { 9 } else { 1 };
            let letters = vector.body.char_indices();
            let letters = letters.skip_while(|(at, _)| *at < start).step_by(step);
            for (place, letter) in letters {
                if !is_covered || !letter.is_ascii() {
                    continue;
                }
                let mut changed = vector.clone();
                let other = if letter == '7' { "8" } else { "7" };
                changed.body.replace_range(place..=place, other);
                ran += 1;
                let verdict = changed.verify(&verifier);
                assert!(verdict.is_err(), "{}: {}", entry.id, changed.body);
            }
            for name in vector.headers.keys() {
                let lower = name.to_lowercase();
                let is_seen = lower.contains("signature") || lower == "authorization";
                if !is_seen || lower.contains("settings") {
                    continue;
                }
                let mut without = vector.clone();
                without.headers.remove(name);
                assert!(without.verify(&verifier).is_err(), "{}: {name}", entry.id);
            }
            let mut other_key = vector.clone();
            if other_key.secret.is_some() && !other_key.keys().starts_with("public_key") {
                let key = other_key.secret.take().unwrap();
                // It stays base64 where it is.
                let end = if key.ends_with('=') { "" } else { "00" };
                let key = key.replace(|letter: char| letter.is_ascii_digit(), "0");
                other_key.secret = Some(key + end);
                let verifier = other_key.verifier(&entry.id);
                assert!(other_key.verify(&verifier).is_err(), "{}", entry.id);
            }
        }
    }
    assert!(ran > 1500, "{ran}");
}
