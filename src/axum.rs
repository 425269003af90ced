//! axum: `VerifiedEvent<T>` as an extractor.

use ::axum::{
    body::Body,
    extract::FromRequestParts,
    response::{IntoResponse, Response},
};
use http::request::Parts;

use crate::{Payload, Rejection, VerifiedEvent};

/// Takes the event that [`WebhookVerifyLayer`](crate::WebhookVerifyLayer) put there.
///
/// Without the layer, or when a genuine event is not a `T`, the answer is 500, so that the provider sends the event
/// again once our side is mended; the log says what is wrong.
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

/// A status without a body. The rejection goes to the log and into the response's extensions.
impl IntoResponse for Rejection {
    fn into_response(self) -> Response {
        Self::into_response::<Body>(self)
    }
}
