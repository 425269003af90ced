//! Typed events.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Deserialize;
use serde_json::Value;

use crate::{
    error::PayloadError,
    event::{Payload, VerifiedEvent},
    identity::{Identity, Outcome},
    json::typed::object,
};

pub(super) fn identity(event: &VerifiedEvent) -> Result<Option<Identity>, PayloadError> {
    let Event {
        event,
        user_id,
        user_identifier,
        status,
        ..
    } = Event::from_event(event)?;
    let (outcome, is_final) = match (&event, &status.basic) {
        (EventType::AddressLinked | EventType::AddressUnlinked, _) => return Ok(None),
        (EventType::OnHold, _) => (Outcome::Review, false),
        // It may be a hold, or about a wallet: nobody knows.
        (EventType::Other(_), _) => (Outcome::Other, false),
        (_, VerificationStatus::Verified) => (Outcome::Approved, true),
        (_, VerificationStatus::Rejected) => (Outcome::Rejected, true),
        (_, VerificationStatus::Processing | VerificationStatus::InfoRequired) => {
            (Outcome::Pending, false)
        }
        (_, VerificationStatus::Unverified) => (Outcome::InProgress, false),
        (_, VerificationStatus::Other(_)) => (Outcome::Other, false),
    };
    let reasons = status.poa.map(|poa| format!("poa:{}", poa.as_str()));
    Ok(Some(
        Identity::new(outcome, is_final)
            .with_subject(user_identifier.unwrap_or_default())
            .with_session(user_id)
            .with_reasons(reasons),
    ))
}

/// An event of Authento. It says that something changed and never what: a person's data are fetched by `user_id`.
///
/// It has an event, a user and a basic status; the rest may be missing. Of an event that is [not documented](EventType::Other) anything may
/// be missing: `user_id` is then empty, and `status.basic` is [`VerificationStatus::Other`] with an empty text.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Event {
    /// What happened.
    pub event: EventType,
    /// Authento's id of the user.
    pub user_id: String,
    /// Your own id of the user, in the account-based flow.
    pub user_identifier: Option<String>,
    /// What the user is.
    #[serde(rename = "type")]
    pub user_type: Option<UserType>,
    /// How far the verification is after this event.
    #[serde(deserialize_with = "object")]
    pub status: Status,
    /// When it happened, in seconds since 1970 with a fraction. See [`created_at`](Self::created_at).
    pub time_created: Option<f64>,
}

impl Event {
    /// When it happened, to the microsecond. `None` where the body does not say, or says what no clock shows.
    ///
    /// It is signed with the rest of the body, but it is no time of sending: an event that is sent again by hand keeps it, as far
    /// as known.
    #[must_use]
    pub fn created_at(&self) -> Option<SystemTime> {
        let seconds = self.time_created?;
        let whole = Duration::try_from_secs_f64(seconds.trunc()).ok()?;
        // What a number of this size holds beyond microseconds is noise.
        let rest = Duration::try_from_secs_f64((seconds.fract() * 1e6).round() / 1e6).ok()?;
        UNIX_EPOCH.checked_add(whole)?.checked_add(rest)
    }
}

open_enum! {
    /// What happened.
    EventType {
        /// The user lets you see information.
        PermissionGranted = "PERMISSION_GRANTED" | "permission_granted" | "permissionGranted",
        /// The user changed what you may see.
        PermissionUpdated = "PERMISSION_UPDATED" | "permission_updated" | "permissionUpdated",
        /// A verification has begun.
        Init = "INIT" | "init",
        /// Everything has been handed in and waits for review.
        Pending = "PENDING" | "pending",
        /// The review is done.
        Reviewed = "REVIEWED" | "reviewed",
        /// The verification is held up.
        OnHold = "ON_HOLD" | "on_hold" | "onHold",
        /// The user's information has changed.
        InfoUpdated = "INFO_UPDATED" | "info_updated" | "infoUpdated",
        /// The verification starts anew.
        Reset = "RESET" | "reset",
        /// A wallet address was added.
        AddressLinked = "ADDRRESS_LINKED" | "ADDRESS_LINKED" | "addrress_linked" | "addrressLinked" | "address_linked" | "addressLinked",
        /// A wallet address was removed.
        AddressUnlinked = "ADDRRESS_UNLINKED" | "ADDRESS_UNLINKED" | "addrress_unlinked" | "addrressUnlinked" | "address_unlinked" | "addressUnlinked",
    }
}

open_enum! {
    /// What a user is.
    UserType {
        /// A person.
        Individual = "INDIVIDUAL" | "individual",
        /// A company.
        Corporate = "CORPORATE" | "corporate" | "COMPANY" | "company",
    }
}

/// How far the verification of a user is.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Status {
    /// The identity.
    pub basic: VerificationStatus,
    /// The proof of address.
    pub poa: Option<VerificationStatus>,
}

open_enum! {
    /// How far one verification is.
    VerificationStatus {
        /// Nothing has been verified.
        Unverified = "UNVERIFIED" | "unverified",
        /// It is under way.
        Processing = "PROCESSING" | "processing",
        /// The user has to hand in more.
        InfoRequired = "INFO_REQUIRED" | "info_required",
        /// It has passed.
        Verified = "VERIFIED" | "verified",
        /// It has failed.
        Rejected = "REJECTED" | "rejected",
    }
}

impl Payload for Event {
    fn from_event(event: &VerifiedEvent) -> Result<Self, PayloadError> {
        PayloadError::unless_from("authento", event)?;
        event.read().or_else(|error: PayloadError| {
            let unknown = Unknown::read(event).ok_or(error)?;
            Ok(unknown.into())
        })
    }
}

/// An event that is not documented: it has a name, and anything may be missing or of another type.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Unknown {
    event: EventType,
    #[serde(default)]
    user_id: Value,
    #[serde(default)]
    user_identifier: Value,
    #[serde(default, rename = "type")]
    user_type: Value,
    #[serde(default)]
    status: Value,
    #[serde(default)]
    time_created: Value,
}

impl Unknown {
    fn read(event: &VerifiedEvent) -> Option<Self> {
        event.check_unknown().ok()?;
        let unknown: Self = event.read().ok()?;
        (!unknown.event.is_known()).then_some(unknown)
    }
}

impl From<Unknown> for Event {
    fn from(unknown: Unknown) -> Self {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let status = |name| unknown.status.get(name).and_then(text);
        let (basic, poa) = (status("basic").unwrap_or_default(), status("poa"));
        Self {
            event: unknown.event,
            user_id: text(&unknown.user_id).unwrap_or_default(),
            user_identifier: text(&unknown.user_identifier),
            user_type: text(&unknown.user_type).map(UserType::from),
            status: Status {
                basic: basic.into(),
                poa: poa.map(VerificationStatus::from),
            },
            time_created: unknown.time_created.as_f64(),
        }
    }
}
