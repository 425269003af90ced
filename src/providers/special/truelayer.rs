//! TrueLayer: a detached JSON Web Signature of the method, the path, named headers and the body.

use std::{borrow::Cow, sync::Arc};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::{
    clock::UnixTime,
    keys::published::PublishedKeys,
    provider::Provider,
    rejection::{Reason, kind::RejectionKind},
    scheme::{
        algorithm::Algorithm,
        definition::Scheme,
        encoding::Encoding,
        jwt::Token,
        signature::SignatureFormat,
        special::{
            Draft, Freshness, Special, SpecialHead, SpecialRequest, SpecialScheme, Statement,
        },
        timestamp::{TimeUnit, Tolerance},
    },
};

const SIGNATURE: &str = "Tl-Signature";
const TIME: &str = "X-TL-Webhook-Timestamp";
/// The parameter with the address of the keys.
const JKU: &str = "jku";
/// The token is signed in this version.
const VERSION: &str = "2";
/// More headers would let one request cost too much.
const MAX_HEADERS: usize = 32;

pub(super) fn provider() -> Provider {
    let signature = SignatureFormat::single(SIGNATURE, Encoding::Base64Url);
    let scheme = Scheme::signed(Algorithm::EcdsaP521Sha512Fixed, "", signature)
        .with_special(Special(Arc::new(TrueLayer)));
    Provider::new("truelayer", scheme)
        .with_docs("https://docs.truelayer.com/docs/webhook-notifications")
        .with_param(JKU, "https://webhooks.truelayer.com/.well-known/jwks")
        .with_published_keys(PublishedKeys::SetOfParam(JKU))
}

#[derive(Debug)]
struct TrueLayer;

impl SpecialScheme for TrueLayer {
    fn params(&self) -> Vec<Cow<'static, str>> {
        vec![JKU.into()]
    }

    fn tolerance(&self) -> Option<Tolerance> {
        Some(Tolerance::off())
    }

    fn has_plain_signature(&self) -> bool {
        false
    }

    #[cfg(feature = "tower")]
    fn signs_request_line(&self) -> bool {
        true
    }

    fn covers_bytes(&self) -> bool {
        true
    }

    fn read(&self, head: &SpecialHead<'_>) -> Result<SpecialRequest, Reason> {
        let value = head.header(SIGNATURE)?;
        let malformed = || super::malformed_signature(SIGNATURE, value);
        let token = Token::parse(value).filter(|token| token.payload.is_empty());
        let token = token.ok_or_else(malformed)?;
        let entry = |name: &str| token.header.get(name).and_then(Value::as_str);
        if entry("alg") != Some("ES512") {
            return Err(malformed().with_field("alg"));
        }
        let unexpected = |name| Reason::new(RejectionKind::UnexpectedClaim).with_field(name);
        if token.header.contains_key("crit") {
            return Err(unexpected("crit"));
        }
        if entry("tl_version") != Some(VERSION) {
            return Err(unexpected("tl_version"));
        }
        // The keys are those of the endpoint, whatever a token says; but one that names others is
        // not meant for it.
        if token.header.contains_key(JKU) && entry(JKU) != head.param(JKU) {
            return Err(unexpected(JKU));
        }
        let time = time(head)?;
        let names = entry("tl_headers").unwrap_or_default();
        let headers = signed_headers(head, names)?;
        let key_id: Option<Box<str>> = entry("kid").map(Into::into);
        let path = head.head.path;
        let other = match path.strip_suffix('/') {
            Some(shorter) => shorter.to_owned(),
            None => format!("{path}/"),
        };
        let method = head.head.method;
        let before = [path, &other].map(|path| format!("{method} {path}\n{headers}"));
        let (signed, signature) = (token.signed.to_owned(), token.signature);
        Ok(SpecialRequest {
            time: Some(time),
            statements: Box::new(move |body| {
                let content = |before: &String| {
                    let payload = URL_SAFE_NO_PAD.encode([before.as_bytes(), body].concat());
                    [signed.as_bytes(), payload.as_bytes()].concat()
                };
                Ok(vec![Statement {
                    contents: before.iter().map(content).collect(),
                    signatures: Some(vec![signature.clone()]),
                    key_id: key_id.clone(),
                    ..Statement::default()
                }])
            }),
        })
    }

    fn sign(&self, draft: &mut Draft<'_>) -> Result<(), String> {
        let now = TimeUnit::Rfc3339.format(draft.now);
        draft.provide(TIME, &now.unwrap_or_default())?;
        let time = draft.head.headers.get(TIME);
        let time = time.and_then(|time| time.to_str().ok()).unwrap_or_default();
        let jku = draft.params.get(JKU).map_or("", |jku| &**jku);
        let header = json!({
            "alg": "ES512", "kid": draft.key_id.unwrap_or("1"), "tl_version": VERSION, "tl_headers": TIME, "jku": jku
        });
        let header = URL_SAFE_NO_PAD.encode(header.to_string());
        let (method, path) = (&draft.head.method, draft.head.uri.path());
        let before = format!("{method} {path}\n{TIME}: {time}\n");
        let payload = URL_SAFE_NO_PAD.encode([before.as_bytes(), &draft.body].concat());
        let signature = (draft.key)(format!("{header}.{payload}").as_bytes())?;
        let signature = URL_SAFE_NO_PAD.encode(signature);
        draft.set(SIGNATURE, &format!("{header}..{signature}"))
    }
}

/// The time of the attempt, which has to be signed.
fn time(head: &SpecialHead<'_>) -> Result<UnixTime, Reason> {
    let refused = |kind| Reason::new(kind).about(&TIME.into());
    let time = TimeUnit::Rfc3339.parse(head.header(TIME)?);
    let time = time.ok_or_else(|| refused(RejectionKind::MalformedTimestamp))?;
    Freshness::of(head).check(time, refused)
}

/// The lines of the signed headers, in the order and the spelling of the token.
fn signed_headers(head: &SpecialHead<'_>, names: &str) -> Result<String, Reason> {
    let names = names.split(',').map(str::trim);
    let names: Vec<&str> = names.filter(|name| !name.is_empty()).collect();
    let has_time = names.iter().any(|name| name.eq_ignore_ascii_case(TIME));
    if !has_time || names.len() > MAX_HEADERS {
        return Err(Reason::new(RejectionKind::UnexpectedClaim).with_field("tl_headers"));
    }
    let lines = names
        .iter()
        .map(|name| Ok(format!("{name}: {}\n", head.header(name)?)));
    lines.collect()
}
