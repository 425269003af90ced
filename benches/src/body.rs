//! [`Frames`]: a request body in frames of equal size that counts its polls.

use std::{
    cell::Cell,
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

thread_local! {
    static POLLS: Cell<usize> = const { Cell::new(0) };
}

/// The number of polls of bodies by this thread since the last call.
pub fn take_polls() -> usize {
    POLLS.take()
}

/// A body whose frames are always ready, so that the network is not measured.
pub struct Frames {
    rest: Bytes,
    frame: usize,
    declared: bool,
    fresh: bool,
}

impl Frames {
    /// `declared`: the length is known in advance, as from `Content-Length`.
    /// `fresh`: each frame is copied into a separate allocation.
    pub fn new(body: Bytes, frame: Option<usize>, declared: bool, fresh: bool) -> Self {
        Self {
            frame: frame.unwrap_or(body.len()),
            rest: body,
            declared,
            fresh,
        }
    }

    fn next(&mut self) -> Option<Bytes> {
        POLLS.set(POLLS.get() + 1);
        let length = self.frame.min(self.rest.len());
        if length == 0 {
            return None;
        }
        let frame = self.rest.split_to(length);
        Some(match self.fresh {
            true => Bytes::copy_from_slice(&frame),
            false => frame,
        })
    }
}

impl From<Bytes> for Frames {
    fn from(body: Bytes) -> Self {
        Self::new(body, None, true, false)
    }
}

impl Body for Frames {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.next().map(|data| Ok(Frame::data(data))))
    }

    // A chunked body does not know that it has ended until it is polled again.
    fn is_end_stream(&self) -> bool {
        self.declared && self.rest.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        match self.declared {
            true => SizeHint::with_exact(self.rest.len() as u64),
            false => SizeHint::default(),
        }
    }
}

/// The body as a payload of actix-web.
impl futures_core::Stream for Frames {
    type Item = Result<Bytes, actix_web::error::PayloadError>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Poll::Ready(self.next().map(Ok))
    }
}
