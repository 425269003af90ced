//! The layer on hyper, without a web framework.
//!
//! ```text
//! GITHUB_WEBHOOK_SECRET=demo-secret-of-github cargo run --example tower
//! ```
//!
//! Accepted with 200:
//!
//! ```text
//! body='{"action":"opened"}'
//! sig=$(printf %s "$body" | openssl dgst -sha256 -hmac demo-secret-of-github | sed 's/.* //')
//! curl -i http://127.0.0.1:3000/ -H "X-Hub-Signature-256: sha256=$sig" -d "$body"
//! ```
//!
//! Refused with 401: the same with another body, or without the header.
//!
//! The layer passes the verified bytes on in the body type of the request. hyper's `Incoming`
//! cannot be built from bytes, so a wrapper holds either.

use std::{
    convert::Infallible,
    error::Error,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body, Frame, SizeHint};
use http_body_util::{Either, Full};
use hyper::{body::Incoming, server::conn::http1};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::net::TcpListener;
use tower::ServiceBuilder;
use tower_webhook::{Secret, VerifiedEvent, Verifier, WebhookVerifyLayer, providers};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt().init();
    let secret = Secret::from_env("GITHUB_WEBHOOK_SECRET")?;
    let verifier = Verifier::new(providers::github(), secret)?;
    let service = ServiceBuilder::new()
        .map_request(|request: Request<Incoming>| request.map(RequestBody::from))
        .layer(WebhookVerifyLayer::new(verifier))
        .service_fn(on_event);

    let listener = TcpListener::bind("127.0.0.1:3000").await?;
    loop {
        let (stream, _) = listener.accept().await?;
        let service = TowerToHyperService::new(service.clone());
        tokio::spawn(async move {
            let served = http1::Builder::new()
                .timer(TokioTimer::new())
                .serve_connection(TokioIo::new(stream), service)
                .await;
            if let Err(error) = served {
                eprintln!("connection: {error}");
            }
        });
    }
}

/// Runs only for requests that GitHub has signed.
async fn on_event(request: Request<RequestBody>) -> Result<Response<Full<Bytes>>, Infallible> {
    let event = match VerifiedEvent::<serde_json::Value>::from_extensions(request.extensions()) {
        Ok(event) => event,
        Err(rejection) => {
            eprintln!("{rejection}");
            return Ok(rejection.to_response().map(|()| Full::default()));
        }
    };
    let kind = event.event_type().unwrap_or("event");
    eprintln!("{kind}: {}", event.payload()["action"]);
    Ok(Response::default())
}

/// The body that hyper receives, or the bytes that the layer has verified.
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
