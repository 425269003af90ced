//! VOVE ID: identity verification, anti-money-laundering and business verification.
//!
//! | | |
//! | --- | --- |
//! | signs | as [Svix](mod@super::svix), through which it sends: HMAC-SHA256 over id `.` time `.` body |
//! | secret | `whsec_…` from the dashboard: base64, read even where padding is missing |
//! | timestamp | `svix-timestamp`, unix seconds, signed; 5 minutes either way |
//! | event type | nowhere; `event_type()` gives the body's `/status` |
//! | delivery id | header `svix-id`, signed, the same for every attempt |
//! | delivery key | `svix-id` |
//! | success | any 2xx within 15 seconds; retried with growing pauses, and a 4xx may be final |
//!
//! # How sure this is
//!
//! The scheme is certain: it is stock Svix, documented by both. The sample on VOVE ID's page does not check out under any
//! reading (its secret or signature was changed for publication), so it serves as a test for refusal only. Four older KYB
//! events (`kyb.case.created`, `kyb.case.status.changed`, `kyb.ubo.invited`, `kyb.ubo.completed`) have no published body; they verify, and
//! are read as [`Kyb`] only if they have its fields, else as [`Event::Other`].
//!
//! Documented: <https://docs.voveid.com> (webhooks, AML screening, KYB webhooks).
#![cfg_attr(feature = "identity", doc = "", doc = include_str!("voveid/event.md"))]

use std::time::Duration;

use crate::{
    provider::{Parameter, Provider},
    providers::svix,
    scheme::locator::Locator,
};

#[cfg(feature = "identity")]
mod event;

#[cfg(feature = "identity")]
pub use self::event::*;

pub(super) fn provider() -> Provider {
    let provider = Provider::new("voveid", svix::scheme())
        .with_event_type(Locator::json("/status"))
        .with_delivery_id(Locator::header("svix-id"))
        .with_unique_delivery_id()
        .with_time_limit(Duration::from_secs(15))
        .with_options(&[Parameter {
            name: "family",
            values: &["kyc", "aml", "kyb"],
        }])
        .with_docs("https://docs.voveid.com");
    #[cfg(feature = "identity")]
    let provider = provider.with_identity(identity);
    provider
}
