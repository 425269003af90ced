//! [`Locator`]: where in a request a value is found.

use std::{borrow::Cow, fmt};

use crate::{error::SetupError, head::header_name, json::json_pointer};

/// Where in a request a value is found: a signature, a token, a timestamp, an event type or an id.
///
/// A text converts into the header of that name.
///
/// ```
/// use tower_webhook::scheme::Locator;
///
/// assert_eq!(Locator::from("X-Signature"), Locator::header("X-Signature"));
/// assert_eq!(Locator::form_json("data", "/token").to_string(), "form field data#/token");
/// ```
///
/// A name may contain `{param:NAME}`, for a name that is a setting of the provider's account.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Locator(pub(crate) LocatorKind);

type Text = Cow<'static, str>;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum LocatorKind {
    Header(Text),
    Field(Text),
    Query(Text),
    Json(Text),
    Form(Text),
    FormJson(Text, Text),
}

impl Locator {
    /// A header. If the scheme does not sign it, anybody who replays a request can change it.
    #[must_use]
    pub fn header(name: impl Into<Cow<'static, str>>) -> Self {
        Self(LocatorKind::Header(name.into()))
    }

    /// A field of the signature header, such as `t` in `t=…,v1=…`, or its position, counted from 0.
    /// Only a timestamp can be there.
    #[must_use]
    pub fn field(name: impl Into<Cow<'static, str>>) -> Self {
        Self(LocatorKind::Field(name.into()))
    }

    /// A query parameter, which must occur exactly once. Proxies and access logs show it.
    #[must_use]
    pub fn query(name: impl Into<Cow<'static, str>>) -> Self {
        Self(LocatorKind::Query(name.into()))
    }

    /// A string, number or boolean in a JSON body, by its JSON pointer (RFC 6901): `/data/id`.
    ///
    /// A signature, a token or a signed value is found only if no name on the way to it occurs
    /// twice in its object, because another parser would take the other one. `*` means every item
    /// of an array, which must all have the same value there: `/value/*/clientState`.
    #[must_use]
    pub fn json(pointer: impl Into<Cow<'static, str>>) -> Self {
        Self(LocatorKind::Json(pointer.into()))
    }

    /// A field of a form, `application/x-www-form-urlencoded` or `multipart/form-data`. A signature,
    /// a token or a signed value is found only if the field occurs exactly once.
    #[must_use]
    pub fn form(name: impl Into<Cow<'static, str>>) -> Self {
        Self(LocatorKind::Form(name.into()))
    }

    /// A value in the JSON document in a field of a [form](Self::form).
    #[must_use]
    pub fn form_json(
        name: impl Into<Cow<'static, str>>,
        pointer: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self(LocatorKind::FormJson(name.into(), pointer.into()))
    }

    pub(crate) fn as_header(&self) -> Option<Cow<'static, str>> {
        match &self.0 {
            LocatorKind::Header(name) => Some(name.clone()),
            _ => None,
        }
    }

    #[cfg(feature = "test-util")]
    pub(crate) fn as_json(&self) -> Option<Cow<'static, str>> {
        match &self.0 {
            LocatorKind::Json(pointer) => Some(pointer.clone()),
            _ => None,
        }
    }

    pub(crate) fn is_header(&self) -> bool {
        matches!(self.0, LocatorKind::Header(_))
    }

    /// Whether the value is known only with the body.
    pub(crate) fn is_in_body(&self) -> bool {
        matches!(
            self.0,
            LocatorKind::Json(_) | LocatorKind::Form(_) | LocatorKind::FormJson(..)
        )
    }

    /// Refuses a locator that can never find anything.
    pub(crate) fn check(&self) -> Result<(), SetupError> {
        match &self.0 {
            LocatorKind::Header(name) => header_name(name).map(drop),
            LocatorKind::Json(pointer) => json_pointer(pointer).map(drop),
            LocatorKind::Query(name) | LocatorKind::Form(name) if name.is_empty() => {
                Err(nameless())
            }
            LocatorKind::FormJson(name, _) if name.is_empty() => Err(nameless()),
            LocatorKind::FormJson(_, pointer) => json_pointer(pointer).map(drop),
            LocatorKind::Query(_) | LocatorKind::Form(_) | LocatorKind::Field(_) => Ok(()),
        }
    }

    /// Refuses a place where the type or id of an event cannot be.
    pub(crate) fn check_metadata(&self) -> Result<(), SetupError> {
        match &self.0 {
            LocatorKind::Field(_) | LocatorKind::Query(_) => Err(SetupError::new(format!(
                "{self} cannot describe an event; use a header, or a value in the body"
            ))),
            _ => self.check(),
        }
    }

    /// Replaces the parameters in the names.
    pub(crate) fn map<E>(
        &self,
        mut fill_in: impl FnMut(&Text) -> Result<Text, E>,
    ) -> Result<Self, E> {
        Ok(Self(match &self.0 {
            LocatorKind::Header(name) => LocatorKind::Header(fill_in(name)?),
            LocatorKind::Field(name) => LocatorKind::Field(fill_in(name)?),
            LocatorKind::Query(name) => LocatorKind::Query(fill_in(name)?),
            LocatorKind::Json(pointer) => LocatorKind::Json(fill_in(pointer)?),
            LocatorKind::Form(name) => LocatorKind::Form(fill_in(name)?),
            LocatorKind::FormJson(name, pointer) => {
                LocatorKind::FormJson(fill_in(name)?, fill_in(pointer)?)
            }
        }))
    }

    /// The texts in which parameters are replaced.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &Cow<'static, str>> {
        let (first, second) = match &self.0 {
            LocatorKind::Header(text)
            | LocatorKind::Field(text)
            | LocatorKind::Query(text)
            | LocatorKind::Json(text)
            | LocatorKind::Form(text) => (text, None),
            LocatorKind::FormJson(name, pointer) => (name, Some(pointer)),
        };
        std::iter::once(first).chain(second)
    }
}

/// For messages.
fn nameless() -> SetupError {
    SetupError::new("the name of a query parameter or form field is empty; write it")
}

impl fmt::Display for Locator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            LocatorKind::Header(name) => write!(f, "header {name}"),
            LocatorKind::Field(name) => write!(f, "field {name} of the signature header"),
            LocatorKind::Query(name) => write!(f, "query parameter {name}"),
            LocatorKind::Json(pointer) => write!(f, "JSON value {pointer}"),
            LocatorKind::Form(name) => write!(f, "form field {name}"),
            LocatorKind::FormJson(name, pointer) => write!(f, "form field {name}#{pointer}"),
        }
    }
}

impl From<&'static str> for Locator {
    /// The header of this name.
    fn from(name: &'static str) -> Self {
        Self::header(name)
    }
}

impl From<String> for Locator {
    /// The header of this name.
    fn from(name: String) -> Self {
        Self::header(name)
    }
}

impl From<Cow<'static, str>> for Locator {
    /// The header of this name.
    fn from(name: Cow<'static, str>) -> Self {
        Self::header(name)
    }
}
