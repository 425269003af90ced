//! Routes that are wired wrongly: each mistake has one answer, and a log line that names the
//! remedy. On axum and actix-web alike.

use actix_web::{
    HttpMessage, HttpRequest, HttpResponse,
    body::{MessageBody, to_bytes},
    dev::{Payload, Service, ServiceRequest, ServiceResponse},
    middleware::from_fn as actix_from_fn,
    test::{TestRequest, call_service, init_service},
    web,
};
use axum::{
    Router, body::Body, extract, http::StatusCode, middleware::from_fn, response::IntoResponse,
    routing::post,
};
use bytes::Bytes;
use http::Request;
use http_body_util::BodyExt;
use support::{Lines, github, kind, signed};
use tower::ServiceExt;
use tower_webhook::{
    Json, Rejection, RejectionKind, Secret, VerifiedEvent, Verifier, WebhookVerifyLayer, providers,
};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::fmt::format::FmtSpan;

/// The lines that were written.
fn trimmed_lines(log: &Lines) -> Vec<String> {
    let text = log.text();
    text.lines().map(|line| line.trim().to_owned()).collect()
}

#[derive(Clone, Copy, Debug)]
enum Framework {
    Axum,
    Actix,
}

/// What stands at `/hook`.
#[derive(Clone, Copy, Debug)]
enum Wiring {
    /// The layer, and a handler that does not look at the event.
    Unlooked,
    /// As before, and the handler fails.
    Failing,
    /// The layer, and a handler with the extractor.
    Extracted,
    /// The layer, and a handler that finds the event in the extensions.
    Found,
    /// The extractor without the layer.
    Bare,
    /// One layer twice.
    Twice,
    /// Two layers for one endpoint.
    TwiceMade,
    /// Two layers for two providers.
    TwoProviders,
    /// The layer inside of a middleware that reads the body and keeps it.
    Taken,
    /// The same, and the body is put back.
    Restored,
}

fn layer() -> WebhookVerifyLayer {
    WebhookVerifyLayer::new(github().with_endpoint("code"))
}

fn shopify() -> WebhookVerifyLayer {
    let secret = Secret::new("a-secret-for-shopify-tests");
    let verifier = Verifier::new(providers::shopify(), secret).unwrap();
    WebhookVerifyLayer::new(verifier.with_endpoint("shop"))
}

async fn extracted(event: VerifiedEvent) -> String {
    event.body().len().to_string()
}

impl Wiring {
    fn axum(self) -> Router {
        async fn found(request: extract::Request) -> String {
            let event = request.extensions().get::<VerifiedEvent>().unwrap();
            event.body().len().to_string()
        }
        let unlooked = async || "4";
        let failing = async || StatusCode::SERVICE_UNAVAILABLE.into_response();
        let one = layer();
        let route = match self {
            Self::Unlooked => post(unlooked).route_layer(one),
            Self::Failing => post(failing).route_layer(one),
            Self::Extracted => post(extracted).route_layer(one),
            Self::Found => post(found).route_layer(one),
            Self::Bare => post(extracted),
            Self::Twice => post(extracted).route_layer(one.clone()).route_layer(one),
            Self::TwiceMade => post(extracted).route_layer(layer()).route_layer(one),
            Self::TwoProviders => post(extracted).route_layer(shopify()).route_layer(one),
            Self::Taken => post(extracted)
                .route_layer(one)
                .route_layer(from_fn(axum_reader::<false>)),
            Self::Restored => post(extracted)
                .route_layer(one)
                .route_layer(from_fn(axum_reader::<true>)),
        };
        Router::new().route("/hook", route)
    }

    fn actix(self, config: &mut web::ServiceConfig) {
        async fn found(request: HttpRequest) -> String {
            let extensions = request.extensions();
            let event = extensions.get::<VerifiedEvent>().unwrap();
            event.body().len().to_string()
        }
        let unlooked = web::post().to(async || "4");
        let failing = web::post().to(async || HttpResponse::ServiceUnavailable().finish());
        let extracted = web::post().to(extracted);
        let one = layer();
        let hook = web::resource("/hook");
        config.service(match self {
            Self::Unlooked => hook.route(unlooked.wrap(one)),
            Self::Failing => hook.route(failing.wrap(one)),
            Self::Extracted => hook.route(extracted.wrap(one)),
            Self::Found => hook.route(web::post().to(found).wrap(one)),
            Self::Bare => hook.route(extracted),
            Self::Twice => hook.route(extracted.wrap(one.clone()).wrap(one)),
            Self::TwiceMade => hook.route(extracted.wrap(layer()).wrap(one)),
            Self::TwoProviders => hook.route(extracted.wrap(shopify()).wrap(one)),
            Self::Taken => hook.route(
                extracted
                    .wrap(one)
                    .wrap(actix_from_fn(actix_reader::<false>)),
            ),
            Self::Restored => hook.route(
                extracted
                    .wrap(one)
                    .wrap(actix_from_fn(actix_reader::<true>)),
            ),
        });
    }

    /// Sends these requests to one app of this framework, one after the other.
    async fn answers(self, framework: Framework, requests: Vec<Request<Bytes>>) -> Vec<Answer> {
        let mut answers = Vec::new();
        match framework {
            Framework::Axum => {
                let app = self.axum();
                for request in requests {
                    answers.push(of_axum(&app, request).await);
                }
            }
            Framework::Actix => {
                let app = actix_web::App::new().configure(|config| self.actix(config));
                let app = init_service(app).await;
                for request in requests {
                    let mut converted = to_actix(&request).to_request();
                    // The test kit adds what a body in chunks does not have.
                    if !request.headers().contains_key("content-length") {
                        converted.headers_mut().remove("content-length");
                    }
                    let response = call_service(&app, converted).await;
                    answers.push(of_actix(response).await);
                }
            }
        }
        answers
    }
}

/// A middleware that reads the body, as one that logs bodies does.
async fn axum_reader<const RESTORE: bool>(
    request: extract::Request,
    next: axum::middleware::Next,
) -> axum::response::Response {
    let (head, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let body = if RESTORE { body } else { Bytes::new() };
    next.run(Request::from_parts(head, Body::from(body))).await
}

/// The same for actix-web, where a payload that was read is empty.
async fn actix_reader<const RESTORE: bool>(
    mut request: ServiceRequest,
    next: actix_web::middleware::Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let body = request.extract::<Bytes>().await?;
    if RESTORE {
        request.set_payload(Payload::from(body));
    }
    next.call(request).await
}

/// Status, body, and the reason that stands in the extensions.
type Answer = (u16, String, Option<RejectionKind>);

async fn of_axum(app: &Router, request: Request<Bytes>) -> Answer {
    let response = app.clone().oneshot(request.map(Body::from)).await.unwrap();
    let (status, kind) = (response.status().as_u16(), kind(&response));
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.to_vec()).unwrap(), kind)
}

async fn of_actix<B: MessageBody>(response: ServiceResponse<B>) -> Answer {
    let kind = {
        let extensions = response.response().extensions();
        extensions.get::<Rejection>().map(Rejection::kind)
    };
    let status = response.status().as_u16();
    let Ok(body) = to_bytes(response.into_body()).await else {
        panic!("the body of an answer breaks off");
    };
    (status, String::from_utf8(body.to_vec()).unwrap(), kind)
}

fn to_actix(request: &Request<Bytes>) -> TestRequest {
    let mut converted = TestRequest::post().uri(&request.uri().to_string());
    for (name, value) in request.headers() {
        converted = converted.append_header((name.as_str(), value.as_bytes()));
    }
    converted.set_payload(request.body().clone())
}

fn accepted() -> Answer {
    (200, "4".to_owned(), None)
}

fn refused(kind: RejectionKind) -> Answer {
    (kind.status().as_u16(), String::new(), Some(kind))
}

/// A signed request as a server passes it on, with the length that the client declared.
fn declared(body: &'static str) -> Request<Bytes> {
    let mut request = signed(body);
    let length = body.len().into();
    request.headers_mut().insert("content-length", length);
    request
}

const REQUESTS: usize = 3;

/// One line of the log: its level, what it says, and how often [`REQUESTS`] requests bring it
/// about.
type Line = (&'static str, &'static [&'static str], usize);

#[actix_web::test]
async fn every_mistake_has_its_answer_and_a_line_that_names_the_remedy() {
    let every = REQUESTS;
    let cases: &[(Wiring, Answer, &[Line])] = &[
        (Wiring::Unlooked, accepted(), &[]),
        (Wiring::Failing, (503, String::new(), None), &[]),
        (Wiring::Extracted, accepted(), &[]),
        (Wiring::Found, accepted(), &[]),
        (Wiring::Restored, accepted(), &[]),
        (
            Wiring::Bare,
            refused(RejectionKind::LayerMissing),
            &[(
                "ERROR",
                &[
                    "layer_missing",
                    "WebhookVerifyLayer",
                    ".route_layer()",
                    ".wrap()",
                ],
                every,
            )],
        ),
        (
            Wiring::Twice,
            accepted(),
            &[(
                "WARN",
                &[
                    "passes through two verifying layers",
                    "remove the other",
                    "\"code\"",
                ],
                1,
            )],
        ),
        (
            Wiring::TwiceMade,
            accepted(),
            &[(
                "WARN",
                &[
                    "passes through two verifying layers",
                    "remove the other",
                    "\"code\"",
                ],
                1,
            )],
        ),
        (
            Wiring::TwoProviders,
            refused(RejectionKind::MissingHeader),
            &[
                (
                    "WARN",
                    &[
                        "passes through two verifying layers",
                        "remove the other",
                        "\"code\"",
                    ],
                    1,
                ),
                (
                    "WARN",
                    &["missing_header", "X-Shopify-Hmac-Sha256", "\"shop\""],
                    every,
                ),
            ],
        ),
        (
            Wiring::Taken,
            refused(RejectionKind::BodyTaken),
            &[(
                "ERROR",
                &[
                    "body_taken",
                    "put this middleware outside that layer",
                    "\"code\"",
                ],
                every,
            )],
        ),
    ];
    for (wiring, answer, lines) in cases {
        for framework in [Framework::Axum, Framework::Actix] {
            let (log, guard) = Lines::of_this_thread(LevelFilter::INFO, FmtSpan::NONE);
            let requests = (0..REQUESTS).map(|_| declared("body")).collect();
            let answers = wiring.answers(framework, requests).await;
            drop(guard);
            assert_eq!(
                answers,
                vec![answer.clone(); REQUESTS],
                "{framework:?} {wiring:?}"
            );
            let logged = trimmed_lines(&log);
            for (level, words, times) in *lines {
                let said = |line: &&String| {
                    line.starts_with(level) && words.iter().all(|word| line.contains(word))
                };
                let found = logged.iter().filter(said).count();
                assert_eq!(
                    found, *times,
                    "{framework:?} {wiring:?} {words:?}: {logged:#?}"
                );
            }
            // And nothing else, beside the first event of each endpoint.
            let logged: Vec<_> = logged.iter().filter(|line| !is_first(line)).collect();
            let expected: usize = lines.iter().map(|(_, _, times)| times).sum();
            assert_eq!(
                logged.len(),
                expected,
                "{framework:?} {wiring:?}: {logged:#?}"
            );
        }
    }
}

/// Whether this is the line about the first event of an endpoint.
fn is_first(line: &str) -> bool {
    line.starts_with("INFO") && line.contains("webhook verified, the first of this endpoint")
}

#[actix_web::test]
async fn each_endpoint_warns_once() {
    let named = |name: &str| WebhookVerifyLayer::new(github().with_endpoint(name));
    let (log, guard) = Lines::of_this_thread(LevelFilter::INFO, FmtSpan::NONE);
    let axum = Router::new()
        .route(
            "/a",
            post(async || "4")
                .route_layer(named("first"))
                .route_layer(named("first")),
        )
        .route(
            "/b",
            post(async || "4")
                .route_layer(named("second"))
                .route_layer(named("second")),
        );
    let twice = |name: &str| {
        let route = web::post().to(async || "4");
        route.wrap(named(name)).wrap(named(name))
    };
    let actix = actix_web::App::new()
        .route("/a", twice("third"))
        .route("/b", twice("fourth"));
    let actix = init_service(actix).await;
    for path in ["/a", "/b", "/a", "/b"] {
        let mut request = declared("body");
        *request.uri_mut() = path.parse().unwrap();
        let response = call_service(&actix, to_actix(&request).to_request()).await;
        assert_eq!(of_actix(response).await, accepted());
        assert_eq!(of_axum(&axum, request).await, accepted());
    }
    drop(guard);
    let lines: Vec<_> = trimmed_lines(&log)
        .into_iter()
        .filter(|line| !is_first(line))
        .collect();
    assert_eq!(lines.len(), 4, "{lines:#?}");
    for name in ["first", "second", "third", "fourth"] {
        let name = format!("\"{name}\"");
        let told = lines.iter().filter(|line| line.contains(&name)).count();
        assert_eq!(told, 1, "{name}: {lines:#?}");
    }
}

/// A body in chunks has no declared length to be missed by: it is a wrong signature, and the line
/// says over how many bytes.
#[actix_web::test]
async fn a_taken_body_of_unknown_length_is_a_mismatch_over_no_bytes() {
    for framework in [Framework::Axum, Framework::Actix] {
        let (log, guard) = Lines::of_this_thread(LevelFilter::INFO, FmtSpan::NONE);
        let answers = Wiring::Taken.answers(framework, vec![signed("body")]).await;
        drop(guard);
        assert_eq!(
            answers,
            [refused(RejectionKind::SignatureMismatch)],
            "{framework:?}"
        );
        let lines = trimmed_lines(&log);
        let [line] = &lines[..] else {
            panic!("{framework:?}: {lines:#?}");
        };
        assert!(
            line.starts_with("WARN") && line.contains("length=0"),
            "{line}"
        );
        assert!(line.contains("the body is empty"), "{line}");
    }
}

/// A body that is empty from the start was not taken by anybody.
#[actix_web::test]
async fn an_empty_body_is_genuine_behind_a_middleware_that_reads_it() {
    for framework in [Framework::Axum, Framework::Actix] {
        let answers = Wiring::Taken
            .answers(framework, vec![declared(""), signed("")])
            .await;
        assert_eq!(
            answers,
            vec![(200, "0".to_owned(), None); 2],
            "{framework:?}"
        );
    }
}

/// Without a signature the head decides, and what became of the body does not matter.
#[actix_web::test]
async fn who_is_not_the_provider_cannot_write_errors_into_the_log() {
    for framework in [Framework::Axum, Framework::Actix] {
        let (log, guard) = Lines::of_this_thread(LevelFilter::INFO, FmtSpan::NONE);
        let mut request = declared("body");
        request.headers_mut().remove(support::SIGNATURE);
        let answers = Wiring::Taken.answers(framework, vec![request]).await;
        drop(guard);
        assert_eq!(
            answers,
            [refused(RejectionKind::MissingHeader)],
            "{framework:?}"
        );
        assert!(
            !trimmed_lines(&log).concat().contains("ERROR"),
            "{:#?}",
            trimmed_lines(&log)
        );
    }
}

#[actix_web::test]
async fn a_payload_that_a_wrap_fn_takes_away_is_told_of() {
    let (log, guard) = Lines::of_this_thread(LevelFilter::INFO, FmtSpan::NONE);
    let scope = web::scope("")
        .wrap(layer())
        .wrap_fn(|mut request, next| {
            drop(request.take_payload());
            next.call(request)
        })
        .route("/hook", web::post().to(extracted));
    let app = init_service(actix_web::App::new().service(scope)).await;
    let response = call_service(&app, to_actix(&declared("body")).to_request()).await;
    drop(guard);
    assert_eq!(of_actix(response).await, refused(RejectionKind::BodyTaken));
    let lines = trimmed_lines(&log).concat();
    assert!(
        lines.starts_with("ERROR") && lines.contains("body_taken"),
        "{lines}"
    );
}

#[actix_web::test]
async fn the_event_and_the_body_in_one_handler_in_every_order() {
    const BODY: &str = r#"{"zen":"Keep it logically awesome."}"#;
    type Value = serde_json::Value;
    fn same(event: &VerifiedEvent, body: impl AsRef<[u8]>) -> String {
        (event.body() == body.as_ref()).to_string()
    }
    // At axum, what takes the body stands last; the event may stand anywhere.
    let axum = Router::new()
        .route(
            "/event",
            post(|event: VerifiedEvent| async move { same(&event, BODY) }),
        )
        .route(
            "/bytes",
            post(|event: VerifiedEvent, body: Bytes| async move { same(&event, body) }),
        )
        .route(
            "/string",
            post(|event: VerifiedEvent, body: String| async move { same(&event, body) }),
        )
        .route(
            "/json",
            post(
                |event: VerifiedEvent<Value>, body: axum::Json<Value>| async move {
                    (event.payload() == &body.0).to_string()
                },
            ),
        )
        .route(
            "/request",
            post(
                |event: VerifiedEvent, request: extract::Request| async move {
                    same(
                        &event,
                        request.into_body().collect().await.unwrap().to_bytes(),
                    )
                },
            ),
        )
        .route(
            "/events",
            post(
                |_: http::HeaderMap,
                 first: VerifiedEvent<Value>,
                 last: VerifiedEvent<Json<Value>>| async move {
                    (first.payload() == &last.payload().0).to_string()
                },
            ),
        )
        .route_layer(layer());
    let actix = actix_web::App::new()
        .route(
            "/event",
            web::post().to(async |event: VerifiedEvent| same(&event, BODY)),
        )
        .route(
            "/bytes",
            web::post().to(async |event: VerifiedEvent, body: Bytes| same(&event, body)),
        )
        .route(
            "/bytes-first",
            web::post().to(async |body: Bytes, event: VerifiedEvent| same(&event, body)),
        )
        .route(
            "/string",
            web::post().to(async |event: VerifiedEvent, body: String| same(&event, body)),
        )
        .route(
            "/string-first",
            web::post().to(async |body: String, event: VerifiedEvent| same(&event, body)),
        )
        .route(
            "/json",
            web::post().to(
                async |event: VerifiedEvent<Value>, body: web::Json<Value>| {
                    (event.payload() == &body.0).to_string()
                },
            ),
        )
        .route(
            "/json-first",
            web::post().to(
                async |body: web::Json<Value>, event: VerifiedEvent<Value>| {
                    (event.payload() == &body.0).to_string()
                },
            ),
        )
        .route(
            "/request",
            web::post().to(
                async |body: web::Payload, event: VerifiedEvent, request: HttpRequest| {
                    assert!(request.extensions().get::<VerifiedEvent>().is_some());
                    same(&event, body.to_bytes().await.unwrap())
                },
            ),
        )
        .route(
            "/events",
            web::post().to(
                async |first: VerifiedEvent<Value>,
                       body: Bytes,
                       second: web::ReqData<VerifiedEvent>,
                       last: VerifiedEvent<Json<Value>>| {
                    assert_eq!(second.body(), &body);
                    (first.payload() == &last.payload().0).to_string()
                },
            ),
        )
        .wrap(layer());
    let actix = init_service(actix).await;
    let request = |path: &str| {
        let mut request = declared(BODY);
        *request.uri_mut() = path.parse().unwrap();
        let json = http::HeaderValue::from_static("application/json");
        request.headers_mut().insert("content-type", json);
        request
    };
    let expected = (200, "true".to_owned(), None);
    for path in [
        "/event", "/bytes", "/string", "/json", "/request", "/events",
    ] {
        assert_eq!(of_axum(&axum, request(path)).await, expected, "{path}");
        let response = call_service(&actix, to_actix(&request(path)).to_request()).await;
        assert_eq!(of_actix(response).await, expected, "{path}");
    }
    for path in ["/bytes-first", "/string-first", "/json-first"] {
        let response = call_service(&actix, to_actix(&request(path)).to_request()).await;
        assert_eq!(of_actix(response).await, expected, "{path}");
    }
}
