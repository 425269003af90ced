//! The public rules, on stores that keep them and on stores that break them.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use tower_webhook::delivery::conformance;

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_memory_store_keeps_the_rules() {
    conformance::run(MemoryStore::new()).await;
}

#[tokio::test(start_paused = true)]
async fn a_small_memory_store_keeps_the_rules() {
    let store = MemoryStore::new().with_max_completed(1000);
    let store: Arc<dyn DeliveryStore> = Arc::new(store);
    conformance::run(store).await;
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flaw {
    None,
    /// Claims are a question, and a write later.
    GetThenSet,
    NoRelease,
    ReleaseNeedsPoll,
    NoOwnerCheck,
    LeasesNeverEnd,
    DoneForEver,
    ForgetsNothing,
    LosesDone,
    RenewsNothing,
    ShortKeys,
    RefusesItsOwner,
    RefusesLateCompletion,
}

/// Whose claim, or nobody's where it is done; and until when.
type Entry = (Option<Owner>, Instant);

/// A store as anybody would write it, with one flaw.
#[derive(Clone)]
struct Flawed {
    flaw: Flaw,
    entries: Arc<Mutex<HashMap<Vec<u8>, Entry>>>,
}

impl Flawed {
    fn get(&self, key: DeliveryKey) -> Option<Entry> {
        let entry = *self.entries.lock().unwrap().get(&self.name(key))?;
        let (owner, until) = entry;
        let kept = match self.flaw {
            Flaw::LeasesNeverEnd => owner.is_some(),
            Flaw::DoneForEver => owner.is_none(),
            _ => false,
        };
        (kept || Instant::now() < until).then_some(entry)
    }

    fn set(&self, key: DeliveryKey, owner: Option<Owner>, time: Duration) {
        let entry = (owner, Instant::now() + time);
        self.entries.lock().unwrap().insert(self.name(key), entry);
    }

    fn remove(&self, key: DeliveryKey) {
        self.entries.lock().unwrap().remove(&self.name(key));
    }

    fn name(&self, key: DeliveryKey) -> Vec<u8> {
        let length = match self.flaw {
            Flaw::ShortKeys => 16,
            _ => 32,
        };
        key.as_bytes()[..length].to_vec()
    }

    fn is(&self, flaw: Flaw) -> bool {
        self.flaw == flaw
    }

    fn owns(&self, key: DeliveryKey, owner: Owner) -> bool {
        match self.get(key) {
            Some((Some(other), _)) => other == owner || self.is(Flaw::NoOwnerCheck),
            _ => false,
        }
    }
}

impl DeliveryStore for Flawed {
    fn claim(&self, key: DeliveryKey, owner: Owner, lease: Duration) -> StoreFuture<Claim> {
        let this = self.clone();
        Box::pin(async move {
            // One step, as no other is taken up before the next await.
            let found = this.get(key);
            if this.is(Flaw::GetThenSet) {
                tokio::task::yield_now().await;
            }
            Ok(match found {
                Some((None, _)) => Claim::Done,
                Some((Some(other), until)) if other != owner || this.is(Flaw::RefusesItsOwner) => {
                    Claim::in_progress(until.saturating_duration_since(Instant::now()))
                }
                _ => {
                    this.set(key, Some(owner), lease);
                    Claim::New
                }
            })
        })
    }

    fn renew(&self, key: DeliveryKey, owner: Owner, lease: Duration) -> StoreFuture<bool> {
        let free = self.owns(key, owner) || self.get(key).is_none();
        if free && !self.is(Flaw::RenewsNothing) {
            self.set(key, Some(owner), lease);
        }
        Box::pin(async move { Ok(free) })
    }

    fn complete(&self, key: DeliveryKey, owner: Owner, lifetime: Duration) -> StoreFuture<bool> {
        let late = self.get(key).is_none();
        let free = self.owns(key, owner) || (late && !self.is(Flaw::RefusesLateCompletion));
        if free {
            match self.flaw {
                Flaw::LosesDone => self.remove(key),
                _ => self.set(key, None, lifetime),
            }
        }
        Box::pin(async move { Ok(free) })
    }

    fn release(&self, key: DeliveryKey, owner: Owner) -> StoreFuture<bool> {
        let this = self.clone();
        let step = move || {
            let owns = this.owns(key, owner);
            if owns && !this.is(Flaw::NoRelease) {
                this.remove(key);
            }
            owns
        };
        if self.is(Flaw::ReleaseNeedsPoll) {
            return Box::pin(async move { Ok(step()) });
        }
        let released = step();
        Box::pin(async move { Ok(released) })
    }

    fn forget(&self, key: DeliveryKey) -> StoreFuture<bool> {
        let known = self.get(key).is_some();
        if !self.is(Flaw::ForgetsNothing) {
            self.remove(key);
        }
        Box::pin(async move { Ok(known) })
    }
}

/// What the suite says of a store, on one thread and with a clock that does not wait.
async fn verdict(flaw: Flaw) -> Result<(), String> {
    let store = Flawed {
        flaw,
        entries: Arc::default(),
    };
    let run = tokio::spawn(conformance::run(store)).await;
    run.map_err(|error| *error.into_panic().downcast::<String>().unwrap())
}

#[tokio::test(start_paused = true)]
async fn the_rules_are_kept_by_a_plain_store_without_a_flaw() {
    assert_eq!(verdict(Flaw::None).await, Ok(()));
}

#[tokio::test(start_paused = true)]
async fn each_flaw_breaks_the_rule_that_is_about_it() {
    let table = [
        (
            Flaw::GetThenSet,
            "exactly one of a thousand concurrent claims is new",
        ),
        (Flaw::NoRelease, "a claim that was released is new"),
        (Flaw::ReleaseNeedsPoll, "released even if the future"),
        (Flaw::NoOwnerCheck, "another owner cannot release a claim"),
        (Flaw::LeasesNeverEnd, "a claim whose lease expired is new"),
        (
            Flaw::DoneForEver,
            "a completed delivery is new after its lifetime",
        ),
        (Flaw::ForgetsNothing, "a claim that was forgotten is new"),
        (Flaw::LosesDone, "a completed delivery is done"),
        (
            Flaw::RenewsNothing,
            "a claim that was renewed still excludes others",
        ),
        (
            Flaw::ShortKeys,
            "keys that differ in one bit are different deliveries",
        ),
        (
            Flaw::RefusesItsOwner,
            "an owner that claims again gets a new claim",
        ),
        (
            Flaw::RefusesLateCompletion,
            "can be completed while nobody else has claimed",
        ),
    ];
    for (flaw, rule) in table {
        let said = verdict(flaw).await.expect_err("the suite sees nothing");
        assert!(
            said.starts_with("the store breaks a rule") && said.contains(rule),
            "{flaw:?}: {said}"
        );
    }
}
