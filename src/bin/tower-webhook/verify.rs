//! `verify`: whether a captured request is genuine.

use clap::Args;
use serde::Serialize;
use tower_webhook::{Hint, Rejection, VerifiedEvent, explain::Report};

use crate::{
    arguments::{BudgetArguments, CaptureArguments, Format, FormatArguments, SettingArguments},
    clock,
    failure::{Failure, Outcome, Result},
    input::{self, Capture},
    output::{self, BAD, FAINT, GOOD, escaped, styled},
    target::{ExplainOptions, Target},
};

/// Verifies a captured request, and says why it is refused.
#[derive(Args)]
#[command(after_help = "\
Examples:

  tower-webhook verify github --secret-env SECRET captured.http
  tower-webhook verify stripe --secret-env SECRET captured.http \\
    --now 1795860000
  tower-webhook verify code --config webhooks.toml captured.http --format json

Timestamps are judged by the time of receipt that a capture states, else by the clock.
It ends with 0 if the request is genuine, with 1 if it is refused, and with 3 if it cannot
be judged, as a capture without its token.")]
pub(crate) struct Arguments {
    /// The provider, such as github; with --config, an endpoint or provider of the file
    provider: String,
    #[command(flatten)]
    capture: CaptureArguments,
    /// Does not look for the cause of a refusal
    #[arg(long)]
    no_explain: bool,
    #[command(flatten)]
    budget: BudgetArguments,
    #[command(flatten)]
    format: FormatArguments,
    #[command(flatten)]
    settings: SettingArguments,
}

/// The result as JSON.
#[derive(Serialize)]
struct Verdict<'v> {
    /// `genuine`, `refused` or `incomplete`.
    verdict: &'static str,
    provider: String,
    endpoint: Option<&'v str>,
    /// The kind of the refusal.
    kind: Option<&'static str>,
    message: Option<String>,
    hints: Vec<&'static str>,
    header: Option<&'v str>,
    field: Option<&'v str>,
    skew_seconds: Option<i64>,
    /// The status that a receiver answers with.
    status: Option<u16>,
    key_id: Option<&'v str>,
    variant: Option<&'v str>,
    coverage: Option<String>,
    event_type: Option<&'v str>,
    delivery_id: Option<&'v str>,
    /// The signed time, in seconds since 1970.
    timestamp: Option<u64>,
    bytes: usize,
    /// The time by which it was judged, and where that comes from: `clock`, `received_at` or
    /// `--now`.
    checked_at: u64,
    checked_by: &'static str,
    /// Why it is refused, as `explain` says it.
    explanation: Option<&'v Report>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<Outcome> {
    input::check_stdin(&arguments.settings, &arguments.capture.file)?;
    let target = Target::find(&arguments.provider, &arguments.settings)?;
    let capture = Capture::read(&arguments.capture)?;
    if capture.request.left_out() > 0 {
        return Err(Failure::undone(format!(
            "{}: {} bytes of the body were not kept, so it cannot be verified",
            arguments.capture.file.display(),
            capture.request.left_out()
        )));
    }
    let (time, checked_by) = capture.time_or_now();
    let result = target.verify(&capture.request, time)?;
    let is_judged = result.is_ok() || !target.lacks_token(&capture.request)?;
    let report = match &result {
        Err(_) if !arguments.no_explain || !is_judged => {
            let captured = capture.request.clone().with_received_at(time);
            let options = ExplainOptions::with_budget(arguments.budget.budget);
            let text = "looking for the cause …";
            Some(output::with_progress(text, || {
                target.explain(&captured, &options)
            })?)
        }
        _ => None,
    };
    let bytes = capture.request.body().len();
    let outcome = match is_judged {
        true => Outcome::good_if(result.is_ok()),
        false => Outcome::Undone,
    };
    if arguments.format.format == Format::Json {
        let mut verdict = match &result {
            Ok(event) => of_event(event),
            Err(rejection) if is_judged => of_rejection(rejection),
            Err(_) => incomplete(),
        };
        verdict.provider = match &result {
            Ok(event) => event.provider().to_owned(),
            Err(rejection) => rejection
                .provider()
                .map_or_else(|| target.provider_name(), str::to_owned),
        };
        verdict.endpoint = verdict.endpoint.or_else(|| target.endpoint_name());
        verdict.bytes = bytes;
        verdict.checked_at = clock::unix_seconds(time);
        verdict.checked_by = checked_by;
        verdict.explanation = report.as_ref();
        output::print_json(&verdict)?;
        return Ok(outcome);
    }
    let text = match &result {
        Ok(event) => genuine(event),
        Err(_) if !is_judged => {
            let verdict = styled(BAD, "incomplete");
            let mut text = format!("{verdict}: {LEFT_OUT} ({})\n", target.provider_name());
            let report = report.as_ref().map(|report| explained(report, ""));
            text += &report.unwrap_or_default();
            text
        }
        Err(rejection) => {
            let mut text = refused(rejection);
            let skewed = rejection.skew_seconds().is_some();
            if skewed {
                let date = clock::date(time);
                text += &fact("judged at", &format!("{date} ({})", by(checked_by)));
            }
            if let Some(report) = &report {
                text += &explained(report, &sentences(rejection).join("; "));
            }
            text
        }
    };
    output::print(&text)?;
    Ok(outcome)
}

fn by(source: &str) -> &str {
    match source {
        "received_at" => "the time of receipt",
        "clock" => "the clock of this machine; --now sets another time",
        other => other,
    }
}

fn of_event(event: &VerifiedEvent) -> Verdict<'_> {
    Verdict {
        verdict: "genuine",
        provider: String::new(),
        endpoint: event.endpoint(),
        kind: None,
        message: None,
        hints: Vec::new(),
        header: None,
        field: None,
        skew_seconds: event.skew_seconds(),
        status: Some(200),
        key_id: event.key_id(),
        variant: Some(event.variant()),
        coverage: Some(event.coverage().to_string()),
        event_type: event.event_type(),
        delivery_id: event.delivery_id(),
        timestamp: event.timestamp().map(clock::unix_seconds),
        bytes: 0,
        checked_at: 0,
        checked_by: "",
        explanation: None,
    }
}

/// Why a capture cannot be judged.
const LEFT_OUT: &str = "the token was left out of the capture, so the request cannot be judged";

fn incomplete() -> Verdict<'static> {
    Verdict {
        verdict: "incomplete",
        provider: String::new(),
        endpoint: None,
        kind: None,
        message: Some(LEFT_OUT.to_owned()),
        hints: Vec::new(),
        header: None,
        field: None,
        skew_seconds: None,
        status: None,
        key_id: None,
        variant: None,
        coverage: None,
        event_type: None,
        delivery_id: None,
        timestamp: None,
        bytes: 0,
        checked_at: 0,
        checked_by: "",
        explanation: None,
    }
}

fn of_rejection(rejection: &Rejection) -> Verdict<'_> {
    Verdict {
        verdict: "refused",
        provider: String::new(),
        endpoint: rejection.endpoint(),
        kind: Some(rejection.kind().as_str()),
        message: Some(rejection.to_string()),
        hints: rejection.hints().map(Hint::as_str).collect(),
        header: rejection.header(),
        field: rejection.field(),
        skew_seconds: rejection.skew_seconds(),
        status: Some(rejection.status().as_u16()),
        key_id: None,
        variant: None,
        coverage: None,
        event_type: rejection.event_type(),
        delivery_id: rejection.delivery_id(),
        timestamp: None,
        bytes: 0,
        checked_at: 0,
        checked_by: "",
        explanation: None,
    }
}

/// A line with a label.
fn fact(label: &str, text: &str) -> String {
    format!(
        "  {} {}\n",
        styled(FAINT, format!("{label:<10}")),
        escaped(text)
    )
}

fn genuine(event: &VerifiedEvent) -> String {
    let mut text = format!(
        "{} ({}, variant {})\n",
        styled(GOOD, "genuine"),
        event.provider(),
        event.variant()
    );
    if let Some(key) = event.key_id() {
        text += &fact("key", key);
    }
    if let Some(kind) = event.event_type() {
        text += &fact("event", kind);
    }
    if let Some(id) = event.delivery_id() {
        text += &fact("delivery", id);
    }
    let coverage = match event.coverage().to_string().as_str() {
        "body" => "signed as a whole",
        "partial" => {
            "only parts of it are signed: whoever has seen this request can change the rest"
        }
        _ => "not signed: whoever has seen this request can send any other body",
    };
    text += &fact("body", &format!("{} bytes, {coverage}", event.body().len()));
    text += &match event.timestamp() {
        Some(time) => fact("signed at", &clock::date(time)),
        None => fact(
            "replay",
            "no time is signed, so that this request stays valid for ever",
        ),
    };
    text
}

fn refused(rejection: &Rejection) -> String {
    let provider = rejection.provider().unwrap_or_default();
    let mut text = format!(
        "{}: {} ({provider})\n",
        styled(BAD, "refused"),
        rejection.kind().as_str()
    );
    for (place, sentence) in sentences(rejection).iter().enumerate() {
        text += &fact(if place == 0 { "why" } else { "" }, sentence);
    }
    text
}

/// Why it is refused. The suspicions of a service that runs say nothing here, where one request was
/// seen.
fn sentences(rejection: &Rejection) -> Vec<String> {
    let message = rejection.to_string();
    let sentences = message
        .split("; ")
        .filter(|sentence| !sentence.starts_with("this endpoint has verified "));
    sentences.map(str::to_owned).collect()
}

/// What was found, without what `refused` has `said`.
fn explained(report: &Report, said: &str) -> String {
    let mut text = String::new();
    let sentences: Vec<&str> = report
        .causes()
        .iter()
        .map(|cause| cause.sentence())
        .collect();
    if !sentences.is_empty() {
        let name = report.cause().unwrap_or_default();
        let verdict = report.verdict().as_str();
        text += &fact(verdict, &format!("{} [{name}]", sentences.join("; and ")));
    }
    if let Some(key) = report.key() {
        text += &fact("key", &format!("it matches {key:?}"));
    }
    if let Some(remedy) = report.remedy() {
        text += &fact("do", remedy);
    }
    for observation in report.observations().filter(|seen| *seen != said) {
        text += &fact("seen", observation);
    }
    text
}
