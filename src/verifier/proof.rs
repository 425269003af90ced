//! What is known of one request: gathered by gate and check, shown by the event that they end with.
//!
//! It stands in one place from the gate on, so that no step has to move it: the one allocation of a request.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use smallvec::SmallVec;

use crate::{
    delivery::DeliveryKey,
    near::Near,
    scheme::{Admitted, CompiledScheme},
};

/// The constructions under which a head is in order, at least one.
pub(super) type Admissions = SmallVec<[Admitted; 1]>;

pub(crate) struct Proof {
    pub(crate) shared: Arc<Near>,
    pub(super) admitted: Admissions,
    /// What `Content-Length` says.
    pub(super) declared: Option<u64>,
    /// The time of the gate, in seconds since 1970.
    pub(crate) received: i64,
    // What the end of the check adds.
    pub(crate) party: Party,
    /// Of `admitted`, the construction that matched.
    pub(super) place: usize,
    pub(crate) key_id: Option<Arc<str>>,
    pub(crate) body: Bytes,
    /// Of the body: from the check, where the scheme signs it, else when it is first asked for.
    pub(crate) body_sha256: OnceLock<[u8; 32]>,
    /// Read out of the body when they are first asked for.
    pub(crate) event_type: OnceLock<Option<Box<str>>>,
    pub(crate) delivery_id: OnceLock<Option<Box<str>>>,
    /// Without a route.
    pub(crate) delivery_key: OnceLock<DeliveryKey>,
    /// At the route of the delivery layer.
    pub(crate) claimed_key: OnceLock<DeliveryKey>,
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
        shared: &Arc<Near>,
        admitted: Admissions,
        declared: Option<u64>,
        received: i64,
    ) -> Arc<Self> {
        Arc::new(Self {
            shared: Arc::clone(shared),
            admitted,
            declared,
            received,
            party: Party::Endpoint,
            place: 0,
            key_id: None,
            body: Bytes::new(),
            body_sha256: OnceLock::new(),
            event_type: OnceLock::new(),
            delivery_id: OnceLock::new(),
            delivery_key: OnceLock::new(),
            claimed_key: OnceLock::new(),
        })
    }

    /// What the head gave under the construction that matched.
    pub(crate) fn admitted(&self) -> Option<&Admitted> {
        self.admitted.get(self.place)
    }

    /// The construction that matched.
    pub(crate) fn scheme(&self) -> Option<&CompiledScheme> {
        self.shared.scheme(self.scheme_index()?)
    }

    pub(crate) fn scheme_index(&self) -> Option<usize> {
        Some(self.admitted()?.scheme)
    }
}
