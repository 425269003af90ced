//! Captured requests in every form that is read, and their explanation within a small budget.
//!
//! What was read is written and read again, verified, and explained for a provider that its first
//! byte selects:
//!
//!     cargo +nightly fuzz run captured -- -max_total_time=300 -max_len=8192

#![no_main]

use std::{
    sync::LazyLock,
    time::{Duration, UNIX_EPOCH},
};

use libfuzzer_sys::fuzz_target;
use tower_webhook::{
    Provider, Secret, Verifier,
    capture::CapturedRequest,
    explain::{self, Budget, Verdict},
    providers,
};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

static PROVIDERS: LazyLock<Vec<Provider>> =
    LazyLock::new(|| providers::names().filter_map(providers::by_name).collect());

fuzz_target!(|input: &[u8]| {
    let Some((selector, text)) = input.split_first() else {
        return;
    };
    let Ok(all) = CapturedRequest::read_all(text) else {
        return;
    };
    let provider = &PROVIDERS[usize::from(*selector) % PROVIDERS.len()];
    for captured in all.into_iter().take(3) {
        let captured = captured.with_provider(provider);
        let written = serde_json::to_vec(&captured).expect("a text");
        CapturedRequest::read(&written).expect("what was written is read");
        let whole = serde_json::to_vec(&captured.clone().with_credentials()).expect("a text");
        let read = CapturedRequest::read(&whole).expect("what was written is read");
        assert_eq!((read.body(), read.target()), (captured.body(), captured.target()));
        if let Ok(verifier) = Verifier::new(provider.clone(), Secret::new(SECRET)) {
            let _ = verifier.verify_captured_at(&captured, Duration::from_secs(60), UNIX_EPOCH);
        }
        let budget = Budget::default().with_time(Duration::from_millis(200)).with_readings(400);
        let report = explain::diagnose(&provider.clone().into(), &Secret::new(SECRET).into(), &captured, budget);
        // Nobody signed it, apart from digests without a key.
        assert_ne!(report.verdict(), Verdict::Genuine);
        assert!(!report.to_string().contains("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"));
    }
});
