//! poem: the layer around an endpoint. poem's own bridge for layers wants services of its own request type, so a function of
//! thirty lines stands in for it.
//!
//! ```text
//! cargo run --package tower-webhook-tests --example poem
//! ```

use std::{
    io,
    sync::{Arc, Mutex},
};

use axum::body::Body;
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::combinators::BoxBody;
use poem::{Endpoint, EndpointExt, IntoResponse, Route, Server, listener::TcpListener, post};
use tower::{Layer, ServiceExt, service_fn};
use tower_webhook::{Secret, VerifiedEvent, Verifier, WebhookVerifyLayer, providers};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // In earnest: Secret::from_env("GITHUB_SECRET")?
    let secret = Secret::new("It's a Secret to Everybody");
    let verify = WebhookVerifyLayer::new(Verifier::new(providers::github(), secret)?);
    let listener = TcpListener::bind("127.0.0.1:3000");
    Server::new(listener).run(routes(verify)).await?;
    Ok(())
}

#[poem::handler]
fn on_event(request: &poem::Request) -> StatusCode {
    match VerifiedEvent::<serde_json::Value>::from_extensions(request.extensions()) {
        Ok(_event) => StatusCode::OK,
        Err(rejection) => rejection.into_response::<()>().status(),
    }
}

fn routes(verify: WebhookVerifyLayer) -> Route {
    let endpoint = on_event.around(move |inner, request| verified(verify.clone(), inner, request));
    Route::new().at("/webhooks/code", post(endpoint))
}

/// The layer around an endpoint of poem.
async fn verified<E: Endpoint + 'static>(
    verify: WebhookVerifyLayer,
    endpoint: Arc<E>,
    request: poem::Request,
) -> poem::Result<poem::Response> {
    type PoemBody = BoxBody<Bytes, io::Error>;

    let (mut parts, body) = request.into_parts();
    let mut request = Request::new(Body::new(PoemBody::from(body)));
    *request.method_mut() = parts.method.clone();
    *request.uri_mut() = parts.uri.clone();
    *request.headers_mut() = parts.headers.clone();
    std::mem::swap(request.extensions_mut(), &mut parts.extensions);
    // What poem knows of the request, for the one call that may follow.
    let parts = Arc::new(Mutex::new(Some(parts)));
    let service = verify.layer(service_fn(move |request: Request<Body>| {
        let endpoint = Arc::clone(&endpoint);
        let parts = parts.lock().ok().and_then(|mut parts| parts.take());
        async move {
            let mut parts = parts.ok_or(StatusCode::INTERNAL_SERVER_ERROR)?;
            parts.extensions = request.into_parts().0.extensions;
            let event = VerifiedEvent::<Bytes>::from_extensions(&parts.extensions)
                .map_err(|rejection| rejection.status())?;
            let request = poem::Request::from_parts(parts, event.into_payload().into());
            let response = endpoint.call(request).await?.into_response();
            Ok::<_, poem::Error>(Response::<PoemBody>::from(response))
        }
    }));
    service.oneshot(request).await.map(Into::into)
}
