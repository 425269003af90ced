//! What goes wrong while an endpoint is set up, and when a genuine event is read.

use std::{error::Error, fmt};

/// A mistake in the set-up of an endpoint: a secret, a scheme, an option or a configuration file.
///
/// The text names the thing and the remedy. It never contains a secret.
///
/// ```
/// use tower_webhook::{Secret, Verifier, providers};
///
/// let error = Verifier::new(providers::github(), Secret::new("")).unwrap_err();
/// assert_eq!(error.to_string(), "secret: it is empty; set it to the value the provider shows");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct SetupError {
    message: Box<str>,
}

impl SetupError {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into().into_boxed_str(),
        }
    }

    /// Whether it names an endpoint or a provider already.
    #[cfg(feature = "config")]
    pub(crate) fn is_placed(&self) -> bool {
        ["endpoint \"", "provider \""]
            .iter()
            .any(|place| self.message.starts_with(place))
    }

    /// Puts the place in front: `endpoint "kyc": secret: …`.
    #[must_use]
    pub(crate) fn within(self, place: impl fmt::Display) -> Self {
        Self::new(format!("{place}: {}", self.message))
    }
}

/// A text in an error message, unless it is long enough to be a secret in the wrong place.
pub(crate) fn shown(text: &str) -> String {
    const LENGTH_OF_SECRETS: usize = 16;
    if text.len() < LENGTH_OF_SECRETS {
        format!("{text:?}")
    } else {
        "it".to_owned()
    }
}

impl fmt::Display for SetupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// The same text as `Display`: a `main` that returns the error prints its `Debug`.
impl fmt::Debug for SetupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for SetupError {}

/// Why a genuine event cannot be read as a type. It names the place, and quotes nothing of the body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PayloadError {
    message: Box<str>,
}

impl PayloadError {
    /// An error with a text for the operator, which must not quote the body.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into().into(),
        }
    }

    /// Names the field.
    pub(crate) fn at(self, path: &str) -> Self {
        Self::new(format!("{path}: {}", self.message))
    }

    /// serde's own text may quote a value, so only the kind of mistake and its place are kept.
    pub(crate) fn json(error: &serde_json::Error) -> Self {
        use serde_json::error::Category;
        // "missing field `name`" holds a name out of our own types.
        let text = error.to_string();
        let field = text
            .strip_prefix("missing field `")
            .and_then(|rest| rest.split('`').next());
        let problem = match (error.classify(), field) {
            (_, Some(field)) => format!("the field `{field}` is missing"),
            (Category::Io, None) => "the body cannot be read".to_owned(),
            (Category::Syntax, None) => "the body is not JSON".to_owned(),
            (Category::Data, None) => "a value is not of the type it should be".to_owned(),
            (Category::Eof, None) => "the JSON of the body breaks off".to_owned(),
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
