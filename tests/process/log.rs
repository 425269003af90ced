//! What a service prints about refusals with the usual subscribers, and what it does not.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::Stdio,
};

use support::cargo::example;

use super::programs::Running;

const FORGED: &str = "x-hub-signature-256: sha256=\
                      757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17\r\n";
const HIDDEN: &str = "further refusals will not be shown";

/// The log of a service with this subscriber and this `RUST_LOG`: each endpoint has a request of a
/// scanner, and three with a wrong signature.
fn log(subscriber: &str, rust_log: Option<&str>) -> Vec<String> {
    let mut command = example("default_log");
    let command = command.arg(subscriber).env("NO_COLOR", "1");
    match rust_log {
        Some(value) => command.env("RUST_LOG", value),
        None => command.env_remove("RUST_LOG"),
    };
    let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut service = Running(command.spawn().unwrap());
    let mut address = String::new();
    let mut stderr = BufReader::new(service.0.stderr.take().unwrap());
    stderr.read_line(&mut address).unwrap();
    for endpoint in ["code", "docs"] {
        for headers in ["", FORGED, FORGED, FORGED] {
            let answer = post(address.trim(), endpoint, headers);
            assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
        }
    }
    service.0.kill().unwrap();
    let mut printed = String::new();
    let mut stdout = service.0.stdout.take().unwrap();
    stdout.read_to_string(&mut printed).unwrap();
    printed.lines().map(str::to_owned).collect()
}

fn post(address: &str, endpoint: &str, headers: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    let request = format!(
        "POST /{endpoint} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{headers}\
         content-length: 13\r\n\r\nHello, world!"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// The level of each line and the endpoint that it is about.
fn levels(lines: &[String]) -> Vec<String> {
    let level = |line: &String| {
        let (_, rest) = line.split_once(' ').unwrap();
        let level = rest.split_whitespace().next().unwrap().to_owned();
        let endpoint = ["code", "docs"]
            .into_iter()
            .find(|name| line.contains(&format!("endpoint=\"{name}\"")));
        format!("{level} {}", endpoint.unwrap())
    };
    lines.iter().map(level).collect()
}

/// With the feature `env-filter`, the default level is ERROR, and a wrong signature is a WARN.
#[test]
fn a_log_that_hides_refusals_says_so_once_for_each_endpoint() {
    for subscriber in ["env-filter", "default"] {
        let lines = log(subscriber, None);
        assert_eq!(levels(&lines), ["ERROR code", "ERROR docs"], "{lines:#?}");
        for line in &lines {
            assert!(line.contains(HIDDEN), "{line}");
            assert!(line.contains("set RUST_LOG=info"), "{line}");
            assert!(
                line.contains("the signature matches no key of this endpoint"),
                "{line}"
            );
        }
        // Nothing tells a filter that was chosen from the default one.
        let lines = log(subscriber, Some("error"));
        assert_eq!(levels(&lines), ["ERROR code", "ERROR docs"], "{lines:#?}");
    }
}

#[test]
fn a_log_that_shows_refusals_does_not_say_that_it_hides_them() {
    const WARN: [&str; 6] = [
        "WARN code",
        "WARN code",
        "WARN code",
        "WARN docs",
        "WARN docs",
        "WARN docs",
    ];
    const INFO: [&str; 8] = [
        "INFO code",
        "WARN code",
        "WARN code",
        "WARN code",
        "INFO docs",
        "WARN docs",
        "WARN docs",
        "WARN docs",
    ];
    for (subscriber, rust_log, expected) in [
        ("env-filter", "warn", &WARN[..]),
        ("env-filter", "error,tower_webhook=warn", &WARN),
        ("env-filter", "info", &INFO),
        ("default", "info", &INFO),
    ] {
        let lines = log(subscriber, Some(rust_log));
        let place = format!("{subscriber}, {rust_log}: {lines:#?}");
        assert_eq!(levels(&lines), expected, "{place}");
        assert!(!lines.concat().contains(HIDDEN), "{place}");
    }
    // This one does not read the variable.
    for rust_log in [None, Some("off")] {
        let lines = log("builder", rust_log);
        assert_eq!(levels(&lines), INFO, "{lines:#?}");
        assert!(!lines.concat().contains(HIDDEN), "{lines:#?}");
    }
}

#[test]
fn a_log_that_is_off_or_has_no_subscriber_is_empty() {
    for (subscriber, rust_log) in [
        ("env-filter", Some("off")),
        ("default", Some("off")),
        ("env-filter", Some("info,tower_webhook=off")),
        ("none", None),
        ("none", Some("info")),
    ] {
        let lines = log(subscriber, rust_log);
        assert!(lines.is_empty(), "{subscriber}, {rust_log:?}: {lines:#?}");
    }
}
