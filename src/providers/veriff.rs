//! Veriff: documents and faces.
//!
//! | | |
//! | --- | --- |
//! | signature | HMAC-SHA256 of the body, in hex, in `x-hmac-signature`, or in `vrf-hmac-signature` |
//! | secret | the shared secret of the integration, as text |
//! | required | header `x-auth-client` must equal the parameter `client`, the API key of the integration, if the endpoint sets it |
//! | timestamp | none: a captured request stays valid forever; `decisionTime` is in the signed body |
//! | event type | `/action`, which decisions do not have |
//! | delivery id | `/id`, which decisions do not have |
//! | delivery key | id, if there is one, and body |
//! | success | status 200; anything else is sent again, every hour for up to a week |
//!
//! # Certainty
//!
//! The scheme is certain: it is documented, and the vendor's example verifies. The fields follow
//! the vendor's pages and samples of customers; fields are added without notice. The retries, and
//! that a decision that is changed by hand is sent again, were documented in earlier years. The
//! bodies of screenings, national registers, statuses of your own and full automation are not
//! typed.
//!
//! # Pitfalls
//!
//! - **Set `client`.** The header is not signed, and the key is no secret, but it tells the events of
//!   one integration from those of another, such as the test integration, whose secret is another one,
//!   too. No field tells a test.
//! - The `status` at the top is that of the call: `success` for a person that was declined.
//! - Codes are not usable alone: 9104 has two meanings.
//! - `resubmission_requested` is held back for five minutes, while the person may try again at once.
//! - The older header `x-signature` is a plain digest, and is refused.
//!
//! Documented: <https://devdocs.veriff.com> (webhooks guide, decision webhook, event webhook,
//! status codes).
#![cfg_attr(feature = "identity", doc = "", doc = include_str!("veriff/event.md"))]

use std::time::Duration;

use crate::provider::Provider;

#[cfg(feature = "identity")]
mod event;
#[cfg(feature = "identity")]
mod person;

#[cfg(feature = "identity")]
pub use self::{event::*, person::*};

/// A week.
const RETRIES: Duration = Duration::from_secs(7 * 24 * 60 * 60);

pub(super) fn with_events(provider: Provider) -> Provider {
    let provider = provider
        .with_header_of_param("x-auth-client", "client")
        .with_older_signature("x-signature")
        .with_retry_horizon(RETRIES);
    #[cfg(feature = "identity")]
    let provider = provider.with_identity(identity);
    provider
}
