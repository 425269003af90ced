//! Verification of captured requests, such as those of a queue.

use std::time::{Duration, SystemTime};

use crate::{
    capture::CapturedRequest,
    clock,
    event::VerifiedEvent,
    rejection::{Reason, Rejection, kind::RejectionKind},
    verify::verifier::Verifier,
};

/// How far the clock of whoever captured a request may be ahead of ours.
const AHEAD: Duration = Duration::from_secs(5);

impl Verifier {
    /// Checks a request that was captured, such as one in a queue, against the time of its receipt.
    ///
    /// **Whoever writes the queue sets the clock**: with a time of receipt of their choice, an old
    /// request is fresh again. `max_age` limits that; set it to the longest time that a request
    /// waits in the queue, retries included, and let nobody write to the queue but the service that
    /// receives the requests. For keys with a period of validity, the time of receipt counts as
    /// well.
    ///
    /// The queue has to hold [credentials](CapturedRequest::with_credentials) if the provider sends
    /// a token.
    ///
    /// # Errors
    ///
    /// [`RejectionKind::TimestampTooOld`] when the request was received more than `max_age` ago,
    /// [`RejectionKind::TimestampInFuture`] when it was received more than 5 seconds from now,
    /// [`RejectionKind::MalformedTimestamp`] when it has no time of receipt,
    /// [`RejectionKind::BodyIncomplete`] when a part of its body was left out, and those of
    /// [`verify`](Self::verify).
    ///
    /// ```
    /// use std::time::{Duration, SystemTime};
    /// use tower_webhook::{RejectionKind, Secret, Signer, Verifier, capture::CapturedRequest, providers};
    /// use tower_webhook::verify::Head;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let secret = Secret::new("whsec_of_the_endpoint");
    /// let yesterday = SystemTime::now() - Duration::from_secs(24 * 3600);
    /// let signer = Signer::new(providers::stripe(), secret.clone())?.with_time(yesterday);
    /// let signed = signer.sign(http::Request::post("/"), r#"{"id":"evt_1"}"#)?;
    /// let (parts, body) = signed.into_parts();
    /// let captured = CapturedRequest::new(&Head::from(&parts), body).with_received_at(yesterday);
    ///
    /// let verifier = Verifier::new(providers::stripe(), secret)?;
    /// assert!(verifier.verify_captured(&captured, Duration::from_secs(48 * 3600)).is_ok());
    /// let refused = verifier.verify_captured(&captured, Duration::from_secs(3600)).unwrap_err();
    /// assert_eq!(refused.kind(), RejectionKind::TimestampTooOld);
    /// # Ok(())
    /// # }
    /// ```
    pub fn verify_captured(
        &self,
        captured: &CapturedRequest,
        max_age: Duration,
    ) -> Result<VerifiedEvent, Rejection> {
        self.verify_captured_at(captured, max_age, clock::now())
    }

    /// As [`verify_captured`](Self::verify_captured), at another time than now.
    ///
    /// # Errors
    ///
    /// As for [`verify_captured`](Self::verify_captured).
    pub fn verify_captured_at(
        &self,
        captured: &CapturedRequest,
        max_age: Duration,
        now: SystemTime,
    ) -> Result<VerifiedEvent, Rejection> {
        let refuse = |reason: Reason| Err(Rejection::new(reason, &self.shared().labels));
        if captured.left_out() > 0 {
            let received = u64::try_from(captured.body().len()).unwrap_or(u64::MAX);
            let reason = Reason::new(RejectionKind::BodyIncomplete);
            return refuse(reason.with_body_length(received.saturating_add(captured.left_out())));
        }
        let Some(received_at) = captured.received_at() else {
            return refuse(Reason::new(RejectionKind::MalformedTimestamp));
        };
        let seconds = |span: Duration| i64::try_from(span.as_secs()).unwrap_or(i64::MAX);
        match now.duration_since(received_at) {
            Ok(age) if age > max_age => {
                let reason = Reason::new(RejectionKind::TimestampTooOld);
                return refuse(reason.with_skew(seconds(age).saturating_neg()));
            }
            Err(ahead) if ahead.duration() > AHEAD => {
                let reason = Reason::new(RejectionKind::TimestampInFuture);
                return refuse(reason.with_skew(seconds(ahead.duration())));
            }
            _ => {}
        }
        self.verify(&captured.head(), captured.body().clone(), received_at)
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;
    use crate::{Secret, Signer, head::Head, providers};

    #[test]
    fn the_time_of_receipt_is_the_clock() {
        let at = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
        let secret = || Secret::new("whsec_of_the_endpoint");
        let signer = Signer::new(providers::stripe(), secret()).unwrap();
        let signed = signer
            .with_time(at(1_000_000))
            .sign(http::Request::post("/"), "{}");
        let (parts, body) = signed.unwrap().into_parts();
        let captured = CapturedRequest::new(&Head::from(&parts), body);
        let verifier = Verifier::new(providers::stripe(), secret()).unwrap();
        let hour = Duration::from_secs(3600);
        for (received, now, expected) in [
            (1_000_002, 1_000_002, None),
            (1_000_002, 1_003_602, None),
            (1_000_002, 1_003_603, Some(RejectionKind::TimestampTooOld)),
            (1_000_002, 999_997, None),
            (1_000_002, 999_996, Some(RejectionKind::TimestampInFuture)),
            (1_003_602, 1_003_602, Some(RejectionKind::TimestampTooOld)),
        ] {
            let captured = captured.clone().with_received_at(at(received));
            let verified = verifier.verify_captured_at(&captured, hour, at(now));
            let kind = verified.err().map(|rejection| rejection.kind());
            assert_eq!(kind, expected, "{received} {now}");
        }
        let refused = verifier.verify_captured(&captured, hour).unwrap_err();
        assert_eq!(refused.kind(), RejectionKind::MalformedTimestamp);
    }
}
