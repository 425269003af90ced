//! Persona: inquiries of documents, faces, databases and more, with cases, reports and
//! transactions.
//!
//! | | |
//! | --- | --- |
//! | signature | HMAC-SHA256 of time, `.` and body, in hex, in the field `v1` of `Persona-Signature: t=…,v1=…` |
//! | rotation | while a secret is replaced, there are two sets of fields with a space between them; either is accepted |
//! | secret | that of the webhook, `wbhsec_…`, as text, **not** decoded |
//! | timestamp | the field `t`, Unix seconds, signed; tolerance 5 minutes, which is our choice, as the vendor names none |
//! | event type | `/data/attributes/name` |
//! | delivery id | `/data/id` |
//! | delivery key | id and body |
//! | success | 200, 201, 202 or 204 within 5 seconds |
//! | retries | with growing pauses, at most eight |
//!
//! # Certainty
//!
//! The scheme is certain: it is documented. The types of inquiries follow the vendor's OpenAPI
//! specification of 2025-12-08; the other objects are JSON. The schema calls every attribute
//! required, but a webhook's settings may leave out each, so all are optional. Older versions
//! repeat name, birth date and address beside `fields`; those copies are not typed.
//!
//! # Pitfalls
//!
//! - **No field tells the sandbox, only the secret**: each webhook belongs to one environment.
//! - **`completed` is not a decision.** It says that every step was passed. Where no step of your
//!   workflows decides, no inquiry is ever `approved`: see the parameter `completed` below.
//! - A redacted inquiry keeps its status: `inquiry.redacted` says `approved` once more.
//! - Deliveries come in any order, and more than once; `created-at` of the event orders them.
//! - A webhook's settings choose the spelling of the names: `reference-id`, `reference_id` or
//!   `referenceId`. All are read; two spellings of one name in an object are an error.
//!
//! Documented: <https://docs.withpersona.com> (webhooks overview, best practices), and the
//! specification `persona-id/persona-openapi`.
#![cfg_attr(feature = "identity", doc = "", doc = include_str!("persona/event.md"))]

use crate::provider::{Provider, parameter::Parameter};

#[cfg(feature = "identity")]
mod event;
#[cfg(feature = "identity")]
mod inquiry;

#[cfg(feature = "identity")]
pub use self::{event::*, inquiry::*};

/// The parameter that says what the status `completed` counts as.
pub(crate) const COMPLETED: &str = "completed";

pub(super) fn with_events(provider: Provider) -> Provider {
    let provider = provider.with_level_param().with_options(&[Parameter {
        name: COMPLETED,
        values: &["approved"],
    }]);
    #[cfg(feature = "identity")]
    let provider = provider.with_identity(identity);
    provider
}
