//! HTTP/1.1 by hand, so that every byte and every pause on the wire is the table's.

use std::{io, net::SocketAddr, time::Duration};

use http::{HeaderMap, HeaderName, HeaderValue};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
};

use crate::{answer::Answer, request::Prepared, row::Framing};

/// Between the pieces of a slow body: long enough that each arrives alone.
pub(crate) const PAUSE: Duration = Duration::from_millis(40);

/// Sends a request, and gives every answer to it.
pub(crate) async fn exchange(address: SocketAddr, request: &Prepared) -> io::Result<Vec<Answer>> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (reader, mut writer) = stream.into_split();
    let mut reader = Reader {
        stream: reader,
        bytes: Vec::new(),
    };
    if let Framing::Expecting = request.framing {
        return expect(&mut reader, &mut writer, request).await;
    }
    let answers = async {
        match request.framing {
            Framing::Pipelined => Ok(vec![reader.answer().await?, reader.answer().await?]),
            Framing::Followed => reader.followed().await,
            _ => Ok(vec![reader.answer().await?]),
        }
    };
    tokio::pin!(answers);
    // A server that answers early need not read the rest.
    tokio::select! {
        answers = &mut answers => answers,
        _sent = send(&mut writer, request) => answers.await,
    }
}

async fn send(writer: &mut OwnedWriteHalf, request: &Prepared) -> io::Result<()> {
    let head = head(request, &[]);
    let whole = [&*head, &request.body].concat();
    match request.framing {
        Framing::Whole | Framing::Expecting => writer.write_all(&whole).await,
        Framing::Pipelined => writer.write_all(&[&*whole, &whole].concat()).await,
        Framing::Followed => {
            let next = b"GET /nowhere HTTP/1.1\r\nhost: conformance\r\n\r\n";
            writer.write_all(&[&*whole, next].concat()).await
        }
        Framing::Frames(size) => writer.write_all(&chunked(head, request, size, "")).await,
        Framing::Trailers(size) => {
            let trailers = "x-trailer: of nobody\r\n";
            writer
                .write_all(&chunked(head, request, size, trailers))
                .await
        }
        Framing::Slow(count) => {
            writer.write_all(&head).await?;
            for part in request.parts(count) {
                tokio::time::sleep(PAUSE).await;
                writer.write_all(&part).await?;
            }
            Ok(())
        }
        Framing::Stalled => writer.write_all(&[&*head, &request.half()].concat()).await,
        Framing::BrokenOff => {
            writer
                .write_all(&[&*head, &request.half()].concat())
                .await?;
            writer.shutdown().await
        }
        Framing::BrokenOffFrames => {
            writer.write_all(&[&*head, b"1\r\n{\r\n"].concat()).await?;
            writer.shutdown().await
        }
        Framing::Garbled => {
            writer
                .write_all(&[&*head, b"1\r\n{\r\nx\r\n"].concat())
                .await
        }
        Framing::Unsent(_) | Framing::UnsentFrames => writer.write_all(&head).await,
    }
}

/// The body follows only once it is asked for.
async fn expect(
    reader: &mut Reader,
    writer: &mut OwnedWriteHalf,
    request: &Prepared,
) -> io::Result<Vec<Answer>> {
    writer
        .write_all(&head(request, b"expect: 100-continue\r\n"))
        .await?;
    let first = reader.answer().await?;
    if first.status != Some(100) {
        return Ok(vec![first]);
    }
    writer.write_all(&request.body).await?;
    let mut answer = reader.answer().await?;
    answer.continued = true;
    Ok(vec![answer])
}

fn head(request: &Prepared, more: &[u8]) -> Vec<u8> {
    let Prepared { method, target, .. } = request;
    let mut head = format!("{method} {target} HTTP/1.1\r\nhost: conformance\r\n").into_bytes();
    for (name, value) in &request.headers {
        // HTTP/2 has them in small letters.
        head.extend_from_slice(name.as_str().to_ascii_uppercase().as_bytes());
        head.extend_from_slice(b": ");
        head.extend_from_slice(value.as_bytes());
        head.extend_from_slice(b"\r\n");
    }
    let framing = match request.declared() {
        Some(length) => format!("content-length: {length}\r\n"),
        None => "transfer-encoding: chunked\r\n".to_owned(),
    };
    [&*head, framing.as_bytes(), more, b"\r\n"].concat()
}

fn chunked(mut sent: Vec<u8>, request: &Prepared, size: usize, trailers: &str) -> Vec<u8> {
    for piece in request.pieces(size) {
        sent.extend_from_slice(format!("{:x}\r\n", piece.len()).as_bytes());
        sent.extend_from_slice(&piece);
        sent.extend_from_slice(b"\r\n");
    }
    sent.extend_from_slice(format!("0\r\n{trailers}\r\n").as_bytes());
    sent
}

/// The answers on a connection, one after the other.
struct Reader {
    stream: OwnedReadHalf,
    bytes: Vec<u8>,
}

impl Reader {
    async fn answer(&mut self) -> io::Result<Answer> {
        loop {
            if let Some((answer, length)) = parse(&self.bytes) {
                self.bytes.drain(..length);
                return Ok(answer);
            }
            if self.stream.read_buf(&mut self.bytes).await? == 0 {
                let rest = String::from_utf8_lossy(&self.bytes);
                let problem = format!("closed without an answer, after {rest:?}");
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, problem));
            }
        }
    }

    /// The answer before the one to the request for `/nowhere`. A server need not read on, but no
    /// part of a body may become a request.
    async fn followed(&mut self) -> io::Result<Vec<Answer>> {
        let mut answers = vec![self.answer().await?];
        match self.answer().await {
            Ok(next) if next.status == Some(404) => {}
            Ok(next) => answers.push(next),
            Err(_closed) => {}
        }
        Ok(answers)
    }
}

/// One answer at the start of `bytes`, and how long it is.
fn parse(bytes: &[u8]) -> Option<(Answer, usize)> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let text = std::str::from_utf8(&bytes[..end]).unwrap();
    let mut lines = text.lines();
    let status: u16 = lines.next()?[9..12].parse().unwrap();
    let mut headers = HeaderMap::new();
    for line in lines.take_while(|line| !line.is_empty()) {
        let (name, value) = line.split_once(':').unwrap();
        let name: HeaderName = name.parse().unwrap();
        headers.append(name, HeaderValue::from_str(value.trim()).unwrap());
    }
    assert!(!headers.contains_key("transfer-encoding"), "{text}");
    let length = headers.get("content-length");
    let length: usize = length.map_or(0, |length| length.to_str().unwrap().parse().unwrap());
    let body = bytes.get(end..end + length)?;
    Some((Answer::new(status, &headers, body), end + length))
}
