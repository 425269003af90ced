//! What is left out when a request is written: credentials, which are no signatures.

use std::borrow::Cow;

use crate::{
    capture::CapturedRequest,
    json,
    provider::Provider,
    scheme::{algorithm::Keying, definition::Scheme, locator::LocatorKind},
};

/// What stands in place of a credential.
pub(crate) const REDACTED: &str = "[redacted]";

/// Where the known providers send tokens, and where signatures.
#[derive(Clone, Default)]
pub(super) struct KnownPlaces {
    tokens: Vec<LocatorKind>,
    signatures: Vec<LocatorKind>,
}

impl KnownPlaces {
    pub(super) fn add(&mut self, provider: &Provider) {
        for scheme in provider.schemes() {
            let is_token = scheme.algorithm().keying() == Keying::Token;
            let places = if is_token {
                &mut self.tokens
            } else {
                &mut self.signatures
            };
            places.extend(places_of(provider, scheme));
        }
    }

    fn has(places: &[LocatorKind], is_place: impl Fn(&LocatorKind) -> bool) -> bool {
        places.iter().any(is_place)
    }
}

/// Where the signatures or tokens of a scheme are, which may be a parameter of the endpoint.
fn places_of(provider: &Provider, scheme: &Scheme) -> impl Iterator<Item = LocatorKind> {
    let places = scheme.signature.places.iter();
    places.map(|place| match place.0.clone() {
        LocatorKind::Header(name) => LocatorKind::Header(provider.filled(&name).into()),
        LocatorKind::Query(name) => LocatorKind::Query(provider.filled(&name).into()),
        other => other,
    })
}

/// A request as it is written.
pub(super) struct Written<'c> {
    pub(super) target: Cow<'c, str>,
    pub(super) headers: Vec<(&'c str, Cow<'c, [u8]>)>,
    pub(super) body: Cow<'c, [u8]>,
}

impl CapturedRequest {
    pub(super) fn written(&self) -> Written<'_> {
        let headers = self.headers.iter();
        if self.with_credentials {
            return Written {
                target: Cow::Borrowed(&self.target),
                headers: headers
                    .map(|(name, value)| (&**name, Cow::Borrowed(&**value)))
                    .collect(),
                body: Cow::Borrowed(&self.body),
            };
        }
        Written {
            target: target(&self.target, &self.places),
            headers: headers
                .map(|(name, value)| (&**name, header(name, value, &self.places)))
                .collect(),
            body: body(&self.body, &self.places),
        }
    }
}

impl CapturedRequest {
    /// Whether the token that an endpoint of this provider verifies was left out when the request
    /// was written, so that nothing can be said of it.
    ///
    /// ```
    /// use tower_webhook::{capture::CapturedRequest, providers, verify::Head};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let came = CapturedRequest::new(&Head::new(&[("X-Gitlab-Token", "hush")]), "{}");
    /// let read = CapturedRequest::read(serde_json::to_string(&came)?.as_bytes())?;
    /// let gitlab = providers::by_name("gitlab-token").unwrap();
    /// assert!(!came.lacks_token(&gitlab) && read.lacks_token(&gitlab));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn lacks_token(&self, provider: &Provider) -> bool {
        let is_left_out = |value: &[u8]| value.ends_with(REDACTED.as_bytes());
        let mut names = provider.signature_headers();
        let of_header = names.any(|name| {
            let mut lines = self.headers();
            lines.any(|(known, value)| known.eq_ignore_ascii_case(&name) && is_left_out(value))
        });
        let body = self.body();
        let schemes = provider.schemes();
        let mut places = schemes.flat_map(|scheme| places_of(provider, scheme));
        of_header
            || places.any(|place| match place {
                LocatorKind::Header(_) | LocatorKind::Field(_) => false,
                LocatorKind::Query(name) => {
                    let (_, query) = self.target.split_once('?').unwrap_or_default();
                    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
                    pairs.any(|(known, value)| known == name && is_left_out(value.as_bytes()))
                }
                LocatorKind::Json(pointer) if pointer.contains('*') => {
                    **body == *format!("\"{REDACTED}\"").as_bytes()
                }
                LocatorKind::Json(pointer) => {
                    json::scalar(body, &pointer).is_some_and(|text| text == REDACTED)
                }
                LocatorKind::Form(name) | LocatorKind::FormJson(name, _) => {
                    let mut fields = form_urlencoded::parse(body);
                    fields.any(|(known, value)| known == name && value == REDACTED)
                }
            })
    }
}

/// Whether a header or a parameter is named like a credential.
fn is_credential(name: &str) -> bool {
    const PARTS: [&str; 9] = [
        "token", "secret", "password", "passwd", "apikey", "api-key", "api_key", "auth", "cookie",
    ];
    let name = name.to_ascii_lowercase();
    name == "key" || PARTS.iter().any(|part| name.contains(part))
}

fn header<'v>(name: &str, value: &'v [u8], known: &KnownPlaces) -> Cow<'v, [u8]> {
    let is_here = |place: &LocatorKind| matches!(place, LocatorKind::Header(header) if header.eq_ignore_ascii_case(name));
    let is_token = KnownPlaces::has(&known.tokens, is_here);
    let is_signature = KnownPlaces::has(&known.signatures, is_here);
    let (word, rest) = auth_scheme(value);
    if !is_token && (is_signature || !is_credential(name)) {
        return Cow::Borrowed(value);
    }
    // Other schemes than these are signatures.
    let is_signed = !is_token && rest.is_some() && !names_credentials(word);
    if name.eq_ignore_ascii_case("authorization") && is_signed {
        return Cow::Borrowed(value);
    }
    let mut redacted = Vec::new();
    if rest.is_some() && names_credentials(word) {
        redacted.extend_from_slice(word);
        redacted.push(b' ');
    }
    redacted.extend_from_slice(REDACTED.as_bytes());
    Cow::Owned(redacted)
}

/// The first word, and what follows it.
fn auth_scheme(value: &[u8]) -> (&[u8], Option<&[u8]>) {
    match value.iter().position(|byte| *byte == b' ') {
        Some(end) => (value.get(..end).unwrap_or_default(), value.get(end..)),
        None => (value, None),
    }
}

fn names_credentials(word: &[u8]) -> bool {
    const SCHEMES: [&[u8]; 6] = [
        b"basic",
        b"bearer",
        b"token",
        b"digest",
        b"negotiate",
        b"apikey",
    ];
    SCHEMES
        .iter()
        .any(|scheme| scheme.eq_ignore_ascii_case(word))
}

fn target<'t>(target: &'t str, known: &KnownPlaces) -> Cow<'t, str> {
    let Some((path, query)) = target.split_once('?') else {
        return without_user(target);
    };
    let (query, fragment) = match query.split_once('#') {
        Some((query, fragment)) => (query, Some(fragment)),
        None => (query, None),
    };
    let pairs = query.split('&').map(|pair| {
        let (name, _) = pair.split_once('=')?;
        let is_here = |place: &LocatorKind| {
            let plain = percent_encoding::percent_decode_str(name).decode_utf8_lossy();
            matches!(place, LocatorKind::Query(parameter) if **parameter == *plain)
        };
        let is_kept = KnownPlaces::has(&known.signatures, is_here) || !is_credential(name);
        let is_token = KnownPlaces::has(&known.tokens, is_here);
        (is_token || !is_kept).then(|| format!("{name}={REDACTED}"))
    });
    let mut all = without_user(path).into_owned();
    for (place, (written, pair)) in pairs.zip(query.split('&')).enumerate() {
        all.push(if place == 0 { '?' } else { '&' });
        all.push_str(written.as_deref().unwrap_or(pair));
    }
    if let Some(fragment) = fragment {
        all.push('#');
        all.push_str(fragment);
    }
    Cow::Owned(all)
}

/// A URL without the user and password in front of its host.
fn without_user(url: &str) -> Cow<'_, str> {
    let found = url.split_once("://").and_then(|(scheme, rest)| {
        let host = rest.split_once('/').map_or(rest, |(host, _)| host);
        let (_, host_alone) = host.rsplit_once('@')?;
        let after = rest.get(host.len()..)?;
        Some(format!("{scheme}://{REDACTED}@{host_alone}{after}"))
    });
    found.map_or(Cow::Borrowed(url), Cow::Owned)
}

/// The body without the tokens that a provider sends in it.
fn body<'b>(body: &'b [u8], known: &KnownPlaces) -> Cow<'b, [u8]> {
    let mut body = Cow::Borrowed(body);
    for place in &known.tokens {
        let replaced = match place {
            LocatorKind::Json(pointer) => without_json(&body, pointer),
            LocatorKind::Form(name) | LocatorKind::FormJson(name, _) => without_field(&body, name),
            LocatorKind::Header(_) | LocatorKind::Field(_) | LocatorKind::Query(_) => None,
        };
        if let Some(replaced) = replaced {
            body = Cow::Owned(replaced);
        }
    }
    body
}

/// Of a pointer with `*`, the whole body is left out.
fn without_json(body: &[u8], pointer: &str) -> Option<Vec<u8>> {
    if pointer.split('/').any(|part| part == "*") {
        return Some(format!("\"{REDACTED}\"").into_bytes());
    }
    let document = json::document(body);
    let raw = json::raw(body, pointer)?.get();
    // Wherever the same text occurs, it is the token.
    let text = document.windows(raw.len().max(1));
    text.clone()
        .any(|window| window == raw.as_bytes())
        .then(|| replace_all(body, raw.as_bytes(), format!("\"{REDACTED}\"").as_bytes()))
}

fn without_field(body: &[u8], name: &str) -> Option<Vec<u8>> {
    let mut all: Vec<u8> = Vec::with_capacity(body.len());
    let mut found = false;
    for (place, pair) in body.split(|byte| *byte == b'&').enumerate() {
        if place > 0 {
            all.push(b'&');
        }
        let end = pair
            .iter()
            .position(|byte| *byte == b'=')
            .unwrap_or(pair.len());
        let field = pair.get(..end).unwrap_or_default();
        let plain: Vec<u8> = percent_encoding::percent_decode(field).collect();
        if plain == name.as_bytes() {
            found = true;
            all.extend_from_slice(field);
            all.push(b'=');
            all.extend_from_slice(REDACTED.as_bytes());
        } else {
            all.extend_from_slice(pair);
        }
    }
    found.then_some(all)
}

fn replace_all(text: &[u8], old: &[u8], new: &[u8]) -> Vec<u8> {
    let mut all = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(found) = memchr::memmem::find(rest, old) {
        all.extend_from_slice(rest.get(..found).unwrap_or_default());
        all.extend_from_slice(new);
        rest = rest
            .get(found.saturating_add(old.len().max(1))..)
            .unwrap_or_default();
    }
    all.extend_from_slice(rest);
    all
}

#[cfg(test)]
mod tests {
    use crate::{
        Provider, Scheme,
        capture::CapturedRequest,
        head::Head,
        providers,
        scheme::{Locator, TokenFormat},
    };

    fn written(captured: &CapturedRequest) -> String {
        serde_json::to_string(captured).unwrap()
    }

    #[test]
    fn credentials_are_left_out_and_signatures_are_not() {
        for (name, value, expected) in [
            ("Authorization", "Basic dXNlcjpwYXNz", "Basic [redacted]"),
            ("Authorization", "bearer abc", "bearer [redacted]"),
            ("Authorization", "abc-def", "[redacted]"),
            (
                "Authorization",
                "Application id:c2ln",
                "Application id:c2ln",
            ),
            ("Cookie", "a=b; c=d", "[redacted]"),
            ("X-Api-Key", "abc", "[redacted]"),
            ("X-Gitlab-Token", "abc", "[redacted]"),
            ("X-Hub-Signature-256", "sha256=00", "sha256=00"),
            ("Content-Type", "text/plain", "text/plain"),
        ] {
            let headers = [(name, value)];
            let captured = CapturedRequest::new(&Head::new(&headers), "");
            let text = written(&captured);
            assert!(text.contains(&format!("{expected:?}")), "{name}: {text}");
        }
    }

    #[test]
    fn a_known_provider_says_where_its_tokens_are() {
        let token = |place| {
            Provider::new("acme", Scheme::token(place, TokenFormat::plain())).accept_unsigned_body()
        };
        let head = Head::new(&[("X-Acme", "tok-en")] as &[(&str, &str); 1]);
        let captured = |place, body: &'static str| {
            let head = head.with_target("/x?q=tok-en&y=1#f");
            written(&CapturedRequest::new(&head, body).with_provider(&token(place)))
        };
        let text = captured(Locator::header("x-acme"), "{}");
        assert!(text.contains(r#"["X-Acme","[redacted]"]"#), "{text}");
        let text = captured(Locator::query("q"), "{}");
        assert!(text.contains("/x?q=[redacted]&y=1#f"), "{text}");
        let text = captured(Locator::json("/t"), r#"{"t":"hush","u":"hush"}"#);
        assert!(!text.contains("hush"), "{text}");
        let text = captured(Locator::json("/v/*/t"), r#"{"v":[{"t":"hush"}]}"#);
        assert!(!text.contains("hush"), "{text}");
        let text = captured(Locator::form("t"), "a=1&t=hush&b=2");
        assert!(text.contains("a=1&t=[redacted]&b=2"), "{text}");
    }

    #[test]
    fn a_url_loses_its_password() {
        let head =
            Head::new(&[("a", "b")] as &[(&str, &str); 1]).with_target("https://u:p@h.example/x");
        let text = written(&CapturedRequest::new(&head, ""));
        assert!(text.contains("https://[redacted]@h.example/x"), "{text}");
        drop(providers::github());
    }
}
