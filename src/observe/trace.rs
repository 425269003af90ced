//! The span of a request, around its verification and its handler.

use std::sync::{Arc, atomic::Ordering};

use tracing::{
    Level, Span, Value,
    field::{Empty, display},
    span::Entered,
};

use crate::{
    endpoint::Endpoint,
    event::VerifiedEvent,
    head::Head,
    rejection::{Rejection, kind::RejectionKind, shown},
};

/// The span, if a subscriber records it.
pub(crate) struct Trace {
    span: Option<Span>,
    /// Whether the endpoint is known only with the result.
    is_of_several: bool,
}

impl Trace {
    pub(crate) fn new(endpoints: &[Arc<Endpoint>], head: &Head<'_>) -> Self {
        let (endpoint, is_of_several) = match endpoints {
            [endpoint] => (Some(endpoint), false),
            _ => (None, true),
        };
        if !tracing::span_enabled!(target: "tower_webhook", Level::INFO) {
            return Self {
                span: None,
                is_of_several,
            };
        }
        let span = tracing::info_span!(
            target: "tower_webhook",
            "webhook",
            provider = endpoint.map(|endpoint| &*endpoint.labels.provider),
            endpoint = endpoint.and_then(|endpoint| endpoint.name()),
            method = &*shown(head.method),
            path = &*shown(head.path),
            outcome = Empty,
            kind = Empty,
            hints = Empty,
            tenant = Empty,
            asked_tenant = Empty,
            event_type = Empty,
            delivery_id = Empty,
            unsigned = Empty,
            key_id = Empty,
            variant = Empty,
            delivery_key = Empty,
            skew = Empty,
            bytes = Empty,
        );
        Self {
            span: Some(span),
            is_of_several,
        }
    }

    /// The span that is current inside of a verifying layer, if it is that layer's.
    pub(crate) fn of_event(event: &VerifiedEvent) -> Self {
        let current = Span::current();
        let metadata = current.metadata();
        let is_ours = metadata.is_some_and(|metadata| metadata.target() == "tower_webhook");
        let is_traced = event.data().traced.load(Ordering::Relaxed);
        Self {
            span: Some(current).filter(|_| is_ours && is_traced),
            is_of_several: false,
        }
    }

    /// Records the endpoint that decided, if there are several.
    pub(crate) fn decided_by(&self, provider: Option<&str>, endpoint: Option<&str>) {
        if self.is_of_several {
            self.record("provider", provider);
            self.record("endpoint", endpoint);
        }
    }

    /// Enters the span until the guard is dropped.
    pub(crate) fn enter(&self) -> Option<Entered<'_>> {
        self.span.as_ref().map(Span::enter)
    }

    /// Whether lines within have the fields of the span.
    pub(crate) fn is_recorded(&self) -> bool {
        self.span.is_some()
    }

    pub(crate) fn verified(&self, event: &VerifiedEvent) {
        if !self.is_recorded() {
            return;
        }
        self.record("outcome", Some("verified"));
        self.record("tenant", event.tenant());
        self.record("event_type", event.event_type().map(shown).as_deref());
        self.record("delivery_id", event.delivery_id().map(shown).as_deref());
        self.record("unsigned", unsigned(event));
        self.record("key_id", event.key_id());
        self.record("variant", Some(event.variant()));
        self.record("skew", event.skew_seconds());
        self.record("bytes", Some(event.body().len()));
    }

    pub(crate) fn refused(&self, rejection: &Rejection, outcome: &'static str) {
        if !self.is_recorded() {
            return;
        }
        self.record("outcome", Some(outcome));
        self.record("kind", Some(rejection.kind().as_str()));
        let hints = rejection.hint_set();
        self.record("hints", (!hints.is_empty()).then(|| display(hints)));
        self.record("tenant", rejection.tenant());
        self.record("asked_tenant", rejection.asked_tenant());
        self.record("event_type", rejection.event_type());
        self.record("delivery_id", rejection.delivery_id());
        self.record("unsigned", unsigned_of_refused(rejection));
        self.record("skew", rejection.skew_seconds());
        let of_body = matches!(
            rejection.kind(),
            RejectionKind::BodyTooLarge | RejectionKind::SignatureMismatch
        );
        self.record("bytes", rejection.body_length().filter(|_| of_body));
    }

    pub(crate) fn handshake(&self, outcome: &'static str) {
        self.record("outcome", Some(outcome));
    }

    /// Records a field that has a value; subscribers would write an absent one as a blank.
    fn record(&self, field: &'static str, value: Option<impl Value>) {
        if let (Some(span), Some(value)) = (&self.span, value) {
            span.record(field, value);
        }
    }
}

/// Which of an event's type and id are not signed.
pub(crate) fn unsigned(event: &VerifiedEvent) -> Option<&'static str> {
    let (kind, id) = event.data().unsigned();
    name_unsigned(kind, id)
}

/// As [`unsigned`], for a request that was refused: nothing of it is proven.
pub(crate) fn unsigned_of_refused(rejection: &Rejection) -> Option<&'static str> {
    name_unsigned(
        rejection.event_type().is_some(),
        rejection.delivery_id().is_some(),
    )
}

fn name_unsigned(event_type: bool, delivery_id: bool) -> Option<&'static str> {
    match (event_type, delivery_id) {
        (true, true) => Some("event_type,delivery_id"),
        (true, false) => Some("event_type"),
        (false, true) => Some("delivery_id"),
        (false, false) => None,
    }
}
