//! [`KeyClient`]: what fetches a document with keys.

use std::{fmt, pin::Pin, time::Duration};

use bytes::Bytes;

use crate::keys::{remote::address::KeyUrl, source::KeySourceError};

/// Fetches documents with keys for [`RemoteKeys`](crate::keys::RemoteKeys).
///
/// [`HttpsClient`](crate::keys::HttpsClient) is one. Write your own to send requests through a
/// proxy, with a token of the vendor's API, or with the client that your application has. It has to
/// check the certificate of the server, must not follow redirects, and must limit what it reads:
/// [`MAX_DOCUMENT`](KeyDocument::MAX_DOCUMENT).
///
/// ```
/// use std::future::ready;
/// use tower_webhook::keys::{FetchFuture, KeyClient, KeyDocument, KeyUrl};
///
/// /// Serves one document, for a test.
/// struct Pinned(&'static str);
///
/// impl KeyClient for Pinned {
///     fn get(&self, url: &KeyUrl) -> FetchFuture {
///         let is_it = url.path() == "/jwks.json";
///         Box::pin(ready(Ok(is_it.then(|| KeyDocument::new(self.0)))))
///     }
/// }
///
/// let url = KeyUrl::new("https://example.com/jwks.json")?;
/// let found = futures_executor(Pinned("{}").get(&url));
/// assert!(found.is_ok_and(|document| document.is_some()));
/// # fn futures_executor<F: Future>(future: F) -> F::Output {
/// #     tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
/// # }
/// # Ok::<_, tower_webhook::SetupError>(())
/// ```
pub trait KeyClient: Send + Sync {
    /// Starts a `GET`. It returns `None` if the server says that there is no such document.
    fn get(&self, url: &KeyUrl) -> FetchFuture;
}

/// The future that a [`KeyClient`] returns. It borrows nothing.
pub type FetchFuture =
    Pin<Box<dyn Future<Output = Result<Option<KeyDocument>, KeySourceError>> + Send>>;

/// A document that was fetched.
#[derive(Clone)]
#[must_use]
pub struct KeyDocument {
    pub(crate) body: Bytes,
    pub(crate) max_age: Option<Duration>,
}

impl KeyDocument {
    /// The largest document that is taken, in bytes: 256 KiB. The largest key sets of providers
    /// have a tenth of it.
    pub const MAX_DOCUMENT: usize = 256 * 1024;

    /// A document with this content.
    pub fn new(body: impl Into<Bytes>) -> Self {
        Self {
            body: body.into(),
            max_age: None,
        }
    }

    /// Sets for how long the server says that the document may be kept: `max-age` of
    /// `Cache-Control`, less `Age`. It can only shorten the time for which keys are kept.
    pub fn with_max_age(mut self, age: Duration) -> Self {
        self.max_age = Some(age);
        self
    }
}

impl fmt::Debug for KeyDocument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyDocument")
            .field("length", &self.body.len())
            .field("max_age", &self.max_age)
            .finish()
    }
}
