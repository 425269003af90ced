//! The middleware for Tower.

pub(crate) mod body;
pub(crate) mod layer;
pub(crate) mod options;
pub(crate) mod service;
