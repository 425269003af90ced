//! Readings of headers: which is the signature, and how it is spelled.

use std::{borrow::Cow, rc::Rc};

use base64::{Engine, engine::general_purpose::STANDARD};
use percent_encoding::percent_decode;

use crate::{
    crypto::encoding::{decode_base64_secret, decode_hex, encode},
    explain::{
        found::Named,
        secret,
        shape::{Headers, Shape},
    },
    rejection::shown,
    scheme::{
        algorithm::{Algorithm, Keying},
        encoding::Encoding,
        signature::Grammar,
    },
};

/// Takes the names of causes and the shape that follows from them.
pub(super) type Sink<'s> = dyn FnMut(Vec<Named>, Shape) + 's;

/// Headers that are no signatures, whatever they look like.
const COMMON: [&str; 16] = [
    "accept",
    "accept-encoding",
    "cf-ray",
    "connection",
    "content-length",
    "content-type",
    "cookie",
    "date",
    "etag",
    "host",
    "if-none-match",
    "traceparent",
    "tracestate",
    "user-agent",
    "x-amzn-trace-id",
    "x-request-id",
];

/// The longest header value that is looked at, in bytes.
const LONGEST: usize = 4096;

/// How many headers are taken for the signature.
const MOST_HEADERS: usize = 12;

/// The header lines that may hold a signature, those first that should.
fn candidates(shape: &Shape) -> Vec<(&str, &[u8])> {
    let expected = shape.signature_headers();
    let is_expected = |name: &str| {
        expected
            .iter()
            .any(|known| known.eq_ignore_ascii_case(name))
    };
    let others = shape.other_headers();
    let lines = shape.headers.iter();
    let lines = lines.filter(|(name, value)| {
        let is_other = COMMON
            .iter()
            .any(|common| common.eq_ignore_ascii_case(name))
            || others.iter().any(|other| other.eq_ignore_ascii_case(name));
        value.len() <= LONGEST && (!is_other || is_expected(name))
    });
    let mut lines: Vec<(&str, &[u8])> = lines.map(|(name, value)| (&**name, &**value)).collect();
    let is_named = |name: &str| {
        let name = name.to_ascii_lowercase();
        ["sig", "hmac", "hash", "digest", "token"]
            .iter()
            .any(|word| name.contains(word))
    };
    lines.sort_by_key(|(name, _)| (!is_expected(name), !is_named(name)));
    lines.truncate(MOST_HEADERS);
    lines
}

/// Copies a header to the name that the scheme expects, and the companions with it.
pub(super) fn renamed(shape: &Shape, sink: &mut Sink<'_>) {
    companions_renamed(shape, sink);
    let is_spelled_out = shape.has_plain_signature() && !shape.is_token();
    for expected in shape.signature_headers() {
        for (name, value) in candidates(shape) {
            let is_signature =
                !is_spelled_out || is_similar(name, &expected) || !runs(value, shape).is_empty();
            if name.eq_ignore_ascii_case(&expected) || !is_signature {
                continue;
            }
            let with = with_companions(&shape.with_header(&expected, value), name);
            sink(vec![header_cause(name)], with);
        }
    }
}

/// Copies headers beside the signature to the names that the scheme expects.
fn companions_renamed(shape: &Shape, sink: &mut Sink<'_>) {
    const MOST: usize = 6;
    let families = &shape.scheme.families;
    let first = families.first().map_or("", |first| first);
    let of_family = |name: String, family: &str| match name.get(..first.len()) {
        Some(start) if start.eq_ignore_ascii_case(first) => name.replacen(start, family, 1),
        _ => name,
    };
    let count = families.len().max(1);
    for family in 0..count {
        let family = families.get(family).map_or("", |family| family);
        let named = |names: Vec<String>| -> Vec<String> {
            let names = names.into_iter();
            names.map(|name| of_family(name, family)).collect()
        };
        let signatures = named(shape.signature_headers());
        let is_here = |name: &String| shape.header(name).is_some();
        if !signatures.is_empty() && !signatures.iter().any(is_here) {
            continue;
        }
        let mut with = shape.clone();
        let mut causes = Vec::new();
        let mut names = named(shape.other_headers()).into_iter();
        let next = |with: &Shape, names: &mut std::vec::IntoIter<String>| {
            names
                .find(|name| with.header(name).is_none())
                .or_else(|| with.missing_header())
        };
        while let Some(expected) = next(&with, &mut names).filter(|_| causes.len() < MOST) {
            let mut lines = shape.headers.iter();
            let line = lines.find(|(name, _)| {
                is_similar(name, &expected) && !causes.contains(&header_cause(name))
            });
            let Some((name, value)) = line else {
                break;
            };
            causes.push(header_cause(name));
            with = with.with_header(&expected, value);
        }
        if !causes.is_empty() {
            sink(causes, with);
        }
    }
}

/// A name without what proxies change of it: letter case, underscores, and `X-` at its start.
fn plain_name(name: &str) -> String {
    let name = name.to_ascii_lowercase().replace(['_', '.'], "-");
    let name = name.trim_start_matches("http-");
    name.trim_start_matches("x-").to_owned()
}

/// Whether a proxy may have made one name of the other, which it has at one of its ends.
fn is_similar(name: &str, expected: &str) -> bool {
    let (name, expected) = (plain_name(name), plain_name(expected));
    name == expected
        || name.ends_with(&format!("-{expected}"))
        || name.starts_with(&format!("{expected}-"))
}

fn header_cause(name: &str) -> Named {
    ("header:NAME", shown(&name.to_ascii_lowercase()).into())
}

/// Renames the other headers of the scheme that are missing, to those of which most of the end is
/// the same.
fn with_companions(shape: &Shape, used: &str) -> Shape {
    let mut shape = shape.clone();
    for expected in shape.other_headers() {
        if shape.header(&expected).is_some() {
            continue;
        }
        let plain = plain_name(&expected);
        let common = |name: &str| {
            let name = plain_name(name);
            let pairs = name.bytes().rev().zip(plain.bytes().rev());
            pairs.take_while(|(one, other)| one == other).count()
        };
        let lines = shape
            .headers
            .iter()
            .filter(|(name, _)| !name.eq_ignore_ascii_case(used));
        let best = lines.max_by_key(|(name, _)| common(name));
        if let Some((name, value)) = best.filter(|(name, _)| common(name) >= 3) {
            let (name, value) = (name.clone(), value.clone());
            if !shape
                .signature_headers()
                .iter()
                .any(|known| known.eq_ignore_ascii_case(&name))
            {
                shape = shape.with_header(&expected, &value);
            }
        }
    }
    shape
}

#[derive(Clone, Copy, PartialEq)]
enum Reading {
    Plain,
    PercentDecoded,
    /// With plus signs in place of spaces.
    WithPlus,
    WithoutSpaces,
}

/// A part of a header value that decodes to a signature.
struct Run {
    bytes: Vec<u8>,
    encoding: &'static str,
    /// What was done to the text to read it.
    reading: Reading,
    is_quoted: bool,
    has_space: bool,
    /// Whether the header has several signatures, with commas between them.
    is_joined: bool,
    /// The other `name=value` parts.
    fields: Vec<String>,
}

/// Whether a signature of the scheme may be this long; of public keys, they differ.
fn is_length(len: usize, shape: &Shape) -> bool {
    match shape.scheme.algorithm().keying() {
        Keying::Public => (64..=1024).contains(&len),
        Keying::Token => false,
        Keying::Mac | Keying::Content | Keying::None => matches!(len, 16 | 20 | 32 | 48 | 64),
    }
}

fn runs(value: &[u8], shape: &Shape) -> Vec<Run> {
    let mut all: Vec<Run> = Vec::new();
    let plain = value.to_vec();
    let decoded: Vec<u8> = percent_decode(value).collect();
    let with_plus = value.trim_ascii().iter();
    let with_plus: Vec<u8> = with_plus
        .map(|byte| if *byte == b' ' { b'+' } else { *byte })
        .collect();
    let without_spaces = value.iter().copied();
    let without_spaces = without_spaces.filter(|byte| !byte.is_ascii_whitespace());
    for (text, reading) in [
        (plain, Reading::Plain),
        (decoded, Reading::PercentDecoded),
        (without_spaces.collect(), Reading::WithoutSpaces),
        (with_plus, Reading::WithPlus),
    ] {
        if reading != Reading::Plain && text == value {
            continue;
        }
        let Ok(text) = String::from_utf8(text) else {
            continue;
        };
        let is_quoted = text.contains(['"', '\'']);
        let has_space = text.trim().contains([' ', '\t']) || text.trim() != text;
        let tokens: Vec<&str> = text
            .split([',', ';', ' ', '\t', '"', '\''])
            .filter(|token| !token.is_empty())
            .take(64)
            .collect();
        let is_signature = |token: &&&str| parts(token).any(|part| decode(part, shape).is_some());
        let is_word = |token: &&&str| !token.contains('=') && decode(token, shape).is_none();
        let has_word = tokens.iter().filter(is_word).count() > 0;
        let is_joined = text.contains(',') && tokens.iter().filter(is_signature).nth(1).is_some();
        for (place, token) in tokens.iter().enumerate() {
            for part in parts(token) {
                let Some((bytes, encoding)) = decode(part, shape) else {
                    continue;
                };
                // The space is elsewhere.
                let has_lost_plus = reading != Reading::WithPlus || part.contains('+');
                if !has_lost_plus || all.iter().any(|run| run.bytes == bytes) {
                    continue;
                }
                let fields = tokens.iter().enumerate();
                let fields = fields.filter(|(other, field)| *other != place && field.contains('='));
                let fields = fields.map(|(_, field)| (*field).to_owned()).collect();
                all.push(Run {
                    bytes,
                    encoding,
                    reading,
                    is_quoted,
                    has_space: has_space && !has_word,
                    is_joined,
                    fields,
                });
            }
        }
    }
    all.truncate(16);
    all
}

/// The token, and what follows a name in it.
fn parts(token: &str) -> impl Iterator<Item = &str> {
    let after = |separator: char| {
        let (name, rest) = token.split_once(separator)?;
        (!name.is_empty() && rest.len() > 8).then_some(rest)
    };
    [
        Some(token),
        after('='),
        after(':'),
        token.rsplit_once(':').map(|(_, rest)| rest),
        // A prefix that is there twice.
        token.rsplit_once('=').map(|(_, rest)| rest),
        // The id of the key and the hash, as Worldpay has them; base64 has slashes, too.
        token.rsplit_once('/').map(|(_, rest)| rest),
    ]
    .into_iter()
    .flatten()
}

/// Base64 without the equals signs at its end.
const UNPADDED: &str = "base64-unpadded";

/// The bytes, and the name of their encoding.
fn decode(text: &str, shape: &Shape) -> Option<(Vec<u8>, &'static str)> {
    const SHORTEST: usize = 22;
    if text.len() < SHORTEST {
        return None;
    }
    if let Some(bytes) = decode_hex(text) {
        return is_length(bytes.len(), shape).then_some((bytes, "hex"));
    }
    let bytes = decode_base64_secret(text)?;
    let inner = std::str::from_utf8(&bytes).ok().and_then(decode_hex);
    if let Some(inner) = inner.filter(|inner| is_length(inner.len(), shape)) {
        return Some((inner, "base64-of-hex"));
    }
    let encoding = match STANDARD.decode(text) {
        Ok(_) => "base64",
        Err(_) if text.contains(['-', '_']) => "base64url",
        // Without a letter of one alphabet only, it is that of the scheme.
        Err(_) => UNPADDED,
    };
    is_length(bytes.len(), shape).then_some((bytes, encoding))
}

/// Writes the signature as the scheme expects it, however it is spelled and wherever it is.
pub(super) fn respelled(shape: &Shape, sink: &mut Sink<'_>) {
    let Some(expected) = shape.signature_headers().into_iter().next() else {
        return;
    };
    if let Some(prefix) = shape.token_prefix() {
        respelled_token(shape, &expected, &prefix, sink);
        return;
    }
    if shape.is_token() {
        return;
    }
    let expected_encoding = match shape.scheme.signature.encoding {
        Encoding::Hex => "hex",
        Encoding::Base64Url => "base64url",
        Encoding::Base64 | Encoding::HexOrBase64 | Encoding::Text => "base64",
    };
    for (name, value) in candidates(shape) {
        for run in runs(value, shape) {
            let Some(text) = canonical(shape, &run) else {
                continue;
            };
            let mut causes = Vec::new();
            if !name.eq_ignore_ascii_case(&expected) {
                causes.push(header_cause(name));
            }
            let fits = run.encoding == expected_encoding
                || shape.scheme.signature.encoding == Encoding::HexOrBase64
                    && run.encoding == "hex";
            if run.encoding == UNPADDED {
                match expected_encoding {
                    "base64" => causes.push(("signature-padding-lost", String::new())),
                    "base64url" => {}
                    _ => causes.push(("encoding:ENCODING", "base64".to_owned())),
                }
            } else if !fits {
                causes.push(("encoding:ENCODING", run.encoding.to_owned()));
            }
            match run.reading {
                Reading::Plain => {}
                Reading::PercentDecoded => {
                    causes.push(("signature-percent-encoded", String::new()));
                }
                Reading::WithPlus => causes.push(("signature-plus-lost", String::new())),
                Reading::WithoutSpaces => causes.push(("signature-whitespace", String::new())),
            }
            if causes.is_empty() && (value == text.as_bytes() || run.is_joined) {
                continue;
            }
            let length = shape.scheme.algorithm().signature_len();
            let other = algorithm(run.bytes.len()).filter(|_| !length.contains(run.bytes.len()));
            // A prefix that is the name of the other hash is no fault of its own.
            let is_named = |hash: &str| {
                let value = value.to_ascii_lowercase();
                value
                    .windows(hash.len())
                    .any(|part| part == hash.as_bytes())
            };
            if causes.is_empty()
                && !run.is_quoted
                && !run.has_space
                && other.is_some_and(|(_, hash)| is_named(hash))
            {
                continue;
            }
            if causes.is_empty() {
                causes.push(match (run.is_quoted, run.has_space) {
                    (true, _) => ("signature-quoted", String::new()),
                    (false, true) => ("signature-whitespace", String::new()),
                    (false, false) => ("signature-prefix", String::new()),
                });
            }
            let with = with_companions(&shape.with_header(&expected, text.as_bytes()), name);
            match other {
                None => sink(causes, with),
                Some((algorithm, hash)) => {
                    causes.push(("algorithm:HASH", hash.to_owned()));
                    sink(
                        causes,
                        with.with_scheme(|scheme| scheme.algorithm = algorithm),
                    );
                }
            }
        }
    }
}

/// Writes a token as the scheme expects it.
fn respelled_token(shape: &Shape, expected: &str, own: &str, sink: &mut Sink<'_>) {
    const SCHEMES: [&str; 3] = ["bearer ", "token ", "basic "];
    let unquoted = |text: &str| secret::unquoted(text, &secret::QUOTES).map(str::to_owned);
    for (name, value) in candidates(shape) {
        let Ok(text) = std::str::from_utf8(value) else {
            continue;
        };
        let outer = unquoted(text.trim());
        let text = outer.clone().unwrap_or_else(|| text.trim().to_owned());
        let mut prefixes = SCHEMES.into_iter().chain([own]);
        let prefix = prefixes.find_map(|prefix| {
            let start = text.get(..prefix.len())?;
            (start.eq_ignore_ascii_case(prefix) && !prefix.is_empty()).then_some(start)
        });
        let prefix = prefix.unwrap_or_default();
        let rest = text.get(prefix.len()..).unwrap_or_default().trim();
        let inner = unquoted(rest);
        let token = inner.clone().unwrap_or_else(|| rest.to_owned());
        let canonical = format!("{own}{token}");
        if token.is_empty() || canonical.as_bytes() == value {
            continue;
        }
        let mut causes = Vec::new();
        if !name.eq_ignore_ascii_case(expected) {
            causes.push(header_cause(name));
        }
        if outer.is_some() || inner.is_some() {
            causes.push(("signature-quoted", String::new()));
        }
        if prefix != own {
            causes.push(("signature-prefix", String::new()));
        }
        if causes.is_empty() {
            causes.push(("signature-whitespace", String::new()));
        }
        sink(causes, shape.with_header(expected, canonical.as_bytes()));
    }
}

/// The MAC whose signatures have this length.
fn algorithm(len: usize) -> Option<(Algorithm, &'static str)> {
    match len {
        16 => Some((Algorithm::HmacMd5, "md5")),
        20 => Some((Algorithm::HmacSha1, "sha1")),
        32 => Some((Algorithm::HmacSha256, "sha256")),
        48 => Some((Algorithm::HmacSha384, "sha384")),
        64 => Some((Algorithm::HmacSha512, "sha512")),
        _ => None,
    }
}

/// The value of the header, in the grammar of the scheme.
fn canonical(shape: &Shape, run: &Run) -> Option<String> {
    let format = &shape.scheme.signature;
    let encoded = encode(format.encoding, &run.bytes);
    match &format.grammar {
        Grammar::Single { prefixes } => {
            let prefix = prefixes.first().map_or("", |prefix| prefix);
            (!prefix.contains('{')).then(|| format!("{prefix}{encoded}"))
        }
        Grammar::List { prefix, .. } => {
            (!prefix.contains('{')).then(|| format!("{prefix}{encoded}"))
        }
        Grammar::Fields {
            separator, field, ..
        } => {
            let own = format!("{field}=");
            let others = run.fields.iter().filter(|known| !known.starts_with(&own));
            let mut all: Vec<String> = others.cloned().collect();
            all.push(format!("{own}{encoded}"));
            Some(all.join(&separator.to_string()))
        }
        Grammar::Positional { .. } => None,
    }
}

/// Takes one of several values, as a proxy that repeats a header makes them: on lines of their own,
/// or joined by commas.
pub(super) fn once(shape: &Shape, sink: &mut Sink<'_>) {
    const MOST: usize = 8;
    let mut once: Headers = Vec::new();
    for (name, value) in shape.headers.iter() {
        if !once
            .iter()
            .any(|(known, _)| known.eq_ignore_ascii_case(name))
        {
            once.push((name.clone(), first_of_equals(value).to_owned()));
        }
    }
    let mut offer = |with: Shape| sink(vec![("header-repeated", String::new())], with);
    let mut with = shape.clone();
    with.headers = Rc::new(once);
    if with.headers != shape.headers {
        offer(with.clone());
    }
    // They may differ.
    for name in shape.signature_headers() {
        let lines = shape.headers.iter();
        let lines = lines.filter(|(known, _)| known.eq_ignore_ascii_case(&name));
        let values = lines.flat_map(|(_, value)| value.split(|byte| b",;".contains(byte)));
        let values: Vec<&[u8]> = values.map(<[u8]>::trim_ascii).take(MOST).collect();
        for value in values.iter().filter(|_| values.len() > 1) {
            offer(with.with_header(&name, value));
        }
    }
}

/// The first of several equal values with commas between them, or the whole value.
fn first_of_equals(value: &[u8]) -> &[u8] {
    [&b", "[..], b","]
        .into_iter()
        .find_map(|comma| {
            let length = value.len().checked_sub(comma.len())?.checked_div(2)?;
            let first = value.get(..length)?;
            let rest = value.get(length..)?.strip_prefix(comma)?;
            (first == rest && !first.is_empty()).then_some(first)
        })
        .unwrap_or(value)
}

/// Drops the headers that must have a value.
pub(super) fn unrequired(shape: &Shape, sink: &mut Sink<'_>) {
    // One that the request does not have, or with another value.
    let is_other = |(name, value): &&(Cow<'static, str>, Cow<'static, str>)| {
        let wanted = shape.provider.filled(value);
        shape.header(name) != Some(wanted.as_bytes())
    };
    let require = &shape.scheme.require;
    let name = require.iter().find(is_other).or(require.first());
    let name = name.map(|(name, _)| name.to_ascii_lowercase());
    if let Some(name) = name {
        let changed = shape.with_scheme(|scheme| scheme.require.clear());
        sink(vec![("header-required:NAME", name)], changed);
    }
}
