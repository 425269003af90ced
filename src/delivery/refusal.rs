//! The rejections of a delivery layer.

use std::time::Duration;

use crate::{
    delivery::error::{StoreError, StoreErrorKind},
    event::VerifiedEvent,
    rejection::{Reason, Rejection, kind::RejectionKind},
};

/// The rejection if no verifying layer is around the delivery layer.
pub(crate) fn not_verified() -> Rejection {
    Rejection::layer_missing_because(
        "the DeliveryLayer must be inside the WebhookVerifyLayer: add the WebhookVerifyLayer after \
         it in calls of .layer(), .route_layer() and .wrap(), and before it in a ServiceBuilder",
    )
}

/// The rejection while the maximum number of handlers is running.
pub(crate) fn handlers_busy(event: &VerifiedEvent, most: usize) -> Rejection {
    let reason = Reason::new(RejectionKind::HandlersBusy);
    event.rejection(reason, Some(format!("max_running is {most}").into()))
}

/// The rejection after a handler was aborted, by its time limit or because its runtime shut down.
pub(crate) fn handler_aborted(event: &VerifiedEvent, limit: Option<Duration>) -> Rejection {
    let cause = match limit {
        Some(limit) => format!("it exceeded handler_timeout ({limit:?})"),
        None => "the runtime is shutting down".to_owned(),
    };
    event.rejection(
        Reason::new(RejectionKind::HandlerAborted),
        Some(cause.into()),
    )
}

/// The rejection while another request is handling the delivery.
pub(crate) fn in_progress(event: &VerifiedEvent, remaining: Duration) -> Rejection {
    let seconds = remaining.as_millis().div_ceil(1000);
    let seconds = u16::try_from(seconds).unwrap_or(u16::MAX).clamp(1, 30);
    let reason = Reason::new(RejectionKind::DeliveryInProgress).with_retry_after(seconds);
    event.rejection(reason, None)
}

/// The rejection after the store failed.
pub(crate) fn store_failed(event: &VerifiedEvent, error: StoreError) -> Rejection {
    let kind = match error.kind() {
        StoreErrorKind::Unavailable => RejectionKind::DeliveryStoreFailed,
        StoreErrorKind::Timeout => RejectionKind::DeliveryStoreTimeout,
        StoreErrorKind::Full => RejectionKind::DeliveryStoreFull,
    };
    event.rejection(Reason::new(kind), Some(error.into()))
}
