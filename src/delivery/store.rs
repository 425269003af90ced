//! [`DeliveryStore`]: remembers deliveries.

use std::{pin::Pin, sync::Arc, time::Duration};

use crate::{
    delivery::{error::StoreError, owner::Owner},
    delivery_key::DeliveryKey,
};

/// The result of [`DeliveryStore::claim`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Claim {
    /// The claim succeeded: the caller handles the delivery, until the lease expires.
    New,
    /// The delivery was handled before.
    Done,
    /// Another owner is handling it.
    #[non_exhaustive]
    InProgress {
        /// The time left of that owner's lease. The claim may be renewed or end earlier.
        remaining: Duration,
    },
}

impl Claim {
    /// [`InProgress`](Self::InProgress) with the rest of the other claim's lease.
    #[must_use]
    pub fn in_progress(remaining: Duration) -> Self {
        Self::InProgress { remaining }
    }
}

/// The future of an operation of a store. It borrows nothing, so that it can be stored, spawned or
/// dropped.
pub type StoreFuture<T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'static>>;

/// Remembers deliveries. The [module](crate::delivery) documents its guarantees.
///
/// Except for [`release`](Self::release), an operation may start when the method is called or when
/// its future is first polled. Each future completes within a bounded time.
///
/// An [`Arc`] of a store is a store, too: keep a clone to [`forget`](Self::forget) deliveries
/// manually.
pub trait DeliveryStore: Send + Sync {
    /// Claims a delivery for `lease`, unless it is done or another owner's claim has not expired.
    /// An owner that claims again gets [`Claim::New`] again.
    ///
    /// The future fails if the store cannot be reached in time or has no room. Call
    /// [`release`](Self::release) after that.
    fn claim(&self, key: DeliveryKey, owner: Owner, lease: Duration) -> StoreFuture<Claim>;

    /// Extends the owner's claim to `lease` from now, and returns `true`. An owner whose claim has
    /// expired or was lost by the store claims the delivery again. Returns `false`, and changes
    /// nothing, if another owner has a claim or the delivery is done.
    ///
    /// The default implementation calls [`claim`](Self::claim); override it if the store has a
    /// cheaper way.
    fn renew(&self, key: DeliveryKey, owner: Owner, lease: Duration) -> StoreFuture<bool> {
        let claim = self.claim(key, owner, lease);
        Box::pin(async move { Ok(claim.await? == Claim::New) })
    }

    /// Marks the delivery as done for `lifetime` from now, and returns `true`, if the owner has the
    /// claim or nobody has one. Returns `false`, and changes nothing, if another owner has a claim
    /// or the delivery is done.
    fn complete(&self, key: DeliveryKey, owner: Owner, lifetime: Duration) -> StoreFuture<bool>;

    /// Ends the owner's claim, so that the next claim is new, and returns `true`. Returns `false`,
    /// and changes nothing, if the owner has no claim.
    ///
    /// It is called where nothing can be awaited, and its future may be dropped without being
    /// polled. The call itself must therefore do the work or spawn a task that does. If the
    /// release fails, the claim ends when its lease expires.
    fn release(&self, key: DeliveryKey, owner: Owner) -> StoreFuture<bool>;

    /// Forgets the delivery, claimed or done, so that the next claim is new. Returns whether there
    /// was one.
    ///
    /// It is for operators who have a delivery sent again on purpose. It does not stop a handler
    /// that is already running.
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
