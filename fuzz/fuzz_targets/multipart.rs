//! Signed multipart bodies of any content, and any `Content-Type` beside them.
//!
//! Up to its first zero byte the input is the header, behind it the body; without a zero byte there
//! is no header. The body is signed, verified and read as a handler would:
//!
//!     cargo +nightly fuzz run multipart -- -max_total_time=300 -max_len=8192

#![no_main]

use std::{sync::LazyLock, time::UNIX_EPOCH};

use http::Request;
use libfuzzer_sys::fuzz_target;
use tower_webhook::{multipart::Part, PayloadError, providers, providers::authenteq, Secret, Signer, VerifiedEvent, Verifier, verify::Head};

static SIDES: LazyLock<(Signer, Verifier)> = LazyLock::new(|| {
    let provider = providers::authenteq().with_param("client_id", "client");
    let secret = Secret::new("a-secret-of-some-length");
    let signer = Signer::new(provider.clone(), secret.clone());
    let verifier = Verifier::new(provider, secret);
    (signer.expect("a signer"), verifier.expect("a verifier"))
});

fuzz_target!(|input: &[u8]| {
    let (content_type, body) = match memchr::memchr(0, input) {
        Some(end) => (Some(&input[..end]), &input[end + 1..]),
        None => (None, input),
    };
    let alone = event(None, body);
    let parts = alone.parts();
    if let Ok(parts) = &parts {
        framed_as_read(&alone, parts);
    }
    typed_as_read(&alone, &parts);
    if content_type.is_some() {
        let event = event(content_type, body);
        // The header, which nobody signed, can only refuse.
        if let Ok(with_header) = event.parts() {
            assert_eq!(Ok(with_header), parts);
        }
    }
});

fn event(content_type: Option<&[u8]>, body: &[u8]) -> VerifiedEvent {
    let (signer, verifier) = &*SIDES;
    let (parts, ()) = Request::new(()).into_parts();
    let signed = signer.headers(&parts, body).expect("a signature");
    let mut headers: Vec<(&str, &[u8])> = signed
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_bytes()))
        .collect();
    headers.extend(content_type.map(|value| ("content-type", value)));
    let body = body.to_vec();
    verifier
        .verify(&Head::new(&headers), body, UNIX_EPOCH)
        .expect("a genuine request")
}

/// Parts are slices of the body, one after the other; and there are as many as there are delimiters
/// for, found by another way than the parser's.
fn framed_as_read(event: &VerifiedEvent, parts: &[Part]) {
    let whole = event.body().as_ptr_range();
    let mut last = whole.start;
    for part in parts {
        if !part.body().is_empty() {
            let range = part.body().as_ptr_range();
            assert!(last < range.start && range.end < whole.end);
            last = range.end;
        }
    }
    let body = event.body();
    let end = body
        .windows(2)
        .position(|pair| pair == b"\r\n")
        .expect("a first line");
    let opening = &body[..end];
    let delimiter = [b"\r\n", opening].concat();
    let more = body
        .windows(delimiter.len())
        .filter(|window| *window == delimiter);
    assert_eq!(more.count(), parts.len());
    let closing = [&delimiter[..], b"--"].concat();
    assert!(
        body.strip_suffix(b"\r\n")
            .unwrap_or(body)
            .ends_with(&closing)
    );
    // A line end stands before each of them, so that would be a delimiter.
    assert!(parts.iter().all(|part| !part.body().starts_with(opening)));
}

fn typed_as_read(event: &VerifiedEvent, parts: &Result<Vec<Part>, PayloadError>) {
    let Ok(typed) = event.parse::<authenteq::Event>() else {
        return;
    };
    let parts = parts.as_ref().expect("a typed event has parts");
    let results = parts.iter().filter(|part| part.name() == "result");
    assert_eq!(results.count(), 1);
    assert!(
        typed
            .payload()
            .other
            .iter()
            .all(|part| parts.contains(part))
    );
}
