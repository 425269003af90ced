//! [`CheckedHead`]: what is decided before a byte of the body is read.

use std::{fmt, sync::Arc, time::SystemTime};

use crate::{
    clock::unix_seconds,
    compiled::head::ParsedHead,
    endpoint::Endpoint,
    event::data::EventData,
    head::Head,
    rejection::{Reason, Rejection, kind::RejectionKind},
    verify::hints,
};

/// A request whose head is in order. It owns what it needs of the head.
#[must_use = "a checked head proves nothing yet; go on with `with_keys`"]
pub struct CheckedHead {
    pub(crate) data: Arc<EventData>,
}

impl CheckedHead {
    /// `at_least` is the known minimum length of the body.
    pub(crate) fn new(
        endpoint: &Arc<Endpoint>,
        head: &Head<'_>,
        at_least: u64,
        now: SystemTime,
    ) -> Result<Self, Rejection> {
        let refused = |reason| Rejection::new(reason, &endpoint.labels);
        let lines = endpoint.headers.look_up(head);
        let declared = lines.declared_length();
        let length = declared.unwrap_or(0).max(at_least);
        if length > u64::try_from(endpoint.max_body).unwrap_or(u64::MAX) {
            return Err(refused(endpoint.too_large().with_body_length(length)));
        }
        let received = unix_seconds(now);
        let (mut data, mut first) = (None, None);
        for (variant, scheme) in endpoint.tried() {
            let mut parsed = ParsedHead::default();
            let tolerance = endpoint.tolerance.or(scheme.tolerance);
            match scheme.parse_head(&mut parsed, &lines, received, tolerance) {
                Ok(()) => {
                    let data =
                        data.get_or_insert_with(|| EventData::new(endpoint, declared, received));
                    EventData::unverified(data).variants.push((variant, parsed));
                }
                Err(reason) => {
                    first.get_or_insert(reason);
                }
            }
        }
        match (data, first) {
            (Some(data), _) => Ok(Self { data }),
            (None, Some(reason)) => Err(refused(hints::of_head(endpoint, head, &lines, reason))),
            // No key matches any variant.
            (None, None) => Err(refused(Reason::new(RejectionKind::NoValidKey))),
        }
    }
}

impl fmt::Debug for CheckedHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CheckedHead")
            .field("provider", &self.data.endpoint.labels.provider)
            .field("endpoint", &self.data.endpoint.name())
            .finish_non_exhaustive()
    }
}
