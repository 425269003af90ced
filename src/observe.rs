//! What operators see of requests: the span, log lines, counters. Without the features it is nothing.
//!
//! Nothing secret and nothing personal goes through here: names, kinds, lengths and times only.
#![cfg_attr(
    not(all(feature = "tracing", feature = "metrics")),
    allow(unused_variables, reason = "each feature has its own statement")
)]

#[cfg(feature = "metrics")]
pub(crate) mod count;
#[cfg(feature = "tracing")]
pub(crate) mod log;
#[cfg(feature = "tracing")]
mod trace;

use http::StatusCode;

#[cfg(feature = "tracing")]
pub(crate) use self::trace::Trace;
use crate::{
    endpoint::{Endpoint, Hint},
    event::VerifiedEvent,
    rejection::Rejection,
};

/// A layer was made.
pub(crate) fn start(endpoint: &Endpoint) {
    #[cfg(feature = "metrics")]
    count::describe();
    #[cfg(feature = "tracing")]
    for note in endpoint.keys.notes() {
        log::weakness(endpoint, note);
    }
}

/// A request arrived. `outer` is the event of another verifying layer around this one.
pub(crate) fn arrived(outer: Option<&VerifiedEvent>) {
    if let Some(outer) = outer
        && outer.shared().hints.is_first(Hint::VerifiedTwice)
    {
        #[cfg(feature = "tracing")]
        log::verified_twice(outer);
    }
}

/// A request was verified.
pub(crate) fn verified(trace: &Trace, event: &VerifiedEvent) {
    #[cfg(feature = "tracing")]
    log::verified(event);
    #[cfg(feature = "metrics")]
    count::verified(event);
    // After the line, which has the same fields.
    trace.verified(event);
}

/// A request was refused, by a layer or by an extractor. `endpoint` is `None` without a layer.
pub(crate) fn refused(endpoint: Option<&Endpoint>, rejection: &Rejection) {
    #[cfg(feature = "tracing")]
    log::refused(endpoint, rejection);
    #[cfg(feature = "metrics")]
    count::refused(rejection);
}

/// As [`refused`], for the event that a handler took from its request.
#[cfg(any(feature = "axum", feature = "actix"))]
pub(crate) fn refused_event(event: Option<&VerifiedEvent>, rejection: &Rejection) {
    refused(event.map(|event| &**event.shared()), rejection);
}

/// The provider gets another 2xx than the handler's.
pub(crate) fn status_changed(endpoint: &Endpoint, from: StatusCode, to: StatusCode) {
    #[cfg(feature = "tracing")]
    log::status_changed(endpoint, from, to);
    #[cfg(feature = "metrics")]
    count::status_changed(endpoint);
}

/// The span of a request.
#[cfg(not(feature = "tracing"))]
pub(crate) struct Trace;

#[cfg(not(feature = "tracing"))]
impl Trace {
    pub(crate) fn new(_: &Endpoint) -> Self {
        Self
    }

    pub(crate) fn enter(&self) -> &Self {
        self
    }

    pub(crate) fn verified(&self, _: &VerifiedEvent) {}

    pub(crate) fn refused(&self, _: &Rejection) {}
}
