//! The part of a request before its body: [`Head`] and [`Headers`].

use std::fmt;

use http::{HeaderMap, request::Parts};

use crate::error::SetupError;

/// Read access to header values, independent of the version of `http` and of whether the request
/// comes from a server or a queue.
///
/// It is implemented for the [`HeaderMap`](http::HeaderMap) of `http` 1.x, and for slices, arrays
/// and vectors of name and value:
///
/// ```
/// use tower_webhook::verify::Headers;
///
/// let stored = [("X-Event", "ping"), ("x-event", "push")];
/// assert_eq!(Headers::nth(&stored, "x-event", 1), Some(&b"push"[..]));
/// assert_eq!(Headers::nth(&stored, "x-event", 2), None);
/// ```
pub trait Headers {
    /// Calls `line` with the name and value of every header line. Names may be in any case. Lines
    /// with the same name come in the order received.
    fn for_each<'h>(&'h self, line: &mut dyn FnMut(&'h str, &'h [u8]));

    /// The value of the `n`th line (from 0) of the header `name`, which is case-insensitive.
    fn nth<'h>(&'h self, name: &str, n: usize) -> Option<&'h [u8]> {
        let mut left = n;
        let mut found = None;
        self.for_each(&mut |candidate, value| {
            if found.is_none() && candidate.eq_ignore_ascii_case(name) {
                match left.checked_sub(1) {
                    Some(fewer) => left = fewer,
                    None => found = Some(value),
                }
            }
        });
        found
    }
}

impl Headers for HeaderMap {
    fn for_each<'h>(&'h self, line: &mut dyn FnMut(&'h str, &'h [u8])) {
        for (name, value) in self {
            line(name.as_str(), value.as_bytes());
        }
    }

    fn nth<'h>(&'h self, name: &str, n: usize) -> Option<&'h [u8]> {
        let value = self.get_all(name).iter().nth(n)?;
        Some(value.as_bytes())
    }
}

impl<N: AsRef<str>, V: AsRef<[u8]>> Headers for [(N, V)] {
    fn for_each<'h>(&'h self, line: &mut dyn FnMut(&'h str, &'h [u8])) {
        for (name, value) in self {
            line(name.as_ref(), value.as_ref());
        }
    }
}

impl<N: AsRef<str>, V: AsRef<[u8]>, const K: usize> Headers for [(N, V); K] {
    fn for_each<'h>(&'h self, line: &mut dyn FnMut(&'h str, &'h [u8])) {
        self.as_slice().for_each(line);
    }
}

impl<N: AsRef<str>, V: AsRef<[u8]>> Headers for Vec<(N, V)> {
    fn for_each<'h>(&'h self, line: &mut dyn FnMut(&'h str, &'h [u8])) {
        self.as_slice().for_each(line);
    }
}

/// The request line and headers of one request.
///
/// The path and the query are the text as received, still percent-encoded. `Debug` shows neither
/// the query nor header values.
#[derive(Clone, Copy)]
pub struct Head<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) query: &'a str,
    pub(crate) headers: &'a dyn Headers,
}

impl<'a> Head<'a> {
    /// A `POST` to `/` with these headers: sufficient for every scheme that signs neither the
    /// method nor any part of the request target.
    #[must_use]
    pub fn new(headers: &'a dyn Headers) -> Self {
        Self {
            method: "POST",
            path: "/",
            query: "",
            headers,
        }
    }

    /// Sets the method, which is given in upper case.
    #[must_use]
    pub fn with_method(mut self, method: &'a str) -> Self {
        self.method = method;
        self
    }

    /// Sets the path and the query from a request target such as `/hooks?tenant=a`.
    #[must_use]
    pub fn with_target(mut self, target: &'a str) -> Self {
        (self.path, self.query) = target.split_once('?').unwrap_or((target, ""));
        self
    }

    /// Whether the method is safe as RFC 9110 defines it, so that no delivery is claimed by it.
    #[cfg(feature = "tower")]
    pub(crate) fn is_safe(&self) -> bool {
        matches!(self.method, "GET" | "HEAD" | "OPTIONS" | "TRACE")
    }

    /// The method, in upper case.
    #[must_use]
    pub fn method(&self) -> &'a str {
        self.method
    }

    /// The path as received, still percent-encoded. Inside axum's `nest` it lacks the prefix.
    #[must_use]
    pub fn path(&self) -> &'a str {
        self.path
    }

    /// The query as received, still percent-encoded, without the question mark.
    #[must_use]
    pub fn query(&self) -> &'a str {
        self.query
    }

    /// The first value of a header, if it consists of visible ASCII characters, spaces and tabs.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&'a str> {
        let value = std::str::from_utf8(self.headers.nth(name, 0)?).ok()?;
        let visible = |byte: u8| byte == b'\t' || matches!(byte, b' '..=b'~');
        value.bytes().all(visible).then_some(value)
    }
}

/// The head of an `http` 1.x request.
impl<'a> From<&'a Parts> for Head<'a> {
    fn from(parts: &'a Parts) -> Self {
        Self {
            method: parts.method.as_str(),
            path: parts.uri.path(),
            query: parts.uri.query().unwrap_or_default(),
            headers: &parts.headers,
        }
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

/// Checks that `name` is a valid header name.
pub(crate) fn header_name(name: &str) -> Result<&str, SetupError> {
    match http::HeaderName::from_bytes(name.as_bytes()) {
        Ok(_) => Ok(name),
        Err(_) => Err(SetupError::new(format!(
            "{name:?} is not a valid header name"
        ))),
    }
}
