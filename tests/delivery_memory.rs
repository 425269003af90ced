//! What the memory store takes, in bytes: it is bounded by its limits, whatever comes.
#![allow(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::await_holding_lock,
    missing_docs,
    reason = "tests"
)]

use std::{
    alloc::System,
    sync::{Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
    time::Duration,
};

use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use tower_webhook::delivery::{Claim, DeliveryKey, DeliveryStore, MemoryStore, Owner, StoreFuture};

#[global_allocator]
static GLOBAL: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const LONG: Duration = Duration::from_secs(600);
/// What the harness allocates meanwhile.
const SLACK: usize = 64 * 1024;

/// The counters are those of the whole process, so one test runs at a time.
fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// As evenly spread as a digest, and the same every time.
fn key(number: u64) -> DeliveryKey {
    let mut text = String::new();
    let mut state = number;
    for _ in 0..4 {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = state;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        text.push_str(&format!("{:016x}", word ^ (word >> 31)));
    }
    text.parse().unwrap()
}

/// What a store says that needs no waiting.
fn now<T>(mut future: StoreFuture<T>) -> T {
    let mut context = Context::from_waker(Waker::noop());
    match future.as_mut().poll(&mut context) {
        Poll::Ready(result) => result.unwrap(),
        Poll::Pending => panic!("it waits"),
    }
}

/// Claims and completes, as a handler's success does.
fn finish(store: &impl DeliveryStore, key: DeliveryKey, lifetime: Duration) {
    let owner = Owner::unique();
    assert_eq!(now(store.claim(key, owner, LONG)), Claim::New);
    assert!(now(store.complete(key, owner, lifetime)));
}

fn claim(store: &MemoryStore, number: u64) -> Claim {
    now(store.claim(key(number), Owner::unique(), LONG))
}

/// Bytes that were allocated since and are not free again.
fn held(region: &Region<'_, System>) -> usize {
    let change = region.change();
    change.bytes_allocated - change.bytes_deallocated
}

#[test]
fn a_flood_leaves_claims_alone_and_memory_within_what_the_docs_say() {
    let _alone = alone();
    let region = Region::new(GLOBAL);
    let store = MemoryStore::new();
    let claims: Vec<_> = (0..10_000 - 1)
        .map(|n| (key(1 << 40 | n), Owner::unique()))
        .collect();
    for (key, owner) in &claims {
        assert_eq!(now(store.claim(*key, *owner, LONG)), Claim::New);
    }
    for n in 0..1_000_000 {
        finish(&store, key(n), LONG);
    }
    let at_the_limit = held(&region);
    assert!(
        at_the_limit < 72_000_000,
        "{at_the_limit} bytes at a million deliveries"
    );
    for n in 1_000_000..1_300_000 {
        finish(&store, key(n), LONG);
    }
    let after = held(&region);
    assert!(
        after <= at_the_limit + SLACK,
        "{at_the_limit} bytes, then {after}"
    );
    let completed = store.completed();
    assert!((980_000..=1_000_000).contains(&completed), "{completed}");
    assert_eq!(store.evicted(), 1_300_000 - completed as u64);
    // The newest are all there.
    assert!((1_200_000..1_300_000).all(|n| claim(&store, n) == Claim::Done));

    assert_eq!(store.in_progress(), claims.len());
    for (key, owner) in claims {
        let other = now(store.claim(key, Owner::unique(), LONG));
        assert!(matches!(other, Claim::InProgress { .. }));
        assert!(now(store.complete(key, owner, LONG)));
    }
}

#[test]
fn completing_and_forgetting_over_and_over_takes_no_memory() {
    let _alone = alone();
    let store = MemoryStore::new().with_max_completed(4000);
    let round = || {
        for n in 0..500 {
            finish(&store, key(n), LONG);
        }
        for n in 0..500 {
            assert!(now(store.forget(key(n))));
        }
    };
    round();
    let region = Region::new(GLOBAL);
    for _ in 0..50 {
        round();
    }
    let held = held(&region);
    assert!(held < SLACK, "{held}");
    assert_eq!((store.completed(), store.evicted()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn what_has_expired_leaves_before_the_store_is_full() {
    let _alone = alone();
    let region = Region::new(GLOBAL);
    let store = MemoryStore::new();
    for n in 0..50_000 {
        finish(&store, key(n), Duration::from_secs(1));
        tokio::time::advance(Duration::from_millis(1)).await;
    }
    // A thousand at a time, and 64 empty shards.
    let held = held(&region);
    assert!(held < 600_000, "{held}");
    assert_eq!(store.evicted(), 0);
}
