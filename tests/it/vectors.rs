//! Requests that others made, with the verdict that each must get: the catalogue of schemes through
//! the configuration form, requests by an independent implementation, and the published samples.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    io::Write as _,
    process::Command,
};

use http::Request;
use serde::Deserialize;
use serde_json::{Value, json};
use support::{NOW, at, unhex, vector_file, vector_path};
use tower_webhook::{
    Config, Rejection, RejectionKind, Secret, Signer, VerifiedEvent, Verifier, providers,
    scheme::Coverage, verify::Head,
};

/// Entries that no description holds, and no code yet.
pub(crate) const LEFT_OUT: [(&str, &str); 9] = [
    (
        "atlassian-connect",
        "JSON Web Token with a hash of the query",
    ),
    ("docker-hub", "unsigned"),
    ("fastly-logging", "unsigned"),
    ("gorgias", "unsigned"),
    ("gumroad", "unsigned"),
    ("jumio", "unsigned"),
    ("kustomer", "unsigned"),
    ("salesforce", "unsigned"),
    ("supabase-db", "unsigned"),
];

/// Entries that code holds, which `specials` runs.
pub(crate) const SPECIAL: [&str; 30] = [
    "adyen",
    "apple-assn",
    "aws-sns",
    "braintree",
    "connectwise",
    "contentful",
    "didit-v2",
    "ebay",
    "fireblocks-v2",
    "fusionauth",
    "google-pubsub",
    "inngest",
    "lago",
    "livekit",
    "mailchannels",
    "mandrill",
    "messagebird-jwt",
    "netlify",
    "nowpayments",
    "paddle-classic",
    "paypal",
    "phonepe",
    "plaid",
    "plivo-v3",
    "qstash",
    "rfc9421",
    "truelayer",
    "twilio",
    "vonage",
    "wix",
];

/// Vectors of entries that run, which need more than a description.
pub(crate) const SKIPPED_VECTORS: [(&str, &str, &str); 1] = [(
    "fal-ai",
    "unusable key: an empty set",
    "an endpoint without keys is refused when it is built",
)];

/// Entries whose sample secret is shorter than what we take without being told: the least length.
pub(crate) const SHORT_KEYS: [(&str, usize); 1] = [("anthropic", 1)];

/// Entries that repeat the header line while keys change, which the catalogue says in prose only.
const REPEATED_LINES: [&str; 1] = ["mollie"];

/// Entries that write a space after each separator of fields, which the catalogue does not say.
const SPACED: [&str; 2] = ["hygraph", "workos"];

/// A signed header without a separator, which has to be a setting of the endpoint.
struct Setting {
    id: &'static str,
    header: &'static str,
    name: &'static str,
    value: &'static str,
}

const SETTINGS: [Setting; 1] = [Setting {
    id: "pomelo",
    header: "X-Endpoint",
    name: "endpoint",
    value: "/hooks/pomelo",
}];

/// The URL of an endpoint whose vectors name none.
const URL: &str = "https://example.com/webhook";

/// What the words of the samples, and of the first edition of the catalogue, mean here.
const REFUSALS: [(&str, RejectionKind); 28] = [
    ("body changed", RejectionKind::SignatureMismatch),
    ("signature changed", RejectionKind::SignatureMismatch),
    ("wrong secret", RejectionKind::SignatureMismatch),
    ("id changed", RejectionKind::SignatureMismatch),
    ("timestamp changed", RejectionKind::SignatureMismatch),
    (
        "tampered signature must be rejected",
        RejectionKind::SignatureMismatch,
    ),
    (
        "simple mode tampered signature must be rejected",
        RejectionKind::SignatureMismatch,
    ),
    ("too old", RejectionKind::TimestampTooOld),
    (
        "valid signature past tolerance must be rejected",
        RejectionKind::TimestampTooOld,
    ),
    ("timestamp in the future", RejectionKind::TimestampInFuture),
    ("prefix missing", RejectionKind::MalformedSignature),
    ("no prefix", RejectionKind::MalformedSignature),
    ("only an unknown version", RejectionKind::MalformedSignature),
    ("only v0", RejectionKind::MalformedSignature),
    ("signature mismatch", RejectionKind::SignatureMismatch),
    (
        "signature mismatch (timestamp changed)",
        RejectionKind::SignatureMismatch,
    ),
    (
        "signature mismatch under lenient base64; under strict base64 the secret itself is refused (34 characters, unpadded, non-zero spare bits)",
        RejectionKind::SignatureMismatch,
    ),
    ("timestamp too old", RejectionKind::TimestampTooOld),
    ("malformed timestamp", RejectionKind::MalformedTimestamp),
    ("no v1 signature", RejectionKind::MalformedSignature),
    ("missing X-SIGNATURE", RejectionKind::MissingHeader),
    (
        "client id mismatch (configured client id: synthetic-client-id-0001)",
        RejectionKind::UnexpectedHeader,
    ),
    (
        "malformed signature (31 bytes)",
        RejectionKind::MalformedSignature,
    ),
    (
        "malformed signature (not hex)",
        RejectionKind::MalformedSignature,
    ),
    ("missing svix-id", RejectionKind::MissingHeader),
    ("missing svix-timestamp", RejectionKind::MissingHeader),
    ("missing svix-signature", RejectionKind::MissingHeader),
    ("missing header", RejectionKind::MissingHeader),
];

/// The phrases with which a note of the catalogue begins, or whole notes, and the kinds that they
/// may be.
const PHRASES: [(&str, &[RejectionKind]); 15] = [
    ("wrong key", &[RejectionKind::SignatureMismatch]),
    ("wrong token", &[RejectionKind::SignatureMismatch]),
    ("URL differs", &[RejectionKind::SignatureMismatch]),
    // Base64 that was shortened is none.
    (
        "shortened token",
        &[
            RejectionKind::SignatureMismatch,
            RejectionKind::MalformedSignature,
        ],
    ),
    ("missing signature", &[RejectionKind::MissingField]),
    ("missing token", &[RejectionKind::MissingField]),
    ("missing form field", &[RejectionKind::MissingField]),
    ("malformed body", &[RejectionKind::MissingField]),
    // The id of the key is a header, or a setting and part of the text before the signature.
    (
        "unknown key id",
        &[
            RejectionKind::SignatureMismatch,
            RejectionKind::MalformedSignature,
        ],
    ),
    // What cannot be a signature or a token is not compared.
    ("wrong secret: not text", &[RejectionKind::MissingField]),
    (
        "wrong secret: not encoded",
        &[RejectionKind::MalformedSignature],
    ),
    (
        "signature changed: the word for an unsigned delivery",
        &[RejectionKind::MalformedSignature],
    ),
    (
        "signature mismatch: HMAC with the public key",
        &[RejectionKind::MalformedSignature],
    ),
    (
        "signature mismatch: RSA under the new header",
        &[RejectionKind::MalformedSignature],
    ),
    // The header has to equal the setting that is signed.
    (
        "signature mismatch: endpoint header changed",
        &[RejectionKind::UnexpectedHeader],
    ),
];

#[derive(Deserialize)]
struct Catalogue {
    providers: Vec<Entry>,
}

#[derive(Deserialize)]
pub(crate) struct Entry {
    pub(crate) id: String,
    scheme: Value,
    test_vectors: Vec<Value>,
    pub(crate) same_as: Option<String>,
    #[serde(default)]
    also_accepts: Vec<String>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Vector {
    pub(crate) now: u64,
    pub(crate) secret: Option<String>,
    pub(crate) secrets: Option<Vec<String>>,
    /// Public keys by their ids.
    pub(crate) keys: Option<BTreeMap<String, String>>,
    pub(crate) jwks: Option<Jwks>,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
    pub(crate) method: Option<String>,
    pub(crate) url: Option<String>,
    path: Option<String>,
    #[serde(default)]
    pub(crate) params: BTreeMap<String, String>,
    pub(crate) valid: bool,
    pub(crate) note: Option<String>,
    pub(crate) scheme_override: Option<Value>,
    #[serde(rename = "origin")]
    _origin: String,
}

#[derive(Clone, Deserialize)]
pub(crate) struct Jwks {
    keys: Vec<Jwk>,
}

#[derive(Clone, Deserialize)]
struct Jwk {
    /// The key itself, of Ed25519.
    x: String,
}

/// A scheme in the catalogue's words. A word that is not known here fails the test, so that none is
/// left out.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Spec {
    pub(crate) kind: Kind,
    alg: Option<String>,
    alg_from: Option<AlgFrom>,
    key: Option<KeySpec>,
    pub(crate) message: Option<String>,
    pub(crate) sig: SigSpec,
    pub(crate) ts: Option<TimeSpec>,
    pub(crate) tolerance_s: Option<u64>,
    tolerance_future_s: Option<u64>,
    #[serde(default)]
    require: Vec<Require>,
    secret_filter: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    Mac,
    Digest,
    Signature,
    Token,
    Basic,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AlgFrom {
    header: String,
    map: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct KeySpec {
    encoding: String,
    strip_prefix: Option<String>,
    /// Public keys are told apart by their look in any case.
    #[serde(default, rename = "also")]
    _also: Vec<String>,
    /// Where the id of the key is.
    by: Option<String>,
    /// The Unicode form of the key.
    normalize: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SigSpec {
    #[serde(rename = "in")]
    place: String,
    pub(crate) name: OneOrMany,
    #[serde(default)]
    name_configurable: bool,
    grammar: String,
    encoding: String,
    prefix: Option<String>,
    #[serde(default)]
    prefix_optional: bool,
    before: Option<Vec<String>>,
    sep: Option<String>,
    kv_sep: Option<String>,
    field: Option<String>,
    set_sep: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
pub(crate) enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TimeSpec {
    #[serde(rename = "in")]
    pub(crate) place: String,
    pub(crate) name: String,
    unit: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Require {
    header: String,
    equals: String,
}

impl Vector {
    /// The same request for an endpoint with other keys.
    pub(crate) fn with_keys(mut self, keys: Vec<String>) -> Self {
        (self.secret, self.keys, self.jwks) = (None, None, None);
        self.secrets = Some(keys);
        self
    }

    /// The secrets or public keys that an endpoint is given for this request.
    pub(crate) fn keys(&self) -> Vec<String> {
        if let Some(jwks) = &self.jwks {
            return jwks.keys.iter().map(|key| key.x.clone()).collect();
        }
        if let Some(keys) = &self.keys {
            return keys.values().cloned().collect();
        }
        let several = self.secrets.iter().flatten().cloned();
        self.secret.iter().cloned().chain(several).collect()
    }

    /// The path and the query. The fragment of a URL is never sent.
    pub(crate) fn target(&self) -> &str {
        if let Some(path) = &self.path {
            return path;
        }
        let url = self.url.as_deref().unwrap_or("");
        let after = url.split_once("://").map_or(url, |(_, after)| after);
        let target = after.find('/').map_or("/", |start| &after[start..]);
        target.split_once('#').map_or(target, |(target, _)| target)
    }

    pub(crate) fn verify(&self, verifier: &Verifier) -> Verdict {
        let headers: Vec<_> = self.headers.iter().collect();
        let head = Head::new(&headers)
            .with_method(self.method.as_deref().unwrap_or("POST"))
            .with_target(self.target());
        let whole = verifier.verify(&head, self.body.clone(), at(self.now));
        let framed = self.verify_frames(verifier, &head);
        let kind = |verdict: &Verdict| verdict.as_ref().err().map(Rejection::kind);
        assert_eq!(kind(&whole), kind(&framed), "{:?}", self.note);
        whole
    }

    /// The body in frames is hashed as it arrives.
    fn verify_frames(&self, verifier: &Verifier, head: &Head<'_>) -> Verdict {
        let checked = verifier.check_head(head, at(self.now))?;
        let mut body = checked.with_keys(verifier.keys())?;
        for frame in self.body.as_bytes().chunks(7) {
            body.update(frame.to_vec().into())?;
        }
        body.verify()
    }
}

impl Spec {
    /// How much of the body is signed: the whole, parts, or nothing, as the configuration says it.
    pub(crate) fn covers(&self) -> Coverage {
        match &self.message {
            None => Coverage::None,
            Some(message) if message.contains("{body") && self.sig.is_outside_the_body() => {
                Coverage::Body
            }
            Some(message)
                if ["{json:", "{form:", "{span:"]
                    .iter()
                    .any(|token| message.contains(token)) =>
            {
                Coverage::Partial
            }
            Some(_) => Coverage::None,
        }
    }
}

impl SigSpec {
    pub(crate) fn is_in_header(&self) -> bool {
        self.place == "header"
    }

    fn is_outside_the_body(&self) -> bool {
        matches!(&*self.place, "header" | "query")
    }
}

impl Entry {
    pub(crate) fn vectors(&self) -> Vec<Vector> {
        let vectors = Value::from(self.test_vectors.clone());
        serde_json::from_value(vectors).unwrap_or_else(|error| panic!("{}: {error}", self.id))
    }

    fn settings(&self) -> impl Iterator<Item = &'static Setting> {
        SETTINGS.iter().filter(|setting| setting.id == self.id)
    }

    /// The scheme, with the parts that a vector replaces.
    pub(crate) fn spec(&self, replaced: Option<&Value>) -> Spec {
        let mut scheme = self.scheme.clone();
        for (key, value) in replaced
            .into_iter()
            .flat_map(|value| value.as_object().unwrap())
        {
            scheme[key] = value.clone();
        }
        for Setting { header, name, .. } in self.settings() {
            let value = format!("{{param:{name}}}");
            let message = scheme["message"].as_str().unwrap();
            scheme["message"] = message
                .replace(&format!("{{header:{header}}}"), &value)
                .into();
            scheme["require"] = json!([{ "header": header, "equals": value }]);
        }
        serde_json::from_value(scheme).unwrap_or_else(|error| panic!("{}: {error}", self.id))
    }

    /// The verifier for one vector.
    pub(crate) fn verifier_for(&self, vector: &Vector) -> Result<Verifier, String> {
        Ok(self.config_for(vector)?.endpoint(&self.id).unwrap())
    }

    /// The configuration for one vector.
    fn config_for(&self, vector: &Vector) -> Result<Config, String> {
        self.config_of(&self.document_for(vector))
    }

    /// The configuration for one vector, as a document.
    pub(crate) fn document_for(&self, vector: &Vector) -> String {
        let spec = self.spec(vector.scheme_override.as_ref());
        let mut params = vector.params.clone();
        for Setting { name, value, .. } in self.settings() {
            params.insert((*name).to_owned(), (*value).to_owned());
        }
        if let Some(url) = &vector.url {
            params.insert("url".to_owned(), url.clone());
        }
        let ids = vector.keys.iter().flatten();
        let ids: BTreeMap<&str, &str> = ids.map(|(id, key)| (&**key, &**id)).collect();
        let keys = vector.keys().into_iter().map(|key| match ids.get(&*key) {
            Some(id) => inline(&[("id", quoted(id)), ("value", quoted(&key))]),
            None => quoted(&key),
        });
        document_of(&self.id, &spec, &keys.collect::<Vec<_>>(), &params)
    }

    fn config_of(&self, text: &str) -> Result<Config, String> {
        let config = Config::from_toml_str(text);
        config.map_err(|error| format!("{}: {error}\n{text}", self.id))
    }

    fn verifier(&self, replaced: Option<&Value>, keys: &[String]) -> Verifier {
        let verifier = self.verifier_with(replaced, keys, &BTreeMap::new());
        verifier.unwrap_or_else(|error| panic!("{error}"))
    }

    fn verifier_with(
        &self,
        replaced: Option<&Value>,
        keys: &[String],
        params: &BTreeMap<String, String>,
    ) -> Result<Verifier, String> {
        let config = self.config_with(replaced, keys, params)?;
        Ok(config.endpoint(&self.id).unwrap())
    }

    fn config_with(
        &self,
        replaced: Option<&Value>,
        keys: &[String],
        params: &BTreeMap<String, String>,
    ) -> Result<Config, String> {
        self.config_of(&document(&self.id, &self.spec(replaced), keys, params))
    }
}

/// The configuration of one endpoint under one scheme.
pub(crate) fn document(
    id: &str,
    spec: &Spec,
    keys: &[String],
    params: &BTreeMap<String, String>,
) -> String {
    let keys: Vec<String> = keys.iter().map(|key| quoted(key)).collect();
    document_of(id, spec, &keys, params)
}

/// As [`document`], with keys as the configuration has them.
fn document_of(
    id: &str,
    spec: &Spec,
    keys: &[String],
    params: &BTreeMap<String, String>,
) -> String {
    let mut text = format!("[providers.x-{id}]\n");
    let mut line = |key: &str, value: &str| writeln!(text, "{key} = {value}").unwrap();
    match spec.kind {
        Kind::Mac | Kind::Digest | Kind::Signature => {
            line("algorithm", &quoted(spec.alg.as_ref().unwrap()));
            line("signed", &quoted(spec.message.as_ref().unwrap()));
            line("signature", &signature(id, &spec.sig));
        }
        Kind::Token => line("token", &token(id, spec)),
        Kind::Basic => line("token", "{ basic = true }"),
    }
    if let Some(ts) = &spec.ts {
        let mut table = place(&ts.place, &ts.name);
        table.push(("unit", quoted(&ts.unit)));
        table.push(("tolerance", duration(spec.tolerance_s)));
        if let Some(future) = spec.tolerance_future_s {
            // The catalogue's way to say that there is no limit.
            table.push((
                "future",
                duration(Some(future).filter(|seconds| *seconds < 1_000_000_000)),
            ));
        }
        line("timestamp", &inline(&table));
    }
    if let (Kind::Mac | Kind::Digest, Some(key)) = (spec.kind, &spec.key) {
        let encoding = match &*key.encoding {
            "utf8" => "text",
            other => other,
        };
        let mut table = vec![("encoding", quoted(encoding))];
        table.extend(
            key.strip_prefix
                .as_ref()
                .map(|prefix| ("prefix", quoted(prefix))),
        );
        let short = SHORT_KEYS.iter().find(|(entry, _)| *entry == id);
        table.extend(short.map(|(_, bytes)| ("min_bytes", bytes.to_string())));
        if key.normalize.as_deref() == Some("NFKD") {
            table.push(("derive", quoted("nfkd")));
        }
        line("secret_format", &inline(&table));
    }
    let mut require: Vec<String> = Vec::new();
    for rule in &spec.require {
        require.push(inline(&[
            ("header", quoted(&rule.header)),
            ("equals", quoted(&rule.equals)),
        ]));
    }
    if let Some(choice) = &spec.alg_from {
        // The sender says which it used; the configured one is the only one that counts.
        let (name, _) = choice
            .map
            .iter()
            .find(|(_, alg)| Some(*alg) == spec.alg.as_ref())
            .unwrap();
        require.push(inline(&[
            ("header", quoted(&choice.header)),
            ("equals", quoted(name)),
        ]));
    }
    if !require.is_empty() {
        line("require", &format!("[{}]", require.join(", ")));
    }
    if let Some(by) = spec.key.as_ref().and_then(|key| key.by.as_deref()) {
        let header = by.strip_prefix("header:").unwrap();
        line("key_id", &inline(&[("header", quoted(header))]));
    }
    let covers = spec.covers();
    if covers != Coverage::Body && spec.message.is_some() {
        line("covers", "\"partial\"");
    }
    let which = if spec.kind == Kind::Signature {
        "public_keys"
    } else {
        "secrets"
    };
    write!(
        text,
        "[endpoints.{id}]\nprovider = \"x-{id}\"\n{which} = [{}]\n",
        keys.join(", ")
    )
    .unwrap();
    if covers != Coverage::Body {
        text.push_str("accept_unsigned_body = true\n");
    }
    let params: Vec<_> = used_params(spec)
        .into_iter()
        .map(|(name, default)| {
            let value = params.get(name).map_or(default, |value| value);
            format!("{name} = {}", quoted(value))
        })
        .collect();
    writeln!(text, "params = {{ {} }}", params.join(", ")).unwrap();
    text
}

/// The parameters of a scheme, with the values of an endpoint that has no others.
pub(crate) fn used_params(spec: &Spec) -> Vec<(&str, &str)> {
    let mut used = Vec::new();
    let message = spec.message.as_deref().unwrap_or("");
    if message.contains("{url") {
        used.push(("url", URL));
    }
    for part in message.split("{param:").skip(1) {
        used.push((part.split(['}', '|']).next().unwrap(), "p-1"));
    }
    if spec.sig.before.is_some() {
        used.push((spec.sig.field.as_deref().unwrap(), "k-1"));
    }
    if let (true, OneOrMany::One(name)) = (spec.sig.name_configurable, &spec.sig.name) {
        used.push(("place", name));
    }
    used
}

/// The keys that say where a value is.
fn place<'p>(place: &'p str, name: &str) -> Vec<(&'p str, String)> {
    match (place, name.split_once('#')) {
        ("form", Some((field, pointer))) => {
            vec![("form", quoted(field)), ("json", quoted(pointer))]
        }
        _ => vec![(place, quoted(name))],
    }
}

fn places(sig: &SigSpec) -> Vec<(&str, String)> {
    match &sig.name {
        OneOrMany::One(_) if sig.name_configurable => place(&sig.place, "{param:place}"),
        OneOrMany::One(name) => place(&sig.place, name),
        OneOrMany::Many(names) => vec![("headers", serde_json::to_string(names).unwrap())],
    }
}

fn token(id: &str, spec: &Spec) -> String {
    let sig = &spec.sig;
    assert_eq!((&*sig.grammar, &*sig.encoding), ("single", "utf8"), "{id}");
    let mut table = places(sig);
    table.extend(sig.prefix.as_ref().map(|text| ("prefix", quoted(text))));
    match spec.secret_filter.as_deref() {
        None => {}
        Some("b64") => table.push(("encoding", quoted("base64"))),
        Some(other) => panic!("{id}: secret_filter {other}"),
    }
    inline(&table)
}

fn signature(id: &str, sig: &SigSpec) -> String {
    let mut table = places(sig);
    table.push(("encoding", quoted(&sig.encoding)));
    let separator = sig.sep.as_ref().map(|text| quoted(text));
    let between = sig.kv_sep.as_deref();
    match &*sig.grammar {
        "single" => assert_eq!((separator, between), (None, None), "{id}"),
        "list" => table.push(("list", separator.unwrap())),
        "kv" => {
            assert_eq!(between, Some("="), "{id}");
            let mut separator = sig.sep.clone().unwrap();
            if SPACED.contains(&id) {
                separator.push(' ');
            }
            table.push(("fields", quoted(&separator)));
            table.push(("field", quoted(sig.field.as_ref().unwrap())));
        }
        "positional" => {
            table.push(("positional", separator.unwrap()));
            table.push(("first", "1".to_owned()));
        }
        // The id of the key is a setting, so it is part of the text before the signature.
        "keyed" => {
            let id = format!(
                "{{param:{}}}{}",
                sig.field.as_ref().unwrap(),
                between.unwrap()
            );
            let before = sig.before.iter().flatten();
            let before: Vec<_> = before.map(|word| quoted(&format!("{word}{id}"))).collect();
            table.push(("prefix", format!("[{}]", before.join(", "))));
        }
        other => panic!("{id}: grammar {other}"),
    }
    table.extend(sig.set_sep.as_ref().map(|text| ("sets", quoted(text))));
    table.extend(sig.prefix.as_ref().map(|text| {
        let text = quoted(text);
        let text = if sig.prefix_optional {
            format!("[{text}, \"\"]")
        } else {
            text
        };
        ("prefix", text)
    }));
    if REPEATED_LINES.contains(&id) {
        table.push(("repeats", "true".to_owned()));
    }
    inline(&table)
}

fn inline(pairs: &[(&str, String)]) -> String {
    let pairs: Vec<String> = pairs
        .iter()
        .map(|(key, value)| format!("{key} = {value}"))
        .collect();
    format!("{{ {} }}", pairs.join(", "))
}

/// Text as TOML writes it, which JSON writes in the same way.
pub(crate) fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}

fn duration(seconds: Option<u64>) -> String {
    seconds.map_or_else(|| quoted("off"), |seconds| quoted(&format!("{seconds}s")))
}

pub(crate) fn catalogue() -> Vec<Entry> {
    let catalogue: Catalogue = serde_json::from_slice(&vector_file("schemes.json")).unwrap();
    let mut entries = catalogue.providers;
    // Entries that were added one by one have a file each.
    let added = std::fs::read_dir(vector_path("providers"))
        .into_iter()
        .flatten();
    for file in added {
        let text = std::fs::read(file.unwrap().path()).unwrap();
        entries.push(serde_json::from_slice(&text).unwrap());
    }
    entries
}

/// The entries that a description holds, by id.
pub(crate) fn entries() -> BTreeMap<String, Entry> {
    let mut entries = catalogue();
    entries.retain(|entry| {
        !SPECIAL.contains(&&*entry.id) && !LEFT_OUT.iter().any(|(id, _)| *id == entry.id)
    });
    entries
        .into_iter()
        .map(|entry| (entry.id.clone(), entry))
        .collect()
}

fn say(text: &str) {
    // Past the test harness, which would keep it to itself.
    std::io::stderr()
        .write_all(format!("{text}\n").as_bytes())
        .unwrap();
}

pub(crate) type Verdict = Result<VerifiedEvent, Rejection>;

/// The kind of refusal that a vector's own words mean.
pub(crate) fn refusal_of(words: &str) -> RejectionKind {
    let found = REFUSALS.iter().find(|(known, _)| *known == words);
    let (_, kind) = found.unwrap_or_else(|| panic!("{words:?} is not in the table"));
    *kind
}

/// The kinds of refusal that a note of the catalogue may mean.
fn refusals_of(note: &str) -> Vec<RejectionKind> {
    let phrase = note.split_once(": ").map_or(note, |(phrase, _)| phrase);
    let known = |words| PHRASES.iter().find(|(known, _)| *known == words);
    match known(note).or_else(|| known(phrase)) {
        Some((_, kinds)) => kinds.to_vec(),
        None => vec![refusal_of(phrase)],
    }
}

/// Says what is wrong with a verdict. `refusal` is what the vector's own words call the reason.
pub(crate) fn wrong(verdict: &Verdict, valid: bool, refusal: Option<&str>) -> Option<String> {
    match (verdict, valid) {
        (Ok(event), true) => {
            let is_covered = event.coverage() == Coverage::Body;
            (refusal == Some("body is not covered") && is_covered)
                .then(|| "says that it covers the body".to_owned())
        }
        (Ok(_), false) => Some("accepted".to_owned()),
        (Err(rejection), true) => Some(format!("refused: {rejection:?}")),
        (Err(rejection), false) => {
            let kinds = refusals_of(refusal?);
            (!kinds.contains(&rejection.kind()))
                .then(|| format!("refused as {}, and not as {kinds:?}", rejection.kind()))
        }
    }
}

#[test]
fn every_scheme_that_a_description_holds_gives_the_verdicts_of_its_vectors() {
    let special: BTreeSet<String> = catalogue()
        .into_iter()
        .filter(|entry| serde_json::from_value::<Spec>(entry.scheme.clone()).is_err())
        .map(|entry| entry.id)
        .collect();
    let held = SPECIAL.map(str::to_owned).into_iter();
    let left_out = LEFT_OUT.map(|(id, _)| id.to_owned());
    assert_eq!(special, held.chain(left_out).collect());

    let entries = entries();
    let mut kinds = BTreeMap::<String, usize>::new();
    let (mut accepted, mut refused, mut skipped) = (0, 0, 0);
    let mut failures = Vec::new();
    for entry in entries.values() {
        // Also without any vector: the scheme has to build.
        let built = entry.verifier_with(None, &[example_key(entry)], &BTreeMap::new());
        failures.extend(built.err());
        let kind = entry.spec(None).kind;
        *kinds.entry(format!("{kind:?}")).or_default() += 1;
        for (index, vector) in entry.vectors().iter().enumerate() {
            let note = vector.note.as_deref();
            if SKIPPED_VECTORS
                .iter()
                .any(|(id, words, _)| *id == entry.id && Some(*words) == note)
            {
                skipped += 1;
                continue;
            }
            let verifier = match entry.verifier_for(vector) {
                Ok(verifier) => verifier,
                Err(error) => {
                    failures.push(error);
                    continue;
                }
            };
            let verdict = vector.verify(&verifier);
            if let Some(wrong) = wrong(&verdict, vector.valid, note) {
                failures.push(format!("{} vector {index} ({note:?}): {wrong}", entry.id));
            }
            *(if vector.valid {
                &mut accepted
            } else {
                &mut refused
            }) += 1;
        }
    }
    let ran = entries.len();
    say(&format!(
        "vectors: {ran} schemes ran through their configuration form ({kinds:?}), with {accepted} vectors to accept and {refused} to refuse"
    ));
    for (id, reason) in LEFT_OUT {
        say(&format!("vectors: left out {id}: {reason}"));
    }
    for (id, note, reason) in SKIPPED_VECTORS {
        say(&format!("vectors: left out {id}, {note:?}: {reason}"));
    }
    assert!(failures.is_empty(), "{failures:#?}");
    assert_eq!(ran + SPECIAL.len() + LEFT_OUT.len(), catalogue().len());
    assert_eq!(skipped, SKIPPED_VECTORS.len());
    assert!(
        ran >= 261 && accepted >= 227 && refused >= 477,
        "{ran}, {accepted}, {refused}"
    );
}

/// The event of a vector's request, which the signer has signed again with the endpoint's secret.
pub(crate) fn sign_and_verify(
    entry: &Entry,
    vector: &Vector,
    config: &Config,
) -> Result<VerifiedEvent, String> {
    let spec = entry.spec(None);
    let mut signer = config.signer(&entry.id).unwrap().with_time(at(vector.now));
    if entry.id == "hygraph" {
        signer = signer.with_field("env", "main");
    }
    let mut request = Request::builder()
        .method(vector.method.as_deref().unwrap_or("POST"))
        .uri(vector.target());
    for (name, value) in &vector.headers {
        let is_signature = match &spec.sig.name {
            OneOrMany::One(known) => known.eq_ignore_ascii_case(name),
            OneOrMany::Many(known) => known.iter().any(|known| known.eq_ignore_ascii_case(name)),
        };
        if !is_signature {
            request = request.header(name, value);
        }
    }
    let request = signer
        .sign_body(request, vector.body.clone())
        .map_err(|error| format!("{}: {error}", entry.id))?;
    let (head, body) = request.into_parts();
    let verifier = config.endpoint(&entry.id).unwrap();
    verifier
        .verify(&Head::from(&head), body, at(vector.now))
        .map_err(|rejection| format!("{}: {rejection:?}\n{head:?}", entry.id))
}

/// What the signer makes of an accepted request, whose signatures it replaces.
#[test]
fn the_signer_signs_under_every_scheme_with_a_secret() {
    let (mut signed, mut failures) = (0, Vec::new());
    for entry in entries().values() {
        let spec = entry.spec(None);
        let vectors = entry.vectors();
        let vector = vectors
            .iter()
            .find(|vector| vector.valid && vector.scheme_override.is_none());
        let (Some(vector), true) = (vector, spec.kind != Kind::Signature) else {
            continue;
        };
        let config = entry.config_for(vector).unwrap();
        if let Err(failure) = sign_and_verify(entry, vector, &config) {
            failures.push(failure);
        }
        signed += 1;
    }
    assert!(failures.is_empty(), "{failures:#?}");
    assert!(signed >= 167, "{signed}");
}

/// Whether the schemes of two entries are the same but for the tolerance.
fn are_same(sender: &Entry, receiver: &Entry) -> bool {
    sender.same_as.is_some() && sender.same_as == receiver.same_as
}

/// Whether a request of one entry may pass at the other, because it has the other's signature as
/// well.
pub(crate) fn has_other_signature(sender: &Entry, receiver: &Entry) -> bool {
    let mut others = sender.also_accepts.iter();
    others.any(|id| *id == receiver.id || Some(id) == receiver.same_as.as_ref())
}

#[test]
fn a_request_passes_only_where_the_scheme_is_the_same() {
    let entries = entries();
    let others: Vec<(&Entry, Verifier)> = entries
        .values()
        .map(|entry| (entry, entry.verifier(None, &[example_key(entry)])))
        .collect();
    let (mut requests, mut compared) = (0, 0);
    let mut passed = BTreeSet::new();
    let mut failures = BTreeSet::new();
    for sender in entries.values() {
        for mut vector in sender.vectors() {
            if !vector.valid || vector.scheme_override.is_some() {
                continue;
            }
            requests += 1;
            let keys = vector.keys();
            vector = vector.with_keys(keys);
            for (receiver, with_another_key) in &others {
                if receiver.id == sender.id {
                    continue;
                }
                // Most requests are refused whatever the key is.
                let depends_on_the_key = match vector.verify(with_another_key) {
                    Ok(_) => true,
                    Err(rejection) => matches!(
                        rejection.kind(),
                        RejectionKind::SignatureMismatch | RejectionKind::UnexpectedHeader
                    ),
                };
                // The key of one may be none for the other.
                let Some(verifier) = depends_on_the_key
                    .then(|| receiver.verifier_for(&vector).ok())
                    .flatten()
                else {
                    continue;
                };
                compared += 1;
                let is_accepted = vector.verify(&verifier).is_ok();
                let pair = format!("{} at {}", sender.id, receiver.id);
                let is_same = are_same(sender, receiver);
                if is_accepted != is_same && !(is_accepted && has_other_signature(sender, receiver))
                {
                    failures.insert(format!("{pair}: {is_accepted}"));
                } else if is_accepted {
                    passed.insert(pair);
                }
            }
        }
    }
    say(&format!(
        "vectors: {requests} requests at {} verifiers each, compared at {compared}; {} pairs of entries pass",
        others.len() - 1,
        passed.len()
    ));
    assert!(failures.is_empty(), "{failures:#?}");
    assert!(
        requests >= 221 && passed.len() >= 225,
        "{requests}, {}",
        passed.len()
    );
}

/// A secret or a public key that the entry's key format takes.
pub(crate) fn example_key(entry: &Entry) -> String {
    let spec = entry.spec(None);
    let key = match (spec.kind, spec.key) {
        (Kind::Basic, _) => return "user:a secret of some length".to_owned(),
        (Kind::Token, _) => return "a-token-of-some-length".to_owned(),
        (Kind::Signature, _) => {
            let mut vectors = entry.vectors().into_iter();
            return vectors.find_map(|vector| vector.keys().pop()).unwrap();
        }
        (Kind::Mac | Kind::Digest, key) => key.unwrap(),
    };
    let text = match &*key.encoding {
        "utf8" => "a secret of some length",
        "base64" => "MDEyMzQ1Njc4OWFiY2RlZg==",
        "hex" => "000102030405060708090a0b0c0d0e0f",
        other => panic!("{}: key encoding {other}", entry.id),
    };
    key.strip_prefix.unwrap_or_default() + text
}

#[derive(Deserialize)]
struct Made {
    vectors: Vec<MadeVector>,
}

/// A request by `make_accepting.py`, to be accepted.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MadeVector {
    id: String,
    what: String,
    now: u64,
    secrets: Vec<String>,
    headers: Vec<(String, String)>,
    body: Option<String>,
    body_hex: Option<String>,
    scheme_override: Option<Value>,
}

impl MadeVector {
    fn body(&self) -> Vec<u8> {
        match (&self.body, &self.body_hex) {
            (Some(text), None) => text.as_bytes().to_vec(),
            (None, Some(hex)) => unhex(hex),
            _ => panic!("{}: one body", self.id),
        }
    }
}

fn made() -> Vec<MadeVector> {
    let made: Made = serde_json::from_slice(&vector_file("accepting.json")).unwrap();
    made.vectors
}

/// The body with its lowest bit flipped at `place`, or with a byte more where there is none.
fn changed(body: &[u8], place: usize) -> Vec<u8> {
    let mut body = body.to_vec();
    match body.get_mut(place) {
        Some(byte) => *byte ^= 1,
        None => body.push(b' '),
    }
    body
}

#[test]
fn what_an_independent_implementation_signed_is_accepted_and_its_change_refused() {
    let entries = entries();
    let made = made();
    let mut failures = Vec::new();
    for vector in &made {
        let entry = &entries[&vector.id];
        let verifier = entry.verifier(vector.scheme_override.as_ref(), &vector.secrets);
        let place = format!("{}: {}", vector.id, vector.what);
        let body = vector.body();
        let verify =
            |body: Vec<u8>| verifier.verify(&Head::new(&vector.headers), body, at(vector.now));
        match verify(body.clone()) {
            Ok(event) => assert_eq!(event.body(), &body, "{place}"),
            Err(rejection) => failures.push(format!("{place}: refused: {rejection:?}")),
        }
        // Where the body is not signed as a whole, a change may well be accepted.
        let spec = entry.spec(None);
        let flips = match spec.covers() {
            Coverage::Body => vec![0, body.len() / 2, body.len().saturating_sub(1)],
            _ => Vec::new(),
        };
        let reads_time = spec.ts.as_ref().is_some_and(|ts| ts.place == "json");
        for flipped in flips {
            let body = changed(&body, flipped);
            // What is no text cannot be signed as a JSON string.
            let no_text = vector.id == "hygraph" && std::str::from_utf8(&body).is_err();
            let kind = if no_text {
                RejectionKind::MalformedBody
            } else {
                RejectionKind::SignatureMismatch
            };
            match verify(body) {
                Ok(_) => failures.push(format!("{place}: accepted with byte {flipped} changed")),
                // The time is read before the signature is compared.
                Err(rejection) if reads_time && rejection.kind() == RejectionKind::MissingField => {
                }
                Err(rejection) => assert_eq!(rejection.kind(), kind, "{place}"),
            }
        }
    }
    say(&format!(
        "vectors: {} requests of an independent implementation",
        made.len()
    ));
    assert!(failures.is_empty(), "{failures:#?}");
    assert_eq!(made.len(), 178);

    let mut never: BTreeSet<&str> = entries.keys().map(|id| &**id).collect();
    for vector in &made {
        never.remove(&*vector.id);
    }
    never.retain(|id| !entries[*id].vectors().iter().any(|vector| vector.valid));
    assert!(
        never.is_empty(),
        "schemes that nothing was accepted under: {never:?}"
    );
}

#[test]
fn the_script_still_makes_the_same_requests() {
    let python = Command::new("python3")
        .arg(vector_path("make_accepting.py"))
        .output();
    let Ok(output) = python else {
        assert!(
            std::env::var_os("CI").is_none(),
            "python3 is missing; install it"
        );
        say("SKIPPED the_script_still_makes_the_same_requests: needs python3; install it");
        return;
    };
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let same = output.stdout == vector_file("accepting.json");
    assert!(
        same,
        "accepting.json is not what make_accepting.py writes; run it again"
    );
}

#[test]
fn a_secret_may_begin_as_supabase_shows_it() {
    let secret = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
    for name in ["standard-webhooks", "svix", "voveid"] {
        let provider = || providers::by_name(name).unwrap();
        let signer = Signer::new(provider(), Secret::new(secret)).unwrap();
        let request = signer.with_time(at(NOW)).sign(Request::post("/"), "{}");
        let (head, body) = request.unwrap().into_parts();
        let shown = Secret::new(format!("v1,{secret}"));
        let verifier = Verifier::new(provider(), shown).unwrap();
        let verdict = verifier.verify(&Head::from(&head), body, at(NOW));
        assert!(verdict.is_ok(), "{name}");
    }
}

#[test]
fn the_built_in_providers_give_the_same_verdicts() {
    let entries = entries();
    let made = made();
    let mut ran = BTreeMap::new();
    let mut failures = Vec::new();
    // The catalogue has no client id for Authenteq; its own vectors are in `providers`.
    for name in support::FOUNDING
        .into_iter()
        .filter(|name| *name != "authenteq")
    {
        let verifier = |secrets: &[String]| {
            let secrets: Vec<Secret> = secrets
                .iter()
                .map(|secret| Secret::new(&**secret))
                .collect();
            Verifier::new(providers::by_name(name).unwrap(), secrets).unwrap()
        };
        let mut count = 0;
        for vector in entries.get(name).into_iter().flat_map(Entry::vectors) {
            assert!(vector.scheme_override.is_none(), "{name}");
            let verdict = vector.verify(&verifier(vector.secret.as_slice()));
            if let Some(wrong) = wrong(&verdict, vector.valid, vector.note.as_deref()) {
                failures.push(format!("{name} ({:?}): {wrong}", vector.note));
            }
            count += 1;
        }
        for vector in made.iter().filter(|vector| vector.id == name) {
            let verdict = verifier(&vector.secrets).verify(
                &Head::new(&vector.headers),
                vector.body(),
                at(vector.now),
            );
            if let Some(wrong) = wrong(&verdict, true, None) {
                failures.push(format!("{name}: {}: {wrong}", vector.what));
            }
            count += 1;
        }
        ran.insert(name, count);
    }
    assert!(failures.is_empty(), "{failures:#?}");
    let expected = [
        ("authento", 3),
        ("github", 6),
        ("idenfy", 4),
        ("shopify", 4),
        ("slack", 4),
        ("standard-webhooks", 8),
        ("stripe", 7),
        ("svix", 4),
        ("voveid", 7),
    ];
    assert_eq!(ran, BTreeMap::from(expected));
}
