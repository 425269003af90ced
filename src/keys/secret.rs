//! [`Secret`]: a secret as it was configured.

use std::{
    convert::Infallible, fmt, io::Read, path::Path, str::FromStr, sync::Arc, time::SystemTime,
};

use zeroize::Zeroizing;

#[cfg(feature = "explain")]
use crate::clock::unix_seconds;
use crate::{
    compiled::scheme::{CompiledScheme, KeyState},
    crypto::key_text::{looks_like_private_key, looks_like_public_key},
    error::SetupError,
    keys::suspicion::{SecretLook, Suspicion, suspicion},
    note::{Note, NoteKind},
};
#[cfg(feature = "asymmetric")]
use crate::{crypto::private_key::PrivateKey, scheme::algorithm::Algorithm};

/// A secret as the provider shows it. Its memory is wiped on drop, and its `Debug` output shows
/// only its id.
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
    /// Where the secret was read from, for messages.
    origin: Option<Box<str>>,
    /// Whether it is a public key, which is none.
    pub(crate) is_public: bool,
    /// Whether it comes from a set of keys, of which some are for other algorithms.
    pub(crate) is_of_set: bool,
    pub(crate) id: Option<Arc<str>>,
    pub(crate) not_before: Option<SystemTime>,
    pub(crate) not_after: Option<SystemTime>,
}

/// No provider's secret is this long, so a larger file is the wrong file.
const MAX_FILE: u64 = 64 * 1024;

impl Secret {
    /// Creates a secret from a text, which is used unchanged.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self {
            text: Zeroizing::new(text.into()),
            origin: None,
            is_public: false,
            is_of_set: false,
            id: None,
            not_before: None,
            not_after: None,
        }
    }

    /// Reads a secret from an environment variable, without one trailing line ending.
    ///
    /// # Errors
    ///
    /// If the variable is not set or is not valid Unicode.
    pub fn from_env(name: &str) -> Result<Self, SetupError> {
        Self::fetch_env(name).map_err(|error| error.within("secret"))
    }

    pub(crate) fn fetch_env(name: &str) -> Result<Self, SetupError> {
        // A value that could be the secret itself, passed in place of the name, must not be shown.
        let is_name = !name.starts_with(|first: char| first.is_ascii_digit())
            && name
                .bytes()
                .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
            && (name.contains('_') || !name.contains(|letter: char| letter.is_ascii_digit()));
        let problem = match std::env::var(name) {
            Ok(text) => return Ok(Self::read(text, format!("environment variable {name}"))),
            Err(std::env::VarError::NotPresent) if name.is_empty() || !is_name => {
                return Err(SetupError::new(
                    "the environment variable is not set, or this is the secret itself rather than its name; it is \
                     not shown here",
                ));
            }
            Err(std::env::VarError::NotPresent) => "is not set; set it",
            Err(std::env::VarError::NotUnicode(_)) => "is not valid Unicode; set it",
        };
        Err(SetupError::new(format!(
            "environment variable {name} {problem} to the value the provider shows"
        )))
    }

    /// Reads a secret from a file, such as a mounted secret, without one trailing line ending.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, is not UTF-8, or has 64 KiB or more.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, SetupError> {
        Self::fetch_file(path.as_ref()).map_err(|error| error.within("secret"))
    }

    pub(crate) fn fetch_file(path: &Path) -> Result<Self, SetupError> {
        let text = path.display().to_string();
        // A secret passed in place of the path must not be shown. Base64 may contain slashes, but
        // no dots.
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

    /// Sets an id for the key, which verified events and logs show.
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

    /// The text of a public key.
    #[cfg(feature = "asymmetric")]
    pub(crate) fn key_text(&self) -> Option<&str> {
        self.is_public.then_some(&self.text)
    }

    /// A key of the set that this is. Its id is its own, if it has one.
    #[cfg(feature = "asymmetric")]
    pub(crate) fn member(&self, key: &serde_json::Value) -> Self {
        let id = key.get("kid").and_then(serde_json::Value::as_str);
        Self {
            text: Zeroizing::new(key.to_string()),
            id: id.map(Arc::from).or_else(|| self.id.clone()),
            is_of_set: true,
            ..self.clone()
        }
    }

    /// Prepares this secret for a scheme.
    pub(crate) fn key_state(&self, scheme: &CompiledScheme) -> Result<KeyState, SetupError> {
        let state = scheme.key_state(&self.text);
        state.map_err(|error| error.within(self.place()))
    }

    /// Like [`key_state`](Self::key_state), with an error that does not name the secret.
    pub(crate) fn raw_key_state(&self, scheme: &CompiledScheme) -> Result<KeyState, SetupError> {
        scheme.key_state(&self.text)
    }

    /// Reads this secret as a private key.
    #[cfg(feature = "asymmetric")]
    pub(crate) fn private_key(&self, algorithm: Algorithm) -> Result<PrivateKey, SetupError> {
        PrivateKey::read(&self.text, algorithm).map_err(|error| error.within(self.place()))
    }

    /// Refuses a secret that is a key of a pair, and is not used as one.
    pub(crate) fn check_kind(&self) -> Result<(), SetupError> {
        if self.is_public {
            return Ok(());
        }
        if looks_like_public_key(&self.text) {
            return Err(SetupError::new(
                "it is a public key, which everybody may know; a signature that it makes proves nothing: set it as a public \
                 key if the provider signs with the private one, or copy the secret",
            ));
        }
        if looks_like_private_key(&self.text) {
            return Err(SetupError::new(
                "it is a private key, which only the sender needs; set the public key instead",
            ));
        }
        Ok(())
    }

    #[cfg(feature = "explain")]
    pub(crate) fn is_valid_at(&self, time: SystemTime) -> bool {
        let now = unix_seconds(time);
        let first = self.not_before.map(unix_seconds);
        let last = self.not_after.map(unix_seconds);
        first.is_none_or(|first| first <= now) && last.is_none_or(|last| now <= last)
    }

    /// Refuses a period of validity that is empty.
    pub(crate) fn check_window(&self) -> Result<(), SetupError> {
        match (self.not_before, self.not_after) {
            (Some(first), Some(last)) if first > last => Err(SetupError::new(
                "not_after is before not_before; swap them",
            )),
            (Some(first), Some(last)) if first == last => Err(SetupError::new(
                "not_after equals not_before, so the key has no validity period; set a later not_after",
            )),
            _ => return Ok(()),
        }
        .map_err(|error: SetupError| error.within(self.place()))
    }

    /// What is obviously wrong with the text.
    pub(crate) fn suspicion(&self, look: &SecretLook) -> Option<Suspicion> {
        suspicion(&self.text, look)
    }

    /// A better error for a text that could not be decoded.
    pub(crate) fn explain(&self, (kind, text): &Suspicion) -> Option<SetupError> {
        let is_better = match kind {
            NoteKind::UnusualSecret => false,
            // Blanks around the text have errors of their own.
            NoteKind::InvisibleCharacter => {
                self.text.trim() == &**self.text && !self.text.starts_with('\u{feff}')
            }
            _ => true,
        };
        is_better.then(|| SetupError::new(text.clone()))
    }

    /// What is suspicious about this secret, beside `earlier` ones of the same endpoint.
    pub(crate) fn notes(
        &self,
        earlier: &[Self],
        suspicion: Option<Suspicion>,
        is_short: bool,
    ) -> Vec<Note> {
        let place = self.place();
        let mut notes = Vec::new();
        match suspicion {
            Some((kind, text)) => notes.push(Note::new(kind, format!("{place}: {text}"))),
            None if is_short => notes.push(Note::new(
                NoteKind::ShortSecret,
                format!("{place}: it has fewer than 16 bytes; a longer one is harder to guess"),
            )),
            None => {}
        }
        if let Some(same) = earlier.iter().find(|other| other.text == self.text) {
            let other = match (&same.id, &same.origin) {
                (None, None) => "an earlier one".to_owned(),
                _ => same.place(),
            };
            notes.push(Note::new(
                NoteKind::RepeatedSecret,
                format!(
                    "{place}: it is the same as {other}; remove one, or set the other secret of the rotation"
                ),
            ));
        }
        if self.id.is_some() && earlier.iter().any(|other| other.id == self.id) {
            notes.push(Note::new(
                NoteKind::RepeatedId,
                format!(
                    "{place}: an earlier secret has the same id, so that logs and counters cannot tell them apart; rename one"
                ),
            ));
        }
        notes
    }

    /// The text itself, for a value that is not a key but equally confidential.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Names this secret in a message, by its id and origin.
    pub(crate) fn place(&self) -> String {
        let id = self.id.as_ref().map(|id| format!(" {id:?}"));
        let origin = self.origin.as_ref().map(|origin| format!(" ({origin})"));
        let what = if self.is_public {
            "public key"
        } else {
            "secret"
        };
        format!(
            "{what}{}{}",
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
