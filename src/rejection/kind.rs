//! [`RejectionKind`]: the fixed set of reasons for a refusal, with status and message.

use std::{fmt, str::FromStr};

use http::StatusCode;

use crate::error::{SetupError, by_name};

/// The reason for a refusal: a fixed vocabulary for logs, counters and alerts. `Display` prints it
/// in snake case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RejectionKind {
    /// The body exceeds the limit, by its `Content-Length` or by count. Status 413.
    BodyTooLarge,
    /// A header that the scheme requires is missing. Status 401, like the kinds up to
    /// [`UnknownTenant`](Self::UnknownTenant).
    MissingHeader,
    /// A header that must be unique is duplicate.
    RepeatedHeader,
    /// A header that must have a fixed value has a different one.
    UnexpectedHeader,
    /// An entry or a claim of a JSON Web Token is not the required one, such as the issuer or the
    /// audience.
    UnexpectedClaim,
    /// A signed header has an ambiguous value.
    MalformedHeader,
    /// No signature in the header can be decoded.
    MalformedSignature,
    /// The signature header lacks a field that the scheme needs, or a JSON Web Token a claim; or
    /// the query or the body lacks the signature, the token or the timestamp, or the body has it
    /// twice.
    MissingField,
    /// A field of the signature header or a query parameter occurs more than once, so that it is
    /// ambiguous.
    RepeatedField,
    /// The request has more signatures than
    /// [`SignatureFormat::MAX_SIGNATURES`](crate::scheme::SignatureFormat::MAX_SIGNATURES).
    TooManySignatures,
    /// The timestamp cannot be parsed.
    MalformedTimestamp,
    /// The timestamp is further in the past than the tolerance allows.
    TimestampTooOld,
    /// The timestamp is further in the future than the tolerance allows.
    TimestampInFuture,
    /// The body lacks a value that the scheme signs, or has it twice.
    MalformedBody,
    /// No signature matches any key of the endpoint.
    SignatureMismatch,
    /// The certificates that should vouch for the key do not lead to a root of the endpoint, are
    /// not valid at this time, or are for another name or purpose; or they are at an address that
    /// is not the provider's.
    UntrustedCertificate,
    /// The signature is correct, but its key is not valid at this time.
    KeyOutsideWindow,
    /// The body has the form of a challenge, which anybody can have signed by the endpoint: see
    /// [`handshake`](crate::handshake).
    ForgeableBody,
    /// The key source found no tenant for this request. Status 401.
    UnknownTenant,
    /// The endpoint has no key that is valid at this time. Status 503, like the kinds up to
    /// [`HandlerAborted`](Self::HandlerAborted).
    NoValidKey,
    /// The key source returned an error.
    KeySourceFailed,
    /// The key source did not answer in time.
    KeySourceTimeout,
    /// Another request is still handling this delivery.
    DeliveryInProgress,
    /// The delivery store returned an error.
    DeliveryStoreFailed,
    /// The delivery store did not answer in time.
    DeliveryStoreTimeout,
    /// The delivery store has no room for another delivery in progress.
    DeliveryStoreFull,
    /// The maximum number of handlers of the delivery layer is running.
    HandlersBusy,
    /// The handler was aborted before it responded: its time limit in the delivery layer expired,
    /// or its runtime shut down.
    HandlerAborted,
    /// The body did not arrive in time. Status 408.
    ReadTimeout,
    /// The connection broke before the body was complete. Status 400.
    BodyIncomplete,
    /// The challenge of a [handshake](crate::handshake) is missing or not of the form that is
    /// answered. Status 400.
    MalformedChallenge,
    /// A [handshake](crate::handshake) does not have the value that the endpoint expects. Status
    /// 403.
    ChallengeRefused,
    /// The event is verified and came by `GET` or another safe method, by which no delivery is
    /// claimed and nothing of which is signed; see
    /// [`HandshakeLayer`](crate::handshake::HandshakeLayer). Status 405.
    MethodNotAllowed,
    /// `Content-Length` announced a body, but another layer has consumed it. Status 500, like the
    /// next two.
    BodyTaken,
    /// The event is verified, but cannot be read as the handler's type. The sender retries.
    UnreadablePayload,
    /// A handler takes an event on a route without the layer.
    LayerMissing,
}

impl RejectionKind {
    /// All kinds of this version, in declaration order.
    pub const ALL: &'static [Self] = &[
        Self::BodyTooLarge,
        Self::MissingHeader,
        Self::RepeatedHeader,
        Self::UnexpectedHeader,
        Self::UnexpectedClaim,
        Self::MalformedHeader,
        Self::MalformedSignature,
        Self::MissingField,
        Self::RepeatedField,
        Self::TooManySignatures,
        Self::MalformedTimestamp,
        Self::TimestampTooOld,
        Self::TimestampInFuture,
        Self::MalformedBody,
        Self::SignatureMismatch,
        Self::UntrustedCertificate,
        Self::KeyOutsideWindow,
        Self::ForgeableBody,
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
        Self::MalformedChallenge,
        Self::ChallengeRefused,
        Self::MethodNotAllowed,
        Self::BodyTaken,
        Self::UnreadablePayload,
        Self::LayerMissing,
    ];

    /// The number of kinds.
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
            Self::UnexpectedClaim => "unexpected_claim",
            Self::MalformedHeader => "malformed_header",
            Self::MalformedSignature => "malformed_signature",
            Self::MissingField => "missing_field",
            Self::RepeatedField => "repeated_field",
            Self::TooManySignatures => "too_many_signatures",
            Self::MalformedTimestamp => "malformed_timestamp",
            Self::TimestampTooOld => "timestamp_too_old",
            Self::TimestampInFuture => "timestamp_in_future",
            Self::MalformedBody => "malformed_body",
            Self::SignatureMismatch => "signature_mismatch",
            Self::UntrustedCertificate => "untrusted_certificate",
            Self::KeyOutsideWindow => "key_outside_window",
            Self::ForgeableBody => "forgeable_body",
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
            Self::MalformedChallenge => "malformed_challenge",
            Self::ChallengeRefused => "challenge_refused",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::BodyTaken => "body_taken",
            Self::UnreadablePayload => "unreadable_payload",
            Self::LayerMissing => "layer_missing",
        }
    }

    /// The status of the response.
    #[must_use]
    pub fn status(self) -> StatusCode {
        match self {
            Self::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::MissingHeader
            | Self::RepeatedHeader
            | Self::UnexpectedHeader
            | Self::UnexpectedClaim
            | Self::MalformedHeader
            | Self::MalformedSignature
            | Self::MissingField
            | Self::RepeatedField
            | Self::TooManySignatures
            | Self::MalformedTimestamp
            | Self::TimestampTooOld
            | Self::TimestampInFuture
            | Self::MalformedBody
            | Self::SignatureMismatch
            | Self::UntrustedCertificate
            | Self::KeyOutsideWindow
            | Self::ForgeableBody
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
            Self::BodyIncomplete | Self::MalformedChallenge => StatusCode::BAD_REQUEST,
            Self::ChallengeRefused => StatusCode::FORBIDDEN,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::BodyTaken | Self::UnreadablePayload | Self::LayerMissing => {
                StatusCode::INTERNAL_SERVER_ERROR
            }
        }
    }

    pub(crate) fn sentence(self) -> &'static str {
        match self {
            Self::BodyTooLarge => "the body exceeds the limit",
            Self::MissingHeader => "a required header is missing",
            Self::RepeatedHeader => "duplicate header",
            Self::UnexpectedHeader => "a header does not have the required value",
            Self::UnexpectedClaim => {
                "an entry or a claim of the token does not have the required value"
            }
            Self::MalformedHeader => "a signed header has an ambiguous value",
            Self::MalformedSignature => "no signature can be decoded",
            Self::MissingField => "a field that the scheme needs is missing or ambiguous",
            Self::RepeatedField => "a field that the scheme needs occurs more than once",
            Self::TooManySignatures => "too many signatures",
            Self::MalformedTimestamp => "the timestamp cannot be parsed",
            Self::TimestampTooOld => "the timestamp is too old",
            Self::TimestampInFuture => "the timestamp is too far in the future",
            Self::MalformedBody => "the body lacks a value that the scheme signs, or has it twice",
            Self::SignatureMismatch => "the signature matches no key of this endpoint",
            Self::UntrustedCertificate => "no trusted certificate vouches for the key",
            Self::KeyOutsideWindow => {
                "the signature is correct, but its key is not valid at this time"
            }
            Self::ForgeableBody => {
                "the body has the form of a challenge, which anybody can have signed by this endpoint"
            }
            Self::UnknownTenant => "the key source found no tenant for this request",
            Self::NoValidKey => {
                "the endpoint has no valid key; add one for this provider, or a key source"
            }
            Self::KeySourceFailed => "the key source failed",
            Self::KeySourceTimeout => {
                "the key source did not answer in time; check its backend, or raise the key timeout"
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
            Self::HandlerAborted => "the handler was aborted before it responded",
            Self::ReadTimeout => "the body did not arrive in time",
            Self::BodyIncomplete => "the connection broke before the body was complete",
            Self::MalformedChallenge => {
                "the challenge of a handshake is missing, ambiguous, too long, or not of the provider's form"
            }
            Self::ChallengeRefused => {
                "a handshake does not have the value that this endpoint expects; compare the setting with the one at the \
                 provider"
            }
            Self::MethodNotAllowed => {
                "a verified event came by a safe method, which is not signed: somebody repeats a captured request, or the \
                 sender is set to GET"
            }
            Self::BodyTaken => {
                "another layer has already consumed the body that Content-Length announced; put this middleware \
                 outside that layer"
            }
            Self::UnreadablePayload => {
                "the event is verified, but cannot be read as the handler's type"
            }
            Self::LayerMissing => {
                "the route has no WebhookVerifyLayer; add it with .layer() or .route_layer(), or with .wrap() in actix-web"
            }
        }
    }
}

impl fmt::Display for RejectionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Parses the output of `Display`.
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
    fn every_kind_is_listed_once_and_parses_back() {
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
                .starts_with("\"signature\" is not a known kind of rejection; ")
        );
    }
}
