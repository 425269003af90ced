//! The command line.

use std::{ffi::OsString, path::PathBuf};

pub(crate) const HELP: &str = "\
usage: receiver [--config FILE] [--listen HOST:PORT] [--now SECONDS]

  --config FILE       serve the endpoints of this TOML file (without it: a demo)
  --listen HOST:PORT  where to listen (127.0.0.1:3000 without it; port 0 picks a free one)
  --now SECONDS       compare timestamps with this Unix time instead of the clock, for tests with recorded
                      requests; only on a loopback address, because every recorded request stays valid
  --help              print this

SIGTERM and Ctrl-C stop it, SIGHUP reads FILE again (secrets in files too; the environment stays as it was)";

/// What the arguments ask for.
pub(crate) enum Command {
    Serve(Arguments),
    Help,
}

pub(crate) struct Arguments {
    pub(crate) config: Option<PathBuf>,
    pub(crate) listen: String,
    /// A fixed time, in seconds since 1970.
    pub(crate) now: Option<u64>,
}

impl Command {
    /// Reads the arguments that follow the program's name.
    pub(crate) fn from_args(args: impl IntoIterator<Item = OsString>) -> Result<Self, String> {
        let mut args = args.into_iter();
        let (mut config, mut listen, mut now) = (None, None, None);
        while let Some(arg) = args.next() {
            let mut value = |option: &str| {
                args.next()
                    .ok_or_else(|| format!("{option} needs a value after it"))
            };
            let repeated = match arg.to_str() {
                Some("--help" | "-h") => return Ok(Self::Help),
                Some("--config") => config.replace(PathBuf::from(value("--config")?)).is_some(),
                Some("--listen") => listen.replace(address(&value("--listen")?)?).is_some(),
                Some("--now") => now.replace(seconds(&value("--now")?)?).is_some(),
                _ => return Err(format!("unknown argument {arg:?}")),
            };
            if repeated {
                return Err(format!("{} is given twice", arg.display()));
            }
        }
        Ok(Self::Serve(Arguments {
            config,
            listen: listen.unwrap_or_else(|| "127.0.0.1:3000".to_owned()),
            now,
        }))
    }
}

/// A host and a port; the host may be a name.
fn address(value: &OsString) -> Result<String, String> {
    value
        .to_str()
        .filter(|text| {
            let parts = text.rsplit_once(':');
            parts.is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok())
        })
        .map(str::to_owned)
        .ok_or_else(|| format!("--listen {value:?} is not HOST:PORT, such as 127.0.0.1:3000"))
}

fn seconds(value: &OsString) -> Result<u64, String> {
    let seconds = value.to_str().and_then(|text| text.parse().ok());
    // The year 9999 is the last that dates can have.
    let seconds = seconds.filter(|seconds| *seconds < 253_402_300_800);
    seconds.ok_or_else(|| format!("--now {value:?} is not a number of seconds since 1970"))
}
