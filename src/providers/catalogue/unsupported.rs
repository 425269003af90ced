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
    "docker-hub", "Docker Hub", "Code and operations", Reported:
        "nothing is signed";
    "fastly-logging", "Fastly HTTPS log endpoint", "Code and operations", Assumed:
        "nothing is signed";
    "gorgias", "Gorgias", "Customers and support", Reported:
        "nothing is signed";
    "gumroad", "Gumroad", "Commerce", Reported:
        "nothing is signed";
    "jumio", "Jumio", "Identity verification", Documented:
        "nothing is signed";
    "kustomer", "Kustomer", "Customers and support", Reported:
        "nothing is signed";
    "salesforce", "Salesforce outbound messages", "Customers and support", Reported:
        "nothing is signed";
    "supabase-db", "Supabase Database Webhooks", "Code and operations", Reported:
        "nothing is signed";
}
