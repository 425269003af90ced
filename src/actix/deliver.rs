//! The delivery layer as a middleware of actix-web.

use std::{
    fmt,
    future::{Future, Ready, pending, ready},
    pin::Pin,
    rc::Rc,
    sync::Arc,
    task::{Context, Poll},
};

use actix_web::{
    HttpMessage, HttpResponse,
    body::{EitherBody, MessageBody},
    dev::{Service, ServiceRequest, ServiceResponse, Transform},
};

use super::{from_actix, status, to_actix};
use crate::{
    Rejection, VerifiedEvent,
    delivery::{Claimed, Delivered, DeliveryLayer, Setup, deliver},
    observe,
};

/// A middleware for actix-web: give it to `wrap` before the one that verifies, which then is around it.
impl<S, B> Transform<S, ServiceRequest> for DeliveryLayer
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>> + 'static,
    B: MessageBody,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = S::Error;
    type InitError = ();
    type Transform = DeliverMiddleware<S>;
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, inner: S) -> Self::Future {
        ready(Ok(DeliverMiddleware {
            inner: Rc::new(inner),
            setup: self.setup(),
        }))
    }
}

/// The service that [`DeliveryLayer`] makes of a service of actix-web.
pub struct DeliverMiddleware<S> {
    inner: Rc<S>,
    setup: Arc<Setup>,
}

impl<S, B> Service<ServiceRequest> for DeliverMiddleware<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>> + 'static,
    B: MessageBody,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, S::Error>>>>;

    fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&self, request: ServiceRequest) -> Self::Future {
        let (inner, setup) = (Rc::clone(&self.inner), Arc::clone(&self.setup));
        let event = request.extensions().get::<VerifiedEvent>().cloned();
        let outer = request.extensions_mut().insert(Claimed);
        Box::pin(async move {
            let Some(event) = event else {
                let response = to_actix(Rejection::not_verified_before_delivery().into_response());
                return Ok(request.into_response(response).map_into_right_body());
            };
            if outer.is_some() {
                observe::claimed_twice(&event);
                let response = inner.call(request).await;
                return response.map(ServiceResponse::map_into_left_body);
            }
            // It is either passed on or answered.
            let mut request = Some(request);
            let handle = || {
                let request = request.take();
                async move {
                    match request {
                        Some(request) => inner.call(request).await,
                        None => pending().await,
                    }
                }
            };
            let status_of = |response: &ServiceResponse<B>| from_actix(response.status());
            let response = match deliver(&setup, &event, handle, status_of).await {
                Delivered::Handled(response) => {
                    return response.map(ServiceResponse::map_into_left_body);
                }
                Delivered::Before(success) => HttpResponse::new(status(success)),
                Delivered::Refused(rejection) => to_actix(rejection.into_response()),
            };
            match request {
                Some(request) => Ok(request.into_response(response).map_into_right_body()),
                None => pending().await,
            }
        })
    }
}

impl<S: fmt::Debug> fmt::Debug for DeliverMiddleware<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeliverMiddleware")
            .field("inner", &self.inner)
            .finish_non_exhaustive()
    }
}
