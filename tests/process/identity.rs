//! `examples/identity` over HTTP: signed events of its vendors, and what it concludes from them.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::{SystemTime, UNIX_EPOCH},
};

use http::Request;
use serde_json::{Value, json};
use support::{cargo::example, program::Process, vector_file};
use tempfile::TempDir;
use tower_webhook::{Config, Secret, Signer, providers};

const VENDORS: &str = include_str!("../../examples/identity/vendors.toml");
const LISTENING: &str = "listening on http://";
/// What `vendors.toml` requires of Didit.
const WORKFLOW: &str = "ddddeeee-8888-4999-8aaa-bbbbccccdddd";

/// The running example, with a key of Plaid's whose private key is known.
struct Example {
    process: Process,
    address: String,
    config: Config,
    plaid: Secret,
    _directory: TempDir,
}

impl Example {
    fn start() -> Self {
        let plaid: Value = serde_json::from_slice(&vector_file("identities/plaid.json")).unwrap();
        let key = |index: usize| plaid["keys"][index].as_str().unwrap();
        let (before, rest) = VENDORS.split_once("public_key = ").unwrap();
        let (_, after) = rest.split_once('\n').unwrap();
        let file = format!("{before}public_key = {:?}\n{after}", key(1));
        let directory = TempDir::new().unwrap();
        let path = directory.path().join("vendors.toml");
        std::fs::write(&path, &file).unwrap();
        let mut command = example("identity");
        let process = Process::spawn(command.arg(&path).arg("127.0.0.1:0"));
        let listening = process.stderr.line(LISTENING).unwrap();
        Self {
            process,
            address: listening[LISTENING.len()..].to_owned(),
            config: Config::from_toml_str(&file).unwrap(),
            plaid: Secret::new(key(0).to_owned()),
            _directory: directory,
        }
    }

    /// Posts a body under the signature of another one, and returns the status.
    fn post_as(&self, vendor: &str, signed: &[u8], body: &[u8]) -> u16 {
        let signer = match vendor {
            "plaid" => Signer::new(providers::plaid(), self.plaid.clone()),
            _ => self.config.signer(vendor),
        };
        let request = Request::post(format!("/webhooks/{vendor}"));
        let request = signer.unwrap().sign(request, signed).unwrap();
        let mut head = format!("POST {} HTTP/1.1\r\nhost: x\r\n", request.uri());
        for (name, value) in request.headers() {
            head += &format!("{name}: {}\r\n", value.to_str().unwrap());
        }
        let length = body.len();
        head += &format!("connection: close\r\ncontent-length: {length}\r\n\r\n");
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.write_all(&[head.as_bytes(), body].concat()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer.split(' ').nth(1).unwrap().parse().unwrap()
    }
}

fn kyc(name: &str) -> Vec<u8> {
    vector_file(&format!("kyc/{name}.json"))
}

/// An event of Didit, whose signed time has to be that of the request.
fn didit(session: &str, status: &str, time: u64, more: &Value) -> Vec<u8> {
    let mut body = json!({"webhook_type": "status.updated", "session_id": session, "status": status,
        "timestamp": time, "workflow_id": WORKFLOW, "environment": "live", "vendor_data": "customer-7"});
    let fields = body.as_object_mut().unwrap();
    fields.extend(more.as_object().unwrap().clone());
    body.to_string().into()
}

fn onfido(resource: &Value) -> Vec<u8> {
    let object = json!({"id": "c-1", "status": "complete"});
    json!({"payload": {"resource_type": "check", "action": "check.completed", "object": object,
        "resource": resource}})
    .to_string()
    .into()
}

/// A vendor and a body, the status, and what the handler concludes.
type Step<'s> = ((&'s str, Vec<u8>), u16, &'s str);

#[test]
fn the_newest_decision_is_kept_and_what_is_unclear_is_asked() {
    // Building the example may take longer than a signed time is valid.
    let example = Example::start();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let now = now.as_secs();
    let of_didit =
        |session, status, time, more: Value| ("didit", didit(session, status, time, &more));
    let d1 = |status, time| of_didit("d-1", status, time, json!({}));
    let shufti = kyc("shuftipro/verification.accepted");
    let text = String::from_utf8(shufti.clone()).unwrap();
    let declined = text.replace("verification.accepted", "verification.declined");
    let shufti = |body: &[u8]| ("shufti-pro", body.to_vec());
    let accepted = shufti(text.as_bytes());
    let sumsub = |level, answer, second: u8| {
        let text = String::from_utf8(kyc("sumsub/reviewed.green")).unwrap();
        let mut body: Value = serde_json::from_str(&text).unwrap();
        body["applicantId"] = json!("a-1");
        body["levelName"] = json!(level);
        body["reviewResult"] = json!({"reviewAnswer": answer, "reviewRejectType": null});
        if answer == "RED" {
            body["reviewResult"]["reviewRejectType"] = json!("FINAL");
        }
        body["createdAtMs"] = json!(format!("2026-11-18 11:06:0{second}.481"));
        ("sumsub", body.to_string().into_bytes())
    };
    let voveid = |status: &str| {
        let body = json!({"status": status, "refId": "customer-9"});
        ("voveid", body.to_string().into_bytes())
    };
    let idenfy = |is_final: bool, overall: &str| {
        let body = json!({"final": is_final, "scanRef": "s-2", "status": {"overall": overall},
            "finishTime": 1_795_000_000});
        ("idenfy", body.to_string().into_bytes())
    };
    let of_nobody = |name: &str, status: &str| {
        let body = json!({"type": name, "form_id": "58bed87600dd994400000000000000000abc",
            "status": status, "verification_status": status, "verified": true});
        body.to_string().into_bytes()
    };
    let steps: Vec<Step<'_>> = vec![
        // The order of two decisions is that of their times, and not that of their arrival.
        (d1("In Progress", now - 9), 200, "didit d-1: in_progress"),
        (
            d1("Approved", now - 5),
            200,
            "didit d-1: onboard customer-7",
        ),
        (d1("Declined", now - 7), 200, ""),
        (d1("Approved", now - 5), 200, ""),
        // Two decisions of one time: the vendor has to say which one counts.
        (
            d1("Declined", now - 5),
            200,
            "didit d-1: unclear, so no approval until didit was asked",
        ),
        (d1("Declined", now), 200, "didit d-1: refuse customer-7"),
        (d1("Approved", now - 1), 200, ""),
        // A test, another level, a contradiction.
        (
            of_didit("d-2", "Approved", now, json!({"environment": "sandbox"})),
            200,
            "",
        ),
        (
            of_didit("d-3", "Approved", now, json!({"workflow_id": "phone-only"})),
            200,
            "didit d-3: pending",
        ),
        (
            of_didit(
                "d-4",
                "Approved",
                now,
                json!({"decision": {"session_id": "d-5"}}),
            ),
            200,
            "didit d-4: other",
        ),
        (
            of_didit("d-6", "Kyc Expired", now, json!({})),
            200,
            "didit d-6: expired, and no approval of customer-7",
        ),
        (
            of_didit("d-7", "Approved", now, json!({"session_kind": "business"})),
            200,
            "",
        ),
        // No times: another decision is asked about, the same one is ignored.
        (
            accepted.clone(),
            200,
            "shufti-pro kyc-customer-4711-2: onboard kyc-customer-4711-2",
        ),
        (accepted.clone(), 200, ""),
        (
            shufti(declined.as_bytes()),
            200,
            "shufti-pro kyc-customer-4711-2: unclear, so no approval until shufti-pro was asked",
        ),
        // Not overwritten either way.
        (
            accepted,
            200,
            "shufti-pro kyc-customer-4711-2: unclear, so no approval until shufti-pro was asked",
        ),
        // What the webhook does not say.
        (
            ("onfido", onfido(&Value::Null)),
            200,
            "onfido c-1: unclear, so no approval until onfido was asked",
        ),
        (
            ("onfido", onfido(&json!({"status": "approved"}))),
            200,
            "onfido c-1: unclear, so no approval until onfido was asked",
        ),
        (
            ("plaid", kyc("plaid/status_updated")),
            200,
            "plaid idv_SyntheticAttempt01: unclear, so no approval until plaid was asked",
        ),
        // A workflow of several levels, of which one is required.
        (sumsub("phone-only", "GREEN", 7), 200, "sumsub a-1: pending"),
        (
            sumsub("id-and-liveness", "GREEN", 5),
            200,
            "sumsub a-1: onboard customer-4711",
        ),
        (sumsub("phone-only", "RED", 9), 200, "sumsub a-1: rejected"),
        (sumsub("id-and-liveness", "RED", 4), 200, ""),
        (
            sumsub("id-and-liveness", "RED", 8),
            200,
            "sumsub a-1: refuse customer-4711",
        ),
        // Progress has no time, or that of the decision.
        (voveid("pending"), 200, "voveid customer-9: pending"),
        (
            voveid("successful"),
            200,
            "voveid customer-9: onboard customer-9",
        ),
        (voveid("successful"), 200, ""),
        (
            voveid("suspected"),
            200,
            "voveid customer-9: unclear, so no approval until voveid was asked",
        ),
        (idenfy(false, "REVIEWING"), 200, "idenfy s-2: pending"),
        (
            idenfy(true, "APPROVED"),
            200,
            "idenfy s-2: onboard the person of the session",
        ),
        // An approval of nobody.
        (
            ("kycaid", of_nobody("VERIFICATION_COMPLETED", "completed")),
            503,
            "kycaid: approved of nobody",
        ),
        (
            (
                "kycaid",
                of_nobody("VERIFICATION_STATUS_CHANGED", "pending"),
            ),
            200,
            "kycaid: pending of nobody",
        ),
        // The others.
        (
            ("sumsub", kyc("sumsub/reviewed.green")),
            200,
            "sumsub 66f0a1b2c3d4e5f601234567: onboard customer-4711",
        ),
        (("sumsub", kyc("sumsub/hostile.sandbox_green")), 200, ""),
        (
            ("stripe", kyc("stripe/identity.verified")),
            200,
            "stripe vs_1SyntheticIdentity0001: onboard customer-4711",
        ),
        (("stripe", kyc("stripe/hostile.test_mode")), 200, ""),
        (("stripe", kyc("stripe/hostile.not_identity")), 200, ""),
        (
            (
                "voveid",
                br#"{"status":"successful","refId":"customer-8"}"#.to_vec(),
            ),
            200,
            "voveid customer-8: onboard customer-8",
        ),
        (
            (
                "idenfy",
                br#"{"final":true,"scanRef":"s-1","status":{"overall":"DENIED"}}"#.to_vec(),
            ),
            200,
            "idenfy s-1: refuse the person of the session",
        ),
    ];
    let mut expected = Vec::new();
    for ((vendor, body), status, said) in steps {
        let shown = String::from_utf8_lossy(&body);
        assert_eq!(
            example.post_as(vendor, &body, &body),
            status,
            "{vendor}: {shown}"
        );
        // Nothing is concluded from an event that somebody has changed.
        let changed = [&*body, b" "].concat();
        assert_eq!(
            example.post_as(vendor, &body, &changed),
            401,
            "{vendor}: {shown}"
        );
        if !said.is_empty() {
            expected.push(said.to_owned());
        }
    }
    example.process.signal("KILL");
    let written = example.process.end().stderr;
    let mut lines: Vec<&str> = written.lines().collect();
    assert!(lines.remove(0).starts_with(LISTENING));
    assert_eq!(lines, expected);
}
