//! Typed events.

use std::fmt;

use serde::Deserialize;
use serde_json::Value;

use crate::{
    error::PayloadError,
    event::{Payload, VerifiedEvent},
    identity::{Identity, Outcome},
    json,
    providers::typed,
};

pub(super) fn identity(event: &VerifiedEvent) -> Result<Option<Identity>, PayloadError> {
    let Event::Kyc(kyc) = Event::from_event(event)? else {
        return Ok(None);
    };
    let (outcome, is_final) = match kyc.status {
        KycStatus::InProgress => (Outcome::InProgress, false),
        KycStatus::Pending => (Outcome::Pending, false),
        KycStatus::Successful => typed::approval(kyc.names_two_persons()),
        KycStatus::Suspected => (Outcome::Rejected, true),
        KycStatus::Other(_) => (Outcome::Other, false),
    };
    Ok(Some(
        Identity::new(outcome, is_final).with_subject(kyc.ref_id),
    ))
}

/// A VOVE ID event. Its `Debug` shows the type, ids and status, and no content of
/// [`Other`](Self::Other).
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A person's identity verification changed status.
    Kyc(Kyc),
    /// The screening of a person changed status.
    Aml(Aml),
    /// The case of a business changed status.
    Kyb(Kyb),
    /// An unknown kind of event, such as one of the four KYB events without a published body. The
    /// object has at least one field.
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

/// A status change of a person's identity verification.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Kyc {
    /// The new status.
    pub status: KycStatus,
    /// Your own reference for the person.
    pub ref_id: String,
    /// The older name of `ref_id`, which VOVE ID will stop sending.
    pub user_id: Option<String>,
}

impl Kyc {
    /// Whether the older name of the reference has another value.
    fn names_two_persons(&self) -> bool {
        typed::differ(Some(&self.ref_id), self.user_id.as_deref())
    }
}

open_enum! {
    /// The status of a person's identity verification.
    KycStatus {
        /// The verification has begun, and at least one step is complete.
        InProgress = "in_progress",
        /// The verification awaits human review.
        Pending = "pending",
        /// All checks have passed.
        Successful = "successful",
        /// The person has failed: the data do not match, or the screening had a hit. The body does
        /// not state which.
        Suspected = "suspected",
    }
}

/// A status change of the anti-money-laundering screening of a person.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Aml {
    /// The result of the screening.
    pub status: AmlStatus,
    /// Your own reference for the person.
    pub ref_id: String,
}

open_enum! {
    /// The result of a screening.
    AmlStatus {
        /// The screening had no hit.
        NoMatch = "NO_MATCH",
        /// The screening had a hit, and a human is reviewing it.
        InReview = "IN_REVIEW",
        /// The screening had a hit that turned out to be harmless.
        Cleared = "CLEARED",
        /// The screening had a hit that rules the person out.
        Rejected = "REJECTED",
    }
}

/// A status change of a business verification case.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Kyb {
    /// The new status.
    pub status: KybStatus,
    /// The previous status.
    pub previous_status: KybStatus,
    /// Your own reference for the business.
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
    /// The status of a business verification case.
    KybStatus {
        /// The case has not been started. It occurs only as a previous status.
        NotStarted = "NOT_STARTED",
        /// The business is working on the case.
        InProgress = "IN_PROGRESS",
        /// A human is reviewing the case.
        InReview = "IN_REVIEW",
        /// The business has passed.
        Completed = "COMPLETED",
        /// The business has failed.
        Rejected = "REJECTED",
    }
}

/// All fields of all bodies.
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
                // For `{}`, the error about the missing status is more helpful.
                let other = event.read_unknown().map_err(|_| error)?;
                return Ok(Self::Other(other));
            }
            Err(error) => return Err(error),
        };
        read.map_or_else(|| event.read_unknown().map(Self::Other), Ok)
    }
}

/// Whether the body has no status, a null one, or one that no family documents.
fn says_no_known_status(event: &VerifiedEvent) -> bool {
    #[derive(Deserialize)]
    struct Body {
        status: Option<String>,
    }
    let is_new = |body: Body| body.status.is_none_or(|text| Statuses::of(&text).are_new());
    !json::typed::has(event.body(), "/status") || event.read().is_ok_and(is_new)
}

/// A status, as each family interprets it.
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

    /// Whether no family documents the status.
    fn are_new(&self) -> bool {
        !(self.kyc.is_known() || self.aml.is_known() || self.kyb.is_known())
    }

    fn are_only_of_kyb(&self) -> bool {
        self.kyb.is_known() && !self.kyc.is_known() && !self.aml.is_known()
    }
}

impl Wire {
    /// The family that the shape of the body suggests.
    fn guess_family(&self) -> &'static str {
        if self.previous_status.is_some() {
            "kyb"
        } else if self.status.bytes().any(|byte| byte.is_ascii_uppercase()) {
            "aml"
        } else {
            "kyc"
        }
    }

    /// Reads the body as an event of its family, or returns `None` if its kind is unknown. A status
    /// that only another family documents is an error; one that no family documents fits every
    /// family.
    fn read_as(self, configured: Option<&str>) -> Result<Option<Event>, PayloadError> {
        let family = configured.unwrap_or_else(|| self.guess_family());
        let statuses = Statuses::of(&self.status);
        let is_new = statuses.are_new();
        if self.previous_status.is_none() {
            // All known KYB bodies have a previous status.
            let is_other_kyb =
                statuses.are_only_of_kyb() && configured.is_none_or(|family| family == "kyb");
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
                "the body does not belong to family {family}"
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
                    _ => Err(PayloadError::new(concat!("the body does not belong to family ", $name))),
                }
            }
        })*
    };
}

payload_of_one_family!(Kyc: "kyc", Aml: "aml", Kyb: "kyb");
