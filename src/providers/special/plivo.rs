//! Plivo, version 3: HMAC of the URL with its query sorted, of the sorted fields of the form, and
//! of a nonce.

use std::{borrow::Cow, sync::Arc};

use crate::{
    error::SetupError,
    provider::Provider,
    providers::special::fields,
    rejection::{Reason, kind::RejectionKind},
    scheme::{
        algorithm::Algorithm,
        definition::Scheme,
        encoding::Encoding,
        params::Params,
        signature::SignatureFormat,
        special::{Draft, Special, SpecialHead, SpecialRequest, SpecialScheme, Statement},
        url::{self, Url},
    },
};

const SIGNATURE: &str = "X-Plivo-Signature-V3";
const NONCE: &str = "X-Plivo-Signature-V3-Nonce";

pub(super) fn provider() -> Provider {
    let signature = SignatureFormat::list(SIGNATURE, ',', Encoding::Base64);
    let scheme = Scheme::signed(Algorithm::HmacSha256, "", signature);
    Provider::new("plivo-v3", scheme.with_special(Special(Arc::new(Plivo))))
        .with_docs("https://www.plivo.com/docs/messaging/concepts/signature-validation")
}

#[derive(Debug)]
struct Plivo;

impl SpecialScheme for Plivo {
    fn params(&self) -> Vec<Cow<'static, str>> {
        url::PARAMS.map(Cow::Borrowed).to_vec()
    }

    fn check(&self, params: &Params) -> Result<(), SetupError> {
        url::check(params)
    }

    #[cfg(feature = "tower")]
    fn signs_request_line(&self) -> bool {
        true
    }

    fn read(&self, head: &SpecialHead<'_>) -> Result<SpecialRequest, Reason> {
        let url = Url::of(head, "")?;
        let nonce = head.header(NONCE)?.to_owned();
        // The content is split at the last full stop.
        if nonce.is_empty() || nonce.contains('.') {
            return Err(Reason::new(RejectionKind::MalformedHeader).about(&NONCE.into()));
        }
        let query = fields::parse(url.query.as_bytes())?;
        let query: Vec<_> = fields::sorted(&query)
            .into_iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let query = query.join("&");
        let base = format!("{}{}", url.origin(), url.path);
        let is_get = head.head.method == "GET";
        Ok(SpecialRequest {
            time: None,
            statements: Box::new(move |body| {
                if is_get && !body.is_empty() {
                    return Err(Reason::new(RejectionKind::MalformedBody));
                }
                let form = fields::parse(body)?;
                let fields = fields::sorted(&form);
                fields::check_names(&fields)?;
                let mut content = base.clone();
                if !query.is_empty() || !fields.is_empty() {
                    content.push('?');
                    content.push_str(&query);
                }
                if !query.is_empty() && !fields.is_empty() {
                    content.push('.');
                }
                content.push_str(&fields::joined(&fields));
                let identity = content.clone().into_bytes();
                content.push('.');
                content.push_str(&nonce);
                let contents = vec![content.into_bytes()];
                Ok(Statement::of_header(contents, Some(identity)))
            }),
        })
    }

    fn sign(&self, draft: &mut Draft<'_>) -> Result<(), String> {
        let nonce = draft.fresh.clone();
        draft.provide(NONCE, &nonce)?;
        super::sign_with_header(self, draft, SIGNATURE, Encoding::Base64)
    }
}
