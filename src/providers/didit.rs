//! Didit: documents, faces, addresses, phone numbers and screenings, in workflows.
//!
//! | | |
//! | --- | --- |
//! | signature | HMAC-SHA256 of the body, in hex, in `X-Signature` |
//! | secret | that of the webhook, as text |
//! | timestamp | `/timestamp` in the signed body, in seconds, with a tolerance of 5 minutes |
//! | event type | `/webhook_type` |
//! | delivery id | `didit`: `/session_id`, which several events share; `didit-raw`: `/event_id` |
//! | delivery key | id and body |
//! | success | any 2xx within 5 seconds |
//! | retries | two, after about 1 and 4 minutes, on 5xx, 404 and a timeout |
//!
//! `didit` also requires the header `X-Timestamp`, within the same tolerance. Nothing signs it, so
//! the body of an event, which is one with a `/webhook_type`, has to have a `/timestamp` as well.
//! Only what is no event, and has no identity, is judged by the header alone. `didit-raw` reads only
//! the body, which always has to have one.
//!
//! # Certainty
//!
//! The scheme is documented, and the vendor's demo agrees with it. The decision follows the
//! vendor's specification of its API, and the rest of the body its pages. Whether `event_id` names
//! an event or an attempt is described in two ways, so it is not taken as unique. Older versions of
//! the webhook name the modules of a decision in the singular; those are not typed.
//!
//! # Pitfalls
//!
//! - Two more signatures are sent. `X-Signature-V2` signs JSON that is serialised again, in a form that
//!   the vendor describes in two ways: it is not read. `X-Signature-Simple` signs four fields and not
//!   the decision, your reference or the environment: see [`didit_simple`](super::didit_simple()).
//! - **`Kyc Expired` takes an earlier approval back.**
//! - The modules of a decision are `Approved` each by itself, while the session is still in review.
//! - Sessions of businesses have the same event type.
//! - The test environment signs like the live one; the body says `environment`.
//! - Callbacks of the kind `kyb.registry_search.resolved` come unsigned, and are refused.
//! - The addresses of images in a decision need no password until they expire.
//! - Authenteq uses the header `X-Signature`, too.
//!
//! Documented: <https://docs.didit.me> (webhooks), and `didit-protocol/didit-full-demo`.
#![cfg_attr(feature = "identity", doc = "", doc = include_str!("didit/event.md"))]

use crate::{provider::Provider, scheme::locator::Locator};

#[cfg(feature = "identity")]
mod decision;
#[cfg(feature = "identity")]
mod event;
#[cfg(feature = "identity")]
mod kinds;

#[cfg(feature = "identity")]
pub use self::{decision::*, event::*, kinds::*};

pub(super) fn with_events(provider: Provider) -> Provider {
    let provider = provider
        .with_repeated_time(Locator::json("/timestamp"), Locator::json("/webhook_type"))
        .with_level_param()
        .with_test_param();
    #[cfg(feature = "identity")]
    let provider = provider.with_identity(identity);
    provider
}
