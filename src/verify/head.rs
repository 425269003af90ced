//! [`CheckedHead`]: what is decided before a byte of the body is read.

use std::{fmt, sync::Arc, time::SystemTime};

use smallvec::SmallVec;

use crate::{
    clock::unix_seconds,
    compiled::head::ParsedHead,
    endpoint::Endpoint,
    head::Head,
    rejection::{Reason, Rejection, kind::RejectionKind},
};

/// A request whose head is in order. It owns what it needs of the head.
#[must_use = "a checked head proves nothing yet; go on with `with_keys`"]
pub struct CheckedHead {
    pub(crate) endpoint: Arc<Endpoint>,
    /// The variants under which the head is in order, at least one.
    pub(crate) variants: Variants,
    /// The value of `Content-Length`.
    pub(crate) declared: Option<u64>,
    /// When the head was checked, in seconds since 1970.
    pub(crate) received: i64,
}

/// Indexes of variants, with the values that each takes from the head.
pub(crate) type Variants = SmallVec<[(usize, ParsedHead); 1]>;

impl CheckedHead {
    /// `at_least` is the known minimum length of the body.
    pub(crate) fn new(
        endpoint: &Arc<Endpoint>,
        head: &Head<'_>,
        at_least: u64,
        now: SystemTime,
    ) -> Result<Self, Rejection> {
        let refused = |reason| Rejection::new(reason, &endpoint.labels);
        let lines = endpoint.headers.look_up(head);
        let declared = lines.declared_length();
        let length = declared.unwrap_or(0).max(at_least);
        if length > u64::try_from(endpoint.max_body).unwrap_or(u64::MAX) {
            let reason = Reason::new(RejectionKind::BodyTooLarge);
            return Err(refused(reason.with_body_length(length)));
        }
        let received = unix_seconds(now);
        let mut variants = Variants::new();
        let mut first = None;
        for (variant, scheme) in endpoint.schemes.iter().enumerate() {
            match scheme.parse_head(&lines, received, endpoint.tolerance(variant)) {
                Ok(parsed) => variants.push((variant, parsed)),
                Err(reason) => {
                    first.get_or_insert(reason);
                }
            }
        }
        match first {
            Some(reason) if variants.is_empty() => Err(refused(reason)),
            _ => Ok(Self {
                endpoint: Arc::clone(endpoint),
                variants,
                declared,
                received,
            }),
        }
    }
}

impl fmt::Debug for CheckedHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CheckedHead")
            .field("provider", &self.endpoint.labels.provider)
            .field("endpoint", &self.endpoint.name())
            .finish_non_exhaustive()
    }
}
