//! The built-in providers.
//!
//! Each provider is plain data, and its function says how it signs, what to watch for, and how that
//! is known. Some have a module with more, such as typed events.
//!
//! # Finding a provider
//!
//! The [table of providers](crate::guide::providers) has all of them, by category. In code:
//!
//! ```
//! use tower_webhook::providers;
//!
//! let paystack = providers::by_name("paystack").unwrap();
//! assert_eq!(paystack.name(), providers::paystack().name());
//! assert!(providers::names().any(|name| name == "voveid"));
//!
//! // An alias is as good as the name.
//! assert_eq!(providers::by_name("whatsapp").unwrap().name(), "meta");
//!
//! // The one that is called so comes first.
//! let found: Vec<_> = providers::find("hubspot").map(|known| known.name()).collect();
//! assert_eq!(found, ["hubspot-v3", "hubspot-v1", "hubspot-v2"]);
//! ```

use crate::provider::Provider;
pub use crate::provider::evidence::Evidence;

#[cfg(feature = "identity")]
#[macro_use]
mod typed;

pub mod authenteq;
pub mod authento;
pub mod blockpass;
#[macro_use]
mod catalogue;
pub mod complycube;
pub mod didit;
pub mod github;
mod handshakes;
pub mod idenfy;
pub mod kycaid;
pub mod metamap;
pub mod onfido;
pub mod persona;
pub mod plaid;
pub mod shopify;
pub mod shufti_pro;
pub mod slack;
mod special;
pub mod standard_webhooks;
pub mod stripe;
pub mod sumsub;
pub mod svix;
pub mod veriff;
pub mod voveid;

use self::{
    catalogue::{
        FACTS, FILES,
        entry::{Entry, Facts},
        unsupported::{UNSUPPORTED, UNSUPPORTED_FACTS},
    },
    special::{SPECIAL, SPECIAL_FACTS},
};
pub use self::{
    catalogue::{entry::Known, *},
    special::{
        adyen, apple_assn, aws_sns, braintree, connectwise, contentful, didit_v2, ebay,
        fireblocks_v2, fusionauth, google_pubsub, inngest, lago, livekit, mailchannels, mandrill,
        messagebird_jwt, netlify, nowpayments, paddle_classic, paypal, plaid, plivo_v3, qstash,
        rfc9421, truelayer, twilio, vonage, wix,
    },
};

/// Defines the constructors and the list of the providers that have modules.
macro_rules! with_modules {
    ($(
        $module:ident = $name:literal $(or $alias:literal)* {
            title: $title:literal,
            group: $group:literal,
            docs: $docs:literal,
            evidence: $evidence:ident,
            signs: $signs:literal,
            headers: [$($header:literal),*],
            window: $window:literal,
            $(handshake: $handshake:ident $asked:literal,)?
        }
    )+) => {
        $(
            #[doc = concat!($title, ": ", $signs, ". See the [module](mod@", stringify!($module), ").")]
            #[must_use]
            pub fn $module() -> Provider {
                $module::provider().named($name).with_evidence(Evidence::$evidence)
                    $(.with_handshake(&handshakes::$handshake))?
            }
        )+

        static WITH_MODULES: &[Entry] = &[$(
            Entry {
                name: $name,
                aliases: &[$($alias),*],
                provider: Ok($module),
            },
        )+];

        /// The signature headers of the providers that have modules, which tell where a request
        /// comes from, without those that many vendors use. As constants they bring nothing else
        /// of these providers into a program.
        pub(crate) static SIGNATURE_HEADERS: &[(&str, &str)] = &[$($(($header, $name),)*)+];

        static WITH_MODULES_FACTS: &[Facts] = &[$(
            Facts {
                title: $title,
                group: $group,
                docs: Some($docs),
                evidence: Evidence::$evidence,
                signs: $signs,
                window: $window,
                handshake: concat!($($asked)?),
                pitfalls: concat!("See the [module](crate::providers::", stringify!($module), ")."),
            },
        )+];
    };
}

with_modules! {
    authenteq = "authenteq" {
        title: "Authenteq",
        group: "Identity verification",
        docs: "https://docs.authenteq.com",
        evidence: Assumed,
        signs: "HMAC-SHA256 of the body, or SHA-256 of `{body}{secret}`, in hex, in header `X-SIGNATURE`",
        headers: [],
        window: "unlimited",
    }

    authento = "authento" {
        title: "Authento",
        group: "Identity verification",
        docs: "https://authento.gitbook.io/authento-api",
        evidence: Assumed,
        signs: "HMAC-SHA256 of the body, or SHA-256 of `{body}{secret}`, in hex or base64, in header `X-PAYLOAD-DIGEST`",
        headers: ["X-PAYLOAD-DIGEST"],
        window: "unlimited",
    }

    github = "github" {
        title: "GitHub",
        group: "Code and operations",
        docs: "https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries",
        evidence: Ran,
        signs: "HMAC-SHA256 of the body, in hex after `sha256=`, in header `X-Hub-Signature-256`",
        headers: ["X-Hub-Signature-256"],
        window: "unlimited",
    }

    idenfy = "idenfy" {
        title: "iDenfy",
        group: "Identity verification",
        docs: "https://documentation.idenfy.com/security/CallbackSigning",
        evidence: Documented,
        signs: "HMAC-SHA256 of the body, in hex, in header `Idenfy-Signature`",
        headers: ["Idenfy-Signature"],
        window: "unlimited",
    }

    shopify = "shopify" {
        title: "Shopify",
        group: "Commerce",
        docs: "https://shopify.dev/docs/apps/build/webhooks/verify-deliveries",
        evidence: Ran,
        signs: "HMAC-SHA256 of the body, in base64, in header `X-Shopify-Hmac-Sha256`",
        headers: ["X-Shopify-Hmac-Sha256"],
        window: "unlimited",
    }

    slack = "slack" {
        title: "Slack",
        group: "Messaging and social media",
        docs: "https://docs.slack.dev/authentication/verifying-requests-from-slack",
        evidence: Ran,
        signs: "HMAC-SHA256 of `v0:{ts}:{body}`, in hex after `v0=`, in header `X-Slack-Signature`",
        headers: ["X-Slack-Signature"],
        window: "5 minutes",
        handshake: SLACK "a signed `url_verification`, whose challenge is repeated as text, and `GET` with `ssl_check=1` in the query, answered by an empty 200",
    }

    standard_webhooks = "standard-webhooks" {
        title: "Standard Webhooks",
        group: "Infrastructure and security",
        docs: "https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md",
        evidence: Ran,
        signs: "HMAC-SHA256 or Ed25519 of `{header:webhook-id}.{ts}.{body}`, in base64 after `v1,` or `v1a,`, in a list, in header `webhook-signature`",
        headers: ["webhook-signature"],
        window: "5 minutes",
    }

    stripe = "stripe" or "stripe-connect" or "stripe-identity" {
        title: "Stripe",
        group: "Payments",
        docs: "https://docs.stripe.com/webhooks#verify-manually",
        evidence: Ran,
        signs: "HMAC-SHA256 of `{ts}.{body}`, in hex, in each field `v1`, in header `Stripe-Signature`",
        headers: ["Stripe-Signature"],
        window: "5 minutes",
    }

    svix = "svix" {
        title: "Svix",
        group: "Infrastructure and security",
        docs: "https://docs.svix.com/receiving/verifying-payloads/how-manual",
        evidence: Ran,
        signs: "HMAC-SHA256 or Ed25519 of `{header:svix-id}.{ts}.{body}`, in base64 after `v1,` or `v1a,`, in a list, in header `svix-signature`",
        headers: ["svix-signature", "webhook-signature"],
        window: "5 minutes",
    }

    voveid = "voveid" {
        title: "VOVE ID",
        group: "Identity verification",
        docs: "https://docs.voveid.com",
        evidence: Documented,
        signs: "as Svix",
        headers: ["svix-signature", "webhook-signature"],
        window: "5 minutes",
    }
}

/// All entries, supported or not.
fn entries() -> impl Iterator<Item = &'static Entry> {
    let files = FILES.iter().copied().flatten();
    WITH_MODULES
        .iter()
        .chain(files)
        .chain(SPECIAL)
        .chain(UNSUPPORTED)
}

/// Whether a provider with a module has this name.
#[cfg(feature = "config")]
pub(crate) fn has_module(name: &str) -> bool {
    WITH_MODULES.iter().any(|entry| entry.name == name)
}

/// The built-in provider with this name or alias, or `None` if there is none.
///
/// The names are those of the [table](crate::guide::providers).
#[must_use]
pub fn by_name(name: &str) -> Option<Provider> {
    let build = entries().find(|entry| entry.is(name))?.provider.ok()?;
    Some(build())
}

/// The names of the built-in providers, without aliases, in alphabetical order.
pub fn names() -> impl Iterator<Item = &'static str> {
    let supported = entries().filter(|entry| entry.provider.is_ok());
    let mut names: Vec<&str> = supported.map(|entry| entry.name).collect();
    names.sort_unstable();
    names.into_iter()
}

/// What is known of all providers, in the order of their names, including those that are
/// [not supported](Known::unsupported).
pub fn all() -> impl Iterator<Item = Known> {
    let files = FACTS.iter().copied().flatten();
    let facts = WITH_MODULES_FACTS.iter().chain(files);
    let facts = facts.chain(SPECIAL_FACTS).chain(UNSUPPORTED_FACTS);
    let all = entries().zip(facts);
    let mut all: Vec<Known> = all.map(|(entry, facts)| Known { entry, facts }).collect();
    all.sort_unstable_by_key(Known::name);
    all.into_iter()
}

/// What is known of the providers whose name, alias or title contains `text`, in either case and
/// with spaces or underscores for hyphens. Those whose name or alias is `text` come first.
pub fn find(text: &str) -> impl Iterator<Item = Known> {
    let text = text.to_lowercase();
    let name = text.replace([' ', '_'], "-");
    let mut found: Vec<Known> = all()
        .filter(|known| known.contains(&text) || known.contains(&name))
        .collect();
    found.sort_by_key(|known| !known.entry.is(&name));
    found.into_iter()
}

/// What is wrong with `name`, and the built-in provider to use: the one whose name has a typing
/// error or another case. For a sender that is not supported, the reason.
#[cfg(feature = "config")]
pub(crate) fn instead_of(name: &str) -> Option<String> {
    let wanted = name.to_lowercase().replace('_', "-");
    if let Some(entry) = entries().find(|entry| entry.is(&wanted)) {
        return Some(match entry.provider {
            Err(reason) => format!("is not supported yet: {reason}"),
            Ok(_) => format!("is unknown; did you mean {wanted:?}?"),
        });
    }
    let mut known = entries().filter(|entry| entry.provider.is_ok());
    let meant = known.find(|entry| is_slip(&wanted, entry.name))?.name;
    Some(format!("is unknown; did you mean {meant:?}?"))
}

/// Whether `text` is `name` with one wrong, missing, doubled or transposed letter, without its
/// hyphens, or broken off.
#[cfg(feature = "config")]
fn is_slip(text: &str, name: &str) -> bool {
    const LONG_ENOUGH: usize = 5;
    const BEGINNING: usize = 4;
    let (text, name) = (text.replace('-', ""), name.replace('-', ""));
    let near = name.len() >= LONG_ENOUGH && strsim::osa_distance(&text, &name) <= 1;
    let begun = text.len() >= BEGINNING && name.starts_with(&text);
    text == name || near || begun
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Constants cannot be computed from the descriptions, so they are compared.
    #[test]
    fn the_signature_headers_are_those_of_the_providers() {
        let supported = WITH_MODULES.iter();
        let supported = supported.filter_map(|entry| Some((entry.name, entry.provider.ok()?())));
        let expected: Vec<(String, &str)> = supported
            .flat_map(|(name, provider)| {
                let headers: Vec<String> = provider.signature_headers().collect();
                headers.into_iter().map(move |header| (header, name))
            })
            .filter(|(header, _)| !header.eq_ignore_ascii_case("x-signature"))
            .collect();
        let listed = SIGNATURE_HEADERS.iter();
        let listed: Vec<_> = listed
            .map(|(header, name)| ((*header).to_owned(), *name))
            .collect();
        assert_eq!(listed, expected);
    }
}
