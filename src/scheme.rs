//! How one provider signs, as data: [`Scheme`] and its parts.
//!
//! A scheme holds no code, so it cannot get the comparison, the clock or the decoding wrong. It is written in the
//! words that provider docs use. Building a [`Verifier`](crate::Verifier) from it checks it as a whole.
//!
//! ```
//! use tower_webhook::{Provider, Secret, Verifier};
//! use tower_webhook::scheme::{Algorithm, Encoding, Scheme, SignatureFormat, Timestamp};
//!
//! // Acme-Signature: t=1700000000,v1=5257a869…
//! let scheme = Scheme::new(
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
//! Text outside braces is signed as it stands; `{{` and `}}` are single braces.
//!
//! | token | value |
//! | --- | --- |
//! | `{body}` | the body, byte for byte |
//! | `{ts}` | the text of the timestamp as received |
//! | `{secret}` | the bytes of the key |
//! | `{header:Name}` | the value of a header, which must be there exactly once |
//! | `{field:name}` | a field of the signature header |
//! | `{method}`, `{path}`, `{query:name}` | from the request line, as the layer sees it: axum's `nest` takes its prefix off the path. A query value is percent-decoded, and must be there once |
//! | `{url}` | the parameter `url`: the address as registered with the provider |
//! | `{param:name}` | a parameter of the [`Provider`](crate::Provider) |
//! | `{json:/pointer}`, `{form:name}` | a value in the body |
//!
//! After a `|` come filters: `sha256hex`, `jsonstr` (as a JSON string, with quotes), `lower`, `hubspot_decode`.
//!
//! What is signed cannot be cut in two ways. A value from a header, field, query or path that contains the literal text
//! which ends it is refused: `a.b` for `{header:webhook-id}` in `{header:webhook-id}.{ts}.{body}`. One that touches another
//! value without text between them is an error when built. A time may touch anything, because it has one spelling only and,
//! there, one length: 10 digits for seconds and 13 for milliseconds, whatever the tolerance. A value in front of a time that it touches
//! may hold no time at all. Values in the body (`{json:…}`, `{form:…}`) are not held apart: under
//! [`Coverage::Partial`] the provider's own separators have to do.

pub(crate) mod algorithm;
pub(crate) mod definition;
pub(crate) mod encoding;
pub(crate) mod locator;
pub(crate) mod secret_format;
pub(crate) mod signature;
pub(crate) mod template;
pub(crate) mod timestamp;

pub use self::{
    algorithm::Algorithm,
    definition::Coverage,
    encoding::Encoding,
    locator::Locator,
    secret_format::{Derivation, SecretFormat},
    signature::SignatureFormat,
    timestamp::{TimeUnit, Timestamp, Tolerance},
};
