//! [`SetupError`] for invalid configuration, and [`PayloadError`] for unreadable events.

use std::{error::Error, fmt};

/// One or more mistakes in the setup of an endpoint: in a secret, a scheme, an option or a
/// configuration file.
///
/// Each mistake is one line that names its location and the remedy, and never contains a secret.
/// All mistakes of a configuration file are in one error.
///
/// ```
/// use tower_webhook::{Secret, Verifier, providers};
///
/// let error = Verifier::new(providers::github(), Secret::new("")).unwrap_err();
/// assert_eq!(error.to_string(), "secret: it is empty; set it to the value the provider shows");
/// assert_eq!(error.mistakes().count(), 1);
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct SetupError {
    mistakes: Box<[Box<str>]>,
}

impl SetupError {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self {
            mistakes: Box::new([message.into().into_boxed_str()]),
        }
    }

    /// Combines errors into one, or returns `Ok` if there are none.
    pub(crate) fn all(errors: impl IntoIterator<Item = Self>) -> Result<(), Self> {
        let mistakes: Box<[_]> = errors
            .into_iter()
            .flat_map(|error| error.mistakes)
            .collect();
        if mistakes.is_empty() {
            Ok(())
        } else {
            Err(Self { mistakes })
        }
    }

    /// The mistakes, at least one. `Display` prints one per line.
    pub fn mistakes(&self) -> impl Iterator<Item = &str> {
        self.mistakes.iter().map(|mistake| &**mistake)
    }

    /// Prefixes each mistake with a location: `endpoint "kyc": secret: …`.
    #[must_use]
    pub(crate) fn within(self, place: impl fmt::Display) -> Self {
        let mistakes = self.mistakes();
        Self {
            mistakes: mistakes
                .map(|mistake| format!("{place}: {mistake}").into())
                .collect(),
        }
    }
}

/// Quotes a text for an error message, unless it is long enough to be a misplaced secret.
pub(crate) fn shown(text: &str) -> String {
    const LENGTH_OF_SECRETS: usize = 16;
    if text.len() < LENGTH_OF_SECRETS {
        format!("{text:?}")
    } else {
        "it".to_owned()
    }
}

/// Suggests the known names that are similar to `text`. Only typing errors in configuration files
/// need this, so it depends on the feature `config`.
#[cfg_attr(
    not(feature = "config"),
    expect(unused_variables, reason = "nothing is compared")
)]
pub(crate) fn suggestion(text: &str, known: &[&str]) -> Option<String> {
    #[cfg(feature = "config")]
    {
        const NEAR: f64 = 0.8;
        let text = text.to_lowercase();
        let likeness = |name: &str| strsim::jaro_winkler(&text, name);
        let mut near: Vec<&str> = known.to_vec();
        near.retain(|name| likeness(name) >= NEAR);
        near.sort_by(|a, b| likeness(b).total_cmp(&likeness(a)));
        near.truncate(3);
        if !near.is_empty() {
            let near: Vec<_> = near.iter().map(|name| format!("{name:?}")).collect();
            return Some(format!("did you mean {}?", near.join(" or ")));
        }
    }
    None
}

/// The remedy for `text`, which is not a known name.
pub(crate) fn nearest(text: &str, known: &[&str]) -> String {
    suggestion(text, known).unwrap_or_else(|| {
        if known.is_empty() {
            "there are none".to_owned()
        } else {
            format!("available: {}", known.join(", "))
        }
    })
}

/// Finds the value whose name is `text`.
///
/// # Errors
///
/// When there is none. The message names `what` and the known names.
pub(crate) fn by_name<T: Copy>(
    what: &str,
    text: &str,
    values: &[T],
    name: impl Fn(T) -> &'static str,
) -> Result<T, SetupError> {
    let found = values.iter().find(|value| name(**value) == text);
    found.copied().ok_or_else(|| {
        let known: Vec<&str> = values.iter().map(|value| name(*value)).collect();
        SetupError::new(format!(
            "{} is not a known {what}; {}",
            shown(text),
            nearest(text, &known)
        ))
    })
}

impl fmt::Display for SetupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.mistakes.join("\n"))
    }
}

/// The same text as `Display`, because a `main` that returns the error prints its `Debug`.
impl fmt::Debug for SetupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Error for SetupError {}

/// Where JSON usually is, in messages.
const BODY: &str = "the body";

/// The reason why a verified event cannot be read as a type. It names the location, and never
/// quotes the body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PayloadError {
    message: Box<str>,
}

impl PayloadError {
    /// Creates an error with a message for the operator. The message must not quote the body.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into().into(),
        }
    }

    /// Prefixes the message with the path of the field.
    pub(crate) fn at(self, path: &str) -> Self {
        Self::new(format!("{path}: {}", self.message))
    }

    /// Keeps only the kind of the mistake and its location, because serde's message may quote a
    /// value.
    pub(crate) fn json(error: &serde_json::Error) -> Self {
        Self::json_in(BODY, error)
    }

    /// As [`json`](Self::json), of JSON in another place than the whole body.
    pub(crate) fn json_in(place: &str, error: &serde_json::Error) -> Self {
        use serde_json::error::Category;
        // "missing field `name`" contains only the name of a field of the target type.
        let text = error.to_string();
        let field = text
            .strip_prefix("missing field `")
            .and_then(|rest| rest.split('`').next());
        let within = if place == BODY {
            String::new()
        } else {
            format!(", in {place}")
        };
        let problem = match (error.classify(), field) {
            (_, Some(field)) => format!("the field `{field}` is missing{within}"),
            (Category::Io, None) => format!("{place} cannot be read"),
            (Category::Syntax, None) => format!("{place} is not JSON"),
            (Category::Data, None) => format!("a value has the wrong type{within}"),
            (Category::Eof, None) => format!("the JSON of {place} is truncated"),
        };
        Self::new(format!(
            "{problem}, at line {} column {}",
            error.line(),
            error.column()
        ))
    }
}

impl fmt::Display for PayloadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for PayloadError {}
