//! [`TestSender`]: a sender of a provider's requests, with a key of its own.

use std::{fmt, time::SystemTime};

use bytes::Bytes;
use http::{Request, request::Builder};

use crate::{
    clock,
    compiled::scheme::CompiledScheme,
    error::{SetupError, shown},
    head::Head,
    keys::secret::Secret,
    provider::Provider,
    providers,
    scheme::{definition::Coverage, timestamp::Tolerance},
    sign::{SignError, Signer},
    test_util::{key::TestKey, sample},
    verify::verifier::Verifier,
};

/// The registered URL of the endpoint, for a provider that signs it.
const URL: &str = "https://example.com/webhooks";

/// A provider, as it sends to your endpoint: with a key that is made for the test, genuine
/// requests, and requests that have to be refused.
///
/// ```
/// use http::Request;
/// use tower_webhook::{test_util::TestSender, verify::Head};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let sender = TestSender::new("stripe")?;
/// let verifier = sender.verifier()?;
/// let verify = |request: Request<bytes::Bytes>| {
///     let (head, body) = request.into_parts();
///     verifier.verify(&Head::from(&head), body, std::time::SystemTime::now())
/// };
///
/// let signed = sender.signed(Request::post("/webhooks/stripe"), r#"{"id":"evt_1"}"#)?;
/// assert_eq!(verify(signed)?.delivery_id(), Some("evt_1"));
///
/// for (forgery, request) in sender.forgeries(Request::post("/webhooks/stripe"), "{}")? {
///     assert!(verify(request).is_err(), "{forgery}");
/// }
/// # Ok(())
/// # }
/// ```
///
/// The same provider always gets the same key, so a configuration file of the tests can have it:
/// see [`secret_text`](Self::secret_text).
#[derive(Clone)]
pub struct TestSender {
    provider: Provider,
    key: TestKey,
    pub(super) signer: Signer,
    /// Signs with a key that is not the receiver's.
    pub(super) other: Option<Signer>,
    pub(super) coverage: Coverage,
    pub(super) tolerance: Option<Tolerance>,
    /// Whether code reads the requests.
    pub(super) is_special: bool,
    /// The parameters of the query that the provider signs.
    query: Vec<String>,
    time: Option<SystemTime>,
}

impl TestSender {
    /// A sender of the built-in provider of this name, or alias.
    ///
    /// Parameters that the provider needs have values such as `test-client_id`, and the URL of the
    /// endpoint is `https://example.com/webhooks`. A body that the provider does not sign is
    /// accepted. Where your endpoint has other parameters, use [`of`](Self::of).
    ///
    /// # Errors
    ///
    /// When there is no such provider, or when it signs in a way that is only verified here, such
    /// as RSA with SHA-1; and without the feature `asymmetric` or `jwt` that it needs.
    pub fn new(name: &str) -> Result<Self, SetupError> {
        let Some(mut provider) = providers::by_name(name) else {
            return Err(SetupError::new(format!(
                "there is no provider {}; providers::find searches all names",
                shown(name)
            )));
        };
        let names: Vec<String> = {
            let schemes = provider.schemes();
            schemes.flat_map(|scheme| scheme.param_names()).collect()
        };
        for name in names {
            if provider.clone().with_any_coverage().compile().is_ok() {
                break;
            }
            if provider.param(&name).is_none() {
                let value = match &*name {
                    "url" => URL.to_owned(),
                    name => format!("test-{name}"),
                };
                provider = provider.with_param(name, value);
            }
        }
        let compiled = provider.clone().with_any_coverage().compile()?;
        let is_signed = |scheme: &CompiledScheme| scheme.coverage == Coverage::Body;
        if !compiled.schemes.iter().all(is_signed) {
            provider = provider.accept_unsigned_body();
        }
        Self::of(provider)
    }

    /// A sender of this provider, with the parameters and the variant that your endpoint has.
    ///
    /// # Errors
    ///
    /// As for [`Verifier::new`], and when the provider signs in a way that is only verified here.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "it takes a provider as a verifier does"
    )]
    pub fn of(provider: Provider) -> Result<Self, SetupError> {
        Self::with_keys(&provider, TestKey::new)
    }

    /// Uses a secret of your own. Only for a provider that has secrets, and no public keys.
    ///
    /// # Errors
    ///
    /// When the secret is not of the form that the provider needs.
    pub fn with_secret(self, secret: impl Into<String>) -> Result<Self, SetupError> {
        let secret = secret.into();
        let with_secret = Self::with_keys(&self.provider, |scheme, name| {
            TestKey::of_secret(scheme, &secret, name)
        })?;
        Ok(Self {
            time: self.time,
            ..with_secret
        })
    }

    /// A sender with the keys of the first variant that can be signed.
    fn with_keys(
        provider: &Provider,
        key: impl Fn(&CompiledScheme, &str) -> Result<TestKey, SetupError>,
    ) -> Result<Self, SetupError> {
        let compiled = provider.compile()?;
        let mut first = None;
        for scheme in compiled.schemes {
            let sender = key(&scheme, provider.name()).and_then(|key| {
                Verifier::new(provider.clone(), key.receiver.key())?;
                let signer = |key| {
                    let signer = Signer::new(provider.clone(), key)?;
                    let fields = scheme.signed_field_names();
                    Ok::<_, SetupError>(
                        fields.fold(signer, |signer, name| signer.with_field(name, sample::TEXT)),
                    )
                };
                Ok(Self {
                    signer: signer(key.sender.key())?,
                    other: key
                        .other
                        .as_ref()
                        .map(|other| signer(other.key()))
                        .transpose()?,
                    coverage: scheme.coverage,
                    tolerance: scheme.tolerance,
                    is_special: scheme.special.is_some(),
                    query: scheme.signed_query().map(str::to_owned).collect(),
                    provider: provider.clone(),
                    time: None,
                    key,
                })
            });
            match sender {
                Ok(sender) => return Ok(sender),
                Err(error) => first = first.or(Some(error)),
            }
        }
        Err(first.unwrap_or_else(|| SetupError::new("the provider has no scheme")))
    }

    /// Signs with this time instead of that of the system, for a receiver with a clock of its own.
    #[must_use]
    pub fn with_time(mut self, time: SystemTime) -> Self {
        self.time = Some(time);
        self
    }

    /// The provider, with its parameters, for [`Verifier::new`].
    #[must_use]
    pub fn provider(&self) -> Provider {
        self.provider.clone()
    }

    /// What the receiver is configured with: the secret, or the public key.
    #[must_use]
    pub fn key(&self) -> Secret {
        self.key.receiver.key()
    }

    /// The [`key`](Self::key) as text, for an environment variable or a file: the secret as the
    /// provider shows it, or the public key as PEM.
    ///
    /// ```
    /// use tower_webhook::test_util::TestSender;
    ///
    /// assert!(TestSender::new("svix")?.secret_text().starts_with("whsec_"));
    /// # Ok::<_, tower_webhook::SetupError>(())
    /// ```
    #[must_use]
    pub fn secret_text(&self) -> &str {
        &self.key.receiver.text
    }

    /// A verifier that accepts the genuine requests.
    ///
    /// # Errors
    ///
    /// As for [`Verifier::new`].
    pub fn verifier(&self) -> Result<Verifier, SetupError> {
        Verifier::new(self.provider(), self.key())
    }

    /// A `POST` to a path, with a value for each parameter of the query that the provider signs.
    ///
    /// ```
    /// use tower_webhook::test_util::TestSender;
    ///
    /// let sender = TestSender::new("mercado-pago")?;
    /// assert_eq!(sender.post("/hooks").uri_ref().unwrap(), "/hooks?data.id=test");
    /// let sender = TestSender::new("github")?;
    /// assert_eq!(sender.post("/hooks").uri_ref().unwrap(), "/hooks");
    /// # Ok::<_, tower_webhook::SetupError>(())
    /// ```
    #[must_use]
    pub fn post(&self, path: &str) -> Builder {
        let names = self.query.iter();
        let query: Vec<String> = names
            .map(|name| format!("{name}={}", sample::TEXT))
            .collect();
        match query.is_empty() {
            true => Request::post(path),
            false => Request::post(format!("{path}?{}", query.join("&"))),
        }
    }

    /// A body that the provider could have sent, with every value that it signs.
    ///
    /// For an identity vendor it is an event about a person: see
    /// [`IdentityEvent`](crate::test_util::IdentityEvent) for others.
    ///
    /// # Errors
    ///
    /// When no body can be made for the provider. Pass a body of yours to [`signed`](Self::signed).
    pub fn body(&self) -> Result<Bytes, SignError> {
        let candidates = sample::bodies(&self.provider);
        let mut candidates = candidates.into_iter();
        let found = candidates.find(|body| {
            let signed = self.signed(self.post("/"), body.clone());
            signed.is_ok_and(|request| self.accepts(request))
        });
        found.ok_or_else(|| SignError::new("the provider needs a body of its own; pass one"))
    }

    /// The request, signed now. A value that the provider has in the body, such as a token, is set
    /// in it. Parameters of the query that the provider signs have to be in the request: see
    /// [`post`](Self::post).
    ///
    /// # Errors
    ///
    /// As for [`Signer::sign_body`].
    pub fn signed(
        &self,
        request: Builder,
        body: impl Into<Bytes>,
    ) -> Result<Request<Bytes>, SignError> {
        let request = request.body(body.into()).map_err(SignError::invalid)?;
        self.sign(&self.signer, request, self.now())
    }

    /// Another attempt to deliver the event of a signed request: the same headers and the same
    /// body, signed anew. An exact repetition is a clone of the request.
    ///
    /// ```
    /// use http::Request;
    /// use tower_webhook::test_util::TestSender;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let sender = TestSender::new("standard-webhooks")?;
    /// let first = sender.signed(Request::post("/"), "{}")?;
    /// let later = sender.with_time(std::time::SystemTime::UNIX_EPOCH).retried(&first)?;
    /// assert_eq!(first.headers()["webhook-id"], later.headers()["webhook-id"]);
    /// assert_ne!(first.headers()["webhook-timestamp"], later.headers()["webhook-timestamp"]);
    /// assert_ne!(first.headers()["webhook-signature"], later.headers()["webhook-signature"]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`Signer::resign`].
    pub fn retried(&self, request: &Request<Bytes>) -> Result<Request<Bytes>, SignError> {
        let signer = self.signer.clone().with_time(self.now());
        signer.resign(request.clone())
    }

    pub(super) fn sign(
        &self,
        signer: &Signer,
        request: Request<Bytes>,
        time: SystemTime,
    ) -> Result<Request<Bytes>, SignError> {
        signer.clone().with_time(time).sign_request(request)
    }

    pub(super) fn accepts(&self, request: Request<Bytes>) -> bool {
        let (head, body) = request.into_parts();
        let verifier = self.verifier();
        verifier.is_ok_and(|verifier| {
            verifier
                .verify(&Head::from(&head), body, self.now())
                .is_ok()
        })
    }

    #[cfg(feature = "config")]
    pub(super) fn key_id(&self) -> Option<&str> {
        self.key.receiver.id
    }

    #[cfg(feature = "config")]
    pub(super) fn is_public(&self) -> bool {
        self.key.receiver.is_public
    }

    pub(super) fn now(&self) -> SystemTime {
        self.time.unwrap_or_else(clock::now)
    }
}

/// Shows the name of the provider, and no key.
impl fmt::Debug for TestSender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestSender")
            .field("provider", &self.provider.name())
            .finish_non_exhaustive()
    }
}
