//! [`JwtFormat`]: a JSON Web Token ([RFC 7519](https://www.rfc-editor.org/rfc/rfc7519)) that vouches for
//! a request.

use std::{borrow::Cow, sync::Arc, time::Duration};

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use http::Uri;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::{
    clock::UnixTime,
    error::SetupError,
    json::{self, Object},
    rejection::{Reason, kind::RejectionKind},
    scheme::{
        algorithm::Algorithm,
        definition::{Coverage, Scheme},
        encoding::Encoding,
        params::{Params, parameter},
        signature::SignatureFormat,
        special::{Draft, Special, SpecialHead, SpecialRequest, SpecialScheme, Statement},
        timestamp::{Outside, Tolerance},
    },
};

/// Where a JSON Web Token is, and what it has to say.
///
/// Whatever the token says, the algorithm is the one of the [scheme](Scheme::jwt), and the keys are
/// those of the endpoint: keys and addresses of keys in the token (`jwk`, `jku`, `x5c`, `x5u`) are
/// ignored. If the token names a key (`kid`), only keys of the endpoint with this id, and those
/// without an id, are tried. A token with `crit` is refused, and so is one with a name twice. `exp`
/// and `nbf` are checked if they are there.
///
/// ```
/// use std::time::{Duration, UNIX_EPOCH};
/// use tower_webhook::{Provider, Scheme, Secret, Signer, Verifier, verify::Head};
/// use tower_webhook::scheme::{Algorithm, Encoding, JwtFormat};
///
/// # #[cfg(not(feature = "jwt"))]
/// # fn main() {}
/// # #[cfg(feature = "jwt")]
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let format = JwtFormat::header("Authorization")
///     .with_prefix("Bearer ")
///     .with_claim("iss", "acme")
///     .with_param_claim("aud", "audience")
///     .with_body_hash("body_sha256", Encoding::Hex)
///     .with_max_age(Duration::from_secs(300));
/// let acme = Provider::new("acme", Scheme::jwt(Algorithm::HmacSha256, format))
///     .with_param("audience", "our-service");
///
/// let secret = Secret::new("a-secret-of-some-length");
/// let now = UNIX_EPOCH + Duration::from_secs(1_700_000_000);
/// let signer = Signer::new(acme.clone(), secret.clone())?.with_time(now);
/// let (head, body) = signer.sign(http::Request::post("/"), r#"{"id":7}"#)?.into_parts();
///
/// let verifier = Verifier::new(acme, secret)?;
/// assert!(verifier.verify(&Head::from(&head), body, now).is_ok());
/// assert!(verifier.verify(&Head::from(&head), r#"{"id":8}"#, now).is_err());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[must_use]
pub struct JwtFormat {
    /// `None` if the token is the body.
    header: Option<Cow<'static, str>>,
    prefix: Option<Cow<'static, str>>,
    is_detached: bool,
    claims: Vec<(Cow<'static, str>, Expected)>,
    required: Vec<Cow<'static, str>>,
    body_hash: Option<(Cow<'static, str>, Encoding)>,
    /// Whether the hash may be missing if the body is empty.
    is_optional_for_none: bool,
    url_hash: Option<(Cow<'static, str>, Encoding)>,
    url_claim: Option<Cow<'static, str>>,
    body_claim: Option<Cow<'static, str>>,
    max_age: Option<u64>,
    leeway: u64,
    /// Whether every token is a delivery.
    is_by_token: bool,
}

/// The value of a claim.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Expected {
    Text(Cow<'static, str>),
    True,
    /// The value of a parameter.
    Param(Cow<'static, str>),
}

impl JwtFormat {
    /// The token is the value of a header.
    pub fn header(name: impl Into<Cow<'static, str>>) -> Self {
        Self::at(Some(name.into()))
    }

    /// The token is the body, which it covers: what the sender says is in the claims.
    pub fn body() -> Self {
        Self::at(None)
    }

    fn at(header: Option<Cow<'static, str>>) -> Self {
        Self {
            header,
            prefix: None,
            is_detached: false,
            claims: Vec::new(),
            required: Vec::new(),
            body_hash: None,
            is_optional_for_none: false,
            url_hash: None,
            url_claim: None,
            body_claim: None,
            max_age: None,
            leeway: 0,
            is_by_token: false,
        }
    }

    /// Sets what precedes the token, such as `Bearer `, in either case.
    pub fn with_prefix(mut self, prefix: impl Into<Cow<'static, str>>) -> Self {
        self.prefix = Some(prefix.into());
        self
    }

    /// The payload segment of the token is empty, and the body stands in its place ([RFC 7515,
    /// appendix F](https://www.rfc-editor.org/rfc/rfc7515#appendix-F)). There are no claims.
    pub fn detached(mut self) -> Self {
        self.is_detached = true;
        self
    }

    /// Requires a claim to be this text, or a list that contains it.
    pub fn with_claim(
        mut self,
        claim: impl Into<Cow<'static, str>>,
        value: impl Into<Cow<'static, str>>,
    ) -> Self {
        self.claims
            .push((claim.into(), Expected::Text(value.into())));
        self
    }

    /// Requires a claim to be `true`.
    pub fn with_true_claim(mut self, claim: impl Into<Cow<'static, str>>) -> Self {
        self.claims.push((claim.into(), Expected::True));
        self
    }

    /// Requires a claim to be the value of a parameter of the provider, or a list that contains it.
    /// The endpoint has to set the parameter.
    pub fn with_param_claim(
        mut self,
        claim: impl Into<Cow<'static, str>>,
        param: impl Into<Cow<'static, str>>,
    ) -> Self {
        self.claims
            .push((claim.into(), Expected::Param(param.into())));
        self
    }

    /// Requires a claim to be there.
    pub fn with_required_claim(mut self, claim: impl Into<Cow<'static, str>>) -> Self {
        self.required.push(claim.into());
        self
    }

    /// Requires a claim to be the SHA-256 of the body. Without this,
    /// [`with_body_claim`](Self::with_body_claim) or [`detached`](Self::detached), the body is [not
    /// covered](Coverage::None).
    pub fn with_body_hash(
        mut self,
        claim: impl Into<Cow<'static, str>>,
        encoding: Encoding,
    ) -> Self {
        self.body_hash = Some((claim.into(), encoding));
        self
    }

    /// Accepts a token without the hash of the body if the body is empty.
    pub fn or_empty_body(mut self) -> Self {
        self.is_optional_for_none = true;
        self
    }

    /// Requires a claim to be the SHA-256 of the URL, which is the parameter `url`.
    pub fn with_url_hash(
        mut self,
        claim: impl Into<Cow<'static, str>>,
        encoding: Encoding,
    ) -> Self {
        self.url_hash = Some((claim.into(), encoding));
        self
    }

    /// Requires a claim to be the URL, which is the parameter `url`.
    pub fn with_url_claim(mut self, claim: impl Into<Cow<'static, str>>) -> Self {
        self.url_claim = Some(claim.into());
        self
    }

    /// Requires a claim to be the body, as text.
    pub fn with_body_claim(mut self, claim: impl Into<Cow<'static, str>>) -> Self {
        self.body_claim = Some(claim.into());
        self
    }

    /// Requires `iat`, and that it is at most this far from the clock, in whole seconds. The
    /// tolerance of an endpoint replaces it.
    pub fn with_max_age(mut self, age: Duration) -> Self {
        self.max_age = Some(age.as_secs());
        self
    }

    /// Sets for how long a token is accepted before `nbf` and after `exp`, in whole seconds. The
    /// default is zero.
    pub fn with_leeway(mut self, leeway: Duration) -> Self {
        self.leeway = leeway.as_secs();
        self
    }

    /// Takes every token for another delivery, for a provider whose bodies may be the same each
    /// time.
    pub(crate) fn by_token(mut self) -> Self {
        self.is_by_token = true;
        self
    }

    fn coverage(&self) -> Coverage {
        let is_covered = self.header.is_none()
            || self.is_detached
            || self.body_hash.is_some()
            || self.body_claim.is_some();
        if is_covered {
            Coverage::Body
        } else {
            Coverage::None
        }
    }
}

impl Scheme {
    /// A JSON Web Token in a header, or as the body. It needs the feature `jwt`, and `asymmetric`
    /// for algorithms with public keys. The algorithm is `HS256` for
    /// [`HmacSha256`](Algorithm::HmacSha256), `ES256` for
    /// [`EcdsaP256Sha256Fixed`](Algorithm::EcdsaP256Sha256Fixed), `RS256` for
    /// [`RsaPkcs1Sha256`](Algorithm::RsaPkcs1Sha256), `EdDSA` for [`Ed25519`](Algorithm::Ed25519),
    /// and so on; others have none.
    #[must_use]
    pub fn jwt(algorithm: Algorithm, format: JwtFormat) -> Self {
        let signature = match &format.header {
            Some(header) => SignatureFormat::single(header.clone(), Encoding::Base64Url),
            None => SignatureFormat::found_by_code(Encoding::Base64Url),
        };
        let coverage = format.coverage();
        let scheme = Self::signed(algorithm, "", signature).with_coverage(coverage);
        scheme.with_special(Special(Arc::new(Jwt { algorithm, format })))
    }
}

/// The `alg` of a token.
const NAMES: [(&str, Algorithm); 10] = [
    ("HS256", Algorithm::HmacSha256),
    ("HS384", Algorithm::HmacSha384),
    ("HS512", Algorithm::HmacSha512),
    ("RS256", Algorithm::RsaPkcs1Sha256),
    ("RS384", Algorithm::RsaPkcs1Sha384),
    ("RS512", Algorithm::RsaPkcs1Sha512),
    ("ES256", Algorithm::EcdsaP256Sha256Fixed),
    ("ES384", Algorithm::EcdsaP384Sha384Fixed),
    ("ES512", Algorithm::EcdsaP521Sha512Fixed),
    ("EdDSA", Algorithm::Ed25519),
];

/// The algorithms of JSON Web Tokens, by the names that tokens have for them.
#[cfg(feature = "config")]
pub(crate) fn algorithm(name: &str) -> Option<Algorithm> {
    let known = NAMES.iter().find(|(known, _)| *known == name);
    known.map(|(_, algorithm)| *algorithm)
}

/// The names of all algorithms.
#[cfg(feature = "config")]
pub(crate) fn algorithms() -> impl Iterator<Item = &'static str> {
    NAMES.iter().map(|(name, _)| *name)
}

#[derive(Clone, Debug)]
struct Jwt {
    algorithm: Algorithm,
    format: JwtFormat,
}

impl Jwt {
    fn name(&self) -> Option<&'static str> {
        let known = NAMES.iter().find(|(_, known)| *known == self.algorithm);
        known.map(|(name, _)| *name)
    }

    fn needs_url(&self) -> bool {
        self.format.url_hash.is_some() || self.format.url_claim.is_some()
    }

    /// The claims whose values the settings of the endpoint give.
    fn expected(&self, params: &Params) -> Vec<(Cow<'static, str>, Value)> {
        let url = params.get("url").map_or("", |url| &**url);
        let claims = self.format.claims.iter().map(|(claim, expected)| {
            let value = match expected {
                Expected::Text(text) => Value::String(text.clone().into_owned()),
                Expected::True => Value::Bool(true),
                Expected::Param(name) => {
                    Value::String(params.get(name).map_or("", |value| &**value).to_owned())
                }
            };
            (claim.clone(), value)
        });
        let url_claim = self.format.url_claim.iter();
        let url_claim = url_claim.map(|claim| (claim.clone(), Value::String(url.to_owned())));
        let url_hash = self.format.url_hash.iter().map(|(claim, encoding)| {
            let hash = encoded(*encoding, &Sha256::digest(url));
            (claim.clone(), Value::String(hash))
        });
        claims.chain(url_claim).chain(url_hash).collect()
    }

    fn check_claims(&self, claims: &Object, receiver: &Receiver) -> Result<Option<i64>, Reason> {
        let format = &self.format;
        for (claim, expected) in self.expected(&receiver.params) {
            let found = claims.get(&*claim).ok_or_else(|| missing(&claim))?;
            let is_it = match found {
                Value::Array(items) => items.contains(&expected),
                found => *found == expected,
            };
            if !is_it {
                return Err(unexpected(&claim));
            }
        }
        if let Some(claim) = format
            .required
            .iter()
            .find(|claim| !claims.contains_key(&***claim))
        {
            return Err(missing(claim));
        }
        let time = |claim: &str| {
            let value = claims.get(claim);
            value.map(|value| seconds(value).ok_or_else(|| malformed_time(claim)))
        };
        let outside = |kind, claim: &str, time: i64| {
            let skew = time.saturating_sub(receiver.now);
            Reason::new(kind).with_field(claim).with_skew(skew)
        };
        let leeway = i64::try_from(format.leeway).unwrap_or(i64::MAX);
        if let Some(expiry) = time("exp").transpose()?
            && receiver.now >= expiry.saturating_add(leeway)
        {
            return Err(outside(RejectionKind::TimestampTooOld, "exp", expiry));
        }
        if let Some(begin) = time("nbf").transpose()?
            && receiver.now < begin.saturating_sub(leeway)
        {
            return Err(outside(RejectionKind::TimestampInFuture, "nbf", begin));
        }
        let issued = time("iat").transpose()?;
        if format.max_age.is_some() {
            let issued = issued.ok_or_else(|| missing("iat"))?;
            let checked = receiver
                .tolerance
                .map(|all| all.check(issued, receiver.now));
            let kind = match checked {
                None | Some(Ok(())) => return Ok(Some(issued)),
                Some(Err(Outside::TooOld)) => RejectionKind::TimestampTooOld,
                Some(Err(Outside::InFuture)) => RejectionKind::TimestampInFuture,
            };
            return Err(outside(kind, "iat", issued));
        }
        Ok(issued)
    }
}

impl SpecialScheme for Jwt {
    fn params(&self) -> Vec<Cow<'static, str>> {
        let claims = self.format.claims.iter();
        let named = claims.filter_map(|(_, expected)| match expected {
            Expected::Param(name) => Some(name.clone()),
            Expected::Text(_) | Expected::True => None,
        });
        named
            .chain(self.needs_url().then_some("url".into()))
            .collect()
    }

    fn check(&self, params: &Params) -> Result<(), SetupError> {
        if !cfg!(feature = "jwt") {
            return Err(SetupError::new(
                "JSON Web Tokens need the feature \"jwt\" of tower-webhook; add it to Cargo.toml",
            ));
        }
        if self.name().is_none() {
            return Err(SetupError::new(format!(
                "algorithm: JSON Web Tokens do not have {}; choose another",
                self.algorithm
            )));
        }
        let format = &self.format;
        let has_claims = !format.claims.is_empty()
            || !format.required.is_empty()
            || format.body_hash.is_some()
            || format.body_claim.is_some()
            || format.max_age.is_some()
            || self.needs_url();
        if format.is_detached && has_claims {
            return Err(SetupError::new(
                "detached: such a token has no claims; remove them, or detached",
            ));
        }
        let is_alone = format.prefix.is_none()
            && !format.is_detached
            && format.body_hash.is_none()
            && format.body_claim.is_none();
        if format.header.is_none() && !is_alone {
            return Err(SetupError::new(
                "body: a token that is the whole body has no prefix and says nothing else of it; remove prefix, detached, \
                 body_hash and body_claim",
            ));
        }
        let params_of_token = self.params();
        let missing = params_of_token.iter().map(|name| parameter(params, name));
        SetupError::all(missing.filter_map(Result::err))?;
        let is_url = |url: &str| {
            let url = url.parse::<Uri>();
            url.is_ok_and(|url| url.scheme().is_some() && url.host().is_some())
        };
        match params.get("url") {
            Some(url) if self.needs_url() && !is_url(url) => Err(SetupError::new(
                "url: it is no URL; set the one that is registered with the provider, from https:// on",
            )),
            _ => Ok(()),
        }
    }

    fn tolerance(&self) -> Option<Tolerance> {
        let age = Duration::from_secs(self.format.max_age?);
        Some(Tolerance::from(age))
    }

    fn has_plain_signature(&self) -> bool {
        false
    }

    #[cfg(feature = "explain")]
    fn token_prefix(&self) -> Option<&str> {
        let prefix = self.format.prefix.as_deref().unwrap_or_default();
        self.format.header.is_some().then_some(prefix)
    }

    #[cfg(feature = "explain")]
    fn with_algorithm(&self, algorithm: Algorithm) -> Option<Special> {
        let format = self.format.clone();
        Some(Special(Arc::new(Self { algorithm, format })))
    }

    fn is_of_head(&self) -> bool {
        self.format.coverage() == Coverage::None
    }

    fn covers_bytes(&self) -> bool {
        !self.format.is_by_token && self.format.header.is_some()
    }

    fn signs_within_body(&self) -> bool {
        self.format.header.is_none()
    }

    fn read(&self, head: &SpecialHead<'_>) -> Result<SpecialRequest, Reason> {
        let receiver = Receiver {
            params: head.params.clone(),
            now: head.now,
            tolerance: head.tolerance,
        };
        let Some(header) = &self.format.header else {
            let jwt = self.clone();
            return Ok(SpecialRequest {
                time: None,
                statements: Box::new(move |body| jwt.read_body(body, &receiver)),
            });
        };
        let value = head.header(header)?;
        let malformed = || self.malformed(value);
        let token = match &self.format.prefix {
            None => Some(value),
            Some(prefix) => value
                .split_at_checked(prefix.len())
                .filter(|(begin, _)| begin.eq_ignore_ascii_case(prefix))
                .map(|(_, token)| token),
        };
        let token = Token::parse(token.ok_or_else(malformed)?).ok_or_else(malformed)?;
        let (claims, time) = self.check_token(&token, &malformed, &receiver)?;
        let key_id: Option<Box<str>> = token.key_id().map(Into::into);
        let body = BoundBody::new(&self.format, &claims)?;
        let (signed, signature) = (token.signed.to_owned(), token.signature);
        let is_detached = self.format.is_detached;
        Ok(SpecialRequest {
            time: time.map(|seconds| UnixTime { seconds, nanos: 0 }),
            statements: Box::new(move |bytes| {
                body.check(bytes)?;
                let mut content = signed.clone().into_bytes();
                if is_detached {
                    content.extend_from_slice(URL_SAFE_NO_PAD.encode(bytes).as_bytes());
                }
                Ok(vec![Statement {
                    contents: vec![content],
                    signatures: Some(vec![signature.clone()]),
                    key_id: key_id.clone(),
                    ..Statement::default()
                }])
            }),
        })
    }

    fn sign(&self, draft: &mut Draft<'_>) -> Result<(), String> {
        let format = &self.format;
        let mut header = Object::new();
        header.insert("alg".to_owned(), self.name().unwrap_or_default().into());
        header.insert("typ".to_owned(), "JWT".into());
        if let Some(id) = draft.key_id {
            header.insert("kid".to_owned(), id.into());
        }
        let segment = |object: &Object| {
            let text = serde_json::to_vec(object).map_err(|error| error.to_string())?;
            Ok::<_, String>(URL_SAFE_NO_PAD.encode(text))
        };
        let header = segment(&header)?;
        let payload = if format.is_detached {
            URL_SAFE_NO_PAD.encode(&draft.body)
        } else {
            segment(&self.claims_for(draft)?)?
        };
        let signature = (draft.key)(format!("{header}.{payload}").as_bytes())?;
        let signature = URL_SAFE_NO_PAD.encode(signature);
        let shown = if format.is_detached { "" } else { &payload };
        let prefix = format.prefix.as_deref().unwrap_or_default();
        let value = format!("{prefix}{header}.{shown}.{signature}");
        let Some(name) = &format.header else {
            return Err("the body of the provider is the token; record a request of the provider for the test".to_owned());
        };
        let name = http::HeaderName::from_bytes(name.as_bytes());
        match (name, value.parse()) {
            (Ok(name), Ok(value)) => {
                draft.head.headers.insert(name, value);
                Ok(())
            }
            _ => Err("the header cannot hold the token".to_owned()),
        }
    }
}

impl Jwt {
    fn malformed(&self, token: &str) -> Reason {
        let reason = Reason::new(RejectionKind::MalformedSignature);
        let reason = reason.with_value_length(token.len());
        match &self.format.header {
            Some(header) => reason.about(&(&**header).into()),
            None => reason,
        }
    }

    /// Checks what a token says, and returns its claims and when it was issued.
    fn check_token(
        &self,
        token: &Token<'_>,
        malformed: &dyn Fn() -> Reason,
        receiver: &Receiver,
    ) -> Result<(Object, Option<i64>), Reason> {
        match token.header.get("alg") {
            Some(Value::String(name)) if Some(&**name) == self.name() => {}
            // The signature is none of this algorithm.
            _ => return Err(malformed().with_field("alg")),
        }
        if token.header.contains_key("crit") {
            return Err(unexpected("crit"));
        }
        if self.format.is_detached != token.payload.is_empty() {
            return Err(malformed());
        }
        if self.format.is_detached {
            return Ok((Object::new(), None));
        }
        let claims = URL_SAFE_NO_PAD.decode(token.payload).ok();
        let claims = claims.and_then(|claims| json::object(&claims));
        let claims = claims.ok_or_else(malformed)?;
        let time = self.check_claims(&claims, receiver)?;
        Ok((claims, time))
    }

    /// The statement of a body that is a token.
    fn read_body(&self, body: &[u8], receiver: &Receiver) -> Result<Vec<Statement>, Reason> {
        let text = std::str::from_utf8(body).unwrap_or_default();
        let malformed = || self.malformed(text);
        let token = Token::parse(text).ok_or_else(malformed)?;
        let (_, time) = self.check_token(&token, &malformed, receiver)?;
        Ok(vec![Statement {
            contents: vec![token.signed.as_bytes().to_vec()],
            key_id: token.key_id().map(Into::into),
            signatures: Some(vec![token.signature]),
            time: time.map(|seconds| UnixTime { seconds, nanos: 0 }),
            ..Statement::default()
        }])
    }

    /// The claims of a token that a receiver accepts, and those of the caller.
    fn claims_for(&self, draft: &Draft<'_>) -> Result<Object, String> {
        const LIFETIME: i64 = 300;
        let format = &self.format;
        let mut claims = Object::new();
        claims.insert("iat".to_owned(), draft.now.into());
        claims.insert("exp".to_owned(), draft.now.saturating_add(LIFETIME).into());
        if format.max_age.is_none() {
            claims.insert("nbf".to_owned(), draft.now.into());
        }
        claims.insert("jti".to_owned(), draft.fresh.clone().into());
        let mut set = |claim: &str, value: Value| claims.insert(claim.to_owned(), value);
        for (claim, value) in self.expected(draft.params) {
            set(&claim, value);
        }
        if let Some((claim, encoding)) = &format.body_hash {
            let hash = encoded(*encoding, &Sha256::digest(&draft.body));
            set(claim, hash.into());
        }
        if let Some(claim) = &format.body_claim {
            let text = std::str::from_utf8(&draft.body);
            let text = text.map_err(|_| "the body is not text, and the token contains it")?;
            set(claim, text.into());
        }
        for (claim, value) in draft.fields {
            set(
                claim,
                serde_json::from_str(value).unwrap_or_else(|_| value.clone().into()),
            );
        }
        Ok(claims)
    }
}

/// Who a token has to be for, and when.
struct Receiver {
    params: Params,
    now: i64,
    tolerance: Option<Tolerance>,
}

/// A token, taken apart.
pub(crate) struct Token<'t> {
    pub(crate) header: Object,
    /// In base64url.
    pub(crate) payload: &'t str,
    /// The header and the payload, as they are signed.
    pub(crate) signed: &'t str,
    pub(crate) signature: Vec<u8>,
}

impl<'t> Token<'t> {
    fn key_id(&self) -> Option<&str> {
        self.header.get("kid").and_then(Value::as_str)
    }

    /// The header must be an object, and the signature base64url.
    pub(crate) fn parse(text: &'t str) -> Option<Self> {
        let (signed, signature) = text.rsplit_once('.')?;
        let (header, payload) = signed.split_once('.')?;
        if payload.contains('.') {
            return None;
        }
        Some(Self {
            header: json::object(&URL_SAFE_NO_PAD.decode(header).ok()?)?,
            payload,
            signed,
            signature: URL_SAFE_NO_PAD.decode(signature).ok()?,
        })
    }
}

/// What the token says of the body.
struct BoundBody {
    /// The hash in the token. `None` where the token has none, and only an empty body may go
    /// without.
    hash: Option<Option<String>>,
    encoding: Encoding,
    text: Option<String>,
    claim: Cow<'static, str>,
}

impl BoundBody {
    fn new(format: &JwtFormat, claims: &Object) -> Result<Self, Reason> {
        let text = |claim: &str| match claims.get(claim) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(unexpected(claim)),
        };
        let mut bound = Self {
            hash: None,
            encoding: Encoding::Hex,
            text: None,
            claim: Cow::Borrowed(""),
        };
        if let Some((claim, encoding)) = &format.body_hash {
            let hash = text(claim)?;
            if hash.is_none() && !format.is_optional_for_none {
                return Err(missing(claim));
            }
            (bound.hash, bound.encoding) = (Some(hash), *encoding);
            bound.claim = claim.clone();
        }
        if let Some(claim) = &format.body_claim {
            bound.text = Some(text(claim)?.ok_or_else(|| missing(claim))?);
        }
        Ok(bound)
    }

    fn check(&self, body: &[u8]) -> Result<(), Reason> {
        let is_bound = match &self.hash {
            None => true,
            Some(None) if body.is_empty() => true,
            Some(None) => return Err(missing(&self.claim)),
            Some(Some(hash)) => {
                let found = encoded(self.encoding, &Sha256::digest(body));
                match self.encoding {
                    // Some senders pad base64url.
                    Encoding::Base64Url => found == hash.trim_end_matches('='),
                    Encoding::Base64 => found == *hash,
                    _ => found.eq_ignore_ascii_case(hash),
                }
            }
        };
        let text = self.text.as_ref();
        if is_bound && text.is_none_or(|text| text.as_bytes() == body) {
            return Ok(());
        }
        // The body is not the one that was signed.
        Err(Reason::new(RejectionKind::SignatureMismatch))
    }
}

/// A hash as a claim has it. Both sides are public, so they are compared as texts.
fn encoded(encoding: Encoding, hash: &[u8]) -> String {
    match encoding {
        Encoding::Base64 => STANDARD.encode(hash),
        Encoding::Base64Url => URL_SAFE_NO_PAD.encode(hash),
        Encoding::Hex | Encoding::HexOrBase64 | Encoding::Text => {
            const_hex::display(hash).to_string()
        }
    }
}

/// A NumericDate, which may have a fraction.
fn seconds(value: &Value) -> Option<i64> {
    let whole = |number: f64| number.is_finite().then_some(number.floor() as i64);
    value.as_i64().or_else(|| whole(value.as_f64()?))
}

#[cold]
fn missing(claim: &str) -> Reason {
    Reason::new(RejectionKind::MissingField).with_field(claim)
}

#[cold]
fn unexpected(claim: &str) -> Reason {
    Reason::new(RejectionKind::UnexpectedClaim).with_field(claim)
}

#[cold]
fn malformed_time(claim: &str) -> Reason {
    Reason::new(RejectionKind::MalformedTimestamp).with_field(claim)
}
