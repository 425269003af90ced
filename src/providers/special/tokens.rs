//! Providers that send JSON Web Tokens.

use std::time::Duration;

use crate::{
    keys::published::PublishedKeys,
    provider::Provider,
    scheme::{
        algorithm::Algorithm, definition::Scheme, encoding::Encoding, jwt::JwtFormat,
        locator::Locator, signature::SignatureFormat,
    },
};

const MINUTES_5: Duration = Duration::from_secs(5 * 60);

pub(super) fn vonage() -> Provider {
    let format = JwtFormat::header("Authorization")
        .with_prefix("Bearer ")
        .with_claim("iss", "Vonage")
        .with_param_claim("api_key", "api_key")
        .with_body_hash("payload_hash", Encoding::Hex)
        .with_max_age(MINUTES_5);
    Provider::new("vonage", Scheme::jwt(Algorithm::HmacSha256, format))
        .with_docs("https://developer.vonage.com/en/getting-started/concepts/webhooks")
}

pub(super) fn plaid() -> Provider {
    let format = JwtFormat::header("Plaid-Verification")
        .with_body_hash("request_body_sha256", Encoding::Hex)
        .with_max_age(MINUTES_5);
    Provider::new(
        "plaid",
        Scheme::jwt(Algorithm::EcdsaP256Sha256Fixed, format),
    )
    .with_docs("https://plaid.com/docs/api/webhooks/webhook-verification/")
    .with_published_keys(PublishedKeys::Api(
        "POST https://production.plaid.com/webhook_verification_key/get",
    ))
    .with_event_type(Locator::json("/webhook_code"))
    .with_alike_bodies()
}

pub(super) fn google_pubsub() -> Provider {
    let format = JwtFormat::header("Authorization")
        .with_prefix("Bearer ")
        .with_claim("iss", "https://accounts.google.com")
        .with_true_claim("email_verified")
        .with_param_claim("aud", "audience")
        .with_param_claim("email", "email")
        .with_required_claim("exp");
    Provider::new(
        "google-pubsub",
        Scheme::jwt(Algorithm::RsaPkcs1Sha256, format),
    )
    .with_docs("https://cloud.google.com/pubsub/docs/authenticate-push-subscriptions")
    .with_published_keys(PublishedKeys::Set(
        "https://www.googleapis.com/oauth2/v3/certs",
    ))
    .with_delivery_id(Locator::json("/message/messageId"))
    .with_max_body(16 << 20)
}

pub(super) fn netlify() -> Provider {
    let format = JwtFormat::header("X-Webhook-Signature")
        .with_claim("iss", "netlify")
        .with_body_hash("sha256", Encoding::Hex);
    Provider::new("netlify", Scheme::jwt(Algorithm::HmacSha256, format))
        .with_docs("https://docs.netlify.com/deploy/deploy-notifications/")
        .with_event_type(Locator::json("/state"))
        .with_delivery_id(Locator::json("/id"))
}

pub(super) fn fusionauth() -> Provider {
    let scheme = |algorithm| {
        let format = JwtFormat::header("X-FusionAuth-Signature-JWT")
            .with_body_hash("request_body_sha256", Encoding::Base64);
        Scheme::jwt(algorithm, format)
    };
    let others = [
        Algorithm::HmacSha384,
        Algorithm::HmacSha512,
        Algorithm::RsaPkcs1Sha256,
        Algorithm::RsaPkcs1Sha384,
        Algorithm::RsaPkcs1Sha512,
        Algorithm::EcdsaP256Sha256Fixed,
        Algorithm::EcdsaP384Sha384Fixed,
        Algorithm::EcdsaP521Sha512Fixed,
        Algorithm::Ed25519,
    ];
    let provider = Provider::new("fusionauth", scheme(Algorithm::HmacSha256));
    others
        .into_iter()
        .filter(|algorithm| algorithm.check_supported().is_ok())
        .fold(provider, |provider, algorithm| {
            provider.with_variant(algorithm.to_string(), scheme(algorithm))
        })
        .with_docs("https://fusionauth.io/docs/extend/events-and-webhooks/signing")
        .with_event_type(Locator::json("/event/type"))
        .with_delivery_id(Locator::json("/event/id"))
}

pub(super) fn messagebird_jwt() -> Provider {
    let scheme = |algorithm| {
        let format = JwtFormat::header("MessageBird-Signature-JWT")
            .with_claim("iss", "MessageBird")
            .with_required_claim("jti")
            .with_body_hash("payload_hash", Encoding::Hex)
            .or_empty_body()
            .with_url_hash("url_hash", Encoding::Hex)
            .with_leeway(Duration::from_secs(5));
        Scheme::jwt(algorithm, format)
    };
    Provider::new("messagebird-jwt", scheme(Algorithm::HmacSha256))
        .with_variant("hmac-sha384", scheme(Algorithm::HmacSha384))
        .with_variant("hmac-sha512", scheme(Algorithm::HmacSha512))
        .with_docs("https://developers.messagebird.com/api/#verifying-http-requests")
}

pub(super) fn qstash() -> Provider {
    let format = JwtFormat::header("Upstash-Signature")
        .with_claim("iss", "Upstash")
        .with_required_claim("exp")
        .with_body_hash("body", Encoding::Base64Url)
        .with_url_claim("sub")
        // A schedule sends the same body each time, and the id of the message is not signed.
        .by_token();
    Provider::new("qstash", Scheme::jwt(Algorithm::HmacSha256, format))
        .with_docs("https://upstash.com/docs/qstash/features/security")
        .with_delivery_id(Locator::header("Upstash-Message-Id"))
}

pub(super) fn lago() -> Provider {
    const MODE: &str = "X-Lago-Signature-Algorithm";
    let format = JwtFormat::header("X-Lago-Signature")
        .with_param_claim("iss", "issuer")
        .with_body_claim("data");
    let token = Scheme::jwt(Algorithm::RsaPkcs1Sha256, format).with_required_header(MODE, "jwt");
    let signature = SignatureFormat::single("X-Lago-Signature", Encoding::Base64);
    let hmac = Scheme::signed(Algorithm::HmacSha256, "{body}", signature)
        .with_required_header(MODE, "hmac");
    Provider::new("lago", token)
        .with_variant_name("jwt")
        .with_opt_in_variant("hmac", hmac)
        .with_selector("algorithm", &[("jwt", "jwt"), ("hmac", "hmac")])
        .with_docs("https://getlago.com/docs/api-reference/webhooks/format---signature")
        .with_event_type(Locator::json("/webhook_type"))
        .with_delivery_id(Locator::header("X-Lago-Unique-Key"))
}

pub(super) fn livekit() -> Provider {
    let format = JwtFormat::header("Authorization")
        .with_param_claim("iss", "api_key")
        .with_required_claim("exp")
        .with_body_hash("sha256", Encoding::Base64)
        .with_leeway(Duration::from_secs(10));
    Provider::new("livekit", Scheme::jwt(Algorithm::HmacSha256, format))
        .with_docs("https://docs.livekit.io/home/server/webhooks/")
        .with_event_type(Locator::json("/event"))
        .with_delivery_id(Locator::json("/id"))
}

pub(super) fn fireblocks_v2() -> Provider {
    let format = JwtFormat::header("Fireblocks-Webhook-Signature").detached();
    Provider::new(
        "fireblocks-v2",
        Scheme::jwt(Algorithm::RsaPkcs1Sha512, format),
    )
    .with_docs("https://developers.fireblocks.com/reference/validating-webhooks")
    .with_published_keys(PublishedKeys::Set(
        "https://keys.fireblocks.io/.well-known/jwks.json",
    ))
    .with_event_type(Locator::json("/type"))
}

pub(super) fn wix() -> Provider {
    Provider::new(
        "wix",
        Scheme::jwt(Algorithm::RsaPkcs1Sha256, JwtFormat::body()),
    )
    .with_docs("https://dev.wix.com/docs/rest/articles/getting-started/webhooks")
}
