//! `multipart/form-data` bodies, read as slices of the buffer that was verified.
//!
//! The signature covers the body, and not the header `Content-Type` that usually says where its parts end. Whoever
//! replays a request could change that header and have an image read as parts. So the body speaks for itself, and is
//! read in one way or not at all:
//!
//! - it begins with `--boundary` and a line end; nothing stands before that;
//! - each further delimiter is a line end, `--boundary` and a line end; every line end is CR LF;
//! - it ends with the closing `--boundary--` and at most one line end;
//! - a boundary has 1 to 70 of the characters that RFC 2046 allows, and does not end in a space;
//! - a `Content-Type` that names another boundary is an error, and so is one that cannot be read. One without a
//!   boundary, or none at all, is nothing to go by;
//! - each part is `form-data` with one name in UTF-8, and is not encoded further;
//! - there are at most 64 parts, with at most 16 header lines and 8 KiB of headers each.
//!
//! [`VerifiedEvent::parts`](crate::VerifiedEvent::parts) gives them:
//!
//! ```
//! use tower_webhook::{Provider, Secret, Verifier, verify::Head};
//! use tower_webhook::scheme::{Algorithm, Encoding, Scheme, SignatureFormat};
//! # use http::Request;
//! # use tower_webhook::Signer;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let signature = SignatureFormat::single("X-Acme-Signature", Encoding::Hex);
//! let acme = Provider::new("acme", Scheme::new(Algorithm::HmacSha256, "{body}", signature));
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
//! let [photo] = &event.parts()?[..] else { panic!("one part") };
//! assert_eq!(photo.name(), "photo");
//! assert_eq!(photo.file_name(), Some("me.jpg"));
//! assert_eq!(photo.content_type(), Some("image/jpeg"));
//! assert_eq!(photo.body(), "the image");
//! # Ok(())
//! # }
//! ```

mod header;

use std::fmt;

use bytes::Bytes;
use memchr::memmem;

use crate::error::PayloadError;

const MAX_PARTS: usize = 64;
const MAX_BOUNDARY: usize = 70;
const LINE_END: &[u8] = b"\r\n";

/// One part of a multipart body. Its `Debug` shows name and length.
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

    /// The name of the file, if the sender gave one. Whoever uploaded it chose it: it is nothing to open or write a file by.
    /// What is not UTF-8 in it is replaced.
    #[must_use]
    pub fn file_name(&self) -> Option<&str> {
        self.file_name.as_deref()
    }

    /// What the sender says that the body is, with parameters such as a character set.
    #[must_use]
    pub fn content_type(&self) -> Option<&str> {
        self.content_type.as_deref()
    }

    /// What stands in the part: a slice of the body of the event, not a copy.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// What stands in the part, alone.
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

/// The parts of `body`. `content_type` is the header of the request; it can make the reading fail, and change nothing else.
pub(crate) fn parse(body: &Bytes, content_type: Option<&[u8]>) -> Result<Vec<Part>, PayloadError> {
    let boundary = boundary(body)?;
    if let Some(content_type) = content_type {
        agree(content_type, boundary)?;
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
        // What follows a delimiter begins with a line end, which may itself belong to the next delimiter.
        let split = finder.find(rest).and_then(|at| rest.split_at_checked(at));
        let Some((part, after)) = split else {
            return Err(PayloadError::new(
                "the body breaks off before its closing boundary",
            ));
        };
        let part = part
            .strip_prefix(LINE_END)
            .ok_or("its boundary is not followed by a line end")
            .and_then(|part| read(part, body))
            .map_err(|problem| PayloadError::new(format!("part {place} of the body: {problem}")))?;
        parts.push(part);
        rest = after.strip_prefix(&*delimiter).unwrap_or_default();
        match rest.strip_prefix(b"--") {
            Some(b"" | b"\r\n") => return Ok(parts),
            Some(_) => {
                return Err(PayloadError::new(
                    "the body goes on after its closing boundary",
                ));
            }
            None => {}
        }
    }
}

/// The boundary that the first line of the body names.
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

/// Fails when the header names another boundary.
fn agree(content_type: &[u8], boundary: &[u8]) -> Result<(), PayloadError> {
    let unreadable = || PayloadError::new("the header Content-Type cannot be read");
    let (_, parameters) = header::value(content_type).ok_or_else(unreadable)?;
    let named = header::parameter(&parameters, "boundary").map_err(|_| unreadable())?;
    if named.is_none_or(|named| **named == *boundary) {
        return Ok(());
    }
    Err(PayloadError::new(
        "the header Content-Type, which is not signed, names another boundary than the body",
    ))
}

/// Reads what stands between two delimiters, without the line ends that belong to them.
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
                return Err("it is encoded further");
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

    /// Names and bodies, or the error.
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

    /// A body with the one part `a` of these headers, each of which brings its own line end.
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
    fn the_body_is_framed_in_one_way_only() {
        let part = format!("{NAMED}\r\nbody\r\n");
        let head = NAMED.trim_end();
        let refused = |problem: &str| Err(problem.to_owned());
        let begins = || refused("the body does not begin with a multipart boundary");
        let goes_on = || refused("the body goes on after its closing boundary");
        let breaks_off = || refused("the body breaks off before its closing boundary");
        let no_line = || refused("part 1 of the body: its boundary is not followed by a line end");
        let long = "b".repeat(70);
        for (text, expected) in [
            (format!("--b\r\n{part}--b--\r\n"), one("a", "body")),
            (format!("--b\r\n{part}--b--"), one("a", "body")),
            (format!("--{long}\r\n{part}--{long}--"), one("a", "body")),
            (format!("--b (1)\r\n{part}--b (1)--"), one("a", "body")),
            (format!("--b--\r\n{part}--b----"), one("a", "body")),
            // What stands before the first boundary.
            (format!("preamble\r\n--b\r\n{part}--b--\r\n"), begins()),
            (format!("\r\n--b\r\n{part}--b--\r\n"), begins()),
            (format!(" --b\r\n{part}--b--\r\n"), begins()),
            // What is no boundary.
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
            // What stands after the last one.
            (format!("--b\r\n{part}--b--epilogue"), goes_on()),
            (format!("--b\r\n{part}--b--\r\nepilogue"), goes_on()),
            (format!("--b\r\n{part}--b--\r\n\r\n"), goes_on()),
            (format!("--b\r\n{part}--b--\n"), goes_on()),
            (format!("--b\r\n{part}--b-- \r\n"), goes_on()),
            (
                format!("--b\r\n{part}--b--\r\n--b\r\n{part}--b--"),
                goes_on(),
            ),
            // What is not finished.
            (format!("--b\r\n{part}"), breaks_off()),
            (format!("--b\r\n{part}--b"), breaks_off()),
            (format!("--b\r\n{part}--b-"), breaks_off()),
            (format!("--b\r\n{part}--b\r\n{part}"), breaks_off()),
            ("--b\r\n".to_owned(), breaks_off()),
            ("--b--\r\n".to_owned(), breaks_off()),
            // Delimiters that almost are.
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
                refused("part 2 of the body: its boundary is not followed by a line end"),
            ),
            (
                format!("--b\r\n{part}--b \r\n{part}--b--"),
                refused("part 2 of the body: its boundary is not followed by a line end"),
            ),
            // A delimiter where headers should be.
            (format!("--b\r\n--b\r\n{part}--b--"), no_line()),
            ("--b\r\n--b--\r\n".to_owned(), no_line()),
            (
                format!("--b\r\n{head}\r\n--b\r\n{part}--b--"),
                refused("part 1 of the body: its headers do not end"),
            ),
            (
                format!("--b\r\n{head}\r\n\r\n--b\r\n{part}--b--"),
                refused("part 1 of the body: its headers do not end"),
            ),
        ] {
            assert_eq!(parts(&text, None), expected, "{text:?}");
        }
    }

    #[test]
    fn the_unsigned_header_can_only_refuse() {
        let text = format!("--b (1)\r\n{NAMED}\r\nbody\r\n--b (1)--");
        let another =
            "the header Content-Type, which is not signed, names another boundary than the body";
        let unreadable = "the header Content-Type cannot be read";
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
    fn a_part_has_one_name_and_is_not_encoded() {
        for (headers, problem) in [
            (&b"Content-Type: text/plain\r\n"[..], "it has no Content-Disposition header"),
            (b"", "its headers do not end"),
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
                "its Content-Disposition cannot be read",
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
                "it is encoded further",
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
    fn parts_are_counted() {
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
    fn headers_are_counted_and_measured() {
        let lines = |count: usize| {
            let more = "X: 1\r\n".repeat(count - 1);
            parts(with_headers(format!("{NAMED}{more}").as_bytes()), None)
        };
        assert_eq!(lines(16), one("a", "body"));
        let refused = |problem: &str| Err(format!("part 1 of the body: {problem}"));
        assert_eq!(lines(17), refused("it has more than 16 header lines"));

        // 8192 bytes without the last line end.
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
    fn bodies_of_near_delimiters_are_read_in_linear_time() {
        let boundary = "b".repeat(69);
        let near = format!("\r\n--{boundary}").repeat(1 << 15);
        let text = format!("--{boundary}c\r\n{NAMED}\r\n{near}\r\n--{boundary}c--");
        assert_eq!(parts(text, None), one("a", &near));
    }
}
