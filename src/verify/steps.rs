//! What the futures for one endpoint and for several share.

use std::task::{Context, Poll, ready};

use bytes::Bytes;

use crate::{
    keys::source::{KeySourceError, LateKeysFuture, Tenant},
    rejection::{Reason, Rejection, kind::RejectionKind},
    verify::{
        body::{BodyVerifier, Comparison},
        head::CheckedHead,
    },
};

/// Yields after this many bytes, times keys: one or two milliseconds of hashing. A frame, or the
/// comparison with one key, is not divided.
pub(super) const HASHED_AT_ONCE: usize = 1 << 20;

/// The tenant that the key source found.
pub(super) fn looked_up(
    head: &CheckedHead,
    asked: &mut Option<Box<str>>,
    answer: Result<Option<Tenant>, KeySourceError>,
) -> Result<Option<Tenant>, Rejection> {
    answer.map_err(|error| {
        let reason = Reason::new(RejectionKind::KeySourceFailed).asking_for(asked.take());
        Rejection::caused_by(reason, &head.data.endpoint.labels, error.into_inner())
    })
}

/// The refusal of a request whose keys have not arrived in time.
pub(super) fn late_keys(head: &CheckedHead, asked: &mut Option<Box<str>>) -> Rejection {
    let reason = Reason::new(RejectionKind::KeySourceTimeout).asking_for(asked.take());
    Rejection::new(reason, &head.data.endpoint.labels)
}

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

/// What takes the frames of a body.
pub(crate) trait Reader {
    /// The number of hashes of each byte.
    fn hash_count(&self) -> usize;
    fn update(&mut self, frame: Bytes) -> Result<(), Rejection>;
    fn reject_for(&self, reason: Reason) -> Rejection;
}

impl Reader for BodyVerifier {
    fn hash_count(&self) -> usize {
        self.hash_count()
    }

    fn update(&mut self, frame: Bytes) -> Result<(), Rejection> {
        self.update(frame)
    }

    fn reject_for(&self, reason: Reason) -> Rejection {
        self.reject_for(reason)
    }
}

/// Compares until every key was tried, or other tasks should run.
pub(super) fn poll_comparison(comparison: &mut Comparison, cx: &mut Context<'_>) -> Poll<()> {
    let mut hashed: usize = 0;
    while hashed < HASHED_AT_ONCE {
        if !comparison.step() {
            return Poll::Ready(());
        }
        hashed = hashed.saturating_add(comparison.len());
    }
    cx.waker().wake_by_ref();
    Poll::Pending
}
