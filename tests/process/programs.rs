//! The programs that a newcomer runs: README's, unchanged, in a new crate that depends on this one
//! by path, and the examples. Each takes a signed event and refuses a changed one.

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use http::Request;
use support::{
    cargo::{cargo, example, executables},
    machine::alone,
};
use tower_webhook::{Provider, Secret, Signer, providers};

const WORKSPACE: &str = include_str!("../../Cargo.toml");
const README: &str = include_str!("../../README.md");
const HOSTS: &str = include_str!("../../src/docs/hosts.md");
const ADDRESS: &str = "127.0.0.1:3000";
/// The secret of GitHub's own example.
const SECRET: &str = "It's a Secret to Everybody";
const EVENT: &str = r#"{"action":"opened"}"#;

/// The first block that is fenced with this word under a heading of a page.
fn block<'p>(page: &'p str, heading: &str, fence: &str) -> &'p str {
    let (_, section) = page.split_once(&format!("\n{heading}\n")).unwrap();
    let (_, rest) = section.split_once(&format!("```{fence}\n")).unwrap();
    rest.split_once("```").unwrap().0
}

/// The programs all listen on one port: one at a time. `None` where somebody else has it; in CI
/// that is a failure.
fn port(test: &str) -> Option<MutexGuard<'static, ()>> {
    static PORT: Mutex<()> = Mutex::new(());
    let guard = PORT.lock().unwrap_or_else(PoisonError::into_inner);
    if TcpStream::connect(ADDRESS).is_err() {
        return Some(guard);
    }
    assert!(std::env::var_os("CI").is_none(), "{ADDRESS} is taken");
    let note = format!("SKIPPED {test}: {ADDRESS} is taken\n");
    std::io::stderr().write_all(note.as_bytes()).unwrap();
    None
}

#[test]
fn the_examples_serve_signed_events_only() {
    const STRIPE: &str = "whsec_a-secret-of-stripe";
    const ACME: &str = "a-secret-of-acme-alone";
    let Some(_port) = port("the_examples_serve_signed_events_only") else {
        return;
    };
    let charge = r#"{"id":"evt_1","type":"charge.refunded","data":{"object":{"id":"ch_1"}}}"#;
    let identification = r#"{"final":true,"scanRef":"s-1","status":{"overall":"DENIED"}}"#;
    let unknown = r#"{"sensorId":"s-1","reading":1}"#;
    // Example, variable with the secret, secret, and requests: path, provider, body, status.
    type Call<'c> = (&'c str, Provider, &'c str, &'c str);
    let github = |path, status| (path, providers::github(), EVENT, status);
    let programs: [(&str, &str, &str, Vec<Call<'_>>); 8] = [
        (
            "stripe",
            "STRIPE_WEBHOOK_SECRET",
            STRIPE,
            vec![
                ("/webhooks/stripe", providers::stripe(), charge, "200"),
                ("/webhooks/stripe/raw", providers::stripe(), charge, "200"),
            ],
        ),
        (
            "deliveries",
            "STRIPE_WEBHOOK_SECRET",
            STRIPE,
            vec![
                ("/webhooks/stripe", providers::stripe(), charge, "200"),
                ("/webhooks/stripe", providers::stripe(), charge, "200"),
            ],
        ),
        (
            "idenfy",
            "IDENFY_SIGNING_KEY",
            SECRET,
            vec![
                (
                    "/webhooks/idenfy",
                    providers::idenfy(),
                    identification,
                    "200",
                ),
                ("/webhooks/idenfy", providers::idenfy(), unknown, "200"),
            ],
        ),
        (
            "tenants",
            "NONE",
            ACME,
            vec![
                github("/hooks/acme", "200"),
                github("/hooks/nobody", "401"),
                github("/hooks/acme%20", "401"),
            ],
        ),
        (
            "actix",
            "GITHUB_WEBHOOK_SECRET",
            SECRET,
            vec![github("/webhooks/github", "200")],
        ),
        (
            "salvo",
            "GITHUB_WEBHOOK_SECRET",
            SECRET,
            vec![github("/webhooks/github", "200")],
        ),
        (
            "poem",
            "GITHUB_WEBHOOK_SECRET",
            SECRET,
            vec![github("/webhooks/github", "200")],
        ),
        (
            "tower",
            "GITHUB_WEBHOOK_SECRET",
            SECRET,
            vec![github("/", "200")],
        ),
    ];
    for (name, variable, secret, calls) in programs {
        let mut program = example(name);
        let program = program.env(variable, secret);
        let program = program.stdout(Stdio::null()).stderr(Stdio::null());
        let mut program = Running(program.spawn().unwrap());
        for (path, provider, body, status) in calls {
            let headers = signed(provider, secret, body);
            assert_eq!(post(path, &headers, body), status, "{name} {path}");
            let changed = body.replace('1', "2").replace('o', "0");
            assert_eq!(post(path, &headers, &changed), "401", "{name} {path}");
        }
        program.0.kill().unwrap();
        program.0.wait().unwrap();
    }
}

#[test]
fn the_tenants_of_the_example_are_named_by_their_rows() {
    let Some(_port) = port("the_tenants_of_the_example_are_named_by_their_rows") else {
        return;
    };
    let program = example("tenants")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let _program = Running(program.unwrap());
    let headers = signed(providers::github(), "a-secret-of-acme-alone", "{}");
    for path in ["/hooks/acme", "/hooks/ACME", "/hooks/aCmE"] {
        let answer = answer(path, &headers, "{}");
        assert!(answer.ends_with("2 bytes for acme\n"), "{path}: {answer}");
    }
}

#[test]
fn the_example_of_a_custom_scheme_ends_well() {
    let ended = example("custom_scheme").output().unwrap();
    assert!(ended.status.success());
    assert!(!ended.stdout.is_empty() || !ended.stderr.is_empty());
}

#[test]
fn the_quick_starts_compile_and_run_in_a_new_crate() {
    let _machine = alone();
    let Some(_port) = port("the_quick_starts_compile_and_run_in_a_new_crate") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    for (page, heading) in [(README, "## Quick start with axum"), (HOSTS, "# actix-web")] {
        quick_start(page, heading, folder.path());
    }
    shorter_subscriber(folder.path());
}

/// The program under this heading, as the only one of a crate in `folder`.
fn quick_start(page: &str, heading: &str, folder: &Path) {
    fs::create_dir_all(folder.join("src")).unwrap();
    fs::write(folder.join("Cargo.toml"), manifest(page, heading)).unwrap();
    // The same versions as here, so that little has to be fetched.
    fs::copy(here().join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
    let program = built(folder, block(page, heading, "rust,no_run"));
    let program = started(&program).spawn().unwrap();
    let program = Running(program);

    // Once it listens; what README shows comes from a program that has verified nothing else.
    assert_eq!(post("/webhooks/github", "", EVENT), "401", "{heading}");
    // README's own request, and what README says of the refused one.
    let (_, curl) = block(README, "## Quick start with axum", "sh")
        .split_once("\ncurl ")
        .unwrap();
    for (change, status) in [("World", "200"), ("world", "401")] {
        let command = format!("curl -s {}", curl.replace("World", change));
        let ended = Command::new("sh").args(["-c", &command]).output().unwrap();
        let answer = String::from_utf8(ended.stdout).unwrap();
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}")),
            "{command}: {answer}"
        );
    }
    let headers = signed(providers::github(), SECRET, EVENT);
    for (headers, body, status) in [
        (&*headers, EVENT, "200"),
        (&*headers, &*EVENT.replace("opened", "closed"), "401"),
    ] {
        assert_eq!(post("/webhooks/github", headers, body), status, "{heading}");
    }

    let printed = printed(program);
    assert!(
        printed.contains("Some(\"ping\"): 13 bytes"),
        "{heading}: {printed}"
    );
    let line = block(README, "## Quick start with axum", "text");
    assert!(printed.contains(line.trim()), "{heading}: {printed}");
}

/// README's program with `fmt::init()`, which reads `RUST_LOG`: in a crate without the feature
/// `env-filter`, the default is INFO.
fn shorter_subscriber(folder: &Path) {
    let source = block(README, "## Quick start with axum", "rust,no_run");
    let shorter = source.replace(
        "tracing_subscriber::fmt().init()",
        "tracing_subscriber::fmt::init()",
    );
    assert_ne!(source, shorter);
    fs::write(
        folder.join("Cargo.toml"),
        manifest(README, "## Quick start with axum"),
    )
    .unwrap();
    let path = built(folder, &shorter);
    for (rust_log, lines) in [(None, 1), (Some("warn"), 1), (Some("off"), 0)] {
        let mut program = started(&path);
        if let Some(level) = rust_log {
            program.env("RUST_LOG", level);
        }
        let program = Running(program.spawn().unwrap());
        let headers = signed(providers::github(), SECRET, EVENT);
        let changed = EVENT.replace("opened", "closed");
        assert_eq!(post("/webhooks/github", &headers, &changed), "401");
        let printed = printed(program);
        let refused = printed.matches("webhook refused: ").count();
        assert_eq!(refused, lines, "{rust_log:?}: {printed}");
        assert_eq!(
            printed.matches(" WARN ").count(),
            lines,
            "{rust_log:?}: {printed}"
        );
        assert_eq!(printed.is_empty(), lines == 0, "{rust_log:?}: {printed}");
    }
}

/// The workspace.
fn here() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// The manifest of a crate with the dependencies under this heading.
fn manifest(page: &str, heading: &str) -> String {
    let dependencies = block(page, heading, "toml").replace(
        "version = \"0.1\", features",
        &format!("path = {:?}, features", here()),
    );
    assert!(dependencies.contains("path = "), "{dependencies}");
    // With the profile of the workspace, what has the same features is not built again.
    let profile = WORKSPACE
        .split("\n[")
        .filter(|table| table.starts_with("profile."));
    let profile: String = profile.map(|table| format!("\n[{table}")).collect();
    assert!(!profile.is_empty());
    format!("[package]\nname = \"quick-start\"\nedition = \"2024\"\n{dependencies}{profile}")
}

/// The program of this crate with this source.
fn built(folder: &Path, source: &str) -> PathBuf {
    fs::write(folder.join("src/main.rs"), source).unwrap();
    // Its features may need crates that the workspace does not have. Without a network, the build
    // says so.
    let mut fetch = Command::new(env!("CARGO"));
    drop(
        fetch
            .args(["fetch", "--quiet"])
            .current_dir(folder)
            .output(),
    );
    let mut build = cargo("build");
    build.current_dir(folder);
    executables(&mut build).remove("quick-start").unwrap()
}

fn started(program: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .env("GITHUB_WEBHOOK_SECRET", SECRET)
        .env("NO_COLOR", "1")
        .env_remove("RUST_LOG")
        .stdout(Stdio::piped());
    command
}

/// What a program has printed, which is ended.
fn printed(mut program: Running) -> String {
    let mut printed = String::new();
    program.0.kill().unwrap();
    let mut stdout = program.0.stdout.take().unwrap();
    stdout.read_to_string(&mut printed).unwrap();
    printed
}

fn signed(provider: Provider, secret: &str, body: &str) -> String {
    let signer = Signer::new(provider, Secret::new(secret)).unwrap();
    let request = signer.sign(Request::post("/"), body).unwrap();
    let headers = request.headers().iter();
    headers
        .map(|(name, value)| format!("{name}: {}\r\n", value.to_str().unwrap()))
        .collect()
}

/// The status of the answer.
fn post(path: &str, headers: &str, body: &str) -> String {
    let answer = answer(path, headers, body);
    answer.split(' ').nth(1).unwrap().to_owned()
}

/// The answer, once the program listens.
fn answer(path: &str, headers: &str, body: &str) -> String {
    let deadline = Instant::now() + Duration::from_secs(30);
    let mut stream = loop {
        match TcpStream::connect(ADDRESS) {
            Ok(stream) => break stream,
            Err(error) => assert!(Instant::now() < deadline, "{error}"),
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    let length = body.len();
    write!(
        stream,
        "POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// A child that does not outlive its test.
pub(super) struct Running(pub(super) Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
