//! Handshakes: every recorded question gets the answer that its vendor expects.

mod actix;
mod attacks;
mod config;
mod layers;
mod replies;
mod vectors;

use std::sync::{Arc, Mutex};

use axum::{
    Router,
    body::{Body, to_bytes},
    routing::any,
};
use http::{Request, StatusCode};
use support::{
    at,
    handshakes::{Got, Seen},
};
use tower::{ServiceBuilder, ServiceExt};
use tower_webhook::{
    Config, SetupError, VerifiedEvent, WebhookVerifyLayer,
    delivery::{DeliveryLayer, MemoryStore},
    handshake::{HandshakeEvent, HandshakeLayer},
};

/// The handler's own answer.
pub(crate) const HANDLED: &str = "handled";

/// What handlers have seen.
#[derive(Clone, Default)]
pub(crate) struct Watch(Arc<Mutex<Vec<Seen>>>);

impl Watch {
    pub(crate) fn take(&self) -> Vec<Seen> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }

    pub(crate) fn see(
        &self,
        event: Option<&VerifiedEvent>,
        handshake: Option<&HandshakeEvent>,
    ) -> StatusCode {
        let mut seen = self.0.lock().unwrap();
        assert!(event.is_none() || handshake.is_none());
        if event.is_some() {
            seen.push(Seen::Event);
        }
        if let Some(handshake) = handshake {
            seen.push(Seen::of(handshake.task()));
        }
        StatusCode::OK
    }
}

/// The layers in order, by hand, at this time.
pub(crate) fn by_hand(verify: WebhookVerifyLayer, now: u64, watch: &Watch) -> Router {
    let verify = verify.with_clock(move || at(now));
    let handshake = HandshakeLayer::new(&verify);
    let layers = ServiceBuilder::new()
        .layer(handshake.clone())
        .layer(verify)
        .layer(handshake)
        .layer(DeliveryLayer::new(MemoryStore::new()));
    let watch = watch.clone();
    let handler = async move |event: Option<VerifiedEvent>, handshake: Option<HandshakeEvent>| {
        (watch.see(event.as_ref(), handshake.as_ref()), HANDLED)
    };
    Router::new().route("/hook", any(handler).layer(layers))
}

/// The route of the configuration.
pub(crate) fn by_route(config: &Config, name: &str, watch: &Watch) -> Result<Router, SetupError> {
    let watch = watch.clone();
    let handler = async move |event: Option<VerifiedEvent>, handshake: Option<HandshakeEvent>| {
        (watch.see(event.as_ref(), handshake.as_ref()), HANDLED)
    };
    Ok(Router::new().route("/hook", config.route(name, handler)?))
}

pub(crate) async fn ask(app: &Router, watch: &Watch, request: Request<Body>) -> Got {
    let response = app.clone().oneshot(request).await.unwrap();
    let (head, body) = response.into_parts();
    Got {
        status: head.status,
        headers: head.headers,
        body: to_bytes(body, usize::MAX).await.unwrap(),
        seen: watch.take(),
    }
}

/// The layer of an endpoint with these lines.
pub(crate) fn layer_of(lines: &str) -> WebhookVerifyLayer {
    let config = Config::from_toml_str(&format!("[endpoints.x]\n{lines}"));
    config.and_then(|config| config.layer("x")).unwrap()
}
