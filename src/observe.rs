//! What operators see of requests: spans, log lines and counters. Empty without the features.
//!
//! Only names, kinds, lengths and times are recorded, so nothing confidential or personal is.
#![cfg_attr(
    not(all(feature = "tracing", feature = "metrics")),
    allow(unused_variables, reason = "each feature has its own statement")
)]

#[cfg(feature = "metrics")]
pub(crate) mod count;
#[cfg(feature = "tracing")]
pub(crate) mod log;
#[cfg(feature = "tracing")]
pub(crate) mod trace;

#[cfg(not(feature = "tracing"))]
use std::sync::Arc;
#[cfg(feature = "tracing")]
use std::sync::atomic::Ordering;

use http::StatusCode;

#[cfg(feature = "tracing")]
pub(crate) use self::trace::Trace;
#[cfg(not(feature = "tracing"))]
use crate::head::Head;
use crate::{
    endpoint::{Endpoint, WiringMistake},
    event::VerifiedEvent,
    rejection::Rejection,
};

/// Logs what is suspicious about an endpoint when its layer is created.
pub(crate) fn start(endpoint: &Endpoint) {
    #[cfg(feature = "metrics")]
    count::describe();
    #[cfg(feature = "tracing")]
    for note in endpoint.notes() {
        log::note(endpoint, &note);
    }
}

/// Logs once if deliveries of an endpoint are deduplicated by less than the operator may expect.
pub(crate) fn deduplicated(endpoint: &Endpoint) {
    if let Some(note) = endpoint.unsigned_event_type()
        && endpoint.wiring.is_first(WiringMistake::UnsignedEventType)
    {
        #[cfg(feature = "tracing")]
        log::note(endpoint, &note);
    }
}

/// Warns once if `outer`, the event of another verifying layer around this one, is present.
pub(crate) fn arrived(outer: Option<&VerifiedEvent>) {
    if let Some(outer) = outer
        && outer.shared().wiring.is_first(WiringMistake::VerifiedTwice)
    {
        #[cfg(feature = "tracing")]
        log::verified_twice(outer);
    }
}

/// Records a verified request.
pub(crate) fn verified(trace: &Trace, event: &VerifiedEvent) {
    trace.decided_by(Some(event.provider()), event.endpoint());
    #[cfg(feature = "tracing")]
    log::verified(event, trace.is_recorded());
    #[cfg(feature = "metrics")]
    count::verified(event);
    // After the log line, which has the same fields.
    trace.verified(event);
    #[cfg(feature = "tracing")]
    event
        .data()
        .traced
        .store(trace.is_recorded(), Ordering::Relaxed);
}

/// Records a refusal by a verifying layer.
pub(crate) fn refused(endpoint: Option<&Endpoint>, rejection: &Rejection, trace: &Trace) {
    trace.decided_by(rejection.provider(), rejection.endpoint());
    #[cfg(feature = "tracing")]
    log::refused(endpoint, rejection, trace.is_recorded(), false);
    #[cfg(feature = "metrics")]
    count::refused(rejection, false);
    // After the log line, which has the same fields.
    trace.refused(rejection, "refused");
}

/// Records a request that is passed on although a verifying layer would refuse it.
pub(crate) fn passed_on(endpoint: &Endpoint, rejection: &Rejection, trace: &Trace) {
    trace.decided_by(rejection.provider(), rejection.endpoint());
    #[cfg(feature = "tracing")]
    log::refused(Some(endpoint), rejection, trace.is_recorded(), true);
    #[cfg(feature = "metrics")]
    count::refused(rejection, true);
    // After the log line, which has the same fields.
    trace.refused(rejection, "passed_on");
}

/// Warns that a layer passes on requests that it does not verify.
pub(crate) fn not_enforced(endpoint: &Endpoint) {
    #[cfg(feature = "tracing")]
    log::not_enforced(endpoint);
}

/// Records a refusal by an extractor or a layer inside, which has the event unless there is no
/// verifying layer.
pub(crate) fn refused_event(event: Option<&VerifiedEvent>, rejection: &Rejection) {
    #[cfg(feature = "tracing")]
    log::not_handled(event, rejection);
    #[cfg(feature = "metrics")]
    count::refused(rejection, false);
}

/// Records a handshake that is answered or handed over.
pub(crate) fn handshake(endpoint: &Endpoint, outcome: &'static str, trace: &Trace) {
    #[cfg(feature = "tracing")]
    log::handshake(endpoint, outcome, trace.is_recorded());
    #[cfg(feature = "metrics")]
    count::handshake(endpoint, outcome);
    // After the log line, which has the same fields.
    trace.handshake(outcome);
}

/// Warns that a handshake layer is in the wrong place.
pub(crate) fn handshake_order(endpoint: &Endpoint, problem: &'static str) {
    #[cfg(feature = "tracing")]
    log::handshake_order(endpoint, problem);
}

/// Records that the handler's 2xx status was replaced.
pub(crate) fn status_changed(endpoint: &Endpoint, from: StatusCode, to: StatusCode, trace: &Trace) {
    #[cfg(feature = "tracing")]
    log::status_changed(endpoint, from, to, trace.is_recorded());
    #[cfg(feature = "metrics")]
    count::status_changed(endpoint);
}

/// An empty stand-in for the span of a request.
#[cfg(not(feature = "tracing"))]
pub(crate) struct Trace;

#[cfg(not(feature = "tracing"))]
impl Trace {
    pub(crate) fn new(_: &[Arc<Endpoint>], _: &Head<'_>) -> Self {
        Self
    }

    pub(crate) fn of_event(_: &VerifiedEvent) -> Self {
        Self
    }

    pub(crate) fn enter(&self) -> &Self {
        self
    }

    pub(crate) fn decided_by(&self, _: Option<&str>, _: Option<&str>) {}

    pub(crate) fn verified(&self, _: &VerifiedEvent) {}

    pub(crate) fn refused(&self, _: &Rejection, _: &'static str) {}

    pub(crate) fn handshake(&self, _: &'static str) {}
}
