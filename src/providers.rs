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
