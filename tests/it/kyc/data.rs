//! `vectors/kyc` has signed requests of twelve identity vendors, and what they say of a person.
//! `vectors/identities` has, of each vendor that is read, where its events carry what, the rows of
//! its table, and the table itself once more.

use std::collections::{BTreeMap, BTreeSet};

use http::Request;
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};
use support::{at, unhex, vector_file, vector_path};
use tower_webhook::{
    Identity, Outcome, Provider, PublicKey, Rejection, Secret, Signer, VerifiedEvent, Verifier,
    providers, scheme::Tolerance, verify::Head,
};

pub(super) const SECRET: &str = "a-secret-of-some-length";

#[derive(Deserialize)]
struct Vectors {
    count: usize,
    vectors: Vec<Vector>,
}

/// A request, its verdict, and the identity in it.
#[derive(Clone, Deserialize)]
pub(super) struct Vector {
    pub(super) id: String,
    pub(super) provider: String,
    file: String,
    body_len: usize,
    body_sha256: String,
    secret: Option<String>,
    secrets: Option<Vec<String>>,
    #[serde(default)]
    params: BTreeMap<String, String>,
    jwks: Option<Value>,
    headers: BTreeMap<String, String>,
    now: u64,
    pub(super) expect_ok: bool,
    pub(super) expect_reason: Option<String>,
    pub(super) policy: Option<String>,
    pub(super) identity: Option<Short>,
    pub(super) identity_extended: Option<Extended>,
}

/// The four fields, and the outcomes without `undisclosed`.
#[derive(Clone, Debug, Deserialize, PartialEq)]
pub(super) struct Short {
    pub(super) subject: Option<String>,
    pub(super) session: Option<String>,
    pub(super) outcome: String,
    pub(super) is_final: bool,
}

#[derive(Clone, Debug, Deserialize, PartialEq)]
pub(super) struct Extended {
    pub(super) subject: Option<String>,
    pub(super) session: Option<String>,
    pub(super) outcome: String,
    pub(super) is_final: bool,
    pub(super) level: Option<String>,
    pub(super) test: Option<bool>,
    pub(super) reasons: Vec<String>,
}

impl From<&Identity> for Extended {
    fn from(identity: &Identity) -> Self {
        Self {
            subject: identity.subject().map(str::to_owned),
            session: identity.session().map(str::to_owned),
            outcome: identity.outcome().to_string(),
            is_final: identity.is_final(),
            level: identity.level().map(str::to_owned),
            test: identity.is_test(),
            reasons: identity.reasons().map(str::to_owned).collect(),
        }
    }
}

impl Extended {
    pub(super) fn short(&self) -> Short {
        let outcome = match &*self.outcome {
            "undisclosed" => "other",
            outcome => outcome,
        };
        Short {
            subject: self.subject.clone(),
            session: self.session.clone(),
            outcome: outcome.to_owned(),
            is_final: self.is_final,
        }
    }
}

pub(super) fn vectors() -> Vec<Vector> {
    let all: Vectors = serde_json::from_slice(&vector_file("kyc/vectors.json")).unwrap();
    assert_eq!(all.vectors.len(), all.count);
    all.vectors
}

impl Vector {
    pub(super) fn body(&self) -> Vec<u8> {
        let body = vector_file(&format!("kyc/{}", self.file));
        assert_eq!(body.len(), self.body_len, "{}", self.id);
        let digest = Sha256::digest(&body);
        assert_eq!(digest.as_slice(), unhex(&self.body_sha256), "{}", self.id);
        body
    }

    /// The provider by its name, with the parameters and the variant of the endpoint.
    fn provider(&self) -> Result<Provider, String> {
        let mut provider = providers::by_name(&self.provider).ok_or("no provider of this name")?;
        for (name, value) in &self.params {
            provider = provider.with_param(name.clone(), value.clone());
        }
        let policy = self.policy.as_deref().unwrap_or_default();
        let named = policy.strip_prefix("construction ");
        match named.and_then(|rest| rest.strip_suffix(" is named")) {
            Some(variant) => provider
                .select_variant(variant)
                .map_err(|error| error.to_string()),
            None => Ok(provider),
        }
    }

    pub(super) fn verify(&self) -> Result<Result<VerifiedEvent, Rejection>, String> {
        let one = || self.secret.iter().cloned().collect();
        let secrets = self.secrets.clone().unwrap_or_else(one).into_iter();
        let secrets: Vec<_> = secrets.map(Secret::new).collect();
        let verifier = match &self.jwks {
            Some(set) => Verifier::new(self.provider()?, PublicKey::new(set.to_string())),
            None => Verifier::new(self.provider()?, secrets),
        };
        let verifier = verifier.map_err(|error| error.to_string())?;
        let headers: Vec<_> = self.headers.iter().collect();
        Ok(verifier.verify(&Head::new(&headers), self.body(), at(self.now)))
    }
}

/// What is known of a vendor, apart from our code.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Vendor {
    #[serde(rename = "about")]
    _about: String,
    pub(super) provider: String,
    /// Parameters that every endpoint has.
    #[serde(default)]
    params: BTreeMap<String, String>,
    /// A private key, and the public key to it, where the vendor signs with one.
    #[serde(default)]
    keys: Option<(String, String)>,
    /// Where the type and the id of an event are, of which the first that is there counts.
    event_type: Vec<String>,
    delivery_id: Vec<String>,
    /// Bodies that the rows begin with, beside those of the vectors.
    #[serde(default)]
    bodies: BTreeMap<String, Value>,
    pub(super) rows: Vec<Row>,
    /// The table: an event is an approval if one of these holds.
    pub(super) approved: Vec<Conditions>,
    /// Events of kinds that have a type, by the bodies above or the files of the vectors.
    pub(super) typed: Vec<String>,
    /// Events of kinds that have none, and are `Other`.
    #[serde(default)]
    pub(super) untyped: Vec<String>,
    /// The part of the body that the type has.
    #[serde(default)]
    pub(super) root: String,
    /// The names of the fields that `Debug` may show.
    pub(super) shown: Vec<String>,
}

/// The values that each place may have. `null` also means that nothing is there.
pub(super) type Conditions = BTreeMap<String, Vec<Value>>;

/// A body with changes, and what it says: an outcome, with an exclamation mark if it is final,
/// `none` or `error`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Row {
    pub(super) why: String,
    of: String,
    /// New values by pointer.
    #[serde(default)]
    set: BTreeMap<String, Value>,
    #[serde(default)]
    without: Vec<String>,
    /// Values of each of which the row is one.
    #[serde(default)]
    each: BTreeMap<String, Vec<Value>>,
    #[serde(default)]
    pub(super) params: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) levels: Option<Vec<String>>,
    pub(super) says: String,
    /// Other fields of the identity: `subject`, `session`, `level`, `test`, `reasons`, `at`.
    #[serde(default)]
    pub(super) with: BTreeMap<String, Value>,
}

/// The vendors that are read.
pub(super) fn vendors() -> BTreeMap<String, Vendor> {
    let files = std::fs::read_dir(vector_path("identities")).unwrap();
    let vendors = files.map(|file| {
        let file = file.unwrap().file_name().into_string().unwrap();
        let json = vector_file(&format!("identities/{file}"));
        let vendor: Vendor =
            serde_json::from_slice(&json).unwrap_or_else(|error| panic!("{file}: {error}"));
        let name = file.strip_suffix(".json").unwrap().to_owned();
        (name, vendor)
    });
    vendors.collect()
}

impl Vendor {
    /// The body of this name: one of those above, or a file of the vectors.
    pub(super) fn body(&self, vendor: &str, name: &str) -> Value {
        self.bodies.get(name).cloned().unwrap_or_else(|| {
            let file = vector_file(&format!("kyc/{vendor}/{name}.json"));
            serde_json::from_slice(&file).unwrap()
        })
    }

    pub(super) fn provider(&self) -> Provider {
        let mut provider = providers::by_name(&self.provider).unwrap();
        for (name, value) in &self.params {
            provider = provider.with_param(name.clone(), value.clone());
        }
        provider
    }

    /// An event with this body, signed by us.
    pub(super) fn event(&self, provider: &Provider, body: &str) -> VerifiedEvent {
        self.try_event(provider, body).unwrap()
    }

    /// As [`event`](Self::event), for a body in which the time may be none. Its age does not
    /// matter.
    pub(super) fn try_event(
        &self,
        provider: &Provider,
        body: &str,
    ) -> Result<VerifiedEvent, Rejection> {
        let now = at(support::NOW);
        let provider = || provider.clone();
        let (signer, verifier) = match &self.keys {
            Some((private, public)) => (
                Signer::new(provider(), Secret::new(private.clone())),
                Verifier::new(provider(), PublicKey::new(public.clone())),
            ),
            None => (
                Signer::new(provider(), Secret::new(SECRET)),
                Verifier::new(provider(), Secret::new(SECRET)),
            ),
        };
        let signer = signer.unwrap().with_time(now);
        let request = signer.sign(Request::post("/"), body.to_owned());
        let (head, body) = request.unwrap().into_parts();
        let verifier = verifier.unwrap().with_tolerance(Tolerance::off());
        verifier.verify(&Head::from(&head), body, now)
    }

    pub(super) fn event_type(&self, body: &Value) -> Option<String> {
        scalar(body, &self.event_type)
    }

    pub(super) fn delivery_id(&self, body: &Value) -> Option<String> {
        scalar(body, &self.delivery_id)
    }

    /// Whether the table calls it an approval.
    pub(super) fn approves(&self, body: &Value) -> bool {
        let holds = |(place, allowed): (&String, &Vec<Value>)| {
            let found = find(body, place);
            found
                .iter()
                .all(|value| allowed.iter().any(|other| same(body, value, other)))
        };
        self.approved
            .iter()
            .any(|conditions| conditions.iter().all(holds))
    }
}

fn scalar(body: &Value, pointers: &[String]) -> Option<String> {
    let found = pointers
        .iter()
        .find_map(|pointer| body.pointer(pointer).filter(|value| !value.is_null()))?;
    match found {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(found.to_string()),
        _ => None,
    }
}

/// Whether a value is as it may be. `"inquiry.*"` stands for every text that begins so, and
/// `{"leaves": [1, null], "some": [1]}` for everything with such values in it, one of which is
/// there. `{"same_as": "/id"}` stands for the value of that place, unless one of the two is
/// nothing.
fn same(body: &Value, value: &Value, allowed: &Value) -> bool {
    if let Some(Value::String(place)) = allowed.get("same_as") {
        let is_nothing = |value: &Value| value.is_null() || value == "";
        let others = find(body, place);
        return is_nothing(value)
            || others
                .iter()
                .all(|other| is_nothing(other) || other == value);
    }
    if let Some(Value::Array(all)) = allowed.get("leaves") {
        let leaves = leaves(value);
        let some = allowed.get("some").and_then(Value::as_array);
        let has = |some: &Vec<Value>| leaves.iter().any(|leaf| some.contains(leaf));
        return leaves.iter().all(|leaf| all.contains(leaf)) && some.is_none_or(has);
    }
    let begins = |begin: &str| value.as_str().is_some_and(|text| text.starts_with(begin));
    let pattern = allowed.as_str().and_then(|text| text.strip_suffix('*'));
    value == allowed || pattern.is_some_and(begins)
}

/// The values in a value. A list is one, unless it is empty.
fn leaves(value: &Value) -> Vec<&Value> {
    match value {
        Value::Object(fields) => fields.values().flat_map(leaves).collect(),
        Value::Array(items) if items.is_empty() => Vec::new(),
        other => vec![other],
    }
}

fn children<'a>(value: &'a Value, names: &str) -> Vec<&'a Value> {
    match value {
        Value::Object(fields) if names == "*" => fields.values().collect(),
        _ => names
            .split('|')
            .filter_map(|name| value.get(name))
            .collect(),
    }
}

/// The values at a place, which may have several spellings: `/a|b/c`, or any: `/a/*`. Null if there
/// is none.
fn find(body: &Value, place: &str) -> Vec<Value> {
    let mut found = vec![body];
    for segment in place.trim_start_matches('/').split('/') {
        let next = |value| children(value, segment);
        found = found.into_iter().flat_map(next).collect();
    }
    match found.is_empty() {
        true => vec![Value::Null],
        false => found.into_iter().cloned().collect(),
    }
}

impl Row {
    /// The bodies of the row.
    pub(super) fn bodies(&self, vendor: &str, known: &Vendor) -> Vec<Value> {
        let mut body = known.body(vendor, &self.of);
        for place in &self.without {
            assert!(remove(&mut body, place), "{}: {place}", self.why);
        }
        for (place, value) in &self.set {
            put(&mut body, place, value.clone());
        }
        let mut bodies = vec![body];
        for (place, values) in &self.each {
            let with_each = |body: &Value| {
                let body = body.clone();
                values.iter().map(move |value| {
                    let mut body = body.clone();
                    put(&mut body, place, value.clone());
                    body
                })
            };
            bodies = bodies.iter().flat_map(with_each).collect();
        }
        bodies
    }
}

/// Sets the value at a pointer, with the objects that lead to it.
pub(super) fn put(body: &mut Value, pointer: &str, value: Value) {
    let mut place = body;
    for name in pointer.trim_start_matches('/').split('/') {
        let items = place.as_array().map_or(0, Vec::len);
        place = match name.parse::<usize>() {
            Ok(index) if index < items => &mut place[index],
            _ => {
                if !place.is_object() {
                    *place = Value::Object(serde_json::Map::new());
                }
                &mut place[name]
            }
        };
    }
    *place = value;
}

/// Removes the value at a pointer, and returns whether there was one.
pub(super) fn remove(body: &mut Value, pointer: &str) -> bool {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    match body.pointer_mut(parent) {
        Some(Value::Object(fields)) => fields.remove(name).is_some(),
        Some(Value::Array(items)) => match name.parse::<usize>() {
            Ok(index) if index < items.len() => {
                items.remove(index);
                true
            }
            _ => false,
        },
        _ => false,
    }
}

/// The pointers of all values of a body.
pub(super) fn pointers(body: &Value) -> BTreeSet<String> {
    fn walk(value: &Value, at: &str, into: &mut BTreeSet<String>) {
        if !at.is_empty() {
            into.insert(at.to_owned());
        }
        match value {
            Value::Object(fields) => fields
                .iter()
                .for_each(|(name, field)| walk(field, &format!("{at}/{name}"), into)),
            Value::Array(items) => items
                .iter()
                .enumerate()
                .for_each(|(place, item)| walk(item, &format!("{at}/{place}"), into)),
            _ => {}
        }
    }
    let mut found = BTreeSet::new();
    walk(body, "", &mut found);
    found
}

/// An outcome, and whether it is final.
pub(super) fn says(identity: Option<&Identity>) -> String {
    match identity {
        None => "none".to_owned(),
        Some(identity) => {
            let mark = if identity.is_final() { "!" } else { "" };
            format!("{}{mark}", identity.outcome())
        }
    }
}

pub(super) fn is_approved(identity: Option<&Identity>) -> bool {
    identity.is_some_and(|identity| {
        assert!(identity.outcome() != Outcome::Approved || identity.is_final());
        identity.outcome() == Outcome::Approved
    })
}
