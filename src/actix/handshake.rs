//! The handshake layer as an actix-web middleware.

use std::{
    fmt,
    future::{Future, Ready, poll_fn, ready},
    pin::{Pin, pin},
    rc::Rc,
    sync::Arc,
    task::{Context, Poll},
};

use actix_web::{
    Error, FromRequest, HttpMessage, HttpRequest, HttpResponse,
    body::{BoxBody, EitherBody, MessageBody},
    dev::{Payload, Service, ServiceRequest, ServiceResponse, Transform},
};
use bytes::Bytes;

use crate::{
    actix::{
        boxed::boxed_middleware,
        convert::to_actix,
        request::{Incoming, head_of, rebuild},
    },
    delivery::run::AlreadyClaimed,
    endpoint::Endpoint,
    event::{
        VerifiedEvent,
        handshake::{HandshakeEvent, not_a_handshake},
    },
    handshake::{
        decide::After,
        layer::{HandshakeLayer, Place, place_of},
        order::{PassedOutside, check_outside},
        preparing::{Begun, Prepared, begin},
    },
    observe::{self, Trace},
    rejection::Rejection,
    tower::options::LayerOptions,
};

boxed_middleware! {
    /// Makes the layer a middleware for actix-web. Pass it to `wrap` before the
    /// [`WebhookVerifyLayer`] and once more after it, and a [`DeliveryLayer`] before both: the last
    /// one is the outermost.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # actix_web::rt::System::new().block_on(async {
    /// use actix_web::{App, HttpResponse, test, web};
    /// use tower_webhook::handshake::HandshakeLayer;
    /// use tower_webhook::{Secret, VerifiedEvent, Verifier, WebhookVerifyLayer, providers};
    ///
    /// let verifier = Verifier::new(providers::dropbox(), Secret::new("the-secret-of-the-app"))?;
    /// let verify = WebhookVerifyLayer::new(verifier);
    /// let handshake = HandshakeLayer::new(&verify);
    /// let hook = web::resource("/webhooks")
    ///     .to(|_: VerifiedEvent| async { HttpResponse::Ok() })
    ///     .wrap(handshake.clone())
    ///     .wrap(verify)
    ///     .wrap(handshake);
    /// let app = test::init_service(App::new().service(hook)).await;
    /// let asked = test::TestRequest::get().uri("/webhooks?challenge=42").to_request();
    /// assert_eq!(test::call_and_read_body(&app, asked).await, "42");
    /// # Ok(())
    /// # })
    /// # }
    /// ```
    ///
    /// [`DeliveryLayer`]: crate::delivery::DeliveryLayer
    /// [`WebhookVerifyLayer`]: crate::WebhookVerifyLayer
    HandshakeLayer(LayerOptions) => HandshakeMiddleware by answer
}

async fn answer<S, B>(
    inner: Rc<S>,
    options: Arc<LayerOptions>,
    mut request: ServiceRequest,
) -> Result<ServiceResponse<EitherBody<B>>, Error>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody,
{
    let (prepared, passed) = prepare(&options, &mut request).await;
    let after = match prepared {
        Prepared::Answered(endpoint, answer) => {
            let trace = trace(std::slice::from_ref(&endpoint), &request);
            let _entered = trace.enter();
            observe::handshake(&endpoint, "answered", &trace);
            let response = to_response(answer);
            return Ok(request.into_response(response).map_into_right_body());
        }
        Prepared::Refused(rejection) => {
            let trace = trace(&options.endpoints, &request);
            let _entered = trace.enter();
            let rejection = options.about(rejection, &head_of(&request));
            let response = to_actix(options.refuse(&rejection, &trace));
            return Ok(request.into_response(response).map_into_right_body());
        }
        Prepared::HandedOver(event, after) => {
            let trace = trace(std::slice::from_ref(event.shared()), &request);
            let _entered = trace.enter();
            observe::handshake(event.shared(), "handed_over", &trace);
            // It is one of both, also if it is signed.
            request.extensions_mut().remove::<VerifiedEvent>();
            request.extensions_mut().insert(event);
            Some(after)
        }
        Prepared::Delivered(after) => Some(after),
        Prepared::Pass => None,
    };
    let response = inner.call(request).await?;
    if !response.status().is_success() {
        return Ok(response.map_into_left_body());
    }
    if let Some(passed) = passed {
        passed.check_inside(&options);
    }
    Ok(match after {
        None => response.map_into_left_body(),
        Some(after) => replaced(response, after),
    })
}

/// The span of an answer: a new one, unless the verifying layer outside has made one.
fn trace(endpoints: &[Arc<Endpoint>], request: &ServiceRequest) -> Trace {
    match request.extensions().get() {
        Some(event) => Trace::of_event(event),
        None => Trace::new(endpoints, &head_of(request)),
    }
}

/// What becomes of a request, and the mark that it has been seen before it was verified.
async fn prepare(
    options: &LayerOptions,
    request: &mut ServiceRequest,
) -> (Prepared, Option<PassedOutside>) {
    let event = request.extensions().get::<VerifiedEvent>().cloned();
    let is_other = {
        let extensions = request.extensions();
        extensions.get::<Rejection>().is_some() || extensions.get::<HandshakeEvent>().is_some()
    };
    match place_of(options, event.as_ref(), is_other) {
        Place::Elsewhere => (Prepared::Pass, None),
        Place::Inside(event) => {
            {
                let extensions = request.extensions();
                let is_claimed = extensions.get::<AlreadyClaimed>().is_some();
                check_outside(event, extensions.get(), is_claimed);
            }
            (Prepared::of_event(event, &head_of(request)), None)
        }
        Place::Outside => {
            let passed = PassedOutside::default();
            request.extensions_mut().insert(passed.clone());
            let body = Incoming(request.take_payload());
            let prepared = match begin(options, &head_of(request), body) {
                Begun::Decided(prepared, Incoming(payload)) => {
                    request.set_payload(payload);
                    prepared
                }
                Begun::Preparing(preparing) => {
                    let mut preparing = pin!(preparing);
                    let (prepared, body) = poll_fn(|cx| {
                        let head = head_of(request);
                        preparing.as_mut().poll(options, &head, cx)
                    })
                    .await;
                    rebuild(request, body);
                    prepared
                }
            };
            (prepared, Some(passed))
        }
    }
}

fn to_response(answer: http::Response<Bytes>) -> HttpResponse<BoxBody> {
    let (head, body) = answer.into_parts();
    let is_empty = body.is_empty();
    let response = to_actix(http::Response::from_parts(head, ()));
    if is_empty {
        return response;
    }
    response.set_body(BoxBody::new(body))
}

/// The answer in place of the handler's success, with what that has for other middleware.
fn replaced<B: MessageBody>(
    mut response: ServiceResponse<B>,
    after: After,
) -> ServiceResponse<EitherBody<B>> {
    let mut answer = to_response(after.succeed());
    let extensions = std::mem::take(&mut *response.response_mut().extensions_mut());
    *answer.extensions_mut() = extensions;
    response.into_response(answer).map_into_right_body()
}

/// Takes the event that the middleware has inserted. Take an `Option`, which most requests lack.
impl FromRequest for HandshakeEvent {
    type Error = Rejection;
    type Future = Ready<Result<Self, Rejection>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let event = request.extensions().get::<Self>().cloned();
        ready(event.ok_or_else(not_a_handshake))
    }
}
