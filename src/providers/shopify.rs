//! Shopify app and shop webhooks over HTTPS.
//!
//! | | |
//! | --- | --- |
//! | signs | HMAC-SHA256 over the body, in base64, in `X-Shopify-Hmac-SHA256` |
//! | secret | the app's client secret, as text |
//! | timestamp | none that is signed (`X-Shopify-Triggered-At` is not): a captured request stays valid for ever |
//! | event type | header `X-Shopify-Topic`, **not signed**: equal bodies can be relabelled |
//! | delivery id | header `X-Shopify-Webhook-Id`, **not signed** |
//! | delivery key | the whole body: equal bodies are one delivery, whatever their topic. With `body+event-type` they are told apart, and whoever has captured a request can have it handled again under another topic |
//! | success | any 2xx within 5 seconds; failed deliveries are retried 8 times within 4 hours |
//!
//! Documented: <https://shopify.dev/docs/apps/build/webhooks/verify-deliveries>. Certain.

use std::time::Duration;

use crate::{
    provider::Provider,
    scheme::{
        algorithm::Algorithm, definition::Scheme, encoding::Encoding, locator::Locator,
        signature::SignatureFormat,
    },
};

pub(super) fn provider() -> Provider {
    let signature = SignatureFormat::single("X-Shopify-Hmac-Sha256", Encoding::Base64);
    Provider::new(
        "shopify",
        Scheme::new(Algorithm::HmacSha256, "{body}", signature),
    )
    .with_event_type(Locator::header("X-Shopify-Topic"))
    .with_delivery_id(Locator::header("X-Shopify-Webhook-Id"))
    .with_time_limit(Duration::from_secs(5))
    .with_docs("https://shopify.dev/docs/apps/build/webhooks/verify-deliveries")
}
