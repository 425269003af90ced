//! JSON in which no name occurs twice in its object: another parser would take the other one.

use serde_json::Value;

use crate::json::document;

/// The document, unless it is no JSON or has a name twice.
pub(crate) fn read(body: &[u8]) -> Option<Value> {
    serde_json::from_slice(document(body))
        .ok()
        .map(|Unique(value)| value)
}

/// The fields of an object whose names are data, in the order of the body. A name that occurs twice
/// is an error.
#[derive(Clone, PartialEq)]
pub(crate) struct Fields<V>(Vec<(String, V)>);

impl<V> Fields<V> {
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &V)> {
        self.0.iter().map(|(name, value)| (&**name, value))
    }
}

impl<'de, V: serde::Deserialize<'de>> serde::Deserialize<'de> for Fields<V> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder<V>(std::marker::PhantomData<V>);

        impl<'de, V: serde::Deserialize<'de>> serde::de::Visitor<'de> for InOrder<V> {
            type Value = Fields<V>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(
                self,
                mut map: A,
            ) -> Result<Fields<V>, A::Error> {
                let mut fields = Vec::new();
                let mut seen = std::collections::BTreeSet::new();
                while let Some((name, value)) = map.next_entry::<String, V>()? {
                    if !seen.insert(name.clone()) {
                        return Err(serde::de::Error::custom("a field occurs twice"));
                    }
                    fields.push((name, value));
                }
                Ok(Fields(fields))
            }
        }

        deserializer.deserialize_map(InOrder(std::marker::PhantomData))
    }
}

impl<V: serde::Serialize> serde::Serialize for Fields<V> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

/// Reads a field that is any JSON; `None` for null.
pub(crate) fn optional<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Value>, D::Error> {
    let value = serde::Deserialize::deserialize(deserializer)?;
    let Unique(value) = value;
    Ok(Some(value).filter(|value| !value.is_null()))
}

/// JSON in which no name occurs twice in its object.
struct Unique(Value);

impl<'de> serde::Deserialize<'de> for Unique {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(UniqueVisitor).map(Self)
    }
}

struct UniqueVisitor;

impl<'de> serde::de::Visitor<'de> for UniqueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Unique(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(list.into())
    }

    fn visit_map<A: serde::de::MapAccess<'de>>(self, map: A) -> Result<Value, A::Error> {
        let fields: Fields<Unique> =
            serde::Deserialize::deserialize(serde::de::value::MapAccessDeserializer::new(map))?;
        let fields = fields
            .0
            .into_iter()
            .map(|(name, Unique(field))| (name, field));
        Ok(Value::Object(fields.collect()))
    }
}
