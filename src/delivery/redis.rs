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
use super::{Claim, DeliveryKey, DeliveryStore, Owner, StoreError, StoreErrorKind, StoreFuture};
use crate::SetupError;

/// Remembers the deliveries of any number of replicas in one Redis 6 or newer (or Valkey).
///
/// It connects when it is first used, and again whenever the connection is lost: a service starts, and answers 503, while
/// Redis is away. Each step is one script on one key: atomic, one round trip.
///
/// ```
/// use std::time::Duration;
/// use tower_webhook::delivery::RedisStore;
///
/// let store = RedisStore::new("redis://:password@127.0.0.1:6379/0")?
///     .with_prefix("my-service:delivery:")
///     .with_timeout(Duration::from_millis(500));
/// assert!(!format!("{store:?}").contains("password"));
///
/// let error = RedisStore::new("127.0.0.1").unwrap_err();
/// assert!(error.to_string().contains("redis://"));
/// # Ok::<_, tower_webhook::SetupError>(())
/// ```
///
/// | | default | set by |
/// | --- | --- | --- |
/// | time for a step: connecting, waiting, all in all | 1 s | [`with_timeout`](Self::with_timeout) |
/// | what keys begin with | `tower-webhook:delivery:` | [`with_prefix`](Self::with_prefix) |
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
/// One string for each delivery, so that an operator can look and repair:
///
/// | key | value | expires |
/// | --- | --- | --- |
/// | prefix and the [`DeliveryKey`] in hexadecimal | the [`Owner`], 32 hexadecimal digits: in progress | after the lease |
/// | the same | `done:` and the owner that completed it | after the lifetime |
///
/// Redis's own clock decides what has expired. Something else under a key is an error, and is left alone.
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
    prefix: Arc<str>,
    timeout: Duration,
}

impl RedisStore {
    /// A store at `redis://[user][:password]@host[:port][/database]`, or at `redis+unix:///path`. It does not connect yet.
    ///
    /// # Errors
    ///
    /// When the URL is not one, or asks for TLS that is not compiled in. The text does not show it.
    pub fn new(url: impl AsRef<str>) -> Result<Self, SetupError> {
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
        let address = match info.addr() {
            ConnectionAddr::Unix(path) => path.display().to_string(),
            ConnectionAddr::Tcp(host, port) => format!("{host}:{port}"),
            ConnectionAddr::TcpTls { host, port, .. } => format!("{host}:{port} (TLS)"),
            _ => String::new(),
        };
        let settings = connection::tcp_settings();
        let Ok(client) = Client::open(info.set_tcp_settings(settings)) else {
            return failed("the URL cannot be used; write redis://[user][:password]@host[:port]");
        };
        Ok(Self {
            connections: Arc::new(Connections::new(client)),
            address: address.into(),
            prefix: "tower-webhook:delivery:".into(),
            timeout: Duration::from_secs(1),
        })
    }

    /// Sets what keys begin with. Services that share a Redis, and not their deliveries, need prefixes of their own.
    #[must_use]
    pub fn with_prefix(mut self, prefix: impl Into<Arc<str>>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Sets how long a step may take, everything included. After it the step fails with
    /// [`StoreErrorKind::Timeout`], and may still be done by Redis later.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
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
        let key = format!("{}{key}", self.prefix);
        let owner = owner.to_string();
        self.within(self.connections.run(script, &key, &owner, millis(time)))
            .await
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
                self.connections.missed(self.timeout);
                let problem = format!("redis at {} took {:?}", self.address, self.timeout);
                Err(StoreError::new(StoreErrorKind::Timeout, problem))
            }
        }
    }
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
            let key = format!("{}{key}", this.prefix);
            Ok(this.within(this.connections.delete(&key)).await? > 0)
        })
    }
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore")
            .field("address", &self.address)
            .field("prefix", &self.prefix)
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
