//! [`Proof`]: a key that decides whether a signature matches.

use sha2::digest::Update;

#[cfg(all(test, feature = "asymmetric"))]
use crate::crypto::hasher::counters;
#[cfg(feature = "asymmetric")]
use crate::crypto::public_key::PublicKey;
use crate::{
    crypto::{
        candidates::{Candidates, token_tag},
        hasher::Hasher,
        tag::Tag,
    },
    error::SetupError,
    scheme::algorithm::{Algorithm, Keying},
};

/// A key under one algorithm, with everything that can be computed before a request arrives.
#[expect(
    clippy::large_enum_variant,
    reason = "nearly every key is a hash, which each request would follow a pointer to"
)]
pub(crate) enum Proof {
    Hash(Hasher),
    /// The digest of a token, which is the same for every content.
    Token(Tag),
    /// A public key, and what every content begins with.
    #[cfg(feature = "asymmetric")]
    PublicKey(PublicKey, Box<[u8]>),
    /// No key: each request has its own, with the certificates that vouch for it.
    #[cfg(feature = "certificates")]
    InRequest,
}

impl Proof {
    /// The key of a MAC or a digest, or a token.
    pub(crate) fn of_secret(algorithm: Algorithm, key: &[u8]) -> Result<Self, SetupError> {
        match algorithm.keying() {
            Keying::Token => Ok(Self::Token(token_tag(key))),
            _ => Hasher::new(algorithm, key).map(Self::Hash),
        }
    }

    /// A public key, for content that begins with what `lead` adds.
    #[cfg(feature = "asymmetric")]
    pub(crate) fn of_public_key(
        key: PublicKey,
        lead: impl FnOnce(&mut dyn Update) -> Option<()>,
    ) -> Option<Self> {
        let mut message = Message::default();
        lead(&mut message)?;
        Some(Self::PublicKey(key, message.0.into()))
    }

    /// Whether a candidate proves the content that `feed` adds, behind what a hash has begun with.
    /// `None` if the content cannot be built.
    pub(crate) fn matches(
        &self,
        candidates: &Candidates,
        feed: &mut dyn FnMut(&mut dyn Update) -> Option<()>,
    ) -> Option<bool> {
        match self {
            Self::Hash(hasher) => Some(candidates.contain(&hasher.hash(feed)?)),
            Self::Token(token) => Some(candidates.contain(token)),
            #[cfg(feature = "certificates")]
            Self::InRequest => Some(false),
            #[cfg(feature = "asymmetric")]
            Self::PublicKey(key, lead) => {
                let mut message = Message(lead.to_vec());
                feed(&mut message)?;
                let mut signatures = candidates.signatures();
                Some(signatures.any(|signature| {
                    #[cfg(test)]
                    counters::verified();
                    key.verifies(&message.0, signature)
                }))
            }
        }
    }

    /// The hash, if the content can be hashed as it arrives.
    pub(crate) fn hasher(&self) -> Option<&Hasher> {
        match self {
            Self::Hash(hasher) => Some(hasher),
            _ => None,
        }
    }

    /// Whether a comparison takes so long that none is made that is not needed.
    pub(crate) fn is_slow(&self) -> bool {
        match self {
            Self::Hash(_) | Self::Token(_) => false,
            #[cfg(feature = "asymmetric")]
            Self::PublicKey(..) => true,
            #[cfg(feature = "certificates")]
            Self::InRequest => true,
        }
    }
}

/// The whole signed content: asymmetric keys neither sign nor verify it in parts.
#[cfg(feature = "asymmetric")]
#[derive(Clone, Default)]
pub(crate) struct Message(pub(crate) Vec<u8>);

#[cfg(feature = "asymmetric")]
impl Update for Message {
    fn update(&mut self, data: &[u8]) {
        self.0.extend_from_slice(data);
    }
}
