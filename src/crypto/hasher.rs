//! [`Hasher`]: a keyed hash of any supported algorithm.

use hmac::{Hmac, KeyInit};
use md5::Md5;
use sha1::Sha1;
use sha2::{
    Digest, Sha256, Sha384, Sha512,
    digest::{FixedOutput, Update},
};

use crate::{crypto::tag::Tag, error::SetupError, scheme::algorithm::Algorithm};

/// A running hash, keyed if its algorithm is a MAC.
#[derive(Clone)]
pub(crate) enum Hasher {
    HmacSha256(Hmac<Sha256>),
    HmacSha384(Hmac<Sha384>),
    HmacSha512(Hmac<Sha512>),
    HmacSha1(Hmac<Sha1>),
    HmacMd5(Hmac<Md5>),
    Sha256(Sha256),
    Sha512(Sha512),
    Sha1(Sha1),
}

impl Hasher {
    pub(crate) fn new(algorithm: Algorithm, key: &[u8]) -> Result<Self, SetupError> {
        let refused = |_| SetupError::new("its length does not fit the algorithm");
        Ok(match algorithm {
            Algorithm::HmacSha256 => {
                Self::HmacSha256(KeyInit::new_from_slice(key).map_err(refused)?)
            }
            Algorithm::HmacSha384 => {
                Self::HmacSha384(KeyInit::new_from_slice(key).map_err(refused)?)
            }
            Algorithm::HmacSha512 => {
                Self::HmacSha512(KeyInit::new_from_slice(key).map_err(refused)?)
            }
            Algorithm::HmacSha1 => Self::HmacSha1(KeyInit::new_from_slice(key).map_err(refused)?),
            Algorithm::HmacMd5 => Self::HmacMd5(KeyInit::new_from_slice(key).map_err(refused)?),
            Algorithm::Sha256 | Algorithm::UnauthenticatedSha256 => Self::Sha256(Sha256::new()),
            Algorithm::Sha512 => Self::Sha512(Sha512::new()),
            Algorithm::Sha1 => Self::Sha1(Sha1::new()),
            Algorithm::Ed25519
            | Algorithm::EcdsaP256Sha256
            | Algorithm::EcdsaP256Sha256Fixed
            | Algorithm::EcdsaP256Sha1
            | Algorithm::EcdsaP384Sha384Fixed
            | Algorithm::EcdsaP521Sha512Fixed
            | Algorithm::RsaPkcs1Sha1
            | Algorithm::RsaPkcs1Sha256
            | Algorithm::RsaPkcs1Sha384
            | Algorithm::RsaPkcs1Sha512
            | Algorithm::RsaPssSha512
            | Algorithm::Token => {
                algorithm.check_supported()?;
                return Err(SetupError::new(format!("{algorithm} is not a keyed hash")));
            }
        })
    }

    /// Finishes a copy of this hash after `feed` has added to it.
    pub(crate) fn hash(&self, feed: &mut dyn FnMut(&mut dyn Update) -> Option<()>) -> Option<Tag> {
        match self {
            Self::HmacSha256(hash) => finish(hash.clone(), feed),
            Self::HmacSha384(hash) => finish(hash.clone(), feed),
            Self::HmacSha512(hash) => finish(hash.clone(), feed),
            Self::HmacSha1(hash) => finish(hash.clone(), feed),
            Self::HmacMd5(hash) => finish(hash.clone(), feed),
            Self::Sha256(hash) => finish(hash.clone(), feed),
            Self::Sha512(hash) => finish(hash.clone(), feed),
            Self::Sha1(hash) => finish(hash.clone(), feed),
        }
    }

    /// Finishes a copy of this hash after `text`.
    pub(crate) fn of(&self, text: &[u8]) -> Tag {
        let tag = self.hash(&mut |hash| {
            absorb(hash, text);
            Some(())
        });
        let Some(tag) = tag else {
            unreachable!("a text is always added");
        };
        tag
    }
}

/// Finishes a hash after `feed` has added to it.
fn finish<H: Update + FixedOutput>(
    mut hash: H,
    feed: &mut dyn FnMut(&mut dyn Update) -> Option<()>,
) -> Option<Tag> {
    feed(&mut hash)?;
    #[cfg(test)]
    counters::finished();
    Some(Tag::from(&*hash.finalize_fixed()))
}

impl Update for Hasher {
    fn update(&mut self, data: &[u8]) {
        match self {
            Self::HmacSha256(hash) => Update::update(hash, data),
            Self::HmacSha384(hash) => Update::update(hash, data),
            Self::HmacSha512(hash) => Update::update(hash, data),
            Self::HmacSha1(hash) => Update::update(hash, data),
            Self::HmacMd5(hash) => Update::update(hash, data),
            Self::Sha256(hash) => Update::update(hash, data),
            Self::Sha512(hash) => Update::update(hash, data),
            Self::Sha1(hash) => Update::update(hash, data),
        }
    }
}

/// Adds to a hash. Everything that is hashed goes through here, so that tests can count it.
pub(crate) fn absorb(hash: &mut dyn Update, data: &[u8]) {
    #[cfg(test)]
    counters::hashed(data.len());
    hash.update(data);
}

/// Bytes hashed and hashes finished, per thread, for tests.
#[cfg(test)]
pub(crate) mod counters {
    use std::cell::Cell;

    thread_local! {
        static HASHED: Cell<usize> = const { Cell::new(0) };
        static FINISHED: Cell<usize> = const { Cell::new(0) };
        static VERIFIED: Cell<usize> = const { Cell::new(0) };
    }

    pub(super) fn hashed(bytes: usize) {
        HASHED.set(HASHED.get().saturating_add(bytes));
    }

    pub(super) fn finished() {
        FINISHED.set(FINISHED.get().saturating_add(1));
    }

    #[cfg(feature = "asymmetric")]
    pub(crate) fn verified() {
        VERIFIED.set(VERIFIED.get().saturating_add(1));
    }

    /// Verifications with a public key since the last call.
    #[cfg(feature = "asymmetric")]
    pub(crate) fn take_verified() -> usize {
        VERIFIED.take()
    }

    /// Bytes hashed and hashes finished since the last call.
    pub(crate) fn take() -> (usize, usize) {
        (HASHED.take(), FINISHED.take())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scheme::algorithm::{Keying, NAMES, SignatureLen};

    #[test]
    fn output_lengths_agree_with_the_hashes() {
        for (name, algorithm) in NAMES {
            if matches!(algorithm.keying(), Keying::Public | Keying::Token) {
                assert!(Hasher::new(algorithm, b"key").is_err(), "{name}");
                continue;
            }
            let hasher = Hasher::new(algorithm, b"key").unwrap();
            let tag = hasher.hash(&mut |_| Some(())).unwrap();
            let length = SignatureLen::Exact(tag.as_bytes().len());
            assert_eq!(algorithm.signature_len(), length, "{name}");
        }
    }
}
