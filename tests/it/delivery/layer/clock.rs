//! What needs a clock that is stopped, on Tower only.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_thousand_attempts_at_once_are_handled_once() {
    let handler = Handler::new([Act::Sleeps(SECOND, 201)]);
    let stack = stack(DeliveryLayer::new(MemoryStore::new()), &handler);
    let body = body();
    let mut attempts = JoinSet::new();
    for _ in 0..1000 {
        let (stack, body) = (stack.clone(), body.clone());
        attempts.spawn(async move { call(&stack, &body).await.status().as_u16() });
    }
    let mut statuses = BTreeMap::new();
    for status in attempts.join_all().await {
        *statuses.entry(status).or_insert(0) += 1;
    }
    assert_eq!(statuses, BTreeMap::from([(200, 999), (201, 1)]));
    assert_eq!(handler.called(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thousand_attempts_on_several_threads_are_handled_one_at_a_time() {
    // The first three fail, each while others wait.
    let fail = Act::Sleeps(Duration::from_millis(5), 500);
    let handler = Handler::new([fail, fail, fail]);
    let deliver = DeliveryLayer::new(MemoryStore::new()).with_wait(60 * SECOND);
    let stack = stack(deliver, &handler);
    let body = body();
    let attempts: Vec<_> = (0..1000).map(|_| spawn(&stack, &body)).collect();
    let mut failed = 0;
    for attempt in attempts {
        match attempt.await.unwrap().status().as_u16() {
            200 => {}
            500 => failed += 1,
            other => panic!("{other}"),
        }
    }
    assert_eq!((failed, handler.called(), handler.most()), (3, 4, 1));
}

#[tokio::test(start_paused = true)]
async fn an_attempt_waits_as_long_as_it_is_told_and_no_longer() {
    for wait in [
        Duration::ZERO,
        SECOND,
        Duration::from_secs(5),
        Duration::from_secs(100),
    ] {
        let handler = Handler::new([Act::Hangs]);
        let store = Arc::new(MemoryStore::new());
        let deliver = DeliveryLayer::new(store).with_wait(wait);
        let stack = stack(deliver, &handler);
        let body = body();
        let first = spawn(&stack, &body);
        handler.until_running(1).await;
        let begun = Instant::now();
        let answer = call(&stack, &body).await;
        assert_eq!(answer.status(), 503);
        assert_eq!(kind(&answer), Some(RejectionKind::DeliveryInProgress));
        let waited = begun.elapsed();
        assert!(
            waited >= wait && waited <= wait + Duration::from_millis(10),
            "{waited:?} of {wait:?}"
        );
        first.abort();
    }
}

#[tokio::test(start_paused = true)]
async fn the_default_wait_is_five_seconds_and_the_answer_names_what_is_left_of_the_lease() {
    let handler = Handler::new([Act::Hangs]);
    let stack = stack(DeliveryLayer::new(MemoryStore::new()), &handler);
    let body = body();
    let first = spawn(&stack, &body);
    handler.until_running(1).await;
    let begun = Instant::now();
    let answer = call(&stack, &body).await;
    assert_eq!(begun.elapsed().as_secs(), 5);
    assert_eq!(answer.headers()[RETRY_AFTER], "25");
    first.abort();
}

#[tokio::test(start_paused = true)]
async fn while_an_attempt_waits_it_asks_the_store_some_times_and_not_more() {
    let handler = Handler::new([Act::Hangs]);
    let (store, _, stack) = scripted(&handler);
    let body = body();
    let first = spawn(&stack, &body);
    handler.until_running(1).await;
    let answer = call(&stack, &body).await;
    assert_eq!(answer.status(), 503);
    let claims = store.count(Op::Claim) - 1;
    assert!((10..=20).contains(&claims), "{claims} in 5 seconds");
    first.abort();
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_outlives_its_lease_keeps_the_delivery() {
    let handler = Handler::new([Act::Sleeps(5 * LEASE, 201)]);
    let (store, deliver, _) = scripted(&handler);
    let stack = stack(deliver.with_wait(Duration::ZERO), &handler);
    let body = body();
    let first = spawn(&stack, &body);
    handler.until_running(1).await;
    for _ in 0..149 {
        sleep(SECOND).await;
        let answer = call(&stack, &body).await;
        assert_eq!(answer.status(), 503);
        let left = retry_after(answer.headers());
        assert!((20..=30).contains(&left), "{left}");
    }
    assert_eq!(first.await.unwrap().status(), 201);
    assert_eq!(call(&stack, &body).await.status(), 200);
    assert_eq!((handler.called(), handler.most()), (1, 1));
    let every_third: Vec<u64> = (1..15).map(|third| third * 10).collect();
    assert_eq!(store.seconds(Op::Renew), every_third);
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_is_quick_costs_a_claim_and_a_completion() {
    let handler = Handler::new([]);
    let (store, _, stack) = scripted(&handler);
    let body = body();
    assert_eq!(call(&stack, &body).await.status(), 200);
    let ops = |store: &Scripted| {
        let log = store.log.borrow();
        log.iter().map(|step| step.op).collect::<Vec<_>>()
    };
    assert_eq!(ops(&store), [Op::Claim, Op::Complete]);
    assert_eq!(call(&stack, &body).await.status(), 200);
    assert_eq!(ops(&store), [Op::Claim, Op::Complete, Op::Claim]);
}

#[tokio::test(start_paused = true)]
async fn a_renewal_that_fails_is_tried_again_before_the_lease_ends() {
    let fails = |kind| [Fault::Fails(kind), Fault::FailsLate(kind)];
    for fault in [StoreErrorKind::Unavailable, StoreErrorKind::Timeout]
        .into_iter()
        .flat_map(fails)
    {
        let handler = Handler::new([Act::Sleeps(2 * LEASE, 201)]);
        let (store, _, stack) = scripted(&handler);
        store.fault(Op::Renew, fault);
        let body = body();
        let first = spawn(&stack, &body);
        sleep(LEASE + SECOND).await;
        let answer = call(&stack, &body).await;
        assert_eq!(answer.status(), 503, "{fault:?}");
        assert_eq!(first.await.unwrap().status(), 201);
        assert_eq!(handler.called(), 1);
        assert_eq!(store.seconds(Op::Renew), [10, 20, 30, 40, 50]);
        assert_eq!(store.steps(Op::Complete)[0].said, "true");
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_slow_to_renew_does_not_hold_the_handler_up() {
    for (fault, renewals) in [
        (Fault::Slow(Duration::from_secs(5)), vec![10, 25]),
        (Fault::Hangs, vec![10]),
    ] {
        let handler = Handler::new([Act::Sleeps(Duration::from_secs(29), 201)]);
        let (store, _, stack) = scripted(&handler);
        store.fault(Op::Renew, fault);
        let begun = Instant::now();
        assert_eq!(call(&stack, &body()).await.status(), 201);
        assert_eq!(begun.elapsed().as_secs(), 29, "{fault:?}");
        assert_eq!(store.seconds(Op::Renew), renewals);
    }
}

#[tokio::test(start_paused = true)]
async fn a_claim_that_another_has_taken_is_left_to_it() {
    let handler = Handler::new([Act::Sleeps(3 * LEASE, 201), Act::Waits(202)]);
    let (store, _, stack) = scripted(&handler);
    let body = body();
    let first = spawn(&stack, &body);
    handler.until_running(1).await;
    // An operator forgets it, and it is sent again: another has it then.
    let key = key_of(&body);
    assert!(store.memory.forget(key).await.unwrap());
    let second = spawn(&stack, &body);
    handler.until_running(2).await;
    assert_eq!(first.await.unwrap().status(), 201);
    assert_eq!(store.steps(Op::Complete)[0].said, "false");
    let renewals = store.steps(Op::Renew);
    let lost = renewals.iter().filter(|step| step.said == "false").count();
    assert_eq!(lost, 1, "it does not ask again: {renewals:?}");
    assert_eq!(store.memory.in_progress(), 1, "the other's claim is there");
    handler.let_go();
    assert_eq!(second.await.unwrap().status(), 202);
    assert_eq!(store.steps(Op::Complete)[1].said, "true");
    assert_eq!(call(&stack, &body).await.status(), 200);
    assert_eq!(handler.called(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_claim_that_the_store_forgot_is_taken_again_at_the_next_renewal() {
    let handler = Handler::new([Act::Sleeps(LEASE, 201)]);
    let (store, deliver, _) = scripted(&handler);
    let stack = stack(deliver.with_wait(Duration::ZERO), &handler);
    let body = body();
    let first = spawn(&stack, &body);
    sleep(SECOND).await;
    assert!(store.memory.forget(key_of(&body)).await.unwrap());
    sleep(Duration::from_secs(10)).await;
    assert_eq!(call(&stack, &body).await.status(), 503);
    assert_eq!(first.await.unwrap().status(), 201);
    assert_eq!(handler.called(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_timeout_outside_answers_and_stops_nothing() {
    let handler = Handler::new([Act::Waits(201)]);
    let store = Scripted::new();
    let layers = Layers::new(DeliveryLayer::new(Store(Arc::clone(&store))), &handler);
    let inner = handler.clone();
    let service = ServiceBuilder::new()
        .layer(TimeoutLayer::with_status_code(
            StatusCode::GATEWAY_TIMEOUT,
            SECOND,
        ))
        .layer(layers.verify)
        .layer(layers.deliver)
        .service_fn(move |request| on_request(inner.clone(), request));
    let body = body();
    for (expected, lets_go) in [(504, false), (504, true), (200, false)] {
        let request = signed(body.clone()).map(Full::new);
        let answer = service.clone().oneshot(request).await.unwrap();
        assert_eq!(answer.status(), expected);
        if lets_go {
            handler.let_go();
            handler.until_running(0).await;
        }
    }
    assert_eq!((handler.called(), store.count(Op::Complete)), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn an_error_of_the_service_inside_passes_through_and_the_next_attempt_is_handled() {
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let service = ServiceBuilder::new()
        .layer(WebhookVerifyLayer::new(github().with_endpoint("hook")))
        .layer(DeliveryLayer::new(MemoryStore::new()))
        .service_fn(move |_: Request<Full<Bytes>>| {
            let first = counted.fetch_add(1, Ordering::SeqCst) == 0;
            ready(if first {
                Err("inner error")
            } else {
                Ok(Answer::default())
            })
        });
    let body = body();
    let attempt = || service.clone().oneshot(signed(body.clone()).map(Full::new));
    assert_eq!(attempt().await.unwrap_err(), "inner error");
    assert_eq!(attempt().await.unwrap().status(), 200);
    assert_eq!(attempt().await.unwrap().status(), 200);
    assert_eq!(calls.load(Ordering::SeqCst), 2);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_dropped_before_its_handler_begins_leaves_no_claim() {
    let handler = Handler::new([]);
    let (store, _, stack) = scripted(&handler);
    store.fault(Op::Claim, Fault::Hangs);
    let body = body();
    let mut attempt = ByHand::new({
        let (stack, body) = (stack.clone(), body.clone());
        async move { call(&stack, &body).await }
    });
    assert!(attempt.poll().is_pending());
    drop(attempt);
    tokio::task::yield_now().await;
    assert_eq!(store.count(Op::Release), 1);
    assert_eq!((store.memory.in_progress(), handler.called()), (0, 0));
    assert_eq!(call(&stack, &body).await.status(), 200);
    assert_eq!(handler.called(), 1);
}

/// The handler is running, or the store is being told.
#[tokio::test(start_paused = true)]
async fn wherever_a_request_is_dropped_after_that_its_handler_is_run_to_the_end() {
    for (act, slow, released) in [
        (Act::Sleeps(LEASE, 200), Op::Renew, 0),
        (Act::Answers(200), Op::Complete, 0),
        (Act::Answers(500), Op::Release, 1),
        (Act::Panics, Op::Release, 1),
    ] {
        for waited in [Duration::ZERO, SECOND / 2, 12 * SECOND] {
            let handler = Handler::new([act]);
            let (store, deliver, stack) = scripted(&handler);
            store.fault(slow, Fault::Slow(SECOND));
            let body = body();
            let attempt = spawn(&stack, &body);
            sleep(waited + SECOND / 1000).await;
            attempt.abort();
            let _ = attempt.await;
            assert_eq!(deliver.drain(2 * LEASE).await, 0);
            let ended = (store.memory.completed(), store.count(Op::Release));
            assert_eq!(ended, (1 - released, released), "{act:?} {waited:?}");
            assert_eq!(store.memory.in_progress(), 0);
            assert_eq!(call(&stack, &body).await.status(), 200);
            assert_eq!(handler.called(), 1 + released, "{act:?} {waited:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_is_dropped_while_it_waits_leaves_the_first_alone() {
    let handler = Handler::new([Act::Waits(201)]);
    let (store, _, stack) = scripted(&handler);
    let body = body();
    let first = spawn(&stack, &body);
    handler.until_running(1).await;
    let second = spawn(&stack, &body);
    store.until(Op::Claim, "Claimed(InProgress", 3).await;
    second.abort();
    assert!(second.await.unwrap_err().is_cancelled());
    assert_eq!(store.memory.in_progress(), 1);
    assert!(
        store
            .steps(Op::Release)
            .iter()
            .all(|step| step.said == "false")
    );
    handler.let_go();
    assert_eq!(first.await.unwrap().status(), 201);
    assert_eq!(handler.called(), 1);
}

#[test]
fn a_request_that_outlives_its_runtime_frees_its_claim() {
    let handler = Handler::new([Act::Hangs]);
    let store = Arc::new(MemoryStore::new());
    let stack = stack(DeliveryLayer::new(Arc::clone(&store)), &handler);
    let body = body();
    let runtime = || {
        tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap()
    };
    // Dropped with the runtime that runs it.
    let first = runtime();
    {
        let _inside = first.enter();
        drop(spawn(&stack, &body));
    }
    first.block_on(handler.until_running(1));
    assert_eq!(store.in_progress(), 1);
    drop(first);
    assert_eq!(store.in_progress(), 0);
    // Its task ends with the runtime, and the request is told so elsewhere.
    let mut attempt = ByHand::new({
        let (stack, body) = (stack.clone(), body.clone());
        async move { call(&stack, &body).await }
    });
    let second = runtime();
    {
        let _inside = second.enter();
        assert!(attempt.poll().is_pending());
    }
    assert_eq!(store.in_progress(), 1);
    drop(second);
    assert_eq!(store.in_progress(), 0);
    let Poll::Ready(answer) = attempt.poll() else {
        panic!("it is answered");
    };
    assert_eq!(kind(&answer), Some(RejectionKind::HandlerAborted));
    assert_eq!(handler.called(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_delivery_is_remembered_from_its_completion_for_its_lifetime() {
    let day = 24 * 60 * 60 * SECOND;
    let verifier = |provider: Provider| {
        let verifier = Verifier::new(provider, Secret::new(GITHUB_SECRET)).unwrap();
        verifier.with_endpoint("hook")
    };
    let github = || providers::github();
    // Stripe's time is signed, so a longer window makes a longer lifetime.
    let stripe = |tolerance: Duration| verifier(providers::stripe()).with_tolerance(tolerance);
    let layer = || DeliveryLayer::new(MemoryStore::new());
    for (what, verifier, deliver, lifetime) in [
        ("no horizon", verifier(github()), layer(), 3 * day),
        ("Authenteq's", verifier(authenteq()), layer(), 7 * day),
        (
            "a horizon",
            verifier(github().with_retry_horizon(2 * day)),
            layer(),
            2 * day,
        ),
        ("a narrow window", stripe(300 * SECOND), layer(), 3 * day),
        ("a wide window", stripe(2 * day), layer(), 4 * day),
        (
            "one that is set",
            verifier(github()),
            layer().with_lifetime(60 * SECOND),
            60 * SECOND,
        ),
        (
            "one that is set below the window",
            stripe(2 * day),
            layer().with_lifetime(60 * SECOND),
            4 * day,
        ),
    ] {
        let signer = Signer::new(verifier.provider().clone(), Secret::new(GITHUB_SECRET)).unwrap();
        let request = signer.with_time(support::at(1_700_000_000));
        let request = request
            .sign(Request::post("/"), body())
            .unwrap()
            .map(Full::new);
        // It is not the attempt that counts, but when it was done.
        let handler = Handler::new([Act::Sleeps(100 * SECOND, 200)]);
        let inner = handler.clone();
        let verify = WebhookVerifyLayer::new(verifier).with_clock(|| support::at(1_700_000_000));
        let service = ServiceBuilder::new()
            .layer(verify)
            .layer(deliver)
            .service_fn(move |request| on_request(inner.clone(), request));
        let attempt = async || {
            let answer = service.clone().oneshot(request.clone()).await.unwrap();
            assert_eq!(answer.status(), 200, "{what}");
            handler.called()
        };
        assert_eq!(attempt().await, 1);
        sleep(lifetime - SECOND).await;
        assert_eq!(attempt().await, 1, "{what}");
        sleep(2 * SECOND).await;
        assert_eq!(attempt().await, 2, "{what}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_deliveries_drops_the_oldest_and_no_claim() {
    let handler = Handler::new([Act::Waits(201), Act::Waits(201)]);
    let store = MemoryStore::new()
        .with_max_completed(100)
        .with_max_in_progress(3);
    let store = Arc::new(store);
    let stack = stack(DeliveryLayer::new(Arc::clone(&store)), &handler);
    let held: Vec<_> = (0..2).map(|_| body()).collect();
    let first: Vec<_> = held.iter().map(|body| spawn(&stack, body)).collect();
    handler.until_running(2).await;

    let flood: Vec<_> = (0..1000).map(|_| body()).collect();
    for body in &flood {
        assert_eq!(call(&stack, body).await.status(), 200);
    }
    assert_eq!((store.completed(), store.evicted()), (100, 900));
    assert_eq!(store.in_progress(), 2);
    // One more at a time finds room, two do not.
    let third = body();
    handler.0.acts.lock().unwrap().push_back(Act::Waits(202));
    let third = spawn(&stack, &third);
    handler.until_running(3).await;
    let refused = call(&stack, &body()).await;
    assert_eq!(kind(&refused), Some(RejectionKind::DeliveryStoreFull));
    assert_eq!(
        (refused.status(), &refused.headers()[RETRY_AFTER]),
        (StatusCode::SERVICE_UNAVAILABLE, &"5".parse().unwrap())
    );
    // What is done is known all the same.
    let before = handler.called();
    assert_eq!(call(&stack, &flood[999]).await.status(), 200);
    assert_eq!(handler.called(), before);

    (0..3).for_each(|_| handler.let_go());
    for first in first {
        assert_eq!(first.await.unwrap().status(), 201);
    }
    assert_eq!(third.await.unwrap().status(), 202);
    for body in &held {
        assert_eq!(call(&stack, body).await.status(), 200);
    }
    assert_eq!(handler.called(), before);
    // The oldest of the flood has been forgotten, and is handled again.
    assert_eq!(call(&stack, &flood[0]).await.status(), 200);
    assert_eq!(handler.called(), before + 1);
}

#[tokio::test(start_paused = true)]
async fn a_handler_may_use_the_store_that_holds_its_claim() {
    // Nothing is locked while it runs.
    let store = Arc::new(MemoryStore::new());
    let inside = Arc::clone(&store);
    let service = ServiceBuilder::new()
        .layer(WebhookVerifyLayer::new(github().with_endpoint("hook")))
        .layer(DeliveryLayer::new(Arc::clone(&store)))
        .service_fn(move |request: Request<Full<Bytes>>| {
            let store = Arc::clone(&inside);
            async move {
                let event = request.extensions().get::<VerifiedEvent>().unwrap();
                let key = event.delivery_key();
                assert_eq!((store.in_progress(), store.completed()), (1, 0));
                let claim = store.claim(key, Owner::unique(), LEASE).await.unwrap();
                assert!(matches!(claim, Claim::InProgress { .. }));
                tokio::task::yield_now().await;
                assert!(store.forget(key).await.unwrap());
                Ok::<_, Infallible>(Answer::default())
            }
        });
    let answer = service
        .oneshot(signed(body()).map(Full::new))
        .await
        .unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!((store.in_progress(), store.completed()), (0, 1));
}

#[test]
fn futures_can_be_sent_and_layers_shared() {
    fn sent<T: Send>(value: T) -> T {
        value
    }
    fn shared<T: Clone + Send + Sync + 'static>(_: &T) {}
    let deliver = DeliveryLayer::new(MemoryStore::new());
    shared(&deliver);
    let mut service = ServiceBuilder::new()
        .layer(deliver)
        .service_fn(support::accept::<Full<Bytes>>);
    shared(&service);
    let mut answer = ByHand::new(sent(service.call(support::unsigned("x"))));
    let Poll::Ready(Ok(answer)) = answer.poll() else {
        panic!("it is refused at once");
    };
    assert_eq!(kind(&answer), Some(RejectionKind::LayerMissing));
}
