//! The running check of one request: it hashes and keeps the body, and is the only origin of a verified event.

use std::{fmt, sync::Arc};

use bytes::Bytes;
use sha2::Digest;

use super::{
    Gate,
    proof::{Party, Proof, Run, Work},
};
use crate::{
    Rejection, Secrets, VerifiedEvent,
    rejection::{Reason, RejectionKind},
    scheme::{Admitted, Bodied, CompiledScheme},
    shared::Shared,
};

/// One request on its way: feed it the frames of the body, then [`finish`](Self::finish).
///
/// It is the only buffer, so the bytes that were hashed are the bytes of the event.
#[must_use = "a check proves nothing until it is finished"]
pub struct Check {
    proof: Arc<Proof>,
}

impl Check {
    pub(super) fn new(gate: Gate, party: Party, secrets: &Secrets) -> Result<Self, Rejection> {
        let mut check = Self { proof: gate.proof };
        // Nobody else has it yet.
        let Some(proof) = Arc::get_mut(&mut check.proof) else {
            return Err(check.reject(RejectionKind::NoValidKey));
        };
        proof.party = party;
        let Work { runs, digest, .. } = &mut proof.work;
        let mut clear = true;
        for (place, (index, passed)) in proof.admitted.iter().enumerate() {
            let Some(scheme) = proof.shared.scheme(*index) else {
                continue;
            };
            if scheme.content.digests_body() {
                digest.get_or_insert_default();
            }
            for key in secrets.keys() {
                let Some(scheduled) = key.schedule(*index) else {
                    continue;
                };
                let mut hasher = scheduled.hasher.clone();
                let values = passed.values(&scheduled.key);
                clear &= scheme.content.begin(&mut hasher, values).is_some();
                runs.push(Run {
                    admitted: place,
                    hasher,
                    key: scheduled.key.clone(),
                    id: key.id.clone(),
                    valid: key.valid_at(proof.received),
                });
            }
        }
        if clear {
            Ok(check)
        } else {
            Err(check.reject(RejectionKind::MalformedHeader))
        }
    }

    /// Hashes and keeps the next frame of the body. A body of one frame is never copied.
    ///
    /// # Errors
    ///
    /// [`RejectionKind::BodyTooLarge`] when the body is longer than the limit.
    pub fn update(&mut self, frame: Bytes) -> Result<(), Rejection> {
        let Some(proof) = Arc::get_mut(&mut self.proof) else {
            return Err(self.reject(RejectionKind::BodyIncomplete));
        };
        let Work {
            runs,
            digest,
            buffer,
        } = &mut proof.work;
        let Some(frame) = buffer.admit(frame) else {
            return Err(self.reject(RejectionKind::BodyTooLarge));
        };
        for run in runs {
            if run
                .scheme(&proof.admitted, &proof.shared)
                .is_some_and(|scheme| scheme.content.streams)
            {
                run.hasher.update(&frame);
            }
        }
        if let Some(digest) = digest {
            digest.update(&frame);
        }
        buffer.push(frame);
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
        let Some(proof) = Arc::get_mut(&mut self.proof) else {
            return Err(self.reject(RejectionKind::BodyIncomplete));
        };
        let sha256 = proof.work.digest.take().map(|digest| digest.finalize());
        proof.body = proof.work.buffer.take();
        let bodied = Bodied {
            body: &proof.body,
            sha256: sha256.as_ref().map(|digest| digest.as_slice()),
        };

        let mut matched = false;
        let mut kind = RejectionKind::MalformedBody;
        for run in proof.work.runs.drain(..) {
            let Some((_, passed)) = proof.admitted.get(run.admitted) else {
                continue;
            };
            let Some(scheme) = run.scheme(&proof.admitted, &proof.shared) else {
                continue;
            };
            let mut hasher = run.hasher;
            let values = passed.values(&run.key);
            if scheme
                .content
                .complete(&mut hasher, values, bodied)
                .is_none()
            {
                continue;
            }
            let right = passed.candidates.contain(&hasher.finish());
            match (right, run.valid) {
                (true, true) if !matched => {
                    (matched, proof.place, proof.key_id) = (true, run.admitted, run.id);
                }
                (true, true) => {}
                (true, false) => kind = RejectionKind::KeyOutsideWindow,
                (false, _) if kind == RejectionKind::MalformedBody => {
                    kind = RejectionKind::SignatureMismatch;
                }
                (false, _) => {}
            }
        }
        match (matched, &proof.party) {
            (true, Party::Endpoint | Party::Tenant(_)) => {
                return Ok(VerifiedEvent::proven(self.proof));
            }
            (_, Party::Unknown) => kind = RejectionKind::UnknownTenant,
            (false, Party::Endpoint | Party::Tenant(_)) => {}
        }
        let reason = Reason::new(kind)
            .of(proof.party.tenant())
            .of_body(proof.body.len(), proof.declared);
        Err(Rejection::new(reason, &proof.shared))
    }

    pub(crate) fn reject(&self, kind: RejectionKind) -> Rejection {
        let Proof { shared, party, .. } = &*self.proof;
        Rejection::new(Reason::new(kind).of(party.tenant()), shared)
    }
}

impl Run {
    fn scheme<'s>(
        &self,
        admitted: &[(usize, Admitted)],
        shared: &'s Shared,
    ) -> Option<&'s CompiledScheme> {
        shared.scheme(admitted.get(self.admitted)?.0)
    }
}

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Check")
            .field("provider", &self.proof.shared.provider().name())
            .field("endpoint", &self.proof.shared.endpoint())
            .field("keys", &self.proof.work.runs.len())
            .finish_non_exhaustive()
    }
}
