//! Senders that sign JSON as they would write it, and not as they send it.

use std::{sync::Arc, time::Duration};

use crate::{
    clock::UnixTime,
    crypto::encoding::encode_hex,
    form,
    json::{
        self,
        canonical::{Canonical, Numbers},
    },
    provider::Provider,
    rejection::{Reason, kind::RejectionKind},
    scheme::{
        algorithm::Algorithm,
        definition::Scheme,
        encoding::Encoding,
        locator::Locator,
        secret_format::SecretFormat,
        signature::SignatureFormat,
        special::{
            Draft, Freshness, Special, SpecialHead, SpecialRequest, SpecialScheme, Statement,
        },
        timestamp::{TimeUnit, Tolerance},
    },
};

const MINUTES_5: Duration = Duration::from_secs(5 * 60);
const BOTH: &[Numbers] = &[Numbers::Shortest, Numbers::AsReceived];

/// Who signs, which is what the schemes differ in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sender {
    Didit,
    Inngest,
    NowPayments,
}

/// The header with the signature.
const DIDIT: &str = "X-Signature-V2";
const INNGEST: &str = "x-inngest-signature";
const NOWPAYMENTS: &str = "x-nowpayments-sig";

/// The time of a notification of Didit, in its body and in a header.
const DIDIT_TIME: &str = "/timestamp";
const DIDIT_TIME_HEADER: &str = "X-Timestamp";

pub(super) fn didit_v2() -> Provider {
    let signature = SignatureFormat::single(DIDIT, Encoding::Hex);
    let scheme = scheme(Sender::Didit, Algorithm::HmacSha256, signature);
    Provider::new("didit-v2", scheme)
        .with_docs("https://docs.didit.me")
        .with_event_type(Locator::json("/webhook_type"))
        .with_delivery_id(Locator::json("/event_id"))
        .with_retry_horizon(Duration::from_secs(60 * 60))
        .with_time_limit(Duration::from_secs(5))
}

pub(super) fn inngest() -> Provider {
    let signature = SignatureFormat::fields(INNGEST, '&', "s", Encoding::Hex);
    let secret = SecretFormat::text()
        .with_prefix("signkey-prod-")
        .or_prefix("signkey-test-")
        .or_prefix("signkey-branch-")
        .or_prefix("signkey-dev-");
    let scheme = scheme(Sender::Inngest, Algorithm::HmacSha256, signature);
    Provider::new("inngest", scheme.with_secret_format(secret))
        .with_docs("https://www.npmjs.com/package/inngest")
}

pub(super) fn nowpayments() -> Provider {
    let signature = SignatureFormat::single(NOWPAYMENTS, Encoding::Hex);
    let scheme = scheme(Sender::NowPayments, Algorithm::HmacSha512, signature);
    Provider::new("nowpayments", scheme)
        .with_docs(
            "https://nowpayments.zendesk.com/hc/en-us/articles/21395546303389-IPN-and-how-to-setup",
        )
        .with_event_type(Locator::json("/payment_status"))
        .with_delivery_id(Locator::json("/payment_id"))
        .with_time_limit(Duration::from_secs(3))
}

fn scheme(sender: Sender, algorithm: Algorithm, signature: SignatureFormat) -> Scheme {
    let special = Special(Arc::new(Signed(sender)));
    Scheme::signed(algorithm, "", signature).with_special(special)
}

#[derive(Debug)]
struct Signed(Sender);

/// The time of Inngest, as text and as time.
fn inngest_time(head: &SpecialHead<'_>) -> Result<(String, UnixTime), Reason> {
    let refused = |kind| Reason::new(kind).about(&INNGEST.into()).with_field("t");
    let fields = form::parse(head.header(INNGEST)?.as_bytes());
    let fields = fields.map_err(|_| refused(RejectionKind::MalformedHeader))?;
    let text = fields.optional("t");
    let text = text.map_err(|_| refused(RejectionKind::RepeatedField))?;
    let text = text.ok_or_else(|| refused(RejectionKind::MissingField))?;
    let time = TimeUnit::Seconds.parse(text);
    let time = time.ok_or_else(|| refused(RejectionKind::MalformedTimestamp))?;
    Ok((text.to_owned(), time))
}

/// The time in a body of Didit.
fn didit_time(body: &[u8]) -> Result<UnixTime, Reason> {
    let refused = |kind| Reason::new(kind).with_field(DIDIT_TIME);
    let [time] = *json::unique(body, &[Some(DIDIT_TIME)]) else {
        return Err(refused(RejectionKind::MissingField));
    };
    let time = time.and_then(json::text);
    let time = time.ok_or_else(|| refused(RejectionKind::MissingField))?;
    let time = TimeUnit::Seconds.parse(&time);
    time.ok_or_else(|| refused(RejectionKind::MalformedTimestamp))
}

impl SpecialScheme for Signed {
    fn tolerance(&self) -> Option<Tolerance> {
        match self.0 {
            Sender::Didit | Sender::Inngest => Some(MINUTES_5.into()),
            Sender::NowPayments => None,
        }
    }

    fn read(&self, head: &SpecialHead<'_>) -> Result<SpecialRequest, Reason> {
        let (sender, freshness) = (self.0, Freshness::of(head));
        let (mut time, mut around) = (None, String::new());
        match sender {
            Sender::Inngest => {
                let (text, signed) = inngest_time(head)?;
                freshness.check(signed, |kind| {
                    Reason::new(kind).about(&INNGEST.into()).with_field("t")
                })?;
                (time, around) = (Some(signed), text);
            }
            Sender::Didit if head.head.headers.nth(DIDIT_TIME_HEADER, 0).is_some() => {
                head.header(DIDIT_TIME_HEADER)?.clone_into(&mut around);
            }
            Sender::Didit | Sender::NowPayments => {}
        }
        Ok(SpecialRequest {
            time,
            statements: Box::new(move |body| {
                if sender == Sender::Didit {
                    let refused = |kind| Reason::new(kind).with_field(DIDIT_TIME);
                    freshness.check(didit_time(body)?, refused)?;
                }
                let contents = sender.contents(body, &around);
                let contents = contents.ok_or_else(|| Reason::new(RejectionKind::MalformedBody))?;
                Ok(Statement::of_header(contents, identity(body)))
            }),
        })
    }

    fn sign(&self, draft: &mut Draft<'_>) -> Result<(), String> {
        match self.0 {
            Sender::Didit => super::sign_with_header(self, draft, DIDIT, Encoding::Hex),
            Sender::NowPayments => super::sign_with_header(self, draft, NOWPAYMENTS, Encoding::Hex),
            Sender::Inngest => {
                let time = draft.now.to_string();
                draft.set(INNGEST, &format!("t={time}&s={}", "0".repeat(64)))?;
                let content = draft.content(self)?;
                let signature = (draft.key)(&content)?;
                let signature = encode_hex(&signature);
                draft.set(INNGEST, &format!("t={time}&s={signature}"))
            }
        }
    }
}

/// The same for every spelling that is accepted.
fn identity(body: &[u8]) -> Option<Vec<u8>> {
    let document = Canonical::read(body)?;
    let shortest = document.text(Numbers::Shortest);
    // What this loses, only its own spelling is signed of.
    let text = shortest.or_else(|| document.text(Numbers::AsReceived));
    text.map(String::into_bytes)
}

impl Sender {
    /// The texts that the sender may have signed. `None` if the body is none of its own.
    fn contents(self, body: &[u8], around: &str) -> Option<Vec<Vec<u8>>> {
        let document = Canonical::read(body)?;
        let forms = match self {
            Self::Inngest => &[Numbers::Shortest][..],
            Self::Didit | Self::NowPayments => BOTH,
        };
        let mut texts: Vec<String> = forms
            .iter()
            .filter_map(|numbers| document.text(*numbers))
            .collect();
        texts.dedup();
        let contents: Vec<Vec<u8>> = texts
            .into_iter()
            .flat_map(|text| match self {
                Self::Inngest => vec![format!("{text}{around}").into_bytes()],
                Self::Didit if !around.is_empty() => {
                    // One page of the vendor signs the time in front of the text, and another does
                    // not.
                    vec![
                        text.clone().into_bytes(),
                        format!("{around}:{text}").into_bytes(),
                    ]
                }
                Self::Didit | Self::NowPayments => vec![text.into_bytes()],
            })
            .collect();
        (!contents.is_empty()).then_some(contents)
    }
}
