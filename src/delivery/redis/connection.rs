//! The one connection that all steps share, made anew when it is lost.
//!
//! By hand, and not the `redis` crate's connection manager: that one needs a runtime to be made in, keeps the error of a
//! failed attempt for the next caller, does not try again after Redis refused it (a password that was set a moment later, too
//! many clients), and keeps a connection whose other side is gone without a word.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use ::redis::{
    AsyncConnectionConfig, Client, Cmd, ErrorKind, RedisError, RedisResult, ServerErrorKind,
    aio::MultiplexedConnection,
    io::tcp::{TcpSettings, socket2::TcpKeepalive},
};
use tokio::time::Instant;

use super::script::{Script, completed_by};
use crate::delivery::Owner;

pub(super) struct Connections {
    client: Client,
    current: Mutex<Current>,
    /// Held by whoever connects.
    connecting: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Current {
    connection: Option<MultiplexedConnection>,
    /// Counts connections, so that one error of an old one does not close the next.
    number: u64,
    /// Since when steps have been running out of time, with none that was answered between.
    silent_since: Option<Instant>,
    #[cfg(feature = "tracing")]
    policy_checked: bool,
}

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
            connecting: tokio::sync::Mutex::default(),
        }
    }

    /// Runs a script. After a connection broke, it is told that it may have run.
    pub(super) async fn run(
        &self,
        script: &Script,
        key: &[u8],
        owner: Owner,
        millis: u64,
    ) -> RedisResult<i64> {
        let mut attempt = Attempt::First;
        loop {
            let (mut connection, number) = self.get().await?;
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
    pub(super) async fn delete(&self, key: &[u8]) -> RedisResult<i64> {
        let mut attempt = Attempt::First;
        loop {
            let (mut connection, number) = self.get().await?;
            let mut command = ::redis::cmd("DEL");
            match command.arg(key).query_async(&mut connection).await {
                Err(error) if self.closes(&error, number) && attempt == Attempt::First => {
                    attempt = Attempt::Second;
                }
                result => return result,
            }
        }
    }

    /// The connection, or a new one.
    async fn get(&self) -> RedisResult<(MultiplexedConnection, u64)> {
        if let Some(current) = self.existing() {
            return Ok(current);
        }
        let _one = self.connecting.lock().await;
        if let Some(current) = self.existing() {
            return Ok(current);
        }
        // The step that connects has a limit for everything.
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(None)
            .set_response_timeout(None);
        let client = &self.client;
        let connection = client
            .get_multiplexed_async_connection_with_config(&config)
            .await?;
        let mut current = self.lock();
        current.number = current.number.wrapping_add(1);
        current.connection = Some(connection.clone());
        current.silent_since = None;
        #[cfg(feature = "tracing")]
        if !std::mem::replace(&mut current.policy_checked, true) {
            tokio::spawn(warn_of_eviction(connection.clone()));
        }
        Ok((connection, current.number))
    }

    fn existing(&self) -> Option<(MultiplexedConnection, u64)> {
        let current = self.lock();
        Some((current.connection.clone()?, current.number))
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
    let info: Option<String> = tokio::time::timeout(LIMIT, info)
        .await
        .ok()
        .and_then(Result::ok);
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
