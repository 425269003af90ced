//! `--tamper`: what a receiver has to refuse.

use std::{collections::BTreeSet, time::Duration};

use bytes::Bytes;
use clap::ValueEnum;
use http::{HeaderValue, Request, Uri};
use tower_webhook::Signer;

use crate::{
    arguments::RequestArguments,
    failure::{Failure, Result},
    request,
    target::Target,
};

/// What is changed after a request was signed, or wrong when it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Tamper {
    /// One letter of the body, after it was signed
    Body,
    /// One letter of the signature or the token
    Signature,
    /// The time that is signed: a day ago
    Time,
}

impl Tamper {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Body => "body",
            Self::Signature => "signature",
            Self::Time => "time",
        }
    }

    /// Signs a request, and makes it one that has to be refused.
    pub(crate) fn sign(
        self,
        target: &Target,
        signer: Signer,
        arguments: &RequestArguments,
        unsigned: Request<Bytes>,
    ) -> Result<Request<Bytes>> {
        const DAY: Duration = Duration::from_secs(24 * 3600);
        let time = arguments.time();
        if self == Self::Time {
            let yesterday = time.checked_sub(DAY).unwrap_or(time);
            return request::sign(signer, arguments, yesterday, unsigned);
        }
        let plain = unsigned.clone();
        let signed = request::sign(signer, arguments, time, unsigned)?;
        match self {
            Self::Body => with_other_body(signed),
            _ => with_other_signature(&target.signature_headers(), &plain, signed),
        }
    }
}

fn with_other_body(request: Request<Bytes>) -> Result<Request<Bytes>> {
    let (head, body) = request.into_parts();
    let mut bytes = body.to_vec();
    // The last letter is more likely to be of a value than of a name, so that JSON stays JSON.
    match bytes
        .iter_mut()
        .rev()
        .find(|byte| byte.is_ascii_alphanumeric())
    {
        Some(letter) => *letter = other_letter(*letter),
        None => bytes.push(b' '),
    }
    Ok(Request::from_parts(head, bytes.into()))
}

fn with_other_signature(
    headers: &[String],
    plain: &Request<Bytes>,
    mut signed: Request<Bytes>,
) -> Result<Request<Bytes>> {
    let mut is_changed = false;
    for name in headers {
        let value = signed
            .headers()
            .get(name)
            .and_then(|value| value.to_str().ok());
        // A token may consist of short words.
        let changed = value.and_then(|value| with_other_letter(value, 1, &BTreeSet::new()));
        if let Some(value) = changed.and_then(|value| HeaderValue::from_str(&value).ok())
            && let Some(header) = signed.headers_mut().get_mut(name)
        {
            *header = value;
            is_changed = true;
        }
    }
    if is_changed {
        return Ok(signed);
    }
    // It is in the query or in the body: the longest word that signing has added.
    let uri = signed.uri().to_string();
    let known = plain.uri().to_string();
    if let Some(changed) = with_other_letter(&uri, SHORTEST, &words(&known).collect())
        && let Ok(uri) = changed.parse::<Uri>()
    {
        *signed.uri_mut() = uri;
        return Ok(signed);
    }
    let known = String::from_utf8_lossy(plain.body()).into_owned();
    let body = String::from_utf8_lossy(signed.body()).into_owned();
    if let Some(changed) = with_other_letter(&body, SHORTEST, &words(&known).collect()) {
        *signed.body_mut() = changed.into();
        return Ok(signed);
    }
    Err(Failure::undone(
        "--tamper signature: the signature was not found in the signed request; tamper with the body instead",
    ))
}

/// Of what is not in a header, the shortest word that may be a signature.
const SHORTEST: usize = 8;

/// The text with another letter in the middle of its longest word that is not known.
fn with_other_letter(text: &str, shortest: usize, known: &BTreeSet<&str>) -> Option<String> {
    let longest = words(text)
        .filter(|word| word.len() >= shortest && !known.contains(word))
        .max_by_key(|word| word.len())?;
    let start = text.find(longest)?;
    let middle = start.checked_add(longest.len().checked_div(2)?)?;
    let mut bytes = text.as_bytes().to_vec();
    let letter = bytes.get_mut(middle)?;
    *letter = other_letter(*letter);
    String::from_utf8(bytes).ok()
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|letter: char| !letter.is_ascii_alphanumeric())
}

/// Another letter or digit, which hexadecimal digits stay.
fn other_letter(letter: u8) -> u8 {
    match letter {
        b'0' => b'1',
        b'1'..=b'9' => b'0',
        b'a' => b'b',
        b'A' => b'B',
        byte if byte.is_ascii_uppercase() => b'A',
        byte if byte.is_ascii_lowercase() => b'a',
        byte => byte,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_keeps_its_form() {
        let none = BTreeSet::new();
        let changed = |text| with_other_letter(text, SHORTEST, &none);
        assert_eq!(
            changed("t=17,v1=0123456789abcdef").unwrap(),
            "t=17,v1=0123456709abcdef"
        );
        assert_eq!(changed("short"), None);
        let known = ["0123456789"].into();
        assert_eq!(
            with_other_letter("x=0123456789&s=aaaaaaaa", SHORTEST, &known).unwrap(),
            "x=0123456789&s=aaaabaaa"
        );
    }
}
