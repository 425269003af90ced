//! Sumsub: documents, liveness, screening, transactions and businesses.
//!
//! | | |
//! | --- | --- |
//! | signature | HMAC of the body, in hex, in `X-Payload-Digest`; `X-Payload-Digest-Alg` has to name the same algorithm |
//! | variants | `hmac-sha256`, the default; `hmac-sha512` and `hmac-sha1`, which an endpoint has to select |
//! | secret | that of the webhook, as text |
//! | timestamp | none: a captured request stays valid forever; `createdAtMs` is in the signed body, see [`Identity::occurred_at`](crate::Identity::occurred_at) |
//! | event type | `/type` |
//! | delivery id | `/correlationId`, whose form varies |
//! | delivery key | id and body |
//! | success | any 2xx within 5 seconds |
//! | retries | four, after 5 minutes, 1 hour, 5 hours and 18 hours, unless they are switched off; then an e-mail |
//!
//! # Certainty
//!
//! The scheme is certain: it is documented, and the vendor's own samples agree with it. The fields
//! follow the vendor's pages and samples; everything but `type` may be missing. `applicantMemberOf`
//! is a list of objects on the page, and of texts in a sample. `applicantWorkflowFailed` is known
//! from samples only.
//!
//! # Pitfalls
//!
//! - **The header that names the algorithm is not signed.** It never selects one: the endpoint does,
//!   and SHA-1 counts only where it is selected.
//! - **In a workflow of several levels, each level sends its own approval**, and nothing says whether
//!   another follows. Set the endpoint's parameter `level` to the level or levels that are enough;
//!   without it, an approval is one of the level that it names.
//! - The events of the sandbox are signed like others, and say `sandboxMode`.
//! - The approval of an action, such as a withdrawal, is none of the person.
//! - After `applicantPersonalInfoChanged`, Sumsub advises to check again.
//! - Sumsub checks no names when a webhook is set up: a typing error in a type is silence.
//! - Authento uses the header `X-Payload-Digest`, too.
//!
//! Documented: <https://docs.sumsub.com> (webhook manager, user verification webhooks).
#![cfg_attr(feature = "identity", doc = "", doc = include_str!("sumsub/event.md"))]

use crate::provider::Provider;

#[cfg(feature = "identity")]
mod event;
#[cfg(feature = "identity")]
mod kinds;

#[cfg(feature = "identity")]
pub use self::{event::*, kinds::*};

pub(super) fn with_events(provider: Provider) -> Provider {
    let provider = provider.with_level_param().with_test_param();
    #[cfg(feature = "identity")]
    let provider = provider.with_identity(identity);
    provider
}
