//! The task of a delivery's handler: what it inherits, what bounds it, what is told of it, and that
//! no two handlers ever have one delivery at once.

use std::{
    collections::HashMap,
    convert::Infallible,
    panic::AssertUnwindSafe,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{Router, body::Body, extract::State, routing::post};
use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::Full;
use support::{Answer, Lines, github, kind, signed};
use tokio::{
    sync::Semaphore,
    time::{sleep, timeout},
};
use tower::{BoxError, ServiceBuilder, ServiceExt, util::BoxCloneSyncService};
use tower_webhook::{
    RejectionKind, VerifiedEvent, WebhookVerifyLayer,
    delivery::{DeliveryLayer, DeliveryOutcome, MemoryStore},
};
use tracing::instrument::WithSubscriber;

use super::stack::{Stack, call, spawn};

const SECOND: Duration = Duration::from_secs(1);

/// A stack whose handler is told the body.
fn stack<F>(
    deliver: &DeliveryLayer,
    handler: impl Fn(String) -> F + Clone + Send + Sync + 'static,
) -> Stack
where
    F: Future<Output = u16> + Send + 'static,
{
    let service = ServiceBuilder::new()
        .layer(WebhookVerifyLayer::new(github().with_endpoint("hook")))
        .layer(deliver.clone())
        .service_fn(move |request: Request<Full<Bytes>>| {
            let event = VerifiedEvent::<Bytes>::from_extensions(request.extensions()).unwrap();
            let body = String::from_utf8(event.body().to_vec()).unwrap();
            let status = handler(body);
            async move {
                let mut answer = Answer::default();
                *answer.status_mut() = StatusCode::from_u16(status.await).unwrap();
                Ok::<_, Infallible>(answer)
            }
        });
    BoxCloneSyncService::new(service.map_err(BoxError::from))
}

/// The hook of a layer as a list.
fn outcomes(deliver: DeliveryLayer) -> (DeliveryLayer, Arc<Mutex<Vec<DeliveryOutcome>>>) {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&seen);
    let deliver = deliver.on_delivery(move |_, outcome| told.lock().unwrap().push(outcome));
    (deliver, seen)
}

#[tokio::test(start_paused = true)]
async fn a_panic_resumes_in_the_request_that_waits() {
    let store = Arc::new(MemoryStore::new());
    let (deliver, told) = outcomes(DeliveryLayer::new(Arc::clone(&store)));
    let stack = stack(&deliver, |_| async {
        panic!("the handler panics, as it should here")
    });
    let panicked = spawn(&stack, "{}").await.unwrap_err().into_panic();
    let text = panicked.downcast_ref::<&str>().unwrap();
    assert_eq!(*text, "the handler panics, as it should here");
    assert_eq!(
        (store.in_progress(), store.completed(), deliver.in_flight()),
        (0, 0, 0)
    );
    assert_eq!(*told.lock().unwrap(), [DeliveryOutcome::Released]);
    // So that a layer outside can make an answer of it.
    let caught = AssertUnwindSafe(call(&stack, "{}"));
    let caught = futures_catch(caught).await;
    assert!(caught.is_err());
}

async fn futures_catch<F: Future>(future: AssertUnwindSafe<F>) -> Result<F::Output, ()> {
    let mut future = Box::pin(future.0);
    std::future::poll_fn(move |cx| {
        let polled = std::panic::catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx)));
        match polled {
            Ok(poll) => poll.map(Ok),
            Err(_) => std::task::Poll::Ready(Err(())),
        }
    })
    .await
}

#[tokio::test(start_paused = true)]
async fn what_nobody_waits_for_is_logged() {
    let lines = Lines::default();
    for (panics, said) in [(true, "it panicked"), (false, "it exceeded its time limit")] {
        let deliver = DeliveryLayer::new(MemoryStore::new()).with_handler_timeout(2 * SECOND);
        let (deliver, told) = outcomes(deliver);
        let stack = stack(&deliver, move |_| async move {
            sleep(SECOND).await;
            assert!(!panics, "the handler panics, as it should here");
            std::future::pending().await
        });
        let work = async {
            let request = tokio::spawn({
                let stack = stack.clone();
                async move { call(&stack, "{}").await }.with_current_subscriber()
            });
            sleep(SECOND / 2).await;
            request.abort();
            assert_eq!(deliver.drain(10 * SECOND).await, 0);
        };
        work.with_subscriber(lines.subscriber()).await;
        assert_eq!(*told.lock().unwrap(), [DeliveryOutcome::Released]);
        let line = lines.with(&format!("hung up: {said}"));
        let [line] = &line[..] else {
            panic!("{line:?}")
        };
        assert!(
            line.contains("ERROR") && line.contains("after its sender had hung up"),
            "{line}"
        );
        assert!(
            line.contains(r#"endpoint="hook""#) && line.contains("delivery_key="),
            "{line}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_handler_has_the_span_and_the_subscriber_of_its_request() {
    let lines = Lines::default();
    let stack = stack(&DeliveryLayer::new(MemoryStore::new()), |body| async move {
        for step in 0..20 {
            tokio::task::yield_now().await;
            tracing::info!("handler of {body} at step {step}");
        }
        200
    });
    let work = async {
        for number in 0..20 {
            assert_eq!(call(&stack, &number.to_string()).await.status(), 200);
        }
    };
    work.with_subscriber(lines.subscriber()).await;
    let said = lines.with("handler of ");
    assert_eq!(said.len(), 400);
    for line in said {
        let within = line.contains(r#"webhook{provider="github" endpoint="hook""#);
        assert!(within && line.contains("delivery_key="), "{line}");
    }
}

#[tokio::test(start_paused = true)]
async fn no_more_handlers_run_than_may_those_without_a_sender_among_them() {
    let store = Arc::new(MemoryStore::new());
    let deliver = DeliveryLayer::new(Arc::clone(&store)).with_max_running(2);
    let (deliver, told) = outcomes(deliver);
    let checked = Arc::new(Semaphore::new(0));
    let opens = Arc::clone(&checked);
    let stack = stack(&deliver, move |body| {
        let checked = Arc::clone(&opens);
        async move {
            if body.starts_with("slow") {
                checked.acquire().await.unwrap().forget();
            }
            200
        }
    });
    assert_eq!(call(&stack, "done").await.status(), 200);
    let first = spawn(&stack, "slow 1");
    let second = spawn(&stack, "slow 2");
    sleep(SECOND).await;
    first.abort();
    second.abort();
    sleep(SECOND).await;
    assert_eq!(deliver.in_flight(), 2);

    let refused = call(&stack, "third").await;
    assert_eq!(kind(&refused), Some(RejectionKind::HandlersBusy));
    assert_eq!(
        (refused.status(), &refused.headers()["retry-after"]),
        (StatusCode::SERVICE_UNAVAILABLE, &"5".parse().unwrap())
    );
    assert_eq!(store.in_progress(), 2, "its claim is given back");
    // What is done is known all the same.
    assert_eq!(call(&stack, "done").await.status(), 200);

    checked.add_permits(1);
    sleep(SECOND).await;
    assert_eq!(call(&stack, "third").await.status(), 200);
    checked.add_permits(1);
    assert_eq!(deliver.drain(SECOND).await, 0);
    use DeliveryOutcome::{Busy, Done, New};
    assert_eq!(*told.lock().unwrap(), [New, Busy, Done, New, New, New]);
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_takes_too_long_is_aborted_and_its_delivery_released() {
    let store = Arc::new(MemoryStore::new());
    let deliver = DeliveryLayer::new(Arc::clone(&store)).with_handler_timeout(3 * SECOND);
    let (deliver, told) = outcomes(deliver);
    let dropped = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&dropped);
    struct Counts(Arc<AtomicUsize>);
    impl Drop for Counts {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
    let attempts = Arc::new(AtomicUsize::new(0));
    let stack = stack(&deliver, move |_| {
        let (counts, attempts) = (Counts(Arc::clone(&count)), Arc::clone(&attempts));
        async move {
            let _counts = counts;
            // The first hangs, the second is just in time.
            let takes = if attempts.fetch_add(1, Ordering::SeqCst) == 0 {
                3600
            } else {
                2
            };
            sleep(takes * SECOND).await;
            200
        }
    });
    let start = tokio::time::Instant::now();
    let answer = call(&stack, "{}").await;
    assert_eq!(
        (kind(&answer), start.elapsed()),
        (Some(RejectionKind::HandlerAborted), 3 * SECOND)
    );
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(
        (dropped.load(Ordering::SeqCst), store.in_progress()),
        (1, 0)
    );
    assert_eq!(call(&stack, "{}").await.status(), 200);
    assert_eq!(
        *told.lock().unwrap(),
        [DeliveryOutcome::Released, DeliveryOutcome::New]
    );
}

/// What it awaits is always ready, so that it uses up all that the runtime lets a task do at once.
async fn busy(time: Duration) {
    let (sender, mut receiver) = tokio::sync::mpsc::channel(8);
    let start = std::time::Instant::now();
    while start.elapsed() < time {
        sender.send(()).await.unwrap();
        receiver.recv().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_handler_that_always_has_something_to_do_keeps_its_claim_and_its_limit() {
    let millis = Duration::from_millis;
    let store = Arc::new(MemoryStore::new());
    let deliver = DeliveryLayer::new(Arc::clone(&store))
        .with_lease(millis(600))
        .with_wait(Duration::ZERO);
    let called = Arc::new(AtomicUsize::new(0));
    let handler = |called: &Arc<AtomicUsize>, time| {
        let called = Arc::clone(called);
        move |_| {
            called.fetch_add(1, Ordering::SeqCst);
            async move {
                busy(time).await;
                200
            }
        }
    };
    let long = stack(&deliver, handler(&called, millis(2500)));
    let first = spawn(&long, "long");
    sleep(millis(1500)).await;
    let second = call(&long, "long").await;
    assert_eq!(kind(&second), Some(RejectionKind::DeliveryInProgress));
    assert_eq!(first.await.unwrap().status(), 200);
    assert_eq!(called.load(Ordering::SeqCst), 1);

    let limited = deliver.clone().with_handler_timeout(millis(300));
    let endless = stack(&limited, handler(&called, 60 * SECOND));
    let start = std::time::Instant::now();
    let aborted = call(&endless, "endless").await;
    assert_eq!(kind(&aborted), Some(RejectionKind::HandlerAborted));
    assert!(start.elapsed() < 20 * SECOND, "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_layer_is_drained_when_its_last_handler_has_told_the_store() {
    let store = Arc::new(MemoryStore::new());
    let deliver = DeliveryLayer::new(Arc::clone(&store));
    assert_eq!(deliver.drain(Duration::ZERO).await, 0);
    let stack = stack(&deliver, |body| async move {
        sleep(body.parse::<u32>().unwrap() * SECOND).await;
        200
    });
    for body in ["5", "10", "20"] {
        let request = spawn(&stack, body);
        sleep(SECOND / 10).await;
        request.abort();
    }
    // A clone, such as the one that a configuration was made into a second route with, has the same
    // handlers.
    let clone = deliver.clone().with_lease(60 * SECOND);
    assert_eq!((deliver.in_flight(), clone.in_flight()), (3, 3));
    assert_eq!(deliver.drain(SECOND).await, 3);
    assert_eq!(clone.drain(6 * SECOND).await, 2);
    let start = tokio::time::Instant::now();
    let (first, second) = tokio::join!(deliver.drain(Duration::MAX), clone.drain(60 * SECOND));
    assert_eq!((first, second), (0, 0));
    assert!(start.elapsed() < 15 * SECOND);
    assert_eq!((store.completed(), store.in_progress()), (3, 0));
}

#[test]
fn settings_with_which_nothing_could_be_handled_are_refused() {
    let layer = || DeliveryLayer::new(MemoryStore::new());
    let zero = Duration::ZERO;
    type Make = Box<dyn Fn() -> DeliveryLayer>;
    let rows: [(Make, &str); 4] = [
        (
            Box::new(move || layer().with_max_running(0)),
            "max_running is 0, so no event would ever be handled; set at least 1",
        ),
        (
            Box::new(move || layer().with_handler_timeout(zero)),
            "handler_timeout is zero, so no event would ever be handled; set a longer one",
        ),
        (
            Box::new(move || layer().with_lifetime(zero)),
            "lifetime is zero, so no delivery would be remembered; set a longer one",
        ),
        (
            Box::new(move || layer().with_lease(Duration::from_millis(99))),
            "the lease is 99ms; set at least 100 ms",
        ),
    ];
    for (make, expected) in rows {
        let panic = std::panic::catch_unwind(AssertUnwindSafe(make)).unwrap_err();
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string));
        assert_eq!(text.as_deref(), Some(expected));
    }
    let _ = layer()
        .with_wait(zero)
        .with_lease(Duration::from_millis(100));
}

/// B7: who waits for half of its sender's patience still has the other half to answer in.
#[tokio::test(start_paused = true)]
async fn the_wait_follows_the_time_limit_of_the_provider() {
    use tower_webhook::{Secret, Signer, Verifier, providers};
    let limited = |seconds| providers::github().with_time_limit(Duration::from_secs(seconds));
    for (provider, set, expected) in [
        (providers::slack(), None, 1500),
        (providers::shopify(), None, 2500),
        (providers::github(), None, 5000),
        (providers::svix(), None, 5000),
        (providers::stripe(), None, 5000),
        (providers::authento(), None, 5000),
        (limited(1), None, 500),
        (limited(3600), None, 5000),
        (providers::slack(), Some(8 * SECOND), 8000),
        (providers::slack(), Some(Duration::ZERO), 0),
    ] {
        let name = provider.name().to_owned();
        let secret = Secret::new(support::SVIX_SECRET);
        let verifier = Verifier::new(provider.clone(), secret.clone()).unwrap();
        let mut deliver = DeliveryLayer::new(MemoryStore::new());
        if let Some(wait) = set {
            deliver = deliver.with_wait(wait);
        }
        let now = || support::at(1_700_000_000);
        let stack = ServiceBuilder::new()
            .layer(WebhookVerifyLayer::new(verifier.with_endpoint("hook")).with_clock(now))
            .layer(deliver)
            .service_fn(|_: Request<Full<Bytes>>| async {
                std::future::pending::<Result<Answer, Infallible>>().await
            });
        let signer = Signer::new(provider, secret).unwrap().with_time(now());
        let request = signer
            .sign(
                Request::post("/"),
                Bytes::from_static(br#"{"event_id":"Ev1"}"#),
            )
            .unwrap();
        let request = request.map(Full::new);
        let first = tokio::spawn(stack.clone().oneshot(request.clone()));
        sleep(SECOND / 1000).await;
        let start = tokio::time::Instant::now();
        let second = stack.oneshot(request).await.unwrap();
        assert_eq!(
            kind(&second),
            Some(RejectionKind::DeliveryInProgress),
            "{name}"
        );
        let waited = start.elapsed();
        let expected = Duration::from_millis(expected);
        assert!(
            waited >= expected && waited <= expected + SECOND / 50,
            "{name} {set:?}: {waited:?}"
        );
        first.abort();
    }
}

/// What one delivery's handlers do.
#[derive(Default)]
struct Ledger {
    running: AtomicUsize,
    most: AtomicUsize,
    succeeded: AtomicUsize,
}

#[derive(Clone, Default)]
struct Ledgers(Arc<Mutex<HashMap<String, Arc<Ledger>>>>);

impl Ledgers {
    fn of(&self, body: &str) -> Arc<Ledger> {
        Arc::clone(self.0.lock().unwrap().entry(body.to_owned()).or_default())
    }
}

/// Works in one of several ways, each of which awaits what it starts.
async fn work(State(ledgers): State<Ledgers>, event: VerifiedEvent) -> StatusCode {
    struct Running(Arc<Ledger>);
    impl Running {
        fn begin(ledger: Arc<Ledger>) -> Self {
            let running = ledger.running.fetch_add(1, Ordering::SeqCst) + 1;
            ledger.most.fetch_max(running, Ordering::SeqCst);
            Self(ledger)
        }
    }
    impl Drop for Running {
        fn drop(&mut self) {
            self.0.running.fetch_sub(1, Ordering::SeqCst);
        }
    }
    let body = String::from_utf8(event.body().to_vec()).unwrap();
    let ledger = ledgers.of(&body);
    let number: u64 = body.parse().unwrap();
    let time = Duration::from_millis(5 + number % 7 * 10);
    match number % 3 {
        0 => {
            let _running = Running::begin(Arc::clone(&ledger));
            sleep(time).await;
        }
        1 => {
            let running = Running::begin(Arc::clone(&ledger));
            let blocking = move || {
                std::thread::sleep(time);
                drop(running);
            };
            tokio::task::spawn_blocking(blocking).await.unwrap();
        }
        _ => {
            let running = Running::begin(Arc::clone(&ledger));
            let task = async move {
                sleep(time).await;
                drop(running);
            };
            tokio::spawn(task).await.unwrap();
        }
    }
    // Every fifth fails the first time, and every seventh panics.
    let before = ledger.succeeded.fetch_add(1, Ordering::SeqCst);
    if before == 0 && (number.is_multiple_of(5) || number.is_multiple_of(7)) {
        if number.is_multiple_of(7) {
            // Without the message, whose backtrace would keep the threads for longer than a lease.
            std::panic::resume_unwind(Box::new("as it should"));
        }
        return StatusCode::INTERNAL_SERVER_ERROR;
    }
    ledger.succeeded.fetch_add(1000, Ordering::SeqCst);
    StatusCode::OK
}

/// Whatever the clients do: a delivery that was answered as done was handled, and never by two
/// handlers at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn done_is_handled_and_no_two_handlers_are_at_it_at_once() {
    const DELIVERIES: u64 = 120;
    let ledgers = Ledgers::default();
    let deliver = DeliveryLayer::new(MemoryStore::new())
        .with_lease(2 * SECOND)
        .with_wait(Duration::from_millis(20));
    let router = Router::new()
        .route("/hook", post(work))
        .layer(deliver.clone())
        .layer(WebhookVerifyLayer::new(github().with_endpoint("hook")))
        .with_state(ledgers.clone());
    let senders = (0..DELIVERIES).map(|number| {
        let (router, ledgers) = (router.clone(), ledgers.clone());
        tokio::spawn(async move {
            let body = number.to_string();
            let mut random = number.wrapping_mul(6_364_136_223_846_793_005) | 1;
            for _ in 0..200 {
                random ^= random << 13;
                random ^= random >> 7;
                random ^= random << 17;
                let patience = Duration::from_millis(random % 40);
                let request = signed(body.clone()).map(Body::from);
                // A client that hangs up: its request is dropped.
                let request = tokio::spawn(router.clone().oneshot(request));
                let abort = request.abort_handle();
                match timeout(patience, request).await {
                    Ok(Ok(Ok(response))) if response.status().is_success() => {
                        let succeeded = ledgers.of(&body).succeeded.load(Ordering::SeqCst);
                        assert!(
                            succeeded >= 1000,
                            "{body} is answered as done, and was not handled"
                        );
                        return;
                    }
                    Ok(_) => {}
                    Err(_) => abort.abort(),
                }
                if random.is_multiple_of(4) {
                    sleep(Duration::from_millis(random % 10)).await;
                }
            }
            panic!("{body} is never done");
        })
    });
    for sender in senders.collect::<Vec<_>>() {
        sender.await.unwrap();
    }
    assert_eq!(deliver.drain(10 * SECOND).await, 0);
    for (body, ledger) in ledgers.0.lock().unwrap().iter() {
        assert_eq!(ledger.most.load(Ordering::SeqCst), 1, "{body}: two at once");
        let successes = ledger.succeeded.load(Ordering::SeqCst) / 1000;
        assert_eq!(successes, 1, "{body}: handled with success more than once");
    }
}
