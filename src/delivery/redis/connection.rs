//! The one connection that all steps share, made anew when it is lost.
//!
//! Connecting is a task of its own, one at a time, which outlives the step that began it: steps wait for it, each within its
//! limit. So a Redis that takes longer to connect than a step may take is connected all the same.
//!
//! By hand, and not the `redis` crate's connection manager: that one needs a runtime to be made in, keeps the error of a
//! failed attempt for the next caller, does not try again after Redis refused it (a password that was set a moment later, too
//! many clients), and keeps a connection whose other side is gone without a word.

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
    /// Counts connections, so that one error of an old one does not close the next.
    number: u64,
    /// The attempt to connect that is under way.
    connecting: Option<Connecting>,
    /// Since when steps have been running out of time, with none that was answered between.
    silent_since: Option<Instant>,
    #[cfg(feature = "tracing")]
    policy_checked: bool,
}

/// A connection, and its number.
type Numbered = (MultiplexedConnection, u64);

/// An attempt to connect: a task. It ends with this value, which is dropped with the store.
struct Connecting {
    /// What came of it. Closed without a value where the task's runtime ended.
    outcome: watch::Receiver<Option<RedisResult<Numbered>>>,
    begun: Instant,
    limit: Duration,
    task: AbortHandle,
}

impl Connecting {
    /// How long it may still be waited for. The task has a limit, too, but cannot keep it while its runtime stands still.
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

/// An attempt to connect is given up after this time: name, connection, TLS, password. Not sooner than a step.
const LONGEST: Duration = Duration::from_secs(30);

/// A connection on which nothing was answered for so many times the limit of a step is given up. It is not at the first
/// silence: what was sent is still going to be done, and what follows on the same connection is done after it, such as
/// the release of a claim whose answer came too late.
const PATIENCE: u32 = 10;

/// Finds out that the other side is gone (a failed host, a firewall that forgot the connection) sooner than the system's
/// defaults of minutes and hours.
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

    /// Runs a script. After a connection broke, it is told that it may have run.
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

    /// Deletes a key, and says how many there were.
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

    /// The connection, or what comes of the attempt to make one. `limit` is that of the step.
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
                    // The attempt went down with its runtime, which is this step's.
                    _ if own => {
                        let ended = "the runtime ended while it connected";
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
            // It went down with another runtime, or stands still with it.
        }
    }

    /// Begins to connect, in a task that does not keep the store.
    fn connect(self: &Arc<Self>, limit: Duration) -> Connecting {
        let (client, store) = (self.client.clone(), Arc::downgrade(self));
        let (ended, outcome) = watch::channel(None);
        let task = tokio::spawn(async move {
            // The task has a limit for everything.
            let config = AsyncConnectionConfig::new()
                .set_connection_timeout(None)
                .set_response_timeout(None);
            let connected = client.get_multiplexed_async_connection_with_config(&config);
            let connected = timeout(limit, connected).await.unwrap_or_else(|_| {
                let problem = format!(
                    "no connection after {limit:?}; look for what is between this host and redis"
                );
                Err(io::Error::new(io::ErrorKind::TimedOut, problem).into())
            });
            if let Some(store) = store.upgrade() {
                let connected = connected.map(|connection| store.keep(connection));
                // An error is for those who waited, not for the next step.
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

    /// From now on, this is the connection.
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

    /// Whether this error means that the connection is of no more use, which is then dropped.
    fn closes(&self, error: &RedisError, number: u64) -> bool {
        let of_no_use = match error.kind() {
            ErrorKind::Io | ErrorKind::Parse | ErrorKind::AuthenticationFailed => true,
            // After a failover, the name may lead to another Redis.
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

    /// A step was answered.
    pub(super) fn answered(&self) {
        self.lock().silent_since = None;
    }

    /// A step ran out of its time.
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

/// `INFO`, since hosts of Redis often forbid `CONFIG`.
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
            "redis may drop claims in progress, so that a delivery is handled twice; set maxmemory-policy to noeviction"
        ),
        None => tracing::warn!(
            "redis does not say its maxmemory-policy; make sure that it is noeviction"
        ),
    }
}
