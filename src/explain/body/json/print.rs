//! A document printed in a style.

use crate::explain::body::json::{
    document::{Document, Node, Span},
    escapes::Ascii,
    numbers,
    style::{Numbers, Order, Spacing, Style},
};

/// The longest text that is printed, in bytes: indentation grows with the depth of every value.
const LONGEST: usize = 16 << 20;

impl Document<'_> {
    /// The document in a style; `None` if it is too long then.
    pub(in crate::explain::body) fn print(&self, style: &Style) -> Option<Vec<u8>> {
        self.print_node(&self.root, style)
    }

    pub(in crate::explain::body) fn print_node(
        &self,
        node: &Node,
        style: &Style,
    ) -> Option<Vec<u8>> {
        let mut printer = Printer {
            document: self,
            style,
            out: Vec::with_capacity(self.raw(node).len()),
        };
        printer.value(node, 0);
        if style.spacing == Spacing::Perl {
            printer.out.push(b'\n');
        }
        (printer.out.len() <= LONGEST).then_some(printer.out)
    }
}

struct Printer<'p, 'd> {
    document: &'p Document<'d>,
    style: &'p Style,
    out: Vec<u8>,
}

impl Printer<'_, '_> {
    fn is_too_long(&self) -> bool {
        self.out.len() > LONGEST
    }

    fn value(&mut self, node: &Node, depth: usize) {
        if self.is_too_long() {
            return;
        }
        let below = depth.saturating_add(1);
        match node {
            Node::Scalar(span) => self.scalar(*span),
            Node::Text(span) => self.string(*span),
            Node::List(_, items) if items.is_empty() => self.empty(b"[]", b"[ ]"),
            Node::Map(_, members) if members.is_empty() => self.empty(b"{}", b"{ }"),
            Node::List(_, items) if self.style.spacing == Spacing::Jackson => {
                self.out.push(b'[');
                for (place, item) in items.iter().enumerate() {
                    self.out
                        .extend_from_slice(if place > 0 { b", " } else { b" " });
                    // Only objects count for the indentation.
                    self.value(item, depth);
                }
                self.out.extend_from_slice(b" ]");
            }
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
                for (place, (key, value)) in self.ordered(members, depth).into_iter().enumerate() {
                    self.separate(place, below);
                    self.string(key);
                    self.out.extend_from_slice(self.style.spacing.colon());
                    self.value(value, below);
                }
                self.line(depth);
                self.out.push(b'}');
            }
        }
    }

    fn empty(&mut self, plain: &[u8], jackson: &[u8]) {
        let is_jackson = self.style.spacing == Spacing::Jackson;
        self.out
            .extend_from_slice(if is_jackson { jackson } else { plain });
    }

    fn ordered<'n>(&self, members: &'n [(Span, Node)], depth: usize) -> Vec<(Span, &'n Node)> {
        let mut all: Vec<(Span, &Node)> =
            members.iter().map(|(key, value)| (*key, value)).collect();
        match self.style.order {
            Order::Kept => {}
            Order::SortedOnTop if depth > 0 => {}
            Order::Sorted | Order::SortedOnTop => {
                all.sort_by_cached_key(|(key, _)| self.document.key(*key))
            }
            Order::Jsonb => all.sort_by_cached_key(|(key, _)| {
                let key = self.document.key(*key);
                (key.len(), key)
            }),
        }
        all
    }

    fn separate(&mut self, place: usize, depth: usize) {
        if place > 0 {
            self.out.push(b',');
            if matches!(self.style.spacing, Spacing::Python | Spacing::PostgreSql) {
                self.out.push(b' ');
            }
        }
        self.line(depth);
    }

    /// Begins a line, if values are on lines.
    fn line(&mut self, depth: usize) {
        if let Some(indent) = self.style.spacing.indent()
            && !self.is_too_long()
        {
            self.out.extend_from_slice(self.style.spacing.line_end());
            for _ in 0..depth {
                self.out.extend_from_slice(indent.as_bytes());
            }
        }
    }

    fn scalar(&mut self, span: Span) {
        let raw = self.document.slice(span);
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
            Numbers::TwoDecimals if is_number && !is_integer => {
                self.number(text, |number| format!("{number:.2}"));
            }
            Numbers::Shortest if is_number && !is_integer => {
                self.number(text, |number| number.to_string());
            }
            _ => self.out.extend_from_slice(raw),
        }
    }

    /// Another text of a number, unless it is another number.
    fn number(&mut self, text: &str, write: fn(f64) -> String) {
        let written = text.parse().ok().map(write);
        let written = written.filter(|written| numbers::are_equal(written, text));
        let text = written.as_deref().unwrap_or(text);
        self.out.extend_from_slice(text.as_bytes());
    }

    fn string(&mut self, span: Span) {
        let raw = self.document.slice(span);
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
            '"' if is_dotnet || escapes.html.escapes('"') => None,
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
        let is_html = escapes.html.escapes(letter);
        let escaped = letter < ' '
            || is_html
            || escapes.ascii != Ascii::No && !letter.is_ascii()
            || is_dotnet && matches!(letter, '"' | '&' | '\'' | '+' | '<' | '>' | '`' | '\u{7f}');
        if !escaped {
            self.out
                .extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
            return;
        }
        let is_upper = matches!(escapes.ascii, Ascii::Upper | Ascii::DotNet)
            || is_html && escapes.html.is_upper();
        for unit in letter.encode_utf16(&mut [0; 2]) {
            let code = match is_upper {
                true => format!("\\u{unit:04X}"),
                false => format!("\\u{unit:04x}"),
            };
            self.out.extend_from_slice(code.as_bytes());
        }
    }
}
