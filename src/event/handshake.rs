//! [`HandshakeEvent`]: a handshake that the application has to act on.

use std::{fmt, sync::Arc};

use http::Extensions;
use zeroize::Zeroizing;

use crate::{endpoint::Endpoint, rejection::Rejection};

/// A handshake that is not answered without the application, instead of a
/// [`VerifiedEvent`](crate::VerifiedEvent).
///
/// A handler takes both as options, and exactly one of them is there:
///
/// ```
/// use http::StatusCode;
/// use tower_webhook::VerifiedEvent;
/// use tower_webhook::handshake::{HandshakeEvent, HandshakeTask};
///
/// async fn on_request(event: Option<VerifiedEvent>, handshake: Option<HandshakeEvent>) -> StatusCode {
///     if let Some(handshake) = handshake {
///         let HandshakeTask::StoreSecret(secret) = handshake.task() else {
///             return StatusCode::NOT_IMPLEMENTED;
///         };
///         // Store it before you answer: the provider signs with it from then on.
///         assert!(!secret.reveal().is_empty());
///         return StatusCode::OK;
///     }
///     assert!(event.is_some());
///     StatusCode::OK
/// }
/// # drop(on_request(None, None));
/// ```
///
/// **Nobody has signed an offered secret.** It arrives only while the endpoint's
/// [registration](crate::handshake::Registration) is open. A handler that takes a `VerifiedEvent`
/// without an option answers it with 500.
#[derive(Clone)]
pub struct HandshakeEvent {
    endpoint: Arc<Endpoint>,
    task: HandshakeTask,
}

/// What the handler has to do about a [`HandshakeEvent`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum HandshakeTask {
    /// Store the secret with which the provider signs the events of this webhook from now on, and
    /// then answer with success. The layer turns the success into the answer that the provider
    /// expects.
    ///
    /// Nothing replaces a key by itself: the secret counts once it is among the keys of the
    /// endpoint, for example in a [key source](crate::keys::KeySource). Never let it replace one
    /// that is in use; every webhook has a secret of its own. Notion's is shown to a person, who
    /// copies it into Notion's settings.
    StoreSecret(OfferedSecret),
    /// Confirm the subscription, if it is one that you asked for, and answer with success. It is
    /// signed by the provider, about the topic of the endpoint.
    ///
    /// Call `ConfirmSubscription` of the API of AWS with the topic and the token, or `GET` the
    /// [URL](Subscription::url).
    ConfirmSubscription(Subscription),
    /// The subscription has ended. Whoever did not want that can begin it again in the same ways as
    /// for [`ConfirmSubscription`](Self::ConfirmSubscription). It is signed as well.
    SubscriptionEnded(Subscription),
}

/// A subscription to a topic, which is confirmed by a request of the application. Its `Debug`
/// output does not show what confirms it.
#[derive(Clone)]
pub struct Subscription {
    pub(crate) topic: Box<str>,
    pub(crate) token: Zeroizing<String>,
    pub(crate) url: Zeroizing<String>,
}

impl Subscription {
    /// The topic: the ARN.
    #[must_use]
    pub fn topic(&self) -> &str {
        &self.topic
    }

    /// What confirms the subscription, for the API. Keep it out of logs.
    #[must_use]
    pub fn token(&self) -> &str {
        &self.token
    }

    /// The address that confirms the subscription when it is fetched by `GET`. It contains the
    /// token. Its scheme is `https` and its host one of AWS SNS, in any region; redirects need not
    /// be followed.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription")
            .field("topic", &self.topic)
            .finish_non_exhaustive()
    }
}

/// A secret in a handshake. Its memory is wiped on drop, and its `Debug` output shows nothing.
#[derive(Clone)]
pub struct OfferedSecret(Arc<Zeroizing<String>>);

impl OfferedSecret {
    /// The text of the secret, to be stored. Keep it out of logs.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for OfferedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OfferedSecret").finish_non_exhaustive()
    }
}

impl HandshakeEvent {
    pub(crate) fn secret(endpoint: &Arc<Endpoint>, secret: String) -> Self {
        let secret = OfferedSecret(Arc::new(Zeroizing::new(secret)));
        Self::new(endpoint, HandshakeTask::StoreSecret(secret))
    }

    pub(crate) fn new(endpoint: &Arc<Endpoint>, task: HandshakeTask) -> Self {
        Self {
            endpoint: Arc::clone(endpoint),
            task,
        }
    }

    /// What the handler has to do.
    #[must_use]
    pub fn task(&self) -> &HandshakeTask {
        &self.task
    }

    /// The name of the provider.
    #[must_use]
    pub fn provider(&self) -> &str {
        &self.endpoint.labels.provider
    }

    /// The name of the endpoint.
    #[must_use]
    pub fn endpoint(&self) -> Option<&str> {
        self.endpoint.name()
    }

    pub(crate) fn shared(&self) -> &Arc<Endpoint> {
        &self.endpoint
    }

    /// Takes the event that a layer has inserted.
    ///
    /// ```
    /// use http::Extensions;
    /// use tower_webhook::{RejectionKind, handshake::HandshakeEvent};
    ///
    /// let rejection = HandshakeEvent::from_extensions(&Extensions::new()).unwrap_err();
    /// assert_eq!(rejection.kind(), RejectionKind::LayerMissing);
    /// ```
    ///
    /// # Errors
    ///
    /// [`LayerMissing`](crate::RejectionKind::LayerMissing) when there is none: take an `Option`.
    pub fn from_extensions(extensions: &Extensions) -> Result<Self, Rejection> {
        extensions.get().cloned().ok_or_else(not_a_handshake)
    }
}

pub(crate) fn not_a_handshake() -> Rejection {
    Rejection::layer_missing_because(
        "the request is not a handshake; take Option<HandshakeEvent>, which most requests lack",
    )
}

impl fmt::Debug for HandshakeEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HandshakeEvent")
            .field("provider", &self.provider())
            .field("endpoint", &self.endpoint())
            .field("task", &self.task)
            .finish()
    }
}
