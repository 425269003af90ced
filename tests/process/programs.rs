//! The programs that a newcomer runs: README's, unchanged, in a new crate that depends on this one by path, and the
//! examples. Each takes a signed event and refuses a changed one.

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    path::Path,
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

const README: &str = include_str!("../../README.md");
const ADDRESS: &str = "127.0.0.1:3000";
const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

/// The first block that is fenced with this word in a section of README.
fn block(section: &str, fence: &str) -> &'static str {
    let (_, section) = README.split_once(&format!("\n## {section}\n")).unwrap();
    let (_, rest) = section.split_once(&format!("```{fence}\n")).unwrap();
    rest.split_once("```").unwrap().0
}

/// The programs all listen on one port: one at a time. `None` where somebody else has it; in CI that is a failure.
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
    const DEMO: &str = "tower-webhook-demo-secret";
    const GITHUB: &str = "It's a Secret to Everybody";
    const ACME: &str = "a-secret-of-acme-alone";
    const SVIX: &str = "whsec_dG93ZXItd2ViaG9vay1kZW1vLWtleS0x";
    let Some(_port) = port("the_examples_serve_signed_events_only") else {
        return;
    };
    let kyc = r#"{"status":"successful","refId":"customer-7"}"#;
    let authento = r#"{"event":"REVIEWED","userId":"u-1","status":{"basic":"VERIFIED"}}"#;
    let idenfy = r#"{"final":true,"scanRef":"s-1","status":{"overall":"DENIED"}}"#;
    let authenteq = "--b\r\nContent-Disposition: form-data; name=result\r\n\r\n\
        {\"id\":\"s-1\",\"status\":\"PASSED\",\"documentData\":{\"documentType\":\"PP\"}}\r\n--b--";
    let client = providers::authenteq().with_param("client_id", "demo-client");
    type Call<'c> = (&'c str, Provider, &'c str, &'c str, &'c str);
    let push = r#"{"action":"opened"}"#;
    let programs: [(&str, Vec<Call<'_>>); 7] = [
        (
            "axum",
            vec![("/webhooks/kyc", providers::voveid(), SVIX, kyc, "204")],
        ),
        (
            "actix",
            vec![("/webhooks/kyc", providers::voveid(), SVIX, kyc, "204")],
        ),
        (
            "salvo",
            vec![("/webhooks/code", providers::github(), GITHUB, push, "200")],
        ),
        (
            "poem",
            vec![("/webhooks/code", providers::github(), GITHUB, push, "200")],
        ),
        (
            "tenants",
            vec![
                ("/hooks/acme", providers::github(), ACME, push, "200"),
                ("/hooks/nobody", providers::github(), ACME, push, "401"),
                ("/hooks/acme%20", providers::github(), ACME, push, "401"),
            ],
        ),
        (
            "tower",
            vec![(
                "/",
                providers::github(),
                DEMO,
                r#"{"action":"opened"}"#,
                "200",
            )],
        ),
        (
            "identity",
            vec![
                ("/webhooks/voveid", providers::voveid(), SVIX, kyc, "200"),
                (
                    "/webhooks/authento",
                    providers::authento(),
                    DEMO,
                    authento,
                    "200",
                ),
                ("/webhooks/idenfy", providers::idenfy(), DEMO, idenfy, "200"),
                ("/webhooks/authenteq", client, DEMO, authenteq, "200"),
            ],
        ),
    ];
    for (name, calls) in programs {
        let mut program = Running(example(name).stderr(Stdio::null()).spawn().unwrap());
        for (path, provider, secret, body, status) in calls {
            let headers = signed(provider, secret, body);
            assert_eq!(post(path, &headers, body), status, "{name} {path}");
            assert_eq!(
                post(path, &headers, &body.replace('1', "2").replace('o', "0")),
                "401",
                "{name}"
            );
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
    let program = example("tenants").stderr(Stdio::null()).spawn();
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
    for section in ["Quick start with axum", "The same with actix-web"] {
        quick_start(section, folder.path());
    }
}

/// README's program of this section, as the only one of a crate in `folder`.
fn quick_start(section: &str, folder: &Path) {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let dependencies = block(section, "toml").replace(
        "version = \"0.1\", features",
        &format!("path = {here:?}, features"),
    );
    assert!(dependencies.contains("path = "), "{dependencies}");
    let manifest = format!("[package]\nname = \"quick-start\"\nedition = \"2024\"\n{dependencies}");
    fs::create_dir_all(folder.join("src")).unwrap();
    fs::write(folder.join("Cargo.toml"), manifest).unwrap();
    fs::write(folder.join("src/main.rs"), block(section, "rust,no_run")).unwrap();
    // The same versions as here, so that nothing new has to be fetched.
    fs::copy(here.join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();

    let mut build = cargo("build");
    build
        .current_dir(folder)
        // As in the workspace's profile: what has the same features is not built again.
        .env("CARGO_PROFILE_DEV_DEBUG", "line-tables-only");
    let programs = executables(&mut build);
    let program = Command::new(&programs["quick-start"])
        .env("VOVE_SECRET", SECRET)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut program = Running(program);

    let body = r#"{"status":"successful","refId":"customer-7"}"#;
    let headers = signed(providers::voveid(), SECRET, body);
    for (headers, body, status) in [
        (&*headers, body, "200"),
        (&*headers, &*body.replace('7', "8"), "401"),
        ("", body, "401"),
    ] {
        assert_eq!(post("/webhooks/kyc", headers, body), status, "{section}");
    }

    let mut printed = String::new();
    program.0.kill().unwrap();
    let mut stdout = program.0.stdout.take().unwrap();
    stdout.read_to_string(&mut printed).unwrap();
    assert!(printed.contains("Successful"), "{section}: {printed}");
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
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
