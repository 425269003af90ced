//! The guide: one page per task.
//!
//! The [front page](crate) has the quick start. `RUNBOOK.md` in the package is for operators, and
//! `SECURITY.md` has the threat model.

/// A module that holds one page. Its examples need these features.
macro_rules! page {
    ($name:ident, $file:literal, [$($feature:literal),*]) => {
        #[cfg_attr(any(not(doctest), all($(feature = $feature),*)), doc = include_str!($file))]
        pub mod $name {}
    };
}

page!(events, "docs/events.md", ["axum", "identity"]);
page!(identity, "docs/identity.md", ["config", "identity"]);
page!(responses, "docs/responses.md", ["axum"]);
page!(deliveries, "docs/deliveries.md", ["axum", "redis"]);
page!(
    keys,
    "docs/keys.md",
    ["axum", "cache", "config", "remote-keys"]
);
page!(configuration, "docs/configuration.md", ["axum", "config"]);
page!(
    schemes,
    "docs/schemes.md",
    ["asymmetric", "config", "identity"]
);
page!(providers, "docs/providers.md", ["config"]);
page!(handshakes, "docs/handshakes.md", ["axum", "config"]);
page!(hosts, "docs/hosts.md", ["actix", "axum"]);
page!(observability, "docs/observability.md", ["tower"]);
page!(
    testing,
    "docs/testing.md",
    ["actix", "axum", "config", "test-util"]
);
page!(cli, "docs/cli.md", []);
page!(local, "docs/local.md", []);
page!(mismatch, "docs/mismatch.md", ["explain", "tower"]);
