//! The providers' own npm libraries, behind one node process: `tests/clients/clients.mjs`.

use std::{
    fs::{self, File},
    io::{self, BufRead, BufReader, Write},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use serde_json::{Value, json};

/// A node process that answers one question at a time. It ends when its stdin closes, with this value.
pub struct Clients {
    child: Child,
    questions: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Ok,
    Refused,
}

impl Clients {
    /// Starts it, installing the libraries before if need be. `None` where that cannot be done; then the test is
    /// skipped, except in CI.
    pub fn start() -> Option<Self> {
        match Self::try_start() {
            Ok(clients) => Some(clients),
            Err(problem) if std::env::var_os("CI").is_some() => panic!("{problem}"),
            Err(problem) => {
                // Not `eprintln`: the test harness would keep it to itself.
                let name = std::thread::current().name().unwrap_or_default().to_owned();
                let line = format!("SKIPPED {name}: needs {problem}\n");
                io::stderr().write_all(line.as_bytes()).unwrap();
                None
            }
        }
    }

    fn try_start() -> Result<Self, String> {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients");
        install(&directory)?;
        let mut child = Command::new("node")
            .arg("clients.mjs")
            .current_dir(&directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("node; install Node.js 20 or newer ({error})"))?;
        Ok(Self {
            questions: child.stdin.take(),
            answers: BufReader::new(child.stdout.take().unwrap()),
            child,
        })
    }

    /// The signature header's value. A client that has no use for an id or a time ignores it.
    pub fn sign(
        &mut self,
        client: &str,
        secret: &str,
        id: &str,
        timestamp: i64,
        body: &str,
    ) -> String {
        let answer = self.ask(&json!({
            "client": client,
            "action": "sign",
            "secret": secret,
            "id": id,
            "timestamp": timestamp,
            "body": body,
        }));
        let signature = answer.get("signature").and_then(Value::as_str);
        signature.unwrap_or_else(|| panic!("{answer}")).to_owned()
    }

    /// What the client says to a request with these headers.
    pub fn verify(&mut self, client: &str, secret: &str, headers: &Value, body: &str) -> Verdict {
        let answer = self.ask(&json!({
            "client": client,
            "action": "verify",
            "secret": secret,
            "headers": headers,
            "body": body,
        }));
        match answer.get("verdict").and_then(Value::as_str) {
            Some("ok") => Verdict::Ok,
            Some("refused") => Verdict::Refused,
            _ => panic!("{client}: {answer}"),
        }
    }

    fn ask(&mut self, question: &Value) -> Value {
        writeln!(self.questions.as_mut().unwrap(), "{question}").unwrap();
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("node: {error} in {line:?}"))
    }
}

impl Drop for Clients {
    fn drop(&mut self) {
        drop(self.questions.take());
        let _ = self.child.wait();
    }
}

/// Installs what `package.json` asks for, unless that is there. One process does so; others wait for it.
fn install(directory: &Path) -> Result<(), String> {
    let manifest = directory.join("package.json");
    let wanted = fs::read_to_string(&manifest).unwrap();
    let lock = File::open(&manifest).unwrap();
    lock.lock().unwrap();

    // Written last, so that an installation that broke off is done again.
    let installed = directory.join("node_modules/.installed.json");
    if fs::read_to_string(&installed).is_ok_and(|text| text == wanted) {
        return Ok(());
    }
    let output = Command::new("npm")
        .args(["install", "--no-package-lock", "--no-audit", "--no-fund"])
        .args(["--ignore-scripts", "--loglevel", "error"])
        .current_dir(directory)
        .output()
        .map_err(|error| format!("npm; install Node.js 20 or newer ({error})"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("the libraries from the npm registry: {said}"));
    }
    fs::write(installed, wanted).unwrap();
    Ok(())
}
