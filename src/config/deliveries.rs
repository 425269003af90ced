//! `[deliveries]`.

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
                    "store: it is missing; write \"memory\", or \"redis\" for several replicas",
                ));
            }
            Some(_) => {
                return Err(SetupError::new(
                    "store: it is neither \"memory\" nor \"redis\"; write one of them",
                ));
            }
        };
        if let Some(lease) = &self.lease {
            layer = layer.with_lease(lease.duration_from(
                DeliveryLayer::SHORTEST_LEASE,
                "lease",
                "is too short to be renewed in time; write \"100ms\" or more, as in \"30s\"",
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
                    "max_running: 0 lets no handler run, so that every event is refused; write how many may run at once, as in \
                     1000, or remove it",
                ));
            }
            Some(most) => layer = layer.with_max_running(most),
            None => {}
        }
        if let Some(timeout) = &self.handler_timeout {
            layer = layer.with_handler_timeout(timeout.some_duration(
                "handler_timeout",
                "leaves handlers no time, so that every event is refused; write more, as in \"60s\", or remove it",
            )?);
        }
        match self.on_outage.as_deref() {
            None => Ok(layer),
            Some("refuse") => Ok(layer.with_outage_policy(OutagePolicy::Refuse)),
            Some("allow") => Ok(layer.with_outage_policy(OutagePolicy::Allow)),
            Some(_) => Err(SetupError::new(
                "on_outage: it is neither \"refuse\" nor \"allow\"; write one of them",
            )),
        }
    }

    fn lifetime(&self) -> Result<Option<Duration>, SetupError> {
        let lifetime = self.lifetime.as_ref().map(|lifetime| {
            lifetime.some_duration(
                "lifetime",
                "remembers no delivery, so that every retry is handled again; write more, as in \"72h\", or remove it",
            )
        });
        lifetime.transpose()
    }

    /// Refuses a lifetime in which a request that this endpoint accepts once would be handled twice. `window` is for how
    /// long it accepts the same request.
    pub(super) fn check_window(&self, endpoint: &str, window: Duration) -> Result<(), SetupError> {
        match self.lifetime()? {
            Some(lifetime) if lifetime < window => Err(SetupError::new(format!(
                "lifetime: {lifetime:?} is shorter than the {window:?} for which endpoint {endpoint:?} accepts the same \
                 request, so that a replay is handled again; write \"{}s\" or more, or remove it",
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
                    "max_in_progress: 0 leaves room for no delivery, so that every event is refused; write how many may be \
                     handled at once, as in 10000, or remove it",
                ));
            }
            store = store.with_max_in_progress(most);
        }
        if let Some(most) = self.max_completed {
            if most == 0 {
                return Err(SetupError::new(
                    "max_completed: 0 remembers no delivery, so that every retry is handled again; write how many are \
                     remembered, as in 1000000, or remove it",
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
            SetupError::new("url: redis needs one; write \"redis://host:6379\" or { env = … }")
        })?;
        let url = url.resolve().map_err(|error| error.within("url"))?;
        let namespace = self.namespace.as_ref().ok_or_else(|| {
            SetupError::new(
                "namespace: redis needs one, since services that share a Redis and name their endpoints alike would take \
                 each other's events for done; write a name of this service and environment, such as \"billing-production\"",
            )
        })?;
        let mut store = crate::delivery::redis::RedisStore::new(url.text(), namespace)?;
        if let Some(timeout) = &self.timeout {
            store = store.with_timeout(timeout.some_duration(
                "timeout",
                "leaves redis no time to answer; write more, as in \"1s\"",
            )?);
        }
        Ok(DeliveryLayer::new(store))
    }

    #[cfg(not(feature = "redis"))]
    fn redis(&self) -> Result<DeliveryLayer, SetupError> {
        self.check_redis()?;
        Err(SetupError::new(
            "store: redis needs the feature `redis` of tower-webhook; switch it on",
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
            "{key} goes with store = {other:?} only; remove it"
        ))),
        None => Ok(()),
    }
}
