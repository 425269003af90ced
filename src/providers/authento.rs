//! Authento: identity verification of persons and companies, linked to wallet addresses or
//! accounts.
//!
//! | | |
//! | --- | --- |
//! | signature | one of two variants over the body, see below; hex or base64, in `X-PAYLOAD-DIGEST` |
//! | secret | the webhook secret from the dashboard's settings, as text |
//! | timestamp | no separate one; `timeCreated` is part of the signed body, see [`Event::created_at`] |
//! | event type | `/event` in the body |
//! | delivery id | none |
//! | delivery key | the whole body |
//! | success | not documented, and neither is a time limit |
//! | retries | no automatic ones, as far as is known: failed deliveries are listed in the dashboard and resent by hand |
//!
//! # Signature variants
//!
//! **Uncertain.** Authento's page describes the digest as the SHA-256 of the raw payload, and says
//! elsewhere that a webhook secret is used to calculate it. The two statements are incomplete or
//! contradict each other. The page shows no code, and no genuine delivery was available. There are
//! therefore three variants:
//!
//! | variant | digest | |
//! | --- | --- | --- |
//! | `hmac-sha256` | HMAC-SHA256 of the body | uses the secret, and is how Authento signs its API calls |
//! | `sha256-body-secret` | SHA-256 of the body followed by the secret | both statements, taken literally |
//! | `unauthenticated-sha256` | SHA-256 of the body | the first statement, taken literally |
//!
//! By default, a request is accepted under either of the first two variants, and `event.variant()`
//! returns the one that matched. **Once you have seen a genuine delivery, fix the variant** with
//! [`select_variant`](Provider::select_variant), or `variant` in the configuration.
//!
//! **The third variant proves nothing about the sender, because anybody can compute it.** It is
//! accepted only if you select it by name, and a warning is logged at startup. If Authento turns
//! out to use it, treat an event as no more than a hint, and ask Authento's API before you act on
//! it.
//!
//! The encoding is not documented either. Hex (in either case) and base64 are distinguished by
//! length.
//!
//! # Pitfalls
//!
//! - Sumsub also uses the header `X-Payload-Digest`. The provider comes from the configuration; it
//!   is never detected from the headers.
//! - The page spells two events `ADDRRESS_LINKED` and `ADDRRESS_UNLINKED`. The correct spelling is
//!   accepted too.
//! - Older examples write statuses and types in lower case, and `company` for `CORPORATE`. These
//!   spellings are accepted too, and so are event names in lower case or camel case.
//! - The verification of a company uses the same events as that of a person. It has no
//!   [`Identity`](crate::Identity).
//! - `status.poa`, the proof of address, may be missing. `userIdentifier` is your own id only in
//!   the account-based flow.
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
        Scheme::signed(algorithm, signed, signature)
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
