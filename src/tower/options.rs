//! [`LayerOptions`]: what every request of a verifying layer shares.

use std::{sync::Arc, time::SystemTime};

use bytes::Bytes;
use http::{Response, StatusCode};

use crate::{
    capture::hook::CaptureHook,
    endpoint::Endpoint,
    head::Head,
    observe::{self, Trace},
    rejection::Rejection,
    verify::{
        future::{Step, Timeouts, Verification},
        hints,
        verifier::Verifier,
    },
};

/// What every request of a layer shares.
#[derive(Clone)]
pub(crate) struct LayerOptions {
    pub(crate) verifier: Verifier,
    /// The endpoints of which one has to accept a request, by name.
    pub(crate) endpoints: Arc<[Arc<Endpoint>]>,
    pub(crate) enforcement: Enforcement,
    pub(crate) timeouts: Timeouts,
    pub(crate) clock: Arc<dyn Fn() -> SystemTime + Send + Sync>,
    pub(crate) on_rejection: Option<Arc<OnRejection>>,
    pub(crate) capture: Option<CaptureHook>,
}

/// What a layer does with a request that is refused for its signature.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Enforcement {
    /// The provider gets 401, and the handler does not see the request.
    #[default]
    Refuse,
    /// The request is logged at WARN, counted, and passed on with its body and **without an
    /// event**, to try a set-up with real traffic before it is enforced. Limits of length and time
    /// stay enforced; of several endpoints, the longest.
    ///
    /// The handler has to take `Option<VerifiedEvent>`, and decides what to do with `None`: anybody
    /// can send such a request. The [`Rejection`] is in the request's extensions. The event of
    /// another such layer outside of this one stays in them, so ask an event for its
    /// [`endpoint`](crate::VerifiedEvent::endpoint) where layers are nested.
    Log,
}

pub(crate) type OnRejection = dyn Fn(&Rejection, &mut Response<()>) + Send + Sync;

impl LayerOptions {
    /// Checks the head of a request, whose body is at least so long.
    pub(crate) fn begin(&self, head: &Head<'_>, at_least: u64) -> Result<Step, Rejection> {
        let now = (self.clock)();
        Step::begin(&self.endpoints, self.shadow(), head, at_least, now)
            .map_err(|rejection| self.about(rejection, head))
    }

    /// Goes on to the body.
    pub(crate) fn verification<B>(&self, step: Step, body: B) -> Verification<B> {
        Verification::new(step, body, self.timeouts, self.shadow())
    }

    /// The endpoint of a request that is passed on although it is not verified.
    fn shadow(&self) -> Option<&Arc<Endpoint>> {
        match self.enforcement {
            Enforcement::Refuse => None,
            Enforcement::Log => self.endpoint_with_largest_body(),
        }
    }

    /// The endpoint whose limit applies to a request that none of them verifies; of several, the
    /// first by name.
    fn endpoint_with_largest_body(&self) -> Option<&Arc<Endpoint>> {
        let endpoints = self.endpoints.iter().rev();
        endpoints.max_by_key(|endpoint| endpoint.max_body)
    }

    /// Whether `endpoint` is one of those of this layer.
    pub(crate) fn is_of(&self, endpoint: &Arc<Endpoint>) -> bool {
        let mut endpoints = self.endpoints.iter();
        endpoints.any(|own| Arc::ptr_eq(own, endpoint))
    }

    /// The endpoint that refused a request.
    fn endpoint_of(&self, rejection: &Rejection) -> &Arc<Endpoint> {
        let mut endpoints = self.endpoints.iter();
        let of = endpoints.find(|endpoint| rejection.is_of(&endpoint.labels));
        of.unwrap_or_else(|| self.verifier.shared())
    }

    /// Records that a refused request is passed on, because the layer only logs.
    pub(crate) fn passed_on(&self, rejection: &Rejection, trace: &Trace) {
        observe::passed_on(self.endpoint_of(rejection), rejection, trace);
    }

    /// The rejection, with what it has to say of the request.
    pub(crate) fn about(&self, rejection: Rejection, head: &Head<'_>) -> Rejection {
        let endpoint = self.endpoint_of(&rejection);
        hints::about(rejection, endpoint, head)
    }

    /// Hands a refused request to the hook that asked for it. `body` is `None` if it was not read.
    pub(crate) fn capture(&self, rejection: &Rejection, head: &Head<'_>, body: Option<&Bytes>) {
        if let Some(hook) = &self.capture {
            hook.refused(rejection, &self.endpoints, head, body, (self.clock)());
        }
    }

    /// The answer to a refused request, which is logged and passed to the hook.
    pub(crate) fn refuse(&self, rejection: &Rejection, trace: &Trace) -> Response<()> {
        observe::refused(Some(self.endpoint_of(rejection)), rejection, trace);
        let mut response = rejection.to_response();
        if let Some(hook) = &self.on_rejection {
            hook(rejection, &mut response);
        }
        response
    }

    /// The status that the provider gets: the one that it takes for success, instead of another
    /// 2xx. `endpoint` is the one that accepted the request.
    pub(crate) fn answer(
        &self,
        endpoint: Option<&Arc<Endpoint>>,
        status: StatusCode,
        trace: &Trace,
    ) -> StatusCode {
        let endpoint = endpoint.unwrap_or_else(|| self.verifier.shared());
        match endpoint.provider.success_status() {
            Some(success) if status.is_success() && status != success => {
                observe::status_changed(endpoint, status, success, trace);
                success
            }
            _ => status,
        }
    }
}
