//! Why a signature does not match: causes that are proven, offline, from one captured request.
//!
//! [`diagnose`] takes a request that is refused, and looks for the change that makes it genuine: in
//! the secret, the headers, the way to sign, the URL, the time or the body, and in two of them. The
//! proof of a cause is that the [`Verifier`](crate::Verifier) accepts the request with the change;
//! there is no second implementation of any scheme.
//!
//! ```
//! use tower_webhook::{Secret, capture::CapturedRequest, explain, providers};
//! use tower_webhook::explain::{Budget, Verdict};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // The example on GitHub's page, with a line break that `echo` added to the body.
//! let captured = CapturedRequest::read(b"\
//! POST /webhooks/github HTTP/1.1\r
//! X-Hub-Signature-256: sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17\r
//! \r
//! Hello, World!\n")?;
//!
//! let secret = Secret::new("It's a Secret to Everybody");
//! let report = explain::diagnose(&providers::github().into(), &secret.into(), &captured, Budget::default());
//! assert_eq!(report.verdict(), Verdict::Proven);
//! assert_eq!(report.cause(), Some("body-final-newline-added"));
//! assert!(report.remedy().unwrap().contains("printf"));
//! # Ok(())
//! # }
//! ```
//!
//! **Never explain a request before it is answered**, and never answer with what an explanation
//! says: that would tell a forger how close they came. It takes up to its [`Budget`] of processor
//! time.
//!
//! What it prints holds no secret, no variant of one and no signature.
//!
//! # Causes
//!
//! The names are stable. What is in upper case stands for a detail:
//!
#![doc = include_str!("docs/causes.md")]

mod body;
mod evidence;
#[cfg(test)]
mod example;
#[cfg(test)]
mod examples;
mod found;
mod head;
mod hypothesis;
mod keys;
mod outcome;
mod prove;
mod readings;
mod report;
mod request;
mod scheme;
mod search;
mod secret;
mod shape;
mod shapes;
mod url;

use std::time::Duration;

pub use self::report::{Cause, Report, Tried, Verdict};
use crate::{
    capture::CapturedRequest, keys::secret::Secret, provider::Provider,
    scheme::timestamp::Tolerance,
};

/// The provider of an endpoint, and how the endpoint is reached.
#[derive(Clone, Debug)]
pub struct Providers {
    pub(crate) endpoint: Provider,
    pub(crate) tolerance: Option<Tolerance>,
    pub(crate) max_body: Option<usize>,
    pub(crate) mounts: Vec<String>,
    pub(crate) others: Vec<Provider>,
}

impl Providers {
    /// The provider of the endpoint, with the parameters and the variant that the endpoint sets.
    /// The built-in providers are tried as well.
    #[must_use]
    pub fn new(endpoint: Provider) -> Self {
        Self {
            endpoint,
            tolerance: None,
            max_body: None,
            mounts: Vec::new(),
            others: Vec::new(),
        }
    }

    /// Sets the tolerance of the endpoint, if it is not that of the provider.
    #[must_use]
    pub fn with_tolerance(mut self, tolerance: impl Into<Tolerance>) -> Self {
        self.tolerance = Some(tolerance.into());
        self
    }

    /// Sets the longest body of the endpoint, in bytes, if it is not that of the provider.
    #[must_use]
    pub fn with_max_body(mut self, bytes: usize) -> Self {
        self.max_body = Some(bytes);
        self
    }

    /// Adds a path under which the service may be mounted, such as `/webhooks`: the prefix that a
    /// proxy or axum's `nest` removes.
    #[must_use]
    pub fn with_mount(mut self, path: impl Into<String>) -> Self {
        self.mounts.push(path.into());
        self
    }

    /// Adds a provider that may have sent the request, such as that of another endpoint.
    #[must_use]
    pub fn with_other(mut self, provider: Provider) -> Self {
        self.others.push(provider);
        self
    }
}

impl From<Provider> for Providers {
    fn from(provider: Provider) -> Self {
        Self::new(provider)
    }
}

/// The secrets of an endpoint, and others that may have been used instead. `Debug` shows how many.
#[derive(Clone)]
pub struct Secrets {
    pub(crate) configured: Vec<Secret>,
    pub(crate) others: Vec<(String, Secret)>,
    /// Whether there are others that are not tried.
    pub(crate) has_more: bool,
}

impl Secrets {
    /// The most other secrets that are tried: 256. A report says if there are more.
    pub const MAX_OTHERS: usize = 256;

    /// The secrets or public keys of the endpoint, as configured. They need not be usable.
    #[must_use]
    pub fn new(configured: impl Into<Vec<Secret>>) -> Self {
        Self {
            configured: configured.into(),
            others: Vec::new(),
            has_more: false,
        }
    }

    /// Adds another secret, under the name that a report shows for it: of another endpoint, tenant
    /// or environment, or a former one. One that anybody can guess proves nothing and is not taken:
    /// of fewer than 8 bytes, or a word or number of fewer than 16.
    #[must_use]
    pub fn with_other(mut self, name: impl Into<String>, secret: Secret) -> Self {
        if secret::is_guessable(secret.text()) {
            return self;
        }
        match self.others.len() < Self::MAX_OTHERS {
            true => self.others.push((name.into(), secret)),
            false => self.has_more = true,
        }
        self
    }

    /// Adds every value of a file with lines of `NAME=value`, as `.env` files have them, under its
    /// name. Quotation marks around a value and comments behind it are removed; other lines are
    /// skipped.
    ///
    /// ```
    /// use tower_webhook::{Secret, explain::Secrets};
    ///
    /// let text = "# for tests\nexport STRIPE_SECRET=\"whsec_one\" # live\nPORT=3000\n";
    /// let secrets = Secrets::new(Secret::new("whsec_two")).with_env_file(text);
    /// assert_eq!(format!("{secrets:?}"), "Secrets { configured: 1, others: 1 }");
    /// ```
    #[must_use]
    pub fn with_env_file(mut self, text: &str) -> Self {
        for line in text.lines() {
            let line = line.trim();
            let line = line.strip_prefix("export ").unwrap_or(line);
            let Some((name, value)) = line.split_once('=').filter(|_| !line.starts_with('#'))
            else {
                continue;
            };
            let value = env_value(value.trim());
            if !value.is_empty() {
                self = self.with_other(name.trim(), Secret::new(value));
            }
        }
        self
    }
}

/// The value of a line, without quotation marks and without the comment behind it.
fn env_value(value: &str) -> &str {
    let is_comment = |rest: &str| {
        let text = rest.trim_start();
        text.is_empty() || (text.starts_with('#') && text.len() < rest.len())
    };
    for quote in ['"', '\''] {
        let Some(rest) = value.strip_prefix(quote) else {
            continue;
        };
        let closed = rest.split_once(quote);
        let inner = closed.filter(|(_, rest)| is_comment(rest));
        let inner = inner.map(|(inner, _)| inner);
        return inner.or(rest.strip_suffix(quote)).unwrap_or(value);
    }
    let ends = value
        .match_indices('#')
        .map(|(place, _)| value.split_at(place).0);
    let mut ends = ends.filter(|value| value.ends_with([' ', '\t']));
    ends.next().map_or(value, str::trim_end)
}

impl From<Secret> for Secrets {
    fn from(configured: Secret) -> Self {
        Self::new(configured)
    }
}

impl From<Vec<Secret>> for Secrets {
    fn from(configured: Vec<Secret>) -> Self {
        Self::new(configured)
    }
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Secrets")
            .field("configured", &self.configured.len())
            .field("others", &self.others.len())
            .finish()
    }
}

/// How much work an explanation may be. The default is 5 seconds.
///
/// A body of a few kilobytes takes some milliseconds for one cause and up to a second for two.
/// Memory is bounded by some 20 times the body's length and 64 MiB. Of bodies longer than 4 MiB, no
/// other readings are tried, and of JSON with more than 262,144 values, no other ways to print it;
/// a report says so.
///
/// ```
/// use std::time::Duration;
/// use tower_webhook::explain::Budget;
///
/// let short: Budget = Duration::from_millis(500).into();
/// assert_eq!(short, Budget::default().with_time(Duration::from_millis(500)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    pub(crate) time: Duration,
    pub(crate) readings: u64,
}

impl Budget {
    /// Sets the time after which no further reading is begun.
    #[must_use]
    pub fn with_time(mut self, time: Duration) -> Self {
        self.time = time;
        self
    }

    /// Sets how many combinations of a secret, a body and a way to sign are verified at most. By
    /// default only the time limits that.
    #[must_use]
    pub fn with_readings(mut self, readings: u64) -> Self {
        self.readings = readings;
        self
    }
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            time: Duration::from_secs(5),
            readings: u64::MAX,
        }
    }
}

impl From<Duration> for Budget {
    fn from(time: Duration) -> Self {
        Self::default().with_time(time)
    }
}

/// Explains why a request is refused, with what a provider signs and the secrets that are known.
///
/// The time of receipt of the request counts as the current time. Without one, timestamps are not
/// judged.
#[must_use]
pub fn diagnose(
    providers: &Providers,
    secrets: &Secrets,
    captured: &CapturedRequest,
    budget: Budget,
) -> Report {
    search::run(providers, secrets, captured, budget)
}
