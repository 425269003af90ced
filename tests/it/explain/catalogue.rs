//! Every provider that can be signed for: a fault in its secret, its URL or its body is named.

use std::time::Duration;

use http::Request;
use support::{NOW, at};
use tower_webhook::{
    Provider, Secret, Verifier,
    capture::CapturedRequest,
    explain::{Budget, Providers, Report, Secrets, Verdict, diagnose},
    providers,
    scheme::Coverage,
    test_util::TestSender,
    verify::Head,
};

/// The URL that a [`TestSender`] registers, and another scheme of it.
const URL: &str = "https://example.com/webhooks";
const UNENCRYPTED: &str = "http://example.com/webhooks";

/// A genuine request, and who sent it.
struct Case {
    name: &'static str,
    sender: TestSender,
    captured: CapturedRequest,
    coverage: Coverage,
}

/// A genuine request of each provider.
fn cases() -> Vec<Case> {
    let cases = providers::names().filter_map(|name| {
        let sender = TestSender::new(name).ok()?.with_time(at(NOW));
        let body = sender.body().ok()?;
        let request = sender.signed(sender.post(URL), body).ok()?;
        let captured = captured(request);
        let coverage = verified(&sender.verifier().unwrap(), &captured).unwrap();
        Some(Case {
            name,
            sender,
            captured,
            coverage,
        })
    });
    cases.collect()
}

/// How much is signed, of a genuine request.
fn verified(verifier: &Verifier, captured: &CapturedRequest) -> Option<Coverage> {
    let event = verifier.verify(&captured.head(), captured.body().clone(), at(NOW));
    event.ok().map(|event| event.coverage())
}

fn captured(request: Request<bytes::Bytes>) -> CapturedRequest {
    let (head, body) = request.into_parts();
    CapturedRequest::new(&Head::from(&head), body).with_received_at(at(NOW))
}

fn explained(
    provider: Provider,
    secrets: impl Into<Secrets>,
    captured: &CapturedRequest,
) -> Report {
    let budget = Budget::default()
        .with_time(Duration::from_secs(120))
        .with_readings(20_000);
    diagnose(&Providers::new(provider), &secrets.into(), captured, budget)
}

/// Explains each, and lists those that are not explained by one of the names. `None` is left out.
fn check(cases: &[Case], explain: impl Fn(&Case) -> Option<Report>, names: &[&str]) -> usize {
    let mut wrong = Vec::new();
    let mut checked = 0;
    for case in cases {
        let Some(report) = explain(case) else {
            continue;
        };
        checked += 1;
        let is_named = report.cause().is_some_and(|cause| names.contains(&cause));
        if report.verdict() != Verdict::Proven || !is_named {
            wrong.push(format!("{}: {report}", case.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    checked
}

#[test]
fn every_genuine_request_is_called_genuine() {
    for case in cases() {
        let report = explained(case.sender.provider(), case.sender.key(), &case.captured);
        assert_eq!(
            report.verdict(),
            Verdict::Genuine,
            "{}: {report}",
            case.name
        );
    }
}

#[test]
fn white_space_around_the_secret_is_named_for_every_provider() {
    let cases = cases();
    let explain = |case: &Case| {
        let secret = format!(" {}\n", case.sender.secret_text());
        // Public keys are read with white space around them.
        let is_read = |secret: &str| {
            let verifier = Verifier::new(case.sender.provider(), Secret::new(secret));
            verifier.is_ok_and(|verifier| verified(&verifier, &case.captured).is_some())
        };
        if !is_read(case.sender.secret_text()) || is_read(&secret) {
            return None;
        }
        let secret = Secret::new(secret);
        Some(explained(case.sender.provider(), secret, &case.captured))
    };
    let checked = check(&cases, explain, &["secret-whitespace"]);
    assert!(checked > 150, "{checked}");
}

#[test]
fn another_key_is_named_for_every_provider() {
    let cases = cases();
    let explain = |case: &Case| {
        // A usable key of the same kind, that the request is not genuine with.
        let own = case.sender.secret_text();
        let others = cases
            .iter()
            .filter(|other| other.sender.secret_text() != own);
        let others = others.map(|other| other.sender.key());
        let mut others = others.filter(|key| {
            let verifier = Verifier::new(case.sender.provider(), key.clone());
            verifier.is_ok_and(|verifier| verified(&verifier, &case.captured).is_none())
        });
        let secrets = Secrets::new(others.next()?).with_other("RIGHT", case.sender.key());
        Some(explained(case.sender.provider(), secrets, &case.captured))
    };
    let checked = check(&cases, explain, &["other-secret:RIGHT"]);
    assert!(checked > 150, "{checked}");
}

#[test]
fn another_scheme_of_the_url_is_named_for_every_provider_that_signs_it() {
    let cases = cases();
    let explain = |case: &Case| {
        let provider = case.sender.provider();
        if !provider.param_names().iter().any(|name| name == "url") {
            return None;
        }
        let wrong = provider.with_param("url", UNENCRYPTED);
        let report = explained(wrong, case.sender.key(), &case.captured);
        // It may be signed without.
        (report.verdict() != Verdict::Genuine).then_some(report)
    };
    let checked = check(&cases, explain, &["url:scheme"]);
    assert!(checked > 8, "{checked}");
}

#[test]
fn json_that_was_printed_again_is_named_for_every_provider_that_signs_its_bytes() {
    let cases = cases();
    let explain = |case: &Case| {
        let body = std::str::from_utf8(case.captured.body()).ok()?;
        let document: serde_json::Value = serde_json::from_str(body).ok()?;
        let compact = serde_json::to_string(&document).unwrap();
        let is_signed = case.coverage == Coverage::Body && body == compact && document.is_object();
        if !is_signed {
            return None;
        }
        let printed = serde_json::to_string_pretty(&document).unwrap();
        let captured =
            CapturedRequest::new(&case.captured.head(), printed).with_received_at(at(NOW));
        let report = explained(case.sender.provider(), case.sender.key(), &captured);
        // The values may be signed, however they are printed.
        (report.verdict() != Verdict::Genuine).then_some(report)
    };
    let checked = check(&cases, explain, &["json:compact"]);
    assert!(checked > 100, "{checked}");
}

#[test]
fn a_renamed_header_is_named_for_every_provider() {
    let mut wrong = Vec::new();
    let mut checked = 0;
    for case in cases() {
        let lines: Vec<(String, Vec<u8>)> = case
            .captured
            .headers()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        for place in 0..lines.len() {
            let mut changed = lines.clone();
            let name = format!("X-Original-{}", changed[place].0.trim_start_matches("x-"));
            changed[place].0.clone_from(&name);
            let target = case.captured.target().to_owned();
            let head = Head::new(&changed).with_target(&target);
            let captured =
                CapturedRequest::new(&head, case.captured.body().clone()).with_received_at(at(NOW));
            let report = explained(case.sender.provider(), case.sender.key(), &captured);
            if report.verdict() == Verdict::Genuine {
                continue;
            }
            checked += 1;
            let cause = format!("header:{}", name.to_ascii_lowercase());
            if report.cause() != Some(&*cause) {
                wrong.push(format!("{} {cause}: {report}", case.name));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {checked}: {}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(checked > 250, "{checked}");
}
