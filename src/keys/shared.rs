//! [`SharedKeys`]: one set of keys that can be replaced at run time.

use std::{
    fmt,
    future::ready,
    sync::{Arc, PoisonError, RwLock},
};

use crate::{
    error::SetupError,
    keys::{
        key_set::KeySet,
        source::{KeyFuture, KeyRequest, KeySource, Tenant},
    },
};

/// Keys that can be replaced while requests are being verified. Clones share the keys.
///
/// A request is verified with the keys that were current when its head arrived.
///
/// ```
/// use tower_webhook::{Secret, Verifier, providers};
/// use tower_webhook::keys::{KeySet, SharedKeys};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let verifier = Verifier::new(providers::github(), Secret::new("the-secret-of-yesterday"))?;
/// let keys = SharedKeys::new(verifier.keys().clone());
/// let verifier = verifier.with_key_source(keys.clone());
///
/// keys.replace(KeySet::new(&providers::github(), Secret::new("the-secret-of-today"))?)?;
/// // Keys of another provider would verify nothing, so they are refused.
/// let other = KeySet::new(&providers::stripe(), Secret::new("whsec_of-another"))?;
/// assert!(keys.replace(other).is_err());
/// # drop(verifier);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct SharedKeys {
    keys: Arc<RwLock<KeySet>>,
}

impl SharedKeys {
    /// Creates a source with these keys.
    #[must_use]
    pub fn new(keys: KeySet) -> Self {
        Self {
            keys: Arc::new(RwLock::new(keys)),
        }
    }

    /// Replaces the keys for all further requests.
    ///
    /// # Errors
    ///
    /// If the keys were made for another scheme than the current ones: for a provider that signs in
    /// another way, or for other variants or signed parameters. The current keys then remain.
    pub fn replace(&self, keys: KeySet) -> Result<(), SetupError> {
        let mut current = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        if !current.is_like(&keys) {
            return Err(SetupError::new(
                "keys: they were made for a different provider than the keys they replace; create them with the \
                 same provider, parameters and variants",
            ));
        }
        *current = keys;
        Ok(())
    }

    /// The current keys.
    #[must_use]
    pub fn current(&self) -> KeySet {
        let current = self.keys.read();
        current.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl KeySource for SharedKeys {
    fn keys(&self, _: &KeyRequest<'_>) -> KeyFuture {
        Box::pin(ready(Ok(Some(Tenant::shared(self.current())))))
    }
}

impl fmt::Debug for SharedKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SharedKeys").field(&self.current()).finish()
    }
}
