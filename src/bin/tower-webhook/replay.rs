//! `replay`: sends a captured request again, as it was or signed anew.

use std::path::PathBuf;

use bytes::Bytes;
use clap::Args;
use http::{Request, Uri};
use tower_webhook::{capture::CapturedRequest, providers};

use crate::{
    arguments::{ClientArguments, FormatArguments, SettingArguments},
    clock::{self, Seconds},
    failure::{Failure, OrUndone, Outcome, Result},
    input, output, request,
    send::{self, Sent},
    target::Target,
};

/// Sends a captured request again: byte for byte, or with a new signature and time.
#[derive(Args)]
#[command(after_help = "\
Examples:

  tower-webhook replay captures/0007.json \\
    http://127.0.0.1:3000/webhooks/stripe
  tower-webhook replay captures/0007.json \\
    http://127.0.0.1:3000/webhooks/stripe --resign --secret-env SECRET
  tower-webhook replay captures/0007.json http://127.0.0.1:3000 --resign \\
    --config webhooks.toml

A URL without a path keeps the path of the request. An old request is refused for its time unless it
is signed anew. The id of the delivery stays, so that a receiver that deduplicates recognises it.")]
pub(crate) struct Arguments {
    /// The captured request, in any form that `verify` reads; - for standard input
    file: PathBuf,
    /// Where to send it
    #[arg(value_parser = request::url)]
    url: Uri,
    /// Signs it anew, with the current time
    #[arg(long)]
    resign: bool,
    /// The provider that signs it, or the endpoint of --config, if the capture does not say
    #[arg(long, value_name = "NAME", requires = "resign")]
    provider: Option<String>,
    /// Signs this time instead of the current one
    #[arg(long, value_name = "SECONDS", requires = "resign")]
    now: Option<Seconds>,
    /// Which of several requests in the file, counted from 1
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    nth: u32,
    #[command(flatten)]
    client: ClientArguments,
    #[command(flatten)]
    format: FormatArguments,
    #[command(flatten)]
    settings: SettingArguments,
}

pub(crate) fn run(arguments: &Arguments) -> Result<Outcome> {
    input::check_stdin(&arguments.settings, &arguments.file)?;
    let captured = input::read_captured(&arguments.file, arguments.nth)?;
    if captured.left_out() > 0 {
        return Err(Failure::undone(format!(
            "{}: {} bytes of the body were not kept, so there is nothing to send",
            arguments.file.display(),
            captured.left_out()
        )));
    }
    let mut request = request::from_capture(&captured, &arguments.url)?;
    let mut provider = captured.providers().next().map(str::to_owned);
    if arguments.resign {
        let target = target(arguments, &captured)?
            .with_default_url(&arguments.url.to_string(), &arguments.settings);
        provider = Some(target.provider_name());
        let time = arguments.now.map_or_else(clock::now, |now| now.0);
        let signer = target.signer()?.with_time(time);
        request = signer.resign(request).or_undone("it cannot be signed")?;
    }
    if is_redacted(&request) {
        output::warn(
            "credentials are left out of this capture, and [redacted] is sent in their place; where they are what the \
             receiver checks, use --resign",
        );
    }
    let sent = Sent {
        provider,
        tampered: None,
        resigned: Some(arguments.resign),
    };
    send::send(&sent, &request, &arguments.client, arguments.format.format)
}

/// What signs the request: what the arguments name, else what the capture says, else the provider
/// whose headers it has.
fn target(arguments: &Arguments, captured: &CapturedRequest) -> Result<Target> {
    let settings = &arguments.settings;
    if let Some(name) = &arguments.provider {
        return Target::find(name, settings);
    }
    if settings.config.is_some() {
        let endpoint = captured.endpoint();
        let endpoint = endpoint.ok_or_else(|| {
            Failure::usage(
                "the capture does not say which endpoint it is for; name it with --provider",
            )
        })?;
        return Target::find(endpoint, settings);
    }
    let known: Vec<String> = captured.providers().map(str::to_owned).collect();
    let candidates = if known.is_empty() {
        by_headers(captured)
    } else {
        known
    };
    match &*candidates {
        [one] => {
            output::note(format_args!("signed as {one}"));
            Target::find(one, settings)
        }
        [] => Err(Failure::usage(
            "the capture has the signature header of no known provider; name the one that signs it with --provider",
        )),
        several => Err(Failure::usage(format!(
            "the capture may be of {}; name the one that signs it with --provider",
            several.join(", ")
        ))),
    }
}

/// The built-in providers of whose signature headers the request has one.
fn by_headers(captured: &CapturedRequest) -> Vec<String> {
    let has = |header: &str| {
        let mut headers = captured.headers();
        headers.any(|(name, _)| name.eq_ignore_ascii_case(header))
    };
    let all = providers::all().filter_map(|known| known.provider());
    // Many send this one.
    let is_telling = |header: &String| !header.eq_ignore_ascii_case("authorization");
    let found = all.filter(|provider| {
        let mut headers = provider.signature_headers().filter(is_telling);
        headers.any(|header| has(&header))
    });
    let mut found: Vec<String> = found.map(|provider| provider.name().to_owned()).collect();
    // Those that sign as Svix does have its headers.
    for standard in ["svix", "standard-webhooks"] {
        if found.iter().any(|name| name == standard) {
            found = vec![standard.to_owned()];
        }
    }
    found
}

fn is_redacted(request: &Request<Bytes>) -> bool {
    let mut values = request.headers().values();
    values.any(|value| value.as_bytes().ends_with(b"[redacted]"))
        || request
            .uri()
            .query()
            .is_some_and(|query| query.contains("[redacted]"))
}
