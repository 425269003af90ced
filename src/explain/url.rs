//! Readings of the URL: what the provider signed, if the request came by a proxy or a router.

use std::sync::Arc;

use crate::{
    capture::path_and_query,
    explain::{head::Sink, shape::Shape},
    scheme::{special::SpecialScheme, template::Token},
};

/// A URL in its parts.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Url {
    scheme: String,
    host: String,
    port: Option<String>,
    path: String,
    query: Option<String>,
}

impl Url {
    fn parse(text: &str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://")?;
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, rest) = rest.split_at_checked(end)?;
        let authority = authority
            .rsplit_once('@')
            .map_or(authority, |(_, host)| host);
        let (host, port) = split_port(authority);
        let (path, query) = match rest.split_once('?') {
            Some((path, query)) => (path, Some(query.to_owned())),
            None => (rest, None),
        };
        Some(Self {
            scheme: scheme.to_owned(),
            host: host.to_owned(),
            port: port.map(str::to_owned),
            path: path.to_owned(),
            query,
        })
    }

    fn text(&self) -> String {
        let Self {
            scheme,
            host,
            port,
            path,
            query,
        } = self;
        let port = port
            .as_ref()
            .map(|port| format!(":{port}"))
            .unwrap_or_default();
        let query = query
            .as_ref()
            .map(|query| format!("?{query}"))
            .unwrap_or_default();
        format!("{scheme}://{host}{port}{path}{query}")
    }

    fn target(&self) -> String {
        match &self.query {
            Some(query) => format!("{}?{query}", self.path),
            None => self.path.clone(),
        }
    }

    /// The query without the hash of the body that Twilio adds to it.
    fn own_query(&self) -> Option<&str> {
        let query = self.query.as_deref()?;
        let own = match query.rfind("bodySHA256=") {
            Some(hash) => query.get(..hash)?.trim_end_matches('&'),
            None => query,
        };
        (!own.is_empty()).then_some(own)
    }

    /// The words for the parts in which another URL differs.
    fn differences(&self, other: &Self) -> Vec<&'static str> {
        let strip = |path: &str| path.trim_end_matches('/').to_owned();
        let (path, other_path) = (strip(&self.path), strip(&other.path));
        let all = [
            ("scheme", self.scheme != other.scheme),
            ("host", self.host != other.host),
            ("port", self.port != other.port),
            ("path", path != other_path),
            ("slash", path == other_path && self.path != other.path),
            ("query", self.own_query() != other.own_query()),
        ];
        all.into_iter()
            .filter(|(_, differs)| *differs)
            .map(|(word, _)| word)
            .collect()
    }
}

fn split_port(authority: &str) -> (&str, Option<&str>) {
    match authority.rsplit_once(':') {
        Some((host, port))
            if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) =>
        {
            (host, Some(port))
        }
        _ => (authority, None),
    }
}

fn header(shape: &Shape, name: &str) -> Option<String> {
    let value = std::str::from_utf8(shape.header(name)?).ok()?;
    let first = value.split(',').next().unwrap_or(value).trim();
    (!first.is_empty()).then(|| first.to_owned())
}

/// The value of a parameter of `Forwarded` (RFC 7239).
fn forwarded(shape: &Shape, name: &str) -> Option<String> {
    let value = header(shape, "forwarded")?;
    value.split(';').find_map(|pair| {
        let (known, value) = pair.trim().split_once('=')?;
        known
            .eq_ignore_ascii_case(name)
            .then(|| value.trim_matches('"').to_owned())
    })
}

/// The URL that a proxy says, where that is what counts.
fn proxied(shape: &Shape) -> Option<Url> {
    shape.provider.param(SOURCE)?;
    let scheme = header(shape, "x-forwarded-proto")?;
    let host = header(shape, "x-forwarded-host")?;
    let target = path_and_query(&shape.target);
    Url::parse(&format!("{scheme}://{host}{target}"))
}

/// The path that a proxy says it was asked for.
fn original(shape: &Shape) -> Option<String> {
    const HEADERS: [&str; 6] = [
        "x-original-uri",
        "x-original-url",
        "x-forwarded-uri",
        "x-rewrite-url",
        "x-envoy-original-path",
        "x-forwarded-path",
    ];
    let uri = HEADERS.iter().find_map(|name| header(shape, name))?;
    let target = path_and_query(&uri);
    target.split('?').next().map(str::to_owned)
}

/// A prefix in front of a path, with one slash between them.
fn mounted(prefix: &str, path: &str) -> String {
    let prefix = prefix.trim_matches('/');
    match prefix.is_empty() {
        true => path.to_owned(),
        false => format!("/{prefix}{path}"),
    }
}

/// The URL as the request shows it.
pub(super) fn seen(shape: &Shape) -> Option<String> {
    if shape.target.contains("://") {
        return Some(shape.target.to_string());
    }
    let host = header(shape, "host")?;
    Some(format!("https://{host}{}", shape.target))
}

/// The URL that is configured, else the one that the request shows.
pub(super) fn known(shape: &Shape) -> Option<String> {
    let configured = shape.provider.param(URL).map(str::to_owned);
    configured.or_else(|| seen(shape))
}

/// Whether the scheme cannot do without a URL that nothing says.
pub(super) fn is_lacking(shape: &Shape) -> bool {
    let Shape {
        provider, scheme, ..
    } = shape;
    if provider.param(URL).is_some() {
        return false;
    }
    let special = scheme.special.as_ref().map(|special| &special.0);
    let takes_url =
        |special: &&Arc<dyn SpecialScheme>| special.params().iter().any(|name| name == URL);
    scheme.template_params().iter().any(|name| name == URL)
        || special
            .filter(takes_url)
            .is_some_and(|special| special.check(provider.params()).is_err())
}

/// How many URLs are tried.
const MOST: usize = 600;

const URL: &str = "url";
/// Where the URL comes from, if it is not configured.
const SOURCE: &str = "url_from";

pub(super) fn rewritten(shape: &Shape, mounts: &[String], sink: &mut Sink<'_>) {
    let names = shape.scheme.param_names();
    let is_told = [URL, SOURCE]
        .iter()
        .any(|name| shape.provider.param(name).is_some());
    let has_url = is_told && names.iter().any(|name| name == URL);
    if has_url {
        whole(shape, mounts, sink);
    }
    // Which special schemes sign the path, only their code knows.
    let is_special = shape.scheme.special.is_some();
    if !has_url && is_special || shape.signs(|token| matches!(token, Token::Path | Token::Query(_)))
    {
        paths(shape, mounts, sink);
    }
}

/// All distinct values.
fn distinct(values: impl IntoIterator<Item = Option<String>>) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for value in values.into_iter().flatten() {
        if !all.contains(&value) {
            all.push(value);
        }
    }
    all
}

fn whole(shape: &Shape, mounts: &[String], sink: &mut Sink<'_>) {
    let configured = shape.provider.param(URL).and_then(Url::parse);
    let seen = seen(shape).as_deref().and_then(Url::parse);
    let in_use = configured
        .clone()
        .or_else(|| proxied(shape))
        .or(seen.clone());
    let Some(base) = in_use else {
        return;
    };
    let known = || configured.iter().chain(&seen);
    let authorities = distinct(
        [
            header(shape, "host"),
            header(shape, "x-forwarded-host"),
            header(shape, "x-original-host"),
            forwarded(shape, "host"),
        ]
        .into_iter()
        .chain(known().map(|url| Some(url.host.clone()))),
    );
    let hosts = distinct(
        authorities
            .iter()
            .map(|text| Some(split_port(text).0.to_owned())),
    );
    let written = authorities.iter().filter_map(|text| split_port(text).1);
    let written = written.map(|port| Some(port.to_owned()));
    let ports = distinct(known().map(|url| url.port.clone()).chain(written).chain([
        header(shape, "x-forwarded-port"),
        Some("443".into()),
        Some("80".into()),
    ]));
    let prefixes = mounts.iter().cloned().map(Some);
    let prefixes = distinct(prefixes.chain([
        header(shape, "x-forwarded-prefix"),
        header(shape, "x-script-name"),
    ]));
    let plain = known().map(|url| Some(url.path.clone()));
    let mounted = known().flat_map(|url| {
        let prefixes = prefixes.iter();
        prefixes.map(|prefix| Some(mounted(prefix, &url.path)))
    });
    let original = original(shape);
    let paths = distinct(plain.chain(mounted).chain([original]));
    let slashed = |path: &String| {
        let other = match path.strip_suffix('/') {
            Some(bare) => bare.to_owned(),
            None => format!("{path}/"),
        };
        [Some(path.clone()), Some(other)]
    };
    let paths = distinct(paths.iter().flat_map(slashed));
    let mut queries: Vec<Option<String>> = vec![None];
    for query in known().filter_map(|url| url.query.clone()) {
        let decoded = percent_encoding::percent_decode_str(&query)
            .decode_utf8_lossy()
            .into_owned();
        // As forms have spaces, and as URLs have them.
        let with_plus = query.replace("%20", "+");
        let without_plus = query.replace('+', "%20");
        for query in [query, decoded, with_plus, without_plus] {
            if !queries.contains(&Some(query.clone())) {
                queries.push(Some(query));
            }
        }
    }
    let mut urls = Vec::new();
    for scheme in ["https", "http"] {
        for host in &hosts {
            for port in ports.iter().cloned().map(Some).chain([None]) {
                for path in &paths {
                    for query in &queries {
                        urls.push(Url {
                            scheme: scheme.to_owned(),
                            host: host.clone(),
                            port: port.clone(),
                            path: path.clone(),
                            query: query.clone(),
                        });
                    }
                }
            }
        }
    }
    // Code compares what is configured with the address that was asked for.
    let asked = seen.filter(|_| shape.scheme.special.is_some());
    let words = |url: &Url| {
        let mut words = url.differences(&base);
        let is_other = asked
            .as_ref()
            .is_some_and(|asked| asked.own_query() != url.own_query());
        if is_other && !words.contains(&"query") {
            words.push("query");
        }
        words
    };
    urls.retain(|url| !words(url).is_empty());
    urls.sort_by_key(|url| words(url).len());
    for url in urls.into_iter().take(MOST) {
        let words = words(&url).join("+");
        sink(vec![("url:PARTS", words)], with_url(shape, &url));
    }
}

/// The request as if it had come to a URL that is configured.
fn with_url(shape: &Shape, url: &Url) -> Shape {
    let mut with = shape.clone();
    let registered = Url {
        query: url.own_query().map(str::to_owned),
        ..url.clone()
    };
    let provider = with.provider.without_param(SOURCE);
    with.provider = provider.with_param(URL, registered.text());
    if shape.scheme.special.is_some() {
        // It compares the two.
        with.target = url.target().into();
    }
    with
}

fn paths(shape: &Shape, mounts: &[String], sink: &mut Sink<'_>) {
    let target = path_and_query(&shape.target).to_owned();
    let (path, query) = match target.split_once('?') {
        Some((path, query)) => (path.to_owned(), Some(query.to_owned())),
        None => (target, None),
    };
    let forwarded = [
        header(shape, "x-forwarded-prefix"),
        header(shape, "x-script-name"),
    ];
    let prefixes = distinct(mounts.iter().cloned().map(Some).chain(forwarded));
    let original = original(shape);
    let registered = shape
        .provider
        .param(URL)
        .and_then(Url::parse)
        .map(|url| url.path);
    let mut all: Vec<(&'static str, String)> = Vec::new();
    for prefix in &prefixes {
        all.push(("path", mounted(prefix, &path)));
    }
    all.extend(original.map(|path| ("path", path)));
    all.extend(registered.map(|path| ("path", path)));
    all.push(match path.strip_suffix('/') {
        Some(bare) => ("slash", bare.to_owned()),
        None => ("slash", format!("{path}/")),
    });
    let decoded = percent_encoding::percent_decode_str(&path).decode_utf8_lossy();
    if decoded != *path {
        all.push(("path", decoded.into_owned()));
    }
    for (word, path) in all {
        let mut with = shape.clone();
        let query = query
            .as_ref()
            .map(|query| format!("?{query}"))
            .unwrap_or_default();
        with.target = format!("{path}{query}").into();
        sink(vec![("url:PARTS", word.to_owned())], with);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_divided_and_joined() {
        for text in [
            "https://h.example/x",
            "http://10.0.0.7:8080/x?a=b",
            "https://[::1]:8/x",
            "https://h.example",
        ] {
            assert_eq!(Url::parse(text).unwrap().text(), text);
        }
        assert_eq!(Url::parse("/x"), None);
        let url = |text| Url::parse(text).unwrap();
        let words = url("https://a/x/").differences(&url("http://b:8/x?q"));
        assert_eq!(words, ["scheme", "host", "port", "slash", "query"]);
    }
}
