//! The headers of a scheme, under the names that one request uses, and what is taken out of them.

use std::{borrow::Cow, sync::Arc};

use http::HeaderName;
use smallvec::SmallVec;

use super::super::template;
use crate::{
    SetupError,
    head::Head,
    rejection::{Reason, RejectionKind},
};

/// All headers that a scheme looks at, each of them once.
#[derive(Debug, Default)]
pub(super) struct HeaderTable {
    families: Vec<Cow<'static, str>>,
    all: Vec<HeaderNames>,
}

/// A header by its names, one for each family of the scheme.
#[derive(Clone, Debug)]
pub(super) struct HeaderNames {
    /// The place in the table.
    index: usize,
    names: SmallVec<[Spelling; 2]>,
}

#[derive(Clone, Debug)]
struct Spelling {
    name: HeaderName,
    /// As the provider writes it.
    shown: Arc<str>,
}

impl HeaderTable {
    pub(super) fn new(families: &[Cow<'static, str>]) -> Self {
        Self {
            families: families.to_vec(),
            all: Vec::new(),
        }
    }

    /// The header under all its names.
    pub(super) fn add(&mut self, name: &str) -> Result<HeaderNames, SetupError> {
        template::header_name(name)?;
        let rest = self.families.first().and_then(|first| {
            let head = name.get(..first.len())?;
            head.eq_ignore_ascii_case(first).then_some(())?;
            name.get(first.len()..)
        });
        let spelling = |text: String| {
            let name = HeaderName::from_bytes(text.as_bytes());
            let name = name.map_err(|_| SetupError::new(format!("{text:?} is no header name")))?;
            Ok(Spelling {
                name,
                shown: text.into(),
            })
        };
        let names: SmallVec<[Spelling; 2]> = match rest {
            Some(rest) => {
                let spellings = self.families.iter();
                let spellings = spellings.map(|prefix| spelling(format!("{prefix}{rest}")));
                spellings.collect::<Result<_, _>>()?
            }
            None => SmallVec::from_iter([spelling(name.to_owned())?]),
        };
        let same = |known: &&HeaderNames| {
            let pairs = known.names.iter().zip(&names);
            known.names.len() == names.len() && pairs.into_iter().all(|(a, b)| a.name == b.name)
        };
        // The same header may be spelled in two ways.
        let index = match self.all.iter().find(same) {
            Some(known) => known.index,
            None => self.all.len(),
        };
        let header = HeaderNames { index, names };
        if index == self.all.len() {
            self.all.push(header.clone());
        }
        Ok(header)
    }

    /// Looks each header up once, under the first family of which all of `needed` are there, and one of `any`; else of which
    /// something is; else the first.
    pub(super) fn look_up<'h>(
        &self,
        head: &Head<'h>,
        needed: &[HeaderNames],
        any: &[HeaderNames],
    ) -> Seen<'h> {
        let mut begun = None;
        for family in 0..self.families.len() {
            let seen = self.look_up_as(head, family);
            let is_there = |names: &HeaderNames| seen.get(names).is_some();
            if needed.iter().all(is_there) && any.iter().any(is_there) {
                return seen;
            }
            if begun.is_none() && needed.iter().chain(any).any(is_there) {
                begun = Some(seen);
            }
        }
        begun.unwrap_or_else(|| self.look_up_as(head, 0))
    }

    fn look_up_as<'h>(&self, head: &Head<'h>, family: usize) -> Seen<'h> {
        let find =
            |names: &HeaderNames| Some(head.headers.first(&names.of(family)?.name)).flatten();
        Seen {
            head: *head,
            family,
            values: self.all.iter().map(find).collect(),
        }
    }
}

/// What one head has under the names of a table.
pub(super) struct Seen<'h> {
    head: Head<'h>,
    family: usize,
    values: SmallVec<[Option<First<'h>>; 8]>,
}

/// The first value of a header, and whether there are more.
type First<'h> = (&'h [u8], bool);

impl<'h> Seen<'h> {
    pub(super) fn head(&self) -> &Head<'h> {
        &self.head
    }

    /// The first value of a header.
    pub(super) fn get(&self, header: &HeaderNames) -> Option<&'h [u8]> {
        Some((*self.values.get(header.index)?)?.0)
    }

    /// The one value of a header; [`RejectionKind::MissingHeader`] or [`RejectionKind::RepeatedHeader`] otherwise.
    pub(super) fn one(&self, header: &HeaderNames) -> Result<&'h [u8], Reason> {
        match self.values.get(header.index) {
            Some(Some((value, false))) => Ok(value),
            Some(Some((_, true))) => Err(self.blame(header, RejectionKind::RepeatedHeader)),
            Some(None) | None => Err(self.blame(header, RejectionKind::MissingHeader)),
        }
    }

    /// The value of a line after the first, from 1.
    pub(super) fn line(&self, header: &HeaderNames, line: usize) -> Option<&'h [u8]> {
        let (_, more) = (*self.values.get(header.index)?)?;
        let name = &header.of(self.family)?.name;
        more.then(|| self.head.headers.nth(name.as_str(), line))?
    }

    /// A reason of this kind that names the header.
    pub(super) fn blame(&self, header: &HeaderNames, kind: RejectionKind) -> Reason {
        match header.of(self.family) {
            Some(spelling) => Reason::new(kind).about(&spelling.shown),
            None => Reason::new(kind),
        }
    }
}

impl HeaderNames {
    fn of(&self, family: usize) -> Option<&Spelling> {
        self.names.get(family).or_else(|| self.names.first())
    }

    /// The name in the first family.
    pub(super) fn name(&self) -> Option<&HeaderName> {
        Some(&self.names.first()?.name)
    }

    /// The name in the first family, as the provider writes it.
    pub(super) fn shown(&self) -> &str {
        self.names.first().map_or("", |spelling| &spelling.shown)
    }

    /// Whether both are the same header.
    pub(super) fn is(&self, other: &Self) -> bool {
        self.index == other.index
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
