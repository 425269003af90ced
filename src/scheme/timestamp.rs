//! [`Timestamp`]: the location, format and tolerance of a signed time.

use std::{borrow::Cow, fmt, str::FromStr, time::Duration};

use jiff_core::{Timestamp as Instant, civil, tz::Offset};

use crate::{
    clock::{UnixTime, duration},
    error::{SetupError, shown},
    scheme::locator::Locator,
};

/// The location, format and tolerance of the time that a sender signs.
///
/// The signature covers the text as received; its value is only compared with the clock.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Timestamp {
    pub(crate) place: Locator,
    pub(crate) unit: TimeUnit,
    pub(crate) tolerance: Tolerance,
}

impl Timestamp {
    /// A timestamp in a separate header, in [`TimeUnit::Seconds`], with [`Tolerance::default`].
    #[must_use]
    pub fn header(name: impl Into<Cow<'static, str>>) -> Self {
        Self::at(Locator::header(name))
    }

    /// A timestamp in a field of the signature header, in [`TimeUnit::Seconds`], with
    /// [`Tolerance::default`]. The name is that of the field, such as `t` in `t=…,v1=…`, or its
    /// position, counted from 0.
    #[must_use]
    pub fn field(name: impl Into<Cow<'static, str>>) -> Self {
        Self::at(Locator::field(name))
    }

    /// A timestamp at any place, in [`TimeUnit::Seconds`], with [`Tolerance::default`]. In a body,
    /// it counts as signed if the whole body is, or if it is part of the signed content.
    #[must_use]
    pub fn at(place: Locator) -> Self {
        Self {
            place,
            unit: TimeUnit::Seconds,
            tolerance: Tolerance::default(),
        }
    }

    /// Sets the format of the time.
    #[must_use]
    pub fn with_unit(mut self, unit: TimeUnit) -> Self {
        self.unit = unit;
        self
    }

    /// Sets how far the time may be from the receiver's clock. See
    /// [which limit applies](crate::Verifier#which-limit-applies).
    #[must_use]
    pub fn with_tolerance(mut self, tolerance: impl Into<Tolerance>) -> Self {
        self.tolerance = tolerance.into();
        self
    }
}

/// The format of a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TimeUnit {
    /// Seconds since 1970, in digits (`s`). If another value or a digit directly adjoins them in
    /// the signed content, as in `{ts}{body}`, there must be exactly 10 digits, as there are until
    /// 2286.
    Seconds,
    /// Milliseconds since 1970, in digits (`ms`). Next to another value, there must be exactly 13
    /// digits.
    Milliseconds,
    /// `2026-11-20T21:00:00Z`, with or without a fraction or an offset (`rfc3339`).
    Rfc3339,
    /// As [`Rfc3339`](Self::Rfc3339), or without an offset, which means UTC:
    /// `2026-11-20T21:00:00.123456` (`iso-utc`).
    IsoUtc,
    /// `Fri, 20 Nov 2026 21:00:00 GMT` (`imf-fixdate`).
    ImfFixdate,
}

impl TimeUnit {
    /// Parses a time. Signs, spaces, every other spelling of a number, and numbers that exceed
    /// `i64` are refused.
    pub(crate) fn parse(self, text: &str) -> Option<UnixTime> {
        match self {
            Self::Seconds => Some(UnixTime {
                seconds: digits(text)?,
                nanos: 0,
            }),
            Self::Milliseconds => {
                let millis = digits(text)?;
                let fraction = u32::try_from(millis.checked_rem(1000)?).ok()?;
                Some(UnixTime {
                    seconds: millis.checked_div(1000)?,
                    nanos: fraction.checked_mul(1_000_000)?,
                })
            }
            Self::Rfc3339 => parse_rfc3339(text),
            Self::IsoUtc => parse_rfc3339(text).or_else(|| parse_rfc3339(&format!("{text}Z"))),
            Self::ImfFixdate => {
                let time = httpdate::parse_http_date(text).ok()?;
                if httpdate::fmt_http_date(time) != text {
                    return None;
                }
                Some(UnixTime {
                    seconds: crate::clock::unix_seconds(time),
                    nanos: 0,
                })
            }
        }
    }

    /// The number of digits of this unit from 2001 to 2286; `None` for a date.
    pub(crate) fn digits(self) -> Option<usize> {
        match self {
            Self::Seconds => Some(10),
            Self::Milliseconds => Some(13),
            Self::Rfc3339 | Self::IsoUtc | Self::ImfFixdate => None,
        }
    }

    /// The name for messages.
    pub(crate) fn plural(self) -> &'static str {
        match self {
            Self::Seconds => "seconds",
            Self::Milliseconds => "milliseconds",
            Self::Rfc3339 => "RFC 3339",
            Self::IsoUtc => "ISO 8601",
            Self::ImfFixdate => "IMF-fixdate",
        }
    }

    /// Parses the time at the start of `text`, which has the length of a time that was parsed
    /// before. Of a date, anything after the seconds is ignored.
    pub(crate) fn parse_start(self, text: &[u8]) -> Option<UnixTime> {
        match self {
            Self::Rfc3339 | Self::IsoUtc => {
                let start = text.get(..b"0000-00-00T00:00:00".len())?;
                self.parse(&format!("{}Z", std::str::from_utf8(start).ok()?))
            }
            Self::Seconds | Self::Milliseconds | Self::ImfFixdate => {
                self.parse(std::str::from_utf8(text).ok()?)
            }
        }
    }

    /// Formats a time in whole seconds as a sender would.
    pub(crate) fn format(self, seconds: i64) -> Option<String> {
        match self {
            Self::Seconds => Some(seconds.to_string()),
            Self::Milliseconds => Some(seconds.checked_mul(1000)?.to_string()),
            Self::Rfc3339 => format_rfc3339(seconds),
            Self::IsoUtc => Some(format_rfc3339(seconds)?.trim_end_matches('Z').to_owned()),
            Self::ImfFixdate => {
                let time = UnixTime { seconds, nanos: 0 }.to_system_time()?;
                // httpdate writes years 1970 to 9999.
                (0..253_402_300_800)
                    .contains(&seconds)
                    .then(|| httpdate::fmt_http_date(time))
            }
        }
    }
}

impl fmt::Display for TimeUnit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Seconds => "s",
            Self::Milliseconds => "ms",
            Self::Rfc3339 => "rfc3339",
            Self::IsoUtc => "iso-utc",
            Self::ImfFixdate => "imf-fixdate",
        })
    }
}

impl FromStr for TimeUnit {
    type Err = SetupError;

    fn from_str(text: &str) -> Result<Self, SetupError> {
        match text {
            "s" => Ok(Self::Seconds),
            "ms" => Ok(Self::Milliseconds),
            "rfc3339" => Ok(Self::Rfc3339),
            "iso-utc" => Ok(Self::IsoUtc),
            "imf-fixdate" => Ok(Self::ImfFixdate),
            _ => Err(SetupError::new(format!(
                "unknown time unit {text:?}; use s, ms, rfc3339, iso-utc or imf-fixdate"
            ))),
        }
    }
}

/// Parses digits without a leading zero, so that no byte can be moved from the end of a body into
/// the time that follows it.
fn digits(text: &str) -> Option<i64> {
    let padded = text.len() > 1 && text.starts_with('0');
    if padded || text.is_empty() {
        return None;
    }
    text.bytes().try_fold(0_i64, |number, byte| {
        let digit = byte.checked_sub(b'0').filter(|digit| *digit < 10)?;
        number.checked_mul(10)?.checked_add(digit.into())
    })
}

/// Parses `2026-11-20T21:00:00`, an optional fraction of up to nine digits, then `Z` or an offset
/// such as `+00:00`. A leap second is read as the second before it.
fn parse_rfc3339(text: &str) -> Option<UnixTime> {
    let (time, rest) = text.split_at_checked("0000-00-00T00:00:00".len())?;
    let (nanos, zone) = match rest.strip_prefix('.') {
        None => (0, rest),
        Some(fraction) => {
            let end = fraction.find(|character: char| !character.is_ascii_digit())?;
            let (digits, zone) = fraction.split_at_checked(end)?;
            let exponent = 9_u32.checked_sub(u32::try_from(end).ok()?)?;
            let scale = 10_i32.checked_pow(exponent)?;
            (digits.parse::<i32>().ok()?.checked_mul(scale)?, zone)
        }
    };
    let offset = match zone.split_at_checked(1)? {
        ("Z", "") => 0,
        (sign @ ("+" | "-"), zone) if has_shape(zone, "00:00") => {
            let minutes = number::<i32>(zone, 0)?.checked_mul(60)?;
            let minutes = minutes.checked_add(number(zone, 3).filter(|minute| *minute < 60)?)?;
            minutes.checked_mul(if sign == "+" { 60 } else { -60 })?
        }
        _ => return None,
    };
    if !has_shape(time, "0000-00-00T00:00:00") {
        return None;
    }
    let date = civil::Date::new(
        time.get(..4)?.parse().ok()?,
        number(time, 5)?,
        number(time, 8)?,
    );
    let second = match number(time, 17)? {
        60 => 59,
        second => second,
    };
    let time = civil::Time::new(number(time, 11)?, number(time, 14)?, second, nanos);
    let datetime = civil::DateTime::from_parts(date.ok()?, time.ok()?);
    let instant = datetime
        .to_timestamp(Offset::from_seconds(offset).ok()?)
        .ok()?;
    let nanos = instant.as_nanosecond();
    Some(UnixTime {
        seconds: i64::try_from(nanos.div_euclid(1_000_000_000)).ok()?,
        nanos: u32::try_from(nanos.rem_euclid(1_000_000_000)).ok()?,
    })
}

/// Whether `text` has a digit for each 0 of `shape`, and equals it elsewhere.
fn has_shape(text: &str, shape: &str) -> bool {
    let fits = |(byte, like): (u8, u8)| match like {
        b'0' => byte.is_ascii_digit(),
        other => byte == other,
    };
    text.len() == shape.len() && text.bytes().zip(shape.bytes()).all(fits)
}

/// Parses the two-digit number at `start`.
fn number<T: FromStr>(text: &str, start: usize) -> Option<T> {
    text.get(start..start.checked_add(2)?)?.parse().ok()
}

fn format_rfc3339(seconds: i64) -> Option<String> {
    let datetime = Instant::from_second(seconds).ok()?.to_datetime(Offset::UTC);
    let (date, time) = (datetime.date(), datetime.time());
    let (year, month, day) = (date.year(), date.month(), date.day());
    let (hour, minute, second) = (time.hour(), time.minute(), time.second());
    // RFC 3339 cannot express years before 0.
    (year >= 0).then(|| format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z"))
}

/// How far a signed time may be from the receiver's clock, in whole seconds, inclusive.
///
/// The default is five minutes in both directions, as in the Svix and Stripe libraries.
///
/// ```
/// use std::time::Duration;
/// use tower_webhook::scheme::Tolerance;
///
/// let box_com = Tolerance::from(Duration::from_secs(600)).with_future(Some(Duration::ZERO));
/// assert_ne!(box_com, Tolerance::default());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Tolerance {
    past: Option<u64>,
    future: Option<u64>,
}

/// On which side of the window a refused time is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outside {
    TooOld,
    InFuture,
}

impl Tolerance {
    /// No limit in either direction: every captured request stays valid forever.
    #[must_use]
    pub fn off() -> Self {
        Self {
            past: None,
            future: None,
        }
    }

    /// For how long the same request is accepted; `None` if there is no limit.
    pub(crate) fn width(self) -> Option<Duration> {
        let seconds = self.past?.saturating_add(self.future?);
        Some(Duration::from_secs(seconds))
    }

    /// How far in the past the time may be.
    #[cfg(any(feature = "test-util", feature = "explain"))]
    pub(crate) fn past(self) -> Option<Duration> {
        self.past.map(Duration::from_secs)
    }

    /// How far in the future the time may be.
    #[cfg(any(feature = "test-util", feature = "explain"))]
    pub(crate) fn future(self) -> Option<Duration> {
        self.future.map(Duration::from_secs)
    }

    /// Sets how far in the past the time may be; `None` is no limit.
    #[must_use]
    pub fn with_past(mut self, past: Option<Duration>) -> Self {
        self.past = past.map(|past| past.as_secs());
        self
    }

    /// Sets how far in the future the time may be; `None` is no limit.
    #[must_use]
    pub fn with_future(mut self, future: Option<Duration>) -> Self {
        self.future = future.map(|future| future.as_secs());
        self
    }

    /// Whether what is too old is refused.
    #[cfg(feature = "message-signatures")]
    pub(crate) fn limits_past(self) -> bool {
        self.past.is_some()
    }

    /// Takes the future limit of another tolerance.
    #[cfg(feature = "config")]
    pub(crate) fn with_future_of(mut self, other: Self) -> Self {
        self.future = other.future;
        self
    }

    pub(crate) fn check(self, time: i64, now: i64) -> Result<(), Outside> {
        let seconds = now.abs_diff(time);
        if time <= now {
            match self.past {
                Some(limit) if seconds > limit => Err(Outside::TooOld),
                _ => Ok(()),
            }
        } else {
            match self.future {
                Some(limit) if seconds > limit => Err(Outside::InFuture),
                _ => Ok(()),
            }
        }
    }
}

impl Default for Tolerance {
    fn default() -> Self {
        Self::from(Duration::from_secs(300))
    }
}

/// The format of configuration files: `off`, or a duration such as `5m`. If the two directions
/// differ, the past comes first: `10m/0s`.
impl fmt::Display for Tolerance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = |side: Option<u64>| match side {
            None => "off".to_owned(),
            Some(0) => "0s".to_owned(),
            Some(seconds) if seconds.is_multiple_of(3600) => format!("{}h", seconds / 3600),
            Some(seconds) if seconds.is_multiple_of(60) => format!("{}m", seconds / 60),
            Some(seconds) => format!("{seconds}s"),
        };
        f.write_str(&side(self.past))?;
        if self.past == self.future {
            Ok(())
        } else {
            write!(f, "/{}", side(self.future))
        }
    }
}

/// Parses the output of `Display`, and durations such as `1h30m`.
impl FromStr for Tolerance {
    type Err = SetupError;

    fn from_str(text: &str) -> Result<Self, SetupError> {
        let side = |side: &str| {
            if side == "off" {
                return Ok(None);
            }
            match duration(side) {
                None => Err(SetupError::new(format!(
                    "{} is not a duration; write a number and a unit, as in \"30s\", \"5m\" or \"1h\"; or \"off\"",
                    shown(text)
                ))),
                Some(duration) if duration.subsec_nanos() > 0 => Err(SetupError::new(format!(
                    "{} is not a whole number of seconds; timestamps are compared in seconds",
                    shown(text)
                ))),
                some => Ok(some),
            }
        };
        let (past, future) = text.split_once('/').unwrap_or((text, text));
        Ok(Self::off()
            .with_past(side(past)?)
            .with_future(side(future)?))
    }
}

impl From<Duration> for Tolerance {
    /// The same limit in both directions.
    fn from(both: Duration) -> Self {
        Self {
            past: Some(both.as_secs()),
            future: Some(both.as_secs()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(unit: TimeUnit, text: &str) -> Option<i64> {
        unit.parse(text).map(|instant| instant.seconds)
    }

    #[test]
    fn only_plain_digits_are_accepted_as_numbers() {
        assert_eq!(
            seconds(TimeUnit::Seconds, "1700000000"),
            Some(1_700_000_000)
        );
        assert_eq!(seconds(TimeUnit::Seconds, "0"), Some(0));
        assert_eq!(
            seconds(TimeUnit::Milliseconds, "1700000000999"),
            Some(1_700_000_000)
        );
        assert_eq!(
            seconds(TimeUnit::Seconds, &i64::MAX.to_string()),
            Some(i64::MAX)
        );
        for wrong in [
            "",
            "01",
            "00",
            " 1",
            "1 ",
            "+1",
            "-1",
            "1.0",
            "1e3",
            "0x10",
            "Infinity",
            "NaN",
            "yesterday",
            "9223372036854775808",
            "99999999999999999999999",
            "１",
            "1\n",
        ] {
            assert_eq!(seconds(TimeUnit::Seconds, wrong), None, "{wrong:?}");
            assert_eq!(seconds(TimeUnit::Milliseconds, wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn dates_are_parsed_and_formatted() {
        let dated = "2019-11-16T10:11:12.634234626Z";
        let instant = TimeUnit::Rfc3339.parse(dated).unwrap();
        assert_eq!(
            (instant.seconds, instant.nanos),
            (1_573_899_072, 634_234_626)
        );
        assert_eq!(
            seconds(TimeUnit::Rfc3339, "2020-01-01T00:00:00-07:00"),
            Some(1_577_862_000)
        );
        assert_eq!(
            seconds(TimeUnit::Rfc3339, "1969-12-31T23:59:59.5Z"),
            Some(-1)
        );
        for (text, time) in [
            ("0000-01-01T00:00:00Z", -62_167_219_200),
            ("2024-02-29T12:00:00+23:59", 1_709_121_660),
            ("2016-12-31T23:59:60Z", 1_483_228_799),
            ("9999-12-30T22:00:00Z", 253_402_207_200),
        ] {
            assert_eq!(seconds(TimeUnit::Rfc3339, text), Some(time), "{text}");
        }
        assert_eq!(
            TimeUnit::Rfc3339.format(-62_167_219_200).as_deref(),
            Some("0000-01-01T00:00:00Z")
        );
        assert_eq!(TimeUnit::Rfc3339.format(-62_167_219_201), None);
        assert_eq!(TimeUnit::Rfc3339.format(i64::MAX), None);
        for odd in [
            "tomorrow",
            "2020-01-01 00:00:00Z",
            "2020-01-01t00:00:00z",
            "+002020-01-01T00:00:00Z",
            "2020-01-01T00:00:00Z[UTC]",
            "2020-01-01T00:00:00-07:00:00",
            "2020-01-01T00:00:00.Z",
            "2020-01-01T00:00:00",
            "2020-13-01T00:00:00Z",
            "2023-02-29T00:00:00Z",
            "2020-01-01T24:00:00Z",
            "2020-01-01T00:00:61Z",
            "2020-01-01T00:00:00.0123456789Z",
            "2020-01-01T00:00:00.5",
            "2020-01-01T00:00:00+00:60",
            "2020-01-01T00:00:00+0000",
            "2020-01-01T00:00:00é",
            "2020-01-01T00:00:0é0Z",
        ] {
            assert_eq!(seconds(TimeUnit::Rfc3339, odd), None, "{odd}");
        }
        assert_eq!(
            seconds(TimeUnit::ImfFixdate, " Tue, 14 Nov 2023 22:13:20 GMT"),
            None
        );
        let fixdate = "Tue, 14 Nov 2023 22:13:20 GMT";
        assert_eq!(seconds(TimeUnit::ImfFixdate, fixdate), Some(1_700_000_000));
        assert_eq!(seconds(TimeUnit::ImfFixdate, "1700000000"), None);
        for unit in [
            TimeUnit::Seconds,
            TimeUnit::Milliseconds,
            TimeUnit::Rfc3339,
            TimeUnit::IsoUtc,
            TimeUnit::ImfFixdate,
        ] {
            let text = unit.format(1_700_000_000).unwrap();
            assert_eq!(seconds(unit, &text), Some(1_700_000_000), "{unit}");
            assert_eq!(unit.to_string().parse::<TimeUnit>().unwrap(), unit);
        }
        assert_eq!(TimeUnit::ImfFixdate.format(i64::MAX), None);
        assert_eq!(TimeUnit::ImfFixdate.format(-1), None);
    }

    #[test]
    fn the_window_is_inclusive() {
        let tolerance = Tolerance::default();
        assert_eq!(tolerance.check(700, 1000), Ok(()));
        assert_eq!(tolerance.check(1300, 1000), Ok(()));
        assert_eq!(tolerance.check(699, 1000), Err(Outside::TooOld));
        assert_eq!(tolerance.check(1301, 1000), Err(Outside::InFuture));
    }

    #[test]
    fn extreme_times_do_not_overflow() {
        let tolerance = Tolerance::default();
        for (time, now) in [
            (i64::MAX, 0),
            (i64::MIN, 0),
            (i64::MAX, i64::MIN),
            (i64::MIN, i64::MAX),
        ] {
            assert!(tolerance.check(time, now).is_err());
            assert_eq!(Tolerance::off().check(time, now), Ok(()));
        }
    }

    #[test]
    fn a_tolerance_parses_back() {
        let minutes = |minutes: u64| Duration::from_secs(minutes * 60);
        for (text, tolerance) in [
            ("5m", Tolerance::default()),
            ("off", Tolerance::off()),
            ("301s", Tolerance::from(Duration::from_secs(301))),
            ("0s", Tolerance::from(Duration::ZERO)),
            ("1h", Tolerance::from(minutes(60))),
            (
                "5m/0s",
                Tolerance::default().with_future(Some(Duration::ZERO)),
            ),
            ("off/1h", Tolerance::off().with_future(Some(minutes(60)))),
        ] {
            assert_eq!(tolerance.to_string(), text);
            assert_eq!(text.parse(), Ok(tolerance));
        }
        assert_eq!("1h30m".parse(), Ok(Tolerance::from(minutes(90))));
        for wrong in ["", "5", "-5m", "1500ms", "5m/", "5m/0s/1s", "none"] {
            assert!(wrong.parse::<Tolerance>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn each_direction_has_a_separate_limit() {
        let none_ahead = Tolerance::default().with_future(Some(Duration::ZERO));
        assert_eq!(none_ahead.check(1000, 1000), Ok(()));
        assert!(none_ahead.check(1001, 1000).is_err());
        let age_only = Tolerance::default().with_future(None);
        assert_eq!(age_only.check(9_000_000, 1000), Ok(()));
        assert!(age_only.check(0, 1000).is_err());
        let ahead_only = Tolerance::default().with_past(None);
        assert_eq!(ahead_only.check(0, 9_000_000), Ok(()));
    }
}
