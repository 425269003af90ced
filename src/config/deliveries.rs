//! The table `[deliveries]`.

use std::time::Duration;

use serde::Deserialize;

use crate::config::{secret::SecretConfig, value::Scalar};
use crate::{
    delivery::{layer::DeliveryLayer, memory::MemoryStore, outcome::OutagePolicy},
    error::SetupError,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Deliveries {
    store: Option<String>,
    url: Option<SecretConfig>,
    namespace: Option<String>,
    timeout: Option<Scalar>,
    max_in_progress: Option<usize>,
    max_completed: Option<usize>,
    lease: Option<Scalar>,
    wait: Option<Scalar>,
    lifetime: Option<Scalar>,
    max_running: Option<usize>,
    handler_timeout: Option<Scalar>,
    on_outage: Option<String>,
}

impl Deliveries {
    pub(super) fn build(&self) -> Result<DeliveryLayer, SetupError> {
        let mut layer = match self.store.as_deref() {
            Some("memory") => self.memory()?,
            Some("redis") => self.redis()?,
            None => {
                return Err(SetupError::new(
                    "store: missing key; write \"memory\", or \"redis\" for several replicas",
                ));
            }
            Some(_) => {
                return Err(SetupError::new("store: expected \"memory\" or \"redis\""));
            }
        };
        if let Some(lease) = &self.lease {
            layer = layer.with_lease(lease.duration_from(
                DeliveryLayer::SHORTEST_LEASE,
                "lease",
                "is too short to be renewed in time; write \"100ms\" or more, such as \"30s\"",
            )?);
        }
        if let Some(wait) = &self.wait {
            layer = layer.with_wait(wait.duration("wait")?);
        }
        if let Some(lifetime) = self.lifetime()? {
            layer = layer.with_lifetime(lifetime);
        }
        match self.max_running {
            Some(0) => {
                return Err(SetupError::new(
                    "max_running: with 0, every event would be refused; write how many handlers may run at once, such as 1000, \
                     or remove it",
                ));
            }
            Some(most) => layer = layer.with_max_running(most),
            None => {}
        }
        if let Some(timeout) = &self.handler_timeout {
            layer = layer.with_handler_timeout(timeout.some_duration(
                "handler_timeout",
                "leaves handlers no time, so every event would be refused; write a longer duration, such as \"60s\", or remove it",
            )?);
        }
        match self.on_outage.as_deref() {
            None => Ok(layer),
            Some("refuse") => Ok(layer.with_outage_policy(OutagePolicy::Refuse)),
            Some("allow") => Ok(layer.with_outage_policy(OutagePolicy::Allow)),
            Some(_) => Err(SetupError::new(
                "on_outage: expected \"refuse\" or \"allow\"",
            )),
        }
    }

    fn lifetime(&self) -> Result<Option<Duration>, SetupError> {
        let lifetime = self.lifetime.as_ref().map(|lifetime| {
            lifetime.some_duration(
                "lifetime",
                "is too short to remember a delivery, so every retry would be handled again; write a longer duration, such as \
                 \"72h\", or remove it",
            )
        });
        lifetime.transpose()
    }

    /// Refuses a lifetime that is shorter than `window`, the time for which the endpoint accepts
    /// the same request, because a replay after the lifetime would be handled again.
    pub(super) fn check_window(&self, endpoint: &str, window: Duration) -> Result<(), SetupError> {
        match self.lifetime()? {
            Some(lifetime) if lifetime < window => Err(SetupError::new(format!(
                "lifetime: {lifetime:?} is shorter than the {window:?} for which endpoint {endpoint:?} accepts the same \
                 request, so a replay would be handled again; write \"{}s\" or more, or remove it",
                window.as_secs()
            ))),
            _ => Ok(()),
        }
    }

    fn memory(&self) -> Result<DeliveryLayer, SetupError> {
        stray(
            "redis",
            [
                ("url", self.url.is_some()),
                ("namespace", self.namespace.is_some()),
                ("timeout", self.timeout.is_some()),
            ],
        )?;
        let mut store = MemoryStore::new();
        if let Some(most) = self.max_in_progress {
            if most == 0 {
                return Err(SetupError::new(
                    "max_in_progress: with 0, every event would be refused; write how many may be handled at once, such as \
                     10000, or remove it",
                ));
            }
            store = store.with_max_in_progress(most);
        }
        if let Some(most) = self.max_completed {
            if most == 0 {
                return Err(SetupError::new(
                    "max_completed: with 0, every retry would be handled again; write how many deliveries to remember, such as \
                     1000000, or remove it",
                ));
            }
            store = store.with_max_completed(most);
        }
        Ok(DeliveryLayer::new(store))
    }

    #[cfg(feature = "redis")]
    fn redis(&self) -> Result<DeliveryLayer, SetupError> {
        self.check_redis()?;
        let url = self.url.as_ref().ok_or_else(|| {
            SetupError::new("url: missing key; write \"redis://host:6379\" or { env = … }")
        })?;
        let url = url.resolve().map_err(|error| error.within("url"))?;
        let namespace = self.namespace.as_ref().ok_or_else(|| {
            SetupError::new(
                "namespace: missing key; write a name for this service and environment, such as \"billing-production\", so that \
                 services that share a Redis do not treat each other's events as completed",
            )
        })?;
        let mut store = crate::delivery::redis::RedisStore::new(url.text(), namespace)?;
        if let Some(timeout) = &self.timeout {
            store = store.with_timeout(timeout.some_duration(
                "timeout",
                "leaves Redis no time to answer; write a longer duration, such as \"1s\"",
            )?);
        }
        Ok(DeliveryLayer::new(store))
    }

    #[cfg(not(feature = "redis"))]
    fn redis(&self) -> Result<DeliveryLayer, SetupError> {
        self.check_redis()?;
        Err(SetupError::new(
            "store: \"redis\" needs the feature `redis` of tower-webhook; enable it",
        ))
    }

    fn check_redis(&self) -> Result<(), SetupError> {
        stray(
            "memory",
            [
                ("max_in_progress", self.max_in_progress.is_some()),
                ("max_completed", self.max_completed.is_some()),
                ("", false),
            ],
        )
    }
}

/// Refuses keys that belong to the other store.
fn stray(other: &str, keys: [(&str, bool); 3]) -> Result<(), SetupError> {
    match keys.iter().find(|(_, present)| *present) {
        Some((key, _)) => Err(SetupError::new(format!(
            "{key} is allowed only with store = {other:?}; remove it"
        ))),
        None => Ok(()),
    }
}
