//! README's axum program, unchanged, in a new crate that depends on this one by path: it compiles, runs, and takes a
//! signed event.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests"
)]
#![cfg(all(feature = "axum", feature = "config"))]

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use http::Request;
use tower_webhook::{Secret, Signer, providers};

const README: &str = include_str!("../README.md");
const ADDRESS: &str = "127.0.0.1:3000";
const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

/// The first block of README that is fenced with this word.
fn block(fence: &str) -> &'static str {
    let (_, rest) = README.split_once(&format!("```{fence}\n")).unwrap();
    rest.split_once("```").unwrap().0
}

#[test]
fn the_quick_start_compiles_and_runs_in_a_new_crate() {
    if TcpStream::connect(ADDRESS).is_ok() {
        assert!(std::env::var_os("CI").is_none(), "{ADDRESS} is taken");
        let note = format!(
            "SKIPPED the_quick_start_compiles_and_runs_in_a_new_crate: {ADDRESS} is taken\n"
        );
        std::io::stderr().write_all(note.as_bytes()).unwrap();
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let dependencies = block("toml").replace(
        "version = \"0.1\", features",
        &format!("path = {here:?}, features"),
    );
    assert!(dependencies.contains("path = "), "{dependencies}");
    let manifest = format!("[package]\nname = \"quick-start\"\nedition = \"2024\"\n{dependencies}");
    fs::write(folder.path().join("Cargo.toml"), manifest).unwrap();
    fs::create_dir(folder.path().join("src")).unwrap();
    fs::write(folder.path().join("src/main.rs"), block("rust,no_run")).unwrap();
    // The same versions as here, so that nothing new has to be fetched.
    fs::copy(here.join("Cargo.lock"), folder.path().join("Cargo.lock")).unwrap();

    let target = folder.path().join("target");
    let built = Command::new(env!("CARGO"))
        .args(["build", "--quiet"])
        .current_dir(folder.path())
        .env("CARGO_TARGET_DIR", &target)
        .env_remove("RUSTFLAGS")
        .status()
        .unwrap();
    assert!(built.success());
    let program = Command::new(target.join("debug/quick-start"))
        .env("VOVE_SECRET", SECRET)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut program = Running(program);

    let body = r#"{"status":"successful","refId":"customer-7"}"#;
    assert_eq!(post(&signed(body), body), "200");
    assert_eq!(post(&signed(body), &body.replace('7', "8")), "401");
    assert_eq!(post("", body), "401");

    let mut printed = String::new();
    program.0.kill().unwrap();
    let mut stdout = program.0.stdout.take().unwrap();
    stdout.read_to_string(&mut printed).unwrap();
    assert!(printed.contains("Successful"), "{printed}");
}

fn signed(body: &str) -> String {
    let signer = Signer::new(providers::voveid(), Secret::new(SECRET)).unwrap();
    let request = signer.sign(Request::post("/webhooks/kyc"), body).unwrap();
    let headers = request.headers().iter();
    headers
        .map(|(name, value)| format!("{name}: {}\r\n", value.to_str().unwrap()))
        .collect()
}

/// The status of the answer, once the program listens.
fn post(headers: &str, body: &str) -> String {
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
        "POST /webhooks/kyc HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.split(' ').nth(1).unwrap().to_owned()
}

/// A child that does not outlive its test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
