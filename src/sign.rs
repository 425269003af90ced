//! [`Signer`]: signs requests, for tests and for senders.

use std::{
    error::Error,
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::SystemTime,
};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, request};
use sha2::{Digest, Sha256};

use crate::{
    clock::{self, unix_seconds},
    compiled::{
        body::{BodyInput, BodyTable},
        content::Values,
        header_table::HeaderTable,
        scheme::{CompiledScheme, KeyState},
    },
    crypto::{encoding::encode_hex, tag::Tag},
    error::SetupError,
    head::Head,
    keys::secret::Secret,
    provider::Provider,
};

/// Signs requests as a provider does, for tests of your handlers.
///
/// ```
/// use http::Request;
/// use tower_webhook::{Secret, Signer, providers};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let signer = Signer::new(providers::stripe(), Secret::new("whsec_of_the_endpoint"))?;
/// let request = signer.sign(Request::post("/webhooks/stripe"), r#"{"id":"evt_1"}"#)?;
/// assert!(request.headers()["stripe-signature"].to_str()?.starts_with("t="));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Signer {
    scheme: Arc<CompiledScheme>,
    table: Arc<HeaderTable>,
    body: Arc<BodyTable>,
    key: Arc<KeyState>,
    time: Option<SystemTime>,
    fields: Vec<(String, String)>,
}

impl Signer {
    /// Creates a signer that uses the provider's first variant.
    ///
    /// # Errors
    ///
    /// As for [`Verifier::new`](crate::Verifier::new).
    #[expect(
        clippy::needless_pass_by_value,
        reason = "called like `Verifier::new`, mostly with a fresh provider"
    )]
    pub fn new(provider: Provider, secret: Secret) -> Result<Self, SetupError> {
        let compiled = provider.compile()?;
        let Some(scheme) = compiled.schemes.into_iter().next() else {
            return Err(SetupError::new("the provider has no scheme"));
        };
        let key = secret.key_state(&scheme)?;
        Ok(Self {
            scheme: Arc::new(scheme),
            table: Arc::new(compiled.headers),
            body: Arc::new(compiled.body),
            key: Arc::new(key),
            time: None,
            fields: Vec::new(),
        })
    }

    /// Sets the time that is signed. The default is the current system time.
    #[must_use]
    pub fn with_time(mut self, time: SystemTime) -> Self {
        self.time = Some(time);
        self
    }

    /// Sets an additional field of the signature header, if the provider signs one.
    #[must_use]
    pub fn with_field(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.fields.push((name.into(), value.into()));
        self
    }

    /// Builds the request and adds its signature headers. A signed header that the request lacks is
    /// added, too, such as a new unique id if the provider signs one.
    ///
    /// # Errors
    ///
    /// When the request is invalid, or the scheme cannot sign it.
    pub fn sign<B: AsRef<[u8]>>(
        &self,
        request: request::Builder,
        body: B,
    ) -> Result<Request<B>, SignError> {
        let (mut head, body) = request
            .body(body)
            .map_err(|error| SignError::new(error.to_string()))?
            .into_parts();
        let added = self.headers(&head, body.as_ref())?;
        head.headers.extend(added);
        Ok(Request::from_parts(head, body))
    }

    /// The headers that [`sign`](Self::sign) would add.
    ///
    /// # Errors
    ///
    /// When the scheme cannot sign the request.
    pub fn headers(&self, head: &request::Parts, body: &[u8]) -> Result<HeaderMap, SignError> {
        let now = unix_seconds(self.time.unwrap_or_else(clock::now));
        let mut added = self.scheme.missing_headers(&head.headers, now, &fresh_id());

        // The verifier's head check reads the signed values, from a head with a placeholder
        // signature.
        let unsigned = Tag::from(&vec![0; self.scheme.algorithm.output_len()][..]);
        let draft = self.signature_header(&unsigned, now)?;
        let mut headers = head.headers.clone();
        headers.extend(added.clone());
        headers.insert(draft.0, draft.1);
        let draft = Head {
            headers: &headers,
            ..Head::from(head)
        };
        let lines = self.table.look_up(&draft);
        let parsed = self.scheme.parse_head(&lines, now, None);
        let parsed = parsed.map_err(|reason| {
            SignError::new(format!("a receiver would refuse the request: {reason}"))
        })?;

        let values = Values {
            key: &self.key.key,
            head: &parsed.values,
        };
        let body = BodyInput::new(Bytes::copy_from_slice(body), &self.body, None);
        let tag = self.scheme.content.sign(&self.key.hasher, values, &body);
        let tag =
            tag.ok_or_else(|| SignError::new("the body lacks a value that the scheme signs"))?;
        let (name, value) = self.signature_header(&tag, now)?;
        added.insert(name, value);
        Ok(added)
    }

    fn signature_header(
        &self,
        tag: &Tag,
        now: i64,
    ) -> Result<(HeaderName, HeaderValue), SignError> {
        let header = self.scheme.signature_header(tag, now, &self.fields);
        header.ok_or_else(|| SignError::new("the signature header cannot hold these fields"))
    }
}

/// Generates a unique id.
fn fresh_id() -> String {
    static CALLS: AtomicU64 = AtomicU64::new(0);
    let mut digest = Sha256::new();
    digest.update(CALLS.fetch_add(1, Ordering::Relaxed).to_le_bytes());
    digest.update(std::process::id().to_le_bytes());
    digest.update(format!("{:?}", clock::now()));
    let id = digest.finalize();
    format!("msg_{}", encode_hex(id.get(..16).unwrap_or(&id)))
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer")
            .field("variant", &self.scheme.name)
            .finish_non_exhaustive()
    }
}

/// Why a request cannot be signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignError {
    message: Box<str>,
}

impl SignError {
    fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into().into(),
        }
    }
}

impl fmt::Display for SignError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for SignError {}
