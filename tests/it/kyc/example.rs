//! What `examples/identity` does with the events of one session, and that its file has every vendor
//! that is read.

use std::{
    slice::from_ref,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use tower_webhook::{Config, Identity, Outcome};

use super::data::vendors;

#[path = "../../../examples/identity/decisions.rs"]
mod decisions;

use decisions::{Decisions, Key, Seen, Step};

fn at(seconds: u64) -> Option<SystemTime> {
    Some(UNIX_EPOCH + Duration::from_secs(seconds))
}

fn said(outcome: Outcome, is_final: bool, time: Option<SystemTime>) -> Identity {
    Identity::new(outcome, is_final)
        .with_session("s-1")
        .with_subject("customer-7")
        .with_occurred_at(time)
}

/// What happens to an event, if a session is known by others.
fn step(known: &[Identity], new: &Identity) -> &'static str {
    let decisions = Decisions::default();
    let key = Key::of("acme", new).unwrap();
    for identity in known {
        assert_eq!(decisions.take(&key, identity), Step::Keep, "{identity:?}");
    }
    match decisions.take(&key, new) {
        Step::Ignore => "ignore",
        Step::Keep => "keep",
        Step::Ask(_) => "ask",
    }
}

#[test]
fn the_newest_decision_counts_and_what_is_unclear_is_asked() {
    use Outcome::{Approved, Expired, Other, Rejected, Undisclosed};
    // What is known, what arrives, and what happens. All of them are final.
    for (known, new, expected) in [
        (None, (Approved, at(5)), "keep"),
        (None, (Approved, None), "keep"),
        (None, (Undisclosed, at(5)), "ask"),
        (None, (Undisclosed, None), "ask"),
        (Some((Approved, at(5))), (Rejected, at(6)), "keep"),
        (Some((Approved, at(5))), (Rejected, at(4)), "ignore"),
        (Some((Rejected, at(5))), (Approved, at(4)), "ignore"),
        (Some((Approved, at(5))), (Approved, at(5)), "ignore"),
        (Some((Approved, at(5))), (Rejected, at(5)), "ask"),
        (Some((Rejected, at(5))), (Approved, at(5)), "ask"),
        (Some((Approved, at(5))), (Approved, None), "ignore"),
        (Some((Approved, None)), (Approved, at(5)), "ignore"),
        (Some((Approved, at(5))), (Rejected, None), "ask"),
        (Some((Rejected, None)), (Approved, None), "ask"),
        (Some((Rejected, None)), (Approved, at(5)), "ask"),
        (Some((Expired, None)), (Approved, None), "ask"),
        (Some((Other, None)), (Approved, None), "ask"),
        (Some((Approved, at(5))), (Undisclosed, at(6)), "ask"),
        (Some((Approved, at(5))), (Undisclosed, at(5)), "ask"),
        (Some((Approved, at(5))), (Undisclosed, at(4)), "ignore"),
        (Some((Approved, None)), (Undisclosed, at(4)), "ask"),
        (Some((Approved, at(5))), (Undisclosed, None), "ask"),
    ] {
        let known: Vec<_> = known
            .into_iter()
            .map(|(outcome, time)| said(outcome, true, time))
            .collect();
        let step = step(&known, &said(new.0, true, new.1));
        assert_eq!(step, expected, "{known:?} {new:?}");
    }
}

#[test]
fn progress_does_not_conflict_with_the_decision_after_it() {
    use Outcome::{Approved, InProgress, Pending, Rejected, Review};
    for (known, new, expected) in [
        // VOVE ID, Shufti Pro and KYCAID have no times, and Veriff has one of the decision only.
        (
            vec![(InProgress, None), (Pending, None)],
            (Approved, None),
            "keep",
        ),
        (vec![(Review, None)], (Approved, at(5)), "keep"),
        // iDenfy has one time for both decisions, and Stripe may verify within a second.
        (vec![(Review, at(5))], (Approved, at(5)), "keep"),
        (vec![(Pending, at(5))], (Rejected, at(5)), "keep"),
        (vec![(InProgress, at(5))], (Pending, at(5)), "keep"),
        (vec![(Pending, at(5))], (Rejected, None), "keep"),
        // There may have been a denial before the progress.
        (vec![(Pending, at(5))], (Approved, None), "ask"),
        // Nothing undated replaces a decision, not even one that is not final.
        (vec![(Rejected, None)], (Approved, None), "ask"),
        (vec![(Rejected, None)], (Pending, None), "ask"),
        (
            vec![(Rejected, at(5)), (Pending, at(6))],
            (Approved, at(7)),
            "keep",
        ),
        (
            vec![(Rejected, at(5)), (Pending, at(6))],
            (Approved, at(5)),
            "ignore",
        ),
    ] {
        let of = |(outcome, time)| said(outcome, outcome == Approved, time);
        let known: Vec<_> = known.into_iter().map(of).collect();
        assert_eq!(step(&known, &of(new)), expected, "{known:?} {new:?}");
    }
    let approved = said(Approved, true, None);
    let late = said(Pending, false, None);
    assert_eq!(step(&[approved], &late), "ask");
}

#[test]
fn the_levels_of_a_session_are_decided_one_by_one() {
    use Outcome::{Approved, Expired, Pending, Rejected};
    let of = |outcome, is_final, time, level: &str| said(outcome, is_final, time).with_level(level);
    let approved = of(Approved, true, at(5), "id");
    for (new, expected) in [
        // The endpoint requires another level.
        (of(Pending, false, at(6), "phone"), "keep"),
        (of(Pending, false, at(4), "phone"), "keep"),
        (of(Rejected, true, at(5), "phone"), "keep"),
        (of(Rejected, true, at(4), "id"), "ignore"),
        (of(Rejected, true, at(5), "id"), "ask"),
        // Nothing says whether it is newer.
        (of(Rejected, true, None, "phone"), "ask"),
        // The data of the person.
        (of(Expired, true, at(4), "phone"), "ignore"),
        (of(Expired, true, at(6), "phone"), "keep"),
        (of(Expired, false, at(5), ""), "ask"),
    ] {
        assert_eq!(step(from_ref(&approved), &new), expected, "{new:?}");
    }
    // One of another level does not make the approval older, and takes nothing back.
    let phone = of(Pending, false, at(9), "phone");
    assert_eq!(step(from_ref(&phone), &approved), "keep");
    let denied = of(Rejected, true, at(5), "id");
    assert_eq!(step(&[approved.clone(), phone], &denied), "ask");
    // After the data are gone, nothing older counts at any level.
    let gone = of(Expired, true, at(7), "phone");
    assert_eq!(step(&[gone], &approved), "ignore");
}

/// What is asked because of an event.
fn asked(decisions: &Decisions, key: &Key, identity: &Identity) -> Seen {
    match decisions.take(key, identity) {
        Step::Ask(seen) => seen,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_the_vendor_says_is_not_ordered_by_our_clock() {
    use Outcome::{Approved, Pending, Rejected, Undisclosed};
    let decisions = Decisions::default();
    let unclear = said(Undisclosed, false, at(5));
    let key = Key::of("acme", &unclear).unwrap();
    let seen = asked(&decisions, &key, &unclear);
    let answer = decisions.settle(&key, &unclear, seen, Some((Pending, false)));
    assert_eq!(answer.unwrap().outcome, Pending);
    // The clock of the vendor may be far behind ours.
    let approved = said(Approved, true, at(6));
    assert_eq!(decisions.take(&key, &approved), Step::Keep);
    assert_eq!(
        decisions.take(&key, &said(Rejected, true, at(4))),
        Step::Ignore
    );

    // After an answer, something undated may be older than it.
    let seen = asked(&decisions, &key, &said(Rejected, true, None));
    let denied = said(Rejected, true, None);
    let answer = decisions.settle(&key, &denied, seen, Some((Pending, false)));
    assert_eq!(answer.unwrap().name(), "customer-7");
    asked(&decisions, &key, &said(Approved, true, None));
    asked(&decisions, &key, &said(Approved, true, at(6)));
    assert_eq!(
        decisions.take(&key, &said(Approved, true, at(7))),
        Step::Keep
    );
}

#[test]
fn an_event_that_arrives_while_the_vendor_is_asked_counts() {
    use Outcome::{Approved, Rejected, Undisclosed};
    let decisions = Decisions::default();
    let unclear = said(Undisclosed, false, at(5));
    let key = Key::of("acme", &unclear).unwrap();
    let seen = asked(&decisions, &key, &unclear);
    let denied = said(Rejected, true, at(6));
    assert_eq!(decisions.take(&key, &denied), Step::Keep);
    let answer = decisions.settle(&key, &unclear, seen, Some((Approved, true)));
    assert_eq!(answer, None);
    assert_eq!(decisions.take(&key, &unclear), Step::Ignore);
}

#[test]
fn nobody_is_approved_while_it_is_unclear() {
    use Outcome::{Approved, Rejected, Undisclosed};
    let decisions = Decisions::default();
    let approved = said(Approved, true, None);
    let denied = said(Rejected, true, None);
    let key = Key::of("acme", &approved).unwrap();
    assert_eq!(decisions.take(&key, &denied), Step::Keep);
    let seen = asked(&decisions, &key, &approved);
    let answer = decisions.settle(&key, &approved, seen, None).unwrap();
    assert_eq!((answer.outcome, answer.is_final), (Undisclosed, false));
    for again in [&approved, &denied, &said(Undisclosed, false, None)] {
        asked(&decisions, &key, again);
    }
    let seen = asked(&decisions, &key, &approved);
    let answer = decisions.settle(&key, &approved, seen, Some((Approved, true)));
    assert_eq!(answer.unwrap().outcome, Approved);
    assert_eq!(decisions.take(&key, &approved), Step::Ignore);
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
