//! What signers make, and what is wrong with settings.

use http::Request;
use support::{NOW, at};
use tower_webhook::{
    Config, Provider, RejectionKind, Scheme, Secret, Signer, Verifier, providers,
    scheme::{Algorithm, Coverage, MessageSignatureFormat, Tolerance},
    verify::Head,
};

use super::{BODY, SECRET};

const ED25519: (&str, &str) = (
    include_str!("../../../../src/crypto/vectors/keys/ed25519.pem"),
    include_str!("../../../../src/crypto/vectors/keys/ed25519.pub.pem"),
);

#[test]
fn each_algorithm_signs_and_verifies() {
    let keys = |name: &str| {
        let read = |end: &str| {
            let path = format!(
                "{}/../src/crypto/vectors/keys/{name}{end}",
                env!("CARGO_MANIFEST_DIR")
            );
            std::fs::read_to_string(path).unwrap()
        };
        (read(".pem"), read(".pub.pem"))
    };
    for (algorithm, name, key) in [
        (Algorithm::Ed25519, "ed25519", "ed25519"),
        (Algorithm::EcdsaP256Sha256Fixed, "ecdsa-p256-sha256", "p256"),
        (Algorithm::EcdsaP384Sha384Fixed, "ecdsa-p384-sha384", "p384"),
        (Algorithm::RsaPssSha512, "rsa-pss-sha512", "rsa2048"),
        (Algorithm::RsaPkcs1Sha256, "rsa-v1_5-sha256", "rsa2048"),
    ] {
        let (private, public) = keys(key);
        let acme = || {
            Provider::new(
                "acme",
                Scheme::http_message_signature(algorithm, MessageSignatureFormat::new()),
            )
        };
        let signer = Signer::new(acme(), Secret::new(&*private))
            .unwrap()
            .with_time(at(NOW));
        let request = signer.sign(Request::post("/"), BODY).unwrap();
        let (head, body) = request.into_parts();
        assert!(
            head.headers["signature-input"]
                .to_str()
                .unwrap()
                .contains(name)
        );
        let public = tower_webhook::PublicKey::new(&*public);
        let verifier = Verifier::new(acme(), public.clone()).unwrap();
        let event = verifier.verify(&Head::from(&head), body, at(NOW)).unwrap();
        assert_eq!(event.coverage(), Coverage::Body);
        // By name, the key decides on the algorithm; the older padding of RSA is opted in to.
        let named = Verifier::new(providers::rfc9421(), public.clone()).unwrap();
        let verdict = named.verify(&Head::from(&head), body, at(NOW));
        match name {
            "rsa-v1_5-sha256" => {
                let kind = verdict.unwrap_err().kind();
                assert_eq!(kind, RejectionKind::MalformedSignature);
                let opted = providers::rfc9421().select_variant(name).unwrap();
                let opted = Verifier::new(opted, public).unwrap();
                assert!(opted.verify(&Head::from(&head), body, at(NOW)).is_ok());
            }
            name => assert_eq!(verdict.unwrap().variant(), name),
        }
    }
}

#[test]
fn mailchannels_signs_the_digest() {
    let signer = Signer::new(
        providers::mailchannels(),
        Secret::new(ED25519.0).with_id("mckey"),
    );
    let signer = signer.unwrap().with_time(at(NOW));
    let body = r#"[{"event":"delivered","email":"a@example.com"}]"#;
    let (head, _) = signer.sign(Request::post("/"), body).unwrap().into_parts();
    let key = tower_webhook::PublicKey::new(ED25519.1);
    for (id, expected) in [("mckey", true), ("other", false)] {
        let verifier = Verifier::new(providers::mailchannels(), key.clone().with_id(id)).unwrap();
        let event = verifier.verify(&Head::from(&head), body, at(NOW));
        assert_eq!(event.is_ok(), expected, "{id}");
        if let Ok(event) = event {
            assert_eq!(event.event_type(), Some("delivered"));
        }
    }
}

/// What a caller adds is signed.
#[test]
fn the_signer_adds_parameters() {
    let format = MessageSignatureFormat::new()
        .with_tag("acme")
        .with_label("mine");
    let acme = Provider::new(
        "acme",
        Scheme::http_message_signature(Algorithm::HmacSha256, format),
    );
    let signer = Signer::new(acme.clone(), Secret::new(SECRET))
        .unwrap()
        .with_time(at(NOW));
    let expires = (NOW + 60).to_string();
    let signer = signer
        .with_field("nonce", "n-1")
        .with_field("expires", expires);
    let (head, body) = signer.sign(Request::post("/"), BODY).unwrap().into_parts();
    let expected = format!(
        "mine=(\"content-digest\");created={NOW};alg=\"hmac-sha256\";tag=\"acme\";nonce=\"n-1\";expires={}",
        NOW + 60
    );
    assert_eq!(head.headers["signature-input"], &*expected);
    let verifier = Verifier::new(acme.clone(), Secret::new(SECRET)).unwrap();
    let verdict = |seconds| {
        let verdict = verifier.verify(&Head::from(&head), body, at(NOW + seconds));
        verdict.map(drop).map_err(|rejection| rejection.kind())
    };
    assert_eq!(verdict(60), Ok(()));
    assert_eq!(verdict(61), Err(RejectionKind::TimestampTooOld));
    for (name, value) in [
        ("Nonce", "n"),
        ("nonce", "\n"),
        ("expires", "soon"),
        ("nonce", "é"),
    ] {
        let signer = Signer::new(acme.clone(), Secret::new(SECRET)).unwrap();
        let signed = signer
            .with_field(name, value)
            .sign(Request::post("/"), BODY);
        assert!(signed.is_err(), "{name} {value}");
    }
}

#[test]
fn mistakes_are_named() {
    for (settings, lines, expected) in [
        ("components = []", "", "components: it is empty"),
        (
            "components = [\"@status\"]",
            "",
            "components: \"@status\" is malformed, or nothing that a request has",
        ),
        (
            "components = [\"Content-Digest\"]",
            "",
            "components: \"Content-Digest\" is malformed",
        ),
        (
            "components = [\"@method;req\"]",
            "",
            "components: \"@method;req\" is malformed",
        ),
        (
            "components = [\"@method\", \"@method\"]",
            "",
            "components: \"@method\" is there twice",
        ),
        (
            "components = ['content-digest;key=\"md5\"']",
            "",
            "is a digest that proves nothing",
        ),
        (
            "components = [\"@authority\", \"content-digest\"]",
            "",
            "url: the scheme signs the URL",
        ),
        (
            "components = [\"@method\"]",
            "",
            "accept_unsigned_body: provider acme (variant hmac-sha256) does not sign the body",
        ),
        (
            "",
            "accept_unsigned_body = true",
            "accept_unsigned_body: provider acme signs the whole body",
        ),
        ("", "url = \"/hooks\"", "url: it is no URL"),
        ("label = \"Sig\"", "", "label: \"Sig\" cannot be a label"),
        ("tolerance = \"soon\"", "", "message_signature: tolerance: "),
        (
            "signed = \"{body}\"",
            "",
            "message_signature: signed: unknown key",
        ),
        ("", "components = \"@method\"", "components: unknown key"),
    ] {
        let text = format!(
            "[providers.acme.message_signature]\nalgorithms = [\"hmac-sha256\"]\n{settings}\n\
             [endpoints.it]\nprovider = \"acme\"\nsecret = \"{SECRET}\"\n{lines}\n"
        );
        let error = Config::from_toml_str(&text).unwrap_err().to_string();
        assert!(error.contains(expected), "{settings} {lines}: {error}");
    }
    for (table, expected) in [
        (
            "algorithms = []",
            "message_signature: algorithms: it is empty",
        ),
        (
            "algorithms = [\"hs256\"]",
            "algorithms: \"hs256\" is not one of hmac-sha256, ed25519, ",
        ),
        (
            "algorithms = [\"ed25519\", \"ed25519\"]",
            "two variants that are tried together use ed25519",
        ),
    ] {
        let text = format!(
            "[providers.acme.message_signature]\n{table}\n[endpoints.it]\nprovider = \"acme\"\nsecret = \"{SECRET}\"\n"
        );
        let error = Config::from_toml_str(&text).unwrap_err().to_string();
        assert!(error.contains(expected), "{table}: {error}");
    }
    let stray = "[providers.acme]\nalgorithm = \"hmac-sha256\"\nmessage_signature = { algorithms = [\"ed25519\"] }\n\
                 [endpoints.it]\nprovider = \"acme\"\nsecret = \"a\"\n";
    let error = Config::from_toml_str(stray).unwrap_err().to_string();
    assert!(
        error.contains("algorithm: an HTTP message signature does not need it"),
        "{error}"
    );
    // In code.
    let sha1 = Scheme::http_message_signature(Algorithm::HmacSha1, MessageSignatureFormat::new());
    let error = Verifier::new(Provider::new("acme", sha1), Secret::new(SECRET)).unwrap_err();
    assert!(
        error.to_string().contains("do not have hmac-sha1"),
        "{error}"
    );
    let format = MessageSignatureFormat::new().with_tolerance(Tolerance::off());
    assert_ne!(format, MessageSignatureFormat::default());
}
