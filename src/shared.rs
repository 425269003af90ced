//! What stays the same for every request of an endpoint.

use std::sync::Arc;

use crate::{
    Provider,
    scheme::{CompiledScheme, Tolerance},
};

/// What events and rejections refer to.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) provider: Provider,
    pub(crate) schemes: Arc<[CompiledScheme]>,
    pub(crate) endpoint: Option<Arc<str>>,
    pub(crate) tolerance: Option<Tolerance>,
    pub(crate) max_body: usize,
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
    pub(crate) fn tolerance(&self, scheme: usize) -> Option<Tolerance> {
        self.tolerance
            .or_else(|| self.provider.schemes().nth(scheme)?.tolerance())
    }
}
