//! Keys that are looked up for each request: when a source is asked, what its answers do, that nobody can tell an unknown
//! tenant from a wrong signature, and the two sources that are built in.

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
    Provider, Rejection, RejectionKind, Secret, Secrets, Signer, VerifiedEvent, Verifier,
    WebhookVerifyLayer,
    lookup::{SecretSource, SharedSecrets, SourceError, Tenant, TenantFuture},
    middleware::RequestBody,
    providers,
    scheme::{Algorithm, Encoding, Scheme, Signature},
    verify::Head,
};

const SECRET: &str = "the-secret-of-the-tenant-acme";
const OTHER_SECRET: &str = "the-secret-of-somebody-else";
const SIGNATURE: &str = support::SIGNATURE;

fn secrets(secrets: impl Into<Vec<Secret>>) -> Secrets {
    Secrets::new(&providers::github(), secrets).unwrap()
}

fn tenant(id: &str, secret: &str) -> Tenant {
    Tenant::new(id, secrets(Secret::new(secret)))
}

/// The last part of a path: what the tenants here are called by.
fn name_in(path: &str) -> &str {
    path.rsplit('/').next().unwrap()
}

/// A source that knows these tenants by the last part of the path, and counts how often it is asked.
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

impl SecretSource for Directory {
    fn secrets(&self, head: &Head<'_>) -> TenantFuture {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let found = self.tenants.get(name_in(head.path())).cloned();
        Box::pin(async move { Ok(found) })
    }
}

/// A source that always answers the same.
fn always(
    answer: impl Fn() -> TenantFuture + Send + Sync + 'static,
) -> impl SecretSource + 'static {
    move |_: &Head<'_>| answer()
}

/// A layer for GitHub's requests with a source.
fn layer(source: impl SecretSource + 'static) -> WebhookVerifyLayer {
    layer_for(providers::github(), source)
}

fn layer_for(provider: Provider, source: impl SecretSource + 'static) -> WebhookVerifyLayer {
    let verifier = Verifier::for_lookup(provider).unwrap();
    WebhookVerifyLayer::new(verifier).with_secret_source(source)
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
    let source = move |head: &Head<'_>| -> TenantFuture {
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
    };
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

/// Finds tenants as the table of `examples/tenants.rs` would that compares without case, and names them by the row.
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

async fn find_row(table: sqlx::SqlitePool, name: String) -> Result<Option<Tenant>, SourceError> {
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
    let source = move |head: &Head<'_>| -> TenantFuture {
        let name = name_in(head.path()).to_owned();
        Box::pin(find_row(asked.clone(), name))
    };
    assert_spellings_are_one_tenant(layer(source)).await;
    assert_spellings_are_one_tenant(layer(tower_webhook::lookup::CachedSource::new(
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
    let layer = WebhookVerifyLayer::new(verifier).with_secret_source(Directory::acme());
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
    let only = |name| authenteq("a").with_only_construction(name).unwrap();
    for (provider, made_for) in [
        (providers::github(), providers::shopify()),
        (providers::github(), providers::idenfy()),
        (providers::svix(), providers::stripe()),
        (authenteq("a"), authenteq("b")),
        (authenteq("a"), only("sha256-body-secret")),
        (only("sha256-body-secret"), authenteq("a")),
        (only("sha256-body-secret"), only("hmac-sha256")),
    ] {
        let keys = Secrets::new(&made_for, Secret::new(support::SVIX_SECRET)).unwrap();
        let source = Directory::of([("acme", Tenant::new("acme", keys))]);
        let signer = Signer::new(provider.clone(), Secret::new(support::SVIX_SECRET)).unwrap();
        let request = signer.sign(Request::post("/hooks/acme"), Bytes::new());
        let answer = send_whole(&layer_for(provider, source), request.unwrap()).await;
        assert_unavailable(&answer, RejectionKind::NoValidKey);
        assert!(
            refusal(&answer)
                .unwrap()
                .to_string()
                .contains("made for this provider")
        );
    }
}

#[tokio::test]
async fn an_endpoint_for_lookup_without_a_source_refuses_everything() {
    let layer = WebhookVerifyLayer::new(Verifier::for_lookup(providers::github()).unwrap());
    for secret in [SECRET, OTHER_SECRET, DECOY] {
        let body = TestBody::new([data("body")]);
        let watch = body.watch();
        let request = signed("/hooks/acme", secret, "body").map(|_| body);
        let answer = send(&layer, request).await;
        assert_unavailable(&answer, RejectionKind::NoValidKey);
        assert_eq!(watch.polls(), 0);
    }
    let head = signed("/", SECRET, "body").into_parts().0;
    let verifier = Verifier::for_lookup(providers::github()).unwrap();
    let verdict = verifier.verify(&Head::of(&head), "body", at(0));
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
    assert_unavailable(&answer, RejectionKind::SecretSourceFailed);
    assert_eq!((watch.polls(), watch.is_dropped()), (0, true));
    let rejection = refusal(&answer).unwrap();
    assert_eq!(
        rejection.to_string(),
        "the secret source failed: the database is on fire"
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
        let layer = layer.with_on_rejection(move |_, _| {
            noted.store(seen_by_hook.load(Ordering::SeqCst), Ordering::SeqCst);
        });
        let body = TestBody::new([data("body")]);
        let watch = body.watch();
        let began = Instant::now();
        let answer = send(&layer, acme(body, "body")).await;
        assert_unavailable(&answer, RejectionKind::SecretSourceTimeout);
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
    let panics: [(&str, Box<dyn SecretSource>); 2] = [
        ("when asked", Box::new(always(broken))),
        (
            "when polled",
            Box::new(always(|| Box::pin(async { broken() }))),
        ),
    ];
    for (name, source) in panics {
        let layer = layer(move |head: &Head<'_>| source.secrets(head));
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

/// What an unknown tenant's requests are checked with: it stands in the source code, so anybody can sign with it.
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

/// Every built-in provider under each construction that it tries, and schemes of other shapes; with a secret for each.
fn every_provider() -> Vec<(Provider, Vec<Provider>, &'static str)> {
    let mut all = Vec::new();
    for name in providers::names() {
        let mut provider = providers::by_name(name).unwrap();
        if name == "authenteq" {
            provider = provider.with_param("client_id", "client-7");
        }
        let signed_as = match name {
            "authenteq" | "authento" => ["sha256-body-secret", "hmac-sha256"]
                .map(|name| provider.clone().with_only_construction(name).unwrap())
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
        let signature = Signature::single("X-Sig", Encoding::Hex);
        let provider = Provider::new(name, Scheme::new(algorithm, signed, signature));
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
        let keys = Secrets::new(&provider, Secret::new(secret)).unwrap();
        let source = Directory::of([("acme", Tenant::new("acme", keys))]);
        let name = provider.name().to_owned();
        let verifier = Verifier::for_lookup(provider).unwrap().with_max_body(LIMIT);
        let layer = WebhookVerifyLayer::new(verifier)
            .with_secret_source(source)
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
        include_str!("../../src/scheme/compiled.rs").contains(&format!("b\"{DECOY}\"")),
        "the decoy has changed, and this test with it"
    );
    for (provider, signed_as, secret) in every_provider() {
        let decoy = if secret == support::SVIX_SECRET {
            DECOY_BASE64
        } else {
            DECOY
        };
        let keys = Secrets::new(&provider, Secret::new(decoy)).unwrap();
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
    let scheme = Scheme::new(
        Algorithm::UnauthenticatedSha256,
        "{body}",
        Signature::single("X-Sig", Encoding::Hex),
    );
    let provider = Provider::new("bare", scheme);
    let keys = Secrets::new(&provider, Vec::new()).unwrap();
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
    let verifier = Verifier::for_lookup(providers::github()).unwrap();
    let check = |secret, tenant: Option<&Tenant>| -> Result<VerifiedEvent, Rejection> {
        let head = signed("/", secret, "body").into_parts().0;
        let gate = verifier.gate(&Head::of(&head), at(0))?;
        let mut check = gate.check_tenant(tenant)?;
        check.update(Bytes::from_static(b"body"))?;
        check.finish()
    };
    let acme = tenant("acme", SECRET);
    assert_eq!(check(SECRET, Some(&acme)).unwrap().tenant(), Some("acme"));
    for secret in [SECRET, DECOY] {
        let refused = check(secret, None).unwrap_err();
        assert_eq!(refused.kind(), RejectionKind::UnknownTenant);
    }
}

// `SharedSecrets`

#[tokio::test(start_paused = true)]
async fn a_request_keeps_the_keys_that_it_began_with() {
    let keys = SharedSecrets::new(secrets(Secret::new(SECRET).with_id("old")));
    let layer = layer(keys.clone());
    let slow = || TestBody::new([Step::Wait(Duration::from_secs(1)), data("body")]);
    let mut before = pin!(send(&layer, acme(slow(), "body")));
    assert!(poll_once(before.as_mut()).is_pending());
    keys.replace(secrets(Secret::new(OTHER_SECRET).with_id("new")))
        .unwrap();

    let after = signed("/hooks/acme", OTHER_SECRET, "body");
    assert_eq!(
        event(&send_whole(&layer, after).await).key_id(),
        Some("new")
    );
    let stale = signed("/hooks/acme", SECRET, "body");
    assert_eq!(
        kind(&send_whole(&layer, stale).await),
        Some(RejectionKind::SignatureMismatch)
    );
    let answer = before.await;
    assert_eq!(event(&answer).key_id(), Some("old"));
    assert_eq!(event(&answer).tenant(), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn keys_are_replaced_by_several_at_once_while_requests_are_checked() {
    const ROUNDS: usize = 300;
    // The secret that the requests are signed with is in every set, so not one may be refused.
    let set = |id: String| {
        let other = Secret::new(format!("another-secret-{id}-of-length"));
        secrets(vec![other, Secret::new(SECRET).with_id(id)])
    };
    let keys = SharedSecrets::new(set("first".to_owned()));
    let layer = layer(keys.clone());
    let replacing = (0..4).map(|thread| {
        let keys = keys.clone();
        tokio::spawn(async move {
            for round in 0..ROUNDS {
                keys.replace(set(format!("{thread}-{round}"))).unwrap();
                tokio::task::yield_now().await;
            }
        })
    });
    let replacing: Vec<_> = replacing.collect();
    let asking = (0..4).map(|_| {
        let layer = layer.clone();
        tokio::spawn(async move {
            for _ in 0..ROUNDS {
                let answer = send_whole(&layer, signed("/hooks/acme", SECRET, "body")).await;
                assert!(event(&answer).key_id().is_some());
            }
        })
    });
    let asking: Vec<_> = asking.collect();
    for task in replacing.into_iter().chain(asking) {
        task.await.unwrap();
    }
    let answer = send_whole(&layer, signed("/hooks/acme", SECRET, "body")).await;
    let last = format!("-{}", ROUNDS - 1);
    assert!(event(&answer).key_id().unwrap().ends_with(&last));
}

#[tokio::test]
async fn keys_of_another_provider_do_not_replace_those_that_are_there() {
    let keys = SharedSecrets::new(secrets(Secret::new(SECRET).with_id("kept")));
    let layer = layer(keys.clone());
    for provider in [providers::shopify(), providers::idenfy()] {
        let others = Secrets::new(&provider, Secret::new(OTHER_SECRET)).unwrap();
        let error = keys.replace(others).unwrap_err().to_string();
        assert!(
            error.contains("another provider") && !error.contains(OTHER_SECRET),
            "{error}"
        );
    }
    let answer = send_whole(&layer, signed("/hooks/acme", SECRET, "body")).await;
    assert_eq!(event(&answer).key_id(), Some("kept"));
    let shown = format!("{keys:?} {:?}", keys.current());
    assert!(shown.contains("kept") && !shown.contains(SECRET), "{shown}");
}

#[tokio::test]
async fn keys_can_come_after_the_endpoint() {
    let verifier = Verifier::for_lookup(providers::github()).unwrap();
    let keys = SharedSecrets::new(verifier.secrets().clone());
    let layer = WebhookVerifyLayer::new(verifier).with_secret_source(keys.clone());
    let request = || signed("/hooks/acme", SECRET, "body");
    assert_unavailable(
        &send_whole(&layer, request()).await,
        RejectionKind::NoValidKey,
    );
    keys.replace(secrets(Secret::new(SECRET))).unwrap();
    assert_eq!(event(&send_whole(&layer, request()).await).body(), "body");
}

/// A source that remembers.
mod cached {
    use tokio::{runtime::Handle, sync::Semaphore, task::yield_now, time::timeout};
    use tower_webhook::lookup::CachedSource;

    use super::*;

    /// Longer than anything here takes on the slowest machine.
    const PATIENCE: Duration = Duration::from_secs(60);

    type Found = Result<Option<Tenant>, SourceError>;

    /// What is behind the cache: it knows the tenants whose names begin with `acme`, and counts how often it is asked.
    #[derive(Clone)]
    struct Table {
        asked: Arc<AtomicUsize>,
        /// A look-up waits for a permit.
        permits: Arc<Semaphore>,
    }

    impl Table {
        fn open() -> Self {
            Self::with_permits(Semaphore::MAX_PERMITS)
        }

        fn shut() -> Self {
            Self::with_permits(0)
        }

        fn with_permits(permits: usize) -> Self {
            Self {
                asked: Arc::default(),
                permits: Arc::new(Semaphore::new(permits)),
            }
        }

        fn asked(&self) -> usize {
            self.asked.load(Ordering::SeqCst)
        }

        /// Waits until it was asked this often.
        async fn until_asked(&self, times: usize) {
            until(|| self.asked() >= times, || self.asked().to_string()).await;
        }

        async fn look_up(self, name: String) -> Found {
            self.asked.fetch_add(1, Ordering::SeqCst);
            self.permits.acquire().await?.forget();
            Ok(name.starts_with("acme").then(|| tenant(&name, SECRET)))
        }

        fn source(&self) -> CachedSource {
            let table = self.clone();
            source(move |name| table.clone().look_up(name))
        }
    }

    fn source<F>(load: impl Fn(String) -> F + Send + Sync + 'static) -> CachedSource
    where
        F: Future<Output = Found> + Send + 'static,
    {
        let name = |head: &Head<'_>| head.path().strip_prefix("/hooks/").map(str::to_owned);
        CachedSource::new(name, load)
    }

    /// Asks as a layer does. The id of the tenant.
    async fn ask(source: &CachedSource, name: &str) -> Result<Option<String>, SourceError> {
        let none: [(&str, &str); 0] = [];
        let path = format!("/hooks/{name}");
        let found = source.secrets(&Head::new(&none).with_target(&path));
        Ok(found.await?.map(|tenant| tenant.id().unwrap().to_owned()))
    }

    /// Asks once in each of so many tasks, and returns when all of them wait.
    async fn crowd(
        source: &CachedSource,
        name: &'static str,
        size: usize,
    ) -> Vec<tokio::task::JoinHandle<Result<Option<String>, SourceError>>> {
        let before = tasks();
        let asking = (0..size).map(|_| {
            let source = source.clone();
            tokio::spawn(async move { ask(&source, name).await })
        });
        let asking = asking.collect();
        // Each has begun a task of its own.
        until_tasks(before + 2 * size).await;
        asking
    }

    fn tasks() -> usize {
        Handle::current().metrics().num_alive_tasks()
    }

    async fn until_tasks(expected: usize) {
        until(|| tasks() == expected, || format!("{} tasks", tasks())).await;
    }

    /// Lets others run until it is so. By the clock of the machine, since one that stands still would wait for ever.
    async fn until(is_so: impl Fn() -> bool, found: impl Fn() -> String) {
        let began = std::time::Instant::now();
        while !is_so() {
            assert!(began.elapsed() < PATIENCE, "waited in vain: {}", found());
            yield_now().await;
        }
    }

    #[tokio::test]
    async fn a_tenant_is_looked_up_once_and_found_through_the_layer() {
        let table = Table::open();
        let layer = layer(table.source());
        for _ in 0..3 {
            let answer = send_whole(&layer, signed("/hooks/acme", SECRET, "body")).await;
            assert_eq!(event(&answer).tenant(), Some("acme"));
            let answer = send_whole(&layer, signed("/hooks/none", SECRET, "body")).await;
            assert_eq!(kind(&answer), Some(RejectionKind::UnknownTenant));
        }
        assert_eq!(table.asked(), 2);
        let forged = send_whole(&layer, signed("/hooks/acme", OTHER_SECRET, "body")).await;
        assert_eq!(kind(&forged), Some(RejectionKind::SignatureMismatch));
        // A head without a name is nobody's, and nothing is looked up for it.
        let answer = send_whole(&layer, signed("/elsewhere", SECRET, "body")).await;
        assert_eq!(kind(&answer), Some(RejectionKind::UnknownTenant));
        assert_eq!(table.asked(), 2);
    }

    #[tokio::test]
    async fn what_was_found_is_remembered_for_its_lifetime_and_no_longer() {
        const SHORT: Duration = Duration::from_millis(100);
        const LONG: Duration = Duration::from_secs(3600);
        for (name, other, known, unknown) in
            [("acme", "none", SHORT, LONG), ("none", "acme", LONG, SHORT)]
        {
            let table = Table::open();
            let source = table
                .source()
                .with_lifetime(known)
                .with_negative_lifetime(unknown);
            ask(&source, other).await.unwrap();
            let began = std::time::Instant::now();
            ask(&source, name).await.unwrap();
            while table.asked() == 2 {
                assert!(began.elapsed() < PATIENCE, "{name} is remembered for ever");
                ask(&source, name).await.unwrap();
            }
            assert!(began.elapsed() >= SHORT, "{name}: {:?}", began.elapsed());
            ask(&source, other).await.unwrap();
            assert_eq!(table.asked(), 3, "{other} is remembered still");
        }
    }

    #[tokio::test]
    async fn a_tenant_that_is_forgotten_is_forgotten_under_every_spelling() {
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        let source = source(move |name: String| {
            count.fetch_add(1, Ordering::SeqCst);
            let id = name.to_lowercase();
            async move { Ok((id != "none").then(|| tenant(&id, SECRET))) }
        });
        let spellings = ["acme", "ACME", "Acme", "other", "none"];
        for (forgotten, asked_since) in [("acme", 3), ("other", 1), ("none", 1), ("ACME", 1)] {
            for name in spellings {
                ask(&source, name).await.unwrap();
            }
            let before = asked.load(Ordering::SeqCst);
            source.forget(forgotten).await;
            for name in spellings {
                ask(&source, name).await.unwrap();
            }
            let since = asked.load(Ordering::SeqCst) - before;
            assert_eq!(since, asked_since, "{forgotten}");
        }
    }

    #[tokio::test]
    async fn a_tenant_that_comes_to_be_is_found_after_the_negative_lifetime() {
        let there = Arc::new(AtomicBool::new(false));
        let is_there = Arc::clone(&there);
        let source = source(move |name| {
            let found = is_there
                .load(Ordering::SeqCst)
                .then(|| tenant(&name, SECRET));
            async move { Ok(found) }
        })
        .with_negative_lifetime(Duration::from_millis(50));
        assert_eq!(ask(&source, "acme").await.unwrap(), None);
        there.store(true, Ordering::SeqCst);
        let began = std::time::Instant::now();
        while ask(&source, "acme").await.unwrap().is_none() {
            assert!(began.elapsed() < PATIENCE);
        }
    }

    #[tokio::test]
    async fn errors_are_not_remembered() {
        let asked = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&asked);
        let source = source(move |name| {
            let first = counter.fetch_add(1, Ordering::SeqCst) == 0;
            async move {
                if first {
                    return Err("the table is locked".into());
                }
                Ok(Some(tenant(&name, SECRET)))
            }
        });
        let layer = layer(source);
        let answer = send_whole(&layer, signed("/hooks/acme", SECRET, "body")).await;
        assert_unavailable(&answer, RejectionKind::SecretSourceFailed);
        let said = refusal(&answer).unwrap().to_string();
        assert!(said.ends_with("the table is locked"), "{said}");
        let answer = send_whole(&layer, signed("/hooks/acme", SECRET, "body")).await;
        assert_eq!(event(&answer).tenant(), Some("acme"));
        assert_eq!(asked.load(Ordering::SeqCst), 2);
    }

    // Many at once

    #[tokio::test]
    async fn a_thousand_requests_at_once_make_one_look_up() {
        let table = Table::shut();
        let source = table.source();
        let asking = crowd(&source, "acme", 1000).await;
        assert_eq!(table.asked(), 1);
        table.permits.add_permits(1);
        for task in asking {
            let found = timeout(PATIENCE, task).await.unwrap().unwrap();
            assert_eq!(found.unwrap().as_deref(), Some("acme"));
        }
        assert_eq!(table.asked(), 1);
        assert_eq!(tasks(), 0);
    }

    #[tokio::test]
    async fn an_error_answers_all_who_wait_for_it() {
        let table = Table::shut();
        let source = table.source();
        let asking = crowd(&source, "acme", 100).await;
        table.permits.close();
        for task in asking {
            let found = timeout(PATIENCE, task).await.unwrap().unwrap();
            assert!(found.is_err());
        }
        assert_eq!(table.asked(), 1);
    }

    #[tokio::test]
    async fn a_look_up_goes_on_when_those_who_began_it_go_away() {
        let table = Table::shut();
        let source = table.source();
        let mut asking = crowd(&source, "acme", 1000).await;
        for task in asking.drain(..500) {
            task.abort();
        }
        // The look-up, and two for each who still waits.
        until_tasks(1 + 2 * 500).await;
        table.permits.add_permits(1);
        for task in asking {
            let found = timeout(PATIENCE, task).await.unwrap().unwrap();
            assert_eq!(found.unwrap().as_deref(), Some("acme"));
        }
        assert_eq!(table.asked(), 1);
    }

    #[tokio::test]
    async fn a_look_up_goes_on_when_nobody_waits_for_it_any_more() {
        let table = Table::shut();
        let source = table.source();
        for task in crowd(&source, "acme", 1000).await {
            task.abort();
        }
        // Whoever waited has left no task behind.
        until_tasks(1).await;
        assert_eq!(table.asked(), 1);
        table.permits.add_permits(1);
        until_tasks(0).await;
        assert_eq!(ask(&source, "acme").await.unwrap().as_deref(), Some("acme"));
        assert_eq!(table.asked(), 1);
    }

    #[tokio::test]
    async fn a_request_that_goes_away_at_once_looks_nothing_up() {
        let table = Table::open();
        let source = table.source();
        let mut asking = Box::pin(ask(&source, "acme"));
        assert!(poll_once(asking.as_mut()).is_pending());
        drop(asking);
        until_tasks(0).await;
        assert_eq!(table.asked(), 0);
    }

    #[tokio::test]
    async fn different_tenants_do_not_wait_for_each_other() {
        let table = Table::shut();
        let source = table.source();
        let first = crowd(&source, "acme-1", 10).await;
        let second = crowd(&source, "acme-2", 10).await;
        assert_eq!(table.asked(), 2);
        table.permits.add_permits(2);
        for (tasks, name) in [(second, "acme-2"), (first, "acme-1")] {
            for task in tasks {
                let found = timeout(PATIENCE, task).await.unwrap().unwrap();
                assert_eq!(found.unwrap().as_deref(), Some(name));
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_look_up_that_hangs_ends_after_thirty_seconds_and_leaves_nothing_behind() {
        let dropped = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&dropped);
        let asked = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&asked);
        let source = source(move |_| {
            let guard = Dropped(Arc::clone(&flag));
            counter.fetch_add(1, Ordering::SeqCst);
            async move {
                let _guard = guard;
                pending().await
            }
        });
        let layer = layer(source);
        let began = Instant::now();
        for seconds in [5, 10, 15] {
            let answer = send_whole(&layer, signed("/hooks/acme", SECRET, "body")).await;
            assert_unavailable(&answer, RejectionKind::SecretSourceTimeout);
            assert_eq!(began.elapsed().as_secs(), seconds);
            until_tasks(1).await;
        }
        assert_eq!(asked.load(Ordering::SeqCst), 1);
        assert!(!dropped.load(Ordering::SeqCst));

        // Whoever waits at that moment is told of it.
        let patient = layer.with_key_timeout(PATIENCE);
        let answer = send_whole(&patient, signed("/hooks/acme", SECRET, "body")).await;
        assert_unavailable(&answer, RejectionKind::SecretSourceFailed);
        assert_eq!(began.elapsed().as_secs(), 30);
        assert!(dropped.load(Ordering::SeqCst));
        until_tasks(0).await;
        assert_eq!(asked.load(Ordering::SeqCst), 1);

        // The next one begins anew.
        let answer = send_whole(&patient, signed("/hooks/acme", SECRET, "body")).await;
        assert_unavailable(&answer, RejectionKind::SecretSourceFailed);
        assert_eq!(began.elapsed().as_secs(), 60);
        assert_eq!(asked.load(Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn a_look_up_that_panics_is_503_for_all_who_wait_and_is_tried_again_by_the_next() {
        let table = Table::shut();
        let broken = table.clone();
        let source = source(move |name| {
            let look_up = broken.clone().look_up(name);
            let is_first = broken.asked() == 0;
            async move {
                let found = look_up.await;
                assert!(!is_first, "this table is broken");
                found
            }
        });
        let asking = crowd(&source, "acme", 1000).await;
        table.permits.add_permits(1000);
        let mut refused = 0;
        for task in asking {
            let found = timeout(PATIENCE, task).await.unwrap().unwrap();
            refused += usize::from(found.is_err());
        }
        assert_eq!((refused, table.asked()), (1000, 1));
        let layer = layer(source);
        let answer = send_whole(&layer, signed("/hooks/acme", SECRET, "body")).await;
        assert_eq!(event(&answer).tenant(), Some("acme"));
        assert_eq!(table.asked(), 2);
    }

    #[tokio::test]
    async fn a_look_up_that_always_panics_is_503_and_does_no_harm_to_others() {
        let source = source(|name| async move {
            assert!(name != "acme-broken", "this row is broken");
            Ok(Some(tenant(&name, SECRET)))
        });
        let layer = layer(source);
        for _ in 0..2 {
            let answer = send_whole(&layer, signed("/hooks/acme-broken", SECRET, "body")).await;
            assert_unavailable(&answer, RejectionKind::SecretSourceFailed);
            let answer = send_whole(&layer, signed("/hooks/acme", SECRET, "body")).await;
            assert_eq!(event(&answer).tenant(), Some("acme"));
        }
    }

    // What is forgotten

    #[tokio::test]
    async fn what_is_forgotten_is_looked_up_anew() {
        let table = Table::open();
        let source = table.source();
        let names = ["acme-1", "acme-2", "none"];
        for (forgets, expected) in [("acme-1", 4), ("none", 5), ("never-asked-for", 5)] {
            for name in names {
                ask(&source, name).await.unwrap();
            }
            source.clone().forget(forgets).await;
            for name in names {
                ask(&source, name).await.unwrap();
            }
            assert_eq!(table.asked(), expected, "{forgets}");
        }
        source.forget_all();
        for name in names {
            ask(&source, name).await.unwrap();
        }
        assert_eq!(table.asked(), 8);
    }

    #[tokio::test]
    async fn a_key_that_was_revoked_during_a_look_up_is_not_accepted_after_it_was_forgotten() {
        for forget_all in [false, true] {
            let table = Table::shut();
            let key = Arc::new(Mutex::new(SECRET));
            let (slow, row) = (table.clone(), Arc::clone(&key));
            let source = source(move |name| {
                let slow = slow.clone();
                // The row is read, and then its answer takes its time.
                let row = *row.lock().unwrap();
                async move {
                    let found = slow.look_up(name).await?;
                    Ok(found.map(|found| tenant(found.id().unwrap(), row)))
                }
            });
            let layer = layer(source.clone());
            let mut before = pin!(send_whole(&layer, signed("/hooks/acme", SECRET, "body")));
            let asking = async {
                tokio::select! {
                    _ = &mut before => panic!("answered without a look-up"),
                    () = table.until_asked(1) => {}
                }
            };
            asking.await;

            *key.lock().unwrap() = OTHER_SECRET;
            if forget_all {
                source.forget_all();
            } else {
                source.forget("acme").await;
            }
            // It comes after the key was forgotten, and before the old look-up has ended.
            let mut after = pin!(send_whole(&layer, signed("/hooks/acme", SECRET, "body")));
            assert!(poll_once(after.as_mut()).is_pending());
            table.permits.add_permits(3);
            // This one has come while the key was good.
            let answer = before.await;
            assert_eq!(event(&answer).tenant(), Some("acme"));
            let after = after.await;
            assert_eq!(
                kind(&after),
                Some(RejectionKind::SignatureMismatch),
                "forget_all: {forget_all}"
            );
            let later = send_whole(&layer, signed("/hooks/acme", SECRET, "body")).await;
            assert_eq!(kind(&later), Some(RejectionKind::SignatureMismatch));
            let good = signed("/hooks/acme", OTHER_SECRET, "body");
            let answer = send_whole(&layer, good).await;
            assert_eq!(event(&answer).tenant(), Some("acme"));
            assert_eq!(table.asked(), 2);
        }
    }

    // How much is remembered

    #[tokio::test]
    async fn a_flood_of_made_up_names_drives_out_no_tenant_in_use() {
        const FLOOD: usize = 50_000;
        let asked = Arc::new(Mutex::new(HashMap::<String, usize>::new()));
        let log = Arc::clone(&asked);
        let source = source(move |name| {
            *log.lock().unwrap().entry(name.clone()).or_default() += 1;
            async move { Ok(name.starts_with("acme").then(|| tenant(&name, SECRET))) }
        })
        .with_capacity(1000)
        .with_negative_lifetime(Duration::from_secs(3600))
        .with_lifetime(Duration::from_secs(3600));
        let in_use: Vec<String> = (0..10).map(|n| format!("acme-{n}")).collect();
        for name in &in_use {
            ask(&source, name).await.unwrap();
        }
        for n in 0..FLOOD {
            ask(&source, &format!("made-up-{n}")).await.unwrap();
            // Each tenant has one request in a thousand.
            if n % 100 == 0 {
                ask(&source, &in_use[n / 100 % 10]).await.unwrap();
            }
        }
        let looked_up = |name: &String| asked.lock().unwrap()[name];
        // Before the cache is half full it counts nothing, so one that was asked for once may have to come again.
        let often: usize = in_use.iter().map(looked_up).sum();
        let requests = in_use.len() + FLOOD / 100;
        assert!(
            often <= 3 * in_use.len(),
            "{often} look-ups for {requests} requests"
        );

        // Whatever is still remembered is not looked up again. Nothing is asked for a third time, so what this puts in
        // does not count.
        let before = asked.lock().unwrap().len();
        assert_eq!(before, FLOOD + in_use.len());
        let mut remembered = 0;
        for n in (0..FLOOD).rev() {
            let name = format!("made-up-{n}");
            ask(&source, &name).await.unwrap();
            remembered += usize::from(looked_up(&name) == 1);
        }
        // The cache clears up in batches of some hundred.
        assert!(remembered < 2000, "{remembered} names are remembered");
        assert!(remembered > 0, "nothing is remembered");
    }

    #[tokio::test]
    async fn a_flood_of_tenants_that_exist_is_bounded_too() {
        const FLOOD: usize = 20_000;
        let table = Table::open();
        let source = table.source().with_capacity(100);
        for n in 0..FLOOD {
            ask(&source, &format!("acme-{n}")).await.unwrap();
        }
        assert_eq!(table.asked(), FLOOD);
        for n in (0..FLOOD).rev() {
            ask(&source, &format!("acme-{n}")).await.unwrap();
        }
        let remembered = 2 * FLOOD - table.asked();
        // The cache clears up in batches of some hundred.
        assert!(remembered > 0, "nothing is remembered");
        assert!(remembered < 1000, "{remembered} tenants are remembered");
    }

    #[tokio::test]
    async fn a_tenant_that_is_new_in_a_flood_is_remembered_soon() {
        let table = Table::open();
        let source = table
            .source()
            .with_capacity(100)
            .with_negative_lifetime(Duration::from_secs(3600));
        let mut made_up = 0;
        let mut flood = async |count: usize| {
            for _ in 0..count {
                made_up += 1;
                ask(&source, &format!("made-up-{made_up}")).await.unwrap();
            }
        };
        flood(5000).await;
        let mut looked_up = 0;
        for _ in 0..50 {
            let before = table.asked();
            ask(&source, "acme").await.unwrap();
            looked_up += table.asked() - before;
            flood(100).await;
        }
        assert!(looked_up <= 5, "looked up {looked_up} times of 50");
    }

    #[tokio::test]
    async fn names_of_any_length_are_told_apart_and_not_kept() {
        let table = Table::open();
        let source = table.source();
        let long = format!("acme{}", "x".repeat(100 * 1024));
        let longer = format!("{long}y");
        for _ in 0..2 {
            for name in [&long, &longer, &String::new()] {
                let found = ask(&source, name).await.unwrap();
                assert_eq!(found.as_ref(), Some(name).filter(|name| !name.is_empty()));
            }
        }
        assert_eq!(table.asked(), 3);
    }

    #[test]
    fn its_debug_shows_how_it_is_set_and_nothing_of_what_it_holds() {
        let source = Table::open().source().with_capacity(7);
        assert_eq!(
            format!("{source:?}"),
            "CachedSource { lifetime: 300s, negative_lifetime: 10s, capacity: 7, .. }"
        );
    }
}
