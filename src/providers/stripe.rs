//! Stripe, Stripe Identity and Stripe Connect.
//!
//! | | |
//! | --- | --- |
//! | signature | HMAC-SHA256 of timestamp, `.` and body, in hex in each `v1` field of `Stripe-Signature: t=…,v1=…` |
//! | secret | the endpoint's secret including `whsec_`, as text, **not** decoded |
//! | timestamp | the field `t`, Unix seconds, signed; tolerance 5 minutes in either direction (Stripe's own libraries accept any time in the future) |
//! | event type | `/type` |
//! | delivery id | `/id`, the same for every attempt |
//! | delivery key | `/id` |
//! | success | any 2xx; retried for up to three days in live mode |
//!
//! A retry has a new timestamp and a new signature. While a secret is being rolled, there are
//! several `v1` fields. The `v0` field of test events is ignored.
//!
//! Documented: <https://docs.stripe.com/webhooks#verify-manually>. Certain. The types of Stripe
//! Identity follow the vendor's own, of a version of 2026; no delivery from Stripe itself was
//! available.
#![cfg_attr(feature = "identity", doc = "", doc = include_str!("stripe/event.md"))]

use crate::{
    keys::suspicion::SecretLook,
    provider::Provider,
    scheme::{
        algorithm::Algorithm, definition::Scheme, encoding::Encoding, locator::Locator,
        signature::SignatureFormat, timestamp::Timestamp,
    },
};

#[cfg(feature = "identity")]
mod event;
#[cfg(feature = "identity")]
mod session;

#[cfg(feature = "identity")]
pub use self::{event::*, session::*};

pub(super) fn provider() -> Provider {
    let signature = SignatureFormat::fields("Stripe-Signature", ',', "v1", Encoding::Hex);
    let scheme = Scheme::signed(Algorithm::HmacSha256, "{ts}.{body}", signature)
        .with_timestamp(Timestamp::field("t"));
    let provider = Provider::new("stripe", scheme)
        .with_event_type(Locator::json("/type"))
        .with_delivery_id(Locator::json("/id"))
        .with_unique_delivery_id()
        .with_secret_look(SecretLook {
            prefix: Some("whsec_"),
            others: &[
                ("sk_", "an API key"),
                ("rk_", "a restricted API key"),
                ("pk_", "a publishable API key"),
                ("we_", "the id of a webhook endpoint"),
            ],
        })
        .with_cli_remedy("`stripe listen` signs with a secret of its own, which it prints")
        .with_docs("https://docs.stripe.com/webhooks#verify-manually")
        .with_level_param()
        .with_test_param();
    #[cfg(feature = "identity")]
    let provider = provider.with_identity(identity);
    provider
}
