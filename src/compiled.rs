//! Schemes that were checked as a whole and taken apart: what is decided before any request.

pub(crate) mod body;
pub(crate) mod content;
mod delimiter;
mod draft;
pub(crate) mod head;
pub(crate) mod header_table;
mod piece;
pub(crate) mod rules;
pub(crate) mod scheme;
pub(crate) mod signature;
pub(crate) mod special;
pub(crate) mod undecoded;
mod validate;
