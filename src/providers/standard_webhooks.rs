//! Any sender that follows the Standard Webhooks specification with symmetric keys (`v1`).
//!
//! | | |
//! | --- | --- |
//! | signature | HMAC-SHA256 of id, `.`, timestamp, `.` and body, in base64 after `v1,`, in `webhook-signature`: a list, any of which may match |
//! | secret | base64 of at least 16 bytes, after an optional `whsec_` or, as Supabase shows it, `v1,whsec_` |
//! | timestamp | `webhook-timestamp`, Unix seconds, signed; tolerance 5 minutes in either direction |
//! | event type | `/type` of a JSON body |
//! | delivery id | header `webhook-id`, signed, the same for every attempt |
//! | delivery key | `webhook-id` |
//! | success | any 2xx |
//!
//! Signatures of other versions in the list, such as `v1a`, are skipped. An id that contains a full
//! stop is rejected: the full stop separates the parts of the signed content, and the specification
//! asks senders not to use it in ids.
//!
//! Documented:
//! <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>.
//! Certain.

use crate::{
    provider::Provider,
    scheme::{
        algorithm::Algorithm, definition::Scheme, encoding::Encoding, locator::Locator,
        secret_format::SecretFormat, signature::SignatureFormat, timestamp::Timestamp,
    },
};

pub(super) fn provider() -> Provider {
    Provider::new("standard-webhooks", scheme("webhook-"))
        .with_event_type(Locator::json("/type"))
        .with_delivery_id(Locator::header("webhook-id"))
        .with_unique_delivery_id()
        .with_docs("https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md")
}

/// The scheme, with this prefix in front of its header names.
pub(super) fn scheme(prefix: &str) -> Scheme {
    let signature = SignatureFormat::list(format!("{prefix}signature"), ' ', Encoding::Base64);
    Scheme::new(
        Algorithm::HmacSha256,
        format!("{{header:{prefix}id}}.{{ts}}.{{body}}"),
        signature.with_prefix("v1,"),
    )
    .with_timestamp(Timestamp::header(format!("{prefix}timestamp")))
    .with_secret_format(
        SecretFormat::base64()
            .with_prefix("whsec_")
            .or_prefix("v1,whsec_"),
    )
}
