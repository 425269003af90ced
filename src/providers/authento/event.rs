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

/// The fields that decide what an event says.
const DECIDES: &[&str] = &["/event", "/userId", "/type", "/status/basic"];

pub(super) fn identity(event: &VerifiedEvent) -> Result<Option<Identity>, PayloadError> {
    let read = Event::from_event(event)?;
    let occurred_at = read.created_at();
    let Event {
        event,
        user_id,
        user_identifier,
        user_type,
        status,
        ..
    } = read;
    let is_person = match user_type {
        None | Some(UserType::Individual) => true,
        Some(UserType::Corporate) => return Ok(None),
        Some(UserType::Other(_)) => false,
    };
    let (outcome, is_final) = match (&event, &status.basic) {
        (EventType::AddressLinked | EventType::AddressUnlinked, _) => return Ok(None),
        (EventType::OnHold, _) => (Outcome::Review, false),
        // An undocumented event may be a hold, or about a wallet.
        (EventType::Other(_), _) => (Outcome::Other, false),
        _ if !is_person => (Outcome::Other, false),
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
            .with_reasons(reasons)
            .with_occurred_at(occurred_at),
    ))
}

/// An Authento event. It states that something changed, without the data: fetch a person's data by
/// `user_id`.
///
/// An event has a type, a user and a basic status; everything else may be missing. In an
/// [undocumented](EventType::Other) event these may be missing too: `user_id` is then empty, and
/// `status.basic` is [`VerificationStatus::Other`] with an empty text.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Event {
    /// What happened.
    pub event: EventType,
    /// Authento's id of the user.
    pub user_id: String,
    /// Your own id for the user, in the account-based flow.
    pub user_identifier: Option<String>,
    /// Whether the user is a person or a company.
    #[serde(rename = "type")]
    pub user_type: Option<UserType>,
    /// The status of the verification after this event.
    #[serde(deserialize_with = "object")]
    pub status: Status,
    /// When the event happened, in Unix seconds with a fraction. See
    /// [`created_at`](Self::created_at).
    pub time_created: Option<f64>,
}

impl Event {
    /// When the event happened, to the microsecond. `None` if the body has no time, or one that
    /// [`SystemTime`] cannot represent.
    ///
    /// The time is signed with the rest of the body, but it is not the time of sending: as far as
    /// is known, an event that is resent by hand keeps it.
    #[must_use]
    pub fn created_at(&self) -> Option<SystemTime> {
        let seconds = self.time_created?;
        let whole = Duration::try_from_secs_f64(seconds.trunc()).ok()?;
        // An `f64` of this magnitude has no meaningful digits beyond microseconds.
        let rest = Duration::try_from_secs_f64((seconds.fract() * 1e6).round() / 1e6).ok()?;
        UNIX_EPOCH.checked_add(whole)?.checked_add(rest)
    }
}

open_enum! {
    /// What happened.
    EventType {
        /// The user granted you access to information.
        PermissionGranted = "PERMISSION_GRANTED" | "permission_granted" | "permissionGranted",
        /// The user changed which information you may access.
        PermissionUpdated = "PERMISSION_UPDATED" | "permission_updated" | "permissionUpdated",
        /// A verification has begun.
        Init = "INIT" | "init",
        /// Everything has been submitted and awaits review.
        Pending = "PENDING" | "pending",
        /// The review is complete.
        Reviewed = "REVIEWED" | "reviewed",
        /// The verification is on hold.
        OnHold = "ON_HOLD" | "on_hold" | "onHold",
        /// The user's information has changed.
        InfoUpdated = "INFO_UPDATED" | "info_updated" | "infoUpdated",
        /// The verification starts over.
        Reset = "RESET" | "reset",
        /// A wallet address was added.
        AddressLinked = "ADDRRESS_LINKED" | "ADDRESS_LINKED" | "addrress_linked" | "addrressLinked" | "address_linked" | "addressLinked",
        /// A wallet address was removed.
        AddressUnlinked = "ADDRRESS_UNLINKED" | "ADDRESS_UNLINKED" | "addrress_unlinked" | "addrressUnlinked" | "address_unlinked" | "addressUnlinked",
    }
}

open_enum! {
    /// Whether a user is a person or a company.
    UserType {
        /// A person.
        Individual = "INDIVIDUAL" | "individual",
        /// A company.
        Corporate = "CORPORATE" | "corporate" | "COMPANY" | "company",
    }
}

/// The status of a user's verification.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Status {
    /// The status of the identity verification.
    pub basic: VerificationStatus,
    /// The status of the proof of address.
    pub poa: Option<VerificationStatus>,
}

open_enum! {
    /// The status of one verification.
    VerificationStatus {
        /// Nothing has been verified.
        Unverified = "UNVERIFIED" | "unverified",
        /// The verification is in progress.
        Processing = "PROCESSING" | "processing",
        /// The user has to submit more information.
        InfoRequired = "INFO_REQUIRED" | "info_required",
        /// The user has passed.
        Verified = "VERIFIED" | "verified",
        /// The user has failed.
        Rejected = "REJECTED" | "rejected",
    }
}

impl Payload for Event {
    fn from_event(event: &VerifiedEvent) -> Result<Self, PayloadError> {
        PayloadError::unless_from("authento", event)?;
        event
            .read_decided_by(DECIDES)
            .or_else(|error: PayloadError| {
                let unknown = Unknown::read(event).ok_or(error)?;
                Ok(unknown.into())
            })
    }
}

/// An undocumented event: it has a type, and any other field may be missing or have another type.
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
