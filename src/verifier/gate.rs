//! What can be decided before a byte of the body is read.

use std::{fmt, sync::Arc, time::SystemTime};

use smallvec::SmallVec;

use super::Check;
use crate::{
    Rejection, Secrets,
    clock::unix_seconds,
    head::Head,
    rejection::{Reason, RejectionKind},
    scheme::Admitted,
    shared::Shared,
};

/// A request whose head is in order. It owns what it needs of the head.
#[must_use = "a gate alone proves nothing; go on with `check`"]
pub struct Gate {
    pub(super) shared: Arc<Shared>,
    /// The constructions under which the head is in order, at least one.
    pub(super) admitted: SmallVec<[(usize, Admitted); 1]>,
    pub(super) declared: Option<u64>,
    pub(super) now: i64,
}

impl Gate {
    pub(super) fn new(
        shared: &Arc<Shared>,
        head: &Head<'_>,
        now: SystemTime,
    ) -> Result<Self, Rejection> {
        let declared = head.declared_length();
        let limit = u64::try_from(shared.max_body).unwrap_or(u64::MAX);
        if let Some(length) = declared
            && length > limit
        {
            let reason = Reason::new(RejectionKind::BodyTooLarge).with_declared(length);
            return Err(Rejection::new(reason, shared));
        }
        let now = unix_seconds(now);
        let mut admitted = SmallVec::new();
        let mut refused = None;
        for (index, scheme) in shared.schemes.iter().enumerate() {
            match scheme.admit(head, now, shared.tolerance(index)) {
                Ok(passed) => admitted.push((index, passed)),
                Err(reason) => {
                    refused.get_or_insert(reason);
                }
            }
        }
        match refused {
            Some(reason) if admitted.is_empty() => Err(Rejection::new(reason, shared)),
            _ => Ok(Self {
                shared: Arc::clone(shared),
                admitted,
                declared,
                now,
            }),
        }
    }

    /// Starts one hash for each key. It takes `secrets` and not the verifier's own, so that they can be looked up
    /// for the request.
    ///
    /// # Errors
    ///
    /// [`RejectionKind::NoValidKey`] when no key is valid at the time of the gate, or when the keys were made for
    /// another provider.
    pub fn check(self, secrets: &Secrets) -> Result<Check, Rejection> {
        let usable = secrets.fit(&self.shared.schemes)
            && secrets.keys().iter().any(|key| key.valid_at(self.now));
        if usable {
            Check::new(self, secrets)
        } else {
            let reason = Reason::new(RejectionKind::NoValidKey);
            Err(Rejection::new(reason, &self.shared))
        }
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate")
            .field("provider", &self.shared.provider().name())
            .field("endpoint", &self.shared.endpoint())
            .finish_non_exhaustive()
    }
}
