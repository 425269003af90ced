//! Arguments that several commands have.

use std::{
    path::PathBuf,
    time::{Duration, SystemTime},
};

use clap::{Args, ValueEnum};

use crate::clock::{self, Seconds};

/// How results are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Lines for people
    #[default]
    Human,
    /// Objects for programs, one a line
    Json,
}

#[derive(Args)]
pub(crate) struct FormatArguments {
    /// How results are printed
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    pub(crate) format: Format,
}

/// The secrets of an endpoint. None of them is an argument, since every user of a machine can read
/// those.
#[derive(Args, Clone)]
#[command(next_help_heading = "Secrets")]
pub(crate) struct SecretArguments {
    /// Reads the secret from an environment variable; repeat it for a rotation
    #[arg(long, value_name = "VAR")]
    pub(crate) secret_env: Vec<String>,
    /// Reads the secret from a file, without a trailing line break
    #[arg(long, value_name = "FILE")]
    pub(crate) secret_file: Vec<PathBuf>,
    /// Reads the secret from standard input
    #[arg(long)]
    pub(crate) secret_stdin: bool,
    /// Reads a public key of the provider from a file: PEM, JWK, or base64 or hex of the bytes
    #[arg(long, value_name = "FILE")]
    pub(crate) key: Vec<PathBuf>,
    /// Reads a public key of the provider from an environment variable
    #[arg(long, value_name = "VAR")]
    pub(crate) key_env: Vec<String>,
    /// The id of the key, for a provider that sends one
    #[arg(long, value_name = "ID")]
    pub(crate) key_id: Option<String>,
}

/// What an endpoint sets beside its secrets.
#[derive(Args, Clone)]
pub(crate) struct SettingArguments {
    /// A configuration file, with the endpoint's secrets and settings
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// The variant of the provider's scheme
    #[arg(long, value_name = "NAME")]
    pub(crate) variant: Option<String>,
    /// A parameter of the provider, such as `url=https://…`; `providers show` lists them
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    pub(crate) param: Vec<(String, String)>,
    #[command(flatten)]
    pub(crate) secrets: SecretArguments,
}

/// What a request that is signed has beside its body.
#[derive(Args)]
pub(crate) struct RequestArguments {
    /// A header of the request, as `Name: value`
    #[arg(short = 'H', long, value_name = "LINE", value_parser = header)]
    pub(crate) header: Vec<(String, String)>,
    /// The method
    #[arg(long, default_value = "POST")]
    pub(crate) method: http::Method,
    /// A further field of the signature header, or a claim of the JSON Web Token
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    pub(crate) field: Vec<(String, String)>,
    /// Signs this time instead of the current one
    #[arg(long, value_name = "SECONDS")]
    pub(crate) now: Option<Seconds>,
}

impl RequestArguments {
    /// The time that is signed.
    pub(crate) fn time(&self) -> SystemTime {
        self.now.map_or_else(clock::now, |now| now.0)
    }
}

/// A request that was captured.
#[derive(Args)]
pub(crate) struct CaptureArguments {
    /// The captured request; - for standard input. Raw HTTP, a curl command, HAR, a Lambda event,
    /// an export of webhook.site, GitHub or Svix, or what `listen` has saved
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Which of several requests in the file, counted from 1
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) nth: u32,
    /// Judges timestamps by this time, instead of the time of receipt
    #[arg(long, value_name = "SECONDS")]
    pub(crate) now: Option<Seconds>,
}

/// How much an explanation may take.
#[derive(Args)]
pub(crate) struct BudgetArguments {
    /// How long causes are looked for, such as 500ms or 5s
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = duration)]
    pub(crate) budget: Duration,
}

/// How requests are sent.
#[derive(Args)]
pub(crate) struct ClientArguments {
    /// How long an answer may take, such as 30s
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = duration)]
    pub(crate) timeout: Duration,
    /// Sends the same bytes this often, as a provider does that got no answer
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) repeat: u32,
    /// Prints the body of each answer, up to 64 KiB
    #[arg(long)]
    pub(crate) show_body: bool,
}

/// A duration with its unit.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let parsed = humantime::parse_duration(text).ok();
    parsed
        .filter(|time| !time.is_zero())
        .ok_or_else(|| "expected a number above zero and a unit, as in 500ms, 5s or 1m".to_owned())
}

/// `NAME=VALUE`. The text is not part of the error: it may be a secret.
pub(crate) fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').unwrap_or_default();
    if name.is_empty() {
        return Err("expected NAME=VALUE".to_owned());
    }
    Ok((name.to_owned(), value.to_owned()))
}

fn header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once(':').unwrap_or_default();
    if http::HeaderName::from_bytes(name.as_bytes()).is_err() {
        return Err("expected `Name: value`".to_owned());
    }
    let value = value.trim();
    if http::HeaderValue::from_str(value).is_err() {
        return Err("its value cannot be that of a header".to_owned());
    }
    Ok((name.to_owned(), value.to_owned()))
}
