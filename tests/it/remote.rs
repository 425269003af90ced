//! Keys that are fetched: over real HTTPS, from a cache with its own clock, and under a flood.

mod cache;
mod certificates;
mod config;
mod floods;
mod groups;
mod server;
mod several;
mod vectors;

use std::{
    convert::Infallible,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::Full;
use serde_json::{Value, json};
use support::{Answer, NOW, at, kind, refusal};
use tower::{Layer, ServiceExt, service_fn};
use tower_webhook::{
    Rejection, RejectionKind, Secret, Signer, Verifier, WebhookVerifyLayer,
    keys::{FetchFuture, KeyClient, KeyDocument, KeyUrl, RemoteKeys},
    providers,
};

/// Pairs of Ed25519 of RFC 8032, section 7.1, private and public.
const PAIRS: [(&str, &str); 2] = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "PUAXw-hDiVqStwqnTRt-vJyYLM8uxJaMwM1V8Sr0Zgw",
    ),
];

/// A set with the keys of these pairs.
fn set(pairs: &[usize]) -> String {
    let keys = pairs.iter().map(|pair| {
        let (_, x) = PAIRS[*pair];
        json!({ "kty": "OKP", "crv": "Ed25519", "kid": format!("k{pair}"), "use": "sig", "x": x })
    });
    json!({ "keys": keys.collect::<Vec<Value>>() }).to_string()
}

/// A request that fal.ai signed with the key of a pair.
fn signed(pair: usize) -> Request<Full<Bytes>> {
    let signer = Signer::new(providers::fal_ai(), Secret::new(PAIRS[pair].0)).unwrap();
    let request = Request::post("/hook")
        .header("X-Fal-Webhook-Request-Id", "req_1")
        .header("X-Fal-Webhook-User-Id", "user_1");
    let request = signer.with_time(at(NOW)).sign(request, "{}").unwrap();
    request.map(Full::from)
}

/// The service behind a layer with these keys, at a fixed time.
#[derive(Clone)]
struct Hook {
    layer: WebhookVerifyLayer,
}

impl Hook {
    fn new(keys: RemoteKeys) -> Self {
        Self::of(Verifier::from_remote_keys(providers::fal_ai(), keys).unwrap())
    }

    fn of(verifier: Verifier) -> Self {
        let layer = WebhookVerifyLayer::new(verifier).with_clock(|| at(NOW));
        Self { layer }
    }

    async fn answer(&self, request: Request<Full<Bytes>>) -> http::Response<Full<Bytes>> {
        let handler = service_fn(|_| async { Ok::<_, Infallible>(Answer::default()) });
        self.layer.layer(handler).oneshot(request).await.unwrap()
    }

    /// Accepted, or the kind of the refusal.
    async fn verdict(&self, request: Request<Full<Bytes>>) -> Result<(), RejectionKind> {
        let response = self.answer(request).await;
        match kind(&response) {
            None => {
                assert_eq!(response.status(), StatusCode::OK);
                Ok(())
            }
            Some(kind) => Err(kind),
        }
    }

    /// With this clock, for requests of a vector.
    fn at(mut self, seconds: u64) -> Self {
        self.layer = self.layer.with_clock(move || at(seconds));
        self
    }

    /// The text of the refusal, with its cause.
    async fn problem(&self, request: Request<Full<Bytes>>) -> String {
        let response = self.answer(request).await;
        let rejection: &Rejection = refusal(&response).expect("it is refused");
        let cause = std::error::Error::source(rejection);
        cause.map_or_else(|| rejection.to_string(), |cause| cause.to_string())
    }
}

/// A client that serves from memory and records what it was asked for.
#[derive(Clone, Default)]
struct Recorder(Arc<Mutex<Recorded>>);

#[derive(Default)]
struct Recorded {
    urls: Vec<String>,
    reply: Option<Result<Option<KeyDocument>, String>>,
    /// How long an answer takes.
    delay: Duration,
}

impl Recorder {
    fn serving(document: impl Into<String>) -> Self {
        let recorder = Self::default();
        recorder.serve(document);
        recorder
    }

    fn serve(&self, document: impl Into<String>) {
        self.reply(Ok(Some(KeyDocument::new(document.into()))));
    }

    fn reply(&self, reply: Result<Option<KeyDocument>, String>) {
        self.0.lock().unwrap().reply = Some(reply);
    }

    fn delay(&self, delay: Duration) {
        self.0.lock().unwrap().delay = delay;
    }

    fn fetches(&self) -> usize {
        self.0.lock().unwrap().urls.len()
    }

    fn urls(&self) -> Vec<String> {
        self.0.lock().unwrap().urls.clone()
    }
}

impl KeyClient for Recorder {
    fn get(&self, url: &KeyUrl) -> FetchFuture {
        let mut recorded = self.0.lock().unwrap();
        recorded.urls.push(url.to_string());
        let reply = recorded.reply.clone().expect("something to serve");
        let delay = recorded.delay;
        Box::pin(async move {
            tokio::time::sleep(delay).await;
            reply.map_err(Into::into)
        })
    }
}
