//! What can be decided before a byte of the body is read.

use std::{fmt, sync::Arc, time::SystemTime};

use super::{
    Check,
    proof::{Admissions, Party, Proof},
};
use crate::{
    Rejection, Secrets,
    clock::unix_seconds,
    head::Head,
    lookup::{SourceError, Tenant},
    near::Near,
    rejection::{Reason, RejectionKind},
    scheme::Admitted,
};

/// A request whose head is in order. It owns what it needs of the head.
#[must_use = "a gate alone proves nothing; go on with `check`"]
pub struct Gate {
    pub(super) proof: Arc<Proof>,
}

impl Gate {
    pub(crate) fn new(
        shared: &Arc<Near>,
        head: &Head<'_>,
        now: SystemTime,
    ) -> Result<Self, Rejection> {
        let seen = shared.headers.look_up(head);
        let declared = seen.declared_length();
        let limit = u64::try_from(shared.max_body).unwrap_or(u64::MAX);
        if let Some(length) = declared
            && length > limit
        {
            let reason = Reason::new(RejectionKind::BodyTooLarge).with_declared(length);
            return Err(Rejection::new(reason, shared));
        }
        let received = unix_seconds(now);
        let mut admitted = Admissions::new();
        let mut refused = None;
        for (index, scheme) in shared.schemes.iter().enumerate() {
            // In its place from the start, since it is large.
            admitted.push(Admitted::new(index));
            let Some(place) = admitted.last_mut() else {
                continue;
            };
            if let Err(reason) = scheme.admit(&seen, received, shared.tolerance(index), place) {
                admitted.pop();
                refused.get_or_insert(reason);
            }
        }
        match refused {
            Some(reason) if admitted.is_empty() => Err(Rejection::new(reason, shared)),
            _ => Ok(Self {
                proof: Proof::new(shared, admitted, declared, received),
            }),
        }
    }

    /// Goes on to the body. It takes `secrets` and not the verifier's own, so that they can be looked up
    /// for the request.
    ///
    /// # Errors
    ///
    /// [`RejectionKind::NoValidKey`] when no key is valid at the time of the gate, or when the keys were made for
    /// another provider.
    pub fn check(self, secrets: &Secrets) -> Result<Check, Rejection> {
        self.check_for(Party::Endpoint, secrets)
    }

    /// As [`check`](Self::check), with the keys of the tenant that was [looked up](crate::lookup) for the request. `None` is
    /// one that does not exist: the request is checked with a decoy key, and refused at the end.
    ///
    /// # Errors
    ///
    /// For each reason of [`check`](Self::check).
    pub fn check_tenant(self, tenant: Option<&Tenant>) -> Result<Check, Rejection> {
        match tenant {
            Some(tenant) => {
                let party = tenant.shared_id().map_or(Party::Endpoint, Party::Tenant);
                self.check_for(party, tenant.secrets())
            }
            None => {
                let shared = Arc::clone(&self.proof.shared);
                self.check_for(Party::Unknown, &shared.decoy)
            }
        }
    }

    fn check_for(self, party: Party, secrets: &Secrets) -> Result<Check, Rejection> {
        let usable = secrets.fit(&self.proof.shared.schemes)
            && secrets
                .keys()
                .iter()
                .any(|key| key.valid_at(self.proof.received));
        if usable {
            Ok(Check::new(self, party, secrets))
        } else {
            let reason = Reason::new(RejectionKind::NoValidKey).of(party.tenant());
            Err(Rejection::new(reason, &self.proof.shared))
        }
    }

    pub(crate) fn reject(&self, kind: RejectionKind) -> Rejection {
        Rejection::new(Reason::new(kind), &self.proof.shared)
    }

    /// No keys could be had.
    pub(crate) fn unanswered(&self, error: SourceError) -> Rejection {
        Rejection::unanswered(error, &self.proof.shared)
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate")
            .field("provider", &self.proof.shared.provider().name())
            .field("endpoint", &self.proof.shared.endpoint())
            .finish_non_exhaustive()
    }
}
