//! `send`: signs an event and sends it, and what `replay` shares with it.

use std::path::PathBuf;

use bytes::Bytes;
use clap::Args;
use http::{Request, StatusCode, Uri};
use serde::Serialize;
use tower_webhook::Verifier;

use crate::{
    arguments::{ClientArguments, Format, FormatArguments, RequestArguments, SettingArguments},
    client::{Answer, Client},
    failure::{Failure, OrUndone, Outcome, Result},
    input,
    output::{self, BAD, GOOD, styled},
    request,
    tamper::Tamper,
    target::Target,
};

/// Signs an event as a provider does, and sends it.
#[derive(Args)]
#[command(after_help = "\
Examples:

  tower-webhook send github http://127.0.0.1:3000/webhooks/github \\
    --secret-env SECRET event.json
  tower-webhook send github http://127.0.0.1:3000/webhooks/github \\
    --secret-env SECRET -H 'X-GitHub-Event: ping' event.json
  tower-webhook send stripe http://127.0.0.1:3000/webhooks/stripe \\
    --secret-env SECRET event.json --repeat 2
  tower-webhook send stripe http://127.0.0.1:3000/webhooks/stripe \\
    --secret-env SECRET event.json --tamper body

The last one has to be refused, and ends with 1 then.")]
pub(crate) struct Arguments {
    /// The provider, such as github; with --config, an endpoint or provider of the file
    provider: String,
    /// Where to send it
    #[arg(value_parser = request::url)]
    url: Uri,
    /// The body of the event; - for standard input
    file: PathBuf,
    /// Sends what a receiver has to refuse
    #[arg(long, value_name = "PART")]
    tamper: Option<Tamper>,
    #[command(flatten)]
    request: RequestArguments,
    #[command(flatten)]
    client: ClientArguments,
    #[command(flatten)]
    format: FormatArguments,
    #[command(flatten)]
    settings: SettingArguments,
}

pub(crate) fn run(arguments: &Arguments) -> Result<Outcome> {
    input::check_stdin(&arguments.settings, &arguments.file)?;
    let target = Target::find(&arguments.provider, &arguments.settings)?
        .with_default_url(&arguments.url.to_string(), &arguments.settings);
    let mut unsigned = request::unsigned(
        &arguments.request,
        &arguments.url,
        request::read_body(&arguments.file)?,
    )?;
    if arguments.url.path().is_empty() {
        *unsigned.uri_mut() = request::destination(&arguments.url, "/")?;
    }
    let signer = target.signer()?;
    let signed = match arguments.tamper {
        None => request::sign(
            signer,
            &arguments.request,
            arguments.request.time(),
            unsigned,
        )?,
        Some(tamper) => {
            let changed = tamper.sign(&target, signer, &arguments.request, unsigned)?;
            check_refusable(&target, tamper, &arguments.request, &changed)?;
            changed
        }
    };
    let sent = Sent {
        provider: Some(target.provider_name()),
        tampered: arguments.tamper.map(Tamper::as_str),
        resigned: None,
    };
    send(&sent, &signed, &arguments.client, arguments.format.format)
}

/// Refuses to send what this provider's receiver would accept.
fn check_refusable(
    target: &Target,
    tamper: Tamper,
    arguments: &RequestArguments,
    changed: &Request<Bytes>,
) -> Result<()> {
    // A private key signs, and the public one is not known here.
    let Ok(verifiers) = target.verifiers() else {
        return Ok(());
    };
    let (head, body) = changed.clone().into_parts();
    let accepted = Verifier::verify_any(&verifiers, &(&head).into(), body, arguments.time());
    if accepted.is_err() {
        return Ok(());
    }
    Err(Failure::usage(format!(
        "--tamper {0}: provider {1} does not sign the {0}, so that every receiver accepts it; tamper with another part",
        tamper.as_str(),
        target.provider_name()
    )))
}

/// What is printed of every request beside its answer.
pub(crate) struct Sent {
    pub(crate) provider: Option<String>,
    pub(crate) tampered: Option<&'static str>,
    pub(crate) resigned: Option<bool>,
}

/// One answer, as JSON.
#[derive(Serialize)]
struct Line<'s> {
    number: u32,
    method: &'s str,
    url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    provider: Option<&'s str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tampered: Option<&'s str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resigned: Option<bool>,
    bytes: usize,
    status: u16,
    /// Whether the status is 2xx.
    accepted: bool,
    milliseconds: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<String>,
}

/// Sends a request as often as asked for. It is good if every answer is a success.
pub(crate) fn send(
    sent: &Sent,
    request: &Request<Bytes>,
    arguments: &ClientArguments,
    format: Format,
) -> Result<Outcome> {
    const MOST: usize = 64 << 10;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .or_undone("the runtime")?;
    let client = Client::new(arguments.timeout)?;
    let most = if arguments.show_body { MOST } else { 0 };
    let mut outcome = Outcome::Good;
    for number in 1..=arguments.repeat {
        let answer = runtime.block_on(client.send(request.clone(), most))?;
        outcome = outcome.and(Outcome::good_if(answer.status.is_success()));
        match format {
            Format::Json => output::print_json(&line(sent, request, &answer, number, arguments))?,
            Format::Human => output::print(&text(sent, request, &answer, arguments))?,
        }
    }
    Ok(outcome)
}

fn line<'s>(
    sent: &'s Sent,
    request: &'s Request<Bytes>,
    answer: &Answer,
    number: u32,
    arguments: &ClientArguments,
) -> Line<'s> {
    let body = String::from_utf8_lossy(&answer.body).into_owned();
    Line {
        number,
        method: request.method().as_str(),
        url: without_query(request.uri()),
        provider: sent.provider.as_deref(),
        tampered: sent.tampered,
        resigned: sent.resigned,
        bytes: request.body().len(),
        status: answer.status.as_u16(),
        accepted: answer.status.is_success(),
        milliseconds: u64::try_from(answer.elapsed.as_millis()).unwrap_or(u64::MAX),
        body: arguments.show_body.then_some(body),
    }
}

fn text(
    sent: &Sent,
    request: &Request<Bytes>,
    answer: &Answer,
    arguments: &ClientArguments,
) -> String {
    let style = if answer.status.is_success() {
        GOOD
    } else {
        BAD
    };
    let mut text = format!(
        "{} {}  {} bytes  {}  {} ms\n",
        request.method(),
        without_query(request.uri()),
        request.body().len(),
        styled(style, answer.status),
        answer.elapsed.as_millis()
    );
    if let Some(remark) = remark(sent, answer.status) {
        text += &format!("  {remark}\n");
    }
    if arguments.show_body && !answer.body.is_empty() {
        let body = String::from_utf8_lossy(&answer.body);
        for line in body.lines() {
            text += &format!("  | {}\n", output::escaped(line));
        }
        if answer.is_cut {
            text += "  | …\n";
        }
    }
    text
}

/// What an answer means, if that is not obvious.
fn remark(sent: &Sent, status: StatusCode) -> Option<String> {
    match (sent.tampered, status) {
        (Some(part), status) if status.is_success() => Some(format!(
            "{}: the {part} was wrong, and the receiver accepted it: does the route verify signatures?",
            styled(BAD, "accepted")
        )),
        (Some(part), StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => {
            Some(format!("refused, as it has to be: the {part} is wrong"))
        }
        (None, StatusCode::UNAUTHORIZED) => Some(
            "the receiver refused it: its log says why; check that it has this secret, and that it sees this address"
                .to_owned(),
        ),
        (_, StatusCode::NOT_FOUND) => Some("there is no such route: check the path of the URL".to_owned()),
        (_, StatusCode::UNSUPPORTED_MEDIA_TYPE) => {
            Some("set the type of the body with -H 'Content-Type: …'".to_owned())
        }
        (_, status) if status.is_redirection() => {
            Some("the receiver redirects, which no provider follows: send to the address it names".to_owned())
        }
        _ => None,
    }
}

/// A query may be a signature or a token.
fn without_query(uri: &Uri) -> String {
    let text = uri.to_string();
    match text.split_once('?') {
        Some((path, _)) => format!("{path}?…"),
        None => text,
    }
}
