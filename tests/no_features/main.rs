//! The modules of `it` that need no feature, where there is none: the core verifies, and the layer
//! works on Tower.
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

/// A provider of public keys is known, and what it lacks is named.
#[test]
fn a_provider_of_public_keys_names_the_feature() {
    use tower_webhook::{PublicKey, Secret, Verifier, providers};

    let key = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
    let discord = || providers::by_name("discord").unwrap();
    for error in [
        Verifier::new(discord(), Secret::new(key)).unwrap_err(),
        Verifier::new(discord(), Secret::from(PublicKey::new(key))).unwrap_err(),
    ] {
        assert!(
            error.to_string().contains("the feature \"asymmetric\""),
            "{error}"
        );
    }
}
