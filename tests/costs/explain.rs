//! What an explanation takes in memory: it is bounded by the length of the body and by a constant,
//! whatever the body is.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use http::Request;
use stats_alloc::Region;
use support::{GITHUB_SECRET, NOW, at, github_signer};
use tower_webhook::{
    Secret,
    capture::CapturedRequest,
    explain::{Budget, diagnose},
    providers,
    verify::Head,
};

use crate::{GLOBAL, alone, held};

/// The most bytes that are held at a time while `run` runs, as another thread sees them.
fn peak(run: impl FnOnce()) -> usize {
    let region = Region::new(GLOBAL);
    let is_done = AtomicBool::new(false);
    thread::scope(|scope| {
        let watch = scope.spawn(|| {
            let mut most = 0;
            while !is_done.load(Ordering::Relaxed) {
                most = most.max(held(&region));
                // Not to wait for anything, but to leave the processor to the explanation.
                thread::sleep(Duration::from_micros(50));
            }
            most
        });
        run();
        is_done.store(true, Ordering::Relaxed);
        watch.join().unwrap()
    })
}

/// A request that nothing explains.
fn captured(body: String) -> CapturedRequest {
    let signed = github_signer().sign(Request::post("/"), "something else");
    let (head, _) = signed.unwrap().into_parts();
    CapturedRequest::new(&Head::from(&head), body).with_received_at(at(NOW))
}

#[test]
fn memory_is_bounded_whatever_the_body_is() {
    let _alone = alone();
    const LENGTH: usize = 1 << 18;
    let filled = |begin: &str, item: &str, end: &str| {
        let items = item.repeat((LENGTH - begin.len() - end.len()) / item.len());
        format!("{begin}{items}{end}")
    };
    let deep = 120;
    for (name, body, most) in [
        (
            "an ordinary document",
            filled("[", r#"{"sku":"a/1","qty":2,"name":"Zoe & more"},"#, "0]"),
            16 << 20,
        ),
        // Values that take more than their text.
        ("short values", filled("[", "1,", "0]"), 40 << 20),
        ("empty objects", filled("[", "{},", "0]"), 40 << 20),
        // Indented, each value is hundreds of bytes.
        (
            "short values, deep inside",
            filled(&"[".repeat(deep), "1,", &format!("0{}", "]".repeat(deep))),
            40 << 20,
        ),
        ("a long string", filled("[\"", "\u{e9}", "\"]"), 16 << 20),
        ("a form", filled("a=", "+%20&b=", "c"), 40 << 20),
    ] {
        let captured = captured(body);
        let budget = Budget::default()
            .with_time(Duration::from_secs(300))
            .with_readings(30);
        let (mut tried, mut left_out) = (0, Vec::new());
        let peak = peak(|| {
            let provider = providers::github();
            let secret = Secret::new(GITHUB_SECRET);
            let report = diagnose(&provider.into(), &secret.into(), &captured, budget);
            tried = report.tried().readings();
            left_out = report.tried().left_out().collect();
        });
        // It came as far as the readings of the body, which are what takes memory.
        let before = "headers, algorithms, contents and URLs";
        assert!(!left_out.contains(&before), "{name}: {left_out:?}");
        assert!(peak < most, "{name}: {peak} bytes at {tried} readings");
    }
}
