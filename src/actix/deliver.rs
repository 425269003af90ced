//! The delivery layer as an actix-web middleware.

use std::{
    fmt,
    future::{Future, Ready, poll_fn, ready},
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    rc::Rc,
    sync::Arc,
    task::{Context, Poll, ready as poll_ready},
};

use actix_web::{
    Error, HttpMessage, HttpResponse,
    body::{EitherBody, MessageBody},
    dev::{Service, ServiceRequest, ServiceResponse, Transform},
};

use crate::{
    actix::{
        boxed::boxed_middleware,
        convert::{from_actix, status, to_actix},
    },
    delivery::{
        layer::{DeliveryLayer, is_passed_by},
        observe,
        options::DeliveryOptions,
        refusal::not_verified,
        route::{is_one_route, normalise},
        run::{AlreadyClaimed, Begun, HandlerEnd, begin},
    },
    event::{VerifiedEvent, handshake::HandshakeEvent},
    observe::refused_event,
    rejection::Rejection,
};

boxed_middleware! {
    /// Makes the layer a middleware for actix-web. Pass it to `wrap` before the
    /// [`WebhookVerifyLayer`], which must be outside it.
    ///
    /// Handlers of actix-web are not `Send`, so the handler is polled inside the request. If the
    /// request is dropped, the handler moves to a task on its worker. A handler that exceeds its
    /// time limit takes the request with it: the refusal is then an [`Error`] that wraps a
    /// [`Rejection`], which actix-web converts to the same 503.
    ///
    /// [`WebhookVerifyLayer`]: crate::WebhookVerifyLayer
    DeliveryLayer(DeliveryOptions) => DeliverMiddleware by deliver
}

async fn deliver<S, B>(
    inner: Rc<S>,
    options: Arc<DeliveryOptions>,
    request: ServiceRequest,
) -> Result<ServiceResponse<EitherBody<B>>, Error>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    let event = request.extensions().get::<VerifiedEvent>().cloned();
    // A layer that only logs has passed the request on, or it is a handshake.
    let passed_on = request.extensions().get::<Rejection>().is_some()
        || request.extensions().get::<HandshakeEvent>().is_some();
    let Some(event) = event else {
        if passed_on {
            let response = inner.call(request).await;
            return response.map(ServiceResponse::map_into_left_body);
        }
        let response = refused(None, &not_verified());
        return Ok(request.into_response(response).map_into_right_body());
    };
    // A safe method must not complete a delivery, because its response says nothing about
    // the event.
    let is_safe = request.method().is_safe();
    let is_passed = is_safe || is_passed_by(&event);
    let again = !is_passed && request.extensions_mut().insert(AlreadyClaimed).is_some();
    if again {
        observe::claimed_twice(&event);
    }
    if is_passed || again {
        let response = inner.call(request).await;
        return response.map(ServiceResponse::map_into_left_body);
    }
    observe::arrived_at(&event, request.path());
    let pattern = request.match_pattern();
    let pattern = pattern.filter(|pattern| is_one_route(pattern));
    let route = pattern.unwrap_or_else(|| normalise(request.path()).into_owned());
    let response = match begin(&options, &event, &route).await {
        Begun::Handle(delivery) => {
            let status_of = |response: &ServiceResponse<B>| from_actix(response.status());
            let (task, answer) = delivery.run(inner.call(request), status_of);
            let mut task = RunToCompletion(Some(Box::pin(task)));
            poll_fn(|cx| task.poll(cx)).await;
            return match answer.await {
                HandlerEnd::Answered(response) => response.map(ServiceResponse::map_into_left_body),
                // The request was dropped with the handler, so there is no request to
                // respond to.
                HandlerEnd::Aborted(rejection) => {
                    refused_event(Some(&event), &rejection);
                    Err(rejection.into())
                }
            };
        }
        Begun::AlreadyHandled(success) => HttpResponse::new(status(success)),
        Begun::Refused(rejection) => refused(Some(&event), &rejection),
    };
    Ok(request.into_response(response).map_into_right_body())
}

/// Logs the rejection and converts it to a response.
fn refused(event: Option<&VerifiedEvent>, rejection: &Rejection) -> HttpResponse {
    refused_event(event, rejection);
    to_actix(rejection.to_response())
}

/// A task that is polled inside its request, and spawned on its worker if the request is dropped,
/// as it is when the client resets the connection.
struct RunToCompletion(Option<Pin<Box<dyn Future<Output = ()>>>>);

impl RunToCompletion {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let Some(task) = &mut self.0 {
            poll_ready!(task.as_mut().poll(cx));
            self.0 = None;
        }
        Poll::Ready(())
    }
}

impl Drop for RunToCompletion {
    fn drop(&mut self) {
        let Some(task) = self.0.take() else { return };
        // Without a worker's runtime, as in a test, spawning panics, and the claim is released.
        let spawned = catch_unwind(AssertUnwindSafe(|| actix_web::rt::spawn(task)));
        drop(spawned);
    }
}
