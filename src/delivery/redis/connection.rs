//! The connection that all operations share. It is re-established after it is lost.
//!
//! A separate task connects, at most one at a time. It outlives the operation that started it, and
//! each operation waits for it within its own timeout. So a Redis that takes longer to connect than
//! the timeout of an operation still gets connected.
//!
//! The `redis` crate's connection manager is not used, because it must be created inside a runtime,
//! returns the error of a failed attempt to the next caller, does not retry after Redis refused the
//! connection (a password that was set a moment later, too many clients), and keeps a connection
//! whose peer disappeared silently.

use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use ::redis::{
    AsyncConnectionConfig, Client, Cmd, ErrorKind, RedisError, RedisResult, ServerErrorKind,
    aio::MultiplexedConnection,
    io::tcp::{TcpSettings, socket2::TcpKeepalive},
};
use tokio::{
    sync::watch,
    task::AbortHandle,
    time::{Instant, timeout},
};

use crate::delivery::owner::Owner;
use crate::delivery::redis::script::{Script, completed_by};

pub(super) struct Connections {
    client: Client,
    current: Mutex<Current>,
}

#[derive(Default)]
struct Current {
    connection: Option<MultiplexedConnection>,
    /// Numbers the connections, so that a late error of an old one does not close its successor.
    number: u64,
    /// The attempt to connect that is in progress.
    connecting: Option<Connecting>,
    /// When operations began to time out, with none answered since.
    silent_since: Option<Instant>,
    #[cfg(feature = "tracing")]
    policy_checked: bool,
}

/// A connection and its number.
type Numbered = (MultiplexedConnection, u64);

/// An attempt to connect. Its task is aborted when this value, and so the store, is dropped.
struct Connecting {
    /// The result. Closed without a value if the runtime of the task shut down.
    outcome: watch::Receiver<Option<RedisResult<Numbered>>>,
    begun: Instant,
    limit: Duration,
    task: AbortHandle,
}

impl Connecting {
    /// How long to wait for it at most. The task has a timeout, which has no effect while its
    /// runtime does not run.
    fn remaining(&self) -> Duration {
        const GRACE: Duration = Duration::from_secs(1);
        let elapsed = Instant::now().saturating_duration_since(self.begun);
        self.limit.saturating_add(GRACE).saturating_sub(elapsed)
    }

    fn is_under_way(&self) -> bool {
        self.outcome.has_changed().is_ok() && !self.remaining().is_zero()
    }
}

impl Drop for Connecting {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The timeout of an attempt to connect (name resolution, TCP, TLS, authentication), unless that of
/// an operation is longer.
const LONGEST: Duration = Duration::from_secs(30);

/// A connection is given up once nothing was answered on it for this many times the timeout of an
/// operation. One timeout is not enough: Redis still executes what was sent, and executes later
/// commands on the same connection after it, such as the release of a claim whose answer came too
/// late.
const PATIENCE: u32 = 10;

/// Detects a lost peer (a failed host, a firewall that dropped the connection) sooner than the
/// system's defaults of minutes and hours.
pub(super) fn tcp_settings() -> TcpSettings {
    const PROBE: Duration = Duration::from_secs(15);
    let keepalive = TcpKeepalive::new().with_time(PROBE).with_interval(PROBE);
    let settings = TcpSettings::default()
        .set_nodelay(true)
        .set_keepalive(keepalive);
    #[cfg(any(target_os = "android", target_os = "fuchsia", target_os = "linux"))]
    let settings = settings.set_user_timeout(PROBE);
    settings
}

impl Connections {
    pub(super) fn new(client: Client) -> Self {
        Self {
            client,
            current: Mutex::default(),
        }
    }

    /// Runs a script. If the connection breaks, it repeats the script with a flag that it may have
    /// run.
    pub(super) async fn run(
        self: &Arc<Self>,
        script: &Script,
        key: &[u8],
        owner: Owner,
        millis: u64,
        limit: Duration,
    ) -> RedisResult<i64> {
        let mut attempt = Attempt::First;
        loop {
            let (mut connection, number) = self.get(limit).await?;
            let again = u8::from(attempt == Attempt::Second);
            let with_arguments = |mut command: Cmd| {
                command.arg(key).arg(owner.as_bytes()).arg(millis);
                command.arg(again).arg(completed_by(owner));
                command
            };
            let command = with_arguments(script.by_name());
            let mut result = command.query_async(&mut connection).await;
            if result.as_ref().is_err_and(is_unknown_script) {
                let command = with_arguments(script.by_text());
                result = command.query_async(&mut connection).await;
            }
            match result {
                Err(error) if self.closes(&error, number) && attempt == Attempt::First => {
                    attempt = Attempt::Second;
                }
                result => return result,
            }
        }
    }

    /// Deletes a key, and returns how many were deleted.
    pub(super) async fn delete(self: &Arc<Self>, key: &[u8], limit: Duration) -> RedisResult<i64> {
        let mut attempt = Attempt::First;
        loop {
            let (mut connection, number) = self.get(limit).await?;
            let mut command = ::redis::cmd("DEL");
            match command.arg(key).query_async(&mut connection).await {
                Err(error) if self.closes(&error, number) && attempt == Attempt::First => {
                    attempt = Attempt::Second;
                }
                result => return result,
            }
        }
    }

    /// Returns the connection, or waits for the attempt to connect. `limit` is the timeout of the
    /// operation.
    async fn get(self: &Arc<Self>, limit: Duration) -> RedisResult<Numbered> {
        let mut own = false;
        loop {
            let (mut outcome, remaining) = {
                let mut current = self.lock();
                if let Some(connection) = current.connection.clone() {
                    return Ok((connection, current.number));
                }
                let connecting = match current.connecting.take() {
                    Some(connecting) if connecting.is_under_way() => connecting,
                    // The runtime of this operation's own attempt shut down.
                    _ if own => {
                        let ended = "the runtime shut down while connecting";
                        return Err(RedisError::from((ErrorKind::Client, ended)));
                    }
                    _ => {
                        own = true;
                        self.connect(limit.max(LONGEST))
                    }
                };
                let attempt = current.connecting.insert(connecting);
                (attempt.outcome.clone(), attempt.remaining())
            };
            let ended = timeout(remaining, outcome.wait_for(Option::is_some)).await;
            if let Ok(Ok(ended)) = ended
                && let Some(ended) = &*ended
            {
                return ended.clone();
            }
            // The attempt's runtime has shut down or does not run, so start another attempt.
        }
    }

    /// Starts to connect, in a task that holds no strong reference to the store.
    fn connect(self: &Arc<Self>, limit: Duration) -> Connecting {
        let (client, store) = (self.client.clone(), Arc::downgrade(self));
        let (ended, outcome) = watch::channel(None);
        let task = tokio::spawn(async move {
            // The timeout below covers everything.
            let config = AsyncConnectionConfig::new()
                .set_connection_timeout(None)
                .set_response_timeout(None);
            let connected = client.get_multiplexed_async_connection_with_config(&config);
            let connected = timeout(limit, connected).await.unwrap_or_else(|_| {
                let problem = format!(
                    "could not connect within {limit:?}; check the network between this host and redis"
                );
                Err(io::Error::new(io::ErrorKind::TimedOut, problem).into())
            });
            if let Some(store) = store.upgrade() {
                let connected = connected.map(|connection| store.keep(connection));
                // Operations that waited get an error; the next operation starts a new attempt.
                let is_this =
                    |other: &mut Connecting| other.outcome.same_channel(&ended.subscribe());
                drop(store.lock().connecting.take_if(is_this));
                ended.send_replace(Some(connected));
            }
        });
        Connecting {
            outcome,
            begun: Instant::now(),
            limit,
            task: task.abort_handle(),
        }
    }

    /// Makes this the current connection.
    fn keep(&self, connection: MultiplexedConnection) -> Numbered {
        let mut current = self.lock();
        current.number = current.number.wrapping_add(1);
        current.connection = Some(connection.clone());
        current.silent_since = None;
        #[cfg(feature = "tracing")]
        if !std::mem::replace(&mut current.policy_checked, true) {
            tokio::spawn(warn_of_eviction(connection.clone()));
        }
        (connection, current.number)
    }

    /// Whether the error makes the connection unusable. If so, the connection is dropped.
    fn closes(&self, error: &RedisError, number: u64) -> bool {
        let of_no_use = match error.kind() {
            ErrorKind::Io | ErrorKind::Parse | ErrorKind::AuthenticationFailed => true,
            // After a failover, the name may resolve to another Redis.
            ErrorKind::Server(kind) => {
                matches!(
                    kind,
                    ServerErrorKind::ReadOnly | ServerErrorKind::MasterDown
                ) || error
                    .detail()
                    .is_some_and(|detail| detail.contains("READONLY"))
            }
            _ => error.code() == Some("NOAUTH"),
        };
        if of_no_use {
            let mut current = self.lock();
            if current.number == number {
                current.connection = None;
            }
        }
        of_no_use
    }

    pub(super) fn is_connected(&self) -> bool {
        self.lock().connection.is_some()
    }

    /// Records that an operation was answered.
    pub(super) fn answered(&self) {
        self.lock().silent_since = None;
    }

    /// Records that an operation timed out.
    pub(super) fn missed(&self, timeout: Duration) {
        let mut current = self.lock();
        let now = Instant::now();
        let since = *current.silent_since.get_or_insert(now);
        if now.saturating_duration_since(since) >= timeout.saturating_mul(PATIENCE) {
            current.connection = None;
            current.silent_since = None;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Attempt {
    First,
    Second,
}

fn is_unknown_script(error: &RedisError) -> bool {
    error.kind() == ErrorKind::Server(ServerErrorKind::NoScript)
}

/// Uses `INFO`, because hosted Redis services often forbid `CONFIG`.
#[cfg(feature = "tracing")]
async fn warn_of_eviction(mut connection: MultiplexedConnection) {
    const LIMIT: Duration = Duration::from_secs(10);
    let mut info = ::redis::cmd("INFO");
    let info = info.arg("memory").query_async(&mut connection);
    let info: Option<String> = timeout(LIMIT, info).await.ok().and_then(Result::ok);
    let policy = info.as_deref().and_then(|info| {
        let mut lines = info.lines();
        lines.find_map(|line| line.strip_prefix("maxmemory_policy:"))
    });
    match policy {
        Some("noeviction") => {}
        Some(policy) => tracing::warn!(
            policy,
            "redis may evict claims in progress, so that a delivery may be handled twice; set maxmemory-policy to noeviction"
        ),
        None => tracing::warn!(
            "redis does not report its maxmemory-policy; make sure that it is noeviction"
        ),
    }
}
