//! [`Tag`]: the bytes of a signature.

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// The bytes of a signature, at most [`Tag::MAX`]. It deliberately has neither `Debug` nor `==`.
#[derive(Clone)]
pub(crate) struct Tag {
    bytes: [u8; Self::MAX],
    len: usize,
}

impl Tag {
    pub(crate) const MAX: usize = 64;

    /// A tag of `len` bytes, which `fill` writes.
    pub(crate) fn filled(len: usize, fill: impl FnOnce(&mut [u8]) -> Option<()>) -> Option<Self> {
        let mut bytes = [0; Self::MAX];
        fill(bytes.get_mut(..len)?)?;
        Some(Self { bytes, len })
    }

    /// The digest by which a token is compared.
    pub(crate) fn of_token(token: &[u8]) -> Self {
        Self::from(&*Sha256::digest(token))
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }

    /// Compares in constant time. Unused bytes are zero, so that whole words are compared.
    pub(crate) fn matches(&self, other: &Self) -> bool {
        let (words, _) = self.bytes.as_chunks::<16>();
        let (others, _) = other.bytes.as_chunks::<16>();
        let mut same = self.len.ct_eq(&other.len);
        for (word, other) in words.iter().take(self.len.div_ceil(16)).zip(others) {
            same &= u128::from_ne_bytes(*word).ct_eq(&u128::from_ne_bytes(*other));
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_of_different_length_never_match() {
        let long = Tag::from(&[7_u8; 32][..]);
        let short = Tag::from(&[7_u8; 31][..]);
        assert!(!long.matches(&short));
        assert!(long.matches(&long.clone()));
        assert!(!Tag::from(&[0_u8; 32][..]).matches(&Tag::from(&[][..])));
    }
}
