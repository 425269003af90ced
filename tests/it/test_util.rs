//! The test kit for users, for every provider by its name.

use std::{
    collections::BTreeSet,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use http::Request;
use support::{NOW, at, unix_now};
use tower_webhook::{
    Config, Identity, Outcome, Rejection, VerifiedEvent, Verifier, providers,
    scheme::Coverage,
    test_util::{Forgery, IdentityEvent, TestSender},
    verify::Head,
};

/// The vendors whose events have types.
const VENDORS: [&str; 16] = [
    "authenteq",
    "authento",
    "blockpass",
    "complycube",
    "didit",
    "idenfy",
    "kycaid",
    "metamap",
    "onfido",
    "persona",
    "plaid",
    "shufti-pro",
    "stripe",
    "sumsub",
    "veriff",
    "voveid",
];

/// Providers that the kit signs no requests of, and why.
const NOT_SIGNED: &[(&str, &str)] = &[
    ("apple-assn", "a chain of certificates"),
    ("didit-v2", "no events of this form are known"),
    ("ebay", "ECDSA with SHA-1"),
    ("paddle-classic", "RSA with SHA-1"),
    ("travis-ci", "RSA with SHA-1"),
    ("truelayer", "ECDSA on P-521"),
    ("wix", "the token is the body"),
];

/// Providers whose page says that a captured request stays valid, and whose tokens end all the
/// same, because the signer gives them an end, as the vendor may.
const ENDING: &[&str] = &["fusionauth", "lago", "netlify"];

fn senders() -> impl Iterator<Item = (&'static str, TestSender)> {
    let names = providers::names();
    let names = names.filter(|name| !NOT_SIGNED.iter().any(|(other, _)| other == name));
    names.map(|name| {
        let sender = TestSender::new(name).unwrap_or_else(|error| panic!("{name}: {error}"));
        (name, sender.with_time(at(NOW)))
    })
}

#[test]
fn who_cannot_be_signed_for_is_listed() {
    let names = providers::names();
    let unsigned = names.filter(|name| {
        let sender = TestSender::new(name).map(|sender| sender.with_time(at(NOW)));
        !sender.is_ok_and(|sender| sender.body().is_ok())
    });
    let unsigned: BTreeSet<&str> = unsigned.collect();
    let listed: BTreeSet<&str> = NOT_SIGNED.iter().map(|(name, _)| *name).collect();
    assert_eq!(unsigned, listed);
}

fn verify(verifier: &Verifier, request: Request<Bytes>) -> Result<VerifiedEvent, Rejection> {
    let (head, body) = request.into_parts();
    verifier.verify(&Head::from(&head), body, at(NOW))
}

#[test]
fn what_is_genuine_is_accepted_and_what_is_forged_refused_for_every_provider() {
    let mut count = 0;
    for (name, sender) in senders() {
        let verifier = sender.verifier().unwrap();
        let body = sender.body();
        let body = body.unwrap_or_else(|error| panic!("{name}: {error}"));
        let signed = sender.signed(sender.post("/hooks"), body.clone());
        let signed = signed.unwrap_or_else(|error| panic!("{name}: {error}"));
        let event = verify(&verifier, signed.clone());
        let event = event.unwrap_or_else(|rejection| panic!("{name}: {rejection}"));
        assert_eq!(event.provider(), name);

        let forgeries = sender.forgeries(sender.post("/hooks"), body);
        let forgeries = forgeries.unwrap_or_else(|error| panic!("{name}: {error}"));
        let mut made = BTreeSet::new();
        for (forgery, request) in forgeries {
            assert!(verify(&verifier, request).is_err(), "{name}: {forgery}");
            made.insert(forgery.to_string());
            count += 1;
        }
        // Which they are follows from what the provider signs, by other sources than the kit's.
        let known = providers::find(name).next().unwrap();
        assert_eq!(known.name(), name);
        let mut expected: BTreeSet<String> = BTreeSet::from([Forgery::Unsigned.to_string()]);
        expected.insert(Forgery::WrongKey.to_string());
        if event.coverage() == Coverage::Body {
            expected.insert(Forgery::ChangedBody.to_string());
        }
        if !known.replay_window().starts_with("unlimited") || ENDING.contains(&name) {
            expected.insert(Forgery::Stale.to_string());
        }
        // How far ahead a time may be is not on the page.
        made.remove(&Forgery::FromTheFuture.to_string());
        assert_eq!(made, expected, "{name}: {}", known.replay_window());
    }
    assert!(count > 800, "{count}");
}

#[test]
fn a_configuration_file_takes_the_key_and_the_parameters_of_every_provider() {
    for (name, sender) in senders() {
        let file = sender.to_toml("an endpoint").unwrap();
        let config = Config::from_toml_str(&file);
        let config = config.unwrap_or_else(|error| panic!("{name}: {error}\n{file}"));
        let verifier = config.endpoint("an endpoint").unwrap();
        let signed = sender.signed(sender.post("/hooks"), sender.body().unwrap());
        let event = verify(&verifier, signed.unwrap());
        assert!(event.is_ok(), "{name}: {event:?}\n{file}");
    }
}

#[test]
fn a_retry_is_the_same_delivery_signed_anew() {
    let mut anew = 0;
    for (name, sender) in senders() {
        let verifier = sender.verifier().unwrap();
        let first = sender.signed(sender.post("/hooks"), sender.body().unwrap());
        let first = first.unwrap();
        let later = sender.clone().with_time(at(NOW + 7)).retried(&first);
        let later = later.unwrap();
        anew += usize::from(first.headers() != later.headers());
        let one = verify(&verifier, first);
        let (head, body) = later.into_parts();
        let other = verifier.verify(&Head::from(&head), body, at(NOW + 7));
        let one = one.unwrap_or_else(|rejection| panic!("{name}: {rejection}"));
        let other = other.unwrap_or_else(|rejection| panic!("{name}: {rejection}"));
        assert_eq!(one.delivery_id(), other.delivery_id(), "{name}");
        // A schedule of QStash sends the same body each time, so that each token is a delivery.
        let is_known = one.coverage() == Coverage::Body && name != "qstash";
        if is_known && one.body() == other.body() {
            assert_eq!(one.delivery_key(), other.delivery_key(), "{name}");
        }
    }
    assert!(anew > 80, "{anew}");
}

#[test]
fn a_sender_takes_another_secret_and_shows_none() {
    let sender = TestSender::new("github").unwrap();
    let other = sender.clone().with_secret("It's a Secret to Everybody");
    let other = other.unwrap();
    assert_eq!(other.secret_text(), "It's a Secret to Everybody");
    let signed = other.signed(Request::post("/"), "Hello, World!").unwrap();
    // GitHub's own example.
    assert_eq!(
        signed.headers()["x-hub-signature-256"],
        "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    );
    let verifier = sender.verifier().unwrap();
    assert!(verify(&verifier, signed.clone()).is_err());
    assert!(verify(&other.verifier().unwrap(), signed).is_ok());
    assert_eq!(
        format!("{sender:?} {other:?}"),
        r#"TestSender { provider: "github", .. } TestSender { provider: "github", .. }"#
    );

    for (name, secret, words) in [
        ("svix", "whsec_short", "base64"),
        ("discord", "a-secret", "public key"),
    ] {
        let error = TestSender::new(name).unwrap().with_secret(secret);
        let error = error.unwrap_err().to_string();
        assert!(error.contains(words), "{name}: {error}");
    }
    let error = TestSender::new("githbu").unwrap_err().to_string();
    assert!(error.contains("githbu"), "{error}");
}

/// A text of an identity.
type Field = fn(&Identity) -> Option<&str>;

#[test]
fn an_event_of_every_identity_vendor_reads_as_it_was_made() {
    let mut pairs = 0;
    let mut silent = BTreeSet::new();
    for name in VENDORS {
        let sender = TestSender::new(name).unwrap();
        let read = |body: Bytes, time: SystemTime| {
            let sender = sender.clone().with_time(time);
            let request = sender.signed(Request::post("/"), body).unwrap();
            let (head, body) = request.into_parts();
            let event = sender.verifier().unwrap();
            let event = event.verify(&Head::from(&head), body, time).unwrap();
            event.parse::<Identity>().unwrap().into_payload()
        };
        let outcomes: Vec<Outcome> = IdentityEvent::outcomes(name).collect();
        assert!(!outcomes.is_empty(), "{name}");
        for outcome in outcomes {
            let event = IdentityEvent::new(name, outcome).unwrap();
            let now = at(unix_now());
            let plain = read(event.body().unwrap(), now);
            assert_eq!(plain.outcome(), outcome, "{name}: {plain:?}");
            // Whatever has a place is read again, and an event without one says so.
            let time = at(NOW);
            let own: [(&str, IdentityEvent, Field); 3] = [
                (
                    "session",
                    event.clone().with_session("own"),
                    Identity::session,
                ),
                (
                    "subject",
                    event.clone().with_subject("own"),
                    Identity::subject,
                ),
                ("level", event.clone().with_level("own"), Identity::level),
            ];
            for (what, changed, field) in own {
                let Ok(body) = changed.body() else {
                    silent.insert(format!("{name}: {what}"));
                    continue;
                };
                assert!(field(&plain).is_some(), "{name}: {outcome}: {what}");
                let identity = read(body, now);
                assert_eq!(field(&identity), Some("own"), "{name}: {outcome}: {what}");
                assert_eq!(identity.outcome(), outcome, "{name}: {what}");
            }
            match event.clone().with_time(time).body() {
                Ok(body) => assert_eq!(read(body, time).occurred_at(), Some(time), "{name}"),
                Err(_) => assert_eq!(plain.occurred_at(), None, "{name}: {outcome}"),
            }
            match event.clone().as_test().body() {
                Ok(body) => {
                    let identity = read(body, now);
                    assert_eq!(identity.is_test(), Some(true), "{name}");
                    assert_eq!(identity.outcome(), Outcome::Other, "{name}");
                }
                Err(_) => assert_eq!(plain.is_test(), None, "{name}: {outcome}"),
            }
            assert!(plain.is_test() != Some(true), "{name}");
            if let Some(time) = plain.occurred_at() {
                let age = now.duration_since(time).unwrap_or_default();
                assert!(age < Duration::from_secs(60), "{name}: {age:?}");
            }
            pairs += 1;
        }
    }
    assert!(pairs > 80, "{pairs}");
    // Nobody's session is missing but VOVE ID's.
    let sessions: Vec<_> = silent
        .iter()
        .filter(|line| line.ends_with("session"))
        .collect();
    assert_eq!(sessions, ["voveid: session"]);
}

#[test]
fn an_event_that_cannot_be_made_says_why() {
    for (provider, outcome, words) in [
        ("plaid", Outcome::Approved, "in_progress, undisclosed"),
        ("github", Outcome::Approved, "not an identity vendor"),
        ("githbu", Outcome::Approved, "not an identity vendor"),
    ] {
        let error = IdentityEvent::new(provider, outcome).unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
    }
    let kycaid = IdentityEvent::new("kycaid", Outcome::Approved).unwrap();
    let error = kycaid.with_subject("customer-7").body().unwrap_err();
    assert_eq!(
        error.to_string(),
        "an event of kycaid that is approved has no subject"
    );
}
