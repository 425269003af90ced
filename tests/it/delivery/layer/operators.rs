//! What operators see of deliveries.

use support::Lines;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::fmt::format::FmtSpan;

use super::*;

/// Counters by name and labels.
#[derive(Clone, Default)]
struct Counters(Arc<Mutex<BTreeMap<String, Arc<AtomicU64>>>>);

struct Count(Arc<AtomicU64>);

impl CounterFn for Count {
    fn increment(&self, value: u64) {
        self.0.fetch_add(value, Ordering::SeqCst);
    }

    fn absolute(&self, value: u64) {
        self.0.store(value, Ordering::SeqCst);
    }
}

impl Recorder for Counters {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        let labels = key.labels();
        let labels = labels.map(|label| format!("{}={}", label.key(), label.value()));
        let name = format!("{} {}", key.name(), labels.collect::<Vec<_>>().join(" "));
        let mut counters = self.0.lock().unwrap();
        Counter::from_arc(Arc::new(Count(Arc::clone(
            counters.entry(name).or_default(),
        ))))
    }

    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::noop()
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}

/// Sees what this thread says for as long as it lives.
struct Operator {
    log: Lines,
    counters: Counters,
    _log: tracing::subscriber::DefaultGuard,
    _recorder: metrics::LocalRecorderGuard<'static>,
}

impl Operator {
    fn watch() -> Self {
        let (log, guard) = Lines::of_this_thread(LevelFilter::TRACE, FmtSpan::NONE);
        let counters: &'static Counters = Box::leak(Box::default());
        Self {
            log,
            counters: counters.clone(),
            _log: guard,
            _recorder: metrics::set_default_local_recorder(counters),
        }
    }

    /// The lines since the last call.
    fn lines(&self) -> Vec<String> {
        let text = self.log.take();
        text.lines().map(str::to_owned).collect()
    }

    fn deliveries(&self) -> BTreeMap<String, u64> {
        let counters = self.counters.0.lock().unwrap();
        let deliveries = counters.iter().filter_map(|(name, count)| {
            let labels = name.strip_prefix("webhook_deliveries_total ")?;
            Some((labels.to_owned(), count.load(Ordering::SeqCst)))
        });
        deliveries.collect()
    }
}

type Told = Arc<Mutex<Vec<(DeliveryKey, DeliveryOutcome)>>>;

/// The store, a stack on it, and what its hook is told.
fn told(handler: &Handler, policy: OutagePolicy) -> (Arc<Scripted>, Stack, Told) {
    let store = Scripted::new();
    let told = Told::default();
    let hook = Arc::clone(&told);
    let deliver = DeliveryLayer::new(Store(Arc::clone(&store)))
        .with_outage_policy(policy)
        .on_delivery(move |event, outcome| {
            hook.lock().unwrap().push((event.delivery_key(), outcome));
        });
    let stack = stack(deliver, handler);
    (store, stack, told)
}

/// What the handler does, what the store does once, the policy, the outcomes in order, the level of
/// the last line.
type Story<'s> = (
    &'s [Act],
    Option<(Op, Fault)>,
    OutagePolicy,
    &'s [DeliveryOutcome],
    &'s str,
);

/// Each outcome, at the end of a story of its own.
#[tokio::test(start_paused = true)]
async fn every_outcome_is_told_to_hook_log_and_counter() {
    use DeliveryOutcome::{CompleteFailed, Done, InProgress, New, Outage, Released, Waited};
    let fails = |kind| Some((Op::Complete, Fault::Fails(kind)));
    let away = Some((Op::Claim, Fault::Fails(StoreErrorKind::Unavailable)));
    let lost = Some((Op::Complete, Fault::Lost));
    let unreleased = Some((Op::Release, Fault::Fails(StoreErrorKind::Timeout)));
    let (answers, lasts) = (Act::Answers, |status| Act::Sleeps(SECOND, status));
    let rows: [Story<'_>; 12] = [
        (&[answers(200)], None, OutagePolicy::Refuse, &[New], "DEBUG"),
        (
            &[answers(200)],
            None,
            OutagePolicy::Refuse,
            &[New, Done],
            "INFO",
        ),
        (
            &[lasts(200)],
            None,
            OutagePolicy::Refuse,
            &[New, Waited],
            "INFO",
        ),
        (
            &[Act::Sleeps(9 * SECOND, 200)],
            None,
            OutagePolicy::Refuse,
            &[InProgress, New],
            "DEBUG",
        ),
        (
            &[lasts(500)],
            None,
            OutagePolicy::Refuse,
            &[Released, New],
            "DEBUG",
        ),
        (
            &[answers(500)],
            None,
            OutagePolicy::Refuse,
            &[Released],
            "WARN",
        ),
        (
            &[answers(404)],
            unreleased,
            OutagePolicy::Refuse,
            &[Released],
            "WARN",
        ),
        (&[], away, OutagePolicy::Refuse, &[Outage], "ERROR"),
        (
            &[answers(200)],
            away,
            OutagePolicy::Allow,
            &[Outage],
            "ERROR",
        ),
        (
            &[answers(200)],
            fails(StoreErrorKind::Timeout),
            OutagePolicy::Refuse,
            &[CompleteFailed],
            "ERROR",
        ),
        (
            &[answers(200)],
            fails(StoreErrorKind::Full),
            OutagePolicy::Allow,
            &[CompleteFailed],
            "ERROR",
        ),
        (
            &[answers(200)],
            lost,
            OutagePolicy::Refuse,
            &[CompleteFailed],
            "ERROR",
        ),
    ];
    for (acts, fault, policy, outcomes, level) in rows {
        let operator = Operator::watch();
        let handler = Handler::new(acts.iter().copied());
        let (store, stack, told) = told(&handler, policy);
        if let Some((op, fault)) = fault {
            store.fault(op, fault);
        }
        let body = body();
        let first = ByHand::new(call(&stack, &body));
        // The second begins when the first is waiting or over.
        let second = async {
            sleep(Duration::from_millis(1)).await;
            if outcomes.len() > 1 {
                call(&stack, &body).await;
            }
        };
        tokio::join!(first.0, second);

        let key = key_of(&body);
        let expected: Vec<_> = outcomes.iter().map(|outcome| (key, *outcome)).collect();
        assert_eq!(*told.lock().unwrap(), expected, "{acts:?} {fault:?}");

        let lines = operator.lines();
        let said = lines.iter().filter(|line| line.contains(": delivery "));
        let said: Vec<_> = said.collect();
        assert_eq!(said.len(), outcomes.len(), "{lines:#?}");
        for (line, outcome) in said.iter().zip(outcomes) {
            assert!(line.contains(&format!(" delivery=\"{outcome}\"")), "{line}");
            assert!(
                line.contains(r#"provider="github" endpoint="hook""#),
                "{line}"
            );
            let field = format!("delivery_key={key}");
            assert_eq!(line.matches(&field).count(), 1, "{line}");
            assert!(line.contains("webhook{"), "{line}");
        }
        let last = said.last().unwrap();
        assert!(last.trim_start().starts_with(level), "{last}");
        let errors = fault.is_some_and(|(_, fault)| matches!(fault, Fault::Fails(_)));
        assert_eq!(last.contains("the store is away"), errors, "{last}");
        for line in &lines {
            let (content, secret) = ("secret content", GITHUB_SECRET);
            assert!(!line.contains(content) && !line.contains(secret), "{line}");
        }

        let mut counted = BTreeMap::new();
        for outcome in outcomes {
            let labels = format!("provider=github endpoint=hook outcome={outcome}");
            *counted.entry(labels).or_insert(0) += 1;
        }
        assert_eq!(operator.deliveries(), counted);
    }
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_is_cut_off_is_told_as_released() {
    let operator = Operator::watch();
    for act in [Act::Panics, Act::Answers(500)] {
        let handler = Handler::new([act]);
        let (store, stack, told) = told(&handler, OutagePolicy::Refuse);
        store.fault(Op::Release, Fault::Slow(SECOND / 2));
        let body = body();
        let attempt = spawn(&stack, &body);
        sleep(SECOND / 4).await;
        attempt.abort();
        assert!(attempt.await.is_err());
        sleep(SECOND).await;
        let expected = [(key_of(&body), DeliveryOutcome::Released)];
        assert_eq!(*told.lock().unwrap(), expected, "{act:?}");
    }
    let counted = operator.deliveries();
    assert_eq!(counted.values().sum::<u64>(), 2, "{counted:?}");
}

/// A second panic while the first one unwinds would end the process.
#[tokio::test(start_paused = true)]
async fn a_hook_that_panics_after_the_handler_did_does_no_more_harm() {
    let handler = Handler::new([Act::Panics]);
    let store = Arc::new(MemoryStore::new());
    let deliver = DeliveryLayer::new(Arc::clone(&store)).on_delivery(|_, outcome| {
        assert_ne!(outcome, DeliveryOutcome::Released, "the hook panics, too");
    });
    let stack = stack(deliver, &handler);
    let body = body();
    assert!(spawn(&stack, &body).await.unwrap_err().is_panic());
    sleep(SECOND).await;
    assert_eq!(store.in_progress(), 0);
    assert_eq!(call(&stack, &body).await.status(), 200);
    assert_eq!(handler.called(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_is_cut_off_before_it_is_handled_is_no_outcome() {
    let handler = Handler::new([Act::Waits(200)]);
    let (store, stack, told) = told(&handler, OutagePolicy::Refuse);
    let body = body();
    let first = spawn(&stack, &body);
    handler.until_running(1).await;
    let waiting = spawn(&stack, &body);
    store.until(Op::Claim, "Claimed(InProgress", 1).await;
    waiting.abort();
    assert!(waiting.await.is_err());
    store.fault(Op::Claim, Fault::Slow(SECOND));
    let asking = spawn(&stack, &body);
    tokio::task::yield_now().await;
    asking.abort();
    assert!(asking.await.is_err());
    assert_eq!(*told.lock().unwrap(), []);
    handler.let_go();
    first.await.unwrap();
    let expected = [(key_of(&body), DeliveryOutcome::New)];
    assert_eq!(*told.lock().unwrap(), expected);
}

#[tokio::test(start_paused = true)]
async fn a_completion_that_nobody_waits_for_is_told_when_it_is_done() {
    for (fault, expected) in [
        (Fault::Slow(SECOND), DeliveryOutcome::New),
        (
            Fault::Fails(StoreErrorKind::Timeout),
            DeliveryOutcome::CompleteFailed,
        ),
        (Fault::Lost, DeliveryOutcome::CompleteFailed),
    ] {
        let handler = Handler::new([Act::Sleeps(SECOND, 200)]);
        let (store, stack, told) = told(&handler, OutagePolicy::Refuse);
        store.fault(Op::Complete, fault);
        let body = body();
        let attempt = spawn(&stack, &body);
        handler.until_running(1).await;
        attempt.abort();
        assert!(attempt.await.is_err());
        sleep(3 * SECOND).await;
        let expected = [(key_of(&body), expected)];
        assert_eq!(*told.lock().unwrap(), expected, "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_renewal_that_fails_and_a_claim_that_is_lost_are_told() {
    let operator = Operator::watch();
    let handler = Handler::new([Act::Sleeps(LEASE, 200)]);
    let (store, _, stack) = scripted(&handler);
    store.fault(Op::Renew, Fault::Fails(StoreErrorKind::Unavailable));
    store.fault(Op::Renew, Fault::Lost);
    let body = body();
    assert_eq!(call(&stack, &body).await.status(), 200);
    let lines = operator.lines();
    let key = format!("delivery_key={}", key_of(&body));
    for said in [
        "could not be renewed; renewal will be retried",
        "and another request handles the delivery",
    ] {
        let mut line = lines.iter().filter(|line| line.contains(said));
        let line = line.next().unwrap_or_else(|| panic!("{said}: {lines:#?}"));
        assert!(line.trim_start().starts_with("WARN"), "{line}");
        assert!(line.matches(&key).count() == 1, "{line}");
    }
    assert_eq!(store.count(Op::Renew), 2);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_told_once_with_its_reason() {
    let operator = Operator::watch();
    let handler = Handler::new([]);
    for (store_kind, expected) in [
        (
            StoreErrorKind::Unavailable,
            RejectionKind::DeliveryStoreFailed,
        ),
        (StoreErrorKind::Timeout, RejectionKind::DeliveryStoreTimeout),
        (StoreErrorKind::Full, RejectionKind::DeliveryStoreFull),
    ] {
        let (store, _, stack) = scripted(&handler);
        store.fault(Op::Claim, Fault::Fails(store_kind));
        let answer = call(&stack, &body()).await;
        assert_eq!(kind(&answer), Some(expected));
        assert_eq!(refusal(&answer).unwrap().endpoint(), Some("hook"));
        let name = format!("kind=\"{expected}\"");
        let lines = operator.lines();
        let said = lines
            .iter()
            .filter(|line| line.contains("webhook not handled"));
        assert_eq!(
            said.filter(|line| line.contains(&name)).count(),
            1,
            "{lines:#?}"
        );
        let counters = operator.counters.0.lock().unwrap();
        let name = format!(
            "webhook_refused_total provider=github endpoint=hook kind={expected} enforced=true"
        );
        assert_eq!(counters[&name].load(Ordering::SeqCst), 1);
    }
    assert_eq!(handler.called(), 0);
}

#[tokio::test]
async fn the_log_says_how_to_mend_a_missing_layer_and_a_wrong_order() {
    let operator = Operator::watch();
    for wrong_side in [false, true] {
        let verify = WebhookVerifyLayer::new(github().with_endpoint("hook"));
        let service = ServiceBuilder::new()
            .layer(DeliveryLayer::new(MemoryStore::new()))
            .option_layer(wrong_side.then_some(verify))
            .service_fn(support::accept::<Full<Bytes>>);
        let answer = service
            .oneshot(signed(body()).map(Full::new))
            .await
            .unwrap();
        assert_eq!(answer.status(), 500);
        assert_eq!(kind(&answer), Some(RejectionKind::LayerMissing));
        let lines = operator.lines();
        let line = lines
            .iter()
            .find(|line| line.contains("webhook not handled"))
            .unwrap();
        assert!(line.trim_start().starts_with("ERROR"), "{line}");
        assert!(line.contains("WebhookVerifyLayer"), "{line}");
        assert!(
            line.contains("must be inside the WebhookVerifyLayer"),
            "{line}"
        );
    }
}

/// Two layers with one store: the outer one counts, and the inner one stands aside and says so
/// once.
#[tokio::test]
async fn a_delivery_that_passes_through_two_layers_is_claimed_once() {
    let operator = Operator::watch();
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let layer = DeliveryLayer::new(MemoryStore::new());
    let service = ServiceBuilder::new()
        .layer(WebhookVerifyLayer::new(github()))
        .layer(layer.clone())
        .layer(layer)
        .service_fn(move |_: Request<Full<Bytes>>| {
            counted.fetch_add(1, Ordering::SeqCst);
            async { Ok::<_, Infallible>(http::Response::new(Full::<Bytes>::default())) }
        });
    for _ in 0..3 {
        let request = signed("{}").map(Full::new);
        let response = service.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), 200);
    }
    assert_eq!(calls.load(Ordering::SeqCst), 1);
    let lines = operator.lines();
    let told = lines
        .iter()
        .filter(|line| line.contains("two delivery layers"));
    assert_eq!(told.count(), 1, "{lines:#?}");
}
#[tokio::test]
async fn a_delivery_that_passes_through_two_layers_of_actix_is_claimed_once() {
    use actix_web::{App, HttpResponse, test, web};

    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let layer = DeliveryLayer::new(MemoryStore::new());
    let handler = move || {
        counted.fetch_add(1, Ordering::SeqCst);
        async { HttpResponse::Ok().finish() }
    };
    let route = web::post()
        .to(handler)
        .wrap(layer.clone())
        .wrap(layer)
        .wrap(WebhookVerifyLayer::new(github()));
    let app = test::init_service(App::new().route("/hook", route)).await;
    let signed = signed("{}");
    for _ in 0..2 {
        let mut request = test::TestRequest::post().uri("/hook");
        for (name, value) in signed.headers() {
            request = request.append_header((name.as_str(), value.as_bytes()));
        }
        let request = request.set_payload(signed.body().clone()).to_request();
        assert_eq!(test::call_service(&app, request).await.status(), 200);
    }
    assert_eq!(calls.load(Ordering::SeqCst), 1);
}
