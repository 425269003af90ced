//! [`Registration`]: whether an endpoint expects a provider to hand it a secret.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use crate::crypto::tag::Tag;

/// The name of the setting that opens a registration at start.
pub(crate) const SETTING: &str = "registration";

/// Whether an endpoint expects its provider to offer a secret in a request that nobody has signed,
/// as Asana and Notion do when a webhook is created.
///
/// Whoever finds the address could offer a secret, so the endpoint takes one only while a
/// registration is open: for one webhook, and for a limited time. It closes when the handler has
/// stored a secret, that is, answered a [`HandshakeEvent`](crate::handshake::HandshakeEvent) with
/// success; the same secret is taken again, since the provider may not have received the answer.
/// Every other request is refused with 401, as one without a signature is.
///
/// ```
/// use std::time::Duration;
/// use tower_webhook::{Secret, Verifier, providers};
///
/// let verifier = Verifier::new(providers::asana(), Secret::new("a-secret-until-there-is-one"))?;
/// let registration = verifier.registration();
/// assert!(!registration.is_open());
/// // Just before the application creates the webhook by Asana's API:
/// registration.open(Duration::from_secs(60));
/// assert!(registration.is_open());
/// # Ok::<_, tower_webhook::SetupError>(())
/// ```
///
/// In a configuration file, `registration = "open"` opens it when the endpoint is built, for
/// [an hour](Self::AT_START).
#[derive(Clone, Default)]
pub struct Registration(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    until: Option<Instant>,
    taken: Taken,
    /// Counts how often it was opened or closed, so that what began before is not confused with
    /// what follows.
    epoch: u64,
}

#[derive(Default)]
enum Taken {
    #[default]
    Nothing,
    /// So many handlers are storing it.
    Begun(Tag, usize),
    Done(Tag),
}

/// A secret that a handler is storing. Dropped without [`complete`](Self::complete), it leaves the
/// registration open for another.
#[derive(Debug)]
pub(crate) struct Enrolment {
    registration: Registration,
    epoch: u64,
}

impl Registration {
    /// For how long `registration = "open"` opens it.
    pub const AT_START: Duration = Duration::from_secs(60 * 60);

    /// Opens it for one webhook, for at most `time`. A secret that was taken before does not count.
    pub fn open(&self, time: Duration) {
        let now = Instant::now();
        // An hour, if the time is too long to be added.
        let until = now.checked_add(time).or(now.checked_add(Self::AT_START));
        self.change(until);
    }

    /// Closes it.
    pub fn close(&self) {
        self.change(None);
    }

    fn change(&self, until: Option<Instant>) {
        let mut state = self.state();
        let epoch = state.epoch.wrapping_add(1);
        *state = State {
            until,
            taken: Taken::Nothing,
            epoch,
        };
    }

    /// Whether a secret would be taken.
    #[must_use]
    pub fn is_open(&self) -> bool {
        let state = self.state();
        state.is_timely() && matches!(state.taken, Taken::Nothing)
    }

    /// Whether a secret may be taken, as far as can be told without knowing it.
    pub(crate) fn may_take(&self) -> bool {
        self.state().is_timely()
    }

    /// Begins to take a secret. `None` if the registration is closed, or is for another.
    pub(crate) fn begin(&self, secret: &str) -> Option<Enrolment> {
        let mut state = self.state();
        let tag = Tag::of_token(secret.as_bytes());
        if !state.is_timely() {
            return None;
        }
        match &mut state.taken {
            Taken::Begun(other, handlers) if other.matches(&tag) => {
                *handlers = handlers.saturating_add(1);
            }
            Taken::Done(other) if other.matches(&tag) => {}
            Taken::Begun(..) | Taken::Done(_) => return None,
            Taken::Nothing => state.taken = Taken::Begun(tag, 1),
        }
        Some(Enrolment {
            registration: self.clone(),
            epoch: state.epoch,
        })
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn is_timely(&self) -> bool {
        self.until.is_some_and(|until| Instant::now() < until)
    }
}

impl Enrolment {
    /// The handler has stored the secret.
    pub(crate) fn complete(self) {
        let mut state = self.registration.state();
        if state.epoch == self.epoch {
            state.taken = match std::mem::take(&mut state.taken) {
                Taken::Begun(tag, _) | Taken::Done(tag) => Taken::Done(tag),
                Taken::Nothing => Taken::Nothing,
            };
        }
    }
}

impl Drop for Enrolment {
    fn drop(&mut self) {
        let mut state = self.registration.state();
        if state.epoch == self.epoch
            && let Taken::Begun(_, handlers) = &mut state.taken
        {
            *handlers = handlers.saturating_sub(1);
            if *handlers == 0 {
                state.taken = Taken::Nothing;
            }
        }
    }
}

impl fmt::Debug for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registration")
            .field("is_open", &self.is_open())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn one_secret_is_taken_while_it_is_open() {
        let registration = Registration::default();
        assert!(registration.begin("one").is_none());
        registration.open(MINUTE);
        // A handler that fails leaves it open for another.
        drop(registration.begin("one").unwrap());
        let begun = registration.begin("two").unwrap();
        assert!(registration.begin("one").is_none());
        assert!(!registration.is_open());
        begun.complete();
        assert!(registration.begin("one").is_none());
        // The provider may not have received the answer.
        registration.begin("two").unwrap().complete();
        drop(registration.begin("two").unwrap());
        assert!(registration.begin("one").is_none());
        registration.open(MINUTE);
        assert!(registration.begin("one").is_some());
        registration.close();
        assert!(registration.begin("one").is_none());
    }

    #[test]
    fn what_began_before_does_not_close_what_was_opened_later() {
        let registration = Registration::default();
        registration.open(MINUTE);
        let before = registration.begin("one").unwrap();
        registration.open(MINUTE);
        before.complete();
        assert!(registration.is_open());
        registration.open(Duration::ZERO);
        assert!(!registration.is_open() && registration.begin("one").is_none());
        registration.open(Duration::MAX);
        assert!(registration.is_open());
    }
}
