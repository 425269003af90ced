//! [`SecretFormat`]: how a provider writes its secrets.

use std::borrow::Cow;

/// How a provider writes its secrets: as plain text, base64 or hex, maybe after a prefix, maybe to be hashed first.
///
/// The same look may mean different things: `whsec_…` is base64 with Svix and plain text with Stripe.
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

/// A hash that the secret goes through before it is the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Derivation {
    /// The key is the 20 bytes of the secret's SHA-1.
    Sha1,
    /// The key is the 32 bytes of the secret's SHA-256.
    Sha256,
}

impl SecretFormat {
    /// The UTF-8 bytes of the text, at least one.
    #[must_use]
    pub fn text() -> Self {
        Self::new(TextEncoding::Text, 1)
    }

    /// Standard base64 of at least 16 bytes. Missing padding and spare bits are read too: some vendors print them so.
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

    /// Sets a text that is taken off the front where it stands there, such as `whsec_`.
    #[must_use]
    pub fn with_prefix(mut self, prefix: impl Into<Cow<'static, str>>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Sets a hash that the secret goes through before it is the key.
    #[must_use]
    pub fn with_derivation(mut self, derive: Derivation) -> Self {
        self.derive = Some(derive);
        self
    }

    /// Sets the least number of bytes a secret must have once decoded. It is never less than one.
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
