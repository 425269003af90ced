//! [`HeaderTable`]: the headers that a provider uses, and their values in one head.

use std::{borrow::Cow, iter, mem, sync::Arc};

use http::{HeaderName, header};
use smallvec::{SmallVec, smallvec};

use crate::{
    error::SetupError,
    head::{Head, header_name},
    rejection::{Reason, kind::RejectionKind},
};

/// Every header that the variants of a provider use. One pass over a head finds all of them, and of
/// a header with several lines the first.
#[derive(Clone, Debug)]
pub(crate) struct HeaderTable {
    /// The first is `Content-Length`.
    names: Vec<KnownName>,
    /// The index of the last name with each length, of which the lowest six bits count: most lines
    /// of a head have none.
    by_length: [usize; 64],
}

#[derive(Clone, Debug)]
struct KnownName {
    name: Box<str>,
    /// The index of the name before it with such a length.
    before: usize,
}

/// The index of no name.
const NONE: usize = usize::MAX;

/// A header by its names, one per header family of the scheme.
#[derive(Clone, Debug)]
pub(crate) struct HeaderNames {
    first: FamilyName,
    /// Those in the other families; empty if all have the first one.
    others: Vec<FamilyName>,
}

#[derive(Clone, Debug)]
struct FamilyName {
    /// The index in the table.
    place: usize,
    name: HeaderName,
    /// As the provider writes it.
    shown: Arc<str>,
}

impl HeaderTable {
    pub(crate) fn new() -> Self {
        let mut table = Self {
            names: Vec::new(),
            by_length: [NONE; 64],
        };
        table.place(header::CONTENT_LENGTH.as_str());
        table
    }

    /// Adds a header under all its names.
    pub(crate) fn add(
        &mut self,
        name: &str,
        families: &[Cow<'static, str>],
    ) -> Result<HeaderNames, SetupError> {
        header_name(name)?;
        let rest = families.first().and_then(|first| {
            let head = name.get(..first.len())?;
            head.eq_ignore_ascii_case(first).then_some(())?;
            name.get(first.len()..)
        });
        let mut family_name = |text: String| {
            let name = HeaderName::from_bytes(text.as_bytes());
            let name =
                name.map_err(|_| SetupError::new(format!("{text:?} is not a header name")))?;
            Ok(FamilyName {
                place: self.place(name.as_str()),
                name,
                shown: text.into(),
            })
        };
        let (first, others) = match (rest, families) {
            (Some(rest), [first, others @ ..]) => {
                let others = others.iter().map(|prefix| format!("{prefix}{rest}"));
                (format!("{first}{rest}"), others.collect())
            }
            _ => (name.to_owned(), Vec::new()),
        };
        let first = family_name(first)?;
        let others: Result<_, SetupError> = others.into_iter().map(family_name).collect();
        Ok(HeaderNames {
            first,
            others: others?,
        })
    }

    /// The index of a name, which is added if it is new.
    fn place(&mut self, name: &str) -> usize {
        if let Some(place) = self.find(name) {
            return place;
        }
        let place = self.names.len();
        let last = self.by_length.get_mut(length_bits(name));
        let before = last.map_or(NONE, |last| mem::replace(last, place));
        let name = name.into();
        self.names.push(KnownName { name, before });
        place
    }

    pub(crate) fn knows(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    #[inline]
    fn find(&self, name: &str) -> Option<usize> {
        let last = *self.by_length.get(length_bits(name))?;
        if *self.names.get(last)?.name == *name {
            return Some(last);
        }
        self.find_in_chain(name, last)
    }

    /// Looks through all names of this length, ignoring case. It is apart from
    /// [`find`](Self::find), because servers pass on names in lower case, most of which are the
    /// last of their length.
    #[inline(never)]
    fn find_in_chain(&self, name: &str, last: usize) -> Option<usize> {
        let mut place = last;
        loop {
            let known = self.names.get(place)?;
            if is_name(&known.name, name) {
                return Some(place);
            }
            place = known.before;
        }
    }

    /// Passes once over a head.
    pub(crate) fn look_up<'h>(&self, head: &Head<'h>) -> HeaderLines<'h> {
        let mut values: Lines<'h> = smallvec![None; self.names.len()];
        let lines = values.as_mut_slice();
        head.headers.for_each(&mut |name, value| match self
            .find(name)
            .and_then(|place| lines.get_mut(place))
        {
            Some(Some((_, more))) => *more = true,
            Some(line) => *line = Some((value, false)),
            None => {}
        });
        HeaderLines {
            head: *head,
            values,
        }
    }
}

/// Compares ignoring case. Names of one length often share a prefix, so the last byte comes first,
/// with the bit set that distinguishes the cases of a letter.
fn is_name(known: &str, name: &str) -> bool {
    let last = |text: &str| text.as_bytes().last().map(|byte| byte | 0x20);
    last(known) == last(name) && (known == name || known.eq_ignore_ascii_case(name))
}

/// The bits of its length by which a name is looked for.
fn length_bits(name: &str) -> usize {
    name.len() & 63
}

/// The values of one head under the names of a table.
pub(crate) struct HeaderLines<'h> {
    head: Head<'h>,
    values: Lines<'h>,
}

/// The first value of each header, and whether there are more.
type Lines<'h> = SmallVec<[Option<(&'h [u8], bool)>; 10]>;

impl<'h> HeaderLines<'h> {
    /// The number in `Content-Length`, if it is one. A number that overflows is `u64::MAX`.
    pub(crate) fn declared_length(&self) -> Option<u64> {
        let (text, _) = (*self.values.first()?)?;
        if text.is_empty() {
            return None;
        }
        text.iter().try_fold(0_u64, |number, byte| {
            let digit = byte.checked_sub(b'0').filter(|digit| *digit < 10)?;
            Some(number.saturating_mul(10).saturating_add(digit.into()))
        })
    }

    /// Selects the header family: the first complete one, else the first with any header, else the
    /// first. A family is complete if it has all of `needed` and one of `any`.
    pub(crate) fn in_family(
        &self,
        families: usize,
        needed: &[HeaderNames],
        any: &[HeaderNames],
    ) -> FamilyView<'_, 'h> {
        let family = if families < 2 {
            0
        } else {
            self.family(families, needed, any)
        };
        FamilyView {
            lines: self,
            family,
        }
    }

    /// The index of the family.
    fn family(&self, families: usize, needed: &[HeaderNames], any: &[HeaderNames]) -> usize {
        let mut begun = None;
        for family in 0..families {
            let view = FamilyView {
                lines: self,
                family,
            };
            let is_there = |names: &HeaderNames| view.get(names).is_some();
            if needed.iter().all(is_there) && any.iter().any(is_there) {
                return family;
            }
            if begun.is_none() && needed.iter().chain(any).any(is_there) {
                begun = Some(family);
            }
        }
        begun.unwrap_or(0)
    }
}

/// The values of one head under the names of one family.
#[derive(Clone, Copy)]
pub(crate) struct FamilyView<'s, 'h> {
    lines: &'s HeaderLines<'h>,
    family: usize,
}

impl<'h> FamilyView<'_, 'h> {
    pub(crate) fn head(&self) -> &Head<'h> {
        &self.lines.head
    }

    fn line_and_more(&self, header: &HeaderNames) -> Option<(&'h [u8], bool)> {
        *self.lines.values.get(header.of(self.family).place)?
    }

    /// The first value of a header.
    pub(crate) fn get(&self, header: &HeaderNames) -> Option<&'h [u8]> {
        Some(self.line_and_more(header)?.0)
    }

    /// The value of a header that occurs exactly once.
    pub(crate) fn only(&self, header: &HeaderNames) -> Option<&'h [u8]> {
        let (value, more) = self.line_and_more(header)?;
        (!more).then_some(value)
    }

    /// The name of a header in this family, as the provider writes it.
    pub(crate) fn shown<'n>(&self, header: &'n HeaderNames) -> &'n str {
        &header.of(self.family).shown
    }

    /// The only value of a header, else [`RejectionKind::MissingHeader`] or
    /// [`RejectionKind::RepeatedHeader`].
    pub(crate) fn one(&self, header: &HeaderNames) -> Result<&'h [u8], Reason> {
        match self.line_and_more(header) {
            Some((value, false)) => Ok(value),
            Some((_, true)) => Err(self.blame(header, RejectionKind::RepeatedHeader)),
            None => Err(self.blame(header, RejectionKind::MissingHeader)),
        }
    }

    /// The value of a further line, counted from 1.
    pub(crate) fn line(&self, header: &HeaderNames, line: usize) -> Option<&'h [u8]> {
        let (_, more) = self.line_and_more(header)?;
        let name = &header.of(self.family).name;
        more.then(|| self.lines.head.headers.nth(name.as_str(), line))?
    }

    /// A reason of this kind that names the header.
    #[cold]
    pub(crate) fn blame(&self, header: &HeaderNames, kind: RejectionKind) -> Reason {
        Reason::new(kind).about(&header.of(self.family).shown)
    }
}

impl HeaderNames {
    fn of(&self, family: usize) -> &FamilyName {
        let other = family
            .checked_sub(1)
            .and_then(|other| self.others.get(other));
        other.unwrap_or(&self.first)
    }

    /// The name in the first family.
    pub(crate) fn name(&self) -> &HeaderName {
        &self.first.name
    }

    /// The names of all families.
    pub(crate) fn names(&self) -> impl Iterator<Item = &HeaderName> {
        let all = iter::once(&self.first).chain(&self.others);
        all.map(|family| &family.name)
    }

    /// The name in the first family, as the provider writes it.
    pub(crate) fn shown(&self) -> &Arc<str> {
        &self.first.shown
    }

    /// Whether both are the same header, ignoring case.
    pub(crate) fn is(&self, other: &Self) -> bool {
        self.name() == other.name()
    }
}

/// The values of one head that are signed or describe the event.
#[derive(Default)]
pub(crate) struct HeaderValues {
    /// Those that are signed.
    pub(crate) slots: SmallVec<[HeaderValue; 2]>,
    pub(crate) event_type: Option<HeaderValue>,
    pub(crate) delivery_id: Option<HeaderValue>,
    pub(crate) content_type: Option<HeaderValue>,
    pub(crate) content_encoding: Option<HeaderValue>,
}

/// Most values need no allocation.
pub(crate) type HeaderValue = SmallVec<[u8; 40]>;

impl HeaderValues {
    pub(crate) fn slot(&self, slot: usize) -> Option<&[u8]> {
        self.slots.get(slot).map(|value| &**value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_found_whatever_the_length_of_its_name() {
        let mut table = HeaderTable::new();
        let name = |letter: &str, length| letter.repeat(length);
        for length in [1, 14, 63, 64, 65, 200] {
            let place = table.place(&name("x", length));
            assert_eq!(table.find(&name("X", length)), Some(place), "{length}");
            assert_eq!(table.find(&name("y", length)), None, "{length}");
        }
        assert_eq!(table.find("Content-Length"), Some(0));
        assert_eq!(table.find(&name("x", 2)), None);
        // 127 and 63 have the same lowest six bits.
        assert_eq!(table.find(&name("x", 127)), None);
    }
}
