//! [`Scheme`]: how a provider signs.

use std::{borrow::Cow, fmt};

#[cfg(feature = "certificates")]
use crate::scheme::certificates::CertificateRule;
use crate::scheme::{
    algorithm::Algorithm,
    locator::Locator,
    secret_format::SecretFormat,
    signature::SignatureFormat,
    special::Special,
    template::{self, Segment, Token},
    timestamp::{Timestamp, Tolerance},
    token::TokenFormat,
};

/// What NIST SP 800-131A allows for new signatures.
const MIN_RSA_BITS: usize = 2048;

/// How a provider signs. See the [module](crate::scheme) for the terms.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Scheme {
    pub(crate) algorithm: Algorithm,
    pub(crate) signed: Cow<'static, str>,
    pub(crate) signature: SignatureFormat,
    pub(crate) timestamp: Option<Timestamp>,
    pub(crate) secret_format: SecretFormat,
    pub(crate) require: Vec<(Cow<'static, str>, Cow<'static, str>)>,
    pub(crate) families: Vec<Cow<'static, str>>,
    pub(crate) coverage: Coverage,
    pub(crate) min_rsa_bits: usize,
    pub(crate) is_basic: bool,
    /// The header with the id of the key.
    pub(crate) key_id: Option<Cow<'static, str>>,
    /// What reads a request instead of the template.
    pub(crate) special: Option<Special>,
}

/// How much of the request a signature must cover.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Coverage {
    /// The whole body: the signed content must include `{body}`.
    #[default]
    Body,
    /// Only parts of the request. **Anybody who has captured a request can change the rest.**
    Partial,
    /// Nothing of the body. **Anybody who has captured a request can send any other body.**
    None,
}

/// `body`, `partial` or `none`.
impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Body => "body",
            Self::Partial => "partial",
            Self::None => "none",
        })
    }
}

impl Scheme {
    /// A request that contains the secret, as an API key or the password of Basic: no signature.
    ///
    /// **It covers nothing of the request.** Whoever sees one, in a proxy's log for example, can
    /// send any other. An endpoint has to accept that: see
    /// [`Provider::accept_unsigned_body`](crate::Provider::accept_unsigned_body). The comparison is
    /// one of digests, and takes the same time wherever the tokens differ.
    ///
    /// ```
    /// use tower_webhook::{Provider, Scheme, Secret, Verifier, verify::Head};
    /// use tower_webhook::scheme::{Locator, TokenFormat};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let bearer = TokenFormat::plain().with_prefix("Bearer ");
    /// let scheme = Scheme::token(Locator::header("Authorization"), bearer);
    /// let acme = Provider::new("acme", scheme).accept_unsigned_body();
    /// let verifier = Verifier::new(acme, Secret::new("a-token-of-some-length"))?;
    ///
    /// let headers = [("Authorization", "Bearer a-token-of-some-length")];
    /// let now = std::time::SystemTime::UNIX_EPOCH;
    /// assert!(verifier.verify(&Head::new(&headers), "{}", now).is_ok());
    /// let headers = [("Authorization", "Bearer another-token")];
    /// assert!(verifier.verify(&Head::new(&headers), "{}", now).is_err());
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn token(place: Locator, format: TokenFormat) -> Self {
        let mut signature = SignatureFormat::single(place, format.encoding);
        if let Some(prefix) = format.prefix {
            signature = signature.with_prefix(prefix);
        }
        let mut scheme = Self::signed(Algorithm::Token, "", signature);
        scheme.coverage = Coverage::None;
        scheme.is_basic = format.is_basic;
        scheme
    }

    /// Adds an alternative place of the token of [`token`](Self::token). All have to be headers.
    #[must_use]
    pub fn or_token_at(mut self, place: Locator) -> Self {
        self.signature = self.signature.or_place(place);
        self
    }

    /// A scheme whose signed content is the template `signed` (see the [module](crate::scheme)),
    /// and whose secret is plain text.
    #[must_use]
    pub fn signed(
        algorithm: Algorithm,
        signed: impl Into<Cow<'static, str>>,
        signature: SignatureFormat,
    ) -> Self {
        Self {
            algorithm,
            signed: signed.into(),
            signature,
            timestamp: None,
            secret_format: SecretFormat::text(),
            require: Vec::new(),
            families: Vec::new(),
            coverage: Coverage::Body,
            min_rsa_bits: MIN_RSA_BITS,
            is_basic: false,
            key_id: None,
            special: None,
        }
    }

    /// Sets where the timestamp of a request is found. If it is not part of the signed content, it
    /// can only cause a request to be rejected; it never proves freshness.
    #[must_use]
    pub fn with_timestamp(mut self, timestamp: Timestamp) -> Self {
        self.timestamp = Some(timestamp);
        self
    }

    /// Sets the format of the secret. The default is plain text.
    #[must_use]
    pub fn with_secret_format(mut self, format: SecretFormat) -> Self {
        self.secret_format = format;
        self
    }

    /// Requires a header to occur exactly once and to equal `value`, compared in constant time. The
    /// value may contain `{param:name}`.
    #[must_use]
    pub fn with_required_header(
        mut self,
        name: impl Into<Cow<'static, str>>,
        value: impl Into<Cow<'static, str>>,
    ) -> Self {
        self.require.push((name.into(), value.into()));
        self
    }

    /// Sets alternative prefixes for header names, such as `["svix-", "webhook-"]`. The first one
    /// is the prefix that the scheme uses. A request uses one prefix for all these headers, never a
    /// mix.
    #[must_use]
    pub fn with_header_families<P: Into<Cow<'static, str>>>(
        mut self,
        prefixes: impl IntoIterator<Item = P>,
    ) -> Self {
        self.families = prefixes.into_iter().map(Into::into).collect();
        self
    }

    /// Sets how much of the request the signature must cover. The default is the whole body.
    #[must_use]
    pub fn with_coverage(mut self, coverage: Coverage) -> Self {
        self.coverage = coverage;
        self
    }

    /// Accepts RSA keys with fewer bits than 2048, for a provider that has no other. At least 1024
    /// are always required.
    #[must_use]
    pub fn with_min_rsa_bits(mut self, bits: usize) -> Self {
        self.min_rsa_bits = bits;
        self
    }

    /// Sets the header in which a request names its key. It is required, and a key of the endpoint
    /// that has another [id](crate::Secret::with_id) is not tried; one without an id always is.
    ///
    /// ```
    /// use std::time::UNIX_EPOCH;
    /// use tower_webhook::{Provider, Scheme, Secret, Signer, Verifier, verify::Head};
    /// use tower_webhook::scheme::{Algorithm, Encoding, SignatureFormat};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let signature = SignatureFormat::single("Acme-Signature", Encoding::Hex);
    /// let scheme = Scheme::signed(Algorithm::HmacSha256, "{body}", signature);
    /// let acme = Provider::new("acme", scheme.with_key_id("Acme-Key"));
    /// let secret = Secret::new("a-secret-of-some-length").with_id("2026-11");
    ///
    /// let signer = Signer::new(acme.clone(), secret.clone())?;
    /// let (mut head, body) = signer.sign(http::Request::post("/"), "{}")?.into_parts();
    /// assert_eq!(head.headers["acme-key"], "2026-11");
    ///
    /// let verifier = Verifier::new(acme, secret)?;
    /// assert!(verifier.verify(&Head::from(&head), body, UNIX_EPOCH).is_ok());
    /// head.headers.insert("acme-key", "2026-12".parse()?);
    /// assert!(verifier.verify(&Head::from(&head), body, UNIX_EPOCH).is_err());
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn with_key_id(mut self, header: impl Into<Cow<'static, str>>) -> Self {
        self.key_id = Some(header.into());
        self
    }

    /// The same under another algorithm, whose signatures have another prefix in the list.
    pub(crate) fn in_version(mut self, algorithm: Algorithm, prefix: &'static str) -> Self {
        self.algorithm = algorithm;
        self.signature = self.signature.with_prefix(prefix);
        self
    }

    /// Lets code say what is signed, instead of the template.
    pub(crate) fn with_special(mut self, special: Special) -> Self {
        self.special = Some(special);
        self
    }

    /// Which certificates vouch for its keys; `None` if nothing but the endpoint does.
    #[cfg(feature = "certificates")]
    pub(crate) fn certificates(&self) -> Option<&'static CertificateRule> {
        self.special.as_ref()?.0.certificates()
    }

    pub(crate) fn is_basic(&self) -> bool {
        self.is_basic
    }

    pub(crate) fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// How far the timestamp may be from the current time; `None` for a scheme without a timestamp.
    #[must_use]
    pub fn tolerance(&self) -> Option<Tolerance> {
        let timestamp = self.timestamp.as_ref();
        let special = || self.special.as_ref()?.0.tolerance();
        timestamp
            .map(|timestamp| timestamp.tolerance)
            .or_else(special)
    }
}

impl Scheme {
    /// Whether the method or a part of the query is signed.
    #[cfg(feature = "tower")]
    pub(crate) fn signs_request_line(&self) -> bool {
        let segments = template::parse(&self.signed).unwrap_or_default();
        let special = self.special.as_ref();
        special.is_some_and(|special| special.0.signs_request_line())
            || segments.iter().any(|segment| {
                matches!(segment, Segment::Token(Token::Method | Token::Query(_), _))
            })
    }

    /// The names of all parameters in use. An invalid template counts as using none; building the
    /// verifier reports it.
    pub(crate) fn param_names(&self) -> Vec<String> {
        let special = self.special.iter();
        let special = special.flat_map(|special| special.0.params().into_iter().map(Into::into));
        self.template_params().into_iter().chain(special).collect()
    }

    /// Those of them that are in templates, each of which needs a value.
    pub(crate) fn template_params(&self) -> Vec<String> {
        let required = self.require.iter().map(|(_, value)| value);
        let places = self.signature.places.iter().flat_map(Locator::texts);
        let time = self.timestamp.iter().flat_map(|time| time.place.texts());
        std::iter::once(&self.signed)
            .chain(required)
            .chain(places)
            .chain(time)
            .chain(self.signature.grammar.prefixes())
            .flat_map(|text| template::parse(text).unwrap_or_default())
            .filter_map(|segment| match segment {
                Segment::Token(Token::Param(name), _) => Some(name.into()),
                Segment::Token(Token::Url, _) => Some("url".to_owned()),
                _ => None,
            })
            .collect()
    }
}

impl fmt::Debug for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The required value of a header may be a credential.
        let require: Vec<_> = self.require.iter().map(|(header, _)| header).collect();
        let mut shown = f.debug_struct("Scheme");
        shown
            .field("algorithm", &self.algorithm)
            .field("signed", &self.signed)
            .field("signature", &self.signature)
            .field("timestamp", &self.timestamp)
            .field("secret_format", &self.secret_format)
            .field("require", &require)
            .field("families", &self.families)
            .field("coverage", &self.coverage);
        if let Some(header) = &self.key_id {
            shown.field("key_id", header);
        }
        if let Some(special) = &self.special {
            shown.field("special", special);
        }
        shown.finish()
    }
}
