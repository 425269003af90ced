//! Vendors that do not sign the result: an event says at most that the vendor has to be asked.

use http::Request;
use serde_json::{Value, json};
use tower_webhook::{
    Identity, Outcome, Provider, Secret, Signer, VerifiedEvent, Verifier, providers, verify::Head,
};

use super::data::SECRET;

/// The body that the vendor would send of a person who passed, and the session in it.
struct Case {
    provider: Provider,
    secret: &'static str,
    body: Value,
    session: &'static str,
}

fn cases() -> Vec<Case> {
    let of = |provider: Provider, secret, body, session| Case {
        provider: provider.accept_unsigned_body(),
        secret,
        body,
        session,
    };
    let smile = || providers::smile_id().with_param("partner_id", "2812");
    let didit = json!({"webhook_type": "status.updated", "timestamp": support::NOW, "session_id": "s-1",
        "status": "Approved", "environment": "live", "vendor_data": "customer-7",
        "decision": {"status": "Approved"}});
    vec![
        of(
            providers::incode(),
            SECRET,
            json!({"interviewId": "i-1", "externalId": "customer-7", "onboardingStatus": "MANUAL_REVIEW_APPROVED"}),
            "i-1",
        ),
        of(
            providers::incode(),
            SECRET,
            json!({"interviewId": "i-1", "onboardingStatus": "ONBOARDING_FINISHED"}),
            "i-1",
        ),
        of(
            providers::ondato(),
            "user:a-password-of-some-length",
            json!({"id": "e-1", "type": "KycIdentification.Approved",
                "payload": {"id": "k-1", "status": "Approved", "identityVerificationId": "o-1"}}),
            "o-1",
        ),
        of(
            providers::ondato(),
            "user:a-password-of-some-length",
            json!({"id": "e-1", "type": "KycIdentification.Approved", "payload": {"id": "k-1", "status": "Approved"}}),
            "k-1",
        ),
        of(
            providers::yoti(),
            SECRET,
            json!({"session_id": "y-1", "topic": "session_completion"}),
            "y-1",
        ),
        of(
            providers::yoti().select_variant("basic").unwrap(),
            "user:a-password-of-some-length",
            json!({"session_id": "y-1", "topic": "session_completion"}),
            "y-1",
        ),
        of(
            smile(),
            SECRET,
            json!({"timestamp": "2023-11-14T22:13:20Z", "signature": "", "ResultCode": "0810", "SmileJobID": "0000057",
                "PartnerParams": {"user_id": "customer-7", "job_id": "ours"}, "IsFinalResult": "true"}),
            "0000057",
        ),
        of(
            smile(),
            SECRET,
            json!({"timestamp": "2023-11-14T22:13:20Z", "signature": "", "status": "clear", "job_id": "j-3"}),
            "j-3",
        ),
        of(providers::didit_simple(), SECRET, didit, "s-1"),
    ]
}

fn event(case: &Case, body: String) -> VerifiedEvent {
    let now = support::at(support::NOW);
    let secret = || Secret::new(case.secret);
    let signer = Signer::new(case.provider.clone(), secret()).unwrap();
    let request = signer
        .with_time(now)
        .sign_body(Request::post("/"), body)
        .unwrap();
    let (head, body) = request.into_parts();
    let verifier = Verifier::new(case.provider.clone(), secret()).unwrap();
    verifier.verify(&Head::from(&head), body, now).unwrap()
}

#[test]
fn an_event_says_only_whom_to_ask_about() {
    for case in cases() {
        let identity = event(&case, case.body.to_string())
            .parse::<Identity>()
            .unwrap();
        let session = Identity::new(Outcome::Undisclosed, false).with_session(case.session);
        assert_eq!(*identity.payload(), session, "{}", case.body);
    }
}

#[test]
fn an_event_without_a_session_says_nothing() {
    for case in cases() {
        let name = case.provider.name();
        for session in [
            json!(null),
            json!(""),
            json!(true),
            json!(["s"]),
            json!({"s": 1}),
        ] {
            // The session of `didit-simple` is signed as a text.
            if name == "didit-simple" && !session.is_string() {
                continue;
            }
            let mut body = case.body.clone();
            for place in [
                "/interviewId",
                "/payload/identityVerificationId",
                "/payload/id",
                "/session_id",
                "/SmileJobID",
                "/job_id",
            ] {
                if let Some(value) = body.pointer_mut(place) {
                    *value = session.clone();
                }
            }
            let read = event(&case, body.to_string())
                .parse::<Option<Identity>>()
                .unwrap();
            assert_eq!(*read.payload(), None, "{name}: {body}");
        }
    }
}

#[test]
fn a_session_that_is_there_twice_is_none() {
    let case = &cases()[0];
    let body = case.body.to_string();
    let twice = body.replacen('{', r#"{"interviewId":"i-2","#, 1);
    let read = event(case, twice).parse::<Option<Identity>>().unwrap();
    assert_eq!(*read.payload(), None);
}
