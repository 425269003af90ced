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
/// **Nobody has signed it.** It arrives only while the endpoint's
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
    /// Store the secret with which the provider signs the events of this webhook from now on, and then
    /// answer with success. The layer turns the success into the answer that the provider expects.
    ///
    /// Nothing replaces a key by itself: the secret counts once it is among the keys of the endpoint,
    /// for example in a [key source](crate::keys::KeySource). Never let it replace one that is in use;
    /// every webhook has a secret of its own. Notion's is shown to a person, who copies it into
    /// Notion's settings.
    StoreSecret(OfferedSecret),
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
        Self {
            endpoint: Arc::clone(endpoint),
            task: HandshakeTask::StoreSecret(secret),
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
