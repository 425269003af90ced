//! The layer under other hosts and beside other layers, over real connections: hyper alone, poem,
//! salvo, and what `tower` and `tower-http` put around it or inside.

use std::{
    convert::Infallible,
    io,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    Router, body::Body, error_handling::HandleErrorLayer, handler::Handler,
    routing::post as on_post,
};
use bytes::Bytes;
use http::{
    Extensions, HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Version,
    header,
};
use http_body_util::{BodyExt, Full, combinators::BoxBody};
use hyper::body::Incoming;
use poem::{EndpointExt, IntoResponse as _};
use support::loopback::{Mapped, Protocol, echo, listen, post, send, serve, trickle};
use support::{GITHUB_SECRET, SIGNATURE, Step, TestBody, authenteq, github, signed};
use tokio::sync::{Notify, Semaphore};
use tower::{
    BoxError, Layer, ServiceBuilder, ServiceExt, buffer::BufferLayer, limit::ConcurrencyLimitLayer,
    service_fn,
};
use tower_http::{
    ServiceBuilderExt,
    catch_panic::CatchPanicLayer,
    compression::CompressionLayer,
    decompression::{DecompressionBody, RequestDecompressionLayer},
    limit::RequestBodyLimitLayer,
    normalize_path::NormalizePathLayer,
    sensitive_headers::SetSensitiveRequestHeadersLayer,
    timeout::{RequestBodyTimeoutLayer, TimeoutLayer},
    trace::TraceLayer,
};
use tower_webhook::{
    Provider, Scheme, Secret, Signer, VerifiedEvent, Verifier, WebhookVerifyLayer,
    scheme::{Algorithm, Encoding, SignatureFormat},
};

const MAX_BODY: usize = 64 << 10;
const LONG: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_millis(100);

fn layer() -> WebhookVerifyLayer {
    WebhookVerifyLayer::new(github().with_max_body(MAX_BODY))
}

/// A layer that soon gives up on a body.
fn impatient() -> WebhookVerifyLayer {
    layer().with_read_timeout(SHORT)
}

/// With the provider's own limits: 32 MiB, and 200 for every 2xx.
fn large() -> WebhookVerifyLayer {
    let verifier = Verifier::new(authenteq(), Secret::new(GITHUB_SECRET)).unwrap();
    WebhookVerifyLayer::new(verifier)
}

fn forged() -> Request<Bytes> {
    signed("what was signed").map(|_| Bytes::from_static(b"what was sent.."))
}

/// The body in frames of at most 1000 bytes, without a declared length.
fn in_frames(request: Request<Bytes>) -> Request<TestBody> {
    request.map(|body| {
        let frames = body.chunks(1000).map(|frame| body.slice_ref(frame));
        TestBody::new(frames.map(Step::Data))
    })
}

fn odd_bytes(length: usize) -> Bytes {
    (0..=255).rev().cycle().take(length).collect()
}

// --- Hosts ---

/// Three endpoints of one host. Each answers an accepted event with 202 and the event's body.
struct Host {
    protocol: Protocol,
    /// Behind [`layer`].
    github: String,
    /// Behind [`impatient`].
    slow: String,
    /// Behind [`large`].
    authenteq: String,
}

/// What has to be the same everywhere.
async fn keeps_the_contract(host: Host) {
    let ask = async |url: &str, request: Request<Bytes>| {
        send(host.protocol, url, request.map(Full::new)).await
    };
    let stream = async |url: &str, request: Request<Bytes>| {
        send(host.protocol, url, in_frames(request)).await
    };

    for length in [0, 1, 999, MAX_BODY] {
        let body = odd_bytes(length);
        let declared = ask(&host.github, signed(body.clone())).await;
        let chunked = stream(&host.github, signed(body.clone())).await;
        for reply in [declared, chunked] {
            assert_eq!(reply.status, StatusCode::ACCEPTED, "{length} bytes");
            assert_eq!(reply.body, body);
        }
    }

    let unsigned = Request::post("/").body(Bytes::from("{}")).unwrap();
    let over = signed(odd_bytes(MAX_BODY + 1));
    let refused = [
        (ask(&host.github, forged()).await, 401),
        (stream(&host.github, forged()).await, 401),
        (ask(&host.github, unsigned).await, 401),
        (ask(&host.github, over.clone()).await, 413),
        (stream(&host.github, over).await, 413),
    ];
    for (place, (reply, status)) in refused.iter().enumerate() {
        assert_eq!(reply.status, *status, "refusal {place}");
        let challenge = reply.headers.get(header::WWW_AUTHENTICATE);
        let expected = (*status == 401).then_some("Webhook-Signature");
        assert_eq!(challenge.map(|value| value.to_str().unwrap()), expected);
        assert!(reply.body.is_empty(), "refusal {place}: {:?}", reply.body);
    }

    if host.protocol == Protocol::Http1 {
        assert_eq!(trickle(&host.slow, signed("{}")).await, 408);
    }

    let images = odd_bytes(12 << 20);
    let body = multipart(&images);
    let signer = Signer::new(authenteq(), Secret::new(GITHUB_SECRET)).unwrap();
    let request = Request::post("/")
        .header("Content-Type", "multipart/form-data; boundary=b")
        .header("X-Client-Id", "client-7");
    let request = signer.sign(request, body.clone()).unwrap();
    let reply = ask(&host.authenteq, request).await;
    assert_eq!(reply.status, StatusCode::OK);
    assert!(reply.body == body, "{} bytes", reply.body.len());
}

/// An Authenteq body with one image.
fn multipart(image: &[u8]) -> Bytes {
    let part = |name: &str| {
        format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n").into_bytes()
    };
    let result = br#"{"id":"s-1","status":"PASSED","documentData":{"documentType":"PP"}}"#;
    [
        &part("result")[..],
        result,
        b"\r\n",
        &part("faceImage"),
        image,
        b"\r\n--b--\r\n",
    ]
    .concat()
    .into()
}

/// hyper's own body is not `From<Bytes>`, so it is mapped first.
async fn on_hyper(verify: WebhookVerifyLayer) -> String {
    let service = ServiceBuilder::new()
        .map_request(|request: Request<Incoming>| request.map(Mapped::new))
        .layer(verify)
        .service_fn(echo);
    serve(service).await
}

#[tokio::test]
async fn hyper_keeps_the_contract_over_http_1_and_http_2() {
    for protocol in [Protocol::Http1, Protocol::Http2] {
        keeps_the_contract(Host {
            protocol,
            github: on_hyper(layer()).await,
            slow: on_hyper(impatient()).await,
            authenteq: on_hyper(large()).await,
        })
        .await;
    }
}

type PoemBody = BoxBody<Bytes, io::Error>;

/// What a poem application writes to have the layer around an endpoint. poem's `compat()` for
/// layers asks for a service of poem's own requests, above one that cannot be cloned; this layer is
/// a service of `http` requests, and clones.
async fn verified<E: poem::Endpoint + 'static>(
    verify: WebhookVerifyLayer,
    endpoint: Arc<E>,
    request: poem::Request,
) -> poem::Result<poem::Response> {
    let (mut parts, body) = request.into_parts();
    let mut request = Request::new(Body::new(PoemBody::from(body)));
    *request.method_mut() = parts.method.clone();
    *request.uri_mut() = parts.uri.clone();
    *request.headers_mut() = parts.headers.clone();
    std::mem::swap(request.extensions_mut(), &mut parts.extensions);
    // What poem knows of the request, for the one call that may follow.
    let parts = Arc::new(Mutex::new(Some(parts)));
    let service = verify.layer(service_fn(move |request: Request<Body>| {
        let (endpoint, parts) = (Arc::clone(&endpoint), parts.lock().unwrap().take());
        async move {
            let mut parts = parts.ok_or(StatusCode::INTERNAL_SERVER_ERROR)?;
            parts.extensions = request.into_parts().0.extensions;
            let event = VerifiedEvent::<Bytes>::from_extensions(&parts.extensions)
                .map_err(|rejection| rejection.status())?;
            let request = poem::Request::from_parts(parts, event.into_payload().into());
            let response = endpoint.call(request).await?.into_response();
            Ok::<_, poem::Error>(Response::<PoemBody>::from(response))
        }
    }));
    service.oneshot(request).await.map(Into::into)
}

#[poem::handler]
async fn poem_echo(request: &poem::Request, body: poem::Body) -> poem::Result<poem::Response> {
    let event = VerifiedEvent::<Bytes>::from_extensions(request.extensions())
        .map_err(|rejection| poem::Error::from_status(rejection.status()))?;
    let same = body.into_bytes().await? == event.body();
    let status = if same {
        StatusCode::ACCEPTED
    } else {
        StatusCode::CONFLICT
    };
    Ok(poem::Response::builder()
        .status(status)
        .header(
            "x-path-parameter",
            request.raw_path_param("name").unwrap_or_default(),
        )
        .header(
            "x-peer-known",
            request.remote_addr().as_socket_addr().is_some().to_string(),
        )
        .body(event.into_payload()))
}

async fn serve_poem<E: poem::Endpoint + 'static>(endpoint: E) -> String {
    let (listener, address) = listen().await;
    let acceptor = poem::listener::TcpAcceptor::from_tokio(listener).unwrap();
    tokio::spawn(poem::Server::new_with_acceptor(acceptor).run(endpoint));
    address
}

#[tokio::test]
async fn poem_keeps_the_contract_around_an_endpoint() {
    let route = |verify: WebhookVerifyLayer| {
        let endpoint =
            poem_echo.around(move |endpoint, request| verified(verify.clone(), endpoint, request));
        poem::post(endpoint)
    };
    let app = poem::Route::new()
        .at("/github", route(layer()))
        .at("/slow", route(impatient()))
        .at("/authenteq", route(large()))
        .at("/of/:name", route(layer()));
    let address = serve_poem(app).await;

    let reply = post(&format!("{address}/of/acme"), signed("{}")).await;
    assert_eq!(reply.status, StatusCode::ACCEPTED);
    assert_eq!(reply.headers["x-path-parameter"], "acme");
    assert_eq!(reply.headers["x-peer-known"], "true");
    assert_eq!(get(&format!("{address}/github")).await, 405);

    keeps_the_contract(Host {
        protocol: Protocol::Http1,
        github: format!("{address}/github"),
        slow: format!("{address}/slow"),
        authenteq: format!("{address}/authenteq"),
    })
    .await;
}

#[tokio::test]
async fn poem_keeps_the_contract_with_a_whole_tower_service_as_endpoint() {
    let route = |verify| {
        let service = ServiceBuilder::new()
            .map_request(|request: Request<PoemBody>| request.map(Mapped::new))
            .layer(verify)
            .service_fn(echo);
        poem::endpoint::TowerCompatExt::compat(service)
    };
    let app = poem::Route::new()
        .at("/github", route(layer()))
        .at("/slow", route(impatient()))
        .at("/authenteq", route(large()));
    let address = serve_poem(app).await;
    keeps_the_contract(Host {
        protocol: Protocol::Http1,
        github: format!("{address}/github"),
        slow: format!("{address}/slow"),
        authenteq: format!("{address}/authenteq"),
    })
    .await;
}

#[salvo::handler]
async fn salvo_echo(request: &mut salvo::Request, response: &mut salvo::Response) {
    let event = match VerifiedEvent::<Bytes>::from_extensions(request.extensions()) {
        Ok(event) => event,
        Err(rejection) => {
            response.status_code(rejection.status());
            return;
        }
    };
    let body = request.payload_with_max_size(usize::MAX).await.unwrap();
    let same = body == event.body();
    response.status_code(if same {
        StatusCode::ACCEPTED
    } else {
        StatusCode::CONFLICT
    });
    response.write_body(event.into_payload()).unwrap();
}

#[tokio::test]
async fn salvo_keeps_the_contract() {
    let route = |path: &str, verify: WebhookVerifyLayer| {
        let verify = salvo::prelude::TowerLayerCompat::compat(verify);
        salvo::Router::with_path(path).hoop(verify).post(salvo_echo)
    };
    let router = salvo::Router::new()
        .push(route("github", layer()))
        .push(route("slow", impatient()))
        .push(route("authenteq", large()));
    let (listener, address) = listen().await;
    let acceptor = salvo::conn::tcp::TcpAcceptor::try_from(listener).unwrap();
    tokio::spawn(salvo::Server::new(acceptor).serve(router));

    assert_eq!(get(&format!("{address}/github")).await, 405);
    keeps_the_contract(Host {
        protocol: Protocol::Http1,
        github: format!("{address}/github"),
        slow: format!("{address}/slow"),
        authenteq: format!("{address}/authenteq"),
    })
    .await;
}

async fn get(url: &str) -> u16 {
    let request = Request::builder().method(Method::GET);
    post(url, request.body(Bytes::new()).unwrap())
        .await
        .status
        .as_u16()
}

// --- Other layers: any order ---

/// A router with one route.
fn at<H: Handler<T, ()>, T: 'static>(path: &str, handler: H) -> Router {
    Router::new().route(path, on_post(handler))
}

fn routes() -> Router {
    at("/hook", echo_boxed).layer(layer())
}

/// [`echo`] for axum.
async fn echo_boxed(request: Request<Body>) -> Response<Body> {
    let Ok(response) = echo(request).await;
    response.map(Body::new)
}

/// An accepted event gives 202 and its body; the layer's refusals come through unchanged.
async fn is_transparent(name: &str, url: &str) {
    let body = odd_bytes(5000);
    for request in [
        in_frames(signed(body.clone())),
        signed(body.clone()).map(TestBody::from),
    ] {
        let reply = send(Protocol::Http1, url, request).await;
        assert_eq!(reply.status, StatusCode::ACCEPTED, "{name}");
        assert_eq!(reply.body, body, "{name}");
    }
    let over = in_frames(signed(odd_bytes(MAX_BODY + 1)));
    for (request, status) in [(forged().map(TestBody::from), 401), (over, 413)] {
        let reply = send(Protocol::Http1, url, request).await;
        assert_eq!(reply.status, status, "{name}");
        assert!(reply.body.is_empty(), "{name}: {:?}", reply.body);
    }
}

async fn unavailable(_: BoxError) -> StatusCode {
    StatusCode::SERVICE_UNAVAILABLE
}

/// The layers that a user puts beside ours, each put on this by its `layer`.
macro_rules! beside {
    ($target:expr) => {{
        let gateway = TimeoutLayer::with_status_code(StatusCode::GATEWAY_TIMEOUT, LONG);
        let sensitive = SetSensitiveRequestHeadersLayer::new([HeaderName::from_static(SIGNATURE)]);
        let or_503 = || ServiceBuilder::new().layer(HandleErrorLayer::new(unavailable));
        [
            ("trace", $target.layer(TraceLayer::new_for_http())),
            ("catch panic", $target.layer(CatchPanicLayer::new())),
            ("compression", $target.layer(CompressionLayer::new())),
            (
                "decompression",
                $target.layer(RequestDecompressionLayer::new()),
            ),
            ("timeout of tower-http", $target.layer(gateway)),
            ("timeout of tower", $target.layer(or_503().timeout(LONG))),
            (
                "body timeout",
                $target.layer(RequestBodyTimeoutLayer::new(LONG)),
            ),
            (
                "body limit",
                $target.layer(RequestBodyLimitLayer::new(MAX_BODY * 2)),
            ),
            (
                "concurrency limit",
                $target.layer(ConcurrencyLimitLayer::new(2)),
            ),
            (
                "load shed",
                $target.layer(or_503().load_shed().concurrency_limit(2)),
            ),
            ("buffer", $target.layer(or_503().layer(BufferLayer::new(8)))),
            ("sensitive headers", $target.layer(sensitive)),
        ]
    }};
}

#[tokio::test]
async fn each_layer_may_stand_outside() {
    let outside: [(&str, Router); 12] = beside!(routes());
    for (name, router) in outside {
        let address = serve(router).await;
        is_transparent(name, &format!("{address}/hook")).await;
    }
}

#[tokio::test]
async fn each_layer_may_stand_inside() {
    let inside: [(&str, Router); 12] = beside!(at("/hook", echo_boxed));
    for (name, router) in inside {
        let address = serve(router.layer(layer())).await;
        is_transparent(name, &format!("{address}/hook")).await;
    }
}

#[tokio::test]
async fn all_of_them_stand_outside_in_one_service_builder() {
    let gateway = TimeoutLayer::with_status_code(StatusCode::GATEWAY_TIMEOUT, LONG);
    let service = ServiceBuilder::new()
        .layer(SetSensitiveRequestHeadersLayer::new([
            HeaderName::from_static(SIGNATURE),
        ]))
        .layer(TraceLayer::new_for_http())
        .layer(CatchPanicLayer::new())
        .layer(CompressionLayer::new())
        .layer(gateway)
        .layer(ConcurrencyLimitLayer::new(2))
        .layer(RequestBodyLimitLayer::new(MAX_BODY * 2))
        .layer(RequestDecompressionLayer::new())
        // Both change the type of the body; the layer wants one that is `From<Bytes>`.
        .map_request_body(Body::new)
        .layer(layer())
        .service_fn(async |request: Request<Body>| Ok::<_, Infallible>(echo_boxed(request).await));
    is_transparent("one stack", &serve(service).await).await;
}

// --- Other layers: the order matters ---

/// What gzip makes of it, by the same library that takes it apart.
async fn gzip(plain: Bytes) -> Bytes {
    let service = ServiceBuilder::new()
        .layer(
            CompressionLayer::new()
                .compress_when(|_: StatusCode, _: Version, _: &HeaderMap, _: &Extensions| true),
        )
        .service_fn(move |_: Request<()>| {
            let response = Response::new(Full::new(plain.clone()));
            async { Ok::<_, Infallible>(response) }
        });
    let request = Request::get("/").header("Accept-Encoding", "gzip");
    let response = service.oneshot(request.body(()).unwrap()).await.unwrap();
    assert_eq!(response.headers()["content-encoding"], "gzip");
    response.into_body().collect().await.unwrap().to_bytes()
}

/// Answers with the body as the handler reads it, and the length of the event's in a header.
async fn as_read(calls: Arc<AtomicUsize>, request: Request<Body>) -> Response<Body> {
    calls.fetch_add(1, Ordering::SeqCst);
    let event = VerifiedEvent::<Bytes>::from_extensions(request.extensions()).unwrap();
    let body = request.into_body().collect().await.unwrap().to_bytes();
    let length = event.body().len().to_string();
    Response::builder()
        .header("x-event-length", length)
        .body(body.into())
        .unwrap()
}

#[tokio::test]
async fn a_body_is_verified_in_the_form_in_which_it_was_signed() {
    let plain = Bytes::from("{\"zen\":\"Keep it logically awesome.\"}".repeat(20));
    let packed = gzip(plain.clone()).await;
    assert!(packed.len() < plain.len());
    let calls = Arc::new(AtomicUsize::new(0));
    let handler = {
        let calls = Arc::clone(&calls);
        move |request| as_read(calls, request)
    };
    let unpack = RequestDecompressionLayer::new;
    // axum's last `layer` is the outermost.
    let outside = at("/outside", handler.clone())
        .layer(layer())
        .layer(unpack());
    let inside = at("/inside", handler).layer(unpack()).layer(layer());
    let address = serve(outside.merge(inside)).await;

    let packed_after = |signed_over: &Bytes, sent: &Bytes| {
        let mut request = signed(signed_over.clone()).map(|_| sent.clone());
        let gzip = HeaderValue::from_static("gzip");
        request.headers_mut().insert(header::CONTENT_ENCODING, gzip);
        request
    };
    let (signed_plain, signed_packed) = (
        packed_after(&plain, &packed),
        packed_after(&packed, &packed),
    );
    let never_packed = signed(plain.clone());
    // What the event holds, where it is accepted.
    let cases = [
        ("outside", &signed_plain, Some(plain.len())),
        ("outside", &signed_packed, None),
        ("inside", &signed_plain, None),
        ("inside", &signed_packed, Some(packed.len())),
        ("outside", &never_packed, Some(plain.len())),
        ("inside", &never_packed, Some(plain.len())),
    ];
    let mut accepted = 0;
    for (place, (path, request, length)) in cases.into_iter().enumerate() {
        let reply = post(&format!("{address}/{path}"), request.clone()).await;
        accepted += usize::from(length.is_some());
        assert_eq!(
            calls.load(Ordering::SeqCst),
            accepted,
            "case {place}: handler reached"
        );
        if let Some(length) = length {
            assert_eq!(reply.status, StatusCode::OK, "case {place}");
            assert_eq!(
                reply.headers["x-event-length"],
                length.to_string(),
                "case {place}"
            );
            assert_eq!(reply.body, plain, "case {place}");
        } else {
            assert_eq!(reply.status, StatusCode::UNAUTHORIZED, "case {place}");
        }
    }

    let broken = packed_after(&plain, &plain);
    let reply = post(&format!("{address}/outside"), broken).await;
    assert_eq!(reply.status, StatusCode::BAD_REQUEST);
    assert_eq!(calls.load(Ordering::SeqCst), accepted);
}

#[tokio::test]
async fn a_decompression_bomb_is_stopped_at_the_layers_limit() {
    const BOMB: usize = 16 << 20;
    let packed = gzip(Bytes::from(vec![0; BOMB])).await;
    assert!(packed.len() < 64 << 10, "{}", packed.len());
    let unpacked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&unpacked);
    let verify = WebhookVerifyLayer::new(github().with_max_body(1 << 20));
    let service = ServiceBuilder::new()
        .layer(RequestDecompressionLayer::new())
        .map_request_body(move |body: DecompressionBody<Incoming>| {
            let count = Arc::clone(&count);
            Body::new(body.map_frame(move |frame| {
                let length = frame.data_ref().map_or(0, Bytes::len);
                count.fetch_add(length, Ordering::SeqCst);
                frame
            }))
        })
        .layer(verify)
        .service_fn(echo);
    let address = serve(service).await;
    // Even the right signature does not help it.
    let mut request = signed(vec![0; BOMB]).map(|_| packed);
    request
        .headers_mut()
        .insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    let reply = post(&address, request).await;
    assert_eq!(reply.status, StatusCode::PAYLOAD_TOO_LARGE);
    let unpacked = unpacked.load(Ordering::SeqCst);
    assert!(
        (1 << 20..2 << 20).contains(&unpacked),
        "{unpacked} bytes unpacked"
    );
}

#[tokio::test]
async fn the_lower_of_two_body_limits_holds() {
    async fn reads_the_event(request: Request<Body>) -> String {
        let event = VerifiedEvent::<Bytes>::from_extensions(request.extensions()).unwrap();
        event.body().len().to_string()
    }
    const LIMIT: usize = 1000;
    let limit = || RequestBodyLimitLayer::new(LIMIT);
    let outside = at("/outside", echo_boxed).layer(layer()).layer(limit());
    let inside = at("/inside", echo_boxed).layer(limit()).layer(layer());
    let address = serve(outside.merge(inside)).await;
    // Bytes, whether their number is declared, and who answers: only our refusals have no body.
    let cases = [
        ("outside", LIMIT, true, 202, false),
        ("outside", LIMIT, false, 202, false),
        ("outside", LIMIT + 1, true, 413, false),
        ("outside", LIMIT + 1, false, 413, true),
        ("inside", LIMIT, true, 202, false),
        ("inside", LIMIT, false, 202, false),
        ("inside", LIMIT + 1, true, 413, false),
        ("inside", MAX_BODY + 1, true, 413, true),
        ("inside", MAX_BODY + 1, false, 413, true),
    ];
    for (path, length, declared, status, ours) in cases {
        let url = format!("{address}/{path}");
        let request = signed(odd_bytes(length));
        let reply = if declared {
            post(&url, request).await
        } else {
            send(Protocol::Http1, &url, in_frames(request)).await
        };
        let case = format!("{path}, {length}, {declared}: {:?}", reply.body);
        assert_eq!(reply.status, status, "{case}");
        assert_eq!(reply.body.is_empty(), ours, "{case}");
    }

    // Inside, what is not declared is counted only while it is read; the event's body is there
    // already.
    let address = serve(at("/", reads_the_event).layer(limit()).layer(layer())).await;
    let request = in_frames(signed(odd_bytes(LIMIT + 1)));
    let reply = send(Protocol::Http1, &address, request).await;
    assert_eq!(
        (reply.status, &reply.body[..]),
        (StatusCode::OK, &b"1001"[..])
    );
}

#[tokio::test]
async fn a_body_that_trickles_in_frees_its_permit_at_the_read_timeout() {
    let admitted = Arc::new(Notify::new());
    let inside = Arc::new(Semaphore::new(1));
    let (notify, entered, left) = (Arc::clone(&admitted), Arc::clone(&inside), inside);
    let service = ServiceBuilder::new()
        .concurrency_limit(1)
        .map_request(move |request: Request<Incoming>| {
            entered.try_acquire().unwrap().forget();
            notify.notify_one();
            request.map(Mapped::new)
        })
        .map_response(move |response: Response<Full<Bytes>>| {
            left.add_permits(1);
            response
        })
        .layer(impatient())
        .service_fn(echo);
    let address = serve(service).await;
    let first = trickle(&address, signed("{}"));
    let second = async {
        admitted.notified().await;
        post(&address, signed("{}")).await.status
    };
    let (first, second) = tokio::join!(first, second);
    assert_eq!((first, second), (408, StatusCode::ACCEPTED));
}

#[tokio::test]
async fn a_timeout_outside_counts_the_reading_and_one_inside_the_handler() {
    async fn never(_: Request<Body>) -> StatusCode {
        std::future::pending().await
    }
    let gateway = || TimeoutLayer::with_status_code(StatusCode::GATEWAY_TIMEOUT, SHORT);
    let by_tower = || {
        ServiceBuilder::new()
            .layer(HandleErrorLayer::new(unavailable))
            .timeout(SHORT)
    };
    let body = || RequestBodyTimeoutLayer::new(SHORT);
    let (quick, slow) = (at("/", echo_boxed), at("/", never));
    // The router, what a body that trickles in gives, and what one that is complete gives.
    let cases = [
        (
            "outside",
            slow.clone().layer(layer()).layer(gateway()),
            504,
            504,
        ),
        (
            "outside, tower",
            slow.clone().layer(layer()).layer(by_tower()),
            503,
            503,
        ),
        (
            "inside",
            slow.clone().layer(gateway()).layer(impatient()),
            408,
            504,
        ),
        (
            "inside, tower",
            slow.layer(by_tower()).layer(impatient()),
            408,
            503,
        ),
        (
            "body, outside",
            quick.clone().layer(layer()).layer(body()),
            400,
            202,
        ),
        (
            "body, inside",
            quick.layer(body()).layer(impatient()),
            408,
            202,
        ),
    ];
    for (name, router, trickled, complete) in cases {
        let address = serve(router).await;
        let url = format!("{address}/");
        assert_eq!(trickle(&url, signed("{}")).await, trickled, "{name}");
        assert_eq!(post(&url, signed("{}")).await.status, complete, "{name}");
        assert_eq!(post(&url, forged()).await.status, 401, "{name}");
    }
}

#[tokio::test]
async fn a_panic_of_the_handler_is_caught_on_either_side() {
    async fn panics(_: Request<Body>) -> StatusCode {
        panic!("on purpose")
    }
    let catch = CatchPanicLayer::new;
    let outside = at("/outside", panics).layer(layer()).layer(catch());
    let inside = at("/inside", panics).layer(catch()).layer(layer());
    let address = serve(outside.merge(inside)).await;
    for path in ["outside", "inside"] {
        let url = format!("{address}/{path}");
        assert_eq!(post(&url, signed("{}")).await.status, 500, "{path}");
        assert_eq!(post(&url, forged()).await.status, 401, "{path}");
    }
}

#[tokio::test]
async fn answers_are_compressed_on_either_side_and_refusals_stay_empty() {
    let pack = CompressionLayer::new;
    let outside = at("/outside", echo_boxed).layer(layer()).layer(pack());
    let inside = at("/inside", echo_boxed).layer(pack()).layer(layer());
    let address = serve(outside.merge(inside)).await;
    let body = Bytes::from("awesome ".repeat(500));
    let packed = |mut request: Request<Bytes>| {
        let gzip = HeaderValue::from_static("gzip");
        request.headers_mut().insert(header::ACCEPT_ENCODING, gzip);
        request
    };
    for path in ["outside", "inside"] {
        let url = format!("{address}/{path}");
        let reply = post(&url, packed(signed(body.clone()))).await;
        assert_eq!(reply.status, 202, "{path}");
        assert_eq!(reply.headers["content-encoding"], "gzip", "{path}");
        assert_eq!(reply.body, gzip(body.clone()).await, "{path}");
        let reply = post(&url, packed(forged())).await;
        assert_eq!(reply.status, 401, "{path}");
        assert!(reply.body.is_empty(), "{path}: {:?}", reply.body);
    }
}

#[tokio::test]
async fn a_scheme_that_signs_the_path_stands_outside_what_rewrites_it() {
    let scheme = Scheme::signed(
        Algorithm::HmacSha256,
        "{path}\n{body}",
        SignatureFormat::single("X-Sig", Encoding::Hex),
    );
    let provider = Provider::new("acme", scheme);
    let secret = Secret::new(GITHUB_SECRET);
    let signer = Signer::new(provider.clone(), secret.clone()).unwrap();
    let verify = WebhookVerifyLayer::new(Verifier::new(provider, secret).unwrap());
    let trim = NormalizePathLayer::trim_trailing_slash();

    let routes = at("/hook", echo_boxed);
    let inside = trim.layer(routes.clone().layer(verify.clone()));
    let outside = ServiceBuilder::new()
        .map_request_body(Body::new)
        .layer(verify)
        .layer(trim)
        .service(routes);
    let (inside, outside) = (serve(inside).await, serve(outside).await);
    for (address, path, status) in [
        (&inside, "/hook", 202),
        (&inside, "/hook/", 401),
        (&outside, "/hook", 202),
        (&outside, "/hook/", 202),
    ] {
        let request = signer.sign(Request::post(path), Bytes::from("{}")).unwrap();
        let reply = post(&format!("{address}{path}"), request).await;
        assert_eq!(reply.status, status, "{path}");
    }

    // One that does not sign it may stand on either side.
    let address = serve(NormalizePathLayer::trim_trailing_slash().layer(self::routes())).await;
    assert_eq!(
        post(&format!("{address}/hook/"), signed("{}")).await.status,
        202
    );
}

#[tokio::test]
async fn a_signature_that_is_marked_as_sensitive_still_verifies() {
    async fn is_marked(request: Request<Body>) -> String {
        request.headers()[SIGNATURE].is_sensitive().to_string()
    }
    let mark = SetSensitiveRequestHeadersLayer::new([HeaderName::from_static(SIGNATURE)]);
    let router = at("/", is_marked).layer(layer()).layer(mark);
    let address = serve(router).await;
    let reply = post(&address, signed("{}")).await;
    assert_eq!(
        (reply.status, &reply.body[..]),
        (StatusCode::OK, &b"true"[..])
    );
}
