//! One handler for every identity-verification provider: which one it is stands in the configuration.
//!
//! ```text
//! cargo run --example identity --features axum,config -- [webhooks.toml]
//! ```
//!
//! Without a file it serves the four under demo secrets, each at `POST /webhooks/NAME`. Accepted, for Authento:
//!
//! ```text
//! body='{"event":"REVIEWED","userId":"u-1","userIdentifier":"customer-7","status":{"basic":"VERIFIED"}}'
//! sig=$(printf %s "$body" | openssl dgst -sha256 -hmac tower-webhook-demo-secret -binary | od -An -v -tx1 | tr -d ' \n')
//! curl -i http://127.0.0.1:3000/webhooks/authento -H "X-PAYLOAD-DIGEST: $sig" -d "$body"
//! ```
//!
//! To change the provider of an endpoint, change its `provider` and `secret`. The handler stays.

use std::error::Error;

use axum::{Router, http::StatusCode, routing::post};
use tower_webhook::{Config, Identity, Outcome, VerifiedEvent};

const DEMO: &str = r#"
    [endpoints.authenteq]
    provider  = "authenteq"
    client_id = "demo-client"
    secret    = "tower-webhook-demo-secret"

    [endpoints.voveid]
    provider = "voveid"
    family   = "kyc"
    secret   = "whsec_dG93ZXItd2ViaG9vay1kZW1vLWtleS0x"

    [endpoints.idenfy]
    provider = "idenfy"
    secret   = "tower-webhook-demo-secret"

    [endpoints.authento]
    provider = "authento"
    secret   = "tower-webhook-demo-secret"
"#;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let config = match std::env::args().nth(1) {
        Some(path) => Config::from_path(path)?,
        None => Config::from_toml_str(DEMO)?,
    };
    let mut app = Router::new();
    for name in config.endpoints() {
        let route = post(on_identity).route_layer(config.layer(name)?);
        app = app.route(&format!("/webhooks/{name}"), route);
    }
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    axum::serve(listener, app).await?;
    Ok(())
}

/// Whoever sent it: only what is signed counts, and only a final approval is one.
async fn on_identity(event: VerifiedEvent<Option<Identity>>) -> StatusCode {
    let provider = event.provider().to_owned();
    let Some(identity) = event.into_payload() else {
        eprintln!(
            "{provider}: about something else than an identity, or of a kind that is not known"
        );
        return StatusCode::OK;
    };
    let person = identity
        .subject()
        .or(identity.session())
        .unwrap_or("somebody");
    match identity.outcome() {
        Outcome::Approved => eprintln!("{provider}: onboard {person}"),
        Outcome::Rejected => eprintln!("{provider}: turn {person} away"),
        Outcome::Review => eprintln!("{provider}: have a human look at {person}"),
        other => eprintln!("{provider}: {person} is {other}"),
    }
    StatusCode::OK
}
