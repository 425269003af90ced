//! [`Encoding`]: how a signature is encoded.

use std::{fmt, str::FromStr};

use crate::error::SetupError;

/// How the bytes of a signature are encoded.
///
/// Decoding is strict about the alphabet, the length, and zero trailing bits. Hex may be in either
/// case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Encoding {
    /// Two hexadecimal digits per byte (`hex`).
    Hex,
    /// The standard alphabet, padded (`base64`).
    Base64,
    /// The URL-safe alphabet, padded or not (`base64url`).
    Base64Url,
    /// Hex or standard base64, distinguished by length (`hex-or-base64`), for providers that do not
    /// document their encoding.
    HexOrBase64,
    /// The text as it is (`text`): only for [tokens](crate::scheme::TokenFormat).
    Text,
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Hex => "hex",
            Self::Base64 => "base64",
            Self::Base64Url => "base64url",
            Self::HexOrBase64 => "hex-or-base64",
            Self::Text => "text",
        })
    }
}

impl FromStr for Encoding {
    type Err = SetupError;

    fn from_str(text: &str) -> Result<Self, SetupError> {
        match text {
            "hex" => Ok(Self::Hex),
            "base64" => Ok(Self::Base64),
            "base64url" => Ok(Self::Base64Url),
            "hex-or-base64" => Ok(Self::HexOrBase64),
            _ => Err(SetupError::new(format!(
                "unknown encoding {text:?}; use hex, base64, base64url or hex-or-base64"
            ))),
        }
    }
}
