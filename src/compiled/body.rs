//! The signed values of a body, read once for all keys and variants.

use std::{borrow::Cow, cell::OnceCell};

use bytes::Bytes;
use sha2::{Digest, Sha256, digest::Output};

use crate::{
    json,
    scheme::template::{Filter, filtered},
};

/// Every value that the variants of a provider take from a body. One pass per format reads them.
#[derive(Clone, Debug, Default)]
pub(crate) struct BodyTable {
    entries: Vec<BodyValue>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct BodyValue {
    from: BodySource,
    filters: Vec<Filter>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum BodySource {
    Whole,
    Json(Box<str>),
    Form(Box<str>),
}

/// One value per entry; `None` if the body lacks it, or a filter cannot take it.
type BodyValues = Box<[Option<Box<[u8]>>]>;

impl BodyTable {
    /// The index of a value, which is added if it is new.
    pub(crate) fn add(&mut self, from: BodySource, filters: Vec<Filter>) -> usize {
        let entry = BodyValue { from, filters };
        let found = self.entries.iter().position(|other| *other == entry);
        found.unwrap_or_else(|| {
            self.entries.push(entry);
            self.entries.len().saturating_sub(1)
        })
    }

    /// Whether a form is what the provider sends.
    pub(crate) fn reads_forms(&self) -> bool {
        let mut entries = self.entries.iter();
        entries.any(|entry| matches!(entry.from, BodySource::Form(_)))
    }

    fn read(&self, body: &[u8]) -> BodyValues {
        let pointers = self.entries.iter().map(|entry| match &entry.from {
            BodySource::Json(pointer) => Some(&**pointer),
            BodySource::Whole | BodySource::Form(_) => None,
        });
        let pointers: Vec<_> = pointers.collect();
        let mut scalars = if pointers.iter().any(Option::is_some) {
            #[cfg(test)]
            passes::count();
            json::scalars(body, &pointers)
        } else {
            vec![None; pointers.len()]
        };
        let fields = self.form_fields(body);
        let values = self.entries.iter().zip(&mut scalars).zip(fields);
        let values = values.map(|((entry, scalar), field)| {
            let scalar = scalar.take();
            let value = match &entry.from {
                BodySource::Whole => body,
                BodySource::Json(_) => scalar.as_ref()?.as_bytes(),
                BodySource::Form(_) => field.as_ref()?.as_bytes(),
            };
            #[cfg(test)]
            if entry.from == BodySource::Whole {
                passes::count();
            }
            filtered(&entry.filters, value, |value| value.into())
        });
        values.collect()
    }

    /// The form fields that occur exactly once: a handler might take the last of several where the
    /// check took the first.
    fn form_fields(&self, body: &[u8]) -> Vec<Option<String>> {
        let mut fields: Vec<Option<String>> = vec![None; self.entries.len()];
        let is_form = |entry: &BodyValue| matches!(entry.from, BodySource::Form(_));
        if !self.entries.iter().any(is_form) {
            return fields;
        }
        #[cfg(test)]
        passes::count();
        let mut seen = vec![false; self.entries.len()];
        for (name, value) in form_urlencoded::parse(body) {
            for ((entry, field), seen) in self.entries.iter().zip(&mut fields).zip(&mut seen) {
                if matches!(&entry.from, BodySource::Form(wanted) if **wanted == *name) {
                    *field = (!*seen).then(|| value.clone().into_owned());
                    *seen = true;
                }
            }
        }
        fields
    }
}

/// A complete body, with the values and the digest that signed content needs.
pub(crate) struct BodyInput {
    body: Bytes,
    /// Computed on first use, unless it was computed as the body arrived.
    sha256: OnceCell<Output<Sha256>>,
    values: BodyValues,
}

impl BodyInput {
    pub(crate) fn new(body: Bytes, table: &BodyTable, sha256: Option<Output<Sha256>>) -> Self {
        let sha256 = sha256.map_or_else(OnceCell::new, OnceCell::from);
        let values = if table.entries.is_empty() {
            BodyValues::default()
        } else {
            table.read(&body)
        };
        Self {
            body,
            sha256,
            values,
        }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.body
    }

    pub(crate) fn sha256(&self) -> &Output<Sha256> {
        self.sha256.get_or_init(|| Sha256::digest(&self.body))
    }

    pub(crate) fn value(&self, place: usize) -> Option<&[u8]> {
        self.values.get(place)?.as_deref()
    }

    /// The body, and its digest if the scheme signs it.
    pub(crate) fn into_parts(self) -> (Bytes, Option<[u8; 32]>) {
        (self.body, self.sha256.into_inner().map(Into::into))
    }
}

/// The value of a query or form field that occurs exactly once: a handler might take the last of
/// several where the check took the first.
pub(crate) fn only<'f>(form: &'f [u8], name: &str) -> Option<Cow<'f, str>> {
    let mut named = form_urlencoded::parse(form).filter(|(field, _)| field == name);
    let (_, value) = named.next()?;
    named.next().is_none().then_some(value)
}

/// Passes over bodies for their values, per thread, for tests.
#[cfg(test)]
pub(crate) mod passes {
    use std::cell::Cell;

    thread_local! {
        static PASSES: Cell<usize> = const { Cell::new(0) };
    }

    pub(crate) fn count() {
        PASSES.set(PASSES.get().saturating_add(1));
    }

    /// The passes since the last call.
    pub(crate) fn take() -> usize {
        PASSES.take()
    }
}
