//! [`RedisStore`]: a delivery store for several replicas, in one Redis.

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
/// The store connects on first use and reconnects when the connection is lost. A service can start
/// while Redis is unavailable; it then responds with 503. Each operation is one atomic command on
/// one key, in one round trip.
///
/// Connecting may take longer than the timeout of an operation. Operations that time out meanwhile
/// fail; the attempt to connect continues. It is abandoned after 30 s, or after the timeout of an
/// operation if that is longer, and the next operation starts a new one.
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
/// | limit | default | set by |
/// | --- | --- | --- |
/// | timeout of an operation, including the wait for a connection | 1 s | [`with_timeout`](Self::with_timeout) |
///
/// # Namespace
///
/// The replicas of one service in one environment share a namespace and, with it, their deliveries.
/// Any other service, and the same service in another environment, needs a different namespace,
/// even if its secrets differ. Otherwise, endpoints of the same name treat each other's events as
/// completed: they respond with success and never handle them.
///
/// # Configuration of Redis
///
/// **`maxmemory-policy noeviction`.** Any other policy may evict a claim in progress, so that two
/// replicas handle a delivery at the same time. With `noeviction`, a full Redis refuses writes, and
/// deliveries are answered with 503. The store runs `INFO memory` after it has first connected, and
/// logs a warning (feature `tracing`) if the policy is a different one.
///
/// **Persistence.** A delivery that Redis loses in a crash is handled again when it is retried.
/// With `appendonly yes`, Redis loses at most about a second; without persistence, it loses
/// everything. A promoted replica may lack the latest writes.
///
/// **ACL.** A user needs `+evalsha +eval +get +set +pttl +del` on the keys, and `+info` for the
/// warning.
///
/// # Layout
///
/// Each delivery is one string:
///
/// | key | value | expires |
/// | --- | --- | --- |
/// | namespace, `:`, the 32 bytes of the [`DeliveryKey`] | the 16 bytes of the [`Owner`]: in progress | after the lease |
/// | the same | a number of 19 digits, derived from the owner: completed | after the lifetime |
///
/// Expiry uses the clock of Redis. Any other value under a key is an error, and is not changed. To
/// inspect a delivery by the `delivery_key` of the log (use `DEL` to delete it):
///
/// ```sh
/// { printf 'billing-production:'; printf %s "$key" | xxd -r -p; } | redis-cli -x GET
/// ```
///
/// # Blocking handlers
///
/// All operations share one connection, which is driven by the runtime that created it. actix-web
/// has one runtime per worker: a handler that blocks the thread of that runtime also blocks the
/// Redis operations of all other workers, so their events are answered with 503. Use `web::block`.
///
/// # TLS and clusters
///
/// `rediss://` requires a TLS feature of the `redis` crate; this crate does not enable one. Add
/// `redis = { version = "1", default-features = false, features = ["tokio-rustls-comp"] }` and a
/// cryptography provider for `rustls` to your dependencies. Without it, [`new`](Self::new) refuses
/// such a URL.
///
/// The store does not follow the redirections of a Redis Cluster: use a proxy that does, or a
/// single Redis for the deliveries.
#[derive(Clone)]
pub struct RedisStore {
    connections: Arc<Connections>,
    address: Arc<str>,
    namespace: Arc<str>,
    timeout: Duration,
}

impl RedisStore {
    /// Creates a store at `redis://[user][:password]@host[:port][/database]` or
    /// `redis+unix:///path`, for the deliveries of one [namespace](Self#namespace). This does not
    /// connect yet.
    ///
    /// # Errors
    ///
    /// When the URL is invalid, or requires TLS that is not compiled in; the message does not show
    /// the URL. When the namespace is empty, has more than 128 bytes, begins or ends with white
    /// space, or contains an invisible character.
    pub fn new(url: impl AsRef<str>, namespace: impl AsRef<str>) -> Result<Self, SetupError> {
        let url = url.as_ref();
        let failed = |problem: &str| Err(SetupError::new(format!("redis: {problem}")));
        let tls = url.starts_with("rediss:") || url.starts_with("valkeys:");
        // The crate's own error may quote the URL, and with it the password.
        let Ok(info) = url.into_connection_info() else {
            return failed(if tls {
                "a rediss:// URL requires the feature `tokio-rustls-comp` of the crate `redis`, version 1; add \
                 that crate with this feature to your dependencies, or write redis://"
            } else {
                "the URL is invalid; write redis://[user][:password]@host[:port][/database]"
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

    /// Creates a store from a `client`, for settings that a URL cannot express, such as
    /// certificates, credentials or TCP options. The store uses the settings of the client
    /// unchanged and manages its own connection. This does not connect yet.
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
    /// When the namespace is invalid: see [`new`](Self::new).
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

    /// Sets the timeout of an operation, including the wait for a connection. An operation that
    /// exceeds it fails with [`StoreErrorKind::Timeout`], but Redis may still execute it later.
    ///
    /// # Panics
    ///
    /// If `timeout` is zero, because every operation would fail.
    #[must_use]
    #[track_caller]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        assert!(
            !timeout.is_zero(),
            "timeout is zero, so every operation would fail; set a longer one, such as a second"
        );
        self.timeout = timeout;
        self
    }

    /// Runs one operation within the timeout.
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

    /// The Redis key of a delivery.
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
                    format!("redis at {address} did not respond within {timeout:?}")
                } else {
                    format!("redis at {address}: not connected after {timeout:?}; still connecting")
                };
                self.connections.missed(timeout);
                Err(StoreError::new(StoreErrorKind::Timeout, problem))
            }
        }
    }
}

/// Formats the address for messages, without user and password.
fn address(address: &ConnectionAddr) -> String {
    match address {
        ConnectionAddr::Unix(path) => path.display().to_string(),
        ConnectionAddr::Tcp(host, port) => format!("{host}:{port}"),
        ConnectionAddr::TcpTls { host, port, .. } => format!("{host}:{port} (TLS)"),
        _ => String::new(),
    }
}

/// Validates a namespace: it must have one unambiguous spelling that can be read in a log and typed
/// into a shell.
fn checked(namespace: &str) -> Result<&str, SetupError> {
    const LONGEST: usize = 128;
    // `escape_debug` escapes invisible characters: control characters, special spaces and combining
    // marks.
    let is_shown =
        |letter: char| matches!(letter, '"' | '\'' | '\\') || letter.escape_debug().len() == 1;
    let problem = if namespace.trim().is_empty() {
        "is empty"
    } else if namespace.len() > LONGEST {
        "has more than 128 bytes"
    } else if namespace.trim() != namespace {
        "begins or ends with white space"
    } else if !namespace.chars().all(is_shown) {
        "contains an invisible character"
    } else {
        return Ok(namespace);
    };
    Err(SetupError::new(format!(
        "redis: the namespace {problem}; write a name for this service and environment, such as \"billing-production\""
    )))
}

/// Converts a duration to an expiry of Redis: whole milliseconds, rounded up, at least one, and at
/// most a thousand years.
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

    /// Runs in a task, even if the future is never polled. Outside a runtime, it runs in the
    /// future.
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
    fn times_are_rounded_up_to_milliseconds_and_never_zero() {
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
