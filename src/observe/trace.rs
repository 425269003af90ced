//! The span of a request, around its verification and its handler.

use tracing::{Level, Span, field::Empty, span::Entered};

use crate::{
    endpoint::Endpoint,
    event::VerifiedEvent,
    rejection::{Rejection, kind::RejectionKind},
};

/// `None` if no subscriber records the span.
pub(crate) struct Trace(Option<Span>);

impl Trace {
    pub(crate) fn new(endpoint: &Endpoint) -> Self {
        if !tracing::span_enabled!(target: "tower_webhook", Level::INFO) {
            return Self(None);
        }
        Self(Some(tracing::info_span!(
            target: "tower_webhook",
            "webhook",
            provider = &*endpoint.labels.provider,
            endpoint = endpoint.name(),
            tenant = Empty,
            outcome = Empty,
            kind = Empty,
            key_id = Empty,
            variant = Empty,
            delivery_key = Empty,
            skew = Empty,
            bytes = Empty,
        )))
    }

    /// Enters the span until the guard is dropped.
    pub(crate) fn enter(&self) -> Option<Entered<'_>> {
        self.0.as_ref().map(Span::enter)
    }

    pub(crate) fn verified(&self, event: &VerifiedEvent) {
        let Some(span) = &self.0 else { return };
        span.record("outcome", "verified");
        span.record("tenant", event.tenant());
        span.record("key_id", event.key_id());
        span.record("variant", event.variant());
        span.record("skew", event.skew_seconds());
        span.record("bytes", event.body().len());
    }

    pub(crate) fn refused(&self, rejection: &Rejection) {
        let Some(span) = &self.0 else { return };
        span.record("outcome", "refused");
        span.record("kind", rejection.kind().as_str());
        span.record("tenant", rejection.tenant());
        span.record("skew", rejection.skew_seconds());
        let of_body = matches!(
            rejection.kind(),
            RejectionKind::BodyTooLarge | RejectionKind::SignatureMismatch
        );
        if of_body {
            span.record("bytes", rejection.body_length());
        }
    }
}
