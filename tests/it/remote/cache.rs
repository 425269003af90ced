//! How long keys are kept, and how often they are fetched. The clock is tokio's, which these tests
//! move.

use tokio::time::advance;

use super::*;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
const FAILED: Result<(), RejectionKind> = Err(RejectionKind::KeySourceFailed);
const MISMATCH: Result<(), RejectionKind> = Err(RejectionKind::SignatureMismatch);

fn keys(client: &Recorder) -> RemoteKeys {
    let keys = RemoteKeys::jwks("https://keys.example/jwks.json").unwrap();
    keys.with_client(client.clone())
}

fn away(client: &Recorder) {
    client.reply(Err("the server is away".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn keys_are_fetched_again_when_their_lifetime_is_over() {
    for (lifetime, max_age, fresh) in [
        (None, None, HOUR),
        // A server can only shorten it, and not to nothing.
        (None, Some(2 * HOUR), HOUR),
        (None, Some(10 * MINUTE), 10 * MINUTE),
        (None, Some(Duration::ZERO), MINUTE),
        (Some(5 * MINUTE), None, 5 * MINUTE),
        (Some(5 * MINUTE), Some(HOUR), 5 * MINUTE),
        (Some(24 * HOUR), Some(5 * HOUR), 5 * HOUR),
    ] {
        let document = KeyDocument::new(set(&[0]));
        let client = Recorder::default();
        client.reply(Ok(Some(match max_age {
            Some(age) => document.with_max_age(age),
            None => document,
        })));
        let keys = keys(&client);
        let hook = Hook::new(match lifetime {
            Some(lifetime) => keys.with_lifetime(lifetime),
            None => keys,
        });
        assert_eq!(hook.verdict(signed(0)).await, Ok(()));
        advance(fresh - Duration::from_secs(1)).await;
        assert_eq!(hook.verdict(signed(0)).await, Ok(()));
        assert_eq!(client.fetches(), 1, "{lifetime:?} {max_age:?}");
        advance(Duration::from_secs(1)).await;
        client.serve(set(&[1]));
        assert_eq!(hook.verdict(signed(0)).await, MISMATCH, "a removed key");
        assert_eq!(hook.verdict(signed(1)).await, Ok(()));
        assert_eq!(client.fetches(), 2, "{lifetime:?} {max_age:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn older_keys_do_while_the_source_is_away() {
    let client = Recorder::serving(set(&[0]));
    let hook = Hook::new(keys(&client).with_grace(2 * HOUR));
    assert_eq!(hook.verdict(signed(0)).await, Ok(()));
    away(&client);
    advance(HOUR).await;
    assert_eq!(hook.verdict(signed(0)).await, Ok(()), "within the grace");
    assert_eq!(client.fetches(), 2);
    // It is not asked again at once.
    assert_eq!(hook.verdict(signed(0)).await, Ok(()));
    advance(Duration::from_secs(9)).await;
    assert_eq!(hook.verdict(signed(0)).await, Ok(()));
    assert_eq!(client.fetches(), 2);
    advance(Duration::from_secs(1)).await;
    assert_eq!(hook.verdict(signed(0)).await, Ok(()));
    assert_eq!(client.fetches(), 3);
    advance(2 * HOUR - Duration::from_secs(11)).await;
    assert_eq!(hook.verdict(signed(0)).await, Ok(()), "its last second");
    advance(Duration::from_secs(1)).await;
    assert_eq!(hook.verdict(signed(0)).await, FAILED, "after the grace");
    advance(Duration::from_secs(10)).await;
    assert_eq!(hook.verdict(signed(0)).await, FAILED, "after the grace");
    client.serve(set(&[0]));
    advance(Duration::from_secs(10)).await;
    assert_eq!(hook.verdict(signed(0)).await, Ok(()), "it is back");
}

#[tokio::test(start_paused = true)]
async fn without_a_grace_keys_end_with_their_lifetime() {
    let client = Recorder::serving(set(&[0]));
    let hook = Hook::new(keys(&client).with_grace(Duration::ZERO));
    assert_eq!(hook.verdict(signed(0)).await, Ok(()));
    away(&client);
    advance(HOUR).await;
    assert_eq!(hook.verdict(signed(0)).await, FAILED);
}

/// A server that hangs costs a request two seconds and not its event.
#[tokio::test(start_paused = true)]
async fn older_keys_do_while_the_source_is_slow() {
    let client = Recorder::serving(set(&[0]));
    let hook = Hook::new(keys(&client));
    assert_eq!(hook.verdict(signed(0)).await, Ok(()));
    advance(HOUR).await;
    client.delay(Duration::from_secs(5));
    let begin = tokio::time::Instant::now();
    assert_eq!(hook.verdict(signed(0)).await, Ok(()));
    assert_eq!(begin.elapsed(), Duration::from_secs(2));
    // The fetch goes on, and serves the next request.
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(hook.verdict(signed(0)).await, Ok(()));
    assert_eq!(
        (begin.elapsed(), client.fetches()),
        (Duration::from_secs(5), 2)
    );
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_the_answer_for_ten_seconds() {
    let client = Recorder::default();
    away(&client);
    let hook = Hook::new(keys(&client));
    for _ in 0..5 {
        let text = hook.problem(signed(0)).await;
        assert_eq!(text, "https://keys.example/jwks.json: the server is away");
    }
    advance(Duration::from_secs(9)).await;
    client.serve(set(&[0]));
    assert_eq!(hook.verdict(signed(0)).await, FAILED);
    assert_eq!(client.fetches(), 1);
    advance(Duration::from_secs(1)).await;
    assert_eq!(hook.verdict(signed(0)).await, Ok(()));
    assert_eq!(client.fetches(), 2);
}

/// A client that panics fails like one that returns an error, for everybody who waits.
#[tokio::test(start_paused = true)]
async fn a_client_that_panics_is_an_outage() {
    struct Panics;
    impl KeyClient for Panics {
        fn get(&self, _: &KeyUrl) -> FetchFuture {
            Box::pin(async { panic!("a defect of the client") })
        }
    }
    let hook = Hook::new(
        RemoteKeys::jwks("https://keys.example/")
            .unwrap()
            .with_client(Panics),
    );
    let requests = (0..5).map(|_| {
        let hook = hook.clone();
        tokio::spawn(async move { hook.problem(signed(0)).await })
    });
    for request in requests.collect::<Vec<_>>() {
        let text = request.await.unwrap();
        assert_eq!(text, "the client panicked");
    }
}

/// A runtime that ends takes its fetches with it, and the next request starts over.
#[test]
fn a_fetch_that_was_aborted_is_a_failure() {
    let client = Recorder::serving(set(&[0]));
    client.delay(HOUR);
    let keys = keys(&client);
    let hook = Hook::new(keys.clone());
    let runtime = || {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        builder.enable_time().start_paused(true).build().unwrap()
    };
    runtime().block_on(async {
        let request = hook.verdict(signed(0));
        let waited = tokio::time::timeout(Duration::from_secs(1), request).await;
        assert!(waited.is_err(), "it waits");
    });
    client.delay(Duration::ZERO);
    runtime().block_on(async {
        assert_eq!(hook.problem(signed(0)).await, "the fetch was aborted");
    });
}
