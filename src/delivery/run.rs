//! One delivery on its way: claim, run the handler and renew the claim meanwhile, complete or release.

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

/// Everything that is the same for all deliveries of a layer.
#[derive(Clone)]
pub(crate) struct DeliveryOptions {
    pub(crate) store: Arc<dyn DeliveryStore>,
    pub(crate) lease: Duration,
    /// `None` for what the provider's time limit allows.
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

/// Marks a request whose delivery an outer layer has claimed: a second claim would wait forever.
#[derive(Clone)]
pub(crate) struct AlreadyClaimed;

/// What is to be done with a delivery.
pub(crate) enum Begun {
    /// The handler is to be called: it is in nobody else's hands.
    Handle(Delivery),
    /// The handler was called before. The provider is told so with this status.
    Before(StatusCode),
    Refused(Rejection),
}

/// What came of a handler's task.
pub(crate) enum Ended<T> {
    Answered(T),
    Aborted(Rejection),
}

/// How long to wait before a claim in progress is looked at again: doubled each time, up to the second.
const PAUSE: (Duration, Duration) = (Duration::from_millis(20), Duration::from_millis(500));

/// The longest wait for a delivery in progress.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// Claims the delivery that came to `route`.
pub(crate) async fn begin(
    options: &Arc<DeliveryOptions>,
    event: &VerifiedEvent,
    route: &str,
) -> Begun {
    let key = event.claim_key(route);
    observe::claiming(event, key);
    options.seen.look_at(event, route);
    let mut guard = ClaimGuard::new(options, event, key);
    match claim(options, &mut guard).await {
        Ok(ClaimResult::New) => match options.tasks.begin(options.max_running) {
            Some(task) => {
                guard.state = ClaimState::Handling;
                Begun::Handle(Delivery { guard, task })
            }
            None => {
                // Others may have room.
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
            Begun::Before(status.unwrap_or(StatusCode::OK))
        }
        Ok(ClaimResult::InProgress { remaining }) => {
            report(options, event, DeliveryOutcome::InProgress, None);
            Begun::Refused(in_progress(event, remaining))
        }
        Err(error) => {
            report(options, event, DeliveryOutcome::Outage, Some(&error));
            match options.outage_policy {
                // Whatever the store made of the claim, it must not stand in the way of the next attempt: `guard` is dropped.
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

/// The rejection without a verifying layer around the delivery layer.
pub(crate) fn not_verified() -> Rejection {
    Rejection::layer_missing_because(
        "the WebhookVerifyLayer has to be around the DeliveryLayer: after it in calls of .layer(), \
         .route_layer() and .wrap(), before it in a ServiceBuilder",
    )
}

/// The rejection while as many handlers are running as may.
fn handlers_busy(event: &VerifiedEvent, most: usize) -> Rejection {
    let reason = Reason::new(RejectionKind::HandlersBusy);
    event.rejection(reason, Some(format!("max_running is {most}").into()))
}

/// The rejection after a handler was aborted: by its time limit, or because its runtime ended.
fn handler_aborted(event: &VerifiedEvent, limit: Option<Duration>) -> Rejection {
    let cause = match limit {
        Some(limit) => format!("it ran for longer than handler_timeout, {limit:?}"),
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

/// The rejection while the store fails.
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

/// Claims, and waits while another is at it.
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
                guard.state = ClaimState::Over;
                return Ok(ClaimResult::Done { waited });
            }
            Claim::InProgress { remaining } => {
                guard.state = ClaimState::Over;
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

/// A delivery whose handler is to be called.
pub(crate) struct Delivery {
    guard: ClaimGuard,
    task: Task,
}

impl Delivery {
    /// Makes of the handler a task, which goes on whatever becomes of the request, and what the request waits for.
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
                // The runtime drops its tasks when it ends.
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
                observe::unheard(&event, problem);
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
    /// What an operator would not learn in another way, since the sender is gone.
    fn problem(&self) -> Option<&'static str> {
        match self {
            Self::Answered(_) => None,
            Self::Panicked(_) => Some("it panicked"),
            Self::TimedOut(_) => Some("it ran into its time limit, and was aborted"),
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
    // A handler that always has something to do uses up what the runtime lets a task do at once, and timers would then not look at the
    // clock.
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
                // The next may succeed before the lease ends.
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
        // It never ends.
        let _ = renewal.as_mut().poll(cx);
        Poll::Pending
    })
    .await
}

impl DeliveryOptions {
    /// How long an attempt waits for the one in progress: not as long as its sender waits for an answer.
    fn wait(&self, event: &VerifiedEvent) -> Duration {
        self.wait.unwrap_or_else(|| {
            let limit = event.shared().provider.time_limit();
            let half = limit.and_then(|limit| limit.checked_div(2));
            half.map_or(LONGEST_WAIT, |half| half.min(LONGEST_WAIT))
        })
    }

    /// For how long a completed delivery is remembered: as long as it can be sent again, by the provider or by anybody who has
    /// captured it.
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

/// A claim that is not left behind, whatever becomes of the request and of the handler.
struct ClaimGuard {
    options: Arc<DeliveryOptions>,
    event: VerifiedEvent,
    key: DeliveryKey,
    owner: Owner,
    state: ClaimState,
}

enum ClaimState {
    /// Nothing is claimed.
    Over,
    /// The store is asked for a claim. What it makes of that is not known.
    Asking,
    /// The handler is running.
    Handling,
    /// The handler has answered with success, and the store is being told.
    Completing(Duration),
}

impl ClaimGuard {
    fn new(options: &Arc<DeliveryOptions>, event: &VerifiedEvent, key: DeliveryKey) -> Self {
        Self {
            options: Arc::clone(options),
            event: event.clone(),
            key,
            owner: Owner::unique(),
            state: ClaimState::Over,
        }
    }

    /// The handler has ended.
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
        self.state = ClaimState::Over;
        report(&self.options, &self.event, outcome, error.as_ref());
    }

    async fn release(&mut self) -> Result<bool, StoreError> {
        let released = self.options.store.release(self.key, self.owner).await;
        self.state = ClaimState::Over;
        released
    }
}

/// What became of a delivery whose handler has answered with success.
fn outcome(completed: Result<bool, StoreError>) -> (DeliveryOutcome, Option<StoreError>) {
    match completed {
        Ok(true) => (DeliveryOutcome::New, None),
        Ok(false) => (DeliveryOutcome::CompleteFailed, None),
        Err(error) => (DeliveryOutcome::CompleteFailed, Some(error)),
    }
}

/// A client that goes away while it waits, a runtime that ends: nobody waits for the store's answer any longer, but operators are told.
impl Drop for ClaimGuard {
    fn drop(&mut self) {
        let state = mem::replace(&mut self.state, ClaimState::Over);
        let store = &self.options.store;
        let (step, handled) = match state {
            ClaimState::Over => return,
            ClaimState::Asking => (store.release(self.key, self.owner), None),
            ClaimState::Handling => (store.release(self.key, self.owner), Some(false)),
            ClaimState::Completing(lifetime) => {
                (store.complete(self.key, self.owner, lifetime), Some(true))
            }
        };
        let (options, event) = (Arc::clone(&self.options), self.event.clone());
        // A runtime that is ending may run no other task.
        if handled == Some(false) {
            report(&options, &event, DeliveryOutcome::Released, None);
        }
        let Ok(runtime) = Handle::try_current() else {
            return;
        };
        // A layer that is drained waits for this, too.
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
    // It counts, and must not change what becomes of the delivery. What it says goes to the panic hook of the process.
    if let Some(hook) = &options.on_delivery {
        let _ = catch_unwind(AssertUnwindSafe(|| hook(event, outcome)));
    }
}
