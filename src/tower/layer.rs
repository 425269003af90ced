//! [`WebhookVerifyLayer`] and its options.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, SystemTime},
};

use http::Response;
use tower_layer::Layer;

use crate::{
    capture::hook::CaptureHook,
    clock,
    error::SetupError,
    observe,
    rejection::Rejection,
    tower::{
        options::{Enforcement, LayerOptions},
        service::WebhookVerify,
    },
    verify::{future::Timeouts, verifier::Verifier},
};

/// Accepts only requests that are proven to come from the provider, and inserts a
/// [`VerifiedEvent`](crate::VerifiedEvent) into their extensions.
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
/// The inner service gets the verified body, complete and in one frame; trailers are dropped.
/// Reading the body needs a tokio runtime with time enabled.
#[derive(Clone)]
pub struct WebhookVerifyLayer {
    options: Arc<LayerOptions>,
}

const KEY_TIMEOUT: Duration = Duration::from_secs(5);

impl WebhookVerifyLayer {
    /// A layer that checks with `verifier`, by the machine's clock, with the provider's read
    /// timeout.
    #[must_use]
    pub fn new(verifier: Verifier) -> Self {
        observe::start(verifier.shared());
        Self::new_silent(verifier)
    }

    /// As [`new`](Self::new), without the notes about the endpoint in the log.
    fn new_silent(verifier: Verifier) -> Self {
        let options = LayerOptions {
            endpoints: Arc::new([Arc::clone(verifier.shared())]),
            enforcement: Enforcement::Refuse,
            timeouts: Timeouts {
                keys: KEY_TIMEOUT,
                read: verifier.provider().read_timeout(),
            },
            verifier,
            clock: Arc::new(clock::now),
            on_rejection: None,
            capture: None,
        };
        Self {
            options: Arc::new(options),
        }
    }

    /// A layer that accepts a request if one of several endpoints does, each with keys, parameters
    /// and limits of its own: for the time in which a provider's account, or the provider itself,
    /// is exchanged for another.
    ///
    /// Every endpoint is tried, in the order of their names; no result depends on the order of the
    /// list. The event says which endpoint accepted the request. If none does, the refusal is the
    /// one of the endpoint that got furthest. The read timeout is the longest of the providers.
    ///
    /// # Errors
    ///
    /// When there are fewer than two endpoints or more than [`MAX_ANY_OF`](Self::MAX_ANY_OF), or
    /// when one has no [name](Verifier::with_endpoint), has the name of another, or accepts what
    /// anybody can send, as with
    /// [`UnauthenticatedSha256`](crate::scheme::Algorithm::UnauthenticatedSha256), or answers a
    /// [handshake](crate::handshake) that is not signed with a MAC under its key.
    ///
    /// ```
    /// use tower_webhook::{Secret, Verifier, WebhookVerifyLayer, providers};
    ///
    /// let old = Verifier::new(providers::svix(), Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"))?;
    /// let new = Verifier::new(providers::github(), Secret::new("It's a Secret to Everybody"))?;
    /// let layer = WebhookVerifyLayer::any_of([old.with_endpoint("old"), new.with_endpoint("new")])?;
    /// # drop(layer);
    /// # Ok::<(), tower_webhook::SetupError>(())
    /// ```
    pub fn any_of(verifiers: impl IntoIterator<Item = Verifier>) -> Result<Self, SetupError> {
        let mut verifiers: Vec<Verifier> = verifiers.into_iter().collect();
        let count = verifiers.len();
        if !(2..=Self::MAX_ANY_OF).contains(&count) {
            return Err(SetupError::new(format!(
                "any_of: there are {count} endpoints; name 2 to {}",
                Self::MAX_ANY_OF
            )));
        }
        if verifiers
            .iter()
            .any(|verifier| verifier.endpoint().is_none())
        {
            return Err(SetupError::new(
                "any_of: an endpoint has no name; set it by with_endpoint, so that events say which accepted them",
            ));
        }
        verifiers.sort_by(|one, other| one.endpoint().cmp(&other.endpoint()));
        let twice = verifiers.windows(2).find_map(|pair| match pair {
            [one, other] if one.endpoint() == other.endpoint() => one.endpoint(),
            _ => None,
        });
        if let Some(name) = twice {
            return Err(SetupError::new(format!(
                "any_of: two endpoints are named {name:?}; name each once"
            )));
        }
        let is_weak = |verifier: &&Verifier| verifier.shared().is_unauthenticated();
        if let Some(weak) = verifiers.iter().find(is_weak) {
            return Err(SetupError::new(format!(
                "any_of: anybody can send what endpoint {:?} accepts, so the others prove nothing beside it; leave it out",
                weak.endpoint().unwrap_or_default()
            )));
        }
        let is_oracle = |verifier: &&Verifier| verifier.shared().has_oracle();
        if let Some(oracle) = verifiers.iter().find(is_oracle) {
            return Err(SetupError::new(format!(
                "any_of: endpoint {:?} answers a challenge with a MAC that anybody can ask for, which may be a signature for \
                 another; give it a route of its own",
                oracle.endpoint().unwrap_or_default()
            )));
        }
        let timeouts = verifiers
            .iter()
            .map(|verifier| verifier.provider().read_timeout());
        let read = timeouts.max().unwrap_or_default();
        for verifier in &verifiers {
            observe::start(verifier.shared());
        }
        let endpoints = verifiers
            .iter()
            .map(|verifier| Arc::clone(verifier.shared()));
        let endpoints = endpoints.collect();
        let Some(verifier) = verifiers.into_iter().next() else {
            unreachable!("there are at least two");
        };
        let layer = Self::new_silent(verifier);
        Ok(layer.with(|options| {
            options.endpoints = endpoints;
            options.timeouts.read = read;
        }))
    }

    /// The most endpoints of [`any_of`](Self::any_of): each costs the hashes of its keys, and keeps
    /// the body on its own if that arrives in several frames.
    pub const MAX_ANY_OF: usize = 4;

    /// Sets what happens to requests that are refused for their signature. The layer warns once,
    /// when this is set, if they are passed on.
    #[must_use]
    pub fn with_enforcement(self, enforcement: Enforcement) -> Self {
        if enforcement == Enforcement::Log {
            for endpoint in &*self.options.endpoints {
                observe::not_enforced(endpoint);
            }
        }
        self.with(|options| options.enforcement = enforcement)
    }

    /// Logs what an operator should know if deliveries are deduplicated inside of this layer.
    #[cfg(feature = "config")]
    pub(crate) fn note_deduplication(&self) {
        for endpoint in &*self.options.endpoints {
            observe::deduplicated(endpoint);
        }
    }

    pub(crate) fn options(&self) -> &Arc<LayerOptions> {
        &self.options
    }

    fn with(mut self, change: impl FnOnce(&mut LayerOptions)) -> Self {
        change(Arc::make_mut(&mut self.options));
        self
    }

    /// Sets how long the whole body may take to arrive, from the first time that the layer waits
    /// for it. See [which limit applies](Verifier#which-limit-applies).
    #[must_use]
    pub fn with_read_timeout(self, timeout: Duration) -> Self {
        self.with(|options| options.timeouts.read = timeout)
    }

    /// Sets how long the [key source](crate::keys::KeySource) may take before the request is
    /// refused with 503. The default is 5 seconds.
    #[must_use]
    pub fn with_key_timeout(self, timeout: Duration) -> Self {
        self.with(|options| options.timeouts.keys = timeout)
    }

    /// Sets the clock that timestamps are compared with. The default is the machine's.
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
        self.with(|options| options.clock = Arc::new(clock))
    }

    /// Sets a hook that sees every refusal of this layer and may change the status and the headers
    /// of the response. The body stays empty. Refusals by an extractor or by a delivery layer
    /// inside are logged and in the response's extensions, and do not reach the hook.
    ///
    /// ```
    /// use http::StatusCode;
    /// # use tower_webhook::{Secret, Verifier, WebhookVerifyLayer, providers};
    /// # let verifier = Verifier::new(providers::github(), Secret::new("sixteen-bytes-and-more"))?;
    ///
    /// // GoCardless asks for 498 on an invalid signature.
    /// let layer = WebhookVerifyLayer::new(verifier).on_rejection(|rejection, response| {
    ///     if rejection.status() == StatusCode::UNAUTHORIZED {
    ///         *response.status_mut() = StatusCode::from_u16(498).unwrap();
    ///     }
    /// });
    /// # drop(layer);
    /// # Ok::<(), tower_webhook::SetupError>(())
    /// ```
    #[must_use]
    pub fn on_rejection(
        self,
        hook: impl Fn(&Rejection, &mut Response<()>) + Send + Sync + 'static,
    ) -> Self {
        self.with(|options| options.on_rejection = Some(Arc::new(hook)))
    }

    /// Hands refused requests to a [`CaptureHook`], which limits how many, beside
    /// [`on_rejection`](Self::on_rejection). By default no request is kept.
    #[must_use]
    pub fn with_capture(self, hook: CaptureHook) -> Self {
        self.with(|options| options.capture = Some(hook))
    }
}

impl<S> Layer<S> for WebhookVerifyLayer {
    type Service = WebhookVerify<S>;

    fn layer(&self, inner: S) -> Self::Service {
        WebhookVerify::new(inner, Arc::clone(&self.options))
    }
}

impl fmt::Debug for WebhookVerifyLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookVerifyLayer")
            .field("verifier", &self.options.verifier)
            .field("read_timeout", &self.options.timeouts.read)
            .field("key_timeout", &self.options.timeouts.keys)
            .finish_non_exhaustive()
    }
}
