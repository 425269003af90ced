//! [`LayerOptions`]: what every request of a verifying layer shares.

use std::{sync::Arc, time::SystemTime};

use http::{Response, StatusCode};
use http_body::Body;

use crate::{
    head::Head,
    observe::{self, Trace},
    rejection::Rejection,
    verify::{
        future::{Timeouts, Verification},
        hints,
        verifier::Verifier,
    },
};

/// What every request of a layer shares.
#[derive(Clone)]
pub(crate) struct LayerOptions {
    pub(crate) verifier: Verifier,
    pub(crate) timeouts: Timeouts,
    pub(crate) clock: Arc<dyn Fn() -> SystemTime + Send + Sync>,
    pub(crate) on_rejection: Option<Arc<OnRejection>>,
}

pub(crate) type OnRejection = dyn Fn(&Rejection, &mut Response<()>) + Send + Sync;

impl LayerOptions {
    /// Checks the head of a request. The body is not polled.
    pub(crate) fn begin<B: Body>(
        &self,
        head: &Head<'_>,
        body: B,
    ) -> Result<Verification<B>, Rejection> {
        let now = (self.clock)();
        Verification::begin(self.verifier.shared(), self.timeouts, head, body, now)
            .map_err(|rejection| self.about(rejection, head))
    }

    /// The rejection, with what it has to say of the request.
    pub(crate) fn about(&self, rejection: Rejection, head: &Head<'_>) -> Rejection {
        hints::about(rejection, self.verifier.shared(), head)
    }

    /// The answer to a refused request, which is logged and passed to the hook.
    pub(crate) fn refuse(&self, rejection: &Rejection, trace: &Trace) -> Response<()> {
        observe::refused(Some(self.verifier.shared()), rejection, trace);
        let mut response = rejection.to_response();
        if let Some(hook) = &self.on_rejection {
            hook(rejection, &mut response);
        }
        response
    }

    /// The status that the provider gets: the one that it takes for success, instead of another 2xx.
    pub(crate) fn answer(&self, status: StatusCode, trace: &Trace) -> StatusCode {
        match self.verifier.provider().success_status() {
            Some(success) if status.is_success() && status != success => {
                observe::status_changed(self.verifier.shared(), status, success, trace);
                success
            }
            _ => status,
        }
    }
}
