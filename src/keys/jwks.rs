//! Sets of JSON Web Keys ([RFC 7517, section 5](https://www.rfc-editor.org/rfc/rfc7517#section-5)),
//! which stand for their keys.

use serde_json::Value;

use crate::{error::SetupError, json, keys::secret::Secret};

/// The keys, with those of each set in place of the set.
pub(super) fn expand(keys: Vec<Secret>) -> Result<Vec<Secret>, SetupError> {
    let mut all = Vec::with_capacity(keys.len());
    for key in keys {
        match members(&key) {
            None => all.push(key),
            Some(members) if members.is_empty() => {
                let error = SetupError::new("the set has no keys; copy it again from the provider");
                return Err(error.within(key.place()));
            }
            Some(members) => all.extend(members.iter().map(|member| key.member(member))),
        }
    }
    Ok(all)
}

/// The keys of a set; `None` for anything else.
fn members(key: &Secret) -> Option<Vec<Value>> {
    let text = key
        .key_text()
        .filter(|text| text.trim_start().starts_with('{'))?;
    members_of(text.as_bytes())
}

/// The keys of a document that is a set.
pub(super) fn members_of(document: &[u8]) -> Option<Vec<Value>> {
    match json::object(document)?.remove("keys")? {
        Value::Array(members) => Some(members),
        _ => None,
    }
}
