//! [`Forward`]: passes genuine requests on.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, Uri, header::HOST, request::Parts};
use http_body_util::Full;

use crate::{
    client::Client,
    failure::Result,
    request::{destination, without_hop_by_hop},
};

/// Where genuine requests are passed on to.
#[derive(Clone)]
pub(crate) struct Forward {
    base: Uri,
    client: Client,
}

impl Forward {
    pub(crate) fn new(base: Uri, timeout: Duration) -> Result<Self> {
        let client = Client::new(timeout)?;
        Ok(Self { base, client })
    }

    /// Sends the exact bytes with the headers that came, and returns the answer. An error is the
    /// sentence to show; the sender gets 502 then.
    pub(crate) async fn send(
        &self,
        head: &Parts,
        body: Bytes,
    ) -> (
        Response<Full<Bytes>>,
        std::result::Result<StatusCode, String>,
    ) {
        let failed = |problem: String| {
            let mut response = Response::new(Full::default());
            *response.status_mut() = StatusCode::BAD_GATEWAY;
            (response, Err(problem))
        };
        let mut request = Request::new(body);
        *request.method_mut() = head.method.clone();
        let target = head
            .uri
            .path_and_query()
            .map_or("/", |target| target.as_str());
        match destination(&self.base, target) {
            Ok(uri) => *request.uri_mut() = uri,
            Err(failure) => return failed(failure.message().to_owned()),
        }
        *request.headers_mut() = head.headers.clone();
        without_hop_by_hop(request.headers_mut());
        // A service that signs or checks addresses needs the one that the sender used.
        if let Some(host) = head.headers.get(HOST)
            && !head.headers.contains_key("x-forwarded-host")
        {
            request
                .headers_mut()
                .insert("x-forwarded-host", host.clone());
            let proto = HeaderValue::from_static("http");
            request
                .headers_mut()
                .entry("x-forwarded-proto")
                .or_insert(proto);
        }
        /// The longest answer that is passed back.
        const MOST: usize = 1 << 20;
        match self.client.send(request, MOST).await {
            Ok(answer) => {
                let mut response = Response::new(Full::new(answer.body));
                *response.status_mut() = answer.status;
                *response.headers_mut() = answer.headers;
                without_hop_by_hop(response.headers_mut());
                (response, Ok(answer.status))
            }
            Err(failure) => failed(failure.message().to_owned()),
        }
    }
}
