//! Fetched keys in a group of endpoints, and where requests are only logged.

use http_body_util::BodyExt;
use tower_webhook::{Enforcement, VerifiedEvent};

use super::*;

fn remote(client: &Recorder) -> Verifier {
    let keys = RemoteKeys::jwks("https://keys.example/").unwrap();
    let keys = keys.with_client(client.clone());
    let verifier = Verifier::from_remote_keys(providers::fal_ai(), keys).unwrap();
    verifier.with_endpoint("images")
}

/// No key is fetched for a request that another member accepts.
#[tokio::test(start_paused = true)]
async fn a_group_fetches_keys_last() {
    let client = Recorder::serving(set(&[0]));
    let google = vectors::accepted("google-pubsub");
    let provider = google.provider("google-pubsub");
    let certs = Recorder::serving(google.set());
    let keys = RemoteKeys::of(&provider)
        .unwrap()
        .with_client(certs.clone());
    let of_head = Verifier::from_remote_keys(provider, keys).unwrap();
    let members = [
        support::github().with_endpoint("code"),
        remote(&client),
        of_head.with_endpoint("topics"),
    ];
    let layer = WebhookVerifyLayer::any_of(members).unwrap();
    let hook = Hook {
        layer: layer.with_clock(|| at(NOW)),
    };
    let code = || support::signed("{}").map(Full::from);
    assert_eq!(hook.verdict(code()).await, Ok(()));
    assert_eq!((client.fetches(), certs.fetches()), (0, 0));
    assert_eq!(hook.verdict(signed(0)).await, Ok(()));
    assert_eq!((client.fetches(), certs.fetches()), (1, 0));
    let mismatch = Err(RejectionKind::SignatureMismatch);
    assert_eq!(hook.verdict(signed(1)).await, mismatch);
    let hook = hook.at(google.now);
    assert_eq!(hook.verdict(google.request()).await, Ok(()));
    assert_eq!((client.fetches(), certs.fetches()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn an_outage_of_one_member_is_not_that_of_another() {
    let client = Recorder::default();
    client.reply(Err("away".to_owned()));
    let members = [support::github().with_endpoint("code"), remote(&client)];
    let layer = WebhookVerifyLayer::any_of(members).unwrap();
    let hook = Hook {
        layer: layer.with_clock(|| at(NOW)),
    };
    let code = support::signed("{}").map(Full::from);
    assert_eq!(hook.verdict(code).await, Ok(()));
    let failed = Err(RejectionKind::KeySourceFailed);
    assert_eq!(hook.verdict(signed(0)).await, failed);
    client.serve(set(&[0]));
    client.delay(Duration::from_secs(60));
    tokio::time::advance(Duration::from_secs(10)).await;
    let late = Err(RejectionKind::KeySourceTimeout);
    assert_eq!(hook.verdict(signed(0)).await, late);
}

/// A request that no key proves is passed on with its body where that is asked for, and one whose
/// keys are away is not.
#[tokio::test(start_paused = true)]
async fn a_layer_that_only_logs_passes_the_body_on() {
    let client = Recorder::serving(set(&[0]));
    let layer = WebhookVerifyLayer::new(remote(&client)).with_enforcement(Enforcement::Log);
    let layer = layer.with_clock(|| at(NOW));
    let handler = service_fn(|request: Request<Full<Bytes>>| async move {
        let is_event = request.extensions().get::<VerifiedEvent>().is_some();
        let body = request.into_body().collect().await.unwrap().to_bytes();
        let text = format!("{is_event} {}", String::from_utf8_lossy(&body));
        Ok::<_, Infallible>(Answer::new(Full::from(text)))
    });
    let answer = async |pair| {
        let service = layer.layer(handler);
        let response = service.oneshot(signed(pair)).await.unwrap();
        let status = response.status();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(body.to_vec()).unwrap())
    };
    assert_eq!(answer(0).await, (StatusCode::OK, "true {}".to_owned()));
    assert_eq!(answer(1).await, (StatusCode::OK, "false {}".to_owned()));
    client.reply(Err("away".to_owned()));
    tokio::time::advance(Duration::from_secs(24 * 3600)).await;
    assert_eq!(answer(0).await.0, StatusCode::SERVICE_UNAVAILABLE);
}
