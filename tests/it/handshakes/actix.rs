//! The resource of the configuration on actix-web.

use actix_web::{App, HttpResponse, body::to_bytes, http::Method, test};
use http::Request;
use support::handshakes::{Got, Seen, supported};
use tower_webhook::{Config, VerifiedEvent, handshake::HandshakeEvent};

use super::{HANDLED, Watch};

/// What actix-web makes of one request.
async fn ask(config: &Config, name: &str, request: &Request<bytes::Bytes>) -> Got {
    let watch = Watch::default();
    let seen = watch.clone();
    let handler = move |event: Option<VerifiedEvent>, handshake: Option<HandshakeEvent>| {
        let seen = seen.clone();
        async move {
            seen.see(event.as_ref(), handshake.as_ref());
            HttpResponse::Ok().body(HANDLED)
        }
    };
    let resource = config.resource(name).unwrap();
    let app = test::init_service(App::new().service(resource.at("/hook", handler))).await;
    let mut asked = test::TestRequest::with_uri(&request.uri().to_string())
        .method(Method::from_bytes(request.method().as_str().as_bytes()).unwrap())
        .set_payload(request.body().clone());
    for (name, value) in request.headers() {
        asked = asked.append_header((name.as_str(), value.as_bytes()));
    }
    let response = test::call_service(&app, asked.to_request()).await;
    let mut headers = http::HeaderMap::new();
    for (name, value) in response.headers() {
        let name: http::HeaderName = name.as_str().parse().unwrap();
        headers.append(name, value.as_bytes().try_into().unwrap());
    }
    Got {
        status: http::StatusCode::from_u16(response.status().as_u16()).unwrap(),
        headers,
        body: to_bytes(response.into_body()).await.ok().unwrap(),
        seen: watch.take(),
    }
}

#[actix_web::test]
async fn every_question_is_answered_by_the_resource_of_the_configuration() {
    let mut all = Vec::new();
    for case in supported() {
        // The resource has the machine's clock.
        if ["front-app", "slack", "twitch"].contains(&&*case.provider) {
            continue;
        }
        let config = Config::from_toml_str(&case.document).unwrap();
        let got = ask(&config, &case.name, &case.vector.request("/hook")).await;
        for problem in case
            .vector
            .problems(&got, |body| body == HANDLED.as_bytes())
        {
            all.push(format!(
                "{}, {}: {problem}: {got:?}",
                case.name, case.vector.note
            ));
        }
    }
    assert!(all.is_empty(), "{}", all.join("\n"));
}

#[actix_web::test]
async fn the_resource_gives_the_handler_events_only() {
    let config = Config::from_toml_str(
        "[endpoints.files]\nprovider = \"dropbox\"\nsecret = \"a-secret-of-some-length\"\n\
         deduplicate_by = \"body\"\n[deliveries]\nstore = \"memory\"",
    )
    .unwrap();
    let signed = |method: &str| {
        let request = Request::builder().method(method).uri("/hook");
        let signed = config.signer("files").unwrap().sign(request, "{}");
        signed.unwrap().map(bytes::Bytes::from)
    };
    for (method, status, seen) in [
        ("POST", 200, &[Seen::Event][..]),
        // Every resource of the configuration has the same store.
        ("POST", 200, &[]),
        ("GET", 405, &[]),
        ("HEAD", 405, &[]),
    ] {
        let got = ask(&config, "files", &signed(method)).await;
        assert_eq!(
            (got.status.as_u16(), &*got.seen),
            (status, seen),
            "{method}"
        );
    }
}
