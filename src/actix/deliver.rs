//! The delivery layer as a middleware of actix-web.

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
    actix::convert::{from_actix, status, to_actix},
    delivery::{
        layer::DeliveryLayer,
        observe,
        route::{is_one_route, normalise},
        run::{AlreadyClaimed, Begun, DeliveryOptions, Ended, begin, not_verified},
    },
    event::VerifiedEvent,
    observe::refused_event,
    rejection::Rejection,
};

/// A middleware for actix-web: give it to `wrap` before the one that verifies, which then is around it.
///
/// The handler is polled in place, since handlers of actix-web stay on their thread, and moves into a task of its worker when its request is
/// dropped. One that runs into its time limit takes the request with it: the refusal then comes as an [`Error`] that is a
/// [`Rejection`], which actix-web makes the same 503 of.
impl<S, B> Transform<S, ServiceRequest> for DeliveryLayer
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type InitError = ();
    type Transform = DeliverMiddleware<S>;
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, inner: S) -> Self::Future {
        ready(Ok(DeliverMiddleware {
            inner: Rc::new(inner),
            options: self.options(),
        }))
    }
}

/// The service that [`DeliveryLayer`] makes of a service of actix-web.
pub struct DeliverMiddleware<S> {
    inner: Rc<S>,
    options: Arc<DeliveryOptions>,
}

impl<S, B> Service<ServiceRequest> for DeliverMiddleware<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Error>>>>;

    fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&self, request: ServiceRequest) -> Self::Future {
        let (inner, options) = (Rc::clone(&self.inner), Arc::clone(&self.options));
        let event = request.extensions().get::<VerifiedEvent>().cloned();
        Box::pin(async move {
            let Some(event) = event else {
                let response = refused(None, &not_verified());
                return Ok(request.into_response(response).map_into_right_body());
            };
            // Such a request changes nothing, and its answer does not say what became of an event.
            let is_safe = request.method().is_safe();
            let again = !is_safe && request.extensions_mut().insert(AlreadyClaimed).is_some();
            if again {
                observe::claimed_twice(&event);
            }
            if is_safe || again {
                let response = inner.call(request).await;
                return response.map(ServiceResponse::map_into_left_body);
            }
            observe::came_to(&event, request.path());
            let pattern = request.match_pattern();
            let pattern = pattern.filter(|pattern| is_one_route(pattern));
            let route = pattern.unwrap_or_else(|| normalise(request.path()).into_owned());
            let response = match begin(&options, &event, &route).await {
                Begun::Handle(delivery) => {
                    let status_of = |response: &ServiceResponse<B>| from_actix(response.status());
                    let (task, answer) = delivery.run(inner.call(request), status_of);
                    let mut task = ToItsEnd(Some(Box::pin(task)));
                    poll_fn(|cx| task.poll(cx)).await;
                    return match answer.await {
                        Ended::Answered(response) => {
                            response.map(ServiceResponse::map_into_left_body)
                        }
                        // The request has ended with the handler, so that there is none to answer.
                        Ended::Aborted(rejection) => {
                            refused_event(Some(&event), &rejection);
                            Err(rejection.into())
                        }
                    };
                }
                Begun::Before(success) => HttpResponse::new(status(success)),
                Begun::Refused(rejection) => refused(Some(&event), &rejection),
            };
            Ok(request.into_response(response).map_into_right_body())
        })
    }
}

/// The answer to a refused delivery, which is logged.
fn refused(event: Option<&VerifiedEvent>, rejection: &Rejection) -> HttpResponse {
    refused_event(event, rejection);
    to_actix(rejection.to_response())
}

impl<S: fmt::Debug> fmt::Debug for DeliverMiddleware<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeliverMiddleware")
            .field("inner", &self.inner)
            .finish_non_exhaustive()
    }
}

/// A task that is polled where it is, as long as its request lives, and by its worker after that: a client that resets its connection
/// drops the request.
struct ToItsEnd(Option<Pin<Box<dyn Future<Output = ()>>>>);

impl ToItsEnd {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let Some(task) = &mut self.0 {
            poll_ready!(task.as_mut().poll(cx));
            self.0 = None;
        }
        Poll::Ready(())
    }
}

impl Drop for ToItsEnd {
    fn drop(&mut self) {
        let Some(task) = self.0.take() else { return };
        // Outside of a worker, as in a test, there is nothing to spawn on. Then the claim is released.
        let spawned = catch_unwind(AssertUnwindSafe(|| actix_web::rt::spawn(task)));
        drop(spawned);
    }
}
