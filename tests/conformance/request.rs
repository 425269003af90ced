//! From a row to what goes over the wire: the body is made, signed, and then changed on its way.

use std::{fs, sync::LazyLock};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri};
use serde_json::Value;

use support::unhex;

use crate::{
    deliveries::ROW,
    endpoints::Endpoints,
    row::{Body, Change, Framing, Row},
};

/// A request, the same for every host and protocol.
#[derive(Clone)]
pub(crate) struct Prepared {
    pub(crate) method: Method,
    pub(crate) target: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) framing: Framing,
}

impl Prepared {
    pub(crate) fn new(row: &Row, endpoints: &Endpoints) -> Self {
        let mut prepared = Self {
            method: row.method.parse().unwrap(),
            target: row.target(),
            headers: HeaderMap::new(),
            body: row.body.bytes(),
            framing: row.framing.clone(),
        };
        if let Some(vector) = &row.vector {
            prepared.take_vector(vector);
        }
        for (name, value) in &row.headers {
            prepared
                .headers
                .insert(header(name), HeaderValue::from_str(value).unwrap());
        }
        if row.vector.is_none() && !row.sign.nobody {
            let signer = endpoints.signer(&row.endpoint, &row.sign);
            let mut request = Request::builder()
                .method(&prepared.method)
                .uri(prepared.target.parse::<Uri>().unwrap());
            request.headers_mut().unwrap().clone_from(&prepared.headers);
            let signed = signer.sign_body(request, prepared.body.clone());
            let signed = signed.unwrap_or_else(|error| panic!("{}: {error}", row.name));
            let (head, body) = signed.into_parts();
            (prepared.headers, prepared.body) = (head.headers, body);
            prepared.target = head.uri.path_and_query().unwrap().to_string();
        }
        if row.delivery.is_some() {
            // Nobody signs it, and no layer looks at it: the handler tells rows apart by it.
            let name = HeaderValue::from_str(&row.name).unwrap();
            prepared.headers.insert(header(ROW), name);
        }
        for change in &row.change {
            prepared.change(change);
        }
        prepared
    }

    /// A recorded one.
    fn take_vector(&mut self, name: &str) {
        let vector = vector(name);
        self.body = match &vector["file"] {
            Value::String(file) => Body::File(file.clone()).bytes(),
            _ => vector["body"].as_str().unwrap().to_owned().into(),
        };
        for (name, value) in vector["headers"].as_object().unwrap() {
            self.headers
                .insert(header(name), value.as_str().unwrap().parse().unwrap());
        }
    }

    fn change(&mut self, change: &Change) {
        let text = |headers: &HeaderMap, name: &str| {
            let value = headers
                .get(name)
                .unwrap_or_else(|| panic!("no header {name}"));
            value.to_str().unwrap().to_owned()
        };
        let mut set = |name: &str, value: String| {
            self.headers.insert(header(name), value.parse().unwrap());
        };
        match change {
            Change::Drop(name) => {
                assert!(self.headers.remove(name).is_some(), "no header {name}");
            }
            Change::Twice(name) => {
                let value = self.headers.get(name).unwrap().clone();
                self.headers.append(header(name), value);
            }
            Change::Add(name, value) => {
                self.headers.append(header(name), value.parse().unwrap());
            }
            Change::Set(name, value) => set(name, value.clone()),
            Change::SetHex(name, bytes) => {
                let value = HeaderValue::from_bytes(&unhex(bytes)).unwrap();
                self.headers.insert(header(name), value);
            }
            Change::Rename(from, to) => {
                let value = self.headers.remove(from).unwrap();
                self.headers.insert(header(to), value);
            }
            Change::Prepend(name, before) => {
                let value = format!("{before}{}", text(&self.headers, name));
                self.headers.insert(header(name), value.parse().unwrap());
            }
            Change::Append(name, after) => {
                let value = text(&self.headers, name) + after;
                self.headers.insert(header(name), value.parse().unwrap());
            }
            Change::Multiply(name, times, between) => {
                let value = vec![text(&self.headers, name); *times].join(between);
                self.headers.insert(header(name), value.parse().unwrap());
            }
            Change::UpperCase(name) => {
                let value = text(&self.headers, name).to_ascii_uppercase();
                self.headers.insert(header(name), value.parse().unwrap());
            }
            Change::Flip(place) => {
                let mut bytes = self.body.to_vec();
                bytes[*place] ^= 1;
                self.body = bytes.into();
            }
            Change::Cut(length) => self.body.truncate(*length),
            Change::Extend(more) => self.body = [&self.body, more.as_bytes()].concat().into(),
            Change::Replace(from, to) => {
                let text = String::from_utf8(self.body.to_vec()).unwrap();
                assert!(text.contains(from), "no {from} in {text}");
                self.body = text.replacen(from, to, 1).into();
            }
        }
    }

    /// What is declared as the length of the body, if anything is.
    pub(crate) fn declared(&self) -> Option<String> {
        match &self.framing {
            Framing::Frames(_)
            | Framing::Trailers(_)
            | Framing::BrokenOffFrames
            | Framing::Garbled
            | Framing::UnsentFrames => None,
            Framing::Unsent(length) => Some(length.clone()),
            _ => Some(self.body.len().to_string()),
        }
    }

    /// The body in pieces of so many bytes.
    pub(crate) fn pieces(&self, size: usize) -> impl Iterator<Item = Bytes> {
        self.body
            .chunks(size.max(1))
            .map(|piece| self.body.slice_ref(piece))
    }

    /// The body in so many pieces.
    pub(crate) fn parts(&self, count: usize) -> impl Iterator<Item = Bytes> {
        self.pieces(self.body.len().div_ceil(count))
    }

    pub(crate) fn half(&self) -> Bytes {
        self.body.slice(..self.body.len() / 2)
    }
}

impl Body {
    fn bytes(&self) -> Bytes {
        match self {
            Self::Text(text) => text.clone().into(),
            Self::Hex(digits) => unhex(digits).into(),
            Self::Repeat(text, times) => text.repeat(*times).into(),
            Self::File(name) => fs::read(format!("{VECTORS}/seeds/{name}")).unwrap().into(),
            Self::Multipart(size) => multipart(*size),
        }
    }
}

/// `seeds/FILE/ID` or `schemes/PROVIDER/NUMBER`.
fn vector(name: &str) -> Value {
    let words: Vec<&str> = name.split('/').collect();
    let find = |list: &Value, id: &str| {
        let mut list = list.as_array().unwrap().iter();
        let found = list.find(|entry| entry["id"] == id);
        found.unwrap_or_else(|| panic!("no vector {name}")).clone()
    };
    match *words {
        ["seeds", file, id] => find(&read(&format!("seeds/{file}"))["vectors"], id),
        ["schemes", provider, number] => {
            let number: usize = number.parse().unwrap();
            find(&SCHEMES["providers"], provider)["test_vectors"][number].take()
        }
        _ => panic!("{name} is neither seeds/FILE/ID nor schemes/PROVIDER/NUMBER"),
    }
}

static SCHEMES: LazyLock<Value> = LazyLock::new(|| read("schemes"));

fn read(file: &str) -> Value {
    let text = fs::read_to_string(format!("{VECTORS}/{file}.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

const VECTORS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/vectors");

fn header(name: &str) -> HeaderName {
    name.parse().unwrap()
}

/// What Authenteq sends for three documents.
fn multipart(size: usize) -> Bytes {
    const RESULT: &str =
        r#"{"id":"session-12","status":"PASSED","documentData":{"documentType":"PP"}}"#;
    let image: Vec<u8> = (0..size / 9).map(|n| (n % 251) as u8).collect();
    let mut body =
        format!("--b\r\nContent-Disposition: form-data; name=\"result\"\r\n\r\n{RESULT}\r\n")
            .into_bytes();
    for number in ["", "2", "3"] {
        for name in ["croppedFrontImage", "croppedBackImage", "faceImage"] {
            let head = format!(
                "--b\r\nContent-Disposition: form-data; name=\"{name}{number}\"; filename=\"{name}{number}.jpg\"\r\n\
                 Content-Type: image/jpeg\r\n\r\n"
            );
            body.extend_from_slice(head.as_bytes());
            body.extend_from_slice(&image);
            body.extend_from_slice(b"\r\n");
        }
    }
    body.extend_from_slice(b"--b--\r\n");
    body.into()
}
