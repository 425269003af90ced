//! Log lines, as `tracing` events with the target `tower_webhook`.

use std::sync::LazyLock;

use http::StatusCode;
use tracing::Level;

use crate::{
    endpoint::Endpoint,
    event::VerifiedEvent,
    limits::LogLimits,
    rejection::{Rejection, kind::RejectionKind},
};

/// Emits an event at a level chosen at run time.
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

pub(crate) use event_at;

/// A count as a field that is omitted if zero.
pub(crate) fn some(count: u64) -> Option<u64> {
    (count > 0).then_some(count)
}

pub(crate) fn weakness(endpoint: &Endpoint, note: &str) {
    let (provider, endpoint) = (&*endpoint.labels.provider, endpoint.name());
    tracing::warn!(target: "tower_webhook", provider, endpoint, "{note}");
}

/// The level is INFO if several variants are tried, so that the operator learns which one matches
/// and can select it.
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
        variant = event.variant(),
        key_id = event.key_id(),
        skew = event.skew_seconds(),
        bytes = event.body().len(),
        left_out = some(left_out),
        "webhook verified"
    );
}

/// Unsigned requests are INFO only, because anyone on the Internet can send them.
fn level(rejection: &Rejection) -> Level {
    match rejection.kind() {
        RejectionKind::DeliveryInProgress => Level::INFO,
        _ if rejection.status().is_server_error() => Level::ERROR,
        RejectionKind::MissingHeader | RejectionKind::UnknownTenant => Level::INFO,
        _ => Level::WARN,
    }
}

pub(crate) fn refused(endpoint: Option<&Endpoint>, rejection: &Rejection) {
    // Shared by all routes without the layer.
    static NO_LAYER: LazyLock<LogLimits> = LazyLock::new(LogLimits::default);
    let limits = endpoint.map_or(&*NO_LAYER, |endpoint| &endpoint.log_limits);
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
        skew = rejection.skew_seconds(),
        length = rejection.value_length().or(rejection.body_length()),
        left_out = some(left_out),
        "webhook refused: {rejection}"
    );
}

pub(crate) fn verified_twice(outer: &VerifiedEvent) {
    tracing::warn!(
        target: "tower_webhook",
        provider = outer.provider(),
        endpoint = outer.endpoint(),
        "a request passes through two verifying layers, and both must accept it; keep the one around the route and remove \
         the other"
    );
}

pub(crate) fn status_changed(endpoint: &Endpoint, from: StatusCode, to: StatusCode) {
    tracing::debug!(
        target: "tower_webhook",
        provider = &*endpoint.labels.provider,
        endpoint = endpoint.name(),
        from = from.as_u16(),
        to = to.as_u16(),
        "replaced the handler's status by the only one that the provider accepts as success"
    );
}
