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
mod trace;

use http::StatusCode;

#[cfg(feature = "tracing")]
pub(crate) use self::trace::Trace;
use crate::{
    endpoint::{Endpoint, Hint},
    event::VerifiedEvent,
    rejection::Rejection,
};

/// Logs the weaknesses of an endpoint's keys when its layer is created.
pub(crate) fn start(endpoint: &Endpoint) {
    #[cfg(feature = "metrics")]
    count::describe();
    #[cfg(feature = "tracing")]
    for note in endpoint.keys.notes() {
        log::weakness(endpoint, note);
    }
}

/// Warns once if `outer`, the event of another verifying layer around this one, is present.
pub(crate) fn arrived(outer: Option<&VerifiedEvent>) {
    if let Some(outer) = outer
        && outer.shared().hints.is_first(Hint::VerifiedTwice)
    {
        #[cfg(feature = "tracing")]
        log::verified_twice(outer);
    }
}

/// Records a verified request.
pub(crate) fn verified(trace: &Trace, event: &VerifiedEvent) {
    #[cfg(feature = "tracing")]
    log::verified(event);
    #[cfg(feature = "metrics")]
    count::verified(event);
    // After the log line, which has the same fields.
    trace.verified(event);
}

/// Records a refusal by a layer or an extractor. `endpoint` is `None` without a layer.
pub(crate) fn refused(endpoint: Option<&Endpoint>, rejection: &Rejection) {
    #[cfg(feature = "tracing")]
    log::refused(endpoint, rejection);
    #[cfg(feature = "metrics")]
    count::refused(rejection);
}

/// Like [`refused`], for an extractor or a layer that has at most the event.
#[cfg(any(feature = "axum", feature = "actix"))]
pub(crate) fn refused_event(event: Option<&VerifiedEvent>, rejection: &Rejection) {
    refused(event.map(|event| &**event.shared()), rejection);
}

/// Records that the handler's 2xx status was replaced.
pub(crate) fn status_changed(endpoint: &Endpoint, from: StatusCode, to: StatusCode) {
    #[cfg(feature = "tracing")]
    log::status_changed(endpoint, from, to);
    #[cfg(feature = "metrics")]
    count::status_changed(endpoint);
}

/// An empty stand-in for the span of a request.
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
