//! The place of a mistake in a file: its table, and the line of that.

use std::{collections::BTreeMap, fmt};

use toml::de::DeTable;

use crate::error::SetupError;

pub(super) const ENDPOINTS: &str = "endpoints";
pub(super) const PROVIDERS: &str = "providers";
pub(super) const DELIVERIES: &str = "deliveries";

/// A table of the file: a top-level one, or one under it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) table: String,
    pub(super) name: Option<String>,
}

/// A mistake and the table that has it.
pub(super) type Mistake = (Place, SetupError);

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

/// Where the tables of a TOML document begin, in bytes.
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

/// An error of the parser. Its full text quotes the line, which may contain a secret.
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

/// Puts the places in front of the mistakes. Instead of a table that is not known, whose name is in
/// the mistake, the line is the place, where there are lines.
///
/// # Errors
///
/// When there are mistakes.
pub(super) fn all(
    mistakes: Vec<Mistake>,
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
