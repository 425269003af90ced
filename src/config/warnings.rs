//! [`ConfigWarning`]: what a valid configuration should not stay as.

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use crate::{
    clock::unix_seconds,
    config::{Config, endpoint::EndpointConfig},
    error::SetupError,
    keys::key_set::KeySet,
    provider::Provider,
    scheme::{definition::Coverage, timestamp::TimeUnit},
    tower::options::Enforcement,
    verify::verifier::Verifier,
};

/// What is suspicious about an endpoint of a valid configuration.
///
/// ```
/// use tower_webhook::Config;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let config = Config::from_toml_str(r#"
///     [endpoints.payments]
///     provider = "stripe"
///     secret   = { value = "sk_live_51HxyzABCDEFGHIJKL", not_after = "2026-12-01T00:00:00Z" }
///     enforce  = "log"
/// "#)?;
/// let november = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_795_860_000);
/// let warnings = config.warnings(november);
/// let kinds: Vec<&str> = warnings.iter().map(|warning| warning.kind()).collect();
/// assert_eq!(kinds, ["other_credential", "ending_key", "not_enforced"]);
/// assert_eq!(warnings[0].endpoint(), "payments");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigWarning {
    endpoint: Box<str>,
    kind: &'static str,
    text: Box<str>,
}

impl ConfigWarning {
    /// The name of the endpoint.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// The name of a [`NoteKind`](crate::NoteKind), or one of `ending_key`, `ended_key`,
    /// `no_valid_key`, `unsigned_body`, `not_enforced` and `key_source`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        self.kind
    }
}

/// A sentence without the endpoint. It shows no secret.
impl fmt::Display for ConfigWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// How long before its end a key is worth a warning.
const SOON: Duration = Duration::from_secs(14 * 24 * 3600);

type Found = (&'static str, String);

impl Config {
    /// What is suspicious about the endpoints: what [`Verifier::notes`] says of each, keys that end
    /// within 14 days or are not valid, bodies that are not signed as a whole, and signatures that
    /// are not enforced. An endpoint that cannot be built is left out: [`check`](Self::check) has
    /// its mistakes.
    #[must_use]
    pub fn warnings(&self, now: SystemTime) -> Vec<ConfigWarning> {
        let mut warnings = Vec::new();
        for name in self.endpoints() {
            let found = match (self.endpoints.get(name), self.groups.get(name)) {
                (Some(endpoint), _) => self
                    .provider(endpoint.provider())
                    .and_then(|provider| of_endpoint(endpoint, provider, now))
                    .unwrap_or_default(),
                (None, Some(group)) => group.enforcement().map(enforced).unwrap_or_default(),
                (None, None) => Vec::new(),
            };
            warnings.extend(found.into_iter().map(|(kind, text)| ConfigWarning {
                endpoint: name.into(),
                kind,
                text: text.into(),
            }));
        }
        warnings
    }

    /// The endpoints that may accept a request to an endpoint: those of its `any_of`, or else
    /// itself. Empty if there is no such endpoint.
    ///
    /// ```
    /// use tower_webhook::Config;
    ///
    /// let config = Config::from_toml_str(r#"
    ///     [endpoints]
    ///     kyc     = { any_of = ["kyc-old", "kyc-new"] }
    ///     kyc-old = { provider = "voveid", secret = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD" }
    ///     kyc-new = { provider = "sumsub", secret = "a-secret-of-some-length" }
    /// "#)?;
    /// assert!(config.members("kyc").eq(["kyc-old", "kyc-new"]));
    /// assert!(config.members("kyc-old").eq(["kyc-old"]));
    /// assert_eq!(config.members("other").count(), 0);
    /// # Ok::<_, tower_webhook::SetupError>(())
    /// ```
    pub fn members(&self, name: &str) -> impl Iterator<Item = &str> {
        let group = self.groups.get(name);
        let own = self.endpoints.get_key_value(name);
        let own = own.map(|(name, _)| &**name).filter(|_| group.is_none());
        own.into_iter()
            .chain(group.into_iter().flat_map(|group| group.members()))
    }
}

fn of_endpoint(
    endpoint: &EndpointConfig,
    provider: Provider,
    now: SystemTime,
) -> Result<Vec<Found>, SetupError> {
    let provider = endpoint.configured(provider)?;
    let mut found = Vec::new();
    let secrets = endpoint.secrets(&provider)?;
    let verifier = if secrets.is_empty() && endpoint.needs_key_source() {
        found.push((
            "key_source",
            "its keys come from the program (key_source), so they are not checked here".to_owned(),
        ));
        Verifier::without_keys(provider)?
    } else {
        Verifier::new(provider, secrets)?
    };
    let notes = verifier.notes();
    let notes = notes
        .iter()
        .map(|note| (note.kind().as_str(), note.to_string()));
    found.splice(..0, notes);
    found.extend(of_keys(verifier.keys(), unix_seconds(now)));
    found.extend(of_coverage(&verifier));
    found.extend(enforced(endpoint.enforcement()?));
    Ok(found)
}

fn of_keys(keys: &KeySet, now: i64) -> Vec<Found> {
    let mut found = Vec::new();
    for key in keys.keys() {
        let id = key.id.as_ref().map(|id| format!(" {id:?}"));
        let place = format!("key{}", id.unwrap_or_default());
        let Some(end) = key.end() else {
            continue;
        };
        let date = TimeUnit::Rfc3339.format(end).unwrap_or_default();
        let soon = now.saturating_add(i64::try_from(SOON.as_secs()).unwrap_or(i64::MAX));
        if end < now {
            let text = format!(
                "{place}: it was valid until {date}, and is not any more; remove it, or set a later not_after"
            );
            found.push(("ended_key", text));
        } else if end <= soon {
            let text = format!(
                "{place}: it is valid until {date}; add the next one before that, beside it in `secrets`"
            );
            found.push(("ending_key", text));
        }
    }
    let mut all = keys.keys().iter();
    if !keys.keys().is_empty() && !all.any(|key| key.valid_at(now)) {
        let text = "no key is valid now, so every request is answered with 503; add one that is";
        found.push(("no_valid_key", text.to_owned()));
    }
    found
}

fn of_coverage(verifier: &Verifier) -> Option<Found> {
    let schemes = &verifier.shared().schemes;
    let uncovered = schemes
        .iter()
        .find(|scheme| scheme.coverage != Coverage::Body)?;
    let what = match uncovered.coverage {
        Coverage::Partial => "only parts of the body are signed",
        _ => "the body is not signed",
    };
    let text = format!(
        "{what}, which accept_unsigned_body accepts: whoever has seen one request can change the rest; ask the provider's API \
         for what matters"
    );
    Some(("unsigned_body", text))
}

fn enforced(enforcement: Enforcement) -> Vec<Found> {
    match enforcement {
        Enforcement::Refuse => Vec::new(),
        Enforcement::Log => vec![(
            "not_enforced",
            "signatures are not enforced: requests that are refused for their signature reach the handler without an event; \
             remove enforce = \"log\" once the log shows none that is genuine"
                .to_owned(),
        )],
    }
}
