//! The examples of the hypotheses, which are their tests.

#![allow(clippy::arithmetic_side_effects, reason = "tests")]

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::Request;

use crate::{
    capture::CapturedRequest,
    explain::{
        Budget, Providers, Secrets, diagnose,
        example::{Example, HeaderLines, edit},
        hypothesis::{HYPOTHESES, Hypothesis},
        report::{Report, Verdict},
        secret::{raw, raw_format},
    },
    head::Head,
    keys::secret::Secret,
    provider::Provider,
    providers,
    scheme::{definition::Scheme, timestamp::TimeUnit},
    sign::Signer,
};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const TARGET: &str = "https://hooks.example.com/webhooks/x";

/// Longer than an example takes on any machine.
const LONG: Duration = Duration::from_secs(120);

fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_795_860_000)
}

fn provider(name: &str) -> Provider {
    providers::by_name(name).unwrap()
}

fn first_scheme(provider: &Provider) -> Scheme {
    provider.all_schemes().into_iter().next().unwrap()
}

/// Signs a body with the bytes of a key.
fn signed(
    provider: &Provider,
    key: &[u8],
    body: &[u8],
    time: SystemTime,
) -> (HeaderLines, Vec<u8>) {
    let mut scheme = first_scheme(provider);
    scheme.secret_format = raw_format(&scheme.secret_format);
    let signer = Signer::new(provider.with_only(scheme), Secret::new(raw(key).as_str())).unwrap();
    let request = signer
        .with_time(time)
        .sign(Request::post(TARGET), body.to_vec())
        .unwrap();
    let (parts, body) = request.into_parts();
    let headers = parts.headers.iter();
    let headers =
        headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
    (headers.collect(), body)
}

/// Signs a body with the secret as the provider decodes it.
fn signed_as_usual(provider: &Provider, body: &[u8]) -> HeaderLines {
    let format = first_scheme(provider).secret_format;
    let key = crate::explain::secret::decoded(SECRET, &format).unwrap();
    signed(provider, &key, body, now()).0
}

fn captured(headers: &HeaderLines, body: &[u8]) -> CapturedRequest {
    CapturedRequest::new(&Head::new(headers).with_target(TARGET), body.to_vec())
        .with_received_at(now())
}

fn explained(
    provider: Provider,
    secrets: impl Into<Secrets>,
    captured: &CapturedRequest,
) -> Report {
    diagnose(
        &Providers::new(provider),
        &secrets.into(),
        captured,
        Budget::default().with_time(LONG),
    )
}

/// The report of an example, and the verdict and cause that it must have.
fn case(hypothesis: &Hypothesis) -> (Report, Verdict, Option<String>) {
    let own = |detail: &str| {
        let family = hypothesis.name.split(':').next().unwrap();
        Some(if detail.is_empty() {
            family.to_owned()
        } else {
            format!("{family}:{detail}")
        })
    };
    let secret = || Secret::new(SECRET);
    let github = || provider("github");
    match &hypothesis.example {
        Example::Secret(name, configured, key) => {
            let (headers, body) = signed(&provider(name), key, b"{}", now());
            let detail = match hypothesis.name {
                "secret-prefix:PREFIX:FORM" => "whsec_:text",
                "secret-sha256:FORM" => "bytes",
                "secret-case:CASE" => "lower",
                _ => "",
            };
            let report = explained(
                provider(name),
                Secret::new(*configured),
                &captured(&headers, &body),
            );
            (report, Verdict::Proven, own(detail))
        }
        Example::Evidence(name, configured) => {
            let headers = signed_as_usual(&provider(name), b"{}");
            let report = explained(
                provider(name),
                Secret::new(*configured),
                &captured(&headers, b"{}"),
            );
            (report, Verdict::Likely, own(""))
        }
        Example::Body(came, body, cause) => {
            let headers = signed_as_usual(&github(), body);
            let report = explained(github(), secret(), &captured(&headers, came));
            (report, Verdict::Proven, Some((*cause).to_owned()))
        }
        Example::Head(name, cause, change) => {
            let mut headers = signed_as_usual(&provider(name), b"{}");
            change(&mut headers);
            let report = explained(provider(name), secret(), &captured(&headers, b"{}"));
            (report, Verdict::Proven, Some((*cause).to_owned()))
        }
        Example::Scheme(name, cause, change) => {
            let mut scheme = first_scheme(&provider(name));
            change(&mut scheme);
            let headers = signed_as_usual(&provider(name).with_only(scheme), b"{}");
            let report = explained(provider(name), secret(), &captured(&headers, b"{}"));
            (report, Verdict::Proven, Some((*cause).to_owned()))
        }
        Example::TimeUnit(own_unit, unit) => {
            let slack = |unit: TimeUnit| {
                let mut scheme = first_scheme(&provider("slack"));
                scheme.timestamp = scheme.timestamp.take().map(|time| time.with_unit(unit));
                Provider::new("acme", scheme)
            };
            let headers = signed_as_usual(&slack(*unit), b"{}");
            let report = explained(slack(*own_unit), secret(), &captured(&headers, b"{}"));
            (report, Verdict::Proven, own(""))
        }
        Example::Microseconds => {
            let time = UNIX_EPOCH + Duration::from_secs(1_795_860_000_000_000);
            let format = first_scheme(&provider("slack")).secret_format;
            let key = crate::explain::secret::decoded(SECRET, &format).unwrap();
            let (headers, body) = signed(&provider("slack"), &key, b"{}", time);
            let report = explained(provider("slack"), secret(), &captured(&headers, &body));
            (report, Verdict::Proven, own(""))
        }
        Example::Time(late) => {
            let headers = signed_as_usual(&provider("stripe"), b"{}");
            let at = Duration::from_secs(late.unsigned_abs());
            let received = if *late < 0 { now() - at } else { now() + at };
            let captured = captured(&headers, b"{}").with_received_at(received);
            (
                explained(provider("stripe"), secret(), &captured),
                Verdict::Proven,
                own(""),
            )
        }
        Example::Lost(came) => {
            let headers = signed_as_usual(&github(), b"{\"a\":[1,\"\xff\"]}");
            (
                explained(github(), secret(), &captured(&headers, came)),
                Verdict::Unexplained,
                None,
            )
        }
        Example::OtherSecret => {
            let headers = signed_as_usual(&github(), b"{}");
            let secrets =
                Secrets::new(Secret::new("another-secret")).with_other("ORDERS", secret());
            (
                explained(github(), secrets, &captured(&headers, b"{}")),
                Verdict::Proven,
                own("ORDERS"),
            )
        }
        Example::KeyWindow => {
            let headers = signed_as_usual(&github(), b"{}");
            let old = secret()
                .with_id("old")
                .with_not_after(now() - Duration::from_secs(1));
            let secrets = vec![Secret::new("another-secret-of-it"), old];
            (
                explained(github(), secrets, &captured(&headers, b"{}")),
                Verdict::Proven,
                own("old"),
            )
        }
        Example::KeyId => {
            let scheme = first_scheme(&github()).with_key_id("X-Key-Id");
            let named = || Provider::new("acme", scheme.clone());
            let mut headers = signed_as_usual(&github(), b"{}");
            headers.push(("X-Key-Id".to_owned(), "new".to_owned()));
            let secret = secret().with_id("old");
            (
                explained(named(), secret, &captured(&headers, b"{}")),
                Verdict::Proven,
                own("old"),
            )
        }
        Example::OtherProvider => {
            let headers = signed_as_usual(&provider("stripe"), b"{}");
            (
                explained(github(), secret(), &captured(&headers, b"{}")),
                Verdict::Proven,
                own("stripe"),
            )
        }
        Example::Url => {
            let square = |url: &'static str| provider("square").with_param("url", url);
            let headers = signed_as_usual(&square("https://a.example/x/"), b"{}");
            let report = explained(
                square("http://a.example/x"),
                secret(),
                &captured(&headers, b"{}"),
            );
            (report, Verdict::Proven, own("scheme+slash"))
        }
        Example::Unsigned => {
            let headers = vec![("X-GitHub-Delivery".to_owned(), "1".to_owned())];
            (
                explained(github(), secret(), &captured(&headers, b"{}")),
                Verdict::Likely,
                own(""),
            )
        }
        Example::Careless => {
            let (headers, _) = signed(&github(), b"undefined", b"{}", now());
            (
                explained(github(), secret(), &captured(&headers, b"{}")),
                Verdict::Likely,
                own(""),
            )
        }
        Example::TooLong => {
            let headers = signed_as_usual(&github(), b"{}");
            let small = github().with_max_body(1);
            (
                explained(small, secret(), &captured(&headers, b"{}")),
                Verdict::Proven,
                own(""),
            )
        }
        Example::Required => {
            let authenteq = || provider("authenteq").with_param("client_id", "one");
            let mut headers = signed_as_usual(&authenteq(), b"{}");
            edit(&mut headers, "x-client-id", |_| "two".to_owned());
            let report = explained(authenteq(), secret(), &captured(&headers, b"{}"));
            (report, Verdict::Proven, own("x-client-id"))
        }
        Example::Unusable => {
            // Ten bytes, and 16 are the least.
            let (headers, body) = signed(&provider("svix"), b"ten bytes!", b"{}", now());
            let secret = Secret::new("whsec_dGVuIGJ5dGVzIQ==");
            let report = explained(provider("svix"), secret, &captured(&headers, &body));
            (report, Verdict::Proven, own("setup"))
        }
        Example::Longer => {
            let mut headers = signed_as_usual(&github(), b"{}");
            headers.push(("Content-Length".to_owned(), "2".to_owned()));
            (
                explained(github(), secret(), &captured(&headers, b"{}\0rest")),
                Verdict::Proven,
                own(""),
            )
        }
    }
}

#[test]
fn each_hypothesis_explains_its_example() {
    let mut wrong = Vec::new();
    for hypothesis in HYPOTHESES {
        let (report, verdict, cause) = case(hypothesis);
        if (report.verdict(), report.cause()) != (verdict, cause.as_deref()) {
            wrong.push(format!("{}: {cause:?}\n{report}", hypothesis.name));
        }
        assert!(
            !report
                .to_string()
                .contains("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn names_and_sentences_are_in_order() {
    for (place, hypothesis) in HYPOTHESES.iter().enumerate() {
        let Hypothesis {
            name,
            sentence,
            remedy,
            ..
        } = hypothesis;
        assert!(
            HYPOTHESES
                .iter()
                .skip(place + 1)
                .all(|other| other.name != *name),
            "{name}"
        );
        for text in [sentence, remedy] {
            assert!(
                !text.ends_with('.') && text.starts_with(|first: char| first.is_lowercase()),
                "{text}"
            );
        }
    }
}

/// The list in the documentation of the module. `UPDATE_CAUSES=1` writes it.
#[test]
fn the_documentation_lists_every_cause() {
    let mut text = String::from("| cause | what happened | what to do |\n| --- | --- | --- |\n");
    for Hypothesis {
        name,
        sentence,
        remedy,
        ..
    } in HYPOTHESES
    {
        let cell = |text: &str| text.replace('|', "\\|").replace('<', "\\<");
        text += &format!("| `{name}` | {} | {} |\n", cell(sentence), cell(remedy));
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/docs/causes.md");
    if std::env::var_os("UPDATE_CAUSES").is_some() {
        std::fs::write(path, &text).unwrap();
    }
    let written = std::fs::read_to_string(path).unwrap();
    assert!(
        written == text,
        "{path} is out of date; run with UPDATE_CAUSES=1"
    );
}
