//! [`Completed`]: deliveries that are done, each for a lifetime of its own, up to a number.
//!
//! A cache crate decides for itself what to keep: one that admits by frequency may drop the entry that just came, which
//! here is the delivery that is about to be retried. What is wanted is simpler: what has expired goes first, then what
//! was completed first. Entries stand in one slab, found through a table of their places, and linked by age.

use std::time::Duration;

use hashbrown::HashTable;

use crate::delivery_key::DeliveryKey;

/// Lists by length of life, each twice as long as the one before, from a second. In a list the oldest is nearly the
/// first to expire, so that the short-lived entries of one endpoint do not stand behind, or push out, the long-lived
/// ones of another.
const LISTS: u32 = 32;

/// A point in time, in nanoseconds since the store was made.
pub(super) type Nanos = u64;

/// Done deliveries of one shard.
#[derive(Debug)]
pub(super) struct Completed {
    limit: usize,
    /// Where in `entries` a key stands.
    places: HashTable<u32>,
    /// The first [`LISTS`] are the ends of the lists. A list is a ring: the end's next is the oldest.
    entries: Vec<Entry>,
    /// The first of the entries that are free, linked by `next`; an end means none.
    free: u32,
    /// A bit for each list that has entries.
    used: u32,
}

#[derive(Debug)]
struct Entry {
    key: DeliveryKey,
    completed: Nanos,
    expires: Nanos,
    previous: u32,
    next: u32,
}

impl Completed {
    pub(super) fn new(limit: usize) -> Self {
        let end = |list| Entry {
            key: DeliveryKey::new([0; 32]),
            completed: 0,
            expires: 0,
            previous: list,
            next: list,
        };
        Self {
            // Places are 32 bits wide, and some are the ends of lists.
            limit: limit.min(1 << 31),
            places: HashTable::new(),
            entries: (0..LISTS).map(end).collect(),
            free: 0,
            used: 0,
        }
    }

    /// Whether the delivery is done. `hash` is the key's, by the one function that all calls use.
    pub(super) fn contains(&self, key: &DeliveryKey, hash: u64, now: Nanos) -> bool {
        let place = self.places.find(hash, |&place| self.is_at(place, key));
        place.is_some_and(|&place| now < self.expires(place))
    }

    /// Adds a delivery, and says how many that still had time had to make room for it.
    pub(super) fn insert(
        &mut self,
        key: DeliveryKey,
        hash: u64,
        now: Nanos,
        lifetime: Duration,
        rehash: impl Fn(&DeliveryKey) -> u64,
    ) -> u64 {
        self.remove(&key, hash, now);
        let list = list_for(lifetime);
        // Two out for one in: what has expired goes, and no step is ever a long one.
        for _ in 0..2 {
            self.remove_expired(list, now, &rehash);
        }
        if self.limit == 0 {
            return 1;
        }
        let mut evicted = 0;
        if self.places.len() >= self.limit {
            evicted = u64::from(self.make_room(now, &rehash));
        }
        let expires = now.saturating_add(nanos(lifetime));
        let Some(place) = self.add(Entry {
            key,
            completed: now,
            expires,
            previous: self.previous(list),
            next: list,
        }) else {
            return evicted;
        };
        self.link(place, list);
        let entries = &self.entries;
        self.places.insert_unique(hash, place, |&place| {
            entries
                .get(place as usize)
                .map_or(0, |entry| rehash(&entry.key))
        });
        evicted
    }

    /// Forgets a delivery, and says whether it was done.
    pub(super) fn remove(&mut self, key: &DeliveryKey, hash: u64, now: Nanos) -> bool {
        let entries = &self.entries;
        let is_it = |&place: &u32| {
            entries
                .get(place as usize)
                .is_some_and(|entry| entry.key == *key)
        };
        let Ok(found) = self.places.find_entry(hash, is_it) else {
            return false;
        };
        let (place, _) = found.remove();
        let live = now < self.expires(place);
        self.unlink(place);
        live
    }

    /// The number of entries that still have time. It looks at each.
    pub(super) fn live(&self, now: Nanos) -> usize {
        let places = self.places.iter();
        places.filter(|&&place| now < self.expires(place)).count()
    }

    /// Takes one entry out: one that has expired if any list begins with one, else the oldest of all. Whether it still
    /// had time.
    fn make_room(&mut self, now: Nanos, rehash: &impl Fn(&DeliveryKey) -> u64) -> bool {
        let mut oldest: Option<(Nanos, u32)> = None;
        let mut used = self.used;
        while used != 0 {
            let list = used.trailing_zeros();
            used &= used.wrapping_sub(1);
            if self.remove_expired(list, now, rehash) {
                return false;
            }
            let first = self.next(list);
            let completed = self.entries.get(first as usize);
            let completed = completed.map_or(Nanos::MAX, |entry| entry.completed);
            if oldest.is_none_or(|(oldest, _)| completed < oldest) {
                oldest = Some((completed, first));
            }
        }
        if let Some((_, place)) = oldest {
            self.drop_at(place, rehash);
        }
        oldest.is_some()
    }

    /// Takes the oldest entry of a list out, if it has expired.
    fn remove_expired(
        &mut self,
        list: u32,
        now: Nanos,
        rehash: &impl Fn(&DeliveryKey) -> u64,
    ) -> bool {
        let first = self.next(list);
        let expired = first != list && self.expires(first) <= now;
        if expired {
            self.drop_at(first, rehash);
        }
        expired
    }

    fn drop_at(&mut self, place: u32, rehash: &impl Fn(&DeliveryKey) -> u64) {
        let Some(entry) = self.entries.get(place as usize) else {
            return;
        };
        let found = self
            .places
            .find_entry(rehash(&entry.key), |&other| other == place);
        if let Ok(found) = found {
            found.remove();
        }
        self.unlink(place);
    }

    /// Puts an entry into the slab.
    fn add(&mut self, entry: Entry) -> Option<u32> {
        let place = self.free;
        if place < LISTS {
            let place = u32::try_from(self.entries.len()).ok()?;
            self.entries.push(entry);
            return Some(place);
        }
        let slot = self.entries.get_mut(place as usize)?;
        self.free = slot.next;
        *slot = entry;
        Some(place)
    }

    /// Makes an entry the newest of the list that it points to.
    fn link(&mut self, place: u32, list: u32) {
        let previous = self.previous(list);
        if let Some(last) = self.entries.get_mut(previous as usize) {
            last.next = place;
        }
        if let Some(end) = self.entries.get_mut(list as usize) {
            end.previous = place;
        }
        self.used |= 1 << list;
    }

    /// Takes an entry out of its list, and frees it.
    fn unlink(&mut self, place: u32) {
        let (previous, next) = (self.previous(place), self.next(place));
        if let Some(entry) = self.entries.get_mut(previous as usize) {
            entry.next = next;
        }
        if let Some(entry) = self.entries.get_mut(next as usize) {
            entry.previous = previous;
        }
        if previous == next && next < LISTS {
            // Only the end is left.
            self.used &= !(1 << next);
        }
        if let Some(entry) = self.entries.get_mut(place as usize) {
            entry.next = self.free;
        }
        self.free = place;
    }

    fn is_at(&self, place: u32, key: &DeliveryKey) -> bool {
        let entry = self.entries.get(place as usize);
        entry.is_some_and(|entry| entry.key == *key)
    }

    fn expires(&self, place: u32) -> Nanos {
        let entry = self.entries.get(place as usize);
        entry.map_or(0, |entry| entry.expires)
    }

    fn previous(&self, place: u32) -> u32 {
        let entry = self.entries.get(place as usize);
        entry.map_or(0, |entry| entry.previous)
    }

    fn next(&self, place: u32) -> u32 {
        let entry = self.entries.get(place as usize);
        entry.map_or(0, |entry| entry.next)
    }
}

/// Saturating: some 584 years.
pub(super) fn nanos(time: Duration) -> Nanos {
    Nanos::try_from(time.as_nanos()).unwrap_or(Nanos::MAX)
}

fn list_for(lifetime: Duration) -> u32 {
    let bits = u64::BITS.saturating_sub(lifetime.as_secs().leading_zeros());
    bits.min(LISTS.saturating_sub(1))
}
