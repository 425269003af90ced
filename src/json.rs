//! One value out of a JSON document, found by its pointer without building the document.

use std::{borrow::Cow, fmt, marker::PhantomData};

use serde::de::{
    self, DeserializeOwned, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess,
    Visitor, value::MapAccessDeserializer,
};
use serde_json::value::RawValue;

use crate::PayloadError;

/// The document as a type of ours. Unlike the field names of a stranger's type, ours may stand in an error.
pub(crate) fn read<J: DeserializeOwned>(document: &[u8]) -> Result<J, PayloadError> {
    let mut json = serde_json::Deserializer::from_slice(document);
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

/// An object, and not a list of the fields' values, which derived types take for one.
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

/// Whether there is a value at `pointer`, null included.
pub(crate) fn has(document: &[u8], pointer: &str) -> bool {
    raw(document, pointer).is_some()
}

/// The names of the fields of the document, which is an object, as often as they stand there.
pub(crate) fn names(document: &[u8]) -> Result<Vec<String>, PayloadError> {
    serde_json::from_slice(document)
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

/// The text of the value at `pointer` (RFC 6901) as it stands in `document`. Of equal keys the last one counts.
fn raw<'d>(document: &'d [u8], pointer: &str) -> Option<&'d RawValue> {
    let path: Vec<Cow<'_, str>> = pointer
        .strip_prefix('/')?
        .split('/')
        .map(|token| {
            if token.contains('~') {
                Cow::Owned(token.replace("~1", "/").replace("~0", "~"))
            } else {
                Cow::Borrowed(token)
            }
        })
        .collect();
    let mut document = serde_json::Deserializer::from_slice(document);
    let found = Walk(&path).deserialize(&mut document).ok()?;
    document.end().ok()?;
    found
}

/// The scalar at `pointer`: a string's text, or a number or truth value as it is written. Not null, no structure.
pub(crate) fn scalar<'d>(document: &'d [u8], pointer: &str) -> Option<Cow<'d, str>> {
    let text = raw(document, pointer)?.get();
    match text.as_bytes().first()? {
        b'"' => serde_json::from_str::<Text<'d>>(text)
            .ok()
            .map(|text| text.0),
        b'{' | b'[' | b'n' => None,
        _ => Some(Cow::Borrowed(text)),
    }
}

#[derive(serde::Deserialize)]
struct Text<'d>(#[serde(borrow)] Cow<'d, str>);

struct Walk<'p>(&'p [Cow<'p, str>]);

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = Option<&'de RawValue>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        if self.0.is_empty() {
            de::Deserialize::deserialize(deserializer).map(Some)
        } else {
            deserializer.deserialize_any(self)
        }
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = Option<&'de RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            match self.0.split_first() {
                Some((token, rest)) if *token == key => found = map.next_value_seed(Walk(rest))?,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(found)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let Some((token, rest)) = self.0.split_first() else {
            return Ok(None);
        };
        // RFC 6901: no leading zeros.
        let wanted = token
            .parse::<usize>()
            .ok()
            .filter(|index| index.to_string() == **token);
        for index in 0_usize.. {
            if Some(index) == wanted {
                let Some(found) = seq.next_element_seed(Walk(rest))? else {
                    return Ok(None);
                };
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                return Ok(found);
            }
            if seq.next_element::<IgnoredAny>()?.is_none() {
                break;
            }
        }
        Ok(None)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_scalars_where_the_pointer_says() {
        let document = br#"{"a":{"b":[10,{"c":"x\n\u00e9"}]},"n":1.50,"t":true,"z":null,"a/b":{"~":"k"},"":"e"}"#;
        let at = |pointer| scalar(document, pointer).map(Cow::into_owned);
        assert_eq!(at("/a/b/0").as_deref(), Some("10"));
        assert_eq!(at("/a/b/1/c").as_deref(), Some("x\né"));
        assert_eq!(at("/n").as_deref(), Some("1.50"));
        assert_eq!(at("/t").as_deref(), Some("true"));
        assert_eq!(at("/a~1b/~0").as_deref(), Some("k"));
        assert_eq!(at("/").as_deref(), Some("e"));
        for nothing in [
            "/z", "/a", "/a/b", "/a/b/2", "/a/b/00", "/a/b/-", "/q", "/n/x", "a", "", "/t/0",
        ] {
            assert_eq!(at(nothing), None, "{nothing:?}");
        }
    }

    #[test]
    fn agrees_with_the_parser_on_equal_keys() {
        let document = br#"{"id":"first","id":"last"}"#;
        let value: serde_json::Value = serde_json::from_slice(document).unwrap();
        assert_eq!(scalar(document, "/id").as_deref(), value["id"].as_str());
    }

    #[test]
    fn what_is_not_json_has_no_values() {
        for wrong in [
            &b"{\"id\":\"x\""[..],
            b"",
            b"\xff",
            b"{\"id\":\"x\"} trailing",
            b"[1,",
            b"{\"id\":01}",
        ] {
            assert_eq!(scalar(wrong, "/id"), None);
        }
        let deep = "[".repeat(100_000);
        assert_eq!(scalar(deep.as_bytes(), "/0/0"), None);
    }
}
