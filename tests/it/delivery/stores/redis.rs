//! The Redis store, on real servers.

use std::{
    error::Error,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};
use tower_webhook::delivery::{RedisStore, StoreError};

use support::redis::{Redis, is_installed};

use support::Lines;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::fmt::format::FmtSpan;

use super::*;

/// Beside the limit of a step: what a busy machine needs to notice.
const NOTICE: Duration = Duration::from_millis(700);

const NAMESPACE: &str = "tests";

fn store(redis: &Redis) -> RedisStore {
    RedisStore::new(redis.url(), NAMESPACE).unwrap()
}

async fn claim(store: &RedisStore, number: u64) -> Result<Claim, StoreError> {
    store.claim(key(number), Owner::unique(), LONG).await
}

async fn finish(store: &RedisStore, number: u64) {
    let owner = Owner::unique();
    let claim = store.claim(key(number), owner, LONG).await.unwrap();
    assert_eq!(claim, Claim::New);
    assert!(store.complete(key(number), owner, LONG).await.unwrap());
}

/// What a delivery is called in Redis.
fn entry(number: u64) -> Vec<u8> {
    [b"tests:", key(number).as_bytes().as_slice()].concat()
}

/// What Redis says of it, as text.
fn about(redis: &Redis, words: &[&str], number: u64) -> String {
    let answer = redis.ask_about(words, &entry(number));
    String::from_utf8(answer).unwrap()
}

/// Puts something under its name.
fn set(redis: &Redis, number: u64, value: &str) {
    let script = "return redis.call('SET', KEYS[2], KEYS[1])";
    assert_eq!(about(redis, &["EVAL", script, "2", value], number), "OK");
}

/// Every text that an error shows.
fn texts(error: &StoreError) -> String {
    let mut texts = format!("{error} {error:?}");
    let mut source = error.source();
    while let Some(error) = source {
        texts.push_str(&format!(" {error} {error:?}"));
        source = error.source();
    }
    texts
}

/// Several replicas as one store: each step goes to the next of them.
struct Replicas {
    stores: Vec<RedisStore>,
    next: AtomicUsize,
}
impl Replicas {
    fn next(&self) -> &RedisStore {
        let next = self.next.fetch_add(1, Ordering::Relaxed);
        &self.stores[next % self.stores.len()]
    }
}
impl DeliveryStore for Replicas {
    fn claim(&self, key: DeliveryKey, owner: Owner, lease: Duration) -> StoreFuture<Claim> {
        self.next().claim(key, owner, lease)
    }

    fn complete(&self, key: DeliveryKey, owner: Owner, time: Duration) -> StoreFuture<bool> {
        self.next().complete(key, owner, time)
    }

    fn release(&self, key: DeliveryKey, owner: Owner) -> StoreFuture<bool> {
        self.next().release(key, owner)
    }

    fn forget(&self, key: DeliveryKey) -> StoreFuture<bool> {
        self.next().forget(key)
    }
}
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_redis_store_keeps_the_rules_alone_and_as_three_replicas() {
    use tower_webhook::delivery::conformance;

    let Some(redis) = Redis::start() else { return };
    // A thousand steps at once, on a machine that others use.
    let store = || store(&redis).with_timeout(seconds(5));
    conformance::run(store()).await;
    conformance::run(Replicas {
        stores: vec![store(), store(), store()],
        next: AtomicUsize::new(0),
    })
    .await;
}

#[tokio::test]
async fn entries_stand_in_redis_as_documented() {
    let Some(redis) = Redis::start() else { return };
    let store = store(&redis);
    let owner = Owner::unique();
    let lease = Duration::from_micros(30_000_001);
    assert_eq!(store.claim(key(1), owner, lease).await.unwrap(), Claim::New);
    assert_eq!(redis.ask_about(&["GET"], &entry(1)), owner.as_bytes());
    let rest: u64 = about(&redis, &["PTTL"], 1).parse().unwrap();
    assert!((20_000..=30_001).contains(&rest), "{rest}");

    assert!(store.complete(key(1), owner, LONG).await.unwrap());
    let number = about(&redis, &["GET"], 1);
    assert!(number.len() == 19 && number.parse::<i64>().is_ok_and(|number| number > 0));
    let rest: u64 = about(&redis, &["PTTL"], 1).parse().unwrap();
    assert!((590_000..=600_000).contains(&rest), "{rest}");

    let other = RedisStore::new(redis.url(), "tests:other").unwrap();
    assert_eq!(claim(&other, 1).await.unwrap(), Claim::New);
    assert!(other.forget(key(1)).await.unwrap());
    assert_eq!(redis.ask(&["DBSIZE"]), "1");
    assert!(store.forget(key(1)).await.unwrap());
    assert_eq!(redis.ask(&["DBSIZE"]), "0");
}

#[tokio::test]
async fn whoever_completed_a_delivery_redis_keeps_it_as_a_number() {
    let Some(redis) = Redis::start() else { return };
    let store = store(&redis);
    for number in 0..500 {
        finish(&store, number).await;
        assert_eq!(about(&redis, &["OBJECT", "ENCODING"], number), "int");
        assert_eq!(claim(&store, number).await.unwrap(), Claim::Done);
    }
}

#[tokio::test]
async fn a_delivery_can_be_looked_up_and_deleted_as_the_runbook_says() {
    use std::process::Command;

    let Some(redis) = Redis::start() else { return };
    if !is_installed("xxd") {
        return;
    }
    let runbook = include_str!("../../../../RUNBOOK.md");
    let line = |start: &str| {
        runbook
            .lines()
            .find(|line| line.starts_with(start))
            .unwrap()
    };
    let run = |start: &str, number: u64| {
        let command = line(start).replace("redis-cli", &format!("redis-cli -p {}", redis.port()));
        let script = format!("{}\n{command}", line("entry() {"));
        let mut shell = Command::new("sh");
        shell.args(["-c", &script]).env("namespace", "tests");
        let output = shell.env("key", key(number).to_string()).output().unwrap();
        let missing = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success() && missing.is_empty(), "{missing}");
        output.stdout
    };
    let store = store(&redis);
    let owner = Owner::unique();
    // Keys of all bytes, zeros and line ends among them.
    for number in 0..30 {
        assert_eq!(run("entry | redis-cli -x GET", number), b"\n");
        assert_eq!(run("entry | redis-cli -x PTTL", number), b"-2\n");
        store.claim(key(number), owner, LONG).await.unwrap();
        let got = run("entry | redis-cli -x GET", number);
        assert_eq!(got, [owner.as_bytes().as_slice(), b"\n"].concat());
        assert!(store.complete(key(number), owner, LONG).await.unwrap());
        assert_eq!(run("entry | redis-cli -x GET", number).len(), 20);
        assert_eq!(run("entry | redis-cli -x DEL", number), b"1\n");
        assert_eq!(run("entry | redis-cli -x DEL", number), b"0\n");
    }
}

#[test]
fn namespaces_that_cannot_be_told_apart_are_refused() {
    let long = "n".repeat(129);
    for (namespace, problem) in [
        ("", "is empty"),
        (" \t\n", "is empty"),
        (&long, "has more than 128 bytes"),
        ("billing ", "begins or ends with white space"),
        ("\u{a0}billing", "begins or ends with white space"),
        ("bill\ning", "contains an invisible character"),
        ("bill\0ing", "contains an invisible character"),
        ("bill\u{200b}ing", "contains an invisible character"),
        ("bill\u{a0}ing", "contains an invisible character"),
        ("cafe\u{301}", "contains an invisible character"),
    ] {
        let error = RedisStore::new("redis://localhost", namespace).unwrap_err();
        let expected = format!(
            "redis: the namespace {problem}; write a name for this service and environment, such as \"billing-production\""
        );
        assert_eq!(error.to_string(), expected, "{namespace:?}");
    }
    for namespace in [
        "b",
        "billing:production",
        "Abrechnung für Köln",
        "\"'\\",
        &long[1..],
    ] {
        let store = RedisStore::new("redis://localhost", namespace).unwrap();
        assert!(format!("{store:?}").contains(&format!("{namespace:?}")));
    }
}

#[tokio::test]
async fn a_new_delivery_takes_two_round_trips_and_a_duplicate_one() {
    let Some(redis) = Redis::start() else { return };
    let store = store(&redis);
    finish(&store, 1).await;
    let calls = || {
        let names = ["evalsha", "eval", "script|load", "client|setinfo", "ping"];
        names.map(|name| redis.calls(name))
    };
    let before = calls();
    finish(&store, 2).await;
    assert_eq!(claim(&store, 2).await.unwrap(), Claim::Done);
    let after = calls();
    assert_eq!(after[0] - before[0], 3);
    assert_eq!(after[1..], before[1..]);
}

#[tokio::test]
async fn no_time_is_too_long_or_too_short() {
    let Some(redis) = Redis::start() else { return };
    let store = store(&redis);
    for time in [Duration::ZERO, Duration::from_nanos(1), Duration::MAX] {
        let owner = Owner::unique();
        assert_eq!(store.claim(key(1), owner, time).await.unwrap(), Claim::New);
        assert!(store.complete(key(1), owner, time).await.unwrap());
        store.forget(key(1)).await.unwrap();
    }
}

#[tokio::test]
async fn a_service_starts_while_redis_is_away_and_it_comes_back() {
    let Some(mut redis) = Redis::start() else {
        return;
    };
    redis.kill();
    let store = store(&redis);
    for _ in 0..3 {
        let error = claim(&store, 1).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{error}");
    }
    redis.restart();
    // The first step after it is back, without a failed one between.
    finish(&store, 1).await;

    redis.kill();
    let error = claim(&store, 1).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{error}");
    redis.restart();
    assert_eq!(claim(&store, 1).await.unwrap(), Claim::New);
}

#[tokio::test]
async fn a_claim_that_redis_lost_in_a_restart_can_be_completed() {
    let Some(mut redis) = Redis::start() else {
        return;
    };
    let store = store(&redis);
    let (completed, renewed) = (Owner::unique(), Owner::unique());
    store.claim(key(1), completed, LONG).await.unwrap();
    store.claim(key(2), renewed, LONG).await.unwrap();
    redis.kill();
    redis.restart();
    // Nobody noticed until now that the connection is dead: the step makes a new one, and is done.
    assert!(store.complete(key(1), completed, LONG).await.unwrap());
    assert_eq!(claim(&store, 1).await.unwrap(), Claim::Done);
    assert!(store.renew(key(2), renewed, LONG).await.unwrap());
    assert!(is_held(claim(&store, 2).await.unwrap()));
}

#[tokio::test]
async fn a_connection_that_redis_closes_is_replaced_within_the_step() {
    let Some(redis) = Redis::start() else { return };
    let store = store(&redis);
    for number in 0..5 {
        finish(&store, number).await;
        redis.ask(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
    }
    assert!(redis.calls("client|kill") >= 5);
}

/// Two hundred claims at once, and how long the slowest took.
async fn crowd(store: &RedisStore, first: u64) -> (Vec<Result<Claim, StoreError>>, Duration) {
    let mut tasks = JoinSet::new();
    for number in first..first + 200 {
        let store = store.clone();
        tasks.spawn(async move {
            let start = Instant::now();
            let claim = claim(&store, number).await;
            (claim, start.elapsed())
        });
    }
    let results = tasks.join_all().await;
    let slowest = results.iter().map(|(_, time)| *time).max().unwrap();
    (
        results.into_iter().map(|(claim, _)| claim).collect(),
        slowest,
    )
}

#[tokio::test]
async fn while_redis_hangs_nobody_waits_longer_than_the_limit_and_no_answer_goes_astray() {
    let Some(mut redis) = Redis::start() else {
        return;
    };
    let limit = Duration::from_millis(400);
    let store = store(&redis).with_timeout(limit);
    // Their late answers would be "done" and "in progress".
    for number in 0..200 {
        if number % 2 == 0 {
            finish(&store, number).await;
        } else {
            claim(&store, number).await.unwrap();
        }
    }
    redis.pause();
    for _ in 0..2 {
        let (claims, slowest) = crowd(&store, 0).await;
        assert!(slowest < limit + NOTICE, "{slowest:?}");
        for claim in claims {
            assert_eq!(claim.unwrap_err().kind(), StoreErrorKind::Timeout);
        }
    }
    redis.resume();
    let (claims, _) = crowd(&store, 1000).await;
    assert!(claims.into_iter().all(|claim| claim.unwrap() == Claim::New));
    for number in 0..200 {
        let claim = claim(&store, number).await.unwrap();
        assert_eq!(claim == Claim::Done, number % 2 == 0, "{number}: {claim:?}");
    }
}

#[tokio::test]
async fn a_claim_that_came_too_late_is_undone_by_its_release() {
    let Some(mut redis) = Redis::start() else {
        return;
    };
    let store = store(&redis).with_timeout(Duration::from_millis(500));
    finish(&store, 0).await;
    redis.pause();
    let owner = Owner::unique();
    let error = store.claim(key(1), owner, LONG).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Timeout);
    store.release(key(1), owner).await.unwrap_err();
    redis.resume();
    assert_eq!(claim(&store, 1).await.unwrap(), Claim::New);
}

#[tokio::test]
async fn a_service_that_starts_while_redis_hangs_waits_no_longer_than_the_limit() {
    let Some(mut redis) = Redis::start() else {
        return;
    };
    let limit = Duration::from_millis(400);
    let store = store(&redis).with_timeout(limit);
    redis.pause();
    let (claims, slowest) = crowd(&store, 0).await;
    assert!(slowest < limit + NOTICE, "{slowest:?}");
    assert!(claims.iter().all(Result::is_err));
    redis.resume();
    finish(&store, 1000).await;
}

#[tokio::test]
async fn a_slow_redis_is_waited_for_within_the_limit() {
    let Some(redis) = Redis::start() else { return };
    let patient = store(&redis).with_timeout(seconds(10));
    let hasty = store(&redis).with_timeout(Duration::from_millis(400));
    finish(&patient, 1).await;
    finish(&hasty, 2).await;
    let mut sleeping = redis.send(&["DEBUG", "SLEEP", "1.5"]);
    // Redis sleeps once the command has arrived, which nobody can be told: the first late answer
    // shows it.
    let mut number = 10;
    let error = loop {
        number += 1;
        match claim(&hasty, number).await {
            Ok(_) => tokio::task::yield_now().await,
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), StoreErrorKind::Timeout, "{error}");
    let shown = error.to_string();
    assert!(
        shown.contains("400ms") && shown.contains("127.0.0.1"),
        "{shown}"
    );
    finish(&patient, 5).await;
    std::io::Read::read_exact(&mut sleeping, &mut [0; 5]).unwrap();
    finish(&hasty, 6).await;
}

#[tokio::test]
async fn what_is_no_delivery_is_an_error_and_is_left_alone() {
    let Some(redis) = Redis::start() else { return };
    let store = store(&redis);
    let push = "return redis.call('LPUSH', KEYS[1], 'element')";
    assert_eq!(about(&redis, &["EVAL", push, "1"], 1), "1");
    set(&redis, 2, "something else");
    // As long as a claim, but nobody's for ever.
    set(&redis, 3, &"0".repeat(16));
    // As long as a completed delivery.
    set(&redis, 4, &"x".repeat(19));
    for number in [1, 2, 3, 4] {
        let error = claim(&store, number).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Unavailable);
        let expected = match number {
            1 => "WRONGTYPE",
            _ => "the value is not a delivery; delete it, or use another namespace",
        };
        assert!(error.to_string().contains(expected), "{error}");
        assert_eq!(about(&redis, &["EXISTS"], number), "1");
    }
    finish(&store, 5).await;
    for number in [1, 2, 3, 4] {
        assert!(store.forget(key(number)).await.unwrap());
        finish(&store, number).await;
    }
}

#[tokio::test]
async fn scripts_that_redis_forgot_are_sent_again() {
    let Some(redis) = Redis::start() else { return };
    let store = store(&redis);
    let owner = Owner::unique();
    let flush = || assert_eq!(redis.ask(&["SCRIPT", "FLUSH"]), "OK");
    finish(&store, 1).await;
    flush();
    assert_eq!(store.claim(key(2), owner, LONG).await.unwrap(), Claim::New);
    flush();
    assert!(store.release(key(2), owner).await.unwrap());
    flush();
    assert!(store.complete(key(2), owner, LONG).await.unwrap());
}

#[tokio::test]
async fn a_full_redis_refuses_claims_and_says_so() {
    let Some(redis) = Redis::start() else { return };
    let store = store(&redis);
    finish(&store, 1).await;
    assert_eq!(redis.ask(&["CONFIG", "SET", "maxmemory", "1"]), "OK");
    let error = claim(&store, 2).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Full, "{error}");
    assert_eq!(redis.ask(&["CONFIG", "SET", "maxmemory", "0"]), "OK");
    finish(&store, 2).await;
}

#[tokio::test]
async fn a_wrong_password_is_shown_nowhere_and_can_be_put_right() {
    let Some(redis) = Redis::start_with("rightword") else {
        return;
    };
    let port = redis.port();
    let url = format!("redis://:s3cr%33tword@127.0.0.1:{port}");
    let store = RedisStore::new(&url, NAMESPACE).unwrap();
    let error = claim(&store, 1).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    let shown = format!("{store:?} {}", texts(&error));
    for secret in ["s3cr3t", "s3cr%33t", "tword", "rightword"] {
        assert!(!shown.contains(secret), "{shown}");
    }
    assert!(shown.contains("127.0.0.1") && shown.contains("uthentication"));

    // The store tries again, with each step.
    let answer = redis.ask(&["CONFIG", "SET", "requirepass", "s3cr3tword"]);
    assert_eq!(answer, "OK");
    finish(&store, 1).await;
}

#[test]
fn urls_that_cannot_be_used_are_refused_without_being_shown() {
    for (url, remedy) in [
        ("", "redis://"),
        ("localhost:6379", "redis://"),
        ("http://:hidden@localhost", "redis://"),
        ("redis://:hidden@localhost:99999", "redis://"),
        ("redis://:hidden@localhost/number", "redis://"),
        ("rediss://:hidden@localhost", "tokio-rustls-comp"),
    ] {
        let error = RedisStore::new(url, NAMESPACE).unwrap_err().to_string();
        assert!(error.starts_with("redis: "), "{error}");
        assert!(error.contains(remedy), "{url}: {error}");
        assert!(!error.contains("hidden"), "{error}");
    }
    RedisStore::new("redis+unix:///run/redis.sock", NAMESPACE).unwrap();
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Forward,
    /// Connections are closed as soon as they are there.
    Refuse,
    /// The next answer is swallowed, and its connection closed.
    CutOnce,
    /// Half of the next answer comes, and its connection is closed.
    CutHalfOnce,
    /// Half of the next answer comes, and nothing more on its connection.
    StallOnce,
}

/// What the proxy does.
#[derive(Clone)]
struct Ways {
    mode: Arc<Mutex<Mode>>,
    /// Connections with a number below this are held and say nothing more.
    silent_below: Arc<AtomicUsize>,
    /// What comes before the first byte of a connection reaches Redis, and before the first one
    /// back.
    slow: Arc<Mutex<[Duration; 2]>>,
}

impl Ways {
    /// What happens to this answer. The next one is forwarded.
    fn take(&self) -> Mode {
        let mut mode = self.mode.lock().unwrap();
        match *mode {
            Mode::Refuse => Mode::Refuse,
            once => {
                *mode = Mode::Forward;
                once
            }
        }
    }
}

/// Stands between a store and Redis.
struct Proxy {
    address: String,
    ways: Ways,
    accepted: Arc<AtomicUsize>,
}

impl Proxy {
    async fn start(redis: &Redis) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = Self {
            address: listener.local_addr().unwrap().to_string(),
            ways: Ways {
                mode: Arc::new(Mutex::new(Mode::Forward)),
                silent_below: Arc::default(),
                slow: Arc::default(),
            },
            accepted: Arc::default(),
        };
        let (ways, accepted) = (proxy.ways.clone(), Arc::clone(&proxy.accepted));
        let port = redis.port();
        tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                let number = accepted.fetch_add(1, Ordering::SeqCst);
                if *ways.mode.lock().unwrap() != Mode::Refuse {
                    tokio::spawn(forward(client, port, number, ways.clone()));
                }
            }
        });
        proxy
    }

    fn store(&self) -> RedisStore {
        RedisStore::new(format!("redis://{}", self.address), NAMESPACE).unwrap()
    }

    fn set(&self, mode: Mode) {
        *self.ways.mode.lock().unwrap() = mode;
    }

    fn slow_down(&self, before: Duration, back: Duration) {
        *self.ways.slow.lock().unwrap() = [before, back];
    }

    fn accepted(&self) -> usize {
        self.accepted.load(Ordering::SeqCst)
    }
}

async fn forward(client: TcpStream, port: u16, number: usize, ways: Ways) {
    let [before, back] = *ways.slow.lock().unwrap();
    tokio::time::sleep(before).await;
    let server = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let silent = Arc::clone(&ways.silent_below);
    let requests = async move {
        let mut bytes = [0; 4096];
        loop {
            let count = from_client.read(&mut bytes).await.unwrap_or(0);
            if count == 0 {
                return;
            }
            if number >= silent.load(Ordering::SeqCst) {
                to_server.write_all(&bytes[..count]).await.unwrap();
            }
        }
    };
    let answers = async move {
        let mut bytes = [0; 4096];
        let mut back = Some(back);
        loop {
            let count = from_server.read(&mut bytes).await.unwrap_or(0);
            tokio::time::sleep(back.take().unwrap_or_default()).await;
            let mode = ways.take();
            let passed = match mode {
                Mode::Forward | Mode::Refuse => count,
                Mode::CutOnce => 0,
                Mode::CutHalfOnce | Mode::StallOnce => count / 2,
            };
            let written = to_client.write_all(&bytes[..passed]).await;
            if mode == Mode::StallOnce {
                std::future::pending::<()>().await;
            }
            if passed < count || count == 0 || written.is_err() {
                return;
            }
        }
    };
    tokio::select! { () = requests => {}, () = answers => {} }
}

/// Claims until one is answered, and says how often it ran out of time before.
async fn timeouts_until_claimed(store: &RedisStore, number: u64) -> usize {
    let start = Instant::now();
    let mut failed = 0;
    while let Err(error) = claim(store, number).await {
        assert_eq!(error.kind(), StoreErrorKind::Timeout, "{error}");
        assert!(start.elapsed() < seconds(60), "it never connects");
        failed += 1;
    }
    failed
}

#[tokio::test]
async fn a_redis_that_connects_slower_than_a_step_may_take_is_connected() {
    let Some(redis) = Redis::start_with("password") else {
        return;
    };
    let slow = Duration::from_millis(1500);
    // Until it is reached, and until it has answered HELLO, AUTH and SELECT.
    for [before, back] in [[slow, Duration::ZERO], [Duration::ZERO, slow]] {
        let proxy = Proxy::start(&redis).await;
        proxy.slow_down(before, back);
        let url = format!("redis://:password@{}/3", proxy.address);
        let store = RedisStore::new(url, NAMESPACE).unwrap();
        let store = store.with_timeout(Duration::from_millis(300));
        let error = claim(&store, 0).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Timeout);
        let expected = format!(
            "redis at {}: not connected after 300ms; still connecting",
            proxy.address
        );
        assert!(error.to_string().contains(&expected), "{error}");
        let failed = timeouts_until_claimed(&store, 1).await;
        assert!((1..10).contains(&failed), "{failed}");
        for number in 2..20 {
            finish(&store, number).await;
        }
        assert_eq!(proxy.accepted(), 1);
        redis.ask(&["FLUSHALL"]);
    }
}

/// A hundred claims at once.
async fn hundred(store: &RedisStore, first: u64) -> Vec<Result<Claim, StoreError>> {
    let mut tasks = JoinSet::new();
    for number in first..first + 100 {
        let store = store.clone();
        tasks.spawn(async move { claim(&store, number).await });
    }
    tasks.join_all().await
}

#[tokio::test]
async fn a_hundred_steps_make_one_connection_or_share_one_failure() {
    let Some(redis) = Redis::start() else { return };
    let proxy = Proxy::start(&redis).await;
    let store = proxy.store().with_timeout(seconds(20));
    let all_new = |claims: Vec<Result<Claim, StoreError>>| {
        let mut claims = claims.into_iter();
        assert!(claims.all(|claim| claim.unwrap() == Claim::New));
    };
    proxy.slow_down(Duration::from_millis(200), Duration::ZERO);
    all_new(hundred(&store, 0).await);
    assert_eq!(proxy.accepted(), 1);
    // All of them lose their connection, and find the same new one.
    proxy.set(Mode::CutOnce);
    all_new(hundred(&store, 100).await);
    assert_eq!(proxy.accepted(), 2);
    // Those that wait for one attempt get its error. None of them tries again.
    proxy.set(Mode::Refuse);
    let fresh = proxy.store();
    for claim in hundred(&fresh, 200).await {
        assert_eq!(claim.unwrap_err().kind(), StoreErrorKind::Unavailable);
    }
    assert_eq!(proxy.accepted(), 3);
    // The next step does.
    proxy.set(Mode::Forward);
    finish(&fresh, 300).await;
    assert_eq!(proxy.accepted(), 4);
}

#[tokio::test]
async fn a_store_recovers_from_whatever_a_connection_dies_of() {
    let Some(redis) = Redis::start() else { return };
    let limit = Duration::from_millis(200);
    for mode in [
        Mode::Refuse,
        Mode::CutOnce,
        Mode::CutHalfOnce,
        Mode::StallOnce,
    ] {
        // While it connects, and when it is at work.
        for connected in [false, true] {
            let what = format!("{mode:?}, connected: {connected}");
            redis.ask(&["FLUSHALL"]);
            let proxy = Proxy::start(&redis).await;
            let store = proxy.store().with_timeout(limit);
            if connected {
                finish(&store, 0).await;
            }
            proxy.set(mode);
            let owner = Owner::unique();
            let first = store.claim(key(1), owner, LONG).await;
            proxy.set(Mode::Forward);
            match (mode, connected, first) {
                // A connection that is there goes on, and one that broke is replaced in the step.
                (Mode::Refuse | Mode::CutOnce | Mode::CutHalfOnce, true, Ok(claim)) => {
                    assert_eq!(claim, Claim::New, "{what}");
                }
                (Mode::Refuse | Mode::CutOnce | Mode::CutHalfOnce, false, Err(error)) => {
                    assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{what}");
                }
                (Mode::StallOnce, true, Err(error)) => {
                    assert_eq!(error.kind(), StoreErrorKind::Timeout, "{what}");
                    assert!(timeouts_until_claimed(&store, 2).await >= 3, "{what}");
                }
                (Mode::StallOnce, false, Err(error)) => {
                    assert_eq!(error.kind(), StoreErrorKind::Timeout, "{what}");
                    claim(&store, 2).await.unwrap_err();
                    assert_eq!(proxy.accepted(), 1, "one at a time");
                    tokio::time::pause();
                    tokio::time::advance(seconds(30)).await;
                    tokio::time::resume();
                    // One step may come just in time to hear of it.
                    if let Err(error) = claim(&store, 2).await {
                        let expected = "could not connect within 30s";
                        assert!(error.to_string().contains(expected), "{error}");
                    }
                }
                (_, _, first) => panic!("{what}: {first:?}"),
            }
            // Whatever Redis made of the first claim, its owner can go on.
            let again = store.claim(key(1), owner, LONG).await;
            assert_eq!(again.unwrap(), Claim::New, "{what}");
            finish(&store, 3).await;
        }
    }
}

#[tokio::test]
async fn an_attempt_to_connect_ends_with_the_store() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let store = RedisStore::new(format!("redis://{address}"), NAMESPACE).unwrap();
    let store = store.with_timeout(Duration::from_millis(100));
    claim(&store, 1).await.unwrap_err();
    let (mut connection, _) = listener.accept().await.unwrap();
    drop(store);
    // To its end, which is now.
    let mut bytes = Vec::new();
    let read = connection.read_to_end(&mut bytes);
    tokio::time::timeout(seconds(10), read).await.unwrap().ok();
}

fn runtime() -> tokio::runtime::Runtime {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().build().unwrap()
}

/// A proxy on a runtime of its own, which ends with it.
fn proxy_beside(redis: &Redis) -> (tokio::runtime::Runtime, Proxy) {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let beside = builder.worker_threads(1).enable_all().build().unwrap();
    let proxy = beside.block_on(Proxy::start(redis));
    (beside, proxy)
}

/// As actix-web has one for each of its threads.
#[test]
fn a_store_outlives_the_runtime_that_connected_it() {
    let Some(redis) = Redis::start() else { return };
    let (_beside, proxy) = proxy_beside(&redis);
    let limit = Duration::from_millis(200);
    let store = proxy.store().with_timeout(limit);

    // It ends when the connection is there.
    let first = runtime();
    first.block_on(finish(&store, 1));
    drop(first);
    let second = runtime();
    second.block_on(finish(&store, 2));
    assert_eq!(proxy.accepted(), 2);

    // It ends while it connects.
    proxy.slow_down(Duration::from_secs(600), Duration::ZERO);
    let store = proxy.store().with_timeout(limit);
    let first = runtime();
    first.block_on(claim(&store, 3)).unwrap_err();
    proxy.slow_down(Duration::ZERO, Duration::ZERO);
    // A step of the other runtime waits meanwhile.
    let (waiting, patient) = (runtime(), store.clone().with_timeout(seconds(20)));
    let waiting = std::thread::spawn(move || waiting.block_on(claim(&patient, 4)));
    std::thread::sleep(limit);
    drop(first);
    assert_eq!(waiting.join().unwrap().unwrap(), Claim::New);
    second.block_on(finish(&store, 3));
}

#[test]
fn a_runtime_that_stands_still_while_it_connects_is_not_waited_for_any_longer() {
    let Some(redis) = Redis::start() else { return };
    let (_beside, proxy) = proxy_beside(&redis);
    let limit = Duration::from_millis(200);
    let store = proxy.store().with_timeout(limit);
    proxy.slow_down(seconds(1), Duration::ZERO);
    let still = runtime();
    still.block_on(claim(&store, 1)).unwrap_err();
    proxy.slow_down(Duration::ZERO, Duration::ZERO);
    let other = runtime();
    other.block_on(async {
        let error = claim(&store, 1).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Timeout);
        tokio::time::pause();
        tokio::time::advance(seconds(31)).await;
        tokio::time::resume();
        finish(&store, 1).await;
    });
    drop(still);
    other.block_on(finish(&store, 2));
    assert_eq!(proxy.accepted(), 2);
}

#[tokio::test]
async fn a_step_whose_answer_was_lost_is_asked_again_and_says_what_it_did() {
    let Some(redis) = Redis::start() else { return };
    let proxy = Proxy::start(&redis).await;
    let store = proxy.store();
    finish(&store, 0).await;
    let cut = || proxy.set(Mode::CutOnce);
    let connections = || proxy.accepted();
    let owner = Owner::unique();
    assert_eq!(connections(), 1);
    cut();
    assert_eq!(store.claim(key(1), owner, LONG).await.unwrap(), Claim::New);
    assert_eq!(connections(), 2);
    cut();
    assert!(store.renew(key(1), owner, LONG).await.unwrap());
    cut();
    assert!(store.complete(key(1), owner, LONG).await.unwrap());
    assert_eq!(connections(), 4);
    // Without a lost answer, what is done is done.
    assert!(!store.complete(key(1), owner, LONG).await.unwrap());
}

#[tokio::test]
async fn a_connection_whose_other_side_is_gone_without_a_word_is_given_up() {
    let Some(redis) = Redis::start() else { return };
    let proxy = Proxy::start(&redis).await;
    let limit = Duration::from_millis(150);
    let store = proxy.store();
    finish(&store, 0).await;
    proxy.ways.silent_below.store(1, Ordering::SeqCst);
    let store = store.with_timeout(limit);
    let failed = timeouts_until_claimed(&store, 1).await;
    // Not at the first silence, for what was sent may still be done, in order.
    assert!(failed >= 3, "{failed}");
    assert_eq!(proxy.accepted(), 2);
}

#[tokio::test]
async fn an_eviction_policy_is_warned_of_once() {
    let Some(mut redis) = Redis::start() else {
        return;
    };
    let (log, _guard) = Lines::of_this_thread(LevelFilter::INFO, FmtSpan::NONE);
    let written = || log.text();
    let asked = async |redis: &Redis| {
        while redis.calls("info") == 0 {
            tokio::task::yield_now().await;
        }
    };

    finish(&store(&redis), 1).await;
    asked(&redis).await;
    redis.ask(&["CONFIG", "SET", "maxmemory-policy", "allkeys-lru"]);
    let warned = store(&redis);
    finish(&warned, 2).await;
    while written().is_empty() {
        tokio::task::yield_now().await;
    }
    redis.kill();
    redis.restart();
    redis.ask(&["CONFIG", "SET", "maxmemory-policy", "volatile-ttl"]);
    finish(&warned, 3).await;
    for _ in 0..20 {
        finish(&warned, 4).await;
        warned.forget(key(4)).await.unwrap();
    }
    let written = written();
    assert_eq!(written.lines().count(), 1, "{written}");
    assert!(written.contains("noeviction") && written.contains("allkeys-lru"));
}
