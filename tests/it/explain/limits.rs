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

const MEBIBYTE: usize = 1 << 20;

/// JSON of about this length, compact.
fn large(length: usize) -> String {
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
    // Hashes are not optimised in every build.
    let length = if cfg!(debug_assertions) {
        MEBIBYTE / 16
    } else {
        MEBIBYTE
    };
    let body = large(length);
    let pretty = body.replace("},{", "},\n{").replace("\":", "\": ");
    let captured = captured(&body, pretty);
    let budget = Budget::default()
        .with_time(Duration::from_secs(300))
        .with_readings(300);
    let report = explained(&captured, budget);
    assert_eq!(report.cause(), Some("json:compact"), "{report}");
    assert!(report.tried().left_out().next().is_none());
}

/// Each reading is one hash of the body, so their number is the work.
#[test]
fn a_mebibyte_takes_as_many_readings_as_it_may_and_no_more() {
    let captured = captured("something else", large(MEBIBYTE));
    for readings in [1, 30] {
        let budget = Budget::default()
            .with_time(Duration::from_secs(300))
            .with_readings(readings);
        let report = explained(&captured, budget);
        assert_eq!(report.verdict(), Verdict::Unexplained);
        // A set of keys is tried as a whole.
        let tried = report.tried().readings();
        assert!((readings..readings + 16).contains(&tried), "{tried}");
        let left_out: Vec<_> = report.tried().left_out().collect();
        assert!(left_out.contains(&"readings of the body"), "{left_out:?}");
        assert!(left_out.contains(&"all styles of JSON"), "{left_out:?}");
    }
}

/// A document of so many values would take many times its length in memory.
#[test]
fn readings_of_json_with_very_many_values_are_left_out_and_that_is_said() {
    let values = "1,".repeat(300_000);
    let captured = captured("something else", format!("[{values}1]"));
    let budget = Budget::default()
        .with_time(Duration::from_secs(300))
        .with_readings(60);
    let report = explained(&captured, budget);
    let said = report.to_string();
    assert!(
        said.contains("JSON with more than 262,144 values"),
        "{said}"
    );
}

#[test]
fn a_budget_that_is_used_up_ends_the_search_and_is_said() {
    let captured = captured("something else", large(MEBIBYTE));
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
    assert!(report.to_string().contains("left out: "), "{report}");
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
