//! Certificates that are fetched from the address that a request names.

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair,
    PKCS_ECDSA_P256_SHA256, date_time_ymd,
};
use tower_webhook::Provider;

use super::*;

const KEY: &str = include_str!("../../../src/crypto/vectors/keys/rsa2048.pem");
const OTHER_CERTIFICATE: &str = include_str!("../../vectors/certificates/other-rsa.pem");
const SNS: &str = "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-7.pem";
const PAYPAL: &str = "https://api.paypal.com/v1/notifications/certs/CERT-7";
const PAYPAL_NAME: &str = "messageverificationcerts.paypal.com";
const TOPIC: &str = "arn:aws:sns:eu-west-1:123456789012:orders";
const MISMATCH: Result<(), RejectionKind> = Err(RejectionKind::SignatureMismatch);
const UNTRUSTED: Result<(), RejectionKind> = Err(RejectionKind::UntrustedCertificate);
const FAILED: Result<(), RejectionKind> = Err(RejectionKind::KeySourceFailed);

/// The certificate of the key for a name, valid from and to these years, and its root.
fn certificate(name: &str, first: i32, last: i32) -> (String, String) {
    let made = |name: &str| {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.not_before = date_time_ymd(first, 1, 1);
        params.not_after = date_time_ymd(last, 1, 1);
        params
    };
    let mut root = made("Root");
    root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root_key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
    let root = CertifiedIssuer::self_signed(root, root_key).unwrap();
    let key = KeyPair::from_pem(KEY).unwrap();
    let leaf = made(name).signed_by(&key, &root).unwrap();
    (leaf.pem(), root.pem())
}

fn sns() -> Provider {
    let provider = providers::aws_sns().with_param("topic_arn", TOPIC);
    provider.accept_unsigned_body()
}

fn paypal(roots: &str) -> Provider {
    let provider = providers::paypal().with_param("webhook_id", "7");
    let provider = provider.with_param("roots", roots.to_owned());
    provider.accept_unsigned_body()
}

/// A request that the key signed, and that says that its certificate is at this address.
fn signed(provider: &Provider, address: &str) -> Request<Bytes> {
    let signer = Signer::new(provider.clone(), Secret::new(KEY).with_id(address)).unwrap();
    let signer = signer.with_time(at(NOW));
    signer.sign_body(Request::post("/hook"), "{}").unwrap()
}

fn request(provider: &Provider, address: &str) -> Request<Full<Bytes>> {
    signed(provider, address).map(Full::from)
}

fn hook(provider: &Provider, client: &Recorder) -> Hook {
    let keys = RemoteKeys::of(provider)
        .unwrap()
        .with_client(client.clone());
    Hook::of(Verifier::from_remote_keys(provider.clone(), keys).unwrap())
}

#[tokio::test]
async fn what_the_vendor_serves_decides() {
    let (right, root) = certificate(PAYPAL_NAME, 2023, 2029);
    let (other_name, its_root) = certificate("evil.example", 2023, 2029);
    let (expired, old_root) = certificate(PAYPAL_NAME, 2020, 2021);
    let none = Ok(None);
    let some = |pem: &str| Ok(Some(KeyDocument::new(pem.to_owned())));
    for (what, provider, address, reply, expected) in [
        ("sns", sns(), SNS, some(&right), Ok(())),
        (
            "sns, another key",
            sns(),
            SNS,
            some(OTHER_CERTIFICATE),
            MISMATCH,
        ),
        ("sns, none", sns(), SNS, none.clone(), MISMATCH),
        ("sns, no certificate", sns(), SNS, some("<html>"), FAILED),
        ("sns, a private key", sns(), SNS, some(KEY), FAILED),
        ("sns, away", sns(), SNS, Err("away".to_owned()), FAILED),
        ("paypal", paypal(&root), PAYPAL, some(&right), Ok(())),
        (
            "paypal, with its root",
            paypal(&root),
            PAYPAL,
            some(&format!("{right}{root}")),
            Ok(()),
        ),
        (
            "paypal, another root",
            paypal(&its_root),
            PAYPAL,
            some(&right),
            UNTRUSTED,
        ),
        (
            "paypal, another name",
            paypal(&its_root),
            PAYPAL,
            some(&other_name),
            UNTRUSTED,
        ),
        (
            "paypal, expired",
            paypal(&old_root),
            PAYPAL,
            some(&expired),
            UNTRUSTED,
        ),
        (
            "paypal, nobody's",
            paypal(&root),
            PAYPAL,
            some(OTHER_CERTIFICATE),
            MISMATCH,
        ),
        ("paypal, none", paypal(&root), PAYPAL, none, MISMATCH),
    ] {
        let client = Recorder::default();
        client.reply(reply);
        let hook = hook(&provider, &client);
        let verdict = hook.verdict(request(&provider, address)).await;
        assert_eq!(verdict, expected, "{what}");
        assert_eq!(client.urls(), [address], "{what}");
    }
}

#[tokio::test]
async fn nothing_is_fetched_that_the_vendor_does_not_serve() {
    let (right, root) = certificate(PAYPAL_NAME, 2023, 2029);
    let client = Recorder::serving(right);
    let sns = sns();
    let forged = |address: &str| {
        signed(&sns, SNS).map(|body| {
            let body = String::from_utf8(body.into()).unwrap();
            assert!(body.contains(SNS));
            Full::from(body.replace(SNS, address))
        })
    };
    let hook_of_sns = hook(&sns, &client);
    for address in [
        "https://evil.example/SimpleNotificationService-7.pem",
        "http://sns.eu-west-1.amazonaws.com/a.pem",
        "https://sns.s3-eu-west-1.amazonaws.com/a.pem",
        "https://sns.eu-west-1.amazonaws.com.evil.example/a.pem",
        "https://sns.eu-west-1.amazonaws.com:8443/a.pem",
        "https://sns.eu-west-1.amazonaws.com/../a.pem",
        "https://sns.eu-west-1.amazonaws.com@evil.example/a.pem",
    ] {
        assert_eq!(
            hook_of_sns.verdict(forged(address)).await,
            UNTRUSTED,
            "{address}"
        );
    }
    // What is cheaper comes first.
    let other_topic = sns
        .clone()
        .with_param("topic_arn", "arn:aws:sns:eu-west-1:1:other");
    let verdict = hook(&other_topic, &client)
        .verdict(request(&sns, SNS))
        .await;
    assert_eq!(verdict, Err(RejectionKind::UnexpectedClaim));
    let paypal = paypal(&root);
    let mut stranger = request(&paypal, PAYPAL);
    let address = "https://api.paypal.com.evil.example/v1/notifications/certs/CERT-7";
    let headers = stranger.headers_mut();
    headers.insert("paypal-cert-url", address.parse().unwrap());
    assert_eq!(hook(&paypal, &client).verdict(stranger).await, UNTRUSTED);
    assert!(client.urls().is_empty(), "{:?}", client.urls());
}

#[tokio::test]
async fn a_new_certificate_is_fetched_when_a_request_names_it() {
    const NEXT: &str = "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-8.pem";
    let client = Recorder::serving(certificate("sns.amazonaws.com", 2023, 2029).0);
    let sns = sns();
    let hook = hook(&sns, &client);
    for address in [SNS, SNS, NEXT, SNS, NEXT] {
        assert_eq!(hook.verdict(request(&sns, address)).await, Ok(()));
    }
    assert_eq!(client.urls(), [SNS, NEXT]);
}
