//! MetaMap, formerly Mati, now of Incode: documents, faces and registers, in flows.
//!
//! | | |
//! | --- | --- |
//! | signature | HMAC-SHA256 of the body, in hex, in `x-signature` |
//! | secret | that of the webhook, as text |
//! | timestamp | none: a captured request stays valid forever; `/timestamp` is in the signed body, see [`Identity::occurred_at`](crate::Identity::occurred_at) |
//! | event type | `/eventName` |
//! | delivery id | none |
//! | delivery key | the body |
//!
//! # Certainty
//!
//! The scheme is documented. The bodies are known from the code of many customers, and from older
//! pages of the vendor. How long MetaMap waits and whether it tries again is not known, nor is a
//! field for tests.
//!
//! # Pitfalls
//!
//! - **`verification_completed` means that a verification ended, not that it was passed**, and may come
//!   without a result: ask the API.
//! - **Two fields have the result, `identityStatus` and `status`, and they may differ.** Then the
//!   identity is in review.
//! - `step.status` is like a status of HTTP: 200 says that a step ran.
//! - `resource` is the address of the verification. Take its last segment, which is the session, and
//!   fetch it from the address of the API that you know.
//! - Didit and Authenteq use the header, too.
//!
//! Documented: <https://docs.metamap.com> (webhooks).
#![cfg_attr(feature = "identity", doc = "", doc = include_str!("metamap/event.md"))]

use crate::provider::Provider;

#[cfg(feature = "identity")]
mod event;

#[cfg(feature = "identity")]
pub use self::event::*;

pub(super) fn with_events(provider: Provider) -> Provider {
    let provider = provider.with_level_param().with_subject_param();
    #[cfg(feature = "identity")]
    let provider = provider.with_identity(identity);
    provider
}
