#![cfg_attr(
    all(feature = "actix", feature = "axum", feature = "cache", feature = "config", feature = "redis", feature = "tracing"),
    doc = include_str!("../README.md")
)]
#![cfg_attr(
    not(all(
        feature = "actix",
        feature = "axum",
        feature = "cache",
        feature = "config",
        feature = "redis",
        feature = "tracing"
    )),
    doc = "Tower middleware that verifies webhooks before a handler sees them."
)]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "actix")]
mod actix;
#[cfg(feature = "axum")]
mod axum;
mod body;
mod clock;
#[cfg(feature = "config")]
pub mod config;
pub mod delivery;
mod error;
mod event;
mod head;
mod identity;
mod json;
mod layer;
#[cfg(feature = "tracing")]
mod limits;
pub mod lookup;
pub mod multipart;
mod near;
mod observe;
mod provider;
pub mod providers;
mod rejection;
pub mod scheme;
mod secret;
mod service;
mod shared;
mod sign;
mod source;
mod verification;
mod verifier;

#[cfg(feature = "config")]
pub use config::Config;
pub use error::{PayloadError, SetupError};
pub use event::{Json, Payload, VerifiedEvent};
pub use identity::{Identity, Outcome};
pub use layer::WebhookVerifyLayer;
pub use provider::Provider;
pub use rejection::{Rejection, RejectionKind};
pub use scheme::Scheme;
pub use secret::{Secret, Secrets};
pub use sign::{SignError, Signer};
pub use source::Source;
pub use verifier::Verifier;

/// The core without a framework: for other servers, and for requests out of a queue.
pub mod verify {
    pub use crate::{
        head::{Head, Headers},
        verifier::{Check, Gate},
    };
}

/// The types behind the layer, for signatures that have to name them.
pub mod middleware {
    #[cfg(feature = "actix")]
    pub use crate::actix::{DeliverMiddleware, MiddlewareFuture, WebhookVerifyMiddleware};
    pub use crate::{
        body::{RequestBody, ResponseBody},
        service::{VerifyFuture, WebhookVerify},
    };
}
