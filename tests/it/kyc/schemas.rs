//! The types, by what the vendors' own specifications say: `vectors/schemas` has the fields of
//! each.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::{Value, json};
use support::{vector_file, vector_path};
use tower_webhook::Identity;

use super::{
    data::{Vendor, is_approved, put, remove, vendors},
    typed::{normal, of_body, plain},
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Schema {
    #[serde(rename = "about")]
    _about: String,
    /// A body that is one of the vendor's, to which fields are added.
    base: Value,
    /// Where in it the fields begin.
    #[serde(default)]
    at: String,
    /// The places that select the type. With a value that is not known, an event is `Other`.
    #[serde(default)]
    kinds: Vec<String>,
    /// Places whose value follows from the type. With another, the event contradicts itself.
    #[serde(default)]
    fixed: Vec<String>,
    /// Whether the vendor sends the names in several spellings.
    #[serde(default)]
    inflected: bool,
    fields: BTreeMap<String, Field>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Field {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    nullable: bool,
    #[serde(default, rename = "enum")]
    values: Vec<Value>,
}

impl Field {
    /// Values that the field may have, with one that the vendor may add.
    fn samples(&self) -> Vec<Value> {
        let mut samples = self.values.clone();
        samples.push(match &*self.kind {
            "string" => json!("Levitating"),
            "integer" => json!(7),
            "number" => json!(97.5),
            "boolean" => json!(true),
            "array" => json!([]),
            "object" => json!({ "anything": [1, null] }),
            other => panic!("{other}"),
        });
        samples
    }
}

/// How a vendor spells the names of fields.
#[derive(Clone, Copy, Debug)]
enum Spelling {
    AsSpecified,
    Snake,
    Camel,
}

impl Spelling {
    fn of(self, name: &str) -> String {
        match self {
            Self::AsSpecified => name.to_owned(),
            Self::Snake => name.replace('-', "_"),
            Self::Camel => {
                let mut parts = name.split('-');
                let first = parts.next().unwrap_or_default().to_owned();
                parts.fold(first, |name, part| {
                    let (first, rest) = part.split_at(1);
                    name + &first.to_ascii_uppercase() + rest
                })
            }
        }
    }

    /// The body in this spelling. The names in `fields` are data.
    fn body(self, body: &Value) -> Value {
        match body {
            Value::Object(fields) => fields
                .iter()
                .map(|(name, value)| match &**name {
                    "fields" => (name.clone(), value.clone()),
                    _ => (self.of(name), self.body(value)),
                })
                .collect::<serde_json::Map<_, _>>()
                .into(),
            Value::Array(items) => items.iter().map(|item| self.body(item)).collect(),
            other => other.clone(),
        }
    }
}

/// A vendor with its schema.
struct Case {
    name: String,
    vendor: Vendor,
    schema: Schema,
}

fn cases() -> Vec<Case> {
    let mut vendors = vendors();
    let files = std::fs::read_dir(vector_path("schemas")).unwrap();
    let files: BTreeSet<String> = files
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    let known = [
        "complycube",
        "didit",
        "onfido",
        "persona",
        "plaid",
        "stripe",
    ];
    assert_eq!(files, known.map(|name| format!("{name}.json")).into());
    let case = |file: String| {
        let json = vector_file(&format!("schemas/{file}"));
        let name = file.strip_suffix(".json").unwrap().to_owned();
        Case {
            schema: serde_json::from_slice(&json).unwrap_or_else(|error| panic!("{file}: {error}")),
            vendor: vendors.remove(&name).unwrap(),
            name,
        }
    };
    files.into_iter().map(case).collect()
}

/// What an event says.
#[derive(Debug, PartialEq)]
enum Read {
    Typed(Value),
    Other,
    Refused,
}

impl Case {
    fn spellings(&self) -> &[Spelling] {
        match self.schema.inflected {
            true => &[Spelling::AsSpecified, Spelling::Snake, Spelling::Camel],
            false => &[Spelling::AsSpecified],
        }
    }

    /// The fields that have no fields of their own.
    fn leaves(&self) -> impl Iterator<Item = (&str, &Field)> {
        self.schema.fields.iter().filter_map(|(place, field)| {
            let begin = format!("{place}/");
            let has_fields = self.schema.fields.keys().any(|at| at.starts_with(&begin));
            (!has_fields).then_some((&**place, field))
        })
    }

    /// A body in which only this is.
    fn body(&self, place: &str, value: &Value) -> Value {
        let mut body = self.schema.base.clone();
        self.add(&mut body, place, value);
        body
    }

    /// Sets a value, with the objects and the lists of one item that lead to it.
    fn add(&self, body: &mut Value, place: &str, value: &Value) {
        let place = format!("{}{place}", self.schema.at);
        let mut at = String::new();
        let segments: Vec<&str> = place.trim_start_matches('/').split('/').collect();
        for (segment, next) in segments.iter().zip(&segments[1..]) {
            at = format!("{at}/{segment}");
            let is_list = *next == "0";
            let is_there = body.pointer(&at).is_some_and(|found| {
                found.as_array().is_some_and(|items| !items.is_empty()) || found.is_object()
            });
            if !is_there {
                put(body, &at, if is_list { json!([{}]) } else { json!({}) });
            }
        }
        put(body, &place, value.clone());
    }

    /// The event as its type, in the spelling with underscores. Whatever it is, it is an approval
    /// only if the vendor's table says so.
    fn read(&self, body: &Value) -> Read {
        let text = body.to_string();
        let event = self.vendor.event(&self.vendor.provider(), &text);
        if let Ok(read) = event.parse::<Option<Identity>>()
            && is_approved(read.payload().as_ref())
        {
            assert!(self.vendor.approves(body), "{}: {body}", self.name);
        }
        match of_body(&self.name, &self.vendor, &text) {
            Err(_) => Read::Refused,
            Ok(typed) if typed.is_other => {
                assert_eq!(typed.written, *body, "{}", self.name);
                Read::Other
            }
            Ok(typed) => Read::Typed(normal(&typed.written)),
        }
    }

    fn found<'a>(&self, read: &'a Read, place: &str, body: &Value) -> Option<&'a Value> {
        let Read::Typed(written) = read else {
            panic!("{}: {place}: {read:?}: {body}", self.name);
        };
        let place = format!("{}{place}", self.schema.at);
        let place = place.strip_prefix(&self.vendor.root).unwrap();
        let segments = place.split('/').map(plain).collect::<Vec<_>>();
        written.pointer(&segments.join("/"))
    }

    /// Whether the type is another with this value, or none.
    fn is_of_the_type(&self, place: &str, value: &Value, field: &Field) -> Result<(), Read> {
        let is_named = |places: &[String]| places.iter().any(|other| other == place);
        match field.values.contains(value) {
            false if is_named(&self.schema.kinds) => Err(Read::Other),
            false if is_named(&self.schema.fixed) => Err(Read::Refused),
            _ => Ok(()),
        }
    }
}

/// Whether a value is there. A type may have fields that the specification does not have.
fn has(found: Option<&Value>, sample: &Value) -> bool {
    match (found, sample) {
        (Some(Value::Object(found)), Value::Object(sample)) => sample
            .iter()
            .all(|(name, value)| found.get(name) == Some(value)),
        (found, sample) => found == Some(sample),
    }
}

#[test]
fn each_field_alone_is_found_again_with_each_of_its_values_and_an_unknown_one() {
    let mut count = 0;
    for case in cases() {
        for (place, field) in case.leaves() {
            for sample in field.samples() {
                for spelling in case.spellings() {
                    let body = spelling.body(&case.body(place, &sample));
                    let read = case.read(&body);
                    if let Err(expected) = case.is_of_the_type(place, &sample, field) {
                        assert_eq!(read, expected, "{}: {place}: {body}", case.name);
                        continue;
                    }
                    let found = case.found(&read, place, &body);
                    let name = &case.name;
                    assert!(has(found, &sample), "{name}: {place}: {found:?}: {body}");
                    count += 1;
                }
            }
        }
    }
    assert!(count > 1_000, "{count}");
}

#[test]
fn all_fields_together_are_found_again() {
    for case in cases() {
        for turn in 0..8 {
            let mut body = case.schema.base.clone();
            let mut expected = Vec::new();
            for (place, field) in case.leaves() {
                let samples = field.samples();
                let sample = &samples[turn % samples.len()];
                if case.is_of_the_type(place, sample, field).is_ok() {
                    case.add(&mut body, place, sample);
                    expected.push((place, sample.clone()));
                }
            }
            for spelling in case.spellings() {
                let body = spelling.body(&body);
                let read = case.read(&body);
                for (place, sample) in &expected {
                    let found = case.found(&read, place, &body);
                    let name = &case.name;
                    assert!(has(found, sample), "{name}: {place}: {found:?}: {body}");
                }
            }
        }
    }
}

#[test]
fn a_null_is_as_good_as_nothing() {
    let mut nullable = 0;
    for case in cases() {
        for (place, field) in &case.schema.fields {
            for spelling in case.spellings() {
                // An item of a list has nothing to be absent from.
                if place.ends_with("/0") {
                    continue;
                }
                let null = case.body(place, &Value::Null);
                let mut absent = null.clone();
                assert!(remove(&mut absent, &format!("{}{place}", case.schema.at)));
                let (null, absent) = (spelling.body(&null), spelling.body(&absent));
                let read = case.read(&null);
                assert_eq!(read, case.read(&absent), "{}: {null}", case.name);
                if field.nullable {
                    nullable += 1;
                    let found = case.found(&read, place, &null);
                    assert_eq!(found, None, "{}: {null}", case.name);
                }
            }
        }
    }
    assert!(nullable > 200, "{nullable}");
}
