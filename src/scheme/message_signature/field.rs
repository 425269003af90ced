//! Fields of a request as structured fields ([RFC 9651](https://www.rfc-editor.org/rfc/rfc9651)).

use std::convert::Infallible;

use sfv::{
    Dictionary, FieldType, Item, KeyRef, List, ListEntry, ListSerializer, Parser,
    visitor::{DictionaryVisitor, EntryVisitor, Ignored},
};

use crate::head::Head;

/// Longer values would let one request cost too much. Servers allow about as much for all headers.
const MAX_LENGTH: usize = 16 * 1024;

/// The values of all lines of a field, without the white space around them. There are none if the
/// field is missing.
pub(super) fn lines<'h>(head: &Head<'h>, name: &str) -> Vec<&'h [u8]> {
    let mut lines = Vec::new();
    head.headers.for_each(&mut |candidate, value| {
        if candidate.eq_ignore_ascii_case(name) {
            lines.push(value.trim_ascii());
        }
    });
    lines
}

/// The value of a field in one line. `None` if it is missing, too long, or not text.
pub(super) fn combined(head: &Head<'_>, name: &str) -> Option<String> {
    let lines = lines(head, name);
    let length = lines.iter().map(|line| line.len()).sum::<usize>();
    if lines.is_empty() || length > MAX_LENGTH {
        return None;
    }
    String::from_utf8(lines.join(&b", "[..])).ok()
}

/// Whether a text can be a value: visible ASCII, spaces and tabs. Nothing of it begins a new line
/// of what is signed.
pub(super) fn is_plain(text: &str) -> bool {
    text.bytes()
        .all(|byte| byte == b'\t' || matches!(byte, b' '..=b'~'))
}

/// The members of a dictionary. `None` if it is malformed or has a key twice: of two, readers take
/// the last, but not all of them.
pub(super) fn dictionary(text: &str) -> Option<Dictionary> {
    let counted = Parser::new(text).parse_dictionary_with_visitor(Count(0));
    let members: Dictionary = Parser::new(text).parse().ok()?;
    (counted.ok()? == members.len()).then_some(members)
}

/// The number of members, with those that are replaced by later ones.
struct Count(usize);

impl<'de> DictionaryVisitor<'de> for Count {
    type Out = usize;
    type Error = Infallible;

    fn entry(&mut self, _: &'de KeyRef) -> Result<impl EntryVisitor<'de>, Infallible> {
        self.0 = self.0.saturating_add(1);
        Ok(Ignored)
    }

    fn finish(self) -> Result<usize, Infallible> {
        Ok(self.0)
    }
}

/// The strict serialisation of a member.
pub(super) fn member(entry: &ListEntry) -> String {
    let mut serializer = ListSerializer::new();
    serializer.members([entry]);
    serializer.finish().unwrap_or_default()
}

/// What structured fields consist of. Only the definition of a field says which.
#[derive(Clone, Copy)]
enum Structure {
    Item,
    List,
    Dictionary,
}

/// The structured fields that a request may have, from the registry of HTTP fields.
const STRUCTURED: [(&str, Structure); 14] = [
    ("accept-signature", Structure::Dictionary),
    ("cache-status", Structure::List),
    ("client-cert", Structure::Item),
    ("client-cert-chain", Structure::List),
    ("content-digest", Structure::Dictionary),
    ("idempotency-key", Structure::Item),
    ("priority", Structure::Dictionary),
    ("proxy-status", Structure::List),
    ("repr-digest", Structure::Dictionary),
    ("sec-ch-ua", Structure::List),
    ("signature", Structure::Dictionary),
    ("signature-input", Structure::Dictionary),
    ("want-content-digest", Structure::Dictionary),
    ("want-repr-digest", Structure::Dictionary),
];

/// Whether the field is one whose structure is known.
pub(super) fn is_structured(name: &str) -> bool {
    STRUCTURED.iter().any(|(known, _)| *known == name)
}

/// The strict serialisation of a field whose structure is known.
pub(super) fn strict(name: &str, value: &str) -> Option<String> {
    let (_, structure) = STRUCTURED.iter().find(|(known, _)| *known == name)?;
    match structure {
        Structure::Item => Some(Parser::new(value).parse::<Item>().ok()?.serialize()),
        Structure::List => Parser::new(value).parse::<List>().ok()?.serialize(),
        Structure::Dictionary => dictionary(value)?.serialize(),
    }
}
