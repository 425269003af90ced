//! [`SecretFormat`]: how a provider writes its secrets.

use std::borrow::Cow;

/// How a provider writes its secrets: as plain text, base64 or hex, optionally with a prefix, and
/// optionally hashed or normalised to derive the key.
///
/// Secrets that look alike may have different formats: `whsec_…` is base64 for Svix, and plain text
/// for Stripe.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SecretFormat {
    pub(crate) encoding: TextEncoding,
    /// At most one of them is removed.
    pub(crate) prefixes: Vec<Cow<'static, str>>,
    pub(crate) derive: Option<Derivation>,
    pub(crate) min_bytes: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum TextEncoding {
    Text,
    Base64,
    Hex,
}

/// What derives the key from the secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Derivation {
    /// The key is the SHA-1 of the secret: 20 bytes.
    Sha1,
    /// The key is the SHA-256 of the secret: 32 bytes.
    Sha256,
    /// The key is the secret in Unicode's compatibility decomposition
    /// ([NFKD](https://unicode.org/reports/tr15/)). A secret beyond ASCII needs the feature `nfkd`.
    Nfkd,
}

impl SecretFormat {
    /// Plain text: the key is its UTF-8 bytes, of which there must be at least one.
    #[must_use]
    pub fn text() -> Self {
        Self::new(TextEncoding::Text, 1)
    }

    /// Base64 of at least 16 bytes, standard or URL-safe. Missing padding and non-zero trailing
    /// bits are accepted, because some vendors print such secrets.
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
            prefixes: Vec::new(),
            derive: None,
            min_bytes,
        }
    }

    /// Sets an optional prefix, such as `whsec_`, which is removed if it is present.
    #[must_use]
    pub fn with_prefix(mut self, prefix: impl Into<Cow<'static, str>>) -> Self {
        self.prefixes.clear();
        self.or_prefix(prefix)
    }

    /// Adds a prefix for a vendor that writes its secrets in several ways. The longest prefix that
    /// is present is removed, and no other.
    ///
    /// ```
    /// use tower_webhook::scheme::SecretFormat;
    ///
    /// let format = SecretFormat::base64().with_prefix("whsec_").or_prefix("v1,whsec_");
    /// assert_eq!(format.to_string(), r#"base64 after "whsec_" or "v1,whsec_""#);
    /// ```
    #[must_use]
    pub fn or_prefix(mut self, prefix: impl Into<Cow<'static, str>>) -> Self {
        self.prefixes.push(prefix.into());
        self
    }

    /// The secret without its prefix.
    pub(crate) fn strip<'s>(&self, secret: &'s str) -> &'s str {
        let rests = self.prefixes.iter();
        let rests = rests.filter_map(|prefix| secret.strip_prefix(&**prefix));
        rests.min_by_key(|rest| rest.len()).unwrap_or(secret)
    }

    /// Sets what derives the key from the decoded secret.
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
        let prefixes = self.prefixes.iter().filter(|prefix| !prefix.is_empty());
        for (place, prefix) in prefixes.enumerate() {
            let word = if place == 0 { "after" } else { "or" };
            write!(f, " {word} {prefix:?}")?;
        }
        Ok(())
    }
}
