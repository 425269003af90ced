//! The layer on plain Tower: what it hands on, what it answers, and its options.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Version};
use http_body::Body;
use http_body_util::{BodyExt, Full};
use support::{
    Answer, Rest, Step, TestBody, accept, at, data, github, github_signer, kind, layer, refusal,
    signed, signed_steps, svix, svix_signer, unsigned,
};
use tower::{Service, ServiceBuilder, ServiceExt, service_fn};
use tower_webhook::{
    Provider, RejectionKind, Scheme, Secret, Signer, VerifiedEvent, Verifier, WebhookVerifyLayer,
    middleware::WebhookVerify,
    providers,
    scheme::{Algorithm, Encoding, SignatureFormat},
};

/// What a handler sees of a request.
#[derive(Debug)]
struct Seen {
    event: VerifiedEvent,
    frames: Vec<Bytes>,
    trailers: Option<HeaderMap>,
}

/// Sends a request through `layer` to a handler that takes everything apart.
async fn through<B>(layer: WebhookVerifyLayer, request: Request<B>) -> Seen
where
    B: tower_webhook::middleware::RequestBody<Data = Bytes>,
{
    let seen = Arc::new(Mutex::new(None));
    let handler = service_fn(|request: Request<B>| {
        let seen = Arc::clone(&seen);
        async move {
            let event = VerifiedEvent::from_extensions(request.extensions()).unwrap();
            let mut body = std::pin::pin!(request.into_body());
            let (mut frames, mut trailers) = (Vec::new(), None);
            while let Some(frame) = body.frame().await {
                match frame.map_err(Into::into).unwrap().into_data() {
                    Ok(data) => frames.push(data),
                    Err(frame) => trailers = frame.into_trailers().ok(),
                }
            }
            *seen.lock().unwrap() = Some(Seen {
                event,
                frames,
                trailers,
            });
            Ok::<_, Infallible>(Answer::default())
        }
    });
    let service = ServiceBuilder::new().layer(layer).service(handler);
    let response = service.oneshot(request).await.unwrap();
    assert_eq!(
        response.status(),
        StatusCode::OK,
        "{:?}",
        refusal(&response)
    );
    seen.lock().unwrap().take().unwrap()
}

/// The answer to a request, by a handler that accepts everything.
async fn answer<B>(layer: WebhookVerifyLayer, request: Request<B>) -> Answer
where
    B: tower_webhook::middleware::RequestBody,
{
    let service = ServiceBuilder::new().layer(layer).service_fn(accept);
    service.oneshot(request).await.unwrap()
}

#[tokio::test]
async fn the_event_stands_in_the_extensions() {
    let request = github_signer()
        .sign(
            Request::post("/")
                .header("X-GitHub-Event", "push")
                .header("X-GitHub-Delivery", "72d3162e"),
            Bytes::from_static(b"{}"),
        )
        .unwrap();
    let layer = WebhookVerifyLayer::new(github().with_endpoint("code"));
    let event = through(layer, request.map(Full::new)).await.event;
    assert_eq!(event.provider(), "github");
    assert_eq!(event.endpoint(), Some("code"));
    assert_eq!(event.event_type(), Some("push"));
    assert_eq!(event.delivery_id(), Some("72d3162e"));
    assert_eq!(event.variant(), "hmac-sha256");
    assert_eq!(event.body(), "{}");
    assert_eq!(event.payload(), "{}");
}

#[tokio::test]
async fn the_body_arrives_byte_for_byte_in_one_frame() {
    let odd: Vec<u8> = (0..=255).rev().cycle().take(70_000).collect();
    let frames: [&[&[u8]]; 6] = [
        &[],
        &[b""],
        &[b"a"],
        &[b"a", b"", b"b\0", b"\xff\xfe"],
        &[&odd],
        &[&odd[..1], &odd[1..40_000], &odd[40_000..], b""],
    ];
    for parts in frames {
        let sent = parts.concat();
        let steps = parts
            .iter()
            .map(|part| Step::Data(Bytes::copy_from_slice(part)));
        let (request, _) = signed_steps(steps.flat_map(|step| [step, Step::Yield]));
        let seen = through(layer(), request).await;
        assert_eq!(seen.event.body(), &sent);
        let expected: &[Bytes] = if sent.is_empty() {
            &[]
        } else {
            &[Bytes::from(sent)]
        };
        assert_eq!(seen.frames, expected);
    }
}

#[tokio::test]
async fn trailers_are_dropped() {
    let trailers = HeaderMap::from_iter([(
        http::header::HeaderName::from_static("x-late"),
        HeaderValue::from_static("1"),
    )]);
    let (request, _) = signed_steps([data("ab"), data("c"), Step::Trailers(trailers.clone())]);
    let seen = through(layer(), request).await;
    assert_eq!(seen.frames, ["abc"]);
    assert_eq!(seen.trailers, None);

    let (request, _) = signed_steps([Step::Trailers(trailers)]);
    let seen = through(layer(), request).await;
    assert_eq!((seen.frames.len(), seen.trailers), (0, None));
}

#[tokio::test]
async fn the_rest_of_the_head_stays_as_it_was() {
    let mut request = github_signer()
        .sign(
            Request::builder()
                .method(Method::PATCH)
                .uri("/a/b?c=d")
                .version(Version::HTTP_2)
                .header("x-other", "kept"),
            Bytes::from_static(b"body"),
        )
        .unwrap();
    request.extensions_mut().insert(42_u8);
    let (head, _) = request.clone().into_parts();
    let service =
        ServiceBuilder::new()
            .layer(layer())
            .service_fn(move |inner: Request<Full<Bytes>>| {
                let head = head.clone();
                async move {
                    assert_eq!(inner.method(), head.method);
                    assert_eq!(inner.uri(), &head.uri);
                    assert_eq!(inner.version(), head.version);
                    assert_eq!(inner.headers(), &head.headers);
                    assert_eq!(inner.extensions().get::<u8>(), Some(&42));
                    Ok::<_, Infallible>(Answer::default())
                }
            });
    let response = service.oneshot(request.map(Full::new)).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
}

#[tokio::test]
async fn the_clock_of_the_layer_decides_what_is_fresh() {
    const NOW: u64 = 1_700_000_000;
    for (skew, expected) in [
        (0, None),
        (300, None),
        (301, Some(RejectionKind::TimestampInFuture)),
        (-300, None),
        (-301, Some(RejectionKind::TimestampTooOld)),
    ] {
        let layer = WebhookVerifyLayer::new(svix()).with_clock(|| at(NOW));
        let signer = svix_signer().with_time(at(NOW.checked_add_signed(skew).unwrap()));
        let request = signer.sign(Request::post("/"), Bytes::from_static(b"{}"));
        let response = answer(layer, request.unwrap().map(Full::new)).await;
        assert_eq!(kind(&response), expected, "{skew}");
        let skew = expected.map(|_| skew);
        assert_eq!(
            refusal(&response).and_then(|refusal| refusal.skew_seconds()),
            skew
        );
    }
}

#[tokio::test]
async fn without_a_clock_of_its_own_the_layer_asks_the_machine() {
    let now = svix_signer()
        .sign(Request::post("/"), Bytes::new())
        .unwrap();
    let response = answer(WebhookVerifyLayer::new(svix()), now.map(Full::new)).await;
    assert_eq!(kind(&response), None);
    let signer = svix_signer().with_time(at(1_700_000_000));
    let old = signer.sign(Request::post("/"), Bytes::new()).unwrap();
    let response = answer(WebhookVerifyLayer::new(svix()), old.map(Full::new)).await;
    assert_eq!(kind(&response), Some(RejectionKind::TimestampTooOld));
}

#[tokio::test(start_paused = true)]
async fn the_whole_body_has_one_deadline() {
    let slow = providers::github().with_read_timeout(Duration::from_secs(7));
    let slow = Verifier::new(slow, Secret::new(support::GITHUB_SECRET)).unwrap();
    for (layer, seconds) in [
        (layer(), 10),
        (WebhookVerifyLayer::new(slow.clone()), 7),
        (
            WebhookVerifyLayer::new(slow).with_read_timeout(Duration::from_secs(3)),
            3,
        ),
    ] {
        // A frame each second keeps no deadline off.
        let drip = || (0..100).flat_map(|_| [Step::Wait(Duration::from_secs(1)), data("x")]);
        for body in [TestBody::new(None).then(Rest::Hang), TestBody::new(drip())] {
            let watch = body.watch();
            let request = signed("never complete").map(|_| body);
            let start = tokio::time::Instant::now();
            let answered = answer(layer.clone(), request);
            let answered = tokio::time::timeout(Duration::from_secs(200), answered);
            let response = answered.await.unwrap();
            let passed = start.elapsed();
            assert_eq!(response.status(), StatusCode::REQUEST_TIMEOUT);
            assert_eq!(kind(&response), Some(RejectionKind::ReadTimeout));
            assert_eq!(passed.as_secs(), seconds, "{passed:?}");
            assert!(watch.is_dropped());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_arrives_within_the_deadline_is_read() {
    let steps = [data("a"), Step::Wait(Duration::from_secs(9)), data("b")];
    let (request, _) = signed_steps(steps);
    assert_eq!(through(layer(), request).await.frames, ["ab"]);
}

/// A request for each way in which a body or head can be refused, with its answer.
fn refused() -> Vec<(Request<TestBody>, RejectionKind, StatusCode)> {
    let good = || signed("body").map(TestBody::from);
    let with = |body: TestBody| signed("body").map(|_| body);
    let header = |value: &'static str| {
        let mut request = good();
        let value = HeaderValue::from_static(value);
        request.headers_mut().insert(support::SIGNATURE, value);
        request
    };
    let mut missing = good();
    missing.headers_mut().clear();
    let mut repeated = good();
    let again = repeated.headers()[support::SIGNATURE].clone();
    repeated.headers_mut().append(support::SIGNATURE, again);
    vec![
        (
            missing,
            RejectionKind::MissingHeader,
            StatusCode::UNAUTHORIZED,
        ),
        (
            repeated,
            RejectionKind::RepeatedHeader,
            StatusCode::UNAUTHORIZED,
        ),
        (
            header("sha256=0g"),
            RejectionKind::MalformedSignature,
            StatusCode::UNAUTHORIZED,
        ),
        (
            with(Bytes::from("Body").into()),
            RejectionKind::SignatureMismatch,
            StatusCode::UNAUTHORIZED,
        ),
        (
            with(TestBody::new(None).with_hint(1 << 30)),
            RejectionKind::BodyTooLarge,
            StatusCode::PAYLOAD_TOO_LARGE,
        ),
        (
            with(TestBody::new([data("bo"), Step::Error])),
            RejectionKind::BodyIncomplete,
            StatusCode::BAD_REQUEST,
        ),
        (
            with(TestBody::new([data("bo")]).then(Rest::Hang)),
            RejectionKind::ReadTimeout,
            StatusCode::REQUEST_TIMEOUT,
        ),
    ]
}

#[tokio::test(start_paused = true)]
async fn the_hook_sees_every_refusal_and_may_change_the_answer() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&seen);
    let hooked = layer().on_rejection(move |rejection, response| {
        assert_eq!(response.status(), rejection.status());
        assert_eq!(
            response
                .extensions()
                .get::<tower_webhook::Rejection>()
                .unwrap()
                .kind(),
            rejection.kind()
        );
        log.lock().unwrap().push(rejection.kind());
        *response.status_mut() = StatusCode::IM_A_TEAPOT;
        response.headers_mut().clear();
        response
            .headers_mut()
            .insert("x-seen", HeaderValue::from_static("yes"));
    });
    for (request, expected, _) in refused() {
        let response = answer(hooked.clone(), request).await;
        assert_eq!(response.status(), StatusCode::IM_A_TEAPOT, "{expected}");
        assert_eq!(response.headers().len(), 1, "{expected}");
        assert_eq!(response.headers()["x-seen"], "yes");
        assert_eq!(response.body().size_hint().exact(), Some(0));
        assert_eq!(std::mem::take(&mut *seen.lock().unwrap()), [expected]);
    }

    // What passes, and what the handler answers, is no refusal.
    answer(hooked.clone(), signed("body").map(Full::new)).await;
    let failing = ServiceBuilder::new()
        .layer(hooked)
        .service_fn(|_: Request<Full<Bytes>>| async {
            let mut response = Answer::default();
            *response.status_mut() = StatusCode::UNAUTHORIZED;
            Ok::<_, Infallible>(response)
        });
    let response = failing
        .oneshot(signed("body").map(Full::new))
        .await
        .unwrap();
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    assert!(seen.lock().unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_a_bare_status_and_the_reason_stands_in_the_extensions() {
    let layer = WebhookVerifyLayer::new(github().with_endpoint("code"));
    for (request, expected, status) in refused() {
        let response = answer(layer.clone(), request).await;
        assert_eq!(response.status(), status, "{expected}");
        let rejection = refusal(&response).unwrap();
        assert_eq!(rejection.kind(), expected);
        assert_eq!(rejection.status(), status);
        assert_eq!(rejection.provider(), Some("github"));
        assert_eq!(rejection.endpoint(), Some("code"));
        let about =
            expected.as_str().contains("header") || expected.as_str() == "malformed_signature";
        assert_eq!(rejection.header().is_some(), about, "{rejection:?}");
        if let Some(header) = rejection.header() {
            assert!(header.eq_ignore_ascii_case(support::SIGNATURE));
        }
        assert_eq!(response.body().size_hint().exact(), Some(0));
        let challenge = response.headers().get(http::header::WWW_AUTHENTICATE);
        assert_eq!(challenge.is_some(), status == StatusCode::UNAUTHORIZED);
        assert_eq!(response.headers().len(), usize::from(challenge.is_some()));
    }
    let response = answer(layer, signed("body").map(Full::new)).await;
    assert_eq!(
        kind(&response),
        None,
        "an accepted request leaves no reason"
    );
}

#[tokio::test]
async fn a_refused_request_never_reaches_the_handler() {
    tokio::time::pause();
    for (request, expected, _) in refused() {
        let service =
            ServiceBuilder::new()
                .layer(layer())
                .service_fn(|_: Request<TestBody>| async {
                    panic!("called");
                    #[expect(unreachable_code, reason = "it names the type")]
                    Ok::<_, Infallible>(Answer::default())
                });
        let response = service.oneshot(request).await.unwrap();
        assert_eq!(kind(&response), Some(expected));
    }
}

/// A provider that takes only `status` for success, where there is one.
fn demanding(status: Option<StatusCode>) -> Provider {
    let signature = SignatureFormat::single("X-Signature", Encoding::Hex);
    let scheme = Scheme::signed(Algorithm::HmacSha256, "{body}", signature);
    let provider = Provider::new("acme", scheme);
    match status {
        Some(status) => provider.with_success_status(status),
        None => provider,
    }
}

#[tokio::test]
async fn the_status_a_provider_demands_replaces_other_successes_only() {
    for (demanded, given, expected) in [
        (Some(200), 200, 200),
        (Some(200), 201, 200),
        (Some(200), 204, 200),
        (Some(200), 299, 200),
        (Some(204), 200, 204),
        (Some(200), 300, 300),
        (Some(200), 304, 304),
        (Some(200), 400, 400),
        (Some(200), 404, 404),
        (Some(200), 500, 500),
        (Some(200), 503, 503),
        (None, 200, 200),
        (None, 201, 201),
        (None, 204, 204),
        (None, 500, 500),
    ] {
        let status = |code: u16| StatusCode::from_u16(code).unwrap();
        let secret = Secret::new("a-secret-of-some-length");
        let signer = Signer::new(demanding(None), secret.clone()).unwrap();
        let verifier = Verifier::new(demanding(demanded.map(status)), secret).unwrap();
        let service = ServiceBuilder::new()
            .layer(WebhookVerifyLayer::new(verifier))
            .service_fn(move |_: Request<Full<Bytes>>| async move {
                let mut response = Response::new(Full::new(Bytes::from_static(b"the handler's")));
                *response.status_mut() = status(given);
                response
                    .headers_mut()
                    .insert("x-mine", HeaderValue::from_static("1"));
                Ok::<_, Infallible>(response)
            });
        let request = signer
            .sign(Request::post("/"), Bytes::from_static(b"x"))
            .unwrap();
        let response = service
            .clone()
            .oneshot(request.map(Full::new))
            .await
            .unwrap();
        assert_eq!(response.status(), status(expected), "{demanded:?} {given}");
        assert_eq!(response.headers()["x-mine"], "1");
        assert_eq!(
            response.into_body().collect().await.unwrap().to_bytes(),
            "the handler's"
        );

        // A refusal is no success of the handler.
        let response = service.oneshot(unsigned("x")).await.unwrap();
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    }
}

#[tokio::test]
async fn an_error_of_the_inner_service_passes_through() {
    let service = ServiceBuilder::new()
        .layer(layer())
        .service_fn(|_: Request<Full<Bytes>>| async { Err::<Answer, _>("inner error") });
    let error = service
        .oneshot(signed("x").map(Full::new))
        .await
        .unwrap_err();
    assert_eq!(error, "inner error");
}

#[tokio::test]
async fn the_method_is_not_looked_at() {
    let custom = Method::from_bytes(b"WEBHOOK").unwrap();
    for method in [
        Method::GET,
        Method::PUT,
        Method::DELETE,
        Method::HEAD,
        custom,
    ] {
        let request = github_signer()
            .sign(
                Request::builder().method(method.clone()),
                Bytes::from_static(b"x"),
            )
            .unwrap();
        let response = answer(layer(), request.map(Full::new)).await;
        assert_eq!(kind(&response), None, "{method}");
        let mut bare = unsigned("x");
        *bare.method_mut() = method;
        let response = answer(layer(), bare).await;
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    }
}

#[tokio::test]
async fn one_service_checks_one_request_after_the_other() {
    let mut service = ServiceBuilder::new().layer(layer()).service_fn(accept);
    for round in 0..3 {
        let good = service
            .ready()
            .await
            .unwrap()
            .call(signed("x").map(Full::new))
            .await
            .unwrap();
        assert_eq!(good.status(), StatusCode::OK, "{round}");
        let bad = service
            .ready()
            .await
            .unwrap()
            .call(unsigned("x"))
            .await
            .unwrap();
        assert_eq!(bad.status(), StatusCode::UNAUTHORIZED, "{round}");
    }
}

#[tokio::test]
async fn many_requests_are_checked_at_once() {
    let service = ServiceBuilder::new().layer(layer()).service_fn(accept);
    let tasks: Vec<_> = (0..50_u8)
        .map(|n| {
            let (request, _) = signed_steps([data("a"), Step::Yield, Step::Data(vec![n].into())]);
            tokio::spawn(service.clone().oneshot(request))
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap().unwrap().status(), StatusCode::OK);
    }
}

#[test]
fn layer_and_service_can_be_shared_and_the_future_can_be_spawned() {
    fn shared<T: Clone + Send + Sync + 'static>(_: &T) {}
    fn spawned<T: Send + 'static>(_: &T) {}
    fn debug<T: std::fmt::Debug>(value: &T) -> String {
        format!("{value:?}")
    }

    let layer = layer().on_rejection(|_, _| {}).with_clock(|| at(0));
    shared(&layer);
    assert!(debug(&layer).starts_with("WebhookVerifyLayer"), "{layer:?}");
    let handler = tower::util::BoxCloneSyncService::new(service_fn(accept::<TestBody>));
    let mut service: WebhookVerify<_> = ServiceBuilder::new().layer(layer).service(handler);
    shared(&service);
    let future = service.call(signed("x").map(TestBody::from));
    spawned(&future);
    assert_eq!(debug(&future), "ResponseFuture { .. }");
}
