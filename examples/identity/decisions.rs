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

/// What is known of a session, or of one level of it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Answer {
    pub(crate) outcome: Outcome,
    pub(crate) is_final: bool,
    subject: Option<String>,
    level: Option<String>,
    /// The vendor's own time. Our clock is another one, so nothing is compared with it.
    since: Option<SystemTime>,
    /// Whether it is no event, but what the vendor said when it was asked.
    is_asked: bool,
}

impl From<&Identity> for Answer {
    fn from(identity: &Identity) -> Self {
        Self {
            outcome: identity.outcome(),
            is_final: identity.is_final(),
            subject: identity.subject().map(str::to_owned),
            level: identity.level().map(str::to_owned),
            since: identity.occurred_at(),
            is_asked: false,
        }
    }
}

impl Answer {
    /// Your reference for the person, if the vendor sends one.
    pub(crate) fn name(&self) -> &str {
        self.subject
            .as_deref()
            .unwrap_or("the person of the session")
    }

    fn says_the_same(&self, other: &Self) -> bool {
        (self.outcome, self.is_final) == (other.outcome, other.is_final)
    }

    /// Whether it is more than progress, so that nothing may replace it that could be older. What the
    /// vendor was asked for is, because it came after a decision.
    fn decides(&self) -> bool {
        self.is_final || self.is_asked || self.outcome == Outcome::Rejected
    }

    /// Whether the two are about the same. Where the vendor says when each happened, the levels of a
    /// session are decided one by one. What has ended or is unclear is the session as a whole.
    fn concerns(&self, other: &Self) -> bool {
        let is_whole =
            |answer: &Self| matches!(answer.outcome, Outcome::Expired | Outcome::Undisclosed);
        let is_dated = self.since.is_some() && other.since.is_some();
        let one_level = match (&self.level, &other.level) {
            (Some(level), Some(other)) => level == other,
            _ => true,
        };
        one_level || !is_dated || is_whole(self) || is_whole(other)
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
    Ask(Seen),
}

/// How often a session had changed when a question came up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seen(u64);

#[derive(Debug, Default)]
struct Session {
    answers: Vec<Answer>,
    changes: u64,
}

impl Session {
    /// Puts an answer in place of those that are about the same.
    fn put(&mut self, answer: Answer) {
        self.answers.retain(|known| !known.concerns(&answer));
        self.answers.push(answer);
        self.changes = self.changes.wrapping_add(1);
    }
}

/// The newest decision of each session.
#[derive(Debug, Default)]
pub(crate) struct Decisions {
    of: Mutex<HashMap<Key, Session>>,
}

impl Decisions {
    /// Keeps what an event says, if it is the newest of its session.
    pub(crate) fn take(&self, key: &Key, identity: &Identity) -> Step {
        let mut sessions = self.lock();
        let session = sessions.entry(key.clone()).or_default();
        let new = Answer::from(identity);
        let about_it = session.answers.iter().filter(|known| known.concerns(&new));
        let orders: Vec<Order> = about_it.map(|known| order(known, &new)).collect();
        if orders.contains(&Order::Older) {
            return Step::Ignore;
        }
        if orders.contains(&Order::Unknown) || new.outcome == Outcome::Undisclosed {
            return Step::Ask(Seen(session.changes));
        }
        if orders.contains(&Order::Same) {
            return Step::Ignore;
        }
        session.put(new);
        Step::Keep
    }

    /// Keeps what the vendor said when it was asked because of an event. `None` says that it could
    /// not be asked: then it is unclear what was decided, and a later event does not settle it unless
    /// it is dated. Returns nothing if the session has changed meanwhile, so that the event has to be
    /// looked at again.
    pub(crate) fn settle(
        &self,
        key: &Key,
        identity: &Identity,
        seen: Seen,
        said: Option<(Outcome, bool)>,
    ) -> Option<Answer> {
        let mut sessions = self.lock();
        let session = sessions.get_mut(key)?;
        if session.changes != seen.0 {
            return None;
        }
        let (outcome, is_final) = said.unwrap_or((Outcome::Undisclosed, false));
        let new = Answer::from(identity);
        let known = session.answers.iter();
        let known = known.filter(|known| known.concerns(&new));
        let since = known.map(|known| known.since).max().flatten();
        let answer = Answer {
            outcome,
            is_final,
            since: since.max(new.since),
            is_asked: true,
            ..new
        };
        session.put(answer.clone());
        Some(answer)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Session>> {
        self.of.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How an event relates to what is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    Older,
    Same,
    Newer,
    Unknown,
}

fn order(known: &Answer, new: &Answer) -> Order {
    match (known.since, new.since) {
        (Some(before), Some(now)) if now < before => Order::Older,
        (Some(before), Some(now)) if now > before => Order::Newer,
        _ if known.says_the_same(new) && known.outcome != Outcome::Undisclosed => Order::Same,
        // There may have been a denial before the progress.
        (Some(_), None) if new.outcome == Outcome::Approved => Order::Unknown,
        // Progress comes before a decision, and before other progress.
        _ if !known.decides() => Order::Newer,
        _ => Order::Unknown,
    }
}
