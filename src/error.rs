//! What goes wrong while an endpoint is set up.

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

impl fmt::Debug for SetupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SetupError({:?})", self.message)
    }
}

impl Error for SetupError {}
