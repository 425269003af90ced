//! [`SecretFormat`]: how a provider writes its secrets.

use std::borrow::Cow;

/// How a provider writes its secrets: as plain text, base64 or hex, optionally with a prefix, and
/// optionally hashed to derive the key.
///
/// Secrets that look alike may have different formats: `whsec_…` is base64 for Svix, and plain text
/// for Stripe.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SecretFormat {
    pub(crate) encoding: TextEncoding,
    pub(crate) prefix: Cow<'static, str>,
    pub(crate) derive: Option<Derivation>,
    pub(crate) min_bytes: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum TextEncoding {
    Text,
    Base64,
    Hex,
}

/// A hash that derives the key from the secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Derivation {
    /// The key is the SHA-1 of the secret: 20 bytes.
    Sha1,
    /// The key is the SHA-256 of the secret: 32 bytes.
    Sha256,
}

impl SecretFormat {
    /// Plain text: the key is its UTF-8 bytes, of which there must be at least one.
    #[must_use]
    pub fn text() -> Self {
        Self::new(TextEncoding::Text, 1)
    }

    /// Standard base64 of at least 16 bytes. Missing padding and non-zero trailing bits are
    /// accepted, because some vendors print such secrets.
    #[must_use]
    pub fn base64() -> Self {
        Self::new(TextEncoding::Base64, 16)
    }

    /// Hexadecimal digits of at least 16 bytes.
    #[must_use]
    pub fn hex() -> Self {
        Self::new(TextEncoding::Hex, 16)
    }

    fn new(encoding: TextEncoding, min_bytes: usize) -> Self {
        Self {
            encoding,
            prefix: Cow::Borrowed(""),
            derive: None,
            min_bytes,
        }
    }

    /// Sets an optional prefix, such as `whsec_`, which is removed if it is present.
    #[must_use]
    pub fn with_prefix(mut self, prefix: impl Into<Cow<'static, str>>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Sets a hash that derives the key from the decoded secret.
    #[must_use]
    pub fn with_derivation(mut self, derive: Derivation) -> Self {
        self.derive = Some(derive);
        self
    }

    /// Sets the minimum length of a decoded secret, in bytes. Zero counts as one.
    #[must_use]
    pub fn with_min_bytes(mut self, min_bytes: usize) -> Self {
        self.min_bytes = min_bytes.max(1);
        self
    }
}

impl Default for SecretFormat {
    fn default() -> Self {
        Self::text()
    }
}

impl std::fmt::Display for SecretFormat {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self.encoding {
            TextEncoding::Text => "text",
            TextEncoding::Base64 => "base64",
            TextEncoding::Hex => "hex",
        })?;
        if self.prefix.is_empty() {
            Ok(())
        } else {
            write!(f, " after {:?}", self.prefix)
        }
    }
}
