//! One request on its way through the checks: gate, secrets, read, compare. Every adapter runs this.

use std::{
    error::Error,
    fmt, io, mem,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::{Duration, SystemTime},
};

use bytes::Buf;
use http::{Response, StatusCode};
use http_body::Body;
use http_body_util::LengthLimitError;
use pin_project_lite::pin_project;
use tokio::time::{Instant, Sleep};

use crate::{
    Rejection, RejectionKind, VerifiedEvent, clock,
    head::Head,
    lookup::TenantFuture,
    near::Near,
    observe::{self, Trace},
    shared::Shared,
    verifier::{Check, Comparison, Gate},
};

impl Shared {
    pub(crate) fn now(&self) -> SystemTime {
        self.clock.as_ref().map_or_else(clock::now, |clock| clock())
    }

    /// Whether [`answer`](Self::answer) still has anything to do.
    pub(crate) fn watches_answers(&self) -> bool {
        self.provider.success_status().is_some() || !self.uptake.is_settled()
    }

    /// The status of an answer to an event: for a provider that takes one alone for success, that one in place of any other.
    pub(crate) fn answer(&self, status: StatusCode) -> StatusCode {
        if !status.is_success() {
            return status;
        }
        observe::handled(self);
        match self.provider.success_status() {
            Some(success) if success != status => {
                observe::status_changed(self, status, success);
                success
            }
            _ => status,
        }
    }
}

/// The answer to a refused request. The operator is told, and the hook asked.
pub(crate) fn refuse(rejection: &Rejection, trace: &Trace) -> Response<()> {
    let mut response = rejection.clone().into_response();
    trace.refused(rejection);
    if let Some(hook) = rejection
        .origin()
        .and_then(|shared| shared.on_rejection.as_ref())
    {
        hook(rejection, &mut response);
    }
    response
}

pin_project! {
    /// A request whose head is in order. As a future, it ends with the event or the reason.
    pub(crate) struct Verification<B> {
        #[pin]
        body: B,
        step: Step,
        // Of the present step; made when it first has to be waited for.
        #[pin]
        deadline: Option<Sleep>,
        key_timeout: Duration,
        read_timeout: Duration,
    }
}

/// How far a request has come whose head is in order.
pub(crate) enum Step {
    Asking(Gate, TenantFuture),
    Reading(Check),
    /// What is left to do for a large body.
    Comparing(Box<Comparison>),
    Done,
}

/// A body that always has a next frame must leave the thread to others, and to its own deadline.
const FRAMES_AT_ONCE: usize = 64;

/// So many bytes are hashed before others get the thread: a millisecond or two, counted for each key. What cannot be divided, a frame or
/// the comparison with one key, is done at once.
const HASHED_AT_ONCE: usize = 1 << 20;

impl Step {
    /// Decides what the head decides. The body is not polled.
    pub(crate) fn first(
        shared: &Arc<Near>,
        head: &Head<'_>,
        body: &impl Body,
    ) -> Result<Self, Rejection> {
        let gate = Gate::new(shared, head, shared.now())?;
        let least = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
        if least > shared.max_body {
            return Err(gate.reject(RejectionKind::BodyTooLarge));
        }
        Ok(match &shared.source {
            None => Self::Reading(gate.check(&shared.secrets)?),
            Some(source) => Self::Asking(gate, source.secrets(head)),
        })
    }
}

impl<B> Verification<B> {
    /// Goes on from the first step.
    pub(crate) fn new(shared: &Near, step: Step, body: B) -> Self {
        Self {
            body,
            step,
            deadline: None,
            key_timeout: shared.key_timeout,
            read_timeout: shared.read_timeout,
        }
    }
}

impl<B> Future for Verification<B>
where
    B: Body<Data: Buf, Error: Into<Box<dyn Error + Send + Sync>>>,
{
    type Output = Result<VerifiedEvent, Rejection>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        if let Step::Asking(gate, answer) = this.step {
            let answer = match answer.as_mut().poll(cx) {
                Poll::Ready(answer) => answer,
                Poll::Pending => {
                    ready!(poll_deadline(this.deadline, *this.key_timeout, cx));
                    return Poll::Ready(Err(gate.reject(RejectionKind::SecretSourceTimeout)));
                }
            };
            this.deadline.set(None);
            if let Step::Asking(gate, _) = mem::replace(this.step, Step::Done) {
                let check = match answer {
                    Ok(tenant) => gate.check_tenant(tenant.as_ref())?,
                    Err(error) => return Poll::Ready(Err(gate.unanswered(error))),
                };
                *this.step = Step::Reading(check);
            }
        }
        if let Step::Reading(check) = this.step {
            match poll_body(this.body, check, cx) {
                Poll::Pending => {
                    ready!(poll_deadline(this.deadline, *this.read_timeout, cx));
                    return Poll::Ready(Err(check.reject(RejectionKind::ReadTimeout)));
                }
                Poll::Ready(Err(rejection)) => return Poll::Ready(Err(rejection)),
                Poll::Ready(Ok(())) => {}
            }
            if let Step::Reading(check) = mem::replace(this.step, Step::Done) {
                if check.received().saturating_mul(check.hashes()) <= HASHED_AT_ONCE {
                    return Poll::Ready(check.finish());
                }
                *this.step = Step::Comparing(Box::new(check.compare()));
            }
        }
        if let Step::Comparing(comparison) = this.step {
            ready!(poll_comparison(comparison, cx));
        }
        match mem::replace(this.step, Step::Done) {
            Step::Comparing(comparison) => Poll::Ready(comparison.verdict()),
            Step::Asking(..) | Step::Reading(_) | Step::Done => {
                unreachable!("a verification is polled after it has ended")
            }
        }
    }
}

/// Feeds the check until the body ends, or has to be waited for.
fn poll_body<B>(
    mut body: Pin<&mut B>,
    check: &mut Check,
    cx: &mut Context<'_>,
) -> Poll<Result<(), Rejection>>
where
    B: Body<Data: Buf, Error: Into<Box<dyn Error + Send + Sync>>>,
{
    let hashes = check.hashes();
    let mut hashed: usize = 0;
    for _ in 0..FRAMES_AT_ONCE {
        if hashed >= HASHED_AT_ONCE {
            break;
        }
        match ready!(body.as_mut().poll_frame(cx)) {
            Some(Ok(frame)) => {
                // Trailers are signed by nobody.
                if let Ok(mut data) = frame.into_data() {
                    hashed = hashed.saturating_add(data.remaining().saturating_mul(hashes));
                    check.update(data.copy_to_bytes(data.remaining()))?;
                }
            }
            Some(Err(error)) => return Poll::Ready(Err(check.reject(broken(&*error.into())))),
            None => return Poll::Ready(Ok(())),
        }
    }
    cx.waker().wake_by_ref();
    Poll::Pending
}

/// Goes on with the comparison until it is done, or others should get the thread.
fn poll_comparison(comparison: &mut Comparison, cx: &mut Context<'_>) -> Poll<()> {
    let mut hashed: usize = 0;
    while hashed < HASHED_AT_ONCE {
        if !comparison.step() {
            return Poll::Ready(());
        }
        hashed = hashed.saturating_add(comparison.len());
    }
    cx.waker().wake_by_ref();
    Poll::Pending
}

/// Ready when the time is up.
fn poll_deadline(
    mut deadline: Pin<&mut Option<Sleep>>,
    timeout: Duration,
    cx: &mut Context<'_>,
) -> Poll<()> {
    if deadline.is_none() {
        deadline.set(Some(tokio::time::sleep(timeout)));
    }
    match deadline.as_pin_mut() {
        // A body that uses up what the runtime lets a task do at once would keep the timer from ever being looked at.
        Some(deadline) if Instant::now() >= deadline.deadline() => Poll::Ready(()),
        Some(deadline) => deadline.poll(cx),
        None => Poll::Pending,
    }
}

/// What an adapter says of a body that a limit of its framework cut off.
#[derive(Debug)]
pub(crate) struct TooLong;

impl fmt::Display for TooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the body is longer than a limit further out")
    }
}

impl Error for TooLong {}

/// A limit further out shows as an error somewhere down the chain of the body's own.
fn broken(error: &(dyn Error + 'static)) -> RejectionKind {
    let mut next = Some(error);
    while let Some(error) = next {
        let io = error.downcast_ref::<io::Error>();
        if io.is_some_and(|io| io.kind() == io::ErrorKind::TimedOut) {
            return RejectionKind::ReadTimeout;
        }
        if error.is::<LengthLimitError>() || error.is::<TooLong>() {
            return RejectionKind::BodyTooLarge;
        }
        next = error.source();
    }
    RejectionKind::BodyIncomplete
}

#[cfg(test)]
mod tests {
    use std::{future::ready, task::Waker};

    use bytes::Bytes;
    use http_body_util::Full;

    use super::*;
    use crate::{
        Provider, Secret, Secrets, Signer, Verifier, WebhookVerifyLayer,
        lookup::{SourceError, Tenant},
        providers,
        scheme::counters,
    };

    /// What a request costs whose body is not the one that was signed: how it ends, and the hashes.
    fn cost(
        provider: &Provider,
        tenant: Result<Option<Tenant>, SourceError>,
    ) -> (RejectionKind, (usize, usize)) {
        let secret = Secret::new("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD");
        let signer = Signer::new(provider.clone(), secret).unwrap();
        let now = SystemTime::UNIX_EPOCH;
        let request = http::Request::post("/").header("svix-id", "msg");
        let signed = signer.with_time(now).sign(request, "{}").unwrap();
        let (head, _) = signed.into_parts();
        let tenant = std::sync::Mutex::new(Some(tenant));
        let source = move |_: &Head<'_>| -> TenantFuture {
            Box::pin(ready(tenant.lock().unwrap().take().unwrap()))
        };
        let layer = WebhookVerifyLayer::new(Verifier::for_lookup(provider.clone()).unwrap())
            .with_clock(move || now)
            .with_secret_source(source);
        counters::take();
        let body = Full::<Bytes>::from("x".repeat(10_000));
        let verifier = layer.verifier();
        let step = Step::first(verifier.shared(), &Head::of(&head), &body).unwrap();
        let verification = Verification::new(verifier.shared(), step, body);
        let verification = std::pin::pin!(verification);
        let mut cx = Context::from_waker(Waker::noop());
        let Poll::Ready(Err(rejection)) = verification.poll(&mut cx) else {
            panic!("it is refused at once");
        };
        (rejection.kind(), counters::take())
    }

    #[test]
    fn an_unknown_tenant_costs_the_hashes_of_a_wrong_signature() {
        let authenteq = providers::authenteq().with_param("client_id", "client");
        for provider in [providers::svix(), providers::github(), authenteq] {
            let secret = Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
            let secrets = Secrets::new(&provider, secret).unwrap();
            let known = cost(&provider, Ok(Some(Tenant::new("acme", secrets))));
            let unknown = cost(&provider, Ok(None));
            assert_eq!(known.0, RejectionKind::SignatureMismatch);
            assert_eq!(unknown.0, RejectionKind::UnknownTenant);
            assert!(known.1.0 >= 10_000, "the body is hashed");
            // A key of another length may change the last bytes that a digest takes in.
            assert!(
                known.1.0.abs_diff(unknown.1.0) < 64,
                "{known:?} {unknown:?}"
            );
            assert_eq!(known.1.1, unknown.1.1);
        }
    }

    /// How many polls a request takes whose body comes in frames of this size, and how it ends.
    fn polls(keys: usize, size: usize, frame: usize) -> (usize, RejectionKind) {
        let secrets: Vec<Secret> = (0..keys)
            .map(|n| Secret::new(format!("a-secret-of-some-length-{n}")))
            .collect();
        let verifier = Verifier::new(providers::github(), secrets).unwrap();
        let head = http::Request::post("/")
            .header("x-hub-signature-256", format!("sha256={}", "0".repeat(64)));
        let (head, ()) = head.body(()).unwrap().into_parts();
        let frames: Vec<_> = vec![7; size]
            .chunks(frame)
            .map(Bytes::copy_from_slice)
            .collect();
        let body = Frames(frames.into());
        let shared = verifier.shared();
        let step = Step::first(shared, &Head::of(&head), &body).unwrap();
        let mut verification = std::pin::pin!(Verification::new(shared, step, body));
        let mut cx = Context::from_waker(Waker::noop());
        for polls in 1..1000 {
            if let Poll::Ready(verdict) = verification.as_mut().poll(&mut cx) {
                return (polls, verdict.unwrap_err().kind());
            }
        }
        panic!("it ends")
    }

    struct Frames(std::collections::VecDeque<Bytes>);

    impl Body for Frames {
        type Data = Bytes;
        type Error = std::convert::Infallible;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<http_body::Frame<Bytes>, Self::Error>>> {
            Poll::Ready(
                self.0
                    .pop_front()
                    .map(|frame| Ok(http_body::Frame::data(frame))),
            )
        }
    }

    #[tokio::test]
    async fn d_1_work_for_a_large_body_leaves_the_thread_to_others() {
        const MIB: usize = 1 << 20;
        for (keys, size, frame, expected) in [
            (1, 100, 100, 1),
            (8, 100_000, 100_000, 1),
            (1, MIB, MIB, 2),
            // A poll to read it, and one for each key but the last, after which it is known that there is none.
            (8, MIB, MIB, 9),
            (8, 4 * MIB, 4 * MIB, 9),
            (2, 16 * MIB, 256 * 1024, 34),
            (1, 16 * MIB, 256 * 1024, 17),
        ] {
            let (polls, kind) = polls(keys, size, frame);
            assert_eq!(kind, RejectionKind::SignatureMismatch);
            assert!(
                polls.abs_diff(expected) <= 2,
                "{keys} {size} {frame}: {polls}"
            );
        }
    }

    #[test]
    fn a_source_that_fails_costs_no_hash() {
        let failed = cost(&providers::svix(), Err("away".into()));
        assert_eq!(failed, (RejectionKind::SecretSourceFailed, (0, 0)));
    }
}
