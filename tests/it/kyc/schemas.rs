//! The types, by what the vendors' own specifications say: `vectors/schemas` has the fields of each.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};
use support::vector_file;
use tower_webhook::providers::didit;

use super::data::{Vendor, put, vendors};

#[derive(Deserialize)]
struct Schema {
    #[serde(rename = "about")]
    _about: String,
    fields: BTreeMap<String, Field>,
}

#[derive(Deserialize)]
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
        match &*self.kind {
            "string" => samples.push(json!("Levitating")),
            "integer" => samples.push(json!(7)),
            "number" => samples.push(json!(97.5)),
            "boolean" => samples.push(json!(true)),
            "array" => samples.push(json!([])),
            _ => samples.push(json!({ "anything": [1, null] })),
        }
        samples
    }
}

fn schema() -> BTreeMap<String, Field> {
    let schema: Schema = serde_json::from_slice(&vector_file("schemas/didit.json")).unwrap();
    assert!(schema.fields.len() > 300);
    schema.fields
}

/// Whether the specification has no fields of the field.
fn is_leaf(schema: &BTreeMap<String, Field>, place: &str) -> bool {
    let begin = format!("{place}/");
    !schema.keys().any(|other| other.starts_with(&begin))
}

/// A body with a decision in which only this is.
fn body(place: &str, value: &Value) -> Value {
    let mut body = json!({ "webhook_type": "status.updated", "session_id": "s-1", "decision": {} });
    add(&mut body["decision"], place, value);
    body
}

/// Sets a value, with the objects and the lists of one item that lead to it.
fn add(decision: &mut Value, place: &str, value: &Value) {
    let mut at = String::new();
    let segments: Vec<&str> = place.trim_start_matches('/').split('/').collect();
    for (segment, next) in segments.iter().zip(&segments[1..]) {
        at = format!("{at}/{segment}");
        let is_list = *next == "0";
        let is_there = decision.pointer(&at).is_some_and(|found| {
            found.as_array().is_some_and(|items| !items.is_empty()) || found.is_object()
        });
        if !is_there {
            put(decision, &at, if is_list { json!([{}]) } else { json!({}) });
        }
    }
    put(decision, place, value.clone());
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

fn read(vendor: &Vendor, body: &Value) -> Value {
    let event = vendor.event(&vendor.provider(), &body.to_string());
    let read = event.parse::<didit::Event>();
    let read = read.unwrap_or_else(|error| panic!("{error}: {body}"));
    assert!(
        matches!(read.payload(), didit::Event::Notification(_)),
        "{body}"
    );
    serde_json::to_value(read.payload()).unwrap()
}

fn vendor() -> Vendor {
    vendors().remove("didit").unwrap()
}

#[test]
fn each_field_alone_is_found_again() {
    let (vendor, schema) = (vendor(), schema());
    for (place, field) in schema.iter().filter(|(place, _)| is_leaf(&schema, place)) {
        for sample in field.samples() {
            let written = read(&vendor, &body(place, &sample));
            let found = written["decision"].pointer(place);
            assert!(has(found, &sample), "{place}: {found:?}");
        }
    }
}

#[test]
fn all_fields_together_are_found_again() {
    let vendor = vendor();
    let schema = schema();
    // Parents come before their fields.
    for turn in 0..4 {
        let mut body = body("/session_id", &json!("s-1"));
        let mut expected = Vec::new();
        for (place, field) in &schema {
            if !is_leaf(&schema, place) {
                continue;
            }
            let samples = field.samples();
            let sample = samples[turn % samples.len()].clone();
            add(&mut body["decision"], place, &sample);
            expected.push((place, sample));
        }
        let written = read(&vendor, &body);
        for (place, sample) in expected {
            let found = written["decision"].pointer(place);
            assert!(has(found, &sample), "{place}: {found:?}");
        }
    }
}

#[test]
fn a_null_is_as_good_as_nothing() {
    let vendor = vendor();
    let nothing = |value: &Value| match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        _ => false,
    };
    let mut nullable = 0;
    for (place, field) in schema() {
        nullable += usize::from(field.nullable);
        if place.ends_with("/0") {
            continue;
        }
        let written = read(&vendor, &body(&place, &Value::Null));
        let found = written["decision"].pointer(&place);
        assert!(found.is_none_or(nothing), "{place}: {found:?}");
    }
    assert!(nullable > 50, "{nullable}");
}
