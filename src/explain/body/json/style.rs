//! [`Style`]: how the writers that people use print JSON.

use std::sync::LazyLock;

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
    Indent(&'static str),
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::explain::body) enum Order {
    Kept,
    Sorted,
    /// By length, then by bytes.
    Jsonb,
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

#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::explain::body) struct Escapes {
    /// Escapes stay as they are in the text.
    pub(in crate::explain::body) kept: bool,
    pub(in crate::explain::body) ascii: Ascii,
    pub(in crate::explain::body) html: bool,
    pub(in crate::explain::body) slashes: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::explain::body) enum Ascii {
    No,
    Lower,
    Upper,
    /// What .NET escapes, which includes quotation marks.
    DotNet,
}

impl Escapes {
    /// Whether a string may be written in another way than it is.
    pub(in crate::explain::body) fn change(self, raw: &[u8]) -> bool {
        let has_html = || memchr::memchr3(b'&', b'<', b'>', raw).is_some();
        memchr::memchr(b'\\', raw).is_some()
            || self.ascii == Ascii::DotNet
            || (self.ascii != Ascii::No || self.html) && !raw.is_ascii()
            || self.html && has_html()
            || self.slashes && memchr::memchr(b'/', raw).is_some()
    }

    pub(in crate::explain::body) const NONE: Self = Self {
        kept: false,
        ascii: Ascii::No,
        html: false,
        slashes: false,
    };
}

impl Style {
    pub(in crate::explain::body) const COMPACT: Self = Self {
        spacing: Spacing::Compact,
        order: Order::Kept,
        numbers: Numbers::Kept,
        escapes: Escapes::NONE,
    };

    const NUMBERS: [Numbers; 5] = [
        Numbers::Kept,
        Numbers::IntegersAsFloats,
        Numbers::FloatsAsIntegers,
        Numbers::TwoDecimals,
        Numbers::Shortest,
    ];

    const SPACINGS: [Spacing; 5] = [
        Spacing::Compact,
        Spacing::Python,
        Spacing::Indent("  "),
        Spacing::Indent("    "),
        Spacing::Indent("\t"),
    ];

    /// All combinations with their names, those with the fewest differences from compact first.
    pub(in crate::explain::body) fn all() -> &'static [(Self, String)] {
        static ALL: LazyLock<Vec<(Style, String)>> = LazyLock::new(|| {
            let mut all = Vec::new();
            for spacing in Style::SPACINGS {
                for order in [Order::Kept, Order::Sorted, Order::Jsonb] {
                    for numbers in Style::NUMBERS {
                        for escapes in escapes() {
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
            html,
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
            Spacing::Indent("  ") => words.push("indent-2"),
            Spacing::Indent("\t") => words.push("indent-tab"),
            Spacing::Indent(_) => words.push("indent-4"),
        }
        match self.order {
            Order::Kept => {}
            Order::Sorted => words.push("sorted"),
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
        if self.escapes.html {
            words.push("html");
        }
        if self.escapes.slashes {
            words.push("slashes");
        }
        words.join("+")
    }
}

fn escapes() -> Vec<Escapes> {
    let mut all = Vec::new();
    for ascii in [Ascii::No, Ascii::Lower, Ascii::Upper] {
        for html in [false, true] {
            for slashes in [false, true] {
                all.push(Escapes {
                    kept: false,
                    ascii,
                    html,
                    slashes,
                });
            }
        }
    }
    all.push(Escapes {
        ascii: Ascii::DotNet,
        ..Escapes::NONE
    });
    all.push(Escapes {
        kept: true,
        ..Escapes::NONE
    });
    all
}
