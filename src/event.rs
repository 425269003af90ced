//! [`VerifiedEvent`]: proof that a request comes from its provider; [`Payload`]: what can be read out of one.

use std::{
    fmt,
    sync::{Arc, OnceLock},
    time::SystemTime,
};

use bytes::Bytes;
use serde::de::DeserializeOwned;

use crate::{
    PayloadError, Rejection, Source,
    clock::Instant,
    json,
    multipart::{self, Part},
    provider::IdentityMapping,
    scheme::{Admitted, Captured, Read},
    shared::Shared,
    source::SourceKind,
};

/// A request that was proven to come from its provider, with its payload read as `T`.
///
/// Only a [`Check`](crate::verify::Check) can make one; there is no other constructor. It is cheap to clone. Its
/// `Debug` shows where it came from and how long it is, never what it says.
///
/// In a handler, `VerifiedEvent<T>` is an extractor. Anywhere else, take the [`Bytes`] one out of the request's
/// extensions and [`parse`](Self::parse) it.
#[derive(Clone)]
pub struct VerifiedEvent<T: Payload = Bytes> {
    meta: Arc<Meta>,
    payload: T,
}

struct Meta {
    shared: Arc<Shared>,
    scheme: usize,
    captured: Captured,
    timestamp: Option<Instant>,
    key_id: Option<Arc<str>>,
    body: Bytes,
    event_type: OnceLock<Option<Box<str>>>,
    delivery_id: OnceLock<Option<Box<str>>>,
}

impl VerifiedEvent {
    /// The one place where an event comes into being.
    pub(crate) fn proven(
        shared: Arc<Shared>,
        scheme: usize,
        admitted: Admitted,
        key_id: Option<Arc<str>>,
        body: Bytes,
    ) -> Self {
        let payload = body.clone();
        let meta = Meta {
            shared,
            scheme,
            captured: admitted.captured,
            timestamp: admitted.timestamp,
            key_id,
            body,
            event_type: OnceLock::new(),
            delivery_id: OnceLock::new(),
        };
        Self {
            meta: Arc::new(meta),
            payload,
        }
    }
}

impl<T: Payload> VerifiedEvent<T> {
    /// Takes the event that the layer put there, and reads it as `T`: what an extractor does.
    ///
    /// # Errors
    ///
    /// [`LayerMissing`](crate::RejectionKind::LayerMissing) when there is no event,
    /// [`UnreadablePayload`](crate::RejectionKind::UnreadablePayload) when it cannot be read as `T`.
    pub fn from_extensions(extensions: &http::Extensions) -> Result<Self, Rejection> {
        let event = extensions
            .get::<VerifiedEvent>()
            .ok_or_else(Rejection::layer_missing)?;
        event
            .parse()
            .map_err(|error| Rejection::unreadable(error, &event.meta.shared))
    }

    /// Reads the payload as another type. The event itself stays as it is.
    ///
    /// # Errors
    ///
    /// When the body is not a `P`, or `P` belongs to another provider.
    pub fn parse<P: Payload>(&self) -> Result<VerifiedEvent<P>, PayloadError> {
        let raw = VerifiedEvent {
            meta: Arc::clone(&self.meta),
            payload: self.meta.body.clone(),
        };
        let payload = P::from_event(&raw)?;
        Ok(VerifiedEvent {
            meta: raw.meta,
            payload,
        })
    }

    /// Reads the body as JSON of your own type, whatever its provider.
    ///
    /// # Errors
    ///
    /// When the body is not the JSON of a `J`.
    pub fn json<J: DeserializeOwned>(&self) -> Result<J, PayloadError> {
        serde_json::from_slice(&self.meta.body).map_err(|error| PayloadError::json(&error))
    }

    /// Reads the body as a type of ours. Unlike the field names of a stranger's type, ours may stand in an error.
    pub(crate) fn read<J: DeserializeOwned>(&self) -> Result<J, PayloadError> {
        json::read(&self.meta.body)
    }

    /// The parts of a `multipart/form-data` body, as slices of it.
    ///
    /// The header `Content-Type` is not signed, so the body alone says where its parts end. A header that names another
    /// boundary is an error, and never another reading.
    ///
    /// # Errors
    ///
    /// When the body is not one, strictly: see [`multipart`](crate::multipart).
    pub fn parts(&self) -> Result<Vec<Part>, PayloadError> {
        let scheme = self.meta.shared.scheme(self.meta.scheme);
        let content_type =
            scheme.and_then(|scheme| scheme.read(&self.meta.captured, Read::ContentType));
        multipart::parse(&self.meta.body, content_type)
    }

    /// The payload.
    pub fn payload(&self) -> &T {
        &self.payload
    }

    /// The payload, without the proof.
    pub fn into_payload(self) -> T {
        self.payload
    }

    /// The bytes that were verified.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.meta.body
    }

    /// The name of the provider.
    #[must_use]
    pub fn provider(&self) -> &str {
        self.meta.shared.provider().name()
    }

    /// The name of the endpoint, if it was given one.
    #[must_use]
    pub fn endpoint(&self) -> Option<&str> {
        self.meta.shared.endpoint()
    }

    /// What the provider calls this event. From a header that is not signed, anybody who replays a request can set
    /// it; see the provider's page here.
    #[must_use]
    pub fn event_type(&self) -> Option<&str> {
        let source = self.meta.shared.provider().event_type()?;
        self.meta
            .lookup(source, Read::EventType, &self.meta.event_type)
    }

    /// The id of the event or delivery, for people and logs. It may be unsigned, and is not what to recognise
    /// repeated deliveries by.
    #[must_use]
    pub fn delivery_id(&self) -> Option<&str> {
        let source = self.meta.shared.provider().delivery_id()?;
        self.meta
            .lookup(source, Read::DeliveryId, &self.meta.delivery_id)
    }

    /// The signed time of the attempt; `None` where the provider signs none.
    #[must_use]
    pub fn timestamp(&self) -> Option<SystemTime> {
        self.meta.timestamp?.to_system_time()
    }

    /// The id of the key that matched, if it has one.
    #[must_use]
    pub fn key_id(&self) -> Option<&str> {
        self.meta.key_id.as_deref()
    }

    /// The name of the construction that matched, such as `hmac-sha256`.
    #[must_use]
    pub fn construction(&self) -> &str {
        let scheme = self.meta.shared.scheme(self.meta.scheme);
        scheme.map_or("", |scheme| &scheme.name)
    }

    pub(crate) fn identity_mapping(&self) -> Option<IdentityMapping> {
        self.meta.shared.provider().identity()
    }

    /// Tells the operator what was let in. Where more than one reading of the provider's documentation is tried, which it was
    /// is worth more than a word for debugging: it can then be fixed.
    #[cfg(feature = "tracing")]
    pub(crate) fn log(&self) {
        let (provider, endpoint) = (self.provider(), self.endpoint());
        let (construction, key_id, bytes) =
            (self.construction(), self.key_id(), self.meta.body.len());
        if self.meta.shared.provider().schemes().nth(1).is_some() {
            tracing::info!(
                provider,
                endpoint,
                construction,
                key_id,
                bytes,
                "webhook verified"
            );
        } else {
            tracing::debug!(
                provider,
                endpoint,
                construction,
                key_id,
                bytes,
                "webhook verified"
            );
        }
    }

    #[cfg(not(feature = "tracing"))]
    #[expect(clippy::unused_self, reason = "the same signature as with the feature")]
    pub(crate) fn log(&self) {}

    /// A parameter of the endpoint's provider: for types that are read by one.
    #[must_use]
    pub fn param(&self, name: &str) -> Option<&str> {
        self.meta.shared.provider().param(name)
    }
}

impl Meta {
    fn lookup<'m>(
        &'m self,
        source: &Source,
        read: Read,
        cache: &'m OnceLock<Option<Box<str>>>,
    ) -> Option<&'m str> {
        match &source.0 {
            SourceKind::Header(_) => {
                let value = self
                    .shared
                    .scheme(self.scheme)?
                    .read(&self.captured, read)?;
                std::str::from_utf8(value).ok()
            }
            SourceKind::Json(pointer) => {
                let found = || Some(json::scalar(&self.body, pointer)?.into());
                cache.get_or_init(found).as_deref()
            }
            SourceKind::Form(name) => {
                let found = || {
                    let mut fields = form_urlencoded::parse(&self.body);
                    let (_, value) = fields.find(|(field, _)| field == name)?;
                    Some(value.into())
                };
                cache.get_or_init(found).as_deref()
            }
        }
    }
}

impl<T: Payload> fmt::Debug for VerifiedEvent<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifiedEvent")
            .field("provider", &self.provider())
            .field("endpoint", &self.endpoint())
            .field("construction", &self.construction())
            .field("key_id", &self.key_id())
            .field("bytes", &self.body().len())
            .finish_non_exhaustive()
    }
}

/// A type that can be read out of a verified event.
///
/// Implemented by the event types of [`providers`](crate::providers), by [`Json`] for types of your own, by
/// [`serde_json::Value`] and by [`Bytes`]. Implement it yourself for another format:
///
/// ```
/// use tower_webhook::{Payload, PayloadError, VerifiedEvent};
///
/// struct Lines(usize);
///
/// impl Payload for Lines {
///     fn from_event(event: &VerifiedEvent) -> Result<Self, PayloadError> {
///         let text = std::str::from_utf8(event.body())
///             .map_err(|_| PayloadError::new("the body is not UTF-8"))?;
///         Ok(Self(text.lines().count()))
///     }
/// }
/// # fn assert_payload<T: Payload>() {}
/// # assert_payload::<Lines>();
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be read out of a verified event",
    label = "this is not a webhook payload",
    note = "take `VerifiedEvent<Json<{Self}>>` with `tower_webhook::Json` (not axum's) if it is `serde::Deserialize`, or implement `tower_webhook::Payload` for it"
)]
pub trait Payload: Sized {
    /// Reads the payload of an event that is proven already.
    ///
    /// # Errors
    ///
    /// When the body is not one. The error must not quote the body.
    fn from_event(event: &VerifiedEvent) -> Result<Self, PayloadError>;
}

impl Payload for Bytes {
    fn from_event(event: &VerifiedEvent) -> Result<Self, PayloadError> {
        Ok(event.body().clone())
    }
}

impl Payload for serde_json::Value {
    fn from_event(event: &VerifiedEvent) -> Result<Self, PayloadError> {
        event.json()
    }
}

/// JSON of a type of your own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "a wrapper to take apart in a parameter list"
)]
pub struct Json<T>(pub T);

impl<T: DeserializeOwned> Payload for Json<T> {
    fn from_event(event: &VerifiedEvent) -> Result<Self, PayloadError> {
        event.json().map(Self)
    }
}

impl PayloadError {
    /// An error when the event is another provider's than the type.
    pub(crate) fn unless_from(provider: &str, event: &VerifiedEvent) -> Result<(), Self> {
        if event.provider() == provider {
            return Ok(());
        }
        Err(Self::new(format!(
            "it is an event of provider {}, and the type is one of {provider}",
            event.provider()
        )))
    }
}
