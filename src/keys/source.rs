//! [`KeySource`]: keys that are looked up for each request.

use std::{cell::Cell, error::Error, fmt, pin::Pin, sync::Arc};

use crate::{
    compiled::scheme::CompiledScheme,
    head::Head,
    keys::{key_set::KeySet, suspicion::SecretLook},
    rejection::shown,
};

/// Looks up the keys of a request.
///
/// The future borrows nothing, so copy what you need out of the request first. [`source_fn`]
/// creates a source from a closure that returns a future; [`CachedKeys`](crate::keys) caches its
/// results.
///
/// The request is not verified yet: a path, a header or a query only selects the tenant whose key
/// must match. Take the id of a [`Tenant`] from the row that was found, not from the request: see
/// [`Tenant::new`].
pub trait KeySource: Send + Sync {
    /// Starts the look-up. It returns `None` if the tenant does not exist.
    fn keys(&self, request: &KeyRequest<'_>) -> KeyFuture;
}

/// The argument of a [`KeySource`].
#[non_exhaustive]
pub struct KeyRequest<'r> {
    /// The method, target and headers of the request.
    pub head: &'r Head<'r>,
    asked: Cell<Option<Box<str>>>,
}

impl<'r> KeyRequest<'r> {
    /// Creates a request with this head, to test a source.
    #[must_use]
    pub fn new(head: &'r Head<'r>) -> Self {
        Self {
            head,
            asked: Cell::new(None),
        }
    }

    /// Names the tenant that the request asks for, so that logs and
    /// [`Rejection::asked_tenant`](crate::Rejection::asked_tenant) can show it when there is no
    /// such tenant or the look-up fails. [`CachedKeys`](crate::keys) does so itself.
    ///
    /// The text is not verified. About 200 characters of it are kept, with control characters
    /// escaped.
    pub fn asks_for(&self, tenant: &str) {
        self.asked.set(Some(shown(tenant)));
    }

    pub(crate) fn into_asked(self) -> Option<Box<str>> {
        self.asked.into_inner()
    }
}

impl fmt::Debug for KeyRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyRequest")
            .field("head", self.head)
            .finish_non_exhaustive()
    }
}

/// The future that a [`KeySource`] returns.
pub type KeyFuture = Pin<Box<dyn Future<Output = Result<Option<Tenant>, KeySourceError>> + Send>>;

/// Keys that a request is given by the ids that it names, once everything else is in order.
pub(crate) trait LateKeys: Send + Sync {
    /// Starts to get the keys with these ids, prepared for these schemes. `None` is a signature
    /// that names no key.
    fn keys(
        &self,
        schemes: &Arc<[CompiledScheme]>,
        look: &SecretLook,
        key_ids: &[Option<&str>],
    ) -> LateKeysFuture;
}

pub(crate) type LateKeysFuture = Pin<Box<dyn Future<Output = KeysFound> + Send>>;

/// What became of the ids that a request names.
#[derive(Default)]
pub(crate) struct KeysFound {
    /// `None` if no such key exists, as far as is known.
    pub(crate) keys: Option<KeySet>,
    /// Why one of them is not known. The request may be genuine if no other key proves it.
    pub(crate) failed: Option<KeySourceError>,
}

/// A [`KeySource`] that calls a closure: see [`source_fn`].
#[derive(Clone)]
pub struct FnSource<F> {
    look_up: F,
}

/// Creates a [`KeySource`] from a closure that copies what it needs out of the request and returns
/// a future.
///
/// ```
/// use tower_webhook::{Secret, Verifier, providers};
/// use tower_webhook::keys::{KeySet, Tenant, source_fn};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let by_path = source_fn(|request| {
///     let tenant = request.head.path().strip_prefix("/webhooks/").map(str::to_owned);
///     // For the log, if there is no such tenant.
///     request.asks_for(tenant.as_deref().unwrap_or_default());
///     async move {
///         let Some(tenant) = tenant else { return Ok(None) };
///         // A database would be queried here. Its comparison may ignore case.
///         let row = ("acme", "the-secret-of-acme-only");
///         let (id, secret) = row;
///         if !tenant.eq_ignore_ascii_case(id) {
///             return Ok(None);
///         }
///         // The id is the one in the row, however the request spelled it.
///         Ok(Some(Tenant::new(id, KeySet::new(&providers::github(), Secret::new(secret))?)))
///     }
/// });
/// let verifier = Verifier::from_key_source(providers::github(), by_path)?;
/// # drop(verifier);
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

/// The keys of a request and the tenant they belong to. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Tenant {
    id: Option<Arc<str>>,
    keys: KeySet,
}

impl Tenant {
    /// A tenant and its keys. Events, logs and spans show the id, so it should not be a person's
    /// name.
    ///
    /// Take the id from the row that was found, not from the request. The id is part of the key by
    /// which deliveries are deduplicated. Many databases ignore case, accents or trailing spaces in
    /// comparisons, so an id taken from the request could have several spellings for one tenant.
    /// Anyone who has captured a request could then have it handled once per spelling.
    #[must_use]
    pub fn new(id: impl Into<Arc<str>>, keys: KeySet) -> Self {
        Self {
            id: Some(id.into()),
            keys,
        }
    }

    /// One set of keys for all requests of the endpoint, without a tenant. If several tenants share
    /// the keys, give each an id with [`new`](Self::new); otherwise equal events of two tenants
    /// count as one delivery.
    #[must_use]
    pub fn shared(keys: KeySet) -> Self {
        Self { id: None, keys }
    }

    /// The id, which [`VerifiedEvent::tenant`](crate::VerifiedEvent::tenant) returns.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// The tenant's keys.
    #[must_use]
    pub fn keys(&self) -> &KeySet {
        &self.keys
    }

    pub(crate) fn shared_id(&self) -> Option<Arc<str>> {
        self.id.clone()
    }
}

/// Why a [`KeySource`] failed.
///
/// The `?` operator converts any error to it. Its text is logged, so it must not contain a secret.
/// The client receives 503 without the text.
pub struct KeySourceError(Box<dyn Error + Send + Sync>);

impl KeySourceError {
    pub(crate) fn into_inner(self) -> Box<dyn Error + Send + Sync> {
        self.0
    }
}

// Does not implement `Error`, so that it can be created from every error.
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
