//! What stays the same for every request of an endpoint.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::{
        Arc,
        atomic::{AtomicU8, AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use http::Response;

#[cfg(feature = "tracing")]
use crate::limits::LogLimits;
use crate::{
    Provider, Rejection, Secrets,
    lookup::SecretSource,
    scheme::{BodyTable, CompiledScheme, HeaderTable, Tolerance},
};

/// What a verifier and a layer were told, and what events and rejections refer to.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) provider: Provider,
    pub(crate) schemes: Arc<[CompiledScheme]>,
    pub(crate) headers: HeaderTable,
    pub(crate) body: BodyTable,
    pub(crate) endpoint: Option<Arc<str>>,
    pub(crate) tolerance: Option<Tolerance>,
    pub(crate) max_body: usize,
    pub(crate) secrets: Secrets,
    /// What requests of unknown tenants are checked with.
    pub(crate) decoy: Secrets,
    pub(crate) uptake: Uptake,
    #[cfg(feature = "tracing")]
    pub(crate) log_limits: LogLimits,
    // What layers alone need.
    pub(crate) read_timeout: Duration,
    pub(crate) key_timeout: Duration,
    pub(crate) clock: Option<Arc<dyn Fn() -> SystemTime + Send + Sync>>,
    pub(crate) source: Option<Arc<dyn SecretSource>>,
    pub(crate) on_rejection: Option<Arc<OnRejection>>,
}

pub(crate) type OnRejection = dyn Fn(&Rejection, &mut Response<()>) + Send + Sync;

impl Shared {
    pub(crate) fn provider(&self) -> &Provider {
        &self.provider
    }

    pub(crate) fn endpoint(&self) -> Option<&str> {
        self.endpoint.as_deref()
    }

    pub(crate) fn scheme(&self, index: usize) -> Option<&CompiledScheme> {
        self.schemes.get(index)
    }

    /// The tolerance of the endpoint, else of the scheme.
    pub(crate) fn tolerance(&self, scheme: usize) -> Option<Tolerance> {
        self.tolerance.or(self.scheme(scheme)?.tolerance)
    }
}

/// What has been seen of the wiring around an endpoint, so that each mistake in it is told once.
#[derive(Default)]
pub(crate) struct Uptake {
    flags: AtomicU8,
    /// A digest of the first path under which a delivery came; 0 before that.
    path: AtomicU64,
}

impl Uptake {
    const TAKEN: u8 = 1;
    const UNTAKEN: u8 = 2;
    const TWICE: u8 = 4;
    const NAMELESS: u8 = 8;
    const CLAIMED_TWICE: u8 = 16;
    const SEVERAL_PATHS: u8 = 32;
    const SEVERAL_BODIES: u8 = 64;

    /// An event of the endpoint was taken by somebody.
    pub(crate) fn take(&self) {
        self.first(Self::TAKEN);
    }

    /// Whether it has to be told that nobody takes events.
    pub(crate) fn is_news_that_untaken(&self) -> bool {
        self.flags.load(Ordering::Relaxed) & Self::TAKEN == 0 && self.first(Self::UNTAKEN)
    }

    /// Whether it is known that events are taken, or was told that they are not.
    pub(crate) fn is_settled(&self) -> bool {
        self.flags.load(Ordering::Relaxed) & (Self::TAKEN | Self::UNTAKEN) != 0
    }

    /// Whether it has to be told that requests are verified twice.
    pub(crate) fn is_news_that_twice(&self) -> bool {
        self.first(Self::TWICE)
    }

    /// Whether it has to be told that deliveries of an endpoint without a name are remembered.
    pub(crate) fn is_news_that_nameless(&self) -> bool {
        self.first(Self::NAMELESS)
    }

    /// Whether it has to be told that deliveries are claimed twice.
    pub(crate) fn is_news_that_claimed_twice(&self) -> bool {
        self.first(Self::CLAIMED_TWICE)
    }

    /// Whether it has to be told that deliveries come under several paths.
    pub(crate) fn is_news_that_several_paths(&self, path: &str) -> bool {
        let mut hasher = DefaultHasher::new();
        path.hash(&mut hasher);
        let path = hasher.finish().max(1);
        let relaxed = Ordering::Relaxed;
        let first = match self.path.load(relaxed) {
            0 => self.path.compare_exchange(0, path, relaxed, relaxed).err(),
            first => Some(first),
        };
        first.is_some_and(|first| first != path) && self.first(Self::SEVERAL_PATHS)
    }

    /// Whether it has to be told that an id comes with several bodies.
    pub(crate) fn is_news_that_several_bodies(&self) -> bool {
        self.first(Self::SEVERAL_BODIES)
    }

    /// Sets a flag. As a rule it is set, and then nothing is written that another core would have to read anew.
    fn first(&self, flag: u8) -> bool {
        self.flags.load(Ordering::Relaxed) & flag == 0
            && self.flags.fetch_or(flag, Ordering::Relaxed) & flag == 0
    }
}

/// Another endpoint begins anew.
impl Clone for Uptake {
    fn clone(&self) -> Self {
        Self::default()
    }
}
