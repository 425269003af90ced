//! A macro for fixed vocabularies: enums whose values have a name in snake case.

/// Defines an enum with the list and the names of its values.
macro_rules! vocabulary {
    (
        $(#[$meta:meta])*
        pub enum $name:ident: $what:literal {
            $($(#[$value_meta:meta])* $value:ident = $text:literal,)*
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$value_meta])* $value,)*
        }

        impl $name {
            /// All values of this version, in declaration order.
            pub const ALL: &'static [Self] = &[$(Self::$value,)*];

            /// The name in snake case, for counters and logs.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$value => $text,)*
                }
            }
        }

        /// Writes the name.
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        /// Parses the output of `Display`.
        impl std::str::FromStr for $name {
            type Err = $crate::error::SetupError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                $crate::error::by_name($what, text, Self::ALL, Self::as_str)
            }
        }
    };
}

pub(crate) use vocabulary;
