//! Counters, through the `metrics` facade. The tenant is not a label, because its values are
//! unbounded.

use metrics::{Unit, counter, describe_counter};

use crate::{endpoint::Endpoint, event::VerifiedEvent, rejection::Rejection};

const VERIFIED: &str = "webhook_verified_total";
const REFUSED: &str = "webhook_refused_total";
const BYTES: &str = "webhook_body_bytes_total";
const DELIVERIES: &str = "webhook_deliveries_total";
const HANDSHAKES: &str = "webhook_handshakes_total";
const STATUS_CHANGED: &str = "webhook_status_changed_total";

pub(crate) fn describe() {
    describe_counter!(
        VERIFIED,
        Unit::Count,
        "Webhooks verified as sent by their provider"
    );
    describe_counter!(
        REFUSED,
        Unit::Count,
        "Requests that are not verified, by kind; those that are not enforced were passed on"
    );
    describe_counter!(BYTES, Unit::Bytes, "Bytes of verified bodies");
    describe_counter!(
        DELIVERIES,
        Unit::Count,
        "Verified events that reached a delivery layer, by outcome"
    );
    describe_counter!(
        HANDSHAKES,
        Unit::Count,
        "Handshakes that were answered, or handed over to the application"
    );
    describe_counter!(
        STATUS_CHANGED,
        Unit::Count,
        "Responses whose status was replaced by the provider's success status"
    );
}

pub(crate) fn verified(event: &VerifiedEvent) {
    let (provider, endpoint) = (event.provider().to_owned(), label(event.endpoint()));
    let bytes = u64::try_from(event.body().len()).unwrap_or(u64::MAX);
    counter!(BYTES, "provider" => provider.clone(), "endpoint" => endpoint.clone())
        .increment(bytes);
    // The key ids of tenants are as unbounded as the tenants.
    let key_id = event.key_id().filter(|_| event.tenant().is_none());
    counter!(
        VERIFIED,
        "provider" => provider,
        "endpoint" => endpoint,
        "variant" => event.variant().to_owned(),
        "key_id" => label(key_id),
    )
    .increment(1);
}

pub(crate) fn refused(rejection: &Rejection, passed_on: bool) {
    counter!(
        REFUSED,
        "provider" => label(rejection.provider()),
        "endpoint" => label(rejection.endpoint()),
        "kind" => rejection.kind().as_str(),
        "enforced" => if passed_on { "false" } else { "true" },
    )
    .increment(1);
}

pub(crate) fn delivered(event: &VerifiedEvent, outcome: &'static str) {
    counter!(
        DELIVERIES,
        "provider" => event.provider().to_owned(),
        "endpoint" => label(event.endpoint()),
        "outcome" => outcome,
    )
    .increment(1);
}

pub(crate) fn handshake(endpoint: &Endpoint, outcome: &'static str) {
    counter!(
        HANDSHAKES,
        "provider" => endpoint.labels.provider.to_string(),
        "endpoint" => label(endpoint.name()),
        "outcome" => outcome,
    )
    .increment(1);
}

pub(crate) fn status_changed(endpoint: &Endpoint) {
    counter!(
        STATUS_CHANGED,
        "provider" => endpoint.labels.provider.to_string(),
        "endpoint" => label(endpoint.name()),
    )
    .increment(1);
}

/// An absent value becomes an empty label, so that sums by label include every series.
fn label(value: Option<&str>) -> String {
    value.unwrap_or_default().to_owned()
}
