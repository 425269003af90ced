//! Paddle Classic: RSA of the fields of a form, as PHP serialises them.

use std::{borrow::Cow, sync::Arc};

use base64::{Engine, engine::general_purpose::STANDARD};

use crate::{
    error::SetupError,
    form,
    provider::Provider,
    rejection::{Reason, kind::RejectionKind},
    scheme::{
        algorithm::Algorithm,
        definition::Scheme,
        encoding::Encoding,
        locator::Locator,
        params::Params,
        signature::SignatureFormat,
        special::{Draft, Special, SpecialHead, SpecialRequest, SpecialScheme, Statement},
    },
};

const SIGNATURE: &str = "p_signature";

pub(super) fn provider() -> Provider {
    let mut signature = SignatureFormat::single("", Encoding::Base64);
    signature.places.clear();
    let scheme = Scheme::signed(Algorithm::RsaPkcs1Sha1, "", signature)
        .with_special(Special(Arc::new(PaddleClassic)));
    Provider::new("paddle-classic", scheme)
        .with_docs("https://developer.paddle.com/classic/webhook-reference/verifying-webhooks")
        .with_event_type(Locator::form("alert_name"))
        .with_delivery_id(Locator::form("alert_id"))
}

#[derive(Debug)]
struct PaddleClassic;

impl SpecialScheme for PaddleClassic {
    fn params(&self) -> Vec<Cow<'static, str>> {
        Vec::new()
    }

    fn check(&self, _: &Params) -> Result<(), SetupError> {
        Ok(())
    }

    fn signs_within_body(&self) -> bool {
        true
    }

    fn read(&self, _: &SpecialHead<'_>) -> Result<SpecialRequest, Reason> {
        Ok(SpecialRequest {
            time: None,
            statements: Box::new(statement),
        })
    }

    fn sign(&self, _: &mut Draft<'_>) -> Result<(), String> {
        Err(
            "SHA-1 is no longer safe to sign; record a request of the provider for the test"
                .to_owned(),
        )
    }
}

fn statement(body: &[u8]) -> Result<Vec<Statement>, Reason> {
    let form = form::parse(body).map_err(|_| Reason::new(RejectionKind::MalformedBody))?;
    let refused = |kind| Reason::new(kind).with_field(SIGNATURE);
    let signature = form.optional(SIGNATURE);
    let signature = signature.map_err(|_| refused(RejectionKind::RepeatedField))?;
    let signature = signature.ok_or_else(|| refused(RejectionKind::MissingField))?;
    let signature = STANDARD.decode(signature).ok();
    let signature = signature.ok_or_else(|| refused(RejectionKind::MalformedSignature))?;
    let fields = form.iter().filter(|(name, _)| *name != SIGNATURE);
    let mut fields: Vec<_> = fields.collect();
    fields.sort_unstable();
    let is_repeated =
        |pair: &[(&str, &str)]| matches!(pair, [(one, _), (other, _)] if one == other);
    if fields.windows(2).any(is_repeated) {
        return Err(Reason::new(RejectionKind::MalformedBody));
    }
    let text = |text: &str| format!("s:{}:\"{text}\";", text.len());
    let items: String = fields
        .iter()
        .flat_map(|(name, value)| [text(name), text(value)])
        .collect();
    Ok(vec![Statement {
        contents: vec![format!("a:{}:{{{items}}}", fields.len()).into_bytes()],
        signatures: Some(vec![signature]),
        key_id: None,
        identity: None,
    }])
}
