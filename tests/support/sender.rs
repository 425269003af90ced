//! A provider: it signs each attempt anew, and sends an event until it sees a success.

use std::{
    future::Future,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde::{Deserialize, Serialize};
use tokio::task::JoinHandle;
use tower_webhook::{Secret, Signer, providers};

pub const SECRET: &str = "whsec_a-secret-between-two-programs";

/// What a body says, which is what the handler does.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Event {
    pub id: String,
    /// The handler works so long.
    pub delay_ms: u64,
    /// And then answers so.
    pub answer: u16,
    /// But with 500 the first so many times, in each process.
    pub fails: u32,
    /// It panics instead.
    pub panics: bool,
    /// It works until its server's gate is opened.
    pub gated: bool,
    /// Whether it takes its time on a thread for blocking work.
    pub blocks: bool,
}

impl Event {
    /// Answered with 200 at once.
    pub fn new(id: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            answer: 200,
            ..Self::default()
        }
    }

    pub fn taking(mut self, delay: Duration) -> Self {
        self.delay_ms = u64::try_from(delay.as_millis()).unwrap();
        self
    }

    pub fn answered(mut self, status: u16) -> Self {
        self.answer = status;
        self
    }

    pub fn failing(mut self, times: u32) -> Self {
        self.fails = times;
        self
    }

    pub fn panicking(mut self) -> Self {
        self.panics = true;
        self
    }

    pub fn blocking(mut self) -> Self {
        self.blocks = true;
        self
    }

    pub fn gated(mut self) -> Self {
        self.gated = true;
        self
    }
}

#[derive(Clone)]
pub struct Sender {
    client: Client<HttpConnector, Full<Bytes>>,
    signer: Arc<Signer>,
}

/// Whoever waits so long waits for ever.
const HANG: Duration = Duration::from_secs(60);

/// What one attempt came to.
#[derive(Debug)]
pub struct Attempt {
    /// `None` where the connection broke, or nothing came.
    pub status: Option<StatusCode>,
    pub headers: HeaderMap,
    pub took: Duration,
}

impl Attempt {
    pub fn is_success(&self) -> bool {
        self.status.is_some_and(|status| status.is_success())
    }

    /// Whole seconds of `Retry-After`.
    pub fn retry_after(&self) -> Option<u64> {
        let value = self.headers.get("retry-after")?;
        value.to_str().ok()?.parse().ok()
    }
}

impl Sender {
    pub fn new() -> Self {
        let signer = Signer::new(providers::stripe(), Secret::new(SECRET)).unwrap();
        Self {
            client: Client::builder(TokioExecutor::new()).build_http(),
            signer: Arc::new(signer),
        }
    }

    /// A signed request.
    pub fn sign(&self, url: &str, event: &Event) -> Request<Bytes> {
        let body = Bytes::from(serde_json::to_vec(event).unwrap());
        self.signer.sign(Request::post(url), body).unwrap()
    }

    /// One attempt.
    pub async fn send(&self, url: &str, event: &Event) -> Attempt {
        let request = self.sign(url, event).map(Full::new);
        let start = Instant::now();
        let response = tokio::time::timeout(HANG, self.client.request(request)).await;
        let response = response.ok().and_then(Result::ok);
        let took = start.elapsed();
        let Some(response) = response else {
            return Attempt {
                status: None,
                headers: HeaderMap::new(),
                took,
            };
        };
        let (head, body) = response.into_parts();
        body.collect().await.unwrap();
        Attempt {
            status: Some(head.status),
            headers: head.headers,
            took,
        }
    }

    /// One attempt that goes on while the test does something else.
    pub fn start(&self, url: &str, event: &Event) -> JoinHandle<Attempt> {
        let (sender, url, event) = (self.clone(), url.to_owned(), event.clone());
        tokio::spawn(async move { sender.send(&url, &event).await })
    }

    /// Attempts at these addresses in turn, until one is a success. It says how many that took.
    pub async fn deliver(&self, urls: &[String], event: &Event, within: Duration) -> usize {
        let start = Instant::now();
        let mut pause = Duration::from_millis(20);
        let mut seen = Vec::new();
        for url in urls.iter().cycle() {
            let attempt = self.send(url, event).await;
            seen.push(attempt.status);
            if attempt.is_success() {
                break;
            }
            assert!(
                start.elapsed() < within,
                "{} had no success in {within:?}: {seen:?}",
                event.id
            );
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_millis(300));
        }
        seen.len()
    }
}

/// Does something with each item, some at once.
pub async fn at_once<T, F>(many: usize, items: Vec<T>, work: impl Fn(T) -> F)
where
    T: Send + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    let mut items = items.into_iter();
    let mut running = tokio::task::JoinSet::new();
    for item in items.by_ref().take(many) {
        running.spawn(work(item));
    }
    while let Some(ended) = running.join_next().await {
        if let Err(error) = ended {
            std::panic::resume_unwind(error.into_panic());
        }
        if let Some(item) = items.next() {
            running.spawn(work(item));
        }
    }
}
