//! Plaid: bank accounts, payments and identities.
//!
//! | | |
//! | --- | --- |
//! | signature | a JSON Web Token in `Plaid-Verification`, `ES256`, whose claim `request_body_sha256` is the SHA-256 of the body |
//! | key | a JSON Web Key by its id, from `POST /webhook_verification_key/get` of Plaid's API |
//! | timestamp | the claim `iat`, at most 5 minutes old |
//! | event type | `/webhook_code` |
//! | delivery key | the body |
//! | success | status 200 within 10 seconds |
//!
//! # Certainty
//!
//! The scheme is documented, and the types follow the vendor's specification. The time limit, and
//! that Plaid tries again for up to a day, were documented in earlier years.
//!
//! # Pitfalls
//!
//! - **No webhook of Identity Verification says how it ended.** The status, the steps and your own
//!   reference are in `POST /identity_verification/get`.
//! - The sandbox signs like production; the body says `environment`.
//! - Screenings have an event with the same code, `STATUS_UPDATED`.
//!
//! Documented: <https://plaid.com/docs/api/webhooks/webhook-verification/>, and
//! <https://plaid.com/docs/api/products/identity-verification/>.
#![cfg_attr(feature = "identity", doc = "", doc = include_str!("plaid/event.md"))]
#![cfg_attr(
    all(feature = "asymmetric", feature = "identity", feature = "jwt"),
    doc = include_str!("plaid/example.md")
)]

use crate::provider::Provider;

#[cfg(feature = "identity")]
mod event;

#[cfg(feature = "identity")]
pub use self::event::*;

pub(super) fn with_events(provider: Provider) -> Provider {
    let provider = provider.with_test_param();
    #[cfg(feature = "identity")]
    let provider = provider.with_identity(identity);
    provider
}
