//! One table of requests over real connections against plain Tower on hyper, axum and actix-web, on
//! HTTP/1.1 and HTTP/2: the same status, the same headers, the same event, the same reason. A
//! difference fails.
//!
//! A new shape of scheme joins by data; a provider whose shape is here needs no rows, and its
//! vectors are run by `it`:
//!
//! 1. `tests/conformance/endpoints.toml`: an `[endpoints.NAME]`, as in every configuration, for a custom scheme with its
//!    `[providers.NAME]`. A clock of its own, or a handler other than the usual one, goes into `[routes.NAME]`.
//! 2. `tests/conformance/rows/*.toml`: one `[[row]]` at least that is accepted and one that is refused. A row is signed by
//!    the endpoint's own `Signer` unless it says `sign = { nobody = true }` or takes a recorded `vector`; then
//!    `change` happens to it, and `framing` says how it is sent. `conformance/row.rs` lists the choices.
//! 3. `status`, and what is special about the `event` or `refused`: what is not named must not be there.
//!
//! A row is one request, or several attempts at a delivery: `then` lists the further ones. A route
//! with `deliveries` has a delivery layer inside, over stores that are new for each host and
//! protocol; its rows need deliveries of their own, and say what their `delivery` becomes.
//!
//! A host that differs by its own nature is in `OWN_WAYS` below, with the reason.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "tests"
)]

mod actix_host;
mod answer;
mod axum_host;
mod deliveries;
mod endpoints;
mod hosts;
mod http1;
mod http2;
mod hyper_host;
mod request;
mod row;

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    sync::Arc,
};

use tokio::task::JoinSet;

use crate::{
    answer::Answer,
    endpoints::{Counts, Endpoints, HANG, Heard},
    hosts::{HOSTS, Host},
    request::Prepared,
    row::{Protocol, Row},
};

/// Where a host cannot do as the others, since its server decides before the layer is asked.
struct OwnWay {
    host: &'static str,
    row: &'static str,
    instead: Instead,
    because: &'static str,
}

enum Instead {
    /// The server itself answers so, and the layer never hears of it.
    Itself(u16),
    /// The server asks for the body before anybody has looked at the head.
    Continued,
}

const OWN_WAYS: [OwnWay; 3] = [
    OwnWay {
        host: "actix",
        row: "body: a length and frames",
        instead: Instead::Itself(400),
        because: "actix-http takes no request with both; hyper drops the length",
    },
    OwnWay {
        host: "actix",
        row: "body: a condemned head asks for none",
        instead: Instead::Continued,
        because: "actix-http answers `Expect` before it calls the app",
    },
    OwnWay {
        host: "actix",
        row: "body: a declared length over the limit asks for none",
        instead: Instead::Continued,
        because: "actix-http answers `Expect` before it calls the app",
    },
];

/// So many rows are under way at once, each request on a connection of its own.
const AT_ONCE: usize = 32;

/// One request, with what must come of it.
struct Attempt {
    row: Row,
    request: Prepared,
}

/// All of a row, one after the other but for those that go together.
type Attempts = Arc<Vec<Attempt>>;

/// What one host made of one row.
struct Outcome {
    row: usize,
    /// To each attempt.
    answers: Vec<Answers>,
}

/// To one request: as a rule there is one.
type Answers = Result<Vec<Answer>, String>;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_host_gives_the_same_answer_the_same_event_and_the_same_reason() {
    let endpoints = Endpoints::load();
    let rows = Row::load();
    let all: Vec<Attempts> = rows
        .iter()
        .map(|row| Attempt::all(row, &endpoints))
        .collect();
    let mut problems = Vec::new();
    for host in &HOSTS {
        for protocol in [Protocol::H1, Protocol::H2] {
            let heard = Heard::default();
            let address = (host.serve)(endpoints.routes(&heard)).await;
            let mut told = Counts::new();
            let mut outcomes = run(address, protocol, &all).await;
            outcomes.sort_by_key(|outcome| outcome.row);
            for outcome in outcomes {
                let Outcome { row, answers } = outcome;
                for problem in judge(host, &all[row], answers, &endpoints, &mut told) {
                    problems.push((row, protocol, host.name, problem));
                }
            }
            let heard = heard.take(&told).await;
            compare_heard(host, protocol, &heard, &told, &mut problems);
        }
    }
    report(problems, &rows);
}

/// What is wrong with the answers to a row. Adds what the hooks have to hear of it.
fn judge(
    host: &Host,
    attempts: &[Attempt],
    mut answers: Vec<Answers>,
    endpoints: &Endpoints,
    told: &mut Counts,
) -> Vec<String> {
    let mut problems = Vec::new();
    let own_way = OwnWay::of(host, &attempts[0].row);
    let unheard = own_way.is_some_and(OwnWay::is_before_the_layer);
    let expected: Vec<Answer> = attempts
        .iter()
        .map(|attempt| attempt.expected(endpoints))
        .map(|expected| match own_way {
            Some(own_way) => own_way.expected(expected),
            None => expected,
        })
        .collect();
    in_order(attempts, &mut answers, &expected);
    for (number, Attempt { row, .. }) in attempts.iter().enumerate() {
        for what in row.told().filter(|_| !unheard) {
            let key = (row.endpoint.clone(), what);
            *told.entry(key).or_default() += row.times();
        }
        for mut problem in compare(row, &answers[number], &expected[number]) {
            if let Some(own_way) = own_way {
                problem.push_str(&format!(" (expected here since {})", own_way.because));
            }
            if attempts.len() > 1 {
                problem = format!("attempt {}: {problem}", number + 1);
            }
            problems.push(problem);
        }
    }
    problems
}

impl Attempt {
    fn all(row: &Row, endpoints: &Endpoints) -> Attempts {
        let attempts = row.attempts().into_iter();
        let attempts = attempts.map(|row| Self {
            request: Prepared::new(&row, endpoints),
            row,
        });
        Arc::new(attempts.collect())
    }

    fn expected(&self, endpoints: &Endpoints) -> Answer {
        self.row.expected(endpoints, &self.request.body)
    }
}

/// Attempts that go together are answered in no order: gives each the answer that it expects, if
/// there is one.
fn in_order(attempts: &[Attempt], answers: &mut [Answers], expected: &[Answer]) {
    let mut start = 0;
    for group in attempts.chunk_by(|_, next| next.row.together) {
        let end = start + group.len();
        for place in start..end {
            let mut left = answers[place..end].iter();
            let is_it =
                |answer: &Answers| matches!(answer, Ok(all) if **all == expected[place..=place]);
            if let Some(found) = left.position(is_it) {
                answers.swap(place, place + found);
            }
        }
        start = end;
    }
}

type Problem = (usize, Protocol, &'static str, String);

/// Every row of this protocol against one host.
async fn run(address: SocketAddr, protocol: Protocol, all: &[Attempts]) -> Vec<Outcome> {
    let mut outcomes = Vec::new();
    let mut running = JoinSet::new();
    for (row, attempts) in all.iter().enumerate() {
        if !attempts[0].row.protocols.contains(&protocol) {
            continue;
        }
        if running.len() >= AT_ONCE {
            outcomes.push(running.join_next().await.unwrap().unwrap());
        }
        let attempts = Arc::clone(attempts);
        running.spawn(async move {
            let mut answers = Vec::new();
            for group in attempts.chunk_by(|_, next| next.row.together) {
                let send = |attempt: &Attempt| {
                    let request = attempt.request.clone();
                    tokio::spawn(exchange(address, protocol, request))
                };
                let under_way: Vec<_> = group.iter().map(send).collect();
                for answer in under_way {
                    answers.push(answer.await.unwrap());
                }
            }
            Outcome { row, answers }
        });
    }
    while let Some(outcome) = running.join_next().await {
        outcomes.push(outcome.unwrap());
    }
    outcomes
}

/// One request on a connection of its own.
async fn exchange(address: SocketAddr, protocol: Protocol, request: Prepared) -> Answers {
    let exchange = async {
        match protocol {
            Protocol::H1 => http1::exchange(address, &request).await,
            Protocol::H2 => http2::exchange(address, &request).await,
        }
    };
    match tokio::time::timeout(HANG, exchange).await {
        Ok(answers) => answers.map_err(|error| format!("no answer: {error:?}")),
        Err(_) => Err("no answer in time".to_owned()),
    }
}

impl OwnWay {
    fn of(host: &Host, row: &Row) -> Option<&'static Self> {
        let mut own_ways = OWN_WAYS.iter();
        own_ways.find(|own| own.host == host.name && own.row == row.name)
    }

    fn is_before_the_layer(&self) -> bool {
        matches!(self.instead, Instead::Itself(_))
    }

    /// What is expected here and of no other host.
    fn expected(&self, mut expected: Answer) -> Answer {
        match self.instead {
            Instead::Continued => expected.continued = true,
            Instead::Itself(status) => {
                expected = Answer::none();
                expected.status = Some(status);
            }
        }
        expected
    }
}

fn compare(row: &Row, got: &Answers, expected: &Answer) -> Vec<String> {
    match got {
        // Only the hook can tell.
        _ if row.status.is_none() => Vec::new(),
        Err(problem) => vec![problem.clone()],
        Ok(answers) if answers.len() != row.times() => {
            vec![format!("{} answers: {answers:?}", answers.len())]
        }
        Ok(answers) => answers
            .iter()
            .flat_map(|answer| answer.differences(expected))
            .collect(),
    }
}

/// The hooks were called once for each refusal, also for those that no client could be told of, and
/// for each delivery.
fn compare_heard(
    host: &Host,
    protocol: Protocol,
    heard: &Counts,
    expected: &Counts,
    problems: &mut Vec<Problem>,
) {
    let all: BTreeSet<_> = heard.keys().chain(expected.keys()).collect();
    for key in all {
        let (heard, expected) = (
            heard.get(key).unwrap_or(&0),
            expected.get(key).unwrap_or(&0),
        );
        if heard != expected {
            let (endpoint, what) = key;
            let problem =
                format!("{endpoint}: a hook heard `{what}` {heard} times, not {expected}");
            problems.push((usize::MAX, protocol, host.name, problem));
        }
    }
}

/// All differences, row by row.
fn report(problems: Vec<Problem>, rows: &[Row]) {
    let mut by_row: BTreeMap<_, BTreeMap<_, Vec<String>>> = BTreeMap::new();
    for (row, protocol, host, problem) in problems {
        let hosts = by_row.entry((row, protocol)).or_default();
        hosts.entry(host).or_default().push(problem);
    }
    let mut text = String::new();
    for ((row, protocol), hosts) in &by_row {
        let name = rows.get(*row).map_or("all rows together", |row| &row.name);
        text.push_str(&format!("\n{name} ({protocol:?})\n"));
        for host in &HOSTS {
            match hosts.get(host.name) {
                None => text.push_str(&format!("  {}: as expected\n", host.name)),
                Some(problems) => {
                    for problem in problems {
                        text.push_str(&format!("  {}: {problem}\n", host.name));
                    }
                }
            }
        }
    }
    assert!(by_row.is_empty(), "{} differences:\n{text}", by_row.len());
}

/// Each kind of refusal that a request can cause.
const KINDS: [&str; 36] = [
    "body_too_large",
    "missing_header",
    "repeated_header",
    "unexpected_claim",
    "unexpected_header",
    "malformed_header",
    "malformed_signature",
    "missing_field",
    "repeated_field",
    "too_many_signatures",
    "malformed_timestamp",
    "timestamp_too_old",
    "timestamp_in_future",
    "malformed_body",
    "signature_mismatch",
    "untrusted_certificate",
    "key_outside_window",
    "forgeable_body",
    "unknown_tenant",
    "no_valid_key",
    "key_source_failed",
    "key_source_timeout",
    "delivery_in_progress",
    "delivery_store_failed",
    "delivery_store_timeout",
    "delivery_store_full",
    "handlers_busy",
    "handler_aborted",
    "read_timeout",
    "body_incomplete",
    "malformed_challenge",
    "challenge_refused",
    "method_not_allowed",
    "body_taken",
    "unreadable_payload",
    "layer_missing",
];

/// What stays refused where the layer only logs.
const ENFORCED: [&str; 8] = [
    "body_incomplete",
    "body_taken",
    "body_too_large",
    "key_source_failed",
    "key_source_timeout",
    "layer_missing",
    "no_valid_key",
    "read_timeout",
];

/// Each algorithm but the usual one, which no row has to name.
const VARIANTS: [&str; 12] = [
    "ecdsa-p256-sha256",
    "ecdsa-p256-sha256-fixed",
    "ed25519",
    "hmac-md5",
    "hmac-sha1",
    "hmac-sha512",
    "rsa-pkcs1-sha1",
    "rsa-pkcs1-sha256",
    "rsa-pkcs1-sha512",
    "sha512",
    "token",
    "unauthenticated-sha256",
];

/// Each coverage but that of the whole body.
const COVERAGES: [&str; 2] = ["none", "partial"];

/// Each way in which a delivery can end.
const DELIVERIES: [&str; 8] = [
    "new",
    "done",
    "waited",
    "in_progress",
    "released",
    "busy",
    "outage",
    "complete_failed",
];

#[test]
fn the_table_leaves_nothing_out() {
    let endpoints = Endpoints::load();
    let rows = Row::load();
    let attempts: Vec<Row> = rows.iter().flat_map(Row::attempts).collect();
    let names: BTreeSet<_> = rows.iter().map(|row| &row.name).collect();
    assert_eq!(names.len(), rows.len(), "two rows have one name");
    for own in &OWN_WAYS {
        assert!(names.contains(&own.row.to_owned()), "no row {}", own.row);
    }

    let at = |name: &str| {
        rows.iter()
            .filter(move |row| row.endpoint == name)
            .collect::<Vec<_>>()
    };
    let groups = || endpoints.providers().map(|(endpoint, _)| endpoint);
    let in_a_group = |name: &str| {
        let mut members = groups().flat_map(|group| endpoints.members(group));
        members.any(|member| member == name)
    };
    for (endpoint, _) in endpoints.providers() {
        let is_asked = !at(endpoint).is_empty() || in_a_group(endpoint);
        assert!(is_asked, "no row for endpoint {endpoint}");
    }
    // One provider for each shape of scheme: hosts differ by what they do to requests. The vectors
    // of all are in `it`.
    let schemes: BTreeSet<_> = endpoints.providers().filter_map(|(_, name)| name).collect();
    for provider in schemes {
        let is_its = |name: Option<&str>| name == Some(provider);
        let of_provider = endpoints.providers().filter(|(_, name)| is_its(*name));
        let rows: Vec<_> = of_provider.flat_map(|(endpoint, _)| at(endpoint)).collect();
        for protocol in [Protocol::H1, Protocol::H2] {
            let mut rows = rows.iter().filter(|row| row.protocols.contains(&protocol));
            let accepted = rows
                .clone()
                .any(|row| row.event.is_some() || row.status == Some(200));
            let refused = rows.any(|row| row.status == Some(401));
            assert!(
                accepted && refused,
                "{provider} on {protocol:?} lacks a row"
            );
        }
    }
    for kind in KINDS {
        assert!(
            attempts.iter().any(|row| row.kind() == Some(kind)),
            "no row is refused as {kind}"
        );
    }
    for kind in attempts.iter().filter_map(Row::kind) {
        assert!(KINDS.contains(&kind), "{kind} is no kind");
    }
    // Whatever is refused as 401 is passed on where the layer only logs; everything else stays
    // refused.
    let passed_on: BTreeSet<_> = attempts.iter().filter_map(Row::passed_on).collect();
    let refused = |logs: bool, is_401: bool| -> BTreeSet<_> {
        let rows = attempts.iter();
        let rows = rows.filter(|row| endpoints.only_logs(&row.endpoint) == logs);
        let rows = rows.filter(|row| (row.status == Some(401)) == is_401);
        rows.filter_map(Row::kind).collect()
    };
    assert_eq!(passed_on, refused(false, true), "passed on");
    assert_eq!(refused(true, true), BTreeSet::new());
    assert_eq!(refused(true, false), BTreeSet::from(ENFORCED));
    for (fact, all) in [("variant", &VARIANTS[..]), ("coverage", &COVERAGES)] {
        for one in all {
            let mut rows = attempts.iter();
            assert!(
                rows.any(|row| row.fact(fact) == Some(one)),
                "no row is accepted with {fact} {one}"
            );
        }
    }
    let deliveries = attempts.iter().filter_map(|row| row.delivery.as_deref());
    let deliveries: BTreeSet<_> = deliveries.collect();
    assert_eq!(deliveries, BTreeSet::from(DELIVERIES));
    for status in [200, 400, 401, 408, 413, 500, 503] {
        assert!(
            attempts.iter().any(|row| row.status == Some(status)),
            "no row is answered {status}"
        );
    }
}
