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

#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::explain::body) struct Escapes {
    /// Escapes stay as they are in the text.
    pub(in crate::explain::body) kept: bool,
    pub(in crate::explain::body) ascii: Ascii,
    pub(in crate::explain::body) html: Html,
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

/// What is escaped because it means something in HTML.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::explain::body) enum Html {
    No,
    /// Of Go and Rails.
    Lower,
    /// The same in upper case: of Django.
    Upper,
    /// With apostrophes: of Flask.
    Apostrophes,
    /// With apostrophes and equals signs.
    Gson,
    /// With both quotation marks: of Newtonsoft.Json.
    Quotes,
    /// Of `JSON_HEX_TAG`.
    PhpTags,
    /// Of all that PHP calls `JSON_HEX`.
    Php,
}

impl Html {
    pub(in crate::explain::body) const ALL: [Self; 8] = [
        Self::No,
        Self::Lower,
        Self::Upper,
        Self::Apostrophes,
        Self::Gson,
        Self::Quotes,
        Self::PhpTags,
        Self::Php,
    ];

    /// The ASCII characters that are escaped.
    fn marks(self) -> &'static [u8] {
        match self {
            Self::No => b"",
            Self::Lower | Self::Upper => b"<>&",
            Self::Apostrophes => b"<>&'",
            Self::Gson => b"<>&'=",
            Self::Quotes | Self::Php => b"<>&'\"",
            Self::PhpTags => b"<>",
        }
    }

    pub(in crate::explain::body) fn escapes(self, letter: char) -> bool {
        let is_line = matches!(letter, '\u{2028}' | '\u{2029}');
        let has_lines = matches!(self, Self::Lower | Self::Upper | Self::Gson | Self::Quotes);
        let is_mark = u8::try_from(letter).is_ok_and(|byte| self.marks().contains(&byte));
        is_mark || is_line && has_lines
    }

    pub(in crate::explain::body) fn is_upper(self) -> bool {
        matches!(self, Self::Upper | Self::PhpTags | Self::Php)
    }

    fn word(self) -> &'static str {
        match self {
            Self::No => "",
            Self::Lower => "html",
            Self::Upper => "html-upper",
            Self::Apostrophes => "html-apostrophes",
            Self::Gson => "gson",
            Self::Quotes => "html-quotes",
            Self::PhpTags => "php-tags",
            Self::Php => "php-hex",
        }
    }
}

/// Which characters the strings of a document have.
pub(in crate::explain::body) struct Letters {
    ascii: u128,
    /// Whether there are others than ASCII.
    beyond: bool,
    lines: bool,
    /// Whether some are escaped.
    escaped: bool,
}

impl Letters {
    pub(in crate::explain::body) fn of(text: &[u8]) -> Self {
        let mut letters = Self {
            ascii: 0,
            beyond: !text.is_ascii(),
            lines: [b"\xe2\x80\xa8", b"\xe2\x80\xa9"]
                .iter()
                .any(|line| memchr::memmem::find(text, *line).is_some()),
            escaped: false,
        };
        let mut bytes = text.iter();
        while let Some(byte) = bytes.next() {
            match byte {
                // It ends a string.
                b'"' => {}
                b'\\' => {
                    letters.escaped = true;
                    match bytes.next() {
                        Some(b'u') => letters.add_code(bytes.as_slice().get(..4)),
                        Some(other) => letters.add(*other),
                        None => {}
                    }
                }
                byte => letters.add(*byte),
            }
        }
        letters
    }

    fn add(&mut self, byte: u8) {
        self.ascii |= 1_u128.checked_shl(byte.into()).unwrap_or_default();
    }

    fn add_code(&mut self, digits: Option<&[u8]>) {
        let digits = digits.and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u16::from_str_radix(digits, 16).ok()) {
            Some(code @ 0..=0x7f) => self.add(u8::try_from(code).unwrap_or_default()),
            code => {
                self.beyond = true;
                self.lines |= matches!(code, Some(0x2028 | 0x2029));
            }
        }
    }

    fn any(&self, wanted: &[u8]) -> bool {
        let has = |byte: &u8| self.ascii & 1_u128.checked_shl((*byte).into()).unwrap_or_default();
        wanted.iter().any(|byte| has(byte) != 0)
    }
}

impl Escapes {
    /// Whether the escapes may write a document in another way than simpler ones do.
    pub(in crate::explain::body) fn has_use(self, letters: &Letters) -> bool {
        let for_ascii = match self.ascii {
            Ascii::No | Ascii::DotNet => true,
            Ascii::Lower | Ascii::Upper => letters.beyond,
        };
        let for_html = match self.html {
            Html::No => true,
            Html::Lower => letters.any(b"<>&") || letters.lines,
            Html::Upper => letters.any(b"<>"),
            Html::Apostrophes => letters.any(b"'"),
            Html::Gson => letters.any(b"=") || letters.lines,
            Html::Quotes => letters.any(b"\""),
            Html::PhpTags => letters.any(b"<>") && (letters.any(b"&") || letters.lines),
            Html::Php => letters.any(b"'\"") || letters.lines,
        };
        let for_rest = (!self.slashes || letters.any(b"/")) && (!self.kept || letters.escaped);
        for_ascii && for_html && for_rest
    }

    /// Whether a text may be written in another way than it is.
    pub(in crate::explain::body) fn change(self, raw: &[u8]) -> bool {
        let marks = self.html.marks();
        memchr::memchr(b'\\', raw).is_some()
            || self.ascii == Ascii::DotNet
            || (self.ascii != Ascii::No || self.html != Html::No) && !raw.is_ascii()
            || !marks.is_empty() && raw.iter().any(|byte| marks.contains(byte))
            || self.slashes && memchr::memchr(b'/', raw).is_some()
    }

    pub(in crate::explain::body) const NONE: Self = Self {
        kept: false,
        ascii: Ascii::No,
        html: Html::No,
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

fn escapes() -> Vec<Escapes> {
    let mut all = Vec::new();
    for ascii in [Ascii::No, Ascii::Lower, Ascii::Upper] {
        for html in Html::ALL {
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
