//! [`Source`]: where an event says what it is.

use std::borrow::Cow;

use crate::{SetupError, scheme::template};

/// Where a value stands that an event is described by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source(pub(crate) SourceKind);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SourceKind {
    Header(Cow<'static, str>),
    Json(Cow<'static, str>),
    Form(Cow<'static, str>),
}

impl Source {
    /// A header. Unless the scheme signs it, anybody who replays a request can change it.
    #[must_use]
    pub fn header(name: impl Into<Cow<'static, str>>) -> Self {
        Self(SourceKind::Header(name.into()))
    }

    /// A string, number or truth value in a JSON body, by its pointer (RFC 6901): `/data/id`.
    #[must_use]
    pub fn json(pointer: impl Into<Cow<'static, str>>) -> Self {
        Self(SourceKind::Json(pointer.into()))
    }

    /// A field of a form-encoded body.
    #[must_use]
    pub fn form(name: impl Into<Cow<'static, str>>) -> Self {
        Self(SourceKind::Form(name.into()))
    }

    pub(crate) fn as_header(&self) -> Option<Cow<'static, str>> {
        match &self.0 {
            SourceKind::Header(name) => Some(name.clone()),
            SourceKind::Json(_) | SourceKind::Form(_) => None,
        }
    }

    pub(crate) fn check(&self) -> Result<(), SetupError> {
        match &self.0 {
            SourceKind::Header(name) => template::header_name(name).map(drop),
            SourceKind::Json(pointer) => template::json_pointer(pointer).map(drop),
            SourceKind::Form(_) => Ok(()),
        }
    }
}
