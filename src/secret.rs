//! Keys: [`Secret`] as it was configured, [`Secrets`] as requests are checked with them.

use std::{fmt, io::Read, path::Path, sync::Arc, time::SystemTime};

use smallvec::SmallVec;
use zeroize::Zeroizing;

use crate::{
    Provider, SetupError,
    clock::unix_seconds,
    scheme::{CompiledScheme, Keying, Scheduled},
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
    id: Option<Arc<str>>,
    not_before: Option<SystemTime>,
    not_after: Option<SystemTime>,
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
    pub(crate) fn schedule(&self, scheme: &CompiledScheme) -> Result<Scheduled, SetupError> {
        let scheduled = scheme.schedule(&self.text);
        scheduled.map_err(|error| error.within(self.place()))
    }

    /// The text itself, for what is no key but as secret as one.
    #[cfg(all(feature = "config", feature = "redis"))]
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Names this secret in a message.
    fn place(&self) -> String {
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

impl From<Secret> for Vec<Secret> {
    fn from(secret: Secret) -> Self {
        vec![secret]
    }
}

/// The keys of one endpoint, one to eight: decoded and scheduled once, so that a request only copies them.
#[derive(Clone)]
pub struct Secrets(Arc<Keys>);

struct Keys {
    keys: Vec<Key>,
    fingerprint: u64,
    /// What is weak about them.
    notes: Vec<Box<str>>,
}

/// One key, ready for each construction of its provider.
pub(crate) struct Key {
    pub(crate) id: Option<Arc<str>>,
    not_before: Option<i64>,
    not_after: Option<i64>,
    schedules: SmallVec<[Scheduled; 1]>,
}

impl Secrets {
    /// More keys than these cost more work than any rotation needs.
    pub const MAX: usize = 8;

    /// Decodes and schedules secrets for a provider.
    ///
    /// # Errors
    ///
    /// When there is none or more than [`Secrets::MAX`]; when one is empty, blank, padded with white space, not
    /// spelled as the provider spells its secrets, or too short; when the provider's scheme is not sound.
    pub fn new(provider: &Provider, secrets: impl Into<Vec<Secret>>) -> Result<Self, SetupError> {
        Self::for_schemes(&provider.compile()?.schemes, secrets.into())
    }

    pub(crate) fn for_schemes(
        schemes: &[CompiledScheme],
        mut secrets: Vec<Secret>,
    ) -> Result<Self, SetupError> {
        let mut notes = Vec::new();
        let keyless = schemes
            .iter()
            .all(|scheme| scheme.algorithm.keying() == Keying::None);
        if keyless {
            notes.push(Box::from(
                "an unauthenticated digest proves nothing about the sender: anybody can make one",
            ));
            secrets = vec![Secret::new("")];
        }
        if schemes.iter().any(CompiledScheme::is_extendable) {
            notes.push(Box::from(
                "a plain digest of content that goes on after the secret can be extended: whoever saw one request can \
                 add to its end",
            ));
        }
        if secrets.is_empty() {
            return Err(SetupError::new("secret: there is none; set at least one"));
        }
        if secrets.len() > Self::MAX {
            return Err(SetupError::new(format!(
                "secrets: there are {}, and {} is the most; remove old ones",
                secrets.len(),
                Self::MAX
            )));
        }
        let mut keys = Vec::new();
        for secret in &secrets {
            let key = Key::new(schemes, secret).map_err(|error| error.within(secret.place()))?;
            if key.schedules.iter().any(|scheduled| scheduled.short) {
                let place = secret.place();
                notes.push(
                    format!("{place}: it has fewer than 16 bytes; a longer one is harder to guess")
                        .into(),
                );
            }
            keys.push(key);
        }
        Ok(Self(Arc::new(Keys {
            keys,
            fingerprint: fingerprint(schemes),
            notes,
        })))
    }

    /// No key at all: nothing can be verified with it.
    pub(crate) fn none(schemes: &[CompiledScheme]) -> Self {
        Self::unnoted(schemes, Vec::new())
    }

    /// One key that costs what a real one costs. It is no secret, so whoever checks with it must refuse in any case.
    pub(crate) fn decoy(schemes: &[CompiledScheme]) -> Result<Self, SetupError> {
        let schedules: Result<_, _> = schemes.iter().map(CompiledScheme::schedule_decoy).collect();
        let key = Key {
            id: None,
            not_before: None,
            not_after: None,
            schedules: schedules?,
        };
        Ok(Self::unnoted(schemes, vec![key]))
    }

    fn unnoted(schemes: &[CompiledScheme], keys: Vec<Key>) -> Self {
        Self(Arc::new(Keys {
            keys,
            fingerprint: fingerprint(schemes),
            notes: Vec::new(),
        }))
    }

    /// What is weak about these secrets, in a sentence each. The layer writes them to the log when it is made.
    pub fn notes(&self) -> impl Iterator<Item = &str> {
        self.0.notes.iter().map(|note| &**note)
    }

    /// Whether the two are copies of one.
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    pub(crate) fn keys(&self) -> &[Key] {
        &self.0.keys
    }

    /// Whether the other keys were scheduled for the same schemes as these.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        self.0.fingerprint == other.0.fingerprint
    }

    /// Whether these keys were scheduled for those schemes.
    pub(crate) fn fit(&self, schemes: &[CompiledScheme]) -> bool {
        self.0.fingerprint == fingerprint(schemes)
    }
}

fn fingerprint(schemes: &[CompiledScheme]) -> u64 {
    schemes.iter().fold(0, |all: u64, scheme| {
        all.rotate_left(1) ^ scheme.fingerprint
    })
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids: Vec<_> = self.0.keys.iter().map(|key| &key.id).collect();
        f.debug_struct("Secrets")
            .field("ids", &ids)
            .finish_non_exhaustive()
    }
}

impl Key {
    /// A key's bytes are kept only where the content needs them again.
    fn new(schemes: &[CompiledScheme], secret: &Secret) -> Result<Self, SetupError> {
        if let (Some(first), Some(last)) = (secret.not_before, secret.not_after)
            && first >= last
        {
            return Err(SetupError::new(if first > last {
                "not_after lies before not_before; exchange them"
            } else {
                "not_after is not_before, which leaves the key no time; write a later one"
            }));
        }
        let mut schedules: SmallVec<[Scheduled; 1]> = SmallVec::new();
        for scheme in schemes {
            let mut scheduled = scheme.schedule(&secret.text)?;
            if !scheme.content.keeps_key() {
                scheduled.key = Zeroizing::default();
            }
            schedules.push(scheduled);
        }
        Ok(Self {
            id: secret.id.clone(),
            not_before: secret.not_before.map(unix_seconds),
            not_after: secret.not_after.map(unix_seconds),
            schedules,
        })
    }

    pub(crate) fn valid_at(&self, now: i64) -> bool {
        self.not_before.is_none_or(|first| first <= now)
            && self.not_after.is_none_or(|last| now <= last)
    }

    pub(crate) fn schedule(&self, scheme: usize) -> Option<&Scheduled> {
        self.schedules.get(scheme)
    }
}
