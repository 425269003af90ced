//! JSON of tools and services: HAR, AWS Lambda, webhook.site, GitHub and Svix Play.

use base64::{Engine, engine::general_purpose::STANDARD};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, value::RawValue};

use crate::{
    capture::{CapturedRequest, error::ReadError, serial::Time},
    json,
};

type Read = Result<CapturedRequest, ReadError>;

/// The requests of a document in one of these forms, or `None` if it has none of them.
pub(super) fn read(
    document: &Value,
    text: &[u8],
) -> Option<Result<Vec<CapturedRequest>, ReadError>> {
    if let Some(entries) = list_at(document, "/log/entries") {
        return Some(several(entries, har));
    }
    // Netlify has events of Lambda without the context.
    let is_netlify = document.get("httpMethod").is_some() && document.get("headers").is_some();
    if is_netlify || document.get("requestContext").is_some() {
        return Some(one(lambda(document)));
    }
    if is_github(document) {
        return Some(one(github(document, text)));
    }
    let list = document.as_array();
    if list.and_then(|list| list.first()).is_some_and(is_github) {
        return Some(github_list(text));
    }
    match list_at(document, "/data").or(list.map(|list| &**list)) {
        Some(list) if list.first().is_some_and(is_webhook_site) => {
            Some(several(list, webhook_site))
        }
        Some(list) if list.first().is_some_and(is_svix_play) => Some(several(list, svix_play)),
        _ if is_webhook_site(document) => Some(one(webhook_site(document))),
        _ if is_svix_play(document) => Some(one(svix_play(document))),
        _ => None,
    }
}

fn one(request: Read) -> Result<Vec<CapturedRequest>, ReadError> {
    request.map(|request| vec![request])
}

fn several(
    list: &[Value],
    read: impl Fn(&Value) -> Read,
) -> Result<Vec<CapturedRequest>, ReadError> {
    list.iter()
        .take(CapturedRequest::MAX_REQUESTS)
        .map(read)
        .collect()
}

fn list_at<'v>(document: &'v Value, pointer: &str) -> Option<&'v [Value]> {
    document.pointer(pointer)?.as_array().map(|list| &**list)
}

fn text_at<'v>(document: &'v Value, pointer: &str) -> Option<&'v str> {
    document.pointer(pointer)?.as_str()
}

fn needed<'v>(form: &str, document: &'v Value, pointer: &str) -> Result<&'v str, ReadError> {
    let missing = || ReadError::new(format!("{form}: it lacks {pointer}"));
    text_at(document, pointer).ok_or_else(missing)
}

/// The body as text, or decoded.
fn body(form: &str, text: &str, is_base64: bool) -> Result<Vec<u8>, ReadError> {
    if !is_base64 {
        return Ok(text.as_bytes().to_vec());
    }
    let decoded = STANDARD.decode(text);
    decoded.map_err(|_| {
        ReadError::new(format!(
            "{form}: the body is not the base64 that it says it is"
        ))
    })
}

/// Adds headers from an object whose values are texts or lists of texts.
fn add_headers(captured: &mut CapturedRequest, headers: Option<&Value>) {
    for (name, value) in headers.and_then(Value::as_object).into_iter().flatten() {
        match value {
            Value::String(text) => captured.push_header(name, text.as_bytes()),
            Value::Array(list) => {
                for text in list.iter().filter_map(Value::as_str) {
                    captured.push_header(name, text.as_bytes());
                }
            }
            Value::Number(number) => captured.push_header(name, number.to_string().as_bytes()),
            _ => {}
        }
    }
}

fn received(mut captured: CapturedRequest, time: Option<Time>) -> CapturedRequest {
    captured.received_at = time.map(|Time(time)| time);
    captured
}

fn har(entry: &Value) -> Read {
    let form = "HAR";
    let method = needed(form, entry, "/request/method")?;
    let url = needed(form, entry, "/request/url")?;
    let text = text_at(entry, "/request/postData/text").unwrap_or_default();
    let is_base64 = text_at(entry, "/request/postData/encoding") == Some("base64");
    let mut captured = CapturedRequest::of(method, url, body(form, text, is_base64)?.into());
    for header in list_at(entry, "/request/headers").unwrap_or_default() {
        let (Some(name), Some(value)) = (text_at(header, "/name"), text_at(header, "/value"))
        else {
            continue;
        };
        // The pseudo-headers of HTTP/2.
        if !name.starts_with(':') {
            captured.push_header(name, value.as_bytes());
        }
    }
    let time = text_at(entry, "/startedDateTime").and_then(Time::from_text);
    Ok(received(captured, time))
}

/// What is not percent-encoded in a query.
const QUERY: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Events of API Gateway in both versions, of function URLs and of load balancers.
fn lambda(event: &Value) -> Read {
    let form = "Lambda event";
    let method = text_at(event, "/requestContext/http/method").or(text_at(event, "/httpMethod"));
    let method = method.ok_or_else(|| ReadError::new(format!("{form}: it lacks httpMethod")))?;
    let path = text_at(event, "/rawPath")
        .or(text_at(event, "/requestContext/path"))
        .or(text_at(event, "/path"))
        .unwrap_or("/");
    let mut target = match text_at(event, "/requestContext/domainName") {
        Some(domain) => format!("https://{domain}{path}"),
        None => path.to_owned(),
    };
    let query = match text_at(event, "/rawQueryString") {
        Some(raw) => raw.to_owned(),
        None => decoded_query(event),
    };
    if !query.is_empty() {
        target.push('?');
        target.push_str(&query);
    }
    let text = match event.get("body") {
        None | Some(Value::Null) => "",
        Some(Value::String(text)) => text,
        Some(_) => {
            return Err(ReadError::new(format!(
                "{form}: the body was parsed, and the bytes that are signed are lost; use the Lambda proxy integration, or a \
                 mapping template that passes the body on as text"
            )));
        }
    };
    let is_base64 = event.get("isBase64Encoded").and_then(Value::as_bool) == Some(true);
    let mut captured = CapturedRequest::of(method, &target, body(form, text, is_base64)?.into());
    let several = event
        .get("multiValueHeaders")
        .filter(|headers| headers.is_object());
    add_headers(&mut captured, several.or(event.get("headers")));
    for cookie in list_at(event, "/cookies").unwrap_or_default() {
        captured.push_header("Cookie", cookie.as_str().unwrap_or_default().as_bytes());
    }
    let epoch = event.pointer("/requestContext/timeEpoch");
    let epoch = epoch.or(event.pointer("/requestContext/requestTimeEpoch"));
    let time = epoch.and_then(Value::as_u64).and_then(Time::from_unix);
    Ok(received(captured, time))
}

/// The query of version 1, whose values are decoded.
fn decoded_query(event: &Value) -> String {
    let several = event.get("multiValueQueryStringParameters");
    let all = several
        .filter(|query| query.is_object())
        .or(event.get("queryStringParameters"));
    let mut query = String::new();
    for (name, value) in all.and_then(Value::as_object).into_iter().flatten() {
        let values = value
            .as_array()
            .map_or(std::slice::from_ref(value), |list| list);
        for value in values.iter().filter_map(Value::as_str) {
            if !query.is_empty() {
                query.push('&');
            }
            let name = utf8_percent_encode(name, QUERY);
            query.push_str(&format!("{name}={}", utf8_percent_encode(value, QUERY)));
        }
    }
    query
}

fn is_github(delivery: &Value) -> bool {
    delivery.pointer("/request/payload").is_some()
}

/// Several deliveries, each with its own text.
fn github_list(text: &[u8]) -> Result<Vec<CapturedRequest>, ReadError> {
    let unreadable = |_| ReadError::new("GitHub: the deliveries cannot be read");
    let list: Vec<&RawValue> = serde_json::from_slice(text).map_err(unreadable)?;
    let list = list.into_iter().take(CapturedRequest::MAX_REQUESTS);
    let deliveries = list.map(|raw| {
        let delivery = serde_json::from_str(raw.get()).map_err(unreadable)?;
        github(&delivery, raw.get().as_bytes())
    });
    deliveries.collect()
}

/// A delivery of GitHub's API. The payload is the text in the document, which GitHub printed again.
fn github(delivery: &Value, text: &[u8]) -> Read {
    let raw = json::raw(text, "/request/payload").map(|raw| raw.get().to_owned());
    let payload =
        raw.ok_or_else(|| ReadError::new("GitHub: the delivery lacks request.payload"))?;
    let url = text_at(delivery, "/url").unwrap_or("/");
    let mut captured = CapturedRequest::of("POST", url, payload.into());
    add_headers(&mut captured, delivery.pointer("/request/headers"));
    let time = text_at(delivery, "/delivered_at").and_then(Time::from_text);
    Ok(received(captured, time))
}

fn is_webhook_site(request: &Value) -> bool {
    request.get("uuid").is_some()
        && request.get("headers").is_some()
        && request.get("content").is_some()
}

fn webhook_site(request: &Value) -> Read {
    let form = "webhook.site";
    let method = needed(form, request, "/method")?;
    let url = text_at(request, "/url").unwrap_or("/");
    let text = text_at(request, "/content").unwrap_or_default();
    let mut captured = CapturedRequest::of(method, url, body(form, text, false)?.into());
    add_headers(&mut captured, request.get("headers"));
    let time = text_at(request, "/created_at").and_then(Time::from_text);
    Ok(received(captured, time))
}

fn is_svix_play(request: &Value) -> bool {
    let has = |key| request.get(key).is_some();
    has("created_at") && has("body") && has("headers") && has("response")
}

/// An entry of the history of Svix Play, whose body is in base64.
fn svix_play(request: &Value) -> Read {
    let form = "Svix Play";
    let method = text_at(request, "/method").unwrap_or("POST");
    let url = text_at(request, "/url").unwrap_or("/");
    let text = text_at(request, "/body").unwrap_or_default();
    let mut captured = CapturedRequest::of(method, url, body(form, text, true)?.into());
    add_headers(&mut captured, request.get("headers"));
    let time = text_at(request, "/created_at").and_then(Time::from_text);
    Ok(received(captured, time))
}

#[cfg(test)]
mod tests {
    use crate::{capture::CapturedRequest, clock::unix_seconds};

    /// What must be read of each document: method, target, header `x-a`, body, and Unix seconds.
    #[test]
    fn each_export_is_read() {
        let har = r#"{"log":{"version":"1.2","entries":[{"startedDateTime":"2026-11-28T10:00:02.000Z","request":
            {"method":"POST","url":"https://h.example/x?a=1","headers":[{"name":":path","value":"/x"},
            {"name":"X-A","value":"1"}],"postData":{"mimeType":"text/plain","text":"Ym9keQ==","encoding":"base64"}}}]}}"#;
        let gateway_2 = r#"{"version":"2.0","rawPath":"/x","rawQueryString":"a=1","headers":{"x-a":"1"},
            "requestContext":{"http":{"method":"POST"},"domainName":"h.example","timeEpoch":1795860002000},
            "body":"Ym9keQ==","isBase64Encoded":true}"#;
        let gateway_1 = r#"{"httpMethod":"POST","path":"/x","multiValueHeaders":{"X-A":["1"]},"headers":{"X-A":"0"},
            "queryStringParameters":{"a":"1"},"requestContext":{"path":"/x","domainName":"h.example",
            "requestTimeEpoch":1795860002000},"body":"body","isBase64Encoded":false}"#;
        let site = r#"{"data":[{"uuid":"u","type":"web","method":"POST","url":"https://h.example/x?a=1",
            "headers":{"x-a":["1"]},"content":"body","created_at":"2026-11-28 10:00:02"}]}"#;
        let play = r#"{"iterator":"i","data":[{"id":"1","url":"https://h.example/x?a=1","method":"POST",
            "created_at":"2026-11-28T10:00:02Z","body":"Ym9keQ==","headers":{"x-a":"1"},"response":{}}]}"#;
        for document in [har, gateway_2, gateway_1, site, play] {
            let read = CapturedRequest::read(document.as_bytes()).unwrap();
            assert_eq!(read.method(), "POST", "{document}");
            assert_eq!(read.target(), "https://h.example/x?a=1", "{document}");
            assert_eq!(read.head().header("x-a"), Some("1"), "{document}");
            assert_eq!(read.body(), "body", "{document}");
            assert_eq!(
                read.received_at().map(unix_seconds),
                Some(1_795_860_002),
                "{document}"
            );
        }
    }

    #[test]
    fn the_payload_of_a_github_delivery_is_the_text_in_it() {
        let document = br#"{"id":1,"guid":"g","delivered_at":"2026-11-28T10:00:02Z","event":"ping",
            "url":"https://h.example/x","request":{"headers":{"X-A":"1"},"payload":{"b": 1.0, "a":"\u00e9"}}}"#;
        let read = CapturedRequest::read(document).unwrap();
        assert_eq!(read.body(), r#"{"b": 1.0, "a":"\u00e9"}"#);
        assert_eq!(read.head().header("x-a"), Some("1"));
    }

    #[test]
    fn a_list_of_github_deliveries_has_several() {
        let list = br#"[{"url":"https://h.example/1","request":{"headers":{"X-A":"1"},"payload":{"b": 1.0}}},
            {"url":"https://h.example/2","request":{"headers":{"X-A":"2"},"payload":{"b":2}}}]"#;
        let all = CapturedRequest::read_all(list).unwrap();
        let read = all.iter().map(|read| {
            let body = std::str::from_utf8(read.body()).unwrap();
            (read.target(), read.head().header("x-a").unwrap(), body)
        });
        let expected = [
            ("https://h.example/1", "1", "{\"b\": 1.0}"),
            ("https://h.example/2", "2", "{\"b\":2}"),
        ];
        assert_eq!(read.collect::<Vec<_>>(), expected);
        let lacking = br#"[{"request":{"payload":{}}},{"url":"/"}]"#;
        let error = CapturedRequest::read_all(lacking).unwrap_err();
        assert_eq!(
            error.to_string(),
            "GitHub: the delivery lacks request.payload"
        );
    }

    #[test]
    fn a_body_that_was_parsed_is_an_error_and_none_is_empty() {
        let read = |body: &str| {
            let event = format!(r#"{{"httpMethod":"POST","requestContext":{{}},"body":{body}}}"#);
            CapturedRequest::read(event.as_bytes())
        };
        for body in [r#"{"hush":1}"#, "[1]", "7", "true"] {
            let error = read(body).unwrap_err().to_string();
            assert!(error.contains("the body was parsed"), "{body}: {error}");
            assert!(!error.contains("hush"), "{error}");
        }
        assert_eq!(read("null").unwrap().body(), "");
    }

    #[test]
    fn a_list_has_several_requests() {
        let list = r#"[{"target":"/1"},{"target":"/2"}]"#;
        let all = CapturedRequest::read_all(list.as_bytes()).unwrap();
        let targets: Vec<_> = all.iter().map(CapturedRequest::target).collect();
        assert_eq!(targets, ["/1", "/2"]);
    }

    #[test]
    fn a_base64_body_must_be_one() {
        let event =
            r#"{"httpMethod":"POST","requestContext":{},"body":"hush!","isBase64Encoded":true}"#;
        let error = CapturedRequest::read(event.as_bytes())
            .unwrap_err()
            .to_string();
        assert_eq!(
            error,
            "Lambda event: the body is not the base64 that it says it is"
        );
    }
}
