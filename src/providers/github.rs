//! GitHub repository, organisation and app webhooks.
//!
//! | | |
//! | --- | --- |
//! | signature | HMAC-SHA256 of the body, in hex after `sha256=`, in `X-Hub-Signature-256` |
//! | secret | the text from the webhook's settings |
//! | timestamp | none: a captured request stays valid forever |
//! | event type | header `X-GitHub-Event`, **not signed** |
//! | delivery id | header `X-GitHub-Delivery`, **not signed** |
//! | delivery key | the whole body: requests with equal bodies are one delivery, whatever their event type. `body+event-type` distinguishes them, but lets anybody who has captured a request have it handled again under another type |
//! | body limit | 25 MiB (GitHub sends up to 25 MB) |
//! | success | any 2xx within 10 seconds; failed deliveries are not retried automatically |
//!
//! The older SHA-1 header `X-Hub-Signature`, which GitHub still sends, is ignored.
//!
//! Documented: <https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries>,
//! whose example is a test vector here. Certain.

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
    let signature =
        SignatureFormat::single("X-Hub-Signature-256", Encoding::Hex).with_prefix("sha256=");
    Provider::new(
        "github",
        Scheme::signed(Algorithm::HmacSha256, "{body}", signature),
    )
    .with_event_type(Locator::header("X-GitHub-Event"))
    .with_delivery_id(Locator::header("X-GitHub-Delivery"))
    .with_time_limit(Duration::from_secs(10))
    .with_max_body(25 << 20)
    .with_older_signature("X-Hub-Signature")
    .with_distinct_bodies()
    .with_secret_look(SecretLook {
        prefix: None,
        others: &[
            ("ghp_", "a personal access token"),
            ("gho_", "an OAuth token"),
            ("ghs_", "an installation token"),
            ("ghu_", "a user token"),
            ("ghr_", "a refresh token"),
            ("github_pat_", "a personal access token"),
        ],
    })
    .with_docs("https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries")
}
