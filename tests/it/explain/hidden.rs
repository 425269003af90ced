//! No secret, no variant of one, no signature and no text of the body is in what an explanation
//! prints.

use base64::{Engine, engine::general_purpose::STANDARD};
use tower_webhook::{capture::CapturedRequest, explain::Report};

use super::vectors::{explained, vectors};

/// The texts that may not be printed: of secrets, what is derived from them; of headers and bodies,
/// what is long enough to be theirs.
fn forbidden<'s>(
    secrets: impl Iterator<Item = &'s String>,
    captured: &CapturedRequest,
) -> Vec<String> {
    let mut texts = Vec::new();
    for secret in secrets {
        let bare = secret.trim_matches(|letter: char| !letter.is_ascii_alphanumeric());
        let rest = bare.rsplit('_').next().unwrap_or(bare);
        let hex: String = bare.bytes().map(|byte| format!("{byte:02x}")).collect();
        let decoded = STANDARD
            .decode(rest)
            .ok()
            .and_then(|bytes| String::from_utf8(bytes).ok());
        texts.extend([
            secret.clone(),
            bare.to_owned(),
            rest.to_owned(),
            hex,
            STANDARD.encode(bare),
        ]);
        texts.extend(decoded);
    }
    for (name, value) in captured.headers() {
        let is_named = |word| name.to_ascii_lowercase().contains(word);
        if is_named("sig") || is_named("hmac") {
            let value = String::from_utf8_lossy(value).into_owned();
            texts.extend(value.split(['=', ',']).map(str::to_owned));
            texts.push(value);
        }
    }
    let body = String::from_utf8_lossy(captured.body()).into_owned();
    texts.extend(body.split('"').map(str::to_owned));
    // Names of fields, versions and times are no secrets.
    const NAMES: [&str; 3] = ["livemode", "timestamp", "signature"];
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    texts.retain(|text| text.len() > 7 && !NAMES.contains(&&**text) && !is_number(text));
    texts
}

/// What must not be printed and is, with the text that has it.
pub(super) fn leaks<'s>(
    secrets: impl Iterator<Item = &'s String>,
    captured: &CapturedRequest,
    report: &Report,
) -> Vec<String> {
    let printed = [
        report.to_string(),
        format!("{report:?}"),
        serde_json::to_string(report).unwrap(),
        format!("{captured:?}"),
    ];
    let forbidden = forbidden(secrets, captured);
    let leaks = forbidden.iter().flat_map(|text| {
        let printed = printed.iter().filter(move |printed| printed.contains(text));
        printed.map(move |printed| format!("{text} in {printed}"))
    });
    leaks.collect()
}

#[test]
fn an_explanation_prints_nothing_that_is_secret() {
    for vector in vectors() {
        let (captured, report) = explained(&vector);
        let leaks = leaks(vector.secrets(), &captured, &report);
        assert!(leaks.is_empty(), "{}: {leaks:?}", vector.id);
    }
}
