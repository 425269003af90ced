//! Keys that are looked up for each request: when a source is asked, what its answers do, that
//! nobody can tell an unknown tenant from a wrong signature, and the two sources that are built in.

mod cached;
mod shared;

use std::{
    collections::HashMap,
    convert::Infallible,
    future::pending,
    io,
    panic::AssertUnwindSafe,
    pin::{Pin, pin},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::{Context, Poll, Waker},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, StatusCode, header::RETRY_AFTER};
use http_body::{Body, Frame, SizeHint};
use http_body_util::Full;
use support::{Answer, Rest, Step, TestBody, at, data, kind, refusal};
use tokio::time::Instant;
use tower::{Layer, ServiceExt, service_fn};
use tower_webhook::{
    Provider, Rejection, RejectionKind, Scheme, Secret, Signer, VerifiedEvent, Verifier,
    WebhookVerifyLayer,
    keys::{
        KeyFuture, KeyRequest, KeySet, KeySource, KeySourceError, SharedKeys, Tenant, source_fn,
    },
    middleware::RequestBody,
    providers,
    scheme::{Algorithm, Encoding, SignatureFormat},
    verify::Head,
};

const SECRET: &str = "the-secret-of-the-tenant-acme";
const OTHER_SECRET: &str = "the-secret-of-somebody-else";
const SIGNATURE: &str = support::SIGNATURE;

fn secrets(secrets: impl Into<Vec<Secret>>) -> KeySet {
    KeySet::new(&providers::github(), secrets).unwrap()
}

fn tenant(id: &str, secret: &str) -> Tenant {
    Tenant::new(id, secrets(Secret::new(secret)))
}

/// The last part of a path: what the tenants here are called by.
fn name_in(path: &str) -> &str {
    path.rsplit('/').next().unwrap()
}

/// A source that knows these tenants by the last part of the path, and counts how often it is
/// asked.
#[derive(Clone, Default)]
struct Directory {
    tenants: HashMap<&'static str, Tenant>,
    asked: Arc<AtomicUsize>,
}

impl Directory {
    fn of(tenants: impl IntoIterator<Item = (&'static str, Tenant)>) -> Self {
        Self {
            tenants: tenants.into_iter().collect(),
            asked: Arc::default(),
        }
    }

    /// The tenant `acme` with [`SECRET`].
    fn acme() -> Self {
        Self::of([("acme", tenant("acme", SECRET))])
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

impl KeySource for Directory {
    fn keys(&self, request: &KeyRequest<'_>) -> KeyFuture {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let found = self.tenants.get(name_in(request.head.path())).cloned();
        Box::pin(async move { Ok(found) })
    }
}

/// A source that always answers the same.
fn always(answer: impl Fn() -> KeyFuture + Send + Sync + 'static) -> impl KeySource + 'static {
    source_fn(move |_| answer())
}

/// A layer for GitHub's requests with a source.
fn layer(source: impl KeySource + 'static) -> WebhookVerifyLayer {
    layer_for(providers::github(), source)
}

fn layer_for(provider: Provider, source: impl KeySource + 'static) -> WebhookVerifyLayer {
    WebhookVerifyLayer::new(Verifier::from_key_source(provider, source).unwrap())
}

fn signed(path: &str, secret: &str, body: impl Into<Bytes>) -> Request<Bytes> {
    let signer = Signer::new(providers::github(), Secret::new(secret)).unwrap();
    signer.sign(Request::post(path), body.into()).unwrap()
}

/// A request of the tenant `acme`, with a body that does what it is told.
fn acme(body: TestBody, content: &'static str) -> Request<TestBody> {
    signed("/hooks/acme", SECRET, content).map(|_| body)
}

/// A handler that shows the event.
async fn show<B>(request: Request<B>) -> Result<Answer, Infallible> {
    let event = VerifiedEvent::<Bytes>::from_extensions(request.extensions()).unwrap();
    let mut answer = Answer::default();
    answer.extensions_mut().insert(event);
    Ok(answer)
}

async fn send<B: RequestBody>(layer: &WebhookVerifyLayer, request: Request<B>) -> Answer {
    layer
        .layer(service_fn(show::<B>))
        .oneshot(request)
        .await
        .unwrap()
}

async fn send_whole(layer: &WebhookVerifyLayer, request: Request<Bytes>) -> Answer {
    send(layer, request.map(Full::new)).await
}

fn event(answer: &Answer) -> &VerifiedEvent {
    let event = answer.extensions().get();
    event.unwrap_or_else(|| panic!("refused: {:?}", refusal(answer)))
}

fn assert_unavailable(answer: &Answer, expected: RejectionKind) {
    assert_eq!(kind(answer), Some(expected));
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.headers()[RETRY_AFTER], "5");
}

/// Polls a future once.
fn poll_once<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// Sets a flag when it is dropped.
struct Dropped(Arc<AtomicBool>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

// When the source is asked

#[tokio::test]
async fn the_source_is_asked_once_with_the_whole_head_before_the_body_is_polled() {
    let body = TestBody::new([data("bo"), Step::Yield, data("dy")]);
    let watch = body.watch();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let into = Arc::clone(&seen);
    let source = source_fn(move |request| -> KeyFuture {
        let head = request.head;
        let asked = format!(
            "{} {} {} {:?} {:?}",
            head.method(),
            head.path(),
            head.query(),
            head.header("X-Tenant"),
            head.header("x-absent")
        );
        into.lock().unwrap().push((asked, watch.polls()));
        let (watch, into) = (Arc::clone(&watch), Arc::clone(&into));
        Box::pin(async move {
            tokio::task::yield_now().await;
            into.lock()
                .unwrap()
                .push(("answers".to_owned(), watch.polls()));
            Ok(Some(tenant("acme", SECRET)))
        })
    });
    let signer = Signer::new(providers::github(), Secret::new(SECRET)).unwrap();
    let request = Request::put("/hooks/a%20b?tenant=acme&x=1").header("x-tenant", "acme");
    let request = signer.sign(request, "body").unwrap().map(|_| body);
    let answer = send(&layer(source), request).await;
    assert_eq!(event(&answer).body(), "body");
    let expected = [
        (
            r#"PUT /hooks/a%20b tenant=acme&x=1 Some("acme") None"#.to_owned(),
            0,
        ),
        ("answers".to_owned(), 0),
    ];
    assert_eq!(*seen.lock().unwrap(), expected);
}

#[tokio::test]
async fn a_head_that_is_condemned_never_asks() {
    const NOW: u64 = 1_700_000_000;
    let changed = |change: fn(&mut HeaderMap)| {
        let mut request = signed("/hooks/acme", SECRET, "body");
        change(request.headers_mut());
        request.map(TestBody::from)
    };
    let source = Directory::acme();
    let github = layer(source.clone());
    for (request, expected) in [
        (
            changed(|headers| drop(headers.remove(SIGNATURE))),
            RejectionKind::MissingHeader,
        ),
        (
            changed(|headers| {
                let again = headers[SIGNATURE].clone();
                headers.append(SIGNATURE, again);
            }),
            RejectionKind::RepeatedHeader,
        ),
        (
            changed(|headers| {
                headers.insert(SIGNATURE, HeaderValue::from_static("sha256=zz"));
            }),
            RejectionKind::MalformedSignature,
        ),
        (
            changed(|headers| {
                headers.insert("content-length", HeaderValue::from_static("99999999"));
            }),
            RejectionKind::BodyTooLarge,
        ),
        (
            acme(TestBody::new([]).with_hint(99_999_999), "body"),
            RejectionKind::BodyTooLarge,
        ),
    ] {
        let watch = request.body().watch();
        let answer = send(&github, request).await;
        assert_eq!(kind(&answer), Some(expected));
        assert_eq!((source.asked(), watch.polls()), (0, 0), "{expected}");
    }

    let svix = layer_for(providers::svix(), source.clone()).with_clock(|| at(NOW));
    let signer = Signer::new(providers::svix(), Secret::new(support::SVIX_SECRET)).unwrap();
    let late = signer.with_time(at(NOW - 301));
    let request = late
        .sign(Request::post("/hooks/acme"), Bytes::new())
        .unwrap();
    let answer = send_whole(&svix, request).await;
    assert_eq!(kind(&answer), Some(RejectionKind::TimestampTooOld));
    assert_eq!(source.asked(), 0);

    send_whole(&github, signed("/hooks/acme", OTHER_SECRET, "body")).await;
    assert_eq!(source.asked(), 1);
}

#[test]
fn a_source_that_is_ready_at_once_makes_no_timer() {
    // A timer panics here.
    let runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = { runtime }.build().unwrap();
    let answer = runtime.block_on(send_whole(
        &layer(Directory::acme()),
        signed("/hooks/acme", SECRET, "body"),
    ));
    assert_eq!(event(&answer).tenant(), Some("acme"));
    let waits = layer(always(|| Box::pin(pending())));
    let waiting = AssertUnwindSafe(|| {
        let request = signed("/hooks/acme", SECRET, "body");
        runtime.block_on(send_whole(&waits, request))
    });
    assert!(std::panic::catch_unwind(waiting).is_err());
}

// What its answers do

#[tokio::test]
async fn the_tenant_stands_in_the_event() {
    let answer = send_whole(
        &layer(Directory::acme()),
        signed("/hooks/acme", SECRET, "body"),
    )
    .await;
    assert_eq!(event(&answer).tenant(), Some("acme"));
    assert!(format!("{:?}", event(&answer)).contains("acme"));

    let nobodys = layer(always(|| {
        Box::pin(async { Ok(Some(Tenant::shared(secrets(Secret::new(SECRET))))) })
    }));
    let answer = send_whole(&nobodys, signed("/hooks/acme", SECRET, "body")).await;
    assert_eq!(event(&answer).tenant(), None);
}

/// Finds tenants as the table of `examples/tenants.rs` would that compares without case, and names
/// them by the row.
async fn table_without_case() -> sqlx::SqlitePool {
    let pool = sqlx::sqlite::SqlitePoolOptions::new()
        .max_connections(1)
        .connect("sqlite::memory:")
        .await
        .unwrap();
    for statement in [
        "CREATE TABLE tenants (name TEXT COLLATE NOCASE PRIMARY KEY, secret TEXT)",
        "INSERT INTO tenants VALUES ('acme', 'the-secret-of-the-tenant-acme')",
    ] {
        sqlx::query(statement).execute(&pool).await.unwrap();
    }
    pool
}

async fn find_row(table: sqlx::SqlitePool, name: String) -> Result<Option<Tenant>, KeySourceError> {
    let row: Option<(String, String)> =
        sqlx::query_as("SELECT name, secret FROM tenants WHERE name = ?")
            .bind(name)
            .fetch_optional(&table)
            .await?;
    Ok(row.map(|(id, secret)| tenant(&id, &secret)))
}

#[tokio::test]
async fn two_spellings_of_a_tenant_are_one_tenant_and_one_delivery() {
    let table = table_without_case().await;
    let asked = table.clone();
    let source = source_fn(move |request| -> KeyFuture {
        let head = request.head;
        let name = name_in(head.path()).to_owned();
        Box::pin(find_row(asked.clone(), name))
    });
    assert_spellings_are_one_tenant(layer(source)).await;
    assert_spellings_are_one_tenant(layer(tower_webhook::keys::CachedKeys::new(
        |head| Some(name_in(head.path()).to_owned()),
        move |name| find_row(table.clone(), name),
    )))
    .await;
}

async fn assert_spellings_are_one_tenant(layer: WebhookVerifyLayer) {
    let mut keys = Vec::new();
    for path in ["/hooks/acme", "/hooks/ACME", "/hooks/Acme", "/hooks/aCME"] {
        let answer = send_whole(&layer, signed(path, SECRET, "body")).await;
        assert_eq!(event(&answer).tenant(), Some("acme"), "{path}");
        keys.push(event(&answer).delivery_key());
    }
    keys.dedup();
    assert_eq!(keys.len(), 1, "{keys:?}");
}

#[tokio::test(start_paused = true)]
async fn the_tenant_stands_in_every_refusal_that_comes_after_it_is_known() {
    let past = Secret::new(SECRET).with_not_after(at(10));
    let rotating = secrets(vec![past.clone(), Secret::new(OTHER_SECRET)]);
    let source = Directory::of([
        ("acme", tenant("acme", SECRET)),
        ("rotating", Tenant::new("rotating", rotating)),
        ("past", Tenant::new("past", secrets(past))),
    ]);
    let layer = layer(source)
        .with_clock(|| at(20))
        .with_read_timeout(Duration::from_millis(1));
    let request = |name: &str, body: TestBody| {
        signed(&format!("/hooks/{name}"), SECRET, "body").map(|_| body)
    };
    let whole = || TestBody::new([data("body")]);
    for (request, expected, tenant) in [
        (
            request("acme", TestBody::new([data("forged")])),
            RejectionKind::SignatureMismatch,
            Some("acme"),
        ),
        (
            request("rotating", whole()),
            RejectionKind::KeyOutsideWindow,
            Some("rotating"),
        ),
        (
            request("past", whole()),
            RejectionKind::NoValidKey,
            Some("past"),
        ),
        (
            request("acme", TestBody::new([]).then(Rest::Hang)),
            RejectionKind::ReadTimeout,
            Some("acme"),
        ),
        (
            request("acme", TestBody::new([Step::Error])),
            RejectionKind::BodyIncomplete,
            Some("acme"),
        ),
        (
            request("acme", TestBody::new([]).then(Rest::Repeat(&[0; 65536]))),
            RejectionKind::BodyTooLarge,
            Some("acme"),
        ),
        // What nobody has proven is no name for a log.
        (
            request("nobody", whole()),
            RejectionKind::UnknownTenant,
            None,
        ),
    ] {
        let answer = send(&layer, request).await;
        let rejection = refusal(&answer).unwrap();
        assert_eq!((rejection.kind(), rejection.tenant()), (expected, tenant));
    }
    let answer = send_whole(&layer, signed("/hooks/acme", SECRET, "not a number")).await;
    let mut extensions = http::Extensions::new();
    extensions.insert(event(&answer).clone());
    let unreadable = VerifiedEvent::<serde_json::Value>::from_extensions(&extensions).unwrap_err();
    assert_eq!(unreadable.tenant(), Some("acme"));
}

#[tokio::test]
async fn the_key_of_a_tenant_opens_the_door_of_that_tenant_alone() {
    let layer = layer(Directory::of([
        ("acme", tenant("acme", SECRET)),
        ("other", tenant("other", OTHER_SECRET)),
    ]));
    for (path, secret, expected) in [
        ("/hooks/acme", SECRET, Ok("acme")),
        ("/hooks/other", OTHER_SECRET, Ok("other")),
        (
            "/hooks/acme",
            OTHER_SECRET,
            Err(RejectionKind::SignatureMismatch),
        ),
        (
            "/hooks/other",
            SECRET,
            Err(RejectionKind::SignatureMismatch),
        ),
        ("/hooks/third", SECRET, Err(RejectionKind::UnknownTenant)),
    ] {
        let answer = send_whole(&layer, signed(path, secret, "body")).await;
        let found = match kind(&answer) {
            None => Ok(event(&answer).tenant().unwrap()),
            Some(kind) => Err(kind),
        };
        assert_eq!(found, expected, "{path}");
    }
}

#[tokio::test]
async fn the_verifiers_own_keys_count_for_nothing_beside_a_source() {
    let verifier = Verifier::new(providers::github(), Secret::new(OTHER_SECRET)).unwrap();
    let layer = WebhookVerifyLayer::new(verifier.with_key_source(Directory::acme()));
    for (path, expected) in [
        ("/hooks/acme", RejectionKind::SignatureMismatch),
        ("/hooks/nobody", RejectionKind::UnknownTenant),
    ] {
        let answer = send_whole(&layer, signed(path, OTHER_SECRET, "body")).await;
        assert_eq!(kind(&answer), Some(expected));
    }
}

#[tokio::test]
async fn keys_rotate_inside_a_tenant() {
    let keys = secrets(vec![
        Secret::new(SECRET).with_id("new").with_not_before(at(100)),
        Secret::new(OTHER_SECRET)
            .with_id("old")
            .with_not_after(at(200)),
    ]);
    let source = Directory::of([("acme", Tenant::new("acme", keys))]);
    for (now, secret, expected) in [
        (99, OTHER_SECRET, Ok("old")),
        (99, SECRET, Err(RejectionKind::KeyOutsideWindow)),
        (100, SECRET, Ok("new")),
        (200, OTHER_SECRET, Ok("old")),
        (201, OTHER_SECRET, Err(RejectionKind::KeyOutsideWindow)),
        (201, SECRET, Ok("new")),
        (
            150,
            "a-secret-of-no-tenant",
            Err(RejectionKind::SignatureMismatch),
        ),
    ] {
        let layer = layer(source.clone()).with_clock(move || at(now));
        let answer = send_whole(&layer, signed("/hooks/acme", secret, "body")).await;
        let found = match kind(&answer) {
            None => Ok(event(&answer).key_id().unwrap()),
            Some(kind) => Err(kind),
        };
        assert_eq!(found, expected, "{now}");
    }
}

#[tokio::test]
async fn a_tenant_without_a_valid_key_is_told_to_come_again() {
    let past = Secret::new(SECRET).with_not_after(at(10));
    let source = Directory::of([("acme", Tenant::new("acme", secrets(past)))]);
    let body = TestBody::new([data("body")]);
    let watch = body.watch();
    let layer = layer(source).with_clock(|| at(11));
    let answer = send(&layer, acme(body, "body")).await;
    assert_unavailable(&answer, RejectionKind::NoValidKey);
    assert_eq!(watch.polls(), 0);
}

#[tokio::test]
async fn keys_that_were_made_for_another_provider_verify_nothing() {
    let authenteq = |id| providers::authenteq().with_param("client_id", id);
    let only = |name| authenteq("a").select_variant(name).unwrap();
    for (provider, made_for) in [
        (providers::github(), providers::shopify()),
        (providers::github(), providers::idenfy()),
        (providers::svix(), providers::stripe()),
        (authenteq("a"), authenteq("b")),
        (authenteq("a"), only("sha256-body-secret")),
        (only("sha256-body-secret"), authenteq("a")),
        (only("sha256-body-secret"), only("hmac-sha256")),
    ] {
        let keys = KeySet::new(&made_for, Secret::new(support::SVIX_SECRET)).unwrap();
        let source = Directory::of([("acme", Tenant::new("acme", keys))]);
        let signer = Signer::new(provider.clone(), Secret::new(support::SVIX_SECRET)).unwrap();
        let request = signer.sign(Request::post("/hooks/acme"), Bytes::new());
        let answer = send_whole(&layer_for(provider, source), request.unwrap()).await;
        assert_unavailable(&answer, RejectionKind::NoValidKey);
        assert!(
            refusal(&answer)
                .unwrap()
                .to_string()
                .contains("add one for this provider")
        );
    }
}

#[tokio::test]
async fn an_endpoint_without_keys_refuses_everything() {
    let keys = SharedKeys::new(KeySet::empty(&providers::github()).unwrap());
    let verifier = Verifier::from_key_source(providers::github(), keys).unwrap();
    let layer = WebhookVerifyLayer::new(verifier.clone());
    for secret in [SECRET, OTHER_SECRET, DECOY] {
        let body = TestBody::new([data("body")]);
        let watch = body.watch();
        let request = signed("/hooks/acme", secret, "body").map(|_| body);
        let answer = send(&layer, request).await;
        assert_unavailable(&answer, RejectionKind::NoValidKey);
        assert_eq!(watch.polls(), 0);
    }
    let head = signed("/", SECRET, "body").into_parts().0;
    let verdict = verifier.verify(&Head::from(&head), "body", at(0));
    assert_eq!(verdict.unwrap_err().kind(), RejectionKind::NoValidKey);
}

// When there is no answer

#[tokio::test]
async fn an_error_is_503_and_its_text_is_for_the_operator_alone() {
    let body = TestBody::new([data("body")]);
    let watch = body.watch();
    let layer = layer(always(|| {
        Box::pin(async { Err(io::Error::other("the database is on fire").into()) })
    }));
    let answer = send(&layer, acme(body, "body")).await;
    assert_unavailable(&answer, RejectionKind::KeySourceFailed);
    assert_eq!((watch.polls(), watch.is_dropped()), (0, true));
    let rejection = refusal(&answer).unwrap();
    assert_eq!(
        rejection.to_string(),
        "the key source failed: the database is on fire"
    );
    let source = std::error::Error::source(rejection).unwrap();
    assert!(source.downcast_ref::<io::Error>().is_some());
    assert!(!format!("{rejection:?}").contains("fire"));
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_takes_too_long_is_503_and_waited_for_no_longer() {
    for (timeout, limit) in [
        (None, Duration::from_secs(5)),
        (Some(Duration::from_millis(50)), Duration::from_millis(50)),
    ] {
        let dropped = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&dropped);
        let source = always(move || {
            let guard = Dropped(Arc::clone(&flag));
            Box::pin(async move {
                let _guard = guard;
                pending().await
            })
        });
        let mut layer = layer(source);
        if let Some(timeout) = timeout {
            layer = layer.with_key_timeout(timeout);
        }
        let seen_by_hook = Arc::clone(&dropped);
        let was_dropped = Arc::new(AtomicBool::new(false));
        let noted = Arc::clone(&was_dropped);
        let layer = layer.on_rejection(move |_, _| {
            noted.store(seen_by_hook.load(Ordering::SeqCst), Ordering::SeqCst);
        });
        let body = TestBody::new([data("body")]);
        let watch = body.watch();
        let began = Instant::now();
        let answer = send(&layer, acme(body, "body")).await;
        assert_unavailable(&answer, RejectionKind::KeySourceTimeout);
        // Timers count whole milliseconds.
        let took = began.elapsed();
        assert!(
            (limit..=limit + Duration::from_millis(2)).contains(&took),
            "{took:?}"
        );
        assert!(was_dropped.load(Ordering::SeqCst));
        assert_eq!(watch.polls(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_in_the_last_moment_counts_and_takes_nothing_off_the_time_for_the_body() {
    let source = always(|| {
        Box::pin(async {
            tokio::time::sleep(Duration::from_secs(5)).await;
            Ok(Some(tenant("acme", SECRET)))
        })
    });
    let layer = layer(source).with_read_timeout(Duration::from_secs(10));
    let seconds = |seconds| Step::Wait(Duration::from_secs(seconds));
    let in_time = TestBody::new([seconds(9), data("body")]);
    let answer = send(&layer, acme(in_time, "body")).await;
    assert_eq!(event(&answer).tenant(), Some("acme"));
    let late = TestBody::new([seconds(11), data("body")]);
    let answer = send(&layer, acme(late, "body")).await;
    assert_eq!(kind(&answer), Some(RejectionKind::ReadTimeout));
}

#[tokio::test]
async fn a_source_that_panics_does_what_a_handler_that_panics_does() {
    fn broken<T>() -> T {
        panic!("this source is broken")
    }
    let panics: [(&str, Box<dyn KeySource>); 2] = [
        ("when asked", Box::new(always(broken))),
        (
            "when polled",
            Box::new(always(|| Box::pin(async { broken() }))),
        ),
    ];
    for (name, source) in panics {
        let layer = layer(source_fn(move |request| source.keys(request)));
        let request = signed("/hooks/acme", SECRET, "body");
        let task = tokio::spawn(async move { send_whole(&layer, request).await });
        let ended = task.await.unwrap_err();
        let panic = ended.into_panic();
        assert_eq!(
            panic.downcast_ref::<&str>(),
            Some(&"this source is broken"),
            "{name}"
        );
    }
}

// Unknown tenants

/// What an unknown tenant's requests are checked with: it stands in the source code, so anybody can
/// sign with it.
const DECOY: &str = "no-tenant-has-this-for-a-key-000";
const DECOY_BASE64: &str = "whsec_bm8tdGVuYW50LWhhcy10aGlzLWZvci1hLWtleS0wMDA=";

/// A body that counts the bytes that are taken out of it.
struct Metered {
    inner: TestBody,
    bytes: Arc<AtomicUsize>,
}

impl From<Bytes> for Metered {
    fn from(bytes: Bytes) -> Self {
        Self {
            inner: bytes.into(),
            bytes: Arc::default(),
        }
    }
}

impl Body for Metered {
    type Data = Bytes;
    type Error = <TestBody as Body>::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let polled = Pin::new(&mut self.inner).poll_frame(cx);
        if let Poll::Ready(Some(Ok(frame))) = &polled
            && let Some(data) = frame.data_ref()
        {
            self.bytes.fetch_add(data.len(), Ordering::SeqCst);
        }
        polled
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

type MakeBody = fn() -> TestBody;

/// All that whoever sends a request can see of how it is treated.
#[derive(Debug, PartialEq, Eq)]
struct Treatment {
    status: StatusCode,
    headers: HeaderMap,
    polls: usize,
    bytes: usize,
    body_dropped: bool,
    took: Duration,
}

async fn treat(
    layer: &WebhookVerifyLayer,
    path: &str,
    head: &http::request::Parts,
    body: TestBody,
) -> (Treatment, Option<RejectionKind>) {
    let watch = body.watch();
    let bytes = Arc::<AtomicUsize>::default();
    let body = Metered {
        inner: body,
        bytes: Arc::clone(&bytes),
    };
    let mut request = Request::post(path).body(body).unwrap();
    *request.headers_mut() = head.headers.clone();
    let began = Instant::now();
    let answer = send(layer, request).await;
    let treatment = Treatment {
        status: answer.status(),
        headers: answer.headers().clone(),
        polls: watch.polls(),
        bytes: bytes.load(Ordering::SeqCst),
        body_dropped: watch.is_dropped(),
        took: began.elapsed(),
    };
    (treatment, kind(&answer))
}

/// Every built-in provider under each variant that it tries, and schemes of other shapes; with a
/// secret for each.
fn every_provider() -> Vec<(Provider, Vec<Provider>, &'static str)> {
    let mut all = Vec::new();
    for name in support::FOUNDING {
        let mut provider = providers::by_name(name).unwrap();
        if name == "authenteq" {
            provider = provider.with_param("client_id", "client-7");
        }
        let signed_as = match name {
            "authenteq" | "authento" => ["sha256-body-secret", "hmac-sha256"]
                .map(|name| provider.clone().select_variant(name).unwrap())
                .to_vec(),
            _ => vec![provider.clone()],
        };
        let secret = match name {
            "svix" | "standard-webhooks" | "voveid" => support::SVIX_SECRET,
            _ => SECRET,
        };
        all.push((provider, signed_as, secret));
    }
    for (name, algorithm, signed) in [
        ("before", Algorithm::Sha512, "{secret}{body}"),
        (
            "both",
            Algorithm::Sha256,
            "{secret|sha256hex}.{body}.{secret}",
        ),
        ("digest", Algorithm::HmacSha1, "{path}:{body|sha256hex}"),
        ("field", Algorithm::HmacMd5, "{json:/id}:{body}"),
    ] {
        let signature = SignatureFormat::single("X-Sig", Encoding::Hex);
        let provider = Provider::new(name, Scheme::signed(algorithm, signed, signature));
        all.push((provider.clone(), vec![provider], SECRET));
    }
    all
}

#[tokio::test(start_paused = true)]
async fn an_unknown_tenant_is_treated_as_a_wrong_signature_is() {
    const BODY: &[u8] = br#"{"id":"7"}"#;
    const LIMIT: usize = 100_000;
    let bodies: [(&str, MakeBody); 9] = [
        ("whole", || TestBody::new([Step::Data(BODY.into())])),
        ("empty", || TestBody::new([])),
        ("not what the scheme signs", || TestBody::new([data("{}")])),
        ("in frames", || {
            let frames = BODY.chunks(1).map(|byte| Step::Data(byte.into()));
            TestBody::new(frames.flat_map(|frame| [frame, Step::Yield]))
        }),
        ("up to the limit", || {
            TestBody::new([Step::Data(vec![b'x'; LIMIT].into())])
        }),
        ("over the limit", || {
            TestBody::new([data("x")]).then(Rest::Repeat(&[b'x'; 4096]))
        }),
        ("slow", || {
            TestBody::new([data("x"), Step::Wait(Duration::from_secs(7)), data("y")])
        }),
        ("too slow", || TestBody::new([data("x")]).then(Rest::Hang)),
        ("broken", || TestBody::new([data("x"), Step::Error])),
    ];
    for (provider, signed_as, secret) in every_provider() {
        let keys = KeySet::new(&provider, Secret::new(secret)).unwrap();
        let source = Directory::of([("acme", Tenant::new("acme", keys))]);
        let name = provider.name().to_owned();
        let verifier = Verifier::from_key_source(provider, source).unwrap();
        let layer = WebhookVerifyLayer::new(verifier.with_max_body(LIMIT))
            .with_read_timeout(Duration::from_secs(10));
        for signed_as in signed_as {
            // Rightly signed, over another body: the signature itself is well formed.
            let signer = Signer::new(signed_as, Secret::new(secret)).unwrap();
            let wrong = r#"{"id":"8"}"#;
            let request = signer.sign(Request::post("/hooks/acme"), wrong).unwrap();
            let (head, _) = request.into_parts();
            for (shape, body) in bodies {
                let (known, reason) = treat(&layer, "/hooks/acme", &head, body()).await;
                let (unknown, unknown_reason) = treat(&layer, "/hooks/none", &head, body()).await;
                assert_eq!(known, unknown, "{name}, {shape}");
                assert!(known.polls > 0 && known.status.is_client_error());
                let expected = match reason.unwrap() {
                    RejectionKind::SignatureMismatch | RejectionKind::MalformedBody => {
                        RejectionKind::UnknownTenant
                    }
                    other => other,
                };
                assert_eq!(unknown_reason, Some(expected), "{name}, {shape}");
            }
        }
    }
}

#[tokio::test]
async fn a_body_that_was_taken_is_answered_the_same_for_an_unknown_tenant() {
    let layer = layer(Directory::acme());
    let mut head = signed("/", OTHER_SECRET, "body").into_parts().0;
    head.headers
        .insert("content-length", HeaderValue::from_static("4"));
    let body = || TestBody::new([]);
    let (known, _) = treat(&layer, "/hooks/acme", &head, body()).await;
    let (unknown, _) = treat(&layer, "/hooks/none", &head, body()).await;
    assert_eq!(
        (known.status, known.headers, known.polls),
        (unknown.status, unknown.headers, unknown.polls)
    );
}

#[tokio::test]
async fn nothing_signs_for_nobody() {
    assert!(
        include_str!("../../src/compiled/scheme.rs").contains(&format!("b\"{DECOY}\"")),
        "the decoy has changed, and this test with it"
    );
    for (provider, signed_as, secret) in every_provider() {
        let decoy = if secret == support::SVIX_SECRET {
            DECOY_BASE64
        } else {
            DECOY
        };
        let keys = KeySet::new(&provider, Secret::new(decoy)).unwrap();
        let source = Directory::of([("decoy", Tenant::new("decoy", keys))]);
        let layer = layer_for(provider.clone(), source);
        for signed_as in signed_as {
            let signer = Signer::new(signed_as, Secret::new(decoy)).unwrap();
            let request =
                |path| signer.sign(Request::post(path), Bytes::from_static(b"{\"id\":7}"));
            // It is the right signature by that key: whoever really has it is let in.
            let answer = send_whole(&layer, request("/hooks/decoy").unwrap()).await;
            assert_eq!(event(&answer).tenant(), Some("decoy"));
            let answer = send_whole(&layer, request("/hooks/none").unwrap()).await;
            assert_eq!(
                kind(&answer),
                Some(RejectionKind::UnknownTenant),
                "{}",
                provider.name()
            );
            assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
        }
    }

    // A digest that needs no key at all is right for everybody, and for nobody all the same.
    let scheme = Scheme::signed(
        Algorithm::UnauthenticatedSha256,
        "{body}",
        SignatureFormat::single("X-Sig", Encoding::Hex),
    );
    let provider = Provider::new("bare", scheme);
    let keys = KeySet::new(&provider, Vec::new()).unwrap();
    let source = Directory::of([("acme", Tenant::new("acme", keys))]);
    let layer = layer_for(provider.clone(), source);
    let signer = Signer::new(provider, Secret::new("unused")).unwrap();
    for (path, expected) in [
        ("/hooks/acme", None),
        ("/hooks/none", Some(RejectionKind::UnknownTenant)),
    ] {
        let request = signer.sign(Request::post(path), Bytes::from_static(b"body"));
        let answer = send_whole(&layer, request.unwrap()).await;
        assert_eq!(kind(&answer), expected);
    }
}

#[test]
fn the_core_refuses_an_unknown_tenant_without_a_layer() {
    let verifier = Verifier::from_key_source(providers::github(), Directory::acme()).unwrap();
    let check = |secret, tenant: Option<&Tenant>| -> Result<VerifiedEvent, Rejection> {
        let head = signed("/", secret, "body").into_parts().0;
        let checked = verifier.check_head(&Head::from(&head), at(0))?;
        let mut request = checked.with_tenant(tenant)?;
        request.update(Bytes::from_static(b"body"))?;
        request.verify()
    };
    let acme = tenant("acme", SECRET);
    assert_eq!(check(SECRET, Some(&acme)).unwrap().tenant(), Some("acme"));
    for secret in [SECRET, DECOY] {
        let refused = check(secret, None).unwrap_err();
        assert_eq!(refused.kind(), RejectionKind::UnknownTenant);
    }
}
