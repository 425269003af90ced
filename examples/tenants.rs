//! Many tenants behind one route: each has rows in a table, and its name in the path.
//!
//! ```text
//! cargo run --example tenants --features axum,cache
//! ```
//!
//! Accepted:
//!
//! ```text
//! body='{"action":"opened"}'
//! sig=$(printf %s "$body" | openssl dgst -sha256 -hmac a-secret-of-acme-alone -binary | od -An -v -tx1 | tr -d ' \n')
//! curl -i http://127.0.0.1:3000/hooks/acme -H "X-Hub-Signature-256: sha256=$sig" -d "$body"
//! ```
//!
//! Refused with the same 401: a wrong signature for `acme`, and anything at all for `/hooks/nobody`.

use std::time::Duration;

use axum::{Router, routing::post};
use tower_webhook::{
    Secret, Secrets, VerifiedEvent, Verifier, WebhookVerifyLayer,
    keys::{CachedSource, SourceError, Tenant},
    providers::github,
    verify::Head,
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    tracing_subscriber::fmt::init();
    let source = CachedSource::new(tenant_name, find).with_lifetime(Duration::from_secs(60));
    let layer = WebhookVerifyLayer::new(Verifier::for_lookup(github())?).with_secret_source(source);
    let app = Router::new().route("/hooks/{tenant}", post(on_event).route_layer(layer));

    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    eprintln!("listening on http://{}", listener.local_addr()?);
    axum::serve(listener, app).await?;
    Ok(())
}

/// `/hooks/acme` is a request for acme. A name with an escape in it is nobody's.
fn tenant_name(head: &Head<'_>) -> Option<String> {
    let name = head.path().strip_prefix("/hooks/")?;
    name.bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        .then(|| name.to_owned())
}

/// A tenant may have several keys, of which each is valid while it is rotated.
///
/// Its id is the name in the row, and not the one in the path: this table compares without case, as MySQL does by default, so
/// the path may spell a name in many ways, and each would be another tenant for all that recognises repeated deliveries.
async fn find(name: String) -> Result<Option<Tenant>, SourceError> {
    let rows = select(&name).await;
    let Some((id, ..)) = rows.first() else {
        return Ok(None);
    };
    let secrets: Vec<Secret> = rows
        .iter()
        .map(|(_, key_id, secret)| Secret::new(*secret).with_id(*key_id))
        .collect();
    Ok(Some(Tenant::new(*id, Secrets::new(&github(), secrets)?)))
}

/// Name, id of the key, secret.
type Row = (&'static str, &'static str, &'static str);

/// `SELECT name, key_id, secret FROM tenants WHERE name = ?`, as a database answers it.
async fn select(name: &str) -> Vec<Row> {
    const TENANTS: [Row; 1] = [("acme", "2026-11", "a-secret-of-acme-alone")];
    let found = |(row, ..): &Row| row.eq_ignore_ascii_case(name);
    TENANTS.into_iter().filter(found).collect()
}

/// The handler knows whose event it is, and that it was signed with that tenant's key.
async fn on_event(event: VerifiedEvent) -> String {
    format!(
        "{} bytes for {}\n",
        event.body().len(),
        event.tenant().unwrap_or("nobody")
    )
}
