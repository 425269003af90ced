//! The operations of the conformance test, and the assertions on their results.

use std::{fmt::Debug, panic::resume_unwind, sync::Arc, time::Duration};

use tokio::{
    task::JoinSet,
    time::{Instant, sleep, timeout},
};

use crate::{
    delivery::{
        owner::Owner,
        store::{Claim, DeliveryStore, StoreFuture},
    },
    delivery_key::DeliveryKey,
};

pub(super) type Store = Arc<dyn DeliveryStore>;

/// Longer than any rule takes to check.
pub(super) const LONG: Duration = Duration::from_secs(600);
/// Short enough to wait until it has expired.
pub(super) const SHORT: Duration = Duration::from_millis(300);
/// Long enough for [`SHORT`] to have expired.
pub(super) const OVER: Duration = Duration::from_millis(600);
/// The time within which an expected change must happen.
const GRACE: Duration = Duration::from_secs(10);
/// The error of clocks that count whole milliseconds.
pub(super) const TICK: Duration = Duration::from_millis(20);

/// Claims a delivery, which must be new.
pub(super) async fn expect_new(store: &Store, key: DeliveryKey, text: &str) -> Owner {
    let owner = Owner::unique();
    let claim = answer("claim", store.claim(key, owner, LONG)).await;
    rule(claim == Claim::New, text, claim);
    owner
}

pub(super) async fn expect_held(store: &Store, key: DeliveryKey, text: &str) {
    let claim = answer("claim", store.claim(key, Owner::unique(), LONG)).await;
    rule(matches!(claim, Claim::InProgress { .. }), text, claim);
}

pub(super) async fn expect_done(store: &Store, key: DeliveryKey, text: &str) {
    let claim = answer("claim", store.claim(key, Owner::unique(), LONG)).await;
    rule(claim == Claim::Done, text, claim);
}

/// Claims a delivery until the claim is new, which must happen within [`GRACE`].
pub(super) async fn until_new(store: &Store, key: DeliveryKey, text: &str) -> Owner {
    let start = Instant::now();
    loop {
        let owner = Owner::unique();
        let claim = answer("claim", store.claim(key, owner, LONG)).await;
        if claim == Claim::New {
            return owner;
        }
        rule(start.elapsed() < GRACE, text, claim);
        sleep(TICK).await;
    }
}

/// The result of an operation, which must succeed in time.
pub(super) async fn answer<T>(step: &'static str, future: StoreFuture<T>) -> T {
    match timeout(GRACE, future).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(error)) => panic!("the store cannot {step}: {error}"),
        Err(_) => panic!("each operation completes within a bounded time; {step} took {GRACE:?}"),
    }
}

pub(super) async fn all<T: 'static>(mut tasks: JoinSet<T>) -> Vec<T> {
    let mut results = Vec::new();
    while let Some(result) = tasks.join_next().await {
        match result {
            Ok(result) => results.push(result),
            Err(error) if error.is_panic() => resume_unwind(error.into_panic()),
            Err(error) => panic!("{error}"),
        }
    }
    results
}

pub(super) fn rule(holds: bool, text: &str, got: impl Debug) {
    if !holds {
        broken(text, got);
    }
}

pub(super) fn broken(text: &str, got: impl Debug) -> ! {
    panic!("the store breaks a rule: {text}; it returned {got:?}")
}

/// A key that was never used before.
pub(super) fn some_key() -> DeliveryKey {
    let mut digest = [0; 32];
    for half in digest.chunks_exact_mut(16) {
        half.copy_from_slice(Owner::unique().as_bytes());
    }
    DeliveryKey::new(digest)
}

pub(super) fn with_other_bit(key: DeliveryKey, bit: usize) -> DeliveryKey {
    let mut digest = *key.as_bytes();
    if let Some(byte) = digest.get_mut(bit / 8) {
        *byte ^= 1 << (bit % 8);
    }
    DeliveryKey::new(digest)
}
