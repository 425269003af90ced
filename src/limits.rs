//! Rate limits on log lines that a sender can cause: for each endpoint and kind, a burst and then
//! one line per second, which states how many were suppressed. Counters and hooks are not limited.

use std::{
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use crate::rejection::kind::RejectionKind;

/// The number of variants of [`DeliveryOutcome`](crate::delivery).
pub(crate) const DELIVERY_OUTCOMES: usize = 8;

/// The rate limits of one endpoint.
pub(crate) struct LogLimits {
    refusals: [Limit; RejectionKind::COUNT],
    deliveries: [Limit; DELIVERY_OUTCOMES],
    verified: Limit,
    scanners: Limit,
    handshakes: Limit,
}

/// The rate limit of one kind of line.
#[derive(Default)]
struct Limit {
    /// When the lines written so far would all be due at one per second, in nanoseconds of [`now`].
    due: AtomicU64,
    left_out: AtomicU64,
}

const SECOND: u64 = 1_000_000_000;

/// The number of lines that may be written at once.
pub(crate) const BURST: u64 = 20;

impl Default for LogLimits {
    fn default() -> Self {
        Self {
            refusals: std::array::from_fn(|_| Limit::default()),
            deliveries: std::array::from_fn(|_| Limit::default()),
            verified: Limit::default(),
            scanners: Limit::default(),
            handshakes: Limit::default(),
        }
    }
}

impl LogLimits {
    /// The number of lines suppressed since the last one, if another may be written.
    pub(crate) fn admit_refusal(&self, kind: RejectionKind) -> Option<u64> {
        self.refusals.get(kind as usize)?.admit(now())
    }

    /// As [`admit_refusal`](Self::admit_refusal), for a request that is not meant for the provider,
    /// so that scanners do not suppress the lines of senders.
    pub(crate) fn admit_scanner(&self) -> Option<u64> {
        self.scanners.admit(now())
    }

    /// As [`admit_refusal`](Self::admit_refusal), for a verified event whose line is at INFO.
    pub(crate) fn admit_verified(&self) -> Option<u64> {
        self.verified.admit(now())
    }

    /// As [`admit_refusal`](Self::admit_refusal), for a handshake, which anybody may ask for.
    pub(crate) fn admit_handshake(&self) -> Option<u64> {
        self.handshakes.admit(now())
    }

    /// As [`admit_refusal`](Self::admit_refusal), for the outcome of a delivery.
    pub(crate) fn admit_delivery(&self, outcome: usize) -> Option<u64> {
        self.deliveries.get(outcome)?.admit(now())
    }
}

impl Limit {
    fn admit(&self, now: u64) -> Option<u64> {
        let latest = now.saturating_add(BURST.saturating_mul(SECOND));
        let next = |due: u64| {
            let next = due.max(now).saturating_add(SECOND);
            (next <= latest).then_some(next)
        };
        let relaxed = Ordering::Relaxed;
        if self.due.fetch_update(relaxed, relaxed, next).is_ok() {
            Some(self.left_out.swap(0, relaxed))
        } else {
            self.left_out.fetch_add(1, relaxed);
            None
        }
    }
}

/// A clone is a new endpoint, so its limits start unused.
impl Clone for LogLimits {
    fn clone(&self) -> Self {
        Self::default()
    }
}

/// Nanoseconds since the first call.
fn now() -> u64 {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    u64::try_from(START.elapsed().as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn admits_a_burst_and_then_one_line_per_second() {
        let limit = Limit::default();
        let admitted = |at: u64, times: u64| -> Vec<u64> {
            (0..times).filter_map(|_| limit.admit(at)).collect()
        };
        assert_eq!(admitted(0, 1000), vec![0; 20]);
        assert!(admitted(SECOND / 2, 10).is_empty());
        assert_eq!(admitted(SECOND, 10), [990]);
        assert_eq!(admitted(3 * SECOND, 10), [9, 0]);
        // A quiet period restores the burst.
        assert_eq!(admitted(100 * SECOND, 30).len(), 20);
        assert_eq!(limit.left_out.load(Ordering::Relaxed), 10);
    }
}
