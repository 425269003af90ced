//! The program `tower-webhook` as a process: what it prints, how it ends, and what it listens for.

mod codes;
mod endpoints;
mod explained;
mod forward;
mod help;
mod listen;
mod output;
mod sdk;
mod secrets;
mod sending;
#[cfg(target_os = "linux")]
mod tls;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;
use support::{
    cargo,
    program::{Ended, Process},
};
use tempfile::TempDir;

/// The secret in the variable `SECRET`. No output holds it.
const SECRET: &str = "a-marked-secret-of-some-length";
/// The secret in the variable `SVIX_SECRET`.
const SVIX_SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
/// The secret in the variable `OTHER_SECRET`, and in `.env`.
const OTHER_SECRET: &str = "another-marked-secret-of-length";
const EVENT: &str = "{\"action\":\"opened\",\"number\":17}";
/// When the captured requests came.
const RECEIVED: &str = "1795860000";

const CONFIG: &str = r#"
[endpoints.code]
provider = "github"
secret = { env = "SECRET" }

[endpoints.payments]
provider = "stripe"
secret = { env = "SECRET", id = "2026-11" }
"#;

/// A directory with the files that the examples of the help name.
struct Desk(TempDir);

impl Desk {
    fn new() -> Self {
        let desk = Self(TempDir::new().unwrap());
        desk.write("event.json", EVENT);
        desk.write("webhooks.toml", CONFIG);
        desk.write(".env", &format!("NEXT={OTHER_SECRET}\n"));
        let sign = |provider: &str| {
            let args = [
                "sign",
                provider,
                "--secret-env",
                "SECRET",
                "--now",
                RECEIVED,
            ];
            desk.run([&args[..], &["event.json", "--http"]].concat())
                .stdout
        };
        desk.write("captured.http", &sign("github"));
        desk.write("stripe.http", &sign("stripe"));
        desk
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path().join(name)).unwrap()
    }

    /// Without the variables of whoever runs the test, which may ask for colours.
    fn command<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> Command {
        let mut command = Command::new(cargo::program("tower-webhook"));
        command
            .args(args)
            .current_dir(self.path())
            .env_clear()
            .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
            .env("SECRET", SECRET)
            .env("SVIX_SECRET", SVIX_SECRET)
            .env("OTHER_SECRET", OTHER_SECRET);
        command
    }

    fn run<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> Ended {
        Process::spawn(&mut self.command(args)).end()
    }

    fn run_with<'a>(&self, args: impl IntoIterator<Item = &'a str>, stdin: &str) -> Ended {
        Process::spawn_with(&mut self.command(args), stdin.as_bytes()).end()
    }

    /// The result of a command that prints one object.
    fn json<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> Value {
        let ended = self.run(args.into_iter().chain(["--format", "json"]));
        serde_json::from_str(&ended.stdout).unwrap_or_else(|error| panic!("{error}: {ended:?}"))
    }

    /// Starts `listen` on a free port.
    fn listen<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> Listening {
        let args = ["listen", "127.0.0.1:0"].into_iter().chain(args);
        let process = Process::spawn(&mut self.command(args));
        let ready = process.stderr.line("listening on http://");
        let Some(ready) = ready else {
            panic!("it does not listen: {:?}", process.end());
        };
        let rest = ready.trim_start_matches("listening on http://");
        let (address, _) = rest.split_once(' ').unwrap();
        Listening {
            address: address.to_owned(),
            process,
        }
    }
}

/// A running `listen`.
struct Listening {
    process: Process,
    address: String,
}

impl Listening {
    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The first line of this kind about a request, printed as JSON.
    fn event(&self, kind: &str, number: u64) -> Value {
        let is_it = |line: &str| {
            let line: Value = serde_json::from_str(line).unwrap();
            line["event"] == kind && line["number"] == number
        };
        let line = self.process.stdout.find(is_it);
        let line =
            line.unwrap_or_else(|| panic!("no {kind} {number}: {}", self.process.stdout.text()));
        serde_json::from_str(&line).unwrap()
    }

    fn stop(self) -> Ended {
        self.process.signal("TERM");
        self.process.end()
    }
}
