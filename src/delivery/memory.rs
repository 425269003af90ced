//! [`MemoryStore`]: deliveries of one process.

use std::{
    fmt, future,
    hash::{BuildHasher, RandomState},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use hashbrown::HashTable;
use tokio::time::Instant;

use crate::{
    delivery::{
        completed::{Completed, Nanos, nanos},
        error::{StoreError, StoreErrorKind},
        owner::Owner,
        store::{Claim, DeliveryStore, StoreFuture},
    },
    delivery_key::DeliveryKey,
};

/// Remembers the deliveries of one process, until it ends.
///
/// Two replicas with a store each see a delivery twice; so does one that was restarted. Share a `RedisStore` (feature
/// `redis`) where that matters.
///
/// | | default | set by |
/// | --- | --- | --- |
/// | claims in progress at once; another is [`StoreErrorKind::Full`] | 10,000 | [`with_max_in_progress`](Self::with_max_in_progress) |
/// | completed deliveries; beyond, the oldest is dropped | 1,000,000 | [`with_max_completed`](Self::with_max_completed) |
///
/// Memory follows what is there, 72 MB at most under these limits (72 bytes for each delivery), and is not given back.
///
/// It needs no runtime. Time is tokio's: under `tokio::time::pause`, leases run out when the test says so.
pub struct MemoryStore {
    /// A power of two of them. A claim locks one, for some hundred nanoseconds.
    shards: Box<[Mutex<Shard>]>,
    seed: (u64, u64),
    start: Instant,
    max_in_progress: usize,
    max_completed: usize,
    in_progress: AtomicUsize,
    evicted: AtomicU64,
}

struct Shard {
    claims: HashTable<Held>,
    /// No claim of this shard ends sooner.
    next_end: Nanos,
    completed: Completed,
}

/// A claim.
struct Held {
    key: DeliveryKey,
    owner: Owner,
    until: Nanos,
}

/// Up to so many completed deliveries stand in one shard, so that the oldest is the oldest of all. Above, each shard
/// drops its own oldest.
const ONE_SHARD: usize = 4096;
const MAX_SHARDS: usize = 64;

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::build(10_000, 1_000_000)
    }

    /// Sets how many claims may be in progress at once. One that is, is never dropped: another claim is refused with
    /// [`StoreErrorKind::Full`], and the sender tries again. Set it before the store is used: it begins anew.
    ///
    /// # Panics
    ///
    /// If it is 0: every claim would be refused.
    #[must_use]
    #[track_caller]
    pub fn with_max_in_progress(self, claims: usize) -> Self {
        assert!(
            claims > 0,
            "max_in_progress is 0, so that every claim would be refused; set how many deliveries may be handled at once"
        );
        Self::build(claims, self.max_completed)
    }

    /// Sets how many completed deliveries are remembered. One more drops one that has expired, or else the oldest, of
    /// which a retry would be handled again; [`evicted`](Self::evicted) counts those. Set it before the store is used:
    /// it begins anew.
    ///
    /// Above 4,096 the deliveries stand in up to 64 shards, each with its share of the room, so that the one that is
    /// dropped is the oldest of its shard: nearly, not exactly, the oldest of all.
    ///
    /// # Panics
    ///
    /// If it is 0: every retry would be handled again.
    #[must_use]
    #[track_caller]
    pub fn with_max_completed(self, deliveries: usize) -> Self {
        assert!(
            deliveries > 0,
            "max_completed is 0, so that every retry would be handled again; set how many deliveries are remembered"
        );
        Self::build(self.max_in_progress, deliveries)
    }

    fn build(max_in_progress: usize, max_completed: usize) -> Self {
        let wanted = max_completed.div_ceil(ONE_SHARD);
        let count = wanted.next_power_of_two().min(MAX_SHARDS);
        let shards = (0..count).map(|index| {
            // What does not divide goes to the first ones.
            let share = max_completed.checked_div(count).unwrap_or_default();
            let rest = max_completed.checked_rem(count).unwrap_or_default();
            Mutex::new(Shard {
                claims: HashTable::new(),
                next_end: Nanos::MAX,
                completed: Completed::new(share.saturating_add(usize::from(index < rest))),
            })
        });
        let random = || RandomState::new().hash_one(());
        Self {
            shards: shards.collect(),
            seed: (random(), random()),
            start: Instant::now(),
            max_in_progress,
            max_completed,
            in_progress: AtomicUsize::new(0),
            evicted: AtomicU64::new(0),
        }
    }

    /// How many completed deliveries were dropped before their time.
    #[must_use]
    pub fn evicted(&self) -> u64 {
        self.evicted.load(Ordering::Relaxed)
    }

    /// How many claims are in progress. Those whose lease ran out do not count. It looks at each: not for every request.
    #[must_use]
    pub fn in_progress(&self) -> usize {
        let now = self.now();
        let claims = |shard: &Shard| {
            let claims = shard.claims.iter();
            claims.filter(|held| now < held.until).count()
        };
        self.shards.iter().map(|shard| claims(&lock(shard))).sum()
    }

    /// How many deliveries are remembered as done. It looks at each: not for every request.
    #[must_use]
    pub fn completed(&self) -> usize {
        let now = self.now();
        let shards = self.shards.iter();
        shards.map(|shard| lock(shard).completed.live(now)).sum()
    }

    fn now(&self) -> Nanos {
        nanos(Instant::now().saturating_duration_since(self.start))
    }

    fn hash(&self, key: &DeliveryKey) -> u64 {
        hash(key, self.seed)
    }

    fn shard(&self, hash: u64) -> MutexGuard<'_, Shard> {
        // Tables use the lowest and the highest bits.
        let mask = self.shards.len().wrapping_sub(1);
        let index = (hash >> 32) as usize & mask;
        let Some(shard) = self.shards.get(index) else {
            unreachable!("the number of shards is a power of two");
        };
        lock(shard)
    }

    fn claim_now(
        &self,
        key: DeliveryKey,
        owner: Owner,
        lease: Duration,
    ) -> Result<Claim, StoreError> {
        let (hash, now) = (self.hash(&key), self.now());
        let until = now.saturating_add(nanos(lease));
        let mut swept = false;
        loop {
            let mut shard = self.shard(hash);
            if shard.completed.contains(&key, hash, now) {
                return Ok(Claim::Done);
            }
            if let Some(held) = shard.claims.find_mut(hash, |held| held.key == key) {
                if held.owner != owner && now < held.until {
                    let remaining = Duration::from_nanos(held.until.saturating_sub(now));
                    return Ok(Claim::InProgress { remaining });
                }
                (held.owner, held.until) = (owner, until);
                shard.next_end = shard.next_end.min(until);
                return Ok(Claim::New);
            }
            if self.take_room() {
                let claim = Held { key, owner, until };
                let rehash = |held: &Held| self.hash(&held.key);
                shard.claims.insert_unique(hash, claim, rehash);
                shard.next_end = shard.next_end.min(until);
                return Ok(Claim::New);
            }
            // One shard is locked at a time.
            drop(shard);
            if swept || !self.sweep(now) {
                let problem = format!(
                    "{} claims are in progress; raise max_in_progress, or look for handlers that hang",
                    self.max_in_progress
                );
                return Err(StoreError::new(StoreErrorKind::Full, problem));
            }
            swept = true;
        }
    }

    fn complete_now(&self, key: DeliveryKey, owner: Owner, lifetime: Duration) -> bool {
        let (hash, now) = (self.hash(&key), self.now());
        let mut shard = self.shard(hash);
        if shard.completed.contains(&key, hash, now) {
            return false;
        }
        if let Ok(held) = shard.claims.find_entry(hash, |held| held.key == key) {
            if held.get().owner != owner && now < held.get().until {
                return false;
            }
            held.remove();
            self.leave_room(1);
        }
        let rehash = |key: &DeliveryKey| self.hash(key);
        let evicted = shard.completed.insert(key, hash, now, lifetime, rehash);
        drop(shard);
        if evicted > 0 {
            self.evicted.fetch_add(evicted, Ordering::Relaxed);
        }
        true
    }

    fn release_now(&self, key: DeliveryKey, owner: Owner) -> bool {
        let (hash, now) = (self.hash(&key), self.now());
        let mut shard = self.shard(hash);
        let is_it = |held: &Held| held.key == key && held.owner == owner;
        let Ok(held) = shard.claims.find_entry(hash, is_it) else {
            return false;
        };
        let (held, _) = held.remove();
        self.leave_room(1);
        now < held.until
    }

    fn forget_now(&self, key: DeliveryKey) -> bool {
        let (hash, now) = (self.hash(&key), self.now());
        let mut shard = self.shard(hash);
        let mut known = shard.completed.remove(&key, hash, now);
        if let Ok(held) = shard.claims.find_entry(hash, |held| held.key == key) {
            let (held, _) = held.remove();
            self.leave_room(1);
            known |= now < held.until;
        }
        known
    }

    fn take_room(&self) -> bool {
        let one_more = |count: usize| {
            let room = count < self.max_in_progress;
            room.then(|| count.saturating_add(1))
        };
        let taken = self
            .in_progress
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more);
        taken.is_ok()
    }

    fn leave_room(&self, claims: usize) {
        self.in_progress.fetch_sub(claims, Ordering::Relaxed);
    }

    /// Removes claims whose lease ran out, and says whether there were any. A shard that cannot have one is not searched,
    /// so that refusing stays cheap while the store is full.
    fn sweep(&self, now: Nanos) -> bool {
        let mut removed: usize = 0;
        for shard in &self.shards {
            let mut shard = lock(shard);
            if now < shard.next_end {
                continue;
            }
            let before = shard.claims.len();
            let mut next_end = Nanos::MAX;
            shard.claims.retain(|held| {
                let runs = now < held.until;
                if runs {
                    next_end = next_end.min(held.until);
                }
                runs
            });
            shard.next_end = next_end;
            removed = removed.saturating_add(before.saturating_sub(shard.claims.len()));
        }
        self.leave_room(removed);
        removed > 0
    }
}

/// Keys are digests already. The seed is there because whoever chooses an event's content can, with some work, choose a
/// few bits of its digest, and with them a long way through the table.
fn hash(key: &DeliveryKey, seed: (u64, u64)) -> u64 {
    let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, ..] = *key.as_bytes();
    let first = u64::from_le_bytes([a, b, c, d, e, f, g, h]) ^ seed.0;
    let second = u64::from_le_bytes([i, j, k, l, m, n, o, p]) ^ seed.1;
    let product = u128::from(first).wrapping_mul(u128::from(second));
    (product as u64) ^ ((product >> 64) as u64)
}

/// A step that panicked left the shard as it was, or with an entry too few.
fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

fn ready<T: Send + 'static>(result: Result<T, StoreError>) -> StoreFuture<T> {
    Box::pin(future::ready(result))
}

/// Every step is done when its method returns.
impl DeliveryStore for MemoryStore {
    fn claim(&self, key: DeliveryKey, owner: Owner, lease: Duration) -> StoreFuture<Claim> {
        ready(self.claim_now(key, owner, lease))
    }

    fn complete(&self, key: DeliveryKey, owner: Owner, lifetime: Duration) -> StoreFuture<bool> {
        ready(Ok(self.complete_now(key, owner, lifetime)))
    }

    fn release(&self, key: DeliveryKey, owner: Owner) -> StoreFuture<bool> {
        ready(Ok(self.release_now(key, owner)))
    }

    fn forget(&self, key: DeliveryKey) -> StoreFuture<bool> {
        ready(Ok(self.forget_now(key)))
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore")
            .field("max_in_progress", &self.max_in_progress)
            .field("max_completed", &self.max_completed)
            .field("evicted", &self.evicted())
            .finish_non_exhaustive()
    }
}
