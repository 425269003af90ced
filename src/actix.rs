//! actix-web: the layers as middleware, and `VerifiedEvent<T>` as an extractor.

mod deliver;

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
    error::PayloadError,
    http::{
        StatusCode,
        header::{HeaderMap, HeaderName, HeaderValue},
    },
};
use bytes::Bytes;
use futures_core::Stream;
use http_body::Frame;
use pin_project_lite::pin_project;

pub use self::deliver::DeliverMiddleware;
use crate::{
    Payload, Rejection, VerifiedEvent, Verifier, WebhookVerifyLayer,
    head::{Head, Headers},
    near::Near,
    observe::{self, Trace},
    shared::Shared,
    verification::{Step, TooLong, Verification, refuse},
};

/// A middleware for an app, a scope, a resource or a route of actix-web: give it to `wrap`.
///
/// ```
/// # #[actix_web::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
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
            // Each worker has its own.
            verifier: self.verifier().near(),
        }))
    }
}

/// The service that [`WebhookVerifyLayer`] makes of a service of actix-web.
pub struct WebhookVerifyMiddleware<S> {
    inner: Rc<S>,
    verifier: Verifier,
}

impl<S, B> Service<ServiceRequest> for WebhookVerifyMiddleware<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>>,
    B: MessageBody,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = S::Error;
    type Future = MiddlewareFuture<S>;

    fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&self, mut request: ServiceRequest) -> Self::Future {
        let shared = self.verifier.shared();
        let trace = Trace::new(shared);
        let body = Incoming(request.take_payload());
        let begun = {
            let _entered = trace.enter();
            observe::arrived(request.extensions().get());
            Step::first(shared, &head_of(&request), &body)
        };
        let state = match begun {
            Ok(step) => State::Verifying {
                verification: Verification::new(shared, step, body),
            },
            Err(rejection) => State::Refused { rejection },
        };
        MiddlewareFuture {
            state,
            request: Some(request),
            inner: Rc::clone(&self.inner),
            trace,
        }
    }
}

pin_project! {
    /// The future of [`WebhookVerifyMiddleware`].
    pub struct MiddlewareFuture<S>
    where
        S: Service<ServiceRequest>,
    {
        #[pin]
        state: State<S::Future>,
        // Taken when it is passed on or answered.
        request: Option<ServiceRequest>,
        inner: Rc<S>,
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
            // Only where there is something to do with its answer.
            watch: Option<Arc<Near>>,
        },
        Refused {
            rejection: Rejection,
        },
    }
}

impl<S, B> Future for MiddlewareFuture<S>
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
                            let Some(request) = this.request.take() else {
                                return Poll::Pending;
                            };
                            observe::verified(this.trace, &event);
                            let shared = event.shared();
                            let watch = shared.watches_answers().then(|| Arc::clone(shared));
                            let future = this.inner.call(rebuild(request, event));
                            State::Calling { future, watch }
                        }
                        Err(rejection) => State::Refused { rejection },
                    }
                }
                StateProjection::Calling { future, watch } => {
                    let response = poll_ready!(future.poll(cx))?;
                    let response = match watch {
                        Some(shared) => answered(shared, response),
                        None => response.map_into_left_body(),
                    };
                    return Poll::Ready(Ok(response));
                }
                StateProjection::Refused { rejection } => {
                    let Some(request) = this.request.take() else {
                        return Poll::Pending;
                    };
                    let answer = refuse(rejection, this.trace);
                    let response = request.into_response(to_actix(answer));
                    return Poll::Ready(Ok(response.map_into_right_body()));
                }
            };
            this.state.set(next);
        }
    }
}

fn head_of(request: &ServiceRequest) -> Head<'_> {
    Head {
        method: request.method().as_str(),
        path: request.uri().path(),
        query: request.uri().query().unwrap_or_default(),
        headers: request.headers(),
    }
}

/// The request as the handler gets it: the verified bytes and the event.
fn rebuild(mut request: ServiceRequest, event: VerifiedEvent) -> ServiceRequest {
    let payload = Box::pin(Verified(Some(event.raw_body().clone())));
    request.set_payload(Body::Stream { payload });
    request.extensions_mut().insert(event);
    request
}

/// The handler's response, with the status that the provider takes for success.
fn answered<B: MessageBody>(
    shared: &Shared,
    response: ServiceResponse<B>,
) -> ServiceResponse<EitherBody<B>> {
    response.map_body(|head, body| {
        let answered = status(shared.answer(from_actix(head.status)));
        let changed = answered != head.status;
        head.status = answered;
        // A 204 may go without a length. After a 200 without one, the client would wait for a body.
        if changed && matches!(body.size(), BodySize::None) {
            EitherBody::right(BoxBody::new(()))
        } else {
            EitherBody::left(body)
        }
    })
}

/// The two frameworks' types for a status hold the same numbers.
fn status(status: http::StatusCode) -> StatusCode {
    StatusCode::from_u16(status.as_u16()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

fn from_actix(status: StatusCode) -> http::StatusCode {
    http::StatusCode::from_u16(status.as_u16()).unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR)
}

/// An answer without a body, in actix-web's types.
fn to_actix(response: http::Response<()>) -> HttpResponse {
    let (head, ()) = response.into_parts();
    let mut answer = HttpResponse::new(status(head.status));
    for (name, value) in &head.headers {
        let name = HeaderName::from_bytes(name.as_str().as_bytes());
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_bytes(value.as_bytes())) {
            answer.headers_mut().append(name, value);
        }
    }
    if let Some(rejection) = head.extensions.get::<Rejection>() {
        answer.extensions_mut().insert(rejection.clone());
    }
    answer
}

impl Headers for HeaderMap {
    fn for_each<'h>(&'h self, line: &mut dyn FnMut(&'h str, &'h [u8])) {
        for (name, value) in self {
            line(name.as_str(), value.as_bytes());
        }
    }
}

/// A payload as the body that it is.
struct Incoming(Body);

impl http_body::Body for Incoming {
    type Data = Bytes;
    type Error = Box<dyn std::error::Error + Send + Sync>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let next = poll_ready!(Pin::new(&mut self.0).poll_next(cx));
        Poll::Ready(next.map(|chunk| match chunk {
            Ok(bytes) => Ok(Frame::data(bytes)),
            Err(PayloadError::Overflow) => Err(TooLong.into()),
            Err(error) => Err(error.into()),
        }))
    }
}

/// The verified bytes as a payload.
struct Verified(Option<Bytes>);

impl Stream for Verified {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Poll::Ready(self.0.take().map(Ok))
    }
}

/// Takes the event that the middleware put there.
///
/// Without the middleware, or when a genuine event is not a `T`, the answer is 500, so that the provider sends the event
/// again once our side is mended; the log says what is wrong.
impl<T: Payload> FromRequest for VerifiedEvent<T> {
    type Error = Rejection;
    type Future = Ready<Result<Self, Rejection>>;

    fn from_request(request: &HttpRequest, _: &mut Body) -> Self::Future {
        ready(Self::take(request.extensions().get()))
    }
}

/// A status without a body. The rejection goes to the log and into the response's extensions.
impl ResponseError for Rejection {
    fn status_code(&self) -> StatusCode {
        status(self.status())
    }

    fn error_response(&self) -> HttpResponse<BoxBody> {
        to_actix(self.clone().into_response())
    }
}

impl<S: fmt::Debug> fmt::Debug for WebhookVerifyMiddleware<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookVerifyMiddleware")
            .field("inner", &self.inner)
            .field("verifier", &self.verifier)
            .finish_non_exhaustive()
    }
}

impl<S: Service<ServiceRequest>> fmt::Debug for MiddlewareFuture<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MiddlewareFuture").finish_non_exhaustive()
    }
}
