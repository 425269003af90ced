//! Keyed hashes and their tags, keys of signatures, and how they are encoded.

#[cfg(feature = "certificates")]
pub(crate) mod certificates;
pub(crate) mod encoding;
pub(crate) mod hasher;
#[cfg(feature = "asymmetric")]
mod jwk;
#[cfg(feature = "asymmetric")]
mod key_der;
#[cfg(feature = "asymmetric")]
mod key_encoding;
pub(crate) mod key_text;
#[cfg(feature = "more-ecdsa")]
mod more_ecdsa;
#[cfg(feature = "asymmetric")]
pub(crate) mod private_key;
pub(crate) mod proof;
#[cfg(feature = "asymmetric")]
pub(crate) mod public_key;
pub(crate) mod secret;
pub(crate) mod tag;
