//! A body that follows a script.

use std::{
    collections::VecDeque,
    error::Error,
    fmt,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};

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
    pub(crate) fn data(&self) -> &[u8] {
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

/// A body that follows a script and counts how often it is polled. Its `is_end_stream` is never
/// true.
pub struct TestBody {
    pub(crate) steps: VecDeque<Step>,
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
