//! What the memory store takes, in bytes: it is bounded by its limits, whatever comes.

use std::time::Duration;

use stats_alloc::Region;
use support::store::{finish, key, now};
use tower_webhook::delivery::{Claim, DeliveryStore, MemoryStore, Owner};

use crate::{GLOBAL, alone, held};

const LONG: Duration = Duration::from_secs(600);
/// What the harness allocates meanwhile.
const SLACK: usize = 64 * 1024;

fn claim(store: &MemoryStore, number: u64) -> Claim {
    now(store.claim(key(number), Owner::unique(), LONG))
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
        at_the_limit < 210_000_000,
        "{at_the_limit} bytes at a million deliveries"
    );
    for n in 1_000_000..1_300_000 {
        finish(&store, key(n), LONG);
    }
    let after = held(&region);
    assert!(
        after <= at_the_limit + at_the_limit / 20,
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
