//! The delivery layer: each delivery is handled once and none is lost, on Tower, axum and actix-web, whatever handlers,
//! clients and stores do.

use std::{
    collections::{BTreeMap, HashSet, VecDeque},
    convert::Infallible,
    fmt,
    future::{pending, ready},
    net::TcpListener,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    task::{Context, Poll, Waker},
    thread,
    time::Duration,
};

use actix_web::{App, HttpResponse, HttpServer, http::StatusCode as ActixStatus, rt::System, web};
use axum::{
    Router,
    extract::{Request as AxumRequest, State},
    middleware::{Next, from_fn},
    response::Response as AxumResponse,
    routing::post,
};
use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode, header::RETRY_AFTER};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use metrics::{
    Counter, CounterFn, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit,
};
use support::loopback::{self, Mapped};
use support::{Answer, GITHUB_SECRET, github, kind, refusal, signed};
use tokio::{
    sync::{Semaphore, watch},
    task::{JoinHandle, JoinSet},
    time::{Instant, sleep, timeout},
};
use tower::{
    BoxError, Service, ServiceBuilder, ServiceExt, limit::ConcurrencyLimitLayer,
    util::BoxCloneSyncService,
};
use tower_http::{catch_panic::CatchPanicLayer, timeout::TimeoutLayer};
use tower_webhook::{
    Payload, PayloadError, Provider, RejectionKind, Secret, Signer, VerifiedEvent, Verifier,
    WebhookVerifyLayer,
    delivery::{
        Claim, DeliveryKey, DeliveryLayer, DeliveryOutcome, DeliveryStore, MemoryStore, OnOutage,
        Owner, StoreError, StoreErrorKind, StoreFuture,
    },
    providers,
};

const SECOND: Duration = Duration::from_secs(1);
const LEASE: Duration = Duration::from_secs(30);
/// How long a test waits for what has to happen.
const PATIENCE: Duration = Duration::from_secs(20);

// --- A store that follows a script ---

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Op {
    Claim,
    Renew,
    Complete,
    Release,
}

/// What a step does instead of what it should.
#[derive(Clone, Copy, Debug)]
enum Fault {
    /// It fails, and nothing was done.
    Fails(StoreErrorKind),
    /// It fails, and it was done.
    FailsLate(StoreErrorKind),
    /// It takes as long, and is done at the end.
    Slow(Duration),
    /// It is done at once, and its answer never comes.
    Hangs,
    /// It says that the claim is another's.
    Lost,
}

/// A [`MemoryStore`] that writes down what it is asked, and fails when a test says so.
struct Scripted {
    memory: Arc<MemoryStore>,
    faults: Mutex<VecDeque<(Op, Fault)>>,
    start: Instant,
    log: watch::Sender<Vec<Step>>,
}

/// When which step was begun, and what it said.
#[derive(Clone, Debug)]
struct Step {
    op: Op,
    at: Duration,
    said: String,
}

impl Scripted {
    fn new() -> Arc<Self> {
        Self::over(MemoryStore::new())
    }

    fn over(memory: MemoryStore) -> Arc<Self> {
        Arc::new(Self {
            memory: Arc::new(memory),
            faults: Mutex::default(),
            start: Instant::now(),
            log: watch::Sender::default(),
        })
    }

    /// The next of these steps does this instead.
    fn fault(&self, op: Op, fault: Fault) {
        self.faults.lock().unwrap().push_back((op, fault));
    }

    fn steps(&self, op: Op) -> Vec<Step> {
        let log = self.log.borrow();
        log.iter().filter(|step| step.op == op).cloned().collect()
    }

    fn count(&self, op: Op) -> usize {
        self.steps(op).len()
    }

    /// When such steps were begun, in whole seconds.
    fn seconds(&self, op: Op) -> Vec<u64> {
        let steps = self.steps(op).into_iter();
        steps.map(|step| step.at.as_secs()).collect()
    }

    /// Waits until so many such steps were answered with a text that begins so.
    async fn until(&self, op: Op, said: &str, count: usize) {
        let enough = |log: &Vec<Step>| {
            let fits = |step: &&Step| step.op == op && step.said.starts_with(said);
            log.iter().filter(fits).count() >= count
        };
        let mut log = self.log.subscribe();
        let waited = timeout(PATIENCE, log.wait_for(enough)).await;
        assert!(
            waited.is_ok(),
            "{op:?} {said:?} {count} times: {:?}",
            self.log.borrow()
        );
    }

    fn step<T: fmt::Debug + From<Said> + Send + 'static>(
        self: &Arc<Self>,
        op: Op,
        act: impl FnOnce(&MemoryStore) -> StoreFuture<T> + Send + 'static,
    ) -> StoreFuture<T> {
        let mut faults = self.faults.lock().unwrap();
        let place = faults.iter().position(|(known, _)| *known == op);
        let fault = place
            .and_then(|place| faults.remove(place))
            .map(|(_, fault)| fault);
        drop(faults);
        let (store, at) = (Arc::clone(self), self.start.elapsed());
        let tell = move |said: &dyn fmt::Debug| {
            let said = format!("{said:?}");
            store.log.send_modify(|log| log.push(Step { op, at, said }));
        };
        let failed = move |kind: StoreErrorKind| StoreError::new(kind, "the store is away");
        let memory = Arc::clone(&self.memory);
        match fault {
            Some(Fault::Fails(kind)) => {
                tell(&kind);
                Box::pin(ready(Err(failed(kind))))
            }
            Some(Fault::FailsLate(kind)) => {
                drop(act(&memory));
                tell(&kind);
                Box::pin(ready(Err(failed(kind))))
            }
            Some(Fault::Lost) => {
                tell(&false);
                Box::pin(ready(Ok(T::from(Said))))
            }
            Some(Fault::Hangs) => {
                drop(act(&memory));
                tell(&"hangs");
                Box::pin(pending())
            }
            Some(Fault::Slow(time)) => Box::pin(async move {
                sleep(time).await;
                let answer = act(&memory).await;
                tell(&answer.as_ref().unwrap());
                answer
            }),
            // In memory a step is done when its method returns.
            None => {
                let answer = act(&memory);
                Box::pin(async move {
                    let answer = answer.await;
                    match &answer {
                        Ok(answer) => tell(answer),
                        Err(error) => tell(&error.kind()),
                    }
                    answer
                })
            }
        }
    }
}

/// That a claim is another's, as each step says it.
struct Said;

impl From<Said> for bool {
    fn from(_: Said) -> Self {
        false
    }
}

struct Store(Arc<Scripted>);

/// A claim that another has.
#[derive(Clone, Copy, Debug)]
struct Claimed(Claim);

impl From<Said> for Claimed {
    fn from(_: Said) -> Self {
        Self(Claim::InProgress { remaining: LEASE })
    }
}

impl DeliveryStore for Store {
    fn claim(&self, key: DeliveryKey, owner: Owner, lease: Duration) -> StoreFuture<Claim> {
        let claim = self.0.step(Op::Claim, move |memory| {
            let claim = memory.claim(key, owner, lease);
            Box::pin(async move { claim.await.map(Claimed) })
        });
        Box::pin(async move { claim.await.map(|Claimed(claim)| claim) })
    }

    fn renew(&self, key: DeliveryKey, owner: Owner, lease: Duration) -> StoreFuture<bool> {
        self.0
            .step(Op::Renew, move |memory| memory.renew(key, owner, lease))
    }

    fn complete(&self, key: DeliveryKey, owner: Owner, lifetime: Duration) -> StoreFuture<bool> {
        self.0.step(Op::Complete, move |memory| {
            memory.complete(key, owner, lifetime)
        })
    }

    fn release(&self, key: DeliveryKey, owner: Owner) -> StoreFuture<bool> {
        // It is written down when it is done, since nobody may ask for the answer.
        let release = self
            .0
            .step(Op::Release, move |memory| memory.release(key, owner));
        let mut release = release;
        match release
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()))
        {
            Poll::Ready(answer) => Box::pin(ready(answer)),
            Poll::Pending => release,
        }
    }

    fn forget(&self, key: DeliveryKey) -> StoreFuture<bool> {
        self.0.memory.forget(key)
    }
}

// --- A handler that follows a script ---

/// What the handler does with one event.
#[derive(Clone, Copy, Debug)]
enum Act {
    Answers(u16),
    /// After the test has let it go on.
    Waits(u16),
    Sleeps(Duration, u16),
    Hangs,
    Panics,
    /// It is not called, since its parameter cannot be read.
    Unreadable,
}

#[derive(Clone)]
struct Handler(Arc<Script>);

struct Script {
    acts: Mutex<VecDeque<Act>>,
    called: AtomicUsize,
    /// Of all that run at once, the most.
    most: AtomicUsize,
    running: watch::Sender<usize>,
    go: Semaphore,
}

/// Events that cannot be read, by their bodies: what an extractor knows.
static UNREADABLE: Mutex<Option<HashSet<Bytes>>> = Mutex::new(None);

/// A payload that can be read, unless a test says otherwise.
struct Fickle;

impl Payload for Fickle {
    fn from_event(event: &VerifiedEvent) -> Result<Self, PayloadError> {
        let mut unreadable = UNREADABLE.lock().unwrap();
        let unreadable = unreadable.get_or_insert_default();
        if unreadable.remove(event.body()) {
            return Err(PayloadError::new("it is not this time"));
        }
        Ok(Self)
    }
}

impl Handler {
    fn new(acts: impl IntoIterator<Item = Act>) -> Self {
        Self(Arc::new(Script {
            acts: Mutex::new(acts.into_iter().collect()),
            called: AtomicUsize::new(0),
            most: AtomicUsize::new(0),
            running: watch::Sender::new(0),
            go: Semaphore::new(0),
        }))
    }

    fn called(&self) -> usize {
        self.0.called.load(Ordering::SeqCst)
    }

    fn most(&self) -> usize {
        self.0.most.load(Ordering::SeqCst)
    }

    fn let_go(&self) {
        self.0.go.add_permits(1);
    }

    async fn until_running(&self, count: usize) {
        let mut running = self.0.running.subscribe();
        let waited = timeout(PATIENCE, running.wait_for(|running| *running == count)).await;
        assert!(waited.is_ok(), "{count} handlers run at once");
    }

    /// Without a script it answers 200.
    async fn act(&self) -> u16 {
        self.0.called.fetch_add(1, Ordering::SeqCst);
        let act = self.0.acts.lock().unwrap().pop_front();
        let _running = Running::new(&self.0);
        match act.unwrap_or(Act::Answers(200)) {
            Act::Answers(status) => status,
            Act::Waits(status) => {
                self.0.go.acquire().await.unwrap().forget();
                status
            }
            Act::Sleeps(time, status) => {
                sleep(time).await;
                status
            }
            Act::Hangs => pending().await,
            Act::Panics => panic!("the handler panics, as it should here"),
            Act::Unreadable => panic!("the handler is called with what cannot be read"),
        }
    }
}

struct Running<'s>(&'s Script);

impl<'s> Running<'s> {
    fn new(script: &'s Script) -> Self {
        script.running.send_modify(|running| *running += 1);
        script
            .most
            .fetch_max(*script.running.borrow(), Ordering::SeqCst);
        Self(script)
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.running.send_modify(|running| *running -= 1);
    }
}

// --- Hosts ---

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Host {
    /// hyper and a stack of Tower's.
    Tower,
    /// Each layer around the route.
    AxumRoute,
    /// In a `ServiceBuilder`, between functions that are middleware.
    AxumBetween,
    Actix,
    /// It closes a connection whose client sends no more.
    ActixThatCuts,
}

const HOSTS: [Host; 4] = [Host::Tower, Host::AxumRoute, Host::AxumBetween, Host::Actix];

#[derive(Clone)]
struct Layers {
    verify: WebhookVerifyLayer,
    deliver: DeliveryLayer,
    handler: Handler,
}

impl Layers {
    fn new(deliver: DeliveryLayer, handler: &Handler) -> Self {
        Self {
            verify: WebhookVerifyLayer::new(github().with_endpoint("hook")),
            deliver,
            handler: handler.clone(),
        }
    }
}

async fn on_request<B>(handler: Handler, request: Request<B>) -> Result<Answer, Infallible> {
    let event = VerifiedEvent::<Fickle>::from_extensions(request.extensions());
    drop(request);
    let status = match event {
        Err(rejection) => return Ok(rejection.into_response()),
        Ok(_) => handler.act().await,
    };
    let mut answer = Answer::new(Full::from("handled"));
    *answer.status_mut() = StatusCode::from_u16(status).unwrap();
    Ok(answer)
}

async fn on_axum(
    State(handler): State<Handler>,
    _: VerifiedEvent<Fickle>,
) -> (StatusCode, &'static str) {
    let status = handler.act().await;
    (StatusCode::from_u16(status).unwrap(), "handled")
}

async fn on_actix(handler: web::Data<Handler>, _: VerifiedEvent<Fickle>) -> HttpResponse {
    let status = handler.act().await;
    HttpResponse::build(ActixStatus::from_u16(status).unwrap()).body("handled")
}

async fn pass(request: AxumRequest, next: Next) -> AxumResponse {
    next.run(request).await
}

impl Host {
    /// Serves `/hook`, and gives its address.
    async fn serve(self, layers: Layers) -> String {
        let Layers {
            verify,
            deliver,
            handler,
        } = layers;
        let address = match self {
            Self::Tower => {
                let service = ServiceBuilder::new()
                    .layer(CatchPanicLayer::new())
                    .map_request(|request: Request<Incoming>| request.map(Mapped::new))
                    .layer(verify)
                    .layer(deliver)
                    .service_fn(move |request| on_request(handler.clone(), request));
                loopback::serve(service).await
            }
            Self::AxumRoute => {
                let route = post(on_axum).route_layer(deliver).route_layer(verify);
                let router = Router::new().route("/hook", route);
                serve_axum(router.layer(CatchPanicLayer::new()).with_state(handler)).await
            }
            Self::AxumBetween => {
                let layers = ServiceBuilder::new()
                    .layer(from_fn(pass))
                    .layer(verify)
                    .layer(from_fn(pass))
                    .layer(deliver)
                    .layer(from_fn(pass));
                let router = Router::new().route("/hook", post(on_axum)).layer(layers);
                serve_axum(router.layer(CatchPanicLayer::new()).with_state(handler)).await
            }
            Self::Actix | Self::ActixThatCuts => serve_actix(self, move |config| {
                let route = web::post().to(on_actix);
                let resource = web::resource("/hook")
                    .app_data(web::Data::new(handler.clone()))
                    .route(route)
                    .wrap(deliver.clone())
                    .wrap(verify.clone());
                config.service(resource);
            }),
        };
        format!("{address}/hook")
    }
}

async fn serve_axum(router: Router) -> String {
    let (listener, address) = loopback::listen().await;
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    address
}

/// It has a runtime of its own, on a thread that ends with the process.
fn serve_actix(
    host: Host,
    routes: impl Fn(&mut web::ServiceConfig) + Clone + Send + 'static,
) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        let server = HttpServer::new(move || App::new().configure(routes.clone()))
            .workers(2)
            .disable_signals()
            .h1_allow_half_closed(host != Host::ActixThatCuts);
        let server = server.listen(listener).unwrap();
        System::new().block_on(server.run()).unwrap();
    });
    format!("http://{address}")
}

/// An answer, read to its end.
#[derive(Debug)]
struct Reply {
    status: u16,
    headers: HeaderMap,
    body: Bytes,
}

/// Sends a request over a connection of its own. `None` where that ends without an answer.
async fn send(url: &str, mut request: Request<Bytes>) -> Option<Reply> {
    *request.uri_mut() = url.parse().unwrap();
    let client = Client::builder(TokioExecutor::new()).build_http();
    let answer = timeout(PATIENCE, client.request(request.map(Full::new))).await;
    let (head, body) = answer.expect("an answer in time").ok()?.into_parts();
    Some(Reply {
        status: head.status.as_u16(),
        headers: head.headers,
        body: body.collect().await.ok()?.to_bytes(),
    })
}

async fn status(url: &str, request: Request<Bytes>) -> Option<u16> {
    send(url, request).await.map(|reply| reply.status)
}

/// A request that is under way while the test does something else.
fn spawn_status(url: &str, request: &Request<Bytes>) -> JoinHandle<Option<u16>> {
    let (url, request) = (url.to_owned(), request.clone());
    tokio::spawn(async move { status(&url, request).await })
}

/// Another body for each call, so that each test has deliveries of its own.
fn body() -> Bytes {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let count = COUNT.fetch_add(1, Ordering::SeqCst);
    Bytes::from(format!(r#"{{"secret content number":{count}}}"#))
}

fn authenteq() -> Provider {
    providers::authenteq().with_param("client_id", "client-7")
}

fn authenteq_request() -> Request<Bytes> {
    let signer = Signer::new(authenteq(), Secret::new(GITHUB_SECRET)).unwrap();
    signer.sign(Request::post("/hook"), body()).unwrap()
}

// --- What is the same on every host ---

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_failed_is_handled_again_and_what_succeeded_is_not() {
    use Act::{Answers, Panics, Unreadable};
    // What the handler does, and what the sender is told; after the last one it sends twice more.
    let rows: [(&[Act], &[u16]); 11] = [
        (&[Answers(200)], &[200]),
        (&[Answers(202)], &[202]),
        (&[Answers(204)], &[204]),
        (&[Answers(299)], &[299]),
        (&[Answers(500), Answers(200)], &[500, 200]),
        (
            &[Answers(503), Answers(429), Answers(200)],
            &[503, 429, 200],
        ),
        (
            &[Answers(404), Answers(400), Answers(204)],
            &[404, 400, 204],
        ),
        (
            &[Answers(304), Answers(301), Answers(200)],
            &[304, 301, 200],
        ),
        (&[Panics, Answers(200)], &[500, 200]),
        (&[Unreadable, Answers(200)], &[500, 200]),
        (
            &[Panics, Unreadable, Answers(500), Answers(201)],
            &[500, 500, 500, 201],
        ),
    ];
    for host in HOSTS {
        let handler = Handler::new([]);
        let store = Arc::new(MemoryStore::new());
        let layers = Layers::new(DeliveryLayer::new(Arc::clone(&store)), &handler);
        let url = host.serve(layers).await;
        for (done, (acts, expected)) in rows.iter().enumerate() {
            let body = body();
            let before = handler.called();
            for (act, expected) in acts.iter().zip(*expected) {
                if matches!(act, Unreadable) {
                    let mut unreadable = UNREADABLE.lock().unwrap();
                    unreadable.get_or_insert_default().insert(body.clone());
                } else {
                    handler.0.acts.lock().unwrap().push_back(*act);
                }
                let reply = send(&url, signed(body.clone())).await;
                // actix-web gives up a connection whose handler panics.
                let unanswered = host == Host::Actix && matches!(act, Panics);
                let expected = (!unanswered).then_some(*expected);
                assert_eq!(
                    reply.map(|reply| reply.status),
                    expected,
                    "{host:?}: {acts:?}"
                );
            }
            for _ in 0..2 {
                let reply = send(&url, signed(body.clone())).await.unwrap();
                assert_eq!(reply.status, 200, "{host:?}: {acts:?}");
                assert_eq!(reply.body, "", "{host:?}");
            }
            let calls = acts.iter().filter(|act| !matches!(act, Unreadable)).count();
            assert_eq!(handler.called() - before, calls, "{host:?}: {acts:?}");
            assert_eq!((store.in_progress(), store.completed()), (0, done + 1));
        }
        assert_eq!(handler.most(), 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_that_takes_one_status_for_success_gets_it_each_time() {
    for host in HOSTS {
        let handler = Handler::new([Act::Answers(202)]);
        let verifier = Verifier::new(authenteq(), Secret::new(GITHUB_SECRET)).unwrap();
        let layers = Layers {
            verify: WebhookVerifyLayer::new(verifier.with_endpoint("kyc")),
            ..Layers::new(DeliveryLayer::new(MemoryStore::new()), &handler)
        };
        let url = host.serve(layers).await;
        let request = authenteq_request();
        for _ in 0..3 {
            assert_eq!(status(&url, request.clone()).await, Some(200), "{host:?}");
        }
        assert_eq!(handler.called(), 1, "{host:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_forged_neither_claims_nor_learns_of_a_delivery() {
    for host in HOSTS {
        let handler = Handler::new([]);
        let store = Scripted::new();
        let layers = Layers::new(DeliveryLayer::new(Store(Arc::clone(&store))), &handler);
        let url = host.serve(layers).await;
        let body = body();
        let forged = signed("another").map(|_| body.clone());
        assert_eq!(status(&url, forged.clone()).await, Some(401), "{host:?}");
        assert_eq!(store.count(Op::Claim), 0);
        assert_eq!(status(&url, signed(body)).await, Some(200), "{host:?}");
        assert_eq!(status(&url, forged).await, Some(401), "{host:?}");
        assert_eq!((store.count(Op::Claim), handler.called()), (1, 1));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_attempt_waits_for_the_first() {
    // What the first answers, what the second is told, how often the handler is called.
    for (first, second, calls) in [(200, 200, 1), (500, 201, 2)] {
        for host in HOSTS {
            let handler = Handler::new([Act::Waits(first), Act::Answers(201)]);
            let store = Scripted::new();
            let layers = Layers::new(DeliveryLayer::new(Store(Arc::clone(&store))), &handler);
            let url = host.serve(layers).await;
            let request = signed(body());
            let (one, other) = (request.clone(), request);
            let one = spawn_status(&url, &one);
            handler.until_running(1).await;
            let other = tokio::spawn({
                let url = url.clone();
                async move { send(&url, other).await.unwrap() }
            });
            store.until(Op::Claim, "Claimed(InProgress", 1).await;
            assert!(!other.is_finished());
            handler.let_go();
            assert_eq!(one.await.unwrap(), Some(first), "{host:?}");
            let other = other.await.unwrap();
            assert_eq!(other.status, second, "{host:?}");
            let body = if calls == 1 { "" } else { "handled" };
            assert_eq!(other.body, body, "{host:?}");
            assert_eq!((handler.called(), handler.most()), (calls, 1), "{host:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_does_not_wait_is_told_to_come_again() {
    for host in HOSTS {
        let handler = Handler::new([Act::Waits(200)]);
        let deliver = DeliveryLayer::new(MemoryStore::new()).with_wait(Duration::ZERO);
        let url = host.serve(Layers::new(deliver, &handler)).await;
        let request = signed(body());
        let first = spawn_status(&url, &request);
        handler.until_running(1).await;
        let reply = send(&url, request.clone()).await.unwrap();
        assert_eq!((reply.status, &*reply.body), (503, &b""[..]), "{host:?}");
        let seconds = retry_after(&reply.headers);
        assert!((15..=30).contains(&seconds), "{host:?}: {seconds}");
        handler.let_go();
        assert_eq!(first.await.unwrap(), Some(200));
        assert_eq!(status(&url, request).await, Some(200));
        assert_eq!(handler.called(), 1);
    }
}

fn retry_after(headers: &HeaderMap) -> u64 {
    headers[RETRY_AFTER].to_str().unwrap().parse().unwrap()
}

#[tokio::test(start_paused = true)]
async fn who_is_told_to_come_again_is_told_when_the_lease_ends_within_reason() {
    let micros = Duration::from_micros;
    for (lease, passed, expected) in [
        (LEASE, micros(0), 30),
        (LEASE, micros(1000), 30),
        (LEASE, SECOND, 29),
        (LEASE, 29 * SECOND, 1),
        (micros(900), micros(0), 1),
        (31 * SECOND, micros(0), 30),
        (3600 * SECOND, micros(0), 30),
        (Duration::MAX, micros(0), 30),
    ] {
        let store = Arc::new(MemoryStore::new());
        let deliver = DeliveryLayer::new(Arc::clone(&store)).with_wait(Duration::ZERO);
        let stack = stack(deliver, &Handler::new([]));
        let body = body();
        // Another process has it.
        let claim = store.claim(key_of(&body), Owner::unique(), lease).await;
        assert_eq!(claim.unwrap(), Claim::New);
        tokio::time::advance(passed).await;
        let answer = call(&stack, &body).await;
        assert_eq!(answer.status(), 503, "{lease:?} {passed:?}");
        assert_eq!(
            retry_after(answer.headers()),
            expected,
            "{lease:?} {passed:?}"
        );
    }
}

/// axum drops a handler whose client hangs up, and so does actix-web with `h1_allow_half_closed(false)`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b_5_a_handler_goes_on_without_its_client_and_no_other_runs_beside_it() {
    for host in [
        Host::Tower,
        Host::AxumRoute,
        Host::AxumBetween,
        Host::Actix,
        Host::ActixThatCuts,
    ] {
        let handler = Handler::new([Act::Waits(201)]);
        let store = Scripted::new();
        let layers = Layers::new(DeliveryLayer::new(Store(Arc::clone(&store))), &handler);
        let url = host.serve(layers).await;
        let request = signed(body());
        let gone = spawn_status(&url, &request);
        handler.until_running(1).await;
        gone.abort();
        assert!(gone.await.unwrap_err().is_cancelled());
        let next = spawn_status(&url, &request);
        store.until(Op::Claim, "Claimed(InProgress", 2).await;
        handler.let_go();
        assert_eq!(next.await.unwrap(), Some(200), "{host:?}");
        assert_eq!((handler.called(), handler.most()), (1, 1), "{host:?}");
        assert_eq!(store.count(Op::Release), 0, "{host:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_store_is_away_events_are_refused_or_let_through() {
    use StoreErrorKind::{Full, Timeout, Unavailable};
    for host in HOSTS {
        for policy in [OnOutage::Refuse, OnOutage::Allow] {
            let handler = Handler::new([]);
            let store = Scripted::new();
            let deliver = DeliveryLayer::new(Store(Arc::clone(&store))).with_on_outage(policy);
            let url = host.serve(Layers::new(deliver, &handler)).await;
            let request = signed(body());
            for kind in [Unavailable, Timeout, Full] {
                // Either way the claim may have been made, and must not be in the way of the next attempt.
                for fault in [Fault::Fails(kind), Fault::FailsLate(kind)] {
                    let before = handler.called();
                    store.fault(Op::Claim, fault);
                    let reply = send(&url, request.clone()).await.unwrap();
                    let what = format!("{host:?} {policy:?} {fault:?}");
                    if policy == OnOutage::Refuse {
                        assert_eq!(reply.status, 503, "{what}");
                        assert_eq!(reply.headers[RETRY_AFTER], "5", "{what}");
                        assert_eq!((&*reply.body, handler.called()), (&b""[..], before));
                    } else {
                        assert_eq!(reply.status, 200, "{what}");
                        assert_eq!(
                            (&*reply.body, handler.called()),
                            (&b"handled"[..], before + 1)
                        );
                    }
                }
            }
            assert_eq!(store.memory.in_progress(), 0);
            let before = handler.called();
            for _ in 0..2 {
                assert_eq!(status(&url, request.clone()).await, Some(200), "{host:?}");
            }
            assert_eq!(handler.called(), before + 1, "the store is back");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_success_that_cannot_be_written_down_is_told_all_the_same() {
    for host in HOSTS {
        let handler = Handler::new([Act::Answers(201), Act::Answers(201)]);
        let store = Scripted::new();
        let deliver = DeliveryLayer::new(Store(Arc::clone(&store))).with_wait(Duration::ZERO);
        let url = host.serve(Layers::new(deliver, &handler)).await;
        let faults = [
            (Fault::Fails(StoreErrorKind::Unavailable), 503),
            // It was written down.
            (Fault::FailsLate(StoreErrorKind::Timeout), 200),
            (Fault::Lost, 503),
        ];
        for (fault, next) in faults {
            let request = signed(body());
            store.fault(Op::Complete, fault);
            handler.0.acts.lock().unwrap().push_front(Act::Answers(201));
            let reply = send(&url, request.clone()).await.unwrap();
            assert_eq!(
                (reply.status, &*reply.body),
                (201, &b"handled"[..]),
                "{host:?}"
            );
            // The claim stays until its lease is over.
            assert_eq!(
                status(&url, request).await,
                Some(next),
                "{host:?} {fault:?}"
            );
        }
        assert_eq!(handler.called(), faults.len(), "{host:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_verifying_layer_around_it_nothing_is_handled() {
    for host in HOSTS {
        let handler = Handler::new([]);
        let store = Scripted::new();
        let deliver = DeliveryLayer::new(Store(Arc::clone(&store)));
        let verify = WebhookVerifyLayer::new(github());
        // Alone, and on the wrong side.
        for wrong_side in [false, true] {
            let verify = wrong_side.then(|| verify.clone());
            let (deliver, handler) = (deliver.clone(), handler.clone());
            let address = match host {
                Host::Tower => {
                    let service = ServiceBuilder::new()
                        .map_request(|request: Request<Incoming>| request.map(Mapped::new))
                        .layer(deliver)
                        .option_layer(verify)
                        .service_fn(move |request| on_request(handler.clone(), request))
                        .map_err(BoxError::from);
                    loopback::serve(service).await
                }
                Host::AxumRoute | Host::AxumBetween => {
                    let layers = ServiceBuilder::new().layer(deliver).option_layer(verify);
                    let route = Router::new().route("/hook", post(on_axum).with_state(handler));
                    serve_axum(route.layer(layers)).await
                }
                Host::Actix | Host::ActixThatCuts => serve_actix(host, move |config| {
                    let route = web::post().to(on_actix);
                    let resource = web::resource("/hook")
                        .app_data(web::Data::new(handler.clone()))
                        .route(route);
                    match &verify {
                        Some(verify) => {
                            config.service(resource.wrap(verify.clone()).wrap(deliver.clone()))
                        }
                        None => config.service(resource.wrap(deliver.clone())),
                    };
                }),
            };
            let url = format!("{address}/hook");
            assert_eq!(status(&url, signed(body())).await, Some(500), "{host:?}");
        }
        assert_eq!(
            (handler.called(), store.count(Op::Claim)),
            (0, 0),
            "{host:?}"
        );
    }
}

// --- What needs a clock that is stopped: Tower alone ---

type Stack = BoxCloneSyncService<Request<Full<Bytes>>, Answer, BoxError>;

fn stack(deliver: DeliveryLayer, handler: &Handler) -> Stack {
    let layers = Layers::new(deliver, handler);
    let handler = handler.clone();
    let service = ServiceBuilder::new()
        .layer(layers.verify)
        .layer(layers.deliver)
        .service_fn(move |request| on_request(handler.clone(), request));
    BoxCloneSyncService::new(service.map_err(BoxError::from))
}

async fn call(stack: &Stack, body: &Bytes) -> Answer {
    let request = signed(body.clone()).map(Full::new);
    stack.clone().oneshot(request).await.unwrap()
}

/// A call that goes on while the test does something else.
fn spawn(stack: &Stack, body: &Bytes) -> JoinHandle<Answer> {
    let (stack, body) = (stack.clone(), body.clone());
    tokio::spawn(async move { call(&stack, &body).await })
}

fn scripted(handler: &Handler) -> (Arc<Scripted>, DeliveryLayer, Stack) {
    let store = Scripted::new();
    let deliver = DeliveryLayer::new(Store(Arc::clone(&store)));
    let stack = stack(deliver.clone(), handler);
    (store, deliver, stack)
}

#[tokio::test(start_paused = true)]
async fn a_thousand_attempts_at_once_are_handled_once() {
    let handler = Handler::new([Act::Sleeps(SECOND, 201)]);
    let stack = stack(DeliveryLayer::new(MemoryStore::new()), &handler);
    let body = body();
    let mut attempts = JoinSet::new();
    for _ in 0..1000 {
        let (stack, body) = (stack.clone(), body.clone());
        attempts.spawn(async move { call(&stack, &body).await.status().as_u16() });
    }
    let mut statuses = BTreeMap::new();
    for status in attempts.join_all().await {
        *statuses.entry(status).or_insert(0) += 1;
    }
    assert_eq!(statuses, BTreeMap::from([(200, 999), (201, 1)]));
    assert_eq!(handler.called(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thousand_attempts_on_several_threads_are_handled_one_at_a_time() {
    // The first three fail, each while others wait.
    let fail = Act::Sleeps(Duration::from_millis(5), 500);
    let handler = Handler::new([fail, fail, fail]);
    let deliver = DeliveryLayer::new(MemoryStore::new()).with_wait(60 * SECOND);
    let stack = stack(deliver, &handler);
    let body = body();
    let attempts: Vec<_> = (0..1000).map(|_| spawn(&stack, &body)).collect();
    let mut failed = 0;
    for attempt in attempts {
        match attempt.await.unwrap().status().as_u16() {
            200 => {}
            500 => failed += 1,
            other => panic!("{other}"),
        }
    }
    assert_eq!((failed, handler.called(), handler.most()), (3, 4, 1));
}

#[tokio::test(start_paused = true)]
async fn an_attempt_waits_as_long_as_it_is_told_and_no_longer() {
    for wait in [
        Duration::ZERO,
        SECOND,
        Duration::from_secs(5),
        Duration::from_secs(100),
    ] {
        let handler = Handler::new([Act::Hangs]);
        let store = Arc::new(MemoryStore::new());
        let deliver = DeliveryLayer::new(store).with_wait(wait);
        let stack = stack(deliver, &handler);
        let body = body();
        let first = spawn(&stack, &body);
        handler.until_running(1).await;
        let begun = Instant::now();
        let answer = call(&stack, &body).await;
        assert_eq!(answer.status(), 503);
        assert_eq!(kind(&answer), Some(RejectionKind::DeliveryInProgress));
        let waited = begun.elapsed();
        assert!(
            waited >= wait && waited <= wait + Duration::from_millis(10),
            "{waited:?} of {wait:?}"
        );
        first.abort();
    }
}

#[tokio::test(start_paused = true)]
async fn the_default_wait_is_five_seconds_and_the_answer_names_what_is_left_of_the_lease() {
    let handler = Handler::new([Act::Hangs]);
    let stack = stack(DeliveryLayer::new(MemoryStore::new()), &handler);
    let body = body();
    let first = spawn(&stack, &body);
    handler.until_running(1).await;
    let begun = Instant::now();
    let answer = call(&stack, &body).await;
    assert_eq!(begun.elapsed().as_secs(), 5);
    assert_eq!(answer.headers()[RETRY_AFTER], "25");
    first.abort();
}

#[tokio::test(start_paused = true)]
async fn while_an_attempt_waits_it_asks_the_store_some_times_and_not_more() {
    let handler = Handler::new([Act::Hangs]);
    let (store, _, stack) = scripted(&handler);
    let body = body();
    let first = spawn(&stack, &body);
    handler.until_running(1).await;
    let answer = call(&stack, &body).await;
    assert_eq!(answer.status(), 503);
    let claims = store.count(Op::Claim) - 1;
    assert!((10..=20).contains(&claims), "{claims} in 5 seconds");
    first.abort();
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_outlives_its_lease_keeps_the_delivery() {
    let handler = Handler::new([Act::Sleeps(5 * LEASE, 201)]);
    let (store, deliver, _) = scripted(&handler);
    let stack = stack(deliver.with_wait(Duration::ZERO), &handler);
    let body = body();
    let first = spawn(&stack, &body);
    handler.until_running(1).await;
    for _ in 0..149 {
        sleep(SECOND).await;
        let answer = call(&stack, &body).await;
        assert_eq!(answer.status(), 503);
        let left = retry_after(answer.headers());
        assert!((20..=30).contains(&left), "{left}");
    }
    assert_eq!(first.await.unwrap().status(), 201);
    assert_eq!(call(&stack, &body).await.status(), 200);
    assert_eq!((handler.called(), handler.most()), (1, 1));
    let every_third: Vec<u64> = (1..15).map(|third| third * 10).collect();
    assert_eq!(store.seconds(Op::Renew), every_third);
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_is_quick_costs_a_claim_and_a_completion() {
    let handler = Handler::new([]);
    let (store, _, stack) = scripted(&handler);
    let body = body();
    assert_eq!(call(&stack, &body).await.status(), 200);
    let ops = |store: &Scripted| {
        let log = store.log.borrow();
        log.iter().map(|step| step.op).collect::<Vec<_>>()
    };
    assert_eq!(ops(&store), [Op::Claim, Op::Complete]);
    assert_eq!(call(&stack, &body).await.status(), 200);
    assert_eq!(ops(&store), [Op::Claim, Op::Complete, Op::Claim]);
}

#[tokio::test(start_paused = true)]
async fn a_renewal_that_fails_is_tried_again_before_the_lease_ends() {
    let fails = |kind| [Fault::Fails(kind), Fault::FailsLate(kind)];
    for fault in [StoreErrorKind::Unavailable, StoreErrorKind::Timeout]
        .into_iter()
        .flat_map(fails)
    {
        let handler = Handler::new([Act::Sleeps(2 * LEASE, 201)]);
        let (store, _, stack) = scripted(&handler);
        store.fault(Op::Renew, fault);
        let body = body();
        let first = spawn(&stack, &body);
        sleep(LEASE + SECOND).await;
        let answer = call(&stack, &body).await;
        assert_eq!(answer.status(), 503, "{fault:?}");
        assert_eq!(first.await.unwrap().status(), 201);
        assert_eq!(handler.called(), 1);
        assert_eq!(store.seconds(Op::Renew), [10, 20, 30, 40, 50]);
        assert_eq!(store.steps(Op::Complete)[0].said, "true");
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_slow_to_renew_does_not_hold_the_handler_up() {
    for (fault, renewals) in [
        (Fault::Slow(Duration::from_secs(5)), vec![10, 25]),
        (Fault::Hangs, vec![10]),
    ] {
        let handler = Handler::new([Act::Sleeps(Duration::from_secs(29), 201)]);
        let (store, _, stack) = scripted(&handler);
        store.fault(Op::Renew, fault);
        let begun = Instant::now();
        assert_eq!(call(&stack, &body()).await.status(), 201);
        assert_eq!(begun.elapsed().as_secs(), 29, "{fault:?}");
        assert_eq!(store.seconds(Op::Renew), renewals);
    }
}

#[tokio::test(start_paused = true)]
async fn a_claim_that_another_has_taken_is_left_to_it() {
    let handler = Handler::new([Act::Sleeps(3 * LEASE, 201), Act::Waits(202)]);
    let (store, _, stack) = scripted(&handler);
    let body = body();
    let first = spawn(&stack, &body);
    handler.until_running(1).await;
    // An operator forgets it, and it is sent again: another has it then.
    let key = key_of(&body);
    assert!(store.memory.forget(key).await.unwrap());
    let second = spawn(&stack, &body);
    handler.until_running(2).await;
    assert_eq!(first.await.unwrap().status(), 201);
    assert_eq!(store.steps(Op::Complete)[0].said, "false");
    let renewals = store.steps(Op::Renew);
    let lost = renewals.iter().filter(|step| step.said == "false").count();
    assert_eq!(lost, 1, "it does not ask again: {renewals:?}");
    assert_eq!(store.memory.in_progress(), 1, "the other's claim is there");
    handler.let_go();
    assert_eq!(second.await.unwrap().status(), 202);
    assert_eq!(store.steps(Op::Complete)[1].said, "true");
    assert_eq!(call(&stack, &body).await.status(), 200);
    assert_eq!(handler.called(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_claim_that_the_store_forgot_is_taken_again_at_the_next_renewal() {
    let handler = Handler::new([Act::Sleeps(LEASE, 201)]);
    let (store, deliver, _) = scripted(&handler);
    let stack = stack(deliver.with_wait(Duration::ZERO), &handler);
    let body = body();
    let first = spawn(&stack, &body);
    sleep(SECOND).await;
    assert!(store.memory.forget(key_of(&body)).await.unwrap());
    sleep(Duration::from_secs(10)).await;
    assert_eq!(call(&stack, &body).await.status(), 503);
    assert_eq!(first.await.unwrap().status(), 201);
    assert_eq!(handler.called(), 1);
}

fn key_of(body: &Bytes) -> DeliveryKey {
    let (head, body) = signed(body.clone()).into_parts();
    let verifier = github().with_endpoint("hook");
    let head = tower_webhook::verify::Head::of(&head);
    let event = verifier.verify(&head, body, support::at(0)).unwrap();
    event.delivery_key_at("/hook")
}

#[tokio::test(start_paused = true)]
async fn b_5_a_timeout_outside_answers_and_stops_nothing() {
    let handler = Handler::new([Act::Waits(201)]);
    let store = Scripted::new();
    let layers = Layers::new(DeliveryLayer::new(Store(Arc::clone(&store))), &handler);
    let inner = handler.clone();
    let service = ServiceBuilder::new()
        .layer(TimeoutLayer::with_status_code(
            StatusCode::GATEWAY_TIMEOUT,
            SECOND,
        ))
        .layer(layers.verify)
        .layer(layers.deliver)
        .service_fn(move |request| on_request(inner.clone(), request));
    let body = body();
    for (expected, lets_go) in [(504, false), (504, true), (200, false)] {
        let request = signed(body.clone()).map(Full::new);
        let answer = service.clone().oneshot(request).await.unwrap();
        assert_eq!(answer.status(), expected);
        if lets_go {
            handler.let_go();
            handler.until_running(0).await;
        }
    }
    assert_eq!((handler.called(), store.count(Op::Complete)), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn an_error_of_the_service_inside_passes_through_and_the_next_attempt_is_handled() {
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let service = ServiceBuilder::new()
        .layer(WebhookVerifyLayer::new(github().with_endpoint("hook")))
        .layer(DeliveryLayer::new(MemoryStore::new()))
        .service_fn(move |_: Request<Full<Bytes>>| {
            let first = counted.fetch_add(1, Ordering::SeqCst) == 0;
            ready(if first {
                Err("inner error")
            } else {
                Ok(Answer::default())
            })
        });
    let body = body();
    let attempt = || service.clone().oneshot(signed(body.clone()).map(Full::new));
    assert_eq!(attempt().await.unwrap_err(), "inner error");
    assert_eq!(attempt().await.unwrap().status(), 200);
    assert_eq!(attempt().await.unwrap().status(), 200);
    assert_eq!(calls.load(Ordering::SeqCst), 2);
}

/// A future that a test polls by hand, and drops where it likes.
struct ByHand<F>(Pin<Box<F>>);

impl<F: Future> ByHand<F> {
    fn new(future: F) -> Self {
        Self(Box::pin(future))
    }

    fn poll(&mut self) -> Poll<F::Output> {
        self.0
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()))
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_dropped_before_its_handler_begins_leaves_no_claim() {
    let handler = Handler::new([]);
    let (store, _, stack) = scripted(&handler);
    store.fault(Op::Claim, Fault::Hangs);
    let body = body();
    let mut attempt = ByHand::new({
        let (stack, body) = (stack.clone(), body.clone());
        async move { call(&stack, &body).await }
    });
    assert!(attempt.poll().is_pending());
    drop(attempt);
    tokio::task::yield_now().await;
    assert_eq!(store.count(Op::Release), 1);
    assert_eq!((store.memory.in_progress(), handler.called()), (0, 0));
    assert_eq!(call(&stack, &body).await.status(), 200);
    assert_eq!(handler.called(), 1);
}

/// The handler is running, or the store is being told.
#[tokio::test(start_paused = true)]
async fn b_5_wherever_a_request_is_dropped_after_that_its_handler_is_run_to_the_end() {
    for (act, slow, released) in [
        (Act::Sleeps(LEASE, 200), Op::Renew, 0),
        (Act::Answers(200), Op::Complete, 0),
        (Act::Answers(500), Op::Release, 1),
        (Act::Panics, Op::Release, 1),
    ] {
        for waited in [Duration::ZERO, SECOND / 2, 12 * SECOND] {
            let handler = Handler::new([act]);
            let (store, deliver, stack) = scripted(&handler);
            store.fault(slow, Fault::Slow(SECOND));
            let body = body();
            let attempt = spawn(&stack, &body);
            sleep(waited + SECOND / 1000).await;
            attempt.abort();
            let _ = attempt.await;
            assert_eq!(deliver.drain(2 * LEASE).await, 0);
            let ended = (store.memory.completed(), store.count(Op::Release));
            assert_eq!(ended, (1 - released, released), "{act:?} {waited:?}");
            assert_eq!(store.memory.in_progress(), 0);
            assert_eq!(call(&stack, &body).await.status(), 200);
            assert_eq!(handler.called(), 1 + released, "{act:?} {waited:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_is_dropped_while_it_waits_leaves_the_first_alone() {
    let handler = Handler::new([Act::Waits(201)]);
    let (store, _, stack) = scripted(&handler);
    let body = body();
    let first = spawn(&stack, &body);
    handler.until_running(1).await;
    let second = spawn(&stack, &body);
    store.until(Op::Claim, "Claimed(InProgress", 3).await;
    second.abort();
    assert!(second.await.unwrap_err().is_cancelled());
    assert_eq!(store.memory.in_progress(), 1);
    assert!(
        store
            .steps(Op::Release)
            .iter()
            .all(|step| step.said == "false")
    );
    handler.let_go();
    assert_eq!(first.await.unwrap().status(), 201);
    assert_eq!(handler.called(), 1);
}

#[test]
fn a_request_that_outlives_its_runtime_frees_its_claim() {
    let handler = Handler::new([Act::Hangs]);
    let store = Arc::new(MemoryStore::new());
    let stack = stack(DeliveryLayer::new(Arc::clone(&store)), &handler);
    let body = body();
    let runtime = || {
        tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap()
    };
    // Dropped with the runtime that runs it.
    let first = runtime();
    {
        let _inside = first.enter();
        drop(spawn(&stack, &body));
    }
    first.block_on(handler.until_running(1));
    assert_eq!(store.in_progress(), 1);
    drop(first);
    assert_eq!(store.in_progress(), 0);
    // Its task ends with the runtime, and the request is told so elsewhere.
    let mut attempt = ByHand::new({
        let (stack, body) = (stack.clone(), body.clone());
        async move { call(&stack, &body).await }
    });
    let second = runtime();
    {
        let _inside = second.enter();
        assert!(attempt.poll().is_pending());
    }
    assert_eq!(store.in_progress(), 1);
    drop(second);
    assert_eq!(store.in_progress(), 0);
    let Poll::Ready(answer) = attempt.poll() else {
        panic!("it is answered");
    };
    assert_eq!(kind(&answer), Some(RejectionKind::HandlerAborted));
    assert_eq!(handler.called(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_delivery_is_remembered_from_its_completion_for_its_lifetime() {
    let day = 24 * 60 * 60 * SECOND;
    let verifier = |provider: Provider| {
        let verifier = Verifier::new(provider, Secret::new(GITHUB_SECRET)).unwrap();
        verifier.with_endpoint("hook")
    };
    let github = || providers::github();
    // Stripe's time is signed, so a longer window makes a longer lifetime.
    let stripe = |tolerance: Duration| verifier(providers::stripe()).with_tolerance(tolerance);
    let layer = || DeliveryLayer::new(MemoryStore::new());
    for (what, verifier, deliver, lifetime) in [
        ("no horizon", verifier(github()), layer(), 3 * day),
        ("Authenteq's", verifier(authenteq()), layer(), 7 * day),
        (
            "a horizon",
            verifier(github().with_retry_horizon(2 * day)),
            layer(),
            2 * day,
        ),
        ("a narrow window", stripe(300 * SECOND), layer(), 3 * day),
        ("a wide window", stripe(2 * day), layer(), 4 * day),
        (
            "one that is set",
            verifier(github()),
            layer().with_lifetime(60 * SECOND),
            60 * SECOND,
        ),
        (
            "one that is set below the window",
            stripe(2 * day),
            layer().with_lifetime(60 * SECOND),
            4 * day,
        ),
    ] {
        let signer = Signer::new(verifier.provider().clone(), Secret::new(GITHUB_SECRET)).unwrap();
        let request = signer.with_time(support::at(1_700_000_000));
        let request = request
            .sign(Request::post("/"), body())
            .unwrap()
            .map(Full::new);
        // It is not the attempt that counts, but when it was done.
        let handler = Handler::new([Act::Sleeps(100 * SECOND, 200)]);
        let inner = handler.clone();
        let verify = WebhookVerifyLayer::new(verifier).with_clock(|| support::at(1_700_000_000));
        let service = ServiceBuilder::new()
            .layer(verify)
            .layer(deliver)
            .service_fn(move |request| on_request(inner.clone(), request));
        let attempt = async || {
            let answer = service.clone().oneshot(request.clone()).await.unwrap();
            assert_eq!(answer.status(), 200, "{what}");
            handler.called()
        };
        assert_eq!(attempt().await, 1);
        sleep(lifetime - SECOND).await;
        assert_eq!(attempt().await, 1, "{what}");
        sleep(2 * SECOND).await;
        assert_eq!(attempt().await, 2, "{what}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_deliveries_drops_the_oldest_and_no_claim() {
    let handler = Handler::new([Act::Waits(201), Act::Waits(201)]);
    let store = MemoryStore::new()
        .with_max_completed(100)
        .with_max_in_progress(3);
    let store = Arc::new(store);
    let stack = stack(DeliveryLayer::new(Arc::clone(&store)), &handler);
    let held: Vec<_> = (0..2).map(|_| body()).collect();
    let first: Vec<_> = held.iter().map(|body| spawn(&stack, body)).collect();
    handler.until_running(2).await;

    let flood: Vec<_> = (0..1000).map(|_| body()).collect();
    for body in &flood {
        assert_eq!(call(&stack, body).await.status(), 200);
    }
    assert_eq!((store.completed(), store.evicted()), (100, 900));
    assert_eq!(store.in_progress(), 2);
    // One more at a time finds room, two do not.
    let third = body();
    handler.0.acts.lock().unwrap().push_back(Act::Waits(202));
    let third = spawn(&stack, &third);
    handler.until_running(3).await;
    let refused = call(&stack, &body()).await;
    assert_eq!(kind(&refused), Some(RejectionKind::DeliveryStoreFull));
    assert_eq!(
        (refused.status(), &refused.headers()[RETRY_AFTER]),
        (StatusCode::SERVICE_UNAVAILABLE, &"5".parse().unwrap())
    );
    // What is done is known all the same.
    let before = handler.called();
    assert_eq!(call(&stack, &flood[999]).await.status(), 200);
    assert_eq!(handler.called(), before);

    (0..3).for_each(|_| handler.let_go());
    for first in first {
        assert_eq!(first.await.unwrap().status(), 201);
    }
    assert_eq!(third.await.unwrap().status(), 202);
    for body in &held {
        assert_eq!(call(&stack, body).await.status(), 200);
    }
    assert_eq!(handler.called(), before);
    // The oldest of the flood has been forgotten, and is handled again.
    assert_eq!(call(&stack, &flood[0]).await.status(), 200);
    assert_eq!(handler.called(), before + 1);
}

#[tokio::test(start_paused = true)]
async fn a_handler_may_use_the_store_that_holds_its_claim() {
    // Nothing is locked while it runs.
    let store = Arc::new(MemoryStore::new());
    let inside = Arc::clone(&store);
    let service = ServiceBuilder::new()
        .layer(WebhookVerifyLayer::new(github().with_endpoint("hook")))
        .layer(DeliveryLayer::new(Arc::clone(&store)))
        .service_fn(move |request: Request<Full<Bytes>>| {
            let store = Arc::clone(&inside);
            async move {
                let event = request.extensions().get::<VerifiedEvent>().unwrap();
                let key = event.delivery_key();
                assert_eq!((store.in_progress(), store.completed()), (1, 0));
                let claim = store.claim(key, Owner::unique(), LEASE).await.unwrap();
                assert!(matches!(claim, Claim::InProgress { .. }));
                tokio::task::yield_now().await;
                assert!(store.forget(key).await.unwrap());
                Ok::<_, Infallible>(Answer::default())
            }
        });
    let answer = service
        .oneshot(signed(body()).map(Full::new))
        .await
        .unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!((store.in_progress(), store.completed()), (0, 1));
}

#[test]
fn futures_can_be_sent_and_layers_shared() {
    fn sent<T: Send>(value: T) -> T {
        value
    }
    fn shared<T: Clone + Send + Sync + 'static>(_: &T) {}
    let deliver = DeliveryLayer::new(MemoryStore::new());
    shared(&deliver);
    let mut service = ServiceBuilder::new()
        .layer(deliver)
        .service_fn(support::accept::<Full<Bytes>>);
    shared(&service);
    let mut answer = ByHand::new(sent(service.call(support::unsigned("x"))));
    let Poll::Ready(Ok(answer)) = answer.poll() else {
        panic!("it is refused at once");
    };
    assert_eq!(kind(&answer), Some(RejectionKind::LayerMissing));
}

// --- Readiness ---

/// A service that has to be polled ready before each call, and whose clones begin unready.
#[derive(Debug, Default)]
struct Strict {
    ready: bool,
    id: usize,
    clones: Arc<AtomicUsize>,
}

impl Clone for Strict {
    fn clone(&self) -> Self {
        Self {
            ready: false,
            id: self.clones.fetch_add(1, Ordering::SeqCst) + 1,
            clones: Arc::clone(&self.clones),
        }
    }
}

impl Service<Request<Full<Bytes>>> for Strict {
    type Response = Answer;
    type Error = Infallible;
    type Future = std::future::Ready<Result<Answer, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.ready = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<Full<Bytes>>) -> Self::Future {
        assert!(self.ready, "service {} was not ready", self.id);
        self.ready = false;
        let mut answer = Answer::default();
        answer.extensions_mut().insert(self.id);
        ready(Ok(answer))
    }
}

fn layers(store: impl DeliveryStore + 'static) -> (WebhookVerifyLayer, DeliveryLayer) {
    let verify = WebhookVerifyLayer::new(github().with_endpoint("hook"));
    (verify, DeliveryLayer::new(store))
}

#[tokio::test]
async fn the_service_that_was_ready_is_the_one_that_is_called() {
    let mut service = ServiceBuilder::new()
        .layer(layers(MemoryStore::new()))
        .service(Strict::default());
    let mut called = HashSet::new();
    for _ in 0..3 {
        let request = signed(body()).map(Full::new);
        let answer = service.ready().await.unwrap().call(request).await.unwrap();
        assert_eq!(answer.status(), 200);
        called.insert(*answer.extensions().get::<usize>().unwrap());
    }
    assert_eq!(called.len(), 3, "each call takes the ready one");
}

#[tokio::test]
async fn a_duplicate_does_not_reach_the_mock_and_waits_for_its_readiness() {
    type Handle = tower_test::mock::Handle<Request<Full<Bytes>>, Answer>;
    let layers = ServiceBuilder::new().layer(layers(MemoryStore::new()));
    let (mut service, mut handle): (_, Handle) = tower_test::mock::spawn_layer(layers);
    handle.allow(0);
    assert!(service.poll_ready().is_pending());
    handle.allow(1);
    assert!(service.poll_ready().is_ready());
    let body = body();
    let request = || signed(body.clone()).map(Full::new);
    let mut first = ByHand::new(service.call(request()));
    assert!(first.poll().is_pending());
    let (_, respond) = handle.next_request().await.unwrap();
    respond.send_response(Answer::default());
    let answer = first.0.await.unwrap();
    assert_eq!(answer.status(), 200);
    handle.allow(1);
    assert!(service.poll_ready().is_ready());
    let Poll::Ready(Ok(answer)) = ByHand::new(service.call(request())).poll() else {
        panic!("it is answered at once");
    };
    assert_eq!(answer.status(), 200);
    assert!(matches!(
        ByHand::new(handle.next_request()).poll(),
        Poll::Pending
    ));
}

#[tokio::test(start_paused = true)]
async fn a_concurrency_limit_inside_neither_panics_nor_locks_up() {
    for limit in [1, 2] {
        let handler = Handler::new([Act::Sleeps(SECOND, 500), Act::Sleeps(SECOND, 201)]);
        let inner = handler.clone();
        let service = ServiceBuilder::new()
            .layer(layers(MemoryStore::new()))
            .layer(ConcurrencyLimitLayer::new(limit))
            .service_fn(move |request| on_request(inner.clone(), request));
        let body = body();
        let mut attempts = JoinSet::new();
        for _ in 0..20 {
            attempts.spawn(service.clone().oneshot(signed(body.clone()).map(Full::new)));
        }
        let answers = attempts.join_all().await.into_iter();
        let mut statuses: Vec<_> = answers
            .map(|answer| answer.unwrap().status().as_u16())
            .collect();
        statuses.sort_unstable();
        assert_eq!(statuses[..18], [200; 18]);
        assert_eq!(statuses[18..], [201, 500]);
        assert_eq!((handler.called(), handler.most()), (2, 1));
    }
}

// --- What operators see ---

/// Counters by name and labels.
#[derive(Clone, Default)]
struct Counters(Arc<Mutex<BTreeMap<String, Arc<AtomicU64>>>>);

struct Count(Arc<AtomicU64>);

impl CounterFn for Count {
    fn increment(&self, value: u64) {
        self.0.fetch_add(value, Ordering::SeqCst);
    }

    fn absolute(&self, value: u64) {
        self.0.store(value, Ordering::SeqCst);
    }
}

impl Recorder for Counters {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        let labels = key.labels();
        let labels = labels.map(|label| format!("{}={}", label.key(), label.value()));
        let name = format!("{} {}", key.name(), labels.collect::<Vec<_>>().join(" "));
        let mut counters = self.0.lock().unwrap();
        Counter::from_arc(Arc::new(Count(Arc::clone(
            counters.entry(name).or_default(),
        ))))
    }

    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::noop()
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}

/// Sees what this thread says for as long as it lives.
struct Operator {
    log: support::Lines,
    counters: Counters,
    _log: tracing::subscriber::DefaultGuard,
    _recorder: metrics::LocalRecorderGuard<'static>,
}

impl Operator {
    fn watch() -> Self {
        support::listen_to_everything();
        let log = support::Lines::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_ansi(false)
            .without_time()
            .with_writer(move || writer.clone())
            .finish();
        let counters: &'static Counters = Box::leak(Box::default());
        Self {
            log,
            counters: counters.clone(),
            _log: tracing::subscriber::set_default(subscriber),
            _recorder: metrics::set_default_local_recorder(counters),
        }
    }

    /// The lines since the last call.
    fn lines(&self) -> Vec<String> {
        let text = self.log.take();
        text.lines().map(str::to_owned).collect()
    }

    fn deliveries(&self) -> BTreeMap<String, u64> {
        let counters = self.counters.0.lock().unwrap();
        let deliveries = counters.iter().filter_map(|(name, count)| {
            let labels = name.strip_prefix("webhook_deliveries_total ")?;
            Some((labels.to_owned(), count.load(Ordering::SeqCst)))
        });
        deliveries.collect()
    }
}

type Told = Arc<Mutex<Vec<(DeliveryKey, DeliveryOutcome)>>>;

/// The store, a stack on it, and what its hook is told.
fn told(handler: &Handler, policy: OnOutage) -> (Arc<Scripted>, Stack, Told) {
    let store = Scripted::new();
    let told = Told::default();
    let hook = Arc::clone(&told);
    let deliver = DeliveryLayer::new(Store(Arc::clone(&store)))
        .with_on_outage(policy)
        .with_on_delivery(move |event, outcome| {
            hook.lock().unwrap().push((event.delivery_key(), outcome));
        });
    let stack = stack(deliver, handler);
    (store, stack, told)
}

/// What the handler does, what the store does once, the policy, the outcomes in order, the level of the last line.
type Story<'s> = (
    &'s [Act],
    Option<(Op, Fault)>,
    OnOutage,
    &'s [DeliveryOutcome],
    &'s str,
);

/// Each outcome, at the end of a story of its own.
#[tokio::test(start_paused = true)]
async fn every_outcome_is_told_to_hook_log_and_counter() {
    use DeliveryOutcome::{CompleteFailed, Done, InProgress, New, Outage, Released, Waited};
    let fails = |kind| Some((Op::Complete, Fault::Fails(kind)));
    let away = Some((Op::Claim, Fault::Fails(StoreErrorKind::Unavailable)));
    let lost = Some((Op::Complete, Fault::Lost));
    let unreleased = Some((Op::Release, Fault::Fails(StoreErrorKind::Timeout)));
    let (answers, lasts) = (Act::Answers, |status| Act::Sleeps(SECOND, status));
    let rows: [Story<'_>; 12] = [
        (&[answers(200)], None, OnOutage::Refuse, &[New], "DEBUG"),
        (
            &[answers(200)],
            None,
            OnOutage::Refuse,
            &[New, Done],
            "INFO",
        ),
        (
            &[lasts(200)],
            None,
            OnOutage::Refuse,
            &[New, Waited],
            "INFO",
        ),
        (
            &[Act::Sleeps(9 * SECOND, 200)],
            None,
            OnOutage::Refuse,
            &[InProgress, New],
            "DEBUG",
        ),
        (
            &[lasts(500)],
            None,
            OnOutage::Refuse,
            &[Released, New],
            "DEBUG",
        ),
        (&[answers(500)], None, OnOutage::Refuse, &[Released], "WARN"),
        (
            &[answers(404)],
            unreleased,
            OnOutage::Refuse,
            &[Released],
            "WARN",
        ),
        (&[], away, OnOutage::Refuse, &[Outage], "ERROR"),
        (&[answers(200)], away, OnOutage::Allow, &[Outage], "ERROR"),
        (
            &[answers(200)],
            fails(StoreErrorKind::Timeout),
            OnOutage::Refuse,
            &[CompleteFailed],
            "ERROR",
        ),
        (
            &[answers(200)],
            fails(StoreErrorKind::Full),
            OnOutage::Allow,
            &[CompleteFailed],
            "ERROR",
        ),
        (
            &[answers(200)],
            lost,
            OnOutage::Refuse,
            &[CompleteFailed],
            "ERROR",
        ),
    ];
    for (acts, fault, policy, outcomes, level) in rows {
        let operator = Operator::watch();
        let handler = Handler::new(acts.iter().copied());
        let (store, stack, told) = told(&handler, policy);
        if let Some((op, fault)) = fault {
            store.fault(op, fault);
        }
        let body = body();
        let first = ByHand::new(call(&stack, &body));
        // The second begins when the first is waiting or over.
        let second = async {
            sleep(Duration::from_millis(1)).await;
            if outcomes.len() > 1 {
                call(&stack, &body).await;
            }
        };
        tokio::join!(first.0, second);

        let key = key_of(&body);
        let expected: Vec<_> = outcomes.iter().map(|outcome| (key, *outcome)).collect();
        assert_eq!(*told.lock().unwrap(), expected, "{acts:?} {fault:?}");

        let lines = operator.lines();
        let said = lines.iter().filter(|line| line.contains(": delivery "));
        let said: Vec<_> = said.collect();
        assert_eq!(said.len(), outcomes.len(), "{lines:#?}");
        for (line, outcome) in said.iter().zip(outcomes) {
            assert!(line.contains(&format!("outcome=\"{outcome}\"")), "{line}");
            assert!(
                line.contains(r#"provider="github" endpoint="hook""#),
                "{line}"
            );
            // Once as a field of the line, once in the span.
            let field = format!("delivery_key={key}");
            assert_eq!(line.matches(&field).count(), 2, "{line}");
            assert!(line.contains("webhook{"), "{line}");
        }
        let last = said.last().unwrap();
        assert!(last.trim_start().starts_with(level), "{last}");
        let errors = fault.is_some_and(|(_, fault)| matches!(fault, Fault::Fails(_)));
        assert_eq!(last.contains("the store is away"), errors, "{last}");
        for line in &lines {
            let (content, secret) = ("secret content", GITHUB_SECRET);
            assert!(!line.contains(content) && !line.contains(secret), "{line}");
        }

        let mut counted = BTreeMap::new();
        for outcome in outcomes {
            let labels = format!("provider=github endpoint=hook outcome={outcome}");
            *counted.entry(labels).or_insert(0) += 1;
        }
        assert_eq!(operator.deliveries(), counted);
    }
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_is_cut_off_is_told_as_released() {
    let operator = Operator::watch();
    for act in [Act::Panics, Act::Answers(500)] {
        let handler = Handler::new([act]);
        let (store, stack, told) = told(&handler, OnOutage::Refuse);
        store.fault(Op::Release, Fault::Slow(SECOND / 2));
        let body = body();
        let attempt = spawn(&stack, &body);
        sleep(SECOND / 4).await;
        attempt.abort();
        assert!(attempt.await.is_err());
        sleep(SECOND).await;
        let expected = [(key_of(&body), DeliveryOutcome::Released)];
        assert_eq!(*told.lock().unwrap(), expected, "{act:?}");
    }
    let counted = operator.deliveries();
    assert_eq!(counted.values().sum::<u64>(), 2, "{counted:?}");
}

/// A second panic while the first one unwinds would end the process.
#[tokio::test(start_paused = true)]
async fn a_hook_that_panics_after_the_handler_did_does_no_more_harm() {
    let handler = Handler::new([Act::Panics]);
    let store = Arc::new(MemoryStore::new());
    let deliver = DeliveryLayer::new(Arc::clone(&store)).with_on_delivery(|_, outcome| {
        assert_ne!(outcome, DeliveryOutcome::Released, "the hook panics, too");
    });
    let stack = stack(deliver, &handler);
    let body = body();
    assert!(spawn(&stack, &body).await.unwrap_err().is_panic());
    sleep(SECOND).await;
    assert_eq!(store.in_progress(), 0);
    assert_eq!(call(&stack, &body).await.status(), 200);
    assert_eq!(handler.called(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_is_cut_off_before_it_is_handled_is_no_outcome() {
    let handler = Handler::new([Act::Waits(200)]);
    let (store, stack, told) = told(&handler, OnOutage::Refuse);
    let body = body();
    let first = spawn(&stack, &body);
    handler.until_running(1).await;
    let waiting = spawn(&stack, &body);
    store.until(Op::Claim, "Claimed(InProgress", 1).await;
    waiting.abort();
    assert!(waiting.await.is_err());
    store.fault(Op::Claim, Fault::Slow(SECOND));
    let asking = spawn(&stack, &body);
    tokio::task::yield_now().await;
    asking.abort();
    assert!(asking.await.is_err());
    assert_eq!(*told.lock().unwrap(), []);
    handler.let_go();
    first.await.unwrap();
    let expected = [(key_of(&body), DeliveryOutcome::New)];
    assert_eq!(*told.lock().unwrap(), expected);
}

#[tokio::test(start_paused = true)]
async fn a_completion_that_nobody_waits_for_is_told_when_it_is_done() {
    for (fault, expected) in [
        (Fault::Slow(SECOND), DeliveryOutcome::New),
        (
            Fault::Fails(StoreErrorKind::Timeout),
            DeliveryOutcome::CompleteFailed,
        ),
        (Fault::Lost, DeliveryOutcome::CompleteFailed),
    ] {
        let handler = Handler::new([Act::Sleeps(SECOND, 200)]);
        let (store, stack, told) = told(&handler, OnOutage::Refuse);
        store.fault(Op::Complete, fault);
        let body = body();
        let attempt = spawn(&stack, &body);
        handler.until_running(1).await;
        attempt.abort();
        assert!(attempt.await.is_err());
        sleep(3 * SECOND).await;
        let expected = [(key_of(&body), expected)];
        assert_eq!(*told.lock().unwrap(), expected, "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_renewal_that_fails_and_a_claim_that_is_lost_are_told() {
    let operator = Operator::watch();
    let handler = Handler::new([Act::Sleeps(LEASE, 200)]);
    let (store, _, stack) = scripted(&handler);
    store.fault(Op::Renew, Fault::Fails(StoreErrorKind::Unavailable));
    store.fault(Op::Renew, Fault::Lost);
    let body = body();
    assert_eq!(call(&stack, &body).await.status(), 200);
    let lines = operator.lines();
    let key = format!("delivery_key={}", key_of(&body));
    for said in [
        "could not be renewed; it will be tried again",
        "and another request handles it",
    ] {
        let mut line = lines.iter().filter(|line| line.contains(said));
        let line = line.next().unwrap_or_else(|| panic!("{said}: {lines:#?}"));
        assert!(line.trim_start().starts_with("WARN"), "{line}");
        assert!(line.matches(&key).count() == 2, "{line}");
    }
    assert_eq!(store.count(Op::Renew), 2);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_told_once_with_its_reason() {
    let operator = Operator::watch();
    let handler = Handler::new([]);
    for (store_kind, expected) in [
        (
            StoreErrorKind::Unavailable,
            RejectionKind::DeliveryStoreFailed,
        ),
        (StoreErrorKind::Timeout, RejectionKind::DeliveryStoreTimeout),
        (StoreErrorKind::Full, RejectionKind::DeliveryStoreFull),
    ] {
        let (store, _, stack) = scripted(&handler);
        store.fault(Op::Claim, Fault::Fails(store_kind));
        let answer = call(&stack, &body()).await;
        assert_eq!(kind(&answer), Some(expected));
        assert_eq!(refusal(&answer).unwrap().endpoint(), Some("hook"));
        let name = format!("kind=\"{expected}\"");
        let lines = operator.lines();
        let said = lines.iter().filter(|line| line.contains("webhook refused"));
        assert_eq!(
            said.filter(|line| line.contains(&name)).count(),
            1,
            "{lines:#?}"
        );
        let counters = operator.counters.0.lock().unwrap();
        let name = format!("webhook_refused_total provider=github endpoint=hook kind={expected}");
        assert_eq!(counters[&name].load(Ordering::SeqCst), 1);
    }
    assert_eq!(handler.called(), 0);
}

#[tokio::test]
async fn the_log_says_how_to_mend_a_missing_layer_and_a_wrong_order() {
    let operator = Operator::watch();
    for wrong_side in [false, true] {
        let verify = WebhookVerifyLayer::new(github().with_endpoint("hook"));
        let service = ServiceBuilder::new()
            .layer(DeliveryLayer::new(MemoryStore::new()))
            .option_layer(wrong_side.then_some(verify))
            .service_fn(support::accept::<Full<Bytes>>);
        let answer = service
            .oneshot(signed(body()).map(Full::new))
            .await
            .unwrap();
        assert_eq!(answer.status(), 500);
        assert_eq!(kind(&answer), Some(RejectionKind::LayerMissing));
        let lines = operator.lines();
        let line = lines
            .iter()
            .find(|line| line.contains("webhook refused"))
            .unwrap();
        assert!(line.trim_start().starts_with("ERROR"), "{line}");
        assert!(line.contains("WebhookVerifyLayer"), "{line}");
        assert!(
            line.contains("has to be around the DeliveryLayer"),
            "{line}"
        );
    }
}

/// Two layers with one store: the outer one counts, and the inner one stands aside and says so once.
#[tokio::test]
async fn a_delivery_that_passes_through_two_layers_is_claimed_once() {
    let operator = Operator::watch();
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let layer = DeliveryLayer::new(MemoryStore::new());
    let service = ServiceBuilder::new()
        .layer(WebhookVerifyLayer::new(github()))
        .layer(layer.clone())
        .layer(layer)
        .service_fn(move |_: Request<Full<Bytes>>| {
            counted.fetch_add(1, Ordering::SeqCst);
            async { Ok::<_, Infallible>(http::Response::new(Full::<Bytes>::default())) }
        });
    for _ in 0..3 {
        let request = signed("{}").map(Full::new);
        let response = service.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), 200);
    }
    assert_eq!(calls.load(Ordering::SeqCst), 1);
    let lines = operator.lines();
    let told = lines
        .iter()
        .filter(|line| line.contains("two delivery layers"));
    assert_eq!(told.count(), 1, "{lines:#?}");
}
#[tokio::test]
async fn a_delivery_that_passes_through_two_layers_of_actix_is_claimed_once() {
    use actix_web::{App, HttpResponse, test, web};

    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let layer = DeliveryLayer::new(MemoryStore::new());
    let handler = move || {
        counted.fetch_add(1, Ordering::SeqCst);
        async { HttpResponse::Ok().finish() }
    };
    let route = web::post()
        .to(handler)
        .wrap(layer.clone())
        .wrap(layer)
        .wrap(WebhookVerifyLayer::new(github()));
    let app = test::init_service(App::new().route("/hook", route)).await;
    let signed = signed("{}");
    for _ in 0..2 {
        let mut request = test::TestRequest::post().uri("/hook");
        for (name, value) in signed.headers() {
            request = request.append_header((name.as_str(), value.as_bytes()));
        }
        let request = request.set_payload(signed.body().clone()).to_request();
        assert_eq!(test::call_service(&app, request).await.status(), 200);
    }
    assert_eq!(calls.load(Ordering::SeqCst), 1);
}
