//! `providers`: what is known of each.

use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use comfy_table::{Table, presets};
use serde::Serialize;
use tower_webhook::{
    Provider,
    providers::{self, Known},
};

use crate::{
    arguments::{Format, FormatArguments},
    failure::{Failure, Outcome, Result},
    output::{self, BOLD, FAINT, styled},
    target::unknown_provider,
};

/// Lists the providers that are known by name, or shows one.
#[derive(Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "\
Examples:

  tower-webhook providers
  tower-webhook providers --find identity
  tower-webhook providers show stripe
  tower-webhook providers show stripe --format toml > acme.toml"
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// Only those whose name, alias, title or group contains a text
    #[arg(long, value_name = "TEXT")]
    find: Option<String>,
    #[command(flatten)]
    format: FormatArguments,
}

#[derive(Subcommand)]
enum Command {
    Show(ShowArguments),
}

/// Shows how a provider signs, what its endpoints set, and what to watch for.
#[derive(Args)]
#[command(after_help = "\
Examples:

  tower-webhook providers show whatsapp
  tower-webhook providers show svix --variant ed25519 --format toml")]
struct ShowArguments {
    /// The name of the provider
    provider: String,
    /// The variant of its scheme, for --format toml
    #[arg(long, value_name = "NAME")]
    variant: Option<String>,
    /// How it is printed
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    format: ShowFormat,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ShowFormat {
    /// Lines for people
    Human,
    /// An object for programs
    Json,
    /// A table of a configuration file, to describe a provider that signs in a similar way
    Toml,
}

/// A provider as JSON. What is in Markdown in the catalogue stays so.
#[derive(Serialize)]
struct Listed {
    name: &'static str,
    aliases: &'static [&'static str],
    title: &'static str,
    group: &'static str,
    /// Whether it can be used by its name.
    supported: bool,
    /// Why it cannot.
    unsupported: Option<&'static str>,
    /// `ran`, `documented`, `reported` or `assumed`.
    evidence: &'static str,
    signs: &'static str,
    replay_window: &'static str,
    handshake: &'static str,
    pitfalls: String,
    docs: Option<&'static str>,
}

/// A provider as JSON, with what an endpoint can set.
#[derive(Serialize)]
struct Shown {
    #[serde(flatten)]
    listed: Listed,
    variants: Vec<String>,
    headers: Vec<String>,
    params: Vec<String>,
    handshake_settings: Vec<&'static str>,
    max_body: usize,
    read_timeout_seconds: u64,
    retry_horizon_seconds: u64,
    time_limit_seconds: Option<u64>,
    success_status: Option<u16>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<Outcome> {
    if let Some(Command::Show(arguments)) = &arguments.command {
        return show(arguments);
    }
    let found: Vec<Known> = match &arguments.find {
        None => providers::all().collect(),
        Some(text) => find(text),
    };
    match arguments.format.format {
        Format::Json => {
            let all: Vec<Listed> = found.iter().map(listed).collect();
            output::print_json(&all)?;
        }
        Format::Human if found.is_empty() => {
            output::print(
                "no provider is known by this text; `tower-webhook providers` lists all\n",
            )?;
        }
        Format::Human => output::print(&table(&found))?,
    }
    Ok(Outcome::good_if(!found.is_empty()))
}

fn find(text: &str) -> Vec<Known> {
    let mut found: Vec<Known> = providers::find(text).collect();
    let wanted = text.to_lowercase();
    let is_in_group = |known: &Known| known.group().to_lowercase().contains(&wanted);
    for known in providers::all().filter(is_in_group) {
        if !found.iter().any(|other| other.name() == known.name()) {
            found.push(known);
        }
    }
    found
}

fn listed(known: &Known) -> Listed {
    Listed {
        name: known.name(),
        aliases: known.aliases(),
        title: known.title(),
        group: known.group(),
        supported: known.unsupported().is_none(),
        unsupported: known.unsupported(),
        evidence: known.evidence().as_str(),
        signs: known.signs(),
        replay_window: known.replay_window(),
        handshake: known.handshake(),
        pitfalls: pitfalls(known),
        docs: known.docs(),
    }
}

/// One line a provider, under the names of the groups.
fn table(found: &[Known]) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(["NAME", "TITLE", "GROUP", "EVIDENCE", "REPLAY WINDOW"]);
    for known in found {
        let window = match known.unsupported() {
            Some(_) => "not supported",
            None => known.replay_window(),
        };
        table.add_row([
            known.name(),
            known.title(),
            known.group(),
            known.evidence().as_str(),
            window,
        ]);
    }
    // Each cell has a space on either side.
    let lines = table.lines().map(|line| format!("{}\n", line.trim()));
    lines.collect()
}

fn show(arguments: &ShowArguments) -> Result<Outcome> {
    let name = &*arguments.provider;
    let known =
        providers::find(name).find(|known| known.name() == name || known.aliases().contains(&name));
    let known = known.ok_or_else(|| Failure::usage(unknown_provider(name)))?;
    let Some(mut provider) = known.provider() else {
        let reason = known.unsupported().unwrap_or_default();
        return Err(Failure::undone(format!(
            "provider {name} is not supported yet: {reason}"
        )));
    };
    if let Some(variant) = &arguments.variant {
        let selected = provider.select_variant(variant);
        provider = selected.map_err(|error| Failure::usage(format!("--{error}")))?;
    }
    match arguments.format {
        ShowFormat::Human => output::print(&as_text(&known, &provider))?,
        ShowFormat::Json => output::print_json(&shown(&known, &provider))?,
        ShowFormat::Toml => {
            let text = provider.to_toml(&format!("my-{}", known.name()));
            output::print(&text.map_err(|error| Failure::undone(error.to_string()))?)?;
        }
    }
    Ok(Outcome::Good)
}

fn shown(known: &Known, provider: &Provider) -> Shown {
    Shown {
        listed: listed(known),
        variants: provider.variant_names().map(str::to_owned).collect(),
        headers: provider.signature_headers().collect(),
        params: provider.param_names(),
        handshake_settings: provider.setting_names(),
        max_body: provider.max_body(),
        read_timeout_seconds: provider.read_timeout().as_secs(),
        retry_horizon_seconds: provider.retry_horizon().as_secs(),
        time_limit_seconds: provider.time_limit().map(|limit| limit.as_secs()),
        success_status: provider.success_status().map(|status| status.as_u16()),
    }
}

fn as_text(known: &Known, provider: &Provider) -> String {
    let mut text = format!("{} ({})\n", styled(BOLD, known.title()), known.name());
    let mut add = |label: &str, value: &str| {
        if !value.is_empty() {
            text += &format!("  {} {value}\n", styled(FAINT, format!("{label:<14}")));
        }
    };
    add("aliases", &known.aliases().join(", "));
    add("group", known.group());
    add("signs", &without_links(known.signs()));
    add("replay window", known.replay_window());
    let variants: Vec<&str> = provider.variant_names().collect();
    if variants.len() > 1 {
        add("variants", &variants.join(", "));
    }
    add("parameters", &provider.param_names().join(", "));
    add("handshake", &without_links(known.handshake()));
    add("settings", &provider.setting_names().join(", "));
    add("longest body", &format!("{} bytes", provider.max_body()));
    if let Some(limit) = provider.time_limit() {
        add("waits for", &duration(limit));
    }
    add("retries for", &duration(provider.retry_horizon()));
    if let Some(status) = provider.success_status() {
        add("success is", status.as_str());
    }
    add("watch for", &pitfalls(known));
    add("page", known.docs().unwrap_or_default());
    let evidence = match known.evidence().as_str() {
        "ran" => "the vendor's own library or its published example was run, and agreed",
        "documented" => "the vendor's page or source was read",
        "reported" => "independent implementations by others agree",
        _ => {
            "none: how it signs is assumed; compare it with a genuine delivery before you rely on it"
        }
    };
    add("evidence", evidence);
    text
}

/// What to watch for. A provider with a module has it there.
/// A duration with a space between each number and its unit.
fn duration(time: Duration) -> String {
    let mut text = String::new();
    for letter in humantime::format_duration(time).to_string().chars() {
        if letter.is_ascii_alphabetic() && text.ends_with(|last: char| last.is_ascii_digit()) {
            text.push(' ');
        }
        text.push(letter);
    }
    text
}

fn pitfalls(known: &Known) -> String {
    let text = known.pitfalls();
    let module = text.split_once("(crate::providers::");
    match module.and_then(|(_, rest)| rest.split_once(')')) {
        Some((module, _)) if text.starts_with("See the [module]") => {
            format!("see https://docs.rs/tower-webhook/latest/tower_webhook/providers/{module}/")
        }
        _ => without_links(text),
    }
}

/// Markdown without the targets of its links.
fn without_links(markdown: &str) -> String {
    let mut text = String::new();
    let mut rest = markdown;
    while let Some((before, after)) = rest.split_once('[') {
        text += before;
        match after.split_once("](") {
            Some((words, target)) if !words.contains('[') => {
                text += words;
                rest = target.split_once(')').map_or("", |(_, rest)| rest);
            }
            _ => {
                text.push('[');
                rest = after;
            }
        }
    }
    text + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_lose_their_targets() {
        for (markdown, expected) in [
            ("plain", "plain"),
            (
                "see the [module](crate::x), or [y](z).",
                "see the module, or y.",
            ),
            ("the text `[accepted]` stays", "the text `[accepted]` stays"),
            ("`[a]` and [b](c)", "`[a]` and b"),
        ] {
            assert_eq!(without_links(markdown), expected);
        }
    }
}
