//! Stripe, Stripe Identity and Stripe Connect.
//!
//! | | |
//! | --- | --- |
//! | signs | HMAC-SHA256 over time `.` body, in hex as each `v1` field of `Stripe-Signature: t=…,v1=…` |
//! | secret | the whole text `whsec_…` of the endpoint, **not** decoded |
//! | timestamp | the field `t`, unix seconds, signed; 5 minutes either way (Stripe's own libraries let any future time pass) |
//! | event type | `/type` |
//! | delivery id | `/id`, the same for every attempt |
//! | delivery key | `/id` |
//! | success | any 2xx; retried for up to three days in live mode |
//!
//! A retry has a new time and a new signature. While a secret is rolled there are several `v1` fields. `v0`, of test
//! events, is not looked at.
//!
//! Documented: <https://docs.stripe.com/webhooks#verify-manually>. Certain.

use crate::{
    provider::Provider,
    scheme::{
        algorithm::Algorithm, definition::Scheme, encoding::Encoding, locator::Locator,
        signature::SignatureFormat, timestamp::Timestamp,
    },
};

pub(super) fn provider() -> Provider {
    let signature = SignatureFormat::fields("Stripe-Signature", ',', "v1", Encoding::Hex);
    let scheme = Scheme::new(Algorithm::HmacSha256, "{ts}.{body}", signature)
        .with_timestamp(Timestamp::field("t"));
    Provider::new("stripe", scheme)
        .with_event_type(Locator::json("/type"))
        .with_delivery_id(Locator::json("/id"))
        .with_unique_delivery_id()
        .with_docs("https://docs.stripe.com/webhooks#verify-manually")
}
