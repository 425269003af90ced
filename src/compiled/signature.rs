//! The signature header of a request: its candidates and its fields.

use std::iter;

use crate::{
    crypto::{encoding::decode, tag::Tag},
    scheme::{
        encoding::Encoding,
        signature::{Grammar, SignatureFormat},
    },
};

/// The signatures of a request.
#[derive(Clone, Default)]
pub(crate) struct Candidates {
    first: Option<Tag>,
    rest: Vec<Tag>,
}

impl Candidates {
    pub(crate) fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    /// Compares with every candidate, without an early exit.
    pub(crate) fn contain(&self, tag: &Tag) -> bool {
        let first = self.first.as_ref().is_some_and(|first| first.matches(tag));
        self.rest
            .iter()
            .fold(first, |found, candidate| found | candidate.matches(tag))
    }
}

/// There are more than [`SignatureFormat::MAX_SIGNATURES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooMany;

/// Collects candidates from one or several header values.
pub(crate) struct Collector {
    encoding: Encoding,
    len: usize,
    seen: usize,
    found: Candidates,
}

impl Collector {
    pub(crate) fn new(encoding: Encoding, len: usize) -> Self {
        Self {
            encoding,
            len,
            seen: 0,
            found: Candidates::default(),
        }
    }

    pub(crate) fn finish(self) -> Candidates {
        self.found
    }

    /// Counts an item and keeps it if it can be decoded. One that cannot be decoded is skipped: a
    /// sender may add signatures of a new kind beside the known one.
    fn offer(&mut self, text: &[u8]) -> Result<(), TooMany> {
        self.seen = self.seen.saturating_add(1);
        if self.seen > SignatureFormat::MAX_SIGNATURES {
            return Err(TooMany);
        }
        match decode(self.encoding, text, self.len) {
            Some(tag) if self.found.is_empty() => self.found.first = Some(tag),
            Some(tag) => self.found.rest.push(tag),
            None => {}
        }
        Ok(())
    }

    pub(crate) fn read(&mut self, grammar: &Grammar, value: &[u8]) -> Result<(), TooMany> {
        match grammar {
            Grammar::Single { prefix } => match value.strip_prefix(prefix.as_bytes()) {
                Some(text) => self.offer(text),
                None => Ok(()),
            },
            Grammar::List { separator, prefix } => items(value, *separator)
                .filter_map(|item| item.strip_prefix(prefix.as_bytes()))
                .try_for_each(|text| self.offer(text)),
            Grammar::Fields {
                separator,
                field,
                sets,
            } => named(value, *separator, *sets)
                .filter(|(name, _)| *name == field.as_bytes())
                .try_for_each(|(_, text)| self.offer(text)),
            Grammar::Positional { separator, first } => items(value, *separator)
                .skip(*first)
                .try_for_each(|text| self.offer(text)),
        }
    }
}

/// The value of a field of the signature header.
pub(crate) enum Field<'v> {
    Is(&'v [u8]),
    Missing,
    /// It occurs with different values, or twice in one set.
    Ambiguous,
}

/// The value of the field `name` (a position for [`Grammar::Positional`]).
pub(crate) fn field<'v>(grammar: &Grammar, value: &'v [u8], name: &str) -> Field<'v> {
    match grammar {
        Grammar::Fields {
            separator, sets, ..
        } => {
            let mut found: Option<&[u8]> = None;
            for set in sets_of(value, *sets) {
                let mut here = named(set, *separator, None).filter(|(n, _)| *n == name.as_bytes());
                match (here.next(), here.next(), found) {
                    (None, _, _) if sets.is_some() => return Field::Missing,
                    (None, _, _) => {}
                    (Some(_), Some(_), _) => return Field::Ambiguous,
                    (Some((_, text)), None, Some(other)) if text != other => {
                        return Field::Ambiguous;
                    }
                    (Some((_, text)), None, _) => found = Some(text),
                }
            }
            found.map_or(Field::Missing, Field::Is)
        }
        Grammar::Positional { separator, first } => name
            .parse::<usize>()
            .ok()
            .filter(|position| position < first)
            .and_then(|position| items(value, *separator).nth(position))
            .map_or(Field::Missing, Field::Is),
        Grammar::Single { .. } | Grammar::List { .. } => Field::Missing,
    }
}

fn items(value: &[u8], separator: char) -> impl Iterator<Item = &[u8]> {
    cut(value, Some(separator)).map(<[u8]>::trim_ascii)
}

fn sets_of(value: &[u8], separator: Option<char>) -> impl Iterator<Item = &[u8]> {
    cut(value, separator).filter(move |set| separator.is_none() || !set.is_empty())
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

fn named(
    value: &[u8],
    separator: char,
    sets: Option<char>,
) -> impl Iterator<Item = (&[u8], &[u8])> {
    sets_of(value, sets)
        .flat_map(move |set| items(set, separator))
        .filter_map(|item| {
            let equals = item.iter().position(|byte| *byte == b'=')?;
            let (name, rest) = item.split_at_checked(equals)?;
            Some((name, rest.get(1..)?))
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scheme::signature::SignatureFormat;

    fn candidates(signature: &SignatureFormat, value: &str) -> Result<Candidates, TooMany> {
        let mut collector = Collector::new(signature.encoding, 2);
        collector.read(&signature.grammar, value.as_bytes())?;
        Ok(collector.finish())
    }

    fn count(signature: &SignatureFormat, value: &str) -> Result<usize, TooMany> {
        let found = candidates(signature, value)?;
        assert!(found.first.is_some() || found.rest.is_empty());
        Ok(found.first.iter().len().saturating_add(found.rest.len()))
    }

    fn value<'v>(
        signature: &SignatureFormat,
        value: &'v str,
        name: &str,
    ) -> Result<&'v str, &'static str> {
        match field(&signature.grammar, value.as_bytes(), name) {
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
        assert_eq!(value(&persona, "t=1,v1=0000 v1=00ff", "t"), Err("missing"));
        assert_eq!(value(&persona, "t=1,v1=0000", "t"), Ok("1"));
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
        let found = candidates(&list, "0001 0002 0003").unwrap();
        for last in 1..=3_u8 {
            assert!(found.contain(&Tag::from(&[0, last][..])));
        }
        assert!(!found.contain(&Tag::from(&[0, 4][..])));
    }
}
