//! Parses the template of the signed content, such as `{header:svix-id}.{ts}.{body}`.

use std::{borrow::Cow, fmt};

use base64::{Engine, engine::general_purpose::STANDARD};
use md5::Md5;
use sha2::{Digest, Sha256};

use crate::{
    error::{SetupError, nearest},
    head::header_name,
    json::json_pointer,
};

/// One piece of signed content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Segment {
    Literal(Box<str>),
    Token(Token, Vec<Filter>),
}

/// The part of a segment in braces that selects a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    Body,
    Timestamp,
    Secret,
    Method,
    Path,
    Url,
    Header(Box<str>),
    Field(Box<str>),
    Query(Box<str>),
    Json(Box<str>),
    Form(Box<str>),
    /// A value in the JSON document in a form field.
    FormJson(Box<str>, Box<str>),
    /// The bytes of a member of the JSON object, as received.
    Span(Box<str>),
    Param(Box<str>),
}

/// The tokens and their arguments, for error messages.
const TOKENS: [&str; 14] = [
    "{body}",
    "{ts}",
    "{secret}",
    "{method}",
    "{path}",
    "{url}",
    "{header:Name}",
    "{field:name}",
    "{query:name}",
    "{json:/pointer}",
    "{form:name}",
    "{form:name#/pointer}",
    "{span:/member}",
    "{param:name}",
];

/// Words of other products for a token.
const SYNONYMS: [(&str, &str); 4] = [
    ("timestamp", "{ts}"),
    ("time", "{ts}"),
    ("payload", "{body}"),
    ("key", "{secret}"),
];

/// The remedy for an unknown token.
fn token_remedy(text: &str, name: &str) -> String {
    let synonym = SYNONYMS.iter().find(|(synonym, _)| *synonym == text);
    let takes_argument = |token: &&&str| token.starts_with(&format!("{{{name}:"));
    let argument = TOKENS.iter().find(takes_argument);
    match synonym.map(|(_, token)| token).or(argument) {
        Some(token) => format!("did you mean {token}?"),
        None => nearest(&format!("{{{text}}}"), &TOKENS).replace('"', ""),
    }
}

impl Token {
    fn parse(text: &str) -> Result<Self, SetupError> {
        let (name, argument) = match text.split_once(':') {
            Some((name, argument)) => (name, Some(argument)),
            None => (text, None),
        };
        Ok(match (name, argument) {
            ("body", None) => Self::Body,
            ("ts", None) => Self::Timestamp,
            ("secret", None) => Self::Secret,
            ("method", None) => Self::Method,
            ("path", None) => Self::Path,
            ("url", None) => Self::Url,
            ("header", Some(name)) => Self::Header(header_name(name)?.into()),
            ("field", Some(name)) if !name.is_empty() => Self::Field(name.into()),
            ("query", Some(name)) if !name.is_empty() => Self::Query(name.into()),
            ("json", Some(pointer)) => Self::Json(json_pointer(pointer)?.into()),
            ("form", Some(name)) if !name.is_empty() => match name.split_once('#') {
                Some((name, pointer)) => Self::FormJson(name.into(), json_pointer(pointer)?.into()),
                None => Self::Form(name.into()),
            },
            ("span", Some(pointer)) => Self::Span(member(pointer)?.into()),
            ("param", Some(name)) if !name.is_empty() => Self::Param(name.into()),
            _ => {
                return Err(SetupError::new(format!(
                    "unknown token {{{text}}}; {}",
                    token_remedy(text, name)
                )));
            }
        })
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Body => f.write_str("{body}"),
            Self::Timestamp => f.write_str("{ts}"),
            Self::Secret => f.write_str("{secret}"),
            Self::Method => f.write_str("{method}"),
            Self::Path => f.write_str("{path}"),
            Self::Url => f.write_str("{url}"),
            Self::Header(name) => write!(f, "{{header:{name}}}"),
            Self::Field(name) => write!(f, "{{field:{name}}}"),
            Self::Query(name) => write!(f, "{{query:{name}}}"),
            Self::Json(pointer) => write!(f, "{{json:{pointer}}}"),
            Self::Form(name) => write!(f, "{{form:{name}}}"),
            Self::FormJson(name, pointer) => write!(f, "{{form:{name}#{pointer}}}"),
            Self::Span(pointer) => write!(f, "{{span:{pointer}}}"),
            Self::Param(name) => write!(f, "{{param:{name}}}"),
        }
    }
}

/// Checks a pointer to a member of the top-level object.
fn member(pointer: &str) -> Result<&str, SetupError> {
    match json_pointer(pointer)?.rfind('/') {
        Some(0) => Ok(pointer),
        _ => Err(SetupError::new(format!(
            "{{span:{pointer}}} can only be a member of the top-level object, as in {{span:/data}}"
        ))),
    }
}

/// A transformation of a token's value before it is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Filter {
    /// The SHA-256, in lower-case hex.
    Sha256Hex,
    /// A JSON string, including quotes.
    JsonString,
    /// ASCII letters converted to lower case.
    Lower,
    /// The percent-escapes of HubSpot's v3 signature decoded.
    HubspotDecode,
    /// A URL without its query.
    WithoutQuery,
    /// Base64 of the standard alphabet, padded.
    Base64,
    /// The MD5, in padded base64.
    Md5Base64,
}

impl Filter {
    fn parse(text: &str) -> Result<Self, SetupError> {
        match text {
            "sha256hex" => Ok(Self::Sha256Hex),
            "jsonstr" => Ok(Self::JsonString),
            "lower" => Ok(Self::Lower),
            "hubspot_decode" => Ok(Self::HubspotDecode),
            "without_query" => Ok(Self::WithoutQuery),
            "b64" => Ok(Self::Base64),
            "md5b64" => Ok(Self::Md5Base64),
            _ => Err(SetupError::new(format!(
                "unknown filter {text:?}; {}",
                nearest(
                    text,
                    &[
                        "sha256hex",
                        "jsonstr",
                        "lower",
                        "hubspot_decode",
                        "without_query",
                        "b64",
                        "md5b64"
                    ]
                )
            ))),
        }
    }

    /// `None` if the filter cannot be applied: a JSON string must be UTF-8.
    fn apply(self, value: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::Sha256Hex => Some(sha256_hex(Sha256::digest(value).as_slice())),
            Self::JsonString => serde_json::to_vec(std::str::from_utf8(value).ok()?).ok(),
            Self::Lower => Some(value.to_ascii_lowercase()),
            Self::HubspotDecode => Some(hubspot_decode(value)),
            Self::WithoutQuery => {
                let mut parts = value.split(|byte| *byte == b'?');
                parts.next().map(<[u8]>::to_vec)
            }
            Self::Base64 => Some(STANDARD.encode(value).into_bytes()),
            Self::Md5Base64 => Some(STANDARD.encode(Md5::digest(value)).into_bytes()),
        }
    }
}

/// Encodes a digest in lower-case hex.
pub(crate) fn sha256_hex(digest: &[u8]) -> Vec<u8> {
    const_hex::display(digest).to_string().into_bytes()
}

/// Passes `value` through `filters` to `sink`; `None` if a filter cannot be applied.
pub(crate) fn filtered<R>(
    filters: &[Filter],
    value: &[u8],
    sink: impl FnOnce(&[u8]) -> R,
) -> Option<R> {
    let Some((first, rest)) = filters.split_first() else {
        return Some(sink(value));
    };
    let mut value = first.apply(value)?;
    for filter in rest {
        value = filter.apply(&value)?;
    }
    Some(sink(&value))
}

/// Decodes the characters that HubSpot documents for receivers to decode, and no others.
///
/// <https://developers.hubspot.com/docs/apps/legacy-apps/authentication/validating-requests>
fn hubspot_decode(value: &[u8]) -> Vec<u8> {
    const DECODED: [(&[u8; 3], u8); 12] = [
        (b"%3A", b':'),
        (b"%2F", b'/'),
        (b"%3F", b'?'),
        (b"%40", b'@'),
        (b"%21", b'!'),
        (b"%24", b'$'),
        (b"%27", b'\''),
        (b"%28", b'('),
        (b"%29", b')'),
        (b"%2A", b'*'),
        (b"%2C", b','),
        (b"%3B", b';'),
    ];
    let mut decoded = Vec::with_capacity(value.len());
    let mut rest = value;
    while let Some((first, tail)) = rest.split_first() {
        let escape = rest.first_chunk::<3>().and_then(|three| {
            DECODED
                .iter()
                .find(|(code, _)| code.eq_ignore_ascii_case(three))
        });
        match (escape, rest.get(3..)) {
            (Some((_, plain)), Some(after)) => {
                decoded.push(*plain);
                rest = after;
            }
            _ => {
                decoded.push(*first);
                rest = tail;
            }
        }
    }
    decoded
}

impl Filter {
    /// Whether different values stay different. Of a digest, that nobody finds two with the same.
    pub(crate) fn is_injective(self) -> bool {
        match self {
            Self::Sha256Hex | Self::JsonString | Self::Base64 | Self::Md5Base64 => true,
            Self::Lower | Self::HubspotDecode | Self::WithoutQuery => false,
        }
    }

    /// Whether the result has a fixed length.
    pub(crate) fn is_digest(self) -> bool {
        matches!(self, Self::Sha256Hex | Self::Md5Base64)
    }
}

/// Replaces each `{param:name}` in `text` by its value. No other token is allowed.
#[expect(
    clippy::ptr_arg,
    reason = "a text without parameters is returned as it is, borrowed or not"
)]
pub(crate) fn fill_in(
    text: &Cow<'static, str>,
    mut param: impl FnMut(&str) -> Result<String, SetupError>,
) -> Result<Cow<'static, str>, SetupError> {
    if !text.contains(['{', '}']) {
        return Ok(text.clone());
    }
    let mut filled = String::new();
    for segment in parse(text)? {
        match segment {
            Segment::Literal(literal) => filled.push_str(&literal),
            Segment::Token(Token::Param(name), filters) if filters.is_empty() => {
                filled.push_str(&param(&name)?);
            }
            Segment::Token(token, _) => {
                return Err(SetupError::new(format!(
                    "{text:?} may contain text and {{param:name}}, not {token}"
                )));
            }
        }
    }
    Ok(filled.into())
}

/// Splits a template into its segments. `{{` and `}}` are literal braces.
pub(crate) fn parse(template: &str) -> Result<Vec<Segment>, SetupError> {
    let mut segments = Vec::new();
    let mut literal = String::new();
    let mut rest = template.chars();
    while let Some(next) = rest.next() {
        match next {
            '{' | '}' if rest.as_str().starts_with(next) => {
                rest.next();
                literal.push(next);
            }
            '{' => {
                let Some((inside, after)) = rest.as_str().split_once('}') else {
                    return Err(SetupError::new(
                        "a { is not closed; write {{ for a literal brace",
                    ));
                };
                rest = after.chars();
                if !literal.is_empty() {
                    segments.push(Segment::Literal(std::mem::take(&mut literal).into()));
                }
                let mut words = inside.split('|');
                let token = Token::parse(words.next().unwrap_or_default())?;
                let filters = words.map(Filter::parse).collect::<Result<_, _>>()?;
                segments.push(Segment::Token(token, filters));
            }
            '}' => {
                return Err(SetupError::new(
                    "a } has no matching {; write }} for a literal brace",
                ));
            }
            other => literal.push(other),
        }
    }
    if !literal.is_empty() {
        segments.push(Segment::Literal(literal.into()));
    }
    Ok(segments)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The template text of `segments`.
    fn display(segments: &[Segment]) -> String {
        let mut text = String::new();
        for part in segments {
            match part {
                Segment::Literal(literal) => {
                    text.push_str(&literal.replace('{', "{{").replace('}', "}}"));
                }
                Segment::Token(token, filters) => {
                    text.push_str(&token.to_string());
                    text.pop();
                    for filter in filters {
                        text.push_str(match filter {
                            Filter::Sha256Hex => "|sha256hex",
                            Filter::JsonString => "|jsonstr",
                            Filter::Lower => "|lower",
                            Filter::HubspotDecode => "|hubspot_decode",
                            Filter::WithoutQuery => "|without_query",
                            Filter::Base64 => "|b64",
                            Filter::Md5Base64 => "|md5b64",
                        });
                    }
                    text.push('}');
                }
            }
        }
        text
    }

    #[test]
    fn templates_round_trip() {
        for template in [
            "{body}",
            "v0:{ts}:{body}",
            "{header:svix-id}.{ts}.{body}",
            r#"{{"Body":{body|jsonstr},"EnvironmentName":{field:env|jsonstr},"TimeStamp":{ts}}}"#,
            "id:{query:data.id|lower};request-id:{header:x-request-id};ts:{ts};",
            "{method}{url|hubspot_decode}{body}{ts}",
            "{json:/a/b}{form:x}{param:p}{path}{secret|sha256hex}",
            "é{body}",
            "{method}{body|md5b64}{body|b64}{span:/data}{form:json#/event/time}",
        ] {
            let segments = parse(template).unwrap();
            assert_eq!(display(&segments), template);
        }
        assert_eq!(parse("").unwrap(), []);
    }

    #[test]
    fn doubled_braces_are_literal() {
        let segments = parse("{{{body}}}").unwrap();
        assert_eq!(
            segments,
            [
                Segment::Literal("{".into()),
                Segment::Token(Token::Body, vec![]),
                Segment::Literal("}".into()),
            ]
        );
    }

    #[test]
    fn errors_name_the_remedy() {
        let error = |template| parse(template).unwrap_err().to_string();
        assert_eq!(
            error("{zzz}"),
            "unknown token {zzz}; available: {body}, {ts}, {secret}, {method}, {path}, {url}, \
             {header:Name}, {field:name}, {query:name}, {json:/pointer}, {form:name}, {form:name#/pointer}, {span:/member}, {param:name}"
        );
        assert_eq!(
            error("{timestamp}"),
            "unknown token {timestamp}; did you mean {ts}?"
        );
        assert_eq!(
            error("{header}"),
            "unknown token {header}; did you mean {header:Name}?"
        );
        #[cfg(feature = "config")]
        assert_eq!(error("{bdy}"), "unknown token {bdy}; did you mean {body}?");
        assert!(error("{body:x}").starts_with("unknown token {body:x}"));
        assert!(error("{field:}").starts_with("unknown token {field:}"));
        assert!(error("{}").starts_with("unknown token {}"));
        assert_eq!(
            error("{ts}.{body"),
            "a { is not closed; write {{ for a literal brace"
        );
        assert_eq!(
            error("body}"),
            "a } has no matching {; write }} for a literal brace"
        );
        assert_eq!(
            error("{body|upper}"),
            "unknown filter \"upper\"; available: sha256hex, jsonstr, lower, hubspot_decode, without_query, b64, md5b64"
        );
        assert_eq!(error("{header:a b}"), "\"a b\" is not a valid header name");
        assert_eq!(
            error("{json:id}"),
            "\"id\" is not a JSON pointer; start it with a slash, as in /data/id"
        );
    }

    #[test]
    fn filters_transform_values() {
        let run = |filters: &[Filter], value: &str| {
            filtered(filters, value.as_bytes(), |out| {
                String::from_utf8(out.to_vec()).unwrap()
            })
        };
        assert_eq!(
            run(&[Filter::Sha256Hex], "").unwrap(),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
        assert_eq!(run(&[Filter::JsonString], "a\"b\n").unwrap(), r#""a\"b\n""#);
        assert_eq!(
            run(&[Filter::Lower, Filter::JsonString], "AÉ").unwrap(),
            "\"aÉ\""
        );
        assert_eq!(
            run(&[Filter::HubspotDecode], "https%3a%2F%2Fx/%20%2").unwrap(),
            "https://x/%20%2"
        );
        assert_eq!(filtered(&[Filter::JsonString], &[0xff], |_| ()), None);
    }
}
