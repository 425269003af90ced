//! Many tenants behind one route: each has a row in a table of SQLite, and its name in the path.
//!
//! ```text
//! cargo run --example tenants --features axum,cache [tenants.db]
//! ```
//!
//! Without a file the table is in memory and has one tenant, `acme`. Accepted:
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
use sqlx::{
    SqlitePool,
    sqlite::{SqliteConnectOptions, SqlitePoolOptions},
};
use tower_webhook::{
    Secret, Secrets, VerifiedEvent, Verifier, WebhookVerifyLayer,
    lookup::{CachedSource, SourceError, Tenant},
    providers::github,
    verify::Head,
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    tracing_subscriber::fmt::init();
    let tenants = open(std::env::args_os().nth(1)).await?;

    let source = CachedSource::new(tenant_name, move |name| find(tenants.clone(), name))
        .with_lifetime(Duration::from_secs(60));
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
/// Its id is the name in the row, and not the one in the path. They are equal here; in a table that compares without case (`COLLATE
/// NOCASE`, as MySQL does by itself) the path may spell it in many ways, and each would be another tenant for all that recognises repeated
/// deliveries.
async fn find(tenants: SqlitePool, name: String) -> Result<Option<Tenant>, SourceError> {
    let rows: Vec<(String, String, String)> =
        sqlx::query_as("SELECT name, key_id, secret FROM tenants WHERE name = ?")
            .bind(name)
            .fetch_all(&tenants)
            .await?;
    let Some((id, ..)) = rows.first().cloned() else {
        return Ok(None);
    };
    let secrets: Vec<Secret> = rows
        .into_iter()
        .map(|(_, key_id, secret)| Secret::new(secret).with_id(key_id))
        .collect();
    Ok(Some(Tenant::new(id, Secrets::new(&github(), secrets)?)))
}

/// The handler knows whose event it is, and that it was signed with that tenant's key.
async fn on_event(event: VerifiedEvent) -> String {
    format!(
        "{} bytes for {}\n",
        event.body().len(),
        event.tenant().unwrap_or("nobody")
    )
}

async fn open(file: Option<std::ffi::OsString>) -> Result<SqlitePool, sqlx::Error> {
    let options = SqliteConnectOptions::new().create_if_missing(true);
    let options = match &file {
        Some(path) => options.filename(path),
        None => options.in_memory(true),
    };
    // A table in memory belongs to its connection.
    let pool = SqlitePoolOptions::new()
        .max_connections(if file.is_some() { 8 } else { 1 })
        .idle_timeout(None)
        .max_lifetime(None)
        .connect_with(options)
        .await?;
    sqlx::query("CREATE TABLE IF NOT EXISTS tenants (name TEXT, key_id TEXT, secret TEXT, PRIMARY KEY (name, key_id))")
        .execute(&pool)
        .await?;
    if file.is_none() {
        sqlx::query("INSERT INTO tenants VALUES ('acme', '2026-11', 'a-secret-of-acme-alone')")
            .execute(&pool)
            .await?;
    }
    Ok(pool)
}
