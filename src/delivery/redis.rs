//! [`RedisStore`]: deliveries of several replicas, in one Redis.

mod connection;
mod script;

use std::{fmt, sync::Arc, time::Duration};

use ::redis::{Client, ConnectionAddr, IntoConnectionInfo};
use tokio::runtime::Handle;

use self::{
    connection::Connections,
    script::{CLAIM, COMPLETE, RELEASE, Script},
};
use crate::error::SetupError;
use crate::{
    delivery::{
        error::{StoreError, StoreErrorKind},
        owner::Owner,
        store::{Claim, DeliveryStore, StoreFuture},
    },
    delivery_key::DeliveryKey,
};

/// Remembers the deliveries of any number of replicas in one Redis 6 or newer (or Valkey).
///
/// It connects when it is first used, and again whenever the connection is lost: a service starts, and answers 503, while
/// Redis is away. Each step is one script on one key: atomic, one round trip.
///
/// Connecting may take longer than a step: steps that run out of time meanwhile fail, and the first after it is made goes
/// on. It is given up after 30 s, or after a step's time if that is longer, and begun anew by the next step.
///
/// ```
/// use std::time::Duration;
/// use tower_webhook::delivery::RedisStore;
///
/// let store = RedisStore::new("redis://:password@127.0.0.1:6379/0", "billing-production")?
///     .with_timeout(Duration::from_millis(500));
/// assert!(!format!("{store:?}").contains("password"));
///
/// let error = RedisStore::new("127.0.0.1", "billing-production").unwrap_err();
/// assert!(error.to_string().contains("redis://"));
/// # Ok::<_, tower_webhook::SetupError>(())
/// ```
///
/// | | default | set by |
/// | --- | --- | --- |
/// | time for a step, waiting for a connection included | 1 s | [`with_timeout`](Self::with_timeout) |
///
/// # Namespace
///
/// The replicas of one service in one environment share a namespace, and with it their deliveries. Any other service, and
/// the same service in another environment, needs another one, even if its secrets differ: endpoints of the same
/// name would take each other's events for done, answer them with success, and never handle them.
///
/// # What Redis must be told
///
/// **`maxmemory-policy noeviction`.** Any other policy may drop a claim in progress, and two replicas handle one delivery
/// at once. With it, a full Redis refuses writes, and deliveries are answered 503. The store asks `INFO memory` after it
/// first connected, and warns (feature `tracing`) where the policy is another.
///
/// **How much may be lost.** What Redis forgets in a crash is handled again when it is sent again: `appendonly yes` loses a
/// second at most, no persistence loses everything. A replica that is promoted may lack what was written last.
///
/// **An ACL**, if there is one, needs `+evalsha +eval +get +set +pttl +del` on the keys, and `+info` for the warning.
///
/// # Layout
///
/// One string for each delivery, as small as Redis can keep it:
///
/// | key | value | expires |
/// | --- | --- | --- |
/// | namespace, `:`, the 32 bytes of the [`DeliveryKey`] | the 16 bytes of the [`Owner`]: in progress | after the lease |
/// | the same | a number of 19 digits, made of the owner: completed | after the lifetime |
///
/// Redis's own clock decides what has expired. Something else under a key is an error, and is left alone. To look at one
/// delivery, or delete it, by the `delivery_key` of the log:
///
/// ```sh
/// { printf 'billing-production:'; printf %s "$key" | xxd -r -p; } | redis-cli -x GET
/// ```
///
/// # Threads that block
///
/// All steps share one connection, which the runtime serves that made it. actix-web has a runtime for each worker: a handler that blocks the
/// thread of that one keeps the others from Redis, so that their events are answered 503. Use `web::block`.
///
/// # TLS, clusters
///
/// `rediss://` needs TLS in the `redis` crate, which this crate does not choose for you. Add it to your own dependencies:
/// `redis = { version = "1", default-features = false, features = ["tokio-rustls-comp"] }`, and a provider of cryptography for
/// `rustls`. Without, such a URL is refused by [`new`](Self::new).
///
/// A Redis Cluster is not followed from node to node: use a proxy that does, or one Redis for the deliveries.
#[derive(Clone)]
pub struct RedisStore {
    connections: Arc<Connections>,
    address: Arc<str>,
    namespace: Arc<str>,
    timeout: Duration,
}

impl RedisStore {
    /// A store at `redis://[user][:password]@host[:port][/database]`, or at `redis+unix:///path`, for the deliveries of
    /// one [namespace](Self#namespace). It does not connect yet.
    ///
    /// # Errors
    ///
    /// When the URL is not one, or asks for TLS that is not compiled in. The text does not show it. When the namespace is
    /// empty, has more than 128 bytes, begins or ends with white space, or has a character that cannot be seen.
    pub fn new(url: impl AsRef<str>, namespace: impl AsRef<str>) -> Result<Self, SetupError> {
        let url = url.as_ref();
        let failed = |problem: &str| Err(SetupError::new(format!("redis: {problem}")));
        let tls = url.starts_with("rediss:") || url.starts_with("valkeys:");
        // The crate's own error may quote the URL, and with it the password.
        let Ok(info) = url.into_connection_info() else {
            return failed(if tls {
                "a rediss:// URL needs the feature `tokio-rustls-comp` of the crate `redis`, version 1; add \
                 that crate with it to your dependencies, or write redis://"
            } else {
                "the URL is not one; write redis://[user][:password]@host[:port][/database]"
            });
        };
        if !info.addr().is_supported() {
            return failed("this kind of address is not supported on this system; write redis://");
        }
        let settings = connection::tcp_settings();
        let Ok(client) = Client::open(info.set_tcp_settings(settings)) else {
            return failed("the URL cannot be used; write redis://[user][:password]@host[:port]");
        };
        Self::from_client(client, namespace)
    }

    /// A store that connects with `client`, for settings that no URL has: certificates, a user name
    /// from elsewhere, options of TCP. The client's settings are used as they are; the store makes
    /// its own connection and reconnects it. It does not connect yet.
    ///
    /// ```
    /// use redis::IntoConnectionInfo;
    /// use tower_webhook::delivery::RedisStore;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let settings = "redis://127.0.0.1:6380".into_connection_info()?;
    /// let store = RedisStore::from_client(redis::Client::open(settings)?, "billing-production")?;
    /// assert!(format!("{store:?}").contains("127.0.0.1:6380"));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// When the namespace is not one: see [`new`](Self::new).
    pub fn from_client(client: Client, namespace: impl AsRef<str>) -> Result<Self, SetupError> {
        let namespace = checked(namespace.as_ref())?;
        let address = address(client.get_connection_info().addr());
        Ok(Self {
            connections: Arc::new(Connections::new(client)),
            address: address.into(),
            namespace: namespace.into(),
            timeout: Duration::from_secs(1),
        })
    }

    /// Sets how long a step may take, everything included. After it the step fails with
    /// [`StoreErrorKind::Timeout`], and may still be done by Redis later.
    ///
    /// # Panics
    ///
    /// If it is zero: every step would fail.
    #[must_use]
    #[track_caller]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        assert!(
            !timeout.is_zero(),
            "timeout is zero, so that every step would fail; set how long one may take, such as a second"
        );
        self.timeout = timeout;
        self
    }

    /// One step, within its time.
    async fn step(
        self,
        script: &'static Script,
        key: DeliveryKey,
        owner: Owner,
        time: Duration,
    ) -> Result<i64, StoreError> {
        let key = self.entry(key);
        let connections = &self.connections;
        self.within(connections.run(script, &key, owner, millis(time), self.timeout))
            .await
    }

    /// The key of a delivery in Redis.
    fn entry(&self, key: DeliveryKey) -> Vec<u8> {
        [self.namespace.as_bytes(), b":", key.as_bytes()].concat()
    }

    async fn within(
        &self,
        step: impl Future<Output = Result<i64, ::redis::RedisError>>,
    ) -> Result<i64, StoreError> {
        match tokio::time::timeout(self.timeout, step).await {
            Ok(Ok(answer)) => {
                self.connections.answered();
                Ok(answer)
            }
            Ok(Err(error)) => {
                let kind = if error.is_timeout() {
                    StoreErrorKind::Timeout
                } else if error.code() == Some("OOM") {
                    StoreErrorKind::Full
                } else {
                    StoreErrorKind::Unavailable
                };
                Err(StoreError::new(kind, error))
            }
            Err(_) => {
                let (address, timeout) = (&self.address, self.timeout);
                let problem = if self.connections.is_connected() {
                    format!("redis at {address} took {timeout:?}")
                } else {
                    format!(
                        "redis at {address}: no connection after {timeout:?}; connecting goes on"
                    )
                };
                self.connections.missed(timeout);
                Err(StoreError::new(StoreErrorKind::Timeout, problem))
            }
        }
    }
}

/// The address for messages, without user and password.
fn address(address: &ConnectionAddr) -> String {
    match address {
        ConnectionAddr::Unix(path) => path.display().to_string(),
        ConnectionAddr::Tcp(host, port) => format!("{host}:{port}"),
        ConnectionAddr::TcpTls { host, port, .. } => format!("{host}:{port} (TLS)"),
        _ => String::new(),
    }
}

/// A namespace that is written in one way only, and can be read in a log and typed into a shell.
fn checked(namespace: &str) -> Result<&str, SetupError> {
    const LONGEST: usize = 128;
    // What is escaped cannot be seen: control characters, other spaces, marks that change the letter in front.
    let is_shown =
        |letter: char| matches!(letter, '"' | '\'' | '\\') || letter.escape_debug().len() == 1;
    let problem = if namespace.trim().is_empty() {
        "is empty"
    } else if namespace.len() > LONGEST {
        "has more than 128 bytes"
    } else if namespace.trim() != namespace {
        "begins or ends with white space"
    } else if !namespace.chars().all(is_shown) {
        "has a character that cannot be seen"
    } else {
        return Ok(namespace);
    };
    Err(SetupError::new(format!(
        "redis: the namespace {problem}; write a name of this service and environment, such as \"billing-production\""
    )))
}

/// What Redis takes for an expiry: whole milliseconds, one at least. Rounded up, and a thousand years at most.
fn millis(time: Duration) -> u64 {
    const LONGEST: u64 = 1000 * 365 * 24 * 60 * 60 * 1000;
    let millis = time.as_nanos().div_ceil(1_000_000);
    u64::try_from(millis).unwrap_or(LONGEST).clamp(1, LONGEST)
}

impl DeliveryStore for RedisStore {
    fn claim(&self, key: DeliveryKey, owner: Owner, lease: Duration) -> StoreFuture<Claim> {
        let step = self.clone().step(&CLAIM, key, owner, lease);
        Box::pin(async move {
            Ok(match step.await? {
                script::NEW => Claim::New,
                script::DONE => Claim::Done,
                rest => Claim::InProgress {
                    remaining: Duration::from_millis(u64::try_from(rest).unwrap_or_default()),
                },
            })
        })
    }

    fn complete(&self, key: DeliveryKey, owner: Owner, lifetime: Duration) -> StoreFuture<bool> {
        let step = self.clone().step(&COMPLETE, key, owner, lifetime);
        Box::pin(async move { Ok(step.await? == 1) })
    }

    /// A task does it, whether the future is polled or not. Without a runtime, the future does.
    fn release(&self, key: DeliveryKey, owner: Owner) -> StoreFuture<bool> {
        let step = self.clone().step(&RELEASE, key, owner, Duration::ZERO);
        let Ok(runtime) = Handle::try_current() else {
            return Box::pin(async move { Ok(step.await? == 1) });
        };
        let task = runtime.spawn(step);
        Box::pin(async move {
            let ended = |error| StoreError::new(StoreErrorKind::Unavailable, error);
            Ok(task.await.map_err(ended)?? == 1)
        })
    }

    fn forget(&self, key: DeliveryKey) -> StoreFuture<bool> {
        let this = self.clone();
        Box::pin(async move {
            let key = this.entry(key);
            let deleted = this.connections.delete(&key, this.timeout);
            Ok(this.within(deleted).await? > 0)
        })
    }
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore")
            .field("address", &self.address)
            .field("namespace", &self.namespace)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_rounded_up_to_milliseconds_and_are_never_none() {
        for (time, expected) in [
            (Duration::ZERO, 1),
            (Duration::from_nanos(1), 1),
            (Duration::from_millis(30_000), 30_000),
            (Duration::from_nanos(30_000_000_001), 30_001),
            (Duration::MAX, 31_536_000_000_000),
        ] {
            assert_eq!(millis(time), expected, "{time:?}");
        }
    }
}
