//! The typical handwritten verification: buffers the body, initialises the key for each request,
//! and compares hexadecimal text.

use std::sync::Arc;

use ::axum::{
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, StatusCode},
    middleware::Next,
    response::Response,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::workload::{Style, Workload};

pub const NAIVE: &str = "naive";

/// The bytes of the secret, and the style of the signatures.
#[derive(Clone)]
pub(crate) struct Naive {
    style: Style,
    secret: Arc<[u8]>,
}

impl Naive {
    pub(crate) fn new(workload: Workload) -> Self {
        let secret = workload.secret();
        let bytes = match workload.style {
            Style::GitHub => secret.into_bytes(),
            Style::Standard => STANDARD.decode(&secret["whsec_".len()..]).unwrap(),
        };
        Self {
            style: workload.style,
            secret: bytes.into(),
        }
    }
}

/// For `axum::middleware::from_fn_with_state`.
pub(crate) async fn naive(
    State(naive): State<Naive>,
    request: Request,
    next: Next,
) -> Result<Response, StatusCode> {
    let (parts, body) = request.into_parts();
    let name = match naive.style {
        Style::GitHub => "x-hub-signature-256",
        Style::Standard => "webhook-signature",
    };
    let signature = text(&parts.headers, name)?.to_owned();
    let body = to_bytes(body, 64 << 20).await;
    let body = body.map_err(|_| StatusCode::PAYLOAD_TOO_LARGE)?;
    let mut mac = Hmac::<Sha256>::new_from_slice(&naive.secret)
        .map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    let expected = match naive.style {
        Style::GitHub => {
            mac.update(&body);
            format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
        }
        Style::Standard => {
            let id = text(&parts.headers, "webhook-id")?;
            let time = text(&parts.headers, "webhook-timestamp")?;
            mac.update(format!("{id}.{time}.").as_bytes());
            mac.update(&body);
            format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
        }
    };
    if signature != expected {
        return Err(StatusCode::UNAUTHORIZED);
    }
    Ok(next.run(Request::from_parts(parts, Body::from(body))).await)
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Result<&'h str, StatusCode> {
    headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .ok_or(StatusCode::UNAUTHORIZED)
}
