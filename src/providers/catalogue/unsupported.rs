//! Senders that no description holds, and why, so that whoever looks for one finds the reason.

use crate::{
    provider::evidence::Evidence,
    providers::catalogue::entry::{Entry, Facts},
};

macro_rules! unsupported {
    ($($name:literal $(or $alias:literal)*, $title:literal, $group:literal, $evidence:ident: $reason:literal;)+) => {
        pub(in crate::providers) static UNSUPPORTED: &[Entry] = &[$(
            Entry {
                name: $name,
                aliases: &[$($alias),*],
                provider: Err($reason),
            },
        )+];

        pub(in crate::providers) static UNSUPPORTED_FACTS: &[Facts] = &[$(
            Facts {
                title: $title,
                group: $group,
                docs: None,
                evidence: Evidence::$evidence,
                signs: "",
                window: "",
                pitfalls: "",
            },
        )+];
    };
}

unsupported! {
    "adyen", "Adyen (payments, standard notifications)", "Payments", Ran:
        "each item of an array is signed by itself";
    "apple-assn" or "app-store" or "apple", "Apple App Store Server Notifications v2", "Commerce", Ran:
        "a JSON Web Signature with a chain of certificates";
    "atlassian-connect" or "atlassian", "Atlassian Connect (JWT)", "Code and operations", Assumed:
        "a JSON Web Token with a hash of the query";
    "aws-sns" or "amazon-sns" or "sns", "AWS SNS", "Infrastructure and security", Ran:
        "a certificate at a URL, and sorted JSON fields";
    "braintree", "Braintree", "Payments", Ran:
        "XML in a form field, with a key that the request names";
    "connectwise", "ConnectWise PSA", "Customers and support", Reported:
        "the key is at a URL that the body names";
    "contentful", "Contentful", "Content, media and AI", Ran:
        "a canonical request with a list of headers";
    "didit-v2", "Didit (X-Signature-V2)", "Identity verification", Assumed:
        "JSON that is serialised again before it is signed; use didit-raw";
    "docker-hub", "Docker Hub", "Code and operations", Reported:
        "nothing is signed";
    "ebay", "eBay", "Commerce", Documented:
        "the id of the key is in a header that is JSON in base64";
    "fastly-logging", "Fastly HTTPS log endpoint", "Code and operations", Assumed:
        "nothing is signed";
    "fireblocks-v2", "Fireblocks (webhooks v2, JWKS)", "Digital assets", Documented:
        "a detached JSON Web Signature; use fireblocks while the older header is sent";
    "fusionauth", "FusionAuth", "Accounts and people", Reported:
        "a JSON Web Token";
    "google-pubsub" or "pubsub", "Google Pub/Sub push", "Infrastructure and security", Reported:
        "a JSON Web Token";
    "gorgias", "Gorgias", "Customers and support", Reported:
        "nothing is signed";
    "gumroad", "Gumroad", "Commerce", Reported:
        "nothing is signed";
    "inngest", "Inngest", "Infrastructure and security", Documented:
        "JSON that is made canonical before it is signed";
    "jumio", "Jumio", "Identity verification", Documented:
        "nothing is signed";
    "kustomer", "Kustomer", "Customers and support", Reported:
        "nothing is signed";
    "lago", "Lago", "Billing and accounting", Reported:
        "a JSON Web Token that contains the event";
    "livekit", "LiveKit", "Content, media and AI", Ran:
        "a JSON Web Token with a hash of the body";
    "mailchannels", "MailChannels", "E-mail, forms and documents", Reported:
        "an HTTP message signature (RFC 9421)";
    "mandrill" or "mailchimp-transactional", "Mailchimp Transactional (Mandrill)", "E-mail, forms and documents", Reported:
        "sorted form fields after the URL";
    "messagebird-jwt" or "bird" or "messagebird", "Bird / MessageBird (JWT)", "Messaging and social media", Ran:
        "a JSON Web Token with hashes of the URL and the body";
    "netlify", "Netlify", "Code and operations", Reported:
        "a JSON Web Token with a hash of the body";
    "nowpayments", "NOWPayments", "Payments", Reported:
        "JSON that is serialised again before it is signed";
    "paddle-classic", "Paddle Classic", "Billing and accounting", Reported:
        "sorted form fields as PHP serialises them";
    "paypal", "PayPal", "Payments", Documented:
        "a certificate at a URL, and a CRC-32 of the body";
    "phonepe", "PhonePe (X-VERIFY)", "Payments", Assumed:
        "the secret is one of several, by its number in the header";
    "plaid" or "plaid-identity-verification", "Plaid", "Payments", Documented:
        "a JSON Web Token with a hash of the body";
    "plivo-v3", "Plivo (V3)", "Messaging and social media", Ran:
        "sorted query and form fields";
    "qstash" or "upstash", "Upstash QStash", "Infrastructure and security", Ran:
        "a JSON Web Token with a hash of the body";
    "rfc9421" or "http-message-signatures", "HTTP message signatures", "Infrastructure and security", Documented:
        "an HTTP message signature (RFC 9421)";
    "salesforce", "Salesforce outbound messages", "Customers and support", Reported:
        "nothing is signed";
    "supabase-db", "Supabase Database Webhooks", "Code and operations", Reported:
        "nothing is signed";
    "truelayer", "TrueLayer", "Payments", Ran:
        "a detached JSON Web Signature, with P-521";
    "twilio", "Twilio", "Messaging and social media", Ran:
        "sorted form fields after the URL";
    "vonage" or "nexmo", "Vonage (signed webhooks)", "Messaging and social media", Documented:
        "a JSON Web Token with a hash of the body";
    "wix", "Wix", "Commerce", Assumed:
        "a JSON Web Token that is the body";
}
