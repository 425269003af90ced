//! What `examples/identity` does with the events of one session, and that its file has every vendor
//! that is read.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tower_webhook::{Config, Identity, Outcome};

use super::data::vendors;

#[path = "../../../examples/identity/decisions.rs"]
mod decisions;

use decisions::{Answer, Decisions, Key, Step};

fn at(seconds: u64) -> Option<SystemTime> {
    Some(UNIX_EPOCH + Duration::from_secs(seconds))
}

fn said(outcome: Outcome, is_final: bool, time: Option<SystemTime>) -> Identity {
    Identity::new(outcome, is_final)
        .with_session("s-1")
        .with_subject("customer-7")
        .with_occurred_at(time)
}

#[test]
fn the_newest_decision_counts_and_what_is_unclear_is_asked() {
    use Outcome::{Approved, Pending, Rejected, Undisclosed};
    // What is known, what arrives, and what happens.
    for (known, new, expected) in [
        (None, (Approved, at(5)), Step::Keep),
        (None, (Approved, None), Step::Keep),
        (None, (Undisclosed, at(5)), Step::Ask),
        (None, (Undisclosed, None), Step::Ask),
        (Some((Pending, at(4))), (Approved, at(5)), Step::Keep),
        (Some((Approved, at(5))), (Rejected, at(6)), Step::Keep),
        (Some((Approved, at(5))), (Rejected, at(4)), Step::Ignore),
        (Some((Rejected, at(5))), (Approved, at(4)), Step::Ignore),
        (Some((Approved, at(5))), (Approved, at(5)), Step::Ignore),
        (Some((Approved, at(5))), (Rejected, at(5)), Step::Ask),
        (Some((Rejected, at(5))), (Approved, at(5)), Step::Ask),
        (Some((Approved, at(5))), (Approved, None), Step::Ignore),
        (Some((Approved, None)), (Approved, at(5)), Step::Ignore),
        (Some((Approved, at(5))), (Rejected, None), Step::Ask),
        (Some((Rejected, None)), (Approved, None), Step::Ask),
        (Some((Rejected, None)), (Approved, at(5)), Step::Ask),
        (Some((Approved, at(5))), (Undisclosed, at(6)), Step::Ask),
        (Some((Approved, at(5))), (Undisclosed, at(5)), Step::Ask),
        (Some((Approved, at(5))), (Undisclosed, at(4)), Step::Ignore),
        (Some((Approved, None)), (Undisclosed, at(4)), Step::Ask),
        (Some((Approved, at(5))), (Undisclosed, None), Step::Ask),
    ] {
        let decisions = Decisions::default();
        let identity = said(new.0, true, new.1);
        let key = Key::of("acme", &identity).unwrap();
        if let Some((outcome, time)) = known {
            assert_eq!(decisions.take(&key, &said(outcome, true, time)), Step::Keep);
        }
        assert_eq!(
            decisions.take(&key, &identity),
            expected,
            "{known:?} {new:?}"
        );
    }
}

#[test]
fn an_event_that_arrives_while_the_vendor_is_asked_is_newer() {
    let decisions = Decisions::default();
    let unclear = said(Outcome::Undisclosed, false, at(5));
    let key = Key::of("acme", &unclear).unwrap();
    assert_eq!(decisions.take(&key, &unclear), Step::Ask);
    let asked_at = at(10).unwrap();
    let approved = Answer::of_vendor(&unclear, (Outcome::Approved, true), asked_at);
    // A rejection after the vendor was asked.
    assert_eq!(
        decisions.take(&key, &said(Outcome::Rejected, true, at(11))),
        Step::Keep
    );
    assert!(!decisions.keep(&key, &approved));
    // One before.
    let decisions = Decisions::default();
    assert_eq!(
        decisions.take(&key, &said(Outcome::Rejected, true, at(9))),
        Step::Keep
    );
    assert!(decisions.keep(&key, &approved));
    assert_eq!(approved.name(), "customer-7");
}

#[test]
fn sessions_of_two_vendors_are_two() {
    let identity = said(Outcome::Approved, true, None);
    let (one, other) = (Key::of("acme", &identity), Key::of("emca", &identity));
    assert_ne!(one, other);
    assert_eq!(one.unwrap().provider(), "acme");
    let nobody = Identity::new(Outcome::Approved, true);
    assert_eq!(Key::of("acme", &nobody), None);
    let without_session = nobody.with_subject("customer-7");
    let key = Key::of("acme", &without_session).unwrap();
    assert_eq!(key.to_string(), "acme customer-7");
}

#[test]
fn the_file_has_every_vendor_that_is_read() {
    let path = support::vector_path("../../examples/identity/vendors.toml");
    let config = Config::from_path(path).unwrap();
    let served: Vec<String> = config
        .endpoints()
        .map(|name| config.endpoint(name).unwrap().provider().name().to_owned())
        .collect();
    let founding = ["authenteq", "authento", "idenfy", "voveid"].map(str::to_owned);
    let read = vendors().into_values();
    let read = read.map(|vendor| vendor.provider().name().to_owned());
    for name in founding.into_iter().chain(read) {
        assert!(served.contains(&name), "{name}");
    }
}
