//! A provider that is not built in, described in code.
//!
//! ```text
//! cargo run --example custom_scheme
//! ```
//!
//! It signs a request, verifies it, changes it, and prints the results; it needs no network. The
//! same provider in a configuration file is in `examples/webhooks.toml`. To sign by hand:
//!
//! ```text
//! t=$(date +%s) body='{"type":"order.paid","id":"evt_1"}'
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
    Provider, Scheme, Secret, Signer, Verifier,
    scheme::{Algorithm, Encoding, Locator, SignatureFormat, Timestamp},
    verify::Head,
};

const SECRET: &str = "acme-demo-secret-0001";

/// `Acme-Signature: t=1700000000,v1=5257a869…` over the time, a full stop and the body.
fn acme() -> Provider {
    let signature = SignatureFormat::fields("Acme-Signature", ',', "v1", Encoding::Hex);
    let scheme = Scheme::signed(Algorithm::HmacSha256, "{ts}.{body}", signature)
        .with_timestamp(Timestamp::field("t").with_tolerance(Duration::from_secs(300)));
    Provider::new("acme", scheme)
        .with_event_type(Locator::json("/type"))
        .with_delivery_id(Locator::json("/id"))
}

fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt().init();
    let verifier = Verifier::new(acme(), Secret::new(SECRET))?;
    let signer = Signer::new(acme(), Secret::new(SECRET))?;

    let body = r#"{"type":"order.paid","id":"evt_1"}"#;
    let request = signer.sign(Request::post("/webhooks/orders"), body)?;
    let (head, _) = request.into_parts();
    let signature = head.headers.get("acme-signature").ok_or("not signed")?;
    println!("signed:   {}", signature.to_str()?);

    let now = SystemTime::now();
    let event = verifier.verify(&Head::from(&head), body, now)?;
    println!(
        "accepted: {:?} {:?}",
        event.event_type(),
        event.delivery_id()
    );

    let forged = body.replace("evt_1", "evt_2");
    match verifier.verify(&Head::from(&head), forged, now) {
        Err(rejection) => println!("refused:  {}: {rejection}", rejection.kind()),
        Ok(_) => return Err("a forged body was accepted".into()),
    }

    let late = now
        .checked_add(Duration::from_secs(301))
        .ok_or("too late")?;
    match verifier.verify(&Head::from(&head), body, late) {
        Err(rejection) => println!("refused:  {}: {rejection}", rejection.kind()),
        Ok(_) => return Err("a stale request was accepted".into()),
    }
    Ok(())
}
