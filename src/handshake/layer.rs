//! [`HandshakeLayer`]: answers handshakes.

use std::{
    fmt, mem,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::{Request, Response, request};
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use crate::{
    delivery::run::AlreadyClaimed,
    endpoint::Endpoint,
    event::{VerifiedEvent, handshake::HandshakeEvent},
    handshake::{
        decide::After,
        order::{PassedOutside, check_outside},
        preparing::{Begun, Prepared, Preparing, begin},
    },
    head::Head,
    observe::{self, Trace},
    rejection::Rejection,
    tower::{body::RequestBody, layer::WebhookVerifyLayer, options::LayerOptions},
};

/// A response body that the layer can build, for its answers.
///
/// Implemented by every body that is `From<Bytes>`, such as axum's and `Full<Bytes>`.
#[diagnostic::on_unimplemented(
    message = "`HandshakeLayer` cannot make a response body of type `{Self}`",
    label = "this response body is not `From<Bytes>`",
    note = "map the body of the service inside, as in `.map_response_body(axum::body::Body::new)`"
)]
pub trait HandshakeBody: From<Bytes> {}

#[diagnostic::do_not_recommend]
impl<R: From<Bytes>> HandshakeBody for R {}

/// Answers the [handshakes](crate::handshake) of the providers of a [`WebhookVerifyLayer`].
///
/// Apply it twice: outside of the verifying layer, where it answers what is not signed, and inside,
/// where it answers what is. By the event in the request it knows where it is. A
/// [`DeliveryLayer`](crate::delivery::DeliveryLayer) is inside of both. `Config::route` does all of
/// this; by hand, it looks so:
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
/// use bytes::Bytes;
/// use http::{Request, Response, StatusCode};
/// use http_body_util::{BodyExt, Full};
/// use tower::{ServiceBuilder, ServiceExt};
/// use tower_webhook::{Secret, Signer, Verifier, WebhookVerifyLayer, providers};
/// use tower_webhook::delivery::{DeliveryLayer, MemoryStore};
/// use tower_webhook::handshake::HandshakeLayer;
///
/// let secret = Secret::new("the-signing-secret-of-the-app");
/// let verifier = Verifier::new(providers::slack(), secret.clone())?.with_endpoint("slack");
/// let verify = WebhookVerifyLayer::new(verifier);
/// let handshake = HandshakeLayer::new(&verify);
/// let service = ServiceBuilder::new()
///     .layer(handshake.clone())
///     .layer(verify)
///     .layer(handshake)
///     .layer(DeliveryLayer::new(MemoryStore::new()))
///     .service_fn(|_: Request<Full<Bytes>>| async {
///         // It sees no challenge.
///         Ok::<_, std::convert::Infallible>(Response::new(Full::<Bytes>::from("an event")))
///     });
///
/// let signer = Signer::new(providers::slack(), secret)?;
/// for (body, expected) in [
///     (r#"{"type":"url_verification","challenge":"3eZbrw1aB"}"#, "3eZbrw1aB"),
///     (r#"{"type":"event_callback","event_id":"Ev1"}"#, "an event"),
/// ] {
///     let signed = signer.sign(Request::post("/"), body)?.map(Full::from);
///     let response = service.clone().oneshot(signed).await?;
///     assert_eq!(response.status(), StatusCode::OK);
///     assert_eq!(response.into_body().collect().await?.to_bytes(), expected);
/// }
/// # Ok(()) })
/// # }
/// ```
///
/// Requests that are no handshake pass through unchanged, with one exception: the inner layer
/// refuses a verified event that comes by `GET`, `HEAD`, `OPTIONS` or `TRACE` with 405. No delivery
/// is claimed by these methods, so a captured event could be repeated by them. A provider whose
/// signature covers the method or the query may use them. A refusal is logged, counted, and passed
/// to the [hook](WebhookVerifyLayer::on_rejection) of the verifying layer. A wrong order is logged
/// once.
///
/// Of a [group](WebhookVerifyLayer::any_of), the first endpoint by name answers whose provider asks
/// so, and which does not refuse the question.
#[derive(Clone)]
pub struct HandshakeLayer {
    options: Arc<LayerOptions>,
}

impl HandshakeLayer {
    /// A layer for the endpoints of `verify`, with its clock, timeouts and hook: set these first.
    #[must_use]
    pub fn new(verify: &WebhookVerifyLayer) -> Self {
        Self {
            options: Arc::clone(verify.options()),
        }
    }

    #[cfg(feature = "actix")]
    pub(crate) fn options(&self) -> &Arc<LayerOptions> {
        &self.options
    }
}

impl<S> Layer<S> for HandshakeLayer {
    type Service = HandshakeService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        HandshakeService {
            inner,
            options: Arc::clone(&self.options),
        }
    }
}

impl fmt::Debug for HandshakeLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HandshakeLayer")
            .field("verifier", &self.options.verifier)
            .finish_non_exhaustive()
    }
}

/// The service of [`HandshakeLayer`].
#[derive(Clone)]
pub struct HandshakeService<S> {
    inner: S,
    options: Arc<LayerOptions>,
}

impl<S, B, R> Service<Request<B>> for HandshakeService<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone,
    B: RequestBody,
    R: HandshakeBody,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = ResponseFuture<S, B, R>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        // A clone was never polled ready; the service that was is the one to call.
        let clone = self.inner.clone();
        let mut inner = mem::replace(&mut self.inner, clone);
        let (mut head, body) = request.into_parts();
        let begun = match place(&self.options, &head.extensions) {
            Place::Elsewhere => Begun::Decided(Prepared::Pass, body),
            Place::Inside(event) => {
                let is_claimed = head.extensions.get::<AlreadyClaimed>().is_some();
                check_outside(event, head.extensions.get(), is_claimed);
                Begun::Decided(Prepared::of_event(event, &Head::from(&head)), body)
            }
            Place::Outside => {
                let begun = begin(&self.options, &Head::from(&head), body);
                head.extensions.insert(PassedOutside::default());
                begun
            }
        };
        let state = match begun {
            Begun::Decided(prepared, body) => {
                proceed(&self.options, prepared, head, body, &mut inner)
            }
            Begun::Preparing(preparing) => State::Preparing {
                preparing,
                next: Some((head, inner)),
            },
        };
        ResponseFuture {
            state,
            options: Arc::clone(&self.options),
        }
    }
}

/// Where a layer is, as seen from a request.
pub(crate) enum Place<'e> {
    /// In front of the verifying layer.
    Outside,
    Inside(&'e VerifiedEvent),
    /// It has nothing to do with the request.
    Elsewhere,
}

/// Tells the place by what the layers have put into the request.
pub(crate) fn place<'e>(options: &LayerOptions, extensions: &'e http::Extensions) -> Place<'e> {
    let is_other =
        extensions.get::<Rejection>().is_some() || extensions.get::<HandshakeEvent>().is_some();
    place_of(options, extensions.get(), is_other)
}

/// `is_other` says that a request was passed on without an event.
pub(crate) fn place_of<'e>(
    options: &LayerOptions,
    event: Option<&'e VerifiedEvent>,
    is_other: bool,
) -> Place<'e> {
    let asks = |endpoint: &Arc<Endpoint>| endpoint.provider.handshake().is_some();
    match event {
        Some(event) if options.is_of(event.shared()) => Place::Inside(event),
        Some(_) => Place::Elsewhere,
        None if is_other || !options.endpoints.iter().any(asks) => Place::Elsewhere,
        None => Place::Outside,
    }
}

/// The span of an answer: a new one, unless the verifying layer outside has made one.
fn trace(endpoints: &[Arc<Endpoint>], head: &request::Parts) -> Trace {
    match head.extensions.get() {
        Some(event) => Trace::of_event(event),
        None => Trace::new(endpoints, &Head::from(head)),
    }
}

/// Calls the service inside, unless the request has an answer.
fn proceed<S, B, R>(
    options: &LayerOptions,
    prepared: Prepared,
    mut head: request::Parts,
    body: B,
    inner: &mut S,
) -> State<S, B, R, S::Future>
where
    S: Service<Request<B>, Response = Response<R>>,
    R: From<Bytes>,
{
    let after = match prepared {
        Prepared::Answered(endpoint, answer) => {
            let trace = trace(std::slice::from_ref(&endpoint), &head);
            let _entered = trace.enter();
            observe::handshake(&endpoint, "answered", &trace);
            return State::Ready {
                response: Some(answer.map(R::from)),
            };
        }
        Prepared::Refused(rejection) => {
            let trace = trace(&options.endpoints, &head);
            let _entered = trace.enter();
            let rejection = options.about(rejection, &Head::from(&head));
            let response = options.refuse(&rejection, &trace);
            return State::Ready {
                response: Some(response.map(|()| R::from(Bytes::new()))),
            };
        }
        Prepared::HandedOver(event, after) => {
            let trace = trace(std::slice::from_ref(event.shared()), &head);
            let _entered = trace.enter();
            observe::handshake(event.shared(), "handed_over", &trace);
            // It is one of both, also if it is signed.
            head.extensions.remove::<VerifiedEvent>();
            head.extensions.insert(event);
            Some(after)
        }
        Prepared::Delivered(after) => Some(after),
        Prepared::Pass => None,
    };
    let passed = head.extensions.get::<VerifiedEvent>().is_none();
    let passed = passed.then(|| head.extensions.get::<PassedOutside>().cloned());
    State::Calling {
        passed: passed.flatten(),
        after,
        future: inner.call(Request::from_parts(head, body)),
    }
}

pin_project! {
    /// The future of [`HandshakeService`].
    pub struct ResponseFuture<S, B, R>
    where
        S: Service<Request<B>>,
    {
        #[pin]
        state: State<S, B, R, S::Future>,
        options: Arc<LayerOptions>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<S, B, R, F> {
        Preparing {
            #[pin]
            preparing: Preparing<B>,
            // Taken when it is known what becomes of the request.
            next: Option<(request::Parts, S)>,
        },
        Calling {
            #[pin]
            future: F,
            after: Option<After>,
            passed: Option<PassedOutside>,
        },
        Ready {
            response: Option<Response<R>>,
        },
    }
}

impl<S, B, R> Future for ResponseFuture<S, B, R>
where
    S: Service<Request<B>, Response = Response<R>>,
    B: RequestBody,
    R: HandshakeBody,
{
    type Output = Result<Response<R>, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            let next = match this.state.as_mut().project() {
                StateProjection::Preparing { preparing, next } => {
                    let Some((head, _)) = next.as_ref() else {
                        unreachable!("a request is prepared once");
                    };
                    let head = Head::from(head);
                    let (prepared, body) = ready!(preparing.poll(this.options, &head, cx));
                    let Some((head, mut inner)) = next.take() else {
                        unreachable!("the request was there");
                    };
                    proceed(this.options, prepared, head, B::from(body), &mut inner)
                }
                StateProjection::Calling {
                    future,
                    after,
                    passed,
                } => {
                    let response = ready!(future.poll(cx))?;
                    let is_success = response.status().is_success();
                    let response = match after.take().filter(|_| is_success) {
                        Some(after) => replaced(response, after),
                        None => response,
                    };
                    if let Some(passed) = passed.take().filter(|_| is_success) {
                        passed.check_inside(this.options);
                    }
                    return Poll::Ready(Ok(response));
                }
                StateProjection::Ready { response } => {
                    let Some(response) = response.take() else {
                        unreachable!("a request is answered once");
                    };
                    return Poll::Ready(Ok(response));
                }
            };
            this.state.set(next);
        }
    }
}

/// The answer in place of the handler's success, with what that has for other layers.
fn replaced<R: From<Bytes>>(response: Response<R>, after: After) -> Response<R> {
    let mut answer = after.succeed().map(R::from);
    *answer.extensions_mut() = response.into_parts().0.extensions;
    answer
}

impl<S: fmt::Debug> fmt::Debug for HandshakeService<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HandshakeService")
            .field("inner", &self.inner)
            .field("verifier", &self.options.verifier)
            .finish_non_exhaustive()
    }
}

impl<S: Service<Request<B>>, B, R> fmt::Debug for ResponseFuture<S, B, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
