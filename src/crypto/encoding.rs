//! Strict decoding of signatures, lenient decoding of secrets.

use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose::STANDARD},
};

use crate::{crypto::tag::Tag, scheme::encoding::Encoding};

/// Standards differ on the padding of base64url, so it is optional.
const BASE64_URL: GeneralPurpose = GeneralPurpose::new(
    &alphabet::URL_SAFE,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Only for secrets: some vendors omit the padding or set trailing bits, and accepting that is
/// harmless.
const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
const BASE64_LENIENT: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
const BASE64_URL_LENIENT: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);

/// Decodes a signature. Returns `None` unless it is valid and has `len` bytes.
pub(crate) fn decode(encoding: Encoding, text: &[u8], len: usize) -> Option<Tag> {
    // Base64 engines require room for a complete last group.
    let mut room = [0; Tag::MAX + 3];
    let written = match encoding {
        // The decoder skips a leading 0x, so the length is checked first.
        Encoding::Hex | Encoding::HexOrBase64 if Some(text.len()) == len.checked_mul(2) => {
            return Tag::filled(len, |bytes| const_hex::decode_to_slice(text, bytes).ok());
        }
        Encoding::Base64 | Encoding::HexOrBase64 => STANDARD.decode_slice(text, &mut room).ok()?,
        Encoding::Base64Url => BASE64_URL.decode_slice(text, &mut room).ok()?,
        Encoding::Hex | Encoding::Text => return None,
    };
    let bytes = room.get(..written)?;
    (bytes.len() == len).then(|| Tag::from(bytes))
}

/// Decodes a signature or a token of at most `longest` bytes.
pub(crate) fn decode_any(encoding: Encoding, text: &[u8], longest: usize) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(text).ok()?;
    if text.len() / 2 > longest {
        return None;
    }
    match encoding {
        Encoding::Hex => decode_hex(text),
        Encoding::Base64 => STANDARD.decode(text).ok(),
        Encoding::Base64Url => BASE64_URL.decode(text).ok(),
        Encoding::HexOrBase64 => decode_hex(text).or_else(|| STANDARD.decode(text).ok()),
        Encoding::Text => Some(text.as_bytes().to_vec()),
    }
}

/// The number of bytes that a text of any length encodes. It also decodes base64 of the standard
/// alphabet without padding, as URL-safe.
pub(crate) fn decoded_len(encoding: Encoding, text: &[u8]) -> Option<usize> {
    const LONGEST: usize = 256;
    let text = std::str::from_utf8(text)
        .ok()
        .filter(|text| text.len() <= LONGEST)?;
    let bytes = match encoding {
        Encoding::Hex => decode_hex(text)?,
        Encoding::Base64 | Encoding::HexOrBase64 => STANDARD.decode(text).ok()?,
        Encoding::Base64Url => {
            let text = text.replace('+', "-").replace('/', "_");
            BASE64_URL.decode(text).ok()?
        }
        Encoding::Text => return None,
    };
    Some(bytes.len())
}

pub(crate) fn encode(encoding: Encoding, bytes: &[u8]) -> String {
    match encoding {
        Encoding::Hex | Encoding::HexOrBase64 => encode_hex(bytes),
        Encoding::Base64 => STANDARD.encode(bytes),
        Encoding::Base64Url => BASE64_URL.encode(bytes),
        Encoding::Text => String::from_utf8_lossy(bytes).into_owned(),
    }
}

/// Lower-case hex.
pub(crate) fn encode_hex(bytes: &[u8]) -> String {
    const_hex::display(bytes).to_string()
}

/// Decodes a base64 secret. Padding is optional and trailing bits are ignored. The alphabet is the
/// standard or the URL-safe one, which differ in two characters each, never a mix.
pub(crate) fn decode_base64_secret(text: &str) -> Option<Vec<u8>> {
    let engine = if text.contains(['-', '_']) {
        BASE64_URL_LENIENT
    } else {
        BASE64_LENIENT
    };
    engine.decode(text).ok()
}

/// Decodes hex digits in either case.
pub(crate) fn decode_hex(text: &str) -> Option<Vec<u8>> {
    // The decoder would skip a leading 0x.
    let digits = Some(text).filter(|text| !text.starts_with("0x"))?;
    let mut bytes = vec![0; digits.len() / 2];
    const_hex::decode_to_slice(digits, &mut bytes).ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(encoding: Encoding, text: &str, len: usize) -> Option<Vec<u8>> {
        decode(encoding, text.as_bytes(), len).map(|tag| tag.as_bytes().to_vec())
    }

    #[test]
    fn hex_has_an_even_length_and_either_case() {
        assert_eq!(bytes(Encoding::Hex, "00fFaB", 3), Some(vec![0, 255, 171]));
        for wrong in ["00fFa", "00fFag", "0x00ff", " 00ff0", "00ff00 ", "", "é0"] {
            assert_eq!(bytes(Encoding::Hex, wrong, 3), None, "{wrong:?}");
        }
    }

    #[test]
    fn base64_is_canonical() {
        assert_eq!(
            bytes(Encoding::Base64, "AAD/qw==", 4),
            Some(vec![0, 0, 255, 171])
        );
        // No padding, trailing bits, URL-safe, too much padding, white space.
        for wrong in [
            "AAD/qw",
            "AAD/qx==",
            "AAD_qw==",
            "AAD/qw====",
            "AAD/ qw=",
            "AAD/qw=\n",
            // Padding in the middle: two concatenated texts.
            "qw==qw==",
            "AA==AAA=",
        ] {
            assert_eq!(bytes(Encoding::Base64, wrong, 4), None, "{wrong:?}");
        }
        assert_eq!(
            bytes(Encoding::Base64Url, "AAD_qw", 4),
            Some(vec![0, 0, 255, 171])
        );
        assert_eq!(
            bytes(Encoding::Base64Url, "AAD_qw==", 4),
            Some(vec![0, 0, 255, 171])
        );
        assert_eq!(bytes(Encoding::Base64Url, "AAD_qx", 4), None);
    }

    #[test]
    fn hex_and_base64_are_distinguished_by_length() {
        for len in [16_usize, 20, 32, 64] {
            let tag = Tag::from(&vec![0xab; len][..]);
            for encoding in [Encoding::Hex, Encoding::Base64] {
                let text = encode(encoding, tag.as_bytes());
                assert_eq!(
                    bytes(Encoding::HexOrBase64, &text, len),
                    Some(vec![0xab; len])
                );
            }
            let url_safe = encode(Encoding::Base64Url, &vec![0xff; len]);
            assert_eq!(bytes(Encoding::HexOrBase64, &url_safe, len), None);
        }
    }

    #[test]
    fn a_signature_of_another_length_is_not_decoded() {
        let long = "00".repeat(200);
        for len in [16, 20, 32, 64] {
            assert_eq!(bytes(Encoding::Hex, &long, len), None);
            assert_eq!(bytes(Encoding::Base64, &"A".repeat(400), len), None);
        }
        for len in [16_usize, 20, 32, 64] {
            let tag = Tag::from(&vec![9; len][..]);
            for encoding in [Encoding::Hex, Encoding::Base64, Encoding::Base64Url] {
                let text = encode(encoding, tag.as_bytes());
                assert_eq!(
                    bytes(encoding, &text, len),
                    Some(vec![9; len]),
                    "{encoding} {len}"
                );
                assert_eq!(bytes(encoding, &text, len - 1), None);
                assert_eq!(bytes(encoding, &text, len + 1), None);
            }
        }
    }

    #[test]
    fn secrets_are_accepted_as_vendors_print_them() {
        // The secret on VOVE ID's page: 34 characters, no padding, trailing bits set.
        let key = decode_base64_secret("5WbX5kEWLlfzsGNjH64Ide8lOOqUB6e8FH").unwrap();
        assert_eq!(
            encode_hex(&key),
            "e566d7e641162e57f3b063631fae0875ef2538ea9407a7bc14"
        );
        assert_eq!(decode_base64_secret("AAAAA"), None, "length 1 mod 4");
        for mixed in ["A_/A", "A-+A", "A_A+", "A/A-"] {
            assert_eq!(decode_base64_secret(mixed), None, "{mixed:?}");
        }
        for spelling in [
            "AAD/qw", "AAD/qw=", "AAD/qw==", "AAD/qx==", "AAD_qw", "AAD_qw==", "AAD_qx",
        ] {
            assert_eq!(decode_base64_secret(spelling), Some(vec![0, 0, 255, 171]));
        }
        for wrong in ["AAD/qw===", "AAD/=", "AA==AA==", "=", "AAD/\n"] {
            assert_eq!(decode_base64_secret(wrong), None, "{wrong:?}");
        }
        assert_eq!(decode_hex("00fFaB"), Some(vec![0, 255, 171]));
        for wrong in ["00f", "0x00ff", "00fg", " 00ff"] {
            assert_eq!(decode_hex(wrong), None, "{wrong:?}");
        }
    }
}
