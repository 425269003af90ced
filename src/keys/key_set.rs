//! [`KeySet`]: keys that are ready to verify requests.

use std::{fmt, sync::Arc};

use smallvec::SmallVec;
use zeroize::Zeroizing;

#[cfg(feature = "asymmetric")]
use crate::keys::jwks;
use crate::{
    clock::{self, unix_seconds},
    compiled::scheme::{CompiledScheme, KeyState},
    crypto::hasher::Hasher,
    error::SetupError,
    keys::{secret::Secret, suspicion::SecretLook},
    note::{Note, NoteKind},
    scheme::algorithm::Keying,
};

/// The keys of one endpoint, one to eight. They are decoded and their hash states prepared once, so
/// that a request only copies the states.
#[derive(Clone)]
pub struct KeySet(Arc<Inner>);

struct Inner {
    keys: Vec<Arc<Key>>,
    fingerprint: u64,
    notes: Vec<Note>,
}

/// One key, prepared for each variant of its provider.
pub(crate) struct Key {
    pub(crate) id: Option<Arc<str>>,
    not_before: Option<i64>,
    not_after: Option<i64>,
    /// `None` under a variant with keys of another kind.
    states: SmallVec<[Option<KeyState>; 1]>,
}

impl KeySet {
    /// The maximum number of keys. More would cost work that no rotation needs.
    pub const MAX: usize = 8;

    /// The maximum number of public keys, with which a signature takes long to verify.
    pub const MAX_PUBLIC: usize = 4;

    pub(crate) fn for_schemes(
        schemes: &[CompiledScheme],
        look: &SecretLook,
        mut secrets: Vec<Secret>,
    ) -> Result<Self, SetupError> {
        let keyless = schemes.iter().all(CompiledScheme::is_keyless);
        let are_in_requests = schemes.iter().all(CompiledScheme::has_keys_in_requests);
        if are_in_requests && !secrets.is_empty() {
            return Err(SetupError::new(
                "public_key: each request has its key and the certificates that vouch for it; remove this, and set roots \
                 if the certificates lead to others than the provider's",
            ));
        }
        if keyless {
            secrets = vec![Secret::new("")];
        }
        #[cfg(feature = "asymmetric")]
        {
            secrets = jwks::expand(secrets)?;
        }
        if secrets.is_empty() {
            let mut schemes = schemes.iter();
            let takes_public = schemes.all(|scheme| scheme.algorithm.keying() == Keying::Public);
            return Err(SetupError::new(if takes_public {
                "public_key: none is set; set at least one"
            } else {
                "secret: none is set; set at least one"
            }));
        }
        if secrets.len() > Self::MAX {
            return Err(SetupError::new(format!(
                "secrets: there are {}, but at most {} are allowed; remove old ones",
                secrets.len(),
                Self::MAX
            )));
        }
        // A token names the key, so that only one of a set is tried.
        let are_named = schemes.iter().all(|scheme| scheme.special.is_some());
        let is_tried = |secret: &&Secret| {
            secret.is_public && !(are_named && secret.is_of_set && secret.id.is_some())
        };
        let public = secrets.iter().filter(is_tried).count();
        if public > Self::MAX_PUBLIC {
            return Err(SetupError::new(format!(
                "public_keys: there are {public}, but at most {} are allowed, because each takes so long; remove old ones",
                Self::MAX_PUBLIC
            )));
        }
        Self::prepared(schemes, look, &secrets)
    }

    /// Keys of a set that do not fit are left out, unless none does.
    fn prepared(
        schemes: &[CompiledScheme],
        look: &SecretLook,
        secrets: &[Secret],
    ) -> Result<Self, SetupError> {
        let keyless = schemes.iter().all(CompiledScheme::is_keyless);
        let mut notes = Vec::new();
        let mut keys = Vec::new();
        let mut unfit = None;
        for (place, secret) in secrets.iter().enumerate() {
            secret.check_window()?;
            let is_judged = !keyless && !secret.is_public;
            let suspicion = is_judged.then(|| secret.suspicion(look)).flatten();
            let key = Key::new(schemes, secret);
            if key.is_err() && secret.is_of_set {
                unfit = unfit.or(key.err());
                continue;
            }
            let key = key.map_err(|error| {
                // The line breaks of PEM are suspicious, and are not what is wrong.
                let suspicion = suspicion.as_ref().filter(|_| secret.check_kind().is_ok());
                let explained = suspicion.and_then(|found| secret.explain(found));
                explained.unwrap_or(error).within(secret.place())
            })?;
            let earlier = secrets.get(..place).unwrap_or_default();
            notes.extend(secret.notes(earlier, suspicion, key.is_short()));
            if key.has_expired() {
                notes.push(Note::new(
                    NoteKind::ExpiredCertificate,
                    format!(
                        "{}: its certificate has expired; ask the provider for the current one",
                        secret.place()
                    ),
                ));
            }
            keys.push(Arc::new(key));
        }
        if let (Some(error), true) = (unfit, keys.is_empty()) {
            return Err(error.within("public_key: no key of the set fits"));
        }
        Ok(Self(Arc::new(Inner {
            keys,
            fingerprint: fingerprint(schemes),
            notes,
        })))
    }

    /// The keys of a document that was fetched, of which there may be more than a request can use.
    #[cfg(feature = "remote-keys")]
    pub(crate) fn of_document(
        schemes: &[CompiledScheme],
        look: &SecretLook,
        secrets: Vec<Secret>,
    ) -> Result<Self, SetupError> {
        Self::prepared(schemes, look, &jwks::expand(secrets)?)
    }

    /// The keys with this id, and those without one, of which one may be meant. `None` if there is
    /// no such key.
    ///
    /// # Errors
    ///
    /// The request names no key, and there are too many to try.
    #[cfg(feature = "remote-keys")]
    pub(crate) fn with_id(&self, id: Option<&str>) -> Result<Option<Self>, SetupError> {
        let is_it = |key: &&Arc<Key>| id.is_none() || key.id.is_none() || key.id.as_deref() == id;
        let keys: Vec<_> = self.0.keys.iter().filter(is_it).cloned().collect();
        match keys.len() {
            0 => Ok(None),
            1..=Self::MAX => Ok(Some(self.with_keys(keys))),
            count => Err(SetupError::new(format!(
                "the request does not say which of {count} keys signed it, and at most {} are tried; \
                 ask the provider for a key id in the signature, or fetch a set with fewer keys",
                Self::MAX
            ))),
        }
    }

    /// The keys of both sets, each of them once.
    #[cfg(feature = "remote-keys")]
    pub(crate) fn joined(self, other: &Self) -> Self {
        let mut keys = self.0.keys.clone();
        for key in &other.0.keys {
            if !keys.iter().any(|known| Arc::ptr_eq(known, key)) {
                keys.push(Arc::clone(key));
            }
        }
        self.with_keys(keys)
    }

    #[cfg(feature = "remote-keys")]
    fn with_keys(&self, keys: Vec<Arc<Key>>) -> Self {
        Self(Arc::new(Inner {
            keys,
            fingerprint: self.0.fingerprint,
            notes: Vec::new(),
        }))
    }

    /// A set without keys, with which nothing can be verified.
    pub(crate) fn none(schemes: &[CompiledScheme]) -> Self {
        Self::unnoted(schemes, Vec::new())
    }

    /// A decoy key that costs as much as a real one. It is public, so a request that is verified
    /// with it must be refused in any case.
    pub(crate) fn decoy(schemes: &[CompiledScheme]) -> Result<Self, SetupError> {
        let states = schemes.iter().map(|scheme| scheme.decoy().map(Some));
        let states: Result<_, _> = states.collect();
        let key = Key {
            id: None,
            not_before: None,
            not_after: None,
            states: states?,
        };
        Ok(Self::unnoted(schemes, vec![Arc::new(key)]))
    }

    fn unnoted(schemes: &[CompiledScheme], keys: Vec<Arc<Key>>) -> Self {
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

    /// One bit for each variant that one of the keys can match; all, if there is no key.
    pub(crate) fn variants(&self) -> u64 {
        let bits = self.0.keys.iter().flat_map(|key| {
            let states = key.states.iter().enumerate();
            let states = states.filter(|(_, state)| state.is_some());
            states.map(|(place, _)| 1_u64.unbounded_shl(u32::try_from(place).unwrap_or(u32::MAX)))
        });
        bits.reduce(|all, bit| all | bit).unwrap_or(u64::MAX)
    }

    pub(crate) fn keys(&self) -> &[Arc<Key>] {
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
        secret.check_kind()?;
        let mut states: SmallVec<[Option<KeyState>; 1]> = SmallVec::new();
        let mut failed = None;
        for scheme in schemes {
            let state = scheme
                .takes(secret.is_public)
                .then(|| secret.raw_key_state(scheme));
            states.push(match state {
                Some(Ok(mut state)) => {
                    if !scheme.content.keeps_key() {
                        state.key = Zeroizing::default();
                    }
                    Some(state)
                }
                // A public key has one algorithm, and the variants may have several.
                Some(Err(error)) if secret.is_public => {
                    failed.get_or_insert(error);
                    None
                }
                Some(Err(error)) => return Err(error),
                None => None,
            });
        }
        if states.iter().all(Option::is_none) {
            return Err(failed.unwrap_or_else(|| wrong_kind(secret.is_public)));
        }
        Ok(Self {
            id: secret.id.clone(),
            not_before: secret.not_before.map(unix_seconds),
            not_after: secret.not_after.map(unix_seconds),
            states,
        })
    }

    fn is_short(&self) -> bool {
        self.states.iter().flatten().any(|state| state.short)
    }

    fn has_expired(&self) -> bool {
        let mut expire = self
            .states
            .iter()
            .flatten()
            .filter_map(|state| state.expires);
        expire.any(|time| time < clock::now())
    }

    /// The last second in which it is valid, by its period or by its certificate.
    #[cfg(feature = "config")]
    pub(crate) fn end(&self) -> Option<i64> {
        let states = self.states.iter().flatten();
        let certificates = states.filter_map(|state| state.expires.map(unix_seconds));
        certificates.chain(self.not_after).min()
    }

    pub(crate) fn valid_at(&self, now: i64) -> bool {
        self.not_before.is_none_or(|first| first <= now)
            && self.not_after.is_none_or(|last| now <= last)
    }

    /// What signs answers to handshakes.
    pub(crate) fn answer(&self) -> Option<&Hasher> {
        self.states
            .iter()
            .flatten()
            .find_map(|state| state.answer.as_deref())
    }

    pub(crate) fn state(&self, variant: usize) -> Option<&KeyState> {
        self.states.get(variant)?.as_ref()
    }
}

fn wrong_kind(is_public: bool) -> SetupError {
    SetupError::new(if is_public && !cfg!(feature = "asymmetric") {
        "public keys need the feature \"asymmetric\" of tower-webhook; add it to Cargo.toml"
    } else if is_public {
        "the provider signs with a secret, not with a private key; set the secret instead"
    } else if cfg!(feature = "asymmetric") {
        "the provider signs with a private key; set its public key instead of a secret"
    } else {
        "the provider signs with a private key; set its public key instead of a secret, and add the feature \"asymmetric\" \
         of tower-webhook to Cargo.toml"
    })
}
