//! [`DeliveryKey`], which identifies a delivery, and [`DeduplicateBy`], which selects what the key
//! is derived from.

use std::{borrow::Cow, error::Error, fmt, str::FromStr};

use crate::crypto::encoding::decode_hex;

/// Identifies one delivery of one endpoint across all attempts. It is a digest, which logs and
/// events show as 64 hexadecimal digits.
///
/// ```
/// use tower_webhook::delivery::DeliveryKey;
///
/// let text = "00ff".repeat(16);
/// let key: DeliveryKey = text.parse()?;
/// assert_eq!(key.to_string(), text);
/// assert_eq!(key.as_bytes()[1], 255);
/// assert!("00ff".parse::<DeliveryKey>().is_err());
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeliveryKey([u8; 32]);

impl DeliveryKey {
    pub(crate) const fn new(digest: [u8; 32]) -> Self {
        Self(digest)
    }

    /// The bytes of the digest.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for DeliveryKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}", const_hex::display(&self.0))
    }
}

impl fmt::Debug for DeliveryKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<[u8; 32]> for DeliveryKey {
    fn from(digest: [u8; 32]) -> Self {
        Self::new(digest)
    }
}

impl AsRef<[u8]> for DeliveryKey {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// Parses the output of `Display`, in upper or lower case.
impl FromStr for DeliveryKey {
    type Err = ParseDeliveryKeyError;

    fn from_str(text: &str) -> Result<Self, ParseDeliveryKeyError> {
        let digest = decode_hex(text).and_then(|digest| digest.try_into().ok());
        digest.map(Self::new).ok_or(ParseDeliveryKeyError(()))
    }
}

/// The error if a text is not a [`DeliveryKey`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseDeliveryKeyError(());

impl fmt::Display for ParseDeliveryKeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a delivery key has 64 hexadecimal digits; copy it from the log or the event")
    }
}

impl Error for ParseDeliveryKeyError {}

/// Selects what distinguishes one delivery of a provider from another, across all attempts.
///
/// The [`DeliveryKey`] is a digest of the provider, the endpoint, the tenant, the route and the
/// values that this setting selects. Only signed values are selected (except by
/// [`BodyAndEventType`](Self::BodyAndEventType)), because anyone can change an unsigned header.
/// Signatures and key ids are never selected, because senders sign each attempt anew. A timestamp
/// is selected only if nothing else distinguishes two events: see [`Auto`](Self::Auto).
///
/// A delivery id is a signed header, a field of a body that is signed as a whole, or a field that
/// is part of the signed content. Placeholders such as `0`, `false`, `null` and empty or blank text
/// are not ids. A JSON number is a different id than the string of its digits.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DeduplicateBy {
    /// Derives the key from the provider's data. This is the default.
    ///
    /// 1. The delivery id, if it [identifies an event](crate::Provider::with_unique_delivery_id).
    /// 2. Otherwise the delivery id, if there is one, and the body. An id that is reused with a
    ///    different body is a different delivery.
    /// 3. If there is no id and the body is blank (empty, or an empty JSON value), the body and the
    ///    signed time.
    ///
    /// If the scheme does not sign the whole body, the key is derived from a signed id that
    /// identifies an event. Without such an id, it is derived from all signed values, including the
    /// time, and also from the body if only the time is signed.
    ///
    /// The event type is included if it is a signed header, unless the id identifies the event.
    Auto,
    /// Only the delivery id: an event with the id of an earlier event is not handled, even if its
    /// body differs. Events without an id are treated as with [`Auto`](Self::Auto).
    Id,
    /// The whole body.
    Body,
    /// The body and the event type, even if the type is an unsigned header. Equal bodies of
    /// different types are then different deliveries, so anyone who has captured a request can turn
    /// it into a new delivery by changing the type.
    BodyAndEventType,
    /// The first part with this name in a `multipart/form-data` body, whose boundary may differ
    /// between attempts. The whole body if there is no such part.
    Part(Cow<'static, str>),
}

/// A signed delivery id and its type.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum SignedId<'e> {
    /// A JSON number, as written.
    Number(Cow<'e, str>),
    /// A header, a form field or a JSON string.
    Text(Cow<'e, [u8]>),
}

impl<'e> SignedId<'e> {
    /// `None` for placeholders that senders write in place of an id.
    pub(crate) fn text(text: impl Into<Cow<'e, [u8]>>) -> Option<Self> {
        const NONE: [&str; 5] = ["false", "nil", "none", "null", "undefined"];
        let text = text.into();
        let trimmed = text.trim_ascii();
        let is_placeholder = NONE
            .iter()
            .any(|none| trimmed.eq_ignore_ascii_case(none.as_bytes()));
        // The nil UUID consists of zeros, too.
        let is_zero = trimmed
            .iter()
            .all(|byte| matches!(byte, b'0' | b'-' | b'.'));
        (!is_placeholder && !is_zero).then_some(Self::Text(text))
    }

    pub(crate) fn into_owned<'o>(self) -> SignedId<'o> {
        match self {
            Self::Number(number) => SignedId::Number(number.into_owned().into()),
            Self::Text(text) => SignedId::Text(text.into_owned().into()),
        }
    }

    /// `None` for zero.
    pub(crate) fn number(number: Cow<'e, str>) -> Option<Self> {
        let (mantissa, _) = number.split_once(['e', 'E']).unwrap_or((&number, ""));
        let is_zero = !mantissa.bytes().any(|byte| matches!(byte, b'1'..=b'9'));
        (!is_zero).then_some(Self::Number(number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_no_ids() {
        for none in [
            "",
            " ",
            "\t \n",
            "0",
            "00",
            "0.0",
            "null",
            "NULL",
            "None",
            "nil",
            "false",
            "undefined",
            "-",
            "00000000-0000-0000-0000-000000000000",
        ] {
            assert_eq!(SignedId::text(none.as_bytes()), None, "{none:?}");
        }
        for id in [
            "1",
            "01",
            "a",
            "nullable",
            "0a",
            "evt_0",
            "00000000-0000-0000-0000-000000000001",
        ] {
            assert!(SignedId::text(id.as_bytes()).is_some(), "{id:?}");
        }
        for none in ["0", "-0", "0.00", "0e5", "-0.0E+7"] {
            assert_eq!(SignedId::number(none.into()), None, "{none}");
        }
        for id in ["1", "-1", "0.1", "10", "0.5e0"] {
            assert!(SignedId::number(id.into()).is_some(), "{id}");
        }
        assert_ne!(SignedId::number("1".into()), SignedId::text(&b"1"[..]));
    }
}
