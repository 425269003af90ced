//! The hash functions, behind one running state.

use std::{fmt, str::FromStr};

use hmac::{Hmac, KeyInit, Mac};
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512, digest::Update};
use subtle::ConstantTimeEq;

use crate::SetupError;

/// How the signature is computed. It belongs to the configuration; nothing in a request can change it.
///
/// The plain digests take their key from `{secret}` in the signed content. One without a key,
/// which anybody can compute, exists only under a name that says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Algorithm {
    /// HMAC with SHA-256 (`hmac-sha256`).
    HmacSha256,
    /// HMAC with SHA-512 (`hmac-sha512`).
    HmacSha512,
    /// HMAC with SHA-1 (`hmac-sha1`): still sound as a MAC, though no choice for anything new.
    HmacSha1,
    /// HMAC with MD5 (`hmac-md5`): only for a vendor that offers nothing else.
    HmacMd5,
    /// SHA-256 over content that holds the secret (`sha256`).
    Sha256,
    /// SHA-512 over content that holds the secret (`sha512`).
    Sha512,
    /// SHA-1 over content that holds the secret (`sha1`).
    Sha1,
    /// SHA-256 over content without any secret (`unauthenticated-sha256`).
    ///
    /// It proves that the body arrived unchanged, and **nothing about who sent it**.
    UnauthenticatedSha256,
}

/// The first item is what `Display` prints and `FromStr` reads.
const NAMES: [(&str, Algorithm); 8] = [
    ("hmac-sha256", Algorithm::HmacSha256),
    ("hmac-sha512", Algorithm::HmacSha512),
    ("hmac-sha1", Algorithm::HmacSha1),
    ("hmac-md5", Algorithm::HmacMd5),
    ("sha256", Algorithm::Sha256),
    ("sha512", Algorithm::Sha512),
    ("sha1", Algorithm::Sha1),
    ("unauthenticated-sha256", Algorithm::UnauthenticatedSha256),
];

/// Where an algorithm takes its key from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keying {
    /// The construction itself is keyed.
    Mac,
    /// The signed content has to hold the secret.
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
            let known: Vec<&str> = NAMES.iter().map(|(name, _)| *name).collect();
            let known = known.join(", ");
            SetupError::new(format!("unknown algorithm {text:?}; use one of {known}"))
        })
    }
}

/// A running hash, already keyed where its algorithm is.
#[derive(Clone)]
pub(crate) enum Hasher {
    HmacSha256(Hmac<Sha256>),
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
            Algorithm::HmacSha512 => {
                Self::HmacSha512(KeyInit::new_from_slice(key).map_err(refused)?)
            }
            Algorithm::HmacSha1 => Self::HmacSha1(KeyInit::new_from_slice(key).map_err(refused)?),
            Algorithm::HmacMd5 => Self::HmacMd5(KeyInit::new_from_slice(key).map_err(refused)?),
            Algorithm::Sha256 | Algorithm::UnauthenticatedSha256 => Self::Sha256(Sha256::new()),
            Algorithm::Sha512 => Self::Sha512(Sha512::new()),
            Algorithm::Sha1 => Self::Sha1(Sha1::new()),
        })
    }

    /// The hash of what this one holds and `feed` adds. It is done on a copy, and of nothing but the variant in use.
    pub(crate) fn hash(&self, feed: impl FnOnce(&mut dyn Update) -> Option<()>) -> Option<Tag> {
        match self {
            Self::HmacSha256(hash) => mac(hash.clone(), feed),
            Self::HmacSha512(hash) => mac(hash.clone(), feed),
            Self::HmacSha1(hash) => mac(hash.clone(), feed),
            Self::HmacMd5(hash) => mac(hash.clone(), feed),
            Self::Sha256(hash) => digest(hash.clone(), feed),
            Self::Sha512(hash) => digest(hash.clone(), feed),
            Self::Sha1(hash) => digest(hash.clone(), feed),
        }
    }
}

impl Update for Hasher {
    fn update(&mut self, data: &[u8]) {
        match self {
            Self::HmacSha256(hash) => Update::update(hash, data),
            Self::HmacSha512(hash) => Update::update(hash, data),
            Self::HmacSha1(hash) => Update::update(hash, data),
            Self::HmacMd5(hash) => Update::update(hash, data),
            Self::Sha256(hash) => Update::update(hash, data),
            Self::Sha512(hash) => Update::update(hash, data),
            Self::Sha1(hash) => Update::update(hash, data),
        }
    }
}

/// A hash, and how many bytes went into it.
pub(crate) struct Counting<'h> {
    pub(crate) hasher: &'h mut Hasher,
    pub(crate) bytes: usize,
}

impl Update for Counting<'_> {
    fn update(&mut self, data: &[u8]) {
        self.bytes = self.bytes.saturating_add(data.len());
        self.hasher.update(data);
    }
}

/// Everything that is hashed goes through here.
pub(crate) fn absorb(hash: &mut dyn Update, data: &[u8]) {
    #[cfg(test)]
    counters::hashed(data.len());
    hash.update(data);
}

fn mac(
    mut hash: impl Mac + Update,
    feed: impl FnOnce(&mut dyn Update) -> Option<()>,
) -> Option<Tag> {
    feed(&mut hash)?;
    #[cfg(test)]
    counters::finished();
    Some(Tag::from(&*hash.finalize().into_bytes()))
}

fn digest(
    mut hash: impl Digest + Update,
    feed: impl FnOnce(&mut dyn Update) -> Option<()>,
) -> Option<Tag> {
    feed(&mut hash)?;
    #[cfg(test)]
    counters::finished();
    Some(Tag::from(&*hash.finalize()))
}

/// A signature as bytes, at most [`Tag::MAX`] of them. It has no `Debug` and no `==` on purpose.
#[derive(Clone)]
pub(crate) struct Tag {
    bytes: [u8; Self::MAX],
    len: usize,
}

impl Tag {
    pub(crate) const MAX: usize = 64;

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }

    /// Takes as long for a difference in the first byte as for one in the last. What is not used is zero, so that all of it
    /// can be compared, in words.
    pub(crate) fn matches(&self, other: &Self) -> bool {
        let (words, _) = self.bytes.as_chunks::<8>();
        let (others, _) = other.bytes.as_chunks::<8>();
        let same =
            words
                .iter()
                .zip(others)
                .fold(self.len.ct_eq(&other.len), |same, (word, other)| {
                    same & u64::from_ne_bytes(*word).ct_eq(&u64::from_ne_bytes(*other))
                });
        same.into()
    }
}

impl From<&[u8]> for Tag {
    /// Bytes past [`Tag::MAX`] are dropped; callers have checked the length.
    fn from(source: &[u8]) -> Self {
        let mut bytes = [0; Self::MAX];
        let len = source.len().min(Self::MAX);
        if let (Some(to), Some(from)) = (bytes.get_mut(..len), source.get(..len)) {
            to.copy_from_slice(from);
        }
        Self { bytes, len }
    }
}

/// What the tests count: bytes that went into hashes and hashes that came out, per thread.
#[cfg(test)]
pub(crate) mod counters {
    use std::cell::Cell;

    thread_local! {
        static HASHED: Cell<usize> = const { Cell::new(0) };
        static FINISHED: Cell<usize> = const { Cell::new(0) };
    }

    pub(super) fn hashed(bytes: usize) {
        HASHED.set(HASHED.get().saturating_add(bytes));
    }

    pub(super) fn finished() {
        FINISHED.set(FINISHED.get().saturating_add(1));
    }

    /// Bytes hashed and hashes finished since the last call.
    pub(crate) fn take() -> (usize, usize) {
        (HASHED.take(), FINISHED.take())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_lengths_agree_with_the_hashes() {
        for (name, algorithm) in NAMES {
            assert_eq!(name.parse::<Algorithm>().unwrap(), algorithm);
            assert_eq!(algorithm.to_string(), name);
            let tag = Hasher::new(algorithm, b"key").unwrap();
            let tag = tag.hash(|_| Some(())).unwrap();
            assert_eq!(tag.as_bytes().len(), algorithm.output_len(), "{name}");
        }
    }

    #[test]
    fn tags_of_different_length_never_match() {
        let long = Tag::from(&[7_u8; 32][..]);
        let short = Tag::from(&[7_u8; 31][..]);
        assert!(!long.matches(&short));
        assert!(long.matches(&long.clone()));
        assert!(!Tag::from(&[0_u8; 32][..]).matches(&Tag::from(&[][..])));
    }
}
