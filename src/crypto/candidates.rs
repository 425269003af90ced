//! [`Candidates`]: the signatures of a request, as their algorithm has them.

use sha2::{Digest, Sha256};

use crate::{
    crypto::{encoding, tag::Tag},
    scheme::{
        algorithm::{Algorithm, Keying},
        encoding::Encoding,
    },
};

/// The signatures or tokens of a request.
#[derive(Clone, Default)]
pub(crate) struct Candidates {
    first: Option<Tag>,
    rest: Vec<Tag>,
    /// Those that a public key verifies. Behind a pointer, because the others are moved often.
    signatures: Option<Box<Signatures>>,
}

type Signatures = Vec<Box<[u8]>>;

impl Candidates {
    pub(crate) fn is_empty(&self) -> bool {
        self.first.is_none() && self.signatures.is_none()
    }

    /// Decodes a signature, and keeps it if it is one. A token is kept as a digest, so that comparing
    /// it takes the same time whatever its length.
    #[inline]
    pub(crate) fn offer(&mut self, algorithm: Algorithm, encoding: Encoding, text: &[u8]) -> bool {
        let tag = match algorithm.keying() {
            Keying::Mac | Keying::Content | Keying::None => {
                encoding::decode(encoding, text, algorithm.signature_len().max())
            }
            Keying::Token => token(encoding, text),
            Keying::Public => return self.offer_signature(algorithm, encoding, text),
        };
        if self.first.is_none() {
            self.first = tag;
            return self.first.is_some();
        }
        let is_one = tag.is_some();
        self.rest.extend(tag);
        is_one
    }

    #[inline(never)]
    fn offer_signature(&mut self, algorithm: Algorithm, encoding: Encoding, text: &[u8]) -> bool {
        let lengths = algorithm.signature_len();
        let bytes = encoding::decode_any(encoding, text, lengths.max());
        let Some(bytes) = bytes.filter(|bytes| lengths.contains(bytes.len())) else {
            return false;
        };
        self.signatures.get_or_insert_default().push(bytes.into());
        true
    }

    /// Compares with every candidate, without an early exit.
    pub(crate) fn contain(&self, tag: &Tag) -> bool {
        let first = self.first.as_ref().is_some_and(|first| first.matches(tag));
        self.rest
            .iter()
            .fold(first, |found, candidate| found | candidate.matches(tag))
    }

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
        assert!(self.first.is_some() || self.rest.is_empty());
        let tags = self.first.iter().len().saturating_add(self.rest.len());
        tags.saturating_add(self.signatures().count())
    }
}
