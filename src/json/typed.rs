//! Deserialization of JSON documents into first-party types.

use std::{fmt, marker::PhantomData};

use serde::de::{
    self, DeserializeOwned, Deserializer, IgnoredAny, MapAccess, Visitor,
    value::MapAccessDeserializer,
};

use crate::{
    error::PayloadError,
    json::{document, raw},
};

/// Reads the body as a first-party type, whose field names may appear in errors.
pub(crate) fn read<J: DeserializeOwned>(body: &[u8]) -> Result<J, PayloadError> {
    let mut json = serde_json::Deserializer::from_slice(document(body));
    let read = serde_path_to_error::deserialize(&mut json)
        .map(|Object(read)| read)
        .map_err(|error| {
            let problem = PayloadError::json(error.inner());
            match error.path().to_string() {
                path if error.inner().is_data() && path != "." => problem.at(&path),
                _ => problem,
            }
        })?;
    json.end().map_err(|error| PayloadError::json(&error))?;
    Ok(read)
}

/// Reads a value as a type, if it matches.
pub(crate) fn read_as<T: DeserializeOwned>(value: &serde_json::Value) -> Option<T> {
    T::deserialize(value).ok()
}

/// Reads an object. A derived `Deserialize` would also accept an array of the fields' values.
pub(crate) fn object<'de, D: Deserializer<'de>, T: de::Deserialize<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    struct Fields<T>(PhantomData<T>);

    impl<'de, T: de::Deserialize<'de>> Visitor<'de> for Fields<T> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
            T::deserialize(MapAccessDeserializer::new(map))
        }
    }

    deserializer.deserialize_map(Fields(PhantomData))
}

/// Whether there is a value at `pointer`, including null.
pub(crate) fn has(body: &[u8], pointer: &str) -> bool {
    raw(body, pointer).is_some()
}

/// The field names of the body, including duplicates. The body must be an object.
pub(crate) fn names(body: &[u8]) -> Result<Vec<String>, PayloadError> {
    serde_json::from_slice(document(body))
        .map(|Names(names)| names)
        .map_err(|error| PayloadError::json(&error))
}

struct Names(Vec<String>);

impl<'de> de::Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Self(Vec::new()))
    }
}

impl<'de> Visitor<'de> for Names {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<Self, A::Error> {
        while let Some((name, IgnoredAny)) = map.next_entry()? {
            self.0.push(name);
        }
        Ok(self)
    }
}

struct Object<T>(T);

impl<'de, T: de::Deserialize<'de>> de::Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        object(deserializer).map(Self)
    }
}
