//! AWS SNS: RSA of sorted fields of the body, under a certificate at an address in the body.

use std::{borrow::Cow, sync::Arc, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::Value;

use crate::{
    challenge::pattern::behind_sns,
    error::SetupError,
    json::{self, Object},
    keys::published::PublishedKeys,
    provider::{Provider, message::Message},
    rejection::{Reason, kind::RejectionKind},
    scheme::{
        algorithm::Algorithm,
        certificates::CertificateRule,
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

const TOPIC: &str = "topic_arn";
const SIGNATURE: &str = "Signature";
const VERSION: &str = "SignatureVersion";
const CERTIFICATE: &str = "SigningCertURL";
const NOTIFICATION: &str = "Notification";
/// The only signed field that may have several lines: the publisher chooses it.
const MESSAGE: &str = "Message";
/// What is signed, in this order.
const NOTIFICATIONS: &[&str] = &[
    MESSAGE,
    "MessageId",
    "Subject",
    "Timestamp",
    "TopicArn",
    "Type",
];
const CONFIRMATIONS: &[&str] = &[
    MESSAGE,
    "MessageId",
    "SubscribeURL",
    "Timestamp",
    "Token",
    "TopicArn",
    "Type",
];
/// The address of the certificate in requests that the signer makes, unless its key has another.
const TEST_CERTIFICATE: &str =
    "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-test.pem";

static CERTIFICATES: CertificateRule = CertificateRule {
    roots: "",
    names: &[],
    leaf_mark: None,
    issuer_mark: None,
    in_request: None,
};

pub(super) fn provider() -> Provider {
    let scheme = |algorithm, version| {
        let signature = SignatureFormat::found_by_code(Encoding::Base64);
        Scheme::signed(algorithm, "", signature)
            .with_coverage(Coverage::Partial)
            .with_special(Special(Arc::new(Sns { version })))
    };
    Provider::new("aws-sns", scheme(Algorithm::RsaPkcs1Sha256, "2"))
        .with_variant_name("version-2")
        .with_variant("version-1", scheme(Algorithm::RsaPkcs1Sha1, "1"))
        .with_published_keys(PublishedKeys::Certificate {
            is_address: is_of_sns,
            // The certificate comes without those of its issuers.
            has_chain: false,
        })
        .with_docs("https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html")
        .with_message(Message::Text(MESSAGE))
        .with_event_type(Locator::json("/Type"))
        .with_delivery_id(Locator::json("/MessageId"))
        .with_time_limit(Duration::from_secs(15))
}

#[derive(Debug)]
struct Sns {
    version: &'static str,
}

impl SpecialScheme for Sns {
    fn params(&self) -> Vec<Cow<'static, str>> {
        vec![TOPIC.into()]
    }

    fn check(&self, params: &Params) -> Result<(), SetupError> {
        parameter(params, TOPIC).map(drop)
    }

    fn tolerance(&self) -> Option<Tolerance> {
        Some(Tolerance::off())
    }

    fn certificates(&self) -> Option<&'static CertificateRule> {
        Some(&CERTIFICATES)
    }

    fn has_plain_signature(&self) -> bool {
        false
    }

    fn signs_within_body(&self) -> bool {
        true
    }

    fn read(&self, head: &SpecialHead<'_>) -> Result<SpecialRequest, Reason> {
        let topic = head.param(TOPIC).unwrap_or_default().to_owned();
        let (version, freshness) = (self.version, Freshness::of(head));
        Ok(SpecialRequest {
            time: None,
            statements: Box::new(move |body| statement(body, version, &topic, freshness)),
        })
    }

    /// Signs an envelope, or puts the body in one, as the message.
    fn sign(&self, draft: &mut Draft<'_>) -> Result<(), String> {
        let envelope = json::object(&draft.body).filter(|object| object.contains_key(MESSAGE));
        let mut envelope = match envelope {
            Some(envelope) => envelope,
            None => {
                let text = std::str::from_utf8(&draft.body).map_err(|_| "the body is not text")?;
                Object::from([(MESSAGE.to_owned(), text.into())])
            }
        };
        let time = TimeUnit::Rfc3339
            .format(draft.now)
            .ok_or("the time has no date")?;
        let topic = draft.params.get(TOPIC).map_or("", |topic| &**topic);
        let address = draft.key_id.filter(|id| is_of_sns(id));
        let mut provide = |name: &str, value: &str| {
            envelope
                .entry(name.to_owned())
                .or_insert_with(|| value.into());
        };
        provide("Type", NOTIFICATION);
        provide("MessageId", &draft.fresh);
        provide("Timestamp", &time);
        provide("TopicArn", topic);
        envelope.insert(VERSION.to_owned(), self.version.into());
        let address = address.unwrap_or(TEST_CERTIFICATE);
        envelope.insert(CERTIFICATE.to_owned(), address.into());
        let (kind, content) = content(&envelope).map_err(|reason| reason.to_string())?;
        draft.set("x-amz-sns-message-type", &kind)?;
        let signature = STANDARD.encode((draft.key)(&content)?);
        envelope.insert(SIGNATURE.to_owned(), signature.into());
        draft.body = Value::from_iter(envelope).to_string().into();
        Ok(())
    }
}

/// Whether the address of a certificate is one of SNS, in any region.
pub(in crate::providers) fn is_of_sns(address: &str) -> bool {
    let is_letter = |letter: u8| letter.is_ascii_alphanumeric() || b"-_.".contains(&letter);
    behind_sns(address).is_some_and(|name| {
        name.len() > ".pem".len() && name.ends_with(".pem") && name.bytes().all(is_letter)
    })
}

#[cold]
fn refused(kind: RejectionKind, field: &str) -> Reason {
    Reason::new(kind).with_field(field)
}

fn text<'o>(object: &'o Object, name: &str) -> Result<&'o str, Reason> {
    match object.get(name) {
        Some(Value::String(text)) => Ok(text),
        Some(_) => Err(refused(RejectionKind::MalformedBody, name)),
        None => Err(refused(RejectionKind::MissingField, name)),
    }
}

/// The type of an envelope, and what is signed of it.
fn content(envelope: &Object) -> Result<(String, Vec<u8>), Reason> {
    let kind = text(envelope, "Type")?;
    let fields = match kind {
        NOTIFICATION => NOTIFICATIONS,
        "SubscriptionConfirmation" | "UnsubscribeConfirmation" => CONFIRMATIONS,
        _ => return Err(refused(RejectionKind::MalformedBody, "Type")),
    };
    let mut content = String::new();
    for field in fields {
        let is_absent = envelope.get(*field).is_none_or(Value::is_null);
        if *field == "Subject" && is_absent {
            continue;
        }
        let value = text(envelope, field)?;
        // Read from its end, the content has one reading if no other field has several lines.
        if *field != MESSAGE && value.contains('\n') {
            return Err(refused(RejectionKind::MalformedBody, field));
        }
        for part in [*field, "\n", value, "\n"] {
            content.push_str(part);
        }
    }
    Ok((kind.to_owned(), content.into_bytes()))
}

fn statement(
    body: &[u8],
    version: &str,
    topic: &str,
    freshness: Freshness,
) -> Result<Vec<Statement>, Reason> {
    let envelope = json::object(json::document(body));
    let envelope = envelope.ok_or_else(|| Reason::new(RejectionKind::MalformedBody))?;
    let signature = text(&envelope, SIGNATURE)?;
    let signature = STANDARD.decode(signature).ok();
    let signature =
        signature.ok_or_else(|| refused(RejectionKind::MalformedSignature, SIGNATURE))?;
    if text(&envelope, VERSION)? != version {
        return Err(refused(RejectionKind::MalformedSignature, VERSION));
    }
    if text(&envelope, "TopicArn")? != topic {
        return Err(refused(RejectionKind::UnexpectedClaim, "TopicArn"));
    }
    let address = text(&envelope, CERTIFICATE)?;
    if !is_of_sns(address) {
        return Err(refused(RejectionKind::UntrustedCertificate, CERTIFICATE));
    }
    let time = TimeUnit::Rfc3339.parse(text(&envelope, "Timestamp")?);
    let time = time.ok_or_else(|| refused(RejectionKind::MalformedTimestamp, "Timestamp"))?;
    let (_, content) = content(&envelope)?;
    Ok(vec![Statement {
        contents: vec![content],
        signatures: Some(vec![signature]),
        key_id: Some(address.into()),
        time: Some(freshness.check(time, |kind| refused(kind, "Timestamp"))?),
        ..Statement::default()
    }])
}
