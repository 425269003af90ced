//! A tool that receives webhooks, verifies them, and answers with JSON that describes the event.
//!
//! ```text
//! cargo run --example receiver --features axum,config,identity -- [--config webhooks.toml] [--listen 127.0.0.1:3000] [--now SECONDS]
//! ```
//!
//! With a configuration file it serves each endpoint at `/webhooks/NAME`, for every method, since
//! some providers sign `GET` or the query, and answers the provider's handshakes there. Without one
//! it serves demo endpoints, and prints for each a `curl` command that is accepted and one that is
//! refused. `GET /stats` counts. A file with `store = "redis"` needs the feature `redis`, too.
//!
//! It accepts every signed event, even if its payload cannot be read. Log lines go to stderr and
//! contain no secret and no body. SIGTERM and Ctrl-C let requests in flight and the handlers of
//! deliveries finish. SIGHUP reads the configuration file again, including secrets in files; the
//! environment and `[deliveries]` stay as they were. A file with a mistake changes nothing.

mod app;
mod arguments;
mod demo;
mod signals;
mod stats;

use std::{
    error::Error,
    io::{self, IsTerminal, Write},
    process::ExitCode,
    time::Duration,
};

use tokio::{
    net::TcpListener,
    sync::oneshot,
    time::{Instant, timeout},
};
use tower_webhook::{Config, SetupError};

use self::{
    app::App,
    arguments::{Arguments, Command},
    signals::{Signals, Wish},
};

/// The exit code for invalid arguments.
const USAGE: u8 = 2;

/// How long requests in flight may take after a signal. It is longer than any read timeout, and
/// bounds a client that never completes its headers.
const GRACE: Duration = Duration::from_secs(90);

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = match Command::from_args(std::env::args_os().skip(1)) {
        Ok(Command::Serve(arguments)) => arguments,
        Ok(Command::Help) => {
            say(arguments::HELP);
            return ExitCode::SUCCESS;
        }
        Err(problem) => {
            eprintln!("error: {problem}\n\n{}", arguments::HELP);
            return ExitCode::from(USAGE);
        }
    };
    match serve(&arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt()
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .init();
    let mut signals = Signals::listen()?;
    let app = App::new(&read(arguments)?, arguments.now)?;

    let listener = TcpListener::bind(&arguments.listen)
        .await
        .map_err(|error| format!("--listen {}: {error}", arguments.listen))?;
    let address = listener.local_addr()?;
    if let Some(now) = arguments.now {
        if !address.ip().is_loopback() {
            return Err(format!("--now needs a loopback address, and {address} is none").into());
        }
        tracing::warn!(
            "the time is always {now}: a recorded request is accepted again and again; do not use this for anything but tests"
        );
    }
    if arguments.config.is_none() {
        say(&demo::commands(address));
    }
    say(&format!("listening on http://{address}"));

    let (stop, stopped) = oneshot::channel::<()>();
    let mut server = axum::serve(listener, app.clone().into_router())
        .with_graceful_shutdown(async move { drop(stopped.await) })
        .into_future();
    loop {
        let wish = tokio::select! {
            ended = &mut server => return Ok(ended?),
            wish = signals.received() => wish,
        };
        match wish {
            Wish::Stop => break,
            #[cfg(unix)]
            Wish::Reload => match read(arguments).and_then(|config| app.replace(&config)) {
                Ok(()) => say("configuration read again"),
                Err(error) => eprintln!("error: {error}; the configuration stays as it was"),
            },
        }
    }
    say("stopping: requests in flight are finished first");
    drop(stop);
    let begun = Instant::now();
    if let Ok(ended) = timeout(GRACE, server).await {
        ended?;
    }
    // The server does not know about handlers whose senders have disconnected.
    let left = app.drain(GRACE.saturating_sub(begun.elapsed())).await;
    if left > 0 {
        eprintln!(
            "error: {left} handlers have not ended; their deliveries are handled again when they are sent again"
        );
    }
    Ok(())
}

fn read(arguments: &Arguments) -> Result<Config, SetupError> {
    match &arguments.config {
        Some(path) => Config::from_path(path),
        None => Config::from_toml_str(&demo::config()),
    }
}

/// Prints a line. A closed standard output does not stop the server.
fn say(text: &str) {
    let _ = writeln!(io::stdout(), "{text}");
}
