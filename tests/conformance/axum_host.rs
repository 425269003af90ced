//! axum: the layer on method routers, the event as an extractor.

use std::net::SocketAddr;

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::Request,
    middleware::{map_request, map_response},
    response::{IntoResponse, Response},
    routing::{MethodRouter, any},
};
use bytes::Bytes;
use http::{StatusCode, header};
use tokio::net::TcpListener;
use tower_webhook::{
    Identity, Json, Payload, Rejection, VerifiedEvent,
    providers::{authenteq, authento, idenfy, voveid},
};

use crate::{
    answer::{REASON, facts, passed_on, reason},
    deliveries::{Script, Witness},
    endpoints::{Handler, Route},
};

pub(crate) async fn serve(routes: Vec<Route>) -> SocketAddr {
    let mut router = Router::new();
    for route in routes {
        let path = format!("/hooks/{}", route.name);
        let wrap = |inner: MethodRouter, layer| inner.layer(layer);
        let mut endpoint = handler(route.handler, route.witness);
        if let Some(deliveries) = route.deliveries {
            endpoint = endpoint.layer(deliveries);
        }
        let answer = |inner: MethodRouter| match &route.handshake {
            Some(handshake) => inner.layer(handshake.clone()),
            None => inner,
        };
        let mut endpoint = answer(route.layers.into_iter().fold(answer(endpoint), wrap));
        if route.taken {
            let take = async |request: Request| request.map(|_| Body::empty());
            endpoint = endpoint.layer(map_request(take));
        }
        router = router
            .route(&format!("{path}/{{*rest}}"), endpoint.clone())
            .route(&path, endpoint);
    }
    let router = router.layer(map_response(show_reason));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    address
}

fn handler(handler: Handler, witness: Witness) -> MethodRouter {
    match handler {
        Handler::Bytes => any(take::<Bytes>),
        Handler::Number => any(take::<Json<u8>>),
        Handler::Value => any(take::<serde_json::Value>),
        Handler::Authenteq => any(take::<authenteq::Event>),
        Handler::Authento => any(take::<authento::Event>),
        Handler::Idenfy => any(take::<idenfy::Event>),
        Handler::Voveid => any(take::<voveid::Event>),
        Handler::Identity => any(take::<Identity>),
        Handler::NoContent => any(async |_: VerifiedEvent| StatusCode::NO_CONTENT),
        Handler::Failure => any(async |_: VerifiedEvent| StatusCode::BAD_GATEWAY),
        Handler::Optional => any(take_if_any),
        Handler::Counting => any(async move |event, request| count(&witness, event, request).await),
    }
}

async fn take<T: Payload>(event: VerifiedEvent<T>, request: Request) -> Response {
    let body = to_bytes(request.into_body(), usize::MAX).await.unwrap();
    let json = [(header::CONTENT_TYPE, "application/json")];
    (json, facts(&event, &body, None)).into_response()
}

async fn take_if_any(event: Option<VerifiedEvent>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    let answer = match event {
        Some(event) => facts(&event, &body, None),
        None => {
            let rejection = head.extensions.get::<Rejection>().unwrap();
            passed_on(rejection.kind().as_str(), &body)
        }
    };
    ([(header::CONTENT_TYPE, "application/json")], answer).into_response()
}

async fn count(witness: &Witness, event: VerifiedEvent, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let script = Script::new(|name| head.headers.get(name)?.to_str().ok().map(str::to_owned));
    let Some(calls) = witness.handle(&event, script).await else {
        return StatusCode::BAD_GATEWAY.into_response();
    };
    let body = to_bytes(body, usize::MAX).await.unwrap();
    let json = [(header::CONTENT_TYPE, "application/json")];
    (json, facts(&event, &body, Some(calls))).into_response()
}

async fn show_reason(mut response: Response) -> Response {
    if let Some(rejection) = response.extensions().get::<Rejection>() {
        let reason = reason(rejection).parse().unwrap();
        response.headers_mut().insert(REASON, reason);
    }
    response
}
