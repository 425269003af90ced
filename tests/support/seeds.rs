//! The published samples, `vectors/seeds`, and what is personal in them.

use std::{collections::BTreeSet, path::PathBuf};

use bytes::Bytes;
use serde_json::Value;

/// A file of `vectors`.
pub fn vector_file(file: &str) -> Vec<u8> {
    let path = vector_path(file);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

pub fn vector_path(file: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("vectors");
    folder.join(file)
}

/// Every sample of a provider, by the name of its file.
pub fn samples(provider: &str) -> Vec<(String, Bytes)> {
    let files = std::fs::read_dir(vector_path("seeds").join(provider)).unwrap();
    let mut samples: Vec<_> = files
        .map(|file| {
            let file = file.unwrap();
            let name = file.file_name().into_string().unwrap();
            (name, std::fs::read(file.path()).unwrap().into())
        })
        .collect();
    samples.sort();
    samples
}

/// Every text of more than three letters in the JSON of a body.
pub fn texts(body: &[u8]) -> BTreeSet<String> {
    fn walk(value: &Value, into: &mut BTreeSet<String>) {
        match value {
            Value::String(text) => drop(into.insert(text.clone())),
            Value::Array(items) => items.iter().for_each(|item| walk(item, into)),
            Value::Object(fields) => fields.values().for_each(|field| walk(field, into)),
            _ => {}
        }
    }
    let text = String::from_utf8_lossy(body);
    let json = match (text.find('{'), text.rfind('}')) {
        (Some(start), Some(end)) => serde_json::from_str(&text[start..=end]).unwrap_or_default(),
        _ => Value::Null,
    };
    let mut texts = BTreeSet::new();
    walk(&json, &mut texts);
    texts.retain(|text| text.len() > 3);
    texts
}
