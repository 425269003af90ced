//! What tests of your own handler need: signed requests of a provider by its name, requests that
//! have to be refused, bodies that do not arrive as announced, and events of identity vendors.
//!
//! [The guide](crate::guide::testing) has whole tests, for axum and for actix-web.
//!
//! - [`TestSender`] is a sender with a key of its own. It makes genuine requests, repeats them, and
//!   forges them in every [way](Forgery) that its provider notices.
//! - [`BodyFault`] lets the body of a request arrive slowly, break off, or have another length than
//!   was declared.
//! - [`IdentityEvent`] is the body of an event of an identity vendor, by its outcome.
//!
//! The keys are part of this crate, so everybody has them: **never configure one outside a test.**

mod fault;
mod forge;
mod forgery;
#[cfg(feature = "identity")]
mod identity;
mod key;
mod sample;
mod sender;
#[cfg(feature = "config")]
mod toml;

#[cfg(feature = "identity")]
pub use self::identity::IdentityEvent;
pub use self::{
    fault::{BodyFault, BrokenOff, FaultyBody},
    forgery::Forgery,
    sender::TestSender,
};

/// Converts the request for the tests of actix-web.
///
/// ```
/// use actix_web::{App, HttpResponse, test, web};
/// use tower_webhook::{VerifiedEvent, WebhookVerifyLayer};
/// use tower_webhook::test_util::{TestSender, to_actix};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # actix_web::rt::System::new().block_on(async {
/// let sender = TestSender::new("github")?;
/// let verify = WebhookVerifyLayer::new(sender.verifier()?);
/// let on_event = web::post().to(async |_: VerifiedEvent| HttpResponse::Ok()).wrap(verify);
/// let app = test::init_service(App::new().route("/webhooks", on_event)).await;
///
/// let signed = sender.signed(http::Request::post("/webhooks"), "{}")?;
/// let response = test::call_service(&app, to_actix(signed).to_request()).await;
/// assert_eq!(response.status(), 200);
/// # Ok(())
/// # })
/// # }
/// ```
#[cfg(feature = "actix")]
#[must_use]
pub fn to_actix(request: http::Request<bytes::Bytes>) -> actix_web::test::TestRequest {
    let (head, body) = request.into_parts();
    let method = actix_web::http::Method::from_bytes(head.method.as_str().as_bytes());
    let mut converted = actix_web::test::TestRequest::with_uri(&head.uri.to_string())
        .method(method.unwrap_or_default());
    for (name, value) in &head.headers {
        converted = converted.append_header((name.as_str(), value.as_bytes()));
    }
    converted.set_payload(body)
}
