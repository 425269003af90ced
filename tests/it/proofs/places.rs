//! Signatures and timestamps that are not in a header, and names that are settings.

use bytes::Bytes;
use http::Request;
use support::{NOW, at};
use tower_webhook::{
    Identity, Outcome, Provider, RejectionKind, Scheme, Secret, Signer, VerifiedEvent, Verifier,
    scheme::{Algorithm, Coverage, Encoding, Locator, SignatureFormat, TimeUnit, Timestamp},
    verify::Head,
};

const SECRET: &str = "a-secret-of-some-length";

fn partial(signed: &'static str, signature: SignatureFormat) -> Scheme {
    Scheme::signed(Algorithm::HmacSha256, signed, signature).with_coverage(Coverage::Partial)
}

/// As Mailgun signs: everything is in the body.
fn mailgun() -> Provider {
    let signature = SignatureFormat::single(Locator::json("/signature/signature"), Encoding::Hex);
    let scheme = partial(
        "{json:/signature/timestamp}{json:/signature/token}",
        signature,
    )
    .with_timestamp(Timestamp::at(Locator::json("/signature/timestamp")));
    Provider::new("acme", scheme).accept_unsigned_body()
}

fn verify(provider: Provider, request: &Request<Bytes>) -> Result<VerifiedEvent, RejectionKind> {
    let verifier = Verifier::new(provider, Secret::new(SECRET)).unwrap();
    let (head, body) = request.clone().into_parts();
    let event = verifier.verify(&Head::from(&head), body, at(NOW));
    event.map_err(|rejection| rejection.kind())
}

fn sign(provider: Provider, time: u64, body: &'static str) -> Request<Bytes> {
    let signer = Signer::new(provider, Secret::new(SECRET)).unwrap();
    signer
        .with_time(at(time))
        .sign_body(Request::post("/?a=1"), body)
        .unwrap()
}

fn replaced(request: &Request<Bytes>, from: &str, to: &str) -> Request<Bytes> {
    let body = std::str::from_utf8(request.body()).unwrap();
    assert!(body.contains(from), "{body}");
    let body = body.replacen(from, to, 1);
    request.clone().map(|_| body.into())
}

#[test]
fn everything_may_be_in_a_json_body() {
    const BODY: &str = r#"{"event":{"name":"opened"},"signature":{"token":"abc"}}"#;
    let genuine = sign(mailgun(), NOW, BODY);
    let event = verify(mailgun(), &genuine).unwrap();
    assert_eq!(event.timestamp(), Some(at(NOW)));
    assert_eq!(event.coverage(), Coverage::Partial);
    assert_eq!(event.body(), genuine.body());

    use RejectionKind::{
        MalformedSignature, MalformedTimestamp, MissingField, SignatureMismatch, TimestampTooOld,
    };
    let time = format!("\"timestamp\":{NOW}");
    for (from, to, expected) in [
        // The rest is not signed.
        ("opened", "closed", None),
        ("abc", "abe", Some(SignatureMismatch)),
        (
            &*time,
            "\"timestamp\":\"1700000001\"",
            Some(SignatureMismatch),
        ),
        (&time, "\"timestamp\":\"1600000000\"", Some(TimestampTooOld)),
        (&time, "\"timestamp\":\"now\"", Some(MalformedTimestamp)),
        (&time, "\"timestamp\":null", Some(MissingField)),
        (
            &time,
            "\"timestamp\":\"1\",\"timestamp\":\"1700000000\"",
            Some(MissingField),
        ),
        (
            "\"signature\":\"",
            "\"signature\":\"zz",
            Some(MalformedSignature),
        ),
        ("\"signature\":\"", "\"sig\":\"", Some(MissingField)),
        (
            "\"signature\":\"",
            "\"signature\":\"00\",\"signature\":\"",
            Some(MissingField),
        ),
        (
            "{\"event\"",
            "{\"signature\":{},\"event\"",
            Some(MissingField),
        ),
    ] {
        let verdict = verify(mailgun(), &replaced(&genuine, from, to));
        assert_eq!(verdict.map(drop).err(), expected, "{from} {to}");
    }
    for body in ["", "[]", "no JSON"] {
        let verdict = verify(mailgun(), &genuine.clone().map(|_| body.into()));
        assert_eq!(verdict.map(drop).err(), Some(MissingField), "{body}");
    }
    let old = sign(mailgun(), NOW - 301, BODY);
    assert_eq!(
        verify(mailgun(), &old).map(drop).err(),
        Some(TimestampTooOld)
    );
}

#[test]
fn forms_and_queries_have_signatures_too() {
    let form = |locator| {
        let scheme = partial("{form:id}", SignatureFormat::single(locator, Encoding::Hex));
        Provider::new("acme", scheme).accept_unsigned_body()
    };
    let nested = {
        let place = Locator::form_json("json", "/event/hash");
        let scheme = partial(
            "{form:json#/event/time}{form:json#/event/type}",
            SignatureFormat::single(place, Encoding::Hex),
        );
        Provider::new("acme", scheme).accept_unsigned_body()
    };
    let query = {
        let signature = SignatureFormat::single(Locator::query("sig"), Encoding::Base64);
        Provider::new(
            "acme",
            Scheme::signed(Algorithm::HmacSha256, "{body}", signature),
        )
    };
    for (provider, body) in [
        (form(Locator::form("hash")), "id=7&a=%26"),
        (form(Locator::query("hash")), "id=7"),
        (
            nested,
            "json=%7B%22event%22%3A%7B%22time%22%3A%221%22%2C%22type%22%3A%22x%22%7D%7D",
        ),
        (query, "{\"id\":7}"),
    ] {
        let genuine = sign(provider.clone(), NOW, body);
        assert!(verify(provider.clone(), &genuine).is_ok(), "{genuine:?}");
        let other = replaced(&genuine, "7", "8");
        let other = if body.starts_with("json") {
            replaced(&genuine, "22x", "22y")
        } else {
            other
        };
        let verdict = verify(provider, &other).map(drop);
        assert_eq!(verdict, Err(RejectionKind::SignatureMismatch), "{body}");
    }
}

#[test]
fn a_time_in_a_signed_body_is_signed() {
    let signature = SignatureFormat::single("X-Acme", Encoding::Hex);
    let place = Locator::json("/webhookTimestamp");
    let scheme = Scheme::signed(Algorithm::HmacSha256, "{body}", signature)
        .with_timestamp(Timestamp::at(place).with_unit(TimeUnit::Milliseconds));
    let provider = Provider::new("acme", scheme);
    let genuine = sign(provider.clone(), NOW, r#"{"action":"create"}"#);
    assert_eq!(
        verify(provider.clone(), &genuine).unwrap().timestamp(),
        Some(at(NOW))
    );
    // What is a number stays one.
    let body = r#"{"webhookTimestamp":0}"#;
    let number = sign(provider.clone(), NOW, body);
    assert_eq!(number.body(), r#"{"webhookTimestamp":1700000000000}"#);
    assert!(verify(provider.clone(), &number).is_ok());
    let old = sign(provider.clone(), NOW - 301, "{}");
    assert_eq!(
        verify(provider, &old).map(drop),
        Err(RejectionKind::TimestampTooOld)
    );
}

#[test]
fn names_and_prefixes_may_be_settings() {
    let signature = SignatureFormat::single("Authorization", Encoding::Base64)
        .with_prefix("Application {param:key_id}:")
        .or_prefix("Service {param:key_id}:");
    let scheme = Scheme::signed(
        Algorithm::HmacSha256,
        "{method}\n{body|md5b64}\n{ts}",
        signature,
    )
    .with_timestamp(Timestamp::header("{param:clock}").with_unit(TimeUnit::Rfc3339));
    let bare = Provider::new("acme", scheme);
    let problem = Verifier::new(bare.clone(), Secret::new(SECRET))
        .unwrap_err()
        .to_string();
    // Everything that is missing, at once.
    for name in ["params.clock: ", "params.key_id: "] {
        assert!(problem.contains(name), "{problem}");
    }
    let provider = bare
        .with_param("key_id", "k1")
        .with_param("clock", "X-Time");
    let genuine = sign(provider.clone(), NOW, "{}");
    assert!(
        genuine.headers()["authorization"]
            .to_str()
            .unwrap()
            .starts_with("Application k1:")
    );
    assert!(genuine.headers().contains_key("x-time"));
    assert!(verify(provider.clone(), &genuine).is_ok());
    for (change, expected) in [
        ("Service k1:", None),
        ("Application k2:", Some(RejectionKind::MalformedSignature)),
        ("", Some(RejectionKind::MalformedSignature)),
    ] {
        let mut request = genuine.clone();
        let text = request.headers()["authorization"].to_str().unwrap();
        let text = text.replacen("Application k1:", change, 1);
        request
            .headers_mut()
            .insert("authorization", text.parse().unwrap());
        assert_eq!(
            verify(provider.clone(), &request).map(drop).err(),
            expected,
            "{change}"
        );
    }
}

#[test]
fn what_can_never_work_is_a_mistake() {
    let hex = |place: Locator| SignatureFormat::single(place, Encoding::Hex);
    let body = |signature| Scheme::signed(Algorithm::HmacSha256, "{body}", signature);
    let header = || body(hex("X-Acme".into()));
    for (scheme, part) in [
        (
            body(hex(Locator::json("/signature"))),
            "cannot contain its own signature",
        ),
        (
            body(hex(Locator::json("signature"))),
            "start it with a slash",
        ),
        (body(hex(Locator::field("v1"))), "not in a field of itself"),
        (
            body(hex(Locator::query("a")).or_header("X-B")),
            "is one value",
        ),
        (
            body(SignatureFormat::single("X-Acme", Encoding::Text)),
            "a signature has no text",
        ),
        (
            header().with_timestamp(Timestamp::at(Locator::json("time"))),
            "start it with a slash",
        ),
        (
            partial("{span:/a/b}", hex("X-Acme".into())),
            "a member of the top-level object",
        ),
        (
            Scheme::signed(Algorithm::Ed25519, "{secret}{body}", hex("X-Acme".into())),
            "has no secret that could be signed",
        ),
    ] {
        let provider = Provider::new("acme", scheme);
        let problem = Verifier::new(provider, Secret::new(SECRET))
            .unwrap_err()
            .to_string();
        assert!(problem.contains(part), "{problem}");
    }
    let everything = Provider::new("acme", header()).accept_unsigned_body();
    let problem = Verifier::new(everything, Secret::new(SECRET))
        .unwrap_err()
        .to_string();
    assert!(
        problem.contains("signs the whole body; remove it"),
        "{problem}"
    );
    let query = Provider::new("acme", header()).with_event_type(Locator::query("type"));
    let problem = Verifier::new(query, Secret::new(SECRET))
        .unwrap_err()
        .to_string();
    assert!(problem.contains("cannot describe an event"), "{problem}");
}

#[test]
fn a_signer_says_where_a_value_in_the_body_goes() {
    let signer = Signer::new(mailgun(), Secret::new(SECRET)).unwrap();
    let problem = signer
        .sign(Request::post("/"), "{}")
        .unwrap_err()
        .to_string();
    assert!(problem.contains("call sign_body"), "{problem}");
    let problem = signer
        .sign_body(Request::post("/"), "no JSON")
        .unwrap_err()
        .to_string();
    assert!(problem.contains("neither JSON nor a form"), "{problem}");
}

#[test]
fn no_identity_is_read_from_what_is_not_signed() {
    let identity = |_: &VerifiedEvent| Ok(Some(Identity::new(Outcome::Approved, true)));
    let read = |provider: Provider, request: &Request<Bytes>| {
        let event = verify(provider, request).unwrap();
        event.parse::<Option<Identity>>().unwrap().into_payload()
    };
    let body = r#"{"signature":{"token":"abc"}}"#;
    let provider = mailgun().with_identity(identity);
    assert_eq!(read(provider.clone(), &sign(provider, NOW, body)), None);
    let signature = SignatureFormat::single("X-Acme", Encoding::Hex);
    let scheme = Scheme::signed(Algorithm::HmacSha256, "{body}", signature);
    let provider = Provider::new("acme", scheme).with_identity(identity);
    assert!(read(provider.clone(), &sign(provider, NOW, body)).is_some());
}
