//! Blockpass: identities that a person shares with several services.
//!
//! **Not verified against the vendor**: no page of Blockpass shows a signed request.
//!
//! | | |
//! | --- | --- |
//! | signature | HMAC-SHA256 of the body, in hex, bare or after `sha256=`, in `X-Hub-Signature` |
//! | secret | that of the webhook, as text |
//! | timestamp | none: a captured request stays valid forever; some events have a time in the signed body, see [`Identity::occurred_at`](crate::Identity::occurred_at) |
//! | event type | `/event` |
//! | delivery id | header `X-Blockpass-Delivery`, which is not signed |
//! | delivery key | the body |
//!
//! # Certainty
//!
//! The scheme is known from the code of customers, one of whom has bare hex and another `sha256=`
//! in front. Both are accepted, since the algorithm is the same. The body is known from one that
//! was captured. Which values but `prod` the field `env` has is not known. How long Blockpass waits
//! and whether it tries again is not known.
//!
//! # Pitfalls
//!
//! - `review.rejected` is not the end: the person may hand in again, as `submitCount` shows.
//! - Every `env` other than `prod` is a test, and signed like others.
//! - A body with `isPing` is a test of the connection, whatever its event says.
//! - GitHub and others use the header `X-Hub-Signature`, too.
//!
//! Documented: <https://docs.blockpass.org>, without the signature.
#![cfg_attr(feature = "identity", doc = "", doc = include_str!("blockpass/event.md"))]

use crate::provider::Provider;

#[cfg(feature = "identity")]
mod event;

#[cfg(feature = "identity")]
pub use self::event::*;

pub(super) fn with_events(provider: Provider) -> Provider {
    let provider = provider.with_level_param().with_test_param();
    #[cfg(feature = "identity")]
    let provider = provider.with_identity(identity);
    provider
}
