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
    deliver::{Delivered, Setup, deliver},
};
use crate::{Rejection, VerifiedEvent, middleware::ResponseBody, observe};

/// Marks a request whose delivery a layer further out has claimed: a second claim would wait for the first for ever.
#[derive(Clone)]
pub(crate) struct Claimed;

/// A shorter one would be renewed all the time.
const SHORTEST_LEASE: Duration = Duration::from_millis(100);

/// Hands each delivery to the handler once. It goes inside the [`WebhookVerifyLayer`](crate::WebhookVerifyLayer).
///
/// A delivery is claimed before the handler is called. A 2xx completes it: every further attempt is answered with the
/// provider's success status, and the handler does not see it. Anything else releases it (another status, an error, a panic, a
/// client that went away), so that the next attempt is handled. While one request handles a delivery, others of it wait for a
/// while, and are then answered 503 with `Retry-After`.
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
/// | another attempt waits for the one in progress | 5 s | [`with_wait`](Self::with_wait) |
/// | a completed delivery is remembered for | the provider's [retry horizon](crate::Provider::retry_horizon) or its timestamp window, whichever is longer | [`with_lifetime`](Self::with_lifetime) |
/// | an event while the store cannot be asked | 503 | [`with_on_outage`](Self::with_on_outage) |
///
/// It needs a tokio runtime with time enabled. Endpoints that share a store must have names, or equal events of two of them are one
/// delivery.
#[derive(Clone)]
pub struct DeliveryLayer {
    setup: Arc<Setup>,
}

impl DeliveryLayer {
    /// A layer that remembers deliveries in `store`.
    #[must_use]
    pub fn new(store: impl DeliveryStore + 'static) -> Self {
        let setup = Setup {
            store: Arc::new(store),
            lease: Duration::from_secs(30),
            wait: Duration::from_secs(5),
            lifetime: None,
            on_outage: OnOutage::Refuse,
            on_delivery: None,
        };
        Self {
            setup: Arc::new(setup),
        }
    }

    /// Sets for how long a claim is kept. It is renewed while the handler waits, and not while it blocks its thread: use
    /// `spawn_blocking` for work that takes long. A process that dies holds its deliveries up for so long; one that stands still for
    /// longer (a debugger, a machine that is moved) may see a delivery handled twice. It is 100 ms at least.
    #[must_use]
    pub fn with_lease(mut self, lease: Duration) -> Self {
        self.change().lease = lease.max(SHORTEST_LEASE);
        self
    }

    /// Sets how long an attempt waits for another one that is in progress.
    #[must_use]
    pub fn with_wait(mut self, wait: Duration) -> Self {
        self.change().wait = wait;
        self
    }

    /// Sets for how long a completed delivery is remembered, whatever the provider. An attempt after that is handled again.
    #[must_use]
    pub fn with_lifetime(mut self, lifetime: Duration) -> Self {
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
    R: ResponseBody + Send,
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
        let event = request.extensions().get::<VerifiedEvent>().cloned();
        let outer = request.extensions_mut().insert(Claimed);
        Box::pin(async move {
            let Some(event) = event else {
                return Ok(Rejection::not_verified_before_delivery().into_response());
            };
            if outer.is_some() {
                observe::claimed_twice(&event);
                return inner.call(request).await;
            }
            let handle = || inner.call(request);
            match deliver(&setup, &event, handle, Response::status).await {
                Delivered::Handled(response) => response,
                Delivered::Before(status) => Ok(answer(status)),
                Delivered::Refused(rejection) => Ok(rejection.into_response()),
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
