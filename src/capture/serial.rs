//! The form of a request in serde's formats: a map, with the body as text or in base64.

use std::{
    fmt,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_core::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, IgnoredAny, MapAccess, SeqAccess, Visitor},
    ser::SerializeMap,
};

use crate::{capture::CapturedRequest, clock::unix_seconds, scheme::timestamp::TimeUnit};

/// Credentials are left out unless the request was made
/// [`with_credentials`](CapturedRequest::with_credentials).
impl Serialize for CapturedRequest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let written = self.written();
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("method", &self.method)?;
        map.serialize_entry("target", &written.target)?;
        let headers = written.headers.iter();
        let headers: Vec<(&str, Value<'_>)> =
            headers.map(|(name, value)| (*name, Value(value))).collect();
        map.serialize_entry("headers", &headers)?;
        match std::str::from_utf8(&written.body) {
            Ok(text) => map.serialize_entry("body", text)?,
            Err(_) => map.serialize_entry("body_base64", &STANDARD.encode(&written.body))?,
        }
        if self.left_out > 0 {
            map.serialize_entry("left_out", &self.left_out)?;
        }
        if let Some(Time(time)) = self.received_at.and_then(Time::new) {
            map.serialize_entry("received_at", &unix_seconds(time))?;
        }
        if let Some(endpoint) = &self.endpoint {
            map.serialize_entry("endpoint", endpoint)?;
        }
        if !self.providers.is_empty() {
            map.serialize_entry("providers", &self.providers)?;
        }
        if self.with_credentials {
            map.serialize_entry("credentials", &true)?;
        }
        map.end()
    }
}

/// A header value: text, or base64 of what is none.
struct Value<'v>(&'v [u8]);

impl Serialize for Value<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match std::str::from_utf8(self.0) {
            Ok(text) => serializer.serialize_str(text),
            Err(_) => {
                let mut map = serializer.serialize_map(Some(1))?;
                map.serialize_entry("base64", &STANDARD.encode(self.0))?;
                map.end()
            }
        }
    }
}

/// A map with `method`, `target` or `url`, `headers` (a map, or a list of pairs), `body` or
/// `body_base64`, `received_at`, `endpoint` and `providers`. Unknown keys are ignored.
impl<'de> Deserialize<'de> for CapturedRequest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Map)
    }
}

struct Map;

impl<'de> Visitor<'de> for Map {
    type Value = CapturedRequest;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a captured request")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<CapturedRequest, A::Error> {
        let (mut method, mut target, mut body) = (None, None, None);
        let mut headers = Lines::default();
        let (mut time, mut endpoint) = (None, None);
        let mut providers = Vec::new();
        let (mut left_out, mut credentials) = (0, false);
        while let Some(key) = map.next_key::<String>()? {
            match &*key {
                "method" => method = Some(map.next_value::<String>()?),
                "target" | "url" => target = Some(map.next_value::<String>()?),
                "headers" => headers = map.next_value()?,
                "body" => body = map.next_value::<Option<String>>()?.map(String::into_bytes),
                "body_base64" => {
                    if let Some(text) = map.next_value::<Option<String>>()? {
                        body = Some(from_base64(&text)?);
                    }
                }
                "received_at" | "now" => time = map.next_value::<Option<Time>>()?,
                "endpoint" => endpoint = map.next_value::<Option<String>>()?,
                "providers" => {
                    providers = map.next_value::<Option<Vec<String>>>()?.unwrap_or_default();
                }
                "left_out" => left_out = map.next_value()?,
                "credentials" => credentials = map.next_value()?,
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        let missing = |what| de::Error::custom(format!("a captured request needs {what:?}"));
        let body = body.unwrap_or_default();
        let target = target.ok_or_else(|| missing("target"))?;
        let method = method.as_deref().unwrap_or("POST");
        let mut captured = CapturedRequest::of(method, &target, body.into());
        for (name, value) in headers.0 {
            captured.push_header(&name, &value);
        }
        captured.left_out = captured.left_out.saturating_add(left_out);
        captured.received_at = time.map(|Time(time)| time);
        captured.endpoint = endpoint;
        for name in providers {
            captured.push_provider(&name);
        }
        captured.with_credentials = credentials;
        Ok(captured)
    }
}

fn from_base64<E: de::Error>(text: &str) -> Result<Vec<u8>, E> {
    let decoded = STANDARD.decode(text);
    // The error would show a letter of the body.
    decoded.map_err(|_| E::custom("it is not base64 of the standard alphabet, padded"))
}

#[derive(Default)]
struct Lines(Vec<(String, Vec<u8>)>);

impl<'de> Deserialize<'de> for Lines {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = Lines;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map of headers, or a list of pairs")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Lines, A::Error> {
                let mut lines = Vec::new();
                while let Some((name, OneOrMore(values))) = map.next_entry::<String, OneOrMore>()? {
                    lines.extend(values.into_iter().map(|value| (name.clone(), value)));
                }
                Ok(Lines(lines))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Lines, A::Error> {
                let mut lines = Vec::new();
                while let Some((name, OneOrMore(values))) =
                    list.next_element::<(String, OneOrMore)>()?
                {
                    lines.extend(values.into_iter().map(|value| (name.clone(), value)));
                }
                Ok(Lines(lines))
            }
        }

        deserializer.deserialize_any(Either)
    }
}

/// A header value, or a list of several.
struct OneOrMore(Vec<Vec<u8>>);

impl<'de> Deserialize<'de> for OneOrMore {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;

        impl<'de> Visitor<'de> for Text {
            type Value = OneOrMore;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the value of a header")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<OneOrMore, E> {
                Ok(OneOrMore(vec![text.as_bytes().to_vec()]))
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<OneOrMore, E> {
                Ok(OneOrMore(vec![number.to_string().into_bytes()]))
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<OneOrMore, E> {
                Ok(OneOrMore(vec![number.to_string().into_bytes()]))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<OneOrMore, A::Error> {
                let mut values = Vec::new();
                while let Some((key, text)) = map.next_entry::<String, String>()? {
                    if key != "base64" {
                        return Err(de::Error::custom(
                            "a header value is text, or has \"base64\"",
                        ));
                    }
                    values.push(from_base64(&text)?);
                }
                Ok(OneOrMore(values))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<OneOrMore, A::Error> {
                let mut values = Vec::new();
                while let Some(text) = list.next_element::<String>()? {
                    values.push(text.into_bytes());
                }
                Ok(OneOrMore(values))
            }
        }

        deserializer.deserialize_any(Text)
    }
}

/// Unix seconds or milliseconds, or a date.
pub(super) struct Time(pub(super) SystemTime);

/// No receipt in seconds is that late, and none in milliseconds that early.
const FIRST_IN_MILLIS: u64 = 100_000_000_000;

impl Time {
    /// `None` for a time that no request was received at, and that could not be written in seconds.
    fn new(time: SystemTime) -> Option<Self> {
        let since = time.duration_since(UNIX_EPOCH).ok()?;
        (since.as_secs() < FIRST_IN_MILLIS).then_some(Self(time))
    }

    pub(super) fn from_unix(number: u64) -> Option<Self> {
        let since = if number < FIRST_IN_MILLIS {
            Duration::from_secs(number)
        } else {
            Duration::from_millis(number)
        };
        UNIX_EPOCH.checked_add(since).and_then(Self::new)
    }

    /// `2026-11-20T21:00:00Z`, with a space for the `T` and without an offset as well.
    pub(super) fn from_text(text: &str) -> Option<Self> {
        if let Ok(number) = text.parse() {
            return Self::from_unix(number);
        }
        let text = text.trim().replacen(' ', "T", 1);
        Self::new(TimeUnit::IsoUtc.parse(&text)?.to_system_time()?)
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Instant;

        impl Visitor<'_> for Instant {
            type Value = Time;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("Unix seconds, or a time such as 2026-11-20T21:00:00Z")
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Time, E> {
                Time::from_unix(number).ok_or_else(|| E::custom("the time is too late"))
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Time, E> {
                let number = u64::try_from(number);
                self.visit_u64(number.map_err(|_| E::custom("the time is before 1970"))?)
            }

            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "the cast saturates"
            )]
            fn visit_f64<E: de::Error>(self, number: f64) -> Result<Time, E> {
                self.visit_u64(number as u64)
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Time, E> {
                Time::from_text(text).ok_or_else(|| E::custom("the time cannot be read"))
            }
        }

        deserializer.deserialize_any(Instant)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::head::Head;

    #[test]
    fn a_request_is_the_same_when_it_was_written_and_read() {
        let headers = [
            ("A", &b"text"[..]),
            ("a", b"\xff\x00"),
            ("B", "\u{e9}".as_bytes()),
        ];
        for body in [&b""[..], b"text", b"\xff\xfe"] {
            let captured = CapturedRequest::new(&Head::new(&headers).with_target("/x?y"), body)
                .with_received_at(UNIX_EPOCH + Duration::from_secs(1_795_860_002))
                .with_endpoint("orders");
            let text = serde_json::to_string(&captured).unwrap();
            let read: CapturedRequest = serde_json::from_str(&text).unwrap();
            assert_eq!(read.headers, captured.headers);
            assert_eq!((read.body(), read.target()), (captured.body(), "/x?y"));
            assert_eq!(read.received_at(), captured.received_at());
            assert_eq!(read.endpoint(), Some("orders"));
            assert_eq!(serde_json::to_string(&read).unwrap(), text);
        }
    }

    #[test]
    fn a_time_that_no_request_has_is_not_written() {
        let hour = Duration::from_secs(3600);
        for time in [UNIX_EPOCH - hour, UNIX_EPOCH + hour * 30_000_000] {
            let captured =
                CapturedRequest::new(&Head::new(&[("a", "b")]), "").with_received_at(time);
            let text = serde_json::to_string(&captured).unwrap();
            let read: CapturedRequest = serde_json::from_str(&text).unwrap();
            assert_eq!(read.received_at(), None);
        }
    }

    #[test]
    fn times_are_read_as_services_write_them() {
        for text in [
            "1795860002",
            "1795860002000",
            "2026-11-28T10:00:02Z",
            "2026-11-28 10:00:02",
            "2026-11-28T12:00:02+02:00",
            "2026-11-28T10:00:02.000000",
        ] {
            let Time(time) = Time::from_text(text).unwrap();
            assert_eq!(unix_seconds(time), 1_795_860_002, "{text}");
        }
        // Neither before the epoch, nor so late that the seconds would be read as milliseconds.
        for text in [
            "yesterday",
            "1013-11-28T10:00:02Z",
            "1969-12-31T23:59:59Z",
            "5200-01-01T00:00:00Z",
            "100000000000000000",
        ] {
            assert!(Time::from_text(text).is_none(), "{text}");
        }
    }
}
