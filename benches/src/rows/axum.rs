//! Layers on an axum route, and extractors of its handler. The handlers do not read the body
//! themselves.

use std::sync::Arc;

use ::axum::{
    Router,
    body::Body,
    extract::DefaultBodyLimit,
    http::StatusCode,
    middleware::from_fn_with_state,
    routing::{MethodRouter, post},
};
use axum_github_webhook_extract::{GithubEvent, GithubToken};
use axum_standardwebhooks::{SharedWebhook, StandardWebhook, Webhook};
use bytes::Bytes;
use http_body_util::Full;
use serde::de::IgnoredAny;
use tower_github_webhook::ValidateGitHubWebhookLayer;
use tower_webhook::{VerifiedEvent, WebhookVerifyLayer};
use webhook_verify::tower::VerifyLayer;

use super::{
    Field, ONE_KEY,
    naive::{NAIVE, Naive, naive},
    peers::{self, TOWER_GITHUB, WEBHOOK_VERIFY},
};
use crate::{
    place::Place,
    row::{BARE, OURS, Tower},
    workload::{Sample, Style},
};

async fn handle() -> StatusCode {
    StatusCode::OK
}

async fn on_event(event: VerifiedEvent) -> StatusCode {
    drop(event);
    StatusCode::OK
}

async fn on_github(GithubEvent(event): GithubEvent<IgnoredAny>) -> StatusCode {
    let IgnoredAny = event;
    StatusCode::OK
}

async fn on_standard(StandardWebhook(body): StandardWebhook<Bytes>) -> StatusCode {
    drop(body);
    StatusCode::OK
}

pub(super) fn add(field: &mut Field, sample: &Arc<Sample>) {
    let (workload, place) = (sample.workload, Place::Axum);
    let push = |field: &mut Field, name, accepts, route: MethodRouter| {
        let sample = Arc::clone(sample);
        let make = move || sample.request(Body::new);
        let router = Router::new().route("/hook", route);
        // Peers that extract the body are also subject to axum's limit of 2 MiB.
        let router = router.layer(DefaultBodyLimit::disable());
        field.push(Tower::new(name, place, accepts, make, router));
    };
    let accepts = workload.accepts();
    push(field, BARE, true, post(handle));
    let layer = WebhookVerifyLayer::new(workload.verifier());
    push(field, OURS, accepts, post(on_event).route_layer(layer));
    if workload.keys > 1 {
        return field.lacks(place, "every peer", ONE_KEY);
    }
    let layer = from_fn_with_state(Naive::new(workload), naive);
    push(field, NAIVE, accepts, post(handle).route_layer(layer));
    let (provider, secret) = peers::webhook_verify(workload);
    let layer = VerifyLayer::<Full<Bytes>>::new(provider, secret);
    // This layer cannot pass axum's body on, and its error is boxed, but routes must be infallible.
    let refused =
        ::axum::error_handling::HandleErrorLayer::new(|_| async { StatusCode::BAD_REQUEST });
    let route = post(handle).route_layer(tower::ServiceBuilder::new().layer(refused).layer(layer));
    push(field, WEBHOOK_VERIFY, accepts, route);
    match workload.style {
        Style::GitHub => {
            let layer = ValidateGitHubWebhookLayer::new(workload.secret());
            push(
                field,
                TOWER_GITHUB,
                accepts,
                post(handle).route_layer(layer),
            );
            let token = GithubToken(Arc::new(workload.secret()));
            let route = post(on_github).with_state(token);
            push(field, "axum-github-webhook-extract", accepts, route);
        }
        Style::Standard => {
            let webhook = SharedWebhook::new(Webhook::new(&workload.secret()).unwrap());
            let route = post(on_standard).with_state(webhook);
            push(field, "axum-standardwebhooks", accepts, route);
        }
    }
}
