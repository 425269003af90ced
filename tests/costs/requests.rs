//! What a request costs, counted and not timed: copies, reserved memory, polls and allocations.

use std::{
    convert::Infallible,
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use http::{HeaderValue, Request};
use http_body_util::{BodyExt, Full};
use stats_alloc::Region;
use support::{
    Answer, Step, TestBody, accept, at, github, github_signer, kind, signed, signed_steps, svix,
    svix_signer,
};
use tower::{Layer, Service, ServiceBuilder, ServiceExt};
use tower_webhook::{RejectionKind, VerifiedEvent, WebhookVerifyLayer, verify::Head};

use crate::{GLOBAL, alone, held};

const SLACK: usize = 64 * 1024;

/// What the check itself needs beside the body, and what the harness allocates meanwhile.
const AROUND: usize = 16 * 1024;

#[tokio::test]
async fn a_body_of_one_frame_is_never_copied() {
    let _alone = alone();
    for before in [&[][..], &[Step::Data(Bytes::new())]] {
        let sent = Bytes::from(vec![b'x'; 100_000]);
        let address = sent.as_ptr();
        let steps = before
            .iter()
            .cloned()
            .chain([Step::Data(sent.clone()), Step::Data(Bytes::new())]);
        let (request, _) = signed_steps(steps);
        let handler = tower::service_fn(move |request: Request<TestBody>| async move {
            let event = VerifiedEvent::<Bytes>::from_extensions(request.extensions()).unwrap();
            assert_eq!(
                event.body().as_ptr(),
                address,
                "the event's body is the frame"
            );
            assert_eq!(event.payload().as_ptr(), address);
            let frame = request.into_body().frame().await.unwrap().unwrap();
            assert_eq!(
                frame.into_data().unwrap().as_ptr(),
                address,
                "and so is the handler's"
            );
            Ok::<_, Infallible>(Answer::default())
        });
        let service = ServiceBuilder::new()
            .layer(WebhookVerifyLayer::new(github()))
            .service(handler);
        let response = service.oneshot(request).await.unwrap();
        assert_eq!(kind(&response), None);
    }
}

#[tokio::test]
async fn a_body_of_one_frame_costs_no_memory_of_its_size() {
    let _alone = alone();
    let sent = Bytes::from(vec![b'x'; 10 << 20]);
    let mut service = ServiceBuilder::new()
        .layer(WebhookVerifyLayer::new(github()))
        .service_fn(accept::<Full<Bytes>>);
    let request = signed(sent).map(Full::new);
    let service = service.ready().await.unwrap();
    let region = Region::new(GLOBAL);
    let response = service.call(request).await.unwrap();
    let spent = region.change().bytes_allocated;
    assert_eq!(kind(&response), None);
    assert!(spent < AROUND, "{spent} bytes");
}

#[test]
fn a_service_is_made_of_a_layer_without_an_allocation() {
    let _alone = alone();
    // axum makes one for each request where a route is given its state late.
    let layer = WebhookVerifyLayer::new(github());
    let made = (0..3).map(|_| {
        let inner = tower::service_fn(accept::<Full<Bytes>>);
        let region = Region::new(GLOBAL);
        let service = layer.layer(inner);
        let allocations = region.change().allocations;
        drop(service);
        allocations
    });
    // The harness may allocate meanwhile.
    assert_eq!(made.min(), Some(0));
}

/// Reads a body of `frames` whose sender declares `declared`, and says how often memory was
/// reserved for it anew and how much. The harness may allocate meanwhile; the least of several
/// rounds is the check's own.
fn read(frames: &[&'static [u8]], declared: Option<&str>) -> (usize, usize) {
    let verifier = github().with_max_body(usize::MAX);
    let whole = Bytes::from(frames.concat());
    let mut request = github_signer()
        .sign(Request::post("/"), whole.clone())
        .unwrap();
    if let Some(declared) = declared {
        let declared = HeaderValue::from_str(declared).unwrap();
        request.headers_mut().insert("content-length", declared);
    }
    let (head, _) = request.into_parts();
    let round = |_| {
        let region = Region::new(GLOBAL);
        let checked = verifier.check_head(&Head::from(&head), at(0)).unwrap();
        let mut request = checked.with_keys(verifier.keys()).unwrap();
        let mut received = 0;
        for frame in frames {
            request.update(Bytes::from_static(frame)).unwrap();
            received += frame.len();
            let held = held(&region);
            assert!(
                held <= 2 * received + SLACK + AROUND,
                "{declared:?}: {held} bytes are held for {received}"
            );
        }
        let event = request.verify().unwrap();
        assert_eq!(event.body(), &whole);
        let change = region.change();
        (change.reallocations, change.bytes_allocated)
    };
    (0..3).map(round).min().unwrap()
}

static FRAME: [u8; 16 * 1024] = [b'x'; 16 * 1024];

#[test]
fn reserved_memory_follows_what_arrived_whatever_is_declared() {
    let _alone = alone();
    let length = (64 * FRAME.len()).to_string();
    for declared in [
        None,
        Some("0"),
        Some("1"),
        Some(&*length),
        Some("1048577"),
        Some("1073741824"),
        Some("4398046511104"),
        Some("18446744073709551615"),
    ] {
        read(&[&FRAME[..]; 64], declared);
        let small: Vec<&[u8]> = FRAME.chunks(10).collect();
        read(&small, declared);
        read(&[&FRAME[..1], &FRAME[..1]], declared);
    }
}

#[test]
fn a_declared_length_that_is_near_is_reserved_once() {
    let _alone = alone();
    // Less than the slack: reserved at the second frame.
    let frames: Vec<&[u8]> = FRAME.chunks(100).collect();
    let length = FRAME.len();
    let (again, spent) = read(&frames, Some(&length.to_string()));
    assert_eq!(again, 0, "a body of known length is copied once");
    assert!(
        (length..length + AROUND).contains(&spent),
        "{spent} for {length}"
    );
}

#[test]
fn an_undeclared_length_is_amortised() {
    let _alone = alone();
    let frames: Vec<&[u8]> = FRAME.iter().map(std::slice::from_ref).collect();
    let (again, spent) = read(&frames, None);
    assert!(
        (1..=8).contains(&again),
        "{again} times for {} frames",
        frames.len()
    );
    assert!(spent <= 2 * FRAME.len() + AROUND, "{spent}");
}

#[tokio::test]
async fn the_layer_too_holds_no_more_than_arrived() {
    let _alone = alone();
    let frames = 64;
    let steps = (0..frames).flat_map(|_| [Step::Data(Bytes::from_static(&FRAME)), Step::Yield]);
    let (mut request, watch) = signed_steps(steps);
    let declared = HeaderValue::from_static("1099511627776");
    request.headers_mut().insert("content-length", declared);
    let layer = WebhookVerifyLayer::new(github().with_max_body(usize::MAX));
    let mut service = ServiceBuilder::new()
        .layer(layer)
        .service_fn(accept::<TestBody>);
    let service = service.ready().await.unwrap();
    let region = Region::new(GLOBAL);
    let mut future = Box::pin(service.call(request));
    let mut cx = Context::from_waker(Waker::noop());
    let mut turns = 0;
    let response = loop {
        if let Poll::Ready(response) = future.as_mut().poll(&mut cx) {
            break response.unwrap();
        }
        turns += 1;
        let received = turns * FRAME.len();
        let held = held(&region);
        assert!(
            held <= 2 * received + SLACK + AROUND,
            "{held} bytes are held for {received}"
        );
    };
    assert_eq!(kind(&response), None);
    assert_eq!(turns, frames);
    assert_eq!(watch.polls(), 2 * frames + 1);
}

/// The allocations of a request that is answered at once: the least of several rounds, since the
/// harness may allocate meanwhile.
fn allocations(
    service: &mut impl Service<Request<Full<Bytes>>, Response = Answer, Error = Infallible>,
    (signed, status): (&Request<Bytes>, u16),
) -> usize {
    let mut cx = Context::from_waker(Waker::noop());
    let rounds = (0..10).map(|_| {
        let request = signed.clone().map(Full::new);
        let region = Region::new(GLOBAL);
        assert!(service.poll_ready(&mut cx).is_ready());
        let future = std::pin::pin!(service.call(request));
        let Poll::Ready(response) = future.poll(&mut cx) else {
            panic!("it waits");
        };
        let change = region.change();
        assert_eq!(response.unwrap().status(), status);
        change.allocations + change.reallocations
    });
    rounds.min().unwrap()
}

#[test]
fn a_request_costs_one_allocation_beside_those_of_http() {
    let _alone = alone();
    let of_http = |act: &dyn Fn()| {
        let rounds = (0..10).map(|_| {
            let region = Region::new(GLOBAL);
            act();
            region.change().allocations
        });
        rounds.min().unwrap()
    };
    // What the first entry of each map costs, whatever it is.
    let extensions = of_http(&|| {
        http::Extensions::new().insert([1_u64; 4]);
    });
    let headers = of_http(&|| {
        let name = http::header::WWW_AUTHENTICATE;
        http::HeaderMap::new().insert(name, HeaderValue::from_static("Webhook"));
    });
    // The labels of the counters, whoever counts: two of an event, one of a refusal, and their
    // texts.
    let (counted, counted_refusal) = if cfg!(feature = "all") {
        (5, 2)
    } else {
        (0, 0)
    };
    let time = || at(1_700_000_000);
    for (verifier, signer) in [(github(), github_signer()), (svix(), svix_signer())] {
        let signer = signer.with_time(time());
        for size in [0, 71, 100_000] {
            let request = Request::post("/hook").header("content-length", size);
            let request = request.header("svix-id", "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W");
            let signed = signer.sign(request, Bytes::from(vec![b'x'; size])).unwrap();
            let layer = WebhookVerifyLayer::new(verifier.clone()).with_clock(time);
            let ready = |request| {
                drop(request);
                std::future::ready(Ok::<_, Infallible>(Answer::default()))
            };
            let mut service = layer.layer(tower::service_fn(ready));
            let accepted = allocations(&mut service, (&signed, 200));
            let bare = allocations(&mut tower::service_fn(ready), (&signed, 200));
            assert_eq!(
                accepted - bare,
                extensions + 1 + counted,
                "{verifier:?} {size}"
            );

            let mut unsigned = signed;
            unsigned.headers_mut().remove("x-hub-signature-256");
            unsigned.headers_mut().remove("svix-signature");
            let refused = allocations(&mut service, (&unsigned, 401));
            // A 401 has to name a way to authenticate, and the operator gets method, path, id and
            // hints.
            let expected = extensions + headers + 1 + counted_refusal + 6;
            assert!(
                refused - bare <= expected,
                "{verifier:?} {size}: {refused} {bare} {expected}"
            );
        }
    }
}

#[tokio::test]
async fn a_request_that_its_head_condemns_costs_no_poll_and_little_memory() {
    let _alone = alone();
    for (header, value, expected) in [
        (
            "content-length",
            "4398046511104",
            RejectionKind::BodyTooLarge,
        ),
        (
            "content-length",
            "18446744073709551615",
            RejectionKind::BodyTooLarge,
        ),
        ("svix-id", "a.b", RejectionKind::MalformedHeader),
        ("svix-signature", "v1,x", RejectionKind::MalformedSignature),
        ("svix-timestamp", "1", RejectionKind::TimestampTooOld),
    ] {
        let layer = WebhookVerifyLayer::new(svix()).with_clock(|| at(1_700_000_000));
        let mut service = ServiceBuilder::new()
            .layer(layer)
            .service_fn(accept::<TestBody>);
        let signer = svix_signer().with_time(at(1_700_000_000));
        // The harness may allocate meanwhile; the least of several rounds is the request's own.
        let mut least = (usize::MAX, usize::MAX);
        for _ in 0..10 {
            let body = TestBody::new([support::data("{}")]);
            let watch = body.watch();
            let request = signer.sign(Request::post("/"), Bytes::from_static(b"{}"));
            let mut request = request.unwrap().map(|_| body);
            request
                .headers_mut()
                .insert(header, HeaderValue::from_static(value));
            let service = service.ready().await.unwrap();
            let region = Region::new(GLOBAL);
            let response = service.call(request).await.unwrap();
            let change = region.change();
            assert_eq!(kind(&response), Some(expected));
            assert_eq!(watch.polls(), 0);
            let spent = (
                change.allocations + change.reallocations,
                change.bytes_allocated,
            );
            least = least.min(spent);
        }
        let (allocations, bytes) = least;
        assert!(allocations <= 20, "{header}: {allocations} allocations");
        assert!(bytes <= 4096, "{header}: {bytes} bytes");
    }
}

#[tokio::test]
async fn thousands_of_signatures_cost_no_memory_of_their_number() {
    let _alone = alone();
    let many = vec![format!("v1,{}=", "A".repeat(43)); 8000].join(" ");
    let layer = WebhookVerifyLayer::new(svix()).with_clock(|| at(1_700_000_000));
    let mut service = ServiceBuilder::new()
        .layer(layer)
        .service_fn(accept::<TestBody>);
    let signer = svix_signer().with_time(at(1_700_000_000));
    let mut request = signer
        .sign(Request::post("/"), Bytes::new())
        .unwrap()
        .map(TestBody::from);
    let many = HeaderValue::from_str(&many).unwrap();
    request.headers_mut().insert("svix-signature", many);
    let service = service.ready().await.unwrap();
    let region = Region::new(GLOBAL);
    let response = service.call(request).await.unwrap();
    let spent = region.change().bytes_allocated;
    assert_eq!(kind(&response), Some(RejectionKind::TooManySignatures));
    assert!(spent <= AROUND, "{spent} bytes");
}

#[tokio::test]
async fn an_event_is_cheap_to_clone() {
    let _alone = alone();
    let (head, body) = signed(vec![b'x'; 1 << 20]).into_parts();
    let event = github().verify(&Head::from(&head), body, at(0)).unwrap();
    let region = Region::new(GLOBAL);
    let copies: Vec<VerifiedEvent> = (0..10).map(|_| event.clone()).collect();
    let spent = region.change().bytes_allocated;
    assert!(spent <= AROUND, "{spent} bytes");
    assert!(
        copies
            .iter()
            .all(|copy| copy.body().as_ptr() == event.body().as_ptr())
    );
}
