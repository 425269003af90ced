//! A service with two endpoints, and a subscriber that its argument names. It writes its address to
//! standard error, and the log to standard output.

use std::{env, error::Error};

use axum::{Router, routing::post};
use tower_webhook::{Secret, VerifiedEvent, Verifier, WebhookVerifyLayer, providers};
use tracing_subscriber::{EnvFilter, fmt};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    match env::args().nth(1).as_deref() {
        Some("builder") => fmt().init(),
        Some("default") => fmt::init(),
        Some("env-filter") => fmt().with_env_filter(EnvFilter::from_default_env()).init(),
        Some("none") => {}
        other => return Err(format!("{other:?} is no subscriber").into()),
    }
    let mut app = Router::new();
    for name in ["code", "docs"] {
        let secret = Secret::new("It's a Secret to Everybody");
        let verifier = Verifier::new(providers::github(), secret)?.with_endpoint(name);
        let verify = WebhookVerifyLayer::new(verifier);
        let route = post(async |_: VerifiedEvent| ()).route_layer(verify);
        app = app.route(&format!("/{name}"), route);
    }
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    eprintln!("{}", listener.local_addr()?);
    axum::serve(listener, app).await?;
    Ok(())
}
