//! What is known of one request: gathered by gate and check, shown by the event that they end with.
//!
//! It stands in one place from the gate on, so that no step has to move it: the one allocation of a request.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use sha2::Sha256;
use smallvec::SmallVec;
use zeroize::Zeroizing;

use super::buffer::Buffer;
use crate::{
    delivery::DeliveryKey,
    scheme::{Admitted, CompiledScheme, Hasher},
    shared::Shared,
};

pub(crate) struct Proof {
    pub(crate) shared: Arc<Shared>,
    pub(crate) party: Party,
    /// The constructions under which the head is in order, at least one.
    pub(super) admitted: SmallVec<[(usize, Admitted); 1]>,
    /// What `Content-Length` says.
    pub(super) declared: Option<u64>,
    /// The time of the gate, in seconds since 1970.
    pub(crate) received: i64,
    pub(super) work: Work,
    /// Of `admitted`, the construction that matched.
    pub(super) place: usize,
    pub(crate) key_id: Option<Arc<str>>,
    pub(crate) body: Bytes,
    /// Read out of the body when they are first asked for.
    pub(crate) event_type: OnceLock<Option<Box<str>>>,
    pub(crate) delivery_id: OnceLock<Option<Box<str>>>,
    pub(crate) delivery_key: OnceLock<DeliveryKey>,
}

/// What is there while the body arrives, and gone when it has.
pub(super) struct Work {
    pub(super) runs: SmallVec<[Run; 1]>,
    /// The SHA-256 of the body alone, where some scheme signs it.
    pub(super) digest: Option<Box<Sha256>>,
    pub(super) buffer: Buffer,
}

/// One key under one construction.
pub(super) struct Run {
    /// The place in `admitted`.
    pub(super) admitted: usize,
    pub(super) hasher: Hasher,
    pub(super) key: Zeroizing<Vec<u8>>,
    pub(super) id: Option<Arc<str>>,
    pub(super) valid: bool,
}

/// Whose keys a request is checked with.
pub(crate) enum Party {
    /// The endpoint's own.
    Endpoint,
    Tenant(Arc<str>),
    /// Nobody's: whatever the hash says, the request is refused.
    Unknown,
}

impl Party {
    pub(crate) fn tenant(&self) -> Option<&Arc<str>> {
        match self {
            Self::Tenant(id) => Some(id),
            Self::Endpoint | Self::Unknown => None,
        }
    }
}

impl Proof {
    pub(super) fn new(
        shared: &Arc<Shared>,
        admitted: SmallVec<[(usize, Admitted); 1]>,
        declared: Option<u64>,
        received: i64,
    ) -> Arc<Self> {
        Arc::new(Self {
            shared: Arc::clone(shared),
            party: Party::Endpoint,
            admitted,
            declared,
            received,
            work: Work {
                runs: SmallVec::new(),
                digest: None,
                buffer: Buffer::new(shared.max_body, declared),
            },
            place: 0,
            key_id: None,
            body: Bytes::new(),
            event_type: OnceLock::new(),
            delivery_id: OnceLock::new(),
            delivery_key: OnceLock::new(),
        })
    }

    /// What the head gave under the construction that matched.
    pub(crate) fn admitted(&self) -> Option<&Admitted> {
        Some(&self.admitted.get(self.place)?.1)
    }

    /// The construction that matched.
    pub(crate) fn scheme(&self) -> Option<&CompiledScheme> {
        self.shared.scheme(self.scheme_index()?)
    }

    pub(crate) fn scheme_index(&self) -> Option<usize> {
        Some(self.admitted.get(self.place)?.0)
    }
}
