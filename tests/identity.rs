//! The one reading of identity for all providers: every cell of every table, and what gives none.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "tests"
)]

use std::time::SystemTime;

use http::Request;
use tower_webhook::{
    Identity, Outcome, Provider, Secret, Signer, VerifiedEvent, Verifier, providers, verify::Head,
};

const SVIX_SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
const TEXT_SECRET: &str = "a-secret-of-some-length";

fn provider(name: &str) -> Provider {
    let provider = providers::by_name(name).unwrap();
    match name {
        "authenteq" => provider.with_param("client_id", "client-7"),
        _ => provider,
    }
}

fn signed(name: &str, request: http::request::Builder, body: &str) -> VerifiedEvent {
    let secret = Secret::new(if name == "voveid" {
        SVIX_SECRET
    } else {
        TEXT_SECRET
    });
    let signer = Signer::new(provider(name), secret.clone()).unwrap();
    let (head, body) = signer.sign(request, body.to_owned()).unwrap().into_parts();
    let verifier = Verifier::new(provider(name), secret).unwrap();
    verifier
        .verify(&Head::of(&head), body, SystemTime::now())
        .unwrap()
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

#[test]
fn authenteq() {
    let result = |status: &str| {
        multipart(&format!(
            r#"{{"id":"s-1",{status}"documentData":{{"documentType":"PP","documentNumber":"1"}}}}"#
        ))
    };
    outcomes(
        "authenteq",
        &[
            (result(r#""status":"PASSED","#), Outcome::Approved, true),
            (result(""), Outcome::Approved, true),
            (result(r#""status":null,"#), Outcome::Approved, true),
            (result(r#""status":"FAILED","#), Outcome::Other, false),
            (result(r#""status":"passed","#), Outcome::Other, false),
            (result(r#""status":"","#), Outcome::Other, false),
        ],
    );
    let identity = identity("authenteq", &result("")).unwrap();
    assert_eq!(
        (identity.subject(), identity.session()),
        (None, Some("s-1"))
    );
    assert_eq!(identity.reasons().count(), 0);
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
    for name in ["authenteq", "voveid", "idenfy", "authento"] {
        for body in [
            "{}",
            "not JSON",
            "",
            r#"{"zen":"Keep it logically awesome."}"#,
        ] {
            let read = event(name, body).parse::<Option<Identity>>();
            assert!(read.is_err(), "{name}: {body}");
        }
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
