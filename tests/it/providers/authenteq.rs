//! Authenteq: the published samples under each variant, the typed event, and multipart bodies made
//! to be misread.

use std::{
    collections::{BTreeMap, BTreeSet},
    convert::Infallible,
    fmt::Write as _,
    time::{Duration, UNIX_EPOCH},
};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use proptest::{collection::vec, prelude::*};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use support::{hex, vector_file};
use tower::{Layer, ServiceExt, service_fn};
use tower_webhook::{
    Provider, RejectionKind, Secret, Signer, VerifiedEvent, Verifier, WebhookVerifyLayer,
    multipart::Part,
    providers,
    providers::authenteq::{
        DocumentData, Event, LicenseClass, Platform, Sex, Status, VerificationResult,
    },
    verify::Head,
};

const CLIENT_ID: &str = "synthetic-client-id-0001";
const SECRET: &str = "synthetic-client-secret-0001";

const FIRST: &str = "sha256-body-secret";
const NAMED: &str = "length-extendable-sha256-secret-body";

const SAMPLES: [&str; 4] = [
    "passport",
    "driver_license",
    "national_id",
    "three_documents",
];

fn provider() -> Provider {
    providers::authenteq().with_param("client_id", CLIENT_ID)
}

/// The provider with one variant alone, or as it comes.
fn under(variant: Option<&str>) -> Provider {
    variant.map_or_else(provider, |name| provider().select_variant(name).unwrap())
}

fn verifier() -> Verifier {
    Verifier::new(provider(), Secret::new(SECRET)).unwrap()
}

/// The head of a request with this body, signed as Authenteq's page has it, without our own code.
fn headers(body: &[u8], content_type: Option<&str>) -> Vec<(&'static str, String)> {
    let digest = Sha256::new().chain_update(body).chain_update(SECRET);
    let mut headers = vec![
        ("x-client-id", CLIENT_ID.to_owned()),
        ("x-signature", hex(digest.finalize())),
    ];
    headers.extend(content_type.map(|text| ("content-type", text.to_owned())));
    headers
}

/// A verified event whose body comes in frames of this many bytes.
fn event_in_frames(body: &[u8], content_type: Option<&str>, frame: usize) -> VerifiedEvent {
    let headers = headers(body, content_type);
    let verifier = verifier();
    let checked = verifier
        .check_head(&Head::new(&headers), UNIX_EPOCH)
        .unwrap();
    let mut request = checked.with_keys(verifier.keys()).unwrap();
    for frame in body.chunks(frame) {
        request.update(Bytes::copy_from_slice(frame)).unwrap();
    }
    request.verify().unwrap()
}

fn event(body: impl AsRef<[u8]>) -> VerifiedEvent {
    event_in_frames(body.as_ref(), None, usize::MAX)
}

fn read_event(event: &VerifiedEvent) -> Result<Event, String> {
    let typed = event.parse().map_err(|error| error.to_string())?;
    Ok(typed.into_payload())
}

fn read(body: impl AsRef<[u8]>) -> Result<Event, String> {
    read_event(&event(body))
}

fn sample(name: &str) -> Vec<u8> {
    vector_file(&format!("seeds/authenteq/{name}.multipart"))
}

/// All that is read in a sample.
pub(super) fn reading(event: &VerifiedEvent) -> Value {
    let event = read_event(event).unwrap();
    let result = &event.result;
    let documents = result.documents().map(|document| {
        let classes = document.license_class_details.iter();
        let classes = classes.map(|(name, class)| (name, [&class.from, &class.to, &class.notes]));
        json!({
            "type": document.document_type.as_str(),
            "fields": set_fields(document),
            "classes": classes.collect::<BTreeMap<_, _>>(),
        })
    });
    let images = images(&event).into_iter();
    let images = images.filter_map(|(name, part)| {
        let part = part?;
        let body = part.body();
        let ends = [&body[..4], &body[body.len() - 2..]].map(hex);
        let image = json!([part.file_name(), part.content_type(), body.len(), ends]);
        Some((name, image))
    });
    json!({
        "id": result.id,
        "status": result.status.as_ref().map(Status::as_str),
        "platform": result.platform.as_ref().map(Platform::as_str),
        "times": [result.start_time, result.end_time],
        "nfc_verified": result.nfc_verified,
        "documents": documents.collect::<Vec<_>>(),
        "images": images.collect::<BTreeMap<_, _>>(),
        "other": event.other.len(),
    })
}

/// A body with these parts.
fn form<N: AsRef<str>, B: AsRef<[u8]>>(boundary: &str, parts: &[(N, B)]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, content) in parts {
        let name = name.as_ref();
        let head = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"{name}.jpg\"\r\n\r\n"
        );
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(content.as_ref());
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    body
}

const RESULT: &str = r#"{"id":"the-id","status":"PASSED","documentData":{"documentType":"PP"}}"#;

/// The typed reading of a body whose result says this.
fn read_result(result: &(impl ToString + ?Sized)) -> Result<VerificationResult, String> {
    read(form("b", &[("result", result.to_string())])).map(|event| event.result)
}

/// Every image of an event under its documented name.
fn images(event: &Event) -> [(&'static str, Option<&Part>); 11] {
    [
        ("croppedFrontImage", event.cropped_front_image.as_ref()),
        ("croppedBackImage", event.cropped_back_image.as_ref()),
        ("faceImage", event.face_image.as_ref()),
        ("livenessFaceImage", event.liveness_face_image.as_ref()),
        ("croppedFrontImage2", event.cropped_front_image2.as_ref()),
        ("croppedBackImage2", event.cropped_back_image2.as_ref()),
        ("faceImage2", event.face_image2.as_ref()),
        ("croppedFrontImage3", event.cropped_front_image3.as_ref()),
        ("croppedBackImage3", event.cropped_back_image3.as_ref()),
        ("faceImage3", event.face_image3.as_ref()),
        (
            "addressProofDocument",
            event.address_proof_document.as_ref(),
        ),
    ]
}

fn image_names(event: &Event) -> Vec<&'static str> {
    let there = images(event).into_iter().filter(|(_, part)| part.is_some());
    there.map(|(name, _)| name).collect()
}

#[test]
fn the_client_id_is_demanded_and_compared() {
    let error = Verifier::new(providers::authenteq(), Secret::new(SECRET)).unwrap_err();
    assert!(error.to_string().contains("client_id"), "{error}");

    let body = sample("passport");
    for (client_ids, kind) in [
        (vec![], RejectionKind::MissingHeader),
        (vec![CLIENT_ID, CLIENT_ID], RejectionKind::RepeatedHeader),
        (vec![""], RejectionKind::UnexpectedHeader),
        (
            vec!["synthetic-client-id-0002"],
            RejectionKind::UnexpectedHeader,
        ),
        (
            vec!["synthetic-client-id-00011"],
            RejectionKind::UnexpectedHeader,
        ),
        (
            vec!["Synthetic-Client-Id-0001"],
            RejectionKind::UnexpectedHeader,
        ),
    ] {
        let mut headers = headers(&body, None);
        headers.retain(|(name, _)| *name != "x-client-id");
        headers.extend(
            client_ids
                .iter()
                .map(|id| ("x-client-id", (*id).to_owned())),
        );
        // Known from the head alone.
        let refused = verifier().check_head(&Head::new(&headers), UNIX_EPOCH);
        assert_eq!(refused.unwrap_err().kind(), kind, "{client_ids:?}");
    }
}

#[test]
fn the_provider_expects_large_bodies_and_demands_200() {
    let provider = provider();
    assert_eq!(provider.max_body(), 32 << 20);
    assert_eq!(provider.read_timeout(), Duration::from_secs(60));
    assert_eq!(provider.success_status(), Some(StatusCode::OK));
    assert_eq!(providers::by_name("authenteq").unwrap().name(), "authenteq");
}

#[tokio::test]
async fn any_success_of_the_handler_becomes_200() {
    for (status, answer) in [
        (204, 200),
        (201, 200),
        (200, 200),
        (302, 302),
        (404, 404),
        (500, 500),
    ] {
        let handler = service_fn(move |request: Request<Full<Bytes>>| async move {
            assert!(request.extensions().get::<VerifiedEvent>().is_some());
            let answer = Response::builder().status(status);
            Ok::<_, Infallible>(answer.body(Full::<Bytes>::default()).unwrap())
        });
        let service = WebhookVerifyLayer::new(verifier()).layer(handler);
        let body = sample("passport");
        let mut request = Request::post("/");
        for (name, value) in headers(&body, None) {
            request = request.header(name, value);
        }
        let request = request.body(Full::from(body)).unwrap();
        let response = service.oneshot(request).await.unwrap();
        assert_eq!(response.status(), answer, "{status}");
    }
}
#[test]
fn variants_are_chosen_in_the_configuration() {
    let endpoint = |more: &str| {
        let text = format!(
            "[endpoints.kyc]\nprovider = \"authenteq\"\nsecret = {{ value = \"{SECRET}\" }}\n{more}"
        );
        tower_webhook::Config::from_toml_str(&text).and_then(|config| config.endpoint("kyc"))
    };
    let body = sample("passport");
    let headers = headers(&body, None);
    for (variant, expected) in [
        ("", Some(FIRST)),
        ("variant = \"sha256-body-secret\"", Some(FIRST)),
        ("variant = \"hmac-sha256\"", None),
        ("variant = \"length-extendable-sha256-secret-body\"", None),
    ] {
        let verifier = endpoint(&format!("client_id = \"{CLIENT_ID}\"\n{variant}")).unwrap();
        let verdict = verifier.verify(&Head::new(&headers), body.clone(), UNIX_EPOCH);
        let matched = verdict.as_ref().ok().map(VerifiedEvent::variant);
        assert_eq!(matched, expected, "{variant}");
    }
    for (wrong, named) in [
        ("", "client_id"),
        ("client_id = \"x\"\nvariant = \"sha256\"", NAMED),
    ] {
        let error = endpoint(wrong).map(drop).unwrap_err().to_string();
        assert!(error.contains("kyc") && error.contains(named), "{error}");
    }
}

#[test]
fn every_image_is_found_under_its_name_alone_and_with_all_others() {
    let names = images(&read(form("b", &[("result", RESULT)])).unwrap()).map(|(name, _)| name);
    for name in names {
        let event = read(form("b", &[("result", RESULT), (name, "image")])).unwrap();
        assert_eq!(image_names(&event), [name]);
        assert_eq!(event.other, []);
    }
    let mut parts: Vec<(&str, &str)> = names.iter().rev().map(|name| (*name, *name)).collect();
    parts.extend([
        ("result", RESULT),
        ("selfieVideo", "1"),
        ("FaceImage", "2"),
        ("selfieVideo", "3"),
    ]);
    let event = read(form("b", &parts)).unwrap();
    for (name, part) in images(&event) {
        assert_eq!(part.unwrap().body(), name);
    }
    let other: Vec<_> = event
        .other
        .iter()
        .map(|part| (part.name(), &part.body()[..]))
        .collect();
    assert_eq!(
        other,
        [
            ("selfieVideo", &b"1"[..]),
            ("FaceImage", b"2"),
            ("selfieVideo", b"3")
        ]
    );
}

/// A field of a document by its name in JSON.
type Field = (&'static str, fn(&DocumentData) -> Option<&str>);

const DOCUMENT_FIELDS: [Field; 15] = [
    ("documentNumber", |document| {
        document.document_number.as_deref()
    }),
    ("issuingCountry", |document| {
        document.issuing_country.as_deref()
    }),
    ("jurisdiction", |document| document.jurisdiction.as_deref()),
    ("nationality", |document| document.nationality.as_deref()),
    ("surnameAndGivenNames", |document| {
        document.surname_and_given_names.as_deref()
    }),
    ("surname", |document| document.surname.as_deref()),
    ("givenNames", |document| document.given_names.as_deref()),
    ("nameSuffixes", |document| document.name_suffixes.as_deref()),
    ("namePrefixes", |document| document.name_prefixes.as_deref()),
    ("sex", |document| document.sex.as_ref().map(Sex::as_str)),
    ("dateOfBirth", |document| document.date_of_birth.as_deref()),
    ("dateOfIssue", |document| document.date_of_issue.as_deref()),
    ("dateOfExpiry", |document| {
        document.date_of_expiry.as_deref()
    }),
    ("address", |document| document.address.as_deref()),
    ("licenseClass", |document| document.license_class.as_deref()),
];

fn set_fields(document: &DocumentData) -> BTreeMap<&'static str, &str> {
    let fields = DOCUMENT_FIELDS.iter();
    fields
        .filter_map(|(name, field)| Some((*name, field(document)?)))
        .collect()
}

#[test]
fn every_field_of_each_document_is_found_alone_null_and_with_all_others() {
    let all: Vec<_> = DOCUMENT_FIELDS.iter().map(|(name, _)| *name).collect();
    let mut cases: Vec<Vec<&str>> = all.iter().map(|name| vec![*name]).collect();
    cases.extend([all.clone(), Vec::new()]);
    for case in cases {
        let mut document = json!({"documentType": "PP", "unknown": {"field": []}});
        for name in &all {
            if case.contains(name) {
                document[*name] = json!(format!("the {name}"));
            } else if case.len() % 2 == 1 {
                document[*name] = Value::Null;
            }
        }
        let result = json!({
            "id": "x",
            "documentData": document,
            "documentData2": document,
            "documentData3": document,
        });
        let result = read_result(&result).unwrap();
        assert_eq!(result.documents().count(), 3);
        let expected: BTreeMap<_, _> = case
            .iter()
            .map(|name| (*name, format!("the {name}")))
            .collect();
        for document in result.documents() {
            let found = set_fields(document);
            assert!(
                found
                    .iter()
                    .map(|(name, text)| (*name, (*text).to_owned()))
                    .eq(expected.clone()),
                "{found:?}"
            );
        }
    }
}

#[test]
fn every_field_of_the_result_may_be_null_or_absent() {
    let document = json!({"documentType": "PP", "licenseClassDetails": null});
    let absent = read_result(&json!({"id": "x", "documentData": document})).unwrap();
    assert_eq!(
        (
            &absent.status,
            &absent.platform,
            &absent.start_time,
            &absent.end_time
        ),
        (&None, &None, &None, &None)
    );
    assert_eq!(
        (absent.nfc_verified, &absent.address_proof_document),
        (None, &None)
    );
    assert_eq!(absent.documents().count(), 1);
    let null = read_result(&json!({
        "id": "x", "status": null, "platform": null, "startTime": null, "endTime": null,
        "documentData": {"documentType": "PP"}, "documentData2": null, "documentData3": null,
        "nfcVerified": null, "addressProofDocument": null,
    }));
    // Null is not the same as nothing at all: who gets the older form has no field.
    let null = null.unwrap();
    assert!(absent.has_no_status() && !null.has_no_status());
    assert!(!absent.is_passed() && !null.is_passed());
    assert_eq!((&null.status, &null.platform), (&None, &None));
    assert_eq!((null.documents().count(), null.nfc_verified), (1, None));

    let full = read_result(&json!({
        "id": "x", "status": "HELD", "platform": "IOS", "nfcVerified": true,
        "documentData": {"documentType": "RP", "sex": "?", "licenseClassDetails": {
            "A": {}, "B": null, "C": {"from": null, "to": "2030-01-01", "more": 1},
        }},
        "addressProofDocument": {"contentType": "image/jpeg", "content": "AAAA"},
    }))
    .unwrap();
    assert_eq!(full.status, Some(Status::Other("HELD".to_owned())));
    assert_eq!(full.platform, Some(Platform::Other("IOS".to_owned())));
    assert_eq!(full.nfc_verified, Some(true));
    assert_eq!(full.address_proof_document.unwrap()["content"], "AAAA");
    let document = full.document_data;
    assert_eq!(document.document_type.as_str(), "RP");
    assert_eq!(document.sex, Some(Sex::Other("?".to_owned())));
    let classes = document.license_class_details;
    assert_eq!(classes.keys().collect::<Vec<_>>(), ["A", "C"]);
    assert_eq!(classes["A"], LicenseClass::default());
    assert_eq!(classes["C"].to.as_deref(), Some("2030-01-01"));
}

#[test]
fn what_is_not_a_result_is_not_taken_for_one() {
    for (result, problem) in [
        ("{}", "the field `id` is missing"),
        (r#"{"id":"x"}"#, "the field `documentData` is missing"),
        (
            r#"{"id":"x","documentData":{}}"#,
            "the field `documentType` is missing",
        ),
        (
            r#"{"documentData":{"documentType":"PP"}}"#,
            "the field `id` is missing",
        ),
        (
            r#"{"id":null,"documentData":{"documentType":"PP"}}"#,
            "wrong type",
        ),
        (r#"{"id":"x","documentData":null}"#, "wrong type"),
        (
            r#"{"id":"x","id":"y","documentData":{"documentType":"PP"}}"#,
            "wrong type",
        ),
        (
            r#"{"id":"x","documentData":{"documentType":"PP"}} {}"#,
            "not JSON",
        ),
        (
            r#"{"id":"x","documentData":{"documentType":"PP""#,
            "is truncated",
        ),
        ("[]", "line 1"),
        ("null", "wrong type"),
        ("", "is truncated"),
        // Bodies of the other providers.
        (
            r#"{"event":"REVIEWED","userId":"u","status":{"basic":"VERIFIED"},"timeCreated":1.5}"#,
            "wrong type",
        ),
        (
            r#"{"status":"successful","refId":"r"}"#,
            "the field `id` is missing",
        ),
        (
            r#"{"final":true,"scanRef":"s","status":{"overall":"APPROVED"},"data":{}}"#,
            "wrong type",
        ),
    ] {
        let error = read_result(result).unwrap_err();
        assert!(
            error.starts_with("in the part `result`: ") && error.contains(problem),
            "{result}: {error}"
        );
        // The same bytes without a multipart body around them.
        let error = read(result).unwrap_err();
        assert_eq!(
            error, "the body does not begin with a multipart boundary",
            "{result}"
        );
    }
}

#[test]
fn another_providers_event_is_never_one() {
    let body = sample("passport");
    for other in ["authento", "github", "voveid"] {
        let provider = providers::by_name(other).unwrap();
        let secret = Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let signer = Signer::new(provider.clone(), secret.clone()).unwrap();
        let request = signer
            .with_time(UNIX_EPOCH)
            .sign(Request::post("/"), body.clone());
        let (head, body) = request.unwrap().into_parts();
        let verifier = Verifier::new(provider, secret).unwrap();
        let event = verifier
            .verify(&Head::from(&head), body, UNIX_EPOCH)
            .unwrap();
        assert!(event.parts().is_ok(), "{other}");
        assert_eq!(
            read_event(&event),
            Err(format!(
                "it is an event of provider {other}, and the type is one of authenteq"
            ))
        );
    }
}

#[test]
fn there_is_exactly_one_result_and_one_part_of_each_documented_name() {
    let result = ("result", RESULT);
    let no_result = "the body has no part `result`";
    for parts in [
        &[("faceImage", "x")][..],
        &[("Result", RESULT)],
        &[("result2", RESULT)],
    ] {
        assert_eq!(read(form("b", parts)), Err(no_result.to_owned()));
    }
    let other = r#"{"id":"another","documentData":{"documentType":"PP"}}"#;
    for second in [RESULT, other, ""] {
        for parts in [[result, ("result", second)], [("result", second), result]] {
            let refused = Err("the body has two parts `result`".to_owned());
            assert_eq!(read(form("b", &parts)), refused);
        }
    }
    let names = images(&read(form("b", &[result])).unwrap()).map(|(name, _)| name);
    for name in names {
        let refused = Err(format!("the body has two parts `{name}`"));
        assert_eq!(
            read(form("b", &[(name, "1"), result, (name, "2")])),
            refused
        );
    }
}

#[test]
fn nothing_may_stand_before_or_after_the_parts() {
    let body = form("b", &[("result", RESULT)]);
    assert!(read(&body).is_ok());
    for before in [
        &b"preamble\r\n"[..],
        b"\r\n",
        b"\n",
        b" ",
        b"--x\r\n",
        b"\xef\xbb\xbf",
    ] {
        let attacked = [before, &body].concat();
        let error = read(attacked).unwrap_err();
        assert!(
            error == "the body does not begin with a multipart boundary"
                || error == "the body ends before its closing boundary",
            "{error}"
        );
    }
    let goes_on = "the body continues after its closing boundary";
    let second = form("b", &[("result", RESULT)]);
    for after in [&b"epilogue"[..], b"\r\n", b"\0", b" ", b"--", &second] {
        let attacked = [&body, after].concat();
        assert_eq!(
            read(attacked),
            Err(goes_on.to_owned()),
            "{}",
            after.escape_ascii()
        );
    }
}

/// Who has seen one delivery can append to it under the variant that is used only by name. The
/// appended bytes are no part of any event.
#[test]
fn what_a_length_extension_appends_is_not_read() {
    let body = form("b", &[("result", RESULT)]);
    // What SHA-256 itself puts behind the secret and the body, after which anything may follow.
    let signed = SECRET.len() + body.len();
    let mut padding = vec![0x80];
    padding.resize(padding.len() + (119 - signed % 64) % 64, 0);
    padding.extend_from_slice(&(u64::try_from(signed).unwrap() * 8).to_be_bytes());
    assert_eq!((signed + padding.len()) % 64, 0);
    let forged = [&body[..], &padding, &form("b", &[("result", RESULT)])].concat();

    let digest = Sha256::new().chain_update(SECRET).chain_update(&forged);
    let headers = [
        ("x-client-id", CLIENT_ID.to_owned()),
        ("x-signature", hex(digest.finalize())),
    ];
    let verifier = Verifier::new(under(Some(NAMED)), Secret::new(SECRET)).unwrap();
    let event = verifier
        .verify(&Head::new(&headers), forged, UNIX_EPOCH)
        .unwrap();
    assert_eq!(
        read_event(&event),
        Err("the body continues after its closing boundary".to_owned())
    );
}

#[test]
fn an_unfinished_body_is_not_read_wherever_it_stops() {
    let body = sample("passport");
    let whole = body.len();
    for end in 0..=whole {
        let read = read(&body[..end]);
        // The last line end may be missing.
        if end == whole || end == whole - 2 {
            assert!(read.is_ok(), "{end}");
        } else {
            assert!(read.is_err(), "{end}");
        }
    }
}

#[test]
fn a_changed_boundary_header_never_changes_what_is_read() {
    let hidden = r#"{"id":"forged","documentData":{"documentType":"PP"}}"#;
    // An image that is a multipart body of its own, with delimiters of another boundary.
    let image = [
        b"\xff\xd8\r\n".to_vec(),
        form("evil", &[("result", hidden)]),
    ]
    .concat();
    let body = form("b", &[("result", RESULT.as_bytes()), ("faceImage", &image)]);
    let as_it_came = event_in_frames(&body, Some("multipart/form-data; boundary=b"), usize::MAX);
    let event = read_event(&as_it_came).unwrap();
    assert_eq!(event.result.id, "the-id");
    assert_eq!(event.face_image.as_ref().unwrap().body(), &image);
    for same in [
        None,
        Some("multipart/form-data"),
        Some("text/plain"),
        Some(""),
    ] {
        let other = event_in_frames(&body, same, usize::MAX);
        assert_eq!(read_event(&other), Ok(event.clone()), "{same:?}");
    }
    for changed in [
        "evil",
        "B",
        "b--",
        "bb",
        "\"\"",
        "b\r\nx",
        "evil; boundary=b",
    ] {
        let header = format!("multipart/form-data; boundary={changed}");
        let other = event_in_frames(&body, Some(&header), usize::MAX);
        let error = read_event(&other).unwrap_err();
        assert!(error.contains("Content-Type header"), "{changed}: {error}");
        // The event itself stays what it is.
        assert_eq!(other.body(), &body);
    }
}

#[test]
fn what_looks_like_a_boundary_inside_an_image_stays_in_the_image() {
    for image in [
        "--boundary-1\r\n",
        "\r\n--boundary-",
        "\r\n--boundary-\r\n",
        "\n--boundary-1\n",
        "\r--boundary-1\r",
        "\r\n-boundary-1--\r\n",
        "\r\n --boundary-1--\r\n",
        "\r\n\r\n\r\n",
        "\r",
        "",
    ] {
        let image = format!("\u{0}{image}");
        let parts = [("result", RESULT), ("faceImage", &image), ("other", "x")];
        let event = read(form("boundary-1", &parts)).unwrap();
        let face = event.face_image.unwrap();
        assert_eq!(face.body(), image.as_bytes(), "{image:?}");
        assert_eq!(event.other[0].body(), "x");
    }
    // What a person uploads must not be able to begin a part of its own.
    for image in [
        "\r\n--boundary-1",
        "\r\n--boundary-1-",
        "\r\n--boundary-12",
        "\r\n--boundary-1 ",
    ] {
        let parts = [("result", RESULT), ("faceImage", image)];
        assert!(read(form("boundary-1", &parts)).is_err(), "{image:?}");
    }
    let hidden = "x\r\n--b\r\nContent-Disposition: form-data; name=\"result\"\r\n\r\n{}";
    let closing = "x\r\n--b--\r\n";
    for upload in [hidden, closing] {
        let parts = [("addressProofDocument", upload), ("result", RESULT)];
        assert!(read(form("b", &parts)).is_err(), "{upload:?}");
    }
}

#[test]
fn parts_and_headers_have_limits() {
    let many = |count: usize| {
        let mut parts = vec![("result", RESULT)];
        parts.resize(count, ("x", ""));
        read(form("b", &parts)).map(|event| event.other.len())
    };
    assert_eq!(many(64), Ok(63));
    let refused = Err("the body has more than 64 parts".to_owned());
    assert_eq!(many(65), refused);
    assert_eq!(many(5_000), refused);

    let with_headers = |headers: String| {
        let plain = String::from_utf8(form("b", &[("result", RESULT)])).unwrap();
        read(plain.replace("\r\n\r\n", &format!("{headers}\r\n\r\n"))).map(|event| event.result.id)
    };
    let read = Ok("the-id".to_owned());
    assert_eq!(with_headers("\r\nX-Y: z".repeat(15)), read);
    assert_eq!(
        with_headers(format!("\r\nX-Y: {}", "z".repeat(8_000))),
        read
    );
    let refused = |problem: &str| Err(format!("part 1 of the body: {problem}"));
    assert_eq!(
        with_headers("\r\nX-Y: z".repeat(16)),
        refused("it has more than 16 header lines")
    );
    for giant in [8_192, 4 << 20] {
        assert_eq!(
            with_headers(format!("\r\nX-Y: {}", "z".repeat(giant))),
            refused("its headers are longer than 8 KiB")
        );
    }
}

#[test]
fn a_name_that_is_not_utf_8_is_an_error_and_a_file_name_is_not() {
    let with = |disposition: &[u8]| {
        let result = form("b", &[("result", RESULT)]);
        let part = [
            b"--b\r\nContent-Disposition: form-data; ",
            disposition,
            b"\r\n\r\nx\r\n",
        ];
        read([&part.concat()[..], &result].concat())
    };
    for name in [&b"\xff"[..], b"face\xc3", b"\xed\xa0\x80"] {
        let disposition = [b"name=\"", name, b"\""].concat();
        let refused = Err("part 1 of the body: its name is not UTF-8".to_owned());
        assert_eq!(with(&disposition), refused, "{}", name.escape_ascii());
    }
    let event = with(b"name=faceImage; filename=\"me\xff.jpg\"").unwrap();
    assert_eq!(
        event.face_image.unwrap().file_name(),
        Some("me\u{fffd}.jpg")
    );
}

/// That `part` is memory of `whole`.
fn within(whole: &Bytes, part: &Bytes) -> bool {
    let range = whole.as_ptr_range();
    let part = part.as_ptr_range();
    range.start <= part.start && part.end <= range.end
}

fn image(length: usize, seed: u32) -> Vec<u8> {
    let next = |state: &u32| Some(state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223));
    let bytes = std::iter::successors(Some(seed), next).map(|state| state.to_be_bytes()[0]);
    bytes.take(length).collect()
}

#[test]
fn twelve_megabytes_with_three_documents_are_read_as_slices_under_the_default_limits() {
    let names = [
        "croppedFrontImage",
        "croppedBackImage",
        "faceImage",
        "livenessFaceImage",
        "croppedFrontImage2",
        "croppedBackImage2",
        "faceImage2",
        "croppedFrontImage3",
        "croppedBackImage3",
        "faceImage3",
    ];
    let document = json!({"documentType": "DL"});
    let result = json!({
        "id": "large", "documentData": document, "documentData2": document, "documentData3": document,
    });
    let mut parts = vec![("result", result.to_string().into_bytes())];
    for (name, seed) in names.iter().zip(0..) {
        parts.push((name, image((12 << 20) / 10 + 1, seed)));
    }
    let body = form("----NodeFormBoundary7MA4YWxkTrZu0gW", &parts);
    assert!(body.len() > 12 << 20, "{}", body.len());

    let content_type = "multipart/form-data; boundary=----NodeFormBoundary7MA4YWxkTrZu0gW";
    let event = event_in_frames(&body, Some(content_type), 16 << 10);
    assert_eq!(event.body(), &body);
    let typed = read_event(&event).unwrap();
    assert_eq!(typed.result.documents().count(), 3);
    let sent: BTreeMap<_, _> = parts.iter().map(|(name, body)| (*name, body)).collect();
    assert_eq!(
        image_names(&typed).into_iter().collect::<BTreeSet<_>>(),
        names.into()
    );
    for (name, part) in images(&typed) {
        if let Some(part) = part {
            assert_eq!(part.body(), sent[name], "{name}");
            assert!(within(event.body(), part.body()), "{name}");
        }
    }
    for part in event.parts().unwrap() {
        assert!(within(event.body(), part.body()), "{}", part.name());
    }
}

#[test]
fn frames_of_one_byte_are_read_as_the_whole_body() {
    for name in SAMPLES {
        let body = sample(name);
        let event = event_in_frames(&body, None, 1);
        assert_eq!(read_event(&event), read(&body), "{name}");
        assert!(read_event(&event).is_ok(), "{name}");
        for part in event.parts().unwrap() {
            assert!(within(event.body(), part.body()), "{name}");
        }
    }
}

/// What the fuzzer found worth keeping: a header up to the first zero byte, then a body.
#[test]
fn the_inputs_of_the_fuzzer_are_read_in_one_way_or_not_at_all() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../fuzz/corpus/multipart");
    let (mut readable, mut refused) = (0, 0);
    for file in std::fs::read_dir(folder).unwrap() {
        let input = std::fs::read(file.unwrap().path()).unwrap();
        let end = input.iter().position(|byte| *byte == 0);
        let (header, body) = end.map_or((None, &input[..]), |end| {
            let header = String::from_utf8_lossy(&input[..end]).into_owned();
            (Some(header), &input[end + 1..])
        });
        let alone = event(body).parts();
        let with_header = event_in_frames(body, header.as_deref(), 7).parts();
        if with_header.is_ok() {
            assert_eq!(with_header, alone);
        }
        *(if alone.is_ok() {
            &mut readable
        } else {
            &mut refused
        }) += 1;
    }
    assert!(readable > 5 && refused > 5, "{readable} {refused}");
}

/// Every text in a value.
fn texts<'v>(value: &'v Value, into: &mut Vec<&'v str>) {
    match value {
        Value::String(text) => into.push(text),
        Value::Array(items) => items.iter().for_each(|item| texts(item, into)),
        Value::Object(fields) => fields.values().for_each(|field| texts(field, into)),
        _ => {}
    }
}

/// The result of a sample as untyped JSON.
fn result_of(sample: &[u8]) -> Value {
    let parts = event(sample).parts().unwrap();
    let result = parts.iter().find(|part| part.name() == "result").unwrap();
    serde_json::from_slice(result.body()).unwrap()
}

/// The text of every `Debug` that an event gives out.
fn debugs(event: &VerifiedEvent) -> String {
    let typed = event.parse::<Event>().unwrap();
    let payload = typed.payload();
    let mut text = format!("{event:?} {typed:?} {payload:#?} {:?}", payload.result);
    for document in payload.result.documents() {
        write!(
            text,
            "{document:?} {:?}",
            document.license_class_details.values()
        )
        .unwrap();
    }
    write!(text, "{:?} {:?}", event.parts().unwrap(), images(payload)).unwrap();
    text
}

#[test]
fn debug_shows_id_status_and_type_and_nothing_personal() {
    let passport = event(sample("passport"));
    let payload = passport.parse::<Event>().unwrap().into_payload();
    assert_eq!(
        format!("{payload:?}"),
        "Event { result: VerificationResult { id: \"3d1f6a52-0000-4000-8000-0000000000a1\", \
         status: Some(Passed), .. }, .. }"
    );
    for name in SAMPLES {
        let body = sample(name);
        let mut result = result_of(&body);
        result["id"] = Value::Null;
        let mut personal = Vec::new();
        texts(&result, &mut personal);
        // Sex, class and the like are too short to look for.
        personal.retain(|text| text.len() > 3 && *text != "PASSED");
        assert!(personal.len() >= 8, "{name}");
        let parts = event(&body).parts().unwrap();
        let files = parts.iter().filter_map(|part| part.file_name());
        personal.extend(files.filter(|file| *file != "blob"));
        let debug = debugs(&event(&body));
        for text in personal {
            assert!(!debug.contains(text), "{name}: {text} in {debug}");
        }
    }
}

#[test]
fn no_error_quotes_the_body() {
    const MARKER: &str = "MARKER";
    /// Replaces each value, one after the other, and gives each result.
    fn spoiled(value: &Value, with: &Value) -> Vec<Value> {
        let Value::Object(fields) = value else {
            return vec![with.clone()];
        };
        let mut all = vec![with.clone()];
        for (name, field) in fields {
            for spoiled in spoiled(field, with) {
                let mut copy = value.clone();
                copy[name] = spoiled;
                all.push(copy);
            }
        }
        all
    }
    let result = result_of(&sample("three_documents"));
    let mut errors = 0;
    for with in [
        json!(MARKER),
        json!([MARKER]),
        json!({MARKER: MARKER}),
        json!(true),
        json!(7),
    ] {
        for result in spoiled(&result, &with) {
            if let Err(error) = read_result(&result.to_string().replace("SPECIMEN", MARKER)) {
                assert!(
                    !error.contains(MARKER) && !error.contains("2026"),
                    "{error}"
                );
                errors += 1;
            }
        }
    }
    assert!(errors > 200, "{errors}");
    // The field is named, as far as the name is the vendor's.
    let of_type = "a value has the wrong type";
    for (result, field) in [
        (
            json!({"id": "x", "documentData": {"documentType": "PP", "dateOfBirth": 7}}),
            "documentData.dateOfBirth",
        ),
        (
            json!({"id": "x", "documentData": {"documentType": "PP", "licenseClassDetails": {MARKER: MARKER}}}),
            "documentData.licenseClassDetails",
        ),
    ] {
        let error = read_result(&result).unwrap_err();
        let expected = format!("in the part `result`: {field}: {of_type}, at line 1 column ");
        assert!(error.starts_with(&expected), "{error}");
    }

    for body in [
        format!("{MARKER}\r\n"),
        format!("--{MARKER}\r\n"),
        format!("--b\r\n{MARKER}\r\n--b--"),
        format!("--b\r\n{MARKER}: x\r\n\r\n--b--"),
        format!("--b\r\nContent-Disposition: {MARKER}; name={MARKER}\r\n\r\n\r\n--b--"),
        format!("--b\r\nContent-Disposition: form-data; {MARKER}\r\n\r\n\r\n--b--"),
        format!("--b\r\nContent-Disposition: form-data; name={MARKER}\r\n\r\n\r\n--b--{MARKER}"),
        format!("--b\r\nContent-Disposition: form-data; name={MARKER}\r\n\r\n\r\n--b--"),
    ] {
        let error = read(&body).unwrap_err();
        assert!(!error.contains(MARKER), "{body:?}: {error}");
    }
    let body = form("b", &[("result", RESULT)]);
    let header = format!("multipart/form-data; boundary={MARKER}");
    let error = read_event(&event_in_frames(&body, Some(&header), usize::MAX)).unwrap_err();
    assert!(!error.contains(MARKER), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn parts_come_out_as_they_went_in(
        parts in vec(("[^\"\\\\%\\x00-\\x1f\\x7f]{0,20}", vec(any::<u8>(), 0..200)), 1..10),
        boundary in "[A-Za-z0-9'()+_,./:=? -]{0,30}[A-Za-z0-9'()+_,./:=?-]{10}",
    ) {
        let body = form(&boundary, &parts);
        let event = event(&body);
        let read = event.parts().unwrap();
        prop_assert_eq!(read.len(), parts.len());
        for (read, (name, content)) in read.iter().zip(&parts) {
            prop_assert_eq!(read.name(), name);
            prop_assert_eq!(&read.body()[..], &content[..]);
        }
    }

    #[test]
    fn no_signed_bytes_panic(
        noise in vec(prop_oneof![
            any::<u8>(),
            proptest::sample::select(&b"--b\r\n\";=: name"[..]),
        ], 0..300),
        at in any::<proptest::sample::Index>(),
    ) {
        let _ = read(&noise);
        let mut body = form("b", &[("result", RESULT), ("x", "y")]);
        let at = at.index(body.len());
        body.splice(at..at, noise);
        // Whatever was added, a reading has the one result.
        let event = event(&body);
        if read_event(&event).is_ok() {
            let parts = event.parts().unwrap();
            prop_assert_eq!(parts.iter().filter(|part| part.name() == "result").count(), 1);
        }
    }
}
