//! [`Place`]: the location of a mistake in a file, by table and line.

use std::{collections::BTreeMap, fmt};

use toml::de::DeTable;

use crate::error::SetupError;

pub(super) const ENDPOINTS: &str = "endpoints";
pub(super) const PROVIDERS: &str = "providers";
pub(super) const DELIVERIES: &str = "deliveries";

/// A table of the file: a top-level table, or a named table in it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) table: String,
    pub(super) name: Option<String>,
}

/// A mistake and the table that contains it.
pub(super) type PlacedMistake = (Place, SetupError);

impl Place {
    pub(super) fn new(table: &str, name: Option<&str>) -> Self {
        Self {
            table: table.to_owned(),
            name: name.map(str::to_owned),
        }
    }
}

/// `endpoint "kyc"`, or the name of a top-level table.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let table = &*self.table;
        match &self.name {
            Some(name) => write!(f, "{} {name:?}", table.strip_suffix('s').unwrap_or(table)),
            None => f.write_str(table),
        }
    }
}

/// The byte offsets at which the tables of a TOML document begin.
pub(super) fn beginnings(document: &DeTable<'_>) -> BTreeMap<Place, usize> {
    let mut beginnings = BTreeMap::new();
    for (table, content) in document {
        let begin = table.span().start;
        beginnings.insert(Place::new(table.get_ref(), None), begin);
        for (name, _) in content.get_ref().as_table().into_iter().flatten() {
            let place = Place::new(table.get_ref(), Some(name.get_ref()));
            beginnings.insert(place, name.span().start);
        }
    }
    beginnings
}

/// Converts a syntax error without its full message, which quotes the line and may show a secret.
pub(super) fn syntax_error(error: &toml::de::Error, text: &str) -> SetupError {
    let problem = SetupError::new(error.message());
    match error.span() {
        Some(span) => problem.within(line_of(text, span.start)),
        None => problem,
    }
}

pub(super) fn line_of(text: &str, byte: usize) -> String {
    let before = text.bytes().take(byte);
    let lines = before.filter(|byte| *byte == b'\n').count();
    format!("line {}", lines.saturating_add(1))
}

/// Prefixes each mistake with its place. For an unknown table, whose name is in the mistake, the
/// place is the line, if the format has lines.
///
/// # Errors
///
/// When there are mistakes.
pub(super) fn all(
    mistakes: Vec<PlacedMistake>,
    line: impl Fn(&Place) -> Option<String>,
) -> Result<(), SetupError> {
    let placed = mistakes.into_iter().map(|(place, error)| {
        if [ENDPOINTS, PROVIDERS, DELIVERIES].contains(&&*place.table) {
            return error.within(place);
        }
        match line(&place) {
            Some(line) => error.within(line),
            None => error,
        }
    });
    SetupError::all(placed)
}
