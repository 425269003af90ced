//! [`TokenFormat`]: how a token is written.

use std::borrow::Cow;

use crate::scheme::encoding::Encoding;

/// How a request contains a token.
///
/// ```
/// use tower_webhook::scheme::{Encoding, TokenFormat};
///
/// // X-Gitlab-Token: the-token
/// TokenFormat::plain();
/// // Authorization: Bearer the-token
/// TokenFormat::plain().with_prefix("Bearer ");
/// // Authorization: Basic dXNlcjpwYXNzd29yZA==, with the secret user:password
/// TokenFormat::basic();
/// // X-Api-Key: dGhlLXRva2Vu
/// TokenFormat::plain().with_encoding(Encoding::Base64);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TokenFormat {
    pub(crate) prefix: Option<Cow<'static, str>>,
    pub(crate) encoding: Encoding,
    pub(crate) is_basic: bool,
}

impl TokenFormat {
    /// The token as it is.
    #[must_use]
    pub fn plain() -> Self {
        Self {
            prefix: None,
            encoding: Encoding::Text,
            is_basic: false,
        }
    }

    /// The credentials of HTTP's Basic authentication (RFC 7617), in the header `Authorization`.
    /// The secret is `user:password`.
    #[must_use]
    pub fn basic() -> Self {
        Self {
            prefix: Some("Basic ".into()),
            encoding: Encoding::Base64,
            is_basic: true,
        }
    }

    /// Sets the text in front of the token. One that ends with a space is the name of an
    /// authentication scheme, and may be in upper or lower case.
    #[must_use]
    pub fn with_prefix(mut self, text: impl Into<Cow<'static, str>>) -> Self {
        self.prefix = Some(text.into());
        self
    }

    /// Sets how the request encodes the token. The secret is not encoded.
    #[must_use]
    pub fn with_encoding(mut self, encoding: Encoding) -> Self {
        self.encoding = encoding;
        self
    }
}
