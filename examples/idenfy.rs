//! Typed events of iDenfy on axum, unknown kinds included.
//!
//! ```text
//! IDENFY_SIGNING_KEY=demo-signing-key-0001 cargo run --example idenfy --features axum,identity
//! ```
//!
//! Accepted with 200:
//!
//! ```text
//! body='{"final":true,"status":{"overall":"APPROVED"},"scanRef":"scan-1","clientId":"customer-7"}'
//! sig=$(printf %s "$body" | openssl dgst -sha256 -hmac demo-signing-key-0001 | sed 's/.* //')
//! curl -i http://127.0.0.1:3000/webhooks/idenfy -H "Idenfy-Signature: $sig" -d "$body"
//! ```
//!
//! Refused with 401: the same with another body, or without the header. iDenfy signs only after a
//! signing key was set for the webhook in its dashboard.

use axum::{Router, http::StatusCode, routing::post};
use tower_webhook::{
    Secret, VerifiedEvent, Verifier, WebhookVerifyLayer,
    providers::{
        self,
        idenfy::{Event, Identification, Overall},
    },
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    tracing_subscriber::fmt().init();
    let secret = Secret::from_env("IDENFY_SIGNING_KEY")?;
    let verifier = Verifier::new(providers::idenfy(), secret)?.with_endpoint("kyc");
    let verify = WebhookVerifyLayer::new(verifier);
    let app = Router::new().route("/webhooks/idenfy", post(on_event).route_layer(verify));

    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    axum::serve(listener, app).await?;
    Ok(())
}

async fn on_event(event: VerifiedEvent<Event>) -> StatusCode {
    match event.payload() {
        Event::Identification(identification) => on_identification(identification),
        Event::DocumentExpiration(_) => eprintln!("a document expires"),
        // A kind that this version does not know, as JSON.
        Event::Other(json) => eprintln!("unknown event with {} fields", fields(json)),
        // A known kind that this service does not use.
        _ => eprintln!("ignored {:?}", event.event_type()),
    }
    // Success for all of them, so that iDenfy does not retry.
    StatusCode::OK
}

fn on_identification(identification: &Identification) {
    let customer = identification.client_id.as_deref().unwrap_or("unknown");
    let is_final = identification.is_final == Some(true);
    match identification.status.overall {
        // A preliminary approval may still be withdrawn by a reviewer.
        Overall::Approved if is_final => eprintln!("{customer}: approved"),
        Overall::Denied if is_final => eprintln!("{customer}: denied"),
        ref other => eprintln!("{customer}: {} so far", other.as_str()),
    }
}

fn fields(json: &serde_json::Value) -> usize {
    json.as_object().map_or(0, serde_json::Map::len)
}
