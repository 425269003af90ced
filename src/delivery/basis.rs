//! What the key of a delivery is made of.

use std::borrow::Cow;

use sha2::{Digest, Sha256};

use super::DeliveryKey;
use crate::{VerifiedEvent, multipart};

/// What tells one delivery of a provider from another, however often each is sent.
///
/// The key is a digest of the provider, the endpoint, the tenant, the route, and this. It is made of what is signed and nothing
/// else: never of the signature or a key's id, since senders sign each attempt anew, and never of an unsigned header, which anybody
/// could change. A timestamp counts only where nothing else tells two events apart: see [`Auto`](Self::Auto).
///
/// An id is a signed header, a field of a body that is signed as a whole, or a field that is itself part of the signed content. `0`,
/// `false`, `null`, an empty or blank text and the like are no ids, and a JSON number is another id than the string of its digits.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyedBy {
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
    DeliveryId,
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

    fn put(&self, pieces: &mut Pieces) {
        match self {
            Self::Number(number) => pieces.put_tagged("number", number.as_bytes()),
            Self::Text(text) => pieces.put_tagged("id", text),
        }
    }
}

/// Keeps pieces of different kinds and lengths apart.
struct Pieces(Sha256);

impl Pieces {
    fn put(&mut self, piece: &[u8]) {
        let length = u64::try_from(piece.len()).unwrap_or(u64::MAX);
        self.0.update(length.to_be_bytes());
        self.0.update(piece);
    }

    fn put_optional(&mut self, piece: Option<&str>) {
        self.0.update([u8::from(piece.is_some())]);
        self.put(piece.unwrap_or_default().as_bytes());
    }

    fn put_tagged(&mut self, tag: &str, piece: &[u8]) {
        self.put(tag.as_bytes());
        self.put(piece);
    }

    fn put_body(&mut self, event: &VerifiedEvent) {
        self.put_tagged("body", event.body_sha256());
    }

    /// The body, and the time of an event that says nothing else.
    fn put_event_without_id(&mut self, event: &VerifiedEvent) {
        self.put_body(event);
        if let Some(time) = event.signed_time()
            && says_nothing(event.raw_body())
        {
            self.put_tagged("seconds", &time.seconds.to_be_bytes());
            self.put_tagged("nanos", &time.nanos.to_be_bytes());
        }
    }

    /// What the scheme signs of an event whose body it does not cover. The time is one of it: the other values may be the same for
    /// every event.
    fn put_signed_values(&mut self, event: &VerifiedEvent) {
        let mut some = false;
        event.signed_values(&mut |value, is_time| {
            some |= !is_time;
            self.put_tagged("value", value);
        });
        if !some {
            self.put_event_without_id(event);
        }
    }
}

/// Whether two events with such a body are told apart by nothing in it.
fn says_nothing(body: &[u8]) -> bool {
    let body = body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(body);
    let said = body.iter().filter(|byte| !byte.is_ascii_whitespace());
    let said: Vec<u8> = said.take(5).copied().collect();
    matches!(&said[..], b"" | b"{}" | b"[]" | b"null" | b"\"\"")
}

/// The key of an event's delivery at a route.
pub(crate) fn key(event: &VerifiedEvent, route: Option<&str>) -> DeliveryKey {
    let provider = event.shared().provider();
    let mut pieces = Pieces(Sha256::new());
    pieces.put(provider.name().as_bytes());
    pieces.put_optional(event.endpoint());
    pieces.put_optional(event.tenant());
    pieces.put_optional(route);
    let keyed_by = provider.keyed_by();
    let by_id_alone = *keyed_by == KeyedBy::DeliveryId || provider.delivery_id_is_unique();
    match keyed_by {
        KeyedBy::Auto | KeyedBy::DeliveryId => match event.signed_delivery_id() {
            Some(id) if by_id_alone => id.put(&mut pieces),
            _ if !event.covers_body() => pieces.put_signed_values(event),
            id => {
                if let Some(event_type) = event.signed_event_type() {
                    pieces.put_tagged("type", event_type);
                }
                match id {
                    Some(id) => {
                        id.put(&mut pieces);
                        pieces.put_body(event);
                    }
                    None => pieces.put_event_without_id(event),
                }
            }
        },
        KeyedBy::Body => pieces.put_body(event),
        KeyedBy::BodyAndEventType => {
            pieces.put_body(event);
            pieces.put(b"type");
            pieces.put_optional(event.raw_event_type());
        }
        KeyedBy::Part(name) => {
            // Content-Type is not signed: what it says must not turn one delivery into another.
            let parts = multipart::parse(event.raw_body(), None).unwrap_or_default();
            match parts.iter().find(|part| part.name() == name) {
                Some(part) => pieces.put_tagged("part", part.body()),
                None => pieces.put_body(event),
            }
        }
    }
    DeliveryKey::new(pieces.0.finalize().into())
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
