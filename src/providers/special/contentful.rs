//! Contentful: HMAC of a canonical request, whose headers the request lists.

use std::{borrow::Cow, sync::Arc, time::Duration};

use crate::{
    head::Head,
    provider::Provider,
    providers::special::escape,
    rejection::{Reason, kind::RejectionKind},
    scheme::{
        algorithm::Algorithm,
        definition::Scheme,
        encoding::Encoding,
        locator::Locator,
        signature::SignatureFormat,
        special::{
            Draft, Freshness, Special, SpecialHead, SpecialRequest, SpecialScheme, Statement,
        },
        timestamp::{TimeUnit, Tolerance},
    },
};

const SIGNATURE: &str = "x-contentful-signature";
const SIGNED: &str = "x-contentful-signed-headers";
const TIME: &str = "x-contentful-timestamp";
/// More headers would let one request cost too much.
const MAX_HEADERS: usize = 64;

pub(super) fn provider() -> Provider {
    let signature = SignatureFormat::single(SIGNATURE, Encoding::Hex);
    let scheme = Scheme::signed(Algorithm::HmacSha256, "", signature);
    Provider::new(
        "contentful",
        scheme.with_special(Special(Arc::new(Contentful))),
    )
    .with_docs("https://www.contentful.com/developers/docs/webhooks/request-verification/")
    .with_event_type(Locator::header("X-Contentful-Topic"))
    .with_delivery_id(Locator::header("X-Contentful-CRN"))
}

#[derive(Debug)]
struct Contentful;

impl SpecialScheme for Contentful {
    fn tolerance(&self) -> Option<Tolerance> {
        Some(Duration::from_secs(30).into())
    }

    #[cfg(feature = "tower")]
    fn signs_request_line(&self) -> bool {
        true
    }

    fn read(&self, head: &SpecialHead<'_>) -> Result<SpecialRequest, Reason> {
        let refused = |kind, name: &str| Reason::new(kind).about(&name.into());
        let text = head.header(TIME)?;
        let time = TimeUnit::Milliseconds.parse(text);
        let time = time.ok_or_else(|| refused(RejectionKind::MalformedTimestamp, TIME))?;
        let time = Freshness::of(head).check(time, |kind| refused(kind, TIME))?;
        let headers = signed_headers(head)?;
        let line = |keep: fn(&str) -> bool| {
            let kept = headers.iter().filter(|(name, _)| keep(name));
            let kept = kept.map(|(name, value)| format!("{name}:{value}"));
            kept.collect::<Vec<_>>().join(";")
        };
        let request = format!("{}\n{}\n", head.head.method, path(&head.head));
        let before = format!("{request}{}\n", line(|_| true));
        // The time is that of the attempt.
        let identity = format!("{request}{}\n", line(|name| name != TIME));
        Ok(SpecialRequest {
            time: Some(time),
            statements: Box::new(move |body| {
                let content = |before: &String| [before.as_bytes(), body].concat();
                let contents = vec![content(&before)];
                Ok(Statement::of_header(contents, Some(content(&identity))))
            }),
        })
    }

    fn sign(&self, draft: &mut Draft<'_>) -> Result<(), String> {
        let time = TimeUnit::Milliseconds.format(draft.now);
        draft.provide(TIME, &time.unwrap_or_default())?;
        let mut names: Vec<&str> = draft
            .head
            .headers
            .keys()
            .map(|name| name.as_str())
            .collect();
        names.retain(|name| name.starts_with("x-contentful-") && *name != SIGNATURE);
        names.push(SIGNED);
        names.sort_unstable();
        names.dedup();
        let names = names.join(",");
        draft.provide(SIGNED, &names)?;
        super::sign_with_header(self, draft, SIGNATURE, Encoding::Hex)
    }
}

/// The path and the query, as the vendor's library escapes them.
fn path(head: &Head<'_>) -> String {
    if head.query.is_empty() {
        return escape::uri(head.path);
    }
    escape::uri(&format!("{}?{}", head.path, escape::component(head.query)))
}

/// The signed headers by name. The list itself and the time have to be among them.
fn signed_headers<'h>(head: &SpecialHead<'h>) -> Result<Vec<(String, Cow<'h, str>)>, Reason> {
    let list = head.header(SIGNED)?;
    let malformed = || Reason::new(RejectionKind::MalformedHeader).about(&SIGNED.into());
    let mut names: Vec<String> = list
        .split(',')
        .map(|name| name.trim().to_ascii_lowercase())
        .collect();
    names.sort_unstable();
    let is_listed = |name: &str| names.iter().any(|listed| listed == name);
    let before = names.len();
    if before > MAX_HEADERS || !is_listed(SIGNED) || !is_listed(TIME) || is_listed(SIGNATURE) {
        return Err(malformed());
    }
    let canonical = names.join(",");
    names.dedup();
    if names.len() < before {
        return Err(malformed());
    }
    let mut headers: Vec<(String, Cow<'h, str>)> = Vec::new();
    for name in names {
        let value = if name == SIGNED {
            Cow::Owned(canonical.clone())
        } else {
            Cow::Borrowed(head.header(&name)?.trim())
        };
        // Where a value ends must not be in doubt.
        let begin = format!(";{name}:");
        if headers.iter().any(|(_, value)| value.contains(&begin)) {
            return Err(malformed());
        }
        headers.push((name, value));
    }
    Ok(headers)
}
