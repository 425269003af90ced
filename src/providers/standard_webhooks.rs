//! Any sender that follows the Standard Webhooks specification.
//!
//! | | |
//! | --- | --- |
//! | signature | of id, `.`, timestamp, `.` and body, in base64, in `webhook-signature`: a list, any of which may match. HMAC-SHA256 after `v1,` (variant `hmac-sha256`); with the feature `asymmetric`, Ed25519 after `v1a,` (variant `ed25519`) |
//! | secret | for `v1`: base64 of at least 16 bytes, after an optional `whsec_` or, as Supabase shows it, `v1,whsec_` |
//! | public key | for `v1a`: `whpk_` and base64, or any other form of [`PublicKey`](crate::PublicKey) |
//! | timestamp | `webhook-timestamp`, Unix seconds, signed; tolerance 5 minutes in either direction |
//! | event type | `/type` of a JSON body |
//! | delivery id | header `webhook-id`, signed, the same for every attempt |
//! | delivery key | `webhook-id` |
//! | success | any 2xx |
//!
//! The keys of an endpoint decide which versions count: with a secret only `v1` does, with a public
//! key only `v1a`, and with both either. Other items of the list are skipped. An id that contains a
//! full stop is rejected: the full stop separates the parts of the signed content, and the
//! specification asks senders not to use it in ids.
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
    let provider = Provider::new("standard-webhooks", scheme("webhook-"));
    with_ed25519(provider, scheme("webhook-"))
        .with_event_type(Locator::json("/type"))
        .with_delivery_id(Locator::header("webhook-id"))
        .with_unique_delivery_id()
        .with_docs("https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md")
}

/// The scheme, with this prefix in front of its header names.
pub(super) fn scheme(prefix: &str) -> Scheme {
    let signature = SignatureFormat::list(format!("{prefix}signature"), ' ', Encoding::Base64);
    Scheme::signed(
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

/// The provider with the signatures of version `v1a` beside those of `scheme`.
pub(super) fn with_ed25519(provider: Provider, scheme: Scheme) -> Provider {
    if !cfg!(feature = "asymmetric") {
        return provider;
    }
    provider.with_variant("ed25519", scheme.in_version(Algorithm::Ed25519, "v1a,"))
}
