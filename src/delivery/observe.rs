//! What operators see of deliveries: log lines and counters.
#![cfg_attr(
    not(all(feature = "tracing", feature = "metrics")),
    allow(unused_variables, reason = "each feature has its own statement")
)]

use crate::{
    delivery::{error::StoreError, outcome::DeliveryOutcome},
    delivery_key::DeliveryKey,
    endpoint::WiringMistake,
    event::VerifiedEvent,
    observe::deduplicated,
};

/// Warns once if an endpoint's deliveries arrive at several paths. Tenants are exempt, because a
/// path may name the tenant.
pub(crate) fn arrived_at(event: &VerifiedEvent, path: &str) {
    if event.tenant().is_none() && event.shared().wiring.is_second_path(path) {
        #[cfg(feature = "tracing")]
        log::several_paths(event, path);
    }
}

/// Warns once that an id was reused with a different body. With `by_id`, both are one delivery.
pub(crate) fn several_bodies(event: &VerifiedEvent, by_id: bool) {
    if event.shared().wiring.is_first(WiringMistake::SeveralBodies) {
        #[cfg(feature = "tracing")]
        log::several_bodies(event, by_id);
    }
}

/// Logs the failure of a handler whose sender had hung up.
pub(crate) fn failed_unobserved(event: &VerifiedEvent, problem: &str) {
    #[cfg(feature = "tracing")]
    log::failed_unobserved(event, problem);
}

/// Attaches the span and the subscriber of the current request to a task.
#[cfg(feature = "tracing")]
pub(crate) fn in_span<F: Future>(task: F) -> impl Future<Output = F::Output> {
    use tracing::instrument::{Instrument, WithSubscriber};
    task.in_current_span().with_current_subscriber()
}

/// Returns the task unchanged.
#[cfg(not(feature = "tracing"))]
pub(crate) fn in_span<F: Future>(task: F) -> F {
    task
}

/// Records the key of a delivery that is about to be claimed.
pub(crate) fn claiming(event: &VerifiedEvent, key: DeliveryKey) {
    deduplicated(event.shared());
    #[cfg(feature = "tracing")]
    log::claiming(key);
    if event.endpoint().is_none() && event.shared().wiring.is_first(WiringMistake::Unnamed) {
        #[cfg(feature = "tracing")]
        log::nameless(event);
    }
}

/// Warns once that a request passed through two delivery layers.
pub(crate) fn claimed_twice(event: &VerifiedEvent) {
    if event.shared().wiring.is_first(WiringMistake::ClaimedTwice) {
        #[cfg(feature = "tracing")]
        log::claimed_twice(event);
    }
}

/// The cause of an outcome, for the log.
#[derive(Clone, Copy, Default)]
pub(crate) struct Why<'w> {
    /// The error of the store.
    pub(crate) error: Option<&'w StoreError>,
    /// How the handler ended.
    pub(crate) ended: Option<&'w str>,
}

/// Records the outcome of a delivery.
pub(crate) fn delivered(event: &VerifiedEvent, outcome: DeliveryOutcome, why: Why<'_>) {
    #[cfg(feature = "tracing")]
    log::delivered(event, outcome, why);
    #[cfg(feature = "metrics")]
    crate::observe::count::delivered(event, outcome.as_str());
}

/// Logs that a claim could not be renewed. The next attempt may succeed.
pub(crate) fn renewal_failed(event: &VerifiedEvent, error: &StoreError) {
    #[cfg(feature = "tracing")]
    log::renewal_failed(event, error);
}

/// Logs that another request claimed the delivery while the handler was running.
pub(crate) fn claim_lost(event: &VerifiedEvent) {
    #[cfg(feature = "tracing")]
    log::claim_lost(event);
}

#[cfg(feature = "tracing")]
mod log {
    use tracing::{
        Level, Metadata, Span,
        field::{DisplayValue, display},
    };

    use crate::{
        delivery::{error::StoreError, observe::Why, outcome::DeliveryOutcome},
        delivery_key::DeliveryKey,
        event::VerifiedEvent,
        observe::log::{event_at, is_traced, some, unless},
        rejection::shown,
    };

    pub(super) fn claiming(key: DeliveryKey) {
        Span::current().record("delivery_key", display(key));
    }

    /// The delivery key, unless the current span is the one that has it.
    fn key_unless_in_span(event: &VerifiedEvent) -> Option<DisplayValue<DeliveryKey>> {
        let current = Span::current();
        let is_ours = |span: &Metadata<'_>| span.target() == "tower_webhook";
        let in_span = is_traced(event) && current.metadata().is_some_and(is_ours);
        unless(in_span, Some(event.delivery_key())).map(display)
    }

    pub(super) fn nameless(event: &VerifiedEvent) {
        tracing::warn!(
            target: "tower_webhook",
            provider = unless(is_traced(event), Some(event.provider())),
            "deliveries of an unnamed endpoint are deduplicated; equal events of two unnamed endpoints that share a store are \
             one delivery; name each endpoint with `Verifier::with_endpoint`"
        );
    }

    pub(super) fn several_paths(event: &VerifiedEvent, path: &str) {
        let path = &*shown(path);
        tracing::warn!(
            target: "tower_webhook",
            provider = unless(is_traced(event), Some(event.provider())),
            endpoint = unless(is_traced(event), event.endpoint()),
            second_path = path,
            "deliveries of one endpoint arrive at several paths; equal events are different deliveries on different routes, but \
             the same delivery on one route with parameters; if that is wrong, give each path its own endpoint"
        );
    }

    pub(super) fn several_bodies(event: &VerifiedEvent, by_id: bool) {
        let what = if by_id {
            "and is treated as the same delivery; if the id names an object rather than an event, events are lost: remove \
             deduplicate_by = \"id\""
        } else {
            "and is handled as another delivery; if the id identifies an event, set deduplicate_by = \"id\", otherwise \
             deduplicate_by = \"body\""
        };
        tracing::warn!(
            target: "tower_webhook",
            provider = unless(is_traced(event), Some(event.provider())),
            endpoint = unless(is_traced(event), event.endpoint()),
            delivery_key = key_unless_in_span(event),
            "an event has the id of an earlier event but a different body, {what}"
        );
    }

    pub(super) fn failed_unobserved(event: &VerifiedEvent, problem: &str) {
        tracing::error!(
            target: "tower_webhook",
            provider = unless(is_traced(event), Some(event.provider())),
            endpoint = unless(is_traced(event), event.endpoint()),
            tenant = unless(is_traced(event), event.tenant()),
            delivery_key = key_unless_in_span(event),
            "a handler failed after its sender had hung up: {problem}"
        );
    }

    pub(super) fn claimed_twice(event: &VerifiedEvent) {
        tracing::warn!(
            target: "tower_webhook",
            provider = unless(is_traced(event), Some(event.provider())),
            endpoint = unless(is_traced(event), event.endpoint()),
            "a request passes through two delivery layers, and only the outer one has an effect; keep the one around the route \
             and remove the other"
        );
    }

    pub(super) fn delivered(event: &VerifiedEvent, outcome: DeliveryOutcome, why: Why<'_>) {
        let (level, what) = match outcome {
            DeliveryOutcome::New => (Level::DEBUG, "handled"),
            DeliveryOutcome::Done => (Level::INFO, "was handled before"),
            DeliveryOutcome::Waited => (
                Level::INFO,
                "was handled by another request in the meantime",
            ),
            DeliveryOutcome::InProgress => {
                (Level::DEBUG, "is still being handled by another request")
            }
            DeliveryOutcome::Released => (
                Level::WARN,
                "was not handled; the next attempt will be handled",
            ),
            DeliveryOutcome::Busy => (
                Level::WARN,
                "was deferred because too many handlers are running",
            ),
            DeliveryOutcome::Outage => (Level::ERROR, "could not be looked up in the store"),
            DeliveryOutcome::CompleteFailed => (
                Level::ERROR,
                "was handled, but the store has no record of it; another attempt may be handled again",
            ),
        };
        // A sender can cause the other outcomes at will, by replaying a genuine request or while
        // the store is unavailable, so their lines are rate-limited.
        let left_out = match outcome {
            DeliveryOutcome::New => 0,
            _ => match event.shared().log_limits.admit_delivery(outcome as usize) {
                Some(left_out) => left_out,
                None => return,
            },
        };
        let in_span = is_traced(event);
        event_at!(
            level,
            delivery = outcome.as_str(),
            provider = unless(in_span, Some(event.provider())),
            endpoint = unless(in_span, event.endpoint()),
            tenant = unless(in_span, event.tenant()),
            event_type = unless(in_span, event.event_type().map(shown)).as_deref(),
            delivery_id = unless(in_span, event.delivery_id().map(shown)).as_deref(),
            delivery_key = key_unless_in_span(event),
            handler = why.ended,
            error = why.error.map(tracing::field::display),
            left_out = some(left_out),
            "delivery {what}"
        );
    }

    pub(super) fn renewal_failed(event: &VerifiedEvent, error: &StoreError) {
        tracing::warn!(
            target: "tower_webhook",
            provider = unless(is_traced(event), Some(event.provider())),
            endpoint = unless(is_traced(event), event.endpoint()),
            delivery_key = key_unless_in_span(event),
            %error,
            "the claim of a delivery could not be renewed; renewal will be retried"
        );
    }

    pub(super) fn claim_lost(event: &VerifiedEvent) {
        tracing::warn!(
            target: "tower_webhook",
            provider = unless(is_traced(event), Some(event.provider())),
            endpoint = unless(is_traced(event), event.endpoint()),
            delivery_key = key_unless_in_span(event),
            "the claim of a delivery expired while its handler was running, and another request handles the delivery as well; \
             was the process suspended, or its thread blocked, for longer than the lease?"
        );
    }
}
