//! [`DeliveryLayer`]: hands each delivery to the handler once.

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
    delivery::{
        observe,
        outcome::{DeliveryOutcome, OutagePolicy},
        route,
        run::{AlreadyClaimed, Begun, DeliveryOptions, Ended, begin, not_verified},
        seen::SeenIds,
        store::DeliveryStore,
        tasks::Tasks,
    },
    event::VerifiedEvent,
    rejection::Rejection,
    tower::body::ResponseBody,
};

/// As many as the memory store has room for.
const MAX_RUNNING: usize = 10_000;

/// Hands each delivery to the handler once. It goes inside the [`WebhookVerifyLayer`](crate::WebhookVerifyLayer).
///
/// A delivery is claimed before the handler is called. A 2xx completes it: every further attempt is answered with the
/// provider's success status, and the handler does not see it. Anything else releases it (another status, an error, a panic), so that the
/// next attempt is handled. While one request handles a delivery, others of it wait for a while, and are then answered 503 with
/// `Retry-After`.
///
/// **The handler runs in a task of its own** and goes on to its end when the sender hangs up: a retry then waits for it or finds the
/// delivery done, and never runs beside it. So put layers that bound the time or the number of handlers *inside* this one, or set
/// [`with_handler_timeout`](Self::with_handler_timeout) and [`with_max_running`](Self::with_max_running): a timeout outside answers the
/// sender and stops nothing. The task has the request's span and subscriber, and not its task-locals. A panic goes on in the request that
/// waits for the handler, or is logged. At shutdown, [`drain`](Self::drain) the layer.
///
/// What a handler spawns and does not await is not part of this. A 2xx counts when its head is there: a body that fails later changes
/// nothing.
///
/// Equal events that come to different routes are different deliveries. The route is the pattern of axum (feature `axum`) or actix-web
/// where there is one without a wildcard, else the path, normalised by RFC 3986. `GET`, `HEAD`, `OPTIONS` and `TRACE` are passed on, and
/// neither claim nor complete anything.
///
/// **Most schemes sign neither method nor path, so that whoever has captured a request may choose them**: sent as a `GET`, or to another
/// path of a service that has no routes, it reaches the handler again. Let only the method and the paths of the provider reach it.
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
///         // The first time it fails.
///         let first = HANDLED.fetch_add(1, Ordering::SeqCst) == 0;
///         let status = if first { StatusCode::BAD_GATEWAY } else { StatusCode::OK };
///         Ok::<_, std::convert::Infallible>(Response::builder().status(status).body(Full::<Bytes>::default()).unwrap())
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
/// | a claim is kept for, unless it is renewed, which happens at a third of it while the handler runs | 30 s | [`with_lease`](Self::with_lease) |
/// | another attempt waits for the one in progress | 5 s, or half of the provider's [time limit](crate::Provider::time_limit) if that is less | [`with_wait`](Self::with_wait) |
/// | a completed delivery is remembered for | the provider's [retry horizon](crate::Provider::retry_horizon) or its timestamp window, whichever is longer | [`with_lifetime`](Self::with_lifetime) |
/// | handlers at once | 10,000 | [`with_max_running`](Self::with_max_running) |
/// | a handler may run for | no limit | [`with_handler_timeout`](Self::with_handler_timeout) |
/// | an event while the store cannot be asked | 503 | [`with_outage_policy`](Self::with_outage_policy) |
///
/// It needs a tokio runtime with time enabled. Endpoints that share a store must have names, or equal events of two of them are one
/// delivery.
#[derive(Clone)]
pub struct DeliveryLayer {
    options: Arc<DeliveryOptions>,
}

impl DeliveryLayer {
    /// A shorter one would be renewed all the time.
    pub(crate) const SHORTEST_LEASE: Duration = Duration::from_millis(100);

    /// A layer that remembers deliveries in `store`.
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

    /// Sets for how long a claim is kept. It is renewed while the handler waits, and not while it blocks its thread: use
    /// `spawn_blocking` for work that takes long. A process that dies holds its deliveries up for so long; one that stands still for
    /// longer (a debugger, a machine that is moved) may see a delivery handled twice.
    ///
    /// # Panics
    ///
    /// If it is shorter than 100 ms: it would be renewed all the time, and run out in between.
    #[must_use]
    pub fn with_lease(mut self, lease: Duration) -> Self {
        assert!(
            lease >= Self::SHORTEST_LEASE,
            "the lease is {lease:?}; allow 100 ms at least"
        );
        self.change().lease = lease;
        self
    }

    /// Sets how long an attempt waits for another one that is in progress, for every provider. Choose less than the senders wait for an
    /// answer.
    #[must_use]
    pub fn with_wait(mut self, wait: Duration) -> Self {
        self.change().wait = Some(wait);
        self
    }

    /// Sets how many handlers may run at once, those among them whose senders have hung up. One more delivery is answered 503.
    ///
    /// # Panics
    ///
    /// If it is 0: no event would ever be handled.
    #[must_use]
    pub fn with_max_running(mut self, handlers: usize) -> Self {
        assert!(
            handlers > 0,
            "max_running is 0, so no event would ever be handled; allow one at least"
        );
        self.change().max_running = handlers;
        self
    }

    /// Sets how long a handler may run. One that takes longer is dropped at its `.await`, and its delivery is released, so that the next
    /// attempt is handled. What it gave to `spawn` or `spawn_blocking` goes on beside that attempt. The default is no limit.
    ///
    /// # Panics
    ///
    /// If it is zero: no event would ever be handled.
    #[must_use]
    pub fn with_handler_timeout(mut self, timeout: Duration) -> Self {
        assert!(
            !timeout.is_zero(),
            "handler_timeout is zero, so no event would ever be handled; allow more"
        );
        self.change().handler_timeout = Some(timeout);
        self
    }

    /// Sets for how long a completed delivery is remembered, for every provider, but not for less than its timestamp window. An attempt
    /// after that is handled again.
    ///
    /// # Panics
    ///
    /// If it is zero: nothing would be remembered.
    #[must_use]
    pub fn with_lifetime(mut self, lifetime: Duration) -> Self {
        assert!(
            !lifetime.is_zero(),
            "lifetime is zero, so no delivery would be remembered; allow more"
        );
        self.change().lifetime = Some(lifetime);
        self
    }

    /// Sets what happens to events while the store cannot be asked.
    #[must_use]
    pub fn with_outage_policy(mut self, policy: OutagePolicy) -> Self {
        self.change().outage_policy = policy;
        self
    }

    /// Sets a hook that sees how each delivery ended: to count it.
    #[must_use]
    pub fn on_delivery(
        mut self,
        hook: impl Fn(&VerifiedEvent, DeliveryOutcome) + Send + Sync + 'static,
    ) -> Self {
        self.change().on_delivery = Some(Arc::new(hook));
        self
    }

    /// The store: to [`forget`](DeliveryStore::forget) a delivery that is to be handled again.
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
    /// use tower_webhook::delivery::{DeliveryLayer, DeliveryStore, MemoryStore};
    ///
    /// let layer = DeliveryLayer::new(MemoryStore::new());
    /// // The key of the event, the log or the span.
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

    /// How many handlers of this layer and its clones are running, or still telling the store how they ended. The senders of some may
    /// have hung up.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.options.tasks.running()
    }

    /// Waits until no handler of this layer and its clones is running, at most for `deadline`, and returns how many still are. Call it
    /// at shutdown, when the server takes no more requests: a server that has ended knows nothing of handlers whose senders have
    /// hung up. On actix-web, call it between `ServerHandle::pause` and `ServerHandle::stop`, since workers that stop drop their tasks. What is still running when the process ends is handled again when it is sent again, once its lease has run out.
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
    pub(crate) fn options(&self) -> Arc<DeliveryOptions> {
        Arc::clone(&self.options)
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

/// The service that [`DeliveryLayer`] makes.
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
        // The clone was never polled ready; the service that was is the one to call.
        let clone = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, clone);
        let options = Arc::clone(&self.options);
        let Some(event) = request.extensions().get::<VerifiedEvent>().cloned() else {
            let rejection = not_verified();
            return ResponseFuture::new(async move { Ok(refused(None, &rejection)) });
        };
        // Such a request changes nothing, and its answer does not say what became of an event.
        if request.method().is_safe() {
            return ResponseFuture::new(inner.call(request));
        }
        if request.extensions_mut().insert(AlreadyClaimed).is_some() {
            observe::claimed_twice(&event);
            return ResponseFuture::new(inner.call(request));
        }
        observe::came_to(&event, request.uri().path());
        let route = route::of(request.extensions(), request.uri().path()).into_owned();
        ResponseFuture::new(async move {
            match begin(&options, &event, &route).await {
                Begun::Handle(delivery) => {
                    let (task, answer) = delivery.run(inner.call(request), Response::status);
                    tokio::spawn(task);
                    match answer.await {
                        Ended::Answered(response) => response,
                        Ended::Aborted(rejection) => Ok(refused(Some(&event), &rejection)),
                    }
                }
                Begun::Before(status) => Ok(answer(status)),
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

/// The answer to a refused delivery, which is logged.
fn refused<R: Default>(event: Option<&VerifiedEvent>, rejection: &Rejection) -> Response<R> {
    crate::observe::refused(event.map(|event| &**event.shared()), rejection);
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
