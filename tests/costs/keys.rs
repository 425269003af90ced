//! What the key of a delivery costs: nothing before it is asked for.

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use stats_alloc::Region;
use support::{GITHUB_SECRET, accept, at, multipart, ready_now};
use tower::{Layer, ServiceExt, service_fn};
use tower_webhook::{
    Secret, Signer, Verifier, WebhookVerifyLayer, delivery::DeduplicateBy, providers, verify::Head,
};

use crate::{GLOBAL, alone};

/// The least number of allocations that a piece of work makes. What the harness does meanwhile can
/// only add to it.
fn allocations<T>(mut work: impl FnMut() -> T) -> usize {
    let round = |_| {
        let region = Region::new(GLOBAL);
        let done = work();
        let spent = region.change();
        drop(done);
        spent.allocations
    };
    (0..200).map(round).min().unwrap()
}

/// The digest itself needs no memory, but finding the part does, in a body with many.
#[test]
fn the_digest_is_computed_when_it_is_asked_for_and_then_once() {
    let _alone = alone();
    let parts: Vec<_> = (0..60)
        .map(|_| ("p", "x"))
        .chain([("result", "{}")])
        .collect();
    let body = multipart("b", &parts);
    let by = |deduplicate_by| {
        let provider = providers::github().with_deduplicate_by(deduplicate_by);
        let secret = Secret::new(GITHUB_SECRET);
        let signer = Signer::new(provider.clone(), secret.clone()).unwrap();
        let request = signer.sign(Request::post("/"), Bytes::from(body.clone()));
        (Verifier::new(provider, secret).unwrap(), request.unwrap())
    };
    let by_part = || by(DeduplicateBy::Part("result".into()));
    let verified = |(verifier, request): (Verifier, Request<Bytes>)| {
        let service = WebhookVerifyLayer::new(verifier).layer(service_fn(accept::<Full<Bytes>>));
        allocations(move || {
            let answer = service.clone().oneshot(request.clone().map(Full::new));
            let answer = ready_now(answer).unwrap();
            assert!(answer.status().is_success());
        })
    };
    let without = verified(by(DeduplicateBy::Body));
    assert_eq!(verified(by_part()), without, "the layer asks for no key");

    let another = || {
        let (verifier, request) = by_part();
        let (parts, body) = request.into_parts();
        verifier.verify(&Head::from(&parts), body, at(0)).unwrap()
    };
    let event = another();
    let mut events: Vec<_> = (0..200).map(|_| another()).collect();
    let first = allocations(|| events.pop().unwrap().delivery_key());
    assert!(first > 60, "{first} allocations for the parts");
    let key = event.delivery_key();
    assert_eq!(allocations(|| event.delivery_key()), 0, "it is kept");
    assert_eq!(
        allocations(|| event.clone().delivery_key()),
        0,
        "by clones, too"
    );
    assert_eq!(event.clone().delivery_key(), key);
}
