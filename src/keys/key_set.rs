//! [`KeySet`]: keys that are ready to verify requests.

use std::{fmt, sync::Arc};

use smallvec::SmallVec;
use zeroize::Zeroizing;

use crate::{
    clock::unix_seconds,
    compiled::scheme::{CompiledScheme, KeyState},
    error::SetupError,
    keys::{secret::Secret, suspicion::SecretLook},
    note::Note,
    scheme::algorithm::Keying,
};

/// The keys of one endpoint, one to eight. They are decoded and their hash states prepared once, so
/// that a request only copies the states.
#[derive(Clone)]
pub struct KeySet(Arc<Inner>);

struct Inner {
    keys: Vec<Key>,
    fingerprint: u64,
    notes: Vec<Note>,
}

/// One key, prepared for each variant of its provider.
pub(crate) struct Key {
    pub(crate) id: Option<Arc<str>>,
    not_before: Option<i64>,
    not_after: Option<i64>,
    states: SmallVec<[KeyState; 1]>,
}

impl KeySet {
    /// The maximum number of keys. More would cost work that no rotation needs.
    pub const MAX: usize = 8;

    pub(crate) fn for_schemes(
        schemes: &[CompiledScheme],
        look: &SecretLook,
        mut secrets: Vec<Secret>,
    ) -> Result<Self, SetupError> {
        let keyless = schemes
            .iter()
            .all(|scheme| scheme.algorithm.keying() == Keying::None);
        if keyless {
            secrets = vec![Secret::new("")];
        }
        if secrets.is_empty() {
            return Err(SetupError::new("secret: none is set; set at least one"));
        }
        if secrets.len() > Self::MAX {
            return Err(SetupError::new(format!(
                "secrets: there are {}, but at most {} are allowed; remove old ones",
                secrets.len(),
                Self::MAX
            )));
        }
        let mut notes = Vec::new();
        let mut keys = Vec::new();
        for (place, secret) in secrets.iter().enumerate() {
            secret.check_window()?;
            let suspicion = if keyless {
                None
            } else {
                secret.suspicion(look)
            };
            let key = Key::new(schemes, secret).map_err(|error| {
                let explained = suspicion.as_ref().and_then(|found| secret.explain(found));
                explained.unwrap_or(error).within(secret.place())
            })?;
            let is_short = key.states.iter().any(|state| state.short);
            let earlier = secrets.get(..place).unwrap_or_default();
            notes.extend(secret.notes(earlier, suspicion, is_short));
            keys.push(key);
        }
        Ok(Self(Arc::new(Inner {
            keys,
            fingerprint: fingerprint(schemes),
            notes,
        })))
    }

    /// A set without keys, with which nothing can be verified.
    pub(crate) fn none(schemes: &[CompiledScheme]) -> Self {
        Self::unnoted(schemes, Vec::new())
    }

    /// A decoy key that costs as much as a real one. It is public, so a request that is verified
    /// with it must be refused in any case.
    pub(crate) fn decoy(schemes: &[CompiledScheme]) -> Result<Self, SetupError> {
        let states: Result<_, _> = schemes.iter().map(CompiledScheme::decoy).collect();
        let key = Key {
            id: None,
            not_before: None,
            not_after: None,
            states: states?,
        };
        Ok(Self::unnoted(schemes, vec![key]))
    }

    fn unnoted(schemes: &[CompiledScheme], keys: Vec<Key>) -> Self {
        Self(Arc::new(Inner {
            keys,
            fingerprint: fingerprint(schemes),
            notes: Vec::new(),
        }))
    }

    /// What is suspicious about these secrets. See [`Verifier::notes`](crate::Verifier::notes).
    pub fn notes(&self) -> impl Iterator<Item = &Note> {
        self.0.notes.iter()
    }

    pub(crate) fn keys(&self) -> &[Key] {
        &self.0.keys
    }

    /// Whether the other keys were prepared for the same schemes as these.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        self.0.fingerprint == other.0.fingerprint
    }

    /// Whether these keys were prepared for the given schemes.
    pub(crate) fn fit(&self, schemes: &[CompiledScheme]) -> bool {
        self.0.fingerprint == fingerprint(schemes)
    }
}

fn fingerprint(schemes: &[CompiledScheme]) -> u64 {
    schemes.iter().fold(0, |all: u64, scheme| {
        all.rotate_left(1) ^ scheme.fingerprint
    })
}

impl fmt::Debug for KeySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids: Vec<_> = self.0.keys.iter().map(|key| &key.id).collect();
        f.debug_struct("KeySet")
            .field("ids", &ids)
            .finish_non_exhaustive()
    }
}

impl Key {
    /// Keeps the bytes of a key only for schemes whose content contains the key.
    fn new(schemes: &[CompiledScheme], secret: &Secret) -> Result<Self, SetupError> {
        let mut states: SmallVec<[KeyState; 1]> = SmallVec::new();
        for scheme in schemes {
            let mut state = secret.raw_key_state(scheme)?;
            if !scheme.content.keeps_key() {
                state.key = Zeroizing::default();
            }
            states.push(state);
        }
        Ok(Self {
            id: secret.id.clone(),
            not_before: secret.not_before.map(unix_seconds),
            not_after: secret.not_after.map(unix_seconds),
            states,
        })
    }

    pub(crate) fn valid_at(&self, now: i64) -> bool {
        self.not_before.is_none_or(|first| first <= now)
            && self.not_after.is_none_or(|last| now <= last)
    }

    pub(crate) fn state(&self, variant: usize) -> Option<&KeyState> {
        self.states.get(variant)
    }
}
