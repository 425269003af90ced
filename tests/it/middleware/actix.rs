//! The layer as a middleware of actix-web, and `VerifiedEvent` as its extractor: in the process
//! where the wire does not matter, against servers on a socket where it does.

mod wire;

use std::{
    cell::Cell,
    fmt::Debug,
    io::{Read, Write},
    net::{Shutdown, SocketAddr, TcpStream},
    pin::Pin,
    rc::Rc,
    sync::{Arc, Mutex, mpsc},
    task::{Context, Poll, ready},
    thread::JoinHandle,
    time::Duration,
};

use actix_web::{
    App, HttpMessage, HttpRequest, HttpResponse, HttpServer,
    body::{MessageBody, to_bytes},
    dev::{
        Payload, ServerHandle, Service, ServiceFactory, ServiceRequest, ServiceResponse, Transform,
        fn_service,
    },
    error::PayloadError,
    http::{StatusCode, header::HeaderMap},
    middleware,
    test::{TestRequest, init_service},
    web,
};
use bytes::Bytes;
use futures_core::Stream;
use http::Request;
use http_body::Body as _;
use http_body_util::{BodyExt, Full};
use hyper_util::{
    client::legacy::Client,
    rt::{TokioExecutor, TokioTimer},
};
use support::{
    GITHUB_SECRET, Lines, NOW, PATIENCE, Rest, SIGNATURE, Step, TestBody, Watch, at, data, github,
    layer, signed_to, with_header,
};
use tower_webhook::{
    Enforcement, Identity, Json, Outcome, Provider, Rejection, RejectionKind, Scheme, Secret,
    Signer, VerifiedEvent, Verifier, WebhookVerifyLayer,
    keys::{KeyFuture, KeyRequest, Tenant, source_fn},
    providers::{self, authenteq, idenfy},
    scheme::{Algorithm, Encoding, SignatureFormat},
};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::fmt::format::FmtSpan;
const LIMIT: usize = 1000;
const BODY: &str = r#"{"zen":"Keep it logically awesome."}"#;

fn unsigned(path: &str, body: impl Into<Bytes>) -> Request<Bytes> {
    with_header(signed_to(path, body), SIGNATURE, None)
}

/// The same bytes under the signature of others.
fn forged(path: &str) -> Request<Bytes> {
    let mut request = signed_to(path, "signed");
    *request.body_mut() = Bytes::from_static(b"Signed");
    request
}

/// A request in actix-web's types.
fn converted<B>(request: &Request<B>) -> TestRequest {
    let mut converted = TestRequest::default()
        .method(request.method().as_str().parse().unwrap())
        .uri(&request.uri().to_string());
    for (name, value) in request.headers() {
        converted = converted.append_header((name.as_str(), value.as_bytes()));
    }
    converted
}

/// An answer, and the reason that stands in its extensions.
#[derive(Debug, PartialEq, Eq)]
struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
    kind: Option<RejectionKind>,
}

impl Answer {
    async fn of<B: MessageBody>(response: ServiceResponse<B>) -> Self {
        let kind = {
            let extensions = response.response().extensions();
            extensions.get::<Rejection>().map(Rejection::kind)
        };
        let headers = |headers: &HeaderMap| {
            let text = |value: &actix_web::http::header::HeaderValue| {
                String::from_utf8(value.as_bytes().to_vec()).unwrap()
            };
            let all = headers.iter();
            let all = all.map(|(name, value)| (name.to_string(), text(value)));
            all.filter(|(name, _)| name != "content-type").collect()
        };
        let (status, headers) = (response.status().as_u16(), headers(response.headers()));
        let Ok(body) = to_bytes(response.into_body()).await else {
            panic!("the body of an answer breaks off");
        };
        Self {
            status,
            headers,
            body: String::from_utf8(body.to_vec()).unwrap(),
            kind,
        }
    }

    fn ok(body: &str) -> Self {
        Self {
            status: 200,
            headers: Vec::new(),
            body: body.to_owned(),
            kind: None,
        }
    }

    /// What the table of answers says of this kind.
    fn refusal(kind: RejectionKind) -> Self {
        let status = kind.status().as_u16();
        let header = match status {
            401 => Some(("www-authenticate", "Webhook-Signature")),
            503 => Some(("retry-after", "5")),
            _ => None,
        };
        let text = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        Self {
            status,
            headers: header.map(text).into_iter().collect(),
            body: String::new(),
            kind: Some(kind),
        }
    }
}

/// Sends a request into an app.
async fn call<S, R, B>(app: &S, request: R) -> Answer
where
    S: Service<R, Response = ServiceResponse<B>, Error = actix_web::Error>,
    B: MessageBody,
{
    match app.call(request).await {
        Ok(response) => Answer::of(response).await,
        Err(error) => panic!("a service error: {error}"),
    }
}

/// An app that runs.
macro_rules! app {
    ($app:expr) => {
        init_service($app).await
    };
}

/// Sends a request, with its body at once.
macro_rules! send {
    ($app:expr, $request:expr) => {{
        let request = $request;
        let body = request.body().clone();
        call(&$app, converted(&request).set_payload(body).to_request()).await
    }};
}

async fn length(event: VerifiedEvent) -> String {
    event.body().len().to_string()
}

async fn zen(event: VerifiedEvent<serde_json::Value>) -> String {
    event.payload()["zen"].as_str().unwrap().to_owned()
}

/// A payload that follows a script.
struct Scripted(TestBody);

impl Stream for Scripted {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            let next = ready!(Pin::new(&mut self.0).poll_frame(cx));
            return Poll::Ready(match next {
                None => None,
                Some(Err(_)) => Some(Err(PayloadError::Incomplete(None))),
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => Some(Ok(data)),
                    Err(_) => continue,
                },
            });
        }
    }
}

/// A request whose payload is this body.
fn scripted<B>(request: &Request<B>, body: TestBody) -> (ServiceRequest, Arc<Watch>) {
    let watch = body.watch();
    let mut converted = converted(request).to_srv_request();
    let payload = Box::pin(Scripted(body));
    converted.set_payload(Payload::Stream { payload });
    (converted, watch)
}

/// Sends a request through the layer alone, to a handler that says how long the event is.
async fn through(layer: &WebhookVerifyLayer, request: ServiceRequest) -> Answer {
    let handler = fn_service(|request: ServiceRequest| async move {
        let event = request.extensions().get::<VerifiedEvent>().cloned();
        let length = event.unwrap().body().len();
        Ok::<_, actix_web::Error>(
            request.into_response(HttpResponse::Ok().body(length.to_string())),
        )
    });
    let handler = handler.new_service(()).await.unwrap();
    let service = layer.new_transform(handler).await.unwrap();
    call(&service, request).await
}

/// Asserts that a signed request to `path` reaches [`zen`], and that all others are refused with an
/// empty 401.
macro_rules! guards {
    ($app:expr, $path:expr) => {
        assert_eq!(
            send!($app, signed_to($path, BODY)),
            Answer::ok("Keep it logically awesome.")
        );
        assert_eq!(
            send!($app, unsigned($path, BODY)),
            Answer::refusal(RejectionKind::MissingHeader)
        );
        assert_eq!(
            send!($app, forged($path)),
            Answer::refusal(RejectionKind::SignatureMismatch)
        );
    };
}

#[actix_web::test]
async fn around_an_app_everything_needs_a_signature() {
    let open = || async { "open" };
    let app = app!(
        App::new()
            .route("/hook", web::post().to(zen))
            .route("/open", web::get().to(open))
            .wrap(layer())
    );
    guards!(app, "/hook");
    for path in ["/open", "/nowhere"] {
        let mut request = unsigned(path, "");
        *request.method_mut() = http::Method::GET;
        assert_eq!(send!(app, request).status, 401, "{path}");
    }
}

#[actix_web::test]
async fn around_a_scope_its_paths_alone_need_a_signature() {
    let scope = web::scope("/a")
        .route("/hook", web::post().to(zen))
        .wrap(layer());
    let app = app!(
        App::new()
            .service(scope)
            .route("/open", web::post().to(|| async { "open" }))
    );
    guards!(app, "/a/hook");
    assert_eq!(send!(app, unsigned("/a/nowhere", "")).status, 401);
    assert_eq!(send!(app, unsigned("/nowhere", "")).status, 404);
    assert_eq!(send!(app, unsigned("/open", "")).body, "open");
}

#[actix_web::test]
async fn around_a_resource_every_method_of_the_path_needs_a_signature() {
    let resource = web::resource("/hook")
        .wrap(layer())
        .route(web::post().to(zen));
    let app = app!(App::new().service(resource));
    guards!(app, "/hook");
    let mut request = unsigned("/hook", "");
    *request.method_mut() = http::Method::GET;
    assert_eq!(send!(app, request).status, 401);
    assert_eq!(send!(app, unsigned("/nowhere", "")).status, 404);
}

#[actix_web::test]
async fn around_a_route_other_methods_stay_405() {
    let resource = || web::resource("/hook").route(web::post().to(zen).wrap(layer()));
    let app = app!(App::new().service(resource()));
    guards!(app, "/hook");
    for method in ["GET", "PUT", "DELETE", "PATCH"] {
        let mut request = unsigned("/hook", "");
        *request.method_mut() = method.parse().unwrap();
        assert_eq!(send!(app, request).status, 405, "{method}");
    }
    // A route that stands beside it is not wrapped.
    let open = web::get().to(|| async { "open" });
    let app = app!(App::new().service(resource().route(open)));
    guards!(app, "/hook");
    let mut request = unsigned("/hook", "");
    *request.method_mut() = http::Method::GET;
    assert_eq!(send!(app, request), Answer::ok("open"));
}

#[actix_web::test]
async fn two_providers_on_two_routes_of_one_scope() {
    let secret = || Secret::new("a-secret-for-shopify-tests");
    let shopify = Verifier::new(providers::shopify(), secret()).unwrap();
    let of_shopify = |event: VerifiedEvent| async move {
        format!(
            "{} {}",
            event.provider(),
            event.event_type().unwrap_or_default()
        )
    };
    let route = web::post()
        .to(of_shopify)
        .wrap(WebhookVerifyLayer::new(shopify));
    let scope = web::scope("/hooks")
        .route("/github", web::post().to(zen).wrap(layer()))
        .route("/shopify", route);
    let app = app!(App::new().service(scope));
    guards!(app, "/hooks/github");
    let sign = |path: &str| {
        let request = Request::post(path).header("x-shopify-topic", "orders/create");
        let signer = Signer::new(providers::shopify(), secret()).unwrap();
        signer.sign(request, Bytes::from_static(b"{}")).unwrap()
    };
    assert_eq!(
        send!(app, sign("/hooks/shopify")),
        Answer::ok("shopify orders/create")
    );
    for (request, kind) in [
        (sign("/hooks/github"), RejectionKind::MissingHeader),
        (
            signed_to("/hooks/shopify", "{}"),
            RejectionKind::MissingHeader,
        ),
        (
            with_header(
                sign("/hooks/shopify"),
                "x-shopify-hmac-sha256",
                Some("%%%="),
            ),
            RejectionKind::MalformedSignature,
        ),
    ] {
        assert_eq!(send!(app, request), Answer::refusal(kind));
    }
}

/// Says whether the event is there yet.
async fn mark<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: middleware::Next<B>,
) -> Result<ServiceResponse<B>, actix_web::Error> {
    let verified = request.extensions().get::<VerifiedEvent>().is_some();
    let mut response = next.call(request).await?;
    let name = if verified { "x-inside" } else { "x-outside" };
    let name = actix_web::http::header::HeaderName::from_static(name);
    let one = actix_web::http::header::HeaderValue::from_static("1");
    response.headers_mut().append(name, one);
    Ok(response)
}

#[actix_web::test]
async fn between_other_middlewares() {
    let others = || {
        web::scope("/a")
            .route("/hook", web::post().to(zen))
            .wrap(middleware::DefaultHeaders::new())
            .wrap(middleware::NormalizePath::trim())
            .wrap(middleware::ErrorHandlers::<actix_web::body::BoxBody>::new())
    };
    let condition = |on| middleware::Condition::new(on, layer());
    guards!(app!(App::new().service(others().wrap(layer()))), "/a/hook");
    let app = app!(
        App::new()
            .service(others())
            .wrap(condition(true))
            .wrap(middleware::Logger::default())
            .wrap(middleware::Compat::new(middleware::NormalizePath::trim()))
    );
    guards!(app, "/a/hook");
    let app = app!(App::new().service(others()).wrap(condition(false)));
    let reply = send!(app, signed_to("/a/hook", BODY));
    assert_eq!(reply, Answer::refusal(RejectionKind::LayerMissing));

    let route = web::post().to(zen);
    let route = route.wrap(middleware::from_fn(mark));
    let route = route.wrap(layer()).wrap(middleware::from_fn(mark));
    let app = app!(App::new().route("/hook", route));
    for (request, status, expected) in [
        (
            signed_to("/hook", BODY),
            200,
            &["x-inside", "x-outside"][..],
        ),
        (forged("/hook"), 401, &["www-authenticate", "x-outside"]),
    ] {
        let reply = send!(app, request);
        let mut names: Vec<_> = reply.headers.iter().map(|(name, _)| &**name).collect();
        names.sort_unstable();
        assert_eq!((reply.status, &names[..]), (status, expected));
    }
}

/// A provider that signs the address.
fn by_path() -> Provider {
    let signature = SignatureFormat::single("x-path-signature", Encoding::Hex);
    let signed = "{method}:{path}:{query:x}:{body}";
    Provider::new(
        "by-path",
        Scheme::signed(Algorithm::HmacSha256, signed, signature),
    )
}

#[actix_web::test]
async fn inside_a_scope_the_whole_path_is_seen() {
    let secret = || Secret::new("a-secret-for-path-tests");
    let layer = || WebhookVerifyLayer::new(Verifier::new(by_path(), secret()).unwrap());
    let inner = web::scope("/b").route("/{name}", web::post().to(length).wrap(layer()));
    let inner_wrapped = web::scope("/c")
        .wrap(layer())
        .route("/{name}", web::post().to(length));
    let app = app!(App::new().service(web::scope("/a").service(inner).service(inner_wrapped)));
    for (signed, sent, status) in [
        ("/a/b/hook?x=1", "/a/b/hook?x=1", 200),
        ("/a/c/hook?x=1", "/a/c/hook?x=1", 200),
        ("/a/b/hook?x=1", "/a/b/hook?x=2", 401),
        ("/a/b/hook?x=1", "/a/b/hook?x=1&y=2", 200),
        ("/a/b/hook?x=1", "/a/b/hook?x=1&x=1", 401),
        ("/a/b/hook?x=1", "/a/b/hook", 401),
        ("/a/b/h%20k?x=1", "/a/b/h%20k?x=1", 200),
        // As received, not as decoded.
        ("/a/b/%68ook?x=1", "/a/b/hook?x=1", 401),
        ("/b/hook?x=1", "/a/b/hook?x=1", 401),
        ("/hook?x=1", "/a/c/hook?x=1", 401),
    ] {
        let signer = Signer::new(by_path(), secret()).unwrap();
        let request = signer.sign(Request::post(signed), Bytes::from_static(b"body"));
        let mut request = request.unwrap();
        *request.uri_mut() = sent.parse().unwrap();
        assert_eq!(send!(app, request).status, status, "{signed} as {sent}");
    }
}

fn authenteq_provider() -> Provider {
    authenteq().with_param("client_id", "client-7")
}

fn authenteq_layer() -> WebhookVerifyLayer {
    let secret = Secret::new("a-secret-for-authenteq-tests");
    WebhookVerifyLayer::new(Verifier::new(authenteq_provider(), secret).unwrap())
}

/// A request of Authenteq with ten images, of this many bytes together.
fn authenteq_request(path: &str, images: usize) -> Request<Bytes> {
    let result = r#"{"id":"large","documentData":{"documentType":"PP"}}"#;
    let mut body = format!(
        "--b\r\nContent-Disposition: form-data; name=\"result\"\r\n\r\n{result}\r\n--b\r\n\
         Content-Disposition: form-data; name=\"faceImage\"; filename=\"face.jpg\"\r\n\
         Content-Type: image/jpeg\r\n\r\n"
    )
    .into_bytes();
    body.extend((0..images).map(|n| u8::try_from(n % 251).unwrap()));
    body.extend_from_slice(b"\r\n--b--\r\n");
    let request = Request::post(path).header("content-type", "multipart/form-data; boundary=b");
    let secret = Secret::new("a-secret-for-authenteq-tests");
    let signer = Signer::new(authenteq_provider(), secret).unwrap();
    signer.sign(request, Bytes::from(body)).unwrap()
}

async fn face(event: VerifiedEvent<authenteq::Event>) -> String {
    let image = event.payload().face_image.as_ref().unwrap().body().clone();
    let whole = event.body().as_ptr_range();
    let part = image.as_ptr_range();
    assert!(whole.start <= part.start && part.end <= whole.end);
    format!("{} {}", event.payload().result.id, image.len())
}

#[actix_web::test]
async fn twelve_megabytes_of_images_are_read_as_slices() {
    let route = web::post().to(face).wrap(authenteq_layer());
    let app = app!(App::new().route("/authenteq", route));
    let request = authenteq_request("/authenteq", 12 << 20);
    assert_eq!(send!(app, request), Answer::ok("large 12582912"));
    let mut request = authenteq_request("/authenteq", 1000);
    let mut body = request.body().to_vec();
    *body.last_mut().unwrap() = b' ';
    *request.body_mut() = body.into();
    assert_eq!(
        send!(app, request),
        Answer::refusal(RejectionKind::SignatureMismatch)
    );
}

#[actix_web::test]
async fn a_provider_that_takes_200_alone_for_success_gets_it() {
    async fn answer(event: VerifiedEvent, request: HttpRequest) -> HttpResponse {
        assert_eq!(event.provider(), "authenteq");
        let status: u16 = request.match_info().query("status").parse().unwrap();
        HttpResponse::build(status.try_into().unwrap()).body("said")
    }
    let route = web::post().to(answer).wrap(authenteq_layer());
    let app = app!(App::new().route("/{status}", route));
    for (status, answer) in [
        (200, 200),
        (201, 200),
        (202, 200),
        (204, 200),
        (302, 302),
        (404, 404),
        (503, 503),
    ] {
        let reply = send!(app, authenteq_request(&format!("/{status}"), 10));
        assert_eq!((reply.status, &*reply.body), (answer, "said"), "{status}");
    }
    // The others' answers go out as they are.
    let app = app!(
        App::new().route(
            "/hook",
            web::post()
                .to(|_: VerifiedEvent| async { HttpResponse::NoContent().finish() })
                .wrap(layer())
        )
    );
    assert_eq!(send!(app, signed_to("/hook", "body")).status, 204);
}

#[actix_web::test]
async fn idenfy_events_are_typed() {
    async fn overall(
        event: VerifiedEvent<idenfy::Identification>,
        identity: VerifiedEvent<Option<Identity>>,
    ) -> String {
        let identity = identity.payload().as_ref().unwrap();
        assert_eq!(identity.outcome(), Outcome::Approved);
        assert_eq!(event.provider(), "idenfy");
        identity.session().unwrap().to_owned()
    }
    let secret = || Secret::new("a-secret-for-idenfy-tests");
    let verifier = Verifier::new(idenfy(), secret()).unwrap();
    let route = web::post()
        .to(overall)
        .wrap(WebhookVerifyLayer::new(verifier));
    let app = app!(App::new().route("/kyc", route));
    let body = r#"{"final":true,"scanRef":"s-1","status":{"overall":"APPROVED"}}"#;
    let signer = Signer::new(idenfy(), secret()).unwrap();
    let request = signer.sign(Request::post("/kyc"), Bytes::from(body));
    assert_eq!(send!(app, request.unwrap()), Answer::ok("s-1"));
    // Genuine, and about something else: our side is behind.
    let request = signer.sign(Request::post("/kyc"), Bytes::from_static(b"{}"));
    assert_eq!(
        send!(app, request.unwrap()),
        Answer::refusal(RejectionKind::UnreadablePayload)
    );
}

#[actix_web::test]
async fn the_handler_reads_the_bytes_that_were_verified() {
    async fn first(event: VerifiedEvent, body: Bytes) -> String {
        format!("{} {}", event.body() == &body, body.len())
    }
    async fn last(body: Bytes, event: VerifiedEvent) -> String {
        first(event, body).await
    }
    async fn text(body: String, event: VerifiedEvent) -> String {
        format!("{} {}", event.body() == &body, body.len())
    }
    /// By hand, and once more after the end.
    async fn stream(mut payload: web::Payload, request: HttpRequest) -> String {
        let mut body = Vec::new();
        let mut next =
            async || std::future::poll_fn(|cx| Pin::new(&mut payload).poll_next(cx)).await;
        while let Some(chunk) = next().await {
            body.extend_from_slice(&chunk.unwrap());
        }
        assert!(next().await.is_none());
        let event = request.extensions().get::<VerifiedEvent>().cloned();
        format!("{} {}", event.unwrap().body() == &body, body.len())
    }
    let app = app!(
        App::new()
            .route("/first", web::post().to(first))
            .route("/last", web::post().to(last))
            .route("/text", web::post().to(text))
            .route("/stream", web::post().to(stream))
            .wrap(layer())
    );
    for path in ["/first", "/last", "/text", "/stream"] {
        for size in [0, 1, 200 << 10] {
            let reply = send!(app, signed_to(path, vec![b'x'; size]));
            assert_eq!(reply, Answer::ok(&format!("true {size}")), "{path}");
        }
    }
}

#[actix_web::test]
async fn a_handler_of_json_works_behind_the_middleware() {
    async fn json(body: web::Json<serde_json::Value>, event: VerifiedEvent<Json<Zen>>) -> String {
        assert_eq!(body["zen"], *event.payload().0.zen);
        event.into_payload().0.zen
    }
    async fn alone(body: web::Json<Zen>) -> String {
        body.into_inner().zen
    }
    #[derive(serde::Deserialize)]
    struct Zen {
        zen: String,
    }
    let app = app!(
        App::new()
            .route("/both", web::post().to(json))
            .route("/alone", web::post().to(alone))
            .wrap(layer())
    );
    for path in ["/both", "/alone"] {
        let mut request = signed_to(path, BODY);
        let json = http::HeaderValue::from_static("application/json");
        request.headers_mut().insert("content-type", json);
        let reply = send!(app, request);
        assert_eq!(reply, Answer::ok("Keep it logically awesome."), "{path}");
    }
}

/// The limits of actix-web hold for its own extractors, which come after ours.
#[actix_web::test]
async fn the_limits_of_actix_web_do_not_cut_what_is_verified() {
    async fn bytes(event: VerifiedEvent, body: Bytes) -> String {
        format!("{} {}", event.body().len(), body.len())
    }
    async fn json(_: VerifiedEvent, _: web::Json<serde_json::Value>) -> String {
        "json".to_owned()
    }
    let app = |limits: Option<usize>| {
        let app = App::new()
            .route("/event", web::post().to(length))
            .route("/bytes", web::post().to(bytes))
            .route("/json", web::post().to(json))
            .wrap(layer());
        match limits {
            Some(limit) => app
                .app_data(web::PayloadConfig::new(limit))
                .app_data(web::JsonConfig::default().limit(limit)),
            None => app,
        }
    };
    let long = |path: &str, size: usize| {
        let mut request = signed_to(path, vec![b' '; size]);
        let json = http::HeaderValue::from_static("application/json");
        request.headers_mut().insert("content-type", json);
        request
    };
    // The defaults are 256 KiB for `Bytes` and 2 MiB for `Json`.
    for (limits, path, size, status) in [
        (None, "/event", 4 << 20, 200),
        (None, "/bytes", 256 << 10, 200),
        (None, "/bytes", (256 << 10) + 1, 413),
        (None, "/json", (2 << 20) + 1, 413),
        (Some(10), "/event", 4 << 20, 200),
        (Some(10), "/bytes", 11, 413),
        (Some(10), "/json", 11, 413),
        (Some(5 << 20), "/bytes", 4 << 20, 200),
    ] {
        let app = app!(app(limits));
        let reply = send!(app, long(path, size));
        assert_eq!(reply.status, status, "{limits:?} {path} {size}");
        // It is not a refusal of ours.
        assert_eq!(reply.kind, None, "{limits:?} {path} {size}");
    }
}

#[actix_web::test]
async fn a_condemned_head_costs_no_poll_of_the_payload() {
    let layer = WebhookVerifyLayer::new(github().with_max_body(LIMIT));
    let declared = |length| with_header(signed_to("/", "body"), "content-length", Some(length));
    for (request, kind) in [
        (unsigned("/", "body"), RejectionKind::MissingHeader),
        (
            with_header(signed_to("/", "body"), SIGNATURE, Some("sha256=zz")),
            RejectionKind::MalformedSignature,
        ),
        (declared("1001"), RejectionKind::BodyTooLarge),
        (declared("4398046511104"), RejectionKind::BodyTooLarge),
        (
            declared("18446744073709551616"),
            RejectionKind::BodyTooLarge,
        ),
    ] {
        let (request, watch) = scripted(&request, TestBody::new([data("body")]));
        assert_eq!(through(&layer, request).await, Answer::refusal(kind));
        assert_eq!(watch.polls(), 0, "{kind}");
        assert!(watch.is_dropped(), "{kind}");
    }
}

#[actix_web::test]
async fn payloads_of_every_shape_are_read() {
    let layer = layer();
    let one_byte_frames = || BODY.bytes().map(|byte| Step::Data(vec![byte].into()));
    let bodies: [(&str, Vec<Step>); 6] = [
        (BODY, vec![data(BODY)]),
        (BODY, one_byte_frames().collect()),
        (
            BODY,
            one_byte_frames()
                .flat_map(|step| [Step::Yield, step])
                .collect(),
        ),
        (BODY, vec![data(""), data(BODY), data(""), data("")]),
        ("", vec![]),
        ("", vec![Step::Yield, data("")]),
    ];
    for (body, steps) in bodies {
        let shape = format!("{steps:?}");
        let (request, watch) = scripted(&signed_to("/", body), TestBody::new(steps));
        let expected = Answer::ok(&body.len().to_string());
        assert_eq!(through(&layer, request).await, expected, "{shape}");
        assert!(watch.is_dropped(), "{shape}");
    }
    // No payload at all.
    for (request, expected) in [
        (signed_to("/", ""), Answer::ok("0")),
        (
            signed_to("/", "body"),
            Answer::refusal(RejectionKind::SignatureMismatch),
        ),
    ] {
        let mut request = converted(&request).to_srv_request();
        request.set_payload(Payload::None);
        assert_eq!(through(&layer, request).await, expected);
    }
}

#[actix_web::test]
async fn every_reason_to_refuse_a_body_has_its_answer() {
    tokio::time::pause();
    let limited = WebhookVerifyLayer::new(github().with_max_body(LIMIT));
    let timed = layer().with_read_timeout(Duration::from_millis(300));
    let keyless = {
        let later = Secret::new(GITHUB_SECRET).with_not_before(at(NOW + 1));
        let verifier = Verifier::new(providers::github(), later).unwrap();
        WebhookVerifyLayer::new(verifier).with_clock(|| at(NOW))
    };
    let expired = {
        let secrets = vec![
            Secret::new(GITHUB_SECRET).with_not_after(at(NOW - 1)),
            Secret::new("the-new-secret-that-is-valid"),
        ];
        let verifier = Verifier::new(providers::github(), secrets).unwrap();
        WebhookVerifyLayer::new(verifier).with_clock(|| at(NOW))
    };
    let one = || TestBody::new([data("body")]);
    let part = || TestBody::new([data("bo")]);
    for (layer, body, kind) in [
        (
            &limited,
            one().then(Rest::Repeat(b"body")),
            RejectionKind::BodyTooLarge,
        ),
        (
            &timed,
            TestBody::new([]).then(Rest::Hang),
            RejectionKind::ReadTimeout,
        ),
        (&timed, part().then(Rest::Hang), RejectionKind::ReadTimeout),
        (
            &timed,
            TestBody::new([data("bo"), Step::Error]),
            RejectionKind::BodyIncomplete,
        ),
        (&limited, part(), RejectionKind::SignatureMismatch),
        (&expired, one(), RejectionKind::KeyOutsideWindow),
        (&keyless, one(), RejectionKind::NoValidKey),
    ] {
        let (request, watch) = scripted(&signed_to("/", "body"), body);
        assert_eq!(through(layer, request).await, Answer::refusal(kind));
        assert!(watch.is_dropped(), "{kind}");
        // A body that never ends is given up at the limit, in as many polls.
        assert!(watch.polls() <= LIMIT, "{kind} {}", watch.polls());
    }
}

/// In real time: a body that is always ready has to leave the thread to the clock.
#[actix_web::test]
async fn a_payload_of_endless_empty_frames_is_given_up_in_time() {
    let timed = layer().with_read_timeout(Duration::from_millis(50));
    for rest in [Rest::EmptyFrames, Rest::GreedyFrames(2)] {
        let (request, _) = scripted(&signed_to("/", "body"), TestBody::new([]).then(rest));
        assert_eq!(
            through(&timed, request).await,
            Answer::refusal(RejectionKind::ReadTimeout),
            "{rest:?}"
        );
    }
}

#[actix_web::test]
async fn every_line_of_a_header_is_seen() {
    let app = app!(App::new().route("/hook", web::post().to(zen).wrap(layer())));
    let good = signed_to("/hook", BODY).headers()[SIGNATURE].clone();
    let value = |bytes: &[u8]| http::HeaderValue::from_bytes(bytes).unwrap();
    let other = value(format!("sha256={}", "0".repeat(64)).as_bytes());
    for (lines, kind) in [
        (vec![good.clone()], None),
        (vec![], Some(RejectionKind::MissingHeader)),
        (vec![good.clone(); 2], Some(RejectionKind::RepeatedHeader)),
        (
            vec![good.clone(), other.clone()],
            Some(RejectionKind::RepeatedHeader),
        ),
        (
            vec![other.clone(), good.clone()],
            Some(RejectionKind::RepeatedHeader),
        ),
        (vec![other], Some(RejectionKind::SignatureMismatch)),
        (
            vec![value(b"sha256=\xff\xfe")],
            Some(RejectionKind::MalformedSignature),
        ),
        (vec![value(b"")], Some(RejectionKind::MalformedSignature)),
    ] {
        let mut request = unsigned("/hook", BODY);
        for line in &lines {
            request.headers_mut().append(SIGNATURE, line.clone());
        }
        assert_eq!(send!(app, request).kind, kind, "{lines:?}");
    }
}

#[actix_web::test]
async fn a_limit_further_out_is_answered_413() {
    struct Overflowing;
    impl Stream for Overflowing {
        type Item = Result<Bytes, PayloadError>;

        fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
            Poll::Ready(Some(Err(PayloadError::Overflow)))
        }
    }
    let mut request = converted(&signed_to("/", "body")).to_srv_request();
    let payload = Box::pin(Overflowing);
    request.set_payload(Payload::Stream { payload });
    assert_eq!(
        through(&layer(), request).await,
        Answer::refusal(RejectionKind::BodyTooLarge)
    );
}

#[actix_web::test]
async fn what_is_our_fault_is_500() {
    async fn number(event: VerifiedEvent<Json<u8>>) -> String {
        event.payload().0.to_string()
    }
    async fn maybe(event: Result<VerifiedEvent<Json<u8>>, Rejection>) -> String {
        event.map_or_else(|rejection| rejection.kind().to_string(), |_| String::new())
    }
    async fn optional(event: Option<VerifiedEvent>) -> String {
        event.is_some().to_string()
    }
    let app = app!(
        App::new()
            .route("/bare", web::post().to(number))
            .route("/bare-optional", web::post().to(optional))
            .service(
                web::scope("/wrapped")
                    .route("/number", web::post().to(number))
                    .route("/maybe", web::post().to(maybe))
                    .route("/optional", web::post().to(optional))
                    .wrap(layer())
            )
    );
    for (path, body, expected) in [
        ("/wrapped/number", "255", Answer::ok("255")),
        (
            "/wrapped/number",
            "256",
            Answer::refusal(RejectionKind::UnreadablePayload),
        ),
        ("/bare", "255", Answer::refusal(RejectionKind::LayerMissing)),
        ("/wrapped/maybe", "256", Answer::ok("unreadable_payload")),
        ("/wrapped/optional", "", Answer::ok("true")),
        ("/bare-optional", "", Answer::ok("false")),
    ] {
        assert_eq!(send!(app, signed_to(path, body)), expected, "{path} {body}");
    }
    assert_eq!(
        send!(app, unsigned("/bare", "")),
        Answer::refusal(RejectionKind::LayerMissing)
    );
}

#[actix_web::test]
async fn a_missing_event_is_logged_only_for_a_handler_that_demands_one() {
    async fn optional(event: Option<VerifiedEvent>) -> String {
        event.is_some().to_string()
    }
    let logs = || layer().with_enforcement(Enforcement::Log);
    let app = app!(
        App::new()
            .route("/bare", web::post().to(optional))
            .route("/optional", web::post().to(optional).wrap(logs()))
            .route("/demanding", web::post().to(length).wrap(logs()))
    );
    let (lines, _guard) = Lines::of_this_thread(LevelFilter::WARN, FmtSpan::NONE);
    for (path, expected, kinds) in [
        ("/bare", Answer::ok("false"), &[][..]),
        ("/optional", Answer::ok("false"), &["signature_mismatch"]),
        (
            "/demanding",
            Answer::refusal(RejectionKind::LayerMissing),
            &["signature_mismatch", "layer_missing"],
        ),
    ] {
        assert_eq!(send!(app, forged(path)), expected, "{path}");
        let log = lines.take();
        assert_eq!(log.lines().count(), kinds.len(), "{path}: {log}");
        for (line, kind) in log.lines().zip(kinds) {
            assert!(line.contains(kind), "{path}: {line}");
        }
    }
}

#[actix_web::test]
async fn the_hook_sees_the_refusal_and_changes_the_answer() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&seen);
    let layer = layer().on_rejection(move |rejection, response| {
        log.lock().unwrap().push(rejection.kind());
        *response.status_mut() = http::StatusCode::from_u16(498).unwrap();
        response.headers_mut().clear();
        for value in ["one", "two"] {
            let value = http::HeaderValue::from_static(value);
            response.headers_mut().append("x-again", value);
        }
    });
    let app = app!(App::new().route("/hook", web::post().to(length).wrap(layer)));
    for (request, kind) in [
        (unsigned("/hook", "body"), RejectionKind::MissingHeader),
        (forged("/hook"), RejectionKind::SignatureMismatch),
    ] {
        let header = |value: &str| ("x-again".to_owned(), value.to_owned());
        let expected = Answer {
            status: 498,
            headers: vec![header("one"), header("two")],
            body: String::new(),
            kind: Some(kind),
        };
        assert_eq!(send!(app, request), expected);
        assert_eq!(std::mem::take(&mut *seen.lock().unwrap()), [kind]);
    }
    assert_eq!(send!(app, signed_to("/hook", "body")), Answer::ok("4"));
    assert_eq!(*seen.lock().unwrap(), []);
}

/// Keys by the last segment of the path.
fn by_tenant(request: &KeyRequest<'_>) -> KeyFuture {
    let tenant = request.head.path().rsplit('/').next().unwrap().to_owned();
    Box::pin(async move {
        match &*tenant {
            "down" => Err("the database is down".into()),
            "slow" => std::future::pending().await,
            "nobody" => Ok(None),
            _ => {
                // Not at once.
                tokio::time::sleep(Duration::from_millis(100)).await;
                let secrets = tower_webhook::keys::KeySet::new(
                    &providers::github(),
                    Secret::new(format!("the-secret-of-{tenant}")),
                )?;
                Ok(Some(Tenant::new(tenant, secrets)))
            }
        }
    })
}

#[actix_web::test]
async fn keys_are_looked_up_for_each_request() {
    tokio::time::pause();
    async fn tenant(event: VerifiedEvent) -> String {
        event.tenant().unwrap().to_owned()
    }
    let source = source_fn(by_tenant);
    let verifier = Verifier::from_key_source(providers::github(), source).unwrap();
    let layer = WebhookVerifyLayer::new(verifier).with_key_timeout(Duration::from_millis(300));
    let route = web::post().to(tenant).wrap(layer.clone());
    let app = app!(App::new().route("/{tenant}", route));
    let sign = |tenant: &str, path: &str| {
        let secret = Secret::new(format!("the-secret-of-{tenant}"));
        let signer = Signer::new(providers::github(), secret).unwrap();
        signer
            .sign(Request::post(path), Bytes::from_static(b"body"))
            .unwrap()
    };
    for (signed_by, path, expected) in [
        ("alpha", "/alpha", Answer::ok("alpha")),
        ("beta", "/beta", Answer::ok("beta")),
        (
            "alpha",
            "/beta",
            Answer::refusal(RejectionKind::SignatureMismatch),
        ),
        (
            "alpha",
            "/nobody",
            Answer::refusal(RejectionKind::UnknownTenant),
        ),
        (
            "alpha",
            "/down",
            Answer::refusal(RejectionKind::KeySourceFailed),
        ),
        (
            "alpha",
            "/slow",
            Answer::refusal(RejectionKind::KeySourceTimeout),
        ),
    ] {
        assert_eq!(send!(app, sign(signed_by, path)), expected, "{path}");
    }
    // Nothing is read before the keys are there; an unknown tenant's body is read like any other.
    for (path, polls) in [("/slow", 0), ("/down", 0), ("/nobody", 2), ("/beta", 2)] {
        let body = TestBody::new([data("body")]);
        let (request, watch) = scripted(&sign("alpha", path), body);
        assert!(through(&layer, request).await.kind.is_some(), "{path}");
        assert_eq!(watch.polls(), polls, "{path}");
    }
}

/// Says when it is dropped.
struct Alarm(Rc<Cell<bool>>);

impl Drop for Alarm {
    fn drop(&mut self) {
        self.0.set(true);
    }
}

#[actix_web::test]
async fn a_dropped_request_takes_its_payload_and_its_handler_along() {
    let dropped = Rc::new(Cell::new(false));
    let alarm = Rc::clone(&dropped);
    let handler = fn_service(move |request: ServiceRequest| {
        let alarm = Alarm(Rc::clone(&alarm));
        async move {
            std::future::pending::<()>().await;
            drop(alarm);
            Ok::<_, actix_web::Error>(request.into_response(HttpResponse::Ok().finish()))
        }
    });
    let handler = handler.new_service(()).await.unwrap();
    let service = layer().new_transform(handler).await.unwrap();
    let begin = async |body: TestBody| {
        let (request, watch) = scripted(&signed_to("/", "body"), body);
        let mut future = Box::pin(service.call(request));
        std::future::poll_fn(|cx| {
            assert!(future.as_mut().poll(cx).is_pending());
            Poll::Ready(())
        })
        .await;
        (future, watch)
    };

    // While the body is read.
    let (future, watch) = begin(TestBody::new([data("bo")]).then(Rest::Hang)).await;
    assert!(!watch.is_dropped());
    drop(future);
    assert!(watch.is_dropped());

    // While the handler runs: the payload is gone by then.
    let (future, watch) = begin(TestBody::new([data("body")])).await;
    assert!(watch.is_dropped() && !dropped.get());
    drop(future);
    assert!(dropped.get());
}
