//! [`MessageSignatureFormat`]: HTTP message signatures
//! ([RFC 9421](https://www.rfc-editor.org/rfc/rfc9421)) with a digest of the body
//! ([RFC 9530](https://www.rfc-editor.org/rfc/rfc9530)).

#[cfg(feature = "message-signatures")]
mod component;
#[cfg(feature = "message-signatures")]
mod digest;
#[cfg(feature = "message-signatures")]
mod field;
#[cfg(feature = "message-signatures")]
mod input;
#[cfg(feature = "message-signatures")]
mod receive;
#[cfg(feature = "message-signatures")]
mod send;

use std::{borrow::Cow, sync::Arc};

#[cfg(feature = "message-signatures")]
use crate::scheme::special::HeadSignatures;
use crate::{
    error::SetupError,
    rejection::Reason,
    scheme::{
        algorithm::Algorithm,
        definition::{Coverage, Scheme},
        encoding::Encoding,
        params::Params,
        signature::SignatureFormat,
        special::{Draft, Special, SpecialHead, SpecialRequest, SpecialScheme},
        timestamp::Tolerance,
    },
};

/// What an HTTP message signature ([RFC 9421](https://www.rfc-editor.org/rfc/rfc9421)) has to
/// cover.
///
/// A request has signatures in `Signature`, and what each covers in `Signature-Input`, under the
/// same label. A signature counts if it covers all components that are required here, and perhaps
/// others; if its `created` is within the tolerance and its `expires` has not passed; if its `alg`,
/// where it has one, is the algorithm of the [scheme](Scheme::http_message_signature); and if a key
/// of the endpoint makes it. One such signature is enough, of at most four. If it names its key
/// (`keyid`), only the keys with this [id](crate::Secret::with_id) are tried, and those without an
/// id.
///
/// The body is covered by the digest in `Content-Digest`, by SHA-256 or SHA-512, and only if the
/// signature covers that field: it is required unless [other components](Self::with_components)
/// are. The signature is checked before the body is read, and the digest afterwards.
///
/// # Components
///
/// | component | value |
/// | --- | --- |
/// | the name of a field, in lower case | its lines, joined; with `;key="…"` a member of a dictionary, with `;sf` a structured field serialised anew, with `;bs` the bytes of each line |
/// | `@method`, `@query` | of the request line |
/// | `@query-param;name="…"` | the only query parameter of this name |
/// | `@path`, `@request-target` | of the request line as the layer sees it, or the path of the parameter `url`, if that has one |
/// | `@scheme`, `@authority`, `@target-uri` | of the parameter `url`; with `url_from = "x-forwarded"` of the headers `X-Forwarded-Proto` and `X-Forwarded-Host`, which a trusted proxy has to set |
///
/// `@status`, `;req` and `;tr` are of responses and trailers, and a signature that covers them is
/// refused. The header `Host` is never believed. Paths are signed as they are written, without
/// normalisation.
///
/// ```
/// use std::time::{Duration, UNIX_EPOCH};
/// use tower_webhook::{Provider, Scheme, Secret, Signer, Verifier, verify::Head};
/// use tower_webhook::scheme::{Algorithm, MessageSignatureFormat};
///
/// # #[cfg(not(feature = "message-signatures"))]
/// # fn main() {}
/// # #[cfg(feature = "message-signatures")]
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let format = MessageSignatureFormat::new()
///     .with_components(["@method", "@target-uri", "content-digest"])
///     .with_tolerance(Duration::from_secs(60));
/// let scheme = Scheme::http_message_signature(Algorithm::HmacSha256, format);
/// let acme = Provider::new("acme", scheme).with_param("url", "https://example.com/");
///
/// let secret = Secret::new("a-secret-of-some-length").with_id("2026-11");
/// let now = UNIX_EPOCH + Duration::from_secs(1_700_000_000);
/// let signer = Signer::new(acme.clone(), secret.clone())?.with_time(now);
/// let request = signer.sign(http::Request::post("/hooks?tenant=7"), r#"{"id":7}"#)?;
/// assert_eq!(
///     request.headers()["signature-input"],
///     r#"sig1=("@method" "@target-uri" "content-digest");created=1700000000;alg="hmac-sha256";keyid="2026-11""#
/// );
///
/// let (head, body) = request.into_parts();
/// let verifier = Verifier::new(acme, secret)?;
/// assert!(verifier.verify(&Head::from(&head), body, now).is_ok());
/// assert!(verifier.verify(&Head::from(&head), r#"{"id":8}"#, now).is_err());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[must_use]
pub struct MessageSignatureFormat {
    components: Vec<Cow<'static, str>>,
    label: Option<Cow<'static, str>>,
    tag: Option<Cow<'static, str>>,
    tolerance: Tolerance,
    /// Whether an endpoint may set the components, the label and the tag.
    is_open: bool,
    /// Whether the sender numbers its labels by the time.
    numbers_labels: bool,
}

impl Default for MessageSignatureFormat {
    fn default() -> Self {
        Self::new()
    }
}

impl MessageSignatureFormat {
    /// The signature has to cover `content-digest`, and its `created` to be within
    /// [`Tolerance::default`].
    pub fn new() -> Self {
        Self {
            components: vec![CONTENT_DIGEST.into()],
            label: None,
            tag: None,
            tolerance: Tolerance::default(),
            is_open: false,
            numbers_labels: false,
        }
    }

    /// Sets what the signature has to cover, as identifiers without the quotes: `@method`,
    /// `content-digest`, `@query-param;name="id"`. Without `content-digest`, the body is
    /// [not covered](Coverage::None).
    pub fn with_components<C: Into<Cow<'static, str>>>(
        mut self,
        components: impl IntoIterator<Item = C>,
    ) -> Self {
        self.components = components.into_iter().map(Into::into).collect();
        self
    }

    /// Accepts only the signature with this label.
    pub fn with_label(mut self, label: impl Into<Cow<'static, str>>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// Accepts only signatures with this `tag`, which says what a signature is for.
    pub fn with_tag(mut self, tag: impl Into<Cow<'static, str>>) -> Self {
        self.tag = Some(tag.into());
        self
    }

    /// Sets how far `created` may be from the receiver's clock. If there is a limit for the past,
    /// `created` is required. Without one ([`Tolerance::off`]), a request that was captured stays
    /// valid as long as the key, or until its `expires`. See [which limit
    /// applies](crate::Verifier#which-limit-applies).
    pub fn with_tolerance(mut self, tolerance: impl Into<Tolerance>) -> Self {
        self.tolerance = tolerance.into();
        self
    }

    /// Signs under labels such as `sig_1700000000`. Those that are received may be any.
    pub(crate) fn with_numbered_labels(mut self) -> Self {
        self.numbers_labels = true;
        self
    }

    /// Lets an endpoint set the components, the label and the tag.
    pub(crate) fn open(mut self) -> Self {
        self.is_open = true;
        self
    }
}

impl Scheme {
    /// An HTTP message signature. It needs the feature `message-signatures`, and `asymmetric` for
    /// algorithms with public keys. These are [`HmacSha256`](Algorithm::HmacSha256),
    /// [`Ed25519`](Algorithm::Ed25519), [`EcdsaP256Sha256Fixed`](Algorithm::EcdsaP256Sha256Fixed),
    /// [`EcdsaP384Sha384Fixed`](Algorithm::EcdsaP384Sha384Fixed),
    /// [`RsaPssSha512`](Algorithm::RsaPssSha512) and [`RsaPkcs1Sha256`](Algorithm::RsaPkcs1Sha256),
    /// which the standard calls `hmac-sha256`, `ed25519`, `ecdsa-p256-sha256`, `ecdsa-p384-sha384`,
    /// `rsa-pss-sha512` and `rsa-v1_5-sha256`.
    #[must_use]
    pub fn http_message_signature(algorithm: Algorithm, format: MessageSignatureFormat) -> Self {
        // Lines are joined, as those of every list.
        let signature =
            SignatureFormat::single("Signature", Encoding::Base64).with_repeated_lines();
        let coverage = coverage(format.components.iter().map(|component| &**component));
        let scheme = Self::signed(algorithm, "", signature).with_coverage(coverage);
        scheme.with_special(Special(Arc::new(MessageSignature { algorithm, format })))
    }
}

const CONTENT_DIGEST: &str = "content-digest";

/// The names that the standard has for algorithms.
const NAMES: [(&str, Algorithm); 6] = [
    ("hmac-sha256", Algorithm::HmacSha256),
    ("ed25519", Algorithm::Ed25519),
    ("ecdsa-p256-sha256", Algorithm::EcdsaP256Sha256Fixed),
    ("ecdsa-p384-sha384", Algorithm::EcdsaP384Sha384Fixed),
    ("rsa-pss-sha512", Algorithm::RsaPssSha512),
    ("rsa-v1_5-sha256", Algorithm::RsaPkcs1Sha256),
];

/// The algorithms of HTTP message signatures, with the names that the standard has for them.
pub(crate) fn algorithms() -> impl Iterator<Item = (&'static str, Algorithm)> {
    NAMES.into_iter()
}

/// How much of the body is signed, by the components that have to be.
fn coverage<'c>(mut components: impl Iterator<Item = &'c str>) -> Coverage {
    let is_digest = |component: &str| {
        let name = component.split(';').next().unwrap_or_default();
        name.trim_matches('"') == CONTENT_DIGEST
    };
    if components.any(is_digest) {
        Coverage::Body
    } else {
        Coverage::None
    }
}

#[derive(Debug)]
pub(super) struct MessageSignature {
    algorithm: Algorithm,
    format: MessageSignatureFormat,
}

/// What an endpoint requires.
#[cfg_attr(
    not(feature = "message-signatures"),
    allow(dead_code, reason = "only what reads such signatures needs it all")
)]
pub(super) struct Settings<'s> {
    components: Vec<&'s str>,
    label: Option<&'s str>,
    tag: Option<&'s str>,
}

impl MessageSignature {
    /// The name of the algorithm in the standard.
    fn name(&self) -> Option<&'static str> {
        let known = NAMES.iter().find(|(_, known)| *known == self.algorithm);
        known.map(|(name, _)| *name)
    }

    fn settings<'s>(&'s self, params: &'s Params) -> Settings<'s> {
        let format = &self.format;
        let param = |name: &str| params.get(name).filter(|_| format.is_open);
        Settings {
            components: match param("components") {
                Some(listed) => listed.split_ascii_whitespace().collect(),
                None => format.components.iter().map(|text| &**text).collect(),
            },
            label: param("label")
                .or(format.label.as_ref())
                .map(|label| &**label),
            tag: param("tag").or(format.tag.as_ref()).map(|tag| &**tag),
        }
    }
}

impl SpecialScheme for MessageSignature {
    fn params(&self) -> Vec<Cow<'static, str>> {
        let own = ["components", "label", "tag"];
        let own = own.into_iter().filter(|_| self.format.is_open);
        own.chain(["url", "url_from"]).map(Cow::Borrowed).collect()
    }

    fn check(&self, params: &Params) -> Result<(), SetupError> {
        if self.name().is_none() {
            let names: Vec<_> = NAMES
                .iter()
                .map(|(_, algorithm)| algorithm.to_string())
                .collect();
            return Err(SetupError::new(format!(
                "algorithm: HTTP message signatures do not have {}; choose one of {}",
                self.algorithm,
                names.join(", ")
            )));
        }
        self.check_settings(params)
    }

    fn signs_body(&self, params: &Params) -> Option<bool> {
        let components = self.settings(params).components;
        Some(coverage(components.into_iter()) == Coverage::Body)
    }

    fn tolerance(&self) -> Option<Tolerance> {
        Some(self.format.tolerance)
    }

    fn has_plain_signature(&self) -> bool {
        false
    }

    fn is_of_head(&self) -> bool {
        true
    }

    #[cfg(feature = "tower")]
    fn signs_request_line(&self) -> bool {
        self.requires_request_line()
    }

    fn covers_bytes(&self) -> bool {
        true
    }

    #[cfg(feature = "message-signatures")]
    fn read_signatures(&self, head: &SpecialHead<'_>) -> Option<Result<HeadSignatures, Reason>> {
        Some(self.signatures(head))
    }

    fn read(&self, head: &SpecialHead<'_>) -> Result<SpecialRequest, Reason> {
        self.request(head)
    }

    fn sign(&self, draft: &mut Draft<'_>) -> Result<(), String> {
        self.add_signature(draft)
    }
}

/// What there is instead of the scheme without its feature: a refusal when it is set up.
#[cfg(not(feature = "message-signatures"))]
impl MessageSignature {
    #[expect(
        clippy::unused_self,
        reason = "it is a method where there is the feature"
    )]
    fn check_settings(&self, _: &Params) -> Result<(), SetupError> {
        Err(SetupError::new(
            "HTTP message signatures need the feature \"message-signatures\" of tower-webhook; add it to Cargo.toml",
        ))
    }

    #[cfg(feature = "tower")]
    #[expect(clippy::unused_self, reason = "as above")]
    fn requires_request_line(&self) -> bool {
        false
    }

    #[expect(clippy::unused_self, reason = "as above")]
    fn request(&self, _: &SpecialHead<'_>) -> Result<SpecialRequest, Reason> {
        unreachable!("the scheme was refused when it was set up")
    }

    #[expect(clippy::unused_self, reason = "as above")]
    fn add_signature(&self, _: &mut Draft<'_>) -> Result<(), String> {
        unreachable!("the scheme was refused when it was set up")
    }
}
