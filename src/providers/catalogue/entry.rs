//! [`Known`]: what is known of a provider, without building it.

use std::fmt;

use crate::{provider::Provider, provider::evidence::Evidence};

/// A name, and what it leads to.
pub(crate) struct Entry {
    pub(crate) name: &'static str,
    pub(crate) aliases: &'static [&'static str],
    /// The provider, or why it is not supported.
    pub(crate) provider: Result<fn() -> Provider, &'static str>,
}

/// What the catalogue knows of one provider, apart from its [`Entry`], so that a program that does
/// not ask for it does not contain it.
pub(crate) struct Facts {
    pub(crate) title: &'static str,
    pub(crate) group: &'static str,
    pub(crate) docs: Option<&'static str>,
    pub(crate) evidence: Evidence,
    /// What is signed, and where the signature is.
    pub(crate) signs: &'static str,
    pub(crate) window: &'static str,
    pub(crate) handshake: &'static str,
    pub(crate) pitfalls: &'static str,
}

impl Entry {
    /// Whether `name` is the name or an alias.
    pub(crate) fn is(&self, name: &str) -> bool {
        self.name == name || self.aliases.contains(&name)
    }
}

/// What is known of a provider, whether or not it is supported.
///
/// ```
/// use tower_webhook::providers::{self, Evidence};
///
/// let whatsapp = providers::find("WhatsApp").next().unwrap();
/// assert_eq!(whatsapp.name(), "meta");
/// assert_eq!(whatsapp.evidence(), Evidence::Reported);
/// assert_eq!(whatsapp.unsupported(), None);
///
/// let gumroad = providers::find("gumroad").next().unwrap();
/// assert_eq!(gumroad.unsupported(), Some("nothing is signed"));
/// ```
#[derive(Clone, Copy)]
pub struct Known {
    pub(crate) entry: &'static Entry,
    pub(crate) facts: &'static Facts,
}

impl Known {
    /// The name for [`by_name`](crate::providers::by_name) and configurations.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.entry.name
    }

    /// Other names for the same provider.
    #[must_use]
    pub fn aliases(&self) -> &'static [&'static str] {
        self.entry.aliases
    }

    /// The vendor or product.
    #[must_use]
    pub fn title(&self) -> &'static str {
        self.facts.title
    }

    /// The group in the [table of providers](crate::providers#finding-a-provider).
    #[must_use]
    pub fn group(&self) -> &'static str {
        self.facts.group
    }

    /// The URL of the vendor's page on signatures, or of the source that was read instead.
    #[must_use]
    pub fn docs(&self) -> Option<&'static str> {
        self.facts.docs
    }

    /// How it is known how the provider signs.
    #[must_use]
    pub fn evidence(&self) -> Evidence {
        self.facts.evidence
    }

    /// What is signed, and where the signature is, in Markdown; empty for an unsupported provider.
    #[must_use]
    pub fn signs(&self) -> &'static str {
        self.facts.signs
    }

    /// For how long a captured request can be sent again; empty for an unsupported provider.
    #[must_use]
    pub fn replay_window(&self) -> &'static str {
        self.facts.window
    }

    /// What the provider asks an address before it uses it, and how that is
    /// [answered](crate::handshake), in Markdown; empty if it asks nothing.
    #[must_use]
    pub fn handshake(&self) -> &'static str {
        self.facts.handshake
    }

    /// What to watch for, in Markdown.
    #[must_use]
    pub fn pitfalls(&self) -> &'static str {
        self.facts.pitfalls
    }

    /// Why the provider is not supported; `None` if it is.
    #[must_use]
    pub fn unsupported(&self) -> Option<&'static str> {
        self.entry.provider.err()
    }

    /// The provider; `None` if it is not supported.
    #[must_use]
    pub fn provider(&self) -> Option<Provider> {
        self.entry.provider.ok().map(|build| build())
    }

    /// Whether a name, an alias or the title contains `text`, whose letters are in lower case.
    pub(crate) fn contains(&self, text: &str) -> bool {
        let mut names = self.entry.aliases.iter().chain([&self.entry.name]);
        names.any(|name| name.contains(text)) || self.facts.title.to_lowercase().contains(text)
    }
}

impl fmt::Debug for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Known")
            .field("name", &self.name())
            .field("title", &self.title())
            .field("evidence", &self.evidence())
            .finish_non_exhaustive()
    }
}
