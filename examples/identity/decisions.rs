//! The newest decision of each session. A real service keeps it in its database, and makes `take`
//! and `keep` one transaction each.

use std::{
    collections::HashMap,
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
    time::SystemTime,
};

use tower_webhook::{Identity, Outcome};

/// A session of a vendor. The vendors number their sessions independently.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    provider: String,
    session: String,
}

impl Key {
    /// The session, or your reference for the person where the vendor sends no session. `None` if
    /// the event has neither.
    pub(crate) fn of(provider: &str, identity: &Identity) -> Option<Self> {
        let session = identity.session().or(identity.subject())?;
        Some(Self {
            provider: provider.to_owned(),
            session: session.to_owned(),
        })
    }

    pub(crate) fn provider(&self) -> &str {
        &self.provider
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.provider, self.session)
    }
}

/// What is known of a session.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Answer {
    pub(crate) outcome: Outcome,
    pub(crate) is_final: bool,
    subject: Option<String>,
    since: Option<SystemTime>,
}

impl From<&Identity> for Answer {
    fn from(identity: &Identity) -> Self {
        Self {
            outcome: identity.outcome(),
            is_final: identity.is_final(),
            subject: identity.subject().map(str::to_owned),
            since: identity.occurred_at(),
        }
    }
}

impl Answer {
    /// What the vendor said when it was asked because of an event.
    pub(crate) fn of_vendor(
        identity: &Identity,
        (outcome, is_final): (Outcome, bool),
        asked_at: SystemTime,
    ) -> Self {
        Self {
            outcome,
            is_final,
            since: Some(asked_at),
            ..Self::from(identity)
        }
    }

    /// Your reference for the person, if the vendor sends one.
    pub(crate) fn name(&self) -> &str {
        self.subject
            .as_deref()
            .unwrap_or("the person of the session")
    }

    fn says_the_same(&self, other: &Self) -> bool {
        (self.outcome, self.is_final) == (other.outcome, other.is_final)
    }
}

/// What to do with an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// It is older than what is known, or says the same.
    Ignore,
    /// It is the newest, and was kept.
    Keep,
    /// It does not say what was decided, or nothing says which of two decisions is the newer one.
    Ask,
}

/// The newest decision of each session.
#[derive(Debug, Default)]
pub(crate) struct Decisions {
    of: Mutex<HashMap<Key, Answer>>,
}

impl Decisions {
    /// Keeps what an event says, if it is the newest of its session.
    pub(crate) fn take(&self, key: &Key, identity: &Identity) -> Step {
        let mut decisions = self.lock();
        let new = Answer::from(identity);
        let step = step(decisions.get(key), &new);
        if step == Step::Keep {
            decisions.insert(key.clone(), new);
        }
        step
    }

    /// Keeps what the vendor said, unless something newer arrived meanwhile. Returns whether it was
    /// kept.
    pub(crate) fn keep(&self, key: &Key, answer: &Answer) -> bool {
        let mut decisions = self.lock();
        let known = decisions.get(key);
        if known.is_some_and(|known| known.since.is_some() && known.since > answer.since) {
            return false;
        }
        decisions.insert(key.clone(), answer.clone());
        true
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Answer>> {
        self.of.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn step(known: Option<&Answer>, new: &Answer) -> Step {
    if new.outcome == Outcome::Undisclosed {
        // An older event says nothing that the newer one did not.
        let is_older = known.is_some_and(|known| new.since.is_some() && new.since < known.since);
        return if is_older { Step::Ignore } else { Step::Ask };
    }
    let Some(known) = known else {
        return Step::Keep;
    };
    match (known.since, new.since) {
        (Some(before), Some(now)) if now > before => Step::Keep,
        (Some(before), Some(now)) if now < before => Step::Ignore,
        _ if known.says_the_same(new) => Step::Ignore,
        _ => Step::Ask,
    }
}
