//! Deserialization of JSON documents into first-party types.

use std::{collections::BTreeSet, fmt, marker::PhantomData};

use serde::de::{
    self, DeserializeOwned, Deserializer, IgnoredAny, MapAccess, Visitor,
    value::MapAccessDeserializer,
};

use serde_json::Value;

use crate::{
    error::PayloadError,
    json::{
        document,
        place::{self, Place, Token},
        raw, unique,
    },
};

/// How many fields of a body may have a type that nobody expects.
const MAX_UNEXPECTED: usize = 100;

/// Reads the body as a first-party type, whose field names may appear in errors.
pub(crate) fn read<J: DeserializeOwned>(body: &[u8]) -> Result<J, PayloadError> {
    placed(document(body)).map_err(|(error, _)| error)
}

/// As [`read`], with the place of the mistake.
fn placed<J: DeserializeOwned>(document: &[u8]) -> Result<J, (PayloadError, Place)> {
    let read = serde_json::from_slice(document);
    read.map(|Object(read)| read).map_err(|error| {
        let problem = PayloadError::json(&error);
        if !error.is_data() {
            return (problem, Place::new());
        }
        let place = place::of_error(document, &error);
        match &*place::shown(&place) {
            "" => (problem, place),
            shown => (problem.at(shown), place),
        }
    })
}

/// As [`read`], but a field of another type than expected is no error unless it decides: a decision
/// must not be lost because of a field that has no part in it. A number in place of a text is read
/// as that text, and a whole number with a fraction of zero as an integer. Anything else is left
/// out.
///
/// `decides` has the pointers of the fields that decide, in which `*` is any name or index. A
/// missing field that is required stays an error, and so does a name that occurs twice.
pub(crate) fn read_decided_by<J: DeserializeOwned>(
    body: &[u8],
    decides: &[&str],
) -> Result<J, PayloadError> {
    let (error, mut place) = match placed(document(body)) {
        Ok(read) => return Ok(read),
        Err(mistake) => mistake,
    };
    let Some(mut value) = unique::read(body) else {
        return Err(error);
    };
    let mut changed = BTreeSet::new();
    for _ in 0..MAX_UNEXPECTED {
        let is_free = !decides.iter().any(|pointer| meet(&place, pointer));
        let is_first = changed.insert(place.clone());
        if !is_free || give_way(&mut value, &place, is_first).is_none() {
            break;
        }
        place = match placed(value.to_string().as_bytes()) {
            Ok(read) => return Ok(read),
            Err((_, place)) => place,
        };
    }
    Err(error)
}

/// Whether a place is at a pointer, on the way to it, or within what is there.
fn meet(place: &Place, pointer: &str) -> bool {
    let is_same = |token: &Token, other: &str| match token {
        Token::Name(name) => name == other,
        Token::Index(index) => index.to_string() == other,
    };
    let pointer = pointer.trim_start_matches('/').split('/');
    let mut steps = place.iter().zip(pointer);
    steps.all(|(token, other)| other == "*" || is_same(token, other))
}

/// Converts the value at a place if that loses nothing, or else removes it.
fn give_way(value: &mut Value, place: &Place, may_convert: bool) -> Option<()> {
    let (last, parents) = place.split_last()?;
    let mut parent = value;
    for token in parents {
        parent = match token {
            Token::Name(name) => parent.get_mut(name)?,
            Token::Index(index) => parent.get_mut(index)?,
        };
    }
    let found = match last {
        Token::Name(name) => parent.get_mut(name)?,
        Token::Index(index) => parent.get_mut(index)?,
    };
    if let Some(converted) = converted(found).filter(|_| may_convert) {
        *found = converted;
        return Some(());
    }
    match (parent, last) {
        (Value::Object(fields), Token::Name(name)) => drop(fields.remove(name)),
        (Value::Array(items), Token::Index(index)) => drop(items.remove(*index)),
        _ => return None,
    }
    Some(())
}

/// A number as the type that was expected in its place.
fn converted(value: &Value) -> Option<Value> {
    let Value::Number(number) = value else {
        return None;
    };
    if !number.is_f64() {
        return Some(Value::String(number.to_string()));
    }
    // Without its fraction of zero it is an integer, up to 2^53, where all are exact.
    let text = number.to_string();
    let integer = text.strip_suffix(".0")?.parse::<i64>().ok()?;
    (integer.unsigned_abs() <= 1 << f64::MANTISSA_DIGITS).then(|| integer.into())
}

/// Reads an object, or `None` for null. PHP writes an empty object as an empty list.
pub(crate) fn object_of_php<'de, D: Deserializer<'de>, T: de::Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    struct Fields<T>(PhantomData<T>);

    impl<'de, T: de::Deserialize<'de>> Visitor<'de> for Fields<T> {
        type Value = Option<T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_unit<E>(self) -> Result<Option<T>, E> {
            Ok(None)
        }

        fn visit_seq<A: de::SeqAccess<'de>>(self, mut items: A) -> Result<Option<T>, A::Error> {
            match items.next_element::<IgnoredAny>()? {
                None => Ok(None),
                Some(_) => Err(de::Error::invalid_type(de::Unexpected::Seq, &self)),
            }
        }

        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Option<T>, A::Error> {
            T::deserialize(MapAccessDeserializer::new(map)).map(Some)
        }
    }

    deserializer.deserialize_any(Fields(PhantomData))
}

/// Reads a value as a type, if it matches.
pub(crate) fn read_as<T: DeserializeOwned>(value: &Value) -> Option<T> {
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
