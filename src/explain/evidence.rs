//! What a request and its secrets show without any proof.

use crate::{
    capture::CapturedRequest,
    explain::{Secrets, found::Found, hypothesis::named, request::Refused},
    keys::suspicion::suspicion,
    note::NoteKind,
    provider::Provider,
    rejection::kind::RejectionKind,
};

/// What is seen, and the cause that it makes likely.
#[derive(Default)]
pub(super) struct Evidence {
    pub(super) likely: Option<Found>,
    /// The name for what the body has lost.
    pub(super) lost: Option<&'static str>,
    /// Whether the header with the signature is there.
    pub(super) has_signature: bool,
    pub(super) observations: Vec<String>,
}

impl Evidence {
    fn suspect(&mut self, name: &str) {
        self.likely.get_or_insert_with(|| named(name).with(""));
    }

    fn lose(&mut self, name: &'static str, text: &str) {
        self.lost.get_or_insert(name);
        self.see(format!("{text} [{name}]"));
    }

    fn see(&mut self, text: impl Into<String>) {
        self.observations.push(text.into());
    }
}

pub(super) fn of(
    provider: &Provider,
    secrets: &Secrets,
    captured: &CapturedRequest,
    refusal: &Refused,
    unusable: bool,
) -> Evidence {
    let mut evidence = Evidence::default();
    of_headers(provider, captured, &mut evidence);
    of_secrets(provider, secrets, unusable, &mut evidence);
    of_body(captured, &mut evidence);
    of_refusal(refusal, &mut evidence);
    evidence
}

fn of_headers(provider: &Provider, captured: &CapturedRequest, evidence: &mut Evidence) {
    let head = captured.head();
    let has = |name: &str| head.headers.nth(name, 0).is_some();
    let signatures: Vec<String> = provider.signature_headers().collect();
    evidence.has_signature = signatures.iter().any(|name| has(name));
    if signatures.is_empty() || evidence.has_signature {
        return;
    }
    let name = signatures.first().map_or("", |name| &**name);
    evidence.see(format!("the header {name} is missing"));
    // `x-github-delivery` is a companion of `x-hub-signature-256` by the name of the provider only.
    let word = provider
        .name()
        .split('-')
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase();
    let vendor = name
        .split('-')
        .find(|part| part.len() > 1 && !part.eq_ignore_ascii_case("x"));
    let vendor = vendor.unwrap_or_default().to_ascii_lowercase();
    let is_companion = |header: &str| {
        let header = header.to_ascii_lowercase();
        header.starts_with("x-") && (header.contains(&word) || header.contains(&vendor))
            || header.starts_with(&format!("{word}-"))
    };
    let known = provider
        .delivery_id()
        .into_iter()
        .chain(provider.event_type());
    let known: Vec<_> = known.filter_map(|place| place.as_header()).collect();
    let is_known = |header: &str| known.iter().any(|name| name.eq_ignore_ascii_case(header));
    if captured
        .headers()
        .any(|(header, _)| is_known(header) || is_companion(header))
    {
        evidence.suspect("signature-missing");
    }
}

/// What the verifier knows. It quotes no secret and no signature.
fn of_refusal(refusal: &Refused, evidence: &mut Evidence) {
    match refusal {
        Refused::Setup(error) => error.mistakes().for_each(|mistake| evidence.see(mistake)),
        Refused::Rejection(rejection) => {
            let is_seen = match rejection.kind() {
                RejectionKind::MissingHeader => evidence.has_signature,
                RejectionKind::RepeatedHeader
                | RejectionKind::UnexpectedHeader
                | RejectionKind::UnexpectedClaim
                | RejectionKind::MalformedHeader
                | RejectionKind::MalformedSignature
                | RejectionKind::MalformedTimestamp
                | RejectionKind::MissingField
                | RejectionKind::RepeatedField
                | RejectionKind::MalformedBody
                | RejectionKind::UntrustedCertificate => true,
                _ => false,
            };
            if is_seen {
                // What a service remembers says nothing here, where one request was seen.
                let message = rejection.to_string();
                let sentences = message.split("; ");
                let sentences =
                    sentences.filter(|text| !text.starts_with("this endpoint has verified "));
                evidence.see(sentences.collect::<Vec<_>>().join("; "));
            }
        }
    }
}

fn of_secrets(provider: &Provider, secrets: &Secrets, unusable: bool, evidence: &mut Evidence) {
    if secrets.configured.is_empty() {
        evidence.see("no secret is configured");
    }
    for secret in secrets.configured.iter().filter(|secret| !secret.is_public) {
        let text = secret.text();
        let found = suspicion(text, provider.secret_look());
        match &found {
            Some((
                NoteKind::PlaceholderSecret | NoteKind::AssignedSecret | NoteKind::UrlSecret,
                _,
            )) => {
                evidence.suspect("secret-placeholder");
            }
            Some((NoteKind::OtherCredential, _)) => evidence.suspect("secret-api-key"),
            _ if is_api_key(text) => evidence.suspect("secret-api-key"),
            _ => {}
        }
        if let Some((_, clause)) = found {
            evidence.see(format!("{}: {clause}", secret.place()));
        }
    }
    if unusable {
        evidence.suspect("secret-unusable");
    }
}

/// Whether a text begins as the API keys of well-known services do.
fn is_api_key(text: &str) -> bool {
    const KEYS: [&str; 13] = [
        "sk_live_",
        "sk_test_",
        "pk_live_",
        "pk_test_",
        "rk_live_",
        "rk_test_",
        "shpat_",
        "shpca_",
        "ghp_",
        "github_pat_",
        "xoxb-",
        "xoxp-",
        "SG.",
    ];
    let is_twilio = text.len() == 34
        && (text.starts_with("AC") || text.starts_with("SK"))
        && text.bytes().skip(2).all(|byte| byte.is_ascii_hexdigit());
    is_twilio || KEYS.iter().any(|prefix| text.starts_with(prefix))
}

fn of_body(captured: &CapturedRequest, evidence: &mut Evidence) {
    let body = captured.body();
    if captured.left_out() > 0 {
        evidence.see(format!(
            "{} bytes of the body were not captured, so no signature of the body can match; capture the request again",
            captured.left_out()
        ));
    }
    let replaced = body
        .windows(3)
        .filter(|window| *window == b"\xef\xbf\xbd")
        .count();
    if replaced > 0 {
        let s = if replaced == 1 { "" } else { "s" };
        let text = format!(
            "the body has {replaced} replacement character{s} (U+FFFD): it was read as text of another character set, and \
             what was there is lost"
        );
        evidence.lose("body-lossy", &text);
    } else if body.windows(2).any(|window| window == b"??") {
        evidence.see(
            "the body has runs of question marks, as text that lost its characters beyond ASCII",
        );
    }
    if std::str::from_utf8(body).is_err() {
        evidence.see("the body is not UTF-8");
    }
    let declared = super::body::declared_length(&captured.head());
    match declared {
        _ if captured.left_out() > 0 => {}
        Some(declared) if declared > body.len() => {
            let text = format!(
                "Content-Length announces {declared} bytes, and the body has {}",
                body.len()
            );
            evidence.lose("body-truncated", &text);
        }
        Some(declared) if declared < body.len() => evidence.see(format!(
            "Content-Length announces {declared} bytes, and the body has {}",
            body.len()
        )),
        _ if body.is_empty() => evidence.see("the body is empty"),
        _ => {}
    }
    if super::body::json::numbers::has_rounded(body) {
        evidence.see(
            "the body has a number of more digits than JavaScript keeps, which ends as one that it has rounded: what was \
             there is lost",
        );
    }
    let document = body.trim_ascii_start();
    if matches!(document.first(), Some(b'{' | b'['))
        && let Err(error) = serde_json::from_slice::<serde_core::de::IgnoredAny>(document)
    {
        if error.is_eof() {
            let text =
                "the body is JSON that breaks off: its end is missing, and cannot be guessed";
            evidence.lose("body-truncated", text);
        } else {
            evidence.see("the body begins like JSON, but is not valid");
        }
    }
}
