//! The check of one request: it keeps and hashes the body, and is the only origin of a verified event.

use std::{fmt, sync::Arc};

use bytes::Bytes;

use super::{
    Gate,
    buffer::Buffer,
    proof::{Party, Proof},
    trial::{Running, trials},
};
use crate::{
    Rejection, Secrets, VerifiedEvent,
    rejection::{Reason, RejectionKind},
    scheme::Bodied,
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
        let body = self.buffer.take();
        let digest = self.running.as_mut().and_then(|running| running.digest());
        let bodied = Bodied::new(&body, digest);
        let secrets = self.secrets();

        let mut matched = None;
        let mut kind = RejectionKind::MalformedBody;
        let trials = trials(&self.proof, secrets).enumerate();
        trials.for_each(|(number, trial)| {
            let begun = self.running.as_ref();
            let begun = begun.and_then(|running| running.hasher(number));
            let Some(tag) = trial.tag(begun, &bodied) else {
                return;
            };
            let right = trial.passed.candidates.contain(&tag);
            match (right, trial.key.valid_at(self.proof.received)) {
                (true, true) => {
                    matched.get_or_insert((trial.place, &trial.key.id));
                }
                (true, false) => kind = RejectionKind::KeyOutsideWindow,
                (false, _) if kind == RejectionKind::MalformedBody => {
                    kind = RejectionKind::SignatureMismatch;
                }
                (false, _) => {}
            }
        });
        let matched = matched.map(|(place, id)| (place, id.clone()));
        match (matched, &self.party) {
            (Some((place, key_id)), Party::Endpoint | Party::Tenant(_)) => {
                // Nobody else has the proof yet.
                if let Some(proof) = Arc::get_mut(&mut self.proof) {
                    (proof.place, proof.key_id, proof.body) = (place, key_id, body);
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

    pub(crate) fn reject(&self, kind: RejectionKind) -> Rejection {
        Rejection::new(
            Reason::new(kind).of(self.party.tenant()),
            &self.proof.shared,
        )
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
