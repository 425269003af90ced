//! The course of one delivery: claim it, run the handler while renewing the claim, then complete or
//! release it.

use std::{
    any::Any,
    fmt, mem,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    pin::pin,
    sync::Arc,
    task::Poll,
    time::Duration,
};

use http::StatusCode;
use tokio::{
    runtime::Handle,
    sync::oneshot,
    task::coop::unconstrained,
    time::{Instant, sleep},
};

use crate::{
    delivery::{
        error::{StoreError, StoreErrorKind},
        observe,
        outcome::{DeliveryOutcome, OutagePolicy},
        owner::Owner,
        seen::SeenIds,
        store::{Claim, DeliveryStore},
        tasks::{Task, Tasks},
    },
    delivery_key::DeliveryKey,
    event::VerifiedEvent,
    rejection::{Reason, Rejection, kind::RejectionKind},
};

/// The options that all deliveries of a layer share.
#[derive(Clone)]
pub(crate) struct DeliveryOptions {
    pub(crate) store: Arc<dyn DeliveryStore>,
    pub(crate) lease: Duration,
    /// `None` derives it from the provider's time limit.
    pub(crate) wait: Option<Duration>,
    pub(crate) lifetime: Option<Duration>,
    pub(crate) max_running: usize,
    pub(crate) handler_timeout: Option<Duration>,
    pub(crate) outage_policy: OutagePolicy,
    pub(crate) on_delivery: Option<Arc<OnDelivery>>,
    pub(crate) tasks: Arc<Tasks>,
    pub(crate) seen: Arc<SeenIds>,
}

pub(crate) type OnDelivery = dyn Fn(&VerifiedEvent, DeliveryOutcome) + Send + Sync;

/// Marks a request whose delivery an outer layer has claimed: a second claim would wait for the
/// first.
#[derive(Clone)]
pub(crate) struct AlreadyClaimed;

/// How a request with a delivery proceeds.
pub(crate) enum Begun {
    /// The delivery is claimed, so the handler is called.
    Handle(Delivery),
    /// The delivery was handled before. The provider receives this status.
    AlreadyHandled(StatusCode),
    Refused(Rejection),
}

/// How a handler's task ended, for the request that waits for it.
pub(crate) enum Ended<T> {
    Answered(T),
    Aborted(Rejection),
}

/// The first and the longest pause between attempts to claim; each pause is twice the one before.
const PAUSE: (Duration, Duration) = (Duration::from_millis(20), Duration::from_millis(500));

/// The longest default wait for a delivery in progress.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// Claims the delivery of an event that arrived at `route`.
pub(crate) async fn begin(
    options: &Arc<DeliveryOptions>,
    event: &VerifiedEvent,
    route: &str,
) -> Begun {
    let key = event.claim_key(route);
    observe::claiming(event, key);
    options.seen.check(event, route);
    let mut guard = ClaimGuard::new(options, event, key);
    match claim(options, &mut guard).await {
        Ok(ClaimResult::New) => match options.tasks.begin(options.max_running) {
            Some(task) => {
                guard.state = ClaimState::Handling;
                Begun::Handle(Delivery { guard, task })
            }
            None => {
                // Another replica may have capacity.
                let _ = guard.release().await;
                busy(options, event)
            }
        },
        Ok(ClaimResult::Done { waited }) => {
            let outcome = if waited {
                DeliveryOutcome::Waited
            } else {
                DeliveryOutcome::Done
            };
            report(options, event, outcome, None);
            let status = event.shared().provider.success_status();
            Begun::AlreadyHandled(status.unwrap_or(StatusCode::OK))
        }
        Ok(ClaimResult::InProgress { remaining }) => {
            report(options, event, DeliveryOutcome::InProgress, None);
            Begun::Refused(in_progress(event, remaining))
        }
        Err(error) => {
            report(options, event, DeliveryOutcome::Outage, Some(&error));
            match options.outage_policy {
                // The claim may have taken effect, so dropping `guard` releases it for the next
                // attempt.
                OutagePolicy::Refuse => Begun::Refused(store_failed(event, error)),
                OutagePolicy::Allow => match options.tasks.begin(options.max_running) {
                    Some(task) => {
                        drop(mem::replace(
                            &mut guard,
                            ClaimGuard::new(options, event, key),
                        ));
                        Begun::Handle(Delivery { guard, task })
                    }
                    None => busy(options, event),
                },
            }
        }
    }
}

fn busy(options: &DeliveryOptions, event: &VerifiedEvent) -> Begun {
    report(options, event, DeliveryOutcome::Busy, None);
    Begun::Refused(handlers_busy(event, options.max_running))
}

/// The rejection if no verifying layer is around the delivery layer.
pub(crate) fn not_verified() -> Rejection {
    Rejection::layer_missing_because(
        "the DeliveryLayer must be inside the WebhookVerifyLayer: add the WebhookVerifyLayer after \
         it in calls of .layer(), .route_layer() and .wrap(), and before it in a ServiceBuilder",
    )
}

/// The rejection while the maximum number of handlers is running.
fn handlers_busy(event: &VerifiedEvent, most: usize) -> Rejection {
    let reason = Reason::new(RejectionKind::HandlersBusy);
    event.rejection(reason, Some(format!("max_running is {most}").into()))
}

/// The rejection after a handler was aborted, by its time limit or because its runtime shut down.
fn handler_aborted(event: &VerifiedEvent, limit: Option<Duration>) -> Rejection {
    let cause = match limit {
        Some(limit) => format!("it exceeded handler_timeout ({limit:?})"),
        None => "the runtime is shutting down".to_owned(),
    };
    event.rejection(
        Reason::new(RejectionKind::HandlerAborted),
        Some(cause.into()),
    )
}

/// The rejection while another request is handling the delivery.
fn in_progress(event: &VerifiedEvent, remaining: Duration) -> Rejection {
    let seconds = remaining.as_millis().div_ceil(1000);
    let seconds = u16::try_from(seconds).unwrap_or(u16::MAX).clamp(1, 30);
    let reason = Reason::new(RejectionKind::DeliveryInProgress).with_retry_after(seconds);
    event.rejection(reason, None)
}

/// The rejection after the store failed.
fn store_failed(event: &VerifiedEvent, error: StoreError) -> Rejection {
    let kind = match error.kind() {
        StoreErrorKind::Unavailable => RejectionKind::DeliveryStoreFailed,
        StoreErrorKind::Timeout => RejectionKind::DeliveryStoreTimeout,
        StoreErrorKind::Full => RejectionKind::DeliveryStoreFull,
    };
    event.rejection(Reason::new(kind), Some(error.into()))
}

enum ClaimResult {
    New,
    Done { waited: bool },
    InProgress { remaining: Duration },
}

/// Claims the delivery, and waits while another request is handling it.
async fn claim(
    options: &DeliveryOptions,
    guard: &mut ClaimGuard,
) -> Result<ClaimResult, StoreError> {
    let end = Instant::now().checked_add(options.wait(&guard.event));
    let (mut pause, longest) = PAUSE;
    let mut waited = false;
    loop {
        guard.state = ClaimState::Asking;
        let claim = options
            .store
            .claim(guard.key, guard.owner, options.lease)
            .await?;
        match claim {
            Claim::New => return Ok(ClaimResult::New),
            Claim::Done => {
                guard.state = ClaimState::Idle;
                return Ok(ClaimResult::Done { waited });
            }
            Claim::InProgress { remaining } => {
                guard.state = ClaimState::Idle;
                let now = Instant::now();
                let left = end.map_or(Duration::MAX, |end| end.saturating_duration_since(now));
                if left.is_zero() {
                    return Ok(ClaimResult::InProgress { remaining });
                }
                waited = true;
                sleep(pause.min(left)).await;
                pause = pause.saturating_mul(2).min(longest);
            }
        }
    }
}

/// A claimed delivery whose handler has not been called yet.
pub(crate) struct Delivery {
    guard: ClaimGuard,
    task: Task,
}

impl Delivery {
    /// Splits into a task that runs the handler to completion, even if the request is dropped, and
    /// a future that the request awaits.
    pub(crate) fn run<T, E, F>(
        self,
        handler: F,
        status: impl Fn(&T) -> StatusCode,
    ) -> (
        impl Future<Output = ()>,
        impl Future<Output = Ended<F::Output>>,
    )
    where
        F: Future<Output = Result<T, E>>,
    {
        let event = self.guard.event.clone();
        let (answer, answered) = oneshot::channel();
        let request = async move {
            match answered.await {
                Ok(Run::Answered(response)) => Ended::Answered(response),
                Ok(Run::Panicked(panic)) => resume_unwind(panic),
                Ok(Run::TimedOut(limit)) => Ended::Aborted(handler_aborted(&event, Some(limit))),
                // A runtime that shuts down drops its tasks.
                Err(_) => Ended::Aborted(handler_aborted(&event, None)),
            }
        };
        let task = async move {
            let Self { mut guard, task } = self;
            let run = renewed(handler, &guard).await;
            let handled = match &run {
                Run::Answered(Ok(response)) => status(response).is_success(),
                _ => false,
            };
            guard.finish(handled).await;
            let event = guard.event.clone();
            drop(guard);
            if let Err(run) = answer.send(run)
                && let Some(problem) = run.problem()
            {
                observe::failed_unobserved(&event, problem);
            }
            drop(task);
        };
        (observe::in_span(task), request)
    }
}

/// How a handler ended.
enum Run<R> {
    Answered(R),
    Panicked(Box<dyn Any + Send>),
    TimedOut(Duration),
}

impl<R> Run<R> {
    /// The failure to log if the sender is gone, because nothing else reports it.
    fn problem(&self) -> Option<&'static str> {
        match self {
            Self::Answered(_) => None,
            Self::Panicked(_) => Some("it panicked"),
            Self::TimedOut(_) => Some("it exceeded its time limit and was aborted"),
        }
    }
}

/// Runs the handler, and renews the claim at every third of its lease.
async fn renewed<F: Future>(handler: F, guard: &ClaimGuard) -> Run<F::Output> {
    let ClaimGuard {
        options,
        event,
        key,
        owner,
        ..
    } = guard;
    let mut handler = pin!(handler);
    // A handler that is always ready exhausts the task's cooperative budget, after which timers
    // return `Pending` even when they are due.
    let mut renewal = pin!(unconstrained(async {
        if !matches!(guard.state, ClaimState::Handling) {
            return std::future::pending::<()>().await;
        }
        loop {
            sleep(options.lease.checked_div(3).unwrap_or(options.lease)).await;
            match options.store.renew(*key, *owner, options.lease).await {
                Ok(true) => {}
                Ok(false) => {
                    observe::claim_lost(event);
                    break std::future::pending::<()>().await;
                }
                // The next renewal may succeed before the lease expires.
                Err(error) => observe::renewal_failed(event, &error),
            }
        }
    }));
    let mut limit = pin!(
        options
            .handler_timeout
            .map(|limit| unconstrained(sleep(limit)))
    );
    std::future::poll_fn(|cx| {
        let polled = catch_unwind(AssertUnwindSafe(|| handler.as_mut().poll(cx)));
        match polled {
            Ok(Poll::Ready(response)) => return Poll::Ready(Run::Answered(response)),
            Err(panic) => return Poll::Ready(Run::Panicked(panic)),
            Ok(Poll::Pending) => {}
        }
        if let (Some(limit), Some(timeout)) = (limit.as_mut().as_pin_mut(), options.handler_timeout)
            && limit.poll(cx).is_ready()
        {
            return Poll::Ready(Run::TimedOut(timeout));
        }
        // The renewal never completes.
        let _ = renewal.as_mut().poll(cx);
        Poll::Pending
    })
    .await
}

impl DeliveryOptions {
    /// How long an attempt waits for the one in progress: less than its sender waits for a
    /// response.
    fn wait(&self, event: &VerifiedEvent) -> Duration {
        self.wait.unwrap_or_else(|| {
            let limit = event.shared().provider.time_limit();
            let half = limit.and_then(|limit| limit.checked_div(2));
            half.map_or(LONGEST_WAIT, |half| half.min(LONGEST_WAIT))
        })
    }

    /// How long a completed delivery is remembered: as long as the provider may retry it, or anyone
    /// who has captured it may replay it.
    pub(crate) fn lifetime(&self, event: &VerifiedEvent) -> Duration {
        let wanted = self
            .lifetime
            .unwrap_or_else(|| event.shared().provider.retry_horizon());
        event
            .data()
            .timestamp_window()
            .map_or(wanted, |window| wanted.max(window))
    }

    pub(crate) fn fmt(&self, name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct(name)
            .field("lease", &self.lease)
            .field("wait", &self.wait)
            .field("lifetime", &self.lifetime)
            .field("max_running", &self.max_running)
            .field("handler_timeout", &self.handler_timeout)
            .field("outage_policy", &self.outage_policy)
            .finish_non_exhaustive()
    }
}

/// Releases or completes a claim on drop, so that no cancelled request or handler leaks it.
struct ClaimGuard {
    options: Arc<DeliveryOptions>,
    event: VerifiedEvent,
    key: DeliveryKey,
    owner: Owner,
    state: ClaimState,
}

enum ClaimState {
    /// Nothing is claimed.
    Idle,
    /// A claim was requested; whether it took effect is unknown.
    Asking,
    /// The handler is running.
    Handling,
    /// The handler has succeeded, and the completion is being stored.
    Completing(Duration),
}

impl ClaimGuard {
    fn new(options: &Arc<DeliveryOptions>, event: &VerifiedEvent, key: DeliveryKey) -> Self {
        Self {
            options: Arc::clone(options),
            event: event.clone(),
            key,
            owner: Owner::unique(),
            state: ClaimState::Idle,
        }
    }

    /// Completes or releases the claim after the handler has ended.
    async fn finish(&mut self, handled: bool) {
        if !matches!(self.state, ClaimState::Handling) {
            return;
        }
        let (outcome, error) = if handled {
            let lifetime = self.options.lifetime(&self.event);
            self.state = ClaimState::Completing(lifetime);
            let store = &self.options.store;
            outcome(store.complete(self.key, self.owner, lifetime).await)
        } else {
            (DeliveryOutcome::Released, self.release().await.err())
        };
        self.state = ClaimState::Idle;
        report(&self.options, &self.event, outcome, error.as_ref());
    }

    async fn release(&mut self) -> Result<bool, StoreError> {
        let released = self.options.store.release(self.key, self.owner).await;
        self.state = ClaimState::Idle;
        released
    }
}

/// The outcome of a delivery whose handler has succeeded.
fn outcome(completed: Result<bool, StoreError>) -> (DeliveryOutcome, Option<StoreError>) {
    match completed {
        Ok(true) => (DeliveryOutcome::New, None),
        Ok(false) => (DeliveryOutcome::CompleteFailed, None),
        Err(error) => (DeliveryOutcome::CompleteFailed, Some(error)),
    }
}

/// Runs when a client disconnects or a runtime shuts down. The request no longer waits for the
/// store, but the outcome is still reported.
impl Drop for ClaimGuard {
    fn drop(&mut self) {
        let state = mem::replace(&mut self.state, ClaimState::Idle);
        let store = &self.options.store;
        let (step, handled) = match state {
            ClaimState::Idle => return,
            ClaimState::Asking => (store.release(self.key, self.owner), None),
            ClaimState::Handling => (store.release(self.key, self.owner), Some(false)),
            ClaimState::Completing(lifetime) => {
                (store.complete(self.key, self.owner, lifetime), Some(true))
            }
        };
        let (options, event) = (Arc::clone(&self.options), self.event.clone());
        // A runtime that is shutting down may not run the task below.
        if handled == Some(false) {
            report(&options, &event, DeliveryOutcome::Released, None);
        }
        let Ok(runtime) = Handle::try_current() else {
            return;
        };
        // Counted as a task, so that `drain` waits for it.
        let task = options.tasks.begin(usize::MAX);
        runtime.spawn(async move {
            let answer = step.await;
            if handled == Some(true) {
                let (outcome, error) = outcome(answer);
                report(&options, &event, outcome, error.as_ref());
            }
            drop(task);
        });
    }
}

fn report(
    options: &DeliveryOptions,
    event: &VerifiedEvent,
    outcome: DeliveryOutcome,
    error: Option<&StoreError>,
) {
    observe::delivered(event, outcome, error);
    // The hook only observes, so its panic must not change the outcome. The process's panic hook
    // still reports it.
    if let Some(hook) = &options.on_delivery {
        let _ = catch_unwind(AssertUnwindSafe(|| hook(event, outcome)));
    }
}
