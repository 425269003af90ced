//! The span of one request, around the checks and the handler.

use tracing::{Span, field::Empty, span::Entered};

use crate::{Rejection, RejectionKind, VerifiedEvent, shared::Shared};

pub(crate) struct Trace(Span);

impl Trace {
    pub(crate) fn new(shared: &Shared) -> Self {
        Self(tracing::info_span!(
            target: "tower_webhook",
            "webhook",
            provider = shared.provider().name(),
            endpoint = shared.endpoint(),
            tenant = Empty,
            outcome = Empty,
            kind = Empty,
            key_id = Empty,
            construction = Empty,
            delivery_key = Empty,
            skew = Empty,
            bytes = Empty,
        ))
    }

    /// As long as what it returns lives, log lines belong to the span.
    pub(crate) fn enter(&self) -> Entered<'_> {
        self.0.enter()
    }

    pub(crate) fn verified(&self, event: &VerifiedEvent) {
        // Each field would be looked for by its name, and written nowhere.
        if self.0.is_disabled() {
            return;
        }
        self.0.record("outcome", "verified");
        self.0.record("tenant", event.tenant());
        self.0.record("key_id", event.key_id());
        self.0.record("construction", event.construction());
        self.0.record("skew", event.skew());
        self.0.record("bytes", event.raw_body().len());
    }

    pub(crate) fn refused(&self, rejection: &Rejection) {
        if self.0.is_disabled() {
            return;
        }
        self.0.record("outcome", "refused");
        self.0.record("kind", rejection.kind().as_str());
        self.0.record("tenant", rejection.tenant());
        self.0.record("skew", rejection.skew());
        let of_body = matches!(
            rejection.kind(),
            RejectionKind::BodyTooLarge | RejectionKind::SignatureMismatch
        );
        if of_body {
            self.0.record("bytes", rejection.length());
        }
    }
}
