//! [`Secret`]: a secret as it was configured.

use std::{
    convert::Infallible, fmt, io::Read, path::Path, str::FromStr, sync::Arc, time::SystemTime,
};

use zeroize::Zeroizing;

use crate::{
    compiled::scheme::{CompiledScheme, KeyState},
    error::SetupError,
};

/// One secret as the provider shows it. Its memory is wiped on drop, and its `Debug` shows only its id.
///
/// ```
/// use tower_webhook::Secret;
///
/// let secret = Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").with_id("2026-11");
/// assert_eq!(format!("{secret:?}"), "Secret { id: Some(\"2026-11\"), .. }");
/// ```
#[derive(Clone)]
pub struct Secret {
    text: Zeroizing<String>,
    /// Where it was read from, for messages.
    origin: Option<Box<str>>,
    pub(crate) id: Option<Arc<str>>,
    pub(crate) not_before: Option<SystemTime>,
    pub(crate) not_after: Option<SystemTime>,
}

/// No provider's secret is longer; a larger file is another file.
const MAX_FILE: u64 = 64 * 1024;

impl Secret {
    /// A secret that the program already has. Nothing is taken off it.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self {
            text: Zeroizing::new(text.into()),
            origin: None,
            id: None,
            not_before: None,
            not_after: None,
        }
    }

    /// The value of an environment variable, less one final line ending.
    ///
    /// # Errors
    ///
    /// When the variable is not set, or is not Unicode.
    pub fn from_env(name: &str) -> Result<Self, SetupError> {
        Self::fetch_env(name).map_err(|error| error.within("secret"))
    }

    pub(crate) fn fetch_env(name: &str) -> Result<Self, SetupError> {
        // What could be the secret itself, put into the wrong place, is not shown.
        let is_name = !name.starts_with(|first: char| first.is_ascii_digit())
            && name
                .bytes()
                .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
            && (name.contains('_') || !name.contains(|letter: char| letter.is_ascii_digit()));
        let problem = match std::env::var(name) {
            Ok(text) => return Ok(Self::read(text, format!("environment variable {name}"))),
            Err(std::env::VarError::NotPresent) if name.is_empty() || !is_name => {
                return Err(SetupError::new(
                    "the environment variable is not set, or this is the secret and not its name; it is \
                     not shown here",
                ));
            }
            Err(std::env::VarError::NotPresent) => "is not set; set it",
            Err(std::env::VarError::NotUnicode(_)) => "is not Unicode; set it again",
        };
        Err(SetupError::new(format!(
            "environment variable {name} {problem} to the value the provider shows"
        )))
    }

    /// The content of a file, less one final line ending: a mounted secret.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, is not UTF-8, or has more than 64 KiB.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, SetupError> {
        Self::fetch_file(path.as_ref()).map_err(|error| error.within("secret"))
    }

    pub(crate) fn fetch_file(path: &Path) -> Result<Self, SetupError> {
        let text = path.display().to_string();
        // As with variables: base64 has slashes too, but no dot, and none in front as a rule.
        let is_path = text.starts_with(['/', '~'])
            || text.contains('.')
            || text.split(['/', '\\']).all(|name| name.len() < 16);
        let place = if is_path {
            format!("file {text}")
        } else {
            "file".to_owned()
        };
        let failed = |problem: &str| SetupError::new(format!("{place} {problem}"));
        let mut text = Zeroizing::new(String::new());
        std::fs::File::open(path)
            .and_then(|file| file.take(MAX_FILE).read_to_string(&mut text))
            .map_err(|error| failed(&format!("cannot be read: {error}")))?;
        if u64::try_from(text.len()).is_ok_and(|length| length >= MAX_FILE) {
            return Err(failed("is too large to be a secret; name the right file"));
        }
        Ok(Self::read(std::mem::take(&mut *text), place))
    }

    fn read(text: String, origin: String) -> Self {
        let mut text = Zeroizing::new(text);
        if text.ends_with('\n') {
            text.pop();
            if text.ends_with('\r') {
                text.pop();
            }
        }
        Self {
            text,
            origin: Some(origin.into()),
            ..Self::new("")
        }
    }

    /// Sets a name for the key, which verified events and logs show.
    #[must_use]
    pub fn with_id(mut self, id: impl Into<Arc<str>>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// Sets the first second in which the key is valid.
    #[must_use]
    pub fn with_not_before(mut self, time: SystemTime) -> Self {
        self.not_before = Some(time);
        self
    }

    /// Sets the last second in which the key is valid.
    #[must_use]
    pub fn with_not_after(mut self, time: SystemTime) -> Self {
        self.not_after = Some(time);
        self
    }

    /// This secret under one scheme.
    pub(crate) fn key_state(&self, scheme: &CompiledScheme) -> Result<KeyState, SetupError> {
        let state = scheme.key_state(&self.text);
        state.map_err(|error| error.within(self.place()))
    }

    /// As [`key_state`](Self::key_state), with an error that does not name the secret.
    pub(crate) fn raw_key_state(&self, scheme: &CompiledScheme) -> Result<KeyState, SetupError> {
        scheme.key_state(&self.text)
    }

    /// The text itself, for what is no key but as secret as one.
    #[cfg(all(feature = "config", feature = "redis"))]
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Names this secret in a message.
    pub(crate) fn place(&self) -> String {
        let id = self.id.as_ref().map(|id| format!(" {id:?}"));
        let origin = self.origin.as_ref().map(|origin| format!(" ({origin})"));
        format!(
            "secret{}{}",
            id.unwrap_or_default(),
            origin.unwrap_or_default()
        )
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secret")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl FromStr for Secret {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self::new(text))
    }
}

impl From<Secret> for Vec<Secret> {
    fn from(secret: Secret) -> Self {
        vec![secret]
    }
}
