//! Stripe on axum, with a custom event type.
//!
//! ```text
//! STRIPE_WEBHOOK_SECRET=whsec_demo-secret-of-stripe cargo run --example stripe --features axum
//! ```
//!
//! Accepted with 200 (`stripe listen` signs with another secret, which it prints):
//!
//! ```text
//! t=$(date +%s) body='{"id":"evt_1","type":"charge.refunded","data":{"object":{"id":"ch_1"}}}'
//! sig=$(printf %s "$t.$body" | openssl dgst -sha256 -hmac whsec_demo-secret-of-stripe | sed 's/.* //')
//! curl -i http://127.0.0.1:3000/webhooks/stripe -H "Stripe-Signature: t=$t,v1=$sig" -d "$body"
//! ```
//!
//! Refused with 401: the same with another body, after five minutes, or without the header.

use axum::{Router, http::StatusCode, routing::post};
use serde::Deserialize;
use tower_webhook::{Json, Secret, VerifiedEvent, Verifier, WebhookVerifyLayer, providers};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    tracing_subscriber::fmt().init();
    let secret = Secret::from_env("STRIPE_WEBHOOK_SECRET")?;
    let verifier = Verifier::new(providers::stripe(), secret)?.with_endpoint("payments");
    let verify = WebhookVerifyLayer::new(verifier);
    let app = Router::new()
        .route(
            "/webhooks/stripe",
            post(on_event).route_layer(verify.clone()),
        )
        .route("/webhooks/stripe/raw", post(on_bytes).route_layer(verify));

    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    axum::serve(listener, app).await?;
    Ok(())
}

/// The fields that this service uses. The event type of a Stripe client fits as well.
#[derive(Deserialize)]
struct StripeEvent {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    object: Object,
}

#[derive(Deserialize)]
struct Object {
    /// Some objects, such as a balance, have none.
    id: Option<String>,
}

async fn on_event(event: VerifiedEvent<Json<StripeEvent>>) -> StatusCode {
    let Json(stripe) = event.payload();
    match &*stripe.kind {
        "charge.refunded" => eprintln!("{}: refund {:?}", stripe.id, stripe.data.object.id),
        // Success, so that Stripe does not retry what this service does not need.
        other => eprintln!("{}: ignored {other}", stripe.id),
    }
    StatusCode::OK
}

/// The raw event: the bytes as they were signed, for an archive or a queue.
async fn on_bytes(event: VerifiedEvent) -> StatusCode {
    eprintln!("{:?}: {} bytes", event.event_type(), event.body().len());
    StatusCode::OK
}
