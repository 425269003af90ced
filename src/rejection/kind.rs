//! [`RejectionKind`]: the fixed vocabulary of refusals, with status and sentence.

use std::{fmt, str::FromStr};

use http::StatusCode;

use crate::error::{SetupError, by_name};

/// The kinds of refusal: a fixed vocabulary for logs, counters and alerts. `Display` prints it in snake case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RejectionKind {
    /// The body is longer than the limit, as declared or as counted. Status 413.
    BodyTooLarge,
    /// A header that the scheme needs is not there. Status 401, as all the next ones.
    MissingHeader,
    /// A header stands there twice that must stand there once.
    RepeatedHeader,
    /// A header that must have a fixed value has another.
    UnexpectedHeader,
    /// A header that is signed holds something that could be read in two ways.
    MalformedHeader,
    /// No signature in the header can be decoded.
    MalformedSignature,
    /// More than [`SignatureFormat::MAX_SIGNATURES`](crate::scheme::SignatureFormat::MAX_SIGNATURES).
    TooManySignatures,
    /// The timestamp is not one.
    MalformedTimestamp,
    /// The timestamp is older than the tolerance allows.
    TimestampTooOld,
    /// The timestamp is further ahead than the tolerance allows.
    TimestampInFuture,
    /// The body lacks a value that the scheme signs.
    MalformedBody,
    /// No key of the endpoint makes any of the signatures.
    SignatureMismatch,
    /// The signature is right, by a key that is not valid now.
    KeyOutsideWindow,
    /// The key source knows no tenant for this request. Status 401.
    UnknownTenant,
    /// The endpoint has no key that is valid now. Status 503, as all the next ones.
    NoValidKey,
    /// The key source gave an error.
    KeySourceFailed,
    /// The key source did not answer in time.
    KeySourceTimeout,
    /// Another request is still handling this delivery.
    DeliveryInProgress,
    /// The delivery store cannot be used.
    DeliveryStoreFailed,
    /// The delivery store did not answer in time.
    DeliveryStoreTimeout,
    /// The delivery store has no room for another delivery in progress.
    DeliveryStoreFull,
    /// As many handlers as the delivery layer allows are running.
    HandlersBusy,
    /// The handler was aborted before it answered: by the time limit of the delivery layer, or since its runtime ended.
    HandlerAborted,
    /// The body did not arrive in time. Status 408.
    ReadTimeout,
    /// The body broke off. Status 400.
    BodyIncomplete,
    /// `Content-Length` announced a body, and nothing was left of it. Status 500, as the next two.
    BodyTaken,
    /// The event is genuine, and its type cannot be read out of it. The sender tries again.
    UnreadablePayload,
    /// A handler takes an event on a route without the layer.
    LayerMissing,
}

impl RejectionKind {
    /// Every kind of this version, in the order of the enum.
    pub const ALL: &'static [Self] = &[
        Self::BodyTooLarge,
        Self::MissingHeader,
        Self::RepeatedHeader,
        Self::UnexpectedHeader,
        Self::MalformedHeader,
        Self::MalformedSignature,
        Self::TooManySignatures,
        Self::MalformedTimestamp,
        Self::TimestampTooOld,
        Self::TimestampInFuture,
        Self::MalformedBody,
        Self::SignatureMismatch,
        Self::KeyOutsideWindow,
        Self::UnknownTenant,
        Self::NoValidKey,
        Self::KeySourceFailed,
        Self::KeySourceTimeout,
        Self::DeliveryInProgress,
        Self::DeliveryStoreFailed,
        Self::DeliveryStoreTimeout,
        Self::DeliveryStoreFull,
        Self::HandlersBusy,
        Self::HandlerAborted,
        Self::ReadTimeout,
        Self::BodyIncomplete,
        Self::BodyTaken,
        Self::UnreadablePayload,
        Self::LayerMissing,
    ];

    /// How many kinds there are.
    #[cfg(feature = "tracing")]
    pub(crate) const COUNT: usize = Self::LayerMissing as usize + 1;

    /// The name in snake case, for counters and logs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BodyTooLarge => "body_too_large",
            Self::MissingHeader => "missing_header",
            Self::RepeatedHeader => "repeated_header",
            Self::UnexpectedHeader => "unexpected_header",
            Self::MalformedHeader => "malformed_header",
            Self::MalformedSignature => "malformed_signature",
            Self::TooManySignatures => "too_many_signatures",
            Self::MalformedTimestamp => "malformed_timestamp",
            Self::TimestampTooOld => "timestamp_too_old",
            Self::TimestampInFuture => "timestamp_in_future",
            Self::MalformedBody => "malformed_body",
            Self::SignatureMismatch => "signature_mismatch",
            Self::KeyOutsideWindow => "key_outside_window",
            Self::UnknownTenant => "unknown_tenant",
            Self::NoValidKey => "no_valid_key",
            Self::KeySourceFailed => "key_source_failed",
            Self::KeySourceTimeout => "key_source_timeout",
            Self::DeliveryInProgress => "delivery_in_progress",
            Self::DeliveryStoreFailed => "delivery_store_failed",
            Self::DeliveryStoreTimeout => "delivery_store_timeout",
            Self::DeliveryStoreFull => "delivery_store_full",
            Self::HandlersBusy => "handlers_busy",
            Self::HandlerAborted => "handler_aborted",
            Self::ReadTimeout => "read_timeout",
            Self::BodyIncomplete => "body_incomplete",
            Self::BodyTaken => "body_taken",
            Self::UnreadablePayload => "unreadable_payload",
            Self::LayerMissing => "layer_missing",
        }
    }

    /// What the client is answered.
    #[must_use]
    pub fn status(self) -> StatusCode {
        match self {
            Self::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::MissingHeader
            | Self::RepeatedHeader
            | Self::UnexpectedHeader
            | Self::MalformedHeader
            | Self::MalformedSignature
            | Self::TooManySignatures
            | Self::MalformedTimestamp
            | Self::TimestampTooOld
            | Self::TimestampInFuture
            | Self::MalformedBody
            | Self::SignatureMismatch
            | Self::KeyOutsideWindow
            | Self::UnknownTenant => StatusCode::UNAUTHORIZED,
            Self::NoValidKey
            | Self::KeySourceFailed
            | Self::KeySourceTimeout
            | Self::DeliveryInProgress
            | Self::DeliveryStoreFailed
            | Self::DeliveryStoreTimeout
            | Self::DeliveryStoreFull
            | Self::HandlersBusy
            | Self::HandlerAborted => StatusCode::SERVICE_UNAVAILABLE,
            Self::ReadTimeout => StatusCode::REQUEST_TIMEOUT,
            Self::BodyIncomplete => StatusCode::BAD_REQUEST,
            Self::BodyTaken | Self::UnreadablePayload | Self::LayerMissing => {
                StatusCode::INTERNAL_SERVER_ERROR
            }
        }
    }

    pub(crate) fn sentence(self) -> &'static str {
        match self {
            Self::BodyTooLarge => "the body is longer than the limit",
            Self::MissingHeader => "a header is missing",
            Self::RepeatedHeader => "a header stands there more than once",
            Self::UnexpectedHeader => "a header differs from what the endpoint requires",
            Self::MalformedHeader => "a signed header could be read in two ways",
            Self::MalformedSignature => "no signature can be decoded",
            Self::TooManySignatures => "there are too many signatures",
            Self::MalformedTimestamp => "the timestamp cannot be read",
            Self::TimestampTooOld => {
                "the timestamp is too old; is the clock of this machine right?"
            }
            Self::TimestampInFuture => {
                "the timestamp lies too far ahead; is the clock of this machine right?"
            }
            Self::MalformedBody => "the body lacks a value that is signed",
            Self::SignatureMismatch => {
                "no key makes this signature; is the secret the one of this endpoint, and does \
                 anything in front change the body?"
            }
            Self::KeyOutsideWindow => "the signature is right, by a key that is not valid now",
            Self::UnknownTenant => "the key source knows no such tenant",
            Self::NoValidKey => {
                "no key is valid now; add one that is, made for this provider, or a key source"
            }
            Self::KeySourceFailed => "the key source failed",
            Self::KeySourceTimeout => {
                "the key source did not answer in time; is what it asks too slow, or the key timeout too short?"
            }
            Self::DeliveryInProgress => "another request is still handling this delivery",
            Self::DeliveryStoreFailed => "the delivery store failed",
            Self::DeliveryStoreTimeout => "the delivery store did not answer in time",
            Self::DeliveryStoreFull => {
                "the delivery store has no room for another delivery in progress"
            }
            Self::HandlersBusy => {
                "too many handlers are running; raise max_running, or look for handlers that hang"
            }
            Self::HandlerAborted => "the handler was aborted before it answered",
            Self::ReadTimeout => "the body did not arrive in time",
            Self::BodyIncomplete => "the body broke off",
            Self::BodyTaken => {
                "nothing is left of the body that Content-Length announced; put this middleware outside of whatever \
                 reads the body"
            }
            Self::UnreadablePayload => "the event is genuine but cannot be read as this type",
            Self::LayerMissing => {
                "the route has no WebhookVerifyLayer; wrap it with .layer() or .route_layer(), in actix-web with .wrap()"
            }
        }
    }
}

impl fmt::Display for RejectionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Reads what `Display` prints.
impl FromStr for RejectionKind {
    type Err = SetupError;

    fn from_str(text: &str) -> Result<Self, SetupError> {
        by_name("kind of rejection", text, Self::ALL, Self::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_listed_once_and_read_back() {
        for (place, kind) in RejectionKind::ALL.iter().enumerate() {
            assert_eq!(*kind as usize, place, "{kind}");
            assert_eq!(kind.to_string().parse(), Ok(*kind));
        }
        assert_eq!(
            RejectionKind::ALL.last(),
            Some(&RejectionKind::LayerMissing)
        );
        let error = "signature".parse::<RejectionKind>().unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("\"signature\" is no kind of rejection; ")
        );
    }
}
