//! The core without a framework: for other servers, and for requests from a queue.
//!
//! [`Verifier::check_head`](crate::Verifier::check_head) decides what the head can show,
//! [`CheckedHead::with_keys`] adds the keys, and [`BodyVerifier`] takes the body.

pub(crate) mod body;
pub(crate) mod buffer;
#[cfg(feature = "tower")]
pub(crate) mod future;
mod hashes;
pub(crate) mod head;
pub(crate) mod hints;
#[cfg(feature = "tower")]
mod several;
#[cfg(feature = "tower")]
pub(crate) mod steps;
pub(crate) mod verifier;

pub use self::{body::BodyVerifier, head::CheckedHead};
pub use crate::head::{Head, Headers};
