//! [`CachedKeys`]: a key source that caches its results.

use std::{
    fmt,
    future::poll_fn,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::{Duration, Instant},
};

use moka::{Expiry, future::Cache};
use sha2::{Digest, Sha256};
use tokio::task::{JoinError, JoinHandle};

use crate::{
    head::Head,
    keys::source::{KeyFuture, KeyRequest, KeySource, KeySourceError, Tenant},
};

/// A [`KeySource`] that looks up tenants by name and caches the results.
///
/// | | default | set by |
/// | --- | --- | --- |
/// | lifetime of a tenant in the cache | 5 minutes | [`with_lifetime`](Self::with_lifetime) |
/// | lifetime of the result that a tenant does not exist | 10 seconds | [`with_negative_lifetime`](Self::with_negative_lifetime) |
/// | capacity of the cache, in tenants, including those that do not exist | 10,000 | [`with_capacity`](Self::with_capacity) |
///
/// Concurrent requests for a tenant share one look-up. The look-up continues for up to 30 seconds
/// if the request that started it is dropped. Errors are not cached. Beyond the capacity, the least
/// frequently used entries are evicted: a flood of made-up names evicts other made-up names, and
/// not the tenants in use.
///
/// ```
/// use std::{sync::{Arc, atomic::{AtomicUsize, Ordering}}, time::Duration};
/// use http::{Request, Response, StatusCode};
/// use http_body_util::Full;
/// use bytes::Bytes;
/// use tower::{ServiceBuilder, ServiceExt};
/// use tower_webhook::{Secret, Signer, Verifier, VerifiedEvent, WebhookVerifyLayer};
/// use tower_webhook::{keys::{CachedKeys, KeySet, Tenant}, providers::github};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
/// let asked = Arc::new(AtomicUsize::new(0));
/// let counter = Arc::clone(&asked);
/// let source = CachedKeys::new(
///     |head| head.path().strip_prefix("/hooks/").map(str::to_owned),
///     move |name: String| {
///         counter.fetch_add(1, Ordering::Relaxed);
///         async move {
///             if name != "acme" {
///                 return Ok(None);
///             }
///             let secret = Secret::new("the-secret-of-the-only-tenant");
///             Ok(Some(Tenant::new("acme", KeySet::new(&github(), secret)?)))
///         }
///     },
/// )
/// .with_lifetime(Duration::from_secs(60));
///
/// let verifier = Verifier::from_key_source(github(), source.clone())?;
/// let layer = WebhookVerifyLayer::new(verifier);
/// let service = ServiceBuilder::new().layer(layer).service_fn(|request: Request<Full<Bytes>>| async move {
///     let event = VerifiedEvent::<Bytes>::from_extensions(request.extensions()).unwrap();
///     assert_eq!(event.tenant(), Some("acme"));
///     Ok::<_, std::convert::Infallible>(Response::new(Full::<Bytes>::default()))
/// });
/// let signer = Signer::new(github(), Secret::new("the-secret-of-the-only-tenant"))?;
/// for (path, status) in [
///     ("/hooks/acme", 200),
///     ("/hooks/acme", 200),
///     ("/hooks/nobody", 401),
///     ("/hooks/nobody", 401),
/// ] {
///     let request = signer.sign(Request::post(path), "{}")?.map(Full::from);
///     let response = service.clone().oneshot(request).await?;
///     assert_eq!(response.status(), StatusCode::from_u16(status)?);
/// }
/// assert_eq!(asked.load(Ordering::Relaxed), 2);
///
/// // Forget a tenant whose key is revoked, so that its old key is not used any longer.
/// source.forget("acme").await;
/// # Ok(()) })
/// # }
/// ```
///
/// Requires a tokio runtime.
#[derive(Clone)]
pub struct CachedKeys {
    inner: Arc<Inner>,
}

#[derive(Clone)]
struct Inner {
    name: Arc<NameOf>,
    load: Arc<Load>,
    lifetimes: Lifetimes,
    capacity: u64,
    forgotten: Arc<Forgotten>,
    cache: Cache<Key, Option<Tenant>>,
}

/// The time limit of a look-up, including one that no request waits for any longer.
const LOOKUP_LIMIT: Duration = Duration::from_secs(30);

type NameOf = dyn Fn(&Head<'_>) -> Option<String> + Send + Sync;
type Load = dyn Fn(String) -> KeyFuture + Send + Sync;

/// A digest of the tenant's name in the request, so that all entries have the same size.
type Name = [u8; 32];

/// The name, and its generation: a look-up of an earlier generation does not serve later requests.
type Key = (Name, u64);

/// The generations of names, by the first byte of their digests. Forgetting one name makes all
/// names with the same first byte be looked up again.
struct Forgotten([AtomicU64; 256]);

impl Forgotten {
    fn place(&self, name: &Name) -> &AtomicU64 {
        let [place, ..] = *name;
        let [others @ .., last] = &self.0;
        others.get(usize::from(place)).unwrap_or(last)
    }

    fn key(&self, name: &str) -> Key {
        let name = Sha256::digest(name.as_bytes()).into();
        (name, self.place(&name).load(Ordering::SeqCst))
    }

    fn forget(&self, name: &Name) {
        self.place(name).fetch_add(1, Ordering::SeqCst);
    }

    fn forget_all(&self) {
        for place in &self.0 {
            place.fetch_add(1, Ordering::SeqCst);
        }
    }
}

#[derive(Clone, Copy)]
struct Lifetimes {
    known: Duration,
    unknown: Duration,
}

impl Expiry<Key, Option<Tenant>> for Lifetimes {
    fn expire_after_create(
        &self,
        _: &Key,
        tenant: &Option<Tenant>,
        _: Instant,
    ) -> Option<Duration> {
        Some(if tenant.is_some() {
            self.known
        } else {
            self.unknown
        })
    }
}

impl CachedKeys {
    /// Creates a source that extracts the name of a tenant from the head with `name`, and looks it
    /// up with `load`. If `name` returns `None`, the tenant is unknown and nothing is looked up.
    #[must_use]
    pub fn new<N, L, F>(name: N, load: L) -> Self
    where
        N: Fn(&Head<'_>) -> Option<String> + Send + Sync + 'static,
        L: Fn(String) -> F + Send + Sync + 'static,
        F: Future<Output = Result<Option<Tenant>, KeySourceError>> + Send + 'static,
    {
        let lifetimes = Lifetimes {
            known: Duration::from_secs(5 * 60),
            unknown: Duration::from_secs(10),
        };
        let inner = Inner {
            name: Arc::new(name),
            load: Arc::new(move |name| Box::pin(load(name)) as KeyFuture),
            lifetimes,
            capacity: 10_000,
            cache: cache(lifetimes, 10_000),
            forgotten: Arc::new(Forgotten([const { AtomicU64::new(0) }; 256])),
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// Sets how long a tenant's keys are used before they are looked up again. A revoked key is
    /// accepted until then, unless it is [forgotten](Self::forget).
    #[must_use]
    pub fn with_lifetime(self, lifetime: Duration) -> Self {
        self.rebuilt(|inner| inner.lifetimes.known = lifetime)
    }

    /// Sets how long the result that a tenant does not exist is cached. A new tenant that was
    /// requested before it existed is unknown for that long.
    #[must_use]
    pub fn with_negative_lifetime(self, lifetime: Duration) -> Self {
        self.rebuilt(|inner| inner.lifetimes.unknown = lifetime)
    }

    /// Sets how many tenants are cached, including those that do not exist.
    #[must_use]
    pub fn with_capacity(self, tenants: u64) -> Self {
        self.rebuilt(|inner| inner.capacity = tenants)
    }

    fn rebuilt(mut self, change: impl FnOnce(&mut Inner)) -> Self {
        let inner = Arc::make_mut(&mut self.inner);
        change(inner);
        inner.cache = cache(inner.lifetimes, inner.capacity);
        self
    }

    /// Removes a tenant from the cache, so that the next request looks it up again, even if a
    /// look-up is in progress. `name` is a name as the name function returns it.
    ///
    /// If several spellings of a name lead to the same tenant, each is cached separately. All
    /// entries whose tenant has `name` as its [id](Tenant::id) are removed as well, but a look-up
    /// under another spelling that is in progress is not. To rule that out, let the name function
    /// normalise names, for example to lower case, or call [`forget_all`](Self::forget_all).
    pub async fn forget(&self, name: &str) {
        let is_it = |tenant: Option<Tenant>| tenant.is_some_and(|tenant| tenant.id() == Some(name));
        let remembered = self.inner.cache.iter();
        let spellings = remembered
            .filter_map(|(key, tenant)| is_it(tenant).then_some(*key))
            .collect::<Vec<_>>();
        for key in spellings
            .into_iter()
            .chain([self.inner.forgotten.key(name)])
        {
            self.inner.forgotten.forget(&key.0);
            self.inner.cache.invalidate(&key).await;
        }
    }

    /// Removes all tenants from the cache.
    pub fn forget_all(&self) {
        self.inner.forgotten.forget_all();
        self.inner.cache.invalidate_all();
    }
}

fn cache(lifetimes: Lifetimes, capacity: u64) -> Cache<Key, Option<Tenant>> {
    Cache::builder()
        .max_capacity(capacity)
        .expire_after(lifetimes)
        .build()
}

impl KeySource for CachedKeys {
    fn keys(&self, request: &KeyRequest<'_>) -> KeyFuture {
        let Some(name) = (self.inner.name)(request.head) else {
            return Box::pin(std::future::ready(Ok(None)));
        };
        request.asks_for(&name);
        let inner = Arc::clone(&self.inner);
        Box::pin(async move {
            let key = inner.forgotten.key(&name);
            if let Some(tenant) = inner.cache.get(&key).await {
                return Ok(tenant);
            }
            let began = Arc::new(AtomicBool::new(false));
            let flag = Arc::clone(&began);
            let cache = inner.cache.clone();
            let task = tokio::spawn(async move {
                let load = async {
                    flag.store(true, Ordering::Relaxed);
                    let load = caught(async move { (inner.load)(name).await });
                    let found = tokio::time::timeout(LOOKUP_LIMIT, load).await;
                    found.unwrap_or_else(|late| Err(late.into()))
                };
                cache.try_get_with(key, load).await
            });
            match (Lookup { task, began }).await {
                Ok(found) => found.map_err(|error| KeySourceError::from(error.to_string())),
                Err(ended) => Err(ended.into()),
            }
        })
    }
}

/// Turns a panic into an error, which all requests that wait for the look-up receive. Otherwise
/// each of them would retry it.
async fn caught(
    load: impl Future<Output = Result<Option<Tenant>, KeySourceError>>,
) -> Result<Option<Tenant>, KeySourceError> {
    let mut load = std::pin::pin!(load);
    poll_fn(|cx| {
        catch_unwind(AssertUnwindSafe(|| load.as_mut().poll(cx)))
            .unwrap_or_else(|_| Poll::Ready(Err("the look-up panicked".into())))
    })
    .await
}

/// A task that looks up a tenant, or waits for another task that does.
///
/// If its request is dropped, a task that looks up continues, so that the next request need not
/// start over; a task that only waits is aborted.
struct Lookup<T> {
    task: JoinHandle<T>,
    began: Arc<AtomicBool>,
}

impl<T> Future for Lookup<T> {
    type Output = Result<T, JoinError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.task).poll(cx)
    }
}

impl<T> Drop for Lookup<T> {
    fn drop(&mut self) {
        if !self.began.load(Ordering::Relaxed) {
            self.task.abort();
        }
    }
}

impl fmt::Debug for CachedKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CachedKeys")
            .field("lifetime", &self.inner.lifetimes.known)
            .field("negative_lifetime", &self.inner.lifetimes.unknown)
            .field("capacity", &self.inner.capacity)
            .finish_non_exhaustive()
    }
}
