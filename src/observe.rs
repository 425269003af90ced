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
    Rejection, VerifiedEvent,
    delivery::{DeliveryKey, DeliveryOutcome, StoreError},
    shared::Shared,
};

#[cfg(not(feature = "metrics"))]
use self::off::count;

/// A layer was made.
pub(crate) fn begin(shared: &Shared) {
    count::describe();
    for note in shared.secrets.notes() {
        log::weakness(shared, note);
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
pub(crate) fn handled(shared: &Shared) {
    if shared.uptake.is_news_that_untaken() {
        log::untaken(shared);
    }
}

/// The provider is told another success than the handler's.
pub(crate) fn status_changed(shared: &Shared, from: StatusCode, to: StatusCode) {
    log::status_changed(shared, from, to);
    count::status_changed(shared);
}

/// A delivery came to a path. One whose tenant stands in the path has as many of them as there are tenants.
pub(crate) fn came_to(event: &VerifiedEvent, path: &str) {
    if event.tenant().is_none() && event.shared().uptake.is_news_that_several_paths(path) {
        log::several_paths(event, path);
    }
}

/// An id came again with another body. With `by_id`, the two are one delivery all the same.
pub(crate) fn several_bodies(event: &VerifiedEvent, by_id: bool) {
    if event.shared().uptake.is_news_that_several_bodies() {
        log::several_bodies(event, by_id);
    }
}

/// A handler has failed, and its sender is gone.
pub(crate) fn unheard(event: &VerifiedEvent, problem: &str) {
    log::unheard(event, problem);
}

/// A task that goes on in the span of its request, and with its subscriber.
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
        pub(crate) fn new(_: &crate::shared::Shared) -> Self {
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
            Rejection, VerifiedEvent,
            delivery::{DeliveryKey, DeliveryOutcome, StoreError},
            shared::Shared,
        };

        pub(crate) fn claiming(_: DeliveryKey) {}
        pub(crate) fn nameless(_: &VerifiedEvent) {}
        pub(crate) fn several_paths(_: &VerifiedEvent, _: &str) {}
        pub(crate) fn several_bodies(_: &VerifiedEvent, _: bool) {}
        pub(crate) fn unheard(_: &VerifiedEvent, _: &str) {}
        pub(crate) fn claimed_twice(_: &VerifiedEvent) {}
        pub(crate) fn delivered(_: &VerifiedEvent, _: DeliveryOutcome, _: Option<&StoreError>) {}
        pub(crate) fn renewal_failed(_: &VerifiedEvent, _: &StoreError) {}
        pub(crate) fn claim_lost(_: &VerifiedEvent) {}
        pub(crate) fn weakness(_: &Shared, _: &str) {}
        pub(crate) fn verified(_: &VerifiedEvent) {}
        pub(crate) fn verified_twice(_: &VerifiedEvent) {}
        pub(crate) fn refused(_: &Rejection) {}
        pub(crate) fn untaken(_: &Shared) {}
        pub(crate) fn status_changed(_: &Shared, _: StatusCode, _: StatusCode) {}
    }

    #[cfg(not(feature = "metrics"))]
    pub(crate) mod count {
        use crate::{Rejection, VerifiedEvent, delivery::DeliveryOutcome, shared::Shared};

        pub(crate) fn delivered(_: &VerifiedEvent, _: DeliveryOutcome) {}
        pub(crate) fn describe() {}
        pub(crate) fn verified(_: &VerifiedEvent) {}
        pub(crate) fn refused(_: &Rejection) {}
        pub(crate) fn status_changed(_: &Shared) {}
    }
}
