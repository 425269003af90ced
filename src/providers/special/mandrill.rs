//! Mailchimp Transactional (Mandrill): HMAC of the URL and of the sorted fields of the form.

use std::{borrow::Cow, sync::Arc};

use crate::{
    error::SetupError,
    provider::Provider,
    providers::special::fields,
    rejection::Reason,
    scheme::{
        algorithm::Algorithm,
        definition::Scheme,
        encoding::Encoding,
        locator::Locator,
        params::Params,
        signature::SignatureFormat,
        special::{Draft, Special, SpecialHead, SpecialRequest, SpecialScheme, Statement},
        url::{self, Url},
    },
};

const SIGNATURE: &str = "X-Mandrill-Signature";

pub(super) fn provider() -> Provider {
    let signature = SignatureFormat::single(SIGNATURE, Encoding::Base64);
    let scheme = Scheme::signed(Algorithm::HmacSha1, "", signature);
    Provider::new("mandrill", scheme.with_special(Special(Arc::new(Mandrill))))
        .with_docs(
            "https://mailchimp.com/developer/transactional/guides/track-respond-activity-webhooks/",
        )
        .with_event_type(Locator::form_json("mandrill_events", "/0/event"))
}

#[derive(Debug)]
struct Mandrill;

impl SpecialScheme for Mandrill {
    fn params(&self) -> Vec<Cow<'static, str>> {
        url::PARAMS.map(Cow::Borrowed).to_vec()
    }

    fn check(&self, params: &Params) -> Result<(), SetupError> {
        url::check(params)
    }

    fn read(&self, head: &SpecialHead<'_>) -> Result<SpecialRequest, Reason> {
        let url = Url::of(head, "")?.text();
        Ok(SpecialRequest {
            time: None,
            statements: Box::new(move |body| {
                let form = fields::parse(body)?;
                let fields = fields::sorted(&form);
                fields::check_names(&fields)?;
                fields::check_distinct(&fields)?;
                let content = format!("{url}{}", fields::joined(&fields));
                Ok(Statement::of_header(vec![content.into_bytes()], None))
            }),
        })
    }

    fn sign(&self, draft: &mut Draft<'_>) -> Result<(), String> {
        super::sign_with_header(self, draft, SIGNATURE, Encoding::Base64)
    }
}
