//! Secrets that are replaced while the service runs: SIGHUP reads the configuration file again.
//!
//! ```text
//! cat > webhooks.toml <<'END'
//! [endpoints.code]
//! provider = "github"
//! secret   = "the-first-secret-of-this-demo"
//! END
//! cargo run --example reload --features axum,config -- webhooks.toml
//! ```
//!
//! Accepted with 200:
//!
//! ```text
//! body='{"action":"opened"}'
//! sig=$(printf %s "$body" | openssl dgst -sha256 -hmac the-first-secret-of-this-demo | sed 's/.* //')
//! curl -i http://127.0.0.1:3000/webhooks/code -H "X-Hub-Signature-256: sha256=$sig" -d "$body"
//! ```
//!
//! Change the secret in the file, send SIGHUP (`kill -HUP PID`), and it is refused with 401. A
//! file with a mistake changes nothing.

use std::error::Error;

use axum::{Router, http::StatusCode, routing::post};
use tower_webhook::{Config, VerifiedEvent, keys::SharedKeys};

const ENDPOINT: &str = "code";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt().init();
    let path = std::env::args().nth(1).unwrap_or("webhooks.toml".into());
    let config = Config::from_path(&path)?;
    let keys = config.shared_keys(ENDPOINT)?;
    let verify = config.layer_with_key_source(ENDPOINT, keys.clone())?;
    reload_on_hangup(path, keys)?;

    let app = Router::new().route("/webhooks/code", post(on_event).route_layer(verify));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    axum::serve(listener, app).await?;
    Ok(())
}

async fn on_event(event: VerifiedEvent) -> StatusCode {
    eprintln!(
        "{} bytes, signed with key {:?}",
        event.body().len(),
        event.key_id()
    );
    StatusCode::OK
}

#[cfg(unix)]
fn reload_on_hangup(path: String, keys: SharedKeys) -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut hangup = signal(SignalKind::hangup())?;
    tokio::spawn(async move {
        while hangup.recv().await.is_some() {
            match Config::reload_keys(&path, ENDPOINT, &keys) {
                Ok(()) => eprintln!("{path}: reloaded"),
                Err(error) => eprintln!("{error}; the keys stay as they were"),
            }
        }
    });
    Ok(())
}

/// There is no SIGHUP: call `Config::reload_keys` from an administrative route or a timer.
#[cfg(not(unix))]
fn reload_on_hangup(_: String, _: SharedKeys) -> std::io::Result<()> {
    Ok(())
}
