//! Signature schemes as data: [`Scheme`](crate::Scheme) and its parts.
//!
//! A scheme contains no code, so it cannot introduce mistakes in the comparison, the time check or
//! the decoding. It uses the terms of the providers' documentation. Building a
//! [`Verifier`](crate::Verifier) validates the scheme as a whole.
//!
//! ```
//! use tower_webhook::{Provider, Scheme, Secret, Verifier};
//! use tower_webhook::scheme::{Algorithm, Encoding, SignatureFormat, Timestamp};
//!
//! // Acme-Signature: t=1700000000,v1=5257a869…
//! let scheme = Scheme::signed(
//!     Algorithm::HmacSha256,
//!     "{ts}.{body}",
//!     SignatureFormat::fields("Acme-Signature", ',', "v1", Encoding::Hex),
//! )
//! .with_timestamp(Timestamp::field("t"));
//!
//! let acme = Provider::new("acme", scheme);
//! assert!(Verifier::new(acme, Secret::new("a-secret-of-some-length")).is_ok());
//! ```
//!
//! # Signed content
//!
//! The signed content is a template. Text outside braces is literal; `{{` and `}}` are literal
//! braces.
//!
//! | token | value |
//! | --- | --- |
//! | `{body}` | the body, byte for byte |
//! | `{ts}` | the text of the timestamp, as received |
//! | `{secret}` | the bytes of the key |
//! | `{header:Name}` | the value of a header, which must occur exactly once |
//! | `{field:name}` | a field of the signature header |
//! | `{method}`, `{path}`, `{query:name}` | from the request line, as the layer sees it: axum's `nest` strips its prefix from the path. A query value is percent-decoded, and must occur exactly once |
//! | `{url}` | the parameter `url`: the endpoint's URL, as registered with the provider |
//! | `{param:name}` | a parameter of the [`Provider`](crate::Provider) |
//! | `{json:/pointer}`, `{form:name}`, `{form:name#/pointer}` | a value in the body: the text of a string, or a number or boolean as received |
//! | `{span:/member}` | the bytes of a member of a JSON object, as received |
//!
//! Filters follow the token after a `|`: `sha256hex`, `md5b64` (the MD5 in base64), `b64` (base64),
//! `jsonstr` (a JSON string, including quotes), `lower`, `hubspot_decode`.
//!
//! # Unambiguous content
//!
//! The signed content can be split into its values in only one way:
//!
//! - A value from a header, field, query or path is rejected if it contains the literal text that
//!   follows it in the template: `a.b` for `{header:webhook-id}` in
//!   `{header:webhook-id}.{ts}.{body}`.
//! - A value that is adjacent to another, without literal text between them, is an error when the
//!   verifier is built.
//! - A timestamp may be adjacent to any value, because it has only one spelling and, in this
//!   position, a fixed length: 10 digits for seconds and 13 for milliseconds, regardless of the
//!   tolerance. A value directly before a timestamp must not contain a timestamp.
//! - Values from the body (`{json:…}`, `{form:…}`, `{span:…}`) are exempt: with [`Coverage::Partial`], the
//!   scheme relies on the separators that the provider uses.

pub(crate) mod algorithm;
pub(crate) mod certificates;
pub(crate) mod definition;
pub(crate) mod encoding;
pub(crate) mod jwt;
pub(crate) mod locator;
pub(crate) mod message_signature;
pub(crate) mod params;
pub(crate) mod secret_format;
pub(crate) mod signature;
pub(crate) mod special;
pub(crate) mod template;
pub(crate) mod timestamp;
pub(crate) mod token;
pub(crate) mod url;

pub use self::{
    algorithm::Algorithm,
    definition::Coverage,
    encoding::Encoding,
    jwt::JwtFormat,
    locator::Locator,
    message_signature::MessageSignatureFormat,
    secret_format::{Derivation, SecretFormat},
    signature::SignatureFormat,
    timestamp::{TimeUnit, Timestamp, Tolerance},
    token::TokenFormat,
};
