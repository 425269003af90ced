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
