//! [`VerifiedEvent`]: proof that a request comes from its provider; [`Payload`]: what can be read out of one.

use std::{
    fmt,
    sync::{Arc, OnceLock},
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use crate::{
    PayloadError, Rejection, RejectionKind, Source,
    clock::Instant,
    delivery::{self, DeliveryKey, SignedId},
    json,
    multipart::{self, Part},
    near::Near,
    provider::IdentityMapping,
    rejection::{BoxError, Reason},
    scheme::{Bodied, Read, only},
    source::SourceKind,
    verifier::Proof,
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
    proof: Arc<Proof>,
    payload: T,
}

impl VerifiedEvent {
    /// The one place where an event comes into being.
    pub(crate) fn proven(proof: Arc<Proof>) -> Self {
        let payload = proof.body.clone();
        Self { proof, payload }
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
        Self::take(extensions.get())
    }

    pub(crate) fn take(event: Option<&VerifiedEvent>) -> Result<Self, Rejection> {
        let event = event.ok_or_else(Rejection::layer_missing)?;
        event.parse().map_err(|error| {
            let reason = Reason::new(RejectionKind::UnreadablePayload);
            event.rejection(reason, Some(error.into()))
        })
    }

    /// Reads the payload as another type. The event itself stays as it is.
    ///
    /// # Errors
    ///
    /// When the body is not a `P`, or `P` belongs to another provider.
    pub fn parse<P: Payload>(&self) -> Result<VerifiedEvent<P>, PayloadError> {
        self.shared().uptake.take();
        let raw = VerifiedEvent {
            proof: Arc::clone(&self.proof),
            payload: self.proof.body.clone(),
        };
        let payload = P::from_event(&raw)?;
        Ok(VerifiedEvent {
            proof: raw.proof,
            payload,
        })
    }

    /// Reads the body as JSON of your own type, whatever its provider.
    ///
    /// # Errors
    ///
    /// When the body is not the JSON of a `J`.
    pub fn json<J: DeserializeOwned>(&self) -> Result<J, PayloadError> {
        serde_json::from_slice(self.body()).map_err(|error| PayloadError::json(&error))
    }

    /// An error unless the body may be one of a kind that is not known: an object with something in it, in which no name stands
    /// twice.
    pub(crate) fn check_unknown(&self) -> Result<(), PayloadError> {
        let mut names = json::names(&self.proof.body)?;
        if names.is_empty() {
            return Err(PayloadError::new("the body has no fields"));
        }
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        if names.len() < count {
            return Err(PayloadError::new("a field stands in the body twice"));
        }
        Ok(())
    }

    /// Reads the body of a kind that is not known.
    pub(crate) fn read_unknown(&self) -> Result<serde_json::Value, PayloadError> {
        self.check_unknown()?;
        self.json()
    }

    /// Reads the body as a type of ours. Unlike the field names of a stranger's type, ours may stand in an error.
    pub(crate) fn read<J: DeserializeOwned>(&self) -> Result<J, PayloadError> {
        json::read(&self.proof.body)
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
        let content_type = self.proof.read(Read::ContentType);
        multipart::parse(self.body(), content_type)
    }

    /// The payload.
    pub fn payload(&self) -> &T {
        self.shared().uptake.take();
        &self.payload
    }

    /// The payload, without the proof.
    pub fn into_payload(self) -> T {
        self.shared().uptake.take();
        self.payload
    }

    /// The bytes that were verified.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        self.shared().uptake.take();
        &self.proof.body
    }

    /// The name of the provider.
    #[must_use]
    pub fn provider(&self) -> &str {
        self.shared().provider().name()
    }

    /// The name of the endpoint, if it was given one.
    #[must_use]
    pub fn endpoint(&self) -> Option<&str> {
        self.shared().endpoint()
    }

    /// The id of the tenant whose key it was, where keys are [looked up](crate::lookup) for each request.
    #[must_use]
    pub fn tenant(&self) -> Option<&str> {
        self.proof.party.tenant().map(|id| &**id)
    }

    /// What the provider calls this event. From a header that is not signed, anybody who replays a request can set
    /// it; see the provider's page here.
    #[must_use]
    pub fn event_type(&self) -> Option<&str> {
        self.shared().uptake.take();
        self.raw_event_type()
    }

    /// The id of the event or delivery, for people and logs. It may be unsigned, and is not what to recognise
    /// repeated deliveries by.
    #[must_use]
    pub fn delivery_id(&self) -> Option<&str> {
        let source = self.shared().provider().delivery_id()?;
        self.proof
            .look_up(source, Read::DeliveryId, &self.proof.delivery_id)
    }

    /// What to recognise repeated attempts of the same delivery by: a digest of the endpoint, the tenant, the route and what is
    /// signed that names the delivery. [`KeyedBy`](delivery::KeyedBy) says what that is.
    ///
    /// Inside a [`DeliveryLayer`](delivery::DeliveryLayer) it is the key that the layer has claimed. Elsewhere it is one without a
    /// route, which the event does not know: see [`delivery_key_at`](Self::delivery_key_at). It is computed when it is first asked for.
    #[must_use]
    pub fn delivery_key(&self) -> DeliveryKey {
        let proof = &self.proof;
        match proof.claimed_key.get() {
            Some(key) => *key,
            None => *proof
                .delivery_key
                .get_or_init(|| delivery::key(&self.raw(), None)),
        }
    }

    /// The key that a [`DeliveryLayer`](delivery::DeliveryLayer) at this route has for the event. The route is the framework's pattern, such
    /// as `/hooks/{shop}`, or else the path.
    #[must_use]
    pub fn delivery_key_at(&self, route: &str) -> DeliveryKey {
        delivery::key(&self.raw(), Some(route))
    }

    /// The same, which [`delivery_key`](Self::delivery_key) shows from now on.
    pub(crate) fn claim_key(&self, route: &str) -> DeliveryKey {
        let key = self.delivery_key_at(route);
        // One request comes to one delivery layer; a further one stands aside.
        let _ = self.proof.claimed_key.set(key);
        key
    }

    fn raw(&self) -> VerifiedEvent {
        VerifiedEvent {
            proof: Arc::clone(&self.proof),
            payload: Bytes::new(),
        }
    }

    /// Whether the digest of the body is known already.
    #[cfg(test)]
    pub(crate) fn knows_body_sha256(&self) -> bool {
        self.proof.body_sha256.get().is_some()
    }

    pub(crate) fn body_sha256(&self) -> &[u8; 32] {
        let proof = &self.proof;
        proof
            .body_sha256
            .get_or_init(|| Sha256::digest(&proof.body).into())
    }

    /// The signed time, as it was compared with the clock.
    pub(crate) fn signed_time(&self) -> Option<Instant> {
        self.proof.admitted()?.timestamp
    }

    /// Whether the whole body is signed, and not only some of its fields.
    pub(crate) fn covers_body(&self) -> bool {
        self.proof.scheme().is_some_and(|scheme| scheme.covers_body)
    }

    /// Every value that is signed, but for the secret, and whether it is the time.
    pub(crate) fn signed_values(&self, take: &mut dyn FnMut(&[u8], bool)) {
        let proof = &self.proof;
        if let (Some(scheme), Some(admitted)) = (proof.scheme(), proof.admitted()) {
            let bodied = Bodied::new(proof.body.clone(), &proof.shared.body, None);
            scheme.content.values(&admitted.captured, &bodied, take);
        }
    }

    /// The signed time of the attempt; `None` where the provider signs none.
    #[must_use]
    pub fn timestamp(&self) -> Option<SystemTime> {
        self.proof.admitted()?.timestamp?.to_system_time()
    }

    /// How many seconds that time was from the receiver's clock when the request arrived, on either side.
    #[must_use]
    pub fn skew(&self) -> Option<u64> {
        let timestamp = self.proof.admitted()?.timestamp?;
        Some(timestamp.seconds.abs_diff(self.proof.received))
    }

    /// The id of the key that matched, if it has one.
    #[must_use]
    pub fn key_id(&self) -> Option<&str> {
        self.proof.key_id.as_deref()
    }

    /// The name of the construction that matched, such as `hmac-sha256`.
    #[must_use]
    pub fn construction(&self) -> &str {
        self.proof.scheme().map_or("", |scheme| &scheme.name)
    }

    pub(crate) fn identity_mapping(&self) -> Option<IdentityMapping> {
        self.shared().provider().identity()
    }

    /// The event type as part of a delivery's key, which is not yet a use of the event.
    pub(crate) fn raw_event_type(&self) -> Option<&str> {
        let source = self.shared().provider().event_type()?;
        self.proof
            .look_up(source, Read::EventType, &self.proof.event_type)
    }

    /// The event type, if it stands in a signed header. In a body that is signed it is part of that.
    pub(crate) fn signed_event_type(&self) -> Option<&[u8]> {
        let captured = &self.proof.admitted()?.captured;
        self.proof.scheme()?.signed_event_type(captured)
    }

    /// The delivery id, if it is signed and is one.
    pub(crate) fn signed_delivery_id(&self) -> Option<SignedId<'_>> {
        let (scheme, body) = (self.proof.scheme()?, &self.proof.body);
        let source = &self.shared().provider().delivery_id()?.0;
        match source {
            SourceKind::Header(_) => {
                let id = scheme.signed_delivery_id(&self.proof.admitted()?.captured)?;
                SignedId::text(id)
            }
            _ if !scheme.covers_body && !scheme.content.signs(source) => None,
            SourceKind::Json(pointer) => {
                let raw = json::raw(body, pointer)?;
                let id = json::text(raw)?;
                match raw.get().as_bytes().first()? {
                    b'"' => SignedId::text(id.into_owned().into_bytes()),
                    b't' | b'f' => None,
                    _ => SignedId::number(id),
                }
            }
            SourceKind::Form(name) => {
                let id = only(body, name)?;
                // What is no text was replaced, and then one id looks like another.
                let is_text = !id.contains(char::REPLACEMENT_CHARACTER);
                is_text.then(|| SignedId::text(id.into_owned().into_bytes()))?
            }
        }
    }

    /// For how long the same request would be accepted again, if a signed time limits that.
    pub(crate) fn timestamp_window(&self) -> Option<Duration> {
        self.proof.admitted()?.timestamp?;
        self.shared().tolerance(self.proof.scheme_index()?)?.width()
    }

    pub(crate) fn rejection(&self, reason: Reason, source: Option<BoxError>) -> Rejection {
        let proof = &self.proof;
        Rejection::build(
            reason.of(proof.party.tenant()),
            Some(Arc::clone(&proof.shared)),
            source,
        )
    }

    pub(crate) fn shared(&self) -> &Arc<Near> {
        &self.proof.shared
    }

    /// The body as it is handed on, which is not yet a use of the event.
    pub(crate) fn raw_body(&self) -> &Bytes {
        &self.proof.body
    }

    /// A parameter of the endpoint's provider: for types that are read by one.
    #[must_use]
    pub fn param(&self, name: &str) -> Option<&str> {
        self.shared().provider().param(name)
    }
}

impl Proof {
    /// The value of a header that the provider reads beside what is signed.
    fn read(&self, read: Read) -> Option<&[u8]> {
        self.scheme()?.read(&self.admitted()?.captured, read)
    }

    fn look_up<'p>(
        &'p self,
        source: &Source,
        read: Read,
        cache: &'p OnceLock<Option<Box<str>>>,
    ) -> Option<&'p str> {
        match &source.0 {
            SourceKind::Header(_) => std::str::from_utf8(self.read(read)?).ok(),
            SourceKind::Json(pointer) => {
                let found = || Some(json::scalar(&self.body, pointer)?.into());
                cache.get_or_init(found).as_deref()
            }
            SourceKind::Form(name) => {
                let found = || {
                    let mut fields = form_urlencoded::parse(&self.body);
                    let (_, value) = fields.find(|(field, _)| field == name)?;
                    // What is no text was replaced, and then one id looks like another.
                    (!value.contains(char::REPLACEMENT_CHARACTER)).then(|| value.into())
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
            .field("tenant", &self.tenant())
            .field("construction", &self.construction())
            .field("key_id", &self.key_id())
            .field("bytes", &self.raw_body().len())
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
