//! Measures whether the time of a refusal reveals how many bytes of a forged signature are correct,
//! or whether a tenant exists.
//!
//! The core checks each pair of requests in alternating batches. Times are processor times of one
//! thread. The output is the median difference per request between two consecutive batches.

use std::{hint::black_box, time::SystemTime};

use bytes::Bytes;
use tower_webhook::{
    Secret, Verifier,
    keys::{KeySet, Tenant},
    providers::github,
    verify::Head,
};
use tower_webhook_benches::rounds::cpu_time;

const BATCH: u32 = 256;
const ROUNDS: usize = 4000;
const SECRET: &str = "It's a Secret to Everybody";
/// The signature of `Hello, World!` on GitHub's documentation page.
const RIGHT: &str = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";

/// The keys with which a request is checked.
#[derive(Clone, Copy)]
enum Whose {
    Endpoint,
    Tenant,
    Nobody,
}

fn main() {
    let verifier = Verifier::new(github(), Secret::new(SECRET)).unwrap();
    let keys = KeySet::new(&github(), Secret::new(SECRET)).unwrap();
    let tenant = Tenant::new("acme", keys);
    let with = |place: usize| {
        let mut digits = RIGHT.to_owned().into_bytes();
        digits[place] = if digits[place] == b'0' { b'1' } else { b'0' };
        format!("sha256={}", String::from_utf8(digits).unwrap())
    };
    let (first, middle, last) = (with(0), with(32), with(63));
    let nothing = format!("sha256={}", "0".repeat(64));

    // All signatures use the same buffer, because alignment affects the time more than their
    // content.
    let mut header = nothing.clone();
    let mut refuse = |signature: &str, whose: Whose| {
        header.clear();
        header.push_str(signature);
        let start = cpu_time();
        for _ in 0..BATCH {
            let headers = [("x-hub-signature-256", header.as_str())];
            let head = Head::new(&headers);
            let checked = verifier.check_head(&head, SystemTime::UNIX_EPOCH).unwrap();
            let body = match whose {
                Whose::Endpoint => checked.with_keys(verifier.keys()),
                Whose::Tenant => checked.with_tenant(Some(&tenant)),
                Whose::Nobody => checked.with_tenant(None),
            };
            let mut body = body.unwrap();
            body.update(Bytes::from_static(b"Hello, World!")).unwrap();
            black_box(body.verify().unwrap_err());
        }
        (cpu_time() - start) / f64::from(BATCH)
    };

    println!("| compared | ns a request | difference, ns: median (middle half) |");
    println!("| --- | ---: | ---: |");
    let endpoint = Whose::Endpoint;
    for (what, one, other) in [
        ("the same twice", (&first, endpoint), (&first, endpoint)),
        (
            "first digit wrong, last wrong",
            (&first, endpoint),
            (&last, endpoint),
        ),
        (
            "first digit wrong, middle wrong",
            (&first, endpoint),
            (&middle, endpoint),
        ),
        (
            "all digits wrong, last wrong",
            (&nothing, endpoint),
            (&last, endpoint),
        ),
        (
            "a tenant, an unknown tenant",
            (&first, Whose::Tenant),
            (&first, Whose::Nobody),
        ),
    ] {
        let (mut costs, mut differences) = (Vec::new(), Vec::new());
        for round in 0..ROUNDS {
            // The order alternates, so that neither benefits from a warmer cache.
            let (a, b) = if round % 2 == 0 {
                let a = refuse(one.0, one.1);
                (a, refuse(other.0, other.1))
            } else {
                let b = refuse(other.0, other.1);
                (refuse(one.0, one.1), b)
            };
            costs.push(a);
            differences.push(b - a);
        }
        let [low, median, high] = quartiles(differences);
        let [_, cost, _] = quartiles(costs);
        println!("| {what} | {cost:.0} | {median:+.1} ({low:+.1} to {high:+.1}) |");
    }
}

fn quartiles(mut values: Vec<f64>) -> [f64; 3] {
    values.sort_by(f64::total_cmp);
    [1, 2, 3].map(|part| values[values.len() * part / 4])
}
