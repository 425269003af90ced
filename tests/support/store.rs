//! Keys for a delivery store, and what it answers at once.

use std::time::Duration;

use tower_webhook::delivery::{Claim, DeliveryKey, DeliveryStore, Owner, StoreFuture};

use crate::ready_now;

/// A lease that no test outlives.
const LONG: Duration = Duration::from_secs(600);

/// As evenly spread as a digest, and the same every time.
pub fn key(number: u64) -> DeliveryKey {
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
pub fn now<T>(future: StoreFuture<T>) -> T {
    ready_now(future).unwrap()
}

/// Claims and completes, as a handler's success does.
pub fn finish(store: &impl DeliveryStore, key: DeliveryKey, lifetime: Duration) {
    let owner = Owner::unique();
    assert_eq!(now(store.claim(key, owner, LONG)), Claim::New);
    assert!(now(store.complete(key, owner, lifetime)));
}
