//! actix-web: the same layer in `wrap`, the event as an extractor.

use std::{
    net::{SocketAddr, TcpListener},
    thread,
};

use actix_web::{
    App, Error, HttpMessage, HttpRequest, HttpResponse, HttpServer, ResponseError,
    Route as Endpoint,
    body::MessageBody,
    dev::{Payload as Body, Service, ServiceResponse},
    error::InternalError,
    http::header::{HeaderName, HeaderValue},
    rt::System,
    web::{self, ServiceConfig},
};
use bytes::Bytes;
use tower_webhook::{
    Identity, Json, Payload, Rejection, VerifiedEvent,
    providers::{authenteq, authento, idenfy, voveid},
};

use crate::{
    answer::{REASON, facts, passed_on, reason},
    deliveries::{Script, Witness},
    endpoints::{Handler, Route},
};

/// It has a runtime of its own, on a thread that ends with the process.
pub(crate) async fn serve(routes: Vec<Route>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        let app = move || {
            App::new()
                .configure(|config| routes.iter().for_each(|route| add(config, route)))
                .wrap_fn(|request, app| {
                    let response = app.call(request);
                    async move { response.await.map(show_reason).map_err(with_reason) }
                })
        };
        let server = HttpServer::new(app).workers(2).disable_signals();
        let server = server.listen_auto_h2c(listener).unwrap();
        System::new().block_on(server.run()).unwrap();
    });
    address
}

fn add(config: &mut ServiceConfig, route: &Route) {
    let path = format!("/hooks/{}{{rest:(/.*)?}}", route.name);
    let resource = || web::resource(path.clone()).route(endpoint(route.handler, &route.witness));
    if let Some(handshake) = &route.handshake {
        let [layer] = &*route.layers else {
            panic!("{}: more than one layer around handshakes", route.name);
        };
        let resource = resource().wrap(handshake.clone()).wrap(layer.clone());
        config.service(resource.wrap(handshake.clone()));
        return;
    }
    if let Some(deliveries) = &route.deliveries {
        let resource = resource().wrap(deliveries.clone());
        match &*route.layers {
            [] => config.service(resource),
            [layer] => config.service(resource.wrap(layer.clone())),
            _ => panic!("{}: more than one layer around deliveries", route.name),
        };
        return;
    }
    match (&*route.layers, route.taken) {
        ([], _) => config.service(resource()),
        ([layer], false) => config.service(resource().wrap(layer.clone())),
        ([layer], true) => {
            let resource = resource().wrap(layer.clone());
            config.service(resource.wrap_fn(|mut request, inner| {
                request.set_payload(Body::None);
                inner.call(request)
            }))
        }
        ([outer, inner], _) => config.service(resource().wrap(inner.clone()).wrap(outer.clone())),
        _ => panic!("{}: more than two layers", route.name),
    };
}

fn endpoint(handler: Handler, witness: &Witness) -> Endpoint {
    match handler {
        Handler::Bytes => web::to(take::<Bytes>),
        Handler::Number => web::to(take::<Json<u8>>),
        Handler::Value => web::to(take::<serde_json::Value>),
        Handler::Authenteq => web::to(take::<authenteq::Event>),
        Handler::Authento => web::to(take::<authento::Event>),
        Handler::Idenfy => web::to(take::<idenfy::Event>),
        Handler::Voveid => web::to(take::<voveid::Event>),
        Handler::Identity => web::to(take::<Identity>),
        Handler::NoContent => web::to(async |_: VerifiedEvent| HttpResponse::NoContent().finish()),
        Handler::Failure => web::to(async |_: VerifiedEvent| HttpResponse::BadGateway().finish()),
        Handler::Optional => web::to(take_if_any),
        Handler::Counting => {
            let witness = witness.clone();
            web::to(move |event, request, body| count(witness.clone(), event, request, body))
        }
    }
}

async fn take<T: Payload + 'static>(event: VerifiedEvent<T>, body: web::Payload) -> HttpResponse {
    let body = body.to_bytes_limited(usize::MAX).await.unwrap().unwrap();
    HttpResponse::Ok()
        .content_type("application/json")
        .body(facts(&event, &body, None))
}

async fn take_if_any(
    event: Option<VerifiedEvent>,
    request: HttpRequest,
    body: web::Payload,
) -> HttpResponse {
    let body = body.to_bytes_limited(usize::MAX).await.unwrap().unwrap();
    let answer = match event {
        Some(event) => facts(&event, &body, None),
        None => {
            let rejection = request.extensions().get::<Rejection>().cloned().unwrap();
            passed_on(rejection.kind().as_str(), &body)
        }
    };
    HttpResponse::Ok()
        .content_type("application/json")
        .body(answer)
}

async fn count(
    witness: Witness,
    event: VerifiedEvent,
    request: HttpRequest,
    body: web::Payload,
) -> HttpResponse {
    let headers = request.headers();
    let script = Script::new(|name| headers.get(name)?.to_str().ok().map(str::to_owned));
    let Some(calls) = witness.handle(&event, script).await else {
        return HttpResponse::BadGateway().finish();
    };
    let body = body.to_bytes_limited(usize::MAX).await.unwrap().unwrap();
    HttpResponse::Ok()
        .content_type("application/json")
        .body(facts(&event, &body, Some(calls)))
}

/// A handler that was aborted took the request with it, so that the reason is an error.
fn with_reason(error: Error) -> Error {
    let Some(rejection) = error.as_error::<Rejection>() else {
        return error;
    };
    let mut response = rejection.error_response();
    let value = HeaderValue::from_str(&reason(rejection)).unwrap();
    response
        .headers_mut()
        .insert(HeaderName::from_static(REASON), value);
    InternalError::from_response(error, response).into()
}

fn show_reason<B: MessageBody>(mut response: ServiceResponse<B>) -> ServiceResponse<B> {
    let reason = response
        .response()
        .extensions()
        .get::<Rejection>()
        .map(reason);
    if let Some(reason) = reason {
        let value = HeaderValue::from_str(&reason).unwrap();
        response
            .headers_mut()
            .insert(HeaderName::from_static(REASON), value);
    }
    response
}
