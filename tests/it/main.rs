//! What the crate does within one process, by subject.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "tests"
)]

mod ambiguity;
mod bodies;
mod capture;
mod catalogue;
mod config;
mod explain;
mod delivery {
    mod keys;
    mod layer;
    mod routes;
    mod stack;
    mod stores;
    mod tasks;
}
mod handshakes;
mod hostile;
mod identity;
mod kyc {
    mod data;
    mod example;
    mod properties;
    mod schemas;
    mod tables;
    mod times;
    mod typed;
    mod undisclosed;
    mod vectors;
}
mod lookup;
mod middleware {
    mod actix;
    mod answers;
    mod axum;
    mod hosts;
    mod readiness;
    mod tower;
    mod wiring;
}
mod modules;
mod observe;
mod places;
mod promises;
mod proofs;
mod properties;
mod providers {
    mod authenteq;
    mod authento;
    mod founding;
    mod idenfy;
    mod samples;
    mod voveid;
}
mod remote;
mod reports;
mod specials;
mod surface;
mod test_util;
mod vectors;
