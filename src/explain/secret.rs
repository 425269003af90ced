//! Readings of a secret: which key is meant by the text that is configured.

use std::borrow::Cow;

use base64::{Engine, engine::general_purpose::STANDARD};
use percent_encoding::percent_decode_str;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::{
    crypto::encoding::{decode_base64_secret, decode_hex, encode_hex},
    scheme::secret_format::{SecretFormat, TextEncoding},
};

/// What a rewrite makes of a secret.
pub(super) enum Reading {
    /// Another text, which is decoded as the provider's secrets are.
    Text(Zeroizing<String>),
    /// The bytes of the key.
    Key(Zeroizing<Vec<u8>>),
}

type Sink<'s> = dyn FnMut(Cow<'static, str>, Reading) + 's;

/// A rewrite of a secret.
pub(super) type Rewrite = fn(&str, &SecretFormat, &mut Sink<'_>);

fn text(sink: &mut Sink<'_>, before: &str, after: impl Into<String>) {
    let after = Zeroizing::new(after.into());
    if *after != before {
        sink(Cow::Borrowed(""), Reading::Text(after));
    }
}

fn key(sink: &mut Sink<'_>, name: impl Into<Cow<'static, str>>, bytes: Option<Vec<u8>>) {
    if let Some(bytes) = bytes.filter(|bytes| !bytes.is_empty()) {
        sink(name.into(), Reading::Key(Zeroizing::new(bytes)));
    }
}

/// The key as the provider's secrets are decoded, whatever its length.
pub(super) fn decoded(secret: &str, format: &SecretFormat) -> Option<Zeroizing<Vec<u8>>> {
    let text = format.strip(secret);
    let bytes = match format.encoding {
        TextEncoding::Text => Some(text.as_bytes().to_vec()),
        TextEncoding::Base64 => decode_base64_secret(text),
        TextEncoding::Hex => decode_hex(text),
    };
    bytes.filter(|bytes| !bytes.is_empty()).map(Zeroizing::new)
}

/// A key as a text that decodes to it, for a provider with [`raw_format`].
pub(super) fn raw(key: &[u8]) -> Zeroizing<String> {
    Zeroizing::new(encode_hex(key))
}

/// Any bytes, in hexadecimal, from which a provider derives its key as before.
pub(super) fn raw_format(format: &SecretFormat) -> SecretFormat {
    let raw = SecretFormat::hex().with_min_bytes(1);
    match format.derive {
        Some(derive) => raw.with_derivation(derive),
        None => raw,
    }
}

/// The fewest bytes of a secret that nobody can guess.
pub(super) const SHORTEST: usize = 8;

/// Whether anybody can guess a secret: it is short, or a word or a number.
pub(super) fn is_guessable(secret: &str) -> bool {
    const SHORTEST_WORD: usize = 16;
    let secret = secret.trim();
    let rest = secret.get(1..).unwrap_or_default();
    let is_letter = |byte: u8| byte.is_ascii_alphabetic();
    let is_word = secret.bytes().all(is_letter)
        && (rest.bytes().all(|byte| byte.is_ascii_lowercase())
            || secret.bytes().all(|byte| byte.is_ascii_uppercase()));
    let is_number = secret.bytes().all(|byte| byte.is_ascii_digit());
    secret.len() < SHORTEST || secret.len() < SHORTEST_WORD && (is_word || is_number)
}

pub(super) fn whitespace(secret: &str, _: &SecretFormat, sink: &mut Sink<'_>) {
    text(sink, secret, secret.trim());
    // Inside, where a terminal has broken a line.
    let inside: String = secret.split(['\r', '\n', '\t']).collect();
    text(sink, secret, inside);
    let none: String = secret.split_whitespace().collect();
    text(sink, secret, none);
}

/// The quotation marks of files and of shells.
pub(super) const QUOTES: [(char, char); 2] = [('"', '"'), ('\'', '\'')];

/// What is between marks of one of these pairs.
pub(super) fn unquoted<'s>(text: &'s str, pairs: &[(char, char)]) -> Option<&'s str> {
    let mut pairs = pairs.iter();
    pairs.find_map(|(first, last)| text.strip_prefix(*first)?.strip_suffix(*last))
}

pub(super) fn quoted(secret: &str, _: &SecretFormat, sink: &mut Sink<'_>) {
    const OTHERS: [(char, char); 4] = [
        ('`', '`'),
        ('\u{201c}', '\u{201d}'),
        ('\u{2018}', '\u{2019}'),
        ('<', '>'),
    ];
    let inner = unquoted(secret, &QUOTES).or(unquoted(secret, &OTHERS));
    if let Some(inner) = inner {
        text(sink, secret, inner);
    }
    // One of a pair, the other of which was cut.
    const MARKS: [char; 7] = [
        '"', '\'', '`', '\u{201c}', '\u{201d}', '\u{2018}', '\u{2019}',
    ];
    let ends = (secret.strip_prefix(MARKS), secret.strip_suffix(MARKS));
    if let (Some(inner), None) | (None, Some(inner)) = ends {
        text(sink, secret, inner);
    }
}

/// Lines of a file of settings, in the notation of a shell, of PowerShell or of YAML.
pub(super) fn assignment(secret: &str, _: &SecretFormat, sink: &mut Sink<'_>) {
    const KEYWORDS: [&str; 4] = ["export ", "set ", "$env:", "- "];
    const MOST: usize = 100;
    for line in secret.lines().take(MOST) {
        let line = line.trim();
        let mut keywords = KEYWORDS.iter();
        let bare = keywords.find_map(|keyword| line.strip_prefix(keyword));
        let Some((name, value)) = bare.unwrap_or(line).split_once(['=', ':']) else {
            continue;
        };
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
        let name = name.trim();
        if name.is_empty() || !name.bytes().all(is_name) {
            continue;
        }
        let value = value.trim().trim_end_matches([';', ',']);
        text(sink, secret, value);
        if let Some(inner) = unquoted(value, &QUOTES) {
            text(sink, secret, inner);
        }
    }
}

/// What follows a value in a file that allows comments.
pub(super) fn comment(secret: &str, _: &SecretFormat, sink: &mut Sink<'_>) {
    for mark in [" #", "\t#", " //"] {
        if let Some((value, _)) = secret.split_once(mark) {
            text(sink, secret, value.trim_end());
        }
    }
    // A comment on the line before it.
    let lines = secret.lines().map(str::trim);
    let mut lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    if let (Some(only), None) = (lines.next(), lines.next())
        && secret.trim() != only
    {
        text(sink, secret, only);
    }
}

/// What is copied along with a secret: the punctuation of a list, or the mark of a shell.
pub(super) fn copied(secret: &str, _: &SecretFormat, sink: &mut Sink<'_>) {
    for mark in [",", ";", "%", "$", "."] {
        if let Some(rest) = secret.strip_suffix(mark) {
            let rest = rest.trim_end();
            text(sink, secret, rest);
            if let Some(inner) = unquoted(rest, &QUOTES) {
                text(sink, secret, inner);
            }
        }
    }
    // Pasted twice.
    let half = secret.len().checked_div(2).unwrap_or_default();
    if let Some((first, second)) = secret.split_at_checked(half)
        && first == second
    {
        text(sink, secret, first);
    }
}

/// Escapes of shells, of JSON and of HTML that nothing has resolved.
pub(super) fn escaped(secret: &str, _: &SecretFormat, sink: &mut Sink<'_>) {
    const OF_HTML: [(&str, &str); 6] = [
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&#x27;", "'"),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&amp;", "&"),
    ];
    if secret.contains('\\') {
        let plain = Zeroizing::new(without_backslashes(secret));
        text(sink, secret, plain.trim());
        text(sink, secret, plain.as_str());
    }
    text(sink, secret, secret.replace("$$", "$"));
    let mut plain = Zeroizing::new(secret.to_owned());
    for (written, meant) in OF_HTML {
        plain = Zeroizing::new(plain.replace(written, meant));
    }
    text(sink, secret, plain.as_str());
}

fn without_backslashes(secret: &str) -> String {
    let mut plain = String::with_capacity(secret.len());
    let mut letters = secret.chars();
    while let Some(letter) = letters.next() {
        let next = (letter == '\\').then(|| letters.next()).flatten();
        plain.push(match next {
            None => letter,
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some('u') => {
                let digits = letters.as_str().get(..4);
                let code = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
                match code.and_then(char::from_u32) {
                    Some(meant) => {
                        letters.by_ref().take(4).for_each(drop);
                        meant
                    }
                    None => 'u',
                }
            }
            Some(other) => other,
        });
    }
    plain
}

pub(super) fn invisible(secret: &str, _: &SecretFormat, sink: &mut Sink<'_>) {
    let is_invisible = |letter: char| {
        letter.is_control()
            || matches!(letter, '\u{a0}' | '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202f}'
                | '\u{2060}'..='\u{2069}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}')
    };
    // What a terminal sends around pasted text, and for colours.
    let mut parts = secret.split("\u{1b}[");
    let first = parts.next().unwrap_or_default();
    let rest = parts.map(|part| {
        let end = part.find(|letter: char| letter.is_ascii_alphabetic() || letter == '~');
        let after = end.and_then(|end| part.get(end.saturating_add(1)..));
        after.unwrap_or_default()
    });
    let without_codes: String = std::iter::once(first).chain(rest).collect();
    text(sink, secret, without_codes);
    let visible: String = secret
        .chars()
        .filter(|letter| !is_invisible(*letter))
        .collect();
    text(sink, secret, visible);
    if secret.contains('\u{a0}') {
        text(sink, secret, secret.replace('\u{a0}', " "));
    }
}

pub(super) fn percent_encoded(secret: &str, _: &SecretFormat, sink: &mut Sink<'_>) {
    if let Ok(decoded) = percent_decode_str(secret).decode_utf8() {
        let twice = percent_decode_str(&decoded).decode_utf8();
        text(sink, secret, twice.unwrap_or_default());
        // As a form has spaces.
        text(sink, secret, decoded.replace('+', " "));
        text(sink, secret, decoded);
    }
}

pub(super) fn letter_case(secret: &str, _: &SecretFormat, sink: &mut Sink<'_>) {
    let (lower, upper) = (secret.to_lowercase(), secret.to_uppercase());
    for (name, changed) in [("lower", lower), ("upper", upper)] {
        if changed != secret {
            sink(Cow::Borrowed(name), Reading::Text(Zeroizing::new(changed)));
        }
    }
}

/// What is in a Kubernetes secret is base64 of the text; entered encoded, of its base64.
pub(super) fn encoded_twice(secret: &str, _: &SecretFormat, sink: &mut Sink<'_>) {
    const TIMES: usize = 2;
    let is_text = |letter: char| {
        letter.is_ascii_graphic() || letter == ' ' || letter == '\n' || !letter.is_ascii()
    };
    let mut encoded = Zeroizing::new(secret.trim().to_owned());
    for _ in 0..TIMES {
        let decoded =
            decode_base64_secret(&encoded).and_then(|bytes| String::from_utf8(bytes).ok());
        let decoded = decoded.filter(|text| !text.is_empty() && text.chars().all(is_text));
        let Some(decoded) = decoded.map(Zeroizing::new) else {
            return;
        };
        text(sink, secret, decoded.trim_end_matches('\n'));
        text(sink, secret, decoded.as_str());
        encoded = Zeroizing::new(decoded.trim().to_owned());
    }
}

pub(super) fn as_text(secret: &str, format: &SecretFormat, sink: &mut Sink<'_>) {
    if format.encoding != TextEncoding::Text || format.strip(secret) != secret {
        key(sink, "", Some(secret.as_bytes().to_vec()));
    }
}

/// What vendors put in front of secrets.
const PREFIXES: [&str; 9] = [
    "v1,whsec_",
    "whsec_",
    "v1,",
    "v1=",
    "whsk_",
    "sha256=",
    "base64:",
    "hex:",
    "shpss_",
];

pub(super) fn prefix(secret: &str, format: &SecretFormat, sink: &mut Sink<'_>) {
    let own = format.prefixes.iter().map(|prefix| &**prefix);
    let mut prefixes: Vec<&str> = own
        .chain(PREFIXES)
        .filter(|prefix| !prefix.is_empty())
        .collect();
    prefixes.sort_by_key(|prefix| std::cmp::Reverse(prefix.len()));
    prefixes.dedup();
    for prefix in prefixes {
        let Some(rest) = secret.strip_prefix(prefix) else {
            continue;
        };
        if rest.starts_with(prefix) {
            let mut once = rest;
            while let Some(rest) = once.strip_prefix(prefix).filter(|_| once != rest) {
                once = rest;
            }
            let once = Zeroizing::new(once.to_owned());
            sink(format!("{prefix}:doubled").into(), Reading::Text(once));
        }
        key(sink, format!("{prefix}:base64"), decode_base64_secret(rest));
        key(
            sink,
            format!("{prefix}:text"),
            Some(rest.as_bytes().to_vec()),
        );
        key(sink, format!("{prefix}:hex"), decode_hex(rest));
    }
    // A prefix that was lost.
    if format.encoding == TextEncoding::Text {
        for prefix in ["whsec_", "shpss_"] {
            if !secret.starts_with(prefix) {
                let whole = format!("{prefix}{secret}").into_bytes();
                key(sink, format!("{prefix}:lost"), Some(whole));
            }
        }
    }
}

pub(super) fn base64(secret: &str, format: &SecretFormat, sink: &mut Sink<'_>) {
    if format.encoding != TextEncoding::Base64 {
        key(sink, "", decode_base64_secret(format.strip(secret)));
    }
}

pub(super) fn hex(secret: &str, format: &SecretFormat, sink: &mut Sink<'_>) {
    if format.encoding != TextEncoding::Hex {
        let text = format.strip(secret);
        let bare = text.trim_start_matches("0x").replace([':', ' '], "");
        key(sink, "", decode_hex(&bare));
    }
}

pub(super) fn hashed(secret: &str, format: &SecretFormat, sink: &mut Sink<'_>) {
    let digest = Sha256::digest(secret.as_bytes());
    key(sink, "hex", Some(encode_hex(&digest).into_bytes()));
    key(sink, "bytes", Some(digest.to_vec()));
    key(
        sink,
        "upper-hex",
        Some(encode_hex(&digest).to_uppercase().into_bytes()),
    );
    key(sink, "base64", Some(STANDARD.encode(digest).into_bytes()));
    if let Some(decoded) = decoded(secret, format) {
        let digest = Sha256::digest(&**decoded);
        key(sink, "hex", Some(encode_hex(&digest).into_bytes()));
        key(sink, "bytes", Some(digest.to_vec()));
    }
}

pub(super) fn newline_at_vendor(secret: &str, format: &SecretFormat, sink: &mut Sink<'_>) {
    let Some(decoded) = decoded(secret, format) else {
        return;
    };
    for (start, end) in [
        ("", "\n"),
        ("", "\r\n"),
        ("", " "),
        ("", "\t"),
        (" ", ""),
        ("\t", ""),
    ] {
        let entered = [start.as_bytes(), &decoded, end.as_bytes()].concat();
        key(sink, "", Some(entered));
    }
}
