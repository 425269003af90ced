//! eBay: ECDSA with SHA-1 of the body, with the id of the key in a header that is JSON in base64.

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use crate::{
    json,
    keys::published::PublishedKeys,
    provider::Provider,
    rejection::Reason,
    scheme::{
        algorithm::Algorithm,
        definition::Scheme,
        encoding::Encoding,
        locator::Locator,
        signature::SignatureFormat,
        special::{Draft, Special, SpecialHead, SpecialRequest, SpecialScheme, Statement},
    },
};

const SIGNATURE: &str = "X-EBAY-SIGNATURE";

pub(super) fn provider() -> Provider {
    let signature = SignatureFormat::single(SIGNATURE, Encoding::Base64);
    let scheme = Scheme::signed(Algorithm::EcdsaP256Sha1, "", signature)
        .with_special(Special(Arc::new(Ebay)));
    Provider::new("ebay", scheme)
        .with_docs("https://developer.ebay.com/api-docs/commerce/notification/overview.html")
        .with_published_keys(PublishedKeys::Api(
            "GET https://api.ebay.com/commerce/notification/v1/public_key/{id}, with a token of the application",
        ))
        .with_event_type(Locator::json("/metadata/topic"))
        .with_delivery_id(Locator::json("/notification/notificationId"))
}

#[derive(Debug)]
struct Ebay;

impl SpecialScheme for Ebay {
    fn has_plain_signature(&self) -> bool {
        false
    }

    fn covers_bytes(&self) -> bool {
        true
    }

    fn read(&self, head: &SpecialHead<'_>) -> Result<SpecialRequest, Reason> {
        let value = head.header(SIGNATURE)?;
        let malformed = || super::malformed_signature(SIGNATURE, value);
        let fields = STANDARD.decode(value).ok();
        let fields = fields.and_then(|fields| json::object(&fields));
        let fields = fields.ok_or_else(malformed)?;
        let field = |name: &str| {
            let text = fields.get(name).and_then(Value::as_str);
            text.ok_or_else(|| malformed().with_field(name))
        };
        // The signature is none of this algorithm.
        for (name, expected) in [("alg", "ecdsa"), ("digest", "SHA1")] {
            if !field(name)?.eq_ignore_ascii_case(expected) {
                return Err(malformed().with_field(name));
            }
        }
        let key_id: Box<str> = field("kid")?.into();
        let signature = STANDARD.decode(field("signature")?);
        let signature = signature.map_err(|_| malformed().with_field("signature"))?;
        Ok(SpecialRequest {
            time: None,
            statements: Box::new(move |body| {
                Ok(vec![Statement {
                    contents: vec![body.to_vec()],
                    signatures: Some(vec![signature.clone()]),
                    key_id: Some(key_id.clone()),
                    ..Statement::default()
                }])
            }),
        })
    }

    fn sign(&self, draft: &mut Draft<'_>) -> Result<(), String> {
        let signature = STANDARD.encode((draft.key)(&draft.body)?);
        let key_id = draft.key_id.unwrap_or("1");
        let fields = json!({
            "alg": "ecdsa", "kid": key_id, "signature": signature, "digest": "SHA1"
        });
        draft.set(SIGNATURE, &STANDARD.encode(fields.to_string()))
    }
}
