//! The pieces of signed content, and what delimits each value.

use std::fmt;

use crate::{
    compiled::header_table::HeaderNames,
    scheme::template::{Filter, Token},
};

/// A literal or a placeholder for a value.
#[derive(Debug)]
pub(crate) enum Piece {
    Literal(Box<[u8]>),
    Head(usize),
    Secret(Vec<Filter>),
    /// The whole body, unfiltered.
    Body,
    BodySha256,
    /// A value of the body, by its index in the table.
    BodyValue(usize, Vec<Filter>, Token),
    /// The timestamp, which is in the body.
    BodyTime(usize, Vec<Filter>),
}

/// A signed value from the head.
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
        matches!(
            self,
            Self::Body | Self::BodySha256 | Self::BodyValue(..) | Self::BodyTime(..)
        )
    }
}

/// What separates a value from its neighbour. It is checked after the filters.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) enum Delimiter {
    /// Nothing: the value is self-delimiting, or it is the open piece.
    #[default]
    None,
    /// The text that follows it.
    After(Box<[u8]>),
    /// The text before it.
    Before(Box<[u8]>),
    /// The timestamp that follows it: the value must not contain one, or the start of one.
    Time,
}

impl Delimiter {
    /// Whether the value has exactly one end.
    pub(crate) fn holds(&self, value: &[u8]) -> bool {
        let (Self::After(text) | Self::Before(text)) = self else {
            return true;
        };
        // The usual delimiter is one character.
        if let [character] = **text {
            return memchr::memchr(character, value).is_none();
        }
        let is_within = |start| match self {
            // In the delimiter and the value joined, the last occurrence must be the delimiter …
            Self::Before(_) => {
                let joined = text.iter().chain(value).skip(start).skip(1);
                joined.take(text.len()).eq(text.iter())
            }
            // … and in the value and the delimiter joined, the first one.
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
