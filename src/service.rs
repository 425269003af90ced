//! [`WebhookVerify`] and its future: gate, secrets, read, compare, insert, call.

use std::{
    error::Error,
    fmt, mem,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::{Duration, SystemTime},
};

use bytes::{Buf, Bytes};
use http::{Request, Response, StatusCode, request};
use http_body::Body;
use http_body_util::LengthLimitError;
use pin_project_lite::pin_project;
use tokio::time::{Instant, Sleep};
use tower_service::Service;

use crate::{
    Rejection, RejectionKind, VerifiedEvent, Verifier,
    body::{RequestBody, ResponseBody},
    clock,
    head::Head,
    verifier::Check,
};

/// What the layer adds to the verifier.
#[derive(Clone)]
pub(crate) struct Options {
    pub(crate) read_timeout: Duration,
    pub(crate) clock: Option<Arc<dyn Fn() -> SystemTime + Send + Sync>>,
    pub(crate) on_rejection: Option<Arc<OnRejection>>,
}

pub(crate) type OnRejection = dyn Fn(&Rejection, &mut Response<()>) + Send + Sync;

impl Options {
    pub(crate) fn now(&self) -> SystemTime {
        self.clock.as_ref().map_or_else(clock::now, |clock| clock())
    }
}

/// The service that [`WebhookVerifyLayer`](crate::WebhookVerifyLayer) makes.
#[derive(Clone)]
pub struct WebhookVerify<S> {
    inner: S,
    verifier: Verifier,
    options: Options,
}

impl<S> WebhookVerify<S> {
    pub(crate) fn new(inner: S, verifier: Verifier, options: Options) -> Self {
        Self {
            inner,
            verifier,
            options,
        }
    }

    /// Everything that the head decides.
    fn admit(&self, head: &request::Parts, body: &impl Body) -> Result<Check, Rejection> {
        let gate = self.verifier.gate(&Head::of(head), self.options.now())?;
        let check = gate.check(self.verifier.secrets())?;
        let least = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
        if least > self.verifier.max_body() {
            return Err(check.reject(RejectionKind::BodyTooLarge));
        }
        Ok(check)
    }
}

impl<S, B, R> Service<Request<B>> for WebhookVerify<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone,
    B: RequestBody,
    R: ResponseBody,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = VerifyFuture<S, B>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (head, body) = request.into_parts();
        let state = match self.admit(&head, &body) {
            Err(rejection) => State::Refused { rejection },
            Ok(check) => {
                // The clone was never polled ready; the service that was is the one to call.
                let clone = self.inner.clone();
                State::Reading {
                    read: Read {
                        body,
                        deadline: None,
                        timeout: self.options.read_timeout,
                        check: Some(check),
                    },
                    next: Some((head, mem::replace(&mut self.inner, clone))),
                }
            }
        };
        VerifyFuture {
            state,
            on_rejection: self.options.on_rejection.clone(),
            success_status: self.verifier.provider().success_status(),
        }
    }
}

pin_project! {
    /// The future of [`WebhookVerify`].
    pub struct VerifyFuture<S, B>
    where
        S: Service<Request<B>>,
    {
        #[pin]
        state: State<S, B, S::Future>,
        on_rejection: Option<Arc<OnRejection>>,
        success_status: Option<StatusCode>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<S, B, F> {
        Reading {
            #[pin]
            read: Read<B>,
            next: Option<(request::Parts, S)>,
        },
        Calling {
            #[pin]
            future: F,
        },
        Refused {
            rejection: Rejection,
        },
    }
}

impl<S, B, R> Future for VerifyFuture<S, B>
where
    S: Service<Request<B>, Response = Response<R>>,
    B: RequestBody,
    R: ResponseBody,
{
    type Output = Result<Response<R>, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            let next = match this.state.as_mut().project() {
                StateProjection::Reading { read, next } => {
                    let read = ready!(read.poll(cx));
                    match (read, next.take()) {
                        (Ok(event), Some((head, mut ready))) => State::Calling {
                            future: ready.call(rebuild(head, event)),
                        },
                        (Err(rejection), _) => State::Refused { rejection },
                        (Ok(_), None) => return Poll::Pending,
                    }
                }
                StateProjection::Calling { future } => {
                    let mut response = ready!(future.poll(cx))?;
                    if let Some(status) = *this.success_status
                        && response.status().is_success()
                    {
                        *response.status_mut() = status;
                    }
                    return Poll::Ready(Ok(response));
                }
                StateProjection::Refused { rejection } => {
                    let hook = this.on_rejection.as_deref();
                    return Poll::Ready(Ok(refuse(rejection, hook).map(|()| R::default())));
                }
            };
            this.state.set(next);
        }
    }
}

/// The request as the handler gets it: the verified bytes and the event.
fn rebuild<B: From<Bytes>>(head: request::Parts, event: VerifiedEvent) -> Request<B> {
    event.log();
    let mut request = Request::from_parts(head, B::from(event.body().clone()));
    request.extensions_mut().insert(event);
    request
}

/// Tells the operator, asks the hook, and answers.
fn refuse(rejection: &Rejection, hook: Option<&OnRejection>) -> Response<()> {
    let mut response = rejection.clone().into_response();
    if let Some(hook) = hook {
        hook(rejection, &mut response);
    }
    response
}

pin_project! {
    /// Reads a body into a check, within its time.
    struct Read<B> {
        #[pin]
        body: B,
        // Made when the body first has to be waited for.
        #[pin]
        deadline: Option<Sleep>,
        timeout: Duration,
        // Taken when the last frame is in.
        check: Option<Check>,
    }
}

/// A body that always has a next frame must leave the thread to others, and to its own deadline.
const FRAMES_AT_ONCE: usize = 64;

impl<B: RequestBody> Read<B> {
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<VerifiedEvent, Rejection>> {
        let mut this = self.project();
        let Some(check) = this.check else {
            return Poll::Pending;
        };
        for _ in 0..FRAMES_AT_ONCE {
            match this.body.as_mut().poll_frame(cx) {
                Poll::Ready(Some(Ok(frame))) => {
                    // Trailers are signed by nobody.
                    if let Ok(mut data) = frame.into_data() {
                        check.update(data.copy_to_bytes(data.remaining()))?;
                    }
                }
                Poll::Ready(Some(Err(error))) => {
                    let kind = broken(&*error.into());
                    return Poll::Ready(Err(check.reject(kind)));
                }
                Poll::Ready(None) => {
                    let event = this.check.take().map(Check::finish);
                    return event.map_or(Poll::Pending, Poll::Ready);
                }
                Poll::Pending => return poll_deadline(this.deadline, *this.timeout, check, cx),
            }
        }
        cx.waker().wake_by_ref();
        poll_deadline(this.deadline, *this.timeout, check, cx)
    }
}

/// Pending, until the body is too late.
fn poll_deadline<T>(
    mut deadline: Pin<&mut Option<Sleep>>,
    timeout: Duration,
    check: &Check,
    cx: &mut Context<'_>,
) -> Poll<Result<T, Rejection>> {
    if deadline.is_none() {
        deadline.set(Some(tokio::time::sleep(timeout)));
    }
    if let Some(deadline) = deadline.as_pin_mut() {
        // A body that uses up what the runtime lets a task do at once would keep the timer from ever being looked at.
        let late = Instant::now() >= deadline.deadline() || deadline.poll(cx).is_ready();
        if late {
            return Poll::Ready(Err(check.reject(RejectionKind::ReadTimeout)));
        }
    }
    Poll::Pending
}

/// A limit further out shows as an error somewhere down the chain of the body's own.
fn broken(error: &(dyn Error + 'static)) -> RejectionKind {
    let mut next = Some(error);
    while let Some(error) = next {
        if error.is::<LengthLimitError>() {
            return RejectionKind::BodyTooLarge;
        }
        next = error.source();
    }
    RejectionKind::BodyIncomplete
}

impl<S: fmt::Debug> fmt::Debug for WebhookVerify<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookVerify")
            .field("inner", &self.inner)
            .field("verifier", &self.verifier)
            .finish_non_exhaustive()
    }
}

impl<S: Service<Request<B>>, B> fmt::Debug for VerifyFuture<S, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifyFuture").finish_non_exhaustive()
    }
}
