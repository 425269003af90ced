//! Shufti Pro: documents, faces, addresses, consents and screenings, as services of one request.
//!
//! | | |
//! | --- | --- |
//! | signature | SHA-256 of the body and the hex SHA-256 of the secret, in hex, in `Signature` |
//! | variants | `sha256`, the default; `sha256-body-secret` with the secret itself, which an endpoint has to select |
//! | secret | the secret key of the account, as text |
//! | timestamp | none: a captured request stays valid forever, and the body has no time either |
//! | event type | `/event` |
//! | delivery id | `/reference`, your own for the request, which its events share |
//! | delivery key | id and body |
//!
//! # Certainty
//!
//! The scheme is documented; that accounts from before March 2023 sign with the secret itself is,
//! too. The fields follow the vendor's pages and samples of customers. Which status counts as
//! success, how long Shufti Pro waits and whether it tries again is not known. No field for a test
//! is known.
//!
//! # Pitfalls
//!
//! - **`verification.status.changed` does not say to what.** It may take an acceptance back: ask the
//!   API.
//! - **An acceptance may be one of a phone number or a screening.** Only a result for a document, a
//!   face or an electronic identity counts; see the endpoint's parameter `level`.
//! - `review.pending` comes with a full result.
//! - The signature is no HMAC. The secret comes last, so nothing can be appended to a signed body.
//!
//! Documented: <https://developers.shuftipro.com> (responses, FAQ).
#![cfg_attr(feature = "identity", doc = "", doc = include_str!("shufti_pro/event.md"))]

use crate::provider::Provider;

#[cfg(feature = "identity")]
mod event;

#[cfg(feature = "identity")]
pub use self::event::*;

pub(super) fn with_events(provider: Provider) -> Provider {
    let provider = provider
        .with_variant_name("sha256")
        .with_level_param()
        .with_subject_param();
    #[cfg(feature = "identity")]
    let provider = provider.with_identity(identity);
    provider
}
