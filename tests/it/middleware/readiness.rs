//! The contract of Tower: only the service that was ready is called, waiting passes through, and a
//! dropped future frees what it held.

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::Full;
use support::{
    Answer, Rest, Strict, TestBody, Watch, accept, data, kind, layer, signed, signed_steps,
    unsigned,
};
use tokio::sync::Notify;
use tower::{Service, ServiceBuilder, ServiceExt, limit::ConcurrencyLimitLayer, service_fn};
use tower_test::mock;
use tower_webhook::{RejectionKind, VerifiedEvent};

type Mocked =
    mock::Spawn<tower_webhook::middleware::WebhookVerify<mock::Mock<Request<TestBody>, Answer>>>;
type Handle = mock::Handle<Request<TestBody>, Answer>;

fn mocked() -> (Mocked, Handle) {
    mock::spawn_layer(layer())
}

/// A signed request whose body never completes.
fn hanging() -> (Request<TestBody>, Arc<Watch>) {
    let body = TestBody::new([data("bo")]).then(Rest::Hang);
    let watch = body.watch();
    (signed("body").map(|_| body), watch)
}

#[tokio::test]
async fn the_service_that_was_ready_is_the_one_that_is_called() {
    let mut service = ServiceBuilder::new()
        .layer(layer())
        .service(Strict::default());
    let mut called = Vec::new();
    for _ in 0..3 {
        let (request, _) = signed_steps([data("bo"), support::Step::Yield, data("dy")]);
        let response = ServiceExt::<Request<TestBody>>::ready(&mut service)
            .await
            .unwrap()
            .call(request)
            .await
            .unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        called.push(*response.extensions().get::<usize>().unwrap());
    }
    // Each call takes the ready one out and leaves a clone in its place.
    assert_eq!(called, [0, 1, 2]);
}

#[tokio::test]
async fn a_call_while_another_is_read_goes_to_a_service_of_its_own() {
    let mut service = ServiceBuilder::new()
        .layer(layer())
        .service(Strict::default());
    let (request, _) = hanging();
    let reading = ServiceExt::<Request<TestBody>>::ready(&mut service)
        .await
        .unwrap()
        .call(request);
    let mut reading = by_hand(reading);
    assert!(reading.poll().is_pending());
    let request = signed("body").map(TestBody::from);
    let response = ServiceExt::<Request<TestBody>>::ready(&mut service)
        .await
        .unwrap()
        .call(request)
        .await
        .unwrap();
    assert_eq!(response.extensions().get::<usize>(), Some(&1));
}

/// A future that a test polls by hand.
fn by_hand<F: Future>(future: F) -> Polled<F> {
    Polled(Box::pin(future))
}

struct Polled<F>(std::pin::Pin<Box<F>>);

impl<F: Future> Polled<F> {
    fn poll(&mut self) -> Poll<F::Output> {
        let mut cx = Context::from_waker(std::task::Waker::noop());
        self.0.as_mut().poll(&mut cx)
    }
}

#[tokio::test]
async fn the_mock_of_tower_test_is_called_only_when_it_was_ready() {
    let (mut service, mut handle) = mocked();
    for _ in 0..3 {
        assert!(service.poll_ready().is_ready());
        let (request, _) = signed_steps([data("bo"), support::Step::Yield, data("dy")]);
        let mut answer = by_hand(service.call(request));
        assert!(answer.poll().is_pending(), "the body is not complete");
        assert!(answer.poll().is_pending(), "the mock has not answered");
        let (request, reply) = handle.next_request().await.unwrap();
        let event = VerifiedEvent::<Bytes>::from_extensions(request.extensions()).unwrap();
        assert_eq!(event.payload(), "body");
        reply.send_response(Answer::default());
        let Poll::Ready(response) = answer.poll() else {
            panic!("the mock has answered");
        };
        assert_eq!(response.unwrap().status(), StatusCode::OK);
    }
}

#[tokio::test]
async fn an_inner_service_that_is_not_ready_makes_callers_wait() {
    let (mut service, mut handle) = mocked();
    handle.allow(0);
    assert!(service.poll_ready().is_pending());
    assert!(!service.is_woken());
    handle.allow(1);
    assert!(service.is_woken(), "the caller's own waker is passed on");
    assert!(service.poll_ready().is_ready());
    let mut answer = by_hand(service.call(signed("x").map(TestBody::from)));
    assert!(answer.poll().is_pending());
    assert!(service.poll_ready().is_pending(), "one was allowed");
    handle.send_error("inner error");
    let Poll::Ready(Err(error)) = service.poll_ready() else {
        panic!("an error of readiness passes through");
    };
    assert_eq!(error.to_string(), "inner error");
}

#[tokio::test]
async fn a_refused_request_does_not_reach_the_mock() {
    let (mut service, mut handle) = mocked();
    let (mut wrong, _) = signed_steps([data("bo"), data("dy")]);
    *wrong.body_mut() = TestBody::new([data("bo"), data("dx")]);
    let mut bare = signed("x").map(TestBody::from);
    bare.headers_mut().clear();
    for (request, expected) in [
        (bare, RejectionKind::MissingHeader),
        (wrong, RejectionKind::SignatureMismatch),
    ] {
        assert!(service.poll_ready().is_ready());
        let response = service.call(request).await.unwrap();
        assert_eq!(kind(&response), Some(expected));
        assert!(handle.poll_request().is_pending());
    }
    // The readiness that the refused ones did not use is not lost.
    assert!(service.poll_ready().is_ready());
    let mut answer = by_hand(service.call(signed("x").map(TestBody::from)));
    assert!(answer.poll().is_pending());
    assert!(handle.poll_request().is_ready());
}

#[tokio::test]
async fn a_concurrency_limit_inside_lets_one_after_the_other_through() {
    let go = Arc::new(Notify::new());
    let wait = Arc::clone(&go);
    let handler = service_fn(move |_: Request<TestBody>| {
        let wait = Arc::clone(&wait);
        async move {
            wait.notified().await;
            Ok::<_, Infallible>(Answer::default())
        }
    });
    let service = ServiceBuilder::new()
        .layer(layer())
        .layer(ConcurrencyLimitLayer::new(1))
        .service(handler);
    let request = || signed("x").map(TestBody::from);

    let mut first = by_hand(service.clone().oneshot(request()));
    assert!(first.poll().is_pending());
    let mut second = by_hand(service.clone().oneshot(request()));
    assert!(second.poll().is_pending(), "the only permit is taken");
    go.notify_one();
    assert!(matches!(first.poll(), Poll::Ready(Ok(_))));
    go.notify_one();
    assert!(matches!(second.poll(), Poll::Ready(Ok(_))));
}

/// A service under a limit of one, and whether that one is free.
fn limited<S>(
    handler: S,
) -> (
    impl Service<Request<TestBody>, Response = Answer, Error = Infallible> + Clone,
    Arc<tokio::sync::Semaphore>,
)
where
    S: Service<Request<TestBody>, Response = Answer, Error = Infallible> + Clone,
{
    let permits = Arc::new(tokio::sync::Semaphore::new(1));
    let limit = tower::limit::GlobalConcurrencyLimitLayer::with_semaphore(Arc::clone(&permits));
    let service = ServiceBuilder::new()
        .layer(layer())
        .layer(limit)
        .service(handler);
    (service, permits)
}

#[tokio::test]
async fn a_future_that_is_dropped_while_it_reads_frees_permit_and_body() {
    let (service, permits) = limited(service_fn(accept));
    for _ in 0..3 {
        let (request, watch) = hanging();
        let mut reading = by_hand(service.clone().oneshot(request));
        assert!(reading.poll().is_pending());
        assert!(watch.polls() > 0);
        assert_eq!(permits.available_permits(), 0);
        drop(reading);
        assert!(watch.is_dropped());
        assert_eq!(permits.available_permits(), 1);
    }
    let response = service
        .oneshot(signed("x").map(TestBody::from))
        .await
        .unwrap();
    assert_eq!(response.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_future_that_is_dropped_while_the_handler_runs_drops_the_handler() {
    let running = Arc::new(());
    let held = Arc::clone(&running);
    let (service, permits) = limited(service_fn(move |_: Request<TestBody>| {
        let held = Arc::clone(&held);
        async move {
            std::future::pending::<()>().await;
            drop(held);
            Ok(Answer::default())
        }
    }));
    let before = Arc::strong_count(&running);
    let mut calling = by_hand(service.clone().oneshot(signed("x").map(TestBody::from)));
    assert!(calling.poll().is_pending());
    assert!(Arc::strong_count(&running) > before);
    assert_eq!(permits.available_permits(), 0);
    drop(calling);
    assert_eq!(Arc::strong_count(&running), before);
    assert_eq!(permits.available_permits(), 1);
}

#[tokio::test]
async fn a_refusal_frees_permit_and_body_before_it_is_answered() {
    let (service, permits) = limited(service_fn(accept));
    let body = TestBody::new([data("wrong")]);
    let watch = body.watch();
    let response = service
        .clone()
        .oneshot(signed("x").map(|_| body))
        .await
        .unwrap();
    assert_eq!(kind(&response), Some(RejectionKind::SignatureMismatch));
    assert!(watch.is_dropped());
    assert_eq!(permits.available_permits(), 1);
}

#[tokio::test]
async fn a_service_that_is_kept_does_not_leak_permits_over_refusals() {
    let (mut service, permits) = limited(service_fn(accept));
    for _ in 0..5 {
        let bad = unsigned("x").map(|_| TestBody::new(None));
        let response = ServiceExt::<Request<TestBody>>::ready(&mut service)
            .await
            .unwrap()
            .call(bad)
            .await
            .unwrap();
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
        let good = signed("x").map(TestBody::from);
        let response = ServiceExt::<Request<TestBody>>::ready(&mut service)
            .await
            .unwrap()
            .call(good)
            .await
            .unwrap();
        assert_eq!(response.status(), StatusCode::OK);
    }
    drop(service);
    assert_eq!(permits.available_permits(), 1);
}

#[tokio::test]
async fn a_buffer_inside_and_one_outside_work() {
    let inside = ServiceBuilder::new()
        .layer(layer())
        .buffer(1)
        .service_fn(accept::<Full<Bytes>>);
    let outside = ServiceBuilder::new()
        .buffer::<Request<Full<Bytes>>>(1)
        .layer(layer())
        .concurrency_limit(1)
        .service_fn(accept::<Full<Bytes>>);
    let mut inside = inside;
    let mut outside = outside;
    for _ in 0..5 {
        let good = inside
            .ready()
            .await
            .unwrap()
            .call(signed("x").map(Full::new))
            .await
            .unwrap();
        assert_eq!(good.status(), StatusCode::OK);
        let bad = inside
            .ready()
            .await
            .unwrap()
            .call(unsigned("x"))
            .await
            .unwrap();
        assert_eq!(bad.status(), StatusCode::UNAUTHORIZED);
        let good = outside
            .ready()
            .await
            .unwrap()
            .call(signed("x").map(Full::new))
            .await
            .unwrap();
        assert_eq!(good.status(), StatusCode::OK);
        let bad = outside
            .ready()
            .await
            .unwrap()
            .call(unsigned("x"))
            .await
            .unwrap();
        assert_eq!(bad.status(), StatusCode::UNAUTHORIZED);
    }
}

#[tokio::test]
async fn many_at_once_share_a_limit_inside_a_buffer() {
    let most = Arc::new(AtomicUsize::new(0));
    let now = Arc::new(AtomicUsize::new(0));
    let (high, current) = (Arc::clone(&most), Arc::clone(&now));
    let service = ServiceBuilder::new()
        .layer(layer())
        .buffer(4)
        .concurrency_limit(2)
        .service_fn(move |_: Request<TestBody>| {
            let (high, current) = (Arc::clone(&high), Arc::clone(&current));
            async move {
                let running = current
                    .fetch_add(1, Ordering::SeqCst)
                    .checked_add(1)
                    .unwrap();
                high.fetch_max(running, Ordering::SeqCst);
                tokio::task::yield_now().await;
                current.fetch_sub(1, Ordering::SeqCst);
                Ok::<_, Infallible>(Answer::default())
            }
        });
    let tasks: Vec<_> = (0..40)
        .map(|_| {
            let (request, _) = signed_steps([data("bo"), support::Step::Yield, data("dy")]);
            tokio::spawn(service.clone().oneshot(request))
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap().unwrap().status(), StatusCode::OK);
    }
    assert_eq!(most.load(Ordering::SeqCst), 2);
}
