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
    /// HMAC with SHA-384 (`hmac-sha384`).
    HmacSha384,
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
    /// Ed25519, of [RFC 8032](https://www.rfc-editor.org/rfc/rfc8032) (`ed25519`). It needs the
    /// feature `asymmetric`, as do all algorithms with public keys.
    Ed25519,
    /// ECDSA on P-256 with SHA-256, and the signature as ASN.1 in DER (`ecdsa-p256-sha256`).
    EcdsaP256Sha256,
    /// ECDSA on P-256 with SHA-256, and the signature as r and s of 32 bytes each
    /// (`ecdsa-p256-sha256-fixed`), as JSON Web Signatures have it.
    EcdsaP256Sha256Fixed,
    /// ECDSA on P-256 with SHA-1, and the signature as ASN.1 in DER (`ecdsa-p256-sha1`): only for
    /// providers that offer nothing else. It is verified, never signed. It needs the feature
    /// `more-ecdsa`.
    EcdsaP256Sha1,
    /// ECDSA on P-384 with SHA-384, and the signature as r and s of 48 bytes each
    /// (`ecdsa-p384-sha384-fixed`).
    EcdsaP384Sha384Fixed,
    /// ECDSA on P-521 with SHA-512, and the signature as r and s of 66 bytes each
    /// (`ecdsa-p521-sha512-fixed`). It needs the feature `more-ecdsa`.
    EcdsaP521Sha512Fixed,
    /// RSA with the padding of PKCS #1 v1.5 and SHA-1 (`rsa-pkcs1-sha1`): only for providers that
    /// offer nothing else. It is verified, never signed.
    RsaPkcs1Sha1,
    /// RSA with the padding of PKCS #1 v1.5 and SHA-256 (`rsa-pkcs1-sha256`).
    RsaPkcs1Sha256,
    /// RSA with the padding of PKCS #1 v1.5 and SHA-384 (`rsa-pkcs1-sha384`).
    RsaPkcs1Sha384,
    /// RSA with the padding of PKCS #1 v1.5 and SHA-512 (`rsa-pkcs1-sha512`).
    RsaPkcs1Sha512,
    /// RSA with the padding PSS, SHA-512, and a salt of 64 bytes (`rsa-pss-sha512`).
    RsaPssSha512,
    /// No signature: the request contains the secret (`token`). Only
    /// [`Scheme::token`](crate::Scheme::token) has it.
    Token,
}

/// The names that `Display` writes and `FromStr` reads.
pub(crate) const NAMES: [(&str, Algorithm); 21] = [
    ("hmac-sha256", Algorithm::HmacSha256),
    ("hmac-sha384", Algorithm::HmacSha384),
    ("hmac-sha512", Algorithm::HmacSha512),
    ("hmac-sha1", Algorithm::HmacSha1),
    ("hmac-md5", Algorithm::HmacMd5),
    ("sha256", Algorithm::Sha256),
    ("sha512", Algorithm::Sha512),
    ("sha1", Algorithm::Sha1),
    ("unauthenticated-sha256", Algorithm::UnauthenticatedSha256),
    ("ed25519", Algorithm::Ed25519),
    ("ecdsa-p256-sha256", Algorithm::EcdsaP256Sha256),
    ("ecdsa-p256-sha256-fixed", Algorithm::EcdsaP256Sha256Fixed),
    ("ecdsa-p256-sha1", Algorithm::EcdsaP256Sha1),
    ("ecdsa-p384-sha384-fixed", Algorithm::EcdsaP384Sha384Fixed),
    ("ecdsa-p521-sha512-fixed", Algorithm::EcdsaP521Sha512Fixed),
    ("rsa-pkcs1-sha1", Algorithm::RsaPkcs1Sha1),
    ("rsa-pkcs1-sha256", Algorithm::RsaPkcs1Sha256),
    ("rsa-pkcs1-sha384", Algorithm::RsaPkcs1Sha384),
    ("rsa-pkcs1-sha512", Algorithm::RsaPkcs1Sha512),
    ("rsa-pss-sha512", Algorithm::RsaPssSha512),
    ("token", Algorithm::Token),
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
    /// The key is public, and only the sender has the private one.
    Public,
    /// The request contains the secret.
    Token,
}

/// The lengths that a signature can have, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SignatureLen {
    Exact(usize),
    /// The least and the most.
    Range(usize, usize),
}

impl SignatureLen {
    pub(crate) fn min(self) -> usize {
        match self {
            Self::Exact(len) | Self::Range(len, _) => len,
        }
    }

    pub(crate) fn max(self) -> usize {
        match self {
            Self::Exact(len) | Self::Range(_, len) => len,
        }
    }

    pub(crate) fn contains(self, len: usize) -> bool {
        (self.min()..=self.max()).contains(&len)
    }
}

impl Algorithm {
    pub(crate) fn keying(self) -> Keying {
        match self {
            Self::HmacSha256
            | Self::HmacSha384
            | Self::HmacSha512
            | Self::HmacSha1
            | Self::HmacMd5 => Keying::Mac,
            Self::Sha256 | Self::Sha512 | Self::Sha1 => Keying::Content,
            Self::UnauthenticatedSha256 => Keying::None,
            Self::Ed25519
            | Self::EcdsaP256Sha256
            | Self::EcdsaP256Sha256Fixed
            | Self::EcdsaP256Sha1
            | Self::EcdsaP384Sha384Fixed
            | Self::EcdsaP521Sha512Fixed
            | Self::RsaPkcs1Sha1
            | Self::RsaPkcs1Sha256
            | Self::RsaPkcs1Sha384
            | Self::RsaPkcs1Sha512
            | Self::RsaPssSha512 => Keying::Public,
            Self::Token => Keying::Token,
        }
    }

    /// The lengths that a signature can have.
    pub(crate) fn signature_len(self) -> SignatureLen {
        match self {
            Self::HmacSha256 | Self::Sha256 | Self::UnauthenticatedSha256 | Self::Token => {
                SignatureLen::Exact(32)
            }
            Self::HmacSha384 => SignatureLen::Exact(48),
            Self::EcdsaP384Sha384Fixed => SignatureLen::Exact(96),
            Self::EcdsaP521Sha512Fixed => SignatureLen::Exact(132),
            Self::HmacSha512 | Self::Sha512 | Self::Ed25519 | Self::EcdsaP256Sha256Fixed => {
                SignatureLen::Exact(64)
            }
            Self::HmacSha1 | Self::Sha1 => SignatureLen::Exact(20),
            Self::HmacMd5 => SignatureLen::Exact(16),
            // Two integers of one to 33 bytes each, with the headers of both and of the sequence.
            Self::EcdsaP256Sha256 | Self::EcdsaP256Sha1 => SignatureLen::Range(8, 72),
            // As long as the modulus, of 1024 to 8192 bits.
            Self::RsaPkcs1Sha1
            | Self::RsaPkcs1Sha256
            | Self::RsaPkcs1Sha384
            | Self::RsaPkcs1Sha512
            | Self::RsaPssSha512 => SignatureLen::Range(128, 1024),
        }
    }

    /// Refuses an algorithm whose feature is not enabled.
    pub(crate) fn check_supported(self) -> Result<(), SetupError> {
        let is_more = matches!(self, Self::EcdsaP256Sha1 | Self::EcdsaP521Sha512Fixed);
        let feature = if is_more && !cfg!(feature = "more-ecdsa") {
            "more-ecdsa"
        } else if self.keying() == Keying::Public && !cfg!(feature = "asymmetric") {
            "asymmetric"
        } else {
            return Ok(());
        };
        Err(SetupError::new(format!(
            "algorithm = \"{self}\" needs the feature {feature:?} of tower-webhook; add it to Cargo.toml"
        )))
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
            let lower = text.to_ascii_lowercase();
            let meant = ["ed25519", "eddsa", "ecdsa", "rsa"];
            let is_asymmetric = meant.iter().any(|name| lower.contains(name));
            let known: Vec<&str> = NAMES
                .iter()
                // `Scheme::token` describes a token, and no algorithm does.
                .filter(|(_, known)| known.keying() != Keying::Token)
                .filter(|(_, known)| !is_asymmetric || known.keying() == Keying::Public)
                .map(|(name, _)| *name)
                .collect();
            let known = known.join(", ");
            SetupError::new(format!("unknown algorithm {text:?}; use one of {known}"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_means_public_keys_is_answered_with_their_names() {
        for name in ["EdDSA", "Ed25519", "ecdsa-p256", "rsa-sha256"] {
            let error = name.parse::<Algorithm>().unwrap_err().to_string();
            assert_eq!(
                error,
                format!(
                    "unknown algorithm {name:?}; use one of ed25519, ecdsa-p256-sha256, \
                     ecdsa-p256-sha256-fixed, ecdsa-p256-sha1, ecdsa-p384-sha384-fixed, \
                     ecdsa-p521-sha512-fixed, rsa-pkcs1-sha1, rsa-pkcs1-sha256, rsa-pkcs1-sha384, \
                     rsa-pkcs1-sha512, rsa-pss-sha512"
                )
            );
        }
        let error = "sha3".parse::<Algorithm>().unwrap_err().to_string();
        assert!(
            error.contains("hmac-sha256") && error.contains("ed25519"),
            "{error}"
        );
    }

    #[test]
    fn public_keys_need_their_feature() {
        assert_eq!(Algorithm::HmacSha256.check_supported(), Ok(()));
        let more = Algorithm::EcdsaP521Sha512Fixed.check_supported();
        assert_eq!(more.is_ok(), cfg!(feature = "more-ecdsa"));
        let checked = Algorithm::Ed25519.check_supported();
        if cfg!(feature = "asymmetric") {
            assert_eq!(checked, Ok(()));
        } else {
            assert_eq!(
                checked.unwrap_err().to_string(),
                "algorithm = \"ed25519\" needs the feature \"asymmetric\" of tower-webhook; add it to Cargo.toml"
            );
        }
    }

    #[test]
    fn a_length_is_in_its_range() {
        let der = Algorithm::EcdsaP256Sha256.signature_len();
        for (len, expected) in [(7, false), (8, true), (72, true), (73, false)] {
            assert_eq!(der.contains(len), expected, "{len}");
        }
        let exact = Algorithm::Ed25519.signature_len();
        assert_eq!((exact.min(), exact.max()), (64, 64));
        assert!(!exact.contains(63));
    }

    #[test]
    fn names_round_trip() {
        for (name, algorithm) in NAMES {
            assert_eq!(name.parse::<Algorithm>().unwrap(), algorithm);
            assert_eq!(algorithm.to_string(), name);
        }
    }
}
