//! Where each value of signed content ends, so that one signature never stands for two requests.

use super::{
    super::template::Filter,
    content::{Piece, Slot, SlotSource},
};
use crate::SetupError;

impl Slot {
    /// Whether it is clear where the value ends, whatever stands beside it: a time and a method have a form of their own, a
    /// digest has one length, and a JSON string has its quotes.
    fn is_plain(&self) -> bool {
        let fixed = |filter: &Filter| matches!(filter, Filter::Sha256Hex | Filter::JsonString);
        matches!(self.from, SlotSource::Timestamp | SlotSource::Method)
            || self.filters.iter().any(fixed)
    }
}

/// Gives each value of the head the literal text that ends it: the one after it, or, behind the body, the one before it.
/// A value without one could be cut in two ways, so that bytes pass from one value to the next under the same signature.
pub(super) fn delimit(pieces: &[Piece], slots: &mut [Slot]) -> Result<(), SetupError> {
    let free = |piece: &Piece| match piece {
        Piece::Body(filters) => !filters.contains(&Filter::JsonString),
        Piece::Json(..) | Piece::Form(..) => true,
        _ => false,
    };
    let plain: Vec<bool> = slots.iter().map(Slot::is_plain).collect();
    for (index, piece) in pieces.iter().enumerate() {
        let Piece::Captured(place) = piece else {
            continue;
        };
        let Some(slot) = slots.get_mut(*place).filter(|slot| !slot.is_plain()) else {
            continue;
        };
        let behind_body = pieces.iter().take(index).any(free);
        let neighbour = if behind_body {
            index.checked_sub(1).and_then(|before| pieces.get(before))
        } else {
            pieces.get(index.saturating_add(1))
        };
        match neighbour {
            None | Some(Piece::Secret(_) | Piece::BodySha256) => {}
            Some(Piece::Captured(other)) if plain.get(*other) == Some(&true) => {}
            Some(Piece::Literal(text)) => slot.delimiter = Some(text.clone()),
            Some(_) => {
                return Err(SetupError::new(format!(
                    "signed: {} touches another value, so that both could be cut in two ways; put the text between \
                     them that the provider signs there",
                    slot.from
                )));
            }
        }
    }
    Ok(())
}

impl std::fmt::Display for SlotSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Header(names) => write!(f, "{{header:{}}}", names.of(0).map_or("", |name| name)),
            Self::Field(name) => write!(f, "{{field:{name}}}"),
            Self::Query(name) => write!(f, "{{query:{name}}}"),
            Self::Timestamp => f.write_str("{ts}"),
            Self::Method => f.write_str("{method}"),
            Self::Path => f.write_str("{path}"),
        }
    }
}
