//! Many tenants behind one route: the name is in the path, the keys are in a table.
//!
//! ```text
//! cargo run --example tenants --features axum,cache
//! ```
//!
//! Accepted with 200:
//!
//! ```text
//! body='{"action":"opened"}'
//! sig=$(printf %s "$body" | openssl dgst -sha256 -hmac a-secret-of-acme-alone | sed 's/.* //')
//! curl -i http://127.0.0.1:3000/hooks/acme -H "X-Hub-Signature-256: sha256=$sig" -d "$body"
//! ```
//!
//! Refused with the same 401: a wrong signature for `acme`, and any request to `/hooks/nobody`.

use std::time::Duration;

use axum::{Router, routing::post};
use tower_webhook::{
    Secret, VerifiedEvent, Verifier, WebhookVerifyLayer,
    keys::{CachedKeys, KeySet, KeySourceError, Tenant},
    providers::github,
    verify::Head,
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    tracing_subscriber::fmt().init();
    let source = CachedKeys::new(tenant_name, find).with_lifetime(Duration::from_secs(60));
    let verifier = Verifier::from_key_source(github(), source)?.with_endpoint("hooks");
    let verify = WebhookVerifyLayer::new(verifier);
    let app = Router::new().route("/hooks/{tenant}", post(on_event).route_layer(verify));

    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    axum::serve(listener, app).await?;
    Ok(())
}

/// `/hooks/acme` is a request for acme. A name with an escape is not looked up.
fn tenant_name(head: &Head<'_>) -> Option<String> {
    let name = head.path().strip_prefix("/hooks/")?;
    name.bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        .then(|| name.to_owned())
}

/// A tenant may have several keys during a rotation.
///
/// Its id comes from the row and not from the path: this table compares without case, as MySQL
/// does by default, so the path may have many spellings of one name. Each would be another tenant
/// for deduplication.
async fn find(name: String) -> Result<Option<Tenant>, KeySourceError> {
    let rows = select(&name).await?;
    let Some((id, ..)) = rows.first() else {
        return Ok(None);
    };
    let secrets: Vec<Secret> = rows
        .iter()
        .map(|(_, key_id, secret)| Secret::new(*secret).with_id(*key_id))
        .collect();
    Ok(Some(Tenant::new(*id, KeySet::new(&github(), secrets)?)))
}

/// Name, id of the key, secret.
type Row = (&'static str, &'static str, &'static str);

/// Stands for `SELECT name, key_id, secret FROM tenants WHERE name = ?`.
async fn select(name: &str) -> Result<Vec<Row>, std::io::Error> {
    const TENANTS: [Row; 2] = [
        ("acme", "2026-11", "a-secret-of-acme-alone"),
        ("globex", "1", "a-secret-of-globex-alone"),
    ];
    let found = |(row, ..): &Row| row.eq_ignore_ascii_case(name);
    Ok(TENANTS.into_iter().filter(found).collect())
}

/// The event was signed with a key of this tenant.
async fn on_event(event: VerifiedEvent) -> String {
    let tenant = event.tenant().unwrap_or("nobody");
    eprintln!("{} bytes for {tenant}", event.body().len());
    format!("{} bytes for {tenant}\n", event.body().len())
}
