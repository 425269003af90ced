//! Adyen, standard notifications: an HMAC of eight fields for each item of the body.

use std::{borrow::Cow, collections::HashSet, sync::Arc};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, value::RawValue};

use crate::{
    json,
    provider::Provider,
    rejection::{Reason, kind::RejectionKind},
    scheme::{
        algorithm::Algorithm,
        definition::{Coverage, Scheme},
        encoding::Encoding,
        locator::Locator,
        secret_format::SecretFormat,
        signature::SignatureFormat,
        special::{Draft, Special, SpecialHead, SpecialRequest, SpecialScheme, Statement},
    },
};

/// The items of a body, and what is signed of each, in order.
const ITEMS: &str = "/notificationItems";
const ITEM: &str = "/NotificationRequestItem";
const FIELDS: [&str; 8] = [
    "/pspReference",
    "/originalReference",
    "/merchantAccountCode",
    "/merchantReference",
    "/amount/value",
    "/amount/currency",
    "/eventCode",
    "/success",
];
/// More items would let one request cost too much.
const MAX_ITEMS: usize = 1000;
/// The only field that may contain the separator: the shop chooses it.
const OPEN: &str = "/merchantReference";
const SIGNATURE: &str = "/additionalData/hmacSignature";

pub(super) fn provider() -> Provider {
    let signature = SignatureFormat::found_by_code(Encoding::Base64);
    let scheme = Scheme::signed(Algorithm::HmacSha256, "", signature)
        .with_coverage(Coverage::Partial)
        .with_secret_format(SecretFormat::hex())
        .with_special(Special(Arc::new(Adyen)));
    Provider::new("adyen", scheme)
        .with_docs("https://docs.adyen.com/development-resources/webhooks/verify-hmac-signatures/")
        .with_event_type(Locator::json(
            "/notificationItems/0/NotificationRequestItem/eventCode",
        ))
        .with_delivery_id(Locator::json(
            "/notificationItems/0/NotificationRequestItem/pspReference",
        ))
        .with_items(ITEMS, ITEM)
        .with_time_limit(std::time::Duration::from_secs(10))
}

#[derive(Debug)]
struct Adyen;

impl SpecialScheme for Adyen {
    fn signs_within_body(&self) -> bool {
        true
    }

    fn read(&self, _: &SpecialHead<'_>) -> Result<SpecialRequest, Reason> {
        Ok(SpecialRequest {
            time: None,
            statements: Box::new(|body| {
                let malformed = || Reason::new(RejectionKind::MalformedBody);
                let items = json::items(body, ITEMS).ok_or_else(malformed)?;
                if items.len() > MAX_ITEMS {
                    return Err(Reason::new(RejectionKind::TooManySignatures));
                }
                let statements = items.into_iter().map(statement);
                let statements = statements.collect::<Result<Vec<_>, _>>()?;
                // Each item is an event, which a request has once.
                let contents = statements.iter().map(|statement| &statement.contents);
                if contents.collect::<HashSet<_>>().len() < statements.len() {
                    return Err(malformed());
                }
                Ok(statements)
            }),
        })
    }

    fn sign(&self, draft: &mut Draft<'_>) -> Result<(), String> {
        let malformed = "the body is no notification of Adyen, with notificationItems";
        let mut body: Value = serde_json::from_slice(&draft.body).map_err(|_| malformed)?;
        let items = body.get_mut("notificationItems");
        let items = items.and_then(Value::as_array_mut).ok_or(malformed)?;
        for item in items {
            let text = item.to_string();
            let raw: &RawValue = serde_json::from_str(&text).map_err(|_| malformed)?;
            let (content, _) = content(raw).ok_or(malformed)?;
            let signature = STANDARD.encode((draft.key)(&content)?);
            let item = item.get_mut("NotificationRequestItem").ok_or(malformed)?;
            let item = item.as_object_mut().ok_or(malformed)?;
            let data = item
                .entry("additionalData")
                .or_insert_with(|| Value::Object(Default::default()));
            let data = data.as_object_mut().ok_or(malformed)?;
            data.insert("hmacSignature".to_owned(), signature.into());
        }
        draft.body = body.to_string().into();
        Ok(())
    }
}

/// The content of an item and its signature, if it has one.
fn content(item: &RawValue) -> Option<(Vec<u8>, Option<Cow<'_, str>>)> {
    let pointers: Vec<String> = FIELDS
        .iter()
        .chain([&SIGNATURE])
        .map(|field| format!("{ITEM}{field}"))
        .collect();
    let pointers: Vec<Option<&str>> = pointers.iter().map(|pointer| Some(&**pointer)).collect();
    let mut found = json::optional(item.get().as_bytes(), &pointers)?;
    let signature = found.pop()?.and_then(json::text);
    let mut values = Vec::with_capacity(FIELDS.len());
    for (field, raw) in FIELDS.iter().zip(found) {
        // What is missing or null is signed as an empty text.
        let value = match raw.filter(|raw| raw.get() != "null") {
            Some(raw) => json::text(raw)?,
            None => Cow::Borrowed(""),
        };
        if value.contains(':') && *field != OPEN {
            return None;
        }
        values.push(value);
    }
    Some((values.join(":").into_bytes(), signature))
}

fn statement(item: &RawValue) -> Result<Statement, Reason> {
    let found = content(item);
    let (content, signature) = found.ok_or_else(|| Reason::new(RejectionKind::MalformedBody))?;
    let refused = |kind| Reason::new(kind).with_field(SIGNATURE);
    let signature = signature.ok_or_else(|| refused(RejectionKind::MissingField))?;
    let signature = STANDARD.decode(&*signature).ok();
    let signature = signature.ok_or_else(|| refused(RejectionKind::MalformedSignature))?;
    Ok(Statement {
        contents: vec![content],
        signatures: Some(vec![signature]),
        ..Statement::default()
    })
}
