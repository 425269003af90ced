//! Svix, and everybody who sends through it: Clerk, Resend and many more.
//!
//! | | |
//! | --- | --- |
//! | signs | HMAC-SHA256 over id `.` time `.` body, in base64 after `v1,`, in `svix-signature`: a list, of which any may match |
//! | secret | base64 of at least 16 bytes, after an optional `whsec_` |
//! | timestamp | `svix-timestamp`, unix seconds, signed; 5 minutes either way |
//! | event type | `/type` of a JSON body, if the sender puts one there |
//! | delivery id | header `svix-id`, signed, the same for every attempt |
//! | delivery key | `svix-id` |
//! | success | any 2xx within 15 seconds; retried for a day or more, and an endpoint that fails for five days is disabled |
//!
//! The same three headers may come as `webhook-…`. One request uses one family: `svix-…` when all three are there.
//! An id with a full stop in it is refused, see [`standard_webhooks`](mod@super::standard_webhooks).
//!
//! Documented: <https://docs.svix.com/receiving/verifying-payloads/how-manual>; the example there is a test here. Certain.

use std::time::Duration;

use crate::providers::standard_webhooks;
use crate::{
    provider::Provider,
    scheme::{definition::Scheme, locator::Locator},
};

pub(super) fn provider() -> Provider {
    Provider::new("svix", scheme())
        .with_event_type(Locator::json("/type"))
        .with_delivery_id(Locator::header("svix-id"))
        .with_unique_delivery_id()
        .with_time_limit(Duration::from_secs(15))
        .with_docs("https://docs.svix.com/receiving/verifying-payloads/how-manual")
}

/// The scheme in either family of headers.
pub(super) fn scheme() -> Scheme {
    standard_webhooks::scheme("svix-").with_header_families(["svix-", "webhook-"])
}
