//! The middleware for Tower.

pub(crate) mod body;
mod extract;
pub(crate) mod layer;
pub(crate) mod options;
pub(crate) mod service;
