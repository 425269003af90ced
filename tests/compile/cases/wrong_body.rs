//! hyper's own body directly under the layer.

use std::convert::Infallible;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use tower::{Service, ServiceBuilder};
use tower_webhook::{providers, Secret, Verifier, WebhookVerifyLayer};

async fn handler(_: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    Ok(Response::default())
}

fn serve(_: impl Service<Request<Incoming>>) {}

fn main() {
    let verifier =
        Verifier::new(providers::github(), Secret::new("a-secret-of-some-length")).unwrap();
    let service = ServiceBuilder::new()
        .layer(WebhookVerifyLayer::new(verifier))
        .service_fn(handler);
    serve(service);
}
