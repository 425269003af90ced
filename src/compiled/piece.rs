//! The pieces of signed content, and what delimits each value.

use std::fmt;

use crate::{
    compiled::header_table::HeaderNames,
    scheme::template::{Filter, Token},
};

/// A piece of content that waits for its value.
#[derive(Debug)]
pub(crate) enum Piece {
    Literal(Box<[u8]>),
    Head(usize),
    Secret(Vec<Filter>),
    /// The whole body as it is.
    Body,
    BodySha256,
    /// A value of the body, by its place in the table.
    BodyValue(usize, Vec<Filter>, Token),
}

/// A value that is taken out of the head, because it is signed.
#[derive(Debug)]
pub(crate) struct Slot {
    pub(crate) from: SlotSource,
    pub(crate) filters: Vec<Filter>,
    pub(crate) delimiter: Delimiter,
}

#[derive(Debug)]
pub(crate) enum SlotSource {
    Header(HeaderNames),
    Field(Box<str>),
    Timestamp,
    Method,
    Path,
    Query(Box<str>),
}

impl Piece {
    pub(crate) fn needs_body(&self) -> bool {
        matches!(self, Self::Body | Self::BodySha256 | Self::BodyValue(..))
    }
}

/// What keeps a value from running into its neighbour. It is checked on the value as it is signed.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) enum Delimiter {
    /// Its form is enough, or it is the one that is open.
    #[default]
    None,
    /// The text that follows it.
    After(Box<[u8]>),
    /// The text before it.
    Before(Box<[u8]>),
    /// The time that follows it: none may be read further in front.
    Time,
}

impl Delimiter {
    /// Whether the value ends where it should and nowhere else.
    pub(crate) fn holds(&self, value: &[u8]) -> bool {
        let (Self::After(text) | Self::Before(text)) = self else {
            return true;
        };
        // As a rule it is one character.
        if let [character] = **text {
            return memchr::memchr(character, value).is_none();
        }
        let is_within = |start| match self {
            // The text occurs in text and value together last where the value begins …
            Self::Before(_) => {
                let joined = text.iter().chain(value).skip(start).skip(1);
                joined.take(text.len()).eq(text.iter())
            }
            // … and in value and text together first where the value ends.
            _ => {
                let joined = value.iter().chain(text).skip(start);
                joined.take(text.len()).eq(text.iter())
            }
        };
        !(0..value.len()).any(is_within)
    }
}

impl fmt::Display for SlotSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header(names) => write!(f, "{{header:{}}}", names.shown()),
            Self::Field(name) => write!(f, "{{field:{name}}}"),
            Self::Query(name) => write!(f, "{{query:{name}}}"),
            Self::Timestamp => f.write_str("{ts}"),
            Self::Method => f.write_str("{method}"),
            Self::Path => f.write_str("{path}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_that_overlaps_itself_is_still_a_delimiter() {
        let after = Delimiter::After(Box::from(&b"::"[..]));
        assert!(after.holds(b"a") && after.holds(b"") && after.holds(b":a"));
        assert!(!after.holds(b"a:") && !after.holds(b"a::b") && !after.holds(b":"));
        let before = Delimiter::Before(Box::from(&b"--"[..]));
        assert!(before.holds(b"n") && before.holds(b"") && before.holds(b"n-"));
        assert!(!before.holds(b"-n") && !before.holds(b"a--b") && !before.holds(b"-"));
    }
}
