//! No secret, no variant of one, no signature and no text of the body is in what an explanation prints.

use base64::{Engine, engine::general_purpose::STANDARD};
use tower_webhook::capture::CapturedRequest;

use super::vectors::{Vector, explained, vectors};

/// The texts that may not be printed: of secrets, what is derived from them; of headers and bodies, what
/// is long enough to be theirs.
fn forbidden(vector: &Vector, captured: &CapturedRequest) -> Vec<String> {
    let mut texts = Vec::new();
    for secret in vector.secrets() {
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
    // Names of fields and versions are no secrets.
    texts.retain(|text| text.len() > 7 && text != "livemode");
    texts
}

#[test]
fn an_explanation_prints_nothing_that_is_secret() {
    for vector in vectors() {
        let (captured, report) = explained(&vector);
        let printed = [
            report.to_string(),
            format!("{report:?}"),
            serde_json::to_string(&report).unwrap(),
            format!("{captured:?}"),
        ];
        for text in forbidden(&vector, &captured) {
            for printed in &printed {
                assert!(
                    !printed.contains(&text),
                    "{}: {text} in {printed}",
                    vector.id
                );
            }
        }
    }
}
