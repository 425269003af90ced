//! [`PrivateKey`]: signs as a provider does, for tests.

use der::Decode;
use pkcs1::RsaPrivateKeyRef;
use pkcs8::PrivateKeyInfoRef;
use ring::{
    rand::SystemRandom,
    rsa,
    signature::{
        self, ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256_SHA256_FIXED_SIGNING,
        ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, RsaEncoding,
    },
};

#[cfg(feature = "more-ecdsa")]
use crate::crypto::more_ecdsa::P521Pair;
use crate::{
    crypto::{
        key_der::{Foreign, KeyType, tell, unreadable},
        key_encoding::{Armor, Half, decode, is_encrypted, is_public, is_sec1},
        public_key::{MIN_RSA_BITS, bits, check_rsa_bits},
    },
    error::SetupError,
    scheme::algorithm::Algorithm,
};

/// *ring* signs with no more.
const MAX_RSA_BITS: usize = 4096;

/// A private key, and the algorithm that it signs with. It deliberately has no `Debug`.
pub(crate) struct PrivateKey {
    algorithm: Algorithm,
    pair: Pair,
}

enum Pair {
    Ed25519(Box<Ed25519KeyPair>),
    Ecdsa(Box<EcdsaKeyPair>),
    #[cfg(feature = "more-ecdsa")]
    P521(Box<P521Pair>),
    Rsa(Box<rsa::KeyPair>),
}

impl PrivateKey {
    /// Reads PKCS #8, `RSA PRIVATE KEY`, or the bare seed of Ed25519.
    pub(crate) fn read(text: &str, algorithm: Algorithm) -> Result<Self, SetupError> {
        let wanted = KeyType::of(algorithm)?;
        let decoded = decode(text, Half::Private)?;
        let bytes = &*decoded.bytes;
        let pair = if decoded.armor != Armor::Pem && matches!(bytes.len(), 32 | 64) {
            KeyType::Ed25519.check(algorithm)?;
            Pair::ed25519(bytes)?
        } else if decoded.armor == Armor::Prefix {
            return Err(wrong_length(bytes.len()));
        } else if let Ok(info) = PrivateKeyInfoRef::from_der(bytes) {
            KeyType::identified_by(&info.algorithm).check(algorithm)?;
            match wanted {
                KeyType::Ed25519 => {
                    let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(bytes);
                    Pair::Ed25519(Box::new(pair.map_err(|_| damaged())?))
                }
                KeyType::P256 | KeyType::P384 => Pair::ecdsa(bytes, algorithm)?,
                #[cfg(feature = "more-ecdsa")]
                KeyType::P521 => {
                    Pair::P521(Box::new(P521Pair::from_pkcs8(bytes).ok_or_else(damaged)?))
                }
                _ => Pair::rsa(info.private_key.as_bytes())?,
            }
        } else if RsaPrivateKeyRef::from_der(bytes).is_ok() {
            KeyType::Rsa.check(algorithm)?;
            Pair::rsa(bytes)?
        } else {
            return Err(match tell(bytes) {
                Foreign::EncryptedPrivateKey => is_encrypted(),
                Foreign::PublicKey => is_public(),
                Foreign::PrivateKey => is_sec1(),
                Foreign::Unreadable
                    if wanted == KeyType::Ed25519 && bytes.first() != Some(&0x30) =>
                {
                    wrong_length(bytes.len())
                }
                Foreign::Unreadable => unreadable(bytes, Half::Private),
            });
        };
        Ok(Self { algorithm, pair })
    }

    /// The signature of a message. Those of ECDSA are different each time.
    pub(crate) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SetupError> {
        let random = SystemRandom::new();
        let failed = |_| SetupError::new("the operating system gives no random numbers; try again");
        match &self.pair {
            Pair::Ed25519(pair) => Ok(pair.sign(message).as_ref().to_vec()),
            #[cfg(feature = "more-ecdsa")]
            Pair::P521(pair) => Ok(pair.sign(message)),
            Pair::Ecdsa(_) if self.algorithm == Algorithm::EcdsaP256Sha1 => {
                Err(only_verified(self.algorithm))
            }
            Pair::Ecdsa(pair) => {
                let signature = pair.sign(&random, message).map_err(failed)?;
                Ok(signature.as_ref().to_vec())
            }
            Pair::Rsa(pair) => {
                let padding: &dyn RsaEncoding = match self.algorithm {
                    Algorithm::RsaPkcs1Sha256 => &signature::RSA_PKCS1_SHA256,
                    Algorithm::RsaPkcs1Sha384 => &signature::RSA_PKCS1_SHA384,
                    Algorithm::RsaPkcs1Sha512 => &signature::RSA_PKCS1_SHA512,
                    Algorithm::RsaPssSha512 => &signature::RSA_PSS_SHA512,
                    other => return Err(only_verified(other)),
                };
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(padding, &random, message, &mut signature)
                    .map_err(failed)?;
                Ok(signature)
            }
        }
    }
}

impl Pair {
    /// The seed, or the seed and the public key.
    fn ed25519(bytes: &[u8]) -> Result<Self, SetupError> {
        let (seed, public) = bytes.split_at_checked(32).unwrap_or((bytes, &[]));
        let pair = if public.is_empty() {
            Ed25519KeyPair::from_seed_unchecked(seed)
        } else {
            Ed25519KeyPair::from_seed_and_public_key(seed, public)
        };
        Ok(Self::Ed25519(Box::new(pair.map_err(|_| damaged())?)))
    }

    fn ecdsa(pkcs8: &[u8], algorithm: Algorithm) -> Result<Self, SetupError> {
        let form = match algorithm {
            Algorithm::EcdsaP256Sha256 => &ECDSA_P256_SHA256_ASN1_SIGNING,
            Algorithm::EcdsaP384Sha384Fixed => &ECDSA_P384_SHA384_FIXED_SIGNING,
            _ => &ECDSA_P256_SHA256_FIXED_SIGNING,
        };
        let pair = EcdsaKeyPair::from_pkcs8(form, pkcs8, &SystemRandom::new());
        Ok(Self::Ecdsa(Box::new(pair.map_err(|_| damaged())?)))
    }

    fn rsa(pkcs1: &[u8]) -> Result<Self, SetupError> {
        let numbers = RsaPrivateKeyRef::from_der(pkcs1).map_err(|_| damaged())?;
        let found = bits(numbers.modulus.as_bytes());
        check_rsa_bits(found, MIN_RSA_BITS, MAX_RSA_BITS)?;
        let pair = rsa::KeyPair::from_der(pkcs1);
        Ok(Self::Rsa(Box::new(pair.map_err(|_| damaged())?)))
    }
}

fn wrong_length(found: usize) -> SetupError {
    SetupError::new(format!(
        "it has {found} bytes once decoded, and an Ed25519 private key has 32, or 64 with the public key; copy the \
         whole private key"
    ))
}

fn only_verified(algorithm: Algorithm) -> SetupError {
    SetupError::new(format!(
        "{algorithm} is only verified, because SHA-1 is no longer safe to sign; record a signature of the provider for \
         the test"
    ))
}

fn damaged() -> SetupError {
    SetupError::new(
        "its parts do not belong together, or its public key is missing; generate the key again, with openssl genpkey",
    )
}

#[cfg(test)]
mod tests {
    use base64::{Engine, engine::general_purpose::STANDARD};

    use super::*;
    use crate::crypto::{encoding::encode_hex, public_key::PublicKey};

    const ED25519: &str = include_str!("vectors/keys/ed25519.pem");
    const ED25519_PUBLIC: &str = include_str!("vectors/keys/ed25519.pub.pem");
    const P256: &str = include_str!("vectors/keys/p256.pem");
    const P256_PUBLIC: &str = include_str!("vectors/keys/p256.pub.pem");
    const P384: &str = include_str!("vectors/keys/p384.pem");
    const P384_PUBLIC: &str = include_str!("vectors/keys/p384.pub.pem");
    const RSA: &str = include_str!("vectors/keys/rsa2048.pem");
    const RSA_PKCS1: &str = include_str!("vectors/keys/rsa2048.pkcs1.pem");
    const RSA_PUBLIC: &str = include_str!("vectors/keys/rsa2048.pub.pem");

    fn read(text: &str, algorithm: Algorithm) -> PrivateKey {
        PrivateKey::read(text, algorithm)
            .map_err(|error| error.to_string())
            .ok()
            .unwrap()
    }

    fn error(text: &str, algorithm: Algorithm) -> String {
        PrivateKey::read(text, algorithm).err().unwrap().to_string()
    }

    fn der(pem: &str) -> Vec<u8> {
        let lines: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
        STANDARD.decode(lines).unwrap()
    }

    #[test]
    fn what_is_signed_verifies() {
        for (private, public, algorithm) in [
            (ED25519, ED25519_PUBLIC, Algorithm::Ed25519),
            (P256, P256_PUBLIC, Algorithm::EcdsaP256Sha256),
            (P256, P256_PUBLIC, Algorithm::EcdsaP256Sha256Fixed),
            (P384, P384_PUBLIC, Algorithm::EcdsaP384Sha384Fixed),
            #[cfg(feature = "more-ecdsa")]
            (
                include_str!("vectors/keys/p521.pem"),
                include_str!("vectors/keys/p521.pub.pem"),
                Algorithm::EcdsaP521Sha512Fixed,
            ),
            (RSA, RSA_PUBLIC, Algorithm::RsaPkcs1Sha256),
            (RSA, RSA_PUBLIC, Algorithm::RsaPkcs1Sha384),
            (RSA_PKCS1, RSA_PUBLIC, Algorithm::RsaPkcs1Sha512),
            (RSA, RSA_PUBLIC, Algorithm::RsaPssSha512),
        ] {
            let public = PublicKey::read(public, algorithm, MIN_RSA_BITS).unwrap();
            for text in [
                private.to_owned(),
                private.replace('\n', "\\n"),
                STANDARD.encode(der(private)),
                encode_hex(&der(private)),
            ] {
                let key = read(&text, algorithm);
                assert_eq!(key.algorithm, algorithm);
                for message in [&b""[..], b"{}", &[0xff; 1000]] {
                    let signature = key.sign(message).unwrap();
                    assert!(algorithm.signature_len().contains(signature.len()));
                    assert!(public.verifies(message, &signature), "{algorithm}");
                    assert!(!public.verifies(b"another", &signature), "{algorithm}");
                }
            }
        }
    }

    #[test]
    fn a_seed_is_read_with_its_public_key_or_without() {
        let info = der(ED25519);
        let seed = &info[info.len() - 32..];
        let public = der(ED25519_PUBLIC);
        let both = [seed, &public[public.len() - 32..]].concat();
        let expected = read(ED25519, Algorithm::Ed25519).sign(b"message").unwrap();
        for bytes in [seed, &both] {
            for text in [
                encode_hex(bytes),
                STANDARD.encode(bytes),
                format!("whsk_{}", STANDARD.encode(bytes)),
            ] {
                let key = read(&text, Algorithm::Ed25519);
                assert_eq!(key.sign(b"message").unwrap(), expected);
            }
        }
        let mixed = [seed, seed].concat();
        assert!(error(&encode_hex(&mixed), Algorithm::Ed25519).contains("do not belong together"));
        for (text, found) in [
            (format!("whsk_{}", STANDARD.encode(&both[..48])), 48),
            (encode_hex(&[7; 31]), 31),
        ] {
            assert_eq!(
                error(&text, Algorithm::Ed25519),
                format!(
                    "it has {found} bytes once decoded, and an Ed25519 private key has 32, or 64 with the public key; \
                     copy the whole private key"
                )
            );
        }
    }

    #[test]
    fn sha1_is_never_signed() {
        #[cfg(feature = "more-ecdsa")]
        assert_eq!(
            read(P256, Algorithm::EcdsaP256Sha1)
                .sign(b"message")
                .unwrap_err()
                .to_string(),
            "ecdsa-p256-sha1 is only verified, because SHA-1 is no longer safe to sign; record a signature of the \
             provider for the test"
        );
        let key = read(RSA, Algorithm::RsaPkcs1Sha1);
        assert_eq!(
            key.sign(b"message").unwrap_err().to_string(),
            "rsa-pkcs1-sha1 is only verified, because SHA-1 is no longer safe to sign; record a signature of the \
             provider for the test"
        );
    }

    #[test]
    fn other_keys_are_refused() {
        let public =
            "it is a public key, which cannot sign; set the private key that belongs to it";
        for text in [
            ED25519_PUBLIC,
            RSA_PUBLIC,
            include_str!("vectors/keys/rsa2048.pkcs1.pub.pem"),
            include_str!("vectors/keys/p256.crt.pem"),
            "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=",
            &STANDARD.encode(der(P256_PUBLIC)),
            &STANDARD.encode(der(RSA_PUBLIC)),
        ] {
            assert_eq!(error(text, Algorithm::Ed25519), public);
        }
        let encrypted = "it is an encrypted private key; decrypt it with `openssl pkey -in key.pem -out plain.pem`";
        let pkcs8 = include_str!("vectors/keys/ed25519.encrypted.pem");
        let body: String = pkcs8
            .lines()
            .filter(|line| !line.starts_with('-'))
            .collect();
        let pkcs1 = include_str!("vectors/keys/rsa2048.encrypted.pkcs1.pem");
        for text in [pkcs8, &body, pkcs1] {
            assert_eq!(error(text, Algorithm::Ed25519), encrypted);
        }
        let sec1 = include_str!("vectors/keys/p256.sec1.pem");
        let parameters =
            "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n";
        for text in [
            sec1,
            &format!("{parameters}{sec1}"),
            &STANDARD.encode(der(sec1)),
        ] {
            assert_eq!(
                error(text, Algorithm::EcdsaP256Sha256),
                "it is an elliptic-curve key as SEC 1; convert it to PKCS #8 with `openssl pkcs8 -topk8 -nocrypt -in \
                 key.pem`"
            );
        }
        let remedy = "; copy the key of this scheme, or correct the algorithm";
        for (text, algorithm, expected) in [
            (
                RSA,
                Algorithm::Ed25519,
                "it is an RSA key, and ed25519 needs an Ed25519 key",
            ),
            (
                RSA_PKCS1,
                Algorithm::EcdsaP256Sha256,
                "it is an RSA key, and ecdsa-p256-sha256 needs a P-256 key",
            ),
            (
                "whsk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=",
                Algorithm::RsaPkcs1Sha256,
                "it is an Ed25519 key, and rsa-pkcs1-sha256 needs an RSA key",
            ),
        ] {
            assert_eq!(error(text, algorithm), format!("{expected}{remedy}"));
        }
        assert!(error(P384, Algorithm::EcdsaP256Sha256).starts_with("it is a P-384 key, and"));
        let short = include_str!("vectors/keys/rsa1024.pem");
        assert!(
            error(short, Algorithm::RsaPkcs1Sha256).starts_with("it is an RSA key of 1024 bits")
        );
        assert!(error(RSA, Algorithm::HmacSha256).contains("has no public keys"));
        assert_eq!(
            error("", Algorithm::Ed25519),
            "it is empty; set it to the private key"
        );
        let openssh = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5v\n-----END OPENSSH PRIVATE KEY-----";
        assert!(error(openssh, Algorithm::Ed25519).contains("ssh-keygen -p -m PKCS8"));
        assert!(
            error("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", Algorithm::Ed25519)
                .contains("needs a private key")
        );
    }

    #[test]
    fn no_text_panics() {
        for text in [ED25519, P256] {
            let der = der(text);
            for algorithm in [
                Algorithm::Ed25519,
                Algorithm::EcdsaP256Sha256,
                Algorithm::RsaPkcs1Sha256,
            ] {
                for end in 0..text.len() {
                    _ = PrivateKey::read(&text[..end], algorithm);
                    _ = PrivateKey::read(&text[end..], algorithm);
                }
                for bit in 0..der.len() * 8 {
                    let mut flipped = der.clone();
                    flipped[bit / 8] ^= 1 << (bit % 8);
                    let key = PrivateKey::read(&encode_hex(&flipped), algorithm);
                    _ = key.map(|key| key.sign(b"message"));
                }
            }
        }
    }
}
