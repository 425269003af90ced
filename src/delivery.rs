//! Deduplication of deliveries: a store remembers each one, so that its handler runs once.
//!
//! A provider retries a delivery until it receives a success response, and anyone who has captured
//! a request can replay it. A [`DeliveryStore`] distinguishes the first attempt from a repeated
//! one:
//!
//! | state | entered when | result of the next [`claim`](DeliveryStore::claim) |
//! | --- | --- | --- |
//! | unknown | never seen, released, forgotten, or expired | [`Claim::New`]: the caller handles the delivery |
//! | in progress | claimed, until the lease expires | [`Claim::InProgress`] |
//! | done | completed, until the lifetime expires | [`Claim::Done`] |
//!
//! [`MemoryStore`] serves a single process. `RedisStore` (feature `redis`) is shared by several
//! replicas and keeps its state when one of them restarts.
//!
//! # What a store guarantees
//!
//! 1. **One winner.** Of any number of concurrent claims of one key, by any number of replicas,
//!    exactly one returns [`Claim::New`], until that claim is released, expires or is forgotten. A
//!    claim is therefore one atomic operation, never a read followed by a write.
//! 2. **Claims expire.** Once a lease has expired without being renewed, the next claim is new. A
//!    process that dies blocks a delivery for no longer than the lease.
//! 3. **Owners cannot affect each other's claims.** An owner whose lease expired, and whose
//!    delivery has since been claimed by another owner, can neither renew nor complete nor release
//!    it. An [`Owner`] identifies a claim, not a process.
//! 4. **A claim in progress is never evicted.** A store without room refuses new claims with
//!    [`StoreErrorKind::Full`]. It may evict completed deliveries early, the oldest first, and then
//!    reports how many it evicted.
//! 5. **An error leaves the outcome open.** The operation may or may not have taken effect. The
//!    same owner may safely repeat any operation. After a claim that failed, or whose future was
//!    dropped, the caller should [`release`](DeliveryStore::release): this ends the claim if there
//!    was one.
//!
//! ```
//! # #[cfg(feature = "tower")] {
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
//! # }
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```
//!
//! # Implementing a store
//!
//! Implement [`DeliveryStore`] on anything that has an atomic conditional write. One example is a
//! database table with a unique key: insert the row, or update it `where` its lease has expired.
//! Let the database's clock decide whether it has, so that replicas need not agree on the time.
//! Bound the duration of each operation, because a request waits for it. Then run
//! `conformance::run` (feature `test-util`) against the store in a test; it names any rule that the
//! store breaks.

#[cfg(feature = "tower")]
mod completed;
#[cfg(all(feature = "tower", feature = "test-util"))]
pub mod conformance;
#[cfg(feature = "tower")]
pub(crate) mod error;
#[cfg(feature = "tower")]
mod guard;
#[cfg(feature = "tower")]
pub(crate) mod layer;
#[cfg(feature = "tower")]
pub(crate) mod memory;
#[cfg(feature = "tower")]
pub(crate) mod observe;
#[cfg(feature = "tower")]
pub(crate) mod options;
#[cfg(feature = "tower")]
pub(crate) mod outcome;
#[cfg(feature = "tower")]
pub(crate) mod owner;
#[cfg(feature = "redis")]
pub(crate) mod redis;
#[cfg(feature = "tower")]
pub(crate) mod refusal;
#[cfg(feature = "tower")]
pub(crate) mod route;
#[cfg(feature = "tower")]
pub(crate) mod run;
#[cfg(feature = "tower")]
mod seen;
#[cfg(feature = "tower")]
pub(crate) mod store;
#[cfg(feature = "tower")]
mod tasks;

#[cfg(feature = "redis")]
pub use self::redis::RedisStore;
#[cfg(feature = "tower")]
pub use self::{
    error::{StoreError, StoreErrorKind},
    layer::{Deliver, DeliveryLayer, ResponseFuture},
    memory::MemoryStore,
    outcome::{DeliveryOutcome, OutagePolicy},
    owner::Owner,
    store::{Claim, DeliveryStore, StoreFuture},
};
pub use crate::delivery_key::{DeduplicateBy, DeliveryKey, ParseDeliveryKeyError};
