//! Counters per endpoint: accepted, repeated and refused.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::Json;
use serde::Serialize;
use tower_webhook::delivery::DeliveryOutcome;

/// The counters of all endpoints. Clones share them.
#[derive(Clone, Default)]
pub(crate) struct Stats(Arc<Mutex<Snapshot>>);

/// The answer to `GET /stats`.
#[derive(Clone, Default, Serialize)]
pub(crate) struct Snapshot {
    endpoints: BTreeMap<String, Counts>,
}

#[derive(Clone, Default, Serialize)]
struct Counts {
    accepted: u64,
    /// Repeated deliveries, which were answered without the handler.
    duplicates: u64,
    refused: BTreeMap<&'static str, u64>,
}

impl Stats {
    /// Lists an endpoint before it has counted anything.
    pub(crate) fn add_endpoint(&self, name: &str) {
        self.lock().endpoints.entry(name.to_owned()).or_default();
    }

    pub(crate) fn count_accepted(&self, endpoint: &str) {
        if let Some(counts) = self.lock().endpoints.get_mut(endpoint) {
            counts.accepted = counts.accepted.saturating_add(1);
        }
    }

    pub(crate) fn count_delivery(&self, endpoint: &str, outcome: DeliveryOutcome) {
        match outcome {
            DeliveryOutcome::Done | DeliveryOutcome::Waited => {
                if let Some(counts) = self.lock().endpoints.get_mut(endpoint) {
                    counts.duplicates = counts.duplicates.saturating_add(1);
                }
            }
            DeliveryOutcome::InProgress | DeliveryOutcome::Busy | DeliveryOutcome::Outage => {
                self.count_refused(endpoint, outcome.as_str());
            }
            _ => {}
        }
    }

    pub(crate) fn count_refused(&self, endpoint: &str, kind: &'static str) {
        if let Some(counts) = self.lock().endpoints.get_mut(endpoint) {
            let count = counts.refused.entry(kind).or_default();
            *count = count.saturating_add(1);
        }
    }

    pub(crate) fn snapshot(&self) -> Json<Snapshot> {
        Json(self.lock().clone())
    }

    fn lock(&self) -> MutexGuard<'_, Snapshot> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
