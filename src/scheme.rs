//! How one provider signs, as data: [`Scheme`] and its parts.
//!
//! A scheme holds no code, so it cannot get the comparison, the clock or the decoding wrong. It is written in the
//! words that provider docs use. Building a [`Verifier`](crate::Verifier) from it checks it as a whole.
//!
//! ```
//! use tower_webhook::{Provider, Secret, Verifier};
//! use tower_webhook::scheme::{Algorithm, Encoding, Scheme, Signature, Timestamp};
//!
//! // Acme-Signature: t=1700000000,v1=5257a869…
//! let scheme = Scheme::new(
//!     Algorithm::HmacSha256,
//!     "{ts}.{body}",
//!     Signature::fields("Acme-Signature", ',', "v1", Encoding::Hex),
//! )
//! .with_timestamp(Timestamp::field("t"));
//!
//! let acme = Provider::new("acme", scheme);
//! assert!(Verifier::new(acme, Secret::new("a-secret-of-some-length")).is_ok());
//! ```
//!
//! # Signed content
//!
//! Text outside braces is signed as it stands; `{{` and `}}` are single braces.
//!
//! | token | value |
//! | --- | --- |
//! | `{body}` | the body, byte for byte |
//! | `{ts}` | the text of the timestamp as received |
//! | `{secret}` | the bytes of the key |
//! | `{header:Name}` | the value of a header, which must be there exactly once |
//! | `{field:name}` | a field of the signature header |
//! | `{method}`, `{path}`, `{query:name}` | from the request line, as the layer sees it: axum's `nest` takes its prefix off the path. A query value is percent-decoded, and must be there once |
//! | `{url}` | the parameter `url`: the address as registered with the provider |
//! | `{param:name}` | a parameter of the [`Provider`](crate::Provider) |
//! | `{json:/pointer}`, `{form:name}` | a value in the body |
//!
//! After a `|` come filters: `sha256hex`, `jsonstr` (as a JSON string, with quotes), `lower`, `hubspot_decode`.
//!
//! What is signed cannot be cut in two ways. A value from a header, field, query or path that contains the literal text
//! which ends it is refused: `a.b` for `{header:webhook-id}` in `{header:webhook-id}.{ts}.{body}`. One that touches another
//! value without text between them is an error when built. A time may touch anything, because it has one spelling only and,
//! there, one length: 10 digits for seconds and 13 for milliseconds, whatever the tolerance. A value in front of a time that it touches
//! may hold no time at all. Values in the body (`{json:…}`, `{form:…}`) are not held apart: under
//! [`Coverage::Partial`] the provider's own separators have to do.

mod algorithm;
mod compiled;
mod encoding;
mod key;
mod signature;
pub(crate) mod template;
mod timestamp;

use std::{borrow::Cow, fmt};

use self::template::{Part, Token};

pub use self::{
    algorithm::Algorithm,
    encoding::Encoding,
    key::{Derivation, KeyFormat},
    signature::Signature,
    timestamp::{TimeUnit, Timestamp, Tolerance},
};
#[cfg(test)]
pub(crate) use self::{algorithm::counters, compiled::passes};
pub(crate) use self::{
    algorithm::{Counting, Hasher, Keying, Tag, absorb},
    compiled::{
        Admitted, Bodied, BodyTable, Compiled, CompiledScheme, HeaderTable, Params, Read,
        Scheduled, Values, only,
    },
};

/// How one provider signs. See the [module](self) for the words.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Scheme {
    algorithm: Algorithm,
    signed: Cow<'static, str>,
    signature: Signature,
    timestamp: Option<Timestamp>,
    key: KeyFormat,
    require: Vec<(Cow<'static, str>, Cow<'static, str>)>,
    families: Vec<Cow<'static, str>>,
    coverage: Coverage,
}

/// What a signature has to cover.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Coverage {
    /// The whole body: the signed content must hold `{body}`.
    #[default]
    Body,
    /// Some of the request only. **Whatever is not covered can be changed by anybody who saw one request.**
    Partial,
}

impl Scheme {
    /// A scheme that signs `signed` (a template, see the [module](self)) with a secret that is plain text.
    #[must_use]
    pub fn new(
        algorithm: Algorithm,
        signed: impl Into<Cow<'static, str>>,
        signature: Signature,
    ) -> Self {
        Self {
            algorithm,
            signed: signed.into(),
            signature,
            timestamp: None,
            key: KeyFormat::text(),
            require: Vec::new(),
            families: Vec::new(),
            coverage: Coverage::Body,
        }
    }

    /// Sets where the time of the attempt stands. One that is not part of the signed content can only make a
    /// request be refused; it never counts as proof of freshness.
    #[must_use]
    pub fn with_timestamp(mut self, timestamp: Timestamp) -> Self {
        self.timestamp = Some(timestamp);
        self
    }

    /// Sets how the secret is written. The default is plain text.
    #[must_use]
    pub fn with_key(mut self, key: KeyFormat) -> Self {
        self.key = key;
        self
    }

    /// Requires a header to be there exactly once and to equal `value`, compared in constant time. The value may
    /// hold `{param:name}`.
    #[must_use]
    pub fn with_required_header(
        mut self,
        name: impl Into<Cow<'static, str>>,
        value: impl Into<Cow<'static, str>>,
    ) -> Self {
        self.require.push((name.into(), value.into()));
        self
    }

    /// Lets all headers that begin with `first` come under another prefix instead: `["svix-", "webhook-"]`.
    /// One request uses one family; they are never mixed.
    #[must_use]
    pub fn with_header_families<P: Into<Cow<'static, str>>>(
        mut self,
        prefixes: impl IntoIterator<Item = P>,
    ) -> Self {
        self.families = prefixes.into_iter().map(Into::into).collect();
        self
    }

    /// Sets what the signature has to cover. The default is the whole body.
    #[must_use]
    pub fn with_coverage(mut self, coverage: Coverage) -> Self {
        self.coverage = coverage;
        self
    }

    /// How the signature is computed.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// How far a timestamp may be from the clock; `None` for a scheme without one.
    #[must_use]
    pub fn tolerance(&self) -> Option<Tolerance> {
        self.timestamp.as_ref().map(|timestamp| timestamp.tolerance)
    }
}

impl Scheme {
    /// The parameters that are used anywhere. A template that cannot be read uses none; building says why.
    pub(crate) fn param_names(&self) -> Vec<String> {
        let required = self.require.iter().map(|(_, value)| value);
        std::iter::once(&self.signed)
            .chain(required)
            .flat_map(|text| template::parse(text).unwrap_or_default())
            .filter_map(|part| match part {
                Part::Token(Token::Param(name), _) => Some(name.into()),
                Part::Token(Token::Url, _) => Some("url".to_owned()),
                _ => None,
            })
            .collect()
    }
}

impl fmt::Debug for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What a header must equal may be a credential.
        let require: Vec<_> = self.require.iter().map(|(header, _)| header).collect();
        f.debug_struct("Scheme")
            .field("algorithm", &self.algorithm)
            .field("signed", &self.signed)
            .field("signature", &self.signature)
            .field("timestamp", &self.timestamp)
            .field("key", &self.key)
            .field("require", &require)
            .field("families", &self.families)
            .field("coverage", &self.coverage)
            .finish()
    }
}
