//! The course of one delivery: claim it, run the handler while renewing the claim, then complete or
//! release it.

use std::{
    any::Any,
    borrow::Cow,
    mem,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    pin::pin,
    sync::Arc,
    task::Poll,
    time::Duration,
};

use http::StatusCode;
use tokio::{
    sync::oneshot,
    task::coop::unconstrained,
    time::{Instant, sleep},
};

use crate::{
    delivery::{
        error::StoreError,
        guard::{ClaimGuard, ClaimState},
        observe::{self, Why},
        options::{DeliveryOptions, report},
        outcome::{DeliveryOutcome, OutagePolicy},
        refusal::{handler_aborted, handlers_busy, in_progress, store_failed},
        store::{Claim, DeliveryStore},
        tasks::Task,
    },
    event::VerifiedEvent,
    rejection::Rejection,
};

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
pub(crate) enum HandlerEnd<T> {
    Answered(T),
    Aborted(Rejection),
}

/// The first and the longest pause between attempts to claim; each pause is twice the one before.
const PAUSE: (Duration, Duration) = (Duration::from_millis(20), Duration::from_millis(500));

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
            report(options, event, outcome, Why::default());
            let status = event.shared().provider.success_status();
            Begun::AlreadyHandled(status.unwrap_or(StatusCode::OK))
        }
        Ok(ClaimResult::InProgress { remaining }) => {
            report(options, event, DeliveryOutcome::InProgress, Why::default());
            Begun::Refused(in_progress(event, remaining))
        }
        Err(error) => {
            let why = Why {
                error: Some(&error),
                ended: None,
            };
            report(options, event, DeliveryOutcome::Outage, why);
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
    report(options, event, DeliveryOutcome::Busy, Why::default());
    Begun::Refused(handlers_busy(event, options.max_running))
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
        impl Future<Output = HandlerEnd<F::Output>>,
    )
    where
        F: Future<Output = Result<T, E>>,
    {
        let event = self.guard.event.clone();
        let (answer, answered) = oneshot::channel();
        let request = async move {
            match answered.await {
                Ok(Run::Answered(response)) => HandlerEnd::Answered(response),
                Ok(Run::Panicked(panic)) => resume_unwind(panic),
                Ok(Run::TimedOut(limit)) => {
                    HandlerEnd::Aborted(handler_aborted(&event, Some(limit)))
                }
                // A runtime that shuts down drops its tasks.
                Err(_) => HandlerEnd::Aborted(handler_aborted(&event, None)),
            }
        };
        let task = async move {
            let Self { mut guard, task } = self;
            let run = renewed(handler, &guard).await;
            guard.finish(run.failure(status).as_deref()).await;
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

impl<T, E> Run<Result<T, E>> {
    /// Why the handler did not succeed.
    fn failure(&self, status: impl Fn(&T) -> StatusCode) -> Option<Cow<'static, str>> {
        match self {
            Self::Answered(Ok(response)) => {
                let status = status(response);
                (!status.is_success()).then(|| format!("it answered {}", status.as_u16()).into())
            }
            Self::Answered(Err(_)) => Some("its service returned an error".into()),
            Self::Panicked(_) | Self::TimedOut(_) => self.problem().map(Cow::Borrowed),
        }
    }
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
