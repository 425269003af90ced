//! HTTP/2 in clear text, without an upgrade, by hyper's client.

use std::{io, net::SocketAddr};

use http::{HeaderMap, HeaderValue, Request, Version};
use http_body_util::BodyExt;
use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo};
use support::{Rest, Step, TestBody};
use tokio::net::TcpStream;

use crate::{answer::Answer, http1::PAUSE, request::Prepared, row::Framing};

/// Sends a request, and gives every answer to it.
pub(crate) async fn exchange(address: SocketAddr, request: &Prepared) -> io::Result<Vec<Answer>> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let handshake = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await;
    let (sender, connection) = handshake.map_err(io::Error::other)?;
    // It ends when the last request on it does.
    drop(tokio::spawn(connection));
    if let Framing::Pipelined = request.framing {
        let other = sender.clone();
        let (first, second) = tokio::join!(send(sender, request), send(other, request));
        return Ok(vec![first?, second?]);
    }
    Ok(vec![send(sender, request).await?])
}

async fn send(mut sender: SendRequest<TestBody>, request: &Prepared) -> io::Result<Answer> {
    let target = &request.target;
    let uri = match target.starts_with('/') {
        true => format!("http://conformance{target}"),
        false => target.clone(),
    };
    let mut head = Request::new(body(request));
    *head.method_mut() = request.method.clone();
    *head.uri_mut() = uri.parse().unwrap();
    *head.version_mut() = Version::HTTP_2;
    *head.headers_mut() = request.headers.clone();
    if let Some(length) = request.declared() {
        let length = HeaderValue::from_str(&length).unwrap();
        head.headers_mut().insert("content-length", length);
    }
    sender.ready().await.map_err(io::Error::other)?;
    let response = sender.send_request(head).await.map_err(io::Error::other)?;
    let (head, body) = response.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    Ok(Answer::new(head.status.as_u16(), &head.headers, &body))
}

fn body(request: &Prepared) -> TestBody {
    let frames = |size| request.pieces(size).map(Step::Data).collect::<Vec<_>>();
    match request.framing {
        Framing::Whole | Framing::Pipelined => TestBody::from(request.body.clone()),
        Framing::Frames(size) => TestBody::new(frames(size)),
        Framing::Trailers(size) => {
            let trailer = (
                "x-trailer".parse().unwrap(),
                HeaderValue::from_static("of nobody"),
            );
            let trailers = Step::Trailers(HeaderMap::from_iter([trailer]));
            TestBody::new(frames(size).into_iter().chain([trailers]))
        }
        Framing::Slow(count) => {
            let parts = request
                .parts(count)
                .flat_map(|part| [Step::Wait(PAUSE), Step::Data(part)]);
            TestBody::new(parts)
        }
        Framing::Stalled => TestBody::new([Step::Data(request.half())]).then(Rest::Hang),
        Framing::BrokenOff | Framing::BrokenOffFrames => {
            // The half has to be with the server before the stream is reset.
            let (half, wait) = (Step::Data(request.half()), Step::Wait(4 * PAUSE));
            TestBody::new([half, wait, Step::Error])
        }
        Framing::Unsent(_) | Framing::UnsentFrames => {
            TestBody::new([] as [Step; 0]).then(Rest::Hang)
        }
        Framing::Garbled | Framing::Expecting | Framing::Followed => {
            panic!("this framing is one of HTTP/1.1")
        }
    }
}
