//! Requests that others made, with the verdict that each must get: the catalogue of schemes through the configuration form,
//! requests by an independent implementation, and the published samples.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    io::Write as _,
    process::Command,
};

use http::Request;
use serde::Deserialize;
use serde_json::Value;
use support::{NOW, at, unhex, vector_file, vector_path};
use tower_webhook::{
    Config, Rejection, RejectionKind, Secret, Signer, VerifiedEvent, Verifier, providers,
    verify::Head,
};

/// Entries of the catalogue that are not a keyed hash.
const SKIPPED: [(&str, &str); 9] = [
    ("standard-webhooks-v1a", "asymmetric: Ed25519"),
    ("kick", "asymmetric: RSA"),
    ("discord", "asymmetric: Ed25519"),
    ("telnyx", "asymmetric: Ed25519"),
    ("sendgrid", "asymmetric: ECDSA"),
    ("wise", "asymmetric: RSA"),
    ("cryptapi", "asymmetric: RSA"),
    ("bridge-xyz", "asymmetric: RSA"),
    ("fireblocks", "asymmetric: RSA"),
];

/// Entries whose sample secret is shorter than what we take without being told: its bytes.
const SHORT_KEYS: [(&str, usize); 1] = [("anthropic", 7)];

/// Entries that repeat the header line while keys change, which the catalogue says in prose only.
const REPEATED_LINES: [&str; 1] = ["mollie"];

/// What the words of the catalogue and of the samples mean here.
const REFUSALS: [(&str, RejectionKind); 27] = [
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
];

#[derive(Deserialize)]
struct Catalogue {
    providers: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    id: String,
    fit: String,
    scheme: Value,
    /// Of another form where the scheme is one of the skipped ones.
    test_vectors: Vec<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vector {
    now: u64,
    secret: String,
    headers: BTreeMap<String, String>,
    body: String,
    valid: bool,
    note: Option<String>,
    scheme_override: Option<Value>,
    #[serde(rename = "origin")]
    _origin: String,
}

/// A scheme in the catalogue's words. A word that is not known here fails the test, so that none is left out.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Spec {
    kind: String,
    alg: String,
    alg_from: Option<AlgFrom>,
    key: KeySpec,
    message: String,
    sig: SigSpec,
    ts: Option<TimeSpec>,
    tolerance_s: Option<u64>,
    tolerance_future_s: Option<u64>,
    #[serde(default)]
    require: Vec<Require>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AlgFrom {
    header: String,
    map: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KeySpec {
    encoding: String,
    strip_prefix: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SigSpec {
    #[serde(rename = "in")]
    place: String,
    name: OneOrMany,
    grammar: String,
    encoding: String,
    prefix: Option<String>,
    sep: Option<String>,
    kv_sep: Option<String>,
    field: Option<String>,
    set_sep: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TimeSpec {
    #[serde(rename = "in")]
    place: String,
    name: String,
    unit: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Require {
    header: String,
    equals: String,
}

impl Entry {
    fn vectors(&self) -> Vec<Vector> {
        let vectors = Value::from(self.test_vectors.clone());
        serde_json::from_value(vectors).unwrap_or_else(|error| panic!("{}: {error}", self.id))
    }

    /// The scheme, with the parts that a vector replaces.
    fn spec(&self, replaced: Option<&Value>) -> Spec {
        let mut scheme = self.scheme.clone();
        for (key, value) in replaced
            .into_iter()
            .flat_map(|value| value.as_object().unwrap())
        {
            scheme[key] = value.clone();
        }
        let spec: Spec =
            serde_json::from_value(scheme).unwrap_or_else(|error| panic!("{}: {error}", self.id));
        assert!(["mac", "digest"].contains(&&*spec.kind), "{}", self.id);
        spec
    }

    fn verifier(&self, replaced: Option<&Value>, secrets: &[String]) -> Verifier {
        let text = document(&self.id, &self.spec(replaced), secrets);
        let config = Config::from_toml_str(&text)
            .unwrap_or_else(|error| panic!("{}: {error}\n{text}", self.id));
        config.endpoint(&self.id).unwrap()
    }
}

/// The configuration of one endpoint under one scheme.
fn document(id: &str, spec: &Spec, secrets: &[String]) -> String {
    let mut text = format!(
        "[providers.x-{id}]\nalgorithm = {}\nsigned = {}\n",
        quoted(&spec.alg),
        quoted(&spec.message)
    );
    let mut line = |key: &str, value: &str| writeln!(text, "{key} = {value}").unwrap();
    line("signature", &signature(id, &spec.sig));
    if let Some(ts) = &spec.ts {
        let mut table = vec![
            (ts.place.as_str(), quoted(&ts.name)),
            ("unit", quoted(&ts.unit)),
        ];
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
    let encoding = if spec.key.encoding == "utf8" {
        "text"
    } else {
        &spec.key.encoding
    };
    let mut key = vec![("encoding", quoted(encoding))];
    key.extend(
        spec.key
            .strip_prefix
            .as_ref()
            .map(|prefix| ("prefix", quoted(prefix))),
    );
    let short = SHORT_KEYS.iter().find(|(entry, _)| *entry == id);
    key.extend(short.map(|(_, bytes)| ("min_bytes", bytes.to_string())));
    line("secret_format", &inline(&key));
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
            .find(|(_, alg)| **alg == spec.alg)
            .unwrap();
        require.push(inline(&[
            ("header", quoted(&choice.header)),
            ("equals", quoted(name)),
        ]));
    }
    if !require.is_empty() {
        line("require", &format!("[{}]", require.join(", ")));
    }
    let secrets: Vec<String> = secrets.iter().map(|secret| quoted(secret)).collect();
    write!(
        text,
        "[endpoints.{id}]\nprovider = \"x-{id}\"\nsecrets = [{}]\n",
        secrets.join(", ")
    )
    .unwrap();
    text
}

fn signature(id: &str, sig: &SigSpec) -> String {
    assert_eq!(sig.place, "header", "{id}");
    assert!(sig.kv_sep.as_deref().is_none_or(|text| text == "="), "{id}");
    let mut table = vec![match &sig.name {
        OneOrMany::One(name) => ("header", quoted(name)),
        OneOrMany::Many(names) => ("headers", serde_json::to_string(names).unwrap()),
    }];
    table.push(("encoding", quoted(&sig.encoding)));
    let separator = sig.sep.as_ref().map(|text| quoted(text));
    match &*sig.grammar {
        "single" => assert_eq!(separator, None, "{id}"),
        "list" => table.push(("list", separator.unwrap())),
        "kv" => {
            table.push(("fields", separator.unwrap()));
            table.push(("field", quoted(sig.field.as_ref().unwrap())));
        }
        "positional" => {
            table.push(("positional", separator.unwrap()));
            table.push(("first", "1".to_owned()));
        }
        other => panic!("{id}: grammar {other}"),
    }
    table.extend(sig.set_sep.as_ref().map(|text| ("sets", quoted(text))));
    table.extend(sig.prefix.as_ref().map(|text| ("prefix", quoted(text))));
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
fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}

fn duration(seconds: Option<u64>) -> String {
    seconds.map_or_else(|| quoted("off"), |seconds| quoted(&format!("{seconds}s")))
}

fn core_entries() -> Vec<Entry> {
    let catalogue: Catalogue = serde_json::from_slice(&vector_file("schemes.json")).unwrap();
    let mut entries = catalogue.providers;
    entries.retain(|entry| entry.fit == "declarative core");
    entries
}

/// The core entries that are a keyed hash, by id.
fn entries() -> BTreeMap<String, Entry> {
    let mut entries = core_entries();
    entries.retain(|entry| !SKIPPED.iter().any(|(skipped, _)| *skipped == entry.id));
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

type Verdict = Result<VerifiedEvent, Rejection>;

/// The kind of refusal that a vector's own words mean.
pub(crate) fn refusal_of(words: &str) -> RejectionKind {
    let found = REFUSALS.iter().find(|(known, _)| *known == words);
    let (_, kind) = found.unwrap_or_else(|| panic!("{words:?} is not in the table"));
    *kind
}

/// Says what is wrong with a verdict. `refusal` is what the vector's own words call the reason.
fn wrong(verdict: &Verdict, valid: bool, refusal: Option<&str>) -> Option<String> {
    match (verdict, valid) {
        (Ok(_), true) => None,
        (Ok(_), false) => Some("accepted".to_owned()),
        (Err(rejection), true) => Some(format!("refused: {rejection:?}")),
        (Err(rejection), false) => {
            let kind = refusal_of(refusal?);
            (rejection.kind() != kind)
                .then(|| format!("refused as {}, and not as {kind}", rejection.kind()))
        }
    }
}

#[test]
fn every_core_scheme_gives_the_verdicts_of_its_vectors() {
    let kind_of = |entry: &Entry| entry.scheme["kind"].as_str().unwrap().to_owned();
    let skipped: BTreeSet<String> = core_entries()
        .into_iter()
        .filter(|entry| kind_of(entry) == "signature")
        .map(|entry| entry.id)
        .collect();
    assert_eq!(
        skipped,
        SKIPPED.iter().map(|(id, _)| (*id).to_owned()).collect()
    );

    let entries = entries();
    let (mut accepted, mut refused) = (0, 0);
    let mut failures = Vec::new();
    for entry in entries.values() {
        // Also without any vector: the scheme has to build.
        entry.verifier(None, &[example_secret(entry)]);
        for (index, vector) in entry.vectors().iter().enumerate() {
            let secret = std::slice::from_ref(&vector.secret);
            let verifier = entry.verifier(vector.scheme_override.as_ref(), secret);
            let headers: Vec<_> = vector.headers.iter().collect();
            let verdict =
                verifier.verify(&Head::new(&headers), vector.body.clone(), at(vector.now));
            if let Some(wrong) = wrong(&verdict, vector.valid, vector.note.as_deref()) {
                failures.push(format!(
                    "{} vector {index} ({:?}): {wrong}",
                    entry.id, vector.note
                ));
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
        "vectors: {ran} schemes ran through their configuration form, with {accepted} vectors to accept and {refused} to refuse"
    ));
    for (id, reason) in SKIPPED {
        say(&format!("vectors: skipped {id}: {reason}"));
    }
    assert!(failures.is_empty(), "{failures:#?}");
    assert_eq!((ran, accepted, refused), (133, 85, 196));
}

/// A secret that the entry's key format takes.
fn example_secret(entry: &Entry) -> String {
    let spec = entry.spec(None);
    let text = match &*spec.key.encoding {
        "utf8" => "a secret of some length",
        "base64" => "MDEyMzQ1Njc4OWFiY2RlZg==",
        "hex" => "000102030405060708090a0b0c0d0e0f",
        other => panic!("{}: key encoding {other}", entry.id),
    };
    spec.key.strip_prefix.unwrap_or_default() + text
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
        for flipped in [0, body.len() / 2, body.len().saturating_sub(1)] {
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
                Err(rejection) => assert_eq!(rejection.kind(), kind, "{place}"),
            }
        }
    }
    say(&format!(
        "vectors: {} requests of an independent implementation",
        made.len()
    ));
    assert!(failures.is_empty(), "{failures:#?}");
    assert_eq!(made.len(), 142);

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

/// The built-in provider that a mistake names for a sender.
fn verified_as(name: &str) -> Option<String> {
    let text = format!(
        "[endpoints.x]\nprovider = {}\nkey_source = true\n",
        quoted(name)
    );
    let problem = Config::from_toml_str(&text).err()?.to_string();
    assert!(!problem.contains("did you mean"), "{problem}");
    let (_, used) = problem.split_once(": use \"")?;
    Some(used.trim_end_matches('"').to_owned())
}

#[test]
fn a_name_leads_to_the_provider_that_verifies_it_and_to_no_other() {
    let entries = entries();
    let mut ran = BTreeMap::new();
    let catalogue: Catalogue = serde_json::from_slice(&vector_file("schemes.json")).unwrap();
    for name in catalogue.providers.iter().map(|entry| &*entry.id) {
        let Some(used) = verified_as(name) else {
            continue;
        };
        let mut count = 0;
        let mut verify = |secret: &str, headers: &Vec<(String, String)>, body: Vec<u8>, now| {
            let provider = providers::by_name(&used).unwrap();
            let verifier = Verifier::new(provider, Secret::new(secret)).unwrap();
            let verdict = verifier.verify(&Head::new(headers), body, at(now));
            assert!(verdict.is_ok(), "{name} as {used}");
            count += 1;
        };
        let short = |id: &str| SHORT_KEYS.iter().any(|(entry, _)| *entry == id);
        for vector in entries[name].vectors() {
            if vector.valid && !short(name) {
                let headers: Vec<_> = vector.headers.into_iter().collect();
                verify(&vector.secret, &headers, vector.body.into(), vector.now);
            }
        }
        for vector in made().iter().filter(|vector| vector.id == name) {
            verify(
                &vector.secrets[0],
                &vector.headers,
                vector.body(),
                vector.now,
            );
        }
        ran.insert(name.to_owned(), count);
    }
    let expected = [
        // Its sample secret is short.
        ("anthropic", 0),
        ("clerk", 2),
        ("fathom", 1),
        ("folk", 1),
        ("gitlab-signing", 2),
        ("lithic", 1),
        ("liveblocks", 2),
        ("loops", 1),
        ("meta", 2),
        ("openai", 2),
        ("render", 2),
        ("replicate", 2),
        ("resend", 2),
        ("supabase-auth-hooks", 2),
    ];
    let expected = expected.map(|(name, count)| (name.to_owned(), count));
    assert_eq!(ran, BTreeMap::from(expected));
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
    for name in providers::names().filter(|name| *name != "authenteq") {
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
            let headers: Vec<_> = vector.headers.iter().collect();
            let verifier = verifier(std::slice::from_ref(&vector.secret));
            let verdict =
                verifier.verify(&Head::new(&headers), vector.body.clone(), at(vector.now));
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
