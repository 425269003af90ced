//! What takes processes: the examples, README's programs, servers that are killed, and the
//! providers' own libraries.
#![cfg(unix)]
#![allow(
    clippy::arithmetic_side_effects,
    clippy::await_holding_lock,
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "tests"
)]

mod cli;
mod deliveries;
mod faults;
mod handshakes;
mod identity;
mod log;
mod official_clients;
mod programs;
mod receiver;
mod set_ups;
