//! GitHub on actix-web.
//!
//! ```text
//! GITHUB_WEBHOOK_SECRET=demo-secret-of-github cargo run --example actix --features actix
//! ```
//!
//! Accepted with 200:
//!
//! ```text
//! body='{"action":"opened"}'
//! sig=$(printf %s "$body" | openssl dgst -sha256 -hmac demo-secret-of-github | sed 's/.* //')
//! curl -i http://127.0.0.1:3000/webhooks/github -H "X-Hub-Signature-256: sha256=$sig" -d "$body"
//! ```
//!
//! Refused with 401: the same with another body, or without the header.

use actix_web::{App, HttpResponse, HttpServer, web};
use tower_webhook::{Secret, VerifiedEvent, Verifier, WebhookVerifyLayer, providers};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    tracing_subscriber::fmt().init();
    let secret = Secret::from_env("GITHUB_WEBHOOK_SECRET")?;
    let verify = WebhookVerifyLayer::new(Verifier::new(providers::github(), secret)?);
    let server = HttpServer::new(move || {
        let route = web::post().to(on_event).wrap(verify.clone());
        App::new().service(web::resource("/webhooks/github").route(route))
    });
    // Or #[actix_web::main] on an async main, and server.bind(…)?.run().await?
    actix_web::rt::System::new().block_on(async { server.bind("127.0.0.1:3000")?.run().await })?;
    Ok(())
}

async fn on_event(event: VerifiedEvent<serde_json::Value>) -> HttpResponse {
    let kind = event.event_type().unwrap_or("event");
    eprintln!("{kind}: {}", event.payload()["action"]);
    HttpResponse::Ok().finish()
}
