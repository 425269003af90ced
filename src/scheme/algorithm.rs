//! [`Algorithm`]: how a signature is computed.

use std::{fmt, str::FromStr};

use crate::error::SetupError;

/// How the signature is computed. The algorithm is configured; a request cannot change it.
///
/// The plain digests take their key from `{secret}` in the signed content. A digest without a key,
/// which anybody can compute, is only available as
/// [`UnauthenticatedSha256`](Self::UnauthenticatedSha256).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Algorithm {
    /// HMAC with SHA-256 (`hmac-sha256`).
    HmacSha256,
    /// HMAC with SHA-512 (`hmac-sha512`).
    HmacSha512,
    /// HMAC with SHA-1 (`hmac-sha1`): still secure as a MAC, but not recommended for new schemes.
    HmacSha1,
    /// HMAC with MD5 (`hmac-md5`): only for providers that offer nothing else.
    HmacMd5,
    /// SHA-256 of content that includes the secret (`sha256`).
    Sha256,
    /// SHA-512 of content that includes the secret (`sha512`).
    Sha512,
    /// SHA-1 of content that includes the secret (`sha1`).
    Sha1,
    /// SHA-256 of content without any secret (`unauthenticated-sha256`).
    ///
    /// It detects accidental changes to the body, and proves **nothing about the sender**.
    UnauthenticatedSha256,
}

/// The names that `Display` writes and `FromStr` reads.
pub(crate) const NAMES: [(&str, Algorithm); 8] = [
    ("hmac-sha256", Algorithm::HmacSha256),
    ("hmac-sha512", Algorithm::HmacSha512),
    ("hmac-sha1", Algorithm::HmacSha1),
    ("hmac-md5", Algorithm::HmacMd5),
    ("sha256", Algorithm::Sha256),
    ("sha512", Algorithm::Sha512),
    ("sha1", Algorithm::Sha1),
    ("unauthenticated-sha256", Algorithm::UnauthenticatedSha256),
];

/// Where an algorithm gets its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keying {
    /// The algorithm itself is keyed.
    Mac,
    /// The signed content must include the secret.
    Content,
    /// There is no key.
    None,
}

impl Algorithm {
    pub(crate) fn keying(self) -> Keying {
        match self {
            Self::HmacSha256 | Self::HmacSha512 | Self::HmacSha1 | Self::HmacMd5 => Keying::Mac,
            Self::Sha256 | Self::Sha512 | Self::Sha1 => Keying::Content,
            Self::UnauthenticatedSha256 => Keying::None,
        }
    }

    /// The length of a signature in bytes.
    pub(crate) fn output_len(self) -> usize {
        match self {
            Self::HmacSha256 | Self::Sha256 | Self::UnauthenticatedSha256 => 32,
            Self::HmacSha512 | Self::Sha512 => 64,
            Self::HmacSha1 | Self::Sha1 => 20,
            Self::HmacMd5 => 16,
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = NAMES.iter().find(|(_, algorithm)| algorithm == self);
        f.write_str(name.map_or("unknown", |(name, _)| name))
    }
}

impl FromStr for Algorithm {
    type Err = SetupError;

    fn from_str(text: &str) -> Result<Self, SetupError> {
        let found = NAMES.iter().find(|(name, _)| *name == text);
        found.map(|(_, algorithm)| *algorithm).ok_or_else(|| {
            let asymmetric = ["ed25519", "eddsa", "ecdsa", "rsa"];
            let lower = text.to_ascii_lowercase();
            if asymmetric.iter().any(|name| lower.contains(name)) {
                return SetupError::new(format!(
                    "{text:?} needs public keys, and signatures with public keys are not supported yet; use a shared \
                     secret where the provider offers one"
                ));
            }
            let known: Vec<&str> = NAMES.iter().map(|(name, _)| *name).collect();
            let known = known.join(", ");
            SetupError::new(format!("unknown algorithm {text:?}; use one of {known}"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_with_public_keys_are_named_as_unsupported() {
        for name in ["ed25519", "Ed25519", "ecdsa-p256", "rsa-sha256"] {
            let error = name.parse::<Algorithm>().unwrap_err().to_string();
            assert!(error.contains("not supported yet"), "{error}");
        }
    }

    #[test]
    fn names_round_trip() {
        for (name, algorithm) in NAMES {
            assert_eq!(name.parse::<Algorithm>().unwrap(), algorithm);
            assert_eq!(algorithm.to_string(), name);
        }
    }
}
