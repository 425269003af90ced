//! [`WebhookVerify`] and its future: verify, insert the event, call the service that was ready.

use std::{
    fmt, mem,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::{Request, Response, request};
use pin_project_lite::pin_project;
use tower_service::Service;

use crate::{
    Rejection, VerifiedEvent,
    body::{RequestBody, ResponseBody},
    head::Head,
    near::{Near, PerThread},
    observe::{self, Trace},
    verification::{Step, Verification, refuse},
};

/// The service that [`WebhookVerifyLayer`](crate::WebhookVerifyLayer) makes.
#[derive(Clone)]
pub struct WebhookVerify<S> {
    inner: S,
    verifiers: Arc<PerThread>,
}

impl<S> WebhookVerify<S> {
    pub(crate) fn new(inner: S, verifiers: Arc<PerThread>) -> Self {
        Self { inner, verifiers }
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
        let shared = self.verifiers.get().shared();
        let trace = Trace::new(shared);
        let (head, body) = request.into_parts();
        let begun = {
            let _entered = trace.enter();
            observe::arrived(head.extensions.get());
            Step::first(shared, &Head::of(&head), &body)
        };
        let state = match begun {
            Err(rejection) => State::Refused { rejection },
            Ok(step) => {
                // The clone was never polled ready; the service that was is the one to call.
                let clone = self.inner.clone();
                State::Verifying {
                    verification: Verification::new(shared, step, body),
                    next: Some((head, mem::replace(&mut self.inner, clone))),
                }
            }
        };
        VerifyFuture { state, trace }
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
        trace: Trace,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<S, B, F> {
        Verifying {
            #[pin]
            verification: Verification<B>,
            next: Option<(request::Parts, S)>,
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

impl<S, B, R> Future for VerifyFuture<S, B>
where
    S: Service<Request<B>, Response = Response<R>>,
    B: RequestBody,
    R: ResponseBody,
{
    type Output = Result<Response<R>, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let _entered = this.trace.enter();
        loop {
            let next = match this.state.as_mut().project() {
                StateProjection::Verifying { verification, next } => {
                    let verified = ready!(verification.poll(cx));
                    match (verified, next.take()) {
                        (Ok(event), Some((head, mut ready))) => {
                            observe::verified(this.trace, &event);
                            let shared = event.shared();
                            let watch = shared.watches_answers().then(|| Arc::clone(shared));
                            let future = ready.call(rebuild(head, event));
                            State::Calling { future, watch }
                        }
                        (Err(rejection), _) => State::Refused { rejection },
                        (Ok(_), None) => return Poll::Pending,
                    }
                }
                StateProjection::Calling { future, watch } => {
                    let mut response = ready!(future.poll(cx))?;
                    if let Some(shared) = watch {
                        *response.status_mut() = shared.answer(response.status());
                    }
                    return Poll::Ready(Ok(response));
                }
                StateProjection::Refused { rejection } => {
                    let response = refuse(rejection, this.trace);
                    return Poll::Ready(Ok(response.map(|()| R::default())));
                }
            };
            this.state.set(next);
        }
    }
}

/// The request as the handler gets it: the verified bytes and the event.
fn rebuild<B: From<Bytes>>(head: request::Parts, event: VerifiedEvent) -> Request<B> {
    let mut request = Request::from_parts(head, B::from(event.raw_body().clone()));
    request.extensions_mut().insert(event);
    request
}

impl<S: fmt::Debug> fmt::Debug for WebhookVerify<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookVerify")
            .field("inner", &self.inner)
            .field("verifier", self.verifiers.get())
            .finish_non_exhaustive()
    }
}

impl<S: Service<Request<B>>, B> fmt::Debug for VerifyFuture<S, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifyFuture").finish_non_exhaustive()
    }
}
