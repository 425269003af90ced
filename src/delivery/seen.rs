//! What a layer has seen of ids and paths: so much as it takes to warn of two events that are taken for one.

use std::{
    hash::{BuildHasher, RandomState},
    sync::{Mutex, PoisonError},
};

use crate::{delivery::observe, delivery_key::DeduplicateBy, event::VerifiedEvent};

/// The last ids, each with the body that it came with. It is bounded: an id whose place is taken by another is forgotten.
pub(crate) struct SeenIds {
    hasher: RandomState,
    places: Mutex<Box<[Seen]>>,
}

#[derive(Clone, Copy, Default)]
struct Seen {
    id: u64,
    body: u64,
}

/// 16 KiB.
const PLACES: usize = 1024;

impl SeenIds {
    /// Warns, once for each endpoint, where an id that is not known to identify an event comes with another body.
    pub(crate) fn look_at(&self, event: &VerifiedEvent, route: &str) {
        let (data, provider) = (event.data(), &event.shared().provider);
        let by_id = match provider.deduplicate_by() {
            DeduplicateBy::Auto => false,
            DeduplicateBy::Id => true,
            _ => return,
        };
        // The body of a retry may differ where the provider vouches for its ids.
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
