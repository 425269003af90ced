//! Authenteq: identity verification, with the images of the documents.
//!
//! | | |
//! | --- | --- |
//! | signature | one of two variants over the whole body, see below; hex, in `X-SIGNATURE` |
//! | secret | the Client Secret from the dashboard, as text |
//! | required | header `X-CLIENT-ID` must equal the parameter `client_id`, the Client ID from the dashboard |
//! | timestamp | none: a captured request stays valid forever |
//! | event type | none: only passed verifications are sent |
//! | delivery id | none in the headers; `id` in the part `result` is the same for every attempt, as far as is known |
//! | delivery key | the part `result`, because a retry may have a different boundary and different images; kept for a week |
//! | body | `multipart/form-data` with images: up to 32 MiB within 60 seconds by default |
//! | success | status 200 only, so the layer replaces the handler's other 2xx statuses with 200 |
//! | retries | after an hour, and for up to a week |
//!
//! # Signature variants
//!
//! **Uncertain.** Authenteq's page says that the signature is the hex-encoded SHA-256 digest of the
//! request body and the Client Secret. It does not mention HMAC and shows no code, and no genuine
//! delivery was available. There are therefore three variants:
//!
//! | variant | signature | |
//! | --- | --- | --- |
//! | `sha256-body-secret` | SHA-256 of the body followed by the secret | the literal reading |
//! | `hmac-sha256` | HMAC-SHA256 of the body | what most vendors mean by such a description |
//! | `length-extendable-sha256-secret-body` | SHA-256 of the secret followed by the body | the same description, in the other order |
//!
//! By default, a request is accepted under either of the first two variants, and `event.variant()`
//! returns the one that matched. **Once you have seen a genuine delivery, fix the variant** with
//! [`select_variant`](Provider::select_variant), or `variant` in the configuration.
//!
//! The third variant is accepted only if you select it by name, because it allows length extension:
//! anybody who has captured a request can append to its body and sign the result without the
//! secret. The appended bytes come after the closing boundary, so such a body cannot be read as an
//! [`Event`]. A handler that takes the raw body has no such protection.
//!
//! It is also assumed that the key is the secret's UTF-8 bytes, and that the digest covers the raw
//! body, boundaries included.
//!
//! # Pitfalls
//!
//! - According to the documentation, failed verifications are never sent, so do not wait for one.
//!   If one arrived, its outcome would be `Other`, never rejected.
//! - No timestamp is signed. Use `result.id` to recognise verifications that you have already
//!   handled.
//! - The page marks `croppedBackImage` as required, but a passport has no back.
//! - `address` may contain several lines joined by `^`.
//!
//! Documented: <https://docs.authenteq.com> (webhook overview, Web IDV, export).
#![cfg_attr(feature = "identity", doc = "", doc = include_str!("authenteq/event.md"))]

use std::time::Duration;

use http::StatusCode;

use crate::{
    delivery_key::DeduplicateBy,
    provider::{Provider, parameter::Parameter},
    scheme::{
        algorithm::Algorithm, definition::Scheme, encoding::Encoding, signature::SignatureFormat,
    },
};

#[cfg(feature = "identity")]
mod event;

#[cfg(feature = "identity")]
pub use self::event::*;

/// The parameter that says what a missing status means, for accounts with the older format.
pub(crate) const MISSING_STATUS: &str = "missing_status";
pub(crate) const PASSED: &str = "passed";

pub(super) fn provider() -> Provider {
    let scheme = |algorithm, signed: &'static str| {
        let signature = SignatureFormat::single("X-SIGNATURE", Encoding::Hex);
        Scheme::signed(algorithm, signed, signature)
            .with_required_header("X-CLIENT-ID", "{param:client_id}")
    };
    let provider = Provider::new("authenteq", scheme(Algorithm::Sha256, "{body}{secret}"))
        .with_variant_name("sha256-body-secret")
        .with_variant("hmac-sha256", scheme(Algorithm::HmacSha256, "{body}"))
        .with_opt_in_variant(
            "length-extendable-sha256-secret-body",
            scheme(Algorithm::Sha256, "{secret}{body}"),
        )
        .with_max_body(32 << 20)
        .with_read_timeout(Duration::from_secs(60))
        .with_success_status(StatusCode::OK)
        .with_deduplicate_by(DeduplicateBy::Part("result".into()))
        .with_retry_horizon(Duration::from_secs(7 * 24 * 60 * 60))
        .with_options(&[Parameter {
            name: MISSING_STATUS,
            values: &[PASSED],
        }])
        .with_docs("https://docs.authenteq.com");
    #[cfg(feature = "identity")]
    let provider = provider.with_identity(identity);
    provider
}
