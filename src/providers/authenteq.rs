//! Authenteq: identity verification, with the images of the documents.
//!
//! | | |
//! | --- | --- |
//! | signs | one of two variants over the whole body, see below; header `X-SIGNATURE`, hex |
//! | secret | the Client Secret from the dashboard, as text |
//! | required | header `X-CLIENT-ID` equals parameter `client_id`, the Client ID from the dashboard |
//! | timestamp | none: a request that was seen once stays valid for ever |
//! | event type | nowhere: only a passed verification is ever sent |
//! | delivery id | nowhere in the head; `id` in the part `result` is the same for every attempt, as far as known |
//! | delivery key | the part `result`: a retry may have another boundary and other images; kept for a week |
//! | body | `multipart/form-data` with images: up to 32 MiB within 60 seconds by default |
//! | success | status 200 and no other, so the layer turns the handler's other 2xx into it; else sent again after an hour, and on for a week |
//!
//! # How it signs, and how sure that is
//!
//! **Not settled.** Authenteq's page says that the signature is the hex-encoded SHA-256 digest of the request body and the
//! Client Secret. It never says HMAC, it shows no code, and no delivery has been seen. So there are three variants:
//!
//! | variant | signature | |
//! | --- | --- | --- |
//! | `sha256-body-secret` | SHA-256 of body, then secret | the words as they stand |
//! | `hmac-sha256` | HMAC-SHA256 of the body | what most vendors mean by such words |
//! | `length-extendable-sha256-secret-body` | SHA-256 of secret, then body | the same words in the other order |
//!
//! Unless told, a request under either of the first two is accepted. `event.variant()` says which it was: **once you
//! have seen a genuine delivery, fix it**, with [`select_variant`](Provider::select_variant) or `variant` in
//! the configuration. The third counts only when it is named so: whoever has seen one request can append to its body
//! and sign the result without the secret. What is appended stands after the closing boundary, so it cannot be read as an
//! [`Event`]; a handler that takes the raw body has no such protection.
//!
//! Taken for granted beside that: the secret is its UTF-8 bytes, and the digest covers the raw body, boundaries included.
//!
//! # Pitfalls
//!
//! - A failed verification is never sent, as far as is documented; if one came, it would be `Other` and never rejected. To wait for one is to wait for ever.
//! - No time is signed. Recognise what you have handled already by `result.id`.
//! - The page marks `croppedBackImage` as required, and a passport has no back.
//! - `address` may hold several lines joined by `^`.
//!
//! Documented: <https://docs.authenteq.com> (webhook overview, Web IDV, export).
#![cfg_attr(feature = "identity", doc = "", doc = include_str!("authenteq/event.md"))]

use std::time::Duration;

use http::StatusCode;

use crate::{
    delivery_key::DeduplicateBy,
    provider::{Parameter, Provider},
    scheme::{
        algorithm::Algorithm, definition::Scheme, encoding::Encoding, signature::SignatureFormat,
    },
};

#[cfg(feature = "identity")]
mod event;

#[cfg(feature = "identity")]
pub use self::event::*;

/// What an event without a status means, for accounts that get the older form.
pub(crate) const MISSING_STATUS: &str = "missing_status";
pub(crate) const PASSED: &str = "passed";

pub(super) fn provider() -> Provider {
    let scheme = |algorithm, signed: &'static str| {
        let signature = SignatureFormat::single("X-SIGNATURE", Encoding::Hex);
        Scheme::new(algorithm, signed, signature)
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
