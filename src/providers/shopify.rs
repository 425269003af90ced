//! Shopify app and shop webhooks over HTTPS.
//!
//! | | |
//! | --- | --- |
//! | signature | HMAC-SHA256 of the body, in base64, in `X-Shopify-Hmac-SHA256` |
//! | secret | the app's client secret, as text |
//! | timestamp | none that is signed (`X-Shopify-Triggered-At` is not): a captured request stays valid forever |
//! | event type | header `X-Shopify-Topic`, **not signed**: a captured body can be replayed under another topic |
//! | delivery id | header `X-Shopify-Webhook-Id`, **not signed** |
//! | delivery key | the whole body: requests with equal bodies are one delivery, whatever their topic. `body+event-type` distinguishes them, but lets anybody who has captured a request have it handled again under another topic |
//! | success | any 2xx within 5 seconds; failed deliveries are retried 8 times within 4 hours |
//!
//! Documented: <https://shopify.dev/docs/apps/build/webhooks/verify-deliveries>. Certain.

use std::time::Duration;

use crate::{
    keys::suspicion::SecretLook,
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
        Scheme::signed(Algorithm::HmacSha256, "{body}", signature),
    )
    .with_event_type(Locator::header("X-Shopify-Topic"))
    .with_secret_look(SecretLook {
        prefix: None,
        others: &[
            ("shpat_", "an access token"),
            ("shpca_", "an access token"),
            ("shppa_", "the password of a private app"),
        ],
    })
    .with_delivery_id(Locator::header("X-Shopify-Webhook-Id"))
    .with_time_limit(Duration::from_secs(5))
    .with_docs("https://shopify.dev/docs/apps/build/webhooks/verify-deliveries")
}
