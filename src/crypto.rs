//! Keyed hashes, their tags, and how both are encoded.

pub(crate) mod encoding;
pub(crate) mod hasher;
pub(crate) mod secret;
pub(crate) mod tag;
