//! [`SharedSecrets`]: one set of keys, replaced while the service runs.

use std::{
    fmt,
    future::ready,
    sync::{Arc, PoisonError, RwLock},
};

use super::{SecretSource, Tenant, TenantFuture};
use crate::{Secrets, SetupError, verify::Head};

/// Keys that can be replaced while requests are checked with them. Clones share the keys.
///
/// A request is checked with the keys that were there when its head arrived.
///
/// ```
/// use tower_webhook::{Secret, Secrets, Verifier, WebhookVerifyLayer, lookup::SharedSecrets, providers};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let verifier = Verifier::new(providers::github(), Secret::new("the-secret-of-yesterday"))?;
/// let keys = SharedSecrets::new(verifier.secrets().clone());
/// let layer = WebhookVerifyLayer::new(verifier).with_secret_source(keys.clone());
///
/// keys.replace(Secrets::new(&providers::github(), Secret::new("the-secret-of-today"))?)?;
/// // Keys of another provider would verify nothing, so they are not taken.
/// assert!(keys.replace(Secrets::new(&providers::stripe(), Secret::new("whsec_of-another"))?).is_err());
/// # drop(layer);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct SharedSecrets {
    secrets: Arc<RwLock<Secrets>>,
}

impl SharedSecrets {
    /// Begins with these keys.
    #[must_use]
    pub fn new(secrets: Secrets) -> Self {
        Self {
            secrets: Arc::new(RwLock::new(secrets)),
        }
    }

    /// Checks all further requests with these keys.
    ///
    /// # Errors
    ///
    /// When they were made for another provider, or other constructions or parameters of it, than the ones before. The
    /// ones before stay.
    pub fn replace(&self, secrets: Secrets) -> Result<(), SetupError> {
        let mut current = self.secrets.write().unwrap_or_else(PoisonError::into_inner);
        if !current.is_like(&secrets) {
            return Err(SetupError::new(
                "secrets: they were made for another provider than the ones that they replace; make them with the same \
                 provider, parameters and constructions",
            ));
        }
        *current = secrets;
        Ok(())
    }

    /// The keys of this moment.
    #[must_use]
    pub fn current(&self) -> Secrets {
        let current = self.secrets.read();
        current.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl SecretSource for SharedSecrets {
    fn secrets(&self, _: &Head<'_>) -> TenantFuture {
        Box::pin(ready(Ok(Some(Tenant::shared(self.current())))))
    }
}

impl fmt::Debug for SharedSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SharedSecrets")
            .field(&self.current())
            .finish()
    }
}
