//! The layers around a handler: order, tenants, and what is handed over.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    routing::{MethodRouter, any, post},
};
use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::Full;
use support::{Lines, NOW, at, handshakes::Seen};
use tower::{Layer, ServiceBuilder};
use tower_webhook::{
    Config, RejectionKind, Secret, Signer, VerifiedEvent, Verifier, WebhookVerifyLayer,
    delivery::{DeliveryLayer, MemoryStore},
    handshake::{HandshakeEvent, HandshakeLayer, Registration},
    keys::{KeySet, Tenant, source_fn},
    providers,
};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::fmt::format::FmtSpan;

use super::{HANDLED, Watch, ask, by_hand, layer_of};

const SECRET: &str = "a-secret-of-some-length";

fn get(target: &str) -> Request<Body> {
    Request::get(target).body(Body::empty()).unwrap()
}

fn slack_challenge() -> Request<Body> {
    let signer = Signer::new(providers::slack(), Secret::new(SECRET)).unwrap();
    let body = r#"{"type":"url_verification","challenge":"42"}"#;
    let signed = signer.with_time(at(NOW)).sign(Request::post("/hook"), body);
    signed.unwrap().map(Body::from)
}

fn offer(secret: &str) -> Request<Body> {
    let request = Request::post("/hook").header("X-Hook-Secret", secret);
    request.body(Body::empty()).unwrap()
}

fn handed(secret: &str) -> Seen {
    Seen::Handed([("secret".to_owned(), secret.to_owned())].into())
}

fn asana() -> (WebhookVerifyLayer, Registration) {
    let verifier = Verifier::new(providers::asana(), Secret::new(SECRET)).unwrap();
    let registration = verifier.registration();
    (WebhookVerifyLayer::new(verifier), registration)
}

#[tokio::test]
async fn a_secret_is_taken_once_while_the_registration_is_open() {
    let (layer, registration) = asana();
    let watch = Watch::default();
    let app = by_hand(layer, NOW, &watch);
    assert_eq!(ask(&app, &watch, offer("one")).await.status, 401);
    registration.open(Duration::from_secs(60));
    for _ in 0..2 {
        // The provider may not have received the first answer.
        let got = ask(&app, &watch, offer("one")).await;
        assert_eq!((got.status.as_u16(), &*got.body), (200, &b""[..]));
        assert_eq!(got.headers["x-hook-secret"], "one");
        assert_eq!(got.seen, [handed("one")]);
    }
    for secret in ["two", "one "] {
        let got = ask(&app, &watch, offer(secret)).await;
        assert_eq!(
            (got.status.as_u16(), got.seen),
            (401, Vec::new()),
            "{secret}"
        );
    }
    registration.close();
    assert_eq!(ask(&app, &watch, offer("one")).await.status, 401);
}

/// The provider must not believe that a secret is stored that is not.
#[tokio::test]
async fn a_secret_that_was_not_stored_is_not_confirmed() {
    let (layer, registration) = asana();
    registration.open(Duration::from_secs(60));
    let calls = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&calls);
    let handler = async move |_: HandshakeEvent| match counter.fetch_add(1, Ordering::SeqCst) {
        0 => StatusCode::BAD_GATEWAY,
        _ => StatusCode::NO_CONTENT,
    };
    let handshake = HandshakeLayer::new(&layer);
    let layers = ServiceBuilder::new().layer(handshake).layer(layer);
    let app = Router::new().route("/hook", any(handler).layer(layers));
    let watch = Watch::default();
    let got = ask(&app, &watch, offer("one")).await;
    assert_eq!(got.status, 502);
    assert!(!got.headers.contains_key("x-hook-secret"));
    assert!(registration.is_open());
    // So another may still be offered.
    let got = ask(&app, &watch, offer("two")).await;
    assert_eq!(
        (got.status.as_u16(), &got.headers["x-hook-secret"]),
        (200, &"two".parse().unwrap())
    );
    assert!(!registration.is_open());
    assert_eq!(calls.load(Ordering::SeqCst), 2);
}

/// A handler that expects events does not confirm a secret by accident.
#[tokio::test]
async fn a_handler_of_events_is_not_given_a_secret() {
    let (lines, _guard) = Lines::of_this_thread(LevelFilter::INFO, FmtSpan::NONE);
    let (layer, registration) = asana();
    registration.open(Duration::from_secs(60));
    let layers = ServiceBuilder::new()
        .layer(HandshakeLayer::new(&layer))
        .layer(layer);
    let handler = async |_: VerifiedEvent| StatusCode::OK;
    let app = Router::new().route("/hook", any(handler).layer(layers));
    let got = ask(&app, &Watch::default(), offer("one")).await;
    assert_eq!(got.status, 500);
    assert!(registration.is_open());
    assert_eq!(
        lines
            .with("take Option<VerifiedEvent> and Option<HandshakeEvent>")
            .len(),
        1
    );
    assert!(!lines.text().contains("one\""), "{}", lines.text());
}

/// The mark of one endpoint opens no other.
#[tokio::test]
async fn a_secret_for_one_endpoint_does_not_pass_another() {
    let (outer, registration) = asana();
    registration.open(Duration::from_secs(60));
    let (inner, _) = asana();
    let layers = ServiceBuilder::new()
        .layer(HandshakeLayer::new(&outer))
        .layer(inner);
    let handler = async || HANDLED;
    let app = Router::new().route("/hook", any(handler).layer(layers));
    assert_eq!(ask(&app, &Watch::default(), offer("one")).await.status, 401);
}

fn x_of_tenants() -> WebhookVerifyLayer {
    let source = source_fn(|request| {
        let tenant = request.head.header("x-tenant").map(str::to_owned);
        async move {
            match tenant.as_deref() {
                Some("acme") => {
                    let keys = KeySet::new(&providers::x_twitter(), Secret::new(SECRET))?;
                    Ok(Some(Tenant::new("acme", keys)))
                }
                Some("late") => std::future::pending().await,
                Some("broken") => Err("the table is gone".into()),
                _ => Ok(None),
            }
        }
    });
    let verifier = Verifier::from_key_source(providers::x_twitter(), source).unwrap();
    WebhookVerifyLayer::new(verifier)
}

#[tokio::test(start_paused = true)]
async fn a_mac_is_made_with_the_keys_of_the_tenant() {
    let watch = Watch::default();
    let app = by_hand(x_of_tenants(), NOW, &watch);
    for (tenant, status) in [
        ("acme", 200),
        ("nobody", 401),
        ("broken", 503),
        ("late", 503),
    ] {
        let mut request = get("/hook?crc_token=challenge");
        request
            .headers_mut()
            .insert("x-tenant", tenant.parse().unwrap());
        let got = ask(&app, &watch, request).await;
        assert_eq!(got.status.as_u16(), status, "{tenant}");
        assert_eq!(got.body.is_empty(), status != 200);
    }
    // Nobody is looked up for what is not answered.
    let mut request = get("/hook?crc_token=%7B%7D");
    request
        .headers_mut()
        .insert("x-tenant", "broken".parse().unwrap());
    assert_eq!(ask(&app, &watch, request).await.status, 400);
}

/// The body of a question that nobody has signed is read up to a limit; what is longer is refused
/// unread.
#[tokio::test]
async fn an_unsigned_body_is_read_only_if_it_is_short() {
    let watch = Watch::default();
    let lines = format!("provider = \"woocommerce\"\nsecret = {SECRET:?}");
    let app = by_hand(layer_of(&lines), NOW, &watch);
    let send = |body: String, declared: bool| {
        let mut request = Request::post("/hook").body(Body::from(body)).unwrap();
        if !declared {
            let stream = request.into_body().into_data_stream();
            request = Request::post("/hook")
                .body(Body::from_stream(stream))
                .unwrap();
        }
        let (app, watch) = (app.clone(), watch.clone());
        async move { ask(&app, &watch, request).await.status.as_u16() }
    };
    assert_eq!(send("webhook_id=1".to_owned(), true).await, 200);
    // A proxy may pass a body on without its length. No event lacks the header with the signature.
    assert_eq!(send("webhook_id=1".to_owned(), false).await, 200);
    let long = format!("webhook_id=1&x={}", "a".repeat(8192));
    assert_eq!(send(long.clone(), true).await, 401);
    assert_eq!(send(long, false).await, 413);
}

type Layers = fn(WebhookVerifyLayer, HandshakeLayer, DeliveryLayer) -> MethodRouter;

/// A provider, an order, a request, and what is wrong with the order.
type WrongOrder = (
    &'static str,
    Layers,
    fn() -> Request<Body>,
    Option<&'static str>,
);

async fn handled() -> &'static str {
    HANDLED
}

fn outside_only(
    verify: WebhookVerifyLayer,
    handshake: HandshakeLayer,
    _: DeliveryLayer,
) -> MethodRouter {
    any(handled).layer(ServiceBuilder::new().layer(handshake).layer(verify))
}

fn inside_only(
    verify: WebhookVerifyLayer,
    handshake: HandshakeLayer,
    _: DeliveryLayer,
) -> MethodRouter {
    any(handled).layer(ServiceBuilder::new().layer(verify).layer(handshake))
}

fn inside_of_deliveries(
    verify: WebhookVerifyLayer,
    handshake: HandshakeLayer,
    deliveries: DeliveryLayer,
) -> MethodRouter {
    any(handled).layer(
        ServiceBuilder::new()
            .layer(handshake.clone())
            .layer(verify)
            .layer(deliveries)
            .layer(handshake),
    )
}

fn in_order(
    verify: WebhookVerifyLayer,
    handshake: HandshakeLayer,
    deliveries: DeliveryLayer,
) -> MethodRouter {
    any(handled).layer(
        ServiceBuilder::new()
            .layer(handshake.clone())
            .layer(verify)
            .layer(handshake)
            .layer(deliveries),
    )
}

#[tokio::test]
async fn a_wrong_order_is_logged_once() {
    const LINE: &str = "the HandshakeLayer is not where it belongs";
    let dropbox = || {
        let signer = Signer::new(providers::dropbox(), Secret::new(SECRET)).unwrap();
        let signed = signer.sign(Request::post("/hook"), "{}").unwrap();
        signed.map(Body::from)
    };
    let viber = || {
        let signer = Signer::new(providers::viber(), Secret::new(SECRET)).unwrap();
        let signed = signer.sign(Request::post("/hook"), r#"{"event":"webhook"}"#);
        signed.unwrap().map(Body::from)
    };
    let cases: [WrongOrder; 6] = [
        (
            "slack",
            outside_only,
            slack_challenge,
            Some("apply it once more inside"),
        ),
        (
            "viber",
            inside_of_deliveries,
            viber,
            Some("inside the DeliveryLayer"),
        ),
        ("slack", in_order, slack_challenge, None),
        (
            "dropbox",
            inside_only,
            dropbox,
            Some("apply it once more outside"),
        ),
        // Dropbox signs no question, so there is nothing to answer inside.
        ("dropbox", outside_only, dropbox, None),
        ("dropbox", in_order, dropbox, None),
    ];
    for (provider, layers, request, problem) in cases {
        let (lines, _guard) = Lines::of_this_thread(LevelFilter::WARN, FmtSpan::NONE);
        let config = format!("provider = {provider:?}\nsecret = {SECRET:?}");
        let verify = layer_of(&config).with_clock(|| at(NOW));
        let handshake = HandshakeLayer::new(&verify);
        let deliveries = DeliveryLayer::new(MemoryStore::new());
        let app = Router::new().route("/hook", layers(verify, handshake, deliveries));
        for _ in 0..3 {
            assert_eq!(ask(&app, &Watch::default(), request()).await.status, 200);
        }
        let found = lines.with(LINE);
        assert_eq!(found.len(), usize::from(problem.is_some()), "{found:?}");
        let named = problem.is_none_or(|problem| found[0].contains(problem));
        assert!(named, "{provider}: {found:?}");
    }
}

/// What an operator reads who has no layer for the question.
#[tokio::test]
async fn a_refused_question_says_what_would_answer_it() {
    for (config, request, hint) in [
        (
            "provider = \"dropbox\"",
            get("/hook?challenge=1"),
            "or take the route of Config::route",
        ),
        (
            "provider = \"meta\"",
            get("/hook?hub.mode=subscribe&hub.challenge=1"),
            "set `verify_token` to have it answered",
        ),
        (
            "provider = \"asana\"",
            offer("one"),
            "open the registration",
        ),
    ] {
        let (lines, _guard) = Lines::of_this_thread(LevelFilter::INFO, FmtSpan::NONE);
        let verify = layer_of(&format!("{config}\nsecret = {SECRET:?}"));
        let app = Router::new().route("/hook", any(handled).layer(verify));
        assert_eq!(ask(&app, &Watch::default(), request).await.status, 401);
        assert_eq!(lines.with(hint).len(), 1, "{}", lines.text());
        assert_eq!(lines.with("hints=handshake").len(), 1, "{}", lines.text());
    }
}

/// Whoever captured an event must not have it handled again under a method that is not
/// deduplicated.
#[tokio::test]
async fn the_route_of_the_configuration_gives_the_handler_events_only() {
    let config = Config::from_toml_str(
        r#"
        [endpoints.files]
        provider = "dropbox"
        secret   = "a-secret-of-some-length"
        deduplicate_by = "body"

        [endpoints.signed-method]
        provider = "acme"
        secret   = "a-secret-of-some-length"

        [providers.acme]
        algorithm = "hmac-sha256"
        signed    = "{method}.{body}"
        signature = { header = "Acme-Signature", encoding = "hex" }

        [deliveries]
        store = "memory"
        "#,
    )
    .unwrap();
    let watch = Watch::default();
    let files = super::by_route(&config, "files", &watch).unwrap();
    let signed = |method: &str, name: &str| {
        let request = Request::builder().method(method).uri("/hook");
        let signed = config.signer(name).unwrap().sign(request, "{}").unwrap();
        signed.map(Body::from)
    };
    for (method, status, seen) in [
        ("POST", 200, 1),
        ("POST", 200, 0),
        ("GET", 405, 0),
        ("HEAD", 405, 0),
        ("OPTIONS", 405, 0),
    ] {
        let got = ask(&files, &watch, signed(method, "files")).await;
        assert_eq!(
            (got.status.as_u16(), got.seen.len()),
            (status, seen),
            "{method}"
        );
        assert_eq!(got.headers.contains_key("allow"), status == 405);
    }
    let unsigned = ask(&files, &watch, get("/hook")).await;
    assert_eq!(unsigned.status, 401);
    let answered = ask(&files, &watch, get("/hook?challenge=42")).await;
    assert_eq!(&*answered.body, b"42");
    assert!(!answered.headers.contains_key("allow"));
    let acme = super::by_route(&config, "signed-method", &watch).unwrap();
    let got = ask(&acme, &watch, signed("GET", "signed-method")).await;
    assert_eq!((got.status.as_u16(), got.seen.len()), (200, 1));
    // All routes share the store that is drained.
    assert_eq!(config.deliveries().unwrap().unwrap().in_flight(), 0);
    let again = super::by_route(&config, "files", &watch).unwrap();
    let got = ask(&again, &watch, signed("POST", "files")).await;
    assert_eq!((got.status.as_u16(), got.seen.len()), (200, 0));
}

/// A hook of the verifying layer hears of handshakes that are refused, and may change the answer.
#[tokio::test]
async fn the_hook_hears_of_refused_handshakes() {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let ears = Arc::clone(&heard);
    let lines = format!("provider = \"x-twitter\"\nsecret = {SECRET:?}");
    let layer = layer_of(&lines).on_rejection(move |rejection, response| {
        ears.lock().unwrap().push(rejection.kind());
        *response.status_mut() = StatusCode::IM_A_TEAPOT;
    });
    let app = by_hand(layer, NOW, &Watch::default());
    let got = ask(&app, &Watch::default(), get("/hook?crc_token=%7B%7D")).await;
    assert_eq!(got.status, 418);
    assert_eq!(*heard.lock().unwrap(), [RejectionKind::MalformedChallenge]);
}

/// The service that was ready is the one that is called, also after the body was read.
#[tokio::test]
async fn the_ready_service_is_called() {
    use tower::{Service, ServiceExt};
    let verify = layer_of(&format!("provider = \"woocommerce\"\nsecret = {SECRET:?}"));
    let mut service = HandshakeLayer::new(&verify).layer(support::Strict::default());
    for (number, body) in ["{}", "webhook=1", "{}"].into_iter().enumerate() {
        let request = Request::post("/hook")
            .body(Full::new(Bytes::from(body)))
            .unwrap();
        let ready = ServiceExt::<Request<Full<Bytes>>>::ready(&mut service);
        let response = ready.await.unwrap().call(request).await.unwrap();
        assert_eq!(response.extensions().get(), Some(&number));
    }
}

/// `route_layer` around a method leaves questions by other methods to other handlers.
#[tokio::test]
async fn a_method_router_may_have_handlers_of_its_own() {
    let verify = layer_of(&format!("provider = \"dropbox\"\nsecret = {SECRET:?}"));
    let hook = post(handled).route_layer(verify).get(async || "by hand");
    let app = Router::new().route("/hook", hook);
    let got = ask(&app, &Watch::default(), get("/hook?challenge=42")).await;
    assert_eq!(&*got.body, b"by hand");
}

/// Each member of a group answers the questions that are for it.
#[tokio::test]
async fn a_question_to_a_group_is_for_the_member_that_expects_it() {
    const META: &str = r#"
        [endpoints.a]
        provider = "meta"
        secret = "a-secret-of-some-length"
        verify_token = "token-a"
        [endpoints.b]
        provider = "meta"
        secret = "another-secret-of-length"
        verify_token = "token-b"
        [endpoints.both]
        any_of = ["a", "b"]
    "#;
    let config = Config::from_toml_str(META).unwrap();
    let watch = Watch::default();
    let app = by_hand(config.layer("both").unwrap(), NOW, &watch);
    for (token, status) in [("token-a", 200), ("token-b", 200), ("token-c", 403)] {
        let target =
            format!("/hook?hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token={token}");
        let got = ask(&app, &watch, get(&target)).await;
        assert_eq!(got.status, status, "{token}");
        assert!(got.seen.is_empty(), "{token}");
    }
    for secret in ["a-secret-of-some-length", "another-secret-of-length"] {
        let signer = Signer::new(providers::meta(), Secret::new(secret)).unwrap();
        let signed = signer.sign(Request::post("/hook"), "{}").unwrap();
        let got = ask(&app, &watch, signed.map(Body::from)).await;
        assert_eq!(got.seen, [Seen::Event], "{secret}");
    }
}

#[tokio::test]
async fn slack_looks_at_the_certificate_of_an_address() {
    let layer = layer_of(&format!("provider = \"slack\"\nsecret = \"{SECRET}\""));
    let watch = Watch::default();
    let app = by_hand(layer, NOW, &watch);
    for (target, status) in [
        ("/hook?ssl_check=1&token=t", 200),
        ("/hook?ssl_check=0", 401),
        ("/hook?ssl_check=1&ssl_check=0", 401),
        ("/hook", 401),
    ] {
        let got = ask(&app, &watch, get(target)).await;
        assert_eq!(got.status, status, "{target}");
        assert!(got.seen.is_empty() && got.body.is_empty(), "{target}");
    }
}
