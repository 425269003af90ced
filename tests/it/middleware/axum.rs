//! Stacks of axum 0.8 that have to compile and run, and `VerifiedEvent` as an extractor.

use std::time::Duration;

use axum::{
    Router,
    body::Body,
    extract::{Path, State},
    middleware::{Next, from_fn},
    response::Response,
    routing::{any, get, post},
};
use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::Value;
use support::{GITHUB_SECRET, TestBody, data, github_signer, kind, layer, refusal, signed};
use tower::{ServiceBuilder, ServiceExt};
use tower_http::{
    ServiceBuilderExt as _, limit::RequestBodyLimitLayer, timeout::TimeoutLayer, trace::TraceLayer,
    validate_request::ValidateRequestHeaderLayer,
};
use tower_webhook::{
    Json, RejectionKind, Secret, VerifiedEvent, Verifier, WebhookVerifyLayer, providers,
};

const BODY: &str = r#"{"zen":"Keep it logically awesome."}"#;

async fn hook(event: VerifiedEvent<Value>) -> String {
    event.payload()["zen"].as_str().unwrap().to_owned()
}

fn good(path: &str) -> Request<Body> {
    let request = github_signer().sign(Request::post(path), Bytes::from_static(BODY.as_bytes()));
    request.unwrap().map(Body::from)
}

fn bad(path: &str) -> Request<Body> {
    Request::post(path).body(Body::from(BODY)).unwrap()
}

async fn send(app: &Router, request: Request<Body>) -> Response {
    app.clone().oneshot(request).await.unwrap()
}

async fn text(response: Response) -> String {
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Asserts that a signed request to `path` reaches [`hook`], and an unsigned one is refused with an
/// empty 401.
async fn guards(app: Router, path: &str) {
    let response = send(&app, good(path)).await;
    assert_eq!(
        response.status(),
        StatusCode::OK,
        "{:?}",
        refusal(&response)
    );
    assert_eq!(text(response).await, "Keep it logically awesome.");
    let response = send(&app, bad(path)).await;
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(response.headers()["www-authenticate"], "Webhook-Signature");
    assert_eq!(kind(&response), Some(RejectionKind::MissingHeader));
    assert_eq!(text(response).await, "");
}

/// Sends a request with another method.
async fn with_method(app: &Router, method: Method, path: &str) -> StatusCode {
    let mut request = bad(path);
    *request.method_mut() = method;
    send(app, request).await.status()
}

#[tokio::test]
async fn under_the_layer_of_a_router_everything_needs_a_signature() {
    let app = Router::new()
        .route("/hook", post(hook))
        .route("/other", get(|| async { "other" }))
        .layer(layer());
    guards(app.clone(), "/hook").await;
    assert_eq!(
        with_method(&app, Method::GET, "/other").await,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(
        with_method(&app, Method::PUT, "/hook").await,
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test]
async fn the_route_layer_of_a_router_leaves_unknown_paths_alone() {
    let app = Router::new()
        .route("/hook", post(hook))
        .route_layer(layer());
    guards(app.clone(), "/hook").await;
    assert_eq!(
        with_method(&app, Method::POST, "/nowhere").await,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn the_route_layer_of_a_method_leaves_other_methods_at_405() {
    let app = Router::new().route("/hook", post(hook).route_layer(layer()));
    guards(app.clone(), "/hook").await;
    for method in [Method::GET, Method::PUT, Method::DELETE, Method::PATCH] {
        let status = with_method(&app, method.clone(), "/hook").await;
        assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED, "{method}");
    }
    assert_eq!(
        with_method(&app, Method::POST, "/nowhere").await,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn a_layer_on_a_method_router_covers_every_method_of_the_path() {
    let app = Router::new().route("/hook", any(hook).layer(layer()));
    guards(app.clone(), "/hook").await;
    assert_eq!(
        with_method(&app, Method::GET, "/hook").await,
        StatusCode::UNAUTHORIZED
    );
}

async fn mark(request: axum::extract::Request, next: Next) -> Response {
    let verified = request.extensions().get::<VerifiedEvent>().is_some();
    let mut response = next.run(request).await;
    let name = if verified { "x-inside" } else { "x-outside" };
    response.headers_mut().insert(name, "1".parse().unwrap());
    response
}

#[tokio::test]
async fn above_and_below_from_fn_in_a_service_builder() {
    for (outside, inside) in [(true, false), (false, true), (true, true)] {
        let router = Router::new().route("/hook", post(hook));
        let app = match (outside, inside) {
            (true, false) => {
                router.layer(ServiceBuilder::new().layer(from_fn(mark)).layer(layer()))
            }
            (false, true) => {
                router.layer(ServiceBuilder::new().layer(layer()).layer(from_fn(mark)))
            }
            _ => router.route_layer(
                ServiceBuilder::new()
                    .layer(from_fn(mark))
                    .layer(layer())
                    .layer(from_fn(mark)),
            ),
        };
        let response = send(&app, good("/hook")).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers().contains_key("x-outside"), outside);
        assert_eq!(response.headers().contains_key("x-inside"), inside);
        let response = send(&app, bad("/hook")).await;
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
        assert_eq!(response.headers().contains_key("x-outside"), outside);
        assert!(!response.headers().contains_key("x-inside"));
    }
}

#[tokio::test]
async fn with_tracing_and_timeouts_on_either_side() {
    let timeout =
        || TimeoutLayer::with_status_code(StatusCode::GATEWAY_TIMEOUT, Duration::from_secs(5));
    let router = || Router::new().route("/hook", post(hook));
    let stacked = ServiceBuilder::new()
        .layer(TraceLayer::new_for_http())
        .layer(timeout())
        .layer(layer());
    guards(router().layer(stacked), "/hook").await;
    // The body of a response has to be `Default`, which the one of `Trace` is not; a router maps it
    // by itself.
    let stacked = ServiceBuilder::new()
        .layer(layer())
        .layer(timeout())
        .map_response_body(Body::new)
        .layer(TraceLayer::new_for_http());
    guards(router().layer(stacked), "/hook").await;
    let chained = router()
        .layer(TraceLayer::new_for_http())
        .layer(layer())
        .layer(TraceLayer::new_for_http())
        .layer(timeout());
    guards(chained, "/hook").await;
    let method = post(hook)
        .route_layer(timeout())
        .route_layer(layer())
        .route_layer(TraceLayer::new_for_http());
    guards(Router::new().route("/hook", method), "/hook").await;
}

#[tokio::test]
async fn an_outer_limit_on_bodies_is_answered_413() {
    let chained = Router::new()
        .route("/hook", post(hook))
        .layer(layer())
        .layer(RequestBodyLimitLayer::new(100));
    // In one stack the limited body is mapped back to axum's first.
    let stacked = Router::new().route("/hook", post(hook)).layer(
        ServiceBuilder::new()
            .layer(RequestBodyLimitLayer::new(100))
            .map_request_body(Body::new)
            .layer(layer()),
    );
    for app in [chained, stacked] {
        guards(app.clone(), "/hook").await;
        // Without a declared length it is the limited body that says so, while it is read.
        let long = Bytes::from(vec![b'x'; 101]);
        let chunked = Body::new(TestBody::new([
            data("x"),
            support::Step::Data(long.slice(1..)),
        ]));
        let response = send(&app, signed(long).map(|_| chunked)).await;
        assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
        assert_eq!(kind(&response), Some(RejectionKind::BodyTooLarge));
        assert_eq!(text(response).await, "");
    }
}

#[tokio::test]
async fn the_default_body_limit_of_axum_does_not_cut_what_is_verified() {
    async fn length(event: VerifiedEvent) -> String {
        event.body().len().to_string()
    }
    let app = Router::new().route("/hook", post(length).route_layer(layer()));
    let long = Bytes::from(vec![b'x'; 3 << 20]);
    let response = send(&app, signed(long).map(Body::from)).await;
    assert_eq!(text(response).await, (3 << 20).to_string());
}

#[tokio::test]
async fn in_nested_routers() {
    let inner = || Router::new().route("/github", post(hook));
    let inside = Router::new().nest("/hooks", inner().route_layer(layer()));
    guards(inside, "/hooks/github").await;
    let outside = Router::new().nest("/hooks", inner()).layer(layer());
    guards(outside, "/hooks/github").await;
    let merged = Router::new()
        .route("/open", get(|| async { "open" }))
        .merge(inner().layer(layer()));
    guards(merged.clone(), "/github").await;
    assert_eq!(
        with_method(&merged, Method::GET, "/open").await,
        StatusCode::OK
    );
    let service = Router::new().nest_service("/hooks", inner().layer(layer()));
    guards(service, "/hooks/github").await;
    let fallback = Router::new().fallback_service(inner().layer(layer()));
    guards(fallback, "/github").await;
}

#[tokio::test]
async fn two_endpoints_of_one_router_have_secrets_of_their_own() {
    let other =
        Verifier::new(providers::github(), Secret::new("another-secret-of-length")).unwrap();
    let app = Router::new()
        .route("/one", post(hook).route_layer(layer()))
        .route(
            "/two",
            post(hook).route_layer(WebhookVerifyLayer::new(other)),
        );
    guards(app.clone(), "/one").await;
    let response = send(&app, good("/two")).await;
    assert_eq!(kind(&response), Some(RejectionKind::SignatureMismatch));
}

#[tokio::test]
async fn beside_other_extractors_and_state() {
    async fn bytes(event: VerifiedEvent, body: Bytes) -> String {
        assert_eq!(event.body(), &body);
        assert_eq!(event.body().as_ptr(), body.as_ptr(), "one buffer");
        "same".to_owned()
    }
    async fn json(event: VerifiedEvent<Value>, axum::Json(body): axum::Json<Value>) -> String {
        assert_eq!(event.payload(), &body);
        "same".to_owned()
    }
    async fn all(
        State(state): State<&'static str>,
        Path(name): Path<String>,
        headers: HeaderMap,
        first: VerifiedEvent<Json<Zen>>,
        second: VerifiedEvent<Bytes>,
        body: String,
    ) -> String {
        assert!(headers.contains_key(support::SIGNATURE));
        assert_eq!(first.payload().0.zen, "Keep it logically awesome.");
        assert_eq!(second.payload(), &body);
        format!("{state} {name}")
    }
    async fn maybe(event: Result<VerifiedEvent<Json<u8>>, tower_webhook::Rejection>) -> String {
        event.unwrap_err().kind().to_string()
    }
    #[derive(serde::Deserialize)]
    struct Zen {
        zen: String,
    }

    let app = Router::new()
        .route("/bytes", post(bytes))
        .route("/json", post(json))
        .route("/all/{name}", post(all))
        .route("/maybe", post(maybe))
        .route_layer(layer())
        .with_state("state");
    for (path, expected) in [
        ("/bytes", "same"),
        ("/json", "same"),
        ("/all/me", "state me"),
        ("/maybe", "unreadable_payload"),
    ] {
        let mut request = good(path);
        let json = http::HeaderValue::from_static("application/json");
        request.headers_mut().insert("content-type", json);
        let response = send(&app, request).await;
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        assert_eq!(text(response).await, expected);
    }
}

#[tokio::test]
async fn an_extractor_without_the_layer_is_answered_500() {
    let app = Router::new().route("/hook", post(hook));
    for request in [good("/hook"), bad("/hook")] {
        let response = send(&app, request).await;
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(kind(&response), Some(RejectionKind::LayerMissing));
        let words = refusal(&response).unwrap().to_string();
        assert!(words.contains("WebhookVerifyLayer"), "{words}");
        assert_eq!(text(response).await, "");
    }
}

#[tokio::test]
async fn a_genuine_event_of_another_type_is_answered_500() {
    async fn vove(event: VerifiedEvent<providers::voveid::Event>) -> String {
        format!("{event:?}")
    }
    async fn number(event: VerifiedEvent<Json<u8>>) -> String {
        event.payload().0.to_string()
    }
    let app = Router::new()
        .route("/vove", post(vove))
        .route("/number", post(number))
        .route_layer(layer());
    for path in ["/vove", "/number"] {
        let response = send(&app, good(path)).await;
        assert_eq!(
            response.status(),
            StatusCode::INTERNAL_SERVER_ERROR,
            "{path}"
        );
        assert_eq!(kind(&response), Some(RejectionKind::UnreadablePayload));
        let words = refusal(&response).unwrap().to_string();
        assert!(
            !words.contains("logically"),
            "the body is not quoted: {words}"
        );
        assert_eq!(text(response).await, "");
    }
    let vove = refusal(&send(&app, good("/vove")).await)
        .unwrap()
        .to_string();
    assert!(vove.contains("github") && vove.contains("voveid"), "{vove}");
}

#[tokio::test]
async fn beside_a_layer_that_refuses_by_itself() {
    let app = Router::new().route("/hook", post(hook)).layer(
        ServiceBuilder::new()
            .layer(ValidateRequestHeaderLayer::accept("application/json"))
            .layer(layer()),
    );
    let mut request = bad("/hook");
    let html = http::HeaderValue::from_static("text/html");
    request.headers_mut().insert("accept", html);
    assert_eq!(
        send(&app, request).await.status(),
        StatusCode::NOT_ACCEPTABLE
    );
    guards(app, "/hook").await;
}
#[tokio::test]
async fn from_a_configuration() {
    let text = format!("[endpoints.code]\nprovider = \"github\"\nsecret = \"{GITHUB_SECRET}\"\n");
    let config = tower_webhook::Config::from_toml_str(&text).unwrap();
    async fn endpoint(event: VerifiedEvent) -> String {
        event.endpoint().unwrap().to_owned()
    }
    let app = Router::new()
        .route(
            "/hook",
            post(hook).route_layer(config.layer("code").unwrap()),
        )
        .route(
            "/name",
            post(endpoint).route_layer(config.layer("code").unwrap()),
        );
    guards(app.clone(), "/hook").await;
    let response = send(&app, good("/name")).await;
    assert_eq!(kind(&response), None);
    assert_eq!(self::text(response).await, "code");
}

#[tokio::test]
async fn an_optional_event_is_none_without_the_layer_only() {
    async fn optional(event: Option<VerifiedEvent<Value>>) -> String {
        match event {
            Some(event) => event.payload()["zen"].as_str().unwrap().to_owned(),
            None => "none".to_owned(),
        }
    }
    let app = Router::new()
        .route("/guarded", post(optional).route_layer(layer()))
        .route("/bare", post(optional));
    let response = send(&app, good("/guarded")).await;
    assert_eq!(text(response).await, "Keep it logically awesome.");
    assert_eq!(text(send(&app, bad("/bare")).await).await, "none");

    // An event that is not JSON is an error, and not the absence of one.
    let request = github_signer().sign(Request::post("/guarded"), Bytes::from_static(b"zen"));
    let response = send(&app, request.unwrap().map(Body::from)).await;
    assert_eq!(kind(&response), Some(RejectionKind::UnreadablePayload));
}
