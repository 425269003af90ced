//! Real servers, whose handlers take the body or the event.

use std::net::TcpListener;

use actix_web::{App, HttpResponse, HttpServer, web};
use axum::{
    Router, error_handling::HandleErrorLayer, extract::DefaultBodyLimit, http::StatusCode,
    middleware::from_fn_with_state, routing::post,
};
use bytes::Bytes;
use http_body_util::Full;
use tower::ServiceBuilder;
use tower_github_webhook::ValidateGitHubWebhookLayer;
use tower_webhook::{VerifiedEvent, WebhookVerifyLayer};
use webhook_verify::{
    actix::{VerifiedBody, WebhookConfig},
    tower::VerifyLayer,
};

use super::{
    naive::{NAIVE, Naive, naive},
    peers::{self, TOWER_GITHUB, WEBHOOK_VERIFY},
};
use crate::{
    row::{BARE, OURS},
    workload::Workload,
};

/// Serves one axum row on this thread until the process ends.
pub fn axum(listener: TcpListener, row: &str, workload: Workload) {
    let on_body = post(|body: Bytes| async move { drop(body) });
    let on_event = post(|event: VerifiedEvent| async move { drop(event) });
    let route = match row {
        BARE => on_body,
        OURS => on_event.route_layer(WebhookVerifyLayer::new(workload.verifier())),
        NAIVE => on_body.route_layer(from_fn_with_state(Naive::new(workload), naive)),
        WEBHOOK_VERIFY => {
            let (provider, secret) = peers::webhook_verify(workload);
            let layer = VerifyLayer::<Full<Bytes>>::new(provider, secret);
            let refused = HandleErrorLayer::new(|_| async { StatusCode::BAD_REQUEST });
            on_body.route_layer(ServiceBuilder::new().layer(refused).layer(layer))
        }
        TOWER_GITHUB => on_body.route_layer(ValidateGitHubWebhookLayer::new(workload.secret())),
        _ => panic!("there is no row {row:?}"),
    };
    let router = Router::new().route("/hook", route);
    let router = router.layer(DefaultBodyLimit::disable());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        listener.set_nonblocking(true).unwrap();
        let listener = tokio::net::TcpListener::from_std(listener).unwrap();
        axum::serve(listener, router).await.unwrap();
    });
}

/// Serves one actix-web row with one worker until the process ends.
pub fn actix(listener: TcpListener, row: &str, workload: Workload) {
    let row = row.to_owned();
    let app = move || {
        let app = App::new().app_data(web::PayloadConfig::new(64 << 20));
        let answer = HttpResponse::Ok;
        match &*row {
            BARE => {
                let handle = move |body: web::Bytes| async move {
                    drop(body);
                    answer().finish()
                };
                app.route("/hook", web::post().to(handle))
            }
            OURS => {
                let handle = move |event: VerifiedEvent| async move {
                    drop(event);
                    answer().finish()
                };
                let layer = WebhookVerifyLayer::new(workload.verifier());
                app.route("/hook", web::post().to(handle).wrap(layer))
            }
            WEBHOOK_VERIFY => {
                let handle = move |body: VerifiedBody| async move {
                    drop(body);
                    answer().finish()
                };
                let (provider, secret) = peers::webhook_verify(workload);
                app.app_data(WebhookConfig::new(provider, secret))
                    .route("/hook", web::post().to(handle))
            }
            _ => panic!("there is no row {row:?}"),
        }
    };
    let server = HttpServer::new(app).workers(1).listen(listener);
    actix_web::rt::System::new()
        .block_on(server.unwrap().run())
        .unwrap();
}
