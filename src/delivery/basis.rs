//! What the key of a delivery is made of.

use std::borrow::Cow;

use sha2::{Digest, Sha256};

use super::DeliveryKey;
use crate::{VerifiedEvent, multipart};

/// What tells one delivery of a provider from another, however often each is sent.
///
/// The key is a digest of the provider, the endpoint, the tenant, and this. It is made of what is signed and nothing
/// else: never of the signature, a timestamp or a key's id, since senders sign each attempt anew, and never of an unsigned
/// header, which anybody could change.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyedBy {
    /// The delivery id where it is signed: a header that is part of the signed content, or a field of a body that is
    /// signed as a whole. The body where it is not, or where there is none. The default.
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
}

/// The key of an event's delivery.
pub(crate) fn key(event: &VerifiedEvent) -> DeliveryKey {
    let mut pieces = Pieces(Sha256::new());
    pieces.put(event.provider().as_bytes());
    pieces.put_optional(event.endpoint());
    pieces.put_optional(event.tenant());
    let body = event.raw_body();
    match event.shared().provider().keyed_by() {
        KeyedBy::DeliveryId => match event.signed_delivery_id() {
            Some(id) => pieces.put_tagged("id", id),
            None => pieces.put_tagged("body", body),
        },
        KeyedBy::Body => pieces.put_tagged("body", body),
        KeyedBy::BodyAndEventType => {
            pieces.put_tagged("typed", body);
            pieces.put_optional(event.raw_event_type());
        }
        KeyedBy::Part(name) => {
            // Content-Type is not signed: what it says must not turn one delivery into another.
            let parts = multipart::parse(body, None).unwrap_or_default();
            match parts.iter().find(|part| part.name() == name) {
                Some(part) => pieces.put_tagged("part", part.body()),
                None => pieces.put_tagged("body", body),
            }
        }
    }
    DeliveryKey::new(pieces.0.finalize().into())
}
