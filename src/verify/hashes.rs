//! [`BodyHashes`]: the hashes of a body that arrives in several frames.

use sha2::{Digest, Sha256, digest::Output};

use crate::{
    compiled::content::Values,
    crypto::hasher::{Hasher, absorb},
    event::data::EventData,
    keys::key_set::KeySet,
};

/// One hash per variant and key. A body of one frame is hashed at the end, without them.
pub(crate) struct BodyHashes {
    /// By variant, then by key. `None` if the key cannot be used.
    hashes: Vec<Option<Running>>,
    /// The digest of the body, if a variant signs it.
    digest: Option<Sha256>,
}

struct Running {
    hasher: Hasher,
    /// Whether the body is hashed as it arrives.
    streams: bool,
}

impl BodyHashes {
    pub(crate) fn new(data: &EventData, keys: &KeySet) -> Self {
        let mut hashes = Vec::new();
        let mut digest = None;
        for (variant, parsed) in &data.variants {
            let content = data.endpoint.scheme(*variant).map(|scheme| &scheme.content);
            if content.is_some_and(|content| content.digests_body()) {
                digest.get_or_insert_default();
            }
            for key in keys.keys() {
                hashes.push(
                    content
                        .zip(key.state(*variant))
                        .and_then(|(content, state)| {
                            let mut hasher = state.proof.hasher()?.clone();
                            let values = Values {
                                key: &state.key,
                                head: &parsed.values,
                            };
                            content.begin(&mut hasher, values)?;
                            let streams = content.streams;
                            Some(Running { hasher, streams })
                        }),
                );
            }
        }
        Self { hashes, digest }
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        for running in self.hashes.iter_mut().flatten() {
            if running.streams {
                absorb(&mut running.hasher, bytes);
            }
        }
        if let Some(digest) = &mut self.digest {
            digest.update(bytes);
        }
    }

    pub(crate) fn get(&self, index: usize) -> Option<&Hasher> {
        Some(&self.hashes.get(index)?.as_ref()?.hasher)
    }

    pub(crate) fn take_digest(&mut self) -> Option<Output<Sha256>> {
        self.digest.take().map(Digest::finalize)
    }
}
