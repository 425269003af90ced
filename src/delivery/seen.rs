//! Recently seen delivery ids, to warn if one id comes with several bodies.

use std::{
    hash::{BuildHasher, RandomState},
    sync::{Mutex, PoisonError},
};

use crate::{delivery::observe, delivery_key::DeduplicateBy, event::VerifiedEvent};

/// The last ids, each with its body. The table is bounded: a new id overwrites the id in its slot.
pub(crate) struct SeenIds {
    hasher: RandomState,
    places: Mutex<Box<[Seen]>>,
}

#[derive(Clone, Copy, Default)]
struct Seen {
    id: u64,
    body: u64,
}

/// 1,024 slots of 16 bytes are 16 KiB.
const PLACES: usize = 1024;

impl SeenIds {
    /// Warns once per endpoint if an id that is not known to identify an event comes with another
    /// body.
    pub(crate) fn check(&self, event: &VerifiedEvent, route: &str) {
        let (data, provider) = (event.data(), &event.shared().provider);
        let by_id = match provider.deduplicate_by() {
            DeduplicateBy::Auto => false,
            DeduplicateBy::Id => true,
            _ => return,
        };
        // A provider that guarantees unique ids may change the body of a retry.
        if provider.delivery_id_is_unique() || !data.covers_body() {
            return;
        }
        let Some(id) = data.signed_delivery_id() else {
            return;
        };
        let owner = (event.endpoint(), event.tenant(), route);
        let id = self.hasher.hash_one((owner, id));
        let body = self.hasher.hash_one(data.body_sha256());
        let place = usize::try_from(id).unwrap_or_default() & (PLACES - 1);
        let before = {
            let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(seen) = places.get_mut(place) else {
                return;
            };
            std::mem::replace(seen, Seen { id, body })
        };
        if before.id == id && before.body != body {
            observe::several_bodies(event, by_id);
        }
    }
}

impl Default for SeenIds {
    fn default() -> Self {
        Self {
            hasher: RandomState::new(),
            places: Mutex::new(vec![Seen::default(); PLACES].into()),
        }
    }
}
