//! The part of a request that is there before its body: [`Head`] and [`Headers`].

use std::fmt;

use http::{HeaderMap, HeaderName, HeaderValue, header};

/// Read access to header values, so that one core serves every version of `http` and every queue.
///
/// Implemented for `http` 1.x's [`HeaderMap`](http::HeaderMap), and for arrays and vectors of name and value:
///
/// ```
/// use tower_webhook::verify::Headers;
///
/// let stored = [("X-Event", "ping"), ("x-event", "push")];
/// assert_eq!(Headers::nth(&stored, "x-event", 1), Some(&b"push"[..]));
/// assert_eq!(Headers::nth(&stored, "x-event", 2), None);
/// ```
pub trait Headers {
    /// The value of the `n`th line (from 0) of the header `name`, whatever the case of `name`.
    fn nth(&self, name: &str, n: usize) -> Option<&[u8]>;

    /// The value of the first line of a header, and whether there are more lines. For maps that find both at once.
    fn first(&self, name: &HeaderName) -> Option<(&[u8], bool)> {
        let value = self.nth(name.as_str(), 0)?;
        Some((value, self.nth(name.as_str(), 1).is_some()))
    }
}

impl Headers for HeaderMap {
    fn nth(&self, name: &str, n: usize) -> Option<&[u8]> {
        let mut values = self.get_all(name).iter();
        values.nth(n).map(HeaderValue::as_bytes)
    }

    fn first(&self, name: &HeaderName) -> Option<(&[u8], bool)> {
        let value = self.get(name)?;
        // As a rule no header has two lines, and there is nothing more to look for.
        let more = self.len() != self.keys_len() && self.get_all(name).iter().nth(1).is_some();
        Some((value.as_bytes(), more))
    }
}

impl<N: AsRef<str>, V: AsRef<[u8]>> Headers for [(N, V)] {
    fn nth(&self, name: &str, n: usize) -> Option<&[u8]> {
        self.iter()
            .filter(|(candidate, _)| candidate.as_ref().eq_ignore_ascii_case(name))
            .nth(n)
            .map(|(_, value)| value.as_ref())
    }
}

impl<N: AsRef<str>, V: AsRef<[u8]>, const K: usize> Headers for [(N, V); K] {
    fn nth(&self, name: &str, n: usize) -> Option<&[u8]> {
        self.as_slice().nth(name, n)
    }
}

impl<N: AsRef<str>, V: AsRef<[u8]>> Headers for Vec<(N, V)> {
    fn nth(&self, name: &str, n: usize) -> Option<&[u8]> {
        self.as_slice().nth(name, n)
    }
}

/// The request line and headers of one request.
///
/// `path` and `query` are the text as received, still percent-encoded. Its `Debug` shows neither query nor header values.
#[derive(Clone, Copy)]
pub struct Head<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) query: &'a str,
    pub(crate) headers: &'a dyn Headers,
}

impl<'a> Head<'a> {
    /// A `POST` to `/` with these headers: enough for every scheme that signs no address.
    #[must_use]
    pub fn new(headers: &'a dyn Headers) -> Self {
        Self {
            method: "POST",
            path: "/",
            query: "",
            headers,
        }
    }

    /// The head of an `http` 1.x request.
    #[must_use]
    pub fn of(parts: &'a http::request::Parts) -> Self {
        Self {
            method: parts.method.as_str(),
            path: parts.uri.path(),
            query: parts.uri.query().unwrap_or_default(),
            headers: &parts.headers,
        }
    }

    /// Sets the method, in upper case.
    #[must_use]
    pub fn with_method(mut self, method: &'a str) -> Self {
        self.method = method;
        self
    }

    /// Sets path and query, as in the request line: `/hooks?tenant=a`.
    #[must_use]
    pub fn with_target(mut self, target: &'a str) -> Self {
        (self.path, self.query) = target.split_once('?').unwrap_or((target, ""));
        self
    }

    /// The method, in upper case.
    #[must_use]
    pub fn method(&self) -> &'a str {
        self.method
    }

    /// The path as received, still percent-encoded. Under axum's `nest` the prefix is missing.
    #[must_use]
    pub fn path(&self) -> &'a str {
        self.path
    }

    /// The query as received, still percent-encoded, without the question mark.
    #[must_use]
    pub fn query(&self) -> &'a str {
        self.query
    }

    /// The first value of a header, if it is text of visible ASCII characters.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&'a str> {
        let value = std::str::from_utf8(self.headers.nth(name, 0)?).ok()?;
        let visible = |byte: u8| byte == b'\t' || matches!(byte, b' '..=b'~');
        value.bytes().all(visible).then_some(value)
    }

    /// The length that `Content-Length` declares, if it says a number. One too large for `u64` counts as `u64::MAX`.
    pub(crate) fn declared_length(&self) -> Option<u64> {
        let (text, _) = self.headers.first(&header::CONTENT_LENGTH)?;
        if text.is_empty() || !text.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let number = std::str::from_utf8(text).ok()?;
        Some(number.parse().unwrap_or(u64::MAX))
    }
}

impl fmt::Debug for Head<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Head")
            .field("method", &self.method)
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}
