//! The vendors' own libraries, behind one process for each language: `clients.mjs` and `clients.py`
//! of `tests/clients`.

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
    /// Starts the one for npm's libraries, installing these before if need be. `None` where that
    /// cannot be done; then the test is skipped, except in CI.
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
            // Some libraries read settings from the environment, such as one that switches a check
            // off.
            .env_clear()
            .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
            .env("PYTHONPATH", directory.join(PYTHON.packages))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // The scripts drop what the libraries print; this is for what is printed behind their
            // backs.
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("{} ({error})", language.remedy))?;
        Ok(Self {
            questions: child.stdin.take(),
            answers: BufReader::new(child.stdout.take().unwrap()),
            child,
        })
    }

    /// Loads the library of a client. The error says why it cannot be.
    pub fn load(&mut self, client: &str) -> Result<(), String> {
        let answer = self.ask(&json!({ "client": client, "action": "load" }));
        match answer.get("error") {
            Some(problem) => Err(problem.to_string()),
            None => Ok(()),
        }
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
        let made = self.sign_request(&json!({
            "client": client,
            "secret": secret,
            "id": id,
            "timestamp": timestamp,
            "body": body,
        }));
        let made = made.unwrap_or_else(|problem| panic!("{client}: {problem}"));
        made["signature"].as_str().unwrap().to_owned()
    }

    /// The same for a request with whatever the client needs: the signature, and what else the
    /// library made, by name. The error is where it has failed otherwise.
    pub fn sign_request(&mut self, request: &Value) -> Result<Value, String> {
        let mut question = request.clone();
        question["action"] = json!("sign");
        let answer = self.ask(&question);
        match answer.get("signature") {
            Some(_) => Ok(answer),
            None => Err(answer.to_string()),
        }
    }

    /// What the client says to a request with these headers.
    pub fn verify(&mut self, client: &str, secret: &str, headers: &Value, body: &str) -> Verdict {
        let request = json!({
            "client": client,
            "secret": secret,
            "headers": headers,
            "body": body,
        });
        match self.verify_request(&request) {
            Ok((verdict, _)) => verdict,
            Err(problem) => panic!("{client}: {problem}"),
        }
    }

    /// The same for a request with whatever the client needs, and how much the library printed. The
    /// error is where it has failed otherwise.
    pub fn verify_request(&mut self, request: &Value) -> Result<(Verdict, u64), String> {
        let mut question = request.clone();
        question["action"] = json!("verify");
        let answer = self.ask(&question);
        let printed = answer.get("printed").and_then(Value::as_u64).unwrap_or(0);
        // The text of a library's error may be the signature that it expects.
        let why = answer
            .get("why")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let is_name = why.bytes().all(|byte| byte.is_ascii_alphabetic());
        assert!(is_name, "{}: more than a name", request["client"]);
        match answer.get("verdict").and_then(Value::as_str) {
            Some("ok") => Ok((Verdict::Ok, printed)),
            Some("refused") => Ok((Verdict::Refused, printed)),
            _ => Err(answer.to_string()),
        }
    }

    /// What the library of a vendor answers to a handshake: `status`, `headers` and `body`.
    pub fn answer(&mut self, request: &Value) -> Result<Value, String> {
        let mut question = request.clone();
        question["action"] = json!("answer");
        let answer = self.ask(&question);
        match answer.get("answer") {
            Some(answer) => Ok(answer.clone()),
            None => Err(answer.to_string()),
        }
    }

    fn ask(&mut self, question: &Value) -> Value {
        writeln!(self.questions.as_mut().unwrap(), "{question}").unwrap();
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        // The line is not shown: if a library has printed it, it may be a signature.
        serde_json::from_str(&line)
            .unwrap_or_else(|error| panic!("{}: no answer ({error})", question["client"]))
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
    /// The libraries and all that they import, with versions and hashes.
    lock: &'static str,
    /// Where they are installed.
    packages: &'static str,
    install: &'static [&'static str],
}

const NODE: Language = Language {
    program: "node",
    script: "clients.mjs",
    remedy: "node; install Node.js 20 or newer",
    lock: "package-lock.json",
    packages: "node_modules",
    install: &[
        "npm",
        "ci",
        "--no-audit",
        "--no-fund",
        "--ignore-scripts",
        "--omit=optional",
        "--legacy-peer-deps",
        "--fetch-retries=1",
        "--fetch-retry-mintimeout=2000",
        "--loglevel=warn",
    ],
};

const PYTHON: Language = Language {
    program: "python3",
    script: "clients.py",
    remedy: "python3; install Python 3.11 or newer, with pip",
    lock: "requirements.txt",
    packages: "site-packages",
    install: &[
        "python3",
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--root-user-action=ignore",
        "--require-hashes",
        "--no-deps",
        "--only-binary=:all:",
        "--no-compile",
        "--upgrade",
        "--target=site-packages",
        "--requirement=requirements.txt",
    ],
};

impl Language {
    /// Installs what is locked, unless that is there. One process does so; others wait for it.
    fn install(&self, directory: &Path) -> Result<(), String> {
        let lock = directory.join(self.lock);
        let wanted = fs::read_to_string(&lock).unwrap();
        let lock = File::open(&lock).unwrap();
        lock.lock().unwrap();

        // Written last, so that an installation that broke off is done again.
        let packages = directory.join(self.packages);
        let installed = packages.join(".installed");
        if fs::read_to_string(&installed).is_ok_and(|text| text == wanted) {
            return Ok(());
        }
        // Once more, since a registry may fail to answer. The text of the error names the package.
        self.try_install(directory, &packages)
            .or_else(|_| self.try_install(directory, &packages))?;
        fs::write(installed, wanted).unwrap();
        Ok(())
    }

    fn try_install(&self, directory: &Path, packages: &Path) -> Result<(), String> {
        // What another version has left would be found as well.
        let _ = fs::remove_dir_all(packages);
        let (program, args) = self.install.split_first().unwrap();
        let output = Command::new(program)
            .args(args)
            .current_dir(directory)
            .output()
            .map_err(|error| format!("{} ({error})", self.remedy))?;
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        // What names the package; a package that is only old is none of our business.
        let said: Vec<&str> = said
            .lines()
            .filter(|line| !line.contains(" deprecated "))
            .collect();
        Err(format!(
            "the libraries of {}: {}",
            self.lock,
            said.join("\n")
        ))
    }
}
