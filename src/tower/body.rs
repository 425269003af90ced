//! The bounds on bodies, with compiler messages for a body that does not fit.

use std::error::Error;

use bytes::{Buf, Bytes};
use http_body::Body;

/// A request body that the layer can read, and rebuild from the verified bytes.
///
/// Implemented by every body that is `From<Bytes>` and whose error can be boxed: axum's, salvo's,
/// reqwest's and `Full<Bytes>`. hyper's `Incoming` cannot be built from bytes; map it first.
#[diagnostic::on_unimplemented(
    message = "`WebhookVerifyLayer` cannot rebuild a body of type `{Self}`",
    label = "this request body is not `From<Bytes>`",
    note = "map the body before the layer, as in `.map_request(|r: Request<Incoming>| r.map(axum::body::Body::new))`",
    note = "without axum: a body that is either of the two, such as `RequestBody` in `examples/tower.rs`"
)]
pub trait RequestBody:
    Body<Data: Buf, Error: Into<Box<dyn Error + Send + Sync>>> + From<Bytes>
{
}

#[diagnostic::do_not_recommend]
impl<B> RequestBody for B where
    B: Body<Data: Buf, Error: Into<Box<dyn Error + Send + Sync>>> + From<Bytes>
{
}

/// A response body that the layer can create empty, for its refusals.
#[diagnostic::on_unimplemented(
    message = "`WebhookVerifyLayer` cannot make an empty response body of type `{Self}`",
    label = "this response body is not `Default`",
    note = "map the body of the service inside, as in `.map_response_body(axum::body::Body::new)`"
)]
pub trait ResponseBody: Default {}

#[diagnostic::do_not_recommend]
impl<R: Default> ResponseBody for R {}
