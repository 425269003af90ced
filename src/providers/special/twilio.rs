//! Twilio: HMAC of the URL and of the sorted fields of the form.

use std::{borrow::Cow, sync::Arc};

use sha2::{Digest, Sha256};

use crate::{
    crypto::encoding::encode_hex,
    error::SetupError,
    provider::{AnswerRead, Provider},
    providers::special::{escape, fields},
    rejection::{Reason, kind::RejectionKind},
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

const SIGNATURE: &str = "X-Twilio-Signature";
/// Names the key and the algorithm of the shared-key mode.
const SETTINGS: &str = "X-Twilio-Webhooks-Signature-Settings";
/// The query parameter with the hash of a body that is no form.
const BODY_HASH: &str = "bodySHA256";

pub(super) fn provider() -> Provider {
    let scheme = |algorithm, setting| {
        let signature = SignatureFormat::single(SIGNATURE, Encoding::Base64);
        let special = Special(Arc::new(Twilio { setting }));
        Scheme::signed(algorithm, "", signature).with_special(special)
    };
    // The answer to a call or a message is TwiML.
    Provider::new("twilio", scheme(Algorithm::HmacSha1, "HMAC_SHA1"))
        .with_answer_read(AnswerRead::Always)
        .with_opt_in_variant("hmac-sha256", scheme(Algorithm::HmacSha256, "HMAC_SHA256"))
        .with_selector(
            "algorithm",
            &[("HMAC_SHA1", "hmac-sha1"), ("HMAC_SHA256", "hmac-sha256")],
        )
        .with_docs("https://www.twilio.com/docs/usage/security")
        .with_delivery_id(Locator::header("I-Twilio-Idempotency-Token"))
        .with_event_type(Locator::form("EventType"))
        .with_time_limit(std::time::Duration::from_secs(15))
}

#[derive(Debug)]
struct Twilio {
    /// The algorithm in the settings.
    setting: &'static str,
}

impl Twilio {
    /// Refuses a request that says to be signed with another algorithm.
    fn check_settings(&self, head: &SpecialHead<'_>) -> Result<(), Reason> {
        if head.head.headers.nth(SETTINGS, 0).is_none() {
            return Ok(());
        }
        let fields = head.header(SETTINGS)?.split(',').map(str::trim);
        let mut algorithms = fields.filter_map(|field| field.strip_prefix("algorithm="));
        match (algorithms.next(), algorithms.next()) {
            (Some(name), None) if name == self.setting => Ok(()),
            _ => {
                let reason = Reason::new(RejectionKind::UnexpectedHeader);
                Err(reason.about(&SETTINGS.into()))
            }
        }
    }
}

impl SpecialScheme for Twilio {
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
        self.check_settings(head)?;
        let (added, hash) = body_hash(head.head.query)?;
        let url = Url::of(head, added)?;
        let urls = spellings(&url);
        let query = escape::query(&url.query);
        let identity = url.without_port().with_query(query).text();
        Ok(SpecialRequest {
            time: None,
            statements: Box::new(move |body| {
                let fields = match &hash {
                    Some(hash) => {
                        check_hash(hash, body)?;
                        String::new()
                    }
                    None => sorted_fields(body)?,
                };
                let content = |url: &String| format!("{url}{fields}").into_bytes();
                Ok(Statement::of_header(
                    urls.iter().map(content).collect(),
                    Some(content(&identity)),
                ))
            }),
        })
    }

    fn sign(&self, draft: &mut Draft<'_>) -> Result<(), String> {
        if self.setting != "HMAC_SHA1" {
            let settings = format!("key=webhooks_sharedkey_1,algorithm={}", self.setting);
            draft.provide(SETTINGS, &settings)?;
        }
        super::sign_with_header(self, draft, SIGNATURE, Encoding::Base64)
    }
}

/// The hash of the body at the end of a query, and what Twilio has added to it. Anywhere else it
/// could be a text that somebody has sent by message, which is signed behind the URL.
fn body_hash(query: &str) -> Result<(&str, Option<String>), Reason> {
    let mut named = form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name == BODY_HASH);
    let Some((_, hash)) = named.next() else {
        return Ok(("", None));
    };
    let refused = |kind| Reason::new(kind).with_field(BODY_HASH);
    if named.next().is_some() {
        return Err(refused(RejectionKind::RepeatedField));
    }
    let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    let last = format!("{BODY_HASH}={hash}");
    let before = query.strip_suffix(&*last);
    let before = before.filter(|_| hash.len() == 64 && hash.bytes().all(is_hex));
    let before = before.ok_or_else(|| refused(RejectionKind::MalformedSignature))?;
    let own = match before.strip_suffix('&') {
        Some(own) => own,
        None if before.is_empty() => before,
        None => return Err(refused(RejectionKind::MalformedSignature)),
    };
    let added = query.get(own.len()..).unwrap_or_default();
    Ok((added, Some(hash.into_owned())))
}

fn check_hash(hash: &str, body: &[u8]) -> Result<(), Reason> {
    // Both are public: the signature covers the one in the URL.
    if encode_hex(&Sha256::digest(body)) == hash {
        return Ok(());
    }
    Err(Reason::new(RejectionKind::SignatureMismatch))
}

/// Names and values, without anything between them: the distinct values of each name, sorted.
fn sorted_fields(body: &[u8]) -> Result<String, Reason> {
    let form = fields::parse(body)?;
    let mut fields = fields::sorted(&form);
    fields::check_names(&fields)?;
    fields.dedup();
    Ok(fields::joined(&fields))
}

/// The URLs that Twilio may have signed: with and without the port, and escaped by some of its
/// back ends.
fn spellings(url: &Url) -> Vec<String> {
    let mut spellings = Vec::new();
    for url in [url.without_port(), url.with_port()] {
        let mut texts = vec![url.text()];
        for query in [escaped(&url.query), escape::query(&url.query)] {
            texts.push(url.with_query(query).text());
        }
        for spelling in texts {
            if !spellings.contains(&spelling) {
                spellings.push(spelling);
            }
        }
    }
    spellings
}

/// The query as the URL Standard escapes it.
fn escaped(query: &str) -> String {
    let mut escaped = String::with_capacity(query.len());
    for letter in query.chars() {
        match letter {
            '\'' => escaped.push_str("%27"),
            '"' => escaped.push_str("%22"),
            '<' => escaped.push_str("%3C"),
            '>' => escaped.push_str("%3E"),
            _ => escaped.push(letter),
        }
    }
    escaped
}
