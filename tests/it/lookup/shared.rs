//! `SharedKeys`: keys that are replaced while requests come.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_request_keeps_the_keys_that_it_began_with() {
    let keys = SharedKeys::new(secrets(Secret::new(SECRET).with_id("old")));
    let layer = layer(keys.clone());
    let slow = || TestBody::new([Step::Wait(Duration::from_secs(1)), data("body")]);
    let mut before = pin!(send(&layer, acme(slow(), "body")));
    assert!(poll_once(before.as_mut()).is_pending());
    keys.replace(secrets(Secret::new(OTHER_SECRET).with_id("new")))
        .unwrap();

    let after = signed("/hooks/acme", OTHER_SECRET, "body");
    assert_eq!(
        event(&send_whole(&layer, after).await).key_id(),
        Some("new")
    );
    let stale = signed("/hooks/acme", SECRET, "body");
    assert_eq!(
        kind(&send_whole(&layer, stale).await),
        Some(RejectionKind::SignatureMismatch)
    );
    let answer = before.await;
    assert_eq!(event(&answer).key_id(), Some("old"));
    assert_eq!(event(&answer).tenant(), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn keys_are_replaced_by_several_at_once_while_requests_are_checked() {
    const ROUNDS: usize = 300;
    // The secret that the requests are signed with is in every set, so not one may be refused.
    let set = |id: String| {
        let other = Secret::new(format!("another-secret-{id}-of-length"));
        secrets(vec![other, Secret::new(SECRET).with_id(id)])
    };
    let keys = SharedKeys::new(set("first".to_owned()));
    let layer = layer(keys.clone());
    let replacing = (0..4).map(|thread| {
        let keys = keys.clone();
        tokio::spawn(async move {
            for round in 0..ROUNDS {
                keys.replace(set(format!("{thread}-{round}"))).unwrap();
                tokio::task::yield_now().await;
            }
        })
    });
    let replacing: Vec<_> = replacing.collect();
    let asking = (0..4).map(|_| {
        let layer = layer.clone();
        tokio::spawn(async move {
            for _ in 0..ROUNDS {
                let answer = send_whole(&layer, signed("/hooks/acme", SECRET, "body")).await;
                assert!(event(&answer).key_id().is_some());
            }
        })
    });
    let asking: Vec<_> = asking.collect();
    for task in replacing.into_iter().chain(asking) {
        task.await.unwrap();
    }
    let answer = send_whole(&layer, signed("/hooks/acme", SECRET, "body")).await;
    let last = format!("-{}", ROUNDS - 1);
    assert!(event(&answer).key_id().unwrap().ends_with(&last));
}

#[tokio::test]
async fn keys_of_another_provider_do_not_replace_those_that_are_there() {
    let keys = SharedKeys::new(secrets(Secret::new(SECRET).with_id("kept")));
    let layer = layer(keys.clone());
    for provider in [providers::shopify(), providers::idenfy()] {
        let others = KeySet::new(&provider, Secret::new(OTHER_SECRET)).unwrap();
        let error = keys.replace(others).unwrap_err().to_string();
        assert!(
            error.contains("another provider") && !error.contains(OTHER_SECRET),
            "{error}"
        );
    }
    let answer = send_whole(&layer, signed("/hooks/acme", SECRET, "body")).await;
    assert_eq!(event(&answer).key_id(), Some("kept"));
    let shown = format!("{keys:?} {:?}", keys.current());
    assert!(shown.contains("kept") && !shown.contains(SECRET), "{shown}");
}

#[tokio::test]
async fn keys_can_come_after_the_endpoint() {
    let keys = SharedKeys::new(KeySet::empty(&providers::github()).unwrap());
    let verifier = Verifier::from_key_source(providers::github(), keys.clone()).unwrap();
    let layer = WebhookVerifyLayer::new(verifier);
    let request = || signed("/hooks/acme", SECRET, "body");
    assert_unavailable(
        &send_whole(&layer, request()).await,
        RejectionKind::NoValidKey,
    );
    keys.replace(secrets(Secret::new(SECRET))).unwrap();
    assert_eq!(event(&send_whole(&layer, request()).await).body(), "body");
}
