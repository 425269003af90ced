//! Servers and a client on loopback, for tests that put the layer under other hosts.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt, Either, Full};
use hyper::body::Incoming;
use hyper_util::{
    client::legacy::Client,
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
    service::TowerToHyperService,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tower::{BoxError, Service};
use tower_webhook::VerifiedEvent;

/// Serves HTTP/1.1 and HTTP/2 with hyper alone. Gives the address as `http://127.0.0.1:PORT`.
pub async fn serve<S, R>(service: S) -> String
where
    S: Service<Request<Incoming>, Response = Response<R>> + Clone + Send + 'static,
    S::Error: Into<BoxError>,
    S::Future: Send,
    R: Body<Data: Send, Error: Into<BoxError>> + Send + 'static,
{
    let (listener, address) = listen().await;
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let service = TowerToHyperService::new(service.clone());
            tokio::spawn(async move {
                // A client that goes away in the middle of a request is part of some tests.
                let _ = auto::Builder::new(TokioExecutor::new())
                    .serve_connection(TokioIo::new(stream), service)
                    .await;
            });
        }
    });
    address
}

/// A listener on a free port, and its address as `http://127.0.0.1:PORT`.
pub async fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    (listener, address)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    Http1,
    Http2,
}

/// An answer, read to its end.
#[derive(Debug)]
pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

/// Sends a request to `url`, whatever address it names itself.
pub async fn send<B>(protocol: Protocol, url: &str, mut request: Request<B>) -> Reply
where
    B: Body<Data: Send, Error: Into<BoxError>> + Send + Unpin + 'static,
{
    *request.uri_mut() = url.parse().unwrap();
    let client = Client::builder(TokioExecutor::new())
        .http2_only(protocol == Protocol::Http2)
        .build_http();
    let (head, body) = client.request(request).await.unwrap().into_parts();
    Reply {
        status: head.status,
        headers: head.headers,
        body: body.collect().await.unwrap().to_bytes(),
    }
}

/// [`send`] over HTTP/1.1, of a body whose length is declared.
pub async fn post(url: &str, request: Request<Bytes>) -> Reply {
    send(Protocol::Http1, url, request.map(Full::new)).await
}

/// Sends the head of a request that promises one byte more than it brings, and waits for the status
/// of the answer.
pub async fn trickle(url: &str, request: Request<Bytes>) -> u16 {
    let address = url.strip_prefix("http://").unwrap();
    let (address, path) = address.split_once('/').unwrap_or((address, ""));
    let mut stream = TcpStream::connect(address).await.unwrap();
    let length = request.body().len().saturating_add(1);
    let mut head =
        format!("POST /{path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n");
    for (name, value) in request.headers() {
        head.push_str(&format!("{name}: {}\r\n", value.to_str().unwrap()));
    }
    head.push_str("\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(request.body()).await.unwrap();
    let mut line = Vec::new();
    while !line.ends_with(b"\r\n") {
        line.push(stream.read_u8().await.unwrap());
    }
    let line = String::from_utf8(line).unwrap();
    line.split(' ').nth(1).unwrap().parse().unwrap()
}

/// Answers with 202 and the event's body, or 409 where the host hands on another body than the one
/// that was verified.
pub async fn echo<B>(request: Request<B>) -> Result<Response<Full<Bytes>>, Infallible>
where
    B: Body<Error: Into<BoxError>>,
{
    let event = match VerifiedEvent::<Bytes>::from_extensions(request.extensions()) {
        Ok(event) => event,
        Err(rejection) => return Ok(rejection.to_response().map(|()| Default::default())),
    };
    let body = request.into_body().collect().await;
    let body = body.map_err(Into::into).unwrap().to_bytes();
    let same = body == event.body();
    let mut response = Response::new(Full::new(event.into_payload()));
    *response.status_mut() = if same {
        StatusCode::ACCEPTED
    } else {
        StatusCode::CONFLICT
    };
    Ok(response)
}

/// A body that came in, or the one that was verified: what makes the layer work on bodies that are
/// not `From<Bytes>`.
pub struct Mapped<B>(Either<B, Full<Bytes>>);

impl<B> Mapped<B> {
    pub fn new(body: B) -> Self {
        Self(Either::Left(body))
    }
}

impl<B> From<Bytes> for Mapped<B> {
    fn from(bytes: Bytes) -> Self {
        Self(Either::Right(Full::new(bytes)))
    }
}

impl<B: Body<Data = Bytes, Error: Into<BoxError>> + Unpin> Body for Mapped<B> {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        Pin::new(&mut self.0).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.size_hint()
    }
}
