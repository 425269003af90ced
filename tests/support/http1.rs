//! HTTP/1.1 as text, for tests that send and read it byte by byte.

use bytes::Bytes;
use http::Request;

/// The head of a request, up to and with the empty line.
pub fn head<B>(request: &Request<B>, more: &[&str]) -> String {
    let mut text = format!("POST {} HTTP/1.1\r\nhost: localhost\r\n", request.uri());
    for (name, value) in request.headers() {
        text += &format!("{name}: {}\r\n", value.to_str().unwrap());
    }
    for line in more {
        text += &format!("{line}\r\n");
    }
    text + "\r\n"
}

/// A request whose body has a declared length.
pub fn whole(request: &Request<Bytes>) -> Vec<u8> {
    let length = format!("content-length: {}", request.body().len());
    [head(request, &[&length]).as_bytes(), request.body()].concat()
}

/// An answer, with as much body as its head declares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    pub status: u16,
    /// In lower case, sorted, without the date.
    pub headers: Vec<String>,
    pub body: String,
}

impl Reply {
    /// One with these headers and no body.
    pub fn empty(status: u16, headers: &[&str]) -> Self {
        let mut headers: Vec<String> = headers.iter().map(ToString::to_string).collect();
        headers.push("content-length: 0".to_owned());
        headers.sort();
        Self {
            status,
            headers,
            body: String::new(),
        }
    }

    /// The first answer in these bytes without the header `ignored`, and how long it is.
    pub fn parse(bytes: &[u8], ignored: &str) -> Option<(Self, usize)> {
        let text = std::str::from_utf8(bytes).unwrap();
        let (head, body) = text.split_once("\r\n\r\n")?;
        let mut lines = head.lines();
        let status = lines.next().unwrap();
        let status = status.strip_prefix("HTTP/1.1 ").expect("an answer");
        let status = status[..3].parse().unwrap();
        let mut headers: Vec<String> = lines.map(str::to_ascii_lowercase).collect();
        let length = |line: &String| line.strip_prefix("content-length: ")?.parse().ok();
        let length = headers.iter().find_map(length).unwrap_or(0);
        let body = body.get(..length)?.to_owned();
        headers.retain(|line| {
            let (name, _) = line.split_once(": ").unwrap();
            name != "date" && name != ignored
        });
        headers.sort();
        let reply = Self {
            status,
            headers,
            body,
        };
        Some((reply, head.len() + 4 + length))
    }
}
