//! A conformance test for implementations of [`DeliveryStore`].

mod steps;

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    task::{JoinSet, yield_now},
    time::{Instant, sleep},
};

use self::steps::{
    LONG, OVER, SHORT, Store, TICK, all, answer, broken, expect_done, expect_held, expect_new,
    rule, some_key, until_new, with_other_bit,
};
use crate::delivery::{
    owner::Owner,
    store::{Claim, DeliveryStore},
};

/// Checks that a store obeys every rule. It takes some seconds. It uses fresh keys, so the store
/// need not be empty, but it needs room for 1,100 claims and must serve a thousand concurrent
/// operations within its timeouts.
///
/// Run it on a multi-threaded runtime, because some rules concern concurrent operations.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?.block_on(async {
/// use tower_webhook::delivery::{MemoryStore, conformance};
///
/// conformance::run(MemoryStore::new()).await;
/// # });
/// # Ok::<_, std::io::Error>(())
/// ```
///
/// # Panics
///
/// If the store breaks a rule. The message names the rule.
pub async fn run(store: impl DeliveryStore + 'static) {
    let store: Store = Arc::new(store);
    a_claim_excludes_others(&store).await;
    keys_are_independent(&store).await;
    a_released_claim_is_new(&store).await;
    release_needs_no_poll(&store).await;
    done_is_final(&store).await;
    a_forgotten_delivery_is_new(&store).await;
    a_lease_ends_by_itself(&store).await;
    a_renewed_lease_goes_on(&store).await;
    a_lifetime_ends_by_itself(&store).await;
    a_late_owner_changes_nothing(&store).await;
    a_late_owner_may_finish_what_nobody_claimed(&store).await;
    one_of_many_claims_wins(&store).await;
    a_claim_and_a_late_completion_exclude_each_other(&store).await;
    claims_exclude_each_other(&store).await;
}

async fn a_claim_excludes_others(store: &Store) {
    let (key, owner) = (some_key(), Owner::unique());
    let first = answer("claim", store.claim(key, owner, LONG)).await;
    rule(
        first == Claim::New,
        "the first claim of a delivery is new",
        first,
    );
    let second = answer("claim", store.claim(key, Owner::unique(), LONG)).await;
    let Claim::InProgress { remaining } = second else {
        broken(
            "a claim by another owner reports that the delivery is in progress",
            second,
        );
    };
    rule(
        remaining > Duration::ZERO && remaining <= LONG.saturating_add(TICK),
        "the remaining lease is greater than zero and at most the whole lease",
        remaining,
    );
    let again = answer("claim", store.claim(key, owner, LONG)).await;
    rule(
        again == Claim::New,
        "an owner that claims again gets a new claim",
        again,
    );
    expect_held(
        store,
        key,
        "a claim that was repeated still excludes others",
    )
    .await;
}

async fn keys_are_independent(store: &Store) {
    let key = some_key();
    let owner = Owner::unique();
    answer("claim", store.claim(key, owner, LONG)).await;
    for bit in [0, 7, 128, 255] {
        let near = with_other_bit(key, bit);
        let other = Owner::unique();
        let text = "keys that differ in one bit are different deliveries";
        let claim = answer("claim", store.claim(near, other, LONG)).await;
        rule(claim == Claim::New, text, claim);
        let done = answer("complete", store.complete(near, other, LONG)).await;
        rule(done, text, done);
        expect_held(store, key, text).await;
    }
}

async fn a_released_claim_is_new(store: &Store) {
    let (key, owner) = (some_key(), Owner::unique());
    let nothing = answer("release", store.release(key, owner)).await;
    rule(
        !nothing,
        "releasing a delivery that was never claimed returns false",
        nothing,
    );
    answer("claim", store.claim(key, owner, LONG)).await;
    let others = answer("release", store.release(key, Owner::unique())).await;
    let text = "another owner cannot release a claim";
    rule(!others, text, others);
    expect_held(store, key, text).await;
    let own = answer("release", store.release(key, owner)).await;
    rule(own, "the owner can release a claim", own);
    expect_new(store, key, "a claim that was released is new").await;
}

async fn release_needs_no_poll(store: &Store) {
    let (key, owner) = (some_key(), Owner::unique());
    answer("claim", store.claim(key, owner, LONG)).await;
    drop(store.release(key, owner));
    let text = "a claim is released even if the future of `release` is never polled";
    until_new(store, key, text).await;
}

async fn done_is_final(store: &Store) {
    let (key, owner) = (some_key(), Owner::unique());
    answer("claim", store.claim(key, owner, LONG)).await;
    let done = answer("complete", store.complete(key, owner, LONG)).await;
    rule(done, "the owner of a claim can complete it", done);
    for owner in [owner, Owner::unique()] {
        expect_done(store, key, "a completed delivery is done, for every owner").await;
        let answers = [
            answer("complete", store.complete(key, owner, LONG)).await,
            answer("renew", store.renew(key, owner, LONG)).await,
            answer("release", store.release(key, owner)).await,
        ];
        let text = "a completed delivery can be neither completed, renewed nor released";
        rule(answers == [false; 3], text, answers);
        expect_done(store, key, text).await;
    }
}

async fn a_forgotten_delivery_is_new(store: &Store) {
    let (key, owner) = (some_key(), Owner::unique());
    let unknown = answer("forget", store.forget(key)).await;
    rule(
        !unknown,
        "forgetting an unknown delivery returns false",
        unknown,
    );
    answer("claim", store.claim(key, owner, LONG)).await;
    let claimed = answer("forget", store.forget(key)).await;
    rule(claimed, "a claim can be forgotten", claimed);
    let owner = expect_new(store, key, "a claim that was forgotten is new").await;
    answer("complete", store.complete(key, owner, LONG)).await;
    let done = answer("forget", store.forget(key)).await;
    rule(done, "a completed delivery can be forgotten", done);
    expect_new(store, key, "a completed delivery that was forgotten is new").await;
}

async fn a_lease_ends_by_itself(store: &Store) {
    let key = some_key();
    let start = Instant::now();
    answer("claim", store.claim(key, Owner::unique(), SHORT)).await;
    until_new(store, key, "a claim whose lease ran out is new").await;
    let after = start.elapsed().saturating_add(TICK);
    rule(after >= SHORT, "a claim lasts as long as its lease", after);
}

async fn a_renewed_lease_goes_on(store: &Store) {
    let (key, owner) = (some_key(), Owner::unique());
    answer("claim", store.claim(key, owner, SHORT)).await;
    let text = "another owner cannot renew a claim";
    let start = Instant::now();
    let others = answer("renew", store.renew(key, Owner::unique(), LONG)).await;
    // On a slow machine, the lease may already have expired.
    if start.elapsed() < SHORT {
        rule(!others, text, others);
    }
    let own = answer("renew", store.renew(key, owner, LONG)).await;
    rule(own || others, "the owner can renew a claim", own);
    sleep(OVER).await;
    expect_held(store, key, "a claim that was renewed still excludes others").await;

    let (key, owner) = (some_key(), Owner::unique());
    answer("claim", store.claim(key, owner, SHORT)).await;
    sleep(OVER).await;
    let late = answer("renew", store.renew(key, owner, LONG)).await;
    let text = "an expired claim can be renewed while nobody else has claimed the delivery";
    rule(late, text, late);
    expect_held(store, key, text).await;
}

async fn a_lifetime_ends_by_itself(store: &Store) {
    let (key, owner) = (some_key(), Owner::unique());
    answer("claim", store.claim(key, owner, LONG)).await;
    let start = Instant::now();
    answer("complete", store.complete(key, owner, SHORT)).await;
    let again = answer("complete", store.complete(key, owner, LONG)).await;
    if again && start.elapsed() >= SHORT {
        // The machine was slow, and the lifetime had already expired.
        return;
    }
    until_new(store, key, "a completed delivery is new after its lifetime").await;
    let after = start.elapsed().saturating_add(TICK);
    rule(
        after >= SHORT,
        "a completed delivery is done for its whole lifetime",
        after,
    );
}

async fn a_late_owner_changes_nothing(store: &Store) {
    let (key, late) = (some_key(), Owner::unique());
    answer("claim", store.claim(key, late, SHORT)).await;
    let text = "a claim whose lease expired is new";
    let owner = until_new(store, key, text).await;
    for name in ["complete", "renew", "release"] {
        let step = match name {
            "complete" => store.complete(key, late, LONG),
            "renew" => store.renew(key, late, LONG),
            _ => store.release(key, late),
        };
        let changed = answer(name, step).await;
        let text =
            format!("an owner whose lease expired cannot {name} another owner's newer claim");
        rule(!changed, &text, changed);
        expect_held(store, key, &text).await;
    }
    let claim = answer("claim", store.claim(key, late, LONG)).await;
    rule(
        matches!(claim, Claim::InProgress { .. }),
        "an owner whose lease expired cannot claim a delivery that another owner has claimed since",
        claim,
    );
    let done = answer("complete", store.complete(key, owner, LONG)).await;
    rule(done, "the newer owner can complete its claim", done);
}

async fn a_late_owner_may_finish_what_nobody_claimed(store: &Store) {
    let (key, owner) = (some_key(), Owner::unique());
    answer("claim", store.claim(key, owner, SHORT)).await;
    sleep(OVER).await;
    let done = answer("complete", store.complete(key, owner, LONG)).await;
    let text = "an expired claim can be completed while nobody else has claimed the delivery";
    rule(done, text, done);
    expect_done(store, key, text).await;
}

async fn one_of_many_claims_wins(store: &Store) {
    const TASKS: usize = 1000;
    let unknown = some_key();
    let ran_out = some_key();
    answer("claim", store.claim(ran_out, Owner::unique(), SHORT)).await;
    sleep(OVER).await;
    for key in [unknown, ran_out] {
        let mut tasks = JoinSet::new();
        for _ in 0..TASKS {
            let store = Arc::clone(store);
            let claim = async move { store.claim(key, Owner::unique(), LONG).await };
            tasks.spawn(answer("claim", Box::pin(claim)));
        }
        let claims = all(tasks).await;
        let won = claims.iter().filter(|claim| **claim == Claim::New).count();
        rule(
            won == 1,
            "exactly one of a thousand concurrent claims is new",
            won,
        );
    }
}

async fn a_claim_and_a_late_completion_exclude_each_other(store: &Store) {
    const KEYS: usize = 100;
    let mut late = Vec::new();
    for _ in 0..KEYS {
        let (key, owner) = (some_key(), Owner::unique());
        answer("claim", store.claim(key, owner, SHORT)).await;
        late.push((key, owner));
    }
    sleep(OVER).await;
    let mut tasks = JoinSet::new();
    for (index, (key, owner)) in late.into_iter().enumerate() {
        let claiming = Arc::clone(store);
        let claim = async move {
            let claim = claiming.claim(key, Owner::unique(), LONG);
            (index, answer("claim", claim).await == Claim::New)
        };
        let completing = Arc::clone(store);
        let complete = async move {
            let complete = completing.complete(key, owner, LONG);
            (index, answer("complete", complete).await)
        };
        // Each of the two is spawned first for half of the keys.
        if index % 2 == 0 {
            tasks.spawn(claim);
            tasks.spawn(complete);
        } else {
            tasks.spawn(complete);
            tasks.spawn(claim);
        }
    }
    let answers = all(tasks).await;
    for key in 0..KEYS {
        let of_key = answers.iter().filter(|(index, _)| *index == key);
        let won = of_key.filter(|(_, won)| *won).count();
        rule(
            won == 1,
            "exactly one of a late completion and a concurrent new claim succeeds",
            won,
        );
    }
}

async fn claims_exclude_each_other(store: &Store) {
    let key = some_key();
    let inside = Arc::new(AtomicUsize::new(0));
    let mut tasks = JoinSet::new();
    for _ in 0..20 {
        let (store, inside) = (Arc::clone(store), Arc::clone(&inside));
        tasks.spawn(async move {
            let mut most = 0;
            for _ in 0..20 {
                let owner = Owner::unique();
                if answer("claim", store.claim(key, owner, LONG)).await == Claim::New {
                    most = most.max(inside.fetch_add(1, Ordering::SeqCst).saturating_add(1));
                    yield_now().await;
                    inside.fetch_sub(1, Ordering::SeqCst);
                    answer("release", store.release(key, owner)).await;
                }
            }
            most
        });
    }
    let most = all(tasks).await.into_iter().max().unwrap_or_default();
    rule(
        most == 1,
        "however claims are made and released, at most one is in progress at a time",
        most,
    );
}
