//! The actix-web adapter: the layers as middleware, and `VerifiedEvent<T>` as an extractor.

mod boxed;
mod convert;
mod deliver;
mod handshake;
mod request;

use std::{
    fmt,
    future::{Ready, ready},
    pin::Pin,
    rc::Rc,
    sync::Arc,
    task::{Context, Poll, ready as poll_ready},
};

use actix_web::{
    FromRequest, HttpMessage, HttpRequest, HttpResponse, ResponseError,
    body::{BodySize, BoxBody, EitherBody, MessageBody},
    dev::{Payload as Body, Service, ServiceRequest, ServiceResponse, Transform},
    http::StatusCode,
};
use bytes::Bytes;
use pin_project_lite::pin_project;

pub use self::{deliver::DeliverMiddleware, handshake::HandshakeMiddleware};
use crate::{
    actix::{
        convert::{from_actix, status, to_actix},
        request::{Incoming, head_of},
    },
    endpoint::Endpoint,
    event::{Absence, Payload, VerifiedEvent, handshake::HandshakeEvent},
    observe::{self, Trace},
    rejection::{Rejection, kind::RejectionKind},
    tower::{layer::WebhookVerifyLayer, options::LayerOptions},
    verify::future::{Refusal, Verification},
};

/// Makes the layer a middleware for an app, a scope, a resource or a route of actix-web: pass it to
/// `wrap`.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # actix_web::rt::System::new().block_on(async {
/// use actix_web::{App, HttpResponse, http::StatusCode, test, web};
/// use tower_webhook::{Secret, Signer, VerifiedEvent, Verifier, WebhookVerifyLayer, providers};
///
/// async fn on_event(event: VerifiedEvent<serde_json::Value>) -> HttpResponse {
///     HttpResponse::Ok().body(event.payload()["zen"].to_string())
/// }
///
/// let secret = Secret::new("It's a Secret to Everybody");
/// let layer = WebhookVerifyLayer::new(Verifier::new(providers::github(), secret.clone())?);
/// let app = test::init_service(
///     App::new().route("/webhooks", web::post().to(on_event).wrap(layer)),
/// )
/// .await;
///
/// let signed = Signer::new(providers::github(), secret)?
///     .sign(http::Request::post("/webhooks"), r#"{"zen":"Keep it logically awesome."}"#)?;
/// let mut request = test::TestRequest::post().uri("/webhooks");
/// for (name, value) in signed.headers() {
///     request = request.append_header((name.as_str(), value.as_bytes()));
/// }
/// let response = test::call_service(&app, request.set_payload(*signed.body()).to_request()).await;
/// assert_eq!(response.status(), StatusCode::OK);
///
/// let forged = test::TestRequest::post().uri("/webhooks").set_payload("{}").to_request();
/// let response = test::call_service(&app, forged).await;
/// assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
/// # Ok(())
/// # })
/// # }
/// ```
impl<S, B> Transform<S, ServiceRequest> for WebhookVerifyLayer
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>>,
    B: MessageBody,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = S::Error;
    type InitError = ();
    type Transform = WebhookVerifyMiddleware<S>;
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, inner: S) -> Self::Future {
        ready(Ok(WebhookVerifyMiddleware {
            inner: Rc::new(inner),
            options: Arc::clone(self.options()),
        }))
    }
}

/// The actix-web service that [`WebhookVerifyLayer`] creates.
pub struct WebhookVerifyMiddleware<S> {
    inner: Rc<S>,
    options: Arc<LayerOptions>,
}

impl<S, B> Service<ServiceRequest> for WebhookVerifyMiddleware<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>>,
    B: MessageBody,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = S::Error;
    type Future = ResponseFuture<S>;

    fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&self, mut request: ServiceRequest) -> Self::Future {
        let trace = Trace::new(&self.options.endpoints, &head_of(&request));
        let is_handed_over = {
            let extensions = request.extensions();
            let event = extensions.get::<HandshakeEvent>();
            event.is_some_and(|event| self.options.is_of(event.shared()))
        };
        if is_handed_over {
            return ResponseFuture {
                state: State::Calling {
                    future: self.inner.call(request),
                    endpoint: None,
                },
                request: None,
                inner: Rc::clone(&self.inner),
                options: Arc::clone(&self.options),
                trace,
            };
        }
        let body = Incoming(request.take_payload());
        let begun = {
            let _entered = trace.enter();
            observe::arrived(request.extensions().get());
            // A payload does not know its length.
            self.options.begin(&head_of(&request), 0)
        };
        let state = match begun {
            Ok(step) => State::Verifying {
                verification: self.options.verification(step, body),
            },
            Err(rejection) => {
                self.options.capture(&rejection, &head_of(&request), None);
                State::Refused { rejection }
            }
        };
        ResponseFuture {
            state,
            request: Some(request),
            inner: Rc::clone(&self.inner),
            options: Arc::clone(&self.options),
            trace,
        }
    }
}

pin_project! {
    /// The future of [`WebhookVerifyMiddleware`].
    pub struct ResponseFuture<S>
    where
        S: Service<ServiceRequest>,
    {
        #[pin]
        state: State<S::Future>,
        // Taken when the request is passed on or answered.
        request: Option<ServiceRequest>,
        inner: Rc<S>,
        options: Arc<LayerOptions>,
        trace: Trace,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<F> {
        Verifying {
            #[pin]
            verification: Verification<Incoming>,
        },
        Calling {
            #[pin]
            future: F,
            // The one that accepted the request.
            endpoint: Option<Arc<Endpoint>>,
        },
        Refused {
            rejection: Rejection,
        },
    }
}

impl<S, B> Future for ResponseFuture<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>>,
    B: MessageBody,
{
    type Output = Result<ServiceResponse<EitherBody<B>>, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let _entered = this.trace.enter();
        loop {
            let next = match this.state.as_mut().project() {
                StateProjection::Verifying { verification } => {
                    match poll_ready!(verification.poll(cx)) {
                        Ok(event) => {
                            observe::verified(this.trace, &event);
                            let endpoint = Some(Arc::clone(event.shared()));
                            let body = event.body().clone();
                            let request = rebuild(take(this.request), body, event);
                            State::Calling {
                                future: this.inner.call(request),
                                endpoint,
                            }
                        }
                        Err(Refusal {
                            rejection,
                            passed_on,
                            read,
                        }) => {
                            let rejection = match this.request {
                                Some(request) => {
                                    let seen = head_of(request);
                                    let rejection = this.options.about(rejection, &seen);
                                    this.options.capture(&rejection, &seen, read.as_ref());
                                    rejection
                                }
                                None => rejection,
                            };
                            match passed_on {
                                None => State::Refused { rejection },
                                Some(body) => {
                                    this.options.passed_on(&rejection, this.trace);
                                    let request = rebuild(take(this.request), body, rejection);
                                    State::Calling {
                                        future: this.inner.call(request),
                                        endpoint: None,
                                    }
                                }
                            }
                        }
                    }
                }
                StateProjection::Calling { future, endpoint } => {
                    let response = poll_ready!(future.poll(cx))?;
                    let answered = answered(this.options, endpoint.as_ref(), response, this.trace);
                    return Poll::Ready(Ok(answered));
                }
                StateProjection::Refused { rejection } => {
                    let answer = this.options.refuse(rejection, this.trace);
                    let response = take(this.request).into_response(to_actix(answer));
                    return Poll::Ready(Ok(response.map_into_right_body()));
                }
            };
            this.state.set(next);
        }
    }
}

fn take(request: &mut Option<ServiceRequest>) -> ServiceRequest {
    let Some(request) = request.take() else {
        unreachable!("a request is passed on or answered exactly once");
    };
    request
}

/// Rebuilds the request for the handler, with the bytes that were checked and the event, or the
/// rejection of a request that is passed on.
fn rebuild<T: 'static>(mut request: ServiceRequest, body: Bytes, verdict: T) -> ServiceRequest {
    request::rebuild(&mut request, body);
    request.extensions_mut().insert(verdict);
    request
}

/// The handler's response, with the provider's success status if the provider requires one.
fn answered<B: MessageBody>(
    options: &LayerOptions,
    endpoint: Option<&Arc<Endpoint>>,
    response: ServiceResponse<B>,
    trace: &Trace,
) -> ServiceResponse<EitherBody<B>> {
    response.map_body(|head, body| {
        let answered = status(options.answer(endpoint, from_actix(head.status), trace));
        let changed = answered != head.status;
        head.status = answered;
        // A 204 needs no length, but a client would wait for the body of a 200 without a length.
        if changed && matches!(body.size(), BodySize::None) {
            EitherBody::right(BoxBody::new(()))
        } else {
            EitherBody::left(body)
        }
    })
}

/// Takes the event that the middleware has inserted.
///
/// Without the middleware, or if a genuine event cannot be read as a `T`, the response is 500, so
/// that the provider sends the event again once the receiver is fixed; the log has the cause.
///
/// An `Option<VerifiedEvent<T>>` is `None` in both cases, which actix-web decides. Take
/// `Option<VerifiedEvent>` to tell an event that cannot be read, and
/// [`parse`](VerifiedEvent::parse) it.
impl<T: Payload> FromRequest for VerifiedEvent<T> {
    type Error = Rejection;
    type Future = Ready<Result<Self, Rejection>>;

    fn from_request(request: &HttpRequest, _: &mut Body) -> Self::Future {
        let extensions = request.extensions();
        let event = extensions.get();
        let absence = Absence::of(
            extensions.get::<Rejection>().is_some(),
            extensions.get::<HandshakeEvent>().is_some(),
        );
        ready(Self::extract(event, absence).inspect_err(|rejection| {
            // actix-web asks here for an `Option`, too, for which no event is no error.
            if rejection.kind() != RejectionKind::LayerMissing {
                observe::refused_event(event, rejection);
            }
        }))
    }
}

/// The status and headers of [`Rejection::to_response`], without a body.
impl ResponseError for Rejection {
    fn status_code(&self) -> StatusCode {
        status(self.status())
    }

    fn error_response(&self) -> HttpResponse<BoxBody> {
        if self.kind() == RejectionKind::LayerMissing {
            observe::refused_event(None, self);
        }
        to_actix(self.to_response())
    }
}

impl<S: fmt::Debug> fmt::Debug for WebhookVerifyMiddleware<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookVerifyMiddleware")
            .field("inner", &self.inner)
            .field("verifier", &self.options.verifier)
            .finish_non_exhaustive()
    }
}

impl<S: Service<ServiceRequest>> fmt::Debug for ResponseFuture<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
