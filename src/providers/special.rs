//! Providers whose way of signing no description holds: one file each, behind one trait.

mod adyen;
mod apple;
mod braintree;
mod canonical;
mod connectwise;
mod contentful;
mod ebay;
mod escape;
mod fields;
mod mandrill;
mod messages;
mod paddle_classic;
mod paypal;
mod plivo;
mod sns;
mod tokens;
mod truelayer;
mod twilio;

use crate::{
    crypto::encoding::encode,
    provider::{Provider, evidence::Evidence},
    providers::{
        catalogue::entry::{Entry, Facts},
        handshakes,
    },
    rejection::{Reason, kind::RejectionKind},
    scheme::{
        encoding::Encoding,
        special::{Draft, SpecialScheme},
    },
};

/// Signs a draft with the only content that a receiver reads from it, in a header.
fn sign_with_header(
    scheme: &dyn SpecialScheme,
    draft: &mut Draft<'_>,
    header: &'static str,
    encoding: Encoding,
) -> Result<(), String> {
    let content = draft.content(scheme)?;
    let signature = encode(encoding, &(draft.key)(&content)?);
    draft.set(header, &signature)
}

/// The refusal of a header that has a signature in a form of its own, which this value is not.
fn malformed_signature(header: &'static str, value: &str) -> Reason {
    let reason = Reason::new(RejectionKind::MalformedSignature);
    reason.with_value_length(value.len()).about(&header.into())
}

/// Defines the constructors and the list of these providers.
macro_rules! specials {
    (@build canonical $function:ident) => { canonical::$function() };
    (@build messages $function:ident) => { messages::$function() };
    (@build tokens $function:ident) => { tokens::$function() };
    (@build $module:ident $function:ident) => { $module::provider() };
    ($(
        $function:ident = $name:literal $(or $alias:literal)* in $module:ident {
            title: $title:literal,
            group: $group:literal,
            docs: $docs:literal,
            evidence: $evidence:ident,
            signs: $signs:literal,
            secret: $secret:literal,
            window: $window:literal,
            $(params: $params:literal,)?
            $(handshake: $handshake:ident $asked:literal,)?
            pitfalls: $pitfalls:literal,
            $(module: $events:ident,)?
        }
    )+) => {
        $(
            #[doc = concat!($title, ".")]
            #[doc = ""]
            #[doc = concat!("- Signature: ", $signs, ".")]
            #[doc = concat!("- Secret: ", $secret, ".")]
            #[doc = concat!("- Replay window: ", $window, ".")]
            $(#[doc = concat!("- Parameters: ", $params, ".")])?
            $(#[doc = concat!("- Handshake: ", $asked, ".")])?
            #[doc = concat!("- Evidence: ", evidence_words!($evidence), ".")]
            #[doc = concat!("- Source: <", $docs, ">.")]
            #[doc = ""]
            #[doc = $pitfalls]
            $(
                #[doc = ""]
                #[doc = concat!(
                    "Its events have types, in the [module](mod@crate::providers::", stringify!($events), ")."
                )]
            )?
            #[must_use]
            pub fn $function() -> Provider {
                let provider = specials!(@build $module $function);
                let provider = provider.named($name).with_evidence(Evidence::$evidence);
                $(let provider = provider.with_handshake(&handshakes::$handshake);)?
                $(let provider = $crate::providers::$events::with_events(provider);)?
                provider
            }
        )+

        pub(in crate::providers) static SPECIAL: &[Entry] = &[$(
            Entry {
                name: $name,
                aliases: &[$($alias),*],
                provider: Ok($function),
            },
        )+];

        pub(in crate::providers) static SPECIAL_FACTS: &[Facts] = &[$(
            Facts {
                title: $title,
                group: $group,
                docs: Some($docs),
                evidence: Evidence::$evidence,
                signs: $signs,
                window: $window,
                handshake: concat!($($asked)?),
                pitfalls: $pitfalls,
            },
        )+];
    };
}

specials! {
    adyen = "adyen" in adyen {
        title: "Adyen (payments, standard notifications)",
        group: "Payments",
        docs: "https://docs.adyen.com/development-resources/webhooks/verify-hmac-signatures/",
        evidence: Ran,
        signs: "HMAC-SHA256 of eight fields of each item, in base64, in `additionalData.hmacSignature` of the item",
        secret: "the HMAC key of the webhook, in hex",
        window: "unlimited",
        handshake: ADYEN "every event is answered by the text `[accepted]`, which older accounts require",
        pitfalls: "Of each item, only `pspReference`, `originalReference`, `merchantAccountCode`, `merchantReference`, \
            `amount`, `eventCode` and `success` are signed, so the endpoint has to set \
            `accept_unsigned_body`: whoever has seen a request can \
            change everything else, and can send one of its items alone. A request is one event: \
            `VerifiedEvent::items` has its items, all of which are verified. One without \
            items is refused, and so is one with an item twice. Handle an item once by `pspReference`, `eventCode` and \
            `success`.",
    }

    apple_assn = "apple-assn" or "app-store" or "apple" in apple {
        title: "Apple App Store Server Notifications (V2)",
        group: "Commerce",
        docs: "https://developer.apple.com/documentation/appstoreservernotifications/responsebodyv2",
        evidence: Ran,
        signs: "a JSON Web Signature, `ES256`, with the chain of its certificates, in `signedPayload`",
        secret: "none: every notification has the certificates of its key, which have to lead to Apple's root",
        window: "unlimited; an endpoint may set a tolerance for `signedDate`",
        params: "`bundle_id`; `environment`: `Production` or `Sandbox`; `app_apple_id`: the number of the app, which \
            production needs; `roots`: other root certificates than Apple Root CA - G3",
        pitfalls: "It needs the feature `certificates`. The certificates are judged at the time of the request; whether \
            one was revoked is not asked. `VerifiedEvent::message` is the payload. What is signed once more \
            in it, such as `signedTransactionInfo`, is covered by its signature. `notificationUUID` identifies an event.",
    }

    aws_sns = "aws-sns" or "amazon-sns" or "sns" in sns {
        title: "AWS SNS",
        group: "Infrastructure and security",
        docs: "https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html",
        evidence: Ran,
        signs: "RSA of sorted fields of the body, with SHA-256 (variant `version-2`) or SHA-1 (`version-1`), in base64, in \
            `Signature`",
        secret: "none, if `remote_keys` fetches the certificate at `SigningCertURL`; or that certificate as public key, whose \
            `id`, if it has one, is the URL",
        window: "unlimited; an endpoint may set a tolerance for `Timestamp`",
        params: "`topic_arn`: the ARN of the topic",
        handshake: AWS_SNS "signed confirmations of a subscription and of its end, which are handed over as a \
            `HandshakeEvent` with topic, token and address: call `ConfirmSubscription` with the first two, or `GET` the \
            address",
        pitfalls: "It needs the feature `certificates`. Everybody can have messages of their own topics signed, so \
            `topic_arn` is required. `UnsubscribeURL` and `MessageAttributes` are not signed, so the endpoint has to set \
            `accept_unsigned_body`. With raw message delivery nothing is signed, and every request is refused. \
            `VerifiedEvent::message` is the text of `Message`. A topic signs with version 1 until its \
            attribute `SignatureVersion` is 2.",
    }

    braintree = "braintree" in braintree {
        title: "Braintree",
        group: "Payments",
        docs: "https://developer.paypal.com/braintree/docs/guides/webhooks/parse",
        evidence: Ran,
        signs: "HMAC-SHA1 of the form field `bt_payload` under the SHA-1 of the secret, in hex, in the form field \
            `bt_signature` behind the public key",
        secret: "the private key of the API",
        window: "unlimited",
        params: "`public_key`: the public key of the API, which has to be next to the signature",
        handshake: BRAINTREE "`GET` with `bt_challenge` in the query, answered with `public_key` and a MAC of it under the \
            secret. Only 20 to 32 digits of lower-case hex are answered, and no payload of that form is accepted",
        pitfalls: "The payload is XML in base64, and its kind is in there. A body with any other field is refused, since \
            nothing would prove it.",
    }

    connectwise = "connectwise" in connectwise {
        title: "ConnectWise PSA",
        group: "Customers and support",
        docs: "https://developer.connectwise.com/Best_Practices/PSA_Callbacks",
        evidence: Reported,
        signs: "HMAC-SHA256 of the body, in base64, in header `x-content-signature`",
        secret: "the signing key, of which the key is the SHA-256; or `remote_keys` fetches it at the address that the body \
            names in `/Metadata/key_url`",
        window: "unlimited",
        params: "`key_url`, for `remote_keys`: the address of the key in genuine requests, or its beginning up to the last slash",
        pitfalls: "A body may name only the address that `key_url` allows, or one segment below it. The vendor has many \
            customers on one host, so set as much of the path as is the same in your requests: a shorter one lets another \
            customer's key pass, if the vendor has it there.",
    }

    contentful = "contentful" in contentful {
        title: "Contentful",
        group: "Content, media and AI",
        docs: "https://www.contentful.com/developers/docs/webhooks/request-verification/",
        evidence: Ran,
        signs: "HMAC-SHA256 of the method, the path with its query, the headers listed in `x-contentful-signed-headers`, and \
            the body, in hex, in header `x-contentful-signature`",
        secret: "64 characters",
        window: "30 seconds",
        pitfalls: "Signing is opt-in. The path is that of the request as the layer sees it, so the layer has to be outside \
            of what changes it, such as `nest` of axum.",
    }

    ebay = "ebay" in ebay {
        title: "eBay",
        group: "Commerce",
        docs: "https://developer.ebay.com/api-docs/commerce/notification/overview.html",
        evidence: Documented,
        signs: "ECDSA on P-256 with SHA-1 of the body, in header `X-EBAY-SIGNATURE`, which is JSON in base64",
        secret: "none; the vendor's public keys, each under its id, with the feature `more-ecdsa`",
        window: "unlimited",
        handshake: EBAY "`GET` with `challenge_code` in the query, answered with the SHA-256 of it, of \
            `verification_token` and of `url`, the address as registered",
        pitfalls: "The header names the key. The vendor's API has it, for a token of the application: \
            `GET /commerce/notification/v1/public_key/{id}`, which the application calls in `RemoteKeys::by_id`. The \
            vendor's library verifies the body as it serialises it again, which is the same as long as the vendor sends \
            compact JSON.",
    }

    didit_v2 = "didit-v2" in canonical {
        title: "Didit (X-Signature-V2)",
        group: "Identity verification",
        docs: "https://docs.didit.me",
        evidence: Assumed,
        signs: "HMAC-SHA256 of the body written anew, with sorted names, in hex, in header `X-Signature-V2`; also with the \
            value of `X-Timestamp` and a colon in front of it",
        secret: "the secret of the webhook, as text",
        window: "5 minutes, by `/timestamp` in the body",
        pitfalls: "The vendor's texts disagree on whether the time is signed as well, so both readings are accepted, and neither is \
            known from a request of the vendor: prefer `didit-raw`. A body in which a name occurs twice is refused. \
            `/environment` other than `live` is a test.",
        module: didit,
    }

    fireblocks_v2 = "fireblocks-v2" in tokens {
        title: "Fireblocks (webhooks v2, JWKS)",
        group: "Digital assets",
        docs: "https://developers.fireblocks.com/reference/validating-webhooks",
        evidence: Documented,
        signs: "a detached JSON Web Signature of the body, `RS512`, in header `Fireblocks-Webhook-Signature`",
        secret: "the public keys of the vendor, as PEM or as the set of <https://keys.fireblocks.io/.well-known/jwks.json>, \
            which `remote_keys` fetches",
        window: "unlimited",
        pitfalls: "The older header, of `fireblocks`, is sent beside it while accounts move. Accounts in Europe and the \
            sandbox have other sets: `remote_keys = \"https://eu-keys.fireblocks.io/.well-known/jwks.json\"`.",
    }

    fusionauth = "fusionauth" in tokens {
        title: "FusionAuth",
        group: "Accounts and people",
        docs: "https://fusionauth.io/docs/extend/events-and-webhooks/signing",
        evidence: Reported,
        signs: "a JSON Web Token with the SHA-256 of the body, in header `X-FusionAuth-Signature-JWT`",
        secret: "a shared secret (`HS256`, `HS384`, `HS512`), or public keys (`RS256`, `RS384`, `RS512`, `ES256`, `ES384`, \
            `EdDSA`, and `ES512` with the feature `more-ecdsa`): the key decides on the algorithm",
        window: "unlimited",
        pitfalls: "`variant` selects one algorithm. Your FusionAuth publishes its public keys: \
            `remote_keys = \"https://HOST/.well-known/jwks.json\"`.",
    }

    google_pubsub = "google-pubsub" or "pubsub" in tokens {
        title: "Google Pub/Sub push",
        group: "Infrastructure and security",
        docs: "https://cloud.google.com/pubsub/docs/authenticate-push-subscriptions",
        evidence: Reported,
        signs: "a JSON Web Token, `RS256`, in header `Authorization`; nothing of the body",
        secret: "the public keys of Google, as PEM or as the set of <https://www.googleapis.com/oauth2/v3/certs>, which \
            `remote_keys` fetches",
        window: "until the token expires, at most an hour",
        params: "`audience` and `email`: those of the push subscription",
        pitfalls: "The token proves the sender and covers nothing of the request, so the endpoint has to set \
            `accept_unsigned_body`: whoever has seen a request can \
            send any other while the token is valid. Google changes its keys every few weeks, so they \
            are better fetched than configured. Gmail and Google Play send \
            in this way. Data are in base64, in `/message/data`.",
    }

    inngest = "inngest" in canonical {
        title: "Inngest",
        group: "Infrastructure and security",
        docs: "https://www.npmjs.com/package/inngest",
        evidence: Documented,
        signs: "HMAC-SHA256 of the body in canonical form (RFC 8785) and of the time, in hex, in the field `s` of header \
            `x-inngest-signature`",
        secret: "the signing key, with `signkey-prod-` or without it",
        window: "5 minutes",
        pitfalls: "A body in which a name occurs twice is refused, and so is one with a number of which a double loses digits: \
            the canonical form would not show them. The library of the vendor accepts both.",
    }

    lago = "lago" in tokens {
        title: "Lago",
        group: "Billing and accounting",
        docs: "https://getlago.com/docs/api-reference/webhooks/format---signature",
        evidence: Reported,
        signs: "a JSON Web Token that contains the body, `RS256`, or HMAC-SHA256 of the body, in base64 (variant `hmac`), in \
            header `X-Lago-Signature`",
        secret: "the public key of the organisation, or its HMAC key",
        window: "unlimited",
        params: "`issuer`: the URL of the API of your Lago; `algorithm`: `jwt` or `hmac`, as `variant`",
        pitfalls: "The unique key of a webhook is in a header that is not signed.",
    }

    livekit = "livekit" in tokens {
        title: "LiveKit",
        group: "Content, media and AI",
        docs: "https://docs.livekit.io/home/server/webhooks/",
        evidence: Ran,
        signs: "a JSON Web Token with the SHA-256 of the body, `HS256`, in header `Authorization`",
        secret: "the API secret",
        window: "until the token expires",
        params: "`api_key`: the API key",
        pitfalls: "The header has no scheme such as `Bearer`.",
    }

    mailchannels = "mailchannels" in messages {
        title: "MailChannels",
        group: "E-mail, forms and documents",
        docs: "https://docs.mailchannels.net/email-api/advanced/delivery-events/#verifying-message-signatures",
        evidence: Documented,
        signs: "an HTTP message signature (RFC 9421) of `Content-Digest`, Ed25519",
        secret: "none; the vendor's public keys, from `/tx/v1/webhook/public-key?id=…` of its API, with the features \
            `asymmetric` and `message-signatures`",
        window: "5 minutes",
        pitfalls: "The signature names its key: give each public key its id, or look keys up with a \
            [key source](crate::keys). A body is an array of up to 1000 events.",
    }

    mandrill = "mandrill" or "mailchimp-transactional" in mandrill {
        title: "Mailchimp Transactional (Mandrill)",
        group: "E-mail, forms and documents",
        docs: "https://mailchimp.com/developer/transactional/guides/track-respond-activity-webhooks/",
        evidence: Reported,
        signs: "HMAC-SHA1 of the URL and the sorted fields of the form, in base64, in header `X-Mandrill-Signature`",
        secret: "the key of the webhook",
        window: "unlimited",
        params: "`url`: the URL of the webhook as registered, or `url_from`: as for [`twilio`]",
        handshake: MANDRILL "`HEAD`, and a form with an empty list of events that is signed with the key `test-webhook`, both \
            answered by an empty 200",
        pitfalls: "The events are a JSON array in the form field `mandrill_events`. Nothing separates names from values, so \
            whoever has seen a request can move letters from the one to the other.",
    }

    messagebird_jwt = "messagebird-jwt" or "bird" or "messagebird" in tokens {
        title: "Bird / MessageBird (JWT)",
        group: "Messaging and social media",
        docs: "https://developers.messagebird.com/api/#verifying-http-requests",
        evidence: Ran,
        signs: "a JSON Web Token with the SHA-256 of the URL and of the body, `HS256`, `HS384` or `HS512`, in header \
            `MessageBird-Signature-JWT`",
        secret: "the signing key",
        window: "until the token expires",
        params: "`url`: the URL of the webhook as registered, with its query",
        pitfalls: "The token vouches for the registered URL, and the query of the request is not compared with it.",
    }

    netlify = "netlify" in tokens {
        title: "Netlify",
        group: "Code and operations",
        docs: "https://docs.netlify.com/deploy/deploy-notifications/",
        evidence: Reported,
        signs: "a JSON Web Token with the SHA-256 of the body, `HS256`, in header `X-Webhook-Signature`",
        secret: "the JWS secret token of the notification",
        window: "unlimited",
        pitfalls: "Signing is opt-in.",
    }

    nowpayments = "nowpayments" in canonical {
        title: "NOWPayments",
        group: "Payments",
        docs: "https://nowpayments.zendesk.com/hc/en-us/articles/21395546303389-IPN-and-how-to-setup",
        evidence: Reported,
        signs: "HMAC-SHA512 of the body written anew, with sorted names, in hex, in header `x-nowpayments-sig`",
        secret: "the IPN secret key, as text",
        window: "unlimited",
        pitfalls: "Objects in the body are sorted as well, as in the vendor's current examples; older ones, which leave their \
            members out, would prove nothing of them. A body in which a name occurs twice is refused.",
    }

    paddle_classic = "paddle-classic" in paddle_classic {
        title: "Paddle Classic",
        group: "Billing and accounting",
        docs: "https://developer.paddle.com/classic/webhook-reference/verifying-webhooks",
        evidence: Reported,
        signs: "RSA with SHA-1 of all other fields of the form, as PHP serialises them, in base64, in the form field \
            `p_signature`",
        secret: "the public key of the account",
        window: "unlimited",
        pitfalls: "The older product of `paddle`.",
    }

    paypal = "paypal" in paypal {
        title: "PayPal",
        group: "Payments",
        docs: "https://developer.paypal.com/api/rest/webhooks/rest/",
        evidence: Documented,
        signs: "RSA with SHA-256 of the id and the time of the transmission, the id of the webhook and the CRC-32 of the body, \
            in base64, in header `PAYPAL-TRANSMISSION-SIG`",
        secret: "none, if `remote_keys` fetches the certificate at `PAYPAL-CERT-URL`, which needs `roots`; or that certificate \
            as public key, whose `id`, if it has one, is the URL",
        window: "unlimited; an endpoint may set a tolerance for `PAYPAL-TRANSMISSION-TIME`",
        params: "`webhook_id`: the id of the webhook; `roots`: the root certificates to which the chain of the certificate \
            has to lead",
        pitfalls: "It needs the feature `certificates`. A CRC-32 is no hash: whoever has seen a request can send any other \
            body with the same checksum, so the endpoint has to set `accept_unsigned_body`. Ask the API about what matters. \
            Without `roots`, a certificate is only a form of its key: its issuer, its name and its time are not checked.",
    }

    plaid = "plaid" or "plaid-identity-verification" in tokens {
        title: "Plaid",
        group: "Payments",
        docs: "https://plaid.com/docs/api/webhooks/webhook-verification/",
        evidence: Documented,
        signs: "a JSON Web Token with the SHA-256 of the body, `ES256`, in header `Plaid-Verification`",
        secret: "the public keys of the vendor, as JSON Web Keys from `/webhook_verification_key/get`",
        window: "5 minutes",
        pitfalls: "The vendor changes its keys: `RemoteKeys::by_id` gets new ones, by the id in the token. Two events may \
            have the same body, so requests are deduplicated only if the endpoint sets `deduplicate_by`.",
        module: plaid,
    }

    plivo_v3 = "plivo-v3" in plivo {
        title: "Plivo (V3)",
        group: "Messaging and social media",
        docs: "https://www.plivo.com/docs/messaging/concepts/signature-validation",
        evidence: Ran,
        signs: "HMAC-SHA256 of the URL with its query sorted, the sorted fields of the form and a nonce, in base64, in a list, \
            in header `X-Plivo-Signature-V3`",
        secret: "the auth token of the account",
        window: "unlimited",
        params: "`url`: the URL of the webhook as registered, or `url_from`: as for [`twilio`]",
        pitfalls: "Nothing separates the names of form fields from their values, so whoever has seen a request can move \
            letters from the one to the other.",
    }

    qstash = "qstash" or "upstash" in tokens {
        title: "Upstash QStash",
        group: "Infrastructure and security",
        docs: "https://upstash.com/docs/qstash/features/security",
        evidence: Ran,
        signs: "a JSON Web Token with the URL and the SHA-256 of the body, `HS256`, in header `Upstash-Signature`",
        secret: "the current signing key, and the next one",
        window: "until the token expires",
        params: "`url`: the URL of the destination",
        pitfalls: "The id of a message is in a header that is not signed, and a schedule sends the same body each time, so \
            every token is another delivery.",
    }

    truelayer = "truelayer" in truelayer {
        title: "TrueLayer",
        group: "Payments",
        docs: "https://docs.truelayer.com/docs/webhook-notifications",
        evidence: Ran,
        signs: "a detached JSON Web Signature, `ES512`, of the method, the path, the headers that it lists and the body, in \
            header `Tl-Signature`",
        secret: "none; the vendor's public keys, with the feature `more-ecdsa`: `remote_keys` fetches them",
        window: "unlimited, unless the endpoint sets `tolerance`: the signed header `X-TL-Webhook-Timestamp` is the time",
        params: "`jku`: the address of the keys, which the signature has to name; \
            `https://webhooks.truelayer-sandbox.com/.well-known/jwks` for the sandbox",
        pitfalls: "A signature that does not list `X-TL-Webhook-Timestamp` is refused. The path is that of the request as \
            the layer sees it, with or without a slash at its end, so the layer has to be outside of what changes it, such \
            as `nest` of axum.",
    }

    rfc9421 = "rfc9421" or "http-message-signatures" in messages {
        title: "HTTP message signatures",
        group: "Infrastructure and security",
        docs: "https://www.rfc-editor.org/rfc/rfc9421",
        evidence: Ran,
        signs: "an HTTP message signature (RFC 9421) of `Content-Digest` (RFC 9530), or of what `components` says",
        secret: "a shared secret in base64 (`hmac-sha256`), or public keys (`ed25519`, `ecdsa-p256-sha256`, \
            `ecdsa-p384-sha384`, `rsa-pss-sha512`; `rsa-v1_5-sha256` as `variant`): the key decides on the algorithm",
        window: "5 minutes",
        params: "`components`: what has to be signed, separated by spaces, by default `content-digest`; `label` and `tag`: \
            those of the signature that counts; `url`: scheme and host of the endpoint, and the path if it is another than the \
            layer sees, for `@target-uri`, `@authority` and `@scheme`; `url_from`: as for [`twilio`]",
        pitfalls: "A sender of your own is better described as a custom provider. Without \
            `content-digest`, the body is not signed, and the endpoint has to set `accept_unsigned_body`. Require `@method` and \
            `@target-uri` where the sender signs them: otherwise a request that was sent to another endpoint with the same \
            key is accepted.",
    }

    twilio = "twilio" in twilio {
        title: "Twilio",
        group: "Messaging and social media",
        docs: "https://www.twilio.com/docs/usage/security",
        evidence: Ran,
        signs: "HMAC-SHA1 of the URL and the sorted fields of the form, in base64, in header `X-Twilio-Signature`; for other \
            bodies, of the URL with their SHA-256 in the query parameter `bodySHA256`",
        secret: "the auth token of the account, or the shared key",
        window: "unlimited",
        params: "`url`: the URL of the webhook as registered, with its query; `query`: `any` accepts every query, which webhooks by `GET` need; `url_from`, \
            instead of both: `x-forwarded` where a trusted proxy sets `X-Forwarded-Proto` and `X-Forwarded-Host`; `algorithm`: `HMAC_SHA1` \
            or, of the shared-key mode, `HMAC_SHA256`, as `variant`",
        pitfalls: "The header `Host` is never believed, and `url_from` only where the proxy replaces what clients send. \
            Nothing separates the names of form fields from their values, so whoever has seen a request can move letters \
            from the one to the other. A form is one delivery however its fields are ordered or escaped. Twilio reads \
            the answer, so requests are deduplicated only if the endpoint sets `deduplicate_by`.",
    }

    vonage = "vonage" or "nexmo" in tokens {
        title: "Vonage (signed webhooks)",
        group: "Messaging and social media",
        docs: "https://developer.vonage.com/en/getting-started/concepts/webhooks",
        evidence: Documented,
        signs: "a JSON Web Token with the SHA-256 of the body, `HS256`, in header `Authorization`",
        secret: "the signature secret of the account",
        window: "5 minutes",
        params: "`api_key`: the API key of the account",
        pitfalls: "Callbacks by `GET`, whose token has a hash of the query instead, are refused.",
    }

    wix = "wix" in tokens {
        title: "Wix",
        group: "Commerce",
        docs: "https://dev.wix.com/docs/rest/articles/getting-started/webhooks",
        evidence: Assumed,
        signs: "the body is a JSON Web Token, `RS256`",
        secret: "the public key of the app",
        window: "until the token expires, if it does",
        pitfalls: "The event is in the claim `data` of the token, as JSON in a text; the page does not name the algorithm, \
            and its examples have `RS256`.",
    }
}
