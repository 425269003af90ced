//! The providers' own libraries, behind one process for each language: `clients.mjs` and `clients.py` of `tests/clients`.

use std::{
    fs::{self, File},
    io::{self, BufRead, BufReader, Write},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use serde_json::{Value, json};

/// A process that answers one question at a time. It ends when its stdin closes, with this value.
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
    /// Starts the one for npm's libraries, installing these before if need be. `None` where that cannot be done; then the
    /// test is skipped, except in CI.
    pub fn start() -> Option<Self> {
        Self::start_in(&NODE)
    }

    /// The same for Python's.
    pub fn start_python() -> Option<Self> {
        Self::start_in(&PYTHON)
    }

    fn start_in(language: &Language) -> Option<Self> {
        match Self::try_start(language) {
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

    fn try_start(language: &Language) -> Result<Self, String> {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients");
        language.install(&directory)?;
        let mut child = Command::new(language.program)
            .arg(language.script)
            .current_dir(&directory)
            .env("PYTHONPATH", directory.join(PYTHON.packages))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{} ({error})", language.remedy))?;
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
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error} in {line:?}"))
    }
}

impl Drop for Clients {
    fn drop(&mut self) {
        drop(self.questions.take());
        let _ = self.child.wait();
    }
}

/// A language, and how its libraries are installed.
struct Language {
    /// What runs the script.
    program: &'static str,
    script: &'static str,
    remedy: &'static str,
    /// The libraries, with their versions.
    manifest: &'static str,
    /// Where they are installed.
    packages: &'static str,
    install: &'static [&'static str],
}

const NODE: Language = Language {
    program: "node",
    script: "clients.mjs",
    remedy: "node; install Node.js 20 or newer",
    manifest: "package.json",
    packages: "node_modules",
    install: &[
        "npm",
        "install",
        "--no-package-lock",
        "--no-audit",
        "--no-fund",
        "--ignore-scripts",
        "--loglevel",
        "error",
    ],
};

const PYTHON: Language = Language {
    program: "python3",
    script: "clients.py",
    remedy: "python3; install Python 3.11 or newer, with pip",
    manifest: "requirements.txt",
    packages: "site-packages",
    install: &[
        "python3",
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--root-user-action=ignore",
        "--no-deps",
        "--only-binary=:all:",
        "--upgrade",
        "--target=site-packages",
        "--requirement=requirements.txt",
    ],
};

impl Language {
    /// Installs what the manifest asks for, unless that is there. One process does so; others wait for it.
    fn install(&self, directory: &Path) -> Result<(), String> {
        let manifest = directory.join(self.manifest);
        let wanted = fs::read_to_string(&manifest).unwrap();
        let lock = File::open(&manifest).unwrap();
        lock.lock().unwrap();

        // Written last, so that an installation that broke off is done again.
        let installed = directory.join(self.packages).join(".installed");
        if fs::read_to_string(&installed).is_ok_and(|text| text == wanted) {
            return Ok(());
        }
        let (program, args) = self.install.split_first().unwrap();
        let output = Command::new(program)
            .args(args)
            .current_dir(directory)
            .output()
            .map_err(|error| format!("{} ({error})", self.remedy))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(format!("the libraries of {}: {said}", self.manifest));
        }
        fs::write(installed, wanted).unwrap();
        Ok(())
    }
}
