//! The built-in providers.
//!
//! Each provider is plain data, in a module that states how the provider signs, where that is
//! documented, and how certain it is. The identity-verification providers also have typed events.
//!
//! To add a provider, add its module here, a line to the list below, and test vectors to
//! `tests/vectors/schemes.json`.
//!
//! ```
//! use tower_webhook::providers;
//!
//! let stripe = providers::by_name("stripe").unwrap();
//! assert_eq!(stripe.name(), providers::stripe().name());
//! assert!(providers::names().any(|name| name == "voveid"));
//! ```

use crate::provider::Provider;

/// Defines an enum of the documented values and `Other`, so that a value that the vendor adds later
/// does not make an event unreadable.
#[cfg(feature = "identity")]
macro_rules! open_enum {
    (
        $(#[$meta:meta])*
        $name:ident { $($(#[$variant_meta:meta])* $variant:ident = $text:literal $(| $alias:literal)*,)* }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$variant_meta])* $variant,)*
            /// An undocumented value.
            Other(String),
        }

        impl $name {
            /// The value, as the vendor spells it.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $text,)*
                    Self::Other(text) => text,
                }
            }

            /// Whether the value is one of the documented ones.
            #[must_use]
            pub fn is_known(&self) -> bool {
                !matches!(self, Self::Other(_))
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                match &*text {
                    $($text $(| $alias)* => Self::$variant,)*
                    _ => Self::Other(text),
                }
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer).map(Self::from)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }
    };
}

pub mod authenteq;
pub mod authento;
pub mod github;
pub mod idenfy;
pub mod shopify;
pub mod slack;
pub mod standard_webhooks;
pub mod stripe;
pub mod svix;
pub mod voveid;

/// Defines the constructors and the list of the built-in providers, from their names in the
/// configuration and their modules.
macro_rules! built_in {
    ($($name:literal => $module:ident),* $(,)?) => {
        $(
            #[doc = concat!("The provider `", $name, "`: see its [module](mod@", stringify!($module), ").")]
            #[must_use]
            pub fn $module() -> Provider {
                $module::provider().named($name)
            }
        )*

        const BUILT_IN: &[(&str, fn() -> Provider)] = &[$(($name, $module)),*];
    };
}

built_in! {
    "authenteq" => authenteq,
    "authento" => authento,
    "github" => github,
    "idenfy" => idenfy,
    "shopify" => shopify,
    "slack" => slack,
    "standard-webhooks" => standard_webhooks,
    "stripe" => stripe,
    "svix" => svix,
    "voveid" => voveid,
}

/// The built-in provider with this name, or `None` if there is none.
#[must_use]
pub fn by_name(name: &str) -> Option<Provider> {
    let (_, provider) = BUILT_IN.iter().find(|(built_in, _)| *built_in == name)?;
    Some(provider())
}

/// The names of the built-in providers, in alphabetical order.
pub fn names() -> impl Iterator<Item = &'static str> {
    BUILT_IN.iter().map(|(name, _)| *name)
}

/// Names in configurations, each with its spelling in prose.
#[cfg(feature = "config")]
type Senders = &'static [(&'static str, &'static str)];

/// Senders that a built-in provider of another name verifies: that name, how they sign, and who
/// they are. Headers, signature and secret are the same; the type and id of their events may be
/// elsewhere.
#[cfg(feature = "config")]
const VERIFIED_AS: &[(&str, &str, Senders)] = &[
    (
        "github",
        "as GitHub does",
        &[
            ("facebook", "Facebook"),
            ("instagram", "Instagram"),
            ("messenger", "Messenger"),
            ("meta", "Meta"),
            ("whatsapp", "WhatsApp"),
        ],
    ),
    (
        "standard-webhooks",
        "by the Standard Webhooks specification",
        &[
            ("anthropic", "Anthropic"),
            ("complyadvantage-mesh", "ComplyAdvantage Mesh"),
            ("dodo-payments", "Dodo Payments"),
            ("fathom", "Fathom"),
            ("folk", "folk"),
            ("gitlab", "GitLab, with a signing token,"),
            ("gitlab-signing", "GitLab, with a signing token,"),
            ("lithic", "Lithic"),
            ("liveblocks", "Liveblocks"),
            ("loops", "Loops"),
            ("openai", "OpenAI"),
            ("render", "Render"),
            ("replicate", "Replicate"),
            ("supabase", "Supabase Auth"),
            ("supabase-auth-hooks", "Supabase Auth"),
            ("whop", "Whop"),
        ],
    ),
    (
        "svix",
        "as Svix does",
        &[("brex", "Brex"), ("clerk", "Clerk"), ("resend", "Resend")],
    ),
];

/// Other senders whose names look like typing errors of built-in ones.
#[cfg(feature = "config")]
const OTHERS: &[&str] = &["strike"];

/// What is wrong with `name`, and the built-in provider to use: the one that verifies this sender,
/// or the one whose name has a typing error. `None` for any other sender, since a provider that is
/// only similar by name refuses everything.
#[cfg(feature = "config")]
pub(crate) fn instead_of(name: &str) -> Option<String> {
    let wanted = name.to_lowercase().replace('_', "-");
    for (built_in, how, senders) in VERIFIED_AS {
        if let Some((_, sender)) = senders.iter().find(|(sender, _)| *sender == wanted) {
            return Some(format!(
                "is not built in; {sender} signs {how}: use {built_in:?}"
            ));
        }
    }
    let meant = names().find(|built_in| is_slip(&wanted, built_in))?;
    let known = OTHERS.contains(&&*wanted);
    (!known).then(|| format!("is unknown; did you mean {meant:?}?"))
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
