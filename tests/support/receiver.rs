//! The receiver example as a process of its own, and a client that talks to it over HTTP.

use std::{ffi::OsStr, fs, process::Command};

use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use tempfile::TempDir;

pub use crate::program::Ended;
use crate::{cargo, program::Process};

/// A running receiver on a port of its own. It ends with this value.
pub struct Receiver {
    process: Process,
    address: String,
    client: Client<HttpConnector, Full<Bytes>>,
    directory: TempDir,
}

/// What the receiver answered.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Receiver {
    /// Without a configuration file.
    pub fn demo() -> Self {
        Self::start(TempDir::new().unwrap(), &[], &[])
    }

    /// With this configuration.
    pub fn with_config(toml: &str) -> Self {
        Self::with_config_and_env(toml, &[])
    }

    /// With this configuration and these arguments beside it.
    pub fn with_config_and_args(toml: &str, args: &[&str]) -> Self {
        Self::start(configured(toml), args, &[])
    }

    /// With this configuration and these environment variables.
    pub fn with_config_and_env(toml: &str, env: &[(&str, &str)]) -> Self {
        Self::start(configured(toml), &[], env)
    }

    fn start(directory: TempDir, args: &[&str], env: &[(&str, &str)]) -> Self {
        let mut command = command(["--listen", "127.0.0.1:0"]);
        command.args(args);
        let config = directory.path().join("webhooks.toml");
        if config.exists() {
            command.arg("--config").arg(config);
        }
        let process = Process::spawn(command.envs(env.iter().copied()));
        let ready = process.stdout.line("listening on http://");
        let Some(ready) = ready else {
            panic!("the receiver did not start: {}", process.end().stderr);
        };
        let address = ready.trim_start_matches("listening on http://").to_owned();
        Self {
            process,
            address,
            client: Client::builder(TokioExecutor::new()).build_http(),
            directory,
        }
    }

    /// Host and port.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// All that stands on stdout so far.
    pub fn stdout(&self) -> String {
        self.process.stdout.text()
    }

    /// Writes another configuration into the file.
    pub fn rewrite(&self, toml: &str) {
        fs::write(self.directory.path().join("webhooks.toml"), toml).unwrap();
    }

    /// Waits for a line of stderr that begins like this.
    pub fn error_line(&self, start: &str) -> Option<String> {
        self.process.stderr.line(start)
    }

    /// Waits for a line of stdout that begins like this.
    pub fn line(&self, start: &str) -> Option<String> {
        self.process.stdout.line(start)
    }

    /// Posts to an endpoint.
    pub async fn post<K: AsRef<str>, V: AsRef<[u8]>>(
        &self,
        endpoint: &str,
        headers: impl IntoIterator<Item = (K, V)>,
        body: impl Into<Bytes>,
    ) -> Answer {
        let uri = format!("http://{}/webhooks/{endpoint}", self.address);
        let mut request = Request::post(uri);
        for (name, value) in headers {
            request = request.header(name.as_ref(), value.as_ref());
        }
        self.send(request.body(Full::new(body.into())).unwrap())
            .await
    }

    /// A request without a body.
    pub async fn request(&self, method: &str, path: &str) -> Answer {
        let uri = format!("http://{}{path}", self.address);
        let request = Request::builder().method(method).uri(uri);
        self.send(request.body(Full::default()).unwrap()).await
    }

    /// Any request to a path with its query. Its own address is ignored.
    pub async fn forward(&self, path: &str, request: Request<Bytes>) -> Answer {
        let mut request = request.map(Full::new);
        *request.uri_mut() = format!("http://{}{path}", self.address).parse().unwrap();
        self.send(request).await
    }

    async fn send(&self, request: Request<Full<Bytes>>) -> Answer {
        let response = self.client.request(request).await.unwrap();
        let (head, body) = response.into_parts();
        Answer {
            status: head.status,
            headers: head.headers,
            body: body.collect().await.unwrap().to_bytes(),
        }
    }

    /// What `GET /stats` says of one endpoint.
    pub async fn stats(&self, endpoint: &str) -> serde_json::Value {
        let all = self.request("GET", "/stats").await.json();
        all.pointer(&format!("/endpoints/{endpoint}"))
            .unwrap()
            .clone()
    }

    /// Sends it a signal, by name.
    pub fn signal(&self, name: &str) {
        self.process.signal(name);
    }

    /// Waits until it has ended by itself.
    pub fn ended(self) -> Ended {
        self.process.end()
    }
}

impl Answer {
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }
}

/// A directory with this configuration.
fn configured(toml: &str) -> TempDir {
    let directory = TempDir::new().unwrap();
    fs::write(directory.path().join("webhooks.toml"), toml).unwrap();
    directory
}

/// Runs the receiver with arguments under which it ends by itself.
pub fn run<A: AsRef<OsStr>>(args: impl IntoIterator<Item = A>) -> Ended {
    Process::spawn(&mut command(args)).end()
}

fn command<A: AsRef<OsStr>>(args: impl IntoIterator<Item = A>) -> Command {
    let mut command = cargo::example("receiver");
    command.args(args);
    command
}
