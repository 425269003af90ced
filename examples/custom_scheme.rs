//! A provider that this crate does not know, described twice: in code and in a configuration file. Both check the
//! same requests.
//!
//! ```text
//! cargo run --example custom_scheme --features config
//! ```
//!
//! It signs a request, checks it, changes it, and prints what happens; it needs no network. What it signs can be signed by hand too:
//!
//! ```text
//! t=$(date +%s); body='{"type":"order.paid","id":"evt_1"}'
//! printf %s "$t.$body" | openssl dgst -sha256 -hmac acme-demo-secret-0001
//! ```

#![allow(clippy::print_stdout, reason = "printing is what this example is for")]
#![allow(clippy::disallowed_methods, reason = "a program reads the clock")]

use std::{
    error::Error,
    time::{Duration, SystemTime},
};

use http::Request;
use tower_webhook::{
    Config, Provider, Scheme, Secret, Signer, Source, Verifier,
    scheme::{Algorithm, Encoding, Signature, Timestamp},
    verify::Head,
};

const SECRET: &str = "acme-demo-secret-0001";

/// `Acme-Signature: t=1700000000,v1=5257a869…` over the time, a full stop and the body.
fn acme() -> Provider {
    let signature = Signature::fields("Acme-Signature", ',', "v1", Encoding::Hex);
    let scheme = Scheme::new(Algorithm::HmacSha256, "{ts}.{body}", signature)
        .with_timestamp(Timestamp::field("t").with_tolerance(Duration::from_secs(300)));
    Provider::new("acme", scheme)
        .with_event_type(Source::json("/type"))
        .with_delivery_id(Source::json("/id"))
}

/// The same, without a line of Rust.
const ACME: &str = r#"
    [endpoints.orders]
    provider = "acme"
    secret   = "acme-demo-secret-0001"    # in earnest: { env = "ACME_SECRET" }

    [providers.acme]
    algorithm  = "hmac-sha256"
    signed     = "{ts}.{body}"
    signature  = { header = "Acme-Signature", fields = ",", field = "v1", encoding = "hex" }
    timestamp  = { field = "t", unit = "s", tolerance = "5m" }
    event_type = { json = "/type" }
    delivery   = { json = "/id" }
"#;

fn main() -> Result<(), Box<dyn Error>> {
    let in_code = Verifier::new(acme(), Secret::new(SECRET))?;
    let in_toml = Config::from_toml_str(ACME)?.endpoint("orders")?;

    let signer = Signer::new(acme(), Secret::new(SECRET))?;
    let body = r#"{"type":"order.paid","id":"evt_1"}"#;
    let request = signer.sign(Request::post("/webhooks/orders"), body)?;
    let (head, _) = request.into_parts();
    let signature = head.headers.get("acme-signature").ok_or("not signed")?;
    println!("signed:   {}", signature.to_str()?);

    let now = SystemTime::now();
    let forged = r#"{"type":"order.paid","id":"evt_2"}"#;
    for (place, verifier) in [("in code", in_code), ("in TOML", in_toml)] {
        let event = verifier.verify(&Head::of(&head), body, now)?;
        let kind = event.event_type().unwrap_or("event");
        let id = event.delivery_id().unwrap_or("without an id");
        println!("{place}:  accepted: {kind}, {id}");

        match verifier.verify(&Head::of(&head), forged, now) {
            Err(rejection) => println!("{place}:  another body is refused: {rejection}"),
            Ok(_) => return Err("a forged body was accepted".into()),
        }
    }
    Ok(())
}
