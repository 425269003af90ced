//! Log lines, as `tracing` events with the target `tower_webhook`.

use std::sync::{LazyLock, atomic::Ordering};

use http::StatusCode;
use tracing::Level;

use crate::{
    endpoint::{Endpoint, WiringMistake},
    event::VerifiedEvent,
    limits::LogLimits,
    note::Note,
    observe::trace::{unsigned, unsigned_of_refused},
    rejection::{Rejection, Sentence, hint::Hint, kind::RejectionKind, shown},
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

/// A field that a line has only outside of the span that has it.
pub(crate) fn unless<T>(in_span: bool, value: Option<T>) -> Option<T> {
    value.filter(|_| !in_span)
}

/// Whether lines about an event are within the span that has its fields.
pub(crate) fn is_traced(event: &VerifiedEvent) -> bool {
    event.data().traced.load(Ordering::Relaxed)
}

pub(crate) fn note(endpoint: &Endpoint, note: &Note) {
    tracing::warn!(
        target: "tower_webhook",
        note = note.kind().as_str(),
        provider = &*endpoint.labels.provider,
        endpoint = endpoint.name(),
        "{note}"
    );
}

/// INFO for the first event of an endpoint, which shows that the set-up works, and where several
/// variants are tried, so that the operator learns which one matches and can select it.
pub(crate) fn verified(event: &VerifiedEvent, in_span: bool) {
    let first = event.data().verified_before == 0;
    let several = event.shared().tries_several();
    let (level, left_out) = if several {
        match event.shared().log_limits.admit_verified() {
            Some(left_out) => (Level::INFO, left_out),
            None => return,
        }
    } else if first {
        (Level::INFO, 0)
    } else {
        (Level::DEBUG, 0)
    };
    let suffix = if first {
        ", the first of this endpoint since it started"
    } else {
        ""
    };
    event_at!(
        level,
        provider = unless(in_span, Some(event.provider())),
        endpoint = unless(in_span, event.endpoint()),
        tenant = event.tenant(),
        event_type = event.event_type().map(shown).as_deref(),
        delivery_id = event.delivery_id().map(shown).as_deref(),
        unsigned = unsigned(event),
        variant = event.variant(),
        key_id = event.key_id(),
        skew = event.skew_seconds(),
        bytes = event.body().len(),
        left_out = some(left_out),
        "webhook verified{suffix}"
    );
}

/// A request without any header of the provider is INFO only, because scanners send those all day.
fn level(rejection: &Rejection) -> Level {
    let of_provider = rejection
        .request()
        .is_none_or(|request| request.of_provider)
        || rejection.hint_set().contains(Hint::ForeignHeader);
    match rejection.kind() {
        RejectionKind::DeliveryInProgress => Level::INFO,
        _ if rejection.status().is_server_error() => Level::ERROR,
        RejectionKind::MissingHeader if !of_provider => Level::INFO,
        _ => Level::WARN,
    }
}

/// `passed_on` says that the handler gets the request all the same.
pub(crate) fn refused(
    endpoint: Option<&Endpoint>,
    rejection: &Rejection,
    in_span: bool,
    passed_on: bool,
) {
    let (level, verb) = if passed_on {
        (
            Level::WARN,
            "passed on without an event, since the layer only logs",
        )
    } else {
        (level(rejection), "refused")
    };
    let Some(left_out) = admit(endpoint, rejection, level) else {
        return;
    };
    let outside = |value| unless(in_span, value);
    let hints = rejection.hint_set();
    event_at!(
        level,
        kind = rejection.kind().as_str(),
        hints = (!hints.is_empty()).then(|| display(hints)),
        provider = outside(rejection.provider()),
        endpoint = outside(rejection.endpoint()),
        method = outside(rejection.method()),
        path = outside(rejection.path()),
        tenant = rejection.tenant(),
        asked_tenant = rejection.asked_tenant(),
        event_type = rejection.event_type(),
        delivery_id = rejection.delivery_id(),
        unsigned = unsigned_of_refused(rejection),
        header = rejection.header(),
        field = rejection.field(),
        skew = rejection.skew_seconds(),
        length = rejection.value_length().or(rejection.body_length()),
        body_sha256 = rejection.body_digest(),
        left_out = some(left_out),
        "webhook {verb}: {}",
        Sentence(rejection)
    );
    if level == Level::WARN && !tracing::enabled!(target: "tower_webhook", Level::WARN) {
        hidden(endpoint, rejection);
    }
}

/// A verified event that does not reach its handler.
pub(crate) fn not_handled(event: Option<&VerifiedEvent>, rejection: &Rejection) {
    let level = level(rejection);
    let Some(left_out) = admit(event.map(|event| &**event.shared()), rejection, level) else {
        return;
    };
    let in_span = event.is_some_and(is_traced);
    let outside = |value| unless(in_span, value);
    let hints = rejection.hint_set();
    event_at!(
        level,
        kind = rejection.kind().as_str(),
        hints = (!hints.is_empty()).then(|| display(hints)),
        provider = outside(rejection.provider()),
        endpoint = outside(rejection.endpoint()),
        tenant = outside(rejection.tenant()),
        event_type = outside(
            event
                .and_then(|event| event.event_type())
                .map(shown)
                .as_deref()
        ),
        delivery_id = outside(
            event
                .and_then(|event| event.delivery_id())
                .map(shown)
                .as_deref()
        ),
        unsigned = outside(event.and_then(unsigned)),
        left_out = some(left_out),
        "webhook not handled: {}",
        Sentence(rejection)
    );
}

/// The number of lines of this kind that were suppressed since the last one, if another may be
/// written.
fn admit(endpoint: Option<&Endpoint>, rejection: &Rejection, level: Level) -> Option<u64> {
    // Shared by all routes without the layer.
    static NO_LAYER: LazyLock<LogLimits> = LazyLock::new(LogLimits::default);
    let limits = endpoint.map_or(&*NO_LAYER, |endpoint| &endpoint.log_limits);
    match (rejection.kind(), level) {
        (RejectionKind::MissingHeader, Level::INFO) => limits.admit_scanner(),
        (kind, _) => limits.admit_refusal(kind),
    }
}

/// Says once, at a level that is shown, that refusals are not.
fn hidden(endpoint: Option<&Endpoint>, rejection: &Rejection) {
    if endpoint.is_some_and(|endpoint| endpoint.wiring.is_first(WiringMistake::HiddenLog)) {
        tracing::error!(
            target: "tower_webhook",
            kind = rejection.kind().as_str(),
            provider = rejection.provider(),
            endpoint = rejection.endpoint(),
            "webhook refused: {}; further refusals will not be shown, because the log filter of this program hides WARN and \
             INFO: set RUST_LOG=info, or a default level in the program",
            Sentence(rejection)
        );
    }
}

pub(crate) fn not_enforced(endpoint: &Endpoint) {
    tracing::warn!(
        target: "tower_webhook",
        enforce = "log",
        provider = &*endpoint.labels.provider,
        endpoint = endpoint.name(),
        "signatures are not enforced: requests that are refused for their signature reach the handler without an event; \
         remove enforce = \"log\" once the log shows none that is genuine"
    );
}

pub(crate) fn verified_twice(outer: &VerifiedEvent) {
    tracing::warn!(
        target: "tower_webhook",
        provider = unless(is_traced(outer), Some(outer.provider())),
        endpoint = unless(is_traced(outer), outer.endpoint()),
        "a request passes through two verifying layers, and both must accept it; keep the one around the route and remove \
         the other"
    );
}

pub(crate) fn handshake(endpoint: &Endpoint, outcome: &'static str, in_span: bool) {
    let Some(left_out) = endpoint.log_limits.admit_handshake() else {
        return;
    };
    tracing::info!(
        target: "tower_webhook",
        handshake = outcome,
        provider = unless(in_span, Some(&*endpoint.labels.provider)),
        endpoint = unless(in_span, endpoint.name()),
        left_out = some(left_out),
        "webhook handshake {}",
        outcome.replace('_', " ")
    );
}

pub(crate) fn handshake_order(endpoint: &Endpoint, problem: &'static str) {
    tracing::warn!(
        target: "tower_webhook",
        provider = &*endpoint.labels.provider,
        endpoint = endpoint.name(),
        "the HandshakeLayer is not where it belongs: {problem}, or use Config::route"
    );
}

pub(crate) fn status_changed(endpoint: &Endpoint, from: StatusCode, to: StatusCode, in_span: bool) {
    tracing::debug!(
        target: "tower_webhook",
        provider = unless(in_span, Some(&*endpoint.labels.provider)),
        endpoint = unless(in_span, endpoint.name()),
        from = from.as_u16(),
        to = to.as_u16(),
        "replaced the handler's status by the only one that the provider accepts as success"
    );
}
