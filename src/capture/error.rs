//! [`ReadError`]: why a text is no captured request.

use std::{error::Error, fmt};

/// Why a text is no captured request. It never quotes the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadError(Box<str>);

impl ReadError {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self(message.into().into())
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for ReadError {}
