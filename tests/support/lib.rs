//! What several tests share: requests and their bodies, the log, and the servers and programs
//! around the layer.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::exhaustive_enums,
    clippy::exhaustive_structs,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_errors_doc,
    clippy::missing_panics_doc,
    clippy::must_use_candidate,
    clippy::new_without_default,
    clippy::print_stdout,
    clippy::return_self_not_must_use,
    clippy::unwrap_used,
    missing_debug_implementations,
    missing_docs,
    reason = "tests"
)]

mod body;
pub mod http1;
mod requests;
mod seeds;
pub mod store;
mod strict;

#[cfg(feature = "all")]
pub mod cargo;
#[cfg(feature = "all")]
pub mod clients;
#[cfg(all(feature = "all", unix))]
pub mod handler_log;
#[cfg(feature = "all")]
pub mod handshakes;
#[cfg(feature = "all")]
pub mod https;
#[cfg(feature = "all")]
mod log;
#[cfg(feature = "all")]
pub mod loopback;
#[cfg(feature = "all")]
pub mod machine;
#[cfg(all(feature = "all", unix))]
pub mod program;
#[cfg(all(feature = "all", unix))]
pub mod proxy;
#[cfg(all(feature = "all", unix))]
pub mod receiver;
#[cfg(feature = "all")]
pub mod redis;
#[cfg(all(feature = "all", unix))]
pub mod sender;
#[cfg(all(feature = "all", unix))]
pub mod server;

pub use body::*;
#[cfg(feature = "all")]
pub use log::{Lines, listen_to_everything};
pub use requests::*;
pub use seeds::*;
pub use strict::Strict;

/// The providers that have modules. Tests that need more than a row of the catalogue says run for
/// them.
pub const FOUNDING: [&str; 10] = [
    "authenteq",
    "authento",
    "github",
    "idenfy",
    "shopify",
    "slack",
    "standard-webhooks",
    "stripe",
    "svix",
    "voveid",
];
