//! [`DeliveryStore`]: what remembers deliveries.

use std::{pin::Pin, sync::Arc, time::Duration};

use crate::{
    delivery::{error::StoreError, owner::Owner},
    delivery_key::DeliveryKey,
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
    #[non_exhaustive]
    InProgress {
        /// The rest of that claim's lease. It may be renewed, and it may end sooner.
        remaining: Duration,
    },
}

/// What each step of a store returns. It borrows nothing, so that it can be kept, spawned or dropped.
pub type StoreFuture<T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'static>>;

/// Remembers deliveries. The [module](crate::delivery) says what it promises.
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
