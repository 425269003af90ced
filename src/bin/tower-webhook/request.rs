//! Requests that are made: from the body of an event, or from a capture.

use std::{path::Path, time::SystemTime};

use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, Request, Uri,
    header::{CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HOST, TRANSFER_ENCODING},
};
use tower_webhook::{Signer, capture::CapturedRequest};

use crate::{
    arguments::RequestArguments,
    failure::{Failure, OrUndone, Result},
    input,
};

/// The longest body of an event: that of a captured request.
const MAX_BODY: usize = CapturedRequest::MAX_BODY;

/// Reads the body of an event.
pub(crate) fn read_body(path: &Path) -> Result<Bytes> {
    input::read(path, MAX_BODY).map(Bytes::from)
}

/// A request with this body, unsigned.
pub(crate) fn unsigned(
    arguments: &RequestArguments,
    uri: &Uri,
    body: Bytes,
) -> Result<Request<Bytes>> {
    let mut request = Request::new(body);
    *request.method_mut() = arguments.method.clone();
    *request.uri_mut() = uri.clone();
    for (name, value) in &arguments.header {
        let name = HeaderName::from_bytes(name.as_bytes()).or_undone("--header")?;
        let value = HeaderValue::from_str(value).or_undone("--header")?;
        request.headers_mut().append(name, value);
    }
    if !request.headers().contains_key(CONTENT_TYPE) && !request.body().is_empty() {
        let guess = HeaderValue::from_static(content_type(request.body()));
        request.headers_mut().insert(CONTENT_TYPE, guess);
    }
    Ok(request)
}

/// Signs a request at a time.
pub(crate) fn sign(
    signer: Signer,
    arguments: &RequestArguments,
    time: SystemTime,
    request: Request<Bytes>,
) -> Result<Request<Bytes>> {
    let fields = arguments.field.iter();
    let signer = fields.fold(signer.with_time(time), |signer, (name, value)| {
        signer.with_field(name.clone(), value.clone())
    });
    let (head, body) = request.into_parts();
    let mut builder = Request::builder().method(head.method).uri(head.uri);
    if let Some(headers) = builder.headers_mut() {
        *headers = head.headers;
    }
    let signed = signer.sign_body(builder, body);
    signed.map_err(|error| {
        let text = error.to_string();
        let field = text.rsplit_once("(field ").and_then(|(_, name)| name.strip_suffix(')'));
        match field.filter(|_| text.contains("a field that the scheme needs is missing")) {
            Some(name) => Failure::usage(format!(
                "it cannot be signed: the signature has a field {name}; set it with --field {name}=VALUE"
            )),
            None => Failure::undone(format!("it cannot be signed: {text}")),
        }
    })
}

/// The type of a body by its first bytes.
fn content_type(body: &[u8]) -> &'static str {
    if serde_json::from_slice::<serde::de::IgnoredAny>(body).is_ok() {
        return "application/json";
    }
    let is_form = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'<' | b'{' | b'"');
    if body.contains(&b'=') && body.iter().all(|byte| is_form(*byte)) {
        "application/x-www-form-urlencoded"
    } else {
        "application/octet-stream"
    }
}

/// The address to send to, which has to be absolute.
pub(crate) fn url(text: &str) -> std::result::Result<Uri, String> {
    let uri: Uri = text.parse().map_err(|_| {
        "it is not a URL; write one such as http://127.0.0.1:3000/webhooks/github".to_owned()
    })?;
    let authority = uri.authority().map_or("", |authority| authority.as_str());
    match uri.scheme_str() {
        _ if authority.contains('@') => Err(
            "it has a user or a password, which everybody on this machine can read; leave them out".to_owned(),
        ),
        Some("https") if cfg!(not(feature = "cli-tls")) => Err(
            "this program was built without TLS; install it with --features cli-tls, or use an http URL".to_owned(),
        ),
        Some("http" | "https") if !authority.is_empty() => Ok(uri),
        _ => Err("it does not begin with http:// or https://; write the whole URL".to_owned()),
    }
}

/// Where a request goes: a base without a path gets the path and query of the request, and another
/// path replaces these. A query stays unless the base has one.
pub(crate) fn destination(base: &Uri, target: &str) -> Result<Uri> {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let path = match base.path() {
        "" | "/" if path.starts_with('/') => path,
        "" => "/",
        own => own,
    };
    let query = base.query().unwrap_or(query);
    let target = if query.is_empty() {
        path.to_owned()
    } else {
        format!("{path}?{query}")
    };
    let mut parts = base.clone().into_parts();
    parts.path_and_query = Some(target.parse().or_undone("the path of the request")?);
    Uri::from_parts(parts).or_undone("the path of the request")
}

/// Removes the headers that are about a connection, and the length, which is set anew.
pub(crate) fn without_hop_by_hop(headers: &mut HeaderMap) {
    let named: Vec<String> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|name| name.trim().to_owned())
        .collect();
    for name in named {
        headers.remove(name);
    }
    for name in ["keep-alive", "proxy-connection", "te", "trailer", "upgrade"] {
        headers.remove(name);
    }
    for name in [CONNECTION, CONTENT_LENGTH, HOST, TRANSFER_ENCODING] {
        headers.remove(name);
    }
}

/// A captured request for another address.
pub(crate) fn from_capture(captured: &CapturedRequest, base: &Uri) -> Result<Request<Bytes>> {
    let mut request = Request::new(captured.body().clone());
    *request.method_mut() = captured
        .method()
        .parse()
        .map_err(|_| Failure::undone("the method of the captured request is not valid"))?;
    let head = captured.head();
    let target = match head.query() {
        "" => head.path().to_owned(),
        query => format!("{}?{query}", head.path()),
    };
    *request.uri_mut() = destination(base, &target)?;
    for (name, value) in captured.headers() {
        let name = HeaderName::from_bytes(name.as_bytes());
        let value = HeaderValue::from_bytes(value);
        // What is no header was none when it was captured either: a note of the tool that did.
        if let (Ok(name), Ok(value)) = (name, value) {
            request.headers_mut().append(name, value);
        }
    }
    without_hop_by_hop(request.headers_mut());
    Ok(request)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_without_a_path_keeps_that_of_the_request() {
        for (base, target, expected) in [
            ("http://a:1", "/hooks?x=1", "http://a:1/hooks?x=1"),
            ("http://a:1/", "/hooks", "http://a:1/hooks"),
            ("http://a:1/in", "/hooks?x=1", "http://a:1/in?x=1"),
            ("http://a:1/in?y=2", "/hooks?x=1", "http://a:1/in?y=2"),
            ("http://a:1", "*", "http://a:1/"),
            ("http://a:1", "/", "http://a:1/"),
        ] {
            let base = url(base).unwrap();
            assert_eq!(destination(&base, target).unwrap().to_string(), expected);
        }
    }

    #[test]
    fn an_address_is_whole_and_holds_no_password() {
        for (text, problem) in [
            ("127.0.0.1:3000", "begin with"),
            ("/hooks", "begin with"),
            ("ftp://a/", "begin with"),
            ("http://user:hush@a/", "a password"),
            ("http://a b", "not a URL"),
        ] {
            let error = url(text).unwrap_err();
            assert!(
                error.contains(problem) && !error.contains("hush"),
                "{text}: {error}"
            );
        }
    }

    #[test]
    fn the_type_of_a_body_is_guessed_from_it() {
        for (body, expected) in [
            (r#"{"a":1}"#, "application/json"),
            ("a=1&b=%20", "application/x-www-form-urlencoded"),
            ("<a b=\"1\"/>", "application/octet-stream"),
            ("a = 1", "application/octet-stream"),
        ] {
            assert_eq!(content_type(body.as_bytes()), expected, "{body}");
        }
    }
}
