//! [`DeliveryOptions`]: what every delivery of a layer shares.

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};

use crate::{
    delivery::{
        observe::{self, Why},
        outcome::{DeliveryOutcome, OutagePolicy},
        seen::SeenIds,
        store::DeliveryStore,
        tasks::Tasks,
    },
    event::VerifiedEvent,
};

/// The options that all deliveries of a layer share.
#[derive(Clone)]
pub(crate) struct DeliveryOptions {
    pub(crate) store: Arc<dyn DeliveryStore>,
    pub(crate) lease: Duration,
    /// `None` derives it from the provider's time limit.
    pub(crate) wait: Option<Duration>,
    pub(crate) lifetime: Option<Duration>,
    pub(crate) max_running: usize,
    pub(crate) handler_timeout: Option<Duration>,
    pub(crate) outage_policy: OutagePolicy,
    pub(crate) on_delivery: Option<Arc<OnDelivery>>,
    pub(crate) tasks: Arc<Tasks>,
    pub(crate) seen: Arc<SeenIds>,
}

pub(crate) type OnDelivery = dyn Fn(&VerifiedEvent, DeliveryOutcome) + Send + Sync;

/// The longest default wait for a delivery in progress.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

impl DeliveryOptions {
    /// How long an attempt waits for the one in progress: less than its sender waits for a
    /// response.
    pub(crate) fn wait(&self, event: &VerifiedEvent) -> Duration {
        self.wait.unwrap_or_else(|| {
            let limit = event.shared().provider.time_limit();
            let half = limit.and_then(|limit| limit.checked_div(2));
            half.map_or(LONGEST_WAIT, |half| half.min(LONGEST_WAIT))
        })
    }

    /// How long a completed delivery is remembered: as long as the provider may retry it, or anyone
    /// who has captured it may replay it.
    pub(crate) fn lifetime(&self, event: &VerifiedEvent) -> Duration {
        let wanted = self
            .lifetime
            .unwrap_or_else(|| event.shared().provider.retry_horizon());
        event
            .data()
            .timestamp_window()
            .map_or(wanted, |window| wanted.max(window))
    }

    pub(crate) fn fmt(&self, name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct(name)
            .field("lease", &self.lease)
            .field("wait", &self.wait)
            .field("lifetime", &self.lifetime)
            .field("max_running", &self.max_running)
            .field("handler_timeout", &self.handler_timeout)
            .field("outage_policy", &self.outage_policy)
            .finish_non_exhaustive()
    }
}

pub(crate) fn report(
    options: &DeliveryOptions,
    event: &VerifiedEvent,
    outcome: DeliveryOutcome,
    why: Why<'_>,
) {
    observe::delivered(event, outcome, why);
    // The hook only observes, so its panic must not change the outcome. The process's panic hook
    // still reports it.
    if let Some(hook) = &options.on_delivery {
        let _ = catch_unwind(AssertUnwindSafe(|| hook(event, outcome)));
    }
}
