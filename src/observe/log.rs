//! Log lines, as `tracing` events of the target `tower_webhook`.

use std::sync::LazyLock;

use http::StatusCode;
use tracing::{Level, Span};

use crate::{
    Rejection, RejectionKind, VerifiedEvent,
    delivery::{DeliveryKey, DeliveryOutcome, StoreError},
    limits::LogLimits,
    shared::Shared,
};

/// One event at a level that is chosen when it happens.
macro_rules! event_at {
    ($level:expr, $($rest:tt)+) => {
        match $level {
            Level::ERROR => tracing::error!(target: "tower_webhook", $($rest)+),
            Level::WARN => tracing::warn!(target: "tower_webhook", $($rest)+),
            Level::INFO => tracing::info!(target: "tower_webhook", $($rest)+),
            _ => tracing::debug!(target: "tower_webhook", $($rest)+),
        }
    };
}

/// A count as a field, which is not there where nothing was counted.
fn some(count: u64) -> Option<u64> {
    (count > 0).then_some(count)
}

pub(crate) fn weakness(shared: &Shared, note: &str) {
    let (provider, endpoint) = (shared.provider().name(), shared.endpoint());
    tracing::warn!(target: "tower_webhook", provider, endpoint, "{note}");
}

/// Where more than one reading of the provider's documentation is tried, which it was is worth more than a word for
/// debugging: it can then be fixed.
pub(crate) fn verified(event: &VerifiedEvent) {
    let several = event.shared().schemes.len() > 1;
    let (level, left_out) = if several {
        match event.shared().log_limits.admit_verified() {
            Some(left_out) => (Level::INFO, left_out),
            None => return,
        }
    } else {
        (Level::DEBUG, 0)
    };
    event_at!(
        level,
        provider = event.provider(),
        endpoint = event.endpoint(),
        tenant = event.tenant(),
        construction = event.construction(),
        key_id = event.key_id(),
        skew = event.skew(),
        bytes = event.raw_body().len(),
        left_out = some(left_out),
        "webhook verified"
    );
}

/// Anybody on the Internet can send a request without a signature; that is worth a line, and no alarm.
fn level(rejection: &Rejection) -> Level {
    match rejection.kind() {
        RejectionKind::DeliveryInProgress => Level::INFO,
        _ if rejection.status().is_server_error() => Level::ERROR,
        RejectionKind::MissingHeader | RejectionKind::UnknownTenant => Level::INFO,
        _ => Level::WARN,
    }
}

pub(crate) fn refused(rejection: &Rejection) {
    // Of a route without the layer.
    static NOWHERE: LazyLock<LogLimits> = LazyLock::new(LogLimits::default);
    let limits = rejection
        .origin()
        .map_or(&*NOWHERE, |origin| &origin.log_limits);
    let Some(left_out) = limits.admit_refusal(rejection.kind()) else {
        return;
    };
    event_at!(
        level(rejection),
        kind = rejection.kind().as_str(),
        provider = rejection.provider(),
        endpoint = rejection.endpoint(),
        tenant = rejection.tenant(),
        header = rejection.header(),
        skew = rejection.skew(),
        length = rejection.length(),
        left_out = some(left_out),
        "webhook refused: {rejection}"
    );
}

pub(crate) fn claiming(key: DeliveryKey) {
    Span::current().record("delivery_key", tracing::field::display(key));
}

pub(crate) fn nameless(event: &VerifiedEvent) {
    tracing::warn!(
        target: "tower_webhook",
        provider = event.provider(),
        "deliveries are remembered of an endpoint without a name: equal events of two such endpoints that share a store are one \
         delivery; name each with `Verifier::with_endpoint`"
    );
}

pub(crate) fn several_paths(event: &VerifiedEvent, path: &str) {
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

pub(crate) fn several_bodies(event: &VerifiedEvent, by_id: bool) {
    let what = if by_id {
        "and is taken for the same delivery; if the id names an object and not an event, events are lost: remove key = \"delivery-id\""
    } else {
        "and is handled as another delivery; if the id identifies an event, set key = \"delivery-id\", else key = \"body\""
    };
    tracing::warn!(
        target: "tower_webhook",
        provider = event.provider(),
        endpoint = event.endpoint(),
        delivery_key = %event.delivery_key(),
        "an event has the id of another one and a different body, {what}"
    );
}

pub(crate) fn unheard(event: &VerifiedEvent, problem: &str) {
    tracing::error!(
        target: "tower_webhook",
        provider = event.provider(),
        endpoint = event.endpoint(),
        tenant = event.tenant(),
        delivery_key = %event.delivery_key(),
        "a handler failed after its sender had hung up: {problem}"
    );
}

pub(crate) fn claimed_twice(event: &VerifiedEvent) {
    tracing::warn!(
        target: "tower_webhook",
        provider = event.provider(),
        endpoint = event.endpoint(),
        "a request passes through two delivery layers, of which the outer one alone counts; keep the one around the route, and \
         take the other away"
    );
}

pub(crate) fn delivered(
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
        _ => match event.shared().log_limits.admit_delivery(outcome) {
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

pub(crate) fn renewal_failed(event: &VerifiedEvent, error: &StoreError) {
    tracing::warn!(
        target: "tower_webhook",
        provider = event.provider(),
        endpoint = event.endpoint(),
        delivery_key = %event.delivery_key(),
        %error,
        "the claim of a delivery could not be renewed; it will be tried again"
    );
}

pub(crate) fn claim_lost(event: &VerifiedEvent) {
    tracing::warn!(
        target: "tower_webhook",
        provider = event.provider(),
        endpoint = event.endpoint(),
        delivery_key = %event.delivery_key(),
        "the claim of a delivery ran out while its handler was running, and another request handles it, too; is the lease \
         shorter than the process stands still?"
    );
}

pub(crate) fn verified_twice(outer: &VerifiedEvent) {
    tracing::warn!(
        target: "tower_webhook",
        provider = outer.provider(),
        endpoint = outer.endpoint(),
        "a request passes through the middleware twice, and both must accept it; keep the one around the route, and take the \
         other away"
    );
}

pub(crate) fn untaken(shared: &Shared) {
    tracing::info!(
        target: "tower_webhook",
        provider = shared.provider().name(),
        endpoint = shared.endpoint(),
        "a handler has answered without a look at the event that was verified; take `VerifiedEvent` as a parameter to know \
         its provider, its key and its type"
    );
}

pub(crate) fn status_changed(shared: &Shared, from: StatusCode, to: StatusCode) {
    tracing::debug!(
        target: "tower_webhook",
        provider = shared.provider().name(),
        endpoint = shared.endpoint(),
        from = from.as_u16(),
        to = to.as_u16(),
        "the provider takes one status alone for success, and gets that"
    );
}
