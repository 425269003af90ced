//! [`Escapes`]: which characters of a string the writers that people use escape.

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

    pub(super) fn word(self) -> &'static str {
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

/// All combinations.
pub(super) fn all() -> Vec<Escapes> {
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
