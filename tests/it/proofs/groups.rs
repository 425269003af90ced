//! Several endpoints of which one has to accept, and layers that only log.

use std::{convert::Infallible, sync::Arc};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use support::{NOW, PATIENCE, at};
use tower::{Layer, ServiceExt, service_fn};
use tower_webhook::{
    Enforcement, Provider, Rejection, RejectionKind, Scheme, Secret, Signer, VerifiedEvent,
    Verifier, WebhookVerifyLayer,
    delivery::{DeliveryLayer, MemoryStore},
    keys::source_fn,
    providers,
    scheme::{Algorithm, Encoding, SignatureFormat},
    verify::Head,
};

const SECRET: &str = "a-secret-of-some-length";
const OTHER: &str = "another-secret-of-length";

fn github(secret: &str, name: &str) -> Verifier {
    Verifier::new(providers::github(), Secret::new(secret))
        .unwrap()
        .with_endpoint(name)
}

fn slack(secret: &str, name: &str) -> Verifier {
    Verifier::new(providers::slack(), Secret::new(secret))
        .unwrap()
        .with_endpoint(name)
}

fn signed(provider: Provider, secret: &str, body: &'static str) -> Request<Bytes> {
    let signer = Signer::new(provider, Secret::new(secret)).unwrap();
    let signed = signer
        .with_time(at(NOW))
        .sign(Request::post("/"), body)
        .unwrap();
    signed.map(Bytes::from)
}

/// What the handler was given: the endpoint of the event, and the body.
type Seen = (Option<String>, Bytes);

/// The status, why it was refused, and what the handler saw.
async fn send(
    layer: &WebhookVerifyLayer,
    request: Request<Bytes>,
) -> (StatusCode, Option<RejectionKind>, Option<Seen>) {
    let seen = Arc::new(std::sync::Mutex::new(None));
    let keep = Arc::clone(&seen);
    let handler = service_fn(move |request: Request<Full<Bytes>>| {
        let keep = Arc::clone(&keep);
        async move {
            let event = request.extensions().get::<VerifiedEvent>();
            let endpoint = event.map(|event| event.endpoint().unwrap().to_owned());
            let body = request.into_body().collect().await.unwrap().to_bytes();
            *keep.lock().unwrap() = Some((endpoint, body));
            Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
        }
    });
    let layer = layer.clone().with_clock(|| at(NOW));
    let answer = layer.layer(handler).oneshot(request.map(Full::new));
    let answer = tokio::time::timeout(PATIENCE, answer)
        .await
        .unwrap()
        .unwrap();
    let kind = answer.extensions().get::<Rejection>().map(Rejection::kind);
    let seen = seen.lock().unwrap().take();
    (answer.status(), kind, seen)
}

/// A verdict, and what makes an endpoint of a name that gives it.
type Member = (&'static str, fn(&str) -> Verifier);

/// Each verdict that an endpoint can give, against a request that GitHub signed with `SECRET`.
fn members() -> Vec<Member> {
    vec![
        ("accepts", |name| github(SECRET, name)),
        ("mismatch", |name| github(OTHER, name)),
        ("missing header", |name| slack(SECRET, name)),
        ("too large", |name| github(SECRET, name).with_max_body(1)),
        ("unknown tenant", |name| {
            let source = source_fn(|_| async { Ok(None) });
            let verifier = Verifier::from_key_source(providers::github(), source).unwrap();
            verifier.with_endpoint(name)
        }),
        ("key source failed", |name| {
            let source = source_fn(|_| async { Err("away".into()) });
            let verifier = Verifier::from_key_source(providers::github(), source).unwrap();
            verifier.with_endpoint(name)
        }),
    ]
}

#[tokio::test]
async fn every_pair_of_verdicts_has_the_better_one_in_any_order() {
    use RejectionKind::{
        BodyTooLarge, KeySourceFailed, MissingHeader, SignatureMismatch, UnknownTenant,
    };
    // From the least to the most that a refusal got.
    let order = [
        BodyTooLarge,
        MissingHeader,
        SignatureMismatch,
        UnknownTenant,
        KeySourceFailed,
    ];
    let of = |what: &str| match what {
        "mismatch" => Some(SignatureMismatch),
        "missing header" => Some(MissingHeader),
        "too large" => Some(BodyTooLarge),
        "unknown tenant" => Some(UnknownTenant),
        "key source failed" => Some(KeySourceFailed),
        _ => None,
    };
    let members = members();
    for (one, make_one) in &members {
        for (other, make_other) in &members {
            let verifiers = [make_one("one"), make_other("two")];
            let reversed = [verifiers[1].clone(), verifiers[0].clone()];
            for verifiers in [verifiers, reversed] {
                let layer = WebhookVerifyLayer::any_of(verifiers).unwrap();
                let request = signed(providers::github(), SECRET, "{}");
                let (status, kind, seen) = send(&layer, request).await;
                let accepted = match (of(one), of(other)) {
                    (None, _) => Some("one"),
                    (_, None) => Some("two"),
                    _ => None,
                };
                match accepted {
                    Some(name) => {
                        assert_eq!((status, kind), (StatusCode::OK, None), "{one} {other}");
                        assert_eq!(seen.unwrap().0.as_deref(), Some(name), "{one} {other}");
                    }
                    None => {
                        let place = |kind| order.iter().position(|known| Some(*known) == kind);
                        let furthest = of(one).into_iter().chain(of(other));
                        let furthest = furthest.max_by_key(|kind| place(Some(*kind)));
                        assert_eq!((kind, seen), (furthest, None), "{one} {other}");
                        assert_eq!(Some(status), furthest.map(RejectionKind::status));
                    }
                }
            }
        }
    }
}

#[tokio::test]
async fn the_refusal_that_is_shown_is_that_of_its_endpoint() {
    let layer = |first, second| WebhookVerifyLayer::any_of([first, second]).unwrap();
    for layer in [
        layer(github(OTHER, "a"), slack(OTHER, "b")),
        layer(slack(OTHER, "b"), github(OTHER, "a")),
    ] {
        let layer = layer
            .with_clock(|| at(NOW))
            .on_rejection(|rejection, response| {
                let name = rejection.endpoint().unwrap().parse().unwrap();
                response.headers_mut().insert("x-endpoint", name);
            });
        let handler = service_fn(|_: Request<Full<Bytes>>| async {
            Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
        });
        let service = layer.layer(handler);
        for (request, name) in [
            (signed(providers::github(), SECRET, "{}"), "a"),
            (signed(providers::slack(), SECRET, "{}"), "b"),
        ] {
            let answer = service
                .clone()
                .oneshot(request.map(Full::new))
                .await
                .unwrap();
            assert_eq!(answer.headers()["x-endpoint"], name);
        }
    }
}

#[test]
fn a_group_needs_names_and_two_to_four_members() {
    let problem = |verifiers: Vec<Verifier>| {
        WebhookVerifyLayer::any_of(verifiers)
            .map(drop)
            .unwrap_err()
            .to_string()
    };
    let some = |count: usize| (0..count).map(|n| github(SECRET, &n.to_string())).collect();
    assert!(problem(some(0)).contains("there are 0 endpoints"));
    assert!(problem(some(1)).contains("there are 1 endpoints"));
    assert!(problem(some(5)).contains("there are 5 endpoints; name 2 to 4"));
    let twice = vec![github(SECRET, "a"), github(OTHER, "a")];
    assert!(problem(twice).contains("two endpoints are named \"a\""));
    let bare = Verifier::new(providers::github(), Secret::new(SECRET)).unwrap();
    assert!(problem(vec![bare, github(SECRET, "a")]).contains("has no name"));
}

#[test]
fn requests_from_a_queue_are_verified_for_several_endpoints_too() {
    let members = [github(OTHER, "a"), github(SECRET, "b"), slack(SECRET, "c")];
    let verify = |request: Request<Bytes>| {
        let (head, body) = request.into_parts();
        Verifier::verify_any(&members, &Head::from(&head), body, at(NOW))
    };
    let event = verify(signed(providers::github(), SECRET, "{}")).unwrap();
    assert_eq!(event.endpoint(), Some("b"));
    let event = verify(signed(providers::slack(), SECRET, "{}")).unwrap();
    assert_eq!(event.endpoint(), Some("c"));
    let rejection =
        verify(signed(providers::github(), "nobody-has-this-secret", "{}")).unwrap_err();
    assert_eq!(
        (rejection.kind(), rejection.endpoint()),
        (RejectionKind::SignatureMismatch, Some("a"))
    );
}

fn log_only(verifier: Verifier) -> WebhookVerifyLayer {
    WebhookVerifyLayer::new(verifier).with_enforcement(Enforcement::Log)
}

#[tokio::test]
async fn a_layer_that_only_logs_passes_on_what_it_would_refuse_for_its_signature() {
    let acme = || {
        let signature = SignatureFormat::single("X-Acme", Encoding::Hex);
        let scheme = Scheme::signed(Algorithm::HmacSha256, "{header:x-id}", signature)
            .with_coverage(tower_webhook::scheme::Coverage::Partial);
        Provider::new("acme", scheme).accept_unsigned_body()
    };
    let genuine = || signed(providers::github(), SECRET, "{\"a\":1}");
    let unsigned = || Request::post("/").body(Bytes::from("{\"a\":1}")).unwrap();
    let body = Bytes::from("{\"a\":1}");
    let event = |name: &str| Some((Some(name.to_owned()), body.clone()));
    let passed = Some((None, body.clone()));
    let ok = StatusCode::OK;
    let unknown = {
        let source = source_fn(|_| async { Ok(None) });
        Verifier::from_key_source(providers::github(), source).unwrap()
    };
    let failed = {
        let source = source_fn(|_| async { Err("away".into()) });
        Verifier::from_key_source(providers::github(), source).unwrap()
    };
    let acme = Verifier::new(acme(), Secret::new(SECRET)).unwrap();
    for (what, verifier, request, expected) in [
        ("genuine", github(SECRET, "a"), genuine(), (ok, event("a"))),
        (
            "mismatch",
            github(OTHER, "a"),
            genuine(),
            (ok, passed.clone()),
        ),
        (
            "no header",
            github(SECRET, "a"),
            unsigned(),
            (ok, passed.clone()),
        ),
        ("unknown tenant", unknown, genuine(), (ok, passed.clone())),
        (
            "decided by the head",
            acme,
            {
                let mut request = unsigned();
                request.headers_mut().insert("x-id", "1".parse().unwrap());
                request
                    .headers_mut()
                    .insert("x-acme", "00".repeat(32).parse().unwrap());
                request
            },
            (ok, passed),
        ),
        (
            "too large",
            github(OTHER, "a").with_max_body(3),
            genuine(),
            (StatusCode::PAYLOAD_TOO_LARGE, None),
        ),
        (
            "too large without a header",
            github(OTHER, "a").with_max_body(3),
            unsigned(),
            (StatusCode::PAYLOAD_TOO_LARGE, None),
        ),
        (
            "key source",
            failed,
            genuine(),
            (StatusCode::SERVICE_UNAVAILABLE, None),
        ),
    ] {
        let (status, _, seen) = send(&log_only(verifier), request).await;
        assert_eq!((status, seen), expected, "{what}");
    }
}

#[tokio::test]
async fn a_group_may_only_log_too() {
    let group = WebhookVerifyLayer::any_of([github(OTHER, "a"), slack(SECRET, "b")]).unwrap();
    let group = group.with_enforcement(Enforcement::Log);
    let (status, _, seen) = send(&group, signed(providers::github(), SECRET, "{}")).await;
    assert_eq!(
        (status, seen),
        (StatusCode::OK, Some((None, Bytes::from("{}"))))
    );
    let (_, _, seen) = send(&group, signed(providers::slack(), SECRET, "{}")).await;
    assert_eq!(seen.unwrap().0.as_deref(), Some("b"));
}

#[tokio::test]
async fn deliveries_without_an_event_are_handled_without_a_claim() {
    let deliveries = DeliveryLayer::new(MemoryStore::new());
    let handler = service_fn(|request: Request<Full<Bytes>>| async move {
        let is_event = request.extensions().get::<VerifiedEvent>().is_some();
        let body = Bytes::from(if is_event { "event" } else { "none" });
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::from(body)))
    });
    let service = log_only(github(SECRET, "a")).layer(deliveries.layer(handler));
    for (secret, expected) in [(OTHER, ["none", "none"]), (SECRET, ["event", ""])] {
        for text in expected {
            let request = signed(providers::github(), secret, "{}").map(Full::new);
            let answer = service.clone().oneshot(request).await.unwrap();
            assert_eq!(answer.status(), StatusCode::OK);
            let body = answer.into_body().collect().await.unwrap().to_bytes();
            assert_eq!(body, text, "{secret}");
        }
    }
}

#[test]
fn a_handler_that_demands_an_event_is_told_why_there_is_none() {
    let mut extensions = http::Extensions::new();
    let verifier = github(OTHER, "a");
    let (head, body) = signed(providers::github(), SECRET, "{}").into_parts();
    let rejection = verifier
        .verify(&Head::from(&head), body, at(NOW))
        .unwrap_err();
    extensions.insert(rejection);
    let rejection = VerifiedEvent::<Bytes>::from_extensions(&extensions).unwrap_err();
    assert_eq!(rejection.kind(), RejectionKind::LayerMissing);
    assert!(format!("{rejection}").len() > 10);
}

#[test]
fn an_endpoint_that_proves_nothing_is_in_no_group() {
    let signature = SignatureFormat::single("X-Sum", Encoding::Hex);
    let scheme = Scheme::signed(Algorithm::UnauthenticatedSha256, "{body}", signature);
    let sum = Verifier::new(Provider::new("acme", scheme), Vec::new()).unwrap();
    let group = [github(SECRET, "one"), sum.with_endpoint("two")];
    let problem = WebhookVerifyLayer::any_of(group).unwrap_err().to_string();
    assert!(problem.contains("endpoint \"two\""), "{problem}");
}
