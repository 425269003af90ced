//! [`Digests`]: the digests of a body in `Content-Digest`
//! ([RFC 9530](https://www.rfc-editor.org/rfc/rfc9530)).

use base64::{Engine, engine::general_purpose::STANDARD};
use sfv::{Dictionary, ListEntry};
use sha2::{Digest, Sha256, Sha512};

use crate::{
    head::Head,
    rejection::{Reason, kind::RejectionKind},
    scheme::message_signature::field::{combined, dictionary, lines},
};

pub(super) const HEADER: &str = "Content-Digest";

/// The digests of a body, of which there is one at least. Others, such as MD5, prove nothing and
/// are not read.
#[derive(Clone, Debug)]
pub(super) struct Digests {
    sha256: Option<Vec<u8>>,
    sha512: Option<Vec<u8>>,
}

impl Digests {
    pub(super) fn read(head: &Head<'_>) -> Result<Self, Reason> {
        let refused = |kind| Reason::new(kind).about(&HEADER.into());
        if lines(head, HEADER).is_empty() {
            return Err(refused(RejectionKind::MissingHeader));
        }
        let members = combined(head, HEADER).and_then(|value| dictionary(&value));
        let digests = members.and_then(|members| Self::of_members(&members));
        digests.ok_or_else(|| refused(RejectionKind::MalformedHeader))
    }

    fn of_members(members: &Dictionary) -> Option<Self> {
        let digest = |name: &str, length: usize| match members.get(name) {
            None => Some(None),
            Some(ListEntry::Item(item)) => {
                let bytes = item.bare_item.as_byte_sequence()?;
                (bytes.len() == length).then(|| Some(bytes.to_vec()))
            }
            Some(ListEntry::InnerList(_)) => None,
        };
        let digests = Self {
            sha256: digest("sha-256", 32)?,
            sha512: digest("sha-512", 64)?,
        };
        let is_any = digests.sha256.is_some() || digests.sha512.is_some();
        is_any.then_some(digests)
    }

    /// Compares all of them. Both sides are public, so they are compared as bytes.
    pub(super) fn check(&self, body: &[u8]) -> Result<(), Reason> {
        let sha256 = self.sha256.as_ref();
        let sha512 = self.sha512.as_ref();
        let is_body = sha256.is_none_or(|digest| Sha256::digest(body)[..] == **digest)
            && sha512.is_none_or(|digest| Sha512::digest(body)[..] == **digest);
        if is_body {
            return Ok(());
        }
        // The body is not the one that was signed.
        Err(Reason::new(RejectionKind::SignatureMismatch).about(&HEADER.into()))
    }

    /// The value for a body.
    pub(super) fn value(body: &[u8]) -> String {
        format!("sha-256=:{}:", STANDARD.encode(Sha256::digest(body)))
    }
}
