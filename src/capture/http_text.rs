//! Raw HTTP: a request line, header lines, a blank line, and the body.

use bytes::Bytes;

use crate::capture::{CapturedRequest, error::ReadError};

/// Reads HTTP/1 as it is on the wire, with lines that end in CRLF or LF; also what `curl -v` prints
/// of a request, and the pseudo-headers of HTTP/2.
pub(super) fn read(text: &[u8]) -> Result<CapturedRequest, ReadError> {
    let is_printed = text.starts_with(b"> ");
    let mut rest = text;
    let mut lines: Vec<String> = Vec::new();
    let mut ended = false;
    while !ended && !rest.is_empty() {
        let (line, after) = split_line(rest);
        rest = after;
        let line = if is_printed {
            line.strip_prefix(b"> ")
                .or(line.strip_prefix(b">"))
                .unwrap_or(line)
        } else {
            line
        };
        if line.is_empty() {
            ended = true;
        } else if line.starts_with(b" ") || line.starts_with(b"\t") {
            // A header that is folded into several lines.
            if let Some(last) = lines.last_mut() {
                last.push(' ');
                last.push_str(&String::from_utf8_lossy(line.trim_ascii()));
            }
        } else {
            // Bytes beyond ASCII are kept one by one.
            lines.push(line.iter().copied().map(char::from).collect());
        }
        if lines.len() > CapturedRequest::MAX_HEADERS {
            return Err(ReadError::new("it has more than 256 header lines"));
        }
    }
    let mut lines = lines.into_iter().peekable();
    let (mut method, mut target) = request_line(lines.peek().map_or("", |line| line))
        .map(|(method, target)| (method.to_owned(), target.to_owned()))
        .unwrap_or_default();
    if !method.is_empty() {
        lines.next();
    }
    let mut headers = Vec::new();
    for line in lines {
        let pseudo = line.strip_prefix(':');
        let Some((name, value)) = pseudo.unwrap_or(&line).split_once(':') else {
            return Err(ReadError::new(
                "a header line has no colon; copy the request with its line breaks",
            ));
        };
        let value = value.trim();
        match (pseudo.is_some(), name) {
            (true, "method") => value.clone_into(&mut method),
            (true, "path") => value.clone_into(&mut target),
            (true, "authority") => headers.push(("host".to_owned(), latin1(value))),
            (true, _) => {}
            (false, _) => headers.push((name.trim().to_owned(), latin1(value))),
        }
    }
    if method.is_empty() || target.is_empty() {
        return Err(ReadError::new(
            "it is neither raw HTTP, nor a curl command, nor JSON; raw HTTP begins with a line such as \"POST /path \
             HTTP/1.1\"",
        ));
    }
    let mut captured = CapturedRequest::of(&method, &target, Bytes::copy_from_slice(rest));
    for (name, value) in headers {
        captured.push_header(&name, &value);
    }
    Ok(captured)
}

/// The method and the target of `POST /path HTTP/1.1`, or without the version.
fn request_line(line: &str) -> Option<(&str, &str)> {
    let mut words = line.split_ascii_whitespace();
    let (method, target) = (words.next()?, words.next()?);
    let is_method = method.bytes().all(|byte| byte.is_ascii_uppercase()) && method.len() <= 16;
    let is_target = target.starts_with('/') || target.contains("://") || target == "*";
    let is_version = words
        .next()
        .is_none_or(|version| version.starts_with("HTTP/"));
    (is_method && is_target && is_version && words.next().is_none()).then_some((method, target))
}

/// The first line without its end, and what follows it.
fn split_line(text: &[u8]) -> (&[u8], &[u8]) {
    let Some(end) = memchr::memchr(b'\n', text) else {
        return (text, b"");
    };
    let (line, rest) = text.split_at_checked(end).unwrap_or((text, b""));
    let rest = rest.get(1..).unwrap_or_default();
    (line.strip_suffix(b"\r").unwrap_or(line), rest)
}

/// The bytes of which each is a character.
fn latin1(text: &str) -> Vec<u8> {
    text.chars()
        .map(|letter| u8::try_from(letter).unwrap_or(b'?'))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_body_is_what_follows_the_blank_line() {
        for (text, target, headers, body) in [
            ("POST /x HTTP/1.1\r\nA: b\r\n\r\nbody\n", "/x", 1, "body\n"),
            ("POST /x\nA: b\n\n\nbody", "/x", 1, "\nbody"),
            (
                "GET https://h.example/ HTTP/2\nA: b\n c\nB:d",
                "https://h.example/",
                2,
                "",
            ),
            ("> POST /x HTTP/1.1\n> A: b\n>\nbody", "/x", 1, "body"),
            (
                ":method: POST\n:path: /x\n:scheme: https\n:authority: h\n\nbody",
                "/x",
                1,
                "body",
            ),
        ] {
            let read = read(text.as_bytes()).unwrap();
            assert_eq!(read.target(), target, "{text}");
            assert_eq!(read.headers().count(), headers, "{text}");
            assert_eq!(read.body(), body, "{text}");
        }
        let folded = read(b"GET / HTTP/1.1\r\nA: b\r\n\t c\r\nB: \xe9\r\n\r\n").unwrap();
        let headers: Vec<_> = folded.headers().collect();
        assert_eq!(headers, [("A", &b"b c"[..]), ("B", b"\xe9")]);
    }

    #[test]
    fn what_is_no_request_line_is_refused() {
        for text in [
            "post /x HTTP/1.1\n\n",
            "POST x HTTP/1.1\n\n",
            "POST /x HTTP/1.1 y\n\n",
            "A: b\n\n",
        ] {
            assert!(read(text.as_bytes()).is_err(), "{text}");
        }
        let error = read(b"POST /x HTTP/1.1\nhush\n\n").unwrap_err().to_string();
        assert!(error.starts_with("a header line has no colon"), "{error}");
    }
}
