//! [`Verification`]: one request on its way through the checks, as a future over any body.

use std::{
    error::Error,
    fmt, io, mem,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::{Duration, SystemTime},
};

use bytes::{Buf, Bytes};
use http_body::Body;
use http_body_util::LengthLimitError;
use pin_project_lite::pin_project;
use tokio::time::{Instant, Sleep};

use crate::{
    endpoint::Endpoint,
    event::VerifiedEvent,
    head::Head,
    keys::source::{KeyFuture, KeyRequest},
    rejection::{Reason, Rejection, hint::Hint, kind::RejectionKind},
    verify::{
        body::{BodyVerifier, Comparison, Refused},
        buffer::Buffer,
        head::CheckedHead,
        several::{Member, Several},
        steps::{HASHED_AT_ONCE, Late, Reader, late_keys, looked_up, poll_comparison},
    },
};

pin_project! {
    /// A request whose head is in order. It resolves to the event or the reason for the refusal.
    pub(crate) struct Verification<B> {
        #[pin]
        body: B,
        step: Step,
        // The deadline of the current step, created when it first waits.
        #[pin]
        deadline: Option<Sleep>,
        timeouts: Timeouts,
        // The endpoint of a request that is passed on although it is not verified.
        shadow: Option<Arc<Endpoint>>,
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Timeouts {
    pub(crate) keys: Duration,
    pub(crate) read: Duration,
}

/// Why a request is not verified.
pub(crate) struct Refusal {
    pub(crate) rejection: Rejection,
    /// The complete body, if the request is passed on all the same.
    pub(crate) passed_on: Option<Bytes>,
    /// The complete body, if it was read.
    pub(crate) read: Option<Bytes>,
}

/// What is next for a request.
pub(crate) enum Step {
    /// The last is the name of the tenant in the request.
    LookingUp(CheckedHead, KeyFuture, Option<Box<str>>),
    /// The key of a request whose head has all that is signed.
    AwaitingKeysOfHead(Box<Late>),
    Reading(BodyVerifier),
    /// The key of a request that is complete.
    AwaitingKeys(Box<Late>),
    /// The comparison of a large body.
    Comparing(Box<Comparison>),
    SeveralLookUps(Box<Several>),
    SeveralReads(Box<Several>),
    SeveralComparisons(Box<Several>),
    SeveralKeys(Box<Several>),
    /// A refused request that is passed on with its body.
    Passing(Box<Passing>),
    Done,
}

/// Keeps the body of a request that is passed on.
pub(crate) struct Passing {
    rejection: Rejection,
    endpoint: Arc<Endpoint>,
    buffer: Buffer,
}

/// Yields after this many frames of a body that is never pending.
const FRAMES_AT_ONCE: usize = 64;

impl<B> Verification<B> {
    pub(crate) fn new(
        step: Step,
        body: B,
        timeouts: Timeouts,
        shadow: Option<&Arc<Endpoint>>,
    ) -> Self {
        Self {
            body,
            step,
            deadline: None,
            timeouts,
            shadow: shadow.cloned(),
        }
    }
}

impl Step {
    /// Checks the head for one endpoint, or for several of which one has to accept the request.
    /// `at_least` is the known minimum length of the body.
    pub(crate) fn begin(
        endpoints: &[Arc<Endpoint>],
        shadow: Option<&Arc<Endpoint>>,
        head: &Head<'_>,
        at_least: u64,
        now: SystemTime,
    ) -> Result<Self, Rejection> {
        let step = match endpoints {
            [endpoint] => Self::begin_one(endpoint, head, at_least, now),
            _ => Self::begin_any(endpoints, shadow, head, at_least, now),
        };
        step.or_else(|rejection| passing(rejection, shadow))
    }

    fn begin_one(
        endpoint: &Arc<Endpoint>,
        head: &Head<'_>,
        at_least: u64,
        now: SystemTime,
    ) -> Result<Self, Rejection> {
        let checked = CheckedHead::new(endpoint, head, at_least, now)?;
        if endpoint.late_keys.is_some() {
            let request = checked.without_keys();
            if !endpoint.is_decided_by_head {
                return Ok(Self::Reading(request));
            }
            let comparison = request.compare_head();
            return match comparison.ask_for_keys() {
                Some(keys) => Ok(Self::AwaitingKeysOfHead(Late::new(comparison, keys))),
                None => comparison.condemn().map(Self::Reading),
            };
        }
        Ok(match &endpoint.source {
            None => Self::Reading(checked.with_keys(&endpoint.keys)?),
            Some(source) => {
                let request = KeyRequest::new(head);
                let keys = source.keys(&request);
                Self::LookingUp(checked, keys, request.into_asked())
            }
        })
    }

    /// Apart from [`begin`](Self::begin), because most layers have one endpoint.
    #[inline(never)]
    fn begin_any(
        endpoints: &[Arc<Endpoint>],
        shadow: Option<&Arc<Endpoint>>,
        head: &Head<'_>,
        at_least: u64,
        now: SystemTime,
    ) -> Result<Self, Rejection> {
        let members =
            endpoints.iter().map(
                |endpoint| match Self::begin_one(endpoint, head, at_least, now) {
                    Ok(Self::LookingUp(checked, keys, asked)) => {
                        Member::LookingUp(checked, keys, asked)
                    }
                    Ok(Self::AwaitingKeysOfHead(late)) => Member::AwaitingKeysOfHead(late),
                    Ok(Self::Reading(request)) => Member::Reading(request),
                    Ok(_) => unreachable!("one endpoint begins with its keys or with the body"),
                    Err(rejection) => Member::Refused(rejection),
                },
            );
        let several = Several::new(members.collect(), shadow)?;
        Ok(Self::SeveralLookUps(Box::new(several)))
    }
}

/// Goes on to the body of a request that is passed on although it is refused.
fn passing(rejection: Rejection, shadow: Option<&Arc<Endpoint>>) -> Result<Step, Rejection> {
    match shadow.filter(|_| rejection.is_of_signature()) {
        Some(endpoint) => Ok(Step::Passing(Box::new(Passing {
            rejection,
            buffer: Buffer::new(endpoint.max_body, None),
            endpoint: Arc::clone(endpoint),
        }))),
        None => Err(rejection),
    }
}

impl<B> Future for Verification<B>
where
    B: Body<Data: Buf, Error: Into<Box<dyn Error + Send + Sync>>>,
{
    type Output = Result<VerifiedEvent, Refusal>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            let next = match this.step {
                Step::LookingUp(head, answer, asked) => {
                    let tenant = match answer.as_mut().poll(cx) {
                        Poll::Ready(answer) => looked_up(head, asked, answer),
                        Poll::Pending => {
                            ready!(poll_deadline(
                                this.deadline.as_mut(),
                                this.timeouts.keys,
                                cx
                            ));
                            Err(late_keys(head, asked))
                        }
                    };
                    this.deadline.set(None);
                    let Step::LookingUp(head, _, asked) = mem::replace(this.step, Step::Done)
                    else {
                        unreachable!("the step was a look-up");
                    };
                    let read =
                        tenant.and_then(|tenant| head.with_looked_up(tenant.as_ref(), asked));
                    read.map(Step::Reading)
                }
                Step::AwaitingKeysOfHead(late) => {
                    let timeout = this.timeouts.keys;
                    let added = ready!(poll_late(late, this.deadline.as_mut(), timeout, cx));
                    this.deadline.set(None);
                    let Step::AwaitingKeysOfHead(late) = mem::replace(this.step, Step::Done) else {
                        unreachable!("the step was waiting for keys");
                    };
                    let read = added.and_then(|()| late.comparison.condemn());
                    read.map(Step::Reading)
                }
                Step::Reading(request) => {
                    let (body, deadline) = (this.body.as_mut(), this.deadline.as_mut());
                    let read = poll_read(body, request, deadline, this.timeouts.read, cx);
                    if let Err(rejection) = ready!(read) {
                        return Poll::Ready(Err(rejection.into()));
                    }
                    let work = request.received().saturating_mul(request.hash_count());
                    this.deadline.set(None);
                    let Step::Reading(request) = mem::replace(this.step, Step::Done) else {
                        unreachable!("the step was the reading");
                    };
                    let mut comparison = request.compare();
                    match comparison.ask_for_keys() {
                        Some(keys) => Ok(Step::AwaitingKeys(Late::new(comparison, keys))),
                        None if work <= HASHED_AT_ONCE => {
                            while comparison.step() {}
                            let shadow = this.shadow.as_ref();
                            let concluded = comparison.conclude();
                            let event = concluded.map_err(|refused| refusal(refused, shadow))?;
                            return Poll::Ready(Ok(event));
                        }
                        None => Ok(Step::Comparing(Box::new(comparison))),
                    }
                }
                Step::AwaitingKeys(late) => {
                    let timeout = this.timeouts.keys;
                    let added = ready!(poll_late(late, this.deadline.as_mut(), timeout, cx));
                    let Step::AwaitingKeys(late) = mem::replace(this.step, Step::Done) else {
                        unreachable!("the step was waiting for keys");
                    };
                    match added {
                        Ok(()) => Ok(Step::Comparing(Box::new(late.comparison))),
                        // The body was read, so it is not passed on by reading it.
                        Err(rejection) => return Poll::Ready(Err(rejection.into())),
                    }
                }
                Step::Comparing(comparison) => {
                    ready!(poll_comparison(comparison, cx));
                    let Step::Comparing(comparison) = mem::replace(this.step, Step::Done) else {
                        unreachable!("the step was the comparison");
                    };
                    let shadow = this.shadow.as_ref();
                    let concluded = comparison.conclude();
                    let event = concluded.map_err(|refused| refusal(refused, shadow))?;
                    return Poll::Ready(Ok(event));
                }
                Step::SeveralLookUps(several) => {
                    let keys = match several.poll_keys(cx) {
                        Poll::Ready(keys) => keys,
                        Poll::Pending => {
                            ready!(poll_deadline(
                                this.deadline.as_mut(),
                                this.timeouts.keys,
                                cx
                            ));
                            several.expire(late_keys)
                        }
                    };
                    this.deadline.set(None);
                    let Step::SeveralLookUps(several) = mem::replace(this.step, Step::Done) else {
                        unreachable!("the step was the look-ups");
                    };
                    keys.map(|()| Step::SeveralReads(several))
                }
                Step::SeveralReads(several) => {
                    let (body, deadline) = (this.body.as_mut(), this.deadline.as_mut());
                    let read = poll_read(body, &mut **several, deadline, this.timeouts.read, cx);
                    if let Err(rejection) = ready!(read) {
                        return Poll::Ready(Err(rejection.into()));
                    }
                    let Step::SeveralReads(mut several) = mem::replace(this.step, Step::Done)
                    else {
                        unreachable!("the step was the reading");
                    };
                    several.compare();
                    Ok(Step::SeveralComparisons(several))
                }
                Step::SeveralComparisons(several) => {
                    let compared = ready!(several.poll_comparison(cx));
                    let Step::SeveralComparisons(mut several) = mem::replace(this.step, Step::Done)
                    else {
                        unreachable!("the step was the comparisons");
                    };
                    if let Some(compared) = compared {
                        let shadow = this.shadow.as_ref();
                        let event = compared.map_err(|refused| refusal(refused, shadow))?;
                        return Poll::Ready(Ok(event));
                    }
                    this.deadline.set(None);
                    several.ask_for_keys();
                    Ok(Step::SeveralKeys(several))
                }
                Step::SeveralKeys(several) => {
                    if several.poll_late(cx).is_pending() {
                        let (deadline, timeout) = (this.deadline.as_mut(), this.timeouts.keys);
                        ready!(poll_deadline(deadline, timeout, cx));
                        several.expire_late();
                    }
                    let Step::SeveralKeys(several) = mem::replace(this.step, Step::Done) else {
                        unreachable!("the step was waiting for keys");
                    };
                    Ok(Step::SeveralComparisons(several))
                }
                Step::Passing(passing) => {
                    let (body, deadline) = (this.body.as_mut(), this.deadline.as_mut());
                    let read = poll_read(body, &mut **passing, deadline, this.timeouts.read, cx);
                    if let Err(rejection) = ready!(read) {
                        return Poll::Ready(Err(rejection.into()));
                    }
                    let Step::Passing(mut passing) = mem::replace(this.step, Step::Done) else {
                        unreachable!("the step was the reading");
                    };
                    let body = passing.buffer.take();
                    return Poll::Ready(Err(Refusal {
                        rejection: passing.rejection,
                        passed_on: Some(body.clone()),
                        read: Some(body),
                    }));
                }
                Step::Done => unreachable!("a verification is polled after it has ended"),
            };
            *this.step = next.or_else(|rejection| passing(rejection, this.shadow.as_ref()))?;
        }
    }
}

impl From<Rejection> for Refusal {
    fn from(rejection: Rejection) -> Self {
        Self {
            rejection,
            passed_on: None,
            read: None,
        }
    }
}

/// The refusal of a request whose body was read.
#[cold]
fn refusal(Refused { rejection, body }: Refused, shadow: Option<&Arc<Endpoint>>) -> Refusal {
    Refusal {
        passed_on: shadow
            .filter(|_| rejection.is_of_signature())
            .map(|_| body.clone()),
        read: Some(body),
        rejection,
    }
}

impl Reader for Passing {
    fn hash_count(&self) -> usize {
        1
    }

    fn update(&mut self, frame: Bytes) -> Result<(), Rejection> {
        if self.buffer.push(frame, |_| ()) {
            Ok(())
        } else {
            Err(self.reject_for(self.endpoint.too_large()))
        }
    }

    fn reject_for(&self, reason: Reason) -> Rejection {
        Rejection::new(reason, &self.endpoint.labels)
    }
}

/// Passes frames on until the body ends, or until the time for it is up.
pub(crate) fn poll_read<B>(
    body: Pin<&mut B>,
    request: &mut impl Reader,
    deadline: Pin<&mut Option<Sleep>>,
    timeout: Duration,
    cx: &mut Context<'_>,
) -> Poll<Result<(), Rejection>>
where
    B: Body<Data: Buf, Error: Into<Box<dyn Error + Send + Sync>>>,
{
    if let Poll::Ready(read) = poll_body(body, request, cx) {
        return Poll::Ready(read);
    }
    ready!(poll_deadline(deadline, timeout, cx));
    let reason = Reason::new(RejectionKind::ReadTimeout);
    Poll::Ready(Err(request.reject_for(reason)))
}

/// Passes frames on until the body ends or is pending.
fn poll_body<B>(
    mut body: Pin<&mut B>,
    request: &mut impl Reader,
    cx: &mut Context<'_>,
) -> Poll<Result<(), Rejection>>
where
    B: Body<Data: Buf, Error: Into<Box<dyn Error + Send + Sync>>>,
{
    let hashes = request.hash_count();
    let mut hashed: usize = 0;
    for _ in 0..FRAMES_AT_ONCE {
        if hashed >= HASHED_AT_ONCE {
            break;
        }
        match ready!(body.as_mut().poll_frame(cx)) {
            Some(Ok(frame)) => {
                // Trailers are not signed.
                if let Ok(mut data) = frame.into_data() {
                    hashed = hashed.saturating_add(data.remaining().saturating_mul(hashes));
                    request.update(data.copy_to_bytes(data.remaining()))?;
                }
                if body.is_end_stream() {
                    return Poll::Ready(Ok(()));
                }
            }
            Some(Err(error)) => {
                return Poll::Ready(Err(request.reject_for(failure(&*error.into()))));
            }
            None => return Poll::Ready(Ok(())),
        }
    }
    cx.waker().wake_by_ref();
    Poll::Pending
}

/// Ready when the time is up.
pub(crate) fn poll_deadline(
    mut deadline: Pin<&mut Option<Sleep>>,
    timeout: Duration,
    cx: &mut Context<'_>,
) -> Poll<()> {
    if deadline.is_none() {
        deadline.set(Some(tokio::time::sleep(timeout)));
    }
    let Some(deadline) = deadline.as_pin_mut() else {
        unreachable!("the deadline was set above");
    };
    // A body that uses up tokio's cooperative budget would keep the timer from being polled.
    if Instant::now() >= deadline.deadline() {
        return Poll::Ready(());
    }
    deadline.poll(cx)
}

/// Ready when the comparison has its keys, or when the time for them is up.
fn poll_late(
    late: &mut Late,
    deadline: Pin<&mut Option<Sleep>>,
    timeout: Duration,
    cx: &mut Context<'_>,
) -> Poll<Result<(), Rejection>> {
    if let Poll::Ready(added) = late.poll(cx) {
        return Poll::Ready(added);
    }
    ready!(poll_deadline(deadline, timeout, cx));
    Poll::Ready(Err(late.comparison.refuse_late()))
}

/// The error of a body that a limit of the framework cut off.
#[derive(Debug)]
pub(crate) struct TooLong;

impl fmt::Display for TooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the body is longer than the limit of an outer layer")
    }
}

impl Error for TooLong {}

/// The limit of an outer layer is somewhere in the chain of the body's error.
fn failure(error: &(dyn Error + 'static)) -> Reason {
    let mut next = Some(error);
    while let Some(error) = next {
        let io = error.downcast_ref::<io::Error>();
        if io.is_some_and(|io| io.kind() == io::ErrorKind::TimedOut) {
            return Reason::new(RejectionKind::ReadTimeout);
        }
        if error.is::<LengthLimitError>() || error.is::<TooLong>() {
            return Reason::new(RejectionKind::BodyTooLarge).hint(Hint::OuterLimit);
        }
        next = error.source();
    }
    Reason::new(RejectionKind::BodyIncomplete)
}

#[cfg(test)]
mod tests {
    use std::{future::ready, task::Waker};

    use bytes::Bytes;
    use http_body_util::Full;

    use super::*;
    use crate::{
        Provider, Secret, Signer, Verifier,
        crypto::hasher::counters,
        keys::{KeySet, KeySourceError, Tenant, source_fn},
        providers,
    };

    const TIMEOUTS: Timeouts = Timeouts {
        keys: Duration::from_secs(5),
        read: Duration::from_secs(10),
    };

    /// The result and the hashes of a request whose body is not the signed one.
    fn cost(
        provider: &Provider,
        tenant: Result<Option<Tenant>, KeySourceError>,
    ) -> (RejectionKind, (usize, usize)) {
        let secret = Secret::new("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD");
        let signer = Signer::new(provider.clone(), secret).unwrap();
        let now = SystemTime::UNIX_EPOCH;
        let request = http::Request::post("/").header("svix-id", "msg");
        let signed = signer.with_time(now).sign(request, "{}").unwrap();
        let (head, _) = signed.into_parts();
        let tenant = std::sync::Mutex::new(Some(tenant));
        let source = source_fn(move |_| ready(tenant.lock().unwrap().take().unwrap()));
        let verifier = Verifier::from_key_source(provider.clone(), source).unwrap();
        counters::take();
        let body = Full::<Bytes>::from("x".repeat(10_000));
        let head = Head::from(&head);
        let step = Step::begin(&[Arc::clone(verifier.shared())], None, &head, 0, now);
        let verification = Verification::new(step.unwrap(), body, TIMEOUTS, None);
        let verification = std::pin::pin!(verification);
        let mut cx = Context::from_waker(Waker::noop());
        let Poll::Ready(Err(Refusal { rejection, .. })) = verification.poll(&mut cx) else {
            panic!("it is refused at once");
        };
        (rejection.kind(), counters::take())
    }

    #[test]
    fn an_unknown_tenant_costs_the_hashes_of_a_wrong_signature() {
        let authenteq = providers::authenteq().with_param("client_id", "client");
        for provider in [providers::svix(), providers::github(), authenteq] {
            let secret = Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
            let secrets = KeySet::new(&provider, secret).unwrap();
            let known = cost(&provider, Ok(Some(Tenant::new("acme", secrets))));
            let unknown = cost(&provider, Ok(None));
            assert_eq!(known.0, RejectionKind::SignatureMismatch);
            assert_eq!(unknown.0, RejectionKind::UnknownTenant);
            assert!(known.1.0 >= 10_000, "the body is hashed");
            // A key of another length changes the padding of a plain digest.
            assert!(
                known.1.0.abs_diff(unknown.1.0) < 64,
                "{known:?} {unknown:?}"
            );
            assert_eq!(known.1.1, unknown.1.1);
        }
    }

    /// The polls and the result of a request whose body comes in frames of this size.
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
        let (head, now) = (Head::from(&head), SystemTime::UNIX_EPOCH);
        let step = Step::begin(&[Arc::clone(verifier.shared())], None, &head, 0, now);
        let verification = Verification::new(step.unwrap(), body, TIMEOUTS, None);
        let mut verification = std::pin::pin!(verification);
        let mut cx = Context::from_waker(Waker::noop());
        for polls in 1..1000 {
            if let Poll::Ready(verdict) = verification.as_mut().poll(&mut cx) {
                let Err(refusal) = verdict else {
                    panic!("it is refused")
                };
                return (polls, refusal.rejection.kind());
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
    async fn work_for_a_large_body_leaves_the_thread_to_others() {
        const MIB: usize = 1 << 20;
        for (keys, size, frame, expected) in [
            (1, 100, 100, 1),
            (8, 100_000, 100_000, 1),
            (1, MIB, MIB, 2),
            // One poll to read, and one per key.
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
        assert_eq!(failed, (RejectionKind::KeySourceFailed, (0, 0)));
    }
}
