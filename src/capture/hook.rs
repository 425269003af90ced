//! [`CaptureHook`]: what a layer does with the requests that it refuses.

use std::{
    fmt,
    sync::{
        Arc, LazyLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant, SystemTime},
};

use bytes::Bytes;

use crate::{capture::CapturedRequest, endpoint::Endpoint, head::Head, rejection::Rejection};

type Hook = dyn Fn(&Rejection, CapturedRequest) + Send + Sync;

/// Hands refused requests to a function, for
/// [`WebhookVerifyLayer::with_capture`](crate::WebhookVerifyLayer::with_capture): to save them, or
/// to explain them afterwards.
///
/// Anybody can send requests that are refused, so there are bounds: by default 8 requests at once,
/// then one in 10 seconds, with bodies of at most 256 KiB. **They hold personal data.** The
/// function is called before the client gets its answer and should return at once; it must not
/// answer the client depending on what an explanation says, because that would tell a forger how
/// close they came.
///
/// The body of a request that is refused for its head was not read, and is not read for the
/// capture: such a request has an empty body, and [`left_out`](CapturedRequest::left_out) is what
/// `Content-Length` announces.
///
/// ```
/// use std::sync::{Arc, Mutex};
/// use tower_webhook::{Secret, Verifier, WebhookVerifyLayer, capture::CaptureHook, providers};
///
/// let kept = Arc::new(Mutex::new(Vec::new()));
/// let hook = CaptureHook::new({
///     let kept = Arc::clone(&kept);
///     move |rejection, captured| {
///         if rejection.kind().as_str() == "signature_mismatch" {
///             kept.lock().unwrap().push(captured);
///         }
///     }
/// });
/// let verifier = Verifier::new(providers::github(), Secret::new("It's a Secret to Everybody"))?;
/// let layer = WebhookVerifyLayer::new(verifier).with_capture(hook);
/// # drop(layer);
/// # Ok::<_, tower_webhook::SetupError>(())
/// ```
#[derive(Clone)]
pub struct CaptureHook {
    hook: Arc<Hook>,
    max_body: usize,
    every: Duration,
    burst: u32,
    /// When the captures so far would all be due, in nanoseconds of [`now`].
    due: Arc<AtomicU64>,
}

impl CaptureHook {
    /// A hook that calls `hook` with the refusal and the request.
    #[must_use]
    pub fn new(hook: impl Fn(&Rejection, CapturedRequest) + Send + Sync + 'static) -> Self {
        Self {
            hook: Arc::new(hook),
            max_body: 256 << 10,
            every: Duration::from_secs(10),
            burst: 8,
            due: Arc::default(),
        }
    }

    /// Sets the longest body that is captured, in bytes. Of a longer one nothing is kept.
    #[must_use]
    pub fn with_max_body(mut self, bytes: usize) -> Self {
        self.max_body = bytes.min(CapturedRequest::MAX_BODY);
        self
    }

    /// Sets how many requests are captured: `burst` at once, then one in each `every`.
    #[must_use]
    pub fn with_rate(mut self, burst: u32, every: Duration) -> Self {
        (self.burst, self.every) = (burst, every);
        self
    }

    /// Whether another request may be captured now.
    fn admits(&self, now: u64) -> bool {
        let nanos = |span: Duration| u64::try_from(span.as_nanos()).unwrap_or(u64::MAX);
        let every = nanos(self.every);
        let latest = now.saturating_add(every.saturating_mul(u64::from(self.burst)));
        let next = |due: u64| {
            let next = due.max(now).saturating_add(every);
            (next <= latest).then_some(next)
        };
        let relaxed = Ordering::Relaxed;
        self.burst > 0 && self.due.fetch_update(relaxed, relaxed, next).is_ok()
    }

    /// Captures a refused request, if its turn has come. `body` is `None` if it was not read.
    pub(crate) fn refused(
        &self,
        rejection: &Rejection,
        endpoints: &[Arc<Endpoint>],
        head: &Head<'_>,
        body: Option<&Bytes>,
        received_at: SystemTime,
    ) {
        if !self.admits(now()) {
            return;
        }
        let declared = || {
            let length = std::str::from_utf8(head.headers.nth("content-length", 0)?).ok()?;
            length.trim().parse::<u64>().ok()
        };
        let kept = body.filter(|body| body.len() <= self.max_body);
        let length = body.map(|body| u64::try_from(body.len()).unwrap_or(u64::MAX));
        let mut captured = CapturedRequest::new(head, kept.cloned().unwrap_or_default())
            .with_received_at(received_at);
        if kept.is_none() {
            captured.left_out = length.or_else(declared).unwrap_or(0);
        }
        for endpoint in endpoints {
            captured = captured.with_provider(&endpoint.provider);
        }
        if let Some(endpoint) = rejection.endpoint() {
            captured = captured.with_endpoint(endpoint);
        }
        (self.hook)(rejection, captured);
    }
}

impl fmt::Debug for CaptureHook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CaptureHook")
            .field("max_body", &self.max_body)
            .field("burst", &self.burst)
            .field("every", &self.every)
            .finish_non_exhaustive()
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
    fn a_burst_and_then_one_in_a_while() {
        let second = Duration::from_secs(1);
        let hook = CaptureHook::new(|_, _| ()).with_rate(3, second);
        let admitted = |at: u64| (0..10).filter(|_| hook.admits(at)).count();
        let nanos = 1_000_000_000;
        assert_eq!((admitted(0), admitted(nanos / 2)), (3, 0));
        assert_eq!((admitted(nanos), admitted(100 * nanos)), (1, 3));
        let never = CaptureHook::new(|_, _| ()).with_rate(0, Duration::ZERO);
        assert!(!never.admits(0));
        let always = CaptureHook::new(|_, _| ()).with_rate(1, Duration::ZERO);
        assert!((0..1000).all(|_| always.admits(0)));
    }
}
