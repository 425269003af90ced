//! Deliveries under faults, with real processes: servers that are killed, stopped and flooded, a
//! Redis that goes away, and handlers that fail. What was handled is counted by the handlers' own
//! log.

use std::{
    io::{BufRead, BufReader, Write},
    net::TcpStream,
    sync::Arc,
    time::{Duration, Instant},
};

use http::StatusCode;
use tokio::task::{JoinSet, spawn_blocking};

use support::{
    handler_log::{self, HandlerLog},
    machine::{alone, side_by_side},
    proxy::Proxy,
    redis::Redis,
    seconds,
    sender::{Attempt, Event, Sender, at_once},
    server::{self, Server, Setup, TIME_LIMIT},
};

/// The servers are this test, in processes of their own.
#[test]
fn being_a_server() {
    server::serve_if_asked();
}

fn start(setup: &Setup, log: &HandlerLog) -> Server {
    Server::start("faults::being_a_server", setup, &log.path())
}

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// What a busy machine may add to any time.
const SLACK: Duration = Duration::from_secs(3);
/// Longer than any test: whatever waits for the end of a lease fails.
const ENDLESS: Duration = Duration::from_secs(600);

/// Asserts that an attempt was put off: 503, and when to come again.
#[track_caller]
fn assert_put_off(attempt: &Attempt, what: &str) {
    assert_eq!(
        attempt.status,
        Some(StatusCode::SERVICE_UNAVAILABLE),
        "{what}"
    );
    let again = attempt.retry_after();
    assert!(
        again.is_some_and(|seconds| (1..=30).contains(&seconds)),
        "{what}: {again:?}"
    );
}

#[track_caller]
fn assert_success(attempt: &Attempt, what: &str) {
    assert_eq!(attempt.status, Some(StatusCode::OK), "{what}");
}

/// A request over a connection of its own.
fn send_raw(sender: &Sender, server: &Server, event: &Event) -> TcpStream {
    let mut stream = TcpStream::connect(server.address()).unwrap();
    let request = raw(sender, server, event);
    stream.write_all(&request).unwrap();
    stream
}

fn raw(sender: &Sender, server: &Server, event: &Event) -> Vec<u8> {
    let request = sender.sign(&server.url("/hook"), event);
    let mut text = format!("POST /hook HTTP/1.1\r\nhost: {}\r\n", server.address()).into_bytes();
    for (name, value) in request.headers() {
        text.extend_from_slice(name.as_str().as_bytes());
        text.extend_from_slice(b": ");
        text.extend_from_slice(value.as_bytes());
        text.extend_from_slice(b"\r\n");
    }
    let body = request.body();
    text.extend_from_slice(format!("content-length: {}\r\n\r\n", body.len()).as_bytes());
    text.extend_from_slice(body);
    text
}

/// 5,000 deliveries, five attempts each at once or later, over two servers.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_servers_on_one_redis_handle_each_of_many_deliveries_once() {
    const DELIVERIES: usize = 5000;
    let _machine = alone();
    let Some(redis) = Redis::start() else { return };
    let log = HandlerLog::new();
    let setup = Setup::redis(redis.url()).with_wait(seconds(5));
    let servers = [start(&setup, &log), start(&setup, &log)];
    let hooks = servers.each_ref().map(|server| server.url("/hook"));

    let event = |number: usize| {
        let delay = if number.is_multiple_of(100) {
            millis(300)
        } else {
            millis(number as u64 % 11)
        };
        let event = Event::new(format!("evt_{number}")).taking(delay);
        // Some handlers fail once in each process.
        event.failing(u32::from(number % 50 == 7))
    };
    let mut sends: Vec<_> = (0..DELIVERIES)
        .flat_map(|number| (0..5).map(move |copy| (number, copy)))
        .collect();
    // Three copies follow each other, so that they are there at once. Two come later.
    sends.sort_by_key(|(number, copy)| if *copy < 3 { *number } else { number + 100 });

    let sender = Sender::new();
    at_once(64, sends, |(number, copy)| {
        let (sender, mut hooks) = (sender.clone(), hooks.to_vec());
        hooks.rotate_left((number + copy) % 2);
        let event = event(number);
        async move {
            sender.deliver(&hooks, &event, seconds(60)).await;
        }
    })
    .await;

    let runs = log.runs();
    assert_eq!(runs.len(), DELIVERIES, "some were lost");
    for (id, runs) in &runs {
        assert!(
            runs.iter().all(|run| !run.overlaps),
            "{id}: two at once: {runs:?}"
        );
        let (done, failed): (Vec<_>, Vec<_>) = runs.iter().partition(|run| run.end == "200");
        assert_eq!(done.len(), 1, "{id}: {runs:?}");
        assert!(failed.iter().all(|run| run.end == "500"), "{id}: {runs:?}");
        assert!(failed.len() <= 2, "{id}: {runs:?}");
    }
    // Both did their part, and some were tried again.
    for server in &servers {
        let done = runs.values().flatten();
        let done = done.filter(|run| run.process == server.id() && run.end == "200");
        assert!(done.count() > DELIVERIES / 10);
    }
    assert!(runs.values().filter(|runs| runs.len() > 1).count() >= DELIVERIES / 50);
}

/// Whatever happens between the servers and their Redis: an answer that is lost may have an event
/// handled again, and never has one lost, or handled by two at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_are_delayed_cut_halved_and_refused_lose_no_event() {
    const DELIVERIES: usize = 1000;
    let _machine = side_by_side();
    let Some(redis) = Redis::start() else { return };
    let proxy = Proxy::before(redis.port());
    let log = HandlerLog::new();
    // Claims that nobody could give back end with their lease.
    let setup = Setup::redis(proxy.url())
        .with_timeout(millis(700))
        .with_lease(seconds(5))
        .with_wait(millis(500));
    let servers = [start(&setup, &log), start(&setup, &log)];
    let hooks = servers.each_ref().map(|server| server.url("/hook"));
    let sender = Sender::new();
    at_once(24, (0..DELIVERIES).collect(), |number| {
        let (sender, mut hooks) = (sender.clone(), hooks.to_vec());
        hooks.rotate_left(number % 2);
        let event = Event::new(format!("evt_{number}"))
            .taking(millis(number as u64 % 200))
            .failing(u32::from(number % 10 == 7));
        async move {
            sender.deliver(&hooks, &event, seconds(120)).await;
        }
    })
    .await;
    let runs = log.runs();
    assert_eq!(runs.len(), DELIVERIES, "some were lost");
    let mut again = 0;
    for (id, runs) in &runs {
        assert!(
            runs.iter().all(|run| !run.overlaps),
            "{id}: two at once: {runs:?}"
        );
        let done = runs.iter().filter(|run| run.end == "200").count();
        assert!(done > 0, "{id} was answered as done: {runs:?}");
        again += usize::from(done > 1);
    }
    assert!(again < DELIVERIES / 4, "{again} were handled again");
    assert!(
        proxy.connections() > 10,
        "{} connections",
        proxy.connections()
    );
}

/// Two services, or staging and production, with endpoints of one name, which the sender knows by
/// one secret.
#[tokio::test]
async fn services_that_share_a_redis_take_no_events_from_each_other() {
    let _machine = side_by_side();
    let Some(redis) = Redis::start() else { return };
    let sender = Sender::new();
    let event = Event::new("evt");
    for (namespaces, handled) in [(["staging", "production"], 2), (["production-2"; 2], 1)] {
        let log = HandlerLog::new();
        for namespace in namespaces {
            let setup = Setup::redis(redis.url()).in_namespace(namespace);
            let server = start(&setup, &log);
            let attempt = sender.send(&server.url("/hook"), &event).await;
            assert_success(&attempt, namespace);
        }
        assert_eq!(log.ends("evt"), vec!["200"; handled], "{namespaces:?}");
    }
}

#[tokio::test]
async fn what_a_killed_server_was_handling_is_handled_by_the_other() {
    const LEASE: Duration = Duration::from_secs(3);
    let _machine = side_by_side();
    let Some(redis) = Redis::start() else { return };
    let log = HandlerLog::new();
    let setup = Setup::redis(redis.url()).with_lease(LEASE);
    let (mut killed, other) = (start(&setup, &log), start(&setup, &log));
    let sender = Sender::new();

    let done: Vec<_> = (0..20).map(|n| Event::new(format!("done_{n}"))).collect();
    for event in &done {
        assert_success(&sender.send(&killed.url("/hook"), event).await, &event.id);
    }
    let hooks = vec![killed.url("/hook"), other.url("/hook")];
    let mut senders = JoinSet::new();
    for number in 0..20 {
        let event = Event::new(format!("evt_{number}")).gated();
        let (sender, hooks) = (sender.clone(), hooks.clone());
        senders.spawn(async move { sender.deliver(&hooks, &event, seconds(30)).await });
    }
    let is_running = |runs: &handler_log::Runs| {
        let all = runs.iter().filter(|(id, _)| id.starts_with("evt_"));
        all.count() == 20
    };
    log.until("twenty handlers", is_running).await;
    other.open_gate();
    let dead = killed.id();
    killed.kill();
    let since = Instant::now();
    while let Some(attempts) = senders.join_next().await {
        assert!(attempts.unwrap() > 1);
    }
    // Their leases began or were renewed within the last third.
    assert!(since.elapsed() > LEASE / 2, "{:?}", since.elapsed());

    for number in 0..20 {
        let runs = log.of(&format!("evt_{number}"));
        let found: Vec<_> = runs
            .iter()
            .map(|run| (run.process, run.end.as_str()))
            .collect();
        assert_eq!(found, [(dead, ""), (other.id(), "200")]);
    }
    // What it had finished is not handled again.
    for event in &done {
        assert_success(&sender.send(&other.url("/hook"), event).await, &event.id);
        assert_eq!(log.ends(&event.id), ["200"]);
    }
}

/// What can happen to a Redis.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    /// SIGSTOP, then SIGCONT.
    Stopped,
    /// SIGKILL, then a new one that knows nothing.
    Killed,
    /// It is busy with something else.
    Slow,
}

impl Fault {
    /// Lets it happen, and gives what makes it good again.
    fn strike(self, redis: &mut Redis) -> impl FnOnce(&mut Redis) + Send + use<> {
        let busy = match self {
            Self::Stopped => {
                redis.pause();
                None
            }
            Self::Killed => {
                redis.kill();
                None
            }
            Self::Slow => {
                let busy = redis.send(&["DEBUG", "SLEEP", "6"]);
                // It is busy when it no longer answers anybody else.
                loop {
                    let mut ping = redis.send(&["PING"]);
                    let timeout = ping.get_ref().set_read_timeout(Some(millis(50)));
                    timeout.unwrap();
                    if ping.read_line(&mut String::new()).is_err() {
                        break Some(busy);
                    }
                }
            }
        };
        move |redis: &mut Redis| match self {
            Self::Stopped => redis.resume(),
            Self::Killed => redis.restart(),
            Self::Slow => {
                let mut answer = String::new();
                busy.unwrap().read_line(&mut answer).unwrap();
                assert_eq!(answer, "+OK\r\n");
            }
        }
    }
}

const FAULTS: [Fault; 3] = [Fault::Stopped, Fault::Killed, Fault::Slow];
/// Of one step of Redis.
const LIMIT: Duration = Duration::from_millis(700);

/// 200 different events at once, and what became of them.
async fn many_at_once(sender: &Sender, hook: &str, events: &[Event]) -> Vec<Attempt> {
    let attempts: Vec<_> = events
        .iter()
        .map(|event| sender.start(hook, event))
        .collect();
    let mut ended = Vec::new();
    for attempt in attempts {
        ended.push(attempt.await.unwrap());
    }
    ended
}

fn two_hundred() -> Vec<Event> {
    (0..200).map(|n| Event::new(format!("evt_{n}"))).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_redis_is_away_nobody_waits_and_nothing_is_let_through_and_then_it_goes_on() {
    let _machine = side_by_side();
    for fault in FAULTS {
        // A server that has used Redis before, and one that has not.
        for warm in [true, false] {
            let what = format!("{fault:?}, used before: {warm}");
            let Some(mut redis) = Redis::start() else {
                return;
            };
            let log = HandlerLog::new();
            let setup = Setup::redis(redis.url())
                .with_lease(ENDLESS)
                .with_timeout(LIMIT);
            let mut server = start(&setup, &log);
            let (sender, hook) = (Sender::new(), server.url("/hook"));
            if warm {
                assert_success(&sender.send(&hook, &Event::new("before")).await, &what);
            }
            let known = log.runs();

            let repair = fault.strike(&mut redis);
            let events = two_hundred();
            for attempt in many_at_once(&sender, &hook, &events).await {
                assert_put_off(&attempt, &what);
                assert!(attempt.took < LIMIT + SLACK, "{what}: {:?}", attempt.took);
            }
            assert_eq!(log.runs(), known, "{what}: let through");

            let redis = spawn_blocking(move || {
                repair(&mut redis);
                redis
            });
            let _redis = redis.await.unwrap();
            // No claim that Redis still took up may stand in the way.
            let hooks = vec![hook];
            let ids: Vec<_> = events.iter().map(|event| event.id.clone()).collect();
            at_once(20, events, |event| {
                let (sender, hooks) = (sender.clone(), hooks.clone());
                async move {
                    sender.deliver(&hooks, &event, seconds(20)).await;
                }
            })
            .await;
            for id in ids {
                assert_eq!(log.ends(&id), ["200"], "{what}: {id}");
            }
            assert!(server.is_running(), "{what}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_redis_is_away_handlers_run_where_that_is_allowed() {
    let _machine = side_by_side();
    for fault in FAULTS {
        let Some(mut redis) = Redis::start() else {
            return;
        };
        let log = HandlerLog::new();
        let setup = Setup::redis(redis.url()).with_timeout(LIMIT).allowing();
        let server = start(&setup, &log);
        let (sender, hook) = (Sender::new(), server.url("/hook"));
        assert_success(&sender.send(&hook, &Event::new("before")).await, "before");

        let _repair = fault.strike(&mut redis);
        let events = two_hundred();
        for attempt in many_at_once(&sender, &hook, &events).await {
            assert_success(&attempt, &format!("{fault:?}"));
            assert!(
                attempt.took < LIMIT + SLACK,
                "{fault:?}: {:?}",
                attempt.took
            );
        }
        for event in events {
            assert_eq!(log.ends(&event.id), ["200"], "{fault:?}: {}", event.id);
        }
    }
}

/// After a long silence the connection is given up, and what was claimed on it can no longer be
/// released: the end of the lease does that.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_was_silent_for_long_is_used_again() {
    const LIMIT: Duration = Duration::from_millis(200);
    let _machine = side_by_side();
    let Some(mut redis) = Redis::start() else {
        return;
    };
    let log = HandlerLog::new();
    let setup = Setup::redis(redis.url()).with_lease(seconds(3));
    let server = start(&setup.with_timeout(LIMIT), &log);
    let (sender, hook) = (Sender::new(), server.url("/hook"));
    assert_success(&sender.send(&hook, &Event::new("before")).await, "before");
    redis.pause();
    let start = Instant::now();
    let mut events = Vec::new();
    while start.elapsed() < LIMIT * 20 {
        let some = (0..10).map(|n| Event::new(format!("evt_{}", events.len() + n)));
        let some: Vec<_> = some.collect();
        for attempt in many_at_once(&sender, &hook, &some).await {
            assert_put_off(&attempt, "while it is silent");
            assert!(attempt.took < LIMIT + SLACK, "{:?}", attempt.took);
        }
        events.extend(some);
    }
    redis.resume();
    let ids: Vec<_> = events.iter().map(|event| event.id.clone()).collect();
    at_once(20, events, |event| {
        let (sender, hooks) = (sender.clone(), [hook.clone()]);
        async move {
            sender.deliver(&hooks, &event, seconds(20)).await;
        }
    })
    .await;
    for id in ids {
        assert_eq!(log.ends(&id), ["200"], "{id}");
    }
}

/// The answer goes out, and is remembered as soon as Redis can.
#[tokio::test]
async fn a_success_is_answered_in_time_when_redis_stops_while_the_handler_runs() {
    let _machine = side_by_side();
    let Some(mut redis) = Redis::start() else {
        return;
    };
    let log = HandlerLog::new();
    let setup = Setup::redis(redis.url())
        .with_lease(ENDLESS)
        .with_timeout(LIMIT);
    let server = start(&setup, &log);
    let (sender, hook) = (Sender::new(), server.url("/hook"));
    // Redis knows the scripts. A name that it does not know would need a second question.
    assert_success(&sender.send(&hook, &Event::new("before")).await, "before");
    let event = Event::new("evt").gated();
    let first = sender.start(&hook, &event);
    log.started("evt", 1).await;
    redis.pause();
    server.open_gate();
    let start = Instant::now();
    assert_success(&first.await.unwrap(), "the handler's answer");
    let took = start.elapsed();
    assert!(took < LIMIT + SLACK, "{took:?}");
    redis.resume();
    sender.deliver(&[hook], &event, seconds(20)).await;
    assert_eq!(log.ends("evt"), ["200"]);
}

#[tokio::test]
async fn a_claim_that_redis_lost_is_made_again_while_the_handler_runs() {
    let _machine = side_by_side();
    let Some(mut redis) = Redis::start() else {
        return;
    };
    let log = HandlerLog::new();
    let setup = Setup::redis(redis.url()).with_lease(seconds(3));
    let server = start(&setup, &log);
    let (sender, hook) = (Sender::new(), server.url("/hook"));
    let event = Event::new("evt");
    let first = sender.start(&hook, &event.clone().gated());
    log.started("evt", 1).await;
    redis.kill();
    redis.restart();
    let start = Instant::now();
    while redis.ask(&["DBSIZE"]) != "1" {
        assert!(start.elapsed() < seconds(3) + SLACK, "the claim is lost");
        tokio::time::sleep(millis(20)).await;
    }
    assert_put_off(
        &sender.send(&hook, &event).await,
        "while the first is at it",
    );
    server.open_gate();
    assert_success(&first.await.unwrap(), "the first");
    assert_success(&sender.send(&hook, &event).await, "the third");
    assert_eq!(log.ends("evt"), ["200"]);
}

/// How the first handler of a delivery comes to nothing.
struct Failure {
    name: &'static str,
    path: &'static str,
    event: fn(Event) -> Event,
    /// What the sender sees. `None` for a broken connection.
    answer: Option<u16>,
    /// What the handler writes down.
    end: &'static str,
}

const FAILURES: &[Failure] = &[
    Failure {
        name: "it answers 500",
        path: "/hook",
        event: |event| event.taking(seconds(1)).answered(500),
        answer: Some(500),
        end: "500",
    },
    Failure {
        name: "it panics",
        path: "/hook",
        event: |event| event.taking(seconds(1)).panicking(),
        answer: None,
        end: "panicked",
    },
    Failure {
        name: "it panics under CatchPanicLayer",
        path: "/caught",
        event: |event| event.taking(seconds(1)).panicking(),
        answer: Some(500),
        end: "panicked",
    },
    Failure {
        name: "it times out under TimeoutLayer inside",
        path: "/limited-inside",
        event: |event| event.taking(seconds(300)),
        answer: Some(504),
        end: "dropped",
    },
];

/// Two servers where there is a store for both.
fn servers(setup: &Setup, log: &HandlerLog) -> Vec<Server> {
    let count = if setup.is_shared() { 2 } else { 1 };
    (0..count).map(|_| start(setup, log)).collect()
}

#[tokio::test]
async fn what_a_handler_failed_to_do_is_done_by_the_retry_and_never_at_once_in_memory() {
    let _machine = side_by_side();
    retries_make_up_for_failures(Setup::memory()).await;
}

#[tokio::test]
async fn what_a_handler_failed_to_do_is_done_by_the_retry_and_never_at_once_on_redis() {
    let _machine = side_by_side();
    let Some(redis) = Redis::start() else { return };
    retries_make_up_for_failures(Setup::redis(redis.url())).await;
}

/// A retry that comes while the first handler runs waits for it, and is then handled.
async fn retries_make_up_for_failures(setup: Setup) {
    let setup = setup.with_lease(ENDLESS).with_wait(seconds(20));
    let log = HandlerLog::new();
    let servers = servers(&setup, &log);
    let (first, last) = (&servers[0], &servers[servers.len() - 1]);
    let sender = Sender::new();
    for (number, failure) in FAILURES.iter().enumerate() {
        let id = format!("evt_{number}");
        let what = format!("{}, {setup:?}", failure.name);
        let event = Event::new(&id);
        let failing = sender.start(&first.url(failure.path), &(failure.event)(event.clone()));
        log.started(&id, 1).await;
        let retry = sender.start(&last.url(failure.path), &event.clone().taking(millis(100)));
        let failing = failing.await.unwrap();
        let answer = failing.status.map(|status| status.as_u16());
        assert_eq!(answer, failure.answer, "{what}");
        let retry = retry.await.unwrap();
        assert_success(&retry, &what);
        assert!(retry.took < seconds(10), "{what}: {:?}", retry.took);
        assert_success(&sender.send(&first.url(failure.path), &event).await, &what);
        assert_eq!(log.ends(&id), [failure.end, "200"], "{what}");
    }

    // A timeout outside of the layer answers the sender, and the handler goes on.
    let event = Event::new("evt_slow").taking(TIME_LIMIT + seconds(1));
    let answered = sender.start(&first.url("/limited"), &event);
    log.started("evt_slow", 1).await;
    let retry = sender.start(&last.url("/limited"), &event);
    let answered = answered.await.unwrap().status;
    assert_eq!(answered.map(|status| status.as_u16()), Some(504));
    let retry = retry.await.unwrap().status.map(|status| status.as_u16());
    assert!(matches!(retry, Some(200 | 504)), "{retry:?}");
    log.ended("evt_slow", 1).await;
    assert_success(
        &sender.send(&last.url("/limited"), &event).await,
        "after it",
    );
    assert_eq!(log.ends("evt_slow"), ["200"], "{setup:?}");
}

/// A sender that gives up after 200 ms and tries again at once, while the handler takes longer than
/// it ever waits.
#[tokio::test]
async fn an_impatient_sender_has_its_event_handled_once_in_memory() {
    let _machine = side_by_side();
    an_impatient_sender(Setup::memory()).await;
}

#[tokio::test]
async fn an_impatient_sender_has_its_event_handled_once_on_redis() {
    let _machine = side_by_side();
    let Some(redis) = Redis::start() else { return };
    an_impatient_sender(Setup::redis(redis.url())).await;
}

async fn an_impatient_sender(setup: Setup) {
    let log = HandlerLog::new();
    let servers = servers(&setup.with_lease(seconds(1)).with_wait(seconds(1)), &log);
    let sender = Sender::new();
    let events = [
        Event::new("evt_waits").taking(seconds(3)),
        Event::new("evt_blocks").taking(seconds(3)).blocking(),
    ];
    for _ in 0..10 {
        for server in &servers {
            for event in &events {
                let client = send_raw(&sender, server, event);
                tokio::time::sleep(millis(200)).await;
                drop(client);
            }
        }
    }
    for event in &events {
        for server in &servers {
            let attempt = sender.send(&server.url("/hook"), event).await;
            assert_success(&attempt, &event.id);
        }
        assert_eq!(log.ends(&event.id), ["200"]);
    }
}

/// The server has no connection left, and handlers at work.
#[tokio::test]
async fn sigterm_drains_handlers_whose_senders_have_hung_up() {
    let _machine = side_by_side();
    let Some(redis) = Redis::start() else { return };
    let log = HandlerLog::new();
    let setup = Setup::redis(redis.url()).with_lease(ENDLESS);
    let (ending, other) = (start(&setup, &log), start(&setup, &log));
    let sender = Sender::new();
    let events: Vec<_> = (0..20)
        .map(|n| Event::new(format!("evt_{n}")).gated())
        .collect();
    let clients: Vec<_> = events
        .iter()
        .map(|event| send_raw(&sender, &ending, event))
        .collect();
    log.until("twenty handlers", |runs| runs.len() == 20).await;
    drop(clients);
    ending.signal("TERM");
    let start = Instant::now();
    while TcpStream::connect(ending.address()).is_ok() {
        assert!(start.elapsed() < seconds(20), "it does not end");
        tokio::time::sleep(millis(10)).await;
    }
    tokio::time::sleep(millis(200)).await;
    ending.open_gate();
    assert!(ending.ended().await);
    for event in &events {
        assert_success(&sender.send(&other.url("/hook"), event).await, &event.id);
        assert_eq!(log.ends(&event.id), ["200"]);
    }
}

#[tokio::test]
async fn a_handler_that_outlives_its_lease_keeps_its_delivery_in_memory() {
    let _machine = side_by_side();
    a_handler_outlives_its_lease(Setup::memory()).await;
}

#[tokio::test]
async fn a_handler_that_outlives_its_lease_keeps_its_delivery_on_redis() {
    let _machine = side_by_side();
    let Some(redis) = Redis::start() else { return };
    a_handler_outlives_its_lease(Setup::redis(redis.url())).await;
}

async fn a_handler_outlives_its_lease(setup: Setup) {
    const LEASE: Duration = Duration::from_secs(2);
    let log = HandlerLog::new();
    let servers = servers(&setup.with_lease(LEASE), &log);
    let sender = Sender::new();
    let event = Event::new("evt");
    let first = sender.start(&servers[0].url("/hook"), &event.clone().gated());
    log.started("evt", 1).await;
    let start = Instant::now();
    while start.elapsed() < LEASE * 3 {
        for server in &servers {
            let retry = sender.send(&server.url("/hook"), &event).await;
            assert_put_off(&retry, "while the first is at it");
        }
        tokio::time::sleep(millis(50)).await;
    }
    servers[0].open_gate();
    assert_success(&first.await.unwrap(), "the first");
    for server in &servers {
        assert_success(&sender.send(&server.url("/hook"), &event).await, "after it");
    }
    assert_eq!(log.ends("evt"), ["200"]);
}

/// A process stands still for longer than its lease, and goes on while another has the delivery: it
/// can neither give that one's claim away nor take it for done.
#[tokio::test]
async fn a_server_that_was_stopped_leaves_the_claim_of_the_other_alone() {
    let _machine = side_by_side();
    let Some(redis) = Redis::start() else { return };
    let setup = Setup::redis(redis.url()).with_lease(seconds(2));
    for late in [500, 200] {
        let log = HandlerLog::new();
        let (stopped, other) = (start(&setup, &log), start(&setup, &log));
        let sender = Sender::new();
        let id = format!("evt_{late}");
        let event = Event::new(&id);
        let gated = event.clone().gated();
        let first = sender.start(&stopped.url("/hook"), &gated.clone().answered(late));
        log.started(&id, 1).await;
        stopped.signal("STOP");
        // Its claim ends, and the other has the delivery.
        let (retry, hooks, again) = (sender.clone(), [other.url("/hook")], gated);
        let second = tokio::spawn(async move { retry.deliver(&hooks, &again, seconds(20)).await });
        log.started(&id, 2).await;
        stopped.open_gate();
        stopped.signal("CONT");
        let first = first.await.unwrap();
        assert_eq!(first.status.map(|status| status.as_u16()), Some(late));

        for server in [&stopped, &other] {
            let third = sender.send(&server.url("/hook"), &event).await;
            assert_put_off(&third, "while the other is at it");
        }
        other.open_gate();
        second.await.unwrap();
        assert_success(&sender.send(&stopped.url("/hook"), &event).await, &id);
        let runs = log.of(&id);
        let found: Vec<_> = runs
            .iter()
            .map(|run| (run.process, run.end.clone()))
            .collect();
        let late = late.to_string();
        assert_eq!(
            found,
            [(stopped.id(), late), (other.id(), "200".to_owned())]
        );
    }
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_leaves_memory_bounded_and_claims_in_progress_alone() {
    const FLOOD: usize = 100_000;
    /// By when everything has its size.
    const BEGUN: usize = 20_000;
    let _machine = alone();
    let log = HandlerLog::new();
    let setup = Setup::memory().with_bounds(100, 1000).with_lease(ENDLESS);
    let server = Arc::new(start(&setup, &log));
    let (sender, hook) = (Sender::new(), server.url("/hook"));
    let held: Vec<_> = (0..50).map(|n| Event::new(format!("held_{n}"))).collect();
    let open = |event: &Event| BufReader::new(send_raw(&sender, &server, &event.clone().gated()));
    let mut answers: Vec<_> = held.iter().map(open).collect();
    log.until("fifty handlers", |runs| runs.len() == 50).await;

    let flood = |numbers: std::ops::Range<usize>| {
        let (sender, server) = (sender.clone(), Arc::clone(&server));
        async move {
            let half = numbers.start + numbers.len() / 2;
            let halves = [numbers.start..half, half..numbers.end].map(|numbers| {
                let (sender, server) = (sender.clone(), Arc::clone(&server));
                spawn_blocking(move || pour(&sender, &server, numbers))
            });
            for half in halves {
                half.await.unwrap();
            }
        }
    };
    flood(0..BEGUN).await;
    let begun = server.memory();
    flood(BEGUN..FLOOD).await;
    let ended = server.memory();
    // As many entries without a bound take twice that.
    assert!(ended < begun + 2560, "{begun} KiB, then {ended} KiB");

    for event in &held {
        let retry = sender.send(&hook, event).await;
        assert_put_off(&retry, "a claim in progress");
    }
    server.open_gate();
    for answer in &mut answers {
        read_success(answer);
    }
    let runs = log.runs();
    assert_eq!(runs.len(), FLOOD + held.len());
    for (id, runs) in runs {
        let ends: Vec<_> = runs.iter().map(|run| run.end.as_str()).collect();
        assert_eq!(ends, ["200"], "{id}");
    }
}

/// Sends distinct deliveries over one connection, a hundred at once.
#[cfg(target_os = "linux")]
fn pour(sender: &Sender, server: &Server, numbers: std::ops::Range<usize>) {
    let mut stream = BufReader::new(TcpStream::connect(server.address()).unwrap());
    let all: Vec<_> = numbers.collect();
    for some in all.chunks(100) {
        let requests = some
            .iter()
            .flat_map(|number| raw(sender, server, &Event::new(format!("flood_{number}"))));
        let requests: Vec<_> = requests.collect();
        stream.get_mut().write_all(&requests).unwrap();
        for _ in some {
            read_success(&mut stream);
        }
    }
}

/// Reads one answer, which must be a success without a body.
fn read_success(stream: &mut BufReader<TcpStream>) {
    let mut line = String::new();
    stream.read_line(&mut line).unwrap();
    assert_eq!(line, "HTTP/1.1 200 OK\r\n");
    while line != "\r\n" {
        line.clear();
        stream.read_line(&mut line).unwrap();
        assert!(!line.starts_with("content-length") || line == "content-length: 0\r\n");
    }
}

#[tokio::test]
async fn sigterm_lets_handlers_finish_and_their_deliveries_are_done() {
    let _machine = side_by_side();
    let Some(redis) = Redis::start() else { return };
    let log = HandlerLog::new();
    let setup = Setup::redis(redis.url()).with_lease(ENDLESS);
    let (ending, other) = (start(&setup, &log), start(&setup, &log));
    let sender = Sender::new();
    let events: Vec<_> = (0..20)
        .map(|n| Event::new(format!("evt_{n}")).gated())
        .collect();
    let hook = ending.url("/hook");
    let attempts: Vec<_> = events
        .iter()
        .map(|event| sender.start(&hook, event))
        .collect();
    log.until("twenty handlers", |runs| runs.len() == 20).await;
    ending.signal("TERM");
    // It takes no more connections: it is about to end, and the handlers are at work.
    let start = Instant::now();
    while TcpStream::connect(ending.address()).is_ok() {
        assert!(start.elapsed() < seconds(20), "it does not end");
        tokio::time::sleep(millis(10)).await;
    }
    ending.open_gate();
    for attempt in attempts {
        assert_success(&attempt.await.unwrap(), "in flight");
    }
    assert!(ending.ended().await);
    for event in &events {
        assert_success(&sender.send(&other.url("/hook"), event).await, &event.id);
        assert_eq!(log.ends(&event.id), ["200"]);
    }
}
