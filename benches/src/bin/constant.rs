//! Refuses tokens and signatures that differ from the right one in one place; started by
//! `instructions.py`, which demands the same count for each place.
//!
//! The arguments are a case, a place and a number of requests. Without arguments, it prints all
//! cases and places.

use std::time::{SystemTime, UNIX_EPOCH};

use tower_webhook::{
    Provider, Scheme, Secret, Verifier,
    keys::{KeySet, Tenant},
    providers,
    scheme::{Locator, TokenFormat},
    verify::Head,
};

const CASES: [&str; 4] = [
    "token of the endpoint",
    "token, unknown tenant",
    "signature of the endpoint",
    "signature, unknown tenant",
];
const PLACES: [&str; 3] = ["first", "middle", "last"];

const TOKEN: &str = "a-token-of-some-length-0123456789";
const SECRET: &str = "It's a Secret to Everybody";
/// GitHub's own example.
const BODY: &str = "Hello, World!";
const SIGNATURE: &str = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
/// Where the digits begin.
const DIGITS: usize = "sha256=".len();

struct Case {
    verifier: Verifier,
    tenant: Option<Tenant>,
    header: (&'static str, String),
}

impl Case {
    fn new(case: &str, place: &str) -> Self {
        let is_token = case.starts_with("token");
        let (provider, secret, name, right, from) = if is_token {
            let scheme = Scheme::token(Locator::header("X-Token"), TokenFormat::plain());
            let provider = Provider::new("acme", scheme).accept_unsigned_body();
            (provider, TOKEN, "x-token", TOKEN, 0)
        } else {
            (providers::github(), SECRET, "x-hub-signature-256", SIGNATURE, DIGITS)
        };
        let place = match place {
            "first" => from,
            "middle" => (from + right.len()) / 2,
            _ => right.len() - 1,
        };
        // Hexadecimal, and different in one digit.
        let wrong = if &right[place..=place] == "0" { "1" } else { "0" };
        let value = [&right[..place], wrong, &right[place + 1..]].concat();
        let keys = KeySet::new(&provider, Secret::new(secret)).unwrap();
        let tenant = (!case.ends_with("unknown tenant")).then(|| Tenant::new("acme", keys));
        Self {
            verifier: Verifier::new(provider, Secret::new(secret)).unwrap(),
            tenant,
            header: (name, value),
        }
    }

    fn refuse(&self, now: SystemTime) {
        let headers = [(self.header.0, &*self.header.1)];
        let checked = self.verifier.check_head(&Head::new(&headers), now).unwrap();
        let refused = checked.with_tenant(self.tenant.as_ref()).and_then(|mut request| {
            request.update(BODY.into())?;
            request.verify()
        });
        assert!(refused.is_err());
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [case, place, number] = &arguments[..] else {
        for case in CASES {
            println!("{case}");
        }
        for place in PLACES {
            println!("{place}");
        }
        return;
    };
    let case = Case::new(case, place);
    // One-time initialisation is not counted.
    case.refuse(UNIX_EPOCH);
    counted(&case, number.parse().unwrap());
}

/// The code that callgrind counts, found by the name of this function.
#[inline(never)]
fn counted(case: &Case, number: usize) {
    for _ in 0..number {
        case.refuse(UNIX_EPOCH);
    }
}
