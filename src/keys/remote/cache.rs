//! [`Cache`]: what is known of keys, and what has to be fetched.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{sync::watch, time::Instant};

use crate::{
    compiled::scheme::CompiledScheme,
    error::SetupError,
    keys::{key_set::KeySet, secret::Secret, suspicion::SecretLook},
};

/// For how long keys are kept, and how often they are fetched.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) lifetime: Duration,
    /// For how long keys are used beyond their lifetime, while they cannot be fetched.
    pub(super) grace: Duration,
    /// For how long it is remembered that a key does not exist.
    pub(super) negative: Duration,
    /// Fetches of keys that are not known, per minute; and as many of those that are.
    pub(super) fetches: usize,
}

/// Neither a setting nor a server shortens the lifetime of keys below this.
pub(crate) const SHORTEST: Duration = Duration::from_secs(60);

/// For how long a failure is the answer to further requests.
pub(super) const BACKOFF: Duration = Duration::from_secs(10);

/// The number of ids of which something is known. Fetches are bounded, and so is the number of new
/// ids; the limit is for a process that runs for years.
const CAPACITY: usize = 1000;

/// The entry of a whole set.
const SET: &str = "";

/// The keys of one document.
pub(super) struct Found {
    secrets: Vec<Secret>,
    /// All of them, prepared for an endpoint.
    prepared: Mutex<Vec<KeySet>>,
}

/// More endpoints than this prepare the keys anew.
const PREPARED: usize = 64;

impl Found {
    pub(super) fn new(secrets: Vec<Secret>) -> Self {
        Self {
            secrets,
            prepared: Mutex::default(),
        }
    }

    /// Whether no key can be the one with this id.
    fn lacks(&self, key_id: &str) -> bool {
        let mut ids = self.secrets.iter().map(|secret| secret.id.as_deref());
        ids.all(|id| id.is_some_and(|id| id != key_id))
    }

    /// The keys with this id and those without one, prepared for an endpoint. `None` if there are
    /// none of the kind that the endpoint takes.
    pub(super) fn prepare(
        &self,
        schemes: &[CompiledScheme],
        look: &SecretLook,
        key_id: Option<&str>,
    ) -> Result<Option<KeySet>, SetupError> {
        let prepared = || self.prepared.lock().unwrap_or_else(PoisonError::into_inner);
        let known = prepared().iter().find(|keys| keys.fit(schemes)).cloned();
        let all = match known {
            Some(all) => all,
            None => {
                let all = KeySet::of_document(schemes, look, self.secrets.clone())?;
                let mut prepared = prepared();
                if prepared.len() < PREPARED {
                    prepared.push(all.clone());
                }
                all
            }
        };
        all.with_id(key_id)
    }
}

/// What is known of one document.
#[derive(Default)]
struct Entry {
    found: Option<Current>,
    absent_until: Option<Instant>,
    failed: Option<(Instant, Arc<str>)>,
    /// A fetch, which ends when its sender is dropped.
    flight: Option<watch::Receiver<()>>,
}

#[derive(Clone)]
struct Current {
    keys: Arc<Found>,
    fetched: Instant,
    fresh_until: Instant,
    last_used: Instant,
}

/// What a request has to do for its keys.
pub(super) enum Next {
    Use(Arc<Found>),
    /// There is no key with this id.
    Unknown,
    Failed(Arc<str>),
    /// Wait for the fetch of another request. While it takes long, older keys do.
    Wait(watch::Receiver<()>, Option<Arc<Found>>),
    /// Fetch, then drop the sender.
    Fetch(watch::Sender<()>),
}

/// How a fetch ended.
pub(super) enum Outcome {
    Found(Vec<Secret>, Option<Duration>),
    Absent,
    Failed(String),
}

#[derive(Default)]
pub(super) struct Cache {
    entries: HashMap<Arc<str>, Entry>,
    /// When keys that were not known were fetched, and those that were.
    unknown: VecDeque<Instant>,
    known: VecDeque<Instant>,
}

/// The entry for a key: that of the set, or its own.
pub(super) fn entry_name(is_set: bool, key_id: Option<&str>) -> Arc<str> {
    if is_set { SET } else { key_id.unwrap_or(SET) }.into()
}

impl Cache {
    /// Decides what a request does. `wanted` is the id of the key within a set.
    pub(super) fn next(
        &mut self,
        name: &Arc<str>,
        wanted: Option<&str>,
        limits: &Limits,
        now: Instant,
    ) -> Next {
        let known = self.entries.get_mut(name);
        let mut older = None;
        let mut is_refresh = false;
        if let Some(entry) = known {
            if let Some(current) = &mut entry.found {
                let lacks = wanted.is_some_and(|id| current.keys.lacks(id));
                let is_fresh = now < current.fresh_until;
                if is_fresh && !lacks {
                    current.last_used = now;
                    return Next::Use(Arc::clone(&current.keys));
                }
                // A set that was fetched just now has the new keys, too.
                if is_fresh && now < later(current.fetched, limits.negative) {
                    return Next::Unknown;
                }
                let is_usable = now < later(current.fresh_until, limits.grace) && !lacks;
                older = is_usable.then(|| Arc::clone(&current.keys));
                is_refresh = !lacks;
            }
            if entry.absent_until.is_some_and(|until| now < until) {
                return Next::Unknown;
            }
            if let Some(flight) = &entry.flight {
                return Next::Wait(flight.clone(), older);
            }
            if let Some((until, problem)) = &entry.failed
                && now < *until
            {
                return match older {
                    Some(keys) => Next::Use(keys),
                    None => Next::Failed(Arc::clone(problem)),
                };
            }
        }
        let fetches = if is_refresh {
            &mut self.known
        } else {
            &mut self.unknown
        };
        if !may_fetch(fetches, limits.fetches, now) {
            return match older {
                Some(keys) => Next::Use(keys),
                None => Next::Failed(
                    format!(
                        "there were {} fetches of unknown keys in a minute; further ones wait",
                        limits.fetches
                    )
                    .into(),
                ),
            };
        }
        let (sender, receiver) = watch::channel(());
        if !self.entries.contains_key(name) {
            self.make_room(now);
        }
        let entry = self.entries.entry(Arc::clone(name)).or_default();
        entry.flight = Some(receiver);
        Next::Fetch(sender)
    }

    /// Ends a fetch. Returns whether older keys take the place of those that could not be fetched.
    /// What was fetched before everything was [forgotten](Self::clear) is not used.
    pub(super) fn end(
        &mut self,
        name: &Arc<str>,
        landed: &watch::Sender<()>,
        outcome: Outcome,
        limits: &Limits,
        now: Instant,
    ) -> bool {
        let Some(entry) = self.entries.get_mut(name) else {
            return false;
        };
        let flight = entry
            .flight
            .take_if(|flight| flight.same_channel(&landed.subscribe()));
        if flight.is_none() {
            return false;
        }
        entry.failed = None;
        match outcome {
            Outcome::Found(secrets, max_age) => {
                entry.absent_until = None;
                let lifetime = max_age.map_or(limits.lifetime, |age| age.max(SHORTEST));
                entry.found = Some(Current {
                    keys: Arc::new(Found::new(secrets)),
                    fetched: now,
                    fresh_until: later(now, lifetime.min(limits.lifetime)),
                    last_used: now,
                });
            }
            // A key that was removed is not used any longer.
            Outcome::Absent => {
                entry.found = None;
                entry.absent_until = Some(later(now, limits.negative));
            }
            Outcome::Failed(problem) => {
                entry.failed = Some((later(now, BACKOFF), problem.into()));
                return entry.found.is_some();
            }
        }
        false
    }

    /// Forgets everything. Who waits for a fetch in progress waits for the next one after it.
    pub(super) fn clear(&mut self) {
        self.entries.clear();
    }

    /// Removes what is worth least: the id of a key that does not exist, else the keys that were
    /// not used for longest.
    fn make_room(&mut self, now: Instant) {
        if self.entries.len() < CAPACITY {
            return;
        }
        self.entries.retain(|_, entry| {
            let is_absent = entry.absent_until.is_some_and(|until| now < until);
            entry.found.is_some() || entry.flight.is_some() || is_absent
        });
        if self.entries.len() < CAPACITY {
            return;
        }
        let idle = self
            .entries
            .iter()
            .filter(|(_, entry)| entry.flight.is_none());
        let worth = |entry: &Entry| entry.found.as_ref().map(|current| current.last_used);
        let least = idle.min_by_key(|(_, entry)| worth(entry));
        if let Some(name) = least.map(|(name, _)| Arc::clone(name)) {
            self.entries.remove(&name);
        }
    }
}

/// Counts one more fetch, unless there were too many within a minute.
fn may_fetch(fetches: &mut VecDeque<Instant>, limit: usize, now: Instant) -> bool {
    const MINUTE: Duration = Duration::from_secs(60);
    while fetches
        .front()
        .is_some_and(|first| later(*first, MINUTE) <= now)
    {
        fetches.pop_front();
    }
    let may = fetches.len() < limit;
    if may {
        fetches.push_back(now);
    }
    may
}

/// Later by a duration, which may be as good as endless.
fn later(time: Instant, duration: Duration) -> Instant {
    const CENTURY: Duration = Duration::from_secs(100 * 365 * 24 * 3600);
    time.checked_add(duration.min(CENTURY)).unwrap_or(time)
}
