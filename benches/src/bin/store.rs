//! Measures the claim and the completion of a delivery, in a store with a million other entries.
//!
//! `moka` and `quick_cache` do the same work: only one caller claims a key, and then marks it as
//! completed.

use std::{
    fs,
    process::Command,
    sync::{
        Arc, Barrier,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::{Context, Poll, Waker},
    thread,
    time::{Duration, Instant},
};

use sha2::{Digest, Sha256};
use tower_webhook::delivery::{Claim, DeliveryKey, DeliveryStore, MemoryStore, Owner, StoreFuture};
use tower_webhook_benches::{
    figures::{self, Figure},
    rounds::{Spread, cpu_time},
};

const LIVE: u64 = 1_000_000;
const LEASE: Duration = Duration::from_secs(30);
const LIFETIME: Duration = Duration::from_secs(86_400);
const BATCH: usize = 2000;
const NAMES: [&str; 3] = ["MemoryStore", "moka", "quick_cache"];

/// A delivery store.
trait Store: Send + Sync {
    /// Claims a new key and completes it.
    fn deliver(&self, key: DeliveryKey);
}

struct Ours(MemoryStore);

impl Store for Ours {
    fn deliver(&self, key: DeliveryKey) {
        let owner = Owner::unique();
        assert_eq!(now(self.0.claim(key, owner, LEASE)), Claim::New);
        assert!(now(self.0.complete(key, owner, LIFETIME)));
    }
}

/// Resolves a future that is ready immediately.
fn now<T>(mut future: StoreFuture<T>) -> T {
    match future
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()))
    {
        Poll::Ready(result) => result.unwrap(),
        Poll::Pending => panic!("the future is not ready"),
    }
}

/// The owner of a delivery, and whether it is completed.
#[derive(Clone, Copy)]
struct Entry {
    owner: Owner,
    done: bool,
}

struct Moka(moka::sync::Cache<[u8; 32], Entry>);

impl Store for Moka {
    fn deliver(&self, key: DeliveryKey) {
        let (key, owner) = (*key.as_bytes(), Owner::unique());
        let claimed = self
            .0
            .entry(key)
            .or_insert_with(|| Entry { owner, done: false });
        assert!(claimed.is_fresh() && claimed.into_value().owner == owner);
        self.0.insert(key, Entry { owner, done: true });
    }
}

struct Quick(quick_cache::sync::Cache<[u8; 32], Entry>);

impl Store for Quick {
    fn deliver(&self, key: DeliveryKey) {
        let (key, owner) = (*key.as_bytes(), Owner::unique());
        let claim = || Ok::<_, ()>(Entry { owner, done: false });
        let claimed = self.0.get_or_insert_with(&key, claim).unwrap();
        assert!(claimed.owner == owner && !claimed.done);
        self.0.insert(key, Entry { owner, done: true });
    }
}

fn make(name: &str) -> Box<dyn Store> {
    match name {
        "MemoryStore" => Box::new(Ours(MemoryStore::new())),
        "moka" => {
            let cache = moka::sync::Cache::builder();
            Box::new(Moka(
                cache.max_capacity(LIVE).time_to_live(LIFETIME).build(),
            ))
        }
        _ => Box::new(Quick(quick_cache::sync::Cache::new(LIVE as usize))),
    }
}

/// Keys are digests, computed in advance.
fn keys(number: usize) -> Vec<DeliveryKey> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let next = || Sha256::digest(NEXT.fetch_add(1, Ordering::Relaxed).to_be_bytes());
    let key = |_| hex::encode(next()).parse().unwrap();
    (0..number).map(key).collect()
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [name, what] = &arguments[..]
        && what == "memory"
    {
        return memory(name);
    }
    let seconds = arguments.first().map_or(1.0, |text| text.parse().unwrap());
    let budget = Duration::from_secs_f64(seconds * 3.0);
    let stores = NAMES.map(|name| {
        let store: Arc<dyn Store> = make(name).into();
        keys(LIVE as usize)
            .into_iter()
            .for_each(|key| store.deliver(key));
        store
    });
    println!("## Claim and completion, {LIVE} live entries\n");
    println!(
        "| store | one thread, ns | of moka | two threads, ns | of moka | bytes for an entry |"
    );
    println!("| --- | ---: | ---: | ---: | ---: | ---: |");
    let [one, two] = [1, 2].map(|threads| measure(&stores, threads, budget));
    let mut reached = Vec::new();
    for (index, name) in NAMES.into_iter().enumerate() {
        let against =
            |rounds: &[[f64; 3]]| Spread::of(rounds.iter().map(|round| round[index] / round[1]));
        let time = |rounds: &[[f64; 3]]| Spread::of(rounds.iter().map(|round| round[index])).middle;
        let cell = |Spread { low, middle, high }: Spread| {
            format!("{middle:.2} ±{:.2}", (high - low) / 2.0)
        };
        println!(
            "| {name} | {:.0} | {} | {:.0} | {} | {} |",
            time(&one),
            cell(against(&one)),
            time(&two),
            cell(against(&two)),
            of_a_process(name)
        );
        if index == 0 {
            let what =
                "claim and completion with a million live entries on two threads, against moka";
            reached.push(Figure::new(what, 0.35, against(&two).middle, ""));
        }
    }
    figures::print(&reached);
}

/// The processor time per delivery in each store, for each round, on one of several concurrent
/// threads.
fn measure(stores: &[Arc<dyn Store>; 3], threads: usize, budget: Duration) -> Vec<[f64; 3]> {
    let (barrier, ended) = (Barrier::new(threads), AtomicBool::new(false));
    let round = || {
        [0, 1, 2].map(|index| {
            let keys = keys(BATCH);
            barrier.wait();
            let start = cpu_time();
            keys.into_iter().for_each(|key| stores[index].deliver(key));
            (cpu_time() - start) / BATCH as f64
        })
    };
    thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(|| {
                loop {
                    barrier.wait();
                    if ended.load(Ordering::SeqCst) {
                        return;
                    }
                    round();
                }
            });
        }
        let (mut rounds, start) = (Vec::new(), Instant::now());
        while rounds.len() < 11 || start.elapsed() < budget {
            barrier.wait();
            rounds.push(round());
        }
        ended.store(true, Ordering::SeqCst);
        barrier.wait();
        rounds
    })
}

/// The resident bytes per entry, in a process that holds nothing else.
fn of_a_process(name: &str) -> String {
    let program = std::env::current_exe().unwrap();
    let output = Command::new(program)
        .args([name, "memory"])
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn memory(name: &str) {
    let store = make(name);
    let before = resident();
    for _ in 0..LIVE / 1000 {
        keys(1000).into_iter().for_each(|key| store.deliver(key));
    }
    println!("{}", (resident() - before) * 1024 / LIVE);
}

fn resident() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
