//! The time, from the system or from an argument.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The current time of the system clock.
#[expect(clippy::disallowed_methods, reason = "a program reads the clock")]
pub(crate) fn now() -> SystemTime {
    SystemTime::now()
}

/// A time in whole seconds since 1970, as an argument.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seconds(pub(crate) SystemTime);

impl std::str::FromStr for Seconds {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        /// The year 10000, which dates cannot have.
        const END: u64 = 253_402_300_800;
        let seconds = text.parse().ok().filter(|seconds| *seconds < END);
        seconds
            .and_then(|seconds| UNIX_EPOCH.checked_add(Duration::from_secs(seconds)))
            .map(Self)
            .ok_or_else(|| "expected seconds since 1970, as `date +%s` prints them".to_owned())
    }
}

pub(crate) fn unix_seconds(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}

/// A time as `2026-11-29T10:00:00Z`.
pub(crate) fn date(time: SystemTime) -> String {
    humantime::format_rfc3339_seconds(time).to_string()
}

/// The time of the day in UTC, as `10:00:00Z`.
pub(crate) fn time_of_day(time: SystemTime) -> String {
    let date = date(time);
    date.split_once('T')
        .map_or(date.clone(), |(_, time)| time.to_owned())
}
