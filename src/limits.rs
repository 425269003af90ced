//! How many log lines strangers can cause: for each endpoint and kind some at once, then one a second, which says how many were left
//! out. Counters and hooks see everything.

use std::{
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use crate::rejection::kind::RejectionKind;

/// How many outcomes a delivery can have: those of [`DeliveryOutcome`](crate::delivery).
pub(crate) const DELIVERY_OUTCOMES: usize = 8;

/// The limits of one endpoint.
#[derive(Default)]
pub(crate) struct LogLimits {
    refusals: [Limit; RejectionKind::COUNT],
    deliveries: [Limit; DELIVERY_OUTCOMES],
    verified: Limit,
}

/// Of lines of one kind.
#[derive(Default)]
struct Limit {
    /// When the lines that were written would all be due, were they a second apart: in nanoseconds of [`now`].
    due: AtomicU64,
    left_out: AtomicU64,
}

const SECOND: u64 = 1_000_000_000;

/// So many lines at once.
pub(crate) const BURST: u64 = 20;

impl LogLimits {
    /// Whether a line may be written, and then how many were not since the last one.
    pub(crate) fn admit_refusal(&self, kind: RejectionKind) -> Option<u64> {
        self.refusals.get(kind as usize)?.admit(now())
    }

    /// The same for a verified event whose line is at INFO.
    pub(crate) fn admit_verified(&self) -> Option<u64> {
        self.verified.admit(now())
    }

    /// The same for a delivery.
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

/// Another endpoint begins anew.
impl Clone for LogLimits {
    fn clone(&self) -> Self {
        Self::default()
    }
}

/// Nanoseconds since the first line.
fn now() -> u64 {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    u64::try_from(START.elapsed().as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d_2_a_burst_and_then_a_line_a_second_with_what_was_left_out() {
        let limit = Limit::default();
        let admitted = |at: u64, times: u64| -> Vec<u64> {
            (0..times).filter_map(|_| limit.admit(at)).collect()
        };
        assert_eq!(admitted(0, 1000), vec![0; 20]);
        assert!(admitted(SECOND / 2, 10).is_empty());
        assert_eq!(admitted(SECOND, 10), [990]);
        assert_eq!(admitted(3 * SECOND, 10), [9, 0]);
        // After a while of quiet there is room for a burst.
        assert_eq!(admitted(100 * SECOND, 30).len(), 20);
        assert_eq!(limit.left_out.load(Ordering::Relaxed), 10);
    }
}
