//! One delivery on its way: claim, call the handler and renew the claim meanwhile, complete or release.

use std::{
    fmt,
    future::{pending, poll_fn},
    mem,
    pin::pin,
    sync::Arc,
    time::Duration,
};

use http::StatusCode;
use tokio::{
    runtime::Handle,
    time::{Instant, sleep},
};

use super::{Claim, DeliveryKey, DeliveryOutcome, DeliveryStore, OnOutage, Owner, StoreError};
use crate::{Rejection, VerifiedEvent, observe};

/// Everything that is the same for all deliveries of a layer.
#[derive(Clone)]
pub(crate) struct Setup {
    pub(super) store: Arc<dyn DeliveryStore>,
    pub(super) lease: Duration,
    pub(super) wait: Duration,
    pub(super) lifetime: Option<Duration>,
    pub(super) on_outage: OnOutage,
    pub(super) on_delivery: Option<Arc<OnDelivery>>,
}

pub(super) type OnDelivery = dyn Fn(&VerifiedEvent, DeliveryOutcome) + Send + Sync;

/// What became of a delivery.
pub(crate) enum Delivered<T> {
    /// The handler was called.
    Handled(T),
    /// The handler was not called, since it was before. The provider is told so with this status.
    Before(StatusCode),
    Refused(Rejection),
}

/// How long to wait before a claim in progress is looked at again: doubled each time, up to the second.
const PAUSE: (Duration, Duration) = (Duration::from_millis(20), Duration::from_millis(500));

/// Sees to it that `handle` is called if nobody else does or did, and that what comes of it is remembered.
pub(crate) async fn deliver<T, E, F>(
    setup: &Arc<Setup>,
    event: &VerifiedEvent,
    handle: impl FnOnce() -> F,
    status: impl Fn(&T) -> StatusCode,
) -> Delivered<Result<T, E>>
where
    F: Future<Output = Result<T, E>>,
{
    let key = event.delivery_key();
    observe::claiming(event, key);
    let mut held = Held::new(setup, event, key);
    match claim(setup, &mut held).await {
        Ok(Claimed::New) => {}
        Ok(Claimed::Done { waited }) => {
            let outcome = if waited {
                DeliveryOutcome::Waited
            } else {
                DeliveryOutcome::Done
            };
            tell(setup, event, outcome, None);
            event.shared().uptake.take();
            let status = event.shared().provider().success_status();
            return Delivered::Before(status.unwrap_or(StatusCode::OK));
        }
        Ok(Claimed::InProgress { remaining }) => {
            tell(setup, event, DeliveryOutcome::InProgress, None);
            return Delivered::Refused(Rejection::in_progress(event, remaining));
        }
        Err(error) => {
            tell(setup, event, DeliveryOutcome::Outage, Some(&error));
            // Whatever the store made of the claim, it must not stand in the way of the next attempt.
            drop(held);
            return match setup.on_outage {
                OnOutage::Refuse => Delivered::Refused(Rejection::no_store(event, error)),
                OnOutage::Allow => Delivered::Handled(handle().await),
            };
        }
    }

    held.state = State::Handling;
    let response = renewed(handle(), setup, event, key, held.owner).await;
    let handled = response
        .as_ref()
        .is_ok_and(|response| status(response).is_success());
    let (outcome, error) = if handled {
        held.complete(setup.lifetime(event)).await
    } else {
        (DeliveryOutcome::Released, held.release().await.err())
    };
    tell(setup, event, outcome, error.as_ref());
    Delivered::Handled(response)
}

enum Claimed {
    New,
    Done { waited: bool },
    InProgress { remaining: Duration },
}

/// Claims, and waits while another is at it.
async fn claim(setup: &Setup, held: &mut Held) -> Result<Claimed, StoreError> {
    let end = Instant::now().checked_add(setup.wait);
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

/// Runs the handler, and renews the claim at every third of its lease.
async fn renewed<F: Future>(
    handler: F,
    setup: &Setup,
    event: &VerifiedEvent,
    key: DeliveryKey,
    owner: Owner,
) -> F::Output {
    let mut handler = pin!(handler);
    let mut renewal = pin!(async {
        loop {
            sleep(setup.lease.checked_div(3).unwrap_or(setup.lease)).await;
            match setup.store.renew(key, owner, setup.lease).await {
                Ok(true) => {}
                Ok(false) => {
                    observe::claim_lost(event);
                    break pending::<()>().await;
                }
                // The next may succeed before the lease ends.
                Err(error) => observe::renewal_failed(event, &error),
            }
        }
    });
    poll_fn(|cx| {
        let ended = handler.as_mut().poll(cx);
        if ended.is_pending() {
            // It never ends.
            let _ = renewal.as_mut().poll(cx);
        }
        ended
    })
    .await
}

impl Setup {
    /// For how long a completed delivery is remembered: as long as it can be sent again, by the provider or by anybody who has
    /// captured it.
    pub(super) fn lifetime(&self, event: &VerifiedEvent) -> Duration {
        self.lifetime.unwrap_or_else(|| {
            let horizon = event.shared().provider().retry_horizon();
            event
                .timestamp_window()
                .map_or(horizon, |window| horizon.max(window))
        })
    }

    pub(super) fn fmt(&self, name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct(name)
            .field("lease", &self.lease)
            .field("wait", &self.wait)
            .field("lifetime", &self.lifetime)
            .field("on_outage", &self.on_outage)
            .finish_non_exhaustive()
    }
}

/// A claim that is not left behind, whatever becomes of the request.
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

    async fn complete(mut self, lifetime: Duration) -> (DeliveryOutcome, Option<StoreError>) {
        self.state = State::Completing(lifetime);
        let completed = self
            .setup
            .store
            .complete(self.key, self.owner, lifetime)
            .await;
        self.state = State::Over;
        outcome(completed)
    }

    async fn release(mut self) -> Result<bool, StoreError> {
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

/// A client that goes away, a timeout, a panic: nobody waits for the store's answer any longer, but operators are told.
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
        let Ok(runtime) = Handle::try_current() else {
            return;
        };
        let (setup, event) = (Arc::clone(&self.setup), self.event.clone());
        // The hook runs there, too: if it panicked while this thread unwinds, the process would end.
        runtime.spawn(async move {
            let answer = step.await;
            let (outcome, error) = match handled {
                None => return,
                Some(false) => (DeliveryOutcome::Released, answer.err()),
                Some(true) => outcome(answer),
            };
            tell(&setup, &event, outcome, error.as_ref());
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
    if let Some(hook) = &setup.on_delivery {
        hook(event, outcome);
    }
}
