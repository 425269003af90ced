//! Authento: identity verification of persons and companies, tied to wallet addresses or accounts.
//!
//! | | |
//! | --- | --- |
//! | signs | one of two constructions over the body, see below; header `X-PAYLOAD-DIGEST`, hex or base64 |
//! | secret | the webhook secret from the dashboard's settings, as text |
//! | timestamp | none that is signed apart; `timeCreated` stands in the body, see [`Event::created_at`] |
//! | event type | `/event` in the body |
//! | delivery id | none |
//! | delivery key | the whole body |
//! | success | not stated; nor is a time limit |
//! | retries | none by itself, as far as known: a failed delivery is in the dashboard's log and sent again by hand |
//!
//! # How it signs, and how sure that is
//!
//! **Not settled.** Authento's page gives a recipe, the SHA-256 digest of the raw payload, and says elsewhere that a webhook
//! secret is used to calculate the digest. Both cannot be the whole truth. It shows no code, and no delivery has been
//! seen. So there are three constructions:
//!
//! | construction | digest | |
//! | --- | --- | --- |
//! | `hmac-sha256` | HMAC-SHA256 of the body | gives the secret its purpose, and is how Authento signs its API calls |
//! | `sha256-body-secret` | SHA-256 of body, then secret | both sentences at once |
//! | `unauthenticated-sha256` | SHA-256 of the body | the recipe as it stands |
//!
//! Unless told, a request under either of the first two is accepted. `event.construction()` says which it was: **once you
//! have seen a genuine delivery, fix it**, with [`with_only_construction`](Provider::with_only_construction) or `construction` in
//! the configuration.
//!
//! **The third proves nothing about who sent a request; anybody can compute it.** It counts only when it is named so, and a
//! warning at the start says it again. If Authento turns out to send that, take an event for no more than a hint, and
//! ask Authento's API before anything depends on it.
//!
//! The encoding is not documented either. Hex in either case and base64 are told apart by their length.
//!
//! # As an identity
//!
//! Of every event but those about wallet addresses, by `status.basic`. The session is `userId`, the subject `userIdentifier`; a
//! `status.poa` is a reason, such as `poa:REJECTED`. Whether the user is a person or a company does not count: see
//! [`Event::user_type`].
//!
//! | `status.basic` | outcome | final |
//! | --- | --- | --- |
//! | any, of the event `ON_HOLD` | review | no |
//! | any, of an event that is not documented | other | no |
//! | `VERIFIED` | approved | yes |
//! | `REJECTED` | rejected | yes |
//! | `PROCESSING`, `INFO_REQUIRED` | pending | no |
//! | `UNVERIFIED` | in progress | no |
//! | any other | other | no |
//!
//! An event that is not documented is no error, whatever else its body has or lacks: see [`Event`]. A documented one without a user or a
//! basic status is.
//!
//! # Pitfalls
//!
//! - `X-Payload-Digest` is Sumsub's header, too. A provider is configured, and never told by its headers.
//! - The page spells two events `ADDRRESS_LINKED` and `ADDRRESS_UNLINKED`. The right spelling is read as the same.
//! - Older examples write statuses and types in lower case, and `company` for `CORPORATE`. They are read as the same, and so are
//!   events in lower case or camel case.
//! - A company's verification gives an [`Identity`] as a person's does, since it comes as the same event. Look at
//!   [`Event::user_type`] where that matters.
//! - `status.poa`, the proof of address, may be missing, and `userIdentifier` is yours only in the account-based flow.
//!
//! Documented: <https://authento.gitbook.io/authento-api> (webhooks, basic and full user info).
//!
//! ```
//! use tower_webhook::{Secret, Verifier, providers, providers::authento, verify::Head};
//! # use tower_webhook::Signer;
//! # use http::Request;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let secret = Secret::new("the-webhook-secret");
//! let verifier = Verifier::new(providers::authento(), secret.clone())?;
//!
//! let body = r#"{"event":"REVIEWED","userId":"khz3h1vq","type":"INDIVIDUAL","status":{"basic":"VERIFIED"}}"#;
//! # let request = Signer::new(providers::authento(), secret)?.sign(Request::post("/"), body)?;
//! # let (head, _) = request.into_parts();
//! # let now = std::time::SystemTime::UNIX_EPOCH;
//! let event = verifier.verify(&Head::of(&head), body, now)?;
//! assert_eq!(event.construction(), "hmac-sha256");
//! let event = event.parse::<authento::Event>()?.into_payload();
//! assert_eq!(event.event, authento::EventType::Reviewed);
//! assert_eq!(event.status.basic, authento::VerificationStatus::Verified);
//! assert_eq!(event.status.poa, None);
//! # Ok(())
//! # }
//! ```

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Deserialize;
use serde_json::Value;

use crate::{
    Identity, Outcome, Payload, PayloadError, Provider, Source, VerifiedEvent,
    delivery::KeyedBy,
    json::object,
    scheme::{Algorithm, Encoding, Scheme, Signature},
};

pub(super) fn provider() -> Provider {
    let scheme = |algorithm, signed: &'static str| {
        let signature = Signature::single("X-PAYLOAD-DIGEST", Encoding::HexOrBase64);
        Scheme::new(algorithm, signed, signature)
    };
    Provider::new("authento", scheme(Algorithm::HmacSha256, "{body}"))
        .or_construction(
            "sha256-body-secret",
            scheme(Algorithm::Sha256, "{body}{secret}"),
        )
        .or_named_construction(
            "unauthenticated-sha256",
            scheme(Algorithm::UnauthenticatedSha256, "{body}"),
        )
        .with_event_type(Source::json("/event"))
        .with_delivery_key(KeyedBy::Body)
        .with_docs("https://authento.gitbook.io/authento-api")
        .with_identity(identity)
}

fn identity(event: &VerifiedEvent) -> Result<Option<Identity>, PayloadError> {
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
            .with_subject(user_identifier)
            .with_session(Some(user_id))
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
