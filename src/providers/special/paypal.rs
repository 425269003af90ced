//! PayPal: RSA of headers, the id of the webhook and a checksum of the body, under a certificate at
//! an address in a header.

use std::{borrow::Cow, sync::Arc};

use crate::{
    error::SetupError,
    keys::published::PublishedKeys,
    provider::Provider,
    rejection::{Reason, kind::RejectionKind},
    scheme::{
        algorithm::Algorithm,
        certificates::{CertificateRule, ROOTS},
        definition::{Coverage, Scheme},
        encoding::Encoding,
        locator::Locator,
        params::{Params, parameter},
        signature::SignatureFormat,
        special::{
            Draft, Freshness, Special, SpecialHead, SpecialRequest, SpecialScheme, Statement,
        },
        timestamp::{TimeUnit, Tolerance},
    },
};

const ID: &str = "PAYPAL-TRANSMISSION-ID";
const TIME: &str = "PAYPAL-TRANSMISSION-TIME";
const SIGNATURE: &str = "PAYPAL-TRANSMISSION-SIG";
const CERTIFICATE: &str = "PAYPAL-CERT-URL";
const ALGORITHM: &str = "PAYPAL-AUTH-ALGO";
const WEBHOOK_ID: &str = "webhook_id";
/// Where certificates are: in production, and in the sandbox.
const ADDRESSES: [&str; 2] = [
    "https://api.paypal.com/v1/notifications/certs/",
    "https://api.sandbox.paypal.com/v1/notifications/certs/",
];
/// The address of the certificate in requests that the signer makes, unless its key has another.
const TEST_CERTIFICATE: &str = "https://api.paypal.com/v1/notifications/certs/CERT-test";

static CERTIFICATES: CertificateRule = CertificateRule {
    roots: "",
    names: &[
        "messageverificationcerts.paypal.com",
        "messageverificationcerts.sandbox.paypal.com",
    ],
    leaf_mark: None,
    issuer_mark: None,
    in_request: None,
};

pub(super) fn provider() -> Provider {
    let signature = SignatureFormat::single(SIGNATURE, Encoding::Base64);
    let scheme = Scheme::signed(Algorithm::RsaPkcs1Sha256, "", signature)
        .with_coverage(Coverage::None)
        .with_required_header(ALGORITHM, "SHA256withRSA")
        .with_special(Special(Arc::new(PayPal)));
    Provider::new("paypal", scheme)
        .with_published_keys(PublishedKeys::Certificate {
            is_address: is_of_paypal,
            has_chain: true,
        })
        .with_docs("https://developer.paypal.com/api/rest/webhooks/rest/")
        .with_event_type(Locator::json("/event_type"))
        .with_delivery_id(Locator::json("/id"))
}

#[derive(Debug)]
struct PayPal;

impl SpecialScheme for PayPal {
    fn params(&self) -> Vec<Cow<'static, str>> {
        [WEBHOOK_ID, ROOTS].map(Into::into).into()
    }

    fn check(&self, params: &Params) -> Result<(), SetupError> {
        if parameter(params, WEBHOOK_ID)?.contains('|') {
            return Err(SetupError::new(
                "webhook_id: an id of PayPal has no \"|\"; copy it from the list of your webhooks",
            ));
        }
        Ok(())
    }

    fn tolerance(&self) -> Option<Tolerance> {
        Some(Tolerance::off())
    }

    fn certificates(&self) -> Option<&'static CertificateRule> {
        Some(&CERTIFICATES)
    }

    fn covers_bytes(&self) -> bool {
        true
    }

    fn read(&self, head: &SpecialHead<'_>) -> Result<SpecialRequest, Reason> {
        let (id, text) = (head.header(ID)?, head.header(TIME)?);
        let refused = |kind, header: &str| Reason::new(kind).about(&header.into());
        if id.is_empty() || id.contains('|') {
            return Err(refused(RejectionKind::MalformedHeader, ID));
        }
        let time = TimeUnit::Rfc3339.parse(text);
        let time = time.ok_or_else(|| refused(RejectionKind::MalformedTimestamp, TIME))?;
        let time = Freshness::of(head).check(time, |kind| Reason::new(kind).with_field(TIME))?;
        let address = head.header(CERTIFICATE)?;
        if !is_of_paypal(address) {
            return Err(refused(RejectionKind::UntrustedCertificate, CERTIFICATE));
        }
        let webhook_id = head.param(WEBHOOK_ID).unwrap_or_default();
        let (begin, address) = (
            format!("{id}|{text}|{webhook_id}|"),
            Box::<str>::from(address),
        );
        Ok(SpecialRequest {
            time: Some(time),
            statements: Box::new(move |body| {
                let content = format!("{begin}{}", crc32(body));
                Ok(vec![Statement {
                    contents: vec![content.into_bytes()],
                    key_id: Some(address.clone()),
                    ..Statement::default()
                }])
            }),
        })
    }

    fn sign(&self, draft: &mut Draft<'_>) -> Result<(), String> {
        let time = TimeUnit::Rfc3339
            .format(draft.now)
            .ok_or("the time has no date")?;
        let address = draft.key_id.filter(|id| is_of_paypal(id));
        let id = draft.fresh.clone();
        draft.provide(ID, &id)?;
        draft.provide(TIME, &time)?;
        draft.set(CERTIFICATE, address.unwrap_or(TEST_CERTIFICATE))?;
        draft.set(ALGORITHM, "SHA256withRSA")?;
        super::sign_with_header(self, draft, SIGNATURE, Encoding::Base64)
    }
}

/// Whether the address of a certificate is one of PayPal.
pub(in crate::providers) fn is_of_paypal(address: &str) -> bool {
    let name = ADDRESSES
        .iter()
        .find_map(|begin| address.strip_prefix(begin));
    let is_letter = |letter: u8| letter.is_ascii_alphanumeric() || letter == b'-';
    name.is_some_and(|name| !name.is_empty() && name.bytes().all(is_letter))
}

#[cfg(feature = "certificates")]
fn crc32(body: &[u8]) -> u32 {
    crc32fast::hash(body)
}

#[cfg(not(feature = "certificates"))]
fn crc32(_: &[u8]) -> u32 {
    unreachable!("without the feature, no scheme with certificates is built")
}
