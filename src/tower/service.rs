//! [`WebhookVerify`] and its future: verify, insert the event, call the service that was ready.

use std::{
    fmt, mem,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use http::{Request, Response, request};
use pin_project_lite::pin_project;
use tower_service::Service;

use crate::{
    endpoint::Endpoint,
    event::handshake::HandshakeEvent,
    head::Head,
    observe::{self, Trace},
    rejection::Rejection,
    tower::{
        body::{RequestBody, ResponseBody},
        options::LayerOptions,
    },
    verify::future::{Refusal, Verification},
};

/// The service of [`WebhookVerifyLayer`](crate::WebhookVerifyLayer).
#[derive(Clone)]
pub struct WebhookVerify<S> {
    inner: S,
    options: Arc<LayerOptions>,
}

impl<S> WebhookVerify<S> {
    pub(crate) fn new(inner: S, options: Arc<LayerOptions>) -> Self {
        Self { inner, options }
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
    type Future = ResponseFuture<S, B>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (head, body) = request.into_parts();
        let seen = Head::from(&head);
        let trace = Trace::new(&self.options.endpoints, &seen);
        let options = Arc::clone(&self.options);
        let handed_over = head.extensions.get::<HandshakeEvent>();
        if handed_over.is_some_and(|event| self.options.is_of(event.shared())) {
            let clone = self.inner.clone();
            let mut inner = mem::replace(&mut self.inner, clone);
            return ResponseFuture {
                state: State::Calling {
                    future: inner.call(Request::from_parts(head, body)),
                    endpoint: None,
                },
                options,
                trace,
            };
        }
        let begun = {
            let _entered = trace.enter();
            observe::arrived(head.extensions.get());
            self.options.begin(&seen, body.size_hint().lower())
        };
        match begun {
            Err(rejection) => {
                options.capture(&rejection, &seen, None);
                ResponseFuture {
                    state: State::Refused { rejection },
                    options,
                    trace,
                }
            }
            Ok(step) => {
                // A clone was never polled ready; the service that was is the one to call.
                let clone = self.inner.clone();
                let inner = mem::replace(&mut self.inner, clone);
                ResponseFuture {
                    state: State::Verifying {
                        verification: options.verification(step, body),
                        next: Some((head, inner)),
                    },
                    options,
                    trace,
                }
            }
        }
    }
}

pin_project! {
    /// The future of [`WebhookVerify`].
    pub struct ResponseFuture<S, B>
    where
        S: Service<Request<B>>,
    {
        #[pin]
        state: State<S, B, S::Future>,
        options: Arc<LayerOptions>,
        trace: Trace,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<S, B, F> {
        Verifying {
            #[pin]
            verification: Verification<B>,
            // Taken when the request is verified.
            next: Option<(request::Parts, S)>,
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

impl<S, B, R> Future for ResponseFuture<S, B>
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
                    match ready!(verification.poll(cx)) {
                        // The handler gets the bytes that were checked, and the event, or else the
                        // rejection.
                        Ok(event) => {
                            observe::verified(this.trace, &event);
                            let endpoint = Some(Arc::clone(event.shared()));
                            let body = event.body().clone();
                            // In place, so that the head is moved once.
                            if let Some((head, _)) = next {
                                head.extensions.insert(event);
                            }
                            let Some((head, mut service)) = next.take() else {
                                unreachable!("a request is verified once");
                            };
                            let future = service.call(Request::from_parts(head, body.into()));
                            State::Calling { future, endpoint }
                        }
                        Err(Refusal {
                            rejection,
                            passed_on,
                            read,
                        }) => {
                            let Some((mut head, mut service)) = next.take() else {
                                unreachable!("a request is refused once");
                            };
                            let seen = Head::from(&head);
                            let rejection = this.options.about(rejection, &seen);
                            this.options.capture(&rejection, &seen, read.as_ref());
                            match passed_on {
                                None => State::Refused { rejection },
                                Some(body) => {
                                    this.options.passed_on(&rejection, this.trace);
                                    head.extensions.insert(rejection);
                                    let request = Request::from_parts(head, body.into());
                                    State::Calling {
                                        future: service.call(request),
                                        endpoint: None,
                                    }
                                }
                            }
                        }
                    }
                }
                StateProjection::Calling { future, endpoint } => {
                    let mut response = ready!(future.poll(cx))?;
                    let status =
                        this.options
                            .answer(endpoint.as_ref(), response.status(), this.trace);
                    *response.status_mut() = status;
                    return Poll::Ready(Ok(response));
                }
                StateProjection::Refused { rejection } => {
                    let response = this.options.refuse(rejection, this.trace);
                    return Poll::Ready(Ok(response.map(|()| R::default())));
                }
            };
            this.state.set(next);
        }
    }
}

impl<S: fmt::Debug> fmt::Debug for WebhookVerify<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookVerify")
            .field("inner", &self.inner)
            .field("verifier", &self.options.verifier)
            .finish_non_exhaustive()
    }
}

impl<S: Service<Request<B>>, B> fmt::Debug for ResponseFuture<S, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
