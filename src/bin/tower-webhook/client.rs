//! The HTTP client of `send`, `replay` and `listen --forward`.

use std::{
    error::Error,
    io::IsTerminal,
    time::{Duration, Instant},
};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Request, StatusCode};
use http_body::Body as _;
use http_body_util::{BodyExt, Full};
use hyper_util::{
    client::legacy::{Client as Inner, connect::HttpConnector},
    rt::TokioExecutor,
};

use crate::{
    failure::{Failure, Result},
    output,
};

#[cfg(feature = "cli-tls")]
type Connector = hyper_rustls::HttpsConnector<HttpConnector>;
#[cfg(not(feature = "cli-tls"))]
type Connector = HttpConnector;

/// Sends requests as they are: it follows no redirect, decodes nothing, and adds `Host` and the
/// length only.
#[derive(Clone)]
pub(crate) struct Client {
    inner: Inner<Connector, Full<Bytes>>,
    timeout: Duration,
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    /// The first bytes, up to the limit.
    pub(crate) body: Bytes,
    pub(crate) is_cut: bool,
    pub(crate) elapsed: Duration,
}

impl Client {
    pub(crate) fn new(timeout: Duration) -> Result<Self> {
        Ok(Self {
            inner: Inner::builder(TokioExecutor::new()).build(connector()?),
            timeout,
        })
    }

    /// Sends a request, and waits for the answer with at most `most` bytes of its body.
    pub(crate) async fn send(&self, request: Request<Bytes>, most: usize) -> Result<Answer> {
        let begun = Instant::now();
        let authority = request.uri().authority();
        let place = authority.map_or_else(String::new, ToString::to_string);
        let exchange = async {
            let response = self.inner.request(request.map(Full::new)).await;
            let response = response.map_err(|error| match error.is_connect() {
                true if is_refused(&error) => {
                    "nothing listens there; start the receiver, or correct the address".to_owned()
                }
                true if is_not_tls(&error) => {
                    "the server does not speak TLS there; write http:// instead of https://, or correct the port".to_owned()
                }
                _ => causes(&error),
            });
            let (head, mut body) = response?.into_parts();
            let mut kept = BytesMut::new();
            let mut is_cut = false;
            while let Some(frame) = body.frame().await {
                let frame = frame.map_err(|error| causes(&error))?;
                let Ok(data) = frame.into_data() else {
                    continue;
                };
                let room = most.saturating_sub(kept.len());
                kept.extend_from_slice(data.get(..room).unwrap_or(&data));
                if data.len() > room {
                    is_cut = true;
                    break;
                }
            }
            Ok(Answer {
                status: head.status,
                headers: head.headers,
                is_cut: is_cut || !body.is_end_stream() && most == 0,
                body: kept.freeze(),
                elapsed: begun.elapsed(),
            })
        };
        let answered: std::result::Result<_, String> =
            match tokio::time::timeout(self.timeout, with_progress(&place, exchange)).await {
                Ok(answered) => answered,
                Err(_) => Err(format!("no answer within {:?}", self.timeout)),
            };
        answered.map_err(|problem| Failure::undone(format!("{place}: {problem}")))
    }
}

#[cfg(feature = "cli-tls")]
fn connector() -> Result<Connector> {
    use crate::failure::OrUndone;

    let mut http = HttpConnector::new();
    http.enforce_http(false);
    let provider = rustls::crypto::ring::default_provider();
    Ok(hyper_rustls::HttpsConnectorBuilder::new()
        .with_provider_and_native_roots(provider)
        .or_undone("the certificates of the system")?
        .https_or_http()
        .enable_http1()
        .wrap_connector(http))
}

#[cfg(not(feature = "cli-tls"))]
#[expect(clippy::unnecessary_wraps, reason = "as with TLS")]
fn connector() -> Result<Connector> {
    Ok(HttpConnector::new())
}

/// Says on a terminal that an answer takes long.
async fn with_progress<T>(place: &str, exchange: impl Future<Output = T>) -> T {
    tokio::pin!(exchange);
    let second = tokio::time::sleep(Duration::from_secs(1));
    tokio::select! {
        answered = &mut exchange => return answered,
        () = second => {}
    }
    if std::io::stderr().is_terminal() {
        let text = format!("waiting for the answer of {place} …");
        output::say(&output::styled(output::FAINT, text));
    }
    exchange.await
}

fn is_refused(error: &(dyn Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        let of_system = error.downcast_ref::<std::io::Error>();
        if of_system.is_some_and(|error| error.kind() == std::io::ErrorKind::ConnectionRefused) {
            return true;
        }
        cause = error.source();
    }
    false
}

/// Whether the answer to the first message of TLS was none of TLS.
fn is_not_tls(error: &(dyn Error + 'static)) -> bool {
    causes(error).contains("InvalidContentType")
}

/// An error with what caused it.
fn causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let next = error.to_string();
        if !text.contains(&next) {
            text = format!("{text}: {next}");
        }
        cause = error.source();
    }
    text
}
