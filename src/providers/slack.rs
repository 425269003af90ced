//! Slack: Events API, slash commands and interactivity.
//!
//! | | |
//! | --- | --- |
//! | signature | HMAC-SHA256 of `v0:`, the timestamp, `:` and the body, in hex after `v0=`, in `X-Slack-Signature` |
//! | secret | the app's signing secret, as text |
//! | timestamp | `X-Slack-Request-Timestamp`, Unix seconds, signed; tolerance 5 minutes in either direction |
//! | event type | `/event/type` of a JSON body; slash commands and interactivity send forms, which have none |
//! | delivery id | `/event_id` of a JSON body |
//! | delivery key | `/event_id`, or the whole body if there is none |
//! | success | any 2xx within 3 seconds; the Events API retries 3 times |
//! | handshake | `url_verification`, signed like every other request, and `GET` with `ssl_check=1`, answered by an empty 200; see [`handshake`](crate::handshake) |
//!
//! Slack shows the answer to a slash command or an interaction to the user, so a request without
//! `/event_id` is not deduplicated unless the endpoint sets `deduplicate_by`: an empty answer to a
//! repeated one would be wrong.
//!
//! Documented: <https://docs.slack.dev/authentication/verifying-requests-from-slack>, whose example
//! is a test vector here. Certain.

use std::time::Duration;

use crate::{
    challenge::at::At,
    keys::suspicion::SecretLook,
    provider::{AnswerRead, Provider},
    scheme::{
        algorithm::Algorithm, definition::Scheme, encoding::Encoding, locator::Locator,
        signature::SignatureFormat, timestamp::Timestamp,
    },
};

pub(super) fn provider() -> Provider {
    let signature = SignatureFormat::single("X-Slack-Signature", Encoding::Hex).with_prefix("v0=");
    let look = SecretLook {
        prefix: None,
        others: &[
            ("xoxb-", "a bot token"),
            ("xoxp-", "a user token"),
            ("xapp-", "an app-level token"),
            ("xoxe", "a configuration or refresh token"),
        ],
    };
    let scheme = Scheme::signed(Algorithm::HmacSha256, "v0:{ts}:{body}", signature)
        .with_timestamp(Timestamp::header("X-Slack-Request-Timestamp"));
    Provider::new("slack", scheme)
        .with_secret_look(look)
        .with_event_type(Locator::json("/event/type"))
        .with_delivery_id(Locator::json("/event_id"))
        .with_unique_delivery_id()
        .with_answer_read(AnswerRead::Unless(At::Json("/event_id")))
        .with_time_limit(Duration::from_secs(3))
        .with_docs("https://docs.slack.dev/authentication/verifying-requests-from-slack")
}
