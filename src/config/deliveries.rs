//! `[deliveries]`.

use serde::Deserialize;

use super::{secret::SecretConfig, value::Scalar};
use crate::{
    SetupError,
    delivery::{DeliveryLayer, MemoryStore, OnOutage},
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
            layer = layer.with_lease(lease.duration("lease")?);
        }
        if let Some(wait) = &self.wait {
            layer = layer.with_wait(wait.duration("wait")?);
        }
        if let Some(lifetime) = &self.lifetime {
            layer = layer.with_lifetime(lifetime.duration("lifetime")?);
        }
        match self.on_outage.as_deref() {
            None => Ok(layer),
            Some("refuse") => Ok(layer.with_on_outage(OnOutage::Refuse)),
            Some("allow") => Ok(layer.with_on_outage(OnOutage::Allow)),
            Some(_) => Err(SetupError::new(
                "on_outage: it is neither \"refuse\" nor \"allow\"; write one of them",
            )),
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
            store = store.with_max_in_progress(most);
        }
        if let Some(most) = self.max_completed {
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
        let mut store = crate::delivery::RedisStore::new(url.text(), namespace)?;
        if let Some(timeout) = &self.timeout {
            store = store.with_timeout(timeout.duration("timeout")?);
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
