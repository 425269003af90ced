//! [`Preparing`]: reads or looks up what the answer to a handshake needs, as a future over any body.

use std::{
    error::Error,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::{Buf, Bytes};
use http::Response;
use http_body::Body;
use pin_project_lite::pin_project;
use tokio::time::Sleep;

use crate::{
    challenge::Rule,
    clock::unix_seconds,
    endpoint::Endpoint,
    event::{VerifiedEvent, handshake::HandshakeEvent},
    handshake::decide::{self, After, Decision},
    head::Head,
    keys::source::{KeyFuture, KeyRequest},
    rejection::{Reason, Rejection, kind::RejectionKind},
    tower::options::LayerOptions,
    verify::{
        buffer::Buffer,
        future::{poll_deadline, poll_read},
        steps::Reader,
    },
};

/// The longest body of a handshake that nobody has signed.
const LONGEST_BODY: usize = 8 * 1024;

/// What becomes of a request.
pub(crate) enum Prepared {
    /// It is no handshake.
    Pass,
    Answered(Arc<Endpoint>, Response<Bytes>),
    Refused(Rejection),
    Delivered(After),
    HandedOver(HandshakeEvent, After),
}

impl Prepared {
    fn new(endpoint: &Arc<Endpoint>, decision: Decision) -> Self {
        match decision {
            // Neither is left once body and keys are known.
            Decision::Pass | Decision::NeedsBody { .. } | Decision::NeedsKeys(_) => Self::Pass,
            Decision::Answered(answer) => Self::Answered(Arc::clone(endpoint), answer),
            Decision::Refused(reason) => Self::Refused(Rejection::new(reason, &endpoint.labels)),
            Decision::Delivered(answer) => Self::Delivered(After::new(answer)),
            Decision::HandedOver(handed_over) => {
                Self::HandedOver(handed_over.event, handed_over.after)
            }
        }
    }

    /// What becomes of a request that no endpoint answers: the first refusal, if there is one.
    fn of_nobody(refused: Option<(&Arc<Endpoint>, Reason)>) -> Self {
        refused.map_or(Self::Pass, |(endpoint, reason)| {
            Self::new(endpoint, Decision::Refused(reason))
        })
    }

    /// What becomes of a request that is verified. A delivery is claimed by no safe method, so an
    /// event is not taken by one: a captured event could be repeated.
    pub(crate) fn of_event(event: &VerifiedEvent, head: &Head<'_>) -> Self {
        let endpoint = event.shared();
        let decision = match decide::signed(event, head) {
            Decision::Pass if head.is_safe() && !endpoint.provider.signs_request_line() => {
                Decision::Refused(Reason::new(RejectionKind::MethodNotAllowed))
            }
            decision => decision,
        };
        Self::new(endpoint, decision)
    }
}

/// How a request before its verification proceeds.
pub(crate) enum Begun<B> {
    Decided(Prepared, B),
    Preparing(Preparing<B>),
}

pin_project! {
    pub(crate) struct Preparing<B> {
        #[pin]
        body: B,
        step: Step,
        // The deadline of the step, created when it first waits.
        #[pin]
        deadline: Option<Sleep>,
    }
}

enum Step {
    LookingUp {
        endpoint: Arc<Endpoint>,
        rule: &'static Rule,
        keys: KeyFuture,
        asked: Option<Box<str>>,
    },
    Reading(SmallBody),
}

/// Decides what becomes of a request, as far as its head does. The body is not polled.
pub(crate) fn begin<B: Body>(options: &LayerOptions, head: &Head<'_>, body: B) -> Begun<B> {
    let length = length(head, &body);
    let mut refused = None;
    for endpoint in &*options.endpoints {
        let step = match decide::unsigned(endpoint, head, None) {
            Decision::Pass => continue,
            // Another member of a group may expect it.
            Decision::Refused(reason) => {
                refused.get_or_insert((endpoint, reason));
                continue;
            }
            // A body that is read in part cannot be passed on.
            Decision::NeedsBody { of_event } if length.map_or(of_event, is_long) => continue,
            Decision::NeedsBody { .. } => Step::Reading(SmallBody {
                endpoint: Arc::clone(endpoint),
                buffer: Buffer::new(LONGEST_BODY, None),
            }),
            Decision::NeedsKeys(rule) => match &endpoint.source {
                None => {
                    let now = unix_seconds((options.clock)());
                    let decision = decide::with_keys(endpoint, rule, head, &endpoint.keys, now);
                    return Begun::Decided(Prepared::new(endpoint, decision), body);
                }
                Some(source) => {
                    let request = KeyRequest::new(head);
                    Step::LookingUp {
                        endpoint: Arc::clone(endpoint),
                        rule,
                        keys: source.keys(&request),
                        asked: request.into_asked(),
                    }
                }
            },
            decision => return Begun::Decided(Prepared::new(endpoint, decision), body),
        };
        return Begun::Preparing(Preparing {
            body,
            step,
            deadline: None,
        });
    }
    Begun::Decided(Prepared::of_nobody(refused), body)
}

/// The length of the body at most, if it is known.
fn length<B: Body>(head: &Head<'_>, body: &B) -> Option<u64> {
    let declared = head.header("content-length");
    let declared = declared.and_then(|length| length.parse().ok());
    body.size_hint().upper().or(declared)
}

fn is_long(length: u64) -> bool {
    usize::try_from(length).is_ok_and(|length| length > LONGEST_BODY)
}

impl<B> Preparing<B>
where
    B: Body<Data: Buf, Error: Into<Box<dyn Error + Send + Sync>>>,
{
    /// The decision, and the body if it was read.
    pub(crate) fn poll(
        self: Pin<&mut Self>,
        options: &LayerOptions,
        head: &Head<'_>,
        cx: &mut Context<'_>,
    ) -> Poll<(Prepared, Bytes)> {
        let mut this = self.project();
        match this.step {
            Step::LookingUp {
                endpoint,
                rule,
                keys,
                asked,
            } => {
                let refused = |kind, asked: &mut Option<Box<str>>| {
                    let reason = Reason::new(kind).asking_for(asked.take());
                    Prepared::Refused(Rejection::new(reason, &endpoint.labels))
                };
                let prepared = match keys.as_mut().poll(cx) {
                    Poll::Ready(Ok(Some(tenant))) => {
                        let now = unix_seconds((options.clock)());
                        let decision = decide::with_keys(endpoint, rule, head, tenant.keys(), now);
                        Prepared::new(endpoint, decision)
                    }
                    Poll::Ready(Ok(None)) => refused(RejectionKind::UnknownTenant, asked),
                    Poll::Ready(Err(error)) => {
                        let reason = Reason::new(RejectionKind::KeySourceFailed);
                        let reason = reason.asking_for(asked.take());
                        let error = error.into_inner();
                        Prepared::Refused(Rejection::caused_by(reason, &endpoint.labels, error))
                    }
                    Poll::Pending => {
                        ready!(poll_deadline(this.deadline, options.timeouts.keys, cx));
                        refused(RejectionKind::KeySourceTimeout, asked)
                    }
                };
                Poll::Ready((prepared, Bytes::new()))
            }
            Step::Reading(small) => {
                let timeout = options.timeouts.read;
                let read = ready!(poll_read(
                    this.body.as_mut(),
                    small,
                    this.deadline.as_mut(),
                    timeout,
                    cx
                ));
                if let Err(rejection) = read {
                    return Poll::Ready((Prepared::Refused(rejection), Bytes::new()));
                }
                let body = small.buffer.take();
                Poll::Ready((decide_read(options, head, &body), body))
            }
        }
    }
}

/// What becomes of a request whose body was read.
fn decide_read(options: &LayerOptions, head: &Head<'_>, body: &Bytes) -> Prepared {
    let mut refused = None;
    for endpoint in &*options.endpoints {
        match decide::unsigned(endpoint, head, Some(body)) {
            // A group has no member whose answers are MACs.
            Decision::Pass | Decision::NeedsBody { .. } | Decision::NeedsKeys(_) => {}
            Decision::Refused(reason) => {
                refused.get_or_insert((endpoint, reason));
            }
            decision => return Prepared::new(endpoint, decision),
        }
    }
    Prepared::of_nobody(refused)
}

/// A body that is read before it is verified.
struct SmallBody {
    endpoint: Arc<Endpoint>,
    buffer: Buffer,
}

impl Reader for SmallBody {
    fn hash_count(&self) -> usize {
        1
    }

    fn update(&mut self, frame: Bytes) -> Result<(), Rejection> {
        if self.buffer.push(frame, |_| ()) {
            Ok(())
        } else {
            Err(self.reject_for(Reason::new(RejectionKind::BodyTooLarge)))
        }
    }

    fn reject_for(&self, reason: Reason) -> Rejection {
        Rejection::new(reason, &self.endpoint.labels)
    }
}
