//! Onfido, now Entrust Identity Verification: documents, faces and whole workflows.
//!
//! | | |
//! | --- | --- |
//! | signature | HMAC-SHA256 of the body, in hex, in `X-SHA2-Signature` |
//! | secret | the token of the webhook, as text |
//! | timestamp | none: a captured request stays valid forever |
//! | event type | `/payload/action` |
//! | delivery id | `/payload/object/id`, that of the object, which several events share |
//! | delivery key | id and body |
//! | success | any 2xx; others are retried, by a schedule that is not documented, and `check.completed` can be sent again by hand |
//!
//! # Certainty
//!
//! The scheme is certain: the vendor's own library and its published samples agree with it. The
//! types follow the vendor's OpenAPI specification, whose list of required properties is wrong (two
//! of them do not exist), so most fields are optional. How often and for how long Onfido retries,
//! and how long it waits for a response, is not known.
//!
//! # Pitfalls
//!
//! - **Nothing in a request tells the sandbox from the live environment.** A webhook that is
//!   registered without `environments` gets the events of both, signed with one token: register it
//!   with `environments: ["live"]`.
//! - `check.completed` says that a check ended, and not how: its result is in the API only.
//! - A task of a workflow may have the result `clear` for one document. Only `workflow_run.completed`
//!   decides about a person.
//! - `timeline_file_download_url` needs no password until it expires.
//! - With OAuth the token comes in the header `Authorization`. That is not supported.
//!
//! Documented: <https://documentation.onfido.com> (webhooks), and the specification
//! `onfido/onfido-openapi-spec`.
#![cfg_attr(feature = "identity", doc = "", doc = include_str!("onfido/event.md"))]

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
