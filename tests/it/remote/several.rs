//! Requests that name several keys, none, or one that is of no use.

use tokio::time::advance;
use tower_webhook::{
    Hint, Provider, PublicKey, Scheme,
    scheme::{Algorithm, MessageSignatureFormat},
};

use super::*;

const MISMATCH: Verdict = Err(RejectionKind::SignatureMismatch);
const FAILED: Verdict = Err(RejectionKind::KeySourceFailed);
const MINUTE: Duration = Duration::from_secs(60);

type Verdict = Result<(), RejectionKind>;

/// Which of the pairs has signed, and the id that the signature names.
type Signature = (usize, &'static str);

fn acme() -> Provider {
    let format = MessageSignatureFormat::new().with_components(["@method"]);
    let scheme = Scheme::http_message_signature(Algorithm::Ed25519, format);
    Provider::new("acme", scheme).accept_unsigned_body()
}

fn hook(keys: RemoteKeys) -> Hook {
    Hook::of(Verifier::from_remote_keys(acme(), keys).unwrap())
}

/// A request with a signature of each of these keys, which says that its key has this id.
fn signed_by(keys: &[Signature]) -> Request<Full<Bytes>> {
    let mut all = Request::post("/hook").body(Full::from("{}")).unwrap();
    for (place, (pair, id)) in keys.iter().enumerate() {
        let secret = Secret::new(PAIRS[*pair].0).with_id(*id);
        let signer = Signer::new(acme(), secret).unwrap().with_time(at(NOW));
        let request = signer.sign(Request::post("/hook"), "{}").unwrap();
        for name in ["signature-input", "signature"] {
            // The label is not signed.
            let value = request.headers()[name].to_str().unwrap();
            let value = value.replacen("sig1", &format!("sig{place}"), 1);
            all.headers_mut().append(name, value.parse().unwrap());
        }
    }
    all
}

/// The keys of both pairs by the ids `k0` and `k1`; there is no other, and `away` cannot be known.
fn by_id() -> RemoteKeys {
    RemoteKeys::by_id(|id| async move {
        let pair = match &*id {
            "k0" => 0,
            "k1" => 1,
            "away" => return Err("the database is away".into()),
            _ => return Ok(None),
        };
        let key = json!({ "kty": "OKP", "crv": "Ed25519", "x": PAIRS[pair].1 });
        Ok(Some(PublicKey::new(key.to_string())))
    })
}

/// A proxy may sign, too, in front of the sender or behind it.
#[tokio::test(start_paused = true)]
async fn each_key_that_is_named_may_prove_the_request() {
    let cases: &[(&[Signature], Verdict)] = &[
        (&[(0, "k0")], Ok(())),
        (&[(1, "k0")], MISMATCH),
        (&[(1, "proxy"), (0, "k0")], Ok(())),
        (&[(0, "k0"), (1, "proxy")], Ok(())),
        (&[(0, "proxy"), (1, "proxy")], MISMATCH),
        (&[(0, "k1"), (1, "k0")], MISMATCH),
        (&[(0, "k1"), (1, "k1")], Ok(())),
        // Another key proves it, so the one that is not known is not missed.
        (&[(1, "away"), (0, "k0")], Ok(())),
        (&[(0, "k0"), (1, "away")], Ok(())),
        (&[(1, "k0"), (1, "away")], FAILED),
        (&[(0, "away"), (1, "proxy")], FAILED),
    ];
    for (keys, expected) in cases {
        let hook = hook(by_id());
        assert_eq!(hook.verdict(signed_by(keys)).await, *expected, "{keys:?}");
    }
    let client = Recorder::serving(set(&[0, 1]));
    let hook = hook(
        RemoteKeys::jwks("https://keys.example/")
            .unwrap()
            .with_client(client.clone()),
    );
    for (keys, expected) in cases {
        let is_known = |(_, id): &Signature| id.starts_with('k');
        if keys.iter().all(is_known) {
            assert_eq!(hook.verdict(signed_by(keys)).await, *expected, "{keys:?}");
        }
    }
    assert_eq!(client.fetches(), 1);
    // A set is fetched again for an id that it lacks, and only then.
    advance(MINUTE).await;
    assert_eq!(
        hook.verdict(signed_by(&[(1, "proxy"), (0, "k0")])).await,
        Ok(())
    );
    assert_eq!(client.fetches(), 2);
}

/// The keys of other algorithms, and those for encryption, are not what the endpoint takes.
#[tokio::test(start_paused = true)]
async fn a_key_of_a_set_that_does_not_fit_is_no_key() {
    let rsa = json!({ "kty": "RSA", "kid": "rsa", "n": "AQAB", "e": "AQAB" });
    let encrypts =
        json!({ "kty": "OKP", "crv": "X25519", "kid": "enc", "use": "enc", "x": PAIRS[0].1 });
    let mut keys: Value = serde_json::from_str(&set(&[0])).unwrap();
    keys["keys"]
        .as_array_mut()
        .unwrap()
        .extend([rsa.clone(), encrypts.clone()]);
    let client = Recorder::serving(keys.to_string());
    let source = || {
        RemoteKeys::jwks("https://keys.example/")
            .unwrap()
            .with_client(client.clone())
    };
    let verifier = hook(source());
    assert_eq!(verifier.verdict(signed_by(&[(0, "k0")])).await, Ok(()));
    for id in ["rsa", "enc", "none"] {
        let response = verifier.answer(signed_by(&[(0, id)])).await;
        let rejection = refusal(&response).unwrap();
        assert_eq!(rejection.kind(), RejectionKind::SignatureMismatch, "{id}");
        assert!(
            rejection.hints().any(|hint| hint == Hint::UnknownKeyId),
            "{id}"
        );
    }
    // A set of which nothing fits is another set than the endpoint needs.
    client.serve(json!({ "keys": [rsa, encrypts] }).to_string());
    let text = hook(source()).problem(signed_by(&[(0, "rsa")])).await;
    assert!(
        text.starts_with("public_key: no key of the set fits"),
        "{text}"
    );
}

/// A signature that names no key may be of each.
#[tokio::test(start_paused = true)]
async fn without_an_id_as_many_keys_are_tried_as_are_affordable() {
    for (others, expected) in [(0, Ok(())), (7, Ok(())), (8, FAILED)] {
        let mut keys: Value = serde_json::from_str(&set(&[0])).unwrap();
        for number in 1..=others {
            let mut key: Value = serde_json::from_str(&set(&[1])).unwrap();
            key["keys"][0]["kid"] = format!("other{number}").into();
            keys["keys"]
                .as_array_mut()
                .unwrap()
                .insert(0, key["keys"][0].take());
        }
        let client = Recorder::serving(keys.to_string());
        let hook = Hook::new(
            RemoteKeys::jwks("https://keys.example/")
                .unwrap()
                .with_client(client),
        );
        assert_eq!(hook.verdict(signed(0)).await, expected, "{others}");
        if expected.is_err() {
            let text = hook.problem(signed(0)).await;
            assert!(
                text.contains("does not say which of 9 keys signed it"),
                "{text}"
            );
        }
    }
}

/// A document that was on its way when everything was forgotten may have a key that was revoked.
#[tokio::test(start_paused = true)]
async fn what_was_fetched_before_everything_was_forgotten_is_not_used() {
    let client = Recorder::serving(set(&[0]));
    client.delay(Duration::from_secs(2));
    let keys = RemoteKeys::jwks("https://keys.example/")
        .unwrap()
        .with_client(client.clone());
    let hook = Hook::new(keys.clone());
    let request = |pair| {
        let hook = hook.clone();
        tokio::spawn(async move { hook.verdict(signed(pair)).await })
    };
    let first = request(0);
    tokio::time::sleep(Duration::from_secs(1)).await;
    keys.forget_all();
    client.serve(set(&[1]));
    let second = request(1);
    assert_eq!(first.await.unwrap(), MISMATCH, "the key was revoked");
    assert_eq!(second.await.unwrap(), Ok(()));
    assert_eq!(hook.verdict(signed(0)).await, MISMATCH);
    assert_eq!(client.fetches(), 2);
}
