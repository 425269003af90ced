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

use super::{
    DeliveryOutcome, DeliveryStore, OnOutage,
    deliver::{Begun, Ended, Setup, begin},
    route,
    seen::SeenIds,
    tasks::Tasks,
};
use crate::{Rejection, VerifiedEvent, middleware::ResponseBody, observe};

/// Marks a request whose delivery a layer further out has claimed: a second claim would wait for the first for ever.
#[derive(Clone)]
pub(crate) struct Claimed;

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
/// | an event while the store cannot be asked | 503 | [`with_on_outage`](Self::with_on_outage) |
///
/// It needs a tokio runtime with time enabled. Endpoints that share a store must have names, or equal events of two of them are one
/// delivery.
#[derive(Clone)]
pub struct DeliveryLayer {
    setup: Arc<Setup>,
}

impl DeliveryLayer {
    /// A shorter one would be renewed all the time.
    pub(crate) const SHORTEST_LEASE: Duration = Duration::from_millis(100);

    /// A layer that remembers deliveries in `store`.
    #[must_use]
    pub fn new(store: impl DeliveryStore + 'static) -> Self {
        let setup = Setup {
            store: Arc::new(store),
            lease: Duration::from_secs(30),
            wait: None,
            lifetime: None,
            max_running: MAX_RUNNING,
            handler_timeout: None,
            on_outage: OnOutage::Refuse,
            on_delivery: None,
            tasks: Arc::new(Tasks::default()),
            seen: Arc::new(SeenIds::default()),
        };
        Self {
            setup: Arc::new(setup),
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
    pub fn with_on_outage(mut self, policy: OnOutage) -> Self {
        self.change().on_outage = policy;
        self
    }

    /// Sets a hook that sees how each delivery ended: to count it.
    #[must_use]
    pub fn with_on_delivery(
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
        Arc::clone(&self.setup.store)
    }

    /// How many handlers of this layer and its clones are running, or still telling the store how they ended. The senders of some may
    /// have hung up.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.setup.tasks.running()
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
        self.setup.tasks.drain(deadline).await
    }

    #[cfg(feature = "actix")]
    pub(crate) fn setup(&self) -> Arc<Setup> {
        Arc::clone(&self.setup)
    }

    fn change(&mut self) -> &mut Setup {
        Arc::make_mut(&mut self.setup)
    }
}

impl<S> Layer<S> for DeliveryLayer {
    type Service = Deliver<S>;

    fn layer(&self, inner: S) -> Deliver<S> {
        Deliver {
            inner,
            setup: Arc::clone(&self.setup),
        }
    }
}

/// The service that [`DeliveryLayer`] makes.
#[derive(Clone)]
pub struct Deliver<S> {
    inner: S,
    setup: Arc<Setup>,
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
    type Future = Pin<Box<dyn Future<Output = Result<Response<R>, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        // The clone was never polled ready; the service that was is the one to call.
        let clone = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, clone);
        let setup = Arc::clone(&self.setup);
        let Some(event) = request.extensions().get::<VerifiedEvent>().cloned() else {
            let rejection = Rejection::not_verified_before_delivery();
            return Box::pin(async { Ok(rejection.into_response()) });
        };
        // Such a request changes nothing, and its answer does not say what became of an event.
        if request.method().is_safe() {
            return Box::pin(async move { inner.call(request).await });
        }
        if request.extensions_mut().insert(Claimed).is_some() {
            observe::claimed_twice(&event);
            return Box::pin(async move { inner.call(request).await });
        }
        observe::came_to(&event, request.uri().path());
        let route = route::of(request.extensions(), request.uri().path()).into_owned();
        Box::pin(async move {
            match begin(&setup, &event, &route).await {
                Begun::Handle(delivery) => {
                    let (task, answer) = delivery.run(inner.call(request), Response::status);
                    tokio::spawn(task);
                    match answer.await {
                        Ended::Answered(response) => response,
                        Ended::Aborted(rejection) => Ok(rejection.into_response()),
                    }
                }
                Begun::Before(status) => Ok(answer(status)),
                Begun::Refused(rejection) => Ok(rejection.into_response()),
            }
        })
    }
}

fn answer<R: Default>(status: StatusCode) -> Response<R> {
    let mut response = Response::new(R::default());
    *response.status_mut() = status;
    response
}

impl fmt::Debug for DeliveryLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.setup.fmt("DeliveryLayer", f)
    }
}

impl<S: fmt::Debug> fmt::Debug for Deliver<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.setup.fmt("Deliver", f)
    }
}
