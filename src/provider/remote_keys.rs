//! The keys that a provider publishes, as [`RemoteKeys`].

use std::sync::Arc;

use crate::{
    error::SetupError,
    keys::{
        published::PublishedKeys,
        remote::{
            RemoteKeys,
            address::KeyUrl,
            origin::{JwkSet, NamedCertificate, NamedSecret},
        },
    },
    provider::Provider,
    scheme::{algorithm::Keying, certificates::ROOTS},
};

impl RemoteKeys {
    /// The keys of a built-in provider, at the address that it publishes. The page of the
    /// [provider](crate::providers) says whether there is one.
    ///
    /// ```
    /// use tower_webhook::{Verifier, keys::RemoteKeys, providers};
    ///
    /// let keys = RemoteKeys::of(&providers::fal_ai())?;
    /// let verifier = Verifier::from_remote_keys(providers::fal_ai(), keys)?;
    ///
    /// let error = RemoteKeys::of(&providers::github()).unwrap_err();
    /// assert!(error.to_string().starts_with("remote_keys: provider github publishes no keys"));
    /// # drop(verifier);
    /// # Ok::<_, tower_webhook::SetupError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When the provider publishes no keys, publishes them in an API that needs credentials, or
    /// needs a parameter with the address or with root certificates.
    pub fn of(provider: &Provider) -> Result<Self, SetupError> {
        let refused = |problem: String| {
            let name = provider.name();
            SetupError::new(format!("remote_keys: provider {name} {problem}"))
        };
        let param = |name: &str| {
            let text = provider.param(name).ok_or_else(|| {
                refused(format!(
                    "has its keys at an address that the parameter {name:?} restricts; set it to the beginning of the \
                     address in genuine requests"
                ))
            })?;
            KeyUrl::new(text).map_err(|error| error.within(name))
        };
        match provider.published_keys() {
            Some(PublishedKeys::Set(url)) => Self::jwks(url),
            Some(PublishedKeys::SetOfParam(name)) => {
                Ok(Self::of_origin(Arc::new(JwkSet(param(name)?))))
            }
            Some(PublishedKeys::Named {
                param: name,
                member,
            }) => Ok(Self::of_origin(Arc::new(NamedSecret {
                within: param(name)?,
                member,
            }))),
            Some(PublishedKeys::Certificate { has_chain, .. })
                if has_chain && provider.param(ROOTS).is_none() =>
            {
                Err(refused(format!(
                    "has certificates that lead to a root; set {ROOTS} to the root certificates that you trust for it"
                )))
            }
            Some(PublishedKeys::Certificate { is_address, .. }) => {
                Ok(Self::of_origin(Arc::new(NamedCertificate { is_address })))
            }
            Some(PublishedKeys::Api(call)) => Err(refused(format!(
                "has its keys in an API that needs credentials ({call}); call it in RemoteKeys::by_id"
            ))),
            None => Err(refused(
                "publishes no keys at an address that is known here; write the address of a set of JSON Web Keys, or set \
                 the key itself"
                    .to_owned(),
            )),
        }
    }
}

impl Provider {
    /// Refuses a provider that signs with a secret, which nobody publishes.
    pub(crate) fn check_remote_keys(&self) -> Result<(), SetupError> {
        let is_named = matches!(self.published_keys(), Some(PublishedKeys::Named { .. }));
        let mut schemes = self.schemes();
        if is_named || schemes.any(|scheme| scheme.algorithm().keying() == Keying::Public) {
            return Ok(());
        }
        Err(SetupError::new(format!(
            "remote_keys: provider {} signs with a secret, which is never fetched; set the secret instead",
            self.name()
        )))
    }
}
