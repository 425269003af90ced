//! Deduplication and graceful shutdown: each delivery of Stripe reaches the handler once.
//!
//! ```text
//! STRIPE_WEBHOOK_SECRET=whsec_demo-secret-of-stripe cargo run --example deliveries --features axum,redis
//! ```
//!
//! With `REDIS_URL=redis://127.0.0.1:6379`, replicas share their deliveries, and a restart keeps
//! them. The first of these requests runs the handler; the next ones are answered without it:
//!
//! ```text
//! t=$(date +%s) body='{"id":"evt_1","type":"charge.refunded"}'
//! sig=$(printf %s "$t.$body" | openssl dgst -sha256 -hmac whsec_demo-secret-of-stripe | sed 's/.* //')
//! curl -i http://127.0.0.1:3000/webhooks/stripe -H "Stripe-Signature: t=$t,v1=$sig" -d "$body"
//! ```

use std::{error::Error, io, time::Duration};

use axum::{Router, http::StatusCode, routing::post};
use tokio::net::TcpListener;
use tower_webhook::{
    Secret, VerifiedEvent, Verifier, WebhookVerifyLayer,
    delivery::{DeliveryLayer, MemoryStore, RedisStore},
    providers,
};

/// Shorter than the grace period of the host: 30 seconds on Kubernetes.
const DRAIN: Duration = Duration::from_secs(25);

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt().init();
    let deliveries = match std::env::var("REDIS_URL") {
        Ok(url) => DeliveryLayer::new(RedisStore::new(&url, "deliveries-example")?),
        Err(_) => DeliveryLayer::new(MemoryStore::new()),
    };
    let deliveries = deliveries
        .with_handler_timeout(Duration::from_secs(60))
        .on_delivery(|event, outcome| eprintln!("{}: {outcome}", event.delivery_key()));

    let secret = Secret::from_env("STRIPE_WEBHOOK_SECRET")?;
    // Deliveries of different endpoints are told apart by the name.
    let verifier = Verifier::new(providers::stripe(), secret)?.with_endpoint("payments");
    let route = post(on_event)
        .route_layer(deliveries.clone())
        // The last layer added is the outermost: it verifies before a delivery is claimed.
        .route_layer(WebhookVerifyLayer::new(verifier));
    let app = Router::new().route("/webhooks/stripe", route);

    let listener = TcpListener::bind("127.0.0.1:3000").await?;
    axum::serve(listener, app)
        .with_graceful_shutdown(stop(stop_signal()?))
        .await?;
    // The server does not know about handlers whose senders have disconnected.
    let left = deliveries.drain(DRAIN).await;
    eprintln!("stopped; {left} handlers were still running");
    Ok(())
}

/// Idempotent all the same: after a crash between the work and the answer it runs again.
async fn on_event(event: VerifiedEvent<serde_json::Value>) -> StatusCode {
    eprintln!(
        "{}: {}",
        event.payload()["id"],
        event.event_type().unwrap_or("event")
    );
    StatusCode::OK
}

async fn stop(signal: impl Future<Output = ()>) {
    signal.await;
    eprintln!("stopping: requests in flight are finished first");
}

/// SIGTERM, which containers receive, and Ctrl-C.
#[cfg(unix)]
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// Ctrl-C.
#[cfg(windows)]
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    let mut interrupt = tokio::signal::windows::ctrl_c()?;
    Ok(async move {
        interrupt.recv().await;
    })
}
