//! `listen`: receives webhooks, shows what becomes of each, and explains what does not match.

mod body;
mod endpoints;
mod forward;
mod record;
mod reporter;
mod server;
mod service;

use std::{path::PathBuf, sync::Arc};

use clap::Args;
use http::Uri;
use tokio::net::TcpListener;

use self::{
    endpoints::Endpoints,
    forward::Forward,
    reporter::{Reporter, ReporterOptions},
    server::{Server, Stop},
};
use crate::{
    arguments::{BudgetArguments, Format, FormatArguments, SettingArguments, duration},
    clock::{self, Seconds},
    failure::{Failure, OrUndone, Outcome, Result},
    output, request,
};

/// Receives webhooks, verifies them, and shows one line for each.
#[derive(Args)]
#[command(after_help = "\
Examples:

  tower-webhook listen 127.0.0.1:4000 --config webhooks.toml
  tower-webhook listen 127.0.0.1:4000 --config webhooks.toml \\
    --forward http://127.0.0.1:3000
  tower-webhook listen 127.0.0.1:4000 --config webhooks.toml --save captures
  tower-webhook listen 127.0.0.1:4000 --provider github --secret-env SECRET

A request belongs to the endpoint that the last part of its path names, as in /webhooks/code; with one
endpoint, every path does. It is answered before it is shown and explained: 200 if it is genuine, else
what the layer answers. Handshakes are answered. Behind ngrok, cloudflared or another tunnel, vendors
reach it. Ctrl-C stops it, and so does closing its standard output.")]
pub(crate) struct Arguments {
    /// Where to listen, such as 127.0.0.1:4000; with port 0, a free one is chosen
    address: String,
    /// A provider to listen for, instead of a configuration file
    #[arg(long, value_name = "NAME")]
    provider: Option<String>,
    /// Passes genuine requests on with their exact bytes, and answers with what comes back. A URL
    /// without a path keeps the path of the request
    #[arg(long, value_name = "URL", value_parser = request::url)]
    forward: Option<Uri>,
    /// How long --forward waits for an answer, such as 30s
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = duration)]
    timeout: std::time::Duration,
    /// Saves every request as a file that only you can read, for `verify`, `explain` and `replay`;
    /// tokens are left out, and of a run at most 1000 requests are saved
    #[arg(long, value_name = "DIR")]
    save: Option<PathBuf>,
    /// Prints bodies, up to 4 KiB each
    #[arg(long)]
    show_body: bool,
    /// Does not explain refusals
    #[arg(long)]
    no_explain: bool,
    /// Judges timestamps by this time instead of the clock, for recorded requests; on a loopback
    /// address only
    #[arg(long, value_name = "SECONDS")]
    now: Option<Seconds>,
    #[command(flatten)]
    budget: BudgetArguments,
    #[command(flatten)]
    format: FormatArguments,
    #[command(flatten)]
    settings: SettingArguments,
}

pub(crate) fn run(arguments: &Arguments) -> Result<Outcome> {
    let forward = match &arguments.forward {
        Some(base) => Some(Forward::new(base.clone(), arguments.timeout)?),
        None => None,
    };
    let endpoints = Endpoints::build(arguments, forward.as_ref())?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .or_undone("the runtime")?;
    runtime.block_on(listen(arguments, endpoints))
}

async fn listen(arguments: &Arguments, endpoints: Endpoints) -> Result<Outcome> {
    let place = with_host(&arguments.address)?;
    let listener = TcpListener::bind(place).await;
    let listener = listener.or_undone(&arguments.address)?;
    let address = listener.local_addr().or_undone(&arguments.address)?;
    if let Some(now) = arguments.now {
        if !address.ip().is_loopback() {
            return Err(Failure::usage(format!(
                "--now needs a loopback address, because every recorded request stays valid, and {address} is not one"
            )));
        }
        output::warn(format_args!(
            "the time is always {}: recorded requests are accepted again and again",
            clock::date(now.0)
        ));
    }
    // Whoever has read where it listens may stop it at once.
    let stop = Stop::listen()?;
    let endpoints = Arc::new(endpoints);
    let reporter = Reporter::start(
        Arc::clone(&endpoints),
        &ReporterOptions {
            format: arguments.format.format,
            save: arguments.save.clone(),
            show_body: arguments.show_body,
            explain: !arguments.no_explain,
            budget: arguments.budget.budget,
        },
    )?;
    if arguments.format.format == Format::Json {
        reporter.announce(address)?;
    }
    output::say(&format!(
        "listening on http://{address} for {}",
        endpoints.names()
    ));
    let server = Server::new(
        endpoints,
        reporter.records(),
        arguments.now.map(|now| now.0),
    );
    server.run(listener, stop, &reporter.unread()).await?;
    reporter.stop();
    Ok(Outcome::Good)
}

/// A port alone is one of this machine.
fn with_host(address: &str) -> Result<String> {
    let (host, port) = match address.rsplit_once(':') {
        Some((host, port)) => (host, port),
        None => ("127.0.0.1", address),
    };
    if host.is_empty() || port.parse::<u16>().is_err() {
        return Err(Failure::usage(
            "ADDRESS: it is no address with a port; write one such as 127.0.0.1:4000, or a port alone",
        ));
    }
    Ok(format!("{host}:{port}"))
}
