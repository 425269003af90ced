//! ConnectWise: HMAC with a key that is at an address which the body names.

use std::sync::Arc;

use crate::{
    json,
    keys::published::PublishedKeys,
    provider::{Provider, parameter::Parameter},
    rejection::{Reason, kind::RejectionKind},
    scheme::{
        algorithm::Algorithm,
        definition::Scheme,
        encoding::Encoding,
        locator::Locator,
        secret_format::{Derivation, SecretFormat},
        signature::SignatureFormat,
        special::{Draft, Special, SpecialHead, SpecialRequest, SpecialScheme, Statement},
    },
};

const SIGNATURE: &str = "x-content-signature";

/// The parameter with the address under which keys may be.
const KEY_URL: &str = "key_url";

pub(super) fn provider() -> Provider {
    let signature = SignatureFormat::single(SIGNATURE, Encoding::Base64);
    // Nothing says how long the vendor's keys are.
    let format = SecretFormat::text()
        .with_derivation(Derivation::Sha256)
        .with_min_bytes(6);
    let scheme = Scheme::signed(Algorithm::HmacSha256, "", signature)
        .with_secret_format(format)
        .with_special(Special(Arc::new(ConnectWise)));
    Provider::new("connectwise", scheme)
        .with_docs("https://developer.connectwise.com/Best_Practices/PSA_Callbacks")
        .with_options(&[Parameter {
            name: KEY_URL,
            values: &[],
        }])
        .with_published_keys(PublishedKeys::Named {
            param: KEY_URL,
            member: "signing_key",
        })
        .with_event_type(Locator::json("/Action"))
        .with_delivery_id(Locator::json("/ID"))
}

#[derive(Debug)]
struct ConnectWise;

impl SpecialScheme for ConnectWise {
    fn covers_bytes(&self) -> bool {
        true
    }

    fn read(&self, _: &SpecialHead<'_>) -> Result<SpecialRequest, Reason> {
        Ok(SpecialRequest {
            time: None,
            statements: Box::new(|body| {
                let [url] = *json::unique(body, &[Some("/Metadata/key_url")]) else {
                    return Err(Reason::new(RejectionKind::MalformedBody));
                };
                let url = url.and_then(json::text);
                Ok(vec![Statement {
                    contents: vec![body.to_vec()],
                    signatures: None,
                    key_id: url.map(|url| url.into_owned().into()),
                    ..Statement::default()
                }])
            }),
        })
    }

    fn sign(&self, draft: &mut Draft<'_>) -> Result<(), String> {
        super::sign_with_header(self, draft, SIGNATURE, Encoding::Base64)
    }
}
