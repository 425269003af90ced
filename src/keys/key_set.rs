//! [`KeySet`]: keys that are ready to check requests.

use std::{fmt, sync::Arc};

use smallvec::SmallVec;
use zeroize::Zeroizing;

use crate::{
    clock::unix_seconds,
    compiled::scheme::{CompiledScheme, KeyState},
    error::SetupError,
    keys::secret::Secret,
    scheme::algorithm::Keying,
};

/// The keys of one endpoint, one to eight: decoded and state once, so that a request only copies them.
#[derive(Clone)]
pub struct KeySet(Arc<Inner>);

struct Inner {
    keys: Vec<Key>,
    fingerprint: u64,
    /// What is weak about them.
    notes: Vec<Box<str>>,
}

/// One key, ready for each variant of its provider.
pub(crate) struct Key {
    pub(crate) id: Option<Arc<str>>,
    not_before: Option<i64>,
    not_after: Option<i64>,
    states: SmallVec<[KeyState; 1]>,
}

impl KeySet {
    /// More keys than these cost more work than any rotation needs.
    pub const MAX: usize = 8;

    pub(crate) fn for_schemes(
        schemes: &[CompiledScheme],
        mut secrets: Vec<Secret>,
    ) -> Result<Self, SetupError> {
        let mut notes = Vec::new();
        let keyless = schemes
            .iter()
            .all(|scheme| scheme.algorithm.keying() == Keying::None);
        if keyless {
            notes.push(Box::from(
                "an unauthenticated digest proves nothing about the sender: anybody can make one",
            ));
            secrets = vec![Secret::new("")];
        }
        if schemes.iter().any(CompiledScheme::is_extendable) {
            notes.push(Box::from(
                "a plain digest of content that goes on after the secret can be extended: whoever saw one request can \
                 add to its end",
            ));
        }
        if secrets.is_empty() {
            return Err(SetupError::new("secret: there is none; set at least one"));
        }
        if secrets.len() > Self::MAX {
            return Err(SetupError::new(format!(
                "secrets: there are {}, and {} is the most; remove old ones",
                secrets.len(),
                Self::MAX
            )));
        }
        let mut keys = Vec::new();
        for secret in &secrets {
            let key = Key::new(schemes, secret).map_err(|error| error.within(secret.place()))?;
            if key.states.iter().any(|state| state.short) {
                let place = secret.place();
                notes.push(
                    format!("{place}: it has fewer than 16 bytes; a longer one is harder to guess")
                        .into(),
                );
            }
            keys.push(key);
        }
        Ok(Self(Arc::new(Inner {
            keys,
            fingerprint: fingerprint(schemes),
            notes,
        })))
    }

    /// No key at all: nothing can be verified with it.
    pub(crate) fn none(schemes: &[CompiledScheme]) -> Self {
        Self::unnoted(schemes, Vec::new())
    }

    /// One key that costs what a real one costs. It is no secret, so whoever checks with it must refuse in any case.
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

    /// What is weak about these secrets, in a sentence each. The layer writes them to the log when it is made.
    pub fn notes(&self) -> impl Iterator<Item = &str> {
        self.0.notes.iter().map(|note| &**note)
    }

    pub(crate) fn keys(&self) -> &[Key] {
        &self.0.keys
    }

    /// Whether the other keys were state for the same schemes as these.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        self.0.fingerprint == other.0.fingerprint
    }

    /// Whether these keys were state for those schemes.
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
    /// A key's bytes are kept only where the content needs them again.
    fn new(schemes: &[CompiledScheme], secret: &Secret) -> Result<Self, SetupError> {
        if let (Some(first), Some(last)) = (secret.not_before, secret.not_after)
            && first >= last
        {
            return Err(SetupError::new(if first > last {
                "not_after lies before not_before; exchange them"
            } else {
                "not_after is not_before, which leaves the key no time; write a later one"
            }));
        }
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
