//! The built-in providers, by name.
//!
//! Each is data: a file that says how the provider signs, where that is documented, and how sure it is. The founding
//! ones have types for their events too. Adding one takes a file beside the others, a line in the list below and a
//! vector file in `tests/vectors`.
//!
//! ```
//! use tower_webhook::providers;
//!
//! let stripe = providers::by_name("stripe").unwrap();
//! assert_eq!(stripe.name(), providers::stripe().name());
//! assert!(providers::names().any(|name| name == "voveid"));
//! ```

use crate::provider::Provider;

/// An enum of the values that a vendor documents, and any other: one that it adds later must not make a signed event
/// unreadable.
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
            /// A value that is not documented.
            Other(String),
        }

        impl $name {
            /// The value as the vendor documents it.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $text,)*
                    Self::Other(text) => text,
                }
            }

            /// Whether this version knows the value.
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

/// One line a provider: its name in configuration, the constructor here, and the module with its data.
macro_rules! built_in {
    ($($name:literal => $module:ident),* $(,)?) => {
        $(
            #[doc = concat!("`", $name, "`: see [`", stringify!($module), "`](mod@", stringify!($module), ").")]
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

/// The built-in provider of this name.
#[must_use]
pub fn by_name(name: &str) -> Option<Provider> {
    let (_, provider) = BUILT_IN.iter().find(|(built_in, _)| *built_in == name)?;
    Some(provider())
}

/// The names of the built-in providers, in alphabetical order.
pub fn names() -> impl Iterator<Item = &'static str> {
    BUILT_IN.iter().map(|(name, _)| *name)
}
