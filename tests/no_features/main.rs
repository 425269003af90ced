//! The modules of `it` that need no feature, where there is none: the core verifies, and the layer works on Tower.
#![cfg(not(feature = "all"))]
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "tests"
)]

#[path = "../it/ambiguity.rs"]
mod ambiguity;
#[path = "../it/hostile.rs"]
mod hostile;
#[path = "../it/middleware/readiness.rs"]
mod readiness;
#[path = "../it/middleware/tower.rs"]
mod tower;
