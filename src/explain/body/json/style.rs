//! [`Style`]: how the writers that people use print JSON.

use std::sync::LazyLock;

use crate::explain::body::json::escapes::{self, Ascii, Escapes, Html};

/// How a document is printed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::explain::body) struct Style {
    pub(in crate::explain::body) spacing: Spacing,
    pub(in crate::explain::body) order: Order,
    pub(in crate::explain::body) numbers: Numbers,
    pub(in crate::explain::body) escapes: Escapes,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::explain::body) enum Spacing {
    Compact,
    /// `", "` and `": "`.
    Python,
    /// `", "` and `" : "`, as `json_build_object` of PostgreSQL prints.
    PostgreSql,
    Indent(&'static str),
    /// Two spaces and CRLF, as .NET prints on Windows.
    Windows,
    /// Three spaces and `" : "`, with a line break at the end.
    Perl,
    /// Two spaces and `" : "`, with the items of a list on one line.
    Jackson,
}

impl Spacing {
    /// What is between a name and its value.
    pub(in crate::explain::body) fn colon(self) -> &'static [u8] {
        match self {
            Self::Compact => b":",
            Self::Python | Self::Indent(_) | Self::Windows => b": ",
            Self::PostgreSql | Self::Perl | Self::Jackson => b" : ",
        }
    }

    /// What one level is indented by, if values are on lines of their own.
    pub(in crate::explain::body) fn indent(self) -> Option<&'static str> {
        match self {
            Self::Compact | Self::Python | Self::PostgreSql => None,
            Self::Indent(indent) => Some(indent),
            Self::Perl => Some("   "),
            Self::Jackson | Self::Windows => Some("  "),
        }
    }

    pub(in crate::explain::body) fn line_end(self) -> &'static [u8] {
        match self {
            Self::Windows => b"\r\n",
            _ => b"\n",
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::explain::body) enum Order {
    Kept,
    Sorted,
    /// The names of the outermost object alone, as `ksort` of PHP.
    SortedOnTop,
    /// By length, then by bytes.
    Jsonb,
}

impl Order {
    const ALL: [Self; 4] = [Self::Kept, Self::Sorted, Self::SortedOnTop, Self::Jsonb];
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::explain::body) enum Numbers {
    Kept,
    IntegersAsFloats,
    FloatsAsIntegers,
    TwoDecimals,
    /// Without exponents and trailing zeros.
    Shortest,
}

impl Style {
    pub(in crate::explain::body) const COMPACT: Self = Self {
        spacing: Spacing::Compact,
        order: Order::Kept,
        numbers: Numbers::Kept,
        escapes: Escapes::NONE,
    };

    /// What the writers of most languages print.
    pub(in crate::explain::body) const COMMON: [Self; 3] = [
        Self::COMPACT,
        Self {
            spacing: Spacing::Python,
            ..Self::COMPACT
        },
        Self {
            spacing: Spacing::Python,
            escapes: Escapes {
                ascii: Ascii::Lower,
                ..Escapes::NONE
            },
            ..Self::COMPACT
        },
    ];

    const NUMBERS: [Numbers; 5] = [
        Numbers::Kept,
        Numbers::IntegersAsFloats,
        Numbers::FloatsAsIntegers,
        Numbers::TwoDecimals,
        Numbers::Shortest,
    ];

    const SPACINGS: [Spacing; 12] = [
        Spacing::Compact,
        Spacing::Python,
        Spacing::Indent("  "),
        Spacing::Indent("    "),
        Spacing::Indent("\t"),
        Spacing::Windows,
        Spacing::Jackson,
        Spacing::PostgreSql,
        Spacing::Perl,
        Spacing::Indent(" "),
        Spacing::Indent("   "),
        Spacing::Indent("        "),
    ];

    /// All combinations with their names, those with the fewest differences from compact first.
    pub(in crate::explain::body) fn all() -> &'static [(Self, String)] {
        static ALL: LazyLock<Vec<(Style, String)>> = LazyLock::new(|| {
            let mut all = Vec::new();
            for spacing in Style::SPACINGS {
                for order in Order::ALL {
                    for numbers in Style::NUMBERS {
                        for escapes in escapes::all() {
                            let style = Style {
                                spacing,
                                order,
                                numbers,
                                escapes,
                            };
                            all.push((style, style.words()));
                        }
                    }
                }
            }
            all.sort_by_key(|(style, _)| style.differences());
            all
        });
        &ALL
    }

    /// How many axes differ from compact printing.
    pub(in crate::explain::body) fn differences(&self) -> usize {
        let Escapes {
            kept,
            ascii,
            html,
            slashes,
        } = self.escapes;
        let differs = [
            self.spacing != Spacing::Compact && self.order != Order::Jsonb,
            self.order != Order::Kept,
            self.numbers != Numbers::Kept,
            kept,
            ascii != Ascii::No,
            html != Html::No,
            slashes,
        ];
        differs.iter().filter(|differs| **differs).count()
    }

    /// The words of the name of its cause, such as `python+ascii`.
    pub(in crate::explain::body) fn words(&self) -> String {
        let mut words = Vec::new();
        let is_plain = self.order == Order::Kept && self.numbers == Numbers::Kept;
        match self.spacing {
            Spacing::Compact if is_plain => words.push("compact"),
            Spacing::Compact => {}
            // PostgreSQL prints so.
            Spacing::Python if self.order == Order::Jsonb => {}
            Spacing::Python => words.push("python"),
            Spacing::PostgreSql => words.push("json-build-object"),
            Spacing::Indent(" ") => words.push("indent-1"),
            Spacing::Indent("  ") => words.push("indent-2"),
            Spacing::Indent("   ") => words.push("indent-3"),
            Spacing::Indent("\t") => words.push("indent-tab"),
            Spacing::Indent("        ") => words.push("indent-8"),
            Spacing::Indent(_) => words.push("indent-4"),
            Spacing::Windows => words.push("indent-2-crlf"),
            Spacing::Perl => words.push("perl"),
            Spacing::Jackson => words.push("jackson"),
        }
        match self.order {
            Order::Kept => {}
            Order::Sorted => words.push("sorted"),
            Order::SortedOnTop => words.push("sorted-on-top"),
            Order::Jsonb => words.push("jsonb"),
        }
        match self.numbers {
            Numbers::Kept => {}
            Numbers::IntegersAsFloats => words.push("integers-as-floats"),
            Numbers::FloatsAsIntegers => words.push("floats-as-integers"),
            Numbers::TwoDecimals => words.push("two-decimals"),
            Numbers::Shortest => words.push("shortest-numbers"),
        }
        if self.escapes.kept {
            words.push("escapes-kept");
        }
        match self.escapes.ascii {
            Ascii::No => {}
            Ascii::Lower => words.push("ascii"),
            Ascii::Upper => words.push("ascii-upper"),
            Ascii::DotNet => words.push("dotnet"),
        }
        if self.escapes.html != Html::No {
            words.push(self.escapes.html.word());
        }
        if self.escapes.slashes {
            words.push("slashes");
        }
        words.join("+")
    }
}
