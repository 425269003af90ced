//! Where each value of signed content ends, so that one signature never stands for two requests.
//!
//! Content has one reading when at most one piece of it is open, that is, may be of any length: as a rule the body. What
//! stands in front of it must show its end when read from the left: by a fixed length, by the quotes of a JSON string, or by the
//! literal text that follows, which it then may not contain. What stands behind must do so when read from the right, where the
//! text before it counts, and quotes do not help.

use crate::{
    compiled::piece::{Delimiter, Piece, Slot, SlotSource},
    error::SetupError,
    scheme::{
        definition::Coverage,
        template::{Filter, Token},
    },
};

/// How a piece shows its end.
enum End {
    /// By its length, or because it is known beforehand. A time shows its end by its form, or is as long as every other: see
    /// [`touches_time`].
    Fixed,
    /// By quotes, when read from the left.
    Quoted,
    Open,
}

fn end(piece: &Piece, slots: &[Slot], coverage: Coverage) -> End {
    let filters = match piece {
        Piece::Literal(_) | Piece::Secret(_) | Piece::BodySha256 => return End::Fixed,
        // The body that it is taken from is signed too, and no JSON document is the beginning or the end of another.
        Piece::BodyValue(_, _, Token::Json(_)) if coverage == Coverage::Body => return End::Fixed,
        Piece::Head(place) => match slots.get(*place) {
            Some(slot) if is_time(slot) => return End::Fixed,
            Some(slot) => &slot.filters,
            None => return End::Open,
        },
        Piece::Body => return End::Open,
        Piece::BodyValue(_, filters, _) => filters,
    };
    if filters.contains(&Filter::Sha256Hex) {
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

/// Whether a time stands next to a value, or to a digit, so that the digits of a number alone do not show where it ends. Dates do:
/// none is the beginning or the end of another.
pub(crate) fn touches_time(pieces: &[Piece], slots: &[Slot]) -> bool {
    let is_bare_time = |piece: &Piece| match piece {
        Piece::Head(place) => slots.get(*place).is_some_and(|slot| {
            let framed = [Filter::Sha256Hex, Filter::JsonString];
            is_time(slot) && !slot.filters.iter().any(|filter| framed.contains(filter))
        }),
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

/// Finds the delimiter of each value. Under partial coverage the provider's own separators have to do.
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
        // As it is written: how a filter spells it is not looked for.
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
            // A body that stands there again is as long as it was.
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
                return Err(SetupError::new(format!(
                    "signed: {} and what stands before it could be cut in two ways; put the text between them that the \
                     provider signs there",
                    name.unwrap_or_default()
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
