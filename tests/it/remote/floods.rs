//! What strangers can cause: few fetches, of the configured address only, and none before
//! everything else is in order.

use std::sync::atomic::{AtomicUsize, Ordering};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use proptest::prelude::*;
use tokio::time::advance;
use tower_webhook::PublicKey;

use super::{
    vectors::{Vector, accepted},
    *,
};

const CERTS: &str = "https://www.googleapis.com/oauth2/v3/certs";
const MINUTE: Duration = Duration::from_secs(60);

/// An endpoint for Google's tokens.
fn google() -> (Vector, Recorder, Hook) {
    let vector = accepted("google-pubsub");
    let provider = vector.provider("google-pubsub");
    let client = Recorder::serving(vector.set());
    let keys = RemoteKeys::of(&provider)
        .unwrap()
        .with_client(client.clone());
    let verifier = Verifier::from_remote_keys(provider, keys).unwrap();
    let hook = Hook::of(verifier).at(vector.now);
    (vector, client, hook)
}

/// The genuine claims under another header and a signature of nobody.
fn forged(vector: &Vector, header: &Value) -> Request<Full<Bytes>> {
    let token = &vector.headers["Authorization"];
    let payload = token.split('.').nth(1).unwrap();
    let header = URL_SAFE_NO_PAD.encode(header.to_string());
    let signature = URL_SAFE_NO_PAD.encode([7; 256]);
    let mut request = vector.request();
    let value = format!("Bearer {header}.{payload}.{signature}");
    request
        .headers_mut()
        .insert("Authorization", value.parse().unwrap());
    request
}

#[tokio::test(start_paused = true)]
async fn invented_ids_within_a_set_cause_one_fetch_a_minute() {
    let (vector, client, hook) = google();
    assert_eq!(hook.verdict(vector.request()).await, Ok(()));
    for minute in 0..5 {
        for number in 0..200 {
            let kid = format!("invented-{minute}-{number}");
            let request = forged(&vector, &json!({ "alg": "RS256", "kid": kid }));
            let refused = hook.verdict(request).await;
            assert_eq!(refused, Err(RejectionKind::SignatureMismatch));
            assert_eq!(hook.verdict(vector.request()).await, Ok(()));
        }
        assert_eq!(client.fetches(), minute + 1);
        advance(MINUTE).await;
    }
    assert!(client.urls().iter().all(|url| url == CERTS));
}

/// A new key is found by the first request that names it.
#[tokio::test(start_paused = true)]
async fn a_set_is_fetched_again_for_an_id_that_it_lacks() {
    let (vector, client, hook) = google();
    client.serve(set(&[0]));
    let refused = hook.verdict(vector.request()).await;
    assert_eq!(refused, Err(RejectionKind::SignatureMismatch));
    client.serve(vector.set());
    advance(MINUTE).await;
    assert_eq!(hook.verdict(vector.request()).await, Ok(()));
    assert_eq!(client.fetches(), 2);
}

#[tokio::test(start_paused = true)]
async fn invented_ids_of_single_keys_share_one_budget() {
    let vector = accepted("circle");
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    let known: Value = json!({
        "id": vector.headers["X-Circle-Key-Id"],
        "key": "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEwO6wdQ+Ihu9P+LiVIk77fI9ZARbjOyAbOO5CgPKGg47gCVGXHRExeOOvC6zXviFnm9xAjyCRoLOeVqd1lT3unA==",
    });
    let keys = RemoteKeys::by_id(move |id| {
        counter.fetch_add(1, Ordering::SeqCst);
        let key = (known["id"] == *id).then(|| PublicKey::new(known["key"].as_str().unwrap()));
        async move { Ok(key) }
    });
    let keys = keys.with_max_fetches(10);
    let hook = Hook::of(Verifier::from_remote_keys(providers::circle(), keys).unwrap());
    let hook = hook.at(vector.now);
    assert_eq!(hook.verdict(vector.request()).await, Ok(()));
    let flood = async |minute: usize| {
        let (mut unknown, mut delayed) = (0, 0);
        for number in 0..300 {
            let mut request = vector.request();
            let id = format!("{minute:08}-0000-4000-8000-{number:012}");
            request
                .headers_mut()
                .insert("X-Circle-Key-Id", id.parse().unwrap());
            match hook.verdict(request).await {
                Err(RejectionKind::SignatureMismatch) => unknown += 1,
                // The key may be new, so a genuine event has to come again.
                Err(RejectionKind::KeySourceFailed) => delayed += 1,
                other => panic!("{other:?}"),
            }
        }
        (unknown, delayed)
    };
    assert_eq!(flood(1).await, (9, 291));
    assert_eq!(asked.load(Ordering::SeqCst), 10);
    // Those that are known are used, and refreshed, all the same.
    assert_eq!(hook.verdict(vector.request()).await, Ok(()));
    advance(60 * MINUTE).await;
    assert_eq!(flood(2).await, (10, 290));
    assert_eq!(hook.verdict(vector.request()).await, Ok(()));
    assert_eq!(asked.load(Ordering::SeqCst), 21);
}

#[tokio::test(start_paused = true)]
async fn an_id_that_does_not_exist_is_looked_up_once_a_minute() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    let keys = RemoteKeys::by_id(move |_| {
        counter.fetch_add(1, Ordering::SeqCst);
        async { Ok(None) }
    });
    let vector = accepted("circle");
    let hook = Hook::of(Verifier::from_remote_keys(providers::circle(), keys).unwrap());
    let hook = hook.at(vector.now);
    for minute in 1..4 {
        for _ in 0..5 {
            let refused = hook.verdict(vector.request()).await;
            assert_eq!(refused, Err(RejectionKind::SignatureMismatch));
            assert_eq!(asked.load(Ordering::SeqCst), minute);
        }
        advance(MINUTE).await;
    }
}

/// A header or an address of an attacker's choice.
fn hostile() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "https://[a-z.@:/#?%-]{1,40}",
        "https://www\\.googleapis\\.com[a-z.@:/#?%\\\\-]{0,30}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever a token says, at most the configured address is fetched.
    #[test]
    fn a_token_chooses_no_address(kid in hostile(), url in hostile(), names in "jku|x5u|jwk|x5c|iss|kid") {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let (vector, client, hook) = google();
            let mut header = json!({ "alg": "RS256", "kid": kid });
            header[&names] = url.clone().into();
            let verdict = hook.verdict(forged(&vector, &header)).await;
            prop_assert_eq!(verdict, Err(RejectionKind::SignatureMismatch));
            prop_assert_eq!(client.urls(), [CERTS]);
            Ok(())
        })?;
    }

    /// What is not a token in order fetches nothing.
    #[test]
    fn what_is_no_token_fetches_nothing(value in "[ -~]{0,200}", is_bearer in any::<bool>()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let (vector, client, hook) = google();
            let mut request = vector.request();
            let value = format!("{}{value}", if is_bearer { "Bearer " } else { "" });
            request.headers_mut().insert("Authorization", value.parse().unwrap());
            prop_assert!(hook.verdict(request).await.is_err());
            prop_assert_eq!(client.fetches(), 0);
            Ok(())
        })?;
    }

    /// A body of ConnectWise leads at most to an address below the configured one.
    #[test]
    fn a_body_chooses_no_address(path in "(https://)?(na\\.myconnectwise\\.net|[a-z.@:]{1,12})?/(keys/)?[a-z0-9./%\\\\?#@:-]{0,20}") {
        const WITHIN: &str = "https://na.myconnectwise.net/keys/";
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let client = Recorder::serving(r#"{"signing_key":"a-key-of-some-length"}"#);
            let provider = providers::connectwise().with_param("key_url", WITHIN);
            let keys = RemoteKeys::of(&provider).unwrap().with_client(client.clone());
            let hook = Hook::of(Verifier::from_remote_keys(provider, keys).unwrap());
            let body = json!({ "Metadata": { "key_url": path } }).to_string();
            let request = Request::post("/hook").header("x-content-signature", "A".repeat(43) + "=");
            let verdict = hook.verdict(request.body(Full::from(body)).unwrap()).await;
            prop_assert_eq!(verdict, Err(RejectionKind::SignatureMismatch));
            for url in client.urls() {
                let below = url.strip_prefix(WITHIN);
                let is_segment = |name: &str| !name.contains(['/', '?', '#', '%', '\\', '@']) && name != "..";
                prop_assert!(below.is_some_and(is_segment), "{url}");
            }
            Ok(())
        })?;
    }
}
