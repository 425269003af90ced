//! [`BodyFault`]: bodies that do not arrive as announced.

use std::{
    collections::VecDeque,
    error::Error,
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderValue, Request, header::CONTENT_LENGTH};
use http_body::{Body, Frame, SizeHint};
use tokio::time::{Sleep, sleep};

/// In how many frames a body arrives.
const FRAMES: usize = 4;

/// What goes wrong with the body of a request on its way.
///
/// Under tokio's [paused clock](https://docs.rs/tokio/latest/tokio/time/fn.pause.html), waiting
/// takes no time.
///
/// ```
/// # #[cfg(feature = "axum")]
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
/// use axum::{Router, body::Body, http::Request, routing::post};
/// use tower::ServiceExt;
/// use tower_webhook::{VerifiedEvent, WebhookVerifyLayer};
/// use tower_webhook::test_util::{BodyFault, TestSender};
///
/// # tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?.block_on(async {
/// let sender = TestSender::new("github")?;
/// let verify = WebhookVerifyLayer::new(sender.verifier()?);
/// let on_event = post(async |_: VerifiedEvent| {}).route_layer(verify);
/// let app = Router::new().route("/webhooks", on_event);
/// let signed = sender.signed(Request::post("/webhooks"), r#"{"action":"opened"}"#)?;
///
/// for (fault, status) in [
///     (BodyFault::Slow(Duration::from_secs(1)), 200),
///     (BodyFault::Slow(Duration::from_secs(60)), 408),
///     (BodyFault::Stalled, 408),
///     (BodyFault::BrokenOff, 400),
///     (BodyFault::Declared(u64::MAX), 413),
/// ] {
///     let request = fault.apply(signed.clone()).map(Body::new);
///     let response = app.clone().oneshot(request).await?;
///     assert_eq!(response.status(), status, "{fault:?}");
/// }
/// # Ok(())
/// # })
/// # }
/// # #[cfg(not(feature = "axum"))]
/// # fn main() {}
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BodyFault {
    /// It arrives in four frames, with a pause before each.
    Slow(Duration),
    /// Its first half arrives, and then nothing: neither more, nor an end.
    Stalled,
    /// Its first half arrives, and then the connection breaks.
    BrokenOff,
    /// It arrives whole, and `Content-Length` declared this many bytes.
    Declared(u64),
}

impl BodyFault {
    /// The request with a body that arrives with this fault.
    #[must_use]
    pub fn apply(self, request: Request<Bytes>) -> Request<FaultyBody> {
        let (mut head, body) = request.into_parts();
        let half = body.slice(..body.len() / 2);
        let step = |bytes: Bytes| (!bytes.is_empty()).then_some(Step::Data(bytes));
        let (steps, end) = match self {
            Self::Slow(pause) => {
                let length = body.len().div_ceil(FRAMES).max(1);
                let frames = body.chunks(length).map(Bytes::copy_from_slice);
                let steps = frames.flat_map(|frame| [Step::Wait(pause), Step::Data(frame)]);
                (steps.collect(), End::Complete)
            }
            Self::Stalled => (step(half).into_iter().collect(), End::Never),
            Self::BrokenOff => (step(half).into_iter().collect(), End::Broken),
            Self::Declared(length) => {
                head.headers
                    .insert(CONTENT_LENGTH, HeaderValue::from(length));
                (step(body).into_iter().collect(), End::Complete)
            }
        };
        let body = FaultyBody {
            steps,
            end,
            waiting: None,
        };
        Request::from_parts(head, body)
    }
}

/// The body of a request with a [`BodyFault`].
///
/// It is a [`Body`] for Tower and for axum's `Body::new`. For actix-web, it converts into a
/// payload:
///
/// ```
/// # #[cfg(feature = "actix")]
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use actix_web::{App, HttpResponse, test, web};
/// use tower_webhook::{VerifiedEvent, WebhookVerifyLayer};
/// use tower_webhook::test_util::{BodyFault, TestSender, to_actix};
///
/// # actix_web::rt::System::new().block_on(async {
/// let sender = TestSender::new("github")?;
/// let verify = WebhookVerifyLayer::new(sender.verifier()?);
/// let on_event = web::post().to(async |_: VerifiedEvent| HttpResponse::Ok()).wrap(verify);
/// let app = test::init_service(App::new().route("/webhooks", on_event)).await;
///
/// let signed = sender.signed(http::Request::post("/webhooks"), "{}")?;
/// let (head, body) = BodyFault::BrokenOff.apply(signed).into_parts();
/// let head = http::Request::from_parts(head, bytes::Bytes::new());
/// let mut request = to_actix(head).to_request();
/// *request.payload() = body.into();
/// assert_eq!(test::call_service(&app, request).await.status(), 400);
/// # Ok(())
/// # })
/// # }
/// # #[cfg(not(feature = "actix"))]
/// # fn main() {}
/// ```
pub struct FaultyBody {
    steps: VecDeque<Step>,
    end: End,
    waiting: Option<Pin<Box<Sleep>>>,
}

enum Step {
    Wait(Duration),
    Data(Bytes),
}

enum End {
    Complete,
    Never,
    Broken,
}

impl FaultyBody {
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, BrokenOff>>> {
        loop {
            if let Some(waiting) = &mut self.waiting {
                ready!(waiting.as_mut().poll(cx));
                self.waiting = None;
            }
            match self.steps.pop_front() {
                Some(Step::Wait(pause)) => self.waiting = Some(Box::pin(sleep(pause))),
                Some(Step::Data(data)) => return Poll::Ready(Some(Ok(data))),
                None => break,
            }
        }
        match self.end {
            End::Complete => Poll::Ready(None),
            // Nothing will ever arrive, which is what a time limit has to notice.
            End::Never => Poll::Pending,
            End::Broken => {
                self.end = End::Complete;
                Poll::Ready(Some(Err(BrokenOff)))
            }
        }
    }
}

impl Body for FaultyBody {
    type Data = Bytes;
    type Error = BrokenOff;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        self.poll_next(cx)
            .map(|next| next.map(|data| data.map(Frame::data)))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}

impl fmt::Debug for FaultyBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FaultyBody").finish_non_exhaustive()
    }
}

#[cfg(feature = "actix")]
impl futures_core::Stream for FaultyBody {
    type Item = Result<Bytes, actix_web::error::PayloadError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let broken = |BrokenOff| actix_web::error::PayloadError::Incomplete(None);
        Self::poll_next(&mut self, cx).map(|next| next.map(|data| data.map_err(broken)))
    }
}

#[cfg(feature = "actix")]
impl From<FaultyBody> for actix_web::dev::Payload {
    fn from(body: FaultyBody) -> Self {
        Self::Stream {
            payload: Box::pin(body),
        }
    }
}

/// The connection broke before the body was complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BrokenOff;

impl fmt::Display for BrokenOff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the connection broke before the body was complete")
    }
}

impl Error for BrokenOff {}
