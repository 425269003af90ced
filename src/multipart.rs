//! `multipart/form-data` bodies, parsed into slices of the verified buffer.
//!
//! The signature covers the body, but not the `Content-Type` header that usually defines the
//! boundary. Anybody who replays a request could change that header and have an image parsed as
//! parts. Therefore the body alone determines its parts, by a strict grammar:
//!
//! - The body starts with `--boundary` and a line break, without a preamble.
//! - Each further delimiter is a line break, `--boundary` and a line break. Every line break is
//!   CRLF.
//! - The body ends with the closing `--boundary--` and at most one line break.
//! - A boundary has 1 to 70 of the characters that RFC 2046 allows, and does not end in a space.
//! - A `Content-Type` header that is malformed or names a different boundary is an error. A header
//!   without a boundary is ignored, and so is a missing header.
//! - Each part is `form-data` with exactly one name, in UTF-8, and has no further encoding.
//! - There are at most 64 parts, each with at most 16 header lines and 8 KiB of headers.
//!
//! [`VerifiedEvent::parts`](crate::VerifiedEvent::parts) returns the parts:
//!
//! ```
//! use tower_webhook::{Provider, Scheme, Secret, Verifier, verify::Head};
//! use tower_webhook::scheme::{Algorithm, Encoding, SignatureFormat};
//! # use http::Request;
//! # use tower_webhook::Signer;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let signature = SignatureFormat::single("X-Acme-Signature", Encoding::Hex);
//! let acme = Provider::new("acme", Scheme::signed(Algorithm::HmacSha256, "{body}", signature));
//! let secret = Secret::new("a-secret-of-some-length");
//! let verifier = Verifier::new(acme.clone(), secret.clone())?;
//!
//! let body = "--b\r\n\
//!     Content-Disposition: form-data; name=\"photo\"; filename=\"me.jpg\"\r\n\
//!     Content-Type: image/jpeg\r\n\
//!     \r\n\
//!     the image\r\n\
//!     --b--\r\n";
//! # let request = Signer::new(acme, secret)?.sign(Request::post("/"), body)?;
//! # let (head, _) = request.into_parts();
//! # let now = std::time::SystemTime::UNIX_EPOCH;
//! let event = verifier.verify(&Head::from(&head), body, now)?;
//! let [photo] = &event.parts()?[..] else { panic!("not one part") };
//! assert_eq!(photo.name(), "photo");
//! assert_eq!(photo.file_name(), Some("me.jpg"));
//! assert_eq!(photo.content_type(), Some("image/jpeg"));
//! assert_eq!(photo.body(), "the image");
//! # Ok(())
//! # }
//! ```

mod header;

use std::{borrow::Cow, fmt};

use bytes::Bytes;
use memchr::memmem;

use crate::error::PayloadError;

const MAX_PARTS: usize = 64;
const MAX_BOUNDARY: usize = 70;
const LINE_END: &[u8] = b"\r\n";

/// One part of a multipart body. Its `Debug` shows the name and the length.
#[derive(Clone, PartialEq, Eq)]
pub struct Part {
    name: Box<str>,
    file_name: Option<Box<str>>,
    content_type: Option<Box<str>>,
    body: Bytes,
}

impl Part {
    /// The name of the form field.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The file name, if the sender gave one. The uploader chose it, so do not use it as a path.
    /// Invalid UTF-8 is replaced by U+FFFD.
    #[must_use]
    pub fn file_name(&self) -> Option<&str> {
        self.file_name.as_deref()
    }

    /// The content type that the sender declares, with its parameters, such as a character set.
    #[must_use]
    pub fn content_type(&self) -> Option<&str> {
        self.content_type.as_deref()
    }

    /// The content of the part: a slice of the event's body, not a copy.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// The content of the part, by value.
    #[must_use]
    pub fn into_body(self) -> Bytes {
        self.body
    }
}

impl fmt::Debug for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Part")
            .field("name", &self.name)
            .field("bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// The text fields of a form in either encoding, with their names. The body decides on the encoding,
/// and not the unsigned `Content-Type`: it is `multipart/form-data` if it can be parsed as that.
pub(crate) fn fields(body: &Bytes) -> Vec<(Cow<'_, str>, Cow<'_, str>)> {
    let parts = match body.starts_with(b"--") {
        true => parse(body, None).unwrap_or_default(),
        false => Vec::new(),
    };
    if parts.is_empty() {
        return form_urlencoded::parse(body).collect();
    }
    let field = |part: Part| {
        let text = String::from_utf8(part.body().to_vec()).ok()?;
        Some((Cow::Owned(part.name().to_owned()), Cow::Owned(text)))
    };
    parts.into_iter().filter_map(field).collect()
}

/// Parses the parts of `body`. The request's `content_type` can only cause an error; it does not
/// affect the result otherwise.
pub(crate) fn parse(body: &Bytes, content_type: Option<&[u8]>) -> Result<Vec<Part>, PayloadError> {
    let boundary = boundary(body)?;
    if let Some(content_type) = content_type {
        check_content_type(content_type, boundary)?;
    }
    let opening = [b"--", boundary].concat();
    let delimiter = [LINE_END, &opening].concat();
    let finder = memmem::Finder::new(&delimiter);

    let mut parts = Vec::new();
    let mut rest = body.strip_prefix(&*opening).unwrap_or_default();
    loop {
        let place = parts.len().saturating_add(1);
        if parts.len() == MAX_PARTS {
            return Err(PayloadError::new(format!(
                "the body has more than {MAX_PARTS} parts"
            )));
        }
        // The line break after a delimiter stays in `rest`, because it may begin the next
        // delimiter.
        let split = finder.find(rest).and_then(|at| rest.split_at_checked(at));
        let Some((part, after)) = split else {
            return Err(PayloadError::new(
                "the body ends before its closing boundary",
            ));
        };
        let part = part
            .strip_prefix(LINE_END)
            .ok_or("its boundary is not followed by CRLF")
            .and_then(|part| read(part, body))
            .map_err(|problem| PayloadError::new(format!("part {place} of the body: {problem}")))?;
        parts.push(part);
        rest = after.strip_prefix(&*delimiter).unwrap_or_default();
        match rest.strip_prefix(b"--") {
            Some(b"" | b"\r\n") => return Ok(parts),
            Some(_) => {
                return Err(PayloadError::new(
                    "the body continues after its closing boundary",
                ));
            }
            None => {}
        }
    }
}

/// The boundary, from the first line of the body.
fn boundary(body: &[u8]) -> Result<&[u8], PayloadError> {
    let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b"'()+_,-./:=? ".contains(byte);
    body.strip_prefix(b"--")
        .and_then(|line| {
            let length = line.iter().take_while(|byte| allowed(byte)).count();
            line.split_at_checked(length)
        })
        .filter(|(boundary, rest)| {
            let length = boundary.len();
            rest.starts_with(LINE_END)
                && (1..=MAX_BOUNDARY).contains(&length)
                && !boundary.ends_with(b" ")
        })
        .map(|(boundary, _)| boundary)
        .ok_or_else(|| PayloadError::new("the body does not begin with a multipart boundary"))
}

/// Fails if the header is malformed or names a different boundary.
fn check_content_type(content_type: &[u8], boundary: &[u8]) -> Result<(), PayloadError> {
    let unreadable = || PayloadError::new("the Content-Type header is malformed");
    let (_, parameters) = header::value(content_type).ok_or_else(unreadable)?;
    let named = header::parameter(&parameters, "boundary").map_err(|_| unreadable())?;
    if named.is_none_or(|named| **named == *boundary) {
        return Ok(());
    }
    Err(PayloadError::new(
        "the unsigned Content-Type header names a different boundary than the body",
    ))
}

/// Reads a part from the text between two delimiters and their line breaks.
fn read(part: &[u8], whole: &Bytes) -> Result<Part, &'static str> {
    let (headers, body) = header::block(part)?;
    let mut disposition = None;
    let mut content_type = None;
    for line in header::lines(headers) {
        let (name, value) = line?;
        let is = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
        if is("content-disposition") {
            if disposition.replace(value).is_some() {
                return Err("it has two Content-Disposition headers");
            }
        } else if is("content-type") {
            if content_type.replace(value).is_some() {
                return Err("it has two Content-Type headers");
            }
        } else if is("content-transfer-encoding") {
            let plain = ["binary", "8bit", "7bit"];
            if !plain
                .iter()
                .any(|known| value.eq_ignore_ascii_case(known.as_bytes()))
            {
                return Err("its Content-Transfer-Encoding is not supported");
            }
        }
    }
    let disposition = disposition.ok_or("it has no Content-Disposition header")?;
    let (name, file_name) = header::form_data(disposition)?;
    Ok(Part {
        name,
        file_name,
        content_type: content_type.map(|text| String::from_utf8_lossy(text).into()),
        body: whole.slice_ref(body),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(text: impl AsRef<[u8]>) -> Bytes {
        Bytes::copy_from_slice(text.as_ref())
    }

    /// The parts' names and bodies, or the error.
    fn parts(
        text: impl AsRef<[u8]>,
        content_type: Option<&[u8]>,
    ) -> Result<Vec<(String, Vec<u8>)>, String> {
        let parts = parse(&body(text), content_type).map_err(|error| error.to_string())?;
        Ok(parts
            .into_iter()
            .map(|part| (part.name.into(), part.body.to_vec()))
            .collect())
    }

    fn one(name: &str, body: &str) -> Result<Vec<(String, Vec<u8>)>, String> {
        Ok(vec![(name.to_owned(), body.into())])
    }

    /// A body with one part, `a`, and these headers, each of which includes its line break.
    fn with_headers(headers: &[u8]) -> Vec<u8> {
        [b"--b\r\n", headers, b"\r\nbody\r\n--b--\r\n"].concat()
    }

    const NAMED: &str = "Content-Disposition: form-data; name=a\r\n";

    #[test]
    fn reads_parts_as_slices() {
        let text = "--b\r\nContent-Disposition: form-data; name=\"a\"; filename=\"f.jpg\"\r\n\
                    content-type: image/jpeg\r\nX-Unknown: 1\r\n\r\none\r\n\
                    --b\r\nCONTENT-DISPOSITION:form-data;name=\"\u{e9}\"\r\n\r\n\r\n--b--\r\n";
        let whole = body(text);
        let parts = parse(&whole, Some(b"multipart/form-data; boundary=b")).unwrap();
        let [first, second] = &parts[..] else {
            panic!("{parts:?}")
        };
        assert_eq!((first.name(), second.name()), ("a", "\u{e9}"));
        assert_eq!(
            (first.file_name(), second.file_name()),
            (Some("f.jpg"), None)
        );
        assert_eq!(
            (first.content_type(), second.content_type()),
            (Some("image/jpeg"), None)
        );
        assert_eq!(
            (&first.body()[..], &second.body()[..]),
            (&b"one"[..], &b""[..])
        );
        let at = text.find("one").unwrap();
        assert_eq!(first.body().as_ptr(), whole[at..].as_ptr());
        assert_eq!(format!("{first:?}"), r#"Part { name: "a", bytes: 3, .. }"#);
    }

    #[test]
    fn framing_is_strict() {
        let part = format!("{NAMED}\r\nbody\r\n");
        let head = NAMED.trim_end();
        let refused = |problem: &str| Err(problem.to_owned());
        let begins = || refused("the body does not begin with a multipart boundary");
        let goes_on = || refused("the body continues after its closing boundary");
        let breaks_off = || refused("the body ends before its closing boundary");
        let no_line = || refused("part 1 of the body: its boundary is not followed by CRLF");
        let long = "b".repeat(70);
        for (text, expected) in [
            (format!("--b\r\n{part}--b--\r\n"), one("a", "body")),
            (format!("--b\r\n{part}--b--"), one("a", "body")),
            (format!("--{long}\r\n{part}--{long}--"), one("a", "body")),
            (format!("--b (1)\r\n{part}--b (1)--"), one("a", "body")),
            (format!("--b--\r\n{part}--b----"), one("a", "body")),
            // A preamble.
            (format!("preamble\r\n--b\r\n{part}--b--\r\n"), begins()),
            (format!("\r\n--b\r\n{part}--b--\r\n"), begins()),
            (format!(" --b\r\n{part}--b--\r\n"), begins()),
            // Invalid boundaries.
            (String::new(), begins()),
            ("--".to_owned(), begins()),
            ("--b".to_owned(), begins()),
            (format!("--\r\n{part}----\r\n"), begins()),
            (format!("--b \r\n{part}--b --\r\n"), begins()),
            (format!("--b\n{part}--b--\r\n"), begins()),
            (format!("--{long}b\r\n{part}--{long}b--"), begins()),
            (format!("--b\"\r\n{part}--b\"--"), begins()),
            (format!("--b\u{e9}\r\n{part}--b\u{e9}--"), begins()),
            (r#"{"id":"x"}"#.to_owned(), begins()),
            // An epilogue.
            (format!("--b\r\n{part}--b--epilogue"), goes_on()),
            (format!("--b\r\n{part}--b--\r\nepilogue"), goes_on()),
            (format!("--b\r\n{part}--b--\r\n\r\n"), goes_on()),
            (format!("--b\r\n{part}--b--\n"), goes_on()),
            (format!("--b\r\n{part}--b-- \r\n"), goes_on()),
            (
                format!("--b\r\n{part}--b--\r\n--b\r\n{part}--b--"),
                goes_on(),
            ),
            // Truncated bodies.
            (format!("--b\r\n{part}"), breaks_off()),
            (format!("--b\r\n{part}--b"), breaks_off()),
            (format!("--b\r\n{part}--b-"), breaks_off()),
            (format!("--b\r\n{part}--b\r\n{part}"), breaks_off()),
            ("--b\r\n".to_owned(), breaks_off()),
            ("--b--\r\n".to_owned(), breaks_off()),
            // Near delimiters.
            (
                format!("--b\r\n{head}\r\n\r\nx\n--b\r\ny\r\n--b--"),
                one("a", "x\n--b\r\ny"),
            ),
            (
                format!("--b\r\n{head}\r\n\r\nx\r--b\r\n--b--"),
                one("a", "x\r--b"),
            ),
            (
                format!("--b\r\n{head}\r\n\r\nx--b\r\n-b\r\n--b--"),
                one("a", "x--b\r\n-b"),
            ),
            (
                format!("--b\r\n{head}\r\n\r\n\r\n\r\n--b--"),
                one("a", "\r\n"),
            ),
            (
                format!("--b\r\n{part}--bc\r\n{part}--b--"),
                refused("part 2 of the body: its boundary is not followed by CRLF"),
            ),
            (
                format!("--b\r\n{part}--b \r\n{part}--b--"),
                refused("part 2 of the body: its boundary is not followed by CRLF"),
            ),
            // A delimiter in place of headers.
            (format!("--b\r\n--b\r\n{part}--b--"), no_line()),
            ("--b\r\n--b--\r\n".to_owned(), no_line()),
            (
                format!("--b\r\n{head}\r\n--b\r\n{part}--b--"),
                refused("part 1 of the body: its headers are not followed by an empty line"),
            ),
            (
                format!("--b\r\n{head}\r\n\r\n--b\r\n{part}--b--"),
                refused("part 1 of the body: its headers are not followed by an empty line"),
            ),
        ] {
            assert_eq!(parts(&text, None), expected, "{text:?}");
        }
    }

    #[test]
    fn the_unsigned_header_can_only_cause_an_error() {
        let text = format!("--b (1)\r\n{NAMED}\r\nbody\r\n--b (1)--");
        let another = "the unsigned Content-Type header names a different boundary than the body";
        let unreadable = "the Content-Type header is malformed";
        for (content_type, expected) in [
            ("multipart/form-data; boundary=\"b (1)\"", None),
            (
                "multipart/form-data;BOUNDARY=\"b (1)\";charset=utf-8;",
                None,
            ),
            ("multipart/form-data", None),
            ("application/json", None),
            ("", None),
            ("multipart/form-data; boundary=b", Some(another)),
            ("multipart/form-data; boundary=\"b (1) \"", Some(another)),
            ("multipart/form-data; boundary=\"B (1)\"", Some(another)),
            ("multipart/form-data; boundary=\"\"", Some(another)),
            ("multipart/form-data; boundary=", Some(unreadable)),
            ("multipart/form-data; boundary=\"b (1)", Some(unreadable)),
            ("multipart/form-data; boundary=b (1)", Some(unreadable)),
            (
                "multipart/form-data; boundary=\"b (1)\"; boundary=c",
                Some(unreadable),
            ),
            (
                "multipart/form-data; boundary=\"b (1)\" boundary=c",
                Some(unreadable),
            ),
            ("multipart/form-data; =", Some(unreadable)),
        ] {
            let expected = expected.map_or_else(|| one("a", "body"), |text| Err(text.to_owned()));
            let read = parts(&text, Some(content_type.as_bytes()));
            assert_eq!(read, expected, "{content_type:?}");
        }
        assert!(parts(&text, Some(b"\xff; boundary=\xff")).is_err());
    }

    #[test]
    fn a_part_has_one_name_and_no_encoding() {
        for (headers, problem) in [
            (&b"Content-Type: text/plain\r\n"[..], "it has no Content-Disposition header"),
            (b"", "its headers are not followed by an empty line"),
            (b"Content-Disposition: form-data\r\n", "it has no name"),
            (b"Content-Disposition: form-data; name*=utf-8''a\r\n", "it has no name"),
            (
                b"Content-Disposition: attachment; name=a\r\n",
                "its Content-Disposition is not form-data",
            ),
            (
                b"Content-Disposition: form-data; name=a; NAME=b\r\n",
                "it has two names",
            ),
            (
                b"Content-Disposition: form-data; name=a; filename=a; filename=b\r\n",
                "it has two file names",
            ),
            (
                b"Content-Disposition: form-data; name=\"\xff\"\r\n",
                "its name is not UTF-8",
            ),
            (
                b"Content-Disposition: form-data; name=\"a\r\n",
                "its Content-Disposition is malformed",
            ),
            (
                b"Content-Disposition: form-data; name=a\r\ncontent-disposition: form-data; name=a\r\n",
                "it has two Content-Disposition headers",
            ),
            (
                b"Content-Disposition: form-data; name=a\r\nContent-Type: a/b\r\nContent-Type: a/b\r\n",
                "it has two Content-Type headers",
            ),
            (
                b"Content-Disposition: form-data; name=a\r\nContent-Transfer-Encoding: base64\r\n",
                "its Content-Transfer-Encoding is not supported",
            ),
        ] {
            let expected = Err(format!("part 1 of the body: {problem}"));
            let text = with_headers(headers);
            assert_eq!(parts(&text, None), expected, "{}", headers.escape_ascii());
        }
        for header in [
            "Content-Transfer-Encoding: binary",
            "content-transfer-encoding: 7BIT",
            "Content-Transfer-Encoding: 8bit",
            "X-Unknown: \u{e9}\t;",
        ] {
            let text = with_headers(format!("{header}\r\n{NAMED}").as_bytes());
            assert_eq!(parts(text, None), one("a", "body"), "{header}");
        }
    }

    #[test]
    fn the_number_of_parts_is_limited() {
        let many = |count: usize| {
            let part = format!("--b\r\n{NAMED}\r\nbody\r\n");
            parts(format!("{}--b--\r\n", part.repeat(count)), None).map(|parts| parts.len())
        };
        assert_eq!(many(64), Ok(64));
        let refused = Err("the body has more than 64 parts".to_owned());
        assert_eq!(many(65), refused);
        assert_eq!(many(10_000), refused);
    }

    #[test]
    fn the_number_and_length_of_headers_are_limited() {
        let lines = |count: usize| {
            let more = "X: 1\r\n".repeat(count - 1);
            parts(with_headers(format!("{NAMED}{more}").as_bytes()), None)
        };
        assert_eq!(lines(16), one("a", "body"));
        let refused = |problem: &str| Err(format!("part 1 of the body: {problem}"));
        assert_eq!(lines(17), refused("it has more than 16 header lines"));

        // The limit of 8192 bytes does not include the last line break.
        let long = |bytes: usize| {
            let filler = bytes - NAMED.len() - "X: ".len();
            let headers = format!("{NAMED}X: {}\r\n", "x".repeat(filler));
            parts(with_headers(headers.as_bytes()), None)
        };
        assert_eq!(long(8192), one("a", "body"));
        let too_long = refused("its headers are longer than 8 KiB");
        assert_eq!(long(8193), too_long);
        assert_eq!(long(1 << 20), too_long);
    }

    #[test]
    fn near_delimiters_are_parsed_in_linear_time() {
        let boundary = "b".repeat(69);
        let near = format!("\r\n--{boundary}").repeat(1 << 15);
        let text = format!("--{boundary}c\r\n{NAMED}\r\n{near}\r\n--{boundary}c--");
        assert_eq!(parts(text, None), one("a", &near));
    }
}
