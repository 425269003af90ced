//! Svix, and every sender that uses it, such as Clerk and Resend.
//!
//! | | |
//! | --- | --- |
//! | signature | of id, `.`, timestamp, `.` and body, in base64, in `svix-signature`: a list, any of which may match. HMAC-SHA256 after `v1,` (variant `hmac-sha256`); with the feature `asymmetric`, Ed25519 after `v1a,` (variant `ed25519`) |
//! | secret | for `v1`: base64 of at least 16 bytes, after an optional `whsec_` or `v1,whsec_` |
//! | public key | for `v1a`: `whpk_` and base64 |
//! | timestamp | `svix-timestamp`, Unix seconds, signed; tolerance 5 minutes in either direction |
//! | event type | `/type` of a JSON body, if the sender includes it |
//! | delivery id | header `svix-id`, signed, the same for every attempt |
//! | delivery key | `svix-id` |
//! | success | any 2xx within 15 seconds; retried for a day or more, and an endpoint that fails for five days is disabled |
//!
//! The three headers may also be named `webhook-…`. A request uses one family, never a mix:
//! `svix-…` if all three of these are present. An id that contains a full stop is rejected, see
//! [`standard_webhooks`](mod@super::standard_webhooks).
//!
//! Documented: <https://docs.svix.com/receiving/verifying-payloads/how-manual>, whose example is a
//! test vector here. Certain.

use std::time::Duration;

use crate::providers::standard_webhooks;
use crate::{
    keys::suspicion::SecretLook,
    provider::Provider,
    scheme::{definition::Scheme, locator::Locator},
};

pub(super) fn provider() -> Provider {
    standard_webhooks::with_ed25519(Provider::new("svix", scheme()), scheme())
        .with_secret_look(SecretLook {
            prefix: None,
            others: &[
                ("ep_", "the id of an endpoint"),
                ("sk_", "an API key"),
                ("testsk_", "an API key"),
            ],
        })
        .with_event_type(Locator::json("/type"))
        .with_delivery_id(Locator::header("svix-id"))
        .with_unique_delivery_id()
        .with_time_limit(Duration::from_secs(15))
        .with_docs("https://docs.svix.com/receiving/verifying-payloads/how-manual")
}

/// The scheme, with either family of headers.
pub(super) fn scheme() -> Scheme {
    standard_webhooks::scheme("svix-").with_header_families(["svix-", "webhook-"])
}
