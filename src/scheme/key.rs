//! How the text of a secret becomes the bytes of a key.

use std::borrow::Cow;

use sha1::Sha1;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::encoding::{decode_base64_secret, decode_hex_secret};
use crate::SetupError;

/// How a provider writes its secrets: as plain text, base64 or hex, maybe after a prefix, maybe to be hashed first.
///
/// The same look may mean different things: `whsec_…` is base64 with Svix and plain text with Stripe.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct KeyFormat {
    pub(super) spelling: Spelling,
    pub(super) prefix: Cow<'static, str>,
    pub(super) derive: Option<Derivation>,
    pub(super) min_bytes: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Spelling {
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

/// Below this a secret that is plain text is worth a warning.
const SHORT_TEXT: usize = 16;

impl KeyFormat {
    /// The UTF-8 bytes of the text, at least one.
    #[must_use]
    pub fn text() -> Self {
        Self::new(Spelling::Text, 1)
    }

    /// Standard base64 of at least 16 bytes. Missing padding and spare bits are read too: some vendors print them so.
    #[must_use]
    pub fn base64() -> Self {
        Self::new(Spelling::Base64, 16)
    }

    /// Hexadecimal digits of at least 16 bytes.
    #[must_use]
    pub fn hex() -> Self {
        Self::new(Spelling::Hex, 16)
    }

    fn new(spelling: Spelling, min_bytes: usize) -> Self {
        Self {
            spelling,
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

    /// The key, and whether the secret is so short that the operator should know.
    pub(crate) fn decode(&self, secret: &str) -> Result<(Zeroizing<Vec<u8>>, bool), SetupError> {
        if secret.is_empty() {
            return Err(SetupError::new(
                "it is empty; set it to the value the provider shows",
            ));
        }
        if secret.trim().is_empty() {
            return Err(SetupError::new(
                "it is blank; set it to the value the provider shows",
            ));
        }
        if secret.trim() != secret {
            return Err(SetupError::new(
                "it begins or ends with white space; remove it",
            ));
        }
        if secret.starts_with('\u{feff}') {
            return Err(SetupError::new(
                "it begins with a byte order mark; save it without one",
            ));
        }
        let text = secret.strip_prefix(&*self.prefix).unwrap_or(secret);
        let bytes = match self.spelling {
            Spelling::Text => Some(text.as_bytes().to_vec()),
            Spelling::Base64 => decode_base64_secret(text),
            Spelling::Hex => decode_hex_secret(text),
        };
        let Some(bytes) = bytes.map(Zeroizing::new) else {
            return Err(SetupError::new(format!(
                "it is not {self}; copy it again from the provider"
            )));
        };
        if bytes.len() < self.min_bytes {
            return Err(SetupError::new(format!(
                "it has {} bytes once decoded, and {} is the least; copy the whole secret",
                bytes.len(),
                self.min_bytes
            )));
        }
        let short = self.spelling == Spelling::Text && bytes.len() < SHORT_TEXT;
        let key = match self.derive {
            None => bytes,
            Some(Derivation::Sha1) => Zeroizing::new(Sha1::digest(&*bytes).to_vec()),
            Some(Derivation::Sha256) => Zeroizing::new(Sha256::digest(&*bytes).to_vec()),
        };
        Ok((key, short))
    }
}

impl Default for KeyFormat {
    fn default() -> Self {
        Self::text()
    }
}

impl std::fmt::Display for KeyFormat {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self.spelling {
            Spelling::Text => "text",
            Spelling::Base64 => "base64",
            Spelling::Hex => "hex",
        })?;
        if self.prefix.is_empty() {
            Ok(())
        } else {
            write!(f, " after {:?}", self.prefix)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(format: &KeyFormat, secret: &str) -> Vec<u8> {
        format.decode(secret).unwrap().0.to_vec()
    }

    fn error(format: &KeyFormat, secret: &str) -> String {
        format.decode(secret).unwrap_err().to_string()
    }

    #[test]
    fn the_same_look_means_what_the_format_says() {
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        assert_eq!(key(&KeyFormat::text(), secret), secret.as_bytes());
        let svix = KeyFormat::base64().with_prefix("whsec_");
        assert_eq!(key(&svix, secret).len(), 24);
        assert_eq!(key(&svix, &secret[6..]).len(), 24);
        assert_eq!(key(&KeyFormat::hex(), &"0F".repeat(16)), [15; 16]);
    }

    #[test]
    fn a_key_may_be_a_hash_of_the_secret() {
        let sha1 = KeyFormat::text().with_derivation(Derivation::Sha1);
        assert_eq!(key(&sha1, "abc")[..4], [0xa9, 0x99, 0x3e, 0x36]);
        let sha256 = KeyFormat::text().with_derivation(Derivation::Sha256);
        assert_eq!(key(&sha256, "abc")[..4], [0xba, 0x78, 0x16, 0xbf]);
    }

    #[test]
    fn bad_secrets_are_refused_without_being_shown() {
        let svix = KeyFormat::base64().with_prefix("whsec_");
        let text = KeyFormat::text();
        assert_eq!(
            error(&text, ""),
            "it is empty; set it to the value the provider shows"
        );
        assert_eq!(
            error(&text, " \t"),
            "it is blank; set it to the value the provider shows"
        );
        assert_eq!(
            error(&text, "key-key-key-key-key "),
            "it begins or ends with white space; remove it"
        );
        assert_eq!(
            error(&text, "\u{feff}key-key-key-key-key"),
            "it begins with a byte order mark; save it without one"
        );
        assert_eq!(
            error(&svix, "whsec_not*base64"),
            "it is not base64 after \"whsec_\"; copy it again from the provider"
        );
        assert_eq!(
            error(&svix, "whsec_AAAA"),
            "it has 3 bytes once decoded, and 16 is the least; copy the whole secret"
        );
        assert!(error(&svix, "whsec_").contains("0 bytes"));
        assert!(error(&KeyFormat::hex(), "0g").contains("it is not hex"));
        assert!(error(&text.with_min_bytes(20), "short").contains("20 is the least"));
    }

    #[test]
    fn only_short_text_is_worth_a_warning() {
        assert!(KeyFormat::text().decode("fifteen-letters").unwrap().1);
        assert!(!KeyFormat::text().decode("sixteen--letters").unwrap().1);
    }
}
