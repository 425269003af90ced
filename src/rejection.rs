//! Why a request was refused: everything for the operator, a status for the client.

pub(crate) mod kind;

use std::{error::Error, fmt, sync::Arc};

use http::{HeaderValue, Response, StatusCode, header};

pub use self::kind::RejectionKind;

/// Why a request was refused.
///
/// The client gets [`status`](Self::status) and nothing more. The operator gets the rest: the layer
/// logs the rejection and puts it into the response's extensions. It holds no secret, no signature
/// and no part of the body.
#[derive(Clone)]
pub struct Rejection {
    inner: Arc<Inner>,
}

struct Inner {
    reason: Reason,
    labels: Option<Arc<Labels>>,
    source: Option<BoxError>,
}

pub(crate) type BoxError = Box<dyn Error + Send + Sync>;

/// The names of an endpoint, for events, rejections and logs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Labels {
    pub(crate) provider: Box<str>,
    pub(crate) endpoint: Option<Arc<str>>,
    /// What the operator should know about a request without a signature.
    pub(crate) unsigned_hint: Option<&'static str>,
}

/// A kind with the facts that explain it, before the endpoint is known.
#[derive(Debug)]
pub(crate) struct Reason {
    kind: RejectionKind,
    header: Option<Arc<str>>,
    skew: Option<i64>,
    value_length: Option<u64>,
    body_length: Option<u64>,
    /// What `Content-Length` declared, if that differs from `body_length`.
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
            value_length: None,
            body_length: None,
            declared: None,
            tenant: None,
            retry_after: None,
        }
    }

    pub(crate) fn about(mut self, header: &Arc<str>) -> Self {
        self.header = Some(Arc::clone(header));
        self
    }

    pub(crate) fn with_skew(mut self, seconds: i64) -> Self {
        self.skew = Some(seconds);
        self
    }

    pub(crate) fn with_value_length(mut self, bytes: usize) -> Self {
        self.value_length = u64::try_from(bytes).ok();
        self
    }

    pub(crate) fn with_body_length(mut self, bytes: u64) -> Self {
        self.body_length = Some(bytes);
        self
    }

    pub(crate) fn with_retry_after(mut self, seconds: u16) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    pub(crate) fn of_tenant(mut self, tenant: Option<&Arc<str>>) -> Self {
        self.tenant = tenant.cloned();
        self
    }

    /// Compares what arrived with what was declared. A server lets no other length through, so
    /// something between the server and this layer has changed the body if they differ.
    pub(crate) fn of_body(mut self, received: usize, declared: Option<u64>) -> Self {
        self.body_length = u64::try_from(received).ok();
        self.declared = declared.filter(|declared| Some(*declared) != self.body_length);
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
            write!(f, " ({} s from the clock)", skew.unsigned_abs())?;
        }
        if let Some(length) = self.value_length.or(self.body_length) {
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
    pub(crate) fn new(reason: Reason, labels: &Arc<Labels>) -> Self {
        Self::build(reason, Some(Arc::clone(labels)), None)
    }

    /// With an underlying error, which the log shows.
    pub(crate) fn caused_by(reason: Reason, labels: &Arc<Labels>, source: BoxError) -> Self {
        Self::build(reason, Some(Arc::clone(labels)), Some(source))
    }

    pub(crate) fn layer_missing() -> Self {
        Self::build(Reason::new(RejectionKind::LayerMissing), None, None)
    }

    /// As [`layer_missing`](Self::layer_missing), with the remedy for another layer.
    pub(crate) fn layer_missing_because(remedy: &'static str) -> Self {
        let reason = Reason::new(RejectionKind::LayerMissing);
        Self::build(reason, None, Some(remedy.into()))
    }

    fn build(reason: Reason, labels: Option<Arc<Labels>>, source: Option<BoxError>) -> Self {
        Self {
            inner: Arc::new(Inner {
                reason,
                labels,
                source,
            }),
        }
    }

    /// What went wrong, as one of a fixed vocabulary.
    #[must_use]
    pub fn kind(&self) -> RejectionKind {
        self.inner.reason.kind
    }

    /// The status that the client gets.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.kind().status()
    }

    /// The name of the endpoint's provider.
    #[must_use]
    pub fn provider(&self) -> Option<&str> {
        Some(&self.inner.labels.as_ref()?.provider)
    }

    /// The endpoint, as named by [`Verifier::with_endpoint`](crate::Verifier::with_endpoint) or in
    /// the configuration.
    #[must_use]
    pub fn endpoint(&self) -> Option<&str> {
        self.inner.labels.as_ref()?.endpoint.as_deref()
    }

    /// The id of the tenant whose keys were used. An unknown tenant has none.
    #[must_use]
    pub fn tenant(&self) -> Option<&str> {
        self.inner.reason.tenant.as_deref()
    }

    /// The name of the header that was refused.
    #[must_use]
    pub fn header(&self) -> Option<&str> {
        self.inner.reason.header.as_deref()
    }

    /// The refused timestamp minus the receiver's clock, in seconds: negative for the past.
    #[must_use]
    pub fn skew_seconds(&self) -> Option<i64> {
        self.inner.reason.skew
    }

    /// The number of bytes of the body: as declared, if that is over the limit, else as received.
    #[must_use]
    pub fn body_length(&self) -> Option<u64> {
        self.inner.reason.body_length
    }

    /// The number of bytes of a signature or timestamp that cannot be read.
    #[must_use]
    pub fn value_length(&self) -> Option<u64> {
        self.inner.reason.value_length
    }

    /// The answer to the client, the same on every framework: a status, at most one header and no
    /// body. It does not log: the layers, the extractors and `VerifiedEvent::from_extensions` do.
    #[must_use]
    pub fn to_response(&self) -> Response<()> {
        let mut response = Response::new(());
        *response.status_mut() = self.status();
        match self.status() {
            StatusCode::UNAUTHORIZED => {
                let challenge = HeaderValue::from_static("Webhook-Signature");
                let headers = response.headers_mut();
                headers.insert(header::WWW_AUTHENTICATE, challenge);
            }
            StatusCode::SERVICE_UNAVAILABLE => {
                let seconds = self.inner.reason.retry_after.unwrap_or(5);
                let headers = response.headers_mut();
                headers.insert(header::RETRY_AFTER, seconds.into());
            }
            _ => {}
        }
        response.extensions_mut().insert(self.clone());
        response
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.inner.reason)?;
        let hint = self
            .inner
            .labels
            .as_ref()
            .and_then(|labels| labels.unsigned_hint);
        if let Some(hint) = hint.filter(|_| self.kind() == RejectionKind::MissingHeader) {
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
            .field("skew_seconds", &self.skew_seconds())
            .field("body_length", &self.body_length())
            .field("value_length", &self.value_length())
            .finish()
    }
}

impl Error for Rejection {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        let source = self.inner.source.as_deref()?;
        Some(source)
    }
}
