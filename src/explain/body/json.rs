//! JSON printed again, as the writers that people use print it.

use std::{ops::Range, sync::LazyLock};

use serde_core::de::IgnoredAny;

/// A document of which every value knows where its text is.
pub(super) struct Document<'d> {
    text: &'d [u8],
    pub(super) root: Node,
}

pub(super) enum Node {
    /// A number, `true`, `false` or `null`.
    Scalar(Range<usize>),
    /// A string, with its quotation marks.
    Text(Range<usize>),
    List(Range<usize>, Vec<Self>),
    Map(Range<usize>, Vec<(Range<usize>, Self)>),
}

/// How a document is printed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Style {
    pub(super) spacing: Spacing,
    pub(super) order: Order,
    pub(super) numbers: Numbers,
    pub(super) escapes: Escapes,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Spacing {
    Compact,
    /// `", "` and `": "`.
    Python,
    Indent(&'static str),
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Kept,
    Sorted,
    /// By length, then by bytes.
    Jsonb,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Numbers {
    Kept,
    IntegersAsFloats,
    FloatsAsIntegers,
    TwoDecimals,
    /// Without exponents and trailing zeros.
    Shortest,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Escapes {
    /// Escapes stay as they are in the text.
    pub(super) kept: bool,
    pub(super) ascii: Ascii,
    pub(super) html: bool,
    pub(super) slashes: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Ascii {
    No,
    Lower,
    Upper,
    /// What .NET escapes, which includes quotation marks.
    DotNet,
}

impl Escapes {
    /// Whether a string may be written in another way than it is.
    fn change(self, raw: &[u8]) -> bool {
        let has_html = || memchr::memchr3(b'&', b'<', b'>', raw).is_some();
        memchr::memchr(b'\\', raw).is_some()
            || self.ascii == Ascii::DotNet
            || (self.ascii != Ascii::No || self.html) && !raw.is_ascii()
            || self.html && has_html()
            || self.slashes && memchr::memchr(b'/', raw).is_some()
    }

    const NONE: Self = Self {
        kept: false,
        ascii: Ascii::No,
        html: false,
        slashes: false,
    };
}

impl Style {
    pub(super) const COMPACT: Self = Self {
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
    pub(super) fn all() -> &'static [(Self, String)] {
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
    pub(super) fn differences(&self) -> usize {
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
    pub(super) fn words(&self) -> String {
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

/// The deepest document that is read, which is what `serde_json` allows.
const DEEPEST: usize = 127;

impl<'d> Document<'d> {
    /// `None` for what is no JSON, and for a single number or word.
    pub(super) fn parse(text: &'d [u8]) -> Option<Self> {
        let first = text.trim_ascii_start().first()?;
        if !matches!(first, b'{' | b'[' | b'"') {
            return None;
        }
        serde_json::from_slice::<IgnoredAny>(text).ok()?;
        let mut parser = Parser { text, at: 0 };
        let root = parser.value(0)?;
        Some(Self { text, root })
    }

    /// The text of a value, as received.
    pub(super) fn raw(&self, node: &Node) -> &'d [u8] {
        let (Node::Scalar(range) | Node::Text(range) | Node::List(range, _) | Node::Map(range, _)) =
            node;
        self.slice(range)
    }

    /// A string, decoded. `None` for other values.
    pub(super) fn string(&self, node: &Node) -> Option<String> {
        match node {
            Node::Text(range) => serde_json::from_slice(self.slice(range)).ok(),
            _ => None,
        }
    }

    pub(super) fn key(&self, range: &Range<usize>) -> String {
        let decoded = serde_json::from_slice(self.slice(range));
        decoded.unwrap_or_else(|_| String::from_utf8_lossy(self.slice(range)).into_owned())
    }

    pub(super) fn print(&self, style: &Style) -> Vec<u8> {
        self.print_node(&self.root, style)
    }

    pub(super) fn print_node(&self, node: &Node, style: &Style) -> Vec<u8> {
        let mut printer = Printer {
            document: self,
            style,
            out: Vec::with_capacity(self.text.len()),
        };
        printer.value(node, 0);
        printer.out
    }

    fn slice(&self, range: &Range<usize>) -> &'d [u8] {
        self.text.get(range.clone()).unwrap_or_default()
    }
}

/// Finds the values in a text that is known to be JSON.
struct Parser<'d> {
    text: &'d [u8],
    at: usize,
}

impl Parser<'_> {
    fn peek(&mut self) -> Option<u8> {
        while self.text.get(self.at)?.is_ascii_whitespace() {
            self.step();
        }
        self.text.get(self.at).copied()
    }

    fn step(&mut self) {
        self.at = self.at.saturating_add(1);
    }

    fn value(&mut self, depth: usize) -> Option<Node> {
        let first = self.peek()?;
        let start = self.at;
        if depth > DEEPEST {
            return None;
        }
        let below = depth.saturating_add(1);
        Some(match first {
            b'"' => Node::Text(self.string()?),
            b'[' => {
                let mut items = Vec::new();
                self.step();
                while self.peek()? != b']' {
                    items.push(self.value(below)?);
                    if self.peek()? == b',' {
                        self.step();
                    }
                }
                self.step();
                Node::List(start..self.at, items)
            }
            b'{' => {
                let mut members = Vec::new();
                self.step();
                while self.peek()? != b'}' {
                    let key = self.string()?;
                    self.peek()?;
                    self.step();
                    members.push((key, self.value(below)?));
                    if self.peek()? == b',' {
                        self.step();
                    }
                }
                self.step();
                Node::Map(start..self.at, members)
            }
            _ => {
                while self
                    .text
                    .get(self.at)
                    .is_some_and(|byte| !b",]} \t\r\n".contains(byte))
                {
                    self.step();
                }
                Node::Scalar(start..self.at)
            }
        })
    }

    fn string(&mut self) -> Option<Range<usize>> {
        self.peek()?;
        let start = self.at;
        self.step();
        loop {
            match self.text.get(self.at)? {
                b'"' => break,
                b'\\' => self.at = self.at.saturating_add(2),
                _ => self.step(),
            }
        }
        self.step();
        Some(start..self.at)
    }
}

struct Printer<'p, 'd> {
    document: &'p Document<'d>,
    style: &'p Style,
    out: Vec<u8>,
}

impl Printer<'_, '_> {
    fn value(&mut self, node: &Node, depth: usize) {
        let below = depth.saturating_add(1);
        match node {
            Node::Scalar(range) => self.scalar(range),
            Node::Text(range) => self.string(range),
            Node::List(_, items) if items.is_empty() => self.out.extend_from_slice(b"[]"),
            Node::Map(_, members) if members.is_empty() => self.out.extend_from_slice(b"{}"),
            Node::List(_, items) => {
                self.out.push(b'[');
                for (place, item) in items.iter().enumerate() {
                    self.separate(place, below);
                    self.value(item, below);
                }
                self.line(depth);
                self.out.push(b']');
            }
            Node::Map(_, members) => {
                self.out.push(b'{');
                for (place, (key, value)) in self.ordered(members).into_iter().enumerate() {
                    self.separate(place, below);
                    self.string(key);
                    self.out.push(b':');
                    if self.style.spacing != Spacing::Compact {
                        self.out.push(b' ');
                    }
                    self.value(value, below);
                }
                self.line(depth);
                self.out.push(b'}');
            }
        }
    }

    fn ordered<'n>(
        &self,
        members: &'n [(Range<usize>, Node)],
    ) -> Vec<(&'n Range<usize>, &'n Node)> {
        let mut all: Vec<(&Range<usize>, &Node)> =
            members.iter().map(|(key, value)| (key, value)).collect();
        match self.style.order {
            Order::Kept => {}
            Order::Sorted => all.sort_by_cached_key(|(key, _)| self.document.key(key)),
            Order::Jsonb => all.sort_by_cached_key(|(key, _)| {
                let key = self.document.key(key);
                (key.len(), key)
            }),
        }
        all
    }

    fn separate(&mut self, place: usize, depth: usize) {
        if place > 0 {
            self.out.push(b',');
            if self.style.spacing == Spacing::Python {
                self.out.push(b' ');
            }
        }
        self.line(depth);
    }

    /// Begins a line, if values are on lines.
    fn line(&mut self, depth: usize) {
        if let Spacing::Indent(indent) = self.style.spacing {
            self.out.push(b'\n');
            for _ in 0..depth {
                self.out.extend_from_slice(indent.as_bytes());
            }
        }
    }

    fn scalar(&mut self, range: &Range<usize>) {
        let raw = self.document.slice(range);
        let text = std::str::from_utf8(raw).unwrap_or_default();
        let is_number = raw
            .first()
            .is_some_and(|byte| byte.is_ascii_digit() || *byte == b'-');
        let is_integer = is_number && !text.contains(['.', 'e', 'E']);
        match self.style.numbers {
            Numbers::IntegersAsFloats if is_integer => {
                self.out.extend_from_slice(raw);
                self.out.extend_from_slice(b".0");
            }
            Numbers::FloatsAsIntegers if is_number => {
                let whole = text
                    .split_once('.')
                    .filter(|(_, rest)| rest.bytes().all(|byte| byte == b'0'));
                self.out
                    .extend_from_slice(whole.map_or(raw, |(whole, _)| whole.as_bytes()));
            }
            Numbers::TwoDecimals if is_number && !is_integer => match text.parse::<f64>() {
                Ok(number) => self
                    .out
                    .extend_from_slice(format!("{number:.2}").as_bytes()),
                Err(_) => self.out.extend_from_slice(raw),
            },
            Numbers::Shortest if is_number && !is_integer => match text.parse::<f64>() {
                Ok(number) => self.out.extend_from_slice(format!("{number}").as_bytes()),
                Err(_) => self.out.extend_from_slice(raw),
            },
            _ => self.out.extend_from_slice(raw),
        }
    }

    fn string(&mut self, range: &Range<usize>) {
        let raw = self.document.slice(range);
        if self.style.escapes.kept || !self.style.escapes.change(raw) {
            self.out.extend_from_slice(raw);
            return;
        }
        // Half of a surrogate pair is no text, and stays as it is.
        let Ok(text) = serde_json::from_slice::<std::borrow::Cow<'_, str>>(raw) else {
            self.out.extend_from_slice(raw);
            return;
        };
        self.out.push(b'"');
        for letter in text.chars() {
            self.letter(letter);
        }
        self.out.push(b'"');
    }

    fn letter(&mut self, letter: char) {
        let escapes = self.style.escapes;
        let is_dotnet = escapes.ascii == Ascii::DotNet;
        let short: Option<&[u8]> = match letter {
            '"' if is_dotnet => None,
            '"' => Some(b"\\\""),
            '\\' => Some(b"\\\\"),
            '\u{8}' => Some(b"\\b"),
            '\u{c}' => Some(b"\\f"),
            '\n' => Some(b"\\n"),
            '\r' => Some(b"\\r"),
            '\t' => Some(b"\\t"),
            '/' if escapes.slashes => Some(b"\\/"),
            _ => None,
        };
        if let Some(short) = short {
            self.out.extend_from_slice(short);
            return;
        }
        let is_html = matches!(letter, '&' | '<' | '>' | '\u{2028}' | '\u{2029}');
        let escaped = letter < ' '
            || escapes.html && is_html
            || escapes.ascii != Ascii::No && !letter.is_ascii()
            || is_dotnet && matches!(letter, '"' | '&' | '\'' | '+' | '<' | '>' | '`' | '\u{7f}');
        if !escaped {
            self.out
                .extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
            return;
        }
        for unit in letter.encode_utf16(&mut [0; 2]) {
            let code = match escapes.ascii {
                Ascii::Upper | Ascii::DotNet => format!("\\u{unit:04X}"),
                Ascii::No | Ascii::Lower => format!("\\u{unit:04x}"),
            };
            self.out.extend_from_slice(code.as_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(text: &str, words: &str) -> String {
        let document = Document::parse(text.as_bytes()).unwrap();
        let mut styles = Style::all().iter();
        let (style, _) = styles.find(|(_, known)| known == words).expect(words);
        String::from_utf8(document.print(style)).unwrap()
    }

    #[test]
    fn each_style_prints_as_its_writer() {
        let text =
            "{\"b\": [1, 2.50, 1e2, 3.0], \"aa\": \"/\\u00e9<\\ud83d\\ude00\\\"\", \"c\":{} }";
        for (words, expected) in [
            (
                "compact",
                "{\"b\":[1,2.50,1e2,3.0],\"aa\":\"/\u{e9}<\u{1f600}\\\"\",\"c\":{}}",
            ),
            (
                "python+ascii",
                "{\"b\": [1, 2.50, 1e2, 3.0], \"aa\": \"/\\u00e9<\\ud83d\\ude00\\\"\", \"c\": {}}",
            ),
            (
                "compact+html",
                "{\"b\":[1,2.50,1e2,3.0],\"aa\":\"/\u{e9}\\u003c\u{1f600}\\\"\",\"c\":{}}",
            ),
            (
                "compact+ascii-upper+slashes",
                "{\"b\":[1,2.50,1e2,3.0],\"aa\":\"\\/\\u00E9<\\uD83D\\uDE00\\\"\",\"c\":{}}",
            ),
            (
                "compact+dotnet",
                "{\"b\":[1,2.50,1e2,3.0],\"aa\":\"/\\u00E9\\u003C\\uD83D\\uDE00\\u0022\",\"c\":{}}",
            ),
            (
                "sorted+shortest-numbers",
                "{\"aa\":\"/\u{e9}<\u{1f600}\\\"\",\"b\":[1,2.5,100,3],\"c\":{}}",
            ),
            (
                "jsonb",
                "{\"b\":[1,2.50,1e2,3.0],\"c\":{},\"aa\":\"/\u{e9}<\u{1f600}\\\"\"}",
            ),
            (
                "integers-as-floats",
                "{\"b\":[1.0,2.50,1e2,3.0],\"aa\":\"/\u{e9}<\u{1f600}\\\"\",\"c\":{}}",
            ),
            (
                "floats-as-integers",
                "{\"b\":[1,2.50,1e2,3],\"aa\":\"/\u{e9}<\u{1f600}\\\"\",\"c\":{}}",
            ),
            (
                "indent-2",
                "{\n  \"b\": [\n    1,\n    2.50,\n    1e2,\n    3.0\n  ],\n  \"aa\": \"/\u{e9}<\u{1f600}\\\"\",\n  \"c\": {}\n}",
            ),
        ] {
            assert_eq!(printed(text, words), expected, "{words}");
        }
    }

    #[test]
    fn what_is_no_document_is_none() {
        for text in ["", "1", "true", "{", "{\"a\":}", "{\"a\":1} x", "\"\\x\""] {
            assert!(Document::parse(text.as_bytes()).is_none(), "{text}");
        }
        let deep = "[".repeat(100_000);
        assert!(Document::parse(deep.as_bytes()).is_none());
        assert_eq!(printed("\"\\ud83d\"", "compact"), "\"\\ud83d\"");
    }
}
