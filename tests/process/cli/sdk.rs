//! A vendor's own library as the sender, through a proxy that changes what it passes on.

use std::{
    io::{self, Write},
    net::{TcpListener, TcpStream},
    thread,
};

use flate2::{Compression, write::GzEncoder};
use serde_json::Value;
use support::{
    clients::{Clients, Verdict},
    unix_now,
};

use super::{Desk, SECRET, forward::read};

/// Printed by no program like this: with spaces, and with keys that are not sorted.
const BODY: &str = r#"{"id":"evt_1","type":"charge.refunded","amount":1200}"#;

/// What a proxy does to a request.
#[derive(Clone, Copy, Debug)]
enum Change {
    None,
    PrintsJson,
    DropsHeader,
    AddsNewline,
    Compresses,
}

impl Change {
    fn of_body(self, body: &[u8]) -> Vec<u8> {
        match self {
            Self::None | Self::DropsHeader => body.to_vec(),
            Self::PrintsJson => {
                let value: Value = serde_json::from_slice(body).unwrap();
                serde_json::to_vec_pretty(&value).unwrap()
            }
            Self::AddsNewline => [body, b"\n"].concat(),
            Self::Compresses => {
                let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
                gzip.write_all(body).unwrap();
                gzip.finish().unwrap()
            }
        }
    }

    fn keeps(self, line: &str) -> bool {
        let name = line.split(':').next().unwrap().to_lowercase();
        let is_signature = name.contains("signature");
        name != "content-length" && !(is_signature && matches!(self, Self::DropsHeader))
    }
}

/// A proxy that changes every request in one way. It serves until the process ends.
fn proxy(to: &str, change: Change) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let to = to.to_owned();
    thread::spawn(move || {
        for client in listener.incoming() {
            pass(&client.unwrap(), &to, change);
        }
    });
    address
}

fn pass(mut client: &TcpStream, to: &str, change: Change) {
    let (head, body) = read(client);
    let body = change.of_body(&body);
    let lines = head.trim_end().lines().filter(|line| change.keeps(line));
    let head: Vec<&str> = lines.collect();
    let length = body.len();
    let head = head.join("\r\n");
    let head = format!("{head}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n");
    let mut server = TcpStream::connect(to).unwrap();
    server
        .write_all(&[head.as_bytes(), &body].concat())
        .unwrap();
    io::copy(&mut server, &mut client).unwrap();
}

const CHANGES: [(Change, &str, &str); 5] = [
    (Change::None, "", ""),
    (Change::PrintsJson, "signature_mismatch", "json:"),
    (Change::DropsHeader, "missing_header", ""),
    (
        Change::AddsNewline,
        "signature_mismatch",
        "body-final-newline-added",
    ),
    (Change::Compresses, "signature_mismatch", "body-gzip"),
];

/// The signature header that a vendor's library makes.
fn signed(clients: &mut Clients, client: &str) -> (&'static str, String) {
    let time = i64::try_from(unix_now()).unwrap();
    let signature = clients.sign(client, SECRET, "", time, BODY);
    match client {
        "stripe" => ("stripe-signature", signature),
        _ => ("x-hub-signature-256", signature),
    }
}

#[tokio::test]
async fn listen_names_what_a_proxy_did() {
    let Some(mut clients) = Clients::start() else {
        return;
    };
    let desk = Desk::new();
    let config = "[endpoints.stripe]\nprovider = \"stripe\"\nsecret = { env = \"SECRET\" }\n\
        [endpoints.github]\nprovider = \"github\"\nsecret = { env = \"SECRET\" }\n";
    desk.write("vendors.toml", config);
    let listening = desk.listen(["--config", "vendors.toml", "--format", "json"]);
    let client = hyper_util::client::legacy::Client::builder(hyper_util::rt::TokioExecutor::new())
        .build_http();
    let mut number = 0;
    for vendor in ["stripe", "github"] {
        for (change, kind, cause) in CHANGES {
            number += 1;
            let (header, signature) = signed(&mut clients, vendor);
            let proxy = proxy(&listening.address, change);
            let request = http::Request::post(format!("http://{proxy}/{vendor}"))
                .header("content-type", "application/json")
                .header(header, signature)
                .body(http_body_util::Full::new(bytes::Bytes::from(BODY)));
            let answer = client.request(request.unwrap()).await.unwrap();
            let line = listening.event("request", number);
            let case = format!("{vendor} {change:?}: {line}");
            assert_eq!(answer.status().as_u16(), line["status"], "{case}");
            assert_eq!(line["kind"].as_str().unwrap_or_default(), kind, "{case}");
            if matches!(change, Change::None) {
                assert_eq!(line["verdict"], "genuine", "{case}");
                continue;
            }
            assert_eq!(line["status"], 401, "{case}");
            let why = listening.event("explanation", number);
            if cause.is_empty() {
                let named = line["header"].as_str().unwrap();
                assert!(named.eq_ignore_ascii_case(header), "{case}");
                assert!(why["remedy"].as_str().unwrap().contains(named), "{why}");
            } else {
                assert_eq!(why["verdict"], "proven", "{case}: {why}");
                assert!(
                    why["cause"].as_str().unwrap().starts_with(cause),
                    "{case}: {why}"
                );
            }
        }
    }
}

/// Both ways: `verify` accepts what the libraries sign, and they accept what `sign` prints.
#[test]
fn the_libraries_of_vendors_agree() {
    let Some(mut clients) = Clients::start() else {
        return;
    };
    let desk = Desk::new();
    desk.write("body.json", BODY);
    for vendor in ["stripe", "github"] {
        let (header, signature) = signed(&mut clients, vendor);
        let request = format!("POST / HTTP/1.1\r\n{header}: {signature}\r\n\r\n{BODY}");
        desk.write("vendor.http", &request);
        let verified = desk.run(["verify", vendor, "--secret-env", "SECRET", "vendor.http"]);
        assert_eq!(verified.code, Some(0), "{vendor}: {verified:?}");

        let ours = desk.json(["sign", vendor, "--secret-env", "SECRET", "body.json"]);
        let headers = &ours["headers"];
        assert_eq!(
            clients.verify(vendor, SECRET, headers, BODY),
            Verdict::Ok,
            "{ours}"
        );
    }
}
