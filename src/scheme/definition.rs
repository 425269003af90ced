//! [`Scheme`]: how a provider signs.

use std::{borrow::Cow, fmt};

use crate::scheme::{
    algorithm::Algorithm,
    secret_format::SecretFormat,
    signature::SignatureFormat,
    template::{self, Segment, Token},
    timestamp::{Timestamp, Tolerance},
};

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
}

impl Scheme {
    /// A scheme whose signed content is the template `signed` (see the [module](crate::scheme)),
    /// and whose secret is plain text.
    #[must_use]
    pub fn new(
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

    pub(crate) fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// How far the timestamp may be from the current time; `None` for a scheme without a timestamp.
    #[must_use]
    pub fn tolerance(&self) -> Option<Tolerance> {
        self.timestamp.as_ref().map(|timestamp| timestamp.tolerance)
    }
}

impl Scheme {
    /// The names of all parameters in use. An invalid template counts as using none; building the
    /// verifier reports it.
    pub(crate) fn param_names(&self) -> Vec<String> {
        let required = self.require.iter().map(|(_, value)| value);
        std::iter::once(&self.signed)
            .chain(required)
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
        f.debug_struct("Scheme")
            .field("algorithm", &self.algorithm)
            .field("signed", &self.signed)
            .field("signature", &self.signature)
            .field("timestamp", &self.timestamp)
            .field("secret_format", &self.secret_format)
            .field("require", &require)
            .field("families", &self.families)
            .field("coverage", &self.coverage)
            .finish()
    }
}
