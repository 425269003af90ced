//! Public keys: each proves its own algorithm and version, and nothing else.

use bytes::Bytes;
use http::{HeaderValue, Request};
use support::{NOW, SVIX_SECRET, at};
use tower_webhook::{
    Config, NoteKind, Provider, PublicKey, RejectionKind, Scheme, Secret, Signer, Verifier,
    providers,
    scheme::{Algorithm, Encoding, SignatureFormat},
    verify::Head,
};

/// Key pairs that OpenSSL made, as PEM.
const ED25519: (&str, &str) = (
    include_str!("../../../src/crypto/vectors/keys/ed25519.pem"),
    include_str!("../../../src/crypto/vectors/keys/ed25519.pub.pem"),
);
const P256: (&str, &str) = (
    include_str!("../../../src/crypto/vectors/keys/p256.pem"),
    include_str!("../../../src/crypto/vectors/keys/p256.pub.pem"),
);
const RSA: (&str, &str) = (
    include_str!("../../../src/crypto/vectors/keys/rsa2048.pem"),
    include_str!("../../../src/crypto/vectors/keys/rsa2048.pub.pem"),
);
const SHORT_RSA: &str = include_str!("../../../src/crypto/vectors/keys/rsa1024.pub.pem");
const CERTIFICATE: &str = include_str!("../../../src/crypto/vectors/keys/expired.crt.pem");

const ALGORITHMS: [(Algorithm, (&str, &str)); 5] = [
    (Algorithm::Ed25519, ED25519),
    (Algorithm::EcdsaP256Sha256, P256),
    (Algorithm::EcdsaP256Sha256Fixed, P256),
    (Algorithm::RsaPkcs1Sha256, RSA),
    (Algorithm::RsaPkcs1Sha512, RSA),
];

fn acme(algorithm: Algorithm) -> Provider {
    let signature = SignatureFormat::list("X-Acme", ' ', Encoding::Base64);
    let scheme = Scheme::signed(algorithm, "v1:{header:X-Id}:{body}", signature);
    Provider::new("acme", scheme)
}

fn signed(provider: Provider, private: &str, body: &'static str) -> Request<Bytes> {
    let signer = Signer::new(provider, Secret::new(private)).unwrap();
    let request = Request::post("/")
        .header("x-id", "1")
        .header("webhook-id", "msg_1");
    let signed = signer.with_time(at(NOW)).sign(request, body).unwrap();
    signed.map(Bytes::from)
}

fn verdict(verifier: &Verifier, request: &Request<Bytes>) -> Result<String, RejectionKind> {
    let (head, body) = request.clone().into_parts();
    let event = verifier.verify(&Head::from(&head), body, at(NOW));
    event
        .map(|event| event.variant().to_owned())
        .map_err(|rejection| rejection.kind())
}

#[test]
fn what_a_private_key_signed_its_public_key_verifies() {
    for (algorithm, (private, public)) in ALGORITHMS {
        let verifier = Verifier::new(acme(algorithm), PublicKey::new(public)).unwrap();
        let genuine = signed(acme(algorithm), private, "{\"a\":1}");
        assert_eq!(verdict(&verifier, &genuine), Ok(algorithm.to_string()));
        let mismatch = Err(RejectionKind::SignatureMismatch);
        let changed = genuine.clone().map(|_| Bytes::from("{\"a\":2}"));
        assert_eq!(verdict(&verifier, &changed), mismatch, "{algorithm}");
        let mut other_id = genuine.clone();
        other_id
            .headers_mut()
            .insert("x-id", HeaderValue::from_static("2"));
        assert_eq!(verdict(&verifier, &other_id), mismatch, "{algorithm}");
    }
}

#[test]
fn a_body_in_several_frames_is_the_same_body() {
    for (algorithm, (private, public)) in ALGORITHMS {
        let verifier = Verifier::new(acme(algorithm), PublicKey::new(public)).unwrap();
        let (head, _) = signed(acme(algorithm), private, "frames").into_parts();
        let checked = verifier.check_head(&Head::from(&head), at(NOW)).unwrap();
        let mut request = checked.with_keys(verifier.keys()).unwrap();
        for frame in ["fra", "m", "es"] {
            request
                .update(Bytes::from_static(frame.as_bytes()))
                .unwrap();
        }
        assert!(request.verify().is_ok(), "{algorithm}");
    }
}

#[test]
fn a_key_proves_no_other_algorithm() {
    for (algorithm, (_, public)) in ALGORITHMS {
        let verifier = Verifier::new(acme(algorithm), PublicKey::new(public)).unwrap();
        for (other, (private, _)) in ALGORITHMS {
            if other != algorithm {
                let request = signed(acme(other), private, "{}");
                assert!(verdict(&verifier, &request).is_err(), "{algorithm} {other}");
            }
        }
    }
}

/// The attacker knows the public key in every spelling, and signs with it as if it were a secret.
#[test]
fn a_public_key_is_no_secret_in_any_spelling() {
    let raw = "vbIiOSEITRM0hQHr1AroFJlvzEJvas7Djelo4UsKa9E=";
    let der = "MCowBQYDK2VwAyEAvbIiOSEITRM0hQHr1AroFJlvzEJvas7Djelo4UsKa9E=";
    let hex = "bdb2223921084d13348501ebd40ae814996fcc426f6acec38de968e14b0a6bd1";
    let spellings = [
        ED25519.1.to_owned(),
        ED25519.1.trim_end().to_owned(),
        ED25519.1.replace('\n', "\\n"),
        ED25519.1.replace('\n', "\r\n"),
        der.to_owned(),
        raw.to_owned(),
        hex.to_owned(),
        format!("whpk_{raw}"),
    ];
    let provider = providers::standard_webhooks();
    for spelling in &spellings {
        let verifier = Verifier::new(provider.clone(), PublicKey::new(spelling)).unwrap();
        let genuine = signed(
            provider.clone().select_variant("ed25519").unwrap(),
            ED25519.0,
            "{}",
        );
        assert_eq!(
            verdict(&verifier, &genuine).as_deref(),
            Ok("ed25519"),
            "{spelling}"
        );
        for secret in &spellings {
            let forger = Scheme::signed(
                Algorithm::HmacSha256,
                "{header:webhook-id}.{ts}.{body}",
                SignatureFormat::list("webhook-signature", ' ', Encoding::Base64),
            )
            .with_timestamp(tower_webhook::scheme::Timestamp::header(
                "webhook-timestamp",
            ));
            for version in ["v1,", "v1a,"] {
                let scheme = forger.clone();
                let Ok(signer) = Signer::new(Provider::new("forger", scheme), Secret::new(secret))
                else {
                    continue;
                };
                let request = Request::post("/").header("webhook-id", "msg_1");
                let request = signer.with_time(at(NOW)).sign(request, "{}").unwrap();
                let mut request = request.map(Bytes::from);
                let text = request.headers()["webhook-signature"].to_str().unwrap();
                let text = HeaderValue::from_str(&format!("{version}{text}")).unwrap();
                request.headers_mut().insert("webhook-signature", text);
                assert!(verdict(&verifier, &request).is_err(), "{spelling} {secret}");
            }
        }
    }
}

#[test]
fn the_keys_decide_which_versions_count() {
    let provider = providers::standard_webhooks;
    let of = |name: &str| provider().select_variant(name).unwrap();
    let v1 = signed(of("hmac-sha256"), SVIX_SECRET, "{}");
    let v1a = signed(of("ed25519"), ED25519.0, "{}");
    let both = {
        let mut both = v1.clone();
        let text = |request: &Request<Bytes>| {
            request.headers()["webhook-signature"]
                .to_str()
                .unwrap()
                .to_owned()
        };
        let joined = format!("{} {}", text(&v1a), text(&v1));
        both.headers_mut()
            .insert("webhook-signature", joined.parse().unwrap());
        both
    };
    let secret = || Secret::new(SVIX_SECRET);
    let key = || Secret::from(PublicKey::new(ED25519.1));
    let malformed = Err(RejectionKind::MalformedSignature);
    let ok = |name: &str| Ok(name.to_owned());
    for (keys, expected) in [
        (
            vec![secret()],
            [ok("hmac-sha256"), malformed.clone(), ok("hmac-sha256")],
        ),
        (vec![key()], [malformed, ok("ed25519"), ok("ed25519")]),
        (
            vec![key(), secret()],
            [ok("hmac-sha256"), ok("ed25519"), ok("hmac-sha256")],
        ),
    ] {
        let verifier = Verifier::new(provider(), keys).unwrap();
        let verdicts = [&v1, &v1a, &both].map(|request| verdict(&verifier, request));
        assert_eq!(verdicts, expected);
    }
}

#[test]
fn more_signatures_than_four_are_too_many() {
    let verifier = Verifier::new(acme(Algorithm::Ed25519), PublicKey::new(ED25519.1)).unwrap();
    let genuine = signed(acme(Algorithm::Ed25519), ED25519.0, "{}");
    let text = genuine.headers()["x-acme"].to_str().unwrap().to_owned();
    let wrong = text.replace(|letter: char| letter.is_ascii_lowercase(), "A");
    for (others, expected) in [
        (3, Ok("ed25519".to_owned())),
        (4, Err(RejectionKind::TooManySignatures)),
    ] {
        let mut request = genuine.clone();
        let list = [vec![&*wrong; others], vec![&text]].concat().join(" ");
        request
            .headers_mut()
            .insert("x-acme", list.parse().unwrap());
        assert_eq!(verdict(&verifier, &request), expected);
    }
}

#[test]
fn mistakes_in_keys_are_named() {
    let of = |algorithm, keys: Vec<Secret>| {
        let built = Verifier::new(acme(algorithm), keys).map(drop);
        built.map_err(|error| error.to_string())
    };
    let key = |text: &str| vec![PublicKey::new(text).into()];
    let secret = |text: &str| vec![Secret::new(text)];
    use Algorithm::{Ed25519, HmacSha256, RsaPkcs1Sha256};
    let cut = ED25519.1.split_at(60).0;
    for (algorithm, keys, part) in [
        (Ed25519, key(ED25519.0), "private key"),
        (
            Ed25519,
            secret(ED25519.0),
            "it is a private key, which only the sender needs",
        ),
        (
            Ed25519,
            secret("a-secret-of-some-length"),
            "signs with a private key; set its public key",
        ),
        (Ed25519, secret(ED25519.1), "it is a public key"),
        (Ed25519, key(RSA.1), "RSA"),
        (Ed25519, key(cut), "public key: "),
        (Ed25519, key(""), "empty"),
        (Ed25519, key("${KEY}"), "public key: "),
        (Ed25519, key(SVIX_SECRET), "secret"),
        (RsaPkcs1Sha256, key(SHORT_RSA), "1024"),
        (
            HmacSha256,
            key(ED25519.1),
            "signs with a secret, not with a private key",
        ),
        (
            HmacSha256,
            secret(ED25519.1),
            "it is a public key, which everybody may know",
        ),
        (HmacSha256, secret(RSA.0), "it is a private key"),
    ] {
        let problem = of(algorithm, keys).unwrap_err();
        assert!(problem.contains(part), "{algorithm}: {problem}");
        for text in [ED25519.0, ED25519.1, RSA.0, RSA.1, SHORT_RSA] {
            for line in text
                .lines()
                .filter(|line| line.len() > 20 && !line.contains("-----"))
            {
                assert!(!problem.contains(line), "{problem}");
            }
        }
    }
    let five = (0..5).flat_map(|_| key(ED25519.1)).collect();
    let problem = of(Ed25519, five).unwrap_err();
    assert!(problem.contains("at most 4 are allowed"), "{problem}");
}

#[test]
fn short_rsa_keys_count_where_the_scheme_says_that_there_are_no_others() {
    let signature = SignatureFormat::single("X-Acme", Encoding::Base64);
    let scheme = Scheme::signed(Algorithm::RsaPkcs1Sha256, "{body}", signature);
    let provider = Provider::new("acme", scheme.with_min_rsa_bits(1024));
    assert!(Verifier::new(provider, PublicKey::new(SHORT_RSA)).is_ok());
}

#[test]
fn an_expired_certificate_is_noted() {
    let provider = acme(Algorithm::RsaPkcs1Sha256);
    let verifier = Verifier::new(provider.clone(), PublicKey::new(CERTIFICATE)).unwrap();
    let kinds: Vec<NoteKind> = verifier.notes().iter().map(|note| note.kind()).collect();
    assert_eq!(kinds, [NoteKind::ExpiredCertificate]);
    let verifier = Verifier::new(provider, PublicKey::new(RSA.1)).unwrap();
    assert!(verifier.notes().is_empty());
}

#[test]
fn a_public_key_that_is_set_as_a_secret_is_told_where_it_belongs() {
    let problem = |algorithm, secret: Secret| {
        let built = Verifier::new(acme(algorithm), secret);
        built.unwrap_err().to_string()
    };
    for (algorithm, (_, public)) in ALGORITHMS {
        // PEM has line breaks, which are suspicious in a secret.
        let found = problem(algorithm, Secret::new(public.trim()));
        assert!(found.contains("set it as a public key"), "{found}");
    }
    let found = problem(Algorithm::HmacSha256, Secret::new(ED25519.1.trim()));
    assert!(found.contains("or copy the secret"), "{found}");
}

#[test]
fn nothing_is_signed_with_a_public_key() {
    // The seed of a private key has the same look.
    const BARE: &str = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
    for algorithm in [Algorithm::Ed25519, Algorithm::HmacSha256] {
        let signer = Signer::new(acme(algorithm), PublicKey::new(BARE).into());
        let problem = signer.unwrap_err().to_string();
        assert!(problem.contains("cannot sign"), "{problem}");
    }
    let text = format!(
        r#"
        [endpoints.acme]
        provider = "acme"
        public_key = "{BARE}"

        [providers.acme]
        algorithm = "ed25519"
        signed = "{{body}}"
        signature = {{ header = "X-Acme", encoding = "hex" }}
    "#
    );
    let config = Config::from_toml_str(&text).unwrap();
    let problem = config.signer("acme").unwrap_err().to_string();
    assert!(problem.contains("Signer::new"), "{problem}");
}
