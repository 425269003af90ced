//! What must hold of a scheme as a whole.

use super::super::{
    Coverage, Encoding, Keying, Scheme, Signature,
    signature::Grammar,
    template::{self, Filter, Part, Token},
    timestamp::TimestampPlace,
};
use crate::SetupError;

/// Checks that the content is keyed, covers the body and is made of values that exist, and that the grammar can find
/// what it looks for.
pub(super) fn check(scheme: &Scheme, parts: &[Part]) -> Result<(), SetupError> {
    check_content(scheme, parts)?;
    check_fields(scheme, parts)?;
    check_families(scheme)?;
    check_separators(&scheme.signature)
}

fn check_families(scheme: &Scheme) -> Result<(), SetupError> {
    let Some(first) = scheme.families.first() else {
        return Ok(());
    };
    for prefix in &scheme.families {
        template::header_name(prefix).map_err(|error| error.within("header_families"))?;
    }
    let used = |name: &str| {
        let head = name.get(..first.len());
        head.is_some_and(|head| head.eq_ignore_ascii_case(first))
    };
    if scheme.signature.headers.iter().any(|name| used(name)) {
        return Ok(());
    }
    Err(SetupError::new(format!(
        "header_families: the signature header does not begin with {first:?}; write the prefix that it has first"
    )))
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
        // Up to a digest, no filter may make two bodies one.
        let mut changes = filters
            .iter()
            .take_while(|filter| **filter != Filter::Sha256Hex);
        *token == Token::Body && changes.all(|filter| *filter == Filter::JsonString)
    });
    if !covered && scheme.coverage == Coverage::Body {
        return refused(
            "it does not cover the body as it is; add {body}, or say covers = \"partial\" if the provider \
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

fn check_separators(signature: &Signature) -> Result<(), SetupError> {
    let fielded = matches!(
        signature.grammar,
        Grammar::Fields { .. } | Grammar::Positional { .. }
    );
    if fielded && (signature.repeats || signature.headers.len() > 1) {
        return Err(SetupError::new(
            "signature: several lines or headers go with a whole value or a list, since fields could differ between them",
        ));
    }
    let encoded = match signature.encoding {
        Encoding::Hex => "",
        Encoding::Base64 | Encoding::HexOrBase64 => "+/=",
        Encoding::Base64Url => "-_=",
    };
    let (separators, text): (&[Option<char>], &str) = match &signature.grammar {
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
            if *sets == Some(*separator) || *separator == '=' {
                return Err(SetupError::new(
                    "signature: fields, their values and sets need separators that differ",
                ));
            }
            (&[Some(*separator), *sets], field)
        }
        Grammar::Positional { separator, .. } => (&[Some(*separator)], ""),
    };
    for separator in separators.iter().flatten() {
        let punctuation = separator.is_ascii_punctuation() || *separator == ' ';
        if !punctuation || encoded.contains(*separator) {
            return Err(SetupError::new(format!(
                "signature: {separator:?} cannot separate signatures in {}; use a punctuation mark that is no part of \
                 them, or a space",
                signature.encoding
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
