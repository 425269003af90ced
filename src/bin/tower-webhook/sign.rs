//! `sign`: the headers of a signed request.

use std::path::PathBuf;

use bytes::Bytes;
use clap::Args;
use http::{HeaderMap, Request, Uri};
use serde::Serialize;

use crate::{
    arguments::{Format, FormatArguments, RequestArguments, SettingArguments},
    clock,
    failure::{Failure, Outcome, Result},
    input,
    output::{self, escaped},
    request,
    target::{self, Target},
};

/// Prints the headers that a provider would send with a body.
#[derive(Args)]
#[command(after_help = "\
Examples:

  tower-webhook sign github --secret-env SECRET event.json
  tower-webhook sign stripe --secret-env SECRET event.json --format json
  tower-webhook sign slack --secret-env SECRET event.json \\
    --curl http://127.0.0.1:3000/webhooks/slack
  tower-webhook sign svix --secret-env SVIX_SECRET event.json --http \\
    | tower-webhook verify svix --secret-env SVIX_SECRET -")]
pub(crate) struct Arguments {
    /// The provider, such as github; with --config, an endpoint or provider of the file
    provider: String,
    /// The body of the event; - for standard input
    file: PathBuf,
    /// Prints a curl command that sends the request to this URL
    #[arg(long, value_name = "URL", value_parser = request::url, conflicts_with_all = ["http", "url", "format"])]
    curl: Option<Uri>,
    /// Prints the whole request as HTTP, which `verify` and `explain` read
    #[arg(long)]
    http: bool,
    /// The address of the request, where the provider signs it
    #[arg(long, value_name = "URL", value_parser = request::url)]
    url: Option<Uri>,
    #[command(flatten)]
    request: RequestArguments,
    #[command(flatten)]
    format: FormatArguments,
    #[command(flatten)]
    settings: SettingArguments,
}

/// The result as JSON.
#[derive(Serialize)]
struct Signed<'s> {
    provider: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    endpoint: Option<&'s str>,
    method: &'s str,
    /// With a query parameter that holds the signature, if one does.
    url: String,
    /// Those that signing has added.
    headers: serde_json::Map<String, serde_json::Value>,
    /// The body, if signing has changed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<String>,
    /// The time that is signed where the provider signs one, in seconds since 1970.
    time: u64,
}

pub(crate) fn run(arguments: &Arguments) -> Result<Outcome> {
    input::check_stdin(&arguments.settings, &arguments.file)?;
    let registered = target::url_of(&arguments.settings)?;
    let url = arguments.curl.as_ref().or(arguments.url.as_ref());
    let mut target = Target::find(&arguments.provider, &arguments.settings)?;
    if let Some(url) = url {
        target = target.with_default_url(&url.to_string(), &arguments.settings);
    }
    let time = arguments.request.time();
    let body = request::read_body(&arguments.file)?;
    let uri = url.cloned().or(registered);
    let uri = uri.unwrap_or_else(|| Uri::from_static("/"));
    let unsigned = request::unsigned(&arguments.request, &uri, body)?;
    let signed = request::sign(target.signer()?, &arguments.request, time, unsigned.clone())?;
    if arguments.http {
        output::print_bytes(&as_http(&signed))?;
    } else if arguments.curl.is_some() {
        let is_same = signed.body() == unsigned.body();
        let file = Some(&arguments.file).filter(|file| is_same && !input::is_stdin(file));
        output::print(&as_curl(&signed, file)?)?;
    } else if arguments.format.format == Format::Json {
        output::print_json(&Signed {
            provider: target.provider_name(),
            endpoint: target.endpoint_name(),
            method: signed.method().as_str(),
            url: signed.uri().to_string(),
            headers: added(&signed, unsigned.headers())
                .map(|(name, value)| (name.to_owned(), value.into()))
                .collect(),
            body: (signed.body() != unsigned.body())
                .then(|| String::from_utf8_lossy(signed.body()).into_owned()),
            time: clock::unix_seconds(time),
        })?;
    } else if signed.body() == unsigned.body() && signed.uri() == unsigned.uri() {
        let lines = added(&signed, unsigned.headers());
        let lines = lines.map(|(name, value)| format!("{}: {value}\n", title_case(name)));
        output::print(&lines.collect::<String>())?;
    } else {
        // The signature is in the query or in the body.
        output::print_bytes(&as_http(&signed))?;
    }
    Ok(Outcome::Good)
}

/// The headers that signing has added.
fn added<'s>(
    signed: &'s Request<Bytes>,
    before: &'s HeaderMap,
) -> impl Iterator<Item = (&'s str, &'s str)> {
    let all = signed.headers().iter();
    all.filter(|(name, value)| before.get(*name) != Some(*value))
        .filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)))
}

/// `X-Hub-Signature-256`, as people and vendors write it.
fn title_case(name: &str) -> String {
    let words = name.split('-').map(|word| {
        let mut letters = word.chars();
        let first = letters.next().map(|first| first.to_ascii_uppercase());
        first.into_iter().chain(letters).collect::<String>()
    });
    words.collect::<Vec<_>>().join("-")
}

fn as_http(request: &Request<Bytes>) -> Vec<u8> {
    let uri = request.uri();
    let target = uri.path_and_query().map_or("/", |target| target.as_str());
    let mut text = format!("{} {target} HTTP/1.1\r\n", request.method()).into_bytes();
    if let Some(host) = uri.authority() {
        text.extend_from_slice(format!("Host: {host}\r\n").as_bytes());
    }
    for (name, value) in request.headers() {
        text.extend_from_slice(title_case(name.as_str()).as_bytes());
        text.extend_from_slice(b": ");
        text.extend_from_slice(value.as_bytes());
        text.extend_from_slice(b"\r\n");
    }
    text.extend_from_slice(b"\r\n");
    text.extend_from_slice(request.body());
    text
}

/// A command for a POSIX shell. A body that no shell could hold is read from its file.
fn as_curl(request: &Request<Bytes>, file: Option<&PathBuf>) -> Result<String> {
    /// Longer arguments are hard to read, and have a limit.
    const LONGEST: usize = 4096;
    let mut command = format!("curl -sS -i {}", quoted(&request.uri().to_string()));
    if request.method() != http::Method::POST {
        command += &format!(" -X {}", request.method());
    }
    for (name, value) in request.headers() {
        let value = value
            .to_str()
            .map_err(|_| Failure::undone("--curl: a header has a value that no shell can hold"))?;
        command += &format!(
            " \\\n  -H {}",
            quoted(&format!("{}: {value}", title_case(name.as_str())))
        );
    }
    let text = std::str::from_utf8(request.body()).ok();
    let text = text.filter(|text| {
        let printed = text.replace(['\n', '\t'], " ");
        text.len() <= LONGEST && escaped(&printed) == printed
    });
    match (text, file) {
        (Some(text), _) => command += &format!(" \\\n  --data-raw {}", quoted(text)),
        (None, Some(file)) => {
            let file = format!("@{}", file.display());
            command += &format!(" \\\n  --data-binary {}", quoted(&file));
        }
        (None, None) => {
            return Err(Failure::undone(
                "--curl: the body is too long for a command, or has bytes that are no text; name a file with it instead of -, \
                 or use --http",
            ));
        }
    }
    Ok(command + "\n")
}

/// A word for a POSIX shell.
fn quoted(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:=@%+,".contains(&byte);
    if !text.is_empty() && text.bytes().all(is_plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}
