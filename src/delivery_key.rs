//! [`DeliveryKey`]: which delivery a request is; [`DeduplicateBy`]: what that is decided by.

use std::{borrow::Cow, error::Error, fmt, str::FromStr};

use crate::crypto::encoding::decode_hex;

/// Names one delivery of one endpoint, however often it is sent: a digest. Logs and events show it as 64 hexadecimal
/// digits.
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

/// Reads what `Display` writes, in either case.
impl FromStr for DeliveryKey {
    type Err = ParseDeliveryKeyError;

    fn from_str(text: &str) -> Result<Self, ParseDeliveryKeyError> {
        let digest = decode_hex(text).and_then(|digest| digest.try_into().ok());
        digest.map(Self::new).ok_or(ParseDeliveryKeyError(()))
    }
}

/// A text is not a [`DeliveryKey`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseDeliveryKeyError(());

impl fmt::Display for ParseDeliveryKeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a delivery key has 64 hexadecimal digits; take it from the log or the event")
    }
}

impl Error for ParseDeliveryKeyError {}

/// What tells one delivery of a provider from another, however often each is sent.
///
/// The key is a digest of the provider, the endpoint, the tenant, the route, and this. It is made of what is signed and nothing
/// else: never of the signature or a key's id, since senders sign each attempt anew, and never of an unsigned header, which anybody
/// could change. A timestamp counts only where nothing else tells two events apart: see [`Auto`](Self::Auto).
///
/// An id is a signed header, a field of a body that is signed as a whole, or a field that is itself part of the signed content. `0`,
/// `false`, `null`, an empty or blank text and the like are no ids, and a JSON number is another id than the string of its digits.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DeduplicateBy {
    /// What the provider's data say. The default.
    ///
    /// 1. The delivery id, where it [identifies an event](crate::Provider::with_unique_delivery_id).
    /// 2. Else the delivery id, if there is one, and the body. An id that comes again with another body is another delivery.
    /// 3. With no id and a body that says nothing (empty, or an empty JSON value), the signed time.
    ///
    /// Where the scheme does not sign the whole body, it is the id if that identifies an event and is signed, else all signed values, the time
    /// among them, and the body if none but the time is signed.
    ///
    /// An event type in a header that is signed is part of it, unless the id is enough.
    Auto,
    /// The delivery id alone: an event with an equal id is not handled, whatever its body says. Of an event without one, as
    /// [`Auto`](Self::Auto).
    Id,
    /// The whole body.
    Body,
    /// The body and the event type, though that may stand in a header that nobody signs. Equal bodies of different types
    /// are then two deliveries, and whoever captured a request can make a new delivery of it by changing the type.
    BodyAndEventType,
    /// The first part of this name of a `multipart/form-data` body, whose boundary may differ from attempt to attempt. The
    /// body where there is no such part.
    Part(Cow<'static, str>),
}

/// A delivery id that is signed, and of which kind it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum SignedId<'e> {
    /// A JSON number, as it is written.
    Number(Cow<'e, str>),
    /// A header, a form field or a JSON string.
    Text(Cow<'e, [u8]>),
}

impl<'e> SignedId<'e> {
    /// `None` for what senders write where they have no id.
    pub(crate) fn text(text: impl Into<Cow<'e, [u8]>>) -> Option<Self> {
        const NONE: [&str; 5] = ["false", "nil", "none", "null", "undefined"];
        let text = text.into();
        let trimmed = text.trim_ascii();
        let says_none = NONE
            .iter()
            .any(|none| trimmed.eq_ignore_ascii_case(none.as_bytes()));
        // Zeros are also the UUID that stands for none.
        let is_nothing = trimmed
            .iter()
            .all(|byte| matches!(byte, b'0' | b'-' | b'.'));
        (!says_none && !is_nothing).then_some(Self::Text(text))
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
    fn b_3_what_stands_for_no_id_is_none() {
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
