//! What operators see: the span of a request, log lines, counters. Without the features it is nothing.
//!
//! Nothing secret and nothing personal goes through here: names, kinds, lengths and times only.

#[cfg(feature = "metrics")]
mod count;
#[cfg(feature = "tracing")]
mod log;
#[cfg(feature = "tracing")]
mod trace;

use http::StatusCode;

#[cfg(not(feature = "tracing"))]
pub(crate) use self::off::{Trace, log};
#[cfg(feature = "tracing")]
pub(crate) use self::trace::Trace;
use crate::{
    Rejection, VerifiedEvent, Verifier,
    delivery::{DeliveryKey, DeliveryOutcome, StoreError},
};

#[cfg(not(feature = "metrics"))]
use self::off::count;

/// A layer was made.
pub(crate) fn begin(verifier: &Verifier) {
    count::describe();
    for note in verifier.secrets().notes() {
        log::weakness(verifier, note);
    }
}

/// An event is let in.
pub(crate) fn verified(trace: &Trace, event: &VerifiedEvent) {
    log::verified(event);
    count::verified(event);
    // Last: a line that says it all need not have it from the span, too.
    trace.verified(event);
}

/// A request is here. One that a middleware further out has verified already passes through two, whatever this one makes of it.
pub(crate) fn arrived(outer: Option<&VerifiedEvent>) {
    let Some(outer) = outer else { return };
    let uptake = &outer.shared().uptake;
    if uptake.is_news_that_twice() {
        log::verified_twice(outer);
    }
    // The handler gets the event of the inner one; it is not to be told that it takes none.
    uptake.take();
}

/// A request is refused, by the middleware or by an extractor inside it.
pub(crate) fn refused(rejection: &Rejection) {
    log::refused(rejection);
    count::refused(rejection);
}

/// A handler has answered an event with success.
pub(crate) fn handled(verifier: &Verifier) {
    if verifier.shared().uptake.is_news_that_untaken() {
        log::untaken(verifier);
    }
}

/// The provider is told another success than the handler's.
pub(crate) fn status_changed(verifier: &Verifier, from: StatusCode, to: StatusCode) {
    log::status_changed(verifier, from, to);
    count::status_changed(verifier);
}

/// A delivery is about to be claimed.
pub(crate) fn claiming(event: &VerifiedEvent, key: DeliveryKey) {
    log::claiming(key);
    if event.endpoint().is_none() && event.shared().uptake.is_news_that_nameless() {
        log::nameless(event);
    }
}

/// The delivery layer meets a request that one further out has claimed already.
pub(crate) fn claimed_twice(event: &VerifiedEvent) {
    if event.shared().uptake.is_news_that_claimed_twice() {
        log::claimed_twice(event);
    }
}

/// How a delivery ended.
pub(crate) fn delivered(
    event: &VerifiedEvent,
    outcome: DeliveryOutcome,
    error: Option<&StoreError>,
) {
    log::delivered(event, outcome, error);
    count::delivered(event, outcome);
}

/// A claim could not be renewed, and may be another time.
pub(crate) fn renewal_failed(event: &VerifiedEvent, error: &StoreError) {
    log::renewal_failed(event, error);
}

/// A claim has become another's while the handler was running.
pub(crate) fn claim_lost(event: &VerifiedEvent) {
    log::claim_lost(event);
}

/// Stands in for what a feature would bring.
#[cfg(not(all(feature = "tracing", feature = "metrics")))]
mod off {
    #[cfg(not(feature = "tracing"))]
    pub(crate) struct Trace;

    #[cfg(not(feature = "tracing"))]
    impl Trace {
        pub(crate) fn new(_: &crate::Verifier) -> Self {
            Self
        }

        pub(crate) fn enter(&self) -> &Self {
            self
        }

        pub(crate) fn verified(&self, _: &crate::VerifiedEvent) {}

        pub(crate) fn refused(&self, _: &crate::Rejection) {}
    }

    #[cfg(not(feature = "tracing"))]
    pub(crate) mod log {
        use http::StatusCode;

        use crate::{
            Rejection, VerifiedEvent, Verifier,
            delivery::{DeliveryKey, DeliveryOutcome, StoreError},
        };

        pub(crate) fn claiming(_: DeliveryKey) {}
        pub(crate) fn nameless(_: &VerifiedEvent) {}
        pub(crate) fn claimed_twice(_: &VerifiedEvent) {}
        pub(crate) fn delivered(_: &VerifiedEvent, _: DeliveryOutcome, _: Option<&StoreError>) {}
        pub(crate) fn renewal_failed(_: &VerifiedEvent, _: &StoreError) {}
        pub(crate) fn claim_lost(_: &VerifiedEvent) {}
        pub(crate) fn weakness(_: &Verifier, _: &str) {}
        pub(crate) fn verified(_: &VerifiedEvent) {}
        pub(crate) fn verified_twice(_: &VerifiedEvent) {}
        pub(crate) fn refused(_: &Rejection) {}
        pub(crate) fn untaken(_: &Verifier) {}
        pub(crate) fn status_changed(_: &Verifier, _: StatusCode, _: StatusCode) {}
    }

    #[cfg(not(feature = "metrics"))]
    pub(crate) mod count {
        use crate::{Rejection, VerifiedEvent, Verifier, delivery::DeliveryOutcome};

        pub(crate) fn delivered(_: &VerifiedEvent, _: DeliveryOutcome) {}
        pub(crate) fn describe() {}
        pub(crate) fn verified(_: &VerifiedEvent) {}
        pub(crate) fn refused(_: &Rejection) {}
        pub(crate) fn status_changed(_: &Verifier) {}
    }
}
