//! The signature header of a request: its candidates and its fields.
//!
//! A proxy may fold the lines of a header with commas, or put other white space between items. As
//! neither occurs in an encoded signature, both separate items wherever the declared separator
//! does.

use std::{borrow::Cow, iter};

use crate::{
    compiled::undecoded::Undecoded,
    crypto::proof::{Candidates, Decoder},
    scheme::{
        algorithm::Keying,
        signature::{Grammar, SignatureFormat},
    },
};

/// A public key is compared with no more signatures, because each takes so long.
const MAX_PUBLIC: usize = 4;

/// There are more than [`SignatureFormat::MAX_SIGNATURES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooMany;

/// The signatures of a request.
#[derive(Default)]
pub(crate) struct Signatures {
    pub(crate) candidates: Candidates,
    /// What is known of others that cannot be decoded.
    pub(crate) undecoded: Option<Box<Undecoded>>,
}

/// Collects candidates from one or several header values.
pub(crate) struct Collector<'s> {
    format: &'s SignatureFormat,
    decoder: &'s Decoder,
    /// The number of items that should be signatures.
    pub(crate) seen: usize,
    pub(crate) found: &'s mut Signatures,
}

impl<'s> Collector<'s> {
    pub(crate) fn new(
        format: &'s SignatureFormat,
        decoder: &'s Decoder,
        found: &'s mut Signatures,
    ) -> Self {
        Self {
            format,
            decoder,
            seen: 0,
            found,
        }
    }

    /// Counts an item and keeps it if it can be decoded. One that cannot be decoded is skipped: a
    /// sender may add signatures of a new kind beside the known one.
    fn offer(&mut self, text: &[u8]) -> Result<(), TooMany> {
        self.seen = self.seen.saturating_add(1);
        let most = match self.decoder.keying {
            Keying::Public => MAX_PUBLIC,
            _ => SignatureFormat::MAX_SIGNATURES,
        };
        if self.seen > most {
            return Err(TooMany);
        }
        if !self.found.candidates.offer(self.decoder, text) {
            let undecoded = self.found.undecoded.get_or_insert_default();
            undecoded.add(text, self.decoder);
        }
        Ok(())
    }

    /// Reads one line of the header.
    pub(crate) fn read(&mut self, value: &[u8]) -> Result<(), TooMany> {
        match &self.format.grammar {
            Grammar::Single { prefixes } if self.format.repeats => {
                let prefix = prefixes
                    .first()
                    .map_or(&b""[..], |prefix| prefix.as_bytes());
                listed(value, ',', prefix).try_for_each(|text| self.offer(text))
            }
            Grammar::Single { prefixes } => {
                match stripped(prefixes, value, self.decoder.keying == Keying::Token) {
                    Some(text) => self.offer(text),
                    None => Ok(()),
                }
            }
            Grammar::List { separator, prefix } => {
                listed(value, *separator, prefix.as_bytes()).try_for_each(|text| self.offer(text))
            }
            Grammar::Fields {
                separator,
                field,
                sets,
            } => named(value, *separator, *sets)
                .filter(|(name, _)| *name == field.as_bytes())
                .try_for_each(|(_, text)| self.offer(text)),
            Grammar::Positional { separator, first } => positioned(value, *separator)
                .skip(*first)
                .flat_map(|item| listed(item, *separator, b""))
                .try_for_each(|text| self.offer(text)),
        }
    }
}

/// The value without the longest prefix that it has. The name of an authentication scheme, such as
/// `Bearer `, is the same in either case.
fn stripped<'v>(
    prefixes: &[Cow<'static, str>],
    value: &'v [u8],
    is_token: bool,
) -> Option<&'v [u8]> {
    if let ([prefix], false) = (prefixes, is_token) {
        return value.strip_prefix(prefix.as_bytes());
    }
    if prefixes.is_empty() {
        return Some(value);
    }
    let strip = |prefix: &Cow<'static, str>| {
        let (head, text) = value.split_at_checked(prefix.len())?;
        let same = if is_token && prefix.ends_with(' ') {
            head.eq_ignore_ascii_case(prefix.as_bytes())
        } else {
            head == prefix.as_bytes()
        };
        same.then_some(text)
    };
    prefixes
        .iter()
        .filter_map(strip)
        .min_by_key(|text| text.len())
}

/// Whether a single value is several that a proxy has folded into one line.
pub(crate) fn is_folded(format: &SignatureFormat, value: &[u8], decoder: &Decoder) -> bool {
    let Grammar::Single { prefixes } = &format.grammar else {
        return false;
    };
    if decoder.keying == Keying::Token {
        return false;
    }
    let prefix = prefixes
        .first()
        .map_or(&b""[..], |prefix| prefix.as_bytes());
    let mut decoded = Candidates::default();
    let mut copies = listed(value, ',', prefix)
        .take(SignatureFormat::MAX_SIGNATURES)
        .filter(|text| decoded.offer(decoder, text));
    copies.next().is_some() && copies.next().is_some()
}

/// The value of a field of the signature header.
pub(crate) enum Field<'v> {
    Is(&'v [u8]),
    Missing,
    /// It occurs with different values, or twice where a line has one set of fields.
    Ambiguous,
}

/// The value of the field `name` (a position for [`Grammar::Positional`]) in the lines of the
/// header, which must agree on it.
pub(crate) fn field<'v>(
    grammar: &Grammar,
    lines: impl Iterator<Item = &'v [u8]>,
    name: &str,
) -> Field<'v> {
    let mut found: Option<&[u8]> = None;
    for line in lines {
        let mut once = false;
        let mut agree = |text: &'v [u8]| {
            let agrees = found.is_none_or(|other| other == text);
            found = Some(text);
            agrees && !std::mem::replace(&mut once, !may_recur(grammar))
        };
        let agree = match grammar {
            Grammar::Fields {
                separator, sets, ..
            } => named(line, *separator, *sets)
                .filter(|(known, _)| *known == name.as_bytes())
                .all(|(_, text)| agree(text)),
            Grammar::Positional { separator, first } => name
                .parse::<usize>()
                .ok()
                .filter(|position| position < first)
                .and_then(|position| positioned(line, *separator).nth(position))
                .is_none_or(agree),
            Grammar::Single { .. } | Grammar::List { .. } => true,
        };
        if !agree {
            return Field::Ambiguous;
        }
    }
    found.map_or(Field::Missing, Field::Is)
}

/// Whether a line may have several sets of fields.
fn may_recur(grammar: &Grammar) -> bool {
    matches!(grammar, Grammar::Fields { sets: Some(_), .. })
}

/// The items of a list that begin with the prefix, without it.
fn listed<'v>(
    value: &'v [u8],
    separator: char,
    prefix: &'v [u8],
) -> impl Iterator<Item = &'v [u8]> {
    let mut rest = value;
    iter::from_fn(move || {
        loop {
            rest = after_gap(rest, separator);
            if rest.is_empty() {
                return None;
            }
            let text = rest.strip_prefix(prefix);
            // The prefix may end with a comma, which a proxy may have put a space after.
            let item = text.map_or(rest, <[u8]>::trim_ascii_start);
            // The next item is not the text of one that is empty.
            let is_empty = text.is_some() && !prefix.is_empty() && item.starts_with(prefix);
            let gap = Some(0).filter(|_| is_empty);
            let gap = gap.or_else(|| next_gap(item, separator));
            let end = gap.unwrap_or(item.len());
            let (item, after) = item.split_at_checked(end)?;
            rest = after;
            if text.is_some() {
                return Some(item);
            }
        }
    })
}

/// The names and values of fields.
fn named(
    value: &[u8],
    separator: char,
    sets: Option<char>,
) -> impl Iterator<Item = (&[u8], &[u8])> {
    cut(value, sets)
        .flat_map(move |set| cut(set, Some(separator)))
        .flat_map(respaced)
        .filter_map(|item| {
            let equals = memchr::memchr(b'=', item)?;
            let (name, rest) = item.split_at_checked(equals)?;
            Some((name, rest.get(1..)?))
        })
}

/// The fields of an item. There are several if a proxy has put a comma or white space where the
/// separator was.
fn respaced(item: &[u8]) -> impl Iterator<Item = &[u8]> {
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    let begins_field = move |text: &[u8]| {
        let name = text.iter().take_while(|byte| is_name(byte)).count();
        name > 0 && text.get(name) == Some(&b'=')
    };
    let mut rest = item;
    iter::from_fn(move || {
        rest = after_gap(rest, ',');
        let (mut end, mut from) = (rest.len(), 0);
        while let Some(gap) = next_gap(rest.get(from..)?, ',') {
            let gap = from.saturating_add(gap);
            let after = after_gap(rest.get(gap..)?, ',');
            if after.is_empty() || begins_field(after) {
                end = gap;
                break;
            }
            from = rest.len().saturating_sub(after.len());
        }
        let (field, after) = rest.split_at_checked(end)?;
        rest = after;
        (!field.is_empty()).then_some(field)
    })
}

/// The items of a list by position. Repeated separators count as one.
fn positioned(value: &[u8], separator: char) -> impl Iterator<Item = &[u8]> {
    let items = cut(value, Some(separator)).map(<[u8]>::trim_ascii);
    items.filter(|item| !item.is_empty())
}

/// Where the first separator, comma or white space is.
fn next_gap(value: &[u8], separator: char) -> Option<usize> {
    match separator {
        ',' | ' ' => memchr::memchr3(b',', b' ', b'\t', value),
        _ => value.iter().position(|byte| is_gap(*byte, separator)),
    }
}

fn after_gap(value: &[u8], separator: char) -> &[u8] {
    let start = value.iter().position(|byte| !is_gap(*byte, separator));
    value
        .get(start.unwrap_or(value.len())..)
        .unwrap_or_default()
}

fn is_gap(byte: u8, separator: char) -> bool {
    matches!(byte, b',' | b' ' | b'\t') || char::from(byte) == separator
}

/// Splits at an ASCII separator.
fn cut(value: &[u8], separator: Option<char>) -> impl Iterator<Item = &[u8]> {
    let separator = separator.and_then(|separator| u8::try_from(separator).ok());
    let mut rest = Some(value);
    iter::from_fn(move || {
        let value = rest.take()?;
        let end = separator.and_then(|separator| memchr::memchr(separator, value));
        let Some(end) = end else {
            return Some(value);
        };
        let (piece, after) = value.split_at_checked(end)?;
        rest = after.get(1..);
        Some(piece)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        crypto::{encoding::encode_hex, tag::Tag},
        scheme::{algorithm::Algorithm, encoding::Encoding},
    };

    /// Digests of two bytes would do; MD5 has the fewest.
    const ALGORITHM: Algorithm = Algorithm::HmacMd5;

    /// The text with signatures of 16 bytes instead of two.
    fn padded(value: &str) -> String {
        let value = value.replace("00ff", &"00ff".repeat(8));
        value
            .replace("0000", &"0".repeat(32))
            .replace("1111", &"1".repeat(32))
    }

    fn candidates(signature: &SignatureFormat, value: &str) -> Result<Candidates, TooMany> {
        let decoder = Decoder::new(ALGORITHM, signature.encoding);
        let mut found = Signatures::default();
        Collector::new(signature, &decoder, &mut found).read(padded(value).as_bytes())?;
        Ok(found.candidates)
    }

    fn count(signature: &SignatureFormat, value: &str) -> Result<usize, TooMany> {
        Ok(candidates(signature, value)?.len())
    }

    fn value<'v>(
        signature: &SignatureFormat,
        value: &'v str,
        name: &str,
    ) -> Result<&'v str, &'static str> {
        match field(&signature.grammar, iter::once(value.as_bytes()), name) {
            Field::Is(text) => Ok(std::str::from_utf8(text).unwrap()),
            Field::Missing => Err("missing"),
            Field::Ambiguous => Err("ambiguous"),
        }
    }

    #[test]
    fn single_takes_the_whole_value() {
        let plain = SignatureFormat::single("x", Encoding::Hex);
        assert_eq!(count(&plain, "00ff"), Ok(1));
        assert_eq!(count(&plain, "00ff,00ff"), Ok(0));
        let tagged = plain.with_prefix("sha256=");
        assert_eq!(count(&tagged, "sha256=00ff"), Ok(1));
        assert_eq!(count(&tagged, "SHA256=00ff"), Ok(0));
        assert_eq!(count(&tagged, "00ff"), Ok(0));
        assert_eq!(count(&tagged, ""), Ok(0));
    }

    #[test]
    fn lists_skip_other_versions_and_odd_items() {
        let list = SignatureFormat::list("x", ' ', Encoding::Hex).with_prefix("v1,");
        assert_eq!(count(&list, "v1,00ff v1a,0000 v1,1111"), Ok(2));
        assert_eq!(count(&list, "v1,zz  v1,1111 "), Ok(1));
        assert_eq!(count(&list, "v1,zz"), Ok(0));
        assert_eq!(count(&list, "v2,00ff"), Ok(0));
    }

    #[test]
    fn fields_are_found_by_name() {
        let stripe = SignatureFormat::fields("x", ',', "v1", Encoding::Hex);
        let header = "t=17, v1=00ff,v0=zz,v1=0000";
        assert_eq!(count(&stripe, header), Ok(2));
        assert_eq!(value(&stripe, header, "t"), Ok("17"));
        assert_eq!(value(&stripe, header, "T"), Err("missing"));
        assert_eq!(value(&stripe, "t=17,t=17,v1=00ff", "t"), Err("ambiguous"));
        assert_eq!(value(&stripe, "a=b=c", "a"), Ok("b=c"));
        assert_eq!(value(&stripe, "t,v1", "t"), Err("missing"));
    }

    #[test]
    fn sets_agree_on_what_is_signed() {
        let persona = SignatureFormat::fields("x", ',', "v1", Encoding::Hex).with_sets(' ');
        assert_eq!(count(&persona, "t=1,v1=0000 t=1,v1=00ff"), Ok(2));
        assert_eq!(value(&persona, "t=1,v1=0000 t=1,v1=00ff", "t"), Ok("1"));
        assert_eq!(
            value(&persona, "t=1,v1=0000 t=2,v1=00ff", "t"),
            Err("ambiguous")
        );
        assert_eq!(value(&persona, "v1=0000 v1=00ff", "t"), Err("missing"));
        assert_eq!(value(&persona, "t=1,v1=0000", "t"), Ok("1"));
    }

    #[test]
    fn a_list_is_the_same_however_a_proxy_separates_it() {
        let svix = SignatureFormat::list("x", ' ', Encoding::Hex).with_prefix("v1,");
        let github = SignatureFormat::single("x", Encoding::Hex).with_prefix("sha256=");
        let repeated = github.clone().with_repeated_lines();
        let duty = SignatureFormat::list("x", ',', Encoding::Hex).with_prefix("v1=");
        let stripe = SignatureFormat::fields("x", ',', "v1", Encoding::Hex);
        let paddle = SignatureFormat::fields("x", ';', "v1", Encoding::Hex);
        let persona = stripe.clone().with_sets(' ');
        let recurly = SignatureFormat::positional("x", ',', 1, Encoding::Hex);
        for (format, text, found, time) in [
            (&svix, "v1,00ff v1,0000", 2, None),
            (&svix, "v1,00ff, v1,0000", 2, None),
            (&svix, "v1,00ff,v1,0000", 2, None),
            (&svix, "v1, 00ff  v1, 0000", 2, None),
            (&svix, "\tv1,00ff\tv1,0000,,", 2, None),
            (&svix, "v1a,1111,v1,00ff", 1, None),
            (&svix, "v1, v1,00ff", 1, None),
            (&svix, "v1,00ff v1, v1,,v1,0000", 2, None),
            (&duty, "v1=00ff,v1=0000", 2, None),
            (&duty, "v1=00ff v1=0000", 2, None),
            (&duty, "v1=00ff ,, v1=0000,", 2, None),
            (&repeated, "sha256=00ff, sha256=0000", 2, None),
            (&repeated, "sha256=00ff", 1, None),
            (&github, "sha256=00ff, sha256=0000", 0, None),
            (&stripe, "t=1,v1=00ff,v1=0000", 2, Some("1")),
            (&stripe, "t=1, v1=00ff,\tv1=0000", 2, Some("1")),
            (&stripe, "t=1 v1=00ff v1=0000", 2, Some("1")),
            (&stripe, ",t=1,,v1=00ff , v1=0000, ", 2, Some("1")),
            (&paddle, "t=1;v1=00ff", 1, Some("1")),
            (&paddle, "t=1; v1=00ff;;v1=0000", 2, Some("1")),
            (&paddle, "t=1, v1=00ff", 1, Some("1")),
            (&paddle, "t=1;note=a, b;v1=00ff", 1, Some("1")),
            (&persona, "t=1,v1=00ff t=1,v1=0000", 2, Some("1")),
            (&persona, "t=1,v1=00ff, t=1,v1=0000", 2, Some("1")),
            (&persona, "t=1,v1=00ff,t=1,v1=0000", 2, Some("1")),
            (&persona, "t=1, v1=00ff  t=1, v1=0000", 2, Some("1")),
            (&recurly, "1,00ff,0000", 2, Some("1")),
            (&recurly, "1, 00ff , 0000", 2, Some("1")),
            (&recurly, ",1,,00ff,,0000,", 2, Some("1")),
            (&recurly, "1,00ff 0000", 2, Some("1")),
        ] {
            assert_eq!(count(format, text), Ok(found), "{text:?}");
            if let Some(time) = time {
                let name = if matches!(format.grammar, Grammar::Positional { .. }) {
                    "0"
                } else {
                    "t"
                };
                assert_eq!(value(format, text, name), Ok(time), "{text:?}");
            }
        }
        // A value may hold a comma or a space, if no field follows it.
        assert_eq!(value(&paddle, "t=1;note=a, b;v1=00ff", "note"), Ok("a, b"));
    }

    #[test]
    fn several_signatures_in_a_single_value_are_lines_that_were_folded() {
        let github = SignatureFormat::single("x", Encoding::Hex).with_prefix("sha256=");
        let decoder = Decoder::new(ALGORITHM, github.encoding);
        for (text, folded) in [
            ("sha256=00ff, sha256=00ff", true),
            ("sha256=00ff,sha256=0000", true),
            ("sha256=00ff sha256=zz sha256=1111", true),
            ("sha256=00ff", false),
            ("sha256=00ff, sha256=zz", false),
            ("sha256=00ff, 00ff", false),
            ("", false),
        ] {
            assert_eq!(
                is_folded(&github, padded(text).as_bytes(), &decoder),
                folded,
                "{text:?}"
            );
        }
    }

    #[test]
    fn positions_are_counted_from_zero() {
        let recurly = SignatureFormat::positional("x", ',', 1, Encoding::Hex);
        assert_eq!(count(&recurly, "1700,00ff,0000"), Ok(2));
        assert_eq!(value(&recurly, "1700,00ff", "0"), Ok("1700"));
        assert_eq!(value(&recurly, "1700,00ff", "1"), Err("missing"));
        assert_eq!(count(&recurly, "1700"), Ok(0));
    }

    #[test]
    fn the_seventeenth_candidate_is_one_too_many() {
        let list = SignatureFormat::list("x", ' ', Encoding::Hex);
        assert_eq!(count(&list, &["00ff"; 16].join(" ")), Ok(16));
        assert_eq!(count(&list, &["00ff"; 17].join(" ")), Err(TooMany));
        assert_eq!(count(&list, &["zz"; 8000].join(" ")), Err(TooMany));
    }

    #[test]
    fn any_candidate_may_match() {
        let list = SignatureFormat::list("x", ' ', Encoding::Hex);
        let tag = |last: u8| [[0x2a; 15].as_slice(), &[last]].concat();
        let texts: Vec<String> = (1..=3).map(|last| encode_hex(&tag(last))).collect();
        let found = candidates(&list, &texts.join(" ")).unwrap();
        for last in 1..=3_u8 {
            assert!(found.contain(&Tag::from(&*tag(last))));
        }
        assert!(!found.contain(&Tag::from(&*tag(4))));
    }

    #[test]
    fn the_longest_prefix_counts_and_none_may_be_one() {
        let hub = SignatureFormat::single("x", Encoding::Hex)
            .with_prefix("sha256=")
            .or_prefix("");
        for (text, found) in [
            ("sha256=00ff", 1),
            ("00ff", 1),
            ("sha1=00ff", 0),
            ("=00ff", 0),
        ] {
            assert_eq!(count(&hub, text), Ok(found), "{text}");
        }
    }
}
