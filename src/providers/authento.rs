//! Authento: identity verification of persons and companies, tied to wallet addresses or accounts.
//!
//! | | |
//! | --- | --- |
//! | signs | one of two variants over the body, see below; header `X-PAYLOAD-DIGEST`, hex or base64 |
//! | secret | the webhook secret from the dashboard's settings, as text |
//! | timestamp | none that is signed apart; `timeCreated` stands in the body, see [`Event::created_at`] |
//! | event type | `/event` in the body |
//! | delivery id | none |
//! | delivery key | the whole body |
//! | success | not stated; nor is a time limit |
//! | retries | none by itself, as far as known: a failed delivery is in the dashboard's log and sent again by hand |
//!
//! # How it signs, and how sure that is
//!
//! **Not settled.** Authento's page gives a recipe, the SHA-256 digest of the raw payload, and says elsewhere that a webhook
//! secret is used to calculate the digest. Both cannot be the whole truth. It shows no code, and no delivery has been
//! seen. So there are three variants:
//!
//! | variant | digest | |
//! | --- | --- | --- |
//! | `hmac-sha256` | HMAC-SHA256 of the body | gives the secret its purpose, and is how Authento signs its API calls |
//! | `sha256-body-secret` | SHA-256 of body, then secret | both sentences at once |
//! | `unauthenticated-sha256` | SHA-256 of the body | the recipe as it stands |
//!
//! Unless told, a request under either of the first two is accepted. `event.variant()` says which it was: **once you
//! have seen a genuine delivery, fix it**, with [`select_variant`](Provider::select_variant) or `variant` in
//! the configuration.
//!
//! **The third proves nothing about who sent a request; anybody can compute it.** It counts only when it is named so, and a
//! warning at the start says it again. If Authento turns out to send that, take an event for no more than a hint, and
//! ask Authento's API before anything depends on it.
//!
//! The encoding is not documented either. Hex in either case and base64 are told apart by their length.
//!
//! # Pitfalls
//!
//! - `X-Payload-Digest` is Sumsub's header, too. A provider is configured, and never told by its headers.
//! - The page spells two events `ADDRRESS_LINKED` and `ADDRRESS_UNLINKED`. The right spelling is read as the same.
//! - Older examples write statuses and types in lower case, and `company` for `CORPORATE`. They are read as the same, and so are
//!   events in lower case or camel case.
//! - A company's verification gives an [`Identity`] as a person's does, since it comes as the same event. Look at
//!   [`Event::user_type`] where that matters.
//! - `status.poa`, the proof of address, may be missing, and `userIdentifier` is yours only in the account-based flow.
//!
//! Documented: <https://authento.gitbook.io/authento-api> (webhooks, basic and full user info).
#![cfg_attr(feature = "identity", doc = "", doc = include_str!("authento/event.md"))]

use crate::{
    delivery_key::DeduplicateBy,
    provider::Provider,
    scheme::{
        algorithm::Algorithm, definition::Scheme, encoding::Encoding, locator::Locator,
        signature::SignatureFormat,
    },
};

#[cfg(feature = "identity")]
mod event;

#[cfg(feature = "identity")]
pub use self::event::*;

pub(super) fn provider() -> Provider {
    let scheme = |algorithm, signed: &'static str| {
        let signature = SignatureFormat::single("X-PAYLOAD-DIGEST", Encoding::HexOrBase64);
        Scheme::new(algorithm, signed, signature)
    };
    let provider = Provider::new("authento", scheme(Algorithm::HmacSha256, "{body}"))
        .with_variant(
            "sha256-body-secret",
            scheme(Algorithm::Sha256, "{body}{secret}"),
        )
        .with_opt_in_variant(
            "unauthenticated-sha256",
            scheme(Algorithm::UnauthenticatedSha256, "{body}"),
        )
        .with_event_type(Locator::json("/event"))
        .with_deduplicate_by(DeduplicateBy::Body)
        .with_docs("https://authento.gitbook.io/authento-api");
    #[cfg(feature = "identity")]
    let provider = provider.with_identity(identity);
    provider
}
