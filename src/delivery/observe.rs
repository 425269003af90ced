//! What operators see of deliveries: log lines and counters.
#![cfg_attr(
    not(all(feature = "tracing", feature = "metrics")),
    allow(unused_variables, reason = "each feature has its own statement")
)]

use crate::{
    delivery::{error::StoreError, outcome::DeliveryOutcome},
    delivery_key::DeliveryKey,
    endpoint::Hint,
    event::VerifiedEvent,
};

/// A delivery came to a path. If its tenant is in the path, it has as many as there are tenants.
pub(crate) fn came_to(event: &VerifiedEvent, path: &str) {
    if event.tenant().is_none() && event.shared().hints.is_second_path(path) {
        #[cfg(feature = "tracing")]
        log::several_paths(event, path);
    }
}

/// An id came again with another body. With `by_id`, both are one delivery all the same.
pub(crate) fn several_bodies(event: &VerifiedEvent, by_id: bool) {
    if event.shared().hints.is_first(Hint::SeveralBodies) {
        #[cfg(feature = "tracing")]
        log::several_bodies(event, by_id);
    }
}

/// A handler failed after its sender had hung up.
pub(crate) fn unheard(event: &VerifiedEvent, problem: &str) {
    #[cfg(feature = "tracing")]
    log::unheard(event, problem);
}

/// A task with the span and the subscriber of its request.
#[cfg(feature = "tracing")]
pub(crate) fn in_span<F: Future>(task: F) -> impl Future<Output = F::Output> {
    use tracing::instrument::{Instrument, WithSubscriber};
    task.in_current_span().with_current_subscriber()
}

/// A task as it is.
#[cfg(not(feature = "tracing"))]
pub(crate) fn in_span<F: Future>(task: F) -> F {
    task
}

/// A delivery is about to be claimed.
pub(crate) fn claiming(event: &VerifiedEvent, key: DeliveryKey) {
    #[cfg(feature = "tracing")]
    log::claiming(key);
    if event.endpoint().is_none() && event.shared().hints.is_first(Hint::Unnamed) {
        #[cfg(feature = "tracing")]
        log::nameless(event);
    }
}

/// A request reached a delivery layer inside another one.
pub(crate) fn claimed_twice(event: &VerifiedEvent) {
    if event.shared().hints.is_first(Hint::ClaimedTwice) {
        #[cfg(feature = "tracing")]
        log::claimed_twice(event);
    }
}

/// How a delivery ended.
pub(crate) fn delivered(
    event: &VerifiedEvent,
    outcome: DeliveryOutcome,
    error: Option<&StoreError>,
) {
    #[cfg(feature = "tracing")]
    log::delivered(event, outcome, error);
    #[cfg(feature = "metrics")]
    crate::observe::count::delivered(event, outcome.as_str());
}

/// A claim could not be renewed. The next attempt may succeed.
pub(crate) fn renewal_failed(event: &VerifiedEvent, error: &StoreError) {
    #[cfg(feature = "tracing")]
    log::renewal_failed(event, error);
}

/// Another request claimed the delivery while the handler was running.
pub(crate) fn claim_lost(event: &VerifiedEvent) {
    #[cfg(feature = "tracing")]
    log::claim_lost(event);
}

#[cfg(feature = "tracing")]
mod log {
    use tracing::{Level, Span};

    use crate::{
        delivery::{error::StoreError, outcome::DeliveryOutcome},
        delivery_key::DeliveryKey,
        event::VerifiedEvent,
        observe::log::{event_at, some},
    };

    pub(super) fn claiming(key: DeliveryKey) {
        Span::current().record("delivery_key", tracing::field::display(key));
    }

    pub(super) fn nameless(event: &VerifiedEvent) {
        tracing::warn!(
            target: "tower_webhook",
            provider = event.provider(),
            "deliveries are remembered of an endpoint without a name: equal events of two such endpoints that share a store are one \
             delivery; name each with `Verifier::with_endpoint`"
        );
    }

    pub(super) fn several_paths(event: &VerifiedEvent, path: &str) {
        let path: String = path.escape_default().take(200).collect();
        tracing::warn!(
            target: "tower_webhook",
            provider = event.provider(),
            endpoint = event.endpoint(),
            path,
            "deliveries of one endpoint come under several paths; equal events are different deliveries under different routes, and the \
             same delivery under one route with parameters: where that is wrong, give each path an endpoint"
        );
    }

    pub(super) fn several_bodies(event: &VerifiedEvent, by_id: bool) {
        let what = if by_id {
            "and is taken for the same delivery; if the id names an object and not an event, events are lost: remove deduplicate_by = \"id\""
        } else {
            "and is handled as another delivery; if the id identifies an event, set deduplicate_by = \"id\", else deduplicate_by = \"body\""
        };
        tracing::warn!(
            target: "tower_webhook",
            provider = event.provider(),
            endpoint = event.endpoint(),
            delivery_key = %event.delivery_key(),
            "an event has the id of another one and a different body, {what}"
        );
    }

    pub(super) fn unheard(event: &VerifiedEvent, problem: &str) {
        tracing::error!(
            target: "tower_webhook",
            provider = event.provider(),
            endpoint = event.endpoint(),
            tenant = event.tenant(),
            delivery_key = %event.delivery_key(),
            "a handler failed after its sender had hung up: {problem}"
        );
    }

    pub(super) fn claimed_twice(event: &VerifiedEvent) {
        tracing::warn!(
            target: "tower_webhook",
            provider = event.provider(),
            endpoint = event.endpoint(),
            "a request passes through two delivery layers, of which the outer one alone counts; keep the one around the route, and \
             take the other away"
        );
    }

    pub(super) fn delivered(
        event: &VerifiedEvent,
        outcome: DeliveryOutcome,
        error: Option<&StoreError>,
    ) {
        let (level, what) = match outcome {
            DeliveryOutcome::New => (Level::DEBUG, "handled"),
            DeliveryOutcome::Done => (Level::INFO, "was handled before"),
            DeliveryOutcome::Waited => (Level::INFO, "was handled by another request meanwhile"),
            DeliveryOutcome::InProgress => (Level::DEBUG, "is still handled by another request"),
            DeliveryOutcome::Released => (Level::WARN, "was not handled; the next attempt will be"),
            DeliveryOutcome::Busy => (
                Level::WARN,
                "was put off, since too many handlers are running",
            ),
            DeliveryOutcome::Outage => (Level::ERROR, "could not be looked up in the store"),
            DeliveryOutcome::CompleteFailed => (
                Level::ERROR,
                "was handled, and the store does not know; another attempt may be handled, too",
            ),
        };
        // The others a sender can cause again and again, by a request that was genuine once, or while the store is away.
        let left_out = match outcome {
            DeliveryOutcome::New => 0,
            _ => match event.shared().log_limits.admit_delivery(outcome as usize) {
                Some(left_out) => left_out,
                None => return,
            },
        };
        event_at!(
            level,
            outcome = outcome.as_str(),
            provider = event.provider(),
            endpoint = event.endpoint(),
            tenant = event.tenant(),
            delivery_key = %event.delivery_key(),
            error = error.map(tracing::field::display),
            left_out = some(left_out),
            "delivery {what}"
        );
    }

    pub(super) fn renewal_failed(event: &VerifiedEvent, error: &StoreError) {
        tracing::warn!(
            target: "tower_webhook",
            provider = event.provider(),
            endpoint = event.endpoint(),
            delivery_key = %event.delivery_key(),
            %error,
            "the claim of a delivery could not be renewed; it will be tried again"
        );
    }

    pub(super) fn claim_lost(event: &VerifiedEvent) {
        tracing::warn!(
            target: "tower_webhook",
            provider = event.provider(),
            endpoint = event.endpoint(),
            delivery_key = %event.delivery_key(),
            "the claim of a delivery ran out while its handler was running, and another request handles it, too; is the lease \
             shorter than the process stands still?"
        );
    }
}
