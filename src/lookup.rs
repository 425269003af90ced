//! Keys that are looked up for each request: many tenants behind one route, or keys that change while the service runs.
//!
//! A [`SecretSource`] is asked with the head of a request, after the gate and before a byte of the body is read. What it
//! answers decides:
//!
//! | answer | what happens |
//! | --- | --- |
//! | a [`Tenant`] | the request is checked with its keys; event, refusals, span and log name it |
//! | `None` | the request is checked with a decoy key and refused with 401, so that whoever sends it cannot tell an unknown tenant from a wrong signature |
//! | an error, or nothing within the [key timeout](crate::WebhookVerifyLayer::with_key_timeout) | 503, so that the provider sends the event again |
//!
//! [`SharedSecrets`] is the source for one set of keys that can be replaced. `CachedSource` (feature `cache`) asks
//! a database once and remembers. `examples/tenants.rs` has tenants from the path in an SQLite table.
//!
//! The id of a tenant comes from the row that was found, and not from the request: see [`Tenant::new`].
//!
//! A tenant that is switched between two keys has two hashes to make, and so takes longer to refuse a request than one with a
//! single key; a source without a cache takes as long as the database. Both show in time, and not in the answer.

#[cfg(feature = "cache")]
mod cache;
mod shared;

use std::{error::Error, fmt, pin::Pin, sync::Arc};

#[cfg(feature = "cache")]
pub use self::cache::CachedSource;
pub use self::shared::SharedSecrets;
use crate::{Secrets, verify::Head};

/// Where the keys of a request come from.
///
/// The future borrows nothing: take what is needed out of the head first. A function will do:
///
/// ```
/// use tower_webhook::{Secret, Secrets, Verifier, WebhookVerifyLayer, providers};
/// use tower_webhook::{lookup::{Tenant, TenantFuture}, verify::Head};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// fn by_path(head: &Head<'_>) -> TenantFuture {
///     let tenant = head.path().strip_prefix("/webhooks/").map(str::to_owned);
///     Box::pin(async move {
///         let Some(tenant) = tenant else { return Ok(None) };
///         // Here a database would be asked. It may compare without case.
///         let row = ("acme", "the-secret-of-acme-alone");
///         let (id, secret) = if tenant.eq_ignore_ascii_case(row.0) { row } else { return Ok(None) };
///         // The id is the one in the row, however the request spelled it.
///         Ok(Some(Tenant::new(id, Secrets::new(&providers::github(), Secret::new(secret))?)))
///     })
/// }
///
/// let verifier = Verifier::for_lookup(providers::github())?;
/// let layer = WebhookVerifyLayer::new(verifier).with_secret_source(by_path);
/// # drop(layer);
/// # Ok(())
/// # }
/// ```
///
/// What a request says of itself is not proven when the source is asked: a path, a header or a query names the tenant
/// whose key must fit, and no more than that. So the id of a [`Tenant`] comes from what was found, and never from the request: see
/// [`Tenant::new`].
pub trait SecretSource: Send + Sync {
    /// Begins to look up the keys for a request with this head. `None` is a tenant that does not exist.
    fn secrets(&self, head: &Head<'_>) -> TenantFuture;
}

/// What a [`SecretSource`] answers.
pub type TenantFuture = Pin<Box<dyn Future<Output = Result<Option<Tenant>, SourceError>> + Send>>;

impl<F> SecretSource for F
where
    F: Fn(&Head<'_>) -> TenantFuture + Send + Sync,
{
    fn secrets(&self, head: &Head<'_>) -> TenantFuture {
        self(head)
    }
}

/// Whose keys they are. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Tenant {
    id: Option<Arc<str>>,
    secrets: Secrets,
}

impl Tenant {
    /// A tenant and its keys. The id stands in events, logs and spans, so it should not be a person's name.
    ///
    /// Take it out of the row that was found, and not out of the request. The id is part of what deliveries are recognised by, and many
    /// databases compare without case, or pass over accents and spaces at the end: made of the request, one tenant would have as
    /// many ids as its name has spellings, and who has captured one request could have it handled once for each.
    #[must_use]
    pub fn new(id: impl Into<Arc<str>>, secrets: Secrets) -> Self {
        Self {
            id: Some(id.into()),
            secrets,
        }
    }

    /// Keys of nobody in particular: one set for all requests of the endpoint. Where several tenants share it, each needs an id, or
    /// an equal event of two of them is one delivery.
    #[must_use]
    pub fn shared(secrets: Secrets) -> Self {
        Self { id: None, secrets }
    }

    /// The id, as [`VerifiedEvent::tenant`](crate::VerifiedEvent::tenant) shows it.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// The keys.
    #[must_use]
    pub fn secrets(&self) -> &Secrets {
        &self.secrets
    }

    pub(crate) fn shared_id(&self) -> Option<Arc<str>> {
        self.id.clone()
    }
}

/// Why a [`SecretSource`] has no answer.
///
/// Made out of any error by `?`. Its text goes into the log, so it must not hold a secret. The client gets 503 and nothing of it.
pub struct SourceError(Box<dyn Error + Send + Sync>);

impl SourceError {
    pub(crate) fn into_inner(self) -> Box<dyn Error + Send + Sync> {
        self.0
    }
}

// It is no `Error` itself, so that every error can become one.
impl<E: Into<Box<dyn Error + Send + Sync>>> From<E> for SourceError {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl fmt::Display for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SourceError({:?})", self.0.to_string())
    }
}
