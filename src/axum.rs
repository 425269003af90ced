//! The axum adapter: `VerifiedEvent<T>` as an extractor.

use ::axum::{
    body::Body,
    extract::{FromRequestParts, OptionalFromRequestParts},
    response::{IntoResponse, Response},
};
use http::request::Parts;

use crate::{
    event::{Payload, VerifiedEvent, handshake::HandshakeEvent},
    rejection::Rejection,
};

/// Takes the event that [`WebhookVerifyLayer`](crate::WebhookVerifyLayer) has inserted.
///
/// Without the layer, or if a genuine event cannot be read as a `T`, the response is 500, so that
/// the provider sends the event again once the receiver is fixed; the log has the cause.
impl<S, T> FromRequestParts<S> for VerifiedEvent<T>
where
    S: Send + Sync,
    T: Payload,
{
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Rejection> {
        Self::from_extensions(&parts.extensions)
    }
}

/// `None` on a route without the layer. An event that cannot be read as a `T` is still an error.
impl<S, T> OptionalFromRequestParts<S> for VerifiedEvent<T>
where
    S: Send + Sync,
    T: Payload,
{
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Rejection> {
        match parts.extensions.get::<VerifiedEvent>() {
            Some(_) => Self::from_extensions(&parts.extensions).map(Some),
            None => Ok(None),
        }
    }
}

/// Takes the handshake that the application has to act on. Take an `Option`, which most requests
/// lack.
impl<S: Send + Sync> FromRequestParts<S> for HandshakeEvent {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Rejection> {
        Self::from_extensions(&parts.extensions)
    }
}

/// `None` for a request that is no such handshake.
impl<S: Send + Sync> OptionalFromRequestParts<S> for HandshakeEvent {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Rejection> {
        Ok(parts.extensions.get().cloned())
    }
}

/// The status and headers of [`Rejection::to_response`], without a body.
impl IntoResponse for Rejection {
    fn into_response(self) -> Response {
        self.to_response().map(|()| Body::empty())
    }
}
