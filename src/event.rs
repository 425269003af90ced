//! [`VerifiedEvent`]: proof that a request comes from its provider; [`Payload`]: what can be read
//! from one.

pub(crate) mod data;
mod delivery_key;
pub(crate) mod handshake;

use std::{fmt, sync::Arc, time::SystemTime};

use bytes::Bytes;
use serde_core::de::DeserializeOwned;

#[cfg(feature = "identity")]
use crate::provider::Provider;
use crate::{
    delivery_key::DeliveryKey,
    endpoint::Endpoint,
    error::PayloadError,
    event::data::EventData,
    form::{self, Form},
    json,
    multipart::{self, Part},
    rejection::{BoxError, Reason, Rejection, body::unread_hints, kind::RejectionKind},
    scheme::definition::Coverage,
};

/// A request that was proven to come from its provider, with its payload read as `T`.
///
/// Only a [`BodyVerifier`](crate::verify::BodyVerifier) makes one; there is no other constructor.
/// It is cheap to clone. Its `Debug` shows its origin and its length, never its content.
///
/// In a handler of axum or actix-web, `VerifiedEvent<T>` is an extractor. That needs the feature
/// `axum` or `actix` of this crate: without it, axum reports that the trait `Handler` is not
/// implemented for the function, and actix-web the same of `Handler` or `FromRequest`. Elsewhere,
/// take the event from the request's extensions with `from_extensions`.
#[derive(Clone)]
pub struct VerifiedEvent<T: Payload = Bytes> {
    data: Arc<EventData>,
    payload: T,
}

/// Why a request has no event.
#[derive(Clone, Copy)]
pub(crate) enum Absence {
    NoLayer,
    /// A layer that only logs has passed it on.
    PassedOn,
    /// It is a handshake that the application has to act on.
    Handshake,
}

#[cfg(feature = "tower")]
impl Absence {
    pub(crate) fn of(passed_on: bool, handshake: bool) -> Self {
        match (passed_on, handshake) {
            (true, _) => Self::PassedOn,
            (_, true) => Self::Handshake,
            _ => Self::NoLayer,
        }
    }
}

impl VerifiedEvent {
    /// The only constructor.
    pub(crate) fn proven(data: Arc<EventData>) -> Self {
        let payload = data.body.clone();
        Self { data, payload }
    }
}

impl<T: Payload> VerifiedEvent<T> {
    /// Reads an event that the layer has inserted, as an extractor does.
    /// `absence` says why there may be none.
    pub(crate) fn extract(
        event: Option<&VerifiedEvent>,
        absence: Absence,
    ) -> Result<Self, Rejection> {
        let event = event.ok_or_else(|| match absence {
            Absence::PassedOn => Rejection::layer_missing_because(
                "the layer only logs, and passes on requests that it does not verify: take Option<VerifiedEvent>, or \
                 enforce signatures",
            ),
            Absence::Handshake => Rejection::layer_missing_because(
                "the request is a handshake that the handler has to act on: take Option<VerifiedEvent> and \
                 Option<HandshakeEvent>",
            ),
            Absence::NoLayer => Rejection::layer_missing(),
        })?;
        event.parse().map_err(|error| {
            let mut reason = Reason::new(RejectionKind::UnreadablePayload);
            let (content_type, content_encoding) = event.data.content_headers();
            reason.hints().set = unread_hints(event.body(), content_type, content_encoding);
            event.rejection(reason, Some(error.into()))
        })
    }

    /// Reads the payload as another type. The event itself is unchanged.
    ///
    /// # Errors
    ///
    /// When the body is not a `P`, or `P` belongs to another provider.
    pub fn parse<P: Payload>(&self) -> Result<VerifiedEvent<P>, PayloadError> {
        let raw = VerifiedEvent {
            data: Arc::clone(&self.data),
            payload: self.data.body.clone(),
        };
        let payload = P::from_event(&raw)?;
        Ok(VerifiedEvent {
            data: raw.data,
            payload,
        })
    }

    /// Reads the body as JSON of your own type, whichever its provider. A byte order mark in front
    /// is ignored.
    ///
    /// # Errors
    ///
    /// When the body is not the JSON of a `J`.
    pub fn json<J: DeserializeOwned>(&self) -> Result<J, PayloadError> {
        serde_json::from_slice(json::document(self.body()))
            .map_err(|error| self.unless_form(PayloadError::json(&error)))
    }

    /// The reason why the body cannot be read as JSON, which is another one for a form.
    fn unless_form(&self, error: PayloadError) -> PayloadError {
        if !form::looks_like_form(self.body()) {
            return error;
        }
        PayloadError::new(
            "the body is a form, not JSON; read it with `event.form()` or take `FormJson<T>`",
        )
    }

    /// Checks that the body may be an event of an unknown kind: a non-empty object in which no name
    /// occurs twice.
    #[cfg(feature = "identity")]
    pub(crate) fn check_unknown(&self) -> Result<(), PayloadError> {
        let names = json::typed::names(self.body());
        let mut names = names.map_err(|error| self.unless_form(error))?;
        if names.is_empty() {
            return Err(PayloadError::new("the body has no fields"));
        }
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        if names.len() < count {
            return Err(PayloadError::new("the body has a field twice"));
        }
        Ok(())
    }

    /// Reads the body of an event of an unknown kind.
    #[cfg(feature = "identity")]
    pub(crate) fn read_unknown(&self) -> Result<serde_json::Value, PayloadError> {
        self.check_unknown()?;
        self.json()
    }

    /// Reads the body as a first-party type, whose field names may appear in errors.
    #[cfg(feature = "identity")]
    pub(crate) fn read<J: DeserializeOwned>(&self) -> Result<J, PayloadError> {
        json::typed::read(self.body()).map_err(|error| self.unless_form(error))
    }

    /// As [`read`](Self::read), where fields that do not decide may have another type than expected:
    /// see [`read_decided_by`](json::typed::read_decided_by).
    #[cfg(feature = "identity")]
    pub(crate) fn read_decided_by<J: DeserializeOwned>(
        &self,
        decides: &[&str],
    ) -> Result<J, PayloadError> {
        let read = json::typed::read_decided_by(self.body(), decides);
        read.map_err(|error| self.unless_form(error))
    }

    /// The items of an event that has several, each as JSON: of Adyen's notifications. All of them
    /// are verified. Of other providers, the only item is the body.
    ///
    /// ```
    /// use http::Request;
    /// use tower_webhook::{Secret, Signer, Verifier, providers, verify::Head};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let secret = Secret::new("44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056");
    /// let adyen = providers::adyen().accept_unsigned_body();
    /// let body = r#"{"live":"false","notificationItems":[{"NotificationRequestItem":{
    ///     "pspReference":"7914073381342284","eventCode":"AUTHORISATION","success":"true",
    ///     "merchantAccountCode":"TestMerchant","merchantReference":"order-7",
    ///     "amount":{"value":1130,"currency":"EUR"}}}]}"#;
    /// let request = Signer::new(adyen.clone(), secret.clone())?.sign_body(Request::post("/"), body)?;
    ///
    /// let (head, body) = request.into_parts();
    /// let now = std::time::SystemTime::now();
    /// let event = Verifier::new(adyen, secret)?.verify(&Head::from(&head), body, now)?;
    /// let items = event.items()?;
    /// let item: serde_json::Value = serde_json::from_str(items[0])?;
    /// assert_eq!(item["pspReference"], "7914073381342284");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// When the body is not UTF-8.
    pub fn items(&self) -> Result<Vec<&str>, PayloadError> {
        let body = self.body();
        let Some((array, pointer)) = self.data.endpoint.provider.items() else {
            let text = std::str::from_utf8(body);
            return Ok(vec![
                text.map_err(|_| PayloadError::new("the body is not UTF-8"))?,
            ]);
        };
        let items = json::items(body, array).unwrap_or_default();
        let items = items.into_iter();
        Ok(items
            .filter_map(|item| Some(json::raw(item.get().as_bytes(), pointer)?.get()))
            .collect())
    }

    /// The message in the provider's envelope: of Apple's notifications the payload, of which the
    /// body is a signature, and of AWS SNS the text of `Message`. Of other providers it is the
    /// body.
    ///
    /// ```
    /// # #[cfg(feature = "certificates")]
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use http::Request;
    /// use tower_webhook::{PublicKey, Secret, Signer, Verifier, providers, verify::Head};
    ///
    /// let sns = providers::aws_sns()
    ///     .with_param("topic_arn", "arn:aws:sns:eu-west-1:123456789012:orders")
    ///     .accept_unsigned_body();
    /// # macro_rules! key {
    /// #     ($name:literal) => { include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/crypto/vectors/keys/", $name)) };
    /// # }
    /// # let (private_key, public_key) = (key!("rsa2048.pem"), key!("rsa2048.pub.pem"));
    /// let signer = Signer::new(sns.clone(), Secret::new(private_key))?;
    /// let (head, body) = signer.sign_body(Request::post("/"), r#"{"order":7}"#)?.into_parts();
    ///
    /// let verifier = Verifier::new(sns, PublicKey::new(public_key))?;
    /// let event = verifier.verify(&Head::from(&head), body, std::time::SystemTime::now())?;
    /// assert_eq!(event.event_type(), Some("Notification"));
    /// let message: serde_json::Value = serde_json::from_slice(&event.message()?)?;
    /// assert_eq!(message["order"], 7);
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "certificates"))]
    /// # fn main() {}
    /// ```
    ///
    /// # Errors
    ///
    /// When the body is not the provider's envelope.
    pub fn message(&self) -> Result<Bytes, PayloadError> {
        let Some(message) = self.data.endpoint.provider.message() else {
            return Ok(self.body().clone());
        };
        let message = message.read(self.body());
        message
            .map(Bytes::from)
            .ok_or_else(|| PayloadError::new("the body is not the provider's envelope"))
    }

    /// The text or number at a JSON pointer of the body; `None` if it is empty, or if a name on the
    /// way occurs twice, since another parser would take the other value.
    #[cfg(feature = "identity")]
    pub(crate) fn reference_at(&self, pointer: &str) -> Option<String> {
        let [found] = *json::unique(self.body(), &[Some(pointer)]) else {
            return None;
        };
        let text = json::text(found.filter(|found| !matches!(found.get(), "true" | "false"))?)?;
        (!text.is_empty()).then(|| text.into_owned())
    }

    /// The fields of an `application/x-www-form-urlencoded` body. For JSON in the field `payload`,
    /// take [`FormJson`].
    ///
    /// # Errors
    ///
    /// When the body is JSON, or not a form of UTF-8: see [`form`](crate::form).
    pub fn form(&self) -> Result<Form, PayloadError> {
        form::parse(self.body())
    }

    /// The parts of a `multipart/form-data` body, as slices of it.
    ///
    /// The header `Content-Type` is not signed, so only the body decides where its parts end. A
    /// header that names another boundary is an error, never another reading.
    ///
    /// # Errors
    ///
    /// When the body is not multipart, strictly: see [`multipart`](crate::multipart).
    pub fn parts(&self) -> Result<Vec<Part>, PayloadError> {
        multipart::parse(self.body(), self.data.content_type())
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
        &self.data.body
    }

    /// The name of the provider.
    #[must_use]
    pub fn provider(&self) -> &str {
        &self.data.endpoint.labels.provider
    }

    /// The name of the endpoint, if it has one.
    #[must_use]
    pub fn endpoint(&self) -> Option<&str> {
        self.data.endpoint.name()
    }

    /// The id of the tenant whose key matched, if keys are [looked up](crate::keys) for each
    /// request.
    #[must_use]
    pub fn tenant(&self) -> Option<&str> {
        self.data.owner.tenant().map(|id| &**id)
    }

    /// The event's type, in the provider's words. If it comes from an unsigned header, anybody who
    /// replays a request can change it: see the provider's page.
    #[must_use]
    pub fn event_type(&self) -> Option<&str> {
        self.data.event_type()
    }

    /// The id of the event or delivery, for people and logs. It may be unsigned: do not deduplicate
    /// by it.
    #[must_use]
    pub fn delivery_id(&self) -> Option<&str> {
        self.data.delivery_id()
    }

    /// Identifies repeated attempts of one delivery: a digest of the endpoint, the tenant, the
    /// route and the signed values that name the delivery, as
    /// [`DeduplicateBy`](crate::delivery::DeduplicateBy) selects them.
    ///
    /// Inside a [`DeliveryLayer`](crate::delivery::DeliveryLayer) it is the key that the layer has
    /// claimed. Elsewhere it is a key without a route, which the event does not know: see
    /// [`delivery_key_at`](Self::delivery_key_at). It is computed on first use.
    #[must_use]
    pub fn delivery_key(&self) -> DeliveryKey {
        let data = &self.data;
        match data.claimed_key.get() {
            Some(key) => *key,
            None => *data
                .delivery_key
                .get_or_init(|| delivery_key::key(data, None)),
        }
    }

    /// The key that a [`DeliveryLayer`](crate::delivery::DeliveryLayer) at this route uses for the
    /// event. The route is the framework's pattern, such as `/hooks/{shop}`, or else the path.
    #[must_use]
    pub fn delivery_key_at(&self, route: &str) -> DeliveryKey {
        delivery_key::key(&self.data, Some(route))
    }

    /// Whether nothing tells the event from others of the endpoint.
    #[cfg(feature = "tower")]
    pub(crate) fn is_nameless(&self) -> bool {
        delivery_key::is_nameless(&self.data)
    }

    /// As [`delivery_key_at`](Self::delivery_key_at); [`delivery_key`](Self::delivery_key) returns
    /// it from now on.
    pub(crate) fn claim_key(&self, route: &str) -> DeliveryKey {
        let key = self.delivery_key_at(route);
        // Only the outermost delivery layer claims.
        let _ = self.data.claimed_key.set(key);
        key
    }

    /// The signed time of the attempt; `None` if the provider signs none.
    #[must_use]
    pub fn timestamp(&self) -> Option<SystemTime> {
        self.data.timestamp()?.to_system_time()
    }

    /// That time minus the receiver's clock when the request arrived, in seconds: negative for the
    /// past.
    #[must_use]
    pub fn skew_seconds(&self) -> Option<i64> {
        let timestamp = self.data.timestamp()?;
        Some(timestamp.seconds.saturating_sub(self.data.received))
    }

    /// The id of the key that matched, if it has one.
    #[must_use]
    pub fn key_id(&self) -> Option<&str> {
        self.data.key_id.as_deref()
    }

    /// How much of the body is signed. Of a body that is not signed as a whole, anybody who has
    /// seen one request could have changed the rest.
    #[must_use]
    pub fn coverage(&self) -> Coverage {
        self.data.coverage()
    }

    /// The name of the provider's variant that matched, such as `hmac-sha256`.
    #[must_use]
    pub fn variant(&self) -> &str {
        self.data.scheme().map_or("", |scheme| &scheme.name)
    }

    /// An option of the endpoint's provider, such as VOVE ID's `family`, for types that are read
    /// according to one. Other parameters may be credentials and are not shown.
    #[must_use]
    pub fn param(&self, name: &str) -> Option<&str> {
        self.data.endpoint.provider.option(name)
    }

    /// The provider with the parameters of the endpoint.
    #[cfg(feature = "identity")]
    pub(crate) fn endpoint_provider(&self) -> &Provider {
        &self.data.endpoint.provider
    }

    pub(crate) fn rejection(&self, reason: Reason, source: Option<BoxError>) -> Rejection {
        let reason = reason.of_tenant(self.data.owner.tenant());
        let labels = &self.data.endpoint.labels;
        match source {
            Some(source) => Rejection::caused_by(reason, labels, source),
            None => Rejection::new(reason, labels),
        }
    }

    pub(crate) fn shared(&self) -> &Arc<Endpoint> {
        &self.data.endpoint
    }

    pub(crate) fn data(&self) -> &EventData {
        &self.data
    }
}

impl<T: Payload> fmt::Debug for VerifiedEvent<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifiedEvent")
            .field("provider", &self.provider())
            .field("endpoint", &self.endpoint())
            .field("tenant", &self.tenant())
            .field("variant", &self.variant())
            .field("key_id", &self.key_id())
            .field("bytes", &self.body().len())
            .finish_non_exhaustive()
    }
}

/// A type that can be read from a verified event.
///
/// Implemented by the event types of [`providers`](crate::providers), by [`Json`] and [`FormJson`]
/// for your own types, by [`serde_json::Value`] and by [`Bytes`]. Implement it yourself for another
/// format:
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
    /// Reads the payload of a verified event.
    ///
    /// # Errors
    ///
    /// When the body is not one. The error must not quote the body, since it is logged.
    fn from_event(event: &VerifiedEvent) -> Result<Self, PayloadError>;

    /// Reads the payload of an event that may be about something else, for `Option<Self>`. As
    /// provided, every event is a payload.
    ///
    /// # Errors
    ///
    /// As for [`from_event`](Self::from_event).
    fn from_event_if_any(event: &VerifiedEvent) -> Result<Option<Self>, PayloadError> {
        Self::from_event(event).map(Some)
    }
}

/// `None` for an event about something else: see [`Payload::from_event_if_any`].
impl<T: Payload> Payload for Option<T> {
    fn from_event(event: &VerifiedEvent) -> Result<Self, PayloadError> {
        T::from_event_if_any(event)
    }
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

/// JSON as your own type.
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

/// JSON as your own type, in the field `payload` of a form.
///
/// GitHub sends it if the content type of a webhook is `application/x-www-form-urlencoded`, and
/// Slack for interactivity. For a field of another name, call [`VerifiedEvent::form`] and
/// [`Form::json`].
///
/// ```
/// use serde::Deserialize;
/// use tower_webhook::{FormJson, Secret, Verifier, providers, verify::Head};
/// # use http::Request;
/// # use tower_webhook::Signer;
///
/// #[derive(Deserialize)]
/// struct Issue {
///     action: String,
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let secret = Secret::new("a-secret-of-some-length");
/// let verifier = Verifier::new(providers::github(), secret.clone())?;
/// let body = "payload=%7B%22action%22%3A%22opened%22%7D";
/// # let request = Signer::new(providers::github(), secret)?.sign(Request::post("/"), body)?;
/// # let (head, _) = request.into_parts();
/// let event = verifier.verify(&Head::from(&head), body, std::time::SystemTime::now())?;
/// let FormJson(issue) = event.parse::<FormJson<Issue>>()?.into_payload();
/// assert_eq!(issue.action, "opened");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "a wrapper to take apart in a parameter list"
)]
pub struct FormJson<T>(pub T);

impl<T: DeserializeOwned> Payload for FormJson<T> {
    fn from_event(event: &VerifiedEvent) -> Result<Self, PayloadError> {
        event.form()?.json("payload").map(Self)
    }
}

#[cfg(feature = "identity")]
impl PayloadError {
    /// An error if the event is of another provider than the type.
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
