//! The running check of one request: it hashes and keeps the body, and is the only origin of a verified event.

use std::{fmt, sync::Arc};

use bytes::Bytes;
use sha2::{Digest, Sha256};
use smallvec::SmallVec;
use zeroize::Zeroizing;

use super::{Gate, buffer::Buffer, gate::Party};
use crate::{
    Rejection, Secrets, VerifiedEvent,
    event::Proof,
    rejection::{Reason, RejectionKind},
    scheme::{Admitted, Bodied, CompiledScheme, Hasher},
    shared::Shared,
};

/// One request on its way: feed it the frames of the body, then [`finish`](Self::finish).
///
/// It is the only buffer, so the bytes that were hashed are the bytes of the event.
#[must_use = "a check proves nothing until it is finished"]
pub struct Check {
    shared: Arc<Shared>,
    party: Party,
    admitted: SmallVec<[(usize, Admitted); 1]>,
    runs: SmallVec<[Run; 1]>,
    /// The SHA-256 of the body alone, where some scheme signs it.
    digest: Option<Sha256>,
    buffer: Buffer,
    declared: Option<u64>,
    now: i64,
}

/// One key under one construction.
struct Run {
    /// The place in `admitted`.
    admitted: usize,
    hasher: Hasher,
    key: Zeroizing<Vec<u8>>,
    id: Option<Arc<str>>,
    valid: bool,
}

impl Check {
    pub(super) fn new(gate: Gate, party: Party, secrets: &Secrets) -> Result<Self, Rejection> {
        let Gate {
            shared,
            admitted,
            declared,
            now,
        } = gate;
        let mut runs = SmallVec::new();
        let mut digests = false;
        for (place, (index, passed)) in admitted.iter().enumerate() {
            let Some(scheme) = shared.scheme(*index) else {
                continue;
            };
            digests |= scheme.content.digests_body();
            for key in secrets.keys() {
                let Some(scheduled) = key.schedule(*index) else {
                    continue;
                };
                let mut hasher = scheduled.hasher.clone();
                let values = passed.values(&scheduled.key);
                if scheme.content.begin(&mut hasher, values).is_none() {
                    let reason = Reason::new(RejectionKind::MalformedHeader).of(&party);
                    return Err(Rejection::new(reason, &shared));
                }
                runs.push(Run {
                    admitted: place,
                    hasher,
                    key: scheduled.key.clone(),
                    id: key.id.clone(),
                    valid: key.valid_at(now),
                });
            }
        }
        Ok(Self {
            buffer: Buffer::new(shared.max_body, declared),
            digest: digests.then(Sha256::new),
            shared,
            party,
            admitted,
            runs,
            declared,
            now,
        })
    }

    /// Hashes and keeps the next frame of the body. A body of one frame is never copied.
    ///
    /// # Errors
    ///
    /// [`RejectionKind::BodyTooLarge`] when the body is longer than the limit.
    pub fn update(&mut self, frame: Bytes) -> Result<(), Rejection> {
        let Some(frame) = self.buffer.admit(frame) else {
            return Err(self.reject(RejectionKind::BodyTooLarge));
        };
        for run in &mut self.runs {
            if run
                .scheme(&self.admitted, &self.shared)
                .is_some_and(|scheme| scheme.content.streams)
            {
                run.hasher.update(&frame);
            }
        }
        if let Some(digest) = &mut self.digest {
            digest.update(&frame);
        }
        self.buffer.push(frame);
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
    pub fn finish(self) -> Result<VerifiedEvent, Rejection> {
        let Self {
            shared,
            party,
            mut admitted,
            runs,
            digest,
            buffer,
            declared,
            now,
        } = self;
        let body = buffer.into_bytes();
        let sha256 = digest.map(|digest| digest.finalize());
        let bodied = Bodied {
            body: &body,
            sha256: sha256.as_ref().map(|digest| digest.as_slice()),
        };

        let mut matched: Option<(usize, Option<Arc<str>>)> = None;
        let mut kind = RejectionKind::MalformedBody;
        for run in runs {
            let Some((_, passed)) = admitted.get(run.admitted) else {
                continue;
            };
            let Some(scheme) = run.scheme(&admitted, &shared) else {
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
                (true, true) => {
                    matched.get_or_insert((run.admitted, run.id));
                }
                (true, false) => kind = RejectionKind::KeyOutsideWindow,
                (false, _) if kind == RejectionKind::MalformedBody => {
                    kind = RejectionKind::SignatureMismatch;
                }
                (false, _) => {}
            }
        }
        match (matched, party) {
            (Some((place, key_id)), party @ (Party::Endpoint | Party::Tenant(_)))
                if place < admitted.len() =>
            {
                let (scheme, admitted) = admitted.swap_remove(place);
                let tenant = party.into_tenant();
                let proof = Proof {
                    shared,
                    tenant,
                    scheme,
                    admitted,
                    key_id,
                    received: now,
                };
                Ok(VerifiedEvent::proven(proof, body))
            }
            (_, Party::Unknown) => {
                let reason = Reason::new(RejectionKind::UnknownTenant);
                Err(Rejection::new(reason, &shared))
            }
            (_, party) => {
                let reason = Reason::new(kind).of(&party).of_body(body.len(), declared);
                Err(Rejection::new(reason, &shared))
            }
        }
    }

    pub(crate) fn reject(&self, kind: RejectionKind) -> Rejection {
        Rejection::new(Reason::new(kind).of(&self.party), &self.shared)
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
            .field("provider", &self.shared.provider().name())
            .field("endpoint", &self.shared.endpoint())
            .field("keys", &self.runs.len())
            .finish_non_exhaustive()
    }
}
