//! Layers over a service that does nothing.

use std::{
    convert::Infallible,
    future::Ready,
    sync::Arc,
    task::{Context, Poll},
};

use ::axum::{body::Body, middleware::from_fn_with_state};
use http::{Request, Response};
use tower::{Layer, Service};
use tower_github_webhook::ValidateGitHubWebhookLayer;
use tower_webhook::{
    WebhookVerifyLayer,
    delivery::{DeliveryLayer, MemoryStore},
};
use webhook_verify::tower::VerifyLayer;

use super::{
    Field, ONE_KEY,
    naive::{NAIVE, Naive, naive},
    peers::{self, TOWER_GITHUB, WEBHOOK_VERIFY},
};
use crate::{
    body::Frames,
    place::Place,
    row::{BARE, DELIVERY, OURS, Row, Tower},
    workload::{Sample, Style, Workload},
};

/// Takes a request and drops it.
#[derive(Clone)]
pub struct Nothing;

impl<B> Service<Request<B>> for Nothing {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Ready<Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        drop(request);
        std::future::ready(Ok(Response::default()))
    }
}

pub(super) fn add(field: &mut Field, sample: &Arc<Sample>) {
    plain(field, sample);
    boxed(field, sample);
}

/// Only the layer of this crate, under any name, to compare workloads with each other.
pub fn ours(name: &'static str, workload: Workload) -> Box<dyn Row> {
    let sample = Sample::new(workload);
    let make = move || sample.request(|body| body);
    let service = WebhookVerifyLayer::new(workload.verifier()).layer(Nothing);
    Box::new(Tower::new(
        name,
        Place::Tower,
        workload.accepts(),
        make,
        service,
    ))
}

fn plain(field: &mut Field, sample: &Arc<Sample>) {
    let (workload, place) = (sample.workload, Place::Tower);
    let accepts = workload.accepts();
    let make = || {
        let sample = Arc::clone(sample);
        move || sample.request(|body| body)
    };
    field.push(Tower::new(BARE, place, true, make(), Nothing));
    let layer = WebhookVerifyLayer::new(workload.verifier());
    field.push(Tower::new(
        OURS,
        place,
        accepts,
        make(),
        layer.layer(Nothing),
    ));
    let mut number = 0;
    let numbered = move || {
        number += 1;
        Sample::numbered(workload, number).request(|body| body)
    };
    let service = layer.layer(DeliveryLayer::new(MemoryStore::new()).layer(Nothing));
    field.push(Tower::new(DELIVERY, place, accepts, numbered, service));
    if workload.keys > 1 {
        field.lacks(place, WEBHOOK_VERIFY, ONE_KEY);
        field.lacks(place, TOWER_GITHUB, ONE_KEY);
        return;
    }
    let (provider, secret) = peers::webhook_verify(workload);
    let service = VerifyLayer::<Frames>::new(provider, secret).layer(Nothing);
    field.push(Tower::new(WEBHOOK_VERIFY, place, accepts, make(), service));
    if workload.style == Style::GitHub {
        let service = ValidateGitHubWebhookLayer::new(workload.secret()).layer(Nothing);
        field.push(Tower::new(TOWER_GITHUB, place, accepts, make(), service));
    }
}

fn boxed(field: &mut Field, sample: &Arc<Sample>) {
    let (workload, place) = (sample.workload, Place::Boxed);
    let accepts = workload.accepts();
    let make = || {
        let sample = Arc::clone(sample);
        move || sample.request(Body::new)
    };
    field.push(Tower::new(BARE, place, true, make(), Nothing));
    let service = WebhookVerifyLayer::new(workload.verifier()).layer(Nothing);
    field.push(Tower::new(OURS, place, accepts, make(), service));
    if workload.keys > 1 {
        return field.lacks(place, NAIVE, ONE_KEY);
    }
    let service = from_fn_with_state(Naive::new(workload), naive).layer(Nothing);
    field.push(Tower::new(NAIVE, place, accepts, make(), service));
    let (provider, secret) = peers::webhook_verify(workload);
    let service = VerifyLayer::<Body>::new(provider, secret).layer(Nothing);
    field.push(Tower::new(WEBHOOK_VERIFY, place, accepts, make(), service));
    if workload.style == Style::GitHub {
        let service = ValidateGitHubWebhookLayer::new(workload.secret()).layer(Nothing);
        field.push(Tower::new(TOWER_GITHUB, place, accepts, make(), service));
    }
}
