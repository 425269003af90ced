//! What operators see: the span, log lines and counters of each request, the same on every framework, documented, and without
//! anything secret or personal.

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
use support::{Answer, GITHUB_SECRET, Rest, SVIX_SECRET, Step, TestBody, at, data};
use tower::{Layer as _, ServiceBuilder, ServiceExt, service_fn};
use tower_webhook::{
    Payload, Provider, Secret, Secrets, Signer, VerifiedEvent, Verifier, WebhookVerifyLayer,
    delivery::{DeliveryLayer, MemoryStore},
    lookup::{SecretSource, Tenant, TenantFuture},
    providers,
    scheme::{Algorithm, Encoding, Scheme, Signature},
    verify::Head,
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

const NOW: u64 = 1_700_000_000;
const TARGET: &str = "tower_webhook";
const SIGNATURE: &str = support::SIGNATURE;
const HANDLERS_LINE: &str = "the handler says something";

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
            Err(rejection) => rejection.into_response(),
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

fn looked_up(answer: impl Fn() -> TenantFuture + Send + Sync + 'static) -> WebhookVerifyLayer {
    let source = move |_: &Head<'_>| answer();
    let verifier = Verifier::for_lookup(providers::github()).unwrap();
    layer(verifier).with_secret_source(source)
}

/// A source that always finds the tenant `acme`.
fn acme() -> impl SecretSource + 'static {
    |_: &Head<'_>| -> TenantFuture {
        let secret = Secret::new(GITHUB_SECRET).with_id("acme-key-3");
        let secrets = Secrets::new(&providers::github(), secret);
        Box::pin(async move { Ok(Some(Tenant::new("acme", secrets?))) })
    }
}

// Refusals

/// One way to be refused, and what is to be seen of it.
struct Refused {
    kind: &'static str,
    level: Level,
    provider: &'static str,
    header: Option<&'static str>,
    skew: Option<u64>,
    length: Option<u64>,
    tenant: Option<&'static str>,
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
            skew: None,
            length: None,
            tenant: None,
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

    fn skewed(mut self, seconds: u64) -> Self {
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
        Scheme::new(
            Algorithm::HmacSha256,
            "{json:/id}:{body}",
            Signature::single("X-Sig", Encoding::Hex),
        ),
    );
    let many = vec!["v1,AAAA"; 17].join(" ");
    vec![
        Refused::new(
            "body_too_large",
            plain(),
            with_header(signed("{}"), "content-length", "101"),
        )
        .long(101),
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
            "malformed_header",
            dated(),
            with_header(svix_at(NOW, "msg"), "svix-id", "a.b"),
        )
        .by("svix")
        .about("svix-id"),
        Refused::new(
            "malformed_signature",
            plain(),
            with_header(signed("{}"), SIGNATURE, "sha256=zz"),
        )
        .about(signature)
        .long(9),
        Refused::new(
            "too_many_signatures",
            dated(),
            with(svix_at(NOW, "msg"), |headers| {
                headers.insert("svix-signature", many.parse().unwrap());
            }),
        )
        .by("svix")
        .about("svix-signature"),
        Refused::new(
            "malformed_timestamp",
            dated(),
            with_header(svix_at(NOW, "msg"), "svix-timestamp", "soon"),
        )
        .by("svix")
        .about("svix-timestamp")
        .long(4),
        Refused::new("timestamp_too_old", dated(), svix_at(NOW - 301, "msg"))
            .by("svix")
            .about("svix-timestamp")
            .skewed(301),
        Refused::new("timestamp_in_future", dated(), svix_at(NOW + 301, "msg"))
            .by("svix")
            .about("svix-timestamp")
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
        .long(6),
        Refused::new(
            "signature_mismatch",
            layer(Verifier::for_lookup(providers::github()).unwrap()).with_secret_source(acme()),
            signed("{}").map(|_| TestBody::new([data("forged")])),
        )
        .of("acme")
        .long(6),
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
        .at(Level::INFO)
        .long(2),
        Refused::new("no_valid_key", keys(vec![late()]), signed("{}")).at(Level::ERROR),
        Refused::new(
            "secret_source_failed",
            looked_up(|| Box::pin(async { Err("the table is locked".into()) })),
            signed("{}"),
        )
        .at(Level::ERROR),
        Refused::new(
            "secret_source_timeout",
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
            layer(Verifier::for_lookup(providers::github()).unwrap()).with_secret_source(acme()),
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

fn entry<T: ToString>(name: &str, value: Option<T>) -> Option<(String, String)> {
    Some((name.to_owned(), value?.to_string()))
}

#[tokio::test(start_paused = true)]
async fn each_kind_of_refusal_has_its_line_span_and_counter_on_every_host() {
    for host in Host::ALL {
        for case in refusals() {
            let place = format!("{host:?}, {}", case.kind);
            let has_layer = case.layer.is_some();
            let operators = Operators::watch();
            host.send::<Value>(case.layer, case.request).await;
            let sight = operators.take();

            let provider = Some(case.provider).filter(|name| !name.is_empty());
            let endpoint = has_layer.then_some("orders");
            let refused: Vec<_> = sight
                .lines
                .iter()
                .filter(|line| line.message().starts_with("webhook refused: "))
                .collect();
            assert_eq!(refused.len(), 1, "{place}: {:?}", sight.lines);
            let line = refused[0];
            assert_eq!(line.level, case.level, "{place}");
            let mut fields = line.fields.clone();
            fields.remove("message");
            let expected = [
                entry("kind", Some(case.kind)),
                entry("provider", provider),
                entry("endpoint", endpoint),
                entry("tenant", case.tenant),
                entry("header", case.header),
                entry("skew", case.skew),
                entry("length", case.length),
            ];
            assert_eq!(
                fields,
                Fields::from_iter(expected.into_iter().flatten()),
                "{place}"
            );

            let label = format!(
                "webhook_refused_total{{provider={:?},endpoint={:?},kind={:?}}}",
                case.provider,
                endpoint.unwrap_or_default(),
                case.kind
            );
            let refused: Vec<_> = sight
                .counters
                .iter()
                .filter(|(name, _)| name.starts_with("webhook_refused_total"))
                .collect();
            assert_eq!(refused, [(&label, &1)], "{place}");

            if !has_layer {
                assert_eq!(sight.spans, [], "{place}");
                assert_eq!(line.within, [], "{place}");
                continue;
            }
            assert_eq!(sight.spans.len(), 1, "{place}");
            assert_eq!(line.within.len(), 1, "{place}: the line is in the span");
            let span = &sight.spans[0];
            assert_eq!((span.name, span.level), ("webhook", Level::INFO));
            let extracted = case.kind == "unreadable_payload";
            let key_id = if case.tenant.is_some() {
                "acme-key-3"
            } else {
                "key-1"
            };
            let of_body = ["body_too_large", "signature_mismatch"].contains(&case.kind);
            let expected = [
                entry("provider", provider),
                entry("endpoint", endpoint),
                entry("tenant", case.tenant),
                // A genuine event that the handler cannot read was verified all the same.
                entry(
                    "outcome",
                    Some(if extracted { "verified" } else { "refused" }),
                ),
                entry("kind", (!extracted).then_some(case.kind)),
                entry("skew", case.skew),
                entry("bytes", case.length.filter(|_| of_body)),
                entry("bytes", extracted.then_some(8)),
                entry("key_id", extracted.then_some(key_id)),
                entry("construction", extracted.then_some("hmac-sha256")),
            ];
            assert_eq!(
                span.fields,
                Fields::from_iter(expected.into_iter().flatten()),
                "{place}"
            );
            let verified = sight
                .counters
                .keys()
                .any(|name| name.starts_with("webhook_verified_total"));
            assert_eq!(verified, extracted, "{place}");
        }
    }
}

#[tokio::test]
async fn the_text_of_a_sources_error_is_in_the_log() {
    for host in Host::ALL {
        let operators = Operators::watch();
        let layer = looked_up(|| Box::pin(async { Err("the table is locked".into()) }));
        host.send::<Value>(Some(layer), signed("{}")).await;
        let lines = operators.take().lines;
        assert_eq!(
            lines[0].message(),
            "webhook refused: the secret source failed: the table is locked"
        );
    }
}

#[test]
fn every_kind_of_the_runbook_that_verification_has_is_seen_here() {
    let runbook = include_str!("../../RUNBOOK.md");
    let rows = runbook.lines().filter_map(|line| {
        let (kind, rest) = line.strip_prefix("| `")?.split_once("` ")?;
        let status = rest.get(..3)?;
        status.parse::<u16>().ok().map(|_| kind)
    });
    // What a delivery layer refuses is seen where deliveries are tested.
    let of_deliveries = |kind: &&str| kind.starts_with("delivery_") || kind.starts_with("handler");
    let documented: BTreeSet<&str> = rows.filter(|kind| !of_deliveries(kind)).collect();
    let seen: BTreeSet<&str> = refusals().iter().map(|case| case.kind).collect();
    assert_eq!(documented, seen);
}

#[tokio::test(start_paused = true)]
async fn the_three_hosts_tell_the_same() {
    let mut told = Vec::new();
    for host in Host::ALL {
        let mut sights = Vec::new();
        for case in refusals() {
            let operators = Operators::watch();
            let status = host.send::<Value>(case.layer, case.request).await;
            let mut sight = operators.take();
            for line in &mut sight.lines {
                // Why a body broke off is each server's own.
                line.within.clear();
            }
            sights.push((case.kind, status, sight));
        }
        let operators = Operators::watch();
        let status = host
            .send::<Value>(Some(layer(svix())), svix_at(NOW - 7, "msg"))
            .await;
        sights.push(("verified", status, operators.take()));
        told.push(sights);
    }
    for other in &told[1..] {
        for (first, other) in told[0].iter().zip(other) {
            assert_eq!(first, other);
        }
    }
}

// Verified events

#[tokio::test]
async fn a_verified_event_has_its_line_span_and_counters_on_every_host() {
    let several = Verifier::new(
        providers::authento(),
        Secret::new(GITHUB_SECRET).with_id("key-4"),
    );
    let tenants = || {
        let verifier = Verifier::for_lookup(providers::github()).unwrap();
        layer(verifier).with_secret_source(acme())
    };
    let nameless = || {
        let verifier = Verifier::new(providers::github(), Secret::new(GITHUB_SECRET)).unwrap();
        WebhookVerifyLayer::new(verifier)
    };
    for host in Host::ALL {
        for (layer, request, level, facts, counters) in [
            (
                layer(svix()),
                svix_at(NOW - 7, "msg"),
                Level::DEBUG,
                "bytes=2 construction=hmac-sha256 endpoint=orders key_id=key-2 provider=svix skew=7",
                [
                    r#"webhook_body_bytes_total{provider="svix",endpoint="orders"} 2"#,
                    r#"webhook_verified_total{provider="svix",endpoint="orders",construction="hmac-sha256",key_id="key-2"} 1"#,
                ],
            ),
            (
                layer(svix()),
                svix_at(NOW + 300, "msg"),
                Level::DEBUG,
                "bytes=2 construction=hmac-sha256 endpoint=orders key_id=key-2 provider=svix skew=300",
                [
                    r#"webhook_body_bytes_total{provider="svix",endpoint="orders"} 2"#,
                    r#"webhook_verified_total{provider="svix",endpoint="orders",construction="hmac-sha256",key_id="key-2"} 1"#,
                ],
            ),
            // Where the documentation can be read in two ways, it is worth knowing which it was.
            (
                layer(several.clone().unwrap()),
                sign(providers::authento(), GITHUB_SECRET, "[1, 2]"),
                Level::INFO,
                "bytes=6 construction=hmac-sha256 endpoint=orders key_id=key-4 provider=authento",
                [
                    r#"webhook_body_bytes_total{provider="authento",endpoint="orders"} 6"#,
                    r#"webhook_verified_total{provider="authento",endpoint="orders",construction="hmac-sha256",key_id="key-4"} 1"#,
                ],
            ),
            // There may be any number of tenants, so neither they nor their keys are labels.
            (
                tenants(),
                signed("{}"),
                Level::DEBUG,
                "bytes=2 construction=hmac-sha256 endpoint=orders key_id=acme-key-3 provider=github tenant=acme",
                [
                    r#"webhook_body_bytes_total{provider="github",endpoint="orders"} 2"#,
                    r#"webhook_verified_total{provider="github",endpoint="orders",construction="hmac-sha256",key_id=""} 1"#,
                ],
            ),
            (
                nameless(),
                signed("{}"),
                Level::DEBUG,
                "bytes=2 construction=hmac-sha256 provider=github",
                [
                    r#"webhook_body_bytes_total{provider="github",endpoint=""} 2"#,
                    r#"webhook_verified_total{provider="github",endpoint="",construction="hmac-sha256",key_id=""} 1"#,
                ],
            ),
        ] {
            let operators = Operators::watch();
            let status = host.send::<Value>(Some(layer), request).await;
            assert_eq!(status, StatusCode::ACCEPTED);
            let sight = operators.take();
            assert_eq!(sight.lines.len(), 1, "{host:?}: {:?}", sight.lines);
            let line = &sight.lines[0];
            assert_eq!((line.message(), line.level), ("webhook verified", level));
            let mut fields = line.fields.clone();
            fields.remove("message");
            assert_eq!(flat(&fields), facts, "{host:?}");

            assert_eq!(sight.spans.len(), 1);
            let span = &sight.spans[0];
            let mut fields = span.fields.clone();
            assert_eq!(fields.remove("outcome").as_deref(), Some("verified"));
            assert_eq!(flat(&fields), facts, "{host:?}");

            let counted = sight.counters.iter();
            let counted: Vec<_> = counted
                .map(|(name, count)| format!("{name} {count}"))
                .collect();
            assert_eq!(counted, counters, "{host:?}");
        }
    }
}

fn flat(fields: &Fields) -> String {
    let fields = fields.iter().map(|(name, value)| format!("{name}={value}"));
    fields.collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn what_a_handler_says_is_in_the_span_and_the_span_knows_the_event_by_then() {
    for host in Host::ALL {
        let operators = Operators::watch();
        host.send::<Value>(Some(layer(svix())), svix_at(NOW - 7, "msg"))
            .await;
        let sight = operators.take_all();
        let said = sight
            .lines
            .iter()
            .find(|line| line.message() == HANDLERS_LINE)
            .unwrap();
        let around = said.within.iter().find(|span| span.target == TARGET);
        let around = around.unwrap_or_else(|| panic!("{host:?}: {said:?}"));
        assert_eq!(around.name, "webhook");
        for (field, value) in [
            ("outcome", "verified"),
            ("provider", "svix"),
            ("endpoint", "orders"),
            ("key_id", "key-2"),
            ("skew", "7"),
        ] {
            assert_eq!(around.fields[field], value, "{host:?}");
        }
    }
}

#[tokio::test]
async fn what_a_source_says_is_in_the_span_and_what_others_say_meanwhile_is_not() {
    let operators = Operators::watch();
    let source = |_: &Head<'_>| -> TenantFuture {
        tracing::info!("asked");
        Box::pin(async {
            tracing::info!("begins");
            tokio::task::yield_now().await;
            tracing::info!("ends");
            Ok(None)
        })
    };
    let verifier = Verifier::for_lookup(providers::github()).unwrap();
    let layer = layer(verifier).with_secret_source(source);
    let mut sending = pin!(on_tower::<Value>(Some(layer), signed("{}")));
    let mut cx = Context::from_waker(Waker::noop());
    assert!(sending.as_mut().poll(&mut cx).is_pending());
    tracing::info!("somebody else");
    assert_eq!(sending.await, StatusCode::UNAUTHORIZED);
    tracing::info!("somebody else again");
    let lines = operators.take_all().lines;
    for (message, spans) in [
        ("asked", 1),
        ("begins", 1),
        ("ends", 1),
        ("somebody else", 0),
        ("somebody else again", 0),
    ] {
        let line = lines.iter().find(|line| line.message() == message).unwrap();
        assert_eq!(line.within.len(), spans, "{message}");
    }
}

#[tokio::test]
async fn a_status_that_is_turned_into_another_is_counted_on_every_host() {
    const BODY: &str = "{}";
    for host in Host::ALL {
        let operators = Operators::watch();
        let verifier = Verifier::new(client("ours"), Secret::new(GITHUB_SECRET)).unwrap();
        let request = sign(client("ours"), GITHUB_SECRET, BODY);
        let status = host.send::<Value>(Some(layer(verifier)), request).await;
        assert_eq!(status, StatusCode::OK);
        let sight = operators.take();
        let name = r#"webhook_status_changed_total{provider="authenteq",endpoint="orders"}"#;
        assert_eq!(sight.counters.get(name), Some(&1), "{host:?}");
        let line = sight.lines.last().unwrap();
        assert_eq!((line.level, line.within.len()), (Level::DEBUG, 1));
        let mut fields = line.fields.clone();
        fields.remove("message");
        assert_eq!(
            flat(&fields),
            "endpoint=orders from=202 provider=authenteq to=200"
        );
    }

    // What is right already is not counted.
    let operators = Operators::watch();
    let verifier = Verifier::new(client("ours"), Secret::new(GITHUB_SECRET)).unwrap();
    let service = layer(verifier).layer(service_fn(support::accept::<TestBody>));
    let request = sign(client("ours"), GITHUB_SECRET, BODY);
    let answer = service.oneshot(request).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    let counters = operators.take().counters;
    assert!(
        !counters.keys().any(|name| name.contains("changed")),
        "{counters:?}"
    );
}

#[tokio::test]
async fn mistakes_in_the_wiring_are_told_once() {
    let operators = Operators::watch();
    let weak = Verifier::new(providers::github(), Secret::new("short")).unwrap();
    // A handler that never looks at its event; and one behind the middleware twice.
    let once = layer(weak);
    let handler = || service_fn(support::accept::<TestBody>);
    let untaken = once.layer(handler());
    let twice = once.clone().layer(once.layer(handler()));
    for _ in 0..3 {
        for service in [untaken.clone().boxed_clone(), twice.clone().boxed_clone()] {
            let request = sign(providers::github(), "short", "{}");
            let answer = service.oneshot(request).await.unwrap();
            assert_eq!(answer.status(), StatusCode::OK);
        }
    }
    let lines = operators.take().lines;
    for (level, text) in [
        (Level::WARN, "fewer than 16 bytes"),
        (Level::WARN, "passes through the middleware twice"),
        (Level::INFO, "without a look at the event"),
    ] {
        let told = lines.iter().filter(|line| line.message().contains(text));
        let told: Vec<_> = told.collect();
        assert_eq!(told.len(), 1, "{text}");
        assert_eq!(told[0].level, level, "{text}");
        assert_eq!(told[0].fields["provider"], "github", "{text}");
        assert_eq!(told[0].fields["endpoint"], "orders", "{text}");
    }
}

// Nothing secret, nothing personal

/// The samples of a founding provider: bodies that say much of a person.
fn samples(name: &str) -> Vec<Bytes> {
    let folder = format!("{}/vectors/seeds/{name}", env!("CARGO_MANIFEST_DIR"));
    let files = std::fs::read_dir(folder).unwrap();
    let samples = files.map(|file| std::fs::read(file.unwrap().path()).unwrap().into());
    samples.collect()
}

/// Every text in a body.
fn texts(body: &[u8]) -> BTreeSet<String> {
    fn walk(value: &Value, into: &mut BTreeSet<String>) {
        match value {
            Value::String(text) => drop(into.insert(text.clone())),
            Value::Array(items) => items.iter().for_each(|item| walk(item, into)),
            Value::Object(fields) => fields.values().for_each(|field| walk(field, into)),
            _ => {}
        }
    }
    let text = String::from_utf8_lossy(body);
    let json = match (text.find('{'), text.rfind('}')) {
        (Some(start), Some(end)) => serde_json::from_str(&text[start..=end]).unwrap_or_default(),
        _ => Value::Null,
    };
    let mut texts = BTreeSet::new();
    walk(&json, &mut texts);
    texts.retain(|text| text.len() > 3);
    texts
}

/// The values of the headers that tell something, and the parts that they are made of.
fn values(headers: &HeaderMap) -> impl Iterator<Item = String> {
    headers.values().flat_map(|value| {
        let text = value.to_str().unwrap();
        let parts = text.split([',', ' ', '=']).filter(|part| part.len() > 3);
        parts.chain([text]).map(str::to_owned).collect::<Vec<_>>()
    })
}

#[tokio::test]
async fn nothing_secret_or_personal_is_seen_by_anybody() {
    const PERSON: &str = "Ottoline-Featherstonehaugh";
    const TEXT_SECRET: &str = "a-secret-of-some-length";
    let decoded_svix = {
        // The bytes of the key, as they might be printed.
        let text = SVIX_SECRET.trim_start_matches("whsec_");
        let bytes = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, text);
        let bytes = bytes.unwrap();
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        [text.to_owned(), hex, format!("{bytes:?}")]
    };
    for name in ["authenteq", "authento", "idenfy", "voveid"] {
        let provider = match name {
            "authenteq" => client("the-client-seven"),
            _ => providers::by_name(name).unwrap(),
        };
        let secret = if name == "voveid" {
            SVIX_SECRET
        } else {
            TEXT_SECRET
        };
        let signer = Signer::new(provider.clone(), Secret::new(secret)).unwrap();
        let signer = signer.with_time(at(NOW));
        let mut bodies = samples(name);
        assert!(bodies.len() >= 4, "{name}");
        bodies.push(format!(r#"{{"name":"{PERSON}","status":["{PERSON}"]}}"#).into());
        bodies.push(format!("{PERSON} is not JSON").into());

        let mut forbidden = BTreeSet::from([PERSON.to_owned(), secret.to_owned()]);
        forbidden.extend(decoded_svix.clone());
        forbidden.insert(format!("{:?}", secret.as_bytes()));
        let operators = Operators::watch();
        let mut requests = 0;
        for host in Host::ALL {
            for body in &bodies {
                forbidden.extend(texts(body));
                let request = || {
                    Request::post(format!("/hook?person={PERSON}"))
                        .header("x-person", PERSON)
                        .header("x-event-name", "a-value-of-a-header")
                };
                let signed = signer.sign(request(), body.clone()).unwrap();
                // What is sent, and what would be right for the forged one.
                let forged_body = Bytes::from([body, &b" "[..]].concat());
                let expected = signer.sign(request(), forged_body.clone()).unwrap();
                forbidden.extend(values(signed.headers()).chain(values(expected.headers())));
                let forged = signed.clone().map(|_| TestBody::from(forged_body));
                let mangled = with(signed.clone().map(TestBody::from), |headers| {
                    for value in headers.values_mut() {
                        *value = HeaderValue::from_str(&format!("{}!", value.to_str().unwrap()))
                            .unwrap();
                    }
                });
                let signed = || signed.clone().map(TestBody::from);
                let verifier = |provider| {
                    Verifier::new(provider, Secret::new(secret).with_id("key-5")).unwrap()
                };
                let layer = || {
                    let verifier = verifier(provider.clone()).with_endpoint("orders");
                    Some(WebhookVerifyLayer::new(verifier).with_clock(|| at(NOW)))
                };
                // Read as what it is, as something that it is not, as an identity; forged, and not decodable.
                match name {
                    "authenteq" => {
                        host.send::<providers::authenteq::Event>(layer(), signed())
                            .await
                    }
                    "authento" => {
                        host.send::<providers::authento::Event>(layer(), signed())
                            .await
                    }
                    "idenfy" => {
                        host.send::<providers::idenfy::Event>(layer(), signed())
                            .await
                    }
                    _ => {
                        host.send::<providers::voveid::Event>(layer(), signed())
                            .await
                    }
                };
                host.send::<tower_webhook::Json<Vec<u8>>>(layer(), signed())
                    .await;
                host.send::<Option<tower_webhook::Identity>>(layer(), signed())
                    .await;
                host.send::<Bytes>(layer(), forged).await;
                host.send::<Bytes>(layer(), mangled).await;
                requests += 5;
            }
        }
        let sight = operators.take_all();
        assert_eq!(
            sight
                .spans
                .iter()
                .filter(|span| span.target == TARGET)
                .count(),
            requests
        );
        let shown = format!("{sight:?}");
        for expected in [
            "signature_mismatch",
            "unreadable_payload",
            "key-5",
            "orders",
        ] {
            assert!(shown.contains(expected), "{name}: {expected}");
        }
        for text in forbidden {
            assert!(!shown.contains(&text), "{name}: {text:?} is seen");
        }
    }
}

/// Whoever makes signatures up must not be able to fill the disk.
#[tokio::test]
async fn d_2_refusals_are_counted_one_and_all_and_their_lines_are_limited() {
    const ALL: usize = 500;
    let operators = Operators::watch();
    let heard = Arc::new(Mutex::new(0));
    let count = Arc::clone(&heard);
    let hooked = |layer: WebhookVerifyLayer| {
        let count = Arc::clone(&count);
        layer.with_on_rejection(move |_, _| *count.lock().unwrap() += 1)
    };
    let forged = || {
        with_header(
            signed("{}"),
            SIGNATURE,
            "sha256=0000000000000000000000000000000000000000000000000000000000000000",
        )
    };
    let bare = || with(signed("{}"), |headers| drop(headers.remove(SIGNATURE)));
    let [orders, others] = [hooked(layer(github())), hooked(layer(github()))];
    let lines = |sight: &Sight| {
        let refused = sight.lines.iter();
        let refused = refused.filter(|line| line.message().starts_with("webhook refused"));
        refused.map(|line| line.fields.clone()).collect::<Vec<_>>()
    };
    for _ in 0..ALL {
        Host::Tower
            .send::<Bytes>(Some(orders.clone()), forged())
            .await;
    }
    let sight = operators.take();
    let written = lines(&sight);
    assert!((20..=30).contains(&written.len()), "{}", written.len());
    let counted = sight.counters.values().sum::<u64>();
    assert_eq!((counted, *heard.lock().unwrap()), (ALL as u64, ALL));
    // Other kinds and other endpoints have limits of their own.
    Host::Tower
        .send::<Bytes>(Some(orders.clone()), bare())
        .await;
    Host::Axum.send::<Bytes>(Some(others), forged()).await;
    assert_eq!(lines(&operators.take()).len(), 2);
    // A second later there is room for a line, which says how many there was none for.
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    Host::Actix.send::<Bytes>(Some(orders), forged()).await;
    let last = lines(&operators.take());
    let [line] = &last[..] else {
        panic!("{last:?}");
    };
    let all: usize = written
        .iter()
        .chain(&last)
        .map(|line| {
            1 + line
                .get("left_out")
                .map_or(0, |count| count.parse().unwrap())
        })
        .sum();
    assert_eq!(all, ALL + 1, "{line:?}");
}

// Documentation

/// The words in backquotes in the section of the README, code blocks aside.
fn documented() -> BTreeSet<&'static str> {
    const TITLE: &str = "## What operators see";
    let readme = include_str!("../../README.md");
    let (_, section) = readme
        .split_once(TITLE)
        .expect("the README has the section: What operators see");
    let section = section.split("\n## ").next().unwrap();
    let mut words = BTreeSet::new();
    let mut in_code = false;
    for line in section.lines() {
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

#[tokio::test(start_paused = true)]
async fn the_readme_names_all_that_operators_see_and_nothing_else_that_is_counted() {
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
    assert_eq!(counted.len(), 5, "{counted:?}");
    seen.extend(counted.clone());

    let documented = documented();
    let missing: Vec<_> = seen
        .iter()
        .filter(|name| !documented.contains(&***name))
        .collect();
    assert!(missing.is_empty(), "not in the README: {missing:?}");
    let named: BTreeSet<String> = documented
        .iter()
        .filter(|word| word.starts_with("webhook_") && word.ends_with("_total"))
        .map(ToString::to_string)
        .collect();
    assert_eq!(named, counted);
}
