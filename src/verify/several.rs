//! [`Several`]: one request checked for several endpoints, of which one has to accept it.

use std::{
    mem,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;

use crate::{
    endpoint::Endpoint,
    event::VerifiedEvent,
    keys::source::KeyFuture,
    rejection::{Reason, Rejection},
    verify::{
        body::{BodyVerifier, Comparison, Refused},
        buffer::Buffer,
        head::CheckedHead,
        steps::{Late, Reader, looked_up, poll_comparison},
    },
};

/// The members of a group, in the order of their names, so that no result depends on another order.
pub(crate) struct Several {
    members: Vec<Member>,
    /// The body for a request that is passed on although no member accepts it. A member keeps its
    /// own no longer than it can accept the request.
    passed_on: Option<(Arc<Endpoint>, Buffer)>,
    /// The body that a member has refused.
    read: Bytes,
}

pub(crate) enum Member {
    /// While a member goes from one step to the next.
    Between,
    LookingUp(CheckedHead, KeyFuture, Option<Box<str>>),
    /// The key of a request whose head has all that is signed.
    AwaitingKeysOfHead(Box<Late>),
    Reading(BodyVerifier),
    Comparing(Box<Comparison>),
    /// A comparison whose keys are got if no other member accepts the request.
    Unkeyed(Box<Comparison>),
    AwaitingKeys(Box<Late>),
    Verified(VerifiedEvent),
    Refused(Rejection),
}

impl Several {
    /// Fails if no member is left. `shadow` is the endpoint whose limit applies to a request that
    /// is passed on although it is not verified.
    pub(crate) fn new(
        members: Vec<Member>,
        shadow: Option<&Arc<Endpoint>>,
    ) -> Result<Self, Rejection> {
        let passed_on = shadow.map(|endpoint| {
            let buffer = Buffer::new(endpoint.max_body, None);
            (Arc::clone(endpoint), buffer)
        });
        let mut several = Self {
            members,
            passed_on,
            read: Bytes::new(),
        };
        several.check().map(|()| several)
    }

    /// Polls the key sources until all have answered. Pending ones are refused by `expire`.
    pub(crate) fn poll_keys(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Rejection>> {
        let mut is_pending = false;
        for member in &mut self.members {
            if let Member::AwaitingKeysOfHead(late) = member {
                match late.poll(cx) {
                    Poll::Pending => is_pending = true,
                    Poll::Ready(added) => {
                        let waiting = mem::replace(member, Member::Between);
                        if let Member::AwaitingKeysOfHead(late) = waiting {
                            let read = added.and_then(|()| late.comparison.condemn());
                            *member = read.map_or_else(Member::Refused, Member::Reading);
                        }
                    }
                }
            }
            let Member::LookingUp(head, answer, asked) = member else {
                continue;
            };
            match answer.as_mut().poll(cx) {
                Poll::Pending => is_pending = true,
                Poll::Ready(answer) => {
                    let tenant = looked_up(head, asked, answer);
                    let looked_up = mem::replace(member, Member::Between);
                    if let Member::LookingUp(head, _, asked) = looked_up {
                        let read =
                            tenant.and_then(|tenant| head.with_looked_up(tenant.as_ref(), asked));
                        *member = read.map_or_else(Member::Refused, Member::Reading);
                    }
                }
            }
        }
        if is_pending {
            return Poll::Pending;
        }
        Poll::Ready(self.check())
    }

    /// Refuses every member whose keys have not arrived.
    pub(crate) fn expire(
        &mut self,
        refuse: impl Fn(&CheckedHead, &mut Option<Box<str>>) -> Rejection,
    ) -> Result<(), Rejection> {
        for member in &mut self.members {
            match member {
                Member::LookingUp(head, _, asked) => {
                    *member = Member::Refused(refuse(head, asked));
                }
                Member::AwaitingKeysOfHead(late) => {
                    *member = Member::Refused(late.comparison.refuse_late());
                }
                _ => {}
            }
        }
        self.check()
    }

    /// The refusal, if no member can accept the request.
    fn check(&mut self) -> Result<(), Rejection> {
        let is_refused = |member: &Member| matches!(member, Member::Refused(_));
        if self.members.iter().all(is_refused) {
            return Err(self.furthest());
        }
        Ok(())
    }

    /// The refusal of the member that got furthest; of several, the first by name.
    fn furthest(&mut self) -> Rejection {
        let refused = mem::take(&mut self.members).into_iter();
        let refused = refused.filter_map(|member| match member {
            Member::Refused(rejection) => Some(rejection),
            _ => None,
        });
        let Some(furthest) = Rejection::furthest(refused) else {
            unreachable!("a group has members");
        };
        furthest
    }

    /// Compares for one member after the other, until another task should run. It returns `None` if
    /// it depends on keys that have to be [asked for](Self::ask_for_keys).
    pub(crate) fn poll_comparison(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<VerifiedEvent, Refused>>> {
        for member in &mut self.members {
            if let Member::Comparing(comparison) = member {
                if poll_comparison(comparison, cx).is_pending() {
                    return Poll::Pending;
                }
                let compared = mem::replace(member, Member::Between);
                if let Member::Comparing(comparison) = compared {
                    *member = match comparison.conclude() {
                        Ok(event) => Member::Verified(event),
                        Err(refused) => {
                            self.read = refused.body;
                            Member::Refused(refused.rejection)
                        }
                    };
                }
            }
        }
        let verified = self.members.iter().find_map(|member| match member {
            Member::Verified(event) => Some(event.clone()),
            _ => None,
        });
        let is_unkeyed = |member: &Member| matches!(member, Member::Unkeyed(_));
        if verified.is_none() && self.members.iter().any(is_unkeyed) {
            return Poll::Ready(None);
        }
        Poll::Ready(Some(match verified {
            Some(event) => Ok(event),
            None => Err(Refused {
                rejection: self.furthest(),
                body: match &mut self.passed_on {
                    Some((_, buffer)) => buffer.take(),
                    None => mem::take(&mut self.read),
                },
            }),
        }))
    }

    /// Starts to get the keys of every member that needs some.
    pub(crate) fn ask_for_keys(&mut self) {
        for member in &mut self.members {
            let unkeyed = mem::replace(member, Member::Between);
            *member = match unkeyed {
                Member::Unkeyed(comparison) => match comparison.ask_for_keys() {
                    Some(keys) => Member::AwaitingKeys(Late::new(*comparison, keys)),
                    None => Member::Comparing(comparison),
                },
                other => other,
            };
        }
    }

    /// Ready when every member has its keys, or is refused for want of them.
    pub(crate) fn poll_late(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut is_pending = false;
        for member in &mut self.members {
            let Member::AwaitingKeys(late) = member else {
                continue;
            };
            match late.poll(cx) {
                Poll::Pending => is_pending = true,
                Poll::Ready(Err(rejection)) => *member = Member::Refused(rejection),
                Poll::Ready(Ok(())) => {
                    let waiting = mem::replace(member, Member::Between);
                    if let Member::AwaitingKeys(late) = waiting {
                        *member = Member::Comparing(Box::new(late.comparison));
                    }
                }
            }
        }
        if is_pending {
            Poll::Pending
        } else {
            Poll::Ready(())
        }
    }

    /// Refuses every member whose keys have not arrived.
    pub(crate) fn expire_late(&mut self) {
        for member in &mut self.members {
            if let Member::AwaitingKeys(late) = member {
                *member = Member::Refused(late.comparison.refuse_late());
            }
        }
    }

    /// Ends the reading: every body is complete.
    pub(crate) fn compare(&mut self) {
        for member in &mut self.members {
            let read = mem::replace(member, Member::Between);
            *member = match read {
                Member::Reading(request) => {
                    let comparison = Box::new(request.compare());
                    if comparison.needs_keys() {
                        Member::Unkeyed(comparison)
                    } else {
                        Member::Comparing(comparison)
                    }
                }
                other => other,
            };
        }
    }

    fn reading(&self) -> impl Iterator<Item = &BodyVerifier> {
        self.members.iter().filter_map(|member| match member {
            Member::Reading(request) => Some(request),
            _ => None,
        })
    }
}

impl Reader for Several {
    fn hash_count(&self) -> usize {
        let hashes: usize = self.reading().map(BodyVerifier::hash_count).sum();
        hashes.max(1)
    }

    fn update(&mut self, frame: Bytes) -> Result<(), Rejection> {
        if let Some((endpoint, buffer)) = &mut self.passed_on
            && !buffer.push(frame.clone(), |_| ())
        {
            return Err(Rejection::new(endpoint.too_large(), &endpoint.labels));
        }
        for member in &mut self.members {
            if let Member::Reading(request) = member
                && let Err(rejection) = request.update(frame.clone())
            {
                *member = Member::Refused(rejection);
            }
        }
        match self.passed_on {
            // The rest of the body is for the handler.
            Some(_) => Ok(()),
            None => self.check(),
        }
    }

    fn reject_for(&self, reason: Reason) -> Rejection {
        match (self.reading().next(), &self.passed_on) {
            (Some(first), _) => first.reject_for(reason),
            (None, Some((endpoint, _))) => Rejection::new(reason, &endpoint.labels),
            (None, None) => unreachable!("a body is read only for a member or a handler"),
        }
    }
}
