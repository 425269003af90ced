//! The memory store.

use super::*;

#[test]
fn the_memory_store_needs_no_runtime_and_never_waits() {
    let store = MemoryStore::new();
    finish(&store, key(1), LONG);
    assert!(is_done(&store, key(1)));
    assert!(now(store.forget(key(1))));
    assert!(!is_done(&store, key(1)));
}

#[test]
fn of_threads_that_claim_a_key_at_once_one_has_it() {
    let store = MemoryStore::new();
    let start = std::sync::Barrier::new(4);
    let claims = || {
        let claims = (0..2000).map(|number| {
            start.wait();
            now(store.claim(key(number), Owner::unique(), LONG)) == Claim::New
        });
        claims.filter(|new| *new).count()
    };
    let new: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(claims)).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .sum()
    });
    assert_eq!(new, 2000);
}

#[tokio::test(start_paused = true)]
async fn claims_are_bounded_and_a_full_store_refuses() {
    let store = MemoryStore::new().with_max_in_progress(2);
    let owners = [Owner::unique(), Owner::unique(), Owner::unique()];
    for n in [0, 1] {
        let claim = store.claim(key(n as u64), owners[n], seconds(30)).await;
        assert_eq!(claim.unwrap(), Claim::New);
    }
    let error = store.claim(key(2), owners[2], LONG).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Full);
    assert!(error.to_string().contains("2 claims are in progress"));
    let error = store.renew(key(2), owners[2], LONG).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Full);

    // What is there goes on.
    assert!(is_held(now(store.claim(key(0), owners[2], LONG))));
    assert_eq!(now(store.claim(key(1), owners[1], LONG)), Claim::New);
    assert_eq!(store.in_progress(), 2);

    // The first lease ends: there is room for one, and one alone.
    tokio::time::advance(seconds(30)).await;
    assert_eq!(store.in_progress(), 1);
    assert_eq!(now(store.claim(key(2), owners[2], LONG)), Claim::New);
    assert!(store.claim(key(3), Owner::unique(), LONG).await.is_err());

    // So there is after each way in which a claim ends.
    assert!(now(store.release(key(2), owners[2])));
    assert_eq!(now(store.claim(key(4), owners[0], LONG)), Claim::New);
    assert!(now(store.complete(key(4), owners[0], LONG)));
    assert_eq!(now(store.claim(key(5), owners[0], LONG)), Claim::New);
    assert!(now(store.forget(key(5))));
    assert_eq!(now(store.claim(key(6), owners[0], LONG)), Claim::New);
    assert!(store.claim(key(7), owners[0], LONG).await.is_err());
    assert_eq!(store.in_progress(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_full_store_finds_room_after_a_renewed_lease_ended() {
    let store = MemoryStore::new().with_max_in_progress(1);
    let owner = Owner::unique();
    assert_eq!(now(store.claim(key(1), owner, seconds(10))), Claim::New);
    tokio::time::advance(seconds(5)).await;
    assert!(now(store.renew(key(1), owner, seconds(10))));
    tokio::time::advance(seconds(9)).await;
    assert!(store.claim(key(2), Owner::unique(), LONG).await.is_err());
    tokio::time::advance(seconds(1)).await;
    assert_eq!(now(store.claim(key(2), Owner::unique(), LONG)), Claim::New);
}

#[tokio::test(start_paused = true)]
async fn a_full_store_finds_room_after_a_lease_that_was_cut_short() {
    let store = MemoryStore::new().with_max_in_progress(1);
    let owner = Owner::unique();
    assert_eq!(now(store.claim(key(1), owner, seconds(10))), Claim::New);
    tokio::time::advance(seconds(9)).await;
    assert!(now(store.renew(key(1), owner, seconds(100))));
    tokio::time::advance(seconds(2)).await;
    // It looks when the next claim ends: far away.
    assert!(store.claim(key(2), Owner::unique(), LONG).await.is_err());
    assert!(now(store.renew(key(1), owner, seconds(5))));
    tokio::time::advance(seconds(5)).await;
    assert_eq!(now(store.claim(key(2), Owner::unique(), LONG)), Claim::New);
}

#[test]
fn the_oldest_completed_delivery_goes_first_and_is_counted() {
    let store = MemoryStore::new().with_max_completed(3);
    for n in 0..5 {
        finish(&store, key(n), LONG);
    }
    let done: Vec<_> = (0..5).map(|n| is_done(&store, key(n))).collect();
    assert_eq!(done, [false, false, true, true, true]);
    assert_eq!((store.completed(), store.evicted()), (3, 2));
}

#[tokio::test(start_paused = true)]
async fn the_oldest_goes_first_whatever_the_lifetimes() {
    let store = MemoryStore::new().with_max_completed(4);
    let lifetimes = [seconds(1000), seconds(10), seconds(100_000), seconds(100)];
    for (n, lifetime) in (0..).zip(lifetimes) {
        finish(&store, key(n), lifetime);
        tokio::time::advance(seconds(1)).await;
    }
    for n in 0..4 {
        assert!(is_done(&store, key(n)));
        finish(&store, key(10 + n), LONG);
        assert!(!is_done(&store, key(n)), "{n}");
        assert_eq!(store.evicted(), n + 1);
        tokio::time::advance(Duration::from_millis(1)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_has_expired_makes_room_before_what_has_not() {
    let store = MemoryStore::new().with_max_completed(3);
    finish(&store, key(0), seconds(86_400));
    for n in 1..100 {
        finish(&store, key(n), seconds(60));
        finish(&store, key(1000 + n), seconds(90));
        tokio::time::advance(seconds(100)).await;
    }
    assert!(is_done(&store, key(0)));
    assert_eq!((store.completed(), store.evicted()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn lifetimes_and_leases_end_to_the_moment() {
    let store = MemoryStore::new();
    let moment = Duration::from_nanos(1);
    for (n, time) in (0..).zip([moment, seconds(1), seconds(60), seconds(700_000)]) {
        let (done, held) = (key(n), key(100 + n));
        finish(&store, done, time);
        assert_eq!(now(store.claim(held, Owner::unique(), time)), Claim::New);
        tokio::time::advance(time - moment).await;
        assert!(is_done(&store, done), "{time:?}");
        let claim = now(store.claim(held, Owner::unique(), time));
        assert_eq!(claim, Claim::in_progress(moment));
        tokio::time::advance(moment).await;
        assert!(!is_done(&store, done), "{time:?}");
        assert_eq!(now(store.claim(held, Owner::unique(), time)), Claim::New);
    }
}

#[tokio::test(start_paused = true)]
async fn no_time_is_too_long_or_too_short() {
    let store = MemoryStore::new();
    tokio::time::advance(seconds(1)).await;
    let owner = Owner::unique();
    assert_eq!(now(store.claim(key(1), owner, Duration::MAX)), Claim::New);
    assert!(is_held(now(store.claim(key(1), Owner::unique(), LONG))));
    assert!(now(store.complete(key(1), owner, Duration::MAX)));
    assert_eq!(now(store.claim(key(2), owner, Duration::ZERO)), Claim::New);
    assert!(now(store.complete(key(2), owner, Duration::ZERO)));
    tokio::time::advance(seconds(1_000_000_000)).await;
    assert!(is_done(&store, key(1)));
    assert!(!is_done(&store, key(2)));
}

/// The text with which a setter refuses a value with which a store could only fail.
fn panics<T>(set: impl FnOnce() -> T) -> String {
    let refused = std::panic::catch_unwind(std::panic::AssertUnwindSafe(set));
    let text = refused.err().expect("it is taken").downcast::<&str>();
    text.unwrap().to_string()
}

#[test]
fn settings_that_can_only_fail_panic() {
    assert_eq!(
        panics(|| MemoryStore::new().with_max_in_progress(0)),
        "max_in_progress is 0, so every claim would be refused; set how many deliveries may be handled at once"
    );
    assert_eq!(
        panics(|| MemoryStore::new().with_max_completed(0)),
        "max_completed is 0, so every retry would be handled again; set how many deliveries to remember"
    );
    let store = MemoryStore::new().with_max_completed(1);
    let store = store.with_max_in_progress(1);
    finish(&store, key(1), LONG);
    assert!(is_done(&store, key(1)));
    {
        let store = || tower_webhook::delivery::RedisStore::new("redis://localhost", "n").unwrap();
        assert_eq!(
            panics(|| store().with_timeout(Duration::ZERO)),
            "timeout is zero, so every operation would fail; set a longer one, such as a second"
        );
        drop(store().with_timeout(Duration::from_nanos(1)));
    }
}

/// A store as a list, slow and plain: what is done, in order.
#[derive(Default)]
struct Plain {
    done: Vec<(u64, Instant)>,
    evicted: u64,
}

impl Plain {
    fn complete(&mut self, number: u64, expires: Instant, limit: usize) {
        self.done.retain(|(_, expires)| Instant::now() < *expires);
        if self.done.len() == limit {
            self.done.remove(0);
            self.evicted += 1;
        }
        self.done.push((number, expires));
    }

    fn contains(&self, number: u64) -> bool {
        let mut done = self.done.iter();
        done.any(|(other, expires)| *other == number && Instant::now() < *expires)
    }
}

#[tokio::test(start_paused = true)]
async fn the_memory_store_does_what_a_plain_list_does() {
    const LIMIT: usize = 20;
    const NUMBERS: u64 = 50;
    for seed in 0..20 {
        let store = MemoryStore::new().with_max_completed(LIMIT);
        let mut plain = Plain::default();
        let mut dice = (0..).map(|n| u64::from(key(seed * 1_000_000 + n).as_bytes()[9]));
        let mut roll = |sides: u64| dice.next().unwrap() % sides;
        for _ in 0..2000 {
            let number = roll(NUMBERS);
            assert_eq!(
                is_done(&store, key(number)),
                plain.contains(number),
                "{seed}"
            );
            match roll(10) {
                0 => {
                    let forgotten = now(store.forget(key(number)));
                    assert_eq!(forgotten, plain.contains(number));
                    plain.done.retain(|(other, _)| *other != number);
                }
                1 => tokio::time::advance(seconds(roll(4))).await,
                // One length of life in each list, so that the first of a list is the first to
                // expire.
                _ if !plain.contains(number) => {
                    let lifetime = seconds([2, 10, 70][roll(3) as usize]);
                    finish(&store, key(number), lifetime);
                    plain.complete(number, Instant::now() + lifetime, LIMIT);
                }
                _ => {}
            }
            // No two at one moment, or the oldest of several lists is anybody's guess.
            tokio::time::advance(Duration::from_nanos(1)).await;
        }
        assert!(plain.evicted > 0);
        assert_eq!(store.evicted(), plain.evicted, "{seed}");
        assert_eq!(store.in_progress(), 0);
    }
}
