//! [`KeyOrigin`]: what the keys of a source are, and where.

use std::{fmt, pin::Pin, sync::Arc};

use crate::{
    error::SetupError,
    keys::{
        jwks, public_key::PublicKey, remote::address::KeyUrl, secret::Secret,
        source::KeySourceError,
    },
};

/// Where keys are, and how a document with them is read. It is part of a provider, or chosen by the
/// application; a request only chooses among the addresses that it allows.
pub(crate) trait KeyOrigin: Send + Sync + fmt::Debug {
    /// The only address, if all keys are in one document.
    fn set(&self) -> Option<&KeyUrl> {
        None
    }

    /// The address of the document with the key of this id; `None` if there can be no such key, so that
    /// nothing is fetched.
    fn address(&self, key_id: &str) -> Option<KeyUrl>;

    /// Reads a document. The keys of a set have ids; another document has the key of `key_id`.
    fn read(&self, key_id: Option<&str>, document: &[u8]) -> Result<Vec<Secret>, SetupError>;
}

/// A set of JSON Web Keys.
#[derive(Debug)]
pub(crate) struct JwkSet(pub(crate) KeyUrl);

/// No provider has as many keys in a set.
const MAX_KEYS: usize = 100;

impl KeyOrigin for JwkSet {
    fn set(&self) -> Option<&KeyUrl> {
        Some(&self.0)
    }

    fn address(&self, _: &str) -> Option<KeyUrl> {
        None
    }

    fn read(&self, _: Option<&str>, document: &[u8]) -> Result<Vec<Secret>, SetupError> {
        let Some(members) = jwks::members_of(document) else {
            return Err(SetupError::new(
                "the document is no set of JSON Web Keys; correct the address",
            ));
        };
        if members.is_empty() || members.len() > MAX_KEYS {
            return Err(SetupError::new(format!(
                "the set has {} keys; between 1 and {MAX_KEYS} are taken",
                members.len()
            )));
        }
        let set: Secret = PublicKey::new("").into();
        Ok(members.iter().map(|member| set.member(member)).collect())
    }
}

/// What looks up a key by its id.
pub(crate) type LookUp = dyn Fn(String) -> LookUpFuture + Send + Sync;

/// The result of a look-up: `None` if there is no such key.
pub(crate) type LookUpFuture =
    Pin<Box<dyn Future<Output = Result<Option<Vec<Secret>>, KeySourceError>> + Send>>;

/// How keys are got.
#[derive(Clone)]
pub(crate) enum Means {
    /// By the client.
    Fetch(Arc<dyn KeyOrigin>),
    /// By the application.
    LookUp(Arc<LookUp>),
}
