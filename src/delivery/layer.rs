//! [`DeliveryLayer`]: deduplicates deliveries.

use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use http::{Request, Response, StatusCode};
use tower_layer::Layer;
use tower_service::Service;

use crate::{
    challenge::read::{Found, in_body},
    delivery::{
        observe,
        options::DeliveryOptions,
        outcome::{DeliveryOutcome, OutagePolicy},
        refusal::not_verified,
        route,
        run::{AlreadyClaimed, Begun, HandlerEnd, begin},
        seen::SeenIds,
        store::DeliveryStore,
        tasks::Tasks,
    },
    delivery_key::DeduplicateBy,
    event::{VerifiedEvent, handshake::HandshakeEvent},
    observe::refused_event,
    provider::AnswerRead,
    rejection::Rejection,
    tower::body::ResponseBody,
};

/// The default capacity of [`MemoryStore`](crate::delivery::MemoryStore) for claims.
const MAX_RUNNING: usize = 10_000;

/// Deduplicates deliveries: once a delivery was handled successfully, it is not handled again.
/// Place it inside the [`WebhookVerifyLayer`](crate::WebhookVerifyLayer).
///
/// A delivery is claimed before the handler is called. A 2xx response completes it: every further
/// attempt receives the provider's success status and does not reach the handler. Any other result
/// (another status, an error, a panic) releases it, so that the next attempt is handled. While one
/// request handles a delivery, concurrent attempts wait for a bounded time and then receive 503
/// with `Retry-After`.
///
/// **The handler runs in its own task** and continues to completion if the sender hangs up. A retry
/// waits for it or finds the delivery done, and never runs concurrently with it. Place layers that
/// limit the duration or the number of handlers *inside* this layer, or set
/// [`with_handler_timeout`](Self::with_handler_timeout) and
/// [`with_max_running`](Self::with_max_running): a timeout outside this layer answers the sender
/// but does not stop the handler. The task has the request's span and subscriber, but not its
/// task-locals. A panic is propagated to the request that waits for the handler, or logged if none
/// does. At shutdown, [`drain`](Self::drain) the layer.
///
/// Tasks that a handler spawns without awaiting them are not covered. A 2xx counts as soon as the
/// head of the response is ready: an error in the response body has no effect on the delivery.
///
/// Some senders read the answer, such as Slack of a command and Discord of an interaction; the
/// documentation of the provider says so. Their requests are handled again when they are sent
/// again, unless the endpoint sets what [identifies a
/// delivery](crate::Provider::with_deduplicate_by).
///
/// Equal events on different routes are different deliveries. The route is the pattern that axum
/// (feature `axum`) or actix-web matched, if there is one without a wildcard; otherwise it is the
/// path, normalised as in RFC 3986. `GET`, `HEAD`, `OPTIONS` and `TRACE` requests are passed
/// through, and neither claim nor complete anything.
///
/// **Most schemes sign neither the method nor the path, so anyone who has captured a request can
/// choose both.** Replayed as a `GET`, or to another path of a service without routes, it reaches
/// the handler again. Route only the provider's method and paths to the handler.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
/// use std::sync::atomic::{AtomicUsize, Ordering};
/// use bytes::Bytes;
/// use http::{Request, Response, StatusCode};
/// use http_body_util::Full;
/// use tower::{ServiceBuilder, ServiceExt};
/// use tower_webhook::{Secret, Signer, Verifier, WebhookVerifyLayer, providers::stripe};
/// use tower_webhook::delivery::{DeliveryLayer, MemoryStore};
///
/// static HANDLED: AtomicUsize = AtomicUsize::new(0);
/// let secret = Secret::new("whsec_a-secret-of-stripe");
/// let verifier = Verifier::new(stripe(), secret.clone())?.with_endpoint("payments");
/// let service = ServiceBuilder::new()
///     .layer(WebhookVerifyLayer::new(verifier))
///     .layer(DeliveryLayer::new(MemoryStore::new()))
///     .service_fn(|_: Request<Full<Bytes>>| async {
///         // The first attempt fails.
///         let first = HANDLED.fetch_add(1, Ordering::SeqCst) == 0;
///         let status = if first { StatusCode::BAD_GATEWAY } else { StatusCode::OK };
///         let response = Response::builder().status(status).body(Full::<Bytes>::default());
///         Ok::<_, std::convert::Infallible>(response.unwrap())
///     });
///
/// let signer = Signer::new(stripe(), secret)?;
/// for expected in [502, 200, 200, 200] {
///     let request = signer.sign(Request::post("/"), r#"{"id":"evt_1"}"#)?.map(Full::from);
///     let response = service.clone().oneshot(request).await?;
///     assert_eq!(response.status().as_u16(), expected);
/// }
/// assert_eq!(HANDLED.load(Ordering::SeqCst), 2);
/// # Ok(()) })
/// # }
/// ```
///
/// | | default | set by |
/// | --- | --- | --- |
/// | lease of a claim; renewed at every third of it while the handler runs | 30 s | [`with_lease`](Self::with_lease) |
/// | how long another attempt waits for the one in progress | 5 s, or half of the provider's [time limit](crate::Provider::time_limit) if that is less | [`with_wait`](Self::with_wait) |
/// | how long a completed delivery is remembered | the provider's [retry horizon](crate::Provider::retry_horizon) or its timestamp window, whichever is longer | [`with_lifetime`](Self::with_lifetime) |
/// | concurrent handlers | 10,000 | [`with_max_running`](Self::with_max_running) |
/// | duration of a handler | unlimited | [`with_handler_timeout`](Self::with_handler_timeout) |
/// | response while the store is unavailable | 503 | [`with_outage_policy`](Self::with_outage_policy) |
///
/// Requires a tokio runtime with time enabled. Endpoints that share a store must be named;
/// otherwise equal events of two endpoints count as one delivery.
#[derive(Clone)]
pub struct DeliveryLayer {
    options: Arc<DeliveryOptions>,
}

impl DeliveryLayer {
    /// A shorter lease would be renewed constantly.
    pub(crate) const SHORTEST_LEASE: Duration = Duration::from_millis(100);

    /// Creates a layer that remembers deliveries in `store`.
    #[must_use]
    pub fn new(store: impl DeliveryStore + 'static) -> Self {
        let options = DeliveryOptions {
            store: Arc::new(store),
            lease: Duration::from_secs(30),
            wait: None,
            lifetime: None,
            max_running: MAX_RUNNING,
            handler_timeout: None,
            outage_policy: OutagePolicy::Refuse,
            on_delivery: None,
            tasks: Arc::new(Tasks::default()),
            seen: Arc::new(SeenIds::default()),
        };
        Self {
            options: Arc::new(options),
        }
    }

    /// Sets how long a claim lasts unless it is renewed.
    ///
    /// It is renewed while the handler awaits, but not while the handler blocks its thread: use
    /// `spawn_blocking` for long blocking work. A process that dies blocks its deliveries for up to
    /// this long. If a process is suspended for longer (a debugger, a migrated virtual machine), a
    /// delivery may be handled twice.
    ///
    /// # Panics
    ///
    /// If the lease is shorter than 100 ms: it would be renewed constantly and still expire in
    /// between.
    #[must_use]
    pub fn with_lease(mut self, lease: Duration) -> Self {
        assert!(
            lease >= Self::SHORTEST_LEASE,
            "the lease is {lease:?}; set at least 100 ms"
        );
        self.change().lease = lease;
        self
    }

    /// Sets how long an attempt waits for another attempt that is in progress, for every provider.
    /// Choose less time than senders wait for a response.
    #[must_use]
    pub fn with_wait(mut self, wait: Duration) -> Self {
        self.change().wait = Some(wait);
        self
    }

    /// Sets the maximum number of concurrent handlers, including those whose senders have hung up.
    /// Deliveries beyond it receive 503.
    ///
    /// # Panics
    ///
    /// If it is 0, because no event would ever be handled.
    #[must_use]
    pub fn with_max_running(mut self, handlers: usize) -> Self {
        assert!(
            handlers > 0,
            "max_running is 0, so no event would ever be handled; set at least 1"
        );
        self.change().max_running = handlers;
        self
    }

    /// Sets the maximum duration of a handler. A handler that exceeds it is dropped at its
    /// `.await`, and its delivery is released, so that the next attempt is handled. Work that it
    /// passed to `spawn` or `spawn_blocking` continues concurrently with that attempt. The default
    /// is no limit.
    ///
    /// # Panics
    ///
    /// If it is zero, because no event would ever be handled.
    #[must_use]
    pub fn with_handler_timeout(mut self, timeout: Duration) -> Self {
        assert!(
            !timeout.is_zero(),
            "handler_timeout is zero, so no event would ever be handled; set a longer one"
        );
        self.change().handler_timeout = Some(timeout);
        self
    }

    /// Sets how long a completed delivery is remembered, for every provider. It is never less than
    /// the provider's timestamp window. A later attempt is handled again.
    ///
    /// # Panics
    ///
    /// If it is zero, because nothing would be remembered.
    #[must_use]
    pub fn with_lifetime(mut self, lifetime: Duration) -> Self {
        assert!(
            !lifetime.is_zero(),
            "lifetime is zero, so no delivery would be remembered; set a longer one"
        );
        self.change().lifetime = Some(lifetime);
        self
    }

    /// Sets what happens to events while the store is unavailable.
    #[must_use]
    pub fn with_outage_policy(mut self, policy: OutagePolicy) -> Self {
        self.change().outage_policy = policy;
        self
    }

    /// Sets a hook that is called with the outcome of each delivery, for example to count it.
    #[must_use]
    pub fn on_delivery(
        mut self,
        hook: impl Fn(&VerifiedEvent, DeliveryOutcome) + Send + Sync + 'static,
    ) -> Self {
        self.change().on_delivery = Some(Arc::new(hook));
        self
    }

    /// The store, for example to [`forget`](DeliveryStore::forget) a delivery so that it is handled
    /// again.
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
    /// use tower_webhook::delivery::{DeliveryLayer, DeliveryStore, MemoryStore};
    ///
    /// let layer = DeliveryLayer::new(MemoryStore::new());
    /// // The key that the event, the log and the span show.
    /// let key = "5e".repeat(32).parse()?;
    /// assert!(!layer.store().forget(key).await?);
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn store(&self) -> Arc<dyn DeliveryStore> {
        Arc::clone(&self.options.store)
    }

    /// The number of handlers of this layer and its clones that are running or whose outcome is
    /// still being stored. It includes handlers whose senders have hung up.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.options.tasks.running()
    }

    /// Waits until no handler of this layer and its clones is running, for at most `deadline`.
    /// Returns how many are still running.
    ///
    /// Call it at shutdown, once the server accepts no more requests: a server that has shut down
    /// does not wait for handlers whose senders have hung up. On actix-web, call it between
    /// `ServerHandle::pause` and `ServerHandle::stop`, because workers that stop drop their tasks.
    /// A delivery whose handler is still running when the process exits is handled again once its
    /// lease has expired and the sender retries.
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
    /// use std::time::Duration;
    /// use tower_webhook::delivery::{DeliveryLayer, MemoryStore};
    ///
    /// let layer = DeliveryLayer::new(MemoryStore::new());
    /// // axum::serve(listener, app).with_graceful_shutdown(signal).await?;
    /// assert_eq!(layer.drain(Duration::from_secs(20)).await, 0);
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    pub async fn drain(&self, deadline: Duration) -> usize {
        self.options.tasks.drain(deadline).await
    }

    #[cfg(feature = "actix")]
    pub(crate) fn options(&self) -> &Arc<DeliveryOptions> {
        &self.options
    }

    fn change(&mut self) -> &mut DeliveryOptions {
        Arc::make_mut(&mut self.options)
    }
}

impl<S> Layer<S> for DeliveryLayer {
    type Service = Deliver<S>;

    fn layer(&self, inner: S) -> Deliver<S> {
        Deliver {
            inner,
            options: Arc::clone(&self.options),
        }
    }
}

/// The service that [`DeliveryLayer`] creates.
#[derive(Clone)]
pub struct Deliver<S> {
    inner: S,
    options: Arc<DeliveryOptions>,
}

impl<S, B, R> Service<Request<B>> for Deliver<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Send,
    B: Send + 'static,
    R: ResponseBody + Send + 'static,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = ResponseFuture<R, S::Error>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        // The clone was never polled ready, so call the service that was.
        let clone = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, clone);
        let options = Arc::clone(&self.options);
        let Some(event) = request.extensions().get::<VerifiedEvent>().cloned() else {
            // A layer that only logs has passed the request on, or it is a handshake.
            let extensions = request.extensions();
            if extensions.get::<Rejection>().is_some()
                || extensions.get::<HandshakeEvent>().is_some()
            {
                return ResponseFuture::new(inner.call(request));
            }
            let rejection = not_verified();
            return ResponseFuture::new(async move { Ok(refused(None, &rejection)) });
        };
        // A safe method must not complete a delivery, because its response says nothing about the
        // event.
        if request.method().is_safe() {
            return ResponseFuture::new(inner.call(request));
        }
        if is_passed_by(&event) {
            return ResponseFuture::new(inner.call(request));
        }
        if request.extensions_mut().insert(AlreadyClaimed).is_some() {
            observe::claimed_twice(&event);
            return ResponseFuture::new(inner.call(request));
        }
        observe::arrived_at(&event, request.uri().path());
        let route = route::of(request.extensions(), request.uri().path()).into_owned();
        ResponseFuture::new(async move {
            match begin(&options, &event, &route).await {
                Begun::Handle(delivery) => {
                    let (task, answer) = delivery.run(inner.call(request), Response::status);
                    tokio::spawn(task);
                    match answer.await {
                        HandlerEnd::Answered(response) => response,
                        HandlerEnd::Aborted(rejection) => Ok(refused(Some(&event), &rejection)),
                    }
                }
                Begun::AlreadyHandled(status) => Ok(answer(status)),
                Begun::Refused(rejection) => Ok(refused(Some(&event), &rejection)),
            }
        })
    }
}

/// The future of [`Deliver`].
pub struct ResponseFuture<R, E> {
    future: Pin<Box<dyn Future<Output = Result<Response<R>, E>> + Send>>,
}

impl<R, E> ResponseFuture<R, E> {
    fn new(future: impl Future<Output = Result<Response<R>, E>> + Send + 'static) -> Self {
        Self {
            future: Box::pin(future),
        }
    }
}

impl<R, E> Future for ResponseFuture<R, E> {
    type Output = Result<Response<R>, E>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.future.as_mut().poll(cx)
    }
}

impl<R, E> fmt::Debug for ResponseFuture<R, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}

/// Whether an event is handled each time it comes: a repetition cannot be told from another event,
/// or its sender reads the answer, which has to be the handler's. The endpoint may ask for
/// deduplication all the same.
pub(crate) fn is_passed_by(event: &VerifiedEvent) -> bool {
    let provider = &event.shared().provider;
    let by_default = || {
        let is_read = match provider.answer_read() {
            AnswerRead::Never => false,
            AnswerRead::Always => true,
            AnswerRead::Unless(at) => in_body(event.body(), at) == Found::Nothing,
        };
        is_read || (provider.has_alike_bodies() && event.delivery_id().is_none())
    };
    match provider.deduplicate_by() {
        DeduplicateBy::Auto => by_default() || event.is_nameless(),
        DeduplicateBy::Id => event.is_nameless(),
        _ => false,
    }
}

/// Logs the rejection and converts it to a response.
fn refused<R: Default>(event: Option<&VerifiedEvent>, rejection: &Rejection) -> Response<R> {
    refused_event(event, rejection);
    rejection.to_response().map(|()| R::default())
}

fn answer<R: Default>(status: StatusCode) -> Response<R> {
    let mut response = Response::new(R::default());
    *response.status_mut() = status;
    response
}

impl fmt::Debug for DeliveryLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.options.fmt("DeliveryLayer", f)
    }
}

impl<S: fmt::Debug> fmt::Debug for Deliver<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.options.fmt("Deliver", f)
    }
}
