//! The one reading of identity for all providers: every cell of every table, and what gives none.

use http::Request;
use proptest::prelude::*;
use support::{NOW, at, provider};
use tower_webhook::{
    Identity, Outcome, Provider, Secret, Signer, VerifiedEvent, Verifier, verify::Head,
};

const SVIX_SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
const TEXT_SECRET: &str = "a-secret-of-some-length";

fn signed(name: &str, request: http::request::Builder, body: &str) -> VerifiedEvent {
    signed_by(&provider(name), name, request, body)
}

fn signed_by(
    provider: &Provider,
    name: &str,
    request: http::request::Builder,
    body: &str,
) -> VerifiedEvent {
    let secret = Secret::new(if name == "voveid" {
        SVIX_SECRET
    } else {
        TEXT_SECRET
    });
    let signer = Signer::new(provider.clone(), secret.clone()).unwrap();
    let signer = signer.with_time(at(NOW));
    let (head, body) = signer.sign(request, body.to_owned()).unwrap().into_parts();
    let verifier = Verifier::new(provider.clone(), secret).unwrap();
    verifier.verify(&Head::from(&head), body, at(NOW)).unwrap()
}

fn event(name: &str, body: &str) -> VerifiedEvent {
    signed(name, Request::post("/"), body)
}

fn identity(name: &str, body: &str) -> Option<Identity> {
    event(name, body)
        .parse::<Option<Identity>>()
        .unwrap()
        .into_payload()
}

fn multipart(result: &str) -> String {
    format!("--b\r\nContent-Disposition: form-data; name=\"result\"\r\n\r\n{result}\r\n--b--\r\n")
}

/// What the tables say: the body, the outcome, whether it is final.
fn outcomes(name: &str, cells: &[(String, Outcome, bool)]) {
    for (body, outcome, is_final) in cells {
        let identity = identity(name, body).unwrap_or_else(|| panic!("{name}: {body}"));
        assert_eq!(
            (identity.outcome(), identity.is_final()),
            (*outcome, *is_final),
            "{name}: {body}"
        );
    }
}

/// A part `result` with these fields among those that are always there.
fn result(fields: &str) -> String {
    multipart(&format!(
        r#"{{"id":"s-1",{fields}"documentData":{{"documentType":"PP","documentNumber":"1"}}}}"#
    ))
}

/// The identity in an event of Authenteq, for an account that gets the older form, which has no
/// status.
fn older_authenteq(body: &str) -> Result<Identity, String> {
    let older = provider("authenteq").with_param("missing_status", "passed");
    let event = signed_by(&older, "authenteq", Request::post("/"), body);
    let read = event.parse::<Identity>();
    read.map(VerifiedEvent::into_payload)
        .map_err(|error| error.to_string())
}

#[test]
fn authenteq() {
    let mut cells = vec![(result(r#""status":"PASSED","#), Outcome::Approved, true)];
    for nothing_or_another in [
        "",
        r#""status":null,"#,
        r#""status":"FAILED","#,
        r#""status":"passed","#,
        r#""status":"Passed","#,
        r#""status":"PASSED ","#,
        r#""status":"","#,
        r#""Status":"PASSED","#,
        r#""STATUS":"PASSED","#,
        r#""state":"PASSED","#,
        r#""result":"PASSED","#,
        r#""verificationStatus":"PASSED","#,
        r#""status":null,"Status":"PASSED","#,
        // Two spellings of one name, of which another parser may take either.
        r#""status":"PASSED","Status":"FAILED","#,
        r#""STATUS":"FAILED","status":"PASSED","#,
    ] {
        cells.push((result(nothing_or_another), Outcome::Other, false));
    }
    // With another field, `status` is still what says it.
    for beside in [r#""nfcStatus":"NONE","#, r#""outcome":"x","#] {
        let body = result(&format!(r#"{beside}"status":"PASSED","#));
        cells.push((body, Outcome::Approved, true));
    }
    // Another end may have nothing but an id.
    for failed in [
        r#"{"id":"s-1","status":"FAILED"}"#,
        r#"{"status":"x","id":"s-1","documentData":null}"#,
    ] {
        cells.push((multipart(failed), Outcome::Other, false));
    }
    outcomes("authenteq", &cells);
    for (body, ..) in &cells {
        let identity = identity("authenteq", body).unwrap();
        assert_eq!(
            (identity.subject(), identity.session()),
            (None, Some("s-1"))
        );
        assert_eq!(identity.reasons().count(), 0);
    }
}

#[test]
fn a_status_of_authenteq_that_says_two_things_or_none_is_no_approval() {
    for fields in [
        r#""status":"PASSED","status":"FAILED","#,
        r#""status":"FAILED","status":"PASSED","#,
        r#""status":"PASSED","status":"PASSED","#,
        r#""status":null,"status":"PASSED","#,
        r#""status":"PASSED","st\u0061tus":"PASSED","#,
        r#""status":true,"#,
        r#""status":1,"#,
        r#""status":["PASSED"],"#,
        r#""status":{"PASSED":"PASSED"},"#,
    ] {
        let body = result(fields);
        assert!(
            event("authenteq", &body)
                .parse::<Option<Identity>>()
                .is_err(),
            "{fields}"
        );
        assert!(older_authenteq(&body).is_err(), "{fields}");
    }
    // A passed verification has a document.
    let bare = multipart(r#"{"id":"s-1","status":"PASSED"}"#);
    assert!(
        event("authenteq", &bare)
            .parse::<Option<Identity>>()
            .is_err()
    );
}

#[test]
fn authenteqs_older_form_is_approved_where_the_endpoint_says_so() {
    let outcome = |body: &str| {
        let identity = older_authenteq(body).unwrap_or_else(|error| panic!("{body}: {error}"));
        (identity.outcome(), identity.is_final())
    };
    let approved = (Outcome::Approved, true);
    for silent in [
        "",
        r#""status":"PASSED","#,
        r#""platform":"WEB","startTime":"2020-04-10T11:44:40Z","nfcVerified":false,"addressProofDocument":null,"#,
        r#""documentData2":{"documentType":"DL","jurisdiction":"OK","licenseClassDetails":{"B":{"notes":"valid"}}},"#,
        // What is not documented, and has nothing to do with it.
        r#""locale":"en","country":"United States","device":{"model":"x","os":["a"]},"attempts":2,"url":"https://a.example/verification","#,
    ] {
        assert_eq!(outcome(&result(silent)), approved, "{silent}");
    }
    for telling in [
        r#""status":null,"#,
        r#""status":"FAILED","#,
        r#""status":"","#,
        r#""Status":"PASSED","#,
        r#""STATUS":"FAILED","#,
        r#""status ":"PASSED","#,
        r#""_status":"PASSED","#,
        r#""statuses":[],"#,
        r#""statusCode":0,"#,
        r#""verificationStatus":"FAILED","#,
        r#""message":"Verification failed.","#,
        r#""message":"FAILED: face mismatch","#,
        r#""message":"failed!","#,
        r#""message":"NOT/PASSED","#,
        r#""transition":{"from":"PENDING","to":"REJECTED"},"#,
        r#""to":"FAILED","#,
        r#""notes":"verification failed","#,
        r#""content":"FAILED","#,
        r#""verification_status":null,"#,
        r#""verification-status":1,"#,
        r#""verification.status":1,"#,
        r#""VERIFICATION_STATUS":1,"#,
        r#""verificationstatus":1,"#,
        r#""state":"FAILED","#,
        r#""endState":"x","#,
        r#""END_STATE":"x","#,
        r#""result":"FAILED","#,
        r#""results":{},"#,
        r#""finalResult":"x","#,
        r#""outcome":"x","#,
        r#""decision":"x","#,
        r#""decisionReason":"x","#,
        r#""verdict":"x","#,
        r#""passed":false,"#,
        r#""isPassed":false,"#,
        r#""pass":false,"#,
        r#""failed":true,"#,
        r#""failureReason":null,"#,
        r#""approved":false,"#,
        r#""approval":false,"#,
        r#""rejected":true,"#,
        r#""rejectionReasons":[],"#,
        r#""declined":true,"#,
        r#""success":false,"#,
        r#""verified":false,"#,
        r#""isVerified":false,"#,
        r#""nfcverified":false,"#,
        r#""verification":{},"#,
        r#""valid":false,"#,
        r#""ok":false,"#,
        r#""error":null,"#,
        r#""reason":null,"#,
        r#""statut":"x","#,
        // Inside of something.
        r#""meta":{"status":"FAILED"},"#,
        r#""meta":[{"a":{"outcome":1}}],"#,
        r#""documentData2":{"documentType":"DL","status":"EXPIRED"},"#,
        // By what it says.
        r#""kyc":"FAILED","#,
        r#""kyc":"not_passed","#,
        r#""kyc":"PASSED","#,
        r#""kyc":"Declined","#,
    ] {
        assert_eq!(
            outcome(&result(telling)),
            (Outcome::Other, false),
            "{telling}"
        );
    }
    // A part of its own.
    let head = "--b\r\nContent-Disposition: form-data; name=";
    for (name, expected) in [
        ("status", (Outcome::Other, false)),
        ("selfieVideo", approved),
    ] {
        let body = format!("{head}\"{name}\"\r\n\r\nFAILED\r\n{}", result(""));
        assert_eq!(outcome(&body), expected, "{name}");
    }
    // What is too deep to be looked through may have one.
    let deep = format!(r#""x":{}1{},"#, "[".repeat(200), "]".repeat(200));
    let deep = older_authenteq(&result(&deep)).map(|identity| identity.outcome());
    assert_ne!(deep, Ok(Outcome::Approved));
    // Without the parameter nothing of this is an approval.
    assert_eq!(
        identity("authenteq", &result("")).unwrap().outcome(),
        Outcome::Other
    );
}

#[test]
fn missing_status_has_one_value_and_one_provider() {
    for (name, value, problem) in [
        (
            "authenteq",
            "failed",
            "missing_status: \"failed\" is not one of passed",
        ),
        ("authenteq", "", "missing_status: \"\" is not one of passed"),
        (
            "authenteq",
            "PASSED",
            "missing_status: \"PASSED\" is not one of passed",
        ),
        (
            "idenfy",
            "passed",
            "missing_status: provider idenfy has no such parameter; remove it",
        ),
    ] {
        let provider = provider(name).with_param("missing_status", value);
        let error = Verifier::new(provider, Secret::new(TEXT_SECRET)).unwrap_err();
        assert_eq!(error.to_string(), problem);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// What the table says, said once more: of fields that the part may have, in any order, and of
    /// the endpoint.
    #[test]
    fn authenteq_approves_what_the_table_says_and_nothing_else(
        fields in proptest::collection::vec((
            proptest::sample::select(&[
                // A name, and whether it may be one for a status.
                ("status", true), ("status", true), ("status", true), ("Status", true), ("STATUS", true), ("sta_tus", true),
                ("state", true), ("verificationStatus", true), ("outcome", true), ("passed", true),
                ("locale", false), ("platform", false), ("device", false), ("count", false),
            ][..]),
            proptest::sample::select(&[
                // A value, and whether it may be one.
                (r#""PASSED""#, true), (r#""PASSED""#, true), (r#""FAILED""#, true), (r#""passed""#, true), ("null", false),
                (r#""""#, false), (r#""WEB""#, false), ("true", false), ("7", false), (r#"["PASSED"]"#, true), (r#"{"status":1}"#, true),
            ][..]),
        ), 0..4),
        documented_first in any::<bool>(),
    ) {
        let written: String = fields.iter().map(|((name, _), (value, _))| format!("{name:?}:{value},")).collect();
        let always = r#""id":"s-1","documentData":{"documentType":"PP"}"#;
        let body = if documented_first {
            format!("{{{always},{}}}", written.trim_end_matches(',')).replace(",}", "}")
        } else {
            format!("{{{written}{always}}}")
        };
        let spells_status = |name: &str| name.to_lowercase().replace('_', "") == "status";
        let statuses: Vec<_> = fields.iter().filter(|((name, _), _)| spells_status(name)).collect();
        let passed = matches!(&*statuses, [(("status", _), (r#""PASSED""#, _))]);
        let silent = fields.iter().all(|((name, may_be_one), (_, says_one))| {
            !may_be_one && (!says_one || *name == "platform")
        });
        // A documented field of a wrong type, or twice, is no body of Authenteq.
        let platforms: Vec<_> = fields.iter().filter(|((name, _), _)| *name == "platform").collect();
        let is_readable = platforms.len() < 2
            && platforms.iter().all(|(_, (value, _))| value.starts_with('"') || *value == "null");

        let body = multipart(&body);
        let approved = |identity: Option<Identity>| identity.is_some_and(|identity| {
            assert_eq!(identity.outcome() == Outcome::Approved, identity.is_final());
            identity.is_final()
        });
        let plain = event("authenteq", &body).parse::<Identity>().ok().map(VerifiedEvent::into_payload);
        prop_assert_eq!(approved(plain), is_readable && passed, "{}", body);
        let older = older_authenteq(&body).ok();
        prop_assert_eq!(approved(older), is_readable && (passed || silent), "{}", body);
    }
}

#[test]
fn voveid() {
    let body = |status: &str| format!(r#"{{"status":"{status}","refId":"c-7"}}"#);
    outcomes(
        "voveid",
        &[
            (body("in_progress"), Outcome::InProgress, false),
            (body("pending"), Outcome::Pending, false),
            (body("successful"), Outcome::Approved, true),
            (body("suspected"), Outcome::Rejected, true),
            (body("archived"), Outcome::Other, false),
        ],
    );
    // The older name of the reference names the same person.
    let named = |status: &str, user_id: &str| {
        format!(r#"{{"status":"{status}","refId":"c-7","userId":{user_id}}}"#)
    };
    outcomes(
        "voveid",
        &[
            (named("successful", r#""c-7""#), Outcome::Approved, true),
            (named("successful", "null"), Outcome::Approved, true),
            (named("successful", r#""""#), Outcome::Approved, true),
            (named("successful", r#""c-8""#), Outcome::Other, false),
            (named("suspected", r#""c-8""#), Outcome::Rejected, true),
        ],
    );
    let identity = identity("voveid", &body("successful")).unwrap();
    assert_eq!(
        (identity.subject(), identity.session()),
        (Some("c-7"), None)
    );
    assert_eq!(identity.reasons().count(), 0);
}

#[test]
fn idenfy() {
    let body = |overall: &str, is_final: &str| {
        format!(r#"{{{is_final}"status":{{"overall":"{overall}"}},"scanRef":"s-1"}}"#)
    };
    let (yes, no, unknown) = (r#""final":true,"#, r#""final":false,"#, r#""final":null,"#);
    let mut cells = Vec::new();
    for (overall, when_final, otherwise) in [
        ("APPROVED", (Outcome::Approved, true), Outcome::Pending),
        ("DENIED", (Outcome::Rejected, true), Outcome::Pending),
        ("SUSPECTED", (Outcome::Review, true), Outcome::Review),
        ("EXPIRED", (Outcome::Expired, true), Outcome::Expired),
        (
            "EXPIRED-DELETED",
            (Outcome::Expired, true),
            Outcome::Expired,
        ),
        ("DELETED", (Outcome::Expired, true), Outcome::Expired),
        ("REVIEWING", (Outcome::Pending, false), Outcome::Pending),
        ("ACTIVE", (Outcome::Pending, false), Outcome::Pending),
        ("ARCHIVED", (Outcome::Other, true), Outcome::Other),
        ("SOMETHING_NEW", (Outcome::Other, true), Outcome::Other),
        ("approved", (Outcome::Other, true), Outcome::Other),
    ] {
        cells.push((body(overall, yes), when_final.0, when_final.1));
        for other in [no, unknown, ""] {
            cells.push((body(overall, other), otherwise, false));
        }
    }
    outcomes("idenfy", &cells);
}

#[test]
fn idenfy_names_subject_and_reasons() {
    let body = r#"{"final":true,"scanRef":"s-1","externalRef":"e-1","clientId":"c-1","status":{
        "overall":"DENIED","denyReasons":["FACE_MISMATCH"],"suspicionReasons":["AML_SUSPECTION"],
        "fraudTags":["FACE_SUSPECTED"],"mismatchTags":["NAME"]}}"#;
    let full = identity("idenfy", body).unwrap();
    assert_eq!((full.subject(), full.session()), (Some("e-1"), Some("s-1")));
    let reasons: Vec<_> = full.reasons().collect();
    assert_eq!(
        reasons,
        ["FACE_MISMATCH", "AML_SUSPECTION", "FACE_SUSPECTED", "NAME"]
    );

    for without in [r#""externalRef":null"#, r#""externalRef":"""#] {
        let body = body.replace(r#""externalRef":"e-1""#, without);
        assert_eq!(identity("idenfy", &body).unwrap().subject(), Some("c-1"));
    }
    let neither = r#"{"scanRef":"s-1","status":{"overall":"ACTIVE"}}"#;
    assert_eq!(identity("idenfy", neither).unwrap().subject(), None);
    // Fields that do not decide, of another type.
    let odd = r#"{"final":true,"scanRef":"s-1","clientId":4711,"finishTime":1795000000.0,"clientIp":7,
        "data":{"docNumber":4711,"ageEstimate":7},"AML":"none","fileUrls":7,"platform":[],
        "status":{"overall":"APPROVED","autoFace":7,"fraudTags":"x"}}"#;
    let odd = identity("idenfy", odd).unwrap();
    assert_eq!(odd.outcome(), Outcome::Approved);
    assert_eq!((odd.subject(), odd.session()), (Some("4711"), Some("s-1")));
    assert_eq!(odd.occurred_at(), Some(at(1_795_000_000)));
    for body in [
        r#"{"final":"true","scanRef":"s-1","status":{"overall":"APPROVED"}}"#,
        r#"{"final":true,"scanRef":7,"status":{"overall":"APPROVED"}}"#,
        r#"{"final":true,"scanRef":"s-1","status":{"overall":7}}"#,
        r#"{"final":true,"scanRef":"s-1","status":{"overall":"APPROVED"},"clientIp":7,"clientIp":7}"#,
    ] {
        assert!(event("idenfy", body).parse::<Identity>().is_err(), "{body}");
    }
}

#[test]
fn authento() {
    let body = |event: &str, basic: &str| {
        format!(
            r#"{{"event":"{event}","userId":"u-1","userIdentifier":"c-7","type":"INDIVIDUAL","status":{{"basic":"{basic}"}}}}"#
        )
    };
    let mut cells = Vec::new();
    for event in [
        "PERMISSION_GRANTED",
        "PERMISSION_UPDATED",
        "INIT",
        "PENDING",
        "REVIEWED",
        "INFO_UPDATED",
        "RESET",
        "infoUpdated",
        "reset",
    ] {
        for (basic, outcome, is_final) in [
            ("VERIFIED", Outcome::Approved, true),
            ("REJECTED", Outcome::Rejected, true),
            ("PROCESSING", Outcome::Pending, false),
            ("INFO_REQUIRED", Outcome::Pending, false),
            ("UNVERIFIED", Outcome::InProgress, false),
            ("verified", Outcome::Approved, true),
            ("SOMETHING_NEW", Outcome::Other, false),
        ] {
            cells.push((body(event, basic), outcome, is_final));
        }
    }
    for basic in ["VERIFIED", "REJECTED", "PROCESSING", "UNVERIFIED"] {
        cells.push((body("ON_HOLD", basic), Outcome::Review, false));
    }
    for held in ["on_hold", "onHold"] {
        cells.push((body(held, "VERIFIED"), Outcome::Review, false));
    }
    // It may be a hold, or about a wallet.
    for unknown in ["SOMETHING_NEW", "On-Hold", ""] {
        cells.push((body(unknown, "VERIFIED"), Outcome::Other, false));
    }
    outcomes("authento", &cells);
}

#[test]
fn authento_names_subject_session_and_proof_of_address() {
    let body = r#"{"event":"REVIEWED","userId":"u-1","userIdentifier":"c-7","status":{"basic":"VERIFIED","poa":"rejected"}}"#;
    let full = identity("authento", body).unwrap();
    assert_eq!((full.subject(), full.session()), (Some("c-7"), Some("u-1")));
    assert_eq!(full.reasons().collect::<Vec<_>>(), ["poa:REJECTED"]);
    let bare = r#"{"event":"REVIEWED","userId":"u-1","status":{"basic":"VERIFIED"}}"#;
    let bare = identity("authento", bare).unwrap();
    assert_eq!((bare.subject(), bare.reasons().count()), (None, 0));
    // Fields that do not decide, of another type.
    let odd = r#"{"event":"REVIEWED","userId":"u-1","userIdentifier":4711,"timeCreated":"1687938817.6",
        "status":{"basic":"VERIFIED","poa":7}}"#;
    let odd = identity("authento", odd).unwrap();
    assert_eq!(odd.outcome(), Outcome::Approved);
    assert_eq!((odd.subject(), odd.occurred_at()), (Some("4711"), None));
    let company = r#"{"event":"REVIEWED","userId":"u-1","type":7,"status":{"basic":"VERIFIED"}}"#;
    assert!(event("authento", company).parse::<Identity>().is_err());
}

#[test]
fn events_about_something_else_give_none() {
    for (name, body) in [
        ("voveid", r#"{"refId":"c","status":"CLEARED"}"#),
        ("voveid", r#"{"refId":"c","status":"NO_MATCH"}"#),
        (
            "voveid",
            r#"{"refId":"c","status":"COMPLETED","previousStatus":"IN_REVIEW"}"#,
        ),
        (
            "idenfy",
            r#"{"id":"a","scanRef":"s","clientId":"c","status":"Success","type":"ENROLLMENT","method":"FACE_MATCHING"}"#,
        ),
        (
            "idenfy",
            r#"{"scanRef":"s","status":"COMPLETED","outcome":"SUCCESS","occurredAt":"2026-01-01T00:00:00Z"}"#,
        ),
        (
            "idenfy",
            r#"{"id":"b","country":"LT","bank":"x","accounts":[],"riskLevel":"LOW"}"#,
        ),
        (
            "idenfy",
            r#"{"scanRef":"s","clientId":"c","expirationThreshold":"DOCUMENT_EXPIRED","documentExpiration":"2026-01-01"}"#,
        ),
        (
            "idenfy",
            r#"{"id":"c","companyName":"x","approvalStatus":"APPROVED","clientId":"c"}"#,
        ),
        (
            "authento",
            r#"{"event":"ADDRRESS_LINKED","userId":"u","status":{"basic":"VERIFIED"}}"#,
        ),
        (
            "authento",
            r#"{"event":"ADDRESS_UNLINKED","userId":"u","status":{"basic":"VERIFIED"}}"#,
        ),
        ("github", r#"{"status":"successful","refId":"c"}"#),
        ("github", "not even JSON"),
    ] {
        assert_eq!(identity(name, body), None, "{name}: {body}");
        let alone = event(name, body)
            .parse::<Identity>()
            .unwrap_err()
            .to_string();
        assert_eq!(
            alone,
            "the event is not about an identity; take Option<Identity> to accept every event",
            "{name}: {body}"
        );
    }
}

#[test]
fn a_body_that_cannot_be_read_is_an_error_and_not_none() {
    let zen = r#"{"zen":"Keep it logically awesome."}"#;
    for name in ["authenteq", "voveid", "idenfy", "authento"] {
        for body in ["{}", "not JSON", "", "[]", "null", r#""text""#, zen] {
            // Of iDenfy and VOVE ID nothing in the body says that it is one of theirs: it may be of
            // a kind that they add.
            if body == zen && ["voveid", "idenfy"].contains(&name) {
                assert_eq!(identity(name, body), None, "{name}");
                continue;
            }
            let read = event(name, body).parse::<Option<Identity>>();
            assert!(read.is_err(), "{name}: {body}");
        }
    }
}

#[test]
fn an_event_of_a_kind_that_is_not_known_gives_none_or_other() {
    // iDenfy says the kind in a header, which is not signed.
    for body in [
        r#"{"scanRef":"s","status":"DONE","clientId":"c"}"#,
        r#"{"id":"i","clientId":"c"}"#,
        r#"{"token":1}"#,
    ] {
        let request = Request::post("/").header("Idenfy-Event-Type", "SOMETHING_NEW");
        let event = signed("idenfy", request, body);
        let read = event.parse::<Option<Identity>>().unwrap();
        assert_eq!(read.payload(), &None, "{body}");
    }
    for body in [
        r#"{"type":"kyb.ubo.invited","data":{"status":"successful"}}"#,
        r#"{"refId":"c"}"#,
        r#"{"status":"NOT_STARTED","refId":"c"}"#,
    ] {
        assert_eq!(identity("voveid", body), None, "{body}");
    }
    // Authento's are all about a user.
    for body in [
        r#"{"event":"SOMETHING_NEW"}"#,
        r#"{"event":"SOMETHING_NEW","userId":"u-1"}"#,
        r#"{"event":"SOMETHING_NEW","userId":"u-1","status":"VERIFIED"}"#,
        r#"{"event":"SOMETHING_NEW","userId":"u-1","status":{"basic":["VERIFIED"]}}"#,
        r#"{"event":"SOMETHING_NEW","userId":{"id":"u-1"},"status":{"basic":"VERIFIED"},"timeCreated":"now"}"#,
        r#"{"event":"on-hold","userId":null,"status":{"poa":"VERIFIED"}}"#,
    ] {
        let identity = identity("authento", body).unwrap();
        let expected = Identity::new(Outcome::Other, false);
        assert_eq!(
            (identity.outcome(), identity.is_final()),
            (expected.outcome(), false),
            "{body}"
        );
        let session = body.contains(r#""userId":"u-1""#).then_some("u-1");
        assert_eq!(identity.session(), session, "{body}");
    }
    for body in [
        r#"{"event":"REVIEWED","userId":"u-1"}"#,
        r#"{"event":"reset","status":{"basic":"VERIFIED"}}"#,
        r#"{"event":"ADDRRESS_LINKED","userId":"u-1"}"#,
        r#"{"event":"SOMETHING_NEW","event":"REVIEWED","userId":"u-1"}"#,
        r#"{"event":"REVIEWED","event":"SOMETHING_NEW","userId":"u-1"}"#,
        r#"{"event":7,"userId":"u-1"}"#,
        r#"{"event":null}"#,
    ] {
        let read = event("authento", body).parse::<Option<Identity>>();
        assert!(read.is_err(), "{body}");
    }
}

#[test]
fn a_list_of_values_is_not_an_event() {
    for (name, body) in [
        ("voveid", r#"["successful","c",null,null,null]"#.to_owned()),
        (
            "authento",
            r#"["REVIEWED","u","c","INDIVIDUAL",["VERIFIED",null],1.0]"#.to_owned(),
        ),
        (
            "authento",
            r#"{"event":"REVIEWED","userId":"u","status":["VERIFIED",null]}"#.to_owned(),
        ),
        (
            "idenfy",
            r#"{"final":true,"scanRef":"s","status":["APPROVED"]}"#.to_owned(),
        ),
        ("authenteq", multipart(r#"["s","PASSED"]"#)),
        (
            "authenteq",
            multipart(r#"{"id":"s","documentData":["PP"]}"#),
        ),
    ] {
        assert!(
            event(name, &body).parse::<Option<Identity>>().is_err(),
            "{name}: {body}"
        );
    }
}

#[test]
fn an_empty_reference_is_none() {
    for (name, body) in [
        ("voveid", r#"{"status":"pending","refId":""}"#),
        (
            "idenfy",
            r#"{"scanRef":"","clientId":"","status":{"overall":"ACTIVE"}}"#,
        ),
    ] {
        let identity = identity(name, body).unwrap();
        assert_eq!(
            (identity.subject(), identity.session()),
            (None, None),
            "{name}"
        );
    }
}

#[test]
fn the_event_type_header_changes_nothing() {
    let body = r#"{"final":false,"status":{"overall":"APPROVED"},"scanRef":"s-1"}"#;
    let plain = identity("idenfy", body).unwrap();
    assert_eq!(plain.outcome(), Outcome::Pending);
    for header in [
        "IDENTIFICATION_MANUAL_FINISHED",
        "IDENTIFICATION_CANCELLED",
        "COMPANY_REVIEW",
        "AML_MONITORING",
        "anything",
        "",
    ] {
        let request = Request::post("/").header("Idenfy-Event-Type", header);
        let event = signed("idenfy", request, body);
        let labelled = event.parse::<Option<Identity>>().unwrap().into_payload();
        assert_eq!(labelled, Some(plain.clone()), "{header}");
    }
}
