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

use super::{
    Claim, DeliveryKey, DeliveryOutcome, DeliveryStore, OnOutage, Owner, StoreError,
    seen::SeenIds,
    tasks::{Task, Tasks},
};
use crate::{Rejection, VerifiedEvent, observe};

/// Everything that is the same for all deliveries of a layer.
#[derive(Clone)]
pub(crate) struct Setup {
    pub(super) store: Arc<dyn DeliveryStore>,
    pub(super) lease: Duration,
    /// `None` for what the provider's time limit allows.
    pub(super) wait: Option<Duration>,
    pub(super) lifetime: Option<Duration>,
    pub(super) max_running: usize,
    pub(super) handler_timeout: Option<Duration>,
    pub(super) on_outage: OnOutage,
    pub(super) on_delivery: Option<Arc<OnDelivery>>,
    pub(super) tasks: Arc<Tasks>,
    pub(super) seen: Arc<SeenIds>,
}

pub(super) type OnDelivery = dyn Fn(&VerifiedEvent, DeliveryOutcome) + Send + Sync;

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
pub(crate) async fn begin(setup: &Arc<Setup>, event: &VerifiedEvent, route: &str) -> Begun {
    let key = event.claim_key(route);
    observe::claiming(event, key);
    setup.seen.look_at(event, route);
    let mut held = Held::new(setup, event, key);
    match claim(setup, &mut held).await {
        Ok(Claimed::New) => match setup.tasks.begin(setup.max_running) {
            Some(task) => {
                held.state = State::Handling;
                Begun::Handle(Delivery { held, task })
            }
            None => {
                // Others may have room.
                let _ = held.release().await;
                busy(setup, event)
            }
        },
        Ok(Claimed::Done { waited }) => {
            let outcome = if waited {
                DeliveryOutcome::Waited
            } else {
                DeliveryOutcome::Done
            };
            tell(setup, event, outcome, None);
            event.shared().uptake.take();
            let status = event.shared().provider().success_status();
            Begun::Before(status.unwrap_or(StatusCode::OK))
        }
        Ok(Claimed::InProgress { remaining }) => {
            tell(setup, event, DeliveryOutcome::InProgress, None);
            Begun::Refused(Rejection::in_progress(event, remaining))
        }
        Err(error) => {
            tell(setup, event, DeliveryOutcome::Outage, Some(&error));
            match setup.on_outage {
                // Whatever the store made of the claim, it must not stand in the way of the next attempt: `held` is dropped.
                OnOutage::Refuse => Begun::Refused(Rejection::no_store(event, error)),
                OnOutage::Allow => match setup.tasks.begin(setup.max_running) {
                    Some(task) => {
                        drop(mem::replace(&mut held, Held::new(setup, event, key)));
                        Begun::Handle(Delivery { held, task })
                    }
                    None => busy(setup, event),
                },
            }
        }
    }
}

fn busy(setup: &Setup, event: &VerifiedEvent) -> Begun {
    tell(setup, event, DeliveryOutcome::Busy, None);
    Begun::Refused(Rejection::handlers_busy(event, setup.max_running))
}

enum Claimed {
    New,
    Done { waited: bool },
    InProgress { remaining: Duration },
}

/// Claims, and waits while another is at it.
async fn claim(setup: &Setup, held: &mut Held) -> Result<Claimed, StoreError> {
    let end = Instant::now().checked_add(setup.wait(&held.event));
    let (mut pause, longest) = PAUSE;
    let mut waited = false;
    loop {
        held.state = State::Asking;
        let claim = setup.store.claim(held.key, held.owner, setup.lease).await?;
        match claim {
            Claim::New => return Ok(Claimed::New),
            Claim::Done => {
                held.state = State::Over;
                return Ok(Claimed::Done { waited });
            }
            Claim::InProgress { remaining } => {
                held.state = State::Over;
                let now = Instant::now();
                let left = end.map_or(Duration::MAX, |end| end.saturating_duration_since(now));
                if left.is_zero() {
                    return Ok(Claimed::InProgress { remaining });
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
    held: Held,
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
        let event = self.held.event.clone();
        let (answer, answered) = oneshot::channel();
        let request = async move {
            match answered.await {
                Ok(Run::Answered(response)) => Ended::Answered(response),
                Ok(Run::Panicked(panic)) => resume_unwind(panic),
                Ok(Run::TimedOut(limit)) => {
                    Ended::Aborted(Rejection::handler_aborted(&event, Some(limit)))
                }
                // The runtime drops its tasks when it ends.
                Err(_) => Ended::Aborted(Rejection::handler_aborted(&event, None)),
            }
        };
        let task = async move {
            let Self { mut held, task } = self;
            let run = renewed(handler, &held).await;
            let handled = match &run {
                Run::Answered(Ok(response)) => status(response).is_success(),
                _ => false,
            };
            held.finish(handled).await;
            let event = held.event.clone();
            drop(held);
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
async fn renewed<F: Future>(handler: F, held: &Held) -> Run<F::Output> {
    let Held {
        setup,
        event,
        key,
        owner,
        ..
    } = held;
    let mut handler = pin!(handler);
    // A handler that always has something to do uses up what the runtime lets a task do at once, and timers would then not look at the
    // clock.
    let mut renewal = pin!(unconstrained(async {
        if !matches!(held.state, State::Handling) {
            return std::future::pending::<()>().await;
        }
        loop {
            sleep(setup.lease.checked_div(3).unwrap_or(setup.lease)).await;
            match setup.store.renew(*key, *owner, setup.lease).await {
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
        setup
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
        if let (Some(limit), Some(timeout)) = (limit.as_mut().as_pin_mut(), setup.handler_timeout)
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

impl Setup {
    /// How long an attempt waits for the one in progress: not as long as its sender waits for an answer.
    fn wait(&self, event: &VerifiedEvent) -> Duration {
        self.wait.unwrap_or_else(|| {
            let limit = event.shared().provider().time_limit();
            let half = limit.and_then(|limit| limit.checked_div(2));
            half.map_or(LONGEST_WAIT, |half| half.min(LONGEST_WAIT))
        })
    }

    /// For how long a completed delivery is remembered: as long as it can be sent again, by the provider or by anybody who has
    /// captured it.
    pub(super) fn lifetime(&self, event: &VerifiedEvent) -> Duration {
        let wanted = self
            .lifetime
            .unwrap_or_else(|| event.shared().provider().retry_horizon());
        event
            .timestamp_window()
            .map_or(wanted, |window| wanted.max(window))
    }

    pub(super) fn fmt(&self, name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct(name)
            .field("lease", &self.lease)
            .field("wait", &self.wait)
            .field("lifetime", &self.lifetime)
            .field("max_running", &self.max_running)
            .field("handler_timeout", &self.handler_timeout)
            .field("on_outage", &self.on_outage)
            .finish_non_exhaustive()
    }
}

/// A claim that is not left behind, whatever becomes of the request and of the handler.
struct Held {
    setup: Arc<Setup>,
    event: VerifiedEvent,
    key: DeliveryKey,
    owner: Owner,
    state: State,
}

enum State {
    /// Nothing is claimed.
    Over,
    /// The store is asked for a claim. What it makes of that is not known.
    Asking,
    /// The handler is running.
    Handling,
    /// The handler has answered with success, and the store is being told.
    Completing(Duration),
}

impl Held {
    fn new(setup: &Arc<Setup>, event: &VerifiedEvent, key: DeliveryKey) -> Self {
        Self {
            setup: Arc::clone(setup),
            event: event.clone(),
            key,
            owner: Owner::unique(),
            state: State::Over,
        }
    }

    /// The handler has ended.
    async fn finish(&mut self, handled: bool) {
        if !matches!(self.state, State::Handling) {
            return;
        }
        let (outcome, error) = if handled {
            let lifetime = self.setup.lifetime(&self.event);
            self.state = State::Completing(lifetime);
            let store = &self.setup.store;
            outcome(store.complete(self.key, self.owner, lifetime).await)
        } else {
            (DeliveryOutcome::Released, self.release().await.err())
        };
        self.state = State::Over;
        tell(&self.setup, &self.event, outcome, error.as_ref());
    }

    async fn release(&mut self) -> Result<bool, StoreError> {
        let released = self.setup.store.release(self.key, self.owner).await;
        self.state = State::Over;
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
impl Drop for Held {
    fn drop(&mut self) {
        let state = mem::replace(&mut self.state, State::Over);
        let store = &self.setup.store;
        let (step, handled) = match state {
            State::Over => return,
            State::Asking => (store.release(self.key, self.owner), None),
            State::Handling => (store.release(self.key, self.owner), Some(false)),
            State::Completing(lifetime) => {
                (store.complete(self.key, self.owner, lifetime), Some(true))
            }
        };
        let (setup, event) = (Arc::clone(&self.setup), self.event.clone());
        // A runtime that is ending may run no other task.
        if handled == Some(false) {
            tell(&setup, &event, DeliveryOutcome::Released, None);
        }
        let Ok(runtime) = Handle::try_current() else {
            return;
        };
        // A layer that is drained waits for this, too.
        let task = setup.tasks.begin(usize::MAX);
        runtime.spawn(async move {
            let answer = step.await;
            if handled == Some(true) {
                let (outcome, error) = outcome(answer);
                tell(&setup, &event, outcome, error.as_ref());
            }
            drop(task);
        });
    }
}

fn tell(
    setup: &Setup,
    event: &VerifiedEvent,
    outcome: DeliveryOutcome,
    error: Option<&StoreError>,
) {
    observe::delivered(event, outcome, error);
    // It counts, and must not change what becomes of the delivery. What it says goes to the panic hook of the process.
    if let Some(hook) = &setup.on_delivery {
        let _ = catch_unwind(AssertUnwindSafe(|| hook(event, outcome)));
    }
}
