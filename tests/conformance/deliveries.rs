//! Stores that do what a route wants of them, and the handler that counts its calls and does what a
//! row wants.

use std::{
    collections::{HashMap, HashSet},
    convert::Infallible,
    future::pending,
    sync::{Arc, Mutex},
    time::{Duration, UNIX_EPOCH},
};

use http::{Request, Response};
use serde::Deserialize;
use tokio::sync::Notify;
use tower::{Layer, ServiceExt, service_fn};
use tower_webhook::{
    Secret, Signer, VerifiedEvent, Verifier,
    delivery::{
        Claim, DeliveryKey, DeliveryLayer, DeliveryStore, MemoryStore, OutagePolicy, Owner,
        StoreError, StoreErrorKind, StoreFuture,
    },
    providers,
    verify::Head,
};

use crate::endpoints::HANG;

/// Names the row to the handler.
pub(crate) const ROW: &str = "x-row";

/// The delivery layer of a route.
#[derive(Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Remembering {
    store: Ways,
    /// How long an attempt waits for another, in milliseconds; without it for ever.
    wait: Option<u64>,
    /// In milliseconds; without it, for as long as the test runs.
    lease: Option<u64>,
    /// Whether events are let through while the store is out.
    #[serde(default)]
    allow: bool,
    /// How long a handler may run, in milliseconds.
    handler_timeout: Option<u64>,
    /// Whether as many handlers run as may.
    #[serde(default)]
    occupied: bool,
}

/// What is special about a store. Each is a `MemoryStore`, but for this.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Ways {
    /// Nothing. All routes of a host with this one share it.
    Memory,
    /// It is not there.
    Away,
    /// It is not there for the first claim of each delivery.
    Returning,
    /// It is there for claims and nothing else.
    Claiming,
    /// It gives up, since it takes too long.
    Slow,
    /// It has no room.
    Full,
    /// Everything is being handled somewhere else, for six and a half seconds more.
    Busy,
}

impl Remembering {
    pub(crate) fn layer(self, witness: &Witness) -> DeliveryLayer {
        let inner = match self.store {
            Ways::Memory => Arc::clone(&witness.memory),
            Ways::Full => {
                let store = MemoryStore::new().with_max_in_progress(1);
                let some_other = "5e".repeat(32).parse().unwrap();
                // Done when the method returns.
                drop(store.claim(some_other, Owner::unique(), Duration::MAX));
                Arc::new(store)
            }
            _ => Arc::default(),
        };
        let store = Scripted {
            inner,
            ways: self.store,
            witness: witness.clone(),
        };
        let millis = |millis: Option<u64>| millis.map_or(2 * HANG, Duration::from_millis);
        let policy = match self.allow {
            true => OutagePolicy::Allow,
            false => OutagePolicy::Refuse,
        };
        let mut layer = DeliveryLayer::new(store)
            .with_wait(millis(self.wait))
            .with_lease(millis(self.lease))
            .with_outage_policy(policy);
        if let Some(limit) = self.handler_timeout {
            layer = layer.with_handler_timeout(Duration::from_millis(limit));
        }
        if self.occupied {
            layer = layer.with_max_running(1);
            occupy(&layer);
        }
        layer
    }
}

/// Has a handler run that never ends, on a thread of its own.
fn occupy(layer: &DeliveryLayer) {
    let secret = Secret::new("another-endpoint-s-secret");
    let signer = Signer::new(providers::github(), secret.clone()).unwrap();
    let (head, body) = signer.sign(Request::post("/"), "{}").unwrap().into_parts();
    let verifier = Verifier::new(providers::github(), secret).unwrap();
    let event = verifier
        .with_endpoint("another")
        .verify(&Head::from(&head), body, UNIX_EPOCH);
    let mut request = Request::from_parts(head, ());
    request.extensions_mut().insert(event.unwrap());
    let handler = service_fn(|_: Request<()>| pending::<Result<Response<()>, Infallible>>());
    let request = layer.layer(handler).oneshot(request);
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build();
        runtime.unwrap().block_on(request)
    });
    while layer.in_flight() == 0 {
        std::thread::yield_now();
    }
}

/// What happened to the deliveries of one host.
#[derive(Clone, Default)]
pub(crate) struct Witness {
    memory: Arc<MemoryStore>,
    seen: Arc<Seen>,
}

#[derive(Default)]
struct Seen {
    /// How often the handler was called for a row.
    calls: Mutex<HashMap<String, usize>>,
    steps: Mutex<HashMap<DeliveryKey, Steps>>,
    changed: Notify,
}

#[derive(Default)]
struct Steps {
    claimants: HashSet<Owner>,
    /// Those who were told that another is at it.
    others: HashSet<Owner>,
    renewals: usize,
}

/// What a row wants of the handler, in headers that nobody signs. Without any, it answers at once.
pub(crate) struct Script {
    row: String,
    /// `x-failures`: it answers 502 the first so many times.
    failures: usize,
    /// `x-others`: it does not end before so many others were told that it is at it.
    others: usize,
    /// `x-renewals`: it does not end before its claim was renewed so often.
    renewals: usize,
}

impl Script {
    pub(crate) fn new(header: impl Fn(&str) -> Option<String>) -> Self {
        let number = |name| header(name).map_or(0, |text| text.parse().unwrap());
        Self {
            row: header(ROW).expect("the row says what its delivery becomes"),
            failures: number("x-failures"),
            others: number("x-others"),
            renewals: number("x-renewals"),
        }
    }
}

impl Witness {
    /// What the handler does. It says how often it was called for this row, or nothing if it fails.
    pub(crate) async fn handle(&self, event: &VerifiedEvent, script: Script) -> Option<usize> {
        let calls = {
            let mut calls = self.seen.calls.lock().unwrap();
            let calls = calls.entry(script.row).or_default();
            *calls += 1;
            *calls
        };
        let key = event.delivery_key();
        self.until(key, |steps| {
            steps.others.len() >= script.others && steps.renewals >= script.renewals
        })
        .await;
        (calls > script.failures).then_some(calls)
    }

    async fn until(&self, key: DeliveryKey, enough: impl Fn(&Steps) -> bool) {
        loop {
            let changed = self.seen.changed.notified();
            tokio::pin!(changed);
            // What happens from here on is not missed.
            changed.as_mut().enable();
            if enough(self.seen.steps.lock().unwrap().entry(key).or_default()) {
                return;
            }
            changed.await;
        }
    }

    fn note<T>(&self, key: DeliveryKey, note: impl FnOnce(&mut Steps) -> T) -> T {
        let noted = note(self.seen.steps.lock().unwrap().entry(key).or_default());
        self.seen.changed.notify_waiters();
        noted
    }
}

/// A store with its ways, which the witness watches.
struct Scripted {
    inner: Arc<MemoryStore>,
    ways: Ways,
    witness: Witness,
}

impl Scripted {
    /// What it fails with, if a step other than the claim fails.
    fn problem(&self) -> Option<StoreErrorKind> {
        match self.ways {
            Ways::Away | Ways::Claiming => Some(StoreErrorKind::Unavailable),
            Ways::Slow => Some(StoreErrorKind::Timeout),
            _ => None,
        }
    }

    fn step<T: Send + 'static>(
        &self,
        step: impl FnOnce(&MemoryStore) -> StoreFuture<T>,
    ) -> StoreFuture<T> {
        match self.problem() {
            Some(kind) => fail(kind),
            None => step(&self.inner),
        }
    }
}

/// Fails, but not at once.
fn fail<T: Send + 'static>(kind: StoreErrorKind) -> StoreFuture<T> {
    Box::pin(async move {
        tokio::task::yield_now().await;
        Err(StoreError::new(kind, "the table of requests says so"))
    })
}

impl DeliveryStore for Scripted {
    fn claim(&self, key: DeliveryKey, owner: Owner, lease: Duration) -> StoreFuture<Claim> {
        let is_first = self.witness.note(key, |steps| {
            steps.claimants.insert(owner);
            steps.claimants.len() == 1
        });
        match self.ways {
            Ways::Away => return fail(StoreErrorKind::Unavailable),
            Ways::Returning if is_first => return fail(StoreErrorKind::Unavailable),
            Ways::Slow => return fail(StoreErrorKind::Timeout),
            Ways::Busy => {
                let remaining = Duration::from_millis(6500);
                return Box::pin(async move { Ok(Claim::in_progress(remaining)) });
            }
            Ways::Memory | Ways::Returning | Ways::Claiming | Ways::Full => {}
        }
        let (claim, witness) = (self.inner.claim(key, owner, lease), self.witness.clone());
        Box::pin(async move {
            let claim = claim.await?;
            if let Claim::InProgress { .. } = claim {
                witness.note(key, |steps| steps.others.insert(owner));
            }
            Ok(claim)
        })
    }

    fn renew(&self, key: DeliveryKey, owner: Owner, lease: Duration) -> StoreFuture<bool> {
        let renewal = self.step(|store| store.renew(key, owner, lease));
        let witness = self.witness.clone();
        Box::pin(async move {
            let renewed = renewal.await?;
            witness.note(key, |steps| steps.renewals += usize::from(renewed));
            Ok(renewed)
        })
    }

    fn complete(&self, key: DeliveryKey, owner: Owner, lifetime: Duration) -> StoreFuture<bool> {
        self.step(|store| store.complete(key, owner, lifetime))
    }

    fn release(&self, key: DeliveryKey, owner: Owner) -> StoreFuture<bool> {
        self.step(|store| store.release(key, owner))
    }

    fn forget(&self, key: DeliveryKey) -> StoreFuture<bool> {
        self.inner.forget(key)
    }
}
