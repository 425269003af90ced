//! Checks of a scheme as a whole.

use std::borrow::Cow;

use crate::{
    error::SetupError,
    head::header_name,
    scheme::{
        algorithm::Keying,
        definition::{Coverage, Scheme},
        encoding::Encoding,
        locator::{Locator, LocatorKind},
        signature::Grammar,
        template::{Segment, Token},
    },
};

/// The last position at which signatures may begin, in a list that identifies them by position.
const MAX_POSITION: usize = 99;

/// Checks that the content is keyed, covers the body and uses only values that exist, and that the
/// grammar can match.
pub(crate) fn validate(scheme: &Scheme, segments: &[Segment]) -> Result<(), SetupError> {
    scheme.algorithm.check_supported()?;
    check_content(scheme, segments)?;
    check_fields(scheme, segments)?;
    check_families(scheme)?;
    check_separators(scheme)?;
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
    match scheme.timestamp.as_ref().map(|time| &time.place.0) {
        Some(LocatorKind::Header(name)) => headers.push((name, "timestamp")),
        Some(LocatorKind::Field(name)) => fields.push((name, "timestamp")),
        _ => {}
    }
    if let Some(time) = &scheme.timestamp {
        let checked = time.place.check();
        checked.map_err(|error| error.within("timestamp"))?;
    }
    for place in &signature.places {
        check_signature_place(scheme, place)
            .map_err(|error| error.within(key_of_places(scheme)))?;
    }
    let signs_all = |segment: &Segment| matches!(segment, Segment::Token(Token::Body, _));
    if let Some(place) = signature.places.iter().find(|place| place.is_in_body())
        && segments.iter().any(signs_all)
    {
        return Err(SetupError::new(format!(
            "signed: {{body}} contains the signature, which is {place}, so it can never match; write the values that the \
             provider signs"
        )));
    }
    for (name, key) in headers {
        let is_name = |place: &Locator| {
            let header = place.as_header();
            header.is_some_and(|header| header.eq_ignore_ascii_case(name))
        };
        if signature.places.iter().any(is_name) {
            return Err(SetupError::new(format!(
                "{key}: header {name:?} carries the signature and cannot be used twice; name another"
            )));
        }
    }
    match &signature.grammar {
        Grammar::Single { .. } | Grammar::List { .. } => {
            let is_wrong = |prefix: &&Cow<'static, str>| {
                prefix.starts_with(|first: char| first.is_ascii_whitespace())
                    || prefix.contains(is_control)
            };
            if let Some(prefix) = signature.grammar.prefixes().iter().find(is_wrong) {
                return Err(SetupError::new(format!(
                    "{}: the prefix {prefix:?} begins with white space or contains a control character, so it can never match",
                    key_of_places(scheme)
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
        Grammar::Positional { first, .. } if *first > MAX_POSITION => {
            return Err(SetupError::new(format!(
                "signature: first is {first}, and no header has so many items; write the position of the first signature, \
                 from 0 to {MAX_POSITION}"
            )));
        }
        Grammar::Positional { .. } => {}
    }
    Ok(())
}

/// The key under which a configuration file has the places of signatures.
fn key_of_places(scheme: &Scheme) -> &'static str {
    match scheme.algorithm.keying() {
        Keying::Token => "token",
        _ => "signature",
    }
}

/// Refuses a place where no signature can be, or that the content contains.
fn check_signature_place(scheme: &Scheme, place: &Locator) -> Result<(), SetupError> {
    place.check()?;
    let signature = &scheme.signature;
    let is_credentials = scheme.algorithm.keying() == Keying::Token
        && place
            .as_header()
            .is_some_and(|header| header.eq_ignore_ascii_case("authorization"));
    let is_bare = |prefix: &&Cow<'static, str>| {
        !prefix.is_empty() && prefix.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    if is_credentials && let Some(prefix) = signature.grammar.prefixes().iter().find(is_bare) {
        return Err(SetupError::new(format!(
            "the prefix {prefix:?} has no space behind it, so every token would begin with one; write \"{prefix} \""
        )));
    }
    if let LocatorKind::Field(_) = place.0 {
        return Err(SetupError::new(
            "a signature is not in a field of itself; use fields for the grammar of its header",
        ));
    }
    if place.is_header() {
        return Ok(());
    }
    if signature.places.len() > 1 || signature.repeats {
        return Err(SetupError::new(format!(
            "several lines or places need headers; {place} is one value"
        )));
    }
    if place.is_in_body() && scheme.coverage == Coverage::Body {
        return Err(SetupError::new(format!(
            "{place} is in the body, which cannot contain its own signature; say covers = \"partial\", and sign the values that \
             the provider signs"
        )));
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
    let headers = scheme.signature.places.iter();
    let mut headers = headers.filter_map(Locator::as_header);
    if headers.any(|name| used(&name)) {
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
    if scheme.algorithm.keying() == Keying::Token {
        return Ok(());
    }
    if segments.is_empty() {
        return refused("it is empty; write what is signed, as in \"{body}\"".to_owned());
    }
    let covered = tokens.any(|(token, filters)| {
        // Up to a digest, every filter must be injective.
        let mut changes = filters.iter().take_while(|filter| !filter.is_digest());
        *token == Token::Body && changes.all(|filter| filter.is_injective())
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
        (Keying::Public, true) => {
            return refused(format!(
                "{algorithm} has no secret that could be signed; remove {{secret}}"
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
        .filter_map(|time| match &time.place.0 {
            LocatorKind::Field(name) => Some((&**name, "timestamp")),
            _ => None,
        });
    let is_elsewhere = scheme
        .signature
        .places
        .iter()
        .any(|place| !place.is_header());
    for (name, key) in fields.chain(time) {
        if is_elsewhere {
            return Err(SetupError::new(format!(
                "{key}: field {name:?} is read from a signature header only, and the signature is elsewhere; name the place \
                 of the value"
            )));
        }
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

fn check_separators(scheme: &Scheme) -> Result<(), SetupError> {
    let signature = &scheme.signature;
    let fielded = matches!(
        signature.grammar,
        Grammar::Fields { .. } | Grammar::Positional { .. }
    );
    if fielded && (signature.repeats || signature.places.len() > 1) {
        return Err(SetupError::new(
            "signature: several lines or headers need a whole value or a list; fields could differ between them",
        ));
    }
    let encoded = match signature.encoding {
        Encoding::Hex => "",
        Encoding::Base64 | Encoding::HexOrBase64 => "+/=",
        Encoding::Base64Url => "-_=",
        Encoding::Text if scheme.algorithm.keying() == Keying::Token => return Ok(()),
        Encoding::Text => {
            return Err(SetupError::new(
                "signature: a signature has no text; use hex, base64 or base64url",
            ));
        }
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
