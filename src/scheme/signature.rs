//! Where signatures stand in the headers, and the grammars in which several stand in one value.

use std::{borrow::Cow, iter};

use super::{algorithm::Tag, encoding::Encoding};

/// The header or headers that carry the signature, and how it is spelled there.
///
/// ```
/// use tower_webhook::scheme::{Encoding, Signature};
///
/// // X-Hub-Signature-256: sha256=9f86d0…
/// Signature::single("X-Hub-Signature-256", Encoding::Hex).with_prefix("sha256=");
/// // svix-signature: v1,K5oZfz… v1,hnO3f9…
/// Signature::list("svix-signature", ' ', Encoding::Base64).with_prefix("v1,");
/// // Stripe-Signature: t=1700000000,v1=5257a8…
/// Signature::fields("Stripe-Signature", ',', "v1", Encoding::Hex);
/// // recurly-signature: 1700000000000,5257a8…,91ab00…
/// Signature::positional("recurly-signature", ',', 1, Encoding::Hex);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Signature {
    pub(super) headers: Vec<Cow<'static, str>>,
    pub(super) grammar: Grammar,
    pub(super) encoding: Encoding,
    pub(super) repeats: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Grammar {
    Single {
        prefix: Cow<'static, str>,
    },
    List {
        separator: char,
        prefix: Cow<'static, str>,
    },
    Fields {
        separator: char,
        field: Cow<'static, str>,
        sets: Option<char>,
    },
    Positional {
        separator: char,
        first: usize,
    },
}

impl Signature {
    /// The whole value is one signature, after a prefix if there is one.
    #[must_use]
    pub fn single(header: impl Into<Cow<'static, str>>, encoding: Encoding) -> Self {
        let prefix = Cow::Borrowed("");
        Self::new(header.into(), encoding, Grammar::Single { prefix })
    }

    /// Items between separators; each one that starts with the prefix is a candidate, the others are skipped.
    #[must_use]
    pub fn list(header: impl Into<Cow<'static, str>>, separator: char, encoding: Encoding) -> Self {
        let prefix = Cow::Borrowed("");
        Self::new(header.into(), encoding, Grammar::List { separator, prefix })
    }

    /// `name=value` fields between separators; each one called `field` is a candidate.
    #[must_use]
    pub fn fields(
        header: impl Into<Cow<'static, str>>,
        separator: char,
        field: impl Into<Cow<'static, str>>,
        encoding: Encoding,
    ) -> Self {
        let grammar = Grammar::Fields {
            separator,
            field: field.into(),
            sets: None,
        };
        Self::new(header.into(), encoding, grammar)
    }

    /// Items between separators, told apart by their place: those from `first` (counted from 0) are candidates,
    /// the ones before are fields named `0`, `1`, ….
    #[must_use]
    pub fn positional(
        header: impl Into<Cow<'static, str>>,
        separator: char,
        first: usize,
        encoding: Encoding,
    ) -> Self {
        Self::new(
            header.into(),
            encoding,
            Grammar::Positional { separator, first },
        )
    }

    fn new(header: Cow<'static, str>, encoding: Encoding, grammar: Grammar) -> Self {
        Self {
            headers: vec![header],
            grammar,
            encoding,
            repeats: false,
        }
    }

    /// Sets the text before each signature of a [`single`](Self::single) value or a [`list`](Self::list).
    /// Fields and positions have none, and are left as they are.
    #[must_use]
    pub fn with_prefix(mut self, text: impl Into<Cow<'static, str>>) -> Self {
        if let Grammar::Single { prefix } | Grammar::List { prefix, .. } = &mut self.grammar {
            *prefix = text.into();
        }
        self
    }

    /// Sets the character between whole sets of [`fields`](Self::fields), each of one key: `t=1,v1=aa t=1,v1=bb`.
    /// Fields that are signed must be equal in every set.
    #[must_use]
    pub fn with_sets(mut self, separator: char) -> Self {
        if let Grammar::Fields { sets, .. } = &mut self.grammar {
            *sets = Some(separator);
        }
        self
    }

    /// Adds a header that may stand instead of the first or beside it; a signature in any of them counts.
    #[must_use]
    pub fn or_header(mut self, header: impl Into<Cow<'static, str>>) -> Self {
        self.headers.push(header.into());
        self
    }

    /// Lets a header have several lines, each with a signature. Without this a second line is refused.
    #[must_use]
    pub fn with_repeated_lines(mut self) -> Self {
        self.repeats = true;
        self
    }
}

/// The signatures of a request.
#[derive(Clone, Default)]
pub(crate) struct Candidates {
    first: Option<Tag>,
    rest: Vec<Tag>,
}

impl Candidates {
    /// More than these in one request is malformed: the work must not grow with the header.
    pub(crate) const MAX: usize = 16;

    pub(super) fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    /// Looks at every candidate, whichever of them matches. Nothing matches none.
    pub(crate) fn contain(&self, tag: &Tag) -> bool {
        let first = self.first.as_ref().is_some_and(|first| first.matches(tag));
        self.rest
            .iter()
            .fold(first, |found, candidate| found | candidate.matches(tag))
    }
}

/// Why no candidates could be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooMany;

/// Gathers candidates from one or several header values.
pub(super) struct Collector<'c> {
    encoding: Encoding,
    len: usize,
    seen: usize,
    found: &'c mut Candidates,
}

impl<'c> Collector<'c> {
    pub(super) fn new(encoding: Encoding, len: usize, found: &'c mut Candidates) -> Self {
        Self {
            encoding,
            len,
            seen: 0,
            found,
        }
    }

    /// Counts an item and keeps it if it can be decoded. A sender may put signatures of a kind that it
    /// introduces later beside the one that is checked, so an odd one does not spoil the others.
    fn offer(&mut self, text: &[u8]) -> Result<(), TooMany> {
        self.seen = self.seen.saturating_add(1);
        if self.seen > Candidates::MAX {
            return Err(TooMany);
        }
        match self.encoding.decode(text, self.len) {
            Some(tag) if self.found.is_empty() => self.found.first = Some(tag),
            Some(tag) => self.found.rest.push(tag),
            None => {}
        }
        Ok(())
    }

    pub(super) fn read(&mut self, grammar: &Grammar, value: &[u8]) -> Result<(), TooMany> {
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

/// What a field of the signature header says.
pub(super) enum Field<'v> {
    Is(&'v [u8]),
    Missing,
    /// It stands there twice with different values, or twice in one set.
    Ambiguous,
}

/// The value of the field `name` (a position for [`Grammar::Positional`]).
pub(super) fn field<'v>(grammar: &Grammar, value: &'v [u8], name: &str) -> Field<'v> {
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

/// The pieces between separators, all of which are ASCII.
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

    fn candidates(signature: &Signature, value: &str) -> Result<Candidates, TooMany> {
        let mut found = Candidates::default();
        let mut collector = Collector::new(signature.encoding, 2, &mut found);
        collector.read(&signature.grammar, value.as_bytes())?;
        Ok(found)
    }

    fn count(signature: &Signature, value: &str) -> Result<usize, TooMany> {
        let found = candidates(signature, value)?;
        assert!(found.first.is_some() || found.rest.is_empty());
        Ok(found.first.iter().len().saturating_add(found.rest.len()))
    }

    fn value<'v>(
        signature: &Signature,
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
        let plain = Signature::single("x", Encoding::Hex);
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
        let list = Signature::list("x", ' ', Encoding::Hex).with_prefix("v1,");
        assert_eq!(count(&list, "v1,00ff v1a,0000 v1,1111"), Ok(2));
        assert_eq!(count(&list, "v1,zz  v1,1111 "), Ok(1));
        assert_eq!(count(&list, "v1,zz"), Ok(0));
        assert_eq!(count(&list, "v2,00ff"), Ok(0));
    }

    #[test]
    fn fields_are_found_by_name() {
        let stripe = Signature::fields("x", ',', "v1", Encoding::Hex);
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
        let persona = Signature::fields("x", ',', "v1", Encoding::Hex).with_sets(' ');
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
        let recurly = Signature::positional("x", ',', 1, Encoding::Hex);
        assert_eq!(count(&recurly, "1700,00ff,0000"), Ok(2));
        assert_eq!(value(&recurly, "1700,00ff", "0"), Ok("1700"));
        assert_eq!(value(&recurly, "1700,00ff", "1"), Err("missing"));
        assert_eq!(count(&recurly, "1700"), Ok(0));
    }

    #[test]
    fn the_seventeenth_candidate_is_one_too_many() {
        let list = Signature::list("x", ' ', Encoding::Hex);
        assert_eq!(count(&list, &["00ff"; 16].join(" ")), Ok(16));
        assert_eq!(count(&list, &["00ff"; 17].join(" ")), Err(TooMany));
        assert_eq!(count(&list, &["zz"; 8000].join(" ")), Err(TooMany));
    }

    #[test]
    fn any_candidate_may_match() {
        let list = Signature::list("x", ' ', Encoding::Hex);
        let found = candidates(&list, "0001 0002 0003").unwrap();
        for last in 1..=3_u8 {
            assert!(found.contain(&Tag::from(&[0, last][..])));
        }
        assert!(!found.contain(&Tag::from(&[0, 4][..])));
    }
}
