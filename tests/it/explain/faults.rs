//! Faults of one provider each, and what is said of them beside the cause.

use std::time::Duration;

use http::Request;
use support::{NOW, at};
use tower_webhook::{
    Provider, PublicKey, Secret, Signer,
    capture::CapturedRequest,
    explain::{Budget, Providers, Report, Secrets, Verdict, diagnose},
    providers,
    verify::Head,
};

pub(super) type HeaderLines = Vec<(String, String)>;

pub(super) const URL: &str = "https://hooks.example.com/webhooks/x?a=1";
pub(super) const SECRET: &str = "a-secret-of-some-length";
pub(super) const WHSEC: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const FORM: &str = "CallSid=CA12&From=%2B14155551212&Body=Hi+there%21";
pub(super) const JSON: &str = r#"{"id":"evt_1","name":"Zoë","url":"https://a.example/x"}"#;

pub(super) fn provider(name: &str) -> Provider {
    providers::by_name(name).unwrap()
}

pub(super) fn with_url(name: &str, url: &'static str) -> Provider {
    provider(name).with_param("url", url)
}

fn proxied(name: &str) -> Provider {
    provider(name).with_param("url_from", "x-forwarded")
}

fn signed(provider: &Provider, secret: &str, body: &str) -> HeaderLines {
    signed_at(provider, secret, body, NOW)
}

pub(super) fn signed_at(provider: &Provider, secret: &str, body: &str, time: u64) -> HeaderLines {
    let signer = Signer::new(provider.clone(), Secret::new(secret)).unwrap();
    let request = signer
        .with_time(at(time))
        .sign(Request::post(URL), body.to_owned());
    let (head, _) = request.unwrap().into_parts();
    let lines = head.headers.iter();
    lines
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
        .collect()
}

/// A request as it came, and what the receiver knows.
pub(super) struct Case {
    provider: Provider,
    pub(super) secrets: Secrets,
    mount: Option<&'static str>,
    target: &'static str,
    pub(super) headers: HeaderLines,
    body: Vec<u8>,
    late: i64,
    budget: Budget,
}

impl Case {
    pub(super) fn new(
        provider: Provider,
        secret: &str,
        headers: HeaderLines,
        body: impl Into<Vec<u8>>,
    ) -> Self {
        let mut headers = headers;
        headers.push(("Host".to_owned(), "hooks.example.com".to_owned()));
        Self {
            provider,
            secrets: Secret::new(secret).into(),
            mount: None,
            target: "/webhooks/x?a=1",
            headers,
            body: body.into(),
            late: 0,
            budget: Budget::default()
                .with_time(Duration::from_secs(120))
                .with_readings(60_000),
        }
    }

    /// A genuine request of the provider.
    pub(super) fn of(provider: Provider, secret: &str, body: &str) -> Self {
        let headers = signed(&provider, secret, body);
        Self::new(provider, secret, headers, body)
    }

    pub(super) fn provider(self, provider: Provider) -> Self {
        Self { provider, ..self }
    }

    pub(super) fn secret(self, secret: &str) -> Self {
        let secrets = Secret::new(secret).into();
        Self { secrets, ..self }
    }

    fn target(self, target: &'static str) -> Self {
        Self { target, ..self }
    }

    fn mount(self, mount: &'static str) -> Self {
        Self {
            mount: Some(mount),
            ..self
        }
    }

    pub(super) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Changes the value of a header.
    pub(super) fn edit(mut self, name: &str, change: impl Fn(&str) -> String) -> Self {
        let mut lines = self.headers.iter_mut();
        let (_, value) = lines.find(|(known, _)| known == name).expect(name);
        *value = change(value);
        self
    }

    pub(super) fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(known, _)| known != name);
        self
    }

    pub(super) fn came(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    pub(super) fn late(self, late: i64) -> Self {
        Self { late, ..self }
    }

    pub(super) fn explained(&self) -> Report {
        self.explained_with(Providers::new(self.provider.clone()), true)
    }

    /// With the time of receipt, or without.
    pub(super) fn explained_with(&self, providers: Providers, is_dated: bool) -> Report {
        let time = u64::try_from(i64::try_from(NOW).unwrap() + self.late).unwrap();
        let head = Head::new(&self.headers).with_target(self.target);
        let mut captured = CapturedRequest::new(&head, self.body.clone());
        if is_dated {
            captured = captured.with_received_at(at(time));
        }
        let mut providers = providers;
        if let Some(mount) = self.mount {
            providers = providers.with_mount(mount);
        }
        diagnose(&providers, &self.secrets, &captured, self.budget)
    }
}

/// The name of a row, the case, and the cause that is proven; the second is an `also`.
pub(super) type Proven = (&'static str, Case, &'static str, &'static str);

pub(super) fn check(rows: Vec<Proven>) {
    let mut wrong = Vec::new();
    for (name, case, cause, also) in rows {
        let report = case.explained();
        let names: Vec<&str> = report.also().collect();
        let is_named = report.verdict() == Verdict::Proven && report.cause() == Some(cause);
        if !is_named || !(also.is_empty() || names.contains(&also)) {
            wrong.push(format!("{name}: {cause} {also}\n{report}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn twilio(url: &'static str) -> Case {
    Case::of(with_url("twilio", URL), SECRET, FORM).provider(with_url("twilio", url))
}

#[test]
fn the_address_that_a_proxy_says_counts_where_the_endpoint_says_so() {
    for (name, body) in [
        ("twilio", FORM),
        ("mandrill", "mandrill_events=%5B%5D"),
        ("plivo-v3", FORM),
    ] {
        let case = Case::of(with_url(name, URL), SECRET, body)
            .header("X-Forwarded-Proto", "https")
            .header("X-Forwarded-Host", "hooks.example.com");
        let genuine = case.provider(proxied(name)).explained();
        assert_eq!(genuine.verdict(), Verdict::Genuine, "{name}: {genuine}");
        let case = Case::of(with_url(name, URL), SECRET, body)
            .header("X-Forwarded-Proto", "http")
            .header("X-Forwarded-Host", "hooks.example.com");
        let refused = case.provider(proxied(name)).explained();
        assert_eq!(refused.cause(), Some("url:scheme"), "{name}: {refused}");
    }
}

#[test]
fn the_url_that_was_signed_is_found() {
    let any = || provider("twilio").with_param("query", "any");
    let cut = "https://hooks.example.com/x?a=1";
    check(vec![
        (
            "scheme",
            twilio("http://hooks.example.com/webhooks/x?a=1"),
            "url:scheme",
            "",
        ),
        (
            "host",
            twilio("https://10.0.0.7/webhooks/x?a=1"),
            "url:host",
            "",
        ),
        (
            "host, and a port that may be left out",
            twilio("https://10.0.0.7:8080/webhooks/x?a=1"),
            "url:host",
            "",
        ),
        (
            "slash",
            twilio("https://hooks.example.com/webhooks/x/?a=1"),
            "url:slash",
            "",
        ),
        (
            "query",
            twilio("https://hooks.example.com/webhooks/x"),
            "url:query",
            "",
        ),
        (
            "path",
            twilio(cut).target("/x?a=1").mount("/webhooks"),
            "url:path",
            "",
        ),
        (
            "a query that was added on the way",
            twilio(URL).target("/webhooks/x?a=1&utm=2"),
            "url:query",
            "",
        ),
        (
            "any query",
            twilio(URL).provider(any().with_param("url", "http://hooks.example.com/webhooks/x")),
            "url:scheme+query",
            "",
        ),
        (
            "the secret, and the URL",
            twilio("http://hooks.example.com/webhooks/x?a=1").secret("\"a-secret-of-some-length\""),
            "secret-quoted|url:scheme",
            "",
        ),
        (
            "a path that code reads",
            Case::of(provider("contentful"), SECRET, JSON)
                .target("/x?a=1")
                .mount("/webhooks"),
            "url:path",
            "",
        ),
    ]);
}

#[test]
fn twilio_signs_json_by_a_hash_in_the_query() {
    const SIGNED: &str = "https://hooks.example.com/webhooks/x?a=1&bodySHA256=";
    let hash = sha256(JSON);
    let target: &'static str =
        Box::leak(format!("/webhooks/x?a=1&bodySHA256={hash}").into_boxed_str());
    let url: &'static str = Box::leak(format!("{SIGNED}{hash}").into_boxed_str());
    let signer = Signer::new(with_url("twilio", URL), Secret::new(SECRET)).unwrap();
    let request = signer.with_time(at(NOW)).sign(Request::post(url), JSON);
    let (head, _) = request.unwrap().into_parts();
    let signature = head.headers["x-twilio-signature"].to_str().unwrap();
    let headers = vec![("X-Twilio-Signature".to_owned(), signature.to_owned())];
    let case =
        |url| Case::new(with_url("twilio", url), SECRET, headers.clone(), JSON).target(target);
    let genuine = case(URL).explained();
    assert_eq!(genuine.verdict(), Verdict::Genuine, "{genuine}");
    let unencrypted = case("http://hooks.example.com/webhooks/x?a=1").explained();
    assert_eq!(unencrypted.cause(), Some("url:scheme"), "{unencrypted}");
}

pub(super) fn sha256(text: &str) -> String {
    let digest = <sha2::Sha256 as sha2::Digest>::digest(text.as_bytes());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Which is configured is said, and not guessed.
#[test]
fn a_url_that_is_not_set_is_no_genuine_request() {
    let report = Case::of(with_url("square", URL), SECRET, JSON)
        .provider(provider("square"))
        .explained();
    assert_eq!(report.cause(), Some("refused:setup"), "{report}");
    assert!(report.remedy().unwrap().starts_with("url: "), "{report}");
}

#[test]
fn a_time_is_that_of_a_zone_only_if_there_is_such_a_zone() {
    let stripe = |late| Case::of(provider("stripe"), WHSEC, JSON).late(late);
    check(vec![
        ("a quarter of an hour", stripe(900), "timestamp-old", ""),
        ("half an hour", stripe(1_800), "timestamp-old", ""),
        ("three quarters", stripe(2_700), "timestamp-old", ""),
        ("an hour and a quarter", stripe(4_500), "timestamp-old", ""),
        (
            "an hour",
            stripe(3_600),
            "timestamp-timezone",
            "timestamp-old",
        ),
        (
            "India",
            stripe(19_802),
            "timestamp-timezone",
            "timestamp-old",
        ),
        (
            "Nepal",
            stripe(-20_700),
            "timestamp-timezone",
            "timestamp-future",
        ),
        ("fifteen hours", stripe(54_000), "timestamp-old", ""),
    ]);
    let old = stripe(90_000).explained().to_string();
    assert!(
        old.contains("90000 s in the past, and at most 300 s are accepted"),
        "{old}"
    );
}

/// A genuine request whose signature has both letters that only one alphabet of base64 has.
fn telling() -> Case {
    let bodies = (0..500).map(|number| format!("{{\"id\":{number}}}"));
    let cases = bodies.map(|body| Case::of(provider("shopify"), SECRET, &body));
    let mut cases = cases.filter(|case| {
        let (_, signature) = case
            .headers
            .iter()
            .find(|(name, _)| name == SHOPIFY)
            .unwrap();
        signature.contains('/') && signature.get(1..40).unwrap().contains('+')
    });
    cases.next().unwrap()
}

const SHOPIFY: &str = "x-shopify-hmac-sha256";
pub(super) const GITHUB: &str = "x-hub-signature-256";

#[test]
fn what_happened_to_a_signature_is_named() {
    let github = || Case::of(provider("github"), SECRET, JSON);
    let stripe = || Case::of(provider("stripe"), WHSEC, JSON);
    check(vec![
        (
            "joined",
            github().edit(GITHUB, |value| format!("{value}, {value}")),
            "header-repeated",
            "",
        ),
        (
            "joined without spaces",
            github().edit(GITHUB, |value| format!("{value},{value},{value}")),
            "header-repeated",
            "",
        ),
        (
            "joined with another",
            github().edit(GITHUB, |value| format!("sha256={},{value}", "0".repeat(64))),
            "header-repeated",
            "",
        ),
        (
            "fields that are joined",
            stripe().edit("stripe-signature", |value| format!("{value}, {value}")),
            "header-repeated",
            "",
        ),
        (
            "padding",
            telling().edit(SHOPIFY, |value| value.trim_end_matches('=').to_owned()),
            "signature-padding-lost",
            "",
        ),
        (
            "plus signs",
            telling().edit(SHOPIFY, |value| value.replace('+', " ")),
            "signature-plus-lost",
            "",
        ),
        (
            "another alphabet",
            telling().edit(SHOPIFY, |value| value.replace('+', "-").replace('/', "_")),
            "encoding:base64url",
            "",
        ),
        (
            "a secret that was encoded twice",
            github().secret("WVMxelpXTnlaWFF0YjJZdGMyOXRaUzFzWlc1bmRHZz0="),
            "secret-base64-of-text",
            "",
        ),
    ]);
}

/// The name of a row, the case, what the remedy says, and what is seen.
type Unexplained = (&'static str, Case, &'static str, &'static str);

#[test]
fn what_is_not_explained_is_not_contradicted() {
    let github = || Case::of(provider("github"), SECRET, JSON);
    let lost = JSON.replace('ë', "\u{fffd}");
    let broken = JSON.get(..JSON.len() - 5).unwrap();
    let length = JSON.len().to_string();
    let seed = "0123456789abcdef".repeat(4);
    let mut unsigned_discord = Case::of(provider("discord"), &seed, JSON)
        .without("x-signature-ed25519")
        .without("x-signature-timestamp");
    let key = "bdb2223921084d13348501ebd40ae814996fcc426f6acec38de968e14b0a6bd1";
    unsigned_discord.secrets = Secret::from(PublicKey::new(key)).into();
    let rows: Vec<Unexplained> = vec![
        (
            "a signature that was cut",
            github().edit(GITHUB, |value| value.get(..9).unwrap().to_owned()),
            "find what cuts or changes it",
            "the signature has 2 hex digits, and the scheme expects 64",
        ),
        (
            "an id that was removed",
            Case::of(provider("svix"), WHSEC, JSON).without("svix-id"),
            "that removes the header",
            "svix-id",
        ),
        (
            "a time that was removed",
            Case::of(provider("slack"), SECRET, FORM).without("x-slack-request-timestamp"),
            "that removes the header",
            "X-Slack-Request-Timestamp",
        ),
        (
            "no signature at all",
            github().without(GITHUB),
            "set the secret at the provider",
            "is missing",
        ),
        (
            "no signature of a private key at all",
            unsigned_discord,
            "check at the provider, which has the private key, that it signs",
            "is missing",
        ),
        (
            "a body that was cut",
            github().came(broken),
            "find what cuts the body",
            "[body-truncated]",
        ),
        (
            "a body that is shorter than declared",
            github()
                .came(r#"{"id":1}"#)
                .header("Content-Length", &length),
            "find what cuts the body",
            "[body-truncated]",
        ),
        (
            "no body, and a length",
            github().came("").header("Content-Length", &length),
            "find what cuts the body",
            "and the body has 0",
        ),
        (
            "no body",
            github().came(""),
            "second request",
            "the body is empty",
        ),
        (
            "characters that were lost",
            github().came(lost),
            "keep the bytes of the body",
            "has 1 replacement character (U+FFFD)",
        ),
        (
            "a parameter of the query that was removed",
            Case::new(
                provider("azure-event-grid").accept_unsigned_body(),
                SECRET,
                Vec::new(),
                "{}",
            )
            .target("/"),
            "the provider sends it once",
            "a field that the scheme needs is missing",
        ),
        (
            "another secret",
            github().secret("another-secret-of-some-length"),
            "if not, the secret is another one",
            "",
        ),
    ];
    for (name, case, remedy, seen) in rows {
        let report = case.explained();
        let said = report.remedy().unwrap();
        assert_eq!(report.verdict(), Verdict::Unexplained, "{name}: {report}");
        assert_eq!(report.cause(), None, "{name}: {report}");
        assert!(said.contains(remedy), "{name}: {report}");
        assert!(report.to_string().contains(seen), "{name}: {report}");
        assert!(said.len() < 160, "{name}: {report}");
        // Which is what a service remembers.
        let text = report.to_string();
        assert!(
            !text.contains("this endpoint has verified"),
            "{name}: {report}"
        );
    }
}

#[test]
fn a_public_key_that_is_none_is_named() {
    let seed = "0123456789abcdef".repeat(4);
    let mut case = Case::of(provider("discord"), &seed, JSON);
    let key: Secret = PublicKey::new("1234567890123456789").into();
    case.secrets = key.into();
    let report = case.explained();
    assert_eq!(report.cause(), Some("secret-unusable"), "{report}");
}

#[test]
fn values_of_a_file_end_before_a_comment() {
    for line in [
        "LIVE=SECRET",
        "LIVE=SECRET # live",
        "LIVE=\"SECRET\" # live",
        "export LIVE='SECRET'\t# it's \"live\"",
        "LIVE = SECRET",
    ] {
        let mut case = Case::of(provider("github"), SECRET, JSON);
        let secrets = Secrets::new(Secret::new("another-secret-of-some-length"));
        case.secrets = secrets.with_env_file(&line.replace("SECRET", SECRET));
        let report = case.explained();
        assert_eq!(
            report.cause(),
            Some("other-secret:LIVE"),
            "{line}: {report}"
        );
    }
    // A number sign that nothing is in front of is a part of the value.
    let mut case = Case::of(provider("github"), "a-secret#of-some-length", JSON);
    let secrets = Secrets::new(Secret::new("another-secret-of-some-length"));
    case.secrets = secrets.with_env_file("LIVE=a-secret#of-some-length");
    assert_eq!(case.explained().cause(), Some("other-secret:LIVE"));
}

#[test]
fn styles_that_this_body_does_not_tell_apart_are_not_listed() {
    let pretty = JSON.replace(',', ",\n  ");
    let report = Case::of(provider("github"), SECRET, JSON)
        .came(pretty)
        .explained();
    assert_eq!(report.cause(), Some("json:compact"), "{report}");
    assert_eq!(report.also().count(), 0, "{report}");
    let spaces = FORM.replace('+', "%20");
    let report = Case::of(provider("slack"), SECRET, FORM)
        .came(spaces)
        .explained();
    assert_eq!(report.cause(), Some("form-reencoded:plus"), "{report}");
    assert_eq!(report.also().count(), 0, "{report}");
}

/// A token that was left out when the request was written cannot be judged.
#[test]
fn a_capture_without_its_token_is_incomplete() {
    let gitlab = || provider("gitlab-token").accept_unsigned_body();
    let headers = [("X-Gitlab-Token", "a-token-of-some-length")];
    let came = CapturedRequest::new(&Head::new(&headers), "{}").with_received_at(at(NOW));
    let written = serde_json::to_string(&came).unwrap();
    let read = CapturedRequest::read(written.as_bytes()).unwrap();
    let explained = |captured, token: &str| {
        let secrets = Secret::new(token).into();
        diagnose(&gitlab().into(), &secrets, captured, Budget::default())
    };
    let token = "a-token-of-some-length";
    assert_eq!(explained(&came, token).verdict(), Verdict::Genuine);
    assert_eq!(explained(&came, "another").verdict(), Verdict::Unexplained);
    let report = explained(&read, token);
    assert_eq!(report.verdict(), Verdict::Incomplete);
    assert!(
        report.to_string().contains("left out of the capture"),
        "{report}"
    );
    // The place of a token may be a parameter.
    let target = Head::new(&[("A", "b")]).with_target("/x?token=[redacted]");
    let azure = provider("azure-event-grid");
    assert!(CapturedRequest::new(&target, "{}").lacks_token(&azure));
    assert!(!came.lacks_token(&azure));
    // Another credential is not what is verified.
    let github = Case::of(provider("github"), SECRET, JSON).header("Cookie", "[redacted]");
    assert_eq!(github.explained().verdict(), Verdict::Genuine);
}
