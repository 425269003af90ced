//! Requests that were kept, to be verified or explained later.
//!
//! A [`CapturedRequest`] is one request as it arrived, with the time of receipt. It comes from a
//! queue, from the [`CaptureHook`] of a layer, or from a file: [`CapturedRequest::read`] knows raw
//! HTTP, `curl` commands, HAR, Lambda and API Gateway events, and exports of webhook.site, GitHub
//! and Svix Play.
//!
//! **It holds personal data**: the body, and the addresses in headers. Keep captures as you keep
//! the data of the service itself, and no longer than needed. Credentials are left out when one is
//! written, unless it says [`with_credentials`](CapturedRequest::with_credentials).

mod curl;
mod error;
mod exports;
mod file;
#[cfg(feature = "tower")]
pub(crate) mod hook;
mod http_text;
mod read;
pub(crate) mod redact;
mod serial;
mod verify;

use std::{fmt, time::SystemTime};

use bytes::Bytes;

pub use self::error::ReadError;
#[cfg(feature = "tower")]
pub use self::hook::CaptureHook;
use self::redact::KnownPlaces;
use crate::{head::Head, provider::Provider};

/// One request as it arrived: method, target, headers, body, time of receipt and endpoint.
///
/// It is written and read by serde as a map, and by [`save`](Self::save) and [`read`](Self::read)
/// as a file that only its owner can read. `Debug` shows lengths.
/// [Credentials](Self::with_credentials) are left out when it is written.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use tower_webhook::{Secret, Verifier, capture::CapturedRequest, providers};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let captured = CapturedRequest::read(b"\
/// POST /webhooks/github HTTP/1.1\r
/// Host: hooks.example.com\r
/// X-Hub-Signature-256: sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17\r
/// \r
/// Hello, World!")?;
/// assert_eq!(captured.body(), "Hello, World!");
///
/// let verifier = Verifier::new(providers::github(), Secret::new("It's a Secret to Everybody"))?;
/// let captured = captured.with_received_at(SystemTime::now());
/// assert!(verifier.verify_captured(&captured, Duration::from_secs(3600)).is_ok());
/// # Ok(())
/// # }
/// ```
///
/// # Bounds
///
/// It keeps at most [`MAX_BODY`](Self::MAX_BODY) bytes of a body and
/// [`MAX_HEADERS`](Self::MAX_HEADERS) header lines with 64 KiB; what is over the limit is left out,
/// and [`left_out`](Self::left_out) says how much of the body. Such a request cannot be verified.
#[derive(Clone)]
pub struct CapturedRequest {
    method: String,
    target: String,
    headers: Vec<(String, Vec<u8>)>,
    body: Bytes,
    left_out: u64,
    received_at: Option<SystemTime>,
    endpoint: Option<String>,
    providers: Vec<String>,
    with_credentials: bool,
    places: KnownPlaces,
}

/// The longest target and the longest sum of all header lines, in bytes.
const MAX_HEAD: usize = 64 << 10;

impl CapturedRequest {
    /// The longest body, in bytes: 32 MiB.
    pub const MAX_BODY: usize = 32 << 20;

    /// The most header lines: 256.
    pub const MAX_HEADERS: usize = 256;

    /// Captures a request. The time of receipt is not known until
    /// [`with_received_at`](Self::with_received_at) sets it.
    ///
    /// ```
    /// use tower_webhook::{capture::CapturedRequest, verify::Head};
    ///
    /// let headers = [("X-Event", "ping")];
    /// let head = Head::new(&headers).with_target("/hooks?tenant=a");
    /// let captured = CapturedRequest::new(&head, r#"{"zen":"Keep it logically awesome."}"#);
    /// assert_eq!((captured.method(), captured.target()), ("POST", "/hooks?tenant=a"));
    /// assert_eq!(captured.head().header("x-event"), Some("ping"));
    /// ```
    #[must_use]
    pub fn new(head: &Head<'_>, body: impl Into<Bytes>) -> Self {
        let mut target = head.path().to_owned();
        if !head.query().is_empty() {
            target.push('?');
            target.push_str(head.query());
        }
        let mut captured = Self::of(head.method(), &target, body.into());
        head.headers
            .for_each(&mut |name, value| captured.push_header(name, value));
        captured
    }

    /// A request without headers.
    fn of(method: &str, target: &str, mut body: Bytes) -> Self {
        let longest = body.len().min(Self::MAX_BODY);
        let left_out = body.len().saturating_sub(longest);
        body.truncate(longest);
        Self {
            method: cut(method, 32).to_owned(),
            target: cut(target, MAX_HEAD).to_owned(),
            headers: Vec::new(),
            body,
            left_out: u64::try_from(left_out).unwrap_or(u64::MAX),
            received_at: None,
            endpoint: None,
            providers: Vec::new(),
            with_credentials: false,
            places: KnownPlaces::default(),
        }
    }

    fn push_header(&mut self, name: &str, value: &[u8]) {
        let length = |(name, value): &(String, Vec<u8>)| name.len().saturating_add(value.len());
        let all: usize = self.headers.iter().map(length).sum();
        let with_this = all.saturating_add(name.len()).saturating_add(value.len());
        if self.headers.len() < Self::MAX_HEADERS && with_this <= MAX_HEAD {
            self.headers.push((name.to_owned(), value.to_owned()));
        }
    }

    /// Sets when the request was received, by the clock of whoever received it.
    #[must_use]
    pub fn with_received_at(mut self, time: SystemTime) -> Self {
        self.received_at = Some(time);
        self
    }

    /// Sets how many bytes of the body were left out, because they did not arrive or were not kept.
    /// Such a request cannot be verified.
    #[must_use]
    pub fn with_left_out(mut self, bytes: u64) -> Self {
        self.left_out = bytes;
        self
    }

    /// Sets the endpoint that the request was sent to.
    #[must_use]
    pub fn with_endpoint(mut self, name: impl Into<String>) -> Self {
        self.endpoint = Some(name.into());
        self
    }

    /// Keeps credentials when the request is written, for a queue whose consumer needs them to
    /// verify it: whoever can read the queue can then use them.
    ///
    /// Without it, these are replaced by `[redacted]`: cookies; the credentials of `Authorization`;
    /// headers and query parameters that are named like an API key, a token or a password; and, of
    /// a request whose [provider is known](Self::with_provider), the token wherever the provider
    /// sends it. Signatures are kept, since nothing can be explained without them.
    ///
    /// ```
    /// use tower_webhook::{capture::CapturedRequest, verify::Head};
    ///
    /// let headers = [("Authorization", "Bearer a-token-of-some-length")];
    /// let captured = CapturedRequest::new(&Head::new(&headers), "{}");
    /// let written = serde_json::to_string(&captured)?;
    /// assert!(written.contains("Bearer [redacted]") && !written.contains("a-token"));
    ///
    /// let written = serde_json::to_string(&captured.with_credentials())?;
    /// assert!(written.contains("a-token-of-some-length"));
    /// # Ok::<_, serde_json::Error>(())
    /// ```
    #[must_use]
    pub fn with_credentials(mut self) -> Self {
        self.with_credentials = true;
        self
    }

    /// Says which provider the request is meant for, so that its tokens are left out wherever it
    /// sends them, and nothing else is. Call it for each provider that an endpoint accepts.
    #[must_use]
    pub fn with_provider(mut self, provider: &Provider) -> Self {
        self.places.add(provider);
        self.push_provider(provider.name());
        self
    }

    fn push_provider(&mut self, name: &str) {
        let is_known = self.providers.iter().any(|known| known == name);
        if !is_known && self.providers.len() < Self::MAX_PROVIDERS {
            self.providers.push(cut(name, 128).to_owned());
        }
    }

    /// The most providers that a request keeps. A group of endpoints has no more.
    const MAX_PROVIDERS: usize = 4;

    /// The method, in upper case.
    #[must_use]
    pub fn method(&self) -> &str {
        &self.method
    }

    /// The request target: a path with an optional query, or a whole URL if that is known.
    #[must_use]
    pub fn target(&self) -> &str {
        &self.target
    }

    /// The header lines, in the order received.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.headers.iter().map(|(name, value)| (&**name, &**value))
    }

    /// The body.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// How many bytes of the body were left out, because it was too long or was not read.
    #[must_use]
    pub fn left_out(&self) -> u64 {
        self.left_out
    }

    /// When the request was received, if that is known.
    #[must_use]
    pub fn received_at(&self) -> Option<SystemTime> {
        self.received_at
    }

    /// The endpoint that the request was sent to, if that is known.
    #[must_use]
    pub fn endpoint(&self) -> Option<&str> {
        self.endpoint.as_deref()
    }

    /// The names of the providers that the request is [meant for](Self::with_provider), if they are
    /// known.
    pub fn providers(&self) -> impl Iterator<Item = &str> {
        self.providers.iter().map(|name| &**name)
    }

    /// The head, for [`Verifier::verify`](crate::Verifier::verify). Of a whole URL, it has path and
    /// query.
    #[must_use]
    pub fn head(&self) -> Head<'_> {
        let headers: &Vec<(String, Vec<u8>)> = &self.headers;
        Head::new(headers)
            .with_method(&self.method)
            .with_target(path_and_query(&self.target))
    }
}

/// The path and query of a request target that may be a whole URL.
pub(crate) fn path_and_query(target: &str) -> &str {
    let Some((_, rest)) = target
        .split_once("://")
        .filter(|(scheme, _)| is_scheme(scheme))
    else {
        return target;
    };
    let start = rest.find(['/', '?']);
    start.and_then(|start| rest.get(start..)).unwrap_or("/")
}

fn is_scheme(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// The first `longest` bytes, or fewer so that no character is divided.
fn cut(text: &str, longest: usize) -> &str {
    let mut end = longest.min(text.len());
    while !text.is_char_boundary(end) {
        end = end.saturating_sub(1);
    }
    text.get(..end).unwrap_or_default()
}

impl fmt::Debug for CapturedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CapturedRequest")
            .field("method_length", &self.method.len())
            .field("target_length", &self.target.len())
            .field("headers", &self.headers.len())
            .field("body_length", &self.body.len())
            .field("left_out", &self.left_out)
            .field("received_at", &self.received_at)
            .field("endpoint", &self.endpoint)
            .finish_non_exhaustive()
    }
}
