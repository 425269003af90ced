//! Routes, methods and paths: an answer on one route says nothing of a delivery that came to
//! another.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    sync::{Arc, Mutex},
};

use actix_web::{App, HttpRequest, HttpResponse, middleware::Condition, web};
use axum::{
    Router,
    body::Body,
    extract::State,
    routing::{MethodFilter, any, get, on, post},
};
use bytes::Bytes;
use http::{Method, Request, StatusCode};
use http_body_util::Full;
use support::{Lines, github, github_signer};
use tower::{Layer, Service, ServiceBuilder, ServiceExt, service_fn, util::BoxCloneSyncService};
use tower_webhook::{
    WebhookVerifyLayer,
    delivery::{DeliveryLayer, MemoryStore},
};
use tracing::instrument::WithSubscriber;

/// What each path has been called, and what it answers: 500 to the first events, 200 to the rest.
#[derive(Clone, Default)]
struct Routes(Arc<Mutex<BTreeMap<String, (usize, usize)>>>);

impl Routes {
    /// The next calls of this path fail.
    fn fails(&self, path: &str, times: usize) -> &Self {
        self.0.lock().unwrap().entry(path.to_owned()).or_default().1 = times;
        self
    }

    fn called(&self, path: &str) -> usize {
        self.0
            .lock()
            .unwrap()
            .get(path)
            .map_or(0, |(called, _)| *called)
    }

    fn call(&self, path: &str) -> StatusCode {
        let mut routes = self.0.lock().unwrap();
        let (called, failures) = routes.entry(path.to_owned()).or_default();
        *called += 1;
        if *failures == 0 {
            return StatusCode::OK;
        }
        *failures -= 1;
        StatusCode::INTERNAL_SERVER_ERROR
    }
}

async fn on_axum(State(routes): State<Routes>, uri: axum::extract::OriginalUri) -> StatusCode {
    routes.call(uri.path())
}

async fn on_actix(routes: web::Data<Routes>, request: HttpRequest) -> HttpResponse {
    let status = routes.call(request.path());
    HttpResponse::build(actix_web::http::StatusCode::from_u16(status.as_u16()).unwrap()).finish()
}

fn layers() -> (WebhookVerifyLayer, DeliveryLayer) {
    let verify = WebhookVerifyLayer::new(github().with_endpoint("hook"));
    (verify, DeliveryLayer::new(MemoryStore::new()))
}

fn signed(method: Method, target: &str, body: &str) -> Request<Bytes> {
    let request = Request::builder().method(method).uri(target);
    github_signer()
        .sign(request, Bytes::from(body.to_owned()))
        .unwrap()
}

type Served = BoxCloneSyncService<Request<Body>, axum::response::Response, Infallible>;

/// Sends an event, and says what it is answered.
#[derive(Clone)]
enum Target {
    Tower(Served),
    /// On a thread of its own, since actix-web's services stay on theirs.
    Actix(String),
}

impl Target {
    async fn send(&self, method: Method, target: &str, body: &str) -> u16 {
        let request = signed(method, target, body);
        match self {
            Self::Tower(service) => {
                let request = request.map(Body::from);
                service
                    .clone()
                    .oneshot(request)
                    .await
                    .unwrap()
                    .status()
                    .as_u16()
            }
            Self::Actix(url) => {
                use hyper_util::{client::legacy::Client, rt::TokioExecutor};
                let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
                let (mut head, body) = request.into_parts();
                head.uri = format!("{url}{target}").parse().unwrap();
                let request = Request::from_parts(head, Full::new(body));
                client.request(request).await.unwrap().status().as_u16()
            }
        }
    }

    async fn post(&self, target: &str, body: &str) -> u16 {
        self.send(Method::POST, target, body).await
    }
}

fn served(router: Router) -> Target {
    Target::Tower(BoxCloneSyncService::new(router.into_service()))
}

/// As `any`, which takes no `route_layer`.
fn all_methods() -> axum::routing::MethodRouter<Routes> {
    let safe = get(on_axum).options(on_axum).trace(on_axum);
    safe.post(on_axum)
        .put(on_axum)
        .patch(on_axum)
        .delete(on_axum)
}

fn on_axum_wirings(routes: &Routes) -> Vec<(&'static str, Target, [&'static str; 2])> {
    let two = || {
        Router::new()
            .route("/a", any(on_axum))
            .route("/b", any(on_axum))
    };
    let state = routes.clone();
    let around = {
        let (verify, deliver) = layers();
        served(two().layer(deliver).layer(verify).with_state(state.clone()))
    };
    let route_layer = {
        let (verify, deliver) = layers();
        served(
            two()
                .route_layer(deliver)
                .route_layer(verify)
                .with_state(state.clone()),
        )
    };
    let each_route = {
        let (verify, deliver) = layers();
        let route = || {
            all_methods()
                .route_layer(deliver.clone())
                .route_layer(verify.clone())
        };
        let router = Router::new().route("/a", route()).route("/b", route());
        served(router.with_state(state.clone()))
    };
    let builder = {
        let (verify, deliver) = layers();
        let layers = ServiceBuilder::new().layer(verify).layer(deliver);
        served(two().layer(layers).with_state(state.clone()))
    };
    let outside = {
        let (verify, deliver) = layers();
        let router = two().with_state(state.clone());
        let service = ServiceBuilder::new()
            .layer(verify)
            .layer(deliver)
            .service(router);
        Target::Tower(BoxCloneSyncService::new(service))
    };
    let nested = {
        let (verify, deliver) = layers();
        let inner = Router::new()
            .route("/hook", any(on_axum))
            .layer(deliver)
            .layer(verify);
        let router = Router::new().nest("/a", inner.clone()).nest("/b", inner);
        served(router.with_state(state.clone()))
    };
    let nested_service = {
        let (verify, deliver) = layers();
        let inner = Router::new()
            .route("/hook", any(on_axum))
            .with_state(state.clone());
        let inner = ServiceBuilder::new()
            .layer(verify)
            .layer(deliver)
            .service(inner);
        served(
            Router::new()
                .nest_service("/a", inner.clone())
                .nest_service("/b", inner),
        )
    };
    let fallback = {
        let (verify, deliver) = layers();
        let router = Router::new().fallback(on_axum).layer(deliver).layer(verify);
        served(router.with_state(state.clone()))
    };
    let outer_verify = {
        let (verify, deliver) = layers();
        let router = Router::new()
            .route("/a", all_methods().route_layer(deliver.clone()))
            .route("/b", all_methods().route_layer(deliver))
            .with_state(state.clone());
        Target::Tower(BoxCloneSyncService::new(verify.layer(router)))
    };
    let plain = ["/a", "/b"];
    vec![
        ("layer around a router", around, plain),
        ("route_layer of a router", route_layer, plain),
        ("route_layer of each route", each_route, plain),
        ("ServiceBuilder in layer", builder, plain),
        ("a service around a router", outside, plain),
        ("nested routers", nested, ["/a/hook", "/b/hook"]),
        ("nested services", nested_service, ["/a/hook", "/b/hook"]),
        ("a fallback", fallback, plain),
        ("verified outside, delivered inside", outer_verify, plain),
    ]
}

fn on_tower(routes: &Routes) -> Target {
    let (verify, deliver) = layers();
    let routes = routes.clone();
    let service = ServiceBuilder::new()
        .layer(verify)
        .layer(deliver)
        .service_fn(move |request: Request<Body>| {
            let status = routes.call(request.uri().path());
            let mut response = axum::response::Response::new(Body::empty());
            *response.status_mut() = status;
            std::future::ready(Ok::<_, Infallible>(response))
        });
    Target::Tower(BoxCloneSyncService::new(service))
}

#[derive(Clone, Copy, Debug)]
enum ActixWiring {
    App,
    Scope,
    Resource,
    Route,
}

fn on_actix_host(wiring: ActixWiring, routes: &Routes) -> Target {
    let (verify, deliver) = layers();
    let routes = routes.clone();
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        actix_web::rt::System::new().block_on(async move {
            let server = actix_web::HttpServer::new(move || {
                let around_app = matches!(wiring, ActixWiring::App);
                let app = App::new()
                    .app_data(web::Data::new(routes.clone()))
                    .wrap(Condition::new(around_app, deliver.clone()))
                    .wrap(Condition::new(around_app, verify.clone()));
                let (verify, deliver) = (verify.clone(), deliver.clone());
                let wiring = wiring;
                app.configure(move |config| {
                    let route = |path: &str| web::resource(path.to_owned());
                    match wiring {
                        ActixWiring::App => {
                            for path in ["/a", "/b", "/hooks/{shop}"] {
                                config.service(route(path).to(on_actix));
                            }
                        }
                        ActixWiring::Scope => {
                            let scope = web::scope("/s")
                                .service(route("/a").to(on_actix))
                                .service(route("/b").to(on_actix));
                            config.service(scope.wrap(deliver).wrap(verify));
                        }
                        ActixWiring::Resource => {
                            for path in ["/a", "/b", "/hooks/{shop}"] {
                                let resource = route(path).to(on_actix);
                                config.service(resource.wrap(deliver.clone()).wrap(verify.clone()));
                            }
                        }
                        ActixWiring::Route => {
                            for path in ["/a", "/b"] {
                                let to = web::route().to(on_actix);
                                let to = to.wrap(deliver.clone()).wrap(verify.clone());
                                config.service(route(path).route(to));
                            }
                        }
                    }
                })
            });
            let server = server
                .workers(1)
                .disable_signals()
                .bind("127.0.0.1:0")
                .unwrap();
            let address = server.addrs()[0];
            sender.send(format!("http://{address}")).unwrap();
            server.run().await.unwrap();
        });
    });
    Target::Actix(receiver.recv().unwrap())
}

fn all(routes: &Routes) -> Vec<(String, Target, [&'static str; 2])> {
    let mut wirings: Vec<_> = on_axum_wirings(routes)
        .into_iter()
        .map(|(name, target, paths)| (format!("axum, {name}"), target, paths))
        .collect();
    wirings.push(("Tower".to_owned(), on_tower(routes), ["/a", "/b"]));
    for wiring in [
        ActixWiring::App,
        ActixWiring::Scope,
        ActixWiring::Resource,
        ActixWiring::Route,
    ] {
        let paths = match wiring {
            ActixWiring::Scope => ["/s/a", "/s/b"],
            _ => ["/a", "/b"],
        };
        wirings.push((
            format!("actix-web, {wiring:?}"),
            on_actix_host(wiring, routes),
            paths,
        ));
    }
    wirings
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_on_another_route_completes_nothing() {
    let routes = Routes::default();
    for (name, target, [a, b]) in all(&routes) {
        let event = format!(r#"{{"event":"{name}"}}"#);
        let before = (routes.called(a), routes.called(b));
        let called = || (routes.called(a) - before.0, routes.called(b) - before.1);
        routes.fails(a, 2);
        assert_eq!(target.post(a, &event).await, 500, "{name}");
        assert_eq!(target.post(b, &event).await, 200, "{name}");
        assert_eq!(target.post(b, &event).await, 200, "{name}");
        assert_eq!(called(), (1, 1), "{name}");
        // Which is released, and not done.
        assert_eq!(target.post(a, &event).await, 500, "{name}");
        assert_eq!(target.post(a, &event).await, 200, "{name}");
        assert_eq!(target.post(a, &event).await, 200, "{name}");
        assert_eq!(called(), (3, 1), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn safe_methods_neither_claim_nor_complete() {
    let routes = Routes::default();
    for (name, target, [a, _]) in all(&routes) {
        let event = format!(r#"{{"event":"{name}"}}"#);
        let before = routes.called(a);
        routes.fails(a, 1);
        assert_eq!(target.post(a, &event).await, 500, "{name}");
        for method in [Method::GET, Method::HEAD, Method::OPTIONS, Method::TRACE] {
            assert_eq!(
                target.send(method.clone(), a, &event).await,
                200,
                "{name} {method}"
            );
        }
        assert_eq!(routes.called(a) - before, 5, "{name}");
        assert_eq!(target.post(a, &event).await, 200, "{name}");
        assert_eq!(routes.called(a) - before, 6, "{name}");
        // Nor are they told of what is done.
        assert_eq!(target.send(Method::GET, a, &event).await, 200, "{name}");
        assert_eq!(routes.called(a) - before, 7, "{name}");
        // The method is no part of the delivery.
        for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
            assert_eq!(
                target.send(method.clone(), a, &event).await,
                200,
                "{name} {method}"
            );
        }
        assert_eq!(routes.called(a) - before, 7, "{name}");
    }
}

/// A query, another spelling of the path: whoever has captured a request could add one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn respelling_the_target_makes_no_new_delivery() {
    let routes = Routes::default();
    for (name, target, [a, _]) in all(&routes) {
        let event = format!(r#"{{"event":"{name}"}}"#);
        let before = routes.called(a);
        assert_eq!(target.post(a, &event).await, 200, "{name}");
        for respelled in [format!("{a}?x=1"), format!("{a}?")] {
            assert_eq!(target.post(&respelled, &event).await, 200, "{name}");
        }
        assert_eq!(routes.called(a) - before, 1, "{name}");
    }
    let routes = Routes::default();
    let plain = on_tower(&routes);
    for respelled in [
        "/hooks/a",
        "/hooks/%61",
        "/hooks/x/../a",
        "/./hooks/%61",
        "/hooks/./a",
    ] {
        assert_eq!(plain.post(respelled, "{}").await, 200);
    }
    let all = routes
        .0
        .lock()
        .unwrap()
        .values()
        .map(|(called, _)| called)
        .sum::<usize>();
    assert_eq!(all, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_route_with_parameters_is_one_route_and_a_wildcard_is_many() {
    let routes = Routes::default();
    let (verify, deliver) = layers();
    let router = Router::new()
        .route("/hooks/{shop}", post(on_axum))
        .route("/rest/{*rest}", post(on_axum))
        .layer(deliver)
        .layer(verify)
        .with_state(routes.clone());
    let axum = served(router);
    let shops = ["/hooks/1", "/hooks/2", "/hooks/%31"];
    for shop in shops {
        assert_eq!(axum.post(shop, "{}").await, 200);
    }
    let called = |paths: &[&str]| paths.iter().map(|path| routes.called(path)).sum::<usize>();
    assert_eq!(called(&shops), 1);
    // Behind a wildcard there may be any number of routes.
    for rest in ["/rest/1", "/rest/2/3", "/rest/%31", "/rest/1"] {
        assert_eq!(axum.post(rest, "{}").await, 200);
    }
    assert_eq!(
        (routes.called("/rest/1"), routes.called("/rest/2/3")),
        (1, 1)
    );
    assert_eq!(routes.called("/rest/%31"), 0);
    for wiring in [ActixWiring::App, ActixWiring::Resource] {
        let routes = Routes::default();
        let actix = on_actix_host(wiring, &routes);
        for shop in shops {
            assert_eq!(actix.post(shop, "{}").await, 200);
        }
        let called = shops.iter().map(|path| routes.called(path)).sum::<usize>();
        assert_eq!(called, 1, "{wiring:?}");
    }
}

/// A method for each handler of one route: what another handler answers is the answer of the route.
#[tokio::test]
async fn a_get_beside_a_post_is_not_its_answer() {
    let routes = Routes::default();
    let (verify, deliver) = layers();
    let ping = |_: State<Routes>| async { StatusCode::OK };
    let route = on(MethodFilter::POST, on_axum).merge(get(ping));
    let route = route.route_layer(deliver).route_layer(verify);
    let target = served(Router::new().route("/a", route).with_state(routes.clone()));
    routes.fails("/a", 1);
    assert_eq!(target.post("/a", "{}").await, 500);
    assert_eq!(target.send(Method::GET, "/a", "{}").await, 200);
    assert_eq!(target.send(Method::HEAD, "/a", "{}").await, 200);
    assert_eq!(target.post("/a", "{}").await, 200);
    assert_eq!(routes.called("/a"), 2);
}

/// The warnings that a piece of work makes, of those that hold this.
async fn warnings(part: &str, work: impl Future<Output = ()>) -> Vec<String> {
    let lines = Lines::default();
    work.with_subscriber(lines.subscriber()).await;
    let found = lines.with(part);
    assert!(found.iter().all(|line| line.contains("WARN")), "{found:#?}");
    found
}

#[tokio::test]
async fn one_warning_where_deliveries_of_an_endpoint_come_under_several_paths() {
    let routes = Routes::default();
    for (paths, expected) in [
        (&["/a", "/a", "/a?x=1"][..], 0),
        (&["/a", "/b", "/c", "/a"], 1),
        (&["/hooks/1", "/hooks/2"], 1),
    ] {
        let target = on_tower(&routes);
        let warned = warnings("arrive at several paths", async {
            for (index, path) in paths.iter().enumerate() {
                target.post(path, &format!(r#"{{"n":{index}}}"#)).await;
            }
        })
        .await;
        assert_eq!(warned.len(), expected, "{warned:#?}");
        for line in warned {
            assert!(
                line.contains("WARN") && line.contains("endpoint=\"hook\""),
                "{line}"
            );
            assert!(line.contains(&format!("path=\"{}\"", paths[1])), "{line}");
        }
    }
}

#[tokio::test]
async fn one_warning_where_an_id_comes_with_several_bodies() {
    use tower_webhook::{
        Provider, Scheme, Secret, Signer, Verifier,
        delivery::DeduplicateBy,
        scheme::{Algorithm, Encoding, Locator, SignatureFormat},
    };
    let signature = SignatureFormat::single("X-Acme", Encoding::Hex);
    let scheme = Scheme::signed(Algorithm::HmacSha256, "{body}", signature);
    let acme = Provider::new("acme", scheme).with_delivery_id(Locator::json("/id"));
    let order = |status: &str| format!(r#"{{"id":"7","status":"{status}"}}"#);
    let plain = [order("new"), order("paid"), order("sent"), order("new")];
    let others = [
        r#"{"id":"7"}"#.to_owned(),
        r#"{"id":"8"}"#.to_owned(),
        r#"{"id":"7"}"#.to_owned(),
    ];
    for (provider, bodies, expected) in [
        (
            acme.clone(),
            &plain[..],
            Some("is handled as another delivery"),
        ),
        (
            acme.clone().with_deduplicate_by(DeduplicateBy::Id),
            &plain[..],
            Some("is treated as the same delivery"),
        ),
        (acme.clone().with_unique_delivery_id(), &plain[..], None),
        (
            acme.clone().with_deduplicate_by(DeduplicateBy::Body),
            &plain[..],
            None,
        ),
        (acme.clone(), &others[..], None),
    ] {
        let secret = Secret::new("a-secret-of-some-length");
        let signer = Signer::new(provider.clone(), secret.clone()).unwrap();
        let verifier = Verifier::new(provider, secret)
            .unwrap()
            .with_endpoint("orders");
        let handled = Arc::new(Mutex::new(0));
        let count = Arc::clone(&handled);
        let mut service = ServiceBuilder::new()
            .layer(WebhookVerifyLayer::new(verifier))
            .layer(DeliveryLayer::new(MemoryStore::new()))
            .service(service_fn(move |_: Request<Full<Bytes>>| {
                *count.lock().unwrap() += 1;
                std::future::ready(Ok::<_, Infallible>(support::Answer::default()))
            }));
        let warned = warnings("but a different body", async {
            for body in bodies {
                let request = signer
                    .sign(Request::post("/"), Bytes::from(body.clone()))
                    .unwrap();
                let answer = service
                    .ready()
                    .await
                    .unwrap()
                    .call(request.map(Full::new))
                    .await;
                assert_eq!(answer.unwrap().status(), 200);
            }
        })
        .await;
        assert_eq!(warned.len(), usize::from(expected.is_some()), "{warned:#?}");
        if let (Some(expected), [line]) = (expected, &warned[..]) {
            assert!(line.contains("WARN") && line.contains(expected), "{line}");
            assert!(line.contains("endpoint=\"orders\""), "{line}");
        }
    }
}
