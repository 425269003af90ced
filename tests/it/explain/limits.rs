//! How much work an explanation is.

use std::time::{Duration, Instant};

use http::Request;
use support::{GITHUB_SECRET, NOW, at, github_signer};
use tower_webhook::{
    Secret,
    capture::CapturedRequest,
    explain::{Budget, Report, Verdict, diagnose},
    providers,
    verify::Head,
};

/// A mebibyte of JSON, compact; less where hashes are not optimised.
fn large() -> String {
    let length = if cfg!(debug_assertions) {
        1 << 16
    } else {
        1 << 20
    };
    let item = r#"{"sku":"a/1","qty":2,"name":"Zoë <Ltd> & more","note":"90 % 😀"}"#;
    let items = vec![item; length / (item.len() + 1)];
    format!("[{}]", items.join(","))
}

fn captured(signed: &str, came: String) -> CapturedRequest {
    let request = github_signer()
        .sign(Request::post("/"), signed.to_owned())
        .unwrap();
    let (head, _) = request.into_parts();
    CapturedRequest::new(&Head::from(&head), came).with_received_at(at(NOW))
}

fn explained(captured: &CapturedRequest, budget: Budget) -> Report {
    diagnose(
        &providers::github().into(),
        &Secret::new(GITHUB_SECRET).into(),
        captured,
        budget,
    )
}

#[test]
fn one_cause_of_a_large_body_takes_few_readings() {
    let body = large();
    let pretty = body.replace("},{", "},\n{").replace("\":", "\": ");
    let captured = captured(&body, pretty);
    let budget = Budget::default()
        .with_time(Duration::from_secs(300))
        .with_readings(300);
    let report = explained(&captured, budget);
    assert_eq!(report.cause(), Some("json:compact"), "{report}");
    assert!(report.tried().left_out().next().is_none());
}

#[test]
fn a_budget_that_is_used_up_ends_the_search_and_is_said() {
    let body = large();
    let captured = captured("something else", body);
    let started = Instant::now();
    let report = explained(&captured, Duration::from_millis(20).into());
    // One reading may be under way when the time is up.
    assert!(
        started.elapsed() < Duration::from_secs(30),
        "{:?}",
        started.elapsed()
    );
    assert_eq!(report.verdict(), Verdict::Unexplained);
    let left_out: Vec<_> = report.tried().left_out().collect();
    assert_eq!(
        left_out.last(),
        Some(&"all styles of JSON inside of another body")
    );
    assert!(
        report.to_string().contains("left out for the budget"),
        "{report}"
    );
    assert!(report.remedy().unwrap().contains("second request"));
}

#[test]
fn a_number_of_readings_may_be_the_limit() {
    let captured = captured("something else", r#"{"a":1}"#.to_owned());
    let all = explained(
        &captured,
        Budget::default().with_time(Duration::from_secs(300)),
    );
    assert_eq!(all.verdict(), Verdict::Unexplained);
    assert!(all.tried().left_out().next().is_none(), "{all}");
    assert!(
        (1_000..150_000).contains(&all.tried().readings()),
        "{}",
        all.tried().readings()
    );
    let few = explained(&captured, Budget::default().with_readings(100));
    assert!((100..120).contains(&few.tried().readings()));
    assert!(few.tried().left_out().count() > 3);
}
