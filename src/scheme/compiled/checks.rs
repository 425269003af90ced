//! What must hold of a scheme as a whole.

use super::super::{
    Coverage, Keying, Scheme,
    signature::Grammar,
    template::{Filter, Part, Token},
    timestamp::TimestampPlace,
};
use crate::SetupError;

/// Checks that the content is keyed, covers the body and is made of values that exist, and that the grammar can find
/// what it looks for.
pub(super) fn check(scheme: &Scheme, parts: &[Part]) -> Result<(), SetupError> {
    check_content(scheme, parts)?;
    check_fields(scheme, parts)?;
    check_separators(&scheme.signature.grammar)
}

fn check_content(scheme: &Scheme, parts: &[Part]) -> Result<(), SetupError> {
    let mut tokens = parts.iter().filter_map(|part| match part {
        Part::Literal(_) => None,
        Part::Token(token, filters) => Some((token, filters)),
    });
    let has = |wanted: Token| {
        parts
            .iter()
            .any(|part| matches!(part, Part::Token(token, _) if *token == wanted))
    };
    let refused = |message: String| Err(SetupError::new(format!("signed: {message}")));
    if parts.is_empty() {
        return refused("it is empty; write what is signed, as in \"{body}\"".to_owned());
    }
    let covered = tokens.any(|(token, filters)| {
        let whole = |filter: &Filter| matches!(filter, Filter::Sha256Hex | Filter::JsonString);
        *token == Token::Body && filters.first().is_none_or(whole)
    });
    if !covered && scheme.coverage == Coverage::Body {
        return refused(
            "it does not cover the body; add {body}, or say covers = \"partial\" if the provider \
             really signs no more"
                .to_owned(),
        );
    }
    let algorithm = scheme.algorithm;
    match (algorithm.keying(), has(Token::Secret)) {
        (Keying::Content, false) => {
            return refused(format!(
                "{algorithm} has no key of its own, so anybody could compute it; add {{secret}} \
                 where the provider puts it"
            ));
        }
        (Keying::None, true) => {
            return refused(format!(
                "{algorithm} is for content without a secret; use sha256"
            ));
        }
        _ => {}
    }
    if has(Token::Timestamp) && scheme.timestamp.is_none() {
        return refused("{ts} needs a timestamp; say where it stands".to_owned());
    }
    Ok(())
}

fn check_fields(scheme: &Scheme, parts: &[Part]) -> Result<(), SetupError> {
    let fields = parts.iter().filter_map(|part| match part {
        Part::Token(Token::Field(name), _) => Some((&**name, "signed")),
        _ => None,
    });
    let time = scheme
        .timestamp
        .iter()
        .filter_map(|time| match &time.place {
            TimestampPlace::Field(name) => Some((&**name, "timestamp")),
            TimestampPlace::Header(_) => None,
        });
    for (name, key) in fields.chain(time) {
        let known = match &scheme.signature.grammar {
            Grammar::Fields { .. } => true,
            Grammar::Positional { first, .. } => name
                .parse::<usize>()
                .is_ok_and(|position| position < *first),
            Grammar::Single { .. } | Grammar::List { .. } => false,
        };
        if !known {
            return Err(SetupError::new(format!(
                "{key}: the signature header has no field {name:?}; use a header, or a signature \
                 with fields"
            )));
        }
    }
    Ok(())
}

fn check_separators(grammar: &Grammar) -> Result<(), SetupError> {
    let (separators, text): (&[Option<char>], &str) = match grammar {
        Grammar::Single { .. } => return Ok(()),
        Grammar::List { separator, prefix } => (&[Some(*separator)], prefix),
        Grammar::Fields {
            separator,
            field,
            sets,
        } => {
            if field.is_empty() {
                return Err(SetupError::new(
                    "signature: the field has no name; write the one before the = sign",
                ));
            }
            (&[Some(*separator), *sets, Some('=')], field)
        }
        Grammar::Positional { separator, .. } => (&[Some(*separator)], ""),
    };
    for separator in separators.iter().flatten() {
        if !separator.is_ascii() || separator.is_ascii_alphanumeric() {
            return Err(SetupError::new(format!(
                "signature: {separator:?} cannot separate signatures; use a punctuation mark or a space"
            )));
        }
        if text.contains(*separator) {
            return Err(SetupError::new(format!(
                "signature: {text:?} holds the separator {separator:?}, so it would never be found"
            )));
        }
    }
    Ok(())
}
