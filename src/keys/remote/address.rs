//! [`KeyUrl`]: where keys are fetched from.

use std::fmt;

use crate::error::SetupError;

/// The address of keys: `https://`, a host and a path, checked as a whole.
///
/// It has no user, no fragment, and no segment that a server could resolve to another path, so that
/// two texts that differ are two addresses.
///
/// ```
/// use tower_webhook::keys::KeyUrl;
///
/// let url = KeyUrl::new("https://Example.com/.well-known/jwks.json")?;
/// assert_eq!((url.host(), url.path()), ("example.com", "/.well-known/jwks.json"));
/// assert_eq!(url.as_str(), "https://example.com/.well-known/jwks.json");
/// assert!(KeyUrl::new("http://example.com/keys").is_err());
/// assert!(KeyUrl::new("https://example.com@other.example/keys").is_err());
/// # Ok::<_, tower_webhook::SetupError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct KeyUrl {
    text: String,
    /// Where the host, with the port, and the path begin and end in the text.
    host_end: usize,
    path_start: usize,
    path_end: usize,
}

const SCHEME: &str = "https://";

/// No provider's address is as long.
const MAX_LEN: usize = 2048;

impl KeyUrl {
    /// Checks an address.
    ///
    /// # Errors
    ///
    /// When it does not begin with `https://`; when its host is not a name or an IP address in
    /// ASCII, with an optional port; when it has a user, a fragment, or a path with `.` or `..` as
    /// a segment, empty segments, a backslash or an escape of one of these.
    pub fn new(url: &str) -> Result<Self, SetupError> {
        Self::parse(url).map_err(SetupError::new)
    }

    pub(crate) fn parse(url: &str) -> Result<Self, &'static str> {
        if url.len() > MAX_LEN {
            return Err("it is longer than 2,048 characters; no address of keys is");
        }
        if starts_with_ignoring_case(url, "http://") {
            return Err(
                "http:// is not encrypted, so that anybody on the way could replace the keys; write https://",
            );
        }
        if !starts_with_ignoring_case(url, SCHEME) {
            return Err("it does not begin with https://; write the whole address");
        }
        if !url.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err("it has white space, or characters beyond ASCII; escape them with %");
        }
        if url.contains(['\\', '#', '"', '<', '>', '^', '`', '{', '|', '}']) {
            return Err("it has a fragment, or a character that no address has; remove it");
        }
        let rest = url.get(SCHEME.len()..).unwrap_or_default();
        let split = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, after) = rest.split_at_checked(split).unwrap_or_default();
        if authority.contains('@') {
            return Err("it has a user in front of the host, which is never sent; remove it");
        }
        let host = host_of(authority).ok_or("its host is no name or address; correct it")?;
        let (path, query) = match after.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (after, None),
        };
        let path = if path.is_empty() { "/" } else { path };
        if !is_plain_path(path) {
            return Err(
                "its path can be read in several ways; remove empty segments, \".\", \"..\", and their escapes",
            );
        }
        let authority = authority.to_ascii_lowercase();
        let mut text = format!("{SCHEME}{authority}{path}");
        let host_end = SCHEME.len().saturating_add(host.len());
        let path_end = text.len();
        let path_start = path_end.saturating_sub(path.len());
        if let Some(query) = query {
            text.push('?');
            text.push_str(query);
        }
        Ok(Self {
            text,
            host_end,
            path_start,
            path_end,
        })
    }

    /// The whole address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The address without the query, which may hold a credential.
    pub(crate) fn shown(&self) -> &str {
        self.text.get(..self.path_end).unwrap_or_default()
    }

    /// The host, in lower case and without the port.
    #[must_use]
    pub fn host(&self) -> &str {
        let host = self.text.get(SCHEME.len()..self.host_end);
        host.unwrap_or_default()
    }

    /// The port, if the address has one.
    #[must_use]
    pub fn port(&self) -> Option<u16> {
        let port = self.text.get(self.host_end..self.path_start)?;
        port.strip_prefix(':')?.parse().ok()
    }

    /// The path, without the query.
    #[must_use]
    pub fn path(&self) -> &str {
        let path = self.text.get(self.path_start..self.path_end);
        path.unwrap_or_default()
    }

    /// The query, if the address has one.
    #[must_use]
    pub fn query(&self) -> Option<&str> {
        self.text.get(self.path_end..)?.strip_prefix('?')
    }
}

fn starts_with_ignoring_case(text: &str, prefix: &str) -> bool {
    let head = text.get(..prefix.len());
    head.is_some_and(|head| head.eq_ignore_ascii_case(prefix))
}

/// The host in front of an optional port.
fn host_of(authority: &str) -> Option<&str> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (address, port) = rest.split_once(']')?;
            address.parse::<std::net::Ipv6Addr>().ok()?;
            (authority.get(..address.len().checked_add(2)?)?, port)
        }
        None => {
            let end = authority.find(':').unwrap_or(authority.len());
            let (host, port) = authority.split_at_checked(end)?;
            let is_label = |label: &str| {
                !label.is_empty()
                    && label.len() < 64
                    && !label.starts_with('-')
                    && !label.ends_with('-')
                    && label
                        .bytes()
                        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            };
            let is_host = host.len() < 254 && host.split('.').all(is_label);
            (is_host.then_some(host)?, port)
        }
    };
    let is_port = match port.strip_prefix(':') {
        None => port.is_empty(),
        Some(digits) => {
            !digits.starts_with('0')
                && digits.bytes().all(|byte| byte.is_ascii_digit())
                && digits.parse::<u16>().is_ok()
        }
    };
    is_port.then_some(host)
}

fn is_plain_path(path: &str) -> bool {
    let Some(segments) = path.strip_prefix('/') else {
        return false;
    };
    let mut left = segments.split('/').peekable();
    while let Some(segment) = left.next() {
        let is_last = left.peek().is_none();
        let lower = segment.to_ascii_lowercase();
        let dotted = lower.replace("%2e", ".");
        let hides = lower.contains("%2f") || lower.contains("%5c") || lower.contains("%00");
        if dotted == "." || dotted == ".." || hides || (segment.is_empty() && !is_last) {
            return false;
        }
    }
    true
}

impl fmt::Display for KeyUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for KeyUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("KeyUrl").field(&self.shown()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_one_reading() {
        for (url, host, port, path, query) in [
            ("https://a.example", "a.example", None, "/", None),
            ("https://a.example/", "a.example", None, "/", None),
            ("HTTPS://A.Example/Keys", "a.example", None, "/Keys", None),
            (
                "https://a.example:8443/k?x=1/../",
                "a.example",
                Some(8443),
                "/k",
                Some("x=1/../"),
            ),
            ("https://a.example?x", "a.example", None, "/", Some("x")),
            ("https://127.0.0.1:1/k/", "127.0.0.1", Some(1), "/k/", None),
            ("https://[::1]:8443/k", "[::1]", Some(8443), "/k", None),
            ("https://[::1]/k", "[::1]", None, "/k", None),
            (
                "https://a.example/..k/k..",
                "a.example",
                None,
                "/..k/k..",
                None,
            ),
        ] {
            let read = KeyUrl::parse(url).unwrap();
            let parts = (read.host(), read.port(), read.path(), read.query());
            assert_eq!(parts, (host, port, path, query), "{url}");
            assert_eq!(KeyUrl::parse(read.as_str()), Ok(read.clone()), "{url}");
        }
    }

    #[test]
    fn what_a_server_could_read_in_another_way_is_refused() {
        for url in [
            "",
            "a.example/keys",
            "//a.example/keys",
            "ftp://a.example/keys",
            "http://a.example/keys",
            "https:/a.example",
            "https://",
            "https:///keys",
            "https://:443/keys",
            "https://user@a.example/keys",
            "https://a.example@b.example/keys",
            "https://a.example\\@b.example/keys",
            "https://a.example/keys#fragment",
            "https://a.example#@b.example/keys",
            "https://a.example/a/../keys",
            "https://a.example/./keys",
            "https://a.example/%2e%2E/keys",
            "https://a.example/.%2e/keys",
            "https://a.example/a%2fkeys",
            "https://a.example/a%5Ckeys",
            "https://a.example//keys",
            "https://a.example/..",
            "https://a.example:0/keys",
            "https://a.example:099/keys",
            "https://a.example:65536/keys",
            "https://a.example:/keys",
            "https://a.example:+1/keys",
            "https://a..example/keys",
            "https://a.example./keys",
            "https://-a.example/keys",
            "https://a_b.example/keys",
            "https://a%2eexample/keys",
            "https://[::1/keys",
            "https://[::1]x/keys",
            "https://[a.example]/keys",
            "https://a.example /keys",
            "https://a.example/ke\nys",
            "https://ä.example/keys",
            "https://a.example/ä",
        ] {
            assert!(KeyUrl::parse(url).is_err(), "{url}");
        }
        assert!(KeyUrl::parse(&format!("https://a.example/{}", "k".repeat(2048))).is_err());
    }

    #[test]
    fn debug_shows_no_query() {
        let url = KeyUrl::parse("https://a.example/k?token=secret").unwrap();
        assert_eq!(format!("{url:?}"), r#"KeyUrl("https://a.example/k")"#);
    }
}
