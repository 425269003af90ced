//! [`WebhookVerifyLayer`] and its options.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, SystemTime},
};

use http::Response;
use tower_layer::Layer;

use crate::{
    Rejection, Verifier, lookup::SecretSource, near::PerThread, observe, service::WebhookVerify,
    shared::Shared,
};

/// Lets only requests through that come from the provider, and puts a [`VerifiedEvent`](crate::VerifiedEvent)
/// into their extensions.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
/// use http::{Request, Response, StatusCode};
/// use http_body_util::Full;
/// use bytes::Bytes;
/// use tower::{ServiceBuilder, ServiceExt};
/// use tower_webhook::{Secret, Signer, Verifier, VerifiedEvent, WebhookVerifyLayer, providers};
///
/// let secret = Secret::new("It's a Secret to Everybody");
/// let verifier = Verifier::new(providers::github(), secret.clone())?;
/// let service = ServiceBuilder::new()
///     .layer(WebhookVerifyLayer::new(verifier))
///     .service_fn(|request: Request<Full<Bytes>>| async move {
///         let event = VerifiedEvent::<serde_json::Value>::from_extensions(request.extensions()).unwrap();
///         assert_eq!(event.payload()["zen"], "Keep it logically awesome.");
///         Ok::<_, std::convert::Infallible>(Response::new(Full::<Bytes>::default()))
///     });
///
/// let body = r#"{"zen":"Keep it logically awesome."}"#;
/// let signed = Signer::new(providers::github(), secret)?.sign(Request::post("/"), body)?;
/// let response = service.clone().oneshot(signed.map(Full::from)).await?;
/// assert_eq!(response.status(), StatusCode::OK);
///
/// let forged = Request::post("/").body(Full::from(body))?;
/// assert_eq!(service.oneshot(forged).await?.status(), StatusCode::UNAUTHORIZED);
/// # Ok(()) })
/// # }
/// ```
///
/// The body that is passed on is the one that was verified, complete and in one frame; trailers are dropped.
/// Reading it needs a tokio runtime with time enabled.
#[derive(Clone)]
pub struct WebhookVerifyLayer {
    // Made here and not with the service: axum may ask for one for each request.
    verifiers: Arc<PerThread>,
}

impl WebhookVerifyLayer {
    /// A layer that checks with `verifier`, by the clock of the machine, and gives a body the time that the
    /// provider's default allows.
    #[must_use]
    pub fn new(verifier: Verifier) -> Self {
        observe::begin(verifier.shared());
        Self {
            verifiers: Arc::new(PerThread::new(verifier)),
        }
    }

    pub(crate) fn verifier(&self) -> &Verifier {
        self.verifiers.original()
    }

    fn with(mut self, change: impl FnOnce(&mut Shared)) -> Self {
        let mut verifier = self.verifier().clone();
        change(verifier.shared_mut());
        self.verifiers = Arc::new(PerThread::new(verifier));
        self
    }

    /// Sets how long the whole body may take to arrive, counted from the first time the layer waits for it.
    #[must_use]
    pub fn with_read_timeout(self, timeout: Duration) -> Self {
        self.with(|shared| shared.read_timeout = timeout)
    }

    /// Looks the keys up for each request, in place of the verifier's own: see [`lookup`](crate::lookup).
    #[must_use]
    pub fn with_secret_source(self, source: impl SecretSource + 'static) -> Self {
        self.with(|shared| shared.source = Some(Arc::new(source)))
    }

    /// Sets how long the secret source may take to answer before the request is refused with 503. The default is 5 seconds.
    #[must_use]
    pub fn with_key_timeout(self, timeout: Duration) -> Self {
        self.with(|shared| shared.key_timeout = timeout)
    }

    /// Sets where the time comes from that timestamps are compared with. The default is the clock of the machine.
    ///
    /// ```
    /// use std::time::{Duration, SystemTime};
    /// # use tower_webhook::{Secret, Verifier, WebhookVerifyLayer, providers};
    /// # let verifier = Verifier::new(providers::github(), Secret::new("sixteen-bytes-and-more"))?;
    ///
    /// let at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    /// let layer = WebhookVerifyLayer::new(verifier).with_clock(move || at);
    /// # drop(layer);
    /// # Ok::<(), tower_webhook::SetupError>(())
    /// ```
    #[must_use]
    pub fn with_clock(self, clock: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        self.with(|shared| shared.clock = Some(Arc::new(clock)))
    }

    /// Sets a hook that sees every refusal of the layer, may count it, and may change the answer. The body stays empty. What
    /// is refused inside (by a handler's extractor, by a delivery layer) is in the log and in the response's extensions only.
    ///
    /// ```
    /// use http::StatusCode;
    /// # use tower_webhook::{Secret, Verifier, WebhookVerifyLayer, providers};
    /// # let verifier = Verifier::new(providers::github(), Secret::new("sixteen-bytes-and-more"))?;
    ///
    /// // GoCardless asks for 498 on a bad signature.
    /// let layer = WebhookVerifyLayer::new(verifier).with_on_rejection(|rejection, response| {
    ///     if rejection.status() == StatusCode::UNAUTHORIZED {
    ///         *response.status_mut() = StatusCode::from_u16(498).unwrap();
    ///     }
    /// });
    /// # drop(layer);
    /// # Ok::<(), tower_webhook::SetupError>(())
    /// ```
    #[must_use]
    pub fn with_on_rejection(
        self,
        hook: impl Fn(&Rejection, &mut Response<()>) + Send + Sync + 'static,
    ) -> Self {
        self.with(|shared| shared.on_rejection = Some(Arc::new(hook)))
    }
}

impl<S> Layer<S> for WebhookVerifyLayer {
    type Service = WebhookVerify<S>;

    fn layer(&self, inner: S) -> Self::Service {
        WebhookVerify::new(inner, Arc::clone(&self.verifiers))
    }
}

impl fmt::Debug for WebhookVerifyLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookVerifyLayer")
            .field("verifier", self.verifier())
            .field("read_timeout", &self.verifier().shared().read_timeout)
            .field("key_timeout", &self.verifier().shared().key_timeout)
            .finish_non_exhaustive()
    }
}
