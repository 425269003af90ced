//! What the first bytes of a refused body show.

use base64::{Engine, engine::general_purpose::STANDARD};

use crate::{
    form::looks_like_form,
    rejection::hint::{Hint, HintSet},
};

/// No more of a body is looked at.
const LOOKED_AT: usize = 1024;

/// Compares a body with its `Content-Type` and `Content-Encoding`, which may be missing.
pub(crate) fn body_hints(body: &[u8], content_type: &[u8], content_encoding: &[u8]) -> HintSet {
    let mut hints = HintSet::default();
    if body.is_empty() {
        hints.insert(Hint::BodyEmpty);
        return hints;
    }
    let start = body.get(..LOOKED_AT).unwrap_or(body);
    let encoding = content_encoding.trim_ascii();
    let is_encoded = !encoding.is_empty() && !encoding.eq_ignore_ascii_case(b"identity");
    if is_compressed(start) || is_encoded && !is_text(start) {
        hints.insert(Hint::BodyCompressed);
        return hints;
    }
    if is_encoded {
        hints.insert(Hint::BodyDecompressed);
    }
    if is_base64(start, body.len() > start.len()) {
        hints.insert(Hint::BodyBase64);
    } else if is_quoted(start) {
        hints.insert(Hint::BodyQuoted);
    } else if is_wrapped(start) {
        hints.insert(Hint::BodyWrapped);
    } else if is_another_type(start, content_type) {
        hints.insert(Hint::BodyOtherType);
    }
    hints
}

/// As [`body_hints`], for a body that should have been read and could not be.
pub(crate) fn unread_hints(body: &[u8], content_type: &[u8], content_encoding: &[u8]) -> HintSet {
    let mut hints = body_hints(body, content_type, content_encoding);
    if looks_like_form(body.get(..LOOKED_AT).unwrap_or(body)) {
        hints.insert(Hint::BodyForm);
    }
    hints
}

/// The magic number of gzip, with its only method.
const GZIP: &[u8] = b"\x1f\x8b\x08";

/// The magic numbers of gzip, zlib and Zstandard.
fn is_compressed(start: &[u8]) -> bool {
    match start {
        [0x1f, 0x8b, ..] | [0x28, 0xb5, 0x2f, 0xfd, ..] => true,
        [first @ 0x78, second, ..] => {
            u16::from_be_bytes([*first, *second]) % 31 == 0 && !is_text(start)
        }
        _ => false,
    }
}

fn is_text(start: &[u8]) -> bool {
    let is_control = |byte: &u8| *byte < b' ' && !matches!(byte, b'\t' | b'\r' | b'\n');
    let valid = match std::str::from_utf8(start) {
        Ok(_) => true,
        // The last character may have been cut off.
        Err(error) => error.error_len().is_none(),
    };
    valid && !start.iter().any(is_control)
}

/// Base64 of JSON, XML, a form or gzip, perhaps as a JSON string. `cut` says that the text goes on.
fn is_base64(start: &[u8], cut: bool) -> bool {
    let text = start.trim_ascii();
    let text = text.strip_prefix(b"\"").unwrap_or(text);
    let text = text.strip_suffix(b"\"").unwrap_or(text);
    let digits = text.strip_suffix(b"==").or_else(|| text.strip_suffix(b"="));
    let digits = digits.unwrap_or(text);
    let in_alphabet = |byte: &u8| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_' | b'\r' | b'\n')
    };
    if !digits.iter().all(in_alphabet) || !cut && digits.len() < 4 {
        return false;
    }
    let digits = digits.iter().filter(|byte| !byte.is_ascii_whitespace());
    let mut head = Vec::with_capacity(64);
    head.extend(digits.take(64).map(|byte| match byte {
        b'-' => b'+',
        b'_' => b'/',
        byte => *byte,
    }));
    let (quads, _) = head.as_chunks::<4>();
    let decoded = STANDARD.decode(quads.as_flattened());
    decoded.is_ok_and(|bytes| {
        let is_known = matches!(
            bytes.trim_ascii_start(),
            [b'{' | b'[' | b'<', ..] | [b'-', b'-', ..]
        );
        is_text(&bytes) && (is_known || looks_like_form(&bytes)) || bytes.starts_with(GZIP)
    })
}

/// A JSON string that begins as an object or array does.
fn is_quoted(start: &[u8]) -> bool {
    let text = start.trim_ascii_start();
    matches!(text, [b'"', b'{' | b'[', ..])
}

/// The keys of envelopes that gateways and queues put around a request.
fn is_wrapped(start: &[u8]) -> bool {
    const KEYS: [&[u8]; 8] = [
        b"\"isBase64Encoded\"",
        b"\"requestContext\"",
        b"\"multiValueHeaders\"",
        b"\"rawQueryString\"",
        b"\"eventSource\"",
        b"\"TopicArn\"",
        b"\"detail-type\"",
        b"\"subscription\":\"projects/",
    ];
    let is_object = matches!(start.trim_ascii_start(), [b'{', ..]);
    is_object
        && KEYS
            .iter()
            .any(|key| memchr::memmem::find(start, key).is_some())
}

/// Whether JSON never begins so.
fn is_no_json(text: &[u8]) -> bool {
    let is_number = |byte: &u8| {
        byte.is_ascii_digit()
            || byte.is_ascii_whitespace()
            || matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E')
    };
    let begins = match text {
        [b'{' | b'"', ..] => true,
        [b'[', ..] => !text.starts_with(b"[object "),
        [b'-' | b'0'..=b'9', second @ ..] => {
            !matches!(second, [b'-', ..]) && text.iter().all(is_number)
        }
        [b't' | b'f' | b'n', ..] => matches!(text.trim_ascii_end(), b"true" | b"false" | b"null"),
        _ => false,
    };
    !begins || looks_like_form(text)
}

/// Whether a body begins as its type never does.
fn is_another_type(start: &[u8], content_type: &[u8]) -> bool {
    let essence = content_type.split(|byte| *byte == b';').next();
    let essence = essence
        .unwrap_or_default()
        .trim_ascii()
        .to_ascii_lowercase();
    let text = start
        .strip_prefix(b"\xef\xbb\xbf")
        .unwrap_or(start)
        .trim_ascii_start();
    let first = text.first().copied().unwrap_or_default();
    match &*essence {
        b"multipart/form-data" => !text.starts_with(b"--"),
        essence if essence == b"application/json" || essence.ends_with(b"+json") => {
            let has_charset = memchr::memmem::find(content_type, b"charset").is_some();
            is_no_json(text) || !has_charset && !is_text(start)
        }
        essence if essence.ends_with(b"/xml") || essence.ends_with(b"+xml") => first != b'<',
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_body_shows_and_what_its_neighbours_do_not() {
        let long_base64 = format!("eyJpZCI6{}", "QUFB".repeat(1000));
        let long_word = "word".repeat(1000);
        let json = "application/json";
        for (body, content_type, encoding, expected) in [
            (&b""[..], json, "", "body_empty"),
            (b" ", json, "", "body_other_type"),
            (b"{}", json, "", ""),
            (b"\xef\xbb\xbf{}", json, "", ""),
            (b"{}", "", "", ""),
            (b"[1]", "application/ld+json; charset=utf-8", "", ""),
            (b"true", json, "", ""),
            // Compression.
            (b"\x1f\x8b\x08\x00", json, "gzip", "body_compressed"),
            (b"\x1f\x8b\x08\x00", json, "", "body_compressed"),
            (b"\x28\xb5\x2f\xfd\x04", json, "", "body_compressed"),
            (b"\x78\x9c\x03\x00\xff", json, "deflate", "body_compressed"),
            (b"\x78\x01\x03\x00", json, "", "body_compressed"),
            (b"x^ and other text", "text/plain", "", ""),
            (b"\x0b\x02\x80{}\x03", json, "br", "body_compressed"),
            (b"{}", json, "identity", ""),
            (b"{}", json, "gzip", "body_decompressed"),
            (b"{}", json, " br ", "body_decompressed"),
            // Base64.
            (b"eyJpZCI6MX0=", json, "", "body_base64"),
            (b"eyJpZCI6MX0", "", "", "body_base64"),
            (b"WzEsMl0=\n", "text/plain", "", "body_base64"),
            (b"cGF5bG9hZD0x", "", "", "body_base64"),
            (long_base64.as_bytes(), json, "", "body_base64"),
            (b"\"eyJpZCI6MX0=\"", json, "", "body_base64"),
            (b"PGEvPg==", "text/xml", "", "body_base64"),
            (b"H4sIAAAAAAAA", json, "", "body_base64"),
            (b"\"a-word-of-length\"", json, "", ""),
            (long_word.as_bytes(), "text/plain", "", ""),
            (b"hello", "text/plain", "", ""),
            (b"1234", json, "", ""),
            // A JWT has dots.
            (b"eyJhbGciOiJIUzI1NiJ9.e30.c2ln", "", "", ""),
            // Wrapping.
            (br#""{\"id\":1}""#, json, "", "body_quoted"),
            (br#" "[1]""#, json, "", "body_quoted"),
            (br#""text""#, json, "", ""),
            (
                br#"{"version":"2.0","rawQueryString":"","body":"{}"}"#,
                json,
                "",
                "body_wrapped",
            ),
            (
                br#"{"Records":[{"eventSource":"aws:sqs"}]}"#,
                json,
                "",
                "body_wrapped",
            ),
            (br#"{"records":[]}"#, json, "", ""),
            (br#"["isBase64Encoded"]"#, json, "", ""),
            // Types.
            (b"a=1&b=2", json, "", "body_other_type"),
            (b"true=1", json, "", "body_other_type"),
            (
                b"--b\r\nContent-Disposition: form-data",
                json,
                "",
                "body_other_type",
            ),
            (b"[object Object]", json, "", "body_other_type"),
            (b"not found", json, "", "body_other_type"),
            (b"7b2261223a317d", json, "", "body_other_type"),
            (b"-1.5e3\n", json, "", ""),
            (b"null\n", json, "", ""),
            (b"{\"a\":\"\xe9\"}", json, "", "body_other_type"),
            (
                b"{\"a\":\"\xe9\"}",
                "application/json; charset=latin1",
                "",
                "",
            ),
            (b"{\0\"\0", json, "", "body_other_type"),
            (b"{\"a\":\"\xc3", json, "", ""),
            (b"<a/>", json, "", "body_other_type"),
            (
                b"payload=%7B%7D",
                "application/x-www-form-urlencoded",
                "",
                "",
            ),
            (b"{\"a\":1}", "application/x-www-form-urlencoded", "", ""),
            (b"<?xml version='1.0'?>", "text/xml", "", ""),
            (b"{}", "application/soap+xml", "", "body_other_type"),
            (b"--b\r\n", "multipart/form-data; boundary=b", "", ""),
            (
                b"{}",
                "multipart/form-data; boundary=b",
                "",
                "body_other_type",
            ),
            (b"anything", "application/octet-stream", "", ""),
        ] {
            let hints = body_hints(body, content_type.as_bytes(), encoding.as_bytes());
            let shown = String::from_utf8_lossy(body.get(..40).unwrap_or(body));
            assert_eq!(
                hints.to_string(),
                expected,
                "{shown:?} {content_type} {encoding}"
            );
        }
    }
}
