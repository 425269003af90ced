//! What several test crates share: signed requests, and bodies that misbehave on purpose.
#![allow(
    clippy::mod_module_files,
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    dead_code,
    unreachable_pub,
    missing_docs,
    reason = "shared by several test crates"
)]

use std::{
    collections::VecDeque,
    convert::Infallible,
    error::Error,
    fmt,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body::{Body, Frame, SizeHint};
use http_body_util::Full;
use tower_webhook::{Rejection, RejectionKind, Secret, Signer, Verifier, providers};

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

/// One step of a [`TestBody`].
#[derive(Clone, Debug)]
pub enum Step {
    Data(Bytes),
    Trailers(HeaderMap),
    Error,
    /// Pending once, with a wake-up at once.
    Yield,
    /// Pending for this long.
    Wait(Duration),
}

impl Step {
    fn data(&self) -> &[u8] {
        match self {
            Self::Data(data) => data,
            _ => &[],
        }
    }
}

pub fn data(text: &'static str) -> Step {
    Step::Data(Bytes::from_static(text.as_bytes()))
}

/// What a [`TestBody`] does when its steps are done.
#[derive(Clone, Copy, Debug, Default)]
pub enum Rest {
    #[default]
    End,
    /// Pending for ever, without a wake-up.
    Hang,
    /// Always ready with an empty frame.
    EmptyFrames,
    /// As before, and each frame takes this much of the task's budget at tokio.
    GreedyFrames(usize),
    /// Always ready with the same data.
    Repeat(&'static [u8]),
}

/// What happened to a [`TestBody`].
#[derive(Debug, Default)]
pub struct Watch {
    polls: AtomicUsize,
    drops: AtomicUsize,
}

impl Watch {
    pub fn polls(&self) -> usize {
        self.polls.load(Ordering::SeqCst)
    }

    pub fn is_dropped(&self) -> bool {
        self.drops.load(Ordering::SeqCst) > 0
    }
}

/// A body that follows a script and counts how often it is polled. Its `is_end_stream` is never true.
pub struct TestBody {
    steps: VecDeque<Step>,
    rest: Rest,
    hint: SizeHint,
    waiting: Option<Pin<Box<tokio::time::Sleep>>>,
    watch: Arc<Watch>,
}

impl TestBody {
    pub fn new(steps: impl IntoIterator<Item = Step>) -> Self {
        Self {
            steps: steps.into_iter().collect(),
            rest: Rest::End,
            hint: SizeHint::default(),
            waiting: None,
            watch: Arc::default(),
        }
    }

    pub fn then(mut self, rest: Rest) -> Self {
        self.rest = rest;
        self
    }

    pub fn with_hint(mut self, exact: u64) -> Self {
        self.hint = SizeHint::with_exact(exact);
        self
    }

    pub fn watch(&self) -> Arc<Watch> {
        Arc::clone(&self.watch)
    }
}

impl From<Bytes> for TestBody {
    fn from(bytes: Bytes) -> Self {
        let frame = (!bytes.is_empty()).then_some(Step::Data(bytes));
        Self::new(frame)
    }
}

/// What a [`TestBody`] breaks off with.
#[derive(Debug)]
pub struct Broken;

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the peer went away")
    }
}

impl Error for Broken {}

impl Body for TestBody {
    type Data = Bytes;
    type Error = Box<dyn Error + Send + Sync>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        self.watch.polls.fetch_add(1, Ordering::SeqCst);
        if let Some(sleep) = &mut self.waiting {
            std::task::ready!(sleep.as_mut().poll(cx));
            self.waiting = None;
        }
        Poll::Ready(match self.steps.pop_front() {
            Some(Step::Data(data)) => Some(Ok(Frame::data(data))),
            Some(Step::Trailers(trailers)) => Some(Ok(Frame::trailers(trailers))),
            Some(Step::Error) => Some(Err(Box::new(Broken))),
            Some(Step::Yield) => {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            Some(Step::Wait(time)) => {
                self.waiting = Some(Box::pin(tokio::time::sleep(time)));
                self.watch.polls.fetch_sub(1, Ordering::SeqCst);
                return self.poll_frame(cx);
            }
            None => match self.rest {
                Rest::End => None,
                Rest::Hang => return Poll::Pending,
                Rest::EmptyFrames => Some(Ok(Frame::data(Bytes::new()))),
                Rest::GreedyFrames(units) => {
                    for _ in 0..units {
                        let budget = std::pin::pin!(tokio::task::coop::consume_budget());
                        std::task::ready!(budget.poll(cx));
                    }
                    Some(Ok(Frame::data(Bytes::new())))
                }
                Rest::Repeat(data) => Some(Ok(Frame::data(Bytes::from_static(data)))),
            },
        })
    }

    fn size_hint(&self) -> SizeHint {
        self.hint
    }
}

impl Drop for TestBody {
    fn drop(&mut self) {
        self.watch.drops.fetch_add(1, Ordering::SeqCst);
    }
}

/// Has somebody listen to every span and log line from now on, so that those of one thread's subscriber do not depend on what
/// other tests listen to: `tracing` asks once whether anybody does, and remembers the answer.
#[cfg(feature = "tracing")]
pub fn listen_to_everything() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let listener = tracing_subscriber::fmt()
            .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
            .with_writer(std::io::sink);
        listener.try_init().unwrap();
    });
}

/// Lines of the log of some work, from whichever thread.
#[cfg(feature = "tracing")]
#[derive(Clone, Default)]
pub struct Lines(Arc<std::sync::Mutex<Vec<u8>>>);

#[cfg(feature = "tracing")]
impl std::io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(feature = "tracing")]
impl Lines {
    /// Everything from DEBUG on.
    pub fn subscriber(&self) -> impl tracing::Subscriber + Send + Sync + use<> {
        listen_to_everything();
        let writer = self.clone();
        tracing_subscriber::fmt()
            .with_max_level(tracing_subscriber::filter::LevelFilter::DEBUG)
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .finish()
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    /// What was written since the last call.
    pub fn take(&self) -> String {
        String::from_utf8(std::mem::take(&mut *self.0.lock().unwrap())).unwrap()
    }

    /// The lines that hold this.
    pub fn with(&self, part: &str) -> Vec<String> {
        let text = self.text();
        let lines = text.lines().filter(|line| line.contains(part));
        lines.map(str::to_owned).collect()
    }
}
