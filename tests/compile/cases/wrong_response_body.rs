//! A response body that has no empty value inside the layer.

use std::convert::Infallible;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use tower::{Service, ServiceBuilder};
use tower_webhook::{providers, Secret, Verifier, WebhookVerifyLayer};

struct Streamed(Full<Bytes>);

async fn handler(request: Request<Full<Bytes>>) -> Result<Response<Streamed>, Infallible> {
    Ok(Response::new(Streamed(request.into_body())))
}

fn serve(_: impl Service<Request<Full<Bytes>>>) {}

fn main() {
    let verifier =
        Verifier::new(providers::github(), Secret::new("a-secret-of-some-length")).unwrap();
    let service = ServiceBuilder::new()
        .layer(WebhookVerifyLayer::new(verifier))
        .service_fn(handler);
    serve(service);
}
