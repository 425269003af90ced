//! [`Endpoint`]: what is the same for every request that a verifier checks.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::{
        Arc,
        atomic::{AtomicU8, AtomicU64, Ordering},
    },
};

#[cfg(feature = "tracing")]
use crate::limits::LogLimits;
use crate::{
    challenge::{
        Handshake,
        registration::{self, Registration},
    },
    compiled::{
        body::BodyTable,
        header_table::HeaderTable,
        scheme::{Compiled, CompiledScheme},
    },
    delivery_key::DeduplicateBy,
    error::SetupError,
    keys::{
        key_set::KeySet,
        source::{KeySource, LateKeys},
    },
    note::{Note, NoteKind},
    provider::Provider,
    rejection::{Labels, Reason, hint::Hint, kind::RejectionKind},
    scheme::{algorithm::Keying, locator::Locator, timestamp::Tolerance},
};

/// One provider with the keys and limits of one endpoint.
#[derive(Clone)]
pub(crate) struct Endpoint {
    pub(crate) labels: Arc<Labels>,
    pub(crate) provider: Provider,
    pub(crate) schemes: Arc<[CompiledScheme]>,
    pub(crate) headers: HeaderTable,
    pub(crate) body: BodyTable,
    pub(crate) tolerance: Option<Tolerance>,
    pub(crate) max_body: usize,
    pub(crate) keys: KeySet,
    /// One bit for each variant that a key can match.
    tried: u64,
    /// Whether the head alone decides whether a key matches.
    pub(crate) is_decided_by_head: bool,
    /// Whether a variant takes its signature or timestamp from the body.
    pub(crate) parses_body: bool,
    /// Looks up the keys of each request, instead of `keys`.
    pub(crate) source: Option<Arc<dyn KeySource>>,
    /// Gets the key that a request names, once everything else is in order, instead of `keys`.
    pub(crate) late_keys: Option<Arc<dyn LateKeys>>,
    /// The keys for requests of unknown tenants.
    pub(crate) decoy: KeySet,
    pub(crate) registration: Registration,
    pub(crate) wiring: LoggedMistakes,
    pub(crate) verified: Verified,
    #[cfg(feature = "tracing")]
    pub(crate) log_limits: LogLimits,
}

impl Endpoint {
    pub(crate) fn new(
        provider: Provider,
        compiled: Compiled,
        keys: KeySet,
    ) -> Result<Self, SetupError> {
        let Compiled {
            schemes,
            headers,
            body,
        } = compiled;
        let labels = Labels {
            provider: provider.name().into(),
            endpoint: None,
            remedies: provider.remedies(),
        };
        let registration = Registration::default();
        if provider.settings().first(registration::SETTING) == Some("open") {
            registration.open(Registration::AT_START);
        }
        Ok(Self {
            registration,
            labels: Arc::new(labels),
            max_body: provider.max_body(),
            provider,
            decoy: KeySet::decoy(&schemes)?,
            is_decided_by_head: schemes.iter().all(CompiledScheme::is_decided_by_head),
            parses_body: schemes.iter().any(CompiledScheme::parses_body),
            schemes: schemes.into(),
            headers,
            body,
            tolerance: None,
            tried: keys.variants(),
            keys,
            source: None,
            late_keys: None,
            wiring: LoggedMistakes::default(),
            verified: Verified::default(),
            #[cfg(feature = "tracing")]
            log_limits: LogLimits::default(),
        })
    }

    pub(crate) fn name(&self) -> Option<&str> {
        self.labels.endpoint.as_deref()
    }

    /// Whether anybody can make a request that is accepted.
    pub(crate) fn is_unauthenticated(&self) -> bool {
        let mut schemes = self.schemes.iter();
        schemes.all(|scheme| scheme.algorithm.keying() == Keying::None)
    }

    /// Whether anybody can have `body` signed by a handshake.
    pub(crate) fn is_forgeable(&self, body: &[u8]) -> bool {
        let handshake = self.provider.handshake();
        handshake.is_some_and(|handshake| handshake.signs(body))
    }

    /// Whether a handshake signs what anybody asks for.
    pub(crate) fn has_oracle(&self) -> bool {
        let handshake = self.provider.handshake();
        handshake.is_some_and(Handshake::has_oracle)
    }

    /// What is suspicious about the endpoint.
    pub(crate) fn notes(&self) -> Vec<Note> {
        let mut notes: Vec<Note> = Vec::new();
        let mut add = |kind, text: &str| notes.push(Note::new(kind, text));
        if self.is_unauthenticated() {
            add(
                NoteKind::UnauthenticatedDigest,
                "an unauthenticated digest proves nothing about the sender: anyone can compute one",
            );
        }
        if self.schemes.iter().any(CompiledScheme::is_extendable) {
            add(
                NoteKind::LengthExtension,
                "a plain digest whose content continues after the secret is open to length extension: anyone who saw one \
                 request can append to it",
            );
        }
        if self.schemes.iter().any(CompiledScheme::has_unsigned_time) {
            add(
                NoteKind::UnsignedTimestamp,
                "the timestamp is not part of the signed content, so anyone who has captured a request can give it a fresh \
                 one: sign it with {ts}, or do not rely on it",
            );
        }
        if self.provider.is_assumed() {
            add(
                NoteKind::AssumedScheme,
                "how this provider signs is assumed: compare it with a genuine delivery before you rely on it, and report \
                 what you find",
            );
        }
        if self.provider.settings().first(registration::SETTING) == Some("open") {
            add(
                NoteKind::OpenRegistration,
                "registration: it is open from the start, so that for an hour anybody who knows the address may offer a secret; \
                 set it to \"closed\", or remove it, once the webhook is registered",
            );
        }
        notes.extend(self.keys.notes().cloned());
        notes
    }

    /// The note for an endpoint whose deliveries are deduplicated by equal bodies, although only an
    /// unsigned header tells the types of events apart.
    pub(crate) fn unsigned_event_type(&self) -> Option<Note> {
        let provider = &self.provider;
        let is_header = |locator: Option<&Locator>| locator.is_some_and(Locator::is_header);
        let by_body = *provider.deduplicate_by() == DeduplicateBy::Auto
            && !provider.has_distinct_bodies()
            && is_header(provider.event_type())
            && (provider.delivery_id().is_none() || is_header(provider.delivery_id()));
        let mut schemes = self.schemes.iter();
        let unsigned = schemes.any(|scheme| {
            let rules = &scheme.head;
            rules.event_type_slot.is_none() && rules.delivery_id_slot.is_none()
        });
        (by_body && unsigned).then(|| {
            Note::new(
                NoteKind::UnsignedEventType,
                "equal bodies of two types of events are one delivery, because the type is not signed: set deduplicate_by = \
                 \"body+event-type\" if the provider sends such, or \"body\" if it does not",
            )
        })
    }

    /// The reason for a body that exceeds the limit of this endpoint.
    pub(crate) fn too_large(&self) -> Reason {
        let mut reason = Reason::new(RejectionKind::BodyTooLarge).hint(Hint::MaxBody);
        reason.hints().limit = u64::try_from(self.max_body).unwrap_or(u64::MAX);
        reason
    }

    /// Looks up the keys of each request, which may be of any kind.
    pub(crate) fn set_source(&mut self, source: Arc<dyn KeySource>) {
        self.source = Some(source);
        self.tried = u64::MAX;
    }

    /// Gets the key that each request names, which may be of any variant.
    #[cfg(feature = "remote-keys")]
    pub(crate) fn set_late_keys(&mut self, keys: Arc<dyn LateKeys>) {
        self.late_keys = Some(keys);
        self.tried = u64::MAX;
    }

    /// The variants that a key can match, with their indexes.
    pub(crate) fn tried(&self) -> impl Iterator<Item = (usize, &CompiledScheme)> {
        let is_tried = |place: usize| {
            let bit = u32::try_from(place).unwrap_or(u32::MAX);
            self.tried.unbounded_shr(bit) & 1 == 1
        };
        let all = self.schemes.iter().enumerate();
        all.filter(move |(place, _)| is_tried(*place))
    }

    /// Whether a key can match several variants.
    pub(crate) fn tries_several(&self) -> bool {
        self.schemes.len() > 1 && self.tried().count() > 1
    }

    pub(crate) fn scheme(&self, variant: usize) -> Option<&CompiledScheme> {
        self.schemes.get(variant)
    }

    /// The tolerance of the endpoint, else of the scheme.
    pub(crate) fn tolerance(&self, variant: usize) -> Option<Tolerance> {
        self.tolerance.or(self.scheme(variant)?.tolerance)
    }
}

/// The number of requests that an endpoint has verified since it was created.
#[derive(Default)]
pub(crate) struct Verified(AtomicU64);

impl Verified {
    pub(crate) fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// Counts one more, and returns the number before it.
    pub(crate) fn add(&self) -> u64 {
        self.0.fetch_add(1, Ordering::Relaxed)
    }
}

/// A copy with other settings is another endpoint.
impl Clone for Verified {
    fn clone(&self) -> Self {
        Self::default()
    }
}

/// A mistake in the wiring around an endpoint, which is logged once.
#[derive(Clone, Copy)]
pub(crate) enum WiringMistake {
    VerifiedTwice = 1,
    Unnamed = 2,
    ClaimedTwice = 4,
    SeveralPaths = 8,
    SeveralBodies = 16,
    HiddenLog = 32,
    UnsignedEventType = 64,
    HandshakeOrder = 128,
}

/// The mistakes that an endpoint has logged.
#[derive(Default)]
pub(crate) struct LoggedMistakes {
    logged: AtomicU8,
    /// A digest of the first path under which a delivery came; 0 before that.
    path: AtomicU64,
}

impl LoggedMistakes {
    /// Whether this is the first time. A mistake that was logged writes to no shared cache line.
    pub(crate) fn is_first(&self, mistake: WiringMistake) -> bool {
        let flag = mistake as u8;
        self.logged.load(Ordering::Relaxed) & flag == 0
            && self.logged.fetch_or(flag, Ordering::Relaxed) & flag == 0
    }

    /// Whether this is the first delivery under a second path.
    pub(crate) fn is_second_path(&self, path: &str) -> bool {
        let mut hasher = DefaultHasher::new();
        path.hash(&mut hasher);
        let path = hasher.finish().max(1);
        let relaxed = Ordering::Relaxed;
        let first = match self.path.load(relaxed) {
            0 => self.path.compare_exchange(0, path, relaxed, relaxed).err(),
            first => Some(first),
        };
        first.is_some_and(|first| first != path) && self.is_first(WiringMistake::SeveralPaths)
    }
}

/// A copy with other settings is another endpoint.
impl Clone for LoggedMistakes {
    fn clone(&self) -> Self {
        Self::default()
    }
}
