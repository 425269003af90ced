//! [`HttpsClient`]: a [`KeyClient`] on hyper and rustls.

use std::{error::Error, fmt, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode, header};
use http_body::Body;
use http_body_util::{BodyExt, Empty, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, pem::PemObject},
};

use crate::{
    error::SetupError,
    keys::{
        remote::{
            address::KeyUrl,
            client::{FetchFuture, KeyClient, KeyDocument},
        },
        source::KeySourceError,
    },
};

/// Fetches keys by HTTPS, with TLS 1.2 or 1.3.
///
/// It trusts the certification authorities of Mozilla, which are part of the program, so that it
/// works in a container without any files; [`with_roots`](Self::with_roots) replaces them. It
/// follows no redirects, sends neither cookies nor credentials, ignores proxies in the environment,
/// and takes at most [`MAX_DOCUMENT`](KeyDocument::MAX_DOCUMENT) bytes. Each fetch has a connection
/// of its own, since they are rare.
///
/// ```
/// use tower_webhook::keys::{HttpsClient, RemoteKeys};
///
/// let keys = RemoteKeys::jwks("https://example.com/.well-known/jwks.json")?
///     .with_client(HttpsClient::new());
/// # drop(keys);
/// # Ok::<_, tower_webhook::SetupError>(())
/// ```
#[derive(Clone)]
pub struct HttpsClient {
    client: Client<HttpsConnector<HttpConnector>, Empty<Bytes>>,
    roots: usize,
}

/// For one address of the host.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// A server has no reason to send longer headers with a key.
const MAX_HEADERS: usize = 16 * 1024;

impl HttpsClient {
    /// A client that trusts the certification authorities of Mozilla.
    #[must_use]
    pub fn new() -> Self {
        Self::trusting(RootCertStore {
            roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
        })
    }

    /// A client that trusts these certificates only: one or several in PEM.
    ///
    /// # Errors
    ///
    /// When the text has no certificate, or one that cannot be read.
    pub fn with_roots(pem: impl AsRef<[u8]>) -> Result<Self, SetupError> {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(pem.as_ref()) {
            let certificate = certificate.map_err(|_| {
                SetupError::new("roots: the text is no PEM; copy the whole certificate")
            })?;
            roots.add(certificate).map_err(|_| {
                SetupError::new("roots: a certificate cannot be read; copy it again")
            })?;
        }
        if roots.is_empty() {
            return Err(SetupError::new(
                "roots: there is no certificate; add one, from \"-----BEGIN CERTIFICATE-----\" on",
            ));
        }
        Ok(Self::trusting(roots))
    }

    fn trusting(roots: RootCertStore) -> Self {
        let count = roots.len();
        let provider = Arc::new(ring::default_provider());
        let Ok(config) =
            ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()
        else {
            unreachable!("ring has the cipher suites of TLS 1.2 and 1.3");
        };
        let config = config.with_root_certificates(roots).with_no_client_auth();
        let mut connector = HttpConnector::new();
        connector.enforce_http(false);
        connector.set_connect_timeout(Some(CONNECT_TIMEOUT));
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(config)
            .https_only()
            .enable_http1()
            .wrap_connector(connector);
        let client = Client::builder(TokioExecutor::new())
            .pool_max_idle_per_host(0)
            .http1_max_buf_size(MAX_HEADERS)
            .build(connector);
        Self {
            client,
            roots: count,
        }
    }
}

impl Default for HttpsClient {
    fn default() -> Self {
        Self::new()
    }
}

impl KeyClient for HttpsClient {
    fn get(&self, url: &KeyUrl) -> FetchFuture {
        let request = Request::get(url.as_str())
            .header(header::ACCEPT, "application/json, */*;q=0.5")
            .header(
                header::USER_AGENT,
                concat!("tower-webhook/", env!("CARGO_PKG_VERSION")),
            )
            .body(Empty::new());
        let client = self.client.clone();
        Box::pin(async move {
            let response = client.request(request?).await;
            let response = response.map_err(|error| with_causes(&error))?;
            let (head, body) = response.into_parts();
            match head.status {
                StatusCode::OK => {}
                StatusCode::NOT_FOUND | StatusCode::GONE => return Ok(None),
                status if status.is_redirection() => {
                    return Err(format!(
                        "the server answered {status}, and redirects are not followed"
                    )
                    .into());
                }
                status => return Err(format!("the server answered {status}").into()),
            }
            let least = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
            if least > KeyDocument::MAX_DOCUMENT {
                return Err(format!("the document is too large, with {least} bytes").into());
            }
            let body = Limited::new(body, KeyDocument::MAX_DOCUMENT).collect();
            let body = body.await.map_err(|error| with_causes(&*error))?.to_bytes();
            let document = KeyDocument::new(body);
            Ok(Some(match max_age(&head.headers) {
                Some(age) => document.with_max_age(age),
                None => document,
            }))
        })
    }
}

/// An error with its causes, which it does not show itself.
fn with_causes(error: &(dyn Error + 'static)) -> KeySourceError {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text.into()
}

/// How long a document may be kept, as its server says.
fn max_age(headers: &HeaderMap) -> Option<Duration> {
    let lines = headers.get_all(header::CACHE_CONTROL).iter();
    let directives = lines.filter_map(|line| line.to_str().ok());
    let mut found = None;
    for directive in directives.flat_map(|line| line.split(',')) {
        let directive = directive.trim().to_ascii_lowercase();
        let seconds = match &*directive {
            "no-store" | "no-cache" => Some(0),
            other => other
                .strip_prefix("max-age=")
                .and_then(|digits| digits.trim_matches('"').parse().ok()),
        };
        found = match (found, seconds) {
            (Some(one), Some(other)) => Some(u64::min(one, other)),
            (one, other) => one.or(other),
        };
    }
    let age = headers.get(header::AGE).and_then(|age| age.to_str().ok());
    let age: u64 = age.and_then(|age| age.trim().parse().ok()).unwrap_or(0);
    found.map(|seconds| Duration::from_secs(seconds.saturating_sub(age)))
}

impl fmt::Debug for HttpsClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpsClient")
            .field("roots", &self.roots)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_says_how_long_a_document_may_be_kept() {
        for (lines, age, expected) in [
            (&[][..], None, None),
            (&["public"], None, None),
            (&["public, max-age=3600, must-revalidate"], None, Some(3600)),
            (&["Max-Age=60"], Some("10"), Some(50)),
            (&["max-age=60"], Some("61"), Some(0)),
            (&["max-age=60", "max-age=30"], None, Some(30)),
            (&["max-age=60, no-store"], None, Some(0)),
            (&["no-cache"], None, Some(0)),
            (&["max-age=\"60\""], None, Some(60)),
            (&["max-age=soon"], None, None),
            (&["s-maxage=60"], Some("5"), None),
        ] {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(header::CACHE_CONTROL, line.parse().unwrap());
            }
            if let Some(age) = age {
                headers.insert(header::AGE, age.parse().unwrap());
            }
            let expected = expected.map(Duration::from_secs);
            assert_eq!(max_age(&headers), expected, "{lines:?}");
        }
    }

    #[test]
    fn roots_that_cannot_be_read_are_refused() {
        let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        for (pem, problem) in [
            ("", "roots: there is no certificate"),
            ("hello", "roots: there is no certificate"),
            (broken, "roots: a certificate cannot be read"),
        ] {
            let error = HttpsClient::with_roots(pem).unwrap_err().to_string();
            assert!(error.starts_with(problem), "{error}");
        }
    }
}
