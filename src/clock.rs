//! Access to the system clock, and the time types of the checks.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The current time of the system clock.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the only place that reads the clock"
)]
pub(crate) fn now() -> SystemTime {
    SystemTime::now()
}

/// Whole Unix seconds, rounded down and saturating.
pub(crate) fn unix_seconds(time: SystemTime) -> i64 {
    match time.duration_since(UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
        Err(before) => {
            let before = before.duration();
            let seconds = i64::try_from(before.as_secs()).unwrap_or(i64::MAX);
            let fraction = i64::from(before.subsec_nanos() > 0);
            0_i64.saturating_sub(seconds).saturating_sub(fraction)
        }
    }
}

/// A duration as people write it: numbers with units, as in `30s`, `1h30m` and `5 minutes`.
pub(crate) fn duration(text: &str) -> Option<Duration> {
    let mut rest = text.trim();
    let mut total = Duration::ZERO;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let (number, after) = split_at(rest, |letter| !letter.is_ascii_digit());
        let (unit, after) = split_at(after.trim_start(), |letter| !letter.is_ascii_alphabetic());
        let millis: u64 = match unit {
            "ms" | "millisecond" | "milliseconds" => 1,
            "s" | "sec" | "secs" | "second" | "seconds" => 1000,
            "m" | "min" | "mins" | "minute" | "minutes" => 60_000,
            "h" | "hr" | "hrs" | "hour" | "hours" => 3_600_000,
            "d" | "day" | "days" => 86_400_000,
            _ => return None,
        };
        let millis = number.parse::<u64>().ok()?.checked_mul(millis)?;
        total = total.checked_add(Duration::from_millis(millis))?;
        rest = after.trim_start();
    }
    Some(total)
}

/// Splits in front of the first letter that `ends`.
fn split_at(text: &str, ends: impl Fn(char) -> bool) -> (&str, &str) {
    let end = text.find(ends).unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, ""))
}

/// The point in time that a sender stated, which [`SystemTime`] may be unable to represent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct UnixTime {
    /// Whole Unix seconds, rounded down.
    pub(crate) seconds: i64,
    pub(crate) nanos: u32,
}

impl UnixTime {
    /// `None` if the platform's [`SystemTime`] cannot represent it.
    pub(crate) fn to_system_time(self) -> Option<SystemTime> {
        let whole = Duration::from_secs(self.seconds.unsigned_abs());
        let start = if self.seconds < 0 {
            UNIX_EPOCH.checked_sub(whole)
        } else {
            UNIX_EPOCH.checked_add(whole)
        };
        start?.checked_add(Duration::from_nanos(u64::from(self.nanos)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_numbers_and_units() {
        for (text, millis) in [
            ("0s", 0),
            ("100ms", 100),
            ("30s", 30_000),
            ("5m", 300_000),
            ("5 minutes", 300_000),
            ("1h30m", 5_400_000),
            ("1h 30m", 5_400_000),
            ("72h", 259_200_000),
            ("3d", 259_200_000),
        ] {
            assert_eq!(
                duration(text),
                Some(Duration::from_millis(millis)),
                "{text}"
            );
        }
        for wrong in [
            "",
            " ",
            "5",
            "m",
            "-5m",
            "+5m",
            "5 bananas",
            "5m 3",
            "1.5h",
            "99999999999999999999s",
            "9999999999999999999d",
            "é",
        ] {
            assert_eq!(duration(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn seconds_round_down_on_both_sides_of_1970() {
        let half = Duration::from_millis(500);
        assert_eq!(unix_seconds(UNIX_EPOCH + half), 0);
        assert_eq!(unix_seconds(UNIX_EPOCH - half), -1);
        assert_eq!(unix_seconds(UNIX_EPOCH - Duration::from_secs(2)), -2);
    }

    #[test]
    fn an_unrepresentable_time_is_none() {
        let far = UnixTime {
            seconds: i64::MAX,
            nanos: 999_999_999,
        };
        let time = far.to_system_time();
        assert!(time.is_none_or(|time| unix_seconds(time) == i64::MAX));
    }
}
