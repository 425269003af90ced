//! `https`, with the certificates of the system.

use std::{
    net::TcpListener,
    process::{Command, Stdio},
};

use support::program::Process;

use super::Desk;

/// Answers 200 to everything.
const SERVER: &str = r#"
import http.server, ssl, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()
    def log_message(self, *args):
        pass
server = http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("cert.pem", "key.pem")
server.socket = context.wrap_socket(server.socket, server_side=True)
print("ready", flush=True)
server.serve_forever()
"#;

#[test]
fn a_server_without_tls_is_named() {
    let desk = Desk::new();
    let listening = desk.listen(["--config", "webhooks.toml"]);
    let url = format!("https://{}/code", listening.address);
    let ended = desk.run(["replay", "captured.http", &url]);
    assert_eq!(ended.code, Some(3), "{ended:?}");
    let problem = format!(
        "error: {}: the server does not speak TLS there; write http:// instead of https://",
        listening.address
    );
    assert!(ended.stderr.starts_with(&problem), "{ended:?}");
}

#[test]
fn a_certificate_of_the_system_is_trusted_and_no_other() {
    let desk = Desk::new();
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-days",
            "2",
        ])
        .args([
            "-subj",
            "/CN=localhost",
            "-addext",
            "subjectAltName=DNS:localhost,IP:127.0.0.1",
            "-addext",
            "basicConstraints=critical,CA:FALSE",
        ])
        .args(["-keyout", "key.pem", "-out", "cert.pem"])
        .current_dir(desk.path())
        .stderr(Stdio::null())
        .status();
    assert!(made.unwrap().success());
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let mut server = Command::new("python3");
    server
        .args(["-c", SERVER, &port.to_string()])
        .current_dir(desk.path());
    let server = Process::spawn(&mut server);
    assert!(server.stdout.line("ready").is_some(), "{:?}", server.end());

    let url = format!("https://localhost:{port}/hooks");
    let send = [
        "send",
        "github",
        &url,
        "--secret-env",
        "SECRET",
        "event.json",
    ];
    let trusted = Process::spawn(desk.command(send).env("SSL_CERT_FILE", "cert.pem")).end();
    assert_eq!(trusted.code, Some(0), "{trusted:?}");
    let unknown = desk.run(send);
    assert_eq!(unknown.code, Some(3), "{unknown:?}");
    assert!(unknown.stderr.contains("certificate"), "{unknown:?}");
}
