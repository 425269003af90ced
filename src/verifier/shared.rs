//! What stays the same for every request of an endpoint.

use std::sync::Arc;

use crate::{
    Provider,
    scheme::{CompiledScheme, Tolerance},
};

/// What events and rejections refer to.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(super) provider: Provider,
    pub(super) schemes: Arc<[CompiledScheme]>,
    pub(super) endpoint: Option<Arc<str>>,
    pub(super) tolerance: Option<Tolerance>,
    pub(super) max_body: usize,
}

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
    pub(super) fn tolerance(&self, scheme: usize) -> Option<Tolerance> {
        self.tolerance
            .or_else(|| self.provider.schemes().nth(scheme)?.tolerance())
    }
}
