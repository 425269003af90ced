//! The route of a request, which is part of its delivery's key.

use std::borrow::Cow;

use http::Extensions;

/// The pattern of the matched route, if the framework provides one and it has no wildcard;
/// otherwise the normalised path as the client sent it. A pattern is the same for every spelling of
/// a path.
pub(super) fn of<'r>(extensions: &'r Extensions, path: &'r str) -> Cow<'r, str> {
    #[cfg(feature = "axum")]
    {
        let pattern = extensions.get::<::axum::extract::MatchedPath>();
        if let Some(pattern) = pattern.filter(|pattern| is_one_route(pattern.as_str())) {
            return pattern.as_str().into();
        }
        // The inner path lacks the nested prefix, so two nested services could otherwise share a
        // route.
        if let Some(whole) = extensions.get::<::axum::extract::OriginalUri>() {
            return normalise(whole.path());
        }
    }
    let _ = extensions;
    normalise(path)
}

/// Whether a pattern has no wildcard, which could match any number of routes.
#[cfg(any(feature = "actix", feature = "axum"))]
pub(crate) fn is_one_route(pattern: &str) -> bool {
    !pattern.contains('*')
}

/// Normalises a path as in RFC 3986, section 6.2.2: decodes percent-escapes of unreserved
/// characters, upper-cases the other escapes and removes dot segments. An empty path becomes `/`.
pub(crate) fn normalise(path: &str) -> Cow<'_, str> {
    let is_plain = path.starts_with('/') && !path.contains('%') && !path.contains("/.");
    if is_plain {
        return path.into();
    }
    let decoded = decode_unreserved(path);
    let mut segments: Vec<&str> = Vec::new();
    let mut ends_open = false;
    for segment in decoded
        .split('/')
        .skip(usize::from(decoded.starts_with('/')))
    {
        ends_open = matches!(segment, "." | "..");
        match segment {
            "." => {}
            ".." => drop(segments.pop()),
            _ => segments.push(segment),
        }
    }
    if ends_open {
        segments.push("");
    }
    format!("/{}", segments.join("/")).into()
}

fn decode_unreserved(path: &str) -> String {
    let mut text = String::with_capacity(path.len());
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('%') {
        text.push_str(before);
        let escaped = after.get(..2).and_then(|digits| {
            let is_hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
            is_hex.then(|| u8::from_str_radix(digits, 16).ok())?
        });
        rest = match (escaped, after.get(2..)) {
            (Some(byte), Some(after)) => {
                let is_unreserved =
                    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
                if is_unreserved {
                    text.push(char::from(byte));
                } else {
                    text.push_str(&format!("%{byte:02X}"));
                }
                after
            }
            _ => {
                text.push('%');
                after
            }
        };
    }
    text.push_str(rest);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_have_one_spelling() {
        for (path, expected) in [
            ("/hooks/a", "/hooks/a"),
            ("/hooks/%61", "/hooks/a"),
            ("/hooks/%2f%7Ex", "/hooks/%2F~x"),
            ("/hooks/./a/../b", "/hooks/b"),
            ("/hooks/%2e%2E/b", "/b"),
            ("/a/..", "/"),
            ("/a/.", "/a/"),
            ("/../../a", "/a"),
            ("/a//b/", "/a//b/"),
            ("", "/"),
            ("*", "/*"),
            ("/a.b/.c", "/a.b/.c"),
            ("/100%/%4/%zz/%+1", "/100%/%4/%zz/%+1"),
            ("/%C3%a9/é", "/%C3%A9/é"),
        ] {
            assert_eq!(normalise(path), expected, "{path}");
            assert_eq!(normalise(&normalise(path)), expected, "{path}");
        }
    }
}
