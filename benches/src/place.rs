//! [`Place`]: where verification can run. Its cost is the difference to the bare service of its
//! place.

use std::fmt;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Only the hash.
    Floor,
    /// A function of headers and body.
    Function,
    /// A Tower layer over a service that does nothing, with an unboxed body.
    Tower,
    /// The same with axum's boxed body.
    Boxed,
    /// A layer on an axum route, or an extractor of its handler.
    Axum,
    /// A middleware of an actix-web application, or an extractor of its handler.
    Actix,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Floor => "floor",
            Self::Function => "function",
            Self::Tower => "tower",
            Self::Boxed => "tower, axum's body",
            Self::Axum => "axum",
            Self::Actix => "actix",
        })
    }
}
