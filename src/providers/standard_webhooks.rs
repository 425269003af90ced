//! Any sender that follows the Standard Webhooks specification, with symmetric keys (`v1`).
//!
//! | | |
//! | --- | --- |
//! | signs | HMAC-SHA256 over id `.` time `.` body, in base64 after `v1,`, in `webhook-signature`: a list, of which any may match |
//! | secret | base64 of at least 16 bytes, after an optional `whsec_` |
//! | timestamp | `webhook-timestamp`, unix seconds, signed; 5 minutes either way |
//! | event type | `/type` of a JSON body |
//! | delivery id | header `webhook-id`, signed, the same for every attempt |
//! | delivery key | `webhook-id` |
//! | success | any 2xx |
//!
//! Signatures of other versions in the list, such as `v1a`, are skipped. An id with a full stop in it is refused, since
//! the specification asks senders for ids that have none: it is the mark between the parts of the content.
//!
//! Documented: <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>. Certain.

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

/// The scheme under headers with this prefix.
pub(super) fn scheme(prefix: &str) -> Scheme {
    let signature = SignatureFormat::list(format!("{prefix}signature"), ' ', Encoding::Base64);
    Scheme::new(
        Algorithm::HmacSha256,
        format!("{{header:{prefix}id}}.{{ts}}.{{body}}"),
        signature.with_prefix("v1,"),
    )
    .with_timestamp(Timestamp::header(format!("{prefix}timestamp")))
    .with_secret_format(SecretFormat::base64().with_prefix("whsec_"))
}
