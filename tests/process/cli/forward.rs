//! `listen --forward`: exact bytes to a service, and its answer back.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::mpsc::{Receiver, channel},
    thread,
};

use super::{Desk, EVENT};

/// A service that answers each request with a status, and hands on what came.
fn service(status: &'static str) -> (String, Receiver<(String, Vec<u8>)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (came, received) = channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let request = read(&stream.as_ref().unwrap().try_clone().unwrap());
            let answer = format!(
                "HTTP/1.1 {status}\r\nx-of-service: yes\r\ncontent-length: 2\r\nconnection: close\r\n\r\nhi"
            );
            stream.unwrap().write_all(answer.as_bytes()).unwrap();
            if came.send(request).is_err() {
                return;
            }
        }
    });
    (address, received)
}

/// The head of a request, and its body.
pub(super) fn read(stream: &TcpStream) -> (String, Vec<u8>) {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert_ne!(reader.read_line(&mut head).unwrap(), 0, "{head}");
    }
    let mut lines = head.lines().map(str::to_lowercase);
    let length = lines.find_map(|line| line.strip_prefix("content-length: ").map(str::to_owned));
    let length: usize = length.map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    (head, body)
}

#[test]
fn genuine_requests_are_passed_on_with_their_bytes() {
    let desk = Desk::new();
    let (address, received) = service("202 Accepted");
    let base = format!("http://{address}");
    let listening = desk.listen([
        "--config",
        "webhooks.toml",
        "--forward",
        &base,
        "--format",
        "json",
    ]);
    // Spaces, escapes and line ends that a program would not print like that.
    let body = "{ \"action\" : \"\\u006fpened\" ,\r\n\t\"number\": 1.50 }\n\n";
    desk.write("odd.json", body);
    let url = listening.url("/in/code?tenant=7");
    let send = |file: &'static str, tamper: &[&'static str]| {
        let args = [
            "send",
            "github",
            &url,
            "--secret-env",
            "SECRET",
            file,
            "--show-body",
        ];
        let headers = [
            "-H",
            "X-GitHub-Event: push",
            "-H",
            "Content-Type: application/x-odd",
        ];
        desk.run(
            args.into_iter()
                .chain(headers)
                .chain(tamper.iter().copied()),
        )
    };
    let sent = send("odd.json", &[]);
    assert_eq!(sent.code, Some(0), "{sent:?}");
    assert!(
        sent.stdout.contains("202") && sent.stdout.contains("| hi"),
        "{sent:?}"
    );
    let (head, bytes) = received.recv().unwrap();
    let head = head.to_lowercase();
    assert_eq!(String::from_utf8(bytes).unwrap(), body);
    for line in [
        "post /in/code?tenant=7 http/1.1",
        "x-github-event: push",
        "content-type: application/x-odd",
        "x-hub-signature-256: sha256=",
        &format!("host: {address}"),
        &format!("x-forwarded-host: {}", listening.address),
    ] {
        assert!(head.contains(line), "{line}: {head}");
    }
    let line = listening.event("request", 1);
    assert_eq!(
        (&line["upstream_status"], &line["status"]),
        (&202.into(), &202.into())
    );
    assert_eq!(line["event_type"], "push");

    // What is refused does not reach the service.
    assert_eq!(send("odd.json", &["--tamper", "body"]).code, Some(1));
    let refused = listening.event("request", 2);
    assert_eq!(
        (&refused["verdict"], &refused["upstream_status"]),
        (&"refused".into(), &().into())
    );
    assert!(received.try_recv().is_err());
}

#[test]
fn the_answer_of_the_service_is_the_answer() {
    let desk = Desk::new();
    let (address, received) = service("503 Service Unavailable");
    let base = format!("http://{address}/own/path");
    let listening = desk.listen([
        "--config",
        "webhooks.toml",
        "--forward",
        &base,
        "--format",
        "json",
    ]);
    let url = listening.url("/code");
    let sent = desk.run([
        "send",
        "github",
        &url,
        "--secret-env",
        "SECRET",
        "event.json",
    ]);
    assert_eq!(sent.code, Some(1), "{sent:?}");
    let line = listening.event("request", 1);
    assert_eq!(
        (&line["verdict"], &line["upstream_status"]),
        (&"genuine".into(), &503.into())
    );
    let (head, body) = received.recv().unwrap();
    assert!(head.starts_with("POST /own/path HTTP/1.1"), "{head}");
    assert_eq!(body, EVENT.as_bytes());
}

#[test]
fn a_service_that_is_down_is_named() {
    let desk = Desk::new();
    let free = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let base = format!("http://{free}");
    let listening = desk.listen(["--config", "webhooks.toml", "--forward", &base]);
    let url = listening.url("/code");
    let sent = desk.run([
        "send",
        "github",
        &url,
        "--secret-env",
        "SECRET",
        "event.json",
    ]);
    assert!(sent.stdout.contains("502"), "{sent:?}");
    let line = listening
        .process
        .stdout
        .find(|line| line.contains("#1"))
        .unwrap();
    assert!(
        line.contains("genuine") && line.contains("nothing listens there"),
        "{line}"
    );
}
