//! [`Place`]: where a check can stand. What it costs is what it adds to the bare thing of its place.

use std::fmt;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Nothing but the hash.
    Floor,
    /// A function that is given headers and body.
    Function,
    /// A Tower layer over a service that does nothing, with a body that is a plain type.
    Tower,
    /// The same with axum's boxed body.
    Boxed,
    /// A layer on a route of axum, or an extractor of its handler.
    Axum,
    /// A middleware of an application of actix-web, or an extractor of its handler.
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
