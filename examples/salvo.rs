//! GitHub on salvo: the layer as a hoop, through salvo's bridge to Tower.
//!
//! ```text
//! GITHUB_WEBHOOK_SECRET=demo-secret-of-github cargo run -p tower-webhook-tests --example salvo
//! ```
//!
//! `examples/actix.rs` has the commands that try it out.

use salvo::prelude::*;
use tower_webhook::{Secret, VerifiedEvent, Verifier, WebhookVerifyLayer, providers};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    tracing_subscriber::fmt().init();
    let secret = Secret::from_env("GITHUB_WEBHOOK_SECRET")?;
    let verify = WebhookVerifyLayer::new(Verifier::new(providers::github(), secret)?);
    let acceptor = TcpListener::new("127.0.0.1:3000").bind().await;
    Server::new(acceptor).serve(routes(verify)).await;
    Ok(())
}

#[handler]
async fn on_event(request: &mut Request, response: &mut Response) {
    let status = match VerifiedEvent::<serde_json::Value>::from_extensions(request.extensions()) {
        Ok(event) => {
            eprintln!("{:?}: {}", event.event_type(), event.payload()["action"]);
            StatusCode::OK
        }
        Err(rejection) => {
            eprintln!("{rejection}");
            rejection.status()
        }
    };
    response.status_code(status);
}

/// The bridge starts a task, so this has to run inside the runtime.
fn routes(verify: WebhookVerifyLayer) -> Router {
    Router::with_path("webhooks/github")
        .hoop(verify.compat())
        .post(on_event)
}
