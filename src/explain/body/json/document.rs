//! [`Document`]: JSON of which every value knows where its text is.

use std::ops::Range;

use serde_core::de::IgnoredAny;

/// A document of which every value knows where its text is.
pub(in crate::explain::body) struct Document<'d> {
    pub(in crate::explain::body) text: &'d [u8],
    pub(in crate::explain::body) root: Node,
}

pub(in crate::explain::body) enum Node {
    /// A number, `true`, `false` or `null`.
    Scalar(Span),
    /// A string, with its quotation marks.
    Text(Span),
    List(Span, Box<[Self]>),
    Map(Span, Box<[(Span, Self)]>),
}

/// Where a text is in a document, in bytes. A document has many, so they are short.
#[derive(Clone, Copy)]
pub(in crate::explain::body) struct Span {
    start: u32,
    end: u32,
}

impl Span {
    /// `None` beyond 4 GiB.
    fn new(range: Range<usize>) -> Option<Self> {
        Some(Self {
            start: range.start.try_into().ok()?,
            end: range.end.try_into().ok()?,
        })
    }

    pub(super) fn range(self) -> Option<Range<usize>> {
        Some(self.start.try_into().ok()?..self.end.try_into().ok()?)
    }
}

/// The deepest document that is read, which is what `serde_json` allows.
const DEEPEST: usize = 127;

/// How many values a document has at most, since each takes more memory than its text.
const MOST_VALUES: usize = 1 << 18;

/// Whether a text has more values than are read, if it is JSON.
pub(in crate::explain) fn has_too_many_values(text: &[u8]) -> bool {
    memchr::memchr2_iter(b',', b'[', text)
        .nth(MOST_VALUES)
        .is_some()
}

impl<'d> Document<'d> {
    /// `None` for what is no JSON, and for a single number or word.
    pub(in crate::explain::body) fn parse(text: &'d [u8]) -> Option<Self> {
        let first = text.trim_ascii_start().first()?;
        if !matches!(first, b'{' | b'[' | b'"') || has_too_many_values(text) {
            return None;
        }
        serde_json::from_slice::<IgnoredAny>(text).ok()?;
        let mut parser = Parser { text, at: 0 };
        let root = parser.value(0)?;
        Some(Self { text, root })
    }

    /// The text of a value, as received.
    pub(in crate::explain::body) fn raw(&self, node: &Node) -> &'d [u8] {
        let (Node::Scalar(span) | Node::Text(span) | Node::List(span, _) | Node::Map(span, _)) =
            node;
        self.slice(*span)
    }

    /// A string, decoded. `None` for other values.
    pub(in crate::explain::body) fn string(&self, node: &Node) -> Option<String> {
        match node {
            Node::Text(span) => serde_json::from_slice(self.slice(*span)).ok(),
            _ => None,
        }
    }

    pub(in crate::explain::body) fn key(&self, span: Span) -> String {
        let decoded = serde_json::from_slice(self.slice(span));
        decoded.unwrap_or_else(|_| String::from_utf8_lossy(self.slice(span)).into_owned())
    }

    pub(in crate::explain::body) fn slice(&self, span: Span) -> &'d [u8] {
        let text = span.range().and_then(|range| self.text.get(range));
        text.unwrap_or_default()
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
                Node::List(Span::new(start..self.at)?, items.into_boxed_slice())
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
                Node::Map(Span::new(start..self.at)?, members.into_boxed_slice())
            }
            _ => {
                while self
                    .text
                    .get(self.at)
                    .is_some_and(|byte| !b",]} \t\r\n".contains(byte))
                {
                    self.step();
                }
                Node::Scalar(Span::new(start..self.at)?)
            }
        })
    }

    fn string(&mut self) -> Option<Span> {
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
        Span::new(start..self.at)
    }
}
