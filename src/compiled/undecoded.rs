//! [`Undecoded`]: what signatures that cannot be decoded look like, for the operator.

use crate::{
    crypto::{
        encoding::{decode, decoded_len},
        proof::Decoder,
    },
    rejection::hint::{Hint, HintSet, SignatureSeen},
    scheme::encoding::Encoding,
};

/// The signatures that cannot be decoded. What it says does not depend on their order.
#[derive(Clone, Default)]
pub(crate) struct Undecoded {
    pub(crate) count: usize,
    pub(crate) hints: HintSet,
    pub(crate) seen: Option<SignatureSeen>,
}

impl Undecoded {
    #[cold]
    pub(crate) fn add(&mut self, text: &[u8], decoder: &Decoder) {
        self.count = self.count.saturating_add(1);
        let expected = decoder.encoding;
        let Some(len) = decoder.exact_len() else {
            return;
        };
        // Hex that was cut within a byte may pass for base64.
        let is_cut = text.len() % 2 == 1 && text.iter().all(u8::is_ascii_hexdigit);
        let encodings = [Encoding::Hex, Encoding::Base64, Encoding::Base64Url];
        let decoded = if is_cut {
            Some((Encoding::Hex, text.len() / 2))
        } else {
            let mut encodings = encodings.into_iter();
            encodings.find_map(|encoding| Some((encoding, decoded_len(encoding, text)?)))
        };
        let Some((encoding, bytes)) = decoded else {
            return;
        };
        // A text that is only just base64, such as a word, says nothing.
        let hint = if bytes == len && !is_cut && decode(expected, text, len).is_none() {
            Hint::OtherEncoding
        } else if bytes >= 16 || encoding == Encoding::Hex && bytes > 0 {
            Hint::OtherLength
        } else {
            return;
        };
        self.hints.insert(hint);
        let seen = SignatureSeen {
            encoding: name(encoding),
            length: match encoding {
                Encoding::Hex => text.len(),
                _ => bytes,
            },
            expected_encoding: name(expected),
            expected_bytes: len,
        };
        self.seen = Some(self.seen.map_or(seen, |other| other.min(seen)));
    }
}

fn name(encoding: Encoding) -> &'static str {
    match encoding {
        Encoding::Hex => "hex",
        Encoding::Base64 => "padded base64",
        Encoding::Base64Url => "URL-safe or unpadded base64",
        Encoding::HexOrBase64 => "hex or padded base64",
        Encoding::Text => "text",
    }
}
