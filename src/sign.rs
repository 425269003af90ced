//! [`Signer`]: signs requests, for tests and for senders.

pub(crate) mod place;

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
use sha2::{Digest, Sha256, digest::Update};

#[cfg(feature = "certificates")]
use crate::crypto::certificates::read_pem;
#[cfg(feature = "asymmetric")]
use crate::crypto::{private_key::PrivateKey, proof::Message};
use crate::{
    clock::{self, unix_seconds},
    compiled::{
        body::{BodyInput, BodyTable},
        content::Values,
        head::ParsedHead,
        header_table::HeaderTable,
        rules::Elsewhere,
        scheme::{CompiledScheme, KeyState},
        special::CompiledSpecial,
    },
    crypto::encoding::{encode, encode_hex},
    error::SetupError,
    head::Head,
    keys::secret::Secret,
    provider::Provider,
    scheme::{algorithm::Keying, special::Draft},
    sign::place::{Value, with_query, with_value},
};

/// Signs requests as a provider does, for tests of your handlers.
///
/// The secret is the one of the endpoint, or the private key where the provider has one: PKCS #8 in
/// PEM or base64, `RSA PRIVATE KEY`, or the seed of Ed25519 in hex or base64, also behind `whsk_`.
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
    key: Arc<SigningKey>,
    key_id: Option<Arc<str>>,
    time: Option<SystemTime>,
    fields: Vec<(String, String)>,
    certificates: Vec<Vec<u8>>,
}

enum SigningKey {
    Secret(Box<KeyState>),
    /// A private key, and what the content begins with.
    #[cfg(feature = "asymmetric")]
    Private(PrivateKey, Message),
}

impl Signer {
    /// Creates a signer that uses the provider's first variant for which the secret is a key.
    ///
    /// # Errors
    ///
    /// As for [`Verifier::new`](crate::Verifier::new), except that a body that is not signed is no
    /// error.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "it takes a secret as a verifier does"
    )]
    pub fn new(mut provider: Provider, secret: Secret) -> Result<Self, SetupError> {
        provider = provider.with_any_coverage();
        let compiled = provider.compile()?;
        let mut first = None;
        for scheme in compiled.schemes {
            match SigningKey::new(&scheme, &secret) {
                Ok(key) => {
                    return Ok(Self {
                        scheme: Arc::new(scheme),
                        table: Arc::new(compiled.headers),
                        body: Arc::new(compiled.body),
                        key: Arc::new(key),
                        key_id: secret.id.clone(),
                        time: None,
                        fields: Vec::new(),
                        certificates: Vec::new(),
                    });
                }
                Err(error) => {
                    first.get_or_insert(error);
                }
            }
        }
        Err(first.unwrap_or_else(|| SetupError::new("the provider has no scheme")))
    }

    /// Sets the time that is signed. The default is the current system time.
    #[must_use]
    pub fn with_time(mut self, time: SystemTime) -> Self {
        self.time = Some(time);
        self
    }

    /// Sets an additional field of the signature header, if the provider signs one, or a claim of
    /// the JSON Web Token, whose value is JSON or else a text.
    #[must_use]
    pub fn with_field(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.fields.push((name.into(), value.into()));
        self
    }

    /// Sets the certificates that a request has beside its signature, in PEM: that of the key
    /// first, then those of its issuers. Apple's notifications have three, the last of which is the
    /// root.
    ///
    /// # Errors
    ///
    /// When the text is not PEM of certificates.
    #[cfg(feature = "certificates")]
    pub fn with_certificates(mut self, pem: &str) -> Result<Self, SetupError> {
        let certificates = read_pem(pem).map_err(|error| error.within("certificates"));
        self.certificates = certificates?;
        Ok(self)
    }

    /// Builds the request and adds its signature headers, or its query parameter. A signed header
    /// that the request lacks is added, too, such as a new unique id if the provider signs one.
    ///
    /// # Errors
    ///
    /// When the request is invalid, the scheme cannot sign it, or the signature is part of the
    /// body: see [`sign_body`](Self::sign_body).
    pub fn sign<B: AsRef<[u8]>>(
        &self,
        request: request::Builder,
        body: B,
    ) -> Result<Request<B>, SignError> {
        let request = request.body(body);
        let (mut head, body) = request.map_err(SignError::invalid)?.into_parts();
        self.check_places(false)?;
        let bytes = Bytes::copy_from_slice(body.as_ref());
        self.sign_parts(&mut head, bytes)?;
        Ok(Request::from_parts(head, body))
    }

    /// As [`sign`](Self::sign), for a provider whose signature, token or timestamp is a value in
    /// the body. It is set in the body, which is returned: a signature as text, a timestamp in Unix
    /// time as a number, and both as they were before if they were there. A time of the head that
    /// the signed body repeats, as Didit's does, is set there as well; [`sign`](Self::sign) leaves
    /// it as it is.
    ///
    /// ```
    /// use http::Request;
    /// use tower_webhook::{Provider, Scheme, Secret, Signer};
    /// use tower_webhook::scheme::{Locator, TokenFormat};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let scheme = Scheme::token(Locator::json("/token"), TokenFormat::plain());
    /// let signer = Signer::new(Provider::new("acme", scheme), Secret::new("a-long-token-of-acme"))?;
    /// let request = signer.sign_body(Request::post("/"), r#"{"event":"ping"}"#)?;
    /// let body: serde_json::Value = serde_json::from_slice(request.body())?;
    /// assert_eq!(body["token"], "a-long-token-of-acme");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`sign`](Self::sign), and when the body is neither JSON nor a form in which the value
    /// could be set.
    pub fn sign_body(
        &self,
        request: request::Builder,
        body: impl Into<Bytes>,
    ) -> Result<Request<Bytes>, SignError> {
        let request = request.body(body.into());
        self.sign_request(request.map_err(SignError::invalid)?)
    }

    /// As [`sign_body`](Self::sign_body), for a request that is there already.
    pub(crate) fn sign_request(
        &self,
        request: Request<Bytes>,
    ) -> Result<Request<Bytes>, SignError> {
        let (mut head, body) = request.into_parts();
        let now = unix_seconds(self.time.unwrap_or_else(clock::now));
        let input = BodyInput::new(body.clone(), &self.body);
        let body = match self.scheme.repeated_time(&input, now) {
            Some((elsewhere, time)) => self.put(elsewhere, &time, Value::Time, &mut head, body)?,
            None => body,
        };
        let body = self.sign_parts(&mut head, body)?;
        Ok(Request::from_parts(head, body))
    }

    /// Signs a request that was signed before, at another time or with another secret: the old
    /// signature, its timestamp and its key id are replaced. An id of the delivery that the
    /// provider signs stays, so that a receiver recognises the delivery, and so do other signed
    /// values.
    ///
    /// ```
    /// use std::time::{Duration, SystemTime};
    /// use http::Request;
    /// use tower_webhook::{Secret, Signer, Verifier, providers, verify::Head};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let secret = Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    /// let signer = Signer::new(providers::svix(), secret.clone())?;
    /// let yesterday = SystemTime::now() - Duration::from_secs(24 * 3600);
    /// let old = signer.clone().with_time(yesterday).sign_body(Request::post("/"), "{}")?;
    /// let id = old.headers()["svix-id"].clone();
    ///
    /// let (head, body) = signer.resign(old)?.into_parts();
    /// assert_eq!(head.headers["svix-id"], id);
    /// let verifier = Verifier::new(providers::svix(), secret)?;
    /// assert!(verifier.verify(&Head::from(&head), body, SystemTime::now()).is_ok());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`sign_body`](Self::sign_body).
    pub fn resign(&self, request: Request<Bytes>) -> Result<Request<Bytes>, SignError> {
        let (mut head, body) = request.into_parts();
        let mut signer = self.clone();
        for (name, value) in self.scheme.signed_fields(&head.headers) {
            if !self.fields.iter().any(|(own, _)| *own == name) {
                signer.fields.push((name, value));
            }
        }
        self.scheme.unsign(&mut head.headers);
        signer.sign_request(Request::from_parts(head, body))
    }

    /// The headers that [`sign`](Self::sign) would add.
    ///
    /// # Errors
    ///
    /// As for [`sign`](Self::sign), and when the signature is not in a header.
    pub fn headers(&self, head: &request::Parts, body: &[u8]) -> Result<HeaderMap, SignError> {
        self.check_places(true)?;
        let mut signed = head.clone();
        self.sign_parts(&mut signed, Bytes::copy_from_slice(body))?;
        let is_new =
            |(name, value): &(&HeaderName, &HeaderValue)| head.headers.get(*name) != Some(*value);
        let added = signed.headers.iter().filter(is_new);
        let added = added.map(|(name, value)| (name.clone(), value.clone()));
        Ok(added.collect())
    }

    /// Refuses places that a function does not fill in.
    fn check_places(&self, only_headers: bool) -> Result<(), SignError> {
        let special = self.scheme.special.as_ref();
        if special.is_some_and(|special| special.scheme.0.signs_within_body()) {
            return Err(SignError::new(
                "the signature is part of the body; call sign_body, which returns the body with it",
            ));
        }
        let time = self.scheme.time_elsewhere(0);
        let time = time.as_ref().map(|(elsewhere, _)| *elsewhere);
        for elsewhere in self.scheme.head.elsewhere.iter().chain(time) {
            if elsewhere.in_body().is_some() {
                return Err(SignError::new(format!(
                    "{} is a value in the body; call sign_body, which returns the body with it",
                    elsewhere.name
                )));
            }
            if only_headers {
                return Err(SignError::new(format!(
                    "{} is a query parameter; call sign, which returns the request with it",
                    elsewhere.name
                )));
            }
        }
        Ok(())
    }

    /// Adds everything to a request, and returns its body.
    fn sign_parts(&self, head: &mut request::Parts, mut body: Bytes) -> Result<Bytes, SignError> {
        let now = unix_seconds(self.time.unwrap_or_else(clock::now));
        if let Some(special) = &self.scheme.special {
            return self.sign_special(special, head, body, now);
        }
        let key_id = self.key_id.as_deref();
        let added = self
            .scheme
            .missing_headers(&head.headers, now, &fresh_id(), key_id);
        head.headers.extend(added);
        if let Some((elsewhere, time)) = self.scheme.time_elsewhere(now) {
            body = self.put(elsewhere, &time, Value::Time, head, body)?;
        }
        // The verifier's checks read the signed values, from a request with a placeholder.
        let algorithm = self.scheme.algorithm;
        let encoding = self.scheme.head.signature.encoding;
        let placeholder = match algorithm.keying() {
            Keying::Token => None,
            _ => Some(vec![0; algorithm.signature_len().min()]),
        };
        if let Some(placeholder) = placeholder {
            let text = encode(encoding, &placeholder);
            body = self.put_signature(&text, now, head, body)?;
        }
        let signature = self.signature(head, &body, now)?;
        self.put_signature(&encode(encoding, &signature), now, head, body)
    }

    /// Lets a special scheme add everything.
    fn sign_special(
        &self,
        special: &CompiledSpecial,
        head: &mut request::Parts,
        body: Bytes,
        now: i64,
    ) -> Result<Bytes, SignError> {
        let added = self
            .scheme
            .missing_headers(&head.headers, now, "", self.key_id.as_deref());
        head.headers.extend(added);
        let key = |content: &[u8]| match &*self.key {
            SigningKey::Secret(state) => {
                let hasher = state.proof.hasher();
                let tag = hasher.and_then(|hasher| {
                    hasher.hash(&mut |hash| {
                        hash.update(content);
                        Some(())
                    })
                });
                let tag = tag.ok_or_else(|| "the key signs no content".to_owned())?;
                Ok(tag.as_bytes().to_vec())
            }
            #[cfg(feature = "asymmetric")]
            SigningKey::Private(key, _) => key.sign(content).map_err(|error| error.to_string()),
        };
        let mut draft = Draft {
            head,
            body,
            params: &special.params,
            now,
            key_id: self.key_id.as_deref(),
            fresh: fresh_id(),
            certificates: &self.certificates,
            fields: &self.fields,
            key: &key,
        };
        special.scheme.0.sign(&mut draft).map_err(SignError::new)?;
        Ok(draft.body)
    }

    /// The bytes of the signature, or of the token.
    fn signature(
        &self,
        head: &request::Parts,
        body: &Bytes,
        now: i64,
    ) -> Result<Vec<u8>, SignError> {
        if let (Keying::Token, SigningKey::Secret(state)) =
            (self.scheme.algorithm.keying(), &*self.key)
        {
            return Ok(state.key.to_vec());
        }
        let lines = self.table.look_up(&Head::from(head));
        let refused =
            |reason| SignError::new(format!("a receiver would refuse the request: {reason}"));
        let mut parsed = ParsedHead::default();
        let read = self.scheme.parse_head(&mut parsed, &lines, now, None);
        read.map_err(refused)?;
        let body = BodyInput::new(body.clone(), &self.body);
        let feed = |content: &mut dyn Update, key: &[u8]| {
            let values = Values {
                key,
                head: &parsed.values,
            };
            self.scheme.content.feed(content, values, &body)
        };
        let signed = match &*self.key {
            SigningKey::Secret(state) => state.proof.hasher().and_then(|hasher| {
                let tag = hasher.hash(&mut |hash| feed(hash, &state.key))?;
                Some(Ok(tag.as_bytes().to_vec()))
            }),
            #[cfg(feature = "asymmetric")]
            SigningKey::Private(key, lead) => {
                let mut message = lead.clone();
                feed(&mut message, &[]).map(|()| key.sign(&message.0))
            }
        };
        let signed: Option<Result<Vec<u8>, SetupError>> = signed;
        match signed {
            Some(signature) => signature.map_err(|error| SignError::new(error.to_string())),
            None => {
                let missing = self.scheme.content.missing_value(&body);
                let missing = missing.unwrap_or_else(|| "a value".to_owned());
                Err(SignError::new(format!(
                    "the body lacks {missing}, which the scheme signs, or has it twice"
                )))
            }
        }
    }

    fn put_signature(
        &self,
        text: &str,
        now: i64,
        head: &mut request::Parts,
        body: Bytes,
    ) -> Result<Bytes, SignError> {
        let value = self.scheme.signature_value(text, now, &self.fields);
        if let Some(elsewhere) = &self.scheme.head.elsewhere {
            return self.put(elsewhere, &value, Value::Text, head, body);
        }
        let value = HeaderValue::from_str(&value);
        let header = self.scheme.signature_header().cloned().zip(value.ok());
        let (name, value) = header
            .ok_or_else(|| SignError::new("the signature header cannot hold these fields"))?;
        head.headers.insert(name, value);
        Ok(body)
    }

    /// Sets a value that is not in a header.
    fn put(
        &self,
        elsewhere: &Elsewhere,
        value: &str,
        kind: Value,
        head: &mut request::Parts,
        body: Bytes,
    ) -> Result<Bytes, SignError> {
        let name = &elsewhere.name;
        let Some(index) = elsewhere.in_body() else {
            head.uri = with_query(&head.uri, name, value)
                .ok_or_else(|| SignError::new(format!("the URI cannot hold {name}")))?;
            return Ok(body);
        };
        let source = self.body.source(index);
        let put = source.and_then(|source| with_value(source, value, kind, &body));
        put.ok_or_else(|| {
            SignError::new(format!(
                "the body is neither JSON nor a form in which {name} could be set"
            ))
        })
    }
}

impl SigningKey {
    fn new(scheme: &CompiledScheme, secret: &Secret) -> Result<Self, SetupError> {
        if secret.is_public {
            let error = SetupError::new(
                "it is a public key, which cannot sign; set the private key that belongs to it",
            );
            return Err(error.within(secret.place()));
        }
        #[cfg(feature = "asymmetric")]
        if scheme.algorithm.keying() == Keying::Public {
            let key = secret.private_key(scheme.algorithm)?;
            let mut lead = Message::default();
            if scheme.content.schedule(&mut lead, &[]).is_none() {
                unreachable!("only secrets can be impossible to sign");
            }
            return Ok(Self::Private(key, lead));
        }
        secret.check_kind()?;
        let state = secret.key_state(scheme)?;
        Ok(Self::Secret(Box::new(state)))
    }
}

/// Generates a unique id.
fn fresh_id() -> String {
    static CALLS: AtomicU64 = AtomicU64::new(0);
    let call = CALLS.fetch_add(1, Ordering::Relaxed);
    let id = Sha256::digest(format!("{call} {} {:?}", std::process::id(), clock::now()));
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
    #[expect(clippy::needless_pass_by_value, reason = "an argument of map_err")]
    pub(crate) fn invalid(error: http::Error) -> Self {
        Self::new(error.to_string())
    }

    pub(crate) fn new(message: impl Into<String>) -> Self {
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
