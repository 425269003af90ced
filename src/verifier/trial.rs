//! What is compared with the signatures of a request: each key under each construction.

use sha2::{Digest, Sha256, digest::Output};

use super::Proof;
use crate::{
    Secrets,
    scheme::{Admitted, Bodied, CompiledScheme, Counting, Hasher, Scheduled, Tag, Values, absorb},
    secret::Key,
};

/// One key under one construction.
pub(super) struct Trial<'p> {
    /// Where the construction stands in the proof.
    pub(super) place: usize,
    pub(super) scheme: &'p CompiledScheme,
    pub(super) passed: &'p Admitted,
    pub(super) key: &'p Key,
    pub(super) scheduled: &'p Scheduled,
    /// The time of the gate, in seconds since 1970.
    pub(super) received: i64,
}

/// All of them, always in the same order.
pub(super) fn trials<'p>(
    proof: &'p Proof,
    secrets: &'p Secrets,
) -> impl Iterator<Item = Trial<'p>> {
    let admitted = proof.admitted.iter().enumerate();
    admitted.flat_map(move |(place, passed)| {
        secrets.keys().iter().filter_map(move |key| {
            Some(Trial {
                place,
                scheme: proof.shared.scheme(passed.scheme)?,
                passed,
                key,
                scheduled: key.schedule(passed.scheme)?,
                received: proof.received,
            })
        })
    })
}

impl Trial<'_> {
    /// What the request and the key put into the content.
    fn values(&self) -> Values<'_> {
        self.passed.values(&self.scheduled.key)
    }

    /// The signature that the key makes, from `begun` on where the body has gone into that. `None` where the body lacks what is
    /// signed.
    pub(super) fn tag(&self, begun: Option<&Hasher>, bodied: &Bodied) -> Option<Tag> {
        let (content, values) = (&self.scheme.content, self.values());
        match begun {
            Some(hasher) => hasher.hash(|hash| content.complete(hash, values, bodied)),
            None => content.sign(&self.scheduled.hasher, values, bodied),
        }
    }
}

/// The hashes of a body that arrives in several frames. A body of one is hashed at the end, where it need not be kept how far
/// each hash has come.
pub(super) struct Running {
    /// One for each trial.
    hashes: Vec<Option<Hash>>,
    /// Of the body alone, where some construction signs that.
    digest: Option<Sha256>,
    /// How many bytes the first hash has taken, if they all take as many.
    taken: usize,
}

struct Hash {
    hasher: Hasher,
    /// Whether the body goes into it as it arrives.
    streams: bool,
}

impl Running {
    pub(super) fn new<'p>(trials: impl Iterator<Item = Trial<'p>>) -> Self {
        let mut digest = None;
        let mut taken = None;
        let hashes: Vec<_> = trials
            .map(|trial| {
                let content = &trial.scheme.content;
                if content.digests_body() {
                    digest.get_or_insert_default();
                }
                let mut hasher = trial.scheduled.hasher.clone();
                let mut counting = Counting {
                    hasher: &mut hasher,
                    bytes: trial.scheduled.lead,
                };
                content.begin(&mut counting, trial.values())?;
                if content.streams {
                    taken.get_or_insert(counting.bytes);
                }
                Some(Hash {
                    hasher,
                    streams: content.streams,
                })
            })
            .collect();
        Self {
            hashes,
            digest,
            taken: taken.unwrap_or_default(),
        }
    }

    /// Takes the next bytes of the body, and says how many were taken with what stands before it.
    pub(super) fn update(&mut self, frame: &[u8]) -> usize {
        for hash in self.hashes.iter_mut().flatten() {
            if hash.streams {
                absorb(&mut hash.hasher, frame);
            }
        }
        if let Some(digest) = &mut self.digest {
            digest.update(frame);
        }
        self.taken = self.taken.saturating_add(frame.len());
        self.taken
    }

    /// How far the hash of a trial has come.
    pub(super) fn hasher(&self, number: usize) -> Option<&Hasher> {
        Some(&self.hashes.get(number)?.as_ref()?.hasher)
    }

    /// The digest of the body that has arrived.
    pub(super) fn digest(&mut self) -> Option<Output<Sha256>> {
        self.digest.take().map(Digest::finalize)
    }
}
