//! [`Late`]: a request whose keys are got once everything else is in order.

use std::task::{Context, Poll, ready};

use crate::{keys::source::KeySetFuture, rejection::Rejection, verify::body::Comparison};

/// A comparison that waits for the key that the request names.
pub(crate) struct Late {
    pub(super) comparison: Comparison,
    keys: KeySetFuture,
}

impl Late {
    pub(super) fn new(comparison: Comparison, keys: KeySetFuture) -> Box<Self> {
        Box::new(Self { comparison, keys })
    }

    /// Ready when the comparison has its keys, or fails for want of them.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Rejection>> {
        let keys = ready!(self.keys.as_mut().poll(cx));
        Poll::Ready(self.comparison.add_keys(keys))
    }
}
