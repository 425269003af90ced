//! Values as they stand in a file. Their errors never quote text, since it may be a secret in the wrong place.

use std::{collections::BTreeMap, fmt, marker::PhantomData, time::Duration};

use serde::{
    Deserialize, Deserializer,
    de::{
        self, MapAccess, SeqAccess, Visitor,
        value::{MapAccessDeserializer, SeqAccessDeserializer},
    },
};

use crate::{
    clock::UnixTime,
    error::{SetupError, shown},
    scheme::timestamp::TimeUnit,
};

/// What stands in tables by name.
pub(super) trait Entry {
    /// What one is called in messages; with an `s`, the key of all.
    const KIND: &'static str;
}

/// Tables by name. An error inside one says which, and at which key.
pub(super) struct Named<T>(BTreeMap<String, T>);

impl<T> Named<T> {
    pub(super) fn get(&self, name: &str) -> Option<&T> {
        self.0.get(name)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &T)> {
        self.0.iter().map(|(name, value)| (&**name, value))
    }
}

impl<T> Default for Named<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<'de, T: Deserialize<'de> + Entry> Deserialize<'de> for Named<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Tables<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de> + Entry> Visitor<'de> for Tables<T> {
            type Value = Named<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "tables by name, as in [{}s.NAME]", T::KIND)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut tables = BTreeMap::new();
                while let Some(name) = map.next_key::<String>()? {
                    let table = map.next_value::<Table<T>>();
                    let table = table.map_err(|error| {
                        de::Error::custom(located(T::KIND, &name, &error.to_string()))
                    })?;
                    tables.insert(name, table.0);
                }
                Ok(Named(tables))
            }

            fn visit_str<E: de::Error>(self, _: &str) -> Result<Self::Value, E> {
                Err(misplaced(T::KIND, "text"))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, _: A) -> Result<Self::Value, A::Error> {
                Err(misplaced(T::KIND, "a list"))
            }
        }

        deserializer.deserialize_any(Tables(PhantomData))
    }
}

/// Puts the place in front. toml tells the path to the key in a second line, from the table's name on.
fn located(kind: &str, name: &str, error: &str) -> String {
    let (message, path) = match error.trim_end().rsplit_once("\nin `") {
        Some((message, path)) => (message, path.strip_suffix('`')),
        None => (error, None),
    };
    let key = path.and_then(|path| path.strip_prefix(name)?.strip_prefix('.'));
    match key {
        Some(key) => format!("{kind} {name:?}: {key}: {message}"),
        None => format!("{kind} {name:?}: {message}"),
    }
}

fn misplaced<E: de::Error>(kind: &str, found: &str) -> E {
    E::custom(format!(
        "{kind}s: {found} where there should be tables by name, as in [{kind}s.NAME]"
    ))
}

/// A table. Text in its place is an error that does not show the text.
pub(super) struct Table<T>(pub(super) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Table<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct One<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for One<T> {
            type Value = Table<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(Table)
            }

            fn visit_str<E: de::Error>(self, _: &str) -> Result<Self::Value, E> {
                Err(E::custom(
                    "text where there should be a table, as in { key = … }",
                ))
            }
        }

        deserializer.deserialize_any(One(PhantomData))
    }
}

/// A list. Text in its place is an error that does not show the text.
pub(super) struct List<T>(pub(super) Vec<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Items<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Items<T> {
            type Value = List<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list in square brackets")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Self::Value, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(seq)).map(List)
            }

            fn visit_str<E: de::Error>(self, _: &str) -> Result<Self::Value, E> {
                Err(E::custom(
                    "text where there should be a list in square brackets",
                ))
            }
        }

        deserializer.deserialize_any(Items(PhantomData))
    }
}

/// Text, or a number as text.
pub(super) struct Scalar(String);

impl Scalar {
    /// A duration such as `5m` or `1h30m`.
    pub(super) fn duration(&self, key: &str) -> Result<Duration, SetupError> {
        // humantime reads `5M` as five months, and whoever writes it means minutes.
        let months = self.0.contains('M');
        let parsed = humantime::parse_duration(&self.0).ok();
        parsed.filter(|_| !months).ok_or_else(|| {
            SetupError::new(format!(
                "{key}: {} is not a duration; write a number and a unit, as in \"30s\", \"5m\" or \"1h\"",
                shown(&self.0)
            ))
        })
    }

    /// A duration of `least` or more. `problem` says what a shorter one means, and what to write.
    pub(super) fn duration_from(
        &self,
        least: Duration,
        key: &str,
        problem: &str,
    ) -> Result<Duration, SetupError> {
        let duration = self.duration(key)?;
        if duration < least {
            return Err(SetupError::new(format!(
                "{key}: {} {problem}",
                shown(&self.0)
            )));
        }
        Ok(duration)
    }

    /// A duration that is more than none.
    pub(super) fn some_duration(&self, key: &str, problem: &str) -> Result<Duration, SetupError> {
        self.duration_from(Duration::from_nanos(1), key, problem)
    }

    /// How long a body may take to arrive.
    pub(super) fn read_timeout(&self) -> Result<Duration, SetupError> {
        self.some_duration(
            "read_timeout",
            "leaves a body no time to arrive; write more, as in \"10s\"",
        )
    }

    /// A tolerance in whole seconds, or `None` for `off`.
    pub(super) fn tolerance_or_off(&self, key: &str) -> Result<Option<Duration>, SetupError> {
        match self.duration_or_off(key)? {
            Some(duration) if duration.subsec_nanos() > 0 => Err(SetupError::new(format!(
                "{key}: {} is not whole seconds, in which timestamps are compared",
                shown(&self.0)
            ))),
            tolerance => Ok(tolerance),
        }
    }

    /// A duration, or `None` for `off`.
    fn duration_or_off(&self, key: &str) -> Result<Option<Duration>, SetupError> {
        if self.0 == "off" {
            return Ok(None);
        }
        let duration = self
            .duration(key)
            .map_err(|error| SetupError::new(format!("{error}; or \"off\"")))?;
        Ok(Some(duration))
    }

    /// A size such as `25MiB`, in bytes. Nothing fits into none, so zero is refused.
    pub(super) fn size(&self, key: &str) -> Result<usize, SetupError> {
        let parsed = self.0.parse::<bytesize::ByteSize>().ok();
        let bytes = parsed.and_then(|size| usize::try_from(size.as_u64()).ok());
        bytes.filter(|bytes| *bytes > 0).ok_or_else(|| {
            SetupError::new(format!(
                "{key}: {} is not a size; write a number and a unit, as in \"64KiB\" or \"25MiB\"",
                shown(&self.0)
            ))
        })
    }

    /// An instant such as `2026-12-01T00:00:00Z`.
    pub(super) fn instant(&self, key: &str) -> Result<std::time::SystemTime, SetupError> {
        let time = TimeUnit::Rfc3339.parse(&self.0);
        time.and_then(UnixTime::to_system_time).ok_or_else(|| {
            SetupError::new(format!(
                "{key}: {} is not an instant; write it as in \"2026-12-01T00:00:00Z\"",
                shown(&self.0)
            ))
        })
    }
}

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;

        impl<'de> Visitor<'de> for Text {
            type Value = Scalar;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("text in quotes")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Scalar, E> {
                Ok(Scalar(text.to_owned()))
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Scalar, E> {
                Ok(Scalar(number.to_string()))
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Scalar, E> {
                Ok(Scalar(number.to_string()))
            }

            // A date of TOML, without quotes, comes as a table of its own kind.
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Scalar, A::Error> {
                let date = toml::value::Datetime::deserialize(MapAccessDeserializer::new(map));
                date.map(|date| Scalar(date.to_string()))
                    .map_err(|_| de::Error::custom("a table where there should be text in quotes"))
            }
        }

        deserializer.deserialize_any(Text)
    }
}
