//! `completions`: for shells.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::{
    failure::{Outcome, Result},
    output,
};

/// Prints a script that completes commands in a shell.
#[derive(Args)]
#[command(after_help = "\
Examples:

  tower-webhook completions bash > tower-webhook.bash
  tower-webhook completions zsh > _tower-webhook")]
pub(crate) struct Arguments {
    /// The shell
    shell: Shell,
}

pub(crate) fn run<P: CommandFactory>(arguments: &Arguments) -> Result<Outcome> {
    let mut script = Vec::new();
    clap_complete::generate(
        arguments.shell,
        &mut P::command(),
        "tower-webhook",
        &mut script,
    );
    output::print_bytes(&script)?;
    Ok(Outcome::Good)
}
