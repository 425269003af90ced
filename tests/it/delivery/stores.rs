//! Delivery stores: the public rules on each of them, on broken ones too, and what each promises
//! beyond.

mod memory;
mod redis;
mod rules;

use std::{collections::HashSet, time::Duration};

use support::seconds;
use support::store::{finish, key, now};
use tokio::time::Instant;
use tower_webhook::delivery::{
    Claim, DeliveryKey, DeliveryStore, MemoryStore, Owner, StoreErrorKind, StoreFuture,
};

const LONG: Duration = Duration::from_secs(600);

fn is_held(claim: Claim) -> bool {
    matches!(claim, Claim::InProgress { .. })
}

/// Whether a delivery is done, without a trace if it is not.
fn is_done(store: &impl DeliveryStore, key: DeliveryKey) -> bool {
    let owner = Owner::unique();
    let claim = now(store.claim(key, owner, LONG));
    drop(store.release(key, owner));
    claim == Claim::Done
}

// The types.

#[test]
fn a_key_is_read_from_what_it_is_shown_as() {
    let text = format!("{:064x}", 0xabcdef);
    let key: DeliveryKey = text.parse().unwrap();
    assert_eq!(key.to_string(), text);
    assert_eq!(format!("{key:?}"), text);
    assert_eq!(key.as_bytes()[31], 0xef);
    assert_eq!(text.to_uppercase().parse(), Ok(key));
    for wrong in ["", "00", &text[1..], &format!("{text}00"), &"zz".repeat(32)] {
        let error = wrong.parse::<DeliveryKey>().unwrap_err();
        assert!(error.to_string().contains("64 hexadecimal digits"));
    }
}

#[test]
fn owners_are_unique_over_threads() {
    let threads: Vec<_> = (0..8)
        .map(|_| std::thread::spawn(|| (0..1000).map(|_| Owner::unique()).collect::<Vec<_>>()))
        .collect();
    let owners = threads
        .into_iter()
        .flat_map(|thread| thread.join().unwrap());
    let different: HashSet<_> = owners.collect();
    assert_eq!(different.len(), 8000);
}
