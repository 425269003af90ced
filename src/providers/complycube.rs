//! ComplyCube: workflows of checks, and single checks.
//!
//! | | |
//! | --- | --- |
//! | signature | HMAC-SHA256 of the body, in hex, in `complycube-signature` |
//! | secret | that of the webhook, as text |
//! | timestamp | none: a captured request stays valid forever; `createdAt` is in the signed body |
//! | event type | `/type` |
//! | delivery id | `/id` |
//! | delivery key | id and body |
//! | success | any 2xx within 15 seconds |
//! | retries | ten, after 60, 120 and 480 seconds and so on; then the webhook is disabled |
//!
//! # Certainty
//!
//! **Uncertain: whether the events of a workflow session carry an `outcome`.** The vendor's library
//! has the field in its type, and no sample was seen. If they have none, every decision of
//! ComplyCube is undisclosed, and has to be read from its API. The names of the events come from
//! projects that use them and agree with each other. The spellings of `resourceType` are not known.
//!
//! The scheme is certain: two libraries of the vendor agree on it. Whether webhooks of the sandbox
//! have a secret of their own is not known, and no field tells the sandbox.
//!
//! # Pitfalls
//!
//! - An event of a check does not say what was checked: `check.completed.clear` may be a screening or an
//!   address. It is never an approval.
//! - No event has your own reference for the person.
//! - `completed` means that something ended, and not that somebody passed.
//!
//! Documented: <https://docs.complycube.com> (webhooks), and the type `EventVerifier` of the
//! package `@complycube/api`.
#![cfg_attr(feature = "identity", doc = "", doc = include_str!("complycube/event.md"))]

use crate::provider::Provider;

#[cfg(feature = "identity")]
mod event;

#[cfg(feature = "identity")]
pub use self::event::*;

pub(super) fn with_events(provider: Provider) -> Provider {
    #[cfg(feature = "identity")]
    let provider = provider.with_identity(identity);
    provider
}
