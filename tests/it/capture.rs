//! What a layer hands on of the requests that it refuses.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex},
    time::Duration,
};

use actix_web::{App, HttpResponse, test, web};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use support::{GITHUB_SECRET, NOW, at, github_signer};
use tower::{ServiceBuilder, ServiceExt};
use tower_webhook::{
    RejectionKind, Secret, Verifier, WebhookVerifyLayer,
    capture::{CaptureHook, CapturedRequest},
    explain::{Budget, diagnose},
    providers,
};

type Kept = Arc<Mutex<Vec<(RejectionKind, CapturedRequest)>>>;

fn layer(change: impl FnOnce(CaptureHook) -> CaptureHook) -> (WebhookVerifyLayer, Kept) {
    let kept = Kept::default();
    let hook = CaptureHook::new({
        let kept = Arc::clone(&kept);
        move |rejection, captured| kept.lock().unwrap().push((rejection.kind(), captured))
    });
    let verifier = Verifier::new(providers::github(), Secret::new(GITHUB_SECRET)).unwrap();
    let layer = WebhookVerifyLayer::new(verifier.with_endpoint("code"))
        .with_clock(|| at(NOW))
        .with_capture(change(hook));
    (layer, kept)
}

fn genuine() -> Request<&'static str> {
    let request = Request::post("/hooks?token=hush").header("Cookie", "hush");
    github_signer().sign(request, "{\"a\":1}").unwrap()
}

/// The same, pretty-printed by a proxy.
fn printed() -> Request<&'static str> {
    genuine().map(|_| "{\n \"a\": 1\n}")
}

fn unsigned() -> Request<&'static str> {
    let mut request = genuine();
    request.headers_mut().remove("x-hub-signature-256");
    request
        .headers_mut()
        .insert("content-length", "7".parse().unwrap());
    request
}

async fn send(layer: &WebhookVerifyLayer, request: Request<&'static str>) -> u16 {
    let service =
        ServiceBuilder::new()
            .layer(layer.clone())
            .service_fn(|_: Request<Full<Bytes>>| async {
                Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
            });
    let response = service.oneshot(request.map(Full::from)).await.unwrap();
    response.status().as_u16()
}

#[tokio::test]
async fn a_refused_request_is_handed_on_and_can_be_explained() {
    let (layer, kept) = layer(|hook| hook);
    assert_eq!(send(&layer, genuine()).await, 200);
    assert_eq!(send(&layer, printed()).await, 401);
    assert_eq!(send(&layer, unsigned()).await, 401);
    let kept = kept.lock().unwrap();
    let [(mismatch, captured), (missing, unread)] = &kept[..] else {
        panic!("{kept:?}");
    };
    assert_eq!(*mismatch, RejectionKind::SignatureMismatch);
    assert_eq!(captured.body(), "{\n \"a\": 1\n}");
    assert_eq!(
        (captured.target(), captured.endpoint()),
        ("/hooks?token=hush", Some("code"))
    );
    assert_eq!(
        (captured.received_at(), captured.left_out()),
        (Some(at(NOW)), 0)
    );
    let secret = Secret::new(GITHUB_SECRET);
    let report = diagnose(
        &providers::github().into(),
        &secret.into(),
        captured,
        Budget::default(),
    );
    assert_eq!(report.cause(), Some("json:compact"));
    // The body of a request without a signature is not read, not even for this.
    assert_eq!(*missing, RejectionKind::MissingHeader);
    assert_eq!((unread.body().len(), unread.left_out()), (0, 7));
    // What is written has no credentials.
    let written = serde_json::to_string(captured).unwrap();
    assert!(!written.contains("hush"), "{written}");
}

#[tokio::test]
async fn captures_are_bounded_in_number_and_length() {
    let (layer, kept) = layer(|hook| {
        hook.with_rate(3, Duration::from_secs(3600))
            .with_max_body(8)
    });
    for _ in 0..10 {
        assert_eq!(send(&layer, printed()).await, 401);
    }
    let kept = kept.lock().unwrap();
    assert_eq!(kept.len(), 3);
    let too_long = kept
        .iter()
        .all(|(_, captured)| captured.body().is_empty() && captured.left_out() == 11);
    assert!(too_long, "{kept:?}");
}

#[tokio::test]
async fn a_group_hands_on_the_body_as_well() {
    let kept = Kept::default();
    let hook = CaptureHook::new({
        let kept = Arc::clone(&kept);
        move |rejection, captured| kept.lock().unwrap().push((rejection.kind(), captured))
    });
    let verifier = |name| {
        let verifier = Verifier::new(providers::github(), Secret::new(GITHUB_SECRET)).unwrap();
        verifier.with_endpoint(name)
    };
    let layer = WebhookVerifyLayer::any_of([verifier("one"), verifier("two")]).unwrap();
    let layer = layer.with_clock(|| at(NOW)).with_capture(hook);
    assert_eq!(send(&layer, printed()).await, 401);
    let kept = kept.lock().unwrap();
    assert_eq!(kept[0].1.body(), "{\n \"a\": 1\n}");
}

#[actix_web::test]
async fn actix_web_hands_on_the_same() {
    let (layer, kept) = layer(|hook| hook);
    let app = App::new()
        .wrap(layer)
        .route("/hooks", web::post().to(HttpResponse::Ok));
    let app = test::init_service(app).await;
    for request in [printed(), unsigned()] {
        let mut sent = test::TestRequest::post()
            .uri("/hooks?token=hush")
            .set_payload(*request.body());
        for (name, value) in request.headers() {
            sent = sent.insert_header((name.as_str(), value.as_bytes()));
        }
        let response = test::call_service(&app, sent.to_request()).await;
        assert_eq!(response.status().as_u16(), 401);
    }
    let kept = kept.lock().unwrap();
    let kinds: Vec<RejectionKind> = kept.iter().map(|(kind, _)| *kind).collect();
    assert_eq!(
        kinds,
        [
            RejectionKind::SignatureMismatch,
            RejectionKind::MissingHeader
        ]
    );
    assert_eq!(kept[0].1.body(), "{\n \"a\": 1\n}");
    assert_eq!((kept[1].1.body().len(), kept[1].1.left_out()), (0, 7));
}
