//! Handshakes: the requests by which a provider asks whether an address takes its webhooks, and the
//! answers that it expects.
//!
//! Slack sends a challenge that has to be repeated, Meta one with a token that has to be compared,
//! X one of which it wants a MAC. Which of the built-in providers ask, and how, is data; the
//! [table](crate::guide::providers) has it, and the documentation of each provider.
//!
//! [`HandshakeLayer`] answers them for a service, and `Config::route` puts it where it belongs.
//! [`answer`] is the same for a request from a queue or a function:
//!
//! ```
//! use bytes::Bytes;
//! use std::time::SystemTime;
//! use tower_webhook::handshake::{self, Answer};
//! use tower_webhook::{Secret, Verifier, providers, verify::Head};
//!
//! let meta = providers::meta().with_handshake_setting("verify_token", Secret::new("my-token"));
//! let verifier = Verifier::new(meta, Secret::new("the-secret-of-the-app"))?;
//! let now = SystemTime::now();
//! let ask = |target| {
//!     let head = Head::new(&[] as &[(&str, &str); 0]).with_method("GET").with_target(target);
//!     handshake::answer(&verifier, verifier.keys(), &head, &Bytes::new(), now)
//! };
//!
//! let Answer::Answered(answer) = ask("/?hub.mode=subscribe&hub.verify_token=my-token&hub.challenge=42") else {
//!     panic!("it is answered");
//! };
//! assert_eq!(answer.body(), "42");
//!
//! let Answer::Refused(rejection) = ask("/?hub.mode=subscribe&hub.verify_token=guess&hub.challenge=42") else {
//!     panic!("it is refused");
//! };
//! assert_eq!(rejection.status(), 403);
//! assert!(matches!(ask("/"), Answer::NoHandshake));
//! # Ok::<_, tower_webhook::SetupError>(())
//! ```
//!
//! # What is never done
//!
//! - What a provider signs is verified before it is answered.
//! - A MAC under the key that signs events is given only for a challenge that has the provider's form
//!   as a whole, and no body of that form is ever accepted as an event. Such an endpoint joins no
//!   [`any_of`](crate::WebhookVerifyLayer::any_of). Two endpoints with the same secret must not be of
//!   two providers.
//! - What is repeated may be markup. It is at most 1 KiB without control characters, as plain text or
//!   in an escaped JSON string, and no browser sniffs, runs or keeps it.
//! - No URL of a request is fetched, and no secret of a request becomes a key by itself: see
//!   [`HandshakeEvent`].
//! - A tenant is looked up only for a MAC. One that does not exist gets a 401 there, which tells it
//!   from one that does.

pub(crate) mod decide;
#[cfg(feature = "tower")]
pub(crate) mod layer;
#[cfg(feature = "tower")]
pub(crate) mod order;
#[cfg(feature = "tower")]
pub(crate) mod preparing;

use std::time::SystemTime;

use bytes::Bytes;
use http::Response;

use self::decide::Decision;
#[cfg(feature = "tower")]
pub use self::layer::{HandshakeBody, HandshakeLayer, HandshakeService, ResponseFuture};
pub use crate::{
    challenge::registration::Registration,
    event::handshake::{HandshakeEvent, HandshakeTask, OfferedSecret, Subscription},
};
use crate::{
    clock::unix_seconds,
    endpoint::Endpoint,
    head::Head,
    keys::key_set::KeySet,
    rejection::{Reason, Rejection},
    verify::{hints, verifier::Verifier},
};

/// What [`answer`] says of a request.
#[derive(Debug)]
#[non_exhaustive]
pub enum Answer {
    /// It is no handshake: verify it and handle it.
    NoHandshake,
    /// Send this.
    Answered(Response<Bytes>),
    /// Refuse it, as [`Rejection::to_response`] does.
    Refused(Rejection),
    /// Verify it and handle it, and send this in place of a success.
    Delivered(Response<Bytes>),
    /// Do what the event asks for, and then send what [`HandedOver::done`] returns.
    HandedOver(HandedOver),
}

/// A handshake for the application, and its answer.
#[derive(Debug)]
pub struct HandedOver(decide::HandedOver);

impl HandedOver {
    /// What the application has to do.
    #[must_use]
    pub fn event(&self) -> &HandshakeEvent {
        &self.0.event
    }

    /// The answer, once it is done. Without this call, the registration stays open.
    #[must_use]
    pub fn done(self) -> Response<Bytes> {
        self.0.after.succeed()
    }
}

/// Answers a complete request, if it is a handshake of the verifier's provider. What the provider
/// signs is verified first; `keys` are those of this request, which are the
/// [verifier's](Verifier::keys) unless they are looked up.
///
/// It is pure but for the [registration](Verifier::registration) of a verifier.
#[must_use]
pub fn answer(
    verifier: &Verifier,
    keys: &KeySet,
    head: &Head<'_>,
    body: &Bytes,
    now: SystemTime,
) -> Answer {
    let endpoint = verifier.shared();
    let decision = match decide::unsigned(endpoint, head, Some(body)) {
        Decision::NeedsKeys(rule) => {
            decide::with_keys(endpoint, rule, head, keys, unix_seconds(now))
        }
        Decision::Pass if decide::may_be_signed(endpoint, head, body) => {
            let verify = || {
                let mut request = verifier.check_head(head, now)?.with_keys(keys)?;
                request.update(body.clone())?;
                request.verify()
            };
            match verify() {
                Ok(event) => decide::signed(&event, head),
                Err(rejection) => return Answer::Refused(hints::about(rejection, endpoint, head)),
            }
        }
        decision => decision,
    };
    match decision {
        // The body is there, and so are the keys.
        Decision::Pass | Decision::NeedsBody { .. } | Decision::NeedsKeys(_) => Answer::NoHandshake,
        Decision::Answered(answer) => Answer::Answered(answer),
        Decision::Refused(reason) => Answer::Refused(refused(endpoint, reason, head)),
        Decision::Delivered(answer) => Answer::Delivered(answer),
        Decision::HandedOver(handed_over) => Answer::HandedOver(HandedOver(*handed_over)),
    }
}

fn refused(endpoint: &Endpoint, reason: Reason, head: &Head<'_>) -> Rejection {
    hints::about(Rejection::new(reason, &endpoint.labels), endpoint, head)
}
