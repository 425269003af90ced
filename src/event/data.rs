//! [`EventData`]: what is known of a request whose head is in order, and what the events of a
//! verified one share.

#[cfg(feature = "tracing")]
use std::sync::atomic::AtomicBool;
use std::{
    borrow::Cow,
    sync::{Arc, OnceLock},
    time::Duration,
};

use bytes::Bytes;
use sha2::{Digest, Sha256};
use smallvec::SmallVec;

use crate::{
    clock::UnixTime,
    compiled::{
        body::{BodyInput, only},
        head::ParsedHead,
        header_table::{HeaderValue, HeaderValues},
        scheme::CompiledScheme,
    },
    delivery_key::{DeliveryKey, SignedId},
    endpoint::Endpoint,
    json,
    keys::key_set::KeySet,
    multipart,
    provider::message::Message,
    scheme::{
        definition::Coverage,
        locator::{Locator, LocatorKind},
    },
};

/// It is allocated when the head was checked, because the values of the head are too large to move
/// from step to step.
pub(crate) struct EventData {
    pub(crate) endpoint: Arc<Endpoint>,
    /// The variants under which the head is in order, at least one.
    pub(crate) variants: Variants,
    /// The value of `Content-Length`.
    pub(crate) declared: Option<u64>,
    /// When the head was checked, in seconds since 1970.
    pub(crate) received: i64,
    pub(crate) owner: KeyOwner,
    /// How many requests the endpoint has verified before this one.
    pub(crate) verified_before: u64,
    /// Whether lines about this event are within a span that has its fields.
    #[cfg(feature = "tracing")]
    pub(crate) traced: AtomicBool,
    /// The place in `variants` of the one whose signature matched.
    pub(crate) matched: usize,
    pub(crate) key_id: Option<Arc<str>>,
    /// The keys and the place of the one that matched, where answers are made with it.
    pub(crate) answering: Option<(KeySet, usize)>,
    pub(crate) body: Bytes,
    /// Known from the signature check if the scheme signs it, else computed on first use.
    pub(crate) body_sha256: OnceLock<[u8; 32]>,
    /// Read from the body on first use.
    pub(crate) event_type: OnceLock<Option<Box<str>>>,
    pub(crate) delivery_id: OnceLock<Option<Box<str>>>,
    /// The key without a route.
    pub(crate) delivery_key: OnceLock<DeliveryKey>,
    /// The key at the route of the delivery layer.
    pub(crate) claimed_key: OnceLock<DeliveryKey>,
}

/// Indexes of variants, with the values that each takes from the head.
pub(crate) type Variants = SmallVec<[(usize, ParsedHead); 1]>;

/// Whose keys a request is checked with.
pub(crate) enum KeyOwner {
    /// The endpoint's own.
    Endpoint,
    Tenant(Arc<str>),
    /// Nobody's: the request is refused even if the signature matches. The name is the one that
    /// the request asks for.
    Unknown(Option<Box<str>>),
}

impl KeyOwner {
    pub(crate) fn tenant(&self) -> Option<&Arc<str>> {
        match self {
            Self::Tenant(id) => Some(id),
            Self::Endpoint | Self::Unknown(_) => None,
        }
    }
}

impl EventData {
    pub(crate) fn new(endpoint: &Arc<Endpoint>, declared: Option<u64>, received: i64) -> Arc<Self> {
        // Allocates first, so that it can be built where it stays.
        Arc::new_cyclic(|_| Self {
            endpoint: Arc::clone(endpoint),
            variants: Variants::new(),
            declared,
            received,
            owner: KeyOwner::Endpoint,
            verified_before: 0,
            #[cfg(feature = "tracing")]
            traced: AtomicBool::new(false),
            matched: 0,
            key_id: None,
            answering: None,
            body: Bytes::new(),
            body_sha256: OnceLock::new(),
            event_type: OnceLock::new(),
            delivery_id: OnceLock::new(),
            delivery_key: OnceLock::new(),
            claimed_key: OnceLock::new(),
        })
    }

    /// The data of a request that is not verified yet.
    pub(crate) fn unverified(data: &mut Arc<Self>) -> &mut Self {
        let Some(data) = Arc::get_mut(data) else {
            unreachable!("only verified events share their data");
        };
        data
    }

    /// Keeps what the proven signature of the variant that matched says, and nothing of others.
    pub(crate) fn settle(&mut self, signature: usize) {
        for (place, (_, parsed)) in self.variants.iter_mut().enumerate() {
            match &mut parsed.special {
                Some(special) if place == self.matched => {
                    let time = special.settle(signature);
                    parsed.timestamp = parsed.timestamp.or(time);
                }
                Some(special) => special.forget(),
                None => {}
            }
        }
    }

    /// The index of the variant whose signature matched, and its values.
    fn matched(&self) -> Option<&(usize, ParsedHead)> {
        self.variants.get(self.matched)
    }

    fn values(&self) -> Option<&HeaderValues> {
        Some(&self.matched()?.1.values)
    }

    /// The time of the attempt, only if it is signed.
    pub(crate) fn timestamp(&self) -> Option<UnixTime> {
        self.matched()?.1.timestamp
    }

    pub(crate) fn scheme(&self) -> Option<&CompiledScheme> {
        self.endpoint.scheme(self.matched()?.0)
    }

    pub(crate) fn body_sha256(&self) -> &[u8; 32] {
        self.body_sha256
            .get_or_init(|| Sha256::digest(&self.body).into())
    }

    /// Whether the whole body is signed, and not only some of its fields.
    pub(crate) fn covers_body(&self) -> bool {
        self.coverage() == Coverage::Body
    }

    /// Whether the bytes of the body are signed, and not values that another spelling has too.
    pub(crate) fn covers_bytes(&self) -> bool {
        let special = self.scheme().and_then(|scheme| scheme.special.as_ref());
        self.covers_body() && special.is_none_or(|special| special.scheme.0.covers_bytes())
    }

    /// Whether the same signature is for several bodies, which code reads.
    pub(crate) fn is_respelled(&self) -> bool {
        let special = self.scheme().and_then(|scheme| scheme.special.as_ref());
        special.is_some_and(|special| !special.scheme.0.covers_bytes())
    }

    /// What the endpoint requires to be signed beside the body, if it says so.
    pub(crate) fn required_values(&self) -> Option<&[u8]> {
        self.matched()?.1.special.as_ref()?.required()
    }

    /// How much of the body is signed.
    pub(crate) fn coverage(&self) -> Coverage {
        self.scheme()
            .map_or(Coverage::None, |scheme| scheme.coverage)
    }

    /// Every signed value except the secret, and whether it is the timestamp.
    pub(crate) fn signed_values(&self, take: &mut dyn FnMut(&[u8], bool)) {
        if let Some((_, parsed)) = self.matched()
            && let Some(special) = &parsed.special
        {
            for content in special.identity(&self.body) {
                take(&content, false);
            }
            return;
        }
        if let (Some(scheme), Some(values)) = (self.scheme(), self.values()) {
            let body = BodyInput::new(self.body.clone(), &self.endpoint.body);
            let time = scheme.head.time_header();
            scheme.content.values(values, &body, time, take);
        }
    }

    pub(crate) fn event_type(&self) -> Option<&str> {
        let locator = self.endpoint.provider.event_type()?;
        self.look_up(locator, |values| &values.event_type, &self.event_type)
    }

    pub(crate) fn delivery_id(&self) -> Option<&str> {
        let locator = self.endpoint.provider.delivery_id()?;
        self.look_up(locator, |values| &values.delivery_id, &self.delivery_id)
    }

    pub(crate) fn content_type(&self) -> Option<&[u8]> {
        self.values()?.content_type.as_deref()
    }

    /// `Content-Type` and `Content-Encoding`, each empty if it is missing.
    pub(crate) fn content_headers(&self) -> (&[u8], &[u8]) {
        let content_encoding = self
            .values()
            .and_then(|values| values.content_encoding.as_deref());
        (
            self.content_type().unwrap_or_default(),
            content_encoding.unwrap_or_default(),
        )
    }

    /// The event type, if it is in a signed header. In a signed body it is part of the body.
    pub(crate) fn signed_event_type(&self) -> Option<&[u8]> {
        self.scheme()?.signed_event_type(self.values()?)
    }

    /// The delivery id, if it is signed and is not a placeholder.
    pub(crate) fn signed_delivery_id(&self) -> Option<SignedId<'_>> {
        let (scheme, body) = (self.scheme()?, &self.body);
        let locator = &self.endpoint.provider.delivery_id()?.0;
        match locator {
            LocatorKind::Header(_) => SignedId::text(scheme.signed_delivery_id(self.values()?)?),
            _ if !self.covers_body() && !scheme.content.signs(locator) => None,
            LocatorKind::Json(pointer) => json_id(body, pointer),
            LocatorKind::Form(name) => {
                let id = only(body, name)?;
                is_text(&id).then(|| SignedId::text(id.into_owned().into_bytes()))?
            }
            LocatorKind::FormJson(name, pointer) => {
                json_id(only(body, name)?.as_bytes(), pointer).map(SignedId::into_owned)
            }
            LocatorKind::Field(_) | LocatorKind::Query(_) => None,
        }
    }

    /// Whether the event type and the delivery id are there and not signed.
    pub(crate) fn unsigned(&self) -> (bool, bool) {
        let provider = &self.endpoint.provider;
        let is_signed = |locator: &Locator, header: Option<&[u8]>| match &locator.0 {
            LocatorKind::Header(_) => header.is_some(),
            kind => self
                .scheme()
                .is_some_and(|scheme| self.covers_body() || scheme.content.signs(kind)),
        };
        let values = self.scheme().zip(self.values());
        let id = values.and_then(|(scheme, values)| scheme.signed_delivery_id(values));
        let event_type = provider
            .event_type()
            .filter(|locator| !is_signed(locator, self.signed_event_type()));
        let delivery_id = provider
            .delivery_id()
            .filter(|locator| !is_signed(locator, id));
        (
            event_type.is_some() && self.event_type().is_some(),
            delivery_id.is_some() && self.delivery_id().is_some(),
        )
    }

    /// How long the same request is accepted, if a signed timestamp limits that.
    pub(crate) fn timestamp_window(&self) -> Option<Duration> {
        self.timestamp()?;
        self.endpoint.tolerance(self.matched()?.0)?.width()
    }

    fn look_up<'d>(
        &'d self,
        locator: &Locator,
        header: fn(&HeaderValues) -> &Option<HeaderValue>,
        cache: &'d OnceLock<Option<Box<str>>>,
    ) -> Option<&'d str> {
        match &locator.0 {
            LocatorKind::Header(_) => {
                let value = header(self.values()?).as_deref()?;
                std::str::from_utf8(value).ok()
            }
            LocatorKind::Json(pointer) => {
                let found = || match self.endpoint.provider.message() {
                    Some(message @ Message::Jws(_)) => {
                        Some(json::scalar(&message.read(&self.body)?, pointer)?.into())
                    }
                    _ => Some(json::scalar(&self.body, pointer)?.into()),
                };
                cache.get_or_init(found).as_deref()
            }
            LocatorKind::Form(name) => {
                let found = || {
                    let value = first_field(&self.body, name)?;
                    is_text(&value).then(|| value.into())
                };
                cache.get_or_init(found).as_deref()
            }
            LocatorKind::FormJson(name, pointer) => {
                let found = || {
                    let value = first_field(&self.body, name)?;
                    Some(json::scalar(value.as_bytes(), pointer)?.into())
                };
                cache.get_or_init(found).as_deref()
            }
            LocatorKind::Field(_) | LocatorKind::Query(_) => None,
        }
    }
}

/// The first form field with this name.
fn first_field<'b>(body: &'b Bytes, name: &str) -> Option<Cow<'b, str>> {
    let mut fields = multipart::fields(body).into_iter();
    let (_, value) = fields.find(|(field, _)| field == name)?;
    Some(value)
}

/// The id at a pointer, if it is text or a number.
fn json_id<'d>(document: &'d [u8], pointer: &str) -> Option<SignedId<'d>> {
    let raw = json::raw(document, pointer)?;
    let id = json::text(raw)?;
    match raw.get().as_bytes().first()? {
        b'"' => SignedId::text(id.into_owned().into_bytes()),
        b't' | b'f' => None,
        _ => SignedId::number(id),
    }
}

/// Whether a form value was UTF-8. Bytes that are not are replaced, and different ids look alike.
fn is_text(value: &str) -> bool {
    !value.contains(char::REPLACEMENT_CHARACTER)
}
