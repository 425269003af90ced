//! `VerifiedEvent::from_extensions`, for handlers without an extractor.

use http::Extensions;

use crate::{
    event::{Absence, Payload, VerifiedEvent, handshake::HandshakeEvent},
    observe,
    rejection::Rejection,
};

impl<T: Payload> VerifiedEvent<T> {
    /// Takes the event that [`WebhookVerifyLayer`](crate::WebhookVerifyLayer) has inserted, and
    /// reads it as `T`. A failure is logged and counted, as an extractor does.
    ///
    /// ```
    /// use bytes::Bytes;
    /// use http::{Extensions, StatusCode};
    /// use tower_webhook::{RejectionKind, VerifiedEvent};
    ///
    /// let no_layer = Extensions::new();
    /// let rejection = VerifiedEvent::<Bytes>::from_extensions(&no_layer).unwrap_err();
    /// assert_eq!(rejection.kind(), RejectionKind::LayerMissing);
    /// assert_eq!(rejection.to_response().status(), StatusCode::INTERNAL_SERVER_ERROR);
    /// ```
    ///
    /// # Errors
    ///
    /// [`LayerMissing`](crate::RejectionKind::LayerMissing) when there is no event,
    /// [`UnreadablePayload`](crate::RejectionKind::UnreadablePayload) when it cannot be read as
    /// `T`.
    pub fn from_extensions(extensions: &Extensions) -> Result<Self, Rejection> {
        let event = extensions.get();
        let absence = Absence::of(
            extensions.get::<Rejection>().is_some(),
            extensions.get::<HandshakeEvent>().is_some(),
        );
        Self::extract(event, absence)
            .inspect_err(|rejection| observe::refused_event(event, rejection))
    }
}
