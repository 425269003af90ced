//! `config check`: the mistakes of a configuration file, and what is suspicious about it.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde::Serialize;
use tower_webhook::Config;

use crate::{
    arguments::{Format, FormatArguments},
    clock::{self, Seconds},
    failure::{Failure, Outcome, Result},
    input,
    output::{self, BAD, GOOD, WARNING, styled},
};

/// Checks a configuration file.
#[derive(Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Check(CheckArguments),
}

/// Builds every endpoint with its secrets, and names each mistake, and what is suspicious: a key
/// that ends soon, a secret that looks like an API key, a body that is not signed, a signature that
/// is not enforced.
#[derive(Args)]
#[command(after_help = "\
Examples:

  tower-webhook config check webhooks.toml
  tower-webhook config check webhooks.toml --format json

Run it with the environment of the service, since it reads the same variables and files.
It ends with 0 if there is no mistake, also with warnings, and with 1 if there is one.")]
struct CheckArguments {
    /// The configuration file; - for standard input
    file: PathBuf,
    /// Fails for warnings, too
    #[arg(long)]
    strict: bool,
    /// Judges periods of validity by this time instead of the clock
    #[arg(long, value_name = "SECONDS")]
    now: Option<Seconds>,
    #[command(flatten)]
    format: FormatArguments,
}

/// The result as JSON.
#[derive(Serialize)]
struct Checked {
    /// `good`, `mistakes`, or with `--strict` also `warnings`.
    verdict: &'static str,
    mistakes: Vec<String>,
    warnings: Vec<Warning>,
    endpoints: Vec<Endpoint>,
}

#[derive(Serialize)]
struct Warning {
    endpoint: String,
    kind: &'static str,
    text: String,
}

#[derive(Serialize)]
struct Endpoint {
    name: String,
    /// Those of its members, if it has `any_of`.
    providers: Vec<String>,
    /// The names of its members.
    #[serde(skip_serializing_if = "Option::is_none")]
    any_of: Option<Vec<String>>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<Outcome> {
    const MOST: usize = 4 << 20;
    let Command::Check(arguments) = &arguments.command;
    let text = String::from_utf8(input::read(&arguments.file, MOST)?);
    let text = text
        .map_err(|_| Failure::undone(format!("{}: it is not UTF-8", arguments.file.display())))?;
    let checked = check(&text, arguments);
    let is_good = checked.verdict == "good";
    match arguments.format.format {
        Format::Json => output::print_json(&checked)?,
        Format::Human => output::print(&as_text(&checked))?,
    }
    Ok(Outcome::good_if(is_good))
}

fn check(text: &str, arguments: &CheckArguments) -> Checked {
    let (config, mistakes) = match Config::from_toml_str(text) {
        Ok(config) => (Some(config), Vec::new()),
        Err(error) => {
            let mistakes = error.mistakes().map(str::to_owned).collect();
            // What could be read besides may be suspicious, too.
            (toml::from_str(text).ok(), mistakes)
        }
    };
    let mut checked = Checked {
        verdict: if mistakes.is_empty() {
            "good"
        } else {
            "mistakes"
        },
        mistakes,
        warnings: Vec::new(),
        endpoints: Vec::new(),
    };
    let Some(config) = config else {
        return checked;
    };
    let now = arguments.now.map_or_else(clock::now, |now| now.0);
    for warning in config.warnings(now) {
        checked.warnings.push(Warning {
            endpoint: warning.endpoint().to_owned(),
            kind: warning.kind(),
            text: warning.to_string(),
        });
    }
    for name in config.endpoints() {
        let members: Vec<&str> = config.members(name).collect();
        let providers = members
            .iter()
            .filter_map(|member| config.endpoint(member).ok());
        let providers = providers.map(|verifier| verifier.provider().name().to_owned());
        checked.endpoints.push(Endpoint {
            providers: providers.collect(),
            any_of: (members != [name])
                .then(|| members.iter().map(|member| (*member).to_owned()).collect()),
            name: name.to_owned(),
        });
    }
    if arguments.strict && checked.mistakes.is_empty() && !checked.warnings.is_empty() {
        checked.verdict = "warnings";
    }
    checked
}

fn as_text(checked: &Checked) -> String {
    let mut text = String::new();
    for mistake in &checked.mistakes {
        text += &format!("{} {mistake}\n", styled(BAD, "mistake:"));
    }
    for warning in &checked.warnings {
        text += &format!(
            "{} endpoint {:?}: {} [{}]\n",
            styled(WARNING, "warning:"),
            warning.endpoint,
            warning.text,
            warning.kind
        );
    }
    let counted = |count: usize, what: &str| match count {
        1 => format!("1 {what}"),
        count => format!("{count} {what}s"),
    };
    let summary = format!(
        "{}, {}, {}",
        counted(checked.endpoints.len(), "endpoint"),
        counted(checked.mistakes.len(), "mistake"),
        counted(checked.warnings.len(), "warning")
    );
    let style = if checked.verdict == "good" { GOOD } else { BAD };
    text + &styled(style, checked.verdict) + &format!(": {summary}\n")
}
