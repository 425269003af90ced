//! KYCAID: profiles, documents, faces and addresses, in forms.
//!
//! | | |
//! | --- | --- |
//! | signature | HMAC-SHA512 of the base64 of the body, in hex, in `x-data-integrity` |
//! | secret | the API token of the account, as text |
//! | timestamp | none: a captured request stays valid forever, and the body has no time either |
//! | event type | `/type` |
//! | delivery id | `/request_id` |
//! | delivery key | id and body |
//!
//! # Certainty
//!
//! The scheme is certain: it is documented, and the example of the page verifies. The bodies are
//! from pages that the vendor marks as beta; one of them calls `verified` a text, and its examples
//! have `true` and `false`. How long KYCAID waits and whether it tries again is not known, nor is a
//! field for tests.
//!
//! # Pitfalls
//!
//! - **`completed` means that a verification ended, not that it was passed.** That is `verified`.
//! - **`VERIFICATION_STATUS_CHANGED` with `completed` does not say how it ended**: ask the API.
//! - The secret is the API token, with which the API can be called.
//! - `applicant_id` is KYCAID's. No field has your own reference.
//!
//! Documented: <https://docs.kycaid.com> (callback integrity verification, verification completed).
#![cfg_attr(feature = "identity", doc = "", doc = include_str!("kycaid/event.md"))]

use crate::provider::Provider;

#[cfg(feature = "identity")]
mod event;

#[cfg(feature = "identity")]
pub use self::event::*;

pub(super) fn with_events(provider: Provider) -> Provider {
    let provider = provider.with_level_param();
    #[cfg(feature = "identity")]
    let provider = provider.with_identity(identity);
    provider
}
