//! A request of actix-web as the core reads it, and the body for the handler.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use actix_web::{
    dev::{Payload, ServiceRequest},
    error::PayloadError,
    http::header::HeaderMap,
};
use bytes::Bytes;
use futures_core::Stream;
use http_body::Frame;

use crate::{
    head::{Head, Headers},
    verify::future::TooLong,
};

pub(super) fn head_of(request: &ServiceRequest) -> Head<'_> {
    Head {
        method: request.method().as_str(),
        path: request.uri().path(),
        query: request.uri().query().unwrap_or_default(),
        headers: request.headers(),
    }
}

/// Gives the request a body that was read.
pub(super) fn rebuild(request: &mut ServiceRequest, body: Bytes) {
    let payload = Box::pin(Checked(Some(body)));
    request.set_payload(Payload::Stream { payload });
}

impl Headers for HeaderMap {
    fn for_each<'h>(&'h self, line: &mut dyn FnMut(&'h str, &'h [u8])) {
        for (name, value) in self {
            line(name.as_str(), value.as_bytes());
        }
    }
}

/// Adapts actix-web's payload to [`http_body::Body`].
pub(super) struct Incoming(pub(super) Payload);

impl http_body::Body for Incoming {
    type Data = Bytes;
    type Error = Box<dyn std::error::Error + Send + Sync>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let next = ready!(Pin::new(&mut self.0).poll_next(cx));
        Poll::Ready(next.map(|chunk| match chunk {
            Ok(bytes) => Ok(Frame::data(bytes)),
            Err(PayloadError::Overflow) => Err(TooLong.into()),
            Err(error) => Err(error.into()),
        }))
    }
}

/// The body that was checked, as an actix-web payload.
struct Checked(Option<Bytes>);

impl Stream for Checked {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Poll::Ready(self.0.take().map(Ok))
    }
}
