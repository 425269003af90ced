//! `listen`: answers first, shows and explains afterwards, saves, and stops.

use std::{
    fs,
    io::{BufRead, BufReader, PipeWriter, Read, Write},
    net::TcpStream,
    process::{Child, ChildStderr, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use support::{machine::alone, program::Process};

use super::{Desk, EVENT, Listening, RECEIVED};

/// Sends these bytes, and returns the answer up to its end.
pub(super) fn exchange(listening: &Listening, request: &str) -> String {
    let mut stream = TcpStream::connect(&listening.address).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

pub(super) fn post(path: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nhost: h\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
    )
}

const FORGED: &str = "x-hub-signature-256: sha256=0000000000000000000000000000000000000000000000000000000000000000\r\n";

/// The explanation of a request takes its budget, and nobody who sends one waits for it.
#[test]
fn the_answer_does_not_wait_for_the_explanation() {
    let _alone = alone();
    let desk = Desk::new();
    let listening = desk.listen([
        "--config",
        "webhooks.toml",
        "--budget",
        "4s",
        "--format",
        "json",
    ]);
    // So many readings that the budget is used up.
    let body = format!("{{{}\"a\":1}}", "\"key\": \"value é\", ".repeat(4000));
    let begun = Instant::now();
    for number in 1..=3 {
        let answer = exchange(&listening, &post("/code", FORGED, &body));
        assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
        assert_eq!(
            listening.event("request", number)["kind"],
            "signature_mismatch"
        );
    }
    let answered = begun.elapsed();
    let why = listening.event("explanation", 1);
    assert!(answered < Duration::from_secs(2), "{answered:?}");
    assert!(
        why["tried"]["milliseconds"].as_u64().unwrap() > 1000,
        "{why}"
    );
    // One at a time.
    let second = listening.event("explanation", 2);
    let both = why["tried"]["milliseconds"].as_u64().unwrap()
        + second["tried"]["milliseconds"].as_u64().unwrap();
    assert!(begun.elapsed() >= Duration::from_millis(both), "{both}");
}

/// The program with its output in a pipe, what it writes to standard error after the line with its
/// address, and a connection to it.
fn printing_to(desk: &Desk, pipe: PipeWriter) -> (Child, BufReader<ChildStderr>, TcpStream) {
    let mut command = desk.command(["listen", "127.0.0.1:0", "--config", "webhooks.toml"]);
    command.stdout(pipe).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // It holds the other end of the pipe.
    drop(command);
    let mut notes = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("listening on http://") {
        line.clear();
        assert!(
            notes.read_line(&mut line).unwrap() > 0,
            "it does not listen"
        );
    }
    let (_, rest) = line.split_once("http://").unwrap();
    let (address, _) = rest.split_once(' ').unwrap();
    let stream = TcpStream::connect(address).unwrap();
    (child, notes, stream)
}

/// Nobody reads standard output until the end. Every request is answered, and shown or counted.
#[test]
fn what_is_not_shown_is_counted() {
    const REQUESTS: usize = 4000;
    let _alone = alone();
    let desk = Desk::new();
    let (mut reader, writer) = std::io::pipe().unwrap();
    let (mut child, mut notes, mut stream) = printing_to(&desk, writer);
    let mut sending = stream.try_clone().unwrap();
    let sender = thread::spawn(move || {
        let request = "GET /none HTTP/1.1\r\nhost: h\r\n\r\n".repeat(REQUESTS);
        sending.write_all(request.as_bytes()).unwrap();
    });
    let (mut answered, mut buffer) = (String::new(), [0; 65536]);
    while answered.matches("HTTP/1.1 404 ").count() < REQUESTS {
        let length = stream.read(&mut buffer).unwrap();
        assert!(length > 0, "it hangs up");
        answered += std::str::from_utf8(&buffer[..length]).unwrap();
    }
    sender.join().unwrap();
    let pid = child.id().to_string();
    let ended = Command::new("kill").args(["-TERM", &pid]).status();
    assert!(ended.unwrap().success());
    let mut shown = String::new();
    reader.read_to_string(&mut shown).unwrap();
    let mut said = String::new();
    notes.read_to_string(&mut said).unwrap();
    assert!(child.wait().unwrap().success(), "{said}");
    let counts = said.lines().filter_map(|line| {
        let (count, _) = line.split_once(" requests were answered and are not shown")?;
        count.rsplit(' ').next()?.parse::<usize>().ok()
    });
    let left_out: usize = counts.sum();
    assert!(left_out > 0, "{said}");
    assert_eq!(shown.lines().count() + left_out, REQUESTS, "{said}");
}

#[test]
fn one_line_shows_each_request() {
    let desk = Desk::new();
    let listening = desk.listen(["--config", "webhooks.toml"]);
    let code = listening.url("/webhooks/code");
    let payments = listening.url("/webhooks/payments");
    let send = |args: &[&str]| {
        desk.run(
            args.iter()
                .chain(&["--secret-env", "SECRET", "event.json"])
                .copied(),
        )
    };
    send(&[
        "send",
        "github",
        &code,
        "-H",
        "X-GitHub-Event: issues\u{9}opened",
    ]);
    send(&["send", "stripe", &payments]);
    send(&["send", "github", &code, "--tamper", "signature"]);
    send(&[
        "send",
        "github",
        &listening.url("/webhooks/nobody?token=hush"),
    ]);
    exchange(&listening, &post("/webhooks/code", "", "{}"));
    let expected = [
        "#1 code         genuine    ",
        "#2 payments     genuine    key 2026-11  31 bytes  200",
        "#3 code         REFUSED    signature_mismatch  verified_before  31 bytes  401",
        "#4 -            no endpoint  POST /webhooks/nobody  ",
        "#5 code         REFUSED    missing_header  X-Hub-Signature-256  ",
    ];
    for expected in expected {
        let line = listening
            .process
            .stdout
            .find(|line| line.contains(expected));
        assert!(
            line.is_some(),
            "{expected}: {}",
            listening.process.stdout.text()
        );
    }
    let ended = listening.stop();
    assert!(
        !ended.stdout.contains("hush") && !ended.stdout.contains('\u{1b}'),
        "{ended:?}"
    );
    assert!(
        !ended.stdout.contains("opened\""),
        "bodies are not shown: {ended:?}"
    );
}

#[test]
fn bodies_are_shown_to_whoever_asks_and_disturb_no_terminal() {
    let desk = Desk::new();
    let listening = desk.listen(["--config", "webhooks.toml", "--show-body", "--no-explain"]);
    exchange(&listening, &post("/code", FORGED, "a\u{1b}[2Jb\nsecond"));
    let line = listening.process.stdout.line("      | second").unwrap();
    assert_eq!(line, "      | second");
    let all = listening.stop().stdout;
    assert!(all.contains("      | a\\u{1b}[2Jb"), "{all}");
}

#[cfg(unix)]
#[test]
fn captures_are_for_their_owner_and_are_read_again() {
    use std::os::unix::fs::PermissionsExt;
    let desk = Desk::new();
    let listening = desk.listen([
        "--config",
        "webhooks.toml",
        "--save",
        "new/captures",
        "--no-explain",
    ]);
    let code = listening.url("/webhooks/code");
    for more in [&[][..], &["--tamper", "body"]] {
        let args = [
            "send",
            "github",
            &code,
            "--secret-env",
            "SECRET",
            "event.json",
        ];
        desk.run(args.iter().chain(more).copied());
    }
    // The body of what is refused for its head is kept, too.
    exchange(
        &listening,
        &post("/webhooks/code", "cookie: hush\r\n", EVENT),
    );
    assert!(
        listening
            .process
            .stdout
            .find(|line| line.contains("#3"))
            .is_some()
    );
    let mode = |path: &str| {
        let path = desk.path().join(path);
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    };
    assert_eq!(mode("new/captures"), 0o700);
    for (file, verdict, cause) in [("0001", 0, 0), ("0002", 1, 1), ("0003", 1, 1)] {
        let file = format!("new/captures/{file}.json");
        assert_eq!(mode(&file), 0o600);
        let text = desk.read(&file);
        assert!(!text.contains("hush"), "{text}");
        let verify = [
            "verify",
            "code",
            "--config",
            "webhooks.toml",
            &file,
            "--no-explain",
        ];
        assert_eq!(desk.run(verify).code, Some(verdict), "{file}");
        let explain = [
            "explain",
            "code",
            "--config",
            "webhooks.toml",
            &file,
            "--budget",
            "300ms",
        ];
        assert_eq!(desk.run(explain).code, Some(cause), "{file}");
        assert!(
            text.contains("opened") || text.contains("closed") || text.contains("number"),
            "{text}"
        );
    }
    drop(listening);
    // Another run adds to them.
    let listening = desk.listen([
        "--config",
        "webhooks.toml",
        "--save",
        "new/captures",
        "--format",
        "json",
    ]);
    exchange(&listening, &post("/webhooks/code", "", ""));
    assert_eq!(
        listening.event("request", 1)["saved"],
        "new/captures/0004.json"
    );
}

#[test]
fn a_signal_lets_what_is_in_flight_finish() {
    let desk = Desk::new();
    for signal in ["INT", "TERM"] {
        let listening = desk.listen(["--config", "webhooks.toml", "--no-explain"]);
        let request = post("/code", FORGED, EVENT);
        let (first, second) = request.split_at(request.len() - 5);
        let mut stream = TcpStream::connect(&listening.address).unwrap();
        stream.write_all(first.as_bytes()).unwrap();
        // The request is being read once another one is answered.
        exchange(&listening, &post("/code", "", ""));
        listening.process.signal(signal);
        assert!(listening.process.stderr.line("stopping").is_some());
        stream.write_all(second.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
        let ended = listening.process.end();
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert_eq!(ended.stdout.lines().count(), 2, "{ended:?}");
    }
}

/// As with `tower-webhook listen … | head -1`.
#[test]
fn it_stops_when_nobody_reads_what_it_prints() {
    let desk = Desk::new();
    let (reader, writer) = std::io::pipe().unwrap();
    let (mut child, mut notes, mut stream) = printing_to(&desk, writer);
    drop(reader);
    stream
        .write_all(post("/code", FORGED, EVENT).as_bytes())
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
    let mut said = String::new();
    notes.read_to_string(&mut said).unwrap();
    assert!(child.wait().unwrap().success(), "{said}");
    assert!(said.contains("note: standard output was closed"), "{said}");
}

/// A head and a body of which the rest never comes, and explanations that wait.
#[test]
fn stopping_takes_no_longer_than_the_grace_and_counts_what_is_left_out() {
    let desk = Desk::new();
    let listening = desk.listen(["--config", "webhooks.toml", "--budget", "4s"]);
    let body = format!("{{{}\"a\":1}}", "\"key\": \"value é\", ".repeat(4000));
    for _ in 0..10 {
        exchange(&listening, &post("/code", FORGED, &body));
    }
    let request = post("/code", FORGED, EVENT);
    let halves = [30, request.len() - 5].map(|length| {
        let mut stream = TcpStream::connect(&listening.address).unwrap();
        stream.write_all(&request.as_bytes()[..length]).unwrap();
        stream
    });
    // Both are being read once another one is answered.
    exchange(&listening, &post("/code", "", ""));
    let begun = Instant::now();
    let ended = listening.stop();
    assert!(begun.elapsed() < Duration::from_secs(15), "{ended:?}");
    assert_eq!(ended.code, Some(0), "{ended:?}");
    for expected in [
        "requests were not finished within 10s: 2",
        "refusals that are not explained, because the program was stopped: ",
    ] {
        assert!(ended.stderr.contains(expected), "{expected}: {ended:?}");
    }
    drop(halves);
}

/// A recorded request, at the time when it was recorded.
#[test]
fn the_clock_can_stand_still_on_this_machine() {
    let desk = Desk::new();
    let listening = desk.listen([
        "--config",
        "webhooks.toml",
        "--now",
        RECEIVED,
        "--format",
        "json",
    ]);
    assert!(
        listening
            .process
            .stderr
            .line("warning: the time is always 2026-11-28T")
            .is_some()
    );
    let url = listening.url("/payments");
    let sent = desk.run(["replay", "stripe.http", &url]);
    assert_eq!(sent.code, Some(0), "{sent:?}");
    assert_eq!(
        listening.event("request", 1)["time"],
        "2026-11-28T10:00:00Z"
    );
}

/// Bodies that are too long, that never end, and that break off.
#[test]
fn what_a_client_says_of_itself_costs_nothing() {
    let desk = Desk::new();
    desk.write(
        "small.toml",
        "[endpoints.code]\nprovider = \"github\"\nsecret = { env = \"SECRET\" }\nmax_body = 1000\nread_timeout = \"300ms\"",
    );
    let listening = desk.listen(["--config", "small.toml", "--format", "json"]);
    let head = |length: &str| {
        format!("POST /code HTTP/1.1\r\nhost: h\r\nconnection: close\r\n{length}\r\n{FORGED}\r\n")
    };
    let answer = exchange(&listening, &head("content-length: 4398046511104"));
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    let chunk = format!("800\r\n{}\r\n0\r\n\r\n", "x".repeat(0x800));
    let answer = exchange(&listening, &(head("transfer-encoding: chunked") + &chunk));
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    let answer = exchange(&listening, &(head("content-length: 100") + "begun"));
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    let kinds = [1, 2, 3].map(|number| listening.event("request", number)["kind"].clone());
    assert_eq!(kinds, ["body_too_large", "body_too_large", "read_timeout"]);
}

#[test]
fn a_port_that_is_taken_is_named() {
    let desk = Desk::new();
    let listening = desk.listen(["--config", "webhooks.toml"]);
    let ended = Process::spawn(&mut desk.command([
        "listen",
        &listening.address,
        "--config",
        "webhooks.toml",
    ]))
    .end();
    assert_eq!(ended.code, Some(3), "{ended:?}");
    assert!(
        ended.stderr.contains(&listening.address) && ended.stderr.contains("in use"),
        "{ended:?}"
    );
}
