//! [`Workload`] describes a request. [`Sample`] is one, signed without the crate under test.

use std::{
    fmt,
    time::{SystemTime, UNIX_EPOCH},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, HeaderName, HeaderValue, Request};
use sha2::Sha256;
use tower_webhook::{Provider, Secret, Verifier, providers};

use crate::body::Frames;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    GitHub,
    Standard,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Accepted,
    /// The request has no signature.
    RefusedByHead,
    /// The signature belongs to different content.
    RefusedByHash,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Workload {
    pub style: Style,
    pub size: usize,
    /// The size of a frame; if `None`, the body is one frame.
    pub frame: Option<usize>,
    pub declared: bool,
    pub outcome: Outcome,
    /// The number of valid keys. The last one made the signature.
    pub keys: usize,
    /// The number of signatures, if the scheme allows several. The last one is correct.
    pub signatures: usize,
    /// Whether each frame is a separate allocation, as it is behind a server.
    pub fresh: bool,
}

impl Workload {
    /// An accepted request in one frame of declared length, with one key.
    pub const fn of(style: Style, size: usize) -> Self {
        Self {
            style,
            size,
            frame: None,
            declared: true,
            outcome: Outcome::Accepted,
            keys: 1,
            signatures: 1,
            fresh: false,
        }
    }

    pub const fn in_frames(mut self, frame: usize) -> Self {
        self.frame = Some(frame);
        self
    }

    pub const fn undeclared(mut self) -> Self {
        self.declared = false;
        self
    }

    pub const fn ending(mut self, outcome: Outcome) -> Self {
        self.outcome = outcome;
        self
    }

    pub const fn with_keys(mut self, keys: usize) -> Self {
        self.keys = keys;
        self
    }

    pub const fn fresh(mut self) -> Self {
        self.fresh = true;
        self
    }

    pub const fn with_signatures(mut self, signatures: usize) -> Self {
        self.signatures = signatures;
        self
    }
}

/// Formats a size: 71 B, 1 KiB, 16 MiB.
pub fn bytes(size: usize) -> String {
    match size {
        0..1024 => format!("{size} B"),
        1024..1_048_576 => format!("{} KiB", size >> 10),
        _ => format!("{} MiB", size >> 20),
    }
}

impl fmt::Display for Workload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let style = match self.style {
            Style::GitHub => "GitHub",
            Style::Standard => "Standard Webhooks",
        };
        write!(f, "{style}, {}", bytes(self.size))?;
        match self.frame {
            None => write!(f, ", one frame")?,
            Some(frame) => write!(f, " in {} frames", bytes(frame))?,
        }
        if !self.declared {
            write!(f, ", no Content-Length")?;
        }
        if self.keys > 1 {
            write!(f, ", {} keys", self.keys)?;
        }
        if self.signatures > 1 {
            write!(f, ", {} signatures", self.signatures)?;
        }
        match self.outcome {
            Outcome::Accepted => Ok(()),
            Outcome::RefusedByHead => write!(f, ", refused by the head"),
            Outcome::RefusedByHash => write!(f, ", refused by the hash"),
        }
    }
}

/// One request of a workload.
#[derive(Clone)]
pub struct Sample {
    pub workload: Workload,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Sample {
    pub fn new(workload: Workload) -> Self {
        Self::numbered(workload, 0)
    }

    /// Each number is a different delivery, with a different body and id.
    pub fn numbered(workload: Workload, number: u64) -> Self {
        let mut body = vec![b'x'; workload.size];
        body[0] = b'"';
        body[1..17].copy_from_slice(format!("{number:016x}").as_bytes());
        body[workload.size - 1] = b'"';
        let id = format!("msg_2KWPBgLlAfxdpx2AI54p{number:016x}");
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let time = now.as_secs().to_string();
        let mut headers = HeaderMap::new();
        let mut put = |name: &'static str, value: &str| {
            let value = HeaderValue::from_str(value).unwrap();
            headers.insert(HeaderName::from_static(name), value);
        };
        put("host", "hooks.example.org");
        put("user-agent", "Hookshot/044aadd");
        put("accept", "*/*");
        put("content-type", "application/json");
        match workload.declared {
            true => put("content-length", &workload.size.to_string()),
            false => put("transfer-encoding", "chunked"),
        }
        let signed = match workload.outcome {
            Outcome::RefusedByHash => &body[1..],
            _ => &body[..],
        };
        let mut mac = workload.mac();
        match workload.style {
            Style::GitHub => {
                put("x-github-event", "push");
                put("x-github-delivery", "72d3162e-cc78-11e3-81ab-4c9367dc0958");
                mac.update(signed);
                let tag = hex::encode(mac.finalize().into_bytes());
                put("x-hub-signature-256", &format!("sha256={tag}"));
            }
            Style::Standard => {
                put("webhook-id", &id);
                put("webhook-timestamp", &time);
                mac.update(format!("{id}.{time}.").as_bytes());
                mac.update(signed);
                let tag = STANDARD.encode(mac.finalize().into_bytes());
                let wrong = format!("v1,{} ", STANDARD.encode([7; 32]));
                let wrong = wrong.repeat(workload.signatures - 1);
                put("webhook-signature", &format!("{wrong}v1,{tag}"));
            }
        }
        if workload.outcome == Outcome::RefusedByHead {
            headers.remove("x-hub-signature-256");
            headers.remove("webhook-signature");
        }
        Self {
            workload,
            headers,
            body: body.into(),
        }
    }

    pub fn frames(&self) -> Frames {
        let Workload {
            frame,
            declared,
            fresh,
            ..
        } = self.workload;
        Frames::new(self.body.clone(), frame, declared, fresh)
    }

    pub fn request<B>(&self, body: impl FnOnce(Frames) -> B) -> Request<B> {
        let mut request = Request::post("/hook").body(body(self.frames())).unwrap();
        *request.headers_mut() = self.headers.clone();
        request
    }

    /// The signed content before the body.
    pub fn prefix(&self) -> Vec<u8> {
        match self.workload.style {
            Style::GitHub => Vec::new(),
            Style::Standard => {
                let (id, time) = (
                    &self.headers["webhook-id"],
                    &self.headers["webhook-timestamp"],
                );
                [id.as_bytes(), b".", time.as_bytes(), b"."].concat()
            }
        }
    }
}

impl Workload {
    /// A secret as the provider shows it, and its decoded bytes.
    fn key(&self, index: usize) -> (String, Vec<u8>) {
        let key: Vec<u8> = (0..24)
            .map(|byte| byte * 7 + index as u8 * 31 + 65)
            .collect();
        match self.style {
            Style::GitHub => {
                let text = hex::encode(&key);
                (text.clone(), text.into_bytes())
            }
            Style::Standard => (format!("whsec_{}", STANDARD.encode(&key)), key),
        }
    }

    /// The secret that makes the signature.
    pub fn secret(&self) -> String {
        self.key(self.keys - 1).0
    }

    /// The initialised HMAC state of each key.
    pub fn macs(&self) -> Vec<Hmac<Sha256>> {
        let keys = (0..self.keys).map(|index| self.key(index).1);
        keys.map(|key| Hmac::new_from_slice(&key).unwrap())
            .collect()
    }

    /// The state of the key that makes the signature.
    pub fn mac(&self) -> Hmac<Sha256> {
        self.macs().pop().unwrap()
    }

    pub fn provider(&self) -> Provider {
        match self.style {
            Style::GitHub => providers::github(),
            Style::Standard => providers::standard_webhooks(),
        }
    }

    /// The provider of this crate.
    pub fn verifier(&self) -> Verifier {
        let secrets: Vec<_> = (0..self.keys)
            .map(|index| Secret::new(self.key(index).0))
            .collect();
        Verifier::new(self.provider(), secrets)
            .unwrap()
            .with_max_body(64 << 20)
    }
}
