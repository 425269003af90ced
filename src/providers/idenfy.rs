//! iDenfy: identity verification, and what goes with it: screening, bank accounts, companies.
//!
//! | | |
//! | --- | --- |
//! | signs | HMAC-SHA256 over the body, in hex, in `Idenfy-Signature` |
//! | secret | the text of the signing key that is set for this webhook in the dashboard; **without one iDenfy does not sign** |
//! | timestamp | none: a captured request stays valid for ever |
//! | event type | header `Idenfy-Event-Type`, **not signed** |
//! | delivery id | `/scanRef` of those bodies that have one, for people: several results share it, and no id tells deliveries apart |
//! | delivery key | the whole body: results that share a `scanRef` are different deliveries |
//! | success | any 2xx within 10 seconds; retried a configurable number of times with a fixed pause, then an e-mail and a button in the dashboard |
//!
//! # Pitfalls
//!
//! - An approval with `is_final` false is preliminary: a person still looks at it.
//! - `scan_ref` does not identify a delivery. The preliminary result, the final one and those after a resubmission share it.
//! - The addresses in `file_urls` open without a password while they live.
//! - An event that iDenfy adds later with the fields of an older one is read as the older one where the header does not come through.
//!
//! # How sure this is
//!
//! The scheme is certain: it is documented, and a vector of somebody else's library checks out. The types follow the vendor's
//! specification, its pages, and older examples; where these disagree, all are read. No delivery of the vendor itself was at hand.
//!
//! Documented: <https://documentation.idenfy.com> (KYC webhooks, callback signing, KYB, API reference).
#![cfg_attr(feature = "identity", doc = "", doc = include_str!("idenfy/event.md"))]

use std::time::Duration;

use crate::{
    delivery_key::DeduplicateBy,
    provider::Provider,
    scheme::{
        algorithm::Algorithm, definition::Scheme, encoding::Encoding, locator::Locator,
        signature::SignatureFormat,
    },
};

#[cfg(feature = "identity")]
mod event;

#[cfg(feature = "identity")]
pub use self::event::*;

pub(super) fn provider() -> Provider {
    let signature = SignatureFormat::single("Idenfy-Signature", Encoding::Hex);
    let provider = Provider::new(
        "idenfy",
        Scheme::new(Algorithm::HmacSha256, "{body}", signature),
    )
    .with_event_type(Locator::header("Idenfy-Event-Type"))
    .with_delivery_id(Locator::json("/scanRef"))
    .with_time_limit(Duration::from_secs(10))
    .with_deduplicate_by(DeduplicateBy::Body)
    .with_docs("https://documentation.idenfy.com/security/CallbackSigning")
    .with_unsigned_hint(
        "iDenfy signs only once a signing key is set for the webhook in its dashboard",
    );
    #[cfg(feature = "identity")]
    let provider = provider.with_identity(identity);
    provider
}
