//! The quick start: identity checks of VOVE ID on an axum route.
//!
//! ```text
//! cargo run --example axum --features axum
//! ```
//!
//! Accepted, as long as `$t` is not older than five minutes:
//!
//! ```text
//! t=$(date +%s); body='{"status":"successful","refId":"customer-7"}'
//! key=$(printf %s dG93ZXItd2ViaG9vay1kZW1vLWtleS0x | openssl base64 -d -A | od -An -v -tx1 | tr -d ' \n')
//! sig=$(printf %s "msg_1.$t.$body" | openssl dgst -sha256 -mac HMAC -macopt hexkey:$key -binary | openssl base64 -A)
//! curl -i http://127.0.0.1:3000/webhooks/kyc -H "svix-id: msg_1" -H "svix-timestamp: $t" -H "svix-signature: v1,$sig" -d "$body"
//! ```
//!
//! Refused with 401: the same with one letter changed, and everything without a signature.

use axum::{Router, http::StatusCode, routing::post};
use tower_webhook::{Secret, VerifiedEvent, Verifier, WebhookVerifyLayer, providers::voveid};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // In earnest: Secret::from_env("VOVEID_SECRET")?
    let secret = Secret::new("whsec_dG93ZXItd2ViaG9vay1kZW1vLWtleS0x");
    let kyc = Verifier::new(voveid().with_param("family", "kyc"), secret)?;
    let app = Router::new().route(
        "/webhooks/kyc",
        post(on_event).route_layer(WebhookVerifyLayer::new(kyc)),
    );

    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    axum::serve(listener, app).await?;
    Ok(())
}

/// Only events that VOVE ID signed come here.
async fn on_event(event: VerifiedEvent<voveid::Kyc>) -> StatusCode {
    let kyc = event.payload();
    eprintln!("{}: {}", kyc.ref_id, kyc.status.as_str());
    StatusCode::NO_CONTENT
}
