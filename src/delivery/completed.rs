//! [`Completed`]: a bounded set of completed deliveries, each with an expiry.
//!
//! A cache crate does not fit: one that admits by frequency may evict the newest entry, which is
//! the delivery most likely to be retried. This set evicts expired entries first, then the oldest.
//! It uses B-trees because they never rehash, so every call takes O(log n) time, and because they
//! release memory.

use std::collections::{BTreeMap, BTreeSet};

use crate::delivery_key::DeliveryKey;

/// A point in time, in nanoseconds since the store was created.
pub(super) type Nanos = u64;

#[derive(Debug, Default)]
pub(super) struct Completed {
    entries: BTreeMap<DeliveryKey, Entry>,
    by_age: BTreeMap<u64, DeliveryKey>,
    by_expiry: BTreeSet<(Nanos, u64)>,
    /// The sequence number of the next entry.
    next: u64,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    age: u64,
    expires: Nanos,
}

impl Completed {
    pub(super) fn contains(&self, key: &DeliveryKey, now: Nanos) -> bool {
        let entry = self.entries.get(key);
        entry.is_some_and(|entry| now < entry.expires)
    }

    /// Adds an entry. Returns whether this evicted an entry that had not expired.
    pub(super) fn insert(
        &mut self,
        key: DeliveryKey,
        now: Nanos,
        expires: Nanos,
        limit: usize,
    ) -> bool {
        self.remove(&key, now);
        // Removing two for each one added cleans up expired entries in bounded time.
        for _ in 0..2 {
            self.remove_expired(now);
        }
        let full = self.entries.len() >= limit;
        let oldest = self.by_age.first_key_value().filter(|_| full);
        let evicted = oldest.map(|(_, key)| *key);
        if let Some(key) = evicted {
            self.remove(&key, now);
        }
        let age = self.next;
        self.next = age.saturating_add(1);
        self.entries.insert(key, Entry { age, expires });
        self.by_age.insert(age, key);
        self.by_expiry.insert((expires, age));
        evicted.is_some()
    }

    /// Removes an entry. Returns whether it existed and had not expired.
    pub(super) fn remove(&mut self, key: &DeliveryKey, now: Nanos) -> bool {
        let Some(Entry { age, expires }) = self.entries.remove(key) else {
            return false;
        };
        self.by_age.remove(&age);
        self.by_expiry.remove(&(expires, age));
        now < expires
    }

    fn remove_expired(&mut self, now: Nanos) {
        let first = self.by_expiry.first();
        let expired = first.filter(|(expires, _)| *expires <= now);
        if let Some(key) = expired.and_then(|(_, age)| self.by_age.get(age).copied()) {
            self.remove(&key, now);
        }
    }

    /// The number of entries that have not expired, in O(n) time.
    pub(super) fn live(&self, now: Nanos) -> usize {
        let entries = self.entries.values();
        entries.filter(|entry| now < entry.expires).count()
    }
}
