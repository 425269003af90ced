//! Plain Tower on hyper: no framework, routes by hand.

use std::{
    collections::HashMap,
    convert::Infallible,
    error::Error,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt, Either, Full};
use hyper::body::Incoming;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto,
    service::TowerToHyperService,
};
use tokio::net::TcpListener;
use tower::{Layer, ServiceExt, service_fn, util::BoxCloneSyncService};
use tower_webhook::{
    Identity, Json, Payload, Rejection, VerifiedEvent,
    providers::{authenteq, authento, idenfy, voveid},
};

use crate::{
    answer::{REASON, facts, passed_on, reason},
    deliveries::{Script, Witness},
    endpoints::{Handler, Route},
};

type Reply = Response<Full<Bytes>>;
type Endpoint = BoxCloneSyncService<Request<RequestBody>, Reply, Infallible>;

pub(crate) async fn serve(routes: Vec<Route>) -> SocketAddr {
    let endpoints: HashMap<String, Endpoint> = routes
        .into_iter()
        .map(|route| (route.name.clone(), endpoint(route)))
        .collect();
    let endpoints = Arc::new(endpoints);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let endpoints = Arc::clone(&endpoints);
            let service = service_fn(move |request| route(Arc::clone(&endpoints), request));
            tokio::spawn(async move {
                let mut server = auto::Builder::new(TokioExecutor::new());
                server.http1().timer(TokioTimer::new());
                // That a client goes away is part of the table.
                let _gone = server
                    .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service))
                    .await;
            });
        }
    });
    address
}

async fn route(
    endpoints: Arc<HashMap<String, Endpoint>>,
    request: Request<Incoming>,
) -> Result<Reply, Infallible> {
    let name = request.uri().path().split('/').nth(2).unwrap_or_default();
    let mut response = match endpoints.get(name) {
        Some(endpoint) => {
            let endpoint = endpoint.clone();
            endpoint.oneshot(request.map(RequestBody::from)).await?
        }
        None => status(StatusCode::NOT_FOUND),
    };
    if let Some(rejection) = response.extensions().get::<Rejection>() {
        let reason = reason(rejection).parse().unwrap();
        response.headers_mut().insert(REASON, reason);
    }
    Ok(response)
}

fn endpoint(route: Route) -> Endpoint {
    let handler = match route.handler {
        Handler::Bytes => BoxCloneSyncService::new(service_fn(take::<Bytes>)),
        Handler::Number => BoxCloneSyncService::new(service_fn(take::<Json<u8>>)),
        Handler::Value => BoxCloneSyncService::new(service_fn(take::<serde_json::Value>)),
        Handler::Authenteq => BoxCloneSyncService::new(service_fn(take::<authenteq::Event>)),
        Handler::Authento => BoxCloneSyncService::new(service_fn(take::<authento::Event>)),
        Handler::Idenfy => BoxCloneSyncService::new(service_fn(take::<idenfy::Event>)),
        Handler::Voveid => BoxCloneSyncService::new(service_fn(take::<voveid::Event>)),
        Handler::Identity => BoxCloneSyncService::new(service_fn(take::<Identity>)),
        Handler::NoContent => BoxCloneSyncService::new(service_fn(|request| {
            answer(request, StatusCode::NO_CONTENT)
        })),
        Handler::Failure => BoxCloneSyncService::new(service_fn(|request| {
            answer(request, StatusCode::BAD_GATEWAY)
        })),
        Handler::Counting => {
            let witness = route.witness;
            BoxCloneSyncService::new(service_fn(move |request| count(witness.clone(), request)))
        }
        Handler::Optional => BoxCloneSyncService::new(service_fn(take_if_any)),
    };
    let handler = match route.deliveries {
        Some(deliveries) => BoxCloneSyncService::new(deliveries.layer(handler)),
        None => handler,
    };
    let wrap = |inner, layer| BoxCloneSyncService::new(Layer::layer(&layer, inner));
    let answer = |inner| match &route.handshake {
        Some(handshake) => BoxCloneSyncService::new(handshake.layer(inner)),
        None => inner,
    };
    let wrapped = answer(route.layers.into_iter().fold(answer(handler), wrap));
    if !route.taken {
        return wrapped;
    }
    let take = |request: Request<RequestBody>| request.map(|_| Bytes::new().into());
    BoxCloneSyncService::new(wrapped.map_request(take))
}

async fn take<T: Payload>(request: Request<RequestBody>) -> Result<Reply, Infallible> {
    let (head, body) = request.into_parts();
    let event = match VerifiedEvent::<T>::from_extensions(&head.extensions) {
        Ok(event) => event,
        Err(rejection) => return Ok(rejection.to_response().map(|()| Default::default())),
    };
    let body = body.collect().await.unwrap().to_bytes();
    Ok(json(facts(&event, &body, None)))
}

async fn take_if_any(request: Request<RequestBody>) -> Result<Reply, Infallible> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    Ok(json(match head.extensions.get::<VerifiedEvent>() {
        Some(event) => facts(event, &body, None),
        None => {
            let rejection = head.extensions.get::<Rejection>().unwrap();
            passed_on(rejection.kind().as_str(), &body)
        }
    }))
}

async fn count(witness: Witness, request: Request<RequestBody>) -> Result<Reply, Infallible> {
    let (head, body) = request.into_parts();
    let event = match VerifiedEvent::<Bytes>::from_extensions(&head.extensions) {
        Ok(event) => event,
        Err(rejection) => return Ok(rejection.to_response().map(|()| Default::default())),
    };
    let script = Script::new(|name| head.headers.get(name)?.to_str().ok().map(str::to_owned));
    let Some(calls) = witness.handle(&event, script).await else {
        return Ok(status(StatusCode::BAD_GATEWAY));
    };
    let body = body.collect().await.unwrap().to_bytes();
    Ok(json(facts(&event, &body, Some(calls))))
}

fn json(text: String) -> Reply {
    let mut response = Response::new(text.into());
    let json = "application/json".parse().unwrap();
    response.headers_mut().insert("content-type", json);
    response
}

async fn answer(request: Request<RequestBody>, code: StatusCode) -> Result<Reply, Infallible> {
    Ok(
        match VerifiedEvent::<Bytes>::from_extensions(request.extensions()) {
            Ok(_) => status(code),
            Err(rejection) => rejection.to_response().map(|()| Default::default()),
        },
    )
}

fn status(code: StatusCode) -> Reply {
    let mut response = Response::default();
    *response.status_mut() = code;
    response
}

/// What hyper receives, or what the layer has verified.
struct RequestBody(Either<Incoming, Full<Bytes>>);

impl From<Incoming> for RequestBody {
    fn from(body: Incoming) -> Self {
        Self(Either::Left(body))
    }
}

impl From<Bytes> for RequestBody {
    fn from(bytes: Bytes) -> Self {
        Self(Either::Right(Full::new(bytes)))
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = Box<dyn Error + Send + Sync>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        Pin::new(&mut self.0).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.size_hint()
    }
}
