//! Faults that were once explained wrongly, or not at all.

use support::NOW;
use tower_webhook::{
    Provider, Scheme, Secret,
    explain::{Providers, Secrets, Verdict},
    scheme::{Algorithm, Encoding, Locator, SignatureFormat, TokenFormat},
};

use super::faults::{
    Case, GITHUB, JSON, Proven, SECRET, URL, WHSEC, check, provider, sha256, signed_at, with_url,
};

fn github() -> Case {
    Case::of(provider("github"), SECRET, JSON)
}

/// A request that is signed with a time that is no time of today.
fn stripe_at(time: u64) -> Case {
    let headers = signed_at(&provider("stripe"), WHSEC, JSON, time);
    Case::new(provider("stripe"), WHSEC, headers, JSON)
}

/// Renames every header that is named so.
fn renamed(case: Case, names: &[(&str, &str)]) -> Case {
    let mut case = case;
    for (old, new) in names {
        let mut lines = case.headers.iter_mut();
        let line = lines.find(|(name, _)| name.eq_ignore_ascii_case(old));
        (*new).clone_into(&mut line.expect(old).0);
    }
    case
}

#[test]
fn what_anybody_can_compute_proves_nothing() {
    let bare = sha256(JSON);
    let dated = sha256(&format!("{NOW}.{JSON}"));
    for (name, case) in [
        ("body", github().edit(GITHUB, |_| format!("sha256={bare}"))),
        (
            "time and body",
            stripe_at(NOW).edit("stripe-signature", |_| format!("t={NOW},v1={dated}")),
        ),
        (
            "body, at a provider that may be unsigned",
            Case::of(provider("authento"), SECRET, JSON).edit("x-payload-digest", |_| bare.clone()),
        ),
    ] {
        let report = case.explained();
        assert_eq!(report.verdict(), Verdict::Unexplained, "{name}: {report}");
        assert!(!report.to_string().contains("likely"), "{name}: {report}");
    }
}

#[test]
fn a_value_that_can_be_guessed_is_no_other_secret() {
    let file = "DEBUG=1\nNODE_ENV=production\nPORT=30001234\nTZ=Europe\nMODE=short-1\n";
    for value in ["1", "production", "30001234", "Europe", "short-1"] {
        let mut case = Case::of(provider("github"), value, JSON);
        let secrets = Secrets::new(Secret::new("another-secret-of-some-length"));
        case.secrets = secrets.with_env_file(file);
        let report = case.explained();
        assert_eq!(report.verdict(), Verdict::Unexplained, "{value}: {report}");
    }
}

#[test]
fn a_unit_of_time_is_told_by_the_time() {
    let undated =
        |case: Case, name: &str| case.explained_with(Providers::new(provider(name)), false);
    let report = undated(stripe_at(NOW * 1_000), "stripe");
    assert_eq!(report.verdict(), Verdict::Proven, "{report}");
    assert_eq!(report.cause(), Some("timestamp-milliseconds"), "{report}");
    let report = undated(stripe_at(NOW), "stripe");
    assert_eq!(report.verdict(), Verdict::Genuine, "{report}");
    let report = undated(stripe_at(12_345), "stripe");
    assert_eq!(report.verdict(), Verdict::Genuine, "{report}");
    check(vec![
        ("now", stripe_at(NOW * 1_000), "timestamp-milliseconds", ""),
        (
            "old",
            stripe_at(NOW * 1_000).late(90_000),
            "timestamp-milliseconds|timestamp-old",
            "",
        ),
        (
            "microseconds",
            stripe_at(NOW * 1_000_000),
            "timestamp-microseconds",
            "",
        ),
    ]);
}

#[test]
fn another_provider_is_not_that_of_the_endpoint() {
    let other = with_url("square", "https://other.example.net/hooks/payments");
    let case = Case::of(other.clone(), SECRET, JSON);
    let providers = Providers::new(with_url("square", URL)).with_other(other);
    let report = case.explained_with(providers, true);
    assert_ne!(report.cause(), Some("provider:square"), "{report}");
}

#[test]
fn the_provider_that_others_copy_is_named() {
    let sent = |name, to| Case::of(provider(name), WHSEC, JSON).provider(provider(to));
    check(vec![
        (
            "Svix at GitHub",
            sent("svix", "github"),
            "provider:svix",
            "",
        ),
        (
            "Svix at Stripe",
            sent("svix", "stripe"),
            "provider:svix",
            "",
        ),
        (
            "Standard Webhooks at GitHub",
            sent("standard-webhooks", "github"),
            "provider:standard-webhooks",
            "",
        ),
    ]);
}

#[test]
fn a_header_beside_the_signature_may_be_renamed() {
    let svix = |names| renamed(Case::of(provider("svix"), WHSEC, JSON), names);
    let rows: Vec<Proven> = vec![
        (
            "time",
            svix(&[("svix-timestamp", "X-Original-Svix-Timestamp")]),
            "header:x-original-svix-timestamp",
            "",
        ),
        (
            "id",
            svix(&[("svix-id", "X-Forwarded-Svix-Id")]),
            "header:x-forwarded-svix-id",
            "",
        ),
        (
            "underscore",
            svix(&[("svix-id", "svix_id")]),
            "header:svix_id",
            "",
        ),
        (
            "X-",
            svix(&[("svix-id", "X-Svix-Id")]),
            "header:x-svix-id",
            "",
        ),
        (
            "all",
            svix(&[
                ("svix-id", "svix_id"),
                ("svix-timestamp", "svix_timestamp"),
                ("svix-signature", "svix_signature"),
            ]),
            "header:svix_signature",
            "",
        ),
        (
            "the other family",
            svix(&[
                ("svix-id", "X-Original-Webhook-Id"),
                ("svix-timestamp", "webhook-timestamp"),
                ("svix-signature", "webhook-signature"),
            ]),
            "header:x-original-webhook-id",
            "",
        ),
    ];
    let both = svix(&[("svix-id", "svix_id"), ("svix-timestamp", "svix_timestamp")]).explained();
    let cause = both.cause().unwrap_or_default();
    let mut names: Vec<&str> = cause.split('|').collect();
    names.sort_unstable();
    assert_eq!(names, ["header:svix_id", "header:svix_timestamp"], "{both}");
    check(rows);
}

/// Signed as another provider does, at GitHub's endpoint.
fn hashed(algorithm: Algorithm, prefix: &'static str) -> Case {
    let format = SignatureFormat::single("X-Hub-Signature-256", Encoding::Hex).with_prefix(prefix);
    let acme = Provider::new("acme", Scheme::signed(algorithm, "{body}", format));
    Case::of(acme, SECRET, JSON).provider(provider("github"))
}

fn telegram() -> Case {
    let headers = vec![(TELEGRAM.to_owned(), SECRET.to_owned())];
    let telegram = provider("telegram").accept_unsigned_body();
    Case::new(telegram, SECRET, headers, JSON)
}

fn bearer() -> Provider {
    let format = TokenFormat::plain().with_prefix("Bearer ");
    let scheme = Scheme::token(Locator::header("Authorization"), format);
    Provider::new("acme", scheme).accept_unsigned_body()
}

const TELEGRAM: &str = "X-Telegram-Bot-Api-Secret-Token";

#[test]
fn spellings_of_signatures_tokens_and_secrets_are_named() {
    let of = |name| Case::of(provider(name), WHSEC, JSON);
    let doubled = "whsec_whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let spaced = |mark: &str| {
        github().edit(GITHUB, |value| {
            let (start, end) = value.split_at(30);
            format!("{start}{mark}{end}")
        })
    };
    check(vec![
        (
            "SHA-384",
            hashed(Algorithm::HmacSha384, "sha384="),
            "algorithm:sha384",
            "",
        ),
        (
            "SHA-384 alone",
            hashed(Algorithm::HmacSha384, "sha256="),
            "algorithm:sha384",
            "",
        ),
        (
            "Bearer",
            github().edit(GITHUB, |value| format!("Bearer {value}")),
            "signature-prefix",
            "",
        ),
        ("a space", spaced(" "), "signature-whitespace", ""),
        ("a tab", spaced("\t"), "signature-whitespace", ""),
        (
            "spaces around",
            github().edit(GITHUB, |value| format!(" {value}")),
            "signature-whitespace",
            "",
        ),
        (
            "another name of a token",
            renamed(telegram(), &[(TELEGRAM, "X-Original-Secret-Token")]),
            "header:x-original-secret-token",
            "",
        ),
        (
            "a token in quotes",
            telegram().edit(TELEGRAM, |value| format!("\"{value}\"")),
            "signature-quoted",
            "",
        ),
        (
            "a token without its Bearer",
            Case::new(
                bearer(),
                SECRET,
                vec![("Authorization".to_owned(), SECRET.to_owned())],
                JSON,
            ),
            "signature-prefix",
            "",
        ),
        (
            "a token behind Bearer",
            telegram().edit(TELEGRAM, |value| format!("Bearer {value}")),
            "signature-prefix",
            "",
        ),
        (
            "twice",
            of("svix").secret(doubled),
            "secret-prefix:whsec_:doubled",
            "",
        ),
        (
            "twice, Standard Webhooks",
            of("standard-webhooks").secret(doubled),
            "secret-prefix:whsec_:doubled",
            "",
        ),
        (
            "an opening quotation mark",
            github().secret("\"a-secret-of-some-length"),
            "secret-quoted",
            "",
        ),
        (
            "an opening quotation mark at Svix",
            of("svix").secret("\"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
            "secret-quoted",
            "",
        ),
    ]);
    let other = telegram()
        .secret("another-token-of-some-length")
        .explained();
    assert_eq!(other.verdict(), Verdict::Unexplained, "{other}");
    assert!(
        other.remedy().unwrap().contains("compare the token"),
        "{other}"
    );
}
