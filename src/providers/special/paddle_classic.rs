//! Paddle Classic: RSA of the fields of a form, as PHP serialises them.

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::STANDARD};

use crate::{
    provider::Provider,
    providers::special::fields,
    rejection::{Reason, kind::RejectionKind},
    scheme::{
        algorithm::Algorithm,
        definition::Scheme,
        encoding::Encoding,
        locator::Locator,
        signature::SignatureFormat,
        special::{Draft, Special, SpecialHead, SpecialRequest, SpecialScheme, Statement},
    },
};

const SIGNATURE: &str = "p_signature";

pub(super) fn provider() -> Provider {
    let signature = SignatureFormat::found_by_code(Encoding::Base64);
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
    let form = fields::parse(body)?;
    let refused = |kind| Reason::new(kind).with_field(SIGNATURE);
    let signature = form.optional(SIGNATURE);
    let signature = signature.map_err(|_| refused(RejectionKind::RepeatedField))?;
    let signature = signature.ok_or_else(|| refused(RejectionKind::MissingField))?;
    let signature = STANDARD.decode(signature).ok();
    let signature = signature.ok_or_else(|| refused(RejectionKind::MalformedSignature))?;
    let fields = form.iter().filter(|(name, _)| *name != SIGNATURE);
    let mut fields: Vec<_> = fields.collect();
    fields.sort_unstable();
    fields::check_distinct(&fields)?;
    let text = |text: &str| format!("s:{}:\"{text}\";", text.len());
    let items: String = fields
        .iter()
        .flat_map(|(name, value)| [text(name), text(value)])
        .collect();
    Ok(vec![Statement {
        contents: vec![format!("a:{}:{{{items}}}", fields.len()).into_bytes()],
        signatures: Some(vec![signature]),
        ..Statement::default()
    }])
}
