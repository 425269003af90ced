//! The fields of a form, where a scheme signs their names and values without anything between them.

use crate::{
    form::{self, Form},
    rejection::{Reason, kind::RejectionKind},
};

fn malformed() -> Reason {
    Reason::new(RejectionKind::MalformedBody)
}

pub(super) fn parse(body: &[u8]) -> Result<Form, Reason> {
    form::parse(body).map_err(|_| malformed())
}

/// The fields by name, and then by value.
pub(super) fn sorted(form: &Form) -> Vec<(&str, &str)> {
    let mut fields: Vec<_> = form.iter().collect();
    fields.sort_unstable();
    fields
}

/// Names and values, without anything between them.
pub(super) fn joined(fields: &[(&str, &str)]) -> String {
    let texts = fields.iter().flat_map(|(name, value)| [*name, *value]);
    texts.collect()
}

/// Refuses names that could be the rest of the URL before them.
pub(super) fn check_names(fields: &[(&str, &str)]) -> Result<(), Reason> {
    let is_name = |name: &str| {
        name.starts_with(|first: char| first.is_alphanumeric())
            && !name.contains(['&', '=', '?', '#', '/', '%'])
    };
    if fields.iter().all(|(name, _)| is_name(name)) {
        return Ok(());
    }
    Err(malformed())
}

/// Refuses a name that sorted fields have twice: it has no order.
pub(super) fn check_distinct(fields: &[(&str, &str)]) -> Result<(), Reason> {
    let is_repeated =
        |pair: &[(&str, &str)]| matches!(pair, [(one, _), (other, _)] if one == other);
    if fields.windows(2).any(is_repeated) {
        return Err(malformed());
    }
    Ok(())
}
