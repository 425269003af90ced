//! [`Scalar`]: durations, sizes and times in a file. Errors never quote a long text, because it may
//! be a misplaced secret.

use std::{fmt, time::Duration};

use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, Visitor, value::MapAccessDeserializer},
};

use crate::{
    clock::{self, UnixTime},
    error::{SetupError, shown},
    scheme::timestamp::{TimeUnit, Tolerance},
};

/// Text, or a number or date as text.
pub(super) struct Scalar(String);

impl Scalar {
    /// Parses a duration such as `5m` or `1h30m`.
    pub(super) fn duration(&self, key: &str) -> Result<Duration, SetupError> {
        clock::duration(&self.0).ok_or_else(|| {
            SetupError::new(format!(
                "{key}: {} is not a duration; write a number and a unit, as in \"30s\", \"5m\" or \"1h\"",
                shown(&self.0)
            ))
        })
    }

    /// Parses a duration of at least `least`. `problem` states why a shorter one is refused, and
    /// the remedy.
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

    /// Parses a duration that is not zero.
    pub(super) fn some_duration(&self, key: &str, problem: &str) -> Result<Duration, SetupError> {
        self.duration_from(Duration::from_nanos(1), key, problem)
    }

    /// Parses a `read_timeout`.
    pub(super) fn read_timeout(&self) -> Result<Duration, SetupError> {
        self.some_duration(
            "read_timeout",
            "leaves no time for a body to arrive; write a longer duration, such as \"10s\"",
        )
    }

    /// Parses a tolerance such as `5m`, or `off`.
    pub(super) fn tolerance(&self, key: &str) -> Result<Tolerance, SetupError> {
        self.0
            .parse()
            .map_err(|error: SetupError| error.within(key))
    }

    /// Parses a size such as `25MiB`, in bytes. Zero is refused, because no body would fit.
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

    /// Parses a point in time such as `2026-12-01T00:00:00Z`.
    pub(super) fn instant(&self, key: &str) -> Result<std::time::SystemTime, SetupError> {
        let time = TimeUnit::Rfc3339.parse(&self.0);
        time.and_then(UnixTime::to_system_time).ok_or_else(|| {
            SetupError::new(format!(
                "{key}: {} is not a date and time; write one such as \"2026-12-01T00:00:00Z\"",
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

            // The `toml` crate deserializes an unquoted date as a special map.
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Scalar, A::Error> {
                let date = toml::value::Datetime::deserialize(MapAccessDeserializer::new(map));
                date.map(|date| Scalar(date.to_string()))
                    .map_err(|_| de::Error::custom("expected text in quotes, found a table"))
            }
        }

        deserializer.deserialize_any(Text)
    }
}
