//! What the typed events of several providers are made of.

use std::time::SystemTime;

use serde_json::Value;

use crate::{
    clock::UnixTime, error::PayloadError, event::VerifiedEvent, identity::Outcome,
    scheme::timestamp::TimeUnit,
};

/// Defines an enum of the documented values and `Other`, so that a value that the vendor adds later
/// does not make an event unreadable.
macro_rules! open_enum {
    (
        $(#[$meta:meta])*
        $name:ident { $($(#[$variant_meta:meta])* $variant:ident = $text:literal $(| $alias:literal)*,)* }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$variant_meta])* $variant,)*
            /// An undocumented value.
            Other(String),
        }

        impl $name {
            /// The value, as the vendor spells it.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $text,)*
                    Self::Other(text) => text,
                }
            }

            /// Whether the value is one of the documented ones.
            #[must_use]
            pub fn is_known(&self) -> bool {
                !matches!(self, Self::Other(_))
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                match &*text {
                    $($text $(| $alias)* => Self::$variant,)*
                    _ => Self::Other(text),
                }
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer).map(Self::from)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }
    };
}

/// Implements a `Debug` that shows only these fields, or only the name of the variant, because the
/// rest is personal data.
macro_rules! shows {
    ($name:ident { $($field:ident),* $(,)? }) => {
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($name))
                    $(.field(stringify!($field), &self.$field))*
                    .finish_non_exhaustive()
            }
        }
    };
    ($name:ident: $($variant:ident),*) => {
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(match self {
                    $(Self::$variant(_) => concat!(stringify!($variant), "(..)"),)*
                })
            }
        }
    };
}

/// Defines the structs of a body. All fields are public.
///
/// - An `Option` is `None` for an absent field and for null. Unknown fields are ignored.
/// - A struct is read from an object only. A derived `Deserialize` would also accept an array of the
///   values.
/// - `Debug` shows the fields that `shows` names, and nothing else: the rest may be personal data.
/// - `Serialize` writes the vendor's names.
macro_rules! records {
    ($(
        $(#[$meta:meta])*
        $name:ident shows [$($shown:ident),* $(,)?] {
            $($(#[$field_meta:meta])* $field:ident: $type:ty,)*
        }
    )+) => {$(
        #[derive(Clone, PartialEq, serde::Deserialize, serde::Serialize)]
        #[serde(remote = "Self")]
        $(#[$meta])*
        #[non_exhaustive]
        pub struct $name {
            $($(#[$field_meta])* pub $field: $type,)*
        }

        shows!($name { $($shown),* });

        // `remote` makes the derived functions inherent, and leaves the traits to us.
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Fields;

                impl<'de> serde::de::Visitor<'de> for Fields {
                    type Value = $name;

                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str("an object")
                    }

                    fn visit_map<A: serde::de::MapAccess<'de>>(self, map: A) -> Result<$name, A::Error> {
                        $name::deserialize(serde::de::value::MapAccessDeserializer::new(map))
                    }
                }

                deserializer.deserialize_map(Fields)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                Self::serialize(self, serializer)
            }
        }
    )+};
}

/// Defines the event of a provider as an enum of its kinds of bodies and `Other`, with a conversion
/// from each body, and `Payload` for each. Its own `Payload` calls `$read`.
macro_rules! events {
    (
        $(#[$meta:meta])*
        $($provider:literal)or+ read by $read:path {
            $($(#[$body_meta:meta])* $body:ident,)*
        }
        Other: $(#[$other_meta:meta])*
    ) => {
        $(#[$meta])*
        #[derive(Clone, PartialEq, serde::Serialize)]
        #[serde(untagged)]
        #[non_exhaustive]
        pub enum Event {
            $($(#[$body_meta])* $body(Box<$body>),)*
            $(#[$other_meta])*
            Other(serde_json::Value),
        }

        impl std::fmt::Debug for Event {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                match self {
                    $(Self::$body(body) => f.debug_tuple(stringify!($body)).field(body).finish(),)*
                    Self::Other(_) => f.write_str("Other(..)"),
                }
            }
        }

        impl $crate::event::Payload for Event {
            fn from_event(
                event: &$crate::event::VerifiedEvent,
            ) -> Result<Self, $crate::error::PayloadError> {
                $crate::providers::typed::check_provider(&[$($provider),+], event)?;
                $read(event)
            }
        }

        $(
            impl From<$body> for Event {
                fn from(body: $body) -> Self {
                    Self::$body(Box::new(body))
                }
            }

            impl $crate::event::Payload for $body {
                fn from_event(
                    event: &$crate::event::VerifiedEvent,
                ) -> Result<Self, $crate::error::PayloadError> {
                    match <Event as $crate::event::Payload>::from_event(event)? {
                        Event::$body(body) => Ok(*body),
                        _ => Err($crate::providers::typed::another_type(stringify!($body))),
                    }
                }
            }
        )*
    };
}

/// Returns an error for an event of another provider than these, which are one vendor's.
pub(super) fn check_provider(names: &[&str], event: &VerifiedEvent) -> Result<(), PayloadError> {
    match names.iter().find(|name| **name == event.provider()) {
        Some(_) => Ok(()),
        None => PayloadError::unless_from(names.first().copied().unwrap_or_default(), event),
    }
}

/// The error about a body of another type than `name`.
pub(super) fn another_type(name: &str) -> PayloadError {
    PayloadError::new(format!("the body does not match the type {name}"))
}

/// A final approval, unless the rest of the body contradicts it.
pub(super) fn approval(is_contradicted: bool) -> (Outcome, bool) {
    match is_contradicted {
        false => (Outcome::Approved, true),
        true => (Outcome::Other, false),
    }
}

/// Whether two places name two different things. An empty text names nothing.
pub(super) fn differ(one: Option<&str>, other: Option<&str>) -> bool {
    let named = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
    let (one, other) = (named(one), named(other));
    one.is_some() && other.is_some() && one != other
}

/// The time in an ISO 8601 text, which is UTC if it has no offset.
pub(super) fn time(text: &str) -> Option<SystemTime> {
    TimeUnit::IsoUtc.parse(text)?.to_system_time()
}

/// The time that is so many seconds after 1970.
pub(super) fn unix_time(seconds: i64) -> Option<SystemTime> {
    UnixTime { seconds, nanos: 0 }.to_system_time()
}

/// The fields of an object whose names are data, in the order of the body. A name that occurs twice
/// is an error.
#[derive(Clone, PartialEq)]
pub(super) struct Fields<V>(Vec<(String, V)>);

impl<V> Fields<V> {
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &V)> {
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

/// Reads any JSON, in which no name occurs twice in its object.
pub(super) fn unique<'de, D: serde::Deserializer<'de>>(
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
