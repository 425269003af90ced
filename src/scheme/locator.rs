//! [`Locator`]: where the event type or delivery id is found.

use std::borrow::Cow;

use crate::{error::SetupError, head::header_name, json::json_pointer};

/// Where a value that describes an event is found, such as its type or delivery id.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Locator(pub(crate) LocatorKind);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum LocatorKind {
    Header(Cow<'static, str>),
    Json(Cow<'static, str>),
    Form(Cow<'static, str>),
}

impl Locator {
    /// A header. If the scheme does not sign it, anybody who replays a request can change it.
    #[must_use]
    pub fn header(name: impl Into<Cow<'static, str>>) -> Self {
        Self(LocatorKind::Header(name.into()))
    }

    /// A string, number or boolean in a JSON body, by its JSON pointer (RFC 6901): `/data/id`.
    #[must_use]
    pub fn json(pointer: impl Into<Cow<'static, str>>) -> Self {
        Self(LocatorKind::Json(pointer.into()))
    }

    /// A field of a form-encoded body.
    #[must_use]
    pub fn form(name: impl Into<Cow<'static, str>>) -> Self {
        Self(LocatorKind::Form(name.into()))
    }

    pub(crate) fn as_header(&self) -> Option<Cow<'static, str>> {
        match &self.0 {
            LocatorKind::Header(name) => Some(name.clone()),
            LocatorKind::Json(_) | LocatorKind::Form(_) => None,
        }
    }

    pub(crate) fn is_header(&self) -> bool {
        matches!(self.0, LocatorKind::Header(_))
    }

    pub(crate) fn check(&self) -> Result<(), SetupError> {
        match &self.0 {
            LocatorKind::Header(name) => header_name(name).map(drop),
            LocatorKind::Json(pointer) => json_pointer(pointer).map(drop),
            LocatorKind::Form(_) => Ok(()),
        }
    }
}
