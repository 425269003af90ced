//! Typed events.

use serde::Deserialize;

use crate::{
    error::PayloadError,
    event::{Payload, VerifiedEvent},
    identity::{Identity, Outcome},
};

/// The fields that decide what an event says.
const DECIDES: &[&str] = &[
    "/webhook_type",
    "/webhook_code",
    "/identity_verification_id",
    "/environment",
];

pub(super) fn identity(event: &VerifiedEvent) -> Result<Option<Identity>, PayloadError> {
    let Event::IdentityVerification(read) = Event::from_event(event)? else {
        return Ok(None);
    };
    let outcome = match read.webhook_code {
        Code::StatusUpdated => Outcome::Undisclosed,
        Code::StepUpdated | Code::Retried => Outcome::InProgress,
        Code::Other(_) => Outcome::Other,
    };
    Ok(Some(
        Identity::new(outcome, false)
            .with_session(read.identity_verification_id)
            .with_test(read.environment.map(|name| name != Environment::Production)),
    ))
}

events! {
    /// An event of Plaid. Its `Debug` shows the type, the id and the environment, and no content of
    /// [`Other`](Self::Other).
    "plaid" read by read {
        /// Something happened to the verification of a person's identity.
        IdentityVerification,
    }
    Other:
    /// An event of another product. The object has at least one field.
}

fn read(event: &VerifiedEvent) -> Result<Event, PayloadError> {
    let Kind { webhook_type } = event.read()?;
    if webhook_type != "IDENTITY_VERIFICATION" {
        return event.read_unknown().map(Event::Other);
    }
    event
        .read_decided_by::<IdentityVerification>(DECIDES)
        .map(Event::from)
}

#[derive(Deserialize)]
struct Kind {
    webhook_type: String,
}

records! {
    /// Something happened to the verification of a person's identity. What it is now is in the API
    /// only.
    IdentityVerification shows [webhook_type, webhook_code, identity_verification_id, environment] {
        /// The product: `IDENTITY_VERIFICATION`.
        webhook_type: String,
        /// What happened.
        webhook_code: Code,
        /// The verification.
        identity_verification_id: String,
        /// Whether it is a test.
        environment: Option<Environment>,
    }
}

open_enum! {
    /// What happened to the verification of a person's identity.
    Code {
        /// It has another status.
        StatusUpdated = "STATUS_UPDATED",
        /// A step of it has another status.
        StepUpdated = "STEP_UPDATED",
        /// The person has to try again.
        Retried = "RETRIED",
    }
}

open_enum! {
    /// Where a verification ran.
    Environment {
        /// With real people.
        Production = "production",
        /// For tests.
        Sandbox = "sandbox",
    }
}
