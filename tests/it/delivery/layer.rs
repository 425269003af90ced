//! The delivery layer: each delivery is handled once and none is lost, on Tower, axum and
//! actix-web, whatever handlers, clients and stores do.

mod clock;
mod operators;
mod readiness;

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
use support::{Answer, GITHUB_SECRET, PATIENCE, authenteq, github, kind, refusal, signed};
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
        Claim, DeliveryKey, DeliveryLayer, DeliveryOutcome, DeliveryStore, MemoryStore,
        OutagePolicy, Owner, StoreError, StoreErrorKind, StoreFuture,
    },
    providers,
};

use super::stack::{Stack, call, spawn};

const SECOND: Duration = Duration::from_secs(1);
const LEASE: Duration = Duration::from_secs(30);

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
        Self(Claim::in_progress(LEASE))
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
        Err(rejection) => return Ok(rejection.to_response().map(|()| Default::default())),
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

fn authenteq_request() -> Request<Bytes> {
    let signer = Signer::new(authenteq(), Secret::new(GITHUB_SECRET)).unwrap();
    signer.sign(Request::post("/hook"), body()).unwrap()
}

fn stack(deliver: DeliveryLayer, handler: &Handler) -> Stack {
    let layers = Layers::new(deliver, handler);
    let handler = handler.clone();
    let service = ServiceBuilder::new()
        .layer(layers.verify)
        .layer(layers.deliver)
        .service_fn(move |request| on_request(handler.clone(), request));
    BoxCloneSyncService::new(service.map_err(BoxError::from))
}

fn scripted(handler: &Handler) -> (Arc<Scripted>, DeliveryLayer, Stack) {
    let store = Scripted::new();
    let deliver = DeliveryLayer::new(Store(Arc::clone(&store)));
    let stack = stack(deliver.clone(), handler);
    (store, deliver, stack)
}

fn key_of(body: &Bytes) -> DeliveryKey {
    let (head, body) = signed(body.clone()).into_parts();
    let verifier = github().with_endpoint("hook");
    let head = tower_webhook::verify::Head::from(&head);
    let event = verifier.verify(&head, body, support::at(0)).unwrap();
    event.delivery_key_at("/hook")
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

/// axum drops a handler whose client hangs up, and so does actix-web with
/// `h1_allow_half_closed(false)`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_handler_goes_on_without_its_client_and_no_other_runs_beside_it() {
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
        for policy in [OutagePolicy::Refuse, OutagePolicy::Allow] {
            let handler = Handler::new([]);
            let store = Scripted::new();
            let deliver = DeliveryLayer::new(Store(Arc::clone(&store))).with_outage_policy(policy);
            let url = host.serve(Layers::new(deliver, &handler)).await;
            let request = signed(body());
            for kind in [Unavailable, Timeout, Full] {
                // Either way the claim may have been made, and must not be in the way of the next
                // attempt.
                for fault in [Fault::Fails(kind), Fault::FailsLate(kind)] {
                    let before = handler.called();
                    store.fault(Op::Claim, fault);
                    let reply = send(&url, request.clone()).await.unwrap();
                    let what = format!("{host:?} {policy:?} {fault:?}");
                    if policy == OutagePolicy::Refuse {
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
