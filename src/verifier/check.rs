//! The check of one request: it keeps and hashes the body, and is the only origin of a verified event.

use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use bytes::Bytes;

use super::{
    Gate,
    buffer::Buffer,
    proof::{Party, Proof},
    trial::{Running, Trial, trials},
};
use crate::{
    Rejection, Secrets, VerifiedEvent,
    rejection::{Reason, RejectionKind},
    scheme::{Bodied, Hasher},
};

/// One request on its way: feed it the frames of the body, then [`finish`](Self::finish).
///
/// It is the only buffer, so the bytes that were hashed are the bytes of the event.
#[must_use = "a check proves nothing until it is finished"]
pub struct Check {
    proof: Arc<Proof>,
    party: Party,
    /// `None` for the endpoint's own.
    secrets: Option<Secrets>,
    running: Option<Box<Running>>,
    buffer: Buffer,
}

impl Check {
    pub(super) fn new(Gate { proof }: Gate, party: Party, secrets: &Secrets) -> Self {
        let own = secrets.is(&proof.shared.secrets);
        Self {
            party,
            secrets: (!own).then(|| secrets.clone()),
            running: None,
            buffer: Buffer::new(proof.shared.max_body, proof.declared),
            proof,
        }
    }

    fn secrets(&self) -> &Secrets {
        self.secrets.as_ref().unwrap_or(&self.proof.shared.secrets)
    }

    /// Keeps the next frame of the body, and hashes it at once unless it may be all of the body. A body of one frame is never
    /// copied.
    ///
    /// # Errors
    ///
    /// [`RejectionKind::BodyTooLarge`] when the body is longer than the limit.
    pub fn update(&mut self, frame: Bytes) -> Result<(), Rejection> {
        let Some(frame) = self.buffer.admit(frame) else {
            return Err(self.reject(RejectionKind::BodyTooLarge));
        };
        let Self {
            proof,
            secrets,
            running,
            buffer,
            ..
        } = self;
        let secrets = secrets.as_ref().unwrap_or(&proof.shared.secrets);
        buffer.push(frame, |piece| {
            let running =
                running.get_or_insert_with(|| Box::new(Running::new(trials(proof, secrets))));
            running.update(piece)
        });
        Ok(())
    }

    /// Compares every key's hash with every signature of the head, in constant time.
    ///
    /// # Errors
    ///
    /// [`RejectionKind::SignatureMismatch`] when no key makes any of the signatures,
    /// [`RejectionKind::KeyOutsideWindow`] when only a key does that is not valid now,
    /// [`RejectionKind::MalformedBody`] when the body lacks a value that is signed,
    /// [`RejectionKind::BodyTaken`] when nothing arrived of a body that `Content-Length` announced,
    /// [`RejectionKind::UnknownTenant`] whenever the tenant does not exist.
    pub fn finish(mut self) -> Result<VerifiedEvent, Rejection> {
        let bodied = self.take_body();
        let mut outcome = Outcome::new();
        let running = self.running.as_deref();
        let trials = trials(&self.proof, self.secrets()).enumerate();
        trials.for_each(|(number, trial)| {
            outcome.add(
                &trial,
                running.and_then(|running| running.hasher(number)),
                &bodied,
            );
        });
        self.end(bodied, outcome)
    }

    /// As [`finish`](Self::finish), in steps.
    pub(crate) fn compare(mut self) -> Comparison {
        Comparison {
            bodied: self.take_body(),
            check: self,
            next: 0,
            outcome: Outcome::new(),
        }
    }

    fn take_body(&mut self) -> Bodied {
        let body = self.buffer.take();
        let digest = self.running.as_mut().and_then(|running| running.digest());
        Bodied::new(body, &self.proof.shared.body, digest)
    }

    fn end(mut self, bodied: Bodied, outcome: Outcome) -> Result<VerifiedEvent, Rejection> {
        let Outcome { matched, mut kind } = outcome;
        let (body, digest) = bodied.into_parts();
        match (matched, &self.party) {
            (Some((place, key_id)), Party::Endpoint | Party::Tenant(_)) => {
                // Nobody else has the proof yet.
                if let Some(proof) = Arc::get_mut(&mut self.proof) {
                    (proof.place, proof.key_id, proof.body) = (place, key_id, body);
                    if let Some(digest) = digest {
                        proof.body_sha256 = OnceLock::from(digest);
                    }
                    proof.party = self.party;
                    return Ok(VerifiedEvent::proven(self.proof));
                }
            }
            (_, Party::Unknown) => kind = RejectionKind::UnknownTenant,
            (None, Party::Endpoint | Party::Tenant(_)) => {}
        }
        let reason = Reason::new(kind)
            .of(self.party.tenant())
            .of_body(body.len(), self.proof.declared);
        Err(Rejection::new(reason, &self.proof.shared))
    }

    /// How many hashes each byte of the body goes into.
    pub(crate) fn hashes(&self) -> usize {
        let keys = self.secrets().keys().len();
        keys.saturating_mul(self.proof.admitted.len()).max(1)
    }

    /// How many bytes have arrived.
    pub(crate) fn received(&self) -> usize {
        self.buffer.len()
    }

    pub(crate) fn reject(&self, kind: RejectionKind) -> Rejection {
        Rejection::new(
            Reason::new(kind).of(self.party.tenant()),
            &self.proof.shared,
        )
    }
}

/// What the keys that were tried have shown.
struct Outcome {
    /// The construction and the key of the first trial that matched.
    matched: Option<(usize, Option<Arc<str>>)>,
    /// Why the request is refused if none does.
    kind: RejectionKind,
}

impl Outcome {
    fn new() -> Self {
        Self {
            matched: None,
            kind: RejectionKind::MalformedBody,
        }
    }

    /// Tries one key, whether or not one has matched before.
    fn add(&mut self, trial: &Trial<'_>, begun: Option<&Hasher>, bodied: &Bodied) {
        let Some(tag) = trial.tag(begun, bodied) else {
            return;
        };
        let right = trial.passed.candidates.contain(&tag);
        match (right, trial.key.valid_at(trial.received)) {
            (true, true) => {
                self.matched
                    .get_or_insert_with(|| (trial.place, trial.key.id.clone()));
            }
            (true, false) => self.kind = RejectionKind::KeyOutsideWindow,
            (false, _) if self.kind == RejectionKind::MalformedBody => {
                self.kind = RejectionKind::SignatureMismatch;
            }
            (false, _) => {}
        }
    }
}

/// The comparison of one request with each key under each construction, a step at a time.
pub(crate) struct Comparison {
    check: Check,
    bodied: Bodied,
    /// The number of the next trial.
    next: usize,
    outcome: Outcome,
}

impl Comparison {
    /// The length of the body.
    pub(crate) fn len(&self) -> usize {
        self.bodied.bytes().len()
    }

    /// Tries the next key, and says whether there was one.
    pub(crate) fn step(&mut self) -> bool {
        let Check { proof, running, .. } = &self.check;
        let Some(trial) = trials(proof, self.check.secrets()).nth(self.next) else {
            return false;
        };
        let begun = running.as_ref();
        let begun = begun.and_then(|running| running.hasher(self.next));
        self.outcome.add(&trial, begun, &self.bodied);
        self.next = self.next.saturating_add(1);
        true
    }

    /// What came of all of them.
    pub(crate) fn verdict(self) -> Result<VerifiedEvent, Rejection> {
        self.check.end(self.bodied, self.outcome)
    }
}

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Check")
            .field("provider", &self.proof.shared.provider().name())
            .field("endpoint", &self.proof.shared.endpoint())
            .field("keys", &self.secrets().keys().len())
            .finish_non_exhaustive()
    }
}
