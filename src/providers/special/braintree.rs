//! Braintree: HMAC of a payload in a form, next to the public key of its account.

use std::{borrow::Cow, sync::Arc};

use bytes::Bytes;

use crate::{
    crypto::encoding::{decode_hex, encode_hex},
    error::SetupError,
    form,
    provider::Provider,
    rejection::{Reason, kind::RejectionKind},
    scheme::{
        algorithm::Algorithm,
        definition::Scheme,
        encoding::Encoding,
        params::{Params, parameter},
        secret_format::{Derivation, SecretFormat},
        signature::SignatureFormat,
        special::{Draft, Special, SpecialHead, SpecialRequest, SpecialScheme, Statement},
    },
};

const SIGNATURE: &str = "bt_signature";
const PAYLOAD: &str = "bt_payload";
const PUBLIC_KEY: &str = "public_key";
/// More pairs of key and signature would let one request cost too much.
const MAX_PAIRS: usize = SignatureFormat::MAX_SIGNATURES;

pub(super) fn provider() -> Provider {
    let signature = SignatureFormat::found_by_code(Encoding::Hex);
    let scheme = Scheme::signed(Algorithm::HmacSha1, "", signature)
        .with_secret_format(SecretFormat::text().with_derivation(Derivation::Sha1))
        .with_special(Special(Arc::new(Braintree)));
    Provider::new("braintree", scheme)
        .with_docs("https://developer.paypal.com/braintree/docs/guides/webhooks/parse")
}

#[derive(Debug)]
struct Braintree;

impl SpecialScheme for Braintree {
    fn params(&self) -> Vec<Cow<'static, str>> {
        vec![PUBLIC_KEY.into()]
    }

    fn check(&self, params: &Params) -> Result<(), SetupError> {
        parameter(params, PUBLIC_KEY).map(drop)
    }

    fn signs_within_body(&self) -> bool {
        true
    }

    fn read(&self, head: &SpecialHead<'_>) -> Result<SpecialRequest, Reason> {
        let public_key = head.param(PUBLIC_KEY).unwrap_or_default().to_owned();
        Ok(SpecialRequest {
            time: None,
            statements: Box::new(move |body| statement(body, &public_key)),
        })
    }

    fn sign(&self, draft: &mut Draft<'_>) -> Result<(), String> {
        let form = form::parse(&draft.body).map_err(|error| error.to_string())?;
        let payload = form.get(PAYLOAD).map_err(|error| error.to_string())?;
        let signature = encode_hex(&(draft.key)(payload.as_bytes())?);
        let public_key = draft.params.get(PUBLIC_KEY).map_or("", |key| &**key);
        let mut fields = form_urlencoded::Serializer::new(String::new());
        fields.append_pair(SIGNATURE, &format!("{public_key}|{signature}"));
        fields.append_pair(PAYLOAD, payload);
        draft.body = Bytes::from(fields.finish());
        Ok(())
    }
}

fn statement(body: &[u8], public_key: &str) -> Result<Vec<Statement>, Reason> {
    let malformed = || Reason::new(RejectionKind::MalformedBody);
    let form = form::parse(body).map_err(|_| malformed())?;
    let field = |name: &str| {
        let field = form
            .optional(name)
            .map_err(|_| Reason::new(RejectionKind::RepeatedField).with_field(name))?;
        field.ok_or_else(|| Reason::new(RejectionKind::MissingField).with_field(name))
    };
    let (pairs, payload) = (field(SIGNATURE)?, field(PAYLOAD)?);
    // Nothing else is signed.
    if form.iter().count() > 2 {
        return Err(malformed());
    }
    let is_payload = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=\n".contains(&byte);
    if payload.is_empty() || !payload.bytes().all(is_payload) {
        return Err(malformed());
    }
    let refused = |kind| Reason::new(kind).with_field(SIGNATURE);
    if pairs.split('&').count() > MAX_PAIRS {
        return Err(refused(RejectionKind::TooManySignatures));
    }
    let ours = pairs.split('&').filter_map(|pair| {
        let (key, signature) = pair.split_once('|')?;
        (key == public_key).then(|| decode_hex(signature))?
    });
    let ours: Vec<_> = ours.collect();
    if ours.is_empty() {
        return Err(refused(RejectionKind::MalformedSignature));
    }
    // A form may lose the line feed at the end.
    let contents = vec![
        payload.as_bytes().to_vec(),
        format!("{payload}\n").into_bytes(),
    ];
    Ok(vec![Statement {
        contents,
        signatures: Some(ours),
        identity: Some(payload.trim_end_matches('\n').as_bytes().to_vec()),
        ..Statement::default()
    }])
}
