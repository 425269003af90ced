//! [`Proof`]: a key that decides whether a signature matches; [`Candidates`]: the signatures of a
//! request, as their algorithm has them.

use sha2::digest::Update;
use smallvec::SmallVec;

#[cfg(all(test, feature = "asymmetric"))]
use crate::crypto::hasher::counters;
#[cfg(feature = "asymmetric")]
use crate::crypto::public_key::PublicKey;
use crate::{
    crypto::{encoding, hasher::Hasher, tag::Tag},
    error::SetupError,
    scheme::{
        algorithm::{Algorithm, Keying, SignatureLen},
        encoding::Encoding,
    },
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
            Keying::Token => Ok(Self::Token(Tag::of_token(key))),
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

/// How the signatures of a scheme are decoded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Decoder {
    pub(crate) keying: Keying,
    lengths: SignatureLen,
    pub(crate) encoding: Encoding,
}

impl Decoder {
    pub(crate) fn new(algorithm: Algorithm, encoding: Encoding) -> Self {
        Self {
            keying: algorithm.keying(),
            lengths: algorithm.signature_len(),
            encoding,
        }
    }

    /// The length of every signature, if all have the same, and are not tokens.
    pub(crate) fn exact_len(&self) -> Option<usize> {
        match self.lengths {
            SignatureLen::Exact(len) if self.keying != Keying::Token => Some(len),
            _ => None,
        }
    }
}

/// The signatures or tokens of a request.
#[derive(Clone, Default)]
pub(crate) struct Candidates {
    tags: SmallVec<[Tag; 1]>,
    /// Those that a public key verifies. They are behind a pointer, because tags are moved often.
    signatures: Option<Box<Signatures>>,
}

type Signatures = Vec<Box<[u8]>>;

impl Candidates {
    /// Signatures that are decoded. Those that are of no length of the algorithm are left out.
    pub(crate) fn of(algorithm: Algorithm, signatures: &[Vec<u8>]) -> Self {
        let lengths = algorithm.signature_len();
        let fitting = signatures.iter();
        let fitting = fitting.filter(|signature| lengths.contains(signature.len()));
        let mut candidates = Self::default();
        if algorithm.keying() == Keying::Public {
            let all: Signatures = fitting.map(|signature| (&**signature).into()).collect();
            candidates.signatures = (!all.is_empty()).then(|| Box::new(all));
        } else {
            let tags = fitting.map(|signature| Tag::from(&**signature));
            candidates.tags = tags.collect();
        }
        candidates
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.tags.is_empty() && self.signatures.is_none()
    }

    /// Decodes a signature, and keeps it if it is one. A token is kept as a digest, so that the
    /// time of a comparison does not depend on its length.
    #[inline]
    pub(crate) fn offer(&mut self, decoder: &Decoder, text: &[u8]) -> bool {
        let tag = match decoder.keying {
            Keying::Mac | Keying::Content | Keying::None => {
                // Each of these algorithms has one length.
                encoding::decode(decoder.encoding, text, decoder.lengths.max())
            }
            Keying::Token => token(decoder.encoding, text),
            Keying::Public => return self.offer_signature(decoder, text),
        };
        let Some(tag) = tag else { return false };
        self.tags.push(tag);
        true
    }

    #[inline(never)]
    fn offer_signature(&mut self, decoder: &Decoder, text: &[u8]) -> bool {
        let lengths = decoder.lengths;
        let bytes = encoding::decode_any(decoder.encoding, text, lengths.max());
        let Some(bytes) = bytes.filter(|bytes| lengths.contains(bytes.len())) else {
            return false;
        };
        self.signatures.get_or_insert_default().push(bytes.into());
        true
    }

    /// Compares with every candidate, without an early exit.
    pub(crate) fn contain(&self, tag: &Tag) -> bool {
        self.tags
            .iter()
            .fold(false, |found, candidate| found | candidate.matches(tag))
    }

    #[cfg(any(test, feature = "asymmetric"))]
    pub(crate) fn signatures(&self) -> impl Iterator<Item = &[u8]> {
        let signatures = self.signatures.iter().flat_map(|all| all.iter());
        signatures.map(|signature| &**signature)
    }
}

/// The tag of a token that was received. No secret is longer than what is decoded.
fn token(encoding: Encoding, text: &[u8]) -> Option<Tag> {
    const LONGEST: usize = 64 * 1024;
    match encoding {
        Encoding::Text => Some(Tag::of_token(text)),
        _ => encoding::decode_any(encoding, text, LONGEST).map(|token| Tag::of_token(&token)),
    }
}

#[cfg(test)]
impl Candidates {
    pub(crate) fn len(&self) -> usize {
        self.tags.len().saturating_add(self.signatures().count())
    }
}
