//! What a layer has seen of ids and paths: so much as it takes to warn of two events that are taken for one.

use std::{
    hash::{BuildHasher, RandomState},
    sync::{Mutex, PoisonError},
};

use super::KeyedBy;
use crate::{VerifiedEvent, observe};

/// The last ids, each with the body that it came with. It is bounded: an id whose place is taken by another is forgotten.
pub(super) struct SeenIds {
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
    pub(super) fn look_at(&self, event: &VerifiedEvent, route: &str) {
        let provider = event.shared().provider();
        let by_id = match provider.keyed_by() {
            KeyedBy::Auto => false,
            KeyedBy::DeliveryId => true,
            _ => return,
        };
        // The body of a retry may differ where the provider vouches for its ids.
        if provider.delivery_id_is_unique() || !event.covers_body() {
            return;
        }
        let Some(id) = event.signed_delivery_id() else {
            return;
        };
        let owner = (event.endpoint(), event.tenant(), route);
        let id = self.hasher.hash_one((owner, id));
        let body = self.hasher.hash_one(event.body_sha256());
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
