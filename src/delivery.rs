//! Deliveries: what a store remembers of them, so that a handler sees each one once.
//!
//! A provider sends an event again whenever it did not see a success: the same delivery, retried. Whoever captured a
//! request may send it again, too. A [`DeliveryStore`] tells a first delivery from a repeated one:
//!
//! | state | how it comes about | what the next [`claim`](DeliveryStore::claim) gets |
//! | --- | --- | --- |
//! | unknown | never seen, released, forgotten, or its time ran out | [`Claim::New`]: it is yours |
//! | in progress | claimed, for the length of a lease | [`Claim::InProgress`] |
//! | done | completed, for a lifetime | [`Claim::Done`] |
//!
//! [`MemoryStore`] serves one process. `RedisStore` (feature `redis`) serves several replicas, and outlives each.
//!
//! # What a store promises
//!
//! 1. **One winner.** Of any number of claims of one key at once, by any number of replicas, one alone is
//!    [`Claim::New`], until that claim is released, runs out, or is forgotten. So a claim is one atomic step, never a
//!    question followed by a write.
//! 2. **A claim ends by itself.** When its lease has run out and nobody renewed it, the next claim is new. A process
//!    that dies holds nothing up for longer than that.
//! 3. **Owners do not touch each other's claims.** Whoever was too slow, and whose delivery was claimed by another in
//!    the meantime, can neither renew nor complete nor release it. [`Owner`] tells claims apart, not processes.
//! 4. **A claim in progress is never dropped to make room.** A store without room refuses, with
//!    [`StoreErrorKind::Full`]. Completed deliveries may be dropped early, the oldest first, and a store says how many
//!    were.
//! 5. **An error leaves open what happened.** The step may have been done or not. Each may be repeated by the same
//!    owner without harm, and after a claim that failed, or whose future was dropped, the caller should
//!    [`release`](DeliveryStore::release): it ends the claim if there was one.
//!
//! ```
//! # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
//! use std::time::Duration;
//! use tower_webhook::delivery::{Claim, DeliveryKey, DeliveryStore, MemoryStore, Owner};
//!
//! let store = MemoryStore::new();
//! let key: DeliveryKey = "5e".repeat(32).parse()?;
//! let (owner, lease) = (Owner::unique(), Duration::from_secs(30));
//!
//! assert_eq!(store.claim(key, owner, lease).await?, Claim::New);
//! let second = store.claim(key, Owner::unique(), lease).await?;
//! assert!(matches!(second, Claim::InProgress { .. }));
//!
//! assert!(store.complete(key, owner, Duration::from_secs(86_400)).await?);
//! assert_eq!(store.claim(key, Owner::unique(), lease).await?, Claim::Done);
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```
//!
//! # A store of your own
//!
//! Implement [`DeliveryStore`] over whatever has an atomic conditional write: a row with a unique key in a database, for
//! example, that is inserted, or updated `where` its lease has run out. Let the database's clock decide when that is,
//! so that replicas need not agree on the time. Limit the time of each step: a request waits for it. Then run
//! `conformance::run` (feature `test-util`) on it in a test; it says which rule is broken.

#[cfg(feature = "test-util")]
pub mod conformance;

mod basis;
mod completed;
mod deliver;
mod error;
mod key;
mod layer;
mod memory;
mod outcome;
#[cfg(feature = "redis")]
mod redis;
mod route;
mod seen;
mod tasks;

use std::{pin::Pin, sync::Arc, time::Duration};

pub(crate) use self::basis::{SignedId, key};
#[cfg(feature = "redis")]
pub use self::redis::RedisStore;
pub use self::{
    basis::KeyedBy,
    error::{StoreError, StoreErrorKind},
    key::{DeliveryKey, Owner, ParseKeyError},
    layer::{Deliver, DeliveryLayer},
    memory::MemoryStore,
    outcome::{DeliveryOutcome, OnOutage},
};
#[cfg(feature = "actix")]
pub(crate) use self::{
    deliver::{Begun, Ended, Setup, begin},
    layer::Claimed,
    route::{is_one_route, normalise},
};

/// The answer to [`DeliveryStore::claim`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Claim {
    /// The delivery is the caller's to handle, until the lease ends.
    New,
    /// The delivery was handled before.
    Done,
    /// Somebody else is handling it.
    InProgress {
        /// The rest of that claim's lease. It may be renewed, and it may end sooner.
        remaining: Duration,
    },
}

/// What each step of a store returns. It borrows nothing, so that it can be kept, spawned or dropped.
pub type StoreFuture<T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'static>>;

/// Remembers deliveries. The [module](self) says what it promises.
///
/// Except for [`release`](Self::release), a step may begin when the method is called or when its future is first
/// polled. Each future resolves within a bounded time.
///
/// A store in an [`Arc`] is a store, too: keep a clone to [`forget`](Self::forget) by hand what the layer remembers.
pub trait DeliveryStore: Send + Sync {
    /// Claims a delivery for `lease`, unless it is done, or another owner's claim still runs. A claim whose lease ran out
    /// counts as none. A claim that its own owner makes again is new again.
    ///
    /// The future fails where the store cannot be reached in time, or has no room. Then release.
    fn claim(&self, key: DeliveryKey, owner: Owner, lease: Duration) -> StoreFuture<Claim>;

    /// Lets the owner's claim run for `lease` from now, and says `true`. The same where there is none any more: its lease
    /// ran out, or the store lost it. `false`, and nothing changes, where another owner has a claim or the delivery is
    /// done.
    ///
    /// That is a claim made again, which is what this does unless a store has a shorter way.
    fn renew(&self, key: DeliveryKey, owner: Owner, lease: Duration) -> StoreFuture<bool> {
        let claim = self.claim(key, owner, lease);
        Box::pin(async move { Ok(claim.await? == Claim::New) })
    }

    /// Marks the delivery as done for `lifetime` from now, and says `true`, where the claim is the owner's or there is
    /// none any more. `false`, and nothing changes, where another owner has a claim or the delivery is done.
    fn complete(&self, key: DeliveryKey, owner: Owner, lifetime: Duration) -> StoreFuture<bool>;

    /// Ends the owner's claim, so that the next one is new, and says `true`. `false`, and nothing changes, where the
    /// claim is not the owner's.
    ///
    /// This is called where nothing can be awaited, and its future may be dropped without ever being polled. So a store
    /// does what it can before it returns: all of it, or a task that does it. What it cannot, the end of the lease does.
    fn release(&self, key: DeliveryKey, owner: Owner) -> StoreFuture<bool>;

    /// Forgets the delivery, claimed or done, so that the next claim is new. Says whether there was one.
    ///
    /// For an operator who has a delivery sent again on purpose. A handler that is busy with it is not stopped.
    fn forget(&self, key: DeliveryKey) -> StoreFuture<bool>;
}

impl<S: DeliveryStore + ?Sized> DeliveryStore for Arc<S> {
    fn claim(&self, key: DeliveryKey, owner: Owner, lease: Duration) -> StoreFuture<Claim> {
        (**self).claim(key, owner, lease)
    }

    fn renew(&self, key: DeliveryKey, owner: Owner, lease: Duration) -> StoreFuture<bool> {
        (**self).renew(key, owner, lease)
    }

    fn complete(&self, key: DeliveryKey, owner: Owner, lifetime: Duration) -> StoreFuture<bool> {
        (**self).complete(key, owner, lifetime)
    }

    fn release(&self, key: DeliveryKey, owner: Owner) -> StoreFuture<bool> {
        (**self).release(key, owner)
    }

    fn forget(&self, key: DeliveryKey) -> StoreFuture<bool> {
        (**self).forget(key)
    }
}
