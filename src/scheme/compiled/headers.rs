//! The headers of a scheme, under the names that one request uses, and what is taken out of them.

use std::{borrow::Cow, sync::Arc};

use smallvec::SmallVec;

use super::super::template;
use crate::{
    SetupError,
    head::Head,
    rejection::{Reason, RejectionKind},
};

/// A header by its names, one for each family of the scheme.
#[derive(Clone, Debug)]
pub(super) struct HeaderNames(SmallVec<[Arc<str>; 2]>);

impl HeaderNames {
    pub(super) fn new(name: &str, families: &[Cow<'static, str>]) -> Result<Self, SetupError> {
        template::header_name(name)?;
        let rest = families.first().and_then(|first| {
            let head = name.get(..first.len())?;
            head.eq_ignore_ascii_case(first).then_some(())?;
            name.get(first.len()..)
        });
        Ok(Self(match rest {
            Some(rest) => families
                .iter()
                .map(|prefix| format!("{prefix}{rest}").into())
                .collect(),
            None => SmallVec::from_iter([name.into()]),
        }))
    }

    /// Whether both are the same header.
    pub(super) fn are(&self, other: &Self) -> bool {
        let mut pairs = self.0.iter().zip(&other.0);
        self.0.len() == other.0.len() && pairs.all(|(one, other)| one.eq_ignore_ascii_case(other))
    }

    pub(super) fn of(&self, family: usize) -> Option<&Arc<str>> {
        self.0.get(family).or_else(|| self.0.first())
    }

    /// The one value of this header; [`RejectionKind::MissingHeader`] or [`RejectionKind::RepeatedHeader`] otherwise.
    pub(super) fn one<'h>(&self, head: &Head<'h>, family: usize) -> Result<&'h [u8], Reason> {
        let Some(name) = self.of(family) else {
            return Err(Reason::new(RejectionKind::MissingHeader));
        };
        let Some(value) = head.headers.nth(name, 0) else {
            return Err(Reason::new(RejectionKind::MissingHeader).about(name));
        };
        if head.headers.nth(name, 1).is_some() {
            return Err(Reason::new(RejectionKind::RepeatedHeader).about(name));
        }
        Ok(value)
    }

    /// A reason of this kind that names the header.
    pub(super) fn blame(&self, kind: RejectionKind, family: usize) -> Reason {
        match self.of(family) {
            Some(name) => Reason::new(kind).about(name),
            None => Reason::new(kind),
        }
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
