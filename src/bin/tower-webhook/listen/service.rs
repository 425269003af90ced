//! [`Stack`]: the layers of an endpoint around what happens to a genuine request.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use tower_layer::Layer;
use tower_service::Service;
use tower_webhook::{
    Rejection, VerifiedEvent, WebhookVerifyLayer,
    handshake::{HandshakeLayer, HandshakeService},
    middleware::WebhookVerify,
};

use crate::listen::{body::KeptBody, forward::Forward};

type Layered = HandshakeService<WebhookVerify<HandshakeService<Accepted>>>;

/// The layers of an endpoint, in the order of `Config::route`, without deduplication.
#[derive(Clone)]
pub(crate) struct Stack(Layered);

impl Stack {
    pub(crate) fn new(layer: &WebhookVerifyLayer, forward: Option<&Forward>) -> Self {
        let handshake = HandshakeLayer::new(layer);
        let accepted = Accepted {
            forward: forward.cloned(),
        };
        let inner = layer.layer(handshake.layer(accepted));
        Self(handshake.layer(inner))
    }

    /// Answers a request. What is known of it behind the layers is left in `seen`.
    pub(crate) async fn answer(
        &self,
        mut request: Request<KeptBody>,
        seen: &Seen,
    ) -> Response<Full<Bytes>> {
        request.extensions_mut().insert(seen.clone());
        // Every service of the stack is always ready.
        let mut service = self.0.clone();
        match service.call(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }
}

/// What the service behind the layers has seen of a request.
#[derive(Clone, Default)]
pub(crate) struct Seen(Arc<Mutex<Inside>>);

#[derive(Clone, Default)]
pub(crate) struct Inside {
    pub(crate) event: Option<VerifiedEvent>,
    /// Why it is not verified, where a layer only logs that.
    pub(crate) passed_on: Option<Rejection>,
    pub(crate) upstream: Option<Result<StatusCode, String>>,
}

impl Seen {
    pub(crate) fn take(&self) -> Inside {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn set(&self, inside: Inside) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = inside;
    }
}

/// Takes requests that the layers let through.
#[derive(Clone)]
pub(crate) struct Accepted {
    forward: Option<Forward>,
}

impl Service<Request<KeptBody>> for Accepted {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<KeptBody>) -> Self::Future {
        let forward = self.forward.clone();
        Box::pin(async move {
            let (head, body) = request.into_parts();
            let mut inside = Inside {
                passed_on: head.extensions.get::<Rejection>().cloned(),
                event: head.extensions.get::<VerifiedEvent>().cloned(),
                upstream: None,
            };
            let body = match body {
                KeptBody::Whole(bytes) => bytes.unwrap_or_default(),
                // The layers rebuild every body that they have read, and read each that is passed
                // on.
                KeptBody::Live(_) => Bytes::new(),
            };
            let response = match forward {
                Some(forward) => {
                    let (response, upstream) = forward.send(&head, body).await;
                    inside.upstream = Some(upstream);
                    response
                }
                None => Response::new(Full::default()),
            };
            if let Some(seen) = head.extensions.get::<Seen>() {
                seen.set(inside);
            }
            Ok(response)
        })
    }
}
