//! An HTTPS server on loopback, with a certification authority that was made for it.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    sync::Semaphore,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::ring,
        pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
    },
};

/// A certification authority.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    /// Its certificate.
    pub pem: String,
}

impl Authority {
    pub fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).unwrap().pem();
        Self {
            issuer: Issuer::new(params, key),
            pem,
        }
    }

    /// What a server of this host needs. The certificate is valid until the end of this year.
    fn config(&self, host: &str, last_year: i32) -> ServerConfig {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![host.to_owned()]).unwrap();
        params.not_after = date_time_ymd(last_year, 12, 31);
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap()
    }
}

/// What the server answers.
#[derive(Clone)]
pub enum Reply {
    /// A document, with further header lines.
    Document(String, &'static str),
    /// These bytes, after which the connection ends.
    Raw(Vec<u8>),
    /// The head of an answer, then bytes without end.
    Endless(&'static str),
    /// Nothing, while the connection stays open.
    Nothing,
}

/// A server that counts what it was asked for.
#[derive(Clone)]
pub struct HttpsServer {
    port: u16,
    /// The request lines, in order.
    requests: Arc<Mutex<Vec<String>>>,
    reply: Arc<Mutex<Reply>>,
    /// An answer waits for a permit.
    pub permits: Arc<Semaphore>,
}

impl HttpsServer {
    /// A server whose certificate is for `localhost`, by this authority.
    pub async fn start(authority: &Authority, reply: Reply) -> Self {
        Self::start_as(authority, "localhost", 4000, reply).await
    }

    pub async fn start_as(authority: &Authority, host: &str, last_year: i32, reply: Reply) -> Self {
        let acceptor = TlsAcceptor::from(Arc::new(authority.config(host, last_year)));
        let listener = TcpListener::bind("localhost:0").await.unwrap();
        let server = Self {
            port: listener.local_addr().unwrap().port(),
            requests: Arc::default(),
            reply: Arc::new(Mutex::new(reply)),
            permits: Arc::new(Semaphore::new(Semaphore::MAX_PERMITS)),
        };
        let serving = server.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, server) = (acceptor.clone(), serving.clone());
                tokio::spawn(async move {
                    // A client that does not trust the server is part of some tests.
                    if let Ok(stream) = acceptor.accept(stream).await {
                        server.serve(stream).await;
                    }
                });
            }
        });
        server
    }

    async fn serve(&self, mut stream: impl AsyncReadExt + AsyncWriteExt + Unpin) {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            match stream.read_u8().await {
                Ok(byte) => head.push(byte),
                Err(_) => return,
            }
        }
        let head = String::from_utf8(head).unwrap();
        let line = head.lines().next().unwrap().to_owned();
        self.requests.lock().unwrap().push(line);
        self.permits.acquire().await.unwrap().forget();
        let reply = self.reply.lock().unwrap().clone();
        // The client may hang up in the middle of an answer.
        let _ = match reply {
            Reply::Document(body, headers) => {
                let length = body.len();
                let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n{headers}\r\n");
                stream.write_all((head + &body).as_bytes()).await
            }
            Reply::Raw(bytes) => stream.write_all(&bytes).await,
            Reply::Endless(head) => loop {
                let bytes = [head.as_bytes(), &[b' '; 1 << 16]].concat();
                if let Err(error) = stream.write_all(&bytes).await {
                    break Err(error);
                }
            },
            Reply::Nothing => loop {
                tokio::time::sleep(Duration::from_secs(1)).await;
            },
        };
        let _ = stream.shutdown().await;
    }

    /// An address of this server.
    pub fn url(&self, path: &str) -> String {
        self.url_of("localhost", path)
    }

    pub fn url_of(&self, host: &str, path: &str) -> String {
        format!("https://{host}:{}{path}", self.port)
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn set_reply(&self, reply: Reply) {
        *self.reply.lock().unwrap() = reply;
    }

    /// The request lines so far.
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}
