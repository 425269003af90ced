//! The providers by name: every vector of the catalogue of schemes through the name of its
//! provider.

mod forgeries;
mod names;
mod resigned;
mod table;
mod verdicts;

use std::collections::BTreeMap;

use tower_webhook::{Config, Verifier};

use crate::vectors::{Entry, Vector, entries};

/// Entries whose vectors are not run by name, and why.
const NOT_BY_NAME: [(&str, &str); 1] = [(
    "authenteq",
    "the catalogue of schemes has no client id; `providers::authenteq` has vectors with one",
)];

/// Entries that run by name.
fn named() -> BTreeMap<String, Entry> {
    let mut entries = entries();
    entries.retain(|id, _| !NOT_BY_NAME.iter().any(|(left_out, _)| left_out == id));
    entries
}

/// The variant of the provider that a vector with another scheme is about; `None` if there is none,
/// because the scheme differs in settings that an endpoint does not have.
fn variant_of(id: &str, vector: &Vector) -> Option<Option<&'static str>> {
    let Some(replaced) = &vector.scheme_override else {
        return Some(None);
    };
    let sig = &replaced["sig"];
    let is_simple = replaced.get("ts").is_some_and(serde_json::Value::is_null);
    match (
        id,
        is_simple,
        sig["encoding"].as_str(),
        replaced["tolerance_s"].as_u64(),
    ) {
        ("convoy", true, Some("hex"), _) => Some(Some("simple-hex")),
        ("convoy", true, Some("base64"), _) => Some(Some("simple-base64")),
        ("convoy", false, Some("hex"), Some(300)) => Some(None),
        ("convoy", ..) => None,
        _ => panic!("{id}: {replaced}"),
    }
}

/// The endpoint `id` of the provider by its name, with the keys and parameters of a vector.
fn config_by_name(entry: &Entry, vector: &Vector) -> Result<Config, String> {
    let id = &entry.id;
    let document = entry.document_for(vector);
    let (_, endpoint) = document.split_once("[endpoints.").unwrap();
    let mut text =
        format!("[endpoints.{endpoint}").replace(&format!("\"x-{id}\""), &format!("\"{id}\""));
    // The name of a place has a default.
    if let Some(start) = text.find("place = ") {
        let end = start + text[start..].find(" }").unwrap();
        text.replace_range(start..end, "");
    }
    if let Some(Some(variant)) = variant_of(id, vector) {
        text.push_str(&format!("variant = \"{variant}\"\n"));
    }
    Config::from_toml_str(&text).map_err(|error| format!("{id}: {error}\n{text}"))
}

fn verifier_by_name(entry: &Entry, vector: &Vector) -> Result<Verifier, String> {
    Ok(config_by_name(entry, vector)?.endpoint(&entry.id).unwrap())
}
