//! [`ClaimGuard`]: releases a claim, or repeats its completion, when it is dropped.

use std::{mem, sync::Arc, time::Duration};

use tokio::runtime::Handle;

use crate::{
    delivery::{
        error::StoreError,
        observe::Why,
        options::{DeliveryOptions, report},
        outcome::DeliveryOutcome,
        owner::Owner,
        store::DeliveryStore,
    },
    delivery_key::DeliveryKey,
    event::VerifiedEvent,
};

/// Releases or completes a claim on drop, so that no cancelled request or handler leaks it.
pub(crate) struct ClaimGuard {
    pub(crate) options: Arc<DeliveryOptions>,
    pub(crate) event: VerifiedEvent,
    pub(crate) key: DeliveryKey,
    pub(crate) owner: Owner,
    pub(crate) state: ClaimState,
}

pub(crate) enum ClaimState {
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
    pub(crate) fn new(
        options: &Arc<DeliveryOptions>,
        event: &VerifiedEvent,
        key: DeliveryKey,
    ) -> Self {
        Self {
            options: Arc::clone(options),
            event: event.clone(),
            key,
            owner: Owner::unique(),
            state: ClaimState::Idle,
        }
    }

    /// Completes the claim after the handler has succeeded, or releases it if the handler `failed`.
    pub(crate) async fn finish(&mut self, failed: Option<&str>) {
        if !matches!(self.state, ClaimState::Handling) {
            return;
        }
        let (outcome, error) = if failed.is_none() {
            let lifetime = self.options.lifetime(&self.event);
            self.state = ClaimState::Completing(lifetime);
            let store = &self.options.store;
            outcome(store.complete(self.key, self.owner, lifetime).await)
        } else {
            (DeliveryOutcome::Released, self.release().await.err())
        };
        self.state = ClaimState::Idle;
        let why = Why {
            error: error.as_ref(),
            ended: failed,
        };
        report(&self.options, &self.event, outcome, why);
    }

    pub(crate) async fn release(&mut self) -> Result<bool, StoreError> {
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
            let why = Why {
                error: None,
                ended: Some(
                    "it was dropped: the client disconnected, or the runtime is shutting down",
                ),
            };
            report(&options, &event, DeliveryOutcome::Released, why);
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
                let why = Why {
                    error: error.as_ref(),
                    ended: None,
                };
                report(&options, &event, outcome, why);
            }
            drop(task);
        });
    }
}
