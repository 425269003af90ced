//! What operators see: the span, log lines and counters of each request, the same on every
//! framework, documented, and without anything secret or personal.

mod events;
mod hidden;
mod refusals;

use std::{
    collections::{BTreeMap, BTreeSet},
    convert::Infallible,
    fmt,
    future::pending,
    pin::{Pin, pin},
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker, ready},
};

use actix_web::{
    App, HttpResponse,
    dev::Payload as ActixPayload,
    error::PayloadError,
    test::{TestRequest, call_service, init_service},
    web,
};
use axum::{Router, body::Body, routing::post};
use bytes::Bytes;
use futures_core::Stream;
use http::{HeaderMap, HeaderValue, Request, StatusCode};
use http_body::Body as _;
use metrics::LocalRecorderGuard;
use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};
use serde_json::Value;
use support::{Answer, GITHUB_SECRET, NOW, Rest, SVIX_SECRET, Step, TestBody, at, data};
use tower::{Layer as _, ServiceBuilder, ServiceExt, service_fn};
use tower_webhook::{
    Hint, NoteKind, Payload, Provider, PublicKey, RejectionKind, Scheme, Secret, Signer,
    VerifiedEvent, Verifier, WebhookVerifyLayer,
    delivery::{DeliveryLayer, MemoryStore},
    handshake::HandshakeLayer,
    keys::{KeyFuture, KeySet, KeySource, Tenant, source_fn},
    providers,
    scheme::{Algorithm, Encoding, SignatureFormat},
};
use tracing::{
    Event, Level, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
    subscriber::DefaultGuard,
};
use tracing_subscriber::{
    layer::{self, SubscriberExt},
    registry::LookupSpan,
    util::SubscriberInitExt,
};
const TARGET: &str = "tower_webhook";
const SIGNATURE: &str = support::SIGNATURE;
const HANDLERS_LINE: &str = "the handler says something";
const FIRST_LINE: &str = "webhook verified, the first of this endpoint since it started";

// Capturing

/// Fields and their values as text.
type Fields = BTreeMap<String, String>;

struct Collect<'f>(&'f mut Fields);

impl Visit for Collect<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}"));
    }
}

/// One span at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
struct SpanSeen {
    name: &'static str,
    target: String,
    level: Level,
    fields: Fields,
    /// All fields that it can have.
    declared: Vec<&'static str>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Line {
    level: Level,
    target: String,
    fields: Fields,
    /// The spans around it as they were then, the innermost first.
    within: Vec<SpanSeen>,
}

impl Line {
    fn message(&self) -> &str {
        &self.fields["message"]
    }
}

/// Subscribers write the fields of a line and of the spans around it in one line.
fn assert_no_field_twice(line: &Line) {
    for span in line.within.iter().filter(|span| span.target == TARGET) {
        let twice: Vec<_> = span
            .fields
            .keys()
            .filter(|name| line.fields.contains_key(*name))
            .collect();
        assert!(twice.is_empty(), "{twice:?} twice: {line:?}");
    }
    assert!(
        line.fields.values().all(|value| !value.is_empty()),
        "{line:?}"
    );
}

#[derive(Clone, Default)]
struct Seen {
    spans: Arc<Mutex<Vec<SpanSeen>>>,
    lines: Arc<Mutex<Vec<Line>>>,
}

/// The place of a span in the list.
struct Place(usize);

impl<S: Subscriber + for<'s> LookupSpan<'s>> layer::Layer<S> for Seen {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: layer::Context<'_, S>) {
        let mut fields = Fields::new();
        attributes.record(&mut Collect(&mut fields));
        let metadata = attributes.metadata();
        let mut spans = self.spans.lock().unwrap();
        context
            .span(id)
            .unwrap()
            .extensions_mut()
            .insert(Place(spans.len()));
        spans.push(SpanSeen {
            name: metadata.name(),
            target: metadata.target().to_owned(),
            level: *metadata.level(),
            fields,
            declared: metadata.fields().iter().map(|field| field.name()).collect(),
        });
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: layer::Context<'_, S>) {
        let span = context.span(id).unwrap();
        let place = span.extensions().get::<Place>().unwrap().0;
        let fields = &mut self.spans.lock().unwrap()[place].fields;
        values.record(&mut Collect(fields));
    }

    fn on_event(&self, event: &Event<'_>, context: layer::Context<'_, S>) {
        let mut fields = Fields::new();
        event.record(&mut Collect(&mut fields));
        let spans = self.spans.lock().unwrap();
        let within = context.event_scope(event).into_iter().flatten();
        let within = within.map(|span| {
            let place = span.extensions().get::<Place>().unwrap().0;
            spans[place].clone()
        });
        self.lines.lock().unwrap().push(Line {
            level: *event.metadata().level(),
            target: event.metadata().target().to_owned(),
            fields,
            within: within.collect(),
        });
    }
}

/// Counters by name and labels, as in `name{a="1",b=""}`.
type Counters = BTreeMap<String, u64>;

/// Sees everything that happens on this thread for as long as it lives.
struct Operators {
    seen: Seen,
    counters: Snapshotter,
    _log: DefaultGuard,
    _recorder: LocalRecorderGuard<'static>,
}

/// What operators have seen of one thing.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Sight {
    spans: Vec<SpanSeen>,
    lines: Vec<Line>,
    counters: Counters,
}

impl Operators {
    fn watch() -> Self {
        support::listen_to_everything();
        let seen = Seen::default();
        // This brings lines of the `log` facade, too, which actix-web writes to.
        let log = tracing_subscriber::registry()
            .with(seen.clone())
            .set_default();
        let recorder: &DebuggingRecorder = Box::leak(Box::default());
        Self {
            seen,
            counters: recorder.snapshotter(),
            _log: log,
            _recorder: metrics::set_default_local_recorder(recorder),
        }
    }

    /// All that was seen since the last call, whoever said it.
    fn take_all(&self) -> Sight {
        let mut counters = Counters::new();
        for (key, _, _, value) in self.counters.snapshot().into_vec() {
            let labels = key.key().labels();
            let labels = labels.map(|label| format!("{}={:?}", label.key(), label.value()));
            let labels = labels.collect::<Vec<_>>().join(",");
            let DebugValue::Counter(count) = value else {
                panic!("{key:?} is no counter");
            };
            if count > 0 {
                counters.insert(format!("{}{{{labels}}}", key.key().name()), count);
            }
        }
        let lines = std::mem::take(&mut *self.seen.lines.lock().unwrap());
        // A span that is still open keeps its place.
        let spans = self.seen.spans.lock().unwrap().clone();
        Sight {
            spans,
            lines,
            counters,
        }
    }

    /// As before, of this crate alone.
    fn take(&self) -> Sight {
        let mut sight = self.take_all();
        sight.spans.retain(|span| span.target == TARGET);
        sight.lines.retain(|line| line.target == TARGET);
        for line in &mut sight.lines {
            line.within.retain(|span| span.target == TARGET);
        }
        sight
    }
}

// Sending

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Host {
    Tower,
    Axum,
    Actix,
}

impl Host {
    const ALL: [Self; 3] = [Self::Tower, Self::Axum, Self::Actix];

    /// Sends a request to a route whose handler takes the event as a `T`, and answers 202.
    async fn send<T: Payload + Send + 'static>(
        self,
        layer: Option<WebhookVerifyLayer>,
        request: Request<TestBody>,
    ) -> StatusCode {
        match self {
            Self::Tower => on_tower::<T>(layer, request).await,
            Self::Axum => on_axum::<T>(layer, request).await,
            Self::Actix => on_actix::<T>(layer, request).await,
        }
    }
}

async fn on_tower<T: Payload + Send + 'static>(
    layer: Option<WebhookVerifyLayer>,
    request: Request<TestBody>,
) -> StatusCode {
    let handler = service_fn(|request: Request<TestBody>| async move {
        let answer = match VerifiedEvent::<T>::from_extensions(request.extensions()) {
            Ok(_) => {
                tracing::info!("{HANDLERS_LINE}");
                let mut answer = Answer::default();
                *answer.status_mut() = StatusCode::ACCEPTED;
                answer
            }
            Err(rejection) => rejection.to_response().map(|()| Default::default()),
        };
        Ok::<_, Infallible>(answer)
    });
    let answer = match layer {
        Some(layer) => layer.layer(handler).oneshot(request).await,
        None => handler.oneshot(request).await,
    };
    answer.unwrap().status()
}

async fn on_axum<T: Payload + Send + 'static>(
    layer: Option<WebhookVerifyLayer>,
    request: Request<TestBody>,
) -> StatusCode {
    async fn handler<T: Payload>(_: VerifiedEvent<T>) -> StatusCode {
        tracing::info!("{HANDLERS_LINE}");
        StatusCode::ACCEPTED
    }
    let route = post(handler::<T>);
    let route = match layer {
        Some(layer) => route.route_layer(layer),
        None => route,
    };
    let app = Router::new().route("/hook", route);
    let answer = app.oneshot(request.map(Body::new)).await;
    answer.unwrap().status()
}

async fn on_actix<T: Payload + Send + 'static>(
    layer: Option<WebhookVerifyLayer>,
    request: Request<TestBody>,
) -> StatusCode {
    async fn handler<T: Payload>(_: VerifiedEvent<T>) -> HttpResponse {
        tracing::info!("{HANDLERS_LINE}");
        HttpResponse::Accepted().finish()
    }
    let (head, body) = request.into_parts();
    let mut request = TestRequest::post().uri("/hook");
    for (name, value) in &head.headers {
        request = request.append_header((name.as_str(), value.as_bytes()));
    }
    let payload: Pin<Box<dyn Stream<Item = _>>> = Box::pin(Streamed(body));
    let payload = ActixPayload::Stream { payload };
    let (request, _) = request.to_request().replace_payload(payload);
    let route = web::post().to(handler::<T>);
    let status = match layer {
        Some(layer) => {
            let app = App::new().route("/hook", route.wrap(layer));
            let app = init_service(app).await;
            call_service(&app, request).await.status()
        }
        None => {
            let app = init_service(App::new().route("/hook", route)).await;
            call_service(&app, request).await.status()
        }
    };
    StatusCode::from_u16(status.as_u16()).unwrap()
}

/// A body as the stream that actix-web has.
struct Streamed(TestBody);

impl Stream for Streamed {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let next = ready!(Pin::new(&mut self.0).poll_frame(cx));
        Poll::Ready(next.map(|frame| match frame {
            Ok(frame) => Ok(frame.into_data().unwrap_or_default()),
            Err(_) => Err(PayloadError::Incomplete(None)),
        }))
    }
}

fn layer(verifier: Verifier) -> WebhookVerifyLayer {
    let verifier = verifier.with_endpoint("orders").with_max_body(100);
    WebhookVerifyLayer::new(verifier).with_clock(|| at(NOW))
}

fn paypal() -> WebhookVerifyLayer {
    let provider = providers::paypal().with_param("webhook_id", "7");
    let key = PublicKey::new(include_str!(
        "../../src/crypto/vectors/keys/rsa2048.pub.pem"
    ));
    layer(Verifier::new(provider.accept_unsigned_body(), key).unwrap())
}

/// A request of PayPal whose certificate is at the address of somebody else.
fn from_elsewhere() -> Request<TestBody> {
    let signature: &'static str = format!("{}==", "A".repeat(342)).leak();
    let headers = [
        ("paypal-auth-algo", "SHA256withRSA"),
        (
            "paypal-cert-url",
            "https://api.paypal.com.evil.example/v1/c",
        ),
        ("paypal-transmission-id", "7"),
        ("paypal-transmission-sig", signature),
        ("paypal-transmission-time", "2023-11-14T22:13:20Z"),
    ];
    headers
        .into_iter()
        .fold(signed("{}"), |request, (name, value)| {
            with_header(request, name, value)
        })
}

fn github() -> Verifier {
    let secret = Secret::new(GITHUB_SECRET).with_id("key-1");
    Verifier::new(providers::github(), secret).unwrap()
}

fn signed(body: &'static str) -> Request<TestBody> {
    sign(providers::github(), GITHUB_SECRET, body)
}

fn sign(provider: Provider, secret: &str, body: &'static str) -> Request<TestBody> {
    let signer = Signer::new(provider, Secret::new(secret)).unwrap();
    let request = Request::post("/hook");
    let request = signer.with_time(at(NOW)).sign(request, body).unwrap();
    request.map(|body| TestBody::from(Bytes::from_static(body.as_bytes())))
}

fn svix_at(seconds: u64, id: &'static str) -> Request<TestBody> {
    let signer = Signer::new(providers::svix(), Secret::new(SVIX_SECRET)).unwrap();
    let request = Request::post("/hook").header("svix-id", id);
    let request = signer.with_time(at(seconds)).sign(request, "{}").unwrap();
    request.map(|_| TestBody::new([data("{}")]))
}

fn svix() -> Verifier {
    let secret = Secret::new(SVIX_SECRET).with_id("key-2");
    Verifier::new(providers::svix(), secret).unwrap()
}

fn client(id: &'static str) -> Provider {
    providers::authenteq().with_param("client_id", id)
}

fn with(mut request: Request<TestBody>, change: impl FnOnce(&mut HeaderMap)) -> Request<TestBody> {
    change(request.headers_mut());
    request
}

fn with_header(
    request: Request<TestBody>,
    name: &'static str,
    value: &'static str,
) -> Request<TestBody> {
    with(request, |headers| {
        headers.insert(name, HeaderValue::from_static(value));
    })
}

/// A request with this signature, which is well-formed and wrong.
fn stripe_signature(value: &str) -> Request<TestBody> {
    let value = value.replace("{tag}", &"00".repeat(32));
    let request = Request::post("/hook").header("stripe-signature", value);
    request.body(TestBody::new([data("{}")])).unwrap()
}

fn looked_up(answer: impl Fn() -> KeyFuture + Send + Sync + 'static) -> WebhookVerifyLayer {
    let source = source_fn(move |_| answer());
    layer(Verifier::from_key_source(providers::github(), source).unwrap())
}

/// A source that always finds the tenant `acme`.
fn acme() -> impl KeySource + 'static {
    source_fn(|_| {
        let secret = Secret::new(GITHUB_SECRET).with_id("acme-key-3");
        let keys = KeySet::new(&providers::github(), secret);
        async move { Ok(Some(Tenant::new("acme", keys?))) }
    })
}

// Documentation

/// The words in backquotes on the guide's page, code blocks aside.
fn documented() -> BTreeSet<&'static str> {
    let page = include_str!("../../src/docs/observability.md");
    let mut words = BTreeSet::new();
    let mut in_code = false;
    for line in page.lines() {
        if line.starts_with("```") {
            in_code = !in_code;
        } else if !in_code {
            let quoted = line.split('`').skip(1).step_by(2);
            let is_word = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
            words.extend(quoted.flat_map(|text| text.split(move |letter| !is_word(letter))));
        }
    }
    words
}

/// Every kind of refusal.
fn refusals() -> Vec<Refused> {
    let signature = "X-Hub-Signature-256";
    let plain = || layer(github());
    let dated = || layer(svix());
    let keys = |secrets: Vec<Secret>| layer(Verifier::new(providers::github(), secrets).unwrap());
    let late = || Secret::new(GITHUB_SECRET).with_not_after(at(NOW - 1));
    let spare = Secret::new("another-secret-of-length");
    let with_field = Provider::new(
        "custom",
        Scheme::signed(
            Algorithm::HmacSha256,
            "{json:/id}:{body}",
            SignatureFormat::single("X-Sig", Encoding::Hex),
        ),
    );
    let many = vec!["v1,AAAA"; 17].join(" ");
    vec![
        Refused::new(
            "body_too_large",
            plain(),
            with_header(signed("{}"), "content-length", "101"),
        )
        .long(101)
        .hinted("max_body"),
        Refused::new(
            "missing_header",
            plain(),
            with(signed("{}"), |headers| drop(headers.remove(SIGNATURE))),
        )
        .at(Level::INFO)
        .about(signature),
        Refused::new(
            "repeated_header",
            plain(),
            with(signed("{}"), |headers| {
                let again = headers[SIGNATURE].clone();
                headers.append(SIGNATURE, again);
            }),
        )
        .about(signature),
        Refused::new(
            "unexpected_header",
            layer(Verifier::new(client("ours"), Secret::new(GITHUB_SECRET)).unwrap()),
            sign(client("theirs"), GITHUB_SECRET, "{}"),
        )
        .by("authenteq")
        .about("X-CLIENT-ID"),
        Refused::new(
            "unexpected_claim",
            layer(Verifier::new(providers::netlify(), Secret::new(GITHUB_SECRET)).unwrap()),
            with_header(
                signed("{}"),
                "x-webhook-signature",
                "eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJvdGhlciJ9.AA",
            ),
        )
        .by("netlify")
        .lacking("iss"),
        Refused::new(
            "malformed_header",
            dated(),
            with_header(svix_at(NOW, "msg"), "svix-id", "a.b"),
        )
        .by("svix")
        .about("svix-id")
        .delivered("a.b"),
        Refused::new(
            "malformed_signature",
            plain(),
            with_header(signed("{}"), SIGNATURE, "sha256=zz"),
        )
        .about(signature)
        .long(9)
        .hinted("never_verified"),
        Refused::new(
            "missing_field",
            layer(Verifier::new(providers::stripe(), Secret::new(GITHUB_SECRET)).unwrap()),
            stripe_signature("v1={tag}"),
        )
        .by("stripe")
        .about("Stripe-Signature")
        .lacking("t"),
        Refused::new(
            "repeated_field",
            layer(Verifier::new(providers::stripe(), Secret::new(GITHUB_SECRET)).unwrap()),
            stripe_signature("t=1,t=2,v1={tag}"),
        )
        .by("stripe")
        .about("Stripe-Signature")
        .lacking("t"),
        Refused::new(
            "too_many_signatures",
            dated(),
            with(svix_at(NOW, "msg"), |headers| {
                headers.insert("svix-signature", many.parse().unwrap());
            }),
        )
        .by("svix")
        .about("svix-signature")
        .delivered("msg"),
        Refused::new(
            "malformed_timestamp",
            dated(),
            with_header(svix_at(NOW, "msg"), "svix-timestamp", "soon"),
        )
        .by("svix")
        .about("svix-timestamp")
        .delivered("msg")
        .long(4),
        Refused::new("timestamp_too_old", dated(), svix_at(NOW - 301, "msg"))
            .by("svix")
            .about("svix-timestamp")
            .delivered("msg")
            .hinted("clock")
            .skewed(-301),
        Refused::new("timestamp_in_future", dated(), svix_at(NOW + 301, "msg"))
            .by("svix")
            .about("svix-timestamp")
            .delivered("msg")
            .hinted("clock")
            .skewed(301),
        Refused::new(
            "malformed_body",
            layer(Verifier::new(with_field.clone(), Secret::new(GITHUB_SECRET)).unwrap()),
            sign(with_field, GITHUB_SECRET, r#"{"id":7}"#).map(|_| TestBody::new([data("{}")])),
        )
        .by("custom")
        .long(2),
        Refused::new(
            "signature_mismatch",
            plain(),
            signed("{}").map(|_| TestBody::new([data("forged")])),
        )
        .hinted("never_verified")
        .long(6),
        Refused::new(
            "signature_mismatch",
            layer(Verifier::from_key_source(providers::github(), acme()).unwrap()),
            signed("{}").map(|_| TestBody::new([data("forged")])),
        )
        .of("acme")
        .hinted("never_verified")
        .long(6),
        Refused::new("untrusted_certificate", paypal(), from_elsewhere())
            .by("paypal")
            .about("PAYPAL-CERT-URL"),
        Refused::new(
            "key_outside_window",
            keys(vec![late(), spare]),
            signed("{}"),
        )
        .long(2),
        Refused::new(
            "unknown_tenant",
            looked_up(|| Box::pin(async { Ok(None) })),
            signed("{}"),
        )
        .long(2),
        Refused::new("no_valid_key", keys(vec![late()]), signed("{}")).at(Level::ERROR),
        Refused::new(
            "key_source_failed",
            looked_up(|| Box::pin(async { Err("the table is locked".into()) })),
            signed("{}"),
        )
        .at(Level::ERROR),
        Refused::new(
            "key_source_timeout",
            looked_up(|| Box::pin(pending())),
            signed("{}"),
        )
        .at(Level::ERROR),
        Refused::new(
            "read_timeout",
            plain(),
            signed("{}").map(|_| TestBody::new([data("{")]).then(Rest::Hang)),
        ),
        Refused::new(
            "body_incomplete",
            plain(),
            signed("{}").map(|_| TestBody::new([data("{"), Step::Error])),
        ),
        Refused::new(
            "body_taken",
            plain(),
            with_header(signed("{}"), "content-length", "2").map(|_| TestBody::new([])),
        )
        .at(Level::ERROR)
        .long(0),
        Refused::new("unreadable_payload", plain(), signed("not JSON")).at(Level::ERROR),
        Refused::new(
            "unreadable_payload",
            layer(Verifier::from_key_source(providers::github(), acme()).unwrap()),
            signed("not JSON"),
        )
        .of("acme")
        .at(Level::ERROR),
        Refused {
            layer: None,
            ..Refused::new("layer_missing", plain(), signed("{}"))
                .at(Level::ERROR)
                .by("")
        },
    ]
}

/// One way to be refused, and what is to be seen of it.
struct Refused {
    kind: &'static str,
    level: Level,
    provider: &'static str,
    header: Option<&'static str>,
    field: Option<&'static str>,
    hints: &'static str,
    skew: Option<i64>,
    length: Option<u64>,
    tenant: Option<&'static str>,
    delivery: Option<&'static str>,
    layer: Option<WebhookVerifyLayer>,
    request: Request<TestBody>,
}

impl Refused {
    fn new(kind: &'static str, layer: WebhookVerifyLayer, request: Request<TestBody>) -> Self {
        Self {
            kind,
            level: Level::WARN,
            provider: "github",
            header: None,
            field: None,
            hints: "",
            skew: None,
            length: None,
            tenant: None,
            delivery: None,
            layer: Some(layer),
            request,
        }
    }

    fn at(mut self, level: Level) -> Self {
        self.level = level;
        self
    }

    fn by(mut self, provider: &'static str) -> Self {
        self.provider = provider;
        self
    }

    fn about(mut self, header: &'static str) -> Self {
        self.header = Some(header);
        self
    }

    fn lacking(mut self, field: &'static str) -> Self {
        self.field = Some(field);
        self
    }

    fn hinted(mut self, hints: &'static str) -> Self {
        self.hints = hints;
        self
    }

    fn delivered(mut self, id: &'static str) -> Self {
        self.delivery = Some(id);
        self
    }

    fn skewed(mut self, seconds: i64) -> Self {
        self.skew = Some(seconds);
        self
    }

    fn long(mut self, bytes: u64) -> Self {
        self.length = Some(bytes);
        self
    }

    fn of(mut self, tenant: &'static str) -> Self {
        self.tenant = Some(tenant);
        self
    }
}

#[tokio::test(start_paused = true)]
async fn the_guide_names_all_that_operators_see_and_nothing_else_that_is_counted() {
    let operators = Operators::watch();
    for case in refusals() {
        Host::Axum.send::<Value>(case.layer, case.request).await;
    }
    let authenteq = Verifier::new(client("ours"), Secret::new("short")).unwrap();
    for (layer, request) in [
        (layer(svix()), svix_at(NOW, "msg")),
        (layer(authenteq), sign(client("ours"), "short", "{}")),
    ] {
        let status = Host::Axum.send::<Value>(Some(layer), request).await;
        assert!(status.is_success());
    }
    let once = DeliveryLayer::new(MemoryStore::new());
    let service = ServiceBuilder::new()
        .layer(layer(svix()))
        .layer(once)
        .service(service_fn(support::accept::<TestBody>));
    let answer = service.oneshot(svix_at(NOW, "msg")).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    let dropbox = Verifier::new(providers::dropbox(), Secret::new("sixteen-bytes-and-more"));
    let asked = HandshakeLayer::new(&layer(dropbox.unwrap()));
    let asked = asked.layer(service_fn(support::accept::<TestBody>));
    let question = Request::get("/?challenge=1").body(TestBody::from(Bytes::new()));
    let answer = asked.oneshot(question.unwrap()).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    let sight = operators.take();

    let mut seen = BTreeSet::new();
    for span in &sight.spans {
        seen.insert(span.name.to_owned());
        seen.insert(span.target.clone());
        seen.extend(span.declared.iter().map(ToString::to_string));
    }
    for line in &sight.lines {
        let fields = line.fields.keys();
        seen.extend(fields.filter(|name| *name != "message").cloned());
    }
    let mut counted = BTreeSet::new();
    for name in sight.counters.keys() {
        let (name, labels) = name.split_once('{').unwrap();
        counted.insert(name.to_owned());
        let labels = labels.trim_end_matches('}').split(',');
        seen.extend(labels.map(|label| label.split('=').next().unwrap().to_owned()));
    }
    assert_eq!(counted.len(), 6, "{counted:?}");
    seen.extend(counted.clone());

    let documented = documented();
    let missing: Vec<_> = seen
        .iter()
        .filter(|name| !documented.contains(&***name))
        .collect();
    assert!(missing.is_empty(), "not in the guide: {missing:?}");
    let named: BTreeSet<String> = documented
        .iter()
        .filter(|word| word.starts_with("webhook_") && word.ends_with("_total"))
        .map(ToString::to_string)
        .collect();
    assert_eq!(named, counted);
}
