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
    compiled::{
        body::BodyTable,
        header_table::HeaderTable,
        scheme::{Compiled, CompiledScheme},
    },
    error::SetupError,
    keys::{key_set::KeySet, source::KeySource},
    provider::Provider,
    rejection::Labels,
    scheme::timestamp::Tolerance,
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
    /// Looks up the keys of each request, instead of `keys`.
    pub(crate) source: Option<Arc<dyn KeySource>>,
    /// The keys for requests of unknown tenants.
    pub(crate) decoy: KeySet,
    pub(crate) hints: WiringHints,
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
            unsigned_hint: provider.unsigned_hint(),
        };
        Ok(Self {
            labels: Arc::new(labels),
            max_body: provider.max_body(),
            provider,
            decoy: KeySet::decoy(&schemes)?,
            schemes: schemes.into(),
            headers,
            body,
            tolerance: None,
            keys,
            source: None,
            hints: WiringHints::default(),
            #[cfg(feature = "tracing")]
            log_limits: LogLimits::default(),
        })
    }

    pub(crate) fn name(&self) -> Option<&str> {
        self.labels.endpoint.as_deref()
    }

    pub(crate) fn scheme(&self, variant: usize) -> Option<&CompiledScheme> {
        self.schemes.get(variant)
    }

    /// The tolerance of the endpoint, else of the scheme.
    pub(crate) fn tolerance(&self, variant: usize) -> Option<Tolerance> {
        self.tolerance.or(self.scheme(variant)?.tolerance)
    }
}

/// A mistake in the wiring around an endpoint, which is logged once.
#[derive(Clone, Copy)]
pub(crate) enum Hint {
    VerifiedTwice = 1,
    Unnamed = 2,
    ClaimedTwice = 4,
    SeveralPaths = 8,
    SeveralBodies = 16,
}

/// The hints that an endpoint has logged.
#[derive(Default)]
pub(crate) struct WiringHints {
    logged: AtomicU8,
    /// A digest of the first path under which a delivery came; 0 before that.
    path: AtomicU64,
}

impl WiringHints {
    /// Whether this is the first time. A hint that was logged writes to no shared cache line.
    pub(crate) fn is_first(&self, hint: Hint) -> bool {
        let flag = hint as u8;
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
        first.is_some_and(|first| first != path) && self.is_first(Hint::SeveralPaths)
    }
}

/// A copy with other settings is another endpoint.
impl Clone for WiringHints {
    fn clone(&self) -> Self {
        Self::default()
    }
}
