//! Signed requests, and what is answered.

use std::{
    convert::Infallible,
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use tower_webhook::{Rejection, RejectionKind, Secret, Signer, Verifier, providers};

use crate::body::{Step, TestBody, Watch};

pub const GITHUB_SECRET: &str = "a-secret-for-github-tests";
pub const SVIX_SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
pub const SIGNATURE: &str = "x-hub-signature-256";

/// The answer of a plain tower service.
pub type Answer = Response<Full<Bytes>>;

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

/// A `POST` that nobody signed.
pub fn unsigned(body: impl Into<Bytes>) -> Request<Full<Bytes>> {
    Request::post("/hook").body(Full::new(body.into())).unwrap()
}

/// A signed request whose body comes in these steps instead of at once; the signature is over all their data.
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

/// The output of a future that needs no waiting.
pub fn ready_now<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("it waits"),
    }
}

/// A body with these parts between these boundaries.
pub fn multipart(boundary: &str, parts: &[(&str, &str)]) -> String {
    let mut body = String::new();
    for (name, content) in parts {
        body += &format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{content}\r\n"
        );
    }
    body + &format!("--{boundary}--\r\n")
}
