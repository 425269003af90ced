//! Makes the signed content uniquely decodable, so that one signature never covers two requests.
//!
//! The concatenation of values is injective if at most one piece is *open*, that is, of unbounded
//! length: usually the body. Every piece in front of the open one must be self-delimiting when
//! decoded from the left: by a fixed length, by the quotes of a JSON string, or by the literal text
//! that follows it, which it must not contain. Every piece behind the open one must be
//! self-delimiting when decoded from the right, by the literal text in front of it; quotes do not
//! help there.

use crate::{
    compiled::piece::{Delimiter, Piece, Slot, SlotSource},
    error::SetupError,
    scheme::{
        definition::Coverage,
        template::{Filter, Token},
    },
};

/// How the end of a piece is found.
enum End {
    /// By its length, or because the receiver knows it. A timestamp has a self-delimiting form or a
    /// fixed length: see [`touches_time`].
    Fixed,
    /// By its quotes, when decoded from the left.
    Quoted,
    Open,
}

fn end(piece: &Piece, slots: &[Slot], coverage: Coverage) -> End {
    let filters = match piece {
        Piece::Literal(_) | Piece::Secret(_) | Piece::BodySha256 | Piece::BodyTime(..) => {
            return End::Fixed;
        }
        // The body that contains it is signed too, and JSON documents are prefix-free.
        Piece::BodyValue(_, _, Token::Json(_) | Token::Span(_)) if coverage == Coverage::Body => {
            return End::Fixed;
        }
        Piece::Head(place) => match slots.get(*place) {
            Some(slot) if is_time(slot) => return End::Fixed,
            Some(slot) => &slot.filters,
            None => return End::Open,
        },
        Piece::Body => return End::Open,
        Piece::BodyValue(_, filters, _) => filters,
    };
    if filters.iter().any(|filter| filter.is_digest()) {
        End::Fixed
    } else if filters.contains(&Filter::JsonString) {
        End::Quoted
    } else {
        End::Open
    }
}

fn is_time(slot: &Slot) -> bool {
    matches!(slot.from, SlotSource::Timestamp)
}

/// Whether a numeric timestamp is adjacent to another value or to a digit, so that it needs a fixed
/// length. Dates are prefix-free and suffix-free.
pub(crate) fn touches_time(pieces: &[Piece], slots: &[Slot]) -> bool {
    let is_framed = |filters: &[Filter]| {
        let mut filters = filters.iter();
        filters.any(|filter| filter.is_digest() || *filter == Filter::JsonString)
    };
    let is_bare_time = |piece: &Piece| match piece {
        Piece::Head(place) => slots
            .get(*place)
            .is_some_and(|slot| is_time(slot) && !is_framed(&slot.filters)),
        Piece::BodyTime(_, filters) => !is_framed(filters),
        _ => false,
    };
    let is_edge =
        |text: &[u8], byte: Option<&u8>| !text.is_empty() && !byte.is_some_and(u8::is_ascii_digit);
    pieces.windows(2).any(|pair| match pair {
        [Piece::Literal(text), time] if is_bare_time(time) => !is_edge(text, text.last()),
        [time, Piece::Literal(text)] if is_bare_time(time) => !is_edge(text, text.first()),
        [before, after] => is_bare_time(before) || is_bare_time(after),
        _ => false,
    })
}

/// The remedy if a value comes from the head and the receiver may know it: a text that is known
/// needs no delimiter. `pieces` end with the one that lacks a delimiter.
fn constant(pieces: &[Piece], slots: &[Slot]) -> Option<String> {
    let from_head = pieces.iter().rev().find_map(|piece| match piece {
        Piece::Head(place) => {
            let from = &slots.get(*place)?.from;
            let varies = matches!(from, SlotSource::Timestamp | SlotSource::Field(_));
            (!varies).then_some(from)
        }
        _ => None,
    })?;
    Some(format!(
        "; if {from_head} is the same in every request to the endpoint, write {{param:NAME}} or \
         {{url}} for it"
    ))
}

/// Finds the delimiter of each value. Partial coverage relies on the provider's own separators.
pub(crate) fn delimit(
    pieces: &[Piece],
    slots: &mut [Slot],
    coverage: Coverage,
) -> Result<(), SetupError> {
    let mut behind = false;
    let mut has_body = false;
    for (index, piece) in pieces.iter().enumerate() {
        let before = index.checked_sub(1).and_then(|index| pieces.get(index));
        let after = pieces.get(index.saturating_add(1));
        // Only an unfiltered timestamp is recognised within a value.
        let then_time = |slots: &[Slot]| match after {
            Some(Piece::Head(place)) => slots
                .get(*place)
                .is_some_and(|slot| is_time(slot) && slot.filters.is_empty()),
            _ => false,
        };
        let is_body = matches!(piece, Piece::Body | Piece::BodyValue(_, _, Token::Body));
        let again = has_body && is_body;
        has_body |= is_body;
        let delimiter = match (end(piece, slots, coverage), behind, piece) {
            // A second occurrence of the body has the length of the first.
            _ if again => continue,
            (End::Fixed, _, _) | (End::Quoted, false, _) => continue,
            (End::Open, false, Piece::Head(_)) => match after {
                Some(Piece::Literal(text)) => Delimiter::After(text.clone()),
                _ if then_time(slots) => Delimiter::Time,
                _ => {
                    behind = true;
                    continue;
                }
            },
            (End::Open, false, _) => {
                behind = true;
                continue;
            }
            (_, true, Piece::Head(_)) if matches!(before, Some(Piece::Literal(_))) => {
                match before {
                    Some(Piece::Literal(text)) => Delimiter::Before(text.clone()),
                    _ => continue,
                }
            }
            (_, true, _) if coverage == Coverage::Partial => continue,
            (_, true, piece) => {
                let name = match piece {
                    Piece::Head(place) => slots.get(*place).map(|slot| slot.from.to_string()),
                    Piece::BodyValue(_, _, token) => Some(token.to_string()),
                    _ => Some("{body}".to_owned()),
                };
                let constant = constant(pieces.get(..=index).unwrap_or_default(), slots);
                return Err(SetupError::new(format!(
                    "signed: {} and the value in front of it are ambiguous without a separator; write \
                     the text that the provider signs between them{}",
                    name.unwrap_or_default(),
                    constant.unwrap_or_default()
                )));
            }
        };
        if let Piece::Head(place) = piece
            && let Some(slot) = slots.get_mut(*place)
        {
            slot.delimiter = delimiter;
        }
    }
    Ok(())
}
