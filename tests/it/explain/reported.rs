//! Faults that were once explained wrongly, or not at all.

use support::{NOW, at};
use tower_webhook::{
    Provider, Scheme, Secret,
    explain::{Providers, Secrets, Verdict},
    scheme::{Algorithm, Encoding, JwtFormat, Locator, SignatureFormat, TokenFormat},
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

/// A token in a header, which the sender signs with one algorithm.
fn jwt(sent: Algorithm, prefix: &'static str) -> Case {
    let at = |algorithm| {
        let format = JwtFormat::header(JWT).with_prefix(prefix);
        let scheme = Scheme::jwt(algorithm, format.with_body_hash("body", Encoding::Hex));
        Provider::new("acme", scheme)
    };
    Case::of(at(sent), SECRET, JSON).provider(at(Algorithm::HmacSha256))
}

const JWT: &str = "authorization";

#[test]
fn spellings_of_json_web_tokens_are_named() {
    let bearer = || jwt(Algorithm::HmacSha256, "Bearer ");
    let bare = || jwt(Algorithm::HmacSha256, "");
    check(vec![
        (
            "quoted",
            bare().edit(JWT, |value| format!("\"{value}\"")),
            "signature-quoted",
            "",
        ),
        (
            "quoted behind Bearer",
            bearer().edit(JWT, |value| value.replace("Bearer ", "Bearer \"") + "\""),
            "signature-quoted",
            "",
        ),
        (
            "Bearer lost",
            bearer().edit(JWT, |value| value.replace("Bearer ", "")),
            "signature-prefix",
            "",
        ),
        (
            "Bearer added",
            bare().edit(JWT, |value| format!("Bearer {value}")),
            "signature-prefix",
            "",
        ),
        (
            "HS512",
            jwt(Algorithm::HmacSha512, "Bearer "),
            "algorithm:sha512",
            "",
        ),
    ]);
}

#[test]
fn a_variant_that_the_endpoint_does_not_have_is_named() {
    let twilio = |variant| {
        let provider = with_url("twilio", URL);
        provider.select_variant(variant).unwrap()
    };
    check(vec![(
        "Twilio",
        Case::of(twilio("hmac-sha256"), SECRET, "a=1").provider(twilio("hmac-sha1")),
        "algorithm:sha256",
        "",
    )]);
}

#[test]
fn what_is_missing_is_named_as_the_request_would_have_it() {
    let of_box = || Case::of(provider("box"), SECRET, JSON);
    for name in ["box-signature-algorithm", "box-signature-version"] {
        let report = of_box().without(name).explained();
        let cause = format!("header-required:{name}");
        assert_eq!(report.cause(), Some(&*cause), "{report}");
    }
    let messages = with_url("rfc9421", URL).select_variant("hmac-sha256");
    let messages = Case::of(messages.unwrap(), "YW4gaG9uZXN0IGtleSBvZiAyNCBieXRl", JSON);
    let lost = messages.without("content-digest").explained();
    assert_eq!(lost.verdict(), Verdict::Unexplained, "{lost}");
    let remedy = "removes the header Content-Digest";
    assert!(lost.remedy().unwrap().contains(remedy), "{lost}");
    for (set, name) in [(None, "Authorization"), (Some("X-Hook"), "X-Hook")] {
        let okta = provider("okta").accept_unsigned_body();
        let okta = match set {
            Some(name) => okta.with_param("header", name),
            None => okta,
        };
        let missing = Case::new(okta, SECRET, Vec::new(), JSON).explained();
        let wanted = format!("the header {name} is missing");
        assert!(missing.to_string().contains(&wanted), "{missing}");
    }
}

#[test]
fn what_a_genuine_request_leaves_open_is_said() {
    let undated = |case: Case, name| case.explained_with(Providers::new(provider(name)), false);
    let stripe = undated(stripe_at(NOW), "stripe");
    assert!(
        stripe
            .to_string()
            .contains("whether the request is too old"),
        "{stripe}"
    );
    let mut case = github();
    case.secrets = Secrets::new(Secret::new(SECRET).with_not_after(at(NOW - 1)));
    let old = undated(case, "github");
    assert_eq!(old.verdict(), Verdict::Genuine, "{old}");
    assert!(
        old.to_string().contains("whether the key was valid"),
        "{old}"
    );
    let plain = undated(github(), "github");
    assert!(!plain.to_string().contains("time of receipt"), "{plain}");
}

#[test]
fn a_request_of_another_provider_is_no_renamed_header() {
    let sent = |name, to| {
        let secret = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        Case::of(provider(name), secret, JSON).provider(provider(to))
    };
    let gitlab = vec![
        ("X-Gitlab-Token".to_owned(), SECRET.to_owned()),
        ("X-Gitlab-Event".to_owned(), "Push Hook".to_owned()),
    ];
    let gitlab = Case::new(provider("github"), SECRET, gitlab, JSON).explained();
    let names: Vec<&str> = gitlab.cause().into_iter().chain(gitlab.also()).collect();
    assert!(
        names.iter().all(|name| name.starts_with("provider:gitlab")),
        "{gitlab}"
    );
    check(vec![
        ("Shopify", sent("shopify", "github"), "provider:shopify", ""),
        (
            "Typeform",
            sent("typeform", "github"),
            "provider:typeform",
            "",
        ),
        (
            "Paystack",
            sent("paystack", "github"),
            "provider:paystack",
            "",
        ),
        (
            "GitHub",
            sent("github", "shopify").header("X-GitHub-Event", "push"),
            "provider:github",
            "",
        ),
    ]);
}

#[test]
fn a_query_that_was_signed_decoded_is_found() {
    let square = |url| with_url("square", url);
    let (decoded, encoded) = (
        "https://hooks.example.com/webhooks/x?q=a b",
        "https://hooks.example.com/webhooks/x?q=a%20b",
    );
    check(vec![
        (
            "decoded",
            Case::of(square(decoded), SECRET, JSON).provider(square(encoded)),
            "url:query",
            "",
        ),
        (
            "with a plus",
            Case::of(
                square("https://hooks.example.com/webhooks/x?q=a+b"),
                SECRET,
                JSON,
            )
            .provider(square(encoded)),
            "url:query",
            "",
        ),
    ]);
}

#[test]
fn the_algorithm_that_a_header_names_is_no_missing_setting() {
    let sumsub = provider("sumsub").select_variant("hmac-sha512").unwrap();
    let case = Case::of(sumsub, SECRET, JSON).provider(provider("sumsub"));
    let report = case.explained();
    assert_eq!(report.cause(), Some("algorithm:sha512"), "{report}");
}
