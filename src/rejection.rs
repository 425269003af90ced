//! Why a request was refused: everything for the operator, a status for the client.

pub(crate) mod body;
pub(crate) mod hint;
pub(crate) mod kind;

use std::{error::Error, fmt, sync::Arc};

use http::{HeaderValue, Response, StatusCode, header};

use self::hint::{HintSet, Hints, Remedies};
pub use self::{hint::Hint, kind::RejectionKind};

/// Why a request was refused.
///
/// The client gets [`status`](Self::status) and nothing more. The operator gets the rest: the layer
/// logs the rejection and puts it into the response's extensions. It holds no secret, no signature
/// and no part of the body.
#[derive(Clone)]
pub struct Rejection {
    inner: Arc<Inner>,
    request: Option<Arc<RequestFacts>>,
}

/// What the head says of a refused request. Nothing of it is verified; texts are shortened, and
/// control characters escaped.
#[derive(Debug)]
pub(crate) struct RequestFacts {
    pub(crate) method: Box<str>,
    pub(crate) path: Box<str>,
    pub(crate) event_type: Option<Box<str>>,
    pub(crate) delivery_id: Option<Box<str>>,
    /// Whether a header shows that the request is meant for this provider.
    pub(crate) of_provider: bool,
}

/// Shortens a text of the request, and escapes what could disturb a log.
pub(crate) fn shown(text: &str) -> Box<str> {
    const LONGEST: usize = 200;
    if text.len() <= LONGEST && text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return text.into();
    }
    let mut all = String::with_capacity(text.len().min(LONGEST));
    for letter in text.chars() {
        if all.len() >= LONGEST {
            all.push('…');
            break;
        }
        if letter.is_alphanumeric() || letter.is_ascii_graphic() || letter == ' ' {
            all.push(letter);
        } else {
            all.extend(letter.escape_unicode());
        }
    }
    all.into()
}

/// Escapes what could disturb a log in the text of an error, which may quote the request.
fn escaped(text: &str) -> String {
    let mut all = String::with_capacity(text.len());
    for letter in text.chars() {
        if letter.is_control() || matches!(letter, '\u{2028}' | '\u{2029}') {
            all.extend(letter.escape_unicode());
        } else {
            all.push(letter);
        }
    }
    all
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
    pub(crate) remedies: Remedies,
}

/// A kind with the facts that explain it, before the endpoint is known.
#[derive(Debug)]
pub(crate) struct Reason {
    kind: RejectionKind,
    header: Option<Arc<str>>,
    skew: Option<i64>,
    value_length: Option<u64>,
    body_length: Option<u64>,
    tenant: Option<Arc<str>>,
    /// In seconds.
    retry_after: Option<u16>,
    hints: Option<Box<Hints>>,
}

impl Reason {
    pub(crate) fn new(kind: RejectionKind) -> Self {
        Self {
            kind,
            header: None,
            skew: None,
            value_length: None,
            body_length: None,
            tenant: None,
            retry_after: None,
            hints: None,
        }
    }

    /// The same facts under another kind.
    pub(crate) fn instead(mut self, kind: RejectionKind) -> Self {
        self.kind = kind;
        self
    }

    pub(crate) fn kind(&self) -> RejectionKind {
        self.kind
    }

    pub(crate) fn hints(&mut self) -> &mut Hints {
        self.hints.get_or_insert_default()
    }

    pub(crate) fn hint(mut self, hint: Hint) -> Self {
        self.hints().insert(hint);
        self
    }

    pub(crate) fn about(mut self, header: &Arc<str>) -> Self {
        self.header = Some(Arc::clone(header));
        self
    }

    pub(crate) fn with_field(mut self, field: &str) -> Self {
        self.hints().field = Some(field.into());
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

    /// The tenant that the request asks for, as the key source named it.
    pub(crate) fn asking_for(mut self, tenant: Option<Box<str>>) -> Self {
        if tenant.is_some() {
            self.hints().asked_tenant = tenant;
        }
        self
    }

    /// The first digits of the SHA-256 of the body that arrived.
    pub(crate) fn with_body_digest(mut self, sha256: &[u8; 32]) -> Self {
        let [first, second, third, fourth, ..] = *sha256;
        let digits = u32::from_be_bytes([first, second, third, fourth]);
        self.hints().body_digest = Some(format!("{digits:08x}").into());
        self
    }

    /// Compares what arrived with what was declared. A server lets no other length through, so
    /// something between the server and this layer has changed the body if they differ.
    pub(crate) fn of_body(mut self, received: usize, declared: Option<u64>) -> Self {
        self.body_length = u64::try_from(received).ok();
        match declared.filter(|declared| Some(*declared) != self.body_length) {
            Some(_) if received == 0 => self.kind = RejectionKind::BodyTaken,
            Some(declared) => {
                self.hints().declared = declared;
                self.hints().insert(Hint::LengthDiffers);
            }
            None => {}
        }
        self
    }

    fn write(
        &self,
        f: &mut fmt::Formatter<'_>,
        with_facts: bool,
        remedies: Remedies,
    ) -> fmt::Result {
        f.write_str(self.kind.sentence())?;
        if with_facts {
            self.write_facts(f)?;
        }
        match &self.hints {
            Some(hints) => hints.write(remedies, f),
            None => Ok(()),
        }
    }

    /// The facts that log lines have as fields.
    fn write_facts(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(header) = &self.header {
            write!(f, " (header {header})")?;
        }
        if let Some(field) = self.hints.as_ref().and_then(|hints| hints.field.as_ref()) {
            write!(f, " (field {field})")?;
        }
        if let Some(skew) = self.skew {
            write!(f, " ({} s from the clock)", skew.unsigned_abs())?;
        }
        if let Some(length) = self.value_length.or(self.body_length) {
            write!(f, " ({length} bytes)")?;
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
            request: None,
        }
    }

    pub(crate) fn about_request(mut self, request: RequestFacts) -> Self {
        self.request = Some(Arc::new(request));
        self
    }

    pub(crate) fn request(&self) -> Option<&RequestFacts> {
        self.request.as_deref()
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

    /// The tenant that the request asks for, if the key source
    /// [named it](crate::keys::KeyRequest::asks_for). It is text of the request: not verified,
    /// shortened to about 200 characters, and with control characters escaped.
    #[must_use]
    pub fn asked_tenant(&self) -> Option<&str> {
        self.inner.reason.hints.as_ref()?.asked_tenant.as_deref()
    }

    /// What the request shows about the cause, in the order of [`Hint::ALL`].
    pub fn hints(&self) -> impl Iterator<Item = Hint> {
        self.hint_set().iter()
    }

    pub(crate) fn is_of(&self, labels: &Arc<Labels>) -> bool {
        let own = self.inner.labels.as_ref();
        own.is_some_and(|own| Arc::ptr_eq(own, labels))
    }

    /// Of the refusals of one request by several endpoints, the one that got furthest; of equals,
    /// the first. The kinds are declared in the order in which requests pass the checks, and what a
    /// retry may mend comes last.
    pub(crate) fn furthest(all: impl DoubleEndedIterator<Item = Self>) -> Option<Self> {
        // `max_by_key` returns the last of equals.
        all.rev().max_by_key(|rejection| rejection.kind() as usize)
    }

    /// Whether it says that the request is not proven to be genuine, and nothing else.
    pub(crate) fn is_of_signature(&self) -> bool {
        self.status() == StatusCode::UNAUTHORIZED
    }

    #[cfg(feature = "explain")]
    pub(crate) fn remedies(&self) -> Remedies {
        let labels = self.inner.labels.as_ref();
        labels.map(|labels| labels.remedies).unwrap_or_default()
    }

    pub(crate) fn hint_set(&self) -> HintSet {
        let hints = self.inner.reason.hints.as_ref();
        hints.map(|hints| hints.set).unwrap_or_default()
    }

    /// The method of the request, unless an extractor or a delivery layer refused it.
    #[must_use]
    pub fn method(&self) -> Option<&str> {
        Some(&self.request.as_ref()?.method)
    }

    /// The path of the request, without the query: shortened to about 200 characters, and with
    /// control characters escaped.
    #[must_use]
    pub fn path(&self) -> Option<&str> {
        Some(&self.request.as_ref()?.path)
    }

    /// The type of the event, if a header has it. It is not verified; shortened and escaped as the
    /// path is.
    #[must_use]
    pub fn event_type(&self) -> Option<&str> {
        self.request.as_ref()?.event_type.as_deref()
    }

    /// The id of the delivery, if a header has it. It is not verified; shortened and escaped as the
    /// path is.
    #[must_use]
    pub fn delivery_id(&self) -> Option<&str> {
        self.request.as_ref()?.delivery_id.as_deref()
    }

    /// The name of the header that was refused.
    #[must_use]
    pub fn header(&self) -> Option<&str> {
        self.inner.reason.header.as_deref()
    }

    /// What was refused inside the signature header or elsewhere: the field of the header, the
    /// query parameter, or the value of the body.
    #[must_use]
    pub fn field(&self) -> Option<&str> {
        self.inner.reason.hints.as_ref()?.field.as_deref()
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

    /// The first eight hexadecimal digits of the SHA-256 of the body that arrived, for a signature
    /// that does not match: compare them with those of the body that the provider sent.
    ///
    /// They do not reveal a body, but tell whether it is a known one: they are pseudonymous data.
    #[must_use]
    pub fn body_digest(&self) -> Option<&str> {
        self.inner.reason.hints.as_ref()?.body_digest.as_deref()
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
            StatusCode::METHOD_NOT_ALLOWED => {
                let methods = HeaderValue::from_static("POST, PUT, PATCH, DELETE");
                response.headers_mut().insert(header::ALLOW, methods);
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

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, true, Remedies::default())
    }
}

/// The sentence of a rejection for a line that has the facts as fields.
pub(crate) struct Sentence<'r>(pub(crate) &'r Rejection);

impl fmt::Display for Sentence<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.write(f, false)
    }
}

impl Rejection {
    fn write(&self, f: &mut fmt::Formatter<'_>, with_facts: bool) -> fmt::Result {
        let Inner {
            reason,
            labels,
            source,
        } = &*self.inner;
        let remedies = labels.as_ref().map(|labels| labels.remedies);
        reason.write(f, with_facts, remedies.unwrap_or_default())?;
        if let Some(source) = source {
            write!(f, ": {}", escaped(&source.to_string()))?;
        }
        Ok(())
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, true)
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
            .field("field", &self.field())
            .field("hints", &self.hints().collect::<Vec<_>>())
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
