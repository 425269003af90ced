//! iDenfy: identity verification, screening, and checks of bank accounts and companies.
//!
//! | | |
//! | --- | --- |
//! | signature | HMAC-SHA256 of the body, in hex, in `Idenfy-Signature` |
//! | secret | the signing key set for this webhook in the dashboard, as text; **without one iDenfy does not sign** |
//! | timestamp | none: a captured request stays valid forever |
//! | event type | header `Idenfy-Event-Type`, **not signed** |
//! | delivery id | `/scanRef`, in bodies about a person that have one: several results share it, and no id identifies a delivery |
//! | delivery key | the whole body, because results with the same `scanRef` are different deliveries |
//! | success | any 2xx within 10 seconds |
//! | retries | a configurable number, at a fixed interval; after that, iDenfy sends an e-mail and shows a button in the dashboard |
//!
//! # Pitfalls
//!
//! - An approval with `is_final` false is preliminary: a human reviewer has yet to look at it.
//! - `scan_ref` does not identify a delivery. The preliminary result, the final result and the
//!   results of a resubmission share it.
//! - The links in `file_urls` need no password until they expire.
//! - An event type that iDenfy adds later, with the fields of an existing one, is read as the
//!   existing one if the header is missing.
//!
//! # Certainty
//!
//! The scheme is certain: it is documented, and a test vector from an independent library verifies.
//! The types follow the vendor's specification, its pages and older examples; where these disagree,
//! all forms are accepted. No delivery from iDenfy itself was available.
//!
//! Documented: <https://documentation.idenfy.com> (KYC webhooks, callback signing, KYB, API
//! reference).
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
        Scheme::signed(Algorithm::HmacSha256, "{body}", signature),
    )
    .with_event_type(Locator::header("Idenfy-Event-Type"))
    .with_delivery_id(Locator::json("/scanRef"))
    .with_time_limit(Duration::from_secs(10))
    .with_deduplicate_by(DeduplicateBy::Body)
    .with_docs("https://documentation.idenfy.com/security/CallbackSigning")
    .with_unsigned_remedy(
        "iDenfy signs only once a signing key is set for the webhook in its dashboard",
    );
    #[cfg(feature = "identity")]
    let provider = provider.with_identity(identity);
    provider
}
