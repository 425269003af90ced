//! Chains of certificates, and the addresses at which they may be.

use http::Request;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, CustomExtension, DnType,
    ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, date_time_ymd,
};
use serde_json::{Value, json};
use support::{NOW, at, vector_path};
use tower_webhook::{
    Config, Provider, PublicKey, RejectionKind, Secret, Signer, Verifier, providers, verify::Head,
};

use super::{TOPIC, entry};
use crate::vectors::quoted;

type Verdict = Result<(), RejectionKind>;

const UNTRUSTED: Verdict = Err(RejectionKind::UntrustedCertificate);
/// The DER of `1.2.840.113635.100.6.11.1` and `1.2.840.113635.100.6.2.1`, as numbers.
const LEAF_MARK: &[u64] = &[1, 2, 840, 113_635, 100, 6, 11, 1];
const ISSUER_MARK: &[u64] = &[1, 2, 840, 113_635, 100, 6, 2, 1];

/// What a certificate is.
#[derive(Clone)]
struct Made {
    params: CertificateParams,
}

impl Made {
    /// Valid from 2023 to 2029, and `NOW` is in 2023.
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.not_before = date_time_ymd(2023, 1, 1);
        params.not_after = date_time_ymd(2029, 1, 1);
        Self { params }
    }

    fn leaf() -> Self {
        Self::new("Leaf").marked(LEAF_MARK)
    }

    fn authority(name: &str) -> Self {
        let mut made = Self::new(name);
        made.params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        made
    }

    fn intermediate() -> Self {
        Self::authority("Intermediate").marked(ISSUER_MARK)
    }

    fn marked(mut self, mark: &[u64]) -> Self {
        let null = vec![5, 0];
        let mark = CustomExtension::from_oid_content(mark, null);
        self.params.custom_extensions.push(mark);
        self
    }

    fn unmarked(mut self) -> Self {
        self.params.custom_extensions.clear();
        self
    }

    fn used_for(mut self, usages: &[KeyUsagePurpose]) -> Self {
        self.params.key_usages = usages.to_vec();
        self
    }

    fn valid(mut self, first: i32, last: i32) -> Self {
        self.params.not_before = date_time_ymd(first, 1, 1);
        self.params.not_after = date_time_ymd(last, 1, 1);
        self
    }
}

fn key() -> KeyPair {
    KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap()
}

/// A chain, from the leaf to the root, in PEM, and the key of the leaf.
struct Chain {
    certificates: Vec<String>,
    key: KeyPair,
}

impl Chain {
    fn new(leaf: &Made, intermediate: &Made, root: Made) -> Self {
        let root = CertifiedIssuer::self_signed(root.params, key()).unwrap();
        let intermediate =
            CertifiedIssuer::signed_by(intermediate.params.clone(), key(), &root).unwrap();
        let key = key();
        let leaf = leaf.params.signed_by(&key, &intermediate).unwrap();
        Self {
            certificates: vec![leaf.pem(), intermediate.pem(), root.pem()],
            key,
        }
    }

    fn right() -> Self {
        Self::new(
            &Made::leaf(),
            &Made::intermediate(),
            Made::authority("Root"),
        )
    }

    fn root(&self) -> &str {
        &self.certificates[2]
    }
}

fn apple(root: &str) -> Provider {
    providers::apple_assn()
        .with_param("bundle_id", "com.example.app")
        .with_param("environment", "Sandbox")
        .with_param("roots", root.to_owned())
}

fn notification() -> String {
    json!({
        "notificationType": "SUBSCRIBED",
        "notificationUUID": "002e14d5-51f5-4503-b5a8-c3a1af68eb20",
        "data": { "bundleId": "com.example.app", "environment": "Sandbox" },
    })
    .to_string()
}

/// A notification of Apple with these certificates, in PEM.
fn signed(chain: &Chain, certificates: &[String]) -> Request<bytes::Bytes> {
    let secret = Secret::new(chain.key.serialize_pem());
    let signer = Signer::new(apple(chain.root()), secret).unwrap();
    let signer = signer.with_certificates(&certificates.concat()).unwrap();
    signer
        .with_time(at(NOW))
        .sign_body(Request::post("/"), notification())
        .unwrap()
}

fn verify(verifier: &Verifier, request: &Request<bytes::Bytes>, seconds: u64) -> Verdict {
    let head = Head::new(request.headers());
    let verdict = verifier.verify(&head, request.body().clone(), at(seconds));
    verdict.map(drop).map_err(|rejection| rejection.kind())
}

#[test]
fn a_chain_of_another_kind_is_refused() {
    let (leaf, issuer) = (Made::leaf, Made::intermediate);
    let root = || Made::authority("Root");
    let cases = [
        ("right", leaf(), issuer(), root(), Ok(())),
        (
            "with key usages",
            leaf().used_for(&[KeyUsagePurpose::DigitalSignature]),
            issuer().used_for(&[KeyUsagePurpose::KeyCertSign]),
            root().used_for(&[KeyUsagePurpose::KeyCertSign]),
            Ok(()),
        ),
        (
            "expired leaf",
            leaf().valid(2020, 2021),
            issuer(),
            root(),
            UNTRUSTED,
        ),
        (
            "future leaf",
            leaf().valid(2027, 2028),
            issuer(),
            root(),
            UNTRUSTED,
        ),
        (
            "expired issuer",
            leaf(),
            issuer().valid(2020, 2021),
            root(),
            UNTRUSTED,
        ),
        (
            "expired root",
            leaf(),
            issuer(),
            root().valid(2020, 2021),
            UNTRUSTED,
        ),
        (
            "leaf without mark",
            leaf().unmarked(),
            issuer(),
            root(),
            UNTRUSTED,
        ),
        (
            "issuer without mark",
            leaf(),
            issuer().unmarked(),
            root(),
            UNTRUSTED,
        ),
        (
            "leaf with the mark of the issuer",
            leaf().unmarked().marked(ISSUER_MARK),
            issuer(),
            root(),
            UNTRUSTED,
        ),
        (
            "leaf for agreements",
            leaf().used_for(&[KeyUsagePurpose::KeyAgreement]),
            issuer(),
            root(),
            UNTRUSTED,
        ),
        (
            "issuer for signatures only",
            leaf(),
            issuer().used_for(&[KeyUsagePurpose::DigitalSignature]),
            root(),
            UNTRUSTED,
        ),
        (
            "leaf that is an authority",
            Made::authority("Leaf").marked(LEAF_MARK),
            issuer(),
            root(),
            UNTRUSTED,
        ),
        (
            "issuer that is none",
            leaf(),
            Made::new("I").marked(ISSUER_MARK),
            root(),
            UNTRUSTED,
        ),
    ];
    for (what, leaf, issuer, root, expected) in cases {
        let chain = Chain::new(&leaf, &issuer, root);
        let verifier = Verifier::new(apple(chain.root()), Vec::new()).unwrap();
        let request = signed(&chain, &chain.certificates);
        // Twice, since what was found in order is remembered.
        assert_eq!(verify(&verifier, &request, NOW), expected, "{what}");
        assert_eq!(verify(&verifier, &request, NOW), expected, "{what}");
    }
}

/// A chain that was in order is judged again at the time of each request.
#[test]
fn what_was_valid_is_refused_once_it_has_expired() {
    let chain = Chain::new(
        &Made::leaf().valid(2023, 2025),
        &Made::intermediate(),
        Made::authority("Root").valid(2023, 2026),
    );
    let verifier = Verifier::new(apple(chain.root()), Vec::new()).unwrap();
    let request = signed(&chain, &chain.certificates);
    let year = 365 * 24 * 60 * 60;
    assert_eq!(verify(&verifier, &request, NOW), Ok(()));
    assert_eq!(verify(&verifier, &request, NOW + 2 * year), UNTRUSTED);
    assert_eq!(verify(&verifier, &request, NOW - year), UNTRUSTED);
    assert_eq!(verify(&verifier, &request, NOW), Ok(()));
}

#[test]
fn a_chain_that_is_put_together_is_refused() {
    const MALFORMED: Verdict = Err(RejectionKind::MalformedSignature);
    let (chain, other) = (Chain::right(), Chain::right());
    let verifier = Verifier::new(apple(chain.root()), Vec::new()).unwrap();
    let pick = |places: &[(&Chain, usize)]| -> Vec<String> {
        let picked = places
            .iter()
            .map(|(chain, place)| chain.certificates[*place].clone());
        picked.collect()
    };
    let (a, b) = (&chain, &other);
    for (what, certificates, expected) in [
        ("right", pick(&[(a, 0), (a, 1), (a, 2)]), Ok(())),
        // Names are equal, and keys are not.
        ("foreign", pick(&[(b, 0), (b, 1), (b, 2)]), UNTRUSTED),
        (
            "foreign to our root",
            pick(&[(b, 0), (b, 1), (a, 2)]),
            UNTRUSTED,
        ),
        ("foreign leaf", pick(&[(b, 0), (a, 1), (a, 2)]), UNTRUSTED),
        ("reversed", pick(&[(a, 2), (a, 1), (a, 0)]), UNTRUSTED),
        ("leaf as issuer", pick(&[(a, 0), (a, 0), (a, 2)]), UNTRUSTED),
        ("root as issuer", pick(&[(a, 0), (a, 2), (a, 1)]), UNTRUSTED),
        ("too short", pick(&[(a, 0), (a, 1)]), MALFORMED),
        (
            "too long",
            pick(&[(a, 0), (a, 1), (a, 1), (a, 2)]),
            MALFORMED,
        ),
        // The signature is by the key of the leaf, and not by that of the first certificate.
        ("another key", pick(&[(a, 1), (a, 1), (a, 2)]), UNTRUSTED),
    ] {
        let request = signed(&chain, &certificates);
        assert_eq!(verify(&verifier, &request, NOW), expected, "{what}");
    }
    // A right chain says nothing of a signature by another key.
    let request = signed(&other, &chain.certificates);
    let mismatch = Err(RejectionKind::SignatureMismatch);
    assert_eq!(verify(&verifier, &request, NOW), mismatch);
}

/// A leaf that the root has signed itself, beside an issuer that has signed nothing.
#[test]
fn the_issuer_in_between_is_the_issuer() {
    let root = CertifiedIssuer::self_signed(Made::authority("Root").params, key()).unwrap();
    let issuer = CertifiedIssuer::signed_by(Made::intermediate().params, key(), &root).unwrap();
    let key = key();
    let leaf = Made::leaf().params.signed_by(&key, &root).unwrap();
    let chain = Chain {
        certificates: vec![leaf.pem(), issuer.pem(), root.pem()],
        key,
    };
    let verifier = Verifier::new(apple(chain.root()), Vec::new()).unwrap();
    let request = signed(&chain, &chain.certificates);
    assert_eq!(verify(&verifier, &request, NOW), UNTRUSTED);
}

/// A certificate that signed itself, whatever it says of itself.
#[test]
fn a_self_signed_certificate_vouches_for_nothing() {
    let chain = Chain::right();
    let verifier = Verifier::new(apple(chain.root()), Vec::new()).unwrap();
    for is_authority in [false, true] {
        let mut made = Made::leaf().marked(ISSUER_MARK);
        if is_authority {
            made.params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        }
        let key = key();
        let own = made.params.self_signed(&key).unwrap().pem();
        let forged = Chain {
            certificates: vec![own.clone(), own, chain.root().to_owned()],
            key,
        };
        let request = signed(&forged, &forged.certificates);
        assert_eq!(
            verify(&verifier, &request, NOW),
            UNTRUSTED,
            "{is_authority}"
        );
    }
}

/// Apple's own certificates, of its open test data, lead to the root that is built in.
#[test]
fn the_built_in_root_is_apples() {
    let path = vector_path("certificates/apple.pem");
    let pem = std::fs::read_to_string(path).unwrap();
    let chain = Chain::right();
    let signer = Signer::new(apple(chain.root()), Secret::new(chain.key.serialize_pem()));
    let signer = signer.unwrap().with_certificates(&pem).unwrap();
    let request = signer
        .sign_body(Request::post("/"), notification())
        .unwrap();
    let at_home = providers::apple_assn()
        .with_param("bundle_id", "com.example.app")
        .with_param("environment", "Sandbox");
    let verifier = Verifier::new(at_home, Vec::new()).unwrap();
    // The chain is in order, and Apple has not signed this.
    let in_2025 = 1_761_962_975;
    let mismatch = Err(RejectionKind::SignatureMismatch);
    assert_eq!(verify(&verifier, &request, in_2025), mismatch);
    assert_eq!(verify(&verifier, &request, NOW), UNTRUSTED);
    let verifier = Verifier::new(apple(chain.root()), Vec::new()).unwrap();
    assert_eq!(verify(&verifier, &request, in_2025), UNTRUSTED);
}

/// A notification that Apple made for the tests of its libraries.
#[test]
fn the_test_data_of_apple_are_accepted() {
    let read = |name: &str| std::fs::read_to_string(vector_path(name)).unwrap();
    let token = read("certificates/apple-notification.txt");
    let body = json!({ "signedPayload": token.trim() }).to_string();
    let verifier = |root: &str, bundle_id: &'static str| {
        let app = apple(root).with_param("bundle_id", bundle_id);
        Verifier::new(app, Vec::new()).unwrap()
    };
    let (root, other) = (
        read("certificates/apple-test-root.pem"),
        read("certificates/root.pem"),
    );
    let headers: [(&str, &str); 0] = [];
    let verify = |verifier: &Verifier, body: &str| {
        verifier.verify(&Head::new(&headers), body.to_owned(), at(1_681_314_324))
    };
    let kind = |verifier: &Verifier, body: &str| verify(verifier, body).unwrap_err().kind();
    let ours = verifier(&root, "com.example");
    let event = verify(&ours, &body).unwrap();
    assert_eq!(event.event_type(), Some("TEST"));
    assert_eq!(
        kind(&verifier(&other, "com.example"), &body),
        RejectionKind::UntrustedCertificate
    );
    assert_eq!(
        kind(&verifier(&root, "com.example.other"), &body),
        RejectionKind::UnexpectedClaim
    );
    let (begin, signature) = token.trim().rsplit_once('.').unwrap();
    let other = if signature.starts_with('A') { "B" } else { "A" };
    let token = format!("{begin}.{other}{}", &signature[1..]);
    let changed = json!({ "signedPayload": token }).to_string();
    assert_eq!(kind(&ours, &changed), RejectionKind::SignatureMismatch);
    // Nothing else is signed.
    let more = body.replacen('{', "{\"more\":1,", 1);
    assert_eq!(kind(&ours, &more), RejectionKind::MalformedBody);
}

/// Of the names, purposes and roots of PayPal's certificate.
#[test]
fn the_certificate_of_paypal_is_judged_where_roots_are_set() {
    const URL: &str = "https://api.paypal.com/v1/notifications/certs/CERT-1";
    let key_pem = include_str!("../../../src/crypto/vectors/keys/rsa2048.pem");
    let make = |name: &str, purposes: &[ExtendedKeyUsagePurpose], alternative: Option<&str>| {
        let root = CertifiedIssuer::self_signed(Made::authority("Root").params, key()).unwrap();
        let mut leaf = Made::new(name).params;
        leaf.extended_key_usages = purposes.to_vec();
        if let Some(name) = alternative {
            let name = rcgen::SanType::DnsName(name.try_into().unwrap());
            leaf.subject_alt_names.push(name);
        }
        let key = KeyPair::from_pem(key_pem).unwrap();
        let leaf = leaf.signed_by(&key, &root).unwrap();
        (leaf.pem(), root.pem())
    };
    let paypal = "messageverificationcerts.paypal.com";
    let sandbox = "messageverificationcerts.sandbox.paypal.com";
    let (server, code) = (
        ExtendedKeyUsagePurpose::ServerAuth,
        ExtendedKeyUsagePurpose::CodeSigning,
    );
    for (what, (leaf, root), expected) in [
        ("common name", make(paypal, &[], None), Ok(())),
        ("sandbox", make(sandbox, &[], None), Ok(())),
        (
            "alternative name",
            make("other", &[server], Some(paypal)),
            Ok(()),
        ),
        ("other name", make("api.paypal.com", &[], None), UNTRUSTED),
        (
            "longer name",
            make(&format!("{paypal}.evil.example"), &[], None),
            UNTRUSTED,
        ),
        // The common name counts only where there is no other.
        (
            "other alternative",
            make(paypal, &[], Some("evil.example")),
            UNTRUSTED,
        ),
        ("code signing", make(paypal, &[code], None), UNTRUSTED),
    ] {
        let config = |roots: &str| {
            let text = format!(
                "[endpoints.it]\nprovider = \"paypal\"\nwebhook_id = \"7\"\naccept_unsigned_body = true\n{roots}\
                 public_keys = [{{ id = \"{URL}\", value = {} }}]\n",
                quoted(&leaf)
            );
            Config::from_toml_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}"))
        };
        let provider = providers::paypal().with_param("webhook_id", "7");
        let signer = Signer::new(provider, Secret::new(key_pem).with_id(URL));
        let signer = signer.unwrap().with_time(at(NOW));
        let request = signer.sign_body(Request::post("/"), "{}").unwrap();
        let rooted = config(&format!("roots = {}\n", quoted(&root)));
        let rooted = rooted.endpoint("it").unwrap();
        assert_eq!(verify(&rooted, &request, NOW), expected, "{what}");
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), &root).unwrap();
        let path = quoted(file.path().to_str().unwrap());
        let from_file = config(&format!("roots = {{ file = {path} }}\n"));
        let from_file = from_file.endpoint("it").unwrap();
        assert_eq!(verify(&from_file, &request, NOW), expected, "{what}");
        // Without roots, the certificate is the key, which the operator has chosen.
        let pinned = config("").endpoint("it").unwrap();
        assert_eq!(verify(&pinned, &request, NOW), Ok(()), "{what}");
    }
}

/// No address but those of the vendors, in one spelling.
#[test]
fn certificates_are_at_the_vendors_addresses_only() {
    let right = "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-7.pem";
    let sns = [
        right,
        "https://sns.cn-north-1.amazonaws.com.cn/a.pem",
        "https://sns.us-gov-west-1.amazonaws.com/a_b-C.9.pem",
        "https://sns.eusc-de-east-1.amazonaws.eu/a.pem",
    ];
    let not_sns = [
        "",
        "http://sns.us-east-1.amazonaws.com/a.pem",
        "HTTPS://sns.us-east-1.amazonaws.com/a.pem",
        "https://sns.evil.com/a.pem",
        "https://sns.us-east-1.amazonaws.com.evil.com/a.pem",
        "https://sns.us-east-1.amazonaws.eu/a.pem",
        "https://sns.eusc-de-east-1.amazonaws.com/a.pem",
        "https://sns.us-east-1.amazonaws.com.cn.evil.com/a.pem",
        "https://sns.evil.com/.amazonaws.com/a.pem",
        "https://sns.evil.com#.amazonaws.com/a.pem",
        "https://sns.evil.com?.amazonaws.com/a.pem",
        "https://sns.evil.com\\.amazonaws.com/a.pem",
        "https://sns.a.b.amazonaws.com/a.pem",
        "https://sns..amazonaws.com/a.pem",
        "https://sns.us-east-1.amazonaws.org/a.pem",
        "https://snsx.us-east-1.amazonaws.com/a.pem",
        "https://us-east-1.amazonaws.com/a.pem",
        "https://s3.us-east-1.amazonaws.com/sns/a.pem",
        "https://sns.us-east-1.s3.amazonaws.com/a.pem",
        "https://user@sns.us-east-1.amazonaws.com/a.pem",
        "https://sns.us-east-1.amazonaws.com@evil.com/a.pem",
        "https://sns.us-east-1.amazonaws.com:443/a.pem",
        "https://sns.us-east-1.amazonaws.com:8443/a.pem",
        "https://sns.us-east-1.amazonaws.com./a.pem",
        "https://sns.us%2deast-1.amazonaws.com/a.pem",
        "https://sns.us-east-1.amazonaws.com%2eevil.com/a.pem",
        "https://sns.us-east-1.amazonaws.com/",
        "https://sns.us-east-1.amazonaws.com/.pem",
        "https://sns.us-east-1.amazonaws.com/a",
        "https://sns.us-east-1.amazonaws.com/a.pem?b",
        "https://sns.us-east-1.amazonaws.com/?a.pem",
        "https://sns.us-east-1.amazonaws.com/a.pem#b.pem",
        "https://sns.us-east-1.amazonaws.com//a.pem",
        "https://sns.us-east-1.amazonaws.com/../a.pem",
        "https://sns.us-east-1.amazonaws.com/%2e%2e/a.pem",
        "https://sns.us-east-1.amazonaws.com/a/b.pem",
        "https://sns.us-east-1.amazonaws.com/a\n.pem",
        "https://sns.us-east-1.amazonaws.com/é.pem",
        "https://sns.US-EAST-1.amazonaws.com/a.pem",
        "https://sns.xn--east-ehb.amazonaws.com.evil/a.pem",
    ];
    let public = include_str!("../../../src/crypto/vectors/keys/rsa2048.pub.pem");
    let private = include_str!("../../../src/crypto/vectors/keys/rsa2048.pem");
    let provider = providers::aws_sns()
        .with_param("topic_arn", TOPIC)
        .accept_unsigned_body();
    let signer = Signer::new(provider.clone(), Secret::new(private)).unwrap();
    let request = signer.sign_body(Request::post("/"), "hello").unwrap();
    let verifier = Verifier::new(provider, PublicKey::new(public)).unwrap();
    let at_address = |address: &str| {
        let mut envelope: Value = serde_json::from_slice(request.body()).unwrap();
        // The address is not signed.
        envelope["SigningCertURL"] = address.into();
        let body = envelope.to_string();
        let verdict = verifier.verify(&Head::new(request.headers()), body, at(NOW));
        verdict.map(drop).map_err(|rejection| rejection.kind())
    };
    for address in sns {
        assert_eq!(at_address(address), Ok(()), "{address}");
    }
    for address in not_sns {
        assert_eq!(at_address(address), UNTRUSTED, "{address}");
    }

    let paypal = [
        "https://api.paypal.com/v1/notifications/certs/CERT-360caa42-fca2a594-1d93a270",
        "https://api.sandbox.paypal.com/v1/notifications/certs/CERT-1",
    ];
    let not_paypal = [
        "http://api.paypal.com/v1/notifications/certs/CERT-1",
        "https://api.paypal.com.evil.example/v1/notifications/certs/CERT-1",
        "https://api.paypal.com@evil.example/v1/notifications/certs/CERT-1",
        "https://api.paypal.com:8443/v1/notifications/certs/CERT-1",
        "https://evil.example/https://api.paypal.com/v1/notifications/certs/CERT-1",
        "https://evil.paypal.com/v1/notifications/certs/CERT-1",
        "https://www.paypal.com/v1/notifications/certs/CERT-1",
        "https://paypal.com/v1/notifications/certs/CERT-1",
        "https://api.paypal.com/v1/notifications/certs/",
        "https://api.paypal.com/v1/notifications/certs/../../upload/CERT-1",
        "https://api.paypal.com/v1/notifications/certs/%2e%2e/CERT-1",
        "https://api.paypal.com/v1/notifications/certs/CERT-1?x",
        "https://api.paypal.com/v1/notifications/certs/CERT-1#x",
        "https://api.paypal.com/v1/notifications/certs/CERT-1/",
        "https://api.paypal.com/v1/notifications/CERT-1",
        "https://API.paypal.com/v1/notifications/certs/CERT-1",
    ];
    let provider = providers::paypal()
        .with_param("webhook_id", "7")
        .accept_unsigned_body();
    let signer = Signer::new(provider.clone(), Secret::new(private)).unwrap();
    let request = signer.sign_body(Request::post("/"), "{}").unwrap();
    let verifier = Verifier::new(provider, PublicKey::new(public)).unwrap();
    let at_address = |address: &str| {
        let mut headers = request.headers().clone();
        headers.insert("paypal-cert-url", address.parse().unwrap());
        let verdict = verifier.verify(&Head::new(&headers), "{}", at(NOW));
        verdict.map(drop).map_err(|rejection| rejection.kind())
    };
    for address in paypal {
        assert_eq!(at_address(address), Ok(()), "{address}");
    }
    for address in not_paypal {
        assert_eq!(at_address(address), UNTRUSTED, "{address}");
    }
}

/// A message that anybody may publish cannot look like other fields.
#[test]
fn the_fields_of_sns_have_one_reading() {
    let vector = entry("aws-sns").test_vectors.into_iter().nth(4).unwrap();
    let verifier = vector.verifier("aws-sns");
    assert!(vector.verify(&verifier).is_ok());
    let private = include_str!("../../../src/crypto/vectors/keys/rsa2048.pem");
    let public = include_str!("../../../src/crypto/vectors/keys/rsa2048.pub.pem");
    let provider = providers::aws_sns()
        .with_param("topic_arn", TOPIC)
        .accept_unsigned_body();
    let signer = Signer::new(provider.clone(), Secret::new(private)).unwrap();
    // Signed as a message of two lines, and shown as a message and an id of three.
    let message = "a\nMessageId\nforged";
    let request = signer.sign_body(Request::post("/"), message).unwrap();
    let verifier = Verifier::new(provider, PublicKey::new(public)).unwrap();
    let mut envelope: Value = serde_json::from_slice(request.body()).unwrap();
    let id = envelope["MessageId"].as_str().unwrap().to_owned();
    let verify = |envelope: &Value| {
        let head = Head::new(request.headers());
        let verdict = verifier.verify(&head, envelope.to_string(), at(NOW));
        verdict.map(drop).map_err(|rejection| rejection.kind())
    };
    assert_eq!(verify(&envelope), Ok(()));
    // Some print a notification without a subject so.
    envelope["Subject"] = Value::Null;
    assert_eq!(verify(&envelope), Ok(()));
    envelope["Subject"] = "".into();
    assert_eq!(verify(&envelope), Err(RejectionKind::SignatureMismatch));
    envelope.as_object_mut().unwrap().remove("Subject");
    envelope["Message"] = "a".into();
    envelope["MessageId"] = format!("forged\nMessageId\n{id}").into();
    assert_eq!(verify(&envelope), Err(RejectionKind::MalformedBody));
    // A name that occurs twice has two readings.
    let text = envelope.to_string().replacen('{', "{\"Message\":\"b\",", 1);
    let verdict = verifier.verify(&Head::new(request.headers()), text, at(NOW));
    assert_eq!(verdict.unwrap_err().kind(), RejectionKind::MalformedBody);
}

/// Every field of the app that a notification is about.
#[test]
fn a_notification_of_another_app_is_refused() {
    const UNEXPECTED: Verdict = Err(RejectionKind::UnexpectedClaim);
    let chain = Chain::right();
    let production = apple(chain.root())
        .with_param("environment", "Production")
        .with_param("app_apple_id", "1234");
    let secret = Secret::new(chain.key.serialize_pem());
    let signer = Signer::new(production.clone(), secret).unwrap();
    let signer = signer.with_certificates(&chain.certificates.concat());
    let signer = signer.unwrap().with_time(at(NOW));
    let verifier = Verifier::new(production, Vec::new()).unwrap();
    let right =
        json!({ "bundleId": "com.example.app", "environment": "Production", "appAppleId": 1234 });
    let but = |name: &str, value: Value| {
        let mut about = right.clone();
        about[name] = value;
        about
    };
    let purchase =
        json!({ "bundleId": "com.example.app", "appAppleId": 1234, "externalPurchaseId": "7" });
    let mut sandbox = purchase.clone();
    sandbox["externalPurchaseId"] = "SANDBOX_7".into();
    for (payload, expected) in [
        (json!({ "data": right }), Ok(())),
        (json!({ "summary": right }), Ok(())),
        (json!({ "appData": right }), Ok(())),
        (json!({ "data": null, "summary": right }), Ok(())),
        (
            json!({ "data": null, "summary": but("bundleId", "com.evil.app".into()) }),
            UNEXPECTED,
        ),
        (json!({ "data": null }), Err(RejectionKind::MissingField)),
        (json!({ "externalPurchaseToken": purchase }), Ok(())),
        (json!({ "externalPurchaseToken": sandbox }), UNEXPECTED),
        (
            json!({ "data": but("bundleId", "com.evil.app".into()) }),
            UNEXPECTED,
        ),
        (
            json!({ "data": but("environment", "Sandbox".into()) }),
            UNEXPECTED,
        ),
        (
            json!({ "data": but("environment", Value::Null) }),
            UNEXPECTED,
        ),
        (
            json!({ "data": but("appAppleId", 1235.into()) }),
            UNEXPECTED,
        ),
        (
            json!({ "data": but("appAppleId", "1234".into()) }),
            UNEXPECTED,
        ),
        // The first object counts, as in Apple's library.
        (
            json!({ "data": but("bundleId", "com.evil.app".into()), "summary": right }),
            UNEXPECTED,
        ),
        (json!({ "other": right }), Err(RejectionKind::MissingField)),
    ] {
        let request = signer.sign_body(Request::post("/"), payload.to_string());
        assert_eq!(
            verify(&verifier, &request.unwrap(), NOW),
            expected,
            "{payload}"
        );
    }
}

/// Attempts of Apple are signed anew, and are one delivery.
#[test]
fn an_event_of_apple_is_its_message_and_its_uuid() {
    let chain = Chain::right();
    let verifier = Verifier::new(apple(chain.root()), Vec::new()).unwrap();
    let secret = Secret::new(chain.key.serialize_pem());
    let signer = Signer::new(apple(chain.root()), secret).unwrap();
    let signer = signer
        .with_certificates(&chain.certificates.concat())
        .unwrap();
    let event = |seconds: u64, body: String| {
        let signer = signer.clone().with_time(at(seconds));
        let request = signer.sign_body(Request::post("/"), body).unwrap();
        let head = Head::new(request.headers());
        verifier
            .verify(&head, request.body().clone(), at(seconds))
            .unwrap()
    };
    let (first, second) = (
        event(NOW, notification()),
        event(NOW + 3600, notification()),
    );
    assert_eq!(first.event_type(), Some("SUBSCRIBED"));
    assert_eq!(
        first.delivery_id(),
        Some("002e14d5-51f5-4503-b5a8-c3a1af68eb20")
    );
    assert_eq!(first.timestamp(), Some(at(NOW)));
    let message: Value = serde_json::from_slice(&first.message().unwrap()).unwrap();
    assert_eq!(message["data"]["bundleId"], "com.example.app");
    assert_ne!(first.body(), second.body());
    assert_eq!(first.delivery_key(), second.delivery_key());
    let other = notification().replace("002e14d5", "002e14d6");
    assert_ne!(first.delivery_key(), event(NOW, other).delivery_key());
}

/// Mistakes in what an endpoint says of certificates.
#[test]
fn settings_of_certificates_are_checked_when_they_are_loaded() {
    let chain = Chain::right();
    let root = quoted(chain.root());
    let public = quoted(include_str!(
        "../../../src/crypto/vectors/keys/p256.pub.pem"
    ));
    let app = "bundle_id = \"a\"\nenvironment = \"Sandbox\"\n";
    let cases = [
        ("apple", format!("{app}roots = {root}"), None),
        ("apple", app.to_owned(), None),
        ("apple", format!("{app}roots = [{root}, {root}]"), None),
        (
            "apple",
            format!("{app}roots = {public}"),
            Some("roots: it is a public key"),
        ),
        (
            "apple",
            format!("{app}roots = \"\""),
            Some("roots: it is not PEM"),
        ),
        (
            "apple",
            format!("{app}roots = 7"),
            Some("roots: a secret is text"),
        ),
        (
            "apple",
            format!("{app}roots = {{ file = \"/no/such.pem\" }}"),
            Some("roots: secret: file /no/such.pem cannot be read"),
        ),
        (
            "apple",
            format!("{app}public_key = {public}"),
            Some("public_key: each request has its key"),
        ),
        (
            "apple",
            "environment = \"Sandbox\"".to_owned(),
            Some("params.bundle_id: the scheme needs it"),
        ),
        (
            "apple",
            "bundle_id = \"a\"\nenvironment = \"Xcode\"".to_owned(),
            Some("environment: expected \"Production\""),
        ),
        (
            "apple",
            "bundle_id = \"a\"\nenvironment = \"Production\"".to_owned(),
            Some("app_apple_id: notifications of the production"),
        ),
        (
            "apple",
            format!("{app}app_apple_id = \"x\""),
            Some("app_apple_id: expected the number"),
        ),
        (
            "sns",
            format!("accept_unsigned_body = true\npublic_key = {root}"),
            Some("params.topic_arn: the scheme needs it"),
        ),
        (
            "sns",
            format!("topic_arn = \"a\"\npublic_key = {root}"),
            Some("accept_unsigned_body"),
        ),
        (
            "paypal",
            "webhook_id = \"a\"\naccept_unsigned_body = true".to_owned(),
            Some("public_key: none is set"),
        ),
        (
            "paypal",
            format!("webhook_id = \"a|b\"\naccept_unsigned_body = true\npublic_key = {public}"),
            Some("webhook_id: an id of PayPal"),
        ),
        (
            "paypal",
            format!("webhook_id = \"a\"\npublic_key = {public}"),
            Some("accept_unsigned_body"),
        ),
        (
            "paypal",
            format!(
                "webhook_id = \"a\"\naccept_unsigned_body = true\nroots = {root}\npublic_key = {public}"
            ),
            Some("public key: it is a public key, and a certificate is needed"),
        ),
    ];
    for (provider, lines, expected) in cases {
        let text = format!("[endpoints.it]\nprovider = \"{provider}\"\n{lines}\n");
        let found = Config::from_toml_str(&text)
            .err()
            .map(|error| error.to_string());
        match (&found, expected) {
            (None, None) => {}
            (Some(found), Some(part)) => assert!(found.contains(part), "{found}\n{text}"),
            _ => panic!("{found:?}\n{text}"),
        }
    }
}
