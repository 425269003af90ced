//! What the layer asks of bodies, with words for the compiler where one does not fit.

use std::error::Error;

use bytes::{Buf, Bytes};
use http_body::Body;

/// A body that the layer can read and make again out of the verified bytes.
///
/// It holds for every body that is `From<Bytes>` and whose error can be boxed: axum's, salvo's, `Full<Bytes>` and
/// reqwest's. hyper's `Incoming` cannot be made out of bytes; map it first.
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

/// A response body of which the layer can make an empty one, for its refusals.
#[diagnostic::on_unimplemented(
    message = "`WebhookVerifyLayer` cannot make an empty response body of type `{Self}`",
    label = "this response body is not `Default`",
    note = "map the body of the service inside, as in `.map_response_body(axum::body::Body::new)`"
)]
pub trait ResponseBody: Default {}

#[diagnostic::do_not_recommend]
impl<R: Default> ResponseBody for R {}
