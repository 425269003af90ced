//! Checks of a scheme as a whole.

use std::borrow::Cow;

use crate::{
    error::SetupError,
    head::header_name,
    scheme::{
        algorithm::Keying,
        definition::{Coverage, Scheme},
        encoding::Encoding,
        signature::{Grammar, SignatureFormat},
        template::{Filter, Segment, Token},
        timestamp::TimestampPlace,
    },
};

/// Checks that the content is keyed, covers the body and uses only values that exist, and that the
/// grammar can match.
pub(crate) fn validate(scheme: &Scheme, segments: &[Segment]) -> Result<(), SetupError> {
    check_content(scheme, segments)?;
    check_fields(scheme, segments)?;
    check_families(scheme)?;
    check_separators(&scheme.signature)?;
    check_places(scheme, segments)
}

/// Refuses a header or field that can never be found, or that is the signature: no request could
/// be accepted.
fn check_places(scheme: &Scheme, segments: &[Segment]) -> Result<(), SetupError> {
    let signature = &scheme.signature;
    let headers = scheme.require.iter().map(|(name, _)| (&**name, "require"));
    let mut headers: Vec<(&str, &str)> = headers.collect();
    let mut fields = Vec::new();
    for segment in segments {
        match segment {
            Segment::Token(Token::Header(name), _) => headers.push((name, "signed")),
            Segment::Token(Token::Field(name), _) => fields.push((&**name, "signed")),
            _ => {}
        }
    }
    match scheme.timestamp.as_ref().map(|time| &time.place) {
        Some(TimestampPlace::Header(name)) => headers.push((name, "timestamp")),
        Some(TimestampPlace::Field(name)) => fields.push((name, "timestamp")),
        None => {}
    }
    for (name, key) in headers {
        let is_name = |header: &Cow<'static, str>| header.eq_ignore_ascii_case(name);
        if signature.headers.iter().any(is_name) {
            return Err(SetupError::new(format!(
                "{key}: header {name:?} carries the signature and cannot be used twice; name another"
            )));
        }
    }
    match &signature.grammar {
        Grammar::Single { prefix } | Grammar::List { prefix, .. } => {
            if prefix.starts_with(|first: char| first.is_ascii_whitespace())
                || prefix.contains(is_control)
            {
                return Err(SetupError::new(format!(
                    "signature: the prefix {prefix:?} begins with white space or contains a control character, so it can never match"
                )));
            }
        }
        Grammar::Fields {
            separator,
            field,
            sets,
        } => {
            if let Some((name, key)) = fields.iter().find(|(name, _)| *name == field) {
                return Err(SetupError::new(format!(
                    "{key}: field {name:?} carries the signature and cannot be used twice; name another"
                )));
            }
            for (name, key) in fields.into_iter().chain([(&**field, "signature")]) {
                let ends = |letter| {
                    letter == '='
                        || letter == *separator
                        || Some(letter) == *sets
                        || is_control(letter)
                };
                if name.contains(ends) || name.starts_with(' ') {
                    return Err(SetupError::new(format!(
                        "{key}: field {name:?} can never match; write the text between the separator and the = sign"
                    )));
                }
            }
        }
        Grammar::Positional { .. } => {}
    }
    Ok(())
}

/// Header values contain no control characters except tabs, which are trimmed.
fn is_control(letter: char) -> bool {
    letter.is_ascii_control()
}

fn check_families(scheme: &Scheme) -> Result<(), SetupError> {
    let Some(first) = scheme.families.first() else {
        return Ok(());
    };
    for prefix in &scheme.families {
        header_name(prefix).map_err(|error| error.within("header_families"))?;
    }
    let used = |name: &str| {
        let head = name.get(..first.len());
        head.is_some_and(|head| head.eq_ignore_ascii_case(first))
    };
    if scheme.signature.headers.iter().any(|name| used(name)) {
        return Ok(());
    }
    Err(SetupError::new(format!(
        "header_families: the signature header does not begin with {first:?}; list its prefix first"
    )))
}

fn check_content(scheme: &Scheme, segments: &[Segment]) -> Result<(), SetupError> {
    let mut tokens = segments.iter().filter_map(|segment| match segment {
        Segment::Literal(_) => None,
        Segment::Token(token, filters) => Some((token, filters)),
    });
    let has = |wanted: Token| {
        segments
            .iter()
            .any(|segment| matches!(segment, Segment::Token(token, _) if *token == wanted))
    };
    let refused = |message: String| Err(SetupError::new(format!("signed: {message}")));
    if segments.is_empty() {
        return refused("it is empty; write what is signed, as in \"{body}\"".to_owned());
    }
    let covered = tokens.any(|(token, filters)| {
        // Up to a digest, every filter must be injective.
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
        return refused("{ts} needs a timestamp; add where it is, as in timestamp = { header = \"X-Timestamp\" }".to_owned());
    }
    Ok(())
}

fn check_fields(scheme: &Scheme, segments: &[Segment]) -> Result<(), SetupError> {
    let fields = segments.iter().filter_map(|segment| match segment {
        Segment::Token(Token::Field(name), _) => Some((&**name, "signed")),
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

fn check_separators(signature: &SignatureFormat) -> Result<(), SetupError> {
    let fielded = matches!(
        signature.grammar,
        Grammar::Fields { .. } | Grammar::Positional { .. }
    );
    if fielded && (signature.repeats || signature.headers.len() > 1) {
        return Err(SetupError::new(
            "signature: several lines or headers need a whole value or a list; fields could differ between them",
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
                    "signature: the field has no name; write the text before the = sign",
                ));
            }
            if *sets == Some(*separator) || *separator == '=' {
                return Err(SetupError::new(
                    "signature: fields, values and sets need different separators",
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
                "signature: {separator:?} cannot separate signatures in {}; use a space or a punctuation mark that the \
                 encoding does not use",
                signature.encoding
            )));
        }
        if text.contains(*separator) {
            return Err(SetupError::new(format!(
                "signature: {text:?} contains the separator {separator:?}, so it can never match"
            )));
        }
    }
    Ok(())
}
