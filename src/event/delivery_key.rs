//! Computes the key of an event's delivery.

use sha2::{Digest, Sha256};

use crate::{
    delivery_key::{DeduplicateBy, DeliveryKey, SignedId},
    event::data::EventData,
    json, multipart,
};

/// Hashes pieces, prefixed by their lengths and kinds, so that the input is unambiguous.
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

    fn put_id(&mut self, id: &SignedId<'_>) {
        match id {
            SignedId::Number(number) => self.put_tagged("number", number.as_bytes()),
            SignedId::Text(text) => self.put_tagged("id", text),
        }
    }

    fn put_body(&mut self, event: &EventData) {
        self.put_tagged("body", event.body_sha256());
    }

    /// The body, or what is signed of it, if other spellings of it are signed as well.
    fn put_signed_body(&mut self, event: &EventData) {
        if event.is_respelled() {
            self.put_signed_values(event);
        } else {
            self.put_body(event);
        }
    }

    /// The body, and the signed time if the body is blank.
    fn put_event_without_id(&mut self, event: &EventData) {
        self.put_body(event);
        if let Some(time) = event.timestamp()
            && is_blank(&event.body)
        {
            self.put_tagged("seconds", &time.seconds.to_be_bytes());
            self.put_tagged("nanos", &time.nanos.to_be_bytes());
        }
    }

    /// The signed values of an event whose body the scheme does not cover. They include the time,
    /// because the others may be the same for every event.
    fn put_signed_values(&mut self, event: &EventData) {
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

/// Whether the body is empty or an empty JSON value, and so cannot distinguish two events.
fn is_blank(body: &[u8]) -> bool {
    let said = json::document(body)
        .iter()
        .filter(|byte| !byte.is_ascii_whitespace());
    let said: Vec<u8> = said.take(5).copied().collect();
    matches!(&said[..], b"" | b"{}" | b"[]" | b"null" | b"\"\"")
}

/// Whether nothing that is signed, and no body, tells the event from others of the endpoint.
pub(crate) fn is_nameless(event: &EventData) -> bool {
    // An empty body that is signed is one event that comes again, as far as anybody knows.
    if event.covers_body()
        || !event.body.is_empty()
        || event.signed_delivery_id().is_some()
        || event.timestamp().is_some()
    {
        return false;
    }
    let mut is_named = false;
    event.signed_values(&mut |_, is_time| is_named |= !is_time);
    !is_named
}

/// Computes the key of an event's delivery at a route.
pub(crate) fn key(event: &EventData, route: Option<&str>) -> DeliveryKey {
    let provider = &event.endpoint.provider;
    let mut pieces = Pieces(Sha256::new());
    pieces.put(provider.name().as_bytes());
    pieces.put_optional(event.endpoint.name());
    pieces.put_optional(event.owner.tenant().map(|id| &**id));
    pieces.put_optional(route);
    let deduplicate_by = provider.deduplicate_by();
    let by_id_alone = *deduplicate_by == DeduplicateBy::Id || provider.delivery_id_is_unique();
    match deduplicate_by {
        DeduplicateBy::Auto | DeduplicateBy::Id => match event.signed_delivery_id() {
            Some(id) if by_id_alone => pieces.put_id(&id),
            _ if !event.covers_bytes() => pieces.put_signed_values(event),
            id => {
                if let Some(values) = event.required_values() {
                    pieces.put_tagged("required", values);
                }
                if let Some(event_type) = event.signed_event_type() {
                    pieces.put_tagged("type", event_type);
                }
                match id {
                    Some(id) => {
                        pieces.put_id(&id);
                        pieces.put_body(event);
                    }
                    None => pieces.put_event_without_id(event),
                }
            }
        },
        DeduplicateBy::Body => pieces.put_signed_body(event),
        DeduplicateBy::BodyAndEventType => {
            pieces.put_signed_body(event);
            pieces.put(b"type");
            pieces.put_optional(event.event_type());
        }
        DeduplicateBy::Part(name) => {
            // Content-Type is not signed, so it must not change the key.
            let parts = multipart::parse(&event.body, None).unwrap_or_default();
            match parts.iter().find(|part| part.name() == name) {
                Some(part) => pieces.put_tagged("part", part.body()),
                None => pieces.put_body(event),
            }
        }
    }
    DeliveryKey::new(pieces.0.finalize().into())
}
