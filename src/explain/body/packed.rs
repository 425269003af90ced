//! Bodies that are packed: base64, chunks, compression.

use std::io::Read;

use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

use crate::crypto::encoding::{decode_hex, encode_hex};

/// The longest body that is unpacked, in bytes.
const LONGEST: u64 = 8 << 20;

const INDIFFERENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);

/// The bytes that a body of base64 holds, of either alphabet and with line breaks.
pub(super) fn from_base64(body: &[u8]) -> Option<Vec<u8>> {
    const SHORTEST: usize = 4;
    let text: Vec<u8> = body
        .iter()
        .copied()
        .filter(|byte| !byte.is_ascii_whitespace())
        .collect();
    if text.len() < SHORTEST {
        return None;
    }
    let alphabet = if text.contains(&b'-') || text.contains(&b'_') {
        &alphabet::URL_SAFE
    } else {
        &alphabet::STANDARD
    };
    GeneralPurpose::new(alphabet, INDIFFERENT)
        .decode(&text)
        .ok()
}

pub(super) fn to_hex(body: &[u8]) -> Vec<u8> {
    encode_hex(body).into_bytes()
}

/// The bytes that a body has in hexadecimal, also as PostgreSQL prints `bytea`.
pub(super) fn from_hex(body: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(body).ok()?.trim();
    let bare = text.strip_prefix("\\x").unwrap_or(text);
    decode_hex(bare).filter(|bytes| !bytes.is_empty())
}

/// The content of chunks (RFC 9112, section 7.1).
pub(super) fn from_chunks(body: &[u8]) -> Option<Vec<u8>> {
    let mut all = Vec::new();
    let mut rest = body;
    loop {
        let end = memchr::memchr(b'\n', rest)?;
        let line = rest.get(..end)?.trim_ascii();
        let size = line.split(|byte| *byte == b';').next()?.trim_ascii();
        let size = usize::from_str_radix(std::str::from_utf8(size).ok()?, 16).ok()?;
        rest = rest.get(end.checked_add(1)?..)?;
        if size == 0 {
            return Some(all);
        }
        all.extend_from_slice(rest.get(..size)?);
        rest = rest.get(size..)?;
        rest = rest.strip_prefix(b"\r\n").or(rest.strip_prefix(b"\n"))?;
        if rest.is_empty() {
            return Some(all);
        }
    }
}

fn read(from: impl Read) -> Option<Vec<u8>> {
    let mut all = Vec::new();
    let most = LONGEST.saturating_add(1);
    from.take(most).read_to_end(&mut all).ok()?;
    let length = u64::try_from(all.len()).ok()?;
    (length <= LONGEST && length > 0).then_some(all)
}

pub(super) fn from_gzip(body: &[u8]) -> Option<Vec<u8>> {
    body.starts_with(b"\x1f\x8b")
        .then(|| read(flate2::read::MultiGzDecoder::new(body)))?
}

/// With the header of zlib, or without it.
pub(super) fn from_deflate(body: &[u8]) -> Option<Vec<u8>> {
    let zlib = read(flate2::read::ZlibDecoder::new(body));
    zlib.or_else(|| read(flate2::read::DeflateDecoder::new(body)))
}

pub(super) fn from_brotli(body: &[u8]) -> Option<Vec<u8>> {
    // Text would be read as brotli, and end in an error after much work.
    let is_text = std::str::from_utf8(body).is_ok();
    (!is_text).then(|| read(brotli_decompressor::Decompressor::new(body, 4096)))?
}

pub(super) fn from_zstd(body: &[u8]) -> Option<Vec<u8>> {
    let is_zstd = body.starts_with(b"\x28\xb5\x2f\xfd");
    is_zstd.then(|| read(ruzstd::decoding::StreamingDecoder::new(body).ok()?))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_is_unpacked() {
        assert_eq!(from_base64(b"Ym9k\r\neQ==").unwrap(), b"body");
        assert_eq!(from_base64(b"_-8").unwrap_or_default(), b"");
        assert_eq!(from_base64(b"_--_").unwrap(), b"\xff\xef\xbf");
        assert_eq!(
            from_chunks(b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n").unwrap(),
            b"abcde"
        );
        for broken in [&b""[..], b"abc", b"5\r\nabc\r\n", b"zz\r\n", b"3\r\nabcd"] {
            assert!(from_chunks(broken).is_none());
        }
        assert!(
            from_gzip(b"{}").is_none()
                && from_zstd(b"{}").is_none()
                && from_brotli(b"{}").is_none()
        );
    }
}
