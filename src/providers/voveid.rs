//! VOVE ID: identity verification, anti-money-laundering screening and business verification.
//!
//! | | |
//! | --- | --- |
//! | signature | that of [Svix](mod@super::svix), through which VOVE ID sends: HMAC-SHA256 of id, `.`, timestamp, `.` and body |
//! | secret | `whsec_…` from the dashboard: base64, accepted even without padding |
//! | timestamp | `svix-timestamp`, Unix seconds, signed; tolerance 5 minutes in either direction |
//! | event type | none; `event_type()` returns `/status` of the body |
//! | delivery id | header `svix-id`, signed, the same for every attempt |
//! | delivery key | `svix-id` |
//! | success | any 2xx within 15 seconds; retried at increasing intervals, and a 4xx may be final |
//!
//! # Certainty
//!
//! The scheme is certain: it is plain Svix, documented by both vendors. The sample on VOVE ID's
//! page does not verify under any interpretation (its secret or signature was changed for
//! publication), so the tests only check that it is rejected.
//!
//! Four older KYB events (`kyb.case.created`, `kyb.case.status.changed`, `kyb.ubo.invited`,
//! `kyb.ubo.completed`) have no published body. They are verified like the others, and are read as
//! [`Kyb`] if they have its fields, otherwise as [`Event::Other`].
//!
//! Documented: <https://docs.voveid.com> (webhooks, AML screening, KYB webhooks).
#![cfg_attr(feature = "identity", doc = "", doc = include_str!("voveid/event.md"))]

use std::time::Duration;

use crate::{
    provider::{Provider, parameter::Parameter},
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
