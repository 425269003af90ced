//! Which service is called.

use support::Strict;

use super::*;

fn layers(store: impl DeliveryStore + 'static) -> (WebhookVerifyLayer, DeliveryLayer) {
    let verify = WebhookVerifyLayer::new(github().with_endpoint("hook"));
    (verify, DeliveryLayer::new(store))
}

#[tokio::test]
async fn the_service_that_was_ready_is_the_one_that_is_called() {
    let mut service = ServiceBuilder::new()
        .layer(layers(MemoryStore::new()))
        .service(Strict::default());
    let mut called = HashSet::new();
    for _ in 0..3 {
        let request = signed(body()).map(Full::new);
        let answer = ServiceExt::<Request<Full<Bytes>>>::ready(&mut service)
            .await
            .unwrap()
            .call(request)
            .await
            .unwrap();
        assert_eq!(answer.status(), 200);
        called.insert(*answer.extensions().get::<usize>().unwrap());
    }
    assert_eq!(called.len(), 3, "each call takes the ready one");
}

#[tokio::test]
async fn a_duplicate_does_not_reach_the_mock_and_waits_for_its_readiness() {
    type Handle = tower_test::mock::Handle<Request<Full<Bytes>>, Answer>;
    let layers = ServiceBuilder::new().layer(layers(MemoryStore::new()));
    let (mut service, mut handle): (_, Handle) = tower_test::mock::spawn_layer(layers);
    handle.allow(0);
    assert!(service.poll_ready().is_pending());
    handle.allow(1);
    assert!(service.poll_ready().is_ready());
    let body = body();
    let request = || signed(body.clone()).map(Full::new);
    let mut first = ByHand::new(service.call(request()));
    assert!(first.poll().is_pending());
    let (_, respond) = handle.next_request().await.unwrap();
    respond.send_response(Answer::default());
    let answer = first.0.await.unwrap();
    assert_eq!(answer.status(), 200);
    handle.allow(1);
    assert!(service.poll_ready().is_ready());
    let Poll::Ready(Ok(answer)) = ByHand::new(service.call(request())).poll() else {
        panic!("it is answered at once");
    };
    assert_eq!(answer.status(), 200);
    assert!(matches!(
        ByHand::new(handle.next_request()).poll(),
        Poll::Pending
    ));
}

#[tokio::test(start_paused = true)]
async fn a_concurrency_limit_inside_neither_panics_nor_locks_up() {
    for limit in [1, 2] {
        let handler = Handler::new([Act::Sleeps(SECOND, 500), Act::Sleeps(SECOND, 201)]);
        let inner = handler.clone();
        let service = ServiceBuilder::new()
            .layer(layers(MemoryStore::new()))
            .layer(ConcurrencyLimitLayer::new(limit))
            .service_fn(move |request| on_request(inner.clone(), request));
        let body = body();
        let mut attempts = JoinSet::new();
        for _ in 0..20 {
            attempts.spawn(service.clone().oneshot(signed(body.clone()).map(Full::new)));
        }
        let answers = attempts.join_all().await.into_iter();
        let mut statuses: Vec<_> = answers
            .map(|answer| answer.unwrap().status().as_u16())
            .collect();
        statuses.sort_unstable();
        assert_eq!(statuses[..18], [200; 18]);
        assert_eq!(statuses[18..], [201, 500]);
        assert_eq!((handler.called(), handler.most()), (2, 1));
    }
}
