//! [`CachedKeys`]: a source that asks once and remembers.

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

/// A [`KeySource`] that looks a tenant up by name, and remembers what it found.
///
/// | | default | set by |
/// | --- | --- | --- |
/// | a tenant is remembered for | 5 minutes | [`with_lifetime`](Self::with_lifetime) |
/// | that there is no such tenant is remembered for | 10 seconds | [`with_negative_lifetime`](Self::with_negative_lifetime) |
/// | tenants that are remembered, those that do not exist included | 10,000 | [`with_capacity`](Self::with_capacity) |
///
/// However many requests ask for a tenant at once, it is looked up once, and the look-up goes on when the request that began
/// it goes away, for 30 seconds at most. Errors are not remembered. Past the capacity, what is asked for least makes room: a flood of made-up names
/// drives out other made-up names, and not the tenants in use.
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
///             let secret = Secret::new("the-secret-of-the-only-tenant");
///             let known = name == "acme";
///             Ok(if known { Some(Tenant::new("acme", KeySet::new(&github(), secret)?)) } else { None })
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
/// for (path, status) in [("/hooks/acme", 200), ("/hooks/acme", 200), ("/hooks/nobody", 401), ("/hooks/nobody", 401)] {
///     let request = signer.sign(Request::post(path), "{}")?.map(Full::from);
///     let response = service.clone().oneshot(request).await?;
///     assert_eq!(response.status(), StatusCode::from_u16(status)?);
/// }
/// assert_eq!(asked.load(Ordering::Relaxed), 2);
///
/// // Once a key is revoked it must not be remembered any longer.
/// source.forget("acme").await;
/// # Ok(()) })
/// # }
/// ```
///
/// It needs a tokio runtime.
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

/// How long a look-up may take that nobody waits for any longer.
const LOOKUP_LIMIT: Duration = Duration::from_secs(30);

type NameOf = dyn Fn(&Head<'_>) -> Option<String> + Send + Sync;
type Load = dyn Fn(String) -> KeyFuture + Send + Sync;

/// A digest of what the request calls the tenant, so that every entry is of one size whatever it was called.
type Name = [u8; 32];

/// The name, and how often it was forgotten: a look-up that began before answers nobody who asks after.
type Key = (Name, u64);

/// How often names were forgotten. Some share a place by chance, and are then looked up anew together.
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
    /// A source that takes the name of the tenant out of the head with `name`, and looks it up with `load`. Where `name` finds
    /// none, the tenant is unknown and nothing is looked up.
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

    /// Sets how long a tenant's keys are used before they are looked up again. A key that was revoked is accepted until then,
    /// unless it is [forgotten](Self::forget).
    #[must_use]
    pub fn with_lifetime(self, lifetime: Duration) -> Self {
        self.rebuilt(|inner| inner.lifetimes.known = lifetime)
    }

    /// Sets how long it is remembered that there is no such tenant. A new one has to wait that long if somebody asked before
    /// it was there.
    #[must_use]
    pub fn with_negative_lifetime(self, lifetime: Duration) -> Self {
        self.rebuilt(|inner| inner.lifetimes.unknown = lifetime)
    }

    /// Sets how many tenants are remembered.
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

    /// Looks the tenant up anew when it is asked for next, even where it is being looked up now. `name` is what the name
    /// function makes of a head.
    ///
    /// Where the look-up finds a tenant under several spellings of its name, each is remembered for itself. All whose tenant has the
    /// [id](Tenant::id) `name` are forgotten with it; one that is being looked up under another spelling at this moment is not. To rule that out, let
    /// the name function give one spelling, such as the lower-case one, or [forget all](Self::forget_all).
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

    /// Looks every tenant up anew.
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

/// A panic as an error: all who wait for the look-up get it, where otherwise each of them would try anew.
async fn caught(
    load: impl Future<Output = Result<Option<Tenant>, KeySourceError>>,
) -> Result<Option<Tenant>, KeySourceError> {
    let mut load = std::pin::pin!(load);
    poll_fn(|cx| {
        catch_unwind(AssertUnwindSafe(|| load.as_mut().poll(cx)))
            .unwrap_or_else(|_| Poll::Ready(Err("the look-up has panicked".into())))
    })
    .await
}

/// A task that looks a tenant up, or waits for another that does.
///
/// Who began it may go away or run out of time: one that looks up goes on, so that the next request need not begin anew; one
/// that only waits ends.
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
