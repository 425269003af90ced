//! [`Late`]: a request whose keys are got once everything else is in order.

use std::task::{Context, Poll, ready};

use crate::{keys::source::LateKeysFuture, rejection::Rejection, verify::body::Comparison};

/// A comparison that waits for the keys that the request names.
pub(crate) struct Late {
    pub(super) comparison: Comparison,
    keys: LateKeysFuture,
}

impl Late {
    pub(super) fn new(comparison: Comparison, keys: LateKeysFuture) -> Box<Self> {
        Box::new(Self { comparison, keys })
    }

    /// Ready when the comparison has its keys, or fails for want of them.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Rejection>> {
        let found = ready!(self.keys.as_mut().poll(cx));
        Poll::Ready(self.comparison.add_keys(found))
    }
}
