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

#[cfg(feature = "tower")]
mod completed;
#[cfg(all(feature = "tower", feature = "test-util"))]
pub mod conformance;
#[cfg(feature = "tower")]
pub(crate) mod error;
#[cfg(feature = "tower")]
pub(crate) mod layer;
#[cfg(feature = "tower")]
pub(crate) mod memory;
#[cfg(feature = "tower")]
pub(crate) mod observe;
#[cfg(feature = "tower")]
pub(crate) mod outcome;
#[cfg(feature = "tower")]
pub(crate) mod owner;
#[cfg(feature = "redis")]
pub(crate) mod redis;
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
