//! Webhooks on the command line: sign and send them, verify one that was captured, find out why a
//! signature does not match, and listen for them.
//!
//! ```text
//! cargo install tower-webhook --features cli
//! ```
//!
//! Results go to standard output, everything else to standard error. The exit code is 0 for what is
//! good, 1 for a request that is refused or not explained and for a configuration with mistakes, 2
//! for wrong usage, and 3 for what could not be done. A secret is never an argument.

mod arguments;
mod check;
mod client;
mod clock;
mod completions;
mod explain;
mod failure;
mod input;
mod listen;
mod output;
mod providers;
mod replay;
mod request;
mod send;
mod sign;
mod tamper;
mod target;
mod verify;

use std::process::ExitCode;

use clap::{
    Parser, Subcommand,
    error::{ContextKind, ContextValue},
};

/// Signs, sends, verifies, explains and receives webhooks of nearly 300 providers.
#[derive(Parser)]
#[command(
    name = "tower-webhook",
    version,
    max_term_width = 100,
    subcommand_required = true,
    arg_required_else_help = true,
    after_help = "\
A first try, with the secret in a variable:

  export SECRET=a-secret-of-some-length
  printf '{\"action\":\"opened\"}' > event.json
  tower-webhook send github http://127.0.0.1:3000/webhooks/github \\
    --secret-env SECRET event.json

Exit codes: 0 good; 1 refused, not explained, or mistakes found; 2 wrong usage; 3 could not be done."
)]
struct Program {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Providers(providers::Arguments),
    Config(check::Arguments),
    Sign(sign::Arguments),
    Send(send::Arguments),
    Verify(verify::Arguments),
    Explain(explain::Arguments),
    Listen(listen::Arguments),
    Replay(replay::Arguments),
    Completions(completions::Arguments),
}

fn main() -> ExitCode {
    let program = Program::try_parse().unwrap_or_else(|error| without_values(error).exit());
    let outcome = match program.command {
        Command::Providers(arguments) => providers::run(&arguments),
        Command::Config(arguments) => check::run(&arguments),
        Command::Sign(arguments) => sign::run(&arguments),
        Command::Send(arguments) => send::run(&arguments),
        Command::Verify(arguments) => verify::run(&arguments),
        Command::Explain(arguments) => explain::run(&arguments),
        Command::Listen(arguments) => listen::run(&arguments),
        Command::Replay(arguments) => replay::run(&arguments),
        Command::Completions(arguments) => completions::run::<Program>(&arguments),
    };
    match outcome {
        Ok(outcome) => outcome.into(),
        Err(failure) => {
            output::error(failure.message());
            failure.code()
        }
    }
}

/// The error of an argument without its value, which may be a secret in the wrong place.
fn without_values(mut error: clap::Error) -> clap::Error {
    const SHORTEST_SECRET: usize = 8;
    for kind in [ContextKind::InvalidValue, ContextKind::InvalidArg] {
        let Some(ContextValue::String(text)) = error.get(kind) else {
            continue;
        };
        // The name of an argument is known, unlike one that is too many.
        let is_known = text.starts_with(['-', '<', '[']);
        if !is_known && text.len() >= SHORTEST_SECRET {
            error.insert(kind, ContextValue::String("…".to_owned()));
        }
    }
    error
}
