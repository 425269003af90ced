//! `explain`: why a signature does not match.

use std::path::PathBuf;

use clap::Args;
use tower_webhook::explain::Verdict;

use crate::{
    arguments::{BudgetArguments, CaptureArguments, Format, FormatArguments, SettingArguments},
    failure::{Failure, Outcome, Result},
    input::{self, Capture},
    output::{self, BOLD, GOOD, WARNING, styled},
    target::{ExplainOptions, Target},
};

/// Finds out why the signature of a captured request does not match, and proves it.
#[derive(Args)]
#[command(after_help = "\
Examples:

  tower-webhook explain --config webhooks.toml code captured.http
  tower-webhook explain --config webhooks.toml code captured.http \\
    --secrets-from .env --format json
  tower-webhook explain github --secret-env SECRET captured.http

It works offline, changes nothing, and prints no secret, no signature and no body.
It ends with 0 if the request is explained or genuine, with 1 if it is not explained,
and with 3 if it cannot be judged, as a capture without its token.")]
pub(crate) struct Arguments {
    /// The endpoint of --config, or a provider
    #[arg(value_name = "ENDPOINT")]
    endpoint: String,
    #[command(flatten)]
    capture: CaptureArguments,
    /// A file of NAME=value lines, whose values are tried as secrets
    #[arg(long, value_name = "FILE")]
    secrets_from: Vec<PathBuf>,
    /// A path that a proxy or a router removes from the address, such as /webhooks
    #[arg(long, value_name = "PATH")]
    mount: Vec<String>,
    #[command(flatten)]
    budget: BudgetArguments,
    #[command(flatten)]
    format: FormatArguments,
    #[command(flatten)]
    settings: SettingArguments,
}

pub(crate) fn run(arguments: &Arguments) -> Result<Outcome> {
    input::check_stdin(&arguments.settings, &arguments.capture.file)?;
    let target = Target::find(&arguments.endpoint, &arguments.settings)?;
    let Capture { request, time } = Capture::read(&arguments.capture)?;
    let captured = match time {
        Some((time, _)) => request.with_received_at(time),
        // The report says what that means.
        None => request,
    };
    let options = ExplainOptions {
        budget: arguments.budget.budget,
        env_files: read_all(&arguments.secrets_from)?,
        mounts: arguments.mount.clone(),
    };
    let report = output::with_progress("looking for the cause …", || {
        target.explain(&captured, &options)
    })?;
    match arguments.format.format {
        Format::Json => output::print_json(&report)?,
        Format::Human => output::print(&coloured(&report.to_string()))?,
    }
    Ok(match report.verdict() {
        Verdict::Incomplete => Outcome::Undone,
        verdict => Outcome::good_if(verdict != Verdict::Unexplained),
    })
}

fn read_all(paths: &[PathBuf]) -> Result<Vec<String>> {
    const MOST: usize = 1 << 20;
    let texts = paths.iter().map(|path| {
        let text = String::from_utf8(input::read(path, MOST)?);
        text.map_err(|_| Failure::undone(format!("{}: it is not UTF-8", path.display())))
    });
    texts.collect()
}

/// The text with the labels of its lines in colours.
pub(crate) fn coloured(text: &str) -> String {
    let lines = text.lines().map(|line| {
        let (label, rest) = line.split_once(':').unwrap_or((line, ""));
        let style = match label {
            "genuine" | "proven" => GOOD,
            "likely" | "unexplained" | "incomplete" => WARNING,
            _ => BOLD,
        };
        format!("{}{rest}\n", styled(style, format_args!("{label}:")))
    });
    lines.collect()
}
