//! The forms in which a captured request is read, and how they are told apart.

use serde_json::Value;

use crate::capture::{CapturedRequest, curl, error::ReadError, exports, http_text};

impl CapturedRequest {
    /// The longest text that is read, in bytes: 48 MiB, for a body of 32 MiB in base64.
    pub const MAX_TEXT: usize = 48 << 20;

    /// The most requests that are read from one text: 1000.
    pub const MAX_REQUESTS: usize = 1000;

    /// Reads a request from any of these forms:
    ///
    /// | form | read is |
    /// | --- | --- |
    /// | what [`save`](Self::save) and serde write | everything |
    /// | raw HTTP, as `nc -l` or a proxy's log has it, with headers in lines | everything after the blank line is the body, byte for byte |
    /// | a `curl` command | its quoting as of a POSIX shell; files that it names are not read |
    /// | HAR, of browsers and proxies | `log.entries[].request` |
    /// | an event of AWS Lambda: API Gateway (both versions), function URLs and load balancers | the body is decoded if it says `isBase64Encoded` |
    /// | webhook.site | one request, or the list of its API |
    /// | GitHub | deliveries of the API, one or a list, whose `payload` is **printed again** and not what was sent |
    /// | Svix Play | its history |
    ///
    /// Of several requests it is the first; [`read_all`](Self::read_all) has all. What is read came
    /// from outside: nothing in it is verified.
    ///
    /// ```
    /// use tower_webhook::capture::CapturedRequest;
    ///
    /// let captured = CapturedRequest::read(br#"
    ///     curl https://hooks.example.com/x -H 'X-Event: ping' --data-raw $'{"name":"O\'Brien"}'
    /// "#)?;
    /// assert_eq!(captured.target(), "https://hooks.example.com/x");
    /// assert_eq!(captured.body(), r#"{"name":"O'Brien"}"#);
    /// # Ok::<_, tower_webhook::capture::ReadError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When the text is longer than [`MAX_TEXT`](Self::MAX_TEXT), has none of these forms, or has
    /// one but lacks a part of it.
    pub fn read(text: &[u8]) -> Result<Self, ReadError> {
        let mut all = Self::read_all(text)?.into_iter();
        all.next()
            .ok_or_else(|| ReadError::new("there is no request in it"))
    }

    /// As [`read`](Self::read), with all requests of the text, in its order; of a HAR file, for
    /// example. At most [`MAX_REQUESTS`](Self::MAX_REQUESTS) are read.
    ///
    /// # Errors
    ///
    /// As for [`read`](Self::read).
    pub fn read_all(text: &[u8]) -> Result<Vec<Self>, ReadError> {
        if text.len() > Self::MAX_TEXT {
            return Err(ReadError::new(
                "it is longer than 48 MiB; keep the request alone",
            ));
        }
        let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
        let trimmed = text.trim_ascii_start();
        let problem = if trimmed.is_empty() {
            Some("it is empty")
        } else if text.starts_with(b"\xff\xfe") || text.starts_with(b"\xfe\xff") {
            Some("it is UTF-16, as PowerShell writes files; save it as UTF-8")
        } else if trimmed.starts_with(b"HTTP/") {
            Some("it is a response; the request is needed")
        } else {
            None
        };
        if let Some(problem) = problem {
            return Err(ReadError::new(problem));
        }
        if trimmed.starts_with(b"{") || trimmed.starts_with(b"[") {
            return from_json(trimmed);
        }
        let command = trimmed
            .strip_prefix(b"$")
            .unwrap_or(trimmed)
            .trim_ascii_start();
        let is_curl = [&b"curl "[..], b"curl\t", b"curl\\", b"curl.exe "]
            .iter()
            .any(|word| command.starts_with(word));
        if is_curl {
            return curl::read(command).map(|request| vec![request]);
        }
        http_text::read(trimmed).map(|request| vec![request])
    }
}

fn from_json(text: &[u8]) -> Result<Vec<CapturedRequest>, ReadError> {
    let document: Value = serde_json::from_slice(text).map_err(|error| {
        ReadError::new(format!(
            "it begins like JSON, but is not valid: {}",
            place(&error)
        ))
    })?;
    if let Some(requests) = exports::read(&document, text) {
        return requests;
    }
    let list = match document {
        Value::Array(list) => list,
        one => vec![one],
    };
    let requests = list.into_iter().take(CapturedRequest::MAX_REQUESTS);
    let requests = requests.map(|request| {
        if !["target", "headers"].iter().any(|key| request.get(key).is_some()) {
            return Err(ReadError::new(
                "it is JSON, but not in a known form: a captured request, HAR, a Lambda event, or an export of \
                 webhook.site, GitHub or Svix Play; a body alone is not enough, since the signature is in a header",
            ));
        }
        serde_json::from_value(request).map_err(|error| ReadError::new(format!("a captured request: {}", reason(&error))))
    });
    requests.collect()
}

/// Where the JSON breaks off, without its text.
fn place(error: &serde_json::Error) -> String {
    format!("line {}, column {}", error.line(), error.column())
}

/// Of errors of the data, only those of this crate quote nothing.
fn reason(error: &serde_json::Error) -> &'static str {
    let text = error.to_string();
    const KNOWN: [(&str, &str); 4] = [
        ("base64", "a value that should be base64 is not"),
        ("\"target\"", "it lacks \"target\", the path or the URL"),
        ("time", "its time of receipt cannot be read"),
        ("header", "a header is no text"),
    ];
    let known = KNOWN.iter().find(|(word, _)| text.contains(word));
    known.map_or("a value has another type than it should", |(_, reason)| {
        reason
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        CapturedRequest::read(text.as_bytes())
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn what_is_no_request_is_an_error_without_its_content() {
        for (text, expected) in [
            ("", "it is empty"),
            ("HTTP/1.1 200 OK\r\nhush: 1\r\n\r\n", "it is a response"),
            (
                "{\"id\":1,\"url\":\"https://hush\"}",
                "a body alone is not enough",
            ),
            ("hush-hush", "a header line has no colon"),
            (
                "{\"hush\": [",
                "it begins like JSON, but is not valid: line 1, column 10",
            ),
            ("{\"hush\": 1}", "it is JSON, but not in a known form"),
            ("[]", "there is no request in it"),
            (
                "{\"method\":\"POST\",\"headers\":{}}",
                "it lacks \"target\"",
            ),
            ("{\"target\":\"/\",\"body_base64\":\"hush!\"}", "base64"),
            (
                "{\"target\":\"/\",\"received_at\":\"hush\"}",
                "time of receipt",
            ),
            (
                "{\"target\":\"/\",\"headers\":{\"hush\":true}}",
                "a header is no text",
            ),
            ("{\"target\":[\"hush\"]}", "another type"),
        ] {
            let error = error(text);
            assert!(error.contains(expected), "{text}: {error}");
            assert!(!error.contains("hush"), "{error}");
        }
    }

    #[test]
    fn the_plain_form_may_have_other_names() {
        let read = CapturedRequest::read(
            br#"{"method":"PUT","url":"https://h.example/x?a=1","headers":{"X-A":["1","2"],"X-B":3},
                "body_base64":"/w==","now":1795860002,"other":{}}"#,
        )
        .unwrap();
        assert_eq!(
            (read.method(), read.head().path(), read.head().query()),
            ("PUT", "/x", "a=1")
        );
        let headers: Vec<_> = read.headers().collect();
        assert_eq!(headers, [("X-A", &b"1"[..]), ("X-A", b"2"), ("X-B", b"3")]);
        assert_eq!(&read.body()[..], b"\xff");
        assert!(read.received_at().is_some());
    }
}
