//! Signed requests, and what is answered.

use std::{
    convert::Infallible,
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use http::{HeaderValue, Request, Response};
use http_body_util::Full;
use tower_webhook::{
    Provider, Rejection, RejectionKind, Secret, Signer, Verifier, WebhookVerifyLayer, providers,
};

use crate::body::{Step, TestBody, Watch};

pub const GITHUB_SECRET: &str = "a-secret-for-github-tests";
pub const SVIX_SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
pub const SIGNATURE: &str = "x-hub-signature-256";

/// The answer of a plain tower service.
pub type Answer = Response<Full<Bytes>>;

/// When it is, in seconds, where a test does not say.
pub const NOW: u64 = 1_700_000_000;
/// Longer than anything takes on the slowest machine: what waits so long waits for ever.
pub const PATIENCE: Duration = Duration::from_secs(20);

pub fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

/// A verifier whose requests need no time: only a signature over the body.
pub fn github() -> Verifier {
    Verifier::new(providers::github(), Secret::new(GITHUB_SECRET)).unwrap()
}

/// A verifier whose requests have an id and a time.
pub fn svix() -> Verifier {
    Verifier::new(providers::svix(), Secret::new(SVIX_SECRET)).unwrap()
}

/// The layer with [`github`], and nothing said beside.
pub fn layer() -> WebhookVerifyLayer {
    WebhookVerifyLayer::new(github())
}

/// Authenteq for one of its clients.
pub fn authenteq() -> Provider {
    providers::authenteq().with_param("client_id", "client-7")
}

/// A built-in provider by name, with the parameters that it demands.
pub fn provider(name: &str) -> Provider {
    match name {
        "authenteq" => authenteq(),
        _ => providers::by_name(name).unwrap(),
    }
}

pub fn github_signer() -> Signer {
    Signer::new(providers::github(), Secret::new(GITHUB_SECRET)).unwrap()
}

pub fn svix_signer() -> Signer {
    Signer::new(providers::svix(), Secret::new(SVIX_SECRET)).unwrap()
}

/// A `POST` that GitHub signed over `body`.
pub fn signed(body: impl Into<Bytes>) -> Request<Bytes> {
    github_signer()
        .sign(Request::post("/hook"), body.into())
        .unwrap()
}

/// A `POST` to `path` that GitHub signed.
pub fn signed_to(path: &str, body: impl Into<Bytes>) -> Request<Bytes> {
    github_signer()
        .sign(Request::post(path), body.into())
        .unwrap()
}

/// The request with one header set to `value`; without it for `None`.
pub fn with_header<B>(
    mut request: Request<B>,
    name: &'static str,
    value: Option<&'static str>,
) -> Request<B> {
    request.headers_mut().remove(name);
    if let Some(value) = value {
        let value = HeaderValue::from_static(value);
        request.headers_mut().insert(name, value);
    }
    request
}

/// A `POST` that nobody signed.
pub fn unsigned(body: impl Into<Bytes>) -> Request<Full<Bytes>> {
    Request::post("/hook").body(Full::new(body.into())).unwrap()
}

/// A signed request whose body comes in these steps instead of at once; the signature is over all
/// their data.
pub fn signed_steps(steps: impl IntoIterator<Item = Step>) -> (Request<TestBody>, Arc<Watch>) {
    let body = TestBody::new(steps);
    let watch = body.watch();
    let all: Vec<u8> = body.steps.iter().flat_map(Step::data).copied().collect();
    (signed(all).map(|_| body), watch)
}

/// The reason that the layer left in the response.
pub fn refusal<B>(response: &Response<B>) -> Option<&Rejection> {
    response.extensions().get::<Rejection>()
}

/// The kind of [`refusal`].
pub fn kind<B>(response: &Response<B>) -> Option<RejectionKind> {
    refusal(response).map(Rejection::kind)
}

/// A handler that accepts everything.
pub async fn accept<B>(_: Request<B>) -> Result<Answer, Infallible> {
    Ok(Answer::default())
}

pub fn hex(bytes: impl AsRef<[u8]>) -> String {
    let bytes = bytes.as_ref().iter();
    bytes.map(|byte| format!("{byte:02x}")).collect()
}

pub fn unhex(digits: &str) -> Vec<u8> {
    let pair = |place| u8::from_str_radix(&digits[place..place + 2], 16).unwrap();
    (0..digits.len()).step_by(2).map(pair).collect()
}

pub fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// The time of the machine, for programs that cannot be given another.
#[allow(clippy::disallowed_methods, reason = "programs read it too")]
pub fn unix_now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap().as_secs()
}

/// The output of a future that needs no waiting.
pub fn ready_now<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("it waits"),
    }
}

/// A body with these parts between these boundaries.
pub fn multipart<B: AsRef<[u8]>>(boundary: &str, parts: &[(&str, B)]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, content) in parts {
        let head =
            format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n");
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(content.as_ref());
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    body
}
