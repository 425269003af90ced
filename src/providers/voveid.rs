//! VOVE ID: identity verification, anti-money-laundering and business verification.
//!
//! | | |
//! | --- | --- |
//! | signs | as [Svix](mod@super::svix), through which it sends: HMAC-SHA256 over id `.` time `.` body |
//! | secret | `whsec_…` from the dashboard: base64, read even where padding is missing |
//! | timestamp | `svix-timestamp`, unix seconds, signed; 5 minutes either way |
//! | event type | nowhere; `event_type()` gives the body's `/status` |
//! | delivery id | header `svix-id`, signed, the same for every attempt |
//! | success | any 2xx within 15 seconds; retried with growing pauses, and a 4xx may be final |
//!
//! # Which family
//!
//! Nothing in a request says whether it is about a person's identity ([`Kyc`]), a screening ([`Aml`]) or a business
//! ([`Kyb`]). Give each its own endpoint and say which it is: parameter `family`, one of `kyc`, `aml` and `kyb`. Without
//! it the shape of the body decides, which is **a guess** that nothing at VOVE ID promises: a `previousStatus` is taken for `Kyb`,
//! a status in lower case for `Kyc`, any other for `Aml`.
//!
//! # How sure this is
//!
//! The scheme is certain: it is stock Svix, documented by both. The sample on VOVE ID's page does not check out under any
//! reading (its secret or signature was changed for publication), so it serves as a test for refusal only. Four older KYB
//! events (`kyb.case.created`, `kyb.case.status.changed`, `kyb.ubo.invited`, `kyb.ubo.completed`) have no published body; they verify, and
//! are read as [`Kyb`] only if they have its fields.
//!
//! Documented: <https://docs.voveid.com> (webhooks, AML screening, KYB webhooks).
//!
//! ```
//! use tower_webhook::{Secret, Verifier, providers, providers::voveid, verify::Head};
//! # use tower_webhook::Signer;
//! # use http::Request;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let secret = Secret::new("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD");
//! let verifier = Verifier::new(providers::voveid().with_param("family", "kyc"), secret.clone())?;
//!
//! let body = r#"{"status":"successful","refId":"customer-7"}"#;
//! # let now = std::time::SystemTime::now();
//! # let request = Signer::new(providers::voveid(), secret)?.sign(Request::post("/"), body)?;
//! # let (head, _) = request.into_parts();
//! let event = verifier.verify(&Head::of(&head), body, now)?;
//! let event = event.parse::<voveid::Event>()?;
//! let voveid::Event::Kyc(kyc) = event.payload() else { panic!("the family is fixed") };
//! assert_eq!(kyc.status, voveid::KycStatus::Successful);
//! assert_eq!(kyc.ref_id, "customer-7");
//! # Ok(())
//! # }
//! ```

use serde::Deserialize;

use super::svix;
use crate::{Payload, PayloadError, Provider, Source, VerifiedEvent, provider::Parameter};

pub(super) fn provider() -> Provider {
    Provider::new("voveid", svix::scheme())
        .with_event_type(Source::json("/status"))
        .with_delivery_id(Source::header("svix-id"))
        .with_options(&[Parameter {
            name: "family",
            values: &["kyc", "aml", "kyb"],
        }])
        .with_docs("https://docs.voveid.com")
}

/// An event of VOVE ID. Its `Debug` shows type, ids and status.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A person's identity verification moved on.
    Kyc(Kyc),
    /// The screening of a person moved on.
    Aml(Aml),
    /// The case of a business moved on.
    Kyb(Kyb),
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
#[derive(Clone, Debug, PartialEq, Eq)]
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
        let read = Self::from_wire(event.json()?)?;
        let family = match &read {
            Self::Kyc(_) => "kyc",
            Self::Aml(_) => "aml",
            Self::Kyb(_) => "kyb",
        };
        match event.param("family") {
            Some(wanted) if wanted != family => Err(PayloadError::new(format!(
                "the body has the shape of family {family}, and the endpoint is for {wanted}"
            ))),
            _ => Ok(read),
        }
    }
}

impl Event {
    fn from_wire(wire: Wire) -> Result<Self, PayloadError> {
        let missing = || PayloadError::new("the field `refId` is missing");
        let is_kyc = !wire.status.bytes().any(|byte| byte.is_ascii_uppercase());
        match wire.previous_status {
            Some(previous_status) => Ok(Self::Kyb(Kyb {
                status: wire.status.into(),
                previous_status,
                ref_id: wire.ref_id.ok_or_else(missing)?,
                reason: wire.reason,
            })),
            None if is_kyc => Ok(Self::Kyc(Kyc {
                status: wire.status.into(),
                ref_id: wire
                    .ref_id
                    .or_else(|| wire.user_id.clone())
                    .ok_or_else(missing)?,
                user_id: wire.user_id,
            })),
            None => Ok(Self::Aml(Aml {
                status: wire.status.into(),
                ref_id: wire.ref_id.ok_or_else(missing)?,
            })),
        }
    }
}

macro_rules! payload_of_one_family {
    ($($family:ident: $name:literal),*) => {
        $(impl Payload for $family {
            fn from_event(event: &VerifiedEvent) -> Result<Self, PayloadError> {
                match Event::from_event(event)? {
                    Event::$family(read) => Ok(read),
                    _ => Err(PayloadError::new(concat!("the body does not have the shape of family ", $name))),
                }
            }
        })*
    };
}

payload_of_one_family!(Kyc: "kyc", Aml: "aml", Kyb: "kyb");
