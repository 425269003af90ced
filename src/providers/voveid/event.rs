//! Typed events.

use std::fmt;

use serde::Deserialize;
use serde_json::Value;

use crate::{
    error::PayloadError,
    event::{Payload, VerifiedEvent},
    identity::{Identity, Outcome},
    json,
};

pub(super) fn identity(event: &VerifiedEvent) -> Result<Option<Identity>, PayloadError> {
    let Event::Kyc(kyc) = Event::from_event(event)? else {
        return Ok(None);
    };
    let identity = match kyc.status {
        KycStatus::InProgress => Identity::new(Outcome::InProgress, false),
        KycStatus::Pending => Identity::new(Outcome::Pending, false),
        KycStatus::Successful => Identity::new(Outcome::Approved, true),
        KycStatus::Suspected => Identity::new(Outcome::Rejected, true),
        KycStatus::Other(_) => Identity::new(Outcome::Other, false),
    };
    Ok(Some(identity.with_subject(kyc.ref_id)))
}

/// An event of VOVE ID. Its `Debug` shows type, ids and status, and nothing of [`Other`](Self::Other).
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A person's identity verification moved on.
    Kyc(Kyc),
    /// The screening of a person moved on.
    Aml(Aml),
    /// The case of a business moved on.
    Kyb(Kyb),
    /// A kind of event that has no type here, such as the four KYB events without a published body. It has at least one field.
    Other(Value),
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kyc(kyc) => f.debug_tuple("Kyc").field(kyc).finish(),
            Self::Aml(aml) => f.debug_tuple("Aml").field(aml).finish(),
            Self::Kyb(kyb) => f.debug_tuple("Kyb").field(kyb).finish(),
            Self::Other(_) => f.write_str("Other(..)"),
        }
    }
}

/// A step of a person's identity verification.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Kyc {
    /// How far it is.
    pub status: KycStatus,
    /// Your own reference to the person.
    pub ref_id: String,
    /// The older name of `ref_id`, which VOVE ID will stop sending.
    pub user_id: Option<String>,
}

open_enum! {
    /// How far a person's identity verification is.
    KycStatus {
        /// It has begun, and at least one step is done.
        InProgress = "in_progress",
        /// It waits for a person to review it.
        Pending = "pending",
        /// All checks have passed.
        Successful = "successful",
        /// It has failed: the data do not match, or the screening found something. The body does not say which.
        Suspected = "suspected",
    }
}

/// A step of the anti-money-laundering screening of a person.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Aml {
    /// What the screening found.
    pub status: AmlStatus,
    /// Your own reference to the person.
    pub ref_id: String,
}

open_enum! {
    /// What a screening found.
    AmlStatus {
        /// Nothing.
        NoMatch = "NO_MATCH",
        /// Something that a person looks at.
        InReview = "IN_REVIEW",
        /// Something that turned out to be harmless.
        Cleared = "CLEARED",
        /// Something that rules the person out.
        Rejected = "REJECTED",
    }
}

/// A step of a business verification case.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Kyb {
    /// How far the case is.
    pub status: KybStatus,
    /// How far it was before.
    pub previous_status: KybStatus,
    /// Your own reference to the business.
    pub ref_id: String,
    /// Why the case was rejected, such as `DOCUMENT_MISMATCH`.
    pub reason: Option<String>,
}

impl fmt::Debug for Kyb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kyb")
            .field("status", &self.status)
            .field("previous_status", &self.previous_status)
            .field("ref_id", &self.ref_id)
            .finish_non_exhaustive()
    }
}

open_enum! {
    /// How far a business verification case is.
    KybStatus {
        /// Nobody has begun it. Only ever a previous status.
        NotStarted = "NOT_STARTED",
        /// The business is at it.
        InProgress = "IN_PROGRESS",
        /// A person reviews it.
        InReview = "IN_REVIEW",
        /// It has passed.
        Completed = "COMPLETED",
        /// It has failed.
        Rejected = "REJECTED",
    }
}

/// Every field of every body.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    status: String,
    ref_id: Option<String>,
    user_id: Option<String>,
    previous_status: Option<KybStatus>,
    reason: Option<String>,
}

impl Payload for Event {
    fn from_event(event: &VerifiedEvent) -> Result<Self, PayloadError> {
        PayloadError::unless_from("voveid", event)?;
        let read = match event.read::<Wire>() {
            Ok(wire) => wire.read_as(event.param("family"))?,
            Err(error) if says_no_known_status(event) => {
                // Of `{}` it is worth more that a status is missing.
                let other = event.read_unknown().map_err(|_| error)?;
                return Ok(Self::Other(other));
            }
            Err(error) => return Err(error),
        };
        read.map_or_else(|| event.read_unknown().map(Self::Other), Ok)
    }
}

/// Whether the body has no status, or null, or a text that no family documents.
fn says_no_known_status(event: &VerifiedEvent) -> bool {
    #[derive(Deserialize)]
    struct Body {
        status: Option<String>,
    }
    let is_new = |body: Body| body.status.is_none_or(|text| Statuses::of(&text).are_new());
    !json::typed::has(event.body(), "/status") || event.read().is_ok_and(is_new)
}

/// A status as each family reads it.
struct Statuses {
    kyc: KycStatus,
    aml: AmlStatus,
    kyb: KybStatus,
}

impl Statuses {
    fn of(text: &str) -> Self {
        Self {
            kyc: text.to_owned().into(),
            aml: text.to_owned().into(),
            kyb: text.to_owned().into(),
        }
    }

    /// Whether no family documents it.
    fn are_new(&self) -> bool {
        !(self.kyc.is_known() || self.aml.is_known() || self.kyb.is_known())
    }

    fn are_of_kyb_alone(&self) -> bool {
        self.kyb.is_known() && !self.kyc.is_known() && !self.aml.is_known()
    }
}

impl Wire {
    /// What the shape of the body suggests.
    fn guess_family(&self) -> &'static str {
        if self.previous_status.is_some() {
            "kyb"
        } else if self.status.bytes().any(|byte| byte.is_ascii_uppercase()) {
            "aml"
        } else {
            "kyc"
        }
    }

    /// A status that only another family has makes the body one of that family. A new one belongs to every family. `None` for a
    /// body of a kind that is not known.
    fn read_as(self, told: Option<&str>) -> Result<Option<Event>, PayloadError> {
        let family = told.unwrap_or_else(|| self.guess_family());
        let statuses = Statuses::of(&self.status);
        let is_new = statuses.are_new();
        if self.previous_status.is_none() {
            // What every case has that is known is missing.
            let is_other_kyb = statuses.are_of_kyb_alone() && told.is_none_or(|told| told == "kyb");
            if is_other_kyb || (is_new && family == "kyb") {
                return Ok(None);
            }
        }
        let ref_id = match family {
            "kyc" => self.ref_id.or_else(|| self.user_id.clone()),
            _ => self.ref_id,
        };
        let Statuses { kyc, aml, kyb } = statuses;
        let fits = match family {
            "kyb" => self.previous_status.is_some() && (kyb.is_known() || is_new),
            "kyc" => self.previous_status.is_none() && (kyc.is_known() || is_new),
            _ => self.previous_status.is_none() && (aml.is_known() || is_new),
        };
        if !fits {
            return Err(PayloadError::new(format!(
                "the body is not one of family {family}"
            )));
        }
        let Some(ref_id) = ref_id else {
            return if is_new {
                Ok(None)
            } else {
                Err(PayloadError::new("the field `refId` is missing"))
            };
        };
        Ok(Some(match (family, self.previous_status) {
            ("kyc", _) => Event::Kyc(Kyc {
                status: kyc,
                ref_id,
                user_id: self.user_id,
            }),
            (_, Some(previous_status)) => Event::Kyb(Kyb {
                status: kyb,
                previous_status,
                ref_id,
                reason: self.reason,
            }),
            (_, None) => Event::Aml(Aml {
                status: aml,
                ref_id,
            }),
        }))
    }
}

macro_rules! payload_of_one_family {
    ($($family:ident: $name:literal),*) => {
        $(impl Payload for $family {
            fn from_event(event: &VerifiedEvent) -> Result<Self, PayloadError> {
                match Event::from_event(event)? {
                    Event::$family(read) => Ok(read),
                    _ => Err(PayloadError::new(concat!("the body is not one of family ", $name))),
                }
            }
        })*
    };
}

payload_of_one_family!(Kyc: "kyc", Aml: "aml", Kyb: "kyb");
