//! What the typed events of several providers are made of.

use std::time::SystemTime;

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
/// - An `Option` is `None` for an absent field and for null, and for one of another type that decides
///   nothing: see `read_decided_by`. Unknown fields are ignored.
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
    let (moment, zone) = with_zone(text);
    time_in(moment, zone.as_deref().unwrap_or("Z"))
}

/// As [`time`], for a text that does not say in which zone it is without an offset.
pub(super) fn time_with_zone(text: &str) -> Option<SystemTime> {
    let (moment, zone) = with_zone(text);
    time_in(moment, &zone?)
}

/// A text without its zone, and the zone as RFC 3339 spells it: the offset may lack its colon or its
/// minutes.
fn with_zone(text: &str) -> (&str, Option<String>) {
    if let Some(moment) = ["Z", "z", " UTC"]
        .iter()
        .find_map(|utc| text.strip_suffix(utc))
    {
        return (moment, Some("Z".to_owned()));
    }
    // An offset is behind the date, which has hyphens, too.
    let sign = text
        .rfind(['+', '-'])
        .filter(|sign| *sign > "2026-11-18".len());
    let Some((moment, offset)) = sign.and_then(|sign| text.split_at_checked(sign)) else {
        return (text, None);
    };
    let offset = match (offset.len(), offset.split_at_checked(3)) {
        (3, _) => format!("{offset}:00"),
        (5, Some((hours, minutes))) => format!("{hours}:{minutes}"),
        _ => offset.to_owned(),
    };
    (moment, Some(offset))
}

/// The time in `2026-11-18T11:06:39.481` in a zone. There may be a space before the time of day, and
/// no seconds in it.
fn time_in(moment: &str, zone: &str) -> Option<SystemTime> {
    let (date, time) = moment.split_once(['T', 't', ' '])?;
    let seconds = match time.len() {
        5 => ":00",
        _ => "",
    };
    TimeUnit::Rfc3339
        .parse(&format!("{date}T{time}{seconds}{zone}"))?
        .to_system_time()
}

/// The time that is so many seconds after 1970.
pub(super) fn unix_time(seconds: i64) -> Option<SystemTime> {
    UnixTime { seconds, nanos: 0 }.to_system_time()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn seconds(time: SystemTime) -> Option<Duration> {
        time.duration_since(SystemTime::UNIX_EPOCH).ok()
    }

    #[test]
    fn every_spelling_of_a_time_is_read_exactly() {
        let at = |seconds: u64, millis: u64| Some(Duration::from_millis(seconds * 1_000 + millis));
        const NOON: u64 = 1_794_999_600;
        for (text, expected) in [
            ("2026-11-18T11:00:00Z", at(NOON, 0)),
            ("2026-11-18T11:00:00.481Z", at(NOON, 481)),
            ("2026-11-18t11:00:00z", at(NOON, 0)),
            ("2026-11-18 11:00:00.481", at(NOON, 481)),
            ("2026-11-18T11:00:00", at(NOON, 0)),
            ("2026-11-18T11:00Z", at(NOON, 0)),
            ("2026-11-18T11:00", at(NOON, 0)),
            ("2026-11-18 11:00:00 UTC", at(NOON, 0)),
            ("2026-11-18 11:00 UTC", at(NOON, 0)),
            ("2026-11-18 11:00:00+0000", at(NOON, 0)),
            ("2026-11-18T11:00:00.481+0000", at(NOON, 481)),
            ("2026-11-18T12:30:00+0130", at(NOON, 0)),
            ("2026-11-18T12:30+01:30", at(NOON, 0)),
            ("2026-11-18T09:00:00-02", at(NOON, 0)),
            ("2026-11-18T09:00:00-0200", at(NOON, 0)),
            ("2026-11-18T09:00-02:00", at(NOON, 0)),
            // A zone that nobody states is not guessed, nor is a part of a time.
            ("2026-11-18 11:00:00 CET", None),
            ("2026-11-18 11:00:00 EST", None),
            ("2026-11-18T11:00:00+", None),
            ("2026-11-18T11:00:00+1", None),
            ("2026-11-18T11:00:00+010", None),
            ("2026-11-18T11:00:00+2660", None),
            ("2026-11-18T11:00:00ZZ", None),
            ("2026-11-18T11:00:00+0000Z", None),
            ("2026-11-18T11Z", None),
            ("2026-11-18T1100Z", None),
            ("2026-11-18", None),
            ("2026-11-18Z", None),
            ("2026-11", None),
            ("1794999600", None),
            ("é2026-11-18T11:00Z", None),
            ("", None),
        ] {
            assert_eq!(time(text).and_then(seconds), expected, "{text}");
        }
        assert_eq!(time_with_zone("2026-11-18 11:00:00"), None);
        assert_eq!(
            time_with_zone("2026-11-18 13:00:00+0200").and_then(seconds),
            at(NOON, 0)
        );
    }
}
