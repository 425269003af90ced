//! Conversions to the types of actix-web, which are those of `http` 0.2.

use actix_web::{
    HttpResponse,
    http::{
        StatusCode,
        header::{HeaderName, HeaderValue},
    },
};

use crate::rejection::Rejection;

/// Converts a status. Both types hold the same numbers.
pub(super) fn status(status: http::StatusCode) -> StatusCode {
    StatusCode::from_u16(status.as_u16()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

pub(super) fn from_actix(status: StatusCode) -> http::StatusCode {
    http::StatusCode::from_u16(status.as_u16()).unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR)
}

/// Converts a response without a body.
pub(super) fn to_actix(response: http::Response<()>) -> HttpResponse {
    let (head, ()) = response.into_parts();
    let mut answer = HttpResponse::new(status(head.status));
    for (name, value) in &head.headers {
        let name = HeaderName::from_bytes(name.as_str().as_bytes());
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_bytes(value.as_bytes())) {
            answer.headers_mut().append(name, value);
        }
    }
    if let Some(rejection) = head.extensions.get::<Rejection>() {
        answer.extensions_mut().insert(rejection.clone());
    }
    answer
}
