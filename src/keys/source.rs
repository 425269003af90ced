//! [`KeySource`]: keys that are looked up for each request.

use std::{error::Error, fmt, pin::Pin, sync::Arc};

use crate::{head::Head, keys::key_set::KeySet};

/// Looks up the keys of a request.
///
/// The future borrows nothing: take what you need from the request first. [`source_fn`] makes a
/// source from an async closure; [`CachedKeys`](crate::keys) remembers what it found.
///
/// Nothing that a request says is proven when the source is called: a path, a header or a query
/// names the tenant whose key must match, and no more than that. So take the id of a [`Tenant`]
/// from what was found, never from the request: see [`Tenant::new`].
pub trait KeySource: Send + Sync {
    /// Starts the look-up. `None` is a tenant that does not exist.
    fn keys(&self, request: &KeyRequest<'_>) -> KeyFuture;
}

/// What a [`KeySource`] is called with.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct KeyRequest<'r> {
    /// Method, target and headers of the request.
    pub head: &'r Head<'r>,
}

impl<'r> KeyRequest<'r> {
    /// A request with this head, for tests of a source of your own.
    #[must_use]
    pub fn new(head: &'r Head<'r>) -> Self {
        Self { head }
    }
}

/// The answer of a [`KeySource`].
pub type KeyFuture = Pin<Box<dyn Future<Output = Result<Option<Tenant>, KeySourceError>> + Send>>;

/// A [`KeySource`] from a closure that returns a future: see [`source_fn`].
#[derive(Clone)]
pub struct FnSource<F> {
    look_up: F,
}

/// Makes a [`KeySource`] from a closure that takes what it needs from the request and returns a
/// future.
///
/// ```
/// use tower_webhook::{Secret, Verifier, WebhookVerifyLayer, providers};
/// use tower_webhook::keys::{KeySet, Tenant, source_fn};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let by_path = source_fn(|request| {
///     let tenant = request.head.path().strip_prefix("/webhooks/").map(str::to_owned);
///     async move {
///         let Some(tenant) = tenant else { return Ok(None) };
///         // A database would be queried here. It may compare without case.
///         let row = ("acme", "the-secret-of-acme-alone");
///         let (id, secret) = if tenant.eq_ignore_ascii_case(row.0) { row } else { return Ok(None) };
///         // The id is the one in the row, whatever the spelling in the request.
///         Ok(Some(Tenant::new(id, KeySet::new(&providers::github(), secret.into())?)))
///     }
/// });
/// let verifier = Verifier::from_key_source(providers::github(), by_path)?;
/// let layer = WebhookVerifyLayer::new(verifier);
/// # drop(layer);
/// # Ok(())
/// # }
/// ```
#[must_use]
pub fn source_fn<F, A>(look_up: F) -> FnSource<F>
where
    F: Fn(&KeyRequest<'_>) -> A + Send + Sync,
    A: Future<Output = Result<Option<Tenant>, KeySourceError>> + Send + 'static,
{
    FnSource { look_up }
}

impl<F, A> KeySource for FnSource<F>
where
    F: Fn(&KeyRequest<'_>) -> A + Send + Sync,
    A: Future<Output = Result<Option<Tenant>, KeySourceError>> + Send + 'static,
{
    fn keys(&self, request: &KeyRequest<'_>) -> KeyFuture {
        Box::pin((self.look_up)(request))
    }
}

impl<F> fmt::Debug for FnSource<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FnSource").finish_non_exhaustive()
    }
}

/// Whose keys they are. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Tenant {
    id: Option<Arc<str>>,
    keys: KeySet,
}

impl Tenant {
    /// A tenant and its keys. The id stands in events, logs and spans, so it should not be a person's name.
    ///
    /// Take it out of the row that was found, and not out of the request. The id is part of what deliveries are recognised by, and many
    /// databases compare without case, or pass over accents and spaces at the end: made of the request, one tenant would have as
    /// many ids as its name has spellings, and who has captured one request could have it handled once for each.
    #[must_use]
    pub fn new(id: impl Into<Arc<str>>, keys: KeySet) -> Self {
        Self {
            id: Some(id.into()),
            keys,
        }
    }

    /// Keys of nobody in particular: one set for all requests of the endpoint. Where several tenants share it, each needs an id, or
    /// an equal event of two of them is one delivery.
    #[must_use]
    pub fn shared(keys: KeySet) -> Self {
        Self { id: None, keys }
    }

    /// The id, as [`VerifiedEvent::tenant`](crate::VerifiedEvent::tenant) shows it.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// The keys.
    #[must_use]
    pub fn keys(&self) -> &KeySet {
        &self.keys
    }

    pub(crate) fn shared_id(&self) -> Option<Arc<str>> {
        self.id.clone()
    }
}

/// Why a [`KeySource`] has no answer.
///
/// Made out of any error by `?`. Its text goes into the log, so it must not hold a secret. The client gets 503 and nothing of it.
pub struct KeySourceError(Box<dyn Error + Send + Sync>);

impl KeySourceError {
    pub(crate) fn into_inner(self) -> Box<dyn Error + Send + Sync> {
        self.0
    }
}

// It is no `Error` itself, so that every error can become one.
impl<E: Into<Box<dyn Error + Send + Sync>>> From<E> for KeySourceError {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl fmt::Display for KeySourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for KeySourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeySourceError({:?})", self.0.to_string())
    }
}
