//! The signed values of a body, read once for all keys and variants.

use std::{borrow::Cow, cell::OnceCell};

use bytes::Bytes;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256, digest::Output};

use crate::{
    json, multipart,
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
    /// A scalar, as text.
    Json(Box<str>),
    /// A string, which is required to be one.
    JsonString(Box<str>),
    /// A value as received.
    Span(Box<str>),
    Form(Box<str>),
    /// A scalar in the JSON document in a form field, as text.
    FormJson(Box<str>, Box<str>),
}

impl BodySource {
    fn pointer(&self) -> Option<&str> {
        match self {
            Self::Json(pointer) | Self::JsonString(pointer) | Self::Span(pointer) => Some(pointer),
            Self::Whole | Self::Form(_) | Self::FormJson(..) => None,
        }
    }

    fn field(&self) -> Option<&str> {
        match self {
            Self::Form(name) | Self::FormJson(name, _) => Some(name),
            _ => None,
        }
    }

    /// What the source takes of the value that was found for it.
    fn take<'v>(&self, raw: Option<&'v RawValue>, field: Option<&'v str>) -> Option<Cow<'v, str>> {
        match self {
            Self::Whole => None,
            Self::Span(_) => Some(raw?.get().into()),
            Self::Json(_) => json::text(raw?),
            Self::JsonString(_) => json::text(raw.filter(|raw| raw.get().starts_with('"'))?),
            Self::Form(_) => Some(field?.into()),
            Self::FormJson(_, pointer) => {
                let found = json::unique(field?.as_bytes(), &[Some(pointer)]);
                json::text((*found.first()?)?)
            }
        }
    }
}

/// One value per entry; `None` if the body lacks it, has it twice, or a filter cannot take it.
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

    pub(crate) fn source(&self, index: usize) -> Option<&BodySource> {
        Some(&self.entries.get(index)?.from)
    }

    /// Where the values are.
    #[cfg(feature = "test-util")]
    pub(crate) fn sources(&self) -> impl Iterator<Item = &BodySource> {
        self.entries.iter().map(|entry| &entry.from)
    }

    /// Whether a form is what the provider sends.
    pub(crate) fn reads_forms(&self) -> bool {
        self.entries
            .iter()
            .any(|entry| entry.from.field().is_some())
    }

    /// Reads the values. Most tables are empty, so it is not compiled into what every request runs.
    #[inline(never)]
    fn read(&self, body: &Bytes) -> BodyValues {
        let sources = || self.entries.iter().map(|entry| &entry.from);
        let raws = if sources().any(|from| from.pointer().is_some()) {
            #[cfg(test)]
            passes::count();
            let pointers: Vec<_> = sources().map(BodySource::pointer).collect();
            json::unique(body, &pointers)
        } else {
            vec![None; self.entries.len()]
        };
        let fields = self.form_fields(body);
        let values = self.entries.iter().zip(raws).zip(fields);
        let values = values.map(|((entry, raw), field)| {
            let text = entry.from.take(raw, field.as_deref());
            let value = match &entry.from {
                BodySource::Whole => &body[..],
                _ => text.as_ref()?.as_bytes(),
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
    fn form_fields(&self, body: &Bytes) -> Vec<Option<String>> {
        let mut fields: Vec<Option<String>> = vec![None; self.entries.len()];
        if self
            .entries
            .iter()
            .all(|entry| entry.from.field().is_none())
        {
            return fields;
        }
        #[cfg(test)]
        passes::count();
        let mut seen = vec![false; self.entries.len()];
        for (name, value) in multipart::fields(body) {
            for ((entry, field), seen) in self.entries.iter().zip(&mut fields).zip(&mut seen) {
                if entry.from.field() == Some(&*name) {
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
    pub(crate) fn new(body: Bytes, table: &BodyTable) -> Self {
        let values = if table.entries.is_empty() {
            BodyValues::default()
        } else {
            table.read(&body)
        };
        Self {
            body,
            sha256: OnceCell::new(),
            values,
        }
    }

    /// Takes the digest that was computed as the body arrived.
    pub(crate) fn set_sha256(&mut self, digest: Output<Sha256>) {
        self.sha256 = OnceCell::from(digest);
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

    /// The digest, if it was needed.
    pub(crate) fn known_sha256(&self) -> Option<[u8; 32]> {
        self.sha256.get().map(|digest| (*digest).into())
    }

    pub(crate) fn into_bytes(self) -> Bytes {
        self.body
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
