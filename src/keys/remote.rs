//! [`RemoteKeys`]: keys that are fetched from the provider.

pub(crate) mod address;
pub(crate) mod cache;
pub(crate) mod client;
pub(crate) mod https;
pub(crate) mod origin;

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::Poll,
    time::Duration,
};

use tokio::{sync::watch, time::Instant};

use self::{
    address::KeyUrl,
    cache::{Cache, Found, Limits, Next, Outcome, SHORTEST, entry_name},
    client::{KeyClient, KeyDocument},
    https::HttpsClient,
    origin::{JwkSet, KeyOrigin, Means},
};
use crate::{
    compiled::scheme::CompiledScheme,
    error::SetupError,
    keys::{
        public_key::PublicKey,
        source::{KeySourceError, KeysFound, LateKeys, LateKeysFuture},
        suspicion::SecretLook,
    },
};

/// Keys that are fetched from the provider, by the id in the request, and cached. Clones share the
/// cache.
///
/// Nothing is fetched before everything that needs no key was checked: the headers, the form of the
/// signature, the algorithm, the claims of a token, the time, and the hash of the body. The address
/// is the one of the program or the configuration; a request chooses at most an id in it.
///
/// | | default | set by |
/// | --- | --- | --- |
/// | lifetime of keys, unless their server says that it is shorter | 1 hour | [`with_lifetime`](Self::with_lifetime) |
/// | further use while they cannot be fetched | 4 hours | [`with_grace`](Self::with_grace) |
/// | lifetime of the result that a key does not exist | 1 minute | [`with_negative_lifetime`](Self::with_negative_lifetime) |
/// | fetches of unknown keys per minute, over all ids | 10 | [`with_max_fetches`](Self::with_max_fetches) |
/// | time for one fetch | 10 seconds | |
/// | size of a document | [256 KiB](KeyDocument::MAX_DOCUMENT) | by the client |
///
/// Requests for the same key share one fetch, which continues if the request that began it is
/// dropped. A request waits for it as long as
/// [`with_key_timeout`](crate::WebhookVerifyLayer::with_key_timeout) says, and at most 2 seconds
/// where older keys are still usable. After a failure there is no other fetch for 10 seconds.
/// Refreshing keys that are known has a budget of its own, so that a flood of invented ids delays
/// new keys at most.
///
/// | result | effect |
/// | --- | --- |
/// | keys | the request is verified with those of its id, or with up to [eight](crate::keys::KeySet::MAX) of a set if it names none |
/// | there is no key with the id, or one of another kind than the provider signs with | 401, like a wrong signature |
/// | the keys cannot be fetched, or were fetched too often | 503, so that the provider sends the event again |
///
/// A request with several signatures may name several keys. It is accepted if one of them verifies
/// it, even if others do not exist or cannot be fetched.
///
/// ```
/// use tower_webhook::{Verifier, WebhookVerifyLayer, keys::RemoteKeys, providers};
///
/// # fn main() -> Result<(), tower_webhook::SetupError> {
/// // Any set of JSON Web Keys, such as that of a simulator.
/// let keys = RemoteKeys::jwks("https://keys.example.com/.well-known/jwks.json")?;
/// let verifier = Verifier::from_remote_keys(providers::fal_ai(), keys)?;
/// let layer = WebhookVerifyLayer::new(verifier);
/// # drop(layer);
/// # Ok(())
/// # }
/// ```
///
/// Requires a tokio runtime.
#[derive(Clone)]
pub struct RemoteKeys {
    inner: Arc<Inner>,
}

#[derive(Clone)]
struct Inner {
    means: Means,
    client: Arc<dyn KeyClient>,
    limits: Limits,
    cache: Arc<Mutex<Cache>>,
}

/// The time limit of a fetch, including one that no request waits for any longer.
const FETCH_LIMIT: Duration = Duration::from_secs(10);

/// For how long a request waits for new keys while it could have older ones.
const REFRESH_WAIT: Duration = Duration::from_secs(2);

/// The longest id of a key. An address or a UUID is shorter.
const MAX_KEY_ID: usize = 2048;

impl RemoteKeys {
    /// A set of JSON Web Keys ([RFC 7517](https://www.rfc-editor.org/rfc/rfc7517#section-5)).
    ///
    /// # Errors
    ///
    /// As for [`KeyUrl::new`].
    pub fn jwks(url: &str) -> Result<Self, SetupError> {
        let url = KeyUrl::new(url).map_err(|error| error.within("remote_keys"))?;
        Ok(Self::of_origin(Arc::new(JwkSet(url))))
    }

    /// Keys that the application looks up by their ids, for an API that needs credentials. `None`
    /// means that there is no such key. The id is not verified yet, so it must not become a part of
    /// an address without being checked and escaped.
    ///
    /// ```
    /// use tower_webhook::{PublicKey, Verifier, keys::RemoteKeys, providers};
    ///
    /// # fn main() -> Result<(), tower_webhook::SetupError> {
    /// let keys = RemoteKeys::by_id(|id| async move {
    ///     // POST /webhook_verification_key/get with your credentials and {"key_id": id} here.
    ///     let known = "6c5516e1-92dc-479e-a8ff-5a51992e0001";
    ///     let jwk = r#"{"kty":"EC","crv":"P-256","x":"…","y":"…"}"#;
    ///     Ok((id == known).then(|| PublicKey::new(jwk)))
    /// });
    /// let verifier = Verifier::from_remote_keys(providers::plaid(), keys)?;
    /// # drop(verifier);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn by_id<L, F>(look_up: L) -> Self
    where
        L: Fn(String) -> F + Send + Sync + 'static,
        F: Future<Output = Result<Option<PublicKey>, KeySourceError>> + Send + 'static,
    {
        Self::new(Means::LookUp(Arc::new(move |id: String| {
            let found = look_up(id.clone());
            Box::pin(async move {
                let key = found.await?;
                Ok(key.map(|key| vec![key.with_id(id).into()]))
            })
        })))
    }

    /// The keys of a provider.
    pub(crate) fn of_origin(origin: Arc<dyn KeyOrigin>) -> Self {
        Self::new(Means::Fetch(origin))
    }

    fn new(means: Means) -> Self {
        let inner = Inner {
            means,
            client: Arc::new(HttpsClient::new()),
            limits: Limits {
                lifetime: Duration::from_secs(60 * 60),
                grace: Duration::from_secs(4 * 60 * 60),
                negative: Duration::from_secs(60),
                fetches: 10,
            },
            cache: Arc::default(),
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// Fetches with another client than [`HttpsClient`]. Keys that are looked up
    /// [by the application](Self::by_id) need none.
    #[must_use]
    pub fn with_client(self, client: impl KeyClient + 'static) -> Self {
        self.rebuilt(|inner| inner.client = Arc::new(client))
    }

    /// Sets how long keys are used before they are fetched again, at least a minute. A key that the
    /// provider has revoked is accepted until then.
    #[must_use]
    pub fn with_lifetime(self, lifetime: Duration) -> Self {
        let lifetime = lifetime.max(SHORTEST);
        self.rebuilt(|inner| inner.limits.lifetime = lifetime)
    }

    /// Sets how long keys are used beyond their lifetime while they cannot be fetched. Zero means
    /// that requests are refused with 503 as soon as the lifetime ends.
    #[must_use]
    pub fn with_grace(self, grace: Duration) -> Self {
        self.rebuilt(|inner| inner.limits.grace = grace)
    }

    /// Sets how long a key that does not exist is not fetched again, at least a second. A set is
    /// not fetched again within this time for a key that it lacks.
    #[must_use]
    pub fn with_negative_lifetime(self, lifetime: Duration) -> Self {
        let lifetime = lifetime.max(Duration::from_secs(1));
        self.rebuilt(|inner| inner.limits.negative = lifetime)
    }

    /// Sets how many fetches of unknown keys there are per minute, over all ids. There are at most
    /// as many again of keys that are known.
    #[must_use]
    pub fn with_max_fetches(self, per_minute: usize) -> Self {
        self.rebuilt(|inner| inner.limits.fetches = per_minute)
    }

    /// A source with other settings has a cache of its own.
    fn rebuilt(mut self, change: impl FnOnce(&mut Inner)) -> Self {
        let inner = Arc::make_mut(&mut self.inner);
        change(inner);
        inner.cache = Arc::default();
        self
    }

    /// Forgets all keys, so that they are fetched anew: after the provider has announced that one
    /// is revoked.
    pub fn forget_all(&self) {
        self.inner.cache().clear();
    }
}

impl Inner {
    fn cache(&self) -> MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_set(&self) -> bool {
        matches!(&self.means, Means::Fetch(origin) if origin.set().is_some())
    }

    /// The address of a key, `Some(None)` if the application looks it up, or `None` if there can be
    /// no such key.
    fn address(&self, key_id: Option<&str>) -> Option<Option<KeyUrl>> {
        match &self.means {
            Means::LookUp(_) => key_id.map(|_| None),
            Means::Fetch(origin) => match origin.set() {
                Some(url) => Some(Some(url.clone())),
                None => origin.address(key_id?).map(Some),
            },
        }
    }

    /// Gets the keys, or waits for who does.
    async fn find(
        self: Arc<Self>,
        key_id: Option<&str>,
    ) -> Result<Option<Arc<Found>>, KeySourceError> {
        let Some(address) = self.address(key_id) else {
            return Ok(None);
        };
        let is_set = self.is_set();
        let name = entry_name(is_set, key_id);
        let wanted = key_id.filter(|_| is_set);
        loop {
            let next = self
                .cache()
                .next(&name, wanted, &self.limits, Instant::now());
            let (mut flight, older) = match next {
                Next::Use(keys) => return Ok(Some(keys)),
                Next::Unknown => return Ok(None),
                Next::Failed(problem) => return Err(problem.to_string().into()),
                Next::Wait(flight, older) => (flight, older),
                Next::Fetch(landed) => {
                    let fetch = Fetch {
                        inner: Arc::clone(&self),
                        name: Arc::clone(&name),
                        key_id: key_id.map(str::to_owned),
                        outcome: Some(Outcome::Failed("the fetch was aborted".to_owned())),
                        landed,
                    };
                    tokio::spawn(fetch.run(address.clone()));
                    continue;
                }
            };
            // An error is the end of the fetch.
            let landed = async { while flight.changed().await.is_ok() {} };
            match older {
                None => landed.await,
                Some(keys) => {
                    if tokio::time::timeout(REFRESH_WAIT, landed).await.is_err() {
                        return Ok(Some(keys));
                    }
                }
            }
        }
    }
}

/// A fetch in progress. However it ends, those who wait for it go on.
struct Fetch {
    inner: Arc<Inner>,
    name: Arc<str>,
    key_id: Option<String>,
    /// What is noted on drop.
    outcome: Option<Outcome>,
    landed: watch::Sender<()>,
}

impl Fetch {
    async fn run(mut self, address: Option<KeyUrl>) {
        let found = tokio::time::timeout(FETCH_LIMIT, caught(self.found(address))).await;
        self.outcome = Some(match found {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(error)) => Outcome::Failed(error.to_string()),
            Err(_) => Outcome::Failed(format!(
                "there was no answer within {} seconds",
                FETCH_LIMIT.as_secs()
            )),
        });
    }

    fn found(
        &self,
        address: Option<KeyUrl>,
    ) -> impl Future<Output = Result<Outcome, KeySourceError>> + use<> {
        let inner = Arc::clone(&self.inner);
        let key_id = self.key_id.clone();
        async move {
            match (&inner.means, address) {
                (Means::Fetch(origin), Some(address)) => {
                    let failed = |problem: String| format!("{}: {problem}", address.shown());
                    let document = inner.client.get(&address).await;
                    let document = document.map_err(|error| failed(error.to_string()))?;
                    let Some(KeyDocument { body, max_age }) = document else {
                        return match origin.set() {
                            Some(_) => Err(failed("there is no such document".to_owned()).into()),
                            None => Ok(Outcome::Absent),
                        };
                    };
                    if body.len() > KeyDocument::MAX_DOCUMENT {
                        return Err(failed("the document is too large".to_owned()).into());
                    }
                    let keys = origin.read(key_id.as_deref(), &body);
                    let keys = keys.map_err(|error| failed(error.to_string()))?;
                    Ok(Outcome::Found(keys, max_age))
                }
                (Means::LookUp(look_up), _) => {
                    let keys = look_up(key_id.unwrap_or_default()).await?;
                    Ok(keys.map_or(Outcome::Absent, |keys| Outcome::Found(keys, None)))
                }
                (Means::Fetch(_), None) => Ok(Outcome::Absent),
            }
        }
    }
}

impl Drop for Fetch {
    fn drop(&mut self) {
        if let Some(outcome) = self.outcome.take() {
            let problem = match &outcome {
                Outcome::Failed(problem) => problem.clone(),
                _ => String::new(),
            };
            let (limits, now) = (self.inner.limits, Instant::now());
            let mut cache = self.inner.cache();
            let is_stale = cache.end(&self.name, &self.landed, outcome, &limits, now);
            drop(cache);
            if is_stale {
                warn(&problem);
            }
        }
    }
}

/// Says that older keys are used. There are few such lines, as there are few fetches.
#[cfg(feature = "tracing")]
fn warn(problem: &str) {
    tracing::warn!(
        target: "tower_webhook",
        problem,
        "keys cannot be fetched, and older ones are used for a while"
    );
}

#[cfg(not(feature = "tracing"))]
fn warn(_: &str) {}

/// Turns a panic of a client into an error, which all requests that wait receive.
async fn caught<T>(
    fetch: impl Future<Output = Result<T, KeySourceError>>,
) -> Result<T, KeySourceError> {
    let mut fetch = std::pin::pin!(fetch);
    std::future::poll_fn(|cx| {
        catch_unwind(AssertUnwindSafe(|| fetch.as_mut().poll(cx)))
            .unwrap_or_else(|_| Poll::Ready(Err("the client panicked".into())))
    })
    .await
}

impl LateKeys for RemoteKeys {
    fn keys(
        &self,
        schemes: &Arc<[CompiledScheme]>,
        look: &SecretLook,
        key_ids: &[Option<&str>],
    ) -> LateKeysFuture {
        let (inner, schemes, look) = (Arc::clone(&self.inner), Arc::clone(schemes), *look);
        let is_id = |id: &Option<&str>| id.is_none_or(|id| id.len() <= MAX_KEY_ID);
        let key_ids = key_ids.iter().copied().filter(is_id);
        let key_ids: Vec<_> = key_ids.map(|id| id.map(str::to_owned)).collect();
        Box::pin(async move {
            let mut all = KeysFound::default();
            for key_id in &key_ids {
                let key_id = key_id.as_deref();
                let found = Arc::clone(&inner).find(key_id).await;
                let prepared = found.and_then(|found| {
                    let prepare = |found: Arc<Found>| found.prepare(&schemes, &look, key_id);
                    Ok(found.map(prepare).transpose()?.flatten())
                });
                match prepared {
                    Ok(None) => {}
                    Ok(Some(next)) => {
                        all.keys = Some(match all.keys {
                            None => next,
                            Some(keys) => keys.joined(&next),
                        });
                    }
                    Err(error) => all.failed = all.failed.or(Some(error)),
                }
            }
            all
        })
    }
}

impl fmt::Debug for RemoteKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("RemoteKeys");
        match &self.inner.means {
            Means::Fetch(origin) => shown.field("origin", origin),
            Means::LookUp(_) => shown.field("origin", &"the application"),
        };
        shown
            .field("limits", &self.inner.limits)
            .finish_non_exhaustive()
    }
}
