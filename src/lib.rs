// The front page is the same with any features; its examples need axum and the configuration.
#![cfg_attr(any(not(doctest), all(feature = "axum", feature = "config")), doc = include_str!("../README.md"))]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(
    not(all(feature = "tower", feature = "identity")),
    allow(dead_code, reason = "layers and typed events use more of the core")
)]

#[cfg(feature = "actix")]
mod actix;
#[cfg(feature = "axum")]
mod axum;
pub mod capture;
mod challenge;
mod clock;
mod compiled;
#[cfg(feature = "config")]
mod config;
mod crypto;
pub mod delivery;
mod delivery_key;
mod endpoint;
mod error;
mod event;
#[cfg(feature = "explain")]
pub mod explain;
pub mod form;
#[cfg(any(doc, doctest))]
pub mod guide;
pub mod handshake;
mod head;
#[cfg(feature = "identity")]
mod identity;
mod json;
pub mod keys;
#[cfg(feature = "tracing")]
mod limits;
pub mod multipart;
mod note;
#[cfg(feature = "tower")]
mod observe;
mod provider;
pub mod providers;
mod rejection;
pub mod scheme;
mod sign;
#[cfg(feature = "test-util")]
pub mod test_util;
#[cfg(feature = "tower")]
mod tower;
pub mod verify;
mod vocabulary;

#[cfg(feature = "config")]
pub use self::config::{Config, warnings::ConfigWarning};
#[cfg(feature = "identity")]
pub use self::identity::{Identity, Outcome};
#[cfg(feature = "tower")]
pub use self::tower::{layer::WebhookVerifyLayer, options::Enforcement};
pub use self::{
    error::{PayloadError, SetupError},
    event::{FormJson, Json, Payload, VerifiedEvent},
    keys::{public_key::PublicKey, secret::Secret},
    note::{Note, NoteKind},
    provider::Provider,
    rejection::{Hint, Rejection, RejectionKind},
    scheme::definition::Scheme,
    sign::{SignError, Signer},
    verify::verifier::Verifier,
};

/// The types behind the layers, for signatures that have to name them.
#[cfg(feature = "tower")]
pub mod middleware {
    pub use crate::tower::{
        body::{RequestBody, ResponseBody},
        service::{ResponseFuture, WebhookVerify},
    };

    /// The middleware of actix-web.
    #[cfg(feature = "actix")]
    pub mod actix {
        pub use crate::actix::{
            DeliverMiddleware, HandshakeMiddleware, ResponseFuture, WebhookVerifyMiddleware,
        };
        #[cfg(feature = "config")]
        pub use crate::config::resource::WebhookResource;
    }
}
