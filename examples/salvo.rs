//! salvo: the layer as a hoop, through its bridge to Tower.
//!
//! ```text
//! cargo run --package tower-webhook-tests --example salvo
//! ```

use salvo::prelude::*;
use tower_webhook::{Secret, VerifiedEvent, Verifier, WebhookVerifyLayer, providers};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // In earnest: Secret::from_env("GITHUB_SECRET")?
    let secret = Secret::new("It's a Secret to Everybody");
    let verify = WebhookVerifyLayer::new(Verifier::new(providers::github(), secret)?);
    let acceptor = TcpListener::new("127.0.0.1:3000").bind().await;
    Server::new(acceptor).serve(routes(verify)).await;
    Ok(())
}

#[handler]
async fn on_event(request: &mut Request, response: &mut Response) {
    let status = match VerifiedEvent::<serde_json::Value>::from_extensions(request.extensions()) {
        Ok(_event) => StatusCode::OK,
        // Tells the log, and says what to answer.
        Err(rejection) => rejection.into_response::<()>().status(),
    };
    response.status_code(status);
}

/// The bridge starts a task, so this is called inside the runtime.
fn routes(verify: WebhookVerifyLayer) -> Router {
    Router::with_path("webhooks/code")
        .hoop(verify.compat())
        .post(on_event)
}
