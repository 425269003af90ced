//! [`Candidates`]: the signatures of a request, as their algorithm has them.

use sha2::{Digest, Sha256};
use smallvec::SmallVec;

use crate::{
    crypto::{encoding, tag::Tag},
    scheme::{
        algorithm::{Algorithm, Keying, SignatureLen},
        encoding::Encoding,
    },
};

/// The signatures or tokens of a request.
#[derive(Clone, Default)]
pub(crate) struct Candidates {
    tags: SmallVec<[Tag; 1]>,
    /// Those that a public key verifies. Behind a pointer, because the others are moved often.
    signatures: Option<Box<Signatures>>,
}

type Signatures = Vec<Box<[u8]>>;

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
        Encoding::Text => Some(token_tag(text)),
        _ => encoding::decode_any(encoding, text, LONGEST).map(|token| token_tag(&token)),
    }
}

/// The digest by which a token is compared.
pub(crate) fn token_tag(token: &[u8]) -> Tag {
    Tag::from(&*Sha256::digest(token))
}

#[cfg(test)]
impl Candidates {
    pub(crate) fn len(&self) -> usize {
        self.tags.len().saturating_add(self.signatures().count())
    }
}
