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
                handshake: "",
                pitfalls: "",
            },
        )+];
    };
}

unsupported! {
    "atlassian-connect" or "atlassian", "Atlassian Connect (JWT)", "Code and operations", Assumed:
        "a JSON Web Token with a hash of the query";
    "didit-v2", "Didit (X-Signature-V2)", "Identity verification", Assumed:
        "JSON that is serialised again before it is signed; use didit-raw";
    "docker-hub", "Docker Hub", "Code and operations", Reported:
        "nothing is signed";
    "fastly-logging", "Fastly HTTPS log endpoint", "Code and operations", Assumed:
        "nothing is signed";
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
    "mailchannels", "MailChannels", "E-mail, forms and documents", Reported:
        "an HTTP message signature (RFC 9421)";
    "nowpayments", "NOWPayments", "Payments", Reported:
        "JSON that is serialised again before it is signed";
    "phonepe", "PhonePe (X-VERIFY)", "Payments", Assumed:
        "the secret is one of several, by its number in the header";
    "rfc9421" or "http-message-signatures", "HTTP message signatures", "Infrastructure and security", Documented:
        "an HTTP message signature (RFC 9421)";
    "salesforce", "Salesforce outbound messages", "Customers and support", Reported:
        "nothing is signed";
    "supabase-db", "Supabase Database Webhooks", "Code and operations", Reported:
        "nothing is signed";
}
