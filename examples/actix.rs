//! The quick start on actix-web: identity checks of VOVE ID.
//!
//! ```text
//! cargo run --example actix --features actix
//! ```
//!
//! `examples/axum.rs` has the commands that try it out.

use actix_web::{App, HttpResponse, HttpServer, web};
use tower_webhook::{Secret, VerifiedEvent, Verifier, WebhookVerifyLayer, providers::voveid};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // In earnest: Secret::from_env("VOVEID_SECRET")?
    let secret = Secret::new("whsec_dG93ZXItd2ViaG9vay1kZW1vLWtleS0x");
    let kyc = WebhookVerifyLayer::new(Verifier::new(voveid().with_param("family", "kyc"), secret)?);
    let server = HttpServer::new(move || {
        let route = web::post().to(on_event).wrap(kyc.clone());
        App::new().service(web::resource("/webhooks/kyc").route(route))
    });
    // With actix-web's feature `macros`: #[actix_web::main] and server.bind(…)?.run().await?
    actix_web::rt::System::new().block_on(async { server.bind("127.0.0.1:3000")?.run().await })?;
    Ok(())
}

/// Only events that VOVE ID signed come here.
async fn on_event(event: VerifiedEvent<voveid::Kyc>) -> HttpResponse {
    let kyc = event.payload();
    eprintln!("{}: {}", kyc.ref_id, kyc.status.as_str());
    HttpResponse::NoContent().finish()
}
