//! The headers that a request is asked for, and what is taken out of them.

use std::{borrow::Cow, mem, sync::Arc};

use http::{HeaderName, header};
use smallvec::{SmallVec, smallvec};

use super::super::template;
use crate::{
    SetupError,
    head::Head,
    rejection::{Reason, RejectionKind},
};

/// All headers that the constructions of a provider look at. A head is gone through once, for all of them.
#[derive(Clone, Debug)]
pub(crate) struct HeaderTable {
    /// The first is `Content-Length`.
    names: Vec<Known>,
    /// The first of the names of each length: most lines of a head are not looked for, and this tells at once.
    by_length: [Option<u16>; LENGTHS],
}

/// Longer names share the places of shorter ones.
const LENGTHS: usize = 64;

#[derive(Clone, Debug)]
struct Known {
    name: Box<str>,
    /// Another name of the same length.
    next: Option<u16>,
}

/// A header by its names, one for each family of the scheme.
#[derive(Clone, Debug)]
pub(super) struct HeaderNames(SmallVec<[Spelling; 2]>);

#[derive(Clone, Debug)]
struct Spelling {
    /// The place in the table.
    place: usize,
    name: HeaderName,
    /// As the provider writes it.
    shown: Arc<str>,
}

impl HeaderTable {
    pub(crate) fn new() -> Self {
        let mut table = Self {
            names: Vec::new(),
            by_length: [None; LENGTHS],
        };
        table.place(header::CONTENT_LENGTH.as_str());
        table
    }

    /// The header under all its names.
    pub(super) fn add(
        &mut self,
        name: &str,
        families: &[Cow<'static, str>],
    ) -> Result<HeaderNames, SetupError> {
        template::header_name(name)?;
        let rest = families.first().and_then(|first| {
            let head = name.get(..first.len())?;
            head.eq_ignore_ascii_case(first).then_some(())?;
            name.get(first.len()..)
        });
        let mut spelling = |text: String| {
            let name = HeaderName::from_bytes(text.as_bytes());
            let name = name.map_err(|_| SetupError::new(format!("{text:?} is no header name")))?;
            Ok(Spelling {
                place: self.place(name.as_str()),
                name,
                shown: text.into(),
            })
        };
        let spellings: Result<_, SetupError> = match rest {
            Some(rest) => families
                .iter()
                .map(|prefix| spelling(format!("{prefix}{rest}")))
                .collect(),
            None => Ok(SmallVec::from_iter([spelling(name.to_owned())?])),
        };
        Ok(HeaderNames(spellings?))
    }

    /// Where a name stands; it is added if it does not yet.
    fn place(&mut self, name: &str) -> usize {
        if let Some(place) = self.find(name) {
            return place;
        }
        let place = self.names.len();
        let first = self.by_length.get_mut(length_of(name));
        let next = first.and_then(|first| mem::replace(first, u16::try_from(place).ok()));
        let name = name.into();
        self.names.push(Known { name, next });
        place
    }

    fn find(&self, name: &str) -> Option<usize> {
        let mut next = *self.by_length.get(length_of(name))?;
        while let Some(place) = next {
            let place = usize::from(place);
            let known = self.names.get(place)?;
            if is_name(&known.name, name) {
                return Some(place);
            }
            next = known.next;
        }
        None
    }

    /// Goes through a head.
    pub(crate) fn look_up<'h>(&self, head: &Head<'h>) -> Seen<'h> {
        let mut values: Values<'h> = smallvec![None; self.names.len()];
        head.headers.for_each(&mut |name, value| {
            if let Some(place) = self.find(name)
                && let Some(seen) = values.get_mut(place)
            {
                *seen = Some(seen.map_or((value, false), |(first, _)| (first, true)));
            }
        });
        Seen {
            head: *head,
            values,
        }
    }
}

/// Names of one length differ at their end more often than at their beginning, which may be that of a family.
fn is_name(known: &str, name: &str) -> bool {
    let last = |text: &str| text.as_bytes().last().map(u8::to_ascii_lowercase);
    last(known) == last(name) && (known == name || known.eq_ignore_ascii_case(name))
}

fn length_of(name: &str) -> usize {
    name.len() & (LENGTHS - 1)
}

/// What one head has under the names of a table.
pub(crate) struct Seen<'h> {
    head: Head<'h>,
    values: Values<'h>,
}

/// The first value of each header, and whether there are more.
type Values<'h> = SmallVec<[Option<(&'h [u8], bool)>; 10]>;

impl<'h> Seen<'h> {
    /// The length that `Content-Length` declares, if it says a number. One too large for `u64` counts as `u64::MAX`.
    pub(crate) fn declared_length(&self) -> Option<u64> {
        let (text, _) = (*self.values.first()?)?;
        if text.is_empty() || !text.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let number = std::str::from_utf8(text).ok()?;
        Some(number.parse().unwrap_or(u64::MAX))
    }

    /// Under the names of one family: the first of which all of `needed` are there, and one of `any`; else of which
    /// something is; else the first.
    pub(super) fn in_family(
        &self,
        families: usize,
        needed: &[HeaderNames],
        any: &[HeaderNames],
    ) -> View<'_, 'h> {
        let mut begun = None;
        for family in 0..families {
            let view = View { seen: self, family };
            let is_there = |names: &HeaderNames| view.get(names).is_some();
            if needed.iter().all(is_there) && any.iter().any(is_there) {
                return view;
            }
            if begun.is_none() && needed.iter().chain(any).any(is_there) {
                begun = Some(family);
            }
        }
        View {
            seen: self,
            family: begun.unwrap_or(0),
        }
    }
}

/// What one head has under the names of one family.
#[derive(Clone, Copy)]
pub(super) struct View<'s, 'h> {
    seen: &'s Seen<'h>,
    family: usize,
}

impl<'h> View<'_, 'h> {
    pub(super) fn head(&self) -> &Head<'h> {
        &self.seen.head
    }

    fn line_and_more(&self, header: &HeaderNames) -> Option<(&'h [u8], bool)> {
        *self.seen.values.get(header.of(self.family)?.place)?
    }

    /// The first value of a header.
    pub(super) fn get(&self, header: &HeaderNames) -> Option<&'h [u8]> {
        Some(self.line_and_more(header)?.0)
    }

    /// The one value of a header; [`RejectionKind::MissingHeader`] or [`RejectionKind::RepeatedHeader`] otherwise.
    pub(super) fn one(&self, header: &HeaderNames) -> Result<&'h [u8], Reason> {
        match self.line_and_more(header) {
            Some((value, false)) => Ok(value),
            Some((_, true)) => Err(self.blame(header, RejectionKind::RepeatedHeader)),
            None => Err(self.blame(header, RejectionKind::MissingHeader)),
        }
    }

    /// The value of a line after the first, from 1.
    pub(super) fn line(&self, header: &HeaderNames, line: usize) -> Option<&'h [u8]> {
        let (_, more) = self.line_and_more(header)?;
        let name = &header.of(self.family)?.name;
        more.then(|| self.seen.head.headers.nth(name.as_str(), line))?
    }

    /// A reason of this kind that names the header.
    #[cold]
    pub(super) fn blame(&self, header: &HeaderNames, kind: RejectionKind) -> Reason {
        match header.of(self.family) {
            Some(spelling) => Reason::new(kind).about(&spelling.shown),
            None => Reason::new(kind),
        }
    }
}

impl HeaderNames {
    fn of(&self, family: usize) -> Option<&Spelling> {
        self.0.get(family).or_else(|| self.0.first())
    }

    /// The name in the first family.
    pub(super) fn name(&self) -> Option<&HeaderName> {
        Some(&self.0.first()?.name)
    }

    /// The name in the first family, as the provider writes it.
    pub(super) fn shown(&self) -> &str {
        self.0.first().map_or("", |spelling| &spelling.shown)
    }

    /// Whether both are the same header, which may be spelled in two ways.
    pub(super) fn is(&self, other: &Self) -> bool {
        self.name() == other.name()
    }
}

/// Values out of one head, in one run of memory.
#[derive(Clone, Default)]
pub(crate) struct Captured {
    bytes: SmallVec<[u8; 96]>,
    /// Where each value ends; the second is whether there was one.
    ends: SmallVec<[(u32, bool); 6]>,
}

impl Captured {
    pub(super) fn push(&mut self, value: Option<&[u8]>) {
        self.bytes.extend_from_slice(value.unwrap_or_default());
        let end = u32::try_from(self.bytes.len()).unwrap_or(u32::MAX);
        self.ends.push((end, value.is_some()));
    }

    pub(crate) fn get(&self, index: usize) -> Option<&[u8]> {
        let (end, present) = *self.ends.get(index)?;
        let start = match index.checked_sub(1) {
            Some(before) => self.ends.get(before)?.0,
            None => 0,
        };
        present
            .then(|| {
                self.bytes
                    .get(usize::try_from(start).ok()?..usize::try_from(end).ok()?)
            })
            .flatten()
    }
}
