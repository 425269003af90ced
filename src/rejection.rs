//! Why a request was refused: everything for the operator, a status for the client.

mod kind;

use std::{error::Error, fmt, sync::Arc, time::Duration};

use http::{HeaderValue, Response, StatusCode, header};

pub use self::kind::RejectionKind;
use crate::{
    VerifiedEvent,
    delivery::{StoreError, StoreErrorKind},
    lookup::SourceError,
    near::Near,
    observe,
};

/// Why a request was refused.
///
/// The client gets [`status`](Self::status) and nothing more. The operator gets the rest: the layer puts the
/// rejection into the response's extensions and writes it to the log. It holds no secret, no signature and no body.
#[derive(Clone)]
pub struct Rejection {
    inner: Arc<Inner>,
}

struct Inner {
    reason: Reason,
    origin: Option<Arc<Near>>,
    source: Option<BoxError>,
}

pub(crate) type BoxError = Box<dyn Error + Send + Sync>;

/// A kind with the facts that help, before it is known whose endpoint it is.
#[derive(Debug)]
pub(crate) struct Reason {
    kind: RejectionKind,
    header: Option<Arc<str>>,
    skew: Option<u64>,
    length: Option<u64>,
    /// What `Content-Length` said, where it differs from `length`.
    declared: Option<u64>,
    tenant: Option<Arc<str>>,
    /// In seconds.
    retry_after: Option<u16>,
}

impl Reason {
    pub(crate) fn new(kind: RejectionKind) -> Self {
        Self {
            kind,
            header: None,
            skew: None,
            length: None,
            declared: None,
            tenant: None,
            retry_after: None,
        }
    }

    pub(crate) fn about(mut self, header: &Arc<str>) -> Self {
        self.header = Some(Arc::clone(header));
        self
    }

    pub(crate) fn with_skew(mut self, seconds: u64) -> Self {
        self.skew = Some(seconds);
        self
    }

    pub(crate) fn with_length(mut self, bytes: usize) -> Self {
        self.length = u64::try_from(bytes).ok();
        self
    }

    pub(crate) fn with_declared(mut self, bytes: u64) -> Self {
        self.length = Some(bytes);
        self
    }

    pub(crate) fn of(mut self, tenant: Option<&Arc<str>>) -> Self {
        self.tenant = tenant.cloned();
        self
    }

    /// What arrived, and whether it is what was announced. A server lets no other length through, so a difference is the
    /// work of something between it and us.
    pub(crate) fn of_body(mut self, received: usize, declared: Option<u64>) -> Self {
        self.length = u64::try_from(received).ok();
        self.declared = declared.filter(|declared| Some(*declared) != self.length);
        if received == 0 && self.declared.is_some() {
            self.kind = RejectionKind::BodyTaken;
        }
        self
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.sentence())?;
        if let Some(header) = &self.header {
            write!(f, " (header {header})")?;
        }
        if let Some(skew) = self.skew {
            write!(f, " ({skew} s from the clock)")?;
        }
        if let Some(length) = self.length {
            write!(f, " ({length} bytes)")?;
        }
        if let Some(declared) = self.declared {
            write!(
                f,
                " (Content-Length said {declared}: something in front changed the body)"
            )?;
        }
        Ok(())
    }
}

impl Rejection {
    pub(crate) fn new(reason: Reason, origin: &Arc<Near>) -> Self {
        Self::build(reason, Some(Arc::clone(origin)), None)
    }

    pub(crate) fn layer_missing() -> Self {
        Self::build(Reason::new(RejectionKind::LayerMissing), None, None)
    }

    /// As [`layer_missing`](Self::layer_missing), where the delivery layer finds no event.
    pub(crate) fn not_verified_before_delivery() -> Self {
        let remedy = "the WebhookVerifyLayer has to be around the DeliveryLayer: after it in calls of .layer(), \
                      .route_layer() and .wrap(), before it in a ServiceBuilder";
        let reason = Reason::new(RejectionKind::LayerMissing);
        Self::build(reason, None, Some(remedy.into()))
    }

    pub(crate) fn unanswered(source: SourceError, origin: &Arc<Near>) -> Self {
        let reason = Reason::new(RejectionKind::SecretSourceFailed);
        let source = source.into_inner();
        Self::build(reason, Some(Arc::clone(origin)), Some(source))
    }

    /// As many handlers are running as may.
    pub(crate) fn handlers_busy(event: &VerifiedEvent, most: usize) -> Self {
        let running = format!("max_running is {most}");
        event.rejection(
            Reason::new(RejectionKind::HandlersBusy),
            Some(running.into()),
        )
    }

    /// The handler ran for longer than `limit`, or its runtime has ended.
    pub(crate) fn handler_aborted(event: &VerifiedEvent, limit: Option<Duration>) -> Self {
        let why = match limit {
            Some(limit) => format!("it ran for longer than handler_timeout, {limit:?}"),
            None => "the runtime is shutting down".to_owned(),
        };
        event.rejection(Reason::new(RejectionKind::HandlerAborted), Some(why.into()))
    }

    /// Another request is still handling the delivery.
    pub(crate) fn in_progress(event: &VerifiedEvent, remaining: Duration) -> Self {
        let mut reason = Reason::new(RejectionKind::DeliveryInProgress);
        let seconds = remaining.as_millis().div_ceil(1000);
        reason.retry_after = Some(u16::try_from(seconds).unwrap_or(u16::MAX).clamp(1, 30));
        event.rejection(reason, None)
    }

    /// The delivery store cannot be asked.
    pub(crate) fn no_store(event: &VerifiedEvent, error: StoreError) -> Self {
        let kind = match error.kind() {
            StoreErrorKind::Unavailable => RejectionKind::DeliveryStoreFailed,
            StoreErrorKind::Timeout => RejectionKind::DeliveryStoreTimeout,
            StoreErrorKind::Full => RejectionKind::DeliveryStoreFull,
        };
        event.rejection(Reason::new(kind), Some(error.into()))
    }

    pub(crate) fn build(
        reason: Reason,
        origin: Option<Arc<Near>>,
        source: Option<BoxError>,
    ) -> Self {
        let inner = Arc::new(Inner {
            reason,
            origin,
            source,
        });
        Self { inner }
    }

    /// What went wrong, as one of a fixed vocabulary.
    #[must_use]
    pub fn kind(&self) -> RejectionKind {
        self.inner.reason.kind
    }

    /// What the client is answered.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.kind().status()
    }

    /// The name of the provider that the endpoint is for.
    #[must_use]
    pub fn provider(&self) -> Option<&str> {
        Some(self.inner.origin.as_ref()?.provider().name())
    }

    /// The endpoint, as named by [`Verifier::with_endpoint`](crate::Verifier::with_endpoint) or in the configuration.
    #[must_use]
    pub fn endpoint(&self) -> Option<&str> {
        self.inner.origin.as_ref()?.endpoint()
    }

    /// The id of the tenant with whose keys the request was checked. One that does not exist has none.
    #[must_use]
    pub fn tenant(&self) -> Option<&str> {
        self.inner.reason.tenant.as_deref()
    }

    /// The name of the header that the refusal is about.
    #[must_use]
    pub fn header(&self) -> Option<&str> {
        self.inner.reason.header.as_deref()
    }

    /// How many seconds a refused timestamp is from the receiver's clock.
    #[must_use]
    pub fn skew(&self) -> Option<u64> {
        self.inner.reason.skew
    }

    /// The number of bytes that were found: of a body over the limit or with a wrong signature, of a signature or timestamp
    /// that cannot be read.
    #[must_use]
    pub fn length(&self) -> Option<u64> {
        self.inner.reason.length
    }

    pub(crate) fn origin(&self) -> Option<&Near> {
        self.inner.origin.as_deref()
    }

    /// The answer to the client, the same on every framework: a status, at most one header, no body.
    #[must_use]
    pub fn to_response(&self) -> Response<()> {
        let mut response = Response::new(());
        *response.status_mut() = self.status();
        match self.status() {
            StatusCode::UNAUTHORIZED => {
                let challenge = HeaderValue::from_static("Webhook-Signature");
                response
                    .headers_mut()
                    .insert(header::WWW_AUTHENTICATE, challenge);
            }
            StatusCode::SERVICE_UNAVAILABLE => {
                let seconds = self.inner.reason.retry_after.unwrap_or(5);
                let headers = response.headers_mut();
                headers.insert(header::RETRY_AFTER, seconds.into());
            }
            _ => {}
        }
        response
    }

    /// Tells the operator, and answers the client: what an extractor does. Without a framework, call this where
    /// [`VerifiedEvent::from_extensions`](crate::VerifiedEvent::from_extensions) fails.
    ///
    /// ```
    /// use http::{Extensions, StatusCode};
    /// use tower_webhook::VerifiedEvent;
    ///
    /// let rejection = VerifiedEvent::<bytes::Bytes>::from_extensions(&Extensions::new()).unwrap_err();
    /// let response = rejection.into_response::<String>();
    /// assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    /// ```
    #[must_use]
    pub fn into_response<R: Default>(self) -> Response<R> {
        observe::refused(&self);
        let mut response = self.to_response();
        response.extensions_mut().insert(self);
        response.map(|()| R::default())
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.inner.reason)?;
        if self.kind() == RejectionKind::MissingHeader
            && let Some(hint) = self
                .inner
                .origin
                .as_ref()
                .and_then(|origin| origin.provider().unsigned_hint())
        {
            write!(f, "; {hint}")?;
        }
        if let Some(source) = &self.inner.source {
            write!(f, ": {source}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rejection")
            .field("kind", &self.kind())
            .field("provider", &self.provider())
            .field("endpoint", &self.endpoint())
            .field("tenant", &self.tenant())
            .field("header", &self.header())
            .field("skew", &self.skew())
            .field("length", &self.length())
            .finish()
    }
}

impl Error for Rejection {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        let source = self.inner.source.as_deref()?;
        Some(source)
    }
}
