//! [`MemoryStore`]: a delivery store for one process.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt, future,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use crate::{
    delivery::{
        completed::{Completed, Nanos},
        error::{StoreError, StoreErrorKind},
        owner::Owner,
        store::{Claim, DeliveryStore, StoreFuture},
    },
    delivery_key::DeliveryKey,
};

/// Remembers the deliveries of one process, until the process ends.
///
/// Two replicas with separate stores may both handle a delivery, and so may a process that was
/// restarted. Share a `RedisStore` (feature `redis`) if that matters.
///
/// | limit | default | set by |
/// | --- | --- | --- |
/// | claims in progress; more fail with [`StoreErrorKind::Full`] | 10,000 | [`with_max_in_progress`](Self::with_max_in_progress) |
/// | completed deliveries; more evict the oldest | 1,000,000 | [`with_max_completed`](Self::with_max_completed) |
///
/// Memory grows with the number of entries, by about 200 bytes per completed delivery: to about
/// 200 MB at these limits.
///
/// Every call holds one lock for O(log n) steps. The store needs no runtime. It uses tokio's clock:
/// under `tokio::time::pause`, leases end when the test advances the clock.
pub struct MemoryStore {
    state: Mutex<State>,
    start: Instant,
    max_in_progress: usize,
    max_completed: usize,
}

#[derive(Default)]
struct State {
    claims: BTreeMap<DeliveryKey, Held>,
    ends: BTreeSet<(Nanos, DeliveryKey)>,
    completed: Completed,
    evicted: u64,
}

/// A claim in progress.
#[derive(Clone, Copy)]
struct Held {
    owner: Owner,
    until: Nanos,
}

impl MemoryStore {
    /// Creates an empty store with the default limits.
    #[must_use]
    pub fn new() -> Self {
        Self::build(10_000, 1_000_000)
    }

    /// Sets how many claims may be in progress at once.
    ///
    /// A claim in progress is never evicted: further claims are refused with
    /// [`StoreErrorKind::Full`], and the sender retries. This empties the store, so call it before
    /// the store is used.
    ///
    /// # Panics
    ///
    /// If `claims` is 0, because every claim would be refused.
    #[must_use]
    #[track_caller]
    pub fn with_max_in_progress(self, claims: usize) -> Self {
        assert!(
            claims > 0,
            "max_in_progress is 0, so every claim would be refused; set how many deliveries may be handled at once"
        );
        Self::build(claims, self.max_completed)
    }

    /// Sets how many completed deliveries are remembered.
    ///
    /// When the limit is reached, a new one replaces an expired one, or else the oldest; a retry of
    /// that one would be handled again. [`evicted`](Self::evicted) counts the latter. This empties
    /// the store, so call it before the store is used.
    ///
    /// # Panics
    ///
    /// If `deliveries` is 0, because every retry would be handled again.
    #[must_use]
    #[track_caller]
    pub fn with_max_completed(self, deliveries: usize) -> Self {
        assert!(
            deliveries > 0,
            "max_completed is 0, so every retry would be handled again; set how many deliveries to remember"
        );
        Self::build(self.max_in_progress, deliveries)
    }

    fn build(max_in_progress: usize, max_completed: usize) -> Self {
        Self {
            state: Mutex::default(),
            start: Instant::now(),
            max_in_progress,
            max_completed,
        }
    }

    /// The number of completed deliveries that were evicted before they expired.
    #[must_use]
    pub fn evicted(&self) -> u64 {
        self.lock().evicted
    }

    /// The number of claims in progress whose lease has not ended. This takes O(n) time: do not
    /// call it for every request.
    #[must_use]
    pub fn in_progress(&self) -> usize {
        let now = self.now();
        let state = self.lock();
        state
            .claims
            .values()
            .filter(|held| now < held.until)
            .count()
    }

    /// The number of completed deliveries that are remembered. This takes O(n) time: do not call it
    /// for every request.
    #[must_use]
    pub fn completed(&self) -> usize {
        let now = self.now();
        self.lock().completed.live(now)
    }

    fn now(&self) -> Nanos {
        nanos(Instant::now().saturating_duration_since(self.start))
    }

    /// Ignores poisoning: an operation that panicked can at most have lost an entry.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn claim_now(
        &self,
        key: DeliveryKey,
        owner: Owner,
        lease: Duration,
    ) -> Result<Claim, StoreError> {
        let now = self.now();
        let mut state = self.lock();
        if state.completed.contains(&key, now) {
            return Ok(Claim::Done);
        }
        match state.claims.get(&key).copied() {
            Some(held) if held.owner != owner && now < held.until => {
                let remaining = Duration::from_nanos(held.until.saturating_sub(now));
                return Ok(Claim::InProgress { remaining });
            }
            Some(_) => {}
            None if state.claims.len() < self.max_in_progress || state.remove_ended(now) => {}
            None => {
                let problem = format!(
                    "{} claims are in progress; raise max_in_progress, or look for handlers that hang",
                    self.max_in_progress
                );
                return Err(StoreError::new(StoreErrorKind::Full, problem));
            }
        }
        let until = now.saturating_add(nanos(lease));
        state.end_claim(&key);
        state.claims.insert(key, Held { owner, until });
        state.ends.insert((until, key));
        Ok(Claim::New)
    }

    fn complete_now(&self, key: DeliveryKey, owner: Owner, lifetime: Duration) -> bool {
        let now = self.now();
        let mut state = self.lock();
        let held = state.claims.get(&key);
        let taken = held.is_some_and(|held| held.owner != owner && now < held.until);
        if taken || state.completed.contains(&key, now) {
            return false;
        }
        state.end_claim(&key);
        let expires = now.saturating_add(nanos(lifetime));
        let evicted = state
            .completed
            .insert(key, now, expires, self.max_completed);
        state.evicted = state.evicted.saturating_add(u64::from(evicted));
        true
    }

    fn release_now(&self, key: DeliveryKey, owner: Owner) -> bool {
        let now = self.now();
        let mut state = self.lock();
        let held = state.claims.get(&key);
        if held.is_none_or(|held| held.owner != owner) {
            return false;
        }
        state.end_claim(&key).is_some_and(|held| now < held.until)
    }

    fn forget_now(&self, key: DeliveryKey) -> bool {
        let now = self.now();
        let mut state = self.lock();
        let held = state.end_claim(&key).is_some_and(|held| now < held.until);
        state.completed.remove(&key, now) || held
    }
}

impl State {
    fn end_claim(&mut self, key: &DeliveryKey) -> Option<Held> {
        let held = self.claims.remove(key)?;
        self.ends.remove(&(held.until, *key));
        Some(held)
    }

    /// Removes a claim whose lease has ended, and returns whether there was one.
    fn remove_ended(&mut self, now: Nanos) -> bool {
        let first = self.ends.first().filter(|(until, _)| *until <= now);
        let key = first.map(|(_, key)| *key);
        key.is_some_and(|key| self.end_claim(&key).is_some())
    }
}

/// Saturates at about 584 years.
fn nanos(time: Duration) -> Nanos {
    Nanos::try_from(time.as_nanos()).unwrap_or(Nanos::MAX)
}

fn ready<T: Send + 'static>(result: Result<T, StoreError>) -> StoreFuture<T> {
    Box::pin(future::ready(result))
}

/// Each method takes effect before it returns its future.
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
